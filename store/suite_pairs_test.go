package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"parley/im"
)

// testPairs does random acts between random principals, and compares what is stored with
// a model after each.
func testPairs(t *testing.T, s *Store) {
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		var who [4]im.Address
		for i := range who {
			who[i] = im.MustAddress(fmt.Sprintf("p%d@run%d.example", i, run))
		}
		settings := map[im.Address]im.Settings{}
		sides := map[[2]im.Address]im.Side{}
		names := map[im.Address]string{}
		for i, a := range who[:3] {
			names[a] = fmt.Sprintf("Name %d", i)
			err := s.Update(ctx, "test", func(tx *Tx) error {
				made, err := tx.CreateAccount(a, epoch)
				made.Name = names[a]
				return errors.Join(err, tx.PutAccount(made))
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
		}
		pair := func(a, b im.Address) im.Pair {
			return im.Pair{Mine: sides[[2]im.Address{a, b}], Theirs: sides[[2]im.Address{b, a}],
				MySettings: settings[a], TheirSettings: settings[b]}
		}
		for range rapid.IntRange(1, 12).Draw(t, "acts") {
			i := rapid.IntRange(0, 3).Draw(t, "me")
			a, b := who[i], who[(i+rapid.IntRange(1, 3).Draw(t, "other"))%4]
			before := pair(a, b)
			after := randomAct(t, before)
			err := s.Update(ctx, "test", func(tx *Tx) error {
				stored, err := tx.Pair(a, b)
				if err != nil {
					return err
				}
				if d := cmp.Diff(before, stored, cmpopts.EquateEmpty()); d != "" {
					return fmt.Errorf("stored before (- want, + got):\n%s", d)
				}
				if after.MySettings != before.MySettings && i < 3 {
					account, err := tx.Account(a)
					if err != nil {
						return err
					}
					account.Settings = after.MySettings
					if err := tx.PutAccount(account); err != nil {
						return err
					}
				}
				return tx.PutPair(a, b, stored, after)
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			sides[[2]im.Address{a, b}], sides[[2]im.Address{b, a}] = after.Mine, after.Theirs
			if i < 3 {
				settings[a] = after.MySettings
			}
			err = s.View(ctx, "test", func(tx *Tx) error {
				for _, me := range who {
					if err := sameAsModel(tx, me, who[:], pair, names); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func sameAsModel(tx *Tx, me im.Address, who []im.Address, pair func(a, b im.Address) im.Pair, names map[im.Address]string) error {
	var want []im.Entry
	var counts Counts
	var others, asking []im.Address
	for _, other := range who {
		if other == me {
			continue
		}
		p := pair(me, other)
		stored, err := tx.Pair(me, other)
		if err != nil {
			return err
		}
		if d := cmp.Diff(p, stored, cmpopts.EquateEmpty()); d != "" {
			return fmt.Errorf("pair of %s and %s (- want, + got):\n%s", me, other, d)
		}
		name, ours := names[other]
		if e := p.EntryOf(other, name, ours); !e.IsZero() {
			want = append(want, e)
		}
		if !p.Mine.IsZero() || !p.Theirs.IsZero() {
			others = append(others, other)
		}
		if p.Theirs.Watch == im.WatchAsked {
			asking = append(asking, other)
		}
		counts.Contacts += int(bit(p.Mine.Contact))
		counts.Allowed += int(bit(p.Mine.Allowed()))
		counts.Denied += int(bit(p.Mine.Denied))
		counts.Watchers += int(bit(p.Theirs.Watch != im.WatchNone))
		counts.Requests += int(bit(p.Theirs.Watch == im.WatchAsked))
	}
	byAddress := func(a, b im.Address) int { return a.Compare(b) }
	entries, err1 := tx.Entries(me)
	slices.SortFunc(entries, func(a, b im.Entry) int { return a.Who.Compare(b.Who) })
	gotCounts, err2 := tx.CountSides(me)
	gotOthers, _, err3 := tx.Others(me, 0, 100)
	slices.SortFunc(gotOthers, byAddress)
	gotAsking, err4 := tx.Asking(me)
	slices.SortFunc(gotAsking, byAddress)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	type all struct {
		Entries        []im.Entry
		Counts         Counts
		Others, Asking []im.Address
	}
	d := cmp.Diff(all{want, counts, others, asking}, all{entries, gotCounts, gotOthers, gotAsking},
		cmpopts.EquateEmpty(), cmp.Comparer(func(a, b im.Address) bool { return a == b }))
	if d != "" {
		return fmt.Errorf("of %s (- want, + got):\n%s", me, d)
	}
	return nil
}

func randomAct(t *rapid.T, p im.Pair) im.Pair {
	now := epoch.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "seconds")) * time.Second)
	text := rapid.SampledFrom([]string{"", "Bob", "Жук", "a b"}).Draw(t, "text")
	acts := map[string]func() (im.Pair, error){
		"list":     func() (im.Pair, error) { return p.List(), nil },
		"ask":      p.Ask,
		"answer":   func() (im.Pair, error) { return p.Answer(), nil },
		"admit":    p.Admit,
		"refuse":   func() (im.Pair, error) { return p.Refuse(), nil },
		"disallow": p.Disallow,
		"unwatch":  func() (im.Pair, error) { return p.Unwatch(), nil },
		"forget":   func() (im.Pair, error) { return p.Forget(now) },
		"expire":   func() (im.Pair, error) { return p.Expired(now), nil },
		"remove":   p.Remove,
		"block": func() (im.Pair, error) {
			after, err := p.Block()
			if err == nil {
				after.Mine.DeniedName = text
			}
			return after, err
		},
		"rename the denied": func() (im.Pair, error) {
			after := p
			if p.Mine.Denied {
				after.Mine.DeniedName = text
			}
			return after, nil
		},
		"unblock": p.Unblock,
		"sever":   func() (im.Pair, error) { return p.Severed(), nil },
		"open":    func() (im.Pair, error) { after := p; after.MySettings.Presence = im.DefaultAllow; return after, nil },
		"close":   func() (im.Pair, error) { after := p; after.MySettings.Messages = im.DefaultDeny; return after, nil },
		"name": func() (im.Pair, error) {
			after := p
			after.Mine.Alias, after.Mine.LastName, after.Mine.AccessName = text, text+"1", text
			after.Mine.Write = !after.Mine.Write
			after.Mine.Groups = []im.GroupID{1, 5}
			return after, nil
		},
	}
	var keys []string
	for k := range acts {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	after, err := acts[rapid.SampledFrom(keys).Draw(t, "act")]()
	if err != nil {
		return p
	}
	return after
}

// testOneself: who lists themselves has one row, seen from both ends.
func testOneself(t *testing.T, s *Store) {
	put := func(watch im.Watch, contact bool) {
		s.update(t, func(tx *Tx) error {
			before, err := tx.Pair(alice, alice)
			after := before
			after.Mine.Watch, after.Mine.Contact = watch, contact
			return errors.Join(err, tx.PutPair(alice, alice, before, after))
		})
	}
	s.update(t, func(tx *Tx) error { _, err := tx.CreateAccount(alice, epoch); return err })
	put(im.WatchGranted, true)
	s.view(t, func(tx *Tx) error {
		p, err := tx.Pair(alice, alice)
		n, err2 := tx.CountSides(alice)
		l, err3 := tx.Entries(alice)
		if !p.Mine.Listed() || !p.Theirs.Listed() || n.Contacts != 1 || n.Watchers != 1 || len(l) != 1 || !l[0].Watching() {
			t.Errorf("listed: %+v, %+v, %+v", p, n, l)
		}
		return errors.Join(err, err2, err3)
	})
	put(im.WatchNone, false)
	s.view(t, func(tx *Tx) error {
		n, err := tx.CountSides(alice)
		l, err2 := tx.Entries(alice)
		if n != (Counts{}) || len(l) != 0 {
			t.Errorf("unlisted: %+v, %+v", n, l)
		}
		return errors.Join(err, err2)
	})
}
