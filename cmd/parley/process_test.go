package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a service in a process of its own.
type process struct {
	cmd    *exec.Cmd
	out    bytes.Buffer // to be read when it has ended
	log    processLog
	exited chan struct{} // closed when it has ended
	err    error         // of the process; read after exited
}

// startProcess starts a service and returns when its log says that it is ready. The error has
// what it said when it ended instead.
func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, exited: make(chan struct{})}
	p.log.ready = make(chan struct{})
	cmd.Stdout, cmd.Stderr = &p.out, &p.log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { // ends with the process, which stop or kill ends
		p.err = cmd.Wait()
		close(p.exited)
	}()
	patience := time.NewTimer(30 * time.Second)
	defer patience.Stop()
	select {
	case <-p.log.ready:
		return p, nil
	case <-p.exited:
		return nil, fmt.Errorf("it ended before it was ready: %w\n%s", p.err, &p.log)
	case <-patience.C:
		p.kill()
		return nil, fmt.Errorf("it is not ready after 30 s\n%s", &p.log)
	}
}

// stop ends the process in order.
func (p *process) stop() error {
	p.cmd.Process.Signal(syscall.SIGTERM)
	patience := time.NewTimer(30 * time.Second)
	defer patience.Stop()
	select {
	case <-p.exited:
		return p.err
	case <-patience.C:
		p.kill()
		return errors.New("it did not end in 30 s after SIGTERM")
	}
}

// kill ends the process at once.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.exited
}

// The lines of the log that tests wait for, as text and as JSON.
var (
	readyLine     = regexp.MustCompile(`msg=ready\n|"msg":"ready"`)
	listeningLine = regexp.MustCompile(`(?:msg=listening url=|"msg":"listening","url":")([a-z-]+)://([^\s"]+)`)
)

// addresses are those of the open listeners, the first of each scheme.
func (p *process) addresses() map[string]string {
	at := map[string]string{}
	for _, m := range listeningLine.FindAllStringSubmatch(p.log.String(), -1) {
		if at[m[1]] == "" {
			at[m[1]] = m[2]
		}
	}
	return at
}

// processLog keeps the log and closes ready at its line.
type processLog struct {
	ready chan struct{}

	mu   sync.Mutex // guards what follows
	text strings.Builder
	done bool
}

func (l *processLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(b)
	if !l.done && readyLine.MatchString(l.text.String()) {
		l.done = true
		close(l.ready)
	}
	return len(b), nil
}

func (l *processLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
