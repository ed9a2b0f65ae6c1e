package plays_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/credential"
	"parley/transcript"
	"parley/xmltext"
	"parley/xmpp/plays"
	"parley/xmpp/sasl"
	"parley/xmpp/wire"
)

// house is the least that plays can be played against: it lets people in, and carries stanzas to full addresses.
type house struct {
	cert  tls.Certificate
	pool  *x509.CertPool
	vault *credential.Vault
	keys  credential.Keys
	pipes bool

	must bool // TLS first
	noPL bool // no PLAIN

	mu    sync.Mutex // guards what follows
	here  map[string]*guest
	conns map[net.Conn]bool
	all   sync.WaitGroup
	log   []string
}

var made = sync.OnceValue(func() *house {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{plays.Domain}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0),
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	h := &house{pool: x509.NewCertPool(), vault: credential.NewVault(make([]byte, 32))}
	h.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	if h.cert.Leaf, err = x509.ParseCertificate(der); err != nil {
		panic(err)
	}
	h.pool.AddCert(h.cert.Leaf)
	if h.keys, err = h.vault.Set("alice@example.com", credential.NewSecret(plays.Password), false); err != nil {
		panic(err)
	}
	return h
})

func newHouse(pipes bool) *house {
	m := made()
	return &house{cert: m.cert, pool: m.pool, vault: m.vault, keys: m.keys, pipes: pipes, here: map[string]*guest{}, conns: map[net.Conn]bool{}}
}

func (h *house) Configure(key, value string) error {
	switch key + "=" + value {
	case "tls=required":
		h.must = true
	case "plain=never":
		h.noPL = true
	default:
		return fmt.Errorf("no key %s", key)
	}
	return nil
}
func (h *house) Account(verb, address string, _ []string) error {
	h.log = append(h.log, verb+" "+address)
	return nil
}
func (h *house) Profile(address string, fields []string) error {
	h.log = append(h.log, address+" "+strings.Join(fields, ","))
	return nil
}
func (h *house) TLS() *tls.Config { return &tls.Config{RootCAs: h.pool} }

func (h *house) Stop() error {
	h.mu.Lock()
	for c := range h.conns {
		c.Close()
	}
	h.mu.Unlock()
	h.all.Wait()
	return nil
}

func (h *house) Dial(role string) (net.Conn, error) {
	client, server := net.Pipe()
	if !h.pipes {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
			return nil, err
		}
		if server, err = l.Accept(); err != nil {
			return nil, err
		}
	}
	h.mu.Lock()
	h.conns[server] = true
	h.mu.Unlock()
	h.all.Go(func() { // ends with its connection, which Stop closes
		defer server.Close()
		g := &guest{house: h, c: server}
		if role == "xmpps" {
			g.c = tls.Server(server, &tls.Config{Certificates: []tls.Certificate{h.cert}})
		}
		g.r = bufio.NewReader(g.c)
		g.serve()
	})
	return client, nil
}

// guest is one connection.
type guest struct {
	*house
	c    net.Conn
	r    *bufio.Reader
	user string
	jid  string
	sasl *sasl.Server
	out  sync.Mutex // held while something is written
}

func (g *guest) say(format string, args ...any) {
	g.out.Lock()
	defer g.out.Unlock()
	fmt.Fprintf(g.c, format, args...)
}

func (g *guest) serve() {
	for {
		thing, err := plays.Codec.Read(g.r)
		switch {
		case err != nil:
			return
		case strings.HasPrefix(thing, "</"):
			g.say("</stream:stream>")
			return
		case strings.HasPrefix(thing, "<stream:stream"):
			g.say("<?xml version='1.0'?><stream:stream from='example.com' id='s1' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><stream:features>%s</stream:features>", g.features())
			continue
		}
		d, err := xmltext.Parse([]byte("<a xmlns='jabber:client'>"+thing+"</a>"), xmltext.Limits{})
		if err != nil {
			return
		}
		g.stanza(d.Root().FirstChild(), thing)
	}
}

func (g *guest) features() string {
	_, safe := g.c.(*tls.Conn)
	switch {
	case g.user != "":
		return "<bind xmlns='" + wire.NSBind + "'/>"
	case !safe && g.must:
		return "<starttls xmlns='" + wire.NSTLS + "'><required/></starttls>"
	}
	var l strings.Builder
	for _, m := range sasl.Offer(g.config()) {
		l.WriteString("<mechanism>" + m + "</mechanism>")
	}
	return "<starttls xmlns='" + wire.NSTLS + "'/><mechanisms xmlns='" + wire.NSSASL + "'>" + l.String() + "</mechanisms>"
}

func (g *guest) config() sasl.Config {
	c := sasl.Config{PLAIN: !g.noPL, Vault: g.vault, Lookup: func(context.Context, string) (credential.Keys, error) { return g.keys, nil }}
	if t, ok := g.c.(*tls.Conn); ok {
		s := t.ConnectionState()
		c.Binding = sasl.Bind(&s, g.cert.Leaf)
	}
	return c
}

func (g *guest) prove(r sasl.Result) {
	switch {
	case r.Success:
		g.user = r.User
		g.say("<success xmlns='%s'>%s</success>", wire.NSSASL, base64.StdEncoding.EncodeToString(r.Additional))
	case r.Challenge != nil:
		g.say("<challenge xmlns='%s'>%s</challenge>", wire.NSSASL, base64.StdEncoding.EncodeToString(r.Challenge))
	default:
		g.say("<failure xmlns='%s'><%s/></failure>", wire.NSSASL, r.Fail)
	}
}

