package listen

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func mustListen(t *testing.T, url string) net.Listener {
	t.Helper()
	u, err := ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestServeHandlesAndWaits(t *testing.T) {
	l := mustListen(t, "msnp://127.0.0.1:0")
	ctx, cancel := context.WithCancel(t.Context())
	var ended atomic.Int32
	served := make(chan error, 1)
	go func() {
		served <- Serve(ctx, l, func(ctx context.Context, c net.Conn) {
			defer c.Close()
			io.WriteString(c, "hello\n")
			<-ctx.Done()
			io.WriteString(c, "goodbye\n")
			ended.Add(1)
		})
	}()
	var clients []net.Conn
	for range 3 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.ReadFull(c, make([]byte, len("hello\n"))); err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve = %v after its context ended", err)
	}
	if n := ended.Load(); n != 3 {
		t.Errorf("Serve returned with %d of 3 handlers ended", n)
	}
	for _, c := range clients {
		if b, err := io.ReadAll(c); string(b) != "goodbye\n" || err != nil {
			t.Errorf("client read %q, %v, want goodbye and a close", b, err)
		}
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		c.Close()
		t.Error("the port is still open")
	}
}

func TestListenSaysWhy(t *testing.T) {
	l := mustListen(t, "msnp://127.0.0.1:0")
	taken := URL{Scheme: "msnp", Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
	_, err := Listen(t.Context(), taken)
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), taken.String()+": port") || !strings.Contains(err.Error(), "is in use") {
		t.Errorf("port taken: %v", err)
	}
	_, err = Listen(t.Context(), URL{Scheme: "msnp", Host: "192.0.2.1", Port: 0})
	if err == nil || !strings.Contains(err.Error(), "this machine has no address 192.0.2.1") {
		t.Errorf("foreign address: %v", err)
	}
	for _, c := range []struct {
		port int
		err  error
		say  string
	}{
		{80, syscall.EACCES, "CAP_NET_BIND_SERVICE"},
		{8080, syscall.EACCES, "no permission for port 8080"},
		{80, &net.DNSError{Name: "x"}, "no address is known for the name x"},
		{80, errors.New("odd"), "odd"},
	} {
		if s := explain(URL{Host: "x", Port: c.port}, c.err); !strings.Contains(s, c.say) || strings.Contains(s, "\n") {
			t.Errorf("explain(%d, %v) = %q, want %q", c.port, c.err, s, c.say)
		}
	}
}

// scripted is a listener whose Accept returns what a test decides.
type scripted struct {
	accept chan any // error or net.Conn
	closed chan struct{}
}

func newScripted() *scripted { return &scripted{make(chan any), make(chan struct{})} }

func (l *scripted) Accept() (net.Conn, error) {
	select {
	case v := <-l.accept:
		if err, ok := v.(error); ok {
			return nil, err
		}
		return v.(net.Conn), nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *scripted) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (l *scripted) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func TestServePausesWhenFilesRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newScripted()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		handled := make(chan struct{}, 1)
		served := make(chan error, 1)
		go func() {
			served <- Serve(ctx, l, func(_ context.Context, c net.Conn) { handled <- struct{}{}; c.Close() })
		}()
		short := &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
		begin := time.Now()
		for range 20 {
			l.accept <- short
		}
		// 5 ms, doubled up to a second: 19 pauses lie between 20 errors.
		if d := time.Since(begin); d < 10*time.Second || d > 15*time.Second {
			t.Errorf("20 errors were asked for in %v", d)
		}
		client, server := net.Pipe()
		l.accept <- server
		<-handled
		if _, err := client.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after the handler: %v, want the connection closed", err)
		}
		begin = time.Now()
		l.accept <- short
		cancel()
		if err := <-served; err != nil || time.Since(begin) > firstPause {
			t.Errorf("Serve = %v after %v", err, time.Since(begin))
		}
	})
}

func TestServeTellsOfABrokenListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newScripted()
		served := make(chan error, 1)
		told := false
		go func() {
			served <- Serve(t.Context(), l, func(ctx context.Context, _ net.Conn) {
				<-ctx.Done()
				told = true
			})
		}()
		client, server := net.Pipe()
		defer client.Close()
		l.accept <- server
		l.accept <- syscall.EBADF
		if err := <-served; !errors.Is(err, syscall.EBADF) || !told {
			t.Errorf("Serve = %v, handler told: %v", err, told)
		}
	})
}
