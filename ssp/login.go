package ssp

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

// Hash is how two domains agreed to make digests. SSP 6; ssp-syntax 5.1.
type Hash uint8

const (
	MD5 Hash = iota
	SHA      // SHA-1
)

// ParseHash reads a name: MD5 or SHA, in either case.
func ParseHash(s string) (Hash, error) {
	switch s {
	case "md5", "MD5":
		return MD5, nil
	case "sha", "SHA":
		return SHA, nil
	}
	return 0, fmt.Errorf("%q is not a digest of SSP; write md5 or sha", s)
}

func (h Hash) String() string {
	if h == SHA {
		return "sha"
	}
	return "md5"
}

// NewToken makes a secret token: 128 random bits, 32 hexadecimal digits. SSP 6; ssp-syntax 5.1.
func NewToken() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Digest proves that its maker knows the password: the hash of the other's token and the password after it. The
// token's octets count as they came, without blanks around them. SSP 6; ssp-syntax 5.1, 9.
func Digest(h Hash, token, password []byte) []byte {
	if h == SHA {
		s := sha1.New()
		s.Write(token)
		s.Write(password)
		return s.Sum(nil)
	}
	s := md5.New()
	s.Write(token)
	s.Write(password)
	return s.Sum(nil)
}

// FormatDigest writes a digest as PasswordDigest holds it, in base64. ssp-syntax 5.1.
func FormatDigest(digest []byte) string { return base64.StdEncoding.EncodeToString(digest) }

// Proves reports that digest is the one of this token and password. It takes the same time for each wrong one.
func Proves(h Hash, digest, token, password []byte) bool {
	return subtle.ConstantTimeCompare(digest, Digest(h, token, password)) == 1
}

// TokenDigest is what the public implementation of oma13 sends in place of Digest: it holds no password, so it proves
// only that the token arrived at the maker's registered host. ssp-syntax 5.1.
func TokenDigest(h Hash, token []byte) []byte { return Digest(h, token, nil) }
