package im

import (
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/secure/precis"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct{ in, local, domain string }{
		{"alice@example.com", "alice", "example.com"},
		{"Alice@Example.COM", "alice", "example.com"},
		{"example.com", "", "example.com"},
		{"EXAMPLE.com.", "", "example.com"},
		{"a@b", "a", "b"},
		{"a@b.", "a", "b"},
		{"foo%bar!#$*+-.=?^_`{|}~,;()[]\\@example.com", "foo%bar!#$*+-.=?^_`{|}~,;()[]\\", "example.com"},
		{"100@1und1.example", "100", "1und1.example"},
		{"a@192.0.2.1", "a", "192.0.2.1"},
		{"a@[::1]", "a", "[::1]"},
		{"a@[2001:DB8:0:0::1]", "a", "[2001:db8::1]"},
		{"[2001:db8::1]", "", "[2001:db8::1]"},

		// Letters of other scripts, RFC 7622 3.5, RFC 8265 3.3.
		{"fussball@example.com", "fussball", "example.com"},
		{"fußball@example.com", "fußball", "example.com"},
		{"FUßBALL@example.com", "fußball", "example.com"},
		{"π@example.com", "π", "example.com"},
		{"Σ@example.com", "σ", "example.com"},
		{"ÉLÈVE@Bücher.example", "élève", "bücher.example"},
		{"e\u0301le\u0300ve@bu\u0308cher.example", "élève", "bücher.example"},
		{"Ａｌｉｃｅ@ｅｘａｍｐｌｅ．ｃｏｍ", "alice", "example.com"},
		{"ｱ@example.com", "ア", "example.com"},
		{"аня@пример.рф", "аня", "пример.рф"},
		{"שלום@example.com", "שלום", "example.com"},

		// IDNA.
		{"a@xn--bcher-kva.example", "a", "bücher.example"},
		{"a@XN--BCHER-KVA.example", "a", "bücher.example"},
		{"a@faß.de", "a", "faß.de"},
		{"a@例え。テスト", "a", "例え.テスト"},
		{"a@例え.テスト。", "a", "例え.テスト"},
		{"a@ⅷ.example", "a", "viii.example"},

		// The greatest lengths.
		{strings.Repeat("a", 1023) + "@b", strings.Repeat("a", 1023), "b"},
		{strings.Repeat("é", 511) + "@b", strings.Repeat("é", 511), "b"},
		{strings.Repeat("Ａ", 1023) + "@b", strings.Repeat("a", 1023), "b"},
		{"a@" + strings.Repeat("b", 63), "a", strings.Repeat("b", 63)},
		{"a@" + strings.Repeat("b.", 511) + "c", "a", strings.Repeat("b.", 511) + "c"},
		{"a@" + strings.Repeat("B.", 511) + "c.", "a", strings.Repeat("b.", 511) + "c"},
	} {
		a, err := ParseAddress(c.in)
		if err != nil {
			t.Errorf("ParseAddress(%q): %v", c.in, err)
			continue
		}
		if a.Local() != c.local || a.Domain() != c.domain {
			t.Errorf("ParseAddress(%q) = %q at %q; want %q at %q", c.in, a.Local(), a.Domain(), c.local, c.domain)
		}
		want := c.domain
		if c.local != "" {
			want = c.local + "@" + c.domain
		}
		if a.String() != want || a.IsZero() || a.IsDomain() != (c.local == "") {
			t.Errorf("ParseAddress(%q) = %q, zero %t, domain %t", c.in, a, a.IsZero(), a.IsDomain())
		}
		if b, err := ParseAddressBytes([]byte(c.in)); err != nil || b != a {
			t.Errorf("ParseAddressBytes(%q) = %q, %v", c.in, b, err)
		}
		if again, err := ParseAddress(a.String()); err != nil || again != a {
			t.Errorf("ParseAddress(%q) = %q, %v; it is a normal form", a, again, err)
		}
		if d, err := ParseDomain(a.Domain()); err != nil || d != c.domain {
			t.Errorf("ParseDomain(%q) = %q, %v", a.Domain(), d, err)
		}
	}
}

