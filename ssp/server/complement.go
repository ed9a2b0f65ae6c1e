package server

import (
	"sync"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// Services of our own users may be another domain's: it is their service element. Their words go there first and come back
// as NewMessage for those of ours whom they are for; it is told how ours are, and tells who sees whom; and what peers ask
// of ours goes on to it, which plan sees to. SSP 2.1, 2.2

// steward tells the presence service of ours what it has to know.
type steward struct {
	mu       sync.Mutex // guards what follows
	shown    map[im.Address]*exchange.Presence
	order    []im.Address
	draining bool
}

// beHome has the exchange tell what goes to service elements of ours.
func (s *Server) beHome() {
	var e exchange.Elsewhere
	if by := s.provider(s.x.Domain(), Messages); !s.x.Ours(by) {
		e.Messages = by
	}
	presence, contacts := !s.serves(s.x.Domain(), Presence), !s.serves(s.x.Domain(), Contacts)
	if presence || contacts {
		e.Shown = func(n *exchange.Presence) {
			if presence {
				s.show(n)
			}
			if contacts && n.Merged.State.Visible() && !n.Was.State.Visible() {
				s.relist(n.Who)
			}
		}
		e.Changed = func(c *exchange.Change) {
			if presence && c.Of != c.Who && s.x.Ours(c.Who.Domain()) {
				s.between(c)
			}
			if contacts && relists(c) {
				s.relist(c.Of)
			}
		}
	}
	s.x.SetElsewhere(e)
}

// element is the link to the service element of ours; nil when there is none, or we have that service.
func (s *Server) element(v Service) *session.Link {
	if by := s.provider(s.x.Domain(), v); !s.x.Ours(by) {
		return s.linkTo(by)
	}
	return nil
}

// shownElsewhere reports whether somebody is one of ours whom others see by their presence service.
func (s *Server) shownElsewhere(who im.Address) bool {
	return s.x.Ours(who.Domain()) && !s.serves(who.Domain(), Presence)
}

// show has the presence service know how one of ours is. It is called with locks held.
func (s *Server) show(n *exchange.Presence) {
	t := &s.steward
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shown == nil {
		t.shown = map[im.Address]*exchange.Presence{}
	}
	if _, waits := t.shown[n.Who]; !waits {
		t.order = append(t.order, n.Who)
	}
	t.shown[n.Who] = n
	if !t.draining && s.ctx.Err() == nil {
		t.draining = true
		s.work.Go(s.tellShown) // ends when all is told
	}
}

// tellShown tells it: SSP 11.2.10, 11.3.7.
func (s *Server) tellShown() {
	t := &s.steward
	for {
		t.mu.Lock()
		if len(t.order) == 0 {
			t.order, t.draining = nil, false
			t.mu.Unlock()
			return
		}
		who := t.order[0]
		t.order = t.order[1:]
		n := t.shown[who]
		delete(t.shown, who)
		t.mu.Unlock()
		l := s.element(Presence)
		if l == nil {
			continue // all is told when there is a session
		}
		e := wire.New("UpdatePresenceRequest").Add(s.meta(who), ssp.PresenceValue(who, ssp.Presence(n.Merged, n.Name, nil, l.Peer().Dialect)))
		l.GoOrdered(s.ctx, who.String(), e, func(_ *wire.Element, err error) {
			if err != nil && s.ctx.Err() == nil {
				s.log.Warn("presence service of ours does not take how somebody is", "domain", l.Domain(), "err", err)
			}
		})
	}
}

// tellElement tells the services of ours all that they have to know, when there is a session with a peer.
func (s *Server) tellElement(p *peer) {
	if by := s.provider(s.x.Domain(), Contacts); !s.x.Ours(by) && s.hop(by) == p {
		s.x.EachShown(func(n *exchange.Presence) { s.relist(n.Who) })
	}
	if by := s.provider(s.x.Domain(), Presence); s.x.Ours(by) || s.hop(by) != p {
		return
	}
	s.x.EachShown(s.show)
	for _, q := range s.everyPeer() {
		if q == p || s.hop(q.domain) == p {
			continue // it has just been resynchronised
		}
		for _, u := range q.all() {
			for _, e := range u.c.Snapshot().Entries {
				if s.x.Ours(e.Who.Domain()) && e.Watched != im.WatchNone {
					if l := s.element(Presence); l != nil {
						q.askAgain(l, u, e)
					}
				}
			}
		}
	}
}

// between tells the presence service what one of ours does about another: SSP 2.4. It asks the other, and says what they
// answer, as with anybody else.
func (s *Server) between(c *exchange.Change) {
	l := s.element(Presence)
	if l == nil {
		return
	}
	switch {
	case c.By.Who == c.Who && (c.Request != nil || c.Before.Watched == im.WatchNone && c.After.Watched == im.WatchGranted):
		s.later(func() error {
			l.GoOrdered(s.ctx, c.Who.String()+" "+c.Of.String(), wire.New("SubscribeRequest").Add(s.meta(c.Who), userID(ssp.FormatUser(c.Of))),
				func(*wire.Element, error) {})
			return nil
		})
	case c.By.Who == c.Who: // c.Of hears what the other answers
		s.later(func() error {
			s.answerElsewhere(l, c.Of, c)
			return nil
		})
	case c.Before.Side.Watch != im.WatchNone && c.After.Side.Watch == im.WatchNone:
		s.later(func() error {
			l.GoOrdered(s.ctx, c.Of.String()+" "+c.Who.String(), wire.New("UnsubscribeRequest").Add(s.meta(c.Of), userID(ssp.FormatUser(c.Who))),
				func(*wire.Element, error) {})
			return nil
		})
	}
}

// changeElsewhere tells the presence service of ours what an act of one of ours means for a user of the peer's.
func (p *peer) changeElsewhere(l *session.Link, u *user, c *exchange.Change, ended bool) {
	switch {
	case c.Request != nil:
		p.subscribeTo(l, c.Who, u.who)
	case ended:
		p.unsubscribeFrom(l, c.Who, u.who)
	}
	switch was, is := c.Before.Side.Watch, c.After.Side.Watch; {
	case c.By.Who != u.who:
		p.s.answerElsewhere(l, u.who, c)
	case was != im.WatchGranted && is == im.WatchGranted: // they let everybody see them
		p.s.answerTo(l, c.Who, u.who, true)
	}
}

// answerElsewhere tells the presence service of ours what c.Who, one of ours, says to somebody who asked to see them, or
// sees them: SSP 11.2.3, 11.2.11, 11.3.2, 11.3.8.
func (s *Server) answerElsewhere(l *session.Link, to im.Address, c *exchange.Change) {
	was, is := c.Before.Side.Watch, c.After.Side.Watch
	if was == is || was == im.WatchNone {
		return
	}
	switch {
	case is == im.WatchGranted, is == im.WatchNone && was == im.WatchAsked:
		s.answerTo(l, c.Who, to, is == im.WatchGranted)
	case is == im.WatchNone:
		s.answerOver(l, c.Who, to, wire.New("CancelAuthRequest").Add(s.meta(c.Who), userID(ssp.FormatUser(to))))
	}
}

// answerTo tells the presence service of one of ours whether they let somebody see them: SSP 11.2.3.
func (s *Server) answerTo(l *session.Link, who, to im.Address, yes bool) {
	s.answerOver(l, who, to, wire.New("AuthorizationResponse").Add(s.meta(who), wire.New("Authorizing").Add(userID(ssp.FormatUser(who)),
		wire.New("Subscribing", "acceptance", wire.YesNo(yes)).Add(userID(ssp.FormatUser(to))))))
}

func (s *Server) answerOver(l *session.Link, who, to im.Address, e *wire.Element) {
	l.GoOrdered(s.ctx, who.String()+" "+to.String(), e, func(_ *wire.Element, err error) {
		if err != nil && s.ctx.Err() == nil {
			s.log.Warn("presence service of ours does not take an answer", "domain", l.Domain(), "err", err)
		}
	})
}

// first sends words of ours to their message service, whoever they are for; it gives them their ID. SSP 2.2, 12.2.1:
// rule 1; ssp-syntax 9
func (p *peer) first(u *user, meant *im.Message, m *exchange.Message) {
	l := p.link.Load()
	if l == nil {
		p.s.node.Keep(p.reachedBy())
		m.Return(im.ErrGone)
		return
	}
	content, typ, size, ok := contentOf(meant)
	if !ok {
		m.Return(im.ErrNothingFits)
		return
	}
	info := ssp.Info{Type: typ, Size: size, Validity: validity, To: []ssp.Party{{User: meant.To}}, From: ssp.Party{User: meant.From}, Time: meant.Time}
	e := wire.New("SendMessageRequest", "deliveryReport", wire.YesNo(meant.Report)).Add(p.s.meta(meant.From), info.Element(l.Peer().Dialect), content)
	settled := settledBy(m)
	l.GoOrdered(p.s.ctx, meant.From.String()+" "+meant.To.String(), e, func(answer *wire.Element, err error) {
		id := answer.Attr("messageID")
		named := meant.Report && err == nil && id != ""
		if named {
			p.remember(id, meant)
		}
		if settled(answer, err); named {
			if code, came := p.s.early.take(id); came {
				p.s.reportOver(p, id, code)
			}
		}
	})
}

// came tells the sender of a message that it came to somebody whose message service we are, if they may know that who has
// it is there: SSP 12.3.9.
func (s *Server) came(u *user, m *im.Message) {
	e := u.c.Snapshot().Entry(m.From)
	if !m.Report || e == nil || !e.Seen || s.x.Ours(m.From.Domain()) { // who is ours is told by the exchange
		return
	}
	q := s.peer(m.From.Domain())
	if q == nil {
		return
	}
	q.mu.Lock()
	from := q.users[m.From]
	q.mu.Unlock()
	if from != nil && from.Hand(&exchange.Report{Of: m}) {
		q.drain()
	}
}

// reachedBy is the domain with which there is a session that leads to the peer.
func (p *peer) reachedBy() string {
	if h := p.s.hop(p.domain); h != nil {
		return h.domain
	}
	return p.domain
}

// reportOver tells the sender of a message what became of it, as a peer says that is the way to whoever has it; false when
// no such message is known.
func (s *Server) reportOver(p *peer, id string, code wire.Code) bool {
	m := p.recall(id)
	for _, q := range s.everyPeer() {
		if m == nil && (q.learned || s.hop(q.domain) == p) {
			m = q.recall(id)
		}
	}
	if m != nil {
		s.x.Reported(m, slot, ssp.ErrorOf(code))
	}
	return m != nil
}

// early are reports of messages whose names we do not know yet: the message service gives them, and its answer and its
// report may come over two connections.
type early struct {
	mu  sync.Mutex // guards what follows
	m   map[string]wire.Code
	ids []string // the oldest first
}

func (r *early) put(id string, code wire.Code) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		r.m = map[string]wire.Code{}
	}
	r.m[id] = code
	if r.ids = append(r.ids, id); len(r.ids) > mostSent {
		delete(r.m, r.ids[0])
		r.ids = r.ids[1:]
	}
}

func (r *early) take(id string) (wire.Code, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.m[id]
	delete(r.m, id)
	return c, ok
}
