package sasl

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"parley/credential"
)

// leastRounds is what a client insists on: fewer make a password easy to guess for
// whoever plays the server. RFC 7677 4.
const leastRounds = 4096

// Why a client does not go on.
var (
	ErrServerProof = errors.New("the server did not prove that it knows the account: somebody may be in its place")
	errOrder       = errors.New("the server's message comes at a wrong time")
)

// Client logs in once, on one connection: Initial, then Respond to each challenge, then
// Verify what came with success.
type Client struct {
	user      string
	password  credential.Secret
	mechanism mechanism
	known     bool
	binding   Binding
	header    string // gs2-header
	bound     []byte // what goes after it in c=
	nonce     string

	next   step
	bare   string
	said   string // all three messages
	prover credential.Prover
}

// NewClient makes a client for a user, who is a local part or an address. The mechanism
// is one of Offer; a -PLUS one binds to the best of what b has. offeredPlus says that the
// server offered a -PLUS one: a client that could, and did not see any, says so, for the
// server to notice that somebody took them out. RFC 5802 6; XEP-0440 3.
func NewClient(user string, password credential.Secret, mechanism string, b Binding, offeredPlus bool) *Client {
	c := &Client{user: user, password: password, nonce: rand.Text(), next: first, binding: b, header: "n,,"}
	c.mechanism, c.known = find(mechanism)
	types := b.Types()
	switch {
	case c.mechanism.plus && len(types) > 0:
		c.header, c.bound = "p="+types[0]+",,", b.data(types[0])
	case len(types) > 0 && !offeredPlus:
		c.header = "y,,"
	}
	return c
}

// Initial is the initial response. The error says that the mechanism is unknown, or needs
// a connection under TLS.
func (c *Client) Initial() ([]byte, error) {
	switch {
	case !c.known:
		return nil, errors.New("the mechanism is unknown: choose one with Choose")
	case c.mechanism.plus && c.bound == nil:
		return nil, fmt.Errorf("%s needs a connection under TLS that a login can be bound to", c.mechanism.name)
	case c.mechanism.name == PLAIN:
		c.next = nothing
		return c.password.Plain("", c.user), nil
	}
	c.bare = "n=" + escape(c.user) + ",r=" + c.nonce
	c.next = final
	return []byte(c.header + c.bare), nil
}

// Respond answers the data of a challenge. The error says what is wrong with it, or with
// the password. It takes as long as the number of rounds that the server asks for: about
// 0.7 ms of CPU for 4,096. RFC 5802 5, 5.1.
func (c *Client) Respond(challenge []byte) ([]byte, error) {
	if c.next != final || c.prover != (credential.Prover{}) {
		return nil, errOrder
	}
	m, err := parseServerFirst(challenge)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(m.nonce, c.nonce) || len(m.nonce) == len(c.nonce) {
		return nil, errors.New("the server's nonce is none that answers this login")
	}
	if m.rounds < leastRounds {
		return nil, fmt.Errorf("the server asks for %d rounds of hashing: fewer than %d give the password away", m.rounds, leastRounds)
	}
	if c.prover, err = c.password.Scram(c.mechanism.hash, m.salt, m.rounds); err != nil {
		return nil, err
	}
	without := "c=" + encode(append([]byte(c.header), c.bound...)) + ",r=" + m.nonce
	c.said = c.bare + "," + string(challenge) + "," + without
	return []byte(without + ",p=" + encode(c.prover.Proof(c.said))), nil
}

// Verify checks the data that came with success: by it the server proves that it knows
// the account. PLAIN has no such proof. The error is ErrServerProof, or says what the
// server refused. RFC 5802 5.
func (c *Client) Verify(additional []byte) error {
	if c.known && c.mechanism.name == PLAIN && c.next == nothing {
		return nil
	}
	if c.said == "" {
		return errOrder
	}
	value, refused := strings.CutPrefix(string(additional), "e=")
	if refused {
		return fmt.Errorf("the server refused the login: %q", value[:min(len(value), 100)])
	}
	value, ok := strings.CutPrefix(string(additional), "v=")
	value, _, _ = strings.Cut(value, ",")
	signature, _, fail := Decode([]byte(value))
	if !ok || fail != "" || !c.prover.Believes(c.said, signature) {
		return ErrServerProof
	}
	return nil
}

// serverFirst is server-first-message, taken apart. RFC 5802 7.
type serverFirst struct {
	nonce  string
	salt   []byte
	rounds int
}

// parseServerFirst reads what a server says first, RFC 5802 5.1, 7.
func parseServerFirst(message []byte) (m serverFirst, err error) {
	if !utf8.Valid(message) || len(message) > MaxData {
		return m, errors.New("the server's message is too long or not UTF-8")
	}
	a := attributes{left: string(message)}
	m.nonce = a.take('r')
	salt, rounds := a.take('s'), a.take('i')
	a.rest()
	if a.cause != "" {
		return m, fmt.Errorf("the server's message cannot be read: %s", a.cause)
	}
	var fail Failure
	if m.salt, _, fail = Decode([]byte(salt)); fail != "" || !isPrintable(m.nonce) {
		return m, errors.New("the server's nonce or salt cannot be read")
	}
	if m.rounds, err = strconv.Atoi(rounds); err != nil || rounds[0] < '1' || rounds[0] > '9' {
		return m, errors.New("the server's number of rounds cannot be read")
	}
	return m, nil
}
