package exchange

import (
	"testing"

	"parley/im"
)

// XEP-0016 2.4: what a list that a session chose shows and hides counts when the session goes, when its list changes, and
// for who comes.
func TestChosenLists(t *testing.T) {
	first := func(string, int) int { return 0 }
	put := func(t *testing.T, s *seat, name string, rules ...im.Rule) {
		t.Helper()
		must(t, s.x.PutRules(t.Context(), s.by(), im.RuleList{Name: name, Rules: rules}))
	}
	hidden := func(t *testing.T) (w *world, a, b *seat) { // alice, whose default list denies bob
		w, a, b = pairOf(t)
		put(t, a, "open")
		must(t, w.x.Deny(t.Context(), a.by(), []im.Whom{{Address: b.who}}))
		must(t, a.b.client.UseRules("open"))
		if !b.believes(a.who) {
			t.Fatal("the active list shows nothing")
		}
		return w, a, b
	}
	t.Run("replaced", func(t *testing.T) {
		_, a, b := hidden(t)
		must(t, a.enter(t.Context(), first))
		if b.believes(a.who) {
			t.Error("the session went with its list, and nobody was told")
		}
	})
	t.Run("ended", func(t *testing.T) {
		_, a, b := hidden(t)
		a.leave()
		if b.believes(a.who) {
			t.Error("the session ended, and nobody was told")
		}
	})
	t.Run("who comes", func(t *testing.T) {
		w, a, _ := hidden(t)
		work := w.seats()[3]
		must(t, work.enter(t.Context(), first))
		work.present(first)
		if !work.believes(a.who) {
			t.Error("who comes is not shown the session")
		}
	})
	t.Run("edited", func(t *testing.T) {
		_, a, b := pairOf(t)
		put(t, a, "deaf", im.Rule{What: im.PresenceIn})
		must(t, a.b.client.UseRules("deaf"))
		if a.believes(b.who) {
			t.Fatal("it hears what it denies")
		}
		put(t, a, "deaf")
		if !a.believes(b.who) {
			t.Error("it does not hear what is denied no more")
		}
	})
}

// XEP-0016 2.10: whoever does not hear one of somebody's sessions does not hear of it by the presence of all, either.
func TestOneSessionIsNotHeard(t *testing.T) {
	w, a, b := pairOf(t)
	must(t, w.x.Deny(t.Context(), a.by(), []im.Whom{{Address: b.who, Slot: "work"}}))
	work := w.seats()[3]
	must(t, work.enter(t.Context(), func(string, int) int { return 0 }))
	work.present(func(string, int) int { return 0 })
	b.present(func(what string, _ int) int { return map[string]int{"state": 3}[what] })
	a.b.mu.Lock()
	defer a.b.mu.Unlock()
	if p := a.b.persons[b.who].Merged; p.State != im.Away || len(a.b.slots[b.who]) != 1 {
		t.Errorf("bob is believed to be %v, in %v", p.State, a.b.slots[b.who])
	}
}

// Who is denied to be heard by the very act that ends their being shown is seen to go: XEP-0016 2.10.
func TestGoneWithTheDenial(t *testing.T) {
	w, a, b := pairOf(t)
	must(t, w.x.PutRules(t.Context(), a.by(), im.RuleList{Name: "friends", Rules: []im.Rule{{By: im.ByWatch, Value: "none", What: im.PresenceIn}}}))
	must(t, w.x.DefaultRules(t.Context(), a.by(), "friends"))
	if !a.believes(b.who) {
		t.Fatal("a friend is not heard")
	}
	must(t, w.x.RemoveItem(t.Context(), a.by(), b.who))
	if a.believes(b.who) {
		t.Error("who is no friend any more is still believed to be there")
	}
}
