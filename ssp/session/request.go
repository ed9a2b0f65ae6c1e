package session

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/metrics"
	"parley/ssp"
	"parley/ssp/wire"
)

// work is a request that waits for its turn, or something else to be done in this order.
type work struct {
	unit    wire.Unit
	session string
	queued  bool // the peer was told that it has to wait
	do      func()
}

// answer is what was made of a request of the peer's.
type answer struct {
	id, primitive string
	others        *answer // to requests of the same ID that came before
	younger       *answer // to the request that came next, whatever its ID
	at            time.Time
	doc           []byte // the last answer; nil: none yet
	in            string // its session
	final         bool
	third         chan *wire.Element // where the peer's third step is waited for
	next          *answer            // what answers that
}

// Request is a transaction that the peer began. Its methods may be called from any goroutine.
type Request struct {
	Link        *Link
	Transaction *wire.Transaction
	Primitive   *wire.Element
	Meta        wire.Meta // zero when the primitive has none
	ID          string
	Provider    bool // the peer is the provider in it, and we are the requestor

	// Run is what it has in common with those that are served right before and behind it; nil: it stands alone.
	Run *Run

	session  string
	began    time.Time
	exchange *exchange
	a        *answer             // guarded by the link's lock
	answered func(*wire.Element) // takes the answers; nil: the peer does
	last     post                // of the final answer
}

// Part is a request for a part of what this one is for: its answers go to answered instead of the peer.
func (r *Request) Part(e *wire.Element, answered func(*wire.Element)) *Request {
	p := *r
	p.Primitive, p.answered, p.Run = e, answered, nil
	return &p
}

