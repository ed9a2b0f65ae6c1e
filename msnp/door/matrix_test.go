package door_test

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"parley/exchange"
	"parley/im"
	"parley/msnp/plays"
	"parley/transcript"
)

// dialects are those that a matrix has rows and columns of.
var dialects = func() []int {
	if raceDetector {
		return []int{2, 5, 7, 8, 9, 10, 12} // one for each form: pairs take ten times as long
	}
	return []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
}()

const allDialects = "@config msnp.dialects=MSNP2,MSNP3,MSNP4,MSNP5,MSNP6,MSNP7,MSNP8,MSNP9,MSNP10,MSNP11,MSNP12\n"

// picture is what a client that has one says: dialects 5.5.
const picture = "%3Cmsnobj%20Creator%3D%22x%40example.com%22%20Size%3D%2225235%22%20Type%3D%223%22%20Location%3D%22uexA4DE.dat%22%20Friendly%3D%22AAA%3D%22%2F%3E"

// cell is all that two people do with each other, of whom each has a dialect.
func cell(x, y int) string {
	var s strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&s, format+"\n", args...) }
	a, b := &plays.Actor{Name: "alice", Dialect: x, Able: "0"}, &plays.Actor{Name: "bob", Dialect: y, Able: "0"}
	say("# MSNP%d and MSNP%d. Spec: dialects 12.1\n%s@open alice NLN%[1]d\n@open bob NLN%[2]d", x, y, allDialects)
	say("%s%s", a.Adds(b), b.Adds(a))
	for _, p := range [][2]*plays.Actor{{a, b}, {b, a}} {
		p, o := p[0], p[1]
		p.Able, p.Object = "268435500", picture
		for i, st := range []string{"BSY", "IDL", "BRB", "AWY", "PHN", "LUN", "NLN"} {
			say("%s%s", p.Change(i+2, st), o.Hears("NLN", st, p, p.Shown()))
		}
		p.Object = ""
		say("%s", p.Change(19, "NLN"))
		if p.Dialect >= 9 && o.Dialect >= 9 {
			say("%s", o.Hears("NLN", "NLN", p, p.Shown()))
		}
		if p.Dialect >= 11 {
			for _, p.Message = range []string{"a &lt; b", ""} {
				say("%s C: UUX 25 ${len}\n  <Data><PSM>%s</PSM><CurrentMedia></CurrentMedia></Data>\n%[1]s S: UUX 25 0", p.Name, p.Message)
				if o.Dialect >= 11 {
					say("%s", o.Hears("NLN", "NLN", p, p.Shown()))
				}
			}
		}
		say("%s%s S: FLN %s", p.Change(20, "HDN"), o.Name, p.Handle())
		say("%s C: XFR 21 SB\n%[1]s S: 913 21", p.Name)
		say("%s%s", p.Change(22, "NLN"), o.Hears("NLN", "NLN", p, p.Shown()))
		say("%s%s", p.Renames(23, "New%20"+p.Shown(), o), p.Renames(24, p.Shown(), o))
	}
	able := func(o, of *plays.Actor) string { // what a seat says besides: dialects 7.1
		n := "0"
		if of.Dialect >= 8 {
			n = of.Able
		}
		return o.Since(map[int]string{12: " " + n})
	}
	say("alice C: XFR 30 SB\nalice S: XFR 30 SB ${board} CKI ${cookie}\n@open alice.sb any")
	say("alice.sb C: USR 1 alice@example.com ${cookie}\nalice.sb S: USR 1 OK alice@example.com Alice")
	say("alice.sb C: CAL 2 bob@example.com\nalice.sb S: CAL 2 RINGING ${session}")
	say("bob S: RNG ${session} ${board} CKI ${ring} alice@example.com Alice\n@open bob.sb any")
	say("bob.sb C: ANS 1 bob@example.com ${ring} ${session}\nbob.sb S: IRO 1 1 1 alice@example.com Alice%s\nbob.sb S: ANS 1 OK", able(b, a))
	say("alice.sb S: JOI bob@example.com Bob%s", able(a, b))
	for _, p := range [][2]*plays.Actor{{a, b}, {b, a}} {
		const words = "  MIME-Version: 1.0\n  Content-Type: text/plain; charset=UTF-8\n  .\n  hello"
		const file = "  MIME-Version: 1.0\n  Content-Type: text/x-msmsgsinvite; charset=UTF-8\n  .\n  Application-Name: File Transfer\n  Invitation-Command: INVITE\n  Invitation-Cookie: 33267\n  .\n  ."
		const nudge = "  MIME-Version: 1.0\n  Content-Type: text/x-msnmsgr-datacast\n  .\n  ID: 1\n  .\n  ."
		for i, m := range []struct{ kind, payload, answer string }{{"A", words, "ACK"}, {"N", file, ""}, {"U", nudge, ""}, {"D", nudge, "ACK"}} {
			if m.kind == "D" && p[0].Dialect < 9 {
				continue
			}
			say("%s.sb C: MSG %d %s ${len}\n%s\n%s.sb S: MSG %[1]s@example.com %[6]s ${len}\n%[4]s", p[0].Name, i+3, m.kind, m.payload, p[1].Name, p[0].Shown())
			if m.answer != "" {
				say("%s.sb S: %s %d", p[0].Name, m.answer, i+3)
			}
		}
	}
	say("bob.sb C: OUT\nalice.sb S: BYE bob@example.com")
	say("%salice S: FLN bob@example.com", b.Blocks(40, a))
	say("alice.sb C: CAL 41 bob@example.com\nalice.sb S: 217 41")
	say("%s%s", b.Unblocks(42, a), a.Hears("NLN", "NLN", b, "Bob"))
	say("%s", a.Since(map[int]string{2: "",
		7: "alice C: ADG 50 Friends 0\nalice S: ADG 50 ${*} Friends 1 0\n" +
			"alice C: ADD 51 FL bob@example.com Bob 1\nalice S: ADD 51 FL ${*} bob@example.com Bob 1\n" +
			"alice C: REM 52 FL bob@example.com 0\nalice S: REM 52 FL ${s} bob@example.com 0\n",
		10: "alice C: ADG 50 Friends\nalice S: ADG 50 Friends ${friends} 0\n" +
			"alice C: ADC 51 FL C=${guid bob@example.com} ${friends}\nalice S: ADC 51 FL C=${guid bob@example.com} ${friends}\n" +
			"alice C: ADG 52 Work 0\nalice S: ADG 52 Work ${work} 0\n" +
			"alice C: ADC 53 FL C=${guid bob@example.com} ${work}\nalice S: ADC 53 FL C=${guid bob@example.com} ${work}\n" +
			"alice C: REM 54 FL ${guid bob@example.com} ${friends}\nalice S: REM 54 FL ${guid bob@example.com} ${friends}\n",
	}))
	if 7 <= x && x <= 8 {
		say("alice C: LST 53 FL\nalice S: LST 53 FL ${s} 1 1 bob@example.com Bob 1")
	}
	say("%s%s", a.Since(map[int]string{
		2:  "alice C: REM 60 FL bob@example.com\nalice S: REM 60 FL ${*} bob@example.com\n",
		10: "alice C: REM 60 FL ${guid bob@example.com}\nalice S: REM 60 FL ${guid bob@example.com}\n",
	}), b.Since(map[int]string{2: "bob S: REM 0 RL ${*} alice@example.com", 10: "bob S: REM 0 RL alice@example.com"}))
	say("%s@silence alice", b.Change(61, "AWY"))
	say("alice C: OUT\nalice S: OUT\n@closed alice\nbob S: FLN alice@example.com")
	return strings.ReplaceAll(s.String(), "\n\n", "\n")
}

