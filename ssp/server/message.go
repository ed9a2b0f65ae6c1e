package server

import (
	"errors"
	"hash/maphash"
	"strings"
	"sync/atomic"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// messageRows are those of SSP 12.
var messageRows = []row{
	{"SendMessageRequest", (*Server).sendMessage},
	{"NewMessage", (*Server).newMessage},
	{"DeliveryStatusReport", (*Server).reported},
}

// read is the content of a message as it goes from behind this door to behind it (its media type, a line break, and its
// bytes), if it is one, and its words, if it has any.
func read(info ssp.Info, content *wire.Element) (nat im.Native, n im.Neutral, ok bool, err error) {
	typ := ssp.TypeOf(info, content)
	body := make([]byte, 0, len(typ)+1+len(content.String()))
	body = append(append(body, typ...), '\n')
	body, ok = content.AppendBytes(body)
	if !ok {
		return nat, n, false, wire.BadMediaType
	}
	n, err = ssp.Words(typ, body[len(typ)+1:])
	if strings.ContainsAny(typ, "\r\n") {
		return nat, n, false, err
	}
	return im.Native{Door: door, Body: body}, n, true, err
}

// sendMessage takes a message from a user of the peer's to ours: SSP 12.2.1, 12.3.1. It is answered when it is delivered
// or stored with each of them.
func (s *Server) sendMessage(p *peer, r *session.Request) error {
	info, err := ssp.ReadInfo(r.Primitive.Child("MessageInfo"))
	if err != nil {
		return err
	}
	if !r.Meta.Client && info.From.Group.Resource != "" {
		r.Answer(wire.New("SendMessageResponse", "messageID", info.ID).Add(s.groupWords(p, info, r.Primitive.Child("ContentData"), usersOf(info.To))))
		return nil
	}
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	if toGroupsAlone(info) {
		info.From = ssp.Party{User: u.who} // the group knows under which screen name
	}
	switch {
	case info.From.User != u.who:
		return wire.Forbidden
	case toGroups(info.To) && !agreed(r, "IMFeature/SendMsgGroupID"):
		return wire.NotAgreed
	}
	if info.ID == "" { // it comes from its sender's home domain to their message service, which names it
		info.ID = ssp.FormatMessageID(s.x.MessageID(), s.x.Domain())
	}
	if len(info.To) > 1 || info.To[0].List.Resource != "" {
		info.To = u.expand(info.To)
	}
	s.pass(p, r, info, r.Primitive.Child("ContentData"), r.Primitive.Attr("deliveryReport") == wire.Yes, func(status *wire.Element) {
		r.Answer(wire.New("SendMessageResponse", "messageID", info.ID).Add(status))
	})
	return nil
}

// newMessage takes a message for users of ours from the peer that is their message service: SSP 12.2.4, 12.3.3.
func (s *Server) newMessage(p *peer, r *session.Request) error {
	info, err := ssp.ReadInfo(r.Primitive.Child("MessageInfo"))
	if err != nil {
		return err
	}
	if info.From.User.IsZero() && info.From.Group.Resource == "" {
		return wire.NotSupported
	}
	var to []ssp.Party
	for e := range r.Primitive.Children("User") {
		who, err := ssp.ParseUser(e.Attr("userID"))
		if err != nil {
			return wire.BadParameter
		}
		to = append(to, ssp.Party{User: who})
	}
	if info.From.User.IsZero() {
		r.Answer(wire.New("MessageDelivered", "messageID", info.ID).Add(s.groupWords(p, info, r.Primitive.Child("ContentData"), usersOf(to))))
		return nil
	}
	if !s.speaks(p, info.From.User.Domain(), Messages) {
		return wire.UnknownTransaction
	}
	info.To = to
	s.pass(p, r, info, r.Primitive.Child("ContentData"), false, func(status *wire.Element) {
		r.Answer(wire.New("MessageDelivered", "messageID", info.ID).Add(status))
	})
	return nil
}

// pass sends a message on to each of its receivers. answer is called when it is with all of them.
func (s *Server) pass(p *peer, r *session.Request, info ssp.Info, content *wire.Element, report bool, answer func(*wire.Element)) {
	nat, n, ok, err := read(info, content)
	g := &passing{s: s, to: info.To, answer: answer, errs: make([]error, len(info.To))}
	g.left.Store(1)
	if report {
		g.answered = make(chan struct{})
	}
	neutral := func() im.Neutral { return n }
	b, flush := batchOf(r)
	for i, to := range info.To {
		settle := func(err error) {
			g.errs[i] = err
			g.settled()
		}
		if to.Group.Resource != "" && ok {
			g.left.Add(1)
			s.sayIn(p, info, to, nat, n, settle)
			continue
		}
		g.errs[i] = s.mayPass(p, info.From.User, to, err)
		if g.errs[i] == nil && !ok {
			g.errs[i] = wire.BadMediaType
		}
		if g.errs[i] != nil {
			continue
		}
		g.left.Add(1)
		a, first := p.arrives(info.ID, info.From.User, to.User, settle)
		if !first {
			continue // it is here, or about to be: what was answered then was lost
		}
		now := time.Now()
		m := &im.Message{From: info.From.User, FromName: p.nameOf(info.From.User), FromSlot: slot, To: to.User, Time: now, Kind: im.Words, Report: report, Native: nat,
			Neutralise: neutral}
		m.ID = s.x.MessageID()
		if report {
			p.reports.put(m.ID, owed{info, g.answered})
		}
		s.x.SendHere(s.ctx, b, m, func(err error) {
			p.arrived(a, err)
			settle(err)
		})
	}
	flush()
	g.settled()
}

// passing is a message that goes on to its receivers.
type passing struct {
	s        *Server
	to       []ssp.Party
	errs     []error // what became of it with each of them
	left     atomic.Int32
	answer   func(*wire.Element)
	answered chan struct{} // closed when it is; nil: nobody waits for that
}

// settled answers when it was called for all.
func (g *passing) settled() {
	if g.left.Add(-1) > 0 {
		return
	}
	v := newVerdicts()
	for i, to := range g.to {
		err := g.errs[i]
		if err == nil {
			v.add(nil, nil)
			continue
		}
		if errors.Is(err, im.ErrAbsent) && errors.Is(g.s.known(to.User), im.ErrUnknownUser) {
			err = im.ErrUnknownUser // which is no secret: VerifyUserid tells it, SSP 9.3.5
		}
		v.add(err, named(to))
	}
	g.answer(v.element())
	if g.answered != nil {
		close(g.answered)
	}
}

// batchOf is where what a request leads to is gathered: that of its run is flushed behind the last one of it.
func batchOf(r *session.Request) (b *exchange.Batch, flush func()) {
	if r == nil || r.Run == nil {
		b = &exchange.Batch{}
		return b, b.Flush
	}
	b, _ = r.Run.Left.(*exchange.Batch)
	if b == nil {
		b = &exchange.Batch{}
		r.Run.Left = b
	}
	return b, func() {}
}

// rest hands out what a run of requests led to.
func rest(r *session.Run) {
	if b, _ := r.Left.(*exchange.Batch); b != nil {
		b.Flush()
	}
}

// named is a receiver as a DetailedResult names them: SSP 14.2.2; ssp-syntax 2.4.
func named(to ssp.Party) *wire.Element {
	if !to.User.IsZero() {
		return userID(ssp.FormatUser(to.User))
	}
	return to.Element(wire.WV10)
}

// mayPass judges a receiver: users of ours, and those whose message service we are; anybody, when we are the sender's. SSP
// 2.2
func (s *Server) mayPass(p *peer, from im.Address, to ssp.Party, unreadable error) error {
	switch {
	case to.User.IsZero() && to.List.Resource != "":
		return wire.NoContactList
	case to.User.IsZero():
		return wire.NoGroup
	case s.x.Ours(to.User.Domain()) || s.boxes(to.User):
		return unreadable
	}
	u, err := p.user(s.ctx, from)
	switch {
	case err != nil:
		return err
	case !u.has(Messages):
		return wire.BadDomain
	}
	if err := u.reaches(to.User.Domain(), Messages); err != nil {
		return err
	}
	return unreadable
}

// reported hears that a message of ours came: SSP 12.2.12, 12.3.9.
func (s *Server) reported(p *peer, r *session.Request) error {
	info := r.Primitive.Child("MessageInfo")
	r.Answer(wire.Status(wire.Successful, ""))
	id := info.Attr("messageID")
	code, ok := wire.ParseCode(r.Primitive.Child("DeliveryResult").Child("Status").Attr("code"))
	if ok && !s.reportOver(p, id, code) && s.element(Messages) != nil {
		s.early.put(id, code)
		if s.reportOver(p, id, code) { // it has just got its name
			s.early.take(id)
		}
	}
	return nil
}

// nameOf is how a user of the peer's is called, as far as it has told; "" else.
func (p *peer) nameOf(who im.Address) string {
	p.mu.Lock()
	u := p.users[who]
	p.mu.Unlock()
	if u == nil {
		return ""
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.known == nil {
		return ""
	}
	return u.known.name
}

// twice is a message that came, for one receiver.
type twice struct {
	id       string
	from, to im.Address
}

// print stands for one in memory for a while: it has no pointers, and there may be very many.
type print [2]uint64

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func (k twice) print() print {
	return print{maphash.String(seeds[0], k.id), maphash.String(seeds[0], k.from.String())*3 + maphash.String(seeds[1], k.to.String())}
}

// arrival is a message that came, and is neither delivered nor stored yet. The peer's lock guards it.
type arrival struct {
	of   print
	also []func(error) // who else waits to be told
}

// arrivals are the messages that came. The peer's lock guards them.
type arrivals struct {
	under       map[print]*arrival
	now, before map[print]struct{} // delivered or stored, since then and before
	since       time.Time
}

// arrives notes that a message has come for a receiver. When it has come before, in the last while (the answer may have
// been lost with the session), it is not first, and settle is told what became of it, as soon as that is known. Else
// arrived is to be called with a. ssp-syntax 6.
func (p *peer) arrives(id string, from, to im.Address, settle func(error)) (a *arrival, first bool) {
	if id == "" {
		return nil, true
	}
	now, k := time.Now(), twice{id, from, to}.print()
	c := &p.came
	p.mu.Lock()
	if now.Sub(c.since) > comesAgain || len(c.now) >= mostCame {
		c.now, c.before, c.since = nil, c.now, now
	}
	if a = c.under[k]; a != nil {
		a.also = append(a.also, settle)
		p.mu.Unlock()
		return nil, false
	}
	if len(c.now)+len(c.before) > 0 {
		_, was := c.now[k]
		if !was {
			_, was = c.before[k]
		}
		if was {
			p.mu.Unlock()
			settle(nil)
			return nil, false
		}
	}
	a = &arrival{of: k}
	put(&c.under, k, a)
	p.mu.Unlock()
	return a, true
}

// How long it is remembered that a message came, at least, unless there are so many that none of them is under way any more.
const (
	comesAgain = 10 * time.Minute
	mostCame   = 1 << 14
)

// arrived tells those who wait for it what became of a message. One that was not taken is forgotten.
func (p *peer) arrived(a *arrival, err error) {
	if a == nil {
		return
	}
	p.mu.Lock()
	also := a.also
	delete(p.came.under, a.of)
	if err == nil {
		put(&p.came.now, a.of, struct{}{})
	}
	p.mu.Unlock()
	for _, settle := range also {
		settle(err)
	}
}
