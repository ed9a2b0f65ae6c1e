package notification

import (
	"context"

	"parley/exchange"
	"parley/im"
	"parley/listen"
	"parley/msnp"
	"parley/msnp/wire"
)

// item is a presence notice as a line to be queued, made once for all who get it in this form. A newer one
// of the same person takes its place while it waits.
func item(n *notice, p *exchange.Presence) listen.Item {
	return listen.Item{B: p.Form(n, n.write), Key: p.Key()}
}

// Hand implements exchange.Session.
func (c *conn) Hand(d exchange.Delivery) (owes bool) {
	switch d := d.(type) {
	case *exchange.Presence:
		return c.presence(d)
	case *exchange.Change:
		if b := c.change(d); len(b) > 0 {
			return c.Queue(b)
		}
	case *exchange.Ring:
		return c.ring(d)
	case *exchange.Message:
		return c.GiveBack(d, im.ErrNothingFits) // it takes messages at a switchboard only
	}
	return false
}

// End implements exchange.Session: draft 7.10. What later dialects can say besides, that an account has moved, has terms to
// agree to or is to wait for some minutes, has no cause here. dialects 9.3
func (c *conn) End(why exchange.EndReason) {
	switch why {
	case exchange.Replaced:
		c.Hangup("OUT OTH\r\n")
	case exchange.Shutdown:
		c.Hangup("OUT SSD\r\n")
	default:
		c.Hangup("OUT\r\n")
	}
}

// xfr refers the client to a switchboard: draft 8.1, dialects 7.1.
func (c *conn) xfr(_ context.Context, r request) error {
	if string(r.Arg(1)) != "SB" {
		return msnp.ErrInvalidParameter
	}
	if !c.client.Visible() {
		return im.ErrNotVisible
	}
	if c.s.Exchange.Crowded(c.who) {
		return im.ErrTooMany
	}
	p, err := c.s.Exchange.PickPlace()
	if err != nil {
		return err
	}
	cookie := c.s.Signer.Sign(msnp.Ticket{Kind: msnp.Open, Switchboard: p.ID, Handle: c.who.String(),
		Dialect: c.Dialect(), Abilities: c.abilities.Load(), Expires: now().Add(c.s.Ticket)})
	c.Reply("XFR", r.trID, "SB", c.Reach(p.Address), "CKI", cookie)
	return nil
}

// ring tells the client that somebody calls: draft 8.4.
func (c *conn) ring(d *exchange.Ring) (owes bool) {
	if !sayable(d.From) {
		return false
	}
	cookie := c.s.Signer.Sign(msnp.Ticket{Kind: msnp.Answer, Switchboard: d.Place, Conversation: d.Conversation,
		Handle: c.who.String(), Dialect: c.Dialect(), Abilities: c.abilities.Load(), Expires: d.Expires})
	return c.Queue(wire.AppendCommand(nil, "RNG", d.Conversation, c.Reach(d.Address), "CKI", cookie, d.From.String(), msnp.FitName(d.FromName)))
}
