package exchange

import (
	"context"
	"slices"

	"parley/im"
	"parley/store"
)

// RoomSeat is a session's place in a room that lasts. Its methods are safe for anybody, and flush what they hand.
type RoomSeat struct {
	h       *hall
	o       *occupant
	session Session
	client  *Client
	echo    bool

	notices bool // guarded by h.mu: it is told of who comes and goes, and of what changes
	gone    bool // guarded by h.mu
}

// RoomJoin says how a session enters a room.
type RoomJoin struct {
	Room     im.RoomID
	Nick     string       // ""; the room picks one
	Password string       // ""; none
	Own      *im.OwnProps // while they are in it; nil: as the room keeps them
	Notices  bool         // it is told of who comes and goes, and of what changes
	Echo     bool         // it is handed its own words, too, in their place
	// Greet is called when it is in, before anything is handed to it. It must only queue. May be nil.
	Greet func(RoomView)

	alone bool // nothing can be said to them alone, whatever they say
}

// JoinRoom has a session of somebody enter a room; what happens there is handed to s, nil: to the session itself. Further
// sessions of theirs come in under the screen name that the first one has. The seat goes with the session. The errors are
// those of im.RoomProps.MayJoin, im.ErrNoRoom, im.ErrJoined (this session is in), im.ErrNickInUse, im.ErrBadName,
// im.ErrTooManyJoined, im.ErrGone (the session has ended). SSP 13.2.3
func (x *Exchange) JoinRoom(ctx context.Context, c *Client, j RoomJoin, s Session) (*RoomSeat, error) {
	h, err := x.hall(ctx, j.Room)
	if err != nil {
		return nil, err
	}
	defer x.halls.leave(h)
	if s == nil {
		s = c.session
	}
	seat := &RoomSeat{h: h, session: s, client: c, notices: j.Notices, echo: j.Echo}
	var b Batch
	h.mu.Lock()
	err = h.admit(&b, seat, j)
	h.mu.Unlock()
	b.Flush()
	if err != nil {
		return nil, err
	}
	c.account.mu.Lock()
	gone := c.gone
	c.account.mu.Unlock()
	if gone { // who ended it may not have seen the seat
		seat.Leave()
		return nil, im.ErrGone
	}
	return seat, nil
}

// admit gives a seat to a session. The caller holds h.mu.
func (h *hall) admit(b *Batch, s *RoomSeat, j RoomJoin) error {
	x, who := h.x, s.client.account.who
	if h.over {
		return im.ErrNoRoom
	}
	me := h.standing(who)
	o := h.occupant(who)
	if o != nil && slices.ContainsFunc(o.seats, func(t *RoomSeat) bool { return t.client == s.client }) {
		return im.ErrJoined
	}
	if o == nil {
		if err := h.room.Props.MayJoin(me.Affiliation, j.Password, len(h.in), x.roomBounds()); err != nil {
			if err == im.ErrRoomFull && len(h.in) >= x.cfg.RoomUsers {
				x.cfg.Metrics.LimitHit("room_users")
			}
			return err
		}
		nick, err := h.nick(s.client, me, j)
		if err != nil {
			return err
		}
		o = &occupant{who: who, nick: nick, own: me.Own}
		if j.Own != nil {
			o.own = *j.Own
		}
		o.own.NoPrivate = o.own.NoPrivate || j.alone
	}
	s.o = o
	if !x.halls.enter(s, x.cfg.RoomsJoined) {
		x.cfg.Metrics.LimitHit("rooms_joined")
		return im.ErrTooManyJoined
	}
	first := len(o.seats) == 0
	o.seats = append(slices.Clip(o.seats), s)
	h.in[im.FoldNick(o.nick)] = o
	if j.Greet != nil {
		j.Greet(h.view(me))
	}
	if first {
		h.tell(b, o, o, func(u RoomUser) Delivery { return &RoomJoined{Room: h.id, User: u} })
	}
	return nil
}

