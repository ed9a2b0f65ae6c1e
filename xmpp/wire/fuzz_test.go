package wire

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"parley/xmltext"
)

// blanks in a value are spaces, which encoding/xml does not know.
var blanks = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

// meaning is what encoding/xml reads in the only element right below a root: names resolved, attributes sorted, those
// of it called to, from and type left out, as these are what is written anew.
func meaning(doc []byte) (string, error) {
	var b strings.Builder
	d := xml.NewDecoder(bytes.NewReader(doc))
	for depth := 0; ; {
		t, err := d.Token()
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth == 1 {
				continue
			}
			var attrs []string
			for _, a := range t.Attr {
				own := depth == 2 && a.Name.Space == "" && slices.Contains([]string{"to", "from", "type"}, a.Name.Local)
				if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") && !own {
					attrs = append(attrs, fmt.Sprintf(" {%s}%s=%q", blanks.Replace(a.Name.Space), a.Name.Local, blanks.Replace(a.Value)))
				}
			}
			slices.Sort(attrs)
			fmt.Fprintf(&b, "<{%s}%s%s>", blanks.Replace(t.Name.Space), t.Name.Local, strings.Join(attrs, ""))
		case xml.EndElement:
			if depth--; depth > 0 {
				b.WriteString("</>")
			}
		case xml.CharData:
			if depth > 1 {
				b.Write(t)
			}
		}
	}
}

// FuzzForward: a stanza of any stream means the same in the stream of a receiver, answers to it are well-formed, and
// none of them can be taken for two. The oracle is encoding/xml. RFC 6120 8.4.
func FuzzForward(f *testing.F) {
	const root = "<s:stream xmlns:s='http://etherx.jabber.org/streams' "
	for _, x := range []struct{ header, stanza string }{
		{header, "<message to='b@x' type='chat' id='1'><body>Hi &amp; bye</body></message>"},
		{header, "<presence from='forged'/>"},
		{header, "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>"},
		{header, "<message><stream:x stream:y='1'/></message>"},
		{root + "xmlns='jabber:client' xmlns:e='urn:e'>", "<message e:to='1' to = '2' ><e:x xmlns:e='urn:f'/><e:y/></message\n>"},
		{root + "xmlns:c='jabber:client' xmlns:e='urn:&amp;'>", "<c:iq id='&#x41;'><![CDATA[<]]><e:x/>text</c:iq>"},
		{root + "xmlns='jabber:server'>", "<message/>"},
		{root + ">", "<message xmlns='jabber:client' xml:lang='de'><body xmlns=''/></message>"},
	} {
		f.Add([]byte(x.header), []byte(x.stanza), "b@example.com/y")
	}
	f.Fuzz(func(t *testing.T, header, stanza []byte, from string) {
		if len(header)+len(stanza) > 1<<12 || bytes.ContainsFunc(slices.Concat(header, stanza), func(r rune) bool { return r >= utf8.RuneSelf }) {
			return // encoding/xml goes by other names there
		}
		var s xmltext.Scanner
		d := new(xmltext.Doc)
		used, e, err := s.Next(d, header)
		if err != nil || e != xmltext.Header || used != len(header) || bytes.HasSuffix(header, []byte("/>")) {
			return
		}
		name, _, _ := bytes.Cut(d.Root().Bytes()[1:], []byte(">"))
		name = name[:len(name)-len(bytes.TrimLeftFunc(name, func(r rune) bool { return !strings.ContainsRune(" \t\r\n", r) }))]
		d = new(xmltext.Doc)
		used, e, err = s.Next(d, stanza)
		if err != nil || e != xmltext.Element || used != len(stanza) {
			return
		}
		n := d.Root()
		before, err := meaning(slices.Concat(header, n.Bytes(), []byte("</"), name, []byte(">")))
		if err != nil || strings.Contains(before, "}xmlns") {
			return // xmltext's own tests look at what encoding/xml reads otherwise
		}
		var head Stanza
		Read(&head, n)

		out := AppendStanza(nil, n, xmltext.Attr{Name: "from", Value: from}, xmltext.Attr{Name: "to", Drop: true})
		again := new(xmltext.Doc)
		m, err := Parse(again, out, xmltext.Limits{Bytes: 1 << 20})
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		after, err := meaning(slices.Concat([]byte("<r xmlns='"+NSClient+"'>"), out, []byte("</r>")))
		if err != nil || before != after {
			t.Fatalf("%q\nmeant  %s\nnow is %s, %v", out, before, after, err)
		}
		var h Stanza
		Read(&h, m)
		if h.Kind != head.Kind || h.ID != head.ID || h.Type != head.Type || h.Lang != head.Lang || h.HasTo || !h.HasFrom {
			t.Fatalf("%q: %+v, was %+v", out, h, head)
		}

		for _, echo := range []bool{false, true} {
			out := AppendErrorReply(nil, &head, from, []byte("<error/>"), echo)
			m, err := Parse(again, out, xmltext.Limits{Bytes: 1 << 20})
			if err != nil {
				t.Fatalf("%q: %v", out, err)
			}
			if Read(&h, m); h.Kind != head.Kind || h.ID != head.ID || h.Type != "error" || h.To != head.From || h.HasFrom != (from != "") {
				t.Fatalf("%q: %+v, was %+v", out, h, head)
			}
			if head.Kind != Other && !m.Child(NSClient, "error").Ok() {
				t.Fatalf("%q has no error", out)
			}
		}
		inner := slices.Concat([]byte("<message>"), AppendContent(nil, n), []byte("</message>"))
		if _, err := Parse(again, inner, xmltext.Limits{Bytes: 1 << 20}); err != nil {
			t.Fatalf("%q: %v", inner, err)
		}
	})
}
