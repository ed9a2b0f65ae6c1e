package listen

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Scheme is a kind of listener: the word before "://" in its URL.
type Scheme struct {
	Name string
	// Port is used where the URL names none.
	Port int
	// Advertises says whether "?advertise=" has a meaning: clients are told
	// where to connect.
	Advertises bool
}

// Schemes are the kinds of listeners there are. "msnp" is dispatch,
// notification and switchboard on one port; "passport" is HTTPS for logins of clients
// of MSNP from MSNP8 on, "msnp-http" HTTP for those that reach nothing else; "xmpp" is XMPP that goes over to TLS
// inside, "xmpps" XMPP over TLS from the first byte (XEP-0368); "ssp" and "ssps" are
// HTTP and HTTPS for other domains (ssp-syntax 1.2, 1.6).
var Schemes = []Scheme{
	{"msnp", 1863, true},
	{"msnp-dispatch", 1863, true},
	{"msnp-notification", 1863, true},
	{"msnp-switchboard", 1863, true},
	{"passport", 443, false},
	{"msnp-http", 80, false},
	{"xmpp", 5222, false},
	{"xmpps", 5223, false},
	{"ssp", 8420, false},
	{"ssps", 8421, false},
	{"http", 9280, false},
}

// URL names a listener: msnp://127.0.0.1:1863?advertise=chat.example.com:1863.
type URL struct {
	Scheme string
	// Host is an IP address without brackets, a name, or empty for all
	// addresses of the machine.
	Host string
	// Port is 0 to 65535; 0 lets the system choose a free one.
	Port int
	// Advertise is the HOST:PORT that clients are told instead of the address
	// listened on, or empty.
	Advertise string
}

// Addr is the HOST:PORT to listen on, an IPv6 address in brackets.
func (u URL) Addr() string { return net.JoinHostPort(u.Host, strconv.Itoa(u.Port)) }

// String is the URL as [ParseURL] reads it, always with its port.
func (u URL) String() string {
	s := u.Scheme + "://" + u.Addr()
	if u.Advertise != "" {
		s += "?advertise=" + u.Advertise
	}
	return s
}

// ParseURL reads the URL of a listener: SCHEME://[HOST][:PORT][?advertise=HOST:PORT],
// with one of [Schemes] and its port as the default. An IPv6 address stands in
// brackets. Everything else that a URL could have is an error.
func ParseURL(s string) (URL, error) {
	u, err := parseURL(s)
	if err != nil {
		return URL{}, fmt.Errorf("listen: %s: %w", s, err)
	}
	return u, nil
}

func parseURL(s string) (URL, error) {
	name, rest, ok := strings.Cut(s, "://")
	if !ok {
		return URL{}, fmt.Errorf("no scheme: write it like msnp://%s", strings.TrimLeft(s, ":/"))
	}
	scheme, err := schemeOf(name)
	if err != nil {
		return URL{}, err
	}
	u := URL{Scheme: scheme.Name}
	rest, query, _ := strings.Cut(rest, "?")
	if rest = strings.TrimSuffix(rest, "/"); strings.ContainsAny(rest, "/#@") {
		return URL{}, fmt.Errorf("only a host and a port may follow the scheme")
	}
	host, port, err := splitHostPort(rest)
	if err != nil {
		return URL{}, err
	}
	if u.Host, err = parseHost(host); err != nil {
		return URL{}, err
	}
	u.Port = scheme.Port
	if port != "" {
		if u.Port, err = parsePort(port, 0); err != nil {
			return URL{}, err
		}
	}
	return u, u.parseQuery(query, scheme)
}

// schemeOf finds a scheme by its name, in lower case as everywhere here.
func schemeOf(name string) (Scheme, error) {
	var names []string
	for _, s := range Schemes {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Scheme{}, fmt.Errorf("unknown scheme %q: there is %s", name, strings.Join(names, ", "))
}

// parseQuery reads what follows the question mark: advertise alone.
func (u *URL) parseQuery(query string, scheme Scheme) error {
	if query == "" {
		return nil
	}
	for part := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(part, "=")
		switch {
		case key != "advertise":
			return fmt.Errorf("unknown option %q: there is advertise=HOST:PORT", key)
		case !scheme.Advertises:
			return fmt.Errorf("advertise means nothing to %s, whose clients are told no address", scheme.Name)
		case u.Advertise != "":
			return fmt.Errorf("advertise stands twice")
		}
		host, port, err := splitHostPort(value)
		if err == nil && (host == "" || port == "") {
			err = fmt.Errorf("both are needed")
		}
		if err == nil {
			host, err = parseHost(host)
		}
		var n int
		if err == nil {
			n, err = parsePort(port, 1)
		}
		if err != nil {
			return fmt.Errorf("advertise=%s: %w: write it like chat.example.com:1863", value, err)
		}
		u.Advertise = net.JoinHostPort(host, strconv.Itoa(n))
	}
	return nil
}

// splitHostPort splits at the colon; brackets around an IPv6 address stay
// with the host.
func splitHostPort(s string) (host, port string, err error) {
	if end := strings.LastIndexByte(s, ']'); strings.HasPrefix(s, "[") && end > 0 {
		host, s = s[:end+1], s[end+1:]
		if s == "" {
			return host, "", nil
		}
		if s[0] != ':' {
			return "", "", fmt.Errorf("%q after the address: only :PORT may stand there", s)
		}
		s = s[1:]
	} else {
		before, after, ok := strings.Cut(s, ":")
		if !ok {
			return s, "", nil
		}
		if strings.Contains(after, ":") {
			return "", "", fmt.Errorf("%q: an IPv6 address stands in brackets, like [::1]:1863", s)
		}
		host, s = before, after
	}
	if s == "" {
		return "", "", fmt.Errorf("no port after the colon")
	}
	return host, s, nil
}

// parseHost takes the brackets from an IPv6 address and refuses what is neither
// an address nor a name.
func parseHost(s string) (string, error) {
	if in, ok := strings.CutPrefix(s, "["); ok {
		in = strings.TrimSuffix(in, "]")
		a, err := netip.ParseAddr(in)
		if err != nil || !a.Is6() || strings.ContainsAny(a.Zone(), "[]/?#@&%: ") {
			return "", fmt.Errorf("%s is no IPv6 address", s)
		}
		return a.String(), nil
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
		case s == "*":
			return "", fmt.Errorf("for all addresses leave the host empty, like msnp://:1863")
		default:
			return "", fmt.Errorf("%q is neither an address nor a name of a host", s)
		}
	}
	return s, nil
}

func parsePort(s string, least int) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || int(n) < least {
		return 0, fmt.Errorf("port %q: it is a number from %d to 65535", s, least)
	}
	return int(n), nil
}
