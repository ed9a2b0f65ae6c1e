package exchange

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/im"
	"parley/store"
)

// What people do to rooms, whether or not they are in them. In each act, By.Who may be zero: the service itself, which
// may do all. What an act changes is committed, then those in the room are told.

// judged is a room as an act finds it, inside its transaction.
type judged struct {
	room im.Room
	me   im.RoomPerson // who acts
}

// actOn runs an act on a room: judge says what changes. im.ErrNoRoom, and im.ErrUnknownUser and im.ErrDisabled when by.Who
// is an account no more.
func (x *Exchange) actOn(ctx context.Context, by By, id im.RoomID, op string, judge func(tx *store.Tx, r judged) (*roomChange, error)) error {
	if by.Client != nil {
		by.Client.Flush() // nobody waits for our commit
	}
	var c *roomChange
	return x.store.Update(ctx, op, func(tx *store.Tx) error {
		c = nil
		r, err := x.judged(tx, by, id)
		if err != nil {
			return err
		}
		if c, err = judge(tx, r); err != nil || c == nil {
			return err
		}
		if c.gone {
			return tx.DeleteRoom(id)
		}
		if c.room != nil {
			if err := tx.PutRoom(*c.room); err != nil {
				return err
			}
		}
		for _, p := range c.people {
			if err := tx.PutRoomPerson(id, p); err != nil {
				return err
			}
		}
		return nil
	}, func() {
		if c != nil {
			x.applyRoom(id, c)
		}
	})
}

func (x *Exchange) judged(tx *store.Tx, by By, id im.RoomID) (r judged, err error) {
	if r.room, err = tx.Room(id); err != nil {
		return r, err
	}
	if by.Who.IsZero() {
		r.me.Affiliation = im.RoomOwner
		return r, nil
	}
	if err := x.active(tx, by.Who); err != nil {
		return r, err
	}
	r.me, err = tx.RoomPerson(id, by.Who)
	return r, err
}

// active says whether somebody may act: not an account of ours that is going, or gone.
func (x *Exchange) active(tx *store.Tx, who im.Address) error {
	if !x.domains[who.Domain()] {
		return nil
	}
	acct, err := tx.Account(who)
	if err == nil && acct.Disabled {
		err = im.ErrDisabled
	}
	return err
}

// CreateRoom makes a room at a domain of ours, or by.Who's own; they are its owner. With by.Who zero it is the service's.
// im.ErrRoomExists, im.ErrTooManyRooms, im.ErrBadRoomProps, and those of im.MayMakeRoom. One that does not persist goes
// with the last who is in it, or when the service restarts. SSP 13.2.1, 13.3.1
func (x *Exchange) CreateRoom(ctx context.Context, by By, id im.RoomID, p im.RoomProps) error {
	if by.Client != nil {
		by.Client.Flush()
	}
	if err := x.checkProps(p); err != nil {
		return err
	}
	return x.store.Update(ctx, "create room", func(tx *store.Tx) error {
		r := im.Room{ID: id, Owner: by.Who, Props: p, Created: time.Now()}
		if by.Who.IsZero() {
			return tx.CreateRoom(r)
		}
		if err := x.active(tx, by.Who); err != nil {
			return err
		}
		if err := im.MayMakeRoom(by.Who, id, p, x.domains[id.Home.Domain()]); err != nil {
			return err
		}
		n, err := tx.CountRooms(by.Who)
		if err != nil {
			return err
		}
		if err := tx.CreateRoom(r); err != nil { // that it exists is said first
			return err
		}
		if n >= x.cfg.Rooms {
			x.cfg.Metrics.LimitHit("rooms")
			return im.ErrTooManyRooms
		}
		return tx.PutRoomPerson(id, im.RoomPerson{Who: by.Who, Affiliation: im.RoomOwner})
	}, func() {}) // after one of the same name that went before is gone from memory, too
}

func (x *Exchange) checkProps(p im.RoomProps) error {
	b := x.roomBounds()
	if p.History > b.History {
		x.cfg.Metrics.LimitHit("room_history")
	}
	if p.MaxUsers > b.Users {
		x.cfg.Metrics.LimitHit("room_users")
	}
	return p.Check(b)
}

