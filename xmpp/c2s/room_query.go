package c2s

import (
	"cmp"
	"context"
	"slices"

	"parley/exchange"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

var (
	// What rooms can is told by both: XEP-0045 7.4, XEP-0249 3, XEP-0359 5.
	conferenceIdentity = []xmpp.Identity{{Category: "conference", Type: "text", Name: "Conversations"}}
	conferenceFeatures = []string{wire.NSDiscoInfo, wire.NSDiscoItems, wire.NSMUC, wire.NSConference, wire.NSPing, stableID,
		wire.NSStanzaID}
	roomFeatures = []string{wire.NSDiscoInfo, wire.NSDiscoItems, wire.NSMUC, wire.NSPing, "muc_hidden", "muc_membersonly", "muc_nonanonymous",
		"muc_temporary", "muc_unmoderated", "muc_unsecured", selfPing, stableID, wire.NSStanzaID}
)

// selfPing says that rooms answer for their occupants: XEP-0410 3.3.
const selfPing = wire.NSMUC + "#self-ping-optimization"

// stableID says that what is said in rooms keeps the id that it was sent with: XEP-0045 7.4.
const stableID = wire.NSMUC + "#stable_id"

// askAt answers queries to the domain of conversations, to rooms, and to who is in them: XEP-0045 6.2, 6.3, 6.4, 6.5, 6.6;
// XEP-0199 4.2, XEP-0410 3.2. Of a room learns who is in the conversation, and nobody else: XEP-0045 14.4. Queries are not
// handed on to who is in it: XEP-0045 17.4.
func (c *conn) askAt(_ context.Context, st *wire.Stanza, to xmpp.JID) error {
	if st.Type != "get" && st.Type != "set" {
		return nil
	}
	r := &request{Stanza: *st, to: to, payload: st.Node.FirstChild()}
	space, local := r.payload.Name()
	what := name{string(space), string(local)}
	var t *exchange.Talk
	if !to.Bare.IsDomain() {
		t, _ = c.client.Talk(c.s.conversation(to.Bare))
	}
	switch {
	case to.Bare.IsDomain() && to.Resource != "":
	case to.Bare.IsDomain():
		return c.askService(r, what)
	case what == name{wire.NSPing, "ping"} && st.Type == "get":
		return c.pingRoom(r)
	case t == nil:
		return xmpp.Refuse(xmpp.ItemNotFound, "There is no such conversation, or you are not in it.")
	case to.Resource != "":
	case what == name{wire.NSMUCOwner, "query"}:
		return c.configure(r, t.ID)
	default:
		return c.askRoom(r, what, t)
	}
	return xmpp.Refuse(xmpp.ServiceUnavailable, "")
}

// pingRoom tells a session whether it is in a room: XEP-0410 3.2.
func (c *conn) pingRoom(r *request) error {
	m, v := c.roomAt(r.to.Bare)
	if m == nil {
		return outside()
	}
	nick, there := v.nick, m.byNick(r.to.Resource) != nil
	c.s.rooms.mu.Unlock()
	switch {
	case r.to.Resource != "" && !there:
		return xmpp.Refuse(xmpp.ItemNotFound, "Nobody in the room has this nick.")
	case r.to.Resource != "" && r.to.Resource != nick:
		return xmpp.Refuse(xmpp.ServiceUnavailable, "")
	}
	c.result(r, nil)
	return nil
}

// askService answers for the domain: what it is, and the rooms that the asker is in. XEP-0045 6.2, 6.3
func (c *conn) askService(r *request, what name) error {
	b := xmltext.Build(nil)
	switch what {
	case name{wire.NSPing, "ping"}:
		c.result(r, nil)
		return nil
	case name{wire.NSDiscoInfo, "query"}:
		b.Start("query").Attr("xmlns", wire.NSDiscoInfo).Raw(xmpp.AppendInfo(nil, conferenceIdentity, conferenceFeatures, nil))
	case name{wire.NSDiscoItems, "query"}:
		b.Start("query").Attr("xmlns", wire.NSDiscoItems)
		talks := c.client.Talks()
		c.s.rooms.mu.Lock()
		for i := range talks {
			m := c.s.rooms.byID[talks[i].ID]
			if m == nil {
				m = &room{id: talks[i].ID}
			}
			b.Start("item").Attr("jid", m.at(c)).End()
		}
		c.s.rooms.mu.Unlock()
	default:
		return xmpp.Refuse(xmpp.ServiceUnavailable, "")
	}
	if _, given := r.payload.Attr("", "node"); given {
		return xmpp.Refuse(xmpp.ItemNotFound, "")
	}
	c.result(r, b.Bytes())
	return nil
}

// askRoom answers for a room: what it is (XEP-0045 6.4), who is in it (6.5), and to who would rule it. Nobody registers with
// one: XEP-0045 7.10. It drops nothing of what is said: 18.1.1.
func (c *conn) askRoom(r *request, what name, t *exchange.Talk) error {
	c.s.rooms.mu.Lock()
	defer c.s.rooms.mu.Unlock()
	m := c.s.rooms.byID[t.ID]
	if m == nil {
		m = c.s.rooms.ensure(t.ID)
		defer c.s.rooms.release(m)
		m.settle(t, c)
	}
	b := xmltext.Build(nil)
	node, given := r.payload.Attr("", "node")
	switch {
	case r.Type == "get" && what == name{wire.NSDiscoInfo, "query"}:
		switch {
		case string(node) == "x-roomuser-item": // XEP-0045 7.12
			return xmpp.Refuse(xmpp.FeatureNotImplemented, "")
		case string(node) == wire.NSMUC+"#traffic": // XEP-0045 18.1.1
			return xmpp.Refuse(xmpp.ServiceUnavailable, "")
		case given:
			return xmpp.Refuse(xmpp.ItemNotFound, "")
		}
		identity := []xmpp.Identity{{Category: "conference", Type: "text", Name: "Conversation"}}
		if !m.name.IsZero() {
			identity[0].Name = m.name.Local()
		}
		b.Start("query").Attr("xmlns", wire.NSDiscoInfo).Raw(xmpp.AppendInfo(nil, identity, roomFeatures, nil))
	case r.Type == "get" && what == name{wire.NSDiscoItems, "query"}:
		if given {
			return xmpp.Refuse(xmpp.ItemNotFound, "")
		}
		b.Start("query").Attr("xmlns", wire.NSDiscoItems)
		for o := range m.all {
			b.Start("item").Attr("jid", m.at(c)+"/"+o.nick).End()
		}
	case r.Type == "get" && what == name{wire.NSMUCAdmin, "query"}:
		return c.listRoom(r, m)
	case what == name{wire.NSMUCAdmin, "query"}:
		return c.ruleRoom(r, m)
	default:
		return xmpp.Refuse(xmpp.ServiceUnavailable, "")
	}
	c.result(r, b.Bytes())
	return nil
}

// all are the occupants, in the order of their nicks. The caller holds the lock.
func (m *room) all(yield func(*occupant) bool) {
	l := make([]*occupant, 0, len(m.occupants))
	for _, o := range m.occupants {
		l = append(l, o)
	}
	slices.SortFunc(l, func(a, b *occupant) int { return cmp.Compare(a.nick, b.nick) })
	for _, o := range l {
		if !yield(o) {
			return
		}
	}
}