// receive takes the units of a document in a session; false when too many wait. ssp-syntax 1.4, 1.7.
func (l *Link) receive(m *wire.Message) bool {
	n, requests := l.n, 0
	for i := range m.Units {
		if !m.Units[i].Response {
			requests++
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = time.Now()
	if requests > 0 && over(len(l.inbox)-l.head+requests, n.c.Limits.Inbox) {
		return false
	}
	l.inbox = slices.Grow(l.inbox, requests)
	return true
}

// take gives the requests of a document their places; then is what is to be done behind its acknowledgement. Whoever
// posted it may send the next as soon as they hear of that, which takes its time on a slow connection.
func (l *Link) take(m *wire.Message) (then func()) {
	var told []func()
	for i := range m.Units {
		if u := &m.Units[i]; !u.Response {
			if f := l.asked(u, m.Session); f != nil {
				told = append(told, f)
			}
		}
	}
	return func() {
		for i := range m.Units {
			if u := &m.Units[i]; u.Response {
				l.answered(u, m.Session)
			}
		}
		for _, f := range told {
			f()
		}
		l.kick()
	}
}

// asked queues a request of the peer's. Whoever asks for too much in a second waits, and is told so by then; who has a
// second's worth waiting is refused. ssp-syntax 9; SSP 14.1.4, 14.4.3.
func (l *Link) asked(u *wire.Unit, session string) (then func()) {
	n := l.n
	w := work{unit: *u, session: session}
	rate := n.c.Limits.Rate
	l.mu.Lock()
	if l.state == down {
		l.mu.Unlock()
		if name(u) != "LogoutRequest" {
			return nil
		}
		return func() { // the other half of how it ended
			l.reply(l.answering(session), wire.Unit{Response: true, ID: u.ID,
				Primitive: wire.New("Disconnect").Add(wire.Status(wire.Successful, ""))}, "")
		}
	}
	if !l.opened || rate < 0 || free(u) || l.head == len(l.inbox) && l.refill(time.Now()) {
		l.inbox = append(l.inbox, w)
		l.mu.Unlock()
		return nil
	}
	waiting := len(l.inbox) - l.head
	w.queued = true
	if waiting < rate {
		l.inbox = append(l.inbox, w)
	}
	late := l.tokens < 1
	l.mu.Unlock()
	switch x := exchanges[name(u)]; {
	case x == nil || x.answer == "":
	case waiting >= rate:
		n.c.Hit("commands_per_second")
		return func() { l.status(u, session, wire.Unavailable, "too many requests a second") }
	case late:
		n.c.Hit("commands_per_second")
		return func() { l.status(u, session, wire.ServerQueued, "") }
	}
	return nil
}

// name is the primitive's; "" for one that is not known.
func name(u *wire.Unit) string {
	if u.Primitive == nil {
		return ""
	}
	return u.Primitive.Name
}

// free says whether a request is of the session itself, and so no work to speak of.
func free(u *wire.Unit) bool {
	switch name(u) {
	case "KeepAliveRequest", "LogoutRequest", "Disconnect":
		return true
	}
	return false
}

// refill says whether a request may be served now. The lock is held.
func (l *Link) refill(now time.Time) bool {
	rate := float64(l.n.c.Limits.Rate)
	l.tokens = min(rate, l.tokens+now.Sub(l.filled).Seconds()*rate)
	l.filled = now
	return l.tokens >= 1
}

// status answers a request with a code.
func (l *Link) status(u *wire.Unit, session string, c wire.Code, why string) {
	if why == "" {
		why = c.Words()
	}
	l.reply(l.answering(session), wire.Unit{Response: true, ID: u.ID, Primitive: wire.Status(c, why)}, "")
}

// answering is the session of an answer: the one of the request; in oma13 our own. SSP 5.1; ssp-syntax 5.2.
func (l *Link) answering(session string) string {
	if l.info.Dialect == wire.OMA13 {
		return l.own
	}
	return session
}

// serve judges a request, and hands it on. SSP 5.1, 5.6; ssp-syntax 1.4, 5.6, 9.
func (l *Link) serve(w *work, now time.Time) {
	u, n := &w.unit, l.n
	if l.info.Dialect == wire.OMA13 && w.session != l.own && w.session != l.theirs {
		l.misunderstood("session that is another's", u, nil) // it was not known when this came: ssp-syntax 5.1
		return
	}
	if l.internal(w) {
		return
	}
	name := name(u)
	l.mu.Lock()
	ending := l.state != up
	l.mu.Unlock()
	if ending {
		return
	}
	a, ok := l.remember(u, name, now)
	if !ok {
		return
	}
	r := &Request{Link: l, Primitive: u.Primitive, ID: u.ID, session: w.session, began: now, exchange: exchanges[name], a: a}
	if w.runs() {
		r.Run = &l.run
	}
	if f := u.Check(l.info.Dialect); f != nil {
		if f.Code != wire.NotSupported {
			l.misunderstood("request that breaks the rules", u, f)
		}
		r.refuse(f.Code, said(f))
		return
	}
	meta, has := u.Meta()
	var err error
	if has && meta.Service != l.service { // each request says the same
		var domain string
		if domain, err = l.n.speaker(meta.Service); err == nil && domain == l.p.domain {
			l.service = strings.Clone(meta.Service)
		}
	}
	switch x := r.exchange; {
	case x == nil:
		l.misunderstood("answer as a request", u, nil)
		r.refuse(wire.UnknownTransaction, name+" begins no transaction")
		return
	case has && meta.Service != l.service:
		l.misunderstood("request of another domain", u, err)
		r.refuse(wire.UnknownTransaction, "Service-ID is not yours")
		return
	case over(targets(u.Primitive), n.c.Limits.Recipients):
		n.c.Hit("recipients")
		r.refuse(wire.BadParameter, "too many users, groups and lists in one request")
		return
	}
	r.Meta = meta
	r.Provider = r.exchange.by == wire.Provider
	agreed, theirs := l.Agreed()
	if r.Provider {
		agreed = theirs
	}
	if r.Transaction = r.exchange.allowed(agreed); r.Transaction == nil {
		l.misunderstood("request outside of the agreement", u, nil)
		r.refuse(wire.NotAgreed, "")
		return
	}
	n.c.Handle(n.ctx, r)
}

// said is what the peer is told of a fault.
func said(f *wire.Fault) string {
	if f.At == "" {
		return f.What
	}
	return f.At + ": " + f.What
}

// targets counts who is named in a request, one by one. ssp-syntax 2.5.
func targets(e *wire.Element) int {
	n := 0
	for _, k := range e.Kids {
		switch k.Name {
		case "MetaInfo":
		case "User", "UserID", "VerUserID", "GroupID", "ScreenName", "ContactList":
			n++
		default:
			n += targets(k)
		}
	}
	return n
}

// remember notes a request, so that it is not served twice: false when it was, or is being; then the peer has been
// given the answer once more. It hands on the third step of a transaction. SSP 5.5; ssp-syntax 1.5.
func (l *Link) remember(u *wire.Unit, name string, now time.Time) (*answer, bool) {
	l.mu.Lock()
	if l.state == down {
		l.mu.Unlock()
		return nil, false
	}
	same := l.served[u.ID]
	for have := same; have != nil; have = have.others {
		if have.primitive != name {
			continue
		}
		doc, in := have.doc, have.in
		l.mu.Unlock()
		if doc != nil {
			l.sender.send(&post{doc: doc, session: in, id: u.ID})
		}
		return nil, false
	}
	a := &answer{id: u.ID, primitive: name, others: same, at: now}
	if l.served == nil {
		l.served = map[string]*answer{}
	}
	l.served[a.id] = a
	if l.oldest == nil {
		l.oldest = a
	} else {
		l.newest.younger = a
	}
	l.newest = a
	for l.keeps++; over(l.keeps, l.n.c.Limits.Remember); {
		l.forgetOne()
	}
	if name == third {
		for first := same; first != nil; first = first.others {
			if first.third != nil && first.next == nil {
				first.next = a
				first.third <- u.Primitive // it holds one
				l.mu.Unlock()
				return nil, false
			}
		}
	}
	l.mu.Unlock()
	return a, true
}

// forget gives up answers that are too old to be asked for. The lock is held.
func (l *Link) forget(now time.Time) {
	for l.oldest != nil && now.Sub(l.oldest.at) >= l.n.c.Timers.Remember {
		l.forgetOne()
	}
	if l.oldest == nil {
		l.served = nil
	}
}

// forgetOne gives up the oldest answer, of which there is one: of those with its ID it is the last. The lock is held.
func (l *Link) forgetOne() {
	a := l.oldest
	if l.oldest = a.younger; l.oldest == nil {
		l.newest = nil
	}
	a.younger = nil // whoever still has it keeps nothing else
	l.keeps--
	same := l.served[a.id]
	if same == a {
		delete(l.served, a.id)
		return
	}
	for same.others != a {
		same = same.others
	}
	same.others = nil
}

// refuse answers with a code, unless nobody waits for an answer.
func (r *Request) refuse(c wire.Code, why string) {
	if r.exchange != nil && r.exchange.answer == "" {
		return
	}
	if why == "" {
		why = c.Words()
	}
	r.Answer(wire.Status(c, why))
}

// Answer sends an answer: a provisional one, which is a Status of class 1, or the final one, behind which all others
// are dropped. To a request that is one-way there is none: nil. SSP 5.2, 5.3; ssp-syntax 2.4.
func (r *Request) Answer(e *wire.Element) {
	if r.answered != nil {
		r.answered(e)
		return
	}
	l := r.Link
	c := wire.Successful
	if e != nil {
		c = wire.StatusOf(e)
	}
	goesOn := r.exchange != nil && r.exchange.further && e != nil && e.Name == r.exchange.answer && c.Class() < 4
	final := e == nil || c == 0 && !goesOn || c != 0 && c.Final() && !goesOn
	l.mu.Lock()
	a := r.a
	if a.final || l.state == down || goesOn && a.third != nil {
		l.mu.Unlock()
		return
	}
	a.final = final
	if goesOn {
		a.third = make(chan *wire.Element, 1)
	}
	l.mu.Unlock()
	now := time.Now()
	if final {
		r.count(c, now)
	}
	if e == nil {
		return
	}
	session := l.answering(r.session)
	doc, err := l.document(&wire.Unit{Response: true, ID: r.ID, Primitive: e})
	if err != nil {
		l.n.c.Log.Error("answer cannot be written", "verb", e.Name, "peer", l.p.domain, "err", err)
		if doc, err = l.document(&wire.Unit{Response: true, ID: r.ID, Primitive: wire.Status(wire.Internal, "")}); err != nil {
			return
		}
	}
	l.mu.Lock()
	a.doc, a.in, a.at = doc, session, now
	l.mu.Unlock()
	p := &r.last // there is one only
	if !final {
		p = &post{}
	}
	*p = post{doc: doc, session: session, id: r.ID, waits: true}
	l.sender.send(p)
}

// count counts a request that is answered.
func (r *Request) count(c wire.Code, now time.Time) {
	result := metrics.CommandOK
	switch {
	case c == wire.Internal:
		result = metrics.CommandFailed
	case c.Class() >= 4:
		result = metrics.CommandRefused
	}
	r.Link.n.c.Metrics.Command(name(&wire.Unit{Primitive: r.Primitive}), result, now.Sub(r.began))
}

// Then waits for the peer's third step, MessageDelivered, behind an answer with a NewMessage; the next Answer is to
// that one. It waits as long as a transaction is valid, with its repeats: then the error wraps the code 504, ErrDown
// when the sessions ended. SSP 12.3.5.
func (r *Request) Then(ctx context.Context) (*wire.Element, error) {
	l := r.Link
	l.mu.Lock()
	third := r.a.third
	l.mu.Unlock()
	if third == nil {
		return nil, ssp.ErrorOf(wire.BadTransaction)
	}
	t := time.NewTimer(l.n.c.Timers.validity() * time.Duration(1+max(0, l.n.c.Limits.Repeats)))
	defer t.Stop()
	select {
	case e := <-third:
		l.mu.Lock()
		r.a = r.a.next
		l.mu.Unlock()
		return e, nil
	case <-t.C:
		return nil, ssp.ErrorOf(wire.TimedOut)
	case <-l.over:
		return nil, ErrDown
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// internal serves what is of the session itself. SSP 6.3; ssp-syntax 5.3, 5.6.
func (l *Link) internal(w *work) bool {
	u := &w.unit
	switch name(u) {
	case "KeepAliveRequest":
		if f := u.Check(l.info.Dialect); f != nil { // a life of nothing is none, ssp-syntax 9
			l.misunderstood("request that breaks the rules", u, f)
			l.status(u, w.session, f.Code, said(f))
			return true
		}
		life := int(l.n.c.Timers.Life / time.Second)
		if wish := wire.Int(u.Primitive.Attr("timeToLive")); wish > 0 {
			life = min(life, wish)
		}
		l.mu.Lock()
		l.life = time.Duration(life) * time.Second
		l.wind(time.Now())
		l.mu.Unlock()
		l.reply(l.answering(w.session), wire.Unit{Response: true, ID: u.ID,
			Primitive: wire.New("KeepAliveResponse", "timeToLive", itoa(life)).Add(wire.Status(wire.Successful, ""))}, "")
	case "LogoutRequest":
		l.loggedOut(u, w.session)
	case "Disconnect":
		l.disconnected(u)
	default:
		return false
	}
	return true
}
