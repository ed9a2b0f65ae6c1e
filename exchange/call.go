package exchange

import (
	"context"
	"slices"
	"time"

	"parley/im"
)

// Call invites somebody. A session that can be rung is rung; somebody behind another kind of
// door is in at once, virtually. ErrAbsent when they are not there, or do not want it;
// ErrAlready, ErrFull, ErrOwnBlock. ringing is called before anybody hears of it, so that the door can
// answer first; it must only queue.
func (s *Seat) Call(ctx context.Context, who im.Address, ringing func()) error {
	return s.c.invite(ctx, &s.batch, s.part, who, ringing)
}

func (c *Conversation) invite(ctx context.Context, b *Batch, from *participant, who im.Address, ringing func()) error {
	x := c.x
	b.Flush()
	if who == from.who {
		return im.ErrAlready
	}
	if c.annex != nil {
		return im.ErrAbsent // who is in the room is for the room to say
	}
	if from.account != nil && from.account.snap.Load().denies(who) {
		return im.ErrOwnBlock
	}
	a, err := x.acquire(ctx, who)
	if err == im.ErrUnknownUser {
		return im.ErrAbsent
	} else if err != nil {
		return err
	}
	defer a.release()
	c.mu.Lock()
	there := c.find(who) != nil
	c.mu.Unlock()
	if there {
		return im.ErrAlready
	}
	if !a.reachable() || !a.takesFrom(from.who, "") {
		return im.ErrAbsent
	}
	p, err := c.participant(ctx, who)
	if err != nil {
		return err
	}
	if !c.call(b, p, from, ringing) {
		return im.ErrAbsent
	}
	b.Flush()
	return nil
}

// call rings a participant on behalf of another, or lets them in virtually. A session that came
// while it rings is rung, too. False: they are not reachable any more, and not in the conversation.
func (c *Conversation) call(b *Batch, p, from *participant, ringing func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.stir(time.Now())
	was := p.in()
	words := &im.Message{From: from.who, To: p.who}
	direct := accepting(p.account.takers(Direct), words)
	var rings []*Client
	if c.Place != nil {
		rings = accepting(p.account.takers(Rings), words)
	}
	if len(direct)+len(rings) > 0 && ringing != nil {
		ringing()
	}
	if len(direct) > 0 {
		p.virtual = true
	}
	if r := p.ring; r != nil {
		rings = slices.DeleteFunc(rings, func(o *Client) bool { return slices.Contains(r.rung, o) })
	}
	if !was {
		p.by = from.who
	}
	if len(rings) > 0 {
		c.ring(b, p, from, rings)
	}
	if p.in() && !was {
		c.entered(b, p)
	}
	c.drop(p)
	return p.in() || p.ring != nil
}

// ring rings some sessions of a participant. The caller holds c.mu.
func (c *Conversation) ring(b *Batch, p, from *participant, sessions []*Client) {
	r := p.ring
	if r == nil {
		r = &ring{}
		p.ring = r
		r.timer = time.AfterFunc(c.x.cfg.Ring, func() { c.unanswered(p, r) })
	} else {
		r.timer.Reset(c.x.cfg.Ring)
	}
	r.until = time.Now().Add(c.x.cfg.Ring)
	r.rung = append(r.rung, sessions...)
	d := &Ring{Conversation: c.ID, Place: c.Place.ID, Address: c.Place.Address, From: from.who,
		FromName: from.name(), Expires: r.until}
	for _, o := range sessions {
		b.Hand(o.session, d)
	}
}

// unanswered ends a ring. What was stored stays stored; what was not goes back.
func (c *Conversation) unanswered(p *participant, r *ring) {
	c.mu.Lock()
	if p.ring != r || time.Now().Before(r.until) { // answered, or rung again meanwhile
		c.mu.Unlock()
		return
	}
	p.ring = nil
	c.drop(p)
	empty := c.empty()
	c.mu.Unlock()
	for _, m := range r.waiting {
		m.Return(im.ErrAbsent)
	}
	if empty {
		c.end(0)
	}
	if p.account != nil {
		c.x.offerLater(p.account)
	}
}
