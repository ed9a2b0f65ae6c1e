package credential

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
)

// nobody is whom the decoy is sealed for: about as long as addresses are, and none.
const nobody = "nobody nobody nobody"

// keySize is the size of the key file in bytes; all of it is the key.
const keySize = 32

// Vault makes the Keys of accounts and checks logins against them. It is safe for use by
// any number of goroutines at once.
type Vault struct {
	in *vault // behind a pointer of its own, as fmt follows an unexported *Vault
}

type vault struct {
	path  string // of the key file; empty for a key that came otherwise
	key   []byte
	aead  cipher.AEAD
	salt  []byte // makes the salts of accounts that do not exist
	decoy []byte // sealed for nobody: opened where there is nothing to open
}

// Open reads the key file, 32 bytes, and makes it when there is none: readable by its
// owner only, on disk before Open returns, and never in the place of another. The key
// belongs to the database beside it: without it every password must be set again.
func Open(path string) (*Vault, error) {
	key, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("make the key file %s: %w", path, err)
		}
		key, err = readKey(path) // also when somebody else was first
	}
	if err != nil {
		return nil, fmt.Errorf("read the key file %s: %w", path, err)
	}
	v := NewVault(key)
	v.in.path = path
	return v, nil
}

// NewVault takes the key itself, at least 16 bytes, or panics. It is for tests and for
// keys that come from elsewhere.
func NewVault(key []byte) *Vault {
	if len(key) < 16 {
		panic(fmt.Sprintf("credential: a key of %d bytes", len(key)))
	}
	v := &Vault{&vault{key: bytes.Clone(key)}}
	v.in.salt = v.derive("salt of nobody")
	block, err := aes.NewCipher(v.derive("seal"))
	if err != nil {
		panic(err) // 32 bytes are a key of AES-256
	}
	if v.in.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		panic(err)
	}
	v.in.decoy = v.seal(nobody, "a password")
	return v
}

// readKey reads all of the file, which must be exactly a key.
func readKey(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	key, err := io.ReadAll(io.LimitReader(f, keySize+1))
	if err != nil {
		return nil, bare(err)
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("it does not hold %d bytes, so it is no key: bring back the right one from a backup; "+
			"without it every password must be set again", keySize)
	}
	return key, nil
}

// makeKey writes a new key beside the path and gives it its name when it is on disk
// whole. A link, unlike a rename, takes no other file's place.
func makeKey(path string) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".key-*") // of mode 0600
	if err != nil {
		return bare(err)
	}
	defer os.Remove(f.Name())
	if err := fill(f); err != nil {
		return err
	}
	switch err := os.Link(f.Name(), path); {
	case errors.Is(err, fs.ErrExist):
		return err
	case err != nil:
		// A file system without links: a crash may leave half a key then, which Open
		// tells.
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return bare(err)
		}
		if err := fill(f); err != nil {
			os.Remove(path)
			return err
		}
	}
	if d, err := os.Open(dir); err == nil { // not every system can sync a folder
		d.Sync()
		d.Close()
	}
	return nil
}

// fill writes a new key, waits for the disk and closes the file.
func fill(f *os.File) error {
	key := make([]byte, keySize)
	rand.Read(key)
	_, err := f.Write(key)
	return bare(errors.Join(err, f.Sync(), f.Close()))
}

