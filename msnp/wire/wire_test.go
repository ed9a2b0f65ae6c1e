package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"parley/msnp/wire"

	"github.com/google/go-cmp/cmp"
)

// plain is a command in a form that can be compared.
type plain struct {
	Verb    string
	Args    []string
	Payload string
}

func flat(c *wire.Command) plain {
	p := plain{Verb: c.Verb, Payload: string(c.Payload)}
	for i, a := range c.Args() {
		if !bytes.Equal(a, c.Arg(i)) {
			panic(fmt.Sprintf("argument %d is %q and %q", i, a, c.Arg(i)))
		}
		p.Args = append(p.Args, string(a))
	}
	if len(p.Args) != c.Len() {
		panic("Len and Args differ")
	}
	return p
}

// all parses whatever there is in buf.
func all(buf []byte, f wire.Framing) (l []plain, rest int, err error) {
	var c wire.Command
	for {
		n, more, err := wire.Parse(&c, buf, f)
		buf = buf[n:]
		if err != nil || more > 0 {
			return l, len(buf), err
		}
		l = append(l, flat(&c))
	}
}

func TestParse(t *testing.T) {
	many := strings.Repeat(" a", 20)
	for _, c := range []struct {
		name string
		in   string
		f    wire.Framing
		want []plain
		rest int
		err  error
	}{
		{"one", "VER 1 MSNP2 CVR0\r\n", wire.Framing{}, []plain{{"VER", []string{"1", "MSNP2", "CVR0"}, ""}}, 0, nil},
		{"no parameters", "OUT\r\nPNG\n", wire.Framing{}, []plain{{Verb: "OUT"}, {Verb: "PNG"}}, 0, nil},
		{"blanks", "  INF\t 2 \t \r\r\n", wire.Framing{}, []plain{{"INF", []string{"2"}, ""}}, 0, nil},
		{"empty lines", "\r\n\n \t\r\nPNG\r\n\r\n", wire.Framing{}, []plain{{Verb: "PNG"}}, 0, nil},
		{"half a line", "PNG\r\nOU", wire.Framing{}, []plain{{Verb: "PNG"}}, 2, nil},
		{"a CR parts words", "ADD 1\rFL\r\n", wire.Framing{}, []plain{{"ADD", []string{"1", "FL"}, ""}}, 0, nil},
		{"many", "VER" + many + "\r\n", wire.Framing{}, []plain{{"VER", strings.Fields(many), ""}}, 0, nil},
		{"bytes", "REA 1 a@b \xff\x00\r\n", wire.Framing{}, []plain{{"REA", []string{"1", "a@b", "\xff\x00"}, ""}}, 0, nil},

		{"unknown", "XYZ 4\r\n", wire.Framing{}, []plain{{"XYZ", []string{"4"}, ""}}, 0, nil},
		{"case counts", "ver 4\r\n", wire.Framing{}, []plain{{"ver", []string{"4"}, ""}}, 0, nil},
		{"malformed", "HELLO 4\r\nV\r\nA1B\r\n911 3\r\n", wire.Framing{},
			[]plain{{"", []string{"4"}, ""}, {}, {}, {"", []string{"3"}, ""}}, 0, nil},
		{"an error of a server", "911 3\r\n", wire.Framing{From: wire.Server}, []plain{{"911", []string{"3"}, ""}}, 0, nil},

		{"payload", "MSG 3 N 5\r\nhe\r\nlPNG\r\n", wire.Framing{}, []plain{{"MSG", []string{"3", "N", "5"}, "he\r\nl"}, {Verb: "PNG"}}, 0, nil},
		{"empty payload", "MSG 3 N 0\nPNG\n", wire.Framing{}, []plain{{"MSG", []string{"3", "N", "0"}, ""}, {Verb: "PNG"}}, 0, nil},
		{"half a payload", "MSG 3 N 5\r\nhe", wire.Framing{}, nil, 13, nil},
		{"payload of a server", "MSG Hotmail Hotmail 2\r\nhi", wire.Framing{From: wire.Server}, []plain{{"MSG", []string{"Hotmail", "Hotmail", "2"}, "hi"}}, 0, nil},
		{"no number", "MSG 3 N x\r\nPNG\r\n", wire.Framing{}, nil, 5, wire.ErrPayload},
		{"negative", "MSG 3 N -1\r\n", wire.Framing{}, nil, 0, wire.ErrPayload},
		{"no parameter", "MSG\r\n", wire.Framing{}, nil, 0, wire.ErrPayload},
		{"too large", "MSG 3 N 1665\r\n", wire.Framing{}, nil, 0, wire.ErrPayloadTooLong},
		{"a personal message has more room", "UUX 3 4097\r\n", wire.Framing{Dialect: 11}, nil, 0, wire.ErrPayloadTooLong},
		{"huge", "MSG 3 N 99999999999999999999\r\n", wire.Framing{}, nil, 0, wire.ErrPayloadTooLong},
		{"as large as may be", "MSG 3 N 2\r\nhi", wire.Framing{Payload: 2}, []plain{{"MSG", []string{"3", "N", "2"}, "hi"}}, 0, nil},

		{"not yet a payload", "QRY 3 a 2\r\nPNG\r\n", wire.Framing{Dialect: 5}, []plain{{"QRY", []string{"3", "a", "2"}, ""}, {Verb: "PNG"}}, 0, nil},
		{"a payload since", "QRY 3 a 2\r\nhiPNG\r\n", wire.Framing{Dialect: 6}, []plain{{"QRY", []string{"3", "a", "2"}, "hi"}, {Verb: "PNG"}}, 0, nil},
		{"a refused body", "PAG 3 a 2\r\nhi", wire.Framing{Dialect: 9}, []plain{{"PAG", []string{"3", "a", "2"}, "hi"}}, 0, nil},

		{"line too long", strings.Repeat("a", 8192), wire.Framing{}, nil, 8192, wire.ErrLineTooLong},
		{"line too long with its end", strings.Repeat("a", 20) + "\n", wire.Framing{Line: 20}, nil, 21, wire.ErrLineTooLong},
		{"as long as may be", "VER " + strings.Repeat("a", 8186) + "\r\n", wire.Framing{}, []plain{{"VER", []string{strings.Repeat("a", 8186)}, ""}}, 0, nil},
		{"limits end somewhere", strings.Repeat("a", 1<<16), wire.Framing{Line: 1 << 20}, nil, 1 << 16, wire.ErrLineTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, rest, err := all([]byte(c.in), c.f)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if rest != c.rest || !errors.Is(err, c.err) {
				t.Errorf("rest %d, want %d; error %v, want %v", rest, c.rest, err, c.err)
			}
		})
	}
}

