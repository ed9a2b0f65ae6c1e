package exchange

import (
	"context"

	"parley/im"
)

// Talk is a conversation that a Direct session was told of: it began it, or three or more are in it.
type Talk struct {
	ID      int64
	Members []Member // who else is in it
}

// Begin begins a conversation with nobody in it but the session's person, without a seat. The errors
// are im.ErrTooMany and im.ErrClosing.
func (c *Client) Begin(ctx context.Context) (conversation int64, err error) { return 0, nil }

// Invite is Seat.Call for who is in a conversation without a seat. im.ErrGone when they are not.
func (c *Client) Invite(ctx context.Context, conversation int64, who im.Address) error { return nil }

// Say is Seat.Say for who is in a conversation without a seat. im.ErrGone when they are not: then done is not called.
func (c *Client) Say(ctx context.Context, conversation int64, m *im.Message, done func(error)) error {
	return nil
}

// Quit takes the session's person out of a conversation, where they have no seat.
func (c *Client) Quit(ctx context.Context, conversation int64) {}

// Talk gives a conversation that the session's person is in without a seat, if they know it as one of several.
func (c *Client) Talk(conversation int64) (*Talk, bool) { return nil, false }

// Talks gives all of them.
func (c *Client) Talks() []Talk { return nil }
