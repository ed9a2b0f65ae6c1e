package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"parley/listen"
	"parley/msnp"
	"parley/msnp/wire"
)

// limits bound what a service that reads nothing can make its client hold.
var limits = listen.Limits{Queue: 4 << 20, Presence: 4 << 20, Stall: time.Minute}

// Why a request has no answer.
var (
	ErrClosed  = errors.New("the connection is closed")
	ErrTimeout = errors.New("no answer in time")
)

// EndError says how a connection ended that its client did not close.
type EndError struct {
	Reason string    // what OUT said: OTH, SSD; "" when there was none
	Code   msnp.Code // a server error without transaction ID that came before, 0 for none
	Err    error     // of the network; nil when the service closed it in order
}

// Error is the reason in words: draft 7.10.
func (e *EndError) Error() string {
	switch {
	case e.Reason == "OTH":
		return "the same account has logged in elsewhere"
	case e.Reason == "SSD":
		return "the service is shutting down"
	case e.Reason != "":
		return "the service ended the session: " + e.Reason
	case e.Code != 0:
		return "the service ended the session: " + e.Code.Error()
	case e.Err == nil || errors.Is(e.Err, io.EOF):
		return "the service closed the connection"
	}
	return "the connection broke: " + e.Err.Error()
}

// Unwrap is what lies behind.
func (e *EndError) Unwrap() error {
	if e.Code != 0 {
		return e.Code
	}
	return e.Err
}

// conn is one connection: requests that wait for their answers, and a goroutine that reads.
type conn struct {
	stream  *listen.Stream
	addr    string
	timeout time.Duration
	over    chan struct{} // closed by the reader when it ends; err is set then

	// Of the reader.
	framing wire.Framing
	reason  string
	code    msnp.Code

	mu    sync.Mutex // guards what follows
	last  uint32
	waits map[uint32]*wait
	pings []*wait
	own   bool // this side ends it
	ended bool
	err   error
}

// wait is a request that is not answered yet.
type wait struct {
	take func(*wire.Command) (more bool, err error) // gets each line of the answer, on the reader's goroutine
	end  func(error)                                // called once, on the same or by whoever began
}

func newConn(c net.Conn, addr string, timeout time.Duration) *conn {
	return &conn{stream: listen.NewStream(c, &limits), addr: addr, timeout: timeout, over: make(chan struct{}),
		framing: wire.Framing{From: wire.Server}, waits: map[uint32]*wait{}}
}

// read serves commands until the connection ends. serve is asked first, whether it wants a command for itself.
func (c *conn) read(serve func(*wire.Command) bool) {
	var cmd wire.Command
	var err error
	for err == nil {
		var n, more int
		n, more, err = wire.Parse(&cmd, c.stream.Pending(), c.framing)
		c.stream.Consume(n)
		switch {
		case err != nil:
		case more > 0:
			err = c.stream.Fill()
		case cmd.Verb == "OUT":
			c.reason, err = string(cmd.Arg(0)), io.EOF // nothing comes after it
		case cmd.Verb == "QNG":
			c.pong()
		case serve(&cmd) || c.answer(&cmd):
		case cmd.Code() != 0 && cmd.Len() == 0:
			c.code = msnp.Code(cmd.Code())
		}
	}
	c.finish(err)
}

// finish ends what still waits. The reader calls it last.
func (c *conn) finish(err error) {
	c.stream.Close()
	c.mu.Lock()
	c.ended = true
	if c.own {
		c.err = ErrClosed
	} else {
		c.err = &EndError{Reason: c.reason, Code: c.code, Err: err}
	}
	l := c.pings
	for _, w := range c.waits {
		l = append(l, w)
	}
	c.waits, c.pings = nil, nil
	err = c.err
	c.mu.Unlock()
	for _, w := range l {
		w.end(err)
	}
	close(c.over)
}

// ending is the error with which the connection ended; nil when this side ended it, or before.
func (c *conn) ending() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own {
		return nil
	}
	return c.err
}

// answer gives a line to the request that it answers.
func (c *conn) answer(cmd *wire.Command) bool {
	id, ok := cmd.TrID()
	if !ok || id == 0 {
		return false
	}
	c.mu.Lock()
	w := c.waits[id]
	c.mu.Unlock()
	if w == nil {
		return false
	}
	var more bool
	var err error
	if code := cmd.Code(); code != 0 {
		err = msnp.Code(code)
	} else {
		more, err = w.take(cmd)
	}
	if (!more || err != nil) && c.drop(id) {
		w.end(err)
	}
	return true
}

func (c *conn) pong() {
	c.mu.Lock()
	var w *wait
	if len(c.pings) > 0 {
		w, c.pings = c.pings[0], c.pings[1:]
	}
	c.mu.Unlock()
	if w != nil {
		w.end(nil)
	}
}

