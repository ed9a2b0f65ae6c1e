package im

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(1999, 7, 22, 12, 0, 0, 0, time.UTC)

// act is one thing that one of the two can do, or that happens to their side.
type act struct {
	name string
	do   func(Pair) (Pair, error)
}

func always(f func(Pair) Pair) func(Pair) (Pair, error) {
	return func(p Pair) (Pair, error) { return f(p), nil }
}

func defaultTo(d Default) func(Pair) (Pair, error) {
	return func(p Pair) (Pair, error) { p.MySettings.Presence = d; return p, nil }
}

var acts = []act{
	{"list", always(Pair.List)},
	{"ask", Pair.Ask},
	{"answer", always(Pair.Answer)},
	{"admit", Pair.Admit},
	{"refuse", always(Pair.Refuse)},
	{"disallow", Pair.Disallow},
	{"unwatch", always(Pair.Unwatch)},
	{"forget", func(p Pair) (Pair, error) { return p.Forget(noon) }},
	{"expire", func(p Pair) (Pair, error) { return p.Expired(noon.Add(Linger)), nil }},
	{"remove", Pair.Remove},
	{"block", Pair.Block},
	{"unblock", Pair.Unblock},
	{"open", always(Pair.Opened)},
	{"close", defaultTo(DefaultAsk)},
	{"sever", always(Pair.Severed)},
}

// ofBoth are the acts of me, and the same of the other.
func ofBoth() (l []act) {
	for _, a := range acts {
		l = append(l, a, act{"their " + a.name, func(p Pair) (Pair, error) {
			after, err := a.do(p.Turned())
			return after.Turned(), err
		}})
	}
	return l
}

// bare is a pair without names and groups, to be the key of a map.
type bare struct {
	mine, theirs              bareSide
	mySettings, theirSettings Settings
}

type bareSide struct {
	contact, denied, ends bool
	watch                 Watch
	access                Access
}

func (s Side) bare() bareSide {
	return bareSide{s.Contact, s.Denied, !s.AccessEnds.IsZero(), s.Watch, s.Access}
}

func (p Pair) bare() bare {
	return bare{p.Mine.bare(), p.Theirs.bare(), p.MySettings, p.TheirSettings}
}

func (p Pair) equal(o Pair) bool {
	return p.Mine.Equal(o.Mine) && p.Theirs.Equal(o.Theirs) && p.MySettings == o.MySettings && p.TheirSettings == o.TheirSettings
}

// step is one act on one of all the pairs that acts can lead to.
type step struct {
	before, after Pair
	act           string
	err           error
}

func (s step) String() string {
	return fmt.Sprintf("%s (%v):\n\t%+v\n\t%+v", s.act, s.err, s.before, s.after)
}

// mine reports that it is my own act, and one of these.
func (s step) mine(names ...string) bool {
	return slices.Contains(names, s.act)
}

func (s step) turned() step {
	name, theirs := strings.CutPrefix(s.act, "their ")
	if !theirs {
		name = "their " + name
	}
	return step{s.before.Turned(), s.after.Turned(), name, s.err}
}

// everything gives all pairs that acts lead to from nothing, and all acts on them.
var everything = sync.OnceValues(func() (pairs []Pair, steps []step) {
	both := ofBoth()
	seen := map[bare]bool{Pair{}.bare(): true}
	for pairs = []Pair{{}}; len(steps) < len(pairs)*len(both); {
		before := pairs[len(steps)/len(both)]
		for _, a := range both {
			after, err := a.do(before)
			steps = append(steps, step{before, after, a.name, err})
			if k := after.bare(); !seen[k] {
				seen[k] = true
				pairs = append(pairs, after)
			}
		}
	}
	return pairs, steps
})

func everyPair() []Pair { pairs, _ := everything(); return pairs }
func everyStep() []step { _, steps := everything(); return steps }

func TestWhatHoldsOfEveryPair(t *testing.T) {
	for _, p := range everyPair() {
		holds(t.Fatalf, p)
		holds(t.Fatalf, p.Turned())
	}
}

