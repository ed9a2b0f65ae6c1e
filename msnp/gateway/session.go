package gateway

import (
	"context"
	"net"
	"sync"
	"time"
)

// session is a conversation of one client with one server: dialects 9.6.
type session struct {
	g    *Gateway
	id   string
	host string // where its requests go
	conn net.Conn

	grown chan struct{} // something was said, or the server has ended; never closed
	room  chan struct{} // what was said was taken; never closed
	done  chan struct{} // closed by end
	idle  *time.Timer   // ends the session when no request comes

	mu    sync.Mutex // guards what follows
	busy  bool       // a request has it
	ended bool
	over  bool   // the server has ended
	out   []byte // what it said, and nobody has asked for
}

// begin takes the session for a request.
func (s *session) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy || s.ended {
		return false
	}
	s.busy = true
	s.idle.Stop()
	return true
}

// finish gives it back; false: it has ended.
func (s *session) finish() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	if !s.ended {
		s.idle.Reset(s.g.c.Idle)
	}
	return !s.ended
}

// rest ends a session that no request has come for.
func (s *session) rest() {
	s.mu.Lock()
	busy := s.busy
	s.mu.Unlock()
	if !busy { // else the request came as the timer went off, and sets it again
		s.end()
	}
}

// end ends the session: the server sees its connection end. For anybody, any number of times.
func (s *session) end() {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended = true
	s.mu.Unlock()
	close(s.done)
	s.idle.Stop()
	s.conn.Close()
	s.g.mu.Lock()
	delete(s.g.sessions, s.id)
	s.g.mu.Unlock()
}

// pump takes what the server says until it ends, and no more than may wait.
func (s *session) pump() {
	buf := make([]byte, 4096)
	for {
		n, err := s.conn.Read(buf)
		s.mu.Lock()
		s.out = append(s.out, buf[:n]...)
		s.over = err != nil
		full := len(s.out) >= maxQueued
		s.mu.Unlock()
		signal(s.grown)
		if err != nil {
			return
		}
		for full {
			select {
			case <-s.room:
			case <-s.done:
				return
			}
			s.mu.Lock()
			full = len(s.out) >= maxQueued
			s.mu.Unlock()
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // one is on its way
	}
}

// turn is one request: what the client says goes to the server, and what that says comes back, with a word whether it
// was the last. After something was said it waits a moment for an answer.
func (s *session) turn(ctx context.Context, body []byte) (out []byte, over bool) {
	if len(body) > 0 {
		select {
		case <-s.grown: // from before
		default:
		}
		s.conn.SetWriteDeadline(time.Now().Add(writeTime))
		if _, err := s.conn.Write(body); err != nil {
			s.conn.Close() // half a command was taken, or the server is gone: pump sees it end
		}
		s.wait(ctx)
	}
	s.mu.Lock()
	if ctx.Err() == nil { // else nobody is there to take it
		out, s.out = s.out, nil
	}
	over = s.over && len(s.out) == 0
	s.mu.Unlock()
	signal(s.room)
	return out, over
}

// wait waits for the answer to what was said.
func (s *session) wait(ctx context.Context) {
	first := time.NewTimer(answerTime)
	defer first.Stop()
	select {
	case <-s.grown:
	case <-first.C:
		return
	case <-s.done:
		return
	case <-ctx.Done():
		return
	}
	more := time.NewTimer(settleTime)
	defer more.Stop()
	for {
		select {
		case <-s.grown:
			more.Reset(settleTime)
		case <-more.C:
			return
		case <-first.C: // enough
			return
		case <-s.done:
			return
		case <-ctx.Done():
			return
		}
	}
}
