package server

import (
	"errors"
	"slices"
	"testing"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// TestRelaySplit: a request about users of several domains is divided, and its answers joined. SSP 14.2.2; ssp-syntax 6
func TestRelaySplit(t *testing.T) {
	w := newWorld(t, "a", "i", "b", "c")
	w.join("a", "i")
	w.join("i", "b")
	w.join("i", "c")
	for _, n := range []string{"b", "c"} {
		w.route(n, "a", "i")
	}
	bob, carol, ivan := w.d["b"].login("bob"), w.d["c"].login("carol"), w.d["i"].login("alice")
	alice := im.MustAddress("alice@a.example")
	content, size := ssp.Content(im.NewText("to all"))
	info := ssp.Info{ID: "1@a.example", Type: ssp.TextType, Size: size, From: ssp.Party{User: alice}}
	for _, who := range []im.Address{bob.who, carol.who, ivan.who, im.MustAddress("nobody@c.example"), im.MustAddress("x@nowhere.example")} {
		info.To = append(info.To, ssp.Party{User: who})
	}
	answer, err := w.d["a"].s.Request(t.Context(), "i.example", alice, wire.New("SendMessageRequest", "deliveryReport", "No").Add(info.Element(wire.WV10), content))
	if err != nil || answer.Name != "SendMessageResponse" || wire.StatusOf(answer) != wire.PartlySuccessful || answer.Attr("messageID") != "1@a.example" {
		t.Fatal(answer, err)
	}
	var bad []string
	for d := range answer.Child("Status").Children("DetailedResult") {
		bad = append(bad, d.Attr("code")+" "+d.Child("UserID").Attr("userID"))
	}
	slices.Sort(bad)
	if !slices.Equal(bad, []string{"516 wv:x@nowhere.example", "531 wv:nobody@c.example"}) {
		t.Errorf("%q", bad)
	}
	for _, r := range []*resident{bob, carol, ivan} {
		hears(t, r, "what goes to all", func(m *exchange.Message) bool { return m.From == alice && m.Neutral().Text.Reveal() == "to all" })
	}
	answer, err = w.d["a"].s.Request(t.Context(), "i.example", alice, wire.New("VerifyUseridRequest").Add(wire.New("VerUserID", "userID", "wv:bob@b.example"),
		wire.New("VerUserID", "userID", "wv:carol@c.example"), wire.New("VerUserID", "userID", "wv:nobody@c.example")))
	var there []string
	for e := range answer.Children("VerUserID") {
		there = append(there, e.Attr("userID"))
	}
	if slices.Sort(there); err != nil || !slices.Equal(there, []string{"wv:bob@b.example", "wv:carol@c.example"}) {
		t.Errorf("%q, %v", there, err)
	}
}

// subscribing is a wish to see somebody.
func subscribing(who string) *wire.Element {
	return wire.New("SubscribeRequest").Add(userID("wv:" + who))
}

// TestRelayRefused: what does not go on, and with which code. SSP 5.6, 14.4.8; ssp-syntax 6, 7
func TestRelayRefused(t *testing.T) {
	w := newWorld(t, "a", "i", "b")
	w.join("a", "i")
	w.join("i", "b")
	alice := im.MustAddress("alice@a.example")
	a, i := w.d["a"].s, w.d["i"].s
	_, err := a.Request(t.Context(), "i.example", alice, subscribing("bob@b.example"))
	if !errors.Is(err, wire.UnknownTransaction) { // b knows nothing of a
		t.Errorf("a domain that is not known there: %v", err)
	}
	for _, who := range []string{"bob@b.example", "alice@i.example", "x@nowhere.example"} { // not on behalf of theirs
		if _, err = a.Request(t.Context(), "i.example", im.MustAddress(who), subscribing("carol@i.example")); !errors.Is(err, wire.UnknownTransaction) {
			t.Errorf("for %s: %v", who, err)
		}
	}
	l := i.peer("a.example").link.Load()
	mine, theirs := l.Agreed()
	l.SetAgreed(slices.DeleteFunc(slices.Clone(mine), func(s string) bool { return s == relayNode }), theirs)
	if _, err = a.Request(t.Context(), "i.example", alice, subscribing("bob@b.example")); !errors.Is(err, wire.BadDomain) {
		t.Errorf("relaying is not agreed on: %v", err)
	}
	l.SetAgreed(mine, theirs)
	i.node.Forget("b.example")
	until(t, "no session", func() bool { return i.peer("b.example").link.Load() == nil })
	w.d["b"].s.node.Forget("i.example")
	i.node.Forget("b.example")
	if _, err = a.Request(t.Context(), "i.example", alice, subscribing("bob@b.example")); !errors.Is(err, wire.Unavailable) {
		t.Errorf("no session with the next hop: %v", err)
	}
}

// TestRelaySilent: a next hop that says nothing. SSP 14.4.4, 14.4.9, 14.4.10; ssp-syntax 7
func TestRelaySilent(t *testing.T) {
	for v, want := range map[Service]wire.Code{Messages: wire.TimedOut, Presence: wire.NoPresenceAnswer, Groups: wire.NoGroupAnswer} {
		if got := silence(v, ssp.ErrorOf(wire.TimedOut)); got != want {
			t.Errorf("%s: %d", v, got)
		}
	}
	if got := silence(Messages, session.ErrDown); got != wire.Unavailable {
		t.Errorf("no session: %d", got)
	}
	if got := silence(Presence, ssp.ErrorOf(wire.NotAgreed)); got != wire.NotAgreed {
		t.Errorf("an answer: %d", got)
	}
}

// TestRelayCircle: what would go round in a circle ends, and does not end the sessions. ssp-syntax 6
func TestRelayCircle(t *testing.T) {
	w := newWorld(t, "a", "x", "y", "z")
	w.join("a", "x")
	w.join("x", "y")
	w.join("y", "z")
	w.join("z", "x")
	for _, n := range [][2]string{{"x", "y"}, {"y", "z"}, {"z", "x"}} {
		w.route(n[0], "far", n[1])
	}
	w.route("y", "a", "x")
	w.route("z", "a", "y")
	w.elements("x", "a presence a")
	_, err := w.d["a"].s.Request(t.Context(), "x.example", im.MustAddress("alice@a.example"), subscribing("bob@far.example"))
	if err == nil {
		t.Error("it went round")
	}
	if n := len(w.heard("SubscribeRequest")); n > 4 {
		t.Errorf("it went %d times", n)
	}
	alice := w.d["a"].login("alice")
	w.says(alice, w.d["x"].login("carol"), "still there")
}

// TestTrail: the same from another peer to the same one is a circle; again from the same one it is not.
func TestTrail(t *testing.T) {
	var tr trail
	e := subscribing("bob@b.example").Add(wire.New("MetaInfo"))
	done, ok := tr.enter(e, "wv:alice@a.example", "b", "a")
	if !ok {
		t.Fatal("the first time")
	}
	if _, ok := tr.enter(subscribing("bob@b.example"), "wv:alice@a.example", "b", "c"); ok {
		t.Error("round in a circle")
	}
	if _, ok := tr.enter(e, "wv:alice@a.example", "a", "b"); !ok {
		t.Error("the other way, SSP 2.4")
	}
	again, ok := tr.enter(e, "wv:alice@a.example", "b", "a")
	if !ok {
		t.Error("once more")
	}
	done()
	again()
	if _, ok := tr.enter(e, "wv:alice@a.example", "b", "c"); !ok {
		t.Error("after it was answered")
	}
	m := wire.New("SendMessageRequest").Add(wire.New("MessageInfo", "messageID", "1@a"))
	done, _ = tr.enter(m, "", "b", "a")
	done()
	if _, ok := tr.enter(m, "", "b", "c"); ok {
		t.Error("a message is known for a while")
	}
}

// TestGlobal: addresses of local scope become global ones. SSP 2.2
func TestGlobal(t *testing.T) {
	e := wire.New("SubscribeRequest").Add(userID("wv:bob"), userID("wv:carol@c.example"))
	g := global(e, "a.example")
	if g.Kids[0].Attr("userID") != "wv:bob@a.example" || g.Kids[1] != e.Kids[1] || e.Kids[0].Attr("userID") != "wv:bob" {
		t.Errorf("%v", g)
	}
	if global(g, "b.example") != g {
		t.Error("nothing was local")
	}
}

// TestRelayGetMessage: a message is fetched over a domain between, in four steps. SSP 12.3.5; ssp-syntax 5.7
func TestRelayGetMessage(t *testing.T) {
	w := caseTwo(t, "messages")
	alice, bob := w.d["a"].login("alice"), im.MustAddress("bob@a.example")
	a := w.d["a"].s
	if _, err := a.Request(t.Context(), "b.example", bob, wire.New("SetMessageDeliveryMethod", "deliveryMethod", methodNotify)); err != nil {
		t.Fatal(err)
	}
	b := w.d["a"].login("bob")
	if err := <-alice.say(bob, "fetch me"); err != nil {
		t.Fatal(err)
	}
	hears(t, b, "what was fetched", func(m *exchange.Message) bool { return m.Neutral().Text.Reveal() == "fetch me" })
	w.comes("i>b MessageDelivered bob@a")
	w.is("words", w.heard("MessageNotification", "GetMessageRequest", "MessageDelivered", "NewMessage"), "b>i MessageNotification", "i>a MessageNotification",
		"a>i GetMessageRequest bob@a", "i>b GetMessageRequest bob@a", "a>i MessageDelivered bob@a", "i>b MessageDelivered bob@a")
	until(t, "the box is empty", func() bool {
		l, err := w.d["b"].x.Box(t.Context(), bob, 10)
		return err == nil && len(l) == 0
	})
}
