package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/im"
)

func testDenials(t *testing.T, s *Store) {
	s.accounts(t, alice)
	lists := func() (l []im.RuleList) {
		s.view(t, func(tx *Tx) (err error) { l, err = tx.RuleLists(alice); return err })
		return l
	}
	block := func(name string) func(im.Pair) (im.Pair, error) {
		return func(p im.Pair) (im.Pair, error) {
			p, err := p.Block()
			p.Mine.DeniedName = name
			return p, err
		}
	}
	denial := func(order int64, who im.Address, name string) im.Rule {
		return im.Rule{Order: order, By: im.ByAddress, Value: who.String(), What: im.Everything, Name: name}
	}
	s.act(t, alice, bob, block("Bob"))
	s.act(t, alice, romeo, block(""))
	equal(t, "after two blocks", lists(), []im.RuleList{{Name: "blocked", Default: true, Rules: []im.Rule{
		denial(-1, romeo, ""), denial(0, bob, "Bob")}}})
	s.act(t, alice, bob, im.Pair.Unblock)
	equal(t, "after one ended", lists(), []im.RuleList{{Name: "blocked", Default: true, Rules: []im.Rule{denial(-1, romeo, "")}}})
	s.act(t, alice, romeo, im.Pair.Unblock)
	equal(t, "after both ended", lists(), []im.RuleList(nil))

	// A list so named that judges nothing is not touched.
	other := im.RuleList{Name: "blocked", Rules: []im.Rule{{Order: 3, By: im.ByDomain, Value: "spam.example", What: im.Messages}}}
	s.update(t, func(tx *Tx) error { return tx.PutRuleList(alice, other) })
	s.act(t, alice, bob, block(""))
	equal(t, "beside another list", lists(), []im.RuleList{other, {Name: "blocked 2", Default: true, Rules: []im.Rule{denial(0, bob, "")}}})
}

func testRuleLists(t *testing.T, s *Store) {
	s.accounts(t, alice, bob)
	s.act(t, alice, bob, im.Pair.Ask)
	rule := func(order int64, who string, what im.Traffic, allow bool) im.Rule {
		return im.Rule{Order: order, By: im.ByAddress, Value: who, What: what, Allow: allow}
	}
	mine := im.RuleList{Name: "mine", Default: true, Rules: []im.Rule{
		rule(0, bob.String(), im.Everything, false),
		{Order: 1, By: im.ByGroup, Group: 7, What: im.Messages | im.Queries, Allow: true},
		{Order: 2, By: im.ByWatch, Value: "both", What: im.PresenceIn, Allow: true},
		rule(5, carol.String(), im.Everything, false), // judged in its turn, and shown as no block
		rule(6, carol.String(), im.Messages, false),
		rule(7, "Romeo@Elsewhere.example", im.Everything, false), // matches nobody
		rule(8, alice.String(), im.Everything, false),
	}}
	denied := func(want ...im.Address) {
		t.Helper()
		s.view(t, func(tx *Tx) error {
			c, err := tx.CountSides(alice)
			if c.Denied != len(want) {
				t.Errorf("%d denied, want %v", c.Denied, want)
			}
			for _, who := range want {
				p, _ := tx.Pair(alice, who)
				theirs, _ := tx.Pair(who, alice)
				if !p.Mine.Denied || !theirs.Theirs.Denied {
					t.Errorf("%s is not denied", who)
				}
			}
			return err
		})
	}
	unsorted := mine
	unsorted.Rules = append(append([]im.Rule(nil), mine.Rules[3:]...), mine.Rules[:3]...)
	s.update(t, func(tx *Tx) error { return tx.PutRuleList(alice, unsorted) })
	s.view(t, func(tx *Tx) error {
		got, err := tx.RuleLists(alice)
		equal(t, "the list put", got, []im.RuleList{mine})
		entries, err2 := tx.Entries(bob)
		if len(entries) != 1 || entries[0].Sees {
			t.Errorf("bob's entries: %+v", entries)
		}
		return errors.Join(err, err2)
	})
	denied(bob)

	second := im.RuleList{Name: "second", Default: true, Rules: []im.Rule{rule(1, carol.String(), im.Everything, false)}}
	s.update(t, func(tx *Tx) error { return tx.PutRuleList(alice, second) })
	denied(carol)
	s.view(t, func(tx *Tx) error {
		got, err := tx.RuleLists(alice)
		was := mine
		was.Default = false
		equal(t, "one default", got, []im.RuleList{was, second})
		return err
	})
	second.Default = false
	s.update(t, func(tx *Tx) error { return tx.PutRuleList(alice, second) })
	denied()
	second.Default = true
	s.update(t, func(tx *Tx) error { return tx.PutRuleList(alice, second) })
	s.update(t, func(tx *Tx) error { return tx.DeleteRuleList(alice, "second") })
	denied()
	err := s.Update(ctx, "test", func(tx *Tx) error { return tx.DeleteRuleList(alice, "second") }, nil)
	if !errors.Is(err, im.ErrNotOnList) {
		t.Errorf("deleted twice: %v", err)
	}
	// carol's row stood for the denial alone.
	s.view(t, func(tx *Tx) error {
		p, err := tx.find(carol)
		if p != nil {
			t.Errorf("carol is still kept: %+v", p)
		}
		return err
	})
}

