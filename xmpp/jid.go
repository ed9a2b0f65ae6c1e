package xmpp

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"

	"parley/im"
)

// maxResource is the greatest length of a resource, in bytes of the normalised form, RFC 7622 3.4.
const maxResource = 1023

// JID is an address with or without a resource, normalised: two JIDs are the same exactly when == says so. The zero
// JID is nobody's. RFC 7622 3.
type JID struct {
	Bare     im.Address
	Resource string // "" is none
}

// Why a resource is refused; the words go on after "the resource".
var (
	errEmpty    = errors.New("is missing after the slash")
	errLong     = fmt.Errorf("is longer than %d bytes", maxResource)
	errUTF8     = errors.New("is not valid UTF-8")
	errRunes    = errors.New("has characters that are not allowed")
	errBlank    = errors.New("begins with a blank")
	errUnstable = errors.New("has no one normal form")
)

// ParseJID normalises s: the resource is all after the first slash, by PRECIS OpaqueString, 1 to 1023 bytes; the rest
// is im.ParseAddress's. The error wraps im.ErrBadAddress and says what is wrong. A clean s is kept as it is.
// RFC 7622 3.1, 3.4, 3.5; RFC 8265 4.2.
func ParseJID(s string) (JID, error) {
	bare, resource, full := strings.Cut(s, "/")
	a, err := im.ParseAddress(bare)
	if err != nil || !full {
		return JID{Bare: a}, err
	}
	if resource, err = ParseResource(resource); err != nil {
		return JID{}, err
	}
	return JID{a, resource}, nil
}

// ParseJIDBytes is ParseJID for what still stands in a read buffer, which the JID never shares.
func ParseJIDBytes(b []byte) (JID, error) {
	// Beyond this one of the parts is too long anyway, and the rest not worth a copy.
	return ParseJID(string(b[:min(len(b), 12*maxResource+3)]))
}

// MustJID is ParseJID for what is written into the program; it panics where ParseJID has an error.
func MustJID(s string) JID {
	j, err := ParseJID(s)
	if err != nil {
		panic(err)
	}
	return j
}

// ParseResource normalises a resource by itself, as one asked for at binding: RFC 6120 7.7, RFC 7622 3.4. A blank at
// the begin is refused, as in example 18 of RFC 7622 3.5. The error wraps im.ErrBadAddress.
func ParseResource(s string) (string, error) {
	r, err := normalResource(s)
	if err != nil {
		return "", fmt.Errorf("%w: the resource %w", im.ErrBadAddress, err)
	}
	return r, nil
}

func normalResource(s string) (string, error) {
	switch {
	case s == "":
		return "", errEmpty
	case len(s) > 4*maxResource: // a normal form is hardly shorter than a quarter
		return "", errLong
	}
	if !plain(s) {
		if !utf8.ValidString(s) {
			return "", errUTF8
		}
		var err error
		if s, err = opaque(s); err != nil {
			return "", err
		}
	}
	switch {
	case s[0] == ' ':
		return "", errBlank
	case len(s) > maxResource:
		return "", errLong
	}
	return s, nil
}

// plain reports that s is ASCII without control characters: PRECIS leaves it as it is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// opaque applies OpaqueString until nothing changes, as a normal form must be its own: RFC 8264 7 knows of profiles
// that need more than one turn.
func opaque(s string) (string, error) {
	for range 4 {
		next, err := precis.OpaqueString.String(s)
		switch {
		case err != nil:
			return "", errRunes
		case next == "":
			return "", errEmpty
		case next == s:
			return s, nil
		}
		s = next
	}
	return "", errUnstable
}

// IsZero reports that this is nobody's address.
func (j JID) IsZero() bool { return j == JID{} }

// IsFull reports that the JID has a resource.
func (j JID) IsFull() bool { return j.Resource != "" }

// String is the normalised form; ParseJID gives the same JID for it.
func (j JID) String() string {
	if j.Resource == "" {
		return j.Bare.String()
	}
	return j.Bare.String() + "/" + j.Resource
}

// AppendTo appends String.
func (j JID) AppendTo(dst []byte) []byte {
	dst = append(dst, j.Bare.String()...)
	if j.Resource != "" {
		dst = append(dst, '/')
		dst = append(dst, j.Resource...)
	}
	return dst
}

// MarshalText gives String, for logs and JSON.
func (j JID) MarshalText() ([]byte, error) { return j.AppendTo(nil), nil }
