package server

import (
	"slices"
	"strings"
	"testing"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

func method(how string, longest string) *wire.Element {
	return wire.New("SetMessageDeliveryMethod", "deliveryMethod", how, "acceptedContentLength", longest)
}

func messages(e *wire.Element) (ids []string) {
	for i := range e.Children("MessageInfo") {
		ids = append(ids, i.Attr("messageID"))
	}
	return ids
}

func content(e *wire.Element) string {
	b, _ := e.Child("ContentData").Bytes()
	return string(b)
}

// TestPushMessage: words for a peer's user, whose message service we are, are pushed to their home domain, which gives them
// to its user. SSP 12.2.4, 12.2.5, 12.3.3, 12.3.6
func TestPushMessage(t *testing.T) {
	p := newPair(t, "NewMessage", "SendMessageRequest")
	p.a.s.SetElements([]Element{{Of: "a.example", Service: Messages, By: "b.example"}}) // it may speak of ours
	alice, bob := p.a.login("alice"), p.b.login("bob")
	p.exchanged("SetMessageDeliveryMethod", p.alice, method(methodPush, ""))
	if err := <-bob.say(p.alice, "hello"); err != nil {
		t.Error(err)
	}
	golden(t, "NewMessage", p.comes("NewMessage"))
	if m := said(t, alice, "hello"); m.From != bob.who {
		t.Errorf("from %s", m.From)
	}
	// a profile says the same, or that it is another
	if err := <-bob.say(p.eve, "to her home"); err != nil {
		t.Error(err)
	}
	p.comes("SendMessageRequest")
	profile := func(pse string) {
		p.must(p.eve, wire.New("UpdateUserProfileRequest").Add(wire.New("Profile", "userID", "wv:eve@a.example").Add(property("Services.IM.PSE", pse))))
	}
	profile("b.example")
	<-bob.say(p.eve, "pushed")
	if e := p.comes("NewMessage"); content(e) != "pushed" {
		t.Error(document(t, e))
	}
	profile("elsewhere.example")
	<-bob.say(p.eve, "to her home")
	p.comes("SendMessageRequest")
	// two users of the peer's, SSP 2.4.2
	words, size := ssp.Content(im.NewText("from next door"))
	p.must(p.eve, wire.New("SendMessageRequest", "deliveryReport", "No").Add(ssp.Info{Type: ssp.TextType, Size: size, From: ssp.Party{User: p.eve},
		To: []ssp.Party{{User: p.alice}}}.Element(wire.WV10), words))
	if e := p.comes("NewMessage"); content(e) != "from next door" || e.Path("MessageInfo", "Sender", "User").Attr("userID") != "wv:eve@a.example" {
		t.Error(document(t, e))
	}
}

// TestNotifyAndGet: words wait, their receiver's home domain is told, and fetches them. SSP 12.2.6, 12.2.7, 12.3.4, 12.3.5,
// 12.4.7
func TestNotifyAndGet(t *testing.T) {
	p := newPair(t, "MessageNotification")
	alice, bob := p.a.login("alice"), p.b.login("bob")
	p.must(p.alice, method("N", "")) // as clients spell it
	if err := <-bob.say(p.alice, "fetch me"); err != nil {
		t.Error(err)
	}
	golden(t, "MessageNotification", p.comes("MessageNotification"))
	said(t, alice, "fetch me")
	until(t, "nothing waits", func() bool { return p.b.waits(p.alice) == 0 })
	// long ones only, when what is short is pushed
	p.must(p.alice, method(methodPush, "10"))
	<-bob.say(p.alice, "short")
	said(t, alice, "short")
	if len(p.came["MessageNotification"]) > 0 {
		t.Error("told of what is pushed")
	}
	<-bob.say(p.alice, "too long to be pushed")
	p.comes("MessageNotification")
	said(t, alice, "too long to be pushed")
}

func (d *domain) waits(who im.Address) int {
	n, _, err := d.x.Waiting(d.t.Context(), who)
	d.must(err)
	return n
}

// boxed has bob leave words for eve in her box, which she does not fetch.
func (p *pair) boxed(texts ...string) {
	p.t.Helper()
	bob := p.b.login("bob")
	p.a.s.rows["MessageNotification"] = row{"MessageNotification", func(_ *Server, _ *peer, r *session.Request) error {
		r.Answer(wire.Status(wire.Successful, ""))
		return nil
	}}
	join(p.t, p.a, p.b)
	p.must(p.eve, method(methodNotify, ""))
	for _, s := range texts {
		if err := <-bob.say(p.eve, s); err != nil {
			p.t.Fatal(err)
		}
	}
	until(p.t, "they wait", func() bool { return p.b.waits(p.eve) == len(texts) })
}

// unjoined is newPair before they have met.
func unjoined(t *testing.T) *pair {
	t.Helper()
	return &pair{t: t, a: newDomain(t, "a.example", "alice", "eve"), b: newDomain(t, "b.example", "bob", "dave"),
		alice: im.MustAddress("alice@a.example"), eve: im.MustAddress("eve@a.example"), came: map[string]chan *wire.Element{}}
}

// TestMessageBox: what waits is listed, fetched in four steps, forwarded and rejected; it lasts. SSP 12.2.3, 12.2.7, 12.2.9,
// 12.2.10, 12.2.11, 12.3.2, 12.3.5, 12.3.7, 12.3.8, 12.4.3, 12.4.4, 12.4.7, 12.4.9
func TestMessageBox(t *testing.T) {
	p := unjoined(t)
	p.boxed("one", "two", "three")
	dave := p.b.login("dave")
	ids := messages(p.exchanged("GetMessageList", p.eve, wire.New("GetMessageListRequest")))
	if len(ids) != 3 {
		t.Fatal(ids)
	}
	if l := messages(p.must(p.eve, wire.New("GetMessageListRequest", "messageCount", "2"))); !slices.Equal(l, ids[:2]) {
		t.Error(l)
	}
	if l := messages(p.must(p.eve, wire.New("GetMessageListRequest", "messageCount", "0"))); len(l) != 0 {
		t.Error(l)
	}
	if l := messages(p.must(p.alice, wire.New("GetMessageListRequest"))); len(l) != 0 {
		t.Errorf("alice sees %v", l)
	}
	// four steps; the third names another message first
	link := p.a.s.peer("b.example").link.Load()
	get := func(id string, says string) (*wire.Element, *wire.Element, error) {
		var got *wire.Element
		e, err := link.RequestThen(t.Context(), wire.New("GetMessageRequest", "messageID", id).Add(p.a.s.meta(p.eve)), func(e *wire.Element) *wire.Element {
			got = e
			return wire.New("MessageDelivered", "messageID", says).Add(p.a.s.meta(p.eve))
		})
		return got, e, err
	}
	if _, e, _ := get(ids[0], "other"); wire.StatusOf(e) != wire.BadMessage {
		t.Error(document(t, e))
	}
	if got, e, err := get(ids[0], ids[0]); err != nil || content(got) != "one" {
		t.Error(err)
	} else {
		golden(t, "GetMessage", wire.New("GetMessageRequest", "messageID", ids[0]).Add(p.a.s.meta(p.eve)), got)
		golden(t, "MessageDelivered", wire.New("MessageDelivered", "messageID", ids[0]).Add(p.a.s.meta(p.eve)), e)
	}
	if _, e, _ := get(ids[0], ids[0]); wire.StatusOf(e) != wire.BadMessage {
		t.Error("it is there twice")
	}
	for _, id := range []string{ids[1], "7@a.example", "x", "-1@b.example"} {
		p.refused(p.alice, wire.New("GetMessageRequest", "messageID", id), wire.BadMessage) // not hers
	}
	// on to others
	forward := func(id string, to ...ssp.Party) *wire.Element {
		e := wire.New("ForwardMessageRequest", "messageID", id)
		for _, p := range to {
			e.Add(wire.New("Recipient").Add(p.Element(wire.WV10)))
		}
		return e
	}
	p.exchanged("ForwardMessage", p.eve, forward(ids[1], ssp.Party{User: dave.who}))
	if m := said(t, dave, "two"); m.From != p.eve {
		t.Errorf("from %s", m.From)
	}
	p.refused(p.eve, forward(ids[0], ssp.Party{User: dave.who}), wire.BadMessage)
	p.refused(p.eve, forward(ids[1], ssp.Party{User: im.MustAddress("nobody@b.example")}), wire.UnknownUser)
	list, err := ssp.ParseResource("wv:eve%2Fnone@a.example")
	p.b.must(err)
	p.refused(p.eve, forward(ids[1], ssp.Party{List: list}), wire.NoContactList)
	p.refused(p.eve, wire.New("ForwardMessageRequest", "messageURI", "http://b.example/1").Add(wire.New("Recipient").Add(user2("bob@b.example"))), wire.BadMessage)
	if p.b.waits(p.eve) != 2 {
		t.Error("what is forwarded stays")
	}
	// away
	id := func(v string) *wire.Element { return wire.New("MessageID", "messageID", v) }
	p.exchanged("RejectMessage", p.eve, wire.New("RejectMessageRequest").Add(id(ids[1])))
	partly := p.refused(p.eve, wire.New("RejectMessageRequest").Add(id(ids[1]), id(ids[2])), wire.PartlySuccessful)
	if d := partly.Child("DetailedResult"); d.Attr("code") != "426" || d.Child("MessageID").Attr("messageID") != ids[1] {
		t.Error(document(t, partly))
	}
	if p.b.waits(p.eve) != 0 {
		t.Error("not rejected")
	}
}

// TestBoxLasts: how messages are delivered, and what waits, is the same after a start; what waits is pushed when that is
// asked for. SSP 12.3.3, 12.3.6
func TestBoxLasts(t *testing.T) {
	p := unjoined(t)
	p.boxed("one", strings.Repeat("long ", 10))
	p.b.s.peer("a.example").users[p.eve].kept.Store(nil)
	eve := p.a.login("eve")
	<-p.b.login("dave").say(p.eve, "three")
	until(t, "it waits", func() bool { return p.b.waits(p.eve) == 3 })
	p.must(p.eve, method(methodPush, ""))
	for _, s := range []string{"one", strings.TrimSpace(strings.Repeat("long ", 10)), "three"} {
		hears(t, eve, s, func(m *exchange.Message) bool { return strings.TrimSpace(m.Neutral().Text.Reveal()) == s })
	}
}
