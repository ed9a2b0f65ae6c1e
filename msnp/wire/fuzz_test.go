package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"parley/msnp/wire"

	"github.com/google/go-cmp/cmp"
)

var seeds = []string{
	"VER 1 MSNP2 CVR0\r\nINF 2\r\nUSR 3 MD5 I alice@example.com\r\nUSR 4 MD5 S 2976b981ef84ce29f35136d7465e731b\r\n",
	"SYN 8 0\r\nCHG 9 NLN\r\nCVR 10 0x0409 win 4.10 i386 MSMSGS 1.0.0863\r\nPNG\r\nADD 11 AL carol@example.com Carol%20C\r\n",
	"MSG 3 N 5\r\nhelloMSG 2 U 0\r\nOUT\n",
	"INF 2 \n\r\n\tPNG\r\nHELLO\r\n911 3\r\nQRY 1047 msmsgs@msnmsgr.com 4\r\nabcd",
	"MSG 3 N 99999\r\n", "MSG 3 N -1\r\n", "MSG\r\n", "MSG Hotmail Hotmail 2\r\nhi911 4\r\n",
}

// FuzzParse: no bytes make Parse panic, allocate much or go back; and where they are cut makes no difference.
func FuzzParse(f *testing.F) {
	for i, s := range seeds {
		f.Add([]byte(s), i%2 == 1, i%13, uint(i*7))
	}
	f.Fuzz(func(t *testing.T, in []byte, server bool, dialect int, cut uint) {
		framing := wire.Framing{Dialect: dialect % 13, Line: 200, Payload: 100}
		if server {
			framing.From = wire.Server
		}
		want, rest, err := all(in, framing)
		if rest > 300 && err == nil {
			t.Fatalf("%d bytes wait", rest)
		}
		// The same bytes in two reads.
		at := int(cut % uint(len(in)+1))
		first, left, err1 := all(in[:at], framing)
		if err1 == nil {
			second, _, err2 := all(in[at-left:], framing)
			first, err1 = append(first, second...), err2
		}
		if diff := cmp.Diff(want, first); diff != "" || (err == nil) != (err1 == nil) {
			t.Fatalf("cut at %d: %s %v %v", at, diff, err, err1)
		}
		for _, c := range want {
			for _, a := range c.Args {
				if a == "" || strings.ContainsAny(a, " \t\r\n") {
					t.Fatalf("parameter %q", a)
				}
			}
		}
	})
}

// FuzzRoundTrip: what is written is read again, whatever stands beside it.
func FuzzRoundTrip(f *testing.F) {
	f.Add("MSG", uint32(7), "N", "a b\r\nOUT", []byte("hello\r\n"))
	f.Add("ADD", uint32(0), "FL", "bob@example.com", []byte(nil))
	f.Add("USR", uint32(1<<32-1), "", "\xff\x00%20", []byte("x"))
	f.Fuzz(func(t *testing.T, verb string, id uint32, a, b string, payload []byte) {
		if len(verb) != 3 || strings.Trim(verb, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || len(a)+len(b) > 1000 || len(payload) > 1664 {
			return
		}
		framing := wire.Framing{Dialect: 12}
		var out []byte
		if wire.HasPayload(verb, wire.Client, 12) {
			out = wire.AppendPayload(nil, verb, int64(id), payload, a, b)
		} else {
			out, payload = wire.AppendCommand(nil, verb, int64(id), a, b), nil
		}
		var c wire.Command
		n, more, err := wire.Parse(&c, append(out[:len(out):len(out)], "PNG\r\n"...), framing)
		if err != nil || more > 0 || n != len(out) {
			t.Fatalf("%q: %d of %d, %d more, %v", out, n, len(out), more, err)
		}
		got, ok := c.TrID()
		if c.Verb != verb || got != id || !ok || !bytes.Equal(c.Payload, payload) {
			t.Fatalf("%q: %q %d %q", out, c.Verb, got, c.Payload)
		}
		args := []string{a, b}
		i := 1
		for _, want := range args {
			if want == "" {
				continue
			}
			if got := string(c.Arg(i)); unescape(got) != unescape(want) {
				t.Fatalf("%q: argument %d is %q, want %q", out, i, got, want)
			}
			i++
		}
	})
}

// unescape takes back what the writer does to blanks and control characters, and only that.
func unescape(s string) string {
	for i := range 0x80 {
		if i <= ' ' || i == 0x7f {
			s = strings.ReplaceAll(s, string([]byte{'%', "01234567"[i>>4], "0123456789ABCDEF"[i&15]}), string(rune(i)))
		}
	}
	return s
}
