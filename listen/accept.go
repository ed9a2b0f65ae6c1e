// Package listen is what stands between the doors and the sockets: listeners
// named by URLs, the loop that accepts connections, and streams that hold no
// memory while nothing comes. It knows nothing of what is spoken.
package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"
)

// keepAlive finds a machine that went away without a word in about four
// minutes. The standard library's 15 seconds would wake thousands of idle
// sessions all the time.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 2 * time.Minute, Interval: 30 * time.Second, Count: 4}

// Listen opens the port that u names. An error is one line that says which URL
// and what to do; it wraps the cause.
func Listen(ctx context.Context, u URL) (net.Listener, error) {
	lc := net.ListenConfig{KeepAliveConfig: keepAlive}
	lc.SetMultipathTCP(false) // nobody who comes here speaks it, and its sockets cost more
	l, err := lc.Listen(ctx, "tcp", u.Addr())
	if err != nil {
		return nil, fmt.Errorf("listen: %s: %w", u, explained{err, explain(u, err)})
	}
	return l, nil
}

// explained is an error in words of ours, with its cause for errors.Is.
type explained struct {
	cause error
	text  string
}

func (e explained) Error() string { return e.text }
func (e explained) Unwrap() error { return e.cause }

func explain(u URL, err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Sprintf("port %d is in use: end the program that has it, or name another port", u.Port)
	case errors.Is(err, syscall.EACCES) && u.Port < 1024:
		return fmt.Sprintf("no permission for port %d: name a port from 1024 on, or grant the program CAP_NET_BIND_SERVICE", u.Port)
	case errors.Is(err, syscall.EACCES):
		return fmt.Sprintf("the system gives no permission for port %d", u.Port)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Sprintf("this machine has no address %s: name one of its own, or none for all", u.Host)
	case errors.As(err, &dns):
		return fmt.Sprintf("no address is known for the name %s", u.Host)
	}
	return err.Error()
}

// Pauses after an error that passes, such as no more open files: doubled each
// time, so that a loop that cannot accept does not eat the processor.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
)

// Serve accepts connections until ctx is done, and starts one goroutine for
// each, which runs handle. The connection is handle's, which closes it, or leaves it
// with somebody who will. When ctx is done Serve
// closes l, waits for all handlers and returns nil. Handlers get a context that
// is done together with ctx: they say goodbye and return; who will not wait
// for them longer than some time closes their connections.
//
// While the machine is short of something (open files, memory) it pauses, up to
// a second, and goes on. If l is closed by somebody else or breaks, the
// handlers are told to end as well, and Serve returns the error after them.
func Serve(ctx context.Context, l net.Listener, handle func(context.Context, net.Conn)) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var handlers sync.WaitGroup
	defer handlers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // before the wait

	var pause time.Duration
	for {
		c, err := l.Accept()
		switch {
		case err == nil && ctx.Err() == nil:
			pause = 0
			handlers.Add(1)
			go run(ctx, c, handle, &handlers) // ended by handle, which heeds ctx
		case err == nil:
			c.Close() // came in while l was being closed
		case ctx.Err() != nil:
			return nil
		case passes(err):
			if pause == 0 {
				slog.Warn("no connection can be accepted for now", "listener", l.Addr().String(), "err", err)
			}
			pause = min(max(2*pause, firstPause), lastPause)
			rest := time.NewTimer(pause)
			select {
			case <-rest.C:
			case <-ctx.Done():
				rest.Stop()
			}
		default:
			l.Close()
			return fmt.Errorf("listen: accept on %s: %w", l.Addr(), err)
		}
	}
}

// run is the bottom of a connection's stack, so it is small.
func run(ctx context.Context, c net.Conn, handle func(context.Context, net.Conn), handlers *sync.WaitGroup) {
	defer handlers.Done()
	handle(ctx, c)
}

// passes says whether accepting can work again later.
func passes(err error) bool {
	for _, e := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.EINTR, syscall.EAGAIN,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
