package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"parley/msnp/clients"
	"parley/msnp/notification"
	"parley/msnp/switchboard"
)

const top = "../../.."

var once = sync.OnceValues(func() (map[string]string, error) { return generate(top) })

func made(t *testing.T) map[string]string {
	t.Helper()
	files, err := once()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestPagesAreCommitted: who changes a table makes the pages anew.
func TestPagesAreCommitted(t *testing.T) {
	for name, text := range made(t) {
		b, err := os.ReadFile(filepath.Join(top, name))
		if err != nil || string(b) != text {
			t.Errorf("%s is not up to date: make docs (%v)", name, err)
		}
	}
}

// TestSpokenPage: every verb, every form and every remark of the code is on the page.
func TestSpokenPage(t *testing.T) {
	page := made(t)["docs/msnp.md"]
	board := strings.Index(page, "\n## Switchboard\n")
	for _, v := range notification.Verbs() {
		if !strings.Contains(page[:board], "\n| `"+v+"` |") {
			t.Errorf("notification: %s is missing", v)
		}
	}
	for _, v := range switchboard.Verbs() {
		if !strings.Contains(page[board:], "\n| `"+v+"` |") {
			t.Errorf("switchboard: %s is missing", v)
		}
	}
	for _, want := range []string{
		"\n| MSNP7 | `LSG` `ADG` `REG` `RMG` | `ADD` `REM` |  | XFR NS; ",
		"\n| `USR` | 1 | 1 | 1 | 1 | 1 | 1 | 2 | 2 | 2 | 2 | 2 |\n",
		"\n| `USR` | 8-12 | logging in, logged in | authenticates with a ticket that was got elsewhere | [usrTicket](../msnp/notification/login.go) |\n",
		"\n| USR OK | 10 | leaves the name to SYN | [welcomeShort](../msnp/notification/voice.go) |\n",
		"\n| JOI | 12 | has what their client can do, too | [joinsAble](../msnp/switchboard/voice.go) |\n",
		"\n| `RNG` | [ring](../msnp/notification/session.go) |\n",
		"\n| `UUX` | client | 11-12 |\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
	marked := 0
	err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") || strings.HasPrefix(p, filepath.Join(top, "tools")) {
			return err
		}
		b, err := os.ReadFile(p)
		marked += len(regexp.MustCompile(`(?m)//.*\bCOMPAT [\w-]`).FindAll(b, -1)) + len(regexp.MustCompile(`(?m)//.*\bCOMPAT$`).FindAll(b, -1))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, remarks, _ := strings.Cut(page, "\n| client | what, and why | where |\n|---|---|---|\n")
	if n := strings.Count(remarks, "\n"); n != marked || n < 20 {
		t.Errorf("%d remarks are on the page, %d in the code", n, marked)
	}
}

// TestClientsPage: every version has its rows and its steps, and what was written by hand stays.
func TestClientsPage(t *testing.T) {
	page := made(t)["docs/clients.md"]
	for _, c := range clients.All {
		if strings.Count(page, "\n| "+c.Name+" | ") != 2 {
			t.Errorf("%s does not stand in both tables", c.Name)
		}
		for _, s := range c.Steps(clients.Examples) {
			if !strings.Contains(page, letters(s.Text)) {
				t.Errorf("%s: %q is missing", c.Name, s.Text)
			}
		}
	}
	again, err := fill(page)
	if err != nil || again != page {
		t.Errorf("made twice it is another: %v", err)
	}
	if _, err := fill("# A page without marks\n"); err == nil || !strings.Contains(err.Error(), "the marks of versions are missing") {
		t.Errorf("without marks: %v", err)
	}
}

// TestRemarks: several in one comment, with the sections at its end left out.
func TestRemarks(t *testing.T) {
	l := remarks("f does this: dialects 4.2. COMPAT MSN 4.6: the sources\ndiffer: this is one. COMPAT MSN 5.0 to 7.5: and\nthat, draft 7.3.\n\nCOMPAT others: a paragraph. Of two.\n")
	if len(l) != 3 || l[0] != (remark{client: "MSN 4.6", why: "The sources differ: this is one."}) ||
		l[1] != (remark{client: "MSN 5.0 to 7.5", why: "And that."}) || l[2] != (remark{client: "others", why: "A paragraph. Of two."}) {
		t.Errorf("%+v", l)
	}
}
