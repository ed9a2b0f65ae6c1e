package transcript_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"parley/transcript"
	"parley/xmltext"
)

// streams are such as XMPP has: RFC 6120 4.8.
var streams = transcript.XML{Root: "stream:stream", Around: []xmltext.Binding{{Space: "jabber:client"}, {Prefix: "stream", Space: "http://etherx.jabber.org/streams"}}}

const header = "<stream:stream id='a>b' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"

func TestXMLIsCutIntoThings(t *testing.T) {
	things := []string{header, `<a x="1>2"><b/>t &gt; <c>'</c></a>`, "<a/>", "<a><![CDATA[</a> '>]]></a>", "<stream:features><b></b></stream:features>", "</stream:stream>"}
	in := "<?xml version='1.0'?>\n" + strings.Join(things, " \n")
	for name, r := range map[string]io.Reader{"whole": strings.NewReader(in), "in pieces": iotest.OneByteReader(strings.NewReader(in))} {
		b := bufio.NewReaderSize(r, 16)
		var got []string
		for {
			thing, err := streams.Read(b)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(name, err)
			}
			got = append(got, thing)
		}
		if d := cmp.Diff(things, got); d != "" {
			t.Error(name, d)
		}
	}
	for in, want := range map[string]string{"<a><b>": "ends within an element", "x<a/>": "text between elements", "<!-- c --><a/>": "does not belong into a stream", "<a": "ends within"} {
		if _, err := streams.Read(bufio.NewReader(strings.NewReader(in))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestXMLIsComparedAsXML(t *testing.T) {
	for _, c := range []struct{ want, got, why string }{
		{"<a/>", "<a></a>", ""},
		{"<a x='1' y=\"2\"/>", "<a y='2' x='1'/>", ""},
		{"<a>\n <b/>\n  <c> t </c></a>", "<a><b/><c>t</c></a>", ""},
		{"<a xmlns='u'><b/></a>", "<p:a xmlns:p='u'><p:b/></p:a>", ""},
		{"<a xmlns='u'><b/></a>", "<a xmlns='u'><b xmlns=''/></a>", "<a/b> is of"},
		{"<a>&lt;&amp;</a>", "<a><![CDATA[<&]]></a>", ""},
		{"<a/>", "<a x='1'/>", "an attribute x as well"},
		{"<a x='1'/>", "<a/>", "no attribute x"},
		{"<a x='1'/>", "<a x='2'/>", "the attribute x differs"},
		{"<a xml:lang='en'/>", "<a xml:lang='de'/>", "lang differs"},
		{"<a/>", "<a><b/></a>", "there is also <b>"},
		{"<a><b/></a>", "<a/>", "no <b> any more"},
		{"<a><b/><c/></a>", "<a><c/><b/></a>", "it is <a/c>"},
		{"<a>t</a>", "<a>u</a>", "the text differs"},
		{"<a/>", "<a>u</a>", "the text differs"},
		{"<a>...</a>", "<a x='1'>u<b/></a>", ""},
		{"<a>...<c/></a>", "<a x='1'>u<b/><c/><d/></a>", ""},
		{"<a>...<c>1</c><c>3</c></a>", "<a><c>1</c><c>2</c><c>3</c></a>", ""},
		{"<a>...<c>3</c><c>1</c></a>", "<a><c>1</c><c>2</c><c>3</c></a>", "no <c> any more"},
		{"<a><b>Wait...</b></a>", "<a><b>Wait</b></a>", "the text differs"},
		{"<a>${x}<b y='${x}'/></a>", "<a>1<b y='1'/></a>", ""},
		{"<a>${x}<b y='${x}'/></a>", "<a>1<b y='2'/></a>", "the attribute y differs"},
		{"<a>${*}</a>", "<a/>", ""},
		{"${*}", "<a/>", ""},
		{"</stream:stream>", "</stream:stream>", ""},
		{"</stream:stream>", "<a/>", "one is the end"},
		{"<a/>", "</stream:stream>", "one is the end"},
		{"<stream:stream id='${id}'>", header, ""},
		{"<stream:stream id='${id}' xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>", header, "stands for"},
		{"<stream:stream id='${id}'>", strings.Replace(header, "'jabber:client'", "'jabber:server'", 1), "stands for \"jabber:server\""},
		{"<stream:error><a xmlns='u'/></stream:error>", "<stream:error><a xmlns='u'/></stream:error>", ""},
		{"<a", "<a/>", "the line is no XML"},
		{"<a/><b/>", "<a/>", "not one element"},
	} {
		learned := map[string]string{}
		match := func(pattern, text string) bool {
			name, ok := strings.CutPrefix(pattern, "${")
			if !ok {
				return pattern == text
			}
			name = strings.TrimSuffix(name, "}")
			old, known := learned[name]
			learned[name] = text
			return name == "*" || !known || old == text
		}
		err := streams.Compare(c.want, nil, c.got, match)
		switch {
		case c.why == "" && err != nil:
			t.Errorf("%s and %s: %v", c.want, c.got, err)
		case c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)):
			t.Errorf("%s and %s: %v, want %s", c.want, c.got, err, c.why)
		}
	}
}

