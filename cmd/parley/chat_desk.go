package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"parley/im"
)

// chat is one run of parley chat. One goroutine owns it: lines and events come to it.
type chat struct {
	out, err io.Writer
	stamp    bool // lines begin with the time of day
	talking  bool // a person types: what failed was said, and is no failure of the run
	who      im.Address
	m        messenger
	lines    chan string // closed by its reader at the end of the input
	joinTime time.Duration

	started bool
	talks   []*talk // oldest first
	current *talk
	recent  []happening
	failed  bool
	lost    error // why the session ended
}

// talk is a conversation, or one that can begin again when something is said.
type talk struct {
	with []string // the handles of the others, sorted; who only left a conversation of two is still meant
	conv venue
	old  []venue // two who call each other at once have two: words may come in either
}

// ended takes a conversation out.
func (t *talk) ended(conv venue) {
	t.old = slices.DeleteFunc(t.old, func(o venue) bool { return o == conv })
	if t.conv != conv {
		return
	}
	t.conv = nil // the next words begin another one, unless
	if n := len(t.old); n > 0 {
		t.conv, t.old = t.old[n-1], t.old[:n-1]
	}
}

// leave leaves all of it.
func (t *talk) leave() {
	for _, o := range t.old {
		o.leave()
	}
	if t.conv != nil {
		t.conv.leave()
	}
}

// happening is something that /wait can wait for.
type happening struct{ kind, who string }

// maxRecent bounds what /wait looks back on.
const maxRecent = 1000

func newChat(e *env, who im.Address) *chat {
	_, typed := terminal(e.in)
	_, shown := terminal(e.out)
	return &chat{out: e.out, err: e.err, stamp: shown, talking: typed, who: who, lines: make(chan string), joinTime: joinTime}
}

// run chats until /quit, the end of the input, of the context or of the session.
func (c *chat) run(ctx context.Context, in *bufio.Reader) error {
	if err := c.arrive(ctx); err != nil {
		return err
	}
	stop := make(chan struct{}) // closed at the end
	defer close(stop)
	go c.read(in, stop) // ends with the input; one that waits for a terminal ends with the process
	for {
		ready := c.drain(ctx)
		if c.lost != nil {
			return fmt.Errorf("the session is over: %w", c.lost)
		}
		select {
		case <-ready:
		case <-ctx.Done():
			return nil
		case line, ok := <-c.lines:
			if !ok {
				return c.result()
			}
			if err := c.line(ctx, line); errors.Is(err, errQuit) {
				return c.result()
			} else {
				c.fail(err)
			}
		}
	}
}

// errQuit ends the chat.
var errQuit = errors.New("quit")

// result is the error of a run in which something failed; it has been told.
func (c *chat) result() error {
	if c.failed && !c.talking {
		return saidError{}
	}
	return nil
}

func (c *chat) fail(err error) {
	if err != nil {
		c.failed = true
		fmt.Fprintf(c.err, "! %v\n", err)
	}
}

