package exchange

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"parley/im"
	"parley/store"
)

// seen keeps when people's last sessions ended. They often end by the thousand, so what is to be stored is gathered, and
// stored by one goroutine that ends when there is nothing left.
type seen struct {
	mu   sync.Mutex // guards what follows
	at   map[im.Address]time.Time
	busy bool
}

// seenAtOnce is how many are stored in one transaction.
const seenAtOnce = 256

// note notes that somebody's last session here has ended now.
func (s *seen) note(x *Exchange, who im.Address) {
	s.mu.Lock()
	if s.at == nil {
		s.at = map[im.Address]time.Time{}
	}
	s.at[who] = time.Now()
	begin := !s.busy
	s.busy = true
	s.mu.Unlock()
	if begin {
		x.spawn(func(ctx context.Context) { s.keep(ctx, x) }) // ends when all is stored
	}
}

// seenAfter is how long what is to be stored is gathered.
const seenAfter = time.Second

// keep stores what was noted, a while later. Close waits for it: the last to leave are seen, too.
func (s *seen) keep(closing context.Context, x *Exchange) {
	ctx := context.WithoutCancel(closing)
	t := time.NewTimer(seenAfter)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			t.Reset(seenAfter)
		case <-closing.Done():
		}
		s.mu.Lock()
		if len(s.at) == 0 {
			s.busy = false
			s.mu.Unlock()
			return
		}
		all := maps.Clone(s.at)
		s.mu.Unlock()
		for l := range slices.Chunk(slices.SortedFunc(maps.Keys(all), im.Address.Compare), seenAtOnce) {
			err := x.store.Update(ctx, "seen", func(tx *store.Tx) error {
				for _, who := range l {
					if err := tx.PutLastSeen(who, all[who]); err != nil {
						return err
					}
				}
				return nil
			}, nil)
			if err != nil {
				x.log.Error("last logins not stored", "accounts", len(l), "err", err)
			}
		}
		s.mu.Lock()
		maps.DeleteFunc(s.at, func(who im.Address, at time.Time) bool { return at.Equal(all[who]) })
		s.mu.Unlock()
	}
}

// LastSeen is when somebody's last session ended; the zero Time if none ever did. What is going on now does not count.
// ErrUnknownUser.
func (x *Exchange) LastSeen(ctx context.Context, who im.Address) (at time.Time, err error) {
	x.seen.mu.Lock()
	at = x.seen.at[who]
	x.seen.mu.Unlock()
	if !at.IsZero() {
		return at, nil
	}
	err = x.store.View(ctx, "seen", func(tx *store.Tx) error {
		a, err := tx.Account(who)
		at = a.LastSeen
		return err
	})
	return at, err
}
