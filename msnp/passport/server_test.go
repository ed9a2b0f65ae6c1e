package passport

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/credential"
	"parley/im"
	"parley/limit"
	"parley/metrics"
	"parley/xmltext"
)

// passwords is a Checker.
type passwords map[string]string

var errDown = errors.New("the store is down")

func (p passwords) Verify(_ context.Context, who im.Address, password credential.Secret) error {
	switch want, ok := p[who.String()]; {
	case want == "down":
		return errDown
	case !ok || want != password.Reveal():
		return ErrWrong
	}
	return nil
}

var known = passwords{"alice@example.com": "secret", "carol@example.com": "se<cret&", "dave@example.com": "down"}

// logged keeps what was logged.
type logged struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func strangers(failures int) *limit.Strangers {
	return limit.NewStrangers(limit.Bounds{Failures: failures, Window: time.Minute}, nil)
}

// pair is made once for all tests: an RSA key takes a while.
var pair = sync.OnceValues(func() (tls.Certificate, error) {
	cert, key, err := NewCertificate([]string{"login.example.com", "127.0.0.1"}, time.Now())
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
})

// house is a server that listens.
type house struct {
	addr    string
	plain   string // without TLS
	tickets *Tickets
	roots   *x509.CertPool
	log     *logged
}

// open starts a server on two loopback ports, which end with the test.
func open(t *testing.T, c Config) *house {
	t.Helper()
	cert, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{tickets: tickets(t, testKey), roots: x509.NewCertPool(), log: &logged{}}
	h.roots.AddCert(cert.Leaf)
	c.Tickets, c.Metrics = h.tickets, metrics.Discard().Door("msnp", nil, nil)
	c.Log = slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if c.Strangers == nil {
		c.Strangers = strangers(0)
	}
	if c.Checker == nil {
		c.Checker = known
	}
	srv := New(c).HTTP()
	serve := func(wrap func(net.Listener) net.Listener) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var end sync.WaitGroup
		end.Go(func() { srv.Serve(wrap(l)) }) // ends when the server is closed
		t.Cleanup(func() { srv.Close(); end.Wait() })
		return l.Addr().String()
	}
	config := OldTLS(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &cert, nil })
	h.addr = serve(func(l net.Listener) net.Listener { return tls.NewListener(l, config) })
	h.plain = serve(func(l net.Listener) net.Listener { return l })
	return h
}

// say sends a request byte by byte as it is written, each line ended for it, and gives the answer without its date.
func (h *house) say(t *testing.T, request string) string {
	t.Helper()
	c, err := tls.Dial("tcp", h.addr, &tls.Config{RootCAs: h.roots})
	if err != nil {
		t.Fatal(err)
	}
	return exchange(t, c, request)
}

func exchange(t *testing.T, c net.Conn, request string) string {
	t.Helper()
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	head, body, _ := strings.Cut(request, "\n\n")
	if _, err := fmt.Fprintf(c, "%s\r\n\r\n%s", strings.ReplaceAll(head, "\n", "\r\n"), body); err != nil {
		t.Fatal(err)
	}
	var answer strings.Builder
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if !strings.HasPrefix(line, "Date: ") {
			answer.WriteString(line)
		}
		if err == io.EOF {
			return strings.ReplaceAll(answer.String(), "\r\n", "\n")
		}
		if err != nil {
			t.Fatalf("%v after %q", err, answer.String())
		}
	}
}

func signIn(handle, password string) string {
	return "GET /login2.srf HTTP/1.0\nHost: login.example.com\nUser-Agent: MSMSGS\n" +
		"Authorization: Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,sign-in=" + handle + ",pwd=" + password + "," + params + "\n\n"
}

// ticketIn takes the ticket out of an answer.
func ticketIn(t *testing.T, answer, before, after string) (rest, ticket string) {
	t.Helper()
	head, tail, ok := strings.Cut(answer, before)
	ticket, tail, ok2 := strings.Cut(tail, after)
	if !ok || !ok2 {
		t.Fatalf("no ticket in %q", answer)
	}
	return head + before + "TICKET" + after + tail, ticket
}

