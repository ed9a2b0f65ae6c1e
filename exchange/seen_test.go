package exchange

import (
	"errors"
	"testing"
	"time"

	"parley/im"
)

func TestLastSeenIsTheEndOfTheLastSession(t *testing.T) {
	w := newWorld(t, 101)
	w.populate(t, "alice", "bob")
	ctx, alice := t.Context(), w.people[0]
	if at, err := w.x.LastSeen(ctx, alice); err != nil || !at.IsZero() {
		t.Fatalf("before the first login: %v, %v", at, err)
	}
	attach := func(slot string) *Client {
		s := &believer{who: alice, slot: slot}
		s.forget()
		c, err := w.x.Attach(ctx, alice, Login{Slot: slot}, s)
		must(t, err)
		s.client = c
		return c
	}
	one, two := attach("one"), attach("two")
	one.Detach()
	if at, err := w.x.LastSeen(ctx, alice); err != nil || !at.IsZero() {
		t.Fatalf("with a session left: %v, %v", at, err)
	}
	before := time.Now()
	two.Detach()
	at, err := w.x.LastSeen(ctx, alice)
	if err != nil || at.Before(before) || time.Since(at) < 0 {
		t.Fatalf("after the last one: %v, %v", at, err)
	}
	w.x.Close() // waits until it is stored
	stored, err := w.x.Accounts(ctx, "", 1)
	if err != nil || len(stored) != 1 || stored[0].Address != alice || !stored[0].LastSeen.Equal(at) {
		t.Errorf("stored is %+v (%v), want %v", stored, err, at)
	}
	if _, err := w.x.LastSeen(ctx, im.MustAddress("nobody@example.com")); !errors.Is(err, im.ErrUnknownUser) {
		t.Errorf("nobody: %v", err)
	}
}
