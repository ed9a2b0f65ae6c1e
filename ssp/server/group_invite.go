package server

import (
	"time"

	"parley/exchange"
	"parley/im"
	"parley/ssp/wire"
)

// groupInvite is the type of an invitation to a group: SSP 9.2.4.
const groupInvite = "GR"

// callable marks those who are called into the group that an invitation is about: they have a session that can come.
func (s *Server) callable(v *invitation, l []addressee) {
	for i := range l {
		l[i].call = v.typ == groupInvite && l[i].err == nil && l[i].link == nil && s.x.Talker(l[i].User) != nil
	}
}

// callIn calls those who are invited to a group into a conversation that stands for it, where they read who invites: who
// comes there joins, and the invitation is accepted; who declines, leaves it, or does not come in time, has declined.
// Others read it as a message. SSP 9.3.3.1, 9.3.3.2
func (s *Server) callIn(p *peer, v *invitation, e *wire.Element, l []addressee) {
	text := inviteText(e)
	for _, a := range l {
		if !a.call {
			continue
		}
		s.later(func() error { // a goroutine that ends when they are called
			if s.call(p, v, a.User, e.Child("GroupID").Attr("groupID"), v.who.String()+": "+text) {
				return nil
			}
			var b exchange.Batch
			s.x.Send(s.ctx, &b, words(v.who, a.User, text), func(error) {})
			b.Flush()
			return nil
		})
	}
}

// call calls one of ours; false when they are to read of it.
func (s *Server) call(p *peer, v *invitation, who im.Address, group, text string) bool {
	c := s.x.Talker(who)
	id, at, err := readGroup(group)
	if err != nil || c == nil {
		return false
	}
	answer := func(err error) { p.accept(v, who, err == nil) }
	rest := time.Until(v.until)
	if s.serves(at.Owner.Domain(), Groups) { // the group is ours
		withdraw, err := s.x.CallIntoRoom(s.ctx, c, exchange.RoomJoin{Room: id}, groupName(at.String()), text, answer)
		if err != nil {
			return false
		}
		t := time.AfterFunc(rest, withdraw)
		p.invitations.during(v, who, func() {
			t.Stop()
			withdraw()
		})
		return true
	}
	g := s.newGuest(id, at, who, called)
	if g == nil {
		return false // they are there, or called already
	}
	g.mu.Lock()
	g.told = answer
	g.until = time.AfterFunc(rest, g.withdraw)
	g.mu.Unlock()
	if err := g.open(c, entry{welcome: text}); err != nil {
		g.end()
		return false
	}
	p.invitations.during(v, who, g.withdraw)
	return true
}

// withdraw takes the call back from who has not come.
func (g *guest) withdraw() {
	g.mu.Lock()
	waits := g.stage == called
	g.mu.Unlock()
	if waits {
		g.end()
		g.answer(im.ErrAbsent)
	}
}

// during keeps how a call is taken back while the invitation is good.
func (l *invitations) during(v *invitation, who im.Address, withdraw func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v.calls == nil {
		v.calls = map[im.Address]func(){}
	}
	v.calls[who] = withdraw
}

// withdraw takes a call back, if there is one: SSP 9.3.4.
func (l *invitations) withdraw(v *invitation, who im.Address) {
	l.mu.Lock()
	f := v.calls[who]
	delete(v.calls, who)
	l.mu.Unlock()
	if f != nil {
		f()
	}
}
