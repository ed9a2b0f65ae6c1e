package gateway

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/limit"
)

// upper is a server that says every line again in capitals, ends after OUT, and says how it was reached when asked.
func upper(ctx context.Context, to Target, c net.Conn) {
	defer c.Close()
	defer context.AfterFunc(ctx, func() { fmt.Fprint(c, "OUT SSD\r\n"); c.Close() })()
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch line {
		case "OUT\r\n":
			fmt.Fprint(c, "OUT\r\n")
			return
		case "WHO\r\n":
			fmt.Fprintf(c, "%s %s %s %s\r\n", to.Kind, to.Host, c.RemoteAddr(), c.LocalAddr())
		case "LATER\r\n":
			time.Sleep(time.Second)
			fmt.Fprint(c, "NOW\r\n")
		case "TWICE\r\n":
			fmt.Fprint(c, "ONE\r\n")
			time.Sleep(settleTime / 2)
			fmt.Fprint(c, "TWO\r\n")
		case "FLOOD\r\n":
			for range 1024 {
				if _, err := c.Write(bytes.Repeat([]byte("x"), 1024)); err != nil {
					return
				}
			}
		default:
			fmt.Fprint(c, strings.ToUpper(line))
		}
	}
}

// answer is what a request got.
type answer struct {
	status           int
	id, header, body string
	close            bool
}

// asker makes requests of a gateway without a network.
type asker struct{ http.Handler }

func (a asker) ask(t *testing.T, query, body string) answer {
	t.Helper()
	r := httptest.NewRequest("POST", "http://gateway.messenger.hotmail.com/gateway/gateway.dll?"+query, strings.NewReader(body))
	return a.do(r)
}

func (a asker) do(r *http.Request) answer {
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	got := answer{status: w.Code, body: w.Body.String()}
	const name = "X-MSN-Messenger" // as clients look for it
	if l := map[string][]string(w.Header())[name]; len(l) == 1 {
		got.header = l[0]
		got.id, _, _ = strings.Cut(strings.TrimPrefix(l[0], "SessionID="), ";")
		got.close = strings.HasSuffix(l[0], "; Session=close")
	}
	return got
}

const open = "Action=open&Server=NS&IP=messenger.hotmail.com"

// bubble plays with a gateway where time takes no time.
func bubble(t *testing.T, c Config, f func(t *testing.T, a asker, g *Gateway)) {
	synctest.Test(t, func(t *testing.T) {
		if c.Serve == nil {
			c.Serve = upper
		}
		c.Log, c.Strangers = slog.New(slog.DiscardHandler), limit.NewStrangers(limit.Bounds{}, nil)
		g := New(t.Context(), c)
		defer g.Close()
		f(t, asker{g}, g)
	})
}

// A session from its beginning to its end: dialects 9.6.
func TestSession(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, a asker, g *Gateway) {
		first := a.ask(t, open, "ver 1 msnp8\r\n")
		if first.status != 200 || first.body != "VER 1 MSNP8\r\n" || first.close ||
			first.header != "SessionID="+first.id+"; GW-IP=gateway.messenger.hotmail.com" {
			t.Errorf("%+v", first)
		}
		if number, _, ok := strings.Cut(first.id, "."); !ok || number == "" || len(first.id) > 32 {
			t.Errorf("the session is called %q", first.id)
		}
		for _, c := range []struct{ query, body, want string }{
			{"SessionID=" + first.id, "cvr 2\r\nusr 3\r\n", "CVR 2\r\nUSR 3\r\n"},
			{"Action=poll&SessionID=" + first.id, "", ""},
			{"SessionID=" + first.id, "twice\r\n", "TWICE\r\n"},
			{"SessionID=" + first.id, "TWICE\r\n", "ONE\r\nTWO\r\n"},
			{"SessionID=" + first.id, "png", ""}, // the line is not whole
			{"Action=poll&SessionID=" + first.id, "\r\n", "PNG\r\n"},
			{"SessionID=" + first.id, "LATER\r\n", ""},
		} {
			if got := a.ask(t, c.query, c.body); got.status != 200 || got.body != c.want || got.id != first.id || got.close {
				t.Errorf("%q, %q: %+v", c.query, c.body, got)
			}
		}
		time.Sleep(2 * time.Second)
		if got := a.ask(t, "Action=poll&SessionID="+first.id, ""); got.body != "NOW\r\n" {
			t.Errorf("what came later: %+v", got)
		}
		if got := a.ask(t, "SessionID="+first.id, "OUT\r\n"); got.status != 200 || got.body != "OUT\r\n" || !got.close {
			t.Errorf("the last: %+v", got)
		}
		if got := a.ask(t, "SessionID="+first.id, "PNG\r\n"); got.status != 400 || g.Sessions() != 0 {
			t.Errorf("after the last: %+v, %d sessions", got, g.Sessions())
		}
	})
}

