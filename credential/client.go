package credential

import (
	"crypto/hmac"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Prover holds the keys of one password for one salt and number of rounds, with which a
// client proves it and checks that the server knows it too. The zero Prover proves
// nothing. RFC 5802 3.
type Prover struct {
	// Two pointers, as with Keys.
	p **prover
}

type prover struct {
	hash           Hash
	client, server []byte // ClientKey, ServerKey
}

// Scram makes the keys of the password for what a SCRAM server told first: the salt, and
// 1 to 16,777,216 rounds. About 0.7 ms of CPU for 4,096 of them. The error is that of
// Check, or says that the salt is empty or the number out of range. RFC 5802 3.
func (s Secret) Scram(h Hash, salt []byte, iterations int) (Prover, error) {
	if len(salt) == 0 {
		return Prover{}, errors.New("the server's salt is empty: no password can be proved to it")
	}
	if iterations < 1 || iterations > maxRounds {
		return Prover{}, fmt.Errorf("the server asks for %d rounds of hashing: 1 to %d are possible", iterations, maxRounds)
	}
	prepared, err := prepare(s.Reveal())
	if err != nil {
		return Prover{}, err
	}
	salted, err := h.salted(prepared, salt, iterations)
	if err != nil {
		return Prover{}, err
	}
	p := &prover{h, h.hmac(salted, "Client Key"), h.hmac(salted, "Server Key")}
	clear(salted)
	return Prover{&p}, nil
}

// Proof is the ClientProof for the three messages of an exchange, joined in authMessage;
// as long as the hash. RFC 5802 3.
func (p Prover) Proof(authMessage string) []byte {
	if p.p == nil {
		return nil
	}
	in := *p.p
	proof := in.hash.hmac(in.hash.sum(in.client), authMessage)
	subtle.XORBytes(proof, proof, in.client)
	return proof
}

// Believes reports whether the signature is that of a server which has the keys of the
// password. RFC 5802 3.
func (p Prover) Believes(authMessage string, signature []byte) bool {
	if p.p == nil {
		return false
	}
	in := *p.p
	return hmac.Equal(in.hash.hmac(in.server, authMessage), signature)
}

// Plain is the one message of SASL PLAIN, RFC 4616: whom to act as, empty for the user
// itself, the user and the password as typed, with zero bytes between them. It is the
// password: only for a connection that nobody else reads.
func (s Secret) Plain(authzid, user string) []byte {
	return []byte(authzid + "\x00" + user + "\x00" + s.Reveal())
}

// String is "[secret]".
func (Prover) String() string { return redacted }

// Format prints "[secret]", whatever the verb.
func (Prover) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// LogValue is "[secret]".
func (Prover) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is "[secret]".
func (Prover) MarshalText() ([]byte, error) { return []byte(redacted), nil }
