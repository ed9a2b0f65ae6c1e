package transcript

import (
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// part is a piece of a line: literal text, or what stands in ${}.
type part struct {
	text string
	ref  bool
}

// parts cuts a line.
func parts(s string) ([]part, error) {
	var l []part
	for s != "" {
		text, rest, ok := strings.Cut(s, "${")
		if text != "" {
			l = append(l, part{text: text})
		}
		if !ok {
			break
		}
		ref, after, ok := strings.Cut(rest, "}")
		if !ok || strings.TrimSpace(ref) == "" {
			return nil, fmt.Errorf("${ has to be followed by a name and }: %q", s)
		}
		l = append(l, part{strings.TrimSpace(ref), true})
		s = after
	}
	return l, nil
}

func wellFormed(s string) error {
	_, err := parts(s)
	return err
}

// Codec's own references, which stay in what it is given.
const (
	refLen = "${len}"
	refEnd = "${end}"
)

// values are what a script has learned, with the functions that it may call.
type values struct {
	learned map[string]string
	funcs   map[string]func(conn, value string) (string, error)
}

// resolve puts values in for what is known of s. What is not known yet and ${*} stay, as do the codec's own.
func (v *values) resolve(conn, s string) ([]part, error) {
	l, err := parts(s)
	if err != nil {
		return nil, err
	}
	for i, p := range l {
		if !p.ref {
			continue
		}
		name, arg, call := strings.Cut(p.text, " ")
		if !call {
			if value, ok := v.learned[name]; ok {
				l[i] = part{text: value}
			}
			continue
		}
		value, err := v.call(conn, name, strings.TrimSpace(arg))
		if err != nil {
			return nil, fmt.Errorf("${%s}: %w", p.text, err)
		}
		l[i] = part{text: value}
	}
	return l, nil
}

func (v *values) call(conn, name, arg string) (string, error) {
	switch name {
	case "hex":
		b, err := hex.DecodeString(strings.ReplaceAll(arg, " ", ""))
		return string(b), err
	case "repeat":
		count, what, _ := strings.Cut(arg, " ")
		n, err := strconv.Atoi(count)
		if err != nil || n < 0 || n > 1<<24 || what == "" {
			return "", fmt.Errorf("repeat takes a number and what to repeat")
		}
		return strings.Repeat(what, n), nil
	}
	f, ok := v.funcs[name]
	if !ok {
		return "", fmt.Errorf("there is no function %s", name)
	}
	if value, ok := v.learned[arg]; ok {
		arg = value
	}
	return f(conn, arg)
}

// say is s with everything resolved but the codec's own references.
func (v *values) say(conn, s string) (string, error) {
	l, err := v.resolve(conn, s)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, p := range l {
		ref := "${" + p.text + "}"
		switch {
		case !p.ref:
			b.WriteString(p.text)
		case ref == refLen || ref == refEnd:
			b.WriteString(ref)
		case p.text == "*":
			return "", fmt.Errorf("${*} can only be heard, not said")
		default:
			return "", fmt.Errorf("${%s} was not learned before", p.text)
		}
	}
	return b.String(), nil
}

// match compares text with a pattern. If they are equal, what the pattern has learned is kept.
func (v *values) match(conn, pattern, text string) (bool, error) {
	l, err := v.resolve(conn, pattern)
	if err != nil {
		return false, err
	}
	m := matcher{known: v.learned, learned: map[string]string{}}
	if !m.match(l, text) {
		return false, nil
	}
	maps.Copy(v.learned, m.learned)
	return true, nil
}

// matcher tries all ways: patterns are short, and a second ${*} in one is rare.
type matcher struct {
	known, learned map[string]string
}

func (m *matcher) match(l []part, text string) bool {
	if len(l) == 0 {
		return text == ""
	}
	p, rest := l[0], l[1:]
	switch {
	case !p.ref:
		return strings.HasPrefix(text, p.text) && m.match(rest, text[len(p.text):])
	case p.text == "*":
		if len(rest) == 0 {
			return true
		}
		for i := range len(text) + 1 {
			if m.match(rest, text[i:]) {
				return true
			}
		}
		return false
	}
	if value, ok := m.learned[p.text]; ok { // twice in one pattern
		return strings.HasPrefix(text, value) && m.match(rest, text[len(value):])
	}
	n := strings.IndexAny(text, " \t\r\n")
	if n < 0 {
		n = len(text)
	}
	for ; n > 0; n-- {
		m.learned[p.text] = text[:n]
		if m.match(rest, text[n:]) {
			return true
		}
	}
	delete(m.learned, p.text)
	return false
}
