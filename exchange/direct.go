package exchange

import (
	"context"
	"slices"

	"parley/im"
)

// What is for one session alone: messages to a slot, presence sent to somebody (RFC 6121 4.6), and
// presence asked for (RFC 6121 4.3).

// MessageID makes the id of a message that is going to be sent.
func (x *Exchange) MessageID() im.MessageID { return x.messageIDs(1) }

// directs is the account's Direct sessions, whatever their presence.
func (a *account) directs() []*Client {
	return slices.DeleteFunc(slices.Clone(a.online()), func(c *Client) bool { return c.login.Abilities&Direct == 0 })
}

// at is the Direct session in a slot, whatever its presence; nil when there is none.
func (a *account) at(slot string) *Client {
	for _, c := range a.online() {
		if c.login.Slot == slot && c.login.Abilities&Direct != 0 {
			return c
		}
	}
	return nil
}

// target is whom a session sent its presence to: one session, or all ("").
type target struct {
	who  im.Address
	slot string
}

// Direct sends the session's presence to somebody alone: to the session in a slot, or to all that have
// presence ("": RFC 6121 4.6.3). Those who do not see the account otherwise are remembered, and told when the
// session goes offline or ends; sending Offline takes them out. Nobody is told whether anybody is there.
// The errors are im.ErrUnknownUser for a domain that there is no way to, im.ErrOwnBlock, im.ErrListFull.
func (c *Client) Direct(ctx context.Context, to im.Address, slot string, p im.Presence) error {
	return nil
}

// Probe hands the session how somebody is whom it may see, or one session of them: a notice, Initial, for each
// session that is to be seen. False: there is none to be seen. RFC 6121 4.3.2
func (c *Client) Probe(ctx context.Context, who im.Address, slot string) (found bool, err error) {
	return false, nil
}
