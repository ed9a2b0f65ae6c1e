package exchange

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"parley/im"
)

// TestRulesAreBelieved has people who see each other make rules, choose lists, come and go.
func TestRulesAreBelieved(t *testing.T) {
	w := newWorld(t, 100)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		w.populate(t, fmt.Sprint("anna", run), fmt.Sprint("bert", run))
		seats := w.seats()
		first := func(string, int) int { return 0 }
		for i, s := range seats {
			if err := s.enter(t.Context(), first); err != nil {
				rt.Fatal(err)
			}
			s.present(first)
			other := seats[(i+2)%4].who
			if err := w.x.Answer(t.Context(), By{Who: s.who}, other); err != nil {
				rt.Fatal(err)
			}
			if err := w.x.Ask(t.Context(), By{Who: s.who}, other, im.Wish{}); err != nil {
				rt.Fatal(err)
			}
		}
		for _, n := range rapid.SliceOfN(rapid.Uint64(), 3, 25).Draw(rt, "acts") {
			var picked []string
			pick := func(what string, of int) int {
				i := int(n % uint64(of))
				n /= uint64(of)
				picked = append(picked, fmt.Sprint(what, " ", i))
				return i
			}
			s := seats[pick("seat", len(seats))]
			other := w.people[pick("other", len(w.people))]
			var err error
			switch by := (By{Who: s.who, Client: s.b.client}); pick("act", 8) {
			case 0:
				err = s.rosterAct(t.Context(), by, other, pick)
			case 1:
				err = s.enter(t.Context(), pick)
			case 2:
				s.present(pick)
			default:
				err = s.ruleAct(t.Context(), by, other, pick)
			}
			rt.Log(s.who, s.slot, picked, err)
			if err != nil && !refused(err) {
				rt.Fatal(err)
			}
		}
		w.check(t.Context(), seats, rt.Fatalf)
		for _, s := range seats {
			s.leave()
		}
	})
}

// pairOf are two people who see each other, both there at home.
func pairOf(t *testing.T, cfg ...func(*Config)) (w *world, a, b *seat) {
	w = newWorld(t, 100)
	for _, f := range cfg {
		f(&w.x.cfg)
	}
	w.populate(t, "alice", "bob")
	seats := w.seats()
	a, b = seats[0], seats[2]
	for _, p := range [][2]*seat{{a, b}, {b, a}} {
		s, other := p[0], p[1].who
		must(t, s.enter(t.Context(), func(string, int) int { return 0 }))
		must(t, w.x.Answer(t.Context(), By{Who: s.who}, other))
		must(t, w.x.Ask(t.Context(), By{Who: s.who}, other, im.Wish{}))
		s.present(func(string, int) int { return 0 })
	}
	return w, a, b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, err, kind error) {
	t.Helper()
	if err != kind {
		t.Errorf("the error is %v, want %v", err, kind)
	}
}

// believes reports whether a session believes that somebody is there, in any slot.
func (s *seat) believes(who im.Address) bool {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	_, person := s.b.persons[who]
	return person && len(s.b.slots[who]) > 0
}

func (s *seat) by() By { return By{Who: s.who, Client: s.b.client} }

func (s *seat) snap(t *testing.T) *Snapshot {
	t.Helper()
	snap, err := s.x.Snapshot(t.Context(), s.who)
	must(t, err)
	return snap
}

