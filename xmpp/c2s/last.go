package c2s

import (
	"context"
	"slices"
	"strconv"
	"time"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// lastServer tells how long the service has been running: XEP-0012 5.
func (c *conn) lastServer(_ context.Context, r *request) error { return c.tellLast(r, c.s.begun) }

// lastAccount tells how long ago an account's last session ended, 0 while it is there: XEP-0012 3, 4. Only those learn it
// who see its presence (8), and who is hidden looks like somebody who is away.
func (c *conn) lastAccount(ctx context.Context, r *request) error {
	who := r.to.Bare
	if r.to.IsZero() {
		who = c.jid.Bare
	}
	if who != c.jid.Bare && !c.sees(who) {
		return xmpp.Refuse(xmpp.Forbidden, "")
	}
	s, err := c.other(ctx, who)
	if err != nil {
		return err
	}
	if s.Judge("", im.Subject{Who: c.jid.Bare, What: im.PresenceOut}) && slices.ContainsFunc(c.s.Exchange.Sessions(who), visible) {
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
