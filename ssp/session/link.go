package session

import (
	"context"
	"net/http"

	"parley/ssp"
	"parley/ssp/wire"
)

// Node is one domain's end of all its sessions.
type Node struct{ c Config }

// New makes a node. Close ends it.
func New(c Config) *Node { return &Node{c: c} }

// ServeHTTP takes what peers post, on any path. ssp-syntax 1.2.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// Keep has a session with a domain, now and again whenever it ends, until Forget. SSP 6.1.4.
func (n *Node) Keep(domain string) {}

// Forget ends the session with a domain, and Keep.
func (n *Node) Forget(domain string) {}

// Link is the pair of sessions with a domain; nil when there is none.
func (n *Node) Link(domain string) *Link { return nil }

// Login makes a new pair of sessions with a domain, and tells of each of the ten steps how it went: SSP 6.1.1.
func (n *Node) Login(ctx context.Context, domain string, step func(n int, what string, err error)) error {
	return nil
}

// Close disconnects from all peers and waits until nothing of the node runs, or ctx ends.
func (n *Node) Close(ctx context.Context) {}

// Link is a pair of sessions with a peer. It may be used by anybody at once.
type Link struct{}

// Domain is the peer's.
func (l *Link) Domain() string { return "" }

// Peer is what was registered of it when the sessions began.
func (l *Link) Peer() *Peer { return nil }

// Agreed is what we provide to the peer, and it to us. SSP 7.
func (l *Link) Agreed() (mine, theirs ssp.Services) { return nil, nil }

// SetAgreed changes it.
func (l *Link) SetAgreed(mine, theirs ssp.Services) {}

// Request sends a primitive that begins a transaction, and waits for the final answer.
func (l *Link) Request(ctx context.Context, e *wire.Element) (*wire.Element, error) { return nil, nil }

// RequestThen is Request with a third step: what then makes of a good answer is sent in the same transaction, and the
// answer to it is the final one. SSP 12.3.5.
func (l *Link) RequestThen(ctx context.Context, e *wire.Element, then func(answer *wire.Element) *wire.Element) (*wire.Element, error) {
	return nil, nil
}

// Go is Request without waiting: done is called once, from any goroutine, and must return soon.
func (l *Link) Go(ctx context.Context, e *wire.Element, done func(*wire.Element, error)) {}

// GoOrdered is Go for what must not overtake other requests of the same key: the next is sent when the one before
// has arrived.
func (l *Link) GoOrdered(ctx context.Context, key string, e *wire.Element, done func(*wire.Element, error)) {
}

// Request is a transaction that the peer began.
type Request struct {
	Link        *Link
	Transaction *wire.Transaction
	Primitive   *wire.Element
	Meta        wire.Meta // zero when it has none
	ID          string
	Provider    bool // the peer is the provider in it, and we are the requestor
}

// Answer sends the answer.
func (r *Request) Answer(e *wire.Element) {}

// Then waits for the peer's third step.
func (r *Request) Then(ctx context.Context) (*wire.Element, error) { return nil, nil }
