package exchange_test

import (
	"errors"
	"testing"
	"time"

	"parley/exchange"
	"parley/im"
)

var (
	juliet = im.MustAddress("juliet@capulet.example")
	nurse  = im.MustAddress("nurse@capulet.example")
)

// capulet is a peer that remembers what it is handed for each of its users.
type capulet struct {
	users map[im.Address]*client
	acts  map[im.Address]*exchange.Client
}

func (p *capulet) Stand(who im.Address, c *exchange.Client) (exchange.Session, exchange.Login) {
	if p.users == nil {
		p.users, p.acts = map[im.Address]*client{}, map[im.Address]*exchange.Client{}
	}
	p.users[who], p.acts[who] = &client{prompt: true}, c
	return p.users[who], exchange.Login{Door: "far", Slot: "far"}
}

// user is somebody of the peer's.
func (s *service) user(p *capulet, who im.Address) (*exchange.Client, *client) {
	s.t.Helper()
	c, err := s.Stand(s.t.Context(), who)
	if err != nil {
		s.t.Fatal(err)
	}
	return c, p.users[who]
}

func (s *service) peer() *capulet {
	s.t.Helper()
	p := &capulet{}
	if _, err := s.AddPeer("capulet.example", p); err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *service) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Whom a peer serves can be asked, answers, and is seen, as any other; what is for them comes to the session that stands
// for them.
func TestPeerWatched(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx, p := t.Context(), s.peer()
		r := &client{prompt: true}
		romeos := s.login(romeo, exchange.Direct, "orchard", r)
		s.must(s.Ask(ctx, exchange.By{Who: romeo, Client: romeos}, juliet, im.Wish{Text: im.NewText("may I?")}))
		js := p.users[juliet]
		if js == nil {
			t.Fatal("nobody stands for juliet")
		}
		if c := only[*exchange.Change](t, js); c.Request == nil || c.Request.Text.Reveal() != "may I?" || c.Who != romeo || c.After.Watched != im.WatchAsked {
			t.Errorf("%+v", c)
		}
		s.must(s.Ask(ctx, exchange.By{Who: romeo, Client: romeos}, juliet, im.Wish{}))
		if c := only[*exchange.Change](t, js); c.Request == nil {
			t.Error("juliet is not asked again")
		}
		j, _ := s.user(p, juliet)
		j.SetPresence(im.Presence{State: im.Busy, Status: "at the balcony"}, nil)
		j.Flush()
		if l := take[*exchange.Presence](r); len(l) != 0 {
			t.Errorf("romeo sees %v before she answers", l)
		}
		s.must(s.Answer(ctx, exchange.By{Who: juliet}, romeo))
		if n := only[*exchange.Presence](t, r); n.Who != juliet || n.Session.State != im.Busy || n.Slot != "far" {
			t.Errorf("%+v", n)
		}
		take[*exchange.Change](js)
		j.SetPresence(im.Presence{}, nil)
		j.Flush()
		if n := only[*exchange.Presence](t, r); n.Session.State != im.Offline {
			t.Errorf("%+v", n)
		}
		s.must(s.RemoveItem(ctx, exchange.By{Who: romeo, Client: romeos}, juliet))
		if c := only[*exchange.Change](t, js); c.After.Watched != im.WatchNone || c.Before.Watched != im.WatchGranted {
			t.Errorf("juliet's peer is told %+v", c)
		}
	})
}

// Who watches from a peer's domain is told of presence whatever their own is, and of what ends it.
func TestPeerWatches(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx, p := t.Context(), s.peer()
		r := &client{prompt: true}
		romeos, err := s.Attach(ctx, romeo, exchange.Login{Door: "xmpp", Slot: "orchard", Abilities: exchange.Direct, Presence: im.DefaultAsk}, r)
		s.must(err)
		romeos.SetPresence(im.Presence{State: im.Available}, nil)
		s.must(s.Ask(ctx, exchange.By{Who: juliet}, romeo, im.Wish{Text: im.NewText("wherefore?")}))
		if c := only[*exchange.Change](t, r); c.Request == nil || c.Request.From != juliet {
			t.Errorf("%+v", c)
		}
		j, js := s.user(p, juliet)
		take[*exchange.Change](js)
		s.must(s.Answer(ctx, exchange.By{Who: romeo, Client: romeos}, juliet))
		if c := only[*exchange.Change](t, js); !c.After.Sees {
			t.Errorf("%+v", c)
		}
		if n := only[*exchange.Presence](t, js); n.Who != romeo || n.Session.State != im.Available {
			t.Errorf("%+v", n)
		}
		romeos.SetPresence(im.Presence{State: im.Away}, nil)
		romeos.Flush()
		if n := only[*exchange.Presence](t, js); n.Session.State != im.Away {
			t.Errorf("%+v", n)
		}
		if found, err := j.Probe(ctx, romeo, ""); err != nil || !found {
			t.Errorf("%v, %v", found, err)
		}
		j.Flush()
		only[*exchange.Presence](t, js)
		s.must(s.Refuse(ctx, exchange.By{Who: romeo, Client: romeos}, juliet))
		if n := only[*exchange.Presence](t, js); n.Session.State != im.Offline {
			t.Errorf("%+v", n)
		}
		if c := only[*exchange.Change](t, js); c.After.Sees {
			t.Errorf("%+v", c)
		}
	})
}

