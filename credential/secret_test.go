package credential

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		password string
		want     error
	}{
		{"secret", nil},
		{"s", nil},
		{" correct horse battery staple ", nil},
		{"pässwörd ☃ 密码", nil},
		{strings.Repeat("a", 256), nil},
		{strings.Repeat("é", 128), nil},
		{"", ErrPasswordEmpty},
		{strings.Repeat("a", 257), ErrPasswordLong},
		{strings.Repeat("é", 129), ErrPasswordLong},
		{"p\xe4ss", ErrPasswordUTF8},
		{"a\tb", ErrPasswordControl},
		{"secret\n", ErrPasswordControl},
		{"a\x00b", ErrPasswordControl},
		{"a\x7fb", ErrPasswordControl},
		{"a\u0085b", ErrPasswordControl},
		{"a\u202eb", ErrPasswordRune},
		{"a\ue000b", ErrPasswordRune},
	} {
		if err := Check(NewSecret(c.password)); !errors.Is(err, c.want) {
			t.Errorf("Check(%q) = %v; want %v", c.password, err, c.want)
		}
	}
	if err := Check(Secret{}); !errors.Is(err, ErrPasswordEmpty) {
		t.Errorf("Check of the zero Secret: %v", err)
	}
}

func TestPrepareForSCRAM(t *testing.T) { // RFC 8265 4.2
	for _, c := range []struct{ typed, prepared string }{
		{"pencil", "pencil"},
		{"e\u0301", "é"},
		{"a\u3000b\u00a0c", "a b c"},
		{"Ａa", "Ａa"}, // width and case are kept
	} {
		if got, err := prepare(c.typed); err != nil || got != c.prepared {
			t.Errorf("prepare(%q) = %q, %v; want %q", c.typed, got, err, c.prepared)
		}
	}
}

func TestRandomPassword(t *testing.T) {
	seen := map[string]bool{}
	letters := map[rune]bool{}
	shape := regexp.MustCompile(`^[a-km-np-z2-9]{16}$`)
	for range 1000 {
		p := RandomPassword()
		if s := p.Reveal(); !shape.MatchString(s) || seen[s] || Check(p) != nil {
			t.Fatalf("RandomPassword made %q", s)
		}
		seen[p.Reveal()] = true
		for _, r := range p.Reveal() {
			letters[r] = true
		}
	}
	if len(letters) != 32 {
		t.Errorf("1000 passwords use %d characters; 80 bits need 32", len(letters))
	}
}

func TestClientResponse(t *testing.T) { // dialects 3.1
	for password, want := range map[string]string{
		"password": "f59af8f2fa91d38aff7c870c17f99903",
		"secret":   "2976b981ef84ce29f35136d7465e731b",
	} {
		if got := NewSecret(password).MD5Response("1234567890.123456789"); got != want {
			t.Errorf("the response of %q is %s; want %s", password, got, want)
		}
	}
}

// No part of a password, of stored keys or of the vault's key shows, however printed.
func TestNothingSecretPrints(t *testing.T) {
	const password = "Wherefore-art-thou"
	vaultKey := []byte("0123456789abcdefFEDCBA9876543210")
	v := NewVault(vaultKey)
	secret := NewSecret(password)
	k, err := v.Set("juliet@example.com", secret, true)
	if err != nil {
		t.Fatal(err)
	}
	type account struct {
		Password Secret
		Keys     Keys
		Vault    *Vault
		password Secret
		keys     Keys
		vault    *Vault
		any      any
		list     []Secret
		boxes    []*Secret
		byKeys   map[Keys]Secret
	}
	a := account{secret, k, v, secret, k, v, secret, []Secret{secret}, []*Secret{&secret}, map[Keys]Secret{k: secret}}

	for _, x := range []any{secret, &secret, Secret{}, k, &k, Keys{}, v} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%30s"} {
			if got := fmt.Sprintf(verb, x); got != redacted {
				t.Errorf("%s of %T prints %s", verb, x, got)
			}
		}
		if j, err := json.Marshal(x); err != nil || string(j) != `"[secret]"` {
			t.Errorf("JSON of %T is %s, %v", x, j, err)
		}
	}

	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t", "%c", "%U"} {
		for _, x := range []any{secret, &secret, k, &k, v, a, &a, []any{secret, k, v}, []account{a}} {
			fmt.Fprintf(&out, verb+"\n", x)
		}
	}
	j, err := json.Marshal(a)
	if err != nil || string(j) != `{"Password":"[secret]","Keys":"[secret]","Vault":"[secret]"}` {
		t.Errorf("JSON is %s, %v", j, err)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("x", "password", secret, "keys", k, "vault", v, "account", a, "box", &a, "err", fmt.Errorf("no: %v", secret))
	}
	in := k.open()
	hidden := []string{"[48 49 50", "[87 104 101"} // as bytes in decimal
	for _, b := range [][]byte{
		[]byte(password), []byte("Wherefore"), vaultKey, v.in.salt, v.in.decoy, in.sealed,
		in.sha1.salt[:], in.sha1.stored, in.sha1.server, in.sha256.stored, in.sha256.server,
	} {
		b = b[:8]
		dec := strings.Trim(fmt.Sprint(b), "[]")
		hidden = append(hidden, string(b), hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)),
			base64.StdEncoding.EncodeToString(b)[:10], dec)
	}
	for _, part := range hidden {
		if strings.Contains(out.String(), part) {
			t.Errorf("%q shows in what was printed", part)
		}
	}
}
