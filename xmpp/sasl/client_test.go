package sasl

import (
	"errors"
	"strings"
	"testing"

	"parley/credential"
)

// What a client says of channel binding. RFC 5802 6; XEP-0440 3.
func TestClientFlag(t *testing.T) {
	for _, c := range []struct {
		mechanism   string
		b           Binding
		offeredPlus bool
		want        string
	}{
		{SHA256, Binding{}, false, "n,,"},
		{SHA256, Binding{}, true, "n,,"},
		{SHA256, both, false, "y,,"},
		{SHA256, both, true, "n,,"},
		{SHA256Plus, both, true, "p=tls-exporter,,"},
		{SHA1Plus, Binding{EndPoint: both.EndPoint}, true, "p=tls-server-end-point,,"},
	} {
		c2 := NewClient("a,b=c", credential.NewSecret("pencil"), c.mechanism, c.b, c.offeredPlus)
		got, err := c2.Initial()
		if err != nil || !strings.HasPrefix(string(got), c.want+"n=a=2Cb=3Dc,r=") {
			t.Errorf("%s: %s, %v; want %s", c.mechanism, got, err, c.want)
		}
	}
	for _, c := range []*Client{
		NewClient("alice", credential.NewSecret("pencil"), "DIGEST-MD5", both, true),
		NewClient("alice", credential.NewSecret("pencil"), SHA1Plus, Binding{}, true),
	} {
		if got, err := c.Initial(); err == nil {
			t.Errorf("begins with %s", got)
		}
	}
}

// A mechanism list without -PLUS, which somebody shortened, lets nobody in. RFC 5802 6.
func TestDowngradeIsNoticed(t *testing.T) {
	h := newHouse(t, "alice@example.com")
	m, err := Choose([]string{SHA256, SHA1}, both, false)
	if err != nil {
		t.Fatal(err)
	}
	r := login(t, h.server(both), NewClient("alice", credential.NewSecret("pencil"), m, both, false), m)
	wantFail(t, r, NotAuthorized)
}

// What a client does not believe. RFC 5802 5, 5.1, 9; RFC 7677 4.
func TestClientRefuses(t *testing.T) {
	const salt = ",s=MDEyMzQ1Njc4OWFiY2RlZg=="
	for what, challenge := range map[string]string{
		"nothing":             "",
		"another nonce":       "r=abd123" + salt + ",i=4096",
		"its own nonce":       "r=abc" + salt + ",i=4096",
		"nonce with a blank":  "r=abc 1" + salt + ",i=4096",
		"few rounds":          "r=abc123" + salt + ",i=4095",
		"no rounds":           "r=abc123" + salt + ",i=0",
		"rounds with a sign":  "r=abc123" + salt + ",i=+4096",
		"rounds with a zero":  "r=abc123" + salt + ",i=04096",
		"rounds for hours":    "r=abc123" + salt + ",i=2000000000",
		"rounds too long":     "r=abc123" + salt + ",i=99999999999999999999",
		"rounds in letters":   "r=abc123" + salt + ",i=many",
		"rounds left out":     "r=abc123" + salt,
		"no salt":             "r=abc123,s==,i=4096",
		"salt badly encoded":  "r=abc123,s=MDE,i=4096",
		"reserved attribute":  "m=x,r=abc123" + salt + ",i=4096",
		"reserved, at end":    "r=abc123" + salt + ",i=4096,m=x",
		"not UTF-8":           "r=abc123" + salt + ",i=4096,x=\xff",
		"a message too long":  "r=abc" + strings.Repeat("1", MaxData) + salt + ",i=4096",
		"an error":            "e=other-error",
		"the wrong way round": "s=MDE=,r=abc123,i=4096",
	} {
		c := NewClient("alice", credential.NewSecret("pencil"), SHA256, Binding{}, false)
		c.nonce = "abc"
		if _, err := c.Initial(); err != nil {
			t.Fatal(err)
		}
		if answer, err := c.Respond([]byte(challenge)); err == nil {
			t.Errorf("%s: answers %s", what, answer)
		}
		if err := c.Verify([]byte("v=YWJj")); err == nil {
			t.Errorf("%s: believes", what)
		}
	}
	c := NewClient("alice", credential.NewSecret("pencil"), SHA256, Binding{}, false)
	c.nonce = "abc"
	if _, err := c.Respond([]byte("r=abc123" + salt + ",i=4096")); err == nil {
		t.Error("answers before it began")
	}
	c.Initial()
	if _, err := c.Respond([]byte("r=abc123" + salt + ",i=4096,x=y")); err != nil {
		t.Errorf("an extension: %v", err)
	}
	if _, err := c.Respond([]byte("r=abc123" + salt + ",i=4096")); err == nil {
		t.Error("answers twice")
	}
	for _, end := range []string{"", "v=", "v==", "v=YWJj", "v=YW J", "x=YWJj", "v=" + encode(make([]byte, 32)), "v=" + encode(make([]byte, 32)) + ",x=y"} {
		if err := c.Verify([]byte(end)); !errors.Is(err, ErrServerProof) {
			t.Errorf("%q: %v", end, err)
		}
	}
	if err := c.Verify([]byte("e=" + strings.Repeat("x", 1000))); err == nil || errors.Is(err, ErrServerProof) || len(err.Error()) > 200 {
		t.Errorf("an error: %v", err)
	}
	if err := NewClient("alice", credential.NewSecret(""), PLAIN, Binding{}, false).Verify(nil); err == nil {
		t.Error("success before the login began")
	}
	empty := NewClient("alice", credential.NewSecret(""), SHA256, Binding{}, false)
	empty.nonce = "abc"
	empty.Initial()
	if _, err := empty.Respond([]byte("r=abc123" + salt + ",i=4096")); !errors.Is(err, credential.ErrPasswordEmpty) {
		t.Errorf("an empty password: %v", err)
	}
}
