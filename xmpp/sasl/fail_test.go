package sasl

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"parley/credential"
)

// The whole of base64 and nothing else. RFC 6120 6.4.2, 6.5.5, 13.9.1.
func TestDecode(t *testing.T) {
	for _, c := range []struct {
		in, want string
		has      bool
		fail     Failure
	}{
		{"", "", false, ""},
		{"=", "", true, ""},
		{"AGEAYg==", "\x00a\x00b", true, ""},
		{"YWJj", "abc", true, ""},
		{"YWI=", "ab", true, ""},
		{"YWI", "", false, IncorrectEncoding},
		{"YWI==", "", false, IncorrectEncoding},
		{"YWJ=", "", false, IncorrectEncoding}, // bits after the last byte
		{"==", "", false, IncorrectEncoding},
		{"====", "", false, IncorrectEncoding},
		{"=YWJj", "", false, IncorrectEncoding},
		{"YWI=YWI=", "", false, IncorrectEncoding},
		{"YW Jj", "", false, IncorrectEncoding},
		{"YWJj\n", "", false, IncorrectEncoding},
		{"YW\r\nJj", "", false, IncorrectEncoding},
		{" YWJj", "", false, IncorrectEncoding},
		{"YWJj\x00", "", false, IncorrectEncoding},
		{"YW-_", "", false, IncorrectEncoding},
		{strings.Repeat("YWJj", MaxData/3), strings.Repeat("abc", MaxData/3), true, ""},
		{strings.Repeat("YWJj", MaxData/3+1), "", false, MalformedRequest},
		{strings.Repeat("!", 1<<20), "", false, MalformedRequest},
	} {
		got, has, fail := Decode([]byte(c.in))
		if string(got) != c.want || has != c.has || fail != c.fail || has != (got != nil) {
			t.Errorf("%.20q: %.20q, %t, %q", c.in, got, has, fail)
		}
		if again, _, _ := Decode(AppendData(nil, got)); fail == "" && string(again) != c.want {
			t.Errorf("%.20q: not the same again: %q", c.in, again)
		}
	}
	if got := string(AppendData([]byte("x"), nil)); got != "x" {
		t.Errorf("no data is %q", got)
	}
	if got := string(AppendData(nil, []byte{})); got != "=" {
		t.Errorf("data of no bytes is %q", got)
	}
}

// What a server does not take up. RFC 6120 6.5.4, 6.5.7, 6.5.8, 6.5.9.
func TestStartRefuses(t *testing.T) {
	h := newHouse(t, "alice@example.com")
	right := []byte("\x00alice\x00pencil")
	for _, c := range []struct {
		what      string
		config    Config
		mechanism string
		initial   []byte
		want      Failure
	}{
		{"no mechanism", h.config(both), "", right, InvalidMechanism},
		{"unknown", h.config(both), "DIGEST-MD5", right, InvalidMechanism},
		{"small letters", h.config(both), "plain", right, InvalidMechanism},
		{"-PLUS without TLS", h.config(Binding{}), SHA256Plus, []byte("p=tls-exporter,,n=alice,r=a"), InvalidMechanism},
		{"PLAIN not allowed", Config{Lookup: h.config(both).Lookup, Vault: h.vault}, PLAIN, right, MechanismTooWeak},
		{"TLS needed", Config{NeedTLS: true, PLAIN: true}, PLAIN, right, EncryptionRequired},
		{"TLS needed, SCRAM", Config{NeedTLS: true, PLAIN: true}, SHA1, []byte("n,,n=alice,r=a"), EncryptionRequired},
		{"PLAIN with nothing", h.config(both), PLAIN, []byte{}, MalformedRequest},
		{"SCRAM with nothing", h.config(both), SHA256, []byte{}, MalformedRequest},
		{"too long", h.config(both), PLAIN, []byte(string(right) + strings.Repeat("l", MaxData)), MalformedRequest},
		{"too long, SCRAM", h.config(both), SHA1, []byte("n,,n=alice,r=" + strings.Repeat("a", MaxData)), MalformedRequest},
	} {
		r := NewServer(c.config, "example.com").Start(t.Context(), c.mechanism, c.initial, true)
		if wantFail(t, r, c.want); t.Failed() {
			t.Fatalf("that was: %s", c.what)
		}
	}
	if h.asked != 0 {
		t.Errorf("%d lookups for nothing", h.asked)
	}
}

