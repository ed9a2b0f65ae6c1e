package xmltext

import (
	"bytes"
	"unicode/utf8"
)

// The scanner judges a text by its shortest beginning that shows what is wrong, and a tag as a whole, when its end is
// there: so the answer is the same however the text comes cut. Every byte is looked at a bounded number of times:
// a text or a CDATA section goes on where it stopped, and a tag that is not whole is only searched for its end.

// scan reads on in data, which begins with the element's "<", and says whether the element is whole.
func (d *Doc) scan(data []byte, lim *Limits) (whole bool, err error) {
	for {
		if d.open >= 0 {
			var ok bool
			if d.cdata {
				ok, err = d.section(data, lim)
			} else {
				ok, err = d.text(data, lim)
			}
			if !ok || err != nil {
				return false, err
			}
			if d.pos == len(data) {
				return false, nil
			}
			if data[d.pos] != '<' {
				continue
			}
		}
		if d.pos+1 >= len(data) {
			return false, nil
		}
		var ok bool
		switch c := data[d.pos+1]; {
		case c == '/' && d.open >= 0:
			if ok, err = d.endTag(data); ok && d.open < 0 {
				d.data = data[:d.pos:d.pos]
				return true, nil
			}
		case c == '!' && d.open >= 0:
			ok, err = d.openSection(data)
		default:
			if err = markup(data[d.pos:], d.pos); err != nil {
				return false, err
			}
			if ok, err = d.startTag(data, lim); ok && d.open < 0 {
				d.data = data[:d.pos:d.pos]
				return true, nil
			}
		}
		if !ok || err != nil {
			return false, err
		}
	}
}

// markup refuses what may not follow a "<" where an element may begin. b holds two bytes at least.
func markup(b []byte, at int) error {
	switch c := b[1]; {
	case c == '/':
		return fail(Malformed, badEnd, at)
	case c == '?':
		return fail(Restricted, noInstruction, at)
	case c == '!' && len(b) > 2:
		if b[2] == '-' {
			return fail(Restricted, noComment, at)
		}
		if class[b[2]]&nameStart != 0 {
			return fail(Restricted, noDocType, at)
		}
		return fail(Malformed, badMarkup, at)
	}
	return nil // a bad name is the tag's matter
}

// text reads a run of text up to a "<".
func (d *Doc) text(data []byte, lim *Limits) (ok bool, err error) {
	i := d.pos
	if d.run < 0 {
		if i < len(data) && data[i] == '<' {
			return true, nil
		}
		d.run, d.raw = i, false
	}
	for {
		for i < len(data) && class[data[i]]&stopText == 0 {
			i++
		}
		if d.pos = i; i == len(data) {
			return false, nil
		}
		switch c := data[i]; {
		case c == '<':
			return true, d.endRun(i, i, lim)
		case c == '&':
			_, size, err := reference(data[i:], i)
			if size == 0 {
				return false, err
			}
			d.raw = true
			i += size
		case c == '>':
			if i-d.run >= 2 && data[i-1] == ']' && data[i-2] == ']' {
				return false, fail(Malformed, badBrackets, i)
			}
			i++
		default:
			if i, err = d.special(data, i); i == 0 {
				return false, err
			}
		}
	}
}

// special passes a line end, or the characters beyond ASCII at i; 0 if the first may not stand there or is not whole.
func (d *Doc) special(data []byte, i int) (after int, err error) {
	switch c := data[i]; {
	case c == '\r':
		d.raw = true
		return i + 1, nil
	case c < ' ':
		return 0, fail(Malformed, badCharacter, i)
	}
	size, err := wide(data[i:], i)
	if size == 0 {
		return 0, err
	}
	for i += size; i < len(data) && data[i] >= utf8.RuneSelf; i += size {
		var r rune
		if r, size = utf8.DecodeRune(data[i:]); size == 1 || !isChar(r) {
			break // comes back here as the first
		}
	}
	return i, nil
}

// openSection begins a CDATA section, and refuses anything else that begins with "<!".
func (d *Doc) openSection(data []byte) (ok bool, err error) {
	const open = "<![CDATA["
	b := data[d.pos:]
	if len(b) > 2 && b[2] != '[' {
		return false, markup(b, d.pos)
	}
	n := min(len(b), len(open))
	if string(b[:n]) != open[:n] {
		return false, fail(Malformed, badMarkup, d.pos)
	}
	if n < len(open) {
		return false, nil
	}
	d.pos += n
	d.run, d.raw, d.cdata = d.pos, false, true
	return true, nil
}

// section reads on in a CDATA section up to its end.
func (d *Doc) section(data []byte, lim *Limits) (ok bool, err error) {
	i := d.pos
	for {
		for i < len(data) && class[data[i]]&stopCDATA == 0 {
			i++
		}
		d.pos = i
		switch b := data[i:]; {
		case len(b) == 0, b[0] == ']' && len(b) == 1, b[0] == ']' && b[1] == ']' && len(b) == 2:
			return false, nil
		case b[0] == ']':
			if b[1] == ']' && b[2] == '>' {
				return true, d.endRun(i, i+3, lim)
			}
			i++
		default:
			if i, err = d.special(data, i); i == 0 {
				return false, err
			}
		}
	}
}

// endRun puts the run of text that ends before to into the index; after is where to go on.
func (d *Doc) endRun(to, after int, lim *Limits) error {
	if to > d.run {
		if len(d.nodes) >= lim.Nodes {
			return fail(TooLarge, manyNodes, d.run)
		}
		n := d.add()
		n.text, n.cdata, n.raw = true, d.cdata, d.raw
		n.next, n.parent = int32(len(d.nodes)), d.open
		n.from, n.to = int32(d.run), int32(to)
	}
	d.pos, d.run, d.cdata = after, -1, false
	return nil
}

// endTag closes the innermost element.
func (d *Doc) endTag(data []byte) (ok bool, err error) {
	n := &d.nodes[d.open]
	name := data[n.from+1:][:n.name]
	end := d.pos + 2 + len(name) // where ">" is, usually
	if end >= len(data) || data[end] != '>' || !bytes.Equal(data[d.pos+2:end], name) {
		if end, err = d.frame(data); end == 0 {
			return false, err
		}
		if !isEndTag(data[d.pos:end+1], name) {
			return false, fail(Malformed, badEnd, d.pos)
		}
	}
	n.out, n.to = int32(d.pos), int32(end+1)
	n.next = int32(len(d.nodes))
	d.open, d.pos = n.parent, end+1
	d.framed, d.quote = 0, 0
	d.depth--
	return true, nil
}

// isEndTag says whether tag is an end tag of that name.
func isEndTag[S ~string | ~[]byte](tag []byte, name S) bool {
	tag = tag[len("</") : len(tag)-len(">")]
	if len(tag) < len(name) || string(tag[:len(name)]) != string(name) {
		return false
	}
	for _, c := range tag[len(name):] {
		if class[c]&space == 0 {
			return false
		}
	}
	return true
}

// frame looks for the ">" that ends the tag at pos, and remembers how far it looked. 0 is no end yet.
func (d *Doc) frame(data []byte) (end int, err error) {
	if d.framed == 0 {
		d.framed, d.quote = d.pos+1, 0
	}
	for i := d.framed; i < len(data); i++ {
		switch c := data[i]; {
		case c == '<':
			return 0, fail(Malformed, badLess, i)
		case d.quote != 0:
			if c == d.quote {
				d.quote = 0
			}
		case c == '"', c == '\'':
			d.quote = c
		case c == '>':
			d.framed = i
			return i, nil
		}
	}
	d.framed = len(data)
	return 0, nil
}