// drop forgets a request, and reports whether it was still there.
func (c *conn) drop(id uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.waits[id]
	delete(c.waits, id)
	return ok
}

// request is what is asked; w may be nil when no answer is expected.
type request struct {
	verb    string
	args    []string
	payload []byte
	body    bool // carries the payload, be it empty
	w       *wait
}

// begin sends a request.
func (c *conn) begin(r request) (id uint32, err error) {
	c.mu.Lock()
	if c.ended || c.own {
		err = c.err
		c.mu.Unlock()
		if err == nil {
			err = ErrClosed
		}
		return 0, err
	}
	if c.last++; c.last == 0 {
		c.last = 1
	}
	id = c.last
	if r.w != nil {
		c.waits[id] = r.w
	}
	c.mu.Unlock()
	line := make([]byte, 0, 64+len(r.payload))
	if r.body {
		line = wire.AppendPayload(line, r.verb, int64(id), r.payload, r.args...)
	} else {
		line = wire.AppendCommand(line, r.verb, int64(id), r.args...)
	}
	if err := c.write(line); err != nil {
		c.drop(id)
		return 0, err
	}
	return id, nil
}

// write queues bytes and writes what the socket takes.
func (c *conn) write(b []byte) error {
	owes, err := c.stream.Put(listen.Item{B: b})
	switch {
	case errors.Is(err, listen.ErrOverflow):
		return errors.New("the service reads too slowly")
	case err != nil:
		return ErrClosed
	case owes:
		c.stream.Flush()
	}
	return nil
}

// ask sends a request and waits until take has seen its whole answer. After an error nothing that take has written
// may be read: it may still run.
func (c *conn) ask(ctx context.Context, r request, take func(*wire.Command) (more bool, err error)) error {
	done := make(chan error, 1)
	r.w = &wait{take: take, end: func(err error) { done <- err }}
	id, err := c.begin(r)
	if err == nil {
		err = c.await(ctx, done)
		c.drop(id)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.verb, err)
	}
	return nil
}

// await waits for the end of a request.
func (c *conn) await(ctx context.Context, done <-chan error) error {
	t := time.NewTimer(c.timeout)
	defer t.Stop()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return fmt.Errorf("%w (%v)", ErrTimeout, c.timeout)
	}
}

// ping asks for a sign of life: dialects 9.2.
func (c *conn) ping(ctx context.Context) error {
	done := make(chan error, 1)
	c.mu.Lock()
	if c.ended || c.own {
		c.mu.Unlock()
		return fmt.Errorf("PNG: %w", ErrClosed)
	}
	c.pings = append(c.pings, &wait{end: func(err error) { done <- err }})
	c.mu.Unlock()
	err := c.write([]byte("PNG" + wire.CRLF))
	if err == nil {
		err = c.await(ctx, done)
	}
	if err != nil {
		return fmt.Errorf("PNG: %w", err)
	}
	return nil
}

// leave says OUT and lets the reader end with the connection: draft 7.10, 8.6.
func (c *conn) leave() {
	c.mu.Lock()
	was := c.own || c.ended
	c.own = true
	c.mu.Unlock()
	if !was {
		c.write([]byte("OUT" + wire.CRLF))
		c.stream.Finish()
	}
}

// cut ends the connection at once.
func (c *conn) cut() {
	c.mu.Lock()
	c.own = true
	c.mu.Unlock()
	c.stream.Close()
}

// Reply is an answer of one line.
type Reply struct {
	Verb string
	Args []string // without the transaction ID
}

// Arg is argument i, "" when there are not so many.
func (r Reply) Arg(i int) string {
	if i < 0 || i >= len(r.Args) {
		return ""
	}
	return r.Args[i]
}

// reply copies a command.
func reply(cmd *wire.Command) Reply {
	r := Reply{Verb: cmd.Verb}
	if n := cmd.Len() - 1; n > 0 {
		r.Args = make([]string, 0, n)
	}
	for i, a := range cmd.Args() {
		if i > 0 {
			r.Args = append(r.Args, string(a))
		}
	}
	return r
}

// do is ask for an answer of one line with one of these verbs; the request's own when none is given.
func (c *conn) do(ctx context.Context, r request, verbs ...string) (Reply, error) {
	var got Reply
	err := c.ask(ctx, r, func(cmd *wire.Command) (bool, error) {
		ok := len(verbs) == 0 && cmd.Verb == r.verb
		for _, v := range verbs {
			ok = ok || cmd.Verb == v
		}
		if !ok {
			return false, fmt.Errorf("answered by %s", cmd.Verb)
		}
		got = reply(cmd)
		return false, nil
	})
	if err != nil {
		return Reply{}, err
	}
	return got, nil
}
