package credential

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/xdg-go/scram"
)

var oracles = map[Hash]scram.HashGeneratorFcn{SHA1: scram.SHA1, SHA256: scram.SHA256}

func TestKeysAreThoseOfAnother(t *testing.T) {
	v := testVault()
	for _, password := range []string{"pencil", "p", strings.Repeat("long ", 50), "pässwörd", "密码"} {
		k := set(t, v, "user@example.com", password, false)
		for h, oracle := range oracles {
			salt, iterations := k.Scram(h)
			if len(salt) != 16 || iterations != 4096 {
				t.Fatalf("salt %x, %d rounds", salt, iterations)
			}
			client, err := oracle.NewClient("user", password, "")
			if err != nil {
				t.Fatal(err)
			}
			want, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(salt), Iters: iterations})
			if err != nil {
				t.Fatal(err)
			}
			if s := k.scram(h); !bytes.Equal(s.stored, want.StoredKey) || !bytes.Equal(s.server, want.ServerKey) {
				t.Errorf("hash %d of %q: StoredKey %x, ServerKey %x; want %x, %x", h, password, s.stored, s.server, want.StoredKey, want.ServerKey)
			}
		}
	}
}

// exchange plays a server with our keys to another's client, and says how it ended.
func exchange(t *testing.T, k Keys, h Hash, password string) (letIn, believed bool) {
	t.Helper()
	client, err := oracles[h].NewClient("user", password, "")
	if err != nil {
		t.Fatal(err)
	}
	conv := client.NewConversation()
	first, err := conv.Step("")
	if err != nil {
		t.Fatal(err)
	}
	bare := strings.TrimPrefix(first, "n,,")
	_, nonce, _ := strings.Cut(bare, "r=")
	salt, iterations := k.Scram(h)
	serverFirst := fmt.Sprintf("r=%s3rfcNHYJY1ZVvWVs7j,s=%s,i=%d", nonce, base64.StdEncoding.EncodeToString(salt), iterations)
	final, err := conv.Step(serverFirst)
	if err != nil {
		t.Fatal(err)
	}
	without, p, _ := strings.Cut(final, ",p=")
	proof, err := base64.StdEncoding.DecodeString(p)
	if err != nil {
		t.Fatal(err)
	}
	signature, ok := k.VerifyScram(h, bare+","+serverFirst+","+without, proof)
	_, err = conv.Step("v=" + base64.StdEncoding.EncodeToString(signature))
	return ok, err == nil && conv.Valid()
}

func TestVerifyScram(t *testing.T) {
	v := testVault()
	k := set(t, v, "user@example.com", "pencil", true)
	for h := range oracles {
		for _, c := range []struct {
			what     string
			keys     Keys
			password string
			want     bool
		}{
			{"right", k, "pencil", true},
			{"wrong", k, "Pencil", false},
			{"decoy", v.DecoyScram("user@example.com"), "pencil", false},
		} {
			if letIn, believed := exchange(t, c.keys, h, c.password); letIn != c.want || believed != c.want {
				t.Errorf("hash %d, %s: let in %t, server believed %t", h, c.what, letIn, believed)
			}
		}
		for _, proof := range [][]byte{nil, {1}, make([]byte, h.size()), make([]byte, 100)} {
			if s, ok := k.VerifyScram(h, "n=user", proof); ok || s != nil {
				t.Errorf("hash %d: %d bytes of proof let in", h, len(proof))
			}
		}
	}
	if _, ok := (Keys{}).VerifyScram(SHA256, "", make([]byte, 32)); ok {
		t.Error("no keys let in")
	}
	if salt, n := (Keys{}).Scram(SHA1); salt != nil || n != 0 {
		t.Errorf("no keys have salt %x, %d rounds", salt, n)
	}
}

func TestVectorOfRFC7677(t *testing.T) { // RFC 7677 3
	s := scramKeys{rounds: 4096}
	decode := func(in string) []byte {
		out, err := base64.StdEncoding.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	copy(s.salt[:], decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
	var err error
	if s.stored, s.server, err = s.of(SHA256, "pencil"); err != nil {
		t.Fatal(err)
	}
	k := box(&keys{sha256: s})
	const nonce = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	signature, ok := k.VerifyScram(SHA256, "n=user,r=rOprNGfwEbeRWgbNEkqO,"+nonce+",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,"+nonce,
		decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="))
	if !ok || !bytes.Equal(signature, decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")) {
		t.Errorf("let in %t, signature %x", ok, signature)
	}
}

func TestDecoyScramStaysTheSame(t *testing.T) {
	v := testVault()
	salts := map[string]bool{}
	for _, a := range []string{"nobody@example.com", "no-one@example.com"} {
		for h := range oracles {
			salt, n := v.DecoyScram(a).Scram(h)
			again, _ := testVault().DecoyScram(a).Scram(h) // after a restart
			other, _ := NewVault(make([]byte, keySize)).DecoyScram(a).Scram(h)
			if len(salt) != 16 || n != 4096 || !bytes.Equal(salt, again) || bytes.Equal(salt, other) {
				t.Errorf("%s: salt %x, then %x; with another key %x; %d rounds", a, salt, again, other, n)
			}
			salts[string(salt)] = true
		}
	}
	if len(salts) != 4 {
		t.Errorf("%d salts for two addresses and two hashes", len(salts))
	}
	k := set(t, v, "alice@example.com", "secret", true)
	a, _ := k.Scram(SHA256)
	b, _ := set(t, v, "alice@example.com", "secret", true).Scram(SHA256)
	clear(a)
	c, _ := k.Scram(SHA256)
	if bytes.Equal(b, c) || bytes.Equal(a, c) {
		t.Error("two passwords share a salt, or a caller can change one")
	}
}

func TestCheckPassword(t *testing.T) {
	v := testVault()
	k := set(t, v, "alice@example.com", "caf\u00e9 au lait", false)
	for _, c := range []struct {
		what     string
		keys     Keys
		password Secret
		want     bool
	}{
		{"right", k, NewSecret("café au lait"), true},
		{"typed otherwise", k, NewSecret("cafe\u0301\u00a0au lait"), true},
		{"wrong", k, NewSecret("cafe au lait"), false},
		{"empty", k, NewSecret(""), false},
		{"none", k, Secret{}, false},
		{"impossible", k, NewSecret("café\n"), false},
		{"unknown", Keys{}, NewSecret("café au lait"), false},
		{"decoy", v.DecoyScram("alice@example.com"), NewSecret("café au lait"), false},
	} {
		if got := v.CheckPassword("alice@example.com", c.keys, c.password); got != c.want {
			t.Errorf("%s: %t", c.what, got)
		}
	}
}
