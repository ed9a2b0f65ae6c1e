// Package session is what two domains have with each other over Wireless Village's Server to Server Protocol: HTTP in
// both directions, the login in ten steps, a pair of sessions kept alive, transactions in it. It knows nothing of
// users, nor what is asked for: that is its caller's. The semantics document is cited as SSP, what is known of the
// syntax as ssp-syntax.
//
// A Node owns all its peers, links and connections. Locks are taken in the order peer, link, sender, node, and none is
// held over a socket or a call of the caller's.
package session

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"parley/metrics"
	"parley/ssp"
	"parley/ssp/wire"
)

// Why a request came to nothing, or a pair of sessions ended, besides the peer's own codes.
var (
	// ErrDown: the pair of sessions is gone. What was asked may or may not have been done.
	ErrDown = errors.New("no session with this domain")
	// ErrQueue: too much waits to be sent to this peer.
	ErrQueue = errors.New("too much waits to be sent to this domain")
	// ErrUnknown: nothing is registered of this domain.
	ErrUnknown = errors.New("domain is not registered; add it with parley domain add")
	// ErrClosed: the node is closed.
	ErrClosed = errors.New("closed")
)

// Peer is what the operator registered of a domain, SSP 3.5.1, 6.1.1. It is not changed once it was given.
type Peer struct {
	Domain string // in normal form
	// Service is the domain in its Service-ID: "" is Domain. SSP 3.3.
	Service string
	// URL is where it takes HTTP: https://host:port/path, or http://. "": found by DNS SRV _imps-server._tcp.
	// ssp-syntax 1.6.
	URL string
	// Proof makes the digest by which we prove ourselves of the peer's token, Digest the one that the peer must
	// send of ours: each of a token and the one's own password. A nil Proof is Digest: one password for both.
	Digest, Proof func(token []byte) []byte
	// Dialect is how it speaks; OMA13 only over TLS with a checked certificate. ssp-syntax 5.1.
	Dialect     wire.Dialect
	TLS         *tls.Config  // how its certificate is checked; nil: by the system's roots
	Plain       bool         // http may be used; otherwise on loopback addresses only
	Offers      ssp.Services // what we provide to it, until SetAgreed
	Wants       ssp.Services // what it provides to us, until SetAgreed
	Connections int          // to it at once; 0: 4
	Together    int          // transactions that may go in one document when several wait; 0: 1. ssp-syntax 1.7
	Keep        bool         // a session is kept up as soon as there is one: what ends it begins it again
}

// Resolver finds hosts by DNS; *net.Resolver is one.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// Timers are how long things may take. Zero fields have the defaults of ssp-syntax 1.5, named behind them.
type Timers struct {
	Connect    time.Duration // TCP and TLS; 5 s
	Ack        time.Duration // HTTP's answer to a POST; 10 s
	Latency    time.Duration // of the network, first part of a transaction's validity, SSP 5.5; 2 s
	Processing time.Duration // by the peer, the second part; 8 s
	Offset     time.Duration // the third; 5 s
	Working    time.Duration // validity after a code 1xx; 2 min
	Total      time.Duration // a transaction, whatever its codes 1xx; 10 min
	Step       time.Duration // of a login; 15 s
	Login      time.Duration // the ten steps; 45 s
	Retry      time.Duration // the first pause before a login is tried again, then doubled; 5 s
	RetryMost  time.Duration // the longest; 10 min
	Life       time.Duration // of a session without a word from the peer, offered and granted; 24 h
	Alive      time.Duration // the longest silence of ours, else a third of the life; 5 min
	Grace      time.Duration // for the second half of a logout; 1 s
	Idle       time.Duration // before all connections to a peer but one are closed; 1 min
	Remember   time.Duration // answers to requests that may be repeated; 10 min
	Window     time.Duration // in which Limits.Unknown are counted; 1 min
	Ban        time.Duration // in which Limits.Failures are counted, and then the peer is not heard; 10 min
}