// holds says what is true of my side whatever happened.
func holds(fail func(string, ...any), p Pair) {
	me, they := p.Mine, p.Theirs
	letIn := letsIn(me, p.MySettings)
	for _, c := range []struct {
		why string
		ok  bool
	}{
		{"who watches has a contact", me.Watch == WatchNone || me.Contact},
		{"the Forward List is who I watch", me.Listed() == (me.Watch != WatchNone)},
		{"my Reverse List mirrors their Forward List", p.EntryOf(Address{}, "", true).Watching() == they.Listed()},
		{"who sees watches", !p.ISee() || me.Watch != WatchNone},
		{"who sees is granted", !p.ISee() || me.Watch == WatchGranted},
		{"who is denied sees nothing", !p.ISee() || !they.Denied},
		{"who is refused sees nothing", !p.ISee() || they.Access != AccessRefused},
		{"who is refused is not granted", they.Watch != WatchGranted || me.Access != AccessRefused},
		{"nobody asks who lets them in", they.Watch != WatchAsked || !letIn},
		{"an answer lasts as long as a watch", me.Access != AccessAnswered || they.Watch == WatchGranted || !me.AccessEnds.IsZero()},
		{"only an answer without a watch ends", me.AccessEnds.IsZero() || me.Access == AccessAnswered && they.Watch == WatchNone},
		{"nobody is allowed and blocked", !me.Allowed() || !me.Denied},
		{"an item is a contact or somebody let in", me.Item() == (me.Contact || me.Access == AccessAnswered || me.Access == AccessLasting)},
		{"turning twice is nothing", p.Turned().Turned().equal(p)},
		{"seeing and being seen are one", p.EntryOf(Address{}, "", true).Seen == p.Turned().EntryOf(Address{}, "", true).Sees},
		{"who is denied writes nothing", !me.Denied || !p.Turned().IMayWrite()},
		{"who is let in by an answer writes", !me.Allowed() || p.Turned().IMayWrite()},
		{"what is kept of nobody is nothing", p.EntryOf(Address{}, "", true).IsZero() == (me.IsZero() && they.Watch == WatchNone)},
		{"a name stands by a contact", me.Contact || me.Alias == "" && me.LastName == "" && len(me.Groups) == 0},
		{"a name stands by an answer", me.Access.admits() || me.AccessName == ""},
		{"a name stands by a denial", me.Denied || me.DeniedName == ""},
	} {
		if !c.ok {
			fail("%s:\n%+v", c.why, p)
		}
	}
}

func TestWhatActsChange(t *testing.T) {
	for _, s := range everyStep() {
		for _, s := range []step{s, s.turned()} {
			was, is := s.before, s.after
			for _, c := range []struct {
				why string
				ok  bool
			}{
				{"an act refused changes nothing", s.err == nil || is.equal(was)},
				{"an item goes only by its owner's remove, REM FL or REM AL",
					!was.Mine.Item() || is.Mine.Item() || s.mine("remove", "forget", "disallow", "their sever")},
				{"an account that goes takes its own items only", s.act != "sever" || was.Mine.Item() == is.Mine.Item()},
				{"an item comes only by its owner", was.Mine.Item() || !is.Mine.Item() || s.mine("list", "ask", "answer", "admit")},
				{"access that ends otherwise leaves a contact", !was.Mine.Access.admits() || is.Mine.Access.admits() || is.Mine.Contact ||
					s.mine("remove", "disallow", "their sever")},
				{"a watch begins only by asking", was.Mine.Watch != WatchNone || is.Mine.Watch == WatchNone || s.mine("ask")},
				{"a watch ends only so", was.Mine.Watch == WatchNone || is.Mine.Watch != WatchNone ||
					s.mine("unwatch", "forget", "remove", "their refuse", "their remove", "sever", "their sever")},
				{"a watch is granted only by who is let in", was.Mine.Watch == WatchGranted || is.Mine.Watch != WatchGranted ||
					s.mine("ask", "their answer", "their admit", "their open") && letsIn(is.Theirs, is.TheirSettings)},
				{"what was granted is not asked again", was.Mine.Watch != WatchGranted || is.Mine.Watch != WatchAsked},
				{"only I answer", was.Mine.Access == is.Mine.Access ||
					!strings.HasPrefix(s.act, "their ") || s.mine("their unwatch", "their remove", "their sever")},
				{"only I block", was.Mine.Denied == is.Mine.Denied || s.mine("block", "unblock", "their sever")},
				{"only I list", was.Mine.Contact || !is.Mine.Contact || !strings.HasPrefix(s.act, "their ") || was.Mine.Item()},
				{"no act but these two changes a default", was.MySettings == is.MySettings || s.mine("open", "close")},
				{"refused stays until I change it", was.Mine.Access != AccessRefused || is.Mine.Access == AccessRefused ||
					s.mine("answer", "admit", "sever", "their sever")},
			} {
				if !c.ok {
					t.Fatalf("%s: %v", c.why, s)
				}
			}
		}
	}
}

