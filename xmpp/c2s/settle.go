package c2s

import (
	"slices"
	"sync"
	"time"

	"parley/exchange"
)

// unsettled is the client's own words that were handed on and of which nobody knows yet that they were written to
// their receiver, stored, or came back.
type unsettled struct {
	mu   sync.Mutex
	last *sent         // the one begun last
	none chan struct{} // has room for one; told when there are none any more; made by the reader before the first words
}

// sent is words on their way.
type sent struct {
	handed       []*exchange.Message // the reader's alone
	older, newer *sent
	ended        bool
}

// begin is the reader's.
func (u *unsettled) begin() *sent {
	if u.none == nil {
		u.none = make(chan struct{}, 1)
	}
	s := &sent{}
	u.mu.Lock()
	defer u.mu.Unlock()
	if s.older = u.last; s.older != nil {
		s.older.newer = s
	}
	u.last = s
	return s
}

// end is for anybody, more than once.
func (u *unsettled) end(s *sent) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	if s.older != nil {
		s.older.newer = s.newer
	}
	if s.newer != nil {
		s.newer.older = s.older
	} else {
		u.last = s.older
	}
	s.older, s.newer = nil, nil
	if u.last == nil {
		select {
		case u.none <- struct{}{}:
		default:
		}
	}
}

// all is what is unsettled now, the newest first.
func (u *unsettled) all() (l []*sent) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for s := u.last; s != nil; s = s.older {
		l = append(l, s)
	}
	return l
}

func (u *unsettled) empty() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last == nil
}

// stalled is how long an answer is held back for a receiver that takes nothing, before the words for it are stored while
// they wait for it.
const stalled = 100 * time.Millisecond

// settle has what the client said before go out, or last, so that the answer which follows acknowledges it: whoever
// hears the answer knows that a crash of the service loses none of it. Stanzas are processed in order, RFC 6120 10.1.
func (c *conn) settle() {
	c.out.Flush()
	if c.client != nil && !c.left { // what was said in a room
		c.client.Flush()
	}
	if c.words.empty() {
		return
	}
	c.Flush() // some of it may be to oneself
	t := time.NewTicker(stalled)
	defer t.Stop()
	for !c.words.empty() {
		select {
		case <-c.words.none:
		case <-t.C:
			c.keepStalled()
		case <-c.ctx.Done():
			return
		}
	}
}

// keepStalled has the words that are stalled stored.
func (c *conn) keepStalled() {
	l := c.words.all()
	var handed []*exchange.Message
	for _, s := range l {
		handed = append(handed, s.handed...)
	}
	safe := map[*exchange.Message]bool{}
	for _, m := range c.s.Exchange.Secure(c.ctx, handed) {
		safe[m] = true
	}
	for _, s := range l {
		if len(s.handed) > 0 && !slices.ContainsFunc(s.handed, func(m *exchange.Message) bool { return !safe[m] }) {
			c.words.end(s)
		}
	}
}
