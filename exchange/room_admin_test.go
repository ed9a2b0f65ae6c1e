package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/exchange"
	"parley/im"
	"parley/store"
)

func addresses(l []im.RoomPerson) (s []string) {
	for _, p := range l {
		s = append(s, p.Who.Local()+" "+p.Affiliation.String())
	}
	return s
}

func refused(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || want == nil && err != nil {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// SSP 13.1.1, 13.1.2, 13.2.1, 13.2.2, 13.3.1, 13.3.2.
func TestRoomsAreMadeAndDeleted(t *testing.T) {
	bubble(t, exchange.Config{Rooms: 2, RoomUsers: 5, RoomHistory: 5}, func(t *testing.T, s *service) {
		ctx := t.Context()
		a := exchange.By{Who: alice}
		forum := im.RoomID{Home: tea.Home, Name: "forum"}
		s.must(s.CreateRoom(ctx, a, tea, im.RoomProps{Persists: true}))
		refused(t, "twice", s.CreateRoom(ctx, exchange.By{Who: bob}, tea, im.RoomProps{}), im.ErrRoomExists)
		refused(t, "another's", s.CreateRoom(ctx, a, im.RoomID{Home: bob, Name: "x"}, im.RoomProps{}), im.ErrNoPrivilege)
		refused(t, "elsewhere", s.CreateRoom(ctx, a, im.RoomID{Home: im.MustAddress("capulet.example"), Name: "x"}, im.RoomProps{}), im.ErrNoPrivilege)
		refused(t, "public", s.CreateRoom(ctx, a, forum, im.RoomProps{Public: true}), im.ErrRoomPrivate)
		refused(t, "too large", s.CreateRoom(ctx, a, forum, im.RoomProps{MaxUsers: 6}), im.ErrBadRoomProps)
		refused(t, "too long a memory", s.CreateRoom(ctx, a, forum, im.RoomProps{History: 6}), im.ErrBadRoomProps)
		refused(t, "nobody's", s.CreateRoom(ctx, exchange.By{Who: im.MustAddress("nobody@example.com")}, forum, im.RoomProps{}), im.ErrUnknownUser)
		s.must(s.CreateRoom(ctx, a, im.RoomID{Home: alice, Name: "tea"}, im.RoomProps{Persists: true}))
		refused(t, "a third", s.CreateRoom(ctx, a, im.RoomID{Home: alice, Name: "three"}, im.RoomProps{}), im.ErrTooManyRooms)
		if _, err := s.RoomInfo(ctx, a, im.RoomID{Home: alice, Name: "three"}); err != im.ErrNoRoom {
			t.Errorf("the third is there: %v", err)
		}
		s.must(s.CreateRoom(ctx, exchange.By{}, forum, im.RoomProps{Public: true, Persists: true, Searchable: true}))
		refused(t, "a public one", s.DeleteRoom(ctx, a, forum, ""), im.ErrRoomPublic)
		refused(t, "another's", s.DeleteRoom(ctx, exchange.By{Who: bob}, tea, ""), im.ErrNoPrivilege)
		refused(t, "none", s.DeleteRoom(ctx, a, im.RoomID{Home: bob, Name: "x"}, ""), im.ErrNoRoom)
		_, ac := s.enter(alice, exchange.RoomJoin{Notices: true})
		b, bc := s.enter(bob, exchange.RoomJoin{Notices: true})
		inRoom(ac)
		s.must(s.DeleteRoom(ctx, a, tea, "closing time"))
		hears(t, ac, "out no such room closing time")
		hears(t, bc, "out no such room closing time")
		refused(t, "after it is gone", b.Say(ctx, said(bob, "x")), im.ErrNotJoined)
		s.must(s.CreateRoom(ctx, a, tea, im.RoomProps{Persists: true}))
		s.must(s.DeleteRoom(ctx, exchange.By{}, forum, ""))
	})
}

// SSP 13.1.14, 13.1.15, 13.1.16, 13.2.11, 13.2.12, 13.3.6.
func TestRoomProperties(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.make(alice, tea, im.RoomProps{Persists: true, Password: "sesame", Searchable: true, TopicOpen: true})
		_, ac := s.enter(alice, exchange.RoomJoin{Notices: true})
		b, bc := s.enter(bob, exchange.RoomJoin{Notices: true, Password: "sesame", Own: &im.OwnProps{AutoJoin: true}})
		_, cc := s.enter(carol, exchange.RoomJoin{Password: "sesame"})
		inRoom(ac)
		set := func(who im.Address, change func(*im.RoomProps)) error {
			return s.SetRoomProps(ctx, exchange.By{Who: who}, tea, func(p *im.RoomProps) error { change(p); return nil })
		}
		s.must(set(bob, func(p *im.RoomProps) {
			if p.Password != "" {
				t.Error("bob reads the password")
			}
			p.Topic = "cake"
		}))
		hears(t, ac, "props cakesesame")
		hears(t, bc, "+guest 3", "props cake")
		hears(t, cc)
		refused(t, "more than the topic", set(bob, func(p *im.RoomProps) { p.Name = "x" }), im.ErrNoPrivilege)
		refused(t, "who is not in it", set(romeo, func(p *im.RoomProps) { p.Topic = "x" }), im.ErrNoPrivilege)
		refused(t, "too much", set(alice, func(p *im.RoomProps) { p.MaxUsers = -1 }), im.ErrBadRoomProps)
		refused(t, "public", set(alice, func(p *im.RoomProps) { p.Public = true }), im.ErrRoomPrivate)
		stop := errors.New("stop")
		refused(t, "its own mind", s.SetRoomProps(ctx, exchange.By{Who: alice}, tea, func(*im.RoomProps) error { return stop }), stop)
		s.must(set(alice, func(p *im.RoomProps) {}))
		hears(t, ac)
		if v, err := s.RoomInfo(ctx, exchange.By{Who: bob}, tea); err != nil || v.Room.Props.Topic != "cake" || v.Room.Props.Password != "" || !v.Mine.Own.AutoJoin {
			t.Errorf("bob sees %+v (%v)", v.Mine, err)
		}
		if v, err := s.RoomInfo(ctx, exchange.By{Who: alice}, tea); err != nil || v.Room.Props.Password != "sesame" {
			t.Errorf("alice sees %+v (%v)", v.Room, err)
		}
		s.must(b.SetOwn(ctx, im.OwnProps{NoPrivate: true}))
		hears(t, bc, "own true")
		refused(t, "not in it", s.SetRoomOwn(ctx, exchange.By{Who: romeo}, tea, im.OwnProps{}), im.ErrNotJoined)
		s.must(s.AddRoomMembers(ctx, exchange.By{Who: alice}, tea, []im.Address{romeo}))
		s.must(s.SetRoomOwn(ctx, exchange.By{Who: romeo}, tea, im.OwnProps{AutoJoin: true}))
		s.must(s.KeepRoomNick(ctx, exchange.By{Who: romeo}, tea, "Ro"))
		refused(t, "a name that is kept", b.Rename("RO"), im.ErrNickInUse)
		refused(t, "a name in use", s.KeepRoomNick(ctx, exchange.By{Who: romeo}, tea, "guest"), im.ErrNickInUse)
		refused(t, "another's", s.KeepRoomNick(ctx, exchange.By{Who: alice}, tea, "ro"), im.ErrNickInUse)
		refused(t, "no name", s.KeepRoomNick(ctx, exchange.By{Who: alice}, tea, "\x00"), im.ErrBadName)
		refused(t, "no member", s.KeepRoomNick(ctx, exchange.By{Who: bob}, tea, "Bob"), im.ErrNotMember)
		if l, err := s.RoomsOf(ctx, romeo); err != nil || len(l) != 1 || l[0].Room != tea || l[0].Nick != "Ro" || !l[0].Own.AutoJoin {
			t.Errorf("%+v, %v", l, err)
		}
		r, rc := s.enter(romeo, exchange.RoomJoin{Password: "sesame", Notices: true})
		if v, _ := r.View(); v.Nick != "Ro" || !v.Mine.Own.AutoJoin {
			t.Errorf("romeo is %+v", v)
		}
		inRoom(bc)
		s.must(r.SetOwn(ctx, im.OwnProps{ShowID: true}))
		hears(t, rc, "own false")
		if v, _ := b.View(); !slices.Contains(v.Users, exchange.RoomUser{Nick: "Ro", Who: romeo, Affiliation: im.RoomMember}) {
			t.Errorf("bob sees %+v", v.Users)
		}
		if l := s.RoomsJoinedBy("omeo", 9); !slices.Equal(l, []im.RoomID{tea}) || len(s.RoomsJoinedBy("bob", 9))+len(s.RoomsJoinedBy("omeo", 0)) != 0 {
			t.Errorf("%v", l)
		}
		l, next, err := s.Rooms(ctx, store.RoomQuery{Topic: "CAK"}, 0, 9)
		if err != nil || len(l) != 1 || next == 0 || l[0].Props.Password != "" {
			t.Errorf("%+v, %v", l, err)
		}
		// Closed, it is for members: the others leave.
		inRoom(ac)
		inRoom(bc)
		s.must(set(alice, func(p *im.RoomProps) { p.Closed, p.Searchable = true, false }))
		hears(t, bc, "out not a member of the room")
		if l := inRoom(ac); !slices.Contains(l, "-guest 2=bob not a member of the room") || !slices.Contains(l, "-guest 3=carol not a member of the room") {
			t.Errorf("%q", l)
		}
		if _, err := s.RoomInfo(ctx, exchange.By{Who: bob}, tea); err != im.ErrRoomClosed {
			t.Error(err)
		}
	})
}

