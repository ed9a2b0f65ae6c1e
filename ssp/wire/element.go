package wire

import (
	"encoding/base64"
	"iter"
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
}

// Attr is an attribute.
type Attr struct{ Name, Value string }

// New makes an element with attributes, names and values in turn; empty values are left out.
func New(name string, attrs ...string) *Element {
	e := &Element{Name: name}
	if len(attrs) > 0 {
		e.Attrs = make([]Attr, 0, len(attrs)/2+1) // one more is often set later
	}
	for i := 0; i+1 < len(attrs); i += 2 {
		e.Set(attrs[i], attrs[i+1])
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
	if e.Kids == nil && len(kids) > 1 {
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
	e.Text = base64.StdEncoding.EncodeToString(b)
	return e.Set("encoding", Base64)
}

// Base64 is the only value of an attribute encoding that is known, ssp-syntax 2.5.
const Base64 = "base64"

// Bytes is the content, decoded when the attribute encoding says base64; false when it is none. ssp-syntax 2.5.
func (e *Element) Bytes() ([]byte, bool) {
	switch {
	case e == nil:
		return nil, false
	case !strings.EqualFold(e.Attr("encoding"), Base64):
		return []byte(e.Text), true
	}
	text := strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, e.Text)
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		b, err = base64.RawStdEncoding.DecodeString(text)
	}
	return b, err == nil
}

// decodes says whether Bytes has something to say, without making it when it need not be decoded.
func (e *Element) decodes() bool {
	if !strings.EqualFold(e.Attr("encoding"), Base64) {
		return true
	}
	_, ok := e.Bytes()
	return ok
}

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