func TestPayloadsBegin(t *testing.T) {
	for _, c := range []struct {
		verb  string
		from  wire.Side
		since int
	}{
		{"MSG", wire.Client, 2}, {"PAG", wire.Client, 5}, {"SDC", wire.Client, 5}, {"QRY", wire.Client, 6},
		{"PGD", wire.Client, 9}, {"UUX", wire.Client, 11},
		{"MSG", wire.Server, 2}, {"NOT", wire.Server, 5}, {"IPG", wire.Server, 6}, {"UBX", wire.Server, 11},
		{"GCF", wire.Server, 11}, {"GCF", wire.Client, 13}, {"USR", wire.Client, 13}, {"QRY", wire.Server, 13},
	} {
		for d := 2; d <= 12; d++ {
			if got := wire.HasPayload(c.verb, c.from, d); got != (d >= c.since) {
				t.Errorf("%s in MSNP%d from %d: %v", c.verb, d, c.from, got)
			}
		}
	}
	if !wire.HasPayload("MSG", wire.Client, 0) || wire.HasPayload("SDC", wire.Client, 0) {
		t.Error("before a dialect is named, MSG alone carries a payload")
	}
}

func TestParseSaysHowMuchIsMissing(t *testing.T) {
	whole := "\r\nMSG 3 N 9\r\nsomething"
	var c wire.Command
	for i := range whole {
		n, more, err := wire.Parse(&c, []byte(whole[:i]), wire.Framing{})
		if err != nil || more == 0 {
			t.Fatalf("%q: %d, %v", whole[:i], more, err)
		}
		if want := len(whole) - i; i >= 13 && more != want || more > want {
			t.Errorf("%q: %d more, want %d", whole[:i], more, want)
		}
		if want := min(i, 2); n != want && i != 1 {
			t.Errorf("%q: %d done with, want %d", whole[:i], n, want)
		}
	}
}

