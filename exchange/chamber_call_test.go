package exchange_test

import (
	"testing"
	"time"

	"parley/exchange"
	"parley/im"
)

// Who is called into a room enters it when they come, and is shown what the room shows. SSP 13.2.3
func TestCalledIntoARoom(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.make(alice, tea, im.RoomProps{Persists: true, Name: "Tea time", Topic: "Assam", Welcome: im.RoomWelcome{Text: "Sit down"}})
		a, ac := s.enter(alice, exchange.RoomJoin{Nick: "Al", Notices: true})
		r := &client{prompt: true}
		romeos := s.login(romeo, exchange.Direct, "orchard", r)
		call := func() (*verdict, func()) {
			t.Helper()
			v := &verdict{}
			withdraw, err := s.CallIntoRoom(ctx, romeos, exchange.RoomJoin{Room: tea, Nick: "Ro"}, "", "", v.done)
			s.must(err)
			return v, withdraw
		}
		conversation := func() int64 {
			t.Helper()
			for _, d := range take[*exchange.Joined](r) {
				if d.Who == romeo {
					return d.Conversation
				}
			}
			t.Fatal("romeo is in no conversation")
			return 0
		}
		// he comes
		v, withdraw := call()
		id := conversation()
		if len(s.RoomSeats(romeos)) != 0 {
			t.Error("he is in before he comes")
		}
		s.must(romeos.Attend(id, true))
		s.must(romeos.Attend(id, true))
		pass(time.Second)
		v.is(t, nil)
		hears(t, ac, "+Ro=romeo")
		hearsTalk(t, r, "+al@tea.room.example.com Al", "tea@room.example.com tea: Sit down", "tea@room.example.com tea: Topic: Assam")
		s.must(s.SetRoomProps(ctx, exchange.By{Who: alice}, tea, func(p *im.RoomProps) error { p.Topic = "Darjeeling"; return nil }))
		s.must(s.SetRoomProps(ctx, exchange.By{Who: alice}, tea, func(p *im.RoomProps) error { p.Welcome.Text = "Up"; return nil }))
		hearsTalk(t, r, "tea@room.example.com tea: Topic: Darjeeling")
		if ok, err := romeos.Whisper(ctx, id, im.MustAddress("al@tea.room.example.com"), said(romeo, "psst")); !ok || err != nil {
			t.Error(ok, err)
		}
		hears(t, ac, "props Darjeeling", "props Darjeeling", "Ro=romeo to Al: psst")
		for who, at := range map[im.Address]int64{alice: id, im.MustAddress("al@tea.room.example.com"): id + 1} {
			if ok, _ := romeos.Whisper(ctx, at, who, said(romeo, "psst")); ok {
				t.Errorf("said to %s in %d", who, at)
			}
		}
		withdraw() // too late
		if len(s.RoomSeats(romeos)) != 1 {
			t.Error("he is out")
		}
		romeos.Quit(ctx, id)
		talked(r)
		inRoom(ac)
		// he does not want to
		v, _ = call()
		romeos.Quit(ctx, conversation())
		v.is(t, im.ErrAbsent)
		talked(r)
		// it is taken back
		v, withdraw = call()
		withdraw()
		withdraw()
		v.is(t, im.ErrAbsent)
		talked(r)
		// the room does not let him
		s.must(s.SetRoomProps(ctx, exchange.By{Who: alice}, tea, func(p *im.RoomProps) error { p.Closed = true; return nil }))
		v, _ = call()
		id = conversation()
		s.must(romeos.Attend(id, true))
		pass(time.Second)
		v.is(t, im.ErrNotMember)
		if _, ok := romeos.Talk(id); ok {
			t.Error("the conversation goes on")
		}
		s.must(a.Leave())
		if c := s.Talker(romeo); c != romeos {
			t.Error("romeo does not talk")
		}
		if s.Talker(bob) != nil {
			t.Error("bob talks")
		}
	})
}

// Who takes a seat comes with that.
func TestCalledToASeat(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx := t.Context()
		s.make(alice, tea, im.RoomProps{Persists: true, Welcome: im.RoomWelcome{Text: "Sit down"}})
		_, ac := s.enter(alice, exchange.RoomJoin{Nick: "Al", Notices: true})
		n, seated := &client{}, &client{prompt: true}
		bobs := s.login(bob, exchange.Rings, "MSN", n)
		v := &verdict{}
		_, err := s.CallIntoRoom(ctx, bobs, exchange.RoomJoin{Room: tea, Nick: "Bob"}, "Tea at alice's", "Alice asks", v.done)
		s.must(err)
		ring := only[*exchange.Ring](t, n)
		if ring.FromName != "Tea at alice's" {
			t.Errorf("%+v", ring)
		}
		seat := s.join(ring, bob, seated)
		pass(time.Second)
		v.is(t, nil)
		hears(t, ac, "+Bob=bob")
		hearsTalk(t, seated, "tea@room.example.com Tea at alice's: Alice asks", "+al@tea.room.example.com Al", "tea@room.example.com Tea at alice's: Sit down")
		seat.Leave()
		hears(t, ac, "-Bob=bob")
		// nobody answers
		v = &verdict{}
		_, err = s.CallIntoRoom(ctx, bobs, exchange.RoomJoin{Room: tea, Nick: "Bob"}, "", "", v.done)
		s.must(err)
		pass(2 * time.Minute)
		v.is(t, im.ErrAbsent)
		hears(t, ac)
	})
}
