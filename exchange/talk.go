package exchange

import (
	"context"
	"slices"

	"parley/im"
)

// A Direct session is in conversations without a seat. One of two people is plain talk to it: messages from the
// other, and to them. One of three or more it is told of, and so it can act there.

// Talk is a conversation that a Direct session was told of: it began it, or three or more were in it.
type Talk struct {
	ID      int64
	Members []Member // who else is in it
}

// tell hands something to a participant's Direct sessions, if they know the conversation: whatever their presence,
// so that what they know stays true. The caller holds c.mu.
func (p *participant) tell(b *Batch, d Delivery) {
	if !p.known || p.account == nil {
		return
	}
	for _, c := range p.account.directs() {
		b.Hand(c.session, d)
	}
}

func (c *Conversation) joined(p *participant) *Joined {
	return &Joined{Conversation: c.ID, Who: p.who, Name: p.name(), Seat: p.seat(), By: p.by}
}

// entered tells the others that somebody is in, and makes the conversation known to those who are in it without
// a seat, once it is one of several. The caller holds c.mu.
func (c *Conversation) entered(b *Batch, p *participant) {
	c.tell(b, c.joined(p), p)
	in, known := 0, false
	for _, o := range c.parts {
		if o.in() {
			in++
		}
		known = known || o.known
	}
	if in < 3 && !known {
		return
	}
	for _, o := range c.parts {
		if !o.virtual || o.known || o.account == nil || len(o.account.directs()) == 0 { // the last: only left words
			continue
		}
		o.known = true
		for _, other := range c.parts {
			if other != o && other.in() {
				o.tell(b, c.joined(other))
			}
		}
		o.tell(b, c.joined(o))
	}
}

// talkOf is the conversation as a participant knows it. The caller holds c.mu.
func (c *Conversation) talkOf(p *participant) *Talk {
	t := &Talk{ID: c.ID, Members: make([]Member, 0, len(c.parts))}
	for _, o := range c.parts {
		if o != p && o.in() {
			t.Members = append(t.Members, Member{o.who, o.name(), o.seat()})
		}
	}
	return t
}

// leave ends a participation without a seat. The caller holds c.mu.
func (c *Conversation) leave(b *Batch, p *participant) {
	p.tell(b, &Left{Conversation: c.ID, Who: p.who})
	p.virtual, p.known = false, false
	if !p.in() {
		c.tell(b, &Left{Conversation: c.ID, Who: p.who}, p)
	}
	c.drop(p)
}

// leaveTalks takes an account that has lost its last Direct session out of the conversations where it has no seat.
func (x *Exchange) leaveTalks(b *Batch, a *account) {
	for _, c := range x.reg.with(a.who) {
		c.mu.Lock()
		p := c.find(a.who)
		if p == nil || !p.virtual || c.over || len(a.directs()) > 0 {
			c.mu.Unlock()
			continue
		}
		if c.waitedFor(p) {
			p.known = false // whoever answers finds who left the words
		} else {
			c.leave(b, p)
		}
		empty := c.empty()
		c.mu.Unlock()
		if empty {
			c.finish(b, 0, false)
		}
	}
}

// waitedFor reports whether all that there is of the conversation is a ring on behalf of somebody who left
// words. The caller holds c.mu.
func (c *Conversation) waitedFor(p *participant) bool {
	rings := false
	for _, o := range c.parts {
		switch {
		case o != p && o.in():
			return false
		case o.ring != nil:
			rings = true
		}
	}
	return rings
}

// talk gives a conversation that the session's person is in without a seat, with its lock held, if it is not
// over; or nil.
func (c *Client) talk(id int64) (*Conversation, *participant) {
	r := &c.x.reg
	r.mu.RLock()
	t := r.talks[id]
	r.mu.RUnlock()
	if t == nil {
		return nil, nil
	}
	t.mu.Lock()
	if p := t.find(c.account.who); p != nil && p.virtual && !t.over {
		return t, p
	}
	t.mu.Unlock()
	return nil, nil
}

