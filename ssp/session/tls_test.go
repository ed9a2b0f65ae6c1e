package session

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/ssp"
	"parley/ssp/wire"
)

// certificate is one of both domains, and whom it makes known.
var certificate = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{alpha, beta, "sip." + beta}, NotBefore: time.Unix(0, 0),
		NotAfter: time.Unix(1<<33, 0), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: c}, pool
})

// tlsDomains are two domains that reach each other over TLS alone.
func tlsDomains(t *testing.T, change func(own string, p *Peer)) (w *network, a, b *domain) {
	cert, pool := certificate()
	w = newNetwork()
	make := func(name, other string) *domain {
		d := newDomain(t, w, name, func(d *domain, c *Config) {
			p := d.peers[other]
			p.URL, p.Plain, p.TLS = "https://"+other+"/", false, &tls.Config{RootCAs: pool}
			if change != nil {
				change(name, p)
			}
		})
		h := w.listen(name + ":443")
		h.serveTLS(d.Node, cert)
		t.Cleanup(func() { h.Close() })
		return d
	}
	return w, make(alpha, beta), make(beta, alpha)
}

// TestTLS: certificates are checked. ssp-syntax 1.6.
func TestTLS(t *testing.T) {
	certificate() // outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		_, a, _ := tlsDomains(t, nil)
		if err := a.Login(t.Context(), beta, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Node.Link(beta).Request(t.Context(), message(alpha, beta, "hello")); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if _, err := a.Node.Link(beta).Request(t.Context(), message(alpha, beta, "a parked connection")); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		if _, err := a.Node.Link(beta).Request(t.Context(), message(alpha, beta, "one that was watched")); err != nil {
			t.Error(err)
		}
		a.stop()
		time.Sleep(time.Second)
	})
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tlsDomains(t, func(own string, p *Peer) {
			if own == alpha {
				p.TLS = &tls.Config{RootCAs: x509.NewCertPool()} // nobody is known
			}
		})
		err := a.Login(t.Context(), beta, nil)
		if unknown := (*tls.CertificateVerificationError)(nil); !errors.As(err, &unknown) && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err) // in a pipe both ends may write at once, and wait
		}
		if err := b.Login(t.Context(), alpha, nil); err == nil {
			t.Error("logged in over a connection that is not believed")
		}
		time.Sleep(time.Minute)
	})
}

// TestTokenAlone: the digest of oma13 proves that the call back arrived, and nothing else: it needs TLS and a checked
// certificate. ssp-syntax 0, 5.1, 5.2.
func TestTokenAlone(t *testing.T) {
	certificate()
	alone := func(_ string, p *Peer) {
		p.Dialect = wire.OMA13
		p.Digest = func(token []byte) []byte { return ssp.TokenDigest(ssp.MD5, token) }
		p.Proof = nil
	}
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tlsDomains(t, alone)
		if err := a.Login(t.Context(), beta, nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for _, l := range []*Link{a.Node.Link(beta), b.Node.Link(alpha)} {
			if _, err := l.Request(t.Context(), notice(l.n.c.Domain)); err != nil {
				t.Error(err)
			}
			if _, err := l.Request(t.Context(), message(l.n.c.Domain, l.Domain(), "hello")); err != nil {
				t.Error(err)
			}
		}
		for _, r := range b.requests() {
			if r.session != r.Link.theirs {
				t.Errorf("%s came in the session %s, which is not the sender's own", r.Primitive.Name, r.session)
			}
		}
		time.Sleep(time.Second)
	})
	for what, change := range map[string]func(*Peer){
		"http":      func(p *Peer) { p.URL, p.Plain = "http://"+p.Domain+"/", true },
		"unchecked": func(p *Peer) { p.TLS = &tls.Config{InsecureSkipVerify: true} },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, a, _ := tlsDomains(t, func(own string, p *Peer) { alone(own, p); change(p) })
				err := a.Login(t.Context(), beta, nil)
				if err == nil || !strings.Contains(err.Error(), "oma13") {
					t.Error(err)
				}
				if len(w.dialed()) > 0 {
					t.Error("it was called all the same")
				}
			})
		})
	}
}

// resolver is DNS, as tests need it.
type resolver []*net.SRV

func (r resolver) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if len(r) == 0 || service != "imps-server" || proto != "tcp" {
		return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return "", r, nil
}

