package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"parley/limit"
	"parley/listen"
	"parley/msnp/door"
	"parley/xmpp/c2s"
)

// doorway is a door as the service sees it.
type doorway interface {
	Handler(listen.URL, net.Addr) (func(context.Context, net.Conn), error)
	Wait()
	Close()
}

// openDoors makes the doors that the listeners need: each scheme leads to one.
func (s *service) openDoors(lounge *listen.Lounge) error {
	l := &s.cfg.Limits
	strangers := limit.NewStrangers(limit.Bounds{HalfOpen: l.HalfOpen, HalfOpenPerNetwork: l.HalfOpenPerNetwork,
		Connections: l.Connections, Failures: l.LoginFailures, FailuresPerNetwork: l.LoginFailuresPerNetwork,
		Window: l.LoginWindow.Std()}, s.metrics.LimitHit)
	var err error
	if s.passport, err = s.openPassport(strangers); err != nil {
		return err
	}
	c := door.Config{Config: s.cfg, Exchange: s.exchange, Vault: s.vault, Metrics: s.metrics, Log: s.log,
		Lounge: lounge, Strangers: strangers}
	if s.passport != nil && s.passport.tickets != nil {
		c.Tickets = s.passport.tickets
	}
	if s.msnp, err = door.New(c); err != nil {
		return err
	}
	s.doors = append(s.doors, s.msnp)
	withXMPP, withSSP := slices.ContainsFunc(s.cfg.Listen, isXMPP), slices.ContainsFunc(s.cfg.Listen, isSSP)
	if withXMPP || withSSP {
		if err := s.openCertificates(); err != nil {
			return err
		}
	}
	if withSSP {
		d, err := s.openSSP()
		if err != nil {
			return err
		}
		s.ssp, s.far = d, d
	}
	if withXMPP {
		s.doors = append(s.doors, c2s.New(c2s.Config{Config: s.cfg, Exchange: s.exchange, Vault: s.vault, Metrics: s.metrics, Log: s.log,
			Lounge: lounge, Strangers: strangers, TLS: s.certificates.Config("xmpp-client"), Leaf: s.certificates.Leaf}))
	}
	return nil
}

// openCertificates finds the certificates of all listeners with TLS.
func (s *service) openCertificates() (err error) {
	if s.certificates, err = listen.NewCertificates(s.cfg.TLS, s.cfg.Data, s.cfg.CertificateNames()); err != nil {
		return err
	}
	if lacks := s.certificates.Lacks(); len(lacks) > 0 {
		s.log.Warn("the certificate does not name all domains: clients will refuse it there", "domains", strings.Join(lacks, ","))
	}
	return nil
}

func isXMPP(url string) bool { return strings.HasPrefix(url, "xmpp") }

// doorOf is who serves a listener.
func (s *service) doorOf(u listen.URL) (doorway, error) {
	if !isXMPP(u.Scheme) {
		return s.msnp, nil
	}
	for _, d := range s.doors {
		if d != doorway(s.msnp) {
			return d, nil
		}
	}
	return nil, fmt.Errorf("nobody serves %s", u)
}
