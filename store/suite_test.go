package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/im"
)

// Suite is what every engine must pass. open gives a new, empty store, which it closes
// itself at the test's end.
func Suite(t *testing.T, open func(t *testing.T) *Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *Store)
	}{
		{"accounts come and go", testAccounts},
		{"accounts are listed in pages", testAccountPages},
		{"serials never go back", testSerials},
		{"a removed address is held", testHeld},
		{"a removal takes everything", testRemoval},
		{"profiles are found", testProfiles},
		{"pairs and entries agree", testPairs},
		{"somebody lists themselves", testOneself},
		{"denials are rules", testDenials},
		{"rules are denials", testRuleLists},
		{"groups", testGroups},
		{"requests end with their watch", testRequests},
		{"answers come to their end", testAccessDue},
		{"others in pages", testOthers},
		{"strangers leave no rows", testStrangers},
		{"messages wait", testMessages},
		{"messages expire", testExpiry},
		{"domains", testDomains},
		{"rooms come and go", testRooms},
		{"rooms know people", testRoomPeople},
		{"rooms remember", testRoomHistory},
		{"meta", testMeta},
		{"texts no engine takes", testTexts},
		{"a view is a snapshot", testView},
		{"a failed statement fails all", testSticky},
		{"a check finds what disagrees", testCheck},
		{"groups of changes", testUpdates},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t)
			test.run(t, s)
			if err := s.Check(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

var (
	ctx   = context.Background()
	epoch = time.Date(2001, 9, 9, 1, 46, 40, 123456789, time.UTC)
	alice = im.MustAddress("alice@example.com")
	bob   = im.MustAddress("bob@example.com")
	carol = im.MustAddress("carol@example.com")
	romeo = im.MustAddress("romeo@elsewhere.example")
)

func (s *Store) update(t testing.TB, fn func(t *Tx) error) {
	t.Helper()
	if err := s.Update(ctx, "test", fn, nil); err != nil {
		t.Fatal(err)
	}
}

func (s *Store) view(t testing.TB, fn func(t *Tx) error) {
	t.Helper()
	if err := s.View(ctx, "test", fn); err != nil {
		t.Fatal(err)
	}
}

func (s *Store) accounts(t testing.TB, who ...im.Address) {
	t.Helper()
	s.update(t, func(tx *Tx) error {
		for _, a := range who {
			if _, err := tx.CreateAccount(a, epoch); err != nil {
				return err
			}
		}
		return nil
	})
}

// act changes a pair as the exchange does.
func (s *Store) act(t testing.TB, me, other im.Address, change func(im.Pair) (im.Pair, error)) {
	t.Helper()
	s.update(t, func(tx *Tx) error {
		before, err := tx.Pair(me, other)
		if err != nil {
			return err
		}
		after, err := change(before)
		if err != nil {
			return err
		}
		return tx.PutPair(me, other, before, after)
	})
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b im.Address) bool { return a == b }),
		cmp.Comparer(func(a, b im.Text) bool { return a.Reveal() == b.Reveal() })); d != "" {
		t.Fatalf("%s (- want, + got):\n%s", what, d)
	}
}

func testAccounts(t *testing.T, s *Store) {
	var made im.Account
	s.update(t, func(tx *Tx) (err error) {
		if _, err := tx.Account(alice); !errors.Is(err, im.ErrUnknownUser) {
			t.Errorf("an account that nobody made: %v", err)
		}
		if made, err = tx.CreateAccount(alice, epoch); err != nil {
			return err
		}
		same, err := tx.Account(alice)
		equal(t, "an account in the change that made it", same, made)
		if _, err := tx.CreateAccount(alice, epoch); !errors.Is(err, im.ErrAlready) {
			t.Errorf("the same account twice: %v", err)
		}
		return err
	})
	if made.ID == 0 || made.Serial < 1<<24 || !made.Created.Equal(epoch) {
		t.Errorf("made %+v", made)
	}
	full := im.Account{
		ID: made.ID, Address: alice, Name: "Alice Liddell", Disabled: true, Keys: []byte{0, 1, 255}, Serial: made.Serial,
		Settings: im.Settings{Presence: im.DefaultAllow, Messages: im.DefaultDeny}, Prompt: true, Created: epoch,
		LastSeen: epoch.Add(time.Nanosecond),
		Profile:  im.Profile{Listed: true, First: "Alice", Last: "Liddell", City: "Oxford", State: "OX", Country: "GB"},
	}
	wrong := full
	wrong.Serial += 100 // not PutAccount's
	s.update(t, func(tx *Tx) error { return tx.PutAccount(wrong) })
	s.view(t, func(tx *Tx) error {
		got, err := tx.Account(alice)
		equal(t, "the account put", got, full)
		return err
	})
	err := s.Update(ctx, "test", func(tx *Tx) error { return tx.PutAccount(im.Account{Address: bob}) }, nil)
	if !errors.Is(err, im.ErrUnknownUser) {
		t.Errorf("putting an account that nobody made: %v", err)
	}
}

