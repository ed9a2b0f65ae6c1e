// Package link is what a client's connection has in common on the notification server and on the
// switchboard: commands come in one after another, lines go out, what cannot be read or
// stands in the wrong place is refused and counted. One goroutine reads and owns a Link;
// Queue and Hangup are for anybody.
package link

import (
	"context"
	"errors"
	"net"
	"strings"

	"parley/im"
	"parley/listen"
	"parley/metrics"
	"parley/msnp"
	"parley/msnp/wire"
	"parley/store"
)

// Shared is what all links of a door share.
type Shared struct {
	listen.Shared
	Line      int // bytes
	Payload   int // bytes
	Misplaced int // commands that cannot be read or are out of place, before the connection is closed; 0: no limit
}

// Link is one connection.
type Link struct {
	listen.Link
	s         *Shared
	cmd       wire.Command
	framing   wire.Framing
	misplaced int
	again     bool // the last command is to be had once more
}

// New makes a link of a connection. leave is called when it has logged in, or is over; over when
// it is over.
func New(c net.Conn, s *Shared, leave, over func()) *Link {
	l := &Link{s: s, framing: wire.Framing{From: wire.Client, Line: s.Line, Payload: s.Payload}}
	l.Open(c, &s.Shared, leave, over)
	return l
}

// Reach is an address as this client can use it: where only a port is given, at the host by
// which the client came here.
func (l *Link) Reach(addr string) string {
	if port, ok := strings.CutPrefix(addr, ":"); ok {
		if host, _, err := net.SplitHostPort(l.Conn().LocalAddr().String()); err == nil {
			return net.JoinHostPort(host, port)
		}
	}
	return addr
}

// SetDialect says in which dialect the client's commands are framed from here on.
func (l *Link) SetDialect(n int) { l.framing.Dialect = n }

// Dialect is the dialect that was agreed; 0 before.
func (l *Link) Dialect() int { return l.framing.Dialect }

// Again has Next give the same command once more: whoever looked at the first one hands
// the link on.
func (l *Link) Again() { l.again = true }

// Next gives the next command; it is good until Next is called again. An error ends the
// connection; what its protocol has to say about it has been queued.
func (l *Link) Next(ctx context.Context) (*wire.Command, error) {
	if l.again {
		l.again = false
		return &l.cmd, nil
	}
	for {
		if l.Ending() {
			return nil, l.Drain()
		}
		n, more, err := wire.Parse(&l.cmd, l.Pending(), l.framing)
		l.Consume(n)
		switch {
		case err != nil:
			l.s.Log.Warn("unreadable", "remote", l.RemoteAddr(), "err", err)
			if errors.Is(err, wire.ErrLineTooLong) {
				l.Hit("line")
			} else if errors.Is(err, wire.ErrPayloadTooLong) {
				l.Hit("payload")
			}
			l.Refuse(&l.cmd, msnp.ErrSyntax)
			l.Hangup("")
			return nil, l.Drain()
		case more == 0:
			l.Counted()
			return &l.cmd, nil
		}
		if err := l.Await(ctx); err != nil {
			return nil, err
		}
	}
}

// Reply queues a line of the server's.
func (l *Link) Reply(verb string, trID int64, args ...string) {
	l.Queue(wire.AppendCommand(make([]byte, 0, 64), verb, trID, args...))
}

// Refuse answers a command with an error: a code of the protocol's as it is, the core's kinds by
// the table, anything else as an internal error with its cause in the log only. nil: nothing.
func (l *Link) Refuse(c *wire.Command, err error) metrics.Result {
	if err == nil {
		return metrics.CommandOK
	}
	result := metrics.CommandRefused
	code := CodeOf(err)
	if code == msnp.ErrInternal || code == msnp.ErrDatabase {
		result = metrics.CommandFailed
		l.s.Log.Error("command failed", "verb", c.Verb, "code", int(code), "remote", l.RemoteAddr(), "err", err)
	}
	trID := int64(wire.NoTrID)
	if n, ok := c.TrID(); ok {
		trID = int64(n)
	}
	l.Queue(wire.AppendError(make([]byte, 0, 16), int(code), trID))
	if code == msnp.ErrSyntax || code == msnp.ErrNotExpected || code == msnp.ErrNotLoggedIn {
		if l.misplaced++; l.s.Misplaced > 0 && l.misplaced >= l.s.Misplaced {
			l.Hit("misplaced")
			l.Hangup("")
		}
	}
	return result
}

