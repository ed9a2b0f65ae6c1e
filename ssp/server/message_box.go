package server

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// A peer's user whose message service we are has a box here: what waits for them in the exchange's store. Messages are
// pushed to their home domain, or it is told of them and fetches them. SSP 12

// boxRows are the rest of SSP 12.
var boxRows = []row{
	{"ForwardMessageRequest", (*Server).forward},
	{"MessageNotification", (*Server).announced},
	{"GetMessageRequest", (*Server).getMessage},
	{"GetMessageListRequest", (*Server).getMessageList},
	{"RejectMessageRequest", (*Server).reject},
	{"SetMessageDeliveryMethod", (*Server).setMethod},
}

// How messages are delivered, SSP 12.2.8.
const (
	methodPush   = "Push"
	methodNotify = "Notify/Get"
)

const (
	usualMessages = 100 // in a list, when the request does not say how many
	mostMessages  = 1000
)

// boxed reports whether we are the message service of the user: they said so in their profile, or how messages are to be
// delivered. Others get theirs from their home domain. SSP 2.2, 8.1; ssp-syntax 9.
func (u *user) boxed() (*kept, bool) {
	k, err := u.keeps(u.p.s.ctx)
	if err != nil {
		return nil, false
	}
	if u.p.s.serves(u.who.Domain(), Messages) {
		return k, true
	}
	if named := k.Profile["Services.IM.PSE"]; named != "" {
		if pse, err := ssp.ParseService(named); err == nil {
			return k, u.p.s.x.Ours(pse)
		}
	}
	return k, k.Method != ""
}

// boxes reports whether somebody is a peer's user whose message service we are.
func (s *Server) boxes(who im.Address) bool {
	p := s.peer(who.Domain())
	if p == nil {
		return false
	}
	u, err := p.user(s.ctx, who)
	if err != nil {
		return false
	}
	_, here := u.boxed()
	return here
}

// offer has what waits for the user offered again, if it can be delivered.
func (u *user) offer() {
	if u.p.up() {
		u.c.SetDeaf(false)
	}
}

// infoOf is what is told of a message to a user of the peer's, and its content; false for one without words.
func (s *Server) infoOf(m *im.Message, to im.Address) (info ssp.Info, content *wire.Element, ok bool) {
	content, typ, size, ok := contentOf(m)
	return ssp.Info{ID: ssp.FormatMessageID(m.ID, s.x.Domain()), Type: typ, Size: size, To: []ssp.Party{{User: to}}, From: ssp.Party{User: m.From},
		Time: m.Time}, content, ok
}

// give delivers a message to a user whose message service we are, over their home domain: SSP 12.3.3, 12.3.4. What is not
// pushed stays in the box.
func (p *peer) give(l *session.Link, u *user, k *kept, m *exchange.Message) {
	stored := m.For(u.who, m.ID) // as it has its ID in the box
	info, content, ok := p.s.infoOf(stored, u.who)
	if m.Kind != im.Words || !ok {
		m.Return(im.ErrNothingFits)
		return
	}
	mine, _ := l.Agreed()
	push, notify := slices.Contains(mine, "IMFeature/PushMsg"), slices.Contains(mine, "IMFeature/NotifyMsg")
	to := wire.New("User", "userID", ssp.FormatUser(u.who))
	d := l.Peer().Dialect
	switch {
	case push && !(notify && (k.Method == methodNotify || k.Longest > 0 && info.Size > k.Longest)):
		e := wire.New("NewMessage").Add(p.s.meta(nobody), to, info.Element(d), content)
		l.GoOrdered(p.s.ctx, m.From.String()+" "+u.who.String(), e, func(answer *wire.Element, err error) {
			if settledBy(m)(answer, err); err == nil && partOf(answer, err).Class() == 2 {
				p.s.came(u, stored)
			}
		})
	case !notify || !m.Kept() || !p.told.first(m.ID):
		m.Return(im.ErrGone) // it is told of when it is in the store
	default:
		e := wire.New("MessageNotification").Add(p.s.meta(nobody), to, info.Element(d))
		l.GoOrdered(p.s.ctx, m.From.String()+" "+u.who.String(), e, func(_ *wire.Element, err error) {
			if err != nil {
				p.told.forget(m.ID)
			}
			m.Return(im.ErrGone)
		})
	}
}

// told are the messages that a peer was told of, not to be told twice.
type told struct {
	mu sync.Mutex // guards m
	m  map[im.MessageID]struct{}
}

