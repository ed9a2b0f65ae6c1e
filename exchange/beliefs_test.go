package exchange

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/im"
	"parley/store"
)

// believer is a session that believes what it is told, as a client does.
type believer struct {
	client *Client
	who    im.Address
	slot   string
	mine   im.Presence // as it said itself; its owner's

	mu      sync.Mutex // guards what follows
	begun   bool       // has read its lists
	account im.Account
	entries map[im.Address]im.Entry
	groups  []im.Group
	persons map[im.Address]Presence               // by the notices for protocols with one presence per person
	slots   map[im.Address]map[string]im.Presence // by those with one per session
	ended   EndReason
	lies    []string
}

func (b *believer) Hand(d Delivery) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch d := d.(type) {
	case *Change:
		b.change(d)
	case *Presence:
		if d.Changed {
			b.persons[d.Who] = *d
			if !d.Merged.State.Visible() {
				delete(b.persons, d.Who)
			}
		}
		if d.Slot != "" {
			if b.slots[d.Who] == nil {
				b.slots[d.Who] = map[string]im.Presence{}
			}
			b.slots[d.Who][d.Slot] = d.Session
			if !d.Session.State.Visible() {
				delete(b.slots[d.Who], d.Slot)
			}
		}
	}
	return true
}

func (b *believer) change(c *Change) {
	if !b.begun {
		return // what it reads has it
	}
	if c.Request != nil && (c.Request.From != c.Who || c.After.Watched != im.WatchAsked) {
		b.lies = append(b.lies, fmt.Sprintf("told of a request, by %+v", c))
	}
	if c.Serial == 0 && c.Request != nil && c.After.Side.Equal(c.Before.Side) {
		return // they ask again
	}
	if c.Of != b.who || c.Serial <= b.account.Serial {
		b.lies = append(b.lies, fmt.Sprintf("told of %v at %d, having %d", c.Of, c.Serial, b.account.Serial))
	}
	b.account.Serial = c.Serial
	if c.Groups != nil {
		b.groups = c.Groups
	}
	if c.Account != nil {
		b.account.Name, b.account.Settings, b.account.Prompt = c.Account.Name, c.Account.Settings, c.Account.Prompt
	}
	if !c.Who.IsZero() {
		if was := b.entries[c.Who]; !was.Side.Equal(c.Before.Side) || was.Watched != c.Before.Watched {
			b.lies = append(b.lies, fmt.Sprintf("what was there of %v is not what it was told before:\n%+v\n%+v", c.Who, was, c.Before))
		}
		b.entries[c.Who] = c.After
	}
}

func (b *believer) Flush() {}

func (b *believer) End(why EndReason) {
	b.mu.Lock()
	b.ended = why
	b.mu.Unlock()
}

func (b *believer) over() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended != 0
}

// read is what a client does after its login: it reads its lists.
func (b *believer) read() {
	b.client.WithSnapshot(func(s *Snapshot) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.account, b.groups, b.entries, b.begun = s.Account, s.Groups, map[im.Address]im.Entry{}, true
		for _, e := range s.Entries {
			b.entries[e.Who] = *e
		}
	})
}

// forget is what a client does that goes offline: it knows of nobody.
func (b *believer) forget() {
	b.mu.Lock()
	b.persons, b.slots = map[im.Address]Presence{}, map[im.Address]map[string]im.Presence{}
	b.mu.Unlock()
}

func diff(a, b any) string {
	return cmp.Diff(a, b, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b im.Address) bool { return a == b }),
		cmp.AllowUnexported(Snapshot{}))
}

// check compares what sessions believe with memory, memory with the store, and both ends of
// each pair with each other. Nobody acts meanwhile.
func (w *world) check(ctx context.Context, seats []*seat, fail func(string, ...any)) {
	for _, s := range seats {
		if s.b != nil && s.b.over() {
			s.leave()
		}
	}
	snaps := map[im.Address]*Snapshot{}
	for _, who := range w.people {
		s, err := w.x.Snapshot(ctx, who)
		if errors.Is(err, im.ErrUnknownUser) {
			continue
		} else if err != nil {
			fail("%v: %v", who, err)
		}
		fresh := &account{x: w.x, who: who}
		if err := fresh.load(ctx); err != nil {
			fail("load %v: %v", who, err)
		}
		if d := diff(fresh.snap.Load(), s); d != "" {
			fail("of %v, the store (-) and memory (+) differ:\n%s", who, d)
		}
		snaps[who] = s
	}
	err := w.x.store.View(ctx, "check", func(tx *store.Tx) error {
		for _, a := range w.people {
			for _, b := range w.people {
				p, err := tx.Pair(a, b)
				if err != nil {
					return err
				}
				w.checkPair(a, b, p, snaps, fail)
			}
		}
		return nil
	})
	if err != nil {
		fail("%v", err)
	}
	for _, s := range seats {
		if s.b != nil {
			w.checkBeliefs(s.b, seats, snaps, fail)
		}
	}
}

