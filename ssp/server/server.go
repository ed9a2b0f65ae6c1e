package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/metrics"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// Register is what the operator registered of other domains. It may change while the door is open; then Update is called.
type Register interface {
	Names() []string
	Peer(domain string) (*session.Peer, bool)
	// Routes are the domains behind others, each with the one that leads there. ssp-syntax 6
	Routes() map[string]string
}

// Config is what the door works with. Zero limits have the defaults named behind them.
type Config struct {
	Exchange *exchange.Exchange
	Register Register
	Timers   session.Timers
	Limits   session.Limits
	Dial     session.Config // of this only Dial and Resolver count
	Elements []Element      // who has a service from another domain, as far as it concerns us
	Users    int            // of one peer, in memory; 20,000
	Queue    int            // deliveries that wait for one peer; 8,192
	Waits    bool           // no session is begun before Begin: peers call back, and we are to be there
	Forget   time.Duration  // how long somebody of a peer's stays in memory for nothing; 10 min
	Metrics  *metrics.Door
	Hit      func(limit string)
	Log      *slog.Logger
}

// Server is our end of all sessions with other domains.
type Server struct {
	cfg   Config
	x     *exchange.Exchange
	log   *slog.Logger
	node  *session.Node
	rows  map[string]row
	rooms rooms
	begun atomic.Bool

	elements  atomic.Pointer[map[elementKey]string]
	trail     trail
	steward   steward
	early     early
	librarian librarian
	guests    guests

	mu      sync.Mutex // guards peers, how many of them are learned, and speak
	peers   map[string]*peer
	speak   map[string]string // those that are registered, by the domains in their Service-IDs
	learned int

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	lasting context.Context // of requests that come in great numbers: they end with their link, at the latest in Close
	work    sync.WaitGroup  // goroutines of the door: all end with ctx, or when their work is done
}

// row says who answers a primitive that begins a transaction: SSP 5.
type row struct {
	primitive string
	serve     func(s *Server, p *peer, r *session.Request) error
}

// table is all that is served, chapter by chapter of SSP. A handler answers the request itself, or returns why not: that is
// the Status then.
var table = [][]row{serviceRows, profileRows, searchRows, inviteRows, verifyRows, listRows, attributeRows, presenceRows, messageRows,
	boxRows, blockRows, groupRows}

