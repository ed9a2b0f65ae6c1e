package exchange

import (
	"context"
	"slices"
	"time"

	"parley/im"
	"parley/store"
)

// By says who acts: an account, through one of its sessions if Client is set.
type By struct {
	Who    im.Address
	Client *Client
	Tag    any // comes back with the changes that the act leads to, for Client
}

// Change is one committed change of what an account keeps or shows: about somebody (Who), or
// about itself (Account). Handed to all its sessions.
type Change struct {
	Of            im.Address // the account
	Serial        int64      // after it; 0: nothing that any protocol shows
	Who           im.Address // zero: about itself
	Before, After im.Entry
	Account       *im.Account  // about itself: as it is now, without keys
	Was           *im.Account  // and as it was
	Others        []im.Address // with a new name: all who keep anything about the account
	By            By           // By.Who may be the other one of the two

	// Request comes with somebody's wish to see the account, also with one that is repeated: then
	// Serial is 0, and nothing else changed.
	Request *im.Wish
	Groups  []im.Group // all groups after, when an act changed them; not nil then

	// Property is what somebody who is seen tells of themselves now: nothing else changed.
	Property *Property

	// Rules names the list of rules that was put or deleted, or that somebody was blocked in or unblocked: on
	// one change of an act. Blocked and Unblocked are who is blocked now, and who no more: likewise.
	Rules              string
	Blocked, Unblocked []im.Whom

	lists []im.RuleList // all lists after an act on rules; about the account itself
}

func (*Change) delivery() {}

// relate runs an act of by.Who about other: judge gives the pair as it shall be. What changed
// is committed, then published; then relate returns. ErrUnknownUser and ErrDisabled when by.Who
// is an account no more.
func (x *Exchange) relate(ctx context.Context, by By, other im.Address, op string,
	judge func(tx *store.Tx, p im.Pair) (im.Pair, error)) error {
	return x.befall(ctx, by, other, op, x.mayAct(by, judge))
}

// mayAct has an act refused to those who are no account any more.
func (x *Exchange) mayAct(by By, judge func(tx *store.Tx, p im.Pair) (im.Pair, error)) func(tx *store.Tx, p im.Pair) (im.Pair, error) {
	return func(tx *store.Tx, p im.Pair) (im.Pair, error) {
		if x.domains[by.Who.Domain()] {
			switch acct, err := tx.Account(by.Who); {
			case err != nil:
				return p, err
			case acct.Disabled: // also while it is removed: what it begins now would outlive it
				return p, im.ErrDisabled
			}
		}
		return judge(tx, p)
	}
}

// befall is relate for what nobody does, such as an answer that comes to its end.
func (x *Exchange) befall(ctx context.Context, by By, other im.Address, op string,
	judge func(tx *store.Tx, p im.Pair) (im.Pair, error)) error {
	return x.perform(ctx, by, other, op, judge, asIs)
}

// perform is befall with something that is to be done in the same transaction, after the pair is put.
func (x *Exchange) perform(ctx context.Context, by By, other im.Address, op string,
	judge func(tx *store.Tx, p im.Pair) (im.Pair, error),
	then func(tx *store.Tx, before, after im.Pair, cs []*Change) ([]*Change, error)) error {
	if by.Client != nil {
		by.Client.Flush() // nobody waits for our commit
	}
	for _, who := range []im.Address{by.Who, other} { // whoever stands for them is to be told
		if x.peer(who.Domain()) == nil {
			continue
		}
		a, err := x.acquire(ctx, who)
		if err != nil {
			return err
		}
		defer a.release()
	}
	var cs []*Change
	return x.store.Update(ctx, op, func(tx *store.Tx) error {
		cs = nil
		before, err := tx.Pair(by.Who, other)
		if err != nil {
			return err
		}
		after, err := judge(tx, before)
		if err != nil {
			return err
		}
		if cs, err = x.putPair(tx, by, by.Who, other, before, after); err != nil {
			return err
		}
		cs, err = then(tx, before, after, cs)
		return err
	}, func() { x.publish(cs) })
}

