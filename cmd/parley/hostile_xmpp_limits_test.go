package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/credential"
	"parley/msnp"
	msnplays "parley/msnp/plays"
	"parley/xmpp/client"
	xmppplays "parley/xmpp/plays"
	"parley/xmpp/wire"
)

// xmppLimitRows are the limits that clients of XMPP meet.
var xmppLimitRows = []limitRow{
	{"limits.sessions", "2", sessions, "sessions", ""},
	{"limits.stanza", "10000", answers("<message><body>"+strings.Repeat("x", 11000)+"</body></message>", "error:policy-violation end"), "stanza", ""},
	{"limits.stanza_depth", "10", answers("<message>"+strings.Repeat("<x>", 20), "error:policy-violation end"), "stanza_depth", ""},
	{"limits.stanza_attributes", "10", answers("<message"+manyAttributes(11, " a%d='x'")+"/>", "error:policy-violation end"), "stanza_attributes", ""},
	{"limits.stanza_nodes", "100", answers("<message>"+strings.Repeat("<x/>", 101)+"</message>", "error:policy-violation end"), "stanza_nodes", ""},
	{"limits.note", "100", answers(privateNote("a", strings.Repeat("x", 200)), "iq:error:not-acceptable"), "note", ""},
	{"limits.notes", "1", answers(privateNote("a", "x")+privateNote("a", "y")+privateNote("b", "x"), "iq:result iq:result iq:error:resource-constraint"), "notes", ""},
	{"limits.rules", "1", answers(privacyList("a", 1)+privacyList("a", 2), "iq:set iq:result iq:error:resource-constraint"), "rules", ""},
	{"limits.rule_lists", "1", answers(privacyList("a", 1)+privacyList("b", 1), "iq:set iq:result iq:error:resource-constraint"), "rule_lists", ""},
	{"limits.directed", "1", answers("<presence to='erin@example.com'/><presence to='frank@example.com'/>", "presence:error:resource-constraint"), "directed", ""},
	{"limits.groups", "1", answers("<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='erin@example.com'><group>A</group><group>B</group></item></query></iq>",
		"iq:error:resource-constraint"), "groups", ""},
	{"limits.waiting_bytes", "2KiB", answers("<message type='chat' to='erin@example.com'><body>"+strings.Repeat("x", 3000)+"</body></message>",
		"message:error:resource-constraint"), "waiting_bytes", ""},
	{"limits.requests", "1", oneTooManyAsks, "requests", ""},
	{"limits.watchers", "1", oneTooManyAsks, "watchers", ""},
	{"limits.request_text", "10", requestText, "", ""},
	{"limits.presence_queue", "4KiB", presenceQueue, "presence_queue", "limits.queue=64MiB limits.bytes_per_second=0"},
	{"limits.login_window", "1s", loginWindow, "login_failures", "limits.login_failures=1"},
	{"limits.login_failures", "2", xmppFailures("alice", "alice", "alice"), "login_failures", ""},
	{"limits.login_failures_per_network", "2", xmppFailures("bob", "nobody", "alice"), "login_failures_per_network", ""},
	{"xmpp.login_tries", "2", saysIn(begun, strings.Repeat(auth("PLAIN", "\x00carol\x00wrong"), 2),
		"failure:not-authorized failure:not-authorized error:policy-violation end"), "login_tries", ""},
	{"xmpp.registrations_per_network", "1", saysIn(begun, registration("one")+registration("two"), "iq:result iq:error:resource-constraint"),
		"registrations_per_network", "xmpp.registration=true"},
}

// untried are the keys below [limits] that no row meets, and why.
var untried = map[string]string{
	"limits.queue":           "TestCrowds and TestXMPPCrowds meet it, with somebody who does not read",
	"limits.rooms":           "no client makes rooms that last: the exchange's own tests meet it",
	"limits.rooms_joined":    "as limits.rooms",
	"limits.room_members":    "as limits.rooms",
	"limits.room_users":      "as limits.rooms",
	"limits.room_history":    "as limits.rooms",
	"limits.waiting_age":     "a minute at least: the exchange's own tests meet it, in no time",
	"limits.accounts_cached": "nobody is refused anything: what is not in memory is read",
}

