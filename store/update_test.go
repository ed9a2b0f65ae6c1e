package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func openTest(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "store.db")
	}
	s, err := Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// values reads what the changes of these tests put.
func (s *Store) values(t testing.TB, n int) (got []int) {
	t.Helper()
	s.view(t, func(tx *Tx) error {
		for i := range n {
			v, err := tx.Meta(fmt.Sprint(i))
			if err != nil {
				return err
			}
			if v != nil {
				got = append(got, i)
			}
		}
		return nil
	})
	return got
}

func put(i int) func(*Tx) error {
	return func(tx *Tx) error { return tx.PutMeta(fmt.Sprint(i), []byte("x")) }
}

// testUpdates has many callers, a third of whom change their mind, and compares the order
// of the changes with that of their publications.
func testUpdates(t *testing.T, s *Store) {
	const callers, each = 32, 20
	mine := errors.New("mine")
	var order, published []int // order is the writer's, published the publisher's
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				n := c*each + i
				seen := false
				err := s.Update(ctx, "test", func(tx *Tx) error {
					if err := put(n)(tx); err != nil {
						return err
					}
					if n%3 == 0 {
						return mine
					}
					order = append(order, n)
					return nil
				}, func() { published = append(published, n); seen = true })
				if (n%3 == 0) != (err == mine) || (n%3 != 0) != seen {
					t.Errorf("change %d: %v, published %v", n, err, seen)
				}
			}
		})
	}
	wg.Wait()
	if !slices.Equal(order, published) {
		t.Error("published in another order than changed")
	}
	want := slices.Sorted(slices.Values(order))
	if len(want) != callers*each*2/3 || !slices.Equal(s.values(t, callers*each), want) {
		t.Errorf("%d stand, want %d", len(s.values(t, callers*each)), len(want))
	}
}

// bubble runs a test with a store in a bubble, where it is known what waits.
func bubble(t *testing.T, o Options, run func(t *testing.T, s *Store)) {
	o.Path = filepath.Join(t.TempDir(), "store.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		run(t, s)
	})
}

// hold keeps the writer busy until it is called off.
func (s *Store) hold(t *testing.T) (off func()) {
	gate := make(chan struct{})
	go s.Update(ctx, "hold", func(*Tx) error { <-gate; return nil }, nil)
	synctest.Wait()
	return func() { close(gate); synctest.Wait() }
}

func TestOneGroupTakesBackOnlyWhatFailed(t *testing.T) {
	var groups []int
	bubble(t, Options{Grouped: func(n int) { groups = append(groups, n) }}, func(t *testing.T, s *Store) {
		off := s.hold(t)
		errs := make([]error, 9)
		var published []int
		for i := range errs {
			go func() {
				errs[i] = s.Update(ctx, "test", func(tx *Tx) error {
					if err := put(i)(tx); err != nil {
						return err
					}
					switch i % 3 {
					case 1:
						return errors.New("no")
					case 2:
						tx.do(`INSERT INTO nowhere VALUES (1)`)
					}
					return nil
				}, func() { published = append(published, i) })
			}()
			synctest.Wait() // in this order
		}
		off()
		for i, err := range errs {
			if (err == nil) != (i%3 == 0) {
				t.Errorf("change %d: %v", i, err)
			}
		}
		if !slices.Equal(groups, []int{3}) {
			t.Errorf("groups of %v, want one of 3", groups)
		}
		if want := []int{0, 3, 6}; !slices.Equal(published, want) || !slices.Equal(s.values(t, 9), want) {
			t.Errorf("published %v, stand %v, want %v", published, s.values(t, 9), want)
		}
	})
}

// A change that breaks the transaction itself spoils nobody else's.
func TestBrokenGroupIsDoneOneByOne(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Store) {
		off := s.hold(t)
		errs := make([]error, 5)
		calls := make([]int, 5)
		for i := range errs {
			go func() {
				errs[i] = s.Update(ctx, "test", func(tx *Tx) error {
					calls[i]++
					if err := put(i)(tx); err != nil {
						return err
					}
					if i == 2 {
						return errors.Join(tx.c.exec(rollback), errors.New("as a full disk does"))
					}
					return nil
				}, nil)
			}()
			synctest.Wait()
		}
		off()
		for i, err := range errs {
			if (err == nil) != (i != 2) {
				t.Errorf("change %d: %v", i, err)
			}
		}
		if want := []int{0, 1, 3, 4}; !slices.Equal(s.values(t, 5), want) {
			t.Errorf("stand %v, want %v", s.values(t, 5), want)
		}
		if calls[0] != 2 || calls[4] != 1 {
			t.Errorf("calls %v", calls)
		}
	})
}

