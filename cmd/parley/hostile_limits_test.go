package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/msnp"
	"parley/msnp/client"
	msnplays "parley/msnp/plays"
)

// limitRow is a limit that can be met over a connection.
type limitRow struct {
	key, value string
	meet       func(t *testing.T, s *stage)
	label      string // of parley_limit_hits_total; "": it is met without a word
	more       string // other keys that are needed, with blanks between them
}

// limitRows are those that clients of MSNP meet.
var limitRows = []limitRow{
	{"limits.connections", "3", connections, "connections", ""},
	{"limits.half_open", "5", halfOpen(5, "127.0.3.%d"), "half_open", ""},
	{"limits.half_open_per_network", "5", halfOpen(5, "127.0.3.1"), "half_open_per_network", ""},
	{"limits.login_time", "1s", loginTime, "login_time", ""},
	{"limits.login_failures", "2", loginFailures("alice", "alice", "alice"), "login_failures", "msnp.login_tries=1"},
	{"limits.login_failures_per_network", "2", loginFailures("bob", "carol", "alice"), "login_failures_per_network", ""},
	{"limits.line", "600", says("VER 1 "+strings.Repeat("x", 600)+"\r\n", "200"), "line", ""},
	{"limits.payload", "100", says("MSG 1 U 101\r\n", "200 1"), "payload", ""},
	{"limits.commands_per_second", "20", pings(45), "commands_per_second", ""},
	{"limits.bytes_per_second", "8KiB", pings(3000), "bytes_per_second", ""},
	{"limits.contacts", "1", contacts, "contacts", ""},
	{"limits.conversation", "2", conversation, "conversation", ""},
	{"limits.conversations", "1", conversations, "conversations", ""},
	{"msnp.login_tries", "1", msnpTries, "login_tries", ""},
	{"limits.waiting", "1", waiting, "waiting", "msnp.ring=30s"},
	{"msnp.misplaced", "3", says(strings.Repeat("SYN 1 0\r\n", 3), "302 1 302 1 302 1"), "misplaced", ""},
	{"msnp.renames", "1", renames, "renames", ""},
	{"msnp.failed_calls", "2", failedCalls, "failed_calls", ""},
}

