package passport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"time"
)

// What Windows XP speaks is spoken: TLS 1.0 with a key that RSA carries, no name of the host, no ALPN. dialects 3.5.
func TestOldTLS(t *testing.T) {
	h := open(t, Config{})
	for _, c := range []struct {
		version, suite uint16
	}{
		{tls.VersionTLS10, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA},
		{tls.VersionTLS10, tls.TLS_RSA_WITH_RC4_128_SHA},
		{tls.VersionTLS10, tls.TLS_RSA_WITH_AES_128_CBC_SHA},
		{tls.VersionTLS11, tls.TLS_RSA_WITH_AES_256_CBC_SHA},
		{tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
	} {
		conn, err := tls.Dial("tcp", h.addr, &tls.Config{RootCAs: h.roots, MinVersion: c.version, MaxVersion: c.version, CipherSuites: []uint16{c.suite}})
		if err != nil {
			t.Errorf("%s, %s: %v", tls.VersionName(c.version), tls.CipherSuiteName(c.suite), err)
			continue
		}
		if s := conn.ConnectionState(); s.CipherSuite != c.suite || s.Version != c.version {
			t.Errorf("%s, %s instead of %s", tls.VersionName(s.Version), tls.CipherSuiteName(s.CipherSuite), tls.CipherSuiteName(c.suite))
		}
		expect(t, tls.CipherSuiteName(c.suite), exchange(t, conn, "GET / HTTP/1.0\n\n"), nothing)
	}
}

// HTTP/2 writes headers in small letters, which these clients do not find: dialects 3.3.
func TestNoHTTP2(t *testing.T) {
	h := open(t, Config{})
	conn, err := tls.Dial("tcp", h.addr, &tls.Config{RootCAs: h.roots, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if p := conn.ConnectionState().NegotiatedProtocol; p != "http/1.1" {
		t.Errorf("%q was agreed", p)
	}
}

func TestCertificate(t *testing.T) {
	cert, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	if err := Suits(cert.Leaf); err != nil {
		t.Error(err)
	}
	for _, host := range []string{"login.example.com", "127.0.0.1"} {
		if err := cert.Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if cert.Leaf.IsCA {
		t.Error("it could vouch for anybody")
	}
	if end := cert.Leaf.NotAfter; time.Until(end) < 7*365*24*time.Hour || time.Until(end) > certificateLife {
		t.Errorf("it is good until %v", end)
	}
	if _, _, err := NewCertificate(nil, time.Now()); err == nil {
		t.Error("a certificate for nobody")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	what := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, what, what, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := Suits(leaf); err == nil || !strings.Contains(err.Error(), "RSA") {
		t.Errorf("a key that Windows XP does not know: %v", err)
	}
	leaf = &x509.Certificate{PublicKey: cert.Leaf.PublicKey, SignatureAlgorithm: x509.SHA512WithRSA}
	if err := Suits(leaf); err == nil || !strings.Contains(err.Error(), "SHA512") {
		t.Errorf("a signature that Windows XP does not know: %v", err)
	}
}
