package xmltext

import (
	"bytes"
	"slices"
	"strings"
)

// Event is what a [Scanner] found.
type Event uint8

const (
	// More says that nothing more is whole.
	More Event = iota
	// Header is the start tag of the root, which stays open.
	Header
	// Element is one element right below the root, whole.
	Element
	// Footer is the end of the root.
	Footer
)

func (e Event) String() string {
	return [...]string{"more", "header", "element", "footer"}[e]
}

// Scanner reads one stream: an XML declaration if there is one, the start tag of the root, one element below it after
// the other, with nothing but blanks between them, and the end of the root. The zero Scanner is at the beginning. It
// keeps no byte of the buffer, and of the stream only what its header declares.
type Scanner struct {
	// Limits may be changed between two calls. Each element, and the header, is bounded by itself.
	Limits Limits

	state state
	root  string   // the whole name
	outer *Context // what the header declares
	err   error    // the end of it
}

type state uint8

const (
	fresh    state = iota // nothing came
	prolog                // after the XML declaration, or a blank
	inside                // the root is open
	emptied               // the root was one empty tag
	finished              // the root is closed
)

// Next reads buf, which begins with what the last call did not use, and says what it found; n is how many bytes are
// used. With More these may be dropped at once: they are blanks, or the XML declaration. The rest of buf, and d, are
// to be given again, with more bytes behind. With any other event they hold what d now tells of, and may be dropped
// when d is no more needed. With Footer, d is empty.
//
// While a part of an element waits (buf[n:] is not empty), d remembers how far it was read: given again, no byte is
// read from the beginning a second time. Another Doc does as well, but then the part is read again from its
// beginning. Between two elements no Doc is needed.
//
// An error, always an [*Error], is the end: it comes back from then on.
func (s *Scanner) Next(d *Doc, buf []byte) (n int, e Event, err error) {
	if s.err != nil {
		return 0, More, s.err
	}
	n, e, err = s.next(d, buf)
	if err != nil {
		s.err = err
		d.begin(nil, nil)
		return 0, More, err
	}
	return n, e, nil
}

func (s *Scanner) next(d *Doc, buf []byte) (n int, e Event, err error) {
	if s.state == fresh && len(buf) > 0 {
		size, ok, err := declaration(buf)
		if !ok || err != nil {
			return 0, More, err
		}
		if n = size; n > 0 || class[buf[0]]&space != 0 {
			s.state = prolog
		}
	}
	for n < len(buf) && class[buf[n]]&space != 0 {
		n++
	}
	if s.state == emptied {
		s.state = finished
		d.begin(nil, nil)
		return 0, Footer, nil
	}
	if n == len(buf) {
		return n, More, nil
	}
	lim := s.Limits.filled()
	b := buf[n:][:min(len(buf)-n, lim.Bytes)]
	switch {
	case s.state == finished:
		return 0, More, fail(Malformed, badAfter, 0)
	case b[0] != '<':
		return n, More, outside(buf[n:])
	}
	if d.owner != s {
		d.begin(s, s.outer)
	}
	size := 0
	switch {
	case len(b) == 1:
	case s.state != inside:
		e = Header
		size, err = s.header(d, b, &lim)
	case b[1] == '/':
		e = Footer
		size, err = s.footer(d, b)
	default:
		e = Element
		var whole bool
		if whole, err = d.scan(b, &lim); whole {
			size = d.pos
		}
	}
	switch {
	case err != nil:
		return 0, More, err
	case size == 0 && len(b) == lim.Bytes:
		return 0, More, fail(TooLarge, manyBytes, lim.Bytes)
	case size == 0:
		return n, More, nil
	}
	d.owner = nil
	return n + size, e, nil
}

// header reads the root's start tag; size is 0 if it is not whole.
func (s *Scanner) header(d *Doc, b []byte, lim *Limits) (size int, err error) {
	d.outer = empty
	if err := markup(b, 0); err != nil {
		return 0, err
	}
	ok, err := d.startTag(b, lim)
	if !ok || err != nil {
		return 0, err
	}
	n := &d.nodes[0]
	s.state = inside
	if n.closed {
		s.state = emptied
	}
	n.closed = true // as far as the index goes
	n.to, n.out, n.next = n.in, n.in, 1
	d.data = b[:d.pos:d.pos]
	s.root = string(b[1:][:n.name])
	s.outer = d.declared()
	return d.pos, nil
}