const (
	refused = "HTTP/1.0 401 Unauthorized\nWWW-Authenticate: Passport1.4 da-status=failed\nCache-Control: no-cache\nContent-Type: text/html\n\n"
	nothing = "HTTP/1.0 200 OK\nCache-Control: no-cache\nContent-Type: text/html\n\n"
)

// sorted puts the headers of an answer in an order to be compared.
func sorted(answer string) string {
	head, body, _ := strings.Cut(answer, "\n\n")
	lines := strings.Split(head, "\n")
	var l []string
	for _, line := range lines[1:] {
		if !strings.HasPrefix(line, "Content-Length: 0") && !strings.HasPrefix(line, "Connection: ") {
			l = append(l, line)
		}
	}
	slices.Sort(l)
	return strings.Join(append([]string{lines[0]}, l...), "\n") + "\n\n" + body
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if sorted(got) != sorted(want) {
		t.Errorf("%s:\n%s\nwant:\n%s", what, sorted(got), sorted(want))
	}
}

// What the nexus says, with its header letter by letter: dialects 3.3, 13.5, 14.1.
func TestNexus(t *testing.T) {
	h := open(t, Config{})
	const want = "HTTP/1.0 200 OK\nPassportURLs: DARealm=Passport.Net,DALogin=nexus.passport.com/login2.srf,ConfigVersion=15\nCache-Control: no-cache\nContent-Type: text/html\n\n"
	expect(t, "HTTP/1.0", h.say(t, "GET /rdr/pprdr.asp HTTP/1.0\nHost: nexus.passport.com\n\n"), want)
	expect(t, "HTTP/1.1", h.say(t, "GET /rdr/pprdr.asp HTTP/1.1\nHost: nexus.passport.com\nConnection: close\n\n"),
		strings.Replace(want, "1.0", "1.1", 1))
	expect(t, "capitals", h.say(t, "GET /RDR/Pprdr.asp HTTP/1.0\nHost: nexus.passport.com\n\n"), want)
	expect(t, "no host to be told", h.say(t, "GET /rdr/pprdr.asp HTTP/1.0\n\n"), "HTTP/1.0 400 Bad Request\nCache-Control: no-cache\n\n")
	expect(t, "a host with fields in it", h.say(t, "GET /rdr/pprdr.asp HTTP/1.0\nHost: a,DALogin=b\n\n"), "HTTP/1.0 400 Bad Request\nCache-Control: no-cache\n\n")
	expect(t, "a host of our own", open(t, Config{Host: "login.example.com:8443"}).say(t, "GET /rdr/pprdr.asp HTTP/1.0\nHost: nexus.passport.com\n\n"),
		strings.Replace(want, "nexus.passport.com", "login.example.com:8443", 1))
}

// A login, and what comes of others: dialects 3.3, 13.5.
func TestLogin(t *testing.T) {
	h := open(t, Config{Life: time.Minute})
	answer, ticket := ticketIn(t, h.say(t, signIn("alice%40example.com", "secret")), "from-PP='", "'")
	expect(t, "the right password", answer, "HTTP/1.0 200 OK\nAuthentication-Info: Passport1.4 da-status=success,tname=MSPAuth,tname=MSPProf,tname=MSPSec,"+
		"from-PP='TICKET',ru=http://messenger.msn.com\nCache-Control: no-cache\nContent-Type: text/html\n\n")
	if err := h.tickets.Belongs(ticket, address(t, "alice@example.com")); err != nil {
		t.Error(err)
	}
	for what, request := range map[string]string{
		"wrong password":        signIn("alice%40example.com", "wrong"),
		"nobody":                signIn("nobody%40example.com", "secret"),
		"no address":            signIn("alice", "secret"),
		"a domain":              signIn("example.com", "secret"),
		"too long":              signIn(strings.Repeat("a", 200)+"%40example.com", "secret"),
		"a header in the name":  signIn("alice%40example.com%0D%0ASet-Cookie%3A%20a%3Db", "secret"),
		"a ticket in the name":  signIn("x',from-PP='t=1%40example.com", "secret"),
		"encoding":              signIn("alice%40example.com", "%zz"),
		"no password":           "GET /login2.srf HTTP/1.0\nAuthorization: Passport1.4 sign-in=alice%40example.com\n\n",
		"the word alone":        "GET /login2.srf HTTP/1.0\nAuthorization: Passport1.4\n\n",
		"an address in Unicode": signIn("al%C3%AFce%40example.com", "secret"),
	} {
		expect(t, what, h.say(t, request), refused)
	}
	// any path and host will do, any case of the name, and a form that came with POST
	for what, request := range map[string]string{
		"another path": strings.Replace(signIn("alice%40example.com", "secret"), "/login2.srf", "/ppsecure/md5auth.srf?lc=1033", 1),
		"capitals":     signIn("ALICE%40Example.COM", "secret"),
		"POST":         strings.Replace(signIn("alice%40example.com", "secret"), "GET", "POST", 1),
	} {
		if _, ticket := ticketIn(t, h.say(t, request), "from-PP='", "'"); h.tickets.Belongs(ticket, address(t, "alice@example.com")) != nil {
			t.Errorf("%s: %q is not alice's", what, ticket)
		}
	}
	expect(t, "our own trouble", h.say(t, signIn("dave%40example.com", "secret")), "HTTP/1.0 503 Service Unavailable\nCache-Control: no-cache\n\n")
	for _, word := range []string{"secret", "wrong", ticket} {
		if strings.Contains(h.log.String(), word) {
			t.Errorf("the log has %q", word)
		}
	}
}

