package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	msnplays "parley/msnp/plays"
	"parley/xmltext"
	xmppplays "parley/xmpp/plays"
	"parley/xmpp/wire"
)

// TestLoginsLookAlike: nobody learns from a failed login whether there is such an account, or why it may not log in: the
// answers to all are the same, byte for byte but for what is random. RFC 6120 6.5.10, 13.11; RFC 5802 5.1.
func TestLoginsLookAlike(t *testing.T) {
	template := makeTemplate(t, msnplays.Domain, msnplays.Password, crowd())
	s := newXMPPTarget(t, template, "xmpp.login_tries=1000", "limits.login_failures=40", "limits.login_failures_per_network=100000")
	if err := s.command("", "account", "disable", "dave@example.com"); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"frank", "ghost"} { // they have failed too often
		l := newLoginLine(t, s, begun)
		for range 40 {
			if got := heard(plainFails(t, l, user, "PLAIN", "wrong")); got != "failure:not-authorized" {
				t.Fatal(got)
			}
		}
	}
	users := []struct{ name, password, why string }{
		{"erin", "wrong", "a wrong password"},
		{"nobody", "wrong", "no account"},
		{"no body", "wrong", "no name of an account"},
		{"dave", "wrong", "disabled"},
		{"dave", msnplays.Password, "disabled, with the right password"},
		{"frank", "wrong", "limited"},
		{"frank", msnplays.Password, "limited, with the right password"},
		{"ghost", "wrong", "limited, and no account"},
	}
	for _, c := range []struct {
		mechanism, state string
		attempt          func(t *testing.T, l *loginLine, user, mechanism, password string) string
	}{
		{"PLAIN", begun, plainFails},
		{"PLAIN", secured, plainFails},
		{"SCRAM-SHA-1", begun, scramFails},
		{"SCRAM-SHA-256", begun, scramFails},
		{"SCRAM-SHA-256", secured, scramFails},
		{"SCRAM-SHA-1-PLUS", secured, scramFails},
		{"SCRAM-SHA-256-PLUS", secured, scramFails},
	} {
		t.Run(strings.TrimSpace(c.mechanism+" "+c.state), func(t *testing.T) {
			want := ""
			for _, u := range users {
				l := newLoginLine(t, s, c.state)
				got := c.attempt(t, l, u.name, c.mechanism, u.password)
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("%s (%s) is answered %q, and %s %q", u.name, u.why, got, users[0].name, want)
				}
			}
		})
	}
	t.Run("salts", func(t *testing.T) { // a salt of nobody's that changed would tell as well
		for _, mechanism := range []string{"SCRAM-SHA-1", "SCRAM-SHA-256"} {
			salts := map[string]string{}
			for _, user := range []string{"erin", "nobody", "dave", "noone"} {
				for _, as := range []string{user, user, strings.ToUpper(user), user + "@example.com"} {
					l := newLoginLine(t, s, begun)
					f := l.challenge(t, mechanism, "n,,n="+as+",r=abc")
					if salts[user] == "" {
						salts[user] = f[1]
					}
					if f[1] != salts[user] {
						t.Errorf("%s: the salt of %s is %s, and was %s", mechanism, as, f[1], salts[user])
					}
				}
			}
			if salts["nobody"] == salts["noone"] {
				t.Errorf("%s: two who are not there have one salt", mechanism)
			}
		}
	})
	if n, err := s.metric(`parley_limit_hits_total{limit="login_failures"}`); err != nil || n == 0 {
		t.Errorf("%v logins were limited, %v", n, err)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// TestLoginsTakeAlike: nor from how long it takes. The shortest of many attempts counts, so that what else the machine does
// does not.
func TestLoginsTakeAlike(t *testing.T) {
	s := newXMPPTarget(t, makeTemplate(t, msnplays.Domain, msnplays.Password, crowd()), "xmpp.login_tries=1000",
		"limits.login_failures=100000", "limits.login_failures_per_network=100000")
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256"} {
		l := newLoginLine(t, s, begun)
		attempt := plainFails
		if mechanism != "PLAIN" {
			attempt = scramFails
		}
		least := map[string]time.Duration{}
		for range 60 {
			for _, user := range []string{"erin", "nobody"} {
				begin := time.Now()
				attempt(t, l, user, mechanism, "wrong")
				if took := time.Since(begin); least[user] == 0 || took < least[user] {
					least[user] = took
				}
			}
		}
		t.Logf("%s: %v with an account, %v without", mechanism, least["erin"], least["nobody"])
		if a, b := least["erin"], least["nobody"]; a > 2*b || b > 2*a {
			t.Errorf("%s takes %v with an account, and %v without", mechanism, a, b)
		}
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// loginLine is a connection on which logins fail, one after another.
type loginLine struct {
	net.Conn
	r *bufio.Reader
}

func newLoginLine(t *testing.T, s *stage, state string) *loginLine {
	t.Helper()
	c, err := newXMPPLine(s, state)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &loginLine{c, bufio.NewReader(c)}
}

// ask says something and hears the next thing, as it comes.
func (l *loginLine) ask(t *testing.T, say string) string {
	t.Helper()
	l.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(l, say); err != nil {
		t.Fatal(err)
	}
	thing, err := xmppplays.Codec.Read(l.r)
	if err != nil {
		t.Fatal(err)
	}
	return thing
}

// challenge begins SCRAM, and gives the attributes of the answer: RFC 5802 5.1.
func (l *loginLine) challenge(t *testing.T, mechanism, first string) []string {
	t.Helper()
	thing := l.ask(t, auth(mechanism, first))
	d, err := xmltext.Parse([]byte(thing), xmltext.Limits{})
	if err != nil || !d.Root().Is(wire.NSSASL, "challenge") {
		t.Fatalf("%q is no challenge: %v", thing, err)
	}
	b, err := base64.StdEncoding.DecodeString(string(d.Root().Text()))
	f := strings.Split(string(b), ",")
	if err != nil || len(f) != 3 {
		t.Fatalf("%q is no challenge: %v", b, err)
	}
	return f
}

// plainFails gives what a wrong password is answered with.
func plainFails(t *testing.T, l *loginLine, user, mechanism, password string) string {
	t.Helper()
	return l.ask(t, auth(mechanism, "\x00"+user+"\x00"+password))
}

// scramFails gives what a wrong proof is answered with, with the lengths of what is random in the challenge before it.
func scramFails(t *testing.T, l *loginLine, user, mechanism, _ string) string {
	t.Helper()
	gs2, size := "n,,", 20
	if strings.Contains(mechanism, "PLUS") {
		gs2 = "p=tls-exporter,,"
	}
	if strings.Contains(mechanism, "256") {
		size = 32
	}
	f := l.challenge(t, mechanism, gs2+"n="+user+",r=abc")
	bound := []byte(gs2)
	if strings.Contains(mechanism, "PLUS") {
		bound = append(bound, make([]byte, 32)...)
	}
	end := l.ask(t, response("c="+base64.StdEncoding.EncodeToString(bound)+","+f[0]+",p="+zeros(size)))
	return fmt.Sprintf("a nonce of %d, a salt of %d, %s, and then %s", len(f[0]), len(f[1]), f[2], end)
}
