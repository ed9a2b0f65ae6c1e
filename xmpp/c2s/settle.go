package c2s

import (
	"sync/atomic"
	"time"
)

// unsettled counts the client's own words that were handed on and of which nobody knows yet that they were written to
// their receiver, stored, or came back.
type unsettled struct {
	n    atomic.Int32
	none chan struct{} // has room for one; told when n comes to zero; made by the reader before the first words
}

func (u *unsettled) begin() {
	if u.none == nil {
		u.none = make(chan struct{}, 1)
	}
	u.n.Add(1)
}

// end is for anybody.
func (u *unsettled) end() {
	if u.n.Add(-1) == 0 {
		select {
		case u.none <- struct{}{}:
		default:
		}
	}
}

// stalled is how long an answer is held back for a receiver that takes nothing. Its client is not to notice.
const stalled = 100 * time.Millisecond

// settle has what the client said before go out, so that the answer which follows acknowledges it: whoever hears the
// answer knows that a crash of the service loses none of it. Stanzas are processed in order, RFC 6120 10.1.
func (c *conn) settle() {
	c.out.Flush()
	if c.words.n.Load() == 0 {
		return
	}
	c.Flush() // some of it may be to oneself
	t := time.NewTimer(stalled)
	defer t.Stop()
	for c.words.n.Load() > 0 {
		select {
		case <-c.words.none:
		case <-t.C:
			return
		case <-c.ctx.Done():
			return
		}
	}
}
