package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"parley/msnp"
	"parley/msnp/client"
)

// stateWords are the states as the user types and reads them: draft 7.7.
var stateWords = []struct {
	word  string
	state msnp.State
	is    string
}{
	{"online", msnp.Online, "online"},
	{"busy", msnp.Busy, "busy"},
	{"idle", msnp.Idle, "idle"},
	{"brb", msnp.BeRightBack, "back soon"},
	{"away", msnp.Away, "away"},
	{"phone", msnp.OnThePhone, "on the phone"},
	{"lunch", msnp.OutToLunch, "out to lunch"},
	{"hidden", msnp.Hidden, "hidden"},
	{"offline", msnp.Offline, "offline"},
}

func isIn(s msnp.State) string {
	for _, w := range stateWords {
		if w.state == s {
			return w.is
		}
	}
	return printable(string(s))
}

func wordOf(s msnp.State) string {
	for _, w := range stateWords {
		if w.state == s {
			return w.word
		}
	}
	return "online" // all other states are, draft 7.7
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
	l := c.client.Lists()
	c.say("contacts: %d", len(l.Forward))
	width := 0
	for who := range l.Forward {
		width = max(width, len(who))
	}
	for _, who := range slices.Sorted(maps.Keys(l.Forward)) {
		p := c.client.Seen(who)
		name := p.Name
		if name == "" {
			name = l.Forward[who]
		}
		if name = printable(name); name == who {
			name = ""
		}
		if l.Has(msnp.BlockList, who) {
			name = strings.TrimSpace(name + " (blocked)")
		}
		fmt.Fprintln(c.out, strings.TrimRight(fmt.Sprintf("  %-*s  %-12s  %s", width, printable(who), isIn(p.State), name), " "))
	}
	for _, who := range slices.Sorted(maps.Keys(l.Block)) {
		if !l.Has(msnp.ForwardList, who) {
			fmt.Fprintf(c.out, "  %s is blocked\n", printable(who))
		}
	}
	for _, who := range slices.Sorted(maps.Keys(l.Unanswered())) {
		c.asks(who, l.Reverse[who])
	}
}

// asks tells that somebody has put the user on their list.
func (c *chat) asks(who, name string) {
	c.say("%s added you: /accept %s, or /block %s", person(who, name), printable(who), printable(who))
}

// show prints an event.
func (c *chat) show(ctx context.Context, e client.Event) {
	switch e := e.(type) {
	case client.Presence:
		if e.Initial && !c.started {
			return
		}
		c.say("%s is %s", person(e.Handle, e.Name), isIn(e.State))
		c.happened(wordOf(e.State), e.Handle)
		if e.State != msnp.Offline && e.State != msnp.Online {
			c.happened("online", e.Handle)
		}
	case client.ListChanged:
		c.listChanged(ctx, e)
	case client.SettingChanged:
		c.settingChanged(e)
	case client.Answered:
		c.answered(e)
	case client.RingFailed:
		c.say("%s wanted to talk, which failed: %v", person(e.Ring.Handle, e.Ring.Name), e.Err)
	case client.Joined:
		c.joined(e)
	case client.Left:
		c.left(e)
	case client.Message:
		c.message(e)
	case client.SystemMessage:
		c.system(e)
	case client.Referred:
		c.say("the service moves to %s: log in there with --server %s", printable(e.Address), printable(e.Address))
	case client.Ended:
		if e.Conversation == nil {
			c.lost = e.Err
			if c.lost == nil {
				c.lost = client.ErrClosed
			}
		} else if t := c.talkOf(e.Conversation); t != nil {
			t.ended(e.Conversation)
		}
	}
}

func (c *chat) listChanged(ctx context.Context, e client.ListChanged) {
	switch {
	case e.List == msnp.ReverseList && e.Removed:
		c.say("%s took you off their list", printable(e.Handle))
		c.happened("removed", e.Handle)
	case e.List == msnp.ReverseList:
		l := c.client.Lists()
		switch {
		case l.Has(msnp.AllowList, e.Handle) || l.Has(msnp.BlockList, e.Handle):
			c.say("%s added you", person(e.Handle, e.Name))
		case !l.Prompt: // GTC N: draft 7.6
			err := c.during(ctx, func(ctx context.Context) error {
				_, err := c.client.Add(ctx, msnp.AllowList, e.Handle, e.Name)
				return err
			})
			if err != nil {
				c.fail(explain(err, e.Handle))
				return
			}
			c.say("%s added you, and is allowed to see you", person(e.Handle, e.Name))
		default:
			c.asks(e.Handle, e.Name)
		}
		c.happened("added", e.Handle)
	case e.List == msnp.ForwardList && e.Removed:
		c.say("%s was taken off your list elsewhere", printable(e.Handle))
	case e.List == msnp.ForwardList:
		c.say("%s was added to your list elsewhere", person(e.Handle, e.Name))
	case e.List == msnp.BlockList && e.Removed:
		c.say("%s was unblocked elsewhere", printable(e.Handle))
	case e.List == msnp.BlockList:
		c.say("%s was blocked elsewhere", printable(e.Handle))
	}
}

