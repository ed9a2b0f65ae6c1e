package xmltext

import (
	"bytes"
	"slices"
	"unicode"
	"unicode/utf8"
)

// startTag reads the start tag, or the empty tag, at pos.
func (d *Doc) startTag(data []byte, lim *Limits) (ok bool, err error) {
	if d.framed != 0 { // it was not whole the last time
		if end, err := d.frame(data); end == 0 {
			return false, err
		}
	}
	nodes, attrs, decls := len(d.nodes), len(d.attrs), len(d.decls)
	end, err := d.readTag(data, lim)
	if end == 0 {
		d.nodes, d.attrs, d.decls = d.nodes[:nodes], d.attrs[:attrs], d.decls[:decls]
		if whole, bad := d.frame(data); whole == 0 {
			return false, bad
		}
		return false, err
	}
	n := &d.nodes[nodes]
	if n.in = int32(end); n.closed {
		n.out, n.to, n.next = n.in, n.in, int32(nodes+1)
	} else {
		d.open = int32(nodes)
		d.depth++
	}
	d.pos, d.framed, d.quote = end, 0, 0
	return true, nil
}

// readTag puts the element that begins at pos into the index, and says where its tag ends: 0 if it is refused or not
// whole, and what it left is to be taken back.
func (d *Doc) readTag(data []byte, lim *Limits) (end int, err error) {
	at := d.pos
	switch {
	case d.depth >= lim.Depth:
		return 0, fail(TooLarge, manyDepth, at)
	case len(d.nodes) >= lim.Nodes:
		return 0, fail(TooLarge, manyNodes, at)
	}
	prefix, i, err := qname(data, at+1, lim)
	if i == 0 {
		return 0, err
	}
	scope, usual := int32(-1), d.outer.usual
	if d.open >= 0 {
		p := &d.nodes[d.open]
		scope, usual = p.scope, p.usual
	}
	n := d.add()
	n.parent, n.from = d.open, int32(at)
	n.prefix, n.name = uint16(prefix), uint16(i-at-1)
	n.attr, n.declared = int32(len(d.attrs)), int32(len(d.decls))
	n.scope, n.usual = scope, usual
	for left := lim.Attrs; ; left-- {
		spaces := i
		for i < len(data) && class[data[i]]&space != 0 {
			i++
		}
		if i >= len(data) {
			return 0, nil
		}
		switch c := data[i]; {
		case c == '>':
			return d.endOf(data, n, i+1)
		case c == '/':
			if i+1 >= len(data) {
				return 0, nil
			}
			if data[i+1] != '>' {
				return 0, fail(Malformed, badSlash, i)
			}
			n.closed = true
			return d.endOf(data, n, i+2)
		case spaces == i:
			if class[c]&nameStart == 0 {
				return 0, fail(Malformed, badName, i)
			}
			return 0, fail(Malformed, badSpace, i)
		case left == 0:
			return 0, fail(TooLarge, manyAttrs, i)
		}
		name := i
		prefix, to, err := qname(data, i, lim)
		if to == 0 {
			return 0, err
		}
		from, err := equals(data, to)
		if from == 0 {
			return 0, err
		}
		stop := stopDouble
		if data[from-1] == '\'' {
			stop = stopSingle
		}
		for i = from; i < len(data) && class[data[i]]&stop == 0; i++ {
		}
		if i >= len(data) {
			return 0, nil
		}
		raw := false
		if data[i] != data[from-1] {
			if i, raw, err = value(data, i, data[from-1], stop); i == 0 {
				return 0, err
			}
		}
		if len(d.attrs) == cap(d.attrs) {
			d.attrs = slices.Grow(d.attrs, 1)
		}
		d.attrs = d.attrs[:len(d.attrs)+1]
		a := &d.attrs[len(d.attrs)-1]
		a.name, a.prefix, a.len = int32(name), uint16(prefix), uint16(to-name)
		a.from, a.to, a.raw, a.ns = int32(from), int32(i), raw, none
		i++
		if (prefix == 5 || a.len == 5) && string(data[name:][:5]) == "xmlns" {
			d.attrs = d.attrs[:len(d.attrs)-1]
			if err := d.declare(data, a, n); err != nil {
				return 0, err
			}
		}
	}
}

// equals passes what stands between an attribute's name and the inside of its value: 0 if it is refused or not whole.
func equals(data []byte, i int) (from int, err error) {
	if i+1 < len(data) && data[i] == '=' && (data[i+1] == '\'' || data[i+1] == '"') {
		return i + 2, nil
	}
	for i < len(data) && class[data[i]]&space != 0 {
		i++
	}
	if i < len(data) && data[i] != '=' {
		return 0, fail(Malformed, badAttribute, i)
	}
	for i++; i < len(data) && class[data[i]]&space != 0; i++ {
	}
	switch {
	case i >= len(data):
		return 0, nil
	case data[i] != '"' && data[i] != '\'':
		return 0, fail(Malformed, badAttribute, i)
	}
	return i + 1, nil
}

// value goes on in a value at what does not stand for itself, or needs a look, and says where its closing quote is: 0
// if it is refused or not whole. raw is whether it has to be decoded.
func value(data []byte, i int, quote, stop uint8) (end int, raw bool, err error) {
	for {
		for i < len(data) && class[data[i]]&stop == 0 {
			i++
		}
		if i >= len(data) {
			return 0, false, nil
		}
		size := 1
		switch c := data[i]; {
		case c == quote:
			return i, raw, nil
		case c == '<':
			return 0, false, fail(Malformed, badLess, i)
		case c == '&':
			raw = true
			_, size, err = reference(data[i:], i)
		case c == '\t', c == '\n', c == '\r':
			raw = true
		case c < ' ':
			return 0, false, fail(Malformed, badCharacter, i)
		default:
			size, err = wide(data[i:], i)
		}
		if size == 0 {
			return 0, false, err
		}
		i += size
	}
}

