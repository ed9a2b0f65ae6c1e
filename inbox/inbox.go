// Package inbox keeps what happens to a client until its user wants to know. It knows nothing of what that is.
package inbox

import (
	"context"
	"slices"
	"sync"
)

// Inbox keeps events until somebody wants them, in order and without bound; anybody may use it. The zero Inbox is ready.
type Inbox[E any] struct {
	mu     sync.Mutex // guards what follows
	events []E
	taken  int           // so many were taken, ever
	wake   chan struct{} // closed when one comes; nil when nobody waits
}

// Put appends an event.
func (b *Inbox[E]) Put(e E) {
	b.mu.Lock()
	b.events = append(b.events, e)
	if b.wake != nil {
		close(b.wake)
		b.wake = nil
	}
	b.mu.Unlock()
}

// Next takes the oldest event, and waits for one if there is none. The error is that of the context.
func (b *Inbox[E]) Next(ctx context.Context) (E, error) {
	return b.Wait(ctx, func(E) bool { return true })
}

// Wait takes the oldest event for which match says yes, and waits for one if there is none; all others stay. match
// must not use the Inbox. The error is that of the context.
func (b *Inbox[E]) Wait(ctx context.Context, match func(E) bool) (E, error) {
	for seen, taken := 0, -1; ; {
		b.mu.Lock()
		if b.taken != taken { // those that were seen stand elsewhere now
			seen = 0
		}
		for i, e := range b.events[seen:] {
			if match(e) {
				b.events = slices.Delete(b.events, seen+i, seen+i+1)
				b.taken++
				b.mu.Unlock()
				return e, nil
			}
		}
		seen, taken = len(b.events), b.taken
		wake := b.coming()
		b.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			var none E
			return none, context.Cause(ctx)
		}
	}
}

// TryNext takes the oldest event if there is one. Else it gives a channel that is closed when one comes.
func (b *Inbox[E]) TryNext() (e E, ready <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.events) == 0 {
		return e, b.coming()
	}
	e = b.events[0]
	var none E
	b.events[0] = none
	b.events = b.events[1:]
	b.taken++
	return e, nil
}

// coming is closed with the next event. The caller holds b.mu.
func (b *Inbox[E]) coming() chan struct{} {
	if b.wake == nil {
		b.wake = make(chan struct{})
	}
	return b.wake
}

// Await is Inbox.Wait for events of one type.
func Await[X, E any](ctx context.Context, b *Inbox[E], match func(X) bool) (X, error) {
	e, err := b.Wait(ctx, func(e E) bool {
		x, ok := any(e).(X)
		return ok && match(x)
	})
	if err != nil {
		var none X
		return none, err
	}
	return any(e).(X), nil
}
