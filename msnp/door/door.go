// Package door is the MSNP door as a whole: it gives each listener its role (draft 4) and hands
// connections to the server of that role. By default one listener has all of them: there, VER
// begins a notification session, and USR or ANS a switchboard session.
package door

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"parley/config"
	"parley/credential"
	"parley/exchange"
	"parley/im"
	"parley/limit"
	"parley/listen"
	"parley/metrics"
	"parley/msnp"
	"parley/msnp/link"
	"parley/msnp/notification"
	"parley/msnp/switchboard"
	"parley/msnp/wire"
)

// Config is what the door is told.
type Config struct {
	Config   config.Config
	Exchange *exchange.Exchange
	Vault    *credential.Vault
	Metrics  *metrics.Metrics
	Log      *slog.Logger
	Lounge   *listen.Lounge // where sessions wait that have nothing to do; nil: each in a goroutine
	// Tickets are those that clients from MSNP8 on log in with: dialects 3.2. nil: there is nobody to get one from, and of
	// the dialects only the older ones are offered.
	Tickets notification.Tickets
	// Strangers is what all doors together allow those who have not logged in; nil: limits of the door's own.
	Strangers *limit.Strangers
}

// Door serves MSNP connections on any number of listeners.
type Door struct {
	c            Config
	shared       *link.Shared
	signer       *msnp.Signer
	notification *notification.Server
	*listen.Entrance

	mu        sync.Mutex // guards what follows
	boards    []*switchboard.Server
	notifiers []string // what clients are told, of each listener that logs in
}

// states are the states that sessions are counted in: draft 7.7, and what is none.
var states = []string{"NLN", "FLN", "HDN", "BSY", "IDL", "BRB", "AWY", "PHN", "LUN", "none", "switchboard"}

// New makes the door. The error is about its configuration.
func New(c Config) (*Door, error) {
	signer, err := msnp.NewSigner(c.Vault.DeriveKey("msnp ticket"))
	if err != nil {
		return nil, err
	}
	var dialects []int
	for _, name := range c.Config.MSNP.Dialects {
		n, ok := msnp.ParseDialect([]byte(name))
		if !ok || n < 2 || n > newest {
			return nil, fmt.Errorf("msnp.dialects: %q is not a dialect that is served; MSNP2 to %s are", name, msnp.DialectName(newest))
		}
		if n < ticketed || c.Tickets != nil {
			dialects = append(dialects, n)
		}
	}
	if len(dialects) == 0 {
		return nil, fmt.Errorf("msnp.dialects: from %s on clients log in with tickets, which a passport listener gives: add passport://HOST:PORT to listen, or an older dialect", msnp.DialectName(ticketed))
	}
	l, m := &c.Config.Limits, &c.Config.MSNP
	verbs := append(notification.Verbs(), switchboard.Verbs()...)
	counters := c.Metrics.Door("msnp", states, verbs)
	log := c.Log.With("door", "msnp")
	strangers := c.Strangers
	if strangers == nil {
		strangers = limit.NewStrangers(limit.Bounds{HalfOpen: l.HalfOpen, HalfOpenPerNetwork: l.HalfOpenPerNetwork,
			Connections: l.Connections, Failures: l.LoginFailures, FailuresPerNetwork: l.LoginFailuresPerNetwork,
			Window: l.LoginWindow.Std()}, c.Metrics.LimitHit)
	}
	d := &Door{c: c, signer: signer, Entrance: listen.NewEntrance(strangers, c.Lounge != nil)}
	d.shared = &link.Shared{
		Shared: listen.Shared{
			Lounge:    c.Lounge,
			Limits:    listen.Limits{Queue: int(l.Queue), Presence: int(l.PresenceQueue), Stall: stall},
			Rates:     limit.NewRates(l.CommandsPerSecond, int(l.BytesPerSecond), c.Metrics.LimitHit),
			LoginTime: l.LoginTime.Std(),
			Hit:       c.Metrics.LimitHit,
			Metrics:   counters,
			Log:       log,
		},
		Line:      int(l.Line),
		Payload:   int(l.Payload),
		Misplaced: m.Misplaced,
	}
	d.notification = notification.New(notification.Config{
		Link:       d.shared,
		Exchange:   c.Exchange,
		Vault:      c.Vault,
		Signer:     signer,
		Tickets:    c.Tickets,
		Failures:   strangers.Failures,
		Dialects:   dialects,
		LoginTries: m.LoginTries,
		Ticket:     m.Ticket.Std(),
		Renames:    m.Renames,
		Find:       m.Find,
		PublicURL:  c.Config.PublicURL(),
		Sendmail:   m.Sendmail,
	})
	return d, nil
}

// newest is the newest dialect served; from ticketed on, clients log in with tickets: dialects 0.1.
const (
	newest   = 12
	ticketed = 8
)

// stall is how long a client that takes nothing is waited for.
const stall = 2 * time.Minute

