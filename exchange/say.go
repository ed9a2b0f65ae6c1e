package exchange

import (
	"context"
	"slices"

	"parley/im"
	"parley/metrics"
	"parley/store"
)

// Say says something to everybody else in the conversation. done is called once, possibly before
// Say returns: with nil when everybody has accepted it (delivered, or stored), else with why somebody
// could not; nil: nobody asks. What must be stored is stored before Say returns.
func (s *Seat) Say(ctx context.Context, m *im.Message, done func(error)) {
	s.c.say(ctx, &s.batch, s.part, m, done, false)
}

// say gives back, if its sender may secure them, the messages that were handed and may not be settled yet.
func (c *Conversation) say(ctx context.Context, b *Batch, from *participant, m *im.Message, done func(error), secure bool) (handed []*Message) {
	x := c.x
	if c.annex != nil {
		c.annex.say(ctx, b, m, done)
		return nil
	}
	if c.sayFirst(ctx, b, from, m, done) {
		return nil
	}
	out := newOutcome(done)
	var away []*Message
	var whose []*participant
	c.mu.Lock()
	c.stir(m.Time)
	first := x.messageIDs(len(c.parts))
	if m.ID == 0 {
		m.ID = first
	}
	id := first
	for _, p := range c.parts {
		if p == from {
			continue
		}
		out.more()
		d := &Message{Message: m, ID: id, x: x, to: p.account, who: p.who, out: out}
		id++
		if secure && m.Kind == im.Words {
			d.safe = &security{}
			handed = append(handed, d)
		}
		seats := p.hearing(m)
		if len(seats) == 0 || p.virtual || from.denies(p) { // the receiver's rules have had their say about the seats
			away, whose = append(away, d), append(whose, p)
			continue
		}
		d.spread(b, c, seats, nil, nil)
	}
	c.mu.Unlock()
	if id == first {
		out.more()
		x.count(m, metrics.None, metrics.Returned)
		out.verdict(im.ErrAbsent)
	}
	// What is to be stored is on its way there before anybody hears it, so that no answer of theirs overtakes it;
	// they need not wait until it is there.
	var rest []func()
	for i, d := range away {
		if f := c.sayAway(ctx, b, from, whose[i], d); f != nil {
			rest = append(rest, f)
		}
	}
	if len(rest) > 0 {
		b.Flush()
	}
	for _, f := range rest {
		f()
	}
	out.verdict(nil) // our own
	return handed
}

// denies asks the sender's own rules.
func (p *participant) denies(to *participant) bool {
	return p.account != nil && p.account.snap.Load().denies(to.who)
}

// mayWrite asks both sides' rules for one message.
func (x *Exchange) mayWrite(from, to *participant, m *im.Message) error {
	if from.denies(to) {
		return im.ErrOwnBlock
	}
	if to.account != nil && !to.account.takesFrom(from.who, m.FromSlot) {
		return im.ErrAbsent
	}
	return nil
}

// refuse answers for somebody who does not want a message as for somebody who is not there.
func (x *Exchange) refuse(ctx context.Context, d *Message, why error) {
	d.safe.settle()
	if why == im.ErrAbsent && d.Kind == im.Signal {
		why = nil // would have gone nowhere
	} else if why == im.ErrAbsent && d.storable() {
		why = x.store.View(ctx, "room", func(tx *store.Tx) error { return x.mayKeep(tx, d.who, d.Message) })
	}
	x.count(d.Message, metrics.None, metrics.Refused)
	d.verdict(why)
}

// mayWait reports whether something may be stored for the account.
func (a *account) mayWait() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waiting
}

// behind reports whether older words of a sender wait for an account, or are being offered: those
// that come now have to go after them.
func (x *Exchange) behind(ctx context.Context, a *account, from im.Address) (bool, error) {
	a.mu.Lock()
	waiting, offered := a.waiting, a.offered
	a.mu.Unlock()
	if !waiting || offered {
		return offered, nil
	}
	older := 0
	err := x.store.View(ctx, "behind", func(tx *store.Tx) error {
		l, err := tx.WaitingFrom(a.who, from, 1)
		older = len(l)
		return err
	})
	return older > 0, err
}

// sayAway says something to a participant who does not only have seats. What has words, and cannot be handed over at
// once, is stored. rest is what waits for the store, to be called when what was handed is flushed; nil: nothing does.
func (c *Conversation) sayAway(ctx context.Context, b *Batch, from, p *participant, d *Message) (rest func()) {
	x, a := c.x, p.account
	if err := x.mayWrite(from, p, d.Message); err != nil {
		return func() { x.refuse(ctx, d, err) }
	}
	c.mu.Lock()
	taken := len(accepting(p.direct(), d.Message))+len(p.hearing(d.Message)) > 0
	c.mu.Unlock()
	behind := false
	if taken && d.storable() {
		var err error
		if behind, err = x.behind(ctx, a, d.From); err != nil {
			d.safe.settle()
			d.verdict(err)
			return nil
		}
	}
	if !behind {
		c.mu.Lock()
		var r *ring
		direct, seats := accepting(p.direct(), d.Message), p.hearing(d.Message)
		if p.known {
			d.In = c.talkOf(p)
		}
		looked := taken || !d.storable() // else something older may wait for who came since
		if d.Kind != im.Signal && (!d.storable() || len(direct)+len(seats) > 0) {
			r = p.ring
		}
		ok := looked && !c.over && d.spread(b, c, seats, direct, r)
		c.mu.Unlock()
		if ok {
			return nil
		}
	}
	if !d.storable() {
		x.nobody(d)
		return nil
	}
	d.safe.settle()
	wait := x.keeping(ctx, a, d.For(p.who, d.ID))
	return func() { c.kept(p, d, wait()) }
}