// bare takes off what Open says itself: the act and the file.
func bare(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// Exposed says that others than its owner may read the key file, and what to do about
// it: whoever has it and the database has all passwords that are kept. It has nothing
// to say where files have no such modes.
func (v *Vault) Exposed() error {
	if v.in.path == "" || runtime.GOOS == "windows" {
		return nil
	}
	info, err := os.Stat(v.in.path)
	if err != nil {
		return fmt.Errorf("look at the key file %s: %w", v.in.path, bare(err))
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("the key file %s can be read or written by others (mode %04o): run chmod 600 %s", v.in.path, mode, v.in.path)
	}
	return nil
}

// ID tells keys from each other, as 16 hexadecimal digits, and says nothing about them.
// A store keeps it, so that a database with the wrong key file is noticed at start.
func (v *Vault) ID() string { return hex.EncodeToString(v.derive("id")[:8]) }

// DeriveKey makes a key of 32 bytes for another purpose, such as signing tickets: always
// the same for a label, and nothing can be learned from it about any other.
// RFC 5869 2.3.
func (v *Vault) DeriveKey(label string) []byte { return v.derive("for " + label) }

func (v *Vault) derive(label string) []byte {
	key, err := hkdf.Key(sha256.New, v.in.key, nil, "parley "+label, 32)
	if err != nil {
		panic(err) // only for lengths that nobody asks for
	}
	return key
}

// Set makes the Keys of a new password. The address is that of the account, in its
// normal form: sealed keys do not open for another. Without keep the password itself is
// not kept, and MSNP clients cannot log in. It takes about 1.4 ms of CPU; many accounts
// are set by several goroutines at once. The error is that of Check.
func (v *Vault) Set(address string, password Secret, keep bool) (Keys, error) {
	raw := password.Reveal()
	prepared, err := prepare(raw)
	if err != nil {
		return Keys{}, err
	}
	k := new(keys)
	if k.sha1, err = newScramKeys(SHA1, prepared); err != nil {
		return Keys{}, err
	}
	if k.sha256, err = newScramKeys(SHA256, prepared); err != nil {
		return Keys{}, err
	}
	if keep {
		k.sealed = v.seal(address, raw)
	}
	return box(k), nil
}

// ErrWrongKey is a sealed password that does not open: it was sealed under another key
// file or for another account, or has changed since.
var ErrWrongKey = errors.New("the kept password does not open: the key file is not the one of this database, or the row is another account's")

// Verify tells whether the password kept in k can be opened for the address, and is nil
// when none is kept. A login with a key file that does not fit looks like a wrong
// password; this tells the operator the difference.
func (v *Vault) Verify(address string, k Keys) error {
	if !k.Sealed() {
		return nil
	}
	buf, _, ok := v.open(nil, address, k.open().sealed)
	clear(buf)
	if !ok {
		return ErrWrongKey
	}
	return nil
}

// A password is sealed with zeroes after it, up to a multiple of sealUnit, and its length
// in the last two bytes: neither the database nor the time tells how long it is.
const (
	sealUnit  = 64
	maxSealed = sealUnit*((maxPassword+2+sealUnit-1)/sealUnit) + 28 // nonce and tag
)

func (v *Vault) seal(address, password string) []byte {
	size := (len(password) + 2 + sealUnit - 1) / sealUnit * sealUnit
	plain := make([]byte, size)
	defer clear(plain)
	copy(plain, password)
	plain[size-2], plain[size-1] = byte(len(password)>>8), byte(len(password))
	return v.in.aead.Seal(nil, nil, plain, aad(address))
}

// open appends a sealed password, with its zeroes, to buf, and says how much of that is
// challenge (what buf held) and password. The caller clears the buffer.
func (v *Vault) open(buf []byte, address string, sealed []byte) (all []byte, length int, ok bool) {
	start := len(buf)
	all, err := v.in.aead.Open(buf, nil, sealed, aad(address))
	if err != nil || len(all) < start+sealUnit {
		return buf, start, false
	}
	length = int(all[len(all)-2])<<8 | int(all[len(all)-1])
	if length > len(all)-start-2 {
		return all, start, false
	}
	return all, start + length, true
}

func aad(address string) []byte { return []byte("parley password\x00" + address) }

// String is "[secret]".
func (*Vault) String() string { return redacted }

// Format prints "[secret]", whatever the verb.
func (*Vault) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// LogValue is "[secret]".
func (*Vault) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is "[secret]".
func (*Vault) MarshalText() ([]byte, error) { return []byte(redacted), nil }
