package store

import "sync"

// queue hands things from many to one, in order. It has no bound: those who put wait for
// what comes of it, which bounds them.
type queue[T any] struct {
	mu     sync.Mutex // guards things and closed
	things []T
	closed bool
	wake   chan struct{} // holds one token when there is something to look at; never closed
}

func newQueue[T any]() *queue[T] { return &queue[T]{wake: make(chan struct{}, 1)} }

// put reports false when the queue is closed.
func (q *queue[T]) put(things ...T) bool {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return false
	}
	q.things = append(q.things, things...)
	q.mu.Unlock()
	q.ring()
	return true
}

// close lets nothing more in. What is there is still taken.
func (q *queue[T]) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.ring()
}

func (q *queue[T]) ring() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for something and takes at most so many; none when the queue is closed and
// empty. For one goroutine.
func (q *queue[T]) take(most int) []T {
	for {
		q.mu.Lock()
		n := min(most, len(q.things))
		taken := q.things[:n:n]
		if q.things = q.things[n:]; len(q.things) == 0 {
			q.things = nil
		}
		closed := q.closed
		q.mu.Unlock()
		if n > 0 || closed {
			return taken
		}
		<-q.wake
	}
}
