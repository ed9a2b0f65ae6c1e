//go:build linux

package listen

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestLoungeWakesForTLS(t *testing.T) {
	g := lounge(t)
	var all sync.WaitGroup
	for i := range 20 {
		version := []uint16{tls.VersionTLS12, tls.VersionTLS13}[i%2]
		u, peer := newGuest(t, g)
		client := secure(t, u.s, chopped{peer, 7 + 400*(i%3)}, version)
		u.Wake()
		all.Go(func() {
			for i := range 50 {
				want := make([]byte, 1+7*i*i)
				want[0], want[len(want)-1] = byte(i), byte(i)
				if _, err := client.Write(want); err != nil {
					t.Error(err)
					return
				}
				got := make([]byte, len(want))
				if _, err := io.ReadFull(client, got); err != nil || string(got) != string(want) {
					t.Errorf("echo %d: %d bytes, %v", i, len(got), err)
					return
				}
			}
			client.CloseWrite() // close_notify, and the socket stays open
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

func TestTLSInTheLoungeHoldsNoBuffer(t *testing.T) {
	g := lounge(t)
	u, peer := newGuest(t, g)
	client := secure(t, u.s, peer, tls.VersionTLS13)
	u.Wake()
	for range 3 {
		if _, err := client.Write(make([]byte, 9000)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(client, make([]byte, 9000)); err != nil {
			t.Fatal(err)
		}
	}
	s := u.s
	for parked := false; !parked; runtime.Gosched() { // until it waits again
		s.mu.Lock()
		parked = s.sleeper != nil && g.take(s.at, u)
		s.mu.Unlock()
	}
	if s.buf != nil || s.pooled != nil || s.tls.in != nil || s.tls.pooled != nil || s.tls.out != nil || len(s.tls.going) > 0 || s.tls.goingPooled != nil {
		t.Errorf("an idle stream holds %d bytes in, %v %v, out %v %v", cap(s.buf), s.tls.in, s.tls.pooled, s.tls.going, s.tls.goingPooled)
	}
}

// A receiver that was slow once, and then has all, is not closed for it later.
func TestStallEndsWithTheQueue(t *testing.T) {
	lim := testLimits()
	lim.Queue, lim.Stall = 32<<20, 300*time.Millisecond
	s, peer := pair(t, lim)
	settled := &counter{}
	big := make([]byte, 16<<20)
	put(t, s, Item{B: big, Settle: settled}) // more than the socket takes
	one := make([]byte, 1)
	if _, err := io.CopyN(io.Discard, peer, int64(len(big))); err != nil {
		t.Fatal(err)
	}
	<-time.After(2 * lim.Stall)
	put(t, s, Item{B: []byte("x"), Settle: settled})
	if _, err := io.ReadFull(peer, one); err != nil {
		t.Errorf("a word after the stall time: %v", err)
	}
	if n := settled.done.Load(); n != 2 {
		t.Errorf("%d items settled", n)
	}
}

// BenchmarkTLSIdle holds sessions in the lounge that have said something once. B/session is all the memory of the process that
// is theirs: heap and stacks, in use. The clients are another process. PARLEY_IDLE says how many.
func BenchmarkTLSIdle(b *testing.B) {
	if os.Getenv("PARLEY_IDLE_ADDR") != "" {
		idleClients(b)
		return
	}
	many := 1000
	if n, err := strconv.Atoi(os.Getenv("PARLEY_IDLE")); err == nil {
		many = n
	}
	dir := b.TempDir()
	certs, err := NewCertificates("self", dir, []string{"example.com"})
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	g, err := NewLounge()
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkTLSIdle$", "-test.benchtime=1x")
	cmd.Env = append(os.Environ(), "PARLEY_IDLE_ADDR="+l.Addr().String(), "PARLEY_IDLE="+strconv.Itoa(many), "PARLEY_IDLE_DIR="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	before := inUse()
	rss := resident(b)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	guests := make([]*guest, many)
	cfg := certs.Config()
	lim := testLimits()
	for i := range guests {
		c, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		u := &guest{s: NewStream(c, lim), g: g, over: make(chan error, 1)}
		if err := u.s.StartTLS(cfg, time.Minute); err != nil {
			b.Fatal(err)
		}
		guests[i] = u
		go u.Wake() // ends in the lounge
	}
	out := bufio.NewScanner(stdout)
	for out.Scan() && !strings.Contains(out.Text(), "all are there") {
	}
	for b.Loop() {
		runtime.Gosched()
	}
	b.ReportMetric(float64(inUse()-before)/float64(many), "B/session")
	b.ReportMetric(float64(resident(b)-rss)/float64(many), "RSS/session")
	for _, u := range guests {
		u.s.Close()
	}
	stdin.Close()
	go io.Copy(io.Discard, stdout) // ends with the clients
	cmd.Wait()
}

func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// resident is the memory that the system counts for this process.
func resident(b *testing.B) int64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatal(err)
	}
	n, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n * int64(os.Getpagesize())
}

func idleClients(b *testing.B) {
	many, err := strconv.Atoi(os.Getenv("PARLEY_IDLE"))
	if err != nil {
		b.Fatal(err)
	}
	certs, err := NewCertificates("files:"+filepath.Join(os.Getenv("PARLEY_IDLE_DIR"), selfCert)+","+filepath.Join(os.Getenv("PARLEY_IDLE_DIR"), selfKey), "", nil)
	if err != nil {
		b.Fatal(err)
	}
	cfg := trust(certs, "example.com")
	conns := make([]*tls.Conn, many)
	hello := make([]byte, 300)
	for i := range conns {
		c, err := tls.Dial("tcp", os.Getenv("PARLEY_IDLE_ADDR"), cfg)
		if err != nil {
			b.Fatal(err)
		}
		for range 3 {
			if _, err := c.Write(hello); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(c, hello); err != nil {
				b.Fatal(err)
			}
		}
		conns[i] = c
	}
	fmt.Println("all are there")
	io.Copy(io.Discard, os.Stdin) // until they may go
	runtime.KeepAlive(conns)
}
