package exchange

import (
	"context"
	"slices"

	"parley/im"
)

// What is for one session alone: messages to a slot, presence sent to somebody (RFC 6121 4.6), and
// presence asked for (RFC 6121 4.3).

// MessageID makes the id of a message that is going to be sent.
func (x *Exchange) MessageID() im.MessageID { return x.messageIDs(1) }

// directs is the account's Direct sessions, whatever their presence.
func (a *account) directs() []*Client {
	var l []*Client
	for _, c := range a.online() {
		if c.login.Abilities&Direct != 0 {
			l = append(l, c)
		}
	}
	return l
}

// at is the Direct session in a slot, whatever its presence; nil when there is none.
func (a *account) at(slot string) *Client {
	for _, c := range a.online() {
		if c.login.Slot == slot && c.login.Abilities&Direct != 0 {
			return c
		}
	}
	return nil
}

// lets reports whether the list that is active, or the default one, lets a message through, and whether its sender
// may write at all.
func (s *Snapshot) lets(active string, m *im.Message) bool {
	l, what := s.list(active), m.Means()
	if l == nil && !s.slotted && what == im.Messages || m.From == s.Address {
		return s.Takes(m.From)
	}
	var side im.Side
	if e := s.Entry(m.From); e != nil {
		side = e.Side
	}
	if l != nil {
		side.Denied = false // by the default list, which does not count
	}
	return im.MayWrite(side, s.Settings) && s.Judge(active, im.Subject{Who: m.From, Slot: m.FromSlot, What: what})
}

// accepts reports whether the rules that judge the session let a message through.
func (c *Client) accepts(m *im.Message) bool { return c.account.snap.Load().lets(c.uses(), m) }

// accepting is those of the account's sessions that accept a message.
func accepting(l []*Client, m *im.Message) []*Client {
	return slices.DeleteFunc(l, func(c *Client) bool { return !c.accepts(m) })
}

// lets asks the rules about a message to a session, or to all that take messages (nil). Where sessions have rules of
// their own, one that lets it through suffices.
func (a *account) lets(one *Client, m *im.Message) bool {
	snap := a.snap.Load()
	if one != nil {
		return one.accepts(m)
	}
	if a.judgesEach(snap) {
		if l := a.takers(Direct | Rings); len(l) > 0 {
			return len(accepting(l, m)) > 0
		}
	}
	return snap.lets("", m)
}

// takesFrom reports whether a session of the account, or the account while none is there, takes words of somebody.
func (a *account) takesFrom(who im.Address, slot string) bool {
	return a.lets(nil, &im.Message{From: who, FromSlot: slot})
}

// forbids reports whether the rules of who sends a message keep it from its receiver.
func (a *account) forbids(m *im.Message) bool {
	s := a.snap.Load()
	if s == nil {
		return false
	}
	active := ""
	if o := a.at(m.FromSlot); o != nil {
		active = o.uses()
	}
	return (!s.plain || active != "") && s.Denies(active, m.To, m.Slot)
}

// told reports whether the session is told of somebody's presence, of their session in slot. Of its own account,
// one that is Own knows already.
func (c *Client) told(of im.Address, slot string) bool {
	return c.interested.Load() && !(c.login.Own && of == c.account.who) && c.hears(of, slot)
}

// tellOwn hands a notice of one of the account's sessions to all of them that are told of each other (RFC 6121
// 4.2.2, 4.4.2), and to the one that it is about, even when it goes offline (RFC 6121 4.5.2). One that is hidden hears
// of the others, so that what it knows stays true, and not of itself. The caller holds a.mu.
func (a *account) tellOwn(b *Batch, about *Client, n *Presence) {
	a.shown(n)
	for _, c := range a.online() {
		if c.login.Own && (c != about && c.interested.Load() || c == about && c.presence.State != im.Hidden) {
			b.Hand(c.session, n)
		}
	}
}

// introduceOwn tells a session how the others of its account are. The caller holds a.mu.
func (a *account) introduceOwn(b *Batch, c *Client, tag any) {
	for _, o := range a.online() {
		if p := o.presence.Seen(); o != c && p.State.Visible() {
			b.Hand(c.session, &Presence{Who: a.who, Name: a.snap.Load().DisplayName(), Merged: a.merged,
				Slot: o.login.Slot, Session: p, Initial: true, Tag: tag})
		}
	}
}

// shown is the presence of a session as others see it; of one that goes offline its last words remain.
func shown(p im.Presence) im.Presence {
	if p.State == im.Offline {
		return im.Presence{Status: p.Status, Native: p.Native, Since: p.Since}
	}
	return p.Seen()
}

// target is whom a session sent its presence to: one session, or all ("").
type target struct {
	who  im.Address
	slot string
}

