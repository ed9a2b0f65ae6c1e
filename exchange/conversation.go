package exchange

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/im"
)

// Conversation is people talking, for a while. It lives at one place; there, connections
// take seats for its participants. Somebody behind another kind of door, or who only left
// words behind, is a participant without a seat.
type Conversation struct {
	ID    int64
	Place *Place // nil: nobody can take a seat
	x     *Exchange
	annex *Annex       // of a room that one person is in by it; set, with the lock, before anybody is in it
	spoke atomic.Int64 // when something was last said, Unix seconds

	mu    sync.Mutex // guards what follows, and the order of what is said
	parts []*participant
	idle  *time.Timer
	over  bool
}

// participant is an address in a conversation: in it with a seat or virtually, or being rung.
type participant struct {
	who     im.Address
	account *account // nil: not an account here; pinned
	label   string   // a name, where there is no account: a screen name in a room
	seats   []*Seat
	virtual bool
	known   bool       // to their Direct sessions as one of several: they were told who is in it
	by      im.Address // who called them
	ring    *ring
}

// in reports whether the others see the participant as there.
func (p *participant) in() bool { return len(p.seats) > 0 || p.virtual }

func (p *participant) name() string {
	if p.account != nil {
		return p.account.snap.Load().DisplayName()
	}
	if p.label != "" {
		return p.label
	}
	return p.who.String()
}

// seat is the participant's latest, nil for who has none. The caller holds c.mu.
func (p *participant) seat() Session {
	if len(p.seats) == 0 {
		return nil
	}
	return p.seats[len(p.seats)-1].session
}

// ring waits for somebody to take a seat.
type ring struct {
	until   time.Time
	timer   *time.Timer
	rung    []*Client    // who heard it
	from    []im.Address // whose words were stored meanwhile
	waiting []*Message   // what else was said meanwhile, in order
}

// Seat is a connection's place in a conversation. Its methods belong to the goroutine that
// reads the connection.
type Seat struct {
	c       *Conversation
	part    *participant
	session Session
	from    []im.Address // of the ring
	filling int          // guarded by c.mu: so many fills are to come, and what they bring goes first
	greeted bool         // likewise: it got what waited once
	queue   []*Message
	gone    bool // guarded by c.mu
	batch   Batch
}

// Member is somebody in a conversation.
type Member struct {
	Who  im.Address
	Name string
	Seat Session // their latest; nil: they have none
}

// Open begins a conversation at a place with a seat for who. ErrTooMany.
func (x *Exchange) Open(ctx context.Context, place *Place, who im.Address, s Session) (*Seat, error) {
	if x.Crowded(who) {
		return nil, im.ErrTooMany
	}
	c, err := x.newConversation(place)
	if err != nil {
		return nil, err
	}
	p, err := c.participant(ctx, who)
	if err != nil {
		c.end(0)
		return nil, err
	}
	seat := &Seat{c: c, part: p, session: s}
	c.mu.Lock()
	p.seats = append(p.seats, seat)
	c.mu.Unlock()
	return seat, nil
}

func (x *Exchange) newConversation(place *Place) (*Conversation, error) {
	if x.closed.Load() {
		return nil, im.ErrClosing
	}
	c := &Conversation{ID: x.lastConversation.Add(1), Place: place, x: x}
	c.stir(time.Now())
	c.mu.Lock()
	c.idle = time.AfterFunc(x.cfg.Idle, c.tick)
	c.mu.Unlock()
	x.reg.add(c)
	if x.closed.Load() { // since then: who ends all may not have seen this one
		c.end(Shutdown)
		return nil, im.ErrClosing
	}
	return c, nil
}

// participant enters somebody, without a seat; it must be given one, or a ring, at once.
func (c *Conversation) participant(ctx context.Context, who im.Address) (*participant, error) {
	a, err := c.x.acquire(ctx, who) // released when the participant goes
	if err != nil && err != im.ErrUnknownUser {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.over:
		err = im.ErrGone
	case c.find(who) != nil:
		err = im.ErrAlready
	case len(c.parts) >= c.x.cfg.Conversation:
		c.x.cfg.Metrics.LimitHit("conversation")
		err = im.ErrFull
	default:
		p := &participant{who: who, account: a}
		c.parts = append(slices.Clip(c.parts), p)
		c.x.reg.enter(who, c)
		return p, nil
	}
	if a != nil {
		a.release()
	}
	return nil, err
}

