package xmpp

import (
	"testing"
	"time"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp/wire"
)

// RFC 6121 5.2.2, 8.5.2; XEP-0085 5.8, XEP-0184 5.4, XEP-0334 4.1, 4.2, 4.4.
func TestClassify(t *testing.T) {
	const (
		body    = "<body>Hi</body>"
		noStore = "<no-store xmlns='urn:xmpp:hints'/>"
		store   = "<store xmlns='urn:xmpp:hints'/>"
	)
	for _, c := range []struct {
		typ, in string
		want    im.Kind
	}{
		{"", body, im.Words},
		{"normal", body, im.Words},
		{"chat", body, im.Words},
		{"unheard-of", body, im.Words},
		{"headline", body, im.Signal},
		{"groupchat", body, im.Signal},
		{"error", body, im.Signal},
		{"error", store, im.Signal},
		{"chat", "", im.Signal},
		{"chat", "<body/>", im.Signal},
		{"chat", "<body xmlns='urn:x'>Hi</body>", im.Signal},
		{"chat", "<body/><body xml:lang='de'>Hallo</body>", im.Words},
		{"chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>", im.Signal},
		{"chat", body + "<active xmlns='http://jabber.org/protocol/chatstates'/>", im.Words},
		{"", "<received xmlns='urn:xmpp:receipts' id='1'/>", im.Signal},
		{"", "<received xmlns='urn:xmpp:receipts' id='1'/>" + store, im.Words},
		{"chat", body + noStore, im.Signal},
		{"chat", body + noStore + store, im.Signal},
		{"chat", body + "<no-permanent-store xmlns='urn:xmpp:hints'/>", im.Words},
		{"chat", body + "<no-store xmlns='urn:x'/>", im.Words},
		{"chat", "<subject>Hi</subject>", im.Signal},
	} {
		typ := ""
		if c.typ != "" {
			typ = " type='" + c.typ + "'"
		}
		var s wire.Stanza
		wire.Read(&s, element(t, "<message"+typ+">"+c.in+"</message>"))
		if got := Classify(&s); got != c.want {
			t.Errorf("%s %s: %d", c.typ, c.in, got)
		}
	}
}

// RFC 6121 5.2.3, 5.2.4, 5.2.5; RFC 6120 8.1.5.
func TestNeutral(t *testing.T) {
	for _, c := range []struct {
		in, text, subject, thread string
		typing                    bool
	}{
		{"<message><body>a &amp; b</body><subject>S</subject><thread>T</thread></message>", "a & b", "S", "T", false},
		{"<message xml:lang='de'><body xml:lang='en'>Hi</body><body xml:lang='de'>Hallo</body></message>", "Hallo", "", "", false},
		{"<message xml:lang='de'><body xml:lang='en'>Hi</body><body>Hallo</body></message>", "Hallo", "", "", false},
		{"<message><body xml:lang='en'>Hi</body><body xml:lang='de'>Hallo</body></message>", "Hi", "", "", false},
		{"<message><body xmlns='urn:x'>no</body></message>", "", "", "", false},
		{"<message><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", "", "", "", true},
		{"<message><paused xmlns='http://jabber.org/protocol/chatstates'/></message>", "", "", "", false},
		{"<message><composing xmlns='http://jabber.org/protocol/chatstates'/><body>Hi</body></message>", "Hi", "", "", false},
		{"<message/>", "", "", "", false},
	} {
		n := Neutral(element(t, c.in))
		if n.Text.Reveal() != c.text || n.Subject.Reveal() != c.subject || n.Thread != c.thread || n.Typing != c.typing {
			t.Errorf("%s: %q %q %q %v", c.in, n.Text.Reveal(), n.Subject.Reveal(), n.Thread, n.Typing)
		}
	}
}