// New makes the door. Close closes it.
func New(c Config) (*Server, error) {
	if c.Users == 0 {
		c.Users = 20000
	}
	if c.Queue == 0 {
		c.Queue = 8192
	}
	if c.Forget == 0 {
		c.Forget = 10 * time.Minute
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Hit == nil {
		c.Hit = func(string) {}
	}
	s := &Server{cfg: c, x: c.Exchange, log: c.Log, rows: map[string]row{}, peers: map[string]*peer{}}
	for _, chapter := range table {
		for _, r := range chapter {
			if _, ok := wire.Lookup(r.primitive); !ok {
				return nil, fmt.Errorf("no primitive of SSP is called %s", r.primitive)
			}
			s.rows[r.primitive] = r
		}
	}
	s.rooms = groupService{s}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.lasting = context.WithoutCancel(s.ctx)
	s.node = session.New(session.Config{Domain: s.x.Domain(), Lookup: s.registered, Speaks: s.identified, Handle: s.handle, Rest: rest, Up: s.up, Down: s.down,
		Timers: c.Timers, Limits: c.Limits, Dial: c.Dial.Dial, Resolver: c.Dial.Resolver, Log: c.Log, Metrics: c.Metrics, Hit: c.Hit})
	s.work.Go(s.sweep) // ends with s.ctx
	s.SetElements(c.Elements)
	s.begun.Store(!c.Waits)
	s.Update()
	return s, nil
}

// ServeHTTP takes what peers post, on any path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.node.ServeHTTP(w, r) }

// Update takes a change of the register: who is new is served from now on, who is gone no longer.
func (s *Server) Update() {
	vias := s.cfg.Register.Routes()
	names, speak := map[string]bool{}, map[string]string{}
	for _, n := range s.cfg.Register.Names() {
		if c, ok := s.cfg.Register.Peer(n); ok {
			speak[cmp.Or(c.Service, n)] = n
		}
	}
	var gone, fresh []*peer
	s.mu.Lock()
	s.speak = speak
	for n := range vias {
		names[n] = true
	}
	for _, n := range s.cfg.Register.Names() {
		names[n] = true
	}
	for n, p := range s.peers {
		if !p.learned && !names[n] || names[n] && (p.learned || p.via != vias[n]) {
			delete(s.peers, n)
			if p.learned {
				s.learned--
			}
			p.remove()
			gone = append(gone, p)
		}
	}
	for n := range names {
		if s.peers[n] != nil {
			continue
		}
		p := s.newPeer(n)
		p.via = vias[n]
		remove, err := s.x.AddPeer(n, p)
		if err != nil {
			s.log.Warn("domain not joined: it is served here, or twice", "domain", n)
			continue
		}
		p.remove = remove
		s.peers[n] = p
		fresh = append(fresh, p)
	}
	s.mu.Unlock()
	for _, p := range gone {
		if p.via == "" && !p.learned {
			s.node.Forget(p.domain)
		}
		p.detachAll()
	}
	s.loseGuests()
	for _, p := range fresh {
		if p.via == "" {
			if l := s.node.Link(p.domain); l != nil { // it was reached over another domain until now
				s.work.Go(func() { p.begin(l) }) // ends when all that waited is under way, or with s.ctx
			}
		} else if l := s.linkTo(p.domain); l != nil {
			s.work.Go(func() { p.take(l) }) // ends as the one above
		}
	}
	if !s.begun.Load() {
		return
	}
	for _, n := range s.cfg.Register.Names() {
		if c, ok := s.cfg.Register.Peer(n); ok && c.Keep {
			s.node.Keep(n)
		}
	}
	for v := Contacts; v <= Groups; v++ { // who provides services to ours is to be there
		if by := s.provider(s.x.Domain(), v); !s.x.Ours(by) {
			if h := s.hop(by); h != nil {
				s.node.Keep(h.domain)
			}
		}
	}
}

func (s *Server) newPeer(domain string) *peer {
	return &peer{s: s, domain: domain, users: map[im.Address]*user{}, sent: map[string]*im.Message{}, turn: make(chan struct{}, 1)}
}

// registered finds a domain once there is an entry for it here, so that no session is up before who would use it.
func (s *Server) registered(domain string) (*session.Peer, bool) {
	if p := s.peer(domain); p == nil || p.learned {
		return nil, false
	}
	return s.cfg.Register.Peer(domain)
}

// identified is the domain that has this one in its Service-ID.
func (s *Server) identified(service string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.speak[service]
}

// Begin begins the sessions that are to be kept up, when ServeHTTP is served.
func (s *Server) Begin() {
	s.begun.Store(true)
	s.Update()
}

// peer is a domain that is registered; nil for others.
func (s *Server) peer(domain string) *peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peers[domain]
}

// Close tells all peers, and waits until nothing of the door runs, or ctx ends.
func (s *Server) Close(ctx context.Context) {
	s.node.Close(ctx)
	s.cancel()
	s.work.Wait()
	s.mu.Lock()
	all := s.peers
	s.peers = map[string]*peer{}
	s.mu.Unlock()
	for _, p := range all {
		p.remove()
		p.detachAll()
	}
}

// Test walks through the login with a domain, and tells of each of the ten steps: SSP 6.1.1.
func (s *Server) Test(ctx context.Context, domain string, step func(n int, what string, err error)) error {
	return s.node.Login(ctx, domain, step)
}

