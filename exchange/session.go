package exchange

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"parley/im"
)

// Ability says what a session can take.
type Ability uint8

const (
	Rings  Ability = 1 << iota // is rung and takes a seat in a conversation
	Direct                     // takes messages as they are
)

// Login says what kind of session logs in.
type Login struct {
	Door      string
	Slot      string // unique in the account: a second session in it ends the first
	Abilities Ability
	Remote    string // where it comes from, for the operator
	// Own has the session told of all sessions of its own account, itself included: RFC 6121 4.2.2.
	Own bool
	// Inbound has the account's rules asked, for this session, about the presence of others: XEP-0191 3.3.
	Inbound bool
	// Presence is the presence default that an account gets which no protocol logged in before.
	Presence im.Default

	stands bool // for a user of a peer's: it hears all that they may, and takes words, whatever their presence
}

// Client is a session that is logged in. Its methods belong to the goroutine that reads its
// connection, but where they say otherwise.
type Client struct {
	x       *Exchange
	account *account
	session Session
	login   Login
	since   time.Time

	interested atomic.Bool            // has presence, and is told others'
	rules      atomic.Pointer[string] // the list of rules that judges this session; nil: the default one
	deaf       atomic.Bool            // takes no messages, although it is visible
	attends    atomic.Pointer[[]attendance]
	shown      atomic.Pointer[group] // those alone see it; nil: all who may
	presence   im.Presence           // guarded by account.mu
	gone       bool                  // guarded by account.mu
	directed   map[target]struct{}   // likewise: who was sent its presence, and does not see it otherwise

	batch Batch
}

// Attach logs a session in. Another one in the same slot ends; what others saw of it stays
// until the new one says otherwise, so that nobody sees the account go and come.
func (x *Exchange) Attach(ctx context.Context, who im.Address, l Login, s Session) (*Client, error) {
	if !x.domains[who.Domain()] {
		return nil, im.ErrUnknownUser
	}
	a, err := x.acquire(ctx, who) // released by Detach
	if err != nil {
		return nil, err
	}
	snap := a.snap.Load()
	if snap.Disabled {
		a.release()
		return nil, im.ErrDisabled
	}
	if snap.Settings.Presence == im.DefaultUnset && l.Presence != im.DefaultUnset {
		if err := x.setDefaults(ctx, By{Who: who}, im.Settings{Presence: l.Presence}); err != nil && !errors.Is(err, im.ErrSameMode) {
			a.release()
			return nil, err
		}
	}
	c := &Client{x: x, account: a, session: s, login: l, since: time.Now()}
	var old *Client
	a.mu.Lock()
	switch {
	case x.ending.Load():
		err = im.ErrClosing
	case a.over || a.snap.Load().Disabled: // meanwhile
		err = im.ErrDisabled
	}
	if err != nil {
		a.mu.Unlock()
		a.release()
		return nil, err
	}
	next := make([]*Client, 0, 1)
	for _, o := range a.online() {
		if o.login.Slot == l.Slot {
			old, o.gone = o, true
			c.presence = o.presence
			continue
		}
		next = append(next, o)
	}
	next = append(next, c)
	a.clients.Store(&next)
	if old != nil {
		old.undirect(&c.batch, im.Presence{})
	}
	if old != nil && old.rules.Load() != nil { // others saw the old one by rules that the new one has not
		c.presence = im.Presence{}
		a.broadcast(&c.batch, old, old.presence, im.Presence{})
	}
	a.mu.Unlock()
	if old != nil {
		old.session.End(Replaced)
		x.leaveTalks(&c.batch, a)
		x.leaveRooms(&c.batch, old)
		c.batch.Flush()
		a.release() // the pin of the old one, which Detach now leaves alone
	}
	return c, nil
}

// Detach ends a session: others see what is left of the account's presence.
func (c *Client) Detach() {
	b := &c.batch
	if c.login.stands { // whoever acts for them may be somewhere else
		b = new(Batch)
	}
	c.withdraw(b)
	b.Flush()
}