// Whoever only looks whether the host is there is not turned away: dialects 3.3.
func TestKeyPortTest(t *testing.T) {
	h := open(t, Config{})
	for _, request := range []string{"GET / HTTP/1.0\n\n", "POST /login2.srf HTTP/1.0\nContent-Length: 0\n\n", "GET /login2.srf HTTP/1.0\nAuthorization: Basic eA==\n\n"} {
		expect(t, request, h.say(t, request), nothing)
	}
	expect(t, "other methods", h.say(t, "PUT / HTTP/1.0\n\n"), "HTTP/1.0 405 Method Not Allowed\nAllow: GET, HEAD, POST\nCache-Control: no-cache\n\n")
}

// Guesses are limited as they are at every door, and the right password looks wrong then: dialects 10.
func TestFailuresAreLimited(t *testing.T) {
	all := strangers(3)
	h := open(t, Config{Strangers: all})
	for range 3 {
		expect(t, "a guess", h.say(t, signIn("alice%40example.com", "wrong")), refused)
	}
	expect(t, "the right one, too late", h.say(t, signIn("alice%40example.com", "secret")), refused)
	if got := h.say(t, soapPost(request)); !strings.Contains(got, "wsse:FailedAuthentication") {
		t.Errorf("by SOAP: %s", got)
	}
	if all.Failures.Allowed("alice@example.com", netip.MustParseAddr("127.0.0.1")) {
		t.Error("other doors do not know")
	}
	ticketIn(t, h.say(t, soapPost(strings.Replace(request, "alice", "carol", 1))), `Id="Compact1">`, "<") // the others are let in
}

func soapPost(body string) string {
	return fmt.Sprintf("POST /RST.srf HTTP/1.0\nHost: login.example.com\nContent-Type: text/xml\nContent-Length: %d\n\n%s", len(body), body)
}

// The login of MSN Messenger 7.5: dialects 3.4.
func TestRST(t *testing.T) {
	h := open(t, Config{})
	carol := strings.Replace(request, "alice", "carol", 1)
	got, ticket := ticketIn(t, h.say(t, soapPost(carol)), `<wsse:BinarySecurityToken Id="Compact1">`, "<")
	ticket = strings.ReplaceAll(ticket, "&amp;", "&")
	if err := h.tickets.Belongs(ticket, address(t, "carol@example.com")); err != nil {
		t.Errorf("%q: %v", ticket, err)
	}
	if !strings.HasPrefix(got, "HTTP/1.0 200 OK\n") || !strings.Contains(got, "Content-Type: text/xml") {
		t.Error(got)
	}
	got = h.say(t, soapPost(strings.Replace(request, "se&lt;cret&amp;", "wrong", 1)))
	_, body, _ := strings.Cut(got, "\n\n")
	doc, err := xmltext.Parse([]byte(body), xmltext.Limits{})
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	pp, fault := within(doc.Root(), "Header", "pp"), within(doc.Root(), "Fault")
	if got := string(within(pp, "authstate").Text()) + " " + string(within(pp, "reqstatus").Text()) + " " + string(within(fault, "faultcode").Text()); got != "0x80048800 0x80048823 wsse:FailedAuthentication" {
		t.Error(got)
	}
	if within(pp, "PUID").Ok() {
		t.Error("who failed has a number")
	}
	if got := h.say(t, soapPost("<Envelope/>")); !strings.Contains(got, "<faultstring>Invalid Request</faultstring>") {
		t.Error(got)
	}
	if got := h.say(t, soapPost(strings.Repeat(" ", maxBody+1))); !strings.HasPrefix(got, "HTTP/1.0 413 ") {
		t.Error(got)
	}
	if got := h.say(t, soapPost(strings.Replace(request, "alice", "dave", 1))); !strings.HasPrefix(got, "HTTP/1.0 503 ") {
		t.Error(got)
	}
	if strings.Contains(h.log.String(), "cret") {
		t.Error("the log has the password")
	}
}

