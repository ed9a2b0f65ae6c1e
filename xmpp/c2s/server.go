// Package c2s is XMPP as clients speak it (RFC 6120, 6121): streams are negotiated here, and each stanza
// kind and each query has one row in one table and one handler.
//
// A connection's goroutine reads its stanzas and owns its state; what the exchange hands it comes through Hand, from
// anybody.
package c2s

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"parley/config"
	"parley/credential"
	"parley/exchange"
	"parley/im"
	"parley/limit"
	"parley/listen"
	"parley/metrics"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/sasl"
	"parley/xmpp/stream"
	"parley/xmpp/wire"
)

// Config is what the server is told.
type Config struct {
	Config    config.Config
	Exchange  *exchange.Exchange
	Vault     *credential.Vault
	Metrics   *metrics.Metrics
	Log       *slog.Logger
	Lounge    *listen.Lounge           // where sessions wait that have nothing to do; nil: each in a goroutine
	Strangers *limit.Strangers         // what all doors together allow those who have not logged in
	TLS       *tls.Config              // nil: there is no TLS
	Leaf      func() *x509.Certificate // the certificate that TLS shows, for channel binding: XEP-0440 3
}

// Server serves the connections of XMPP clients on any number of listeners.
type Server struct {
	Config
	*listen.Entrance
	shared   *stream.Shared
	counters *metrics.Door
	begun    time.Time // when the service started, for its last activity: XEP-0012 5

	elements map[name]*elementRow
	queries  map[queryKey]*queryRow
	features map[target][]string // what disco says of each target
	disco    *disco

	registrations *limit.Quota // accounts that strangers made: XEP-0077

	rooms rooms

	mu       sync.Mutex // guards what follows
	sessions map[*conn]struct{}
	ending   chan struct{} // closed by Close
	closed   bool
	sweeper  sync.WaitGroup
}

// states are what sessions are counted in: the shows of RFC 6121 4.7.2.1, and what is none.
var states = []string{"available", "chat", "away", "dnd", "xa", "unavailable", "none"}

// New makes a server. It panics when two rows of a table answer the same thing.
func New(c Config) *Server {
	l := &c.Config.Limits
	s := &Server{Config: c, Entrance: listen.NewEntrance(c.Strangers, c.Lounge != nil), begun: time.Now(),
		sessions: map[*conn]struct{}{}, ending: make(chan struct{})}
	s.counters = c.Metrics.Door("xmpp", states, s.tables())
	s.disco = s.describe()
	s.registrations = limit.NewQuota("registrations_per_network", c.Config.XMPP.RegistrationsPerNetwork, time.Hour, c.Metrics.LimitHit)
	s.shared = &stream.Shared{
		Shared: listen.Shared{
			Lounge:    c.Lounge,
			Limits:    listen.Limits{Queue: int(l.Queue), Presence: int(l.PresenceQueue), Stall: stall},
			Rates:     limit.NewRates(l.CommandsPerSecond, int(l.BytesPerSecond), c.Metrics.LimitHit),
			LoginTime: l.LoginTime.Std(),
			Hit:       c.Metrics.LimitHit,
			Metrics:   s.counters,
			Log:       c.Log.With("door", "xmpp"),
		},
		XML: xmltext.Limits{Bytes: int(l.Stanza), Depth: l.StanzaDepth, Attrs: l.StanzaAttributes, Nodes: l.StanzaNodes},
	}
	s.rooms.init(c.Config)
	s.sweeper.Go(s.sweep) // ends with Close
	return s
}

// stall is how long a client that takes nothing is waited for.
const stall = 2 * time.Minute

// Handler gives the handler for a listener's connections; bound is where it listens.
func (s *Server) Handler(u listen.URL, bound net.Addr) (func(context.Context, net.Conn), error) {
	r := role{}
	if a, ok := bound.(*net.TCPAddr); s.Config.Config.XMPP.Plain == "loopback" && (!ok || a.IP.IsLoopback()) {
		r.plain = true
	}
	switch u.Scheme {
	case "xmpp":
		if s.TLS == nil && !r.plain {
			return nil, fmt.Errorf("%s needs TLS, which the key tls turns off: set tls = \"self\" or \"files:CERT,KEY\", or, for tests on loopback, xmpp.plain = \"loopback\"", u)
		}
	case "xmpps":
		if s.TLS == nil {
			return nil, fmt.Errorf("%s needs TLS, which the key tls turns off: set tls = \"self\" or \"files:CERT,KEY\"", u)
		}
		r.direct = true
	default:
		return nil, fmt.Errorf("%s is not a listener of XMPP", u)
	}
	return func(ctx context.Context, c net.Conn) { s.Serve(ctx, c, r) }, nil
}

