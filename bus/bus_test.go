package bus

import (
	"context"
	"errors"
	"testing"
)

func TestLocal(t *testing.T) {
	var b Bus = NewLocal()
	if err := b.Publish(t.Context(), "a", 1); !errors.Is(err, ErrNobody) {
		t.Errorf("nobody subscribed: %v", err)
	}
	var got []any
	take := func(_ context.Context, v any) { got = append(got, v) }
	cancel1, _ := b.Subscribe("a", take)
	cancel2, _ := b.Subscribe("a", take)
	if err := b.Publish(t.Context(), "a", 1); err != nil {
		t.Error(err)
	}
	cancel1()
	b.Publish(t.Context(), "a", 2)
	cancel2()
	cancel2() // twice is once
	if err := b.Publish(t.Context(), "a", 3); !errors.Is(err, ErrNobody) {
		t.Errorf("all cancelled: %v", err)
	}
	if len(got) != 3 || got[0] != 1 || got[1] != 1 || got[2] != 2 {
		t.Errorf("got %v", got)
	}
}

func TestHandlerMayCancelItself(t *testing.T) {
	b := NewLocal()
	n := 0
	var cancel func()
	cancel, _ = b.Subscribe("a", func(context.Context, any) { n++; cancel() })
	b.Publish(t.Context(), "a", 1)
	b.Publish(t.Context(), "a", 1)
	if n != 1 {
		t.Errorf("called %d times", n)
	}
}
