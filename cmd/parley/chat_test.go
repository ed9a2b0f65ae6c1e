package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/config"
	"parley/credential"
	"parley/msnp"
	"parley/msnp/client"
)

// runService serves in this process, and gives the addresses of its listeners, HOST:PORT. alice, bob and carol live
// there, and their password is their name and "-secret".
func runService(t *testing.T, urls ...string) []string {
	t.Helper()
	l, _ := runServiceOf(t, urls...)
	return l
}

// runServiceOf gives the data folder as well.
func runServiceOf(t *testing.T, urls ...string) (at []string, data string) {
	t.Helper()
	cfg := config.Default()
	cfg.Data = t.TempDir()
	cfg.Listen = urls
	cfg.Log.Level = "error"
	cfg.Shutdown.Grace = config.Duration(time.Second)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var log bytes.Buffer
	up := make(chan []string, 1)
	ended := make(chan error, 1)
	go func() { // ends with ctx
		ended <- serve(ctx, &env{strings.NewReader(""), io.Discard, &log}, cfg, "", func(s *service) error {
			o := &office{house: s.house}
			for _, who := range demoNames {
				if _, err := o.do(ctx, request{Act: "add", Address: who + "@parley.test", Password: who + "-secret"}); err != nil {
					return err
				}
			}
			var l []string
			for _, n := range s.open {
				l = append(l, n.net.Addr().String())
			}
			up <- l
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the service ended: %v", err)
		}
		if log.Len() > 0 {
			t.Errorf("the service logged:\n%s", log.String())
		}
	})
	select {
	case l := <-up:
		return l, cfg.Data
	case err := <-ended:
		ended <- nil
		t.Fatalf("the service did not start: %v", err)
		return nil, ""
	}
}

// chatting is a run of parley chat whose input is written as it goes.
type chatting struct {
	t   *testing.T
	who string
	in  *io.PipeWriter

	mu   sync.Mutex // guards what follows
	text bytes.Buffer
	more chan struct{} // closed when text grows
	done chan error
}

func (c *chatting) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.Write(b)
	close(c.more)
	c.more = make(chan struct{})
	return len(b), nil
}

func startChat(t *testing.T, server, name string) *chatting {
	t.Helper()
	return startChatBy(t, name, chatFlags{server: server, stdin: true})
}

func startChatBy(t *testing.T, name string, o chatFlags) *chatting {
	t.Helper()
	r, w := io.Pipe()
	c := &chatting{t: t, who: name + "@parley.test", in: w, more: make(chan struct{}), done: make(chan error, 1)}
	go func() { // ends with its input
		c.done <- runChat(t.Context(), &env{r, c, c}, c.who, o)
		r.Close()
	}()
	t.Cleanup(func() { w.Close() })
	c.types(name + "-secret")
	return c
}

func (c *chatting) types(lines ...string) {
	for _, l := range lines {
		if _, err := io.WriteString(c.in, l+"\n"); err != nil {
			c.t.Errorf("%s cannot type %q: %v", c.who, l, err)
		}
	}
}

// sees waits for a line.
func (c *chatting) sees(line string) {
	c.t.Helper()
	c.seesTimes(1, line)
}

// seesTimes waits until lines have come so many times, any of them.
func (c *chatting) seesTimes(n int, lines ...string) {
	c.t.Helper()
	late := time.After(20 * time.Second)
	for {
		c.mu.Lock()
		text, more := c.text.String(), c.more
		c.mu.Unlock()
		seen := 0
		for l := range strings.Lines(text) {
			if slices.Contains(lines, strings.TrimSuffix(l, "\n")) {
				seen++
			}
		}
		if seen >= n {
			return
		}
		select {
		case <-more:
		case <-late:
			c.t.Fatalf("%s does not see %q in:\n%s", c.who, lines, text)
		}
	}
}

// ends waits for the end.
func (c *chatting) ends(want error) {
	c.t.Helper()
	c.in.Close()
	if err := <-c.done; err != want {
		c.t.Errorf("%s ended with %v, want %v; it printed:\n%s", c.who, err, want, c.text.String())
	}
}

