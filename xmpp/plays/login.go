package plays

import (
	"bufio"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"

	"parley/xmltext"
	"parley/xmpp/wire"
)

// entrance is a login that reads no more than it must: what comes after it is for the script.
type entrance struct {
	*line
	r   *bufio.Reader
	ids int
}

// login says what a client says before it can talk, up to a stage.
func (p *play) login(l *line, name, stage string, secure bool) error {
	e := &entrance{line: l, r: bufio.NewReaderSize(single{l}, 16)}
	local, resource := address(name)
	features, err := e.open()
	if err != nil {
		return err
	}
	_, already := l.tlsState()
	offer := features.Child(wire.NSTLS, "starttls")
	if !already && (secure || stage != "stream" && offer.Child(wire.NSTLS, "required").Ok()) {
		if !offer.Ok() {
			return errors.New("the service offers no TLS")
		}
		if _, err := e.ask("<starttls xmlns='"+wire.NSTLS+"'/>", wire.NSTLS, "proceed"); err != nil {
			return err
		}
		if err := l.secure(p.config()); err != nil {
			return err
		}
		if stage == "" {
			return nil
		}
		if features, err = e.open(); err != nil {
			return err
		}
	}
	if stage == "" || stage == "stream" {
		return nil
	}
	if err := e.authenticate(local, features); err != nil {
		return err
	}
	if _, err := e.open(); err != nil {
		return err
	}
	full := local + "@" + Domain + "/" + resource
	got, err := e.iq("set", "<bind xmlns='"+wire.NSBind+"'><resource>"+resource+"</resource></bind>")
	if err != nil {
		return err
	}
	if jid := string(got.Child(wire.NSBind, "bind").Child(wire.NSBind, "jid").Text()); jid != full {
		return fmt.Errorf("bound as %q, not as %s", jid, full)
	}
	if stage == "in" {
		return nil
	}
	if _, err := e.iq("get", "<query xmlns='"+wire.NSRoster+"'/>"); err != nil || stage == "roster" {
		return err
	}
	if err := e.say("<presence/>"); err != nil || stage == "available" {
		return err
	}
	_, err = e.iq("get", "<ping xmlns='"+wire.NSPing+"'/>") // answered when all before it is done
	return err
}

// single gives one byte at a time, so that nothing is read ahead.
type single struct{ r io.Reader }

func (s single) Read(b []byte) (int, error) { return s.r.Read(b[:min(1, len(b))]) }

func (e *entrance) say(xml string) error {
	_, err := io.WriteString(e.line, xml)
	return err
}

// hear reads the next thing.
func (e *entrance) hear() (xmltext.Node, error) {
	thing, err := Codec.Read(e.r)
	if err != nil {
		return xmltext.Node{}, err
	}
	if strings.HasPrefix(thing, "</") {
		return xmltext.Node{}, errors.New("the service ends the stream")
	}
	doc := "<stream:stream xmlns='" + wire.NSClient + "' xmlns:stream='" + wire.NSStream + "'>" + thing + "</stream:stream>"
	if strings.HasPrefix(thing, "<"+Codec.Root) && !strings.HasPrefix(thing, "<"+Codec.Root+":") {
		doc = thing + "</stream:stream>"
	}
	d, err := xmltext.Parse([]byte(doc), xmltext.Limits{Bytes: 1 << 24, Nodes: 1 << 20})
	if err != nil {
		return xmltext.Node{}, fmt.Errorf("%q: %w", thing, err)
	}
	if n := d.Root().FirstChild(); n.Ok() {
		return n, nil
	}
	return d.Root(), nil
}

// ask says something whose answer is the next thing.
func (e *entrance) ask(xml, space, name string) (xmltext.Node, error) {
	if err := e.say(xml); err != nil {
		return xmltext.Node{}, err
	}
	n, err := e.hear()
	if err == nil && !n.Is(space, name) {
		err = fmt.Errorf("%s is answered by %s", xml, n.Bytes())
	}
	return n, err
}

// open begins a stream and reads its features.
func (e *entrance) open() (xmltext.Node, error) {
	_, err := e.ask("<stream:stream to='"+Domain+"' version='1.0' xmlns='"+wire.NSClient+"' xmlns:stream='"+wire.NSStream+"'>", wire.NSStream, "stream")
	if err != nil {
		return xmltext.Node{}, err
	}
	n, err := e.hear()
	if err == nil && !n.Is(wire.NSStream, "features") {
		err = fmt.Errorf("no features, but %s", n.Bytes())
	}
	return n, err
}

// iq asks the service, and passes over what comes before the answer.
func (e *entrance) iq(typ, payload string) (xmltext.Node, error) {
	e.ids++
	id := "in" + strconv.Itoa(e.ids)
	if err := e.say("<iq type='" + typ + "' id='" + id + "'>" + payload + "</iq>"); err != nil {
		return xmltext.Node{}, err
	}
	for {
		n, err := e.hear()
		if err != nil {
			return n, err
		}
		if got, _ := n.Attr("", "id"); !n.Is(wire.NSClient, "iq") || string(got) != id {
			continue
		}
		if typ, _ := n.Attr("", "type"); string(typ) != "result" {
			return n, fmt.Errorf("%s is answered by %s", payload, n.Bytes())
		}
		return n, nil
	}
}