// XEP-0191 3.3, 3.4: who is blocked sees the user go, and the user does not hear of them; unblocked, both come back.
func TestBlockIsAbsence(t *testing.T) {
	for _, kind := range []im.Whom{{Address: im.MustAddress("bob@example.com")}, {Address: im.MustAddress("example.com")},
		{Address: im.MustAddress("bob@example.com"), Slot: "home"}} {
		t.Run(kind.String(), func(t *testing.T) {
			w, a, b := pairOf(t)
			if !a.believes(b.who) || !b.believes(a.who) {
				t.Fatal("they do not see each other")
			}
			must(t, w.x.Deny(t.Context(), a.by(), []im.Whom{kind, kind}))
			if a.believes(b.who) || b.believes(a.who) {
				t.Errorf("blocked: alice sees bob: %t, bob sees alice: %t", a.believes(b.who), b.believes(a.who))
			}
			snap := a.snap(t)
			if l := snap.Blocked(); len(l) != 1 || l[0] != kind || !snap.Denies("", b.who, "home") {
				t.Errorf("blocked are %v", l)
			}
			if e := b.snap(t).Entry(a.who); e.Side.Watch != im.WatchGranted {
				t.Error("a block changed a watch")
			}
			must(t, w.x.Undeny(t.Context(), a.by(), []im.Whom{kind, {Address: im.MustAddress("nobody@example.com")}}))
			if snap = a.snap(t); !a.believes(b.who) || !b.believes(a.who) || len(snap.Lists) != 0 {
				t.Errorf("unblocked: %t, %t, %v", a.believes(b.who), b.believes(a.who), snap.Lists)
			}
		})
	}
}

func TestBlocksAreOneAct(t *testing.T) {
	w, a, b := pairOf(t, func(c *Config) { c.Contacts = 4 })
	nobody := im.Whom{Address: im.MustAddress("nobody@elsewhere.example")}
	want(t, w.x.Deny(t.Context(), a.by(), []im.Whom{{Address: b.who}, {Address: a.who}}), im.ErrBadAddress)
	want(t, w.x.Deny(t.Context(), a.by(), []im.Whom{{Address: b.who}, nobody, {Address: nobody.Address, Slot: "1"}, {Address: nobody.Address, Slot: "2"}, {Address: nobody.Address, Slot: "3"}}), im.ErrListFull)
	if len(a.snap(t).Blocked()) != 0 || !b.believes(a.who) {
		t.Error("half of an act was done")
	}
	serial := a.snap(t).Serial
	must(t, w.x.Deny(t.Context(), a.by(), []im.Whom{{Address: b.who}, nobody}))
	want(t, w.x.Block(t.Context(), a.by(), b.who, "", false), im.ErrAlready)
	if now := a.snap(t).Serial; now <= serial {
		t.Errorf("the serial is %d after %d", now, serial)
	}
	serial = a.snap(t).Serial
	must(t, w.x.Deny(t.Context(), a.by(), []im.Whom{nobody}))
	must(t, w.x.Undeny(t.Context(), a.by(), nil))
	if now := a.snap(t).Serial; now != serial {
		t.Error("nothing was done, and a serial went up")
	}
	went, err := w.x.UnblockAll(t.Context(), a.by())
	if must(t, err); len(went) != 2 || !b.believes(a.who) {
		t.Errorf("unblocked %v", went)
	}
	if went, err = w.x.UnblockAll(t.Context(), a.by()); err != nil || went != nil {
		t.Errorf("nobody is blocked, and %v unblocked: %v", went, err)
	}
}

// XEP-0016 2.4: the list that a session chose judges it alone, over the default one.
func TestActiveListJudgesItsSession(t *testing.T) {
	w, a, b := pairOf(t)
	must(t, w.x.PutRules(t.Context(), a.by(), im.RuleList{Name: "invisible", Rules: []im.Rule{{Order: 1, What: im.PresenceOut}}}))
	must(t, w.x.PutRules(t.Context(), a.by(), im.RuleList{Name: "open"}))
	want(t, a.b.client.UseRules("none such"), im.ErrNotOnList)
	must(t, a.b.client.UseRules("invisible"))
	if b.believes(a.who) || !a.believes(b.who) || a.b.client.ActiveRules() != "invisible" {
		t.Error("the active list hides nothing, or too much")
	}
	work := w.seats()[1]
	must(t, work.enter(t.Context(), func(string, int) int { return 0 }))
	work.present(func(string, int) int { return 0 })
	if !b.believes(a.who) {
		t.Error("it judges another session")
	}
	b.b.mu.Lock()
	if _, there := b.b.slots[a.who]["home"]; there {
		t.Error("the session came back with the other")
	}
	b.b.mu.Unlock()
	must(t, w.x.Deny(t.Context(), work.by(), []im.Whom{{Address: b.who}}))
	must(t, a.b.client.UseRules("open"))
	b.b.mu.Lock()
	if l := b.b.slots[a.who]; len(l) != 1 || l["home"].State != im.Available {
		t.Errorf("the default list blocks, the active one does not: bob sees %v", l)
	}
	b.b.mu.Unlock()
	if snap := a.snap(t); !snap.Judge("open", im.Subject{Who: b.who, What: im.Queries}) || snap.Judge("", im.Subject{Who: b.who, What: im.Queries}) ||
		snap.Denies("open", b.who, "") || !snap.Denies("", b.who, "") || !snap.Judge("", im.Subject{Who: a.who, What: im.Queries}) {
		t.Error("judged by the wrong list")
	}
	must(t, a.b.client.UseRules(""))
	if b.believes(a.who) {
		t.Error("without an active list, the default one does not judge")
	}
}

