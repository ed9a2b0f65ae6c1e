package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"parley/exchange"
	"parley/im"
)

// TestClaimedIsOfferedOnce: two conversations are answered at once, and what waits comes in one
// of them.
func TestClaimedIsOfferedOnce(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		n := &client{}
		s.login(bob, exchange.Rings, "msnp", n)
		var rings []*exchange.Ring
		var seats []*exchange.Seat
		for range 4 {
			seat := s.open(alice, &client{})
			if err := seat.Call(t.Context(), bob, nil); err != nil {
				t.Fatal(err)
			}
			seats = append(seats, seat)
			rings = append(rings, only[*exchange.Ring](t, n))
		}
		for i := range 8 {
			s.say(seats[i%4], message(alice, im.Address{}, im.Words, fmt.Sprint(i))).is(t, nil)
		}
		s.stored(bob, 8)
		var wg sync.WaitGroup
		got := make([]*client, 4)
		for i, r := range rings {
			got[i] = &client{prompt: true}
			wg.Go(func() { s.join(r, bob, got[i]) })
		}
		wg.Wait()
		var all []string
		for _, c := range got {
			for _, m := range take[*exchange.Message](c) {
				all = append(all, words(m))
			}
		}
		slices.Sort(all)
		if len(all) != 8 || len(slices.Compact(all)) != 8 {
			t.Errorf("came: %v", all)
		}
		s.stored(bob, 0)
		for _, seat := range seats {
			seat.Leave()
		}
	})
}

// heard is what one receiver got of each sender, in order, from all its sessions and seats.
type heard struct {
	mu   sync.Mutex
	last map[im.Address]int
	n    atomic.Int64
	bad  []string
}

// listener is one of them.
type listener struct {
	h     *heard
	mu    sync.Mutex
	queue []*exchange.Message
	rings chan *exchange.Ring
}

func (l *listener) Hand(d exchange.Delivery) bool {
	switch d := d.(type) {
	case *exchange.Ring:
		select {
		case l.rings <- d:
		default:
		}
	case *exchange.Message:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.queue = append(l.queue, d)
		return true
	}
	return false
}

func (l *listener) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.queue {
		l.h.hear(m)
		m.Done()
	}
	l.queue = nil
}

func (l *listener) End(exchange.EndReason) {}

