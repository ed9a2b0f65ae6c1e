package client_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/credential"
	"parley/transcript"
	"parley/xmltext"
	"parley/xmpp/client"
	"parley/xmpp/sasl"
	"parley/xmpp/wire"
)

var codec = transcript.XML{Root: "stream:stream", Around: []xmltext.Binding{{Space: wire.NSClient}, {Prefix: "stream", Space: wire.NSStream}}}

// fake is a service that does what a script says, for one connection.
type fake struct {
	t    *testing.T
	c    net.Conn
	r    *bufio.Reader
	vals map[string]string

	eager *eager // nil: what is said waits until it is heard
	all   *sync.WaitGroup
}

// eager is a pipe that takes what is written at once, as a socket does: TLS may speak on both sides at a time.
type eager struct {
	net.Conn
	out chan []byte
}

func (e *eager) Write(b []byte) (int, error) {
	e.out <- bytes.Clone(b)
	return len(b), nil
}

func (e *eager) write() {
	defer e.Conn.Close()
	for b := range e.out {
		e.Conn.Write(b)
	}
}

// service makes a config for a client, at a service that follows script. The test ends when the script has.
func service(t *testing.T, b *client.Inbox, script func(*fake)) client.Config {
	var all sync.WaitGroup
	t.Cleanup(all.Wait)
	cfg := client.Config{Address: "s", User: "alice@example.com", Password: credential.NewSecret("secret"), Resource: "home",
		Security: client.Plain, Mechanism: "PLAIN", Timeout: 10 * time.Second,
		Dial: func(context.Context, string) (net.Conn, error) {
			c, s := net.Pipe()
			all.Go(func() { // ends with the script
				f := &fake{t: t, c: s, vals: map[string]string{}, all: &all}
				f.r = bufio.NewReader(s)
				script(f)
				if f.eager != nil {
					close(f.eager.out)
				} else {
					s.Close()
				}
			})
			return c, nil
		}}
	if b != nil {
		cfg.Event = b.Put
	}
	return cfg
}

// hear reads the next thing and compares it; ${x} in it is learned.
func (f *fake) hear(want string) {
	f.t.Helper()
	got, err := codec.Read(f.r)
	if err != nil {
		if want != "" {
			f.t.Errorf("wanted %s: %v", want, err)
		}
		return
	}
	err = codec.Compare(want, nil, got, func(pattern, text string) bool {
		name, ok := strings.CutPrefix(pattern, "${")
		if !ok {
			return pattern == text
		}
		f.vals[strings.TrimSuffix(name, "}")] = text
		return true
	})
	if err != nil {
		f.t.Errorf("wanted %s, got %s: %v", want, got, err)
	}
}

// say writes, with ${x} as learned.
func (f *fake) say(xml string) {
	f.t.Helper()
	if _, err := io.WriteString(f.c, os.Expand(xml, func(k string) string { return f.vals[k] })); err != nil {
		f.t.Errorf("%s: %v", xml, err)
	}
}

// exchange hears and says by turns.
func (f *fake) exchange(things ...string) {
	f.t.Helper()
	for i, x := range things {
		if i%2 == 0 {
			f.hear(x)
		} else {
			f.say(x)
		}
	}
}

const (
	hello  = "<stream:stream to='example.com' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	answer = "<?xml version='1.0'?><stream:stream from='example.com' id='1' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)

// open is the beginning of a stream.
func (f *fake) open(features string) {
	f.t.Helper()
	f.exchange(hello, answer+"<stream:features>"+features+"</stream:features>")
}

const (
	starttls   = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	plain      = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"
	authPlain  = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNlAHNlY3JldA==</auth>"
	success    = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
	bindOffer  = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
	bindAsk    = "<iq type='set' id='${id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>home</resource></bind></iq>"
	bindAnswer = "<iq type='result' id='${id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@example.com/home</jid></bind></iq>"
)

// login lets the client in.
func (f *fake) login() {
	f.t.Helper()
	f.open(plain)
	f.exchange(authPlain, success)
	f.open(bindOffer)
	f.exchange(bindAsk, bindAnswer)
}

// bye is the client's end, and the service's.
func (f *fake) bye() {
	f.t.Helper()
	f.exchange("</stream:stream>", "</stream:stream>")
}

// secure goes on with TLS.
func (f *fake) secure(cert tls.Certificate) *tls.Conn {
	e := &eager{Conn: f.c, out: make(chan []byte, 100)}
	f.all.Go(e.write) // ends when the script has, which closes out
	f.eager = e
	t := tls.Server(e, &tls.Config{Certificates: []tls.Certificate{cert}})
	if err := t.Handshake(); err != nil {
		f.t.Log(err) // what becomes of it is the client's to say
	}
	f.c, f.r = t, bufio.NewReader(t)
	return t
}

// scram is the service's side of a login.
func (f *fake) scram(keys credential.Keys, vault *credential.Vault, cert tls.Certificate) {
	f.t.Helper()
	cfg := sasl.Config{Vault: vault, Lookup: func(context.Context, string) (credential.Keys, error) { return keys, nil }}
	if t, ok := f.c.(*tls.Conn); ok {
		state := t.ConnectionState()
		cfg.Binding = sasl.Bind(&state, cert.Leaf)
	}
	var offer strings.Builder
	for _, m := range sasl.Offer(cfg) {
		offer.WriteString("<mechanism>" + m + "</mechanism>")
	}
	f.open("<mechanisms xmlns='" + wire.NSSASL + "'>" + offer.String() + "</mechanisms>")
	f.hear("<auth xmlns='" + wire.NSSASL + "' mechanism='${mechanism}'>${first}</auth>")
	s := sasl.NewServer(cfg, "example.com")
	r := s.Start(context.Background(), f.vals["mechanism"], f.data("first"), true)
	for r.Challenge != nil {
		f.say("<challenge xmlns='" + wire.NSSASL + "'>" + base64.StdEncoding.EncodeToString(r.Challenge) + "</challenge>")
		f.hear("<response xmlns='" + wire.NSSASL + "'>${response}</response>")
		r = s.Step(context.Background(), f.data("response"))
	}
	if !r.Success {
		f.say("<failure xmlns='" + wire.NSSASL + "'><" + string(r.Fail) + "/></failure>")
		return
	}
	f.say("<success xmlns='" + wire.NSSASL + "'>" + base64.StdEncoding.EncodeToString(r.Additional) + "</success>")
	f.open(bindOffer)
	f.exchange(bindAsk, bindAnswer)
}

func (f *fake) data(name string) []byte {
	b, err := base64.StdEncoding.DecodeString(f.vals[name])
	if err != nil {
		f.t.Error(err)
	}
	return b
}

// certificate is for example.com, and trusted by the pool.
var certificate = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "example.com"}, DNSNames: []string{"example.com"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(errors.New("a certificate that was just made cannot be read"))
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
})

func noRoute(context.Context, string) (net.Conn, error) { return nil, errors.New("no route") }