// find gives somebody's participant. The caller holds c.mu.
func (c *Conversation) find(who im.Address) *participant {
	for _, p := range c.parts {
		if p.who == who {
			return p
		}
	}
	return nil
}

// drop takes a participant out if nothing keeps it. The caller holds c.mu.
func (c *Conversation) drop(p *participant) {
	if p.in() || p.ring != nil {
		return
	}
	c.parts = slices.DeleteFunc(slices.Clone(c.parts), func(o *participant) bool { return o == p })
	c.x.reg.leave(p.who, c)
	if p.account != nil {
		p.account.release()
	}
}

// tell hands something to every seat but those of one participant, and to the Direct sessions of those who
// know the conversation. The caller holds c.mu.
func (c *Conversation) tell(b *Batch, d Delivery, but *participant) {
	for _, p := range c.parts {
		if p == but {
			continue
		}
		for _, s := range p.seats {
			b.Hand(s.session, d)
		}
		p.tell(b, d)
	}
}

// Conversation is the conversation's id, for clients.
func (s *Seat) Conversation() int64 { return s.c.ID }

// Name is the display name of the seat's owner, as it is now.
func (s *Seat) Name() string { return s.part.name() }

// Others is who else is in the conversation, at this moment.
func (s *Seat) Others() []Member {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.c.talkOf(s.part).Members
}

// Flush writes what was handed to others. The door calls it before it waits.
func (s *Seat) Flush() { s.batch.Flush() }

// empty reports whether nobody has a seat, or will have one, or knows the conversation without one. The
// caller holds c.mu.
func (c *Conversation) empty() bool {
	for _, p := range c.parts {
		if len(p.seats) > 0 || p.ring != nil || p.known {
			return false
		}
	}
	return true
}

// seated reports whether a participant has a seat.
func (c *Conversation) seated(p *participant) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(p.seats) > 0
}

// sources is whose stored words go to the seat: of all who are in the conversation or rung, and of those
// who left some while it rang.
func (s *Seat) sources() []im.Address {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	l := slices.Clone(s.from)
	for _, p := range s.c.parts {
		if p != s.part && !slices.Contains(l, p.who) {
			l = append(l, p.who)
		}
	}
	return l
}

// saidTo reports whether words of somebody wait for one who is rung, while nobody is in the
// conversation. The caller holds c.mu.
func (c *Conversation) saidTo(from im.Address) bool {
	said := false
	for _, p := range c.parts {
		if p.in() {
			return false
		}
		said = said || p.ring != nil && slices.Contains(p.ring.from, from)
	}
	return said
}

// Join takes a seat for somebody who was rung, and gives who else is there. What waits for
// them is handed with Ready, so that the door can say the rest of its greeting first. ErrNotInvited.
func (x *Exchange) Join(place *Place, id int64, who im.Address, s Session) (*Seat, []Member, error) {
	x.reg.mu.RLock()
	c := x.reg.talks[id]
	x.reg.mu.RUnlock()
	if c == nil || c.Place != place {
		return nil, nil, im.ErrNotInvited
	}
	c.mu.Lock()
	p := c.find(who)
	if p == nil || p.ring == nil || c.over {
		c.mu.Unlock()
		return nil, nil, im.ErrNotInvited
	}
	was := p.in()
	seat := &Seat{c: c, part: p, session: s, filling: 1, from: p.ring.from, queue: p.ring.waiting}
	p.ring.timer.Stop()
	p.ring = nil
	p.seats = append(slices.Clip(p.seats), seat)
	if len(p.direct()) == 0 && !p.known {
		p.virtual = false // who only left words behind is here themselves now, and gone with the seat
	}
	c.stir(time.Now())
	c.annex.come()
	var there []Member
	for _, o := range c.parts {
		if o != p && o.in() {
			there = append(there, Member{o.who, o.name(), o.seat()})
		}
	}
	if !was {
		c.entered(&seat.batch, p)
	}
	c.mu.Unlock()
	return seat, there, nil
}

// Ready hands a new seat what waited for it: first what was stored, then what was said since.
func (s *Seat) Ready() {
	x, a := s.c.x, s.part.account
	later := false
	if a != nil {
		a.mu.Lock()
		later = a.waiting || a.offered
		a.mu.Unlock()
	}
	if !later || !x.fillSoon(a, s) {
		s.fill(&s.batch, nil)
	}
	s.batch.Flush()
}

