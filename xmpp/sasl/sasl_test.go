package sasl

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/credential"

	"github.com/xdg-go/scram"
)

// house is accounts and the number of times that one was looked up.
type house struct {
	vault *credential.Vault
	keys  map[string]credential.Keys
	asked int
	err   error
}

var errNobody = errors.New("nobody")

func newHouse(t testing.TB, names ...string) *house {
	t.Helper()
	h := &house{vault: credential.NewVault([]byte("0123456789abcdef0123456789abcdef")), keys: map[string]credential.Keys{}}
	for _, n := range names {
		k, err := h.vault.Set(n, credential.NewSecret("pencil"), true)
		if err != nil {
			t.Fatal(err)
		}
		h.keys[n] = k
	}
	return h
}

func account(user string) string {
	user = strings.ToLower(user)
	if strings.Contains(user, " ") {
		return ""
	}
	if !strings.Contains(user, "@") {
		user += "@example.com"
	}
	return user
}

func (h *house) config(b Binding) Config {
	return Config{PLAIN: true, Binding: b, Account: account, Vault: h.vault, Lookup: func(_ context.Context, user string) (credential.Keys, error) {
		h.asked++
		if h.err != nil {
			return credential.Keys{}, h.err
		}
		k, ok := h.keys[account(user)]
		if !ok {
			return k, errNobody
		}
		return k, nil
	}}
}

func (h *house) server(b Binding) *Server { return NewServer(h.config(b), "example.com") }

var both = Binding{Exporter: []byte("exporter, of 32 bytes, in truth."), EndPoint: []byte("a hash")}

// wantFail fails the test when the server does not fail in this way.
func wantFail(t *testing.T, r Result, want Failure) {
	t.Helper()
	if r.Fail != want || r.Success || r.Challenge != nil || r.Additional != nil || r.User != "" || r.Cause == "" {
		t.Errorf("%+v; want %s alone", r, want)
	}
}

// login plays client and server to the end.
func login(t testing.TB, s *Server, c *Client, mechanism string) Result {
	t.Helper()
	initial, err := c.Initial()
	if err != nil {
		t.Fatal(err)
	}
	r := s.Start(t.Context(), mechanism, initial, true)
	for r.Fail == "" && !r.Success {
		answer, err := c.Respond(r.Challenge)
		if err != nil {
			t.Fatal(err)
		}
		r = s.Step(t.Context(), answer)
	}
	if r.Success {
		if err := c.Verify(r.Additional); err != nil {
			t.Errorf("the client does not believe the server: %v", err)
		}
	}
	return r
}

// RFC 6120 6.3.3, 6.3.4; RFC 5802 6.
func TestOffer(t *testing.T) {
	for _, c := range []struct {
		what   string
		config Config
		want   string
	}{
		{"plain connection", Config{}, "SCRAM-SHA-256 SCRAM-SHA-1"},
		{"plain connection, PLAIN allowed", Config{PLAIN: true}, "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN"},
		{"TLS", Config{PLAIN: true, Binding: both}, "SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 PLAIN"},
		{"end-point only", Config{Binding: Binding{EndPoint: []byte("x")}}, "SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1"},
		{"TLS is needed", Config{NeedTLS: true, PLAIN: true}, ""},
	} {
		if got := strings.Join(Offer(c.config), " "); got != c.want {
			t.Errorf("%s: %s; want %s", c.what, got, c.want)
		}
	}
}

func TestChoose(t *testing.T) {
	all := Offer(Config{PLAIN: true, Binding: both})
	for _, c := range []struct {
		offered []string
		b       Binding
		plain   bool
		want    string
	}{
		{all, both, true, SHA256Plus},
		{all, Binding{}, true, SHA256},
		{[]string{SHA1Plus, SHA1, SHA256}, both, false, SHA1Plus},
		{[]string{"X-NEW", PLAIN, SHA1}, Binding{}, true, SHA1},
		{[]string{PLAIN}, both, true, PLAIN},
		{[]string{PLAIN}, both, false, ""},
		{[]string{SHA256Plus}, Binding{}, true, ""},
		{nil, both, true, ""},
	} {
		got, err := Choose(c.offered, c.b, c.plain)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("of %q: %q, %v; want %q", c.offered, got, err, c.want)
		}
	}
	if !OffersPlus(all) || OffersPlus([]string{SHA256, "X-PLUS"}) {
		t.Error("OffersPlus")
	}
}