// XEP-0016 2.5, 2.8: lists that judge other sessions stay as they are.
func TestListsInUse(t *testing.T) {
	w, a, _ := pairOf(t)
	ctx, x, by := t.Context(), w.x, a.by()
	for _, name := range []string{"one", "two"} {
		must(t, x.PutRules(ctx, by, im.RuleList{Name: name, Rules: []im.Rule{{Order: 7, What: im.Queries}}}))
	}
	want(t, x.DefaultRules(ctx, by, "none such"), im.ErrNotOnList)
	want(t, x.DeleteRules(ctx, by, "none such"), im.ErrNotOnList)
	must(t, x.DefaultRules(ctx, by, ""))
	must(t, x.DefaultRules(ctx, by, "one"))
	must(t, x.DefaultRules(ctx, by, "one"))
	must(t, x.DefaultRules(ctx, by, "two")) // its own session alone
	work := w.seats()[1]
	must(t, work.enter(ctx, func(string, int) int { return 0 }))
	want(t, x.DefaultRules(ctx, by, "one"), im.ErrOpposite)
	want(t, x.DefaultRules(ctx, by, ""), im.ErrOpposite)
	want(t, x.DeleteRules(ctx, by, "two"), im.ErrOpposite)
	must(t, work.b.client.UseRules("one"))
	want(t, x.DeleteRules(ctx, by, "one"), im.ErrOpposite)
	must(t, x.DefaultRules(ctx, by, ""))
	must(t, x.DeleteRules(ctx, by, "two"))
	must(t, x.DeleteRules(ctx, work.by(), "one"))
	if name := work.b.client.ActiveRules(); name != "" || len(a.snap(t).Lists) != 0 {
		t.Errorf("a list that is gone, %q, judges", name)
	}
}

func TestRulesThatCannotBe(t *testing.T) {
	w, a, _ := pairOf(t, func(c *Config) { c.Rules, c.RuleLists = 3, 2 })
	put := func(name string, rules ...im.Rule) error {
		return w.x.PutRules(t.Context(), a.by(), im.RuleList{Name: name, Default: true, Rules: rules})
	}
	all := func(order int64) im.Rule { return im.Rule{Order: order, What: im.Everything} }
	for _, r := range []im.Rule{{}, {What: 16}, {What: im.Messages, Value: "x"}, {What: im.Messages, By: im.ByAddress, Value: "@"},
		{What: im.Messages, By: im.BySession, Value: "bob@example.com/"}, {What: im.Messages, By: im.ByWatch, Value: "maybe"},
		{What: im.Messages, By: im.ByGroup}, {What: im.Messages, By: im.ByWatch + 1}} {
		want(t, put("odd", r), im.ErrBadName)
	}
	want(t, put(""), im.ErrBadName)
	want(t, put("twice", all(1), all(1)), im.ErrBadName)
	want(t, put("groups", im.Rule{What: im.Messages, By: im.ByGroup, Group: 9}), im.ErrUnknownGroup)
	must(t, put("one", im.Rule{Order: 2, What: im.Messages, By: im.ByAddress, Value: "EXAMPLE.com"}, all(1)))
	if l := a.snap(t).Lists; len(l) != 1 || l[0].Default || l[0].Rules[0] != all(1) || l[0].Rules[1].By != im.ByDomain || l[0].Rules[1].Value != "example.com" {
		t.Errorf("kept as %+v", l)
	}
	want(t, put("two", all(1), all(2)), im.ErrListFull)
	must(t, put("two"))
	want(t, put("three"), im.ErrListFull)
	must(t, put("one", all(1), all(2), all(3)))
	must(t, w.x.DeleteRules(t.Context(), a.by(), "two"))
	must(t, w.x.Block(t.Context(), a.by(), im.MustAddress("bob@example.com"), "", false))
	must(t, put("one", all(1), all(2), all(3))) // blocks count elsewhere
	want(t, put("one", all(1), all(2), all(3), all(4)), im.ErrListFull)
}