// The server sees the client's address without a port, and what the client asked for: dialects 3.6, 9.6.
func TestAddresses(t *testing.T) {
	bubble(t, Config{Host: "192.0.2.1"}, func(t *testing.T, a asker, _ *Gateway) {
		r := httptest.NewRequest("POST", "http://gateway.messenger.hotmail.com/Gateway/Gateway.dll?Action=open&Server=SB&IP=192.0.2.5:1863", strings.NewReader("WHO\r\n"))
		r.RemoteAddr = "[::ffff:198.51.100.7]:4711"
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}))
		if got := a.do(r); got.body != "SB 192.0.2.5:1863 198.51.100.7:0 192.0.2.1:80\r\n" || !strings.HasSuffix(got.header, "; GW-IP=192.0.2.1") {
			t.Errorf("%+v", got)
		}
	})
}

// dialects 9.6
func TestBadRequests(t *testing.T) {
	bubble(t, Config{Sessions: 2}, func(t *testing.T, a asker, g *Gateway) {
		id := a.ask(t, open, "").id
		for _, c := range []struct {
			query, body string
			want        int
		}{
			{"", "", 400},
			{"Action=open", "", 400},
			{"Action=open&Server=NS", "", 400},
			{"Action=open&Server=DS&IP=x", "", 400},
			{"Action=open&Server=NS&IP=a%0D%0Ab", "", 400},
			{"Action=close&SessionID=" + id, "", 400},
			{"Action=poll", "", 400},
			{"SessionID=1.2", "PNG\r\n", 400},
			{"SessionID=" + id + "1", "PNG\r\n", 400},
			{"SessionID=" + id, strings.Repeat("x", maxBody+1), 413},
		} {
			if got := a.ask(t, c.query, c.body); got.status != c.want || got.header != "" {
				t.Errorf("%q: %+v", c.query, got)
			}
		}
		if got := a.do(httptest.NewRequest("GET", "/gateway/gateway.dll?"+open, nil)); got.status != 405 {
			t.Errorf("GET: %+v", got)
		}
		if got := a.do(httptest.NewRequest("POST", "/?"+open, nil)); got.status != 404 {
			t.Errorf("elsewhere: %+v", got)
		}
		r := httptest.NewRequest("POST", "/gateway/gateway.dll?"+open, nil)
		r.Host = "a;b"
		if got := a.do(r); got.status != 400 {
			t.Errorf("a host that would end the field: %+v", got)
		}
		if got := a.ask(t, open, ""); got.status != 200 || g.Sessions() != 2 {
			t.Errorf("the second: %+v", got)
		}
		if got := a.ask(t, open, ""); got.status != 503 || g.Sessions() != 2 {
			t.Errorf("one too many: %+v", got)
		}
		if got := a.ask(t, "SessionID="+id, "png\r\n"); got.body != "PNG\r\n" {
			t.Errorf("the first was disturbed: %+v", got)
		}
	})
}

// A session has one request at a time: dialects 9.6.
func TestOneRequestAtATime(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, a asker, _ *Gateway) {
		id := a.ask(t, open, "").id
		var first sync.WaitGroup
		first.Go(func() {
			if got := a.ask(t, "SessionID="+id, "quiet"); got.status != 200 {
				t.Errorf("the first: %+v", got)
			}
		})
		synctest.Wait()
		if got := a.ask(t, "Action=poll&SessionID="+id, ""); got.status != 400 {
			t.Errorf("the second: %+v", got)
		}
		first.Wait()
		if got := a.ask(t, "Action=poll&SessionID="+id, "\r\n"); got.body != "QUIET\r\n" {
			t.Errorf("after it: %+v", got)
		}
	})
}

// Who does not ask any more is gone: dialects 9.6.
func TestIdle(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, a asker, g *Gateway) {
		id := a.ask(t, open, "").id
		for range 3 {
			time.Sleep(DefaultIdle - time.Second)
			if got := a.ask(t, "Action=poll&SessionID="+id, ""); got.status != 200 {
				t.Fatalf("%+v", got)
			}
		}
		time.Sleep(DefaultIdle + time.Second)
		synctest.Wait()
		if got := a.ask(t, "Action=poll&SessionID="+id, ""); got.status != 400 || g.Sessions() != 0 {
			t.Errorf("%+v", got)
		}
		g.running.Wait() // the server behind it has ended, too
	})
}

