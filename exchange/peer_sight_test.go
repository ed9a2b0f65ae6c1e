package exchange_test

import (
	"testing"

	"parley/exchange"
	"parley/im"
)

// A peer may tell some that its user is there, and others not: SSP 11.3.4.
func TestPeerShows(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx, p := t.Context(), s.peer()
		r, a := &client{prompt: true}, &client{prompt: true}
		romeos, alices := s.login(romeo, exchange.Direct, "orchard", r), s.login(alice, exchange.Direct, "home", a)
		s.must(s.Ask(ctx, exchange.By{Who: romeo, Client: romeos}, juliet, im.Wish{}))
		s.must(s.Ask(ctx, exchange.By{Who: alice, Client: alices}, juliet, im.Wish{}))
		s.must(s.Answer(ctx, exchange.By{Who: juliet}, romeo))
		s.must(s.Answer(ctx, exchange.By{Who: juliet}, alice))
		j, _ := s.user(p, juliet)
		is := func(state im.State) {
			j.SetPresence(im.Presence{State: state}, nil)
			j.Flush()
		}
		j.ShowTo(romeo)
		is(im.Busy)
		if n := only[*exchange.Presence](t, r); n.Merged.State != im.Busy {
			t.Errorf("%+v", n)
		}
		if l := take[*exchange.Presence](a); len(l) != 0 {
			t.Errorf("alice sees %+v", l[0])
		}
		j.ShowTo(alice)
		if n := only[*exchange.Presence](t, a); n.Session.State != im.Busy || !n.Initial || !n.Changed {
			t.Errorf("%+v", n)
		}
		if left := j.HideFrom(romeo); left != 1 {
			t.Errorf("%d left", left)
		}
		if n := only[*exchange.Presence](t, r); n.Session.State != im.Offline || n.Merged.State != im.Offline {
			t.Errorf("%+v", n)
		}
		is(im.Away)
		if n := only[*exchange.Presence](t, a); n.Merged.State != im.Away {
			t.Errorf("%+v", n)
		}
		if left := j.HideFrom(romeo, alice); left != 0 {
			t.Errorf("%d left", left)
		}
		only[*exchange.Presence](t, a)
		is(im.Offline)
		j.ShowToAll()
		is(im.Available)
		only[*exchange.Presence](t, a)
		if n := only[*exchange.Presence](t, r); n.Merged.State != im.Available {
			t.Errorf("%+v", n)
		}
	})
}

// What is looked for is told as it is, offline too.
func TestPeerLooks(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx, p := t.Context(), s.peer()
		j, js := s.user(p, juliet)
		for _, want := range []im.State{im.Offline, im.Available} {
			s.must(j.Look(ctx, romeo))
			if n := only[*exchange.Presence](t, js); n.Who != romeo || n.Merged.State != want || !n.Changed {
				t.Errorf("%+v, want %s", n, want)
			}
			r := &client{prompt: true}
			romeos := s.login(romeo, exchange.Direct, "orchard", r)
			s.must(s.Ask(ctx, exchange.By{Who: juliet}, romeo, im.Wish{}))
			s.must(s.Answer(ctx, exchange.By{Who: romeo, Client: romeos}, juliet))
			take[*exchange.Change](js)
			take[*exchange.Presence](js)
		}
		s.must(j.Look(ctx, im.MustAddress("nobody@example.com")))
		if n := only[*exchange.Presence](t, js); n.Merged.State != im.Offline {
			t.Errorf("%+v", n)
		}
	})
}
