package server

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// A request that is not for us, or not for us alone, goes on: to the service element of the user who asks, to that of whom
// it is about, or to their home domain. Each hop is a transaction of its own between neighbours, with our session and
// Service-ID, and the user who asked first; its answers go back. Which belongs to which is known by what waits for the
// answer: one to one. SSP 2.1, 2.2, 5.1; ssp-syntax 6

// share is a part of a request that goes one way.
type share struct {
	to    *peer // nil: it is served here, unless there is an err
	err   error
	whole bool
	about spotSet // whom it is about; nil with whole
	e     *wire.Element
}

// plan divides a request: nil when all of it is served here. SSP 2.2; ssp-syntax 6
func (s *Server) plan(p *peer, q *peer, who im.Address, r *session.Request) []*share {
	if !s.relaying() {
		return nil
	}
	e := r.Primitive
	v := serviceOf(e.Name)
	table, ok := wire.Lookup(e.Name)
	if !ok {
		return nil
	}
	client := table.By == wire.Requestor && !who.IsZero() && v != 0
	if client && q != nil && v != Groups {
		by := s.provider(who.Domain(), v)
		switch u := q.inMemory(who); {
		case s.x.Ours(by):
			return nil // first of all here, whoever it is about: rule 1
		case u != nil && u.has(v):
			return nil
		case by != who.Domain() && s.hop(by) != p && !(v == Messages && e.Child("MessageInfo").Attr("messageID") != ""):
			return []*share{{to: s.hop(by), err: s.mayRelay(r, s.hop(by)), whole: true, e: s.resolved(q, who, e)}}
		}
	}
	var l []*share
	for _, a := range aimsOf(e) {
		to, err := s.next(p, r, a.service(v), a.address)
		i := slices.IndexFunc(l, func(h *share) bool { return h.to == to && h.err == err })
		if i < 0 {
			i, l = len(l), append(l, &share{to: to, err: err})
		}
		l[i].about = append(l[i].about, a)
	}
	if !slices.ContainsFunc(l, func(h *share) bool { return h.to != nil }) {
		return nil // whom there is no way to is for the handler to say
	}
	for _, h := range l {
		h.whole = len(l) == 1
		h.e = h.about.part(e)
	}
	return l
}

// relaying reports whether anything may have to go on: there is another peer, or a service elsewhere.
func (s *Server) relaying() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.peers) > 1 || len(*s.elements.Load()) > 0
}

// next is the peer to which a request goes on that is about somebody; nil when it is for us.
func (s *Server) next(p *peer, r *session.Request, v Service, address string) (*peer, error) {
	to, err := ssp.ParseAddress(address)
	if err != nil {
		return nil, nil // the handler says so
	}
	domain := to.Owner.Domain()
	table, _ := wire.Lookup(r.Primitive.Name)
	notice := table.By == wire.Provider
	by := s.provider(domain, v)
	switch {
	case notice && s.x.Ours(domain), notice && v == Presence && s.x.Ours(by):
		return nil, nil
	case !notice && s.x.Ours(by):
		return nil, nil
	case !notice && by != domain: // to their service element, unless it comes from there
		h := s.hop(by)
		switch {
		case h == p && s.x.Ours(domain):
			return nil, nil
		case h == nil:
			return nil, wire.BadDomain
		case h != p:
			return h, s.mayRelay(r, h)
		}
	}
	h := s.hop(domain)
	switch {
	case h == p:
		return nil, nil // back where it comes from nothing goes
	case h == nil:
		return nil, wire.BadDomain
	}
	return h, s.mayRelay(r, h)
}

