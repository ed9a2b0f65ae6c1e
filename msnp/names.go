package msnp

import (
	"strings"
	"unicode/utf8"
)

// Lengths in bytes: draft 5.4 and 5.5, dialects 1.5.
const (
	MaxHandle   = 129
	MaxName     = 387 // URL-encoded
	MaxGroup    = 61  // a group's name, URL-encoded: dialects 1.5, 6
	MaxProperty = 95  // a property's value, URL-encoded: dialects 1.5, 4.7
	MaxGroups   = 30  // of one account, numbers 0 to 29
)

// plain are the bytes that names carry as they are: dialects 1.4.
var plain = bytesOf("-_.!~*'()@+$,:;=/?")

// bytesOf is a table of the letters, the digits and others.
func bytesOf(others string) (t [256]bool) {
	for _, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + others) {
		t[b] = true
	}
	return t
}

// EncodeName URL-encodes a name for the wire: draft 5.5, dialects 1.4. What is no UTF-8 becomes U+FFFD. Whether
// the result is short enough is asked with FitName.
func EncodeName(s string) string {
	if clean(s) {
		return s
	}
	return string(AppendEncoded(nil, s))
}

// AppendEncoded is EncodeName that appends.
func AppendEncoded(dst []byte, s string) []byte { return appendEncoded(dst, s, &plain) }

// FitName is EncodeName that leaves characters off the end until at most MaxName bytes are left: for names that
// come from elsewhere.
func FitName(s string) string { return Fit(s, MaxName) }

// Fit is FitName for at most so many bytes.
func Fit(s string, most int) string {
	s = EncodeName(s)
	if len(s) <= most {
		return s
	}
	s = strings.ToValidUTF8(unescape(s), "\uFFFD")
	room := most
	for i, r := range s {
		if room -= encodedLen(r); room < 0 {
			return EncodeName(s[:i])
		}
	}
	return EncodeName(s)
}

func encodedLen(r rune) int {
	if r < utf8.RuneSelf && plain[r] {
		return 1
	}
	return 3 * utf8.RuneLen(r)
}

func clean(s string) bool {
	for i := range len(s) {
		if !plain[s[i]] {
			return false
		}
	}
	return true
}

const hexDigits = "0123456789ABCDEF"

func appendEncoded(dst []byte, s string, keep *[256]bool) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	for i := range len(s) {
		if b := s[i]; keep[b] {
			dst = append(dst, b)
		} else {
			dst = append(dst, '%', hexDigits[b>>4], hexDigits[b&15])
		}
	}
	return dst
}

// DecodeName reads a URL-encoded name. A plus sign is a plus sign, and bare UTF-8 is taken. It is
// ErrInvalidFriendlyName when %XX is no hexadecimal number, when the name holds NUL or is no UTF-8, and when it is,
// as sent or as it would be sent on, longer than MaxName.
func DecodeName(b []byte) (string, error) {
	if len(b) > MaxName {
		return "", ErrInvalidFriendlyName
	}
	s := string(b)
	if clean(s) {
		return s, nil
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if i+2 >= len(s) || unhex(s[i+1]) < 0 || unhex(s[i+2]) < 0 {
			return "", ErrInvalidFriendlyName
		}
		i += 2
	}
	s = unescape(s)
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return "", ErrInvalidFriendlyName
	}
	room := MaxName
	for _, r := range s {
		if room -= encodedLen(r); room < 0 {
			return "", ErrInvalidFriendlyName
		}
	}
	return s, nil
}

// unescape resolves every %XX and leaves what is none as it is.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0 {
			b = append(b, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

func unhex(b byte) int {
	switch {
	case '0' <= b && b <= '9':
		return int(b - '0')
	case 'a' <= b|0x20 && b|0x20 <= 'f':
		return int(b|0x20-'a') + 10
	}
	return -1
}

// CheckHandle says what is wrong with a user handle: draft 5.4. It is ErrFQDNMissing for a local part without a
// domain, ErrInvalidUsername for anything else that is no user@domain of at most MaxHandle printable ASCII
// characters. Handles are sent as they are, so others cannot be said.
func CheckHandle(s string) error {
	if s == "" || len(s) > MaxHandle {
		return ErrInvalidUsername
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return ErrInvalidUsername
		}
	}
	local, domain, _ := strings.Cut(s, "@")
	switch {
	case local == "" || strings.Contains(domain, "@"):
		return ErrInvalidUsername
	case domain == "":
		return ErrFQDNMissing
	}
	return nil
}

// ValidHandle reports whether CheckHandle finds nothing wrong.
func ValidHandle(s string) bool { return CheckHandle(s) == nil }
