package exchange

import (
	"context"
	"slices"
	"time"

	"parley/im"
	"parley/metrics"
	"parley/store"
)

// Messages that cannot be handed over wait in the store. One that is being offered to a session
// is claimed, so that nothing else offers it too; it is removed when Done, and free again
// when returned.

// claim takes stored messages for an offer; those claimed already are left out.
func (a *account) claim(l []*im.Message) []*im.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.claimed == nil {
		a.claimed = map[im.MessageID]struct{}{}
	}
	return slices.DeleteFunc(l, func(m *im.Message) bool {
		_, taken := a.claimed[m.ID]
		a.claimed[m.ID] = struct{}{}
		return taken
	})
}

func (a *account) unclaim(id im.MessageID) {
	a.mu.Lock()
	delete(a.claimed, id)
	if len(a.claimed) == 0 {
		a.claimed = nil
	}
	a.mu.Unlock()
}

// count counts what became of a message.
func (x *Exchange) count(m *im.Message, via string, o metrics.Outcome) {
	from := m.Native.Door
	if from == "" {
		from = metrics.None
	}
	x.cfg.Metrics.Message(from, via, o)
}

// delivered ends a message's way: it is with its receiver.
func (x *Exchange) delivered(m *Message) {
	if m.copies != nil {
		m.copies.left.Add(-1)
		if m.copies.done.Swap(true) {
			return
		}
	}
	x.count(m.Message, m.via, metrics.Delivered)
	if m.kept {
		a, id := m.to, m.ID
		a.pins.Add(1)
		x.store.Later("delivered", func(tx *store.Tx) error { return tx.DeleteMessage(id) }, func() {
			a.unclaim(id)
			a.release()
		})
	}
	m.out.verdict(nil)
}

// returned takes a message back that could not be delivered: words are stored.
func (x *Exchange) returned(m *Message, why error) {
	if m.copies != nil && (m.copies.left.Add(-1) > 0 || m.copies.done.Load()) {
		return
	}
	switch {
	case m.kept:
		m.to.unclaim(m.ID)
		m.out.verdict(nil)
		x.offerLater(m.to)
	case m.Kind == im.Words && m.to != nil && !x.cfg.NotStored:
		a := m.to
		a.pins.Add(1)
		x.spawn(func(context.Context) { // ends when it is stored, also while the service goes down
			defer a.release()
			err := x.keep(context.Background(), a, m.For(m.who, m.ID))
			m.out.verdict(err)
			if err == nil && a.reachable() {
				x.offerSoon(a)
			}
		})
	default:
		x.count(m.Message, m.via, metrics.Returned)
		m.out.verdict(why)
	}
}

// keep stores a message for its receiver. ErrListFull when too much waits already.
func (x *Exchange) keep(ctx context.Context, a *account, m *im.Message) error {
	err := x.store.Update(ctx, "keep", func(tx *store.Tx) error {
		n, size, err := tx.CountWaiting(a.who)
		if err != nil {
			return err
		}
		if n >= x.cfg.Waiting || size+int64(m.Size()) > x.cfg.WaitingBytes {
			x.cfg.Metrics.LimitHit("waiting")
			return im.ErrListFull
		}
		if _, err := tx.Account(a.who); err != nil {
			return err
		}
		return tx.PutMessage(m, m.Time.Add(x.cfg.WaitingAge))
	}, func() {
		a.mu.Lock()
		a.waiting = true
		a.mu.Unlock()
	})
	if err != nil {
		x.count(m, metrics.None, metrics.Returned)
		return err
	}
	x.count(m, metrics.None, metrics.Stored)
	return nil
}

// waitingFrom claims what waits for an account from some people, oldest first.
func (x *Exchange) waitingFrom(ctx context.Context, a *account, from []im.Address) ([]*Message, error) {
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
		if !a.snap.Load().Takes(m.From) { // blocked since: as if nobody were here to take it
			a.unclaim(m.ID)
			continue
		}
		l = append(l, &Message{Message: m, x: x, to: a, who: a.who, kept: true})
	}
	return l, nil
}

// sayAway says something to a participant without a seat. What has words is stored before
// anything else; then we look again whether they came.
func (x *Exchange) sayAway(ctx context.Context, s *Seat, p *participant, m *im.Message, out *outcome) {
	c, a := s.c, p.account
	if err := x.mayWrite(s.part, p); err != nil {
		x.refuse(m, out, err)
		return
	}
	d := &Message{Message: m, x: x, to: a, who: p.who, out: out}
	if p.virtual && a != nil && x.direct(&s.batch, a, d) {
		return
	}
	switch {
	case m.Kind == im.Signal:
		out.verdict(nil) // nobody listens
		return
	case m.Kind == im.Request || x.cfg.NotStored || a == nil:
		c.mu.Lock()
		ok := c.give(&s.batch, p, d)
		c.mu.Unlock()
		if !ok {
			x.count(m, metrics.None, metrics.Returned)
			out.verdict(im.ErrAbsent)
		}
		return
	}
	s.batch.Flush()
	k := m.For(p.who, m.ID)
	if len(c.members()) > 2 {
		k.ID = x.messageID() // stored once for each
	}
	a.claim([]*im.Message{k})
	if err := x.keep(ctx, a, k); err != nil {
		a.unclaim(k.ID)
		out.verdict(err)
		return
	}
	out.verdict(nil)
	c.mu.Lock()
	ok := c.give(&s.batch, p, &Message{Message: k, x: x, to: a, who: p.who, kept: true})
	c.mu.Unlock()
	if !ok {
		a.unclaim(k.ID)
		if a.reachable() {
			x.offerSoon(a)
		}
	}
}

// members is everybody in the conversation or rung.
func (c *Conversation) members() []*participant {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.parts
}