func testGroups(t *testing.T, s *Store) {
	s.accounts(t, alice)
	var friends, work im.Group
	s.update(t, func(tx *Tx) (err error) {
		if friends, err = tx.CreateGroup(alice, "Friends", true); err != nil {
			return err
		}
		if work, err = tx.CreateGroup(alice, "Work", true); err != nil {
			return err
		}
		if _, err := tx.CreateGroup(alice, "Work", true); !errors.Is(err, im.ErrGroupExists) {
			t.Errorf("a group twice: %v", err)
		}
		if _, err := tx.CreateGroup(romeo, "Work", true); err != nil { // principals have groups, not accounts
			t.Errorf("another's group: %v", err)
		}
		if err := tx.RenameGroup(alice, work.ID, "Friends"); !errors.Is(err, im.ErrGroupExists) {
			t.Errorf("renamed to another's name: %v", err)
		}
		if err := tx.RenameGroup(alice, 99, "x"); !errors.Is(err, im.ErrUnknownGroup) {
			t.Errorf("renamed nothing: %v", err)
		}
		return tx.RenameGroup(alice, work.ID, "Office")
	})
	if friends.ID == 0 || friends.ID == work.ID {
		t.Fatalf("made %+v and %+v", friends, work)
	}
	s.act(t, alice, bob, func(p im.Pair) (im.Pair, error) {
		p = p.List()
		p.Mine.Groups = []im.GroupID{friends.ID, work.ID}
		return p, nil
	})
	s.act(t, alice, carol, func(p im.Pair) (im.Pair, error) {
		p.Mine.Groups = []im.GroupID{friends.ID}
		return p, nil
	})
	s.update(t, func(tx *Tx) error { return tx.DeleteGroup(alice, friends.ID) })
	s.update(t, func(tx *Tx) error {
		got, err := tx.Groups(alice)
		equal(t, "groups", got, []im.Group{{ID: work.ID, Name: "Office", Place: work.Place, Lasts: true}})
		entries, err2 := tx.Entries(alice)
		equal(t, "members", entries, []im.Entry{{Who: bob, Side: im.Side{Contact: true, Groups: []im.GroupID{work.ID}}}})
		if err := tx.DeleteGroup(alice, friends.ID); !errors.Is(err, im.ErrUnknownGroup) {
			t.Errorf("deleted twice: %v", err)
		}
		again, err3 := tx.CreateGroup(alice, "Friends", true)
		if again.ID <= work.ID {
			t.Errorf("number %d given again", again.ID)
		}
		return errors.Join(err, err2, err3)
	})
}

func testRequests(t *testing.T, s *Store) {
	s.accounts(t, alice)
	put := func(r im.Wish) error {
		return s.Update(ctx, "test", func(tx *Tx) error { return tx.PutRequest(romeo, alice, r) }, nil)
	}
	if err := put(im.Wish{}); !errors.Is(err, im.ErrNotOnList) {
		t.Errorf("a request without a wish: %v", err)
	}
	s.act(t, romeo, alice, im.Pair.Ask)
	want := im.Wish{Text: im.NewText("Let me in"), Native: im.Native{Door: "xmpp", Body: []byte("<presence/>")}, Time: epoch}
	for _, r := range []im.Wish{{Text: im.NewText("the first")}, want} {
		if err := put(r); err != nil {
			t.Fatal(err)
		}
	}
	want.From = romeo
	requests := func() (got []im.Wish) {
		s.view(t, func(tx *Tx) (err error) { got, err = tx.Requests(alice); return err })
		return got
	}
	equal(t, "requests", requests(), []im.Wish{want})
	s.act(t, alice, romeo, func(p im.Pair) (im.Pair, error) { return p.List(), nil })
	equal(t, "after something else", requests(), []im.Wish{want})
	s.act(t, alice, romeo, func(p im.Pair) (im.Pair, error) { return p.Answer(), nil })
	equal(t, "after the answer", requests(), []im.Wish(nil))
	s.act(t, romeo, alice, func(p im.Pair) (im.Pair, error) { return p.Unwatch(), nil })
	s.act(t, romeo, alice, im.Pair.Ask)
	equal(t, "of the next wish", requests(), []im.Wish(nil))
}

