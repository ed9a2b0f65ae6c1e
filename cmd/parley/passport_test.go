package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/msnp/passport"
	msnplays "parley/msnp/plays"
)

// TestMSNPOverHTTP: who reaches nothing but HTTP logs in all the same, and finds what else is asked for there: dialects
// 3.5, 9.6.
func TestMSNPOverHTTP(t *testing.T) {
	s := newStage(t, makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People))
	s.listen = []string{"msnp://127.0.0.1:0" + advertised, "msnp-http://127.0.0.1:0", "passport://127.0.0.1:0"}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	base := "http://" + s.at["msnp-http"]
	client := &http.Client{Timeout: 20 * time.Second}
	post := func(path, body string) (header, answer string) {
		t.Helper()
		r, err := client.Post(base+path, "application/x-msn-messenger", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", path, r.Status, err)
		}
		return r.Header.Get("X-MSN-Messenger"), string(b)
	}
	session, answer := post("/gateway/gateway.dll?Action=open&Server=NS&IP=messenger.hotmail.com", "VER 1 MSNP12 MSNP7 MSNP2\r\n")
	id, _, ok := strings.Cut(strings.TrimPrefix(session, "SessionID="), ";")
	if !ok || answer != "VER 1 MSNP12\r\n" {
		t.Fatalf("%q: %q", session, answer)
	}
	if _, answer = post("/gateway/gateway.dll?SessionID="+id, "USR 2 TWN I alice@example.com\r\n"); !strings.HasPrefix(answer, "USR 2 TWN S ") {
		t.Errorf("%q", answer)
	}
	if session, _ = post("/gateway/gateway.dll?SessionID="+id, "OUT\r\n"); !strings.Contains(session, id) {
		t.Errorf("%q", session)
	}
	r, err := client.Get(base + "/Config/MsgrConfig.asmx")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if b, err := io.ReadAll(r.Body); err != nil || !strings.Contains(string(b), "<MsgrConfig>") {
		t.Errorf("%s, %v", b, err)
	}
	if err := tunnels(t.Context(), s.at["msnp-http"]); err != nil {
		t.Error(err)
	}
	if err := namesLogin(t.Context(), s.at["passport"]); err != nil {
		t.Error(err)
	}
	if err := namesLogin(t.Context(), s.at["msnp-http"]); err == nil {
		t.Error("no TLS there")
	}
	if err := tunnels(t.Context(), s.at["passport"]); err == nil {
		t.Error("no session there")
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

// TestPassportCertificate: one of our own is kept as long as it names all hosts, and what cannot be used stays as it is:
// dialects 3.5.
func TestPassportCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, passportCertificate), filepath.Join(dir, passportCertificateKey)
	hosts := append([]string{"example.com"}, passport.Names...)
	read := func() string {
		b, err := os.ReadFile(cert)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	keep := func(hosts []string) string {
		if err := keepPassportCertificate(cert, key, hosts); err != nil {
			t.Fatal(err)
		}
		return read()
	}
	first := keep(hosts)
	if keep(hosts) != first {
		t.Error("made again, though nothing is wrong with it")
	}
	if keep(append(hosts, "other.example")) == first {
		t.Error("it does not name all hosts")
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can read the key: %v, %v", info, err)
	}
	if err := os.WriteFile(cert, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := keepPassportCertificate(cert, key, hosts); err == nil || read() != "nonsense" {
		t.Errorf("what somebody put there is gone: %v", err)
	}
}
