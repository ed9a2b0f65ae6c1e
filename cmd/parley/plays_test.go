package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	msnplays "parley/msnp/plays"
	"parley/transcript"
)

// TestPlaysTCP plays the transcripts that do not move the clock, each against a service of its own, over
// TCP.
func TestPlaysTCP(t *testing.T) {
	template := makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People)
	for _, folder := range []string{"msnp", "xmpp", "interop"} {
		scripts, err := transcript.Load(os.DirFS("../../testdata/plays"), folder+"/*.play")
		if err != nil {
			t.Fatal(err)
		}
		played := 0
		for _, s := range scripts {
			if s.MovesClock() || isFar(s) {
				continue
			}
			played++
			t.Run(strings.TrimSuffix(filepath.Base(s.Pos.File), ".play")+"/"+s.Title, func(t *testing.T) {
				t.Parallel()
				st := newStage(t, template)
				dial, o := msnplays.Dial(st), msnplays.Options(st, false)
				if folder != "msnp" {
					st.roles = []string{"any", "xmpp", "xmpps"}
					dial, o = bothDoors(st, false)
				}
				o.Patience = 20 * time.Second
				transcript.Play(t, s, dial, o)
				if err := st.Stop(); err != nil {
					t.Error(err)
				}
				st.tellsNothing(t, s)
			})
		}
		if played == 0 {
			t.Errorf("there is nothing to play in %s", folder)
		}
	}
}

// TestStage has every directive do what it says.
func TestStage(t *testing.T) {
	scripts, err := transcript.Parse("stage", `# The roles apart, and accounts that come and go. Spec: draft 4
@config roles=apart
@config msnp.find=true
@config limits.line=600
@account add eve@example.com secret Eve E
@profile eve@example.com first=Eve city=Oslo
@open d ds
d C: VER 1 MSNP2
d S: VER 1 MSNP2
d C: USR 2 MD5 I alice@example.com
d S: XFR 2 NS 127.0.0.1:1863
@closed d
@open eve in
eve C: FND 2 fname=Eve lname= city= state= country=
eve S: ${*}
@close eve
@account disable eve@example.com
@open b sb
b C: CAL 1 bob@example.com
b S: 302 1
b C: ${repeat 600 x}
b S: 200
@closed b
@open alice NLN
alice C: ADD 1 FL bob@example.com Bob
alice S: ADD 1 FL ${serial} bob@example.com Bob
@restart
alice S: OUT SSD
@closed alice
@open alice in
alice C: SYN 1 ${serial}
alice S: SYN 1 ${serial}
@shutdown
alice S: OUT SSD
@closed alice
@account remove dave@example.com
@account enable eve@example.com
@open eve in
eve C: ADD 5 FL dave@example.com Dave
eve S: 205 5
`)
	if err != nil {
		t.Fatal(err)
	}
	template := makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People)
	for _, s := range scripts {
		st := newStage(t, template)
		transcript.Play(t, s, msnplays.Dial(st), msnplays.Options(st, false))
		if err := st.Stop(); err != nil {
			t.Error(err)
		}
	}
}

// tellsNothing looks for what was said in messages, and for the password, in the log.
func (s *stage) tellsNothing(t *testing.T, script transcript.Script) {
	t.Helper()
	words := []string{msnplays.Password + "\n", msnplays.Password + " ", msnplays.Password + "\""}
	for _, st := range script.Steps {
		if st.Act != transcript.Say {
			continue
		}
		if _, rest, ok := strings.Cut(st.Head, "<body>"); ok {
			if body, _, _ := strings.Cut(rest, "<"); len(body) > 5 && !strings.Contains(body, "$") {
				words = append(words, body)
			}
			continue
		}
		if !strings.HasPrefix(st.Head, "MSG") {
			continue
		}
		for _, l := range st.More {
			if len(l) > 5 && !strings.ContainsAny(l, ":$") {
				words = append(words, l)
			}
		}
	}
	for _, w := range words {
		if strings.Contains(s.said.String(), w) {
			t.Errorf("the log has %q", w)
		}
	}
}