// putPair writes a pair and gives the changes of both sides.
func (x *Exchange) putPair(tx *store.Tx, by By, me, other im.Address, before, after im.Pair) ([]*Change, error) {
	if me == other { // one row, seen twice
		before.Theirs, after.Theirs = before.Mine, after.Mine
	}
	var list string
	var err error
	blocks, unblocks := !before.Mine.Denied && after.Mine.Denied, before.Mine.Denied && !after.Mine.Denied
	if unblocks { // the list may go with it
		list, err = defaultList(tx, me)
	}
	if err == nil {
		err = tx.PutPair(me, other, before, after)
	}
	if err == nil && blocks {
		list, err = defaultList(tx, me)
	}
	if err != nil {
		return nil, err
	}
	var cs []*Change
	c, err := x.changeOf(tx, by, me, other, before, after)
	for _, c := range c {
		c.Rules = list
		if blocks {
			c.Blocked = []im.Whom{{Address: other}}
		} else if unblocks {
			c.Unblocked = []im.Whom{{Address: other}}
		}
	}
	if err != nil || me == other {
		return append(cs, c...), err
	}
	cs = append(cs, c...)
	c, err = x.changeOf(tx, by, other, me, before.Turned(), after.Turned())
	return append(cs, c...), err
}

// defaultList names the list that blocks are kept in; "" if there is none.
func defaultList(tx *store.Tx, of im.Address) (string, error) {
	lists, err := tx.RuleLists(of)
	for _, l := range lists {
		if l.Default {
			return l.Name, nil
		}
	}
	return "", err
}

// changeOf is what a change of a pair means for one of the two; nothing for those who are not ours.
func (x *Exchange) changeOf(tx *store.Tx, by By, of, who im.Address, before, after im.Pair) ([]*Change, error) {
	if !x.Serves(of.Domain()) {
		return nil, nil
	}
	var name string
	ours := false
	if acct, err := x.account(tx, who); err == nil {
		name, ours = acct.Name, true
	} else if err != im.ErrUnknownUser {
		return nil, err
	}
	c := &Change{Of: of, Who: who, By: by, Before: before.EntryOf(who, name, ours), After: after.EntryOf(who, name, ours)}
	if c.After.Watched == im.WatchAsked && c.Before.Watched != im.WatchAsked {
		hears, err := hearsOf(tx, of, &c.After)
		if err != nil {
			return nil, err
		}
		if hears {
			c.Request = &im.Wish{From: who, Time: time.Now()}
		}
	}
	shown := !c.Before.Side.Equal(c.After.Side) || c.Before.Watched != c.After.Watched
	if of == who {
		c.Before.Mirror()
		c.After.Mirror()
	}
	if !shown && c.Before.Sees == c.After.Sees && c.Before.Seen == c.After.Seen {
		return nil, nil
	}
	if shown {
		var err error
		if c.Serial, err = x.nextSerial(tx, of); err != nil {
			return nil, err
		}
		if c.Serial == 0 {
			return nil, nil // of our domain, but no account
		}
	}
	return []*Change{c}, nil
}

// publish tells every node what was committed. Called in commit order, by one goroutine.
func (x *Exchange) publish(cs []*Change) {
	if len(cs) == 0 {
		return
	}
	if err := x.bus.Publish(x.ctx, "changes", cs); err != nil {
		x.log.Error("changes not published", "err", err)
	}
}

// apply takes what was committed into memory, and tells the sessions concerned.
func (x *Exchange) apply(cs []*Change) {
	var b Batch
	var heard []hearing
	for rest := cs; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Of == rest[0].Of {
			n++
		}
		if a := x.inMemory(rest[0].Of); a != nil {
			for _, c := range rest[:n] {
				if c.Account != nil {
					a.spread(c)
				}
			}
			heard = append(heard, a.apply(&b, rest[:n], heard)...)
			if slices.ContainsFunc(rest[:n], (*Change).opens) && a.mayWait() && a.reachable() {
				x.offerSoon(a) // what was denied before may be taken now
			}
		}
		rest = rest[n:]
	}
	for _, c := range cs {
		if !c.Before.Sees && c.After.Sees {
			x.sight(&b, c)
		}
	}
	for _, h := range heard {
		x.rehear(&b, h)
	}
	x.changed(cs)
	x.flusher.take(x, &b)
}

// opens reports whether the account may take messages after the change that it did not take before, and nobody has to be
// answered first, who then says Reoffer.
func (c *Change) opens() bool {
	if c.By.Client != nil && c.By.Client.login.Own && c.By.Who == c.Of {
		return false
	}
	return c.lists != nil || len(c.Unblocked) > 0 || c.Was != nil && c.Was.Settings.Messages == im.DefaultDeny && c.Account.Settings.Messages != im.DefaultDeny
}

