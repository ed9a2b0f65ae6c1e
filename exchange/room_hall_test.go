package exchange_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/bus"
	"parley/exchange"
	"parley/im"
	"parley/store"
)

var tea = im.RoomID{Home: im.MustAddress("example.com"), Name: "tea"}

// make has somebody make a room.
func (s *service) make(who im.Address, id im.RoomID, p im.RoomProps) {
	s.t.Helper()
	s.must(s.CreateRoom(s.t.Context(), exchange.By{Who: who}, id, p))
}

// enter logs a session in and takes it into the tea room.
func (s *service) enter(who im.Address, j exchange.RoomJoin) (*exchange.RoomSeat, *client) {
	s.t.Helper()
	c := &client{prompt: true}
	seat, err := s.JoinRoom(s.t.Context(), s.login(who, exchange.Direct, who.Local()+j.Nick, c), join(j), nil)
	s.must(err)
	return seat, c
}

func join(j exchange.RoomJoin) exchange.RoomJoin {
	if j.Room.IsZero() {
		j.Room = tea
	}
	return j
}

// inRoom is what came to one in a room, as text.
func inRoom(c *client) (l []string) {
	for _, d := range take[exchange.Delivery](c) {
		user := func(u exchange.RoomUser) string {
			s := u.Nick
			if !u.Who.IsZero() {
				s += "=" + u.Who.Local()
			}
			return s
		}
		switch d := d.(type) {
		case *exchange.RoomWords:
			s := user(d.By) + ": " + d.Message.Neutral().Text.Reveal()
			if d.To != "" {
				s = user(d.By) + " to " + d.To + ": " + d.Message.Neutral().Text.Reveal()
			}
			if d.Mine {
				s = "mine " + s
			}
			if d.Message.From != d.By.Who {
				s += " from " + d.Message.From.String()
			}
			l = append(l, s)
		case *exchange.RoomJoined:
			l = append(l, "+"+user(d.User))
		case *exchange.RoomLeft:
			l = append(l, strings.TrimSpace(fmt.Sprintf("-%s %s", user(d.User), whyOf(d.Why, d.Reason))))
		case *exchange.RoomRenamed:
			l = append(l, d.Was+" is "+user(d.User))
		case *exchange.RoomChanged:
			switch {
			case d.Props != nil:
				l = append(l, "props "+d.Props.Topic+d.Props.Password)
			case d.Own != nil:
				l = append(l, fmt.Sprintf("own %t", d.Own.NoPrivate))
			default:
				l = append(l, user(*d.User)+" is "+d.User.Affiliation.String())
			}
		case *exchange.RoomEnded:
			l = append(l, "out "+whyOf(d.Why, d.Reason))
		}
	}
	return l
}

func whyOf(why error, reason string) string {
	s := ""
	if why != nil {
		s = why.Error()
	}
	return strings.TrimSpace(s + " " + reason)
}

func hears(t testing.TB, c *client, want ...string) {
	t.Helper()
	if l := inRoom(c); !slices.Equal(l, want) {
		t.Errorf("heard %q, want %q", l, want)
	}
}

func said(who im.Address, text string) *im.Message { return message(who, im.Address{}, im.Words, text) }