// role says what a listener's connections are for.
type role struct {
	direct bool // TLS from the first byte: XEP-0368
	plain  bool // passwords and words may go without TLS: tests, measuring
}

// Serve serves a connection until it ends, or waits without a goroutine: then it goes on by itself when there
// is something to do.
func (s *Server) Serve(ctx context.Context, nc net.Conn, r role) {
	c := &conn{s: s, ctx: ctx, role: r, state: fresh}
	in := s.Enter(nc, func(crowded bool, leave, over func()) listen.Guest {
		c.Stream, c.crowded = stream.New(nc, s.shared, leave, over), crowded
		return c.Stream
	})
	if !in {
		nc.Close()
		return
	}
	c.Stream.Idle = c.idle
	c.From = s.Exchange.Domain() // until it says for whom it came
	if r.direct && !c.secure() {
		c.Release()
		return
	}
	c.Wake()
}

// conn is one client's connection.
type conn struct {
	*stream.Stream
	s       *Server
	ctx     context.Context // of the listener: ends when the service does
	role    role
	crowded bool // there are too many connections: it is turned away with a word

	state   int
	domain  string            // that it came for
	leaf    *x509.Certificate // that TLS showed
	auth    *sasl.Server      // while it logs in
	claimed im.Address        // whom the header under TLS said that it is from
	jid     xmpp.JID
	full    string           // jid, as bytes go out with it
	client  *exchange.Client // nil until bound
	left    bool             // detached; the client stays, for what others hand at that very moment
	shown   string           // the state that the metrics count it in
	tries   int              // failed logins
	odd     int              // attempts that came to no login
	binds   int              // attempts that came to no resource

	lastTo  string // the address last written to, and what it is
	lastJID xmpp.JID
	stanza  wire.Stanza // the last message or presence, whose strings serve again
	session session
	ahead   ahead
	pinged  bool           // it was silent for long, and has not answered yet; guarded by Server.mu
	out     exchange.Batch // what its messages handed to others
	words   unsettled

	rooms    map[*room]struct{} // that it knows; guarded by Server.rooms
	roomless bool               // it is over; likewise
}

// The states of a connection, as bits, in the order in which it comes to them.
const (
	fresh  = 1 << iota // no header yet
	asked              // features were sent, nobody has logged in
	proven             // logged in, no header yet since then
	ready              // logged in, no resource yet
	bound              // has a resource
)

// Wake implements listen.Sleeper: it serves what there is to serve.
func (c *conn) Wake() {
	defer c.Guard(c.broken)
	for {
		e, n, err := c.Next(c.ctx)
		if err == listen.ErrParked {
			return
		}
		if err != nil {
			c.over()
			return
		}
		switch e {
		case xmltext.Header:
			c.header(n)
		case xmltext.Element:
			c.element(n)
		case xmltext.Footer: // RFC 6120 4.4
			c.leave()
			c.Fail(nil)
		}
	}
}

// broken ends the connection after a fault of ours: RFC 6120 4.9.3.8.
func (c *conn) broken() {
	c.Fail(&xmpp.StreamError{Condition: xmpp.StreamInternalServerError})
	c.leave()
	c.Stream.Idle = nil // what else it owed may be what is broken
	c.Drain()
	c.Release()
}

// idle writes what the connection's stanzas handed to others.
func (c *conn) idle() {
	c.out.Flush()
	switch {
	case c.client == nil || c.left:
	case c.Ending(): // the last word may take a while to arrive; to others the session is over
		c.leave()
	default:
		c.client.Flush()
	}
}

// leave ends what the connection was to others.
func (c *conn) leave() {
	if c.client == nil || c.left {
		return
	}
	c.left = true
	c.s.mu.Lock()
	delete(c.s.sessions, c)
	c.s.mu.Unlock()
	c.s.counters.Leave(c.shown)
	c.exitRooms(true)
	c.client.Detach()
}

// over ends the connection.
func (c *conn) over() {
	c.leave()
	c.Release()
}

// Close closes every connection that is left, and waits for their end.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.ending)
	}
	s.mu.Unlock()
	s.sweeper.Wait()
	s.Entrance.Close()
}
