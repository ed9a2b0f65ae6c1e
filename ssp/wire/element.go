package wire

import (
	"encoding/base64"
	"iter"
	"slices"
	"strings"
)

// Element is a primitive or a part of one. Its name, and the names inside, are those of WV10, whatever the dialect.
// The nil Element stands for one that is not there: it has nothing, so that what may be missing can be asked in one
// line.
type Element struct {
	Name  string
	Attrs []Attr // in the table's order once it was read
	Kids  []*Element
	Text  string // without blanks around it, ssp-syntax 2.5

	frozen *frozen // nil: it may change
}

// Attr is an attribute.
type Attr struct{ Name, Value string }

// small is an element with room for what most have, so that it is one piece of memory.
type small struct {
	Element
	attrs [2]Attr
	kids  [2]*Element
}

// New makes an element with attributes, names and values in turn; empty values are left out.
func New(name string, attrs ...string) *Element {
	m := &small{Element: Element{Name: name}}
	e := &m.Element
	if len(attrs) <= 2*len(m.attrs) {
		e.Attrs = m.attrs[:0]
	} else {
		e.Attrs = make([]Attr, 0, len(attrs)/2+1) // one more is often set later
	}
	e.Kids = m.kids[:0]
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			e.Attrs = append(e.Attrs, Attr{attrs[i], attrs[i+1]})
		}
	}
	return e
}

// Set gives an attribute a value; one of "" takes it away.
func (e *Element) Set(name, value string) *Element {
	for i := range e.Attrs {
		if e.Attrs[i].Name == name {
			if value == "" {
				e.Attrs = append(e.Attrs[:i], e.Attrs[i+1:]...)
			} else {
				e.Attrs[i].Value = value
			}
			return e
		}
	}
	if value != "" {
		e.Attrs = append(e.Attrs, Attr{name, value})
	}
	return e
}

// Add puts elements inside; nil ones are left out. Encode writes them in the table's order.
func (e *Element) Add(kids ...*Element) *Element {
	if len(e.Kids) == 0 && len(kids) > cap(e.Kids) {
		e.Kids = make([]*Element, 0, len(kids))
	}
	for _, k := range kids {
		if k != nil {
			e.Kids = append(e.Kids, k)
		}
	}
	return e
}

// With sets the text.
func (e *Element) With(text string) *Element {
	e.Text = trim(text)
	return e
}

// WithBytes sets the text to the base64 of b, and says so in the attribute encoding. ssp-syntax 2.5.
func (e *Element) WithBytes(b []byte) *Element {
	var room [512]byte
	e.Text = string(base64.StdEncoding.AppendEncode(room[:0], b))
	return e.Set("encoding", Base64)
}

// Base64 is the only value of an attribute encoding that is known, ssp-syntax 2.5.
const Base64 = "base64"

// Bytes is the content, decoded when the attribute encoding says base64; false when it is none. ssp-syntax 2.5.
func (e *Element) Bytes() ([]byte, bool) {
	if e == nil {
		return nil, false
	}
	return e.AppendBytes(nil)
}

// AppendBytes appends what Bytes gives.
func (e *Element) AppendBytes(dst []byte) ([]byte, bool) {
	switch {
	case e == nil:
		return dst, false
	case !strings.EqualFold(e.Attr("encoding"), Base64):
		return append(dst, e.Text...), true
	}
	text, how := dense(e.Text), base64.StdEncoding
	if len(text)%4 != 0 {
		how = base64.RawStdEncoding
	}
	dst = slices.Grow(dst, how.DecodedLen(len(text)))
	n, err := how.Decode(dst[len(dst):cap(dst)], []byte(text))
	return dst[:len(dst)+n], err == nil
}

// dense is s without the blanks in it.
func dense(s string) string {
	if !strings.ContainsAny(s, blanks) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, s)
}

// decodes says whether Bytes has something to say, without making it.
func (e *Element) decodes() bool {
	if how := e.Attr("encoding"); how == "" || !strings.EqualFold(how, Base64) {
		return true
	}
	n, pad := 0, 0
	for i := range len(e.Text) {
		switch c := e.Text[i]; {
		case c == ' ', c == '\t', c == '\r', c == '\n':
		case c == '=':
			n++
			pad++
		case pad > 0, !inBase64[c]:
			return false
		default:
			n++
		}
	}
	return pad == 0 && n%4 != 1 || pad <= 2 && pad > 0 && n%4 == 0
}

// inBase64 are the 64.
var inBase64 = func() (t [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		t[c] = true
	}
	return t
}()

// Attr is the value of an attribute; "" when it is not there.
func (e *Element) Attr(name string) string {
	if e != nil {
		for i := range e.Attrs {
			if e.Attrs[i].Name == name {
				return e.Attrs[i].Value
			}
		}
	}
	return ""
}

// Child is the first element of this name right inside; nil when there is none.
func (e *Element) Child(name string) *Element {
	if e != nil {
		for _, k := range e.Kids {
			if k.Name == name {
				return k
			}
		}
	}
	return nil
}

// Children are the elements of this name right inside.
func (e *Element) Children(name string) iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		if e == nil {
			return
		}
		for _, k := range e.Kids {
			if k.Name == name && !yield(k) {
				return
			}
		}
	}
}

// Path goes down by names; nil where one is not there.
func (e *Element) Path(names ...string) *Element {
	for _, n := range names {
		e = e.Child(n)
	}
	return e
}

// String is the text, also of an element that is not there; it is not for logs.
func (e *Element) String() string {
	if e == nil {
		return ""
	}
	return e.Text
}

// Has says whether there is an attribute or an element of this name.
func (e *Element) Has(name string) bool { return e.Attr(name) != "" || e.Child(name) != nil }

func trim(s string) string { return strings.Trim(s, " \t\r\n") }
