package store

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/im"
)

func benchStore(b *testing.B, o Options) *Store {
	b.Helper()
	o.Path = filepath.Join(b.TempDir(), "store.db")
	s, err := Open(context.Background(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

func (s *Store) must(b testing.TB, fn func(t *Tx) error) {
	b.Helper()
	if err := s.Update(context.Background(), "test", fn, nil); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLoginEmpty reads what a login needs of an account with empty lists.
func BenchmarkLoginEmpty(b *testing.B) { benchmarkLogin(b, 0) }

// BenchmarkLogin1000 does so with 1,000 contacts who are accounts too.
func BenchmarkLogin1000(b *testing.B) { benchmarkLogin(b, 1000) }

func benchmarkLogin(b *testing.B, contacts int) {
	s := benchStore(b, Options{})
	me := im.MustAddress("alice@example.com")
	s.must(b, func(t *Tx) error {
		_, err := t.CreateAccount(me, time.Unix(1e9, 0))
		for i := range contacts {
			if err == nil {
				other := im.MustAddress(fmt.Sprintf("friend%d@example.com", i*7919%contacts))
				_, err = t.CreateAccount(other, time.Unix(1e9, 0))
				if err == nil {
					err = t.PutPair(me, other, im.Pair{}, im.Pair{
						Mine:   im.Side{Contact: true, LastName: "A Friend", Watch: im.WatchGranted, Access: im.AccessLasting},
						Theirs: im.Side{Contact: true, LastName: "Alice", Watch: im.WatchGranted, Access: im.AccessLasting},
					})
				}
			}
		}
		return err
	})
	b.ReportAllocs()
	for b.Loop() {
		err := s.View(b.Context(), "login", func(t *Tx) error {
			_, err := t.Account(me)
			if err != nil {
				return err
			}
			entries, err := t.Entries(me)
			if err != nil || len(entries) != contacts {
				b.Fatal(len(entries), err)
			}
			if _, err := t.RuleLists(me); err != nil {
				return err
			}
			if _, err := t.Groups(me); err != nil {
				return err
			}
			_, _, err = t.CountWaiting(me)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPutMessage stores messages of 240 bytes from 64 callers.
func BenchmarkPutMessage(b *testing.B) {
	body := make([]byte, 240)
	benchmarkUpdate(b, func(t *Tx, caller, n int64) error {
		return t.PutMessage(&im.Message{
			ID: im.MessageID(n<<8 | caller), From: im.MustAddress("bob@example.com"), To: friend(caller), Time: time.Unix(1e9, 0),
			Native:     im.Native{Door: "msnp", Body: body},
			Neutralise: func() im.Neutral { return im.Neutral{Text: im.NewText("Wherefore?")} },
		}, time.Unix(2e9, 0))
	})
}

// BenchmarkContact lists somebody, or takes them off again, with both serials, from 64 callers.
func BenchmarkContact(b *testing.B) {
	benchmarkUpdate(b, func(t *Tx, caller, n int64) error {
		me, other := friend(caller), friend((caller+1+n/2%62)%64)
		before, err := t.Pair(me, other)
		if err != nil {
			return err
		}
		after, err := before.Ask()
		if err != nil {
			if after, err = before.Forget(time.Unix(1e9, 0)); err != nil {
				return err
			}
		}
		if err := t.PutPair(me, other, before, after); err != nil {
			return err
		}
		if _, err := t.NextSerial(me); err != nil {
			return err
		}
		_, err = t.NextSerial(other)
		return err
	})
}

func friend(n int64) im.Address { return im.MustAddress(fmt.Sprintf("friend%d@example.com", n)) }

func benchmarkUpdate(b *testing.B, fn func(t *Tx, caller, n int64) error) {
	var groups, changes atomic.Int64
	s := benchStore(b, Options{Grouped: func(n int) { groups.Add(1); changes.Add(int64(n)) }})
	s.must(b, func(t *Tx) error {
		for i := range int64(64) {
			if _, err := t.CreateAccount(friend(i), time.Unix(1e9, 0)); err != nil {
				return err
			}
		}
		return nil
	})
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(b.N))
	for caller := range int64(64) {
		wg.Go(func() {
			for n := int64(0); left.Add(-1) >= 0; n++ {
				if err := s.Update(context.Background(), "bench", func(t *Tx) error { return fn(t, caller, n) }, nil); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "changes/s")
	b.ReportMetric(float64(changes.Load())/float64(max(groups.Load(), 1)), "changes/group")
}

// BenchmarkUpdateAlone is one caller whose changes nobody shares a commit with.
func BenchmarkUpdateAlone(b *testing.B) {
	s := benchStore(b, Options{})
	me := friend(0)
	s.must(b, func(t *Tx) error { _, err := t.CreateAccount(me, time.Unix(1e9, 0)); return err })
	b.ReportAllocs()
	for b.Loop() {
		s.must(b, func(t *Tx) error { _, err := t.NextSerial(me); return err })
	}
}
