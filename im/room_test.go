package im

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var bounds = RoomBounds{Users: 10, History: 20}

var affiliations = []Affiliation{Outcast, NoAffiliation, RoomMember, Moderator, Administrator, RoomOwner}

func TestRoomID(t *testing.T) {
	home := MustAddress("example.com")
	a, err := NewRoomID(home, "Tea  Party ")
	b, err2 := NewRoomID(home, "tea party")
	if err != nil || err2 != nil || a != b || a.String() != "example.com/tea party" || a.Personal() || a.IsZero() {
		t.Errorf("%v %v, %v %v", a, b, err, err2)
	}
	if own, err := NewRoomID(alice, "x"); err != nil || !own.Personal() || own == (RoomID{home, "x"}) || TrustedRoomID("alice@example.com", "x") != own {
		t.Errorf("%v, %v", own, err)
	}
	for _, name := range []string{"", " ", "a/b", "a@b", "a\x00", "\xff", strings.Repeat("x", 256), strings.Repeat("x", 5000)} {
		if id, err := NewRoomID(home, name); !errors.Is(err, ErrBadName) {
			t.Errorf("%q is %v, %v", name, id, err)
		}
	}
	if _, err := NewRoomID(Address{}, "x"); !errors.Is(err, ErrBadAddress) {
		t.Error(err)
	}
}

// SSP 14.7.12.
func TestNicksAreUnique(t *testing.T) {
	for in, want := range map[string]string{"Bob  B.": "Bob B.", "ＢＯＢ": "BOB", " x ": "x", "": "", "\x01": "", "\xff": ""} {
		nick, err := Nick(in)
		if nick != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, ErrBadName) {
			t.Errorf("%q is %q, %v", in, nick, err)
		}
	}
	if FoldNick("BOB B.") != FoldNick("bob b.") || FoldNick("bob") == FoldNick("rob") {
		t.Error("names are not folded")
	}
	rapid.Check(t, func(t *rapid.T) {
		taken := map[string]bool{}
		for _, want := range rapid.SliceOfN(rapid.SampledFrom([]string{"Bob", "bob", "", "Ann", "guest", strings.Repeat("ж", 127), "\xff"}), 1, 12).Draw(t, "wanted") {
			nick := FreeNick(want, func(f string) bool { return taken[f] })
			if again, err := Nick(nick); err != nil || again != nick || taken[FoldNick(nick)] {
				t.Fatalf("%q became %q (%v), taken %v", want, nick, err, taken)
			}
			taken[FoldNick(nick)] = true
		}
	})
}

// SSP 13.1.1, 14.7.7.
func TestRoomPropsAreChecked(t *testing.T) {
	for _, c := range []struct {
		p  RoomProps
		ok bool
	}{
		{RoomProps{}, true},
		{RoomProps{Name: "Tea", Topic: "cake", MaxUsers: 10, History: 20, Welcome: RoomWelcome{"text/html", "<p>hi"}}, true},
		{RoomProps{Name: strings.Repeat("x", 256)}, false},
		{RoomProps{Topic: "\xff"}, false},
		{RoomProps{Topic: strings.Repeat("x", 1024)}, false},
		{RoomProps{Password: strings.Repeat("x", 256)}, false},
		{RoomProps{Welcome: RoomWelcome{Text: strings.Repeat("x", 8193)}}, false},
		{RoomProps{Welcome: RoomWelcome{Type: "no type", Text: "x"}}, false},
		{RoomProps{MaxUsers: 11}, false},
		{RoomProps{MaxUsers: -1}, false},
		{RoomProps{History: 21}, false},
		{RoomProps{History: -1}, false},
	} {
		if err := c.p.Check(bounds); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrBadRoomProps) {
			t.Errorf("%+v: %v", c.p, err)
		}
	}
	p := RoomProps{Password: "sesame"}
	if strings.Contains(fmt.Sprint(p), "sesame") {
		t.Error("the password prints")
	}
	if p.For(Moderator).Password != "" || p.For(Administrator).Password == "" {
		t.Error("the password is for administrators")
	}
}