func (w *world) checkPair(a, b im.Address, p im.Pair, snaps map[im.Address]*Snapshot, fail func(string, ...any)) {
	s, o := snaps[a], snaps[b]
	if s == nil {
		// What others ask of an address that nobody has, or give it in advance, is kept.
		if a != b && (!p.Mine.IsZero() || p.Theirs.Watch == im.WatchGranted) {
			fail("%v is gone, and has %+v", a, p)
		}
		return
	}
	e := s.Entry(b)
	if e == nil {
		if !p.Mine.IsZero() || p.Theirs.Watch != im.WatchNone {
			fail("%v has no entry of %v: %+v", a, b, p)
		}
		return
	}
	if e.Ours != (o != nil) || o != nil && e.Name != o.Name || o == nil && e.Name != "" {
		fail("%v calls %v %q, ours: %t", a, b, e.Name, e.Ours)
	}
	sees, seen := p.ISee(), p.Turned().ISee()
	if a == b {
		sees = p.Mine.Watch != im.WatchNone
		seen = sees
	}
	if !e.Side.Equal(p.Mine) || e.Watched != p.Theirs.Watch || e.Sees != sees || e.Seen != seen {
		fail("%v has of %v\n%+v, stored is\n%+v", a, b, e, p)
	}
	if o != nil {
		if m := o.Entry(a); m == nil && e.Side.Listed() || m != nil && m.Watching() != e.Side.Listed() || m != nil && (m.Sees != e.Seen || m.Seen != e.Sees) {
			fail("%v and %v do not agree:\n%+v\n%+v", a, b, e, m)
		}
	}
}

func (w *world) checkBeliefs(b *believer, seats []*seat, snaps map[im.Address]*Snapshot, fail func(string, ...any)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := snaps[b.who]
	if s == nil {
		fail("%v is logged in, and gone", b.who)
		return
	}
	for _, lie := range b.lies {
		fail("%v in %s was %s", b.who, b.slot, lie)
	}
	if a := b.account; a.Serial != s.Serial || a.Name != s.Name || a.Settings != s.Settings || a.Prompt != s.Prompt {
		fail("%v believes to be\n%+v, not\n%+v", b.who, a, s.Account)
	}
	for _, who := range w.people {
		var has im.Entry
		if e := s.Entry(who); e != nil {
			has = *e
		}
		if e := b.entries[who]; !e.Side.Equal(has.Side) || e.Watched != has.Watched {
			fail("%v believes of %v\n%+v, has\n%+v", b.who, who, e, has)
		}
	}
	if d := diff(s.Groups, b.groups); d != "" {
		fail("%v in %s believes in groups (+) that are not (-):\n%s", b.who, b.slot, d)
	}
	if b.mine.State == im.Offline || !b.client.interested.Load() {
		return // it is told nothing
	}
	for _, who := range w.people {
		var merged im.Presence
		slots := map[string]im.Presence{}
		if owner := snaps[who]; owner != nil {
			var all []im.Presence
			for _, o := range seats {
				if o.b != nil && o.who == who && (judge{snap: owner}).shows(owner.Entry(b.who), o.b.client, b.client) && b.client.hears(who, o.slot) {
					all = append(all, o.b.mine)
					if o.b.mine.State.Visible() {
						slots[o.slot] = o.b.mine
					}
				}
			}
			merged = im.Merge(all)
		}
		p, here := b.persons[who]
		if here != merged.State.Visible() || here && !p.Merged.Same(merged) {
			fail("%v in %s believes that %v is %+v, not %+v", b.who, b.slot, who, p.Merged, merged)
		}
		if here && p.Name != snaps[who].DisplayName() {
			fail("%v in %s believes that %v is called %q", b.who, b.slot, who, p.Name)
		}
		if !maps.EqualFunc(b.slots[who], slots, im.Presence.Same) {
			fail("%v in %s believes of %v's sessions %+v, not %+v", b.who, b.slot, who, b.slots[who], slots)
		}
	}
}