// DeleteRoom takes a room away; those in it are told, with a reason in by.Who's words. Those of im.RoomProps.MayDelete.
// SSP 13.2.2
func (x *Exchange) DeleteRoom(ctx context.Context, by By, id im.RoomID, reason string) error {
	return x.actOn(ctx, by, id, "delete room", func(_ *store.Tx, r judged) (*roomChange, error) {
		if !by.Who.IsZero() {
			if err := r.room.Props.MayDelete(r.me.Affiliation); err != nil {
				return nil, err
			}
		}
		return &roomChange{gone: true, reason: reason}, nil
	})
}

// RoomInfo gives a room as by.Who may see it, with who is in it: im.ErrNoRoom, and those of im.RoomProps.MaySee. SSP
// 13.2.6, 13.2.11
func (x *Exchange) RoomInfo(ctx context.Context, by By, id im.RoomID) (RoomView, error) {
	h, err := x.hall(ctx, id)
	if err != nil {
		return RoomView{}, err
	}
	defer x.halls.leave(h)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return RoomView{}, im.ErrNoRoom
	}
	me := h.standing(by.Who)
	if by.Who.IsZero() {
		me.Affiliation = im.RoomOwner
	}
	v := h.view(me)
	if err := h.room.Props.MaySee(me.Affiliation, v.Joined); err != nil {
		return RoomView{}, err
	}
	return v, nil
}

// Rooms lists at most n of the searchable rooms that a query fits, without their passwords; next is where the next page
// begins (after), and 0 begins the first.
func (x *Exchange) Rooms(ctx context.Context, q store.RoomQuery, after int64, n int) (l []im.Room, next int64, err error) {
	err = x.store.View(ctx, "find rooms", func(tx *store.Tx) error {
		l, next, err = tx.FindRooms(q, after, n)
		return err
	})
	for i := range l {
		l[i].Props = l[i].Props.For(im.NoAffiliation)
	}
	return l, next, err
}

// RoomsJoinedBy lists at most n of the searchable rooms that somebody is in who shows there who they are, and whose
// address holds part.
func (x *Exchange) RoomsJoinedBy(part string, n int) (l []im.RoomID) {
	x.halls.mu.Lock()
	var seats []*RoomSeat
	for who, s := range x.halls.seats {
		if strings.Contains(who.String(), part) {
			seats = append(seats, s...)
		}
	}
	x.halls.mu.Unlock()
	for _, s := range seats {
		s.h.mu.Lock()
		p := s.h.room.Props
		shown := !s.gone && p.Searchable && p.Shows(im.NoAffiliation, s.o.own)
		s.h.mu.Unlock()
		if shown && !slices.Contains(l, s.h.id) {
			l = append(l, s.h.id)
		}
	}
	slices.SortFunc(l, func(a, b im.RoomID) int { return strings.Compare(a.String(), b.String()) })
	return l[:min(len(l), n)]
}

// RoomKept is what a room keeps about somebody.
type RoomKept struct {
	Room im.RoomID
	im.RoomPerson
}

// RoomsOf lists the rooms that keep something about somebody: that they are members of, rejected from, or enter by
// themselves.
func (x *Exchange) RoomsOf(ctx context.Context, who im.Address) (l []RoomKept, err error) {
	err = x.store.View(ctx, "rooms of", func(tx *store.Tx) error {
		ids, kept, err := tx.RoomsWith(who)
		l = nil
		for i, id := range ids {
			l = append(l, RoomKept{id, kept[i]})
		}
		return err
	})
	return l, err
}

// SetRoomProps changes properties of a room: change is called with those that by.Who may read, and may be called again. An
// error of its own comes back. Those of im.RoomProps.MayChange, im.ErrBadRoomProps. SSP 13.2.12
func (x *Exchange) SetRoomProps(ctx context.Context, by By, id im.RoomID, change func(*im.RoomProps) error) error {
	joined := slices.ContainsFunc(x.halls.of(by.Who), func(s *RoomSeat) bool { return s.h.id == id })
	return x.actOn(ctx, by, id, "room properties", func(tx *store.Tx, r judged) (*roomChange, error) {
		was := r.room.Props
		p := was.For(r.me.Affiliation)
		if err := change(&p); err != nil {
			return nil, err
		}
		if r.me.Affiliation < im.Administrator && p.Password == "" {
			p.Password = was.Password // which they did not see
		}
		if p == was {
			return nil, nil
		}
		if !by.Who.IsZero() {
			if err := was.MayChange(r.me.Affiliation, joined, p); err != nil {
				return nil, err
			}
		}
		if err := x.checkProps(p); err != nil {
			return nil, err
		}
		if p.History < was.History {
			if err := tx.TrimSaid(id, p.History); err != nil {
				return nil, err
			}
		}
		r.room.Props = p
		return &roomChange{room: &r.room}, nil
	})
}