// Who enters sees who is there, and is seen; who speaks is heard under their screen name by all others. SSP 13.1.3, 13.1.4,
// 13.1.23, 13.2.3, 13.2.4, 13.2.14, 13.2.15, 13.2.16, 13.2.17
func TestRoomIsEnteredAndLeft(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.make(alice, tea, im.RoomProps{Persists: true, Welcome: im.RoomWelcome{Text: "sit down"}})
		var first exchange.RoomView
		a, ac := s.enter(alice, exchange.RoomJoin{Nick: "Al", Notices: true, Greet: func(v exchange.RoomView) { first = v }})
		if first.Nick != "Al" || !first.Joined || first.Room.Props.Welcome.Text != "sit down" || len(first.Users) != 1 || first.Mine.Affiliation != im.RoomOwner {
			t.Errorf("alice sees %+v", first)
		}
		b, bc := s.enter(bob, exchange.RoomJoin{Nick: "Bob", Greet: func(v exchange.RoomView) { first = v }})
		if len(first.Users) != 2 || first.Users[0] != (exchange.RoomUser{Nick: "Al", Affiliation: im.RoomOwner}) || first.Users[1].Who != bob {
			t.Errorf("bob sees %+v", first.Users)
		}
		hears(t, ac, "+Bob=bob") // an owner knows who it is
		hears(t, bc)
		s.must(b.Say(ctx, said(bob, "milk?")))
		hears(t, ac, "Bob=bob: milk?")
		hears(t, bc)
		s.must(a.Say(ctx, said(alice, "please")))
		hears(t, bc, "Al: please") // and he does not
		if _, err := s.JoinRoom(ctx, s.login(carol, exchange.Direct, "x", &client{}), join(exchange.RoomJoin{Nick: "BOB"}), nil); err != im.ErrNickInUse {
			t.Errorf("a name that is taken: %v", err)
		}
		s.must(b.SetNotices(true))
		if on, err := b.Notices(); !on || err != nil {
			t.Errorf("%t, %v", on, err)
		}
		s.must(a.Rename("Alice"))
		hears(t, bc, "Al is Alice")
		hears(t, ac, "Al is Alice=alice")
		if err := a.Rename("bob"); err != im.ErrNickInUse {
			t.Error(err)
		}
		if err := a.Rename("\x00"); !errors.Is(err, im.ErrBadName) {
			t.Error(err)
		}
		s.must(a.Leave())
		hears(t, bc, "-Alice")
		hears(t, ac)
		for what, err := range map[string]error{"leave": a.Leave(), "say": a.Say(ctx, said(alice, "x")), "whisper": a.Whisper("Bob", said(alice, "x")),
			"rename": a.Rename("x"), "notices": a.SetNotices(true), "own": a.SetOwn(ctx, im.OwnProps{})} {
			if err != im.ErrNotJoined {
				t.Errorf("%s afterwards: %v", what, err)
			}
		}
		if _, err := a.View(); err != im.ErrNotJoined {
			t.Error(err)
		}
		if v, err := s.RoomInfo(ctx, exchange.By{Who: carol}, tea); err != nil || v.Joined || len(v.Users) != 1 || !v.Users[0].Who.IsZero() {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

// Who may not enter is told why. SSP 13.3.3
func TestRoomRefuses(t *testing.T) {
	bubble(t, exchange.Config{RoomsJoined: 1, RoomUsers: 3}, func(t *testing.T, s *service) {
		ctx := t.Context()
		other := im.RoomID{Home: alice, Name: "own"}
		s.make(alice, tea, im.RoomProps{Persists: true, Password: "sesame", MaxUsers: 1})
		s.make(alice, other, im.RoomProps{Persists: true, Closed: true})
		b := s.login(bob, exchange.Direct, "x", &client{})
		enter := func(j exchange.RoomJoin) error {
			_, err := s.JoinRoom(ctx, b, join(j), nil)
			return err
		}
		want := func(err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		want(enter(exchange.RoomJoin{Room: im.RoomID{Home: bob, Name: "none"}}), im.ErrNoRoom)
		want(enter(exchange.RoomJoin{}), im.ErrWrongRoomPassword)
		want(enter(exchange.RoomJoin{Room: other}), im.ErrNotMember)
		want(enter(exchange.RoomJoin{Password: "sesame", Nick: "\x01"}), im.ErrBadName)
		want(enter(exchange.RoomJoin{Password: "sesame"}), nil)
		want(enter(exchange.RoomJoin{Password: "sesame"}), im.ErrJoined)
		c := s.login(carol, exchange.Direct, "x", &client{})
		_, err := s.JoinRoom(ctx, c, join(exchange.RoomJoin{Password: "sesame"}), nil)
		want(err, im.ErrRoomFull)
		if _, err := s.RejectFromRoom(ctx, exchange.By{Who: alice}, tea, []im.Address{carol}, nil, ""); err != nil {
			t.Fatal(err)
		}
		_, err = s.JoinRoom(ctx, c, join(exchange.RoomJoin{Password: "sesame"}), nil)
		want(err, im.ErrRejected)
		s.must(s.AddRoomMembers(ctx, exchange.By{Who: alice}, other, []im.Address{bob}))
		want(enter(exchange.RoomJoin{Room: other}), im.ErrTooManyJoined)
		seat, err := s.RoomSeat(b, tea)
		s.must(err)
		s.must(seat.Leave())
		want(enter(exchange.RoomJoin{Room: other}), nil)
		b.Detach()
		want(enter(exchange.RoomJoin{Room: other}), im.ErrGone)
		if v, err := s.RoomInfo(ctx, exchange.By{Who: alice}, other); err != nil || len(v.Users) != 0 {
			t.Errorf("%+v, %v", v.Users, err)
		}
		_, err = s.RoomSeat(c, tea)
		want(err, im.ErrNotJoined)
	})
}

// All sessions of one person are one in the room: it comes with the first and goes with the last.
func TestSessionsShareTheirName(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.make(alice, tea, im.RoomProps{Persists: true})
		_, ac := s.enter(alice, exchange.RoomJoin{Nick: "Al", Notices: true})
		one, oc := &client{}, &client{}
		first, second := s.login(bob, exchange.Direct, "one", one), s.login(bob, exchange.Direct, "two", oc)
		b1, err := s.JoinRoom(ctx, first, join(exchange.RoomJoin{Nick: "Bob", Echo: true}), nil)
		s.must(err)
		b2, err := s.JoinRoom(ctx, second, join(exchange.RoomJoin{Nick: "Robert"}), nil)
		s.must(err)
		if v, err := b2.View(); err != nil || v.Nick != "Bob" {
			t.Errorf("%q, %v", v.Nick, err)
		}
		inRoom(one)
		inRoom(oc)
		hears(t, ac, "+Bob=bob")
		s.must(b2.Say(ctx, said(bob, "hi")))
		hears(t, one, "mine Bob=bob: hi")
		hears(t, oc)
		s.must(b1.Say(ctx, said(bob, "ho")))
		hears(t, one, "mine Bob=bob: ho")
		hears(t, oc, "mine Bob=bob: ho")
		hears(t, ac, "Bob=bob: hi", "Bob=bob: ho")
		s.must(b1.Whisper("al", said(bob, "psst")))
		hears(t, ac, "Bob=bob to Al: psst")
		hears(t, oc, "mine Bob=bob to Al: psst")
		hears(t, one, "mine Bob=bob to Al: psst")
		s.must(b1.Leave())
		hears(t, ac)
		second.Detach()
		hears(t, ac, "-Bob=bob")
		third, c3 := s.login(bob, exchange.Direct, "one", &client{}), &client{}
		_, err = s.JoinRoom(ctx, third, join(exchange.RoomJoin{}), nil)
		s.must(err)
		s.login(bob, exchange.Direct, "one", c3) // in the same slot: the session before it ends
		hears(t, ac, "+guest=bob", "-guest=bob") // no name gives away who it is
	})
}

// Words for one alone: who does not take them, and who does not want them from the sender. SSP 14.7.13, 14.7.14
func TestRoomWhispers(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.make(alice, tea, im.RoomProps{Persists: true})
		a, ac := s.enter(alice, exchange.RoomJoin{Nick: "Al"})
		b, bc := s.enter(bob, exchange.RoomJoin{Nick: "Bob"})
		want := func(err, want error) {
			t.Helper()
			if err != want {
				t.Errorf("%v, want %v", err, want)
			}
		}
		want(b.Whisper("nobody", said(bob, "x")), im.ErrAbsent)
		want(b.Whisper("AL", said(bob, "one")), nil)
		hears(t, ac, "Bob=bob to Al: one")
		s.must(s.SetRoomOwn(ctx, exchange.By{Who: alice}, tea, im.OwnProps{NoPrivate: true}))
		want(b.Whisper("Al", said(bob, "x")), im.ErrNoPrivateToThem)
		want(a.Whisper("Bob", said(alice, "two")), nil)
		hears(t, bc, "Al to Bob: two")
		s.must(s.SetRoomProps(ctx, exchange.By{Who: alice}, tea, func(p *im.RoomProps) error { p.NoPrivate = true; return nil }))
		want(a.Whisper("Bob", said(alice, "x")), im.ErrNoPrivate)
		s.must(s.SetRoomProps(ctx, exchange.By{Who: alice}, tea, func(p *im.RoomProps) error { p.NoPrivate = false; return nil }))
		s.must(s.SetRoomOwn(ctx, exchange.By{Who: alice}, tea, im.OwnProps{}))
		// bob blocks alice: her words are hidden from him, and nobody is there for what is for him alone
		s.must(s.Block(ctx, exchange.By{Who: bob}, alice, "", false))
		want(a.Whisper("Bob", said(alice, "x")), im.ErrAbsent)
		want(b.Whisper("Al", said(bob, "x")), im.ErrAbsent) // he is not to find out so that it is her
		s.must(a.Say(ctx, said(alice, "hear me")))
		s.must(b.Say(ctx, said(bob, "la la")))
		hears(t, bc)
		hears(t, ac, "Bob=bob: la la")
		s.must(s.SetRoomProps(ctx, exchange.By{Who: alice}, tea, func(p *im.RoomProps) error { p.ShowAddresses = true; return nil }))
		want(b.Whisper("Al", said(bob, "x")), im.ErrOwnBlock)
		s.must(s.Unblock(ctx, exchange.By{Who: bob}, alice))
		s.must(a.Say(ctx, said(alice, "now?")))
		hears(t, bc, "Al=alice: now?")
	})
}

