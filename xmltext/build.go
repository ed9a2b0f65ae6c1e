package xmltext

// Builder writes elements one inside the other, behind what its buffer holds. Names are those that the program knows,
// and are not checked; xmlns is an attribute like any other.
//
//	b := xmltext.Build(dst)
//	b.Start("message").Attr("to", to).Start("body").Text(words).End().End()
//	dst = b.Bytes()
type Builder struct {
	buf   []byte
	depth int       // how many elements are open
	names [8]string // of the outer ones
	more  []string  // and of the others; a slice of names would put every Builder on the heap
	tag   bool      // the innermost start tag is not closed yet
}

// Build makes a Builder that appends to dst.
func Build(dst []byte) Builder { return Builder{buf: dst} }

// Start begins an element inside the open one.
func (b *Builder) Start(name string) *Builder {
	b.inside()
	b.buf = append(b.buf, '<')
	b.buf = append(b.buf, name...)
	if b.depth < len(b.names) {
		b.names[b.depth] = name
	} else {
		b.more = append(b.more, name)
	}
	b.depth++
	b.tag = true
	return b
}

// inside closes the start tag.
func (b *Builder) inside() {
	if b.tag {
		b.buf, b.tag = append(b.buf, '>'), false
	}
}

// Attr gives the element that was just begun an attribute; it panics when something is inside already.
func (b *Builder) Attr(name, value string) *Builder {
	if !b.tag {
		panic("xmltext: attribute " + name + " after the start tag")
	}
	b.buf = AppendAttr(b.buf, name, value)
	return b
}

// Text writes text into the open element.
func (b *Builder) Text(s string) *Builder {
	if s != "" {
		b.inside()
		b.buf = AppendText(b.buf, s)
	}
	return b
}

// Raw writes XML as it is, which must be well-formed where it stands.
func (b *Builder) Raw(xml []byte) *Builder {
	if len(xml) > 0 {
		b.inside()
		b.buf = append(b.buf, xml...)
	}
	return b
}

// Element forwards an element, as AppendElement does. c is what is declared inside the open element.
func (b *Builder) Element(n Node, c *Context, set ...Attr) *Builder {
	b.inside()
	b.buf = AppendElement(b.buf, n, c, set...)
	return b
}

// End closes the innermost element; it panics when none is open.
func (b *Builder) End() *Builder {
	if b.depth == 0 {
		panic("xmltext: end without a start")
	}
	b.depth--
	var name string
	if i := b.depth - len(b.names); i >= 0 {
		name, b.more = b.more[i], b.more[:i]
	} else {
		name = b.names[b.depth]
	}
	if b.tag {
		b.buf, b.tag = append(b.buf, "/>"...), false
		return b
	}
	b.buf = append(b.buf, "</"...)
	b.buf = append(b.buf, name...)
	b.buf = append(b.buf, '>')
	return b
}

// Bytes closes what is still open, and is the buffer with all that was written.
func (b *Builder) Bytes() []byte {
	for b.depth > 0 {
		b.End()
	}
	return b.buf
}
