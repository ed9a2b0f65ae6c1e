package exchange

import (
	"context"
	"sync"
	"time"

	"parley/im"
	"parley/metrics"
	"parley/store"
)

// clock wakes the timekeeper for what is due next.
type clock struct {
	mu   sync.Mutex // guards next
	next time.Time
	ring chan struct{} // never closed; has room for one
}

// wake has the timekeeper look at t, if it would not before.
func (k *clock) wake(t time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next.IsZero() || t.Before(k.next) {
		k.next = t
		select {
		case k.ring <- struct{}{}:
		default:
		}
	}
}

// keepTime ends what is to end at a time: answers whose watch was removed, stored messages
// that nobody fetched, addresses that were held.
func (x *Exchange) keepTime(ctx context.Context) {
	sweep := time.NewTicker(time.Hour)
	defer sweep.Stop()
	t := time.NewTimer(0) // what came due while nothing ran
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-x.clock.ring:
		case <-t.C:
			x.clock.mu.Lock()
			x.clock.next = time.Time{}
			x.clock.mu.Unlock()
			next, err := x.endAnswers(ctx, time.Now())
			if err != nil && ctx.Err() == nil {
				x.log.Error("answers not ended", "err", err)
				next = time.Now().Add(time.Minute)
			}
			if !next.IsZero() {
				x.clock.wake(next)
			}
		case <-sweep.C:
			if err := x.sweep(ctx, time.Now()); err != nil && ctx.Err() == nil {
				x.log.Error("expired messages not removed", "err", err)
			}
		}
		x.clock.mu.Lock()
		next := x.clock.next
		x.clock.mu.Unlock()
		if !next.IsZero() {
			t.Reset(max(time.Until(next), 0))
		}
	}
}

// endAnswers ends the answers that are due, and gives when the next one is.
func (x *Exchange) endAnswers(ctx context.Context, now time.Time) (time.Time, error) {
	for {
		var due [][2]im.Address
		var next time.Time
		err := x.store.View(ctx, "due", func(tx *store.Tx) (err error) {
			due, next, err = tx.AccessDue(now, 100)
			return err
		})
		if err != nil || len(due) == 0 {
			return next, err
		}
		for _, d := range due {
			err := x.befall(ctx, By{Who: d[0]}, d[1], "expire", func(_ *store.Tx, p im.Pair) (im.Pair, error) {
				return p.Expired(now), nil
			})
			if err != nil {
				return next, err
			}
		}
	}
}

// sweep removes stored messages whose time is over.
func (x *Exchange) sweep(ctx context.Context, now time.Time) error {
	if err := x.sweepFar(ctx, now); err != nil {
		return err
	}
	for {
		n := 0
		err := x.store.Update(ctx, "sweep", func(tx *store.Tx) (err error) {
			n, err = tx.DeleteExpired(now, 500)
			return err
		}, nil)
		if err != nil || n == 0 {
			return err
		}
	}
}

// sweepFar removes those that no peer took in time, and tells their senders.
func (x *Exchange) sweepFar(ctx context.Context, now time.Time) error {
	for {
		var l []*im.Message
		err := x.store.Update(ctx, "sweep", func(tx *store.Tx) (err error) {
			if l, err = tx.Expired(now, 100); err != nil {
				return err
			}
			for _, m := range l {
				if err := tx.DeleteMessage(m.ID); err != nil {
					return err
				}
			}
			return nil
		}, nil)
		if err != nil || len(l) == 0 {
			return err
		}
		for _, m := range l {
			x.count(m, metrics.None, metrics.Returned)
			x.failed(m, im.ErrAbsent)
		}
	}
}
