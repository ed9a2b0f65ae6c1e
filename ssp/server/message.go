package server

import (
	"errors"
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

// native is the content of a message as it goes from behind this door to behind it: its media type, a line break, and its
// bytes.
func native(info ssp.Info, content *wire.Element) (im.Native, bool) {
	b, ok := content.Bytes()
	typ := content.Attr("contentType")
	if typ == "" {
		typ = info.Type
	}
	if !ok || strings.ContainsAny(typ, "\r\n") {
		return im.Native{}, false
	}
	return im.Native{Door: door, Body: append([]byte(typ+"\n"), b...)}, true
}

// contentOf is the content of a message on its way to a peer: as it came from one, or its words.
func contentOf(m *im.Message) (e *wire.Element, typ string, size int, ok bool) {
	if m.Native.Door == door {
		typ, body, _ := strings.Cut(string(m.Native.Body), "\n")
		return wire.New("ContentData", "contentType", typ).WithBytes([]byte(body)), typ, len(body), true
	}
	n := m.Neutral()
	if n.Text.IsZero() {
		return nil, "", 0, false
	}
	e, size = ssp.Content(n.Text)
	return e, ssp.TextType, size, true
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
	info.To = u.expand(info.To)
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
	v := newVerdicts()
	n, err := ssp.Neutral(info, content)
	nat, ok := native(info, content)
	var left atomic.Int32
	left.Store(1)
	errs := make([]error, len(info.To))
	answered := make(chan struct{})
	done := func() {
		if left.Add(-1) > 0 {
			return
		}
		for i, to := range info.To {
			if errors.Is(errs[i], im.ErrAbsent) && errors.Is(s.known(to.User), im.ErrUnknownUser) {
				errs[i] = im.ErrUnknownUser // which is no secret: VerifyUserid tells it, SSP 9.3.5
			}
			v.add(errs[i], named(to))
		}
		answer(v.element())
		close(answered)
	}
	b, flush := batchOf(r)
	for i, to := range info.To {
		settle := func(err error) {
			errs[i] = err
			done()
		}
		if to.Group.Resource != "" && ok {
			left.Add(1)
			s.sayIn(p, info, to, nat, n, settle)
			continue
		}
		errs[i] = s.mayPass(p, info.From.User, to, err)
		if errs[i] == nil && !ok {
			errs[i] = wire.BadMediaType
		}
		if errs[i] != nil {
			continue
		}
		left.Add(1)
		arrived, first := p.arrives(info.ID, info.From.User, to.User, settle)
		if !first {
			continue // it is here, or about to be: what was answered then was lost
		}
		now := time.Now()
		m := &im.Message{From: info.From.User, FromName: p.nameOf(info.From.User), FromSlot: slot, To: to.User, Time: now, Kind: im.Words, Report: report, Native: nat,
			Neutralise: func() im.Neutral { return n }}
		m.ID = s.x.MessageID()
		if report {
			p.reports.put(m.ID, owed{info, answered})
		}
		s.x.SendHere(s.ctx, b, m, func(err error) {
			arrived(err)
			settle(err)
		})
	}
	flush()
	done()
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

// message sends one of ours on to a user of the peer's: SSP 12.3.1. What has no words has no form here.
func (p *peer) message(l *session.Link, u *user, m *exchange.Message) {
	if k, here := u.boxed(); here {
		p.give(l, u, k, m)
		return
	}
	content, typ, size, ok := (*wire.Element)(nil), "", 0, false
	if m.Kind == im.Words {
		content, typ, size, ok = contentOf(m.Message)
	}
	if !ok {
		m.Return(im.ErrNothingFits)
		return
	}
	id := ssp.FormatMessageID(m.ID, p.s.x.Domain())
	info := ssp.Info{ID: id, Type: typ, Size: size, Validity: validity, To: []ssp.Party{{User: u.who}}, From: ssp.Party{User: m.From}, Time: m.Time}
	e := wire.New("SendMessageRequest", "deliveryReport", wire.YesNo(m.Report)).Add(p.s.meta(m.From), info.Element(l.Peer().Dialect), content)
	if m.Report {
		p.remember(id, m.Message)
	}
	l.GoOrdered(p.s.ctx, m.From.String()+" "+u.who.String(), e, settledBy(m))
}

// settledBy settles a message by the peer's answer.
func settledBy(m *exchange.Message) func(*wire.Element, error) {
	return func(answer *wire.Element, err error) {
		switch code := partOf(answer, err); {
		case err == nil && code.Class() == 2:
			m.Done()
		case code == 0, code == wire.Unavailable, code == wire.TimedOut, code == wire.QueueFull, code == wire.Internal, code == wire.BadSession:
			m.Return(im.ErrGone) // it is stored, and sent again
		default:
			m.Refuse(ssp.ErrorOf(code))
		}
	}
}

// validity is how long a message may take to its receiver: ssp-syntax 10.2.
const validity = 24 * time.Hour

// partOf is the code for the one that a request named: in a DetailedResult, or of the whole; 0 when there was no answer.
func partOf(answer *wire.Element, err error) wire.Code {
	if err != nil {
		code, _ := errors.AsType[wire.Code](err)
		return code
	}
	status := answer
	if s := answer.Child("Status"); s != nil {
		status = s
	}
	if d := status.Child("DetailedResult"); d != nil {
		if c, ok := wire.ParseCode(d.Attr("code")); ok {
			return c
		}
	}
	return wire.StatusOf(answer)
}

// mostSent is how many messages are remembered of which the sender wants to know that they came.
const mostSent = 1000

// remember keeps a message whose sender wants to know that it came, by its ID.
func (p *peer) remember(id string, m *im.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, there := p.sent[id]; !there {
		p.sentIDs = append(p.sentIDs, id)
	}
	p.sent[id] = m
	if len(p.sentIDs) > mostSent {
		delete(p.sent, p.sentIDs[0])
		p.sentIDs = p.sentIDs[1:]
	}
}

// recall gives a message that was remembered, once.
func (p *peer) recall(id string) *im.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.sent[id]
	delete(p.sent, id)
	return m
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

// arrival is what becomes of it. The peer's lock guards it.
type arrival struct {
	settled bool          // it is delivered, or stored
	also    []func(error) // who else waits to be told
}

// arrives notes that a message has come for a receiver. When it has come before, in the last while (the answer may have
// been lost with the session), it is not first, and settle is told what became of it, as soon as that is known. Else
// settled is to be told. ssp-syntax 6.
func (p *peer) arrives(id string, from, to im.Address, settle func(error)) (settled func(error), first bool) {
	if id == "" {
		return func(error) {}, true
	}
	now, k := time.Now(), twice{id, from, to}
	p.mu.Lock()
	if now.Sub(p.cameSince) > comesAgain {
		p.cameBefore, p.came, p.cameSince = p.came, map[twice]*arrival{}, now
	}
	a := p.came[k]
	if a == nil {
		a = p.cameBefore[k]
	}
	switch {
	case a == nil:
		a = &arrival{}
		p.came[k] = a
		p.mu.Unlock()
		return func(err error) { p.arrived(k, a, err) }, true
	case a.settled:
		p.mu.Unlock()
		settle(nil)
	default:
		a.also = append(a.also, settle)
		p.mu.Unlock()
	}
	return nil, false
}

// comesAgain is how long it is remembered at least.
const comesAgain = 10 * time.Minute

// arrived tells those who wait for it what became of a message. One that was not taken is forgotten.
func (p *peer) arrived(k twice, a *arrival, err error) {
	p.mu.Lock()
	also := a.also
	a.settled, a.also = true, nil
	if err != nil {
		for _, m := range []map[twice]*arrival{p.came, p.cameBefore} {
			if m[k] == a {
				delete(m, k)
			}
		}
	}
	p.mu.Unlock()
	for _, settle := range also {
		settle(err)
	}
}
