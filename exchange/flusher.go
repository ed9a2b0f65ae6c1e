package exchange

import (
	"context"
	"sync"
)

// flusher flushes for the store's publisher, which must wait for nothing: neither for sockets, nor
// for what is returned there and goes back into the store. Its goroutine lives while there is something.
type flusher struct {
	mu    sync.Mutex // guards queue and going
	queue []Session
	going bool
}

// take has what a batch owes flushed soon.
func (f *flusher) take(x *Exchange, b *Batch) {
	if len(b.owed) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = append(f.queue, b.owed...)
	b.owed = nil
	if !f.going {
		f.going = true
		x.spawn(func(context.Context) { f.run() }) // ends when nothing is left
	}
}

func (f *flusher) run() {
	for {
		f.mu.Lock()
		b := Batch{f.queue}
		f.queue = nil
		f.going = len(b.owed) > 0
		f.mu.Unlock()
		if len(b.owed) == 0 {
			return
		}
		b.Flush()
	}
}
