package wire

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"parley/xmltext"
)

// otherElements are names of elements that are read for ours: misprints of the semantics document, later names, those
// of the client protocol, and mistakes of the public implementation. ssp-syntax 2.4, 2.8, 9.
var otherElements = map[string]string{
	"JoinedUser":          "JoinedUsers",
	"Description":         "StatusDescription",
	"FundamentalFeat":     "CommonFeature", // ssp-syntax 5.5
	"PresenceFeat":        "PresenceFeature",
	"IMFeat":              "IMFeature",
	"GroupFeat":           "GroupFeature",
	"VeifyUseridRequest":  "VerifyUseridRequest",
	"VerifyUserIDRequest": "VerifyUseridRequest",
	"GetListPropRequest":  "GetListPropsRequest",
	"SetListPropRequest":  "SetListPropsRequest",
	"UpdateUserProfile":   "UpdateUserProfileRequest",
}

// otherAttrs are the same for attributes; those in other letters are found without it.
var otherAttrs = map[string]string{"procotolVersion": "protocolVersion", "validlity": "validity"}

// folded are the primitives by names in lower case, with those of the other dialect and those read for them.
var folded = fold()

func fold() map[string]*Structure {
	m := map[string]*Structure{}
	for _, s := range all.order {
		m[strings.ToLower(s.Name)] = s
		if s.OMA13 != "" {
			m[strings.ToLower(s.OMA13)] = s
		}
	}
	for from, to := range otherElements {
		if s := all.primitives[to]; s != nil {
			m[strings.ToLower(from)] = s
		}
	}
	return m
}

// primitive finds a primitive by a name as it came; nil if there is none. ssp-syntax 2.1.
func primitive(name string) *Structure {
	if s := all.primitives[name]; s != nil {
		return s
	}
	return folded[strings.ToLower(name)]
}

// named says whether an element has this name, in whatever letters. Namespaces are not looked at: peers forget them.
func named(n xmltext.Node, name string) bool { return n.Ok() && equalFold(n.Local(), name) }

func equalFold(b []byte, s string) bool {
	return string(b) == s || strings.EqualFold(string(b), s)
}

// value is an attribute by its name in whatever letters, without blanks around it.
func value(n xmltext.Node, name string) []byte {
	if v, ok := n.Attr("", name); ok {
		return bytes.Trim(v, blanks)
	}
	for a := range n.Attrs() {
		if len(a.Space) == 0 && equalFold(a.Local, name) {
			return bytes.Trim(a.Value, blanks)
		}
	}
	return nil
}

const blanks = " \t\r\n"

// field finds an attribute or element of the structure by a name as it came; -1 if there is none.
func (s *Structure) field(name []byte, attr bool) int {
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Attr == attr && f.Name == string(name) {
			return i
		}
	}
	want := string(name)
	other := otherElements
	if attr {
		other = otherAttrs
	}
	if o, ok := other[want]; ok {
		want = o
	}
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Attr == attr && strings.EqualFold(f.Name, want) {
			return i
		}
	}
	return -1
}

// place is where a field stands in the table.
func (s *Structure) place(name string, attr bool) int {
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Attr == attr && f.Name == name {
			return i
		}
	}
	return -1
}

// pieces are the memory that one primitive is read into: a few allocations for all of it. Nothing of other primitives is
// in them, so that whoever keeps a value of one keeps no more than that one.
type pieces struct {
	elements []Element
	attrs    []Attr
	kids     []*Element
	text     strings.Builder
}

// How much is got at once at most: elements, and bytes of text. What nobody knows is counted, too.
const (
	mostElements = 64
	mostText     = 512
)

// begin makes room for an element that is about to be read.
func (p *pieces) begin(n xmltext.Node) {
	k := min(count(n), mostElements)
	p.elements = make([]Element, 0, k)
	p.attrs = make([]Attr, 0, k+k/4)
	p.kids = make([]*Element, 0, k)
	p.text.Grow(min(len(n.Bytes())/2, mostText))
}

// count counts an element and those in it.
func count(n xmltext.Node) int {
	k := 1
	for c := n.FirstChild(); c.Ok(); c = c.Next() {
		k += count(c)
	}
	return k
}

// element makes an empty one.
func (p *pieces) element(name string) *Element {
	if len(p.elements) == cap(p.elements) {
		p.elements = make([]Element, 0, mostElements)
	}
	p.elements = append(p.elements, Element{Name: name})
	return &p.elements[len(p.elements)-1]
}

