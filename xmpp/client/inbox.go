package client

import (
	"context"
	"slices"
	"sync"
)

// Inbox keeps events until somebody wants them, in order and without bound. Its Put is made for Config.Event. The
// zero Inbox is ready.
type Inbox struct {
	mu     sync.Mutex // guards what follows
	events []Event
	taken  int           // so many were taken, ever
	wake   chan struct{} // closed when one comes; nil when nobody waits
}

// Put appends an event.
func (b *Inbox) Put(e Event) {
	b.mu.Lock()
	b.events = append(b.events, e)
	if b.wake != nil {
		close(b.wake)
		b.wake = nil
	}
	b.mu.Unlock()
}

// Next takes the oldest event, and waits for one if there is none. The error is that of the context.
func (b *Inbox) Next(ctx context.Context) (Event, error) {
	return b.Wait(ctx, func(Event) bool { return true })
}

// Wait takes the oldest event for which match says yes, and waits for one if there is none; all others stay. match
// must not use the Inbox. The error is that of the context.
func (b *Inbox) Wait(ctx context.Context, match func(Event) bool) (Event, error) {
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
			return nil, context.Cause(ctx)
		}
	}
}

// TryNext takes the oldest event if there is one. Else it gives a channel that is closed when one comes.
func (b *Inbox) TryNext() (e Event, ready <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.events) == 0 {
		return nil, b.coming()
	}
	e = b.events[0]
	b.events[0] = nil
	b.events = b.events[1:]
	b.taken++
	return e, nil
}

// coming is closed with the next event. The caller holds b.mu.
func (b *Inbox) coming() chan struct{} {
	if b.wake == nil {
		b.wake = make(chan struct{})
	}
	return b.wake
}

// Await is Inbox.Wait for events of one type.
func Await[E Event](ctx context.Context, b *Inbox, match func(E) bool) (E, error) {
	e, err := b.Wait(ctx, func(e Event) bool {
		x, ok := e.(E)
		return ok && match(x)
	})
	if err != nil {
		var none E
		return none, err
	}
	return e.(E), nil
}
