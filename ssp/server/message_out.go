package server

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

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
	from := p.faceOf(m.From)
	to := u.recipient.Load()
	if to == nil {
		to = wire.New("Recipient").Add(ssp.Party{User: u.who}.Element(l.Peer().Dialect)).Freeze()
		u.recipient.Store(to)
	}
	x := &letter{
		attrs: [5]wire.Attr{{Name: "deliveryReport", Value: wire.YesNo(m.Report)},
			{Name: "messageID", Value: id}, {Name: "contentType", Value: typ}, {Name: "contentSize", Value: strconv.Itoa(size)}, {Name: "validity", Value: validitySeconds}},
		info: [3]*wire.Element{to, from.sender, p.dateTime(m.Time)},
	}
	x.message = wire.Element{Name: "MessageInfo", Attrs: x.attrs[1:], Kids: x.info[:]}
	x.inside = [3]*wire.Element{from.meta, &x.message, content}
	x.request = wire.Element{Name: "SendMessageRequest", Attrs: x.attrs[:1], Kids: x.inside[:]}
	if m.Report {
		p.remember(id, m.Message)
	}
	l.GoOrdered(p.s.lasting, from.name+u.name, &x.request, settledBy(m))
}

// letter is a request to take a message: there are so many that each is one piece of memory.
type letter struct {
	request, message wire.Element
	attrs            [5]wire.Attr
	inside, info     [3]*wire.Element
}

// moment is a second as it stands in messages.
type moment struct {
	second int64
	e      *wire.Element
}

// dateTime is when a message was sent: most have the second of the one before.
func (p *peer) dateTime(t time.Time) *wire.Element {
	now := p.moment.Load()
	if now == nil || now.second != t.Unix() {
		now = &moment{t.Unix(), wire.New("DateTime", "format", "iso8601").With(wire.FormatTime(t)).Freeze()}
		p.moment.Store(now)
	}
	return now.e
}

// face is how one of ours who says something stands in requests. What is in it is not changed any more: it stands in many.
type face struct {
	meta, sender *wire.Element
	name         string
}

// mostFaces is how many are kept for a peer.
const mostFaces = 1024

// faceOf gives the one of a user of ours.
func (p *peer) faceOf(who im.Address) *face {
	p.mu.Lock()
	f := p.faces[who]
	p.mu.Unlock()
	if f != nil {
		return f
	}
	f = &face{p.s.meta(who).Freeze(), wire.New("Sender").Add(ssp.Party{User: who}.Element(wire.WV10)).Freeze(), who.String() + " "}
	p.mu.Lock()
	if len(p.faces) >= mostFaces {
		clear(p.faces)
	}
	put(&p.faces, who, f)
	p.mu.Unlock()
	return f
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
const (
	validity        = 24 * time.Hour
	validitySeconds = "86400"
)

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
