// Package bus carries what one node of the service must tell others: committed changes,
// and deliveries to addresses that are online elsewhere.
//
// A node subscribes to the subject of whatever it answers for; publishing to a subject
// nobody subscribes to says so, and that answer is the knowledge that somebody is offline.
package bus

import (
	"context"
	"errors"
	"sync"
)

// ErrNobody is the answer of a subject without a subscriber.
var ErrNobody = errors.New("bus: nobody subscribes to this subject")

// Handler takes what is published. Calls for one subject come one after the other, in order.
// It must not keep ctx.
type Handler func(ctx context.Context, v any)

// Bus is what the exchange asks of whatever carries its news.
type Bus interface {
	// Subscribe has h called for everything published to subject from now on, until cancel.
	Subscribe(subject string, h Handler) (cancel func(), err error)
	// Publish hands v to every subscriber. ErrNobody when there is none. A bus inside one
	// process hands over v itself, before it returns; it must not be changed afterwards.
	Publish(ctx context.Context, subject string, v any) error
}

// Local is the bus of a service on one machine: publishing is a function call, in the
// caller's goroutine, so that order is the callers' and nothing can be lost.
type Local struct {
	mu   sync.RWMutex // guards subs
	subs map[string][]*subscription
}

type subscription struct{ h Handler }

// NewLocal makes a bus within this process.
func NewLocal() *Local { return &Local{subs: map[string][]*subscription{}} }

// Subscribe implements Bus.
func (l *Local) Subscribe(subject string, h Handler) (cancel func(), err error) {
	s := &subscription{h}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subs[subject] = append(l.subs[subject][:len(l.subs[subject]):len(l.subs[subject])], s)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		var kept []*subscription
		for _, o := range l.subs[subject] {
			if o != s {
				kept = append(kept, o)
			}
		}
		if l.subs[subject] = kept; kept == nil {
			delete(l.subs, subject)
		}
	}, nil
}

// Publish implements Bus.
func (l *Local) Publish(ctx context.Context, subject string, v any) error {
	l.mu.RLock()
	subs := l.subs[subject]
	l.mu.RUnlock()
	if len(subs) == 0 {
		return ErrNobody
	}
	for _, s := range subs {
		s.h(ctx, v)
	}
	return nil
}
