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
var dialects = []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}

const allDialects = "@config msnp.dialects=MSNP2,MSNP3,MSNP4,MSNP5,MSNP6,MSNP7,MSNP8,MSNP9,MSNP10,MSNP11,MSNP12\n"

// picture is what a client that has one says: dialects 5.5.
const picture = "%3Cmsnobj%20Creator%3D%22x%40example.com%22%20Size%3D%2225235%22%20Type%3D%223%22%20Location%3D%22uexA4DE.dat%22%20Friendly%3D%22AAA%3D%22%2F%3E"

// actor is somebody in a matrix, who says and hears everything in the form of their dialect.
type actor struct {
	name    string
	dialect int
	able    string // what the client says it can do
	object  string
	message string // the personal one
}

func (a *actor) handle() string { return a.name + "@example.com" }
func (a *actor) shown() string  { return strings.ToUpper(a.name[:1]) + a.name[1:] }

// since picks a form by dialect: the last one that begins at it or before.
func (a *actor) since(forms map[int]string) string {
	for d := a.dialect; d >= 2; d-- {
		if f, ok := forms[d]; ok {
			return f
		}
	}
	return ""
}

// chg is how the actor changes their state.
func (a *actor) chg(trID int, state string) string {
	line := fmt.Sprintf("CHG %d %s", trID, state) + a.since(map[int]string{8: " " + a.able, 9: " " + a.able + " " + a.object})
	line = strings.TrimRight(line, " ")
	return fmt.Sprintf("%s C: %s\n%[1]s S: %[2]s\n", a.name, line)
}

// line is how the actor hears of somebody: with head before the state.
func (a *actor) line(head, state string, of *actor, name string) string {
	able, object, message := "0", "", ""
	if of.dialect >= 8 {
		able = of.able
	}
	if of.dialect >= 9 {
		object = " " + of.object
	}
	if of.dialect >= 11 {
		message = of.message
	}
	line := fmt.Sprintf("%s S: %s %s %s %s", a.name, head, state, of.handle(), name) +
		strings.TrimRight(a.since(map[int]string{8: " " + able, 9: " " + able + object}), " ") + "\n"
	if a.dialect >= 11 {
		line += fmt.Sprintf("%s S: UBX %s ${len}\n  <Data><PSM>%s</PSM><CurrentMedia></CurrentMedia></Data>\n", a.name, of.handle(), message)
	}
	return line
}

// adds has the actor add somebody, who is there and hears of it.
func (a *actor) adds(o *actor) string {
	var b strings.Builder
	b.WriteString(a.since(map[int]string{
		2:  fmt.Sprintf("%s C: ADD 1 FL %s %s\n%[1]s S: ADD 1 FL ${*} %[2]s %[3]s\n", a.name, o.handle(), o.shown()),
		10: fmt.Sprintf("%s C: ADC 1 FL N=%s F=%s\n%[1]s S: ADC 1 FL N=%[2]s F=%[3]s C=${guid %[2]s}\n", a.name, o.handle(), o.shown()),
	}))
	if 5 <= a.dialect && a.dialect < 10 {
		for _, p := range []string{"PHH", "PHW", "PHM", "MOB N"} {
			fmt.Fprintf(&b, "%s S: BPR ${*} %s %s\n", a.name, o.handle(), p)
		}
	}
	b.WriteString(a.line("ILN 1", "NLN", o, o.shown()))
	b.WriteString(o.since(map[int]string{
		2:  fmt.Sprintf("%s S: ADD 0 RL ${*} %s %s\n", o.name, a.handle(), a.shown()),
		10: fmt.Sprintf("%s S: ADC 0 RL N=%s F=%s\n", o.name, a.handle(), a.shown()),
	}))
	return b.String()
}

// renames has the actor take another name, of which somebody hears.
func (a *actor) renames(trID int, name string, o *actor) string {
	return a.since(map[int]string{
		2:  fmt.Sprintf("%s C: REA %d %s %s\n%[1]s S: REA %[2]d ${*} %[3]s %[4]s\n", a.name, trID, a.handle(), name),
		10: fmt.Sprintf("%s C: PRP %d MFN %s\n%[1]s S: PRP %[2]d MFN %[3]s\n", a.name, trID, name),
	}) + o.line("NLN", "NLN", a, name)
}

