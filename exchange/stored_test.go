package exchange_test

import (
	"context"
	"testing"

	"parley/exchange"
	"parley/im"
	"parley/store"
)

// answerer answers the first thing it hears, as soon as it is flushed.
type answerer struct {
	*client
	answer func()
}

func (a *answerer) Flush() {
	a.client.Flush()
	if a.answer != nil && len(take[*exchange.Message](a.client)) > 0 {
		answer := a.answer
		a.answer = nil
		answer()
	}
}

// Who answers what was said to several is not heard before it by one who was away: draft 8.7.
func TestAnswersDoNotOvertake(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		sessions := map[im.Address]*client{}
		for _, who := range []im.Address{alice, bob, carol} {
			sessions[who] = &client{}
			s.login(who, exchange.Rings, "MSN", sessions[who])
		}
		seat := s.open(alice, &client{prompt: true})
		ring := func(who im.Address) *exchange.Ring {
			if err := seat.Call(t.Context(), who, func() {}); err != nil {
				t.Fatal(err)
			}
			return only[*exchange.Ring](t, sessions[who])
		}
		c := &answerer{client: &client{prompt: true}}
		carols := s.join(ring(carol), carol, c)
		bobs := ring(bob)
		c.answer = func() {
			s.say(carols, message(carol, im.Address{}, im.Words, "from carol")).is(t, nil)
			waits := 0
			if err := s.store.View(context.Background(), "test", func(tx *store.Tx) error {
				l, err := tx.WaitingFrom(bob, alice, 10)
				waits = len(l)
				return err
			}); err != nil || waits != 1 {
				t.Errorf("the answer is stored, and %d of what it answers (%v)", waits, err)
			}
		}
		s.say(seat, message(alice, im.Address{}, im.Words, "from alice")).is(t, nil)
		if c.answer != nil {
			t.Fatal("nobody answered")
		}
		b := &client{prompt: true}
		s.join(bobs, bob, b)
		if l := take[*exchange.Message](b); len(l) != 2 || words(l[0]) != "from alice" || words(l[1]) != "from carol" {
			t.Errorf("%d came", len(l))
		}
		s.stored(bob, 0)
	})
}

// XEP-0016 2.1, 2.4: stored words come to each session by the list that judges it.
func TestStoredWordsByTheListOfEachSession(t *testing.T) {
	for _, c := range []struct {
		what  string
		rules []im.Rule // of the default list
		uses  string    // by the session in the orchard
		late  bool      // chosen when it is there already
		heard bool      // in the orchard
		also  exchange.Ability
		ring  bool // the other session is rung
		other bool // or gets them itself
	}{
		{what: "neither denies", heard: true},
		{what: "the default list denies", rules: denial(alice)},
		{what: "the active list allows what the default one denies", rules: denial(alice), uses: "open", heard: true},
		{what: "the active list is chosen later", rules: denial(alice), uses: "open", late: true, heard: true},
		{what: "the active list denies what the default one allows", uses: "quiet"},
		{what: "another session takes them", uses: "quiet", also: exchange.Direct, other: true},
		{what: "another session does not", rules: denial(alice), uses: "open", heard: true, also: exchange.Direct},
		{what: "another session is rung", uses: "quiet", also: exchange.Rings, ring: true},
		{what: "another session is not rung", rules: denial(alice), uses: "open", heard: true, also: exchange.Rings},
		{what: "nor where nobody takes them", rules: denial(alice), also: exchange.Rings},
	} {
		t.Run(c.what, func(t *testing.T) {
			bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
				put := func(name string, rules []im.Rule) {
					t.Helper()
					if err := s.PutRules(t.Context(), exchange.By{Who: romeo}, im.RuleList{Name: name, Rules: rules}); err != nil {
						t.Fatal(err)
					}
				}
				put("open", nil)
				put("quiet", []im.Rule{{Order: 1, By: im.ByAddress, Value: alice.String(), What: im.Messages}})
				s.send(message(alice, romeo, im.Words, "hello")).is(t, nil)
				s.stored(romeo, 1)
				put("default", c.rules)
				if err := s.DefaultRules(t.Context(), exchange.By{Who: romeo}, "default"); err != nil {
					t.Fatal(err)
				}
				o, b := &client{prompt: true}, &client{prompt: true}
				orchard := s.attach(romeo, "orchard", o)
				use := func() {
					if err := orchard.UseRules(c.uses); err != nil {
						t.Fatal(err)
					}
				}
				if !c.late {
					use()
				}
				present(orchard, im.Presence{State: im.Available})
				if c.late {
					if l := take[*exchange.Message](o); len(l) != 0 {
						t.Errorf("%d came too soon", len(l))
					}
					use()
				}
				if got := len(take[*exchange.Message](o)) == 1; got != c.heard {
					t.Errorf("heard in the orchard: %t", got)
				}
				if c.also != 0 {
					s.login(romeo, c.also, "other", b)
					rung, heard := len(take[*exchange.Ring](b)) > 0, len(take[*exchange.Message](b)) > 0
					if rung != c.ring || heard != c.other {
						t.Errorf("rung: %t, heard: %t", rung, heard)
					}
				}
				left := 1
				if c.heard || c.other {
					left = 0
				}
				s.stored(romeo, left)
			})
		})
	}
}

func denial(who im.Address) []im.Rule {
	return []im.Rule{{Order: 1, By: im.ByAddress, Value: who.String(), What: im.Everything}}
}
