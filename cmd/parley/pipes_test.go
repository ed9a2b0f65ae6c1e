package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/config"
	"parley/exchange"
	"parley/im"
	"parley/listen"
	"parley/metrics"
	msnplays "parley/msnp/plays"
	"parley/transcript"
	xmppplays "parley/xmpp/plays"
)

// pipes is a plays.Service of every door: the service as serve puts it together, in this process, reached over pipes.
type pipes struct {
	cfg   config.Config
	roles []string // of the listeners
	s     *service // nil while it does not run

	ctx      context.Context
	cancel   context.CancelFunc
	handlers map[string]func(context.Context, net.Conn)
	conns    sync.WaitGroup
	wires    *wires // to other domains
	front    *end   // where they post; nil without such a listener
	shut     func() // closes it
}

func newPipes(t testing.TB, template string, roles ...string) *pipes {
	p := &pipes{cfg: config.Default(), roles: roles, wires: &wires{hosts: map[string]*end{}}}
	p.cfg.Domain = msnplays.Domain
	p.cfg.Data = filepath.Join(t.TempDir(), "data")
	if err := copyFolder(template, p.cfg.Data); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// schemeOf is the scheme of each role's listener.
var schemeOf = map[string]string{"any": "msnp", "ds": "msnp-dispatch", "ns": "msnp-notification", "sb": "msnp-switchboard",
	"xmpp": "xmpp", "xmpps": "xmpps", "ssp": "ssp", "passport": "passport"}

// ticketed reports whether a list of dialects has one in which clients log in with tickets: dialects 0.1.
func ticketed(dialects string) bool {
	for d := 8; d <= 12; d++ {
		if strings.Contains(dialects, fmt.Sprintf("MSNP%d", d)) {
			return true
		}
	}
	return false
}

func (p *pipes) run() error {
	if p.s != nil {
		return nil
	}
	p.cfg.Listen = nil
	for _, r := range p.roles {
		p.cfg.Listen = append(p.cfg.Listen, schemeOf[r]+"://127.0.0.1")
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	s := &service{log: slog.New(slog.DiscardHandler), metrics: metrics.New(), reach: p.wires.outside()}
	var err error
	if s.house, err = openHouse(p.ctx, p.cfg, s.metrics, s.log); err != nil {
		return err
	}
	p.s = s
	if err := s.openDoors(nil); err != nil {
		return err
	}
	p.handlers = map[string]func(context.Context, net.Conn){}
	for i, r := range p.roles {
		u, err := listen.ParseURL(p.cfg.Listen[i])
		if err != nil {
			return err
		}
		if isSSP(u.Scheme) {
			h, _ := s.far.web(u, s.certificates)
			p.front, p.shut = front(h)
			s.far.Begin()
			continue
		}
		if u.Scheme == "passport" { // Ticket needs no listener
			continue
		}
		d, err := s.doorOf(u)
		if err != nil {
			return err
		}
		if p.handlers[r], err = d.Handler(u, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: u.Port}); err != nil {
			return err
		}
	}
	return nil
}

func (p *pipes) Configure(key, value string) error {
	if p.s != nil {
		return fmt.Errorf("it has run already")
	}
	if key == "roles" {
		if value == "apart" {
			value = "ds,ns,sb"
		}
		p.roles = strings.Split(value, ",")
		return nil
	}
	if key == "msnp.dialects" && ticketed(value) {
		p.roles = append(p.roles[:len(p.roles):len(p.roles)], "passport")
	}
	return p.cfg.Set(key, value)
}

// Ticket implements plays.Service.
func (p *pipes) Ticket(address string) (string, error) {
	if err := p.run(); err != nil {
		return "", err
	}
	who, err := im.ParseAddress(address)
	return p.s.passport.tickets.Issue(who, time.Minute), err
}

func (p *pipes) Dial(role string) (net.Conn, error) {
	if err := p.run(); err != nil {
		return nil, err
	}
	if role == "ssp" {
		return p.front.dial(p.ctx)
	}
	f := p.handlers[role]
	if role == "" {
		f = p.handlers["any"]
	}
	if f == nil && (role == "" || role == "any") {
		f = p.handlers["ns"]
	}
	if f == nil {
		return nil, fmt.Errorf("no listener of role %q", role)
	}
	client, server := net.Pipe()
	ctx := p.ctx
	p.conns.Go(func() { f(ctx, server) }) // ends with its connection, which Stop ends
	return client, nil
}

func (p *pipes) TLS() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(p.s.certificates.Leaf())
	return &tls.Config{RootCAs: pool, ServerName: p.cfg.Domain}
}

// office does what the command line would.
func (p *pipes) office(r request) error {
	if err := p.run(); err != nil {
		return err
	}
	_, err := (&office{house: p.s.house, running: true}).do(p.ctx, r)
	return err
}

func (p *pipes) Account(verb, address string, more []string) error {
	r := request{Act: verb, Address: address}
	if verb == "add" {
		r.Password, r.Name = more[0], strings.Join(more[1:], " ")
	}
	return p.office(r)
}

func (p *pipes) Profile(address string, fields []string) error {
	r := request{Act: "profile", Address: address, Profile: map[string]string{"listed": "yes"}}
	for _, f := range fields {
		k, v, _ := strings.Cut(f, "=")
		r.Profile[k] = v
	}
	return p.office(r)
}

func (p *pipes) Stop() error {
	if p.s == nil {
		return nil
	}
	p.s.exchange.EndAll(exchange.Shutdown)
	synctest.Wait()
	p.s.closeDoors()
	p.conns.Wait()
	if p.shut != nil {
		p.shut()
	}
	err := p.s.house.Close()
	p.cancel()
	p.s = nil
	return err
}

// TestPlays plays the transcripts of XMPP and those of both protocols in a bubble, where hours pass in no time. Those of
// MSNP alone are played in msnp/door.
func TestPlays(t *testing.T) {
	template := makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People)
	for _, folder := range []string{"xmpp", "interop"} {
		scripts, err := transcript.Load(os.DirFS("../../testdata/plays"), folder+"/*.play")
		if err != nil {
			t.Fatal(err)
		}
		if len(scripts) == 0 {
			t.Errorf("no plays in %s", folder)
		}
		for _, s := range scripts {
			if isFar(s) {
				continue // with other domains: TestPlaysSSP
			}
			t.Run(strings.TrimSuffix(filepath.Base(s.Pos.File), ".play")+"/"+s.Title, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					p := newPipes(t, template, "any", "xmpp", "xmpps")
					dial, o := bothDoors(p, true)
					transcript.Play(t, s, dial, o)
				})
			})
		}
	}
}

// everyService is what clients of both protocols are played against.
type everyService interface {
	msnplays.Service
	xmppplays.Service
}

// bothDoors plays clients of both protocols.
func bothDoors(s everyService, bubble bool) (transcript.Dial, transcript.Options) {
	return transcript.Doors("xmpp", clientDoors(s, bubble))
}

func clientDoors(s everyService, bubble bool) map[string]transcript.Door {
	return map[string]transcript.Door{
		"xmpp": xmppplays.Door(s, bubble),
		"msnp": {Dial: msnplays.Dial(s), Options: msnplays.Options(s, bubble)},
	}
}
