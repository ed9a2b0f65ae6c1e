package exchange

import (
	"maps"

	"parley/im"
)

// A peer tells how its users are to each of those who watch them, and may tell some that somebody is there and others that
// they are not: a block, say. So the session that stands for somebody is shown to those alone who were told so.

// group is some people; a nil one has everybody in it.
type group map[im.Address]struct{}

func (g *group) has(who im.Address) bool {
	if g == nil {
		return true
	}
	_, ok := (*g)[who]
	return ok
}

// ShowTo has the session of a user of a peer's shown to some, and from the first time on to nobody else; whether they may
// see it is asked besides. Who sees it now is told. Safe for anybody.
func (c *Client) ShowTo(who ...im.Address) {
	c.reshow(who, func(g group, w im.Address) { g[w] = struct{}{} })
}

// HideFrom ends that for some, and gives how many are left; 0 when it was shown to all. Who sees it no more is told. Safe
// for anybody.
func (c *Client) HideFrom(who ...im.Address) (left int) {
	if c.shown.Load() == nil {
		return 0
	}
	return c.reshow(who, func(g group, w im.Address) { delete(g, w) })
}

// ShowToAll has it shown to all who may see it. Its presence is to be offline: nobody is told.
func (c *Client) ShowToAll() { c.shown.Store(nil) }

func (c *Client) reshow(who []im.Address, change func(group, im.Address)) (left int) {
	a, next := c.account, group{}
	var b Batch
	defer b.Flush()
	a.mu.Lock()
	defer a.mu.Unlock()
	old := c.shown.Load()
	if old != nil {
		next = maps.Clone(*old)
	}
	for _, w := range who {
		change(next, w)
	}
	c.shown.Store(&next)
	snap, p := a.snap.Load(), c.presence.Seen()
	if snap == nil || p.State == im.Offline {
		return len(next)
	}
	for _, w := range who {
		e, o := snap.Entry(w), a.x.inMemory(w)
		sees := next.has(w)
		if old.has(w) == sees || o == nil {
			continue
		}
		for _, to := range o.online() {
			if !(judge{snap: snap}).lets(e, c, to) || !to.hears(a.who, c.login.Slot) || !to.told(a.who, c.login.Slot) {
				continue
			}
			n := &Presence{Who: a.who, Name: snap.DisplayName(), Merged: a.mergedFor(snap, e, to), Changed: true, Slot: c.login.Slot, Initial: sees}
			if sees {
				n.Session = p
			}
			b.Hand(to.session, n)
		}
	}
	return len(next)
}
