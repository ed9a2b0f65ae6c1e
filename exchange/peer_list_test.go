package exchange_test

import (
	"errors"
	"slices"
	"testing"

	"parley/exchange"
	"parley/im"
)

// A user of a peer's keeps contact groups here as anybody does: others of the peer's and ours are in them, and nobody of
// them is told.
func TestPeerLists(t *testing.T) {
	bubble(t, exchange.Config{Contacts: 3}, func(t *testing.T, s *service) {
		ctx, p := t.Context(), s.peer()
		r := &client{prompt: true}
		s.login(romeo, exchange.Direct, "orchard", r)
		j, _ := s.user(p, juliet)
		j.Rename("Juliet")
		by := exchange.By{Who: juliet, Client: j}
		s.must(s.CreateGroup(ctx, by, "friends", 0))
		if err := s.CreateGroup(ctx, by, "friends", 0); !errors.Is(err, im.ErrGroupExists) {
			t.Error(err)
		}
		g := j.Snapshot().Groups[0]
		if g.Name != "friends" || j.Snapshot().Name != "Juliet" {
			t.Errorf("%+v of %q", g, j.Snapshot().Name)
		}
		mine := "my Romeo"
		errs, err := s.Enlist(ctx, by, g.ID, []exchange.Listing{{Who: romeo, Alias: &mine}, {Who: nurse}, {Who: im.MustAddress("nobody@example.com")},
			{Who: juliet}, {Who: alice}, {Who: bob}})
		s.must(err)
		if want := []error{nil, nil, im.ErrUnknownUser, im.ErrBadAddress, nil, im.ErrListFull}; !slices.Equal(errs, want) {
			t.Errorf("%v", errs)
		}
		e := j.Snapshot().Entry(romeo)
		if e == nil || e.Side.Alias != mine || !e.Ours || !slices.Contains(e.Side.Groups, g.ID) || e.Side.Watch != im.WatchNone {
			t.Errorf("%+v", e)
		}
		if l := take[*exchange.Change](r); len(l) != 0 {
			t.Errorf("romeo is told %+v", l)
		}
		errs, err = s.Delist(ctx, by, g.ID, []im.Address{romeo, bob})
		s.must(err)
		if want := []error{nil, im.ErrNotOnList}; !slices.Equal(errs, want) {
			t.Errorf("%v", errs)
		}
		if e := j.Snapshot().Entry(romeo); e != nil {
			t.Errorf("romeo stays: %+v", e)
		}
		s.must(s.Ask(ctx, by, nurse, im.Wish{}))
		s.must(s.DeleteGroup(ctx, by, g.ID))
		if e := j.Snapshot().Entry(nurse); e == nil || len(e.Side.Groups) != 0 || e.Side.Watch != im.WatchAsked {
			t.Errorf("%+v", e)
		}
		if _, err := s.Enlist(ctx, by, g.ID, []exchange.Listing{{Who: romeo}}); !errors.Is(err, im.ErrUnknownGroup) {
			t.Error(err)
		}
		if j.Snapshot().Name != "Juliet" {
			t.Errorf("called %q", j.Snapshot().Name)
		}
	})
}

// What a door keeps about a peer's users lasts, and is bounded; a failed edit changes nothing.
func TestPeerNotes(t *testing.T) {
	bubble(t, exchange.Config{Note: 10}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.peer()
		edit := func(body string, err error) error {
			return s.EditPeerNote(ctx, juliet, "far", "k", func([]byte) ([]byte, error) { return []byte(body), err })
		}
		read := func(want string) {
			t.Helper()
			if b, err := s.PeerNote(ctx, juliet, "far", "k"); err != nil || string(b) != want {
				t.Errorf("%q, %v; want %q", b, err, want)
			}
		}
		read("")
		s.must(edit("one", nil))
		read("one")
		if err := edit("two", im.ErrBadName); !errors.Is(err, im.ErrBadName) {
			t.Error(err)
		}
		if err := edit("12345678901", nil); !errors.Is(err, im.ErrListFull) {
			t.Error(err)
		}
		read("one")
		s.must(edit("", nil))
		read("")
		if err := s.EditPeerNote(ctx, romeo, "far", "k", func([]byte) ([]byte, error) { return nil, nil }); !errors.Is(err, im.ErrUnknownUser) {
			t.Error(err)
		}
	})
}

