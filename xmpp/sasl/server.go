package sasl

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"parley/credential"
)

// Result is how the server answers: it fails (Fail is set), it succeeds, or it asks on.
type Result struct {
	// Challenge is the data of a challenge; nil, when neither Fail nor Success is set, asks
	// for what the client should have begun with.
	Challenge []byte
	Success   bool
	// Additional is the data that goes with success; nil for none.
	Additional []byte
	// User is who was let in, as typed: the name of an account or its address.
	User string
	Fail Failure
	// Tried is whom a failed attempt named, as typed, "" if nobody; and Cause says for the
	// log what was wrong, without anything that the client sent.
	Tried, Cause string
}

// Server answers one client's attempts to log in on one connection, one after another.
type Server struct {
	config Config
	offer  bool // -PLUS is offered
	// nonce makes the server's part of a nonce.
	nonce func() string

	next      step
	mechanism mechanism
	scram     scramServer
}

// step is what a client's next message is.
type step int

const (
	nothing step = iota // not begun, or over
	first               // the initial response, asked for
	final               // client-final-message
)

// NewServer makes the server of a connection that is for the domain. It may live through
// any number of attempts; who counts them is decided elsewhere, RFC 6120 6.4.5.
func NewServer(c Config, domain string) *Server {
	if c.Account == nil {
		c.Account = func(user string) string {
			user = strings.ToLower(user)
			if !strings.Contains(user, "@") {
				user += "@" + domain
			}
			return user
		}
	}
	return &Server{config: c, offer: !c.NeedTLS && len(c.Types()) > 0, nonce: rand.Text}
}

// Start answers an auth element: the mechanism that the client chose and, decoded, the
// initial response, if it sent one. What was under way is forgotten. The time is that of
// Step where the initial response is all. RFC 6120 6.4.2.
func (s *Server) Start(ctx context.Context, mechanism string, initial []byte, hasInitial bool) Result {
	s.forget()
	m, ok := find(mechanism)
	if !ok {
		return failed(InvalidMechanism, "the mechanism is unknown")
	}
	if f := s.config.usable(m); f != "" {
		return failed(f, "the mechanism is not offered")
	}
	s.mechanism, s.next = m, first
	if !hasInitial {
		return Result{} // both kinds begin with the client, RFC 5802 5.2
	}
	return s.Step(ctx, initial)
}

// Step answers a response element, decoded. A password of PLAIN takes about 0.7 ms of
// CPU, whether the user exists or not; a step of SCRAM takes microseconds. After success
// or failure only Start goes on. RFC 6120 6.4.3, 6.4.5, 6.4.6.
func (s *Server) Step(ctx context.Context, response []byte) Result {
	at := s.next
	s.next = nothing
	switch {
	case at == nothing:
		return failed(MalformedRequest, "a response, but no mechanism was chosen")
	case len(response) > MaxData:
		return failed(MalformedRequest, "the message is too long")
	case s.mechanism.name == PLAIN:
		return s.plain(ctx, response)
	case at == first:
		return s.clientFirst(ctx, response)
	}
	r := s.clientFinal(response)
	s.forget()
	return r
}

// Abort answers an abort element, whether anything is under way or not. RFC 6120 6.4.4.
func (s *Server) Abort() Result {
	s.forget()
	return failed(Aborted, "the client gave up")
}

func (s *Server) forget() {
	s.next, s.mechanism, s.scram = nothing, mechanism{}, scramServer{}
}

func failed(f Failure, cause string) Result { return Result{Fail: f, Cause: cause} }

// by says whom a failed attempt named.
func (r Result) by(user string) Result {
	r.Tried = user
	return r
}

// keys looks a user up; made-up keys that fit no password stand for one that has none.
// They are made for everybody, so that both ways are the same work. RFC 6120 6.5.10.
func (s *Server) keys(ctx context.Context, user string) (credential.Keys, Result) {
	account := s.config.Account(user)
	if account == "" {
		account = user
	}
	decoy := s.config.Vault.DecoyScram(account)
	k, err := s.config.Lookup(ctx, user)
	switch {
	case errors.Is(err, ErrTemporary), ctx.Err() != nil:
		return decoy, failed(TemporaryFailure, "accounts cannot be looked up now").by(user)
	case err != nil, k.IsZero():
		return decoy, Result{}
	}
	return k, Result{}
}

// done lets in a user whose proof was right, if it wants to act as itself.
// RFC 6120 6.3.8, 6.5.6.
func (s *Server) done(user, authzid string, additional []byte) Result {
	if authzid != "" {
		if a := s.config.Account(authzid); a == "" || a != s.config.Account(user) {
			return failed(InvalidAuthzid, "the user wants to act as another one").by(user)
		}
	}
	return Result{Success: true, Additional: additional, User: user}
}