// apply makes the account's copy newer, and hands the changes to its sessions. What they may hear
// of others by it now is to be looked at when a is locked no more. heard is of whom others heard until the same act.
func (a *account) apply(b *Batch, cs []*Change, heard []hearing) []hearing {
	a.mu.Lock()
	defer a.mu.Unlock()
	old := a.snap.Load()
	if old == nil {
		a.missed = true
		return nil
	}
	next := old.with(cs)
	a.snap.Store(next)
	for _, c := range cs {
		if c.Serial <= old.Serial && (c.Serial != 0 || c.Request == nil) {
			continue // silent, or known since the account was read
		}
		for _, s := range a.online() {
			b.Hand(s.session, c)
		}
	}
	before, after := judge{snap: old}, judge{snap: next}
	ruled := false
	var who []im.Address
	for _, c := range cs {
		if c.lists != nil {
			ruled = true
			continue
		}
		if c.Account != nil {
			a.keys = nil // they may be others now
			a.refresh(b, c)
			continue
		}
		// At once, so that no later presence of the account passes by who sees it no longer.
		was, is := old.Entry(c.Who), next.Entry(c.Who)
		if who = append(who, c.Who); !ruled {
			a.resight(b, c.Who, was, is, before, after, is != nil && is.Seen && (was == nil || !was.Seen), heard)
		}
	}
	if ruled {
		a.resightAll(b, before, after, heard)
	}
	a.undirectDenied(b)
	if old.plain && next.plain && !a.chosen() {
		return nil
	}
	return a.hearings(before, after, who, ruled)
}

// spread takes a change of the account's own name or defaults into what memory holds of others.
// Before anybody is told of it: who begins to listen meanwhile finds it there.
func (a *account) spread(c *Change) {
	for _, who := range c.Others {
		if o := a.x.inMemory(who); o != nil {
			o.edit(a.who, func(e *im.Entry) { e.Name = c.Account.Name })
		}
	}
	snap := a.snap.Load()
	if snap == nil || c.Was.Settings.Presence == c.Account.Settings.Presence {
		return
	}
	for _, e := range snap.Entries {
		if e.Watched != im.WatchGranted {
			continue
		}
		if o := a.x.inMemory(e.Who); o != nil && o != a {
			o.edit(a.who, func(m *im.Entry) { m.Sees = im.Shows(e.Side, e.Watched, c.Account.Settings) })
		}
	}
}

// refresh tells the others what a change of the account's own name or defaults means to them.
// The caller holds a.mu.
func (a *account) refresh(b *Batch, c *Change) {
	if c.Was.Name != c.Account.Name && a.merged.State.Visible() {
		a.tell(b, nil, &Presence{Merged: a.merged, Changed: true})
	}
	if c.Was.Settings != c.Account.Settings {
		a.reconsider(b)
	}
}

// reconsider finds who sees the account now that its presence default changed. Whose watch
// was asked is not among them: granting it is a change of its own. The caller holds a.mu.
func (a *account) reconsider(b *Batch) {
	snap := a.snap.Load()
	n := *snap
	n.Entries = append([]*im.Entry(nil), snap.Entries...)
	var changed []im.Address
	for i, e := range n.Entries {
		seen := e.Who == a.who || im.Shows(e.Side, e.Watched, n.Settings)
		if seen == e.Seen || e.Watched != im.WatchGranted {
			continue
		}
		f := *e
		f.Seen = seen
		n.Entries[i] = &f
		changed = append(changed, e.Who)
	}
	a.snap.Store(&n)
	for _, who := range changed {
		a.resight(b, who, snap.Entry(who), n.Entry(who), judge{snap: snap}, judge{snap: &n}, false, nil)
	}
}

// edit replaces what the account's copy says about somebody. Called by the publisher.
func (a *account) edit(who im.Address, f func(*im.Entry)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	old := a.snap.Load()
	if old == nil {
		a.missed = true
		return
	}
	i, ok := old.find(who)
	if !ok {
		return
	}
	n := *old
	n.Entries = append([]*im.Entry(nil), old.Entries...)
	e := *old.Entries[i]
	f(&e)
	n.Entries[i] = &e
	a.snap.Store(&n)
}

// editAll is edit of everybody in memory: for what is rare.
func (x *Exchange) editAll(who im.Address, f func(*im.Entry)) {
	for i := range x.shards {
		for _, a := range x.shards[i].all() {
			a.edit(who, f)
		}
	}
}

// sight tells an account's sessions how somebody is whom they now see.
func (x *Exchange) sight(b *Batch, c *Change) {
	w := x.inMemory(c.Of)
	if w == nil {
		return
	}
	for _, s := range w.online() {
		if !s.interested.Load() {
			continue
		}
		var tag any
		if c.By.Client == s {
			tag = c.By.Tag
		}
		x.introduce(b, s, c.Who, tag)
	}
}
