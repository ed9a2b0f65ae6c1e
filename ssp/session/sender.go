package session

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// post is a document that is to be sent, or is on its way.
type post struct {
	doc         []byte // of a session, its transaction alone; not changed once it is queued: it may be sent again
	session, id string
	key         string // posts of one key do not overtake each other; "" is none
	to          string // the host it must go to; "" is any
	done        func(error)
	l           *Link        // with t: that is what it is of, instead of done
	t           *transaction //
	waits       bool         // not for its own sake a document is sent while the sender gathers
	hold        bool         // when it did not arrive, its key waits for resend or release
	next        *post        // of the same key, waiting
}

// sender sends documents to a peer in the order in which they were queued, several at once when there are so many. A
// connection carries one document at a time. Goroutines run only while something is to be sent, but one that reads
// what is left when nothing has been for a second: it sees when the peer ends.
type sender struct {
	n      *Node
	peer   *Peer
	got    func(body []byte)        // a document in an answer
	ctx    context.Context          // of dialing
	cancel context.CancelCauseFunc  // ends it
	find   func() ([]target, error) // asked when there is no target

	mu      sync.Mutex
	gathers bool             // more is to come soon
	broken  func(error)      // no host takes connections, or one closes them without an answer; nil: it was idle
	queue   []*post          // from head on
	head    int              //
	lanes   map[string]*post // the last of each key that is queued or on its way
	held    map[*post]bool   // those that did not arrive, and hold their keys
	workers int              // goroutines that send
	most    int
	targets []target
	turn    int             // of the next new connection
	idle    []*conn         // the one used last is last
	active  map[*conn]bool  // those with workers
	tidy    *time.Timer     // nil when there is nothing to tidy
	quiet   []chan struct{} // closed when nothing is queued or on its way
	closed  error
}

func (n *Node) newSender(p *Peer, find func() ([]target, error)) *sender {
	s := &sender{n: n, peer: p, most: 1, find: find, lanes: map[string]*post{}, active: map[*conn]bool{}}
	s.ctx, s.cancel = context.WithCancelCause(n.ctx)
	return s
}

// send queues a post. Its done is called once, without any lock; also when the error is not nil.
func (s *sender) send(p *post) error {
	s.mu.Lock()
	switch {
	case s.closed != nil:
		err := s.closed
		s.mu.Unlock()
		p.finish(err)
		return err
	case over(len(s.queue)-s.head+1, s.n.c.Limits.Queue):
		s.mu.Unlock()
		s.n.c.Hit("queue")
		p.finish(ErrQueue)
		return ErrQueue
	}
	if p.key != "" {
		last := s.lanes[p.key]
		s.lanes[p.key] = p
		if last != nil {
			last.next = p
			s.mu.Unlock()
			return nil
		}
	}
	s.queue = append(s.queue, p)
	if !p.waits || !s.gathers {
		s.hire()
	}
	s.mu.Unlock()
	return nil
}

// gather has posts wait that can, until there is no more to come.
func (s *sender) gather(on bool) {
	s.mu.Lock()
	s.gathers = on
	if !on {
		s.hire()
	}
	s.mu.Unlock()
}

func (p *post) finish(err error) {
	switch {
	case p.t != nil:
		p.l.acked(p.t, p, err)
	case p.done != nil:
		p.done(err)
	}
}

// hire starts a worker if the queue needs one more. The lock is held.
func (s *sender) hire() {
	waiting := len(s.queue) - s.head
	if waiting == 0 || s.workers >= s.most || s.workers > 0 && waiting <= s.workers*(s.together()-1) {
		return
	}
	s.workers++
	if !s.n.spawn(s.work) { // ends when the queue is empty, or with the sender
		s.workers--
	}
}

func (s *sender) together() int { return max(1, s.peer.Together) }

// maxTogether bounds a document of several transactions, in bytes: the peer bounds what it takes.
const maxTogether = 1 << 16

// errLate: it waited in the queue until its time was over. The peer may have had it before, and may have forgotten that.
var errLate = errors.New("its time was over before it could be sent")

// late reports that a request may not be sent any more: not as long before its end as it may take to arrive. SSP 5.5
func (s *sender) late(p *post, now time.Time) bool {
	return p.t != nil && now.After(p.t.last.Add(-s.n.c.Timers.Ack))
}

