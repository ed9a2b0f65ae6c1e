package credential

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func testVault() *Vault { return NewVault(bytes.Repeat([]byte{7}, keySize)) }

func set(t testing.TB, v *Vault, address, password string, keep bool) Keys {
	t.Helper()
	k, err := v.Set(address, NewSecret(password), keep)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOpenMakesTheKeyOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	v, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(path)
	if err != nil || len(key) != keySize || bytes.Equal(key, make([]byte, keySize)) {
		t.Fatalf("the file holds %d bytes, %v", len(key), err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
	if err := v.Exposed(); err != nil {
		t.Errorf("a new key file: %v", err)
	}
	again, err := Open(path)
	if err != nil || again.ID() != v.ID() {
		t.Errorf("the second time: %v, %v and %v", err, again.ID(), v.ID())
	}
	if still, _ := os.ReadFile(path); !bytes.Equal(still, key) {
		t.Error("the key file was written again")
	}
	if all, _ := os.ReadDir(dir); len(all) != 1 {
		t.Errorf("the folder holds %v", all)
	}
	if other, err := Open(filepath.Join(dir, "other")); err != nil || other.ID() == v.ID() {
		t.Errorf("another file: %v, the same key", err)
	}
}

func TestOpenTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	ids := make([]string, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			v, err := Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = v.ID()
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("keys of one file: %v", ids)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, size := range []int{0, keySize - 1, keySize + 1, 100_000} {
		path := filepath.Join(dir, fmt.Sprint("key", size))
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "32 bytes") {
			t.Errorf("a file of %d bytes: %v", size, err)
		}
		if info, _ := os.Stat(path); info.Size() != int64(size) {
			t.Errorf("a file of %d bytes has %d now", size, info.Size())
		}
	}
	nowhere := filepath.Join(dir, "none", "key")
	for _, path := range []string{dir, nowhere} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("Open(%s): %v", path, err)
		}
	}
}

func TestExposed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	v, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for mode, open := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true, 0o620: true, 0o666: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err != nil {
			t.Errorf("mode %v keeps from opening: %v", mode, err)
		}
		err := v.Exposed()
		if (err != nil) != open {
			t.Errorf("mode %v: %v", mode, err)
		}
		if open && !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %v: %q does not say what to do", mode, err)
		}
	}
	if err := testVault().Exposed(); err != nil {
		t.Errorf("a vault without a file: %v", err)
	}
}

func TestDeriveKey(t *testing.T) {
	v := testVault()
	a, b := v.DeriveKey("tickets"), v.DeriveKey("cookies")
	if len(a) != 32 || bytes.Equal(a, b) || !bytes.Equal(a, testVault().DeriveKey("tickets")) {
		t.Errorf("derived %x and %x", a, b)
	}
	if other := NewVault(bytes.Repeat([]byte{8}, keySize)); bytes.Equal(a, other.DeriveKey("tickets")) || other.ID() == v.ID() {
		t.Error("another key derives the same")
	}
	if bytes.Equal(v.DeriveKey("seal"), v.derive("seal")) {
		t.Error("a label reaches the vault's own keys")
	}
}

func TestSetRefuses(t *testing.T) {
	for _, p := range []string{"", "a\nb", "\xff", strings.Repeat("x", 257)} {
		if k, err := testVault().Set("a@b", NewSecret(p), true); err == nil || !k.IsZero() {
			t.Errorf("Set(%q) = %v", p, err)
		}
	}
}

