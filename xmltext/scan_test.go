package xmltext

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Each document, and what is read in it. RFC 6120 11.
func TestParseAccepts(t *testing.T) {
	for in, want := range map[string]string{
		`<a/>`:                       `<{}a></>`,
		"\xef\xbb\xbf<a/>":           `<{}a></>`,
		"\n <a></a>\t\r\n":           `<{}a></>`,
		`<?xml version="1.0"?><a />`: `<{}a></>`,
		"<?xml version = '1.0' encoding='utf-8' standalone='no' ?>\n<a\n></a\n>": `<{}a></>`,
		`<?xml version='1.0' standalone="yes"?><a/>`:                             `<{}a></>`,
		`<a b = "c" d='e"f' g="h'i"/>`:                                           `<{}a {}b="c" {}d="e\"f" {}g="h'i"></>`,
		`<a>&amp;&lt;&gt;&quot;&apos;&#65;&#x42;&#x00043;&#x1F600;&#x1f601;</a>`: `<{}a>"&<>\"'ABC😀😁"</>`,
		`<a b='&amp;&#10;&#9;&#13;&#32;'/>`:                                      `<{}a {}b="&\n\t\r "></>`,
		"<a b='1\n2\t3\r\n4\r5 6'/>":                                             `<{}a {}b="1 2 3 4 5 6"></>`,
		"<a>1\n2\t3\r\n4\r5\r\r\n&#13;&#xD;\n</a>":                               `<{}a>"1\n2\t3\n4\n5\n\n\r\r\n"</>`,
		"<a>x<![CDATA[<b>&amp;]]]]>y<![CDATA[]]><![CDATA[\r\n]]></a>":            `<{}a>"x<b>&amp;]]y\n"</>`,
		`<a>x<b/>y<b/></a>`:                                                      `<{}a>"x"<{}b></>"y"<{}b></></>`,
		`<a>]]&gt;]>]] ></a>`:                                                    `<{}a>"]]>]>]] >"</>`,
		"<a b='\U0010FFFF\uFFFD'>é\u0085\x7f\uFEFF𝄞</a>":                         `<{}a {}b="` + "\\U0010ffff\uFFFD" + `">"é\u0085\x7f\ufeff𝄞"</>`,
		`<été naïf='1'/>`:                                                        `<{}été {}naïf="1"></>`,
		`<_a.b-c·/>`:                                                             `<{}_a.b-c·></>`,
		`<a xmlns='u'><b/><c xmlns=''><d/></c></a>`:                              `<{u}a><{u}b></><{}c><{}d></></></>`,
		`<p:a xmlns:p='u' p:b='1' b='2'><p:c xmlns:p='v' p:b='3'/><p:d/></p:a>`:  `<{u}a {u}b="1" {}b="2"><{v}c {v}b="3"></><{u}d></></>`,
		`<a xml:lang='en' xmlns:xml='http://www.w3.org/XML/1998/namespace'/>`:    `<{}a {http://www.w3.org/XML/1998/namespace}lang="en"></>`,
		`<xml:a/>`:                   `<{http://www.w3.org/XML/1998/namespace}a></>`,
		`<a xmlns='u&amp;v&#x20;'/>`: `<{u&v }a></>`,
		`<a xmlns:p='u' xmlns:q='v' p:x='1' q:x='2'/>`:     `<{}a {u}x="1" {v}x="2"></>`,
		`<a p:x='1' xmlns:p='u'/>`:                         `<{}a {u}x="1"></>`,
		`<a xmlns='u' x='1'/>`:                             `<{u}a {}x="1"></>`,
		`<xmlfoo xmlns:xmlbar='u' xmlbar:x='1'/>`:          `<{}xmlfoo {u}x="1"></>`,
		`<a p:xmlns='1' xmlns:p='u' xmlnsx='2' yxmln=''/>`: `<{}a {u}xmlns="1" {}xmlnsx="2" {}yxmln=""></>`,
	} {
		d, err := Parse([]byte(in), Limits{})
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := show(d.Root()); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}

var refused = []struct {
	in   string
	kind Kind
	what string
}{
	{"<!DOCTYPE a><a/>", Restricted, noDocType},
	{"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", Restricted, noDocType},
	{"<a><!DOCTYPE b></a>", Restricted, noDocType},
	{"<!-- x --><a/>", Restricted, noComment},
	{"<a><!-- x --></a>", Restricted, noComment},
	{"<a/><!-- x -->", Restricted, noComment},
	{"<a>x<?b c?></a>", Restricted, noInstruction},
	{"<?b c?><a/>", Restricted, noInstruction},
	{"<?xml-stylesheet href='x'?><a/>", Restricted, noInstruction},
	{" <?xml version='1.0'?><a/>", Restricted, noInstruction},
	{"<?xml version='1.0'?><?xml version='1.0'?><a/>", Restricted, noInstruction},
	{"<a>&nbsp;</a>", Restricted, noEntity},
	{"<a b='&x:y;'/>", Restricted, noEntity},
	{"<a>&é;</a>", Restricted, noEntity},
	{"<a>&averyverylongentity;</a>", Restricted, noEntity},

	{"<?xml version='1.1'?><a/>", Malformed, badHeader},
	{"<?xml encoding='UTF-8'?><a/>", Malformed, badHeader},
	{"<?xml version='1.0' standalone='maybe'?><a/>", Malformed, badHeader},
	{"<?xml version='1.0'encoding='UTF-8'?><a/>", Malformed, badHeader},
	{"<?xml ?><a/>", Malformed, badHeader},
	{"<?xml version=\"1.0'?><a/>", Malformed, badHeader},
	{"<?xml version='1.0' encoding='UTF-16'?><a/>", BadEncoding, badEncoding},
	{"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", BadEncoding, badEncoding},
	{"<?xml version='1.0'" + strings.Repeat(" ", 300) + "?><a/>", TooLarge, manyBytes},

	{"<a>\xff</a>", BadEncoding, badUTF8},
	{"<a>\xc0\x80</a>", BadEncoding, badUTF8},
	{"<a>\xed\xa0\x80</a>", BadEncoding, badUTF8}, // half of a surrogate pair
	{"<a>\xf4\x90\x80\x80</a>", BadEncoding, badUTF8},
	{"<a b='\xe9'/>", BadEncoding, badUTF8},
	{"<\xe9/>", BadEncoding, badUTF8},
	{"<a><![CDATA[\xe9]]></a>", BadEncoding, badUTF8},
	{"\xff\xfe<\x00a\x00", BadEncoding, badUTF8},
	{"<a>\x00</a>", Malformed, badCharacter},
	{"<a>\x1f</a>", Malformed, badCharacter},
	{"<a>\uFFFE</a>", Malformed, badCharacter},
	{"<a b='\x08'/>", Malformed, badCharacter},
	{"<a b='\uFFFF'/>", Malformed, badCharacter},
	{"<a><![CDATA[\x0b]]></a>", Malformed, badCharacter},
	{"<a>&#0;</a>", Malformed, badCharacter},
	{"<a>&#x1F;</a>", Malformed, badCharacter},
	{"<a>&#xD800;</a>", Malformed, badCharacter},
	{"<a>&#xFFFE;</a>", Malformed, badCharacter},
	{"<a>&#x110000;</a>", Malformed, badCharacter},
	{"<a>&#9999999999999;</a>", Malformed, badCharacter},
	{"<a>&#000000000000000065;</a>", TooLarge, manyDigits},
	{"<a>& b</a>", Malformed, badReference},
	{"<a>&</a>", Malformed, badReference},
	{"<a>&;</a>", Malformed, badReference},
	{"<a>&#;</a>", Malformed, badReference},
	{"<a>&#x;</a>", Malformed, badReference},
	{"<a>&#X41;</a>", Malformed, badReference},
	{"<a>&#6A;</a>", Malformed, badReference},
	{"<a>&1;</a>", Malformed, badReference},
	{"<a b='&lt'/>", Malformed, badReference},
	{"<a>]]></a>", Malformed, badBrackets},
	{"<a>x]]]></a>", Malformed, badBrackets},

	{"<a b='<'/>", Malformed, badLess},
	{"<a b='1' <b/>", Malformed, badLess},
	{"<a b/>", Malformed, badAttribute},
	{"<a b=c/>", Malformed, badAttribute},
	{"<a b 'c'/>", Malformed, badAttribute},
	{"<a b='1'c='2'/>", Malformed, badSpace},
	{"<a / >", Malformed, badSlash},
	{"<a/b>", Malformed, badSlash},
	{"< a/>", Malformed, badName},
	{"<1a/>", Malformed, badName},
	{"<a&b/>", Malformed, badName},
	{"<a 'b'/>", Malformed, badName},
	{"<-a/>", Malformed, badName},
	{"<·a/>", Malformed, badName},
	{"<a×/>", Malformed, badName},
	{"<>x</>", Malformed, badName},
	{"<:a/>", Malformed, badColon},
	{"<a:/>", Malformed, badColon},
	{"<a:1/>", Malformed, badColon},
	{"<a:b:c xmlns:a='u'/>", Malformed, badColon},
	{"<a><![CDAT[x]]></a>", Malformed, badMarkup},
	{"<a><!></a>", Malformed, badMarkup},
	{"<![CDATA[x]]><a/>", Malformed, badMarkup},
	{"<a></b>", Malformed, badEnd},
	{"<a></ab>", Malformed, badEnd},
	{"<ab></a>", Malformed, badEnd},
	{"<a></A>", Malformed, badEnd},
	{"<a></ a>", Malformed, badEnd},
	{"<a></a b='c'>", Malformed, badEnd},
	{"<a><b></a></b>", Malformed, badEnd},
	{"<p:a xmlns:p='u' xmlns:q='u'></q:a>", Malformed, badEnd},
	{"</a>", Malformed, badEnd},

	{"<p:a/>", Malformed, badPrefix},
	{"<a p:b='1'/>", Malformed, badPrefix},
	{"<a><b xmlns:p='u'/><p:c/></a>", Malformed, badPrefix},
	{"<xmlns:a/>", Malformed, badPrefix},
	{"<a b='1' b='2'/>", Malformed, badDuplicate},
	{"<a xmlns='u' xmlns='v'/>", Malformed, badDuplicate},
	{"<a xmlns:p='u' xmlns:p='u'/>", Malformed, badDuplicate},
	{"<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>", Malformed, badDuplicate},
	{"<a xmlns:p='u&amp;' xmlns:q='u&#38;' p:x='1' q:x='2'/>", Malformed, badDuplicate},
	{"<a xmlns:p=''/>", Malformed, badUndeclared},
	{"<a xmlns:xmlns='u'/>", Malformed, badReserved},
	{"<a xmlns:xml='u'/>", Malformed, badReserved},
	{"<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", Malformed, badReserved},
	{"<a xmlns='http://www.w3.org/XML/1998/namespace'/>", Malformed, badReserved},
	{"<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", Malformed, badReserved},
	{"<a xmlns='http://www.w3.org/2000/&#120;mlns/'/>", Malformed, badReserved},

	{"", Malformed, badEarly},
	{"<?xm", Malformed, badEarly},
	{"<a>", Malformed, badEarly},
	{"<a>x<b/>&am", Malformed, badEarly},
	{"<a b='>", Malformed, badEarly},
	{"x", Malformed, badOutside},
	{"é<a/>", Malformed, badOutside},
	{"<a/>x", Malformed, badAfter},
	{"<a/><b/>", Malformed, badAfter},

	{"<a>" + strings.Repeat("x", 4000) + "</a>", TooLarge, manyBytes},
	{strings.Repeat("<a>", 6) + strings.Repeat("</a>", 6), TooLarge, manyDepth},
	{"<a b='' c='' xmlns:d='e' e='' f='' g=''/>", TooLarge, manyAttrs},
	{"<a>" + strings.Repeat("<b/>x", 50) + "</a>", TooLarge, manyNodes},
	{"<a" + strings.Repeat("b", 20) + "/>", TooLarge, manyName},
	{"<a b" + strings.Repeat("c", 20) + "='d'/>", TooLarge, manyName},
}

var small = Limits{Bytes: 2000, Depth: 5, Attrs: 5, Nodes: 100, Name: 20}

// Each rule that a document can break, and the kind that says so. RFC 6120 11.1, 11.3, 11.6; 4.9.3.
func TestParseRefuses(t *testing.T) {
	for _, x := range refused {
		d, err := Parse([]byte(x.in), small)
		var e *Error
		if !errors.As(err, &e) || e.Kind != x.kind || e.What != x.what || d != nil {
			t.Errorf("%.60q: %v, want %v: %s", x.in, err, x.kind, x.what)
			continue
		}
		if e.Offset > len(x.in) || !strings.Contains(e.Error(), x.what) || e.Kind.String() == "no kind" {
			t.Errorf("%.60q: %v", x.in, e)
		}
	}
}

// The same below the root of a stream, all at once and byte by byte.
func TestStreamRefuses(t *testing.T) {
	for _, x := range refused {
		if !strings.HasPrefix(x.in, "<a") || x.what == badEarly || x.what == badAfter || strings.HasSuffix(x.in, "-->") {
			continue
		}
		in := []byte("<s>" + x.in)
		for _, next := range []func() int{atOnce, oneByte} {
			got, err := read(t, &Scanner{Limits: small}, in, next)
			var e *Error
			if !errors.As(err, &e) || e.Kind != x.kind || e.What != x.what || len(got) != 1 {
				t.Errorf("%.60q: %v, want %v: %s", x.in, err, x.kind, x.what)
			}
		}
	}
}

// An element exactly as large as allowed, in each measure.
func TestLimitsReached(t *testing.T) {
	for _, x := range []struct {
		in string
		l  Limits
	}{
		{"<a>12345</a>", Limits{Bytes: 13}}, // one more is there to see that it is not longer
		{"<a><b><c/></b></a>", Limits{Depth: 3}},
		{"<a b='' c='' xmlns='u'/>", Limits{Attrs: 3}},
		{"<a>x<b/>y</a>", Limits{Nodes: 4}},
		{"<abcd p:qr='' xmlns:p='u'></abcd>", Limits{Name: 7}},
	} {
		if _, err := Parse([]byte(x.in), x.l); err != nil {
			t.Error(x.in, err)
		}
		got, err := read(t, &Scanner{Limits: x.l}, []byte("<s>"+x.in+" "), oneByte)
		if err != nil || len(got) != 2 {
			t.Error(x.in, got, err)
		}
	}
}

const session = `<?xml version='1.0'?>` + "\n" +
	`<stream:stream to='example.com' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'> ` + "\r\n" +
	`<message to='a@b'><body>x &amp; y]] é</body><![CDATA[<]]]]></message>` + "\n\t\n" +
	`<iq/><stream:features/><x xmlns='u'/> </stream:stream > `

func TestStream(t *testing.T) {
	const ns, st = "{jabber:client}", "{http://etherx.jabber.org/streams}"
	want := []found{
		{Header, `<stream:stream to='example.com' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`,
			`<` + st + `stream {}to="example.com" {}version="1.0"></>`},
		{Element, `<message to='a@b'><body>x &amp; y]] é</body><![CDATA[<]]]]></message>`,
			`<` + ns + `message {}to="a@b"><` + ns + `body>"x & y]] é"</>"<]]"</>`},
		{Element, `<iq/>`, `<` + ns + `iq></>`},
		{Element, `<stream:features/>`, `<` + st + `features></>`},
		{Element, `<x xmlns='u'/>`, `<{u}x></>`},
		{Footer, "", ""},
	}
	for i := 1; i <= len(session); i++ {
		got, err := read(t, new(Scanner), []byte(session), func() int { return i })
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(found{})); diff != "" || err != nil {
			t.Fatalf("pieces of %d: %v %s", i, err, diff)
		}
	}
}