func TestChatOfThree(t *testing.T) {
	server := runService(t, "msnp://127.0.0.1:0")[0]
	alice, bob, carol := startChat(t, server, "alice"), startChat(t, server, "bob"), startChat(t, server, "carol")
	alice.sees("logged in as alice@parley.test at " + server)
	alice.sees("contacts: 0")
	bob.sees("contacts: 0")
	carol.sees("contacts: 0")

	alice.types("/add bob", "/name Alice A", "/state lunch")
	alice.sees("bob@parley.test is on your list")
	alice.sees("bob@parley.test is online")
	alice.sees("your name is Alice A now")
	bob.sees("alice@parley.test added you: /accept alice@parley.test, or /block alice@parley.test")
	bob.types("/accept alice@parley.test", "/wait lunch alice", "/list")
	bob.sees("alice@parley.test (Alice A) is out to lunch")
	bob.sees("  alice@parley.test  out to lunch  Alice A")
	alice.types("/wait added bob 20", "/state away")
	bob.sees("alice@parley.test (Alice A) is away")

	alice.types("/msg bob hello there", "and again")
	alice.sees("bob@parley.test joined")
	alice.sees("delivered to bob@parley.test")
	bob.sees("<alice@parley.test> hello there")
	bob.sees("<alice@parley.test> and again")
	bob.types("/wait message", "good to hear")
	alice.sees("<bob@parley.test> good to hear")

	alice.types("/invite carol", "//all three")
	carol.sees("alice@parley.test (Alice A) begins a conversation with alice@parley.test, bob@parley.test")
	bob.sees("carol@parley.test joined")
	bob.sees("<alice@parley.test> [with carol@parley.test] /all three")
	carol.types("/wait message alice 20", "here I am")
	alice.sees("<carol@parley.test> [with bob@parley.test] here I am")
	bob.sees("<carol@parley.test> [with alice@parley.test] here I am")
	carol.types("/leave")
	alice.sees("carol@parley.test left")

	bob.types("/block alice")
	alice.sees("bob@parley.test is offline")
	alice.types("/wait left bob 20", "/msg bob are you there?")
	alice.sees("! /msg: not delivered to bob@parley.test: bob@parley.test is not online, or takes no messages from you (217)")
	bob.types("/unblock alice")
	alice.sees("bob@parley.test is online")
	bob.types("/remove alice", "/list")
	alice.sees("bob@parley.test took you off their list")

	bob.ends(nil)
	carol.ends(nil)
	alice.ends(saidError{})
}

func TestChatFromAPipe(t *testing.T) {
	server := runService(t, "msnp://127.0.0.1:0")[0]
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("alice-secret\r\nno more of this\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pipe := func(input string, o chatFlags) (string, string, error) {
		var out, errs bytes.Buffer
		o.server = server
		err := runChat(t.Context(), &env{strings.NewReader(input), &out, &errs}, "alice@parley.test", o)
		return out.String(), errs.String(), err
	}
	head := "logged in as alice@parley.test at " + server + "\ncontacts: 0\n"

	out, errs, err := pipe("/msg bob@parley.test hello\n/quit\n", chatFlags{file: file})
	if out != head || err != (saidError{}) ||
		errs != "! /msg: not delivered to bob@parley.test: bob@parley.test is not online, or takes no messages from you (217)\n" {
		t.Errorf("to nobody: %v\n%s%s", err, out, errs)
	}

	bob := startChat(t, server, "bob")
	bob.sees("contacts: 0")
	out, errs, err = pipe("alice-secret\n/msg bob@parley.test hello\n/quit\n/msg bob too late\n", chatFlags{stdin: true})
	if out != head+"bob@parley.test joined\ndelivered to bob@parley.test\n" || errs != "" || err != nil {
		t.Errorf("to bob: %v\n%s%s", err, out, errs)
	}
	bob.sees("<alice@parley.test> hello")
	bob.ends(nil)

	for input, want := range map[string]string{
		"hello":             "! nobody to say it to: /msg ADDRESS TEXT, or /with ADDRESS first\n",
		"/bogus":            "! there is no command /bogus: /help lists them\n",
		"/add":              "! /add needs more: /add ADDRESS\n",
		"/add nobody":       "! /add: nobody has the address nobody@parley.test (205)\n",
		"/add alice":        "! /add: that is yourself\n",
		"/add a@b@c":        "! /add: a@b@c is no address: write it like bob@parley.test\n",
		"/remove bob":       "! /remove: bob@parley.test is not on your list\n",
		"/unblock bob":      "! /unblock: bob@parley.test is not blocked\n",
		"/state asleep":     "! /state: asleep is no state: it is online, busy, idle, brb, away, phone, lunch, hidden or offline\n",
		"/leave":            "! /leave: you are in no conversation\n",
		"/invite bob":       "! /invite: into which conversation? /with ADDRESS first\n",
		"/with bob carol":   "! /with: bob@parley.test is not online, or takes no messages from you (217)\ncarol@parley.test is not online, or takes no messages from you (217)\n",
		"/wait message 0.1": "! /wait: waited 100ms for message in vain\n",
		"/wait for godot":   "! /wait: wait for message, typing, joined, left, added, removed, nudge, delivered, or a state, then an address and seconds if you like\n",
	} {
		out, errs, err := pipe(input, chatFlags{file: file})
		if errs != want || err != (saidError{}) || !strings.HasPrefix(out, head) {
			t.Errorf("%q: %v, %q, want %q", input, err, errs, want)
		}
	}
	if out, errs, err := pipe("/help\n/list\n/state hidden\n/wait 0.01\n/block bob\n/list", chatFlags{file: file}); err != nil || errs != "" ||
		!strings.Contains(out, "/invite ADDRESS ") || !strings.Contains(out, "you are hidden now\n") || !strings.HasSuffix(out, "  bob@parley.test is blocked\n") {
		t.Errorf("%v\n%s%s", err, out, errs)
	}
}

