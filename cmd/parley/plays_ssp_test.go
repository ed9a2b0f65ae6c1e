package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	msnplays "parley/msnp/plays"
	sspplays "parley/ssp/plays"
	"parley/ssp/session"
	"parley/ssp/wire"
	"parley/transcript"
)

// wires are hosts that find each other by name, in memory.
type wires struct {
	mu     sync.Mutex
	hosts  map[string]*end
	dialed []string // the names that the service called
}

// end is where a host takes connections. It is a net.Listener.
type end struct {
	accept chan net.Conn
	done   chan struct{} // closed by Close
	once   sync.Once

	mu    sync.Mutex
	conns []net.Conn
}

func newEnd() *end { return &end{accept: make(chan net.Conn), done: make(chan struct{})} }

func (e *end) Accept() (net.Conn, error) {
	select {
	case c := <-e.accept:
		return c, nil
	case <-e.done:
		return nil, net.ErrClosed
	}
}

// Close ends the connections, too: as with a process that ends.
func (e *end) Close() error {
	e.once.Do(func() { close(e.done) })
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.conns {
		c.Close()
	}
	return nil
}

func (e *end) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (e *end) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case e.accept <- theirs:
		e.mu.Lock()
		e.conns = append(e.conns, theirs)
		e.mu.Unlock()
		return ours, nil
	case <-e.done:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *wires) listen(host string) *end {
	e := newEnd()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[host] = e
	return e
}

// dial is how the service reaches other domains.
func (w *wires) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	e := w.hosts[host]
	w.dialed = append(w.dialed, host)
	w.mu.Unlock()
	if e == nil {
		return nil, fmt.Errorf("%s: no such host", host)
	}
	return e.dial(ctx)
}

// LookupSRV finds nobody who did not listen: DNS knows _imps-server._tcp of each host there is. ssp-syntax 1.6.
func (w *wires) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hosts[name] == nil {
		return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return name, []*net.SRV{{Target: name + ".", Port: 80}}, nil
}

// outside is the way of a service to other domains.
func (w *wires) outside() session.Config { return session.Config{Dial: w.dial, Resolver: w} }

// front has a service that plays reach over pipes take HTTP from other domains.
func front(h http.Handler) (*end, func()) {
	e := newEnd()
	srv := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	var work sync.WaitGroup
	work.Go(func() { srv.Serve(e) }) // ends with srv
	return e, func() {
		srv.Close()
		e.Close()
		work.Wait()
		time.Sleep(time.Second) // net/http waits as long before it closes a connection of which not all was read; in a bubble
	}
}

// Listen implements plays.Service.
func (p *pipes) Listen(host string) (net.Listener, string, error) {
	return p.wires.listen(host), "http://" + host + "/", nil
}

// Dialed implements plays.Service.
func (p *pipes) Dialed() []string {
	p.wires.mu.Lock()
	defer p.wires.mu.Unlock()
	return slices.Clone(p.wires.dialed)
}

// desked does what a command would.
func (p *pipes) desked(r request) (answer, error) {
	if err := p.run(); err != nil {
		return answer{}, err
	}
	return (&office{house: p.s.house, running: true, ssp: p.s.ssp}).do(p.ctx, r)
}

// Domain implements plays.Service.
func (p *pipes) Domain(verb, domain, secret string, fields map[string][]string) error {
	_, err := p.desked(domainAct(verb, domain, secret, fields))
	synctest.Wait()
	return err
}

func domainAct(verb, domain, secret string, fields map[string][]string) request {
	r := request{Act: "domain-" + verb, Domain: domain, Fields: fields}
	if (verb == "add" || verb == "password") && fields["route"] == nil {
		r.Password = secret
	}
	return r
}

// Ask implements plays.Service.
func (p *pipes) Ask(domain, as string, e *wire.Element) (*wire.Element, string, error) {
	a, err := p.desked(request{Act: "domain-request", Domain: domain, Address: as, Element: e})
	return a.Element, a.Refusal, err
}

// Test implements plays.Service.
func (p *pipes) Test(domain string) ([]sspplays.Step, string, error) {
	a, err := p.desked(request{Act: "domain-test", Domain: domain})
	return stepsOf(a), a.Refusal, err
}

func stepsOf(a answer) (l []sspplays.Step) {
	for _, s := range a.Steps {
		l = append(l, sspplays.Step{N: s.N, Failed: s.Failed})
	}
	return l
}

