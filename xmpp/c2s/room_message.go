package c2s

import (
	"errors"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/listen"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// sayAt serves messages to a room, or to one in it: XEP-0045 7.4, 7.5, 7.8.2. What is none of these is of a wrong type, the
// forms of moderated rooms and of registrations among it: XEP-0045 7.13, 8.6, 9.9, 17.2.
func (c *conn) sayAt(st *wire.Stanza, to xmpp.JID) error {
	switch {
	case st.Type == "error":
		return nil
	case to.Bare.IsDomain():
		return xmpp.Refuse(xmpp.ServiceUnavailable, "")
	case st.Type == "groupchat" && to.Resource != "": // XEP-0045 7.5
		return xmpp.Refuse(xmpp.BadRequest, "What is said to one person is of the type chat.")
	case st.Type == "groupchat":
		return c.sayAll(st, to)
	case to.Resource != "":
		return c.whisper(st, to)
	}
	x := st.Node.Child(wire.NSMUCUser, "x")
	if d := x.Child(wire.NSMUCUser, "decline"); d.Ok() {
		return c.decline(st, to, d)
	}
	if x.Child(wire.NSMUCUser, "invite").Ok() {
		return c.inviteAll(st, to, x)
	}
	return xmpp.Refuse(xmpp.BadRequest, "What is said in a room is of the type groupchat.")
}

// outside is the answer to who is not in the room that they speak to, whether or not there is such a room: XEP-0045 7.4, 7.5.
//
// Deviates from XEP-0045 17.2: it is not-acceptable, as 7.4 has it, and never item-not-found: nobody learns of others' rooms.
func outside() error {
	return xmpp.Refuse(xmpp.NotAcceptable, "You are not in this room.")
}

// said is a message of this session; kind as if it were said to one.
func (c *conn) said(st *wire.Stanza) *im.Message {
	as := *st
	if as.Type == "groupchat" {
		as.Type = "chat"
	}
	return &im.Message{ID: c.s.Exchange.MessageID(), From: c.jid.Bare, FromSlot: c.jid.Resource,
		FromName: c.client.Snapshot().DisplayName(), Time: time.Now(), Kind: xmpp.Classify(&as)}
}

// build makes the stanza of a message from the one that the client sent: with the attributes in set, in the language of its
// stream if it names none, and with the id that by, a room or an account, gives it; the one that the sender gave it stays.
// XEP-0359 2.1, 2.2, 3; it tells no more than when it was said: XEP-0359 6
func (c *conn) build(st *wire.Stanza, m *im.Message, by string, set ...xmltext.Attr) {
	if st.Lang == "" && c.Lang != "" {
		set = append(set, xmltext.Attr{Name: "xml:lang", Value: c.Lang})
	}
	ours := func(by xmpp.JID) bool { return c.s.Exchange.Ours(by.Bare.Domain()) || c.s.isRoom(by) }
	b := xmpp.StripStanzaIDs(nil, st.Node, ours, set...)
	if m.Kind == im.Words {
		b = xmpp.InsertStanzaID(nil, b, by, stanzaID(m.ID))
	}
	m.Native = im.Native{Door: xmpp.Door, Body: b}
	m.Neutralise = c.neutraliser(b)
}

// sayAll says something to everybody in a room, and to the client itself, with all that stands in it, in its language:
// XEP-0045 7.4, 13, 17.2; also what was said elsewhere before, with the time that it gives itself (XEP-0045 7.9). Rooms have
// no subject that could be changed, by nobody: XEP-0045 7.3, 8.1. Chat states are for all, XEP-0085 5.5. What goes to the
// others is as if it were said to one, for those whose sessions have not entered.
func (c *conn) sayAll(st *wire.Stanza, to xmpp.JID) error {
	r, v := c.roomAt(to.Bare)
	if r == nil {
		return outside()
	}
	at, nick, alone := r.at(c), v.nick, len(r.occupants) < 2
	c.s.rooms.mu.Unlock()
	if has := func(name string) bool { return st.Node.Child(wire.NSClient, name).Ok() }; has("subject") && !has("body") && !has("thread") {
		return xmpp.Refuse(xmpp.Forbidden, "This room has no subject.")
	}
	m := c.said(st)
	c.build(st, m, at, xmltext.Attr{Name: "from", Value: c.full}, xmltext.Attr{Name: "type", Value: "chat"},
		xmltext.Attr{Name: "to", Drop: true})
	answer := c.answerLater(st)
	way := c.words.begin()
	handed, err := c.client.Say(c.ctx, r.id, m, func(err error) {
		if !alone || !errors.Is(err, im.ErrAbsent) { // nobody else is there to hear it: no reason to complain
			answer(err)
		}
		c.words.end(way)
	})
	if err != nil {
		c.words.end(way)
		return outside()
	}
	way.handed = handed
	c.s.rooms.mu.Lock()
	var owed []*conn
	for other := range r.insiders {
		if other.jid.Bare == c.jid.Bare {
			other.Queue(other.inRoom(m.Native.Body, at, nick))
			owed = append(owed, other)
		}
	}
	c.s.rooms.mu.Unlock()
	flush(owed)
	return nil
}

// inRoom is what somebody said, as a session in the room gets it: XEP-0045 7.4.
func (c *conn) inRoom(said []byte, at, nick string) []byte {
	var d xmltext.Doc
	n, err := wire.Parse(&d, said, unbounded)
	if err != nil {
		return nil // it was read here before
	}
	return wire.AppendStanza(make([]byte, 0, len(said)+len(at)+len(nick)+len(c.full)), n, xmltext.Attr{Name: "from", Value: at + "/" + nick},
		xmltext.Attr{Name: "to", Value: c.full}, xmltext.Attr{Name: "type", Value: "groupchat"})
}

// outOfRoom is the same for a session that has not entered: a chat message of who said it, in a thread that names the
// room.
func (c *conn) outOfRoom(said []byte, at string) []byte {
	var d xmltext.Doc
	n, err := wire.Parse(&d, said, unbounded)
	if err != nil {
		return nil
	}
	b := wire.AppendStart(make([]byte, 0, len(said)+len(at)+len(c.full)+32), n, xmltext.Attr{Name: "to", Value: c.full})
	b = append(b, n.Inner()...)
	if !n.Child(wire.NSClient, "thread").Ok() {
		b = xmltext.AppendText(append(b, "<thread>"...), at)
		b = append(b, "</thread>"...)
	}
	return xmltext.AppendEnd(b, n)
}

// unbounded is for what was read before, within the limits, and to which little was added here.
var unbounded = xmltext.Limits{Bytes: 1 << 30, Depth: 1 << 30, Attrs: 1 << 30, Nodes: 1 << 30, Name: 1<<16 - 1}

// deliverRoom queues what somebody said in a room: from there, if the session has entered; else as said to one, after the
// invitation. From behind another door it comes in the form that all can read. XEP-0045 7.4
func (c *conn) deliverRoom(m *exchange.Message) (owes bool) {
	s := c.s
	s.rooms.mu.Lock()
	r := s.rooms.ensure(m.In.ID)
	v := c.view(r)
	if v == nil {
		s.rooms.release(r)
		s.rooms.mu.Unlock()
		return c.GiveBack(m, im.ErrGone)
	}
	at, nick, in := r.at(c), m.From.String(), v.in
	if o := r.occupants[m.From]; o != nil {
		nick = o.nick
	}
	if !in {
		c.invite(r, v)
	}
	s.rooms.mu.Unlock()
	native := m.Native.Door == xmpp.Door
	n := im.Neutral{}
	if !native {
		if n = m.Neutral(); n.Text.IsZero() && !n.Typing {
			return c.GiveBack(m, im.ErrNothingFits)
		}
	}
	var b []byte
	switch {
	case native && in:
		b = c.inRoom(m.Native.Body, at, nick)
	case native:
		b = c.outOfRoom(m.Native.Body, at)
	case in:
		b = appendNeutral(at+"/"+nick, c.full, "groupchat", "", m, n)
	default:
		b = appendNeutral(xmpp.JID{Bare: m.From, Resource: m.FromSlot}.String(), c.full, "chat", at, m, n)
	}
	if b == nil {
		return c.GiveBack(m, im.ErrNothingFits)
	}
	if !native && m.Kind == im.Words {
		b = xmpp.InsertStanzaID(nil, b, at, stanzaID(m.Message.ID))
	}
	return c.QueueItem(listen.Item{B: b, Settle: m})
}

// appendNeutral makes the stanza of what was said in a room by somebody behind another door.
func appendNeutral(from, to, typ, thread string, m *exchange.Message, n im.Neutral) []byte {
	b := wire.Open(nil, "message", from, to, stanzaID(m.Message.ID), typ)
	if !n.Text.IsZero() {
		b.Start("body").Text(n.Text.Reveal()).End()
	}
	if thread != "" {
		b.Start("thread").Text(thread).End()
	}
	state := "active"
	if n.Typing {
		state = "composing"
	}
	b.Start(state).Attr("xmlns", wire.NSChatStates).End()
	return b.Bytes()
}

// whisper says something to one in a room: XEP-0045 7.5. To those whose sessions have entered it comes from there; to others
// it is said as outside of rooms.
func (c *conn) whisper(st *wire.Stanza, to xmpp.JID) error {
	r, v := c.roomAt(to.Bare)
	if r == nil {
		return outside()
	}
	from, id := xmltext.Attr{Name: "from", Value: r.at(c) + "/" + v.nick}, r.id
	o := r.byNick(to.Resource)
	var inside []xmpp.JID
	if o != nil {
		for other := range r.insiders {
			if other.jid.Bare == o.who {
				inside = append(inside, other.jid)
			}
		}
	}
	c.s.rooms.mu.Unlock()
	if o == nil {
		return xmpp.Refuse(xmpp.ItemNotFound, "Nobody in the room has this nick.")
	}
	done := c.answerLater(st)
	if len(inside) == 0 {
		m := c.said(st)
		m.To = o.who
		c.build(st, m, o.who.String(), xmltext.Attr{Name: "from", Value: c.full}, xmltext.Attr{Name: "to", Value: o.who.String()})
		if inRoom, err := c.client.Whisper(c.ctx, id, o.who, m); inRoom { // a room that lasts, which they have no address outside of
			done(err)
			return nil
		}
		c.post(m, done)
		return nil
	}
	for _, j := range inside {
		m := c.said(st)
		m.To, m.Slot, m.Only = j.Bare, j.Resource, true
		c.build(st, m, j.Bare.String(), from, xmltext.Attr{Name: "to", Value: j.String()})
		if !st.Node.Child(wire.NSMUCUser, "x").Ok() {
			m.Native.Body = insert(m.Native.Body, "<x xmlns='"+wire.NSMUCUser+"'/>")
		}
		c.post(m, done)
		done = func(error) {} // one answer is enough
	}
	return nil
}

// insert puts XML at the end of a complete stanza.
func insert(stanza []byte, xml string) []byte {
	var d xmltext.Doc
	n, err := wire.Parse(&d, stanza, unbounded)
	if err != nil {
		return stanza
	}
	b := wire.AppendStart(make([]byte, 0, len(stanza)+len(xml)), n)
	b = append(append(b, n.Inner()...), xml...)
	return xmltext.AppendEnd(b, n)
}
