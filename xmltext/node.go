package xmltext

import (
	"bytes"
	"iter"
)

// Node is an element, or a run of text, of a [Doc]. The zero Node stands for one that is not there: it has no name, no
// attributes, no text and no children, so that what may be missing can be asked in one line.
type Node struct {
	d *Doc
	i int32
}

// Ok says whether the node is there.
func (n Node) Ok() bool { return n.d != nil }

// IsText says whether the node is a run of text.
func (n Node) IsText() bool { return n.d != nil && n.d.nodes[n.i].text }

// Local is the name without its prefix; empty for a run of text.
func (n Node) Local() []byte {
	if n.d == nil {
		return nil
	}
	e := &n.d.nodes[n.i]
	return local(n.d.data[e.from+1:][:e.name], e.prefix)
}

// Space is the namespace of an element; empty if it is in none.
func (n Node) Space() []byte {
	if n.d == nil {
		return nil
	}
	return n.d.uri(n.d.data, n.d.nodes[n.i].ns)
}

// Name is namespace and name.
func (n Node) Name() (space, local []byte) { return n.Space(), n.Local() }

// Is says whether the node is an element of this name in this namespace.
func (n Node) Is(space, local string) bool {
	return n.d != nil && string(n.Local()) == local && string(n.Space()) == space && !n.d.nodes[n.i].text
}

// Prefixed is the namespace that a prefix stands for inside the element, "" for the default namespace; false if it is
// not declared. Names in attributes and texts need it.
func (n Node) Prefixed(prefix string) (space []byte, ok bool) {
	if n.d == nil || n.d.nodes[n.i].text {
		return nil, false
	}
	b := n.d.lookup(n.d.data, []byte(prefix), n.d.nodes[n.i].scope)
	if b < 0 {
		return nil, false
	}
	return n.d.uri(n.d.data, b), b != none
}

// Attr is the value of an attribute, false if the element has none of this name. An attribute without a prefix is in
// no namespace, "". Memory is allocated only for a value with references or line ends in it.
func (n Node) Attr(space, local string) (value []byte, ok bool) {
	if n.d == nil {
		return nil, false
	}
	e := &n.d.nodes[n.i]
	for i := e.attr; i < e.end; i++ {
		a := &n.d.attrs[i]
		if string(a.local(n.d.data)) == local && string(n.d.uri(n.d.data, a.ns)) == space {
			return a.value(n.d.data), true
		}
	}
	return nil, false
}

func (a *attr) value(data []byte) []byte {
	raw := data[a.from:a.to:a.to]
	if a.raw {
		return appendDecoded(make([]byte, 0, len(raw)), raw, asValue)
	}
	return raw
}

// NodeAttr is an attribute that was read.
type NodeAttr struct{ Space, Local, Value []byte }

// Attrs are the attributes in the order of the text, without those that declare namespaces.
func (n Node) Attrs() iter.Seq[NodeAttr] {
	return func(yield func(NodeAttr) bool) {
		if n.d == nil {
			return
		}
		e := &n.d.nodes[n.i]
		for i := e.attr; i < e.end; i++ {
			a := &n.d.attrs[i]
			if !yield(NodeAttr{n.d.uri(n.d.data, a.ns), a.local(n.d.data), a.value(n.d.data)}) {
				return
			}
		}
	}
}

// Content are the elements and runs of text right inside, in order. A CDATA section is a run of its own.
func (n Node) Content() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.d == nil {
			return
		}
		e := &n.d.nodes[n.i]
		for i := n.i + 1; i < e.next; i = n.d.nodes[i].next {
			if !yield(Node{n.d, i}) {
				return
			}
		}
	}
}

// Children are the elements right inside, in order.
func (n Node) Children() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for c := n.FirstChild(); c.d != nil; c = c.Next() {
			if !yield(c) {
				return
			}
		}
	}
}

// FirstChild is the first element right inside.
func (n Node) FirstChild() Node {
	if n.d == nil {
		return Node{}
	}
	return n.d.element(n.i+1, n.d.nodes[n.i].next)
}

// Next is the next element beside the node.
func (n Node) Next() Node {
	if n.d == nil {
		return Node{}
	}
	e := &n.d.nodes[n.i]
	if e.parent < 0 {
		return Node{}
	}
	return n.d.element(e.next, n.d.nodes[e.parent].next)
}