// A client of ours logs in with each mechanism and binding. RFC 5802 5, 6; RFC 7677 3; RFC 9266 2.
func TestClientAndServer(t *testing.T) {
	h := newHouse(t, "alice@example.com", "o=r,k@example.com")
	for _, b := range []Binding{{}, both, {Exporter: both.Exporter}, {EndPoint: both.EndPoint}} {
		for _, m := range Offer(h.config(b)) {
			for _, user := range []string{"alice", "Alice@example.com", "o=r,k"} {
				s := h.server(b)
				c := NewClient(user, credential.NewSecret("pencil"), m, b, true)
				r := login(t, s, c, m)
				if !r.Success || r.User != user || r.Fail != "" || r.Challenge != nil || (r.Additional == nil) != (m == PLAIN) {
					t.Errorf("%s, %q, %q: %+v", m, b.Types(), user, r)
				}
				wantFail(t, s.Step(t.Context(), nil), MalformedRequest)
			}
			s := h.server(b)
			r := login(t, s, NewClient("alice", credential.NewSecret("Pencil"), m, b, true), m)
			wantFail(t, r, NotAuthorized)
			if r.Tried != "alice" {
				t.Errorf("%s: tried %q", m, r.Tried)
			}
			wantFail(t, login(t, s, NewClient("nobody", credential.NewSecret("pencil"), m, b, true), m), NotAuthorized)
			if r := login(t, s, NewClient("alice", credential.NewSecret("pencil"), m, b, true), m); !r.Success {
				t.Errorf("%s: no other attempt: %+v", m, r)
			}
		}
	}
}

// keysOf makes stored keys with a salt of the example's, which Set would choose itself.
func keysOf(t *testing.T, salt1, salt256 string) credential.Keys {
	t.Helper()
	b := []byte{1}
	for _, h := range []struct {
		salt string
		new  func() hash.Hash
	}{{salt1, sha1.New}, {salt256, sha256.New}} {
		salt := unbase64(t, h.salt)
		salted, err := pbkdf2.Key(h.new, "pencil", salt, 4096, h.new().Size())
		if err != nil {
			t.Fatal(err)
		}
		mac := func(what string) []byte {
			m := hmac.New(h.new, salted)
			m.Write([]byte(what))
			return m.Sum(nil)
		}
		stored := h.new()
		stored.Write(mac("Client Key"))
		b = binary.AppendUvarint(b, 4096)
		b = append(append(b, salt...), make([]byte, 16-len(salt))...)
		b = append(append(b, stored.Sum(nil)...), mac("Server Key")...)
	}
	k, err := credential.UnmarshalKeys(append(b, 0))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func unbase64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	salt1   = "QSXCR+Q6sek8bf92"
	salt256 = "W22ZaJ0SNY7soEsUEjb6gQ=="
)

// The example of RFC 7677 3, byte by byte, at both ends.
func TestExampleOfRFC7677(t *testing.T) {
	h := newHouse(t)
	h.keys["user@example.com"] = keysOf(t, salt1, salt256)
	s := h.server(Binding{})
	s.nonce = func() string { return "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0" }
	c := NewClient("user", credential.NewSecret("pencil"), SHA256, Binding{}, false)
	c.nonce = "rOprNGfwEbeRWgbNEkqO"
	initial, err := c.Initial()
	if string(initial) != "n,,n=user,r=rOprNGfwEbeRWgbNEkqO" || err != nil {
		t.Fatalf("%s, %v", initial, err)
	}
	r := s.Start(t.Context(), SHA256, initial, true)
	if string(r.Challenge) != "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096" {
		t.Fatalf("%+v", r)
	}
	answer, err := c.Respond(r.Challenge)
	if string(answer) != "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=" || err != nil {
		t.Fatalf("%s, %v", answer, err)
	}
	r = s.Step(t.Context(), answer)
	if !r.Success || r.User != "user" || string(r.Additional) != "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" {
		t.Fatalf("%+v", r)
	}
	if err := c.Verify(r.Additional); err != nil {
		t.Error(err)
	}
}

