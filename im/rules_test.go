package im

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var (
	alice = MustAddress("alice@example.com")
	bobby = MustAddress("bob@example.com")
	romeo = MustAddress("romeo@montague.example")
)

// RFC 3921 10.1 and 10.2.
func TestFirstRuleThatMatchesDecides(t *testing.T) {
	denies := func(by By, value string, what Traffic) Rule { return Rule{By: by, Value: value, What: what} }
	allows := func(by By, value string) Rule { return Rule{By: by, Value: value, What: Everything, Allow: true} }
	for _, c := range []struct {
		why   string
		rules []Rule
		s     Subject
		allow bool
	}{
		{"no rule allows", nil, Subject{Who: alice, What: Messages}, true},
		{"none that matches allows", []Rule{denies(ByAddress, "bob@example.com", Everything)}, Subject{Who: alice, What: Messages}, true},
		{"everybody", []Rule{denies(Everybody, "", Everything)}, Subject{Who: alice, What: PresenceOut}, false},
		{"an address", []Rule{denies(ByAddress, "alice@example.com", Everything)}, Subject{Who: alice, What: Queries}, false},
		{"with all its sessions", []Rule{denies(ByAddress, "alice@example.com", Everything)}, Subject{Who: alice, Slot: "home", What: Queries}, false},
		{"one session", []Rule{denies(BySession, "alice@example.com/home", Everything)}, Subject{Who: alice, Slot: "home", What: Messages}, false},
		{"and not the other", []Rule{denies(BySession, "alice@example.com/home", Everything)}, Subject{Who: alice, Slot: "work", What: Messages}, true},
		{"nor the account", []Rule{denies(BySession, "alice@example.com/", Everything)}, Subject{Who: alice, What: Messages}, true},
		{"a domain", []Rule{denies(ByDomain, "example.com", Everything)}, Subject{Who: alice, What: Messages}, false},
		{"and not another", []Rule{denies(ByDomain, "example.com", Everything)}, Subject{Who: romeo, What: Messages}, true},
		{"a group", []Rule{{By: ByGroup, Group: 7, What: Everything}}, Subject{Who: alice, Groups: []GroupID{3, 7}, What: Messages}, false},
		{"and not another group", []Rule{{By: ByGroup, Group: 7, What: Everything}}, Subject{Who: alice, Groups: []GroupID{3}, What: Messages}, true},
		{"a watch: none", []Rule{denies(ByWatch, "none", Everything)}, Subject{Who: alice, What: Messages}, false},
		{"a watch: to", []Rule{denies(ByWatch, "to", Everything)}, Subject{Who: alice, IWatch: true, What: Messages}, false},
		{"a watch: from", []Rule{denies(ByWatch, "from", Everything)}, Subject{Who: alice, WatchesMe: true, What: Messages}, false},
		{"a watch: both", []Rule{denies(ByWatch, "both", Everything)}, Subject{Who: alice, IWatch: true, WatchesMe: true, What: Messages}, false},
		{"both is not to", []Rule{denies(ByWatch, "to", Everything)}, Subject{Who: alice, IWatch: true, WatchesMe: true, What: Messages}, true},
		{"only what it is about", []Rule{denies(Everybody, "", Messages|PresenceIn)}, Subject{Who: alice, What: PresenceOut}, true},
		{"the first wins", []Rule{allows(ByAddress, "alice@example.com"), denies(Everybody, "", Everything)}, Subject{Who: alice, What: Messages}, true},
		{"and is the only one", []Rule{denies(Everybody, "", Everything), allows(ByAddress, "alice@example.com")}, Subject{Who: alice, What: Messages}, false},
		{"a kind nobody knows matches nobody", []Rule{denies(By(99), "", Everything)}, Subject{Who: alice, What: Messages}, true},
	} {
		if Allows(c.rules, c.s) != c.allow {
			t.Errorf("%s: %t", c.why, !c.allow)
		}
	}
}