// kept goes on when something said to a participant was stored, or could not be: we look again whether they came.
func (c *Conversation) kept(p *participant, d *Message, err error) {
	x, a := c.x, p.account
	d.verdict(err)
	if err != nil {
		return
	}
	var seat *Seat
	c.mu.Lock()
	seats := p.hearing(d.Message)
	switch r := p.ring; {
	case len(seats) > 0: // they have come: before anything newer
		seat = seats[0]
		if !slices.Contains(seat.from, d.From) { // who said it may have left the conversation since
			seat.from = append(slices.Clip(seat.from), d.From)
		}
		seat.filling++
	case r != nil && !slices.Contains(r.from, d.From):
		r.from = append(r.from, d.From)
	}
	rung := p.ring != nil && len(p.direct()) == 0
	c.mu.Unlock()
	switch {
	case seat != nil:
		x.fillSoon(a, seat)
	case !rung && a.reachable():
		x.offerSoon(a)
	}
}

// nobody answers for a message that is not stored and that nobody takes.
func (x *Exchange) nobody(d *Message) {
	d.safe.settle()
	if d.Kind == im.Signal {
		d.verdict(nil) // it goes where somebody listens, or nowhere
		return
	}
	x.count(d.Message, metrics.None, metrics.Returned)
	d.verdict(im.ErrAbsent)
}

// Send sends a message to an address, outside of any conversation that its sender is in; with a slot, to that
// session of it, if it is there (RFC 6121 8.5.3). done is called once: with nil when it was accepted (delivered,
// or stored), else with why not; nil: nobody asks. What is handed at once is flushed by b. What was handed and may
// not be settled yet is given back: it is for Secure; nil: there is none.
func (x *Exchange) Send(ctx context.Context, b *Batch, m *im.Message, done func(error)) (handed *Message) {
	return x.send(ctx, b, x.first(m), done)
}

func (x *Exchange) send(ctx context.Context, b *Batch, m *im.Message, done func(error)) (handed *Message) {
	if m.ID == 0 {
		m.ID = x.messageIDs(1)
	}
	l := &single{}
	d, out := &l.Message, l.verdict.expect(done)
	if o := x.inMemory(m.To); o == nil || o.snap.Load() == nil { // nobody waits for what is asked of the store
		b.Flush()
	}
	a, err := x.acquire(ctx, m.To)
	if err != nil {
		if err == im.ErrUnknownUser {
			if err = im.ErrAbsent; m.Kind == im.Signal {
				err = nil // as with somebody who is away
			}
		}
		out.verdict(err)
		return nil
	}
	defer a.release()
	d.Message, d.ID, d.x, d.to, d.who, d.out = m, m.ID, x, a, m.To, out
	if m.Kind == im.Words && done != nil {
		d.safe = &l.secure
	}
	if f := x.inMemory(m.From); f != nil && f.forbids(m) {
		b.Flush()
		x.refuse(ctx, d, im.ErrOwnBlock)
		return nil
	}
	var one *Client
	if m.Slot != "" {
		one = a.at(m.Slot)
	}
	if !a.lets(one, m) {
		b.Flush()
		x.refuse(ctx, d, im.ErrAbsent)
		return nil
	}
	if one == nil && (m.Only || m.Kind == im.Request) || one != nil && m.Kind == im.Request && m.Means() == im.Queries && !one.shownTo(m.From, m.FromSlot) {
		x.nobody(d)
		return nil
	}
	behind := false
	if d.storable() && (one == nil || one.takes()) { // nothing older is offered to one who takes nothing
		if a.mayWait() {
			b.Flush()
		}
		if behind, err = x.behind(ctx, a, m.From); err != nil {
			out.verdict(err)
			return nil
		}
	}
	switch {
	case behind:
	case one != nil:
		d.spread(b, nil, nil, []*Client{one}, nil)
		return d
	default:
		c, p := x.between(m.To, m.From)
		if x.hand(b, a, c, p, d) {
			return d
		}
	}
	if !d.storable() {
		x.nobody(d)
		return nil
	}
	b.Flush()
	err = x.keep(ctx, a, m)
	out.verdict(err)
	if err == nil && a.reachable() {
		x.offerSoon(a)
	}
	return nil
}
