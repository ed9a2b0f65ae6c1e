package credential

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"hash"
)

// Hash is the hash function of a SCRAM mechanism.
type Hash int

// The mechanisms there are keys for: SCRAM-SHA-1 (RFC 5802) and SCRAM-SHA-256 (RFC 7677),
// with channel binding or without.
const (
	SHA1 Hash = iota + 1
	SHA256
)

// rounds is how often a password is hashed, RFC 7677 4.
const rounds = 4096

// new and size panic for a Hash that is none of the constants.
func (h Hash) new() hash.Hash {
	switch h {
	case SHA1:
		return sha1.New()
	case SHA256:
		return sha256.New()
	}
	panic(fmt.Sprintf("credential: Hash(%d)", int(h)))
}

func (h Hash) size() int {
	if h == SHA1 {
		return sha1.Size
	}
	return sha256.Size
}

func (h Hash) sum(b []byte) []byte {
	s := h.new()
	s.Write(b)
	return s.Sum(nil)
}

func (h Hash) hmac(key []byte, message string) []byte {
	m := hmac.New(h.new, key)
	m.Write([]byte(message))
	return m.Sum(nil)
}

func newScramKeys(h Hash, prepared string) (s scramKeys, err error) {
	s.rounds = rounds
	rand.Read(s.salt[:])
	s.stored, s.server, err = s.of(h, prepared)
	return s, err
}

// of makes StoredKey and ServerKey of a prepared password, with the salt and the rounds
// of s. RFC 5802 3.
func (s *scramKeys) of(h Hash, prepared string) (stored, server []byte, err error) {
	salted, err := h.salted(prepared, s.salt[:], s.rounds)
	if err != nil {
		return nil, nil, err
	}
	return h.sum(h.hmac(salted, "Client Key")), h.hmac(salted, "Server Key"), nil
}

// salted is the SaltedPassword, RFC 5802 3.
func (h Hash) salted(prepared string, salt []byte, rounds int) ([]byte, error) {
	b, err := pbkdf2.Key(h.new, prepared, salt, rounds, h.size())
	if err != nil {
		return nil, fmt.Errorf("make SCRAM keys: %w", err)
	}
	return b, nil
}

func (k Keys) scram(h Hash) *scramKeys {
	in := k.open()
	switch {
	case in == nil:
		return nil
	case h == SHA1:
		return &in.sha1
	case h == SHA256:
		return &in.sha256
	}
	return nil
}

// Scram is what a SCRAM server tells a client first: the salt, 16 bytes, and the number
// of rounds. For the zero Keys there is nothing to tell; use those of DecoyScram.
// RFC 5802 5.1.
func (k Keys) Scram(h Hash) (salt []byte, iterations int) {
	s := k.scram(h)
	if s == nil {
		return nil, 0
	}
	return bytes.Clone(s.salt[:]), s.rounds
}

// VerifyScram checks a client's proof for an exchange, whose three messages are joined in
// authMessage, and gives the signature with which the server proves itself in turn; none
// when the proof is wrong. RFC 5802 3.
func (k Keys) VerifyScram(h Hash, authMessage string, proof []byte) (signature []byte, ok bool) {
	s := k.scram(h)
	if s == nil || len(proof) != h.size() {
		return nil, false
	}
	client := h.hmac(s.stored, authMessage)
	subtle.XORBytes(client, client, proof)
	if subtle.ConstantTimeCompare(h.sum(client), s.stored) != 1 {
		return nil, false
	}
	return h.hmac(s.server, authMessage), true
}

// DecoyScram gives Keys for an account that does not exist or has none: salt and rounds
// look like any other's, are the same each time somebody asks for the address, and no
// proof fits. RFC 5802 5.1 wants no hint, and a salt that changes is one.
func (v *Vault) DecoyScram(address string) Keys {
	k := new(keys)
	for _, s := range []struct {
		h Hash
		*scramKeys
	}{{SHA1, &k.sha1}, {SHA256, &k.sha256}} {
		made := func(what string) []byte {
			return SHA256.hmac(v.in.salt, fmt.Sprintf("%d %s %s", s.h, what, address))
		}
		s.rounds = rounds
		copy(s.salt[:], made("salt"))
		s.stored = made("stored")[:s.h.size()]
		s.server = made("server")[:s.h.size()]
	}
	return box(k)
}

// CheckPassword reports whether the password is that of the account, by the keys of
// SCRAM-SHA-256. The zero Keys cost the same work, and the answer is no. About 0.7 ms
// of CPU: limit how often somebody may ask.
func (v *Vault) CheckPassword(address string, k Keys, password Secret) bool {
	known := 1
	if k.IsZero() {
		k, known = v.DecoyScram(address), 0
	}
	prepared, err := prepare(password.Reveal())
	if err != nil {
		return false // the same for everybody: no account has such a password
	}
	s := k.scram(SHA256)
	stored, _, err := s.of(SHA256, prepared)
	if err != nil {
		return false
	}
	return subtle.ConstantTimeCompare(stored, s.stored)&known == 1
}
