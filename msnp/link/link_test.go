package link

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/im"
	"parley/limit"
	"parley/listen"
	"parley/metrics"
	"parley/msnp"
	"parley/msnp/wire"
	"parley/store"
)

// rig is a link whose reader answers each command with what answer makes of it.
type rig struct {
	link   *Link
	client net.Conn
	r      *bufio.Reader
	log    bytes.Buffer
	hits   []string
	ended  chan error // the reader's last error; closed by it
}

// newRig runs in a bubble.
func newRig(t *testing.T, answer func(l *Link, c *wire.Command)) *rig {
	client, server := net.Pipe()
	g := &rig{client: client, r: bufio.NewReader(client), ended: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(&g.log, nil))
	s := &Shared{Shared: listen.Shared{Limits: listen.Limits{Queue: 1 << 14, Presence: 1 << 12, Stall: time.Minute},
		Rates: limit.NewRates(0, 0, nil), LoginTime: time.Minute, Hit: func(l string) { g.hits = append(g.hits, l) },
		Metrics: metrics.Discard().Door("msnp", nil, nil), Log: log}, Line: 600, Payload: 100, Misplaced: 3}
	g.link = New(server, s, nil, nil)
	t.Cleanup(func() { client.Close() })
	go func() { // ends with its connection, which Cleanup ends
		defer close(g.ended)
		defer g.link.Release()
		defer g.link.Guard(func() {})
		for {
			c, err := g.link.Next(t.Context())
			if err != nil {
				g.ended <- err
				return
			}
			answer(g.link, c)
		}
	}()
	return g
}

func (g *rig) say(t *testing.T, s string) {
	t.Helper()
	if _, err := io.WriteString(g.client, s); err != nil {
		t.Fatal(err)
	}
}

func (g *rig) hears(t *testing.T, want string) {
	t.Helper()
	if got, err := g.r.ReadString('\n'); err != nil || strings.TrimRight(got, "\r\n") != want {
		t.Fatalf("hears %q (%v), should hear %q", got, err, want)
	}
}

func (g *rig) closed(t *testing.T) {
	t.Helper()
	if b, err := g.r.ReadByte(); err != io.EOF {
		t.Fatalf("hears %q (%v), should be closed", b, err)
	}
}

// TestRefuse: what the client hears, what the metrics count, and that causes are for the log only.
func TestRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errs := map[string]error{
			"1": nil,
			"2": msnp.ErrInvalidParameter,
			"3": im.ErrAlready,
			"4": &store.Error{Op: "INSERT", Err: errors.New("the disk is full")},
			"5": errors.New("the moon is full"),
		}
		var results []metrics.Result
		g := newRig(t, func(l *Link, c *wire.Command) {
			results = append(results, l.Refuse(c, errs[string(c.Arg(0))]))
		})
		g.say(t, "AAA 1\r\nAAA 2\r\nAAA 3\r\nAAA 4\r\nAAA 5\r\n")
		for _, want := range []string{"201 2", "215 3", "501 4", "500 5"} {
			g.hears(t, want)
		}
		synctest.Wait()
		want := []metrics.Result{metrics.CommandOK, metrics.CommandRefused, metrics.CommandRefused, metrics.CommandFailed, metrics.CommandFailed}
		if fmt.Sprint(results) != fmt.Sprint(want) {
			t.Errorf("results are %v, should be %v", results, want)
		}
		for _, cause := range []string{"the disk is full", "the moon is full"} {
			if !strings.Contains(g.log.String(), cause) {
				t.Errorf("the log does not say that %s", cause)
			}
		}
		if n := strings.Count(g.log.String(), "\n"); n != 2 {
			t.Errorf("%d lines in the log, should be 2:\n%s", n, &g.log)
		}
	})
}

// TestMisplaced: only what cannot be read or is out of place counts.
func TestMisplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		codes := []msnp.Code{200, 215, 201, 302, 500, 715}
		i := 0
		g := newRig(t, func(l *Link, c *wire.Command) { l.Refuse(c, codes[i]); i++ })
		for j, code := range codes {
			g.say(t, fmt.Sprintf("AAA %d\r\n", j))
			g.hears(t, fmt.Sprintf("%d %d", code, j))
		}
		g.closed(t)
		if fmt.Sprint(g.hits) != "[misplaced]" {
			t.Errorf("limits hit: %v", g.hits)
		}
	})
}

// TestUnreadable: a line or a payload that is too long is refused once, and ends the connection.
func TestUnreadable(t *testing.T) {
	for want, say := range map[string]string{
		"line":    "AAA 1 " + strings.Repeat("x", 600),
		"payload": "MSG 1 N 101\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newRig(t, func(*Link, *wire.Command) { t.Error("it was served") })
			g.say(t, say)
			code, _ := g.r.ReadString('\n')
			if !strings.HasPrefix(code, "200") {
				t.Errorf("hears %q, should hear 200", code)
			}
			g.closed(t)
			if fmt.Sprint(g.hits) != "["+want+"]" {
				t.Errorf("limits hit: %v, should be %s", g.hits, want)
			}
		})
	}
}

// TestPanic: a panic ends the one connection, and is logged.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, func(*Link, *wire.Command) { panic("oh") })
		g.say(t, "AAA 1\r\n")
		g.closed(t)
		<-g.ended
		if !strings.Contains(g.log.String(), "oh") || !strings.Contains(g.log.String(), "TestPanic") {
			t.Errorf("the log does not say what happened where:\n%s", &g.log)
		}
	})
}

// TestLoginTime: who has not logged in is closed; who has may be silent.
func TestLoginTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, func(*Link, *wire.Command) {})
		start := time.Now()
		g.closed(t)
		if d := time.Since(start); d != time.Minute {
			t.Errorf("closed after %v, should be a minute", d)
		}
		h := newRig(t, func(l *Link, c *wire.Command) { l.LoggedIn(); l.Reply("AAA", 1) })
		h.say(t, "AAA 1\r\n")
		h.hears(t, "AAA 1")
		time.Sleep(24 * time.Hour)
		h.say(t, "AAA 2\r\n")
		h.hears(t, "AAA 1")
	})
}

// TestHangup: the last word is said once, and arrives although the client goes on talking.
func TestHangup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, func(l *Link, c *wire.Command) {
			l.Hangup("OUT OTH\r\n")
			l.Hangup("OUT SSD\r\n")
			l.Reply("AAA", 1)
			if !l.Ending() {
				t.Error("it does not end")
			}
		})
		g.say(t, "AAA 1\r\nAAA 2\r\nAAA 3\r\n")
		g.hears(t, "OUT OTH")
		g.closed(t)
	})
}

// TestSlowReader: a client that reads nothing loses its connection, and what waited comes back.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, func(*Link, *wire.Command) {})
		r := &returned{}
		for range 40 {
			if g.link.QueueItem(listen.Item{B: make([]byte, 1000), Settle: r}) {
				g.link.Flush()
			}
		}
		<-g.ended
		synctest.Wait()
		if r.done.Load() != 0 || r.back.Load() != 40 {
			t.Errorf("%d done and %d returned of 40", r.done.Load(), r.back.Load())
		}
		if !strings.Contains(g.log.String(), "too slow") {
			t.Errorf("the log does not say why:\n%s", &g.log)
		}
	})
}

// returned counts how its items were settled.
type returned struct{ done, back atomic.Int32 }

func (r *returned) Done()        { r.done.Add(1) }
func (r *returned) Return(error) { r.back.Add(1) }
