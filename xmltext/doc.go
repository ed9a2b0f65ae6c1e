package xmltext

import "slices"

// Doc is the index of one element and all in it, in the order of the text. The zero Doc is ready to be used, again
// and again: it keeps its memory.
type Doc struct {
	data  []byte // the element's bytes
	nodes []node
	attrs []attr
	decls []decl
	outer *Context // what is declared around it

	// How far an element that is not whole yet has been read. All of it counts from the element's first byte: the
	// buffer may move between two reads.
	owner  *Scanner // whose element it is, nil when there is none
	pos    int      // what comes before is indexed
	open   int32    // the innermost open element, -1 for none
	depth  int      // of it
	run    int      // where the run of text that goes on at pos began, -1 if none does
	raw    bool     // the run does not stand for itself
	cdata  bool     // the run is a CDATA section
	framed int      // how far the tag at pos was searched for its end, 0 if not at all
	quote  byte     // the value in which that search stopped, 0 if in none
}

// node is an element or a run of text.
type node struct {
	text      bool
	cdata     bool
	raw       bool // a text that does not stand for itself
	closed    bool // an element written as one empty tag
	prefix    uint16
	name      uint16 // bytes of the whole name, which begins after from
	next      int32  // the node after this and all in it
	parent    int32
	from, to  int32 // all of it; a CDATA section without its brackets
	in, out   int32 // the content of an element
	ns        int32 // binding of the name
	usual     int32 // binding of the default namespace inside
	scope     int32 // newest declaration in force inside, -1 for none
	declared  int32 // how many declarations there were before
	attr, end int32 // in attrs
}

// attr is an attribute that declares no namespace.
type attr struct {
	name     int32
	prefix   uint16
	len      uint16 // of the whole name
	from, to int32  // the value, without its quotes
	ns       int32
	raw      bool
}

// keep is how many nodes, attributes and declarations an unused Doc keeps memory for.
const keep = 256

// Reset forgets all, lets go of the buffer, and of memory that only an unusual element needs. A Doc is reset before
// it goes back to a pool.
func (d *Doc) Reset() {
	d.begin(nil, nil)
	d.data = nil
	if cap(d.nodes) > keep {
		d.nodes = nil
	}
	if cap(d.attrs) > keep {
		d.attrs = nil
	}
	if cap(d.decls) > keep {
		d.decls = nil
	}
	clear(d.decls[:cap(d.decls)])
}

// begin makes ready for an element inside of what outer declares.
func (d *Doc) begin(s *Scanner, outer *Context) {
	d.owner, d.outer, d.data = s, outer, nil
	d.nodes, d.attrs, d.decls = d.nodes[:0], d.attrs[:0], d.decls[:0]
	d.pos, d.open, d.depth = 0, -1, 0
	d.run, d.raw, d.cdata = -1, false, false
	d.framed, d.quote = 0, 0
}

// add makes a new node. It is filled where it lies: copying it there costs more than all else of a small tag.
func (d *Doc) add() *node {
	if len(d.nodes) == cap(d.nodes) {
		d.nodes = slices.Grow(d.nodes, 1)
	}
	d.nodes = d.nodes[:len(d.nodes)+1]
	n := &d.nodes[len(d.nodes)-1]
	*n = node{}
	return n
}

// Root is the outermost element; the zero Node if nothing was read.
func (d *Doc) Root() Node {
	if d.data == nil {
		return Node{}
	}
	return Node{d, 0}
}
