package exchange_test

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/bus"
	"parley/exchange"
	"parley/im"
	"parley/store"
)

var (
	alice = im.MustAddress("alice@example.com")
	bob   = im.MustAddress("bob@example.com")
	carol = im.MustAddress("carol@example.com")
	romeo = im.MustAddress("romeo@example.com")
)

// service is an exchange with four people and one place to talk.
type service struct {
	*exchange.Exchange
	t     testing.TB
	place *exchange.Place
	store *store.Store
	end   func()

	removePlace func()
}

func serve(t testing.TB, cfg exchange.Config) *service {
	st, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "parley.db")})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Domains = []string{"example.com"}
	x, err := exchange.New(cfg, st, bus.NewLocal())
	if err != nil {
		t.Fatal(err)
	}
	s := &service{Exchange: x, t: t, store: st, end: sync.OnceFunc(x.Close),
		place: &exchange.Place{ID: "p", Door: "msnp", Address: "192.0.2.1:1863", Load: func() int { return 0 }}}
	t.Cleanup(func() {
		s.end()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	s.removePlace = x.AddPlace(s.place)
	for _, who := range []im.Address{alice, bob, carol, romeo} {
		if err := x.CreateAccount(t.Context(), im.Account{Address: who}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// client is a session or a seat that remembers what it is handed. What it does with
// messages: settles them when flushed (prompt), returns them at once (refuses), or leaves them to the test.
type client struct {
	prompt, refuses bool

	mu    sync.Mutex // guards what follows
	got   []exchange.Delivery
	due   []*exchange.Message
	ended exchange.EndReason
	over  bool
}

func (c *client) Hand(d exchange.Delivery) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, d)
	m, ok := d.(*exchange.Message)
	switch {
	case ok && c.refuses:
		m.Return(im.ErrGone)
	case ok && c.prompt:
		c.due = append(c.due, m)
	}
	return true
}

func (c *client) Flush() {
	c.mu.Lock()
	due := c.due
	c.due = nil
	c.mu.Unlock()
	for _, m := range due {
		m.Done()
	}
}

func (c *client) End(why exchange.EndReason) {
	c.mu.Lock()
	c.ended, c.over = why, true
	c.mu.Unlock()
}

// take gives what came of a kind since it was last asked for.
func take[D exchange.Delivery](c *client) (l []D) {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = slices.DeleteFunc(c.got, func(d exchange.Delivery) bool {
		v, ok := d.(D)
		if ok {
			l = append(l, v)
		}
		return ok
	})
	return l
}

// only gives the one thing of a kind that came.
func only[D exchange.Delivery](t testing.TB, c *client) D {
	t.Helper()
	l := take[D](c)
	if len(l) != 1 {
		t.Fatalf("%d of %T came, want one", len(l), *new(D))
	}
	return l[0]
}

// login attaches a session that others see.
func (s *service) login(who im.Address, can exchange.Ability, slot string, c exchange.Session) *exchange.Client {
	s.t.Helper()
	door := "xmpp"
	if can&exchange.Rings != 0 {
		door = "msnp"
	}
	l, err := s.Attach(s.t.Context(), who, exchange.Login{Door: door, Slot: slot, Abilities: can, Presence: im.DefaultAllow}, c)
	if err != nil {
		s.t.Fatal(err)
	}
	l.SetPresence(im.Presence{State: im.Available}, nil)
	l.Flush()
	return l
}

func (s *service) open(who im.Address, c exchange.Session) *exchange.Seat {
	s.t.Helper()
	seat, err := s.Open(s.t.Context(), s.place, who, c)
	if err != nil {
		s.t.Fatal(err)
	}
	return seat
}

// join answers a ring.
func (s *service) join(r *exchange.Ring, who im.Address, c exchange.Session) *exchange.Seat {
	s.t.Helper()
	seat, _, err := s.Join(s.place, r.Conversation, who, c)
	if err != nil {
		s.t.Fatal(err)
	}
	seat.Ready()
	return seat
}

func message(from, to im.Address, kind im.Kind, text string) *im.Message {
	return &im.Message{From: from, To: to, Time: time.Now(), Kind: kind, Native: im.Native{Door: "test", Body: []byte(text)},
		Neutralise: func() im.Neutral { return im.Neutral{Text: im.NewText(text)} }}
}

// verdict collects what became of a message.
type verdict struct {
	mu sync.Mutex
	l  []error
}

func (v *verdict) done(err error) {
	v.mu.Lock()
	v.l = append(v.l, err)
	v.mu.Unlock()
}

func (v *verdict) is(t testing.TB, want ...error) {
	t.Helper()
	synctest.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	if !slices.Equal(v.l, want) {
		t.Errorf("the sender was told %v, want %v", v.l, want)
	}
}

func (s *service) send(m *im.Message) *verdict {
	var b exchange.Batch
	v := &verdict{}
	s.Send(s.t.Context(), &b, m, v.done)
	b.Flush()
	return v
}

func (s *service) say(seat *exchange.Seat, m *im.Message) *verdict {
	v := &verdict{}
	seat.Say(s.t.Context(), m, v.done)
	seat.Flush()
	return v
}

func (s *service) stored(who im.Address, want int) {
	s.t.Helper()
	synctest.Wait()
	n := 0
	if err := s.store.View(context.Background(), "test", func(tx *store.Tx) (err error) {
		n, _, err = tx.CountWaiting(who)
		return err
	}); err != nil || n != want {
		s.t.Errorf("%d messages wait for %s (%v), want %d", n, who, err, want)
	}
}

func words(m *exchange.Message) string { return m.Neutral().Text.Reveal() }

// bubble runs a test where time is simulated.
func bubble(t *testing.T, cfg exchange.Config, f func(t *testing.T, s *service)) {
	synctest.Test(t, func(t *testing.T) { f(t, serve(t, cfg)) })
}

// pass lets time pass, in a bubble.
func pass(d time.Duration) { time.Sleep(d) }

func TestDirectIsInAtOnce(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		a, r := &client{prompt: true}, &client{prompt: true}
		s.login(alice, exchange.Rings, "msnp", &client{})
		s.login(romeo, exchange.Direct, "orchard", r)
		seat := s.open(alice, a)
		rang := false
		if err := seat.Call(t.Context(), romeo, func() { rang = len(a.got) == 0 }); err != nil || !rang {
			t.Fatalf("%v, %v", err, rang)
		}
		if j := only[*exchange.Joined](t, a); j.Who != romeo {
			t.Errorf("%s joined", j.Who)
		}
		s.say(seat, message(alice, im.Address{}, im.Words, "wherefore?")).is(t, nil)
		if m := only[*exchange.Message](t, r); words(m) != "wherefore?" {
			t.Errorf("%q", words(m))
		}
		s.say(seat, message(alice, im.Address{}, im.Signal, "")).is(t, nil)
		only[*exchange.Message](t, r)
		s.send(message(romeo, alice, im.Words, "by love")).is(t, nil)
		if m := only[*exchange.Message](t, a); words(m) != "by love" {
			t.Errorf("%q", words(m))
		}
		s.stored(romeo, 0)
		s.stored(alice, 0)
		seat.Leave()
	})
}