func TestBlockingChangesNothingElse(t *testing.T) {
	for _, s := range everyStep() {
		if s.mine("block", "unblock") {
			if s.err != nil != (s.before.Mine.Denied == (s.act == "block")) {
				t.Fatalf("not said: %v", s)
			}
			again := s.after
			again.Mine.Denied, again.Mine.DeniedName = s.before.Mine.Denied, s.before.Mine.DeniedName
			if !again.equal(s.before) {
				t.Fatalf("changes more: %v", s)
			}
			if s.act == "block" && (s.after.Turned().ISee() || s.after.Turned().IMayWrite()) {
				t.Fatalf("still sees: %v", s)
			}
		}
	}
}

// How MSN Messenger blocks and unblocks somebody: draft 7.8, 7.9.
func TestBlockingAndUnblockingAsMessengerDoes(t *testing.T) {
	n := 0
	for _, p := range everyPair() {
		if !p.Mine.Allowed() || !p.Mine.AccessEnds.IsZero() {
			continue
		}
		n++
		p.Mine.AccessName = "Bob"
		blocked := must(t)(must(t)(p.Disallow()).Block())
		if blocked.Turned().ISee() || blocked.Theirs.Watch != p.Theirs.Watch || blocked.Mine.Listed() != p.Mine.Listed() {
			t.Fatalf("blocked:\n%+v\n%+v", p, blocked)
		}
		if _, err := blocked.Admit(); err != ErrOpposite {
			t.Fatalf("on both lists: %v", err)
		}
		free := must(t)(must(t)(blocked.Unblock()).Admit())
		free.Mine.AccessName = "Bob"
		want := p
		want.Mine.Access = AccessLasting
		if !free.equal(want) || free.Turned().ISee() != p.Turned().ISee() {
			t.Fatalf("blocked and unblocked:\n%+v\n%+v", p, free)
		}
		// And where the entry stayed behind the block.
		back := must(t)(must(t)(p.Block()).Unblock())
		if !back.equal(p) {
			t.Fatalf("blocked and unblocked:\n%+v\n%+v", p, back)
		}
		if _, err := back.Admit(); err != ErrAlready {
			t.Fatalf("not on the list again: %v", err)
		}
	}
	if n < 10 {
		t.Errorf("only %d pairs", n)
	}
}

func must(t *testing.T) func(Pair, error) Pair {
	return func(p Pair, err error) Pair {
		t.Helper()
		if err != nil {
			t.Fatalf("%v: %+v", err, p)
		}
		return p
	}
}

func TestRemovingAndAddingAgainAsksNobody(t *testing.T) {
	n := 0
	for _, p := range everyPair() {
		if !p.Mine.Listed() {
			continue
		}
		gone := must(t)(p.Forget(noon))
		if gone.Mine.Listed() || gone.Mine.Contact || gone.Theirs.Access != p.Theirs.Access || gone.Mine.Access != p.Mine.Access {
			t.Fatalf("forgotten:\n%+v\n%+v", p, gone)
		}
		if gone.ISee() {
			t.Fatalf("sees whom it forgot: %+v", gone)
		}
		soon := gone.Turned().Expired(noon.Add(Linger - 1)).Turned()
		if !soon.equal(gone) {
			t.Fatalf("ended early:\n%+v\n%+v", gone, soon)
		}
		again := must(t)(soon.Ask())
		if letsIn(p.Theirs, p.TheirSettings) {
			n++
			if again.Mine.Watch != WatchGranted || !again.Theirs.Equal(p.Theirs) {
				t.Fatalf("asked again:\n%+v\n%+v", p, again)
			}
			if late := again.Turned().Expired(noon.Add(24 * time.Hour)).Turned(); !late.equal(again) {
				t.Fatalf("ends although it is watched again:\n%+v\n%+v", again, late)
			}
		}
		late := gone.Turned().Expired(noon.Add(Linger)).Turned()
		asks := must(t)(late.Ask())
		want := WatchAsked
		if p.Theirs.Access == AccessLasting || p.Theirs.Access != AccessRefused && p.TheirSettings.Presence == DefaultAllow {
			want = WatchGranted
		}
		if asks.Mine.Watch != want || p.Theirs.Item() != late.Theirs.Item() {
			t.Fatalf("after the minute:\n%+v\n%+v", p, asks)
		}
	}
	if n < 10 {
		t.Errorf("only %d pairs", n)
	}
}

