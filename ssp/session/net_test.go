package session

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/ssp"
	"parley/ssp/wire"
)

// network is hosts that can dial each other, in memory.
type network struct {
	mu    sync.Mutex
	hosts map[string]*host
	dials []string // all addresses that were dialed
}

type host struct {
	addr   string
	accept chan net.Conn
	done   chan struct{}
	once   sync.Once
	mu     sync.Mutex
	conns  []net.Conn
}

func (h *host) Accept() (net.Conn, error) {
	select {
	case c := <-h.accept:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close is what becomes of a host whose process is killed: its connections end too.
func (h *host) Close() error {
	h.once.Do(func() { close(h.done) })
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		c.Close()
	}
	return nil
}

func (h *host) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func newNetwork() *network { return &network{hosts: map[string]*host{}} }

func (w *network) listen(addr string) *host {
	h := &host{addr: addr, accept: make(chan net.Conn), done: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[addr] = h
	return h
}

func (w *network) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	w.mu.Lock()
	h := w.hosts[addr]
	w.dials = append(w.dials, addr)
	w.mu.Unlock()
	if h == nil {
		return nil, fmt.Errorf("dial %s: no such host", addr)
	}
	ours, theirs := net.Pipe()
	select {
	case h.accept <- theirs:
		h.mu.Lock()
		h.conns = append(h.conns, theirs)
		h.mu.Unlock()
		return ours, nil
	case <-h.done:
		return nil, errors.New("dial: connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *network) dialed() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.dials...)
}

// serve serves HTTP on a host until it is closed.
func (h *host) serve(handler http.Handler) {
	s := &http.Server{Handler: handler, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go s.Serve(h) // ends when the host is closed
}

// serveTLS is the same over TLS.
func (h *host) serveTLS(handler http.Handler, c tls.Certificate) {
	s := &http.Server{Handler: handler, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go s.Serve(tls.NewListener(h, &tls.Config{Certificates: []tls.Certificate{c}})) // ends when the host is closed
}

const (
	alpha = "a.example" // the lower name
	beta  = "b.example"
)

// secret is the password that proves a domain.
func secret(domain string) []byte {
	return []byte(map[string]string{alpha: "alpha", beta: "beta"}[domain] + "-secret")
}

// peerOf is what own registers of a domain: at http://DOMAIN:80.
func peerOf(own, domain string) *Peer {
	return &Peer{Domain: domain, URL: "http://" + domain + "/", Plain: true, Offers: ssp.AllServices(), Wants: ssp.AllServices(),
		Digest: func(token []byte) []byte { return ssp.Digest(ssp.MD5, token, secret(domain)) },
		Proof:  func(token []byte) []byte { return ssp.Digest(ssp.MD5, token, secret(own)) }}
}

// domain is a node with its host, and what happened at it.
type domain struct {
	*Node
	host  *host
	mu    sync.Mutex
	peers map[string]*Peer
	ups   []*Link
	downs []error
	got   []*Request
}

// newDomain makes a node at http://NAME:80; change changes its configuration.
func newDomain(t testing.TB, w *network, name string, change func(*domain, *Config)) *domain {
	d := &domain{peers: map[string]*Peer{}}
	for _, p := range []string{alpha, beta} {
		if p != name {
			d.peers[p] = peerOf(name, p)
		}
	}
	log := slog.DiscardHandler
	if os.Getenv("SSP_LOG") != "" {
		log = slog.NewTextHandler(os.Stderr, nil).WithAttrs([]slog.Attr{slog.String("at", name)})
	}
	c := Config{
		Domain: name, Dial: w.dial, Log: slog.New(log),
		Lookup: func(domain string) (*Peer, bool) { p, ok := d.peers[domain]; return p, ok },
		Handle: func(_ context.Context, r *Request) {
			d.mu.Lock()
			d.got = append(d.got, r)
			d.mu.Unlock()
			answerAll(r)
		},
		Up:   func(l *Link) { d.mu.Lock(); defer d.mu.Unlock(); d.ups = append(d.ups, l) },
		Down: func(_ *Link, err error) { d.mu.Lock(); defer d.mu.Unlock(); d.downs = append(d.downs, err) },
	}
	if change != nil {
		change(d, &c)
	}
	d.Node = New(c)
	d.host = w.listen(name + ":80")
	d.host.serve(d.Node)
	t.Cleanup(func() { d.stop() })
	return d
}

func (d *domain) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	d.Close(ctx)
	d.host.Close()
}

// requests are what was handled.
func (d *domain) requests() []*Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]*Request(nil), d.got...)
}

func (d *domain) counts() (ups, downs int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.ups), len(d.downs)
}

// answerAll answers what the tests ask.
func answerAll(r *Request) {
	switch r.Primitive.Name {
	case "SendMessageRequest":
		r.Answer(wire.New("SendMessageResponse", "messageID", "m1@"+beta).Add(wire.Status(wire.Successful, "")))
	case "ServiceList", "LeaveGroupIndication":
		r.Answer(nil)
	default:
		r.Answer(wire.Status(wire.Successful, ""))
	}
}

// notice is a request that is answered by a Status: from us as provider.
func notice(from string) *wire.Element {
	return wire.New("GroupChangeNotice", "groupID", "wv:%2Froom@"+from).Add(wire.Meta{Service: "wv:@" + from}.Element(),
		wire.New("User", "userID", "wv:alice@"+alpha),
		wire.New("Joined").Add(wire.New("Name").With("bob")))
}

// message is a message that a user sends.
func message(from, to, text string) *wire.Element {
	meta := wire.Meta{Service: "wv:@" + from, User: "wv:alice@" + from}
	user := func(role, address string) *wire.Element {
		return wire.New(role).Add(wire.New("User", "userID", address))
	}
	return wire.New("SendMessageRequest", "deliveryReport", "No").Add(meta.Element(),
		wire.New("MessageInfo", "contentType", "text/plain", "contentSize", "5").Add(
			user("Recipient", "wv:bob@"+to), user("Sender", "wv:alice@"+from)),
		wire.New("ContentData").With(text))
}

// pair is two domains whose sessions are up.
func pair(t testing.TB, change func(*domain, *Config)) (w *network, a, b *domain) {
	w = newNetwork()
	a, b = newDomain(t, w, alpha, change), newDomain(t, w, beta, change)
	if err := a.Login(t.Context(), beta, nil); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	if a.Node.Link(beta) == nil || b.Node.Link(alpha) == nil {
		t.Fatal("no sessions")
	}
	return w, a, b
}
