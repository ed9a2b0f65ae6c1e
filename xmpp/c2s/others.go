package c2s

import (
	"context"

	"parley/exchange"
	"parley/im"
)

// sees reports whether the account is told of somebody's presence.
func (c *conn) sees(who im.Address) bool {
	e := c.client.Snapshot().Entry(who)
	return e != nil && e.Sees
}

// other is what is known of somebody whose account is asked about. Who is not there and who may not log in cannot be told
// apart; that nobody's rules forbid the question was seen to before.
func (c *conn) other(ctx context.Context, who im.Address) (*exchange.Snapshot, error) {
	s, err := c.s.Exchange.Snapshot(ctx, who)
	if err == nil && s.Disabled {
		err = im.ErrUnknownUser
	}
	return s, err
}

// visible reports whether a session's presence is one that others see.
func visible(s exchange.SessionInfo) bool {
	switch s.Presence {
	case im.Offline.String(), im.Hidden.String(), "no presence":
		return false
	}
	return true
}
