// Package switchboard is the switchboard server: people in a conversation, each with a connection
// of their own (draft 4.3, 8). It shares no memory with notification servers: what it must know of
// a connection is in the ticket that it presents.
//
// A connection's goroutine reads its commands and owns its state; what the exchange hands it
// comes through Hand, from anybody.
package switchboard

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/metrics"
	"parley/msnp"
	"parley/msnp/link"
	"parley/msnp/wire"
)

// Config is what a switchboard is told.
type Config struct {
	Link        *link.Shared
	Exchange    *exchange.Exchange
	Signer      *msnp.Signer
	ID          string // unique over all switchboards of the service, new at each start
	Address     string // what clients are told
	FailedCalls int    // in a row, before calls are refused for a while; 0: no limit
}

// Server is one switchboard.
type Server struct {
	Config
	place       *exchange.Place
	remove      func()
	used        msnp.Used
	connections atomic.Int64
}

// New makes a switchboard, and offers it for conversations until Close.
func New(c Config) *Server {
	s := &Server{Config: c}
	s.place = &exchange.Place{ID: c.ID, Door: "msnp", Address: c.Address, Load: func() int { return int(s.connections.Load()) }}
	s.remove = c.Exchange.AddPlace(s.place)
	return s
}

// Close takes the switchboard out of the exchange's choice.
func (s *Server) Close() { s.remove() }

// Serve serves a connection until it ends.
func (s *Server) Serve(ctx context.Context, l *link.Link) {
	s.connections.Add(1)
	s.Link.Metrics.Enter("switchboard")
	c := &conn{Link: l, s: s, state: fresh}
	l.Idle = c.idle
	defer c.over()
	defer c.Guard(func() {})
	for {
		cmd, err := l.Next(ctx)
		if err != nil {
			return
		}
		c.serve(ctx, cmd)
	}
}

func (c *conn) idle() {
	if c.seat != nil {
		c.seat.Flush()
	}
}

func (c *conn) over() {
	if c.seat != nil {
		c.seat.Leave()
	}
	c.Release()
	c.s.Link.Metrics.Leave("switchboard")
	c.s.connections.Add(-1)
}

// The states of a connection, as bits.
const (
	fresh  = 1 << iota // nothing said
	seated             // in a conversation
)

// row says who may send a verb, when, and who answers it. The dialect is the notification
// session's, which the ticket names; before it is known, any.
type row struct {
	verb         string
	since, until int // dialects
	when         int // any of these states
	args         int // at least so many, the transaction ID included
	bare         bool
	serve        func(*conn, context.Context, request) error
}

// rows are what clients may say to a switchboard: draft 6, dialects 2.7.
var rows = []row{
	{verb: "USR", since: 2, until: 12, when: fresh, args: 3, serve: (*conn).usr},
	{verb: "ANS", since: 2, until: 12, when: fresh, args: 4, serve: (*conn).ans},
	{verb: "CAL", since: 2, until: 12, when: seated, args: 2, serve: (*conn).cal},
	{verb: "MSG", since: 2, until: 8, when: seated, args: 3, serve: (*conn).msg},
	{verb: "MSG", since: 9, until: 12, when: seated, args: 3, serve: (*conn).msgData},
	{verb: "OUT", since: 2, until: 12, when: fresh | seated, bare: true, serve: (*conn).out},
	{verb: "PNG", since: 2, until: 12, when: fresh | seated, bare: true, serve: (*conn).png},
}

// maxDialect is the newest dialect of the table.
const maxDialect = 12

// tables are the rows of each dialect. Before the ticket has named one, those of the oldest count: they are of the
// same verbs.
var tables = func() (t [maxDialect + 1]map[string]*row) {
	for d := range t {
		t[d] = map[string]*row{}
		for i := range rows {
			if r := &rows[i]; r.since <= max(d, 2) && d <= r.until {
				if t[d][r.verb] != nil {
					panic("switchboard: two rows for " + r.verb)
				}
				t[d][r.verb] = r
			}
		}
	}
	return t
}()

// Verbs are all verbs of the table, for metrics and documents.
func Verbs() []string {
	var l []string
	for _, r := range rows {
		l = append(l, r.verb)
	}
	slices.Sort(l)
	return slices.Compact(l)
}

// conn is one client's connection to the switchboard.
type conn struct {
	*link.Link
	s     *Server
	state int
	who   im.Address
	seat  *exchange.Seat // nil until seated

	abilities uint32 // of the client; not changed once it has a seat

	name  string // what head was made of
	head  []byte // "MSG handle name ", as the others get it
	calls int    // failed in a row
	again time.Time
}

type request struct {
	*wire.Command
	trID int64
	at   time.Time // it came
}

// serve answers one command: every request gets a reply or an error, draft 5.3.
func (c *conn) serve(ctx context.Context, cmd *wire.Command) {
	start := time.Now()
	var result metrics.Result
	r := tables[c.Dialect()][cmd.Verb]
	trID, numbered := cmd.TrID()
	switch {
	case r == nil && c.state == fresh && !cmd.Malformed():
		result = c.Refuse(cmd, msnp.ErrNotLoggedIn)
	case r == nil, cmd.Len() < r.args, !r.bare && !numbered:
		result = c.Refuse(cmd, msnp.ErrSyntax)
	case c.state&r.when == 0 && c.state == fresh:
		result = c.Refuse(cmd, msnp.ErrNotLoggedIn)
	case c.state&r.when == 0:
		result = c.Refuse(cmd, msnp.ErrNotExpected)
	default:
		result = c.Refuse(cmd, r.serve(c, ctx, request{cmd, int64(trID), start}))
	}
	c.s.Link.Metrics.Command(cmd.Verb, result, time.Since(start))
}
