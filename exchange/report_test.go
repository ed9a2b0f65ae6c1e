package exchange_test

import (
	"testing"

	"parley/exchange"
	"parley/im"
)

// Who wanted to know of words is told when they have come to a session behind another door, and only if they see that
// person; a signal that nobody can take is no error.
func TestReport(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		a, b, seat := &client{}, &client{}, &client{prompt: true}
		s.attach(alice, "home", a).SetPresence(im.Presence{State: im.Available}, nil)
		s.login(bob, exchange.Rings, "desk", b)
		ask := func(text string) *im.Message {
			m := message(alice, bob, im.Words, text)
			m.Native.Door, m.Report = "xmpp", true
			return m
		}
		s.send(ask("unseen"))
		s.join(only[*exchange.Ring](t, b), bob, seat)
		if l := take[*exchange.Report](a); len(l) != 0 {
			t.Errorf("alice does not see bob, and is told that he is there: %v", l)
		}
		s.mutual(alice, bob)
		s.send(ask("seen"))
		if d := only[*exchange.Report](t, a); d.Of.To != bob || d.Slot != "desk" || string(d.Of.Native.Body) != "seen" {
			t.Errorf("a report of %q to %v in %q", d.Of.Native.Body, d.Of.To, d.Slot)
		}
		m := ask("nobody asks")
		m.Report = false
		s.send(m)
		if l := take[*exchange.Report](a); len(l) != 0 {
			t.Errorf("nobody asked for it: %v", l)
		}
		if l := take[*exchange.Message](seat); len(l) != 3 {
			t.Errorf("the seat got %d messages", len(l))
		}
		seat.refuses = true
		s.send(message(alice, bob, im.Signal, "typing")).is(t, nil)
	})
}