// What is said is acknowledged when the room remembers it, in the order in which all hear it; a bounded number is kept.
func TestRoomRemembers(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.make(alice, tea, im.RoomProps{Persists: true, History: 20})
		a, ac := s.enter(alice, exchange.RoomJoin{Nick: "Al"})
		b, bc := s.enter(bob, exchange.RoomJoin{Nick: "Bob"})
		_, cc := s.enter(carol, exchange.RoomJoin{Nick: "Carol"})
		var all sync.WaitGroup
		for _, x := range []struct {
			seat *exchange.RoomSeat
			who  im.Address
		}{{a, alice}, {b, bob}} {
			all.Go(func() { // ends when all is said
				for n := range 10 {
					s.must(x.seat.Say(ctx, said(x.who, fmt.Sprint(x.who.Local(), n))))
				}
			})
		}
		all.Wait()
		s.must(a.Say(ctx, message(alice, im.Address{}, im.Signal, "typing")))
		var kept []string
		l, err := b.History(ctx, 100)
		s.must(err)
		for _, w := range l {
			if !w.From.IsZero() && w.From != bob {
				t.Errorf("bob learns that %s is %s", w.Nick, w.From)
			}
			kept = append(kept, w.Nick+": "+w.Neutral.Text.Reveal())
		}
		told := inRoom(cc)
		if !slices.Equal(append(kept, "Al: typing"), told) || len(kept) != 20 {
			t.Errorf("kept %q, told %q", kept, told)
		}
		inRoom(ac)
		inRoom(bc)
		s.must(s.SetRoomProps(ctx, exchange.By{Who: alice}, tea, func(p *im.RoomProps) error { p.History = 2; return nil }))
		if l, err = a.History(ctx, 1); err != nil || len(l) != 1 || l[0].Nick+": "+l[0].Neutral.Text.Reveal() != kept[19] || l[0].From.IsZero() {
			t.Errorf("%+v, %v", l, err)
		}
		if l, _ = a.History(ctx, -1); len(l) != 0 {
			t.Errorf("less than none is %d", len(l))
		}
		s.must(s.SetRoomProps(ctx, exchange.By{Who: alice}, tea, func(p *im.RoomProps) error { p.History = 0; return nil }))
		if _, err := a.History(ctx, 1); err != im.ErrNoHistory {
			t.Error(err)
		}
		s.must(b.Say(ctx, said(bob, "off the record")))
		hears(t, ac, "Bob=bob: off the record")
		s.must(s.SetRoomProps(ctx, exchange.By{Who: alice}, tea, func(p *im.RoomProps) error { p.History = 5; return nil }))
		if l, err := a.History(ctx, 5); err != nil || len(l) != 0 {
			t.Errorf("%+v, %v", l, err)
		}
	})
}