func testAccountPages(t *testing.T, s *Store) {
	var want []im.Address
	for i := range 25 {
		want = append(want, im.MustAddress(fmt.Sprintf("user%d@example.com", i*7%25)))
	}
	s.accounts(t, want...)
	s.view(t, func(tx *Tx) error {
		n, err := tx.CountAccounts()
		if err != nil || n != len(want) {
			t.Errorf("counted %d, %v", n, err)
		}
		var got []im.Address
		for after := ""; ; {
			page, err := tx.Accounts(after, 10)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, a := range page {
				got = append(got, a.Address)
				after = a.Address.String()
			}
		}
		equal(t, "all pages", got, want)
		if _, err := tx.Accounts("nobody@example.com", 1); !errors.Is(err, im.ErrUnknownUser) {
			t.Errorf("after nobody: %v", err)
		}
		return nil
	})
}

func testSerials(t *testing.T, s *Store) {
	s.accounts(t, alice)
	s.update(t, func(tx *Tx) error {
		a, err := tx.Account(alice)
		for i := range int64(3) {
			if got, _ := tx.NextSerial(alice); got != a.Serial+i+1 {
				t.Errorf("serial %d after %d", got, a.Serial+i)
			}
		}
		if got, err := tx.NextSerial(romeo); got != 0 || err != nil {
			t.Errorf("serial of a stranger: %d, %v", got, err)
		}
		return err
	})
	var last int64
	s.update(t, func(tx *Tx) (err error) {
		if last, err = tx.NextSerial(alice); err != nil {
			return err
		}
		return tx.DeleteAccount(alice)
	})
	s.o.NewSerial = func() int64 { return 1 }
	s.update(t, func(tx *Tx) error {
		if got, _ := tx.NextSerial(alice); got != 0 {
			t.Errorf("serial %d of a removed account", got)
		}
		again, err := tx.CreateAccount(alice, epoch)
		if again.Serial <= last {
			t.Errorf("serial %d after %d", again.Serial, last)
		}
		return err
	})
	s.update(t, func(tx *Tx) error {
		if err := tx.HoldAddress(bob, 1<<40, epoch); err != nil {
			return err
		}
		made, err := tx.CreateAccount(bob, epoch)
		if made.Serial <= 1<<40 {
			t.Errorf("serial %d below the one held", made.Serial)
		}
		return err
	})
}

func testHeld(t *testing.T, s *Store) {
	until := epoch.Add(time.Hour)
	s.accounts(t, alice)
	s.update(t, func(tx *Tx) error {
		if err := tx.HoldAddress(alice, 0, until); err != nil {
			return err
		}
		return tx.DeleteAccount(alice)
	})
	create := func(now time.Time) error {
		return s.Update(ctx, "test", func(tx *Tx) error { _, err := tx.CreateAccount(alice, now); return err }, nil)
	}
	if err := create(until.Add(-1)); !errors.Is(err, im.ErrHeld) {
		t.Errorf("held: %v", err)
	}
	if err := create(until); err != nil {
		t.Errorf("held no more: %v", err)
	}
}

