package im

import (
	"strings"
	"testing"
)

// states are the nine of RFC 6121 A.1 as two watches: mine of them, theirs of me.
var states = map[string][2]Watch{
	"None":                  {WatchNone, WatchNone},
	"None + Pending Out":    {WatchAsked, WatchNone},
	"None + Pending In":     {WatchNone, WatchAsked},
	"None + Pending Out+In": {WatchAsked, WatchAsked},
	"To":                    {WatchGranted, WatchNone},
	"To + Pending In":       {WatchGranted, WatchAsked},
	"From":                  {WatchNone, WatchGranted},
	"From + Pending Out":    {WatchAsked, WatchGranted},
	"Both":                  {WatchGranted, WatchGranted},
}

func stateOf(p Pair) string {
	for name, w := range states {
		if w == [2]Watch{p.Mine.Watch, p.Theirs.Watch} {
			return name
		}
	}
	return "none of the nine"
}

func TestNineStatesAreTwoWatches(t *testing.T) {
	met := map[string]int{}
	for _, p := range everyPair() {
		met[stateOf(p)]++
	}
	if len(states) != 9 || len(met) != 9 {
		t.Errorf("acts lead to %v", met)
	}
}

// RFC 6121 A.2 and A.3: each line is an existing state and the new one; those not named do not change.
var tables = []struct {
	table   string
	act     string
	change  map[string]string
	granted map[string]string // where the other's answer or default lets in already, footnotes of A.3.1
}{
	{"2, outbound subscribe", "ask", map[string]string{
		"None":              "None + Pending Out",
		"None + Pending In": "None + Pending Out+In",
		"From":              "From + Pending Out",
	}, map[string]string{
		"None":              "To",
		"None + Pending In": "To + Pending In",
		"From":              "Both",
	}},
	{"3, outbound unsubscribe", "unwatch", map[string]string{
		"None + Pending Out":    "None",
		"None + Pending Out+In": "None + Pending In",
		"To":                    "None",
		"To + Pending In":       "None + Pending In",
		"From + Pending Out":    "From",
		"Both":                  "From",
	}, nil},
	{"4, outbound subscribed", "answer", map[string]string{
		"None + Pending In":     "From",
		"None + Pending Out+In": "From + Pending Out",
		"To + Pending In":       "Both",
	}, nil},
	{"5, outbound unsubscribed", "refuse", map[string]string{
		"None + Pending In":     "None",
		"None + Pending Out+In": "None + Pending Out",
		"To + Pending In":       "To",
		"From":                  "None",
		"From + Pending Out":    "None + Pending Out",
		"Both":                  "To",
	}, nil},
	{"6, inbound subscribe", "their ask", map[string]string{
		"None":               "None + Pending In",
		"None + Pending Out": "None + Pending Out+In",
		"To":                 "To + Pending In",
	}, map[string]string{
		"None":               "From",
		"None + Pending Out": "From + Pending Out",
		"To":                 "Both",
	}},
	{"7, inbound unsubscribe", "their unwatch", map[string]string{
		"None + Pending In":     "None",
		"None + Pending Out+In": "None + Pending Out",
		"To + Pending In":       "To",
		"From":                  "None",
		"From + Pending Out":    "None + Pending Out",
		"Both":                  "To",
	}, nil},
	{"8, inbound subscribed", "their answer", map[string]string{
		"None + Pending Out":    "To",
		"None + Pending Out+In": "To + Pending In",
		"From + Pending Out":    "Both",
	}, nil},
	{"9, inbound unsubscribed", "their refuse", map[string]string{
		"None + Pending Out":    "None",
		"None + Pending Out+In": "None + Pending In",
		"To":                    "None",
		"To + Pending In":       "None + Pending In",
		"From + Pending Out":    "From",
		"Both":                  "From",
	}, nil},
}

func TestTablesOfSubscriptionStates(t *testing.T) {
	for _, table := range tables {
		lines := map[string]bool{}
		for _, s := range everyStep() {
			if s.act != table.act {
				continue
			}
			state := stateOf(s.before)
			want, changes := table.change[state]
			if !changes {
				want = state
			}
			letIn := letsIn(s.before.Theirs, s.before.TheirSettings)
			if strings.HasPrefix(table.act, "their ") {
				letIn = letsIn(s.before.Mine, s.before.MySettings)
			}
			if at, ok := table.granted[state]; ok && letIn {
				want = at
			}
			lines[state] = true
			if got := stateOf(s.after); got != want {
				t.Fatalf("table %s: %q becomes %q, not %q\n%v", table.table, state, got, want, s)
			}
			if !changes && (table.act == "ask" || table.act == "their ask") && (s.err != ErrAlready || !s.after.equal(s.before)) {
				t.Fatalf("table %s: asking again in %q is more than nothing\n%v", table.table, state, s)
			}
		}
		if len(lines) != 9 {
			t.Errorf("table %s: tried in %v", table.table, lines)
		}
	}
}

// RFC 6121 3.4.2 and footnote 1 of table 4.
func TestPreApproval(t *testing.T) {
	for _, s := range everyStep() {
		if s.act != "answer" {
			continue
		}
		was, is := s.before, s.after
		switch was.Theirs.Watch {
		case WatchNone:
			if is.Mine.Access != AccessLasting || !is.Mine.AccessEnds.IsZero() || !is.Mine.Item() {
				t.Fatalf("not approved for good: %v", s)
			}
			asked, err := is.Turned().Ask()
			if err != nil || asked.Mine.Watch != WatchGranted {
				t.Fatalf("asks in vain: %v, %+v", s, asked)
			}
			if r := is.Refuse(); r.Mine.Access != AccessRefused || r.Mine.Item() != is.Mine.Item() {
				t.Fatalf("an approval that stays: %v", s)
			}
		case WatchAsked:
			if is.Mine.Access != max(AccessAnswered, was.Mine.Access) {
				t.Fatalf("answers otherwise: %v", s)
			}
		case WatchGranted:
			if letsIn(was.Mine, was.MySettings) != is.equal(was) || is.Mine.Access == AccessRefused {
				t.Fatalf("not ignored, or not shown: %v", s)
			}
		}
		if !is.Mine.Denied && was.Theirs.Watch != WatchNone && !is.Turned().ISee() {
			t.Fatalf("answered, and does not see: %v", s)
		}
	}
}