// A room that does not persist goes with the last who is in it, or with a restart; others stay.
func TestRoomsPass(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.make(alice, tea, im.RoomProps{})
		a, _ := s.enter(alice, exchange.RoomJoin{})
		b, _ := s.enter(bob, exchange.RoomJoin{})
		s.must(a.Leave())
		if _, err := s.RoomInfo(ctx, exchange.By{Who: bob}, tea); err != nil {
			t.Errorf("while bob is in it: %v", err)
		}
		s.must(b.Leave())
		if _, err := s.RoomInfo(ctx, exchange.By{Who: alice}, tea); err != im.ErrNoRoom {
			t.Errorf("empty: %v", err)
		}
		s.make(bob, tea, im.RoomProps{})
		b, _ = s.enter(bob, exchange.RoomJoin{Nick: "again"})
		s.must(s.SetRoomProps(ctx, exchange.By{Who: bob}, tea, func(p *im.RoomProps) error { p.Persists = true; return nil }))
		s.must(b.Leave())
		if v, err := s.RoomInfo(ctx, exchange.By{Who: bob}, tea); err != nil || v.Room.Owner != bob {
			t.Errorf("it persists: %v", err)
		}
		s.must(s.SetRoomProps(ctx, exchange.By{Who: bob}, tea, func(p *im.RoomProps) error { p.Persists = false; return nil }))
	})
	// A restart.
	path := filepath.Join(t.TempDir(), "parley.db")
	for run := range 2 {
		st, err := store.Open(t.Context(), store.Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		x, err := exchange.New(exchange.Config{Domains: []string{"example.com"}}, st, bus.NewLocal())
		if err != nil {
			t.Fatal(err)
		}
		for name, persists := range map[string]bool{"passes": false, "stays": true} {
			id := im.RoomID{Home: tea.Home, Name: name}
			if run == 0 {
				err = x.CreateRoom(t.Context(), exchange.By{}, id, im.RoomProps{Persists: persists})
			} else if _, err = x.RoomInfo(t.Context(), exchange.By{}, id); !persists && err == im.ErrNoRoom {
				err = nil
			}
			if err != nil {
				t.Errorf("run %d, %s: %v", run, name, err)
			}
		}
		x.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Users of another domain are in rooms here by the session that stands for them.
func TestPeersAreInRooms(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx, p := t.Context(), s.peer()
		own := im.RoomID{Home: juliet, Name: "balcony"}
		s.make(juliet, own, im.RoomProps{Persists: true, Closed: true})
		s.make(alice, tea, im.RoomProps{Persists: true})
		if err := s.CreateRoom(ctx, exchange.By{Who: juliet}, im.RoomID{Home: nurse, Name: "x"}, im.RoomProps{}); err != im.ErrNoPrivilege {
			t.Errorf("in somebody else's name: %v", err)
		}
		_, ac := s.enter(alice, exchange.RoomJoin{Nick: "Al", Notices: true})
		j, jc := s.user(p, juliet)
		seat, err := s.JoinRoom(ctx, j, join(exchange.RoomJoin{Notices: true}), nil)
		s.must(err)
		hears(t, ac, "+guest=juliet") // no name gives away who it is
		s.must(seat.Say(ctx, said(juliet, "art thou?")))
		hears(t, ac, "guest=juliet: art thou?")
		if _, err := s.JoinRoom(ctx, j, join(exchange.RoomJoin{}), nil); err != im.ErrJoined {
			t.Errorf("twice: %v", err)
		}
		if l := s.RoomSeats(j); len(l) != 1 || l[0] != seat || seat.Room() != tea || seat.Who() != juliet {
			t.Errorf("%v", l)
		}
		if _, err := s.RejectFromRoom(ctx, exchange.By{Who: alice}, tea, []im.Address{juliet}, nil, "shoo"); err != nil {
			t.Error(err)
		}
		hears(t, jc, "out rejected from the room shoo")
		hears(t, ac, "-guest=juliet rejected from the room shoo")
		s.must(s.AddRoomMembers(ctx, exchange.By{Who: juliet}, own, []im.Address{nurse, romeo}))
	})
}
