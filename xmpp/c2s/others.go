package c2s

import (
	"context"

	"parley/exchange"
	"parley/im"
)

// denied reports that the session itself blocks somebody, so that it can ask them nothing either: XEP-0191 3.3.
func (c *conn) denied(who im.Address) bool {
	return c.client.Snapshot().Denies(c.client.ActiveRules(), who, "")
}

// sees reports whether the account is told of somebody's presence.
func (c *conn) sees(who im.Address) bool {
	e := c.client.Snapshot().Entry(who)
	return e != nil && e.Sees
}

// other is what is known of somebody whose account is asked about, if neither they nor the one who asks forbid the question
// (XEP-0016 2.11, XEP-0191 3.3). Who is not there and who does not answer cannot be told apart.
func (c *conn) other(ctx context.Context, who im.Address) (*exchange.Snapshot, error) {
	if c.denied(who) {
		return nil, im.ErrOwnBlock
	}
	s, err := c.s.Exchange.Snapshot(ctx, who)
	if err != nil {
		return nil, err
	}
	if s.Disabled || !s.Judge("", im.Subject{Who: c.jid.Bare, What: im.Queries}) {
		return nil, im.ErrAbsent
	}
	return s, nil
}

// visible reports whether a session's presence is one that others see.
func visible(s exchange.SessionInfo) bool {
	switch s.Presence {
	case im.Offline.String(), im.Hidden.String(), "no presence":
		return false
	}
	return true
}
