package sasl

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"parley/credential"
)

// FuzzClientFirst: what is read is what was written, and nothing lets anybody in.
func FuzzClientFirst(f *testing.F) {
	for _, s := range []string{
		"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", "y,a=user@example.com,n=us=2Cer=3D,r=abc,x=y",
		"p=tls-exporter,,n=user,r=rOprNGfwEbeRWgbNEkqO", "n,,m=x,n=user,r=abc", "n,,n=us=er,r=abc", "p=,,", "n,a=,n=,r=",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		m, cause := parseClientFirst(in)
		if cause != "" {
			return
		}
		again := string(m.flag)
		if m.flag == 'p' {
			again += "=" + m.binding
		}
		again += ","
		if m.authzid != "" {
			again += "a=" + escape(m.authzid)
		}
		again += ","
		if again != m.header || m.header+m.bare != string(in) {
			t.Fatalf("header %q, %q; want %q of %q", m.header, m.bare, again, in)
		}
		if bare := "n=" + escape(m.user) + ",r=" + m.nonce; m.bare != bare && !strings.HasPrefix(m.bare, bare+",") {
			t.Fatalf("%q begins otherwise than %q", m.bare, bare)
		}
		if m.user == "" || !isPrintable(m.nonce) || !utf8.ValidString(m.user) || strings.ContainsAny(m.user, "\x00") {
			t.Fatalf("user %q, nonce %q", m.user, m.nonce)
		}
	})
}

// FuzzClientFinal: the parts make up the message.
func FuzzClientFinal(f *testing.F) {
	for _, s := range []string{
		"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
		"c=biws,r=abc,x=y,p=YWJj", "c=biws,r=abc,m=x,p=YWJj", "c=,r=,p=", ",p=YWJj", "c=biws,r=abc,p=YWJj,p=YWJj",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		m, cause := parseClientFinal(in)
		if cause != "" {
			return
		}
		if got := m.without + ",p=" + encode(m.proof); got != string(in) {
			t.Fatalf("%q of %q", got, in)
		}
		if head := "c=" + m.bind + ",r=" + m.nonce; m.without != head && !strings.HasPrefix(m.without, head+",") {
			t.Fatalf("%q begins otherwise than %q", m.without, head)
		}
	})
}

// FuzzServerFirst is for the client's reader.
func FuzzServerFirst(f *testing.F) {
	f.Add([]byte("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"))
	f.Add([]byte("r=abc,s==,i=1,x=y"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if m, err := parseServerFirst(in); err == nil && (m.rounds < 1 || !isPrintable(m.nonce)) {
			t.Fatalf("%+v", m)
		}
	})
}

// FuzzPlain: a message that is read is written the same.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{"\x00alice\x00pencil", "bob\x00alice\x00p", "\x00\x00", "a\x00b\x00c\x00d"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		m, ok := parsePlain(in)
		if ok && (m.user == "" || !bytes.Equal(m.password.Plain(m.authzid, m.user), in)) {
			t.Fatalf("%q, %q of %q", m.authzid, m.user, in)
		}
	})
}

// FuzzDecode: there is one text for some data, so what is read is written the same.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", "=", "YWJj", "YWI=", "YQ==", "YWJ=", "YW\nJj", "====="} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		data, has, fail := Decode(in)
		if fail != "" {
			if data != nil || has {
				t.Fatalf("data %q of a failure", data)
			}
			return
		}
		if got := AppendData(nil, data); !bytes.Equal(got, in) {
			t.Fatalf("%q of %q", got, in)
		}
	})
}

// FuzzServer: two messages of any kind never let in somebody without a password.
func FuzzServer(f *testing.F) {
	f.Add(byte(2), []byte("n,,n=alice,r=abc"), []byte("c=biws,r=abcdef,p=YWJj"))
	f.Add(byte(4), []byte("\x00alice\x00pencil"), []byte{})
	h := newHouse(f)
	h.keys["alice@example.com"] = h.vault.DecoyScram("a password that nobody knows")
	f.Fuzz(func(t *testing.T, m byte, one, two []byte) {
		s := h.server(both)
		s.nonce = func() string { return "def" }
		name := mechanisms[int(m)%len(mechanisms)].name
		for _, r := range []Result{s.Start(t.Context(), name, one, true), s.Step(t.Context(), two)} {
			if r.Success || r.User != "" || r.Additional != nil || (r.Fail == "") == (r.Challenge == nil) {
				t.Fatalf("%+v", r)
			}
		}
	})
}

// What a login costs a server, without the proof of the client, which works elsewhere.
func BenchmarkLogin(b *testing.B) {
	h := newHouse(b, "alice@example.com")
	for _, m := range Offer(h.config(both)) {
		b.Run(m, func(b *testing.B) {
			b.ReportAllocs()
			c := NewClient("alice", credential.NewSecret("pencil"), m, both, true)
			initial, err := c.Initial()
			if err != nil {
				b.Fatal(err)
			}
			s := h.server(both)
			s.nonce = func() string { return "def" } // so that one answer fits every time
			r := s.Start(b.Context(), m, initial, true)
			var answer []byte
			if r.Challenge != nil {
				if answer, err = c.Respond(r.Challenge); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				s := h.server(both)
				s.nonce = func() string { return "def" }
				if r = s.Start(b.Context(), m, initial, true); r.Challenge != nil {
					r = s.Step(b.Context(), answer)
				}
				if !r.Success {
					b.Fatalf("%+v", r)
				}
			}
		})
	}
}
