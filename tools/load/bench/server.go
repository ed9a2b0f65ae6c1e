package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// server is one of the two that are compared.
type server struct {
	name  string
	addr  string // of MSNP, or of XMPP where it knows nothing else
	xmpp  string // of XMPP
	tls   string // of XMPP that begins with TLS
	args  []string
	ready string // what it prints on stderr once it listens; empty: asked by connecting

	far      *server // the other domain, where there are two
	passport string  // of HTTPS, where clients of MSNP8 and later log in
}

// running is a server's process.
type running struct {
	cmd    *exec.Cmd
	log    *tail
	exited chan struct{} // closed when the process has ended
}

// bench is what every measurement needs.
type bench struct {
	dir     string
	plan    plan
	servers []*server // for msnpload
	xmpp    []*server // for xmppload
	across  []*server // for xmppload, within one domain and between two
	timeout time.Duration
}

// path is a file or folder of this run.
func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// accounts fills a new data folder of Parley. One that was filled before is kept.
func (b *bench) accounts(ctx context.Context, parley, data string) error {
	n := b.plan.accounts()
	mark := data + ".imported"
	if _, err := os.Stat(mark); err == nil {
		return nil
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	csv, err := b.load(ctx, "msnpload", b.users("prepare"))
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "bench: importing %d accounts\n", n)
	start := time.Now()
	cmd := exec.CommandContext(ctx, parley, "account", "import", "--data", data, "-")
	cmd.Stdin = bytes.NewReader(csv)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("parley account import: %w\n%s", err, out)
	}
	fmt.Fprintf(os.Stderr, "bench: imported in %.1f s\n", time.Since(start).Seconds())
	return os.WriteFile(mark, nil, 0o644)
}

// users are the flags of msnpload that name the accounts, and more.
func (b *bench) users(args ...string) []string {
	return append([]string{"-users", "i:" + strconv.Itoa(b.plan.accounts()), "-domain", domain, "-pass", password}, args...)
}

// load runs a generator and returns what it prints.
func (b *bench) load(ctx context.Context, program string, args []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.path(program), args...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("not done in %v (-timeout)", b.timeout)
		}
		return nil, fmt.Errorf("%s %s: %w\n%s%s", program, strings.Join(args, " "), err, &problems, &out)
	}
	return out.Bytes(), nil
}

// generator is the program that measures m, and the flags with which it finds the server.
func (b *bench) generator(s *server, m measure, pid int) (program string, flags []string) {
	if !m.xmpp {
		return "msnpload", b.users(append([]string{"-ns", s.addr, "-pid", strconv.Itoa(pid)}, b.twn(s, m)...)...)
	}
	at, how := s.xmpp, "none"
	if m.tls {
		at, how = s.tls, "direct"
	}
	return "xmppload", []string{"-addr", at, "-tls", how, "-domain", domain, "-prefix", "i", "-password", password, "-pid", strconv.Itoa(pid)}
}

// measure starts the server, runs the generator against it and stops it.
func (b *bench) measure(ctx context.Context, s *server, m measure) (res map[string]any, err error) {
	var pids []int
	for _, one := range []*server{s.far, s} {
		if one == nil {
			continue
		}
		p, e := one.start(ctx)
		if e != nil {
			return nil, e
		}
		defer func() {
			if e := p.stop(); e != nil && err == nil {
				err = e
			}
		}()
		pids = append(pids, p.cmd.Process.Pid)
	}
	program, at := b.generator(s, m, pids[len(pids)-1])
	if m.across {
		program, at = "xmppload", s.across(pids)
	}
	for _, args := range m.before {
		if _, err := b.load(ctx, program, slices.Concat(at, args)); err != nil {
			return nil, err
		}
	}
	out, err := b.load(ctx, program, slices.Concat(at, []string{"-label", s.name}, m.args))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out, &res); err != nil {
		return nil, fmt.Errorf("what %s printed: %w: %q", program, err, out)
	}
	if _, ok := res[m.key].(float64); !ok {
		return nil, fmt.Errorf("no %s in %s", m.key, out)
	}
	for _, bad := range []string{"lost", "out_of_sequence", "dropped"} {
		if n, _ := res[bad].(float64); n > 0 {
			return nil, fmt.Errorf("%g %s in %s", n, strings.ReplaceAll(bad, "_", " "), out)
		}
	}
	return res, nil
}

// start runs the server and returns once it takes connections.
func (s *server) start(ctx context.Context) (*running, error) {
	if c, err := net.DialTimeout("tcp", s.addr, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("somebody listens on %s already; choose another -port", s.addr)
	}
	ready := make(chan struct{})
	p := &running{cmd: exec.Command(s.args[0], s.args[1:]...), log: &tail{word: s.ready, seen: ready}, exited: make(chan struct{})}
	p.cmd.Stderr = p.log
	// a bench that is killed takes its servers along
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	// ends with the process, which stop sees to
	go func() {
		p.cmd.Wait()
		close(p.exited)
	}()
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	if s.ready == "" {
		ready = nil // never: the connection is asked instead
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ready:
			return p, nil
		case <-p.exited:
			return nil, fmt.Errorf("%s ended before it was ready: %v\n%s", s.name, p.cmd.ProcessState, p.log)
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("%s is not ready: %w\n%s", s.name, ctx.Err(), p.log), p.stop())
		case <-tick.C:
			if s.ready != "" {
				continue
			}
			if c, err := net.Dial("tcp", s.addr); err == nil {
				c.Close()
				return p, nil
			}
		}
	}
}

// stop ends the process, by its own shutdown if that takes no longer than 30 seconds.
func (p *running) stop() error {
	p.cmd.Process.Signal(syscall.SIGTERM)
	t := time.NewTimer(30 * time.Second)
	defer t.Stop()
	select {
	case <-p.exited:
		return nil
	case <-t.C:
		p.cmd.Process.Kill()
		<-p.exited
		return fmt.Errorf("%s did not stop in 30 s after SIGTERM\n%s", filepath.Base(p.cmd.Path), p.log)
	}
}

// tail keeps the end of a log and closes seen at the first line that has word in it.
type tail struct {
	word string
	seen chan struct{}

	mu   sync.Mutex // guards what follows
	buf  []byte
	line []byte // the last line, while it is not complete
	done bool
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if len(t.buf) > 8<<10 {
		t.buf = t.buf[len(t.buf)-4<<10:]
	}
	if !t.done && t.word != "" {
		t.line = append(t.line, b...)
		if bytes.Contains(t.line, []byte(t.word)) {
			t.done, t.line = true, nil
			close(t.seen)
		} else if i := bytes.LastIndexByte(t.line, '\n'); i >= 0 {
			t.line = t.line[i+1:]
		}
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
