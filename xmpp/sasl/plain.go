package sasl

import (
	"bytes"
	"context"
	"unicode/utf8"

	"parley/credential"
)

// plainMessage is the one message of PLAIN, RFC 4616.
type plainMessage struct {
	authzid, user string
	password      credential.Secret
}

// parsePlain reads it: an authzid, which may be empty, a user and a password, which may
// not, with zero bytes between them, all of it UTF-8.
func parsePlain(b []byte) (m plainMessage, ok bool) {
	authzid, rest, _ := bytes.Cut(b, []byte{0})
	user, password, two := bytes.Cut(rest, []byte{0})
	if !two || len(user) == 0 || len(password) == 0 || bytes.IndexByte(password, 0) >= 0 || !utf8.Valid(b) {
		return m, false
	}
	return plainMessage{string(authzid), string(user), credential.NewSecret(string(password))}, true
}

// plain checks a password, RFC 4616; RFC 6120 6.3.7.
func (s *Server) plain(ctx context.Context, message []byte) Result {
	m, ok := parsePlain(message)
	if !ok {
		return failed(MalformedRequest, "the message of PLAIN cannot be read")
	}
	k, r := s.keys(ctx, m.user)
	if r.Fail != "" {
		return r
	}
	if !s.config.Vault.CheckPassword(m.user, k, m.password) {
		return failed(NotAuthorized, wrongProof).by(m.user)
	}
	return s.done(m.user, m.authzid, nil)
}

// wrongProof is the one cause for whoever does not exist and whoever mistypes.
const wrongProof = "the password is wrong, or there is no such account"
