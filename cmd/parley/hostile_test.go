package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/credential"
	"parley/msnp"
	"parley/msnp/client"
	msnplays "parley/msnp/plays"
)

// newTarget is a service in a process of its own that tests treat badly.
func newTarget(t *testing.T, template string, set ...string) *stage {
	t.Helper()
	return newTargetAt(t, template, []string{"msnp", "http"}, set...)
}

// newTargetAt is newTarget with listeners of these schemes.
func newTargetAt(t *testing.T, template string, schemes []string, set ...string) *stage {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := copyFolder(template, data); err != nil {
		t.Fatal(err)
	}
	s := &stage{daemon: newDaemon(t, data, msnplays.Domain), roles: []string{"any"}}
	host := ownHost()
	for _, scheme := range schemes {
		s.listen = append(s.listen, scheme+"://"+host+":0")
	}
	s.set = append([]string{"shutdown.grace=500ms"}, set...)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// guest is somebody who behaves.
type guest struct {
	*client.Client
	box *client.Inbox
}

func (s *stage) guest(t *testing.T, name string, answer bool) guest {
	t.Helper()
	ctx, cancel := patient()
	defer cancel()
	p := guest{box: &client.Inbox{}}
	var err error
	p.Client, err = client.Connect(ctx, client.Config{Address: s.at["msnp"], Handle: name + "@" + msnplays.Domain,
		Password: credential.NewSecret(msnplays.Password), Event: p.box.Put, Answer: answer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	if _, _, err := p.Sync(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if err := p.SetState(ctx, msnp.Online); err != nil {
		t.Fatal(err)
	}
	return p
}

// flow is a conversation that goes on all the time.
type flow struct {
	said    atomic.Int64
	slowest atomic.Int64 // nanoseconds
	stop    context.CancelFunc
	ended   chan error
}

// startFlow has two people talk, message by message.
func startFlow(t *testing.T, from, to guest) *flow {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	talk, err := from.Talk(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := talk.Invite(ctx, to.Handle()); err != nil {
		t.Fatal(err)
	}
	if err := talk.Await(ctx, to.Handle()); err != nil {
		t.Fatal(err)
	}
	return keepTalking(t, func(ctx context.Context, text string) error {
		err := talk.Say(ctx, text)
		if err == nil {
			_, err = client.Await(ctx, to.box, func(m client.Message) bool {
				c, err := m.Content()
				return err == nil && c.Text == text
			})
		}
		return err
	})
}

// keepTalking has something said, and heard, again and again.
func keepTalking(t *testing.T, say func(ctx context.Context, text string) error) *flow {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	f := &flow{stop: cancel, ended: make(chan error, 1)}
	go func() { // ended by stop
		pause := time.NewTicker(5 * time.Millisecond)
		defer pause.Stop()
		for i := 0; ctx.Err() == nil; i++ {
			text := fmt.Sprintf("message %d", i)
			begin := time.Now()
			if err := say(ctx, text); err != nil {
				if ctx.Err() == nil {
					f.ended <- fmt.Errorf("%s: %w", text, err)
				}
				break
			}
			f.slowest.Store(max(f.slowest.Load(), int64(time.Since(begin))))
			f.said.Add(1)
			<-pause.C
		}
		close(f.ended)
	}()
	t.Cleanup(cancel)
	return f
}

// goesOn waits until some more was said.
func (f *flow) goesOn(t *testing.T, when string) {
	t.Helper()
	goal := f.said.Load() + 5
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for f.said.Load() < goal {
		select {
		case err, open := <-f.ended:
			t.Fatalf("%s: the conversation of others ended: %v, %v", when, err, open)
		case <-late.C:
			t.Fatalf("%s: the conversation of others stands still", when)
		case <-look.C:
		}
	}
}

// atMost checks the memory of the service, in MiB. It is to be generous: what is looked for is growth without
// bound.
func (s *stage) atMost(t *testing.T, when string, mib int64) {
	t.Helper()
	if raceDetector {
		mib *= 8
	}
	n, err := s.resident()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d MiB", when, n>>20)
	if n > mib<<20 {
		t.Errorf("%s: the service holds %d MiB, more than %d", when, n>>20, mib)
	}
}

// TestBadInput: whoever says what cannot be read, or does not belong there, gets the error that the
// draft has for it, or is closed; and nobody else notices.
func TestBadInput(t *testing.T) {
	s := newTarget(t, makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People))
	f := startFlow(t, s.guest(t, "alice", true), s.guest(t, "bob", true))
	const fresh, spoken, in = "", "VER 9 MSNP2\r\n", "in"
	for _, c := range []struct {
		name   string
		state  string
		say    string
		hear   string // lines, with blanks between them
		closed bool
	}{
		{"an overlong line", fresh, strings.Repeat("x", 9000), "200", true},
		{"an overlong line with an end", fresh, "VER 1 " + strings.Repeat("MSNP2 ", 2000) + "\r\n", "200", true},
		{"an overlong line after the login", in, strings.Repeat("CHG ", 5000) + "\r\n", "200", true},
		{"a megabyte without an end", in, strings.Repeat("\x00", 1<<20), "200", true},
		{"noise", fresh, "\x00\xff\xfe\x80\r\n", "200", false},
		{"HTTP", fresh, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "302 200", false},
		{"TLS", fresh, "\x16\x03\x01\x00\n", "200", false},
		{"empty lines", fresh, "\r\n\r\n\n\n \r\n", "", false},
		{"an unknown command before VER", fresh, "XYZ 1\r\n", "302 1", false},
		{"SYN before VER", fresh, "SYN 1 0\r\n", "302 1", false},
		{"XFR before VER", fresh, "XFR 1 SB\r\n", "302 1", false},
		{"SYN before the login", spoken, "SYN 1 0\r\n", "302 1", false},
		{"CHG before the login", spoken, "CHG 1 NLN\r\n", "302 1", false},
		{"ADD before the login", spoken, "ADD 1 FL bob@example.com Bob\r\n", "302 1", false},
		{"an unknown command before the login", spoken, "XYZ 1\r\n", "200 1", false},
		{"a response without a challenge", spoken, "USR 1 MD5 S 00000000000000000000000000000000\r\n", "715 1", false},
		{"a response that is none", spoken, "USR 1 MD5 I dave@example.com\r\nUSR 2 MD5 S \xff\r\n", "USR 1 MD5 S * 911 2", false},
		{"somebody who is nobody", spoken, "USR 1 MD5 I %00@\xff\r\nUSR 2 MD5 S 0\r\n", "USR 1 MD5 S * 911 2", false},
		{"VER again", in, "VER 1 MSNP2\r\n", "715 1", false},
		{"INF again", in, "INF 1\r\n", "715 1", false},
		{"USR again", in, "USR 1 MD5 I carol@example.com\r\n", "207 1", false},
		{"an unknown command", in, "XYZ 7 a b c\r\n", "200 7", false},
		{"a switchboard's command", in, "CAL 7 bob@example.com\r\n", "200 7", false},
		{"no parameters", in, "ADD\r\n", "200", false},
		{"too few parameters of ADD", in, "ADD 5 FL\r\n", "200 5", false},
		{"too few parameters of SYN", in, "SYN 5\r\n", "200 5", false},
		{"too few parameters of CHG", in, "CHG 5\r\n", "200 5", false},
		{"a transaction ID of letters", in, "CHG x NLN\r\n", "200", false},
		{"a negative transaction ID", in, "SYN -1 0\r\n", "200", false},
		{"a huge transaction ID", in, "SYN 99999999999999999999 0\r\n", "200", false},
		{"an unknown state", in, "CHG 5 QQQ\r\n", "201 5", false},
		{"an unknown list", in, "ADD 5 XX bob@example.com Bob\r\n", "201 5", false},
		{"the Reverse List", in, "ADD 5 RL bob@example.com Bob\r\n", "201 5", false},
		{"no handle", in, "ADD 5 FL bob Bob\r\n", "201 5", false},
		{"a handle in no encoding", in, "ADD 5 FL b\xff\xfe@example.com Bob\r\n", "201 5", false},
		{"a name in no encoding", in, "ADD 5 FL bob@example.com \xff\xfe\r\n", "209 5", false},
		{"a name that decodes to no encoding", in, "ADD 5 FL bob@example.com %FF%FE\r\n", "209 5", false},
		{"a name with a broken escape", in, "ADD 5 FL bob@example.com %ZZ\r\n", "209 5", false},
		{"an own name with half an escape", in, "REA 5 carol@example.com Carol%2\r\n", "209 5", false},
		{"a serial number that is none", in, "SYN 5 x\r\nLST 6 FL\r\n", "SYN 5 * GTC 5 * BLP 5 * LST 5 * LST 5 * LST 5 * LST 5 * LST 6 *", false},
		{"a payload length of letters", in, "MSG 5 A abc\r\n", "200 5", true},
		{"a negative payload length", in, "MSG 5 A -5\r\n", "200 5", true},
		{"a large payload length", in, "MSG 5 A 100000\r\n", "200 5", true},
		{"a huge payload length", in, "MSG 5 A 99999999999999999999\r\n", "200 5", true},
		{"no payload length", in, "MSG\r\n", "200", true},
		{"a payload on the wrong server", in, "MSG 5 A 3\r\nabcPNG\r\n", "200 5 QNG", false},
		{"a payload shorter than said", in, "MSG 5 A 3\r\nabcdefg\r\n", "200 5 200", false},
		{"a cookie that is none", fresh, "USR 1 carol@example.com 1234\r\n", "911 1", true},
		{"an answer to no ring", fresh, "ANS 1 carol@example.com 1234 5678\r\n", "911 1", true},
		{"a switchboard's command too early", fresh, "ANS 1\r\nCAL 2 bob@example.com\r\nMSG 3 A 2\r\nhi", "200 1 302 2 302 3", false},
		{"ten of them", fresh, strings.Repeat("SYN 1 0\r\n", 10), strings.TrimSpace(strings.Repeat("302 1 ", 10)), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var nc net.Conn
			var err error
			if c.state == in {
				nc, err = msnplays.Dial(s)("carol", "NLN")
			} else {
				nc, err = s.Dial("any")
			}
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(20 * time.Second))
			if c.state == spoken {
				c.say, c.hear = spoken+c.say, strings.TrimSpace("VER 9 MSNP2 "+c.hear)
			}
			if _, err := io.WriteString(nc, c.say); err != nil && !c.closed {
				t.Fatal(err)
			}
			if !c.closed {
				if _, err := io.WriteString(nc, "OUT\r\n"); err != nil {
					t.Fatal(err)
				}
				if c.state != fresh || !strings.HasPrefix(c.say, "ANS") { // a switchboard says nothing
					c.hear = strings.TrimSpace(c.hear + " OUT")
				}
			}
			b, err := io.ReadAll(nc)
			if err != nil {
				t.Errorf("%v after %q", err, b)
			}
			if got := strings.Fields(string(b)); !wordsFit(strings.Fields(c.hear), got) {
				t.Errorf("heard %q, want %q", got, c.hear)
			}
		})
		f.goesOn(t, c.name)
	}
	s.atMost(t, "after all of it", 150)
	f.stop()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// wordsFit compares words; * stands for any up to the next that is wanted.
func wordsFit(want, got []string) bool {
	switch {
	case len(want) == 0:
		return len(got) == 0
	case want[0] == "*":
		for i := range len(got) + 1 {
			if wordsFit(want[1:], got[i:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && want[0] == got[0] && wordsFit(want[1:], got[1:])
}

// TestCrowds: thousands who connect and say nothing, who come and go, who say a letter now and then, and one who never
// reads. Two people talk all the while.
func TestCrowds(t *testing.T) {
	s := newTarget(t, makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People))
	f := startFlow(t, s.guest(t, "alice", true), s.guest(t, "bob", true))
	f.goesOn(t, "before")
	s.atMost(t, "at rest", 150)

	crowd := 10000
	if raceDetector {
		crowd = 3000
	}
	silent := s.gather(t, "msnp", crowd, nil)
	f.goesOn(t, "beside those who do not log in")
	s.atMost(t, "with those who do not log in", 400)
	if n, err := s.metric(`parley_limit_hits_total{limit="half_open"}`); err != nil || n != 0 {
		t.Errorf("%v refused: %v", n, err)
	}
	if n, err := s.metric(`parley_sessions{door="msnp",state="NLN"}`); err != nil || n != 2 {
		t.Errorf("%v people online, and not 2: %v", n, err)
	}

	slow, err := s.Dial("any")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	go trickle(slow, "VER 1 MSNP2\r\n", 200*time.Millisecond) // ends with what it says, or slow
	for _, c := range silent {
		c.Close()
	}
	f.goesOn(t, "when they have gone")

	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 500 {
				c, err := dialFrom(fmt.Sprintf("127.0.2.%d", i+1), s.at["msnp"])
				if err != nil {
					t.Errorf("a connection of many: %v", err)
					return
				}
				c.say("VER 1 MSNP2\r\nUSR 2 MD5 I nobody@example.com\r\n")
				c.Close()
			}
		})
	}
	f.goesOn(t, "while others come and go")
	wg.Wait()
	f.goesOn(t, "after others came and went")

	slow.SetReadDeadline(time.Now().Add(20 * time.Second))
	line := make([]byte, len("VER 1 MSNP2\r\n"))
	if _, err := io.ReadFull(slow, line); err != nil || string(line) != "VER 1 MSNP2\r\n" {
		t.Errorf("who says a letter now and then hears %q, %v", line, err)
	}
	s.deaf(t, f)
	s.atMost(t, "at last", 400)
	f.stop()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	t.Logf("%d messages meanwhile, the slowest in %v", f.said.Load(), time.Duration(f.slowest.Load()).Round(time.Millisecond))
}

// gather opens many connections to a door, from several addresses, that say nothing, or what greet has them say.
func (s *stage) gather(t *testing.T, door string, n int, greet func(i int, c *wireConn) error) []*wireConn {
	t.Helper()
	all := make([]*wireConn, n)
	var wg sync.WaitGroup
	const hands = 10
	for h := range hands {
		wg.Go(func() {
			for i := h; i < n; i += hands {
				c, err := dialFrom(fmt.Sprintf("127.0.1.%d", h+1), s.at[door])
				if err == nil && greet != nil {
					err = greet(i, c)
				}
				if err != nil {
					t.Errorf("connection %d of %d: %v", i, n, err)
					return
				}
				all[i] = c
			}
		})
	}
	wg.Wait()
	t.Cleanup(func() {
		for _, c := range all {
			if c != nil {
				c.Close()
			}
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return all
}

// trickle says something a byte at a time.
func trickle(c net.Conn, text string, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := range len(text) {
		if _, err := io.WriteString(c, text[i:i+1]); err != nil {
			return
		}
		<-tick.C
	}
}

// deaf has somebody in a conversation who does not read what is said there: they lose their connection, and
// who talks to them learns it and nothing else.
func (s *stage) deaf(t *testing.T, f *flow) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	carol := s.guest(t, "carol", true)
	var stuck atomic.Bool
	release := make(chan struct{})
	dave, err := client.Connect(ctx, client.Config{Address: s.at["msnp"], Handle: "dave@" + msnplays.Domain,
		Password: credential.NewSecret(msnplays.Password), Answer: true, Linger: time.Second,
		Event: func(e client.Event) {
			if _, ok := e.(client.Message); ok { // reads no more
				stuck.Store(true)
				<-release
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	defer dave.Close()
	defer close(release)
	if err := dave.SetState(ctx, msnp.Online); err != nil {
		t.Fatal(err)
	}
	talk, err := carol.Talk(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := talk.Invite(ctx, dave.Handle()); err != nil {
		t.Fatal(err)
	}
	if err := talk.Await(ctx, dave.Handle()); err != nil {
		t.Fatal(err)
	}
	typing := append(msnp.TypingPayload(carol.Handle()), strings.Repeat(" ", 1000)...) // not words: nobody stores it
	for n := 0; len(talk.Members()) > 0; n++ {
		if _, err := talk.Send("U", typing); err != nil {
			if errors.Is(err, client.ErrClosed) {
				t.Fatalf("carol's connection ended, and not dave's: %v", err)
			}
			if err := carol.Ping(ctx); err != nil { // carol's own queue is full: the service takes its time
				t.Fatal(err)
			}
		}
		if n%500 == 499 {
			if _, err := talk.Do(ctx, "CAL", carol.Handle()); ctx.Err() != nil { // refused, after all before it was read
				t.Fatalf("dave is still there after %d messages: %v", n, err)
			}
		}
	}
	f.goesOn(t, "beside somebody who does not read")
	if !stuck.Load() {
		t.Error("dave was not told anything")
	}
	if err := carol.Ping(ctx); err != nil {
		t.Errorf("carol: %v", err)
	}
	if n, err := s.metric(`parley_queue_overflows_total{door="msnp",kind="queue"}`); err != nil || n != 1 {
		t.Errorf("%v queues flowed over, and not 1: %v", n, err)
	}
}