// Direct sends a presence of the session to somebody alone: to the session in a slot, or to all Direct ones that have
// presence ("": RFC 6121 4.6.3). Those who do not see the account otherwise are remembered, and told when the
// session goes offline or ends; sending Offline takes them out. Nobody is told whether anybody is there.
// The errors are im.ErrUnknownUser for a domain that there is no way to, im.ErrOwnBlock, im.ErrListFull.
func (c *Client) Direct(ctx context.Context, to im.Address, slot string, p im.Presence) error {
	x, a := c.x, c.account
	if !x.Serves(to.Domain()) {
		return im.ErrUnknownUser
	}
	c.batch.Flush()
	w, err := x.acquire(ctx, to)
	if err == im.ErrUnknownUser {
		return nil // as if nobody were there
	} else if err != nil {
		return err
	}
	defer w.release()
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.gone {
		return nil
	}
	snap := a.snap.Load()
	e := snap.Entry(to)
	if (!snap.plain || c.uses() != "") && snap.Denies(c.uses(), to, slot) {
		return im.ErrOwnBlock
	}
	if !snap.Judge(c.uses(), im.Subject{Who: to, Slot: slot, What: im.PresenceOut}) {
		return nil // XEP-0016 2.11: without a word
	}
	t := target{to, slot}
	_, known := c.directed[t]
	switch {
	case p.State == im.Offline:
		delete(c.directed, t)
	case known || c.interested.Load() && (to == a.who || e != nil && snap.shows(e)):
	case len(c.directed) >= x.cfg.Directed:
		x.cfg.Metrics.LimitHit("directed")
		return im.ErrListFull
	default:
		if c.directed == nil {
			c.directed = map[target]struct{}{}
		}
		c.directed[t] = struct{}{}
	}
	c.direct(&c.batch, w, slot, p)
	return nil
}

// direct hands somebody's sessions a presence of this one. The caller holds account.mu.
func (c *Client) direct(b *Batch, w *account, slot string, p im.Presence) {
	n := &Presence{Who: c.account.who, Name: c.account.snap.Load().DisplayName(), Slot: c.login.Slot, Session: p, Direct: true, One: slot != ""}
	for _, o := range w.directs() {
		if (slot == "" && o.interested.Load() || slot != "" && o.login.Slot == slot) && o.hears(n.Who, n.Slot) {
			b.Hand(o.session, n)
		}
	}
}

// shownTo reports whether somebody's session may know that this one is there: it is of the same account, or sees that account, or
// was sent its presence. RFC 6121 8.5.3.1
func (c *Client) shownTo(who im.Address, slot string) bool {
	a := c.account
	if who == a.who {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if snap := a.snap.Load(); snap != nil {
		if e := snap.Entry(who); e != nil && snap.shows(e) {
			return true
		}
	}
	_, one := c.directed[target{who, slot}]
	_, all := c.directed[target{who, ""}]
	return one || all
}

// undirect tells those whom the session sent its presence to, and who do not see that it goes, that it is
// offline: RFC 6121 4.6.3. The caller holds account.mu.
func (c *Client) undirect(b *Batch, p im.Presence) {
	snap := c.account.snap.Load()
	for t := range c.directed {
		w := c.x.inMemory(t.who)
		if w == nil {
			continue
		}
		if e := snap.Entry(t.who); e != nil && snap.shows(e) && t.slot == "" {
			continue // since then they see the account
		}
		c.direct(b, w, t.slot, shown(p))
	}
	c.directed = nil
}

// undirectDenied tells those whom sessions sent their presence to, and may not any more by the rules, that they are
// offline: XEP-0191 3.3. The caller holds a.mu.
func (a *account) undirectDenied(b *Batch) {
	snap := a.snap.Load()
	for _, c := range a.online() {
		for t := range c.directed {
			if !snap.Denies(c.uses(), t.who, t.slot) && snap.Judge(c.uses(), im.Subject{Who: t.who, Slot: t.slot, What: im.PresenceOut}) {
				continue
			}
			delete(c.directed, t)
			if w := c.x.inMemory(t.who); w != nil {
				c.direct(b, w, t.slot, im.Presence{})
			}
		}
	}
}

// Probe hands the session how somebody is whom it may see, or one session of them: a notice, Initial, for each
// session that is to be seen. False: there is none to be seen. RFC 6121 4.3.2
func (c *Client) Probe(_ context.Context, who im.Address, slot string) (found bool, err error) {
	if !c.x.Serves(who.Domain()) {
		return false, im.ErrUnknownUser
	}
	w := c.x.inMemory(who)
	if w == nil {
		return false, nil // offline
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.describe(&c.batch, c, slot, nil) {
		return true, nil
	}
	snap := w.snap.Load()
	for _, o := range w.online() { // RFC 6121 4.6.6: that it is there, and no more
		if slot == "" || snap == nil || o.login.Slot != slot || !o.sentTo(c) || !c.hears(who, slot) {
			continue
		}
		c.batch.Hand(c.session, &Presence{Who: who, Name: snap.DisplayName(), Slot: slot,
			Session: im.Presence{State: im.Available}, Initial: true, Direct: true, One: true})
		return true, nil
	}
	return false, nil
}

// Sees reports whether somebody else is there, as far as the session is told: with a session at least that is shown to it.
// Safe for anybody.
func (c *Client) Sees(who im.Address) bool {
	w := c.x.inMemory(who)
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	snap := w.snap.Load()
	if snap == nil {
		return false
	}
	e := snap.Entry(c.account.who)
	return slices.ContainsFunc(w.online(), func(o *Client) bool { return o.presence.State.Visible() && w.shows(snap, e, o, c) })
}

// sentTo reports whether the session sent its presence to another, and that was not told since that it is offline. The
// caller holds account.mu of the first.
func (c *Client) sentTo(o *Client) bool {
	_, one := c.directed[target{o.account.who, o.login.Slot}]
	_, all := c.directed[target{o.account.who, ""}]
	return one || all
}
