package exchange_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/exchange"
	"parley/im"
)

// talked is what came to one in a conversation, as text: who joined and left, with their names, and what was said.
func talked(c *client) (l []string) {
	for _, d := range take[exchange.Delivery](c) {
		switch d := d.(type) {
		case *exchange.Joined:
			l = append(l, "+"+d.Who.String()+" "+d.Name)
		case *exchange.Left:
			l = append(l, "-"+d.Who.String())
		case *exchange.Message:
			l = append(l, d.From.String()+" "+d.FromName+": "+words(d))
		}
	}
	return l
}

func hearsTalk(t testing.TB, c *client, want ...string) {
	t.Helper()
	if l := talked(c); !slices.Equal(l, want) {
		t.Errorf("told %q, want %q", l, want)
	}
}

// Somebody whose client knows conversations without a seat is in a room by one. SSP 13.2.3, 13.2.4, 13.2.5
func TestRoomByAConversation(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.make(alice, tea, im.RoomProps{Persists: true, History: 9})
		a, ac := s.enter(alice, exchange.RoomJoin{Nick: "Al", Notices: true})
		r := &client{prompt: true}
		romeos := s.attach(romeo, "orchard", r)
		present(romeos, im.Presence{State: im.Available})
		id, err := s.EnterRoom(ctx, romeos, exchange.RoomJoin{Room: tea, Nick: "Ro"})
		s.must(err)
		hearsTalk(t, r, "+al@tea.room.example.com Al", "+romeo@example.com romeo@example.com")
		hears(t, ac, "+Ro=romeo")
		s.must(a.Say(ctx, said(alice, "welcome")))
		m := only[*exchange.Message](t, r)
		if m.From.String() != "al@tea.room.example.com" || words(m) != "welcome" || m.In == nil || m.In.ID != id || len(m.In.Members) != 1 || m.Native.Body != nil {
			t.Errorf("%s says %q in %+v", m.From, words(m), m.In)
		}
		v := &verdict{}
		_, err = romeos.Say(ctx, id, said(romeo, "good morrow"), v.done)
		s.must(err)
		v.is(t, nil)
		hears(t, ac, "Ro=romeo: good morrow")
		if l, err := a.History(ctx, 9); err != nil || len(l) != 2 || l[1].From != romeo || l[1].Nick != "Ro" || l[1].Native.Door != "" {
			t.Errorf("%+v, %v", l, err)
		}
		v = &verdict{}
		_, err = romeos.Say(ctx, id, message(romeo, im.Address{}, im.Request, ""), v.done)
		s.must(err)
		v.is(t, im.ErrNothingFits)
		if err := a.Whisper("Ro", said(alice, "x")); err != im.ErrNoPrivateToThem {
			t.Errorf("words for them alone: %v", err)
		}
		if err := romeos.Invite(ctx, id, bob); err != im.ErrAbsent {
			t.Errorf("who is in the room is for the room: %v", err)
		}
		b, _ := s.enter(bob, exchange.RoomJoin{Nick: "Жук"})
		hearsTalk(t, r, "+guest@tea.room.example.com Жук")
		s.must(b.Rename("Guest"))
		hearsTalk(t, r, "-guest@tea.room.example.com", "+guest@tea.room.example.com Guest")
		s.must(a.Say(ctx, message(alice, im.Address{}, im.Signal, "")))
		hearsTalk(t, r, "al@tea.room.example.com Al: ")
		s.must(b.Leave())
		hearsTalk(t, r, "-guest@tea.room.example.com")
		inRoom(ac)
		pass(2 * time.Hour) // silence does not end it
		romeos.Quit(ctx, id)
		hears(t, ac, "-Ro=romeo")
		hearsTalk(t, r, "-romeo@example.com")
		if _, err := romeos.Say(ctx, id, said(romeo, "x"), nil); err != im.ErrGone {
			t.Error(err)
		}
		// In again, and expelled.
		id, err = s.EnterRoom(ctx, romeos, exchange.RoomJoin{Room: tea, Nick: "Ro"})
		s.must(err)
		talked(r)
		s.must(s.ExpelFromRoom(ctx, exchange.By{Who: alice}, tea, "Ro", "out"))
		hearsTalk(t, r, "-romeo@example.com")
		if _, ok := romeos.Talk(id); ok {
			t.Error("the conversation goes on")
		}
		// In again, and gone with the session.
		inRoom(ac)
		_, err = s.EnterRoom(ctx, romeos, exchange.RoomJoin{Room: tea, Nick: "Ro"})
		s.must(err)
		romeos.Detach()
		hears(t, ac, "+Ro=romeo", "-Ro=romeo")
		s.must(s.DeleteRoom(ctx, exchange.By{Who: alice}, tea, ""))
	})
}

