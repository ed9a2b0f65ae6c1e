package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/transcript"
)

// TestInterop reads docs/interop.md: each row of its tables names a play of both protocols, which exists.
func TestInterop(t *testing.T) {
	scripts, err := transcript.Load(os.DirFS("../../testdata/plays"), "interop/*.play")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{} // plays, by file and title: whether a row names them
	for _, s := range scripts {
		named[strings.TrimSuffix(filepath.Base(s.Pos.File), ".play")+": "+strings.TrimSuffix(s.Title, ".")] = false
	}
	b, err := os.ReadFile(filepath.Join(repository(), "docs", "interop.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for n, line := range strings.Split(string(b), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.Trim(line, "|-") == "" || strings.TrimSpace(cells[len(cells)-1]) == "play" {
			continue
		}
		rows++
		play := strings.TrimSpace(cells[len(cells)-1])
		if _, ok := named[play]; len(cells) != 3 || !ok {
			t.Errorf("docs/interop.md:%d: the row's last cell is not a play, as in \"chat: Its title\": %q", n+1, play)
		}
		named[play] = true
	}
	if rows < 50 {
		t.Errorf("docs/interop.md has %d rows, at least 50 should be there: are they no tables any more?", rows)
	}
	for play, ok := range named {
		if !ok {
			t.Errorf("no row of docs/interop.md names the play %q", play)
		}
	}
}
