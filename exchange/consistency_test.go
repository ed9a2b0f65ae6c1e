package exchange

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"parley/bus"
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
	if c.Of != b.who || c.Serial <= b.account.Serial {
		b.lies = append(b.lies, fmt.Sprintf("told of %v at %d, having %d", c.Of, c.Serial, b.account.Serial))
	}
	b.account.Serial = c.Serial
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
		b.account, b.entries, b.begun = s.Account, map[im.Address]im.Entry{}, true
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

// world is an exchange with a few people.
type world struct {
	x      *Exchange
	people []im.Address
	hold   func() // until a removed account may be made again
}

// seat is where one session after another of one person sits. One goroutine at a time acts from it.
type seat struct {
	*world
	who  im.Address
	slot string
	b    *believer // nil: nobody is logged in
}

func newWorld(t testing.TB, cached int) *world {
	st, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "parley.db")})
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(Config{Domains: []string{"example.com"}, AccountsCached: cached, Hold: time.Nanosecond}, st, bus.NewLocal())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		x.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{x: x}
}

func (w *world) populate(t testing.TB, names ...string) {
	w.people = nil
	for _, n := range names {
		a := im.MustAddress(n + "@example.com")
		if err := w.x.CreateAccount(t.Context(), im.Account{Address: a}); err != nil {
			t.Fatal(err)
		}
		w.people = append(w.people, a)
	}
}

var someNames = []string{"", "Ann", "Ben", "Cleo"}

// pairActs are the acts that no method of the exchange does yet, and what befalls a pair.
var pairActs = []func(im.Pair) (im.Pair, error){
	func(p im.Pair) (im.Pair, error) { return p.List(), nil },
	func(p im.Pair) (im.Pair, error) { return p.Answer(), nil },
	func(p im.Pair) (im.Pair, error) { return p.Refuse(), nil },
	func(p im.Pair) (im.Pair, error) { return p.Unwatch(), nil },
	im.Pair.Remove,
}

// act does something at random. pick gives a number below n.
func (s *seat) act(ctx context.Context, pick func(what string, n int) int) error {
	if s.b != nil && s.b.over() {
		s.leave()
	}
	by := By{Who: s.who}
	if s.b != nil {
		by.Client = s.b.client
	}
	other := s.people[pick("other", len(s.people))]
	name := someNames[pick("name", len(someNames))]
	switch pick("act", 22) {
	case 0, 1, 2:
		return s.x.Watch(ctx, by, other, name)
	case 3:
		return s.x.Forget(ctx, by, other)
	case 4, 5:
		return s.x.Admit(ctx, by, other, name)
	case 6:
		return s.x.Disallow(ctx, by, other)
	case 7:
		return s.x.Block(ctx, by, other, name, pick("exclusive", 2) == 0)
	case 8:
		return s.x.Unblock(ctx, by, other)
	case 9, 10:
		return s.x.SetDefaults(ctx, by, pick("allow", 2) == 0)
	case 11:
		return s.x.SetName(ctx, by, name)
	case 12:
		return s.x.NameContact(ctx, by, other, name)
	case 13:
		return s.x.SetPrompt(ctx, by, pick("prompt", 2) == 0)
	case 14, 15, 16:
		if s.b == nil {
			return s.enter(ctx, pick)
		}
		s.present(pick)
	case 17:
		if s.b == nil || pick("again", 2) == 0 {
			return s.enter(ctx, pick)
		}
		s.leave()
	case 18, 19:
		if other == s.who {
			return nil
		}
		f := pairActs[pick("pair", len(pairActs))]
		return s.x.relate(ctx, by, other, "act", func(tx *store.Tx, p im.Pair) (im.Pair, error) {
			if err := s.x.known(tx, other); err != nil {
				return p, err
			}
			return f(p)
		})
	case 20:
		return s.x.SetDisabled(ctx, other, pick("disabled", 3) == 0)
	case 21:
		if pick("remove", 3) > 0 {
			return s.x.SetDisabled(ctx, s.who, false)
		}
		if err := s.x.RemoveAccount(ctx, other); err != nil {
			return err
		}
		if s.hold != nil {
			s.hold()
		}
		return s.x.CreateAccount(ctx, im.Account{Address: other, Name: name})
	}
	return nil
}

func (s *seat) enter(ctx context.Context, pick func(string, int) int) error {
	b := &believer{who: s.who, slot: s.slot}
	b.forget()
	var err error
	b.client, err = s.x.Attach(ctx, s.who, Login{Door: "test", Slot: s.slot,
		Presence: []im.Default{im.DefaultUnset, im.DefaultAsk, im.DefaultAllow}[pick("login default", 3)]}, b)
	if err != nil {
		return err
	}
	if s.b != nil { // it was replaced
		b.mine = s.b.mine
		s.b.client.Detach()
	}
	s.b = b
	b.read()
	return nil
}