// TestChatIsStored: words for who is rung and does not come are accepted, and the sender learns that they wait.
func TestChatIsStored(t *testing.T) {
	server := runService(t, "msnp://127.0.0.1:0")[0]
	bob, err := client.Connect(t.Context(), client.Config{Address: server, Handle: "bob@parley.test", Password: credential.NewSecret("bob-secret")})
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Close()
	if err := bob.SetState(t.Context(), msnp.Online); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = runChat(t.Context(), &env{strings.NewReader("alice-secret\n/msg bob hello\n"), &out, &out}, "alice@parley.test",
		chatFlags{server: server, stdin: true, join: 20 * time.Millisecond})
	if err != nil || !strings.HasSuffix(out.String(), "stored for bob@parley.test, who did not answer yet\n") {
		t.Errorf("%v\n%s", err, out.String())
	}
	again := startChat(t, server, "bob")
	again.sees("<alice@parley.test> hello")
	again.ends(nil)
}

// TestChatCrosses: two who call each other at once hear each other, also right after they left: a call of before,
// answered late, leads to a conversation that the other is leaving.
func TestChatCrosses(t *testing.T) {
	server := runService(t, "msnp://127.0.0.1:0")[0]
	alice, bob := startChat(t, server, "alice"), startChat(t, server, "bob")
	alice.sees("contacts: 0")
	bob.sees("contacts: 0")
	for i := range 3 {
		alice.types("/msg bob one")
		bob.types("/msg alice two")
		alice.types("/wait message bob 20")
		bob.types("/wait message alice 20")
		alice.seesTimes(i+1, "<bob@parley.test> two")
		bob.seesTimes(i+1, "<alice@parley.test> one")
		alice.types("/leave")
		bob.types("/leave")
		alice.seesTimes(i+1, "left the conversation with bob@parley.test")
		bob.seesTimes(i+1, "left the conversation with alice@parley.test")
	}
	bob.ends(nil)
	alice.ends(nil)
}

func TestChatLoginFailures(t *testing.T) {
	server := runService(t, "msnp://127.0.0.1:0")[0]
	for _, c := range []struct{ who, password, server, want string }{
		{"alice@parley.test", "wrong", server, "the password is wrong, or there is no such account"},
		{"nobody@parley.test", "wrong", server, "the password is wrong, or there is no such account"},
		{"alice@parley.test", "", server, "no password in its first line"},
		{"alice@parley.test", "alice-secret", "127.0.0.1:1", "nobody answers at 127.0.0.1:1"},
		{"alice", "alice-secret", server, "alice is no address"},
	} {
		err := runChat(t.Context(), &env{strings.NewReader(c.password + "\n"), io.Discard, io.Discard}, c.who, chatFlags{server: c.server, stdin: true})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s at %s: %v", c.who, c.server, err)
		}
	}
	if err := runChat(t.Context(), &env{strings.NewReader(""), io.Discard, io.Discard}, "alice@parley.test", chatFlags{server: server}); err == nil {
		t.Error("logged in without a password")
	}
}