func testRemoval(t *testing.T, s *Store) {
	s.accounts(t, alice, bob)
	s.act(t, alice, bob, im.Pair.Ask)
	s.act(t, bob, alice, im.Pair.Ask)
	s.act(t, bob, alice, im.Pair.Block)
	s.act(t, alice, romeo, im.Pair.Block)
	s.update(t, func(tx *Tx) error {
		_, err := tx.CreateGroup(alice, "Friends", true)
		return errors.Join(err, tx.PutMessage(message(1, bob, alice), time.Time{}), tx.PutRemoval(alice, 2, 40))
	})
	s.view(t, func(tx *Tx) error {
		list, err := tx.Removals()
		equal(t, "removals", list, []Removal{{alice, 2, 40}})
		step, after, ok, err2 := tx.Removal(alice)
		if step != 2 || after != 40 || !ok {
			t.Errorf("removal: %d %d %v", step, after, ok)
		}
		_, _, ok, err3 := tx.Removal(bob)
		if ok {
			t.Error("a removal of somebody else")
		}
		return errors.Join(err, err2, err3)
	})
	s.update(t, func(tx *Tx) error { return tx.PutRemoval(alice, 3, 0) })
	s.act(t, bob, alice, func(p im.Pair) (im.Pair, error) { return p.Severed(), nil })
	s.act(t, romeo, alice, func(p im.Pair) (im.Pair, error) { return p.Severed(), nil })
	s.update(t, func(tx *Tx) error { return tx.DeleteAccount(alice) })
	s.view(t, func(tx *Tx) error {
		_, err := tx.Account(alice)
		if !errors.Is(err, im.ErrUnknownUser) {
			t.Errorf("removed: %v", err)
		}
		lists, err := tx.RuleLists(alice)
		groups, err2 := tx.Groups(alice)
		waiting, err3 := tx.Waiting(alice, 0, 10)
		gone, err4 := tx.Removals()
		if len(lists)+len(groups)+len(waiting)+len(gone) > 0 {
			t.Errorf("left: %v %v %v %v", lists, groups, waiting, gone)
		}
		entries, err5 := tx.Entries(bob)
		equal(t, "what others keep", entries, []im.Entry{{Who: alice, Side: im.Side{Contact: true, Denied: true}}})
		return errors.Join(err, err2, err3, err4, err5)
	})
	err := s.Update(ctx, "test", func(tx *Tx) error { return tx.PutRemoval(alice, 1, 0) }, nil)
	if !errors.Is(err, im.ErrUnknownUser) {
		t.Errorf("removal of nobody: %v", err)
	}
}

func testProfiles(t *testing.T, s *Store) {
	for i, p := range []im.Profile{
		{Listed: true, First: "Annika", Last: "Weiß", City: "Köln"},
		{Listed: true, First: "ANN", Last: "Smith", City: "York", Country: "GB"},
		{Listed: false, First: "Ann", Last: "Hidden"},
		{Listed: true, First: "Bob", Last: "Smith", City: "Leeds", Country: "GB"},
	} {
		who := im.MustAddress(fmt.Sprintf("p%d@example.com", i))
		s.update(t, func(tx *Tx) error {
			a, err := tx.CreateAccount(who, epoch)
			a.Profile = p
			return errors.Join(err, tx.PutAccount(a))
		})
	}
	for _, test := range []struct {
		q    im.Profile
		n    int
		want string
	}{
		{im.Profile{First: "ann"}, 10, "p1 p0"}, // the same before those that begin so
		{im.Profile{First: "ann"}, 1, "p1"},
		{im.Profile{Last: "WEISS"}, 10, "p0"},
		{im.Profile{City: "KÖ"}, 10, "p0"},
		{im.Profile{Last: "smith", Country: "gb"}, 10, "p1 p3"},
		{im.Profile{Last: "smith", City: "leeds"}, 10, "p3"},
		{im.Profile{First: "nn"}, 10, ""},
		{im.Profile{First: "%"}, 10, ""},
		{im.Profile{Last: "hidden"}, 10, ""},
		{im.Profile{}, 10, ""},
	} {
		s.view(t, func(tx *Tx) error {
			found, err := tx.FindProfiles(test.q, test.n)
			var got []string
			for _, a := range found {
				got = append(got, a.Address.Local())
			}
			equal(t, fmt.Sprintf("%+v", test.q), strings.Join(got, " "), test.want)
			return err
		})
	}
}

func TestSQLite(t *testing.T) {
	Suite(t, func(t *testing.T) *Store { return openTest(t, Options{}) })
}
