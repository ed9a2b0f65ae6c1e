package xmpp

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"parley/im"
)

// The numbers are those of RFC 7622 3.5.
func TestJIDExamples(t *testing.T) {
	for _, c := range []struct{ in, bare, resource string }{
		{"juliet@example.com", "juliet@example.com", ""},                            // 1
		{"juliet@example.com/foo", "juliet@example.com", "foo"},                     // 2
		{"juliet@example.com/foo bar", "juliet@example.com", "foo bar"},             // 3
		{"juliet@example.com/foo@bar", "juliet@example.com", "foo@bar"},             // 4
		{`foo\20bar@example.com`, `foo\20bar@example.com`, ""},                      // 5
		{"fussball@example.com", "fussball@example.com", ""},                        // 6
		{"fu\u00dfball@example.com", "fu\u00dfball@example.com", ""},                // 7
		{"\u03c0@example.com", "\u03c0@example.com", ""},                            // 8
		{"\u03a3@example.com/foo", "\u03c3@example.com", "foo"},                     // 9
		{"\u03c3@example.com/foo", "\u03c3@example.com", "foo"},                     // 10
		{"\u03c2@example.com/foo", "\u03c2@example.com", "foo"},                     // 11
		{"king@example.com/\u265a", "king@example.com", "\u265a"},                   // 12
		{"example.com", "example.com", ""},                                          // 13
		{"example.com/foobar", "example.com", "foobar"},                             // 14
		{"a.example.com/b@example.net", "a.example.com", "b@example.net"},           // 15
		{"Juliet@Example.COM/Balcony", "juliet@example.com", "Balcony"},             // a resource keeps its case
		{"juliet@example.com/a/b", "juliet@example.com", "a/b"},                     // the first slash counts
		{"juliet@example.com//", "juliet@example.com", "/"},                         //
		{"juliet@example.com/a\u00a0b", "juliet@example.com", "a b"},                // blanks beyond ASCII, RFC 8265 4.2
		{"juliet@example.com/e\u0301", "juliet@example.com", "\u00e9"},              // composed
		{"juliet@example.com/\u2163 \uff21", "juliet@example.com", "\u2163 \uff21"}, // compatible forms stay
		{"[2001:db8::1]/x", "[2001:db8::1]", "x"},
	} {
		j, err := ParseJID(c.in)
		if err != nil || j.Bare.String() != c.bare || j.Resource != c.resource || j.IsFull() != (c.resource != "") {
			t.Errorf("%q: %q and %q, %v", c.in, j.Bare, j.Resource, err)
		}
		if b, err := ParseJIDBytes([]byte(c.in)); b != j || err != nil {
			t.Errorf("%q from bytes: %q, %v", c.in, b, err)
		}
	}
	for _, bad := range []string{
		`"juliet"@example.com`,    // 16
		"foo bar@example.com",     // 17
		"juliet@example.com/ foo", // 18
		"@example.com/",           // 19
		"henry\u2163@example.com", // 20
		"\u265a@example.com",      // 21
		"juliet@",                 // 22
		"/foobar",                 // 23
		"",
		"@",
		"/",
		"juliet@example.com/",
		"juliet@example.com/\u00a0foo",
		"juliet@example.com/a\x00",
		"juliet@example.com/a\nb",
		"juliet@example.com/\xff",
		"juliet@example.com/\u202e\u200b",
	} {
		j, err := ParseJID(bad)
		if !errors.Is(err, im.ErrBadAddress) || !j.IsZero() {
			t.Errorf("%q is taken for %q, %v", bad, j, err)
		}
		if b, err := ParseJIDBytes([]byte(bad)); err == nil || !b.IsZero() {
			t.Errorf("%q from bytes is taken for %q", bad, b)
		}
	}
}

// RFC 7622 3.1: 1023 bytes for each part.
func TestLongJIDs(t *testing.T) {
	long := strings.Repeat("r", 1023)
	j, err := ParseJID("a@example.com/" + long)
	if err != nil || j.Resource != long {
		t.Error(err)
	}
	for _, r := range []string{long + "r", strings.Repeat("\u00e9", 512), strings.Repeat("r", 1<<20), strings.Repeat("e\u0301", 1<<19)} {
		for _, err := range []error{
			func() error { _, err := ParseJID("a@example.com/" + r); return err }(),
			func() error { _, err := ParseJIDBytes([]byte("a@example.com/" + r)); return err }(),
		} {
			if !errors.Is(err, im.ErrBadAddress) || !strings.Contains(err.Error(), "longer than 1023 bytes") {
				t.Errorf("%d bytes: %v", len(r), err)
			}
		}
	}
	if _, err := ParseJID("a@example.com/" + strings.Repeat("e\u0301", 511)); err != nil {
		t.Errorf("1022 bytes when composed: %v", err)
	}
}

func TestJIDText(t *testing.T) {
	for _, s := range []string{"a@example.com", "a@example.com/x y", "example.com/x", "example.com"} {
		j := MustJID(s)
		text, err := j.MarshalText()
		if j.String() != s || string(j.AppendTo([]byte("="))) != "="+s || string(text) != s || err != nil || j.IsZero() {
			t.Errorf("%s: %s", s, j)
		}
	}
	if s := (JID{}).String(); s != "" {
		t.Errorf("nobody is %q", s)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	MustJID("a@")
}

// FuzzJID: what is a JID has one normal form, which reads as itself, and survives XML.
func FuzzJID(f *testing.F) {
	for _, s := range []string{"juliet@example.com/foo bar", "example.com", "a@b/\u2163\u00a0", "a@b/e\u0301", "a@/b", "@", "a@b/ c",
		"a@b//", "\u03a3@example.com/\u03a3", "[::1]/x", "a@b/\u200d\u0375"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		j, err := ParseJID(s)
		b, err2 := ParseJIDBytes([]byte(s))
		if j != b || (err == nil) != (err2 == nil) {
			t.Fatalf("%q: %q %v, from bytes %q %v", s, j, err, b, err2)
		}
		if err != nil {
			if !errors.Is(err, im.ErrBadAddress) || !j.IsZero() {
				t.Fatalf("%q: %q, %v", s, j, err)
			}
			return
		}
		again, err := ParseJID(j.String())
		if err != nil || again != j {
			t.Fatalf("%q is %q, and that is %q, %v", s, j, again, err)
		}
		if len(j.Resource) > maxResource || !utf8.ValidString(j.String()) || strings.ContainsAny(j.String(), "\x00\t\n\r") {
			t.Fatalf("%q is taken for %q", s, j)
		}
		if strings.Contains(s, "/") != j.IsFull() {
			t.Fatalf("%q is taken for %q", s, j)
		}
	})
}

func BenchmarkParseJIDBytes(b *testing.B) {
	in := []byte("juliet@example.com/balcony")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseJIDBytes(in); err != nil {
			b.Fatal(err)
		}
	}
}
