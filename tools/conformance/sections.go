package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// section is one numbered section of a specification.
type section struct{ number, title string }

// spec is a specification and its sections in order.
type spec struct {
	name     string // as it is cited
	sections []section
	index    map[string]int
}

// specs are all specifications whose sections are known, by name.
type specs map[string]*spec

// readSections reads one file for each specification: its name after "# " in the first line, then number, tab, title.
func readSections(dir string) (specs, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no lists of sections in %s", dir)
	}
	all := specs{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		s := &spec{index: map[string]int{}}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimRight(line, "\n")
			if name, ok := strings.CutPrefix(line, "# "); ok {
				if s.name == "" {
					s.name = name
				}
				continue
			}
			number, title, ok := strings.Cut(line, "\t")
			if _, double := s.index[number]; !ok || double {
				return nil, fmt.Errorf("%s: %q is not a new section: number, tab, title", file, line)
			}
			s.index[number] = len(s.sections)
			s.sections = append(s.sections, section{number, title})
		}
		if s.name == "" || all[s.name] != nil {
			return nil, fmt.Errorf("%s: the first line must be \"# \" and a name that no other file has", file)
		}
		all[s.name] = s
	}
	return all, nil
}

// judge says what is wrong with a citation, "" if nothing. Specifications without a list are taken at their word.
func (a specs) judge(c citation) string {
	s := a[c.spec]
	if s == nil {
		return ""
	}
	if len(s.sections) == 0 {
		return fmt.Sprintf("%s has no numbered sections, so no %s either", c.spec, c.section)
	}
	if _, ok := s.index[c.section]; !ok {
		return fmt.Sprintf("%s has no section %s", c.spec, c.section)
	}
	return ""
}

// between lists the sections after from up to to, as far as both are known.
func (a specs) between(name, from, to string) []string {
	s := a[name]
	if s == nil {
		return []string{to}
	}
	i, ok := s.index[from]
	j, ok2 := s.index[to]
	if !ok || !ok2 || j < i {
		return []string{to}
	}
	var l []string
	for _, x := range s.sections[i+1 : j+1] {
		l = append(l, x.number)
	}
	return l
}

// leaf says whether a section has none below it.
func (s *spec) leaf(number string) bool {
	return !slices.ContainsFunc(s.sections, func(x section) bool { return strings.HasPrefix(x.number, number+".") })
}
