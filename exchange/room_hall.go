package exchange

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"parley/im"
	"parley/store"
)

// hall is a room that lasts as memory has it, while somebody is in it or asks for it: a copy of what was committed, and
// who is in it.
type hall struct {
	x     *Exchange
	id    im.RoomID
	pins  int           // guarded by halls.mu: seats and calls that need it to stay
	ready chan struct{} // closed by who loads it, when it is there or failed
	err   error         // of loading; read after ready

	mu     sync.Mutex // guards what follows, and the order of what those who are in it are handed
	loaded bool
	missed bool // something was committed while it was loaded
	over   bool // it is gone, or about to be
	room   im.Room
	people map[im.Address]im.RoomPerson
	in     map[string]*occupant // by folded screen name
}

// occupant is somebody in a room: with the first seat, until the last is given up.
type occupant struct {
	who   im.Address
	nick  string
	own   im.OwnProps
	seats []*RoomSeat
}

// halls are the rooms of this node that are in memory.
type halls struct {
	mu    sync.Mutex // guards all
	m     map[im.RoomID]*hall
	seats map[im.Address][]*RoomSeat // where somebody is
}

// openRooms makes ready for rooms, and takes away those that should have gone with who was in them.
func (x *Exchange) openRooms(ctx context.Context) error {
	x.halls.m, x.halls.seats = map[im.RoomID]*hall{}, map[im.Address][]*RoomSeat{}
	return x.store.Update(ctx, "passing rooms", func(tx *store.Tx) error {
		_, err := tx.DeletePassingRooms()
		return err
	}, nil)
}

// hall gives a room that stays in memory until leaveHall: im.ErrNoRoom.
func (x *Exchange) hall(ctx context.Context, id im.RoomID) (*hall, error) {
	r := &x.halls
	r.mu.Lock()
	h := r.m[id]
	load := h == nil
	if load {
		h = &hall{x: x, id: id, ready: make(chan struct{}), in: map[string]*occupant{}}
		r.m[id] = h
	}
	h.pins++
	r.mu.Unlock()
	if load {
		if h.err = h.load(); h.err != nil {
			r.drop(h) // who asks next looks again
		}
		close(h.ready)
	}
	select {
	case <-h.ready:
	case <-ctx.Done():
		r.leave(h)
		return nil, ctx.Err()
	}
	if h.err != nil {
		r.leave(h)
		return nil, h.err
	}
	return h, nil
}

// leave takes a pin back.
func (r *halls) leave(h *hall) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h.pins--; h.pins == 0 && r.m[h.id] == h {
		delete(r.m, h.id)
	}
}

func (r *halls) drop(h *hall) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m[h.id] == h {
		delete(r.m, h.id)
	}
}

// known is a room that is in memory, which stays there until leave; or nil.
func (r *halls) known(id im.RoomID) *hall {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.m[id]
	if h != nil {
		h.pins++
	}
	return h
}

// pin has a room that is in memory stay there until leave.
func (r *halls) pin(h *hall) {
	r.mu.Lock()
	h.pins++
	r.mu.Unlock()
}

// enter notes where somebody is. False: they are in as many rooms as they may be.
func (r *halls) enter(s *RoomSeat, most int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.seats[s.o.who]
	n, there := 0, map[*hall]bool{}
	for _, o := range l {
		if !there[o.h] {
			there[o.h] = true
			n++
		}
	}
	if n >= most && !there[s.h] {
		return false
	}
	r.seats[s.o.who] = append(slices.Clip(l), s)
	s.h.pins++
	return true
}

// exit forgets a seat.
func (r *halls) exit(s *RoomSeat) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := slices.DeleteFunc(slices.Clone(r.seats[s.o.who]), func(o *RoomSeat) bool { return o == s })
	if len(l) == 0 {
		delete(r.seats, s.o.who)
	} else {
		r.seats[s.o.who] = l
	}
	if s.h.pins--; s.h.pins == 0 && r.m[s.h.id] == s.h {
		delete(r.m, s.h.id)
	}
}

// of is where somebody is.
func (r *halls) of(who im.Address) []*RoomSeat {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seats[who]
}