// TestLimits meets each limit that can be met over a connection, with a low value: whoever meets it is refused, closed
// or made to wait as the key says, and the limit is counted under its name.
func TestLimits(t *testing.T) {
	template := makeTemplate(t, msnplays.Domain, msnplays.Password, crowd())
	for _, c := range slices.Concat(limitRows, xmppLimitRows) {
		t.Run(c.key, func(t *testing.T) {
			t.Parallel()
			set := []string{c.key + "=" + c.value}
			s := newXMPPTarget(t, template, append(set, strings.Fields(c.more)...)...)
			c.meet(t, s)
			if n, err := s.metric(`parley_limit_hits_total{limit="` + c.label + `"}`); c.label != "" && (err != nil || n == 0) {
				t.Errorf("the limit %s was met %v times: %v", c.label, n, err)
			}
			if err := s.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// open opens a connection, and gives it back at the end of the test.
func (s *stage) open(t *testing.T, from string) *wireConn {
	t.Helper()
	c, err := dialFrom(from, s.at["msnp"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// asks says a line and hears the answer.
func (c *wireConn) asks(t *testing.T, say string) string {
	t.Helper()
	if err := c.say(say + "\r\n"); err != nil {
		t.Fatal(err)
	}
	line, err := c.hear()
	if err != nil {
		t.Fatalf("%q: %v", say, err)
	}
	return line
}

// says expects that some bytes are answered so, and the connection closed.
func says(text, answer string) func(*testing.T, *stage) {
	return func(t *testing.T, s *stage) {
		c := s.open(t, "")
		c.say(text)
		if got, err := c.rest(); err != nil || strings.Join(strings.Fields(got), " ") != answer {
			t.Errorf("%q, %v, and not %q", got, err, answer)
		}
	}
}

// connections: the one above the limit is told that the server is busy, draft 7.11.
func connections(t *testing.T, s *stage) {
	for range 3 {
		s.open(t, "").asks(t, "VER 1 MSNP2")
	}
	c := s.open(t, "")
	c.asks(t, "VER 1 MSNP2")
	if got := c.asks(t, "USR 2 MD5 I alice@example.com"); got != "600 2" {
		t.Errorf("one too many hears %q", got)
	}
}

// halfOpen: one above the limit is closed, until somebody logs in or goes.
func halfOpen(n int, from string) func(*testing.T, *stage) {
	return func(t *testing.T, s *stage) {
		address := func(i int) string {
			if strings.Contains(from, "%") {
				return fmt.Sprintf(from, i+1)
			}
			return from
		}
		var last *wireConn
		for i := range n {
			last = s.open(t, address(i))
			last.asks(t, "VER 1 MSNP2")
		}
		if got, err := s.open(t, address(n)).rest(); got != "" {
			t.Errorf("one too many hears %q, %v", got, err)
		}
		last.asks(t, "OUT")
		last.rest()
		last.Close()
		// The place is free once the service has seen it: soon, but not at once.
		for late := time.Now().Add(20 * time.Second); ; {
			c := s.open(t, address(n))
			c.say("VER 1 MSNP2\r\n")
			if line, err := c.hear(); err == nil && line == "VER 1 MSNP2" {
				return
			}
			if time.Now().After(late) {
				t.Fatal("the place of one who went is not free again")
			}
		}
	}
}

// loginTime: who says a letter now and then is closed in time.
func loginTime(t *testing.T, s *stage) {
	c := s.open(t, "")
	begin := time.Now()
	go trickle(c, "VER 1 MSNP2 MSNP3 MSNP4 MSNP5 MSNP6 MSNP7\r\n", 100*time.Millisecond) // ends with c
	got, err := c.rest()
	if took := time.Since(begin); got != "" || took < 500*time.Millisecond || took > 10*time.Second {
		t.Errorf("%q, %v after %v", got, err, took)
	}
}

// loginFailures: after too many, the right password is refused as well.
func loginFailures(who ...string) func(*testing.T, *stage) {
	return func(t *testing.T, s *stage) {
		for i, name := range who {
			c := s.open(t, "")
			c.asks(t, "VER 1 MSNP2")
			f := strings.Fields(c.asks(t, "USR 2 MD5 I "+name+"@example.com"))
			response := strings.Repeat("0", 32)
			if i == len(who)-1 {
				response = msnplays.Respond(f[4], msnplays.Password)
			}
			if got := c.asks(t, "USR 3 MD5 S "+response); got != "911 3" {
				t.Errorf("login %d: %q", i, got)
			}
		}
	}
}

// pings: who says much is answered, and has to wait for it.
func pings(n int) func(*testing.T, *stage) {
	return func(t *testing.T, s *stage) {
		nc, err := msnplays.Dial(s)("alice", "NLN")
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		begin := time.Now()
		nc.SetDeadline(begin.Add(20 * time.Second))
		for range 3 { // what came in one piece is answered first, and then waited for
			io.WriteString(nc, strings.Repeat("PNG\r\n", n/3))
			if _, err := io.ReadFull(nc, make([]byte, len("QNG\r\n")*(n/3))); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begin); took < 100*time.Millisecond {
			t.Errorf("%d commands took %v only", n, took)
		}
	}
}

// want checks that the service answered with a code.
func want(t *testing.T, what string, err error, code msnp.Code) {
	t.Helper()
	var got msnp.Code
	if code == 0 && err != nil || code != 0 && (!errors.As(err, &got) || got != code) {
		t.Errorf("%s: %v, and not %d", what, err, code)
	}
}

func contacts(t *testing.T, s *stage) {
	alice := s.guest(t, "alice", false)
	for i, l := range []msnp.List{msnp.ForwardList, msnp.AllowList} {
		_, err := alice.Add(t.Context(), l, "bob@example.com", "")
		want(t, "the first", err, 0)
		_, err = alice.Add(t.Context(), l, "carol@example.com", "")
		want(t, fmt.Sprint("one too many ", i), err, msnp.ErrListFull)
	}
}

// called is a conversation of alice with bob.
func called(t *testing.T, s *stage, answer bool) (alice guest, talk *client.Conversation) {
	t.Helper()
	alice = s.guest(t, "alice", true)
	s.guest(t, "bob", answer)
	talk, err := alice.Talk(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want(t, "CAL", talk.Invite(t.Context(), "bob@example.com"), 0)
	return alice, talk
}

func conversation(t *testing.T, s *stage) {
	s.guest(t, "carol", true)
	_, talk := called(t, s, true)
	want(t, "one too many", talk.Invite(t.Context(), "carol@example.com"), msnp.ErrSessionOverload)
}

func conversations(t *testing.T, s *stage) {
	alice, _ := called(t, s, true)
	_, err := alice.Talk(t.Context())
	want(t, "one too many", err, msnp.ErrTooManySessions)
}

// waiting: a message above the limit is not accepted.
func waiting(t *testing.T, s *stage) {
	_, talk := called(t, s, false)
	want(t, "the first", talk.Say(t.Context(), "hello"), 0)
	if err := talk.Say(t.Context(), "are you there"); !errors.Is(err, client.ErrNotDelivered) {
		t.Errorf("one too many: %v", err)
	}
}

func renames(t *testing.T, s *stage) {
	alice := s.guest(t, "alice", false)
	_, err := alice.Rename(t.Context(), alice.Handle(), "A")
	want(t, "the first", err, 0)
	_, err = alice.Rename(t.Context(), alice.Handle(), "B")
	want(t, "one too many", err, msnp.ErrTooRapid)
}

func failedCalls(t *testing.T, s *stage) {
	alice := s.guest(t, "alice", false)
	talk, err := alice.Talk(t.Context())
	want(t, "XFR", err, 0)
	for range 2 {
		want(t, "a call", talk.Invite(t.Context(), "bob@example.com"), msnp.ErrNotOnline)
	}
	want(t, "one too many", talk.Invite(t.Context(), "bob@example.com"), msnp.ErrTooActive)
}

// msnpTries: who fails as often as that is closed.
func msnpTries(t *testing.T, s *stage) {
	c := s.open(t, "")
	c.asks(t, "VER 1 MSNP2")
	c.asks(t, "USR 2 MD5 I alice@example.com")
	if got := c.asks(t, "USR 3 MD5 S "+strings.Repeat("0", 32)); got != "911 3" {
		t.Errorf("heard %q", got)
	}
	if got, err := c.rest(); got != "" {
		t.Errorf("and then %q, %v", got, err)
	}
}
