package exchange

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/bus"
	"parley/im"
	"parley/store"
)

// world is an exchange with a few people.
type world struct {
	x      *Exchange
	people []im.Address
}

// seat is where one session after another of one person sits. One goroutine at a time acts from it.
type seat struct {
	*world
	who      im.Address
	slot     string
	restless bool      // comes and goes
	b        *believer // nil: nobody is logged in
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

// someGroups are the groups that contacts are put in.
var someGroups = [][]string{nil, {"Friends"}, {"Work"}, {"Friends", "Work"}}

// someLists are the names of rule lists.
var someLists = []string{"home", "work"}

// someRules makes up a list of rules about the people of the world.
func (s *seat) someRules(ctx context.Context, pick func(string, int) int) []im.Rule {
	var groups []im.Group
	if snap, err := s.x.Snapshot(ctx, s.who); err == nil {
		groups = snap.Groups
	}
	l := make([]im.Rule, pick("rules", 4))
	for i := range l {
		who := s.people[pick("about", len(s.people))]
		r := im.Rule{Order: int64(i), By: im.ByAddress, Value: who.String(), Allow: pick("allow", 3) == 0,
			What: []im.Traffic{im.Everything, im.Everything, im.PresenceOut, im.PresenceIn, im.Messages | im.PresenceOut}[pick("what", 5)]}
		switch pick("kind", 6) {
		case 0:
			r.By, r.Value = im.BySession, who.String()+"/"+[]string{"home", "work"}[pick("slot", 2)]
		case 1:
			r.By, r.Value = im.ByWatch, []string{"none", "to", "from", "both"}[pick("watch", 4)]
		case 2:
			if len(groups) > 0 {
				r.By, r.Value, r.Group = im.ByGroup, "", groups[pick("group", len(groups))].ID
			}
		case 3:
			r.By, r.Value = []im.By{im.Everybody, im.ByDomain}[pick("all", 2)], ""
			if r.By == im.ByDomain {
				r.Value = who.Domain()
			}
		}
		l[i] = r
	}
	return l
}

// rosterAct does one of the acts of protocols with a roster.
func (s *seat) rosterAct(ctx context.Context, by By, other im.Address, pick func(string, int) int) error {
	switch pick("roster", 8) {
	case 0, 1:
		if pick("nobody", 4) == 0 {
			other = im.MustAddress("nobody." + other.String())
		}
		return s.x.Ask(ctx, by, other, im.Wish{Text: im.NewText("please")})
	case 2:
		return s.x.Answer(ctx, by, other)
	case 3:
		return s.x.Refuse(ctx, by, other)
	case 4:
		return s.x.Unwatch(ctx, by, other)
	case 5, 6:
		return s.x.SetItem(ctx, by, other, someNames[pick("alias", len(someNames))], someGroups[pick("groups", len(someGroups))])
	}
	return s.x.RemoveItem(ctx, by, other)
}

// ruleAct does one of the acts on rules.
func (s *seat) ruleAct(ctx context.Context, by By, other im.Address, pick func(string, int) int) error {
	who := []im.Whom{{Address: other}}
	switch pick("whom", 4) {
	case 0:
		who = append(who, im.Whom{Address: other, Slot: "home"}, im.Whom{Address: s.people[0]})
	case 1:
		who = []im.Whom{{Address: im.MustAddress(other.Domain())}}
	}
	name := someLists[pick("list", len(someLists))]
	switch pick("rule", 9) {
	case 0, 1:
		return s.x.PutRules(ctx, by, im.RuleList{Name: name, Rules: s.someRules(ctx, pick)})
	case 2:
		return s.x.DeleteRules(ctx, by, name)
	case 3:
		return s.x.DefaultRules(ctx, by, name)
	case 4:
		return s.x.DefaultRules(ctx, by, "")
	case 5:
		return s.x.Deny(ctx, by, who)
	case 6:
		return s.x.Undeny(ctx, by, who)
	case 7:
		_, err := s.x.UnblockAll(ctx, by)
		return err
	}
	if s.b == nil {
		return nil
	}
	if pick("none", 3) == 0 {
		name = ""
	}
	return s.b.client.UseRules(name)
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
	if s.restless && pick("rest", 3) > 0 {
		if s.b == nil {
			return s.enter(ctx, pick)
		} else if pick("leave", 2) == 0 {
			s.leave()
			return nil
		}
		s.present(pick)
		return nil
	}
	switch pick("act", 32) {
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
	case 18, 19, 22, 23, 24:
		return s.rosterAct(ctx, by, other, pick)
	case 25, 26, 27:
		return s.ruleAct(ctx, by, other, pick)
	case 28, 29, 30, 31:
		return s.groupAct(ctx, by, other, name, pick)
	case 20:
		return s.x.SetDisabled(ctx, other, pick("disabled", 3) == 0)
	case 21:
		if pick("remove", 3) > 0 {
			return s.x.SetDisabled(ctx, s.who, false)
		}
		if err := s.x.RemoveAccount(ctx, other); err != im.ErrUnknownUser && pick("stay away", 2) == 0 {
			return err
		}
		return s.x.CreateAccount(ctx, im.Account{Address: other, Name: name})
	}
	return nil
}

func (s *seat) enter(ctx context.Context, pick func(string, int) int) error {
	b := &believer{who: s.who, slot: s.slot}
	b.forget()
	var err error
	b.client, err = s.x.Attach(ctx, s.who, Login{Door: "test", Slot: s.slot, Inbound: s.slot == "home",
		Presence: []im.Default{im.DefaultUnset, im.DefaultAsk, im.DefaultAllow}[pick("login default", 3)]}, b)
	if err != nil {
		return err
	}
	if s.b != nil { // it was replaced
		if s.b.client.uses() == "" { // else others do not see the new one as they saw the old one
			b.mine = s.b.mine
		}
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
		Since:    time.Now(), // of two alike, the later one is the person's
	}
	if p.State == im.Offline {
		p = im.Presence{}
	}
	if s.b.mine.Same(p) {
		p.Since = s.b.mine.Since
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
		im.ErrBadAddress, im.ErrDisabled, im.ErrHeld, im.ErrUnknownGroup, im.ErrGroupExists} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
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
	w := newWorld(t, 2)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		w.populate(t, fmt.Sprint("alice", run), fmt.Sprint("bob", run), fmt.Sprint("carol", run))
		seats := w.seats()
		for _, n := range rapid.SliceOfN(rapid.Uint64(), 5, 60).Draw(rt, "acts") {
			var picked []string
			pick := func(what string, of int) int {
				i := int(n % uint64(of))
				n /= uint64(of)
				picked = append(picked, fmt.Sprint(what, " ", i))
				return i
			}
			s := seats[pick("seat", len(seats))]
			var err error
			if pick("wait", 12) == 11 {
				_, err = w.x.endAnswers(t.Context(), time.Now().Add(im.Linger))
			} else {
				err = s.act(t.Context(), pick)
			}
			rt.Log(s.who, s.slot, picked, err)
			if err != nil && !refused(err) {
				rt.Fatal(err)
			}
		}
		w.check(t.Context(), seats, rt.Fatalf)
		for _, s := range seats {
			if s.b != nil {
				s.leave()
			}
		}
	})
}

// TestEverybodyBelievesWhatIsTrueAtOnce has them act at the same time, while accounts come
// into memory and go.
func TestEverybodyBelievesWhatIsTrueAtOnce(t *testing.T) {
	w := newWorld(t, 1)
	for run := range 12 {
		w.populate(t, fmt.Sprint("alice", run), fmt.Sprint("bob", run), fmt.Sprint("carol", run))
		seats := w.seats()
		var all sync.WaitGroup
		for i, s := range seats {
			s.restless = true
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
