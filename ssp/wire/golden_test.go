package wire

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/xmltext"
)

// golden are the documents of testdata/ssp by dialect: one or more of each primitive.
type golden struct {
	dialect Dialect
	name    string // of the primitive there, and which one it is after a hyphen
	doc     string
}

func goldens(t testing.TB) []golden {
	t.Helper()
	var l []golden
	for d := range dialects {
		files, err := filepath.Glob("../../testdata/ssp/" + dialects[d].name + "/*.xml")
		if err != nil || len(files) < 10 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			l = append(l, golden{Dialect(d), strings.TrimSuffix(filepath.Base(f), ".xml"), strings.TrimSuffix(string(b), "\n")})
		}
	}
	return l
}

func decode(t testing.TB, doc string) *Message {
	t.Helper()
	m, err := Decode([]byte(doc), xmltext.Limits{})
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	return m
}

// TestGolden: each is read, is well, and is written byte for byte as it was; each primitive has one. ssp-syntax 2, 3.
func TestGolden(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range goldens(t) {
		m := decode(t, g.doc)
		if m.Dialect != g.dialect || len(m.Units) != 1 {
			t.Fatalf("%s is of dialect %s with %d transactions", g.name, m.Dialect, len(m.Units))
		}
		u := m.Units[0]
		name, _, _ := strings.Cut(g.name, "-")
		if u.Primitive == nil || primitive([]byte(name)) == nil || u.Primitive.Name != primitive([]byte(name)).Name {
			t.Errorf("%s %s is read as %v", m.Dialect, g.name, u.Primitive)
			continue
		}
		seen[u.Primitive.Name] = seen[u.Primitive.Name] || m.Dialect == WV10
		if f := u.Check(m.Dialect); f != nil {
			t.Errorf("%s %s: %v", m.Dialect, g.name, f)
		}
		out, err := m.Append(nil)
		if err != nil || string(out) != g.doc {
			t.Errorf("%s %s, %v:\n%s\nis written\n%s", m.Dialect, g.name, err, g.doc, out)
		}
	}
	for _, s := range Primitives() {
		if !seen[s.Name] {
			t.Errorf("no document of %s in testdata/ssp/wv10", s.Name)
		}
	}
	if len(Primitives()) != 90 {
		t.Errorf("%d primitives", len(Primitives()))
	}
}

// TestGoldenHoldsEverything: each attribute and element of the tables stands in a document somewhere, those of the
// other dialect in one of it, so that the test above shows each row at work.
func TestGoldenHoldsEverything(t *testing.T) {
	seen := map[*Field]bool{}
	var walk func(s *Structure, e *Element)
	walk = func(s *Structure, e *Element) {
		for i := range s.Fields {
			f := &s.Fields[i]
			seen[f] = seen[f] || e.Has(f.Name)
			if !f.Attr && f.of != nil {
				for k := range e.Children(f.Name) {
					walk(f.of, k)
				}
			}
		}
	}
	for _, g := range goldens(t) {
		p := decode(t, g.doc).Units[0].Primitive
		walk(all.primitives[p.Name], p)
	}
	// What only reading knows: other forms of the client protocol, or of a later version.
	rare := []string{"AttributeList/Attribute", "ClientID/ApplicationID", "Sender/ScreenName", "SenderDisplay/UserID",
		"SenderDisplay/GroupID", "SenderDisplay/Name", "SearchResult/GroupID", "DetailedResult/ScreenName",
		"Services/SharedContentFeature"}
	for _, s := range slices.Concat(all.order, all.parts) {
		for i := range s.Fields {
			f := &s.Fields[i]
			if f.Twin == "" && seen[f] == slices.Contains(rare, s.Name+"/"+f.Name) {
				t.Errorf("%s/%s: in a document %v", s.Name, f.Name, seen[f])
			}
		}
	}
}