// A response before and after, an abort, a mechanism after another. RFC 6120 6.4.2, 6.4.3, 6.4.4.
func TestOrder(t *testing.T) {
	h := newHouse(t, "alice@example.com")
	s := h.server(both)
	ctx := t.Context()
	wantFail(t, s.Step(ctx, []byte("\x00alice\x00pencil")), MalformedRequest)
	wantFail(t, s.Abort(), Aborted)

	// Without an initial response both ask for it with no data.
	for _, m := range []string{PLAIN, SHA1} {
		if r := s.Start(ctx, m, nil, false); r.Fail != "" || r.Success || r.Challenge != nil {
			t.Fatalf("%s: %+v", m, r)
		}
	}
	r := s.Step(ctx, []byte("n,,n=alice,r=abc"))
	if !strings.HasPrefix(string(r.Challenge), "r=abc") {
		t.Fatalf("%+v", r)
	}
	wantFail(t, s.Abort(), Aborted)
	wantFail(t, s.Step(ctx, []byte("c=biws,r=abc,p=YWJj")), MalformedRequest)

	if r := s.Start(ctx, SHA1, []byte("n,,n=alice,r=abc"), true); r.Challenge == nil {
		t.Fatalf("%+v", r)
	}
	if r := s.Start(ctx, PLAIN, nil, false); r.Fail != "" { // forgets the former
		t.Fatalf("%+v", r)
	}
	if r := s.Step(ctx, []byte("\x00alice\x00pencil")); !r.Success || r.User != "alice" || r.Additional != nil {
		t.Fatalf("%+v", r)
	}
	wantFail(t, s.Step(ctx, []byte("\x00alice\x00pencil")), MalformedRequest)
	wantFail(t, s.Start(ctx, "X", nil, false), InvalidMechanism)
	if Aborted.Error() != "aborted" {
		t.Error("a failure is not its word")
	}
}

// RFC 4616; RFC 6120 6.3.8, 6.5.6.
func TestPLAIN(t *testing.T) {
	h := newHouse(t, "alice@example.com", "bob@example.com")
	for _, c := range []struct {
		message, user string
		fail          Failure
	}{
		{"\x00alice\x00pencil", "alice", ""},
		{"\x00ALICE@example.com\x00pencil", "ALICE@example.com", ""},
		{"alice@example.com\x00alice\x00pencil", "alice", ""},
		{"Alice@example.com\x00alice@example.com\x00pencil", "alice@example.com", ""},
		{"\x00alice\x00penci", "", NotAuthorized},
		{"\x00alice\x00" + strings.Repeat("p", 1000), "", NotAuthorized},
		{"\x00alice\x00pen\ncil", "", NotAuthorized},
		{"\x00carol\x00pencil", "", NotAuthorized},
		{"\x00a lice\x00pencil", "", NotAuthorized},
		{"bob@example.com\x00alice\x00pencil", "", InvalidAuthzid},
		{"alice@example.com/home\x00alice\x00pencil", "", InvalidAuthzid},
		{"a b\x00alice\x00pencil", "", InvalidAuthzid},
		{"bob@example.com\x00alice\x00wrong", "", NotAuthorized}, // no hint before the proof
		{"bob@example.com\x00carol\x00pencil", "", NotAuthorized},
		{"", "", MalformedRequest},
		{"alice", "", MalformedRequest},
		{"alice\x00pencil", "", MalformedRequest},
		{"\x00\x00pencil", "", MalformedRequest},
		{"\x00alice\x00", "", MalformedRequest},
		{"\x00\x00", "", MalformedRequest},
		{"\x00alice\x00pencil\x00", "", MalformedRequest},
		{"\x00alice\x00pen\x00cil", "", MalformedRequest},
		{"\x00alice\x00p\xe4ncil", "", MalformedRequest},
		{"\xff\x00alice\x00pencil", "", MalformedRequest},
	} {
		r := h.server(both).Start(t.Context(), PLAIN, []byte(c.message), true)
		if r.Fail != c.fail || r.User != c.user || r.Success != (c.fail == "") {
			t.Errorf("%q: %+v", c.message, r)
		}
	}
}