// Who takes a seat is rung first, and finds those who are in the room.
func TestRoomAtASeat(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.make(alice, tea, im.RoomProps{Persists: true, Name: "Tea time"})
		a, ac := s.enter(alice, exchange.RoomJoin{Nick: "Al", Notices: true})
		n, seated := &client{}, &client{prompt: true}
		bobs := s.login(bob, exchange.Rings, "MSN", n)
		id, err := s.EnterRoom(ctx, bobs, exchange.RoomJoin{Room: tea, Nick: "Bob"})
		s.must(err)
		hears(t, ac, "+Bob=bob")
		ring := only[*exchange.Ring](t, n)
		if ring.From.String() != "tea@room.example.com" || ring.FromName != "Tea time" || ring.Conversation != id {
			t.Errorf("%+v", ring)
		}
		s.must(a.Say(ctx, said(alice, "come in")))
		s.must(a.Say(ctx, message(alice, im.Address{}, im.Signal, "")))
		seat, there, err := s.Join(s.place, id, bob, seated)
		s.must(err)
		if len(there) != 1 || there[0].Name != "Al" || there[0].Who.String() != "al@tea.room.example.com" {
			t.Errorf("bob finds %+v", there)
		}
		seat.Ready()
		hearsTalk(t, seated, "al@tea.room.example.com Al: come in")
		s.stored(bob, 0)
		s.say(seat, said(bob, "thanks")).is(t, nil)
		hears(t, ac, "Bob=bob: thanks")
		s.must(s.SetRoomProps(ctx, exchange.By{Who: alice}, tea, func(p *im.RoomProps) error { p.Moderated = true; return nil }))
		s.say(seat, said(bob, "x")).is(t, im.ErrNoPrivilege)
		if err := seat.Call(ctx, carol, nil); err != im.ErrAbsent {
			t.Error(err)
		}
		inRoom(ac)
		seat.Leave()
		hears(t, ac, "-Bob=bob")
		// Nobody answers the ring.
		_, err = s.EnterRoom(ctx, bobs, exchange.RoomJoin{Room: tea, Nick: "Bob"})
		s.must(err)
		hears(t, ac, "+Bob=bob")
		pass(2 * time.Minute)
		hears(t, ac, "-Bob=bob")
		// The room ends: so does the seat.
		_, err = s.EnterRoom(ctx, bobs, exchange.RoomJoin{Room: tea, Nick: "Bob"})
		s.must(err)
		take[*exchange.Ring](n)
		talk := s.RoomSeats(bobs)
		if len(talk) != 1 {
			t.Fatalf("bob is in %d rooms", len(talk))
		}
		s.must(s.DeleteRoom(ctx, exchange.By{Who: alice}, tea, ""))
		pass(time.Second)
		if l := s.RoomSeats(bobs); len(l) != 0 {
			t.Errorf("%v", l)
		}
		s.removePlace()
		if _, err := s.EnterRoom(ctx, bobs, exchange.RoomJoin{Room: tea}); err != im.ErrNoPlace {
			t.Error(err)
		}
	})
}

// The seat of a conversation ends with the session by which its owner is in the room.
func TestSeatEndsWithItsSession(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.make(alice, tea, im.RoomProps{Persists: true})
		n, seated := &client{}, &client{prompt: true}
		bobs := s.login(bob, exchange.Rings, "MSN", n)
		_, err := s.EnterRoom(ctx, bobs, exchange.RoomJoin{Room: tea})
		s.must(err)
		s.join(only[*exchange.Ring](t, n), bob, seated)
		bobs.Detach()
		pass(time.Second)
		seated.mu.Lock()
		defer seated.mu.Unlock()
		if !seated.over {
			t.Error("the seat is still there")
		}
	})
}

