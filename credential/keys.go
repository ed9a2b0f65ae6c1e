package credential

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Keys is what is stored of a password: a salt, a number of rounds and the two keys of
// SCRAM-SHA-1 and of SCRAM-SHA-256 (RFC 5802 3, RFC 7677 3), and the password itself,
// sealed, when it is kept for MSNP. The zero Keys is an account that nobody can log in
// to. Keys never change; a new password makes new ones. == compares identity.
type Keys struct {
	// Two pointers: with a verb that fits no pointer, such as %s, fmt follows the first
	// in an unexported field, and prints the struct behind it.
	p **keys
}

func box(k *keys) Keys { return Keys{&k} }

// open is nil for the zero Keys.
func (k Keys) open() *keys {
	if k.p == nil {
		return nil
	}
	return *k.p
}

type keys struct {
	sha1, sha256 scramKeys
	sealed       []byte // empty when the password is not kept
}

type scramKeys struct {
	rounds         int
	salt           [saltSize]byte
	stored, server []byte // of the length of the hash
}

const (
	saltSize  = 16
	maxRounds = 1 << 24 // more would be a mistake, and minutes of work
)

// version is the first byte of marshalled Keys; another form gets another number.
const version = 1

var errKeys = errors.New("stored keys cannot be read")

// IsZero reports that there are no keys.
func (k Keys) IsZero() bool { return k.p == nil }

// Sealed reports that the password is kept, so that MSNP clients can log in.
func (k Keys) Sealed() bool { return k.p != nil && len(k.open().sealed) > 0 }

// Marshal gives the keys as a few hundred bytes for one column; no keys are no bytes.
// UnmarshalKeys reads them. The form: a version byte; for SHA-1 and then SHA-256 the
// rounds as an unsigned varint, 16 bytes of salt, StoredKey and ServerKey; the length
// of the sealed password as an unsigned varint, and that.
func (k Keys) Marshal() []byte {
	in := k.open()
	if in == nil {
		return nil
	}
	b := make([]byte, 0, 160+len(in.sealed))
	b = append(b, version)
	for _, s := range []*scramKeys{&in.sha1, &in.sha256} {
		b = binary.AppendUvarint(b, uint64(s.rounds))
		b = append(b, s.salt[:]...)
		b = append(b, s.stored...)
		b = append(b, s.server...)
	}
	b = binary.AppendUvarint(b, uint64(len(in.sealed)))
	return append(b, in.sealed...)
}

// UnmarshalKeys reads what Marshal wrote, and copies it. The error says what to think of
// bytes that are something else.
func UnmarshalKeys(b []byte) (Keys, error) {
	if len(b) == 0 {
		return Keys{}, nil
	}
	if b[0] != version {
		return Keys{}, fmt.Errorf("%w: they have form %d, this program knows form %d: was the database written by a newer one?", errKeys, b[0], version)
	}
	k := new(keys)
	r := reader{left: b[1:]}
	for _, s := range []struct {
		*scramKeys
		size int
	}{{&k.sha1, SHA1.size()}, {&k.sha256, SHA256.size()}} {
		s.rounds = int(r.number(1, maxRounds))
		copy(s.salt[:], r.bytes(saltSize))
		both := append([]byte(nil), r.bytes(2*s.size)...)
		if len(both) == 2*s.size {
			s.stored, s.server = both[:s.size:s.size], both[s.size:]
		}
	}
	k.sealed = append([]byte(nil), r.bytes(int(r.number(0, maxSealed)))...)
	if r.bad || len(r.left) > 0 {
		return Keys{}, fmt.Errorf("%w: %d bytes of them are not as they were written; set the password of this account again", errKeys, len(b))
	}
	return box(k), nil
}

// reader takes bytes apart; after the first that does not fit it gives nothing more.
type reader struct {
	left []byte
	bad  bool
}

func (r *reader) number(least, most uint64) uint64 {
	n, size := binary.Uvarint(r.left)
	if r.bad || size <= 0 || n < least || n > most {
		r.bad = true
		return 0
	}
	r.left = r.left[size:]
	return n
}

func (r *reader) bytes(n int) []byte {
	if r.bad || n > len(r.left) {
		r.bad = true
		return nil
	}
	b := r.left[:n]
	r.left = r.left[n:]
	return b
}

// String is "[secret]".
func (Keys) String() string { return redacted }

// Format prints "[secret]", whatever the verb.
func (Keys) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// LogValue is "[secret]".
func (Keys) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is "[secret]": a database takes Marshal.
func (Keys) MarshalText() ([]byte, error) { return []byte(redacted), nil }
