package wire

import (
	"fmt"

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
