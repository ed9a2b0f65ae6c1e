package main

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// table is what the page shows: who cites a section.
type table struct {
	specs specs
	findings
	code  map[citation][]use
	plays map[citation][]use
}

func newTable(all specs, f findings) *table {
	t := &table{all, f, map[citation][]use{}, map[citation][]use{}}
	for _, u := range f.uses {
		switch {
		case u.play:
			t.plays[u.citation] = append(t.plays[u.citation], u)
		case !u.test:
			t.code[u.citation] = append(t.code[u.citation], u)
		}
	}
	for _, m := range []map[citation][]use{t.code, t.plays} {
		for c, l := range m {
			m[c] = sortUses(l)
		}
	}
	return t
}

// served lists the sections of the draft that must have code and plays: all of 5 to 8 that are no mere headings.
func (t *table) served() []section {
	s := t.specs["draft"]
	if s == nil {
		return nil
	}
	var l []section
	for _, x := range s.sections {
		if first, _, _ := strings.Cut(x.number, "."); first >= "5" && first <= "8" && s.leaf(x.number) {
			l = append(l, x)
		}
	}
	return l
}

// empty lists those that have not.
func (t *table) empty() []string {
	var l []string
	for _, x := range t.served() {
		c := citation{"draft", x.number}
		if len(t.code[c]) == 0 {
			l = append(l, fmt.Sprintf("draft %s (%s): no code cites it", x.number, x.title))
		}
		if len(t.plays[c]) == 0 {
			l = append(l, fmt.Sprintf("draft %s (%s): no play cites it", x.number, x.title))
		}
	}
	return l
}

func (t *table) page() string {
	var b strings.Builder
	b.WriteString("<!-- Made by `make docs` from the comments of the code and the titles of the plays. Do not edit. -->\n")
	b.WriteString("# Conformance\n\nWhich code answers a section of a specification, and which plays show it.\n")
	b.WriteString("\n## draft: MSN Messenger Service 1.0 Protocol (MSNP2), sections 5 to 8\n\n")
	var served []string
	for _, x := range t.served() {
		served = append(served, x.number)
	}
	t.rows(&b, "draft", served)
	t.remarks(&b, "On purpose otherwise", t.deviations)
	t.remarks(&b, "For one client's sake", t.compat)

	cited := map[string]map[string]bool{}
	for _, m := range []map[citation][]use{t.code, t.plays} {
		for c := range m {
			if c.spec == "draft" && slices.Contains(served, c.section) {
				continue
			}
			if cited[c.spec] == nil {
				cited[c.spec] = map[string]bool{}
			}
			cited[c.spec][c.section] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cited)) {
		heading := name
		if name == "draft" {
			heading = "draft: other sections"
		}
		if t.specs[name] == nil {
			heading += " (its sections are not checked)"
		}
		fmt.Fprintf(&b, "\n## %s\n\n", heading)
		t.rows(&b, name, t.order(name, cited[name]))
	}
	return b.String()
}

// order sorts section numbers as the specification has them, or by text when it is not known.
func (t *table) order(name string, set map[string]bool) []string {
	l := slices.Sorted(maps.Keys(set))
	if s := t.specs[name]; s != nil {
		slices.SortStableFunc(l, func(a, b string) int { return s.index[a] - s.index[b] })
	}
	return l
}

func (t *table) rows(b *strings.Builder, name string, sections []string) {
	b.WriteString("| section | code | plays |\n|---|---|---|\n")
	for _, n := range sections {
		c := citation{name, n}
		title := ""
		if s := t.specs[name]; s != nil {
			if i, ok := s.index[n]; ok {
				title = " " + s.sections[i].title
			}
		}
		fmt.Fprintf(b, "| %s%s | %s | %s |\n", n, cell(title), links(t.code[c], ", "), links(t.plays[c], "<br>"))
	}
}

func (t *table) remarks(b *strings.Builder, heading string, l []remark) {
	if len(l) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n", heading)
	for _, r := range l {
		fmt.Fprintf(b, "- %s ([%s](../%s))\n", r.text, r.file, r.file)
	}
}

func links(l []use, between string) string {
	var parts []string
	for _, u := range l {
		if u.play {
			name := strings.TrimSuffix(path.Base(u.file), ".play")
			parts = append(parts, fmt.Sprintf("[%s](../%s): %s", cell(name), u.file, cell(u.who)))
		} else {
			parts = append(parts, fmt.Sprintf("[%s](../%s)", cell(u.who), u.file))
		}
	}
	return strings.Join(parts, between)
}

// cell keeps text from breaking a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
