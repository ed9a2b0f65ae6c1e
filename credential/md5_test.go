package credential

import (
	"regexp"
	"strings"
	"sync"
	"testing"
)

const (
	testChallenge = "1234567890.123456789" // dialects 3.1
	testResponse  = "2976b981ef84ce29f35136d7465e731b"
)

func TestNewChallenge(t *testing.T) {
	shape := regexp.MustCompile(`^[1-9][0-9]{9}\.[1-9][0-9]{8}$`)
	seen := map[string]bool{}
	for range 2000 {
		c := NewChallenge()
		if !shape.MatchString(c) || seen[c] {
			t.Fatalf("challenge %q, after %d others", c, len(seen))
		}
		seen[c] = true
	}
	for _, c := range []struct {
		r    uint64
		want string
	}{{0, "1000"}, {8999, "9999"}, {9000, "1000"}, {8_999_999, "9999"}} {
		if got := string(appendDigits(nil, c.r, 4)); got != c.want {
			t.Errorf("4 digits of %d are %s; want %s", c.r, got, c.want)
		}
	}
}

func TestCheckMD5(t *testing.T) {
	v := testVault()
	const alice = "alice@example.com"
	k := set(t, v, alice, "secret", true)
	unkept := set(t, v, alice, "secret", false)
	broken, err := UnmarshalKeys(k.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	broken.open().sealed[20] ^= 1
	short, _ := UnmarshalKeys(k.Marshal())
	short.open().sealed = short.open().sealed[:5]
	decoyed := NewSecret("a password").MD5Response(testChallenge)

	for _, c := range []struct {
		what               string
		v                  *Vault
		address            string
		keys               Keys
		challenge, respond string
		want               bool
	}{
		{"right", v, alice, k, testChallenge, testResponse, true},
		{"upper case", v, alice, k, testChallenge, strings.ToUpper(testResponse), true},
		{"mixed case", v, alice, k, testChallenge, "2976B981ef84ce29f35136d7465e731B", true},
		{"another response", v, alice, k, testChallenge, "3976b981ef84ce29f35136d7465e731b", false},
		{"another challenge", v, alice, k, "1234567890.123456788", testResponse, false},
		{"no response", v, alice, k, testChallenge, "", false},
		{"a digit less", v, alice, k, testChallenge, testResponse[1:], false},
		{"a byte more", v, alice, k, testChallenge, testResponse + "00", false},
		{"no digits", v, alice, k, testChallenge, "2976b981ef84ce29f35136d7465e731g", false},
		{"the password", v, alice, k, testChallenge, "secret", false},
		{"very long", v, alice, k, testChallenge, strings.Repeat("0", 1<<16), false},
		{"another account", v, "bob@example.com", k, testChallenge, testResponse, false},
		{"another key file", NewVault(make([]byte, keySize)), alice, k, testChallenge, testResponse, false},
		{"not kept", v, alice, unkept, testChallenge, testResponse, false},
		{"not kept, the decoy's", v, alice, unkept, testChallenge, decoyed, false},
		{"unknown", v, alice, Keys{}, testChallenge, testResponse, false},
		{"unknown, the decoy's", v, alice, Keys{}, testChallenge, decoyed, false},
		{"decoy keys", v, alice, v.DecoyScram(alice), testChallenge, decoyed, false},
		{"unknown, nothing", v, "", Keys{}, "", "d41d8cd98f00b204e9800998ecf8427e", false},
		{"changed", v, alice, broken, testChallenge, testResponse, false},
		{"changed, no password", v, alice, broken, "", "d41d8cd98f00b204e9800998ecf8427e", false},
		{"cut off", v, alice, short, testChallenge, testResponse, false},
	} {
		if got := c.v.CheckMD5(c.address, c.keys, c.challenge, []byte(c.respond)); got != c.want {
			t.Errorf("%s: %t", c.what, got)
		}
	}
	if _, ok := v.MD5Response(alice, Keys{}, testChallenge); ok {
		t.Error("a response for an account that does not exist")
	}
}

// The bytes that a client types go into the sum, not the form that SCRAM uses.
func TestMD5TakesBytesAsTyped(t *testing.T) {
	v := testVault()
	for _, p := range []string{"e\u0301", "a\u00a0b", " secret ", strings.Repeat("é", 128)} {
		k := set(t, v, "alice@example.com", p, true)
		if !v.CheckMD5("alice@example.com", k, testChallenge, []byte(NewSecret(p).MD5Response(testChallenge))) {
			t.Errorf("%q is refused", p)
		}
	}
}

func TestUnknownIsTheSameWork(t *testing.T) {
	v := testVault()
	count := func(k Keys) float64 {
		return testing.AllocsPerRun(100, func() { v.CheckMD5("alice@example.com", k, testChallenge, []byte(testResponse)) })
	}
	known := count(set(t, v, "alice@example.com", "secret", true))
	if unknown := count(Keys{}); unknown != known {
		t.Errorf("%v allocations for an account, %v for none", known, unknown)
	}
}

func TestVaultTogether(t *testing.T) {
	v := testVault()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 5 {
				k := set(t, v, "alice@example.com", "secret", true)
				c := NewChallenge()
				if !v.CheckMD5("alice@example.com", k, c, []byte(NewSecret("secret").MD5Response(c))) {
					t.Error("refused")
				}
				if v.CheckMD5("bob@example.com", Keys{}, c, []byte(testResponse)) {
					t.Error("let in")
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkCheckMD5(b *testing.B) {
	v := testVault()
	k := set(b, v, "alice@example.com", "secret", true)
	for _, c := range []struct {
		name string
		keys Keys
		want bool
	}{{"known", k, true}, {"unknown", Keys{}, false}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			response := []byte(testResponse)
			for b.Loop() {
				if v.CheckMD5("alice@example.com", c.keys, testChallenge, response) != c.want {
					b.Fatal("wrong answer")
				}
			}
		})
	}
}

func BenchmarkNewChallenge(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewChallenge()
	}
}
