package main

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

const (
	oldest = 2
	newest = 12
)

const head = `<!-- Made by ` + "`make docs`" + ` from the tables of msnp/notification, msnp/switchboard and msnp/wire, and from the comments of the code. Do not edit. -->
# MSNP, as it is spoken here

Dialects MSNP2 to MSNP12, of which a connection agrees on one with VER; on a switchboard it is the one of the notification connection that
the ticket was given to. A verb whose form changed between dialects has one row for each form, in the servers' tables as on this page: nothing else
asks for the dialect. What each version of MSN Messenger speaks, and how it gets here, stands in [clients.md](clients.md);
which code answers which section of the sources, in [conformance.md](conformance.md).
`

// spokenPage is docs/msnp.md.
func spokenPage(notification, switchboard, wire *code, remarks []remark) (string, error) {
	var b strings.Builder
	b.WriteString(head)
	fromClients, err := notification.rows()
	if err != nil {
		return "", err
	}
	forms, err := notification.shapes()
	if err != nil {
		return "", err
	}
	toBoard, err := switchboard.rows()
	if err != nil {
		return "", err
	}
	boardForms, err := switchboard.shapes()
	if err != nil {
		return "", err
	}
	known, err := wire.verbs()
	if err != nil {
		return "", err
	}
	payloads, err := wire.payloads()
	if err != nil {
		return "", err
	}

	b.WriteString("\n## What a dialect brought\n\nFrom one dialect to the next, on both servers. \"client\" is what clients may say, \"server\" what they are told.\n\n")
	b.WriteString("| dialect | client: new | client: in another form | client: gone | server: new or in another form |\n|---|---|---|---|---|\n")
	for d := oldest + 1; d <= newest; d++ {
		fresh, other, gone := changes(slices.Concat(fromClients, toBoard), d)
		fmt.Fprintf(&b, "| MSNP%d | %s | %s | %s | %s |\n", d, fresh, other, gone, began(slices.Concat(forms, boardForms), d))
	}

	section(&b, "Notification and dispatch server", fromClients, forms, notification.writes(known, fromClients))
	section(&b, "Switchboard", toBoard, boardForms, switchboard.writes(known, toBoard))

	b.WriteString("\n## Payloads\n\nThe last parameter of these is the length in bytes of what follows the line.\n\n| verb | said by | dialects |\n|---|---|---|\n")
	for _, p := range payloads {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", p.verb, strings.ToLower(p.from), span(p.since, p.until))
	}

	fmt.Fprintf(&b, "\n## For one client's sake\n\nWhere the sources differ, or leave something open, and what was chosen so that no client breaks: every place marked `COMPAT` in the code, %d of them.\n\n"+
		"| client | what, and why | where |\n|---|---|---|\n", len(remarks))
	for _, r := range remarks {
		fmt.Fprintf(&b, "| %s | %s | [%s](../%s) |\n", cell(r.client), cell(r.why), strings.TrimPrefix(r.file, "msnp/"), r.file)
	}
	return b.String(), nil
}

// section tells of one server: its verbs in each dialect, then each form.
func section(b *strings.Builder, title string, rows []row, shapes []shape, writes map[string][]said) {
	fmt.Fprintf(b, "\n## %s\n\n### What clients may say\n\nWhich form holds in which dialect: 1 is the first row of the verb in the next table.\n\n| verb |", title)
	for d := oldest; d <= newest; d++ {
		fmt.Fprintf(b, " %d |", d)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", newest-oldest+1) + "\n")
	seen := map[string]int{}
	for _, r := range rows {
		if seen[r.verb]++; seen[r.verb] > 1 {
			continue
		}
		fmt.Fprintf(b, "| `%s` |", r.verb)
		for d := oldest; d <= newest; d++ {
			fmt.Fprintf(b, " %s |", form(rows, r.verb, d))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n| verb | dialects | when | what the service does | code |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", r.verb, span(r.since, r.until), moment(r.when), cell(r.serve.sentence), link(r.serve))
	}

	b.WriteString("\n### What clients are told in forms that differ\n\n| what | dialects | form | code |\n|---|---|---|---|\n")
	for _, s := range shapes {
		var sentences, links []string
		for _, f := range s.by {
			if f.sentence != "" {
				sentences = append(sentences, f.sentence)
			}
			if f.file != "" {
				links = append(links, link(f))
			}
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", s.says, span(s.since, s.until), cell(strings.Join(sentences, "; ")), strings.Join(links, ", "))
	}

	b.WriteString("\n### Verbs in what clients are told\n\n| verb | written by |\n|---|---|\n")
	for _, v := range slices.Sorted(maps.Keys(writes)) {
		var links []string
		for _, f := range writes[v] {
			links = append(links, link(f))
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", v, strings.Join(links, ", "))
	}
}

// form is the number of the row that answers a verb in a dialect.
func form(rows []row, verb string, d int) string {
	n := 0
	for _, r := range rows {
		if r.verb != verb {
			continue
		}
		n++
		if r.since <= d && d <= r.until {
			return strconv.Itoa(n)
		}
	}
	return ""
}

// changes are the verbs that a dialect brought, changed and dropped.
func changes(rows []row, d int) (fresh, other, gone string) {
	var lists [3][]string
	add := func(i int, verb string) {
		if s := "`" + verb + "`"; !slices.Contains(lists[i], s) {
			lists[i] = append(lists[i], s)
		}
	}
	was := func(verb string, d int) bool {
		return slices.ContainsFunc(rows, func(r row) bool { return r.verb == verb && r.since <= d && d <= r.until })
	}
	for _, r := range rows {
		switch {
		case r.since == d && was(r.verb, d-1):
			add(1, r.verb)
		case r.since == d:
			add(0, r.verb)
		case r.until == d-1 && !was(r.verb, d):
			add(2, r.verb)
		}
	}
	return strings.Join(lists[0], " "), strings.Join(lists[1], " "), strings.Join(lists[2], " ")
}

// began is what the servers say in another form since a dialect.
func began(shapes []shape, d int) string {
	var l []string
	for _, s := range shapes {
		if s.since == d && !slices.Contains(l, s.says) {
			l = append(l, s.says)
		}
	}
	return strings.Join(l, "; ")
}

// span is some dialects. 0 is before one is agreed on.
func span(since, until int) string {
	switch since = max(since, oldest); {
	case until < oldest:
		return "none agreed"
	case since == until:
		return strconv.Itoa(since)
	}
	return fmt.Sprintf("%d-%d", since, until)
}

// moment is when a verb may be said.
func moment(when []string) string {
	words := map[string]string{"fresh": "first", "cvr0": "with CVR0 alone", "loggingIn": "logging in", "online": "logged in", "seated": "in a conversation"}
	if len(when) > 2 {
		return "any time"
	}
	var l []string
	for _, w := range when {
		if words[w] != "" {
			w = words[w]
		}
		l = append(l, w)
	}
	return strings.Join(l, ", ")
}

func link(s said) string { return fmt.Sprintf("[%s](../%s)", s.name, path.Clean(s.file)) }

// cell keeps text from breaking a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
