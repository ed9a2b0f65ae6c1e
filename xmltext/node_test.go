package xmltext

import (
	"slices"
	"strings"
	"testing"
)

func parse(t *testing.T, in string) Node {
	t.Helper()
	d, err := Parse([]byte(in), Limits{})
	if err != nil {
		t.Fatalf("%s: %v", in, err)
	}
	return d.Root()
}

func TestNode(t *testing.T) {
	r := parse(t, `<?xml version='1.0'?> <a xmlns='u' xmlns:p='v' p:x='1' y='2'> <b/>one<p:b n='&lt;'>two</p:b><![CDATA[ & ]]><b><c/></b></a> `)
	if !r.Ok() || r.IsText() || !r.Is("u", "a") || r.Is("", "a") || r.Is("u", "b") || r.Parent().Ok() || r.Next().Ok() {
		t.Error("root")
	}
	for _, x := range []struct {
		space, local, value string
		ok                  bool
	}{{"v", "x", "1", true}, {"", "y", "2", true}, {"", "x", "", false}, {"u", "y", "", false}, {"", "xmlns", "", false}} {
		if v, ok := r.Attr(x.space, x.local); string(v) != x.value || ok != x.ok {
			t.Errorf("attribute %v: %q %v", x, v, ok)
		}
	}
	if s := string(r.Text()); s != " one & " {
		t.Errorf("text %q", s)
	}
	b := r.Child("v", "b")
	if v, _ := b.Attr("", "n"); string(b.Bytes()) != "<p:b n='&lt;'>two</p:b>" || string(b.Inner()) != "two" || string(v) != "<" || b.Parent() != r {
		t.Errorf("p:b: %q %q %q", b.Bytes(), b.Inner(), v)
	}
	var names, content []string
	for c := range r.Children() {
		names = append(names, string(c.Space())+" "+string(c.Local()))
	}
	for c := range r.Content() {
		content = append(content, string(c.Bytes()))
	}
	if !slices.Equal(names, []string{"u b", "v b", "u b"}) {
		t.Errorf("children %q", names)
	}
	if !slices.Equal(content, []string{" ", "<b/>", "one", "<p:b n='&lt;'>two</p:b>", " & ", "<b><c/></b>"}) {
		t.Errorf("content %q", content)
	}
	for range r.Children() {
		break
	}
	if last := r.FirstChild().Next().Next(); !last.Child("u", "c").Ok() || last.Next().Ok() || string(last.FirstChild().Inner()) != "" {
		t.Error("last child")
	}
	if s, ok := b.Prefixed("p"); string(s) != "v" || !ok {
		t.Errorf("p is %q %v", s, ok)
	}
	if _, ok := b.Prefixed("q"); ok {
		t.Error("q is declared")
	}
	if _, ok := parse(t, "<a/>").Prefixed(""); ok {
		t.Error("a default namespace")
	}
	if r.Blank() || !parse(t, "<a> <b>x</b>\n</a>").Blank() {
		t.Error("blank")
	}
	// What is unchanged is not copied.
	if one := b.Text(); &one[0] != &b.Inner()[0] || cap(one) != len(one) {
		t.Error("text was copied")
	}
}

// A node that is not there answers everything with nothing.
func TestNoNode(t *testing.T) {
	none := parse(t, "<a/>").Child("u", "b").Child("u", "c")
	if none.Ok() || none.Is("", "") || none.IsText() || none.Text() != nil || none.Bytes() != nil || none.Inner() != nil ||
		none.Parent().Ok() || none.Next().Ok() || none.FirstChild().Ok() || none.Space() != nil || none.Local() != nil || !none.Blank() {
		t.Error("something is there")
	}
	for range none.Children() {
		t.Error("a child")
	}
	for range none.Content() {
		t.Error("content")
	}
	for range none.Attrs() {
		t.Error("an attribute")
	}
	if _, ok := none.Attr("", "a"); ok {
		t.Error("an attribute")
	}
	if x := AppendEnd(AppendStart(AppendElement(nil, none, nil), none, nil), none); len(x) > 0 {
		t.Errorf("%q", x)
	}
	if new(Doc).Root().Ok() {
		t.Error("an empty Doc has a root")
	}
}

