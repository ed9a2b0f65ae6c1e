package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var top = filepath.Join("..", "..")

func known(t *testing.T) specs {
	t.Helper()
	all, err := readSections(filepath.Join(top, "testdata", "sections"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func show(l []citation) string {
	var s []string
	for _, c := range l {
		s = append(s, c.spec+" "+c.section)
	}
	return strings.Join(s, "; ")
}

func TestCite(t *testing.T) {
	all := known(t)
	for text, want := range map[string]string{
		"add puts a user on a list, draft 7.8.":         "draft 7.8",
		"draft 7.8, 7.11; RFC 6121 5":                   "draft 7.8; draft 7.11; RFC 6121 5",
		"RFC 7622 3.2 and 3.3.":                         "RFC 7622 3.2; RFC 7622 3.3",
		"RFC 7622 3.2 and RFC 3986 3.2.2":               "RFC 7622 3.2; RFC 3986 3.2.2",
		"(RFC 6121 3.2.2, 3.3.3: pushed as none)":       "RFC 6121 3.2.2; RFC 6121 3.3.3",
		"RFC 6121 appendix A's nine states":             "RFC 6121 A",
		"as RFC 6121 A.2.1 has it":                      "RFC 6121 A.2.1",
		"draft 8.2-8.4, 8.6":                            "draft 8.2; draft 8.3; draft 8.4; draft 8.6",
		"XEP-0045 7.2.1 and dialects\n4.2":              "XEP-0045 7.2.1; dialects 4.2",
		"draft 7.8, 20 times a second":                  "draft 7.8",
		"draft 7.8, 7, and so on":                       "draft 7.8; draft 7",
		"SSP 1.0 servers, SSP 10.3.1":                   "SSP 10.3.1",
		"ssp-syntax 2.4":                                "ssp-syntax 2.4",
		"the draft of 1999, RFC 6120 and XEP-0030 only": "",
		"the 2 drafts; an overdraft 7.8":                "",
		"RFC 6121 A message of 3 lines":                 "",
		"draft 7.99":                                    "draft 7.99",
	} {
		if got := show(cite(text, all)); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestCiteLine(t *testing.T) {
	all := known(t)
	for text, want := range map[string]string{
		" draft 7.8, 7.11":         "draft 7.8; draft 7.11",
		"draft 8.3, 8; RFC 6121 5": "draft 8.3; draft 8; RFC 6121 5",
		"draft 5.1-5.3.":           "draft 5.1; draft 5.2; draft 5.3",
		"draft 7.8 and more":       "error",
		"7.8":                      "error",
		"":                         "error",
		"draft 7.8;":               "error",
		"see draft 7.8":            "error",
	} {
		l, err := citeLine(text, all)
		got := show(l)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q: got %s, want %s (%v)", text, got, want, err)
		}
	}
}

func TestJudge(t *testing.T) {
	all := known(t)
	for c, right := range map[citation]bool{
		{"draft", "7.8"}:       true,
		{"draft", "7.99"}:      false,
		{"dialects", "14.1"}:   true,
		{"dialects", "11.36"}:  true,
		{"RFC 6121", "A.2.1"}:  true,
		{"RFC 6121", "14"}:     false,
		{"RFC 6120", "8.3.3"}:  true,
		{"RFC 2782", "1"}:      false,
		{"XEP-0045", "7.2.1"}:  true,
		{"SSP", "10.3.1"}:      true,
		{"SSP", "15"}:          false,
		{"RFC 5321", "4.5.3"}:  true, // no list of it: taken at its word
		{"ssp-syntax", "2.4"}:  true,
		{"RFC 9266", "4.2"}:    true,
		{"XEP-0198", "5"}:      true,
		{"RFC 3921", "10.14"}:  true,
		{"RFC 2779", "8.1.4"}:  true,
		{"RFC 7590", "3.1"}:    true,
		{"RFC 3920", "14.9.9"}: false,
	} {
		if why := all.judge(c); (why == "") != right {
			t.Errorf("%s %s: %q", c.spec, c.section, why)
		}
	}
}

// tree writes files into a folder with lists of sections and returns it.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	files["testdata/sections/draft.txt"] = "# draft\n6\tCommands\n7\tDetails\n7.8\tLists\n7.10\tClose\n9\tAuthors\n"
	for name, text := range files {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestPage(t *testing.T) {
	root := tree(t, map[string]string{
		"msnp/notification/lists.go": `// Package notification is one.
package notification

// add puts a user on a list, draft 7.8.
//
// Deviates from draft 7.8: the name
// may be left out.
func (c *conn) add() {
	// COMPAT MSN 4.6: no name.
	_ = c
}

// conn answers, draft 6.
type conn[T any] struct{}

func (c *conn[T]) out() {
	c.end() // draft 7.10
}

// Errors, draft 9.
const (
	a = iota
	b
)
`,
		"msnp/notification/lists_test.go":    "package notification\n\n// draft 7.10\nfunc TestX() {}\n",
		"tools/x/x.go":                       "package x\n\n// draft 99\n",
		"other/go.mod":                       "module other\n",
		"other/x.go":                         "package x\n\n// draft 99\n",
		"testdata/plays/msnp2/lists.play":    "# The same | twice. Spec: draft 7.8\nC: ADD\n\n# All of it. Spec: draft 6, 7.10\nC: OUT\n",
		"cmd/parley/testdata/script/any.txt": "draft 99",
	})
	page, problems, err := generate(root, true)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	for _, want := range []string{
		"| 6 Commands | [notification.conn](../msnp/notification/lists.go) | [lists](../testdata/plays/msnp2/lists.play): All of it |\n",
		"| 7.8 Lists | [notification.conn.add](../msnp/notification/lists.go) | [lists](../testdata/plays/msnp2/lists.play): The same \\| twice |\n",
		"| 7.10 Close | [notification.conn.out](../msnp/notification/lists.go) | ",
		"| 9 Authors | [notification.a](../msnp/notification/lists.go) |  |\n",
		"- Deviates from draft 7.8: the name may be left out. ([msnp/",
		"- MSN 4.6: no name. ([msnp/",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	if strings.Contains(page, "| 7 Details") {
		t.Error("a mere heading has a row")
	}
}

func TestProblems(t *testing.T) {
	root := tree(t, map[string]string{
		"im/a.go":                 "package im\n\n// f is f, draft 7.9.\nfunc f() {}\n",
		"im/broken.go":            "package im\n\nfunc {\n",
		"testdata/plays/a.play":   "# Title. Spec: draft 6 or so\n",
		"testdata/plays/b.play":   "C: VER 0 MSNP2\n",
		"testdata/plays/c.play":   "# Title. Spec: draft 6, 7.11\n",
		"testdata/plays/README":   "nothing",
		"im/a_test.go":            "package im\n\n// draft 5.9\n",
		"im/testdata/fuzz/x.go":   "package x // draft 99\n",
		".hidden/testdata/x.play": "C: x\n",
	})
	_, problems, err := generate(root, true)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(problems, "\n")
	for _, want := range []string{
		"im/a.go:3: draft has no section 7.9", "broken.go:3", "a.play:1: \"draft 6 or so\"", "b.play: a play begins with its title",
		"c.play:1: draft has no section 7.11", "im/a_test.go:3: draft has no section 5.9",
		"draft 6 (Commands): no code cites it", "draft 7.10 (Close): no play cites it",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	if len(problems) != 11 { // the six above, code for 6, 7.8, 7.10 and plays for 7.8, 7.10
		t.Errorf("%d problems:\n%s", len(problems), all)
	}
}

func TestSectionsWithoutARule(t *testing.T) {
	files := map[string]string{
		"testdata/sections/rfc6121.txt": "# RFC 6121\n1\tIntroduction\n1.1\tOverview\n2\tRosters\n2.1\tGet\n2.2\tSet\n2.3\tPush\nA\tStates\n",
		"testdata/norule.txt":           "# a remark\nRFC 6121 1\tan introduction\nRFC 6121 2.2\tas RFC 6121 2.1\nRFC 6121 appendix A\tnotes\n",
		"xmpp/a.go":                     "package xmpp\n\n// f is f, RFC 6121 2.1; draft 6, 7.8, 7.10.\nfunc f() {}\n",
		"testdata/plays/a.play":         "# Got. Spec: RFC 6121 2.1; draft 6, 7.8, 7.10\n",
	}
	page, problems, err := generate(tree(t, files), true)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"RFC 6121 2.3 (Push): no code cites it", "RFC 6121 2.3 (Push): no play cites it"}; !slices.Equal(problems, want) {
		t.Errorf("%q", problems)
	}
	for _, want := range []string{"- 1.1 Overview: an introduction\n", "- 2.2 Set: as RFC 6121 2.1\n", "- A States: notes\n", "| 2.3 Push |  |  |\n"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	for text, want := range map[string]string{
		"RFC 6121 1 because":                                    "norule.txt:1: write a citation",
		"RFC 6121 1\t":                                          "norule.txt:1: write a citation",
		"\nRFC 6121 9\tnone":                                    "norule.txt:2: RFC 6121 has no section 9",
		"RFC 6121 2.2\tas RFC 6121 7":                           "norule.txt:1: RFC 6121 has no section 7",
		"RFC 6121 2.2\tas good as new":                          "norule.txt:1: ",
		"RFC 6121 2.2\tas RFC 6121 2.3":                         "RFC 6121 2.2 (Set): it is kept as RFC 6121 2.3 is",
		"RFC 6121 2.2\tone\nRFC 6121 2.2\tas said already, two": "RFC 6121 2.2 stands there twice",
	} {
		files["testdata/norule.txt"] = text
		_, problems, err := generate(tree(t, files), true)
		if all := strings.Join(problems, "\n"); err != nil || !strings.Contains(all, want) {
			t.Errorf("%q: no %q in %s, %v", text, want, all, err)
		}
	}
}

func TestCheckComparesThePage(t *testing.T) {
	root := tree(t, map[string]string{})
	var out bytes.Buffer
	if err := run([]string{"-root", root, "-check"}, &out, &out); err == nil || !strings.Contains(err.Error(), "make docs") {
		t.Errorf("without a page: %v", err)
	}
	if err := run([]string{"-root", root}, &out, &out); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-root", root, "-check"}, &out, &out); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(root, "docs", "conformance.md"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-root", root, "-check"}, &out, &out); err == nil || !strings.Contains(err.Error(), "not up to date") {
		t.Errorf("an old page: %v", err)
	}
}

// TestCitationsExist holds for the whole repository.
func TestCitationsExist(t *testing.T) {
	page, problems, err := generate(top, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
	committed, err := os.ReadFile(filepath.Join(top, "docs", "conformance.md"))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if string(committed) != page {
		t.Error("docs/conformance.md is not up to date; make it anew with `make docs`")
	}
}

func TestEverySpecificationIsInOrder(t *testing.T) {
	for name, s := range known(t) {
		for _, x := range s.sections {
			parent := x.number[:max(0, strings.LastIndexByte(x.number, '.'))]
			if parent == "" {
				continue
			}
			if !slices.ContainsFunc(s.sections[:s.index[x.number]], func(y section) bool { return y.number == parent }) {
				t.Errorf("%s: %s stands before its parent", name, x.number)
			}
			if x.title == "" {
				t.Errorf("%s: %s has no title", name, x.number)
			}
		}
	}
}
