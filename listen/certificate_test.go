package listen

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func selfMade(t *testing.T, names ...string) (*Certificates, string) {
	t.Helper()
	dir := t.TempDir()
	c, err := NewCertificates("self", dir, names)
	if err != nil {
		t.Fatal(err)
	}
	return c, dir
}

// trust is what a client of c's servers shakes hands with.
func trust(c *Certificates, name string) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(c.Leaf())
	return &tls.Config{RootCAs: roots, ServerName: name}
}

func TestSelfMadeCertificate(t *testing.T) {
	names := []string{"example.com", "bücher.example", "conversation.example.com", "127.0.0.1"}
	c, dir := selfMade(t, names...)
	for _, name := range []string{"example.com", "xn--bcher-kva.example", "conversation.example.com", "127.0.0.1"} {
		if err := c.Leaf().VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if l := c.Lacks(); l != nil {
		t.Errorf("lacks %q", l)
	}
	if left := time.Until(c.Leaf().NotAfter); left < 9*365*24*time.Hour {
		t.Errorf("good for %s only", left)
	}
	for _, f := range []string{selfCert, selfKey} {
		if info, err := os.Stat(filepath.Join(dir, f)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", f, info.Mode(), err)
		}
	}
	again, err := NewCertificates("self", dir, names[:2])
	if err != nil || !again.Leaf().Equal(c.Leaf()) {
		t.Errorf("made anew though it names all: %v", err)
	}
	wider, err := NewCertificates("self", dir, append(names, "example.org"))
	if err != nil || wider.Leaf().Equal(c.Leaf()) || wider.Lacks() != nil {
		t.Errorf("with a domain more: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

func TestCertificateServes(t *testing.T) {
	c, _ := selfMade(t, "example.com")
	a, b := net.Pipe()
	cfg := trust(c, "example.com")
	cfg.NextProtos = []string{"xmpp-client"}
	client := tls.Client(b, cfg)
	failed := make(chan error, 1)
	go func() { failed <- tls.Server(a, c.Config("xmpp-client")).Handshake() }() // ends with the client's
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if s := client.ConnectionState(); s.NegotiatedProtocol != "xmpp-client" || s.Version != tls.VersionTLS13 {
		t.Errorf("%q, version %x", s.NegotiatedProtocol, s.Version)
	}
}

func TestNoCertificates(t *testing.T) {
	c, err := NewCertificates("off", t.TempDir(), []string{"example.com"})
	if c != nil || err != nil {
		t.Fatal(c, err)
	}
	if c.Config() != nil || c.Leaf() != nil || c.Reload() != nil || c.Lacks() != nil {
		t.Error("TLS that is off has something")
	}
	c.Watch(t.Context(), slog.Default()) // returns
}

func TestCertificateSaysWhatIsWrong(t *testing.T) {
	_, one := selfMade(t, "example.com")
	_, two := selfMade(t, "example.com")
	crt, key := filepath.Join(one, selfCert), filepath.Join(one, selfKey)
	junk := filepath.Join(one, "junk")
	if err := os.WriteFile(junk, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, say := range map[string]string{
		"":                                      "write self, off or files:CERT,KEY",
		"acme":                                  `tls: "acme" is not known`,
		"files:" + crt:                          "write self, off or files:CERT,KEY",
		"files:/none.pem," + key:                "tls: the file /none.pem does not exist",
		"files:" + junk + "," + key:             junk + " is no PEM file: a block BEGIN CERTIFICATE",
		"files:" + key + "," + crt:              key + " holds PRIVATE KEY: a block BEGIN CERTIFICATE",
		"files:" + crt + "," + crt:              crt + " holds CERTIFICATE: a block BEGIN PRIVATE KEY",
		"files:" + crt + "," + two + "/tls.key": "do not go together",
	} {
		if c, err := NewCertificates(mode, one, []string{"example.com"}); err == nil || !strings.Contains(err.Error(), say) || c != nil {
			t.Errorf("%s: %v\nwant %s", mode, err, say)
		}
	}
	c, err := NewCertificates("files:"+crt+", "+key, one, []string{"example.com", "example.org"})
	if err != nil || !slices.Equal(c.Lacks(), []string{"example.org"}) {
		t.Errorf("%v, lacks %q", err, c.Lacks())
	}
}

func TestChangedCertificateIsTaken(t *testing.T) {
	_, dir := selfMade(t, "example.com")
	next, other := selfMade(t, "example.com")
	crt, key := filepath.Join(dir, selfCert), filepath.Join(dir, selfKey)
	copyFile := func(from, to string) {
		t.Helper()
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		c, err := NewCertificates("files:"+crt+","+key, "", []string{"example.com"})
		if err != nil {
			t.Fatal(err)
		}
		first := c.Leaf()
		var said bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		go c.Watch(ctx, slog.New(slog.NewTextHandler(&said, nil))) // ended by cancel
		wait := func() {
			time.Sleep(10 * time.Second)
			synctest.Wait()
		}
		copyFile(filepath.Join(other, selfCert), crt) // without its key
		wait()
		if !c.Leaf().Equal(first) {
			t.Error("a certificate was taken without its key")
		}
		if n := strings.Count(said.String(), "the one before stays"); n != 1 {
			t.Errorf("said %d times: %s", n, said.String())
		}
		copyFile(filepath.Join(other, selfKey), key)
		wait()
		if !c.Leaf().Equal(next.Leaf()) {
			t.Errorf("the new certificate was not taken: %s", said.String())
		}
		cancel()
		synctest.Wait()
	})
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	c, err := NewCertificates("self", dir, []string{"example.com"})
	if err != nil || c.Leaf().Equal(next.Leaf()) {
		t.Errorf("with its key gone: %v", err)
	}
}

// TestForeignCertificateIsNotReplaced: one that an authority signed is somebody's work.
func TestForeignCertificateIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	foreign(t, dir)
	before, err := os.ReadFile(filepath.Join(dir, selfCert))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewCertificates("self", dir, []string{"signed.example"}); err != nil {
		t.Error(err)
	}
	_, err = NewCertificates("self", dir, []string{"signed.example", "example.org"})
	if err == nil || !strings.Contains(err.Error(), `was not made here and does not name example.org: set tls = "files:`) {
		t.Error(err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, selfCert)); err != nil || !bytes.Equal(before, after) {
		t.Errorf("it was written over: %v", err)
	}
}

// foreign writes a certificate for signed.example that another key has signed.
func foreign(t *testing.T, dir string) {
	t.Helper()
	authority, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	what := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"signed.example"}}
	der, err := x509.CreateCertificate(rand.Reader, what, &x509.Certificate{Subject: pkix.Name{CommonName: "an authority"}}, key.Public(), authority)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := replace(filepath.Join(dir, selfKey), &pem.Block{Type: "PRIVATE KEY", Bytes: secret}); err != nil {
		t.Fatal(err)
	}
	if err := replace(filepath.Join(dir, selfCert), &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		t.Fatal(err)
	}
}
