package transcript_test

import (
	"bufio"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/transcript"
)

// house is a tiny server: what MSG brings goes to everybody else, ADD counts, SLOW answers after a minute, BYE closes.
type house struct {
	mu     sync.Mutex
	conns  map[string]net.Conn
	serial int
	wg     sync.WaitGroup
}

func (h *house) serve(name string, c net.Conn) {
	h.mu.Lock()
	if h.conns == nil {
		h.conns = map[string]net.Conn{}
	}
	h.conns[name] = c
	h.mu.Unlock()
	h.wg.Go(func() {
		defer func() {
			c.Close()
			h.mu.Lock()
			delete(h.conns, name)
			h.mu.Unlock()
		}()
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			w := strings.Fields(line)
			if len(w) == 0 {
				continue
			}
			switch w[0] {
			case "USR":
				fmt.Fprintf(c, "USR %s ch.%d\r\n", w[1], len(name))
			case "HEX":
				fmt.Fprintf(c, "HEX %x\r\n", line)
			case "ANS":
				if w[1] == fmt.Sprintf("%x", md5.Sum(fmt.Appendf(nil, "ch.%dsecret of %s", len(name), name))) {
					fmt.Fprint(c, "ANS OK\r\n")
				} else {
					fmt.Fprint(c, "911\r\n")
				}
			case "ADD":
				h.mu.Lock()
				h.serial++
				n := h.serial
				h.mu.Unlock()
				fmt.Fprintf(c, "ADD %s %d %s\r\n", w[1], n, w[2])
			case "MSG":
				n, _ := strconv.Atoi(w[1])
				body := make([]byte, n)
				if _, err := io.ReadFull(r, body); err != nil {
					return
				}
				h.mu.Lock()
				for other, oc := range h.conns {
					if other != name {
						fmt.Fprintf(oc, "MSG %s %d\r\n%s", name, n, body)
					}
				}
				h.mu.Unlock()
			case "SLOW":
				time.Sleep(time.Minute)
				fmt.Fprint(c, "SLOW\r\n")
			case "LF":
				fmt.Fprint(c, "LF\n")
			case "CUT":
				fmt.Fprint(c, "MSG x 10\r\nabc")
				return
			case "TWO":
				fmt.Fprint(c, "ONE\r\nTWO\r\n")
			case "BYE":
				return
			}
		}
	})
}

func options(bubble bool) transcript.Options {
	return transcript.Options{
		Codec:  transcript.Lines{Payload: transcript.PayloadAfter("MSG")},
		Bubble: bubble,
		Funcs: map[string]func(conn, value string) (string, error){
			"md5": func(conn, value string) (string, error) {
				return fmt.Sprintf("%x", md5.Sum([]byte(value+"secret of "+conn))), nil
			},
		},
		Directives: map[string]func(args []string) error{
			"fine": func(args []string) error { return nil },
			"bad":  func(args []string) error { return errors.New(strings.Join(args, "+")) },
		},
	}
}

func script(t *testing.T, text string) transcript.Script {
	t.Helper()
	s, err := transcript.Parse("x.play", "# T. Spec: draft 1\n"+text)
	if err != nil {
		t.Fatal(err)
	}
	return s[0]
}

// inBubble plays over pipes with simulated time.
func inBubble(t *testing.T, text string) (err error) {
	s := script(t, text)
	synctest.Test(t, func(t *testing.T) {
		var h house
		err = transcript.Run(s, func(name, where string) (net.Conn, error) {
			if where == "nowhere" {
				return nil, errors.New("no way")
			}
			client, server := net.Pipe()
			h.serve(name+where, server)
			return client, nil
		}, options(true))
		h.wg.Wait() // the play has closed all connections
	})
	return err
}

// overTCP plays over sockets in real time.
func overTCP(t *testing.T, text string, patience time.Duration) error {
	var h house
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer h.wg.Wait()
	defer l.Close()
	o := options(false)
	o.Patience, o.Quiet = patience, 10*time.Millisecond
	return transcript.Run(script(t, text), func(name, where string) (net.Conn, error) {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return nil, err
		}
		s, err := l.Accept()
		if err != nil {
			return nil, err
		}
		h.serve(name+where, s)
		return c, nil
	}, o)
}

