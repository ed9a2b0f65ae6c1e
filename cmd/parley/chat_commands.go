package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/im"
	"parley/msnp"
)

// chatCommand is one of the commands inside a chat.
type chatCommand struct {
	name, args, short string
	run               func(*chat, context.Context, string) error
}

// chatCommands are all of them, in the order of /help; a function, as /help reads it.
func chatCommands() []chatCommand {
	return []chatCommand{
		{"msg", "ADDRESS TEXT", "say something to somebody; lines without a slash go to them from then on", (*chat).cmdMsg},
		{"with", "ADDRESS...", "talk with one or more people", (*chat).cmdWith},
		{"invite", "ADDRESS", "bring somebody into the conversation", (*chat).cmdInvite},
		{"leave", "", "leave the conversation", (*chat).cmdLeave},
		{"list", "", "show your contacts", (*chat).cmdList},
		{"add", "ADDRESS", "put somebody on your list, and let them see you", (*chat).cmdAdd},
		{"accept", "ADDRESS", "the same, for somebody who added you", (*chat).cmdAdd},
		{"remove", "ADDRESS", "take somebody off your list", (*chat).cmdRemove},
		{"block", "ADDRESS", "let somebody neither see you nor write to you", (*chat).cmdBlock},
		{"unblock", "ADDRESS", "take that back", (*chat).cmdUnblock},
		{"state", "WORD", "be " + words(), (*chat).cmdState},
		{"name", "NAME", "change your name", (*chat).cmdName},
		{"wait", "EVENT [ADDRESS] [SECONDS]", "for scripts: wait for " + strings.Join(waitable, ", ") + ", a state, or just so many seconds", (*chat).cmdWait},
		{"help", "", "this list", (*chat).cmdHelp},
		{"quit", "", "log out", func(*chat, context.Context, string) error { return errQuit }},
	}
}

func words() string {
	var l []string
	for _, w := range stateWords {
		l = append(l, w.word)
	}
	return strings.Join(l[:len(l)-1], ", ") + " or " + l[len(l)-1]
}

// line does what a line of the input says. Two slashes begin words that begin with one.
func (c *chat) line(ctx context.Context, line string) error {
	text, command := strings.CutPrefix(line, "/")
	if !command || strings.HasPrefix(text, "/") {
		if c.current == nil {
			return errors.New("nobody to say it to: /msg ADDRESS TEXT, or /with ADDRESS first")
		}
		return c.tell(ctx, c.current, text)
	}
	name, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	for _, k := range chatCommands() {
		if k.name != name {
			continue
		}
		if rest == "" && k.args != "" {
			return fmt.Errorf("/%s needs more: /%s %s", name, name, k.args)
		}
		if err := k.run(c, ctx, rest); err != nil {
			if errors.Is(err, errQuit) {
				return err
			}
			return fmt.Errorf("/%s: %w", name, err)
		}
		return nil
	}
	return fmt.Errorf("there is no command /%s: /help lists them", printable(name))
}

// address reads an address; one without a domain is at our own.
func (c *chat) address(s string) (string, error) {
	if !strings.Contains(s, "@") {
		s += "@" + c.who.Domain()
	}
	a, err := im.ParseAddress(s)
	switch {
	case err != nil || a.IsDomain() || !msnp.ValidHandle(a.String()):
		return "", fmt.Errorf("%s is no address: write it like bob@parley.test", printable(s))
	case a == c.who:
		return "", errors.New("that is yourself")
	}
	return a.String(), nil
}

func (c *chat) cmdMsg(ctx context.Context, args string) error {
	first, text, _ := strings.Cut(args, " ")
	who, err := c.address(first)
	if err != nil {
		return err
	}
	if text = strings.TrimSpace(text); text == "" {
		return errors.New("say what: /msg ADDRESS TEXT")
	}
	c.current = c.talkWith([]string{who})
	return c.tell(ctx, c.current, text)
}