// take takes what goes into the next document: one post, or several of one session; else, what is late.
func (s *sender) take(batch []*post, now time.Time) (posts []*post, late bool) {
	for s.head < len(s.queue) && s.late(s.queue[s.head], now) {
		batch = append(batch, s.queue[s.head])
		s.queue[s.head] = nil
		s.head++
	}
	if late = len(batch) > 0; late {
		return batch, true
	}
	size := 0
	fits := func(p *post) bool {
		size += len(p.doc)
		return len(batch) == 0 || len(batch) < s.together() && size <= maxTogether &&
			p.session != "" && p.session == batch[0].session && p.to == batch[0].to
	}
	for s.head < len(s.queue) {
		p := s.queue[s.head]
		if !fits(p) || s.late(p, now) {
			break
		}
		s.queue[s.head] = nil
		s.head++
		batch = append(batch, p)
		for p.next != nil && fits(p.next) && !s.late(p.next, now) {
			p, p.next = p.next, nil // one document is read in its order
			batch = append(batch, p)
		}
	}
	if s.head == len(s.queue) {
		s.queue, s.head = s.queue[:0], 0
		if cap(s.queue) > 1024 {
			s.queue = nil
		}
	}
	return batch, false
}

// work sends until the queue is empty.
func (s *sender) work() {
	var c *conn
	var batch []*post
	for {
		s.mu.Lock()
		if s.closed != nil {
			s.mu.Unlock()
			s.drop(c)
			return
		}
		var late bool
		batch, late = s.take(batch[:0], time.Now())
		if len(batch) == 0 {
			s.workers--
			s.park(c)
			if s.workers == 0 {
				s.rest()
			}
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		err := errLate
		if !late {
			c, err = s.transmit(c, batch)
		}
		s.acked(batch, err)
	}
}

// transmit sends one document, on the connection given if there is one; what it gives back can be used again.
func (s *sender) transmit(c *conn, batch []*post) (*conn, error) {
	first := batch[0]
	for {
		if c != nil && first.to != "" && c.to.host != first.to {
			s.mu.Lock()
			s.park(c)
			s.mu.Unlock()
			c = nil
		}
		if c == nil {
			var err error
			if c, err = s.connect(first.to); err != nil {
				if first.to == "" && s.alone() {
					s.failed(err)
				}
				return nil, err
			}
		}
		body, again, err := c.post(batch, s.peer.Dialect, time.Now().Add(s.n.c.Timers.Ack))
		var refused *httpError
		if err != nil && !errors.As(err, &refused) || c.ended {
			s.drop(c)
			c = nil
		}
		if again {
			continue // closed while nobody used it: a fresh connection will tell more
		}
		if len(body) > 0 {
			s.got(body)
		}
		if errors.Is(err, errSilent) {
			s.failed(err)
		}
		return c, err
	}
}

// alone reports that there is no connection.
func (s *sender) alone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.active) == 0 && len(s.idle) == 0
}

// failed tells of hosts that cannot be reached, unless the sender was closed.
func (s *sender) failed(err error) {
	s.mu.Lock()
	broken := s.broken
	if s.closed != nil {
		broken = nil
	}
	s.mu.Unlock()
	if broken != nil {
		broken(err)
	}
}

// acked frees the keys of what was sent, and tells how it went.
func (s *sender) acked(batch []*post, err error) {
	s.mu.Lock()
	closed := s.closed
	tell := batch[:0]
	var before *post
	for _, p := range batch {
		switch {
		case p.key == "" || closed != nil:
		case err == nil || !p.hold:
			s.free(p)
		case before != nil && before.key == p.key: // it waits again, behind the one that did not arrive
			before.next = p
			before = p
			continue
		default:
			before = p
			if s.held == nil {
				s.held = map[*post]bool{}
			}
			s.held[p] = true
		}
		tell = append(tell, p)
	}
	s.hire()
	s.mu.Unlock()
	for _, p := range tell {
		p.finish(err)
		for p = p.next; p != nil && closed != nil; p = p.next {
			p.finish(closed)
		}
	}
	clear(batch)
}

// free lets the next of a key go. The lock is held.
func (s *sender) free(p *post) {
	if p.next != nil {
		s.queue = append(s.queue, p.next)
		p.next = nil
	} else if s.lanes[p.key] == p {
		delete(s.lanes, p.key)
	}
}

