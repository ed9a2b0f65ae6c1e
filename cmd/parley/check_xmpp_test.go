package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/credential"
)

// RFC 6120 5, 6, 7; RFC 6121 2, 3, 4, 5
func TestSelfPlayOverXMPP(t *testing.T) {
	at := runService(t, "xmpp://127.0.0.1:0", "xmpps://127.0.0.1:0", "msnp-switchboard://127.0.0.1:0")
	alice := player{"alice@parley.test", credential.NewSecret("alice-secret")}
	bob := player{"bob@parley.test", credential.NewSecret("bob-secret")}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i, direct := range []bool{false, true} {
		for range 2 { // what the first leaves does not disturb
			shown, err := playXMPP(ctx, at[i], "parley.test", direct, alice, bob)
			if err != nil || len(shown) != 1 || shown[0].VerifyHostname("parley.test") != nil {
				t.Errorf("listener %d: %v, certificates %v", i, err, shown)
			}
		}
	}
	for _, c := range []struct {
		addr, domain string
		direct       bool
		who          []player
		want         string
	}{
		{"127.0.0.1:1", "parley.test", false, nil, "the key listen"},
		{at[0], "elsewhere.example", false, nil, "the keys domain and domains"},
		{at[0], "parley.test", true, nil, "the key tls"},
		{at[0], "parley.test", false, []player{alice, {"bob@parley.test", credential.NewSecret("wrong")}}, "login of bob@parley.test"},
	} {
		if _, err := playXMPP(ctx, c.addr, c.domain, c.direct, c.who...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s as %s: %v, want %s", c.addr, c.domain, err, c.want)
		}
	}
}

// RFC 6120 13.7.1.2.1
func TestCertificateIsJudged(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	issue := func(name string, names []string, until time.Time, by *x509.Certificate) *x509.Certificate {
		t.Helper()
		tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: names,
			NotBefore: now.Add(-time.Hour), NotAfter: until, IsCA: by == nil, BasicConstraintsValid: true}
		if by == nil {
			by = tmpl
		}
		der, err := x509.CreateCertificate(rand.Reader, tmpl, by, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	all := []string{"parley.test", "conversation.parley.test"}
	later := now.Add(90 * 24 * time.Hour)
	house := issue("House CA", nil, later, nil)
	for _, c := range []struct {
		what  string
		shown []*x509.Certificate
		tls   string
		want  []string
	}{
		{"of its own", []*x509.Certificate{issue("parley.test", all, later, nil)}, "self", []string{"ok    certificate", "nobody else vouches for it"}},
		{"a house's", []*x509.Certificate{issue("parley.test", all, later, house), house}, "files:a,b",
			[]string{"ok    certificate", "CN=House CA vouches for it, whom this machine does not trust"}},
		{"a wildcard", []*x509.Certificate{issue("parley.test", []string{"parley.test", "*.parley.test"}, later, house)}, "files:a,b", []string{"ok    certificate"}},
		{"old", []*x509.Certificate{issue("parley.test", all, now.Add(-time.Minute), house)}, "files:a,b", []string{"FAIL  certificate", "it ran out on", "it is read at once"}},
		{"ageing", []*x509.Certificate{issue("parley.test", all, now.Add(soon-time.Hour), nil)}, "self", []string{"FAIL  certificate", "it runs out on", "restart the service"}},
		{"of another", []*x509.Certificate{issue("parley.test", all[:1], later, nil)}, "self", []string{"FAIL  certificate", "it does not name conversation.parley.test, where"}},
	} {
		var out bytes.Buffer
		cfg := config.Default()
		cfg.TLS = c.tls
		(&checker{out: &out}).certificate(c.shown, cfg, now)
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %s, want %s", c.what, out.String(), want)
			}
		}
	}
}
