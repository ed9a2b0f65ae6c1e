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
// ${md5 CHALLENGE} is the response to the challenge of a login, ${query CHALLENGE} the one of a client of 2001 to CHL,
// ${longquery CHALLENGE} the one of a client of 2005. ${ticket NAME} is a ticket with which NAME@example.com logs in,
// ${guid ADDRESS} the GUID of a contact.
//
// @open NAME WHERE: WHERE is ds, ns or sb for a listener of that role alone (any is the common one,
// and the default); or "in" for a connection that is logged in as NAME@example.com, with what follows
// a login read; or a state (NLN) for one that has synchronised and changed its state, too. Either may have the
// number of a dialect behind it (NLN7), which has to be served; without one it is MSNP2. From MSNP8 on the client says that
// it can do nothing (0), and from MSNP11 on what the first change of state is followed by is read, too.
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

	"parley/im"
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
	Ticket(address string) (string, error) // what its login by Passport gives
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
			"longquery": func(_, challenge string) (string, error) {
				response, _ := msnp.LongChallengeResponse(challenge, "PROD0101{0RM?UBW")
				return response, nil
			},
			"ticket": func(_, name string) (string, error) { return s.Ticket(name + "@" + Domain) },
			"guid": func(_, address string) (string, error) {
				who, err := im.ParseAddress(address)
				return string(msnp.ContactGUID(who)), err
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
		l := &loggedIn{Conn: c, r: bufio.NewReader(c), s: s}
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
	s     Service
	r     *bufio.Reader
	early []byte // read too soon
}

func (l *loggedIn) Read(b []byte) (int, error) {
	if len(l.early) > 0 {
		n := copy(b, l.early)
		l.early = l.early[n:]
		return n, nil
	}
	return l.r.Read(b)
}

// Dialects in which a client says more when it logs in: dialects 0.1.
const (
	byTicket   = 8
	withStamps = 10
	withMail   = 11
)

// login says what a client of 1999 to 2005 says, with transaction IDs from 900 on.
func (l *loggedIn) login(handle, state string, dialect int) error {
	ver := fmt.Sprintf("VER 900 MSNP%d", dialect)
	if err := l.ask(ver, ver); err != nil {
		return err
	}
	prove := l.md5
	if dialect >= byTicket {
		prove = l.ticket
	}
	if err := prove(handle); err != nil {
		return err
	}
	if _, err := l.until("MSG Hotmail Hotmail"); err != nil || state == "in" { // the profile
		return err
	}
	change := "CHG 904 " + state
	switch {
	case dialect < byTicket:
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
	case dialect < withStamps:
		if err := l.ask("SYN 903 0\r\nPNG", "SYN 903"); err != nil {
			return err
		}
	default:
		if err := l.ask("SYN 903 0 0\r\nPNG", "SYN 903"); err != nil {
			return err
		}
	}
	if dialect >= byTicket {
		change += " 0"
		if _, err := l.until("QNG"); err != nil {
			return err
		}
	}
	err := l.ask(change, change)
	if err == nil && dialect >= withMail {
		l.early, err = l.until("MSG Hotmail Hotmail")
	}
	return err
}

// md5 proves who the client is: draft 7.3.
func (l *loggedIn) md5(handle string) error {
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
	return l.ask("USR 902 MD5 S "+Respond(f[4], Password), "USR 902 OK")
}

// ticket proves it with a ticket: dialects 3.2.
func (l *loggedIn) ticket(handle string) error {
	t, err := l.s.Ticket(handle)
	if err != nil {
		return err
	}
	if err := l.ask("CVR 905 0x0409 winnt 5.1 i386 MSNMSGR 7.5.0324 MSMSGS "+handle, "CVR 905 7.5.0324"); err != nil {
		return err
	}
	if err := l.ask("USR 901 TWN I "+handle, "USR 901 TWN S "); err != nil {
		return err
	}
	return l.ask("USR 902 TWN S "+t, "USR 902 OK")
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

// until reads up to a line that begins so, with its payload, and gives what came before it.
func (l *loggedIn) until(begins string) (before []byte, err error) {
	for {
		line, err := l.r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		payload := make([]byte, Payloads(strings.TrimRight(line, "\r\n")))
		if _, err := io.ReadFull(l.r, payload); err != nil {
			return nil, err
		}
		if strings.HasPrefix(line, begins) {
			return before, nil
		}
		before = append(append(before, line...), payload...)
	}
}

func (l *loggedIn) line() (string, error) {
	s, err := l.r.ReadString('\n')
	return strings.TrimRight(s, "\r\n"), err
}