// qname reads the name at i: how many bytes its prefix has, and where it ends, 0 if it is refused. A name that may go
// on after data is not refused.
func qname(data []byte, i int, lim *Limits) (prefix, end int, err error) {
	if end = i; end < len(data) && class[data[end]]&nameStart != 0 {
		for end++; end < len(data) && class[data[end]]&nameRest != 0; end++ {
		}
		if end < len(data) && data[end] != ':' && data[end] < utf8.RuneSelf && end-i <= lim.Name {
			return 0, end, nil
		}
	}
	return anyName(data, i, lim)
}

// anyName is qname for names that are not plain.
func anyName(data []byte, i int, lim *Limits) (prefix, end int, err error) {
	from, part := i, i // part is where what stands before or after the colon began
	for {
		if i < len(data) && i == part && class[data[i]]&nameStart != 0 {
			i++
		}
		if i > part {
			for i < len(data) && class[data[i]]&nameRest != 0 {
				i++
			}
		}
		if i >= len(data) {
			break
		}
		if c := data[i]; c >= utf8.RuneSelf {
			size, err := wide(data[i:], i)
			if err != nil {
				return 0, 0, err
			}
			if size == 0 {
				return 0, len(data), nil
			}
			r, _ := utf8.DecodeRune(data[i:])
			if !unicode.Is(startRunes, r) && (i == part || !unicode.Is(restRunes, r)) {
				return 0, 0, fail(Malformed, badName, i)
			}
			i += size
			continue
		} else if c != ':' {
			break
		}
		if i == part || part > from {
			return 0, 0, fail(Malformed, badColon, i)
		}
		prefix = i - from
		i++
		part = i
	}
	switch {
	case i < len(data) && i == part && part > from:
		return 0, 0, fail(Malformed, badColon, i)
	case i < len(data) && i == part:
		return 0, 0, fail(Malformed, badName, i)
	case i-from > lim.Name:
		return 0, 0, fail(TooLarge, manyName, from)
	}
	return prefix, i, nil
}

// declare puts what an attribute of n declares into the index.
func (d *Doc) declare(data []byte, a *attr, n *node) error {
	i := int32(len(d.decls))
	d.decls = append(d.decls, decl{})
	l := &d.decls[i]
	l.prefix, l.from, l.to = a.name+int32(a.len), a.from, a.to
	if a.prefix > 0 {
		l.len = int32(int(a.len) - len("xmlns:"))
		l.prefix -= l.len
	}
	if a.raw {
		l.own = appendDecoded([]byte{}, data[a.from:a.to], asValue)
	}
	l.prev, l.count = n.scope, 1
	if n.scope >= 0 {
		l.count += d.decls[n.scope].count
	}
	at, prefix, uri := int(a.name), data[l.prefix:][:l.len], l.uri(data)
	switch {
	case l.count > mostDeclared:
		return fail(TooLarge, manyDeclared, at)
	case string(prefix) == "xmlns", string(uri) == xmlns, (string(prefix) == "xml") != (string(uri) == XML):
		return fail(Malformed, badReserved, at)
	case len(uri) == 0 && l.len > 0:
		return fail(Malformed, badUndeclared, at)
	}
	for j := n.declared; j < i; j++ {
		if l := &d.decls[j]; bytes.Equal(data[l.prefix:][:l.len], prefix) {
			return fail(Malformed, badDuplicate, at)
		}
	}
	n.scope = i
	if l.len == 0 {
		n.usual = int32(len(d.outer.list)) + i
	}
	return nil
}

// endOf finds the namespaces of an element and its attributes when the whole tag was read, and refuses an attribute
// that stands twice. It gives back end, or 0.
func (d *Doc) endOf(data []byte, n *node, end int) (int, error) {
	n.end = int32(len(d.attrs))
	at := int(n.from) + 1
	if n.prefix == 0 {
		n.ns = n.usual
	} else if n.ns = d.lookup(data, data[at:at+int(n.prefix)], n.scope); n.ns < 0 {
		return 0, fail(Malformed, badPrefix, at)
	}
	attrs := d.attrs[n.attr:]
	for i := range attrs {
		a := &attrs[i]
		if a.prefix > 0 {
			if a.ns = d.lookup(data, data[a.name:][:a.prefix], n.scope); a.ns < 0 {
				return 0, fail(Malformed, badPrefix, int(a.name))
			}
		}
		for j := range attrs[:i] {
			b := &attrs[j]
			if a.len-a.prefix != b.len-b.prefix && (a.prefix == 0) == (b.prefix == 0) {
				continue
			}
			if bytes.Equal(a.local(data), b.local(data)) && (a.ns == b.ns || bytes.Equal(d.uri(data, a.ns), d.uri(data, b.ns))) {
				return 0, fail(Malformed, badDuplicate, int(a.name))
			}
		}
	}
	return end, nil
}

// local is the name without its prefix.
func (a *attr) local(data []byte) []byte { return local(data[a.name:][:a.len], a.prefix) }

func local(name []byte, prefix uint16) []byte {
	if prefix > 0 {
		return name[prefix+1:]
	}
	return name
}
