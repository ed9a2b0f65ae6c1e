package exchange_test

import (
	"testing"

	"parley/exchange"
	"parley/im"
)

// TestAttend: while a session attends a conversation, it hears what is said there whatever its presence, and no other of
// its account does; then those hear it again that take messages. XEP-0045 7.4, 7.14
func TestAttend(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		a, desk, phone, r := &client{prompt: true}, &client{prompt: true}, &client{prompt: true}, &client{prompt: true}
		first := s.login(alice, exchange.Direct, "a", a)
		s.login(bob, exchange.Direct, "desk", desk)
		second := s.login(bob, exchange.Direct, "phone", phone)
		s.login(romeo, exchange.Direct, "r", r)
		id, err := first.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := second.Attend(id, true); err != im.ErrGone {
			t.Errorf("who is not in it attends: %v", err)
		}
		for _, who := range []im.Address{bob, romeo} {
			if err := first.Invite(t.Context(), id, who); err != nil {
				t.Fatal(err)
			}
		}
		say := func(text string, atDesk, atPhone int) {
			t.Helper()
			v := &verdict{}
			if _, err := first.Say(t.Context(), id, message(alice, im.Address{}, im.Words, text), v.done); err != nil {
				t.Fatal(err)
			}
			first.Flush()
			v.is(t, nil)
			if d, p := len(take[*exchange.Message](desk)), len(take[*exchange.Message](phone)); d != atDesk || p != atPhone {
				t.Errorf("%s: heard %d times at the desk and %d on the phone, want %d and %d", text, d, p, atDesk, atPhone)
			}
		}
		say("to all", 1, 1)
		if err := second.Attend(id, true); err != nil {
			t.Fatal(err)
		}
		say("to the phone", 0, 1)
		second.SetPresence(im.Presence{State: im.Available, Priority: -1}, nil)
		second.Flush()
		say("still", 0, 1)
		if err := second.Attend(id, false); err != nil {
			t.Fatal(err)
		}
		say("to the desk", 1, 0)
		if err := second.Attend(id, true); err != nil {
			t.Fatal(err)
		}
		second.Detach()
		say("since it has ended", 1, 0)
		first.Quit(t.Context(), id)
		if err := first.Attend(id, true); err != im.ErrGone {
			t.Errorf("who has left attends: %v", err)
		}
	})
}
