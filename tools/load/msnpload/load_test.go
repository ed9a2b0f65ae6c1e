package main

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fake listens and answers each line with reply(line); an empty answer hangs up.
func fake(t *testing.T, reply func(f []string) string) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for sc := bufio.NewScanner(c); sc.Scan(); {
					s := reply(strings.Fields(sc.Text()))
					if s == "" {
						return
					}
					c.Write([]byte(s + "\r\n"))
				}
			}()
		}
	}()
	return l.Addr().String()
}

func TestLoginFollowsReferral(t *testing.T) {
	var source string
	ns := fake(t, func(f []string) string {
		switch f[0] {
		case "VER":
			return "VER " + f[1] + " MSNP2"
		case "INF":
			return "INF " + f[1] + " MD5"
		case "USR":
			if f[3] == "I" {
				return "USR " + f[1] + " MD5 S 123.456"
			}
			if f[4] != fmt.Sprintf("%x", md5.Sum([]byte("123.456secret"))) {
				return "911 " + f[1]
			}
			return "MSG Hotmail Hotmail 7\r\nabc\r\nde" + "USR " + f[1] + " OK a@b c"
		case "SYN":
			return strings.ReplaceAll("SYN # 3\r\nGTC # 3 A\r\nBLP # 3 AL\r\nLST # FL 3 1 2 x@y x\r\nLST # FL 3 2 2 z@y z\r\n"+
				"LST # AL 3 0 0\r\nLST # BL 3 0 0\r\nNLN NLN x@y x\r\nLST # RL 3 1 1 x@y x", "#", f[1])
		}
		return "CHG " + f[1] + " NLN"
	})
	ds := fake(t, func(f []string) string {
		if f[0] == "USR" {
			return "XFR " + f[1] + " NS " + ns
		}
		return f[0] + " " + f[1] + " " + strings.Join(append(f[2:], "MSNP2")[:1], "")
	})
	d := &dialer{timeout: 5 * time.Second, base: netip.MustParseAddr("127.0.1.1"), count: 3}
	s, err := login(d, ds, terms{dialects: "MSNP2"}, account{"a@b", "secret"})
	if err != nil {
		t.Fatal(err)
	}
	if source, _, _ = net.SplitHostPort(s.LocalAddr().String()); !strings.HasPrefix(source, "127.0.1.") {
		t.Errorf("source address %s", source)
	}
	s.SetDeadline(time.Now().Add(5 * time.Second))
	n, err := s.syn()
	if err != nil || n != 3 {
		t.Errorf("syn: %d entries, %v", n, err)
	}
	if _, err := login(d, ds, terms{dialects: "MSNP2"}, account{"a@b", "wrong"}); err == nil || !strings.Contains(err.Error(), "911") {
		t.Errorf("wrong password: %v", err)
	}
}

func TestOwns(t *testing.T) {
	addr := fake(t, func([]string) string { return "" })
	if err := owns([]int{os.Getpid()}, addr); err != nil {
		t.Error(err)
	}
	if owns([]int{1 << 30}, addr) == nil || owns([]int{os.Getpid()}, "127.0.0.1:1") == nil {
		t.Error("a stranger's socket passed as ours")
	}
}

func TestSampleSelf(t *testing.T) {
	if u := sample([]int{os.Getpid()}); u.RSS == 0 || u.Threads == 0 || u.Procs < 1 {
		t.Errorf("%+v", u)
	}
}

func TestAccountsGoThroughTheirFile(t *testing.T) {
	want := []account{{"u0@example.com", "secret"}, {"u1@example.com", `a "b", c`}}
	var b bytes.Buffer
	if err := writeAccounts(&b, want); err != nil {
		t.Fatal(err)
	}
	if got, err := readAccounts(&b); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	got, err := readAccounts(strings.NewReader("# both forms\n\na@b secret\nc@d,other\n"))
	if err != nil || !slices.Equal(got, []account{{"a@b", "secret"}, {"c@d", "other"}}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := readAccounts(strings.NewReader("a@b\n")); err == nil {
		t.Error("a line without a password passed")
	}
}

// A login with a ticket from over HTTPS, TLS as Windows XP has it; then the lists, a state and a personal message.
func TestLoginWithTicket(t *testing.T) {
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := r.Header.Get("Authorization"); !strings.Contains(h, "sign-in=a@b,pwd=secret,") && !strings.Contains(h, "sign-in=a%40b,pwd=secret,") {
			t.Errorf("asked with %q", h)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Authentication-Info", "Passport1.4 da-status=success,from-PP='t=1&p=2',ru=http://messenger.msn.com")
	}))
	web.TLS = &tls.Config{MinVersion: tls.VersionTLS10, CipherSuites: []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}}
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.StartTLS()
	t.Cleanup(web.Close)
	ns := fake(t, func(f []string) string {
		switch f[0] {
		case "VER":
			return "VER " + f[1] + " MSNP12"
		case "CVR":
			return "CVR " + f[1] + " 1 1 1 x x"
		case "USR":
			if f[3] == "I" {
				return "USR " + f[1] + " TWN S lc=1033"
			}
			if f[4] != "t=1&p=2" {
				return "911 " + f[1]
			}
			return "USR " + f[1] + " OK a@b 1 0\r\nSBS 0 null\r\nMSG Hotmail Hotmail 7\r\nabc\r\nde"
		case "SYN":
			return "SYN " + f[1] + " then then 2 1\r\nGTC A\r\nBLP AL\r\nLSG Friends g\r\nLST N=x@y F=x C=1 11 1 g\r\nBPR PHH 1\r\nLST N=z@y F=z 16 1"
		case "CHG":
			if len(f) != 5 || !strings.Contains(f[4], "a%40b") {
				return "201 " + f[1]
			}
			return strings.Join(f, " ") + "\r\nUBX x@y 6\r\n<Data>"
		case "UUX":
			return "UUX " + f[1] + " 0"
		}
		return ""
	})
	c := &config{d: &dialer{timeout: 5 * time.Second}, timeout: 5 * time.Second, conc: 2, n: 3, passport: web.Listener.Addr().String(),
		users: []account{{"a@b", "secret"}}}
	var b bytes.Buffer
	if err := c.printTickets(&b); err != nil || b.String() != "a@b,t=1&p=2\n" {
		t.Fatalf("%q, %v", &b, err)
	}
	file := filepath.Join(t.TempDir(), "tickets")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.prepareTickets(file); err != nil {
		t.Fatal(err)
	}
	c.terms.dialects = "MSNP12"
	s, err := login(c.d, ns, c.terms, c.users[0])
	if err != nil {
		t.Fatal(err)
	}
	s.SetDeadline(time.Now().Add(5 * time.Second))
	if n, err := s.syn(); err != nil || n != 2 {
		t.Errorf("syn: %d entries, %v", n, err)
	}
	if err := s.online(); err != nil {
		t.Error(err)
	}
	if verb, args := s.addition("FL", "x@y"); verb != "ADC" || len(args) != 3 {
		t.Errorf("%s %v", verb, args)
	}
	c.terms.tickets = nil
	if _, err := login(c.d, ns, c.terms, c.users[0]); err == nil || !strings.Contains(err.Error(), "911") {
		t.Errorf("a made-up ticket: %v", err)
	}
	if r, err := runPassport(c); err != nil || r["failed"] != 0 {
		t.Errorf("%v, %v", r, err)
	}
}