func (g *guest) stanza(n xmltext.Node, thing string) {
	attr := func(name string) string { v, _ := n.Attr("", name); return string(v) }
	data := func() []byte {
		b, err := base64.StdEncoding.DecodeString(string(n.Text()))
		if err != nil {
			g.say("<%v/>", err)
		}
		return b
	}
	switch {
	case n.Is(wire.NSTLS, "starttls"):
		g.say("<proceed xmlns='%s'/>", wire.NSTLS)
		g.c = tls.Server(g.c, &tls.Config{Certificates: []tls.Certificate{g.cert}})
		g.r = bufio.NewReader(g.c)
	case n.Is(wire.NSSASL, "auth"):
		g.sasl = sasl.NewServer(g.config(), plays.Domain)
		g.prove(g.sasl.Start(context.Background(), attr("mechanism"), data(), true))
	case n.Is(wire.NSSASL, "response"):
		g.prove(g.sasl.Step(context.Background(), data()))
	case n.FirstChild().Is(wire.NSBind, "bind"):
		g.jid = g.user + "@example.com/" + string(n.FirstChild().FirstChild().Text())
		g.mu.Lock()
		g.here[g.jid] = g
		g.mu.Unlock()
		g.say("<iq type='result' id='%s'><bind xmlns='%s'><jid>%s</jid></bind></iq>", attr("id"), wire.NSBind, g.jid)
	case n.Is(wire.NSClient, "iq"):
		g.say("<iq type='result' id='%s'/>", attr("id"))
	case n.Is(wire.NSClient, "presence"):
		g.say("<presence from='%s'/>", g.jid)
	default:
		g.mu.Lock()
		to := g.here[attr("to")]
		g.mu.Unlock()
		if to == nil {
			g.say("<message type='error' from='%s'/>", attr("to"))
		} else {
			to.say("%s", strings.Replace(thing, "<message", "<message from='"+g.jid+"'", 1))
		}
	}
}

const script = `# Every way in, and a word between two. Spec: RFC 6120 4, 6
C: <?xml version='1.0'?>
  <stream:stream to='example.com' version='1.0'
    xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>
S: <stream:stream from='example.com' id='${id}' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>
S: <stream:features>
     ...
     <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>...<mechanism>PLAIN</mechanism></mechanisms>
   </stream:features>
C: <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
S: <proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
@close
@open alice online
@open alice2.phone available tls
alice2.phone S: <presence from='alice@example.com/phone'/>
@open bob online direct
alice C: <message to='bob@example.com/home'><body>a &lt; b</body></message>
bob S: <message from='alice@example.com/${r}' to='bob@example.com/home'>
  <body>a &lt; b</body>
  </message>
bob C: <message to='alice@example.com/${r}'><body>${base64 ab}</body></message>
alice S: <message from='bob@example.com/home'>...<body>YWI=</body></message>
bob C: <message to='x'/>
bob S: <message type='error' from='x'/>
@silence
alice C: </stream:stream>
alice S: </stream:stream>
@closed alice
@account add eve@example.com secret
@profile eve@example.com first=Eve

# TLS in the middle of a script, and a login that is bound to it. Spec: RFC 6120 5; RFC 9266 2
@config tls=required
@config plain=never
@open alice stream
alice C: <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
alice S: <proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
@tls alice
alice C: <stream:stream to='example.com' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>
alice S: <stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='example.com' id='${*}'>
alice S: <stream:features>...</stream:features>
alice C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256-PLUS'>${scram alice SCRAM-SHA-256-PLUS}</auth>
alice S: <challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${challenge}</challenge>
alice C: <response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${prove challenge}</response>
alice S: <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${proof it}</success>
@open bob in
@open carol direct
carol C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>${scram carol SCRAM-SHA-1}</auth>
carol S: <challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${challenge2}</challenge>
carol C: <response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${base64 nonsense}</response>
carol S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>...</failure>
@open dave tls
dave C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain dave}</auth>
dave S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>...</failure>
@shutdown
@closed alice
`

func TestPlays(t *testing.T) {
	scripts, err := transcript.Parse("x.play", script)
	if err != nil {
		t.Fatal(err)
	}
	made()
	for _, s := range scripts {
		for _, pipes := range []bool{true, false} {
			play := func(t *testing.T) {
				h := newHouse(pipes)
				defer h.Stop()
				d := plays.Door(h, pipes)
				transcript.Play(t, s, d.Dial, d.Options)
				if strings.HasPrefix(s.Title, "Every") && strings.Join(h.log, ";") != "add eve@example.com;eve@example.com first=Eve" {
					t.Error(h.log)
				}
			}
			t.Run(s.Title, func(t *testing.T) {
				if pipes {
					synctest.Test(t, play)
				} else {
					play(t)
				}
			})
		}
	}
}

// TestWhatIsWrongIsSaid: plays that cannot go on.
func TestWhatIsWrongIsSaid(t *testing.T) {
	made()
	for in, want := range map[string]string{
		"@open alice somewhere":                 `there is no "somewhere"`,
		"@tls alice":                            `"alice" was not opened`,
		"@config x=y":                           "no key x",
		"@account add":                          "wants a verb and an address",
		"C: ${prove x}":                         "no ${scram} came before",
		"C: ${proof x}":                         "no ${prove} came before",
		"C: ${scram alice SCRAM-SHA-1-PLUS}":    "no TLS to bind to",
		"C: ${scram alice DIGEST-MD5}":          "no mechanism",
		"@open a in\n@open b online\na S: <a/>": "hears nothing",
	} {
		s, err := transcript.Parse("x.play", "# T. Spec: RFC 6120 4\n"+in)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(true)
			defer h.Stop()
			d := plays.Door(h, true)
			if err := transcript.Run(s[0], d.Dial, d.Options); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", in, err)
			}
		})
	}
}