// withdraw takes the session out of its account, once, and its person out of the conversations that only it was in.
func (c *Client) withdraw(b *Batch) {
	a := c.account
	a.mu.Lock()
	if c.gone {
		a.mu.Unlock()
		return
	}
	c.gone = true
	next := slices.DeleteFunc(slices.Clone(a.online()), func(o *Client) bool { return o == c })
	if len(next) == 0 {
		a.clients.Store(nil)
	} else {
		a.clients.Store(&next)
	}
	was := c.presence
	c.presence = im.Presence{}
	c.interested.Store(false)
	if !c.x.ending.Load() { // else each session is told that all is over, and nothing before
		a.broadcast(b, c, was, im.Presence{})
		c.undirect(b, im.Presence{})
	}
	a.mu.Unlock()
	if c.login.Abilities&Direct != 0 && !c.x.ending.Load() {
		c.x.leaveTalks(b, a)
	}
	if !c.x.ending.Load() {
		c.x.leaveRooms(b, c)
	}
	if len(next) == 0 && !c.login.stands {
		c.x.seen.note(c.x, a.who)
	}
	a.release()
}

// Who is the account's address.
func (c *Client) Who() im.Address { return c.account.who }

// Snapshot is what was committed of the account. Safe for anybody.
func (c *Client) Snapshot() *Snapshot { return c.account.snap.Load() }

// WithSnapshot runs f on what was committed, while nothing newer is handed to the session: what
// f queues comes before any later change. f must not call the exchange.
func (c *Client) WithSnapshot(f func(*Snapshot)) {
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	f(c.account.snap.Load())
}

// Flush writes what the client's acts handed to others. The door calls it before it waits.
func (c *Client) Flush() { c.batch.Flush() }

// Visible reports whether others may see this session.
func (c *Client) Visible() bool {
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	return c.interested.Load() && c.presence.State.Visible()
}

// SetDeaf makes the session take no messages, or take them again. Safe for anybody.
func (c *Client) SetDeaf(deaf bool) {
	was := c.deaf.Swap(deaf)
	if was && !deaf && c.account.mayWait() && c.takes() {
		c.x.offerSoon(c.account)
	}
}

// takes reports whether the session takes messages.
func (c *Client) takes() bool {
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	return c.taking()
}

// taking is takes for who holds account.mu.
func (c *Client) taking() bool {
	if c.login.stands {
		return !c.gone && !c.deaf.Load()
	}
	return c.interested.Load() && !c.deaf.Load() && c.presence.State.Visible() && c.presence.Priority >= 0
}

// SetPresence says how the session is. The first time, and whenever it comes back from
// being offline, it is told how those it watches are: notices with tag, Initial.
func (c *Client) SetPresence(p im.Presence, tag any) {
	a := c.account
	if p.Since.IsZero() {
		p.Since = time.Now()
	}
	a.mu.Lock()
	if c.gone {
		a.mu.Unlock()
		return
	}
	was, took := c.presence, c.taking()
	if was.Same(p) {
		p.Since = was.Since
	}
	c.presence = p
	begins := p.State != im.Offline && !c.interested.Load()
	c.interested.Store(p.State != im.Offline || c.login.stands)
	a.broadcast(&c.batch, c, was, p)
	if begins && c.login.Own {
		a.introduceOwn(&c.batch, c, tag)
	}
	if p.State == im.Offline {
		c.undirect(&c.batch, p)
	}
	offer := a.waiting && !took && c.taking()
	a.mu.Unlock()
	if begins {
		c.introduceAll(tag)
	}
	if offer {
		c.x.offerSoon(a)
	}
}

// introduceAll tells the session how those it sees are: also those who show themselves by a session's list alone.
func (c *Client) introduceAll(tag any) {
	for _, e := range c.account.snap.Load().Entries {
		if e.Side.Watch != im.WatchNone {
			c.x.introduce(&c.batch, c, e.Who, tag)
		}
	}
}

