// Package notification is the notification server: login, lists, presence, and the way to
// switchboards (draft 4.2, 7). The dispatch server (draft 4.1) is its handshake, ending
// in a referral.
//
// A connection's goroutine reads its commands and owns its state; what the exchange hands it
// comes through Hand, from anybody.
package notification

import (
	"context"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"parley/credential"
	"parley/exchange"
	"parley/im"
	"parley/limit"
	"parley/listen"
	"parley/metrics"
	"parley/msnp"
	"parley/msnp/link"
	"parley/msnp/wire"
)

// Config is what a notification server is told.
type Config struct {
	Link       *link.Shared
	Exchange   *exchange.Exchange
	Vault      *credential.Vault
	Signer     *msnp.Signer
	Tickets    Tickets // of logins from MSNP8 on; nil: those dialects are not among Dialects
	Failures   *limit.Failures
	Dialects   []int         // served
	LoginTries int           // per connection
	Ticket     time.Duration // how long a ticket to open a conversation is good
	Renames    int           // a minute; 0: no limit
	Find       bool          // FND is served
	PublicURL  string        // where the service's own pages are, for URL and CVR
	Sendmail   string        // path of a program for SND; "": SND fails
}

// Tickets tells whether a ticket that somebody logs in with is theirs: nil, or an error. dialects 3.2
type Tickets interface {
	Belongs(ticket string, who im.Address) error
}

// Server serves notification connections. It holds no connection's state.
type Server struct {
	Config
	tables [maxDialect + 1]map[string]*row
	voices [maxDialect + 1]voice
}

const maxDialect = 12

// New makes a server. It panics when two rows of the table answer the same verb, or two shapes say the same.
func New(c Config) *Server {
	s := &Server{Config: c, voices: voices()}
	for d := range s.tables {
		s.tables[d] = map[string]*row{}
		for i := range rows {
			r := &rows[i]
			if r.since <= d && d <= r.until {
				if s.tables[d][r.verb] != nil {
					panic("notification: two rows for " + r.verb)
				}
				s.tables[d][r.verb] = r
			}
		}
	}
	return s
}

// Verbs are all verbs of the table, for metrics and documents.
func Verbs() []string {
	var l []string
	for _, r := range rows {
		l = append(l, r.verb)
	}
	slices.Sort(l)
	return slices.Compact(l)
}

// Role says what a listener's connections are for.
type Role struct {
	// Refer makes a dispatch server: it gives the address of the notification server for
	// an address, "" if there is none. nil: the login is served in place.
	Refer func(who im.Address) string
	// Address is where the server that refers is, as Refer gives addresses.
	Address string
	// Busy turns logins away with 600, draft 7.11.
	Busy bool
}

// Serve serves a connection until it ends, or waits without a goroutine: then it goes on
// by itself when there is something to do.
func (s *Server) Serve(ctx context.Context, l *link.Link, role Role) {
	c := &conn{Link: l, s: s, ctx: ctx, role: role, state: fresh}
	l.Idle = c.idle
	c.Wake()
}

// Wake implements listen.Sleeper: it serves what there is to serve.
func (c *conn) Wake() {
	defer c.Guard(c.over)
	for {
		cmd, err := c.Next(c.ctx)
		if err == listen.ErrParked {
			return
		}
		if err != nil {
			c.over()
			return
		}
		c.serve(c.ctx, cmd)
	}
}

// idle writes what the connection's commands handed to others.
func (c *conn) idle() {
	switch {
	case c.client == nil || c.left:
	case c.Ending(): // the last word may take a while to arrive; to others the session is over
		c.leave()
	default:
		c.client.Flush()
	}
}

// leave ends what the connection was to others.
func (c *conn) leave() {
	if c.client != nil && !c.left {
		c.left = true
		c.s.Link.Metrics.Leave(c.shown)
		c.client.Detach()
	}
}

// over ends the connection.
func (c *conn) over() {
	c.leave()
	c.Release()
}

// The states of a connection, as bits, in the order in which it comes to them.
const (
	fresh  = 1 << iota // nothing said
	cvr0               // VER agreed on CVR0 only: the client asks for its version, and goes
	spoken             // a dialect is agreed
	named              // a handle was given, and challenged
	online             // logged in
)

const loggingIn = spoken | named

// row says who may send a verb, when, and who answers it. A verb whose shape changed between
// dialects has one row for each shape.
type row struct {
	verb         string
	since, until int  // dialects; 0: before one is agreed
	when         int  // any of these states
	args         int  // at least so many, the transaction ID included
	bare         bool // it has no transaction ID
	serve        func(*conn, context.Context, request) error
}

