package session

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/ssp/wire"
)

// cpu is the time that this process has worked, user and system.
func cpu(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPair is requests with their answers over one session pair on loopback, in requests a CPU second of both
// ends together.
func BenchmarkPair(b *testing.B) {
	for _, c := range []struct {
		name      string
		together  int
		underWay  int
		unordered bool
	}{{"1 under way", 1, 1, false}, {"16 under way", 1, 16, false}, {"256 under way", 1, 256, false}, {"256 under way, 16 together", 16, 256, false}, {"256 under way, 64 together", 64, 256, false}} {
		b.Run(c.name, func(b *testing.B) {
			one, two, stop := overLoopback(b, c.together)
			defer stop()
			two.mu.Lock()
			two.got = nil
			two.mu.Unlock()
			l := one.Node.Link(beta)
			e := message(alpha, beta, "hello")
			room := make(chan struct{}, c.underWay)
			var wg sync.WaitGroup
			wg.Add(b.N)
			began := cpu(b)
			b.ResetTimer()
			for range b.N {
				room <- struct{}{}
				l.Go(context.Background(), e, func(_ *wire.Element, err error) {
					if err != nil {
						b.Error(err)
					}
					<-room
					wg.Done()
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/(cpu(b)-began).Seconds(), "requests/CPUs")
		})
	}
}