// TestEveryPairOfDialects: whichever dialects two people have, they add and see each other, talk and block: dialects 12.1.
func TestEveryPairOfDialects(t *testing.T) {
	keys()
	for _, a := range dialects {
		for _, b := range dialects {
			t.Run(fmt.Sprintf("%d-%d", a, b), func(t *testing.T) {
				t.Parallel()
				scripts, err := transcript.Parse("matrix", cell(a, b))
				if err != nil {
					t.Fatal(err)
				}
				synctest.Test(t, func(t *testing.T) {
					h := newHouse(t)
					transcript.Play(t, scripts[0], plays.Dial(h), plays.Options(h, true))
				})
			})
		}
	}
}

// TestManyContacts: all contacts come with SYN, however many, each with its groups: dialects 12.1.
func TestManyContacts(t *testing.T) {
	keys()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(h.Configure("msnp.dialects", "MSNP7,MSNP8,MSNP12"))
		must(h.start())
		alice := exchange.By{Who: im.MustAddress("alice@example.com")}
		for i := range 29 {
			must(h.exchange.CreateGroup(t.Context(), alice, fmt.Sprintf("Group %d", i+1), 0))
		}
		s, err := h.exchange.Snapshot(t.Context(), alice.Who)
		must(err)
		const n = 600
		for i := range n {
			who := im.MustAddress(fmt.Sprintf("u%d@example.com", i))
			must(h.exchange.CreateAccount(t.Context(), im.Account{Address: who}))
			must(h.exchange.WatchIn(t.Context(), alice, who, "", s.Groups[i%29].ID))
		}
		c, err := plays.Dial(h)("alice", "in7")
		must(err)
		defer c.Close()
		_, err = c.Write([]byte("SYN 1 0\r\nPNG\r\n"))
		must(err)
		contacts, groups, phones := 0, 0, 0
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			must(err)
			f := strings.Fields(line)
			switch f[0] {
			case "LSG":
				groups++
			case "BPR":
				phones++
			case "LST":
				if f[2] != "FL" {
					continue
				}
				i, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSuffix(f[6], "@example.com"), "u"))
				must(err)
				if contacts++; f[4] != strconv.Itoa(contacts) || f[5] != strconv.Itoa(n) || f[8] != strconv.Itoa(i%29+1) {
					t.Fatalf("contact %d is %q", i, line)
				}
			}
			if f[0] == "QNG" {
				break
			}
		}
		if contacts != n || groups != 30 || phones != 4*n {
			t.Errorf("%d contacts, %d groups, %d properties", contacts, groups, phones)
		}
		for where, syn := range map[string]string{"in8": "SYN 1 0", "in12": "SYN 1 0 0"} {
			compact(t, h, where, syn, n)
		}
	})
}

// compact reads the lists of a client that is told how many lines there are.
func compact(t *testing.T, h *house, where, syn string, n int) {
	t.Helper()
	c, err := plays.Dial(h)("alice", where)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err = c.Write([]byte(syn + "\r\nPNG\r\n")); err != nil {
		t.Fatal(err)
	}
	lines := map[string]int{}
	var head []string
	r := bufio.NewReader(c)
	for lines["QNG"] == 0 {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		f := strings.Fields(line)
		if lines[f[0]]++; f[0] == "SYN" {
			head = f
		}
	}
	if len(head) < 3 {
		t.Fatalf("%s: %v", where, lines)
	}
	said := head[len(head)-2:]
	if lines["LST"] != n || said[0] != strconv.Itoa(lines["LST"]) || said[1] != strconv.Itoa(lines["LSG"]) || lines["LSG"] < 29 {
		t.Errorf("%s: %v, as said %v", where, lines, said)
	}
}
