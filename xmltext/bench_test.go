package xmltext

import (
	"bytes"
	"encoding/xml"
	"io"
	"testing"
)

const benchHeader = `<?xml version='1.0'?><stream:stream to='example.com' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`

var benchmarks = []struct{ name, stanza string }{
	{"message", `<message from='juliet@example.com/balcony' to='romeo@example.net/orchard' type='chat' id='ktx72v49' xml:lang='en'>` +
		`<body>Art thou not Romeo, and a Montague?</body><active xmlns='http://jabber.org/protocol/chatstates'/>` +
		`<request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='de305d54-75b4-431b-adb2'/>` +
		`<thread>e0ffe42b28561960c6b12b944a092794b9683a38</thread></message>`},
	{"presence", `<presence from='juliet@example.com/balcony' xml:lang='en'><show>away</show><status>be right back</status>` +
		`<priority>5</priority><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://code.google.com/p/exodus' ` +
		`ver='QgayPKawpkPSDYmwT/WM94uAlu0='/><x xmlns='vcard-temp:x:update'><photo>sha1-hash-of-image</photo></x></presence>`},
	{"iq", `<iq type='set' id='juliet1'><query xmlns='urn:xmpp:mam:2' queryid='f27'><x xmlns='jabber:x:data' type='submit'>` +
		`<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field><field var='with'><value>romeo@example.net</value></field>` +
		`<field var='start'><value>2010-06-07T00:00:00Z</value></field></x><set xmlns='http://jabber.org/protocol/rsm'><max>10</max>` +
		`<after>09af3-cc343-b409f</after></set></query></iq>`},
	{"body4k", `<message to='romeo@example.net'><body>` + string(bytes.Repeat([]byte("Wherefore art thou? "), 200)) + `</body></message>`},
	{"chinese", `<message to='romeo@example.net'><body>` + string(bytes.Repeat([]byte("你好，世界。"), 200)) + `</body></message>`},
}

func open(b *testing.B) (*Scanner, *Doc) {
	s, d := new(Scanner), new(Doc)
	if _, e, err := s.Next(d, []byte(benchHeader)); e != Header || err != nil {
		b.Fatal(e, err)
	}
	return s, d
}

func BenchmarkNext(b *testing.B) {
	for _, x := range benchmarks {
		b.Run(x.name, func(b *testing.B) {
			s, d := open(b)
			in := []byte(x.stanza)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if n, e, err := s.Next(d, in); n != len(in) || e != Element || err != nil {
					b.Fatal(n, e, err)
				}
			}
		})
	}
}

// BenchmarkToken is what encoding/xml takes for the same.
func BenchmarkToken(b *testing.B) {
	for _, x := range benchmarks {
		b.Run(x.name, func(b *testing.B) {
			in := []byte(x.stanza)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				d := xml.NewDecoder(bytes.NewReader(in))
				for {
					if _, err := d.Token(); err == io.EOF {
						break
					} else if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkForward(b *testing.B) {
	c := Declare(Binding{"", "jabber:client"}, Binding{"stream", "http://etherx.jabber.org/streams"})
	server := Declare(Binding{"", "jabber:server"})
	out := make([]byte, 0, 8192)
	for _, x := range benchmarks[:1] {
		s, d := open(b)
		if _, e, err := s.Next(d, []byte(x.stanza)); e != Element || err != nil {
			b.Fatal(e, err)
		}
		b.Run(x.name+"/asis", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out = AppendElement(out[:0], d.Root(), c)
			}
		})
		b.Run(x.name+"/from", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out = AppendElement(out[:0], d.Root(), c, Attr{Name: "from", Value: "juliet@example.com/balcony"})
			}
		})
		b.Run(x.name+"/elsewhere", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out = AppendElement(out[:0], d.Root(), server)
			}
		})
	}
}

func BenchmarkAccess(b *testing.B) {
	s, d := open(b)
	if _, e, err := s.Next(d, []byte(benchmarks[0].stanza)); e != Element || err != nil {
		b.Fatal(e, err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r := d.Root()
		to, _ := r.Attr("", "to")
		n := len(to) + len(r.Child("jabber:client", "body").Text())
		for c := range r.Children() {
			if c.Is("urn:xmpp:receipts", "request") {
				n++
			}
		}
		if n != 25+35+1 {
			b.Fatal(n)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	out := make([]byte, 0, 8192)
	b.ReportAllocs()
	for b.Loop() {
		w := Build(out[:0])
		w.Start("message").Attr("from", "juliet@example.com/balcony").Attr("to", "romeo@example.net/orchard").Attr("type", "chat").
			Start("body").Text("Art thou not Romeo, and a Montague?").End().End()
		out = w.Bytes()
	}
}
