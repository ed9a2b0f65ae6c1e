package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"parley/ssp"
	"parley/ssp/wire"
)

// state is where a pair of sessions stands.
type state uint8

const (
	beginning state = iota // a login is under way
	up
	leaving // logging out
	down
)

// Link is a pair of sessions with a peer: we are the provider in one of them, and the requestor in the other. It may
// be used by anybody at once. SSP 3.2, 6; ssp-syntax 5.2.
type Link struct {
	n      *Node
	p      *peer
	info   *Peer
	sender *sender
	own    string        // the ID of the session that we manage
	theirs string        // of the one that the peer manages; set before the link is up
	life   time.Duration // of ours, without a word of the peer's; 0: no end. Set before the link is up, then under mu

	mu       sync.Mutex
	state    state
	why      error // it is down
	granted  time.Duration
	heard    time.Time // the last word of the peer's
	spoken   time.Time // the last one of ours that it took
	mute     bool      // the peer does not know KeepAlive, ssp-syntax 5.3
	mine     ssp.Services
	theirsOf ssp.Services // what the peer provides
	pending  map[string]*transaction
	invalid  int                // transactions in a row that were not answered
	unknown  []time.Time        // of unknown transactions, the last ones
	served   map[string]*answer // by the transaction ID, the last one; the others hang on it
	oldest   *answer            // of served
	newest   *answer            // nil when there is no oldest
	keeps    int                // how many there are
	inbox    []work             // from head on
	head     int
	opened   bool   // the inbox is
	running  bool   // somebody works through the inbox
	run      Run    // of whoever does
	service  string // the peer's Service-ID as it writes it; of whoever does
	tokens   float64
	filled   time.Time // when tokens was right
	mesh     *mesh     // nil: no redirect is planned
	timer    *time.Timer
	over     chan struct{} // closed when it is down
}

func (n *Node) newLink(p *peer, info *Peer, find func() ([]target, error)) *Link {
	l := &Link{n: n, p: p, info: info, own: n.sessionID(), mine: info.Offers, theirsOf: info.Wants, over: make(chan struct{})}
	l.sender = n.newSender(info, find)
	l.sender.got = n.heard
	n.bind(l.own, l) // its ID is known to nobody else
	return l
}

// Domain is the peer's.
func (l *Link) Domain() string { return l.p.domain }

// Peer is what was registered of it when the sessions began.
func (l *Link) Peer() *Peer { return l.info }

// Agreed is what we provide to the peer, and it to us. SSP 7.
func (l *Link) Agreed() (mine, theirs ssp.Services) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mine, l.theirsOf
}

// SetAgreed changes it: requests of either side are refused with 506 from now on if they need something else. SSP 7.
func (l *Link) SetAgreed(mine, theirs ssp.Services) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mine, l.theirsOf = mine, theirs
}

// Done is closed when the sessions are gone.
func (l *Link) Done() <-chan struct{} { return l.over }

// Terminate ends both sessions, telling the peer why: 600 when an agreement has run out, 601 at an operator's wish.
// SSP 6.1.3, 6.2.5. It does not wait.
func (l *Link) Terminate(c wire.Code) { l.logout(c, fmt.Errorf("%w: %w", ErrDown, c)) }

// raise makes a link of a login that has come through: requests go out from here on. Its peer's lock is held.
// SSP 6.1.1.
func (l *Link) raise() {
	now := time.Now()
	l.mu.Lock()
	l.state = up
	l.heard, l.spoken, l.filled, l.tokens = now, now, now, float64(l.n.c.Limits.Rate)
	l.wind(now)
	l.mu.Unlock()
	l.sender.mu.Lock()
	l.sender.most = l.info.Connections
	if l.sender.most <= 0 {
		l.sender.most = 4
	}
	l.sender.broken = l.broken
	l.sender.mu.Unlock()
	l.n.c.Metrics.Enter(stateUp)
}

// open tells of a link that was raised, and serves what has come meanwhile.
func (l *Link) open() {
	n := l.n
	l.mu.Lock()
	l.opened = true
	l.inbox = append([]work{{do: func() { n.c.Up(l) }}}, l.inbox[l.head:]...)
	l.head = 0
	mesh := l.mesh
	l.mu.Unlock()
	l.kick()
	if mesh != nil && mesh.first {
		n.spawn(l.connectMesh) // ends with the last of its logins, each of which has a limit
	}
}

// broken hears of the sender's connections.
func (l *Link) broken(err error) {
	if err != nil {
		l.end(fmt.Errorf("%w: %w", ErrDown, err), false, nil)
		return
	}
	l.keepAlive() // an idle connection was closed: is it the connection alone?
}

