package msnp_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"parley/msnp"

	"github.com/google/go-cmp/cmp"
)

// mime joins lines as they travel.
func mime(lines ...string) string { return strings.Join(lines, "\r\n") }

func TestParseContent(t *testing.T) {
	const v = "MIME-Version: 1.0"
	for _, c := range []struct {
		name, in string
		want     msnp.Content
	}{
		{"chat", mime(v, "Content-Type: text/plain; charset=UTF-8", "X-MMS-IM-Format: FN=Comic%20Sans; EF=BI; CO=ff; CS=0; PF=22", "", "héllo\r\nyou"),
			msnp.Content{Kind: msnp.TextContent, Type: "text/plain", Charset: "utf-8", Text: "héllo\nyou",
				Format: msnp.Format{Font: "Comic Sans", Bold: true, Italic: true, Color: "ff0000"}}},
		{"no blanks, other case, LF", "mime-version:1.0\ncontent-TYPE:Text/Plain;Charset=\"utf-8\"\n\nhi\n",
			msnp.Content{Kind: msnp.TextContent, Type: "text/plain", Charset: "utf-8", Text: "hi\n"}},
		{"no charset, UTF-8", mime(v, "Content-Type: text/plain", "", "Zoë"),
			msnp.Content{Kind: msnp.TextContent, Type: "text/plain", Text: "Zoë"}},
		{"no charset, code page", mime(v, "Content-Type: text/plain", "", "Zo\xeb \x80"),
			msnp.Content{Kind: msnp.TextContent, Type: "text/plain", Text: "Zoë €"}},
		{"another charset", mime(v, "Content-Type: text/plain; format=flowed; charset=ISO-8859-1", "", "Zo\xc3\xab"),
			msnp.Content{Kind: msnp.TextContent, Type: "text/plain", Charset: "iso-8859-1", Text: "ZoÃ«"}},
		{"broken UTF-8", mime(v, "Content-Type: text/plain; charset=UTF-8", "", "a\xffb\x00\rc"),
			msnp.Content{Kind: msnp.TextContent, Type: "text/plain", Charset: "utf-8", Text: "a\uFFFDb\nc"}},
		{"typing", mime(v, "Content-Type: text/x-msmsgscontrol", "TypingUser: bob@example.com", "", "", ""),
			msnp.Content{Kind: msnp.TypingContent, Type: "text/x-msmsgscontrol", TypingUser: "bob@example.com"}},
		{"typing, cut short", mime(v, "Content-Type: text/x-msmsgscontrol", "TypingUser: bob@example.com"),
			msnp.Content{Kind: msnp.TypingContent, Type: "text/x-msmsgscontrol", TypingUser: "bob@example.com"}},
		{"recording", mime(v, "Content-Type: text/x-msmsgscontrol", "RecordingUser: bob@example.com", "", "", ""),
			msnp.Content{Kind: msnp.ControlContent, Type: "text/x-msmsgscontrol"}},
		{"file", mime(v, "Content-Type: text/x-msmsgsinvite; charset=UTF-8", "", "Application-Name: File Transfer",
			"Application-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}", "Invitation-Command: INVITE", "Invitation-Cookie: 33267",
			"Application-File: readme.txt", "Application-FileSize: 60904", "", ""),
			msnp.Content{Kind: msnp.InviteContent, Type: "text/x-msmsgsinvite", Charset: "utf-8", Invitation: msnp.Invitation{
				Command: "INVITE", Cookie: "33267", Application: "File Transfer", GUID: "{5D3E02AB-6190-11d3-BBBB-00C04F795683}",
				File: "readme.txt", FileSize: 60904}}},
		{"no file", mime(v, "Content-Type: text/x-msmsgsinvite", "", "Invitation-Command: CANCEL", "Invitation-Cookie: 33267", "Cancel-Code: REJECT", ""),
			msnp.Content{Kind: msnp.InviteContent, Type: "text/x-msmsgsinvite", Invitation: msnp.Invitation{Command: "CANCEL", Cookie: "33267", CancelCode: "REJECT"}}},
		{"p2p", mime(v, "Content-Type: application/x-msnmsgrp2p", "P2P-Dest: bob@example.com", "", "\x00\x01"),
			msnp.Content{Kind: msnp.P2PContent, Type: "application/x-msnmsgrp2p", Dest: "bob@example.com"}},
		{"nudge", mime(v, "Content-Type: text/x-msnmsgr-datacast", "", "ID: 1", "", ""),
			msnp.Content{Kind: msnp.DatacastContent, Type: "text/x-msnmsgr-datacast", Datacast: 1}},
		{"other", mime(v, "Content-Type: text/x-clientcaps", "", "Client-Name: x"),
			msnp.Content{Type: "text/x-clientcaps"}},
		{"none", mime(v, "Message-ID: {1}", "Chunk: 1", "", "rest"), msnp.Content{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := msnp.ParseContent([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			body := got.Body
			got.Body = nil
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(msnp.Content{}), cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "head" }, cmp.Ignore())); diff != "" {
				t.Error(diff)
			}
			if !strings.HasSuffix(c.in, string(body)) {
				t.Errorf("body %q", body)
			}
			if words := msnp.HasWords([]byte(c.in)); words != (c.want.Kind == msnp.TextContent) {
				t.Errorf("HasWords is %v", words)
			}
		})
	}
}

