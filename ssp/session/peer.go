package session

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// peer is what is going on with a domain.
type peer struct {
	n      *Node
	domain string

	mu     sync.Mutex
	link   *Link    // the pair of sessions that is there
	logins []*login // those under way: one of ours, and the peer's
	keep   bool
	pause  time.Duration // before the next try; 0: no try has failed
	retry  *time.Timer
	wrong  []time.Time // digests in the time that counts
	tokens []string    // of the peer, each of which is good once
}

func (p *peer) current() *Link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link
}

// maxTokens is how many used tokens of a peer are remembered.
const maxTokens = 64

// spend reports that a token was not seen before. The lock is held.
func (p *peer) spend(token string) bool {
	if slices.Contains(p.tokens, token) {
		return false
	}
	if len(p.tokens) >= maxTokens {
		p.tokens = slices.Delete(p.tokens, 0, 1)
	}
	p.tokens = append(p.tokens, token)
	return true
}

// again begins a login if a session is wanted and there is none: now, or after a pause. SSP 6.1.4; ssp-syntax 1.5.
func (p *peer) again(now bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.keep || p.link != nil || len(p.logins) > 0 {
		return
	}
	if p.retry != nil {
		if !now {
			return
		}
		p.retry.Stop()
	}
	var wait time.Duration
	if !now {
		t := &p.n.c.Timers
		p.pause = min(max(2*p.pause, t.Retry), t.RetryMost)
		wait = p.pause/2 + rand.N(p.pause/2+1)
	}
	p.retry = time.AfterFunc(wait, func() { p.n.run(p.call) })
}

// call begins a login because a session is wanted.
func (p *peer) call() {
	p.mu.Lock()
	p.retry = nil
	wanted := p.keep && p.link == nil && len(p.logins) == 0
	p.mu.Unlock()
	if !wanted {
		return
	}
	if _, err := p.n.call(p.domain, nil, nil); err != nil {
		p.n.c.Log.Warn("no login", "peer", p.domain, "err", err)
		p.again(false)
	}
}

// banned reports that there were too many wrong digests. The lock is held. ssp-syntax 5.1.
func (p *peer) banned() bool {
	limit := p.n.c.Limits.Failures
	p.wrong = slices.DeleteFunc(p.wrong, func(t time.Time) bool { return time.Since(t) > p.n.c.Timers.Ban })
	return limit > 0 && len(p.wrong) >= limit
}

// drop takes a login out of those under way. The lock is held.
func (p *peer) drop(lg *login) {
	p.logins = slices.DeleteFunc(p.logins, func(o *login) bool { return o == lg })
}