// everyDoor plays other domains, and clients of both protocols.
func everyDoor(x interface {
	everyService
	sspplays.Service
}, bubble bool) (transcript.Dial, transcript.Options) {
	doors := clientDoors(x, bubble)
	doors["ssp"] = sspplays.Door(x, bubble)
	return transcript.Doors("ssp", doors)
}

// sspScripts are the plays with other domains: those of the protocol, and those with clients at our end. Plays of
// sessions alone are played in ssp/session.
func sspScripts(t *testing.T) (l []transcript.Script) {
	t.Helper()
	for _, pattern := range []string{"ssp/*.play", "interop/*.play"} {
		scripts, err := transcript.Load(os.DirFS("../../testdata/plays"), pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range scripts {
			if isFar(s) && !strings.HasPrefix(filepath.Base(s.Pos.File), "session_") {
				l = append(l, s)
			}
		}
	}
	return l
}

// isFar reports that other domains play along.
func isFar(s transcript.Script) bool {
	return strings.HasPrefix(s.Pos.File, "ssp/") || strings.HasPrefix(filepath.Base(s.Pos.File), "ssp_")
}

// TestPlaysSSP plays the transcripts of the door to other domains in a bubble.
func TestPlaysSSP(t *testing.T) {
	template := makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People)
	for _, s := range sspScripts(t) {
		t.Run(strings.TrimSuffix(filepath.Base(s.Pos.File), ".play")+"/"+s.Title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t, template, "any", "xmpp", "xmpps", "ssp")
				dial, o := everyDoor(p, true)
				transcript.Play(t, s, dial, o)
			})
		})
	}
}

// TestPlaysSSPTCP plays those that do not move the clock against a process, over TCP; where processes are slow, some.
func TestPlaysSSPTCP(t *testing.T) {
	template := makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People)
	for i, s := range sspScripts(t) {
		if s.MovesClock() || !overTCP(s) || raceDetector && i%5 != 0 {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(s.Pos.File), ".play")+"/"+s.Title, func(t *testing.T) {
			t.Parallel()
			st := newStage(t, template)
			st.roles = []string{"any", "xmpp", "xmpps", "ssp"}
			dial, o := everyDoor(st, false)
			o.Patience = 20 * time.Second
			transcript.Play(t, s, dial, o)
			if err := st.Stop(); err != nil {
				t.Error(err)
			}
			st.tellsNothing(t, s)
		})
	}
}

// overTCP keeps what needs a host of a name, which nobody has who plays over TCP, out of it.
func overTCP(s transcript.Script) bool {
	return !slices.ContainsFunc(s.Steps, func(st transcript.Step) bool { return st.Act == transcript.Direct && st.Name == "dialed" })
}

// Listen implements plays.Service.
func (s *stage) Listen(string) (net.Listener, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	return l, "http://" + l.Addr().String() + "/", nil
}

// Dialed implements plays.Service: nobody sees whom a process calls.
func (s *stage) Dialed() []string { return nil }

// Domain implements plays.Service.
func (s *stage) Domain(verb, domain, secret string, fields map[string][]string) error {
	args := []string{"domain", verb, domain}
	if domainAct(verb, domain, secret, fields).Password != "" {
		args = append(args, "--password-stdin")
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		for _, v := range fields[key] {
			switch {
			case key == "keep" && v == "no":
				args = append(args, "--no-keep")
			case key == "keep" && verb == "set":
				args = append(args, "--keep")
			case key != "keep":
				args = append(args, "--"+key, v)
			}
		}
	}
	return s.command(secret+"\n", args...)
}

// desked does what a command would.
func (s *stage) desked(r request) (a answer, err error) {
	if err := s.run(); err != nil {
		return a, err
	}
	d, err := dialControl(context.Background(), s.data)
	switch {
	case err != nil:
		return a, err
	case d == nil:
		return a, errors.New("the service does not answer at its control socket")
	}
	defer d.Close()
	return d.do(context.Background(), r)
}

// Ask implements plays.Service.
func (s *stage) Ask(domain, as string, e *wire.Element) (*wire.Element, string, error) {
	a, err := s.desked(request{Act: "domain-request", Domain: domain, Address: as, Element: e})
	return a.Element, a.Refusal, err
}

// Test implements plays.Service.
func (s *stage) Test(domain string) ([]sspplays.Step, string, error) {
	a, err := s.desked(request{Act: "domain-test", Domain: domain})
	return stepsOf(a), a.Refusal, err
}
