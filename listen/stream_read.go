package listen

import (
	"io"
	"syscall"
)

// Pending is what was read and not consumed. It stays valid until Fill.
func (s *Stream) Pending() []byte { return s.buf[s.from:] }

// Consume drops the first n pending bytes.
func (s *Stream) Consume(n int) {
	s.from += n
	if s.from == len(s.buf) {
		s.buf, s.from = s.buf[:0], 0
	}
}

// Fill waits until at least one byte more has come. While it waits it holds only what is
// pending. The error is the connection's: io.EOF, a deadline.
func (s *Stream) Fill() error {
	if s.tls != nil {
		_, err := s.tls.fill(false)
		return err
	}
	s.park()
	for {
		if s.raw != nil {
			s.n, s.err = 0, nil
			if err := s.raw.Read(s.tryFn); err != nil {
				return err
			}
		} else {
			s.grow()
			s.n, s.err = s.conn.Read(s.buf[len(s.buf):cap(s.buf)])
			s.buf = s.buf[:len(s.buf)+max(s.n, 0)]
		}
		if s.n > 0 || s.err != nil {
			return s.err
		}
	}
}

// try reads what is there. It must try first and only then ask to wait: asking resets the
// readiness that earlier bytes had set.
func (s *Stream) try(fd uintptr) bool {
	if s.tls != nil {
		return s.tls.try(fd)
	}
	s.grow()
	n, err := readSocket(fd, s.buf[len(s.buf):cap(s.buf)])
	switch {
	case err == syscall.EAGAIN:
		s.park()
		return s.once
	case err == syscall.EINTR:
		return s.try(fd)
	case err != nil:
		s.err = err
	case n == 0:
		s.err = io.EOF
	default:
		s.n = n
		s.buf = s.buf[:len(s.buf)+n]
	}
	return true
}

// park gives the buffer back; pending bytes move into one of their own size.
func (s *Stream) park() {
	if s.pooled == nil {
		return
	}
	var rest []byte
	if s.from < len(s.buf) {
		rest = append(make([]byte, 0, len(s.buf)-s.from), s.buf[s.from:]...)
	}
	giveBack(s.pooled)
	s.buf, s.from, s.pooled = rest, 0, nil
}

// giveBack puts a buffer back into the pool it is of, if it is of one.
func giveBack(p *[]byte) {
	switch {
	case p == nil:
	case cap(*p) == smallBuffer:
		smallBuffers.Put(p)
	case cap(*p) == largeBuffer:
		largeBuffers.Put(p)
	}
}

// grow sees to it that there is room behind the pending bytes.
func (s *Stream) grow() {
	if s.pooled != nil && len(s.buf) < cap(s.buf) {
		return
	}
	rest := s.buf[s.from:]
	var p *[]byte
	switch {
	case len(rest) < smallBuffer/4:
		p = smallBuffers.Get().(*[]byte)
	case len(rest) < largeBuffer/2:
		p = largeBuffers.Get().(*[]byte)
	default:
		b := make([]byte, 2*len(rest)) // the door's limits end this; not pooled
		p = &b
	}
	b := append((*p)[:0], rest...)
	old := s.pooled
	s.buf, s.from, s.pooled = b, 0, p
	giveBack(old)
}
