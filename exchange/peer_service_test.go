package exchange_test

import (
	"testing"

	"parley/exchange"
	"parley/im"
)

// Words of ours go to the domain that they go to first, whoever they are for, wait for it, and come back for ours; who is
// told of it is told how ours are, and what they do to each other. SSP 2.2
func TestElsewhere(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		ctx, p := t.Context(), s.peer()
		var shown []*exchange.Presence
		var changed []*exchange.Change
		s.SetElsewhere(exchange.Elsewhere{Messages: "capulet.example",
			Shown: func(n *exchange.Presence) { shown = append(shown, n) },
			Changed: func(c *exchange.Change) {
				if !c.Who.IsZero() {
					changed = append(changed, c)
				}
			}})
		r, a := &client{prompt: true}, &client{prompt: true}
		s.login(romeo, exchange.Direct, "orchard", r)
		s.login(alice, exchange.Direct, "home", a)
		if len(shown) != 2 || shown[0].Who != romeo || shown[0].Merged.State != im.Available {
			t.Errorf("shown %v", shown)
		}
		n := 0
		s.EachShown(func(*exchange.Presence) { n++ })
		if n != 2 {
			t.Errorf("%d are shown", n)
		}
		capulet := im.TrustedAddress("alice example.com@capulet.example")
		m := message(romeo, alice, im.Words, "first there")
		m.Native.Door = "xmpp"
		s.send(m).is(t, nil) // nobody listens there: it waits
		s.stored(capulet, 1)
		far, fars := s.user(p, capulet)
		fars.prompt = false
		far.SetDeaf(false)
		d := only[*exchange.Message](t, fars)
		meant, ok := exchange.Meant(d.Message)
		if !ok || meant.To != alice || words(d) != "first there" {
			t.Errorf("%v, %v", meant, ok)
		}
		if len(take[*exchange.Message](a)) != 0 {
			t.Error("alice has it already")
		}
		d.Refuse(im.ErrUnknownUser) // later than it was accepted
		if w := only[*exchange.Report](t, r); w.Of.To != alice || w.Why != im.ErrUnknownUser {
			t.Errorf("romeo is told %+v", w)
		}
		v := s.send(message(romeo, alice, im.Words, "again"))
		only[*exchange.Message](t, fars).Done()
		v.is(t, nil)
		var b exchange.Batch
		s.SendHere(ctx, &b, message(romeo, alice, im.Words, "back"), func(err error) { s.must(err) })
		b.Flush()
		if m := only[*exchange.Message](t, a); words(m) != "back" || m.From != romeo {
			t.Errorf("%q", words(m))
		}
		s.must(s.Ask(ctx, exchange.By{Who: romeo}, alice, im.Wish{}))
		if len(changed) != 2 {
			t.Errorf("%d changes", len(changed))
		}
		s.SetElsewhere(exchange.Elsewhere{})
		s.send(message(romeo, alice, im.Words, "straight")).is(t, nil)
		only[*exchange.Message](t, a)
	})
}
