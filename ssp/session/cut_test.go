package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/ssp/wire"
)

// frail is a connection that ends after so many writes.
type frail struct {
	net.Conn
	left int
}

func (f *frail) Write(b []byte) (int, error) {
	if f.left--; f.left < 0 {
		f.Conn.Close()
		return 0, errors.New("cut")
	}
	return f.Conn.Write(b)
}

// slow is a connection whose bytes take their time.
type slow struct {
	net.Conn
	delay time.Duration
}

func (s *slow) Write(b []byte) (int, error) {
	time.Sleep(s.delay)
	return s.Conn.Write(b)
}

// TestCuts: connections break at any place, and answers come late. What is answered well was done, once; what is not
// was done once at most; in the end there is a session. SSP 5.5, 6.1.3, 6.1.4.
func TestCuts(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newNetwork()
				var mu sync.Mutex
				random := rand.New(rand.NewPCG(seed, 1))
				n := func(most int) int { mu.Lock(); defer mu.Unlock(); return random.IntN(most) }
				bad := true
				change := func(d *domain, c *Config) {
					c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
						conn, err := w.dial(ctx, network, addr)
						mu.Lock()
						cut := bad
						mu.Unlock()
						switch {
						case err != nil || !cut:
						case n(3) == 0:
							return &slow{conn, time.Duration(n(9000)) * time.Millisecond}, nil
						case n(2) == 0:
							return &frail{conn, 5 + n(40)}, nil
						}
						return conn, err
					}
					c.Limits.Rate, c.Limits.Invalid = -1, -1
				}
				a, b := newDomain(t, w, alpha, change), newDomain(t, w, beta, change)
				a.Keep(beta)
				well := map[string]bool{}
				var wg sync.WaitGroup
				for i := range 400 {
					time.Sleep(time.Duration(n(2000)) * time.Millisecond)
					l := a.Node.Link(beta)
					if l == nil {
						continue
					}
					text := fmt.Sprint("word ", i)
					wg.Add(1)
					l.GoOrdered(t.Context(), fmt.Sprint(i%3), message(alpha, beta, text), func(_ *wire.Element, err error) {
						mu.Lock()
						defer mu.Unlock()
						well[text] = err == nil
						wg.Done()
					})
				}
				wg.Wait()
				done := map[string]int{}
				last := map[int]int{}
				ordered := 0
				for _, r := range b.requests() {
					text := r.Primitive.Child("ContentData").String()
					done[text]++
					var i int
					fmt.Sscanf(text, "word %d", &i)
					if i < last[i%3] && done[text] == 1 {
						t.Errorf("%s was overtaken by word %d", text, last[i%3])
					}
					last[i%3] = i
					ordered++
				}
				good := 0
				if ordered < 50 {
					t.Errorf("%d were done", ordered)
				}
				for text, ok := range well {
					if ok {
						good++
					}
					if ok && done[text] != 1 || done[text] > 1 {
						t.Errorf("%s: well %v, done %d times", text, ok, done[text])
					}
				}
				if good < 50 {
					t.Errorf("%d of %d came through", good, len(well))
				}
				mu.Lock()
				bad = false
				mu.Unlock()
				time.Sleep(15 * time.Minute)
				l := a.Node.Link(beta)
				if l == nil {
					t.Fatal("no session when all is well again")
				}
				if _, err := l.Request(t.Context(), message(alpha, beta, "the end")); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
