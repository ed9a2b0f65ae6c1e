// Package credential keeps what people prove themselves with: passwords as they are
// typed, the keys that are stored instead of them, and the key file under which a
// password itself is kept for MSNP, whose challenge cannot be checked without it.
//
// Nothing secret prints: a Secret, Keys and a Vault are "[secret]" to fmt, to logs and
// to JSON. The package owns no state but the key read from its file; who stores Keys
// and who counts failed logins is decided elsewhere. Words are those of RFC 5802 and
// of draft 7.3.
package credential

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// redacted is how everything secret prints.
const redacted = "[secret]"

// Secret is a password as it was typed. Boxing a pointer keeps it back even where it is
// an unexported field and fmt asks no method (there an address shows). The zero Secret
// is the empty password, which Check refuses.
type Secret struct {
	p *string
}

// NewSecret boxes a password.
func NewSecret(s string) Secret { return Secret{&s} }

// RandomPassword makes a password for a demo account: 16 lower-case letters and digits
// that cannot be taken for each other, 80 bits. Old clients expect no more: that was the
// greatest length of a password in their time.
func RandomPassword() Secret {
	const alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
	b := make([]byte, 16)
	rand.Read(b)
	for i, r := range b {
		b[i] = alphabet[r%32]
	}
	return NewSecret(string(b))
}

// Reveal gives the password itself. Only the quickstart command may call it, for the
// demo accounts that it has just made and shows to their owner, and tests. Whoever has
// to prove a password, or to check one, uses the methods made for it.
func (s Secret) Reveal() string {
	if s.p == nil {
		return ""
	}
	return *s.p
}

// MD5Response is what a client answers to an MSNP challenge: the MD5 sum of the
// challenge and the bytes of the password, as 32 lower-case hexadecimal digits.
// draft 7.3; dialects 3.1.
func (s Secret) MD5Response(challenge string) string {
	sum := md5.Sum([]byte(challenge + s.Reveal()))
	return hex.EncodeToString(sum[:])
}

// maxPassword is the greatest length of a password in bytes.
const maxPassword = 256

// Why a password is refused.
var (
	ErrPasswordEmpty   = errors.New("the password is empty: it needs at least one character")
	ErrPasswordLong    = fmt.Errorf("the password is longer than %d bytes: take a shorter one", maxPassword)
	ErrPasswordUTF8    = errors.New("the password is not valid UTF-8: type it in a terminal, or save its file, as UTF-8")
	ErrPasswordControl = errors.New("the password contains a control character, such as a tab or the end of a line: leave it out")
	ErrPasswordRune    = errors.New("the password contains a character that no keyboard sends alike everywhere: take letters, digits, signs and blanks")
)

// Check says whether a password may be set: 1 to 256 bytes of valid UTF-8 without
// control characters, which PRECIS OpaqueString takes (RFC 8265 4.2), as the keys for
// SCRAM are made of that form. The error is for whoever sets it and does not repeat it.
func Check(password Secret) error {
	_, err := prepare(password.Reveal())
	return err
}

// prepare checks a password and gives the form that SCRAM uses. MSNP uses the bytes as
// typed.
func prepare(s string) (string, error) {
	switch {
	case s == "":
		return "", ErrPasswordEmpty
	case len(s) > maxPassword:
		return "", ErrPasswordLong
	case !utf8.ValidString(s):
		return "", ErrPasswordUTF8
	}
	plain := true // OpaqueString changes nothing in printable ASCII
	for _, r := range s {
		if unicode.IsControl(r) {
			return "", ErrPasswordControl
		}
		plain = plain && r < utf8.RuneSelf
	}
	if plain {
		return s, nil
	}
	s, err := precis.OpaqueString.String(s)
	if err != nil || s == "" {
		return "", ErrPasswordRune // the cause would name a character of it
	}
	return s, nil
}

// String is "[secret]".
func (Secret) String() string { return redacted }

// Format prints "[secret]", whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// LogValue is "[secret]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is "[secret]": there is no way back.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
