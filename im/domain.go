package im

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What a Domain's texts may be. SSP 6; ssp-syntax 0, 1.6.
const (
	DigestMD5   = "md5"
	DigestSHA   = "sha"
	DialectWV10 = "wv10"
	DialectOMA  = "oma13"
	TLSVerify   = "verify" // the certificate is checked as everywhere: who vouches for it, and its name
	TLSPin      = "pin:"   // before the SHA-256 of the one certificate, 64 hexadecimal digits
	TLSOff      = "off"    // HTTP without TLS is good enough
)

// MaxDomainConnections is the most connections to one domain.
const MaxDomainConnections = 64

const (
	maxURL      = 1000
	maxServices = 100 // in one list; the service tree has about forty
	maxService  = 64  // bytes of a name
)

// Domain is what the operator registered of another domain: where it is, how the two prove themselves to each other,
// what each may ask of the other. SSP 6; ssp-syntax 1.6.
type Domain struct {
	Name string // in normal form, as Address.Domain gives it
	// URL is where it takes requests, http or https; "": found by DNS, or by Route.
	URL string
	// Service is its Service-ID, "wv:@" and a domain; made of Name when it is "". SSP 3.
	Service string
	Digest  string // DigestMD5, DigestSHA; "" becomes the first
	Dialect string // DialectWV10, DialectOMA; "" becomes the first
	// TLS is TLSVerify, TLSPin with a hash behind it, or TLSOff; "" becomes the first, but the last for http on this machine.
	TLS string
	// Offers is what it may ask of us, Wants what we may of it: names of the service tree, as "IMFeature" and
	// "IMFeature/PushMsg". nil is all there is; an empty list is nothing. ssp-syntax 5.5.
	Offers, Wants []string
	// Route is the domain of a relay that leads there; "": it is reached itself. ssp-syntax 6.
	Route       string
	Keep        bool      // a session is kept up
	Connections int       // to it at once, at most MaxDomainConnections; 0 is the service's default
	Added       time.Time // when it was registered first
	// Secret is the password shared with it, sealed (credential.Vault). Proof, if it is there, is another one, by which
	// we prove ourselves while the peer does so by Secret. Both empty for one with a Route.
	Secret, Proof []byte
}