// SSP 13.1.7 to 13.1.13, 13.1.17, 13.1.18: 13.2.6, 13.2.7, 13.2.8, 13.2.9, 13.2.10, 13.2.13, 13.3.5, 13.3.7.
func TestRoomMembers(t *testing.T) {
	bubble(t, exchange.Config{RoomMembers: 4}, func(t *testing.T, s *service) {
		ctx := t.Context()
		a, b, c := exchange.By{Who: alice}, exchange.By{Who: bob}, exchange.By{Who: carol}
		nobody := im.MustAddress("nobody@example.com")
		s.make(alice, tea, im.RoomProps{Persists: true, Moderated: true})
		_, ac := s.enter(alice, exchange.RoomJoin{Nick: "Al", Notices: true})
		bs, bc := s.enter(bob, exchange.RoomJoin{Nick: "Bob"})
		inRoom(ac)
		refused(t, "a guest speaks", bs.Say(ctx, said(bob, "x")), im.ErrNoPrivilege)
		members := func(want ...string) {
			t.Helper()
			if l, err := s.RoomMembers(ctx, a, tea); err != nil || !slices.Equal(addresses(l), want) {
				t.Errorf("%q, %v, want %q", addresses(l), err, want)
			}
		}
		_, err := s.RoomMembers(ctx, b, tea)
		refused(t, "who is none reads the list", err, im.ErrNoPrivilege)
		_, err = s.RoomRejects(ctx, b, tea)
		refused(t, "who is none reads the rejects", err, im.ErrNoPrivilege)
		refused(t, "who is none adds", s.AddRoomMembers(ctx, b, tea, []im.Address{bob}), im.ErrNoPrivilege)
		refused(t, "nobody by who is none", s.AddRoomMembers(ctx, b, tea, nil), im.ErrNoPrivilege)
		refused(t, "unknown", s.AddRoomMembers(ctx, a, tea, []im.Address{carol, nobody}), im.ErrUnknownUser)
		members("alice owner") // all or none
		s.must(s.AddRoomMembers(ctx, a, tea, nil))
		s.must(s.AddRoomMembers(ctx, a, tea, []im.Address{bob, carol, alice}))
		members("alice owner", "bob member", "carol member")
		hears(t, ac, "Bob=bob is member")
		s.must(bs.Say(ctx, said(bob, "thanks")))
		hears(t, ac, "Bob=bob: thanks")
		s.must(s.SetRoomAccess(ctx, a, tea, []exchange.RoomGrant{{Who: bob, Affiliation: im.Administrator}, {Who: carol, Affiliation: im.Moderator}}))
		members("alice owner", "bob administrator", "carol moderator")
		refused(t, "no member", s.SetRoomAccess(ctx, a, tea, []exchange.RoomGrant{{Who: romeo, Affiliation: im.Moderator}}), im.ErrNotMember)
		refused(t, "above oneself", s.SetRoomAccess(ctx, c, tea, []exchange.RoomGrant{{Who: bob, Affiliation: im.RoomMember}}), im.ErrNoPrivilege)
		refused(t, "no member goes", s.RemoveRoomMembers(ctx, c, tea, []im.Address{romeo}), im.ErrNotMember)
		refused(t, "nobody goes", s.RemoveRoomMembers(ctx, c, tea, []im.Address{nobody}), im.ErrUnknownUser)
		refused(t, "the last owner", s.AffiliateRoom(ctx, a, tea, []exchange.RoomGrant{{Who: alice, Affiliation: im.RoomMember}}, ""), im.ErrLastOwner)
		s.must(s.AddRoomMembers(ctx, c, tea, []im.Address{romeo}))
		refused(t, "too many", s.AddRoomMembers(ctx, exchange.By{}, tea, []im.Address{mustAccount(s, "tybalt")}), im.ErrListFull)
		rejects, err := s.RejectFromRoom(ctx, c, tea, []im.Address{romeo}, []im.Address{bob}, "")
		if err != nil || !slices.Equal(addresses(rejects), []string{"romeo outcast"}) {
			t.Errorf("%v, %v", addresses(rejects), err)
		}
		members("alice owner", "bob administrator", "carol moderator")
		refused(t, "a reject is no member", s.AddRoomMembers(ctx, a, tea, []im.Address{romeo}), im.ErrRejected)
		if l, err := s.RejectFromRoom(ctx, c, tea, nil, []im.Address{romeo}, ""); err != nil || len(l) != 0 {
			t.Errorf("%v, %v", addresses(l), err)
		}
		if _, err := s.RejectFromRoom(ctx, c, tea, []im.Address{bob}, nil, ""); err != im.ErrNoPrivilege {
			t.Error(err)
		}
		s.must(s.RemoveRoomMembers(ctx, exchange.By{Who: bob}, tea, []im.Address{bob})) // of their own will
		members("alice owner", "carol moderator")
		inRoom(ac)
		refused(t, "a guest expels", s.ExpelFromRoom(ctx, b, tea, "Al", ""), im.ErrNoPrivilege)
		refused(t, "an owner is expelled", s.ExpelFromRoom(ctx, c, tea, "Al", ""), im.ErrNoPrivilege)
		refused(t, "nobody is expelled", s.ExpelFromRoom(ctx, c, tea, "Tom", ""), im.ErrAbsent)
		refused(t, "from nowhere", s.ExpelFromRoom(ctx, c, im.RoomID{Home: bob, Name: "x"}, "Tom", ""), im.ErrNoRoom)
		s.must(s.ExpelFromRoom(ctx, c, tea, "bob", "mind your tongue"))
		hears(t, bc, "out not privileged in the room mind your tongue")
		hears(t, ac, "-Bob=bob not privileged in the room mind your tongue")
		s.must(s.ExpelFromRoom(ctx, exchange.By{}, tea, "Al", ""))
	})
}