func TestNoAddress(t *testing.T) {
	for _, c := range []struct{ in, why string }{
		{"", "the domain is missing"},
		{"@", "the part before the @ is missing"},
		{"@example.com", "the part before the @ is missing"},
		{"alice@", "the domain is missing"},
		{"alice@.", "the domain is missing"},
		{"alice@。", "the domain is missing"},
		{"a b@example.com", "the part before the @ must not contain ' '"},
		{"a b", "the domain must not contain ' '"},
		{"alice@exam ple.com", "the domain must not contain ' '"},
		{"alice@example.com/home", "the domain must not contain '/'"},
		{"alice@bob@example.com", "the domain must not contain '@'"},
		{"alice＠example.com", "the domain"},
		{"al\"ice@example.com", `the part before the @ must not contain '"'`},
		{"al&ice@example.com", "the part before the @ must not contain '&'"},
		{"al'ice@example.com", `the part before the @ must not contain '\''`},
		{"al/ice@example.com", "the part before the @ must not contain '/'"},
		{"al:ice@example.com", "the part before the @ must not contain ':'"},
		{"<alice@example.com>", "the part before the @ must not contain '<'"},
		{"alice>@example.com", "the part before the @ must not contain '>'"},
		{"al＆ice@example.com", "the part before the @ must not contain '&'"},
		{"ali＠ce@example.com", "the part before the @ must not contain '@'"},
		{"al\u0000ice@example.com", "the part before the @ must not contain U+0000"},
		{"alice\r\n@example.com", "the part before the @ must not contain U+000D"},
		{"al\x7fice@example.com", "the part before the @ must not contain U+007F"},
		{"♚@example.com", "the part before the @ must not contain '♚'"},
		{"henryⅳ@example.com", "the part before the @ must not contain 'ⅳ'"},
		{"al\u200bice@example.com", "the part before the @ must not contain U+200B"},
		{"aש@example.com", "written from right to left"},
		{"al\xffice@example.com", "the part before the @ is not valid UTF-8"},
		{"alice@ex\xffample.com", "the domain is not valid UTF-8"},
		{"alice@example..com", "two dots together"},
		{"alice@.example.com", "two dots together, or one at its begin"},
		{"alice@example.com..", "two dots together"},
		{"alice@bücher..example", "two dots together"},
		{"alice@-example.com", "the domain"},
		{"alice@example-.com", "the domain"},
		{"alice@exam_ple.com", "the domain must not contain '_'"},
		{"alice@ab--cd.com", "the domain"},
		{"alice@xn--a.com", "the domain"},
		{"alice@ex\u00a0ample.com", "the domain"},
		{"alice@exämple.com/home", "the domain must not contain '/'"},
		{"alice@::1", "the domain must not contain ':'"},
		{"alice@[::1", "is not an IP address"},
		{"alice@[]", "is not an IP address"},
		{"alice@[::1%eth0]", "is not an IP address"},
		{"alice@[192.0.2.1]", "is not an IP address"},
		{"alice@[::1]:5222", "is not an IP address"},
		{strings.Repeat("a", 1024) + "@b", "the part before the @ is longer than 1023 bytes"},
		{strings.Repeat("é", 512) + "@b", "the part before the @ is longer than 1023 bytes"},
		{strings.Repeat("é", 5000) + "@b", "the part before the @ is longer than 1023 bytes"},
		{"a@" + strings.Repeat("b", 64), "a label longer than 63 bytes"},
		{"a@xn--" + strings.Repeat("a", 4000), "the domain is not one"},
		{"a" + strings.Repeat("\u0301", 2000) + "@b", "the part before the @"},
		{"a@" + strings.Repeat("ü", 62), "a label longer than 63 bytes"},
		{"a@" + strings.Repeat("b.", 512) + "c", "the domain is longer than 1023 bytes"},
		{"a@" + strings.Repeat("ü.", 5000) + "c", "the domain is longer than 1023 bytes"},
		{strings.Repeat("é", 2046) + "@" + strings.Repeat("𝐚.", 1000), "the part before the @ is longer than 1023 bytes"},
	} {
		a, err := ParseAddress(c.in)
		if !errors.Is(err, ErrBadAddress) {
			t.Errorf("ParseAddress(%q) = %q, %v; want ErrBadAddress", c.in, a, err)
			continue
		}
		if !a.IsZero() {
			t.Errorf("ParseAddress(%q) = %q beside an error", c.in, a)
		}
		if !strings.Contains(err.Error(), c.why) {
			t.Errorf("ParseAddress(%q): %q does not say %q", c.in, err, c.why)
		}
		if len(err.Error()) > 500 || !utf8.ValidString(err.Error()) {
			t.Errorf("the error for %d bytes has %d: %q", len(c.in), len(err.Error()), err)
		}
		if b, err := ParseAddressBytes([]byte(c.in)); err == nil {
			t.Errorf("ParseAddressBytes(%q) = %q", c.in, b)
		}
	}
	if d, err := ParseDomain("alice@example.com"); !errors.Is(err, ErrBadAddress) {
		t.Errorf("ParseDomain of an address = %q, %v", d, err)
	}
}

func TestAddressIsKey(t *testing.T) {
	seen := map[Address]int{}
	for _, s := range []string{"alice@example.com", "ALICE@EXAMPLE.COM.", "Ａlice@example。com", "bob@example.com", "example.com"} {
		seen[MustAddress(s)]++
	}
	if len(seen) != 3 || seen[MustAddress("alice@example.com")] != 3 {
		t.Errorf("counted %v", seen)
	}
	var zero Address
	if !zero.IsZero() || zero.IsDomain() || zero.String() != "" || zero.Local() != "" || zero.Domain() != "" {
		t.Errorf("the zero Address is %q", zero)
	}
	got := []Address{MustAddress("b@x"), MustAddress("a@y"), {}, MustAddress("a@x")}
	slices.SortFunc(got, Address.Compare)
	if want := []Address{{}, MustAddress("a@x"), MustAddress("a@y"), MustAddress("b@x")}; !slices.Equal(got, want) {
		t.Errorf("sorted %v", got)
	}
}

