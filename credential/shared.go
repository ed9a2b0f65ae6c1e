package credential

import (
	"fmt"
	"hash"
	"io"
	"log/slog"
)

// Shared is a password that two domains share: each proves to the other that it knows it. It makes digests, and gives
// nothing else. The zero Shared makes none. SSP 6.
type Shared struct {
	// Two pointers, as with Keys.
	p **[]byte
}

// SealShared seals the password shared with a domain, for one column. The name is the domain's in its normal form:
// what is sealed does not open for another. The error is that of Check.
func (v *Vault) SealShared(name string, password Secret) ([]byte, error) {
	raw := password.Reveal()
	if _, err := prepare(raw); err != nil {
		return nil, err
	}
	return v.seal(sharedWith(name), raw), nil
}

// OpenShared opens what SealShared sealed. The error says that the bytes are another domain's, or were sealed under
// another key file.
func (v *Vault) OpenShared(name string, sealed []byte) (Shared, error) {
	b, length, ok := v.open(nil, sharedWith(name), sealed)
	if !ok {
		clear(b)
		return Shared{}, fmt.Errorf("the password kept for the domain %s does not open: the key file is not the one of this database; "+
			"bring that back from a backup, or set the password anew", name)
	}
	clear(b[length:])
	password := new([]byte)
	*password = b[:length]
	return Shared{&password}, nil
}

// sharedWith is whom a shared password is sealed for: no address has a blank in it.
func sharedWith(name string) string { return "the domain " + name }

// Digest is the hash of a token and the password after it. The zero Shared gives nil, which proves nothing.
// SSP 6; ssp-syntax 5.1.
func (s Shared) Digest(sum func() hash.Hash, token []byte) []byte {
	if s.p == nil {
		return nil
	}
	h := sum()
	h.Write(token)
	h.Write(**s.p)
	return h.Sum(nil)
}

// String is "[secret]".
func (Shared) String() string { return redacted }

// Format prints "[secret]", whatever the verb.
func (Shared) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// LogValue is "[secret]".
func (Shared) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is "[secret]".
func (Shared) MarshalText() ([]byte, error) { return []byte(redacted), nil }