func (h *heard) hear(m *exchange.Message) {
	var i int
	if _, err := fmt.Sscan(words(m), &i); err != nil {
		panic(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last[m.From] != i-1 {
		h.bad = append(h.bad, fmt.Sprintf("%d of %s after %d", i, m.From, h.last[m.From]))
	}
	h.last[m.From] = i
	h.n.Add(1)
}

// TestOrderIsKept: people write to one who comes and goes, and hears everything once and in order.
func TestOrderIsKept(t *testing.T) {
	s := serve(t, exchange.Config{})
	h := &heard{last: map[im.Address]int{}}
	const each = 100
	var wg sync.WaitGroup
	for _, from := range []im.Address{alice, bob, carol} {
		wg.Go(func() {
			var b exchange.Batch
			for i := 1; i <= each; i++ {
				s.Send(t.Context(), &b, message(from, romeo, im.Words, fmt.Sprint(i)), func(err error) {
					if err != nil {
						t.Errorf("%s: %d: %v", from, i, err)
					}
				})
				b.Flush()
			}
		})
	}
	over := make(chan struct{})
	go func() { // ends with the writers
		wg.Wait()
		close(over)
	}()
	late := time.After(20 * time.Second)
	for done := false; !done || h.n.Load() < 3*each; {
		select {
		case <-late:
			t.Fatalf("%d of %d came", h.n.Load(), 3*each)
		case <-over:
			done = true
		default:
		}
		c := s.login(romeo, exchange.Direct, "orchard", &listener{h: h})
		for n := h.n.Load(); h.n.Load() < min(n+20, 3*each); {
			select {
			case <-late:
				t.Fatalf("%d of %d came", h.n.Load(), 3*each)
			default:
				runtime.Gosched()
			}
		}
		c.SetPresence(im.Presence{State: im.Hidden}, nil)
		c.Flush()
		c.Detach()
	}
	for _, b := range h.bad {
		t.Error(b)
	}
	s.waitStored(romeo, 0)
}

func (s *service) waitStored(who im.Address, want int) {
	s.t.Helper()
	for end := time.Now().Add(5 * time.Second); ; {
		n, _, err := s.Waiting(context.Background(), who)
		if err == nil && n == want {
			return
		}
		if err != nil || time.Now().After(end) {
			s.t.Fatalf("%d wait for %s (%v), want %d", n, who, err, want)
		}
	}
}

// TestOrderIsKeptInConversations: one writes at a switchboard to another who answers, hears a little, and
// leaves; who writes calls again whenever nobody is there.
func TestOrderIsKeptInConversations(t *testing.T) {
	s := serve(t, exchange.Config{})
	h := &heard{last: map[im.Address]int{}}
	rings := make(chan *exchange.Ring, 100)
	s.login(bob, exchange.Rings, "msnp", &listener{h: h, rings: rings})
	ctx, stop := context.WithCancel(t.Context())
	const all = 400
	var wg sync.WaitGroup
	wg.Go(func() { // until stopped
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case r := <-rings:
				at := &listener{h: h}
				seat, _, err := s.Join(s.place, r.Conversation, bob, at)
				if errors.Is(err, im.ErrNotInvited) {
					continue // answered already, or over
				} else if err != nil {
					t.Error(err)
					return
				}
				n := h.n.Load()
				seat.Ready()
				for h.n.Load() < min(n+25, all) && ctx.Err() == nil {
					runtime.Gosched()
				}
				seat.Leave()
			}
		}
	})
	seat := s.open(alice, &listener{h: &heard{last: map[im.Address]int{}}})
	late := time.Now().Add(30 * time.Second)
	for i := 1; i <= all && time.Now().Before(late); {
		var failed atomic.Bool
		told := make(chan struct{})
		seat.Say(t.Context(), message(alice, im.Address{}, im.Words, fmt.Sprint(i)), func(err error) {
			failed.Store(err != nil)
			close(told)
		})
		seat.Flush()
		<-told
		if !failed.Load() {
			i++
			continue
		}
		if err := seat.Call(t.Context(), bob, nil); err != nil && !errors.Is(err, im.ErrAlready) {
			t.Fatal(err)
		}
	}
	for h.n.Load() < all {
		if time.Now().After(late) {
			t.Errorf("%d of %d came", h.n.Load(), all)
			break
		}
		runtime.Gosched()
	}
	stop()
	wg.Wait()
	seat.Leave()
	for _, b := range h.bad {
		t.Error(b)
	}
	s.waitStored(bob, 0)
}

// TestCopiesSettledAtOnce: one copy is done while the other is returned.
func TestCopiesSettledAtOnce(t *testing.T) {
	s := serve(t, exchange.Config{})
	one, two := &client{}, &client{}
	s.login(romeo, exchange.Direct, "one", one)
	s.login(romeo, exchange.Direct, "two", two)
	var told atomic.Int64
	var b exchange.Batch
	const all = 300
	for range all {
		s.Send(t.Context(), &b, message(alice, romeo, im.Words, "hello"), func(err error) {
			if err != nil {
				t.Error(err)
			}
			told.Add(1)
		})
	}
	var wg sync.WaitGroup
	for i := range all {
		m, n := one.got[i].(*exchange.Message), two.got[i].(*exchange.Message)
		wg.Go(m.Done)
		wg.Go(func() { n.Return(im.ErrGone) })
	}
	wg.Wait()
	s.end()
	if n := told.Load(); n != all {
		t.Errorf("told %d times of %d", n, all)
	}
	s.waitStored(romeo, 0)
}

