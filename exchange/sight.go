package exchange

import (
	"slices"

	"parley/im"
)

// judge says what the sessions of an account show and hear by what was committed of it at one
// moment, each by the list of rules that is in force for it.
type judge struct {
	snap *Snapshot
	of   *Client // judged by the list called as, whatever it uses now; nil: nobody
	as   string
}

// list is the name of the list that judges a session; "" is the default one.
func (j judge) list(o *Client) string {
	if o == j.of {
		return j.as
	}
	return o.uses()
}

// shows reports whether a session of the account is shown to a session of somebody it keeps e about.
func (j judge) shows(e *im.Entry, o, to *Client) bool {
	return j.lets(e, o, to) && o.shown.Load().has(e.Who)
}

// lets is shows by what is kept alone.
func (j judge) lets(e *im.Entry, o, to *Client) bool {
	if e == nil || !e.Watching() {
		return false
	}
	s := j.snap
	own := e.Who == s.Address
	l := s.list(j.list(o))
	if l == nil {
		return e.Seen && (s.plain || own || im.Allows(s.rules, s.subject(e.Who, to.login.Slot, im.PresenceOut, e)))
	}
	side := e.Side
	side.Denied = false // by the default list, which does not count
	return own || im.Shows(side, e.Watched, s.Settings) && im.Allows(l.Rules, s.subject(e.Who, to.login.Slot, im.PresenceOut, e))
}

// hears reports whether a session of the account is told of somebody's presence (XEP-0191 3.3).
func (j judge) hears(c *Client, who im.Address, slot string) bool {
	return !c.login.Inbound || j.snap.Judge(j.list(c), im.Subject{Who: who, Slot: slot, What: im.PresenceIn})
}

// hears is judge's for what is true now. Safe for anybody.
func (c *Client) hears(who im.Address, slot string) bool {
	return !c.login.Inbound || judge{snap: c.account.snap.Load()}.hears(c, who, slot)
}

// judgesEach reports whether what of the account is shown depends on the session, of one or of the other.
func (a *account) judgesEach(s *Snapshot) bool { return s.slotted || a.chosen() || a.picked() }

// picks reports whether the session may hear of some of a person's sessions and not of others.
func (c *Client) picks() bool {
	return c.login.Inbound && (c.account.snap.Load().slotted || c.uses() != "")
}

// chosen reports whether a session of the account has a list of its own.
func (a *account) chosen() bool {
	return slices.ContainsFunc(a.online(), func(o *Client) bool { return o.uses() != "" })
}

// picked reports whether a session of the account is shown to some alone.
func (a *account) picked() bool {
	return slices.ContainsFunc(a.online(), func(o *Client) bool { return o.shown.Load() != nil })
}

// shows reports whether a session of the account is shown to another account's, which hears of it.
func (a *account) shows(s *Snapshot, e *im.Entry, o, to *Client) bool {
	return judge{snap: s}.shows(e, o, to) && to.hears(a.who, o.login.Slot)
}

// mergedFor is the account's presence as one session of a watcher sees it. The caller holds a.mu.
func (a *account) mergedFor(s *Snapshot, e *im.Entry, to *Client) im.Presence {
	var seen []im.Presence
	for _, o := range a.online() {
		if a.shows(s, e, o, to) {
			seen = append(seen, o.presence)
		}
	}
	return im.Merge(seen)
}

// noticeFor is a notice as one session of a watcher may have it, nil when it may not: what they all
// may have is handed as it is. The caller holds a.mu.
func (a *account) noticeFor(s *Snapshot, n *Presence, of *Client, e *im.Entry, to *Client) *Presence {
	if of != nil && !a.shows(s, e, of, to) {
		return nil
	}
	merged := a.mergedFor(s, e, to)
	if of == nil && !merged.State.Visible() {
		return nil
	}
	return &Presence{Who: n.Who, Name: n.Name, Merged: merged, Changed: true, Slot: n.Slot, Session: n.Session}
}

// resight tells somebody's sessions which of the account's they see no longer and which they see
// now, after what was kept of them, or the rules, changed. With later, the second is told by who
// sees them (Exchange.sight). heard is of whom sessions heard until the same act. The caller holds a.mu.
func (a *account) resight(b *Batch, who im.Address, was, is *im.Entry, before, after judge, later bool, heard []hearing) {
	w := a.x.inMemory(who)
	if w == nil || !a.merged.State.Visible() {
		return
	}
	for _, to := range w.online() {
		first := true
		for _, o := range a.online() {
			p := o.presence.Seen()
			if p.State == im.Offline {
				continue
			}
			saw, sees := before.shows(was, o, to), after.shows(is, o, to)
			if saw == sees || sees && later || !to.told(a.who, o.login.Slot) && !(saw && toldBefore(heard, to, a.who, o.login.Slot)) {
				continue
			}
			n := &Presence{Who: a.who, Name: after.snap.DisplayName(), Changed: first, Slot: o.login.Slot, Initial: sees}
			if is != nil {
				n.Merged = a.mergedFor(after.snap, is, to)
			}
			if first = false; sees {
				n.Session = p
			}
			b.Hand(to.session, n)
		}
	}
}

// resightAll is resight of all who watch the account, after its rules changed. The caller holds a.mu.
func (a *account) resightAll(b *Batch, before, after judge, heard []hearing) {
	if !a.merged.State.Visible() {
		return
	}
	for _, is := range after.snap.Entries {
		if was := before.snap.Entry(is.Who); was != nil && is.Watching() && is.Who != a.who {
			a.resight(b, is.Who, was, is, before, after, is.Seen && !was.Seen, heard)
		}
	}
}

// hearing is a session that may hear of somebody now, or no longer.
type hearing struct {
	c      *Client
	who    im.Address
	before judge
}

// toldBefore reports whether a session was told of one of somebody's until the act that changed what it hears.
func toldBefore(heard []hearing, c *Client, who im.Address, slot string) bool {
	return slices.ContainsFunc(heard, func(h hearing) bool { return h.c == c && h.who == who && h.before.hears(c, who, slot) })
}

// hearings lists what is to be looked at again after what was kept of some people changed, or the
// rules did (all). The caller holds a.mu.
func (a *account) hearings(before, after judge, who []im.Address, all bool) (l []hearing) {
	for _, c := range a.online() {
		if !c.login.Inbound || !c.interested.Load() {
			continue
		}
		if all {
			for _, e := range after.snap.Entries {
				if e.Side.Watch != im.WatchNone {
					l = append(l, hearing{c, e.Who, before})
				}
			}
			continue
		}
		for _, w := range who {
			l = append(l, hearing{c, w, before})
		}
	}
	return l
}

// rehear tells a session of those of somebody's sessions that it hears of now, or no longer.
func (x *Exchange) rehear(b *Batch, h hearing) {
	p := x.inMemory(h.who)
	if p == nil || p == h.c.account {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	snap := p.snap.Load()
	if snap == nil || !p.merged.State.Visible() {
		return
	}
	e := snap.Entry(h.c.account.who)
	first := true
	for _, o := range p.online() {
		s := o.presence.Seen()
		if s.State == im.Offline || !(judge{snap: snap}).shows(e, o, h.c) {
			continue
		}
		heard, hears := h.before.hears(h.c, h.who, o.login.Slot), h.c.hears(h.who, o.login.Slot)
		if heard == hears {
			continue
		}
		n := &Presence{Who: h.who, Name: snap.DisplayName(), Merged: p.mergedFor(snap, e, h.c), Changed: first,
			Slot: o.login.Slot, Initial: hears}
		if first = false; hears {
			n.Session = s
		}
		b.Hand(h.c.session, n)
	}
}