// ExpelFromRoom has who goes by a screen name leave; they may come again. im.ErrAbsent when nobody does,
// im.ErrNoPrivilege, im.ErrNoRoom. SSP 13.2.5
func (x *Exchange) ExpelFromRoom(ctx context.Context, by By, id im.RoomID, nick, reason string) error {
	h, err := x.hall(ctx, id)
	if err != nil {
		return err
	}
	defer x.halls.leave(h)
	var b Batch
	h.mu.Lock()
	err = func() error {
		me := h.standing(by.Who).Affiliation
		if by.Who.IsZero() {
			me = im.RoomOwner
		}
		o := h.in[im.FoldNick(nick)]
		switch {
		case h.over:
			return im.ErrNoRoom
		case me < im.Moderator:
			return im.ErrNoPrivilege
		case o == nil:
			return im.ErrAbsent
		}
		if err := im.MayExpel(me, h.standing(o.who).Affiliation); err != nil {
			return err
		}
		h.expel(&b, o, im.ErrNoPrivilege, reason)
		return nil
	}()
	passes := h.passes()
	h.mu.Unlock()
	if passes {
		h.pass()
	}
	b.Flush()
	return err
}

// keepOwn has a room keep properties of by.Who's own, who is a member: im.ErrNotMember.
func (x *Exchange) keepOwn(ctx context.Context, by By, id im.RoomID, own im.OwnProps) error {
	return x.actOn(ctx, by, id, "own properties", func(_ *store.Tx, r judged) (*roomChange, error) {
		if r.me.Affiliation < im.RoomMember {
			return nil, im.ErrNotMember
		}
		r.me.Own = own
		return &roomChange{people: []im.RoomPerson{r.me}}, nil
	})
}

// SetRoomOwn gives by.Who properties of their own in a room that they are in, or a member of: im.ErrNotJoined. SSP 13.2.12
func (x *Exchange) SetRoomOwn(ctx context.Context, by By, id im.RoomID, own im.OwnProps) error {
	for _, s := range x.halls.of(by.Who) {
		if s.h.id == id {
			return s.SetOwn(ctx, own)
		}
	}
	err := x.keepOwn(ctx, by, id, own)
	if err == im.ErrNotMember {
		err = im.ErrNotJoined
	}
	return err
}

// KeepRoomNick keeps a screen name for by.Who, a member; "" gives it free. im.ErrNotMember, im.ErrBadName,
// im.ErrNickInUse.
func (x *Exchange) KeepRoomNick(ctx context.Context, by By, id im.RoomID, nick string) error {
	if nick != "" {
		var err error
		if nick, err = im.Nick(nick); err != nil {
			return err
		}
	}
	h, err := x.hall(ctx, id)
	if err != nil {
		return err
	}
	defer x.halls.leave(h)
	h.mu.Lock()
	o := h.in[im.FoldNick(nick)]
	h.mu.Unlock()
	if o != nil && o.who != by.Who {
		return im.ErrNickInUse
	}
	return x.actOn(ctx, by, id, "keep nick", func(tx *store.Tx, r judged) (*roomChange, error) {
		if r.me.Affiliation < im.RoomMember {
			return nil, im.ErrNotMember
		}
		people, err := tx.RoomPeople(id)
		if err != nil {
			return nil, err
		}
		for _, p := range people {
			if nick != "" && p.Who != by.Who && p.Nick != "" && im.FoldNick(p.Nick) == im.FoldNick(nick) {
				return nil, im.ErrNickInUse
			}
		}
		r.me.Nick = nick
		return &roomChange{people: []im.RoomPerson{r.me}}, nil
	})
}

// forgetInRooms takes into memory that an account is gone: the rooms that were theirs are, and others keep nothing about
// them. Called by the publisher.
func (x *Exchange) forgetInRooms(who im.Address, gone, others []im.RoomID) {
	for _, id := range gone {
		x.applyRoom(id, &roomChange{gone: true})
	}
	for _, id := range others {
		x.applyRoom(id, &roomChange{people: []im.RoomPerson{{Who: who}}})
	}
}
