package server

import (
	"errors"
	"maps"
	"slices"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// What peers are told and asked for ours: SSP 11.

// notify tells users of the peer's how one of ours is, whom they watch: SSP 11.2.5, 11.3.4. One document tells all who want
// the same of it.
func (p *peer) notify(l *session.Link, n *exchange.Presence, to []thing) {
	if n.Direct || !n.Changed { // what is sent to one alone has no form here, and sessions are none of theirs
		return
	}
	if !n.Merged.State.Visible() {
		to = slices.DeleteFunc(to, func(t thing) bool { return t.u.hasLeft(n.Who) })
	}
	for len(to) > 0 {
		gets := to[0].u.gets(n.Who)
		e := wire.New("PresenceNotification").Add(p.s.meta(nobody))
		var rest []thing
		for _, t := range to {
			if same(t.u.gets(n.Who), gets) {
				p.anew(n.Who, t.u.who)
				e.Add(wire.New("User", "userID", ssp.FormatUser(t.u.who)))
			} else {
				rest = append(rest, t)
			}
		}
		e.Add(ssp.PresenceValue(n.Who, p.s.attributes(n.Who, n.Merged, n.Name, gets, l.Peer().Dialect)))
		l.GoOrdered(p.s.ctx, n.Who.String(), e, func(answer *wire.Element, err error) {
			if errors.Is(err, session.ErrQueue) {
				p.mu.Lock()
				p.stale = true
				p.mu.Unlock()
			}
		})
		to = rest
	}
}

// wanted is what a user wants to know of somebody.
func (u *user) wanted(of im.Address) []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.wants[of]
}

// hasLeft reports whether a user has asked not to be told of somebody any more: then nobody tells them that they do not see
// them now. SSP 11.3.3.
func (u *user) hasLeft(who im.Address) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, left := u.left[who]
	return left
}