func (c *chat) cmdWith(ctx context.Context, args string) error {
	var with []string
	for s := range strings.FieldsSeq(args) {
		who, err := c.address(s)
		if err != nil {
			return err
		}
		with = append(with, who)
	}
	t := c.talkWith(with)
	if err := c.gather(ctx, t); err != nil {
		return err
	}
	c.current = t
	c.say("talking with %s", strings.Join(t.with, ", "))
	return nil
}

func (c *chat) cmdInvite(ctx context.Context, args string) error {
	who, err := c.address(args)
	switch {
	case err != nil:
		return err
	case c.current == nil:
		return errors.New("into which conversation? /with ADDRESS first")
	case slices.Contains(c.current.with, who):
		return fmt.Errorf("%s is in it already", who)
	}
	t := c.current
	if t.conv == nil {
		if err := c.gather(ctx, t); err != nil {
			return err
		}
	}
	if err := c.widen(ctx, t); err != nil {
		return err
	}
	conv := t.conv
	if conv == nil {
		return errors.New("the conversation has ended")
	}
	if err := c.during(ctx, func(ctx context.Context) error { return conv.invite(ctx, who) }); err != nil {
		return c.m.explain(err, who)
	}
	in := func() bool { return slices.Contains(t.with, who) }
	if !c.until(ctx, c.joinTime, func() bool { return in() || t.conv == nil }) {
		c.say("%s did not answer yet", who)
	}
	if !in() {
		t.with = append(t.with, who)
		slices.Sort(t.with)
	}
	return nil
}

// widen has a talk go on where more than two can be, unless it is there.
func (c *chat) widen(ctx context.Context, t *talk) error {
	var wide venue
	old := t.conv
	err := c.during(ctx, func(ctx context.Context) (err error) {
		wide, err = c.m.wide(ctx, old)
		return err
	})
	if err != nil {
		return c.m.explain(err, "")
	}
	if wide == old {
		return nil
	}
	t.conv, t.old = wide, nil
	return c.gather(ctx, t)
}

func (c *chat) cmdLeave(context.Context, string) error {
	t := c.current
	if t == nil {
		return errors.New("you are in no conversation")
	}
	t.leave()
	c.forget(t)
	c.say("left the conversation with %s", strings.Join(t.with, ", "))
	return nil
}

func (c *chat) cmdList(context.Context, string) error {
	c.list()
	return nil
}

// edit changes lists.
func (c *chat) edit(ctx context.Context, who string, act func(context.Context, string) error) error {
	return c.m.explain(c.during(ctx, func(ctx context.Context) error { return act(ctx, who) }), who)
}

func (c *chat) cmdAdd(ctx context.Context, args string) error {
	who, err := c.address(args)
	if err != nil {
		return err
	}
	if c.m.contact(who).blocked {
		return fmt.Errorf("%s is blocked: /unblock %s first", who, who)
	}
	if err := c.edit(ctx, who, c.m.add); err != nil {
		return err
	}
	c.say("%s is on your list", who)
	return nil
}

func (c *chat) cmdRemove(ctx context.Context, args string) error {
	who, err := c.address(args)
	if err != nil {
		return err
	}
	if !c.m.contact(who).listed {
		return fmt.Errorf("%s is not on your list", who)
	}
	if err := c.edit(ctx, who, c.m.remove); err != nil {
		return err
	}
	c.say("%s is off your list", who)
	return nil
}

func (c *chat) cmdBlock(ctx context.Context, args string) error {
	who, err := c.address(args)
	if err != nil {
		return err
	}
	if err := c.edit(ctx, who, c.m.block); err != nil {
		return err
	}
	for _, t := range slices.Clone(c.talks) { // draft 8.5: it is the client that leaves
		if slices.Equal(t.with, []string{who}) {
			t.leave()
			c.forget(t)
		}
	}
	c.say("%s is blocked", who)
	return nil
}

