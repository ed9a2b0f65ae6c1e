package limit

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

// hits counts what a hook is told.
type hits struct {
	mu sync.Mutex
	n  map[string]int
}

func (h *hits) met(limit string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.n == nil {
		h.n = map[string]int{}
	}
	h.n[limit]++
}

func (h *hits) expect(t *testing.T, want map[string]int) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if fmt.Sprint(h.n) != fmt.Sprint(want) {
		t.Errorf("hits %v, want %v", h.n, want)
	}
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1/32",
		"::ffff:192.0.2.1":     "192.0.2.1/32",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"fe80::1%eth0":         "fe80::/64",
	} {
		if got := Network(ip(in)).String(); got != want {
			t.Errorf("Network(%s) = %s, want %s", in, got, want)
		}
	}
	if Network(netip.Addr{}) != (netip.Prefix{}) {
		t.Error("no address is some network")
	}
}

func TestGate(t *testing.T) {
	var h hits
	g := NewGate(3, 2, h.met)
	enter := func(addr string, want error) func() {
		t.Helper()
		leave, err := g.Enter(ip(addr))
		if !errors.Is(err, want) || (leave == nil) != (want != nil) {
			t.Errorf("Enter(%s) = %v, want %v", addr, err, want)
		}
		return leave
	}
	first := enter("192.0.2.1", nil)
	second := enter("::ffff:192.0.2.1", nil)
	enter("192.0.2.1", ErrHalfOpenPerNetwork)
	third := enter("2001:db8::1", nil)
	enter("198.51.100.1", ErrHalfOpen)
	first()
	first() // counts once
	enter("198.51.100.1", nil)()
	second()
	third()
	if g.Inside() != 0 || len(g.networks) != 0 {
		t.Errorf("after all left: %d inside, %d networks", g.Inside(), len(g.networks))
	}
	h.expect(t, map[string]int{"half_open": 1, "half_open_per_network": 1})
	var which *Error
	if !errors.As(ErrHalfOpen, &which) || which.Limit != "half_open" || !strings.Contains(which.Error(), "(limits.half_open)") {
		t.Errorf("%v", ErrHalfOpen)
	}
}

func TestGateWithoutLimits(t *testing.T) {
	g := NewGate(0, 0, nil)
	for range 100 {
		if _, err := g.Enter(netip.Addr{}); err != nil {
			t.Fatal(err)
		}
	}
	if g.Inside() != 100 {
		t.Errorf("%d inside", g.Inside())
	}
}

func TestGateCountsRightUnderLoad(t *testing.T) {
	g := NewGate(10, 0, nil)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
			for range 500 {
				if leave, err := g.Enter(addr); err == nil {
					if n := g.Inside(); n < 1 || n > 10 {
						t.Errorf("%d inside", n)
					}
					leave()
				}
			}
		})
	}
	all.Wait()
	if g.Inside() != 0 || len(g.networks) != 0 {
		t.Errorf("%d inside, %d networks", g.Inside(), len(g.networks))
	}
}

func TestCount(t *testing.T) {
	var h hits
	c := NewCount(1, h.met)
	if err := c.Enter(); err != nil {
		t.Error(err)
	}
	if err := c.Enter(); !errors.Is(err, ErrConnections) {
		t.Errorf("over the limit: %v", err)
	}
	c.Leave()
	if err := c.Enter(); err != nil {
		t.Errorf("after one left: %v", err)
	}
	h.expect(t, map[string]int{"connections": 1})
}

func TestFailuresOfAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hits
		f := NewFailures(3, 0, 10*time.Minute, h.met)
		for i := range 3 {
			if !f.Allowed("alice@example.com", ip("192.0.2.1")) {
				t.Errorf("refused after %d failures", i)
			}
			f.Fail("alice@example.com", netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
			time.Sleep(time.Minute)
		}
		if f.Allowed("alice@example.com", ip("203.0.113.9")) {
			t.Error("allowed after 3 failures")
		}
		if !f.Allowed("bob@example.com", ip("192.0.2.1")) {
			t.Error("another account is refused")
		}
		time.Sleep(7*time.Minute - time.Second)
		if f.Allowed("alice@example.com", ip("192.0.2.1")) {
			t.Error("allowed before the window has passed")
		}
		time.Sleep(time.Second)
		if !f.Allowed("alice@example.com", ip("192.0.2.1")) {
			t.Error("refused after the window has passed")
		}
		h.expect(t, map[string]int{"login_failures": 2})
	})
}

func TestFailuresOfANetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hits
		f := NewFailures(0, 2, time.Minute, h.met)
		f.Fail("a", ip("2001:db8::1"))
		if !f.Succeed("mine", ip("2001:db8::1")) {
			t.Error("a success is refused below the limit")
		}
		f.Fail("b", ip("2001:db8::ffff:2"))
		if f.Allowed("c", ip("2001:db8::3")) {
			t.Error("allowed: a success of one account has paid for guesses at others")
		}
		if !f.Allowed("c", ip("2001:db8:0:1::3")) {
			t.Error("another network is refused")
		}
		time.Sleep(time.Minute)
		if !f.Allowed("c", ip("2001:db8::3")) {
			t.Error("refused after the window has passed")
		}
		h.expect(t, map[string]int{"login_failures_per_network": 1})
	})
}