// room is room for the elements right inside of one.
func (p *pieces) room(n xmltext.Node) []*Element {
	k := 0
	for c := n.FirstChild(); c.Ok(); c = c.Next() {
		k++
	}
	if k > cap(p.kids)-len(p.kids) {
		return make([]*Element, 0, min(k, mostElements))
	}
	at := len(p.kids)
	p.kids = p.kids[:at+k]
	return p.kids[at : at : at+k]
}

// string is a copy of b without blanks around it.
func (p *pieces) string(b []byte) string {
	b = bytes.Trim(b, blanks)
	if len(b) == 0 {
		return ""
	}
	if len(b) > p.text.Cap()-p.text.Len() {
		if len(b) > mostText/4 {
			return string(b)
		}
		p.text = strings.Builder{}
		p.text.Grow(mostText / 2)
	}
	at := p.text.Len()
	p.text.Write(b)
	return p.text.String()[at:]
}

// value is a value of a type in the spelling that is written.
func (p *pieces) value(t Type, b []byte) string {
	if t == tBool {
		switch string(b) {
		case Yes:
			return Yes
		case No:
			return No
		}
	}
	return t.normal(p.string(b))
}

// read reads an element of the structure, and gives it the name.
func (s *Structure) read(p *pieces, n xmltext.Node, name string) *Element {
	e := p.element(name)
	if s.Text != "" {
		e.Text = p.value(s.Text, n.Text())
	}
	if s.Open {
		p.open(e, n)
		return e
	}
	if s.Name == "Status" { // the client protocol puts one more element around, ssp-syntax 2.4
		if r := n.FirstChild(); named(r, "Result") {
			n = r
		}
	}
	at, last, sorted := len(p.attrs), -1, true
	for a := range n.Attrs() {
		if len(a.Space) > 0 {
			continue
		}
		i := s.field(a.Local, true)
		if i < 0 {
			continue
		}
		e.Attrs = p.attrs[at:]
		if f := &s.Fields[i]; e.Attr(f.Name) == "" {
			if v := p.value(f.Type, a.Value); v != "" {
				p.attrs = append(p.attrs, Attr{f.Name, v})
				sorted = sorted && i >= last
				last = i
			}
		}
	}
	if e.Attrs = nil; len(p.attrs) > at {
		e.Attrs = p.attrs[at:len(p.attrs):len(p.attrs)]
	}
	kids, lastKid, kidsSorted := p.room(n), -1, true
	for c := n.FirstChild(); c.Ok(); c = c.Next() {
		i := s.field(c.Local(), false)
		if i < 0 {
			if i = s.field(c.Local(), true); i >= 0 && !c.FirstChild().Ok() { // what is an attribute here is an element in the client protocol
				if f := &s.Fields[i]; e.Attr(f.Name) == "" {
					e.Set(f.Name, p.value(f.Type, c.Text()))
					sorted = false
				}
			}
			continue
		}
		f := &s.Fields[i]
		if f.Twin != "" {
			i = s.field([]byte(f.Twin), false)
			f = &s.Fields[i]
		}
		if f.of != nil {
			kids = append(kids, f.of.read(p, c, f.Name))
		} else {
			k := p.element(f.Name)
			k.Text = p.value(f.Type, c.Text())
			kids = append(kids, k)
		}
		kidsSorted = kidsSorted && i >= lastKid
		lastKid = i
	}
	if len(kids) > 0 {
		e.Kids = kids[:len(kids):len(kids)]
	}
	if !kidsSorted {
		slices.SortStableFunc(e.Kids, func(a, b *Element) int { return cmp.Compare(s.place(a.Name, false), s.place(b.Name, false)) })
	}
	if !sorted {
		slices.SortFunc(e.Attrs, func(a, b Attr) int { return cmp.Compare(s.place(a.Name, true), s.place(b.Name, true)) })
	}
	return e
}

// open keeps what stands in an element as it came, but for namespaces and blanks around texts.
func (p *pieces) open(e *Element, n xmltext.Node) {
	for a := range n.Attrs() {
		if len(a.Space) == 0 {
			e.Set(string(a.Local), p.string(a.Value))
		}
	}
	e.Text = p.string(n.Text())
	kids := p.room(n)
	for c := n.FirstChild(); c.Ok(); c = c.Next() {
		k := p.element(string(c.Local()))
		p.open(k, c)
		kids = append(kids, k)
	}
	if len(kids) > 0 {
		e.Kids = kids[:len(kids):len(kids)]
	}
}