// Begin begins a conversation that nobody is in but the session's person, without a seat. Where there is no place,
// only those can be invited who need no seat. Nothing is handed. The errors are im.ErrTooMany, im.ErrClosing, and
// im.ErrGone when the session has ended.
func (c *Client) Begin(ctx context.Context) (conversation int64, err error) {
	x := c.x
	if x.Crowded(c.account.who) {
		return 0, im.ErrTooMany
	}
	place, err := x.PickPlace()
	if err != nil {
		place = nil
	}
	t, err := x.newConversation(place)
	if err != nil {
		return 0, err
	}
	p, err := t.participant(ctx, c.account.who)
	if err != nil {
		t.end(0)
		return 0, err
	}
	t.mu.Lock()
	p.virtual, p.known = true, true
	gone := len(c.account.directs()) == 0
	t.mu.Unlock()
	if gone {
		t.end(0)
		return 0, im.ErrGone
	}
	return t.ID, nil
}

// Invite is Seat.Call for who is in a conversation without a seat. im.ErrGone when they are not.
func (c *Client) Invite(ctx context.Context, conversation int64, who im.Address) error {
	t, p := c.talk(conversation)
	if t == nil {
		return im.ErrGone
	}
	t.mu.Unlock()
	return t.invite(ctx, &c.batch, p, who, nil)
}

// Say is Seat.Say for who is in a conversation without a seat. im.ErrGone when they are not: then done is not
// called. The person's own other sessions do not hear it. What was handed is for Secure.
func (c *Client) Say(ctx context.Context, conversation int64, m *im.Message, done func(error)) (handed []*Message, err error) {
	t, p := c.talk(conversation)
	if t == nil {
		return nil, im.ErrGone
	}
	t.mu.Unlock()
	return t.say(ctx, &c.batch, p, m, done, true), nil
}

// Quit takes the session's person out of a conversation where they have no seat. All their Direct sessions
// are told.
func (c *Client) Quit(_ context.Context, conversation int64) {
	t, p := c.talk(conversation)
	if t == nil {
		return
	}
	t.leave(&c.batch, p)
	empty := t.empty()
	t.mu.Unlock()
	if empty {
		t.finish(&c.batch, 0, false)
	}
	c.batch.Flush()
}

// attendance is a session in a conversation that it hears for its account.
type attendance struct {
	conversation int64
	p            *participant
}

// Attend has the session hear what is said in a conversation that its person knows as one of several, whatever its
// presence, and no others of theirs but those that attend it, too; or, with on false, no more. While none attends,
// those hear it that take messages. It ends with the conversation and with the session. im.ErrGone when they do not
// know it.
func (c *Client) Attend(conversation int64, on bool) error {
	t, p := c.talk(conversation)
	if t == nil {
		return im.ErrGone
	}
	defer t.mu.Unlock()
	if !p.known {
		return im.ErrGone
	}
	var next []attendance
	if l := c.attends.Load(); l != nil {
		c.x.reg.mu.RLock()
		for _, a := range *l {
			if a.p != p && c.x.reg.talks[a.conversation] != nil { // others are over
				next = append(next, a)
			}
		}
		c.x.reg.mu.RUnlock()
	}
	if on {
		next = append(next, attendance{conversation, p})
		t.annex.come()
	}
	c.attends.Store(&next)
	return nil
}

// attending is the participant's sessions that attend the conversation.
func (p *participant) attending() []*Client {
	return slices.DeleteFunc(p.account.directs(), func(c *Client) bool {
		l := c.attends.Load()
		return l == nil || !slices.ContainsFunc(*l, func(a attendance) bool { return a.p == p })
	})
}

// Talk gives a conversation that the session's person is in without a seat, if they know it as one of several.
func (c *Client) Talk(conversation int64) (*Talk, bool) {
	t, p := c.talk(conversation)
	if t == nil {
		return nil, false
	}
	defer t.mu.Unlock()
	if !p.known {
		return nil, false
	}
	return t.talkOf(p), true
}

// Talks gives all of them: for a session that is new, and was not told of them.
func (c *Client) Talks() []Talk {
	var l []Talk
	for _, o := range c.x.reg.with(c.account.who) {
		if t, ok := c.Talk(o.ID); ok {
			l = append(l, *t)
		}
	}
	return l
}
