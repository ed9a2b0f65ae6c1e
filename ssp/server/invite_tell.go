package server

import (
	"slices"
	"sync/atomic"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// addressee is somebody who is invited, or told that an invitation is cancelled; err: why they are not.
type addressee struct {
	ssp.Party
	link *session.Link // to the home domain of one whose service we are; nil for ours
	err  error
	call bool // they are called into the group that it is about: SSP 9.2.4
}

// addressees judges whom a request names.
func (s *Server) addressees(to []ssp.Party) []addressee {
	l := make([]addressee, len(to))
	for i, p := range to {
		a := addressee{Party: p}
		switch {
		case p.List.Resource != "":
			a.err = wire.NoContactList
		case p.User.IsZero():
			a.err = wire.NoGroup
		case s.x.Ours(p.User.Domain()):
			a.err = s.known(p.User)
		default:
			a.link, a.err = s.wayHome(p.User.Domain(), "CommonFeature/ComplementaryInvite")
		}
		l[i] = a
	}
	return l
}

// wayHome is the way to the home domain of somebody whose service we are: 516 when that is not agreed on, 503 when there is no
// session.
func (s *Server) wayHome(domain, service string) (*session.Link, error) {
	p := s.peer(domain)
	if p == nil {
		return nil, wire.BadDomain
	}
	l := p.link.Load()
	if l == nil {
		return nil, wire.Unavailable
	}
	if mine, _ := l.Agreed(); !slices.Contains(mine, service) {
		return nil, wire.BadDomain
	}
	return l, nil
}

// tellHomes has the home domains tell their users what a request says: one request for each domain. SSP 9.3.3.2, 9.3.4.2
func (s *Server) tellHomes(l []addressee, e *wire.Element, primitive, role string) {
	byLink := map[*session.Link]*wire.Element{}
	var order []*session.Link
	for _, a := range l {
		if a.err != nil || a.link == nil {
			continue
		}
		out := byLink[a.link]
		if out == nil {
			out = s.handedOn(e, primitive, role)
			byLink[a.link], order = out, append(order, a.link)
		}
		out.Child(role).Add(a.Element(a.link.Peer().Dialect))
	}
	for _, to := range order {
		to.Go(s.ctx, byLink[to], func(*wire.Element, error) {})
	}
}

// handedOn is a request of a user's as the service tells it to a home domain: as far as that primitive has the same parts,
// and with nobody yet in the role.
func (s *Server) handedOn(e *wire.Element, primitive, role string) *wire.Element {
	out := wire.New(primitive).Add(s.meta(nobody), wire.New(role))
	table, _ := wire.Lookup(primitive)
	for _, f := range table.Fields {
		switch {
		case f.Attr:
			out.Set(f.Name, e.Attr(f.Name))
		case f.Name != "MetaInfo" && f.Name != role:
			for k := range e.Children(f.Name) {
				out.Add(k)
			}
		}
	}
	return out
}

// tell sends words to those of ours; then the request is answered, and then is called with those who have them.
func (s *Server) tell(r *session.Request, from im.Address, l []addressee, text string, then func(told []im.Address)) {
	var left atomic.Int32
	left.Store(1)
	done := func() {
		if left.Add(-1) > 0 {
			return
		}
		v := newVerdicts()
		var told []im.Address
		for _, a := range l {
			if v.add(a.err, detail(a.Party)); a.err == nil && a.link == nil {
				told = append(told, a.User)
			}
		}
		r.Answer(v.element())
		then(told)
	}
	var b exchange.Batch
	for i := range l {
		if l[i].err != nil || l[i].link != nil || l[i].call {
			continue
		}
		left.Add(1)
		s.x.Send(s.ctx, &b, words(from, l[i].User, text), func(err error) {
			l[i].err = err
			done()
		})
	}
	b.Flush()
	done()
}

// detail names a party in a DetailedResult, ssp-syntax 2.4.
func detail(p ssp.Party) *wire.Element {
	if !p.User.IsZero() {
		return userID(ssp.FormatUser(p.User))
	}
	return p.Element(wire.WV10)
}

// words is a message of the door's own making.
func words(from, to im.Address, text string) *im.Message {
	t := im.NewText(text)
	return &im.Message{From: from, FromSlot: slot, To: to, Time: time.Now(), Kind: im.Words, Neutralise: func() im.Neutral { return im.Neutral{Text: t} },
		Native: im.Native{Door: door, Body: []byte(ssp.TextType + "\n" + text)}}
}

// oursAlone are addressees of whom only users of ours are good.
func (s *Server) oursAlone(to []ssp.Party) []addressee {
	l := s.addressees(to)
	for i := range l {
		if l[i].link != nil {
			l[i].link, l[i].err = nil, wire.BadDomain
		}
	}
	return l
}