// load reads a room, again if something was committed meanwhile.
func (h *hall) load() error {
	for {
		var room im.Room
		var people []im.RoomPerson
		err := h.x.store.View(h.x.ctx, "load room", func(tx *store.Tx) (err error) {
			if room, err = tx.Room(h.id); err == nil {
				people, err = tx.RoomPeople(h.id)
			}
			return err
		})
		if err != nil {
			return err
		}
		h.mu.Lock()
		if h.missed {
			h.missed = false
			h.mu.Unlock()
			continue
		}
		h.room, h.people, h.loaded = room, map[im.Address]im.RoomPerson{}, true
		for _, p := range people {
			h.people[p.Who] = p
		}
		h.mu.Unlock()
		return nil
	}
}

// standing is how somebody stands to the room. The caller holds h.mu.
func (h *hall) standing(who im.Address) im.RoomPerson {
	p, ok := h.people[who]
	if !ok {
		p.Who = who
	}
	return p
}

// occupant is somebody who is in the room, or nil. The caller holds h.mu.
func (h *hall) occupant(who im.Address) *occupant {
	for _, o := range h.in {
		if o.who == who {
			return o
		}
	}
	return nil
}

// seen is an occupant as somebody sees them. The caller holds h.mu.
func (h *hall) seen(viewer im.RoomPerson, o *occupant) RoomUser {
	u := RoomUser{Nick: o.nick, Affiliation: h.people[o.who].Affiliation}
	if o.who == viewer.Who || h.room.Props.Shows(viewer.Affiliation, o.own) {
		u.Who = o.who
	}
	return u
}

// view is the room as somebody may see it. The caller holds h.mu.
func (h *hall) view(viewer im.RoomPerson) RoomView {
	v := RoomView{Room: h.room, Mine: viewer}
	v.Room.Props = v.Room.Props.For(viewer.Affiliation)
	for _, o := range h.in {
		if o.who == viewer.Who {
			v.Joined, v.Nick, v.Mine.Own = true, o.nick, o.own
		}
		v.Users = append(v.Users, h.seen(viewer, o))
	}
	slices.SortFunc(v.Users, func(a, b RoomUser) int { return cmp.Compare(a.Nick, b.Nick) })
	return v
}

// tell hands something to all in the room who are told of who comes and goes, but for one. The caller holds h.mu.
func (h *hall) tell(b *Batch, but, about *occupant, make func(RoomUser) Delivery) {
	var known, unknown Delivery
	for _, o := range h.in {
		if o == but {
			continue
		}
		for _, s := range o.seats {
			if !s.notices {
				continue
			}
			d := &unknown
			u := h.seen(h.standing(o.who), about)
			if !u.Who.IsZero() {
				d = &known
			}
			if *d == nil {
				*d = make(u)
			}
			b.Hand(s.session, *d)
		}
	}
}

// expel takes somebody out of the room. The caller holds h.mu, and calls passes afterwards.
func (h *hall) expel(b *Batch, o *occupant, why error, reason string) {
	for _, s := range o.seats {
		s.gone = true
		h.x.halls.exit(s)
		b.Hand(s.session, &RoomEnded{Room: h.id, Why: why, Reason: reason})
	}
	o.seats = nil
	h.went(b, o, why, reason)
}

// went tells that somebody is no longer in the room. The caller holds h.mu.
func (h *hall) went(b *Batch, o *occupant, why error, reason string) {
	delete(h.in, im.FoldNick(o.nick))
	h.tell(b, o, o, func(u RoomUser) Delivery { return &RoomLeft{Room: h.id, User: u, Why: why, Reason: reason} })
}

// passes reports that the room goes now that nobody is in it: then the caller calls pass, without the lock. The caller
// holds h.mu.
func (h *hall) passes() bool {
	if h.over || !h.loaded || len(h.in) > 0 || h.room.Props.Persists {
		return false
	}
	h.over = true
	h.x.halls.pin(h) // until it is gone, nobody is to find it in the store
	return true
}