// nick is the screen name for somebody who comes in: the one they want, or one that is free. One that is kept for somebody
// is taken by nobody else. The caller holds h.mu.
func (h *hall) nick(c *Client, me im.RoomPerson, j RoomJoin) (string, error) {
	if j.Nick != "" {
		nick, err := im.Nick(j.Nick)
		if err == nil && h.taken(im.FoldNick(nick), me.Who) {
			err = im.ErrNickInUse
		}
		return nick, err
	}
	want := me.Nick
	if want == "" {
		want = c.account.snap.Load().Name
	}
	own := me.Own
	if j.Own != nil {
		own = *j.Own
	}
	if want == "" && h.room.Props.Shows(im.NoAffiliation, own) { // else it would tell who they are
		want = me.Who.Local()
	}
	return im.FreeNick(want, func(folded string) bool { return h.taken(folded, me.Who) }), nil
}

// taken reports whether somebody else has a screen name, or it is kept for them. The caller holds h.mu.
func (h *hall) taken(folded string, but im.Address) bool {
	if o := h.in[folded]; o != nil && o.who != but {
		return true
	}
	for who, p := range h.people {
		if who != but && p.Nick != "" && im.FoldNick(p.Nick) == folded {
			return true
		}
	}
	return false
}

// RoomSeat gives the seat that a session has in a room: im.ErrNotJoined.
func (x *Exchange) RoomSeat(c *Client, id im.RoomID) (*RoomSeat, error) {
	for _, s := range x.halls.of(c.account.who) {
		if s.client == c && s.h.id == id {
			return s, nil
		}
	}
	return nil, im.ErrNotJoined
}

// RoomSeats lists the seats that a session has.
func (x *Exchange) RoomSeats(c *Client) []*RoomSeat {
	return slices.DeleteFunc(slices.Clone(x.halls.of(c.account.who)), func(s *RoomSeat) bool { return s.client != c })
}

// leaveRooms gives up the seats of a session that has ended.
func (x *Exchange) leaveRooms(b *Batch, c *Client) {
	for _, s := range x.RoomSeats(c) {
		if s.leave(b) == nil && s.session != c.session {
			b.Hand(s.session, &RoomEnded{Room: s.h.id, Why: im.ErrGone})
		}
	}
}

// Room is the room's id.
func (s *RoomSeat) Room() im.RoomID { return s.h.id }

// Who is whose seat it is.
func (s *RoomSeat) Who() im.Address { return s.o.who }

// View is the room as the seat's owner sees it now: im.ErrNotJoined when the seat is given up.
func (s *RoomSeat) View() (RoomView, error) {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	if s.gone {
		return RoomView{}, im.ErrNotJoined
	}
	return s.h.view(s.h.standing(s.o.who)), nil
}

// SetNotices has the session told of who comes and goes and of what changes, or not: im.ErrNotJoined. SSP 13.2.14,
// 13.2.15
func (s *RoomSeat) SetNotices(on bool) error {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	if s.gone {
		return im.ErrNotJoined
	}
	s.notices = on
	return nil
}

// Notices reports whether it is told: im.ErrNotJoined. SSP 13.2.16
func (s *RoomSeat) Notices() (bool, error) {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	if s.gone {
		return false, im.ErrNotJoined
	}
	return s.notices, nil
}

// Leave gives the seat up: im.ErrNotJoined when that has happened. SSP 13.2.4
func (s *RoomSeat) Leave() error {
	var b Batch
	err := s.leave(&b)
	b.Flush()
	return err
}

func (s *RoomSeat) leave(b *Batch) error {
	h := s.h
	h.x.halls.pin(h)
	defer h.x.halls.leave(h)
	h.mu.Lock()
	if s.gone {
		h.mu.Unlock()
		return im.ErrNotJoined
	}
	s.gone = true
	h.x.halls.exit(s)
	o := s.o
	o.seats = slices.DeleteFunc(slices.Clone(o.seats), func(t *RoomSeat) bool { return t == s })
	if len(o.seats) == 0 {
		h.went(b, o, nil, "")
	}
	passes := h.passes()
	h.mu.Unlock()
	if passes {
		h.pass()
	}
	return nil
}