func testAccessDue(t *testing.T, s *Store) {
	s.accounts(t, alice, bob, carol)
	for i, who := range []im.Address{bob, carol} {
		s.act(t, who, alice, im.Pair.Ask)
		s.act(t, alice, who, func(p im.Pair) (im.Pair, error) { return p.Answer(), nil })
		s.act(t, who, alice, func(p im.Pair) (im.Pair, error) { return p.Forget(epoch.Add(time.Duration(i) * time.Second)) })
	}
	due := func(now time.Time, n int, want [][2]im.Address, wantNext time.Time) {
		t.Helper()
		s.view(t, func(tx *Tx) error {
			pairs, next, err := tx.AccessDue(now, n)
			equal(t, "due", pairs, want)
			if !next.Equal(wantNext) {
				t.Errorf("next %v, want %v", next, wantNext)
			}
			return err
		})
	}
	first, second := epoch.Add(im.Linger), epoch.Add(im.Linger+time.Second)
	due(first.Add(-1), 10, nil, first)
	due(first, 10, [][2]im.Address{{alice, bob}}, second)
	due(second, 1, [][2]im.Address{{alice, bob}}, time.Time{})
	due(second, 10, [][2]im.Address{{alice, bob}, {alice, carol}}, time.Time{})
	s.act(t, alice, bob, func(p im.Pair) (im.Pair, error) { return p.Expired(second), nil })
	due(second, 10, [][2]im.Address{{alice, carol}}, time.Time{})
}

func testOthers(t *testing.T, s *Store) {
	s.accounts(t, alice)
	want := map[im.Address]bool{}
	for i := range 25 {
		who := im.MustAddress(fmt.Sprintf("o%d@elsewhere.example", i))
		want[who] = true
		if i%2 == 0 {
			s.act(t, alice, who, func(p im.Pair) (im.Pair, error) { return p.List(), nil })
		} else { // theirs alone, and not even a watch
			s.act(t, who, alice, func(p im.Pair) (im.Pair, error) { return p.List(), nil })
		}
	}
	s.view(t, func(tx *Tx) error {
		for after := int64(0); ; {
			page, last, err := tx.Others(alice, after, 10)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, who := range page {
				if !want[who] {
					t.Errorf("%s twice, or never kept", who)
				}
				delete(want, who)
			}
			after = last
		}
		if len(want) > 0 {
			t.Errorf("not listed: %v", want)
		}
		entries, err := tx.Entries(alice)
		if len(entries) != 13 {
			t.Errorf("%d entries shown, want 13: who lists me shows nothing", len(entries))
		}
		return err
	})
}

func testStrangers(t *testing.T, s *Store) {
	s.accounts(t, alice)
	rows := func() (n int) {
		s.view(t, func(tx *Tx) error { _, err := tx.get(`SELECT COUNT(*) FROM principal`, nil, &n); return err })
		return n
	}
	s.act(t, alice, romeo, im.Pair.Ask)
	s.update(t, func(tx *Tx) error { return tx.PutRequest(alice, romeo, im.Wish{Text: im.NewText("hi")}) })
	if rows() != 2 {
		t.Errorf("%d principals", rows())
	}
	s.act(t, alice, romeo, func(p im.Pair) (im.Pair, error) { return p.Forget(epoch) })
	s.update(t, func(tx *Tx) error {
		_, err := tx.need(romeo) // and nothing else
		return err
	})
	if rows() != 1 {
		t.Errorf("%d principals after all was taken back", rows())
	}
	s.update(t, func(tx *Tx) error { // away and back in one change
		for range 2 {
			before, err := tx.Pair(alice, romeo)
			if err != nil {
				return err
			}
			if err := tx.PutPair(alice, romeo, before, before.List()); err != nil {
				return err
			}
			if _, _, err := tx.Others(alice, 0, 1); err != nil {
				return err
			}
			if err := tx.PutPair(alice, romeo, before.List(), im.Pair{}); err != nil {
				return err
			}
			if _, _, err := tx.AccessDue(epoch, 1); err != nil {
				return err
			}
		}
		before, err := tx.Pair(alice, romeo)
		return errors.Join(err, tx.PutPair(alice, romeo, before, before.List()))
	})
	if rows() != 2 {
		t.Errorf("%d principals after it came back", rows())
	}
}