// Limits bound what a peer can take. Zero fields have the defaults named behind them; below zero is no limit, and no
// repeat.
type Limits struct {
	Body       int // of a document, bytes; 1 MiB
	Repeats    int // of a request without an answer; 2
	Invalid    int // transactions in a row that no repeat helped, before the sessions end, ssp-syntax 9; 3
	Unknown    int // unknown transactions in Timers.Window before the sessions end, SSP 5.6; 5
	Remember   int // answers to requests that may be repeated; 1,024
	Rate       int // requests of a peer a second, ssp-syntax 9; 100
	Recipients int // users, groups and lists that one request names; 1,000
	Inbox      int // requests of a peer that wait for Handle; 1,024
	Queue      int // documents that wait to be sent to a peer; 8,192
	Failures   int // wrong digests in Timers.Ban before a peer is not heard any more, ssp-syntax 5.1; 5
}

// Config is what a Node works with. Domain, Lookup and Handle must be given.
type Config struct {
	Domain string // ours, in normal form
	// Lookup finds what is registered of a domain; it may change while the node runs, and must return at once.
	Lookup func(domain string) (*Peer, bool)
	// Speaks finds the domain that is registered with another one in its Service-ID, "" when there is none; nil: each has its
	// own.
	Speaks func(service string) (domain string)
	// Handle takes the requests that begin a transaction: called in order for each peer, it must return soon.
	Handle func(ctx context.Context, r *Request)
	// Rest is called behind the last request of a run; nil: nobody is interested.
	Rest func(*Run)
	// Up tells that a pair of sessions is there, before any Handle of it; Down that it is gone, after the last. They
	// must return soon too, and may be nil.
	Up   func(*Link)
	Down func(*Link, error)
	// Hosts are where the sessions' connections are to go, by name or name:port: the redirect list. Our registered
	// host alone says that a peer's list is followed. None: no redirects. SSP 6.1.1.
	Hosts    []string
	Timers   Timers
	Limits   Limits
	Resolver Resolver // nil: the system's
	// Dial opens a connection; nil: the system's dialer.
	Dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	Log     *slog.Logger      // nil: nothing is logged
	Metrics *metrics.Door     // nil: nothing is counted
	Hit     func(what string) // is told of limits that were met; nil: nobody
}

// Node is one domain's end of all its sessions.
type Node struct {
	c      Config
	ctx    context.Context // of everything that the node does; Close ends it
	cancel context.CancelFunc
	begun  int64        // the first transaction ID
	next   atomic.Int64 // the one after the last
	wg     sync.WaitGroup

	mu       sync.RWMutex
	closing  bool // no new logins
	closed   bool // no new goroutines
	peers    map[string]*peer
	sessions map[string]*Link // by our own IDs and by the peers'
}

// New makes a node. Close ends it.
func New(c Config) *Node {
	n := &Node{c: c.filled(), peers: map[string]*peer{}, sessions: map[string]*Link{}}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.begun = time.Now().UnixMicro()
	n.next.Store(n.begun)
	return n
}

// transactionID makes one of a request in a session: a number, unlike any other of this node. ssp-syntax 5.2.
func (n *Node) transactionID() string { return strconv.FormatInt(n.next.Add(1)-1, 10) }

// issued reports that an ID is one of ours.
func (n *Node) issued(id string) bool {
	i, err := strconv.ParseInt(id, 10, 64)
	return err == nil && i >= n.begun && i < n.next.Load()
}

// spawn runs f in a goroutine that Close waits for; false when the node is closed.
func (n *Node) spawn(f func()) bool {
	if !n.enter() {
		return false
	}
	go func() { // ends with f, which each caller says more of
		defer n.wg.Done()
		f()
	}()
	return true
}

// run runs f here, unless the node is closed; Close waits for it.
func (n *Node) run(f func()) {
	if n.enter() {
		defer n.wg.Done()
		f()
	}
}

