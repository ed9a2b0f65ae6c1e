// Package sasl is how people prove who they are on an XMPP stream: the mechanisms SCRAM
// (RFC 5802, RFC 7677), bound to the TLS connection or not (RFC 9266), and PLAIN
// (RFC 4616), as server and as client. It knows messages and failures, not the elements
// that carry them.
//
// A Server or a Client belongs to one connection and to the goroutine that reads it; the
// package keeps no other state. Words are those of RFC 6120 6 and RFC 5802 5.
package sasl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"parley/credential"
)

// The mechanisms, strongest first.
const (
	SHA256Plus = "SCRAM-SHA-256-PLUS"
	SHA1Plus   = "SCRAM-SHA-1-PLUS"
	SHA256     = "SCRAM-SHA-256"
	SHA1       = "SCRAM-SHA-1"
	PLAIN      = "PLAIN"
)

// mechanism is a row of what there is; SCRAM is all that has a hash.
type mechanism struct {
	name string
	hash credential.Hash
	plus bool // bound to the TLS connection
}

// mechanisms in the order in which they are offered, RFC 6120 6.3.3.
var mechanisms = []mechanism{
	{SHA256Plus, credential.SHA256, true},
	{SHA1Plus, credential.SHA1, true},
	{SHA256, credential.SHA256, false},
	{SHA1, credential.SHA1, false},
	{PLAIN, 0, false},
}

// find takes names as they are registered, in capitals only.
func find(name string) (mechanism, bool) {
	i := slices.IndexFunc(mechanisms, func(m mechanism) bool { return m.name == name })
	if i < 0 {
		return mechanism{}, false
	}
	return mechanisms[i], true
}

// Failure is why a login failed, in the word that goes on the wire; "" is none.
// RFC 6120 6.5.
type Failure string

// The failures of RFC 6120 6.5. An account that may not log in is not told from a wrong
// password, so account-disabled and credentials-expired are not among them.
const (
	Aborted            Failure = "aborted"
	EncryptionRequired Failure = "encryption-required"
	IncorrectEncoding  Failure = "incorrect-encoding"
	InvalidAuthzid     Failure = "invalid-authzid"
	InvalidMechanism   Failure = "invalid-mechanism"
	MalformedRequest   Failure = "malformed-request" // RFC 6120 6.5.8
	MechanismTooWeak   Failure = "mechanism-too-weak"
	NotAuthorized      Failure = "not-authorized"
	TemporaryFailure   Failure = "temporary-auth-failure"
)

// Error is the word itself.
func (f Failure) Error() string { return string(f) }

// ErrTemporary is what Config.Lookup wraps when it cannot tell, whoever asks:
// whoever logs in is told to try again later, RFC 6120 6.5.11. Everything else it
// returns looks like a wrong password.
var ErrTemporary = errors.New("accounts cannot be looked up now")

// Config is what a Server needs to know of its connection and its accounts.
type Config struct {
	// NeedTLS offers nothing: the connection is to be put under TLS first.
	NeedTLS bool
	// PLAIN allows it: the password itself crosses the connection.
	PLAIN bool
	// Binding is what the connection can be bound to; with any, both -PLUS mechanisms are
	// offered.
	Binding
	// Account gives the normal form of the account that a user name means, which is as
	// typed: "alice" or "alice@example.com"; "" for what can be none. Two names are the
	// same account when their forms are. nil: lower case, and the domain added.
	Account func(user string) string
	// Lookup gives the keys of a user, as typed. Any error, and keys that are zero, stand
	// for a user that does not exist: what follows looks like a wrong password. It is
	// asked once in an attempt, before any costly work: the place to limit how many.
	Lookup func(ctx context.Context, user string) (credential.Keys, error)
	// Vault checks passwords and makes up salts for those who do not exist.
	Vault *credential.Vault
}

// usable says whether the mechanism is offered, and what a client is told that asks for
// it all the same. RFC 6120 6.5.4, 6.5.7, 6.5.9.
func (c *Config) usable(m mechanism) Failure {
	switch {
	case c.NeedTLS:
		return EncryptionRequired
	case m.plus && len(c.Types()) == 0:
		return InvalidMechanism
	case m.name == PLAIN && !c.PLAIN:
		return MechanismTooWeak
	}
	return ""
}

// Offer lists the mechanisms that the server takes, strongest first; none while TLS is
// needed. RFC 6120 6.3.3, 6.3.4, 13.8.3, 13.9.4; RFC 5802 6.
//
// Deviates from RFC 6120 13.8.4: there is no EXTERNAL, as no client is asked for a certificate.
func Offer(c Config) []string {
	var l []string
	for _, m := range mechanisms {
		if c.usable(m) == "" {
			l = append(l, m.name)
		}
	}
	return l
}

// Choose picks the strongest mechanism that a server offers and a client can use, with
// PLAIN only if it may send the password. RFC 6120 6.3.3.
func Choose(offered []string, b Binding, plain bool) (string, error) {
	can := Config{PLAIN: plain, Binding: b}
	for _, m := range mechanisms {
		if can.usable(m) == "" && slices.Contains(offered, m.name) {
			return m.name, nil
		}
	}
	return "", fmt.Errorf("the server offers no mechanism that can be used here: %q; these can: %s",
		offered, strings.Join(Offer(can), ", "))
}

// OffersPlus reports whether a mechanism bound to the connection is among those offered,
// as NewClient asks.
func OffersPlus(offered []string) bool {
	return slices.ContainsFunc(offered, func(name string) bool {
		m, ok := find(name)
		return ok && m.plus
	})
}
