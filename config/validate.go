package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"parley/listen"
)

// Validate says what is wrong with the values, all of it, each error naming its
// key. It opens no file and no port.
func (c *Config) Validate() error {
	var bad []error
	for _, f := range fields(c) {
		if err := f.validate(); err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", f.name, err))
		}
	}
	report := func(key, format string, args ...any) {
		bad = append(bad, fmt.Errorf(key+": "+format, args...))
	}
	if err := checkDomain(c.Domain); err != nil {
		report("domain", "%w", err)
	}
	for _, d := range c.Domains {
		if err := checkDomain(d); err != nil {
			report("domains", "%w", err)
		}
	}
	if _, err := c.ParseTLS(); err != nil {
		report("tls", "%w", err)
	}
	if strings.TrimSpace(c.Data) == "" {
		report("data", "name a folder, like %q", Default().Data)
	}
	if len(c.Listen) == 0 {
		report("listen", "name at least one listener, like %q", Default().Listen[0])
	}
	for _, l := range c.Listen {
		if _, err := listen.ParseURL(l); err != nil {
			report("listen", "%w", err)
		}
	}
	if c.Limits.PresenceQueue > c.Limits.Queue {
		report("limits.presence_queue", "%s is more than limits.queue, %s, of which it is a part", c.Limits.PresenceQueue, c.Limits.Queue)
	}
	if p := c.MSNP.PublicURL; p != "" {
		u, err := url.Parse(p)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			report("msnp.public_url", "%q is no web address: write it like http://example.com/", p)
		}
	}
	if slices.Contains(c.MSNP.Dialects, "") {
		report("msnp.dialects", "a dialect has no name")
	}
	c.MSNP.validatePassport(report)
	c.XMPP.validate(c.AllDomains(), report)
	if p := c.SSP.Public; p != "" {
		u, err := url.Parse(p)
		if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "http" && u.Scheme != "https") {
			report("ssp.public", "%q is no URL of a domain: write it like https://im.%s:8421/", p, c.Domain)
		}
	}
	c.SSP.validateElements(c.AllDomains(), report)
	return errors.Join(bad...)
}

func (m MSNP) validatePassport(report func(key, format string, args ...any)) {
	if t, err := m.ParsePassportTLS(); err != nil {
		report("msnp.passport_tls", "%w", err)
	} else if t == (TLS{}) {
		report("msnp.passport_tls", "these listeners do not go without: write self or files:CERT,KEY")
	}
	if _, err := m.Proxies(); err != nil {
		report("msnp.passport_proxies", "%w", err)
	}
	if h := m.PassportHost; h != "" && checkDomain(strings.Split(h, ":")[0]) != nil {
		report("msnp.passport_host", "%q is neither HOST nor HOST:PORT", h)
	}
}

// Proxies reads the key msnp.passport_proxies: addresses, and networks with the bits that count.
func (m MSNP) Proxies() (l []netip.Prefix, err error) {
	for _, text := range m.PassportProxies {
		p, err := netip.ParsePrefix(text)
		if a, other := netip.ParseAddr(text); other == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network: write it like 192.0.2.7 or 192.0.2.0/24", text)
		}
		l = append(l, p)
	}
	return l, nil
}

func (x XMPP) validate(domains []string, report func(key, format string, args ...any)) {
	if x.Plain != "" && x.Plain != "loopback" {
		report("xmpp.plain", `%q is not known: write "loopback", or "" for TLS always`, x.Plain)
	}
	for _, a := range x.Contact {
		if u, err := url.Parse(a); err != nil || u.Scheme == "" || u.Host == "" && u.Opaque == "" {
			report("xmpp.contact", "%q is no URI: write it like mailto:admin@example.com, xmpp:admin@example.com or https://example.com/help", a)
		}
	}
	if x.Conference == "" {
		return
	}
	if err := checkDomain(x.Conference); err != nil {
		report("xmpp.conference", "%w", err)
	}
	if slices.Contains(domains, x.Conference) {
		report("xmpp.conference", "%s is a domain of accounts: name one that conversations have for themselves, like conversation.%[1]s", x.Conference)
	}
}

// validate checks a value against the tags of its field.
func (f field) validate() error {
	if of := f.tag.Get("oneof"); of != "" {
		if v := f.value.String(); !slices.Contains(strings.Fields(of), v) {
			return fmt.Errorf("%q is not one of %s", v, f.accepts())
		}
		return nil
	}
	var n int64
	switch v := f.value.Interface().(type) {
	case int:
		n = int64(v)
	case Size:
		n = int64(v)
	case Duration:
		n = int64(v)
	case []string:
		n = int64(len(v))
	default:
		return nil
	}
	if s := f.tag.Get("least"); s != "" && n < f.bound(s) {
		return fmt.Errorf("%s is too little: %s", f.text(), f.accepts())
	}
	if s := f.tag.Get("most"); s != "" && n > f.bound(s) {
		return fmt.Errorf("%s is too much: %s", f.text(), f.accepts())
	}
	return nil
}

// bound reads a least or most tag in the type of the field. A tag that cannot
// be read is a mistake in this package, which its tests find.
func (f field) bound(s string) int64 {
	var n int64
	var err error
	switch f.kind() {
	case "duration":
		var d Duration
		d, err = ParseDuration(s)
		n = int64(d)
	case "size":
		var z Size
		z, err = ParseSize(s)
		n = int64(z)
	default:
		n, err = strconv.ParseInt(s, 10, 64)
	}
	if err != nil {
		panic("config: bad bound of " + f.name + ": " + err.Error())
	}
	return n
}

// checkDomain refuses what can be no domain; whether it is a good one is
// judged where addresses are.
func checkDomain(d string) error {
	if d == "" || len(d) > 253 || strings.ContainsAny(d, "@/:, \t\r\n") || strings.HasPrefix(d, ".") || strings.Contains(d, "..") {
		return fmt.Errorf(`%q is no domain: write a name like "example.com"`, d)
	}
	return nil
}

// TLS says where the certificate comes from. All fields empty: no TLS.
type TLS struct {
	Self      bool   // a certificate of our own making
	Cert, Key string // PEM files
}

// ParseTLS reads the key tls: self, off or files:CERT,KEY.
func (c *Config) ParseTLS() (TLS, error) { return parseTLS(c.TLS) }

// ParsePassportTLS reads the key msnp.passport_tls, as ParseTLS does.
func (m MSNP) ParsePassportTLS() (TLS, error) { return parseTLS(m.PassportTLS) }

func parseTLS(text string) (TLS, error) {
	switch text {
	case "self":
		return TLS{Self: true}, nil
	case "off":
		return TLS{}, nil
	}
	if files, ok := strings.CutPrefix(text, "files:"); ok {
		cert, key, _ := strings.Cut(files, ",")
		cert, key = strings.TrimSpace(cert), strings.TrimSpace(key)
		if cert != "" && key != "" {
			return TLS{Cert: cert, Key: key}, nil
		}
	}
	return TLS{}, fmt.Errorf("%q is not known: write self, off or files:CERT,KEY", text)
}
