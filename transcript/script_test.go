package transcript_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"parley/transcript"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	got, err := transcript.Parse("x.play", strings.Join([]string{
		"# General words about this file.",
		"",
		"# The same contact",
		"# twice. Spec: draft 7.8, 7.11.",
		"# Two more words.",
		"C: ADD 7  FL bob@example.com  ",
		"S: ADD 7 FL ${serial} ${*}\r",
		"",
		"# a remark",
		"alice.sb C: MSG 3 N ${len}",
		"      two",
		"    .",
		"    none",
		"\t",
		"@advance 3m",
		"S:",
		"# Another. Spec: RFC 6121 5; XEP-0045 7.2.1,", "# 7.2.2, dialects 1",
		"@closed",
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	at := func(line int) transcript.Pos { return transcript.Pos{File: "x.play", Line: line} }
	want := []transcript.Script{
		{Title: "The same contact twice", Pos: at(3), Steps: []transcript.Step{
			{Pos: at(6), Act: transcript.Say, Head: "ADD 7  FL bob@example.com"},
			{Pos: at(7), Act: transcript.Expect, Head: "ADD 7 FL ${serial} ${*}"},
			{Pos: at(10), Act: transcript.Say, Name: "alice.sb", Head: "MSG 3 N ${len}", More: []string{"  two", "", "none"}},
			{Pos: at(15), Act: transcript.Direct, Name: "advance", Head: "3m"},
			{Pos: at(16), Act: transcript.Expect},
		}},
		{Title: "Another", Pos: at(17), Steps: []transcript.Step{{Pos: at(19), Act: transcript.Direct, Name: "closed"}}},
	}
	want[0].Cites = []string{"draft 7.8", "draft 7.11"}
	want[1].Cites = []string{"RFC 6121 5", "XEP-0045 7.2.1", "XEP-0045 7.2.2", "dialects 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !got[0].MovesClock() || got[1].MovesClock() {
		t.Error("@advance moves the clock, and nothing else here")
	}
	if diff := cmp.Diff([]string{"", "alice.sb"}, got[0].Names()); diff != "" {
		t.Error(diff)
	}
}

func TestMovesClock(t *testing.T) {
	for line, want := range map[string]bool{"@silence": false, "@silence bob": false, "@silence bob 5s": true, "@silence 1m": true, "@advance 1s": true, "@closed a": false} {
		s, err := transcript.Parse("x", "# T. Spec: draft 1\n"+line)
		if err != nil {
			t.Fatal(err)
		}
		if got := s[0].MovesClock(); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	const title = "# T. Spec: draft 1\n"
	for in, want := range map[string]string{
		"C: x":                     "x.play:1: a file begins with a title",
		title + "what":             "x.play:2: \"what\" is no line",
		title + "C:x":              "x.play:2: \"C:x\" is no line",
		title + "a b C: x":         "x.play:2: \"a b C: x\" is no line",
		title + "  x":              "x.play:2: an indented line continues nothing",
		title + "C: x\n\n  y":      "x.play:4: an indented line continues nothing",
		title + "@advance 1m\n  y": "x.play:3: an indented line continues nothing",
		title + "C: ${x":           "x.play:2: ${ has to be followed",
		title + "C: x\n  ${}":      "x.play:3: ${ has to be followed",
		title:                      "x.play:1: the script says nothing",
		"# Spec: draft 1\nC: x":    "x.play:1: a title has words and sections",
		"\n# Words. Spec: \nC: x":  "x.play:2: a title has words and sections",
		title + "C: a\n\n" + title: "x.play:4: the script says nothing",
	} {
		_, err := transcript.Parse("x.play", in)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
}

func TestLoad(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	fsys := fstest.MapFS{
		"plays/b.play": file("# B. Spec: draft 2\nC: x\n# C. Spec: draft 3\nC: x"),
		"plays/a.play": file("# A. Spec: draft 1\nC: x"),
		"plays/a.txt":  file("nothing"),
		"bad/a.play":   file("nothing"),
	}
	got, err := transcript.Load(fsys, "plays/*.play")
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, s := range got {
		titles = append(titles, s.Pos.String()+" "+s.Title)
	}
	if diff := cmp.Diff([]string{"plays/a.play:1 A", "plays/b.play:1 B", "plays/b.play:3 C"}, titles); diff != "" {
		t.Error(diff)
	}
	for _, pattern := range []string{"none/*", "[", "bad/*"} {
		if _, err := transcript.Load(fsys, pattern); err == nil {
			t.Errorf("%s: no error", pattern)
		}
	}
}