// fill hands a seat what was stored for it and what it did not get yet; from here on it gets
// what is said.
func (s *Seat) fill(b *Batch, older []*Message) {
	c := s.c
	c.mu.Lock()
	l := append(older, s.queue...)
	slices.SortStableFunc(l, func(m, n *Message) int { return cmp.Compare(m.ID, n.ID) })
	gone, left := s.gone || c.over, s.greeted
	if s.filling = max(s.filling-1, 0); s.filling > 0 && !gone { // something was stored since this one looked
		s.queue = l
		c.mu.Unlock()
		return
	}
	for _, m := range l {
		if !gone {
			b.Hand(s.session, m)
		}
	}
	s.queue, s.greeted = nil, true
	c.mu.Unlock()
	if !gone {
		return
	}
	for _, m := range l {
		if left && m.kept { // they left as it was stored: no sign that they do not answer
			m.to.unclaim(m.ID, true)
			c.x.offerSoon(m.to)
		} else {
			m.Return(im.ErrGone)
		}
	}
}

// stir notes that something happens in the conversation.
func (c *Conversation) stir(at time.Time) {
	if now := at.Unix(); c.spoke.Load() != now {
		c.spoke.Store(now)
	}
}

// Leave gives the seat up. The others are told when it was its participant's last.
func (s *Seat) Leave() {
	c := s.c
	c.mu.Lock()
	if s.gone {
		c.mu.Unlock()
		s.batch.Flush()
		return
	}
	s.gone = true
	p := s.part
	p.seats = slices.DeleteFunc(slices.Clone(p.seats), func(o *Seat) bool { return o == s })
	waiting := s.queue
	s.queue = nil
	if !p.in() && !c.over {
		if c.saidTo(p.who) {
			p.virtual = true // whoever answers finds who left the words
		} else {
			c.tell(&s.batch, &Left{Conversation: c.ID, Who: p.who}, p)
		}
	}
	if !c.over {
		c.drop(p)
	}
	empty := c.empty()
	c.mu.Unlock()
	for _, m := range waiting {
		m.Return(im.ErrGone)
	}
	if empty {
		c.finish(&s.batch, 0, false)
	}
	s.batch.Flush()
}

// tick ends a conversation in which nothing was said for long, or looks again later.
func (c *Conversation) tick() {
	quiet := time.Since(time.Unix(c.spoke.Load(), 0))
	c.mu.Lock()
	if c.annex != nil {
		quiet = 0 // a room is not over because nobody speaks
	}
	c.mu.Unlock()
	if rest := c.x.cfg.Idle - quiet; rest > 0 {
		c.mu.Lock()
		if !c.over {
			c.idle.Reset(rest)
		}
		c.mu.Unlock()
		return
	}
	var b Batch
	c.mu.Lock()
	for _, p := range c.parts {
		if p.in() {
			c.tell(&b, &Left{Conversation: c.ID, Who: p.who, Idle: true}, p)
		}
	}
	c.mu.Unlock()
	b.Flush()
	c.finish(&b, 0, true)
	b.Flush()
}

// end ends a conversation: no seat is left, or the service goes down.
func (c *Conversation) end(why EndReason) {
	var b Batch
	c.finish(&b, why, false)
	b.Flush()
}

// finish is end; idle says that nothing was said for long.
func (c *Conversation) finish(b *Batch, why EndReason, idle bool) {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return
	}
	c.over = true
	annex := c.annex
	c.idle.Stop()
	var seats []*Seat
	var back []*Message
	for _, p := range c.parts {
		seats = append(seats, p.seats...)
		for _, s := range p.seats {
			back = append(back, s.queue...)
			s.queue = nil
		}
		if r := p.ring; r != nil {
			r.timer.Stop()
			back = append(back, r.waiting...)
			p.ring = nil
		}
		p.tell(b, &Left{Conversation: c.ID, Who: p.who, Idle: idle})
		c.x.reg.leave(p.who, c)
		if p.account != nil {
			p.account.release()
		}
	}
	c.parts = nil
	c.mu.Unlock()
	c.x.reg.drop(c)
	if annex != nil {
		annex.leave()
	}
	for _, s := range seats {
		s.session.End(why)
	}
	for _, m := range back {
		m.Return(im.ErrGone)
	}
}