// What a server says waits, but not without bounds: it is not read on, and goes on when the client has asked.
func TestFlood(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, a asker, g *Gateway) {
		got := a.ask(t, open, "FLOOD\r\n")
		synctest.Wait()
		g.mu.Lock()
		s := g.sessions[got.id]
		g.mu.Unlock()
		s.mu.Lock()
		waiting := len(s.out)
		s.mu.Unlock()
		if waiting > maxQueued+4096 {
			t.Errorf("%d bytes wait", waiting)
		}
		var all strings.Builder
		all.WriteString(got.body)
		for range 5 {
			synctest.Wait()
			all.WriteString(a.ask(t, "Action=poll&SessionID="+got.id, "").body)
		}
		if all.String() != strings.Repeat("x", 1<<20) {
			t.Errorf("%d bytes came", all.Len())
		}
	})
}

// A server that does not take what is said loses the session, not the gateway.
func TestStuckServer(t *testing.T) {
	stuck := func(ctx context.Context, _ Target, c net.Conn) {
		defer c.Close()
		io.ReadFull(c, make([]byte, 3))
		select {
		case <-ctx.Done():
		case <-time.After(time.Hour):
		}
	}
	bubble(t, Config{Serve: stuck}, func(t *testing.T, a asker, g *Gateway) {
		begun := time.Now()
		got := a.ask(t, open, "VER 1 MSNP8\r\n")
		if took := time.Since(begun); took < writeTime || took > writeTime+time.Second || !got.close || got.status != 200 {
			t.Errorf("after %v: %+v", took, got)
		}
	})
}

// Servers say goodbye at the end, and those who ask for it hear it.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := New(ctx, Config{Serve: upper, Log: slog.New(slog.DiscardHandler)})
		a := asker{g}
		id := a.ask(t, open, "png\r\n").id
		silent := a.ask(t, open, "png\r\n").id
		cancel()
		synctest.Wait()
		if got := a.ask(t, "Action=poll&SessionID="+id, ""); got.body != "OUT SSD\r\n" || !got.close {
			t.Errorf("%+v", got)
		}
		g.Close()
		if got := a.ask(t, "Action=poll&SessionID="+silent, ""); got.status != 400 {
			t.Errorf("%+v", got)
		}
		if got := a.ask(t, open, ""); got.status != 503 || g.Sessions() != 0 {
			t.Errorf("after the end: %+v", got)
		}
	})
}

// A client that hangs up while it waits loses nothing: the next request has it.
func TestAbandonedRequest(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, a asker, _ *Gateway) {
		id := a.ask(t, open, "").id
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		a.do(httptest.NewRequest("POST", "/gateway/gateway.dll?SessionID="+id, strings.NewReader("png\r\n")).WithContext(ctx))
		synctest.Wait()
		if got := a.ask(t, "Action=poll&SessionID="+id, ""); got.body != "PNG\r\n" {
			t.Errorf("%+v", got)
		}
	})
}

// The same over a network, byte by byte, as a proxy passes it on: dialects 9.6.
func TestOverHTTP(t *testing.T) {
	all := limit.NewStrangers(limit.Bounds{Connections: 1}, nil)
	g := New(t.Context(), Config{Serve: upper, Log: slog.New(slog.DiscardHandler), Strangers: all})
	srv := g.HTTP(g)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var end sync.WaitGroup
	end.Go(func() { srv.Serve(l) }) // ends when the server is closed
	t.Cleanup(func() { srv.Close(); end.Wait(); g.Close() })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	const host = "gateway.messenger.hotmail.com"
	fmt.Fprintf(c, "POST http://%s/gateway/gateway.dll?Action=open&Server=NS&IP=messenger.hotmail.com HTTP/1.1\r\nHost: %s\r\nUser-Agent: MSMSGS\r\n"+
		"Proxy-Connection: Keep-Alive\r\nPragma: no-cache\r\nContent-Type: application/x-msn-messenger\r\nContent-Length: 19\r\n\r\nver 1 msnp8 cvr0 \r\n", host, host)
	r := bufio.NewReader(c)
	var lines []string
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			break
		}
		lines = append(lines, strings.TrimSuffix(line, "\r\n"))
	}
	head := "\n" + strings.Join(lines, "\n") + "\n"
	for _, want := range []string{"\nHTTP/1.1 200 OK\n", "\nContent-Type: application/x-msn-messenger\n", "\nContent-Length: 19\n", "\nX-MSN-Messenger: SessionID=", "; GW-IP=" + host + "\n"} {
		if !strings.Contains(head, want) {
			t.Errorf("no %q in %q", want, head)
		}
	}
	body := make([]byte, 19)
	if _, err := io.ReadFull(r, body); err != nil || string(body) != "VER 1 MSNP8 CVR0 \r\n" {
		t.Errorf("%q, %v", body, err)
	}
	second, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	second.SetDeadline(time.Now().Add(20 * time.Second))
	if n, err := second.Read(body); n > 0 || err == nil {
		t.Errorf("a connection too many is served: %q", body[:n])
	}
}
