package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

// TestChatOverXMPP: two people add each other, see each other, talk and block. RFC 6121 2, 3, 4, 5; XEP-0191 3
func TestChatOverXMPP(t *testing.T) {
	at, data := runServiceOf(t, "xmpp://127.0.0.1:0", "xmpps://127.0.0.1:0")
	alice := startChatBy(t, "alice", chatFlags{protocol: "xmpp", server: at[0], data: data, stdin: true})
	bob := startChatBy(t, "bob", chatFlags{server: "xmpps://" + at[1], data: data, stdin: true})
	alice.sees("logged in as alice@parley.test at " + at[0])
	alice.sees("contacts: 0")
	bob.sees("logged in as bob@parley.test at " + at[1])
	bob.sees("contacts: 0")

	alice.types("/add bob")
	alice.sees("bob@parley.test is on your list")
	bob.sees("alice@parley.test added you: /accept alice@parley.test, or /block alice@parley.test")
	bob.types("/wait added alice 20", "/accept alice", "/wait online alice 20")
	alice.sees("bob@parley.test lets you see when they are here")
	alice.sees("bob@parley.test is online")
	bob.sees("alice@parley.test is online")
	alice.types("/state lunch")
	bob.sees("alice@parley.test is out to lunch")
	bob.types("/list")
	bob.sees("  alice@parley.test  out to lunch")
	alice.types("/state online")
	bob.seesTimes(2, "alice@parley.test is online")

	bob.sees("alice@parley.test is on your list")
	alice.types("/msg bob hello <there> & so", "and again", "/wait delivered bob 20")
	alice.seesTimes(2, "sent to bob@parley.test")
	alice.seesTimes(2, "delivered to bob@parley.test")
	bob.sees("<alice@parley.test> hello <there> & so")
	bob.sees("<alice@parley.test> and again")
	bob.types("/wait message", "good to hear")
	alice.sees("<bob@parley.test> good to hear")

	bob.types("/state offline")
	alice.sees("bob@parley.test is offline")
	bob.sees("you are offline now")
	alice.types("are you there?", "/wait offline bob 20")
	alice.seesTimes(3, "sent to bob@parley.test")
	bob.types("/state online")
	bob.sees("<alice@parley.test> are you there?")
	alice.seesTimes(2, "bob@parley.test is online")

	alice.types("/name Alice A")
	alice.sees("your name is Alice A now")
	bob.types("/block alice", "/list")
	bob.sees("alice@parley.test is blocked")
	bob.sees("  alice@parley.test  offline       (blocked)")
	alice.seesTimes(2, "bob@parley.test is offline")
	bob.types("/msg alice no more")
	bob.sees("! /msg: not delivered to alice@parley.test: alice@parley.test is blocked: /unblock alice@parley.test first (not-acceptable)")
	bob.types("/unblock alice")
	bob.sees("alice@parley.test is not blocked any more")
	alice.seesTimes(3, "bob@parley.test is online")
	bob.types("/remove alice")
	bob.sees("alice@parley.test is off your list")
	alice.sees("bob@parley.test took you off their list")

	alice.ends(nil)
	bob.ends(saidError{})
}

// TestChatBetweenProtocols: one on each.
func TestChatBetweenProtocols(t *testing.T) {
	at, data := runServiceOf(t, "msnp://127.0.0.1:0", "xmpp://127.0.0.1:0")
	alice := startChat(t, at[0], "alice")
	bob := startChatBy(t, "bob", chatFlags{protocol: "xmpp", server: at[1], data: data, stdin: true})
	alice.sees("contacts: 0")
	bob.sees("contacts: 0")
	alice.types("/add bob")
	alice.sees("bob@parley.test is on your list")
	bob.sees("alice@parley.test added you: /accept alice@parley.test, or /block alice@parley.test")
	bob.types("/wait added alice 20", "/accept alice")
	alice.sees("bob@parley.test is online")
	bob.sees("alice@parley.test is online")
	alice.types("/state phone")
	bob.sees("alice@parley.test is on the phone")
	bob.types("/state away")
	alice.sees("bob@parley.test is away")

	alice.types("/msg bob from one")
	alice.sees("delivered to bob@parley.test")
	bob.sees("<alice@parley.test> from one")
	bob.types("/wait message", "to the other")
	alice.sees("<bob@parley.test> to the other")
	alice.types("/leave")
	bob.types("and once more", "/list")
	alice.sees("<bob@parley.test> and once more")
	bob.sees("  alice@parley.test  on the phone")
	alice.ends(nil)
	bob.ends(nil)
}