func TestAddressAsText(t *testing.T) {
	type row struct{ Who, Nobody Address }
	out, err := json.Marshal(row{Who: MustAddress("Alice@example.com")})
	if err != nil || string(out) != `{"Who":"alice@example.com","Nobody":""}` {
		t.Fatalf("JSON is %s, %v", out, err)
	}
	var back row
	if err := json.Unmarshal([]byte(`{"Who":"ALICE@example.com","Nobody":""}`), &back); err != nil || back != (row{Who: MustAddress("alice@example.com")}) {
		t.Errorf("read back %+v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"Who":"a b@c"}`), &back); !errors.Is(err, ErrBadAddress) {
		t.Errorf("a bad one in JSON: %v", err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "who", MustAddress("alice@example.com"))
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "who", MustAddress("alice@example.com"))
	if s := log.String(); !strings.Contains(s, `"who":"alice@example.com"`) || !strings.Contains(s, "who=alice@example.com") {
		t.Errorf("logged %s", s)
	}
}

func TestMustAddress(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, ErrBadAddress) {
			t.Errorf("recovered %v", err)
		}
	}()
	MustAddress("a b@c")
}

func TestCleanAddressCopiesNothing(t *testing.T) {
	s, b := "alice@messenger.example.com", []byte("alice@messenger.example.com")
	if n := testing.AllocsPerRun(100, func() { ParseAddress(s) }); n != 0 {
		t.Errorf("ParseAddress allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { ParseAddressBytes(b) }); n > 1 {
		t.Errorf("ParseAddressBytes allocates %v times", n)
	}
	a, _ := ParseAddressBytes(b)
	b[0] = 'X'
	if a.String() != s {
		t.Errorf("the address changed with the buffer: %q", a)
	}
}

func TestParseAddressTogether(t *testing.T) {
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				if a, err := ParseAddress("ÉLÈVE@Bücher.example"); err != nil || a.String() != "élève@bücher.example" {
					t.Errorf("got %q, %v", a, err)
				}
			}
		})
	}
	all.Wait()
}

// What the table takes as it is, the two profiles must leave as it is.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"alice@example.com", "Alice@EXAMPLE.com.", "example.com", "a@[::1]", "fußball@faß.de", "Ａ@例え。テスト",
		"a@xn--bcher-kva.example", "a@ab--cd", "a@-b", "ΟΔΟΣ@x", "İ@x", "ǅ@x", "שלום@x", "a@xn--", "ﬀ@ﬀ", "ͅ@x", "\u1e9e@\u1e9e", "a.b..@c",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if b, errB := ParseAddressBytes([]byte(s)); b != a || (errB == nil) != (err == nil) {
			t.Fatalf("ParseAddressBytes(%q) = %q, %v; ParseAddress %q, %v", s, b, errB, a, err)
		}
		if err != nil {
			if !errors.Is(err, ErrBadAddress) || !a.IsZero() {
				t.Fatalf("ParseAddress(%q) = %q, %v", s, a, err)
			}
			return
		}
		if again, err := ParseAddress(a.String()); err != nil || again != a {
			t.Fatalf("ParseAddress(%q) = %q, but of that %q, %v", s, a, again, err)
		}
		if len(a.Local()) > maxPart || len(a.Domain()) > maxPart || a.Domain() == "" || !utf8.ValidString(a.String()) {
			t.Fatalf("ParseAddress(%q) = %q", s, a)
		}
		if strings.ContainsAny(a.Local(), excluded) || strings.ContainsAny(a.Domain(), "@/<> ") {
			t.Fatalf("ParseAddress(%q) = %q", s, a)
		}
		if !cleanAddress(a.String()) {
			return
		}
		if l := a.Local(); l != "" {
			if same, err := precis.UsernameCaseMapped.String(l); err != nil || same != l {
				t.Fatalf("PRECIS makes %q of %q, %v", same, l, err)
			}
		}
		if same, err := idna.Lookup.ToUnicode(a.Domain()); err != nil || same != a.Domain() {
			t.Fatalf("IDNA makes %q of %q, %v", same, a.Domain(), err)
		}
	})
}

func BenchmarkParseAddress(b *testing.B) {
	for _, c := range []struct{ name, in string }{
		{"clean", "juliet@capulet.example"},
		{"upper", "Juliet@capulet.example"},
		{"beyond ASCII", "élève@bücher.example"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseAddress(c.in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseAddressBytes(b *testing.B) {
	b.ReportAllocs()
	in := []byte("juliet@capulet.example")
	for b.Loop() {
		if _, err := ParseAddressBytes(in); err != nil {
			b.Fatal(err)
		}
	}
}