// A header tells what the stream is.
func TestHeader(t *testing.T) {
	s, d := new(Scanner), new(Doc)
	in := `<?xml version='1.0'?><stream:stream to="a&amp;b" xml:lang='en' xmlns='jabber:client' xmlns:stream='st'>`
	if n, e, err := s.Next(d, []byte(in+"<x/>")); n != len(in) || e != Header || err != nil {
		t.Fatal(n, e, err)
	}
	r := d.Root()
	to, _ := r.Attr("", "to")
	lang, _ := r.Attr(XML, "lang")
	usual, _ := r.Prefixed("")
	if !r.Is("st", "stream") || string(to) != "a&b" || string(lang) != "en" || string(usual) != "jabber:client" || r.Inner() == nil || len(r.Inner()) > 0 {
		t.Errorf("%s", show(r))
	}
	for prefix, want := range map[string]string{"": "jabber:client", "stream": "st", "xml": XML} {
		if got, ok := s.Context().Space(prefix); got != want || !ok {
			t.Errorf("%q is %q %v", prefix, got, ok)
		}
	}
}

func TestForward(t *testing.T) {
	const in = `<stream:stream xmlns='jabber:client' xmlns:stream='st' xmlns:p='v&amp;w'>`
	client := Declare(Binding{"", "jabber:client"}, Binding{"stream", "st"})
	server := Declare(Binding{"", "jabber:server"})
	from := []Attr{{Name: "from", Value: "a'b"}}
	for _, x := range []struct {
		in   string
		c    *Context
		set  []Attr
		want string
	}{
		{`<message to="x" ><body>&#65;<![CDATA[y]]></body></message >`, client, nil, `<message to="x" ><body>&#65;<![CDATA[y]]></body></message >`},
		{`<message/>`, server, nil, `<message xmlns='jabber:client'/>`},
		{`<message/>`, Declare(), nil, `<message xmlns='jabber:client'/>`},
		{`<message xmlns='jabber:client' />`, server, nil, `<message xmlns='jabber:client' />`},
		{`<m p:a='1' b='2'><p:c/></m>`, client, nil, `<m xmlns:p='v&amp;w' p:a='1' b='2'><p:c/></m>`},
		{`<m><p:c/></m>`, server, nil, `<m xmlns='jabber:client' xmlns:p='v&amp;w'><p:c/></m>`},
		{`<m><p:c xmlns:p='x'/></m>`, client, nil, `<m><p:c xmlns:p='x'/></m>`},
		{`<x xmlns=''/>`, client, nil, `<x xmlns=''/>`},
		{`<m/>`, client, from, `<m from='a&apos;b'/>`},
		{`<m />`, client, from, `<m from='a&apos;b'/>`},
		{`<m></m>`, client, from, `<m from='a&apos;b'></m>`},
		{`<m to='x'  from = "y"	id='z'>q</m>`, client, from, `<m to='x'  from='a&apos;b'	id='z'>q</m>`},
		{`<m to='x'  from = "y"	id='z'/>`, client, []Attr{{Name: "from", Drop: true}}, `<m to='x'	id='z'/>`},
		{`<m p:from='x' from='y'/>`, client, from, `<m xmlns:p='v&amp;w' p:from='x' from='a&apos;b'/>`},
		{`<m to='x'/>`, client, []Attr{{Name: "to", Value: ""}, {Name: "xml:lang", Value: "en"}}, `<m to='' xml:lang='en'/>`},
		{`<m/>`, server, from, `<m xmlns='jabber:client' from='a&apos;b'/>`},
	} {
		s, d := new(Scanner), new(Doc)
		if _, e, err := s.Next(d, []byte(in)); e != Header || err != nil {
			t.Fatal(e, err)
		}
		if _, e, err := s.Next(d, []byte(x.in)); e != Element || err != nil {
			t.Fatal(x.in, e, err)
		}
		if got := string(AppendElement([]byte("+"), d.Root(), x.c, x.set...)); got != "+"+x.want {
			t.Errorf("%s\n got %s\nwant %s", x.in, got, x.want)
		}
	}
}

