package transcript

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// Dial opens the connection of a name. where is what @open gives, "" when a script just begins to use the name.
type Dial func(name, where string) (net.Conn, error)

// Options says how to play.
type Options struct {
	Codec  Codec                   // how things travel; nil: Lines without payloads
	Codecs func(name string) Codec // for connections that have a codec of their own; may be nil, or give nil

	// Bubble: the play runs inside a bubble of testing/synctest, where it can be known that nothing more will come,
	// and where time is moved. Outside, a script that moves the clock fails: see MovesClock.
	Bubble bool
	// Patience is how long the next thing may take. 0: five seconds, but in a bubble no time at all, so that an
	// answer that a timer has to bring needs an @advance.
	Patience time.Duration
	// Quiet is how long silence is listened to outside a bubble. 0: 100 milliseconds.
	Quiet time.Duration

	// Funcs are called by ${name value}, with the connection's name and the value.
	Funcs map[string]func(conn, value string) (string, error)
	// Directives are called by @name and its words.
	Directives map[string]func(args []string) error
}

// Failure is where a play did not go as written. Its text has several lines.
type Failure struct {
	Pos      Pos
	Title    string // of the script
	Why      string
	Want     string   // "" when nothing in particular was expected
	Got      string   // "" when nothing came
	Dialogue []string // what was said and heard before, the last lines of it
}

func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s", f.Pos, f.Title, f.Why)
	section := func(title, text string) {
		if text != "" {
			fmt.Fprintf(&b, "\n  %s\n    %s", title, strings.ReplaceAll(text, "\n", "\n    "))
		}
	}
	section("expected", f.Want)
	section("got", f.Got)
	section("after", strings.Join(f.Dialogue, "\n"))
	return b.String()
}

// Play plays a script and fails the test where it does not go as written. All connections are closed at its end.
func Play(t testing.TB, s Script, dial Dial, o Options) {
	t.Helper()
	if err := Run(s, dial, o); err != nil {
		t.Fatal(err)
	}
}

// Run is Play without a test; its error is a *Failure.
func Run(s Script, dial Dial, o Options) error {
	p := &player{script: s, dial: dial, o: o, conns: map[string]*conn{}}
	p.values = values{map[string]string{}, o.Funcs}
	if p.o.Patience <= 0 && !o.Bubble {
		p.o.Patience = 5 * time.Second
	}
	if p.o.Quiet <= 0 {
		p.o.Quiet = 100 * time.Millisecond
	}
	defer p.end()
	for _, st := range s.Steps {
		if f := p.step(st); f != nil {
			return p.failure(st.Pos, f)
		}
	}
	if n := len(s.Steps); n > 0 {
		if f := p.nothingUnread(); f != nil {
			return p.failure(s.Steps[n-1].Pos, f)
		}
	}
	return nil
}

// player plays one script. It belongs to the goroutine of Run.
type player struct {
	values
	script Script
	dial   Dial
	o      Options
	conns  map[string]*conn
	order  []*conn // all that were ever opened
	said   []string
}

// fault is a failure that does not know yet where it is.
type fault struct{ why, want, got string }

func faultf(format string, args ...any) *fault { return &fault{why: fmt.Sprintf(format, args...)} }

const shownLines = 30

func (p *player) failure(at Pos, f *fault) error {
	said := p.said
	if len(said) > shownLines {
		said = append([]string{"..."}, said[len(said)-shownLines:]...)
	}
	return &Failure{at, p.script.Title, f.why, f.want, f.got, said}
}

func (p *player) step(st Step) *fault {
	switch st.Act {
	case Say:
		return p.say(st)
	case Expect:
		return p.expect(st)
	}
	line, err := p.values.say("", st.Head)
	if err != nil {
		return faultf("%v", err)
	}
	words := strings.Fields(line)
	p.said = append(p.said, strings.TrimSpace("@"+st.Name+" "+strings.Join(words, " ")))
	return p.direct(st.Name, words)
}

// label is a connection in words.
func label(name string) string {
	if name == "" {
		return "the client"
	}
	return name
}

func (p *player) note(name string, act, text string) {
	if name != "" {
		name += " "
	}
	p.said = append(p.said, strings.Split(name+act+": "+show(text), "\n")...)
}

