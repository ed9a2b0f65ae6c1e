package xmltext

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// show writes what a node means: names resolved, attributes sorted, neighbouring texts joined.
func show(n Node) string {
	var b strings.Builder
	showTo(&b, n)
	return b.String()
}

func showTo(b *strings.Builder, n Node) {
	space, local := n.Name()
	var attrs []string
	for a := range n.Attrs() {
		attrs = append(attrs, fmt.Sprintf(" {%s}%s=%q", a.Space, a.Local, a.Value))
	}
	slices.Sort(attrs)
	fmt.Fprintf(b, "<{%s}%s%s>", space, local, strings.Join(attrs, ""))
	text := ""
	flush := func() {
		if text != "" {
			fmt.Fprintf(b, "%q", text)
		}
		text = ""
	}
	for c := range n.Content() {
		if c.IsText() {
			text += string(c.Text())
			continue
		}
		flush()
		showTo(b, c)
	}
	flush()
	b.WriteString("</>")
}

var blanks = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

// forOracle is show as encoding/xml can tell it: a namespace called xmlns looks like a declaration there, and it does
// not make a blank in a value a space.
func forOracle(b *strings.Builder, n Node) {
	space, local := n.Name()
	var attrs []string
	for a := range n.Attrs() {
		if string(a.Space) != "xmlns" {
			attrs = append(attrs, blanks.Replace(fmt.Sprintf("  {%s}%s=", a.Space, a.Local)+string(a.Value)))
		}
	}
	slices.Sort(attrs)
	fmt.Fprintf(b, "<{%s}%s%s>", blanks.Replace(string(space)), local, strings.Join(attrs, ""))
	for c := range n.Content() {
		if c.IsText() {
			b.Write(c.Text())
		} else {
			forOracle(b, c)
		}
	}
	b.WriteString("</>")
}

// oracle is what encoding/xml reads in a document.
func oracle(doc []byte) (string, error) {
	var b strings.Builder
	d := xml.NewDecoder(bytes.NewReader(doc))
	depth, elements := 0, 0
	for {
		t, err := d.Token()
		if err == io.EOF {
			if elements == 0 {
				return "", io.ErrUnexpectedEOF
			}
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
			elements++
			var attrs []string
			for _, a := range t.Attr {
				if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
					attrs = append(attrs, blanks.Replace(fmt.Sprintf("  {%s}%s=", a.Name.Space, a.Name.Local)+a.Value))
				}
			}
			slices.Sort(attrs)
			fmt.Fprintf(&b, "<{%s}%s%s>", blanks.Replace(t.Name.Space), t.Name.Local, strings.Join(attrs, ""))
		case xml.EndElement:
			depth--
			b.WriteString("</>")
		case xml.CharData:
			if depth > 0 {
				b.Write(t)
			}
		}
	}
}

// found is one thing that a Scanner found.
type found struct {
	event       Event
	bytes, show string
}

// read feeds a stream in pieces of the sizes that next gives, each into a buffer of its own, the old one spoilt.
func read(t testing.TB, s *Scanner, in []byte, next func() int) (all []found, err error) {
	t.Helper()
	d := new(Doc)
	var buf []byte
	for {
		n, e, err := s.Next(d, buf)
		if err != nil {
			var x *Error
			if !errors.As(err, &x) || x.Kind < Malformed || x.Kind > TooLarge || x.Offset < 0 || x.Offset > len(buf) {
				t.Fatalf("error %#v", err)
			}
			if d.Root().Ok() {
				t.Fatal("something in the index after an error")
			}
			return all, err
		}
		if n > len(buf) || e != More && e != Footer && !d.Root().Ok() {
			t.Fatal(n, e, len(buf))
		}
		if e != More {
			f := found{event: e}
			if e != Footer {
				f.bytes, f.show = string(d.Root().Bytes()), show(d.Root())
			}
			all = append(all, f)
		}
		rest := bytes.Clone(buf[n:])
		for i := range buf {
			buf[i] = '<'
		}
		buf = rest
		if e == More {
			if len(in) == 0 {
				return all, nil
			}
			size := min(max(next(), 1), len(in))
			buf = append(buf, in[:size]...)
			in = in[size:]
		}
	}
}

func atOnce() int  { return 1 << 30 }
func oneByte() int { return 1 }
