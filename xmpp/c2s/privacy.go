package c2s

import (
	"context"
	"errors"
	"strconv"

	"parley/exchange"
	"parley/im"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// ruling says, with a change (exchange.By.Tag), what led to it.
type ruling uint8

const (
	edited  ruling = iota + 1 // a list was edited or removed
	cleared                   // all blocks were taken away at once
)

// privacyGet tells what lists there are, or what stands in one: XEP-0016 2.3; RFC 3921 10.3.
func (c *conn) privacyGet(_ context.Context, r *request) error {
	c.session.privacy.Store(true)
	n := r.payload.FirstChild()
	if !n.Ok() {
		return c.listNames(r)
	}
	if n.Next().Ok() || !n.Is(wire.NSPrivacy, "list") { // XEP-0016 2.3: one at a time
		return xmpp.Refuse(xmpp.BadRequest, "Ask for all names, or for one list.")
	}
	name, ok := xmpp.ListName(n)
	if !ok {
		return xmpp.Refuse(xmpp.BadRequest, "The list has no name.")
	}
	s := c.client.Snapshot()
	for _, l := range s.Lists {
		if l.Name == name {
			inner := append(make([]byte, 0, 128+len(l.Rules)*96), "<query xmlns='"+wire.NSPrivacy+"'>"...)
			inner = xmpp.AppendList(inner, l, groupNames(s.Groups))
			c.result(r, append(inner, "</query>"...))
			c.Room()
			return nil
		}
	}
	return xmpp.Refuse(xmpp.ItemNotFound, "")
}

// listNames tells the names of all lists, and which of them judge: XEP-0016 2.3.
func (c *conn) listNames(r *request) error {
	s := c.client.Snapshot()
	b := xmltext.Build(nil)
	b.Start("query").Attr("xmlns", wire.NSPrivacy)
	if name := c.client.ActiveRules(); name != "" {
		b.Start("active").Attr("name", name).End()
	}
	for _, l := range s.Lists {
		if l.Default {
			b.Start("default").Attr("name", l.Name).End()
		}
	}
	for _, l := range s.Lists {
		b.Start("list").Attr("name", l.Name).End()
	}
	c.result(r, b.Bytes())
	return nil
}

// privacySet chooses the list that judges this session, or the default one, or edits, adds or removes a list: XEP-0016
// 2.4 to 2.8; RFC 3921 10.4 to 10.8. It is answered when the list is in force. What it keeps away is the core's affair: XEP-0016
// 2.9, 2.10. Nobody is told, and no subscription ends by it (4).
func (c *conn) privacySet(ctx context.Context, r *request) error {
	n := r.payload.FirstChild()
	if !n.Ok() || n.Next().Ok() { // XEP-0016 2.8
		return xmpp.Refuse(xmpp.BadRequest, "A change is about one list.")
	}
	c.session.privacy.Store(true)
	var err error
	switch {
	case n.Is(wire.NSPrivacy, "active"):
		err = c.chooseList(n, c.client.UseRules)
	case n.Is(wire.NSPrivacy, "default"):
		err = c.chooseList(n, func(name string) error {
			return c.s.Exchange.DefaultRules(ctx, exchange.By{Who: c.jid.Bare, Client: c.client}, name)
		})
	case n.Is(wire.NSPrivacy, "list"):
		err = c.editList(ctx, n)
	default:
		err = xmpp.Refuse(xmpp.BadRequest, "A change is about active, default or list.")
	}
	if err != nil {
		return err
	}
	c.result(r, nil)
	c.client.Reoffer()
	return nil
}

// chooseList has choose take the list that an active or default element names, "" when it declines one: XEP-0016 2.4, 2.5.
func (c *conn) chooseList(n xmltext.Node, choose func(name string) error) error {
	name, ok := xmpp.ListName(n)
	switch {
	case n.FirstChild().Ok():
		return xmpp.Refuse(xmpp.BadRequest, "Nothing stands in an active or default element.")
	case ok && name == "":
		return xmpp.Refuse(xmpp.ItemNotFound, "")
	}
	return choose(name)
}

// editList puts a list in the place of the one of its name, or removes one: XEP-0016 2.6, 2.7, 2.8.
func (c *conn) editList(ctx context.Context, n xmltext.Node) error {
	groups := c.client.Snapshot().Groups
	l, wrong := xmpp.ReadList(n, func(name string) (im.GroupID, bool) {
		for _, g := range groups {
			if g.Name == name {
				return g.ID, true
			}
		}
		return 0, false
	})
	if wrong != nil {
		return wrong
	}
	by := exchange.By{Who: c.jid.Bare, Client: c.client, Tag: edited}
	if len(l.Rules) == 0 {
		return c.s.Exchange.DeleteRules(ctx, by, l.Name)
	}
	err := c.s.Exchange.PutRules(ctx, by, l)
	if errors.Is(err, im.ErrBadName) {
		return xmpp.Refuse(xmpp.BadRequest, "The name of a list has 1 to 1023 bytes.")
	}
	return err
}

// privacyChange tells of a list that was edited or removed: to all clients, XEP-0016 2.2, 2.6. What blocking does to the
// default list is for those that know lists: the others are told of the block (XEP-0191 5).
func (c *conn) privacyChange(d *exchange.Change) (owes bool) {
	if d.Rules == "" || d.By.Tag != edited && !c.session.privacy.Load() {
		return false
	}
	b := c.push("list", d.Serial)
	b.Start("query").Attr("xmlns", wire.NSPrivacy).Start("list").Attr("name", d.Rules)
	return c.Queue(b.Bytes())
}

// push begins a query of the service's own to the client. Its answer means nothing: RFC 6121 2.1.6.
func (c *conn) push(id string, serial int64) xmltext.Builder {
	return wire.Open(make([]byte, 0, 256), "iq", "", c.full, id+strconv.FormatInt(serial, 10), "set")
}
