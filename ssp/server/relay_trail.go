package server

import (
	"encoding/binary"
	"hash/maphash"
	"sync"
	"time"

	"parley/ssp/wire"
)

// trail remembers what went on, so that nothing goes round in a circle: the same from another peer to the same one. What
// has an ID of its own is remembered for a while, anything else until it is answered. ssp-syntax 6
type trail struct {
	mu          sync.Mutex // guards what follows
	now, before map[uint64]*step
	since       time.Time
}

type step struct {
	from  string
	under int // how many are not answered
	lasts bool
}

const (
	trailLasts = 10 * time.Minute
	mostSteps  = 1 << 16
)

var trailSeed = maphash.MakeSeed()

// enter notes that a request goes on from a peer to another; fresh is false when it did so from another one. done is called
// when it is answered.
func (t *trail) enter(e *wire.Element, user, to, from string) (done func(), fresh bool) {
	var h maphash.Hash
	h.SetSeed(trailSeed)
	write(&h, user)
	write(&h, to)
	hash(&h, e)
	k := h.Sum64()
	lasts := e.Attr("inviteID") != "" || e.Child("MessageInfo").Attr("messageID") != ""
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now == nil || now.Sub(t.since) > trailLasts || len(t.now) >= mostSteps {
		t.now, t.before, t.since = map[uint64]*step{}, t.now, now
	}
	s := t.now[k]
	if s == nil {
		s = t.before[k]
	}
	switch {
	case s == nil:
		s = &step{from: from, lasts: lasts}
	case s.from != from:
		return nil, false
	}
	s.under++
	t.now[k] = s
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if s.under--; s.under == 0 && !s.lasts {
			delete(t.now, k)
			delete(t.before, k)
		}
	}, true
}

// hash is of all that is said, but on whose session.
func hash(h *maphash.Hash, e *wire.Element) {
	write(h, e.Name)
	write(h, e.Text)
	for _, a := range e.Attrs {
		write(h, a.Name)
		write(h, a.Value)
	}
	for _, k := range e.Kids {
		if k.Name != "MetaInfo" {
			hash(h, k)
		}
	}
	h.WriteByte(0)
}

func write(h *maphash.Hash, s string) {
	var n [8]byte
	h.Write(binary.LittleEndian.AppendUint64(n[:0], uint64(len(s))))
	h.WriteString(s)
}
