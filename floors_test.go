package parley_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors says on which floor a top-level folder stands. A package imports lower floors only; packages on the
// ground may import each other.
var floors = map[string]int{
	"cmd":  5,
	"msnp": 4, "xmpp": 4, "ssp": 4, "web": 4,
	"exchange": 3,
	"store":    2, "bus": 2,
	"im": 1, "credential": 1,
	"listen": 0, "limit": 0, "config": 0, "metrics": 0, "transcript": 0, "xmltext": 0, "inbox": 0,
}

const (
	ground = 0
	doors  = 4
	above  = 6 // tools and the tests of this folder: they look at all, and nobody imports them
)

// rooms is the order inside a door: wire below the vocabulary, it below the roles, which are neighbours, and door,
// which puts the roles together, on top; beside what a connection is to any role, a client and the plays. A folder
// not named here is a role.
var rooms = map[string]int{"wire": 0, "": 1, "sasl": 1, "stream": 2, "link": 2, "passport": 2, "gateway": 2, "session": 2, "client": 2, "plays": 2, "door": 4}

const role = 3

// badNames say nothing about what a package is for.
var badNames = []string{"util", "utils", "common", "helper", "helpers", "types", "models", "model", "manager", "misc", "base", "shared"}

// protocolWord in a name of im or exchange means that a rule of one door got into the core.
var protocolWord = regexp.MustCompile(`(?i)msn|xmpp|jabber|stanza`)

// source is one Go file of the product.
type source struct {
	path string // from the top, with slashes
	file *ast.File
	fset *token.FileSet
}

func (s source) test() bool  { return strings.HasSuffix(s.path, "_test.go") }
func (s source) dir() string { return path.Dir(s.path) }
func (s source) at(p token.Pos) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(p).Line)
}

