package listen

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// secured is TLS between a stream and its socket. It is the net.Conn below a tls.Conn: what
// was read from the socket it hands up, or says that there is no more now, without waiting;
// what comes down it keeps for the stream's writer. Only the handshake waits, in the goroutine
// that reads.
//
// To a tls.Conn it hands one record at a time, and never the beginning of the next: what a
// tls.Conn has buffered once it holds for life.
type secured struct {
	s    *Stream
	conn *tls.Conn

	// Of the goroutine that reads.
	shaking bool
	head    [recordHead]byte // of the record that is being handed up
	have    int              // bytes of head handed up
	left    int              // bytes of the record that follow
	in      []byte           // what was read and not handed up; empty while nobody reads
	pooled  *[]byte          // where in lies
	end     error            // the socket's
	err     error            // how reading ended; after all that came before

	mu        sync.Mutex // guards out, which the reader adds to as well: alerts, changes of keys
	out       []byte
	outPooled *[]byte

	// Of whoever has set writing.
	going       []byte // what was in out, and the socket has not taken
	goingPooled *[]byte
	farewelled  bool
}

const (
	recordHead = 5
	recordBody = 16 << 10 // of plain text
)

// Why TLS did not begin, beside the errors of crypto/tls and of the connection.
var (
	ErrPipelined = errors.New("listen: the client sent plain text behind its wish for TLS")
	ErrSecured   = errors.New("listen: TLS has begun already")
)

// StartTLS waits until all that is queued is written, shakes hands as a server, and has the stream
// go on over TLS: Pending is plain text from there on, and what is put is encrypted. It is called by the goroutine
// that reads, with nothing pending: what a stranger slipped in before the handshake must not count as said over TLS,
// and is [ErrPipelined] (RFC 6120 5.3.3).
//
// The handshake may take so long as timeout says, 0 meaning any time; the read deadline of the connection holds as well. After
// an error the stream is closed. What others put meanwhile is written when it is done.
func (s *Stream) StartTLS(cfg *tls.Config, timeout time.Duration) error {
	if s.tls != nil {
		return ErrSecured
	}
	if len(s.Pending()) > 0 {
		s.Close()
		return ErrPipelined
	}
	s.park()
	var late atomic.Bool
	if timeout > 0 {
		timer := time.AfterFunc(timeout, func() {
			late.Store(true)
			s.Close()
		})
		defer timer.Stop()
	}
	switch err := s.shake(cfg); {
	case late.Load():
		return fmt.Errorf("listen: TLS handshake: not done within %s", timeout)
	case err != nil:
		s.Close()
		return fmt.Errorf("listen: TLS handshake: %w", err)
	}
	s.write(false)
	return nil
}

// shake takes the writing of the stream for itself, and leaves it taken after success.
func (s *Stream) shake(cfg *tls.Config) error {
	if err := s.claim(); err != nil {
		return err
	}
	t := &secured{s: s, shaking: true}
	t.conn = tls.Server(t, cfg)
	if err := t.conn.Handshake(); err != nil {
		return err
	}
	t.shaking = false
	s.mu.Lock()
	s.tls = t
	s.mu.Unlock()
	return nil
}

// claim sets writing when all is written.
func (s *Stream) claim() error {
	for {
		s.mu.Lock()
		switch {
		case s.closed || s.finished:
			s.mu.Unlock()
			return ErrClosed
		case !s.writing && len(s.queue) == 0:
			s.writing = true
			s.mu.Unlock()
			return nil
		}
		s.mu.Unlock()
		w := make(written, 1)
		if _, err := s.Put(Item{Settle: w}); err != nil {
			return err
		}
		s.Flush()
		if err := <-w; err != nil { // settled by the writer, or by Close
			return err
		}
	}
}

// written is told when an item is.
type written chan error

func (w written) Done()            { w <- nil }
func (w written) Return(why error) { w <- why }

// TLS is what was agreed on, or nil for a stream that is plain. For the goroutine that reads.
func (s *Stream) TLS() *tls.ConnectionState {
	if s.tls == nil {
		return nil
	}
	state := s.tls.conn.ConnectionState()
	return &state
}

// fill is Fill and TryFill: once does not wait. It reports whether plain text came.
func (t *secured) fill(once bool) (bool, error) {
	s := t.s
	if !once {
		s.park()
	}
	for {
		if t.err != nil {
			return false, t.err
		}
		s.n, s.err = 0, nil
		if s.raw != nil {
			s.once = once
			err := s.raw.Read(s.tryFn)
			s.once = false
			if err != nil {
				return false, err
			}
		} else {
			t.room()
			s.n, s.err = s.conn.Read(*t.pooled)
			t.in = (*t.pooled)[:max(s.n, 0)]
			var passing net.Error
			if errors.As(s.err, &passing) && passing.Timeout() {
				t.release()
				return false, s.err
			}
		}
		if s.n == 0 && s.err == nil && once {
			return false, nil
		}
		t.end = s.err
		if t.decrypt() {
			return true, nil
		}
	}
}

