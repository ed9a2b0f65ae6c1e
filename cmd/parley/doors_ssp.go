package main

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/config"
	"parley/credential"
	"parley/exchange"
	"parley/im"
	"parley/listen"
	"parley/ssp"
	"parley/ssp/server"
	"parley/ssp/session"
	"parley/ssp/wire"
)

func isSSP(url string) bool { return strings.HasPrefix(url, "ssp") }

// sspDoorway is the door to other domains, with what is registered of them.
type sspDoorway struct {
	*server.Server
	register *register
	cancel   context.CancelFunc
	renewing sync.Mutex     // the register is read by one at a time, so that the last one knows the newest
	work     sync.WaitGroup // what follows the register
	unhook   func()
}

// openSSP opens the door to other domains.
func (s *service) openSSP() (*sspDoorway, error) {
	ctx, cancel := context.WithCancel(context.Background())
	d := &sspDoorway{cancel: cancel, register: &register{exchange: s.exchange, vault: s.vault, connections: s.cfg.SSP.Connections,
		log: s.log.With("part", "ssp")}}
	err := d.register.load(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	c := s.cfg.SSP
	rate := c.RequestsPerSecond
	if rate == 0 {
		rate = -1
	}
	elements, err := s.elements()
	if err != nil {
		cancel()
		return nil, err
	}
	d.Server, err = server.New(server.Config{Waits: true, Elements: elements, Exchange: s.exchange, Register: d.register, Users: c.Users, Queue: c.Queue, Dial: s.reach,
		Timers:  session.Timers{Alive: c.KeepAlive.Std(), RetryMost: c.BackOffMax.Std()},
		Limits:  session.Limits{Body: int(c.Body), Rate: rate, Recipients: c.Recipients, Queue: c.Queue},
		Metrics: s.metrics.Door(ssp.Door, []string{"up"}, server.Primitives()), Hit: s.metrics.LimitHit, Log: d.register.log})
	if err != nil {
		cancel()
		return nil, err
	}
	changed := make(chan struct{}, 1) // never closed; one who is told looks at all there is
	d.unhook, err = s.exchange.OnDomains(func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	if err != nil {
		d.Close()
		return nil, err
	}
	d.work.Go(func() { // ends with ctx
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			if err := d.Renew(ctx); err != nil {
				d.register.log.Error("the register of domains was not read again", "err", err)
			}
		}
	})
	return d, nil
}

// Renew implements sspDoor: the register is read again, and followed.
func (d *sspDoorway) Renew(ctx context.Context) error {
	d.renewing.Lock()
	defer d.renewing.Unlock()
	err := d.register.load(ctx)
	if err == nil {
		d.Update()
	}
	return err
}

// elements are who has a service from another domain, as it is configured.
func (s *service) elements() (l []server.Element, err error) {
	c := s.cfg.SSP
	says := slices.Clone(c.Elements)
	for service, by := range map[string]string{"contacts": c.Contacts, "presence": c.Presence, "messages": c.Messages, "groups": c.Groups} {
		if by != "" {
			says = append(says, s.cfg.Domain+" "+service+" "+by)
		}
	}
	for _, e := range says {
		of, service, by, err := config.ParseElement(e)
		if err != nil {
			return nil, fmt.Errorf("ssp.elements: %w", err)
		}
		v, _ := server.ParseService(service)
		if of, err = im.ParseDomain(of); err == nil {
			by, err = im.ParseDomain(by)
		}
		if err != nil {
			return nil, fmt.Errorf("ssp.elements: %w", err)
		}
		l = append(l, server.Element{Of: of, Service: v, By: by})
	}
	return l, nil
}

// farewell is how long peers have to hear that the service goes down.
const farewell = 3 * time.Second

// Close ends all sessions with other domains.
func (d *sspDoorway) Close() {
	if d.unhook != nil {
		d.unhook()
	}
	d.cancel()
	d.work.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	d.Server.Close(ctx)
}

// web is the HTTP server of a listener for other domains.
func (d *sspDoorway) web(u listen.URL, certificates *listen.Certificates) (h http.Handler, t *tls.Config) {
	if u.Scheme == "ssps" {
		t = certificates.Config("http/1.1")
	}
	return d.Server, t
}

// register is what the operator registered of other domains, as sessions with them need it.
type register struct {
	exchange    *exchange.Exchange
	vault       *credential.Vault
	connections int
	log         *slog.Logger

	mu     sync.Mutex // guards what follows
	peers  map[string]*session.Peer
	routes map[string]string // by domain, the one that leads there
}

// Names implements server.Register.
func (r *register) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.peers))
}

