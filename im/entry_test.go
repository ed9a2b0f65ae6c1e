package im

import "testing"

func TestMayWrite(t *testing.T) {
	for _, c := range []struct {
		side Side
		def  Default
		may  bool
	}{
		{Side{}, DefaultUnset, true},
		{Side{}, DefaultAllow, true},
		{Side{}, DefaultDeny, false},
		{Side{Contact: true, Watch: WatchGranted}, DefaultDeny, false},
		{Side{Write: true}, DefaultDeny, true},
		{Side{Access: AccessAnswered}, DefaultDeny, true},
		{Side{Access: AccessLasting}, DefaultDeny, true},
		{Side{Access: AccessRefused}, DefaultDeny, false},
		{Side{Access: AccessRefused}, DefaultAllow, true},
		{Side{Denied: true}, DefaultAllow, false},
		{Side{Denied: true, Write: true, Access: AccessLasting}, DefaultAllow, false},
	} {
		p := Pair{Theirs: c.side, TheirSettings: Settings{Messages: c.def, Presence: DefaultAllow}}
		if p.IMayWrite() != c.may {
			t.Errorf("%+v with default %d: may write %t", c.side, c.def, !c.may)
		}
	}
}

func TestEntry(t *testing.T) {
	bob := MustAddress("bob@example.com")
	p := must(t)(Pair{}.Ask())
	p = p.Turned().Answer().Turned()
	e := p.EntryOf(bob, "Bob", true)
	if e.Who != bob || e.Name != "Bob" || !e.Ours || !e.Sees || e.Seen || e.Watching() || e.IsZero() {
		t.Errorf("the watcher's entry is %+v", e)
	}
	if e := p.Turned().EntryOf(bob, "", false); e.Sees || !e.Seen || !e.Watching() || e.IsZero() || e.Ours {
		t.Errorf("the watched one's entry is %+v", e)
	}
	if e := (Pair{}).EntryOf(bob, "Bob", true); !e.IsZero() {
		t.Errorf("nothing is kept, and the entry is %+v", e)
	}
	e = Entry{Who: bob, Side: Side{Contact: true, Watch: WatchGranted}}
	if e.Mirror(); !e.Sees || !e.Seen || e.Watched != WatchGranted {
		t.Errorf("who lists oneself has %+v", e)
	}
	e = Entry{Who: bob, Side: Side{Access: AccessLasting}, Sees: true}
	if e.Mirror(); e.Sees || e.Seen || e.Watching() {
		t.Errorf("who allows oneself has %+v", e)
	}

	a := Account{Address: bob}
	if a.DisplayName() != "bob@example.com" || Name("bob@example.com", bob) != "" || Name("Bob", bob) != "Bob" {
		t.Errorf("a name that is the address is one")
	}
	if a.Name = "Bob"; a.DisplayName() != "Bob" {
		t.Errorf("called %s", a.DisplayName())
	}
}
