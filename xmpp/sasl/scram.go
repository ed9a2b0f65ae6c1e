package sasl

import (
	"context"
	"crypto/subtle"
	"strconv"
	"strings"
	"unicode/utf8"

	"parley/credential"
)

// scramServer is what a server keeps between the two messages of a client.
type scramServer struct {
	user, authzid string
	keys          credential.Keys
	nonce         string // both parts
	bind          string // what c= must be
	said          string // client-first-message-bare and server-first-message
}

// clientFirst is client-first-message, taken apart. RFC 5802 7.
type clientFirst struct {
	header        string // gs2-header
	flag          byte   // n, y or p
	binding       string // after p=
	authzid, user string
	nonce         string
	bare          string
}

// parseClientFirst reads a client's first message; cause is "" or what is wrong with it.
// RFC 5802 5.1, 7.
func parseClientFirst(message []byte) (m clientFirst, cause string) {
	if !utf8.Valid(message) {
		return m, "the message is not UTF-8"
	}
	all := string(message)
	flag, rest, _ := strings.Cut(all, ",")
	authzid, bare, two := strings.Cut(rest, ",")
	if !two {
		return m, "the message has no header"
	}
	m.header, m.bare = all[:len(all)-len(bare)], bare
	switch name, bound := strings.CutPrefix(flag, "p="); {
	case flag == "n", flag == "y":
		m.flag = flag[0]
	case bound && isBindingName(name):
		m.flag, m.binding = 'p', name
	default:
		return m, "the flag for channel binding cannot be read"
	}
	var ok bool
	if authzid != "" {
		name, is := strings.CutPrefix(authzid, "a=")
		if m.authzid, ok = unescape(name); !is || !ok {
			return m, "the authzid cannot be read"
		}
	}
	a := attributes{left: bare}
	user := a.take('n')
	m.nonce = a.take('r')
	a.rest()
	if m.user, ok = unescape(user); a.cause == "" && !ok {
		a.cause = "the user name cannot be read"
	}
	if a.cause == "" && !isPrintable(m.nonce) {
		a.cause = "the nonce cannot be read"
	}
	return m, a.cause
}

// clientFinal is client-final-message, taken apart. RFC 5802 7.
type clientFinal struct {
	bind, nonce string
	proof       []byte
	without     string // client-final-message-without-proof
}

// parseClientFinal reads a client's last message; cause is "" or what is wrong with it.
// RFC 5802 5.1, 7.
func parseClientFinal(message []byte) (m clientFinal, cause string) {
	if !utf8.Valid(message) {
		return m, "the message is not UTF-8"
	}
	all := string(message)
	// The proof comes last, and no value holds a comma.
	i := strings.LastIndex(all, ",p=")
	if i < 0 {
		return m, "the message has no proof"
	}
	m.without = all[:i]
	proof, has, fail := Decode(message[i+len(",p="):])
	if fail != "" || !has || len(proof) == 0 {
		return m, "the proof cannot be read"
	}
	m.proof = proof
	a := attributes{left: m.without}
	m.bind, m.nonce = a.take('c'), a.take('r')
	a.rest()
	return m, a.cause
}

// attributes takes a message apart; the first thing wrong sticks. RFC 5802 5.1.
type attributes struct {
	left  string
	over  bool
	cause string
}

// next is the next attribute, whatever its name.
func (a *attributes) next() (name byte, value string) {
	if a.cause != "" {
		return 0, ""
	}
	if a.over {
		a.cause = "an attribute is missing"
		return 0, ""
	}
	one, rest, more := strings.Cut(a.left, ",")
	a.left, a.over = rest, !more
	switch {
	case len(one) < 3 || one[1] != '=' || !isLetter(one[0]) || strings.IndexByte(one, 0) >= 0:
		a.cause = "an attribute cannot be read"
	case one[0] == 'm':
		a.cause = "an extension that must be understood is not"
	default:
		return one[0], one[2:]
	}
	return 0, ""
}