// A rule of a client's that denies somebody everything is a block where nothing comes before it, and what
// it brings to the lists of both is told.
func TestRulesAreBlocks(t *testing.T) {
	w, a, b := pairOf(t)
	deny := im.Rule{Order: 5, By: im.ByAddress, Value: b.who.String(), What: im.Everything}
	must(t, w.x.PutRules(t.Context(), a.by(), im.RuleList{Name: "mine", Rules: []im.Rule{deny}}))
	if !b.believes(a.who) || a.snap(t).Entry(b.who).Side.Denied {
		t.Error("a list that judges nobody blocks")
	}
	must(t, w.x.DefaultRules(t.Context(), a.by(), "mine"))
	if b.believes(a.who) || !a.snap(t).Entry(b.who).Side.Denied || b.snap(t).Entry(a.who).Sees {
		t.Error("the rule does not block")
	}
	must(t, w.x.PutRules(t.Context(), a.by(), im.RuleList{Name: "mine", Rules: []im.Rule{{Order: 1, By: im.ByWatch, Value: "both", What: im.Everything, Allow: true}, deny}}))
	if !b.believes(a.who) || a.snap(t).Entry(b.who).Side.Denied {
		t.Error("a rule before it does not count")
	}
	must(t, w.x.Block(t.Context(), a.by(), b.who, "Bob", false))
	if l := a.snap(t).Lists; len(l) != 1 || len(l[0].Rules) != 3 || b.believes(a.who) {
		t.Errorf("blocked in %+v", l)
	}
	went, err := w.x.UnblockAll(t.Context(), a.by())
	if must(t, err); !slices.Equal(went, []im.Whom{{Address: b.who}}) || !b.believes(a.who) {
		t.Errorf("unblocked %v", went)
	}
	w.check(t.Context(), []*seat{a, b}, t.Fatalf)
}

// A list that a session chooses says what it hears of, too; the next session in its slot has no list.
func TestActiveListIsForHearing(t *testing.T) {
	w, a, b := pairOf(t)
	must(t, w.x.PutRules(t.Context(), a.by(), im.RuleList{Name: "deaf", Rules: []im.Rule{{Order: 1, What: im.PresenceIn | im.PresenceOut}}}))
	must(t, a.b.client.UseRules("deaf"))
	if a.believes(b.who) || b.believes(a.who) {
		t.Error("a session hears or shows what its list denies")
	}
	must(t, a.b.client.UseRules(""))
	if !a.believes(b.who) || !b.believes(a.who) {
		t.Error("a session does not hear or show what no list denies")
	}
	must(t, w.x.PutRules(t.Context(), a.by(), im.RuleList{Name: "shy", Rules: []im.Rule{{Order: 1, By: im.ByAddress, Value: "x@example.com", What: im.PresenceOut}}}))
	must(t, a.b.client.UseRules("shy"))
	must(t, a.enter(t.Context(), func(string, int) int { return 0 }))
	if b.believes(a.who) || a.b.client.ActiveRules() != "" {
		t.Error("a new session is shown as the old one was, by rules that it has not")
	}
}