// SSP 13.2.1, 13.2.2, 14.7.5, 14.7.6.
func TestWhoMakesAndDeletesRooms(t *testing.T) {
	own, other, domain := RoomID{alice, "x"}, RoomID{bobby, "x"}, RoomID{MustAddress("example.com"), "x"}
	for _, c := range []struct {
		id   RoomID
		p    RoomProps
		ours bool
		want error
	}{
		{own, RoomProps{}, true, nil}, {own, RoomProps{}, false, nil}, {other, RoomProps{}, true, ErrNoPrivilege},
		{domain, RoomProps{}, true, nil}, {domain, RoomProps{}, false, ErrNoPrivilege}, {own, RoomProps{Public: true}, true, ErrRoomPrivate},
	} {
		if err := MayMakeRoom(alice, c.id, c.p, c.ours); err != c.want {
			t.Errorf("%v %t: %v", c.id, c.ours, err)
		}
	}
	for _, a := range affiliations {
		if err := (RoomProps{}).MayDelete(a); (err == nil) != (a == RoomOwner) {
			t.Errorf("%v: %v", a, err)
		}
		if err := (RoomProps{Public: true}).MayDelete(a); err != ErrRoomPublic {
			t.Errorf("%v: %v", a, err)
		}
	}
}

// SSP 13.2.3, 13.3.3.
func TestWhoMayJoin(t *testing.T) {
	for _, c := range []struct {
		p        RoomProps
		a        Affiliation
		password string
		users    int
		want     error
	}{
		{RoomProps{}, NoAffiliation, "", 0, nil},
		{RoomProps{}, NoAffiliation, "whatever", 9, nil},
		{RoomProps{}, NoAffiliation, "", 10, ErrRoomFull},
		{RoomProps{}, RoomOwner, "", 10, ErrRoomFull},
		{RoomProps{MaxUsers: 2}, RoomMember, "", 2, ErrRoomFull},
		{RoomProps{MaxUsers: 2}, Administrator, "", 2, nil},
		{RoomProps{}, Outcast, "", 0, ErrRejected},
		{RoomProps{Closed: true}, NoAffiliation, "", 0, ErrNotMember},
		{RoomProps{Closed: true}, RoomMember, "", 0, nil},
		{RoomProps{Password: "sesame"}, RoomMember, "", 0, ErrWrongRoomPassword},
		{RoomProps{Password: "sesame"}, RoomMember, "Sesame", 0, ErrWrongRoomPassword},
		{RoomProps{Password: "sesame"}, NoAffiliation, "sesame", 0, nil},
		{RoomProps{Password: "sesame"}, RoomOwner, "", 0, nil},
	} {
		if err := c.p.MayJoin(c.a, c.password, c.users, bounds); err != c.want {
			t.Errorf("%+v %v %d: %v, want %v", c.p, c.a, c.users, err, c.want)
		}
	}
}