func (s *seat) leave() {
	s.b.client.Detach()
	s.b = nil
}

func (s *seat) present(pick func(string, int) int) {
	p := im.Presence{
		State:    []im.State{im.Available, im.Available, im.Busy, im.Away, im.Hidden, im.Offline}[pick("state", 6)],
		Priority: int8(pick("priority", 3) - 1),
		Status:   someNames[pick("status", 2)],
	}
	if p.State == im.Offline {
		p = im.Presence{}
	}
	if s.b.mine.State == im.Offline {
		s.b.forget()
	}
	s.b.mine = p
	s.b.client.SetPresence(p, "tag")
	if p.State == im.Offline {
		s.b.forget()
	}
}

// refused reports an error that people may get by what they do.
func refused(err error) bool {
	for _, kind := range []error{im.ErrUnknownUser, im.ErrAlready, im.ErrNotOnList, im.ErrOpposite, im.ErrSameMode,
		im.ErrBadAddress, im.ErrDisabled, im.ErrHeld} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
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
		if a != b && (!p.Mine.IsZero() || p.Theirs.Watch != im.WatchNone || p.Theirs.Access > im.AccessUnset) {
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
	if b.mine.State == im.Offline || !b.client.interested.Load() {
		return // it is told nothing
	}
	for _, who := range w.people {
		var merged im.Presence
		slots := map[string]im.Presence{}
		if e := s.Entry(who); e != nil && e.Sees {
			var all []im.Presence
			for _, o := range seats {
				if o.b != nil && o.who == who {
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

func (w *world) seats() (l []*seat) {
	for _, who := range w.people {
		for _, slot := range []string{"home", "work"} {
			l = append(l, &seat{world: w, who: who, slot: slot})
		}
	}
	return l
}

// TestEverybodyBelievesWhatIsTrue has people act one after the other, minutes apart or not.
func TestEverybodyBelievesWhatIsTrue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		script := rapid.SliceOfN(rapid.Byte(), 20, 400).Draw(rt, "script")
		var wrong string
		synctest.Test(t, func(t *testing.T) { wrong = play(t, script) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// play has a world act out a script, and says what is wrong then.
func play(t *testing.T, script []byte) (wrong string) {
	w := newWorld(t, 2)
	w.hold = func() { time.Sleep(time.Second) }
	w.populate(t, "alice", "bob", "carol")
	seats := w.seats()
	var story []string
	for len(script) > 0 {
		var picked []string
		pick := func(what string, n int) int {
			if len(script) == 0 {
				return 0
			}
			i := int(script[0]) % n
			script = script[1:]
			picked = append(picked, fmt.Sprint(what, " ", i))
			return i
		}
		if pick("wait", 12) == 11 {
			time.Sleep(im.Linger)
			synctest.Wait()
		}
		s := seats[pick("seat", len(seats))]
		err := s.act(t.Context(), pick)
		story = append(story, fmt.Sprint(s.who, " in ", s.slot, ": ", picked, ": ", err))
		if err != nil && !refused(err) {
			return fmt.Sprint(story, err)
		}
	}
	type failure string
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(failure)
			if !ok {
				panic(r)
			}
			wrong = string(f) + "\nafter\n" + strings.Join(story, "\n")
		}
	}()
	w.check(t.Context(), seats, func(f string, args ...any) { panic(failure(fmt.Sprintf(f, args...))) })
	for _, s := range seats {
		if s.b != nil {
			s.leave()
		}
	}
	return ""
}

// TestEverybodyBelievesWhatIsTrueAtOnce has them act at the same time, while accounts come
// into memory and go.
func TestEverybodyBelievesWhatIsTrueAtOnce(t *testing.T) {
	w := newWorld(t, 1)
	for run := range 8 {
		w.populate(t, fmt.Sprint("alice", run), fmt.Sprint("bob", run), fmt.Sprint("carol", run))
		seats := w.seats()
		var all sync.WaitGroup
		for i, s := range seats {
			all.Go(func() {
				r := rand.New(rand.NewPCG(uint64(run), uint64(i)))
				for range 60 {
					if err := s.act(t.Context(), func(_ string, n int) int { return r.IntN(n) }); err != nil && !refused(err) {
						t.Errorf("run %d, %v in %s: %v", run, s.who, s.slot, err)
					}
				}
			})
		}
		all.Wait()
		w.check(t.Context(), seats, func(f string, args ...any) { t.Fatalf("run %d: "+f, slices.Insert(args, 0, any(run))...) })
		for _, s := range seats {
			if s.b != nil {
				s.leave()
			}
		}
	}
}