// rows are what clients may say to a notification or dispatch server: draft 6, dialects 2.7.
var rows = []row{
	{verb: "VER", since: 0, until: 12, when: fresh, args: 1, serve: (*conn).ver},
	{verb: "CVQ", since: 0, until: 0, when: cvr0, args: 1, serve: (*conn).cvq},
	{verb: "INF", since: 2, until: 7, when: loggingIn, args: 1, serve: (*conn).inf},
	{verb: "CVR", since: 2, until: 12, when: loggingIn | online, args: 1, serve: (*conn).cvr},
	{verb: "USR", since: 2, until: 7, when: loggingIn | online, args: 4, serve: (*conn).usr},
	{verb: "USR", since: 8, until: 12, when: loggingIn | online, args: 4, serve: (*conn).usrTicket},
	{verb: "OUT", since: 0, until: 12, when: fresh | cvr0 | loggingIn | online, bare: true, serve: (*conn).out},
	{verb: "PNG", since: 0, until: 8, when: fresh | cvr0 | loggingIn | online, bare: true, serve: (*conn).png},
	{verb: "PNG", since: 9, until: 12, when: fresh | cvr0 | loggingIn | online, bare: true, serve: (*conn).pngAgain},

	{verb: "SYN", since: 2, until: 4, when: online, args: 2, serve: (*conn).syn},
	{verb: "SYN", since: 5, until: 9, when: online, args: 2, serve: (*conn).synProperties},
	{verb: "SYN", since: 10, until: 12, when: online, args: 3, serve: (*conn).synStamps},
	{verb: "LST", since: 2, until: 8, when: online, args: 2, serve: (*conn).lst},
	{verb: "LSG", since: 7, until: 8, when: online, args: 1, serve: (*conn).lsg},
	{verb: "GTC", since: 2, until: 12, when: online, args: 2, serve: (*conn).gtc},
	{verb: "BLP", since: 2, until: 12, when: online, args: 2, serve: (*conn).blp},
	{verb: "ADD", since: 2, until: 4, when: online, args: 3, serve: (*conn).add},
	{verb: "ADD", since: 5, until: 6, when: online, args: 3, serve: (*conn).addProperties},
	{verb: "ADD", since: 7, until: 9, when: online, args: 3, serve: (*conn).addGroup},
	{verb: "REM", since: 2, until: 6, when: online, args: 3, serve: (*conn).rem},
	{verb: "REM", since: 7, until: 9, when: online, args: 3, serve: (*conn).remGroup},
	{verb: "ADC", since: 10, until: 12, when: online, args: 3, serve: (*conn).adc},
	{verb: "REM", since: 10, until: 12, when: online, args: 3, serve: (*conn).remGUID},
	{verb: "SBP", since: 10, until: 12, when: online, args: 3, serve: (*conn).sbp},
	{verb: "REA", since: 2, until: 9, when: online, args: 3, serve: (*conn).rea},
	{verb: "REA", since: 10, until: 12, when: online, args: 1, serve: (*conn).disabled},
	{verb: "PRP", since: 5, until: 9, when: online, args: 2, serve: (*conn).prp},
	{verb: "PRP", since: 10, until: 12, when: online, args: 2, serve: (*conn).prpName},
	{verb: "ADG", since: 7, until: 9, when: online, args: 2, serve: (*conn).adg},
	{verb: "REG", since: 7, until: 9, when: online, args: 3, serve: (*conn).reg},
	{verb: "RMG", since: 7, until: 9, when: online, args: 2, serve: (*conn).rmg},
	{verb: "ADG", since: 10, until: 12, when: online, args: 2, serve: (*conn).adgGUID},
	{verb: "REG", since: 10, until: 12, when: online, args: 3, serve: (*conn).regGUID},
	{verb: "RMG", since: 10, until: 12, when: online, args: 2, serve: (*conn).rmgGUID},

	{verb: "CHG", since: 2, until: 7, when: online, args: 2, serve: (*conn).chg},
	{verb: "CHG", since: 8, until: 8, when: online, args: 2, serve: (*conn).chgAble},
	{verb: "CHG", since: 9, until: 12, when: online, args: 2, serve: (*conn).chgObject},
	{verb: "UUX", since: 11, until: 12, when: online, args: 2, serve: (*conn).uux},

	{verb: "XFR", since: 2, until: 12, when: online, args: 2, serve: (*conn).xfr},
	{verb: "IMS", since: 3, until: 12, when: online, args: 2, serve: (*conn).ims},

	{verb: "CHL", since: 6, until: 12, when: online, args: 1, serve: (*conn).chl},
	{verb: "QRY", since: 6, until: 10, when: online, args: 3, serve: (*conn).qry},
	{verb: "QRY", since: 11, until: 12, when: online, args: 3, serve: (*conn).qryLong},
	{verb: "GCF", since: 11, until: 12, when: online, args: 2, serve: (*conn).gcf},

	{verb: "URL", since: 2, until: 2, when: online, args: 2, serve: (*conn).url},
	{verb: "URL", since: 3, until: 12, when: online, args: 2, serve: (*conn).urlSite},
	{verb: "FND", since: 2, until: 7, when: online, args: 1, serve: (*conn).fnd},
	{verb: "SND", since: 2, until: 7, when: online, args: 2, serve: (*conn).snd},
	{verb: "SDC", since: 5, until: 12, when: online, args: 1, serve: (*conn).sdc},
	{verb: "PAG", since: 5, until: 8, when: online, args: 2, serve: (*conn).pag},
	{verb: "PAG", since: 9, until: 12, when: online, args: 1, serve: (*conn).notExpected},
	{verb: "PGD", since: 9, until: 12, when: online, args: 2, serve: (*conn).pag},
	{verb: "GSB", since: 11, until: 12, when: online, args: 1, serve: (*conn).disabled},
	{verb: "LKP", since: 11, until: 12, when: online, args: 1, serve: (*conn).disabled},
	{verb: "LSN", since: 11, until: 12, when: online, args: 1, serve: (*conn).disabled},
}

