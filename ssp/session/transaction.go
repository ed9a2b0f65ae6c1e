package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"parley/ssp"
	"parley/ssp/wire"
)

// exchange is a request and its answer, one of those that a transaction is made of. SSP 5; ssp-syntax 3.10, 5.7.
type exchange struct {
	transactions []*wire.Transaction
	by           wire.Role // who asks
	answer       string    // "" when it is one-way
	further      bool      // another request follows under the same ID
}

// exchanges are all of them by the primitive that begins them.
var exchanges = allExchanges()

// third is the only third step that goes under the ID of the first. ssp-syntax 5.7.
const third = "MessageDelivered"

func allExchanges() map[string]*exchange {
	m := map[string]*exchange{}
	for _, t := range wire.Transactions() {
		if t.Name == "Login" {
			continue
		}
		for i := 0; i < len(t.Steps); i += 2 {
			name := t.Steps[i].Primitive
			if name == third {
				continue
			}
			x := m[name]
			if x == nil {
				x = &exchange{}
				m[name] = x
			}
			s, _ := wire.Lookup(name)
			x.transactions = append(x.transactions, t)
			x.by = s.By
			if i+1 < len(t.Steps) {
				x.answer = t.Steps[i+1].Primitive
			}
			if i+2 < len(t.Steps) && t.Steps[i+2].Primitive == third {
				x.further = true
			}
		}
	}
	return m
}

// allowed is the first transaction of an exchange that an agreement allows; nil when there is none. SSP 7.
func (x *exchange) allowed(s ssp.Services) *wire.Transaction {
	for _, t := range x.transactions {
		if s.Allows(t) || management(t.Name) {
			return t
		}
	}
	return nil
}

// management says which transactions make an agreement, and so need none. SSP 5.7, 7.3.
func management(transaction string) bool {
	return transaction == "GetAvailableService" || transaction == "ServiceIndication" || transaction == "SetServiceAgreement"
}

// transaction is one that we began. Its link's lock guards what changes.
type transaction struct {
	id, session string
	e           *wire.Element
	key, to     string
	doc         []byte
	expect      string // the answer's primitive, besides Status; "" is none
	ours        bool   // of the session itself: goes also when it is ending
	then        func(*wire.Element) *wire.Element
	through     Through
	waits       bool // for the third step, whatever the peer says meanwhile
	done        func(*wire.Element, error)
	due         time.Time // zero while it is being sent
	last        time.Time // whatever the peer says meanwhile
	tries       int
	first       post  // as it is sent for the first time
	held        *post // it did not arrive, and nothing of its key goes before it
	stop        func() bool
}

func (l *Link) finish(t *transaction, e *wire.Element, err error) {
	if t.held != nil {
		l.sender.release(t.held)
	}
	if t.stop != nil {
		t.stop()
	}
	if t.done != nil {
		t.done(e, err)
	}
}

// Request sends a primitive that begins a transaction, and waits for the final answer. MetaInfo is the caller's. An
// answer that is a failure is given back with an error that wraps its wire.Code, and what the core calls it
// (ssp.ErrorOf). Without an answer the error wraps the Code 504; ErrDown when the sessions ended: the request may or
// may not have been done. A request that is one-way has the answer nil. SSP 5; ssp-syntax 5.7.
func (l *Link) Request(ctx context.Context, e *wire.Element) (*wire.Element, error) {
	return l.RequestThen(ctx, e, nil)
}

// RequestThen is Request with a third step: what then makes of a good answer is sent under the same transaction ID,
// and the answer to it is the final one. GetMessage has one, MessageDelivered: SSP 12.3.5.
func (l *Link) RequestThen(ctx context.Context, e *wire.Element, then func(answer *wire.Element) *wire.Element) (*wire.Element, error) {
	type result struct {
		e   *wire.Element
		err error
	}
	c := make(chan result, 1)
	t := &transaction{e: e, then: then, done: func(e *wire.Element, err error) { c <- result{e, err} }}
	l.begin(ctx, t)
	r := <-c
	return r.e, r.err
}

// Go is Request without waiting. Requests of one link go out in the order of the calls, several at once. done is
// called once, from any goroutine, also within Go; it must return soon. When ctx ends, done has its error, and an
// answer is not waited for any more.
func (l *Link) Go(ctx context.Context, e *wire.Element, done func(*wire.Element, error)) {
	l.begin(ctx, &transaction{e: e, done: done})
}

// GoOrdered is Go for what must not overtake other requests of the same key: the next one is sent when the one before
// has been acknowledged by HTTP.
func (l *Link) GoOrdered(ctx context.Context, key string, e *wire.Element, done func(*wire.Element, error)) {
	l.begin(ctx, &transaction{e: e, key: key, done: done})
}

// Through is what a relay does with that which comes before the final answer. Its functions may be nil; they must return soon.
type Through struct {
	Provisional func(status *wire.Element) // an answer of code 1xx
	// Third is told of a good answer to a request with a third step, and calls next, once and at any time, with what is to
	// be sent under the same transaction ID; the answer to that is the final one. Without a third step next is called with nil.
	Third func(answer *wire.Element, next func(*wire.Element))
}