// The example of RFC 5802 5. Its salt is shorter than ours are, so the server is taken up
// after it has told it.
func TestExampleOfRFC5802(t *testing.T) {
	h := newHouse(t)
	h.keys["user@example.com"] = keysOf(t, salt1, salt256)
	s := h.server(Binding{})
	s.nonce = func() string { return "3rfcNHYJY1ZVvWVs7j" }
	c := NewClient("user", credential.NewSecret("pencil"), SHA1, Binding{}, false)
	c.nonce = "fyko+d2lbbFgONRv9qkxdawL"
	initial, err := c.Initial()
	if string(initial) != "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL" || err != nil {
		t.Fatalf("%s, %v", initial, err)
	}
	r := s.Start(t.Context(), SHA1, initial, true)
	const told = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92"
	if !strings.HasPrefix(string(r.Challenge), told) {
		t.Fatalf("%+v", r)
	}
	s.scram.said = "n=user,r=fyko+d2lbbFgONRv9qkxdawL," + told + ",i=4096"
	answer, err := c.Respond([]byte(told + ",i=4096"))
	if string(answer) != "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=" || err != nil {
		t.Fatalf("%s, %v", answer, err)
	}
	r = s.Step(t.Context(), answer)
	if !r.Success || string(r.Additional) != "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" {
		t.Fatalf("%+v", r)
	}
	if err := c.Verify(r.Additional); err != nil {
		t.Error(err)
	}
}

// Another's client, bound and not, against our server.
func TestAnothersClient(t *testing.T) {
	h := newHouse(t, "alice@example.com")
	for _, c := range []struct {
		mechanism string
		new       scram.HashGeneratorFcn
		binding   scram.ChannelBinding
	}{
		{SHA1, scram.SHA1, scram.ChannelBinding{}},
		{SHA256, scram.SHA256, scram.ChannelBinding{}},
		{SHA1Plus, scram.SHA1, scram.ChannelBinding{Type: scram.ChannelBindingTLSServerEndpoint, Data: both.EndPoint}},
		{SHA256Plus, scram.SHA256, scram.ChannelBinding{Type: scram.ChannelBindingTLSExporter, Data: both.Exporter}},
	} {
		for _, authzid := range []string{"", "alice@example.com"} {
			client, err := c.new.NewClient("alice", "pencil", authzid)
			if err != nil {
				t.Fatal(err)
			}
			conv := client.NewConversation()
			if c.binding.IsSupported() {
				conv = client.NewConversationWithChannelBinding(c.binding)
			}
			said, err := conv.Step("")
			s := h.server(both)
			r := s.Start(t.Context(), c.mechanism, []byte(said), true)
			for err == nil && r.Challenge != nil {
				if said, err = conv.Step(string(r.Challenge)); err == nil {
					r = s.Step(t.Context(), []byte(said))
				}
			}
			if err == nil {
				_, err = conv.Step(string(r.Additional))
			}
			if err != nil || !r.Success || !conv.Valid() {
				t.Errorf("%s as %q: %+v, %v", c.mechanism, authzid, r, err)
			}
		}
	}
}

// pipe makes the two ends of a TLS connection over a pipe.
func pipe(t *testing.T, version uint16, cert tls.Certificate) (server, client *tls.Conn) {
	t.Helper()
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	server = tls.Server(a, &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: version})
	client = tls.Client(b, &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
	ended := make(chan error, 1)
	go func() { ended <- server.HandshakeContext(t.Context()) }() // ends with the handshake below
	if err := client.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return server, client
}

