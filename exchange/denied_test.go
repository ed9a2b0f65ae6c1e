package exchange

import (
	"testing"

	"parley/im"
)

// What is not sent to somebody follows from every rule about everything, not only from those that block: XEP-0016 2.13, 2.14.
func TestNothingIsSentToWhomRulesDenyEverything(t *testing.T) {
	w, a, b := pairOf(t)
	carol := im.MustAddress("carol@elsewhere.example")
	deny := im.Rule{Order: 5, By: im.ByWatch, Value: "both", What: im.Everything}
	for _, c := range []struct {
		rules     []im.Rule
		bob, some bool // denied
	}{
		{[]im.Rule{deny}, true, false},
		{[]im.Rule{{Order: 1, What: im.Messages}, deny}, true, false},
		{[]im.Rule{{Order: 1, By: im.ByAddress, Value: b.who.String(), What: im.Everything, Allow: true}, {Order: 2, What: im.Everything}}, false, true},
		{[]im.Rule{{Order: 1, By: im.ByAddress, Value: b.who.String(), What: im.Everything &^ im.Queries}}, false, false},
	} {
		must(t, w.x.PutRules(t.Context(), a.by(), im.RuleList{Name: "l", Rules: c.rules}))
		for _, set := range []func(name string) error{
			func(name string) error { return w.x.DefaultRules(t.Context(), a.by(), name) },
			a.b.client.UseRules,
		} {
			must(t, set("l"))
			s, active := a.snap(t), a.b.client.ActiveRules()
			if got := s.Denies(active, b.who, ""); got != c.bob {
				t.Errorf("%v: to bob, active %q: denied %t", c.rules, active, got)
			}
			if got := s.Denies(active, carol, ""); got != c.some {
				t.Errorf("%v: to carol, active %q: denied %t", c.rules, active, got)
			}
			if s.Denies(active, a.who, "") {
				t.Errorf("%v: alice denies herself", c.rules)
			}
			must(t, set(""))
		}
	}
}

// A request of somebody who is denied everything by any rule is no news, and is one when the rule is gone: XEP-0016 2.13.
func TestRequestsOfTheDeniedAreNotHeard(t *testing.T) {
	w := newWorld(t, 100)
	w.populate(t, "alice", "bob")
	seats := w.seats()
	a, b := seats[0], seats[2]
	must(t, a.enter(t.Context(), func(string, int) int { return 0 }))
	must(t, w.x.PutRules(t.Context(), a.by(), im.RuleList{Name: "l", Rules: []im.Rule{{Order: 1, By: im.ByWatch, Value: "none", What: im.Everything}}}))
	must(t, w.x.DefaultRules(t.Context(), a.by(), "l"))
	must(t, w.x.Ask(t.Context(), By{Who: b.who}, a.who, im.Wish{}))
	if l, err := w.x.Requests(t.Context(), a.who); err != nil || len(l) != 0 {
		t.Errorf("denied, and heard: %v, %v", l, err)
	}
	must(t, w.x.DefaultRules(t.Context(), a.by(), ""))
	if l, err := w.x.Requests(t.Context(), a.who); err != nil || len(l) != 1 {
		t.Errorf("denied no more: %v, %v", l, err)
	}
}