// read hands the lines of the input on, one at a time.
func (c *chat) read(in *bufio.Reader, stop <-chan struct{}) {
	defer close(c.lines)
	for {
		line, err := in.ReadString('\n')
		if line = strings.TrimSpace(line); line != "" {
			select {
			case c.lines <- line:
			case <-stop:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// arrive gets the lists, shows oneself, and prints who is there.
func (c *chat) arrive(ctx context.Context) error {
	if err := c.m.arrive(ctx); err != nil {
		return err
	}
	address, name, server := c.m.self()
	c.say("logged in as %s at %s", person(address, name), server)
	c.list()
	c.drain(ctx)
	c.started = true
	if c.talking {
		c.say("/msg ADDRESS TEXT says something to somebody, /help lists all commands")
	}
	return nil
}

// drain shows what has happened, and gives what is closed when more does.
func (c *chat) drain(ctx context.Context) <-chan struct{} {
	for {
		if ready := c.m.step(ctx, c); ready != nil {
			return ready
		}
	}
}

// during does something that waits for the service, and goes on showing what happens.
func (c *chat) during(ctx context.Context, act func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- act(ctx) }() // ends with act, which heeds ctx
	for {
		ready := c.drain(ctx)
		select {
		case err := <-done:
			c.drain(ctx)
			return err
		case <-ready:
		}
	}
}

// until shows what happens until it is enough, at most for so long.
func (c *chat) until(ctx context.Context, d time.Duration, enough func() bool) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		ready := c.drain(ctx)
		if enough() {
			return true
		}
		select {
		case <-ready:
		case <-t.C:
			return false
		case <-ctx.Done():
			return false
		}
		if c.lost != nil {
			return enough()
		}
	}
}

func (c *chat) happened(kind, who string) {
	if len(c.recent) == maxRecent {
		c.recent = slices.Delete(c.recent, 0, maxRecent/2)
	}
	c.recent = append(c.recent, happening{kind, who})
}

// talkOf is the talk that a conversation belongs to; nil when there is none.
func (c *chat) talkOf(conv venue) *talk {
	for _, t := range c.talks {
		if t.conv == conv || slices.Contains(t.old, conv) {
			return t
		}
	}
	return nil
}

// talkWith is the newest talk with exactly these people, or a new one.
func (c *chat) talkWith(who []string) *talk {
	slices.Sort(who)
	who = slices.Compact(who)
	for _, t := range slices.Backward(c.talks) {
		if slices.Equal(t.with, who) {
			return t
		}
	}
	t := &talk{with: who}
	c.talks = append(c.talks, t)
	return t
}

func (c *chat) forget(t *talk) {
	c.talks = slices.DeleteFunc(c.talks, func(o *talk) bool { return o == t })
	if c.current == t {
		c.current = nil
	}
}

// gather sees to it that everybody of a talk is in it, or rung. It tells who cannot be, and is an error when
// nobody can.
func (c *chat) gather(ctx context.Context, t *talk) error {
	if t.conv == nil {
		var conv venue
		err := c.during(ctx, func(ctx context.Context) (err error) {
			conv, err = c.m.talk(ctx, t.with)
			return err
		})
		if err != nil {
			return c.m.explain(err, strings.Join(t.with, ", "))
		}
		t.conv = conv
	}
	var errs []error
	in, rung := 0, false
	for _, who := range slices.Clone(t.with) {
		conv := t.conv
		if conv == nil {
			return errors.New("the conversation has ended")
		}
		if slices.Contains(conv.members(), who) {
			in++
			continue
		}
		err := c.during(ctx, func(ctx context.Context) error { return conv.invite(ctx, who) })
		switch {
		case err == nil || errors.Is(err, errThere):
			in++
			rung = rung || err == nil
		default:
			errs = append(errs, c.m.explain(err, who))
		}
	}
	if in == 0 {
		return errors.Join(errs...)
	}
	for _, err := range errs {
		c.fail(err)
	}
	if rung {
		c.until(ctx, c.joinTime, func() bool { return t.conv == nil || len(c.missing(t)) <= len(errs) })
	}
	return nil
}

// missing are the people of a talk who are not in it.
func (c *chat) missing(t *talk) []string {
	if t.conv == nil {
		return t.with
	}
	in := t.conv.members()
	return slices.DeleteFunc(slices.Clone(t.with), func(who string) bool { return slices.Contains(in, who) })
}

// tell says something in a talk, and what became of it.
func (c *chat) tell(ctx context.Context, t *talk, text string) error {
	everybody := strings.Join(t.with, ", ")
	var away []string
	for _, piece := range c.m.pieces(text) {
		var err error
		if away, err = c.deliver(ctx, t, piece); err != nil {
			return fmt.Errorf("not delivered to %s: %w", everybody, err)
		}
	}
	if len(away) == 0 {
		c.say("%s to %s", c.m.sent(), everybody)
	} else {
		c.say("stored for %s, who did not answer yet", strings.Join(away, ", "))
	}
	return nil
}

// maxTries is how often somebody is called who leaves as they are spoken to.
const maxTries = 3

// deliver says one piece, and gives who will get it later. Who left as it was said did not get it (NAK, draft
// 8.7) and is called again: two who called each other at once do that, each in the conversation that they keep. With
// several others nobody can tell who got it.
func (c *chat) deliver(ctx context.Context, t *talk, piece []byte) (away []string, err error) {
	for range maxTries {
		if err = c.gather(ctx, t); err != nil {
			return nil, err
		}
		away = c.missing(t)
		conv := t.conv
		if conv == nil {
			return nil, errors.New("the conversation has ended")
		}
		err = c.during(ctx, func(ctx context.Context) error { return conv.say(ctx, piece) })
		if !errors.Is(err, errNotDelivered) || len(t.with) > 1 {
			break
		}
	}
	return away, c.m.explain(err, strings.Join(t.with, ", "))
}
