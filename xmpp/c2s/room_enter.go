package c2s

import (
	"cmp"
	"strconv"

	"parley/exchange"
	"parley/im"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// presentAt serves presence sent to a room: it enters, says how the client is, takes another nick, or leaves. No other type
// enters or leaves, and nothing is said to who leaves without being there. XEP-0045 7.2, 7.6, 7.7, 7.14, 17.3
func (c *conn) presentAt(st *wire.Stanza, to xmpp.JID) error {
	switch st.Type {
	case "":
	case "unavailable":
		if m, v := c.roomAt(to.Bare); m != nil {
			c.exit(m, v, st.ID, c.inside(st))
		}
		return nil
	case "error", "probe", "unsubscribe", "unsubscribed", "subscribed":
		return nil // nobody is there who waits for it
	default:
		return xmpp.Refuse(xmpp.ServiceUnavailable, "")
	}
	if to.Bare.IsDomain() {
		return xmpp.Refuse(xmpp.ServiceUnavailable, "")
	}
	if !seen(to.Resource) { // XEP-0045 7.2.1, 17.1
		return xmpp.Refuse(xmpp.JIDMalformed, "A room is entered under a nick: send presence to room/nick.")
	}
	if _, wrong := xmpp.ReadPresence(st.Node); wrong != nil {
		return wrong
	}
	joins := st.Node.Child(wire.NSMUC, "x").Ok()
	m, v := c.roomAt(to.Bare)
	switch {
	case m != nil && !joins:
		return c.update(m, v, to.Resource, st)
	case m != nil:
		c.s.rooms.mu.Unlock() // it lost count, and is told all again: XEP-0045 7.2.1
	case !joins:
		c.kick(to)
		return nil
	}
	return c.enter(st, to, m != nil)
}

// kick tells a client that believes to be in a room that it is not: XEP-0045 7.2.18.
func (c *conn) kick(to xmpp.JID) {
	b := wire.Open(nil, "presence", to.String(), c.full, "", "unavailable")
	b.Start("x").Attr("xmlns", wire.NSMUCUser)
	b.Start("item").Attr("affiliation", "none").Attr("role", "none")
	b.Start("reason").Text("You are not in the room.").End().End()
	for _, code := range []string{"110", "307", "333"} {
		b.Start("status").Attr("code", code).End()
	}
	c.Queue(b.Bytes())
}

// enter lets the session into a room: a conversation that its person is in, or, under a name that nobody uses, a
// new one (XEP-0045 10.1.1). A conversation of others is not revealed, a room with a name is for those who
// were invited, when it is open. One that is in stays there if it is refused. XEP-0045 7.2.6, 7.2.10, 7.2.11, 7.2.17
func (c *conn) enter(st *wire.Stanza, to xmpp.JID, in bool) error {
	id, created := c.s.conversation(to.Bare), false
	_, reserved := number(to.Bare.Local())
	if id == 0 {
		if reserved { // XEP-0045 7.2.11
			return xmpp.Refuse(xmpp.ItemNotFound, "There is no such conversation, or you are not in it.")
		}
		var err error
		if id, err = c.client.Begin(c.ctx); err != nil {
			return err
		}
		if created = c.claim(id, to.Bare); !created {
			c.client.Quit(c.ctx, id)
			id = c.s.conversation(to.Bare)
		}
	}
	if err := c.client.Attend(id, true); err != nil {
		if reserved {
			return xmpp.Refuse(xmpp.ItemNotFound, "There is no such conversation, or you are not in it.")
		}
		if c.s.rooms.closed(id) {
			return xmpp.Refuse(xmpp.ItemNotFound, "This room is not open yet.")
		}
		return im.ErrNotInvited
	}
	for {
		c.s.rooms.mu.Lock()
		at := c.s.rooms.version
		c.s.rooms.mu.Unlock()
		t, ok := c.client.Talk(id)
		if !ok {
			return im.ErrGone
		}
		c.s.rooms.mu.Lock()
		if c.s.rooms.version != at { // somebody came or went, and others are told of it at this moment
			c.s.rooms.mu.Unlock()
			continue
		}
		owed, err := c.admit(t, st, to.Resource, created)
		c.s.rooms.mu.Unlock()
		flush(owed)
		if err != nil && !in {
			c.client.Attend(id, false)
		}
		return err
	}
}

// closed reports whether a room is locked: XEP-0045 7.2.10.
func (r *rooms) closed(id int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.byID[id]
	return m != nil && m.locked
}

// claim gives a new conversation the name that a client wants for it, and to that client's person: it is locked until they
// accept it as it is, or call somebody in. False: another has it. XEP-0045 10.1.1
func (c *conn) claim(id int64, name im.Address) bool {
	c.s.rooms.mu.Lock()
	defer c.s.rooms.mu.Unlock()
	if c.s.rooms.named[name] != nil || c.roomless {
		return false
	}
	m := c.s.rooms.ensure(id)
	m.name, m.owner, m.locked = name, c.jid.Bare, true
	c.s.rooms.named[name] = m
	c.view(m).invited = true
	m.add(c.jid.Bare, c.client.Snapshot().DisplayName())
	return true
}

// admit shows the session who is in the room, itself last, and that there is no subject, and shows it to the others. Then
// comes what is said there; what was said before does not. The sessions of one account share their nick. The caller holds
// the lock. XEP-0045 7.1, 7.2.2, 7.2.3, 7.2.8, 7.2.13, 7.2.15, 7.2.16, 14.5
func (c *conn) admit(t *exchange.Talk, st *wire.Stanza, nick string, created bool) (owed []*conn, err error) {
	m := c.s.rooms.ensure(t.ID)
	v := c.view(m)
	if v == nil {
		return nil, im.ErrGone
	}
	me := m.settle(t, c)
	codes := []int{100, 110}
	if created {
		codes = append(codes, 201)
	}
	switch other := m.byNick(nick); {
	case m.entered(me.who, c) && me.nick != nick:
		nick = me.nick
		codes = append(codes, 210)
	case other != nil && other != me:
		return nil, xmpp.Refuse(xmpp.Conflict, "Somebody in the room has this nick.")
	}
	me.full, me.lang, me.inner = c.full, c.langOf(st), c.inside(st)
	told := me.nick != nick
	if told {
		owed = m.rename(me, nick)
	}
	v.in, v.invited, v.nick = true, true, nick
	for o := range m.all {
		if o != me {
			c.Queue(m.appendPresence(nil, c, o, presence{}))
		}
	}
	for other := range m.insiders {
		if other != c && !told {
			other.Queue(m.appendPresence(nil, other, me, presence{}))
			owed = append(owed, other)
		}
	}
	c.Queue(m.appendPresence(nil, c, me, presence{id: st.ID, codes: codes}))
	b := wire.Open(nil, "message", m.at(c), c.full, "", "groupchat")
	c.Queue(b.Start("subject").End().Bytes())
	return owed, nil
}

// settle makes the occupants those who are in the conversation, and gives the session's own. The caller holds the lock.
func (m *room) settle(t *exchange.Talk, c *conn) *occupant {
	there := map[im.Address]bool{c.jid.Bare: true}
	for _, p := range t.Members {
		there[p.Who] = true
		if m.occupants[p.Who] == nil {
			m.add(p.Who, p.Name)
		}
	}
	for who := range m.occupants {
		if !there[who] {
			delete(m.occupants, who)
		}
	}
	me := m.occupants[c.jid.Bare]
	if me == nil {
		me = m.add(c.jid.Bare, c.client.Snapshot().DisplayName())
	}
	return me
}

// rename gives an occupant another nick, and tells all who have entered, the occupant's own sessions too: XEP-0045 7.6.
// The caller holds the lock.
func (m *room) rename(o *occupant, nick string) (owed []*conn) {
	was := *o
	o.nick = nick
	for c, v := range m.insiders {
		var gone, here []int
		if c.jid.Bare == o.who {
			v.nick = nick
			gone, here = []int{303, 110}, []int{110}
		} else {
			gone = []int{303}
		}
		c.Queue(m.appendPresence(nil, c, &was, presence{gone: true, becomes: nick, codes: gone}))
		c.Queue(m.appendPresence(nil, c, o, presence{codes: here}))
		owed = append(owed, c)
	}
	return owed
}

// update says how somebody in a room is, or gives them another nick: XEP-0045 7.6, 7.7. It is called with the lock held,
// and lets it go.
func (c *conn) update(m *room, v *view, nick string, st *wire.Stanza) error {
	owed, err := func() (owed []*conn, err error) {
		defer c.s.rooms.mu.Unlock()
		me := m.occupants[c.jid.Bare]
		if me == nil {
			return nil, nil // they are on their way out
		}
		if nick != v.nick {
			if m.byNick(nick) != nil {
				return nil, xmpp.Refuse(xmpp.Conflict, "Somebody in the room has this nick.")
			}
			me.full, me.lang, me.inner = c.full, c.langOf(st), c.inside(st)
			return m.rename(me, nick), nil
		}
		me.full, me.lang, me.inner = c.full, c.langOf(st), c.inside(st)
		for other := range m.insiders {
			p := presence{}
			if other.jid.Bare == me.who {
				p.codes = []int{110}
			}
			other.Queue(m.appendPresence(nil, other, me, p))
			owed = append(owed, other)
		}
		return owed, nil
	}()
	flush(owed)
	return err
}

// exit takes the session out of a room, and its person out of the conversation if no other session of theirs is there:
// XEP-0045 7.14. A room that its owner leaves before it is open never was: 10.1.3. It is called with the lock held, and lets
// it go.
func (c *conn) exit(m *room, v *view, id string, inner []byte) {
	me := m.occupants[c.jid.Bare]
	if me == nil {
		me = &occupant{who: c.jid.Bare, nick: v.nick}
	}
	last := !m.entered(c.jid.Bare, c)
	p := presence{gone: true, id: id, codes: []int{110}}
	if last && m.locked {
		p.over, p.destroyed = true, "The room was not opened."
	}
	bye := *me
	bye.inner = inner
	c.Queue(m.appendPresence(nil, c, &bye, p))
	v.in = false
	if last {
		me.inner = inner
	}
	for other := range m.insiders {
		if me.full == c.full && other.jid.Bare == me.who {
			me.full = other.full
		}
	}
	c.s.rooms.mu.Unlock()
	c.client.Attend(m.id, false)
	if last {
		c.client.Quit(c.ctx, m.id)
	}
}

// exitRooms takes the session out of all rooms: it has no presence any more (RFC 6121 4.6.3), or is over.
func (c *conn) exitRooms(over bool) {
	s := c.s
	for {
		s.rooms.mu.Lock()
		var in *room
		for m := range c.rooms {
			if m.views[c].in {
				in = m
			} else if over {
				c.forget(m)
			}
		}
		if in == nil {
			c.roomless = over
			s.rooms.mu.Unlock()
			return
		}
		c.exit(in, in.views[c], "", nil)
	}
}

// inside is what a client says of its presence in a room, for others: XEP-0045 7.7. What only rooms say is not passed on
// (17.3). A long one is not kept.
func (c *conn) inside(st *wire.Stanza) []byte {
	var b []byte
	for e := range st.Node.Children() {
		space := string(e.Space())
		if space == wire.NSMUC || space == wire.NSMUCUser {
			continue
		}
		b = wire.AppendStanza(b, e)
	}
	if len(b) > 4096 {
		return nil
	}
	return b
}

// langOf is the language of what a client says: XEP-0045 13; RFC 6120 8.1.5.
func (c *conn) langOf(st *wire.Stanza) string { return cmp.Or(st.Lang, c.Lang) }

// presence is what a room says of an occupant besides who it is.
type presence struct {
	id        string
	gone      bool
	becomes   string // the nick that they have from now on
	over      bool   // the room is gone, or the service is
	destroyed string // why the room is gone
	codes     []int
}

// appendPresence appends the presence of an occupant, as one session gets it, always with role and affiliation: what is none
// of these has neither. Addresses are known to all in the room. XEP-0045 5.1.2, 5.1.3, 7.2.2, 7.2.3, 12, 17.3
//
// Deviates from XEP-0045 5.1.2: an owner is a participant as all others, as there is nothing that moderators could do.
// Deviates from XEP-0045 17.3: who is called in, and has not entered, has no session in the room: the address is bare.
func (m *room) appendPresence(dst []byte, to *conn, o *occupant, p presence) []byte {
	typ, role, affiliation := "", "participant", m.affiliation(o.who)
	if p.gone {
		typ = "unavailable"
		if p.becomes == "" {
			role = "none"
		}
	}
	b := wire.Open(dst, "presence", m.at(to)+"/"+o.nick, to.full, p.id, typ)
	if p.becomes == "" && len(o.inner) > 0 {
		if o.lang != "" {
			b.Attr("xml:lang", o.lang)
		}
		b.Raw(o.inner)
	}
	b.Start("x").Attr("xmlns", wire.NSMUCUser)
	jid := cmp.Or(o.full, o.who.String())
	if o.who == to.jid.Bare {
		jid = to.full
	}
	if p.over {
		affiliation = "none"
	}
	b.Start("item").Attr("affiliation", affiliation).Attr("role", role).Attr("jid", jid)
	if p.becomes != "" {
		b.Attr("nick", p.becomes)
	}
	b.End()
	if p.destroyed != "" {
		b.Start("destroy").Start("reason").Text(p.destroyed).End().End()
	}
	for _, code := range p.codes {
		b.Start("status").Attr("code", strconv.Itoa(code)).End()
	}
	return b.Bytes()
}
