package session

import (
	"slices"
	"time"
)

// park keeps a connection that nobody needs. The lock is held.
func (s *sender) park(c *conn) {
	if c == nil {
		return
	}
	delete(s.active, c)
	if s.closed != nil || len(s.targets) > 0 && !slices.Contains(s.targets, c.to) {
		c.Close()
		return
	}
	c.parked = time.Now()
	s.idle = append(s.idle, c)
	s.tidyLater()
}

func (s *sender) drop(c *conn) {
	if c == nil {
		return
	}
	s.mu.Lock()
	delete(s.active, c)
	s.mu.Unlock()
	c.Close()
}

// tidyLater has tidy called while there are idle connections. The lock is held.
func (s *sender) tidyLater() {
	if s.tidy == nil {
		s.tidy = time.AfterFunc(time.Second, func() { s.n.run(s.tidyUp) })
	}
}

// tidyUp reads from the connection used last, so that its end is seen, and closes the others after a time.
func (s *sender) tidyUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tidy = nil
	if s.closed != nil || len(s.idle) == 0 {
		return
	}
	now := time.Now()
	for len(s.idle) > max(1, len(s.targets)) && now.Sub(s.idle[0].parked) >= s.n.c.Timers.Idle {
		s.idle[0].Close()
		s.idle = slices.Delete(s.idle, 0, 1)
	}
	c := s.idle[len(s.idle)-1]
	if c.watch == nil && now.Sub(c.parked) >= time.Second {
		c.SetReadDeadline(time.Time{})
		c.watch = make(chan bool, 1)
		watch := c.watch
		s.n.spawn(func() { s.observe(c, watch) }) // ends when the connection is used or closed
	}
	if c.watch == nil || len(s.idle) > max(1, len(s.targets)) {
		s.tidyLater()
	}
}

// observe waits until an idle connection is wanted, or ends.
func (s *sender) observe(c *conn, watch chan bool) {
	_, err := c.r.Peek(1)
	watch <- timeout(err) // unwatch ends the wait so
	if timeout(err) {
		return
	}
	s.mu.Lock()
	i := slices.Index(s.idle, c)
	if i >= 0 {
		s.idle = slices.Delete(s.idle, i, i+1)
	}
	s.mu.Unlock()
	c.Close()
	if i >= 0 {
		s.failed(nil)
	}
}

// unwatch ends the reading of an idle connection, and says whether it can be used.
func (c *conn) unwatch() bool {
	if c.watch == nil {
		return true
	}
	c.SetReadDeadline(time.Unix(1, 0))
	ok := <-c.watch
	c.watch = nil
	return ok
}