// give hands a message to a participant's seats, or leaves it with their ring. The caller holds c.mu.
func (c *Conversation) give(b *Batch, p *participant, d *Message) bool {
	switch {
	case c.over:
		return false
	case len(p.seats) > 0:
		n := &copies{}
		n.left.Store(int32(len(p.seats)))
		for _, s := range p.seats {
			e := &Message{Message: d.Message, x: d.x, to: d.to, who: d.who, out: d.out, via: c.Place.Door, kept: d.kept, copies: n}
			if s.filling {
				s.queue = append(s.queue, e)
			} else {
				b.Hand(s.session, e)
			}
		}
		return true
	case p.ring != nil:
		p.ring.waiting = append(p.ring.waiting, d)
		return true
	}
	return false
}

// direct hands a message to the sessions that take messages as they are. False: there are none.
func (x *Exchange) direct(b *Batch, a *account, d *Message) bool {
	var to []*Client
	for _, c := range a.online() {
		if c.login.Abilities&Direct != 0 && c.takes() {
			to = append(to, c)
		}
	}
	if len(to) == 0 {
		return false
	}
	n := &copies{}
	n.left.Store(int32(len(to)))
	for _, c := range to {
		b.Hand(c.session, &Message{Message: d.Message, x: x, to: a, who: d.who, out: d.out, via: c.login.Door, kept: d.kept, copies: n})
	}
	return true
}

// offerSoon offers an account what waits for it, in a goroutine of the exchange.
func (x *Exchange) offerSoon(a *account) {
	a.mu.Lock()
	if a.offered || x.closed.Load() {
		a.mu.Unlock()
		return
	}
	a.offered = true
	a.mu.Unlock()
	a.pins.Add(1)
	x.spawn(func(ctx context.Context) { // ends when all was offered once
		defer a.release()
		if err := x.offer(ctx, a); err != nil && ctx.Err() == nil {
			x.log.Error("waiting messages not offered", "who", a.who.String(), "err", err)
		}
	})
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
	time.AfterFunc(x.cfg.RingAgain, func() {
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
	a.offered, a.waiting = false, false // what is stored from here on asks for an offer of its own
	a.mu.Unlock()
	var senders []im.Address
	err := x.store.View(ctx, "senders", func(tx *store.Tx) (err error) {
		senders, err = tx.WaitingSenders(a.who)
		return err
	})
	if len(senders) > 0 || err != nil {
		a.mu.Lock()
		a.waiting = true
		a.mu.Unlock()
	}
	if err != nil {
		return err
	}
	var b Batch
	defer b.Flush()
	for _, from := range senders {
		if !a.reachable() {
			return nil
		}
		if !a.snap.Load().Takes(from) {
			continue
		}
		if err := x.offerFrom(ctx, &b, a, from); err != nil {
			return err
		}
	}
	return nil
}

func (x *Exchange) offerFrom(ctx context.Context, b *Batch, a *account, from im.Address) error {
	rings := true
	for _, c := range a.online() {
		if c.login.Abilities&Direct != 0 && c.takes() {
			rings = false
		}
	}
	c, p := x.between(a.who, from)
	if !rings || p != nil && len(p.seats) > 0 {
		l, err := x.waitingFrom(ctx, a, []im.Address{from})
		if err != nil {
			return err
		}
		for _, m := range l {
			given := false
			if !rings {
				given = x.direct(b, a, m)
			} else {
				c.mu.Lock()
				given = c.give(b, p, m)
				c.mu.Unlock()
			}
			if !given {
				a.unclaim(m.ID)
			}
		}
		return nil
	}
	if p != nil && p.ring != nil {
		return nil
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

// between gives a conversation of exactly these two, with the first one's participant, if there is one.
func (x *Exchange) between(who, other im.Address) (*Conversation, *participant) {
	for _, c := range x.reg.with(who) {
		c.mu.Lock()
		p, o, n := c.find(who), c.find(other), len(c.parts)
		c.mu.Unlock()
		if n == 2 && p != nil && o != nil && o.in() {
			return c, p
		}
	}
	return nil, nil
}

// Send sends a message to an address, outside of any conversation that its sender is in. done
// is called once: with nil when it was accepted (delivered, or stored), else with why not; nil: nobody asks.
// What is handed at once is flushed by b.
func (x *Exchange) Send(ctx context.Context, b *Batch, m *im.Message, done func(error)) {
	m.ID = x.messageID()
	out := newOutcome(done)
	b.Flush()
	a, err := x.acquire(ctx, m.To)
	if err != nil {
		out.verdict(im.ErrAbsent)
		return
	}
	defer a.release()
	if f := x.inMemory(m.From); f != nil {
		if s := f.snap.Load(); s != nil && s.denies(m.To) {
			out.verdict(im.ErrOwnBlock)
			return
		}
	}
	if !a.snap.Load().Takes(m.From) {
		x.refuse(m, out, im.ErrAbsent)
		return
	}
	d := &Message{Message: m, x: x, to: a, who: m.To, out: out}
	if x.direct(b, a, d) {
		return
	}
	if c, p := x.between(m.To, m.From); p != nil {
		c.mu.Lock()
		ok := len(p.seats) > 0 && c.give(b, p, d)
		c.mu.Unlock()
		if ok {
			return
		}
	}
	switch {
	case m.Kind == im.Signal:
		out.verdict(nil)
	case m.Kind == im.Request || x.cfg.NotStored:
		x.count(m, metrics.None, metrics.Returned)
		out.verdict(im.ErrAbsent)
	default:
		err := x.keep(ctx, a, m)
		out.verdict(err)
		if err == nil && a.reachable() {
			x.offerSoon(a)
		}
	}
}
