package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/credential"
)

// Security says how a connection is protected.
type Security uint8

const (
	// StartTLS asks for TLS within the stream and goes on with it only: RFC 6120 5.
	StartTLS Security = iota
	// DirectTLS begins with TLS: XEP-0368 3.
	DirectTLS
	// Plain is no protection at all, for this machine alone.
	Plain
)

// Config says who logs in where.
type Config struct {
	Address   string            // host:port; the port may be missing and is 5222 then, with DirectTLS 5223; "": the domain
	Domain    string            // of the account; "": what stands behind the @ of User
	User      string            // the account: local part or local@domain
	Password  credential.Secret // as typed
	Security  Security
	TLS       *tls.Config // nil: the certificate must be the domain's, and trusted by this machine
	Resource  string      // to ask for; "": the service chooses one
	Mechanism string      // of SASL; "": the strongest that both know
	Requests  bool        // events for what others ask with an IQ; without it the client knows nothing, and says so
	Receipts  bool        // confirm messages that ask for it, XEP-0184

	// Event gets what the service sends unasked, one after another, in order. It runs on the goroutine that reads: it
	// must be quick, and must not wait for an answer or call Close. It may be nil.
	Event func(Event)
	// Dial connects to a server; nil: over TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Timeout is how long the login, and each answer, may take; 0: 30 s.
	Timeout time.Duration
	// Linger is how long Close waits for the service to end the stream; 0: 2 s.
	Linger time.Duration
}

const (
	defaultTimeout = 30 * time.Second
	defaultLinger  = 2 * time.Second
)

// Client is an account that is logged in, with one session.
type Client struct {
	cfg  Config
	conn *conn
	wg   sync.WaitGroup // the reader
	mark string         // what all its ids begin with

	mu     sync.Mutex // guards what follows
	jid    string
	ids    uint64
	roster map[string]Item
	seen   map[string]Presence
	joins  map[string]*join
}

// prepare fills in what a Config leaves open.
func prepare(cfg Config) (Config, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Linger <= 0 {
		cfg.Linger = defaultLinger
	}
	local, domain, ok := strings.Cut(cfg.User, "@")
	if ok {
		cfg.User = local
		if cfg.Domain == "" {
			cfg.Domain = domain
		}
	}
	if cfg.User == "" || cfg.Domain == "" {
		return cfg, errNobody
	}
	if cfg.Address == "" {
		cfg.Address = cfg.Domain
	}
	if _, _, err := net.SplitHostPort(cfg.Address); err != nil {
		port := "5222" // RFC 6120 3.2.1
		if cfg.Security == DirectTLS {
			port = "5223"
		}
		cfg.Address = net.JoinHostPort(strings.Trim(cfg.Address, "[]"), port)
	}
	if cfg.Dial == nil {
		var d net.Dialer
		cfg.Dial = func(ctx context.Context, address string) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
	}
	if cfg.TLS == nil {
		cfg.TLS = &tls.Config{}
	}
	if cfg.TLS.ServerName == "" && !cfg.TLS.InsecureSkipVerify {
		cfg.TLS = cfg.TLS.Clone()
		cfg.TLS.ServerName = cfg.Domain
	}
	return cfg, nil
}

// Dial logs in: stream, TLS, SASL and a resource (RFC 6120 chapters 4 to 7). Then the session is there, but has asked for no
// roster and shows nobody anything: Roster and SetPresence follow. The context bounds the login alone. The error is a
// *StepError; a wrong password or an account that does not exist is a *SASLError in it.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	cfg, err := prepare(cfg)
	if err != nil {
		return nil, &StepError{"connect", cfg.Address, err}
	}
	c := &Client{cfg: cfg, mark: rand.Text()[:8] + "-", roster: map[string]Item{}, seen: map[string]Presence{}, joins: map[string]*join{}}
	if err := c.login(ctx); err != nil {
		return nil, err
	}
	c.wg.Go(func() { // ends with the connection, which Close ends at the latest
		c.conn.read(c.serve)
		c.emit(Ended{c.conn.ending()})
	})
	return c, nil
}

func (c *Client) emit(e Event) {
	if c.cfg.Event != nil {
		c.cfg.Event(e)
	}
}

// NewID makes an id that no other session uses.
func (c *Client) NewID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids++
	return c.mark + strconv.FormatUint(c.ids, 10)
}

// JID is the session's full address, as the service gave it: RFC 6120 7.
func (c *Client) JID() string { return c.jid }

// Bare is the account's address.
func (c *Client) Bare() string { return Bare(c.jid) }

// Resource is the session's part of its address.
func (c *Client) Resource() string { return Resource(c.jid) }

// Domain is the service's.
func (c *Client) Domain() string { return c.cfg.Domain }

// Mechanism is the one of SASL with which the account was proved.
func (c *Client) Mechanism() string { return c.conn.mechanism }

// TLS tells of the protection; ok is false without any.
func (c *Client) TLS() (state tls.ConnectionState, ok bool) {
	if t, ok := c.conn.stream.Conn().(*tls.Conn); ok {
		return t.ConnectionState(), true
	}
	return tls.ConnectionState{}, false
}

// Features are the stream features after the login, as XML: RFC 6120 4.3.2.
func (c *Client) Features() string { return c.conn.features }

// Done is closed when the stream is over.
func (c *Client) Done() <-chan struct{} { return c.conn.over }

// Err says how the stream ended, an *EndError; nil before Done is closed, and when Close ended it.
func (c *Client) Err() error { return c.conn.ending() }

// Send writes XML as it is: one stanza or several, or something else that is to be tried. It must not hold Event up:
// it waits for nobody.
func (c *Client) Send(xml string) error { return c.conn.write([]byte(xml)) }

// Close ends the stream (RFC 6120 4.4), waits for the service to do the same, at most Config.Linger, and for the
// reader. No event comes after it. A second Close waits as well.
func (c *Client) Close() {
	c.conn.leave(true)
	cut := time.AfterFunc(c.cfg.Linger, c.conn.cut)
	defer cut.Stop()
	c.wg.Wait()
}

// Cut ends the connection at once, without a word, as a network does that breaks.
func (c *Client) Cut() {
	c.conn.cut()
	c.wg.Wait()
}

// Bare is an address without its resource.
func Bare(jid string) string {
	bare, _, _ := strings.Cut(jid, "/")
	return bare
}

// Resource is the resource of an address, "" if it has none.
func Resource(jid string) string {
	_, r, _ := strings.Cut(jid, "/")
	return r
}