var good = map[string]string{
	"learns": `
C: ADD 7 bob
S: ADD 7 ${serial} bob
C: ADD ${serial} bob
S: ADD ${serial} ${next} ${*}
C: ADD ${next} ${serial}
S: ADD 2 3 1`,
	"functions": `
alice C: USR 1
alice S: USR 1 ${challenge}
alice C: ANS ${md5 challenge}
alice S: ANS OK
bob C: ANS ${md5 challenge}
bob S: 911`,
	"payloads": `
bob C: ADD 1 x
bob S: ADD 1 1 x
alice C: MSG ${len}
  MIME-Version: 1.0
    two blanks
  .
  .
bob S: MSG alice 35
  MIME-Version: 1.0
    two blanks
  .
  ${*}
alice C: MSG 0
bob S: MSG alice 0
alice C: MSG ${len}
  x ${hex 00ff20}${repeat 3 ab}
bob S: MSG alice ${len}
  x ${hex 00ff}${hex 20}ababab
@silence alice
@silence`,
	"a payload that ends in empty lines": `
bob C: ADD 1 x
bob S: ADD 1 1 x
alice C: MSG ${len}
  MIME-Version: 1.0
  Content-Type: text/x-msmsgscontrol
  TypingUser: bob@example.com
  .
  .
  .
bob S: MSG alice 88
  MIME-Version: 1.0
  Content-Type: text/x-msmsgscontrol
  TypingUser: bob@example.com
  .
  .
  .`,
	"no CRLF": `
C: HE${end}
C: X 1
S: HEX ${*}0d0a
C: HEX${hex 0a}${end}
S: HEX 4845580a
C: HEX ${hex 20}
S: HEX 48455820200d0a`,
	"opens and closes": `
@open bob here
@open carol.sb
bob C: ADD 1 x
bob S: ADD 1 1 x
carol.sb C: BYE
@closed carol.sb
carol.sb C: MSG ${len}
  again
bob S: MSG carol.sb 5
  again
@close bob
bob C: BYE
@closed bob
@fine
carol.sb C: BYE
@closed carol.sb`,
	"ignores": `
@open bob
@ignore bob
alice C: MSG 2
  hi
alice C: ADD 1 a
alice S: ADD 1 1 a`,
	"said to the closed": `
C: BYE
C: ADD 1 2
@closed`,
}

func TestPlay(t *testing.T) {
	for name, text := range good {
		t.Run(name, func(t *testing.T) {
			if err := inBubble(t, text); err != nil {
				t.Errorf("in a bubble: %v", err)
			}
			if err := overTCP(t, text, 5*time.Second); err != nil {
				t.Errorf("over TCP: %v", err)
			}
		})
	}
}

func TestTimeIsMoved(t *testing.T) {
	const text = "C: SLOW\n@silence 59s\n@advance 1s\nS: SLOW\nC: SLOW\n@advance 59s\n@silence\n@advance 1s\nS: SLOW"
	if err := inBubble(t, text); err != nil {
		t.Error(err)
	}
	if err := overTCP(t, "C: ADD 1 a\n@advance 1m", time.Second); err == nil || !strings.Contains(err.Error(), "time can be moved in a bubble only") {
		t.Error(err)
	}
	if err := overTCP(t, "C: ADD 1 a\n@silence 1m", time.Second); err == nil || !strings.Contains(err.Error(), "time can be moved in a bubble only") {
		t.Error(err)
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"C: ADD 1 bob\nS: ADD 1 2 bob", "x.play:3: T: the client hears something else: the line differs\n  expected\n    ADD 1 2 bob\n  got\n    ADD 1 1 bob\n  after\n    C: ADD 1 bob"},
		{"C: ADD 1 a\nS: ADD 1 ${n} a\nC: ADD 2 a\nS: ADD 2 ${n} a", "x.play:5: T: the client hears something else: the line differs; n is \"1\"\n"},
		{"C: ADD 1 a\nS: ADD 1 ${n} ${n}", "the line differs"},
		{"@open bob\nalice C: MSG 6\n  a\n  .\n  bc\nbob S: MSG alice ${len}\n  a\n  bcd", "bob hears something else: the lines after the first differ\n  expected\n    MSG alice ${len}\n      a\n      bcd\n  got\n    MSG alice 6\n      a\n      .\n      b"},
		{"C: LF\nS: LF", "the line does not end in CRLF"},
		{"C: NIX\nS: NIX", "x.play:3: T: the client hears nothing\n  expected\n    NIX"},
		{"C: BYE\nS: NIX", "x.play:3: T: the client was closed: EOF"},
		{"C: CUT\nS: MSG x 10", "the connection ends within a payload: \"MSG x 10\\r\\n\"\"abc\""},
		{"C: CUT\n@closed", "the connection ends within a payload"},
		{"C: TWO\nS: ONE", "x.play:3: T: the client has heard something more at the end\n  got\n    TWO"},
		{"C: TWO\n@closed", "the client hears something instead of being closed\n  got\n    ONE"},
		{"C: ADD 1 a\nS: ADD 1 1 a\n@closed", "the client is still open"},
		{"@open bob\nalice C: MSG 1\n  x\n@silence", "bob hears something\n  got\n    MSG alice 1\n      x"},
		{"alice C: BYE\n@silence alice", "alice was closed: EOF"},
		{"@silence alice", "alice is not open"},
		{"C: ADD ${x} a", "x.play:2: T: ${x} was not learned before"},
		{"C: ADD ${*} a", "${*} can only be heard"},
		{"C: ADD ${nix x} a", "${nix x}: there is no function nix"},
		{"C: ADD 1 a\nS: ADD ${nix x} a", "${nix x}: there is no function nix"},
		{"C: ${repeat x y}", "repeat takes a number"},
		{"C: ${end} a", "${end} stands at the end"},
		{"C: a\n  ${len}", "${end} stands at the end"},
		{"@open alice nowhere", "alice cannot be opened: no way"},
		{"@open alice\n@open alice", "alice is open already"},
		{"@open", "@open takes a name"},
		{"@close a b", "@close takes the name"},
		{"@advance soon", "@advance takes a duration"},
		{"@silence a b", "@silence takes a name and a duration"},
		{"@silence 5x", "unknown unit"},
		{"@nix", "there is no directive @nix"},
		{"@bad a ${hex 62}", "@bad: a+b"},
		{"C: ADD ${repeat 3000 x} a\nS: x", "xxx... (3008 bytes)"},
	} {
		err := inBubble(t, c.text)
		var f *transcript.Failure
		if !errors.As(err, &f) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n%v\nwant\n%s", c.text, err, c.want)
		}
	}
}