// A client's first message: what is wrong ends the login before anything is looked up.
// RFC 5802 5.1, 6, 7; XEP-0440 4.
func TestClientFirstRefused(t *testing.T) {
	h := newHouse(t, "alice@example.com")
	for _, c := range []struct {
		what, mechanism, message string
		b                        Binding
		want                     Failure
	}{
		{"nothing", SHA1, "", both, MalformedRequest},
		{"no header", SHA1, "n=alice,r=abc", both, MalformedRequest},
		{"half a header", SHA1, "n,n=alice", both, MalformedRequest},
		{"another flag", SHA1, "f,,n=alice,r=abc", both, MalformedRequest},
		{"flag in capitals", SHA1, "N,,n=alice,r=abc", both, MalformedRequest},
		{"no authzid after a=", SHA1, "n,a=,n=alice,r=abc", both, MalformedRequest},
		{"authzid without a=", SHA1, "n,alice,n=alice,r=abc", both, MalformedRequest},
		{"authzid badly escaped", SHA1, "n,a=al=ice,n=alice,r=abc", both, MalformedRequest},
		{"reserved attribute", SHA1, "n,,m=x,n=alice,r=abc", both, MalformedRequest},
		{"reserved attribute, at the end", SHA1, "n,,n=alice,r=abc,m=x", both, MalformedRequest},
		{"no user", SHA1, "n,,r=abc", both, MalformedRequest},
		{"empty user", SHA1, "n,,n=,r=abc", both, MalformedRequest},
		{"no nonce", SHA1, "n,,n=alice", both, MalformedRequest},
		{"empty nonce", SHA1, "n,,n=alice,r=", both, MalformedRequest},
		{"nonce with a blank", SHA1, "n,,n=alice,r=a bc", both, MalformedRequest},
		{"nonce not ASCII", SHA1, "n,,n=alice,r=é", both, MalformedRequest},
		{"other way round", SHA1, "n,,r=abc,n=alice", both, MalformedRequest},
		{"twice", SHA1, "n,,n=alice,r=abc,r=abc", both, MalformedRequest},
		{"comma at the end", SHA1, "n,,n=alice,r=abc,", both, MalformedRequest},
		{"no name", SHA1, "n,,n=alice,r=abc,=x", both, MalformedRequest},
		{"digit for a name", SHA1, "n,,n=alice,r=abc,1=x", both, MalformedRequest},
		{"zero byte", SHA1, "n,,n=al\x00ice,r=abc", both, MalformedRequest},
		{"not UTF-8", SHA1, "n,,n=al\xffice,r=abc", both, MalformedRequest},
		{"escape of another", SHA1, "n,,n=al=2Dice,r=abc", both, MalformedRequest},
		{"escape in small letters", SHA1, "n,,n=al=2cice,r=abc", both, MalformedRequest},
		{"escape cut off", SHA1, "n,,n=alice=2,r=abc", both, MalformedRequest},
		{"downgrade", SHA1, "y,,n=alice,r=abc", both, NotAuthorized},
		{"downgrade, SHA-256", SHA256, "y,,n=alice,r=abc", Binding{EndPoint: both.EndPoint}, NotAuthorized},
		{"downgrade in -PLUS", SHA1Plus, "y,,n=alice,r=abc", both, NotAuthorized},
		{"no binding in -PLUS", SHA1Plus, "n,,n=alice,r=abc", both, MalformedRequest},
		{"binding outside -PLUS", SHA1, "p=tls-exporter,,n=alice,r=abc", both, MalformedRequest},
		{"binding, no TLS", SHA1, "p=tls-exporter,,n=alice,r=abc", Binding{}, MalformedRequest},
		{"binding not offered", SHA1Plus, "p=tls-exporter,,n=alice,r=abc", Binding{EndPoint: both.EndPoint}, NotAuthorized},
		{"binding of old", SHA1Plus, "p=tls-unique,,n=alice,r=abc", both, NotAuthorized},
		{"binding without a name", SHA1Plus, "p=,,n=alice,r=abc", both, MalformedRequest},
		{"binding without =", SHA1Plus, "p,,n=alice,r=abc", both, MalformedRequest},
		{"binding with another name", SHA1Plus, "p=tls_exporter,,n=alice,r=abc", both, MalformedRequest},
	} {
		r := h.server(c.b).Start(t.Context(), c.mechanism, []byte(c.message), true)
		if wantFail(t, r, c.want); t.Failed() {
			t.Fatalf("that was: %s", c.what)
		}
	}
	if h.asked != 0 {
		t.Errorf("%d lookups for nothing", h.asked)
	}
	// Extensions that need not be understood are passed over, and a client that could not
	// see -PLUS is no downgrade.
	for _, m := range []string{"n,,n=alice,r=abc,x=y,Z=a=b", "y,,n=alice,r=abc", "n,a=alice,n=a=2Cb=3D,r=~!"} {
		if r := h.server(Binding{}).Start(t.Context(), SHA1, []byte(m), true); r.Challenge == nil {
			t.Errorf("%s: %+v", m, r)
		}
	}
}