// Words for a peer's users are stored while it takes none, and given to it in order when it does; what it refuses is lost,
// and its sender is told, now or later.
func TestPeerMessages(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		p := s.peer()
		r := &client{prompt: true}
		s.login(romeo, exchange.Direct, "orchard", r)
		s.send(message(romeo, juliet, im.Words, "one")).is(t, nil)
		two := message(romeo, juliet, im.Words, "two")
		two.Native.Door = "xmpp" // his session's
		s.send(two).is(t, nil)
		s.stored(juliet, 2)
		j, js := s.user(p, juliet)
		js.prompt = false
		j.SetDeaf(false)
		l := take[*exchange.Message](js)
		if len(l) != 2 || words(l[0]) != "one" || words(l[1]) != "two" {
			t.Fatalf("%d came", len(l))
		}
		v := s.send(message(romeo, juliet, im.Words, "three"))
		third := only[*exchange.Message](t, js)
		l[0].Done()
		l[1].Refuse(im.ErrUnknownUser)
		third.Refuse(im.ErrAbsent)
		v.is(t, im.ErrAbsent)
		s.stored(juliet, 0)
		if d := only[*exchange.Report](t, r); d.Why != im.ErrUnknownUser || string(d.Of.Native.Body) != "two" {
			t.Errorf("romeo is told %v of %q", d.Why, d.Of.Native.Body)
		}
		v = s.send(message(romeo, juliet, im.Words, "four"))
		j.SetDeaf(true)
		only[*exchange.Message](t, js).Return(im.ErrGone)
		v.is(t, nil)
		s.stored(juliet, 1)
		s.send(message(juliet, romeo, im.Words, "hear me")).is(t, nil)
		if m := only[*exchange.Message](t, r); m.From != juliet {
			t.Errorf("from %s", m.From)
		}
	})
}

// What the peer takes in no time is lost, and its sender is told.
func TestPeerMessagesExpire(t *testing.T) {
	bubble(t, exchange.Config{PeerAge: 2 * time.Hour}, func(t *testing.T, s *service) {
		s.peer()
		r := &client{prompt: true}
		s.login(romeo, exchange.Direct, "orchard", r)
		m := message(romeo, juliet, im.Words, "in vain")
		m.Native.Door = "xmpp"
		s.send(m).is(t, nil)
		s.stored(juliet, 1)
		pass(3*time.Hour + time.Minute)
		s.stored(juliet, 0)
		if d := only[*exchange.Report](t, r); d.Why != im.ErrAbsent || d.Of.To != juliet {
			t.Errorf("romeo is told %v", d.Why)
		}
	})
}

// Whoever is not in memory is found again, with what concerns them: after a crash, or when nobody stood for them.
func TestPeerStandAll(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx, p := t.Context(), s.peer()
		romeos := s.login(romeo, exchange.Direct, "orchard", &client{prompt: true})
		s.must(s.Ask(ctx, exchange.By{Who: romeo, Client: romeos}, juliet, im.Wish{}))
		s.send(message(romeo, nurse, im.Words, "tell her")).is(t, nil)
		for _, c := range p.acts {
			c.Detach()
		}
		clear(p.users)
		s.must(s.StandAll(ctx, "capulet.example"))
		if len(p.users) != 2 {
			t.Fatalf("%d stand", len(p.users))
		}
		s.must(s.Unwatch(ctx, exchange.By{Who: romeo, Client: romeos}, juliet))
		only[*exchange.Change](t, p.users[juliet])
		p.acts[nurse].SetDeaf(false)
		only[*exchange.Message](t, p.users[nurse])
		pass(time.Second)
		s.stored(nurse, 0)
	})
}

// What no peer serves there is no way to, and nobody of a peer's logs in here.
func TestPeerBounds(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		by := exchange.By{Who: romeo}
		if err := s.Ask(ctx, by, juliet, im.Wish{}); !errors.Is(err, im.ErrUnknownUser) {
			t.Error(err)
		}
		remove, err := s.AddPeer("capulet.example", &capulet{})
		s.must(err)
		if _, err := s.AddPeer("capulet.example", &capulet{}); !errors.Is(err, im.ErrAlready) {
			t.Error(err)
		}
		if _, err := s.AddPeer("example.com", &capulet{}); !errors.Is(err, im.ErrAlready) {
			t.Error(err)
		}
		if _, err := s.Attach(ctx, juliet, exchange.Login{Slot: "x"}, &client{}); !errors.Is(err, im.ErrUnknownUser) {
			t.Error(err)
		}
		if _, err := s.Identify(ctx, juliet); !errors.Is(err, im.ErrUnknownUser) {
			t.Error(err)
		}
		if _, err := s.Stand(ctx, romeo); !errors.Is(err, im.ErrUnknownUser) {
			t.Error(err)
		}
		s.must(s.Ask(ctx, by, juliet, im.Wish{}))
		remove()
		if err := s.Ask(ctx, by, nurse, im.Wish{}); !errors.Is(err, im.ErrUnknownUser) {
			t.Error(err)
		}
		s.send(message(romeo, juliet, im.Words, "gone")).is(t, im.ErrAbsent)
	})
}
