package c2s

import (
	"context"
	"time"

	"parley/im"
	"parley/metrics"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// name is the name of an element.
type name struct{ space, local string }

// elementRow says when an element right below the root may come, and who answers it.
type elementRow struct {
	name
	when  int // any of these states
	serve func(*conn, xmltext.Node)
}

// elementRows are what clients may send right below the root: RFC 6120 5.4.2, 6.4, 8.
var elementRows = []elementRow{
	{name{wire.NSTLS, "starttls"}, asked, (*conn).starttls},
	{name{wire.NSSASL, "auth"}, asked, (*conn).authenticate},
	{name{wire.NSSASL, "response"}, asked, (*conn).response},
	{name{wire.NSSASL, "abort"}, asked, (*conn).abort},
	{name{wire.NSClient, "iq"}, asked | ready | bound, (*conn).iq},
	{name{wire.NSClient, "message"}, bound, (*conn).message},
	{name{wire.NSClient, "presence"}, bound, (*conn).presenceStanza},
}

// target is what a query is asked of.
type target uint8

const (
	server    target = 1 << iota // the domain
	own                          // one's own account: its bare address, or none
	account                      // somebody else's account, which shows itself to the one who asks
	unseen                       // one that does not, or that nobody has, or whose rules forbid it
	stranger                     // the domain, before a login
	unbound                      // the domain, before a resource is bound
	directory                    // the domain's user directory: XEP-0055
)

// queryKey finds a row.
type queryKey struct {
	of    target
	typ   string // get or set
	space string
	local string
}

// queryRow says who answers a query (RFC 6120 8.2.3), and what service discovery says of it.
type queryRow struct {
	of      target // all of these
	typ     string
	name    name
	serve   func(*conn, context.Context, *request) error
	feature string // "": its namespace; "-": none
}

// request is a query under way.
type request struct {
	wire.Stanza
	to      xmpp.JID     // zero: none was given
	payload xmltext.Node // its one child
}

// tables makes the tables, and gives the verbs that the metrics count.
func (s *Server) tables() (verbs []string) {
	s.elements = map[name]*elementRow{}
	for i := range elementRows {
		r := &elementRows[i]
		if s.elements[r.name] != nil {
			panic("c2s: two rows for " + r.local)
		}
		s.elements[r.name] = r
		verbs = append(verbs, r.local)
	}
	s.queries, s.features = map[queryKey]*queryRow{}, map[target][]string{}
	for i := range queryRows {
		r := &queryRows[i]
		for _, of := range []target{server, own, account, unseen, stranger, unbound, directory} {
			if r.of&of == 0 {
				continue
			}
			k := queryKey{of, r.typ, r.name.space, r.name.local}
			if s.queries[k] != nil {
				panic("c2s: two rows for " + r.name.space + " " + r.name.local)
			}
			s.queries[k] = r
			s.addFeature(of, r)
		}
	}
	return append(verbs, "other")
}

// element serves one element right below the root. What comes before its time ends the stream: RFC 6120 4.3.5, 4.9.3.12,
// 6.3.1. Nothing but stanzas goes on to others: RFC 6120 4.8.4.
func (c *conn) element(n xmltext.Node) {
	start := time.Now()
	space, local := n.Name()
	r := c.s.elements[name{string(space), string(local)}]
	verb := "other"
	result := metrics.CommandOK
	switch {
	case string(space) == wire.NSServer: // RFC 6120 4.8.3
		result = metrics.CommandRefused
		c.Fail(&xmpp.StreamError{Condition: xmpp.StreamInvalidNamespace})
	case string(space) == wire.NSClient && wire.Prefixed(n): // RFC 6120 4.8.5, 4.9.3.2
		result = metrics.CommandRefused
		c.Fail(&xmpp.StreamError{Condition: xmpp.StreamBadNamespacePrefix, Text: "what is of jabber:client has no prefix"})
	case r == nil && c.state < bound:
		result = metrics.CommandRefused
		c.Fail(&xmpp.StreamError{Condition: xmpp.StreamNotAuthorized})
	case r == nil: // RFC 6120 4.9.3.24
		result = metrics.CommandRefused
		c.Fail(&xmpp.StreamError{Condition: xmpp.StreamUnsupportedStanzaType})
	case c.state&r.when == 0:
		verb, result = r.local, metrics.CommandRefused
		if c.state == bound {
			c.Fail(&xmpp.StreamError{Condition: xmpp.StreamUnsupportedStanzaType})
		} else {
			c.Fail(&xmpp.StreamError{Condition: xmpp.StreamNotAuthorized})
		}
	default:
		verb = r.local
		r.serve(c, n)
	}
	c.s.counters.Command(verb, result, time.Since(start))
}

// honest checks the address that a stanza says it is from: only the session's own, bare or full. RFC 6120 4.9.3.9, 8.1.2.1.
// Its answer is to the full one, however it was written: RFC 6120 8.1.1.1.
func (c *conn) honest(st *wire.Stanza) bool {
	if !st.HasFrom || st.From == c.full {
		return true
	}
	j, err := xmpp.ParseJID(st.From)
	if err == nil && j.Bare == c.jid.Bare && (j.Resource == "" || j.Resource == c.jid.Resource) {
		st.From = c.full
		return true
	}
	c.Fail(&xmpp.StreamError{Condition: xmpp.StreamInvalidFrom})
	return false
}

// address gives the address that a stanza is to; the zero JID when it names none. What is no address is refused:
// RFC 6120 8.3.3.8.
func (c *conn) address(st *wire.Stanza) (xmpp.JID, error) {
	if !st.HasTo {
		return xmpp.JID{}, nil
	}
	if st.To == c.lastTo {
		return c.lastJID, nil
	}
	j, err := xmpp.ParseJID(st.To)
	if err != nil {
		return j, xmpp.Refuse(xmpp.JIDMalformed, "")
	}
	c.lastTo, c.lastJID = st.To, j
	return j, nil
}

// iq serves a query, or what answers one: RFC 6120 8.2.3, RFC 6121 8.
func (c *conn) iq(n xmltext.Node) {
	var r request
	wire.Read(&r.Stanza, n)
	switch {
	case c.state != bound: // it has no address yet: RFC 6120 4.3.6
		r.From, r.HasFrom = "", false
	case !c.honest(&r.Stanza):
		return
	}
	c.settle()
	if err := c.query(c.ctx, &r); err != nil {
		c.refuse(&r.Stanza, err)
	}
}

// query finds who answers. RFC 6121 6, 8.2, 8.3; RFC 6120 8.1.4, 10.3.3, 10.5.1, 10.5.2. Another domain cannot be reached:
// RFC 6120 10.4.3.
func (c *conn) query(ctx context.Context, r *request) error {
	answer := r.Type == "result" || r.Type == "error"
	if r.ID == "" || !answer && r.Type != "get" && r.Type != "set" { // RFC 6120 8.2.3
		return xmpp.Refuse(xmpp.BadRequest, "an iq has an id, and one of four types")
	}
	to, err := c.address(&r.Stanza)
	if err != nil {
		return err
	}
	r.to = to
	if !answer {
		r.payload = r.Node.FirstChild()
		if !r.payload.Ok() || r.payload.Next().Ok() { // RFC 6120 8.2.3: exactly one
			return xmpp.Refuse(xmpp.BadRequest, "a query has exactly one child")
		}
	}
	ours := to.IsZero() || c.s.Exchange.Ours(to.Bare.Domain())
	switch {
	case c.state == asked || c.state == ready:
		return c.early(ctx, r, answer)
	case c.s.isRoom(to):
		return c.toRoom(ctx, &r.Stanza, to)
	case !ours:
		if answer {
			return nil
		}
		if c.s.Exchange.Serves(to.Bare.Domain()) { // a peer whose protocol has no queries
			return xmpp.Refuse(xmpp.ServiceUnavailable, "")
		}
		return xmpp.Refuse(xmpp.RemoteServerNotFound, "")
	case to.IsFull() && !to.Bare.IsDomain():
		return c.forward(ctx, r, answer)
	case answer: // to the server or an account: nobody asked. RFC 6120 8.2.3
		return nil
	case to.Bare.IsDomain() && to.Resource != "":
		return xmpp.Refuse(xmpp.ServiceUnavailable, "")
	}
	of := own
	if to.Bare.IsDomain() {
		of = server
	} else if !to.IsZero() && to.Bare != c.jid.Bare {
		if of = unseen; c.sees(to.Bare) {
			of = account
		}
	}
	return c.dispatch(ctx, r, of)
}

// early serves the few queries that come before there is a session: RFC 6120 7.6, XEP-0077 3. Everything else ends the
// stream: RFC 6120 4.9.3.12.
func (c *conn) early(ctx context.Context, r *request, answer bool) error {
	of := stranger
	if c.state == ready {
		of = unbound
	}
	if !answer {
		space, local := r.payload.Name()
		if row := c.s.queries[queryKey{of, r.Type, string(space), string(local)}]; row != nil {
			return row.serve(c, ctx, r)
		}
	}
	c.Fail(&xmpp.StreamError{Condition: xmpp.StreamNotAuthorized})
	return nil
}

// dispatch has a query answered that is for the service, or for an account, which is never handed to a client of theirs:
// RFC 6121 8.5.2.1.3, 8.5.2.2.3. Nobody learns whether an account exists, or blocks them: an account that does not show
// itself answers like one that nobody has. RFC 6121 8.5.1, 11, 13; RFC 6120 10.5.3.1, 10.5.3.2, 13.10.2, 13.11; XEP-0191 3.3
func (c *conn) dispatch(ctx context.Context, r *request, of target) error {
	if of == account || of == unseen {
		if err := c.judged(ctx, r.to); err != nil {
			return err
		}
	}
	if of == account {
		if _, err := c.other(ctx, r.to.Bare); err != nil {
			return err
		}
	}
	space, local := r.payload.Name()
	row := c.s.queries[queryKey{of, r.Type, string(space), string(local)}]
	if row == nil {
		return xmpp.Refuse(xmpp.ServiceUnavailable, "")
	}
	return row.serve(c, ctx, r)
}

// forward hands a query, or an answer, to the session that it is for: RFC 6121 8.5.3.1, 8.5.3.2.3; XEP-0199 4.4. What
// nobody asked for is that session's to ignore. A session that is not there, or does not show itself to who asks, answers like
// one that does not want to: RFC 6120 10.5.4; XEP-0199 7; XEP-0012 4, 8.
func (c *conn) forward(ctx context.Context, r *request, answer bool) error {
	m := &im.Message{ID: c.s.Exchange.MessageID(), From: c.jid.Bare, FromSlot: c.jid.Resource, To: r.to.Bare, Slot: r.to.Resource,
		Only: true, Time: time.Now(), Kind: im.Request}
	set := [2]xmltext.Attr{{Name: "from", Value: c.full}}
	l := set[:1]
	if r.Lang == "" && c.Lang != "" { // RFC 6120 8.1.5
		l = append(l, xmltext.Attr{Name: "xml:lang", Value: c.Lang})
	}
	b := wire.AppendStanza(make([]byte, 0, len(r.Node.Bytes())+len(c.full)+len(c.Lang)+48), r.Node, l...)
	m.Native = im.Native{Door: xmpp.Door, Body: b}
	var done func(error)
	if answer {
		m.Kind, m.Traffic = im.Signal, im.Queries
	} else {
		head := r.Stanza
		head.Node = xmltext.Node{}
		done = func(err error) {
			if err != nil {
				c.refuseLater(&head, err)
			}
		}
	}
	c.s.Exchange.Send(ctx, &c.out, m, done)
	return nil
}

// result answers a query with what stands in inner; nothing if that is nil. RFC 6120 8.2.3
func (c *conn) result(r *request, inner []byte) {
	c.Queue(wire.AppendReply(make([]byte, 0, 160+len(inner)), &r.Stanza, "result", c.answerer(&r.Stanza), inner))
}

// answerer is who answers a stanza: whom it was sent to. RFC 6120 8.1.2.1
func (c *conn) answerer(st *wire.Stanza) string {
	if st.HasTo {
		return st.To
	}
	return ""
}

// refuse answers a stanza with an error. Errors are never answered: RFC 6120 8.3.1.
//
// Deviates from RFC 6120 10.2: a message to an address that nobody has comes back, although one to somebody who is away is
// kept without a word. Who mistypes an address is to know it.
func (c *conn) refuse(st *wire.Stanza, err error) {
	if b := c.appendRefusal(nil, st, err, st.Node.Ok()); b != nil {
		c.Queue(b)
	}
}

// refuseLater is refuse for anybody, when the stanza itself is gone.
func (c *conn) refuseLater(st *wire.Stanza, err error) {
	if b := c.appendRefusal(nil, st, err, false); b != nil && c.Queue(b) {
		c.Flush()
	}
}

func (c *conn) appendRefusal(dst []byte, st *wire.Stanza, err error, echo bool) []byte {
	if st.Type == "error" || st.Kind == wire.IQ && st.Type == "result" {
		return nil
	}
	e := xmpp.ErrorOf(err)
	if e.Condition == xmpp.InternalServerError {
		c.s.shared.Log.Error("stanza failed", "kind", st.Kind.String(), "remote", c.RemoteAddr(), "err", err)
	}
	return wire.AppendErrorReply(dst, st, c.answerer(st), e.Append(nil), echo)
}
