package c2s

import (
	"context"
	"errors"

	"parley/exchange"
	"parley/im"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// blocklist tells who is blocked, and from then on of what changes there: XEP-0191 3.2.
func (c *conn) blocklist(_ context.Context, r *request) error {
	c.client.WithSnapshot(func(s *exchange.Snapshot) {
		c.session.blocking.Store(true)
		b := xmltext.Build(nil)
		b.Start("blocklist").Attr("xmlns", wire.NSBlocking)
		appendWhom(&b, s.Blocked())
		c.result(r, b.Bytes())
	})
	c.Room()
	return nil
}

func appendWhom(b *xmltext.Builder, l []im.Whom) {
	for _, w := range l {
		b.Start("item").Attr("jid", w.String()).End()
	}
}

// block blocks people, domains and single sessions, all at once: XEP-0191 2, 3.3. They see the user go; the user's
// contacts they stay, and they are not told (XEP-0191 4, XEP-0016 4).
func (c *conn) block(ctx context.Context, r *request) error {
	l, wrong := xmpp.ReadItems(r.payload)
	if wrong != nil {
		return wrong
	}
	if len(l) == 0 {
		return xmpp.Refuse(xmpp.BadRequest, "Nobody is named.")
	}
	for _, w := range l {
		if w.Address == c.jid.Bare { // XEP-0191 5: one's own sessions are never blocked
			return xmpp.Refuse(xmpp.NotAllowed, "Nobody blocks themselves.")
		}
	}
	if err := c.s.Exchange.Deny(ctx, exchange.By{Who: c.jid.Bare, Client: c.client}, l); err != nil {
		return err
	}
	c.result(r, nil)
	return nil
}

// unblock takes some blocks away, or all: XEP-0191 3.4, 3.5. Who is not blocked stays so.
func (c *conn) unblock(ctx context.Context, r *request) error {
	l, wrong := xmpp.ReadItems(r.payload)
	if wrong != nil {
		return wrong
	}
	by := exchange.By{Who: c.jid.Bare, Client: c.client}
	var err error
	if len(l) > 0 {
		err = c.s.Exchange.Undeny(ctx, by, l)
	} else {
		by.Tag = cleared
		_, err = c.s.Exchange.UnblockAll(ctx, by)
	}
	if err != nil {
		return err
	}
	c.result(r, nil)
	c.client.Reoffer()
	return nil
}

// blockingChange tells who was blocked or unblocked, by whatever means, to a client that asked who is: XEP-0191 3.3, 3.4,
// 3.5, 5.
func (c *conn) blockingChange(d *exchange.Change) (owes bool) {
	if !c.session.blocking.Load() {
		return false
	}
	tell := func(what string, l []im.Whom) {
		b := c.push(what, d.Serial)
		b.Start(what).Attr("xmlns", wire.NSBlocking)
		appendWhom(&b, l)
		owes = c.Queue(b.Bytes()) || owes
	}
	switch {
	case len(d.Unblocked) == 0:
	case d.By.Tag == cleared:
		tell("unblock", nil)
	default:
		tell("unblock", d.Unblocked)
	}
	if len(d.Blocked) > 0 {
		tell("block", d.Blocked)
	}
	return owes
}

// denies reports whether the rules that judge this session have nothing pass between it and somebody: XEP-0016 2.13,
// XEP-0191 3.3.
func (c *conn) denies(who xmpp.JID) bool {
	return c.client.Snapshot().Denies(c.client.ActiveRules(), who.Bare, who.Resource)
}

// judged asks both sides' rules about a query that the service answers for an account: XEP-0016 2.12, 2.14; XEP-0191 3.3.
func (c *conn) judged(ctx context.Context, to xmpp.JID) error {
	if c.denies(to) {
		return im.ErrOwnBlock
	}
	s, err := c.s.Exchange.Snapshot(ctx, to.Bare)
	if errors.Is(err, im.ErrUnknownUser) {
		return nil // who is none has no rules
	}
	if err != nil {
		return err
	}
	if !s.Judge("", im.Subject{Who: c.jid.Bare, Slot: c.jid.Resource, What: im.Queries}) {
		return xmpp.Refuse(xmpp.ServiceUnavailable, "")
	}
	return nil
}