// Peer implements server.Register.
func (r *register) Peer(domain string) (*session.Peer, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.peers[domain]
	return p, ok
}

// Routes implements server.Register.
func (r *register) Routes() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.routes)
}

// load reads all that is registered. A domain whose password does not open is left out.
func (r *register) load(ctx context.Context) error {
	all, err := r.exchange.Domains(ctx)
	if err != nil {
		return err
	}
	peers, routes := map[string]*session.Peer{}, map[string]string{}
	for _, d := range all {
		if d.Route != "" {
			routes[d.Name] = d.Route // its relay's session leads there
			continue
		}
		p, err := r.peerOf(d)
		if err != nil {
			r.log.Error("domain not joined", "domain", d.Name, "err", err)
			continue
		}
		peers[d.Name] = p
	}
	r.mu.Lock()
	r.peers, r.routes = peers, routes
	r.mu.Unlock()
	return nil
}

// together is how many transactions that wait go in one document at most. ssp-syntax 1.7, 2.1.
const together = 64

// peerOf is what a session with a domain needs. SSP 6.1.1; ssp-syntax 1.6, 5.1.
func (r *register) peerOf(d im.Domain) (*session.Peer, error) {
	p := &session.Peer{Domain: d.Name, Service: strings.TrimPrefix(d.Service, im.ServiceScheme), URL: d.URL, Plain: d.TLS == im.TLSOff, Keep: d.Keep, Connections: d.Connections,
		Offers: services(d.Offers), Wants: services(d.Wants)}
	if p.Connections == 0 {
		p.Connections = r.connections
	}
	p.Together = together
	var err error
	if p.Dialect, err = wire.ParseDialect(d.Dialect); err != nil {
		return nil, err
	}
	sum := md5.New
	if d.Digest == im.DigestSHA {
		sum = sha1.New
	}
	if p.Digest, err = r.digest(d.Name, d.Secret, sum); err != nil {
		return nil, err
	}
	if len(d.Proof) > 0 {
		if p.Proof, err = r.digest(d.Name, d.Proof, sum); err != nil {
			return nil, err
		}
	}
	if pin := d.Pin(); pin != nil {
		p.TLS = pinned(pin)
	}
	return p, nil
}

func (r *register) digest(name string, sealed []byte, sum func() hash.Hash) (func([]byte) []byte, error) {
	shared, err := r.vault.OpenShared(name, sealed)
	if err != nil {
		return nil, err
	}
	return func(token []byte) []byte { return shared.Digest(sum, token) }, nil
}

// services are those that were named, or all.
func services(names []string) ssp.Services {
	if names == nil {
		return ssp.AllServices()
	}
	return ssp.Services(names)
}

// errPin is of a peer that shows another certificate than the one that was registered.
var errPin = errors.New("this is not the certificate that was registered for the domain: parley domain set --tls pin:HASH names another")

// pinned takes one certificate alone, whoever vouches for it.
func pinned(pin []byte) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // what is checked instead stands below
		VerifyConnection: func(s tls.ConnectionState) error {
			sum := sha256.Sum256(s.PeerCertificates[0].Raw)
			if subtle.ConstantTimeCompare(sum[:], pin) != 1 {
				return errPin
			}
			return nil
		}}
}