func mustAccount(s *service, local string) im.Address {
	who := im.MustAddress(local + "@example.com")
	s.must(s.CreateAccount(s.t.Context(), im.Account{Address: who}))
	return who
}

// With an account go its rooms, and what others keep of it.
func TestRoomsOfARemovedAccount(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		own := im.RoomID{Home: bob, Name: "den"}
		s.make(alice, tea, im.RoomProps{Persists: true, Closed: true})
		s.make(bob, own, im.RoomProps{Persists: true})
		s.must(s.AddRoomMembers(ctx, exchange.By{Who: alice}, tea, []im.Address{bob}))
		_, ac := s.enter(alice, exchange.RoomJoin{Nick: "Al", Notices: true})
		_, err := s.JoinRoom(ctx, s.login(alice, exchange.Direct, "den", &client{}), exchange.RoomJoin{Room: own, Notices: true}, ac)
		s.must(err)
		s.enter(bob, exchange.RoomJoin{Nick: "Bob"})
		hears(t, ac, "+Bob=bob")
		s.must(s.RemoveAccount(ctx, bob))
		if l := inRoom(ac); len(l) != 2 || !slices.Contains(l, "out no such room") || !slices.ContainsFunc(l, func(s string) bool { return strings.HasPrefix(s, "-Bob=bob") }) {
			t.Errorf("%q", l)
		}
		if l, err := s.RoomMembers(ctx, exchange.By{Who: alice}, tea); err != nil || len(l) != 1 {
			t.Errorf("%q, %v", addresses(l), err)
		}
		if _, err := s.RoomInfo(ctx, exchange.By{}, own); err != im.ErrNoRoom {
			t.Error(err)
		}
	})
}

