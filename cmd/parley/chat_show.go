package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"parley/msnp"
)

// errEnded is why a session is over that nobody gave a reason for.
var errEnded = errors.New("the connection is closed")

// stateWords are the states as the user types and reads them: draft 7.7; for XMPP, RFC 6121 4.7.2.1, some need words.
var stateWords = []struct {
	word         string
	is           string
	msnp         msnp.State
	show, status string
}{
	{"online", "online", msnp.Online, "", ""},
	{"busy", "busy", msnp.Busy, "dnd", ""},
	{"idle", "idle", msnp.Idle, "away", "Idle"},
	{"brb", "back soon", msnp.BeRightBack, "away", "Be right back"},
	{"away", "away", msnp.Away, "away", ""},
	{"phone", "on the phone", msnp.OnThePhone, "dnd", "On the phone"},
	{"lunch", "out to lunch", msnp.OutToLunch, "away", "Out to lunch"},
	{"hidden", "hidden", msnp.Hidden, "", ""},
	{"offline", "offline", msnp.Offline, "", ""},
}

// isIn says in words what a word of stateWords means.
func isIn(word string) string {
	for _, w := range stateWords {
		if w.word == word {
			return w.is
		}
	}
	return printable(word)
}

// printable leaves out of other people's words what a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, s)
}

// person is an address, with a name that says more.
func person(handle, name string) string {
	if name = printable(name); name == "" || name == handle {
		return printable(handle)
	}
	return printable(handle) + " (" + name + ")"
}

// say prints a line.
func (c *chat) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if c.stamp {
		line = time.Now().Format("15:04 ") + line
	}
	fmt.Fprintln(c.out, line)
}

// list prints the contacts, and who waits for an answer.
func (c *chat) list() {
	all := c.m.contacts()
	n, width := 0, 0
	for _, p := range all {
		if p.listed {
			n++
			width = max(width, len(p.who))
		}
	}
	c.say("contacts: %d", n)
	for _, p := range all {
		if !p.listed {
			continue
		}
		var notes []string
		if name := printable(p.name); name != "" && name != p.who {
			notes = append(notes, name)
		}
		if p.status != "" {
			notes = append(notes, "- "+printable(p.status))
		}
		if p.blocked {
			notes = append(notes, "(blocked)")
		}
		fmt.Fprintln(c.out, strings.TrimRight(fmt.Sprintf("  %-*s  %-12s  %s", width, printable(p.who), isIn(p.state), strings.Join(notes, " ")), " "))
	}
	for _, p := range all {
		if p.blocked && !p.listed {
			fmt.Fprintf(c.out, "  %s is blocked\n", printable(p.who))
		}
	}
	for _, p := range all {
		if p.asks {
			c.asks(p.who, p.name)
		}
	}
}

// asks tells that somebody has put the user on their list.
func (c *chat) asks(who, name string) {
	c.say("%s added you: /accept %s, or /block %s", person(who, name), printable(who), printable(who))
}

// saw prints how somebody is now.
func (c *chat) saw(p buddy) {
	if !c.started {
		return
	}
	status := ""
	if p.status != "" {
		status = ": " + printable(p.status)
	}
	c.say("%s is %s%s", person(p.who, p.name), isIn(p.state), status)
	c.happened(p.state, p.who)
	if p.state != "offline" && p.state != "online" {
		c.happened("online", p.who)
	}
}

// met remembers that a conversation is with these people.
func (c *chat) met(conv venue, with []string) {
	t := c.talkWith(with) // clients use the newest conversation with somebody: dialects 7.4
	if t.conv != nil && t.conv != conv {
		t.old = append(t.old, t.conv)
	}
	t.conv = conv
}

// answered remembers a conversation that somebody has begun.
func (c *chat) answered(conv venue, who, name string) {
	with := conv.members()
	if len(with) == 0 {
		with = []string{who}
	}
	c.met(conv, with)
	for _, who := range with {
		c.happened("joined", who)
	}
	if len(with) > 1 {
		c.say("%s begins a conversation with %s", person(who, name), printable(strings.Join(with, ", ")))
	}
}

func (c *chat) joined(conv venue, who, name string) {
	if t := c.talkOf(conv); t != nil && !slices.Contains(t.with, who) {
		t.with = append(t.with, who)
		slices.Sort(t.with)
	}
	c.say("%s joined", person(who, name))
	c.happened("joined", who)
}

// left tells that somebody left; idle when the service closed it since nobody said anything.
func (c *chat) left(conv venue, who string, idle bool) {
	t := c.talkOf(conv)
	switch {
	case t == nil:
	case t.conv != conv && len(conv.members()) == 0:
		conv.leave() // they go on in the newer one
		return
	case len(t.with) > 1:
		t.with = slices.DeleteFunc(t.with, func(o string) bool { return o == who })
	}
	if idle {
		c.say("%s left: nobody said anything for long", printable(who))
	} else {
		c.say("%s left", printable(who))
	}
	c.happened("left", who)
}

// over tells that a conversation has ended.
func (c *chat) over(conv venue) {
	if t := c.talkOf(conv); t != nil {
		t.ended(conv)
	}
}

// end tells that the session has.
func (c *chat) end(err error) { c.lost = cmp.Or(err, errEnded) }

func (c *chat) types(who string) {
	c.say("%s is typing", printable(who))
	c.happened("typing", who)
}

// heard prints words. From a terminal their lines stand below each other; in a script an event stays on one line.
func (c *chat) heard(conv venue, from, text string) {
	t := c.talkOf(conv)
	with := ""
	if t != nil && len(t.with) > 1 {
		others := slices.DeleteFunc(slices.Clone(t.with), func(who string) bool { return who == from })
		with = " [with " + printable(strings.Join(others, ", ")) + "]"
	}
	sep := `\n`
	if c.talking {
		sep = "\n    "
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	c.say("<%s>%s %s", printable(from), with, strings.Join(lines, sep))
	c.happened("message", from)
	switch {
	case t == nil || t == c.current:
	case c.current == nil:
		c.current = t
		if c.talking {
			c.say("what you type goes to %s now", printable(strings.Join(t.with, ", ")))
		}
	case c.talking:
		c.say("to answer: /with %s", printable(strings.Join(t.with, " ")))
	}
}