// An msidcrl.dll that was patched to do without SOAP: dialects 3.4.
func TestNotRST(t *testing.T) {
	h := open(t, Config{})
	_, token := ticketIn(t, h.say(t, "POST /NotRST.srf HTTP/1.0\nX-User: alice@example.com\nX-Password: secret\n\n"), "X-Token: ", "\n")
	if err := h.tickets.Belongs(token, address(t, "alice@example.com")); err != nil || strings.ContainsAny(token, "=&") {
		t.Errorf("%q: %v", token, err)
	}
	const no = "HTTP/1.0 401 Unauthorized\nCache-Control: no-cache\n\n"
	expect(t, "wrong", h.say(t, "POST /NotRST.srf HTTP/1.0\nX-User: alice@example.com\nX-Password: wrong\n\n"), no)
	expect(t, "nobody", h.say(t, "POST /NotRST.srf HTTP/1.0\n\n"), no)
}

// Without TLS nobody gets a ticket, unless a proxy took it off: dialects 3.4, 3.5.
func TestPlain(t *testing.T) {
	say := func(h *house, request string) string {
		c, err := net.Dial("tcp", h.plain)
		if err != nil {
			t.Fatal(err)
		}
		return exchange(t, c, request)
	}
	h := open(t, Config{})
	expect(t, "login", say(h, signIn("alice%40example.com", "secret")), refused)
	expect(t, "patched", say(h, "POST /NotRST.srf HTTP/1.0\nX-User: alice@example.com\nX-Password: secret\n\n"), "HTTP/1.0 401 Unauthorized\nCache-Control: no-cache\n\n")
	if got := say(h, soapPost(strings.Replace(request, "alice", "carol", 1))); !strings.Contains(got, "Invalid Request") {
		t.Error(got)
	}
	if got := say(h, "GET /Config/MsgrConfig.asmx HTTP/1.0\n\n"); !strings.Contains(got, "<MsgrConfig>") {
		t.Error(got)
	}
	all := strangers(1)
	h = open(t, Config{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Strangers: all})
	ticketIn(t, say(h, signIn("alice%40example.com", "secret")), "from-PP='", "'")
	forwarded := strings.Replace(signIn("alice%40example.com", "wrong"), "Host:", "X-Forwarded-For: 10.1.1.1\nX-Forwarded-For: 10.2.2.2, 192.0.2.7\nHost:", 1)
	expect(t, "through a proxy", say(h, forwarded), refused)
	if !strings.Contains(h.log.String(), "remote=192.0.2.7") {
		t.Errorf("who came through the proxy is not known:\n%s", h.log)
	}
}

// Who forwards without being asked to is not believed.
func TestForwardedByAnybody(t *testing.T) {
	h := open(t, Config{})
	h.say(t, strings.Replace(signIn("alice%40example.com", "wrong"), "Host:", "X-Forwarded-For: 192.0.2.7\nHost:", 1))
	if strings.Contains(h.log.String(), "192.0.2.7") || !strings.Contains(h.log.String(), "remote=127.0.0.1") {
		t.Error(h.log)
	}
}

