package listen

import (
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// Lounge is an epoll instance: each connection in it is watched for one event. The poller of
// Go's runtime watches the instance itself, so that no thread waits here.
type Lounge struct {
	file   *os.File
	raw    syscall.RawConn
	done   chan struct{} // closed when the loop has ended
	closed atomic.Bool

	mu    sync.Mutex // guards slots
	slots []Sleeper  // by file descriptor
}

// NewLounge makes a lounge. Close ends it.
func NewLounge() (*Lounge, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	syscall.SetNonblock(fd, true)
	g := &Lounge{file: os.NewFile(uintptr(fd), "lounge"), done: make(chan struct{})}
	if g.raw, err = g.file.SyscallConn(); err != nil {
		g.file.Close()
		return nil, err
	}
	go g.loop() // ended by Close
	return g, nil
}

// Close ends the lounge, and wakes everybody in it.
func (g *Lounge) Close() {
	g.closed.Store(true)
	g.file.Close()
	<-g.done
	g.mu.Lock()
	var left []Sleeper
	for i, who := range g.slots {
		if who != nil {
			left = append(left, who)
			g.slots[i] = nil
		}
	}
	g.mu.Unlock()
	for _, who := range left {
		go who.Wake() // ends when its connection is over
	}
}

const oneEvent = syscall.EPOLLIN | syscall.EPOLLRDHUP | 1<<30 // EPOLLONESHOT

// arm has who woken at the next event of fd.
func (g *Lounge) arm(fd int, who Sleeper) bool {
	g.mu.Lock()
	for len(g.slots) <= fd {
		g.slots = append(g.slots, make([]Sleeper, fd+1-len(g.slots)+len(g.slots)/2)...)
	}
	g.slots[fd] = who
	g.mu.Unlock()
	ev := syscall.EpollEvent{Events: oneEvent, Fd: int32(fd)}
	ok := false
	err := g.raw.Control(func(ep uintptr) {
		err := syscall.EpollCtl(int(ep), syscall.EPOLL_CTL_MOD, fd, &ev)
		if err == syscall.ENOENT {
			err = syscall.EpollCtl(int(ep), syscall.EPOLL_CTL_ADD, fd, &ev)
		}
		ok = err == nil
	})
	if err != nil || !ok {
		return !g.take(fd, who) // somebody who was woken meanwhile has it
	}
	return true
}

// take takes somebody out; false when they are not there any more.
func (g *Lounge) take(fd int, who Sleeper) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if fd >= len(g.slots) || g.slots[fd] != who {
		return false
	}
	g.slots[fd] = nil
	return true
}

func (g *Lounge) loop() {
	defer close(g.done)
	events := make([]syscall.EpollEvent, 256)
	for {
		n := 0
		err := g.raw.Read(func(ep uintptr) bool {
			var err error
			n, err = syscall.EpollWait(int(ep), events, 0)
			return n > 0 || err != nil && err != syscall.EINTR
		})
		if err != nil {
			if !g.closed.Load() {
				slog.Error("connections that wait are not woken any more", "err", err)
			}
			return
		}
		g.mu.Lock()
		for _, ev := range events[:max(n, 0)] {
			if who := g.slots[ev.Fd]; who != nil {
				g.slots[ev.Fd] = nil
				go who.Wake() // ends when its connection waits again, or is over
			}
		}
		g.mu.Unlock()
	}
}