func (p *player) say(st Step) *fault {
	c, f := p.conn(st.Name)
	if f != nil {
		return f
	}
	head, err := p.values.say(st.Name, st.Head)
	if err != nil {
		return faultf("%v", err)
	}
	var more []string
	for _, l := range st.More {
		if l, err = p.values.say(st.Name, l); err != nil {
			return faultf("%v", err)
		}
		more = append(more, l)
	}
	b, err := c.codec.Bytes(head, more)
	if err != nil {
		return faultf("%v", err)
	}
	p.note(st.Name, "C", string(b))
	if err := c.SetWriteDeadline(time.Now().Add(takes)); err != nil && !gone(err) {
		return faultf("%s cannot speak: %v", label(st.Name), err)
	}
	// A server may well close while it is being spoken to; whether it should is for the next line to say.
	if _, err := c.Write(b); err != nil && !gone(err) {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return faultf("the server did not read what %s said for %v", label(st.Name), takes)
		}
		return faultf("%s cannot speak: %v", label(st.Name), err)
	}
	return nil
}

// takes is how long a server may take to read what is said.
const takes = 10 * time.Second

func gone(err error) bool {
	return errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

func (p *player) expect(st Step) *fault {
	c, f := p.conn(st.Name)
	if f != nil {
		return f
	}
	want := showLines(st.Head, st.More)
	got, state := p.next(c)
	switch state {
	case nothing:
		return &fault{label(st.Name) + " hears nothing", want, ""}
	case closed:
		return &fault{fmt.Sprintf("%s was closed: %v", label(st.Name), c.err), want, ""}
	}
	var bad error
	err := c.codec.Compare(st.Head, st.More, got, func(pattern, text string) bool {
		ok, err := p.match(st.Name, pattern, text)
		if err != nil {
			bad = err
		}
		return ok
	})
	switch {
	case bad != nil:
		return faultf("%v", bad)
	case err != nil:
		return &fault{label(st.Name) + " hears something else: " + err.Error() + p.meant(want), want, show(got)}
	}
	p.note(st.Name, "S", got)
	return nil
}

// meant lists the learned values that a pattern refers to.
func (p *player) meant(pattern string) string {
	l, err := parts(pattern)
	if err != nil {
		return ""
	}
	var b strings.Builder
	for _, part := range l {
		if v, ok := p.learned[part.text]; ok && part.ref {
			fmt.Fprintf(&b, "; %s is %q", part.text, v)
		}
	}
	return b.String()
}

func (p *player) direct(name string, words []string) *fault {
	one := func() (string, *fault) {
		if len(words) > 1 {
			return "", faultf("@%s takes the name of a connection", name)
		}
		return strings.Join(words, ""), nil
	}
	switch name {
	case "open":
		if len(words) < 1 {
			return faultf("@open takes a name and where to")
		}
		if _, ok := p.conns[words[0]]; ok {
			return faultf("%s is open already", words[0])
		}
		_, f := p.open(words[0], strings.Join(words[1:], " "))
		return f
	case "close", "closed", "ignore":
		who, f := one()
		if f != nil {
			return f
		}
		c, f := p.conn(who)
		if f != nil {
			return f
		}
		switch name {
		case "close":
			c.Close()
			delete(p.conns, who)
		case "ignore":
			c.ignored.Store(true)
			for len(c.things) > 0 {
				<-c.things
			}
		case "closed":
			return p.closed(c)
		}
		return nil
	case "advance":
		d, err := time.ParseDuration(strings.Join(words, ""))
		if err != nil || d <= 0 {
			return faultf("@advance takes a duration, as 3m")
		}
		return p.sleep(d)
	case "silence":
		who, d, err := silence(words)
		if err != nil {
			return faultf("%v", err)
		}
		return p.silent(who, d, who != "" || p.conns[""] != nil)
	}
	f, ok := p.o.Directives[name]
	if !ok {
		return faultf("there is no directive @%s", name)
	}
	if err := f(words); err != nil {
		return faultf("@%s: %v", name, err)
	}
	return nil
}

func (p *player) closed(c *conn) *fault {
	got, state := p.next(c)
	switch state {
	case nothing:
		return faultf("%s is still open", label(c.name))
	case heard:
		return &fault{label(c.name) + " hears something instead of being closed", "", show(got)}
	}
	if c.err != io.EOF && !gone(c.err) {
		return faultf("%s was closed: %v", label(c.name), c.err)
	}
	c.Close()
	delete(p.conns, c.name)
	return nil
}

func (p *player) sleep(d time.Duration) *fault {
	if !p.o.Bubble {
		return faultf("time can be moved in a bubble only")
	}
	time.Sleep(d)
	synctest.Wait()
	return nil
}

// silent checks that nothing came: to one connection, or to all.
func (p *player) silent(who string, d time.Duration, one bool) *fault {
	switch {
	case p.o.Bubble:
		synctest.Wait()
		if d > 0 {
			p.sleep(d)
		}
	case d > 0:
		return p.sleep(d)
	default:
		time.Sleep(p.o.Quiet)
	}
	for _, c := range p.order {
		if p.conns[c.name] != c || one && c.name != who {
			continue
		}
		switch got, state := c.poll(); state {
		case heard:
			return &fault{label(c.name) + " hears something", "", show(got)}
		case closed:
			if one {
				return faultf("%s was closed: %v", label(c.name), c.err)
			}
		}
	}
	if _, ok := p.conns[who]; one && !ok {
		return faultf("%s is not open", label(who))
	}
	return nil
}

func (p *player) nothingUnread() *fault {
	if p.o.Bubble {
		synctest.Wait()
	}
	for _, c := range p.order {
		if p.conns[c.name] != c {
			continue
		}
		if got, state := c.poll(); state == heard {
			return &fault{label(c.name) + " has heard something more at the end", "", show(got)}
		}
	}
	return nil
}

// conn is one connection. A goroutine of its own reads it all the time, so that a server is never held up by what
// the script looks at first.
type conn struct {
	net.Conn
	name    string
	codec   Codec
	things  chan string // what came; closed by the reader
	err     error       // why the reader ended; to be read once things is closed
	ignored atomic.Bool
	done    chan struct{} // closed by the player when it listens no more
	reader  sync.WaitGroup
}

func (p *player) conn(name string) (*conn, *fault) {
	if c, ok := p.conns[name]; ok {
		return c, nil
	}
	return p.open(name, "")
}

const unread = 4096

func (p *player) open(name, where string) (*conn, *fault) {
	nc, err := p.dial(name, where)
	if err != nil {
		return nil, faultf("%s cannot be opened: %v", label(name), err)
	}
	c := &conn{Conn: nc, name: name, codec: p.o.Codec, things: make(chan string, unread), done: make(chan struct{})}
	if p.o.Codecs != nil {
		if own := p.o.Codecs(name); own != nil {
			c.codec = own
		}
	}
	if c.codec == nil {
		c.codec = Lines{}
	}
	p.conns[name], p.order = c, append(p.order, c)
	c.reader.Go(c.read) // ends when end closes the connection, which waits for it
	return c, nil
}

func (c *conn) read() {
	defer close(c.things)
	r := bufio.NewReader(c.Conn)
	for {
		thing, err := c.codec.Read(r)
		if err != nil {
			c.err = err
			return
		}
		if c.ignored.Load() {
			continue
		}
		select {
		case c.things <- thing:
		case <-c.done:
			c.err = net.ErrClosed
			return
		}
	}
}

// state is what there is to hear.
type state uint8

const (
	nothing state = iota
	heard
	closed
)

func (c *conn) poll() (string, state) {
	select {
	case thing, ok := <-c.things:
		if !ok {
			return "", closed
		}
		return thing, heard
	default:
		return "", nothing
	}
}

// next is the next thing that comes, or that the connection is closed.
func (p *player) next(c *conn) (string, state) {
	if p.o.Bubble {
		synctest.Wait()
	}
	thing, s := c.poll()
	if s != nothing || p.o.Patience <= 0 {
		return thing, s
	}
	timer := time.NewTimer(p.o.Patience)
	defer timer.Stop()
	select {
	case thing, ok := <-c.things:
		if !ok {
			return "", closed
		}
		return thing, heard
	case <-timer.C:
		return "", nothing
	}
}

func (p *player) end() {
	for _, c := range p.order {
		close(c.done)
		c.Close()
	}
	for _, c := range p.order {
		c.reader.Wait()
	}
}

// show writes a thing as a script would.
func show(thing string) string {
	head, body, ok := strings.Cut(thing, crlf)
	if !ok || strings.Contains(head, "\n") {
		return printable(thing)
	}
	if body == "" {
		return printable(head)
	}
	return showLines(printable(head), strings.Split(body, crlf))
}

func showLines(head string, more []string) string {
	l := []string{head}
	for _, line := range more {
		if line == "" {
			line = "."
		}
		l = append(l, "  "+printable(line))
	}
	return strings.Join(l, "\n")
}

const shownBytes = 1500

// printable is s, or how Go would write it where it could not be seen; a long one is cut.
func printable(s string) string {
	if len(s) > shownBytes {
		return printable(s[:shownBytes]) + fmt.Sprintf("... (%d bytes)", len(s))
	}
	for _, r := range s {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == '\uFFFD' {
			return fmt.Sprintf("%q", s)
		}
	}
	return s
}