func TestStreamRules(t *testing.T) {
	for in, want := range map[string]string{
		"":                                      "[]",
		" \n":                                   "[]",
		"<?xml version='1.0'?>":                 "[]",
		"<s>":                                   "[header]",
		"<s> x":                                 "[header] " + badOutside,
		"<s>\xff":                               "[header] " + badUTF8,
		"<s><a/>é":                              "[header element] " + badOutside,
		"<s>&amp;":                              "[header] " + badOutside,
		"<s><![CDATA[x]]>":                      "[header] " + badMarkup,
		"<s><!-- x":                             "[header] " + noComment,
		"<s><?xml version='1.0'?>":              "[header] " + noInstruction,
		"<!DOCTYPE s><s>":                       "[] " + noDocType,
		"<?xml version='1.0' encoding='x'?><s>": "[] " + badEncoding,
		"GET / HTTP/1.1\r\n":                    "[] " + badOutside,
		"\x16\x03\x01\x02\x00":                  "[] " + badOutside,
		"\uFEFF<s>":                             "[] " + badOutside, // RFC 6120 11.6
		"</s>":                                  "[] " + badEnd,
		"<s/>":                                  "[header footer]",
		"<s/><a/>":                              "[header footer] " + badAfter,
		"<s></s>\n":                             "[header footer]",
		"<s></s\n>":                             "[header footer]",
		"<s></s>x":                              "[header footer] " + badAfter,
		"<s></s><s>":                            "[header footer] " + badAfter,
		"<s></t>":                               "[header] " + badEnd,
		"<s></s x='y'>":                         "[header] " + badEnd,
		"<s></s<":                               "[header] " + badLess,
		"<p:s>":                                 "[] " + badPrefix,
		"<p:s xmlns:p='u'></s>":                 "[header] " + badEnd,
		"<p:s xmlns:p='u'><p:a/></p:s>":         "[header element footer]",
		"<s></s" + strings.Repeat(" ", 3000):    "[header] " + manyBytes,
		"<s a='" + strings.Repeat("x", 3000):    "[] " + manyBytes,
		"<?xml" + strings.Repeat(" ", 300):      "[] " + manyBytes,
		"<?xmlversion":                          "[] " + noInstruction,
		"<?xml?>":                               "[] " + badHeader,
	} {
		for _, next := range []func() int{atOnce, oneByte} {
			got, err := read(t, &Scanner{Limits: small}, []byte(in), next)
			events := []Event{}
			for _, f := range got {
				events = append(events, f.event)
			}
			s := fmt.Sprint(events)
			if err != nil {
				s += " " + err.(*Error).What
			}
			if s != want {
				t.Errorf("%.40q: %s, want %s", in, s, want)
			}
		}
	}
}