// TestWhoIsNotDirectIsRung: a message to somebody who takes a seat first.
func TestWhoIsNotDirectIsRung(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		n, a := &client{}, &client{prompt: true}
		s.login(alice, exchange.Rings, "msnp", n)
		r := &client{prompt: true}
		s.login(romeo, exchange.Direct, "orchard", r)
		s.send(message(romeo, alice, im.Words, "one")).is(t, nil)
		s.send(message(romeo, alice, im.Words, "two")).is(t, nil)
		s.stored(alice, 2)
		ring := only[*exchange.Ring](t, n)
		seat, there, err := s.Join(s.place, ring.Conversation, alice, a)
		if err != nil || len(there) != 1 || there[0].Who != romeo {
			t.Fatalf("%v, %v", there, err)
		}
		seat.Ready()
		if l := take[*exchange.Message](a); len(l) != 2 || words(l[0]) != "one" || words(l[1]) != "two" {
			t.Errorf("%d messages", len(l))
		}
		s.stored(alice, 0)
		s.say(seat, message(alice, im.Address{}, im.Words, "answer")).is(t, nil)
		if m := only[*exchange.Message](t, r); words(m) != "answer" {
			t.Errorf("%q", words(m))
		}
		seat.Leave()
	})
}

func TestCopies(t *testing.T) {
	for _, c := range []struct {
		name   string
		settle func(one, two *exchange.Message)
		stored int
	}{
		{"the first is done", func(one, two *exchange.Message) { one.Done(); two.Return(im.ErrGone) }, 0},
		{"the second is done", func(one, two *exchange.Message) { one.Return(im.ErrGone); two.Done() }, 0},
		{"both are done", func(one, two *exchange.Message) { one.Done(); two.Done() }, 0},
		{"both are returned", func(one, two *exchange.Message) { one.Return(im.ErrGone); two.Return(im.ErrGone) }, 1},
		{"one is settled twice", func(one, two *exchange.Message) { one.Return(im.ErrGone); one.Return(im.ErrGone); two.Done() }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
				one, two := &client{}, &client{}
				first := s.login(romeo, exchange.Direct, "one", one)
				second := s.login(romeo, exchange.Direct, "two", two)
				v := s.send(message(alice, romeo, im.Words, "hello"))
				v.is(t)
				m, n := only[*exchange.Message](t, one), only[*exchange.Message](t, two)
				if m.ID != n.ID {
					t.Errorf("two ids: %d, %d", m.ID, n.ID)
				}
				first.Detach()
				second.Detach()
				c.settle(m, n)
				v.is(t, nil)
				s.stored(romeo, c.stored)
			})
		})
	}
}