// A client's last message. RFC 5802 5, 5.1, 6, 7; RFC 6120 6.3.8, 6.5.6.
func TestClientFinal(t *testing.T) {
	h := newHouse(t, "alice@example.com", "bob@example.com")
	proof := func(password, said string, salt []byte) string {
		p, err := credential.NewSecret(password).Scram(credential.SHA1, salt, 4096)
		if err != nil {
			t.Fatal(err)
		}
		return encode(p.Proof(said))
	}
	const nonce = "abcdef"
	for _, c := range []struct {
		what, header, user, bind, nonce, more, password string // "" is the right one
		after                                           string // after the proof
		want                                            Failure
	}{
		{what: "right"},
		{what: "right, with an extension", more: ",x=y"},
		{what: "right, as oneself", header: "n,a=alice@example.com,"},
		{what: "right, as oneself, in short", header: "n,a=Alice,"},
		{what: "as another", header: "n,a=bob@example.com,", want: InvalidAuthzid},
		{what: "as one's session", header: "n,a=alice@example.com/home,", want: InvalidAuthzid},
		{what: "as no address", header: "n,a=a b,", want: InvalidAuthzid},
		{what: "as another, wrong password", header: "n,a=bob@example.com,", password: "Pencil", want: NotAuthorized},
		{what: "wrong password", password: "Pencil", want: NotAuthorized},
		{what: "nobody", user: "nobody", want: NotAuthorized},
		{what: "an older nonce", nonce: "abcxyz", want: NotAuthorized},
		{what: "own nonce", nonce: "abc", want: NotAuthorized},
		{what: "a longer nonce", nonce: nonce + "x", want: NotAuthorized},
		{what: "another header", bind: "eSws", want: NotAuthorized},
		{what: "header and data", bind: base64.StdEncoding.EncodeToString([]byte("n,,data")), want: NotAuthorized},
		{what: "header not encoded well", bind: "biws=", want: NotAuthorized},
		{what: "reserved attribute", more: ",m=x", want: MalformedRequest},
		{what: "attribute twice", more: ",c=biws", want: MalformedRequest},
		{what: "attribute that is none", more: ",xy", want: MalformedRequest},
		{what: "something after the proof", after: ",x=y", want: MalformedRequest},
		{what: "proof badly encoded", after: "=", want: MalformedRequest},
		{what: "proof and a line", after: "\n", want: MalformedRequest},
		{what: "not UTF-8", more: ",x=\xff", want: MalformedRequest},
	} {
		s := h.server(Binding{})
		s.nonce = func() string { return "def" }
		or := func(s, right string) string {
			if s == "" {
				return right
			}
			return s
		}
		header, user := or(c.header, "n,,"), or(c.user, "alice")
		bare := "n=" + user + ",r=abc"
		r := s.Start(t.Context(), SHA1, []byte(header+bare), true)
		m, err := parseServerFirst(r.Challenge)
		if err != nil || m.nonce != nonce {
			t.Fatalf("%s: %+v, %v", c.what, r, err)
		}
		without := "c=" + or(c.bind, encode([]byte(header))) + ",r=" + or(c.nonce, nonce) + c.more
		said := bare + "," + string(r.Challenge) + "," + without
		r = s.Step(t.Context(), []byte(without+",p="+proof(or(c.password, "pencil"), said, m.salt)+c.after))
		if c.want != "" {
			wantFail(t, r, c.want)
			if r.Tried != user {
				t.Errorf("tried %q", r.Tried)
			}
		} else if !r.Success || r.User != "alice" {
			t.Errorf("%+v", r)
		}
		if t.Failed() {
			t.Fatalf("that was: %s", c.what)
		}
		// A message once more is not let in.
		wantFail(t, s.Step(t.Context(), []byte(without+",p="+proof("pencil", said, m.salt))), MalformedRequest)
	}
	for _, message := range []string{"", "c=biws", "c=biws,r=abcdef", "c=biws,r=abcdef,p=", "c=biws,r=abcdef,p==", ",p=YWJj", "r=abcdef,p=YWJj", "c=biws,p=YWJj", "c=,r=abcdef,p=YWJj", "p=YWJj"} {
		s := h.server(Binding{})
		s.nonce = func() string { return "def" }
		s.Start(t.Context(), SHA1, []byte("n,,n=alice,r=abc"), true)
		if r := s.Step(t.Context(), []byte(message)); r.Fail != MalformedRequest {
			t.Errorf("%q: %+v", message, r)
		}
	}
}

