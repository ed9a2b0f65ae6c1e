package msnp_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"parley/msnp"

	"github.com/google/go-cmp/cmp"
)

func TestStates(t *testing.T) {
	for w := range strings.FieldsSeq("NLN FLN HDN BSY IDL BRB AWY PHN LUN") {
		if s, ok := msnp.ParseState([]byte(w)); !ok || string(s) != w {
			t.Errorf("%s: %q, %v", w, s, ok)
		}
	}
	for _, w := range []string{"", "nln", "NLNX", "ABC"} {
		if s, ok := msnp.ParseState([]byte(w)); ok {
			t.Errorf("%q is %q", w, s)
		}
	}
}

func TestLists(t *testing.T) {
	for w, n := range map[string]msnp.List{"FL": 1, "AL": 2, "BL": 4, "RL": 8} {
		if l, ok := msnp.ParseList([]byte(w)); !ok || l != n || l.String() != w {
			t.Errorf("%s: %d %v", w, l, ok)
		}
	}
	for _, w := range []string{"", "fl", "PL", "FLX"} {
		if l, ok := msnp.ParseList([]byte(w)); ok {
			t.Errorf("%q is %v", w, l)
		}
	}
	if got := fmt.Sprint(msnp.Lists()); got != "[FL AL BL RL]" {
		t.Error(got)
	}
}

// TestCodesOfTheDraft: every number of draft 7.11 has a name and words.
func TestCodesOfTheDraft(t *testing.T) {
	const draft = `200 201 205 206 207 208 209 210 215 216 218 219 280 281 300 302 500 501 510 520 600 601 602 603 604
		707 711 712 713 714 715 717 911 913 920`
	later := `217 220 223 224 225 227 228 229 230 282 301 400 402 403 420 502 503 540 710 731 800 910 921 923 924 928 931`
	words := map[string]int{}
	for w := range strings.FieldsSeq(draft + " " + later) {
		n, err := strconv.Atoi(w)
		if err != nil {
			t.Fatal(err)
		}
		c := msnp.Code(n)
		if c.Meaning() == "" || c.String() != w || !strings.HasSuffix(c.Error(), c.Meaning()) {
			t.Errorf("%d: %q, %q, %q", n, c, c.Meaning(), c.Error())
		}
		if other, ok := words[c.Meaning()]; ok {
			t.Errorf("%d and %d mean the same", n, other)
		}
		words[c.Meaning()] = n
	}
	var c msnp.Code
	if err := fmt.Errorf("add: %w", msnp.ErrListFull); !errors.As(err, &c) || c != 210 {
		t.Error(c)
	}
	if got := msnp.Code(999).Error(); got != "msnp 999" {
		t.Error(got)
	}
}