// Handler gives the handler for a listener's connections; bound is where it listens. All handlers
// are made before the first connection is accepted, so that dispatch knows every notification listener.
func (d *Door) Handler(u listen.URL, bound net.Addr) (func(context.Context, net.Conn), error) {
	told := u.Advertise
	if told == "" {
		told = bound.String()
		if a, ok := bound.(*net.TCPAddr); ok && a.IP.IsUnspecified() {
			told = fmt.Sprintf(":%d", a.Port) // each client is told the address by which it came
		}
	}
	var serve func(ctx context.Context, l *link.Link, role notification.Role)
	switch u.Scheme {
	case "msnp":
		board := d.board(told)
		d.notifier(told)
		serve = func(ctx context.Context, l *link.Link, role notification.Role) { d.either(ctx, l, role, board) }
	case "msnp-notification":
		d.notifier(told)
		serve = d.notification.Serve
	case "msnp-dispatch":
		serve = func(ctx context.Context, l *link.Link, role notification.Role) {
			role.Refer, role.Address = d.refer, told
			d.notification.Serve(ctx, l, role)
		}
	case "msnp-switchboard":
		board := d.board(told)
		serve = func(ctx context.Context, l *link.Link, _ notification.Role) { board.Serve(ctx, l) }
	default:
		return nil, fmt.Errorf("%s is not a listener of MSNP", u)
	}
	return func(ctx context.Context, c net.Conn) { d.serve(ctx, c, serve) }, nil
}

// Tunnel serves a connection that came in another way than through a listener: for a switchboard, which clients name by
// the HOST:PORT that they were told, or for the notification server. dialects 9.6
func (d *Door) Tunnel(ctx context.Context, c net.Conn, board bool, host string) {
	if !board {
		d.serve(ctx, c, d.notification.Serve)
		return
	}
	b := d.boardAt(host)
	if b == nil {
		c.Close()
		return
	}
	d.serve(ctx, c, func(ctx context.Context, l *link.Link, _ notification.Role) { b.Serve(ctx, l) })
}

// boardAt is the switchboard at an address, or with its port, or the only one; nil: none.
func (d *Door) boardAt(host string) *switchboard.Server {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, port, _ := net.SplitHostPort(host)
	for _, b := range d.boards {
		if _, p, _ := net.SplitHostPort(b.Address); b.Address == host || p == port {
			return b
		}
	}
	if len(d.boards) == 1 {
		return d.boards[0]
	}
	return nil
}

// Ready reports what is missing for the listeners to be of use; nil when nothing is.
func (d *Door) Ready() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.notifiers) > 0 && len(d.boards) == 0 {
		return fmt.Errorf("there is a notification listener, but no switchboard: add msnp-switchboard://HOST:PORT, or use msnp://HOST:PORT")
	}
	return nil
}

func (d *Door) board(told string) *switchboard.Server {
	var id [8]byte
	rand.Read(id[:])
	s := switchboard.New(switchboard.Config{Link: d.shared, Exchange: d.c.Exchange, Signer: d.signer,
		ID: hex.EncodeToString(id[:]), Address: told, FailedCalls: d.c.Config.MSNP.FailedCalls})
	d.mu.Lock()
	d.boards = append(d.boards, s)
	d.mu.Unlock()
	return s
}

func (d *Door) notifier(told string) {
	d.mu.Lock()
	d.notifiers = append(d.notifiers, told)
	d.mu.Unlock()
}

// refer gives the notification listener for an address, the same one each time: draft 7.4.
func (d *Door) refer(who im.Address) string {
	h := fnv.New32a()
	h.Write([]byte(who.String()))
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.notifiers) == 0 {
		return ""
	}
	return d.notifiers[h.Sum32()%uint32(len(d.notifiers))]
}

// serve lets a connection in.
func (d *Door) serve(ctx context.Context, c net.Conn, f func(context.Context, *link.Link, notification.Role)) {
	var l *link.Link
	var role notification.Role
	in := d.Enter(c, func(crowded bool, leave, over func()) listen.Guest {
		role.Busy = crowded
		l = link.New(c, d.shared, leave, over)
		return l
	})
	if !in {
		c.Close()
		return
	}
	f(ctx, l, role)
}

// either serves a connection by its first command: draft 8.2 has no version negotiation.
func (d *Door) either(ctx context.Context, l *link.Link, role notification.Role, board *switchboard.Server) {
	cmd, err := l.Next(ctx)
	if err != nil {
		l.Release()
		return
	}
	l.Again()
	if isSwitchboard(cmd) {
		board.Serve(ctx, l)
	} else {
		d.notification.Serve(ctx, l, role)
	}
}

func isSwitchboard(c *wire.Command) bool {
	return strings.EqualFold(c.Verb, "ANS") || c.Verb == "USR"
}

// Close takes the switchboards out of the exchange's choice, closes every connection that is left,
// and waits for their end.
func (d *Door) Close() {
	d.mu.Lock()
	boards := d.boards
	d.mu.Unlock()
	for _, b := range boards {
		b.Close()
	}
	d.Entrance.Close()
}
