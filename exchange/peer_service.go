package exchange

import (
	"context"
	"strings"

	"parley/im"
)

// Services of our accounts may be another domain's. Their words go there first then, and come back for those of ours whom
// they are for; and it is told how ours are.

// Elsewhere says which services of our accounts are another domain's, and who is told what it has to know.
type Elsewhere struct {
	// Messages is the domain that words of ours go to first, whoever they are for; a peer serves it. "": they are ours.
	Messages string
	// Shown is told how somebody of ours is from now on, as others see it; nil: nobody is. It returns at once, and calls
	// nothing of the exchange.
	Shown func(n *Presence)
	// Changed is told what changed of that which one of ours keeps; nil: nobody is. It returns at once.
	Changed func(c *Change)
}

// SetElsewhere has services of our accounts be another domain's; the zero Elsewhere ends that.
func (x *Exchange) SetElsewhere(e Elsewhere) { x.elsewhere.Store(&e) }

// SendHere is Send for words that have been where they go first, and for those of others: they go to their receiver.
func (x *Exchange) SendHere(ctx context.Context, b *Batch, m *im.Message, done func(error)) {
	x.send(ctx, b, m, done)
}

// first is a message as it is on its way to the domain that it goes to first: to its receiver's place there, so that what
// waits for one does so in order, and within the limits. A message that goes to its receiver is given back as it is.
func (x *Exchange) first(m *im.Message) *im.Message {
	e := x.elsewhere.Load()
	if e == nil || e.Messages == "" || m.Kind != im.Words || m.Only || !x.domains[m.From.Domain()] || m.To.IsDomain() {
		return m
	}
	if f := x.inMemory(m.From); f != nil && f.forbids(m) {
		return m // they are told so here
	}
	if m.ID == 0 {
		m.ID = x.messageIDs(1)
	}
	return m.For(im.TrustedAddress(m.To.Local()+placed+m.To.Domain()+"@"+e.Messages), m.ID)
}

// placed stands between the parts of an address in its place at another domain. No local part has one: RFC 8265 3.3.
const placed = " "

// Meant is a message as its sender sent it, of one that is on its way to the domain that it goes to first; false for others.
func Meant(m *im.Message) (*im.Message, bool) {
	local, domain, ok := strings.Cut(m.To.Local(), placed)
	if !ok {
		return m, false
	}
	return m.For(im.TrustedAddress(local+"@"+domain), m.ID), true
}

// sayFirst is say for words that go elsewhere first: in a conversation of two. False: it is not one, or they do not.
func (c *Conversation) sayFirst(ctx context.Context, b *Batch, from *participant, m *im.Message, done func(error)) bool {
	if e := c.x.elsewhere.Load(); e == nil || e.Messages == "" || m.Kind != im.Words || !c.x.domains[from.who.Domain()] {
		return false
	}
	var to im.Address
	c.mu.Lock()
	two := len(c.parts) == 2
	for _, p := range c.parts {
		if p != from {
			to = p.who
		}
	}
	if two {
		c.stir(m.Time)
	}
	c.mu.Unlock()
	if two {
		c.x.Send(ctx, b, m.For(to, c.x.messageIDs(1)), done)
	}
	return two
}

// EachShown tells how all of ours are whom others can see.
func (x *Exchange) EachShown(f func(n *Presence)) {
	for i := range x.shards {
		for _, a := range x.shards[i].all() {
			if !x.domains[a.who.Domain()] {
				continue
			}
			a.mu.Lock()
			if snap := a.snap.Load(); snap != nil && a.merged.State.Visible() {
				f(&Presence{Who: a.who, Name: snap.DisplayName(), Merged: a.merged, Changed: true, Initial: true})
			}
			a.mu.Unlock()
		}
	}
}

// shown tells who has to know how the account is. The caller holds a.mu.
func (a *account) shown(n *Presence) {
	if e := a.x.elsewhere.Load(); e != nil && e.Shown != nil && n.Changed && a.x.domains[a.who.Domain()] {
		e.Shown(n)
	}
}

// changed tells who has to know what changed of ours.
func (x *Exchange) changed(cs []*Change) {
	e := x.elsewhere.Load()
	if e == nil || e.Changed == nil {
		return
	}
	for _, c := range cs {
		if x.domains[c.Of.Domain()] {
			e.Changed(c)
		}
	}
}
