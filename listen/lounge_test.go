//go:build linux

package listen

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// guest echoes what its connection says, and waits in the lounge between two things.
type guest struct {
	s     *Stream
	g     *Lounge
	wakes atomic.Int64
	over  chan error
}

func (u *guest) Wake() {
	u.wakes.Add(1)
	for {
		some, err := u.s.TryFill()
		if err != nil {
			u.s.Close()
			u.over <- err
			return
		}
		if !some {
			if u.s.Park(u.g, u) {
				return
			}
			u.s.Close()
			u.over <- net.ErrClosed
			return
		}
		u.s.Put(Item{B: append([]byte(nil), u.s.Pending()...)})
		u.s.Consume(len(u.s.Pending()))
		u.s.Flush()
	}
}

func newGuest(t *testing.T, g *Lounge) (*guest, net.Conn) {
	s, peer := pair(t, testLimits())
	return &guest{s: s, g: g, over: make(chan error, 1)}, peer
}

func lounge(t *testing.T) *Lounge {
	t.Helper()
	g, err := NewLounge()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func TestLoungeWakesForInput(t *testing.T) {
	g := lounge(t)
	var all sync.WaitGroup
	for range 50 {
		u, peer := newGuest(t, g)
		u.Wake()
		all.Go(func() {
			for i := range 200 {
				want := []byte{byte(i), byte(i >> 4)}
				if _, err := peer.Write(want); err != nil {
					t.Error(err)
					return
				}
				got := make([]byte, 2)
				if _, err := io.ReadFull(peer, got); err != nil || got[0] != want[0] || got[1] != want[1] {
					t.Errorf("echo %d: % x, %v", i, got, err)
					return
				}
			}
			peer.Close()
			if err := <-u.over; err != io.EOF {
				t.Errorf("the guest ended with %v", err)
			}
			if u.wakes.Load() < 2 {
				t.Error("the guest never waited in the lounge")
			}
		})
	}
	all.Wait()
}

func TestLoungeWakesWhomItsServerEnds(t *testing.T) {
	for name, end := range map[string]func(*Stream){"closed": (*Stream).Close, "finished": (*Stream).Finish} {
		t.Run(name, func(t *testing.T) {
			g := lounge(t)
			for range 50 {
				u, peer := newGuest(t, g)
				u.Wake()
				go end(u.s) // at any moment of what follows
				peer.Write([]byte("x"))
				if name == "finished" {
					io.Copy(io.Discard, peer) // its end, which the guest sees when we end, too
					peer.Close()
				}
				select {
				case <-u.over:
				case <-time.After(10 * time.Second):
					t.Fatal("nobody woke the guest")
				}
			}
		})
	}
}

func TestLoungeClosesWithGuests(t *testing.T) {
	g, err := NewLounge()
	if err != nil {
		t.Fatal(err)
	}
	u, _ := newGuest(t, g)
	u.Wake()
	g.Close()
	if err := <-u.over; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the guest ended with %v", err)
	}
}
