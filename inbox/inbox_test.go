package inbox

import (
	"context"
	"errors"
	"testing"
)

// TestInbox: events come out in order, those that somebody waits for before others, which stay.
func TestInbox(t *testing.T) {
	var b Inbox[any]
	for _, e := range []any{1, "two", 3, "four"} {
		b.Put(e)
	}
	if s, err := Await(t.Context(), &b, func(s string) bool { return s == "four" }); s != "four" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	for _, want := range []any{1, "two", 3} {
		if e, err := b.Next(t.Context()); e != want || err != nil {
			t.Errorf("%v, %v instead of %v", e, err, want)
		}
	}
	e, ready := b.TryNext()
	if e != nil || ready == nil {
		t.Fatalf("%v from an empty box", e)
	}
	b.Put(5)
	<-ready
	if e, _ := b.TryNext(); e != 5 {
		t.Errorf("%v instead of 5", e)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := Await(over, &b, func(int) bool { return true }); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v", n, err)
	}
}