// first reports whether a message is told of for the first time.
func (t *told) first(id im.MessageID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, was := t.m[id]
	if t.m == nil || len(t.m) >= 10*mostMessages {
		t.m = map[im.MessageID]struct{}{}
	}
	t.m[id] = struct{}{}
	return !was
}

func (t *told) forget(id im.MessageID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.m, id)
}

// box finds a message in the user's box: 426.
func (u *user) box(id string) (*im.Message, error) {
	n, ok := ssp.ParseMessageID(id, u.p.s.x.Domain())
	if !ok {
		return nil, wire.BadMessage
	}
	m, err := u.p.s.x.Boxed(u.p.s.ctx, u.who, n)
	if errors.Is(err, im.ErrNotOnList) {
		err = wire.BadMessage
	}
	return m, err
}

// getMessage gives a message out of the box, which it leaves when the peer says that it is delivered: SSP 12.2.7, 12.2.4,
// 12.2.5, 12.3.5.
func (s *Server) getMessage(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	m, err := u.box(r.Primitive.Attr("messageID"))
	if errors.Is(err, wire.BadMessage) {
		s.work.Go(func() { // ends with the peer's word, with the transaction or with s.ctx
			if err := s.getWords(p, r, u); err != nil {
				s.refuse(p, r, err)
			}
		})
		return nil
	}
	if err != nil {
		return err
	}
	info, content, ok := s.infoOf(m, u.who)
	if !ok {
		return wire.BadMediaType
	}
	r.Answer(wire.New("NewMessage").Add(wire.Status(wire.Successful, ""), wire.New("User", "userID", ssp.FormatUser(u.who)),
		info.Element(r.Link.Peer().Dialect), content))
	s.work.Go(func() { // ends with the peer's word, with the transaction or with s.ctx
		e, err := r.Then(s.ctx)
		if err != nil {
			return // it stays in the box
		}
		if e.Attr("messageID") != info.ID {
			err = wire.BadMessage
		} else if err = s.x.Unbox(s.ctx, u.who, m.ID, slot, nil); errors.Is(err, im.ErrNotOnList) {
			err = nil // pushed meanwhile
		}
		if err != nil {
			s.refuse(p, r, err)
			return
		}
		r.Answer(wire.Status(wire.Successful, ""))
	})
	return nil
}

// getMessageList tells what is in the box: SSP 12.2.9, 12.2.10, 12.3.7. With a group it is what was said in that.
func (s *Server) getMessageList(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	n := wire.Int(r.Primitive.Attr("messageCount"))
	if !r.Primitive.Has("messageCount") {
		n = usualMessages
	}
	n = min(n, mostMessages)
	answer := wire.New("GetMessageListResponse").Add(wire.Status(wire.Successful, ""))
	if id := r.Primitive.Attr("groupID"); id != "" {
		if !agreed(r, "IMFeature/GroupHistory") {
			return wire.NotAgreed
		}
		l, err := s.historyOf(u, id, n, r.Link.Peer().Dialect)
		if err != nil {
			return err
		}
		r.Answer(answer.Add(l...))
		return nil
	}
	if n > 0 {
		l, err := s.x.Box(s.ctx, u.who, n)
		if err != nil {
			return err
		}
		for _, m := range l {
			if info, _, ok := s.infoOf(m, u.who); ok {
				answer.Add(info.Element(r.Link.Peer().Dialect))
			}
		}
	}
	r.Answer(answer)
	return nil
}

func (s *Server) historyOf(u *user, id string, n int, d wire.Dialect) ([]*wire.Element, error) {
	g, err := ssp.ParseResource(id)
	if err != nil {
		return nil, wire.BadParameter
	}
	return s.rooms.history(s.ctx, u.who, g, n, d)
}

// reject takes messages out of the box that nobody wants: SSP 12.2.11, 12.3.8.
func (s *Server) reject(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	v := newVerdicts()
	for e := range r.Primitive.Children("MessageID") {
		m, err := u.box(e.Attr("messageID"))
		if err == nil {
			err = s.x.Unbox(s.ctx, u.who, m.ID, slot, im.ErrAbsent)
		}
		v.add(err, wire.New("MessageID", "messageID", e.Attr("messageID"), "messageURI", e.Attr("messageURI")))
	}
	r.Answer(v.element())
	return nil
}

