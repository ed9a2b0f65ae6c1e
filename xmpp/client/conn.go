package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"parley/listen"
	"parley/xmltext"
	"parley/xmpp/wire"
)

// limits bound what a service that reads nothing can make its client hold.
var limits = listen.Limits{Queue: 4 << 20, Presence: 4 << 20, Stall: time.Minute}

// conn is one connection: requests that wait for their answers, and what is read. Until the login is done it belongs
// to the goroutine of Dial, then to the reader; write and what the mutex guards are anybody's.
type conn struct {
	stream    *listen.Stream
	scan      xmltext.Scanner
	doc       xmltext.Doc
	used      int    // bytes of the last element, dropped with the next read
	mechanism string // as agreed
	features  string // those of the last stream
	timeout   time.Duration
	over      chan struct{} // closed by the reader when it ends; err is set then
	said      *EndError     // the stream error that came

	mu    sync.Mutex // guards what follows
	waits map[string]*wait
	own   bool // this side ends it
	left  bool // the end was said
	ended bool
	err   error
}

// wait is an IQ that is not answered yet.
type wait struct {
	to   string
	take func(iq xmltext.Node) // gets the answer on the reader's goroutine; may be nil
	done chan error            // gets one; it has room for it
}

func newConn(c net.Conn, timeout time.Duration) *conn {
	n := &conn{timeout: timeout, over: make(chan struct{}), waits: map[string]*wait{}}
	n.scan.Limits = xmltext.Limits{Bytes: longest, Depth: deepest, Nodes: most}
	n.stream = listen.NewStream(c, &limits)
	return n
}

// next reads the next element, the header or the end of the stream; c.doc tells of it until the next call.
func (c *conn) next() (xmltext.Event, error) {
	c.stream.Consume(c.used)
	c.used = 0
	for {
		n, e, err := c.scan.Next(&c.doc, c.stream.Pending())
		switch {
		case err != nil:
			return 0, err
		case e != xmltext.More:
			c.used = n
			return e, nil
		}
		c.stream.Consume(n)
		if err := c.stream.Fill(); err != nil {
			return 0, err
		}
	}
}

// element reads the next element; the end of the stream and a stream error are errors.
func (c *conn) element() (xmltext.Node, error) {
	e, err := c.next()
	switch {
	case err != nil:
		if c.said != nil {
			return xmltext.Node{}, c.said
		}
		return xmltext.Node{}, err
	case e == xmltext.Footer:
		if c.said != nil {
			return xmltext.Node{}, c.said
		}
		return xmltext.Node{}, &EndError{}
	}
	n := c.doc.Root()
	if n.Is(wire.NSStream, "error") {
		c.said = &EndError{}
		c.said.Condition, c.said.Text, _ = condition(n, wire.NSStreams)
		return c.element()
	}
	return n, nil
}

// read serves elements until the connection ends.
func (c *conn) read(serve func(xmltext.Node)) {
	var err error
	for {
		var n xmltext.Node
		if n, err = c.element(); err != nil {
			break
		}
		if !(n.Is(wire.NSClient, "iq") && c.answer(n)) {
			serve(n)
		}
	}
	c.finish(err)
}

// finish ends what still waits. The reader calls it last.
func (c *conn) finish(err error) {
	c.leave(false) // in answer to the service's own end: RFC 6120 4.4
	c.stream.Close()
	var end *EndError
	if !errors.As(err, &end) {
		end = &EndError{Err: err}
	}
	c.mu.Lock()
	c.ended = true
	if c.own {
		c.err = ErrClosed
	} else {
		c.err = end
	}
	l := c.waits
	c.waits = nil
	err = c.err
	c.mu.Unlock()
	for _, w := range l {
		w.done <- err
	}
	close(c.over)
}

// ending is the error with which the stream ended; nil when this side ended it, or before.
func (c *conn) ending() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(c.err, ErrClosed) {
		return nil
	}
	return c.err
}

// answer gives an IQ of type result or error to the request that it answers: RFC 6120 8.2.3. One that answers
// nothing is passed over.
func (c *conn) answer(iq xmltext.Node) bool {
	typ := attr(iq, "type")
	if typ != "result" && typ != "error" {
		return false
	}
	id, from := attr(iq, "id"), attr(iq, "from")
	c.mu.Lock()
	w := c.waits[id]
	if w != nil && (w.to == "" || strings.EqualFold(w.to, from) || from == "") {
		delete(c.waits, id)
	} else {
		w = nil
	}
	c.mu.Unlock()
	switch {
	case w == nil:
	case typ == "error":
		w.done <- stanzaError(iq)
	default:
		if w.take != nil {
			w.take(iq)
		}
		w.done <- nil
	}
	return true
}

// ask sends an IQ and waits for its answer. After an error nothing that take has written may be read: it may still
// run.
func (c *conn) ask(ctx context.Context, id, to, xml string, take func(xmltext.Node)) error {
	w := &wait{to: to, take: take, done: make(chan error, 1)}
	c.mu.Lock()
	if c.ended || c.own {
		c.mu.Unlock()
		return ErrClosed
	}
	c.waits[id] = w
	c.mu.Unlock()
	err := c.write([]byte(xml))
	if err == nil {
		err = await(ctx, c.timeout, w.done)
	}
	c.mu.Lock()
	delete(c.waits, id)
	c.mu.Unlock()
	return err
}

// await waits for the end of a request.
func await(ctx context.Context, timeout time.Duration, done <-chan error) error {
	t := time.NewTimer(timeout)
	defer t.Stop()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return fmt.Errorf("%w (%v)", ErrTimeout, timeout)
	}
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

// leave ends the stream from this side, RFC 6120 4.4; own says that it is this side's wish. The reader ends when the
// service does the same.
func (c *conn) leave(own bool) {
	c.mu.Lock()
	was := c.own || c.ended || c.left
	c.left = true
	c.own = c.own || own
	c.mu.Unlock()
	if !was {
		c.write([]byte("</stream:stream>"))
	}
}

// cut ends the connection at once.
func (c *conn) cut() {
	c.mu.Lock()
	c.own = true
	c.mu.Unlock()
	c.stream.Close()
}