// conn is one client's connection to the notification server.
type conn struct {
	*link.Link
	s    *Server
	ctx  context.Context // of the listener: ends when the service does
	role Role

	state     int
	who       im.Address
	challenge string
	tries     int
	client    *exchange.Client    // nil until logged in
	left      bool                // detached; the client stays, for what others hand at that very moment
	shown     string              // the state that the metrics count it in
	renames   []time.Time         // the last ones
	restored  map[im.Address]bool // whose Allow List entry REM BL brought back
	groups    *grouping           // nil where the dialect has none
	self      *self               // nil before MSNP8
	abilities atomic.Uint32       // of the client: dialects 5.4
	seldom    *seldom             // nil until it is needed
}

// seldom is what few sessions need.
type seldom struct {
	challenge string      // that is not answered yet
	told      []time.Time // when properties changed, the last times
}

func (c *conn) rare() *seldom {
	if c.seldom == nil {
		c.seldom = &seldom{}
	}
	return c.seldom
}

// request is a command with its transaction ID.
type request struct {
	*wire.Command
	trID int64
}

// serve answers one command: every request gets a reply or an error, draft 5.3.
func (c *conn) serve(ctx context.Context, cmd *wire.Command) {
	start := time.Now()
	result := metrics.CommandOK
	r := c.s.tables[c.Dialect()][cmd.Verb]
	trID, numbered := cmd.TrID()
	switch {
	case r == nil && c.state&(fresh|cvr0) != 0 && !cmd.Malformed():
		result = c.Refuse(cmd, msnp.ErrNotLoggedIn)
	case r == nil, cmd.Len() < r.args, !r.bare && !numbered:
		result = c.Refuse(cmd, msnp.ErrSyntax)
	case c.state&r.when == 0:
		result = c.Refuse(cmd, c.outOfPlace(r))
	default:
		result = c.Refuse(cmd, r.serve(c, ctx, request{cmd, int64(trID)}))
	}
	c.s.Link.Metrics.Command(cmd.Verb, result, time.Since(start))
}

// outOfPlace is what a command is told that does not belong here: one whose time is over is not
// expected, one whose time comes with the login is not for strangers. dialects 2.2, 10.
func (c *conn) outOfPlace(r *row) msnp.Code {
	if c.state == online || r.when < c.state {
		return msnp.ErrNotExpected
	}
	return msnp.ErrNotLoggedIn
}

// args reads a request's parameters in order; the first error sticks.
type args struct {
	request
	i   int
	err error
}

func (r request) args() *args { return &args{request: r, i: 1} }

func (a *args) next() []byte {
	b := a.Arg(a.i)
	a.i++
	return b
}

// list reads one of the lists that a client may change, or with reverse any.
func (a *args) list(reverse bool) msnp.List {
	l, ok := msnp.ParseList(a.next())
	if (!ok || l == msnp.ReverseList && !reverse) && a.err == nil {
		a.err = msnp.ErrInvalidParameter
	}
	return l
}

// handle reads a user handle, draft 5.4.
func (a *args) handle() im.Address {
	h := a.next()
	who, err := im.ParseAddressBytes(h)
	if (err != nil || who.IsDomain() || !msnp.ValidHandle(string(h))) && a.err == nil {
		a.err = msnp.ErrInvalidParameter
	}
	return who
}

// name reads a custom user name, draft 5.5; what is missing is empty.
func (a *args) name() string {
	s, err := msnp.DecodeName(a.next())
	if err != nil && a.err == nil {
		a.err = msnp.ErrInvalidFriendlyName
	}
	return s
}

func pageURL(base, path string) string {
	u, err := url.JoinPath(base, path)
	if err != nil {
		return base
	}
	return u
}
