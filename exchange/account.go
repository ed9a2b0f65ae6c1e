package exchange

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/im"
	"parley/store"
)

// account is what memory holds of an account: its sessions and presence, which live here
// only, and a copy of what was committed.
type account struct {
	x     *Exchange
	who   im.Address
	pins  atomic.Int32  // sessions, participants and callers that need it to stay
	ready chan struct{} // closed when loaded, or failed
	err   error         // of loading; read after ready

	snap    atomic.Pointer[Snapshot]  // nil until loaded
	clients atomic.Pointer[[]*Client] // sessions, latest last; replaced, never changed

	mu      sync.Mutex // guards what follows, writing clients and snap, and the order of what sessions are handed
	missed  bool       // something was committed while it was loaded
	over    bool       // its account was removed: no session begins any more
	keys    []byte     // secrets read with the rest, for the login that had it loaded; then nil
	merged  im.Presence
	claimed map[im.MessageID]struct{} // stored messages being offered
	removed []im.MessageID            // those of them that are removed, to be forgotten when nobody reads them any more
	waiting bool                      // there may be stored messages
	fresh   bool                      // waiting was set since the last offer began
	offered bool                      // offers are under way, in one goroutine
	more    bool                      // another offer is to be made there
	fills   []*Seat                   // seats that get there what waits for them
	backs   []back                    // messages that came back, for it to store
	again   bool                      // an offer is to be made after a while
}

// Snapshot is what was committed of an account, at one moment. It is not changed.
type Snapshot struct {
	im.Account             // without Keys and LastSeen
	Entries    []*im.Entry // by address
	Lists      []im.RuleList
	Groups     []im.Group // by place

	rules   []im.Rule // the default list's
	plain   bool      // nobody is denied anything by a rule of it
	slotted bool      // some of them are about single sessions
	wide    bool      // it denies everything to more than those whom it begins to deny it by address
}

// Entry is what the account keeps about somebody; nil when that is nothing.
func (s *Snapshot) Entry(who im.Address) *im.Entry {
	if i, ok := s.find(who); ok {
		return s.Entries[i]
	}
	return nil
}

func (s *Snapshot) find(who im.Address) (int, bool) {
	return slices.BinarySearchFunc(s.Entries, who, func(e *im.Entry, w im.Address) int { return e.Who.Compare(w) })
}

// allows asks the account's default rules.
func (s *Snapshot) allows(who im.Address, what im.Traffic, e *im.Entry) bool {
	return im.Allows(s.rules, s.subject(who, "", what, e))
}

// Takes reports whether the account takes messages from somebody.
func (s *Snapshot) Takes(from im.Address) bool {
	if from == s.Address || s.plain && s.Settings.Messages != im.DefaultDeny {
		return true
	}
	e := s.Entry(from)
	var side im.Side
	if e != nil {
		side = e.Side
	}
	return im.MayWrite(side, s.Settings) && (s.plain || s.allows(from, im.Messages, e))
}

// denies reports whether the account's own rules keep it from writing to somebody.
func (s *Snapshot) denies(to im.Address) bool { return !s.plain && s.Denies("", to, "") }

// shows reports whether the account shows its presence to somebody it keeps e about.
func (s *Snapshot) shows(e *im.Entry) bool {
	return e.Seen && (s.plain || e.Who == s.Address || s.allows(e.Who, im.PresenceOut, e))
}

// setPlain makes the parts of the snapshot that follow from the rest.
func (s *Snapshot) setPlain() {
	s.rules = judging(s.Lists)
	s.plain = len(s.rules) == 0
	s.slotted = slices.ContainsFunc(s.rules, func(r im.Rule) bool { return r.By == im.BySession })
	first := slices.IndexFunc(s.rules, func(r im.Rule) bool { return !r.Whole() })
	s.wide = first >= 0 && slices.ContainsFunc(s.rules[first:], func(r im.Rule) bool { return r.What == im.Everything })
}