func TestFailuresOverTCP(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"C: NIX\nS: NIX", "hears nothing"},
		{"C: TWO\nS: ONE\n@silence", "the client hears something\n  got\n    TWO"},
		{"C: NIX\n@closed", "still open"},
	} {
		if err := overTCP(t, c.text, 20*time.Millisecond); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}

func TestLongDialogueIsCut(t *testing.T) {
	err := inBubble(t, strings.Repeat("C: ADD 1 a\nS: ADD 1 ${*}\n", 40)+"S: x")
	var f *transcript.Failure
	if !errors.As(err, &f) || len(f.Dialogue) != 31 || f.Dialogue[0] != "..." || !strings.HasPrefix(f.Dialogue[30], "S: ADD 1 40") {
		t.Errorf("%+v", f)
	}
}

// TestServerThatDoesNotRead: a play ends also then.
func TestServerThatDoesNotRead(t *testing.T) {
	s := script(t, "C: hello")
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer server.Close()
		err := transcript.Run(s, func(string, string) (net.Conn, error) { return client, nil }, options(true))
		if err == nil || !strings.Contains(err.Error(), "the server did not read what the client said for 10s") {
			t.Error(err)
		}
	})
}

// TestPatienceInBubble: an answer that a timer brings is waited for if the caller says so.
func TestPatienceInBubble(t *testing.T) {
	s := script(t, "C: SLOW\nS: SLOW")
	synctest.Test(t, func(t *testing.T) {
		var h house
		o := options(true)
		o.Patience = 2 * time.Minute
		transcript.Play(t, s, func(string, string) (net.Conn, error) {
			client, server := net.Pipe()
			h.serve("", server)
			return client, nil
		}, o)
		h.wg.Wait()
	})
}

// words is a codec whose things are words, and which forgives their case.
type words struct{}

func (words) Bytes(head string, more []string) ([]byte, error) {
	return []byte(head + strings.Join(more, "")), nil
}

func (words) Read(r *bufio.Reader) (string, error) {
	s, err := r.ReadString('\n')
	return strings.TrimSpace(s), err
}

func (words) Compare(head string, more []string, got string, match func(pattern, text string) bool) error {
	if !match(strings.ToLower(head), strings.ToLower(got)) {
		return errors.New("other words")
	}
	return nil
}

func TestCodecs(t *testing.T) {
	s := script(t, "a C: ADD 1\n  x${hex 20}\n   y${hex 0a}\na S: aDd 1X 1 Y\nb C: ADD 1 x\nb S: ADD 1 2 x")
	synctest.Test(t, func(t *testing.T) {
		var h house
		o := options(true)
		o.Codec = nil
		o.Codecs = func(name string) transcript.Codec {
			if name == "a" {
				return words{}
			}
			return nil
		}
		transcript.Play(t, s, func(name, _ string) (net.Conn, error) {
			client, server := net.Pipe()
			h.serve(name, server)
			return client, nil
		}, o)
		h.wg.Wait()
	})
}

// recorder is a test that only notes how it fails.
type recorder struct {
	testing.TB
	why string
}

func (*recorder) Helper()             {}
func (r *recorder) Fatal(args ...any) { r.why = fmt.Sprint(args...) }

func TestPlayFailsTheTest(t *testing.T) {
	s := script(t, "C: x\nS: y")
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		go func() { // ends with the connection
			io.Copy(io.Discard, server)
			server.Close()
		}()
		var r recorder
		transcript.Play(&r, s, func(string, string) (net.Conn, error) { return client, nil }, transcript.Options{Bubble: true})
		if !strings.Contains(r.why, "x.play:3: T: the client hears nothing") {
			t.Errorf("%q", r.why)
		}
	})
}