// someRules is a list as somebody could have written it, in ascending order.
func someRules() *rapid.Generator[[]Rule] {
	rule := rapid.Custom(func(t *rapid.T) Rule {
		r := Rule{
			By:    rapid.SampledFrom([]By{Everybody, ByAddress, ByAddress, ByAddress, BySession, ByDomain, ByGroup, ByWatch}).Draw(t, "by"),
			What:  rapid.SampledFrom([]Traffic{Everything, Everything, Messages, Queries, PresenceIn, PresenceOut, Messages | PresenceOut}).Draw(t, "what"),
			Allow: rapid.Bool().Draw(t, "allow"),
			Name:  rapid.SampledFrom([]string{"", "Alice"}).Draw(t, "name"),
		}
		switch r.By {
		case ByAddress:
			r.Value = rapid.SampledFrom([]Address{alice, bobby, romeo}).Draw(t, "address").String()
		case BySession:
			r.Value = alice.String() + "/home"
		case ByDomain:
			r.Value = rapid.SampledFrom([]string{"example.com", "montague.example"}).Draw(t, "domain")
		case ByGroup:
			r.Group = GroupID(rapid.IntRange(1, 2).Draw(t, "group"))
		case ByWatch:
			r.Value = rapid.SampledFrom([]string{"none", "to", "from", "both"}).Draw(t, "watch")
		}
		return r
	})
	return rapid.Custom(func(t *rapid.T) []Rule {
		l := rapid.SliceOfN(rule, 0, 6).Draw(t, "rules")
		order := rapid.Int64Range(-3, 3).Draw(t, "first")
		for i := range l {
			l[i].Order = order
			order += rapid.Int64Range(1, 5).Draw(t, "gap")
		}
		return l
	})
}

func someSubject() *rapid.Generator[Subject] {
	return rapid.Custom(func(t *rapid.T) Subject {
		return Subject{
			Who:       rapid.SampledFrom([]Address{alice, bobby, romeo}).Draw(t, "who"),
			Slot:      rapid.SampledFrom([]string{"", "home"}).Draw(t, "slot"),
			What:      rapid.SampledFrom([]Traffic{Messages, Queries, PresenceIn, PresenceOut}).Draw(t, "traffic"),
			Groups:    rapid.SampledFrom([][]GroupID{nil, {1}, {1, 2}}).Draw(t, "groups"),
			IWatch:    rapid.Bool().Draw(t, "to"),
			WatchesMe: rapid.Bool().Draw(t, "from"),
		}
	})
}

func TestDenialStandsAtTheHead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := someRules().Draw(t, "list")
		written := fmt.Sprint(l)
		who := rapid.SampledFrom([]Address{alice, bobby, romeo}).Draw(t, "denied")
		s := someSubject().Draw(t, "subject")
		was := slices.ContainsFunc(l, func(r Rule) bool { return r.Whole() && r.Value == who.String() })

		denied := Deny(l, who, "Al")
		if !slices.IsSortedFunc(denied, func(a, b Rule) int { return int(a.Order - b.Order) }) || len(denied) > 1 && denied[0].Order == denied[1].Order {
			t.Fatalf("not in order: %+v", denied)
		}
		if !denied[0].Whole() || !slices.Equal(denied[1:], l) {
			t.Fatalf("%+v is not %+v with a denial at its head", denied, l)
		}
		if name, ok := Denied(denied, who); !ok || name != "Al" {
			t.Fatalf("denied %t, as %q", ok, name)
		}
		if want := s.Who != who && Allows(l, s); Allows(denied, s) != want {
			t.Fatalf("%+v allows %+v: %t", denied, s, !want)
		}

		back := Undeny(denied, who)
		if _, still := Denied(back, who); still {
			t.Fatalf("still denied: %+v", back)
		}
		if !was && !slices.Equal(back, l) {
			t.Fatalf("%+v is left of %+v", back, l)
		}
		if kept := slices.DeleteFunc(slices.Clone(l), func(r Rule) bool { return r.Whole() && r.Value == who.String() }); !slices.Equal(back, kept) {
			t.Fatalf("the rest is not as it was written: %+v, %+v", l, back)
		}
		if !slices.Equal(Undeny(back, who), back) {
			t.Fatalf("undone twice: %+v", back)
		}
		if fmt.Sprint(l) != written {
			t.Fatalf("the list itself changed: %+v", l)
		}
	})
}