// with is the snapshot after changes of one commit.
func (s *Snapshot) with(cs []*Change) *Snapshot {
	n := *s
	copied, ruled := false, false
	for _, c := range cs {
		// Who was read after this was committed has it already, and may have more than it.
		known := c.Serial != 0 && c.Serial <= s.Serial
		n.Serial = max(n.Serial, c.Serial)
		if !known && c.lists != nil {
			n.Lists, ruled = c.lists, true
		}
		if !known && c.Groups != nil {
			n.Groups = c.Groups
		}
		switch is := c.Account; {
		case is == nil || known:
		case c.Serial == 0:
			n.Disabled, n.Profile = is.Disabled, is.Profile
		default:
			disabled, profile := n.Disabled, n.Profile
			n.Account = *is
			n.Keys, n.LastSeen, n.Disabled, n.Profile = nil, time.Time{}, disabled, profile
		}
		if c.Who.IsZero() {
			continue
		}
		if !copied {
			n.Entries, copied = slices.Clone(n.Entries), true
		}
		i, found := n.find(c.Who)
		if known || c.Serial == 0 {
			if found {
				e := *n.Entries[i]
				e.Name, e.Ours, e.Sees, e.Seen = c.After.Name, c.After.Ours, c.After.Sees, c.After.Seen
				n.Entries[i] = &e
			}
			continue
		}
		switch after := c.After; {
		case found && after.IsZero():
			n.Entries = slices.Delete(n.Entries, i, i+1)
		case found:
			n.Entries[i] = &after
		case !after.IsZero():
			n.Entries = slices.Insert(n.Entries, i, &after)
		}
		if b, a := c.Before.Side, c.After.Side; !ruled && (b.Denied != a.Denied || b.DeniedName != a.DeniedName) {
			n.Lists = denial(n.Lists, c.Who, c.After.Side)
		}
	}
	n.setPlain()
	return &n
}

// denial gives the rule lists after a block or unblock.
func denial(lists []im.RuleList, who im.Address, side im.Side) []im.RuleList {
	lists = slices.Clone(lists)
	i := slices.IndexFunc(lists, func(l im.RuleList) bool { return l.Default })
	if i < 0 {
		l := im.RuleList{Name: freeName(lists), Default: true}
		i, _ = slices.BinarySearchFunc(lists, l, func(a, b im.RuleList) int { return cmp.Compare(a.Name, b.Name) })
		lists = slices.Insert(lists, i, l)
	}
	l := &lists[i]
	switch _, denied := im.Denied(l.Rules, who); {
	case side.Denied && denied:
		l.Rules = slices.Clone(l.Rules)
		for i, r := range l.Rules {
			if r.Whole() && r.Value == who.String() {
				l.Rules[i].Name = side.DeniedName
			}
		}
	case side.Denied:
		l.Rules = im.Deny(l.Rules, who, side.DeniedName)
	default:
		if l.Rules = im.Undeny(l.Rules, who); len(l.Rules) == 0 {
			lists = slices.Delete(lists, i, i+1)
		}
	}
	return lists
}

// online is the account's sessions.
func (a *account) online() []*Client {
	if p := a.clients.Load(); p != nil {
		return *p
	}
	return nil
}

// reachable reports whether a session takes messages.
func (a *account) reachable() bool {
	for _, c := range a.online() {
		if c.takes() {
			return true
		}
	}
	return false
}

// shard is a part of the accounts in memory.
type shard struct {
	mu sync.RWMutex // guards m
	m  map[im.Address]*account
}

func (s *shard) all() []*account {
	s.mu.RLock()
	defer s.mu.RUnlock()
	l := make([]*account, 0, len(s.m))
	for _, a := range s.m {
		l = append(l, a)
	}
	return l
}

var seed = maphash.MakeSeed()

func (x *Exchange) shard(who im.Address) *shard {
	return &x.shards[maphash.String(seed, who.String())%uint64(len(x.shards))]
}

// inMemory is an account that is in memory, or nil. It may go away at any time.
func (x *Exchange) inMemory(who im.Address) *account {
	s := x.shard(who)
	s.mu.RLock()
	a := s.m[who]
	s.mu.RUnlock()
	return a
}

