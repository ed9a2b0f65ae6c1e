// Package plays plays the golden transcripts of the XMPP door (testdata/plays/xmpp) against a service, in process or
// over TCP: it knows how connections of a play are opened and logged in, how one goes on under TLS, and what its
// directives ask of the service. Elements are compared as package transcript's codec XML does; xmlns='jabber:client'
// and the prefix stream are declared around all of them.
//
//	@open NAME [WORD...]      a connection; the words, in any order, say how far it gets before the script goes on:
//	    direct                it begins with TLS (XEP-0368 3)
//	    tls                   it goes on with TLS (RFC 6120 5); without it a login does so only where it must
//	    stream                the stream is open and its features were read
//	    in                    logged in, with a resource
//	    roster                and the roster was read
//	    available             and the presence was sent; what the service says of it is for the script to hear
//	    online                and all that the service says of it was read: own presence, contacts, kept messages
//	@tls NAME                 after <proceed/>: the connection goes on with TLS
//	@config KEY=VALUE         before the first connection: a configuration key
//	@account add ADDRESS PASSWORD [NAME]
//	@account remove|disable|enable ADDRESS
//	@profile ADDRESS KEY=VALUE...   first, last, city, state, country, listed
//	@restart                  ends the service properly, and starts it again on the same data
//	@shutdown                 ends it
//
// alice logs in as alice@example.com/home, alice2 as alice@example.com/home2, and alice.phone as
// alice@example.com/phone. What login says has ids from in1 on.
//
// Functions:
//
//	${base64 text}            the text in base64
//	${plain alice [password]} the initial response of PLAIN, RFC 4616 2
//	${scram alice MECHANISM}  that of SCRAM, with the nonce "playnonce", RFC 5802 5
//	${prove challenge}        the response to that challenge
//	${proof success}          what a server must say to prove itself, for the last ${prove}
package plays

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"strings"

	"parley/transcript"
	"parley/xmltext"
	"parley/xmpp/wire"
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
	Dial(role string) (net.Conn, error) // xmpp, xmpps; starts the service if it does not run
	Account(verb, address string, more []string) error
	Profile(address string, fields []string) error
	Stop() error
	// TLS is how a client trusts the service.
	TLS() *tls.Config
}

// Codec is how stanzas travel.
var Codec = transcript.XML{Root: "stream:stream", Around: []xmltext.Binding{{Space: wire.NSClient}, {Prefix: "stream", Space: wire.NSStream}}}

// Door is how XMPP clients are played against a service; bubble as in transcript.Options. It serves one play.
func Door(s Service, bubble bool) transcript.Door {
	p := &play{service: s, lines: map[string]*line{}, proofs: map[string]*scram{}}
	return transcript.Door{Dial: p.dial, Options: transcript.Options{
		Codec:  Codec,
		Bubble: bubble,
		Funcs: map[string]func(conn, value string) (string, error){
			"base64": func(_, text string) (string, error) { return encoded([]byte(text)), nil },
			"plain":  plain,
			"scram":  p.scram,
			"prove":  p.prove,
			"proof":  p.proof,
		},
		Directives: map[string]func(args []string) error{
			"tls": p.tls,
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
			"profile": func(args []string) error {
				if len(args) < 2 {
					return fmt.Errorf("@profile wants an address and fields")
				}
				return s.Profile(args[0], args[1:])
			},
			"shutdown": func([]string) error { return s.Stop() },
			"restart": func([]string) error {
				if err := s.Stop(); err != nil {
					return err
				}
				c, err := s.Dial("xmpp")
				if err == nil {
					err = c.Close()
				}
				return err
			},
		},
	}}
}

// play is one play. It belongs to the goroutine that plays it.
type play struct {
	service Service
	lines   map[string]*line
	proofs  map[string]*scram // by connection
}

// stages are how far a login gets, in order.
var stages = []string{"", "stream", "in", "roster", "available", "online"}

// dial opens a connection; where are the words behind its name.
func (p *play) dial(name, where string) (net.Conn, error) {
	role, secure, stage := "xmpp", false, 0
	for w := range strings.FieldsSeq(where) {
		switch w {
		case "direct":
			role = "xmpps"
		case "tls":
			secure = true
		default:
			i := 0
			for i = range stages {
				if stages[i] == w {
					break
				}
			}
			if stages[i] != w {
				return nil, fmt.Errorf("there is no %q", w)
			}
			stage = i
		}
	}
	c, err := p.service.Dial(role)
	if err != nil {
		return nil, err
	}
	l := newLine(c)
	if role == "xmpps" {
		cfg := p.config()
		cfg.NextProtos = []string{"xmpp-client"}
		err = l.secure(cfg)
	}
	if err == nil && (stage > 0 || secure) {
		err = p.login(l, name, stages[stage], secure)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	p.lines[name] = l
	return l, nil
}

// config is how a client of a play trusts the service.
func (p *play) config() *tls.Config {
	cfg := p.service.TLS()
	if cfg == nil {
		cfg = &tls.Config{}
	}
	cfg = cfg.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = Domain
	}
	return cfg
}

// tls is @tls.
func (p *play) tls(args []string) error {
	name := strings.Join(args, " ")
	l := p.lines[name]
	if l == nil {
		return fmt.Errorf("%q was not opened", name)
	}
	return l.secure(p.config())
}

func encoded(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// address is who a connection logs in as, and with which resource.
func address(name string) (local, resource string) {
	who, resource, ok := strings.Cut(name, ".")
	local = strings.TrimRight(who, "0123456789")
	if !ok {
		resource = "home" + who[len(local):]
	}
	return local, resource
}
