package session

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
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
		name               string
		together, underWay int
	}{
		{"1 under way", 1, 1}, {"16 under way", 1, 16}, {"256 under way", 1, 256},
		{"16 under way, 16 together", 16, 16}, {"256 under way, 16 together", 16, 256}, {"256 under way, 64 together", 64, 256},
	} {
		b.Run(c.name, func(b *testing.B) {
			one, _, stop := overLoopback(b, c.together)
			defer stop()
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

// BenchmarkIdle is what a session pair costs while nothing is said: heap and goroutines at one end, with those of
// net/http for the peer's connection.
func BenchmarkIdle(b *testing.B) {
	const peers = 200
	for range b.N {
		hub := New(Config{Domain: alpha, Lookup: func(domain string) (*Peer, bool) { return nil, false }})
		at := http.NewServeMux()
		hubServer, server := httptest.NewServer(hub), httptest.NewServer(at)
		registered := map[string]*Peer{}
		hub.c.Lookup = func(domain string) (*Peer, bool) { p, ok := registered[domain]; return p, ok }
		var spokes []*Node
		for i := range peers {
			name := fmt.Sprintf("d%d.example", i)
			p := peerOf(alpha, name)
			p.URL = server.URL + "/" + name
			registered[name] = p
			back := peerOf(name, alpha)
			back.URL = hubServer.URL
			n := New(Config{Domain: name, Lookup: func(domain string) (*Peer, bool) { return back, domain == alpha }})
			at.Handle("/"+name, n)
			spokes = append(spokes, n)
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&before)
		running := runtime.NumGoroutine()
		for _, n := range spokes {
			if err := n.Login(b.Context(), alpha, nil); err != nil {
				b.Fatal(err)
			}
		}
		for _, n := range append(spokes, hub) { // until each reads from its idle connection
			for _, p := range n.allPeers() {
				for l := p.current(); !l.sender.watched(); {
					<-time.After(50 * time.Millisecond)
				}
			}
		}
		runtime.GC()
		runtime.GC() // the pools are empty after the second
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(runtime.NumGoroutine()-running)/peers/2, "goroutines/peer")
		b.ReportMetric((float64(after.HeapAlloc+after.StackInuse)-float64(before.HeapAlloc+before.StackInuse))/1024/peers/2, "KiB/peer")
		for _, n := range append(spokes, hub) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			n.Close(ctx)
			cancel()
		}
		for _, s := range []*httptest.Server{hubServer, server} {
			s.CloseClientConnections()
			s.Close()
		}
	}
}

// watched says whether an idle connection is read from.
func (s *sender) watched() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.idle) > 0 && s.idle[len(s.idle)-1].watch != nil
}
