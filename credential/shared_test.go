package credential

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// The digest is that of token and password, in this order. SSP 6; ssp-syntax 5.1.
func TestSharedDigest(t *testing.T) {
	v := NewVault([]byte("a key of no file"))
	sealed, err := v.SealShared("b.example", NewSecret("pass wörd"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := v.OpenShared("b.example", sealed)
	if err != nil {
		t.Fatal(err)
	}
	md, sha := md5.Sum([]byte("token"+"pass wörd")), sha1.Sum([]byte("token"+"pass wörd"))
	for range 2 {
		if got := s.Digest(md5.New, []byte("token")); !bytes.Equal(got, md[:]) {
			t.Errorf("MD5: %x, want %x", got, md)
		}
		if got := s.Digest(sha1.New, []byte("token")); !bytes.Equal(got, sha[:]) {
			t.Errorf("SHA: %x, want %x", got, sha)
		}
	}
	if got := (Shared{}).Digest(md5.New, []byte("token")); got != nil {
		t.Errorf("no password proves something: %x", got)
	}
}

func TestSharedOpensForItsDomainAlone(t *testing.T) {
	v := NewVault([]byte("a key of no file"))
	sealed, err := v.SealShared("b.example", NewSecret("secret"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := v.SealShared("b.example", NewSecret("secret"))
	if err != nil || bytes.Equal(sealed, again) || len(sealed) != len(again) {
		t.Errorf("the same password twice is sealed alike, %v", err)
	}
	keys, err := v.Set("b.example", NewSecret("secret"), true)
	if err != nil {
		t.Fatal(err)
	}
	for what, open := range map[string]func() (Shared, error){
		"another domain":     func() (Shared, error) { return v.OpenShared("c.example", sealed) },
		"another key":        func() (Shared, error) { return NewVault([]byte("another key file")).OpenShared("b.example", sealed) },
		"an account's":       func() (Shared, error) { return v.OpenShared("b.example", keys.open().sealed) },
		"none":               func() (Shared, error) { return v.OpenShared("b.example", nil) },
		"a byte is changed":  func() (Shared, error) { return v.OpenShared("b.example", append(bytes.Clone(sealed[1:]), 0)) },
		"only a part of one": func() (Shared, error) { return v.OpenShared("b.example", sealed[:20]) },
	} {
		s, err := open()
		if err == nil || !strings.Contains(err.Error(), "set the password anew") || s != (Shared{}) {
			t.Errorf("%s: %v, %v", what, s, err)
		}
	}
	for _, bad := range []string{"", "a\tb", strings.Repeat("x", 257), "\xff"} {
		if _, err := v.SealShared("b.example", NewSecret(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestSharedDoesNotPrint(t *testing.T) {
	const password = "Romeo Romeo"
	v := NewVault([]byte("a key of no file"))
	sealed, err := v.SealShared("b.example", NewSecret(password))
	if err != nil {
		t.Fatal(err)
	}
	s, err := v.OpenShared("b.example", sealed)
	if err != nil {
		t.Fatal(err)
	}
	type box struct{ in Shared }
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		if got := fmt.Sprintf(verb, s); got != redacted {
			t.Errorf("%s prints %s", verb, got)
		}
		fmt.Fprintf(&out, verb+"\n", &s)
		fmt.Fprintf(&out, verb+"\n", box{s})
		fmt.Fprintf(&out, verb+"\n", []any{s, box{s}})
	}
	j, err := json.Marshal(s)
	if err != nil || string(j) != `"[secret]"` {
		t.Errorf("JSON: %s, %v", j, err)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "s", s, "box", box{s})
	raw := []byte(password)
	for _, hidden := range []string{password, hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)),
		base64.StdEncoding.EncodeToString(raw)[:8], "82 111 109"} {
		if strings.Contains(out.String(), hidden) {
			t.Errorf("%q is printed:\n%s", hidden, &out)
		}
	}
}
