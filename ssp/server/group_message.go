package server

import (
	"slices"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// Words said in groups: SSP 12.3.1 takes them, and those of other domains who are in the group get them as a message
// service's clients do (12.3.3, or 12.3.4 and 12.3.5), from the group, under the screen name of who said them.

// sayIn says something of a peer's user to a group, or to one in it. It is settled when the group has it: 800, 808, 812,
// 813, 816; 531 when nobody there goes by the name. SSP 12.3.1, 12.4.1
func (s *Server) sayIn(p *peer, info ssp.Info, to ssp.Party, nat im.Native, n im.Neutral, settle func(error)) {
	u, err := p.user(s.ctx, info.From.User)
	if err != nil {
		settle(err)
		return
	}
	id, err := im.NewRoomID(to.Group.Owner, to.Group.Resource)
	if err != nil {
		settle(wire.NoGroup)
		return
	}
	a, first := p.arrives(time.Now(), info.ID, u.who, im.TrustedAddress(id.String()+" "+to.Name), settle)
	if !first {
		return
	}
	settled := func(err error) {
		p.arrived(a, err)
		settle(err)
	}
	m := &im.Message{From: u.who, FromSlot: slot, Time: time.Now(), Kind: im.Words, Native: nat, Neutralise: func() im.Neutral { return n }}
	if err := u.lane.do(s, func() { settled(s.say(u, id, to.Name, m)) }); err != nil {
		settled(err)
	}
}

func (s *Server) say(u *user, id im.RoomID, to string, m *im.Message) error {
	seat, err := s.seat(u, id)
	switch {
	case err != nil:
		return err
	case to == "":
		return seat.Say(s.ctx, m)
	}
	return as(seat.Whisper(to, m), im.ErrAbsent, wire.UnknownUser)
}

// infoOf is what is told of words, and their content; false for what is none.
func infoOfWords(s *Server, id im.RoomID, w *exchange.RoomWords) (ssp.Info, *wire.Element, bool) {
	content, typ, size, ok := contentOf(w.Message)
	at := groupAddress(id)
	return ssp.Info{ID: ssp.FormatMessageID(w.Message.ID, s.x.Domain()), Type: typ, Size: size, To: []ssp.Party{{Group: at, Name: w.To}},
		From: ssp.Party{Group: at, Name: w.By.Nick}, Time: w.Message.Time}, content, ok && w.Message.Kind == im.Words
}

// words tells users what was said in a group: as a message service does, or, to who knows no such transaction, as a message.
func (p *peer) words(l *session.Link, id im.RoomID, w *exchange.RoomWords, to []*user) {
	info, content, ok := infoOfWords(p.s, id, w)
	if !ok || w.Mine {
		return
	}
	d := l.Peer().Dialect
	var e *wire.Element
	if mine, _ := l.Agreed(); slices.Contains(mine, "IMFeature/PushMsg") {
		e = wire.New("NewMessage").Add(p.s.meta(nobody))
		for _, u := range to {
			e.Add(userElement(u.who))
		}
		e.Add(info.Element(d))
	} else {
		group := info.To
		info.To = nil
		for _, u := range to {
			info.To = append(info.To, ssp.Party{User: u.who})
		}
		if w.To != "" {
			info.To = append(info.To, group...) // that it is for one alone
		}
		e = wire.New("SendMessageRequest", "deliveryReport", wire.No).Add(p.s.meta(nobody), info.Element(d))
	}
	p.sendOf(l, id, e.Add(content), to)
}

// mostKept bounds how many words wait for one user who fetches them.
const mostKept = 100

// keeps keeps words for a user who fetches them, and tells them: SSP 12.3.4, 12.3.6. False: they are to be pushed.
func (p *peer) keeps(l *session.Link, u *user, in place, w *exchange.RoomWords) bool {
	info, _, ok := infoOfWords(p.s, w.Room, w)
	mine, _ := l.Agreed()
	if !ok || w.Mine || !slices.Contains(mine, "IMFeature/NotifyMsg") || in.method != methodNotify && (in.longest == 0 || info.Size <= in.longest) {
		return false
	}
	u.mu.Lock()
	u.words = append(u.words, w)
	if len(u.words) > mostKept {
		u.words = slices.Delete(u.words, 0, 1)
	}
	u.mu.Unlock()
	p.sendOf(l, w.Room, wire.New("MessageNotification").Add(p.s.meta(nobody), userElement(u.who), info.Element(l.Peer().Dialect)), []*user{u})
	return true
}

// kept finds words that wait for the user, or that a group remembers which they are in. SSP 12.3.5, 12.3.7
func (u *user) saidTo(id im.MessageID) (*exchange.RoomWords, bool) {
	u.mu.Lock()
	i := slices.IndexFunc(u.words, func(w *exchange.RoomWords) bool { return w.Message.ID == id })
	if i >= 0 {
		w := u.words[i]
		u.mu.Unlock()
		return w, true
	}
	u.mu.Unlock()
	for _, seat := range u.p.s.x.RoomSeats(u.c) {
		l, err := seat.History(u.p.s.ctx, mostMessages)
		i := slices.IndexFunc(l, func(w im.Said) bool { return w.ID == id })
		if err == nil && i >= 0 {
			m := &im.Message{ID: id, Time: l[i].Time, Native: l[i].Native, Neutralise: func() im.Neutral { return l[i].Neutral }}
			return &exchange.RoomWords{Room: seat.Room(), By: exchange.RoomUser{Nick: l[i].Nick}, Message: m}, true
		}
	}
	return nil, false
}

// getWords gives words of a group that were told of, or are remembered: SSP 12.2.7, 12.3.5.
func (s *Server) getWords(p *peer, r *session.Request, u *user) error {
	id, ok := ssp.ParseMessageID(r.Primitive.Attr("messageID"), s.x.Domain())
	if !ok {
		return wire.BadMessage
	}
	w, ok := u.saidTo(id)
	if !ok {
		return wire.BadMessage
	}
	info, content, ok := infoOfWords(s, w.Room, w)
	if !ok {
		return wire.BadMessage
	}
	r.Answer(wire.New("NewMessage").Add(wire.Status(wire.Successful, ""), userElement(u.who), info.Element(r.Link.Peer().Dialect), content))
	e, err := r.Then(s.ctx)
	if err != nil {
		return nil // they may be asked for again
	}
	if e.Attr("messageID") != info.ID {
		return wire.BadMessage
	}
	u.mu.Lock()
	u.words = slices.DeleteFunc(u.words, func(o *exchange.RoomWords) bool { return o == w })
	u.mu.Unlock()
	r.Answer(wire.Status(wire.Successful, ""))
	return nil
}

// usersOf are the users among receivers.
func usersOf(l []ssp.Party) (who []im.Address) {
	for _, p := range l {
		if !p.User.IsZero() {
			who = append(who, p.User)
		}
	}
	return who
}

// toGroupsAlone reports whether a message goes to groups alone, from one who is named as they are there.
func toGroupsAlone(info ssp.Info) bool {
	return info.From.Group.Resource != "" && !slices.ContainsFunc(info.To, func(p ssp.Party) bool { return p.Group.Resource == "" })
}

// agreed reports whether the peer may ask for something of the service tree: ssp-syntax 5.5.
func agreed(r *session.Request, node string) bool {
	mine, _ := r.Link.Agreed()
	return slices.Contains(mine, node)
}

// toGroups reports whether a message goes to a group, or to one in it.
func toGroups(l []ssp.Party) bool {
	return slices.ContainsFunc(l, func(p ssp.Party) bool { return p.Group.Resource != "" })
}
