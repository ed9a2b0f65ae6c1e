package client

import (
	"context"

	"parley/inbox"
)

// Inbox keeps events until somebody wants them. Its Put is made for Config.Event.
type Inbox = inbox.Inbox[Event]

// Await is Inbox.Wait for events of one type.
func Await[E Event](ctx context.Context, b *Inbox, match func(E) bool) (E, error) {
	return inbox.Await(ctx, b, match)
}
