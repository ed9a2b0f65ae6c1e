package server

import (
	"errors"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/wire"
)

// groupInvite is the type of an invitation to a group: SSP 9.2.4.
const groupInvite = "GR"

// callIn calls those who were told of an invitation to a group into a conversation that stands for it: who comes there
// joins, and the invitation is accepted; who declines, leaves it, or does not come in time, has declined. Who has no
// session that could come reads the words alone. SSP 9.3.3.1, 9.3.3.2
func (s *Server) callIn(p *peer, v *invitation, e *wire.Element, told []im.Address) {
	if v.typ != groupInvite {
		return
	}
	id, at, err := readGroup(e.Child("GroupID").Attr("groupID"))
	if err != nil {
		return
	}
	for _, who := range told {
		if c := s.x.Talker(who); c != nil {
			s.later(func() error { return s.call(p, v, c, who, id, at) }) // a goroutine that ends when they are called
		}
	}
}

// call calls one of ours.
func (s *Server) call(p *peer, v *invitation, c *exchange.Client, who im.Address, id im.RoomID, at ssp.Address) error {
	answer := func(err error) { p.accept(v, who, err == nil) }
	rest := time.Until(v.until)
	if s.serves(at.Owner.Domain(), Groups) { // the group is ours
		var t *time.Timer
		withdraw, err := s.x.CallIntoRoom(s.ctx, c, exchange.RoomJoin{Room: id}, groupName(at.String()), answer)
		if err == nil {
			t = time.AfterFunc(rest, withdraw)
			p.invitations.during(v, who, func() {
				t.Stop()
				withdraw()
			})
		}
		return bearable(err)
	}
	g := s.newGuest(id, at, who, called)
	if g == nil {
		return nil // they are there, or called already
	}
	g.mu.Lock()
	g.told = answer
	g.until = time.AfterFunc(rest, g.withdraw)
	g.mu.Unlock()
	if err := g.open(c, entry{}); err != nil {
		g.end()
		return bearable(err)
	}
	p.invitations.during(v, who, g.withdraw)
	return nil
}

// bearable is an error for the log: not that somebody is in too many conversations, or gone.
func bearable(err error) error {
	if errors.Is(err, im.ErrTooMany) || errors.Is(err, im.ErrGone) || errors.Is(err, im.ErrNoPlace) || errors.Is(err, im.ErrClosing) {
		return nil
	}
	return err
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