// TestChatIsTakenOver: who chats learns why it ended.
func TestChatIsTakenOver(t *testing.T) {
	server := runService(t, "msnp://127.0.0.1:0")[0]
	one := startChat(t, server, "alice")
	one.sees("contacts: 0")
	two := startChat(t, server, "alice")
	two.sees("contacts: 0")
	if err := <-one.done; err == nil || !strings.Contains(err.Error(), "logged in elsewhere") {
		t.Errorf("ended with %v", err)
	}
	two.ends(nil)
}

func TestSelfPlay(t *testing.T) {
	servers := runService(t, "msnp-dispatch://127.0.0.1:0", "msnp-notification://127.0.0.1:0", "msnp-switchboard://127.0.0.1:0", "msnp://127.0.0.1:0")
	alice := player{"alice@parley.test", credential.NewSecret("alice-secret")}
	bob := player{"bob@parley.test", credential.NewSecret("bob-secret")}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i, server := range []string{servers[0], servers[1], servers[3]} {
		if err := playMSNP(ctx, server, "parley.test", alice, bob); err != nil {
			t.Errorf("listener %d: %v", i, err)
		}
	}
	if err := playMSNP(ctx, servers[2], "parley.test"); err == nil || !strings.Contains(err.Error(), "VER") {
		t.Errorf("a switchboard logs in: %v", err)
	}
	if err := playMSNP(ctx, "127.0.0.1:1", "parley.test"); err == nil || !strings.Contains(err.Error(), "the key listen") {
		t.Errorf("nobody there: %v", err)
	}
	if err := playMSNP(ctx, servers[3], "parley.test", alice, player{"bob@parley.test", credential.NewSecret("wrong")}); err == nil ||
		!strings.Contains(err.Error(), "login of bob@parley.test, USR S") {
		t.Errorf("a wrong password: %v", err)
	}
}

// TestClientAtTheDoor: what the client knows is what the service says, and serial numbers go up.
func TestClientAtTheDoor(t *testing.T) {
	server := runService(t, "msnp://127.0.0.1:0")[0]
	ctx := t.Context()
	login := func(name string, b *client.Inbox) *client.Client {
		t.Helper()
		c, err := playLogin(ctx, server, player{name + "@parley.test", credential.NewSecret(name + "-secret")}, b)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	var a, b client.Inbox
	alice, bob := login("alice", &a), login("bob", &b)
	last := alice.Lists().Serial
	up := func(serial int64, err error) {
		t.Helper()
		if err != nil || serial <= last {
			t.Errorf("serial %d after %d, %v", serial, last, err)
		}
		last = serial
	}
	up(alice.Add(ctx, msnp.AllowList, bob.Handle(), "Bob"))
	up(alice.Add(ctx, msnp.ForwardList, bob.Handle(), "Bob"))
	up(alice.SetPrivacy(ctx, msnp.BlockList))
	up(alice.SetPrompt(ctx, false))
	up(alice.Rename(ctx, alice.Handle(), "Alice Ä"))
	up(alice.Remove(ctx, msnp.AllowList, bob.Handle()))
	up(alice.Add(ctx, msnp.BlockList, bob.Handle(), ""))
	if _, err := client.Await(ctx, &b, func(e client.ListChanged) bool { return e.List == msnp.ReverseList }); err != nil {
		t.Error(err)
	}
	known := alice.Lists()
	if serial, changed, err := alice.Sync(ctx, 0); err != nil || !changed || serial != last {
		t.Fatalf("%d, %v, %v", serial, changed, err)
	}
	for _, l := range msnp.Lists() {
		if got := alice.Lists(); len(got.Of(l)) != len(known.Of(l)) {
			t.Errorf("%s: the client knew %v, the service says %v", l, known.Of(l), got.Of(l))
		}
	}
	if got := alice.Lists(); got.Prompt || got.Privacy != msnp.BlockList || !got.Has(msnp.BlockList, bob.Handle()) {
		t.Errorf("%+v", got)
	}
	if serial, changed, err := alice.Sync(ctx, last); err != nil || changed || serial != last {
		t.Errorf("%d, %v, %v", serial, changed, err)
	}
	if serial, l, err := bob.List(ctx, msnp.ReverseList); err != nil || serial == 0 || l["alice@parley.test"] != "Alice Ä" {
		t.Errorf("%d, %v, %v", serial, l, err)
	}
}