// introduce tells a session how somebody is, if they are to be seen. Under the other's lock,
// so that a later presence cannot come first. What is Own knows of its own account.
func (x *Exchange) introduce(b *Batch, c *Client, who im.Address, tag any) {
	p := x.inMemory(who)
	if p == nil {
		return // offline
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if who != c.account.who || !c.login.Own {
		p.describe(b, c, "", tag)
	}
}

// describe hands a session notices of the account's sessions, or of the one in a slot, if they are to be seen, and
// reports whether there are any. The caller holds a.mu.
func (a *account) describe(b *Batch, c *Client, slot string, tag any) bool {
	snap := a.snap.Load()
	if snap == nil || !a.merged.State.Visible() {
		return false
	}
	own := a == c.account && c.login.Own
	e := snap.Entry(c.account.who) // whatever the session's own account knows of it yet
	if e == nil && !own {
		return false
	}
	merged := a.merged
	if !own {
		merged = a.mergedFor(snap, e, c)
	}
	first := true
	for _, o := range a.online() {
		if s := o.presence.Seen(); s.State != im.Offline && (slot == "" || o.login.Slot == slot) && (own || a.shows(snap, e, o, c)) {
			b.Hand(c.session, &Presence{Who: a.who, Name: snap.DisplayName(), Merged: merged, Changed: first,
				Slot: o.login.Slot, Session: s, Initial: true, Tag: tag})
			first = false
		}
	}
	return !first
}

// broadcast tells those who see the account what changed when a session of it went from
// was to is. The caller holds a.mu.
func (a *account) broadcast(b *Batch, c *Client, was, is im.Presence) {
	merged := a.merge()
	before, news := a.merged, !merged.Same(a.merged)
	a.merged = merged
	if !news && was.Seen().Same(is.Seen()) {
		return
	}
	n := &Presence{Merged: merged, Was: before, Changed: news, Slot: c.login.Slot, Session: shown(is)}
	a.tell(b, c, n)
	a.tellOwn(b, c, n)
}

// tell hands a notice of the account, or of one session of it, to all who see it. The caller holds a.mu.
func (a *account) tell(b *Batch, of *Client, n *Presence) {
	snap := a.snap.Load()
	n.Who, n.Name = a.who, snap.DisplayName()
	each := a.judgesEach(snap) || of != nil && of.uses() != "" // one that goes is not among those who are online
	for _, e := range snap.Entries {
		if !e.Watching() || !each && !snap.shows(e) {
			continue
		}
		if w := a.x.inMemory(e.Who); w != nil {
			for _, c := range w.online() {
				if !c.told(a.who, n.Slot) {
					continue
				}
				if m := n; !each && !c.picks() {
					b.Hand(c.session, m)
				} else if m = a.noticeFor(snap, n, of, e, c); m != nil {
					b.Hand(c.session, m)
				}
			}
		}
	}
}

// merge is the account's presence as others see it. The caller holds a.mu.
func (a *account) merge() im.Presence {
	l := a.online()
	if len(l) == 1 {
		p := l[0].presence.Seen()
		if !p.Native.Whole {
			p.Native = im.Native{}
		}
		return p
	}
	ps := make([]im.Presence, len(l))
	for i, c := range l {
		ps[i] = c.presence
	}
	return im.Merge(ps)
}

// SessionInfo describes a session to the operator.
type SessionInfo struct {
	Door     string    `json:"door"`
	Slot     string    `json:"slot"`
	Remote   string    `json:"remote"`
	Since    time.Time `json:"since"`
	Presence string    `json:"presence"`
}

// Sessions lists an account's sessions.
func (x *Exchange) Sessions(who im.Address) []SessionInfo {
	a := x.inMemory(who)
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var l []SessionInfo
	for _, c := range a.online() {
		state := c.presence.State.String()
		if !c.interested.Load() {
			state = "no presence"
		}
		l = append(l, SessionInfo{c.login.Door, c.login.Slot, c.login.Remote, c.since, state})
	}
	return l
}