// resend sends a post again, first of its key if it holds that.
func (s *sender) resend(p *post) {
	s.mu.Lock()
	if !s.held[p] {
		s.mu.Unlock()
		s.send(p)
		return
	}
	delete(s.held, p)
	s.queue = append(s.queue, p)
	s.hire()
	s.mu.Unlock()
}

// release gives up a post that holds its key.
func (s *sender) release(p *post) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[p] {
		delete(s.held, p)
		s.free(p)
		s.hire()
	}
}

// connect takes an idle connection to a host, any if it is "", or opens one.
func (s *sender) connect(host string) (*conn, error) {
	for {
		s.mu.Lock()
		if s.closed != nil {
			s.mu.Unlock()
			return nil, s.closed
		}
		i := len(s.idle) - 1
		for i >= 0 && host != "" && s.idle[i].to.host != host {
			i--
		}
		if i < 0 {
			s.mu.Unlock()
			return s.open(host)
		}
		c := s.idle[i]
		s.idle = slices.Delete(s.idle, i, i+1)
		s.active[c] = true
		s.mu.Unlock()
		if c.unwatch() {
			return c, nil
		}
		s.drop(c)
	}
}

// open opens a connection to a host, or to the next in turn that takes one.
func (s *sender) open(host string) (*conn, error) {
	s.mu.Lock()
	targets, turn := s.targets, s.turn
	s.turn++
	s.mu.Unlock()
	if len(targets) == 0 {
		var err error
		if targets, err = s.find(); err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.targets = targets
		s.mu.Unlock()
		turn = 0 // in their order, ssp-syntax 1.6
	}
	var last error
	for i := range targets {
		t := targets[(turn+i)%len(targets)]
		if host != "" && t.host != host {
			continue
		}
		ctx, cancel := context.WithTimeout(s.ctx, s.n.c.Timers.Connect)
		raw, err := s.n.dial(ctx, s.peer, t)
		cancel()
		if err != nil {
			last = err
			continue
		}
		c := newConn(raw, t)
		s.mu.Lock()
		if s.closed != nil {
			s.mu.Unlock()
			raw.Close()
			return nil, s.closed
		}
		s.active[c] = true
		s.mu.Unlock()
		return c, nil
	}
	if last == nil {
		last = errors.New("host is not one of this session")
	}
	return nil, last
}

// hosts are the targets' names.
func (s *sender) hosts() []target {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.targets)
}

// move replaces the targets; connections to others are closed when they are idle next.
func (s *sender) move(targets []target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.targets = targets
	for i := len(s.idle) - 1; i >= 0; i-- {
		if c := s.idle[i]; !slices.Contains(targets, c.to) {
			c.Close()
			s.idle = slices.Delete(s.idle, i, i+1)
		}
	}
}

// leave gives up a target, unless it is the last one.
func (s *sender) leave(t target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rest := slices.DeleteFunc(slices.Clone(s.targets), func(o target) bool { return o == t }); len(rest) > 0 {
		s.targets = rest
	}
}

// rest tells those who wait that there is nothing to be sent. The lock is held.
func (s *sender) rest() {
	for _, c := range s.quiet {
		close(c)
	}
	s.quiet = nil
}

// drain waits until all that was queued has been sent, or ctx ends.
func (s *sender) drain(ctx context.Context) {
	s.mu.Lock()
	if s.closed != nil || s.workers == 0 && s.head == len(s.queue) {
		s.mu.Unlock()
		return
	}
	c := make(chan struct{})
	s.quiet = append(s.quiet, c)
	s.mu.Unlock()
	select {
	case <-c:
	case <-ctx.Done():
	}
}

// close ends the sender and all its connections. What was not sent comes back with the error.
func (s *sender) close(err error) {
	s.mu.Lock()
	if s.closed != nil {
		s.mu.Unlock()
		return
	}
	s.closed = err
	s.cancel(err)
	rest := slices.Clone(s.queue[s.head:])
	s.queue, s.head = nil, 0
	for p := range s.held {
		if p.next != nil { // it was told itself
			rest = append(rest, p.next)
		}
	}
	s.held = nil
	clear(s.lanes)
	for _, c := range s.idle {
		c.Close()
	}
	s.idle = nil
	for c := range s.active {
		c.Close()
	}
	s.rest()
	if s.tidy != nil {
		s.tidy.Stop()
	}
	s.mu.Unlock()
	for _, p := range rest {
		for ; p != nil; p = p.next {
			p.finish(err)
		}
	}
}
