// Package plays plays the golden transcripts of the MSNP door (testdata/plays/msnp) against a
// service, in process or over TCP: it knows how connections of a play are opened and logged in, and
// what its directives ask of the service.
//
// Directives of these plays, besides those of package transcript:
//
//	@config roles=ds,ns       before the first connection: a listener for each of these roles, and no common one
//	@config roles=apart       the same for ds, ns and sb
//	@config KEY=VALUE         before the first connection: a configuration key
//	@account add ADDRESS PASSWORD [NAME]
//	@account remove|disable|enable ADDRESS
//	@profile ADDRESS KEY=VALUE...   first, last, city, state, country, listed
//	@restart                  ends the service properly, and starts it again on the same data
//	@shutdown                 ends it
//
// ${md5 CHALLENGE} is the response to the challenge of a login, ${query CHALLENGE} the one of a client of 2001 to CHL.
//
// @open NAME WHERE: WHERE is ds, ns or sb for a listener of that role alone (any is the common one,
// and the default); or "in" for a connection that is logged in as NAME@example.com, with what follows
// a login read; or a state (NLN) for one that has synchronised and changed its state, too. Either may have the
// number of a dialect up to 7 behind it (NLN7), which has to be served; without one it is MSNP2.
package plays

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"parley/msnp"
	"parley/transcript"
)

// Domain is the one that plays talk of; Password is everybody's.
const (
	Domain   = "example.com"
	Password = "secret"
)

// People have an account in every play, with their display names.
var People = map[string]string{"alice": "Alice", "bob": "Bob", "carol": "Carol", "dave": "Dave"}

// Service is what plays are played against.
type Service interface {
	Configure(key, value string) error
	Dial(role string) (net.Conn, error) // ds, ns, sb, any; starts the service if it does not run
	Account(verb, address string, more []string) error
	Profile(address string, fields []string) error
	Stop() error
}

// Payloads are the verbs with a payload that servers send.
var Payloads = transcript.PayloadAfter("MSG", "NOT", "IPG", "UBX", "GCF")

// Options are the player's, for a service; bubble as in transcript.Options.
func Options(s Service, bubble bool) transcript.Options {
	return transcript.Options{
		Codec:  transcript.Lines{Payload: Payloads},
		Bubble: bubble,
		Funcs: map[string]func(conn, value string) (string, error){
			"md5": func(_, challenge string) (string, error) { return Respond(challenge, Password), nil },
			"query": func(_, challenge string) (string, error) {
				response, _ := msnp.ChallengeResponse(challenge, "msmsgs@msnmsgr.com")
				return response, nil
			},
		},
		Directives: map[string]func(args []string) error{
			"config": func(args []string) error {
				key, value, _ := strings.Cut(strings.Join(args, " "), "=")
				return s.Configure(key, value)
			},
			"account": func(args []string) error {
				if len(args) < 2 {
					return fmt.Errorf("@account wants a verb and an address")
				}
				return s.Account(args[0], args[1], args[2:])
			},
			"profile":  func(args []string) error { return s.Profile(args[0], args[1:]) },
			"shutdown": func([]string) error { return s.Stop() },
			"restart": func([]string) error {
				if err := s.Stop(); err != nil {
					return err
				}
				c, err := s.Dial("any")
				if err == nil {
					err = c.Close()
				}
				return err
			},
		},
	}
}

// Respond is the answer to a challenge: draft 7.3.
func Respond(challenge, password string) string {
	sum := md5.Sum([]byte(challenge + password))
	return hex.EncodeToString(sum[:])
}

// Dial opens connections for a play.
func Dial(s Service) transcript.Dial {
	return func(name, where string) (net.Conn, error) {
		switch where {
		case "", "any", "ds", "ns", "sb":
			return s.Dial(where)
		}
		c, err := s.Dial("any")
		if err != nil {
			return nil, err
		}
		who, _, _ := strings.Cut(name, ".")
		who = strings.TrimRight(who, "0123456789")
		l := &loggedIn{Conn: c, r: bufio.NewReader(c)}
		state := strings.TrimRight(where, "0123456789")
		dialect := 2
		if n, err := strconv.Atoi(where[len(state):]); err == nil {
			dialect = n
		}
		if err := l.login(who+"@"+Domain, state, dialect); err != nil {
			c.Close()
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return l, nil
	}
}

// loggedIn is a connection of which the beginning was read.
type loggedIn struct {
	net.Conn
	r *bufio.Reader
}

func (l *loggedIn) Read(b []byte) (int, error) { return l.r.Read(b) }

// login says what a client of 1999 to 2002 says, with transaction IDs from 900 on.
func (l *loggedIn) login(handle, state string, dialect int) error {
	ver := fmt.Sprintf("VER 900 MSNP%d", dialect)
	if err := l.ask(ver, ver); err != nil {
		return err
	}
	if err := l.ask("USR 901 MD5 I "+handle, ""); err != nil {
		return err
	}
	line, err := l.line()
	if err != nil {
		return err
	}
	f := strings.Fields(line)
	if len(f) != 5 {
		return fmt.Errorf("no challenge: %q", line)
	}
	if err := l.ask("USR 902 MD5 S "+Respond(f[4], Password), "USR 902 OK"); err != nil {
		return err
	}
	line, err = l.line() // the profile
	if err != nil {
		return err
	}
	if _, err := l.r.Discard(Payloads(line)); err != nil || state == "in" {
		return err
	}
	if err := l.ask("SYN 903 0", "SYN 903"); err != nil {
		return err
	}
	for { // the Reverse List is the last, and it says how long it is
		line, err := l.line()
		if err != nil {
			return err
		}
		if f := strings.Fields(line); len(f) > 5 && f[2] == "RL" && f[4] == f[5] {
			break
		}
	}
	return l.ask("CHG 904 "+state, "CHG 904 "+state)
}

// ask says a line and reads the answer, which begins as told; "": it is read by the caller.
func (l *loggedIn) ask(say, hear string) error {
	if _, err := io.WriteString(l.Conn, say+"\r\n"); err != nil || hear == "" {
		return err
	}
	line, err := l.line()
	if err == nil && !strings.HasPrefix(line, hear) {
		err = fmt.Errorf("%q is answered by %q", say, line)
	}
	return err
}

func (l *loggedIn) line() (string, error) {
	s, err := l.r.ReadString('\n')
	return strings.TrimRight(s, "\r\n"), err
}