// SSP 13.2.6, 13.2.11, 13.2.12, 14.7.13, 14.7.14.
func TestWhatIsSeenAndSaid(t *testing.T) {
	closed := RoomProps{Closed: true}
	for _, c := range []struct {
		what string
		got  error
		want error
	}{
		{"a stranger sees an open room", RoomProps{}.MaySee(NoAffiliation, false), nil},
		{"an outcast does not", RoomProps{}.MaySee(Outcast, false), ErrRejected},
		{"a stranger sees no closed one", closed.MaySee(NoAffiliation, false), ErrRoomClosed},
		{"but a searchable one", RoomProps{Closed: true, Searchable: true}.MaySee(NoAffiliation, false), nil},
		{"a member sees it", closed.MaySee(RoomMember, false), nil},
		{"who is in it sees it", closed.MaySee(NoAffiliation, true), nil},
		{"all speak", RoomProps{}.MaySpeak(NoAffiliation), nil},
		{"members speak", RoomProps{Moderated: true}.MaySpeak(RoomMember), nil},
		{"guests listen", RoomProps{Moderated: true}.MaySpeak(NoAffiliation), ErrNoPrivilege},
		{"one alone", RoomProps{}.MayWhisper(OwnProps{}), nil},
		{"not here", RoomProps{NoPrivate: true}.MayWhisper(OwnProps{}), ErrNoPrivate},
		{"not to them", RoomProps{}.MayWhisper(OwnProps{NoPrivate: true}), ErrNoPrivateToThem},
		{"a guest stays in an open room", RoomProps{}.MayStay(NoAffiliation), nil},
		{"not when it is closed", closed.MayStay(NoAffiliation), ErrNotMember},
		{"nor an outcast", RoomProps{}.MayStay(Outcast), ErrRejected},
		{"a moderator sets the topic", RoomProps{}.MayChange(Moderator, false, RoomProps{Topic: "x", Welcome: RoomWelcome{Text: "hi"}}), nil},
		{"and no more", RoomProps{}.MayChange(Moderator, true, RoomProps{Topic: "x", Name: "y"}), ErrNoPrivilege},
		{"a guest does not", RoomProps{}.MayChange(NoAffiliation, true, RoomProps{Topic: "x"}), ErrNoPrivilege},
		{"but where all may", RoomProps{TopicOpen: true}.MayChange(NoAffiliation, true, RoomProps{TopicOpen: true, Topic: "x"}), nil},
		{"when they are in", RoomProps{TopicOpen: true}.MayChange(NoAffiliation, false, RoomProps{TopicOpen: true, Topic: "x"}), ErrNoPrivilege},
		{"nothing changes", RoomProps{}.MayChange(Outcast, false, RoomProps{}), nil},
		{"an administrator changes all", RoomProps{}.MayChange(Administrator, false, RoomProps{Closed: true, MaxUsers: 3}), nil},
		{"but does not make it public", RoomProps{}.MayChange(RoomOwner, true, RoomProps{Public: true}), ErrRoomPrivate},
		{"nor private", RoomProps{Public: true}.MayChange(RoomOwner, true, RoomProps{}), ErrRoomPublic},
		{"a member reads no list", MayListMembers(RoomMember), ErrNoPrivilege},
		{"a moderator does", MayListMembers(Moderator), nil},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	if (RoomProps{}).Shows(RoomMember, OwnProps{}) || !(RoomProps{}).Shows(Moderator, OwnProps{}) ||
		!(RoomProps{}).Shows(NoAffiliation, OwnProps{ShowID: true}) || !(RoomProps{ShowAddresses: true}).Shows(NoAffiliation, OwnProps{}) {
		t.Error("addresses are shown to the wrong people")
	}
}

// SSP 13.2.5, 13.2.8, 13.2.9, 13.2.10, 13.2.13.
func TestWhoGivesWhichAffiliation(t *testing.T) {
	for _, c := range []struct {
		by, was, to Affiliation
		self, ok    bool
	}{
		{Moderator, NoAffiliation, RoomMember, false, true},
		{Moderator, RoomMember, Outcast, false, true},
		{Moderator, Outcast, NoAffiliation, false, true},
		{Moderator, RoomMember, Moderator, false, false},
		{Moderator, Moderator, RoomMember, false, false},
		{RoomMember, NoAffiliation, RoomMember, false, false},
		{Administrator, RoomMember, Moderator, false, true},
		{Administrator, Moderator, NoAffiliation, false, true},
		{Administrator, RoomMember, Administrator, false, false},
		{Administrator, Administrator, RoomMember, false, false},
		{RoomOwner, RoomOwner, NoAffiliation, false, true},
		{RoomOwner, NoAffiliation, RoomOwner, false, true},
		{RoomMember, RoomMember, NoAffiliation, true, true},
		{Moderator, Moderator, RoomMember, true, true},
		{Outcast, Outcast, NoAffiliation, true, false},
		{NoAffiliation, NoAffiliation, NoAffiliation, false, true},
	} {
		if err := MayAffiliate(c.by, c.was, c.to, c.self); (err == nil) != c.ok {
			t.Errorf("%v makes %v %v (self %t): %v", c.by, c.was, c.to, c.self, err)
		}
	}
	for _, by := range affiliations {
		for _, was := range affiliations {
			for _, to := range affiliations {
				if by < RoomOwner && MayAffiliate(by, was, to, false) == nil && was != to && (was >= by || to >= by) {
					t.Errorf("%v acts on %v, or makes %v", by, was, to)
				}
			}
			if err := MayExpel(by, was); (err == nil) != (by >= Moderator && (was < by || by == RoomOwner)) {
				t.Errorf("%v expels %v: %v", by, was, err)
			}
		}
	}
	if Affiliation(9).String() != "unknown" || Outcast.String() != "outcast" || RoomOwner.String() != "owner" {
		t.Error("affiliations are misnamed")
	}
	if !(RoomPerson{Who: alice}).IsZero() || (RoomPerson{Affiliation: Outcast}).IsZero() || (RoomPerson{Own: OwnProps{AutoJoin: true}}).IsZero() {
		t.Error("what there is to keep")
	}
}

// Each kind of refusal of rooms is told apart from all others, and has words of its own. SSP 14.7.
func TestKindsOfRefusalOfRoomsDiffer(t *testing.T) {
	words := map[string]string{}
	for _, name := range []string{"errors.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				text := spec.Values[0].(*ast.CallExpr).Args[0].(*ast.BasicLit).Value
				if words[text] != "" || len(text) < 5 {
					t.Errorf("%s says %s, as does %q", spec.Names[0].Name, text, words[text])
				}
				words[text] = spec.Names[0].Name
			}
			return true
		})
	}
	if len(words) < 40 {
		t.Errorf("%d kinds", len(words))
	}
}
