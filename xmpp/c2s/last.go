package c2s

import (
	"context"
	"slices"
	"strconv"
	"time"

	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// lastServer tells how long the service has been running: XEP-0012 5.
func (c *conn) lastServer(_ context.Context, r *request) error { return c.tellLast(r, c.s.begun) }

// lastAccount tells how long ago an account's last session ended, 0 while it is there: XEP-0012 2, 3. Only those get here
// who see its presence (8). Who is hidden, or shows them no session, looks like somebody who is away.
//
// Deviates from XEP-0012 3, 4: to others an account is like one that nobody has, and so is not forbidden but unavailable
// (RFC 6121 8.5.1).
func (c *conn) lastAccount(ctx context.Context, r *request) error {
	who := r.to.Bare
	if r.to.IsZero() {
		who = c.jid.Bare
	}
	here := c.client.Sees(who)
	if who == c.jid.Bare {
		here = slices.ContainsFunc(c.s.Exchange.Sessions(who), visible)
	}
	if here {
		return c.tellLast(r, time.Now())
	}
	at, err := c.s.Exchange.LastSeen(ctx, who)
	if err != nil {
		return err
	}
	if at.IsZero() {
		return xmpp.Refuse(xmpp.ItemNotFound, "")
	}
	return c.tellLast(r, at)
}

func (c *conn) tellLast(r *request, since time.Time) error {
	b := xmltext.Build(nil)
	b.Start("query").Attr("xmlns", wire.NSLast).Attr("seconds", strconv.FormatInt(max(0, int64(time.Since(since)/time.Second)), 10))
	c.result(r, b.Bytes())
	return nil
}