// element is the first element from node i on, beside it and before end.
func (d *Doc) element(i, end int32) Node {
	for ; i < end; i = d.nodes[i].next {
		if !d.nodes[i].text {
			return Node{d, i}
		}
	}
	return Node{}
}

// Child is the first element of this name right inside.
func (n Node) Child(space, local string) Node {
	for c := n.FirstChild(); c.d != nil; c = c.Next() {
		if c.Is(space, local) {
			return c
		}
	}
	return Node{}
}

// Parent is the element around the node.
func (n Node) Parent() Node {
	if n.d == nil || n.d.nodes[n.i].parent < 0 {
		return Node{}
	}
	return Node{n.d, n.d.nodes[n.i].parent}
}

// Text is all text right inside an element, that of its children left out, or a run of text itself. Memory is
// allocated only for several runs, and for one with references or line ends of other systems in it.
func (n Node) Text() []byte {
	if n.d == nil {
		return nil
	}
	e := &n.d.nodes[n.i]
	if e.text {
		return e.decoded(n.d.data)
	}
	var one *node
	several := false
	for i := n.i + 1; i < e.next; i = n.d.nodes[i].next {
		if c := &n.d.nodes[i]; c.text {
			if one != nil {
				several = true
				break
			}
			one = c
		}
	}
	if one == nil {
		return nil
	}
	if !several {
		return one.decoded(n.d.data)
	}
	all := make([]byte, 0, e.out-e.in)
	for i := n.i + 1; i < e.next; i = n.d.nodes[i].next {
		if c := &n.d.nodes[i]; c.text {
			all = c.appendDecoded(all, n.d.data)
		}
	}
	return all
}

func (e *node) decoded(data []byte) []byte {
	if !e.raw {
		return data[e.from:e.to:e.to]
	}
	return e.appendDecoded(make([]byte, 0, e.to-e.from), data)
}

func (e *node) appendDecoded(dst, data []byte) []byte {
	switch {
	case !e.raw:
		return append(dst, data[e.from:e.to]...)
	case e.cdata:
		return appendDecoded(dst, data[e.from:e.to], asCDATA)
	}
	return appendDecoded(dst, data[e.from:e.to], asText)
}

// Within is where the text right inside n stands in outer.Inner(), as it was written there: AppendText's opposite,
// AppendWritten, reads it. It is not ok when there is none, when it is in several pieces, or in a CDATA section.
func (n Node) Within(outer Node) (from, to int, ok bool) {
	if n.d == nil || n.d != outer.d || n.d.nodes[n.i].text {
		return 0, 0, false
	}
	e, o := &n.d.nodes[n.i], &n.d.nodes[outer.i]
	one := n.i + 1
	if one >= e.next || n.d.nodes[one].next != e.next {
		return 0, 0, false
	}
	t := &n.d.nodes[one]
	if !t.text || t.cdata || t.from < o.in || t.to > o.out {
		return 0, 0, false
	}
	return int(t.from - o.in), int(t.to - o.in), true
}

// AppendWritten appends what text stands for that was accepted, and was not in a CDATA section: references resolved, line
// ends made "\n"; XML 1.0, section 2.11.
func AppendWritten(dst, text []byte) []byte { return appendDecoded(dst, text, asText) }

// Blank says whether nothing but elements and blanks stands right inside an element; a run of text is asked for
// itself.
func (n Node) Blank() bool { return len(bytes.Trim(n.Text(), " \t\r\n")) == 0 }

// Bytes is the element as it stood in the stream, from "<" to ">"; of a header, the start tag. It can stand
// elsewhere only where the same is declared around it: AppendElement sees to that. A run of text is given without
// the brackets of a CDATA section.
func (n Node) Bytes() []byte {
	if n.d == nil {
		return nil
	}
	e := &n.d.nodes[n.i]
	return n.d.data[e.from:e.to:e.to]
}

// Inner is what stands between the tags of an element, as it stood in the stream.
func (n Node) Inner() []byte {
	if n.d == nil {
		return nil
	}
	e := &n.d.nodes[n.i]
	if e.text {
		return nil
	}
	return n.d.data[e.in:e.out:e.out]
}
