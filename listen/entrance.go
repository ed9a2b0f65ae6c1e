package listen

import (
	"net"
	"sync"

	"parley/limit"
)

// Entrance knows all connections of a door: it keeps their number within limits, and closes those that are left
// at the end.
type Entrance struct {
	strangers *limit.Strangers

	mu     sync.Mutex // guards what follows
	inside map[closer]struct{}
	closed bool

	open sync.WaitGroup // done when one is forgotten
}

// NewEntrance makes an entrance. Several may share the strangers.
func NewEntrance(s *limit.Strangers) *Entrance {
	return &Entrance{strangers: s, inside: map[closer]struct{}{}}
}

type closer interface{ Close() }

// Enter lets a connection in; false: there is no room, and it is to be closed. make makes what is then closed by Close:
// a Link opened with leave and over. crowded says that there are more connections than there should be: it is
// to be turned away with a word. make must not call the entrance.
func (e *Entrance) Enter(c net.Conn, make func(crowded bool, leave, over func()) interface{ Close() }) bool {
	counted := e.strangers.Count.Enter() == nil
	leave := func() {}
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		var err error
		if leave, err = e.strangers.Gate.Enter(a.AddrPort().Addr().Unmap()); err != nil {
			leave = nil
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || leave == nil {
		if leave != nil {
			leave()
		}
		if counted {
			e.strangers.Count.Leave()
		}
		return false
	}
	var who closer
	who = make(!counted, leave, func() { e.forget(who, counted) })
	e.inside[who] = struct{}{}
	e.open.Add(1)
	return true
}

// forget takes a connection that has ended out of the list.
func (e *Entrance) forget(who closer, counted bool) {
	if counted {
		e.strangers.Count.Leave()
	}
	e.mu.Lock()
	delete(e.inside, who)
	e.mu.Unlock()
	e.open.Done()
}

// Wait waits until every connection has ended.
func (e *Entrance) Wait() { e.open.Wait() }

// Close lets nobody in any more, closes every connection that is left, and waits for their end.
func (e *Entrance) Close() {
	e.mu.Lock()
	e.closed = true
	var left []closer
	for c := range e.inside {
		left = append(left, c)
	}
	e.mu.Unlock()
	for _, c := range left {
		c.Close()
	}
	e.open.Wait()
}