// sources parses every Go file below root but those of other modules, of test data and of hidden folders.
func sources(t *testing.T, root string) []source {
	t.Helper()
	var l []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p == root {
				return nil
			}
			if d.Name() == "testdata" || d.Name()[0] == '.' || d.Name()[0] == '_' {
				return fs.SkipDir
			}
			if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("cannot be read: %v", err)
			return nil
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		l = append(l, source{filepath.ToSlash(rel), f, fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(l) == 0 {
		t.Fatal("no Go files found")
	}
	return l
}

// place is where a package of ours stands: its floor, its door or top folder, and its room in there.
func place(dir string) (floor int, top, room string, ok bool) {
	top, room, _ = strings.Cut(dir, "/")
	if top == "." || top == "tools" {
		return above, top, room, true
	}
	floor, ok = floors[top]
	return floor, top, room, ok
}

// rank is the height of a room inside its door; what lies deeper stands where its first folder stands.
func rank(room string) int {
	first, _, _ := strings.Cut(room, "/")
	if r, ok := rooms[first]; ok {
		return r
	}
	return role
}

// judge says why the package in folder from must not import the one in folder to; "" when it may.
func judge(from, to string, test bool) string {
	if from == to {
		return "" // an external test of its own package
	}
	floor, top, room, ok := place(from)
	if !ok {
		return "has no floor: give its top folder one in floors_test.go"
	}
	floor2, top2, room2, ok := place(to)
	switch {
	case !ok:
		return "imports " + to + ", which has no floor"
	case floor2 == above:
		return "imports " + to + ": nobody imports tools"
	case top2 == "cmd" && top != "cmd":
		return "imports " + to + ": nobody imports commands"
	case floor == doors && rank(room) == rooms["wire"] && to != "xmltext" && !(test && floor2 == ground):
		return "is a codec and imports " + to + "; it may import nothing of ours but xmltext"
	case top == top2 && floor != doors:
		return "" // parts of one package
	case top == top2:
		if a, b := rank(room), rank(room2); a <= b {
			return fmt.Sprintf("imports %s, which is no lower room of the same door", to)
		}
		return ""
	case floor == ground && floor2 == ground:
		return ""
	case floor2 == floor:
		return "imports its neighbour " + to
	case floor2 > floor:
		return fmt.Sprintf("imports %s from floor %d, and stands on floor %d itself", to, floor2, floor)
	}
	return ""
}

// ours is the folder of an import path, if it is a package of this module.
func ours(imported string) (dir string, ok bool) {
	if imported == "parley" {
		return ".", true
	}
	return strings.CutPrefix(imported, "parley/")
}

func TestFloors(t *testing.T) {
	for _, s := range sources(t, ".") {
		if _, top, _, ok := place(s.dir()); !ok {
			t.Errorf("%s: %s has no floor: give it one in floors_test.go", s.path, top)
		}
		for _, imp := range s.file.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if to, ok := ours(p); ok {
				if why := judge(s.dir(), to, s.test()); why != "" {
					t.Errorf("%s: %s %s", s.at(imp.Pos()), s.dir(), why)
				}
			}
		}
	}
}

// TestJudge shows that the floors hold something: a test that only ever saw a tidy house may be blind.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		from, to  string
		test, may bool
	}{
		{"cmd/parley", "msnp/door", false, true},
		{"msnp", "exchange", false, true},
		{"exchange", "store", false, true},
		{"exchange", "im", false, true},
		{"store/storetest", "store", false, true},
		{"config", "xmltext", false, true},
		{"msnp", "msnp/wire", false, true},
		{"msnp/door", "msnp/notification", false, true},
		{"msnp/notification", "msnp", false, true},
		{"msnp/wire", "xmltext", false, true},
		{"msnp/wire", "transcript", true, true},
		{"tools/gen/config", "config", false, true},
		{"xmpp/c2s", "xmpp/stream", false, true},

		{"exchange", "msnp", false, false},
		{"exchange", "cmd/parley", false, false},
		{"store", "bus", false, false},
		{"im", "credential", false, false},
		{"config", "im", false, false},
		{"msnp", "xmpp", false, false},
		{"web", "msnp/door", false, false},
		{"msnp/notification", "msnp/switchboard", false, false},
		{"msnp/notification", "msnp/switchboard", true, false},
		{"msnp/notification", "msnp/door", false, false},
		{"msnp/wire", "msnp", false, false},
		{"msnp/wire", "config", false, false},
		{"msnp/wire", "im", true, false},
		{"xmpp/stream", "xmpp/c2s", false, false},
		{"im", "exchange", true, false},
		{"im", "tools/conformance", false, false},
		{"im", "somewhere", false, false},
		{"somewhere", "im", false, false},
	} {
		if why := judge(c.from, c.to, c.test); (why == "") != c.may {
			t.Errorf("%s -> %s: %q", c.from, c.to, why)
		}
	}
}

func TestPackagesAreNamedAfterWhatTheyAre(t *testing.T) {
	for _, s := range sources(t, ".") {
		for _, name := range append(strings.Split(s.dir(), "/"), strings.TrimSuffix(s.file.Name.Name, "_test")) {
			if slices.Contains(badNames, name) {
				t.Errorf("%s: %q does not say what the package is for", s.path, name)
			}
		}
	}
}

// TestNothingHappensByImport: what the service has is written out where it is put together.
func TestNothingHappensByImport(t *testing.T) {
	for _, s := range sources(t, ".") {
		if s.test() {
			continue
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: func init: call it by name where the parts are put together", s.at(f.Pos()))
			}
		}
	}
}

// uncommented lists the go statements of a file that have no comment on their line or right above.
func uncommented(s source) []token.Pos {
	ends := map[int]int{}    // lines on which a comment ends, and the column where it begins
	begins := map[int]bool{} // lines on which one begins
	for _, g := range s.file.Comments {
		for _, c := range g.List {
			at := s.fset.Position(c.Pos())
			begins[at.Line] = true
			ends[s.fset.Position(c.End()).Line] = at.Column
		}
	}
	var l []token.Pos
	ast.Inspect(s.file, func(n ast.Node) bool {
		if g, ok := n.(*ast.GoStmt); ok {
			at := s.fset.Position(g.Pos())
			column, ok := ends[at.Line-1]
			above := ok && column <= at.Column // one further right belongs to the line above
			if !above && !begins[at.Line] {
				l = append(l, g.Pos())
			}
		}
		return true
	})
	return l
}