func certificate(t *testing.T, with x509.SignatureAlgorithm) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "example.com"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), SignatureAlgorithm: with,
	}
	if with == x509.PureEd25519 {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
		if err != nil {
			t.Fatal(err)
		}
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

// Both ends of a real connection see the same bindings, and a man between two
// connections does not get through. RFC 9266 2; XEP-0440 2, 3.
func TestBind(t *testing.T) {
	h := newHouse(t, "alice@example.com")
	cert := certificate(t, x509.ECDSAWithSHA256)
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		bindings := func() (server, client Binding) {
			a, b := pipe(t, version, cert)
			x, y := a.ConnectionState(), b.ConnectionState()
			return Bind(&x, leaf), Bind(&y, y.PeerCertificates[0])
		}
		server, client := bindings()
		other, _ := bindings()
		sum := sha256.Sum256(leaf.Raw)
		if len(server.Exporter) != 32 || !bytes.Equal(server.Exporter, client.Exporter) || bytes.Equal(server.Exporter, other.Exporter) {
			t.Errorf("TLS %x: exporter %x and %x, of another connection %x", version, server.Exporter, client.Exporter, other.Exporter)
		}
		if !bytes.Equal(server.EndPoint, sum[:]) || !bytes.Equal(client.EndPoint, sum[:]) {
			t.Errorf("TLS %x: end-point %x and %x", version, server.EndPoint, client.EndPoint)
		}
		if got := server.Types(); !slices.Equal(got, []string{TLSExporter, TLSServerEndPoint}) {
			t.Errorf("types %q", got)
		}
		m := SHA256Plus
		if r := login(t, h.server(server), NewClient("alice", credential.NewSecret("pencil"), m, client, true), m); !r.Success {
			t.Errorf("TLS %x: %+v", version, r)
		}
		wantFail(t, login(t, h.server(other), NewClient("alice", credential.NewSecret("pencil"), m, client, true), m), NotAuthorized)
	}
}

func TestBindingsThatAreNot(t *testing.T) {
	if b := Bind(nil, &x509.Certificate{}); b.Types() != nil {
		t.Errorf("a plain connection has %q", b.Types())
	}
	if b := Bind(&tls.ConnectionState{}, nil); b.Types() != nil { // no handshake yet
		t.Errorf("before the handshake there is %q", b.Types())
	}
	sum := func(h hash.Hash) []byte { h.Write([]byte("raw")); return h.Sum(nil) }
	for _, c := range []struct {
		with x509.SignatureAlgorithm
		want []byte
	}{
		{x509.MD5WithRSA, sum(sha256.New())},
		{x509.SHA1WithRSA, sum(sha256.New())},
		{x509.SHA256WithRSAPSS, sum(sha256.New())},
		{x509.ECDSAWithSHA384, sum(sha512.New384())},
		{x509.SHA512WithRSA, sum(sha512.New())},
		{x509.PureEd25519, nil},
	} {
		if got := endPoint(&x509.Certificate{Raw: []byte("raw"), SignatureAlgorithm: c.with}); !bytes.Equal(got, c.want) {
			t.Errorf("%v: %x", c.with, got)
		}
	}
	server, _ := pipe(t, tls.VersionTLS13, certificate(t, x509.PureEd25519))
	cs := server.ConnectionState()
	leaf, err := x509.ParseCertificate(certificate(t, x509.PureEd25519).Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if b := Bind(&cs, leaf); !slices.Equal(b.Types(), []string{TLSExporter}) {
		t.Errorf("with Ed25519: %q", b.Types())
	}
	for _, c := range []struct {
		announced string
		want      string
	}{{"", "tls-exporter tls-server-end-point"}, {"tls-unique tls-server-end-point", "tls-server-end-point"}, {"tls-exporter", "tls-exporter"}, {"tls-unique", ""}} {
		if got := strings.Join(both.Only(strings.Fields(c.announced)).Types(), " "); got != c.want {
			t.Errorf("of %q there is %q; want %q", c.announced, got, c.want)
		}
	}
}
