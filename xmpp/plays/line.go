package plays

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// line is a connection that can go on with TLS while somebody waits for what comes on it. A goroutine of its own
// takes all that arrives, so that a service on a pipe is never held up.
type line struct {
	net.Conn
	pump sync.WaitGroup

	mu    sync.Mutex // guards what follows
	in    []byte     // what came and was not read
	err   error      // why no more comes
	more  chan struct{}
	hold  bool      // TLS is being agreed: what comes is not for Read
	inner *tls.Conn // nil: none
}

func newLine(c net.Conn) *line {
	l := &line{Conn: c, more: make(chan struct{})}
	l.pump.Go(l.take) // ends with the connection, which Close closes
	return l
}

func (l *line) take() {
	b := make([]byte, 4096)
	for {
		n, err := l.Conn.Read(b)
		l.mu.Lock()
		l.in = append(l.in, b[:n]...)
		l.err = err
		l.changed()
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// changed wakes all who wait. The caller holds l.mu.
func (l *line) changed() {
	close(l.more)
	l.more = make(chan struct{})
}

// Read reads what came, from inside TLS if there is any.
func (l *line) Read(b []byte) (int, error) {
	for {
		l.mu.Lock()
		inner, hold, more := l.inner, l.hold, l.more
		if inner == nil && !hold {
			if n := copy(b, l.in); n > 0 || l.err != nil {
				l.in = l.in[n:]
				err := l.err
				l.mu.Unlock()
				if n > 0 {
					err = nil
				}
				return n, err
			}
		}
		l.mu.Unlock()
		if inner != nil {
			return inner.Read(b)
		}
		<-more
	}
}

// Write writes, inside TLS if there is any.
func (l *line) Write(b []byte) (int, error) {
	l.mu.Lock()
	inner := l.inner
	l.mu.Unlock()
	if inner != nil {
		return inner.Write(b)
	}
	return l.Conn.Write(b)
}

// Close closes the connection; TLS is told so.
func (l *line) Close() error {
	l.mu.Lock()
	inner := l.inner
	l.mu.Unlock()
	if inner != nil {
		l.Conn.SetWriteDeadline(time.Now().Add(time.Second))
		inner.CloseWrite()
	}
	err := l.Conn.Close()
	l.pump.Wait()
	return err
}

// agrees is how long a service may take to agree on TLS.
const agrees = 10 * time.Second

// secure goes on with TLS.
func (l *line) secure(cfg *tls.Config) error {
	l.mu.Lock()
	l.hold = true
	l.mu.Unlock()
	t := tls.Client(under{l}, cfg)
	ctx, cancel := context.WithTimeout(context.Background(), agrees)
	defer cancel()
	err := t.HandshakeContext(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hold = false
	if err == nil {
		l.inner = t
	}
	l.changed()
	return err
}

// tlsState is that of the connection's TLS; ok is false without any.
func (l *line) tlsState() (s tls.ConnectionState, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inner == nil {
		return s, false
	}
	return l.inner.ConnectionState(), true
}

// under is a line as TLS sees it.
type under struct{ *line }

func (u under) Read(b []byte) (int, error) {
	l := u.line
	for {
		l.mu.Lock()
		n := copy(b, l.in)
		l.in = l.in[n:]
		err, more := l.err, l.more
		l.mu.Unlock()
		switch {
		case n > 0:
			return n, nil
		case err != nil:
			return 0, err
		}
		<-more
	}
}

func (u under) Write(b []byte) (int, error) { return u.line.Conn.Write(b) }
func (u under) Close() error                { return u.line.Conn.Close() }