func TestGoroutinesHaveAnOwner(t *testing.T) {
	for _, s := range sources(t, ".") {
		if s.test() {
			continue
		}
		for _, p := range uncommented(s) {
			t.Errorf("%s: go without a comment: say who ends it, on the line above or the same line", s.at(p))
		}
	}
}

func TestUncommentedSees(t *testing.T) {
	const text = `package p
func f() {
	// the server ends it
	go f()
	go f() // ends with f
	go f()

	// too far away

	go f()
}`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, p := range uncommented(source{"p.go", file, fset}) {
		lines = append(lines, fset.Position(p).Line)
	}
	if !slices.Equal(lines, []int{6, 10}) {
		t.Errorf("lines %v", lines)
	}
}

// calls lists the calls of NAME.METHOD in a file for which want says yes.
func calls(s source, want func(name, method string) bool) []token.Pos {
	var l []token.Pos
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && want(x.Name, sel.Sel.Name) {
				l = append(l, sel.Pos())
			}
		}
		return true
	})
	return l
}

// TestNothingIsSkipped: what a test needs is set up before it, by make test if need be.
func TestNothingIsSkipped(t *testing.T) {
	for _, s := range sources(t, ".") {
		if !s.test() {
			continue
		}
		for _, p := range calls(s, func(name, method string) bool {
			return slices.Contains([]string{"t", "b", "f", "tb"}, name) && strings.HasPrefix(method, "Skip") && method != "Skipped"
		}) {
			t.Errorf("%s: a test that may be skipped proves nothing; in the body of a fuzz target, return", s.at(p))
		}
	}
}

// TestCoreIsPure: im judges and keeps no time, talks to nobody and starts nothing; neither it nor the exchange
// knows a protocol.
func TestCoreIsPure(t *testing.T) {
	outside := []string{"net", "os", "io/fs", "io/ioutil", "database/sql", "syscall"}
	for _, s := range sources(t, ".") {
		_, top, _, _ := place(s.dir())
		if s.test() || top != "im" && top != "exchange" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && protocolWord.MatchString(id.Name) {
				t.Errorf("%s: %s is a word of one protocol", s.at(id.Pos()), id.Name)
			}
			if g, ok := n.(*ast.GoStmt); ok && top == "im" {
				t.Errorf("%s: im starts a goroutine", s.at(g.Pos()))
			}
			return true
		})
		if top != "im" {
			continue
		}
		for _, imp := range s.file.Imports {
			if p, _ := strconv.Unquote(imp.Path.Value); slices.Contains(outside, p) || strings.HasPrefix(p, "net/") && p != "net/netip" && p != "net/url" {
				t.Errorf("%s: im imports %s", s.at(imp.Pos()), p)
			}
		}
		for _, p := range calls(s, func(name, method string) bool {
			return name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Sleep", "Tick"}, method)
		}) {
			t.Errorf("%s: im reads the clock; take now as an argument", s.at(p))
		}
	}
}

// TestTestsDoNotSleep: simulated time (testing/synctest) needs no real waiting. A file that uses it may call Sleep
// inside its bubbles.
func TestTestsDoNotSleep(t *testing.T) {
	for _, s := range sources(t, ".") {
		if !s.test() {
			continue
		}
		bubbles := slices.ContainsFunc(s.file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing/synctest"` })
		if bubbles {
			continue
		}
		for _, p := range calls(s, func(name, method string) bool { return name == "time" && method == "Sleep" }) {
			t.Errorf("%s: time.Sleep in a test: wait for what is meant, or play it in a bubble", s.at(p))
		}
	}
}