func TestBrokenLineCanBeAnswered(t *testing.T) {
	var c wire.Command
	n, _, err := wire.Parse(&c, []byte("MSG 77 N many\r\nrest"), wire.Framing{})
	if id, ok := c.TrID(); n != 15 || !errors.Is(err, wire.ErrPayload) || c.Verb != "MSG" || id != 77 || !ok {
		t.Errorf("%d %v %q %d %v", n, err, c.Verb, id, ok)
	}
	if !errors.Is(wire.ErrPayloadTooLong, wire.ErrPayload) {
		t.Error("too long a payload is a wrong payload")
	}
}

func TestTrID(t *testing.T) {
	for in, want := range map[string]uint32{"0": 0, "1": 1, "007": 7, "4294967295": 1<<32 - 1} {
		if id, ok := wire.ParseTrID([]byte(in)); !ok || id != want {
			t.Errorf("%q: %d, %v", in, id, ok)
		}
	}
	for _, in := range []string{"", "-1", "+1", "4294967296", "1x", "0x1", "99999999999999999999999", "１"} {
		if id, ok := wire.ParseTrID([]byte(in)); ok {
			t.Errorf("%q: %d", in, id)
		}
	}
}

func TestCode(t *testing.T) {
	r := wire.NewReader(strings.NewReader("911 3\r\nNLN NLN bob@example.com Bob\r\n"), wire.Framing{From: wire.Server})
	for _, want := range []int{911, 0} {
		c, err := r.Read()
		if err != nil || c.Code() != want {
			t.Errorf("%d, want %d: %v", c.Code(), want, err)
		}
	}
}