// mayRelay judges whether a request may go on over a peer: 516 when relaying is not agreed on with the one who asks, but
// for what our own users ask, and what is asked of them. SSP 2.3, 7.1; ssp-syntax 6
func (s *Server) mayRelay(r *session.Request, to *peer) error {
	if to == nil {
		return wire.BadDomain
	}
	mine, theirs := r.Link.Agreed()
	if slices.Contains(mine, relayNode) && slices.Contains(theirs, relayNode) {
		return nil
	}
	if who, err := ssp.ParseUser(r.Meta.User); err == nil && s.x.Ours(who.Domain()) {
		return nil
	}
	for _, a := range aimsOf(r.Primitive) {
		if about, err := ssp.ParseAddress(a.address); err != nil || !s.x.Ours(about.Owner.Domain()) {
			return wire.BadDomain
		}
	}
	return nil
}

// relayNode is what is agreed on by those who relay: ssp-syntax 5.5.
const relayNode = "SAPFeature/ServiceRelay"

// inMemory is one of the peer's users who is in memory, or is of a domain that we have a session with: those have a
// profile here.
func (p *peer) inMemory(who im.Address) *user {
	p.mu.Lock()
	u := p.users[who]
	p.mu.Unlock()
	if u == nil && p.via == "" && !p.learned {
		u, _ = p.user(p.s.ctx, who)
	}
	return u
}

// resolved is a request before it goes on to another service: contact lists that are kept here become their members. SSP
// 2.2: rule 2.
func (s *Server) resolved(q *peer, who im.Address, e *wire.Element) *wire.Element {
	if !slices.ContainsFunc(aimsOf(e), func(a spot) bool { return a.e != nil && a.e.Name == "ContactList" }) || q == nil {
		return e
	}
	u := q.inMemory(who)
	if u == nil {
		return e
	}
	c := *e
	c.Kids = slices.DeleteFunc(slices.Clone(e.Kids), func(k *wire.Element) bool { return k.Name == "ContactList" || k.Name == "UserID" })
	for _, a := range u.aims(e) {
		if a.named != nil {
			c.Kids = append(c.Kids, a.named)
		}
	}
	return &c
}

// passOn sends the shares of a request their ways, and answers it when all are answered.
func (s *Server) passOn(p, q *peer, who im.Address, r *session.Request, row *row, l []*share) {
	g := &gathering{s: s, r: r, v: serviceOf(r.Primitive.Name), shares: l, answers: make([]*wire.Element, len(l)), left: len(l)}
	for i, h := range l {
		switch {
		case h.err != nil:
			g.add(i, wire.Status(ssp.CodeOf(h.err), ""))
		case h.to == nil && (q == nil || row == nil):
			g.add(i, wire.Status(wire.UnknownTransaction, ""))
		case h.to == nil:
			part := r.Part(h.e, func(e *wire.Element) { g.add(i, e) })
			if err := s.serve(row, q, who, part); err != nil {
				s.refuse(q, part, err)
			}
		default:
			s.hand(p, r, h, func(e *wire.Element) { g.add(i, e) })
		}
	}
}

// patience is how long the one who asks hears nothing of a request that has gone on; then it is told that it has.
const patience = 5 * time.Second

// hand sends a share of a request to the next hop. SSP 2.1, 5.1, 14.1; ssp-syntax 6
func (s *Server) hand(p *peer, r *session.Request, h *share, answer func(*wire.Element)) {
	link := h.to.link.Load()
	if link == nil {
		s.node.Keep(h.to.domain)
		answer(wire.Status(wire.Unavailable, ""))
		return
	}
	done, fresh := s.trail.enter(h.e, r.Meta.User, h.to.domain, p.domain)
	if !fresh {
		s.log.Warn("a request goes round in a circle", "domain", p.domain, "to", h.to.domain, "primitive", h.e.Name)
		answer(wire.Status(wire.Internal, "it came here before, from another domain"))
		return
	}
	e := s.onBehalf(global(h.e, p.domain), r.Meta)
	wait := time.AfterFunc(patience, func() { r.Answer(wire.Status(wire.Continue, "")) })
	v := serviceOf(e.Name)
	var failed atomic.Bool // the third step: then the peer does not wait for an answer
	through := session.Through{
		Provisional: func(status *wire.Element) { r.Answer(status) },
		Third: func(first *wire.Element, next func(*wire.Element)) {
			wait.Stop()
			r.Answer(first)
			s.work.Go(func() { // ends with the peer's word, with the transaction or with s.ctx
				third, err := r.Then(s.ctx)
				if err != nil {
					failed.Store(true)
					next(nil)
					return
				}
				next(s.onBehalf(third, r.Meta))
			})
		},
	}
	link.GoThrough(s.ctx, orderOf(r, h), e, through, func(e *wire.Element, err error) {
		wait.Stop()
		done()
		switch {
		case failed.Load():
		case e != nil || err == nil:
			answer(e)
		default:
			answer(wire.Status(silence(v, err), ""))
		}
	})
}

