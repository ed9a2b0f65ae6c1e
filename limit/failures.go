package limit

import (
	"container/list"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// mostCounted bounds the accounts and the networks whose failures are
// remembered. Beyond it the oldest are forgotten; to push one out, somebody
// needs so many failures elsewhere that the limit of networks stops them first.
const mostCounted = 1 << 16

// Failures counts failed logins for each account and for each [Network]. A
// window begins with the first failure; when it has passed, all of it is
// forgotten.
type Failures struct {
	perAccount, perNetwork int
	hit                    Hit
	seed                   maphash.Seed

	mu                 sync.Mutex // guards what follows
	accounts, networks tally
}

// NewFailures makes a Failures with the limits login_failures and
// login_failures_per_network within a window; a limit that is 0 or less does
// not limit.
func NewFailures(perAccount, perNetwork int, window time.Duration, hit Hit) *Failures {
	return &Failures{
		perAccount: perAccount, perNetwork: perNetwork, hit: hit, seed: maphash.MakeSeed(),
		accounts: newTally(window), networks: newTally(window),
	}
}

// Allowed says whether a login may be tried. It is asked before a password is
// looked at, whether the account exists or not, and counts nothing but the hit.
// The account is its address in normal form.
func (f *Failures) Allowed(account string, addr netip.Addr) bool {
	limit := f.over(account, addr)
	if limit != "" {
		f.hit.met(limit)
	}
	return limit == ""
}

func (f *Failures) over(account string, addr netip.Addr) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.perAccount > 0 && f.accounts.count(f.accountKey(account)) >= f.perAccount:
		return "login_failures"
	case f.perNetwork > 0 && f.networks.count(f.networkKey(addr)) >= f.perNetwork:
		return "login_failures_per_network"
	}
	return ""
}

// Fail counts a failed login.
func (f *Failures) Fail(account string, addr netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.accounts.add(f.accountKey(account))
	f.networks.add(f.networkKey(addr))
}

// Succeed is told of a login whose password was right, and says whether it
// stands: not if the limit was met by others while it was judged, so that
// thousands of guesses sent at once count like guesses sent one by one. If it
// stands, the failures of the account are forgotten; those of the network are
// not, or one account would pay for guesses at all others.
func (f *Failures) Succeed(account string, addr netip.Addr) bool {
	if !f.Allowed(account, addr) {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.accounts.forget(f.accountKey(account))
	return true
}

// Keys are hashes with a seed of the process: an entry takes the same memory
// whatever name a stranger sends, and nobody can choose names that collide.

func (f *Failures) accountKey(account string) uint64 { return maphash.String(f.seed, account) }

func (f *Failures) networkKey(addr netip.Addr) uint64 {
	return maphash.Comparable(f.seed, Network(addr))
}

// tally counts by key, each key from its first count until a window has passed.
type tally struct {
	window time.Duration
	byKey  map[uint64]*list.Element
	byAge  *list.List // of *counted, the oldest in front
}

type counted struct {
	key   uint64
	since time.Time
	n     int
}

func newTally(window time.Duration) tally {
	return tally{window, map[uint64]*list.Element{}, list.New()}
}

// count is what was counted in the window; it takes out what has passed.
func (t *tally) count(key uint64) int {
	if len(t.byKey) == 0 {
		return 0
	}
	now := time.Now()
	for e := t.byAge.Front(); e != nil && now.Sub(e.Value.(*counted).since) >= t.window; e = t.byAge.Front() {
		t.remove(e)
	}
	if e := t.byKey[key]; e != nil {
		return e.Value.(*counted).n
	}
	return 0
}

func (t *tally) add(key uint64) {
	if t.count(key) > 0 {
		t.byKey[key].Value.(*counted).n++
		return
	}
	if len(t.byKey) >= mostCounted {
		t.remove(t.byAge.Front())
	}
	t.byKey[key] = t.byAge.PushBack(&counted{key, time.Now(), 1})
}

func (t *tally) forget(key uint64) {
	if e := t.byKey[key]; e != nil {
		t.remove(e)
	}
}

func (t *tally) remove(e *list.Element) {
	delete(t.byKey, e.Value.(*counted).key)
	t.byAge.Remove(e)
}
