package server

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// peer is a domain that is registered, and those of its users who are in memory.
type peer struct {
	s       *Server
	domain  string
	via     string        // the domain of the relay that leads there; "": there is a session with it
	learned bool          // nothing is registered of it
	remove  func()        // takes it out of the exchange
	turn    chan struct{} // holds one while somebody acts for its users: several links may lead to them
	link    atomic.Pointer[session.Link]
	moment  atomic.Pointer[moment] // of the last message

	searches    searches
	reports     reports
	invitations invitations
	told        told

	mu       sync.Mutex    // guards what follows
	begun    *session.Link // the last one that was taken into use
	users    map[im.Address]*user
	queue    []thing             // what is to be told to the peer, in order
	draining bool                // one goroutine does
	held     int                 // it waits until a request is answered
	fresh    map[sight]struct{}  // who asked, or was told, since there is a session; nil when all has been told again
	missed   []thing             // acts since a session began, while services are not agreed on
	left     map[sight]time.Time // of ours who stopped watching one of the peer's lately
	stale    bool                // something was not told for want of room: all is to be told again
	sent     map[string]*im.Message
	sentIDs  []string             // the oldest first
	came     arrivals             // messages that came
	faces    map[im.Address]*face // of ours who said something lately
}

// thing is a delivery for one of the peer's users.
type thing struct {
	u *user
	d exchange.Delivery
}

// user is somebody of a peer's: the session that stands for them.
type user struct {
	p         *peer
	who       im.Address
	name      string // who, written
	c         *exchange.Client
	last      atomic.Int64                 // when something was last done by them or for them, Unix seconds
	kept      atomic.Pointer[kept]         // nil: not read yet
	recipient atomic.Pointer[wire.Element] // as they stand in a message; not changed any more
	lane      lane

	mu    sync.Mutex              // guards what follows
	wants map[im.Address][]string // the presence attributes that they asked for of ours; nil: all
	left  map[im.Address]struct{} // those whom they asked not to see any more
	known *known                  // what the peer told of them
	in    map[im.RoomID]place     // the groups that they have joined
	words []*exchange.RoomWords   // what was said there and waits until they fetch it
}

// Stand implements exchange.Peer.
func (p *peer) Stand(who im.Address, c *exchange.Client) (exchange.Session, exchange.Login) {
	u := &user{p: p, who: who, name: who.String(), c: c}
	u.touch()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users[who] = u
	if p.up() {
		c.Listen()
	}
	return u, exchange.Login{Door: door, Slot: slot, Remote: p.domain}
}

func (u *user) touch() { u.last.Store(time.Now().Unix()) }

// user has one of the peer's users in memory. im.ErrTooMany when there are too many.
func (p *peer) user(ctx context.Context, who im.Address) (*user, error) {
	p.mu.Lock()
	u, n := p.users[who], len(p.users)
	p.mu.Unlock()
	if u == nil && n >= p.s.cfg.Users {
		p.s.cfg.Hit("users")
		return nil, im.ErrTooActive
	}
	c, err := p.s.x.Stand(ctx, who)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	u = p.users[who]
	p.mu.Unlock()
	if u == nil || u.c != c {
		return nil, im.ErrClosing
	}
	u.touch()
	return u, nil
}

// Hand implements exchange.Session.
func (u *user) Hand(d exchange.Delivery) bool {
	p := u.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) >= p.s.cfg.Queue {
		p.s.cfg.Hit("peer_queue")
		if m, ok := d.(*exchange.Message); ok {
			m.Return(im.ErrTooActive)
		} else {
			p.stale = true
		}
		return false
	}
	p.queue = append(p.queue, thing{u, d})
	return !p.draining && p.held == 0
}

// Flush implements exchange.Session.
func (u *user) Flush() { u.p.drain() }

// End implements exchange.Session: the peer is told by its own session.
func (u *user) End(exchange.EndReason) {}

