package wire

import (
	"strings"
	"testing"

	"parley/xmltext"
)

// header is that of a stream as clients open it, RFC 6120 4.2.
const header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"

// in reads one element of a stream with that header.
func in(t testing.TB, header, element string) xmltext.Node {
	t.Helper()
	var s xmltext.Scanner
	d := new(xmltext.Doc)
	if _, e, err := s.Next(d, []byte(header)); err != nil || e != xmltext.Header {
		t.Fatal(e, err)
	}
	d = new(xmltext.Doc)
	if _, e, err := s.Next(d, []byte(element)); err != nil || e != xmltext.Element {
		t.Fatal(element, e, err)
	}
	return d.Root()
}

// RFC 6120 8.1, 8.2.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Stanza
	}{
		{"<message/>", Stanza{Kind: Message}},
		{"<presence type='unavailable'/>", Stanza{Kind: Presence, Type: "unavailable"}},
		{"<iq id='a1' type='get' to='example.com' from='a@example.com/x' xml:lang='de'/>",
			Stanza{Kind: IQ, ID: "a1", Type: "get", To: "example.com", From: "a@example.com/x", Lang: "de", HasTo: true, HasFrom: true}},
		{"<message to='' from=''/>", Stanza{Kind: Message, HasTo: true, HasFrom: true}},
		{"<message type='odd'/>", Stanza{Kind: Message, Type: "odd"}},
		{"<message type='chat' id='&lt;&amp;'/>", Stanza{Kind: Message, Type: "chat", ID: "<&"}},
		{"<message x:to='a' x:lang='b' lang='c' xmlns:x='urn:x'/>", Stanza{Kind: Message}},
		{"<c:message to='a' xmlns:c='jabber:client'/>", Stanza{Kind: Message, To: "a", HasTo: true}},
		{"<message xmlns='jabber:server' to='a'/>", Stanza{To: "a", HasTo: true}},
		{"<message xmlns=''/>", Stanza{}},
		{"<messages/>", Stanza{}},
		{"<stream:features/>", Stanza{}},
	} {
		s := Stanza{Kind: IQ, Type: "old", ID: "old", To: "old", From: "old", Lang: "old", HasTo: true, HasFrom: true}
		Read(&s, in(t, header, c.in))
		if !s.Node.Ok() {
			t.Errorf("%s: no node", c.in)
		}
		s.Node = xmltext.Node{}
		if s != c.want {
			t.Errorf("%s: %+v, want %+v", c.in, s, c.want)
		}
	}
}

// TestTypesAreKept: every type comes out as it went in.
func TestTypesAreKept(t *testing.T) {
	for typ := range strings.FieldsSeq("get set result error chat normal groupchat headline unavailable probe subscribe " +
		"subscribed unsubscribe unsubscribed chats x") {
		var s Stanza
		if Read(&s, in(t, header, "<presence type='"+typ+"'/>")); s.Type != typ {
			t.Errorf("%s became %s", typ, s.Type)
		}
	}
}