// TestEveryLimit: no limit is only written down.
func TestEveryLimit(t *testing.T) {
	tried := map[string]bool{}
	for _, r := range slices.Concat(limitRows, xmppLimitRows) {
		tried[r.key] = true
	}
	for _, k := range config.Keys() {
		if why, ok := untried[k.Name]; ok && (why == "" || tried[k.Name]) {
			t.Errorf("%s is in the list of those that are not tried, with the reason %q", k.Name, why)
		} else if strings.HasPrefix(k.Name, "limits.") && !tried[k.Name] && !ok {
			t.Errorf("%s: no row of TestLimits meets it, and no reason is given", k.Name)
		}
		delete(tried, k.Name)
	}
	for k := range tried {
		t.Errorf("%s is no key", k)
	}
}

// saysIn says something in a state, and compares the answer in words.
func saysIn(state, say, hear string) func(*testing.T, *stage) {
	return func(t *testing.T, s *stage) {
		nc, err := newXMPPLine(s, state)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if got := sayBadly(nc, badXMPP{state: state, say: say, hear: hear}); got != hear {
			t.Errorf("heard %q, want %q", got, hear)
		}
	}
}

// answers is saysIn for somebody who is logged in.
func answers(say, hear string) func(*testing.T, *stage) { return saysIn(within, say, hear) }

// privateNote keeps a document, XEP-0049 2.3.
func privateNote(name, text string) string {
	return "<iq type='set' id='1'><query xmlns='jabber:iq:private'><" + name + " xmlns='example:note'>" + text + "</" + name + "></query></iq>"
}

// privacyList makes a privacy list of so many rules, RFC 3921 10.6.
func privacyList(name string, rules int) string {
	var items strings.Builder
	for i := range rules {
		fmt.Fprintf(&items, "<item action='deny' order='%d' type='jid' value='p%d@example.com'/>", i, i)
	}
	return "<iq type='set' id='1'><query xmlns='jabber:iq:privacy'><list name='" + name + "'>" + items.String() + "</list></query></iq>"
}

// registration makes an account, XEP-0077 3.1.1.
func registration(name string) string {
	return "<iq type='set' id='1'><query xmlns='jabber:iq:register'><username>" + name + "</username><password>a secret</password></query></iq>"
}

// sessions: one too many of one account gets no resource, RFC 6120 7.6.2.1.
func sessions(t *testing.T, s *stage) {
	s.visitor(t, "carol", "one")
	s.visitor(t, "carol", "two")
	saysIn(proved, "<iq type='set' id='1'><bind xmlns='"+wire.NSBind+"'/></iq>", "iq:error:resource-constraint")(t, s)
}

// oneTooManyAsks: the second who wants to see somebody is refused.
func oneTooManyAsks(t *testing.T, s *stage) {
	ctx, cancel := patient()
	defer cancel()
	for i, name := range []string{"bob", "dave"} {
		v := s.visitor(t, name, "home")
		id := v.NewID()
		if err := v.Send("<presence type='subscribe' id='" + id + "' to='alice@example.com'/>"); err != nil {
			t.Fatal(err)
		}
		if err := v.Ping(ctx, ""); err != nil {
			t.Fatal(err)
		}
		refused := false
		for e, _ := v.box.TryNext(); e != nil; e, _ = v.box.TryNext() {
			if p, ok := e.(client.Presence); ok && p.Type == "error" {
				refused = refused || p.ID == id && errors.Is(p.Error, &client.StanzaError{Condition: "resource-constraint"})
			}
		}
		if refused != (i == 1) {
			t.Errorf("%s is refused: %v", name, refused)
		}
	}
}

// requestText: no more of what somebody says of themselves is kept.
func requestText(t *testing.T, s *stage) {
	ctx, cancel := patient()
	defer cancel()
	bob, alice := s.visitor(t, "bob", "home"), s.visitor(t, "alice", "home")
	if err := bob.Subscribe("alice@example.com", strings.Repeat("it is me ", 100)); err != nil {
		t.Fatal(err)
	}
	p, err := client.Await(ctx, alice.box, func(p client.Presence) bool { return p.Type == "subscribe" })
	if err != nil || len(p.Status) > 10 || p.Status == "" {
		t.Errorf("%q, %v", p.Status, err)
	}
}