func TestOnlyWholeDenialsAreBlocks(t *testing.T) {
	for _, r := range []Rule{
		{By: ByAddress, Value: alice.String(), What: Everything, Allow: true},
		{By: ByAddress, Value: alice.String(), What: Everything &^ PresenceOut},
		{By: BySession, Value: alice.String(), What: Everything},
		{By: ByDomain, Value: alice.String(), What: Everything},
		{By: Everybody, Value: alice.String(), What: Everything},
	} {
		l := []Rule{r}
		if _, denied := Denied(l, alice); denied || r.Whole() || !slices.Equal(Undeny(l, alice), l) {
			t.Errorf("%+v counts as a block", r)
		}
	}
	l := []Rule{{By: ByAddress, Value: alice.String(), What: Everything, Name: "Alice"}}
	if name, denied := Denied(l, alice); !denied || name != "Alice" || len(Undeny(l, alice)) != 0 {
		t.Errorf("%+v is no block", l)
	}
	if _, denied := Denied(l, bobby); denied || len(Undeny(l, bobby)) != 1 {
		t.Errorf("somebody else is blocked")
	}
}

// XEP-0191 2: a person, a domain, and one session of either are blocked and unblocked as one.
func TestBlocksOfEveryKind(t *testing.T) {
	domain := TrustedAddress("example.com")
	who := []Whom{{Address: alice}, {Address: domain}, {alice, "home"}, {domain, "news"}, {Address: alice}}
	own := []Rule{{Order: 3, By: ByAddress, Value: bobby.String(), What: Messages}, {Order: 4, By: ByAddress, Value: romeo.String(), What: Everything}}
	denied, came := DenyAll(own, who)
	if !slices.Equal(came, who[:4]) || !slices.Equal(denied[4:], own) {
		t.Fatalf("%v came: %+v", came, denied)
	}
	for i, r := range denied[:4] {
		if w, block := r.Block(); !block || w != who[i] || r.Order != int64(i-1) {
			t.Errorf("%+v is no block of %v", r, who[i])
		}
	}
	if len(Head(denied)) != 4 || len(Head(own)) != 0 {
		t.Errorf("begin with %+v and %+v", Head(denied), Head(own))
	}
	for _, s := range []Subject{{Who: alice}, {Who: TrustedAddress("x@example.com")}, {Who: domain, Slot: "news"}} {
		if s.What = Queries; Allows(denied, s) {
			t.Errorf("%+v is allowed", s)
		}
	}
	if again, came := DenyAll(denied, who); len(came) != 0 || !slices.Equal(again, denied) {
		t.Errorf("twice: %v", came)
	}
	left, went := UndenyAll(denied, who[1:2])
	if len(left) != len(denied)-1 || !slices.Equal(went, who[1:2]) {
		t.Errorf("without the domain: %v, %+v", went, left)
	}
	if left, went = UndenyAll(denied, nil); !slices.Equal(left, own) || len(went) != 4 {
		t.Errorf("without all: %v, %+v", went, left)
	}
	if names := Denials([]RuleList{{Rules: denied}, {Default: true, Rules: denied}}); len(names) != 1 {
		t.Errorf("people denied: %v", names)
	}
	if names := Denials([]RuleList{{Default: true, Rules: own}}); len(names) != 0 {
		t.Errorf("denied behind another rule, and shown: %v", names)
	}
}

// Only what is said about everything speaks of what is sent: XEP-0016 2.13.
func TestRulesAboutEverythingAreForBothWays(t *testing.T) {
	who := func(a string) Subject { return Subject{Who: MustAddress(a), What: Everything} }
	rules := []Rule{
		{Order: 1, What: Messages},
		{Order: 2, By: ByAddress, Value: "bob@example.com", What: Everything, Allow: true},
		{Order: 3, By: ByDomain, Value: "example.com", What: Everything},
		{Order: 4, By: ByAddress, Value: "carol@elsewhere.example", What: Everything &^ PresenceOut},
	}
	for a, want := range map[string]bool{"bob@example.com": true, "carol@example.com": false, "carol@elsewhere.example": true} {
		if got := AllowsTo(rules, who(a)); got != want {
			t.Errorf("to %s: %t", a, got)
		}
	}
}
