package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// later is what a client of MSNP8 to MSNP12 has besides: what it said of itself last.
type later struct {
	dialect   int
	abilities string // capabilities
	object    string
	personal  string
}

func laterOf(dialect string) *later {
	d, _ := strconv.Atoi(strings.TrimPrefix(strings.ToUpper(dialect), "MSNP"))
	if d < 8 {
		return nil
	}
	return &later{dialect: d, abilities: "0"}
}

// welcome ends a login; the profile of the account, which clients want, is the shortest there is.
func (l *later) welcome(c *conn, id string, b *batch) {
	if l.dialect < 10 {
		b.line(c, "USR", id, "OK", c.name, c.name, "1 0")
	} else {
		b.line(c, "USR", id, "OK", c.name, "1 0")
	}
	if l.dialect >= 11 {
		b.line(c, "SBS 0 null")
	}
}

// synced says that the lists are empty.
func (l *later) synced(c *conn, id string, b *batch) {
	if l.dialect < 10 {
		b.line(c, "SYN", id, "1 0 0\r\nGTC A\r\nBLP AL")
		return
	}
	b.line(c, "SYN", id, "2024-01-01T00:00:00.0000000-00:00 2024-01-01T00:00:00.0000000-00:00 0 0\r\nGTC A\r\nBLP AL\r\nPRP MFN", c.name)
}

// able is what the line about somebody in a conversation ends with.
func (l *later) able(other *conn) []string {
	switch {
	case l == nil || l.dialect < 12:
		return nil
	case other.twn == nil:
		return []string{"0"}
	}
	return []string{other.twn.abilities}
}

// show changes a state, and tells those who watch: in their dialects' words, and from MSNP11 on with the personal message.
func (r *relay) show(c *conn, id, state, able, object string, b *batch) {
	r.mu.Lock()
	c.twn.abilities, c.twn.object = able, object
	r.mu.Unlock()
	if object != "" {
		b.line(c, "CHG", id, state, able, object)
	} else {
		b.line(c, "CHG", id, state, able)
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, w := range r.watch[c.name] {
		o := r.byName[w]
		switch {
		case o == nil:
		case o.twn == nil:
			b.line(o, "NLN", state, c.name, c.name)
		case o.twn.dialect == 8:
			b.line(o, "NLN", state, c.name, c.name, able)
		default:
			b.line(o, "NLN", state, c.name, c.name, able, object)
			if o.twn.dialect >= 11 {
				c.ubx(o, b)
			}
		}
	}
}

// tell changes a personal message.
func (r *relay) tell(c *conn, id, text string, b *batch) {
	b.line(c, "UUX", id, "0")
	if c.twn == nil {
		return
	}
	r.mu.Lock()
	c.twn.personal = text
	r.mu.Unlock()
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, w := range r.watch[c.name] {
		if o := r.byName[w]; o != nil && o.twn != nil && o.twn.dialect >= 11 {
			c.ubx(o, b)
		}
	}
}

func (c *conn) ubx(to *conn, b *batch) {
	text := c.twn.personal
	b.put(to, []byte("UBX "), []byte(c.name), []byte(" "), strconv.AppendInt(nil, int64(len(text)), 10), crlf, []byte(text))
}

// servePassport gives everybody the same ticket over HTTPS, with a certificate of its own: what that costs is TLS and
// HTTP alone.
func servePassport(addr string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	what := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "nullrelay"}, NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, what, what, key.Public(), key)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	l = tls.NewListener(l, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS10,
		CipherSuites: []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}, SessionTicketsDisabled: true,
	})
	s := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Authentication-Info"] = []string{"Passport1.4 da-status=success,tname=MSPAuth,tname=MSPProf,tname=MSPSec," +
			"from-PP='t=0&p=0',ru=http://messenger.msn.com"}
	})}
	go func() { log.Fatal(s.Serve(l)) }() // as long as the process
	return nil
}