// TestARingUnderWayGetsItToo: somebody who is there at once elsewhere finds at the seat, too, what was said
// while it rang.
func TestARingUnderWayGetsItToo(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		a, r, n, at := &client{prompt: true}, &client{prompt: true}, &client{}, &client{prompt: true}
		s.login(romeo, exchange.Direct, "orchard", r)
		s.login(romeo, exchange.Rings, "msnp", n)
		seat := s.open(alice, a)
		if err := seat.Call(t.Context(), romeo, func() {}); err != nil {
			t.Fatal(err)
		}
		only[*exchange.Joined](t, a)
		ring := only[*exchange.Ring](t, n)
		s.say(seat, message(alice, im.Address{}, im.Words, "one")).is(t, nil)
		only[*exchange.Message](t, r)
		s.stored(romeo, 0)
		his := s.join(ring, romeo, at)
		if m := only[*exchange.Message](t, at); words(m) != "one" {
			t.Errorf("%q", words(m))
		}
		if l := take[*exchange.Joined](a); len(l) != 0 {
			t.Error("joined twice")
		}
		s.say(seat, message(alice, im.Address{}, im.Words, "two")).is(t, nil)
		only[*exchange.Message](t, r)
		only[*exchange.Message](t, at)
		his.Leave()
		if l := take[*exchange.Left](a); len(l) != 0 {
			t.Error("left, but for the other session")
		}
		seat.Leave()
	})
}

func TestReturnedWordsAreOfferedAgain(t *testing.T) {
	bubble(t, exchange.Config{RingAgain: time.Minute}, func(t *testing.T, s *service) {
		n, a, b := &client{}, &client{}, &client{}
		s.login(bob, exchange.Rings, "msnp", n)
		seat := s.open(alice, a)
		if err := seat.Call(t.Context(), bob, nil); err != nil {
			t.Fatal(err)
		}
		first := s.join(only[*exchange.Ring](t, n), bob, b)
		v := s.say(seat, message(alice, im.Address{}, im.Words, "one"))
		m := only[*exchange.Message](t, b)
		v.is(t)
		first.Leave() // the connection died
		m.Return(im.ErrGone)
		v.is(t, nil)
		s.stored(bob, 1)
		for range 3 { // and dies again before it is done
			c := &client{}
			again := s.join(only[*exchange.Ring](t, n), bob, c)
			if k := only[*exchange.Message](t, c); k.ID != m.ID || words(k) != "one" {
				t.Errorf("offered again as %d, it was %d", k.ID, m.ID)
			} else {
				again.Leave()
				k.Return(im.ErrGone)
			}
			s.stored(bob, 1)
			time.Sleep(time.Minute)
		}
		c := &client{prompt: true}
		last := s.join(only[*exchange.Ring](t, n), bob, c)
		s.stored(bob, 0)
		v.is(t, nil)
		last.Leave()
		time.Sleep(time.Hour)
		if l := take[*exchange.Ring](n); len(l) != 0 {
			t.Error("rung for what was heard")
		}
	})
}