// A recorded login lets nobody in again: the server's nonce is another each time. RFC 5802 5.1.
func TestNonceIsFresh(t *testing.T) {
	h := newHouse(t, "alice@example.com")
	s := h.server(Binding{})
	seen := map[string]bool{}
	shape := regexp.MustCompile(`^r=abc([!-+\--~]{24,64}),s=[A-Za-z0-9+/]{22}==,i=4096$`)
	for range 100 {
		r := s.Start(t.Context(), SHA256, []byte("n,,n=alice,r=abc"), true)
		m := shape.FindStringSubmatch(string(r.Challenge))
		if m == nil || seen[m[1]] {
			t.Fatalf("%s", r.Challenge)
		}
		seen[m[1]] = true
	}
	c := NewClient("alice", credential.NewSecret("pencil"), SHA256, Binding{}, false)
	initial, _ := c.Initial()
	answer, err := c.Respond(s.Start(t.Context(), SHA256, initial, true).Challenge)
	if err != nil {
		t.Fatal(err)
	}
	if r := s.Step(t.Context(), answer); !r.Success {
		t.Fatalf("%+v", r)
	}
	s.Start(t.Context(), SHA256, initial, true)
	wantFail(t, s.Step(t.Context(), answer), NotAuthorized)
}

// Whoever does not exist is told the same, costs the same and is asked for as often, in
// whatever letters the name is written. RFC 6120 6.5.10; RFC 5802 5.1.
func TestUnknownLooksKnown(t *testing.T) {
	h := newHouse(t, "alice@example.com")
	h.keys["unset@example.com"] = credential.Keys{}
	for _, mechanism := range []string{PLAIN, SHA1, SHA256, SHA1Plus, SHA256Plus} {
		binding := Binding{}
		if m, _ := find(mechanism); m.plus {
			binding = both
		}
		type look struct {
			shape  string
			asked  int
			allocs float64
		}
		at := func(user string) look {
			s := h.server(binding)
			s.nonce = func() string { return "def" }
			c := NewClient(user, credential.NewSecret("wrong pencil"), mechanism, binding, true)
			initial, err := c.Initial()
			if err != nil {
				t.Fatal(err)
			}
			r := s.Start(t.Context(), mechanism, initial, true)
			var answer []byte
			shape := "asked " + string(regexp.MustCompile(`s=[^,]*`).ReplaceAll(r.Challenge, []byte("s")))
			shape = strings.ReplaceAll(shape, c.nonce, "nonce")
			if r.Challenge != nil {
				if answer, err = c.Respond(r.Challenge); err != nil {
					t.Fatal(err)
				}
				r = s.Step(t.Context(), answer)
			}
			shape += fmt.Sprint(" ", r.Fail, " ", r.Cause, " ", r.Additional, r.Challenge)
			h.asked = 0
			s.Start(t.Context(), mechanism, initial, true)
			asked := h.asked
			// The least of them: pools are emptied at times, by chance with the race detector.
			least := math.Inf(1)
			for range 12 {
				least = min(least, testing.AllocsPerRun(1, func() {
					s.Start(t.Context(), mechanism, initial, true)
					s.Step(t.Context(), answer)
				}))
			}
			return look{shape, asked, least}
		}
		known := at("alice")
		for _, user := range []string{"nobod", "unset"} {
			got := at(user)
			// The race detector leaves one or two over; one hash less is more than six.
			if math.Abs(got.allocs-known.allocs) > 5 {
				t.Errorf("%s: %v allocations for %s, %v for alice", mechanism, got.allocs, user, known.allocs)
			}
			if got.shape != known.shape || got.asked != 1 || known.asked != 1 || !strings.Contains(got.shape, string(NotAuthorized)) {
				t.Errorf("%s: %s is %+v; alice is %+v", mechanism, user, got, known)
			}
		}
	}
	first := func(message string) string {
		s := h.server(Binding{})
		s.nonce = func() string { return "def" }
		return string(s.Start(t.Context(), SHA1, []byte(message), true).Challenge)
	}
	for _, user := range []string{"alice", "bob"} {
		short := first("n,,n=" + user + ",r=abc")
		if long := first("n,,n=" + strings.ToUpper(user) + "@example.com,r=abc"); long != short || long == "" {
			t.Errorf("%s: %s, in other letters %s", user, short, long)
		}
		if again := first("n,,n=" + user + ",r=abc"); again != short {
			t.Errorf("%s: %s, then %s", user, short, again)
		}
	}
	if a, b := first("n,,n=bob,r=abc"), first("n,,n=bop,r=abc"); a == b {
		t.Error("two who do not exist share a salt")
	}
}