func TestNoContent(t *testing.T) {
	for _, in := range []string{"", "\r\n", "hello", "\r\nContent-Type: text/plain\r\n\r\nhi", ": x\r\n\r\n", "hello you: x\r\n\r\n"} {
		if got, err := msnp.ParseContent([]byte(in)); err != msnp.ErrContent {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
		if msnp.HasWords([]byte(in)) {
			t.Errorf("%q has words", in)
		}
	}
}

func TestHeader(t *testing.T) {
	c, err := msnp.ParseContent([]byte(mime("MIME-Version: 1.0", "P4-Context:  Al \t", "x: 1", "X: 2", "", "y: 3")))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"p4-context": "Al", "X": "1", "y": "", "": ""} {
		if got := c.Header(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestHasWordsAllocatesNothing(t *testing.T) {
	payload := msnp.TextPayload(strings.Repeat("x", 100), msnp.Format{Bold: true})
	if n := testing.AllocsPerRun(100, func() {
		if !msnp.HasWords(payload) {
			t.Fatal("no words")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	for in, want := range map[string]bool{"text/plain": true, "TEXT/PLAIN": true, "text/plain;charset=UTF-8": true, "text/plain x": true,
		"text/plainer": false, "text/plai": false, "": false, "x-text/plain": false} {
		if got := msnp.HasWords([]byte("Content-Type: " + in + "\r\n\r\n")); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestFormat(t *testing.T) {
	for in, want := range map[string]msnp.Format{
		"": {},
		"FN=MS%20Shell%20Dlg; EF=; CO=0; CS=0; PF=0":    {},
		"FN=Arial;EF=US;CO=00ff00;RL=1":                 {Font: "Arial", Underline: true, Strike: true, Color: "00ff00", RightToLeft: true},
		"fn=Arial; ef=sb; co=FF0000; rl=0":              {Font: "Arial", Bold: true, Strike: true, Color: "0000ff"},
		"FN=%ff; EF=XYZ; CO=xyz; RL":                    {},
		"FN=a%0D%0Ab; CO=1234567":                       {},
		"FN=%E3%83%A1%E3%82%A4%E3%83%AA%E3%82%AA; CO=1": {Font: "メイリオ", Color: "010000"},
		"CO": {},
		"FN=Trebuchet; EF=I; CO=a0b0c0; CS=1; PF=22; X=9;": {Font: "Trebuchet", Italic: true, Color: "c0b0a0"},
	} {
		got := msnp.ParseFormat(in)
		if got != want {
			t.Errorf("%q: %+v", in, got)
		}
		if again := msnp.ParseFormat(got.String()); again != got {
			t.Errorf("%q: %+v, then %+v", got.String(), got, again)
		}
	}
	f := msnp.Format{Font: "A;B=C\r\n", Bold: true, Italic: true, Underline: true, Strike: true, Color: "ff8001", RightToLeft: true}
	if got, want := f.String(), "FN=A%3BB%3DC%0D%0A; EF=BISU; CO=0180ff; CS=0; PF=22; RL=1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestPayloads(t *testing.T) {
	for want, got := range map[string][]byte{
		mime("MIME-Version: 1.0", "Content-Type: text/plain; charset=UTF-8", "", "ack me"): msnp.TextPayload("ack me", msnp.Format{}),
		mime("MIME-Version: 1.0", "Content-Type: text/plain; charset=UTF-8", "X-MMS-IM-Format: FN=MS%20Shell%20Dlg; EF=B; CO=0; CS=0; PF=22", "",
			"a", "b", "c"): msnp.TextPayload("a\nb\r\nc\x00", msnp.Format{Bold: true}),
		mime("MIME-Version: 1.0", "Content-Type: text/x-msmsgscontrol", "TypingUser: bob@example.com", "", "", ""):      msnp.TypingPayload("bob@\r\nexample.com"),
		mime("MIME-Version: 1.0", "Content-Type: text/x-msmsgsprofile; charset=UTF-8", "LoginTime: 1726321960", "", ""): msnp.ProfilePayload(2, msnp.Profile{Login: time.Unix(1726321960, 5)}),
		mime("MIME-Version: 1.0", "Content-Type: application/x-msmsgssystemmessage", "", "Type: 1", "Arg1: 2", ""):      msnp.ShutdownPayload(61 * time.Second),
	} {
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Error(diff)
		}
	}
	for _, n := range []struct {
		b    []byte
		want int
	}{ // the lengths of dialects 13.1 and 13.8
		{msnp.ProfilePayload(2, msnp.Profile{Login: time.Unix(1726321960, 0)}), 95},
		{msnp.TypingPayload("bob@example.com"), 88},
		{msnp.TextPayload("ack me", msnp.Format{}), 68},
	} {
		if len(n.b) != n.want {
			t.Errorf("%d bytes, want %d: %q", len(n.b), n.want, n.b)
		}
	}
	if got := msnp.ShutdownPayload(-time.Hour); !bytes.HasSuffix(got, []byte("Arg1: 0\r\n")) {
		t.Errorf("%q", got)
	}
}

func TestLongTextsArePartedBetweenWords(t *testing.T) {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog. ", 100)
	parts := msnp.TextPayloads(text, msnp.Format{Bold: true}, 1664)
	var all strings.Builder
	for i, p := range parts {
		c, err := msnp.ParseContent(p)
		if err != nil || len(p) > 1664 || !c.Format.Bold {
			t.Fatalf("%d bytes, %v", len(p), err)
		}
		if i < len(parts)-1 && !strings.HasSuffix(c.Text, " ") {
			t.Errorf("ends in %q", c.Text[len(c.Text)-10:])
		}
		all.WriteString(c.Text)
	}
	if all.String() != text || len(parts) != 3 {
		t.Errorf("%d parts, %d bytes", len(parts), len(all.String()))
	}
	if got := msnp.TextPayloads("hi", msnp.Format{}, 1664); len(got) != 1 || !bytes.Equal(got[0], msnp.TextPayload("hi", msnp.Format{})) {
		t.Errorf("%q", got)
	}
}

func FuzzContent(f *testing.F) {
	f.Add([]byte(mime("MIME-Version: 1.0", "Content-Type: text/plain; charset=UTF-8", "X-MMS-IM-Format: FN=Arial; EF=BI; CO=ff0000", "", "hello")))
	f.Add(msnp.TypingPayload("bob@example.com"))
	f.Add([]byte(mime("MIME-Version: 1.0", "Content-Type: text/x-msmsgsinvite; charset=UTF-8", "", "Invitation-Command: INVITE", "Application-FileSize: 9", "", "")))
	f.Add([]byte("Content-Type: text/plain\n\nZo\xeb\r\x00"))
	f.Add([]byte("Content-Type: text/plain x;charset=;charset=\"\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := msnp.ParseContent(in)
		if words := msnp.HasWords(in); words != (err == nil && c.Kind == msnp.TextContent) {
			t.Errorf("HasWords is %v for kind %d, %v", words, c.Kind, err)
		}
		if !utf8.ValidString(c.Text) || strings.ContainsAny(c.Text, "\r\x00") {
			t.Errorf("text %q", c.Text)
		}
		// What was read can be written, and reads the same.
		payload := msnp.TextPayload(c.Text, c.Format)
		again, err := msnp.ParseContent(payload)
		if err != nil || again.Text != c.Text || again.Format != c.Format {
			t.Errorf("%q %+v, then %q %+v, %v", c.Text, c.Format, again.Text, again.Format, err)
		}
		// Any bytes may be somebody's text; parted, nothing of it is lost.
		whole, _ := msnp.ParseContent(msnp.TextPayload(string(in), c.Format))
		var joined strings.Builder
		for _, p := range msnp.TextPayloads(string(in), c.Format, 200) {
			part, err := msnp.ParseContent(p)
			if err != nil || len(p) > 200 && len(part.Text) > 32 {
				t.Errorf("%q: %v", p, err)
			}
			joined.WriteString(part.Text)
		}
		if joined.String() != whole.Text {
			t.Errorf("%q, joined %q", whole.Text, joined.String())
		}
	})
}

// An invitation is turned down by a payload that names it and nothing more: dialects 8.3.
func TestCancelPayload(t *testing.T) {
	c, err := msnp.ParseContent(msnp.CancelPayload("33\r\nX: 267", "REJECT_NOT_INSTALLED"))
	if err != nil {
		t.Fatal(err)
	}
	want := msnp.Invitation{Command: "CANCEL", Cookie: "33X: 267", CancelCode: "REJECT_NOT_INSTALLED"}
	if c.Kind != msnp.InviteContent || c.Invitation != want {
		t.Errorf("read as %+v, want %+v", c.Invitation, want)
	}
}
