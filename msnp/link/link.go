// Package link is what a client's connection has in common on the notification server and on the
// switchboard: commands come in one after another, lines go out, what cannot be read or
// stands in the wrong place is refused and counted. One goroutine reads and owns a Link;
// Queue and Hangup are for anybody.
package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/im"
	"parley/limit"
	"parley/listen"
	"parley/metrics"
	"parley/msnp"
	"parley/msnp/wire"
	"parley/store"
)

// Shared is what all links of a door share.
type Shared struct {
	Limits    listen.Limits
	Line      int // bytes
	Payload   int // bytes
	Misplaced int // commands that cannot be read or are out of place, before the connection is closed; 0: no limit
	Rates     *limit.Rates
	Lounge    *listen.Lounge // where connections wait that have logged in; nil: in their goroutine
	LoginTime time.Duration  // a connection may take so long to log in; 0: no limit
	Hit       limit.Hit
	Metrics   *metrics.Door
	Log       *slog.Logger
}

// Link is one connection.
type Link struct {
	*listen.Stream
	Remote netip.Addr
	// Idle is called before the link waits for its client; whatever it owes others is
	// written there.
	Idle func()

	s         *Shared
	cmd       wire.Command
	framing   wire.Framing
	pace      limit.Pace
	read      int // bytes since the last wait
	commands  int // likewise
	misplaced int
	again     bool // the last command is to be had once more
	ending    atomic.Bool
	leave     func() // the gate's; nil once logged in
	over      func() // called once by Release
	sleeper   listen.Sleeper

	mu   sync.Mutex // guards back
	back []back
}

// ErrParked is Next's answer when the link waits in the lounge: it is somebody else's now,
// and its sleeper is woken when there is something to do.
var ErrParked = errors.New("link: parked")

// SetSleeper has the link wait in the lounge from here on; who goes on when it is woken.
func (l *Link) SetSleeper(who listen.Sleeper) { l.sleeper = who }

// New makes a link of a connection. leave is called when it has logged in, or is over; over when
// it is over.
func New(c net.Conn, s *Shared, leave, over func()) *Link {
	l := &Link{Stream: listen.NewStream(c, &s.Limits), s: s, leave: leave, over: over, pace: limit.NewPace(s.Rates),
		framing: wire.Framing{From: wire.Client, Line: s.Line, Payload: s.Payload}}
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		l.Remote = a.AddrPort().Addr().Unmap()
	}
	if s.LoginTime > 0 {
		c.SetReadDeadline(time.Now().Add(s.LoginTime))
	}
	return l
}

// RemoteAddr is the client's address for logs.
func (l *Link) RemoteAddr() string { return l.Conn().RemoteAddr().String() }

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

// LoggedIn ends the time and the place that a connection has to log in.
func (l *Link) LoggedIn() {
	l.Conn().SetReadDeadline(time.Time{})
	if l.leave != nil {
		l.leave()
		l.leave = nil
	}
}

// Release gives back what the link still holds; called once when its reader ends.
func (l *Link) Release() {
	l.Close()
	if l.leave != nil {
		l.leave()
		l.leave = nil
	}
	if l.over != nil {
		l.over()
		l.over = nil
	}
}

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
		if l.ending.Load() {
			return nil, l.drain()
		}
		n, more, err := wire.Parse(&l.cmd, l.Pending(), l.framing)
		l.Consume(n)
		switch {
		case err != nil:
			l.s.Log.Warn("unreadable", "remote", l.RemoteAddr(), "err", err)
			if errors.Is(err, wire.ErrLineTooLong) {
				l.hit("line")
			} else if errors.Is(err, wire.ErrPayloadTooLong) {
				l.hit("payload")
			}
			l.Refuse(&l.cmd, msnp.ErrSyntax)
			l.Hangup("")
			return nil, l.drain()
		case more == 0:
			l.commands++
			return &l.cmd, nil
		}
		if l.Idle != nil {
			l.Idle()
		}
		l.Flush()
		if err := l.pace.Wait(ctx, l.commands, l.read); err != nil {
			return nil, err
		}
		had := len(l.Pending())
		l.read, l.commands = 0, 0
		if err := l.wait(); err != nil {
			if l.leave != nil && !l.ending.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
				l.hit("login_time")
			}
			return nil, err
		}
		l.read = len(l.Pending()) - had
	}
}

