package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/credential"
	msnplays "parley/msnp/plays"
	"parley/xmpp/client"
	"parley/xmpp/wire"
)

// TestRequiredTLS: where nothing may go without TLS, nothing does. RFC 6120 5.3.1, 6.5.4; RFC 7590 3.1.
func TestRequiredTLS(t *testing.T) {
	s := newTargetAt(t, makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People), []string{"msnp", "http", "xmpp", "xmpps"})
	f := startFlow(t, s.guest(t, "alice", true), s.guest(t, "bob", true))
	for _, c := range []badXMPP{
		{"PLAIN", begun, auth("PLAIN", "\x00carol\x00secret"), "failure:encryption-required"},
		{"SCRAM", begun, auth("SCRAM-SHA-256", "n,,n=carol,r=abc"), "failure:encryption-required"},
		{"a message", begun, "<message to='bob@example.com'><body>x</body></message>", "error:not-authorized end"},
		{"TLS, and words behind it", begun, "<starttls xmlns='" + wire.NSTLS + "'/>" + auth("PLAIN", "\x00carol\x00secret"), "error:policy-violation end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			nc, err := newXMPPLine(s, c.state)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			if got := sayBadly(nc, c); got != c.hear {
				t.Errorf("heard %q, want %q", got, c.hear)
			}
		})
		f.goesOn(t, c.name)
	}
	t.Run("no TLS where TLS is all", func(t *testing.T) { // XEP-0368 3
		c, err := s.Dial("xmpps")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.WriteString(c, header); err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(c)
		if strings.Contains(string(b), "stream") {
			t.Errorf("heard %q", b)
		}
	})
	f.stop()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// TestTLSThatFails: a handshake that comes to nothing ends the connection without a word of XMPP, for it was no more XMPP
