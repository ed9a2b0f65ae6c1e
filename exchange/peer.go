package exchange

import (
	"context"
	"maps"
	"time"

	"parley/im"
	"parley/metrics"
	"parley/store"
)

// A domain that is not ours may be served by a peer. Its users have no account here, but all else that a principal has:
// who watches them and whom they watch, and messages that wait for them. One session stands for each of them, as long as
// they are in memory; the peer hands over there what is for them, and acts through it on their behalf.

// Peer serves a domain that is not ours. A door implements it.
type Peer interface {
	// Stand gives the session that stands for one of its users, and what it is; c is for the peer to act through. Login's
	// Abilities and Presence do not count. Until SetDeaf(false), or Listen here, words for them are stored. It returns at
	// once and calls nothing else of the exchange.
	Stand(who im.Address, c *Client) (Session, Login)
}

// AddPeer has a domain served by a peer, until remove is called. im.ErrAlready when it is served.
func (x *Exchange) AddPeer(domain string, p Peer) (remove func(), err error) {
	if x.domains[domain] || !x.changePeers(func(m map[string]Peer) bool {
		_, there := m[domain]
		m[domain] = p
		return !there
	}) {
		return nil, im.ErrAlready
	}
	return func() {
		x.changePeers(func(m map[string]Peer) bool {
			delete(m, domain)
			return true
		})
	}, nil
}

func (x *Exchange) changePeers(change func(map[string]Peer) bool) bool {
	for {
		old := x.peers.Load()
		m := map[string]Peer{}
		if old != nil {
			m = maps.Clone(*old)
		}
		if !change(m) {
			return false
		}
		if x.peers.CompareAndSwap(old, &m) {
			return true
		}
	}
}

// peer is who serves a domain; nil for ours, and for those that there is no way to.
func (x *Exchange) peer(domain string) Peer {
	if m := x.peers.Load(); m != nil {
		return (*m)[domain]
	}
	return nil
}

// Serves reports whether there is a way to a domain: it is ours, or a peer's.
func (x *Exchange) Serves(domain string) bool { return x.domains[domain] || x.peer(domain) != nil }

// account reads somebody who may have something here: an account of ours, or a user of a peer's, who has the defaults and
// no more. im.ErrUnknownUser.
func (x *Exchange) account(tx *store.Tx, who im.Address) (im.Account, error) {
	if !x.domains[who.Domain()] && x.peer(who.Domain()) != nil {
		return im.Account{Address: who}, nil
	}
	return tx.Account(who)
}

// nextSerial counts the serial of somebody up; 0 for those who have none. Those of the peers' users are kept nowhere: they
// ascend over restarts, too.
func (x *Exchange) nextSerial(tx *store.Tx, who im.Address) (int64, error) {
	if x.domains[who.Domain()] || x.peer(who.Domain()) == nil {
		return tx.NextSerial(who)
	}
	for {
		last := x.lastPeerSerial.Load()
		if next := max(last+1, time.Now().UnixMicro()); x.lastPeerSerial.CompareAndSwap(last, next) {
			return next, nil
		}
	}
}

// stand has a session stand for a user of a peer's, if none does.
func (a *account) stand(p Peer) {
	a.mu.Lock()
	if len(a.online()) > 0 {
		a.mu.Unlock()
		return
	}
	c := &Client{x: a.x, account: a, since: time.Now()}
	c.deaf.Store(true)
	c.session, c.login = p.Stand(a.who, c)
	c.login.Abilities, c.login.stands = Direct, true
	c.interested.Store(true)
	a.pins.Add(1) // the session's
	a.clients.Store(&[]*Client{c})
	offer := a.waiting && c.taking()
	a.mu.Unlock()
	if offer {
		a.x.offerSoon(a)
	}
}

// Listen has the session that stands for a user of a peer's take words from the start. It is for Peer.Stand.
func (c *Client) Listen() { c.deaf.Store(false) }

// Stand has a user of a peer's in memory, with the session that stands for them: until that is detached.
// im.ErrUnknownUser for a domain that no peer serves.
func (x *Exchange) Stand(ctx context.Context, who im.Address) (*Client, error) {
	if x.domains[who.Domain()] {
		return nil, im.ErrUnknownUser
	}
	a, err := x.acquire(ctx, who)
	if err != nil {
		return nil, err
	}
	defer a.release()
	for _, c := range a.online() {
		return c, nil
	}
	return nil, im.ErrUnknownUser // the peer has just gone
}

