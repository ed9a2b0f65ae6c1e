package client

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"parley/credential"
	"parley/msnp"
	"parley/msnp/wire"
)

// Config says who logs in where.
type Config struct {
	Address  string            // of a dispatch or notification server: host:port; the port may be missing and is 1863 then
	Handle   string            // the account's address
	Password credential.Secret // as typed
	Dialects []int             // to offer, the preferred one first, 2 to 7; nil: MSNP2 alone
	Answer   bool              // answer every ring: Answered follows, or RingFailed

	// Event gets what the service sends unasked, one after another, in the order of each connection. It runs on the
	// goroutines that read: it must be quick, and must not wait for an answer or call Close. It may be nil.
	Event func(Event)
	// Dial connects to a server; nil: over TCP. Referrals are followed with it, too.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Timeout is how long one answer may take; 0: 30 s.
	Timeout time.Duration
	// Linger is how long Close waits for the service to end the connections; 0: 2 s.
	Linger time.Duration
}

const (
	defaultTimeout = 30 * time.Second
	defaultLinger  = 2 * time.Second
	defaultPort    = "1863" // draft 5.1
)

// Client is an account that is logged in.
type Client struct {
	cfg  Config
	ns   *conn // set once, before Connect returns
	life context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup // the goroutines of all connections

	emitting sync.Mutex // held while an event is given, so that they come one after another

	mu      sync.Mutex // guards what follows
	handle  string     // as the service writes it
	name    string
	dialect int
	state   msnp.State
	book    Lists
	seen    map[string]Presence
	talks   map[*Conversation]struct{}
	closing bool
}

// prepare makes a client that is nowhere yet.
func prepare(ctx context.Context, cfg Config) *Client {
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Linger <= 0 {
		cfg.Linger = defaultLinger
	}
	if cfg.Dial == nil {
		var d net.Dialer
		cfg.Dial = func(ctx context.Context, address string) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
	}
	if len(cfg.Dialects) == 0 {
		cfg.Dialects = []int{2}
	}
	c := &Client{cfg: cfg, handle: cfg.Handle, state: msnp.Offline, book: newLists(),
		seen: map[string]Presence{}, talks: map[*Conversation]struct{}{}}
	c.life, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	return c
}

// dial connects to a server; a missing port is the registered one, draft 5.1.
func (c *Client) dial(ctx context.Context, address string) (*conn, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), defaultPort)
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	stop := context.AfterFunc(c.life, cancel)
	defer stop()
	nc, err := c.cfg.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return newConn(nc, address, c.cfg.Timeout), nil
}

// spawn runs a connection's goroutine, unless the client is closing.
func (c *Client) spawn(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return false
	}
	c.wg.Go(f) // ends with its connection, which Close ends at the latest
	return true
}

func (c *Client) emit(e Event) {
	if c.cfg.Event == nil {
		return
	}
	c.emitting.Lock()
	defer c.emitting.Unlock()
	c.cfg.Event(e)
}

// Handle is the account's address, as the service writes it.
func (c *Client) Handle() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.handle
}

// Name is the account's own name: draft 5.5.
func (c *Client) Name() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.name
}

// Dialect is the one agreed, 2 to 7.
func (c *Client) Dialect() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dialect
}

// Server is the address of the notification server.
func (c *Client) Server() string { return c.ns.addr }

// Done is closed when the connection to the notification server is over. Conversations may go on.
func (c *Client) Done() <-chan struct{} { return c.ns.over }

// Err says how that connection ended, an *EndError; nil before Done is closed, and when Close ended it.
func (c *Client) Err() error { return c.ns.ending() }

// Do sends any command to the notification server and gives the first line of its answer, whatever it says. The
// error of the service is a msnp.Code.
func (c *Client) Do(ctx context.Context, verb string, args ...string) (Reply, error) {
	return c.ns.any(ctx, verb, args)
}

// any is do without a wish for a verb.
func (c *conn) any(ctx context.Context, verb string, args []string) (Reply, error) {
	var got Reply
	err := c.ask(ctx, request{verb: verb, args: args}, func(cmd *wire.Command) (bool, error) {
		got = reply(cmd)
		return false, nil
	})
	if err != nil {
		return Reply{}, err
	}
	return got, nil
}

// Ping asks the notification server for a sign of life: PNG and QNG, dialects 9.2.
func (c *Client) Ping(ctx context.Context) error { return c.ns.ping(ctx) }

// Close says OUT on all connections, waits for the service to end them, at most Config.Linger, and for all
// goroutines. No event comes after it. A second Close waits as well.
func (c *Client) Close() {
	c.mu.Lock()
	c.closing = true
	l := []*conn{c.ns}
	for t := range c.talks {
		l = append(l, t.conn)
	}
	c.mu.Unlock()
	c.stop()
	for _, n := range l {
		if n != nil {
			n.leave()
		}
	}
	cut := time.AfterFunc(c.cfg.Linger, func() {
		for _, n := range l {
			if n != nil {
				n.cut()
			}
		}
	})
	defer cut.Stop()
	c.wg.Wait()
}