// deafClient is somebody who is there, and reads no more once they were told to go deaf.
func deafClient(t *testing.T, s *stage, name, resource string) (jid string) {
	t.Helper()
	ctx, cancel := patient()
	defer cancel()
	release := make(chan struct{})
	c, err := client.Dial(ctx, client.Config{Address: s.at["xmpp"], Domain: msnplays.Domain, User: name, Resource: resource,
		Password: credential.NewSecret(msnplays.Password), Security: client.Plain, Linger: time.Second,
		Event: func(e client.Event) {
			if _, ok := e.(client.Message); ok {
				<-release
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(release)
		c.Close()
	})
	if err := c.SetPresence(client.Shown{}); err != nil {
		t.Fatal(err)
	}
	if err := c.Ping(ctx, ""); err != nil {
		t.Fatal(err)
	}
	return c.JID()
}

// mass is a message that nobody keeps, of so many bytes.
func mass(n int) client.Words {
	return client.Words{State: "composing", Extra: "<x xmlns='example:x'>" + strings.Repeat("x", n) + "</x>"}
}

// presenceQueue: who does not read, and is told of more and more people, is closed.
func presenceQueue(t *testing.T, s *stage) {
	ctx, cancel := patient()
	defer cancel()
	alice := s.visitor(t, "alice", "first")
	var others []visitor
	for _, name := range []string{"bob", "carol", "erin"} {
		v := s.visitor(t, name, "home")
		if err := v.Approve("alice@example.com"); err != nil {
			t.Fatal(err)
		}
		if err := v.Ping(ctx, ""); err != nil {
			t.Fatal(err)
		}
		if err := alice.Subscribe(v.Bare(), ""); err != nil {
			t.Fatal(err)
		}
		others = append(others, v)
	}
	if err := alice.Ping(ctx, ""); err != nil {
		t.Fatal(err)
	}
	alice.Close()
	w := mass(200 << 10)
	w.To = deafClient(t, s, "alice", "deaf")
	for range 60 { // more than sockets hold
		if _, err := others[0].Tell(w); err != nil {
			t.Fatal(err)
		}
		if err := others[0].Ping(ctx, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range others {
		if err := v.SetPresence(client.Shown{Status: strings.Repeat("y", 2000)}); err != nil {
			t.Fatal(err)
		}
		if err := v.Ping(ctx, ""); err != nil {
			t.Fatal(err)
		}
	}
}

// loginWindow: when it has passed, the right password is right again.
func loginWindow(t *testing.T, s *stage) {
	try := func(password string) string {
		nc, err := newXMPPLine(s, begun)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		return firstAnswer(t, nc, auth("PLAIN", "\x00alice\x00"+password))
	}
	begin := time.Now()
	if got := try("wrong"); got != "failure:not-authorized" {
		t.Errorf("a wrong password: %s", got)
	}
	if got := try(msnplays.Password); got == "success" && time.Since(begin) < 900*time.Millisecond {
		t.Errorf("the right one at once: %s", got)
	}
	for try(msnplays.Password) != "success" {
		if time.Since(begin) > 20*time.Second {
			t.Fatal("the right password is still wrong")
		}
	}
	if took := time.Since(begin); took < 900*time.Millisecond {
		t.Errorf("right again after %v", took)
	}
}

// firstAnswer says something and gives the first thing heard, in words.
func firstAnswer(t *testing.T, nc net.Conn, say string) string {
	t.Helper()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(nc, say); err != nil {
		t.Fatal(err)
	}
	thing, err := xmppplays.Codec.Read(bufio.NewReader(nc))
	if err != nil {
		t.Fatal(err)
	}
	return heard(thing)
}

// xmppFailures: after too many failures the right password is refused in the same words, at the other door as well.
func xmppFailures(who ...string) func(*testing.T, *stage) {
	return func(t *testing.T, s *stage) {
		for i, name := range who {
			password := "wrong"
			if i == len(who)-1 {
				password = msnplays.Password
			}
			saysIn(begun, auth("PLAIN", "\x00"+name+"\x00"+password), "failure:not-authorized")(t, s)
		}
		c := s.open(t, "")
		c.asks(t, "VER 1 MSNP2")
		f := strings.Fields(c.asks(t, "USR 2 MD5 I "+who[len(who)-1]+"@example.com"))
		if got := c.asks(t, "USR 3 MD5 S "+msnplays.Respond(f[4], msnplays.Password)); got != fmt.Sprintf("%d 3", msnp.ErrAuthenticationFailed) {
			t.Errorf("over MSNP: %q", got)
		}
	}
}