// TestEachReceiverHasTheirOwn: what two receivers returned is stored for both.
func TestEachReceiverHasTheirOwn(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		n, k := &client{}, &client{}
		one, two := s.login(bob, exchange.Rings, "msnp", n), s.login(carol, exchange.Rings, "msnp", k)
		seat := s.open(alice, &client{})
		for _, who := range []im.Address{bob, carol} {
			if err := seat.Call(t.Context(), who, nil); err != nil {
				t.Fatal(err)
			}
		}
		s.join(only[*exchange.Ring](t, n), bob, &client{refuses: true})
		s.join(only[*exchange.Ring](t, k), carol, &client{refuses: true})
		one.Detach()
		two.Detach()
		s.say(seat, message(alice, im.Address{}, im.Words, "hello both")).is(t, nil)
		s.stored(bob, 1)
		s.stored(carol, 1)
	})
}

func TestSignalsGoNowhereWhenNobodyListens(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		n := &client{}
		s.login(bob, exchange.Rings, "msnp", n)
		s.send(message(alice, bob, im.Signal, "")).is(t, nil)
		s.send(message(alice, carol, im.Signal, "")).is(t, nil)
		if l := take[*exchange.Ring](n); len(l) != 0 {
			t.Error("rung for a signal")
		}
		s.stored(bob, 0)
		s.stored(carol, 0)
		seat := s.open(alice, &client{})
		if err := seat.Call(t.Context(), bob, nil); err != nil {
			t.Fatal(err)
		}
		s.say(seat, message(alice, im.Address{}, im.Signal, "")).is(t, nil)
		c := &client{}
		s.join(only[*exchange.Ring](t, n), bob, c)
		if l := take[*exchange.Message](c); len(l) != 0 {
			t.Error("a signal waited")
		}
		seat.Leave()
	})
}

// TestBlockedLooksAbsent: whatever is sent on whatever way, who is denied is told what they
// would be told of somebody who is not there.
func TestBlockedLooksAbsent(t *testing.T) {
	kinds := []im.Kind{im.Words, im.Signal, im.Request}
	for _, store := range []string{"stored", "not stored", "full"} {
		for _, way := range []string{"send", "say", "call"} {
			t.Run(store+"/"+way, func(t *testing.T) {
				told := map[bool][]error{}
				for _, blocked := range []bool{false, true} {
					bubble(t, exchange.Config{NotStored: store == "not stored", Waiting: 1}, func(t *testing.T, s *service) {
						if store == "full" {
							s.send(message(carol, romeo, im.Words, "waits")).is(t, nil)
						}
						r := &client{}
						there := s.login(romeo, exchange.Direct, "orchard", r)
						seat := s.open(alice, &client{})
						if way == "say" {
							if err := seat.Call(t.Context(), romeo, nil); err != nil {
								t.Fatal(err)
							}
						}
						if blocked {
							if err := s.Block(t.Context(), exchange.By{Who: romeo}, alice, "", false); err != nil {
								t.Fatal(err)
							}
						} else if way == "say" {
							there.SetPresence(im.Presence{}, nil) // whose session ends leaves
						} else {
							there.Detach()
						}
						take[*exchange.Message](r)
						for _, kind := range kinds {
							v, m := &verdict{}, message(alice, romeo, kind, "hello")
							switch way {
							case "send":
								v = s.send(m)
							case "say":
								v = s.say(seat, m)
							case "call":
								v.done(seat.Call(t.Context(), romeo, func() { t.Error("it rings") }))
							}
							synctest.Wait()
							if len(v.l) != 1 {
								t.Errorf("told %v", v.l)
							}
							told[blocked] = append(told[blocked], v.l...)
						}
						if l := take[*exchange.Message](r); len(l) > 0 {
							t.Error("it was heard")
						}
						seat.Leave()
					})
				}
				if !slices.Equal(told[true], told[false]) {
					t.Errorf("blocked: %v, absent: %v", told[true], told[false])
				}
			})
		}
	}
}

// TestOwnBlockIsTold: what one's own rules forbid.
func TestOwnBlockIsTold(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		r := &client{}
		s.login(alice, exchange.Rings, "msnp", &client{})
		s.login(romeo, exchange.Direct, "orchard", r)
		seat := s.open(alice, &client{})
		if err := seat.Call(t.Context(), romeo, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Block(t.Context(), exchange.By{Who: alice}, romeo, "", false); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []im.Kind{im.Words, im.Signal, im.Request} {
			s.say(seat, message(alice, im.Address{}, kind, "hello")).is(t, im.ErrOwnBlock)
			s.send(message(alice, romeo, kind, "hello")).is(t, im.ErrOwnBlock)
		}
		if l := take[*exchange.Message](r); len(l) > 0 {
			t.Error("it was heard")
		}
		seat.Leave()
	})
}