// Another Doc may take over in the middle of an element, and a new stream may follow on the same connection.
func TestScannerAgain(t *testing.T) {
	s, d := new(Scanner), new(Doc)
	in := []byte("<s xmlns='u'><a><b>x</b></a>")
	n, _, _ := s.Next(d, in)
	in = in[n:]
	if n, e, err := s.Next(d, in[:9]); n != 0 || e != More || err != nil {
		t.Fatal(n, e, err)
	}
	d.Reset()
	if n, e, err := s.Next(d, in); n != len(in) || e != Element || err != nil || show(d.Root()) != `<{u}a><{u}b>"x"</></>` {
		t.Fatal(n, e, err, show(d.Root()))
	}
	if space, ok := s.Context().Space(""); space != "u" || !ok {
		t.Fatal(space, ok)
	}
	if n, _, err := s.Next(d, []byte("x")); n != 0 || err == nil {
		t.Fatal(n, err)
	}
	if _, _, err := s.Next(d, []byte("<a/>")); err == nil {
		t.Fatal("went on after an error")
	}
	s.Reset()
	if _, ok := s.Context().Space(""); ok {
		t.Fatal("still declared")
	}
	if _, e, err := s.Next(d, []byte("<?xml version='1.0'?><s>")); e != Header || err != nil {
		t.Fatal(e, err)
	}
}

