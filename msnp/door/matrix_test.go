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
var dialects = []int{2, 3, 4, 5, 6, 7}

const allDialects = "@config msnp.dialects=MSNP2,MSNP3,MSNP4,MSNP5,MSNP6,MSNP7\n"

// told are the lines about a new contact who tells nothing of themselves.
func told(who string, dialect int, contact string) string {
	if dialect < 5 {
		return ""
	}
	var b strings.Builder
	for _, p := range []string{"PHH", "PHW", "PHM", "MOB N"} {
		fmt.Fprintf(&b, "%s S: BPR ${*} %s@example.com %s\n", who, contact, p)
	}
	return b.String()
}

// cell is all that two people do with each other, of whom each has a dialect.
func cell(a, b int) string {
	var s strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&s, format+"\n", args...) }
	say("# MSNP%d and MSNP%d. Spec: dialects 12.1\n%s@open alice NLN%[1]d\n@open bob NLN%[2]d", a, b, allDialects)
	say("alice C: ADD 1 FL bob@example.com Bob\nalice S: ADD 1 FL ${*} bob@example.com Bob")
	say("%salice S: ILN 1 NLN bob@example.com Bob\nbob S: ADD 0 RL ${*} alice@example.com Alice", told("alice", a, "bob"))
	say("bob C: ADD 1 FL alice@example.com Alice\nbob S: ADD 1 FL ${*} alice@example.com Alice")
	say("%sbob S: ILN 1 NLN alice@example.com Alice\nalice S: ADD 0 RL ${*} bob@example.com Bob", told("bob", b, "alice"))
	for _, p := range [][2]string{{"alice", "bob"}, {"bob", "alice"}} {
		name := strings.ToUpper(p[0][:1]) + p[0][1:]
		for i, st := range []string{"BSY", "IDL", "BRB", "AWY", "PHN", "LUN", "NLN"} {
			say("%s C: CHG %d %s\n%[1]s S: CHG %[2]d %[3]s\n%s S: NLN %[3]s %[1]s@example.com %[5]s", p[0], i+2, st, p[1], name)
		}
		say("%s C: CHG 20 HDN\n%[1]s S: CHG 20 HDN\n%s S: FLN %[1]s@example.com", p[0], p[1])
		say("%s C: XFR 21 SB\n%[1]s S: 913 21", p[0])
		say("%s C: CHG 22 NLN\n%[1]s S: CHG 22 NLN\n%s S: NLN NLN %[1]s@example.com %[3]s", p[0], p[1], name)
		say("%s C: REA 23 %[1]s@example.com New%%20%[2]s\n%[1]s S: REA 23 ${*} %[1]s@example.com New%%20%[2]s", p[0], name)
		say("%s S: NLN NLN %s@example.com New%%20%s", p[1], p[0], name)
		say("%s C: REA 24 %[1]s@example.com %[2]s\n%[1]s S: REA 24 ${*} %[1]s@example.com %[2]s", p[0], name)
		say("%s S: NLN NLN %s@example.com %s", p[1], p[0], name)
	}
	say("alice C: XFR 30 SB\nalice S: XFR 30 SB ${board} CKI ${cookie}\n@open alice.sb any")
	say("alice.sb C: USR 1 alice@example.com ${cookie}\nalice.sb S: USR 1 OK alice@example.com Alice")
	say("alice.sb C: CAL 2 bob@example.com\nalice.sb S: CAL 2 RINGING ${session}")
	say("bob S: RNG ${session} ${board} CKI ${ring} alice@example.com Alice\n@open bob.sb any")
	say("bob.sb C: ANS 1 bob@example.com ${ring} ${session}\nbob.sb S: IRO 1 1 1 alice@example.com Alice\nbob.sb S: ANS 1 OK")
	say("alice.sb S: JOI bob@example.com Bob")
	for _, p := range [][2]string{{"alice", "bob"}, {"bob", "alice"}} {
		const words = "  MIME-Version: 1.0\n  Content-Type: text/plain; charset=UTF-8\n  .\n  hello"
		const file = "  MIME-Version: 1.0\n  Content-Type: text/x-msmsgsinvite; charset=UTF-8\n  .\n  Application-Name: File Transfer\n  Invitation-Command: INVITE\n  Invitation-Cookie: 33267\n  .\n  ."
		name := strings.ToUpper(p[0][:1]) + p[0][1:]
		say("%s.sb C: MSG 3 A ${len}\n%s\n%s.sb S: MSG %[1]s@example.com %[4]s ${len}\n%[2]s\n%[1]s.sb S: ACK 3", p[0], words, p[1], name)
		say("%s.sb C: MSG 4 N ${len}\n%s\n%s.sb S: MSG %[1]s@example.com %[4]s ${len}\n%[2]s", p[0], file, p[1], name)
	}
	say("bob.sb C: OUT\nalice.sb S: BYE bob@example.com")
	say("bob C: ADD 40 BL alice@example.com Alice\nbob S: ADD 40 BL ${*} alice@example.com Alice\nalice S: FLN bob@example.com")
	say("alice.sb C: CAL 41 bob@example.com\nalice.sb S: 217 41")
	say("bob C: REM 42 BL alice@example.com\nbob S: REM 42 BL ${*} alice@example.com\nalice S: NLN NLN bob@example.com Bob")
	if a >= 7 {
		say("alice C: ADG 50 Friends 0\nalice S: ADG 50 ${*} Friends 1 0")
		say("alice C: ADD 51 FL bob@example.com Bob 1\nalice S: ADD 51 FL ${*} bob@example.com Bob 1")
		say("alice C: REM 52 FL bob@example.com 0\nalice S: REM 52 FL ${s} bob@example.com 0")
		say("alice C: LST 53 FL\nalice S: LST 53 FL ${s} 1 1 bob@example.com Bob 1")
	}
	say("alice C: REM 60 FL bob@example.com\nalice S: REM 60 FL ${*} bob@example.com\nbob S: REM 0 RL ${*} alice@example.com")
	say("bob C: CHG 61 AWY\nbob S: CHG 61 AWY\n@silence alice")
	say("alice C: OUT\nalice S: OUT\n@closed alice\nbob S: FLN alice@example.com")
	return s.String()
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
		must(h.Configure("msnp.dialects", "MSNP7"))
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
			case "QNG":
				if contacts != n || groups != 30 || phones != 4*n {
					t.Errorf("%d contacts, %d groups, %d properties", contacts, groups, phones)
				}
				return
			}
		}
	})
}
