// Package plays plays the golden transcripts of the door to other domains (testdata/plays/ssp) against a service, in
// process or over TCP. A connection of a play is another domain: what it says is posted to the service, and what the
// service posts to it is heard, each a whole document. Of several transactions in one document each is heard by itself.
//
//	mantua C: <WV-SSP-Message><Session sessionID='${session mantua}'><Transaction mode='Request' transactionID='7'>
//	  <GetServiceRequest><MetaInfo clientOriginated='No'><Requestor serviceID='wv:@mantua.example'/></MetaInfo></GetServiceRequest>
//	  </Transaction></Session></WV-SSP-Message>
//	mantua S: <WV-SSP-Message><Session sessionID='${session mantua}'><Transaction mode='Response' transactionID='7'>
//	  <ServiceList>...<Status code='200'/></ServiceList>
//	  </Transaction></Session></WV-SSP-Message>
//
// The namespace of WV10 and the XML declaration are added to what is said and has none, and the namespace is declared
// around all that is compared. HTTP is heard only where it says something: an empty acknowledgement is silence.
//
//	mantua C: <http type='text/xml' method='GET'>text</http>  says something else than a document of SSP: type is that
//	                               of SSP and method POST unless they are named
//	mantua S: <http status='415'/> HTTP's answer to what was said last is not 200
//	mantua S: <http closed='yes'/> the connection was closed without an answer
//
// Where that crosses what the service posts, it is heard apart from it, on a connection mantua.http.
//
//	@open NAME [WORD...]      the domain NAME.example; the words, in any order:
//	    in                    it has logged in, and the service has asked for its services and agreed on them; the
//	                          session of which it is the provider is 1@NAME.example, after the next login 2@NAME.example
//	    login                 it has logged in; what the service says then is for the script
//	    unknown               the service knows nothing of it; otherwise it is registered
//	    FIELD=VALUE           what is registered of it otherwise than connections=1 keep=no: fields as those of the
//	                          command line, several values as offer=A,B
//	@open NAME desk DOMAIN [USER]  the desk of the service's operator: a primitive that is said here is asked for of
//	                          DOMAIN.example, on behalf of USER@example.com if one is named; the answer is heard, or
//	                          <refused>, when there was none. <test/> tries the login, and is answered by its steps.
//	@login NAME               it logs in once more
//	@http NAME [once] STATUS  HTTP's answer to what the service posts from here on, or once: 200 to 599, close, mute
//	@body NAME DOCUMENT       the answer to the next post holds this document
//	@domain VERB NAME [FIELD=VALUE...]  add, set, password (SECRET), remove
//	@dialed NAME...           the service has called these hosts at most
//
// Besides, what the other doors know: @config, @account, @profile, @restart, @shutdown.
//
// Functions:
//
//	${session NAME}           the session of which the service is the provider
//	${proof NAME}             the digest by which it proved itself, in the last login that the player made
//	${users N}                N elements UserID, of users of ours who need not be
//	${digest TOKEN}           the digest of a token and the password that is shared, by MD5; ${sha TOKEN} by SHA
package plays

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"hash"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing/synctest"

	"parley/ssp/wire"
	"parley/transcript"
	"parley/xmltext"
)

// mediaType is that of documents, ssp-syntax 1.2.
const mediaType = "application/vnd.wv.ssp+xml"

const (
	// Domain is the service's.
	Domain = "example.com"
	// Secret is what the service shares with every other domain.
	Secret = "verona"
	// under is where the other domains are.
	under = ".example"
)

// Service is what plays are played against.
type Service interface {
	// Dial opens a connection to the listener for other domains, role "ssp"; it starts the service if it does not run.
	Dial(role string) (net.Conn, error)
	// Listen is where a host takes HTTP, and its URL as the service can reach it.
	Listen(host string) (l net.Listener, url string, err error)
	// Dialed are the hosts that the service has called.
	Dialed() []string
	// Domain is parley domain VERB, with the shared password and what was said of the domain.
	Domain(verb, domain, secret string, fields map[string][]string) error
	// Ask is parley domain request: refusal says why there is no answer, or why it is none.
	Ask(domain, as string, e *wire.Element) (answer *wire.Element, refusal string, err error)
	// Test is parley domain test.
	Test(domain string) (steps []Step, refusal string, err error)
}

// Step is one of the ten of a login: SSP 6.1.1.
type Step struct {
	N      int
	Failed string
}

// Door is how other domains are played against a service; bubble as in transcript.Options. It serves one play.
func Door(s Service, bubble bool) transcript.Door {
	p := &play{service: s, bubble: bubble, peers: map[string]*peer{}}
	return transcript.Door{Dial: p.dial, Options: transcript.Options{
		Codec:  Codec,
		Bubble: bubble,
		Funcs: map[string]func(conn, value string) (string, error){
			"session": func(_, name string) (string, error) {
				return p.asked(name, func(q *peer) string { return q.session })
			},
			"proof": func(_, name string) (string, error) {
				return p.asked(name, func(q *peer) string { return digest(md5.New, q.token) })
			},
			"users":  users,
			"digest": func(_, token string) (string, error) { return digest(md5.New, token), nil },
			"sha":    func(_, token string) (string, error) { return digest(sha1.New, token), nil },
		},
		Directives: map[string]func(args []string) error{
			"login":  p.loginAgain,
			"http":   p.http,
			"body":   p.body,
			"domain": p.domain,
			"dialed": p.dialed,
		},
	}}
}

