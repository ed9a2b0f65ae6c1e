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
func primitive(name []byte) *Structure {
	if s := all.primitives[string(name)]; s != nil {
		return s
	}
	return folded[strings.ToLower(string(name))]
}

// named says whether an element has this name, in whatever letters. Namespaces are not looked at: peers forget them.
func named(n xmltext.Node, name string) bool { return n.Ok() && equalFold(n.Local(), name) }

func equalFold(b []byte, s string) bool {
	return string(b) == s || strings.EqualFold(string(b), s)
}

// value is an attribute by its name in whatever letters, without blanks around it.
func value(n xmltext.Node, name string) []byte {
	if v, ok := n.Attr("", name); ok {
		return trimmed(v)
	}
	for a := range n.Attrs() {
		if len(a.Space) == 0 && equalFold(a.Local, name) {
			return trimmed(a.Value)
		}
	}
	return nil
}

const blanks = " \t\r\n"

// trimmed is b without blanks around it, soon if there are none.
func trimmed(b []byte) []byte {
	if len(b) == 0 || b[0] > ' ' && b[len(b)-1] > ' ' {
		return b
	}
	return bytes.Trim(b, blanks)
}

// span are the places of the attributes or elements in Fields.
func (s *Structure) span(attr bool) (from, to int) {
	if attr {
		return 0, s.attrs
	}
	return s.attrs, len(s.Fields)
}

// next finds what field finds, and begins at what was found last, -1 for nothing: peers write in the table's order,
// ssp-syntax 2.6, and what comes next there is at hand.
func (s *Structure) next(name []byte, attr bool, last int) int {
	from, to := s.span(attr)
	for i := max(from, last); i < to; i++ {
		if s.Fields[i].Name == string(name) {
			return i
		}
	}
	return s.field(name, attr)
}

// field finds an attribute or element of the structure by a name as it came; -1 if there is none.
func (s *Structure) field(name []byte, attr bool) int {
	from, to := s.span(attr)
	for i := from; i < to; i++ {
		if s.Fields[i].Name == string(name) {
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
	for i := from; i < to; i++ {
		if strings.EqualFold(s.Fields[i].Name, want) {
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

// pieces are the memory that one primitive is read into: two allocations for all of it, or few. Nothing of other
// primitives is in them, so that whoever keeps a value of one keeps no more than that one; nor is the transaction's ID,
// which is remembered longer than the rest.
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

// several is more than stand right inside of most elements.
const several = 8

// begin makes room for a primitive that is about to be read: for most in one piece, as large as a status, most requests
// or a message need it.
func (p *pieces) begin(n xmltext.Node) {
	switch k := min(count(n), mostElements); {
	case k <= 2:
		m := new(struct {
			elements [2]Element
			attrs    [2]Attr
			kids     [1]*Element
		})
		p.elements, p.attrs, p.kids = m.elements[:0], m.attrs[:0], m.kids[:0]
	case k <= 6:
		m := new(struct {
			elements [6]Element
			attrs    [7]Attr
			kids     [5]*Element
		})
		p.elements, p.attrs, p.kids = m.elements[:0], m.attrs[:0], m.kids[:0]
	case k <= 11:
		m := new(struct {
			elements [11]Element
			attrs    [13]Attr
			kids     [10]*Element
		})
		p.elements, p.attrs, p.kids = m.elements[:0], m.attrs[:0], m.kids[:0]
	default:
		p.elements, p.attrs, p.kids = make([]Element, 0, k), make([]Attr, 0, k+k/4), make([]*Element, 0, k-1)
	}
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
	p.elements = p.elements[:len(p.elements)+1]
	e := &p.elements[len(p.elements)-1] // nothing is in it yet
	e.Name = name
	return e
}

// inside keeps the elements right inside of one; nil if there are none.
func (p *pieces) inside(kids []*Element) []*Element {
	if len(kids) == 0 {
		return nil
	}
	if len(kids) > cap(p.kids)-len(p.kids) {
		return slices.Clip(slices.Clone(kids))
	}
	at := len(p.kids)
	p.kids = append(p.kids, kids...)
	return slices.Clip(p.kids[at:])
}

// string is a copy of b without blanks around it.
func (p *pieces) string(b []byte) string {
	if b = trimmed(b); len(b) == 0 {
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
	switch t {
	case tString, tText:
		return p.string(b)
	case tBool:
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
		i := s.next(a.Local, true, last)
		if i < 0 {
			continue
		}
		f := &s.Fields[i]
		if i <= last { // it may be there under another spelling
			sorted = false
			if e.Attrs = p.attrs[at:]; e.Attr(f.Name) != "" {
				continue
			}
		}
		if v := p.value(f.Type, a.Value); v != "" {
			p.attrs = append(p.attrs, Attr{f.Name, v})
			last = max(last, i)
		}
	}
	if e.Attrs = nil; len(p.attrs) > at {
		e.Attrs = slices.Clip(p.attrs[at:])
	}
	var few [several]*Element
	kids, lastKid, kidsSorted := few[:0], -1, true
	for c := n.FirstChild(); c.Ok(); c = c.Next() {
		i := s.next(c.Local(), false, lastKid)
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
			i = s.place(f.Twin, false)
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
	e.Kids = p.inside(kids)
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
	var few [several]*Element
	kids := few[:0]
	for c := n.FirstChild(); c.Ok(); c = c.Next() {
		k := p.element(string(c.Local()))
		p.open(k, c)
		kids = append(kids, k)
	}
	e.Kids = p.inside(kids)
}
