package c2s

import (
	"errors"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// invitation is one on its way to somebody, until their sessions hear of the conversation.
type invitation struct {
	from   string // the session that asks
	words  []byte // why, and whether a chat goes on there
	lang   string // of the words
	direct bool   // they get it from who asks, as it is: XEP-0249
}

// invite tells the session how to enter a room that its person is in: XEP-0045 7.8.2, and in the form of XEP-0249 for
// clients that know only that. One whose other session has entered needs none. The caller holds the lock.
func (c *conn) invite(m *room, v *view) {
	if v.in || v.invited || !c.session.present.Load() || m.entered(c.jid.Bare, c) {
		return
	}
	v.invited = true
	a := m.asked[c.jid.Bare]
	switch {
	case a == nil:
		a = &invitation{}
		if !m.by.IsZero() {
			a.from = m.by.String()
		}
	case a.direct:
		return
	}
	at := m.at(c)
	b := wire.Open(nil, "message", at, c.full, "", "")
	if a.lang != "" {
		b.Attr("xml:lang", a.lang)
	}
	b.Start("x").Attr("xmlns", wire.NSMUCUser).Start("invite")
	if a.from != "" {
		b.Attr("from", a.from)
	}
	b.Raw(a.words).End().End()
	b.Start("x").Attr("xmlns", wire.NSConference).Attr("jid", at).End()
	c.Queue(b.Bytes())
}

// invitePending tells a session that has presence now of the conversations that its person is in.
func (c *conn) invitePending() {
	for _, t := range c.client.Talks() {
		c.s.rooms.mu.Lock()
		m := c.s.rooms.ensure(t.ID)
		if v := c.view(m); v != nil {
			c.invite(m, v)
		}
		c.s.rooms.release(m)
		c.s.rooms.mu.Unlock()
	}
}

// inviteAll calls people into a room: XEP-0045 7.8.2. Whoever is in may do so. That a chat between two goes on there is
// passed on: 7.9.
func (c *conn) inviteAll(st *wire.Stanza, at xmpp.JID, x xmltext.Node) error {
	for n := range x.Children() {
		if !n.Is(wire.NSMUCUser, "invite") {
			continue
		}
		to, _ := n.Attr("", "to")
		who, err := xmpp.ParseJIDBytes(to)
		if err != nil {
			return xmpp.Refuse(xmpp.JIDMalformed, "")
		}
		a := &invitation{from: c.full}
		if r := n.Child(wire.NSMUCUser, "reason"); r.Ok() {
			b := xmltext.Build(nil)
			a.words, a.lang = b.Start("reason").Text(string(r.Text())).Bytes(), c.langOf(st)
		}
		if r := n.Child(wire.NSMUCUser, "continue"); r.Ok() {
			b := xmltext.Build(a.words)
			b.Start("continue")
			if thread, ok := r.Attr("", "thread"); ok {
				b.Attr("thread", string(thread))
			}
			a.words = b.Bytes()
		}
		if err := c.call(at.Bare, who.Bare, a); err != nil {
			return err
		}
	}
	return nil
}

// inviteDirectly makes sure that who gets a direct invitation of this session may enter the room: XEP-0249 2, XEP-0045 7.8.1.
// The message itself goes on as any other.
func (c *conn) inviteDirectly(st *wire.Stanza, to xmpp.JID) error {
	jid, _ := st.Node.Child(wire.NSConference, "x").Attr("", "jid")
	if len(jid) == 0 {
		return nil
	}
	at, err := xmpp.ParseJIDBytes(jid)
	if err != nil || !c.s.isRoom(at) {
		return nil // elsewhere; nothing that we know of
	}
	return c.call(at.Bare, to.Bare, &invitation{from: c.full, direct: true})
}

// call calls somebody into a room that the session has entered, and so opens it. Who is in the conversation, and has not
// entered, is told once more. No more are called than may be in it: XEP-0045 7.2.9.
func (c *conn) call(at im.Address, who im.Address, a *invitation) error {
	m, _ := c.roomAt(at)
	if m == nil {
		return outside()
	}
	if m.asked == nil {
		m.asked = map[im.Address]*invitation{}
	}
	m.asked[who] = a
	m.locked = false
	c.s.rooms.mu.Unlock()
	err := c.client.Invite(c.ctx, m.id, who)
	c.s.rooms.mu.Lock()
	var owed []*conn
	if errors.Is(err, im.ErrAlready) {
		err = nil
		for other, v := range m.views {
			if other.jid.Bare == who && !v.in {
				v.invited = false
				other.invite(m, v)
				owed = append(owed, other)
			}
		}
	}
	if m.asked[who] == a {
		delete(m.asked, who)
	}
	c.s.rooms.mu.Unlock()
	flush(owed)
	if errors.Is(err, im.ErrGone) {
		return outside()
	}
	return err
}

// decline takes somebody who does not want to enter out of the conversation, and tells who asked: XEP-0045 7.8.2.
func (c *conn) decline(st *wire.Stanza, at xmpp.JID, n xmltext.Node) error {
	id := c.s.conversation(at.Bare)
	if _, ok := c.client.Talk(id); !ok {
		return outside()
	}
	to, _ := n.Attr("", "to")
	who, err := xmpp.ParseJIDBytes(to)
	if err != nil {
		return xmpp.Refuse(xmpp.JIDMalformed, "")
	}
	reason := n.Child(wire.NSMUCUser, "reason")
	c.s.rooms.mu.Lock()
	var owed []*conn
	m := c.s.rooms.byID[id]
	if m == nil || m.entered(c.jid.Bare, nil) { // another session of theirs wants to be there
		c.s.rooms.mu.Unlock()
		return nil
	}
	for other := range m.insiders {
		if other.jid.Bare != who.Bare {
			continue
		}
		b := wire.Open(nil, "message", m.at(other), other.full, "", "")
		if lang := c.langOf(st); lang != "" && reason.Ok() {
			b.Attr("xml:lang", lang)
		}
		b.Start("x").Attr("xmlns", wire.NSMUCUser).Start("decline").Attr("from", c.jid.Bare.String())
		if reason.Ok() {
			b.Start("reason").Text(string(reason.Text())).End()
		}
		other.Queue(b.Bytes())
		owed = append(owed, other)
	}
	c.s.rooms.mu.Unlock()
	flush(owed)
	c.client.Quit(c.ctx, id)
	return nil
}