// Codec is how documents travel between a play and its player.
var Codec = codec{transcript.XML{Around: []xmltext.Binding{{Space: wire.WV10.Space()}}}}

type codec struct{ transcript.XML }

// Bytes makes a whole document of one that leaves its frame out.
func (c codec) Bytes(head string, more []string) ([]byte, error) {
	const root = "<WV-SSP-Message>"
	if rest, ok := strings.CutPrefix(head, root); ok {
		head = "<?xml version='1.0'?><WV-SSP-Message xmlns='" + wire.WV10.Space() + "'>" + rest
	}
	return c.XML.Bytes(head, more)
}

// users are so many elements that name each somebody else.
func users(_, count string) (string, error) {
	n, err := strconv.Atoi(count)
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<UserID userID='wv:u%d@%s'/>", i, Domain)
	}
	return b.String(), err
}

// digest is what proves a domain, SSP 6.2.2; ssp-syntax 5.1.
func digest(sum func() hash.Hash, token string) string {
	h := sum()
	h.Write([]byte(token + Secret))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// play is one play. It belongs to the goroutine that plays it.
type play struct {
	service Service
	bubble  bool
	peers   map[string]*peer // by the name of their connection
}

// asked is what is known of a peer of the play.
func (p *play) asked(name string, of func(*peer) string) (string, error) {
	q := p.peers[name]
	if q == nil {
		return "", fmt.Errorf("%q is no domain of this play", name)
	}
	return of(q), nil
}

// dial opens a domain, or a desk; where are the words behind its name.
func (p *play) dial(name, where string) (net.Conn, error) {
	words := strings.Fields(where)
	if len(words) > 0 && words[0] == "desk" {
		return p.desk(words[1:])
	}
	if owner, ok := strings.CutSuffix(name, ".http"); ok {
		q := p.peers[owner]
		if q == nil {
			return nil, fmt.Errorf("%q is no domain of this play", owner)
		}
		return q.aside(), nil
	}
	q := &peer{service: p.service, name: name + under, more: make(chan struct{})}
	stage, known := "", true
	fields := map[string][]string{"connections": {"1"}, "keep": {"no"}}
	for _, w := range words {
		key, value, ok := strings.Cut(w, "=")
		switch {
		case ok:
			fields[key] = strings.Split(value, ",")
		case w == "in" || w == "login":
			stage = w
		case w == "unknown":
			known = false
		default:
			return nil, fmt.Errorf("there is no %q", w)
		}
	}
	if err := q.open(); err != nil {
		return nil, err
	}
	if known {
		if fields["url"] == nil {
			fields["url"] = []string{q.url}
		}
		if fields["url"][0] == "none" || fields["route"] != nil {
			delete(fields, "url")
		} else if fields["tls"] == nil {
			fields["tls"] = []string{"off"}
		}
		if fields["route"] != nil {
			delete(fields, "connections")
		}
		if err := p.service.Domain("add", q.name, Secret, fields); err != nil {
			q.Close()
			return nil, err
		}
	}
	if stage != "" {
		if err := p.login(q, stage == "in"); err != nil {
			q.Close()
			return nil, err
		}
	}
	p.peers[name] = q
	return q.play(), nil
}

// loginAgain is @login.
func (p *play) loginAgain(args []string) error {
	q := p.peers[strings.Join(args, " ")]
	if q == nil {
		return fmt.Errorf("%q is no domain of this play", args)
	}
	q.capture(true)
	defer q.capture(false)
	return p.login(q, true)
}

// login logs a domain in. When services are to be agreed on, the service has its session in use at the end.
func (p *play) login(q *peer, agreed bool) error {
	err := q.login(agreed)
	switch {
	case err != nil || !agreed:
		return err
	case p.bubble:
		synctest.Wait()
		return nil
	}
	return q.inUse()
}

// http is @http.
func (p *play) http(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("@http takes a name and an answer")
	}
	q := p.peers[args[0]]
	if q == nil {
		return fmt.Errorf("%q is no domain of this play", args[0])
	}
	once := args[1] == "once"
	how := args[len(args)-1]
	if n, err := strconv.Atoi(how); err != nil && how != "close" && how != "mute" || err == nil && (n < 200 || n > 599) {
		return fmt.Errorf("%q is no answer of HTTP", how)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.how, q.once = how, once
	return nil
}

// body is @body.
func (p *play) body(args []string) error {
	q := p.peers[args[0]]
	if q == nil {
		return fmt.Errorf("%q is no domain of this play", args[0])
	}
	b, err := Codec.Bytes(strings.Join(args[1:], " "), nil)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.answer = b
	return err
}

// domain is @domain.
func (p *play) domain(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("@domain wants a verb and a name")
	}
	fields := map[string][]string{}
	secret := Secret
	for _, w := range args[2:] {
		key, value, ok := strings.Cut(w, "=")
		if !ok {
			secret = w
			continue
		}
		fields[key] = strings.Split(value, ",")
	}
	return p.service.Domain(args[0], args[1]+under, secret, fields)
}

// dialed is @dialed.
func (p *play) dialed(args []string) error {
	for _, host := range p.service.Dialed() {
		if !slices.Contains(args, host) {
			return fmt.Errorf("%s was called", host)
		}
	}
	return nil
}
