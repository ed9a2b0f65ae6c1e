package notification

import (
	"slices"
	"testing"

	"parley/exchange"
	"parley/im"
)

// TestEveryDialectHasAVoice: a dialect that is served has a form for all that it must say, and none for what it does
// not have: dialects 0.1.
func TestEveryDialectHasAVoice(t *testing.T) {
	all := voices()
	for d := 2; d <= maxDialect; d++ {
		v := &all[d]
		if v.refer == nil || v.welcome == nil || v.sync == nil || v.same == nil || v.add == nil || v.settings == nil || v.lists == nil || v.initial == nil || v.notice == nil {
			t.Errorf("MSNP%d lacks a form: %+v", d, v)
		}
		if (v.property != nil) != (d >= 5) || (v.groups != nil) != (d >= 7) || v.able != (d >= 8) || (v.contact != nil) != (d >= 8) || (v.entry != nil) != (d <= 8) || (v.greet != nil) != (d >= 11) {
			t.Errorf("MSNP%d has what is not its own, or lacks it: %+v", d, v)
		}
		if same := map[int]int{8: 8, 9: 9, 10: 9, 11: 11, 12: 11}; v.notice != all[max(same[d], 2)].notice {
			t.Errorf("MSNP%d writes again what another one wrote", d)
		}
	}
}

// TestNoticesAreWrittenOnce: what many receivers are told is made for the first of them.
func TestNoticesAreWrittenOnce(t *testing.T) {
	all := voices()
	p := &exchange.Presence{Who: im.MustAddress("alice@example.com"), Name: "Alice", Merged: im.Presence{State: im.Away}}
	if got := string(item(all[2].notice, p).B); got != "NLN AWY alice@example.com Alice\r\n" {
		t.Errorf("%q", got)
	}
	if n := testing.AllocsPerRun(100, func() { item(all[7].notice, p) }); n != 0 {
		t.Errorf("%v allocations for a further receiver", n)
	}
}

// TestGroupNumbers: dialects 6.
func TestGroupNumbers(t *testing.T) {
	groups := []im.Group{{ID: 10, Place: 0}, {ID: 7, Place: 4}, {ID: 8, Place: 28}, {ID: 9, Place: 29}, {ID: 11, Place: 500}}
	for _, c := range []struct {
		in   []im.GroupID
		want []int
	}{
		{nil, []int{0}},
		{[]im.GroupID{7, 10}, []int{1, 5}},
		{[]im.GroupID{8}, []int{29}},
		{[]im.GroupID{9}, []int{0}},
		{[]im.GroupID{9, 11}, []int{0}},
		{[]im.GroupID{7, 9}, []int{5}},
		{[]im.GroupID{99}, nil},
		{[]im.GroupID{7, 99}, []int{5}},
	} {
		if got := numbers(&im.Entry{Side: im.Side{Groups: c.in}}, groups); !slices.Equal(got, c.want) {
			t.Errorf("in %v: %v, want %v", c.in, got, c.want)
		}
	}
	for n, want := range map[int]im.GroupID{0: 0, 1: 10, 5: 7, 29: 8, 30: 0, 2: 0} {
		if got, ok := groupOf(n, groups); got != want || ok != (want != 0) {
			t.Errorf("group %d is %d, %v", n, got, ok)
		}
	}
}