// sessionOf is the session that a primitive of ours belongs to: that of its provider; in oma13, our own always.
// SSP 5.1; ssp-syntax 5.2.
func (l *Link) sessionOf(by wire.Role) string {
	if l.info.Dialect == wire.OMA13 || by == wire.Provider {
		return l.own
	}
	return l.theirs
}

// end ends both sessions at once: what is asked comes back, Down is called, then then. A lingering link still answers
// a logout for a moment: the other half of the peer's. SSP 6.1.3; ssp-syntax 5.6.
func (l *Link) end(why error, linger bool, then func()) {
	n := l.n
	l.mu.Lock()
	if l.state == down || l.state == beginning {
		l.mu.Unlock()
		if then != nil {
			then()
		}
		return
	}
	l.state, l.why = down, why
	pending := l.pending
	l.pending = nil
	rest := slices.DeleteFunc(l.inbox[l.head:], func(w work) bool { return w.do == nil })
	l.inbox, l.head = append(rest, work{do: func() {
		n.c.Down(l, why)
		if then != nil {
			then()
		}
	}}), 0
	l.served, l.oldest, l.newest, l.keeps = nil, nil, nil, 0
	if l.timer != nil {
		l.timer.Stop()
	}
	close(l.over)
	l.mu.Unlock()
	n.c.Metrics.Leave(stateUp)
	n.c.Log.Info("sessions are down", "peer", l.p.domain, "err", why)
	for _, t := range pending {
		l.finish(t, nil, why)
	}
	l.kick()
	p := l.p
	p.mu.Lock()
	if p.link == l {
		p.link = nil
	}
	p.mu.Unlock()
	p.again(false)
	if !linger {
		l.release(why)
		return
	}
	time.AfterFunc(n.c.Timers.Grace, func() { n.run(func() { l.release(why) }) })
}

// release gives up the connections and the IDs.
func (l *Link) release(why error) {
	l.n.unbind(l)
	if !errors.Is(why, ErrDown) {
		why = fmt.Errorf("%w: %w", ErrDown, why)
	}
	l.sender.close(why)
}

// logout ends both sessions: as requestor if there is no code, by LogoutRequest and then Disconnect, else as
// provider the other way round. It does not wait for the peer. SSP 6.1.3, 6.3.2, 6.3.3; ssp-syntax 5.6.
func (l *Link) logout(c wire.Code, why error) {
	l.mu.Lock()
	if l.state != up {
		l.mu.Unlock()
		return
	}
	l.state = leaving
	l.mu.Unlock()
	ends := func() { l.end(why, false, nil) }
	if !l.n.spawn(func() { // ends after the limit at the latest
		ctx, cancel := context.WithTimeout(l.n.ctx, l.n.c.Timers.Latency+l.n.c.Timers.Grace)
		defer cancel()
		if c != 0 {
			l.oneWay(wire.New("Disconnect").Add(wire.Status(c, c.Words())))
		}
		got := make(chan struct{})
		l.ask(ctx, wire.Requestor, &transaction{e: wire.New("LogoutRequest"), key: inOrder, expect: "Disconnect", ours: true,
			done: func(*wire.Element, error) { close(got) }})
		select {
		case <-got:
		case <-ctx.Done():
		}
		if c == 0 {
			l.oneWay(wire.New("Disconnect"))
		}
		l.sender.drain(ctx)
		ends()
	}) {
		ends()
	}
}

// disconnect tells the peer that this server stops: 601. SSP 6.2.5; ssp-syntax 5.6.
func (l *Link) disconnect(ctx context.Context) {
	l.mu.Lock()
	was := l.state
	if was == up {
		l.state = leaving
	}
	l.mu.Unlock()
	if was == up {
		ctx, cancel := context.WithTimeout(ctx, l.n.c.Timers.Latency+l.n.c.Timers.Grace)
		defer cancel()
		l.oneWay(wire.New("Disconnect").Add(wire.Status(wire.ForcedLogout, wire.ForcedLogout.Words())))
		l.sender.drain(ctx)
	}
	l.end(fmt.Errorf("%w: %w", ErrDown, ErrClosed), false, nil)
}

// oneWay sends a request of the session's own that nobody answers.
func (l *Link) oneWay(e *wire.Element) {
	l.reply(l.sessionOf(wire.Provider), wire.Unit{ID: l.n.transactionID(), Primitive: e}, inOrder)
}

// inOrder is the key of what ends sessions.
const inOrder = "\x00"