// What is inside of an element needs what the element declares.
func TestForwardInner(t *testing.T) {
	r := parse(t, `<a xmlns='u' xmlns:p='v' xmlns:q='w'><b><p:c xmlns:p='x'/><d q:e=''/></b><f xmlns=''/></a>`)
	b := r.Child("u", "b")
	if got := string(AppendElement(nil, b, nil)); got != `<b xmlns='u' xmlns:q='w'><p:c xmlns:p='x'/><d q:e=''/></b>` {
		t.Error(got)
	}
	if got := string(AppendElement(nil, r.Child("", "f"), Declare(Binding{"", "u"}))); got != `<f xmlns=''/>` {
		t.Error(got)
	}
	f := parse(t, `<a><f/></a>`).Child("", "f")
	if got := string(AppendElement(nil, f, Declare(Binding{"", "u"}))); got != `<f xmlns=''/>` {
		t.Error(got)
	}
	x := append(AppendStart(nil, f, nil, Attr{Name: "g", Value: "h"}), "<i/>"...)
	if got := string(AppendEnd(x, f)); got != `<f g='h'><i/></f>` {
		t.Error(got)
	}
	// More declarations around an element than usual.
	var in strings.Builder
	in.WriteString("<a")
	for i := range 250 {
		in.WriteString(" xmlns:p" + strings.Repeat("x", i) + "='u'")
	}
	in.WriteString("><b/><pxx:c/></a>")
	d, err := Parse([]byte(in.String()), Limits{Bytes: 1 << 20, Attrs: 1000, Name: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(AppendElement(nil, d.Root().Child("u", "c"), nil)); got != `<pxx:c xmlns:pxx='u'/>` {
		t.Error(got)
	}
}

func TestDeclaredBound(t *testing.T) {
	var in strings.Builder
	for i := range 9 {
		in.WriteString("<a")
		for j := range 30 {
			in.WriteString(" xmlns:p" + strings.Repeat("x", i*30+j) + "='u'")
		}
		in.WriteString(">")
	}
	_, err := Parse([]byte(in.String()), Limits{Name: 1000})
	if e, ok := err.(*Error); !ok || e.Kind != TooLarge || e.What != manyDeclared {
		t.Error(err)
	}
}

func TestBuild(t *testing.T) {
	c := Declare(Binding{"", "u"})
	x := parse(t, `<a xmlns='u'><b>x</b></a>`).Child("u", "b")
	b := Build([]byte("+"))
	b.Start("m").Attr("xmlns", "u").Attr("to", "a\"b'").Start("e").End().Start("e").Text("").End().Start("t").Text("<&>").Text("\r").End().
		Raw(nil).Raw([]byte("<r/>")).Element(x, c, Attr{Name: "i", Value: "1"})
	for range 10 {
		b.Start("n")
	}
	want := `+<m xmlns='u' to='a"b&apos;'><e/><e/><t>&lt;&amp;&gt;&#13;</t><r/><b i='1'>x</b>` +
		strings.Repeat("<n>", 9) + "<n/>" + strings.Repeat("</n>", 9) + "</m>"
	if got := string(b.Bytes()); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	for name, f := range map[string]func(){
		"an attribute after content": func() { b := Build(nil); b.Start("a").Text("x").Attr("b", "c") },
		"an end without a start":     func() { b := Build(nil); b.Start("a").End().End() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error(name + " is let pass")
				}
			}()
			f()
		}()
	}
}

// A Doc that was used for an unusual element lets go of what it needed.
func TestReset(t *testing.T) {
	d := new(Doc)
	if err := d.Parse([]byte("<a>"+strings.Repeat("<b c=''/>", 1000)+"</a>"), Limits{}); err != nil {
		t.Fatal(err)
	}
	d.Reset()
	if d.Root().Ok() || cap(d.nodes) > keep || cap(d.attrs) > keep {
		t.Error("kept", cap(d.nodes), cap(d.attrs))
	}
	if err := d.Parse([]byte("<a/>"), Limits{}); err != nil || !d.Root().Is("", "a") {
		t.Error(err)
	}
	if err := d.Parse([]byte("<a>"), Limits{}); err == nil || d.Root().Ok() {
		t.Error("half a document is there")
	}
}
