package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parley/limit"
	"parley/listen"
	"parley/msnp/gateway"
	"parley/msnp/passport"
)

// passportDoor is where clients of MSNP that speak HTTP come: to log in, from MSNP8 on, and for all that they say where
// nothing else comes through. dialects 3.3-3.5, 9.6
type passportDoor struct {
	tickets      *passport.Tickets // nil: no listener to get them at
	server       *passport.Server
	certificates *listen.Certificates
	gateway      *gateway.Gateway // nil: no listener for it
	messenger    passport.Messenger
	cancel       context.CancelFunc
}

// The files of the certificate for clients of that time, in the data folder.
const (
	passportCertificate    = "passport.crt"
	passportCertificateKey = "passport.key"
)

func hasScheme(urls []string, scheme string) bool {
	return slices.ContainsFunc(urls, func(u string) bool { return strings.HasPrefix(u, scheme+":") })
}

// openPassport makes what the listeners need; nil when there are none.
func (s *service) openPassport(strangers *limit.Strangers) (*passportDoor, error) {
	login, tunnel := hasScheme(s.cfg.Listen, "passport"), hasScheme(s.cfg.Listen, "msnp-http")
	if !login && !tunnel {
		return nil, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &passportDoor{messenger: passport.Messenger{URL: s.cfg.PublicURL()}, cancel: cancel}
	log := s.log.With("door", "passport")
	if tunnel {
		d.gateway = gateway.New(ctx, gateway.Config{
			Serve: func(ctx context.Context, to gateway.Target, c net.Conn) {
				s.msnp.Tunnel(ctx, c, to.Kind == gateway.Switchboard, to.Host)
			},
			Strangers: strangers, Log: log, Sessions: s.cfg.MSNP.HTTPSessions, Idle: s.cfg.MSNP.HTTPIdle.Std(),
		})
	}
	if !login {
		return d, nil
	}
	proxies, err := s.cfg.MSNP.Proxies()
	if err == nil {
		d.tickets, err = passport.NewTickets(s.vault.DeriveKey("msnp passport"))
	}
	if err == nil {
		err = s.passportTLS(d)
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	d.server = passport.New(passport.Config{
		Tickets: d.tickets, Checker: passport.Accounts{Identify: s.exchange.Identify, Vault: s.vault}, Strangers: strangers,
		Metrics: s.metrics.Door("passport", nil, nil), Log: log,
		Host: s.cfg.MSNP.PassportHost, PublicURL: s.cfg.PublicURL(), Proxies: proxies,
		Life: s.cfg.MSNP.TicketLife.Std(), SOAPLife: s.cfg.MSNP.SOAPTicketLife.Std(),
	})
	return d, nil
}

// passportTLS finds the certificate for clients of that time, or makes one.
func (s *service) passportTLS(d *passportDoor) error {
	from, err := s.cfg.MSNP.ParsePassportTLS()
	if err != nil {
		return err
	}
	hosts := slices.Concat(s.cfg.AllDomains(), passport.Names)
	if h, _, _ := strings.Cut(s.cfg.MSNP.PassportHost, ":"); h != "" && !slices.Contains(hosts, h) {
		hosts = append(hosts, h)
	}
	if from.Self {
		from.Cert, from.Key = filepath.Join(s.cfg.Data, passportCertificate), filepath.Join(s.cfg.Data, passportCertificateKey)
		if err := keepPassportCertificate(from.Cert, from.Key, hosts); err != nil {
			return err
		}
	}
	if d.certificates, err = listen.ReadCertificates(from.Cert, from.Key, hosts); err != nil {
		return fmt.Errorf("msnp.passport_tls: %w", err)
	}
	if err := passport.Suits(d.certificates.Leaf()); err != nil {
		s.log.Warn("MSN Messenger on Windows XP will not log in", "key", "msnp.passport_tls", "err", err)
	}
	return nil
}

// keepPassportCertificate makes a certificate in two files unless one is there that has all names, and has not run out.
func keepPassportCertificate(cert, key string, hosts []string) error {
	pair, err := tls.LoadX509KeyPair(cert, key)
	switch {
	case err == nil:
		named := !slices.ContainsFunc(hosts, func(h string) bool { return pair.Leaf.VerifyHostname(h) != nil })
		if named && time.Now().Before(pair.Leaf.NotAfter) {
			return nil
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s and %s cannot be used: %w: remove both, and they are made again", cert, key, err)
	}
	c, k, err := passport.NewCertificate(hosts, time.Now())
	if err == nil {
		err = os.WriteFile(key, k, 0o600)
	}
	if err == nil {
		err = os.WriteFile(cert, c, 0o644)
	}
	if err != nil {
		return fmt.Errorf("make a certificate for passport listeners: %w", err)
	}
	return nil
}

// web is the HTTP server of a listener, and its TLS.
func (d *passportDoor) web(u listen.URL) (*http.Server, *tls.Config) {
	if u.Scheme == "passport" {
		return d.server.HTTP(), passport.OldTLS(d.certificates.Config().GetCertificate)
	}
	m := http.NewServeMux()
	m.Handle("/gateway/", d.gateway)
	m.HandleFunc("/config/", d.config)
	m.HandleFunc("/Config/", d.config) // as clients write it
	return d.gateway.HTTP(m), nil
}

// config answers who asks what there is besides the conversation.
func (d *passportDoor) config(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.URL.Path, "/config/msgrconfig.asmx") {
		http.NotFound(w, r)
		return
	}
	d.messenger.ServeHTTP(w, r)
}

// Close ends the sessions over HTTP.
func (d *passportDoor) Close() {
	d.cancel()
	if d.gateway != nil {
		d.gateway.Close()
	}
}