// try is Stream.try for what is encrypted.
func (t *secured) try(fd uintptr) bool {
	s := t.s
	t.room()
	n, err := readSocket(fd, *t.pooled)
	switch {
	case err == syscall.EAGAIN:
		t.release()
		return s.once
	case err == syscall.EINTR:
		return t.try(fd)
	case err != nil:
		s.err = err
	case n == 0:
		s.err = io.EOF
	default:
		s.n, t.in = n, (*t.pooled)[:n]
	}
	return true
}

// room sees to it that there is a buffer to read into: a large one in the middle of a record that a small
// one would not hold.
func (t *secured) room() {
	switch {
	case t.pooled != nil:
	case t.left > smallBuffer:
		t.pooled = largeBuffers.Get().(*[]byte)
	default:
		t.pooled = smallBuffers.Get().(*[]byte)
	}
}

func (t *secured) release() {
	giveBack(t.pooled)
	t.in, t.pooled = nil, nil
}

// decrypt takes all that was read. It reports whether plain text came of it.
func (t *secured) decrypt() bool {
	s, came := t.s, false
	for t.err == nil {
		s.grow()
		n, err := t.conn.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		came = came || n > 0
		if err == errNoMore {
			break
		}
		t.err = err
	}
	t.release()
	if !came {
		s.park()
	}
	if t.owes() {
		if owes, err := s.Put(Item{}); err == nil && owes { // has the writer look
			s.Flush()
		}
	}
	return came
}

// noMore is an error that a tls.Conn does not remember.
type noMore struct{}

func (noMore) Error() string   { return "listen: nothing more has come" }
func (noMore) Timeout() bool   { return false }
func (noMore) Temporary() bool { return true }

var errNoMore net.Error = noMore{}

// Read hands up at most the rest of a record, or of its head.
func (t *secured) Read(p []byte) (n int, err error) {
	if t.have < recordHead {
		p = p[:min(len(p), recordHead-t.have)]
	} else {
		p = p[:min(len(p), t.left)]
	}
	switch {
	case t.shaking:
		n, err = t.s.conn.Read(p)
	case len(t.in) > 0:
		n = copy(p, t.in)
		t.in = t.in[n:]
	case t.end != nil:
		return 0, t.end
	default:
		return 0, errNoMore
	}
	if t.have < recordHead {
		t.have += copy(t.head[t.have:], p[:n])
		t.left = int(t.head[3])<<8 | int(t.head[4])
	} else {
		t.left -= n
	}
	if t.have == recordHead && t.left == 0 {
		t.have = 0
	}
	return n, err
}

// Write keeps what comes down for the writer.
func (t *secured) Write(p []byte) (int, error) {
	if t.shaking {
		return t.s.conn.Write(p)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.out == nil {
		if len(p) <= smallBuffer {
			t.outPooled = smallBuffers.Get().(*[]byte)
		} else {
			t.outPooled = largeBuffers.Get().(*[]byte)
		}
		t.out = (*t.outPooled)[:0]
	}
	t.out = append(t.out, p...)
	return len(p), nil
}

// owes reports whether something waits for the writer.
func (t *secured) owes() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.out) > 0
}

// next makes out what goes to the socket, when what went before has gone. It reports whether there is anything.
func (t *secured) next() bool {
	if len(t.going) > 0 {
		return true
	}
	giveBack(t.goingPooled)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.going, t.goingPooled = t.out, t.outPooled
	t.out, t.outPooled = nil, nil
	return len(t.going) > 0
}

// send is Stream.send: n counts plain text that is encrypted, all says that it is with the socket.
func (t *secured) send(b []byte, wait bool) (n int, all bool, err error) {
	for {
		for t.next() {
			m, err := t.s.sendBytes(t.going, wait)
			t.going = t.going[m:]
			if err != nil || len(t.going) > 0 {
				return n, false, err
			}
		}
		if n == len(b) {
			return n, true, nil
		}
		m, err := t.conn.Write(b[n:min(n+recordBody, len(b))])
		n += m
		if err != nil {
			return n, false, err
		}
	}
}

// farewell has close_notify wait for the writer, once; true when it does so now. Of a plain stream it does nothing.
func (t *secured) farewell() bool {
	if t == nil || t.farewelled {
		return false
	}
	t.farewelled = true
	return t.conn.CloseWrite() == nil
}

// The rest of a net.Conn: what it is about is the stream's to do.

func (t *secured) Close() error                     { return nil }
func (t *secured) LocalAddr() net.Addr              { return t.s.conn.LocalAddr() }
func (t *secured) RemoteAddr() net.Addr             { return t.s.conn.RemoteAddr() }
func (t *secured) SetDeadline(time.Time) error      { return nil }
func (t *secured) SetReadDeadline(time.Time) error  { return nil }
func (t *secured) SetWriteDeadline(time.Time) error { return nil }
