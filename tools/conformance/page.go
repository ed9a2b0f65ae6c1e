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
	exempt exempt
	code   map[citation][]use
	plays  map[citation][]use
	ssp    *sspTable // nil: there is no door to other domains
}

func newTable(all specs, f findings, e exempt) *table {
	t := &table{specs: all, findings: f, exempt: e, code: map[citation][]use{}, plays: map[citation][]use{}}
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

func (t *table) page() string {
	var b strings.Builder
	b.WriteString("<!-- Made by `make docs` from the comments of the code and the titles of the plays. Do not edit. -->\n")
	b.WriteString("# Conformance\n\nWhich code answers a section of a specification, and which plays show it.\n")
	for _, j := range judgedSpecs {
		t.chapter(&b, j)
		if j.name == "draft" {
			t.remarks(&b, "On purpose otherwise", t.deviations)
			t.remarks(&b, "For one client's sake", t.compat)
		}
	}

	if t.ssp != nil {
		t.ssp.page(&b)
	}

	cited := map[string]map[string]bool{}
	for _, m := range []map[citation][]use{t.code, t.plays} {
		for c := range m {
			if t.shown(c) {
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
		if slices.ContainsFunc(judgedSpecs, func(j judged) bool { return j.name == name }) {
			heading = name + ": other sections"
		}
		if t.specs[name] == nil {
			heading += " (its sections are not checked)"
		}
		fmt.Fprintf(&b, "\n## %s\n\n", heading)
		t.rows(&b, name, t.order(name, cited[name]))
	}
	return b.String()
}

// shown says whether a section has its row in the table of a judged specification.
func (t *table) shown(c citation) bool {
	for _, j := range judgedSpecs {
		if j.name == c.spec {
			return slices.ContainsFunc(t.served(j), func(x section) bool { return x.number == c.section })
		}
	}
	return false
}

// chapter writes the table of a judged specification, and what of it is no rule.
func (t *table) chapter(b *strings.Builder, j judged) {
	if t.specs[j.name] == nil {
		return
	}
	fmt.Fprintf(b, "\n## %s: %s\n\n", j.name, j.title)
	var rows []string
	var free strings.Builder
	for _, x := range t.served(j) {
		c := citation{j.name, x.number}
		why, ok := t.exempt.of(c)
		if !ok || len(t.code[c])+len(t.plays[c]) > 0 {
			rows = append(rows, x.number)
			continue
		}
		fmt.Fprintf(&free, "- %s %s: %s\n", x.number, x.title, why.reason)
	}
	t.rows(b, j.name, rows)
	if free.Len() > 0 {
		fmt.Fprintf(b, "\nNo rule of its own for the service:\n\n%s", free.String())
	}
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