// GoThrough is GoOrdered for a request that another domain made of us, and that goes on to this one. SSP 2.1; ssp-syntax 6.
func (l *Link) GoThrough(ctx context.Context, key string, e *wire.Element, th Through, done func(*wire.Element, error)) {
	l.begin(ctx, &transaction{e: e, key: key, through: th, done: done})
}

// begin judges a request of ours and sends it.
func (l *Link) begin(ctx context.Context, t *transaction) {
	x := exchanges[t.e.Name]
	if x == nil {
		l.finish(t, nil, fmt.Errorf("%s begins no transaction", t.e.Name))
		return
	}
	mine, theirs := l.Agreed()
	if x.by == wire.Provider {
		theirs = mine
	}
	if x.allowed(theirs) == nil {
		l.finish(t, nil, ssp.ErrorOf(wire.NotAgreed))
		return
	}
	t.expect = x.answer
	l.ask(ctx, x.by, t)
}

// ask sends a request of ours, in a role.
func (l *Link) ask(ctx context.Context, as wire.Role, t *transaction) {
	t.id, t.session = l.n.transactionID(), l.sessionOf(as)
	var err error
	if t.doc, err = l.document(&wire.Unit{ID: t.id, Primitive: t.e}); err != nil {
		l.finish(t, nil, err)
		return
	}
	if ctx.Err() != nil {
		l.finish(t, nil, ctx.Err())
		return
	}
	now := time.Now()
	t.last = now.Add(l.n.c.Timers.Total)
	l.mu.Lock()
	if l.state != up && !(l.state == leaving && t.ours) {
		why := l.why
		l.mu.Unlock()
		if why == nil {
			why = ErrDown
		}
		l.finish(t, nil, why)
		return
	}
	if l.pending == nil {
		l.pending = map[string]*transaction{}
	}
	l.pending[t.id] = t
	if len(l.pending) == 1 {
		l.wind(now)
	}
	if ctx.Done() != nil {
		t.stop = context.AfterFunc(ctx, func() {
			if l.claim(t) {
				l.finish(t, nil, context.Cause(ctx))
			}
		})
	}
	first := l.post(t)
	l.mu.Unlock()
	l.sender.send(first)
}

// claim takes a transaction out of those that wait; false when it is gone.
func (l *Link) claim(t *transaction) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending[t.id] != t {
		return false
	}
	delete(l.pending, t.id)
	return true
}

// post is a request as it is sent, for the first time or again. The lock is held.
func (l *Link) post(t *transaction) *post {
	p := t.held
	if t.held = nil; p != nil {
		return p
	}
	if p = &t.first; p.t != nil {
		p = &post{}
	}
	*p = post{doc: t.doc, session: t.session, id: t.id, key: t.key, to: t.to, hold: t.key != "", l: l, t: t}
	return p
}

// acked: the peer took a request, or not. ssp-syntax 1.3, 5.7.
func (l *Link) acked(t *transaction, p *post, err error) {
	now := time.Now()
	var refused *httpError
	l.mu.Lock()
	if err == nil {
		l.spoken = now
	}
	if l.pending[t.id] != t {
		l.mu.Unlock()
		if err != nil && p.hold {
			l.sender.release(p)
		}
		return // answered already
	}
	if err != nil && p.hold {
		t.held = p
	}
	if t.waits { // it was answered, so it did arrive
		l.mu.Unlock()
		return
	}
	switch {
	case err == nil && t.expect == "":
		delete(l.pending, t.id)
		l.mu.Unlock()
		l.finish(t, nil, nil)
		return
	case err == nil:
		t.due = now.Add(l.n.c.Timers.validity())
	case errors.As(err, &refused):
		var c wire.Code
		switch refused.status {
		case 503:
			t.due = now.Add(max(refused.after, l.n.c.Timers.Latency))
		case 413:
			c = wire.QueueFull
		default:
			c = wire.BadRequest
			if refused.status >= 500 {
				c = wire.Internal
			}
		}
		if c != 0 {
			delete(l.pending, t.id)
			l.mu.Unlock()
			l.finish(t, nil, fmt.Errorf("%w: %w", ssp.ErrorOf(c), refused))
			return
		}
	case errors.Is(err, ErrQueue), t.to != "":
		delete(l.pending, t.id)
		l.mu.Unlock()
		l.finish(t, nil, err)
		return
	default:
		t.due = now.Add(l.n.c.Timers.Latency)
	}
	l.mu.Unlock()
}