func TestNegotiate(t *testing.T) {
	all := []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	for _, c := range []struct {
		offered string
		served  []int
		reply   string
		dialect int
	}{
		{"MSNP2", []int{2}, "MSNP2", 2},
		{"msnp2", []int{2}, "MSNP2", 2},
		{"MSNP2 CVR0", []int{2}, "MSNP2 CVR0", 2},
		{"MSNP7 MSNP6 MSNP5 MSNP4 cvr0", []int{2, 5, 6}, "MSNP6 CVR0", 6},
		{"MSNP4 MSNP12 MSNP8", all, "MSNP12", 12},
		{"CVR0", []int{2}, "CVR0", msnp.VersionOnly},
		{"MSNP8 CVR0", []int{2}, "CVR0", msnp.VersionOnly},
		{"MSNP99", all, "0", 0},
		{"", all, "0", 0},
		{"MSNP1 MSNP0 MSNP02 MSNP MSNP13 MSNPX MSN2 MSNP2X", all, "0", 0},
	} {
		var offered [][]byte
		for o := range strings.FieldsSeq(c.offered) {
			offered = append(offered, []byte(o))
		}
		reply, dialect := msnp.Negotiate(offered, c.served)
		if got := strings.Join(reply, " "); got != c.reply || dialect != c.dialect {
			t.Errorf("%q: %q, %d", c.offered, got, dialect)
		}
	}
	for _, n := range all {
		if got, ok := msnp.ParseDialect([]byte(msnp.DialectName(n))); !ok || got != n {
			t.Errorf("%d: %d %v", n, got, ok)
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"":                      "",
		"Bob":                   "Bob",
		"another user":          "another%20user",
		"100%":                  "100%25",
		"a+b@c.d":               "a+b@c.d",
		"Zoë":                   "Zo%C3%AB",
		"x\r\nOUT":              "x%0D%0AOUT",
		"<b>\"":                 "%3Cb%3E%22",
		"-_.!~*'()@+$,:;=/?":    "-_.!~*'()@+$,:;=/?",
		strings.Repeat("é", 64): strings.Repeat("%C3%A9", 64),
	} {
		got := msnp.EncodeName(name)
		if got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
		if back, err := msnp.DecodeName([]byte(got)); err != nil || back != name {
			t.Errorf("%q: back %q, %v", name, back, err)
		}
	}
	if got := msnp.EncodeName("a\xffb"); got != "a%EF%BF%BDb" {
		t.Error(got)
	}
	for in, want := range map[string]string{"example%40hotmail.com": "example@hotmail.com", "%c3%aB": "ë", "Zoë": "Zoë", "a+b": "a+b"} {
		if got, err := msnp.DecodeName([]byte(in)); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"%", "a%2", "%zz", "%ff", "\xff", "%00", strings.Repeat("a", 388), strings.Repeat("é", 65)} {
		if got, err := msnp.DecodeName([]byte(in)); !errors.Is(err, msnp.ErrInvalidFriendlyName) {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	if _, err := msnp.DecodeName([]byte(strings.Repeat("a", 387))); err != nil {
		t.Error(err)
	}
}

func TestFitName(t *testing.T) {
	for in, want := range map[string]string{
		"Bob B":                        "Bob%20B",
		strings.Repeat("a", 500):       strings.Repeat("a", 387),
		strings.Repeat("é", 500):       strings.Repeat("%C3%A9", 64),
		"ab" + strings.Repeat("😀", 99): "ab" + strings.Repeat("%F0%9F%98%80", 32),
		strings.Repeat("\xff", 50):     strings.Repeat("%EF%BF%BD", 1),
	} {
		if got := msnp.FitName(in); got != want {
			t.Errorf("%.20q: %d bytes, %.40q", in, len(got), got)
		}
	}
	// Percent signs are characters like others, not the beginning of a code.
	if got, want := msnp.FitName(strings.Repeat("%41", 200)), strings.Repeat("%2541", 77); !strings.HasPrefix(got, want) || len(got) > 387 {
		t.Errorf("%q", got)
	}
}

func TestHandles(t *testing.T) {
	for h, want := range map[string]error{
		"alice@example.com":             nil,
		"a+b.c_d-e'f@x":                 nil,
		strings.Repeat("a", 127) + "@b": nil,
		strings.Repeat("a", 128) + "@b": msnp.ErrInvalidUsername,
		"":                              msnp.ErrInvalidUsername,
		"@":                             msnp.ErrInvalidUsername,
		"@b":                            msnp.ErrInvalidUsername,
		"@@a":                           msnp.ErrInvalidUsername,
		"a@b@c":                         msnp.ErrInvalidUsername,
		"a b@c":                         msnp.ErrInvalidUsername,
		"a\x00@c":                       msnp.ErrInvalidUsername,
		"a\x7f@c":                       msnp.ErrInvalidUsername,
		"zoë@example.com":               msnp.ErrInvalidUsername,
		"alice":                         msnp.ErrFQDNMissing,
		"alice@":                        msnp.ErrFQDNMissing,
	} {
		if got := msnp.CheckHandle(h); got != want || msnp.ValidHandle(h) != (want == nil) {
			t.Errorf("%q: %v, want %v", h, got, want)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"Bob%20B", "%", "%zz", "a+b", "Zoë", "%C3%AB%00", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// What can be read can be sent on, and says the same.
		if name, err := msnp.DecodeName([]byte(s)); err == nil {
			again, err := msnp.DecodeName([]byte(msnp.EncodeName(name)))
			if err != nil || again != name {
				t.Errorf("%q: %q, then %q, %v", s, name, again, err)
			}
		}
		// What comes from elsewhere fits and can be read.
		fit := msnp.FitName(s)
		name, err := msnp.DecodeName([]byte(fit))
		if strings.ContainsRune(s, 0) {
			return
		}
		if err != nil || !strings.HasPrefix(strings.ToValidUTF8(s, "\uFFFD"), name) {
			t.Errorf("%q: %q, %v", s, name, err)
		}
	})
}

func TestNamesInOneAllocation(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { msnp.EncodeName("Bob") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if diff := cmp.Diff("x%20y", string(msnp.AppendEncoded([]byte("x"), " y"))); diff != "" {
		t.Error(diff)
	}
}
