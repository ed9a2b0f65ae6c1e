package xmpp

import (
	"testing"

	"parley/im"
)

// RFC 6121 2.1.2.1, 2.1.2.2, 2.1.2.5 and the states of appendix A.1.
func TestSubscription(t *testing.T) {
	for _, c := range []struct {
		mine, theirs im.Watch
		sub          string
		ask          bool
	}{
		{im.WatchNone, im.WatchNone, "none", false},
		{im.WatchAsked, im.WatchNone, "none", true},
		{im.WatchNone, im.WatchAsked, "none", false},
		{im.WatchAsked, im.WatchAsked, "none", true},
		{im.WatchGranted, im.WatchNone, "to", false},
		{im.WatchGranted, im.WatchAsked, "to", false},
		{im.WatchNone, im.WatchGranted, "from", false},
		{im.WatchAsked, im.WatchGranted, "from", true},
		{im.WatchGranted, im.WatchGranted, "both", false},
	} {
		for access := im.AccessUnset; access <= im.AccessLasting; access++ {
			e := im.Entry{Side: im.Side{Watch: c.mine, Access: access}, Watched: c.theirs}
			sub, ask, approved := Subscription(e)
			if sub != c.sub || ask != c.ask || approved != (access == im.AccessLasting) {
				t.Errorf("%v, %v, %v: %s %v %v", c.mine, c.theirs, access, sub, ask, approved)
			}
		}
	}
}

// RFC 6121 2.1.2, 2.1.6.
func TestAppendItem(t *testing.T) {
	groups := func(id im.GroupID) string { return map[im.GroupID]string{1: "Friends", 2: "A & B"}[id] }
	bob := im.MustAddress("bob@example.com")
	for _, c := range []struct {
		e    im.Entry
		want string
	}{
		{im.Entry{Side: im.Side{Contact: true}}, "<item jid='bob@example.com' subscription='none'/>"},
		{im.Entry{Side: im.Side{Contact: true, Alias: "B'b", LastName: "Bobby", Groups: []im.GroupID{1, 2, 3}, Watch: im.WatchAsked},
			Watched: im.WatchGranted, Name: "Robert"},
			"<item jid='bob@example.com' name='B&apos;b' subscription='from' ask='subscribe'><group>Friends</group><group>A &amp; B</group></item>"},
		{im.Entry{Side: im.Side{Contact: true, Watch: im.WatchGranted, Access: im.AccessLasting}},
			"<item jid='bob@example.com' subscription='to' approved='true'/>"},
		{im.Entry{Side: im.Side{Denied: true}, Watched: im.WatchAsked}, "<item jid='bob@example.com' subscription='remove'/>"},
		{im.Entry{}, "<item jid='bob@example.com' subscription='remove'/>"},
	} {
		c.e.Who = bob
		if got := string(AppendItem(nil, c.e, groups)); got != c.want {
			t.Errorf("%s, want\n%s", got, c.want)
		}
	}
}