func (c *chat) cmdUnblock(ctx context.Context, args string) error {
	who, err := c.address(args)
	if err != nil {
		return err
	}
	if !c.m.contact(who).blocked {
		return fmt.Errorf("%s is not blocked", who)
	}
	if err := c.edit(ctx, who, c.m.unblock); err != nil {
		return err
	}
	c.say("%s is not blocked any more", who)
	return nil
}

func (c *chat) cmdState(ctx context.Context, args string) error {
	for _, w := range stateWords {
		if w.word != args && !strings.EqualFold(string(w.msnp), args) {
			continue
		}
		if err := c.during(ctx, func(ctx context.Context) error { return c.m.setState(ctx, w.word) }); err != nil {
			return c.m.explain(err, "")
		}
		c.say("you are %s now", w.is)
		return nil
	}
	return fmt.Errorf("%s is no state: it is %s", printable(args), words())
}

func (c *chat) cmdName(ctx context.Context, args string) error {
	if err := c.during(ctx, func(ctx context.Context) error { return c.m.rename(ctx, args) }); err != nil {
		return c.m.explain(err, "")
	}
	_, name, _ := c.m.self()
	c.say("your name is %s now", printable(name))
	return nil
}

// waitTime is how long /wait waits unless it is told.
const waitTime = 30 * time.Second

// waitable are the events that /wait knows, beside the states.
var waitable = []string{"message", "typing", "joined", "left", "added", "removed", "nudge", "delivered"}

// cmdWait waits for an event that no earlier /wait has waited for, or for a time. A state, and somebody in the
// conversation, may also be there already.
func (c *chat) cmdWait(ctx context.Context, args string) error {
	words := strings.Fields(args)
	d, timed := waitTime, false
	if n, err := strconv.ParseFloat(words[len(words)-1], 64); err == nil {
		if !(n >= 0 && n <= 86400) {
			return errors.New("so long? At most 86400 seconds")
		}
		d, timed = time.Duration(n*float64(time.Second)), true
		words = words[:len(words)-1]
	}
	if len(words) == 0 && timed {
		c.until(ctx, d, func() bool { return false })
		return c.lost
	}
	kind, who := words[0], ""
	if len(words) > 2 || !slices.Contains(waitable, kind) && !isState(kind) {
		return fmt.Errorf("wait for %s, or a state, then an address and seconds if you like", strings.Join(waitable, ", "))
	}
	if len(words) == 2 {
		var err error
		if who, err = c.address(words[1]); err != nil {
			return err
		}
	}
	if !c.until(ctx, d, func() bool { return c.already(kind, who) || c.took(kind, who) }) {
		if who != "" {
			kind += " " + who
		}
		return fmt.Errorf("waited %v for %s in vain", d, kind)
	}
	return nil
}

func isState(word string) bool {
	for _, w := range stateWords {
		if w.word == word {
			return true
		}
	}
	return false
}

// already reports whether what is waited for is so.
func (c *chat) already(kind, who string) bool {
	switch {
	case who == "":
		return false
	case kind == "joined":
		return c.current != nil && c.current.conv != nil && slices.Contains(c.current.conv.members(), who)
	case slices.Contains(waitable, kind):
		return false
	}
	is := c.m.contact(who).state
	return is == kind || kind == "online" && is != "offline"
}

// took takes a happening out of those that nobody has waited for.
func (c *chat) took(kind, who string) bool {
	for i, h := range c.recent {
		if h.kind == kind && (who == "" || h.who == who) {
			c.recent = slices.Delete(c.recent, i, i+1)
			return true
		}
	}
	return false
}

func (c *chat) cmdHelp(context.Context, string) error {
	for _, k := range chatCommands() {
		fmt.Fprintf(c.out, "  %-34s %s\n", strings.TrimRight("/"+k.name+" "+k.args, " "), k.short)
	}
	fmt.Fprintf(c.out, "An address without a domain is at %s. // begins words that begin with a slash.\n", c.who.Domain())
	return nil
}
