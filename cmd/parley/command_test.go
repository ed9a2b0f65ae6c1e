package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFlagsStandAnywhere(t *testing.T) {
	for _, c := range []struct {
		args string
		want []string
		data string
	}{
		{"a b", []string{"a", "b"}, ""},
		{"--data d a b", []string{"a", "b"}, "d"},
		{"a --data d b", []string{"a", "b"}, "d"},
		{"a b --data=d", []string{"a", "b"}, "d"},
		{"a -data d -", []string{"a", "-"}, "d"},
		{"a -- --data d", []string{"a", "--data", "d"}, ""},
		{"--data d -- -x", []string{"-x"}, "d"},
		{"", nil, ""},
	} {
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		data := fs.String("data", "", "")
		got, err := parseMixed(fs, strings.Fields(c.args))
		if err != nil || !slices.Equal(got, c.want) || *data != c.data {
			t.Errorf("%q: %q, data %q, %v", c.args, got, *data, err)
		}
	}
}

// TestTableIsWhole: whoever adds a row gives all of it, and each command is run by a script.
func TestTableIsWhole(t *testing.T) {
	var scripts bytes.Buffer
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		scripts.Write(b)
	}
	seen := map[string]bool{}
	for _, c := range commands() {
		if seen[c.name] || c.short == "" || strings.HasSuffix(c.short, ".") || c.setup == nil {
			t.Errorf("%+v: twice, or not whole", c)
		}
		seen[c.name] = true
		if s := scripts.String(); !strings.Contains(s, "parley "+c.name) && !strings.Contains(s, " "+c.name+" ") {
			t.Errorf("no script runs parley %s", c.name)
		}
		fs, _ := c.flagSet()
		fs.VisitAll(func(f *flag.Flag) {
			if f.Usage == "" || strings.HasSuffix(f.Usage, ".") {
				t.Errorf("parley %s --%s: %q is no sentence without a period", c.name, f.Name, f.Usage)
			}
		})
		var help bytes.Buffer
		writeHelp(&help, c)
		for line := range strings.Lines(help.String()) {
			if len(line) > 170 {
				t.Errorf("parley help %s: a line of %d bytes: %s", c.name, len(line), line)
			}
		}
	}
}

func TestCounts(t *testing.T) {
	c := &command{name: "x", args: "ADDRESS [KEY=VALUE]..."}
	for n, ok := range []bool{false, true, true, true} {
		if err := c.count(make([]string, n)); (err == nil) != ok {
			t.Errorf("%d arguments: %v", n, err)
		}
	}
	var usage usageError
	if err := (&command{name: "x"}).count([]string{"a"}); !errors.As(err, &usage) {
		t.Errorf("%v is no usage error", err)
	}
}

// TestLongFolder: the control socket works in a folder whose path no socket could have.
func TestLongFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 40))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := listenControl(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := dialControl(t.Context(), dir)
	if r == nil || err != nil {
		t.Fatalf("nobody answers: %v", err)
	}
	r.Close()
	info, err := os.Stat(filepath.Join(dir, socketFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	l.Close()
	if _, err := os.Stat(filepath.Join(dir, socketFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket stays: %v", err)
	}
	if r, err := dialControl(t.Context(), dir); r != nil || err != nil {
		t.Errorf("somebody answers: %v", err)
	}
}
