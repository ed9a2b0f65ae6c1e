package xmltext

import (
	"bytes"
	"encoding/xml"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// beyond are the reasons for which a document is refused that encoding/xml reads.
var beyond = []string{
	noDocType, noComment, noInstruction, badMarkup, // it gives these as tokens, and takes anything behind "<!"
	badHeader, badEncoding, badUTF8, badCharacter, // nor does it look into them much
	badPrefix, badReserved, badUndeclared, badColon, badName, // it does not check namespaces,
	badDuplicate, badSpace, // nor attributes,
	badOutside, badAfter, badEarly, // nor what stands around the root
	manyBytes, manyDepth, manyAttrs, manyDeclared, manyNodes, manyName, manyDigits,
}

// strange says whether there are names that encoding/xml reads otherwise: with characters beyond ASCII it goes by an
// older edition of XML, and an element called xmlns gets no namespace from it.
func strange(n Node) bool {
	odd := func(name []byte) bool {
		return slices.ContainsFunc(name, func(c byte) bool { return c >= utf8.RuneSelf })
	}
	if odd(n.d.data[n.d.nodes[n.i].from+1:][:n.d.nodes[n.i].name]) || string(n.Local()) == "xmlns" {
		return true
	}
	e := n.d.nodes[n.i]
	for _, a := range n.d.attrs[e.attr:e.end] {
		if odd(n.d.data[a.name:][:a.len]) {
			return true
		}
	}
	for _, l := range n.d.decls {
		if odd(n.d.data[l.prefix:][:l.len]) {
			return true
		}
	}
	for c := range n.Children() {
		if strange(c) {
			return true
		}
	}
	return false
}

// FuzzParse: what is accepted means the same to encoding/xml; what only that accepts is refused for a known reason.
func FuzzParse(f *testing.F) {
	for _, x := range refused {
		f.Add([]byte(x.in))
	}
	for _, x := range benchmarks {
		f.Add([]byte(x.stanza))
	}
	f.Add([]byte(session))
	f.Add([]byte("<a xmlns='u' xmlns:p='v'><p:b c='&#10;&lt;' p:c='\r\n'/>x<![CDATA[y]]>\r\n&#x1F600;<b xmlns=''/></a>"))
	f.Fuzz(func(t *testing.T, in []byte) {
		want, bad := oracle(in)
		d, err := Parse(in, Limits{Name: 64, Attrs: 16, Nodes: 500})
		if err != nil {
			var x *Error
			if !errors.As(err, &x) || x.Offset < 0 || x.Offset > len(in) {
				t.Fatalf("%#v", err)
			}
			if bad == nil && !slices.Contains(beyond, x.What) {
				t.Fatalf("refused: %v; encoding/xml reads %s", err, want)
			}
			return
		}
		if bytes.HasPrefix(in, []byte("\uFEFF")) || strange(d.Root()) {
			return
		}
		if bad != nil {
			t.Fatalf("accepted; encoding/xml: %v", bad)
		}
		var got strings.Builder
		forOracle(&got, d.Root())
		if got.String() != want {
			t.Fatalf("\n got %s\nwant %s", got.String(), want)
		}
		forwarded(t, d.Root())
	})
}

// FuzzNext: where a stream is cut makes no difference, and a stream that came to its end is a document.
func FuzzNext(f *testing.F) {
	f.Add([]byte(session), uint64(1))
	for i, x := range refused {
		f.Add([]byte("<s xmlns='u'>"+x.in), uint64(i))
		f.Add([]byte(x.in+"<a/>"), uint64(i))
	}
	for i, x := range benchmarks {
		f.Add([]byte(benchHeader+x.stanza+x.stanza[:30]), uint64(i))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		l := Limits{Bytes: 1 + r.IntN(2*len(in)+1), Depth: 4, Attrs: 6, Nodes: 20, Name: 30}
		want, err := read(t, &Scanner{Limits: l}, in, atOnce)
		for _, next := range []func() int{oneByte, func() int { return 1 + r.IntN(10) }, func() int { return 1 + r.IntN(len(in)) }} {
			got, bad := read(t, &Scanner{Limits: l}, in, next)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(found{})); diff != "" {
				t.Fatal(diff)
			}
			if diff := cmp.Diff(err, bad); diff != "" {
				t.Fatal(diff)
			}
		}
		if err == nil && len(want) > 0 && want[len(want)-1].event == Footer {
			d, err := Parse(in, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			i := 1
			for c := range d.Root().Children() {
				if got := show(c); got != want[i].show || string(c.Bytes()) != want[i].bytes {
					t.Fatalf("\n got %s\nwant %s", got, want[i].show)
				}
				i++
			}
			if i != len(want)-1 {
				t.Fatalf("%d elements of %d", i, len(want)-1)
			}
		}
		// What came over a stream is forwarded by itself.
		s, d := &Scanner{Limits: l}, new(Doc)
		for {
			n, e, err := s.Next(d, in)
			if e == More || e == Footer || err != nil {
				return
			}
			in = in[n:]
			if e == Element {
				forwarded(t, d.Root(), s.Context())
			}
		}
	})
}