func TestSuccessForgetsTheFailuresOfTheAccount(t *testing.T) {
	f := NewFailures(2, 0, time.Minute, nil)
	f.Fail("a", ip("192.0.2.1"))
	if !f.Succeed("a", ip("192.0.2.1")) {
		t.Error("a success is refused below the limit")
	}
	f.Fail("a", ip("192.0.2.1"))
	if !f.Allowed("a", ip("192.0.2.1")) {
		t.Error("a failure from before the success still counts")
	}
}

// Guesses sent all at once are all allowed before the first has failed; the right
// one among them must not profit.
func TestSuccessAmongTooManyFailuresDoesNotStand(t *testing.T) {
	f := NewFailures(3, 0, time.Minute, nil)
	for range 10 {
		if !f.Allowed("a", ip("192.0.2.1")) {
			t.Fatal("refused before anything failed")
		}
	}
	for range 9 {
		f.Fail("a", ip("192.0.2.1"))
	}
	if f.Succeed("a", ip("192.0.2.1")) {
		t.Error("the tenth guess stands, at a limit of 3")
	}
}

func TestFailuresAreBoundedInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFailures(1, 0, time.Hour, nil)
		for i := range mostCounted + 10 {
			f.Fail(fmt.Sprint(i), ip("192.0.2.1"))
		}
		if n := len(f.accounts.byKey); n != mostCounted || f.accounts.byAge.Len() != n {
			t.Errorf("%d accounts by key, %d by age", n, f.accounts.byAge.Len())
		}
		if !f.Allowed("9", ip("192.0.2.1")) || f.Allowed("10", ip("192.0.2.1")) {
			t.Error("it is not the oldest that were forgotten")
		}
		for range 100 { // success and failure by turns leave nothing behind
			f.Succeed("x", ip("192.0.2.1"))
			f.Fail("x", ip("192.0.2.1"))
		}
		if f.accounts.byAge.Len() != mostCounted {
			t.Errorf("%d by age", f.accounts.byAge.Len())
		}
		time.Sleep(time.Hour)
		f.Allowed("9", ip("192.0.2.1"))
		if len(f.accounts.byKey) != 0 {
			t.Errorf("%d accounts are kept after the window", len(f.accounts.byKey))
		}
	})
}

func TestPaceMakesASessionWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hits
		for _, c := range []struct {
			name                   string
			rates                  *Rates
			times, commands, bytes int
			want                   time.Duration
		}{
			{"unlimited", NewRates(0, 0, h.met), 1000, 1, 1 << 20, 0},
			{"within a burst", NewRates(10, 0, h.met), 10, 1, 1 << 20, 0},
			{"commands", NewRates(10, 0, h.met), 30, 1, 100, 2 * time.Second},
			{"more commands at once than a second's", NewRates(10, 0, h.met), 1, 35, 0, 2500 * time.Millisecond},
			{"bytes", NewRates(0, 64<<10, h.met), 256, 1, 1 << 10, 3 * time.Second},
			{"more bytes at once than a second's", NewRates(0, 1000, h.met), 1, 1, 5000, 4 * time.Second},
		} {
			p := NewPace(c.rates)
			begin := time.Now()
			for range c.times {
				if err := p.Wait(t.Context(), c.commands, c.bytes); err != nil {
					t.Error(err)
				}
			}
			if d := time.Since(begin); d < c.want-20*time.Millisecond || d > c.want+20*time.Millisecond {
				t.Errorf("%s: took %v, want %v", c.name, d, c.want)
			}
		}
		if h.n["commands_per_second"] != 21 || h.n["bytes_per_second"] == 0 || len(h.n) != 2 {
			t.Errorf("hits %v", h.n)
		}
	})
}

func TestPaceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p := NewPace(NewRates(1, 0, nil))
		begin := time.Now()
		if err := p.Wait(ctx, 100, 0); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

func TestIdlePaceIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Pace{}); n > 32 {
		t.Errorf("a Pace takes %d bytes", n)
	}
	p := NewPace(NewRates(0, 4<<20, nil))
	for range 100 {
		p.Wait(t.Context(), 1, 100)
	}
	if p.bytes != nil || p.commands != nil {
		t.Error("a session that said little has a limiter")
	}
	var zero Pace
	if n := testing.AllocsPerRun(100, func() { zero.Wait(context.Background(), 1, 100); p.Wait(context.Background(), 1, 1000) }); n > 0.1 {
		t.Errorf("%v allocations for a message", n)
	}
}

func BenchmarkPace(b *testing.B) {
	p := NewPace(NewRates(0, 1<<40, nil))
	for b.Loop() {
		p.Wait(b.Context(), 1, 200)
	}
}