// overdue are the transactions to be sent again, and those that were sent often enough. The lock is held. SSP 5.5.
func (l *Link) overdue(now time.Time) (again []*post, failed []*transaction) {
	for id, t := range l.pending {
		switch {
		case t.due.IsZero() || now.Before(t.due):
			continue
		case t.tries >= max(0, l.n.c.Limits.Repeats) || !now.Before(t.last):
			delete(l.pending, id)
			failed = append(failed, t)
			if !t.ours {
				l.invalid++
			}
		default:
			t.tries++
			t.due = time.Time{}
			again = append(again, l.post(t))
		}
	}
	slices.SortFunc(again, func(a, b *post) int { return compareIDs(a.id, b.id) })
	slices.SortFunc(failed, func(a, b *transaction) int { return compareIDs(a.id, b.id) })
	return again, failed
}

// answered takes an answer of the peer's. SSP 5.2, 5.3, 5.6; ssp-syntax 1.4, 2.4.
func (l *Link) answered(u *wire.Unit, session string) {
	now := time.Now()
	l.mu.Lock()
	t := l.pending[u.ID]
	if t != nil && t.waits {
		l.mu.Unlock()
		return
	}
	if t == nil {
		l.mu.Unlock()
		if late(u) && l.n.issued(u.ID) { // under the ID of the request, which is over
			if f := l.asked(u, session); f != nil {
				f()
			}
			return
		}
		if !l.n.issued(u.ID) { // else it comes late, or once more
			l.misunderstood("answer to nothing", u, nil)
		}
		return
	}
	code := wire.StatusOf(u.Primitive)
	name := ""
	if u.Primitive != nil {
		name = u.Primitive.Name
	}
	if f := u.Check(l.info.Dialect); f != nil || name != t.expect && name != "Status" {
		l.mu.Unlock()
		l.misunderstood("answer that does not fit", u, f) // and so there is none: SSP 5.6
		return
	}
	if code != 0 && !code.Final() {
		t.due = earlier(now.Add(l.n.c.Timers.Working), t.last)
		l.mu.Unlock()
		if t.through.Provisional != nil {
			t.through.Provisional(u.Primitive)
		}
		return
	}
	l.invalid = 0
	if t.through.Third != nil && code.Class() < 4 && name == t.expect && exchanges[t.e.Name].further {
		third := t.through.Third
		t.through.Third, t.waits, t.due = nil, true, time.Time{} // whoever is asked for it knows how long that may take
		l.mu.Unlock()
		third(u.Primitive, func(next *wire.Element) { l.follow(t, u.Primitive, next) })
		return
	}
	if t.then != nil && code.Class() < 4 && name == t.expect {
		then := t.then
		t.then = nil
		l.mu.Unlock()
		l.follow(t, u.Primitive, then(u.Primitive))
		return
	}
	delete(l.pending, u.ID)
	l.mu.Unlock()
	l.finish(t, u.Primitive, ssp.ErrorOf(code))
}

// follow sends the third step of a transaction behind an answer, under the same ID; nil: there is none. ssp-syntax 5.7.
func (l *Link) follow(t *transaction, answer, next *wire.Element) {
	if next == nil {
		if l.claim(t) {
			l.finish(t, answer, nil)
		}
		return
	}
	doc, err := l.document(&wire.Unit{ID: t.id, Primitive: next})
	l.mu.Lock()
	if err != nil || l.pending[t.id] != t {
		gone := l.pending[t.id] != t
		delete(l.pending, t.id)
		l.mu.Unlock()
		if !gone {
			l.finish(t, nil, err)
		}
		return
	}
	arrived := t.held
	t.doc, t.expect, t.due, t.tries, t.waits, t.held = doc, "Status", time.Time{}, 0, false, nil
	further := l.post(t)
	l.mu.Unlock()
	if arrived != nil {
		l.sender.release(arrived)
	}
	l.sender.send(further)
}

// late says whether it is an answer that may come as one, long after its request was answered by Status. ssp-syntax 5.7.
func late(u *wire.Unit) bool {
	if u.Primitive == nil {
		return false
	}
	switch u.Primitive.Name {
	case "InviteResponse", "InviteUserResponse", "AuthorizationResponse":
		return true
	}
	return false
}

// misunderstood counts an unknown transaction: too many of them end the sessions. SSP 5.6; ssp-syntax 1.5.
func (l *Link) misunderstood(what string, u *wire.Unit, why error) {
	name := u.Unknown
	if u.Primitive != nil {
		name = u.Primitive.Name
	}
	l.n.c.Log.Warn("unknown transaction", "peer", l.p.domain, "what", what, "verb", name, "err", why)
	limit, now := l.n.c.Limits.Unknown, time.Now()
	l.mu.Lock()
	l.unknown = slices.DeleteFunc(l.unknown, func(t time.Time) bool { return now.Sub(t) > l.n.c.Timers.Window })
	l.unknown = append(l.unknown, now)
	over := limit > 0 && len(l.unknown) >= limit
	l.mu.Unlock()
	if over {
		l.n.c.Hit("unknown")
		l.logout(wire.ForcedLogout, fmt.Errorf("%w: %w", ErrDown, wire.UnknownTransaction))
	}
}

// compareIDs orders our IDs as they were made.
func compareIDs(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}