// orderOf keeps what one user asks about another in order.
func orderOf(r *session.Request, h *share) string {
	if len(h.about) == 1 {
		return r.Meta.User + " " + h.about[0].address
	}
	return r.Meta.User
}

// silence is what is answered when the next hop does not: SSP 14.4.4; ssp-syntax 7.
func silence(v Service, err error) wire.Code {
	code, ok := errors.AsType[wire.Code](err)
	switch {
	case !ok:
		return wire.Unavailable // the session ended, or too much waits
	case code != wire.TimedOut:
		return code
	case v == Presence || v == Contacts:
		return wire.NoPresenceAnswer
	case v == Groups:
		return wire.NoGroupAnswer
	}
	return wire.TimedOut
}

// onBehalf is a request as it goes on: with our Service-ID, and the user who asked first. SSP 5.1
func (s *Server) onBehalf(e *wire.Element, m wire.Meta) *wire.Element {
	m.Service = ssp.FormatService(s.x.Domain())
	c := *e
	c.Kids = slices.Clone(e.Kids)
	for i, k := range c.Kids {
		if k.Name == "MetaInfo" {
			c.Kids[i] = m.Element()
		}
	}
	return &c
}

// gathering joins the answers to the shares of a request.
type gathering struct {
	s *Server
	r *session.Request
	v Service

	mu      sync.Mutex // guards what follows
	shares  []*share
	answers []*wire.Element
	left    int
}

// add takes the answer to a share; the last one has the request answered. A provisional one goes on at once.
func (g *gathering) add(i int, e *wire.Element) {
	if c := wire.StatusOf(e); c != 0 && !c.Final() {
		g.r.Answer(e)
		return
	}
	g.mu.Lock()
	g.answers[i] = e
	g.left--
	last := g.left == 0
	g.mu.Unlock()
	if !last {
		return
	}
	if len(g.shares) == 1 {
		g.r.Answer(g.answers[0])
		return
	}
	g.r.Answer(g.joined())
}

// joined is one answer made of several: 201 when some of it was done and some not, with who it was not done for. SSP 14.2.2
func (g *gathering) joined() *wire.Element {
	status := wire.Status(wire.Successful, "")
	var answer *wire.Element
	good, bad := 0, 0
	var first wire.Code
	for i, e := range g.answers {
		if e == nil {
			good++ // one-way
			continue
		}
		part := e
		if e.Name != "Status" {
			part = e.Child("Status")
			if answer == nil {
				c := *e
				c.Kids = slices.DeleteFunc(slices.Clone(e.Kids), func(k *wire.Element) bool { return k.Name == "Status" })
				answer = &c
			} else {
				for _, k := range e.Kids {
					if k.Name != "Status" {
						answer.Kids = append(answer.Kids, k)
					}
				}
			}
		}
		code := wire.StatusOf(e)
		if code.Class() == 2 || code == 0 {
			good++
			for d := range part.Children("DetailedResult") {
				bad++
				status.Add(d)
			}
			continue
		}
		bad++
		if first == 0 {
			first = code
		}
		status.Detail(code, g.shares[i].about.named()...)
	}
	switch {
	case bad == 0:
	case good > 0:
		status.Set("code", wire.PartlySuccessful.String())
	default:
		status.Set("code", first.String())
	}
	if answer == nil {
		return status
	}
	return answer.Add(status)
}