// drain tells the peer what waits for it, one goroutine at a time.
func (p *peer) drain() {
	p.mu.Lock()
	if p.draining || p.held > 0 {
		p.mu.Unlock()
		return
	}
	p.draining = true
	for len(p.queue) > 0 && p.held == 0 {
		l := p.queue
		p.queue = nil
		p.mu.Unlock()
		p.tell(l)
		p.mu.Lock()
	}
	p.draining = false
	p.mu.Unlock()
}

// hold keeps what an act leads to back until the act is answered: ssp-syntax 9.
func (p *peer) hold() {
	p.mu.Lock()
	p.held++
	p.mu.Unlock()
}

func (p *peer) release() {
	p.mu.Lock()
	p.held--
	p.mu.Unlock()
	p.drain()
}

// tell sends deliveries on their way. What cannot be sent is found again when there is a session: begin.
func (p *peer) tell(l []thing) {
	for i := 0; i < len(l); i++ {
		u := l[i].u
		u.touch()
		switch d := l[i].d.(type) {
		case *exchange.Message:
			link := p.way(d.From, Messages)
			if meant, ok := exchange.Meant(d.Message); ok {
				p.first(u, meant, d)
				continue
			}
			if link == nil {
				d.Return(im.ErrGone)
				continue
			}
			p.message(link, u, d)
		case *exchange.Presence:
			n := 1
			for i+n < len(l) && l[i+n].d == l[i].d {
				n++
			}
			if link := p.way(d.Who, Presence); link != nil && !p.s.shownElsewhere(d.Who) {
				p.notify(link, d, l[i:i+n])
			}
			i += n - 1
		case *exchange.Change:
			if link := p.way(d.Who, Presence); link != nil {
				p.change(link, u, d)
			} else {
				p.miss(l[i])
			}
		case *exchange.Report:
			if link := p.way(d.Of.To, Messages); link != nil {
				p.report(link, u, d)
			}
		default:
			i += p.tellRoom(l[i:]) - 1
		}
	}
}

// begin takes a pair of sessions into use: services are agreed on, and then all is told that is to be known, and given
// what waited. SSP 6.1.1, 7.3.3; ssp-syntax 5.5.
func (p *peer) begin(l *session.Link) {
	p.mu.Lock()
	again := p.begun == l
	p.begun = l
	p.mu.Unlock()
	if again {
		return
	}
	p.agree(p.s.ctx, l)
	p.take(l)
	for _, q := range p.s.behind(p) {
		q.take(l)
	}
	p.s.tellElement(p)
	p.s.rejoinGuests()
}

// inTurn does something for users of the peer's, while nobody else does.
func (p *peer) inTurn(f func()) {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	f()
}

// take has the peer reached over a link, unless that has ended meanwhile, and perhaps another one is there.
func (p *peer) take(l *session.Link) {
	by := p.reachedBy()
	p.mu.Lock()
	if p.s.node.Link(by) != l {
		p.mu.Unlock()
		return
	}
	p.fresh = map[sight]struct{}{}
	p.link.Store(l)
	missed := p.missed
	p.missed = nil
	p.mu.Unlock()
	select {
	case <-l.Done(): // whoever was told so did not see it here yet
		p.end(l, session.ErrDown)
	default:
	}
	if len(missed) > 0 {
		p.tell(missed)
	}
	p.resync(l)
	p.mu.Lock()
	p.fresh = nil
	p.mu.Unlock()
}

// miss keeps an act of ours for when services are agreed on: the peer, who may use the session already, told us before how
// it was until then.
func (p *peer) miss(t thing) {
	by := p.reachedBy()
	p.mu.Lock()
	agreed := p.link.Load() != nil // since then
	if !agreed && p.s.node.Link(by) != nil && len(p.missed) < p.s.cfg.Queue {
		p.missed = append(p.missed, t)
	}
	p.mu.Unlock()
	c := t.d.(*exchange.Change)
	if l := p.way(c.Who, Presence); agreed && l != nil {
		p.change(l, t.u, c)
	}
}

