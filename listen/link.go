package listen

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
	"sync"
	"sync/atomic"
	"time"

	"parley/limit"
	"parley/metrics"
)

// Shared is what all links of a door share.
type Shared struct {
	Limits    Limits
	Rates     *limit.Rates
	Lounge    *Lounge       // where connections wait that have somebody to be woken; nil: in their goroutine
	LoginTime time.Duration // a connection may take so long to log in; 0: no limit
	Hit       limit.Hit     // may be nil
	Metrics   *metrics.Door
	Log       *slog.Logger
}

// Link is what a client's connection is at any door: input comes in one piece after another, answers go
// out, a client that is too fast or too slow is dealt with. One goroutine reads and owns it;
// Queue, QueueItem, GiveBack, Flush and Hangup are for anybody.
type Link struct {
	*Stream
	Remote netip.Addr
	// Idle is called before the link waits for its client; whatever it owes others is
	// written there.
	Idle func()

	shared   *Shared
	pace     limit.Pace
	read     int // bytes since the last wait
	commands int // likewise
	ending   atomic.Bool
	leave    func() // the gate's; nil once logged in
	over     func() // called once by Release
	sleeper  Sleeper

	sleepy  atomic.Bool  // there is a sleeper
	active  atomic.Bool  // something came since the last round
	quiet   atomic.Int64 // the round since which nothing came, Unix seconds; 0: something has come
	resting atomic.Bool  // the reader's wait was cut short: it goes on in the lounge
	parked  atomic.Bool  // it waits there, or has just been woken

	mu   sync.Mutex // guards back
	back []back
}

// ErrParked is Await's answer when the link waits in the lounge: it is somebody else's now,
// and its sleeper is woken when there is something to do.
var ErrParked = errors.New("listen: parked")

// Open makes the link one of a connection. leave is called when it has logged in, or is over; over when
// it is over.
func (l *Link) Open(c net.Conn, s *Shared, leave, over func()) {
	l.Stream, l.shared, l.leave, l.over, l.pace = NewStream(c, &s.Limits), s, leave, over, limit.NewPace(s.Rates)
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		l.Remote = a.AddrPort().Addr().Unmap()
	}
	if s.LoginTime > 0 {
		c.SetReadDeadline(time.Now().Add(s.LoginTime))
	}
}

// SetSleeper has the link wait in the lounge when nothing has come for a while; who goes on when it is woken.
func (l *Link) SetSleeper(who Sleeper) {
	l.sleeper = who
	l.sleepy.Store(true)
}

// Round looks whether something came since the last round. A link that is quiet goes to the lounge: between two
// messages of a talk its goroutine is cheaper, for hours its memory is not. For anybody.
func (l *Link) Round(now time.Time) {
	if l.active.Swap(false) {
		l.quiet.Store(0)
		return
	}
	if l.quiet.Load() == 0 {
		l.quiet.Store(now.Unix())
	}
	if l.sleepy.Load() && l.shared.Lounge != nil && !l.ending.Load() && !l.parked.Load() {
		l.resting.Store(true)
		l.Conn().SetReadDeadline(time.Unix(1, 0))
	}
}

// Quiet is for how long nothing has come, as far as the rounds tell. For anybody.
func (l *Link) Quiet(now time.Time) time.Duration {
	since := l.quiet.Load()
	if since == 0 {
		return 0
	}
	return now.Sub(time.Unix(since, 0))
}

// RemoteAddr is the client's address for logs.
func (l *Link) RemoteAddr() string { return l.Conn().RemoteAddr().String() }

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

// Counted notes that one command was taken, which the session's rate is measured by.
func (l *Link) Counted() { l.commands++ }

// Await writes what is queued and waits for more input. An error is the end of the connection, but for ErrParked.
func (l *Link) Await(ctx context.Context) error {
	if l.Idle != nil {
		l.Idle()
	}
	l.Flush()
	if err := l.pace.Wait(ctx, l.commands, l.read); err != nil {
		return err
	}
	had := len(l.Pending())
	l.read, l.commands = 0, 0
	if err := l.wait(); err != nil {
		if l.leave != nil && !l.ending.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
			l.Hit("login_time")
		}
		return err
	}
	l.read = len(l.Pending()) - had
	if !l.active.Load() {
		l.active.Store(true)
	}
	return nil
}

// wait waits for input: here while the client is active, and then in the lounge, if there is one and somebody to be woken.
func (l *Link) wait() error {
	if l.sleeper == nil || l.shared.Lounge == nil {
		return l.Fill()
	}
	if l.parked.Load() {
		l.parked.Store(false)
	}
	if !l.resting.Load() {
		if err := l.Fill(); err == nil || !l.resting.Load() || !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
	l.Conn().SetReadDeadline(time.Time{})
	l.resting.Store(false)
	if l.Finished() { // who ended it has set another deadline, which is gone now
		l.Conn().SetReadDeadline(time.Now().Add(lastWord))
		return l.Fill()
	}
	if some, err := l.TryFill(); some || err != nil {
		return err
	}
	l.parked.Store(true) // before it is, as it may be woken at once
	if l.Park(l.shared.Lounge, l.sleeper) {
		return ErrParked
	}
	l.parked.Store(false)
	if l.ending.Load() {
		return nil
	}
	return l.Fill()
}

// Hit tells that a limit was met.
func (l *Link) Hit(limit string) {
	if l.shared.Hit != nil {
		l.shared.Hit(limit)
	}
}

// Guard is deferred by whoever serves a link: a panic ends this one connection, with end,
// and is logged.
func (l *Link) Guard(end func()) {
	if r := recover(); r != nil {
		l.shared.Log.Error("connection ended by a panic", "remote", l.RemoteAddr(), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		end()
	}
}

// Drain reads on after the last word was said, so that it arrives: a connection closed with
// bytes unread is reset.
func (l *Link) Drain() error {
	if l.Idle != nil {
		l.Idle()
	}
	l.Flush()
	l.Conn().SetReadDeadline(time.Now().Add(lastWord))
	for {
		l.Consume(len(l.Pending()))
		if err := l.Fill(); err != nil {
			return io.EOF
		}
	}
}

// Queue queues bytes and reports whether the caller owes a Flush. A receiver that is too slow
// loses its connection.
func (l *Link) Queue(b []byte) (owes bool) { return l.QueueItem(Item{B: b}) }

// QueueItem is Queue for an item that is settled, or can be replaced. Returned at once if the
// connection takes no more.
func (l *Link) QueueItem(it Item) (owes bool) {
	owes, err := l.Put(it)
	if err == nil {
		return owes
	}
	if errors.Is(err, ErrOverflow) {
		if !l.ending.Swap(true) { // once, however much more is said
			l.shared.Log.Warn("too slow", "remote", l.RemoteAddr())
			l.shared.Metrics.Overflow(it.Key != nil)
			if it.Key != nil {
				l.Hit("presence_queue")
			} else {
				l.Hit("queue")
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
	item Settler
	why  error
}

// GiveBack has the next Flush return an item, in order with others: not here, where locks may be
// held that it asks for. It reports that the caller owes that Flush. For anybody.
func (l *Link) GiveBack(item Settler, why error) (owes bool) {
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

// Hangup says a last word, if there is one, and then ends the connection. For anybody.
func (l *Link) Hangup(word string) {
	if l.ending.Swap(true) {
		return
	}
	if word != "" {
		l.Queue([]byte(word))
	}
	l.Finish()
}

// Ending reports whether Hangup was called, or the client was too slow.
func (l *Link) Ending() bool { return l.ending.Load() }