// pass takes away a room that nobody is in, unless it persists by now: before whatever is committed from here on.
func (h *hall) pass() {
	x := h.x
	wait := x.store.Start(x.ctx, "room passes", func(tx *store.Tx) error {
		room, err := tx.Room(h.id)
		if err == im.ErrNoRoom || err == nil && room.Props.Persists {
			return nil
		} else if err != nil {
			return err
		}
		return tx.DeleteRoom(h.id)
	}, func() { x.halls.drop(h) }) // who comes next reads it again, if it is there
	x.spawn(func(context.Context) { // ends when it is committed
		if err := wait(); err != nil && !x.closed.Load() {
			x.log.Error("a room that nobody is in was not taken away", "err", err)
			x.halls.drop(h)
		}
		x.halls.leave(h)
	})
}

// roomChange is what an act changes in a room.
type roomChange struct {
	room   *im.Room        // nil: not the properties
	people []im.RoomPerson // what is kept about them now
	gone   bool            // the room is
	reason string          // in the words of who acts
}

// applyRoom takes into memory what was committed of a room, and tells those in it. Called by the publisher.
func (x *Exchange) applyRoom(id im.RoomID, c *roomChange) {
	h := x.halls.known(id)
	if h == nil {
		return
	}
	defer x.halls.leave(h)
	var b Batch
	h.mu.Lock()
	passes := false
	if h.loaded {
		h.apply(&b, c)
		passes = h.passes()
	} else {
		h.missed = true
	}
	h.mu.Unlock()
	if c.gone {
		x.halls.drop(h)
	}
	if passes {
		h.pass()
	}
	x.flusher.take(x, &b)
}

func (h *hall) apply(b *Batch, c *roomChange) {
	if c.gone {
		h.over = true
		all := h.in
		h.in = map[string]*occupant{} // nobody is told of the others
		for _, o := range all {
			h.expel(b, o, im.ErrNoRoom, c.reason)
		}
		return
	}
	changed := false
	if c.room != nil {
		changed = h.room.Props != c.room.Props
		h.room = *c.room
	}
	for _, p := range c.people {
		was := h.standing(p.Who)
		if p.IsZero() {
			delete(h.people, p.Who)
		} else {
			h.people[p.Who] = p
		}
		o := h.occupant(p.Who)
		if o == nil {
			continue
		}
		if was.Own != p.Own {
			h.owned(b, o, p.Own)
		}
		if was.Affiliation != p.Affiliation && h.room.Props.MayStay(p.Affiliation) == nil {
			h.tell(b, nil, o, func(u RoomUser) Delivery { return &RoomChanged{Room: h.id, User: &u} })
		}
	}
	for _, o := range h.all() {
		if why := h.room.Props.MayStay(h.standing(o.who).Affiliation); why != nil {
			h.expel(b, o, why, c.reason)
		}
	}
	if !changed {
		return
	}
	forms := map[bool]*RoomChanged{} // for those who may read all, and for others
	for _, o := range h.all() {
		a := h.standing(o.who).Affiliation
		d := forms[a >= im.Administrator]
		if d == nil {
			p := h.room.Props.For(a)
			d = &RoomChanged{Room: h.id, Props: &p}
			forms[a >= im.Administrator] = d
		}
		for _, s := range o.seats {
			if s.notices {
				b.Hand(s.session, d)
			}
		}
	}
}

// owned gives an occupant other properties of their own, and tells their sessions. The caller holds h.mu.
func (h *hall) owned(b *Batch, o *occupant, own im.OwnProps) {
	if o.own == own {
		return
	}
	o.own = own
	for _, s := range o.seats {
		if s.notices {
			b.Hand(s.session, &RoomChanged{Room: h.id, Own: &own})
		}
	}
}

// all is who is in the room, by screen name. The caller holds h.mu.
func (h *hall) all() []*occupant {
	l := make([]*occupant, 0, len(h.in))
	for _, o := range h.in {
		l = append(l, o)
	}
	slices.SortFunc(l, func(a, b *occupant) int { return cmp.Compare(a.nick, b.nick) })
	return l
}

func (x *Exchange) roomBounds() im.RoomBounds {
	return im.RoomBounds{Users: max(x.cfg.RoomUsers, 0), History: max(x.cfg.RoomHistory, 0)}
}
