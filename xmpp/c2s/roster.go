package c2s

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"parley/exchange"
	"parley/im"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// rosterGet gives the roster, and from then on tells of its changes: RFC 6121 2.1.3, 2.2. A client that has this very version
// already gets nothing: RFC 6121 2.1.1, 2.1.4, 2.6.2, 2.6.3.
func (c *conn) rosterGet(_ context.Context, r *request) error {
	known, versioned := r.payload.Attr("", "ver")
	c.client.WithSnapshot(func(s *exchange.Snapshot) {
		c.session.roster.Store(true)
		ver := strconv.FormatInt(s.Serial, 10)
		if versioned && string(known) == ver {
			c.result(r, nil)
			return
		}
		groups := groupNames(s.Groups)
		inner := make([]byte, 0, 64+len(s.Entries)*128)
		inner = append(inner, "<query xmlns='"+wire.NSRoster+"' ver='"...)
		inner = append(append(inner, ver...), "'>"...)
		for _, e := range s.Entries {
			if e.Side.Item() && e.Who != c.jid.Bare {
				inner = xmpp.AppendItem(inner, *e, groups)
			}
		}
		c.result(r, append(inner, "</query>"...))
	})
	c.Room()
	return nil
}

// groupNames finds the name of a group.
func groupNames(l []im.Group) func(im.GroupID) string {
	return func(id im.GroupID) string {
		if i := slices.IndexFunc(l, func(g im.Group) bool { return g.ID == id }); i >= 0 {
			return l[i].Name
		}
		return ""
	}
}

// rosterSet puts one item on the roster, changes it, or takes it off: RFC 6121 2.3, 2.4, 2.5. The answer comes when it is
// stored. RFC 6121 2.1.2.3, 2.1.2.4, 2.1.2.6, 2.1.5, 2.3.1, 2.3.2, 2.4.1, 2.4.2, 2.4.3, 2.5.1, 2.5.2, 2.5.3
func (c *conn) rosterSet(ctx context.Context, r *request) error {
	item := r.payload.FirstChild()
	if !item.Is(wire.NSRoster, "item") || item.Next().Ok() { // RFC 6121 2.3.3
		return xmpp.Refuse(xmpp.BadRequest, "exactly one item")
	}
	text, _ := item.Attr("", "jid")
	to, err := xmpp.ParseJIDBytes(text)
	if err != nil {
		return xmpp.Refuse(xmpp.JIDMalformed, "")
	}
	if to.Bare == c.jid.Bare { // RFC 6121 2.3.3: not-allowed, for who wants none of it
		return xmpp.Refuse(xmpp.NotAllowed, "nobody is their own contact here")
	}
	by := exchange.By{Who: c.jid.Bare, Client: c.client}
	if sub, _ := item.Attr("", "subscription"); string(sub) == "remove" {
		err = c.s.Exchange.RemoveItem(ctx, by, to.Bare)
	} else {
		var alias []byte
		alias, _ = item.Attr("", "name")
		var groups []string
		for g := range item.Children() {
			if !g.Is(wire.NSRoster, "group") {
				continue
			}
			name := string(g.Text())
			if name == "" {
				return xmpp.Refuse(xmpp.NotAcceptable, "a group has a name")
			}
			if slices.Contains(groups, name) {
				return xmpp.Refuse(xmpp.BadRequest, "a group stands there twice")
			}
			groups = append(groups, name)
		}
		err = c.s.Exchange.SetItem(ctx, by, to.Bare, string(alias), groups)
	}
	switch {
	case errors.Is(err, im.ErrSameMode):
	case errors.Is(err, im.ErrBadName): // RFC 6121 2.3.3
		return xmpp.Refuse(xmpp.NotAcceptable, "a name or a group is too long")
	case err != nil:
		return err
	}
	c.result(r, nil)
	return nil
}

// rosterChange pushes what changed to a client that asked for the roster: RFC 6121 2.1.6.
func (c *conn) rosterChange(d *exchange.Change) (owes bool) {
	if !c.session.roster.Load() || d.Who.IsZero() || d.Who == d.Of || d.Serial == 0 {
		return false
	}
	was, is := d.Before.Side.Item(), d.After.Side.Item()
	if !was && !is {
		return false
	}
	groups := d.Groups
	if groups == nil {
		groups = c.client.Snapshot().Groups
	}
	if was && is && d.Groups == nil && sameItem(d.Before, d.After) { // its groups may be called otherwise
		return false
	}
	b := make([]byte, 0, 256)
	b = append(b, "<iq type='set' id='push"...)
	b = strconv.AppendInt(b, d.Serial, 10)
	b = append(b, '\'')
	b = xmltext.AppendAttr(b, "to", c.full)
	b = append(b, "><query xmlns='"+wire.NSRoster+"' ver='"...)
	b = strconv.AppendInt(b, d.Serial, 10)
	b = append(b, "'>"...)
	if is {
		b = xmpp.AppendItem(b, d.After, groupNames(groups))
	} else {
		b = append(b, "<item"...)
		b = xmltext.AppendAttr(b, "jid", d.Who.String())
		b = append(b, " subscription='remove'/>"...)
	}
	return c.Queue(append(b, "</query></iq>"...))
}

// sameItem reports that a client would see no difference.
func sameItem(a, b im.Entry) bool {
	as, aa, ap := xmpp.Subscription(a)
	bs, ba, bp := xmpp.Subscription(b)
	return as == bs && aa == ba && ap == bp && a.Side.Alias == b.Side.Alias && slices.Equal(a.Side.Groups, b.Side.Groups)
}
