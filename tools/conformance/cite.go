package main

import (
	"fmt"
	"regexp"
	"strings"
)

// citation names a section of a specification.
type citation struct{ spec, section string }

var (
	head    = regexp.MustCompile(`\b(draft|dialects|SSP|ssp-syntax|RFC \d{3,5}|XEP-\d{4}) +`)
	number  = regexp.MustCompile(`^(\d+(?:\.\d+)*|[A-Z](?:\.\d+)+)\b`)
	letter  = regexp.MustCompile(`^[Aa]ppendix ([A-Z](?:\.\d+)*)\b`)
	through = regexp.MustCompile(`^(?:-|–| to )`)
	joint   = regexp.MustCompile(`^(?:, and |, | and )`)
	blanks  = regexp.MustCompile(`\s+`)
)

// cite finds the citations in the text of a comment: a specification, then one or more section numbers.
func cite(text string, all specs) []citation {
	text = blanks.ReplaceAllString(text, " ")
	var l []citation
	for _, m := range head.FindAllStringSubmatchIndex(text, -1) {
		c, _ := list(text[m[2]:m[3]], text[m[1]:], all, false)
		l = append(l, c...)
	}
	return l
}

// list reads the section numbers that text begins with, and returns what follows them. In prose a number
// without a dot goes on with the list only where a sentence or a part of it ends: "draft 7.8, 20 times" is one section.
func list(spec, text string, all specs, strict bool) (l []citation, rest string) {
	rest = text
	add := func(n string) { l = append(l, citation{spec, n}) }
	for first := true; ; first = false {
		after := rest
		if !first {
			j := joint.FindString(rest)
			if j == "" {
				return l, rest
			}
			after = rest[len(j):]
		}
		m := number.FindStringSubmatch(after)
		if m == nil {
			if m = letter.FindStringSubmatch(after); m == nil {
				return l, rest
			}
		}
		n := m[1]
		after = after[len(m[0]):]
		if !first && !strict && !strings.Contains(n, ".") && strings.Trim(after[:min(1, len(after))], ",;:.)") != "" {
			return l, rest
		}
		if spec == "SSP" && n == "1.0" { // the protocol's version
			return l, after
		}
		add(n)
		if t := through.FindString(after); t != "" {
			if m := number.FindStringSubmatch(after[len(t):]); m != nil {
				for _, x := range all.between(spec, n, m[1]) {
					add(x)
				}
				after = after[len(t)+len(m[0]):]
			}
		}
		rest = after
	}
}

// citeLine reads what stands after "Spec:" in a play: citations with semicolons between them and nothing else.
func citeLine(text string, all specs) ([]citation, error) {
	var l []citation
	for part := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(text), "."), ";") {
		part = blanks.ReplaceAllString(strings.TrimSpace(part), " ")
		m := head.FindStringSubmatchIndex(part)
		if m == nil || m[0] != 0 {
			return nil, fmt.Errorf("%q is no citation; write \"Spec: draft 7.8, 7.11; RFC 6121 5\"", part)
		}
		c, rest := list(part[m[2]:m[3]], part[m[1]:], all, true)
		if len(c) == 0 || rest != "" {
			return nil, fmt.Errorf("%q: cannot read %q as sections", part, part[m[1]:])
		}
		l = append(l, c...)
	}
	return l, nil
}
