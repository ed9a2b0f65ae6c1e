package c2s

import (
	"errors"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// presenceStanza serves presence: RFC 6121 3, 4.
func (c *conn) presenceStanza(n xmltext.Node) {
	st := &c.stanza
	wire.Read(st, n)
	if !c.honest(st) {
		return
	}
	if err := c.present(st); err != nil {
		c.refuse(st, err)
	}
}

func (c *conn) present(st *wire.Stanza) error {
	to, err := c.address(st)
	if err != nil {
		return err
	}
	if c.s.isRoom(to) {
		return c.toRoom(c.ctx, st, to)
	}
	switch st.Type {
	case "", "unavailable":
		if to.IsZero() {
			return c.broadcast(st)
		}
		return c.direct(st, to)
	case "probe": // a server's word, which clients hardly need: RFC 6121 4.3
		if to.IsZero() || !c.s.Exchange.Serves(to.Bare.Domain()) {
			return nil
		}
		_, err := c.client.Probe(c.ctx, to.Bare, to.Resource)
		return err
	case "error":
		return nil // nobody waits for it
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
		return c.subscription(st, to)
	}
	return xmpp.Refuse(xmpp.BadRequest, "presence has no such type") // RFC 6121 4.7.1
}

// broadcast says how the session is to all who see it: RFC 6121 4.2, 4.4, 4.5. That it begins asks how all are whom the
// account sees: RFC 6121 4.3.1; RFC 6120 8.2.2, 10.3.2. What its client wrote is kept as it is: RFC 6121 4.1, 4.7.2.2, 4.7.3.
func (c *conn) broadcast(st *wire.Stanza) error {
	p, wrong := xmpp.ReadPresenceIn(c.Lang, st.Node)
	if wrong != nil {
		return wrong
	}
	begins := p.State != im.Offline && !c.session.present.Load()
	c.session.present.Store(p.State != im.Offline)
	shown := shownAs(p)
	c.s.counters.Move(c.shown, shown)
	c.shown = shown
	c.client.SetPresence(p, nil)
	if p.State == im.Offline {
		c.exitRooms(false)
	}
	if !begins {
		return nil
	}
	c.invitePending()
	// Who asked while nobody was there to answer asks again: RFC 6121 3.1.3.
	asked, err := c.s.Exchange.Requests(c.ctx, c.jid.Bare)
	if err != nil {
		return err
	}
	for i := range asked {
		w := &asked[i]
		c.Queue(xmpp.AppendRequest(nil, w.From.String(), c.jid.Bare.String(), w.Text, w.Native))
	}
	return nil
}

// shownAs is the state that the metrics count a session in.
func shownAs(p im.Presence) string {
	switch p.State {
	case im.Offline, im.Hidden:
		return "unavailable"
	case im.FreeToChat:
		return "chat"
	case im.Away:
		return "away"
	case im.Busy:
		return "dnd"
	case im.ExtendedAway:
		return "xa"
	}
	return "available"
}

// direct says how the session is to one address: RFC 6121 4.6.1, 4.6.3, 4.6.4. Where nobody is there it is not kept:
// RFC 6121 8.5.2.2.2, 8.5.3.2.2; RFC 6120 10.5.1, 10.5.2, 10.5.3.1. Another domain cannot be reached: RFC 6120 10.4.3.
func (c *conn) direct(st *wire.Stanza, to xmpp.JID) error {
	p, wrong := xmpp.ReadPresenceIn(c.Lang, st.Node)
	if wrong != nil {
		return wrong
	}
	if to.Bare.IsDomain() { // nobody there looks
		return nil
	}
	if !c.s.Exchange.Serves(to.Bare.Domain()) {
		return xmpp.Refuse(xmpp.RemoteServerNotFound, "")
	}
	err := c.client.Direct(c.ctx, to.Bare, to.Resource, p)
	if errors.Is(err, im.ErrUnknownUser) || errors.Is(err, im.ErrAbsent) {
		err = nil // who is there is not revealed: RFC 6121 8.5.1, 8.5.2
	}
	return err
}

// subscription serves the four acts about who sees whom, whether they stand in the roster already or not: RFC 6121 3.1 to
// 3.4, 3.1.1, A.1, A.2.1, A.2.2, A.2.3, A.2.4. They are always to a bare address (3.1.2).
func (c *conn) subscription(st *wire.Stanza, to xmpp.JID) error {
	if to.IsZero() || to.Bare == c.jid.Bare {
		return nil // one sees oneself: nothing to ask
	}
	who := to.Bare
	if c.denies(to) {
		return im.ErrOwnBlock
	}
	by := exchange.By{Who: c.jid.Bare, Client: c.client}
	x := c.s.Exchange
	var err error
	switch st.Type {
	case "subscribe":
		if !x.Serves(who.Domain()) {
			return xmpp.Refuse(xmpp.RemoteServerNotFound, "")
		}
		if who.IsDomain() {
			return nil
		}
		words, native := xmpp.ReadRequestIn(c.Lang, st.Node)
		err = x.Ask(c.ctx, by, who, im.Wish{From: c.jid.Bare, Text: words, Native: native, Time: time.Now()})
	case "subscribed":
		err = x.Answer(c.ctx, by, who)
	case "unsubscribe":
		err = x.Unwatch(c.ctx, by, who)
	case "unsubscribed":
		err = x.Refuse(c.ctx, by, who)
	}
	switch {
	case errors.Is(err, im.ErrListFull):
		return err
	case errors.Is(err, im.ErrUnknownUser), errors.Is(err, im.ErrAlready), errors.Is(err, im.ErrNotOnList), errors.Is(err, im.ErrSameMode):
		return nil // nothing changes, and nobody learns who exists: RFC 6121 3.1.2, A.2
	}
	return err
}