// TestChatOfThreeOverXMPP: a conversation of two goes on in a room, where somebody of another protocol comes, too.
// XEP-0045 7.2, 7.4, 7.8.2, 7.14
func TestChatOfThreeOverXMPP(t *testing.T) {
	at, data := runServiceOf(t, "xmpp://127.0.0.1:0", "msnp://127.0.0.1:0")
	xmpp := chatFlags{protocol: "xmpp", server: at[0], data: data, stdin: true}
	alice, bob := startChatBy(t, "alice", xmpp), startChatBy(t, "bob", xmpp)
	carol := startChat(t, at[1], "carol")
	alice.sees("contacts: 0")
	bob.sees("contacts: 0")
	carol.sees("contacts: 0")
	alice.types("/msg bob two of us", "/invite carol")
	bob.sees("<alice@parley.test> two of us")
	bob.types("/wait joined alice 20")
	carol.types("/wait joined alice 20")
	alice.types("/wait joined carol 20")
	bob.seesTimes(1, "carol@parley.test joined", "alice@parley.test begins a conversation with alice@parley.test, carol@parley.test") // as he enters before her, or after
	alice.sees("carol@parley.test joined")
	alice.types("//three")
	bob.sees("<alice@parley.test> [with carol@parley.test] /three")
	carol.sees("<alice@parley.test> [with bob@parley.test] /three")
	carol.types("/wait message", "hello both")
	alice.sees("<carol@parley.test> [with bob@parley.test] hello both")
	bob.sees("<carol@parley.test> [with alice@parley.test] hello both")
	bob.types("/wait message carol 20", "/with alice carol", "hello")
	alice.sees("<bob@parley.test> [with carol@parley.test] hello")
	carol.sees("<bob@parley.test> [with alice@parley.test] hello")
	carol.types("/leave")
	alice.sees("carol@parley.test left")
	bob.sees("carol@parley.test left")
	bob.types("/leave")
	alice.sees("bob@parley.test left")
	alice.ends(nil)
	bob.ends(nil)
	carol.ends(nil)
}

func TestChatOverXMPPFails(t *testing.T) {
	at, data := runServiceOf(t, "xmpp://127.0.0.1:0")
	for _, c := range []struct {
		who, password string
		o             chatFlags
		want          string
	}{
		{"alice@parley.test", "wrong", chatFlags{server: "xmpp://" + at[0], data: data}, "alice@parley.test is not let in: the password is wrong, or there is no such account"},
		{"nobody@parley.test", "wrong", chatFlags{server: "xmpp://" + at[0], data: data}, "nobody@parley.test is not let in"},
		{"alice@parley.test", "alice-secret", chatFlags{server: "xmpp://127.0.0.1:1"}, "nobody answers at 127.0.0.1:1"},
		{"alice@parley.test", "alice-secret", chatFlags{server: "xmpp://" + at[0]}, "is not to be trusted for parley.test"},
		{"alice@elsewhere.example", "alice-secret", chatFlags{server: "xmpp://" + at[0], data: data}, "is not that of elsewhere.example (host-unknown)"},
		{"alice@parley.test", "alice-secret", chatFlags{server: "xmpp://" + at[0], data: t.TempDir()}, "--data: open "},
		{"alice@parley.test", "alice-secret", chatFlags{server: "icq://" + at[0]}, `"icq" is no protocol to chat with`},
		{"alice@parley.test", "alice-secret", chatFlags{protocol: "msnp", server: "xmpp://" + at[0]}, "do not go together"},
		{"alice@parley.test", "alice-secret", chatFlags{protocol: "xmpp", server: "a b"}, "write it like chat.example.com:5222"},
	} {
		c.o.stdin = true
		err := runChat(t.Context(), &env{strings.NewReader(c.password + "\n"), io.Discard, io.Discard}, c.who, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %+v: %v", c.who, c.o, err)
		}
	}
	for input, want := range map[string]string{
		"/msg bob@elsewhere.example hello": "! /msg: not delivered to bob@elsewhere.example: the service does not reach the domain of bob@elsewhere.example (remote-server-not-found)\n",
		"/state hidden":                    "! /state: XMPP knows no hidden state: /state offline shows you to nobody, and what people write to you waits meanwhile\n",
		"/remove bob":                      "! /remove: bob@parley.test is not on your list\n",
		"/wait message 0.1":                "! /wait: waited 100ms for message in vain\n",
	} {
		var out, errs bytes.Buffer
		err := runChat(t.Context(), &env{strings.NewReader("alice-secret\n" + input), &out, &errs}, "alice@parley.test",
			chatFlags{server: "xmpp://" + at[0], insecure: true, stdin: true, join: 20 * time.Millisecond})
		if errs.String() != want || err != (saidError{}) {
			t.Errorf("%q: %v, %q, want %q", input, err, errs.String(), want)
		}
	}
}

func TestChatServer(t *testing.T) {
	for _, c := range []struct{ protocol, server, want string }{
		{"", "", "msnp 127.0.0.1:1863"},
		{"xmpp", "", "xmpp 127.0.0.1:5222"},
		{"", "chat.example.com", "msnp chat.example.com:1863"},
		{"", "chat.example.com:5222", "xmpp chat.example.com:5222"},
		{"xmpp", "chat.example.com:5223", "xmpps chat.example.com:5223"},
		{"msnp", "chat.example.com:5222", "msnp chat.example.com:5222"},
		{"", "xmpps://[::1]", "xmpps [::1]:5223"},
		{"xmpp", "xmpp://[::1]:99", "xmpp [::1]:99"},
	} {
		scheme, server, err := (&chatFlags{protocol: c.protocol, server: c.server}).chatServer()
		if err != nil || scheme+" "+server != c.want {
			t.Errorf("%s %s: %s %s, %v, want %s", c.protocol, c.server, scheme, server, err, c.want)
		}
	}
}
