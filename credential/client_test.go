package credential

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
)

// The client's side of the examples in RFC 5802 5 and RFC 7677 3.
func TestProverOfTheExamples(t *testing.T) {
	for _, c := range []struct {
		hash                                Hash
		said, salt, final, proof, signature string
	}{
		{
			SHA1, "n=user,r=fyko+d2lbbFgONRv9qkxdawL,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"QSXCR+Q6sek8bf92", "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j", "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
		},
		{
			SHA256, "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"W22ZaJ0SNY7soEsUEjb6gQ==", "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
			"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		},
	} {
		decode := func(s string) []byte {
			b, err := base64.StdEncoding.DecodeString(s)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		p, err := NewSecret("pencil").Scram(c.hash, decode(c.salt), 4096)
		if err != nil {
			t.Fatal(err)
		}
		said := c.said + "," + c.final
		if got := p.Proof(said); !bytes.Equal(got, decode(c.proof)) {
			t.Errorf("hash %d: proof %x", c.hash, got)
		}
		signature := decode(c.signature)
		if !p.Believes(said, signature) || p.Believes(said+"x", signature) || p.Believes(said, signature[1:]) || p.Believes(said, nil) {
			t.Errorf("hash %d: believes another signature than the right one", c.hash)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
			if got := fmt.Sprintf(verb, p); got != redacted {
				t.Errorf("%s prints %s", verb, got)
			}
		}
		if j, err := json.Marshal(p); err != nil || string(j) != `"[secret]"` || p.String() != redacted || p.LogValue().String() != redacted {
			t.Errorf("JSON is %s, %v", j, err)
		}
	}
}

func TestProverRefuses(t *testing.T) {
	salt := []byte("0123456789abcdef")
	for _, c := range []struct {
		what     string
		password Secret
		salt     []byte
		rounds   int
	}{
		{"no salt", NewSecret("pencil"), nil, 4096},
		{"no rounds", NewSecret("pencil"), salt, 0},
		{"fewer than none", NewSecret("pencil"), salt, -1},
		{"rounds for hours", NewSecret("pencil"), salt, 1 << 30},
		{"no password", Secret{}, salt, 4096},
		{"a password that cannot be set", NewSecret("a\nb"), salt, 4096},
	} {
		if p, err := c.password.Scram(SHA256, c.salt, c.rounds); err == nil || p != (Prover{}) {
			t.Errorf("%s: taken", c.what)
		}
	}
	if p := (Prover{}); p.Proof("x") != nil || p.Believes("x", nil) {
		t.Error("a Prover of nothing proves something")
	}
}

func TestPlain(t *testing.T) {
	if got := string(NewSecret("pa=ss").Plain("", "alice")); got != "\x00alice\x00pa=ss" {
		t.Errorf("%q", got)
	}
	if got := string(NewSecret("p").Plain("bob@example.com", "alice")); got != "bob@example.com\x00alice\x00p" {
		t.Errorf("%q", got)
	}
}
