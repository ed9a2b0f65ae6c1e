package exchange_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"parley/exchange"
	"parley/im"
)

// attach attaches a session that is told of its own account's, and has sent no presence.
func (s *service) attach(who im.Address, slot string, c exchange.Session) *exchange.Client {
	s.t.Helper()
	l, err := s.Attach(s.t.Context(), who, exchange.Login{Door: "xmpp", Slot: slot, Abilities: exchange.Direct,
		Presence: im.DefaultAsk, Own: true, Inbound: true}, c)
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

func present(c *exchange.Client, p im.Presence) {
	c.SetPresence(p, "tag")
	c.Flush()
}

// mutual has two people see each other.
func (s *service) mutual(a, b im.Address) {
	s.t.Helper()
	for _, p := range [][2]im.Address{{a, b}, {b, a}} {
		if err := s.Watch(s.t.Context(), exchange.By{Who: p[0]}, p[1], ""); err != nil {
			s.t.Fatal(err)
		}
		if err := s.Admit(s.t.Context(), exchange.By{Who: p[0]}, p[1], ""); err != nil {
			s.t.Fatal(err)
		}
	}
}

func to(m *im.Message, slot string) *im.Message {
	m.Slot = slot
	return m
}

func onlyTo(m *im.Message, slot string) *im.Message {
	m.Slot, m.Only = slot, true
	return m
}

// RFC 6121 8.5.3.1, 8.5.3.2: a session that is named gets it alone, whatever its presence; one that
// is not there is as none.
func TestToOneSession(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		s.mutual(alice, romeo)
		orchard, silent, n := &client{prompt: true}, &client{prompt: true}, &client{}
		present(s.attach(romeo, "orchard", orchard), im.Presence{State: im.Available})
		s.attach(romeo, "balcony", silent)
		s.login(romeo, exchange.Rings, "MSN", n)
		hello := func(kind im.Kind) *im.Message { return message(alice, romeo, kind, "hello") }

		for _, kind := range []im.Kind{im.Words, im.Signal, im.Request} {
			m := to(hello(kind), "balcony")
			m.FromSlot, m.ID = "pda", s.MessageID()
			id := m.ID
			s.send(m).is(t, nil)
			got := only[*exchange.Message](t, silent)
			if got.ID != id || got.Message.ID != id || got.FromSlot != "pda" || got.Kept() || got.In != nil {
				t.Errorf("%+v came, sent was %d", got, id)
			}
		}
		s.send(onlyTo(hello(im.Words), "balcony")).is(t, nil)
		only[*exchange.Message](t, silent)
		if l := take[*exchange.Message](orchard); len(l) > 0 {
			t.Error("it came to the other one")
		}
		for _, slot := range []string{"", "tomb", "MSN"} {
			s.send(to(hello(im.Words), slot)).is(t, nil)
			s.send(to(hello(im.Signal), slot)).is(t, nil)
			if l := take[*exchange.Message](orchard); len(l) != 2 {
				t.Errorf("to %q: %d came", slot, len(l))
			}
			s.send(to(hello(im.Request), slot)).is(t, im.ErrAbsent)
			for _, kind := range []im.Kind{im.Words, im.Signal, im.Request} {
				want := im.ErrAbsent
				if kind == im.Signal {
					want = nil // it goes where somebody listens, or nowhere
				}
				s.send(onlyTo(hello(kind), slot)).is(t, want)
			}
		}
		if l := append(take[*exchange.Message](orchard), take[*exchange.Message](silent)...); len(l) > 0 {
			t.Errorf("%d came besides", len(l))
		}
		s.stored(romeo, 0)
	})
}

// TestOnlyComesBack: what is for one session alone is not stored when that dies with it.
func TestOnlyComesBack(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		r := &client{refuses: true}
		s.attach(romeo, "orchard", r)
		s.send(onlyTo(message(alice, romeo, im.Words, "hello"), "orchard")).is(t, im.ErrGone)
		s.stored(romeo, 0)
		s.send(to(message(alice, romeo, im.Words, "hello"), "orchard")).is(t, nil)
		s.stored(romeo, 1)
	})
}