// take is the value of the next attribute, which must be the named one.
func (a *attributes) take(name byte) string {
	n, value := a.next()
	if a.cause == "" && n != name {
		a.cause = "an attribute is out of place"
	}
	return value
}

// rest passes over extensions, which need not be understood.
func (a *attributes) rest() {
	for a.cause == "" && !a.over {
		if n, _ := a.next(); a.cause == "" && strings.IndexByte("nracsipve", n) >= 0 {
			a.cause = "an attribute is out of place"
		}
	}
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isBindingName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return s != ""
}

// isPrintable says whether s can be a nonce: ASCII without blanks, controls and commas.
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == ',' {
			return false
		}
	}
	return s != ""
}

// escape writes a name as SCRAM does, and unescape reads one, RFC 5802 5.1.
func escape(name string) string { return escapes.Replace(name) }

var escapes = strings.NewReplacer("=", "=3D", ",", "=2C")

func unescape(s string) (name string, ok bool) {
	if s == "" || strings.IndexByte(s, 0) >= 0 {
		return "", false
	}
	if !strings.Contains(s, "=") {
		return s, true
	}
	var b strings.Builder
	for {
		before, after, more := strings.Cut(s, "=")
		b.WriteString(before)
		if !more {
			return b.String(), true
		}
		switch {
		case strings.HasPrefix(after, "2C"):
			b.WriteByte(',')
		case strings.HasPrefix(after, "3D"):
			b.WriteByte('=')
		default:
			return "", false
		}
		s = after[2:]
	}
}

// clientFirst answers with salt, rounds and a nonce that nobody could know, the same way
// for whoever exists and whoever does not. RFC 5802 5, 5.1, 6.
func (s *Server) clientFirst(ctx context.Context, message []byte) Result {
	m, cause := parseClientFirst(message)
	if cause != "" {
		return failed(MalformedRequest, cause)
	}
	var data []byte
	switch {
	case m.flag == 'y' && s.offer:
		return failed(NotAuthorized, "the client saw no mechanism bound to the connection, but they were offered: somebody took them out")
	case (m.flag == 'p') != s.mechanism.plus:
		return failed(MalformedRequest, "the flag for channel binding does not fit the mechanism")
	case m.flag == 'p':
		if data = s.config.data(m.binding); len(data) == 0 {
			return failed(NotAuthorized, "the connection cannot be bound in the way that the client wants")
		}
	}
	k, r := s.keys(ctx, m.user)
	if r.Fail != "" {
		return r
	}
	salt, rounds := k.Scram(s.mechanism.hash)
	nonce := m.nonce + s.nonce()
	answer := "r=" + nonce + ",s=" + encode(salt) + ",i=" + strconv.Itoa(rounds)
	s.scram = scramServer{
		user: m.user, authzid: m.authzid,
		keys:  k,
		nonce: nonce,
		bind:  encode(append([]byte(m.header), data...)),
		said:  m.bare + "," + answer,
	}
	s.next = final
	return Result{Challenge: []byte(answer)}
}

// clientFinal checks the proof, and that both ends see the same connection, and proves
// in turn that the server knows the account. RFC 5802 5, 6.
func (s *Server) clientFinal(message []byte) Result {
	in := &s.scram
	m, cause := parseClientFinal(message)
	switch {
	case cause != "":
		return failed(MalformedRequest, cause).by(in.user)
	case subtle.ConstantTimeCompare([]byte(m.nonce), []byte(in.nonce)) != 1:
		return failed(NotAuthorized, "the nonce is not the one of this login").by(in.user)
	case subtle.ConstantTimeCompare([]byte(m.bind), []byte(in.bind)) != 1:
		return failed(NotAuthorized, "the client sees another connection than the server: somebody is between them").by(in.user)
	}
	signature, ok := in.keys.VerifyScram(s.mechanism.hash, in.said+","+m.without, m.proof)
	if !ok {
		return failed(NotAuthorized, wrongProof).by(in.user)
	}
	return s.done(in.user, in.authzid, []byte("v="+encode(signature)))
}