// codes says what the core's errors are called on this wire, draft 7.11, dialects 10.
var codes = []struct {
	err  error
	code msnp.Code
}{
	{im.ErrBadAddress, msnp.ErrInvalidParameter},
	{im.ErrBadName, msnp.ErrInvalidFriendlyName},
	{im.ErrUnknownUser, msnp.ErrInvalidUser},
	{im.ErrHeld, msnp.ErrInvalidUser},
	{im.ErrDisabled, msnp.ErrAuthenticationFailed},
	{im.ErrListFull, msnp.ErrListFull},
	{im.ErrAlready, msnp.ErrAlreadyThere},
	{im.ErrNotOnList, msnp.ErrNotOnList},
	{im.ErrOpposite, msnp.ErrOppositeList},
	{im.ErrSameMode, msnp.ErrAlreadyInMode},
	{im.ErrAbsent, msnp.ErrNotOnline},
	{im.ErrOwnBlock, msnp.ErrNotOnList}, // what one's own block forbids is told: 216, as for whom one may not call
	{im.ErrNotVisible, msnp.ErrOffline},
	{im.ErrFull, msnp.ErrSessionOverload},
	{im.ErrTooMany, msnp.ErrTooManySessions},
	{im.ErrTooActive, msnp.ErrTooActive},
	{im.ErrNoPlace, msnp.ErrSwitchboardFailed},
	{im.ErrGone, msnp.ErrSwitchboardFailed},
	{im.ErrNotInvited, msnp.ErrAuthenticationFailed},
	{im.ErrNothingFits, msnp.ErrNotOnline},
	{im.ErrUnknownGroup, msnp.ErrInvalidGroup},
	{im.ErrGroupExists, msnp.ErrGroupExists},
	{im.ErrClosing, msnp.ErrGoingDown},
	{im.ErrNoRoom, msnp.ErrSwitchboardFailed},
	{im.ErrRoomExists, msnp.ErrAlreadyThere},
	{im.ErrRoomOpen, msnp.ErrNotPermitted},
	{im.ErrRoomClosed, msnp.ErrAuthenticationFailed},
	{im.ErrRoomPublic, msnp.ErrNotPermitted},
	{im.ErrRoomPrivate, msnp.ErrNotPermitted},
	{im.ErrBadRoomProps, msnp.ErrInvalidParameter},
	{im.ErrJoined, msnp.ErrAlreadyThere},
	{im.ErrNotJoined, msnp.ErrSwitchboardFailed},
	{im.ErrRejected, msnp.ErrAuthenticationFailed},
	{im.ErrNotMember, msnp.ErrAuthenticationFailed},
	{im.ErrNickInUse, msnp.ErrAlreadyThere},
	{im.ErrNoPrivate, msnp.ErrNotPermitted},
	{im.ErrNoPrivateToThem, msnp.ErrNotPermitted},
	{im.ErrTooManyRooms, msnp.ErrTooManySessions},
	{im.ErrRoomsFull, msnp.ErrTooManySessions},
	{im.ErrNoPrivilege, msnp.ErrNotPermitted},
	{im.ErrRoomFull, msnp.ErrSessionOverload},
	{im.ErrNoHistory, msnp.ErrNotPermitted},
	{im.ErrWrongRoomPassword, msnp.ErrAuthenticationFailed},
	{im.ErrTooManyJoined, msnp.ErrTooManySessions},
	{im.ErrLastOwner, msnp.ErrNotPermitted},
	{store.ErrClosed, msnp.ErrGoingDown},
}

// CodeOf is the code of an error.
func CodeOf(err error) msnp.Code {
	var code msnp.Code
	if errors.As(err, &code) {
		return code
	}
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	var failed *store.Error
	if errors.As(err, &failed) {
		return msnp.ErrDatabase
	}
	return msnp.ErrInternal
}
