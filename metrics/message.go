package metrics

import (
	"slices"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// doorNames are the doors that messages come from and go to.
var doorNames = [...]string{"msnp", "xmpp", "ssp", "web", None, Other}

// None is the door of a message that came to no door: it is stored, or was
// refused before anybody was found.
const None = "none"

// Outcome is what became of a message at one receiver.
type Outcome uint8

// The outcomes of a message.
const (
	Delivered Outcome = iota // Done: written to the receiver's socket
	Stored                   // kept until the receiver can be reached
	Returned                 // came back, and the sender was told
	Refused                  // the sender was told before anything was handed over
	Discarded                // dropped without a word: blocked, or nobody listens
	Expired                  // waited too long
	lastOutcome
)

var outcomeNames = [lastOutcome]string{"delivered", "stored", "returned", "refused", "discarded", "expired"}

func (o Outcome) String() string { return outcomeNames[o] }

// messages counts by the index of from and to in doorNames.
type messages [len(doorNames)][len(doorNames)][lastOutcome]cell

func doorIndex(name string) int {
	if i := slices.Index(doorNames[:], name); i >= 0 {
		return i
	}
	return len(doorNames) - 1
}

// Message counts a message at one receiver: the door it came from ("msnp",
// "xmpp", "ssp", "web"), the door of the receiver or [None], and the outcome.
func (m *Metrics) Message(from, to string, o Outcome) {
	f, t := doorIndex(from), doorIndex(to)
	m.messages[f][t][o].inc(func() prometheus.Counter {
		return m.messageVec.WithLabelValues(doorNames[f], doorNames[t], o.String())
	})
}

// cell keeps one counter of a vector, which would hash the labels each time. It
// is resolved when it first counts, so that what never happens is not listed.
type cell struct {
	counter atomic.Pointer[prometheus.Counter]
}

func (c *cell) inc(resolve func() prometheus.Counter) {
	p := c.counter.Load()
	if p == nil {
		k := resolve() // the same for all who come here at once
		p = &k
		c.counter.Store(p)
	}
	(*p).Inc()
}
