package main

import (
	"fmt"
	"slices"
	"strings"

	"parley/msnp/clients"
)

// The marks between which a page has what is made.
const (
	begin = "<!-- made by make docs: %s -->\n"
	end   = "<!-- end -->\n"
)

// fill makes the tables of docs/clients.md anew; what stands around them was written by hand.
func fill(page string) (string, error) {
	for _, block := range []struct {
		name string
		make func() string
	}{{"versions", versions}, {"places", places}, {"steps", steps}} {
		mark := fmt.Sprintf(begin, block.name)
		before, rest, ok := strings.Cut(page, mark)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			return "", fmt.Errorf("docs/clients.md: the marks of %s are missing: %q, %q", block.name, mark, end)
		}
		page = before + mark + "\n" + block.make() + "\n" + end + after
	}
	return page, nil
}

// versions is what each of them says of itself.
func versions() string {
	var b strings.Builder
	b.WriteString("| version | `--client` | builds | Windows | offers | logs in by |\n|---|---|---|---|---|---|\n")
	for _, c := range clients.All {
		builds := c.First
		if c.Last != c.First {
			builds += " to " + c.Last
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s |\n", c.Name, c.Version, builds, c.Windows, strings.Join(c.Offers(), " "), c.Login)
	}
	return b.String()
}

// places is where each of them looks.
func places() string {
	var b strings.Builder
	b.WriteString("| version | names that must lead here | names that may | listeners | value Server below HKEY_CURRENT_USER |\n|---|---|---|---|---|\n")
	for _, c := range clients.All {
		var must, may, listeners []string
		for _, h := range c.Hosts() {
			at := fmt.Sprintf("`%s:%d`", h.Name, h.Port)
			if h.Optional {
				may = append(may, at)
				continue
			}
			must = append(must, at)
			if l := "`" + h.Listener + "://`"; !slices.Contains(listeners, l) {
				listeners = append(listeners, l)
			}
		}
		key := ""
		if c.Registry != "" {
			key = "`" + c.Registry + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", c.Name, strings.Join(must, " "), strings.Join(may, " "), strings.Join(listeners, " "), key)
	}
	return b.String()
}

// steps is what is to be done for each of them; those that need the same stand together.
func steps() string {
	type group struct{ names, steps []string }
	var all []*group
	for _, c := range clients.All {
		var l []string
		for _, s := range c.Steps(clients.Examples) {
			l = append(l, letters(s.Text))
		}
		i := slices.IndexFunc(all, func(g *group) bool { return slices.Equal(g.steps, l) })
		if i < 0 {
			i = len(all)
			all = append(all, &group{steps: l})
		}
		all[i].names = append(all[i].names, c.Name)
	}
	var b strings.Builder
	for i, g := range all {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "### %s\n\n", title(g.names))
		for n, s := range g.steps {
			fmt.Fprintf(&b, "%d. %s\n", n+1, s)
		}
	}
	return b.String()
}

// title is the names of some versions, with what they share said once.
func title(names []string) string {
	short := []string{names[0]}
	for _, n := range names[1:] {
		short = append(short, strings.TrimPrefix(n, "MSN Messenger "))
	}
	last := len(short) - 1
	if last == 0 {
		return short[0]
	}
	return strings.Join(short[:last], ", ") + " and " + short[last]
}

// letters sets what is to be written letter by letter off from the sentence.
func letters(s string) string {
	parts := strings.Split(s, `"`)
	if len(parts)%2 == 0 {
		return s
	}
	s = strings.Join(parts, "`")
	for _, word := range []string{`C:\WINDOWS\system32\drivers\etc\hosts`, `C:\WINDOWS\hosts`} {
		s = strings.Replace(s, word, "`"+word+"`", 1)
	}
	for _, c := range clients.All {
		if c.Registry != "" {
			s = strings.Replace(s, `HKEY_CURRENT_USER\`+c.Registry+" ", "`HKEY_CURRENT_USER\\"+c.Registry+"` ", 1)
		}
	}
	return s
}