// that failed. RFC 6120 5.4.3.2, 13.9.5.
func TestTLSThatFails(t *testing.T) {
	s := newTargetAt(t, makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People), []string{"msnp", "http", "xmpp", "xmpps"})
	hello := func(c net.Conn, cfg *tls.Config) {
		if err := tls.Client(c, cfg).HandshakeContext(t.Context()); err == nil {
			t.Error("the hands were shaken")
		}
	}
	for name, begin := range map[string]func(net.Conn){
		"noise":    func(c net.Conn) { io.WriteString(c, "\x16\x03\x01\xff\xffnoise that is no hello") },
		"a stanza": func(c net.Conn) { io.WriteString(c, "<presence/>") },
		"an old version": func(c net.Conn) {
			hello(c, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
		},
		"who does not trust": func(c net.Conn) { hello(c, &tls.Config{ServerName: msnplays.Domain, RootCAs: x509.NewCertPool()}) },
	} {
		t.Run(name, func(t *testing.T) {
			nc, err := newXMPPLine(s, begun)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.WriteString(nc, "<starttls xmlns='"+wire.NSTLS+"'/>"); err != nil {
				t.Fatal(err)
			}
			if heard, err := io.ReadAll(io.LimitReader(nc, int64(len("<proceed xmlns='"+wire.NSTLS+"'/>")))); err != nil || !strings.HasPrefix(string(heard), "<proceed") {
				t.Fatalf("%q, %v", heard, err)
			}
			begin(nc)
			heard, err := io.ReadAll(nc)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection is still there")
			}
			if strings.Contains(string(heard), "stream") {
				t.Errorf("heard %q", heard)
			}
		})
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// TestReservedResource: the name under which XMPP sees the session of MSNP is nobody else's. RFC 6120 7.7.2.1.
func TestReservedResource(t *testing.T) {
	s := newXMPPTarget(t, makeTemplate(t, msnplays.Domain, msnplays.Password, crowd()))
	s.guest(t, "alice", true)
	v := s.visitor(t, "alice", "MSN")
	if v.Resource() == "MSN" || v.Resource() == "" {
		t.Errorf("the resource is %q", v.Resource())
	}
	bob := s.visitor(t, "bob", "MSN")
	if bob.Resource() == "MSN" {
		t.Errorf("the resource is %q", bob.Resource())
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// TestPresenceLoop: two sessions that answer each other's presence go on for just as long as they do: the service adds nothing
// of its own, and answers no error with anything. RFC 6120 8.3.1, RFC 6121 4.6.
func TestPresenceLoop(t *testing.T) {
	const rounds = 300
	s := newXMPPTarget(t, makeTemplate(t, msnplays.Domain, msnplays.Password, crowd()))
	f := startXMPPFlow(t, s.visitor(t, "frank", "flow"), s.visitor(t, "erin", "flow"))
	var two [2]*client.Client
	var notices [2]int // by each one's reader
	over := make(chan struct{})
	ctx, cancel := patient()
	defer cancel()
	ready := make(chan struct{})
	for i, name := range []string{"alice", "bob"} {
		c, err := client.Dial(ctx, client.Config{Address: s.at["xmpp"], Domain: msnplays.Domain, User: name, Resource: "loop",
			Password: credential.NewSecret(msnplays.Password), Security: client.Plain, Event: func(e client.Event) {
				p, ok := e.(client.Presence)
				if !ok || client.Resource(p.From) != "loop" || p.Type != "" {
					return
				}
				<-ready
				if notices[i]++; notices[i] > rounds {
					if notices[i] == rounds+1 && i == 1 {
						close(over)
					}
					return
				}
				two[i].Direct(p.From, "", client.Shown{Status: fmt.Sprint(notices[i])})
			}})
		if err != nil {
			t.Fatal(err)
		}
		two[i] = c
		defer c.Close()
	}
	close(ready)
	if err := two[0].Direct(two[1].JID(), "", client.Shown{}); err != nil {
		t.Fatal(err)
	}
	// alice begins and bob answers: bob hears one more than he answers, and the two fall silent.
	select {
	case <-over:
	case <-ctx.Done():
		t.Fatal("they did not come that far")
	}
	f.goesOn(t, "beside presence that is answered with presence")
	for _, c := range two {
		if err := c.Ping(ctx, ""); err != nil {
			t.Fatal(err)
		}
		c.Close() // waits for its reader
	}
	if notices != [2]int{rounds, rounds + 1} {
		t.Errorf("%v notices were heard, and each had sent %d", notices, rounds)
	}
	f.stop()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// gate is a connection whose reader can be made to wait.
type gate struct {
	net.Conn
	open chan struct{} // closed: what comes is read
}

func (g *gate) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	<-g.open
	return n, err
}

// TestAnswerAcknowledges: the answer to a query waits until what was said before it is written to its receiver, so that
// nothing that it acknowledges can be lost; but not for long where somebody does not read. RFC 6120 10.1
func TestAnswerAcknowledges(t *testing.T) {
	template := makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People)
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t, template, "xmpp")
		if err := p.Configure("xmpp.plain", "loopback"); err != nil {
			t.Fatal(err)
		}
		enter := func(name string, wrap func(net.Conn) net.Conn) *client.Client {
			c, err := client.Dial(t.Context(), client.Config{Address: "x", Domain: msnplays.Domain, User: name, Resource: "home",
				Password: credential.NewSecret(msnplays.Password), Security: client.Plain,
				Dial: func(context.Context, string) (net.Conn, error) {
					c, err := p.Dial("xmpp")
					if err != nil {
						return nil, err
					}
					return wrap(c), nil
				}})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.SetPresence(client.Shown{}); err != nil {
				t.Fatal(err)
			}
			if err := c.Ping(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
			return c
		}
		g := &gate{open: make(chan struct{})}
		close(g.open)
		bob := enter("bob", func(c net.Conn) net.Conn { g.Conn = c; return g })
		defer bob.Close()
		alice := enter("alice", func(c net.Conn) net.Conn { return c })
		defer alice.Close()
		say := func(text string) (answered time.Duration) {
			begin := time.Now()
			if _, err := alice.Say(bob.JID(), text); err != nil {
				t.Fatal(err)
			}
			if err := alice.Ping(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
			return time.Since(begin)
		}
		if d := say("hello"); d != 0 {
			t.Errorf("who reads is waited for, for %v", d)
		}
		synctest.Wait() // bob's reader waits in Read, and takes one write more
		g.open = make(chan struct{})
		say("taken by the reader")
		if d := say("not taken"); d < 50*time.Millisecond || d > time.Second {
			t.Errorf("the answer came after %v, with somebody who does not read", d)
		}
		time.AfterFunc(30*time.Millisecond, func() { close(g.open) })
		if d := say("taken soon"); d != 30*time.Millisecond {
			t.Errorf("the answer came after %v, and the message was taken after 30 ms", d)
		}
		// in a room, in one piece with the query
		carol := enter("carol", func(c net.Conn) net.Conn { return c })
		defer carol.Close()
		const room = "tea@conversation." + msnplays.Domain
		r, err := alice.Join(t.Context(), room, "alice", client.Entry{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []*client.Client{bob, carol} {
			if err := r.Invite(c.Bare(), ""); err != nil {
				t.Fatal(err)
			}
			if err := alice.Ping(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Join(t.Context(), room, client.Bare(c.JID()), client.Entry{}); err != nil {
				t.Fatal(err)
			}
		}
		all := func(text string) (answered time.Duration) {
			begin := time.Now()
			if err := alice.Send("<message to='" + room + "' type='groupchat'><body>" + text + "</body></message><iq type='get' id='" + text + "'><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
				t.Fatal(err)
			}
			if err := alice.Ping(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
			return time.Since(begin)
		}
		if d := all("hello"); d != 0 {
			t.Errorf("those who read are waited for in a room, for %v", d)
		}
		synctest.Wait()
		g.open = make(chan struct{})
		all("taken")
		if d := all("missed"); d < 50*time.Millisecond || d > time.Second {
			t.Errorf("the answer came after %v, with one in the room who does not read", d)
		}
		close(g.open)
	})
}