// However people come, go, speak and rule at once, everybody in the room was told the same, in the same order, and what is
// kept is what was told.
func TestRoomOrder(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := context.WithoutCancel(t.Context())
		s.make(alice, tea, im.RoomProps{Persists: true, History: 500})
		a, ac := s.enter(alice, exchange.RoomJoin{Nick: "Al", Notices: true, Echo: true})
		_, cc := s.enter(carol, exchange.RoomJoin{Nick: "Carol", Notices: true})
		s.must(s.AddRoomMembers(ctx, exchange.By{Who: alice}, tea, []im.Address{carol}))
		s.must(s.SetRoomAccess(ctx, exchange.By{Who: alice}, tea, []exchange.RoomGrant{{Who: carol, Affiliation: im.Moderator}}))
		inRoom(ac)
		inRoom(cc)
		done := make(chan struct{})
		go func() { // ends when bob has come and gone
			defer close(done)
			b := s.login(bob, exchange.Direct, "b", &client{})
			for n := range 20 {
				seat, err := s.JoinRoom(ctx, b, join(exchange.RoomJoin{Nick: "Bob"}), nil)
				if err != nil {
					t.Error(err)
					return
				}
				if err := seat.Say(ctx, said(bob, fmt.Sprint(n))); err != nil && err != im.ErrNotJoined {
					t.Error(err)
				}
				seat.Leave()
			}
		}()
		for n := range 20 {
			s.must(a.Say(ctx, said(alice, fmt.Sprint(n))))
			s.must(s.SetRoomProps(ctx, exchange.By{Who: alice}, tea, func(p *im.RoomProps) error { p.Topic = fmt.Sprint(n); return nil }))
			if err := s.ExpelFromRoom(ctx, exchange.By{Who: alice}, tea, "Bob", ""); err != nil && err != im.ErrAbsent {
				t.Error(err)
			}
		}
		<-done
		one, two := inRoom(ac), inRoom(cc)
		for i := range one {
			one[i] = strings.TrimPrefix(one[i], "mine ")
		}
		if !slices.Equal(one, two) {
			t.Errorf("alice was told %q\ncarol was told %q", one, two)
		}
		in := false
		for _, l := range two {
			switch {
			case strings.HasPrefix(l, "+Bob"):
				if in {
					t.Error("bob comes twice")
				}
				in = true
			case strings.HasPrefix(l, "-Bob"):
				if !in {
					t.Error("bob goes twice")
				}
				in = false
			}
		}
		l, err := a.History(ctx, 500)
		s.must(err)
		var kept []string
		for _, w := range l {
			kept = append(kept, fmt.Sprintf("%s=%s: %s", w.Nick, w.From.Local(), w.Neutral.Text.Reveal()))
		}
		if told := slices.DeleteFunc(two, func(s string) bool { return !strings.Contains(s, ": ") }); !slices.Equal(kept, told) {
			t.Errorf("kept %q\n told %q", kept, told)
		}
	})
}
