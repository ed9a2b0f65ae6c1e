package session

import (
	"testing"
	"time"

	"parley/ssp/wire"
)

// TestRemember: a request is served once, by its ID and primitive, as long as there is room and time to remember it. SSP 5.5.
func TestRemember(t *testing.T) {
	l := &Link{n: &Node{c: Config{Limits: Limits{Remember: 3}, Timers: Timers{Remember: time.Minute}}}, state: up}
	now := time.Now()
	ask := func(id, primitive string, first bool) {
		t.Helper()
		now = now.Add(time.Second)
		if _, ok := l.remember(&wire.Unit{ID: id, Primitive: wire.New(primitive)}, primitive, now); ok != first {
			t.Errorf("%s %s: %t", id, primitive, ok)
		}
	}
	ask("1", "SendMessageRequest", true)
	ask("1", "SendMessageRequest", false)
	ask("1", "NewMessage", true)
	ask("2", "SendMessageRequest", true)
	ask("1", "SendMessageRequest", false)
	ask("1", "NewMessage", false)
	ask("3", "SendMessageRequest", true) // the first one is forgotten, not the other of its ID
	ask("1", "NewMessage", false)
	ask("1", "SendMessageRequest", true)
	ask("1", "NewMessage", true)
	ask("1", "SendMessageRequest", false)
	ask("2", "SendMessageRequest", true)
	if len(l.served) != 2 || l.keeps != 3 {
		t.Errorf("%d IDs of %d", len(l.served), l.keeps)
	}
	l.forget(now.Add(time.Minute - time.Second))
	ask("2", "SendMessageRequest", false)
	if l.keeps != 1 {
		t.Errorf("%d are remembered for a minute", l.keeps)
	}
	l.forget(now.Add(time.Minute))
	if l.served != nil || l.keeps != 0 || l.oldest != nil || l.newest != nil {
		t.Errorf("%d are remembered behind it", l.keeps)
	}
	ask("2", "SendMessageRequest", true)
}