// TestNamedSessionKeepsTheOrder: what waits comes first where it comes at all.
func TestNamedSessionKeepsTheOrder(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		s.send(message(alice, romeo, im.Words, "one")).is(t, nil)
		r := &client{}
		c := s.attach(romeo, "orchard", r)
		s.send(to(message(alice, romeo, im.Words, "two"), "orchard"))
		if m := only[*exchange.Message](t, r); words(m) != "two" || m.Kept() {
			t.Errorf("%q, kept: %t", words(m), m.Kept())
		} else {
			m.Done()
		}
		present(c, im.Presence{State: im.Available})
		m := only[*exchange.Message](t, r)
		if words(m) != "one" || !m.Kept() {
			t.Errorf("%q, kept: %t", words(m), m.Kept())
		}
		m.Return(im.ErrGone) // it waits again
		s.send(to(message(alice, romeo, im.Words, "three"), "orchard")).is(t, nil)
		l := take[*exchange.Message](r)
		if len(l) != 2 || words(l[0]) != "one" || words(l[1]) != "three" {
			t.Errorf("%d came", len(l))
		}
	})
}

// TestBlockedSessionsLookAbsent: who is denied cannot tell which sessions there are.
func TestBlockedSessionsLookAbsent(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		if err := s.Block(t.Context(), exchange.By{Who: romeo}, alice, "", false); err != nil {
			t.Fatal(err)
		}
		for range 2 { // nobody is there; then somebody is
			for _, kind := range []im.Kind{im.Signal, im.Request} {
				want := im.ErrAbsent
				if kind == im.Signal {
					want = nil
				}
				s.send(to(message(alice, romeo, kind, "?"), "orchard")).is(t, want)
				s.send(onlyTo(message(alice, romeo, kind, "?"), "orchard")).is(t, want)
			}
			s.send(onlyTo(message(alice, romeo, im.Words, "?"), "orchard")).is(t, im.ErrAbsent)
			r := &client{}
			defer func() {
				if l := take[*exchange.Message](r); len(l) > 0 {
					t.Error("it was heard")
				}
			}()
			s.attach(romeo, "orchard", r)
		}
	})
}

// notice is what a notice says of a session.
type notice struct {
	who             im.Address
	slot            string
	state           im.State
	initial, direct bool
}

func notices(c *client) (l []notice) {
	for _, p := range take[*exchange.Presence](c) {
		l = append(l, notice{p.Who, p.Slot, p.Session.State, p.Initial, p.Direct})
	}
	return l
}

func expect(t testing.TB, what string, c *client, want ...notice) {
	t.Helper()
	if l := notices(c); fmt.Sprint(l) != fmt.Sprint(want) {
		t.Errorf("%s: told %v, want %v", what, l, want)
	}
}

// RFC 6121 4.2.2, 4.4.2, 4.5.2: the sessions of an account are told of each other.
func TestOwnSessions(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		o, b, n, silent := &client{}, &client{}, &client{}, &client{}
		orchard := s.attach(romeo, "orchard", o)
		s.attach(romeo, "silent", silent)
		present(orchard, im.Presence{State: im.Available})
		expect(t, "its own", o, notice{romeo, "orchard", im.Available, false, false})
		s.login(romeo, exchange.Rings, "MSN", n)
		expect(t, "another", o, notice{romeo, "MSN", im.Available, false, false})
		balcony := s.attach(romeo, "balcony", b)
		expect(t, "before its presence", b)
		present(balcony, im.Presence{State: im.Away})
		expect(t, "first", b, notice{romeo, "balcony", im.Away, false, false},
			notice{romeo, "orchard", im.Available, true, false}, notice{romeo, "MSN", im.Available, true, false})
		expect(t, "the others", o, notice{romeo, "balcony", im.Away, false, false})

		present(balcony, im.Presence{State: im.Hidden})
		expect(t, "hidden", b)
		expect(t, "the others", o, notice{romeo, "balcony", im.Offline, false, false})
		present(orchard, im.Presence{State: im.Busy})
		expect(t, "hidden, of another", b, notice{romeo, "orchard", im.Busy, false, false})
		expect(t, "itself", o, notice{romeo, "orchard", im.Busy, false, false})
		present(balcony, im.Presence{State: im.Available})
		expect(t, "seen again", b, notice{romeo, "balcony", im.Available, false, false})
		take[*exchange.Presence](o)

		present(orchard, im.Presence{State: im.Offline, Status: "asleep"})
		for _, c := range []*client{o, b} {
			if p := only[*exchange.Presence](t, c); p.Slot != "orchard" || p.Session.State != im.Offline || p.Session.Status != "asleep" {
				t.Errorf("told %+v", p)
			}
		}
		present(orchard, im.Presence{State: im.Available})
		take[*exchange.Presence](o)
		take[*exchange.Presence](b)
		orchard.Detach()
		expect(t, "of one that ended", b, notice{romeo, "orchard", im.Offline, false, false})
		expect(t, "who has ended", o)
		expect(t, "who sent no presence", silent)
		expect(t, "who does not ask", n)
	})
}