// acquire gives an account, or what there is of a peer's user, that stays in memory until release. ErrUnknownUser when
// nobody of that address is served here, or by a peer.
func (x *Exchange) acquire(ctx context.Context, who im.Address) (*account, error) {
	var peer Peer
	if !x.domains[who.Domain()] {
		if peer = x.peer(who.Domain()); peer == nil {
			return nil, im.ErrUnknownUser
		}
	}
	s := x.shard(who)
	s.mu.Lock()
	a := s.m[who]
	load := a == nil
	if load {
		a = &account{x: x, who: who, ready: make(chan struct{})}
		s.m[who] = a
		s.evict(x)
	}
	a.pins.Add(1)
	s.mu.Unlock()
	if load {
		x.inMind.Add(1)
		if err := a.load(ctx); err != nil {
			a.err = err
			s.mu.Lock()
			if s.m[who] == a {
				delete(s.m, who)
				x.inMind.Add(-1)
			}
			s.mu.Unlock()
		}
		close(a.ready)
	}
	if a.snap.Load() == nil {
		select {
		case <-a.ready:
		case <-ctx.Done():
			a.release()
			return nil, ctx.Err()
		}
		if a.err != nil {
			err := a.err
			a.release()
			if errors.Is(err, context.Canceled) && ctx.Err() == nil {
				return x.acquire(ctx, who) // it was somebody else's context that ended
			}
			return nil, err
		}
	}
	if peer != nil && len(a.online()) == 0 {
		a.stand(peer)
	}
	return a, nil
}

func (a *account) release() { a.pins.Add(-1) }

// load reads an account, again if something was committed meanwhile.
func (a *account) load(ctx context.Context) error {
	for {
		var n *Snapshot
		var keys []byte
		var waiting int
		err := a.x.store.Glance(ctx, "load", func(tx *store.Tx) (err error) {
			n = &Snapshot{}
			if n.Account, err = a.x.account(tx, a.who); err != nil {
				return err
			}
			keys, n.Keys, n.LastSeen = n.Keys, nil, time.Time{}
			entries, err := tx.Entries(a.who)
			if err != nil {
				return err
			}
			n.Entries = make([]*im.Entry, len(entries))
			for i := range entries {
				e := &entries[i]
				if e.Who == a.who {
					e.Mirror()
				}
				n.Entries[i] = e
			}
			if n.Lists, err = tx.RuleLists(a.who); err != nil {
				return err
			}
			if n.Groups, err = tx.Groups(a.who); err != nil {
				return err
			}
			waiting, _, err = tx.CountWaiting(a.who)
			return err
		})
		if err != nil {
			return err
		}
		slices.SortFunc(n.Entries, func(e, f *im.Entry) int { return e.Who.Compare(f.Who) })
		n.setPlain()
		a.mu.Lock()
		if a.missed {
			a.missed = false
			a.mu.Unlock()
			continue
		}
		a.waiting, a.keys = waiting > 0, keys
		a.snap.Store(n)
		a.mu.Unlock()
		return nil
	}
}

// evict makes room when too many accounts without a session are in memory. The caller holds s.mu.
func (s *shard) evict(x *Exchange) {
	if x.inMind.Load() <= int64(x.cfg.AccountsCached) {
		return
	}
	seen := 0
	for who, a := range s.m { // the order of a map is as good as any
		if a.pins.Load() == 0 && a.snap.Load() != nil {
			delete(s.m, who)
			x.inMind.Add(-1)
			return
		}
		if seen++; seen == 16 {
			return
		}
	}
}

// Identify gives an account with its keys, for a login. ErrUnknownUser, im.ErrDisabled.
func (x *Exchange) Identify(ctx context.Context, who im.Address) (im.Account, error) {
	if !x.domains[who.Domain()] {
		return im.Account{}, im.ErrUnknownUser
	}
	a, err := x.acquire(ctx, who)
	if err != nil {
		return im.Account{}, err
	}
	defer a.release()
	a.mu.Lock()
	acct := a.snap.Load().Account
	acct.Keys, a.keys = a.keys, nil // they stay in memory no longer than it takes to log in
	a.mu.Unlock()
	if acct.Keys == nil {
		err = x.store.Glance(ctx, "identify", func(tx *store.Tx) (err error) {
			acct, err = tx.Account(who)
			return err
		})
	}
	if err == nil && acct.Disabled {
		err = im.ErrDisabled
	}
	return acct, err
}

// Snapshot gives what was committed of an account. ErrUnknownUser.
func (x *Exchange) Snapshot(ctx context.Context, who im.Address) (*Snapshot, error) {
	a, err := x.acquire(ctx, who)
	if err != nil {
		return nil, err
	}
	defer a.release()
	return a.snap.Load(), nil
}
