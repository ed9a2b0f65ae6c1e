// Package limit bounds what strangers can take: connections that have not logged
// in, failed logins, and the rate of a session. The values are its callers'; the
// names it reports are the keys of the configuration below [limits].
//
// A Gate, a Count and a Failures belong to the process and may be used by anybody
// at once; a Pace belongs to the goroutine that reads its connection.
package limit

import (
	"net/netip"
	"sync"
	"sync/atomic"
)

// Error says which limit was met.
type Error struct {
	// Limit is the key below [limits]: "half_open".
	Limit string
	what  string
}

func (e *Error) Error() string { return e.what + " (limits." + e.Limit + ")" }

// The limits that refuse a connection.
var (
	ErrConnections        error = &Error{"connections", "too many connections"}
	ErrHalfOpen           error = &Error{"half_open", "too many connections that have not logged in"}
	ErrHalfOpenPerNetwork error = &Error{"half_open_per_network", "too many connections of one network that have not logged in"}
)

// Hit is called whenever a limit is met, with its key below [limits]; it must be
// quick. [parley/metrics.Metrics.LimitHit] is one. Nil means nobody wants to know.
type Hit func(limit string)

func (h Hit) met(limit string) {
	if h != nil {
		h(limit)
	}
}

// Network is what counts as one network: an IPv4 address, or the /64 that one
// subscriber of IPv6 has. Zones are left out. An address that is none (a pipe
// has none) gives the zero Prefix, which counts like a network.
func Network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits)
	return p
}

// Gate counts connections that have not logged in, in total and for each
// [Network]. It holds an entry for each network that has one: no more than the
// total.
type Gate struct {
	total, perNetwork int
	hit               Hit

	mu       sync.Mutex // guards what follows
	inside   int
	networks map[netip.Prefix]int
}

// NewGate makes a Gate with the limits half_open and half_open_per_network, in
// connections; one that is 0 or less does not limit.
func NewGate(total, perNetwork int, hit Hit) *Gate {
	return &Gate{total: total, perNetwork: perNetwork, hit: hit, networks: map[netip.Prefix]int{}}
}

// Enter counts a connection. Its leave is called when it has logged in or ends,
// whichever comes first; further calls do nothing. The error is [ErrHalfOpen] or
// [ErrHalfOpenPerNetwork], and leave is then nil.
func (g *Gate) Enter(addr netip.Addr) (leave func(), err error) {
	network := Network(addr)
	if err := g.enter(network); err != nil {
		g.hit.met(err.Limit)
		return nil, err
	}
	var left atomic.Bool
	return func() {
		if !left.Swap(true) {
			g.leave(network)
		}
	}, nil
}

func (g *Gate) enter(network netip.Prefix) *Error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.total > 0 && g.inside >= g.total:
		return ErrHalfOpen.(*Error)
	case g.perNetwork > 0 && g.networks[network] >= g.perNetwork:
		return ErrHalfOpenPerNetwork.(*Error)
	}
	g.inside++
	g.networks[network]++
	return nil
}

func (g *Gate) leave(network netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.networks[network]--; g.networks[network] == 0 {
		delete(g.networks, network)
	}
}

// Inside is the number of connections that have not logged in.
func (g *Gate) Inside() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside
}

// Count counts all connections, logged in or not.
type Count struct {
	most int64
	hit  Hit
	n    atomic.Int64
}

// NewCount makes a Count with the limit connections; 0 or less does not limit.
func NewCount(most int, hit Hit) *Count { return &Count{most: int64(most), hit: hit} }

// Enter counts a connection, or returns [ErrConnections]. Without an error, Leave
// is called once when the connection ends.
func (c *Count) Enter() error {
	if n := c.n.Add(1); c.most > 0 && n > c.most {
		c.n.Add(-1)
		c.hit.met("connections")
		return ErrConnections
	}
	return nil
}

// Leave takes a connection out of the count.
func (c *Count) Leave() { c.n.Add(-1) }
