package xmltext

import (
	"bytes"
	"math/bits"
)

// Attr is an attribute to be written. Its name is one that the program knows, with no prefix but xml; it is not
// checked.
type Attr struct {
	Name, Value string
	Drop        bool // take it out; only for an element that is forwarded
}

// AppendElement appends the element n as it stood in its stream, in a place where c is declared. What it needs of the
// declarations around it and c does not have is declared in its start tag; nothing else is changed but the attributes in
// set, which are replaced, added, or dropped. Prefixes that are used in attribute values and texts only are not seen.
//
// An element can be given to another namespace by a c that lies: with the source's default namespace declared in c, it
// is written without it, and takes that of the place (RFC 6120 4.8.3: re-scoping).
func AppendElement(dst []byte, n Node, c *Context, set ...Attr) []byte {
	if !n.Ok() {
		return dst
	}
	e := &n.d.nodes[n.i]
	if e.text {
		return appendRun(dst, n)
	}
	if len(set) == 0 && !n.foreign(c) {
		return append(dst, n.Bytes()...)
	}
	dst = appendStart(dst, n, c, set)
	if e.closed {
		return append(dst, "/>"...)
	}
	dst = append(dst, '>')
	return append(dst, n.d.data[e.in:e.to]...)
}

// AppendStart is AppendElement up to the end of the start tag, which is open even if the element is empty. What is
// declared serves for all of n.Inner(), which may follow, and more after it, before AppendEnd.
func AppendStart(dst []byte, n Node, c *Context, set ...Attr) []byte {
	if !n.Ok() || n.IsText() {
		return dst
	}
	return append(appendStart(dst, n, c, set), '>')
}

// AppendEnd appends the end tag of the element n.
func AppendEnd(dst []byte, n Node) []byte {
	if !n.Ok() || n.IsText() {
		return dst
	}
	e := &n.d.nodes[n.i]
	dst = append(dst, "</"...)
	dst = append(dst, n.d.data[e.from+1:][:e.name]...)
	return append(dst, '>')
}

func appendRun(dst []byte, n Node) []byte {
	if !n.d.nodes[n.i].cdata {
		return append(dst, n.Bytes()...)
	}
	dst = append(dst, "<![CDATA["...)
	dst = append(dst, n.Bytes()...)
	return append(dst, "]]>"...)
}

// appendStart appends the start tag without its end.
func appendStart(dst []byte, n Node, c *Context, set []Attr) []byte {
	d, e := n.d, &n.d.nodes[n.i]
	at := e.from + 1 + int32(e.name)
	dst = append(dst, d.data[e.from:at]...)
	for b := range n.needed(c) {
		dst = append(dst, " xmlns"...)
		if p := d.prefix(d.data, b); len(p) > 0 {
			dst = append(dst, ':')
			dst = append(dst, p...)
		}
		dst = append(dst, "='"...)
		dst = appendEscaped(dst, d.uri(d.data, b), stopSingle)
		dst = append(dst, '\'')
	}
	for i := e.attr; i < e.end; i++ {
		a := &d.attrs[i]
		s := find(set, d.data[a.name:][:a.len])
		if s == nil {
			continue
		}
		end := a.to + 1
		if s.Drop {
			from := a.name
			for class[d.data[from-1]]&space != 0 {
				from--
			}
			dst = append(dst, d.data[at:from]...)
		} else {
			dst = append(dst, d.data[at:a.name]...)
			dst = append(dst, s.Name...)
			dst = append(dst, "='"...)
			dst = appendEscaped(dst, s.Value, stopSingle)
			dst = append(dst, '\'')
		}
		at = end
	}
	end := e.in - 1
	if e.closed && d.data[end-1] == '/' {
		end--
	}
	for class[d.data[end-1]]&space != 0 {
		end--
	}
	dst = append(dst, d.data[at:max(at, end)]...)
	for i := range set {
		if s := &set[i]; !s.Drop && !d.has(e, s.Name) && find(set, []byte(s.Name)) == s {
			dst = AppendAttr(dst, s.Name, s.Value)
		}
	}
	return dst
}

// find is the first of set with that name.
func find(set []Attr, name []byte) *Attr {
	for i := range set {
		if set[i].Name == string(name) {
			return &set[i]
		}
	}
	return nil
}

// has says whether the element has an attribute with that whole name.
func (d *Doc) has(e *node, name string) bool {
	for i := e.attr; i < e.end; i++ {
		if a := &d.attrs[i]; string(d.data[a.name:][:a.len]) == name {
			return true
		}
	}
	return false
}

// foreign says whether anything has to be declared for n where c is.
func (n Node) foreign(c *Context) bool {
	for range n.needed(c) {
		return true
	}
	return false
}

// needed are the bindings from outside that n or anything in it uses and c does not have.
func (n Node) needed(c *Context) func(yield func(int32) bool) {
	return func(yield func(int32) bool) {
		d, e := n.d, &n.d.nodes[n.i]
		if c == nil {
			c = empty
		}
		outside := int32(len(d.outer.list)) + e.declared
		same := d.outer == c && e.declared == 0
		if same {
			return
		}
		var few [4]uint64 // the first 256 bindings; a stream of more needs memory
		seen := few[:]
		if int(outside) > 64*len(seen) {
			seen = make([]uint64, (outside+63)/64)
		}
		for i := n.i; i < e.next; i++ {
			x := &d.nodes[i]
			if x.text {
				continue
			}
			if x.ns < outside {
				seen[x.ns/64] |= 1 << (x.ns % 64)
			}
			for j := x.attr; j < x.end; j++ {
				if a := &d.attrs[j]; a.prefix > 0 && a.ns < outside {
					seen[a.ns/64] |= 1 << (a.ns % 64)
				}
			}
		}
		for w, word := range seen {
			for ; word != 0; word &= word - 1 {
				b := int32(w*64 + bits.TrailingZeros64(word))
				i := c.find(d.prefix(d.data, b))
				if (i < 0 || !bytes.Equal(c.list[i].uri, d.uri(d.data, b))) && !yield(b) {
					return
				}
			}
		}
	}
}