// Connections count with those of all doors that have not logged in, until they end.
func TestConnectionsAreLimited(t *testing.T) {
	all := limit.NewStrangers(limit.Bounds{HalfOpenPerNetwork: 1, Window: time.Minute}, nil)
	h := open(t, Config{Strangers: all})
	first, err := tls.Dial("tcp", h.addr, &tls.Config{RootCAs: h.roots})
	if err != nil {
		t.Fatal(err)
	}
	if all.Gate.Inside() != 1 {
		t.Errorf("%d inside", all.Gate.Inside())
	}
	if c, err := tls.Dial("tcp", h.addr, &tls.Config{RootCAs: h.roots}); err == nil {
		c.Close()
		t.Error("a second one is let in")
	}
	exchange(t, first, "GET / HTTP/1.0\n\n")
	for begun := time.Now(); all.Gate.Inside() > 0; runtime.Gosched() { // the server notices the end a moment later
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("%d are inside after the last has gone", all.Gate.Inside())
		}
	}
	expect(t, "the next one", h.say(t, "GET / HTTP/1.0\n\n"), nothing)
}

// The accounts of the service: who does not exist and who may not are like who mistypes.
func TestAccounts(t *testing.T) {
	vault := credential.NewVault([]byte(testKey))
	keys, err := vault.Set("alice@example.com", credential.NewSecret("secret"), false)
	if err != nil {
		t.Fatal(err)
	}
	a := Accounts{Vault: vault, Identify: func(_ context.Context, who im.Address) (im.Account, error) {
		switch who.Local() {
		case "alice":
			return im.Account{Keys: keys.Marshal()}, nil
		case "odd":
			return im.Account{Keys: []byte("odd")}, nil
		case "disabled":
			return im.Account{Keys: keys.Marshal()}, im.ErrDisabled
		case "down":
			return im.Account{}, errDown
		}
		return im.Account{}, im.ErrUnknownUser
	}}
	for _, c := range []struct {
		who, password string
		want          error
	}{
		{"alice@example.com", "secret", nil},
		{"alice@example.com", "wrong", ErrWrong},
		{"alice@example.com", "", ErrWrong},
		{"bob@example.com", "secret", ErrWrong},
		{"disabled@example.com", "secret", ErrWrong},
		{"down@example.com", "secret", errDown},
	} {
		if err := a.Verify(t.Context(), address(t, c.who), credential.NewSecret(c.password)); !errors.Is(err, c.want) {
			t.Errorf("%s, %q: %v", c.who, c.password, err)
		}
	}
	if err := a.Verify(t.Context(), im.Address{}, credential.NewSecret("secret")); err != ErrWrong {
		t.Errorf("nobody: %v", err)
	}
	if err := a.Verify(t.Context(), address(t, "odd@example.com"), credential.NewSecret("secret")); err == nil || errors.Is(err, ErrWrong) {
		t.Errorf("keys that cannot be read: %v", err)
	}
}

// dialects 3.5
func TestMessenger(t *testing.T) {
	h := open(t, Config{PublicURL: "http://chat.example.com/?a=b&c=d"})
	_, body, _ := strings.Cut(h.say(t, "GET /Config/MsgrConfig.asmx HTTP/1.0\n\n"), "\n\n")
	url := func(text []byte) string {
		doc, err := xmltext.Parse(text, xmltext.Limits{})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return string(within(doc.Root(), "LocalizedConfig", "MsnTodayConfig", "MsnTodayURL").Text())
	}
	if got := url([]byte(body)); got != "http://chat.example.com/?a=b&c=d" {
		t.Errorf("%q in %s", got, body)
	}
	_, body, _ = strings.Cut(h.say(t, "POST /Config/MsgrConfig.asmx HTTP/1.0\nContent-Length: 4\n\n<a/>"), "\n\n")
	doc, err := xmltext.Parse([]byte(body), xmltext.Limits{})
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	if got := url(within(doc.Root(), "Body", "GetClientConfigResponse", "GetClientConfigResult").Text()); got != "http://chat.example.com/?a=b&c=d" {
		t.Errorf("by SOAP: %q", got)
	}
	if strings.Contains(string(Messenger{}.document()), "Today") {
		t.Error("a page that there is not")
	}
}

var _ http.Handler = (*Server)(nil)