// sight is somebody and who watches them.
type sight struct{ seen, by im.Address }

// anew reports whether something is said of a pair for the first time while all is told again, and takes it that it is;
// at other times nothing was said before.
func (p *peer) anew(seen, by im.Address) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fresh == nil {
		return true
	}
	_, was := p.fresh[sight{seen, by}]
	p.fresh[sight{seen, by}] = struct{}{}
	return !was
}

// resync has everybody of the peer's in memory who watches or is watched, asks again for those who are watched, and tells
// of ours: what was told while nobody listened.
func (p *peer) resync(l *session.Link) {
	if err := p.s.x.StandAll(p.s.ctx, p.domain); err != nil {
		if p.s.ctx.Err() == nil {
			p.s.log.Error("users of a peer not found again", "domain", p.domain, "err", err)
		}
		return
	}
	for _, u := range p.all() {
		if p.link.Load() != l {
			return
		}
		p.meet(u)
		p.inTurn(func() { p.resubscribe(u) })
		u.c.SetDeaf(false)
	}
}

// meet has those in memory whom a user knows whom we serve, at domains that nothing is registered of.
func (p *peer) meet(u *user) {
	for _, e := range u.c.Snapshot().Entries {
		if d := e.Who.Domain(); !p.s.x.Serves(d) && u.has(Presence) {
			if _, err := p.s.learn(d); err == nil {
				_, _ = p.s.x.Stand(p.s.ctx, e.Who) // else there is nothing to be told
			}
		}
	}
}

// end takes a pair of sessions out: nobody knows how the peer's users are.
func (p *peer) end(l *session.Link, err error) {
	for _, q := range p.s.behind(p) {
		q.end(l, err)
	}
	p.mu.Lock()
	other := p.link.Load() // nil also when services were not agreed on yet; then the peer may have told much all the same
	if other != nil && other != l {
		p.mu.Unlock()
		return
	}
	p.missed = nil
	p.link.Store(nil)
	p.mu.Unlock()
	p.s.log.Info("session with a domain ended", "domain", p.domain, "err", err)
	p.searches.clear() // SSP 9.3.1
	for _, q := range p.s.everyPeer() {
		for _, u := range q.all() {
			u.quit(p.domain)
		}
	}
	p.s.loseGuests()
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	for _, u := range p.all() {
		u.c.SetDeaf(true)
		u.show(im.Presence{}, "", nil)
		u.c.ShowToAll()
	}
}

// all is the peer's users in memory.
func (p *peer) all() []*user {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := make([]*user, 0, len(p.users))
	for _, u := range p.users {
		l = append(l, u)
	}
	slices.SortFunc(l, func(a, b *user) int { return a.who.Compare(b.who) })
	return l
}

// forget lets those go who have been in memory for nothing since then.
func (p *peer) forget(since time.Time) {
	up := p.up()
	for _, u := range p.all() {
		if u.last.Load() > since.Unix() || up && u.matters() {
			continue
		}
		p.mu.Lock()
		if p.users[u.who] == u {
			delete(p.users, u.who)
		}
		p.mu.Unlock()
		u.c.Detach()
	}
}

// matters reports whether somebody here sees the user, or they somebody, or they are in a group.
func (u *user) matters() bool {
	if len(u.p.s.x.RoomSeats(u.c)) > 0 {
		return true
	}
	for _, e := range u.c.Snapshot().Entries {
		if e.Side.Watch != im.WatchNone || e.Watched != im.WatchNone {
			return true
		}
	}
	return false
}

func (p *peer) detachAll() {
	for _, u := range p.all() {
		u.c.Detach()
	}
	p.mu.Lock()
	clear(p.users)
	l := p.queue
	p.queue = nil
	p.mu.Unlock()
	p.link.Store(nil)
	p.tell(l)
}
