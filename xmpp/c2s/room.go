package c2s

import (
	"context"

	"parley/exchange"
	"parley/im"
	"parley/xmpp"
	"parley/xmpp/wire"
)

func (s *Server) isRoom(to xmpp.JID) bool { return false }

func (c *conn) toRoom(ctx context.Context, st *wire.Stanza, to xmpp.JID) error {
	return xmpp.Refuse(xmpp.ServiceUnavailable, "")
}

func (c *conn) deliverRoom(m *exchange.Message) (owes bool) { return c.GiveBack(m, im.ErrNothingFits) }

func (c *conn) roomJoined(d *exchange.Joined) (owes bool) { return false }

func (c *conn) roomLeft(d *exchange.Left) (owes bool) { return false }