// hit tells that a limit was met.
func (l *Link) hit(limit string) {
	if l.s.Hit != nil {
		l.s.Hit(limit)
	}
}

// wait waits for input: in the lounge, if there is one and somebody to be woken, else here.
func (l *Link) wait() error {
	if l.sleeper == nil || l.s.Lounge == nil {
		return l.Fill()
	}
	if some, err := l.TryFill(); some || err != nil {
		return err
	}
	if l.Park(l.s.Lounge, l.sleeper) {
		return ErrParked
	}
	if l.ending.Load() {
		return nil
	}
	return l.Fill()
}

// Guard is deferred by whoever serves a link: a panic ends this one connection, with end,
// and is logged.
func (l *Link) Guard(end func()) {
	if r := recover(); r != nil {
		l.s.Log.Error("connection ended by a panic", "remote", l.RemoteAddr(), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		end()
	}
}

// drain reads on after the last word was said, so that it arrives: a connection closed with
// bytes unread is reset.
func (l *Link) drain() error {
	if l.Idle != nil {
		l.Idle()
	}
	l.Flush()
	l.Conn().SetReadDeadline(time.Now().Add(2 * time.Second))
	for {
		l.Consume(len(l.Pending()))
		if err := l.Fill(); err != nil {
			return io.EOF
		}
	}
}

// Queue queues bytes and reports whether the caller owes a Flush. A receiver that is too slow
// loses its connection.
func (l *Link) Queue(b []byte) (owes bool) { return l.QueueItem(listen.Item{B: b}) }

// QueueItem is Queue for an item that is settled, or can be replaced. Returned at once if the
// connection takes no more.
func (l *Link) QueueItem(it listen.Item) (owes bool) {
	owes, err := l.Put(it)
	if err == nil {
		return owes
	}
	if errors.Is(err, listen.ErrOverflow) {
		if !l.ending.Swap(true) { // once, however much more is said
			l.s.Log.Warn("too slow", "remote", l.RemoteAddr())
			l.s.Metrics.Overflow(it.Key != nil)
			if it.Key != nil {
				l.hit("presence_queue")
			} else {
				l.hit("queue")
			}
		}
		go l.Close() // ends at once; not here, where locks may be held that a returned item asks for
	}
	if it.Settle != nil {
		return l.GiveBack(it.Settle, err)
	}
	return false
}

// back is an item that this connection does not take.
type back struct {
	item listen.Settler
	why  error
}

// GiveBack has the next Flush return an item, in order with others: not here, where locks may be
// held that it asks for. It reports that the caller owes that Flush. For anybody.
func (l *Link) GiveBack(item listen.Settler, why error) (owes bool) {
	l.mu.Lock()
	l.back = append(l.back, back{item, why})
	l.mu.Unlock()
	return true
}

// Flush writes what is queued, and returns what is not taken. Not to be called under a lock.
func (l *Link) Flush() {
	l.Stream.Flush()
	l.mu.Lock()
	given := l.back
	l.back = nil
	l.mu.Unlock()
	for _, b := range given {
		b.item.Return(b.why)
	}
}

// Reply queues a line of the server's.
func (l *Link) Reply(verb string, trID int64, args ...string) {
	l.Queue(wire.AppendCommand(make([]byte, 0, 64), verb, trID, args...))
}

// Hangup says a last line, if there is one, and then ends the connection. For anybody.
func (l *Link) Hangup(line string) {
	if l.ending.Swap(true) {
		return
	}
	if line != "" {
		l.Queue([]byte(line))
	}
	l.Finish()
}

// Ending reports whether Hangup was called.
func (l *Link) Ending() bool { return l.ending.Load() }

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
			l.hit("misplaced")
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
