package session

import (
	"fmt"
	"strconv"

	"parley/ssp/wire"
)

func itoa(n int) string { return strconv.Itoa(n) }

// loggedOut answers LogoutRequest, which ends both sessions; the peer ends its own by Disconnect, or does not. SSP
// 6.3.2; ssp-syntax 5.6.
func (l *Link) loggedOut(u *wire.Unit, session string) {
	l.reply(l.answering(session), wire.Unit{Response: true, ID: u.ID,
		Primitive: wire.New("Disconnect").Add(wire.Status(wire.Successful, ""))}, "")
	l.end(fmt.Errorf("%w: the peer logged out", ErrDown), true, nil)
}

// disconnected takes a Disconnect that is no answer: both sessions end, unless it is one connection of several. SSP
// 6.2.5, 6.3.3, 14.5.7.
func (l *Link) disconnected(u *wire.Unit) {
	code := wire.StatusOf(u.Primitive)
	if code == wire.ConnectionExpired && len(l.sender.hosts()) > 1 {
		return // the others go on; this one ends when it is used next
	}
	if code == 0 || code == wire.Successful {
		l.end(fmt.Errorf("%w: the peer disconnected", ErrDown), true, nil)
		return
	}
	l.end(fmt.Errorf("%w: the peer disconnected: %w", ErrDown, code), true, nil)
}