func (c *chat) settingChanged(e client.SettingChanged) {
	switch e.Verb {
	case "CHG":
		c.say("you are %s now", isIn(msnp.State(e.Value)))
	case "REA":
		c.say("your name is %s now", printable(e.Value))
	}
}

// answered remembers a conversation that somebody has begun.
func (c *chat) answered(e client.Answered) {
	with := e.Conversation.Members()
	if len(with) == 0 {
		with = []string{e.Ring.Handle}
	}
	t := c.talkWith(with) // clients use the newest conversation with somebody: dialects 7.4
	if t.conv != nil {
		t.old = append(t.old, t.conv)
	}
	t.conv = e.Conversation
	for _, who := range with {
		c.happened("joined", who)
	}
	if len(with) > 1 {
		c.say("%s begins a conversation with %s", person(e.Ring.Handle, e.Ring.Name), printable(strings.Join(with, ", ")))
	}
}

func (c *chat) joined(e client.Joined) {
	if t := c.talkOf(e.Conversation); t != nil && !slices.Contains(t.with, e.Handle) {
		t.with = append(t.with, e.Handle)
		slices.Sort(t.with)
	}
	c.say("%s joined", person(e.Handle, e.Name))
	c.happened("joined", e.Handle)
}

func (c *chat) left(e client.Left) {
	t := c.talkOf(e.Conversation)
	switch {
	case t == nil:
	case t.conv != e.Conversation && len(e.Conversation.Members()) == 0:
		e.Conversation.Leave() // they go on in the newer one
		return
	case len(t.with) > 1:
		t.with = slices.DeleteFunc(t.with, func(who string) bool { return who == e.Handle })
	}
	if e.Idle {
		c.say("%s left: nobody said anything for long", printable(e.Handle))
	} else {
		c.say("%s left", printable(e.Handle))
	}
	c.happened("left", e.Handle)
}

// message prints what somebody said.
func (c *chat) message(e client.Message) {
	content, err := e.Content()
	if err != nil {
		return
	}
	switch content.Kind {
	case msnp.TypingContent:
		c.say("%s is typing", printable(e.Handle))
		c.happened("typing", e.Handle)
	case msnp.TextContent:
		c.heard(e, content.Text)
	case msnp.DatacastContent:
		if content.Datacast == 1 {
			c.say("%s nudges you", printable(e.Handle))
			c.happened("nudge", e.Handle)
		}
	case msnp.InviteContent:
		if i := content.Invitation; i.Command == "INVITE" {
			c.say("%s invites you to %s, for which you need another client", printable(e.Handle),
				strings.TrimSpace(printable(i.Application+" "+i.File)))
		}
	}
}

// heard prints words. From a terminal their lines stand below each other; in a script an event stays on one line.
func (c *chat) heard(e client.Message, text string) {
	t := c.talkOf(e.Conversation)
	with := ""
	if t != nil && len(t.with) > 1 {
		others := slices.DeleteFunc(slices.Clone(t.with), func(who string) bool { return who == e.Handle })
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
	c.say("<%s>%s %s", printable(e.Handle), with, strings.Join(lines, sep))
	c.happened("message", e.Handle)
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

// system prints what the service announces: dialects 3.7.
func (c *chat) system(e client.SystemMessage) {
	content, err := msnp.ParseContent(e.Payload)
	if err != nil || !strings.HasSuffix(content.Type, "/x-msmsgssystemmessage") {
		return
	}
	for line := range strings.Lines(string(content.Body)) {
		if n, ok := strings.CutPrefix(line, "Arg1:"); ok {
			c.say("the service goes down in %s minutes", printable(strings.TrimSpace(n)))
		}
	}
}
