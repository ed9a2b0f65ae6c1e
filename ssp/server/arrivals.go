package server

import (
	"hash/maphash"
	"time"

	"parley/im"
)

// print stands for a message that came, for one receiver: there may be very many in memory for a while. 0 is none.
type print uint64

// seeds are secret, so that nobody can have a message taken for another one.
var seeds = [...]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed(), maphash.MakeSeed()}

func printOf(id string, from, to im.Address) print {
	return print(max(1, maphash.String(seeds[0], id)+maphash.String(seeds[1], from.String())+maphash.String(seeds[2], to.String())))
}

// prints is a set of them, in one piece of memory without pointers.
type prints struct {
	slots []print // as many as a power of two; 0 is a free one
	n     int
}

func (s *prints) has(k print) bool {
	if s.n == 0 {
		return false
	}
	for i := uint64(k); ; i++ {
		switch s.slots[i&uint64(len(s.slots)-1)] {
		case k:
			return true
		case 0:
			return false
		}
	}
}

// add adds one that is not in it yet.
func (s *prints) add(k print) {
	if 4*(s.n+1) > 3*len(s.slots) {
		old := s.slots
		s.slots = make([]print, max(16, 2*len(old)))
		for _, k := range old {
			if k != 0 {
				s.put(k)
			}
		}
	}
	s.put(k)
	s.n++
}

func (s *prints) put(k print) {
	i := uint64(k)
	for s.slots[i&uint64(len(s.slots)-1)] != 0 {
		i++
	}
	s.slots[i&uint64(len(s.slots)-1)] = k
}

// arrivals are the messages that came. The peer's lock guards them.
type arrivals struct {
	under       map[print][]func(error) // neither delivered nor stored yet, with who else waits to be told
	now, before prints                  // delivered or stored, since then and before
	since       time.Time
}

// How long it is remembered that a message came, at least, unless there are so many that none of them is under way any more.
const (
	comesAgain = 10 * time.Minute
	mostCame   = 1 << 14
)

// arrives notes that a message has come for a receiver. When it has come before, in the last while (the answer may have
// been lost with the session), it is not first, and settle is told what became of it, as soon as that is known. Else
// arrived is to be called with came. ssp-syntax 6.
func (p *peer) arrives(now time.Time, id string, from, to im.Address, settle func(error)) (came print, first bool) {
	if id == "" {
		return 0, true
	}
	k := printOf(id, from, to)
	c := &p.came
	p.mu.Lock()
	if now.Sub(c.since) > comesAgain || c.now.n >= mostCame {
		c.now, c.before, c.since = prints{}, c.now, now
	}
	if also, ok := c.under[k]; ok {
		c.under[k] = append(also, settle)
		p.mu.Unlock()
		return 0, false
	}
	if c.now.has(k) || c.before.has(k) {
		p.mu.Unlock()
		settle(nil)
		return 0, false
	}
	put(&c.under, k, nil)
	p.mu.Unlock()
	return k, true
}

// arrived tells those who wait for it what became of a message. One that was not taken is forgotten.
func (p *peer) arrived(came print, err error) {
	if came == 0 {
		return
	}
	p.mu.Lock()
	also := p.came.under[came]
	delete(p.came.under, came)
	if err == nil {
		p.came.now.add(came)
	}
	p.mu.Unlock()
	for _, settle := range also {
		settle(err)
	}
}
