package gateway

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"parley/limit"
)

// Kind is a server that a client may ask for: dialects 9.6.
type Kind string

// The servers there are.
const (
	Notification Kind = "NS"
	Switchboard  Kind = "SB"
)

// Target is where a client wants to be connected to.
type Target struct {
	Kind Kind
	// Host is HOST or HOST:PORT as the client wrote it, one that it has built in or was referred to. It is for choosing
	// among servers of our own, never for connecting to.
	Host string
}

// Config is what a Gateway is told.
type Config struct {
	// Serve serves a connection, as the handlers of listen.Serve do: it closes c, or leaves it with somebody who will.
	// Its remote address is that of the client, with port 0: there is none that a peer could reach (dialects 3.6). The
	// context is the one that New was given.
	Serve func(ctx context.Context, to Target, c net.Conn)
	// Strangers counts the connections of HTTP while they are open; what is behind them is counted by Serve.
	Strangers *limit.Strangers
	Log       *slog.Logger
	// Host is where the requests after the first go, HOST or HOST:PORT; empty: the host by which the client came.
	Host string
	// Sessions is how many there may be at a time; 0 means DefaultSessions.
	Sessions int
	// Idle is how long a session without a request lasts; 0 means DefaultIdle.
	Idle time.Duration
}

// What holds if nothing else is said. Clients ask every two seconds: dialects 9.6.
const (
	DefaultSessions = 5000
	DefaultIdle     = time.Minute
)

// Bounds of a session, in bytes.
const (
	maxBody   = 64 << 10  // that a client sends at once
	maxQueued = 512 << 10 // that wait to be asked for; the server is not read on then
)

// Times within a request. An answer to what was said is worth waiting for: the next request comes two seconds later.
const (
	writeTime  = 20 * time.Second       // for the server to take all that was said
	answerTime = 500 * time.Millisecond // for the first of its answer
	settleTime = 15 * time.Millisecond  // for more of it
)

// path is compared in lower case: dialects 9.6.
const path = "/gateway/gateway.dll"

// contentType is that of bodies both ways: dialects 9.6.
const contentType = "application/x-msn-messenger"

// Gateway is an http.Handler, safe for concurrent use.
type Gateway struct {
	c   Config
	ctx context.Context

	mu       sync.Mutex // guards what follows
	sessions map[string]*session
	closed   bool

	running sync.WaitGroup // of all sessions
}

// New makes a gateway, which Close ends. When ctx is done the servers behind it are told, and may say goodbye.
func New(ctx context.Context, c Config) *Gateway {
	if c.Sessions <= 0 {
		c.Sessions = DefaultSessions
	}
	if c.Idle <= 0 {
		c.Idle = DefaultIdle
	}
	return &Gateway{c: c, ctx: ctx, sessions: map[string]*session{}}
}

// Close takes no more sessions, ends those that there are, and waits for the servers behind them.
func (g *Gateway) Close() {
	g.mu.Lock()
	g.closed = true
	var l []*session
	for _, s := range g.sessions {
		l = append(l, s)
	}
	g.mu.Unlock()
	for _, s := range l {
		s.end()
	}
	g.running.Wait()
}

// Sessions is how many there are.
func (g *Gateway) Sessions() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.sessions)
}

// ServeHTTP answers one request: dialects 9.6. What is no request of a session is answered with 400, as is the second of
// a session before the first was answered.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.ToLower(r.URL.Path) != path:
		w.WriteHeader(http.StatusNotFound)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	q := r.URL.Query()
	var s *session
	status := http.StatusBadRequest
	switch q.Get("Action") {
	case "open":
		s, status = g.open(r, Target{Kind(q.Get("Server")), q.Get("IP")})
	case "", "poll":
		s = g.take(q.Get("SessionID"))
	}
	if s == nil {
		w.WriteHeader(status)
		return
	}
	out, over := s.turn(r.Context(), body)
	if !g.put(s, over) {
		over = true
	}
	h := w.Header()
	word := "SessionID=" + s.id + "; GW-IP=" + s.host
	if over {
		word += "; Session=close"
	}
	h["X-MSN-Messenger"] = []string{word} // in the spelling of live servers
	h["Content-Type"] = []string{contentType}
	h["Cache-Control"] = []string{"no-cache"}
	h["Content-Length"] = []string{fmt.Sprint(len(out))} // clients of that time read no chunks
	if _, err := w.Write(out); err != nil {
		s.end() // what was in there is lost, and with it the order of the rest
	}
}

