package xmltext

import "bytes"

// Parse reads a whole document: an XML declaration if there is one, and one element, with nothing but blanks around
// it. An UTF-8 byte order mark before it is passed over. An error is always an [*Error]; its offset counts from the
// root's "<" if something is wrong in there.
func Parse(doc []byte, l Limits) (*Doc, error) {
	d := new(Doc)
	if err := d.Parse(doc, l); err != nil {
		return nil, err
	}
	return d, nil
}

// Parse reads a whole document as the function does, in the memory that d has. After an error d is empty.
func (d *Doc) Parse(doc []byte, l Limits) error {
	err := d.parse(doc, l.filled())
	if err != nil {
		d.begin(nil, nil)
	}
	return err
}

func (d *Doc) parse(doc []byte, lim Limits) error {
	d.begin(nil, empty)
	if len(doc) > lim.Bytes {
		return fail(TooLarge, manyBytes, lim.Bytes)
	}
	b := bytes.TrimPrefix(doc, []byte("\uFEFF"))
	size, ok, err := declaration(b)
	switch {
	case err != nil:
		return err
	case !ok:
		return fail(Malformed, badEarly, len(doc))
	}
	b = skip(b[size:])
	switch {
	case len(b) == 0:
		return fail(Malformed, badEarly, len(doc))
	case b[0] != '<':
		if err := outside(b); err != nil {
			return err
		}
		return fail(BadEncoding, badUTF8, 0)
	}
	whole, err := d.scan(b, &lim)
	switch {
	case err != nil:
		return err
	case !whole:
		return fail(Malformed, badEarly, len(b))
	}
	if rest := skip(b[d.pos:]); len(rest) > 0 {
		if len(rest) > 1 && rest[0] == '<' {
			if err := markup(rest, d.pos); err != nil {
				return err
			}
		}
		return fail(Malformed, badAfter, d.pos)
	}
	return nil
}

// skip passes over blanks.
func skip(b []byte) []byte {
	for len(b) > 0 && class[b[0]]&space != 0 {
		b = b[1:]
	}
	return b
}
