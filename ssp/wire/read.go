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

// read reads an element of the structure, and gives it the name.
func (s *Structure) read(n xmltext.Node, name string) *Element {
	e := &Element{Name: name}
	if s.Text != "" {
		e.Text = s.Text.normal(trim(string(n.Text())))
	}
	if s.Open {
		readOpen(e, n)
		return e
	}
	if s.Name == "Status" { // the client protocol puts one more element around, ssp-syntax 2.4
		if r := n.FirstChild(); named(r, "Result") {
			n = r
		}
	}
	for a := range n.Attrs() {
		if len(a.Space) == 0 {
			e.take(s, s.field(a.Local, true), a.Value)
		}
	}
	sorted, last := true, -1
	for c := range n.Children() {
		i := s.field(c.Local(), false)
		if i < 0 {
			if !c.FirstChild().Ok() { // what is an attribute here is an element in the client protocol
				e.take(s, s.field(c.Local(), true), c.Text())
			}
			continue
		}
		f := &s.Fields[i]
		if f.Twin != "" {
			i = s.field([]byte(f.Twin), false)
			f = &s.Fields[i]
		}
		if f.of != nil {
			e.Kids = append(e.Kids, f.of.read(c, f.Name))
		} else {
			e.Kids = append(e.Kids, &Element{Name: f.Name, Text: f.Type.normal(trim(string(c.Text())))})
		}
		sorted = sorted && i >= last
		last = i
	}
	if !sorted {
		slices.SortStableFunc(e.Kids, func(a, b *Element) int { return cmp.Compare(s.place(a.Name, false), s.place(b.Name, false)) })
	}
	if byPlace := func(a, b Attr) int { return cmp.Compare(s.place(a.Name, true), s.place(b.Name, true)) }; !slices.IsSortedFunc(e.Attrs, byPlace) {
		slices.SortFunc(e.Attrs, byPlace)
	}
	return e
}

// take sets the attribute of field i, unless it is none or there already.
func (e *Element) take(s *Structure, i int, v []byte) {
	if i < 0 {
		return
	}
	f := &s.Fields[i]
	if e.Attr(f.Name) == "" {
		e.Set(f.Name, f.Type.normal(trim(string(v))))
	}
}

// readOpen keeps what stands in an element as it came, but for namespaces and blanks around texts.
func readOpen(e *Element, n xmltext.Node) {
	for a := range n.Attrs() {
		if len(a.Space) == 0 {
			e.Set(string(a.Local), trim(string(a.Value)))
		}
	}
	e.Text = trim(string(n.Text()))
	for c := range n.Children() {
		k := &Element{Name: string(c.Local())}
		readOpen(k, c)
		e.Kids = append(e.Kids, k)
	}
}
