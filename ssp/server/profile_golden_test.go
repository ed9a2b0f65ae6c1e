package server

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

var renew = flag.Bool("renew", false, "write the golden documents anew")

// pair is a.example, whose users have their services at b.example.
type pair struct {
	t          *testing.T
	a, b       *domain
	alice, eve im.Address
	came       map[string]chan *wire.Element // requests that a is sent, by primitive
}

// newPair joins them. What a is sent of these primitives can be looked at.
func newPair(t *testing.T, watch ...string) *pair {
	t.Helper()
	p := &pair{t: t, a: newDomain(t, "a.example", "alice", "eve"), b: newDomain(t, "b.example", "bob", "dave"),
		alice: im.MustAddress("alice@a.example"), eve: im.MustAddress("eve@a.example"), came: map[string]chan *wire.Element{}}
	for _, w := range watch {
		p.watch(w)
	}
	join(t, p.a, p.b)
	return p
}

// watch is called before they are joined. A request that is "only" watched is acknowledged, and nothing else is done.
func (p *pair) watch(primitive string) {
	primitive, only := strings.CutPrefix(primitive, "only ")
	c := make(chan *wire.Element, 100)
	p.came[primitive] = c
	r := p.a.s.rows[primitive]
	p.a.s.rows[primitive] = row{primitive, func(s *Server, q *peer, req *session.Request) error {
		c <- req.Primitive
		if only || primitive == "PresenceNotification" { // a's own users asked for nothing
			req.Answer(wire.Status(wire.Successful, ""))
			return nil
		}
		return r.serve(s, q, req)
	}}
}

// comes is the next one that a is sent.
func (p *pair) comes(primitive string) *wire.Element {
	p.t.Helper()
	select {
	case e := <-p.came[primitive]:
		return e
	case <-time.After(10 * time.Second):
		p.t.Fatalf("no %s came", primitive)
		return nil
	}
}

// asks has a ask b for something, for a user or for itself, and gives the answer.
func (p *pair) asks(as im.Address, e *wire.Element) *wire.Element {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	answer, err := p.a.s.Request(ctx, "b.example", as, e)
	if answer == nil {
		p.t.Fatalf("%s: %v", e.Name, err)
	}
	return answer
}

// must has it asked for with success.
func (p *pair) must(as im.Address, e *wire.Element) *wire.Element {
	p.t.Helper()
	answer := p.asks(as, e)
	if c := wire.StatusOf(answer); c != wire.Successful {
		p.t.Fatalf("%s is answered with %s: %s", e.Name, c, document(p.t, answer))
	}
	return answer
}

// refused has it asked for in vain.
func (p *pair) refused(as im.Address, e *wire.Element, want wire.Code) *wire.Element {
	p.t.Helper()
	answer := p.asks(as, e)
	if c := wire.StatusOf(answer); c != want {
		p.t.Errorf("%s is answered with %s, want %s", e.Name, c, want)
	}
	return answer
}

// what is new each time
var masks = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`\d{10,}@b\.example`), "1@b.example"},
	{regexp.MustCompile(`searchID='[A-Z2-7]{26}'`), `searchID='S'`},
	{regexp.MustCompile(`\d{8}T\d{6}Z`), "20021119T063000Z"},
}

// document is primitives as they are on the wire, one element in a line.
func document(t *testing.T, l ...*wire.Element) string {
	t.Helper()
	m := wire.Message{Session: "1"}
	for i, e := range l {
		m.Units = append(m.Units, wire.Unit{ID: "1", Response: i > 0, Primitive: e})
	}
	b, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := string(b)
	for _, k := range masks {
		s = k.re.ReplaceAllString(s, k.to)
	}
	return strings.ReplaceAll(s, "><", ">\n<") + "\n"
}

// golden compares a request and its answer, or a request alone, with the document in testdata.
func golden(t *testing.T, name string, l ...*wire.Element) {
	t.Helper()
	path, got := filepath.Join("testdata", name+".xml"), document(t, l...)
	if *renew {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with -renew", err)
	}
	if got != string(want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
	}
}

// exchanged asks for something with success, and compares both documents.
func (p *pair) exchanged(name string, as im.Address, e *wire.Element) *wire.Element {
	p.t.Helper()
	answer := p.must(as, e)
	golden(p.t, name, e, answer)
	return answer
}

func user1(who string) *wire.Element { return userID("wv:" + who) }

func property(name, value string) *wire.Element {
	return ssp.AddProperties(wire.New("X"), []ssp.Property{{Name: name, Value: value}}).Kids[0]
}