// authenticate proves who logs in: PLAIN where it is offered, else SCRAM.
func (e *entrance) authenticate(local string, features xmltext.Node) error {
	var offered []string
	for m := range features.Child(wire.NSSASL, "mechanisms").Children() {
		offered = append(offered, string(m.Text()))
	}
	if slices.Contains(offered, "PLAIN") {
		first, _ := plain("", local)
		_, err := e.ask("<auth xmlns='"+wire.NSSASL+"' mechanism='PLAIN'>"+first+"</auth>", wire.NSSASL, "success")
		return err
	}
	if !slices.Contains(offered, "SCRAM-SHA-1") {
		return fmt.Errorf("the service offers %q only", offered)
	}
	s, err := newScram(local, "SCRAM-SHA-1", nil)
	if err != nil {
		return err
	}
	n, err := e.ask("<auth xmlns='"+wire.NSSASL+"' mechanism='SCRAM-SHA-1'>"+encoded([]byte(s.first()))+"</auth>", wire.NSSASL, "challenge")
	if err != nil {
		return err
	}
	answer, err := s.answer(string(n.Text()))
	if err != nil {
		return err
	}
	_, err = e.ask("<response xmlns='"+wire.NSSASL+"'>"+answer+"</response>", wire.NSSASL, "success")
	return err
}

// plain is ${plain}.
func plain(_, value string) (string, error) {
	who, password, ok := strings.Cut(value, " ")
	if !ok {
		password = Password
	}
	return encoded([]byte("\x00" + who + "\x00" + password)), nil
}

// scram is a client's side of RFC 5802, with a nonce that plays know.
type scram struct {
	user, gs2 string
	bound     []byte
	hash      func() hash.Hash
	serverKey []byte
	said      string // all three messages, once they are
}

const nonce = "playnonce"

// newScram begins; exporter is what a PLUS mechanism binds to, RFC 9266 2.
func newScram(user, mechanism string, exporter []byte) (*scram, error) {
	s := &scram{user: user, gs2: "n,,"}
	name, plus := strings.CutSuffix(mechanism, "-PLUS")
	switch name {
	case "SCRAM-SHA-1":
		s.hash = sha1.New
	case "SCRAM-SHA-256":
		s.hash = sha256.New
	default:
		return nil, fmt.Errorf("there is no mechanism %q", mechanism)
	}
	if plus {
		if exporter == nil {
			return nil, errors.New("there is no TLS to bind to")
		}
		s.gs2, s.bound = "p=tls-exporter,,", exporter
	}
	return s, nil
}

func (s *scram) bare() string  { return "n=" + s.user + ",r=" + nonce }
func (s *scram) first() string { return s.gs2 + s.bare() }

// answer is the response to a challenge, both in base64.
func (s *scram) answer(challenge string) (string, error) {
	c, err := base64.StdEncoding.DecodeString(strings.TrimSpace(challenge))
	if err != nil {
		return "", err
	}
	f := strings.Split(string(c), ",")
	if len(f) < 3 || !strings.HasPrefix(f[0], "r="+nonce) || !strings.HasPrefix(f[1], "s=") || !strings.HasPrefix(f[2], "i=") {
		return "", fmt.Errorf("%q is no challenge", c)
	}
	salt, err := base64.StdEncoding.DecodeString(f[1][2:])
	if err != nil {
		return "", err
	}
	rounds, err := strconv.Atoi(f[2][2:])
	if err != nil {
		return "", err
	}
	salted, err := pbkdf2.Key(s.hash, Password, salt, rounds, s.hash().Size())
	if err != nil {
		return "", err
	}
	without := "c=" + encoded(append([]byte(s.gs2), s.bound...)) + "," + f[0]
	s.said = s.bare() + "," + string(c) + "," + without
	key := s.mac(salted, "Client Key")
	stored := s.hash()
	stored.Write(key)
	proof := s.mac(stored.Sum(nil), s.said)
	subtle.XORBytes(proof, proof, key)
	s.serverKey = s.mac(salted, "Server Key")
	return encoded([]byte(without + ",p=" + encoded(proof))), nil
}

func (s *scram) mac(key []byte, text string) []byte {
	m := hmac.New(s.hash, key)
	io.WriteString(m, text)
	return m.Sum(nil)
}

// scram is ${scram}.
func (p *play) scram(conn, value string) (string, error) {
	who, mechanism, _ := strings.Cut(value, " ")
	var exporter []byte
	if l := p.lines[conn]; l != nil {
		if state, ok := l.tlsState(); ok {
			exporter, _ = state.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
		}
	}
	s, err := newScram(who, mechanism, exporter)
	if err != nil {
		return "", err
	}
	p.proofs[conn] = s
	return encoded([]byte(s.first())), nil
}

// prove is ${prove}.
func (p *play) prove(conn, challenge string) (string, error) {
	s := p.proofs[conn]
	if s == nil {
		return "", errors.New("no ${scram} came before")
	}
	return s.answer(challenge)
}

// proof is ${proof}.
func (p *play) proof(conn, _ string) (string, error) {
	s := p.proofs[conn]
	if s == nil || s.said == "" {
		return "", errors.New("no ${prove} came before")
	}
	return encoded([]byte("v=" + encoded(s.mac(s.serverKey, s.said)))), nil
}
