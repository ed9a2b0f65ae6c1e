package limit

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Quota counts what each [Network] gets of something within a window, which begins with the first. It remembers a
// bounded number of networks, the oldest going first.
type Quota struct {
	key        string
	perNetwork int
	hit        Hit
	seed       maphash.Seed

	mu       sync.Mutex // guards what follows
	networks tally
}

// NewQuota makes a Quota of so much for each network within a window; 0 or less does not limit. key is what hit is told.
func NewQuota(key string, perNetwork int, window time.Duration, hit Hit) *Quota {
	return &Quota{key: key, perNetwork: perNetwork, hit: hit, seed: maphash.MakeSeed(), networks: newTally(window)}
}

// Take takes one, and says whether there was one left. Without it nothing is counted but the hit.
func (q *Quota) Take(addr netip.Addr) bool {
	if q.perNetwork <= 0 {
		return true
	}
	key := maphash.Comparable(q.seed, Network(addr))
	q.mu.Lock()
	left := q.networks.count(key) < q.perNetwork
	if left {
		q.networks.add(key)
	}
	q.mu.Unlock()
	if !left {
		q.hit.met(q.key)
	}
	return left
}

// GiveBack undoes a Take that came to nothing.
func (q *Quota) GiveBack(addr netip.Addr) {
	key := maphash.Comparable(q.seed, Network(addr))
	q.mu.Lock()
	defer q.mu.Unlock()
	switch n := q.networks.count(key); {
	case n == 1:
		q.networks.forget(key)
	case n > 1:
		q.networks.byKey[key].Value.(*counted).n--
	}
}
