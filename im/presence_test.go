package im

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var everyState = []State{Offline, Hidden, Available, FreeToChat, Idle, Away, BeRightBack, OutToLunch, Busy, OnThePhone, ExtendedAway}

func TestStates(t *testing.T) {
	names := map[string]bool{}
	for _, s := range everyState {
		names[s.String()] = true
		if s.Visible() == (s == Offline || s == Hidden) {
			t.Errorf("%v is visible: %t", s, s.Visible())
		}
		p := Presence{State: s, Priority: 3, Status: "gone fishing", Since: noon, Native: Native{Door: "test", Body: []byte("fish")}}
		want := p
		if !s.Visible() {
			want = Presence{}
		}
		if !reflect.DeepEqual(p.Seen(), want) {
			t.Errorf("%v is seen as %+v", p, p.Seen())
		}
		if !reflect.DeepEqual(p.Seen().Seen(), p.Seen()) {
			t.Errorf("%v is seen in two ways", p)
		}
	}
	if missing := len(stateNames) - len(everyState); missing != 0 || len(availability) != len(names) || names["unknown"] {
		t.Errorf("named %v", names)
	}
	if s := State(len(stateNames)); s.String() != "unknown" {
		t.Errorf("a state too many is called %v", s)
	}
	ranks := map[uint8]State{}
	for _, s := range everyState {
		if o, taken := ranks[availability[s]]; taken && s.Visible() {
			t.Errorf("%v and %v are equally available", s, o)
		}
		ranks[availability[s]] = s
	}
}

func TestMerge(t *testing.T) {
	at := func(s State, priority int8, minute int) Presence {
		return Presence{State: s, Priority: priority, Since: noon.Add(time.Duration(minute) * time.Minute)}
	}
	for _, c := range []struct {
		why      string
		sessions []Presence
		want     Presence
	}{
		{"nobody is here", nil, Presence{}},
		{"offline", []Presence{at(Offline, 0, 1)}, Presence{}},
		{"hidden looks like offline", []Presence{at(Hidden, 5, 1), at(Offline, 0, 1)}, Presence{}},
		{"hidden does not hide another session", []Presence{at(Hidden, 5, 2), at(Away, 0, 1)}, at(Away, 0, 1)},
		{"the most available", []Presence{at(Away, 0, 9), at(Available, 0, 1), at(Busy, 0, 3)}, at(Available, 0, 1)},
		{"more available before a higher priority", []Presence{at(Busy, 100, 9), at(Available, 1, 1)}, at(Available, 1, 1)},
		{"then the highest priority", []Presence{at(Away, 1, 9), at(Away, 7, 1), at(Away, 3, 5)}, at(Away, 7, 1)},
		{"then the latest", []Presence{at(Away, 1, 2), at(Away, 1, 9), at(Away, 1, 5)}, at(Away, 1, 9)},
		{"who takes messages before who does not", []Presence{at(FreeToChat, -1, 9), at(ExtendedAway, 0, 1)}, at(ExtendedAway, 0, 1)},
		{"a negative priority where there is no other", []Presence{at(Away, -7, 1), at(Available, -9, 1), at(Hidden, 0, 5)}, at(Available, -9, 1)},
		{"and of these the highest", []Presence{at(Away, -7, 1), at(Away, -1, 1)}, at(Away, -1, 1)},
		{"free to chat is the most available", []Presence{at(Available, 0, 9), at(FreeToChat, 0, 1)}, at(FreeToChat, 0, 1)},
	} {
		if got := Merge(c.sessions); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, not %+v", c.why, got, c.want)
		}
	}
}

func somePresence() *rapid.Generator[Presence] {
	return rapid.Custom(func(t *rapid.T) Presence {
		return Presence{
			State:    rapid.SampledFrom(everyState).Draw(t, "state"),
			Priority: rapid.Int8Range(-2, 2).Draw(t, "priority"),
			Status:   rapid.SampledFrom([]string{"", "away", "here"}).Draw(t, "status"),
			Since:    noon.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "since")) * time.Minute),
			Native:   rapid.SampledFrom([]Native{{}, {Door: "one"}, {Door: "one", Body: []byte("x")}, {Door: "two", Body: []byte("x")}}).Draw(t, "native"),
		}
	})
}

func TestMergeKnowsNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.SliceOfN(somePresence(), 0, 6).Draw(t, "sessions")
		got := Merge(l)
		if other := rapid.Permutation(l).Draw(t, "other order"); !reflect.DeepEqual(Merge(other), got) {
			t.Fatalf("%+v in the one order, %+v in the other", got, Merge(other))
		}
		if again := Merge(append(slices.Clone(l), got)); !reflect.DeepEqual(again, got) {
			t.Fatalf("%+v merged once more is %+v", got, again)
		}
		cut := rapid.IntRange(0, len(l)).Draw(t, "cut")
		if parts := Merge([]Presence{Merge(l[:cut]), Merge(l[cut:])}); !reflect.DeepEqual(parts, got) {
			t.Fatalf("in parts %+v, together %+v", parts, got)
		}
		var seen []Presence
		takes := false
		for _, p := range l {
			seen = append(seen, p.Seen())
			takes = takes || p.State.Visible() && p.Priority >= 0
		}
		if !reflect.DeepEqual(Merge(seen), got) {
			t.Fatalf("what others see merges to %+v, all to %+v", Merge(seen), got)
		}
		if got.State == Offline {
			if !reflect.DeepEqual(got, Presence{}) || slices.ContainsFunc(l, func(p Presence) bool { return p.State.Visible() }) {
				t.Fatalf("offline is %+v", got)
			}
			return
		}
		if !got.State.Visible() || !slices.ContainsFunc(l, func(p Presence) bool { p.Native = Native{}; return reflect.DeepEqual(p, got) }) || takes != (got.Priority >= 0) {
			t.Fatalf("merged to %+v", got)
		}
		for _, p := range l {
			if p.State.Visible() && (p.Priority >= 0) == takes && availability[p.State] > availability[got.State] {
				t.Fatalf("%+v is more available than %+v", p, got)
			}
		}
	})
}

func TestSameIsWhatOthersNotice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := somePresence().Draw(t, "p"), somePresence().Draw(t, "q")
		same := p
		same.Since = q.Since
		same.Native.Body, same.Native.Framed = slices.Clone(p.Native.Body), []byte("frames are nobody's concern")
		if !p.Same(same) || p.Same(q) != q.Same(p) || p.Same(q) != (p.State == q.State && p.Status == q.Status && p.Priority == q.Priority && p.Native.Same(q.Native)) {
			t.Fatalf("%+v and %+v are the same: %t", p, q, p.Same(q))
		}
	})
}

// TestMergeKeepsWhole: what tells of the person stays, whoever is the most available; what tells of a session goes.
func TestMergeKeepsWhole(t *testing.T) {
	person := Native{Door: "a", Body: []byte("p"), Whole: true}
	one := Native{Door: "b", Body: []byte("s")}
	l := []Presence{{State: Away, Native: person}, {State: Available, Native: one}, {State: Hidden, Native: Native{Door: "c", Whole: true}}}
	for range 2 {
		if got := Merge(l); got.State != Available || !got.Native.Same(person) {
			t.Errorf("%+v", got)
		}
		slices.Reverse(l)
	}
	if got := Merge(l[1:]); !got.Native.Same(Native{}) {
		t.Errorf("%+v", got)
	}
}