// Rename gives the seat's owner another screen name, in all their sessions: im.ErrNickInUse, im.ErrBadName,
// im.ErrNotJoined.
func (s *RoomSeat) Rename(nick string) error {
	nick, err := im.Nick(nick)
	if err != nil {
		return err
	}
	h, o := s.h, s.o
	var b Batch
	defer b.Flush()
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case s.gone:
		return im.ErrNotJoined
	case h.taken(im.FoldNick(nick), o.who):
		return im.ErrNickInUse
	case nick == o.nick:
		return nil
	}
	was := o.nick
	delete(h.in, im.FoldNick(was))
	o.nick = nick
	h.in[im.FoldNick(nick)] = o
	h.tell(&b, nil, o, func(u RoomUser) Delivery { return &RoomRenamed{Room: h.id, Was: was, User: u} })
	return nil
}

// Say says something to all in the room. It returns when the words are in the room's history, if it keeps one, and handed
// to all; typing and the like is not kept. m.From is the seat's owner; m.Native must not say who that is. What the rules of
// a receiver deny is not handed to them. im.ErrNotJoined, im.ErrNoPrivilege. SSP 12.3.1
func (s *RoomSeat) Say(ctx context.Context, m *im.Message) error {
	h, x := s.h, s.h.x
	var b Batch
	h.mu.Lock()
	err := s.maySpeak()
	keep := h.room.Props.History
	if err == nil && (keep == 0 || m.Kind != im.Words) {
		if m.ID == 0 {
			m.ID = x.messageIDs(1)
		}
		h.said(&b, s, m)
	}
	nick := s.o.nick
	h.mu.Unlock()
	b.Flush()
	if err != nil || keep == 0 || m.Kind != im.Words {
		return err
	}
	kept := im.Said{From: s.o.who, Nick: nick, Time: m.Time, Native: im.Native{Door: m.Native.Door, Body: m.Native.Body}, Neutral: m.Neutral()}
	return x.store.Update(ctx, "room say", func(tx *store.Tx) error {
		if m.ID == 0 {
			m.ID = x.messageIDs(1) // here, so that ids ascend as they are committed
		}
		kept.ID = m.ID
		room, err := tx.Room(h.id)
		if err != nil || room.Props.History == 0 { // it keeps none since
			return err
		}
		return tx.AddSaid(h.id, kept, room.Props.History)
	}, func() {
		var b Batch
		h.mu.Lock()
		h.said(&b, s, m)
		h.mu.Unlock()
		x.flusher.take(x, &b)
	})
}

// maySpeak says whether who has the seat may say something to all. The caller holds h.mu.
func (s *RoomSeat) maySpeak() error {
	if s.gone {
		return im.ErrNotJoined
	}
	return s.h.room.Props.MaySpeak(s.h.standing(s.o.who).Affiliation)
}

// said hands something to all in the room. The caller holds h.mu.
func (h *hall) said(b *Batch, from *RoomSeat, m *im.Message) {
	w := words{h: h, from: from, m: m}
	for _, o := range h.in {
		w.hand(b, o)
	}
}

// words are something said, on its way to those in the room.
type words struct {
	h    *hall
	from *RoomSeat
	to   string
	m    *im.Message

	mine, known, unknown *RoomWords // as they were said; with who says it; and without
}

// hand gives the words to all sessions of an occupant that accept them, and reports whether any does. The caller holds
// h.mu.
func (w *words) hand(b *Batch, o *occupant) (any bool) {
	form, mine := &w.unknown, o == w.from.o
	by := w.h.seen(w.h.standing(o.who), w.from.o)
	if mine {
		form = &w.mine
	} else if !by.Who.IsZero() {
		form = &w.known
	}
	for _, s := range o.seats {
		if mine && s == w.from && !s.echo && w.to == "" {
			continue
		}
		if !s.client.heeds(w.m) {
			continue
		}
		any = true
		if *form == nil {
			*form = &RoomWords{Room: w.h.id, By: by, To: w.to, Mine: mine, Message: signed(w.m, by)}
		}
		b.Hand(s.session, *form)
	}
	return any
}