// TestHeadsLast: what was read does not change with the buffer.
func TestHeadsLast(t *testing.T) {
	buf := []byte("<iq id='a1' type='odd' to='b@example.com' from='a@example.com' xml:lang='de'/>")
	d := new(xmltext.Doc)
	n, err := Parse(d, buf, xmltext.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var s Stanza
	Read(&s, n)
	for i := range buf {
		buf[i] = '#'
	}
	if got := s.ID + s.Type + s.To + s.From + s.Lang; got != "a1oddb@example.coma@example.comde" {
		t.Error(got)
	}
}

func TestReadCostsAnID(t *testing.T) {
	l := []xmltext.Node{
		in(t, header, "<message to='b@example.com/x' id='a1' type='chat' xml:lang='en'><body>Hi</body></message>"),
		in(t, header, "<message to='b@example.com/x' id='a2' type='chat' xml:lang='en'><body>Hi</body></message>"),
	}
	var s Stanza
	Read(&s, l[0])
	i := 0
	if n := testing.AllocsPerRun(100, func() { i++; Read(&s, l[i%2]) }); n > 1 {
		t.Errorf("%v allocations for a stanza", n)
	}
}

// RFC 6120 8.4: what a client wrote goes on as it stood.
func TestAppendStanza(t *testing.T) {
	for _, c := range []struct{ header, in, want string }{
		{header, "<message to='b@x'><body>Hi</body></message>", "<message to='b@x' from='a@x/1'><body>Hi</body></message>"},
		{header, `<message from="forged" to="b@x" ><body>a>b</body></message >`, "<message from='a@x/1' to=\"b@x\"><body>a>b</body></message >"},
		{header, "<presence/>", "<presence from='a@x/1'/>"},
		{header, "<message><stream:x/></message>",
			"<message xmlns:stream='http://etherx.jabber.org/streams' from='a@x/1'><stream:x/></message>"},
		{"<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client' xmlns:e='urn:e'>",
			"<message><e:x e:y='1'/></message>", "<message xmlns:e='urn:e' from='a@x/1'><e:x e:y='1'/></message>"},
		{"<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns:c='jabber:client'>",
			"<c:message><c:body/></c:message>", "<c:message xmlns:c='jabber:client' from='a@x/1'><c:body/></c:message>"},
	} {
		n := in(t, c.header, c.in)
		if got := string(AppendStanza(nil, n, xmltext.Attr{Name: "from", Value: "a@x/1"})); got != c.want {
			t.Errorf("%s became\n%s, want\n%s", c.in, got, c.want)
		}
	}
}

func TestAppendContent(t *testing.T) {
	n := in(t, "<s xmlns='jabber:client' xmlns:e='urn:e'>",
		"<presence xmlns:f='urn:f'>\n <show>away</show>\n <e:x/><f:y><e:z/></f:y><![CDATA[<]]></presence>")
	want := "<show>away</show><e:x xmlns:e='urn:e'/><f:y xmlns:e='urn:e' xmlns:f='urn:f'><e:z/></f:y><![CDATA[<]]>"
	if got := string(AppendContent(nil, n)); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
}

// RFC 6120 8.1.3, 8.2.3, 8.3.1.
func TestReplies(t *testing.T) {
	read := func(x string) *Stanza {
		var s Stanza
		Read(&s, in(t, "<s xmlns='jabber:client' xmlns:e='urn:e'>", x))
		return &s
	}
	const bad = "<error/>"
	for _, c := range []struct{ got, want string }{
		{string(AppendReply(nil, read("<iq type='get' id='1' to='x'><e:q/></iq>"), "result", "x", nil)),
			"<iq from='x' id='1' type='result'/>"},
		{string(AppendReply(nil, read("<iq type='get' id='1&apos;' from='a@x/1'/>"), "result", "", []byte("<q/>"))),
			"<iq to='a@x/1' id='1&apos;' type='result'><q/></iq>"},
		{string(AppendReply(nil, read("<iq type='get'/>"), "result", "", nil)), "<iq id='' type='result'/>"},
		{string(AppendErrorReply(nil, read("<message to='b@x' from='a@x/1'><body/></message>"), "b@x", []byte(bad), false)),
			"<message from='b@x' to='a@x/1' type='error'><error/></message>"},
		{string(AppendErrorReply(nil, read("<message to='b@x' from='a@x/1' xml:lang='de'><body/></message>"), "b@x", []byte(bad), true)),
			"<message to='a@x/1' from='b@x' xml:lang='de' type='error'><body/><error/></message>"},
		{string(AppendErrorReply(nil, read("<iq type='get' id='1' to='x'><e:q/></iq>"), "", []byte(bad), true)),
			"<iq xmlns:e='urn:e' type='error' id='1'><e:q/><error/></iq>"},
		{string(AppendErrorReply(nil, read("<presence to='x'/>"), "x", []byte(bad), true)),
			"<presence from='x' type='error'><error/></presence>"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want\n%s", c.got, c.want)
		}
	}
}

func TestOpen(t *testing.T) {
	b := Open([]byte("x"), "message", "a@x", "", "1", "chat")
	b.Start("body").Text("Hi")
	if got := string(b.Bytes()); got != "x<message from='a@x' id='1' type='chat'><body>Hi</body></message>" {
		t.Error(got)
	}
}

func TestParse(t *testing.T) {
	d := new(xmltext.Doc)
	n, err := Parse(d, []byte("<message to='b'><body>Hi</body></message>"), xmltext.Limits{})
	if err != nil || KindOf(n) != Message || string(n.Child(NSClient, "body").Text()) != "Hi" {
		t.Error(n.Ok(), err)
	}
	for _, bad := range []string{"", "<a/><b/>", "<a/> ", "<a", "a", "</a>", "<stream:a/>", "<a></b>", "<!-- -->"} {
		if n, err := Parse(d, []byte(bad), xmltext.Limits{}); err == nil || n.Ok() || d.Root().Ok() {
			t.Errorf("%q was read", bad)
		}
	}
	if _, err := Parse(d, []byte("<a><b/></a>"), xmltext.Limits{Depth: 1}); err == nil {
		t.Error("the limits are not kept")
	}
}

func BenchmarkRead(b *testing.B) {
	n := in(b, header, "<message to='b@example.com/x' id='a1' type='chat' xml:lang='en'><body>Hi</body></message>")
	m := in(b, header, "<message to='b@example.com/x' id='a2' type='chat' xml:lang='en'><body>Hi</body></message>")
	var s Stanza
	b.ReportAllocs()
	for b.Loop() {
		Read(&s, n)
		Read(&s, m)
	}
}

func BenchmarkAppendStanza(b *testing.B) {
	n := in(b, header, "<message to='b@example.com/x' id='a1' type='chat' xml:lang='en'><body>Hi</body></message>")
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendStanza(dst[:0], n, xmltext.Attr{Name: "from", Value: "a@example.com/y"})
	}
}