// Normal checks what was registered, brings texts to one form and fills in defaults. It touches neither Secret, Proof,
// Added nor Keep. The error says which part is wrong, and what may stand there.
func (d Domain) Normal() (Domain, error) {
	var err error
	if d.Name, err = ParseDomain(d.Name); err != nil {
		return d, err
	}
	if d.Route != "" {
		return d.routed()
	}
	for _, f := range []func() error{d.checkURL, d.checkService, d.checkWays, d.checkTLS, d.checkLists} {
		if err := f(); err != nil {
			return d, fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	return d, nil
}

// routed is Normal for a domain behind a relay, of which nothing else is known. ssp-syntax 6.
func (d Domain) routed() (Domain, error) {
	relay, err := ParseDomain(d.Route)
	switch {
	case err != nil:
		return d, err
	case relay == d.Name:
		return d, fmt.Errorf("%s: the route leads to the domain itself: name the relay's domain", d.Name)
	case d.URL != "" || d.TLS != "" || d.Digest != "" || d.Dialect != "" || d.Connections != 0 || len(d.Secret) > 0 || len(d.Proof) > 0:
		return d, fmt.Errorf("%s: with a route there is nothing else to say of the connection: URL, digest, dialect, TLS, connections and password are those of %s", d.Name, relay)
	}
	d.Route = relay
	if err := errors.Join(d.checkService(), d.checkLists()); err != nil {
		return d, fmt.Errorf("%s: %w", d.Name, err)
	}
	return d, nil
}

func (d *Domain) checkURL() error {
	if d.URL == "" {
		return nil
	}
	u, err := url.Parse(d.URL)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "" || len(d.URL) > maxURL || (u.Scheme != "http" && u.Scheme != "https"):
		return fmt.Errorf("%q is no URL of a domain: write it like https://im.%s:8421/", d.URL, d.Name)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%q: a URL of a domain has a host, a port and a path, and nothing else", d.URL)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	u.Host = strings.ToLower(u.Host)
	d.URL = u.String()
	return nil
}

// ServiceScheme is what a Service-ID has before its domain. SSP 3.3.
const ServiceScheme = "wv:@"

func (d *Domain) checkService() error {
	const scheme = ServiceScheme
	if d.Service == "" {
		d.Service = scheme + d.Name
		return nil
	}
	if len(d.Service) > len(scheme) && strings.EqualFold(d.Service[:len(scheme)], scheme) {
		name, err := ParseDomain(d.Service[len(scheme):])
		if err == nil {
			d.Service = scheme + name
			return nil
		}
	}
	return fmt.Errorf("the Service-ID %q is none: write it like %s%s", clipped(d.Service), scheme, d.Name)
}

func (d *Domain) checkWays() error {
	for _, w := range []struct {
		what  string
		v     *string
		among [2]string
	}{{"digest", &d.Digest, [2]string{DigestMD5, DigestSHA}}, {"dialect", &d.Dialect, [2]string{DialectWV10, DialectOMA}}} {
		if *w.v == "" {
			*w.v = w.among[0]
		}
		if !slices.Contains(w.among[:], *w.v) {
			return fmt.Errorf("the %s %q is not known: write %s or %s", w.what, clipped(*w.v), w.among[0], w.among[1])
		}
	}
	if d.Connections < 0 || d.Connections > MaxDomainConnections {
		return fmt.Errorf("%d connections: write 1 to %d, or 0 for what the service has for all", d.Connections, MaxDomainConnections)
	}
	return nil
}

// checkTLS comes after checkURL. ssp-syntax 1.6, 5.1.
func (d *Domain) checkTLS() error {
	plain := strings.HasPrefix(d.URL, "http://")
	if d.TLS == "" {
		d.TLS = TLSVerify
		if plain && d.nearby() {
			d.TLS = TLSOff
		}
	}
	switch hash, pin := strings.CutPrefix(d.TLS, TLSPin); {
	case pin:
		sum, err := hex.DecodeString(strings.ReplaceAll(hash, ":", ""))
		if err != nil || len(sum) != 32 {
			return fmt.Errorf("TLS %q: behind pin: stands the SHA-256 of the domain's certificate, 64 hexadecimal digits", clipped(d.TLS))
		}
		d.TLS = TLSPin + hex.EncodeToString(sum)
	case d.TLS != TLSVerify && d.TLS != TLSOff:
		return fmt.Errorf("TLS %q is not known: write verify, pin:HEX or off", clipped(d.TLS))
	}
	switch {
	case d.Dialect == DialectOMA && (plain || d.TLS == TLSOff):
		return errors.New("the dialect oma13 proves no password: it needs an https URL, or one found by DNS, and TLS verify or pin:HEX")
	case plain && d.TLS != TLSOff:
		return errors.New("the URL has no TLS: write https://, or TLS off if everybody on the way may read along")
	case strings.HasPrefix(d.URL, "https://") && d.TLS == TLSOff:
		return errors.New("the URL has TLS, which is off: write verify or pin:HEX, or an http URL")
	}
	return nil
}

// nearby says whether the URL leads to this machine.
func (d *Domain) nearby() bool {
	u, err := url.Parse(d.URL)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

func (d *Domain) checkLists() error {
	for _, l := range []*[]string{&d.Offers, &d.Wants} {
		if *l == nil {
			continue
		}
		list := slices.Clone(*l)
		slices.Sort(list)
		if *l = slices.Compact(list); len(*l) > maxServices {
			return fmt.Errorf("%d services: there are not so many", len(*l))
		}
		for _, s := range *l {
			if s == "" || len(s) > maxService || strings.ContainsFunc(s, func(r rune) bool {
				return r > unicode.MaxASCII || r != '/' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
			}) {
				return fmt.Errorf("%q is no service: write it like IMFeature or IMFeature/PushMsg", clipped(s))
			}
		}
	}
	return nil
}

// Pin is the SHA-256 of the only certificate that is believed; nil unless TLS says pin.
func (d Domain) Pin() []byte {
	hash, ok := strings.CutPrefix(d.TLS, TLSPin)
	sum, err := hex.DecodeString(hash)
	if !ok || err != nil {
		return nil
	}
	return sum
}

// clipped is the begin of a text, for an error.
func clipped(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}
