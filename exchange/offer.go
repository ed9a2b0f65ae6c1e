package exchange

import (
	"context"
	"time"

	"parley/im"
	"parley/store"
)

// waitingFrom claims what waits for an account from some people, oldest first; what is not to be taken stays where it is.
func (x *Exchange) waitingFrom(ctx context.Context, a *account, from []im.Address, takes func(*im.Message) bool) ([]*Message, error) {
	a.mu.Lock()
	waiting := a.waiting
	a.mu.Unlock()
	if !waiting {
		return nil, nil
	}
	var stored []*im.Message
	err := x.store.View(ctx, "waiting", func(tx *store.Tx) error {
		stored = nil
		for _, w := range from {
			l, err := tx.WaitingFrom(a.who, w, x.cfg.Waiting)
			if err != nil {
				return err
			}
			stored = append(stored, l...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var l []*Message
	for _, m := range a.claim(stored) {
		if !takes(m) { // blocked since: as if nobody were here to take it
			a.unclaim(m.ID, true)
			continue
		}
		l = append(l, &Message{Message: m, ID: m.ID, x: x, to: a, who: a.who, kept: true})
	}
	return l, nil
}

// takers is the account's sessions that take messages, and can what is asked.
func (a *account) takers(can Ability) []*Client {
	var l []*Client
	for _, c := range a.online() {
		if c.login.Abilities&can != 0 && c.takes() {
			l = append(l, c)
		}
	}
	return l
}

// direct is the sessions that hear what is said to a virtual participant: those that attend the conversation, or else
// all that take messages.
func (p *participant) direct() []*Client {
	if !p.virtual || p.account == nil {
		return nil
	}
	if p.known {
		if l := p.attending(); len(l) > 0 {
			return l
		}
	}
	return p.account.takers(Direct)
}

// offerSoon offers an account what waits for it, in a goroutine of the exchange.
func (x *Exchange) offerSoon(a *account) { x.offers(a, func(a *account) { a.more = true }) }

// offers gives an account's goroutine something to do: there is one for each account, so that nothing
// overtakes what is older. It takes back what was returned, fills new seats, and makes offers. add runs
// under a.mu. False: the service goes down, and add did not run.
func (x *Exchange) offers(a *account, add func(*account)) bool {
	if x.closed.Load() {
		return false
	}
	a.mu.Lock()
	add(a)
	under := a.offered
	a.offered = true
	a.mu.Unlock()
	if under {
		return true
	}
	a.pins.Add(1)
	x.spawn(func(ctx context.Context) { // ends when nothing is left to be done
		defer a.release()
		for {
			a.mu.Lock()
			a.unclaimed(a.removed...)
			backs, fills, more := a.backs, a.fills, a.more
			a.removed, a.backs, a.fills, a.more = nil, nil, nil, false
			a.offered = more || len(backs)+len(fills) > 0
			on := a.offered
			a.mu.Unlock()
			if !on {
				return
			}
			for _, b := range backs {
				if b.refuse {
					x.refused(b.m, b.why)
				} else {
					x.returned(b.m, b.why)
				}
			}
			for _, s := range fills {
				x.fill(ctx, a, s)
			}
			if !more {
				continue
			}
			if err := x.offer(ctx, a); err != nil && !x.closed.Load() {
				x.log.Error("waiting messages not offered", "who", a.who.String(), "err", err)
				x.offerLater(a)
			}
		}
	})
	return true
}

// fillSoon has a seat filled there. False: the service goes down.
func (x *Exchange) fillSoon(a *account, s *Seat) bool {
	return x.offers(a, func(a *account) { a.fills = append(a.fills, s) })
}

// fill gives a new seat what was stored for it by those who are there, and then what was said
// since.
func (x *Exchange) fill(ctx context.Context, a *account, s *Seat) {
	older, err := x.waitingFrom(ctx, a, s.sources(), a.seated)
	if err != nil && !x.closed.Load() {
		x.log.Error("waiting messages not offered", "who", a.who.String(), "err", err)
	}
	var b Batch
	s.fill(&b, older)
	b.Flush()
}

// offerLater offers it after a while, if somebody is there to take it then.
func (x *Exchange) offerLater(a *account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.again || !a.waiting || x.closed.Load() {
		return
	}
	a.again = true
	a.pins.Add(1)
	time.AfterFunc(x.cfg.RingAgain, func() { // after Close it finds nothing to do
		defer a.release()
		a.mu.Lock()
		a.again = false
		a.mu.Unlock()
		if a.reachable() {
			x.offerSoon(a)
		}
	})
}

// offer offers an account what waits for it: to sessions that take messages as they are, or
// by ringing, one conversation for each sender.
func (x *Exchange) offer(ctx context.Context, a *account) error {
	a.mu.Lock()
	a.fresh = false
	a.mu.Unlock()
	left, err := x.offerAll(ctx, a)
	a.mu.Lock()
	a.waiting = left || err != nil || a.fresh
	a.mu.Unlock()
	return err
}

// offerAll reports whether something is left that was not offered.
func (x *Exchange) offerAll(ctx context.Context, a *account) (left bool, err error) {
	var senders []im.Address
	err = x.store.View(ctx, "senders", func(tx *store.Tx) (err error) {
		senders, err = tx.WaitingSenders(a.who)
		return err
	})
	if err != nil {
		return true, err
	}
	var b Batch
	defer b.Flush()
	for _, from := range senders {
		if !a.reachable() {
			return true, nil
		}
		if !a.takesFrom(from, "") {
			left = true
			continue
		}
		given, err := x.offerFrom(ctx, &b, a, from)
		if err != nil {
			return true, err
		}
		left = left || !given
	}
	return left, nil
}

// offerFrom offers what one sender left. False: it stays where it is.
func (x *Exchange) offerFrom(ctx context.Context, b *Batch, a *account, from im.Address) (given bool, err error) {
	c, p := x.between(a.who, from)
	words := &im.Message{From: from, To: a.who}
	seated := p != nil && c.seated(p) && a.seated(words)
	if !seated && len(accepting(a.takers(Direct), words)) == 0 {
		if len(accepting(a.takers(Rings), words)) == 0 {
			return false, nil
		}
		return false, x.ring(ctx, b, a, from, c, p)
	}
	l, err := x.waitingFrom(ctx, a, []im.Address{from}, func(m *im.Message) bool {
		return seated && a.seated(m) || len(accepting(a.takers(Direct), m)) > 0
	})
	if err != nil {
		return false, err
	}
	given = true
	for _, m := range l {
		if !x.hand(b, a, c, p, m) { // they have just left
			a.unclaim(m.ID, true)
			given = false
		}
	}
	if !given {
		x.offerLater(a)
	}
	return given, nil
}

// hand gives a message to the sessions that take messages as they are, and to the seats that
// its receiver has in a conversation with nobody but its sender.
func (x *Exchange) hand(b *Batch, a *account, c *Conversation, p *participant, m *Message) bool {
	direct := accepting(a.takers(Direct), m.Message)
	if p == nil {
		return m.spread(b, nil, nil, direct, nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return m.spread(b, nil, nil, direct, nil)
	}
	var r *ring
	seats := p.hearing(m.Message)
	if len(direct)+len(seats) > 0 && m.Kind != im.Signal {
		r = p.ring
	}
	return m.spread(b, c, seats, direct, r)
}

// seated reports whether the account takes a message at a seat. Those are judged by the default list: sessions that
// have one are of protocols with no other.
func (a *account) seated(m *im.Message) bool { return a.snap.Load().lets("", m) }

// hearing is the participant's seats, if they may hear a message. The caller holds c.mu.
func (p *participant) hearing(m *im.Message) []*Seat {
	if len(p.seats) > 0 && p.account != nil && !p.account.seated(m) {
		return nil
	}
	return p.seats
}

// ring rings an account for what a sender left: into the conversation that they have, or a new one.
func (x *Exchange) ring(ctx context.Context, b *Batch, a *account, from im.Address, c *Conversation, p *participant) error {
	if from == a.who {
		return nil // nobody calls themselves: a session that takes them as they are will come
	}
	if c == nil {
		place, err := x.PickPlace()
		if err != nil {
			return nil // they stay stored
		}
		if c, err = x.newConversation(place); err != nil {
			return err
		}
		w, err := c.participant(ctx, from)
		if err != nil {
			c.end(0)
			return err
		}
		c.mu.Lock()
		w.virtual = true
		c.mu.Unlock()
		if p, err = c.participant(ctx, a.who); err != nil {
			c.end(0)
			return err
		}
	}
	c.mu.Lock()
	w := c.find(from)
	c.mu.Unlock()
	if w == nil || !c.call(b, p, w, nil) {
		c.mu.Lock()
		empty := c.empty()
		c.mu.Unlock()
		if empty {
			c.end(0)
		}
	}
	return nil
}

// between gives a conversation of exactly these two, with the first one's participant, if there is one. One that
// either of them knows as a conversation of several is none: what is sent to a person does not go there.
func (x *Exchange) between(who, other im.Address) (*Conversation, *participant) {
	for _, c := range x.reg.with(who) {
		c.mu.Lock()
		p, o, n := c.find(who), c.find(other), len(c.parts)
		fits := n == 2 && p != nil && o != nil && o.in() && !p.known && !o.known
		c.mu.Unlock()
		if fits {
			return c, p
		}
	}
	return nil, nil
}