func TestAppend(t *testing.T) {
	for want, got := range map[string][]byte{
		"USR 3 OK alice@example.com Alice\r\n":   wire.AppendCommand(nil, "USR", 3, "OK", "alice@example.com", "Alice"),
		"FLN bob@example.com\r\n":                wire.AppendCommand(nil, "FLN", wire.NoTrID, "bob@example.com"),
		"OUT\r\n":                                wire.AppendCommand(nil, "OUT", wire.NoTrID),
		"OUT OTH\r\n":                            wire.AppendCommand(nil, "OUT", wire.NoTrID, "", "OTH"),
		"ADD 0 RL 4 a@b x%0D%0AOUT%20%09%7F\r\n": wire.AppendCommand(nil, "ADD", 0, "RL", "4", "a@b", "x\r\nOUT \t\x7f"),
		"MSG a@b A 2\r\nhi":                      wire.AppendMessage(nil, "a@b", "A", []byte("hi")),
		"MSG 4 N 0\r\n":                          wire.AppendPayload(nil, "MSG", 4, nil, "N"),
		"911 3\r\n":                              wire.AppendError(nil, 911, 3),
		"xx600\r\n":                              wire.AppendError([]byte("xx"), 600, wire.NoTrID),
	} {
		if string(got) != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestReader(t *testing.T) {
	in := "VER 1 MSNP2\r\nMSG Hotmail Hotmail 12\r\nhello\r\nworldQNG\r\n" + "MSG a b 5000\r\n" + strings.Repeat("x", 5000) + "911 4\r\n"
	want, _, err := all([]byte(in), wire.Framing{From: wire.Server})
	if err != nil || len(want) != 5 {
		t.Fatal(want, err)
	}
	for name, src := range map[string]io.Reader{
		"at once":       strings.NewReader(in),
		"byte by byte":  iotest.OneByteReader(strings.NewReader(in)),
		"with its end":  iotest.DataErrReader(strings.NewReader(in)),
		"half by half ": iotest.HalfReader(strings.NewReader(in)),
	} {
		r := wire.NewReader(src, wire.Framing{From: wire.Server})
		var got []plain
		for {
			c, err := r.Read()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(name, err)
			}
			got = append(got, flat(&c))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(name, diff)
		}
	}
}

func TestReaderErrors(t *testing.T) {
	for in, want := range map[string]error{
		"":                               io.EOF,
		"\r\n":                           io.EOF,
		"PN":                             io.ErrUnexpectedEOF,
		"MSG a b 3\r\nxx":                io.ErrUnexpectedEOF,
		"MSG a b c\r\n":                  wire.ErrPayload,
		"MSG a b 99999\r\n":              wire.ErrPayloadTooLong,
		strings.Repeat("x", 9000) + "\n": wire.ErrLineTooLong,
	} {
		r := wire.NewReader(strings.NewReader(in), wire.Framing{From: wire.Server})
		if _, err := r.Read(); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", in, err, want)
		}
	}
	stuck := wire.NewReader(neverReads{}, wire.Framing{})
	if _, err := stuck.Read(); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

type neverReads struct{}

func (neverReads) Read([]byte) (int, error) { return 0, nil }

func TestNothingIsAllocated(t *testing.T) {
	msg := message(100)
	var c wire.Command
	if n := testing.AllocsPerRun(100, func() {
		if _, more, err := wire.Parse(&c, msg, wire.Framing{}); err != nil || more > 0 || c.Verb != "MSG" {
			t.Fatal(more, err)
		}
	}); n != 0 {
		t.Errorf("reading a message allocates %v times", n)
	}
	out := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		wire.AppendMessage(out, "alice@example.com", "Alice", c.Payload)
		wire.AppendCommand(out, "NLN", wire.NoTrID, "NLN", "alice@example.com", "Alice")
	}); n != 0 {
		t.Errorf("writing allocates %v times", n)
	}
}

func message(size int) []byte {
	return wire.AppendPayload(nil, "MSG", 12, bytes.Repeat([]byte("x"), size), "N")
}

func BenchmarkParseMessage(b *testing.B) {
	msg := message(100)
	b.ReportAllocs()
	b.SetBytes(int64(len(msg)))
	var c wire.Command
	for b.Loop() {
		wire.Parse(&c, msg, wire.Framing{})
	}
}

func BenchmarkParseLine(b *testing.B) {
	line := []byte("ADD 7 FL bob@example.com Bob%20B\r\n")
	b.ReportAllocs()
	var c wire.Command
	for b.Loop() {
		wire.Parse(&c, line, wire.Framing{Dialect: 2})
	}
}

func BenchmarkAppendMessage(b *testing.B) {
	payload, dst := bytes.Repeat([]byte("x"), 100), make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		wire.AppendMessage(dst, "alice@example.com", "Alice%20A", payload)
	}
}

// TestTooLongLeavesNothing: the command before an overlong line is not answered twice.
func TestTooLongLeavesNothing(t *testing.T) {
	var c wire.Command
	if _, _, err := wire.Parse(&c, []byte("CAL 7 bob@example.com\r\n"), wire.Framing{}); err != nil {
		t.Fatal(err)
	}
	_, _, err := wire.Parse(&c, []byte(strings.Repeat("x", 600)), wire.Framing{Line: 600})
	if id, ok := c.TrID(); !errors.Is(err, wire.ErrLineTooLong) || ok || c.Verb != "" {
		t.Errorf("%v, and the command is %q %d", err, c.Verb, id)
	}
}
