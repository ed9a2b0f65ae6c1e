package wire

import (
	"fmt"
	"sync/atomic"

	"parley/xmltext"
)

// write writes an element of the structure under a name. ssp-syntax 2.6: in the table's order.
func (s *Structure) write(b *xmltext.Builder, e *Element, name string, d Dialect) error {
	b.Start(name)
	if s.Presence {
		b.Attr("xmlns", d.PresenceSpace())
	}
	if s.Open {
		writeOpen(b, e)
		b.End()
		return nil
	}
	attrs, kids := 0, 0
	for i := range s.Fields {
		f := &s.Fields[i]
		if !f.Attr {
			continue
		}
		if v := e.Attr(f.Name); v != "" {
			attrs++
			if !f.OMA || d == OMA13 {
				b.Attr(f.Name, v)
			}
		}
	}
	if s.Text != "" {
		b.Text(e.Text)
	}
	for i := range s.Fields {
		f := &s.Fields[i]
		if f.Attr || f.Twin != "" {
			continue
		}
		as := f
		if d == OMA13 {
			as = s.spelled(f)
		}
		for k := range e.Children(f.Name) {
			kids++
			switch {
			case f.OMA && d != OMA13:
			case as.of == nil:
				b.Start(as.Name).Text(k.Text).End()
			case k.frozen != nil:
				xml, err := k.frozen.form(as, k, d)
				if err != nil {
					return err
				}
				b.Raw(xml)
			default:
				if err := as.of.write(b, k, as.Name, d); err != nil {
					return err
				}
			}
		}
	}
	if attrs != len(e.Attrs) || kids != len(e.Kids) {
		return fmt.Errorf("ssp/wire: %s has something that the table of %s has not", name, s.Name)
	}
	b.End()
	return nil
}

// spelled is the field under which f is written in OMA13.
func (s *Structure) spelled(f *Field) *Field {
	for i := range s.Fields {
		if s.Fields[i].Twin == f.Name {
			return &s.Fields[i]
		}
	}
	return f
}

func writeOpen(b *xmltext.Builder, e *Element) {
	for _, a := range e.Attrs {
		b.Attr(a.Name, a.Value)
	}
	b.Text(e.Text)
	for _, k := range e.Kids {
		b.Start(k.Name)
		writeOpen(b, k)
		b.End()
	}
}

// frozen is how an element that does not change any more was written last.
type frozen struct{ last atomic.Pointer[form] }

// form is an element as it is written in some place.
type form struct {
	in      *Field
	dialect Dialect
	xml     []byte
}

// Freeze says that nothing in an element changes any more: many primitives may have it, at the same time, and its written
// form is kept. It gives the element back.
func (e *Element) Freeze() *Element {
	if e.frozen == nil {
		e.frozen = new(frozen)
	}
	return e
}

// form is the element as the field is written.
func (f *frozen) form(as *Field, e *Element, d Dialect) ([]byte, error) {
	if last := f.last.Load(); last != nil && last.in == as && last.dialect == d {
		return last.xml, nil
	}
	b := xmltext.Build(nil)
	if err := as.of.write(&b, e, as.Name, d); err != nil {
		return nil, err
	}
	now := &form{as, d, b.Bytes()}
	f.last.Store(now)
	return now.xml, nil
}