// open begins a session, in its first request. Without one the status says why.
func (g *Gateway) open(r *http.Request, to Target) (*session, int) {
	host := g.c.Host
	if host == "" {
		// COMPAT MSN 4.6-7.5: live servers gave the address of the machine that had the session. A name leads a client here
		// as well, and behind a translation of addresses we do not know ours.
		host = r.Host
	}
	if to.Kind != Notification && to.Kind != Switchboard || !plainHost(host) || !plainHost(to.Host) {
		return nil, http.StatusBadRequest
	}
	near, far := net.Pipe()
	s := &session{g: g, host: host, conn: near, busy: true, grown: make(chan struct{}, 1), room: make(chan struct{}, 1), done: make(chan struct{})}
	g.mu.Lock()
	if g.closed || len(g.sessions) >= g.c.Sessions {
		g.mu.Unlock()
		g.c.Log.Warn("no room for a session over HTTP", "remote", r.RemoteAddr)
		return nil, http.StatusServiceUnavailable
	}
	for s.id == "" || g.sessions[s.id] != nil {
		s.id = newID()
	}
	s.idle = time.AfterFunc(g.c.Idle, s.rest)
	g.sessions[s.id] = s
	g.running.Add(2)
	g.mu.Unlock()

	// ends when the connection does, which is when the session or the server ends
	go func() {
		defer g.running.Done()
		s.pump()
	}()
	// ends as handlers of connections do: when the connection or the context does
	go func() {
		defer g.running.Done()
		g.c.Serve(g.ctx, to, placed(far, r))
	}()
	g.c.Log.Info("session over HTTP", "remote", r.RemoteAddr, "to", string(to.Kind))
	return s, http.StatusOK
}

// newID makes what a client shows to be let into its session: two numbers, as live, that nobody can guess.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return fmt.Sprintf("%d.%d", binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint32(b[8:]))
}

// take finds a session for a request, which has it for itself until put. nil: there is none, or another request has it.
func (g *Gateway) take(id string) *session {
	g.mu.Lock()
	s := g.sessions[id]
	g.mu.Unlock()
	if s == nil || !s.begin() {
		return nil
	}
	return s
}

// put gives a session back after a request. It is over when the server has ended it and all was said; false: it had
// ended meanwhile.
func (g *Gateway) put(s *session, over bool) bool {
	if over {
		s.end()
		return true
	}
	return s.finish()
}

// plainHost reports whether s can stand in a header and is not absurdly long.
func plainHost(s string) bool {
	return s != "" && len(s) <= 300 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune(".-_:[]", r)
	})
}

// connection is the server's end of a session.
type connection struct {
	net.Conn
	remote, local net.Addr
}

func (c *connection) RemoteAddr() net.Addr { return c.remote }
func (c *connection) LocalAddr() net.Addr  { return c.local }

// placed gives a pipe the addresses of the request that opened the session.
func placed(c net.Conn, r *http.Request) net.Conn {
	p := &connection{c, c.RemoteAddr(), c.LocalAddr()}
	if a, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		p.remote = net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.Addr().Unmap(), 0))
	}
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		p.local = a
	}
	return p
}

// Times that a client of HTTP has. Between two requests of a session lie two seconds.
const (
	headerTime  = 10 * time.Second
	requestTime = 45 * time.Second
	idleTime    = 30 * time.Second
)

// HTTP makes a server for handler, which may be g or something that g is a part of: HTTP/1.1 alone, and no more
// connections than Strangers counts. The caller serves and shuts it down.
func (g *Gateway) HTTP(handler http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler: handler, Protocols: protocols, ConnState: g.count(),
		ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: requestTime, IdleTimeout: idleTime, MaxHeaderBytes: 8 << 10,
		ErrorLog: slog.NewLogLogger(g.c.Log.Handler(), slog.LevelDebug),
	}
}

// count counts connections while they are open, and closes those that are too many.
func (g *Gateway) count() func(net.Conn, http.ConnState) {
	var mu sync.Mutex // guards inside
	inside := map[net.Conn]struct{}{}
	return func(c net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		_, in := inside[c]
		switch {
		case state == http.StateNew:
			if g.c.Strangers.Count.Enter() != nil {
				c.Close()
				return
			}
			inside[c] = struct{}{}
		case in && (state == http.StateClosed || state == http.StateHijacked):
			delete(inside, c)
			g.c.Strangers.Count.Leave()
		}
	}
}
