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
	id := info.ID
	s.pass(p, r, info, r.Primitive.Child("ContentData"), r.Primitive.Attr("deliveryReport") == wire.Yes, func(status *wire.Element) {
		r.Answer(wire.New("SendMessageResponse", "messageID", id).Add(status))
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
	id := info.ID
	s.pass(p, r, info, r.Primitive.Child("ContentData"), false, func(status *wire.Element) {
		r.Answer(wire.New("MessageDelivered", "messageID", id).Add(status))
	})
	return nil
}

// pass sends a message on to each of its receivers. answer is called when it is with all of them, with a Status that may be
// answered elsewhere, too: it is not to be changed.
func (s *Server) pass(p *peer, r *session.Request, info ssp.Info, content *wire.Element, report bool, answer func(*wire.Element)) {
	nat, n, ok, err := read(info, content)
	g := &passing{s: s, p: p, words: n, answer: answer}
	if len(info.To) == 1 {
		g.parts = g.one[:]
	} else {
		g.parts = make([]part, len(info.To))
	}
	g.left.Store(1)
	if report {
		g.answered = make(chan struct{})
	}
	now := time.Now()
	name, neutral := p.nameOf(info.From.User), g.neutral
	b, flush := batchOf(r)
	for i := range g.parts {
		t := &g.parts[i]
		t.g, t.to = g, &info.To[i]
		if t.to.Group.Resource != "" && ok {
			g.left.Add(1)
			s.sayIn(p, info, *t.to, nat, n, t.settle)
			continue
		}
		t.err = s.mayPass(p, info.From.User, *t.to, err)
		if t.err == nil && !ok {
			t.err = wire.BadMediaType
		}
		if t.err != nil {
			continue
		}
		g.left.Add(1)
		settle := t.settle
		came, first := p.arrives(now, info.ID, info.From.User, t.to.User, settle)
		if !first {
			continue // it is here, or about to be: what was answered then was lost
		}
		t.came = came
		m := &t.m
		m.ID, m.From, m.FromName, m.FromSlot, m.To, m.Time = s.x.MessageID(), info.From.User, name, slot, t.to.User, now
		m.Kind, m.Report, m.Native, m.Neutralise = im.Words, report, nat, neutral
		if report {
			p.reports.put(m.ID, owed{info, g.answered})
		}
		s.x.SendHere(s.ctx, b, m, settle)
	}
	flush()
	g.settled()
}

// passing is a message that goes on to its receivers.
type passing struct {
	s        *Server
	p        *peer
	words    im.Neutral
	parts    []part
	one      [1]part // of a message to one: all of it is one piece of memory then
	left     atomic.Int32
	answer   func(*wire.Element)
	answered chan struct{} // closed when it is; nil: nobody waits for that
}

// part is a message that goes on to one of its receivers.
type part struct {
	g    *passing
	to   *ssp.Party
	m    im.Message
	came print // none: it does not come here, or has before
	err  error // what became of it
}

// neutral is the form that all doors can read.
func (g *passing) neutral() im.Neutral { return g.words }

// settle says what became of a message with one of its receivers.
func (t *part) settle(err error) {
	t.g.p.arrived(t.came, err)
	t.err = err
	t.g.settled()
}

// settled answers when it was called for all.
func (g *passing) settled() {
	if g.left.Add(-1) > 0 {
		return
	}
	g.answer(g.status())
	if g.answered != nil {
		close(g.answered)
	}
}

// taken is the Status when all went well.
var taken = wire.Status(wire.Successful, "").Freeze()

// status says what became of a message: SSP 14.2.2.
func (g *passing) status() *wire.Element {
	all := true
	for i := range g.parts {
		all = all && g.parts[i].err == nil
	}
	if all {
		return taken
	}
	v := newVerdicts()
	for i := range g.parts {
		t := &g.parts[i]
		if t.err == nil {
			v.add(nil, nil)
			continue
		}
		if errors.Is(t.err, im.ErrAbsent) && errors.Is(g.s.known(t.to.User), im.ErrUnknownUser) {
			t.err = im.ErrUnknownUser // which is no secret: VerifyUserid tells it, SSP 9.3.5
		}
		v.add(t.err, named(*t.to))
	}
	return v.element()
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