func (n *Node) enter() bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if !n.closed {
		n.wg.Add(1)
	}
	return !n.closed
}

// peer is what is going on with a domain; nil when it is not registered, or is our own.
func (n *Node) peer(domain string) (*peer, *Peer) {
	info, ok := n.c.Lookup(domain)
	if !ok || info == nil || domain == n.c.Domain {
		return nil, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.peers[domain]
	if p == nil {
		p = &peer{n: n, domain: domain}
		n.peers[domain] = p
	}
	return p, info
}

// speaker is the domain whose Service-ID it is; "" when it is registered with another one. The error is that of a Service-ID
// that is none.
func (n *Node) speaker(serviceID string) (domain string, err error) {
	if domain, err = ssp.ParseService(serviceID); err == nil && n.c.Speaks != nil {
		domain = n.c.Speaks(domain)
	}
	return domain, err
}

// service is the domain in a peer's Service-ID.
func (p *Peer) service() string {
	if p.Service != "" {
		return p.Service
	}
	return p.Domain
}

// known is the same of a domain that something is going on with already.
func (n *Node) known(domain string) *peer {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.peers[domain]
}

// allPeers are those that something is going on with.
func (n *Node) allPeers() []*peer {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return slices.Collect(maps.Values(n.peers))
}

// session finds a link by either of its two IDs.
func (n *Node) session(id string) *Link {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.sessions[id]
}

// bind has a link found by an ID; false when it is another's.
func (n *Node) bind(id string, l *Link) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if have := n.sessions[id]; have != nil && have != l {
		return false
	}
	n.sessions[id] = l
	return true
}

func (n *Node) unbind(l *Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range []string{l.own, l.theirs} {
		if n.sessions[id] == l {
			delete(n.sessions, id)
		}
	}
}

// Link is the pair of sessions with a domain; nil when there is none.
func (n *Node) Link(domain string) *Link {
	if p := n.known(domain); p != nil {
		return p.current()
	}
	return nil
}

// Keep has a session with a domain, now and again whenever it ends, until Forget. SSP 6.1.4.
func (n *Node) Keep(domain string) {
	if p, _ := n.peer(domain); p != nil {
		p.mu.Lock()
		p.keep = true
		p.mu.Unlock()
		p.again(true)
	}
}

// Forget ends the session with a domain by logging out, and what Keep began. It does not wait for it. SSP 6.1.3.
func (n *Node) Forget(domain string) {
	p := n.known(domain)
	if p == nil {
		return
	}
	p.mu.Lock()
	p.keep = false
	if p.retry != nil {
		p.retry.Stop()
		p.retry = nil
	}
	logins := slices.Clone(p.logins)
	l := p.link
	p.mu.Unlock()
	for _, lg := range logins {
		lg.fail(0, ErrDown)
	}
	if l != nil {
		l.logout(0, ErrDown)
	}
}

// Close disconnects from all peers and waits until nothing of the node runs, or ctx ends. SSP 6.1.3; ssp-syntax 5.6.
func (n *Node) Close(ctx context.Context) {
	n.mu.Lock()
	n.closing = true
	n.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range n.allPeers() {
		p.mu.Lock()
		p.keep = false
		if p.retry != nil {
			p.retry.Stop()
		}
		logins := slices.Clone(p.logins)
		l := p.link
		p.mu.Unlock()
		for _, lg := range logins {
			lg.fail(0, ErrClosed)
		}
		if l != nil {
			wg.Go(func() { l.disconnect(ctx) }) // ends with ctx at the latest
		}
	}
	wg.Wait()
	n.cancel()
	n.mu.Lock()
	n.closed = true
	var l []*Link
	for _, s := range n.sessions {
		l = append(l, s)
	}
	n.mu.Unlock()
	for _, s := range l {
		s.release(ErrClosed)
	}
	done := make(chan struct{})
	go func() { // ends with the last goroutine of the node, all of which have been told to
		n.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