// TestBody: where the words stand as they were written, when there is nothing else to tell. RFC 6121 5.2.3
func TestBody(t *testing.T) {
	for in, want := range map[string]string{
		"<message><body>a &amp; b</body></message>": "a & b",
		"<message xml:lang='de'> <request xmlns='urn:xmpp:receipts'/><body>a\r\nb</body><x xmlns='urn:x'><body>c</body></x></message>": "a\nb",
		"<message><body xml:lang='en'>Hi</body></message>":              "Hi",
		"<message><body xmlns='urn:x'>no</body></message>":              "",
		"<message><body>a<i/>b</body></message>":                        "",
		"<message><body><![CDATA[a &amp; b]]></body></message>":         "",
		"<message><body>a</body><body xml:lang='de'>b</body></message>": "",
		"<message><body>a</body><subject>b</subject></message>":         "",
		"<message><thread>b</thread><body>a</body></message>":           "",
		"<message><body/></message>":                                    "",
	} {
		if got := written(element(t, in)); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// written are the words that Body finds; "" when it finds none.
func written(n xmltext.Node) string {
	from, to, ok := Body(n)
	if !ok {
		return ""
	}
	return string(xmltext.AppendWritten(nil, n.Inner()[from:to]))
}

// XEP-0085 2.
func TestChatStates(t *testing.T) {
	for _, s := range []string{"active", "composing", "paused", "inactive", "gone"} {
		n := element(t, "<message><body/><"+s+" xmlns='http://jabber.org/protocol/chatstates'/></message>")
		if got := ChatState(n); got != s || IsTyping(n) != (s == "composing") {
			t.Errorf("%s is %q", s, got)
		}
	}
	for _, x := range []string{"<message/>", "<message><active/></message>",
		"<message><asleep xmlns='http://jabber.org/protocol/chatstates'/></message>"} {
		if got := ChatState(element(t, x)); got != "" {
			t.Errorf("%s is %q", x, got)
		}
	}
}

// XEP-0184 7, XEP-0334 4.3.
func TestWishes(t *testing.T) {
	n := element(t, "<message id='1'><request xmlns='urn:xmpp:receipts'/><no-copy xmlns='urn:xmpp:hints'/></message>")
	if !WantsReceipt(n) || !NoCopies(n) {
		t.Error("not seen")
	}
	n = element(t, "<message><request xmlns='urn:xmpp:receipts'/><no-copy/></message>")
	if WantsReceipt(n) || NoCopies(n) {
		t.Error("a receipt for no id, or a hint of no namespace")
	}
}

// RFC 6121 5.2, XEP-0085 5.1, XEP-0203 2, XEP-0359 2.1.
func TestAppendNeutral(t *testing.T) {
	const state = " xmlns='http://jabber.org/protocol/chatstates'/>"
	at := time.Date(2002, 9, 10, 23, 8, 25, 0, time.FixedZone("", 3600))
	for _, c := range []struct {
		n     im.Neutral
		delay bool
		want  string
	}{
		{im.Neutral{Text: im.NewText("a<b\n")}, false,
			"<message from='a@x/1' to='b@example.com' id='7' type='chat'><body>a&lt;b\n</body><active" + state + "</message>"},
		{im.Neutral{Text: im.NewText("x"), Subject: im.NewText("s"), Thread: "t"}, true,
			"<message from='a@x/1' to='b@example.com' id='7' type='chat'><subject>s</subject><body>x</body><thread>t</thread><active" + state +
				"<delay xmlns='urn:xmpp:delay' from='example.com' stamp='2002-09-10T22:08:25.000Z'/></message>"},
		{im.Neutral{Typing: true}, false,
			"<message from='a@x/1' to='b@example.com' id='7' type='chat'><composing" + state + "</message>"},
		{im.Neutral{}, false, "<message from='a@x/1' to='b@example.com' id='7' type='chat'/>"},
		{im.Neutral{}, true, "<message from='a@x/1' to='b@example.com' id='7' type='chat'>" +
			"<delay xmlns='urn:xmpp:delay' from='example.com' stamp='2002-09-10T22:08:25.000Z'/></message>"},
	} {
		m := &im.Message{To: im.MustAddress("b@example.com"), Time: at, Neutralise: func() im.Neutral { return c.n }}
		got := string(AppendNeutral([]byte("_"), "a@x/1", "b@example.com", "7", "", m, c.delay))
		if got != "_"+c.want {
			t.Errorf("%s, want\n%s", got, c.want)
		}
		got = string(AppendNeutral(nil, "a@x/1", "b@example.com", "7", "b@example.com", m, c.delay))
		if want := string(InsertStanzaID(nil, []byte(c.want), "b@example.com", "7")); got != want {
			t.Errorf("%s, want\n%s", got, want)
		}
	}
}

// FuzzMessage: the neutral form of what a client sends, written for another, reads as the same.
func FuzzMessage(f *testing.F) {
	for _, x := range []string{
		"<message type='chat' xml:lang='de'><body>x</body><body xml:lang='en'>y</body><thread>t</thread></message>",
		"<message><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
		"<message><body><![CDATA[a]]>&#xd;\r\n</body><subject/></message>",
		"<message><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>",
	} {
		f.Add([]byte(x), true)
	}
	f.Fuzz(func(t *testing.T, in []byte, delay bool) {
		d := new(xmltext.Doc)
		n, err := wire.Parse(d, in, xmltext.Limits{})
		if err != nil {
			return
		}
		var s wire.Stanza
		wire.Read(&s, n)
		kind := Classify(&s)
		if kind != im.Words && kind != im.Signal {
			t.Fatal(kind)
		}
		a := Neutral(n)
		if w := written(n); w != "" && (w != a.Text.Reveal() || !a.Subject.IsZero() || a.Thread != "" || a.Typing) {
			t.Fatalf("%q is all that there is, and not %q", w, a.Text.Reveal())
		}
		m := &im.Message{To: im.MustAddress("b@x"), Neutralise: func() im.Neutral { return a }}
		out := AppendNeutral(nil, "a@x/1", "b@x", "", "", m, delay)
		r, err := wire.Parse(d, out, xmltext.Limits{Bytes: 1 << 20})
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		b := Neutral(r)
		if a.Text.Reveal() != b.Text.Reveal() || a.Subject.Reveal() != b.Subject.Reveal() || a.Thread != b.Thread || a.Typing != b.Typing ||
			r.Child(wire.NSDelay, "delay").Ok() != delay {
			t.Fatalf("%q", out)
		}
	})
}