// StandAll has all users of a peer's in memory that anything is kept about: who watches or is watched, or whom messages
// wait for. What a session is to be told comes to it from then on.
func (x *Exchange) StandAll(ctx context.Context, domain string) error {
	for last := int64(0); ; {
		var page []im.Address
		err := x.store.View(ctx, "stand", func(tx *store.Tx) (err error) {
			page, last, err = tx.Principals(domain, last, 500)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, who := range page {
			if _, err := x.Stand(ctx, who); err != nil {
				return err
			}
		}
	}
}

// Rename says how a user of a peer's is called. Others are told with their presence.
func (c *Client) Rename(name string) {
	a := c.account
	a.mu.Lock()
	defer a.mu.Unlock()
	if !c.login.stands || a.snap.Load().Name == name {
		return
	}
	n := *a.snap.Load()
	n.Name = name
	a.snap.Store(&n)
	if a.merged.State.Visible() {
		a.tell(&c.batch, nil, &Presence{Merged: a.merged, Changed: true})
	}
}

// Refuse says that the message is not taken, and will not be: its sender is told, and it is not stored. It may be called as
// Return may.
func (m *Message) Refuse(why error) {
	if !m.settled.CompareAndSwap(false, true) {
		return
	}
	if m.to == nil || !m.x.offers(m.to, func(a *account) { a.backs = append(a.backs, back{m: m, why: why, refuse: true}) }) {
		m.x.spawn(func(context.Context) { m.x.refused(m, why) }) // ends when it is removed
	}
}

// refused ends the way of a message that is not taken.
func (x *Exchange) refused(m *Message, why error) {
	if m.copies != nil && (m.copies.left.Add(-1) > 0 || m.copies.done.Load()) {
		return
	}
	if m.safe.back() || m.kept {
		x.unstore(m.to, m)
	}
	x.count(m.Message, m.via, metrics.Returned)
	if m.out == nil {
		x.failed(m.Message, why)
		return
	}
	m.verdict(why)
}

// failed tells the sender of a message, who was told that it was accepted, that it is lost.
func (x *Exchange) failed(m *im.Message, why error) {
	if m.Kind != im.Words {
		return
	}
	x.handSender(m, &Report{Of: m, Why: why})
}

// handSender hands something to all sessions of a message's sender that can be told of what became of it.
func (x *Exchange) handSender(m *im.Message, d *Report) {
	if meant, ok := Meant(m); ok {
		d.Of = meant
	}
	f := x.inMemory(m.From)
	if f == nil {
		return
	}
	var b Batch
	f.mu.Lock()
	for _, c := range f.online() {
		if c.login.Door == m.Native.Door {
			b.Hand(c.session, d)
		}
	}
	f.mu.Unlock()
	b.Flush()
}

// Fetch gives the presence of one of ours as a user of a peer's may see it, whether they watch or not; offline when it is
// denied to them. im.ErrUnknownUser, or im.ErrNotInvited for who has not been let in.
func (c *Client) Fetch(ctx context.Context, who im.Address) (name string, is im.Presence, err error) {
	a, err := c.x.acquire(ctx, who)
	if err != nil {
		return "", is, err
	}
	defer a.release()
	a.mu.Lock()
	defer a.mu.Unlock()
	snap := a.snap.Load()
	e := im.Entry{Who: c.account.who}
	if known := snap.Entry(e.Who); known != nil {
		e = *known
	}
	if !im.AllowsTo(snap.rules, snap.subject(e.Who, "", im.PresenceOut, &e)) {
		return "", is, nil
	}
	if !im.Shows(e.Side, im.WatchGranted, snap.Settings) {
		return "", is, im.ErrNotInvited
	}
	e.Watched, e.Seen = im.WatchGranted, true
	return snap.DisplayName(), a.mergedFor(snap, &e, c), nil
}

// Look hands the session how somebody is, as far as it may see them: offline, too. What it was handed before about them is
// older, and what comes later newer. The errors are those of the store.
func (c *Client) Look(ctx context.Context, who im.Address) error {
	a, err := c.x.acquire(ctx, who)
	if err != nil && err != im.ErrUnknownUser {
		return err
	}
	gone := &Presence{Who: who, Changed: true, Initial: true}
	var b Batch
	defer b.Flush()
	if err != nil {
		b.Hand(c.session, gone)
		return nil
	}
	defer a.release()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.describe(&b, c, "", nil) {
		b.Hand(c.session, gone)
	}
	return nil
}

// Reported tells the sender of a message what became of it with a user of a peer's: why is nil when it came to them, in a
// session called slot.
func (x *Exchange) Reported(m *im.Message, slot string, why error) {
	if why != nil {
		x.failed(m, why)
		return
	}
	x.handSender(m, &Report{Of: m, Slot: slot})
}
