package server

import (
	"slices"
	"strings"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// Invitations only inform: users of ours read them as messages. One to share presence is a wish to see them besides, so
// that there is an answer to carry back. SSP 9.3.3

// inviteRows are those of invitations, SSP 9.
var inviteRows = []row{
	{"InviteRequest", (*Server).invite},
	{"InviteUserRequest", (*Server).inviteUser},
	{"InviteResponse", (*Server).inviteAnswered},
	{"InviteUserResponse", (*Server).inviteUserAnswered},
	{"CancelInviteRequest", (*Server).cancelInvite},
	{"CancelInviteUserRequest", (*Server).cancelInviteUser},
}

// one is the only party in a role. The user, if it is one, is who.
func one(e *wire.Element) (p ssp.Party, err error) {
	l, err := ssp.ReadParties(e)
	switch {
	case err != nil:
		return p, wire.BadParameter
	case len(l) != 1:
		return p, wire.BadParameter
	}
	return l[0], nil
}

// self is the party in a role that must be the user who asks, by address or by a screen name: 403.
func (u *user) self(e *wire.Element) (ssp.Party, error) {
	p, err := one(e)
	if err == nil && p.User != u.who && (!p.User.IsZero() || p.Name == "") {
		err = wire.Forbidden
	}
	return p, err
}

// inviteText is an invitation in words.
func inviteText(e *wire.Element) string {
	var b strings.Builder
	switch e.Attr("inviteType") {
	case "IM":
		b.WriteString("Invitation to exchange messages.")
	case presenceInvite:
		b.WriteString("Invitation to share presence.")
	case "GR":
		b.WriteString("Invitation to the group " + groupName(e.Child("GroupID").Attr("groupID")) + ".")
	default:
		b.WriteString("Invitation to shared content")
		for c := range e.Child("ContentIDList").Children("ContentID") {
			b.WriteString(" " + c.Attr("url"))
		}
		b.WriteString(".")
	}
	return noted(b.String(), e.Child("InviteNote"))
}

// groupName is a group's address for people.
func groupName(v string) string {
	a, err := ssp.ParseResource(v)
	switch {
	case err != nil:
		return v
	case a.Private():
		return a.Owner.Local() + "/" + a.Resource + "@" + a.Owner.Domain()
	}
	return a.Resource + "@" + a.Owner.Domain()
}

func noted(s string, note *wire.Element) string {
	if t := note.String(); t != "" {
		s += "\n" + t
	}
	return s
}

// invite takes an invitation of a user of the peer's: SSP 9.2.4, 9.3.3.1, 9.3.3.2. Users of ours are told; whose service we
// are, their home domain is asked.
func (s *Server) invite(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	e := r.Primitive
	if mine, _ := r.Link.Agreed(); !slices.Contains(mine, "CommonFeature/Invite"+e.Attr("inviteType")) {
		return wire.NotAgreed
	}
	v := readInvitation(e)
	if v.inviting, err = u.self(e.Child("Inviting")); err != nil {
		return err
	}
	v.who = u.who
	to, err := ssp.ReadParties(e.Child("Invited"))
	if err != nil || len(to) == 0 {
		return wire.BadParameter
	}
	l := s.addressees(u.expand(to))
	for _, a := range l {
		if a.err == nil {
			v.invited[a.User] = true
		}
	}
	s.callable(v, l)
	p.invitations.put(v)
	s.tellHomes(l, e, "InviteUserRequest", "Invited")
	s.tell(r, u.who, l, inviteText(e), func(told []im.Address) {
		if v.typ == presenceInvite {
			s.wish(p, v, e.Child("InviteNote").String(), told)
		}
		s.callIn(p, v, e, l)
	})
	return nil
}

// wish has who invites to share presence ask to see those who were told of it. Who sees them already has the answer.
func (s *Server) wish(p *peer, v *invitation, note string, told []im.Address) {
	s.later(func() error { // a goroutine that ends when they are asked
		for _, who := range told {
			if err := s.x.Ask(s.ctx, exchange.By{Who: v.who}, who, im.Wish{Text: im.NewText(note)}); err != nil {
				return err
			}
			u, err := p.user(s.ctx, v.who)
			if v.relayed || err != nil {
				continue
			}
			if e := u.c.Snapshot().Entry(who); e != nil && e.Side.Watch == im.WatchGranted {
				p.accept(v, who, true)
			}
		}
		return nil
	})
}

// answered carries back what one of ours says to a user of the peer's who invited them to share presence.
func (p *peer) answered(u *user, c *exchange.Change) {
	if c.Before.Side.Watch != im.WatchAsked || c.After.Side.Watch == im.WatchAsked || c.By.Who == u.who {
		return
	}
	for _, q := range p.s.everyPeer() { // the service of the invited may be another
		for _, v := range q.invitations.open(u.who, c.Who) {
			q.accept(v, c.Who, c.After.Side.Watch == im.WatchGranted)
		}
	}
}

func (s *Server) everyPeer() (l []*peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.peers {
		l = append(l, p)
	}
	return l
}

// accept tells the peer from which an invitation came that somebody accepts it, or does not: SSP 9.2.5, 9.2.7.
func (p *peer) accept(v *invitation, who im.Address, yes bool) {
	l := p.link.Load()
	if l == nil || !p.invitations.settle(v, who) {
		return
	}
	l.Go(p.s.ctx, v.response(wire.YesNo(yes), []ssp.Party{{User: who}}, "", l.Peer().Dialect), func(*wire.Element, error) {})
}

func (v *invitation) response(acceptance string, responding []ssp.Party, note string, d wire.Dialect) *wire.Element {
	name := "InviteResponse"
	if v.relayed {
		name = "InviteUserResponse"
	}
	e := wire.New(name, "inviteID", v.id, "acceptance", acceptance).Add(wire.Status(wire.Successful, ""), wire.New("Inviting").Add(v.inviting.Element(d)))
	for _, p := range responding {
		e.Add(wire.New("Responding").Add(p.Element(d)))
	}
	if note != "" {
		e.Add(wire.New("ResponseNote").With(note))
	}
	return e
}

// inviteUser tells users of ours, whose service the peer is, that they are invited: SSP 9.2.6, 9.3.3.2.
func (s *Server) inviteUser(p *peer, r *session.Request) error {
	e := r.Primitive
	v := readInvitation(e)
	v.relayed = true
	var err error
	if v.inviting, err = one(e.Child("Inviting")); err != nil {
		return err
	}
	v.who = v.inviting.User
	if v.who.IsZero() {
		return wire.NotSupported // by a screen name, whose group only its domain knows
	}
	to, err := ssp.ReadParties(e.Child("Invited"))
	if err != nil || len(to) == 0 {
		return wire.BadParameter
	}
	l := s.oursAlone(to)
	for _, a := range l {
		if a.err == nil {
			v.invited[a.User] = true
		}
	}
	s.callable(v, l)
	p.invitations.put(v)
	s.tell(r, v.who, l, inviteText(e), func(told []im.Address) {
		if v.typ == presenceInvite && s.peer(v.who.Domain()) != nil {
			s.wish(p, v, e.Child("InviteNote").String(), told)
		}
		s.callIn(p, v, e, l)
	})
	return nil
}

// inviteAnswered tells one of ours what became of an invitation of theirs: SSP 9.2.5, 9.3.3.1.
func (s *Server) inviteAnswered(p *peer, r *session.Request) error {
	e := r.Primitive
	to, err := one(e.Child("Inviting"))
	if err != nil {
		return err
	}
	if to.User.IsZero() || !s.x.Ours(to.User.Domain()) {
		return wire.UnknownUser
	}
	by, err := s.responding(p, r)
	if err != nil {
		return err
	}
	text := "The invitation is declined."
	if e.Attr("acceptance") == wire.Yes {
		text = "The invitation is accepted."
	}
	s.tell(r, by[0].User, s.oursAlone([]ssp.Party{to}), noted(text, e.Child("ResponseNote")), func([]im.Address) {})
	return nil
}

// responding are who answers: users of the peer's, or of whatever domain when the peer relays invitations to our users'
// service.
func (s *Server) responding(p *peer, r *session.Request) (by []ssp.Party, err error) {
	for e := range r.Primitive.Children("Responding") {
		l, err := ssp.ReadParties(e)
		if err != nil {
			return nil, wire.BadParameter
		}
		by = append(by, l...)
	}
	_, theirs := r.Link.Agreed()
	for _, b := range by {
		if b.User.IsZero() || b.User.Domain() != p.domain && !slices.Contains(theirs, "CommonFeature/ComplementaryInvite") {
			return nil, wire.UnknownUser
		}
	}
	if len(by) == 0 {
		return nil, wire.BadParameter
	}
	return by, nil
}

// inviteUserAnswered hands on what users of the peer's, whose service we are, say to an invitation: SSP 9.2.7, 9.3.3.2.
func (s *Server) inviteUserAnswered(p *peer, r *session.Request) error {
	e := r.Primitive
	to, err := one(e.Child("Inviting"))
	if err != nil {
		return err
	}
	q := s.peer(to.User.Domain())
	if q == nil {
		return wire.BadInvitation
	}
	v, err := q.invitations.get(e.Attr("inviteID"), to.User)
	if err != nil {
		return err
	}
	var by []ssp.Party
	out := newVerdicts()
	for k := range e.Children("Responding") {
		l, err := ssp.ReadParties(k)
		if err != nil {
			return wire.BadParameter
		}
		for _, b := range l {
			var err error
			if b.User.Domain() != p.domain || !q.invitations.settle(v, b.User) {
				err = wire.BadInvitation
			} else {
				by = append(by, b)
			}
			out.add(err, detail(b))
		}
	}
	r.Answer(out.element())
	if l := q.link.Load(); l != nil && len(by) > 0 {
		l.Go(s.ctx, v.response(e.Attr("acceptance"), by, e.Child("ResponseNote").String(), l.Peer().Dialect), func(*wire.Element, error) {})
	}
	return nil
}

// cancelInvite takes an invitation back: SSP 9.2.8, 9.3.4.1, 9.3.4.2. A wish that came of it ends.
func (s *Server) cancelInvite(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	e := r.Primitive
	if _, err := u.self(e.Child("Canceling")); err != nil {
		return err
	}
	v, err := p.invitations.get(e.Attr("inviteID"), u.who)
	if err != nil {
		return err
	}
	to, err := ssp.ReadParties(e.Child("Canceled"))
	if err != nil || len(to) == 0 {
		return wire.BadParameter
	}
	s.takeBack(p, r, v, s.addressees(u.expand(to)))
	return nil
}

// cancelInviteUser tells users of ours, whose service the peer is, that an invitation is taken back: SSP 9.2.9, 9.3.4.2.
func (s *Server) cancelInviteUser(p *peer, r *session.Request) error {
	e := r.Primitive
	by, err := one(e.Child("Canceling"))
	if err != nil {
		return err
	}
	v, err := p.invitations.get(e.Attr("inviteID"), by.User)
	if err != nil {
		return err
	}
	to, err := ssp.ReadParties(e.Child("Canceled"))
	if err != nil || len(to) == 0 {
		return wire.BadParameter
	}
	s.takeBack(p, r, v, s.oursAlone(to))
	return nil
}

// takeBack takes an invitation back from some of those who were invited.
func (s *Server) takeBack(p *peer, r *session.Request, v *invitation, l []addressee) {
	for i := range l {
		if l[i].err == nil && !p.invitations.was(v, l[i].User) {
			l[i].err = wire.BadInvitation
		}
		if l[i].link != nil && l[i].err == nil {
			p.invitations.settle(v, l[i].User)
		}
	}
	s.tellHomes(l, r.Primitive, "CancelInviteUserRequest", "Canceled")
	s.tell(r, v.who, l, noted("The invitation is taken back.", r.Primitive.Child("CancelNote")), func(told []im.Address) {
		s.later(func() error { // a goroutine that ends with the last wish
			for _, who := range told {
				open := p.invitations.settle(v, who)
				p.invitations.withdraw(v, who)
				if open && v.typ == presenceInvite && s.peer(v.who.Domain()) != nil {
					if err := s.x.Unwatch(s.ctx, exchange.By{Who: v.who}, who); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
}
