package session

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"parley/ssp/wire"
)

// target is a host that takes HTTP for a peer.
type target struct {
	tls  bool
	addr string // host:port
	host string // as HTTP's Host says it
	path string
}

func (t target) String() string {
	if t.tls {
		return "https://" + t.host + t.path
	}
	return "http://" + t.host + t.path
}

// targets are where a peer is reached, in the order in which they are to be tried. The address that something came
// from is never one of them: only who is reached at the registered host, or at the one that DNS names, can answer
// with the token that was sent there. ssp-syntax 1.6.
func (n *Node) targets(ctx context.Context, p *Peer) ([]target, error) {
	if p.URL != "" {
		t, err := parseTarget(p.URL)
		if err == nil {
			err = p.permits(t)
		}
		if err != nil {
			return nil, fmt.Errorf("the URL registered of %s: %w", p.Domain, err)
		}
		return []target{t}, nil
	}
	_, records, err := n.c.Resolver.LookupSRV(ctx, "imps-server", "tcp", p.Domain)
	if err != nil {
		return nil, fmt.Errorf("look for the SRV records _imps-server._tcp.%s, or register a URL: %w", p.Domain, err)
	}
	var l []target
	refused := errors.New("there are none")
	for _, r := range records {
		name := strings.TrimSuffix(r.Target, ".")
		if name == "" {
			continue
		}
		addr := net.JoinHostPort(name, strconv.Itoa(int(r.Port)))
		for _, t := range []target{{true, addr, addr, "/"}, {false, addr, addr, "/"}} {
			if err := p.permits(t); err == nil {
				l = append(l, t)
			} else {
				refused = err
			}
		}
	}
	if len(l) == 0 {
		return nil, fmt.Errorf("the SRV records _imps-server._tcp.%s: %w", p.Domain, refused)
	}
	return l, nil
}

func parseTarget(s string) (target, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return target{}, err
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil:
		return target{}, errors.New("write https://host:port/path")
	}
	t := target{tls: u.Scheme == "https", host: u.Host, path: u.RequestURI()}
	port := cmp.Or(u.Port(), map[bool]string{true: "443", false: "80"}[t.tls])
	t.addr = net.JoinHostPort(u.Hostname(), port)
	return t, nil
}

// permits says why a peer must not be reached that way. ssp-syntax 1.6, 5.1.
func (p *Peer) permits(t target) error {
	switch {
	case p.Dialect == wire.OMA13 && (!t.tls || !p.checked()):
		return errors.New("oma13 proves no password, so it needs https and a certificate that is checked")
	case !t.tls && !p.Plain && !loopback(t.addr):
		return errors.New("http is not permitted for this domain; use https, or permit it")
	}
	return nil
}

// checked reports that the peer's certificate is.
func (p *Peer) checked() bool {
	return p.TLS == nil || !p.TLS.InsecureSkipVerify || p.TLS.VerifyConnection != nil || p.TLS.VerifyPeerCertificate != nil
}

func loopback(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// elsewhere is the same on another host: a name of a redirect list, with a port or without. SSP 6.1.1.
func (t target) elsewhere(host string) target {
	if _, port, err := net.SplitHostPort(host); err == nil && port != "" {
		t.addr = host
	} else {
		_, port, _ := net.SplitHostPort(t.addr)
		t.addr = net.JoinHostPort(strings.Trim(host, "[]"), port)
	}
	t.host = t.addr
	return t
}

// dial opens a connection to a target. The context bounds it.
func (n *Node) dial(ctx context.Context, p *Peer, t target) (net.Conn, error) {
	c, err := n.c.Dial(ctx, "tcp", t.addr)
	if err != nil || !t.tls {
		return c, err
	}
	config := &tls.Config{}
	if p.TLS != nil {
		config = p.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(t.addr)
	}
	secure := tls.Client(c, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return secure, nil
}