// stage is a plays.Service in a process of its own.
type stage struct {
	*daemon
	roles    []string // of the listeners
	ticketed bool     // clients log in with tickets
}

// advertised is what clients are told of every listener: plays know it.
const advertised = "?advertise=127.0.0.1:1863"

func newStage(t testing.TB, template string) *stage {
	data := filepath.Join(t.TempDir(), "data")
	if err := copyFolder(template, data); err != nil {
		t.Fatal(err)
	}
	s := &stage{daemon: newDaemon(t, data, msnplays.Domain), roles: []string{"any", "ds"}}
	s.set = []string{"shutdown.grace=200ms", "log.level=debug"}
	return s
}

func (s *stage) Configure(key, value string) error {
	if s.at != nil {
		return fmt.Errorf("it has run already")
	}
	if key == "roles" {
		if value == "apart" {
			value = "ds,ns,sb"
		}
		s.roles = strings.Split(value, ",")
		return nil
	}
	s.set = append(s.set, key+"="+value)
	s.ticketed = s.ticketed || key == "msnp.dialects" && ticketed(value)
	return nil
}

func (s *stage) run() error {
	if s.p != nil {
		return nil
	}
	if s.listen == nil {
		host := ownHost()
		roles := s.roles
		if s.ticketed {
			roles = append(roles[:len(roles):len(roles)], "passport")
		}
		for _, role := range roles {
			l := schemeOf[role] + "://" + host + ":0"
			if strings.HasPrefix(l, "msnp") {
				l += advertised
			}
			s.listen = append(s.listen, l)
		}
	}
	return s.start()
}

func (s *stage) Dial(role string) (net.Conn, error) {
	if err := s.run(); err != nil {
		return nil, err
	}
	if role == "" || role == "any" {
		role = "any"
		if !slices.Contains(s.roles, role) {
			role = "ns"
		}
	}
	at := s.at[schemeOf[role]]
	if at == "" {
		return nil, fmt.Errorf("there is no listener of role %q", role)
	}
	return net.DialTimeout("tcp", at, 10*time.Second)
}

func (s *stage) Account(verb, address string, more []string) error {
	switch verb {
	case "add":
		if len(more) == 0 {
			return fmt.Errorf("@account add wants a password")
		}
		return s.command(more[0]+"\n", "account", "add", address, "--password-stdin", "--name", strings.Join(more[1:], " "))
	case "remove", "disable", "enable":
		return s.command("", "account", verb, address)
	}
	return fmt.Errorf("there is no verb %q", verb)
}

func (s *stage) Profile(address string, fields []string) error {
	if !slices.ContainsFunc(fields, func(f string) bool { return strings.HasPrefix(f, "listed=") }) {
		fields = append(fields, "listed=yes")
	}
	return s.command("", append([]string{"account", "profile", address}, fields...)...)
}

// Ticket logs in by Passport: dialects 3.3.
func (s *stage) Ticket(address string) (string, error) {
	if err := s.run(); err != nil {
		return "", err
	}
	pool := x509.NewCertPool()
	b, err := os.ReadFile(filepath.Join(s.data, passportCertificate))
	if err != nil {
		return "", err
	}
	pool.AppendCertsFromPEM(b)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "login.passport.com"}}}
	r, err := http.NewRequest(http.MethodGet, "https://"+s.at["passport"]+"/login2.srf", nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,sign-in="+
		url.QueryEscape(address)+",pwd="+msnplays.Password+",lc=1033")
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	_, rest, _ := strings.Cut(answer.Header.Get("Authentication-Info"), "from-PP='")
	ticket, _, ok := strings.Cut(rest, "'")
	if !ok {
		return "", fmt.Errorf("no ticket for %s: %s", address, answer.Status)
	}
	return ticket, nil
}

// TLS trusts the certificate that the service has made for itself.
func (s *stage) TLS() *tls.Config {
	pool := x509.NewCertPool()
	if b, err := os.ReadFile(filepath.Join(s.data, "tls.crt")); err == nil {
		pool.AppendCertsFromPEM(b)
	}
	return &tls.Config{RootCAs: pool, ServerName: s.domain}
}

func (s *stage) Stop() error { return s.stop() }