func TestPublishingDelaysNoCommit(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Store) {
		gate := make(chan struct{})
		var mu sync.Mutex
		var order []string
		note := func(what string) { mu.Lock(); order = append(order, what); mu.Unlock() }
		go func() { s.Update(ctx, "test", put(0), func() { <-gate; note("published 0") }); note("returned 0") }()
		synctest.Wait()
		go func() { s.Update(ctx, "test", put(1), func() { note("published 1") }); note("returned 1") }()
		synctest.Wait()
		if got := s.values(t, 2); !slices.Equal(got, []int{0, 1}) {
			t.Errorf("committed %v while the first is published", got)
		}
		if len(order) > 0 {
			t.Errorf("too early: %v", order)
		}
		close(gate)
		synctest.Wait()
		at := func(what string) int { return slices.Index(order, what) }
		if at("published 0") != 0 || at("published 1") < at("published 0") || at("returned 0") < 0 || at("returned 1") < at("published 1") {
			t.Errorf("order %v", order)
		}
	})
}

func TestCancelled(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Store) {
		done, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.Update(done, "test", put(0), nil); !errors.Is(err, context.Canceled) {
			t.Errorf("Update: %v", err)
		}
		if err := s.View(done, "test", func(*Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("View: %v", err)
		}

		off := s.hold(t)
		waiting, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := s.Update(waiting, "test", put(1), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while it waits: %v", err)
		}
		off()

		begun, cancel := context.WithCancel(ctx)
		err := s.Update(begun, "test", func(tx *Tx) error { cancel(); return put(2)(tx) }, nil)
		if err != nil {
			t.Errorf("after it began: %v", err)
		}
		if got := s.values(t, 3); !slices.Equal(got, []int{2}) {
			t.Errorf("stand %v, want [2]", got)
		}
	})
}

func TestViewsWaitForTheirTurn(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Store) {
		gate := make(chan struct{})
		for range cap(s.readers) {
			go s.View(ctx, "test", func(*Tx) error { <-gate; return nil })
		}
		synctest.Wait()
		soon, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := s.View(soon, "test", func(*Tx) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("no turn: %v", err)
		}
		close(gate)
		s.view(t, func(tx *Tx) error { _, err := tx.CountAccounts(); return err })
	})
}

func TestPanicsAreTheCallers(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Store) {
		caught := func(fn func(*Tx) error, published func()) (v any) {
			defer func() { v = recover() }()
			s.Update(ctx, "test", fn, published)
			return nil
		}
		v := caught(func(tx *Tx) error { put(0)(tx); panic("in fn") }, nil)
		w := caught(put(1), func() { panic("in published") })
		if v != "in fn" || w != "in published" {
			t.Errorf("caught %v, %v", v, w)
		}
		if got := s.values(t, 2); !slices.Equal(got, []int{1}) {
			t.Errorf("stand %v, want [1]", got)
		}
	})
}

func TestLaterIsInOrder(t *testing.T) {
	seen := make(map[string]int)
	var mu sync.Mutex
	o := Options{Observe: func(op string, _ time.Duration) { mu.Lock(); seen[op]++; mu.Unlock() }}
	bubble(t, o, func(t *testing.T, s *Store) {
		off := s.hold(t)
		s.Later("later", put(0), nil)
		s.Later("later", func(tx *Tx) error { put(1)(tx); return errors.New("logged") }, nil)
		s.Later("later", func(tx *Tx) error { put(2)(tx); panic("logged too") }, nil)
		off()
		s.update(t, func(tx *Tx) error {
			v, err := tx.Meta("0")
			if v == nil {
				t.Error("an earlier change is not seen")
			}
			return err
		})
		if got := s.values(t, 3); !slices.Equal(got, []int{0}) {
			t.Errorf("stand %v, want [0]", got)
		}
	})
	if seen["later"] != 3 || seen["hold"] != 1 || seen["test"] != 2 {
		t.Errorf("observed %v", seen)
	}
}

func TestLaterIsPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openTest(t, Options{})
		var mu sync.Mutex
		var heard []string
		say := func(what string) func() {
			return func() {
				mu.Lock()
				heard = append(heard, what)
				mu.Unlock()
			}
		}
		s.Later("later", put(0), say("first"))
		s.Later("later", func(*Tx) error { return errors.New("logged") }, say("never"))
		if err := s.Update(ctx, "update", put(1), say("second")); err != nil {
			t.Fatal(err)
		}
		s.Later("later", put(2), func() { panic("logged too") })
		s.Later("later", put(3), say("third"))
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if want := []string{"first", "second", "third"}; !slices.Equal(heard, want) {
			t.Errorf("published %q, want %q", heard, want)
		}
	})
}

func TestCloseRunsWhatWaits(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := Open(ctx, Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		s.Later("later", put(i), nil)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(ctx, "test", put(0), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Update: %v", err)
	}
	if err := s.View(ctx, "test", func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("View: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	again := openTest(t, Options{Path: path})
	if got := again.values(t, 100); len(got) != 100 {
		t.Errorf("%d stand, want 100", len(got))
	}
	again.Close()
}