// Rules that a peer keeps for its user hold for what comes to them.
func TestPeerGuard(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx, p := t.Context(), s.peer()
		j, js := s.user(p, juliet)
		j.SetDeaf(false)
		by := exchange.By{Who: juliet, Client: j}
		guard := func(rules ...im.Rule) {
			t.Helper()
			s.must(s.Guard(ctx, by, "far", "gate", func([]byte) ([]byte, []im.Rule, error) { return []byte("x"), rules, nil }))
		}
		guard(im.Whom{Address: bob}.Rule(), im.Rule{By: im.ByAddress, Value: romeo.String(), What: im.Messages, Allow: true}, im.Rule{What: im.Messages})
		if e := j.Snapshot().Entry(bob); e == nil || !e.Side.Denied {
			t.Errorf("%+v", e)
		}
		s.send(message(romeo, juliet, im.Words, "hear me"))
		only[*exchange.Message](t, js)
		for _, who := range []im.Address{bob, alice} {
			s.send(message(who, juliet, im.Words, "hear me"))
			if l := take[*exchange.Message](js); len(l) != 0 {
				t.Errorf("%s is heard", who)
			}
		}
		guard()
		s.send(message(alice, juliet, im.Words, "hear me")).is(t, nil)
		only[*exchange.Message](t, js)
		if len(j.Snapshot().Lists) != 0 {
			t.Errorf("%+v", j.Snapshot().Lists)
		}
		bad := s.Guard(ctx, by, "far", "gate", func([]byte) ([]byte, []im.Rule, error) {
			return []byte("y"), []im.Rule{{By: im.ByAddress, What: im.Messages}}, nil
		})
		if b, err := s.PeerNote(ctx, juliet, "far", "gate"); !errors.Is(bad, im.ErrBadName) || err != nil || string(b) != "x" {
			t.Errorf("%v: %q, %v", bad, b, err)
		}
	})
}

// What waits can be looked at and taken one by one.
func TestPeerBox(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.peer()
		for _, w := range []string{"one", "two", "three"} {
			s.send(message(romeo, juliet, im.Words, w)).is(t, nil)
		}
		l, err := s.Box(ctx, juliet, 2)
		if err != nil || len(l) != 2 || l[0].Neutral().Text.Reveal() != "one" {
			t.Fatalf("%d, %v", len(l), err)
		}
		m, err := s.Boxed(ctx, juliet, l[1].ID)
		if err != nil || m.Neutral().Text.Reveal() != "two" {
			t.Errorf("%v, %v", m, err)
		}
		s.must(s.Unbox(ctx, juliet, m.ID, "far", nil))
		for _, id := range []im.MessageID{m.ID, 0, -1, 7} {
			if _, err := s.Boxed(ctx, juliet, id); !errors.Is(err, im.ErrNotOnList) {
				t.Errorf("%d: %v", id, err)
			}
		}
		if err := s.Unbox(ctx, nurse, l[0].ID, "far", nil); !errors.Is(err, im.ErrNotOnList) {
			t.Error(err)
		}
		s.stored(juliet, 2)
	})
}

// The directory is searched by any means: only who is in it is found.
func TestListed(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		for _, who := range []im.Address{alice, romeo} {
			s.must(s.SetProfile(ctx, who, func(p *im.Profile) { p.Listed = true }))
		}
		l, err := s.Listed(ctx, 10, func(a im.Account) bool { return a.Address != alice })
		if err != nil || len(l) != 1 || l[0].Address != romeo {
			t.Errorf("%+v, %v", l, err)
		}
		if l, err := s.Listed(ctx, 1, func(im.Account) bool { return true }); err != nil || len(l) != 1 {
			t.Errorf("%+v, %v", l, err)
		}
	})
}
