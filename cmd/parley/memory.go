package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A burst (thousands of logins at once) leaves pages that the runtime keeps for the next
// one, and goroutine stacks that have grown; a stack shrinks by half at each collection.
// tidyMemory gives both back once a burst is over, so that idle sessions cost little.
const (
	tidyEvery = time.Second
	tidyLeast = 4 << 20  // bytes of growth: less is not worth a collection
	tidyMost  = 16 << 20 // bytes of growth that always are; in between, a quarter of what there was
	tidyQuiet = 1 << 20  // bytes allocated from one look to the next while a burst is over
	tidyTimes = 3        // collections: stacks shrink twice, and pages follow
	tidyPause = 5        // looks between them and the next ones
)

// tidyMemory runs until ctx is done.
func tidyMemory(ctx context.Context) {
	t := tidier{free: debug.FreeOSMemory}
	held, allocated := memory()
	t.held, t.allocated = held, allocated
	lazy := laziness(held)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(lazy)
	} else {
		lazy = -1 // the operator has said how often
	}
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			held, allocated := memory()
			t.look(held, allocated)
			if p := laziness(held); lazy >= 0 && p != lazy {
				lazy = p
				debug.SetGCPercent(p)
			}
		case <-ctx.Done():
			return
		}
	}
}

// laziness is how much garbage, in per cent of what is in use, is let lie before it is collected. While
// little is held, collecting often costs a conversation at full speed a tenth of its time.
func laziness(held int64) int {
	if held < 64<<20 {
		return 400
	}
	return 100
}

// tidier decides when to collect.
type tidier struct {
	free      func() // collects, and gives pages back
	held      int64  // bytes after the last collections, or the least seen since
	allocated int64  // bytes ever allocated, at the last look
	left      int    // collections to be done
	pause     int    // looks to be let pass
}

// look is told the bytes held and those ever allocated.
func (t *tidier) look(held, allocated int64) {
	quiet := allocated-t.allocated < tidyQuiet
	t.allocated = allocated
	grown := held - t.held
	switch {
	case t.left > 0:
		t.free()
		if t.left--; t.left == 0 {
			t.pause = tidyPause
		}
	case t.pause > 0:
		if t.pause--; t.pause == 0 {
			t.held = held
		}
	case quiet && grown >= tidyLeast && (grown >= tidyMost || grown >= t.held/4):
		t.left = tidyTimes
	default:
		t.held = min(t.held, held)
	}
}

// memory is what the runtime has of the system and has not given back, and what was ever
// allocated, both in bytes. Asking stops nothing.
func memory() (held, allocated int64) {
	s := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
		{Name: "/gc/heap/allocs:bytes"},
	}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64()), int64(s[2].Value.Uint64())
}
