package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"parley/config"
	"parley/listen"
)

// soon is how long before its end a certificate should have a successor.
const soon = 14 * 24 * time.Hour

// fileCertificate looks at the certificate that a service would show, while none runs.
func (c *checker) fileCertificate(cfg config.Config) {
	if !slices.ContainsFunc(cfg.Listen, isXMPP) {
		return
	}
	from, err := cfg.ParseTLS()
	switch {
	case err != nil:
	case from == config.TLS{}:
		if cfg.XMPP.Plain == "" {
			err = errors.New(`there is none, which XMPP needs: set tls = "self" or "files:CERT,KEY"`)
		} else {
			c.ok("certificate", "there is none: XMPP clients on this machine log in without TLS (xmpp.plain)")
			return
		}
	case from.Self:
		from.Cert, from.Key = filepath.Join(cfg.Data, selfCertificate), filepath.Join(cfg.Data, selfCertificateKey)
		fallthrough
	default:
		var pair tls.Certificate
		pair, err = tls.LoadX509KeyPair(from.Cert, from.Key)
		if from.Self && errors.Is(err, fs.ErrNotExist) {
			c.ok("certificate", "there is none yet: parley serve makes one")
			return
		}
		if err == nil {
			c.chain(pair.Certificate, cfg)
			return
		}
		err = fmt.Errorf("%w: see the key tls", err)
	}
	c.report("certificate", err, "")
}

func (c *checker) chain(der [][]byte, cfg config.Config) {
	var all []*x509.Certificate
	for _, b := range der {
		one, err := x509.ParseCertificate(b)
		if err != nil {
			c.report("certificate", err, "")
			return
		}
		all = append(all, one)
	}
	c.certificate(all, cfg, time.Now())
}

// certificate looks at what is shown to clients, the leaf first: whether it names all domains (RFC 6120 13.7.1.2.1),
// how long it is good, and who vouches for it.
func (c *checker) certificate(shown []*x509.Certificate, cfg config.Config, now time.Time) {
	leaf := shown[0]
	renew := "put a new one into the files of the key tls: it is read at once"
	if cfg.TLS == "self" {
		renew = "restart the service: it makes a new one"
	}
	var lacks []string
	for _, d := range cfg.CertificateNames() {
		name, err := idna.Lookup.ToASCII(d)
		if err != nil {
			name = d
		}
		if leaf.VerifyHostname(name) != nil {
			lacks = append(lacks, d)
		}
	}
	var err error
	switch left := leaf.NotAfter.Sub(now); {
	case left < 0:
		err = fmt.Errorf("it ran out on %s: %s", moment(leaf.NotAfter), renew)
	case now.Before(leaf.NotBefore):
		err = fmt.Errorf("it is not good before %s: is the clock of this machine right?", moment(leaf.NotBefore))
	case left < soon:
		err = fmt.Errorf("it runs out on %s: %s", moment(leaf.NotAfter), renew)
	}
	if len(lacks) > 0 {
		err = errors.Join(err, fmt.Errorf("it does not name %s, where clients will refuse it: %s", strings.Join(lacks, ", "), renew))
	}
	c.report("certificate", err, "it names all domains, and is good until %s; %s", moment(leaf.NotAfter), vouched(shown, now))
}

// vouched says who vouches for a certificate.
func vouched(shown []*x509.Certificate, now time.Time) string {
	between := x509.NewCertPool()
	for _, one := range shown[1:] {
		between.AddCert(one)
	}
	chains, err := shown[0].Verify(x509.VerifyOptions{Intermediates: between, CurrentTime: now})
	switch {
	case err == nil:
		top := chains[0][len(chains[0])-1]
		return fmt.Sprintf("%s vouches for it, whom this machine trusts", top.Subject)
	case shown[0].CheckSignatureFrom(shown[0]) == nil || shown[0].Issuer.String() == shown[0].Subject.String():
		return "nobody else vouches for it: clients ask their users whether to trust it"
	}
	return fmt.Sprintf("%s vouches for it, whom this machine does not trust", shown[len(shown)-1].Issuer)
}

// records prints the DNS records by which clients, and other domains, find listeners that others can reach:
// RFC 6120 3.2.1, XEP-0368 3; ssp-syntax 1.6.
func (c *checker) records(domains, listening []string) {
	for _, text := range listening {
		u, err := listen.ParseURL(text)
		service := map[string]string{"xmpp": "_xmpp-client", "xmpps": "_xmpps-client", "ssp": "_imps-server", "ssps": "_imps-server"}[u.Scheme]
		if err != nil || service == "" || loopbackHost(u.Host) {
			continue
		}
		for _, d := range domains {
			c.set("dns", "%s._tcp.%s. SRV 0 5 %d %s.", service, d, u.Port, d)
			c.set("dns", "%s. A and AAAA: the addresses of this machine; the SRV record may name another host that has them", d)
		}
	}
}

func (c *checker) set(what, format string, args ...any) {
	fmt.Fprintf(c.out, "set   %-14s %s\n", what, fmt.Sprintf(format, args...))
}