// reply sends a unit of ours in a session; key as in GoOrdered.
func (l *Link) reply(session string, u wire.Unit, key string) {
	doc, err := l.document(&u)
	if err != nil {
		l.n.c.Log.Error("cannot be written", "verb", u.Primitive.Name, "peer", l.p.domain, "err", err)
		return
	}
	l.sender.send(&post{doc: doc, session: session, id: u.ID, key: key})
}

var scratch = sync.Pool{New: func() any { return new([]byte) }}

// document writes a unit of ours; the sender puts the rest of a document around it.
func (l *Link) document(u *wire.Unit) ([]byte, error) {
	b := scratch.Get().(*[]byte)
	defer scratch.Put(b)
	doc, err := u.Append((*b)[:0], l.info.Dialect)
	if err != nil {
		return nil, err
	}
	if cap(doc) <= 1<<16 {
		*b = doc
	}
	return slices.Clone(doc), nil
}

// wind sets the timer to when something is to be done next. The lock is held.
func (l *Link) wind(now time.Time) {
	if l.state != up && l.state != leaving {
		return
	}
	t := &l.n.c.Timers
	next := now.Add(t.Remember)
	if l.life > 0 {
		next = earlier(next, l.heard.Add(l.life))
	}
	if !l.mute {
		next = earlier(next, l.spoken.Add(l.interval()))
	}
	if len(l.pending) > 0 {
		next = earlier(next, now.Add(max(t.validity()/8, time.Millisecond)))
	}
	d := max(next.Sub(now), time.Millisecond)
	if l.timer == nil {
		l.timer = time.AfterFunc(d, func() { l.n.run(l.tick) })
	} else {
		l.timer.Reset(d)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// tick does what time brings: repeats and failures of transactions, the sessions' lives, and forgetting.
func (l *Link) tick() {
	now := time.Now()
	l.mu.Lock()
	if l.state != up && l.state != leaving {
		l.mu.Unlock()
		return
	}
	again, failed := l.overdue(now)
	l.forget(now)
	expired := l.life > 0 && now.Sub(l.heard) >= l.life
	alive := !l.mute && now.Sub(l.spoken) >= l.interval()
	if alive {
		l.spoken = now // so that one is sent, whatever becomes of it
	}
	most := l.n.c.Limits.Invalid
	broken := len(failed) > 0 && most > 0 && l.invalid >= most
	l.wind(now)
	l.mu.Unlock()
	for _, p := range again {
		l.sender.resend(p)
	}
	for _, t := range failed {
		l.finish(t, nil, ssp.ErrorOf(wire.TimedOut))
	}
	switch {
	case expired:
		l.logout(wire.Expired, fmt.Errorf("%w: %w", ErrDown, wire.Expired)) // SSP 6.1.3
	case broken:
		l.n.c.Log.Warn("the peer does not answer", "peer", l.p.domain)
		l.logout(wire.ForcedLogout, fmt.Errorf("%w: %w", ErrDown, wire.TimedOut)) // SSP 5.5; ssp-syntax 9
	case alive:
		l.keepAlive()
	}
}

// interval is how long we may be silent, ssp-syntax 1.5, 5.3. The lock is held.
func (l *Link) interval() time.Duration {
	d := l.n.c.Timers.Alive
	if l.granted > 0 {
		d = min(d, l.granted/3)
	}
	return d
}

// keepAlive refreshes the session that the peer manages, over each of its hosts, SSP 6.1.2, 6.3.4.
func (l *Link) keepAlive() {
	l.mu.Lock()
	ok := l.state == up && !l.mute
	l.mu.Unlock()
	if !ok {
		return
	}
	hosts := l.sender.hosts()
	for _, h := range hosts {
		to := ""
		if len(hosts) > 1 {
			to = h.host
		}
		l.ask(l.n.ctx, wire.Requestor, &transaction{ours: true, to: to, expect: "KeepAliveResponse",
			e:    wire.New("KeepAliveRequest", "timeToLive", strconv.Itoa(int(l.n.c.Timers.Life/time.Second))),
			done: func(e *wire.Element, err error) { l.kept(h, e, err) }})
	}
}

// kept takes the answer to a KeepAlive. SSP 6.2.7.
func (l *Link) kept(h target, e *wire.Element, err error) {
	switch {
	case errors.Is(err, wire.NotSupported), errors.Is(err, wire.NotImplemented):
		l.mu.Lock()
		l.mute = true // alive, and not to be asked again: ssp-syntax 5.3
		l.mu.Unlock()
	case err != nil:
		l.sender.leave(h) // the session goes on over the others, SSP 6.1.3
	default:
		if n := wire.Int(e.Attr("timeToLive")); n > 0 {
			l.mu.Lock()
			l.granted = time.Duration(n) * time.Second
			l.wind(time.Now())
			l.mu.Unlock()
		}
	}
}