// TestOwnIsToldOnce: also where the account lists itself.
func TestOwnIsToldOnce(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		if err := s.Watch(t.Context(), exchange.By{Who: romeo}, romeo, ""); err != nil {
			t.Fatal(err)
		}
		o, b := &client{}, &client{}
		orchard := s.attach(romeo, "orchard", o)
		present(orchard, im.Presence{State: im.Available})
		expect(t, "itself", o, notice{romeo, "orchard", im.Available, false, false})
		balcony := s.attach(romeo, "balcony", b)
		present(balcony, im.Presence{State: im.Available})
		expect(t, "both", b, notice{romeo, "balcony", im.Available, false, false}, notice{romeo, "orchard", im.Available, true, false})
		expect(t, "the other", o, notice{romeo, "balcony", im.Available, false, false})
		if err := s.Forget(t.Context(), exchange.By{Who: romeo}, romeo); err != nil {
			t.Fatal(err)
		}
		expect(t, "it lists itself no more", o)
		if err := s.Watch(t.Context(), exchange.By{Who: romeo}, romeo, ""); err != nil {
			t.Fatal(err)
		}
		expect(t, "and again", o)
	})
}

// TestOwnSessionsBelieveWhatIsTrue has sessions of one account change at the same time.
func TestOwnSessionsBelieveWhatIsTrue(t *testing.T) {
	s := serve(t, exchange.Config{})
	states := []im.State{im.Offline, im.Hidden, im.Available, im.Away, im.Busy}
	const n = 4
	var clients [n]*client
	var last [n]im.State
	var wg sync.WaitGroup
	for i := range n {
		clients[i] = &client{}
		c := s.attach(romeo, fmt.Sprint(i), clients[i])
		wg.Go(func() { // ends after so many
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for range 100 {
				last[i] = states[r.IntN(len(states))]
				present(c, im.Presence{State: last[i]})
				if last[i] == im.Offline { // from here on it is told nothing, and knows nothing
					clients[i].mu.Lock()
					clients[i].got = nil
					clients[i].mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	want := map[string]im.State{}
	for i, st := range last {
		if st.Visible() {
			want[fmt.Sprint(i)] = st
		}
	}
	for i, c := range clients {
		if last[i] == im.Offline {
			continue
		}
		believes := map[string]im.State{}
		for _, d := range c.got {
			p := d.(*exchange.Presence)
			if believes[p.Slot] = p.Session.State; !p.Session.State.Visible() {
				delete(believes, p.Slot)
			}
		}
		if last[i] == im.Hidden {
			delete(believes, fmt.Sprint(i)) // it is not told of itself
		}
		if !maps.Equal(believes, want) {
			t.Errorf("%d believes %v, not %v", i, believes, want)
		}
	}
}

// RFC 6121 4.5.2: those who see a session get its last words, and nothing of one that is hidden.
func TestLastWords(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		s.mutual(alice, romeo)
		a := &client{}
		present(s.attach(alice, "home", a), im.Presence{State: im.Available})
		orchard := s.attach(romeo, "orchard", &client{})
		native := im.Native{Door: "xmpp", Body: []byte("<presence/>")}
		take[*exchange.Presence](a)
		present(orchard, im.Presence{State: im.Available, Native: native})
		p := only[*exchange.Presence](t, a)
		if !p.Session.Native.Same(native) || p.Merged.Native.Door != "" || p.SlotKey() == p.Key() {
			t.Errorf("told %+v", p)
		}
		present(orchard, im.Presence{State: im.Available, Native: native})
		expect(t, "the same again", a)
		changed := im.Native{Door: "xmpp", Body: []byte("<presence> </presence>")}
		present(orchard, im.Presence{State: im.Available, Native: changed})
		if q := only[*exchange.Presence](t, a); q.Changed || !q.Session.Native.Same(changed) || q.SlotKey() != p.SlotKey() {
			t.Errorf("told %+v", q)
		}
		present(orchard, im.Presence{Native: native, Status: "bye"})
		if p := only[*exchange.Presence](t, a); !p.Session.Native.Same(native) || p.Session.Status != "bye" || p.Session.State != im.Offline || p.Merged.Status != "" {
			t.Errorf("told %+v", p)
		}
		present(orchard, im.Presence{State: im.Hidden, Native: native, Status: "secret"})
		present(orchard, im.Presence{Native: native, Status: "bye"})
		expect(t, "of a hidden one", a)
		present(orchard, im.Presence{State: im.Available})
		take[*exchange.Presence](a)
		present(orchard, im.Presence{State: im.Hidden, Native: native, Status: "secret"})
		if p := only[*exchange.Presence](t, a); p.Session.Native.Door != "" || p.Session.Status != "" || p.Session.State != im.Offline {
			t.Errorf("told %+v", p)
		}
	})
}

// XEP-0191 3.3: whom one blocks one does not see, where the session asks for that.
func TestInbound(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		s.mutual(alice, romeo)
		a, n := &client{}, &client{}
		home := s.attach(alice, "home", a)
		s.login(alice, exchange.Rings, "MSN", n)
		if err := s.Block(t.Context(), exchange.By{Who: alice}, romeo, "", false); err != nil {
			t.Fatal(err)
		}
		present(home, im.Presence{State: im.Available})
		take[*exchange.Presence](a)
		orchard := s.login(romeo, exchange.Direct, "orchard", &client{})
		expect(t, "who asks", a)
		expect(t, "who does not", n, notice{romeo, "orchard", im.Available, false, false})
		if err := orchard.Direct(t.Context(), alice, "home", im.Presence{State: im.Away}); err != nil {
			t.Fatal(err)
		}
		if found, err := home.Probe(t.Context(), romeo, ""); found || err != nil {
			t.Errorf("%t, %v", found, err)
		}
		present(home, im.Presence{})
		take[*exchange.Presence](a)
		present(home, im.Presence{State: im.Available})
		expect(t, "as found", a, notice{alice, "home", im.Available, false, false}, notice{alice, "MSN", im.Available, true, false})
	})
}

// RFC 6121 4.6.3: presence sent to somebody, and what follows from it.
func TestDirectedPresence(t *testing.T) {
	bubble(t, exchange.Config{Directed: 2}, func(t *testing.T, s *service) {
		h, w, n := &client{}, &client{}, &client{}
		present(s.attach(alice, "home", h), im.Presence{State: im.Available})
		s.attach(alice, "work", w) // sent no presence
		s.login(alice, exchange.Rings, "MSN", n)
		take[*exchange.Presence](h)
		orchard := s.attach(romeo, "orchard", &client{})
		direct := func(to im.Address, slot string, st im.State, want error) {
			t.Helper()
			if err := orchard.Direct(t.Context(), to, slot, im.Presence{State: st, Status: "psst"}); err != want {
				t.Errorf("to %s/%s: %v, want %v", to, slot, err, want)
			}
			orchard.Flush()
		}
		direct(alice, "", im.Available, nil)
		if p := only[*exchange.Presence](t, h); p.Who != romeo || p.Slot != "orchard" || p.Session.Status != "psst" || !p.Direct || p.Changed {
			t.Errorf("told %+v", p)
		}
		direct(alice, "work", im.Busy, nil)
		expect(t, "the one named", w, notice{romeo, "orchard", im.Busy, false, true})
		expect(t, "the other", h)
		direct(alice, "work", im.Away, nil)
		expect(t, "again", w, notice{romeo, "orchard", im.Away, false, true})
		direct(bob, "", im.Available, im.ErrListFull)
		direct(im.MustAddress("nobody@example.com"), "", im.Available, nil)
		direct(im.MustAddress("juliet@example.net"), "", im.Available, im.ErrUnknownUser)

		present(orchard, im.Presence{State: im.Available})
		expect(t, "of a broadcast", h)
		direct(alice, "work", im.Offline, nil)
		expect(t, "taken back", w, notice{romeo, "orchard", im.Offline, false, true})
		direct(alice, "work", im.Available, nil)
		take[*exchange.Presence](w)
		present(orchard, im.Presence{Status: "bye"})
		for _, c := range []*client{h, w} {
			if p := only[*exchange.Presence](t, c); !p.Direct || p.Session.State != im.Offline || p.Session.Status != "bye" {
				t.Errorf("told %+v", p)
			}
		}
		present(orchard, im.Presence{State: im.Available})
		present(orchard, im.Presence{})
		expect(t, "once told", h)
		direct(alice, "home", im.Available, nil)
		take[*exchange.Presence](h)
		orchard.Detach()
		expect(t, "when it ends", h, notice{romeo, "orchard", im.Offline, false, true})
		expect(t, "who cannot show it", n)

		orchard = s.attach(romeo, "orchard", &client{})
		direct(alice, "home", im.Available, nil)
		take[*exchange.Presence](h)
		s.attach(romeo, "orchard", &client{})
		expect(t, "when another takes its slot", h, notice{romeo, "orchard", im.Offline, false, true})
		direct(alice, "home", im.Available, nil)
		expect(t, "of one that ended", h)
	})
}

// TestDirectedToWhoSeesIt: they are told as always, once.
func TestDirectedToWhoSeesIt(t *testing.T) {
	bubble(t, exchange.Config{Directed: 1}, func(t *testing.T, s *service) {
		s.mutual(alice, romeo)
		h := &client{}
		present(s.attach(alice, "home", h), im.Presence{State: im.Available})
		orchard := s.attach(romeo, "orchard", &client{})
		present(orchard, im.Presence{State: im.Available})
		take[*exchange.Presence](h)
		for _, slot := range []string{"", "home"} {
			if err := orchard.Direct(t.Context(), alice, slot, im.Presence{State: im.Away}); err != nil {
				t.Fatal(err)
			}
			orchard.Flush()
			expect(t, "sent", h, notice{romeo, "orchard", im.Away, false, true})
		}
		present(orchard, im.Presence{})
		expect(t, "offline", h, notice{romeo, "orchard", im.Offline, false, false})
		if err := s.Block(t.Context(), exchange.By{Who: romeo}, alice, "", false); err != nil {
			t.Fatal(err)
		}
		if err := orchard.Direct(t.Context(), alice, "", im.Presence{State: im.Away}); err != im.ErrOwnBlock {
			t.Errorf("to one who is blocked: %v", err)
		}
	})
}

// RFC 6121 4.3.2, 4.6.6: who may see is told what there is.
func TestProbe(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		s.mutual(alice, romeo)
		h, o := &client{}, &client{}
		home := s.attach(alice, "home", h)
		orchard := s.attach(romeo, "orchard", o)
		balcony := s.attach(romeo, "balcony", &client{})
		hidden := s.attach(romeo, "hidden", &client{})
		probe := func(c *exchange.Client, who im.Address, slot string, want bool) {
			t.Helper()
			if found, err := c.Probe(t.Context(), who, slot); found != want || err != nil {
				t.Errorf("%s/%s: %t, %v", who, slot, found, err)
			}
			c.Flush()
		}
		probe(home, romeo, "", false)
		probe(home, im.MustAddress("nobody@example.com"), "", false)
		if _, err := home.Probe(t.Context(), im.MustAddress("juliet@example.net"), ""); err != im.ErrUnknownUser {
			t.Errorf("of a domain without a way: %v", err)
		}
		present(hidden, im.Presence{State: im.Hidden})
		probe(home, romeo, "", false)
		probe(home, romeo, "hidden", false)
		present(orchard, im.Presence{State: im.Available})
		present(balcony, im.Presence{State: im.Busy})
		take[*exchange.Presence](o)
		expect(t, "nothing yet", h)
		probe(home, romeo, "", true)
		expect(t, "both", h, notice{romeo, "orchard", im.Available, true, false}, notice{romeo, "balcony", im.Busy, true, false})
		probe(home, romeo, "balcony", true)
		expect(t, "one", h, notice{romeo, "balcony", im.Busy, true, false})
		probe(home, romeo, "tomb", false)
		probe(orchard, romeo, "balcony", true)
		expect(t, "one's own", o, notice{romeo, "balcony", im.Busy, true, false})

		b := &client{}
		other := s.attach(bob, "home", b)
		probe(other, romeo, "", false)
		if err := orchard.Direct(t.Context(), bob, "home", im.Presence{State: im.Away, Status: "psst"}); err != nil {
			t.Fatal(err)
		}
		orchard.Flush()
		take[*exchange.Presence](b)
		probe(other, romeo, "", false)
		probe(other, romeo, "balcony", false)
		probe(other, romeo, "orchard", true)
		expect(t, "that it is there", b, notice{romeo, "orchard", im.Available, true, true})
		present(orchard, im.Presence{})
		take[*exchange.Presence](b)
		probe(other, romeo, "orchard", false)
		expect(t, "nothing more", b)
	})
}