// Who may not enter is in no conversation either.
func TestRoomByAConversationRefused(t *testing.T) {
	bubble(t, exchange.Config{Conversations: 1}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.make(alice, tea, im.RoomProps{Persists: true, Closed: true})
		r := &client{prompt: true}
		romeos := s.login(romeo, exchange.Direct, "orchard", r)
		for range 3 { // none of them counts
			if _, err := s.EnterRoom(ctx, romeos, exchange.RoomJoin{Room: tea}); err != im.ErrNotMember {
				t.Error(err)
			}
		}
		if l := talked(r); len(l)+len(romeos.Talks()) != 0 {
			t.Errorf("told %q", l)
		}
		if _, err := romeos.Begin(ctx); err != nil {
			t.Error(err)
		}
		if _, err := s.EnterRoom(ctx, romeos, exchange.RoomJoin{Room: tea}); err != im.ErrTooMany {
			t.Error(err)
		}
	})
}

// forum is a room at another domain.
type forum struct {
	said []string
	err  error
	left int
}

func (f *forum) Say(_ context.Context, m *im.Message) error {
	f.said = append(f.said, m.From.Local()+": "+m.Neutral().Text.Reveal())
	return f.err
}

func (f *forum) Leave() { f.left++ }

// A room at another domain is the same to its user; the door acts there for them.
func TestChamberElsewhere(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		r, f := &client{prompt: true}, &forum{}
		romeos := s.login(romeo, exchange.Direct, "orchard", r)
		far := im.RoomID{Home: juliet, Name: strings.Repeat("balcony ", 20)}
		a, err := s.OpenAnnex(ctx, romeos, f, far, "", []string{"Juliet", "JULIET", "Nurse", "núrse"})
		s.must(err)
		l := talked(r)
		if len(l) != 4 || !strings.HasPrefix(l[0], "+juliet@juliet-balcony") || !strings.HasSuffix(l[0], ".room.capulet.example Juliet") || !strings.Contains(l[2], "núrse") {
			t.Errorf("%q", l)
		}
		a.Said("Juliet", said(juliet, "art thou?"))
		a.Said("Tybalt", said(juliet, "nobody says this"))
		a.Said("Nurse", message(nurse, im.Address{}, im.Request, ""))
		a.Joined("nurse")
		a.Renamed("Tybalt", "x")
		a.Left("Tybalt")
		a.Flush()
		if l := talked(r); len(l) != 1 || !strings.HasSuffix(l[0], " Juliet: art thou?") {
			t.Errorf("%q", l)
		}
		f.err = im.ErrTooActive
		v := &verdict{}
		if _, err := romeos.Say(ctx, a.Conversation(), said(romeo, "neither"), v.done); err != nil {
			t.Error(err)
		}
		v.is(t, im.ErrTooActive)
		if !slices.Equal(f.said, []string{"romeo: neither"}) {
			t.Errorf("%q", f.said)
		}
		romeos.Quit(ctx, a.Conversation())
		a.Said("Juliet", said(juliet, "too late"))
		a.Joined("x")
		a.Left("Juliet")
		a.Renamed("Juliet", "y")
		a.End()
		a.Flush()
		if l := talked(r); len(l) != 1 || f.left != 1 {
			t.Errorf("%q, left %d times", l, f.left)
		}
		// It ends there first.
		a, err = s.OpenAnnex(ctx, romeos, f, far, "", nil)
		s.must(err)
		talked(r)
		a.End()
		a.Flush()
		if l := talked(r); !slices.Equal(l, []string{"-romeo@example.com"}) || f.left != 1 {
			t.Errorf("%q, left %d times", l, f.left)
		}
		romeos.Detach()
		if _, err := s.OpenAnnex(ctx, romeos, f, far, "", nil); !errors.Is(err, im.ErrGone) {
			t.Error(err)
		}
	})
}