// Request asks a domain for something on behalf of one of our users, or for ourselves (the zero Address): what no act of a
// client leads to. The Meta-Information is made here.
func (s *Server) Request(ctx context.Context, domain string, as im.Address, e *wire.Element) (*wire.Element, error) {
	p := s.peer(domain)
	if p == nil {
		return nil, session.ErrUnknown
	}
	l := p.link.Load()
	if l == nil {
		s.node.Keep(p.reachedBy())
		return nil, session.ErrDown
	}
	if t, ok := wire.Lookup(e.Name); ok && e.Child("MetaInfo") == nil {
		for _, f := range t.Fields {
			if f.Name == "MetaInfo" {
				e.Kids = append([]*wire.Element{s.meta(as)}, e.Kids...)
			}
		}
	}
	return s.requestFor(ctx, l, as, e)
}

// meta is the Meta-Information of what one of our users asks for, or we ourselves (the zero Address): SSP 5.1.
func (s *Server) meta(as im.Address) *wire.Element {
	m := wire.Meta{Service: ssp.FormatService(s.x.Domain())}
	if !as.IsZero() {
		m.Client, m.User = true, ssp.FormatUser(as)
	}
	return m.Element()
}

// handle gives a request to its row, or on to another domain: SSP 2.1, 5.6, 14.3.6.
func (s *Server) handle(_ context.Context, r *session.Request) {
	p := s.peer(r.Link.Domain())
	if p == nil {
		r.Answer(wire.Status(wire.BadDomain, ""))
		return
	}
	q, who, err := s.origin(p, r)
	if err != nil {
		s.refuse(p, r, err)
		return
	}
	row, ok := s.rows[r.Primitive.Name]
	if l := s.plan(p, q, who, r); l != nil {
		if !ok {
			s.passOn(p, q, who, r, nil, l)
		} else {
			s.passOn(p, q, who, r, &row, l)
		}
		return
	}
	switch {
	case q == nil:
		err = wire.UnknownTransaction
	case !ok:
		err = wire.NotSupported
	default:
		err = s.serve(&row, q, who, r)
	}
	if err != nil {
		s.refuse(p, r, err)
	}
}

// serve has a row serve a request: in turn, when it is a user's, for whom other links may ask, too.
func (s *Server) serve(row *row, q *peer, who im.Address, r *session.Request) (err error) {
	if who.IsZero() {
		return row.serve(s, q, r)
	}
	q.inTurn(func() { err = row.serve(s, q, r) })
	return err
}

// refuse answers a request with why it is not served.
func (s *Server) refuse(p *peer, r *session.Request, err error) {
	if ssp.CodeOf(err) == wire.Internal {
		s.log.Error("request of a peer failed", "domain", p.domain, "primitive", r.Primitive.Name, "err", err)
	}
	r.Answer(wire.Status(ssp.CodeOf(err), describe(err)))
}

// describe is what a peer is told besides the code: of faults, not of what goes on in here.
func describe(err error) string {
	if f, ok := errors.AsType[*wire.Fault](err); ok {
		return f.Error()
	}
	return ""
}

// up takes a pair of sessions into use, when services are agreed on: SSP 6.1.1, 7.3.3.
func (s *Server) up(l *session.Link) {
	if p := s.peer(l.Domain()); p != nil {
		s.work.Go(func() { p.begin(l) }) // ends when all that waited is under way, or with s.ctx
	} else {
		s.node.Forget(l.Domain()) // its entry went while it logged in
	}
}

// down takes it out.
func (s *Server) down(l *session.Link, err error) {
	if p := s.peer(l.Domain()); p != nil {
		p.end(l, err)
	}
}

// sweep forgets who has been in memory for nothing.
func (s *Server) sweep() {
	t := time.NewTicker(s.cfg.Forget / 2)
	defer t.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case now := <-t.C:
			s.mu.Lock()
			all := make([]*peer, 0, len(s.peers))
			for _, p := range s.peers {
				all = append(all, p)
			}
			s.mu.Unlock()
			for _, p := range all {
				p.forget(now.Add(-s.cfg.Forget))
			}
		}
	}
}

// Primitives are those that peers may begin with here, for the metrics.
func Primitives() (l []string) {
	for _, chapter := range table {
		for _, r := range chapter {
			l = append(l, r.primitive)
		}
	}
	return l
}