// TestReturnedComesBeforeNewer: a session dies with messages unsaid while its person is there with another,
// and hears them in order, before what is said next.
func TestReturnedComesBeforeNewer(t *testing.T) {
	for range 5 {
		bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
			dies, lives := &client{}, &client{prompt: true}
			old := s.login(romeo, exchange.Direct, "old", dies)
			for i := range 10 {
				s.send(message(alice, romeo, im.Words, fmt.Sprint(i)))
			}
			unsaid := take[*exchange.Message](dies)
			old.Detach()
			s.login(romeo, exchange.Direct, "new", lives)
			for _, m := range unsaid {
				m.Return(im.ErrGone)
			}
			s.send(message(alice, romeo, im.Words, "10"))
			l := take[*exchange.Message](lives)
			for i, m := range l {
				if words(m) != fmt.Sprint(i) {
					t.Errorf("%s came as number %d", words(m), i)
				}
			}
			if len(l) != 11 {
				t.Errorf("%d came", len(l))
			}
			s.stored(romeo, 0)
		})
	}
}

// TestCloseStoresWhatIsUnderWay: what nobody has settled when the doors close.
func TestCloseStoresWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, exchange.Config{})
		n, r, at, b := &client{}, &client{}, &client{}, &client{}
		s.login(bob, exchange.Rings, "msnp", n)
		s.login(romeo, exchange.Direct, "orchard", r)
		seat := s.open(alice, at)
		if err := seat.Call(t.Context(), bob, nil); err != nil {
			t.Fatal(err)
		}
		his, _, err := s.Join(s.place, only[*exchange.Ring](t, n).Conversation, bob, b)
		if err != nil {
			t.Fatal(err)
		}
		early := s.say(seat, message(alice, im.Address{}, im.Words, "before he is ready"))
		direct := s.send(message(alice, romeo, im.Words, "on its way"))
		asked := s.say(seat, message(alice, im.Address{}, im.Request, "?"))
		if err := seat.Call(t.Context(), carol, nil); err != im.ErrAbsent {
			t.Errorf("carol: %v", err)
		}
		go only[*exchange.Message](t, r).Return(im.ErrGone) // as a stream that is closed
		synctest.Wait()
		s.end()
		if !at.over || at.ended != exchange.Shutdown || !b.over {
			t.Error("the seats were not told")
		}
		his.Leave()
		seat.Leave()
		early.is(t, nil)
		direct.is(t, nil)
		asked.is(t, im.ErrGone)
		s.stored(bob, 1)
		s.stored(romeo, 1)
		for _, who := range []im.Address{bob, romeo} {
			if _, err := s.Attach(t.Context(), who, exchange.Login{Slot: "x"}, &client{}); err != im.ErrClosing {
				t.Errorf("login after the end: %v", err)
			}
		}
		if _, err := s.Open(t.Context(), s.place, alice, &client{}); err != im.ErrClosing {
			t.Errorf("conversation after the end: %v", err)
		}
	})
}

func TestNoGoroutineIsLeft(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("service", func(t *testing.T) {
		s := serve(t, exchange.Config{})
		n := &listener{rings: make(chan *exchange.Ring, 1)}
		s.login(bob, exchange.Rings, "msnp", n)
		seat := s.open(alice, &client{})
		if err := seat.Call(t.Context(), bob, nil); err != nil {
			t.Fatal(err)
		}
		seat.Say(t.Context(), message(alice, im.Address{}, im.Words, "hello"), nil)
		at := &client{refuses: true}
		his, _, err := s.Join(s.place, (<-n.rings).Conversation, bob, at)
		if err != nil {
			t.Fatal(err)
		}
		his.Ready()
		seat.Say(t.Context(), message(alice, im.Address{}, im.Words, "and again"), nil)
		seat.Flush()
		s.end()
		his.Leave()
		seat.Leave()
		s.waitStored(bob, 2)
	})
}
