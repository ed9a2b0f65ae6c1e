package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parley/credential"
	"parley/msnp/clients"
)

// TestOldClients plays every version of MSN Messenger that is known against a service: dialects 12, 12.1.
func TestOldClients(t *testing.T) {
	d := newDaemon(t, filepath.Join(t.TempDir(), "data"), "example.com", "msnp://127.0.0.1:0", "passport://127.0.0.1:0", "msnp-http://127.0.0.1:0")
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	for _, v := range clients.All {
		t.Run(v.Version, func(t *testing.T) {
			out := checkVersion(t, d, v.Version)
			for _, m := range (&scene{}).moves() {
				if !strings.Contains(out, fmt.Sprintf("\nok    %-14s ", m.name)) {
					t.Errorf("nothing is said of %s", m.name)
				}
			}
			if want := fmt.Sprintf("let in, with MSNP%d\n", v.Dialects[0]); !strings.Contains(out, want) {
				t.Errorf("it is not %s", want)
			}
			wants := []string{"need  name           " + clients.MessengerHost, "need  patch ", "need  login "}
			if v.Login != clients.MD5 {
				wants = append(wants, "ok    certificate    RSA, SHA256-RSA: it names ", "need  certificate    The client takes", d.data+"/passport.crt")
			}
			if v.Registry != "" {
				wants = append(wants, v.Registry)
			}
			if v.Page {
				wants = append(wants, "ok    page ")
			}
			for _, want := range wants {
				if !strings.Contains(out, want) {
					t.Errorf("%q is not said", want)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
	if err := d.stop(); err != nil {
		t.Error(err)
	}
}

// checkVersion runs the command, which must find nothing wrong.
func checkVersion(t *testing.T, d *daemon, version string) string {
	t.Helper()
	cmd, err := parley("check", "--client", version, "--data", d.data)
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "FAIL") {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// TestOldClientInOlderDialects: a version goes on in an older dialect of those that it offers: dialects 2.2.
func TestOldClientInOlderDialects(t *testing.T) {
	d := newDaemon(t, filepath.Join(t.TempDir(), "data"), "example.com", "msnp-dispatch://127.0.0.1:0", "msnp-notification://127.0.0.1:0",
		"msnp-switchboard://127.0.0.1:0", "passport://127.0.0.1:0")
	d.set = []string{"msnp.dialects=MSNP10,MSNP5"}
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	for version, dialect := range map[string]string{"4.6": "MSNP5", "7.5": "MSNP10"} {
		if out := checkVersion(t, d, version); !strings.Contains(out, "let in, with "+dialect+"\n") {
			t.Errorf("%s\n%s", version, out)
		}
	}
	cmd, err := parley("check", "--client", "6.0", "--data", d.data)
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != exitFailed || !strings.Contains(string(out), "the service speaks none of MSNP9, MSNP8: see the key msnp.dialects") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := d.stop(); err != nil {
		t.Error(err)
	}
}

// TestOldClientNotices: a server that answers otherwise than clients expect is found out.
func TestOldClientNotices(t *testing.T) {
	who := player{"alice@example.com", credential.NewSecret("secret")}
	for _, x := range []struct{ version, answers, want string }{
		{"1.0", "VER 1 0", "the service speaks none of MSNP2"},
		{"1.0", "VER 1 CVR0", "the service speaks none of MSNP2"},
		{"4.6", "VER 1 MSNP12", "the service speaks none of MSNP7, MSNP6, MSNP5, MSNP4"},
		{"4.6", "VER 1 MSNP7|INF 2 CTP", "not MD5"},
		{"4.6", "VER 1 MSNP7|INF 2 MD5|XFR 3 NS 127.0.0.1:1", "which is not what MSNP7 has"},
		{"4.6", "VER 1 MSNP7|INF 2 MD5|600 3", "USR I is answered with msnp 600"},
		{"4.6", "VER 1 MSNP7|INF 2 MD5|USR 3 MD5 S 1.1|USR 4 OK alice@example.com Alice", "which is not what MSNP7 has"},
		{"3.0", "VER 1 MSNP5|INF 2 MD5|USR 3 MD5 S 1.1|USR 4 OK alice@example.com Alice 1", "which is not what MSNP5 has"},
		{"3.0", "VER 1 MSNP5|INF 2 MD5|USR 3 MD5 S 1.1|911 4", "911"},
		{"3.0", "VER 1 MSNP5", "the server closed the connection"},
		{"6.2", "VER 1 MSNP10|CVR 2 7.5.0324 7.5.0324 7.5.0324 http://a http://b", "the client would be told to upgrade"},
		{"6.2", "VER 1 MSNP10|CVR 2 6.2.0208 6.2.0208 6.2.0208 http://a http://b|USR 3 TWN S lc=1033", "--listen passport://:443"},
	} {
		found, build, err := clients.Find(x.version)
		if err != nil {
			t.Fatal(err)
		}
		o := &oldClient{Client: found, build: build, server: answering(t, strings.Split(x.answers, "|"))}
		p, err := o.login(t.Context(), who, who.password)
		if err == nil {
			p.Close()
			t.Errorf("%s is let in by %q", x.version, x.answers)
		} else if !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s, %q: %v, not %q", x.version, x.answers, err, x.want)
		}
	}
}

// answering is a server that answers the lines of one connection as told, and closes it.
func answering(t *testing.T, answers []string) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { // ends with its one connection, or when the listener is closed
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		r := bufio.NewReader(c)
		for _, a := range answers {
			if _, err := r.ReadString('\n'); err != nil {
				return
			}
			fmt.Fprintf(c, "%s\r\n", a)
		}
		r.ReadString('\n')
	}()
	return l.Addr().String()
}

// TestOldClientReadsLetterByLetter: what is another spelling to nobody else is one to clients: dialects 3.3.
func TestOldClientReadsLetterByLetter(t *testing.T) {
	found, build, err := clients.Find("6.2")
	if err != nil {
		t.Fatal(err)
	}
	who := player{"alice@example.com", credential.NewSecret("secret")}
	for header, want := range map[string]string{
		"Passporturls": "in just this spelling",
		"PassportURLs": "is answered with 200 OK and \"text/plain\": the client wants 200 and text/html",
	} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header()[header] = []string{"DARealm=Passport.Net,DALogin=login.example.com/login2.srf,ConfigVersion=15"}
			w.Header().Set("Content-Type", "text/plain")
		}))
		s.TLS = (&oldClient{}).xpTLS() // as old as the client
		s.TLS.VerifyConnection = nil
		s.StartTLS()
		o := &oldClient{Client: found, build: build, passport: s.Listener.Addr().String()}
		_, err := o.ticket(context.Background(), who, who.password, "lc=1033")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %q", header, err, want)
		}
		s.Close()
	}
}
