package wire

import (
	"bufio"
	"fmt"
	"io"
)

// WriteSchema prints the tables: each primitive with its section and who sends it (R requestor, P provider, B either),
// and each structure, with their attributes (@) and elements, type, cardinality (1, ?, *, +), what the semantics
// document says (M, O, C; - not in it), the name that the information element has there, and its condition; then the
// transactions with their steps.
func WriteSchema(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, s := range all.order {
		fmt.Fprintf(b, "%s, SSP %s, from %s", s.Name, s.Section, s.By)
		if s.OMA13 != "" {
			fmt.Fprintf(b, ", in oma13 %s", s.OMA13)
		}
		s.fields(b)
	}
	for _, s := range all.parts {
		b.WriteString(s.Name)
		if s.Text != "" {
			fmt.Fprintf(b, ", holds %s", s.Text)
		}
		if s.Open {
			b.WriteString(", holds any elements")
		}
		s.fields(b)
	}
	for _, f := range features {
		fmt.Fprintf(b, "feature %s:", f.name)
		for _, n := range f.nodes {
			fmt.Fprintf(b, " %s", n)
		}
		b.WriteByte('\n')
	}
	for _, t := range all.trans {
		fmt.Fprintf(b, "transaction %s, SSP %s", t.Name, t.Section)
		if t.Complementary {
			b.WriteString(", complementary")
		}
		if t.Needs != "" {
			fmt.Fprintf(b, ", needs %s", t.Needs)
		}
		b.WriteByte(':')
		for _, s := range t.Steps {
			fmt.Fprintf(b, " %s:%s", s.By, s.Primitive)
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}

func (s *Structure) fields(b *bufio.Writer) {
	b.WriteByte('\n')
	for i := range s.Fields {
		f := &s.Fields[i]
		name := f.Name
		if f.Attr {
			name = "@" + name
		}
		fmt.Fprintf(b, "    %-26s %-24s %c %c", name, f.Type, f.Card, f.Need)
		if f.IE != "" {
			fmt.Fprintf(b, " %s", f.IE)
		}
		if f.When != nil {
			fmt.Fprintf(b, " (if %s)", f.When.name)
		}
		switch {
		case f.Twin != "":
			fmt.Fprintf(b, " (in oma13 for %s)", f.Twin)
		case f.OMA:
			b.WriteString(" (oma13)")
		}
		b.WriteByte('\n')
	}
}