// footer reads the root's end tag; size is 0 if it is not whole.
func (s *Scanner) footer(d *Doc, b []byte) (size int, err error) {
	end, err := d.frame(b)
	if end == 0 {
		return 0, err
	}
	if !isEndTag(b[:end+1], s.root) {
		return 0, fail(Malformed, badEnd, 0)
	}
	s.state = finished
	d.begin(nil, nil)
	return end + 1, nil
}

// Context is what the header declares; nothing before it came.
func (s *Scanner) Context() *Context {
	if s.outer == nil {
		return empty
	}
	return s.outer
}

// Reset makes ready for a new stream over the same connection. Bytes of the old one that still wait, a blank after
// its last element for one, are the caller's to drop: nothing may stand before an XML declaration.
func (s *Scanner) Reset() { *s = Scanner{Limits: s.Limits} }

// declared makes a context of what the element that was read declares itself, in memory of its own.
func (d *Doc) declared() *Context {
	if len(d.decls) == 0 {
		return empty
	}
	size := 0
	for i := range d.decls {
		size += int(d.decls[i].len) + len(d.uri(d.data, int32(len(d.outer.list)+i)))
	}
	own := make([]byte, 0, size)
	last := func(b []byte) []byte {
		own = append(own, b...)
		return own[len(own)-len(b) : len(own) : len(own)]
	}
	list := append(make([]binding, 0, len(empty.list)+len(d.decls)), empty.list...)
	for i := range d.decls {
		b := int32(len(d.outer.list) + i)
		list = put(list, binding{last(d.prefix(d.data, b)), last(d.uri(d.data, b))})
	}
	return newContext(list)
}

// outside judges the first byte of what is neither a blank nor a "<" where only these may stand.
func outside(b []byte) error {
	if b[0] >= 0x80 {
		if size, err := wide(b, 0); size == 0 {
			return err
		}
	}
	return fail(Malformed, badOutside, 0)
}

// longestDeclaration bounds the XML declaration, in bytes.
const longestDeclaration = 256

// declaration reads the XML declaration that b may begin with; ok is false if that cannot be said yet.
func declaration(b []byte) (size int, ok bool, err error) {
	const open = "<?xml"
	n := min(len(b), len(open))
	if string(b[:n]) != open[:n] {
		return 0, true, nil
	}
	if n < len(open) || len(b) == n {
		return 0, false, nil
	}
	if class[b[n]]&space == 0 {
		if class[b[n]]&nameRest != 0 || b[n] == ':' || b[n] >= 0x80 {
			return 0, false, fail(Restricted, noInstruction, 0)
		}
		return 0, false, fail(Malformed, badHeader, 0)
	}
	end := bytes.Index(b[:min(len(b), longestDeclaration)], []byte("?>"))
	if end < 0 {
		if len(b) >= longestDeclaration {
			return 0, false, fail(TooLarge, manyBytes, 0)
		}
		return 0, false, nil
	}
	return end + 2, true, judge(string(b[n:end]))
}

// judge says what is wrong with the inside of an XML declaration; XML 1.0, production 23.
func judge(s string) error {
	bad := fail(Malformed, badHeader, 0)
	const blanks = " \t\r\n"
	var names []string
	for s != "" {
		rest := strings.TrimLeft(s, blanks)
		if rest == "" {
			break
		}
		name, value, ok := strings.Cut(rest, "=")
		name = strings.TrimRight(name, blanks)
		value = strings.TrimLeft(value, blanks)
		if !ok || rest == s || value == "" || value[0] != '"' && value[0] != '\'' {
			return bad
		}
		value, rest, ok = strings.Cut(value[1:], value[:1])
		if !ok {
			return bad
		}
		switch {
		case name == "version" && len(names) == 0 && value == "1.0":
		case name == "encoding" && slices.Equal(names, []string{"version"}):
			if !strings.EqualFold(value, "UTF-8") {
				return fail(BadEncoding, badEncoding, 0)
			}
		case name == "standalone" && len(names) > 0 && names[len(names)-1] != name && (value == "yes" || value == "no"):
		default:
			return bad
		}
		names, s = append(names, name), rest
	}
	if len(names) == 0 {
		return bad
	}
	return nil
}