// forward sends a message in the box on to others: SSP 12.2.3, 12.3.2. It stays in the box: ssp-syntax 9.
func (s *Server) forward(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	m, err := u.box(r.Primitive.Attr("messageID"))
	if err != nil {
		return err
	}
	info, content, ok := s.infoOf(m, u.who)
	if !ok {
		return wire.BadMediaType
	}
	info.ID, info.From, info.To = "", ssp.Party{User: u.who}, nil
	for e := range r.Primitive.Children("Recipient") {
		l, err := ssp.ReadParties(e)
		if err != nil || len(l) != 1 {
			return wire.BadParameter
		}
		info.To = append(info.To, l[0])
	}
	if toGroups(info.To) && !agreed(r, "IMFeature/SendMsgGroupID") {
		return wire.NotAgreed
	}
	info.To = u.expand(info.To)
	s.pass(p, r, info, content, false, r.Answer)
	return nil
}

// setMethod keeps how messages are delivered to a user of the peer's: SSP 12.2.8, 12.3.6.
func (s *Server) setMethod(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	method, longest := r.Primitive.Attr("deliveryMethod"), wire.Int(r.Primitive.Attr("acceptedContentLength"))
	if id := r.Primitive.Attr("groupID"); id != "" {
		g, err := ssp.ParseResource(id)
		if err != nil {
			return wire.BadParameter
		}
		if err := s.rooms.deliver(s.ctx, u.who, g, method, longest); err != nil {
			return err
		}
		r.Answer(wire.Status(wire.Successful, ""))
		return nil
	}
	if err := u.keep(s.ctx, func(k *kept) error {
		k.Method, k.Longest = method, longest
		put(&k.Profile, "Terminal.Delivery", map[string]string{methodPush: "PUSH", methodNotify: "NOTIFY"}[method])
		if longest > 0 {
			put(&k.Profile, "Terminal.Content.length", strconv.Itoa(longest))
		} else {
			delete(k.Profile, "Terminal.Content.length")
		}
		return nil
	}); err != nil {
		return err
	}
	r.Answer(wire.Status(wire.Successful, ""))
	u.offer()
	return nil
}

// announced hears that messages wait for users of ours at the peer, which is their message service, and fetches them: SSP
// 12.2.6, 12.3.4, 12.3.5.
func (s *Server) announced(p *peer, r *session.Request) error {
	id := r.Primitive.Child("MessageInfo").Attr("messageID")
	if id == "" {
		return wire.BadMessage
	}
	v := newVerdicts()
	var ours []im.Address
	for e := range r.Primitive.Children("User") {
		who, err := s.ours(e.Attr("userID"))
		if err == nil {
			err = s.known(who)
		}
		if err == nil {
			ours = append(ours, who)
		}
		v.add(err, userID(e.Attr("userID")))
	}
	r.Answer(v.element())
	for _, who := range ours {
		s.work.Go(func() { s.fetch(p, r.Link, who, id) }) // ends with the transaction
	}
	return nil
}

// fetchLasts bounds how long a message that is fetched may take to its receiver here, who is waited for before the peer is
// told that they have it.
const fetchLasts = 5 * time.Second

// fetch gets a message for one of ours from their message service: SSP 12.3.5.
func (s *Server) fetch(p *peer, l *session.Link, who im.Address, id string) {
	_, err := l.RequestThen(s.ctx, wire.New("GetMessageRequest", "messageID", id).Add(s.meta(who)), func(e *wire.Element) *wire.Element {
		info, err := ssp.ReadInfo(e.Child("MessageInfo"))
		if err == nil && info.From.Group.Resource != "" {
			if wire.StatusOf(s.groupWords(p, info, e.Child("ContentData"), []im.Address{who})).Class() == 2 {
				return wire.New("MessageDelivered", "messageID", id).Add(s.meta(who))
			}
			return nil
		}
		if err != nil || info.From.User.IsZero() {
			return nil
		}
		info.To = []ssp.Party{{User: who}}
		taken := make(chan wire.Code, 1)
		s.pass(p, nil, info, e.Child("ContentData"), false, func(status *wire.Element) { taken <- wire.StatusOf(status) })
		t := time.NewTimer(fetchLasts)
		defer t.Stop()
		select {
		case c := <-taken:
			if c.Class() == 2 {
				return wire.New("MessageDelivered", "messageID", id).Add(s.meta(who))
			}
		case <-t.C: // if it is fetched again, it is known
		}
		return nil
	})
	if err != nil && s.ctx.Err() == nil {
		s.log.Warn("message not fetched from a domain", "domain", p.domain, "err", err)
	}
}