// TestTwoProtocolsInOnePlay: an actor's door is told when it comes in.
func TestTwoProtocolsInOnePlay(t *testing.T) {
	scripts, err := transcript.Parse("x.play", `# Both at once. Spec: draft 8
@open alice lines here
alice C: HELLO ${up x}
alice S: HELLO X
@open alice.sb
alice.sb C: MORE
alice.sb S: MORE
bob C: <hello
    to='${up a}'/>
bob S: <hello to='A'/>
@note
@lines-note
`)
	if err != nil {
		t.Fatal(err)
	}
	var opened []string
	var noted []string
	echo := func(door string) transcript.Door {
		return transcript.Door{
			Dial: func(name, where string) (net.Conn, error) {
				if name == "nobody" {
					return nil, errors.New("nobody")
				}
				opened = append(opened, door+" "+name+" "+where)
				c, s := net.Pipe()
				go func() { // ends with the pipe
					defer s.Close()
					io.Copy(s, s)
				}()
				return c, nil
			},
			Options: transcript.Options{Bubble: true,
				Funcs:      map[string]func(_, v string) (string, error){"up": func(_, v string) (string, error) { return strings.ToUpper(v), nil }},
				Directives: map[string]func([]string) error{"note": func([]string) error { noted = append(noted, door); return nil }}},
		}
	}
	synctest.Test(t, func(t *testing.T) {
		lines, xml := echo("lines"), echo("xml")
		xml.Options.Codec = streams
		dial, o := transcript.Doors("xml", map[string]transcript.Door{"lines": lines, "xml": xml})
		transcript.Play(t, scripts[0], dial, o)
	})
	if d := cmp.Diff([]string{"lines alice here", "lines alice.sb ", "xml bob "}, opened); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"xml", "lines"}, noted); d != "" {
		t.Error(d)
	}
}

func FuzzXMLThings(f *testing.F) {
	f.Add(header + "<a x='>'>t</a></stream:stream>")
	f.Add("<?xml version='1.0'?><a><![CDATA[]]></a>")
	f.Fuzz(func(t *testing.T, in string) {
		r := bufio.NewReader(strings.NewReader(in))
		for range len(in) + 1 {
			thing, err := streams.Read(r)
			if err != nil {
				return
			}
			if !strings.HasPrefix(thing, "<") || !strings.HasSuffix(thing, ">") || !strings.Contains(in, thing) {
				t.Fatalf("%q is no thing of %q", thing, in)
			}
			streams.Compare(thing, nil, thing, func(p, s string) bool { return p == s })
		}
		t.Fatal("there is no end")
	})
}