// However an element comes, reading it takes a time that grows as its length: a megabyte in pieces of a few bytes, in
// every place where one can wait.
func TestResumesWhereItStopped(t *testing.T) {
	const size = 1 << 20
	long := strings.Repeat("x", size)
	for name, in := range map[string]string{
		"text":    "<a>" + long + "</a>",
		"utf8":    "<a>" + strings.Repeat("é", size/2) + "</a>",
		"refs":    "<a>" + strings.Repeat("&amp;", size/5) + "</a>",
		"value":   "<a b='" + long + "'/>",
		"blanks":  "<a" + strings.Repeat(" ", size) + "/>",
		"end":     "<a></a" + strings.Repeat(" ", size) + ">",
		"cdata":   "<a><![CDATA[" + strings.Repeat("]", size) + "]]></a>",
		"nodes":   "<a>" + strings.Repeat("<b/>", size/4) + "</a>",
		"between": strings.Repeat(" ", size) + "<a/>",
	} {
		s, d := &Scanner{Limits: Limits{Bytes: 2 * size, Nodes: size}}, new(Doc)
		if _, e, err := s.Next(d, []byte("<s>")); e != Header {
			t.Fatal(err)
		}
		start, from := time.Now(), 0
		buf := []byte(in)
		for to := 3; ; to = min(to+3, len(buf)) {
			n, e, err := s.Next(d, buf[from:to:to])
			if from += n; err != nil {
				t.Fatal(name, err)
			}
			if e == Element {
				break
			}
			if to == len(buf) {
				t.Fatal(name, "is not whole")
			}
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	s, d := new(Scanner), new(Doc)
	if _, e, err := s.Next(d, []byte(benchHeader)); e != Header {
		t.Fatal(err)
	}
	for _, x := range benchmarks {
		in := []byte(x.stanza)
		out := make([]byte, 0, 8192)
		c := Declare(Binding{"", "jabber:server"})
		if n := testing.AllocsPerRun(100, func() {
			if _, e, err := s.Next(d, in); e != Element || err != nil {
				t.Fatal(err)
			}
			out = AppendElement(out[:0], d.Root(), c, Attr{Name: "from", Value: "a@b/c"})
			for n := range d.Root().Children() {
				n.Is("x", "y")
				n.Text()
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", x.name, n)
		}
	}
}