// XEP-0016 2.1, 2.9: each session is judged by the list it uses, a sender by theirs.
func TestMessagesByTheRulesOfEachSession(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		put := func(who im.Address, name string, rules ...im.Rule) {
			t.Helper()
			for i := range rules {
				rules[i].Order = int64(i + 1)
			}
			if err := s.PutRules(t.Context(), exchange.By{Who: who}, im.RuleList{Name: name, Rules: rules}); err != nil {
				t.Fatal(err)
			}
		}
		put(romeo, "quiet", im.Rule{By: im.ByAddress, Value: alice.String(), What: im.Messages})
		put(romeo, "choosy", im.Rule{By: im.BySession, Value: alice.String() + "/pda", What: im.Everything})
		put(alice, "sulk", im.Rule{By: im.ByAddress, Value: romeo.String(), What: im.Everything})
		o, b := &client{prompt: true}, &client{prompt: true}
		orchard, balcony := s.attach(romeo, "orchard", o), s.attach(romeo, "balcony", b)
		present(orchard, im.Presence{State: im.Available})
		present(balcony, im.Presence{State: im.Available})
		hear := func(what string, m *im.Message, want error, inOrchard, onBalcony int) {
			t.Helper()
			s.send(m).is(t, want)
			if l, k := take[*exchange.Message](o), take[*exchange.Message](b); len(l) != inOrchard || len(k) != onBalcony {
				t.Errorf("%s: %d and %d came", what, len(l), len(k))
			}
			s.stored(romeo, 0)
		}
		hello := func(kind im.Kind, from string) *im.Message {
			m := message(alice, romeo, kind, "hello")
			m.FromSlot = from
			return m
		}
		if err := orchard.UseRules("quiet"); err != nil {
			t.Fatal(err)
		}
		hear("to all", hello(im.Words, "pda"), nil, 0, 1)
		hear("to the one that denies it", to(hello(im.Words, "pda"), "orchard"), nil, 0, 0)
		hear("to that alone", onlyTo(hello(im.Words, "pda"), "orchard"), im.ErrAbsent, 0, 0)
		hear("a query, from who does not see it", to(hello(im.Request, "pda"), "orchard"), im.ErrAbsent, 0, 0)
		s.mutual(alice, romeo)
		take[*exchange.Presence](o)
		hear("a query, which it does not deny", to(hello(im.Request, "pda"), "orchard"), nil, 1, 0)
		balcony.Detach()
		hear("when nobody takes it", hello(im.Words, "pda"), nil, 0, 0)

		if err := orchard.UseRules(""); err != nil {
			t.Fatal(err)
		}
		if err := s.DefaultRules(t.Context(), exchange.By{Who: romeo, Client: orchard}, "choosy"); err != nil {
			t.Fatal(err)
		}
		hear("from one that is denied", hello(im.Words, "pda"), nil, 0, 0)
		hear("a query", to(hello(im.Request, "pda"), "orchard"), im.ErrAbsent, 0, 0)
		hear("from another", hello(im.Words, "home"), nil, 1, 0)

		home := s.attach(alice, "home", &client{})
		if err := home.UseRules("sulk"); err != nil {
			t.Fatal(err)
		}
		hear("against one's own rules", hello(im.Words, "home"), im.ErrOwnBlock, 0, 0)
		hear("from a session with others", hello(im.Words, "work"), nil, 1, 0)
		if err := home.Direct(t.Context(), romeo, "", im.Presence{State: im.Available}); err != im.ErrOwnBlock {
			t.Errorf("presence: %v", err)
		}
	})
}

// XEP-0016 2.11: presence that one's own rules keep back goes nowhere, without a word.
func TestDirectedPresenceKeptBack(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		if err := s.PutRules(t.Context(), exchange.By{Who: romeo}, im.RuleList{Name: "shy",
			Rules: []im.Rule{{Order: 1, By: im.Everybody, What: im.PresenceOut}}}); err != nil {
			t.Fatal(err)
		}
		a := &client{}
		present(s.attach(alice, "home", a), im.Presence{State: im.Available})
		take[*exchange.Presence](a)
		orchard := s.attach(romeo, "orchard", &client{})
		if err := orchard.UseRules("shy"); err != nil {
			t.Fatal(err)
		}
		if err := orchard.Direct(t.Context(), alice, "", im.Presence{State: im.Available}); err != nil {
			t.Error(err)
		}
		orchard.Detach()
		expect(t, "nothing", a)
	})
}