// TestUserProfile: what may be known of ours, and what is kept of the peer's. SSP 8.2.1, 8.2.2, 8.2.3, 8.3.1, 8.3.2, 8.4
func TestUserProfile(t *testing.T) {
	p := newPair(t)
	ctx := t.Context()
	p.b.must(p.b.x.SetProfile(ctx, im.MustAddress("bob@b.example"), func(f *im.Profile) { f.Listed, f.First = true, "Bob" }))
	p.exchanged("UpdateUserProfile", p.alice, wire.New("UpdateUserProfileRequest").Add(wire.New("Profile", "userID", "wv:alice@a.example").Add(
		property("Services.IM.PSE", "b.example"), property("Terminal.Delivery", "NOTIFY"), property("x.colour", "green"))))
	p.exchanged("GetUserProfile", p.alice, wire.New("GetUserProfileRequest").Add(user1("bob@b.example"), user1("dave@b.example"), user1("alice@a.example")))
	all := p.must(nobody, wire.New("GetUserProfileRequest"))
	var who []string
	for e := range all.Children("Profile") {
		who = append(who, e.Attr("userID"))
	}
	if !slices.Equal(who, []string{"wv:alice@a.example", "wv:bob@b.example"}) {
		t.Errorf("all are %v", who)
	}
	p.refused(p.alice, wire.New("GetUserProfileRequest").Add(user1("nobody@b.example")), wire.UnknownUser)
	p.refused(p.alice, wire.New("GetUserProfileRequest").Add(user1("eve@a.example")), wire.Forbidden)
	p.refused(p.alice, wire.New("GetUserProfileRequest").Add(user1("x@elsewhere.example")), wire.UnknownUser)
	partly := p.refused(nobody, wire.New("GetUserProfileRequest").Add(user1("bob@b.example"), user1("nobody@b.example")), wire.PartlySuccessful)
	if d := partly.Child("Status").Child("DetailedResult"); d.Attr("code") != "531" || d.Child("UserID").Attr("userID") != "wv:nobody@b.example" {
		t.Errorf("%s", document(t, partly))
	}
	update := func(who string, f ...*wire.Element) *wire.Element {
		return wire.New("UpdateUserProfileRequest").Add(wire.New("Profile", "userID", "wv:"+who).Add(f...))
	}
	for _, bad := range [][2]string{{"User.Shoe", "44"}, {"User.Account.Status", "MAYBE"}, {"Services.IM.PSE", "a b"}, {"Terminal.Content.length", "-1"},
		{"x.long", strings.Repeat("x", 1024)}} {
		p.refused(p.alice, update("alice@a.example", property(bad[0], bad[1])), wire.BadUserProperties)
	}
	p.refused(p.alice, update("bob@b.example"), wire.UnknownUser)
	p.refused(p.alice, update("eve@a.example"), wire.Forbidden)
	p.must(nobody, update("eve@a.example", property("Services.Group", "YES")))
	// "" takes one away, and what is kept lasts
	p.must(p.alice, update("alice@a.example", property("x.colour", ""), property("Terminal.Delivery", "")))
	p.b.s.peer("a.example").users[p.alice].kept.Store(nil)
	answer := p.must(p.alice, wire.New("GetUserProfileRequest").Add(user1("alice@a.example")))
	if l := ssp.ReadProperties(answer.Child("Profile")); !slices.Equal(l, []ssp.Property{{Name: "Services.IM.PSE", Value: "b.example"}}) {
		t.Errorf("kept is %v", l)
	}
}

// TestVerifyUserid: only who is in use, since when. SSP 9.2.10, 9.2.11, 9.3.5
func TestVerifyUserid(t *testing.T) {
	p := newPair(t)
	ask := wire.New("VerifyUseridRequest")
	for _, who := range []string{"bob@b.example", "nobody@b.example", "alice@a.example"} {
		ask.Add(wire.New("VerUserID", "userID", "wv:"+who))
	}
	answer := p.exchanged("VerifyUserid", nobody, ask)
	since := answer.Child("VerUserID").Attr("dateTime")
	for at, want := range map[string]bool{since: true, "20020214T080000Z": false} {
		answer := p.must(nobody, wire.New("VerifyUseridRequest").Add(wire.New("VerUserID", "userID", "wv:bob@b.example", "dateTime", at)))
		if answer.Has("VerUserID") != want {
			t.Errorf("bob since %s: %v, want %v", at, !want, want)
		}
	}
}

// said waits until a resident hears words.
func said(t *testing.T, r *resident, text string) *exchange.Message {
	t.Helper()
	return hears(t, r, text, func(m *exchange.Message) bool { return m.Neutral().Text.Reveal() == text })
}