func TestMarshal(t *testing.T) {
	v := testVault()
	for _, password := range []string{"s", "secret", strings.Repeat("x", 62), strings.Repeat("x", 63), strings.Repeat("é", 128)} {
		for _, keep := range []bool{true, false} {
			k := set(t, v, "alice@example.com", password, keep)
			b := k.Marshal()
			if len(b) > 600 {
				t.Errorf("%d bytes of keys", len(b))
			}
			back, err := UnmarshalKeys(b)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(back.Marshal(), b) || back.Sealed() != keep || back.IsZero() {
				t.Errorf("%d bytes come back as %d", len(b), len(back.Marshal()))
			}
			clear(b) // a database driver may use its bytes again
			if !v.CheckPassword("alice@example.com", back, NewSecret(password)) {
				t.Error("the password does not fit what was read")
			}
			if got, ok := v.MD5Response("alice@example.com", back, "1.2"); ok != keep || keep && got != NewSecret(password).MD5Response("1.2") {
				t.Errorf("a password of %d bytes, kept %t: response %q", len(password), keep, got)
			}
		}
	}
	if b := (Keys{}).Marshal(); b != nil {
		t.Errorf("no keys are %d bytes", len(b))
	}
	if k, err := UnmarshalKeys(nil); err != nil || !k.IsZero() {
		t.Errorf("no bytes: %v", err)
	}
}

func TestSealHidesTheLength(t *testing.T) {
	v := testVault()
	if a, b := v.seal("a@b", "x"), v.seal("a@b", strings.Repeat("x", 62)); len(a) != len(b) || len(a) != len(v.in.decoy) {
		t.Errorf("sealed passwords of 1 and 62 bytes have %d and %d, the decoy %d", len(a), len(b), len(v.in.decoy))
	}
	if a := v.seal("a@b", strings.Repeat("x", maxPassword)); len(a) != maxSealed {
		t.Errorf("the longest has %d bytes; want %d", len(a), maxSealed)
	}
	if a, b := v.seal("a@b", "x"), v.seal("a@b", "x"); bytes.Equal(a, b) {
		t.Error("sealing twice gives the same bytes")
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	b := set(t, testVault(), "alice@example.com", "secret", true).Marshal()
	for n := 1; n < len(b); n++ {
		if _, err := UnmarshalKeys(b[:n]); !errors.Is(err, errKeys) {
			t.Fatalf("the first %d bytes of %d: %v", n, len(b), err)
		}
	}
	if _, err := UnmarshalKeys(append(bytes.Clone(b), 0)); !errors.Is(err, errKeys) {
		t.Errorf("a byte more: %v", err)
	}
	newer := bytes.Clone(b)
	newer[0]++
	if _, err := UnmarshalKeys(newer); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a newer form: %v", err)
	}
	none := append([]byte{version, 0}, b[3:]...)
	if _, err := UnmarshalKeys(none); !errors.Is(err, errKeys) {
		t.Errorf("no rounds: %v", err)
	}
}

func FuzzUnmarshalKeys(f *testing.F) {
	v := testVault()
	f.Add(set(f, v, "alice@example.com", "secret", true).Marshal())
	f.Add(set(f, v, "alice@example.com", "secret", false).Marshal())
	f.Add([]byte{version, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := UnmarshalKeys(b)
		if err != nil {
			return
		}
		again, err := UnmarshalKeys(k.Marshal())
		if err != nil || !bytes.Equal(again.Marshal(), k.Marshal()) {
			t.Fatalf("%x comes back as %x, %v", b, again.Marshal(), err)
		}
		if v.CheckMD5("alice@example.com", k, "1.2", make([]byte, 32)) {
			t.Fatalf("%x let somebody in", b)
		}
	})
}

func TestVerify(t *testing.T) {
	v := testVault()
	k := set(t, v, "alice@example.com", "secret", true)
	if err := v.Verify("alice@example.com", k); err != nil {
		t.Error(err)
	}
	if err := v.Verify("bob@example.com", k); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another account's: %v", err)
	}
	if err := NewVault(make([]byte, keySize)).Verify("alice@example.com", k); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another key: %v", err)
	}
	for _, none := range []Keys{{}, set(t, v, "alice@example.com", "secret", false)} {
		if err := v.Verify("alice@example.com", none); err != nil {
			t.Errorf("nothing kept: %v", err)
		}
	}
}

func BenchmarkSet(b *testing.B) {
	v := testVault()
	for b.Loop() {
		set(b, v, "alice@example.com", "secret", true)
	}
}