// RFC 6120 6.5.11.
func TestTemporaryFailure(t *testing.T) {
	h := newHouse(t, "alice@example.com")
	h.err = fmt.Errorf("read the account: %w", ErrTemporary)
	for _, user := range []string{"alice", "nobody"} {
		r := h.server(Binding{}).Start(t.Context(), PLAIN, []byte("\x00"+user+"\x00pencil"), true)
		wantFail(t, r, TemporaryFailure)
		wantFail(t, h.server(Binding{}).Start(t.Context(), SHA1, []byte("n,,n="+user+",r=abc"), true), TemporaryFailure)
	}
	h.err = errors.New("something else")
	wantFail(t, h.server(Binding{}).Start(t.Context(), PLAIN, []byte("\x00alice\x00pencil"), true), NotAuthorized)
	h.err = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantFail(t, h.server(Binding{}).Start(ctx, PLAIN, []byte("\x00alice\x00pencil"), true), TemporaryFailure)
}

// The normal form that is there without Config.Account.
func TestAccountByDefault(t *testing.T) {
	h := newHouse(t, "alice@example.com")
	for message, want := range map[string]Failure{
		"Alice@Example.com\x00alice\x00pencil": "",
		"alice\x00ALICE@example.com\x00pencil": "",
		"alice@example.org\x00alice\x00pencil": InvalidAuthzid,
	} {
		c := h.config(Binding{})
		c.Account = nil
		if r := NewServer(c, "example.com").Start(t.Context(), PLAIN, []byte(message), true); r.Fail != want {
			t.Errorf("%q: %+v", message, r)
		}
	}
}