// places are contexts, and how they are declared.
var places = []struct {
	c   *Context
	tag string
}{
	{Declare(), "<r>"},
	{nil, "<r>"},
	{Declare(Binding{"", "jabber:client"}, Binding{"stream", "http://etherx.jabber.org/streams"}),
		"<r xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"},
	{Declare(Binding{"", "u"}).With(Binding{"p", "v"}, Binding{"a", "u"}), "<r xmlns='u' xmlns:p='v' xmlns:a='u'>"},
	{Declare(Binding{"", "v"}, Binding{"p", "u&'"}), "<r xmlns='v' xmlns:p='u&amp;&apos;'>"},
}

var roomy = Limits{Attrs: 1000, Name: 1000, Depth: 1000, Nodes: 100000}

// forwarded writes an element, and each in it, to other places, and reads it there.
func forwarded(t *testing.T, n Node, own ...*Context) {
	t.Helper()
	again := func(x []byte) Node {
		t.Helper()
		d, err := Parse(x, roomy)
		if err != nil {
			t.Fatalf("%s: forwarded as %s: %v", n.Bytes(), x, err)
		}
		return d.Root().FirstChild()
	}
	for _, c := range own {
		if got := AppendElement(nil, n, c); !bytes.Equal(got, n.Bytes()) {
			t.Fatalf("%s: into the same context as %s", n.Bytes(), got)
		}
	}
	for _, p := range places {
		want := show(n)
		x := append(AppendElement([]byte(p.tag), n, p.c), "</r>"...)
		if got := show(again(x)); got != want {
			t.Fatalf("%s: forwarded as %s:\n got %s\nwant %s", n.Bytes(), x, got, want)
		}
		x = append(AppendStart([]byte(p.tag), n, p.c), n.Inner()...)
		x = append(AppendEnd(x, n), "</r>"...)
		if got := show(again(x)); got != want {
			t.Fatalf("%s: opened as %s:\n got %s\nwant %s", n.Bytes(), x, got, want)
		}
		set := []Attr{{Name: "from", Value: "x'<&\n\"é"}, {Name: "c", Value: "y"}, {Name: "b", Drop: true}, {Name: "none", Drop: true}, {Name: "xml:lang", Value: "de"}}
		x = append(AppendElement([]byte(p.tag), n, p.c, set...), "</r>"...)
		m := again(x)
		var got, left []string
		for a := range m.Attrs() {
			got = append(got, string(a.Space)+" "+string(a.Local)+" "+string(a.Value))
		}
		for a := range n.Attrs() {
			if name := string(a.Local); len(a.Space) > 0 && string(a.Space) != XML || !slices.Contains([]string{"from", "b", "c", "none", "lang"}, name) || len(a.Space) == 0 && name == "lang" || string(a.Space) == XML && name != "lang" {
				left = append(left, string(a.Space)+" "+name+" "+string(a.Value))
			}
		}
		left = append(left, " from x'<&\n\"é", " c y", XML+" lang de")
		slices.Sort(got)
		slices.Sort(left)
		if diff := cmp.Diff(left, got); diff != "" {
			t.Fatalf("%s: changed to %s: %s", n.Bytes(), x, diff)
		}
	}
	for c := range n.Children() {
		forwarded(t, c)
	}
}

// FuzzWrite: whatever is written is read again, but for what XML does not have.
func FuzzWrite(f *testing.F) {
	f.Add("a'b\"c<d>e&f\r\n\t]]>", "x")
	f.Add("\x00\xff\xed\xa0\x80\uFFFE\U0001F600é", "")
	f.Fuzz(func(t *testing.T, a, b string) {
		w := Build([]byte("<?xml version='1.0'?>"))
		w.Start("m").Attr("xmlns", "u").Attr("a", a).Text(b).Start("n").Text(a).End().Text(a).Start("o").Start("p").Attr("b", b)
		x := w.Bytes()
		d, err := Parse(x, Limits{Bytes: 1 << 30})
		if err != nil {
			t.Fatalf("%q: %v", x, err)
		}
		if _, err := oracle(x); err != nil {
			t.Fatalf("%q: encoding/xml: %v", x, err)
		}
		r := d.Root()
		va, _ := r.Attr("", "a")
		vb, _ := r.Child("u", "o").Child("u", "p").Attr("", "b")
		for _, y := range [][2]string{
			{string(va), clean(t, a)}, {string(vb), clean(t, b)}, {string(r.Text()), clean(t, b) + clean(t, a)},
			{string(r.Child("u", "n").Text()), clean(t, a)},
		} {
			if y[0] != y[1] {
				t.Fatalf("%q was read again, want %q", y[0], y[1])
			}
		}
		if !bytes.Equal(AppendText(nil, a), AppendText(nil, []byte(a))) || !bytes.Equal(AppendAttr(nil, "a", a), AppendAttr(nil, "a", []byte(a))) {
			t.Fatal("a string and its bytes are written otherwise")
		}
	})
}

// clean is s as encoding/xml writes and reads it.
func clean(t *testing.T, s string) string {
	var b bytes.Buffer
	b.WriteString("<a>")
	err := xml.EscapeText(&b, []byte(s))
	b.WriteString("</a>")
	var v struct {
		V string `xml:",chardata"`
	}
	if err = errors.Join(err, xml.Unmarshal(b.Bytes(), &v)); err != nil {
		t.Fatal(err)
	}
	return v.V
}
