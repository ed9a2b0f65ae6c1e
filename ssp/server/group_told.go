package server

import (
	"slices"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// What a domain tells of its groups that users of ours are in. SSP 13.2.5, 13.2.17

// mayTell reports whether a peer may tell of a group.
func (s *Server) mayTell(p *peer, at ssp.Address) bool {
	l := s.groupLink(at)
	return l != nil && l == p.link.Load() || s.speaks(p, at.Owner.Domain(), Groups)
}

// groupWords takes what was said in a group of the peer's for users of ours who are in it: SSP 12.2.1, 12.2.4, 12.3.3.
func (s *Server) groupWords(p *peer, info ssp.Info, content *wire.Element, to []im.Address) *wire.Element {
	id, err := im.NewRoomID(info.From.Group.Owner, info.From.Group.Resource)
	n, unreadable := ssp.Neutral(info, content)
	if err == nil && !s.mayTell(p, info.From.Group) {
		err = wire.UnknownTransaction
	}
	if slices.ContainsFunc(info.To, func(t ssp.Party) bool { return t.Name != "" }) && unreadable == nil {
		n.Text = im.NewText("[to you alone] " + n.Text.Reveal())
	}
	v := newVerdicts()
	for _, who := range to {
		e := err
		if g := s.guest(id, who); e == nil && g == nil {
			e = wire.NotJoined
		} else if e == nil && unreadable == nil {
			m := &im.Message{FromName: info.From.Name, Time: time.Now(), Kind: im.Words, Neutralise: func() im.Neutral { return n }}
			if !g.happens(func(a *exchange.Annex) {
				g.comes(a, info.From.Name)
				a.Said(info.From.Name, m)
			}) {
				e = wire.NotJoined
			}
		} else if e == nil {
			e = unreadable
		}
		v.add(e, userID(ssp.FormatUser(who)))
	}
	return v.element()
}

// toldToLeave hears that users of ours are in a group of the peer's no more: those it names, or all. SSP 13.1.6, 13.2.5;
// ssp-syntax 9.
func (s *Server) toldToLeave(p *peer, r *session.Request) error {
	r.Answer(nil)
	id, at, err := readGroup(r.Primitive.Attr("groupID"))
	if err != nil || !s.mayTell(p, at) {
		return nil
	}
	var of []im.Address
	for e := range r.Primitive.Children("User") {
		if who, err := ssp.ParseUser(e.Attr("userID")); err == nil {
			of = append(of, who)
		}
	}
	if len(of) == 0 && r.Primitive.Child("User") != nil {
		return nil
	}
	for _, g := range s.guestsIn(id, of) {
		g.end()
	}
	return nil
}

// groupChanged hears who came and went in a group of the peer's, and what it is about: SSP 13.1.23, 13.2.17. What else
// changed has no form in a conversation.
func (s *Server) groupChanged(p *peer, r *session.Request) error {
	e := r.Primitive
	id, at, err := readGroup(e.Attr("groupID"))
	if err != nil {
		return err
	}
	if !s.mayTell(p, at) {
		return wire.UnknownTransaction
	}
	joined, gone := readNames(e.Child("Joined")), readNames(e.Child("Left"))
	props := ssp.ReadProperties(e.Child("GroupProperties"))
	v := newVerdicts()
	for u := range e.Children("User") {
		who, err := s.ours(u.Attr("userID"))
		if err == nil {
			err = wire.NotJoined
			if g := s.guest(id, who); g != nil && g.happens(func(a *exchange.Annex) {
				for _, n := range gone {
					g.goes(a, n)
				}
				for _, n := range joined {
					g.comes(a, n)
				}
				for _, p := range props {
					if plain(p.Name) == "topic" {
						a.Topic(p.Value)
					}
				}
			}) {
				err = nil
			}
		}
		v.add(err, userID(u.Attr("userID")))
	}
	r.Answer(v.element())
	return nil
}