// TestSRV: a domain that is registered without a URL is found by DNS, HTTPS first, and HTTP only where it may be.
// ssp-syntax 1.6.
func TestSRV(t *testing.T) {
	certificate()
	records := resolver{{Target: "down." + beta + ".", Port: 8420}, {Target: "sip." + beta + ".", Port: 443}}
	synctest.Test(t, func(t *testing.T) {
		w, _, b := tlsDomains(t, nil)
		cert, pool := certificate()
		h := w.listen("sip." + beta + ":443")
		h.serveTLS(b.Node, cert)
		a := newDomain(t, w, alpha, func(d *domain, c *Config) {
			d.peers[beta].URL, d.peers[beta].Plain, d.peers[beta].TLS = "", false, &tls.Config{RootCAs: pool}
			c.Resolver = records
		})
		at := w.listen(alpha + ":443")
		at.serveTLS(a.Node, cert)
		if err := a.Login(t.Context(), beta, nil); err != nil {
			t.Fatal(err)
		}
		if got := w.dialed(); got[0] != "down."+beta+":8420" || got[1] != "sip."+beta+":443" {
			t.Error(got)
		}
		a.stop()
		h.Close()
		at.Close()
		time.Sleep(time.Second)
	})
	synctest.Test(t, func(t *testing.T) {
		w := newNetwork()
		var r resolver
		a := newDomain(t, w, alpha, func(d *domain, c *Config) { d.peers[beta].URL, c.Resolver = "", &r })
		if err := a.Login(t.Context(), beta, nil); err == nil || !strings.Contains(err.Error(), "_imps-server._tcp."+beta) {
			t.Error(err)
		}
		r = resolver{{Target: "x." + beta + ".", Port: 80}}
		if err := a.Login(t.Context(), beta, nil); err == nil {
			t.Error("logged in")
		}
		if got := strings.Join(w.dialed(), " "); got != "x."+beta+":80 x."+beta+":80" { // with TLS, and without
			t.Error(got)
		}
	})
}

// TestURLs: what may be registered. ssp-syntax 1.6.
func TestURLs(t *testing.T) {
	for _, c := range []struct {
		url, addr string
		plain, ok bool
	}{
		{"https://h.example", "h.example:443", false, true},
		{"https://h.example:8420/ssp?x=1", "h.example:8420", false, true},
		{"http://h.example/", "h.example:80", true, true},
		{"http://h.example/", "", false, false},
		{"http://127.0.0.1:8420/", "127.0.0.1:8420", false, true},
		{"http://[::1]:8420/", "[::1]:8420", false, true},
		{"ftp://h.example/", "", true, false},
		{"https://user:x@h.example/", "", true, false},
		{"h.example", "", true, false},
	} {
		n := New(Config{Domain: alpha})
		l, err := n.targets(t.Context(), &Peer{Domain: beta, URL: c.url, Plain: c.plain})
		if (err == nil) != c.ok || c.ok && l[0].addr != c.addr {
			t.Errorf("%s: %v %v", c.url, l, err)
		}
	}
}

// TestLoopback: real sockets, and net/http at both ends. ssp-syntax 1.1.
func TestLoopback(t *testing.T) {
	a, b, stop := overLoopback(t, 1)
	defer stop()
	l := a.Node.Link(beta)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 25 {
				if e, err := l.Request(t.Context(), message(alpha, beta, "hello")); err != nil || e.Name != "SendMessageResponse" {
					t.Errorf("%v %v", e, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := len(b.requests()); n != 200 {
		t.Errorf("%d requests", n)
	}
}

// overLoopback is two domains on real sockets, with their sessions up.
func overLoopback(t testing.TB, together int) (a, b *domain, stop func()) {
	w := newNetwork()
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	plain := func(d *domain, c *Config) {
		c.Dial = dial
		c.Limits.Rate = -1
		for _, p := range d.peers {
			p.Together, p.Plain = together, false
		}
	}
	a, b = newDomain(t, w, alpha, plain), newDomain(t, w, beta, plain)
	sa, sb := httptest.NewServer(a.Node), httptest.NewServer(b.Node)
	a.peers[beta].URL, b.peers[alpha].URL = sb.URL, sa.URL
	if err := a.Login(t.Context(), beta, nil); err != nil {
		t.Fatal(err)
	}
	return a, b, func() {
		a.stop()
		b.stop()
		for _, s := range []*httptest.Server{sa, sb} {
			s.CloseClientConnections()
			s.Close()
		}
	}
}

// TestMethods: what is not posted, and what is said to it. ssp-syntax 1.2.
func TestMethods(t *testing.T) {
	n := New(Config{Domain: alpha, Lookup: func(string) (*Peer, bool) { return nil, false }})
	w := httptest.NewRecorder()
	n.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Error(w.Code, w.Header())
	}
	n.Close(t.Context())
	w = httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/any/path", strings.NewReader("<x/>"))
	r.Header.Set("Content-Type", "Application/VND.wv.ssp+xml;charset=utf-8")
	n.ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Error(w.Code)
	}
}
