package main

import (
	"bytes"
	"net"
	"sync"
	"testing"
	"time"
)

// road is the network from one domain to another: what the first one posts goes over it, and what the second one answers to
// that comes back. It can be bad in several ways.
type road struct {
	l    net.Listener
	work sync.WaitGroup // of all connections: they end with close

	mu     sync.Mutex // guards what follows
	to     string
	closed bool
	mode   mode
	open   chan struct{} // closed when nothing is held; never nil
	conns  map[net.Conn]bool
	posts  int           // that came since watch
	goal   int           // of posts; 0: none
	there  chan struct{} // closed when they have come
}

// mode is what a road does.
type mode uint8

const (
	passing mode = iota // everything goes over it
	broken              // connections end, and there are no new ones
	holding             // what comes waits
	slow                // what comes takes a while
	deaf                // what is posted arrives, and no answer to it does: the connection ends instead
)

// newRoad is a road that leads nowhere yet.
func newRoad(t *testing.T) *road {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &road{l: l, open: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(r.open)
	r.work.Go(r.accept) // ends with the listener
	t.Cleanup(r.close)
	return r
}

func (r *road) address() string { return r.l.Addr().String() }

func (r *road) leadsTo(address string) {
	r.mu.Lock()
	r.to = address
	r.mu.Unlock()
}

// be has the road in a mode, for connections that there are and for new ones.
func (r *road) be(m mode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mode = m
	select {
	case <-r.open:
		if m == holding {
			r.open = make(chan struct{})
		}
	default:
		if m != holding {
			close(r.open)
		}
	}
	if m == broken {
		for c := range r.conns {
			c.Close()
		}
	}
}

// watch gives a channel that is closed when so many documents more have been posted; then the road holds.
func (r *road) watch(posts int) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.posts, r.goal, r.there = 0, posts, make(chan struct{})
	return r.there
}

func (r *road) close() {
	r.l.Close()
	r.be(broken)
	r.mu.Lock()
	r.closed = true
	for c := range r.conns {
		c.Close()
	}
	r.mu.Unlock()
	r.work.Wait()
}

func (r *road) accept() {
	for {
		c, err := r.l.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		to, ok := r.to, r.mode != broken && !r.closed
		if ok {
			r.conns[c] = true
		}
		r.mu.Unlock()
		if !ok {
			c.Close()
			continue
		}
		r.work.Go(func() { r.carry(c, to) }) // ends with either connection
	}
}

// carry takes bytes to and fro.
func (r *road) carry(near net.Conn, to string) {
	defer r.end(near)
	far, err := net.DialTimeout("tcp", to, 5*time.Second)
	if err != nil {
		return
	}
	r.mu.Lock()
	ok := r.mode != broken && !r.closed
	r.conns[far] = true
	r.mu.Unlock()
	defer r.end(far)
	if !ok {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { // ends with either
		r.pipe(far, near, true)
		far.Close()
		near.Close()
	})
	r.pipe(near, far, false)
	far.Close()
	near.Close()
	both.Wait()
}

func (r *road) end(c net.Conn) {
	c.Close()
	r.mu.Lock()
	delete(r.conns, c)
	r.mu.Unlock()
}

// pipe copies from one to the other, as the mode says.
func (r *road) pipe(to, from net.Conn, there bool) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if there {
				r.count(bytes.Count(buf[:n], []byte("POST /")))
			}
			r.mu.Lock()
			m, open := r.mode, r.open
			r.mu.Unlock()
			switch {
			case m == deaf && !there:
				return
			case m == slow:
				<-time.After(20 * time.Millisecond)
			}
			<-open
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (r *road) count(posts int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.goal == 0 {
		return
	}
	if r.posts += posts; r.posts >= r.goal {
		r.goal = 0
		if r.mode == passing {
			r.mode, r.open = holding, make(chan struct{})
		}
		close(r.there)
	}
}

// roads joins two domains by roads: one for what the first one posts, and one for what the second does.
func roads(t *testing.T, a, b *realm) (there, back *road) {
	t.Helper()
	there, back = newRoad(t), newRoad(t)
	there.leadsTo(b.at["ssp"])
	back.leadsTo(a.at["ssp"])
	a.knows(b.domain, there.address())
	b.knows(a.domain, back.address())
	return there, back
}