// signed is a message that says of its sender what by does.
func signed(m *im.Message, by RoomUser) *im.Message {
	n := m.For(im.Address{}, m.ID)
	n.From, n.FromName, n.FromSlot, n.Report = by.Who, by.Nick, "", false
	return n
}

// heeds reports whether the rules that judge the session let words of somebody in a room through. That they may not write
// otherwise does not count there.
func (c *Client) heeds(m *im.Message) bool {
	return c.account.snap.Load().Judge(c.uses(), im.Subject{Who: m.From, Slot: m.FromSlot, What: m.Means()})
}

// Whisper says something to one alone in the room, by screen name; their other sessions in it get it, too, and those of
// the sender. It is kept nowhere. im.ErrAbsent when nobody there goes by that name, or does not want to hear it,
// im.ErrOwnBlock, im.ErrNoPrivate, im.ErrNoPrivateToThem, im.ErrNotJoined. SSP 12.3.1, 14.7.13, 14.7.14
func (s *RoomSeat) Whisper(nick string, m *im.Message) error {
	h := s.h
	var b Batch
	defer b.Flush()
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.gone {
		return im.ErrNotJoined
	}
	o := h.in[im.FoldNick(nick)]
	if o == nil {
		return im.ErrAbsent
	}
	if err := h.room.Props.MayWhisper(o.own); err != nil && o != s.o {
		return err
	}
	if snap := s.client.account.snap.Load(); snap.Denies(s.client.uses(), o.who, "") {
		if h.seen(h.standing(s.o.who), o).Who.IsZero() {
			return im.ErrAbsent // who is behind the name is not to be found out so
		}
		return im.ErrOwnBlock
	}
	if m.ID == 0 {
		m.ID = h.x.messageIDs(1)
	}
	w := words{h: h, from: s, to: o.nick, m: m}
	if !w.hand(&b, o) {
		return im.ErrAbsent
	}
	for _, t := range s.o.seats {
		if o == s.o || t == s && !s.echo {
			continue
		}
		by := h.seen(h.standing(s.o.who), s.o)
		b.Hand(t.session, &RoomWords{Room: h.id, By: by, To: o.nick, Mine: true, Message: signed(m, by)})
	}
	return nil
}

// History lists the latest that the room remembers, the oldest first, at most n; who said it is not told. im.ErrNoHistory,
// im.ErrNotJoined. SSP 12.3.7
func (s *RoomSeat) History(ctx context.Context, n int) ([]im.Said, error) {
	h := s.h
	h.mu.Lock()
	gone, keep, shown := s.gone, h.room.Props.History, h.room.Props.ShowAddresses || h.standing(s.o.who).Affiliation >= im.Moderator
	h.mu.Unlock()
	switch {
	case gone:
		return nil, im.ErrNotJoined
	case keep == 0:
		return nil, im.ErrNoHistory
	}
	var l []im.Said
	err := h.x.store.View(ctx, "room history", func(tx *store.Tx) (err error) {
		l, err = tx.Said(h.id, max(min(n, keep), 0))
		return err
	})
	snap := s.client.account.snap.Load()
	l = slices.DeleteFunc(l, func(w im.Said) bool {
		return !snap.Judge(s.client.uses(), im.Subject{Who: w.From, What: im.Messages})
	})
	for i := range l {
		if !shown && l[i].From != s.o.who {
			l[i].From = im.Address{}
		}
	}
	return l, err
}

// SetOwn gives the seat's owner properties of their own. The room keeps those of members; those of others go when they
// leave. im.ErrNotJoined. SSP 13.2.12
func (s *RoomSeat) SetOwn(ctx context.Context, own im.OwnProps) error {
	h := s.h
	h.mu.Lock()
	gone, member := s.gone, h.standing(s.o.who).Affiliation >= im.RoomMember
	h.mu.Unlock()
	if gone {
		return im.ErrNotJoined
	}
	if member {
		if err := h.x.keepOwn(ctx, By{Who: s.o.who}, h.id, own); err != nil {
			return err
		}
	}
	var b Batch
	h.mu.Lock()
	if !s.gone {
		h.owned(&b, s.o, own)
	}
	h.mu.Unlock()
	b.Flush()
	return nil
}