// cell is all that two people do with each other, of whom each has a dialect.
func cell(x, y int) string {
	var s strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&s, format+"\n", args...) }
	a, b := &actor{name: "alice", dialect: x, able: "0"}, &actor{name: "bob", dialect: y, able: "0"}
	say("# MSNP%d and MSNP%d. Spec: dialects 12.1\n%s@open alice NLN%[1]d\n@open bob NLN%[2]d", x, y, allDialects)
	say("%s%s", a.adds(b), b.adds(a))
	for _, p := range [][2]*actor{{a, b}, {b, a}} {
		p, o := p[0], p[1]
		p.able, p.object = "268435500", picture
		for i, st := range []string{"BSY", "IDL", "BRB", "AWY", "PHN", "LUN", "NLN"} {
			say("%s%s", p.chg(i+2, st), o.line("NLN", st, p, p.shown()))
		}
		p.object = ""
		say("%s", p.chg(19, "NLN"))
		if p.dialect >= 9 && o.dialect >= 9 {
			say("%s", o.line("NLN", "NLN", p, p.shown()))
		}
		if p.dialect >= 11 {
			for _, p.message = range []string{"a &lt; b", ""} {
				say("%s C: UUX 25 ${len}\n  <Data><PSM>%s</PSM><CurrentMedia></CurrentMedia></Data>\n%[1]s S: UUX 25 0", p.name, p.message)
				if o.dialect >= 11 {
					say("%s", o.line("NLN", "NLN", p, p.shown()))
				}
			}
		}
		say("%s%s S: FLN %s", p.chg(20, "HDN"), o.name, p.handle())
		say("%s C: XFR 21 SB\n%[1]s S: 913 21", p.name)
		say("%s%s", p.chg(22, "NLN"), o.line("NLN", "NLN", p, p.shown()))
		say("%s%s", p.renames(23, "New%20"+p.shown(), o), p.renames(24, p.shown(), o))
	}
	able := func(o, of *actor) string { // what a seat says besides: dialects 7.1
		n := "0"
		if of.dialect >= 8 {
			n = of.able
		}
		return o.since(map[int]string{12: " " + n})
	}
	say("alice C: XFR 30 SB\nalice S: XFR 30 SB ${board} CKI ${cookie}\n@open alice.sb any")
	say("alice.sb C: USR 1 alice@example.com ${cookie}\nalice.sb S: USR 1 OK alice@example.com Alice")
	say("alice.sb C: CAL 2 bob@example.com\nalice.sb S: CAL 2 RINGING ${session}")
	say("bob S: RNG ${session} ${board} CKI ${ring} alice@example.com Alice\n@open bob.sb any")
	say("bob.sb C: ANS 1 bob@example.com ${ring} ${session}\nbob.sb S: IRO 1 1 1 alice@example.com Alice%s\nbob.sb S: ANS 1 OK", able(b, a))
	say("alice.sb S: JOI bob@example.com Bob%s", able(a, b))
	for _, p := range [][2]*actor{{a, b}, {b, a}} {
		const words = "  MIME-Version: 1.0\n  Content-Type: text/plain; charset=UTF-8\n  .\n  hello"
		const file = "  MIME-Version: 1.0\n  Content-Type: text/x-msmsgsinvite; charset=UTF-8\n  .\n  Application-Name: File Transfer\n  Invitation-Command: INVITE\n  Invitation-Cookie: 33267\n  .\n  ."
		const nudge = "  MIME-Version: 1.0\n  Content-Type: text/x-msnmsgr-datacast\n  .\n  ID: 1\n  .\n  ."
		for i, m := range []struct{ kind, payload, answer string }{{"A", words, "ACK"}, {"N", file, ""}, {"U", nudge, ""}, {"D", nudge, "ACK"}} {
			if m.kind == "D" && p[0].dialect < 9 {
				continue
			}
			say("%s.sb C: MSG %d %s ${len}\n%s\n%s.sb S: MSG %[1]s@example.com %[6]s ${len}\n%[4]s", p[0].name, i+3, m.kind, m.payload, p[1].name, p[0].shown())
			if m.answer != "" {
				say("%s.sb S: %s %d", p[0].name, m.answer, i+3)
			}
		}
	}
	say("bob.sb C: OUT\nalice.sb S: BYE bob@example.com")
	say("%salice S: FLN bob@example.com", b.since(map[int]string{
		2:  "bob C: ADD 40 BL alice@example.com Alice\nbob S: ADD 40 BL ${*} alice@example.com Alice\n",
		10: "bob C: ADC 40 BL N=alice@example.com\nbob S: ADC 40 BL N=alice@example.com\n",
	}))
	say("alice.sb C: CAL 41 bob@example.com\nalice.sb S: 217 41")
	say("bob C: REM 42 BL alice@example.com\nbob S: REM 42 BL %salice@example.com\n%s", b.since(map[int]string{2: "${*} ", 10: ""}), a.line("NLN", "NLN", b, "Bob"))
	say("%s", a.since(map[int]string{2: "",
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
	say("%s%s", a.since(map[int]string{
		2:  "alice C: REM 60 FL bob@example.com\nalice S: REM 60 FL ${*} bob@example.com\n",
		10: "alice C: REM 60 FL ${guid bob@example.com}\nalice S: REM 60 FL ${guid bob@example.com}\n",
	}), b.since(map[int]string{2: "bob S: REM 0 RL ${*} alice@example.com", 10: "bob S: REM 0 RL alice@example.com"}))
	say("%s@silence alice", b.chg(61, "AWY"))
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
