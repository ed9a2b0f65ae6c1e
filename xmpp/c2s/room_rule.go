package c2s

import (
	"slices"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// affiliation is what the room's word for somebody in it is: who made it owns it, all others were invited. Nobody can give
// another one: XEP-0045 5.2.1, 5.2.2.
func (m *room) affiliation(who im.Address) string {
	if m.owner == who {
		return "owner"
	}
	return "member"
}

// configure answers who would configure a room, or destroy it. Nothing can be set: its owner accepts it as it is, or drops it
// before it is open. XEP-0045 10.1.1, 10.1.2, 10.1.3, 10.2
//
// Deviates from XEP-0045 10.9: nobody destroys a conversation that others are in; it ends when all have left.
func (c *conn) configure(r *request, id int64) error {
	c.s.rooms.mu.Lock()
	m := c.s.rooms.byID[id]
	if m == nil || m.owner != c.jid.Bare {
		c.s.rooms.mu.Unlock()
		return xmpp.Refuse(xmpp.Forbidden, "")
	}
	if r.Type == "get" {
		c.s.rooms.mu.Unlock()
		b := xmltext.Build(nil)
		c.result(r, b.Start("query").Attr("xmlns", wire.NSMUCOwner).Bytes())
		return nil
	}
	drop, err := m.settleForm(r.payload)
	c.s.rooms.mu.Unlock()
	if err != nil {
		return err
	}
	if drop {
		c.client.Quit(c.ctx, id) // all sessions of the owner are told
	}
	c.result(r, nil)
	return nil
}

// settleForm does with a room what its owner submits. drop: it is to go, as it is not open yet. The caller holds the lock.
func (m *room) settleForm(query xmltext.Node) (drop bool, err error) {
	n := query.FirstChild()
	typ, _ := n.Attr("", "type")
	switch {
	case !n.Ok() || n.Next().Ok():
	case n.Is(wire.NSMUCOwner, "destroy"):
		return false, xmpp.Refuse(xmpp.NotAllowed, "A conversation ends when all have left.")
	case !n.Is(wire.NSData, "x"):
	case string(typ) == "cancel":
		return m.locked, nil
	case string(typ) == "submit":
		for f := range n.Children() {
			if v, _ := f.Attr("", "var"); f.Is(wire.NSData, "field") && string(v) != "FORM_TYPE" {
				return false, xmpp.Refuse(xmpp.NotAcceptable, "Nothing can be set in a conversation: submit an empty form.")
			}
		}
		m.locked = false
		return false, nil
	}
	return false, xmpp.Refuse(xmpp.BadRequest, "Submit a form, or cancel it.")
}

// listRoom tells all in a room who is a member or an owner of it, as addresses are no secret there: XEP-0045 7.11, 9.5, 10.5.
// The lists that only rulers read are empty for the owner, and forbidden to others: 9.2, 9.8, 10.8; as nobody moderates, so
// is the list of those who may speak: 8.5. The caller holds the lock.
func (c *conn) listRoom(r *request, m *room) error {
	item := r.payload.Child(wire.NSMUCAdmin, "item")
	text, byAffiliation := item.Attr("", "affiliation")
	role, byRole := item.Attr("", "role")
	affiliation := string(text)
	owner := m.owner == c.jid.Bare
	b := xmltext.Build(nil)
	b.Start("query").Attr("xmlns", wire.NSMUCAdmin)
	switch {
	case byAffiliation == byRole:
		return xmpp.Refuse(xmpp.BadRequest, "Ask for an affiliation, or for a role.")
	case affiliation == "member", affiliation == "owner":
		for o := range m.all {
			if m.affiliation(o.who) == affiliation { // without a role: XEP-0045 17.4
				b.Start("item").Attr("affiliation", affiliation).Attr("jid", o.who.String()).Attr("nick", o.nick).End()
			}
		}
	case owner && slices.Contains([]string{"admin", "outcast", "none"}, affiliation), owner && string(role) == "moderator":
	default:
		return xmpp.Refuse(xmpp.Forbidden, "")
	}
	c.result(r, b.Bytes())
	return nil
}

// ruleRoom refuses who would rule over others in a room. To all but the owner that is forbidden, as it is to who rules nothing;
// the owner is told what cannot be. XEP-0045 5.1.1, 8.2, 8.3, 8.4, 8.5, 9.1, 9.2, 9.3, 9.4, 9.5, 9.6, 9.7, 9.8, 10.3, 10.4,
// 10.5, 10.6, 10.7, 10.8, 17.4. The caller holds the lock.
func (c *conn) ruleRoom(r *request, m *room) error {
	if m.owner != c.jid.Bare {
		return xmpp.Refuse(xmpp.Forbidden, "")
	}
	err := xmpp.Refuse(xmpp.BadRequest, "Name an item with an affiliation, or with a role.")
	for n := range r.payload.Children() {
		affiliation, a := n.Attr("", "affiliation")
		_, b := n.Attr("", "role")
		if !n.Is(wire.NSMUCAdmin, "item") || a == b {
			return xmpp.Refuse(xmpp.BadRequest, "An item has an affiliation, or a role.")
		}
		jid, _ := n.Attr("", "jid")
		if j, wrong := xmpp.ParseJIDBytes(jid); wrong == nil && j.Bare == c.jid.Bare && a && string(affiliation) != "owner" { // XEP-0045 9.1, 10.4
			return xmpp.Refuse(xmpp.Conflict, "The room has no other owner.")
		}
		err = xmpp.Refuse(xmpp.NotAllowed, "In a conversation all are alike.")
	}
	return err
}
