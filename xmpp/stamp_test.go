package xmpp

import (
	"strings"
	"testing"
	"time"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp/wire"
)

var then = time.Date(2002, 9, 10, 23, 8, 25, 120e6, time.UTC)

// XEP-0203 2, XEP-0359 2.1.
func TestInsert(t *testing.T) {
	const (
		delay = "<delay xmlns='urn:xmpp:delay' from='example.com' stamp='2002-09-10T23:08:25.120Z'/>"
		id    = "<stanza-id xmlns='urn:xmpp:sid:0' by='example.com' id='5&apos;'/>"
	)
	for _, c := range []struct{ in, begin, end string }{
		{"<message><body>Hi</body></message>", "<message><body>Hi</body>", "</message>"},
		{"<message><body/></message >", "<message><body/>", "</message>"},
		{"<message/>", "<message>", "</message>"},
		{"<message to='a/>' />", "<message to='a/>'>", "</message>"},
		{"<c:message\n\txmlns:c='jabber:client'/>", "<c:message\n\txmlns:c='jabber:client'>", "</c:message>"},
		{"<message><![CDATA[</message>]]></message>", "<message><![CDATA[</message>]]>", "</message>"},
	} {
		if got := string(InsertDelay([]byte("_"), []byte(c.in), "example.com", then)); got != "_"+c.begin+delay+c.end {
			t.Errorf("%s became %s", c.in, got)
		}
		if got := string(InsertStanzaID(nil, []byte(c.in), "example.com", "5'")); got != c.begin+id+c.end {
			t.Errorf("%s became %s", c.in, got)
		}
	}
	if got := string(InsertDelay(nil, []byte("<a/>"), "", then)); got != "<a><delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25.120Z'/></a>" {
		t.Error(got)
	}
}

// XEP-0359 3.
func TestStripStanzaIDs(t *testing.T) {
	ours := func(j JID) bool { return j.Bare.Domain() == "example.com" }
	for _, c := range []struct{ in, want string }{
		{"<message><stanza-id xmlns='urn:xmpp:sid:0' by='a@Example.com' id='1'/><body>a</body></message>",
			"<message from='a@x'><body>a</body></message>"},
		{"<message>\n<body>a</body><e:x/><stanza-id xmlns='urn:xmpp:sid:0' by='example.com' id='1'/><![CDATA[<]]></message>",
			"<message xmlns:e='urn:e' from='a@x'>\n<body>a</body><e:x/><![CDATA[<]]></message>"},
		{"<message><stanza-id xmlns='urn:xmpp:sid:0' by='room@example.net' id='1'/></message>",
			"<message from='a@x'><stanza-id xmlns='urn:xmpp:sid:0' by='room@example.net' id='1'/></message>"},
		{"<message><stanza-id xmlns='urn:xmpp:sid:0'/><origin-id xmlns='urn:xmpp:sid:0' id='1'/></message>",
			"<message from='a@x'><stanza-id xmlns='urn:xmpp:sid:0'/><origin-id xmlns='urn:xmpp:sid:0' id='1'/></message>"},
		{"<message><x><stanza-id xmlns='urn:xmpp:sid:0' by='example.com' id='1'/></x></message>",
			"<message from='a@x'><x><stanza-id xmlns='urn:xmpp:sid:0' by='example.com' id='1'/></x></message>"},
		{"<message/>", "<message from='a@x'/>"},
		{"<message><delay xmlns='urn:xmpp:delay' from='Example.com' stamp='x'/><body>a</body></message>",
			"<message from='a@x'><body>a</body></message>"},
		{"<message><delay xmlns='urn:xmpp:delay' from='a@example.com'/><delay xmlns='urn:xmpp:delay' from='example.net'/></message>",
			"<message from='a@x'><delay xmlns='urn:xmpp:delay' from='a@example.com'/><delay xmlns='urn:xmpp:delay' from='example.net'/></message>"},
		{"<message><delay xmlns='urn:xmpp:delay' stamp='x'/></message>", "<message from='a@x'><delay xmlns='urn:xmpp:delay' stamp='x'/></message>"},
	} {
		if got := string(StripStanzaIDs(nil, element(t, c.in), ours, xmltext.Attr{Name: "from", Value: "a@x"})); got != c.want {
			t.Errorf("%s became\n%s, want\n%s", c.in, got, c.want)
		}
	}
}

// FuzzInsert: whatever is put into or taken out of a stanza, the rest of it stays.
func FuzzInsert(f *testing.F) {
	for _, x := range []string{"<message/>", "<message ><![CDATA[</x>]]></message\n>", "<c:m xmlns:c='urn:x' a='/>' />",
		"<message><stanza-id xmlns='urn:xmpp:sid:0' by='x' id='1'/>a<b/></message>", "<a xmlns=''><b/></a>"} {
		f.Add([]byte(x), "a'<")
	}
	f.Fuzz(func(t *testing.T, in []byte, by string) {
		d, e := new(xmltext.Doc), new(xmltext.Doc)
		n, err := wire.Parse(d, in, xmltext.Limits{})
		if err != nil {
			return
		}
		all := xmltext.Limits{Bytes: 1 << 20, Nodes: 1 << 16}
		for _, out := range [][]byte{InsertDelay(nil, n.Bytes(), by, then), InsertStanzaID(nil, n.Bytes(), by, by)} {
			m, err := wire.Parse(e, out, all)
			if err != nil {
				t.Fatalf("%q: %v", out, err)
			}
			if !strings.HasPrefix(string(m.Inner()), string(n.Inner())) || children(m) != children(n)+1 {
				t.Fatalf("%q became %q", in, out)
			}
		}
		forged := 0
		for c := range n.Children() {
			if from, _ := c.Attr("", "from"); c.Is(wire.NSDelay, "delay") {
				if j, err := ParseJIDBytes(from); err == nil && j.Bare.IsDomain() {
					forged++
				}
			}
		}
		for c := range n.Children() {
			if id, _ := c.Attr("", "by"); c.Is(wire.NSStanzaID, "stanza-id") {
				if _, err := ParseJIDBytes(id); err == nil {
					forged++
				}
			}
		}
		out := StripStanzaIDs(nil, n, func(JID) bool { return true })
		m, err := wire.Parse(e, out, all)
		if err != nil || children(m) != children(n)-forged || string(m.Text()) != string(n.Text()) {
			t.Fatalf("%q became %q, %v", in, out, err)
		}
	})
}

func children(n xmltext.Node) (many int) {
	for range n.Children() {
		many++
	}
	return many
}

// A delay of a message that was kept for somebody says who kept it, XEP-0203 2.
func TestDelayIsOfTheReceiversDomain(t *testing.T) {
	m := &im.Message{To: im.MustAddress("b@example.net"), Time: then}
	if got := string(AppendNeutral(nil, "", "", "", "", m, true)); !strings.Contains(got, " from='example.net' ") {
		t.Error(got)
	}
}