func TestOpenedGrantsWhatIsAsked(t *testing.T) {
	for _, s := range everyStep() {
		if s.act != "open" {
			continue
		}
		want := s.before
		want.MySettings.Presence = DefaultAllow
		if want.Theirs.Watch == WatchAsked && want.Mine.Access != AccessRefused {
			want.Theirs.Watch = WatchGranted
		}
		if !s.after.equal(want) {
			t.Fatalf("not just what is asked: %v", s)
		}
	}
}

func TestRefusedIsOutOfTheDefault(t *testing.T) {
	for _, s := range everyStep() {
		if s.act != "refuse" {
			continue
		}
		open := s.after.Opened()
		if open.Mine.Access != AccessRefused || open.Theirs.Watch != WatchNone {
			t.Fatalf("not refused: %v", s)
		}
		asks := must(t)(open.Turned().Ask())
		if asks.Mine.Watch != WatchAsked || asks.ISee() {
			t.Fatalf("let in: %v, %+v", s, asks)
		}
		if yes := asks.Turned().Answer().Turned(); yes.Mine.Watch != WatchGranted || yes.ISee() == yes.Theirs.Denied {
			t.Fatalf("not let in: %v, %+v", s, yes)
		}
	}
}

func TestRemoveEndsBothDirections(t *testing.T) {
	for _, s := range everyStep() {
		if s.act != "remove" {
			continue
		}
		was, is := s.before, s.after
		if s.err != nil {
			if s.err != ErrNotOnList || was.Mine.Item() {
				t.Fatalf("not removed: %v", s)
			}
			continue
		}
		want := AccessUnset
		if was.Theirs.Watch != WatchNone || was.Mine.Access == AccessRefused {
			want = AccessRefused
		}
		if is.Mine.Watch != WatchNone || is.Theirs.Watch != WatchNone || is.Mine.Item() || is.Mine.Access != want ||
			is.Mine.Denied != was.Mine.Denied || is.Theirs.Contact != was.Theirs.Item() && is.Theirs.Item() != was.Theirs.Item() {
			t.Fatalf("removed otherwise: %v", s)
		}
	}
}

// Any names, groups and grants to write beside the acts.
func TestNamesGoWithWhatTheyNamed(t *testing.T) {
	both := ofBoth()
	rapid.Check(t, func(t *rapid.T) {
		var p Pair
		name := rapid.SampledFrom([]string{"", "Bob", "Ünal"})
		p.MySettings.Messages = rapid.SampledFrom([]Default{DefaultUnset, DefaultAllow, DefaultDeny}).Draw(t, "messages")
		for range rapid.IntRange(1, 30).Draw(t, "acts") {
			a := rapid.SampledFrom(both).Draw(t, "act")
			before := p
			var err error
			if p, err = a.do(p); err != nil && !p.equal(before) {
				t.Fatalf("%s was refused (%v), and changed\n%+v\n%+v", a.name, err, before, p)
			}
			if p.Mine.Contact {
				p.Mine.LastName, p.Mine.Alias = name.Draw(t, "last name"), name.Draw(t, "alias")
				p.Mine.Groups = rapid.SampledFrom([][]GroupID{nil, {1}, {1, 2}}).Draw(t, "groups")
			}
			if p.Mine.Access.admits() {
				p.Mine.AccessName = name.Draw(t, "access name")
			}
			if p.Mine.Denied {
				p.Mine.DeniedName = name.Draw(t, "denied name")
			}
			p.Mine.Write = rapid.Bool().Draw(t, "write")
			p = p.Turned()
			holds(t.Fatalf, p)
			holds(t.Fatalf, p.Turned())

			gone := p.Severed()
			want := Side{Contact: p.Mine.Item(), Alias: p.Mine.Alias, LastName: p.Mine.LastName, Groups: p.Mine.Groups,
				Denied: p.Mine.Denied, DeniedName: p.Mine.DeniedName}
			if !gone.Mine.Equal(want) || !gone.Theirs.IsZero() {
				t.Fatalf("left of somebody removed:\n%+v\n%+v", p, gone)
			}
		}
	})
}
