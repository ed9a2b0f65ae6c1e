package listen

import (
	"net"
	"sync"
	"time"

	"parley/limit"
)

// Entrance knows all connections of a door: it keeps their number within limits, and closes those that are left
// at the end.
type Entrance struct {
	strangers *limit.Strangers

	mu     sync.Mutex // guards what follows
	inside map[Guest]struct{}
	closed bool

	open   sync.WaitGroup // done when one is forgotten
	ending chan struct{}  // closed by Close
	rounds sync.WaitGroup
}

// NewEntrance makes an entrance, which Close ends. Several may share the strangers. With rounds it calls every guest's Round
// now and then, as the lounge needs it.
func NewEntrance(s *limit.Strangers, rounds bool) *Entrance {
	e := &Entrance{strangers: s, inside: map[Guest]struct{}{}, ending: make(chan struct{})}
	if rounds {
		e.rounds.Go(e.goRound) // ends with Close
	}
	return e
}

// goRound looks at all links now and then.
func (e *Entrance) goRound() {
	t := time.NewTicker(roundTime)
	defer t.Stop()
	for {
		select {
		case <-e.ending:
			return
		case now := <-t.C:
			for _, g := range e.guests() {
				g.Round(now)
			}
		}
	}
}

func (e *Entrance) guests() []Guest {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := make([]Guest, 0, len(e.inside))
	for g := range e.inside {
		l = append(l, g)
	}
	return l
}

// Guest is a connection inside: something with a Link in it.
type Guest interface {
	Close()
	Round(now time.Time)
}

// roundTime is how often links are looked at that may have gone quiet.
const roundTime = time.Second

// Enter lets a connection in; false: there is no room, and it is to be closed. make makes what is then closed by Close:
// a Link opened with leave and over. crowded says that there are more connections than there should be: it is
// to be turned away with a word. make must not call the entrance.
func (e *Entrance) Enter(c net.Conn, make func(crowded bool, leave, over func()) Guest) bool {
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
	var who Guest
	who = make(!counted, leave, func() { e.forget(who, counted) })
	e.inside[who] = struct{}{}
	e.open.Add(1)
	return true
}

// forget takes a connection that has ended out of the list.
func (e *Entrance) forget(who Guest, counted bool) {
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
	if !e.closed {
		e.closed = true
		close(e.ending)
	}
	e.mu.Unlock()
	e.rounds.Wait()
	for _, g := range e.guests() {
		g.Close()
	}
	e.open.Wait()
}