func same(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// change tells the peer what an act of one of ours means for one of its users: SSP 11.3.1, 11.3.3.
func (p *peer) change(l *session.Link, u *user, c *exchange.Change) {
	if c.Who.IsZero() {
		return
	}
	p.answered(u, c)
	theirs := c.By.Who == u.who // they know it
	ours := p.s.x.Ours(c.Who.Domain())
	ended := c.Before.Watched != im.WatchNone && c.After.Watched == im.WatchNone && !theirs
	switch {
	case p.s.shownElsewhere(c.Who):
		p.changeElsewhere(l, u, c, ended)
		return
	case c.Request != nil && !ours:
		p.authorizeTo(l, c.Who, u.who)
	case ended && !ours && c.Who.Domain() != p.domain && !u.has(Presence):
		p.unsubscribeFrom(l, c.Who, u.who)
	case !ours: // whom they watch here was told so
	case c.Request != nil:
		p.anew(u.who, c.Who)
		p.subscribeTo(l, c.Who, u.who)
	case ended:
		p.unsubscribeFrom(l, c.Who, u.who)
	}
	if ours && !theirs && c.Before.Side.Watch != im.WatchNone && c.After.Side.Watch == im.WatchNone {
		p.cancelFor(l, c.Who, u.who)
	}
	if c.After.Sees && !c.Before.Sees && !u.c.Sees(c.Who) { // who is there is told by the exchange
		p.notify(l, &exchange.Presence{Who: c.Who, Changed: true}, []thing{{u: u}})
	}
}

// subscribeTo asks to see a user of the peer's for one of ours: SSP 11.3.1. A refusal takes the wish back.
func (p *peer) subscribeTo(l *session.Link, w, who im.Address) {
	e := wire.New("SubscribeRequest").Add(p.s.meta(w), userID(ssp.FormatUser(who)))
	l.GoOrdered(p.s.ctx, w.String()+" "+who.String(), e, func(_ *wire.Element, err error) {
		if code, ok := errors.AsType[wire.Code](err); ok && refused(code) {
			p.s.later(func() error { return p.s.x.Refuse(p.s.ctx, exchange.By{Who: who}, w) })
		}
	})
}

// refused reports that asking again leads to nothing.
func refused(c wire.Code) bool {
	switch c {
	case wire.Unauthorized, wire.Forbidden, wire.NotFound, wire.UnknownUser, wire.BadDomain, wire.Blocked:
		return true
	}
	return false
}

// unsubscribeFrom ends that: SSP 11.3.3.
func (p *peer) unsubscribeFrom(l *session.Link, w, who im.Address) {
	p.leaves(w, who)
	e := wire.New("UnsubscribeRequest").Add(p.s.meta(w), userID(ssp.FormatUser(who)))
	l.GoOrdered(p.s.ctx, w.String()+" "+who.String(), e, func(*wire.Element, error) {})
}

// cancelFor tells that one of ours does not let a user of the peer's see them any more: SSP 11.3.8. Who knows no such
// transaction has been told that they are not there.
func (p *peer) cancelFor(l *session.Link, w, who im.Address) {
	e := wire.New("CancelAuthRequest").Add(p.s.meta(w), userID(ssp.FormatUser(who)))
	l.GoOrdered(p.s.ctx, w.String()+" "+who.String(), e, func(*wire.Element, error) {})
}

// stillLet asks whether one of ours, who was let see a user of the peer's, still is: SSP 11.3.6. Else the wish is taken
// back, and they are not asked once more: they have said no while there was no session.
func (p *peer) stillLet(l *session.Link, w, who im.Address) {
	e := wire.New("GetPresenceRequest").Add(p.s.meta(w), userID(ssp.FormatUser(who)), ssp.AttributeList([]string{"OnlineStatus"}))
	l.GoOrdered(p.s.ctx, w.String()+" "+who.String(), e, func(answer *wire.Element, err error) {
		if partOf(answer, err) == wire.Unauthorized {
			p.s.later(func() error { return p.s.x.Refuse(p.s.ctx, exchange.By{Who: who}, w) })
			return
		}
		p.subscribeTo(l, w, who)
	})
}

// resubscribe asks anew for all whom we serve who watch one of the peer's users, and tells that one whom of them they see.
func (p *peer) resubscribe(u *user) {
	for _, e := range u.c.Snapshot().Entries {
		d := e.Who.Domain()
		l := p.way(e.Who, Presence)
		if ours := p.s.x.Ours(d); l == nil || !ours && !p.s.serves(d, Presence) {
			continue
		}
		p.askAgain(l, u, e)
		if e.Sees && !p.s.shownElsewhere(e.Who) {
			p.s.tellAgain(u, e.Who)
		}
	}
}

// askAgain asks anew for one whom we serve.
func (p *peer) askAgain(l *session.Link, u *user, e *im.Entry) {
	ours := p.s.x.Ours(e.Who.Domain())
	switch {
	case e.Watched == im.WatchAsked && !ours:
		p.authorizeTo(l, e.Who, u.who)
	case e.Watched == im.WatchAsked:
		p.subscribeTo(l, e.Who, u.who)
	case e.Watched == im.WatchGranted && (ours || !u.has(Presence)):
		p.stillLet(l, e.Who, u.who)
	}
}

// crossing is how long a notice may be under way that was sent before a wish ended.
const crossing = time.Minute

// leaves notes that one of ours does not wish any more to see a user of the peer's.
func (p *peer) leaves(w, who im.Address) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.left) >= 1000 {
		maps.DeleteFunc(p.left, func(_ sight, at time.Time) bool { return now.Sub(at) > crossing })
	}
	if p.left == nil {
		p.left = map[sight]time.Time{}
	}
	p.left[sight{who, w}] = now
}

// granted takes a notice as the answer to the wish of one of ours. When an older wish ended just before, the notice may be
// of that one: then the peer is asked. SSP 11.3.6.
func (p *peer) granted(l *session.Link, who, w im.Address) error {
	p.mu.Lock()
	at, lately := p.left[sight{who, w}]
	p.mu.Unlock()
	if !lately || time.Since(at) > crossing {
		return p.s.x.Answer(p.s.ctx, exchange.By{Who: who}, w)
	}
	e := wire.New("GetPresenceRequest").Add(p.s.meta(w), userID(ssp.FormatUser(who)), ssp.AttributeList([]string{"OnlineStatus"}))
	l.GoOrdered(p.s.ctx, w.String()+" "+who.String(), e, func(answer *wire.Element, err error) {
		if partOf(answer, err) != wire.Unauthorized && !errors.Is(err, session.ErrDown) {
			p.s.later(func() error { return p.s.x.Answer(p.s.ctx, exchange.By{Who: who}, w) })
		}
	})
	return nil
}
