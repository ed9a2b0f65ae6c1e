package c2s

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/xmltext"
)

// TestDOAPListsWhatIsCited: doap.xml claims the extensions that this package and the vocabulary cite, and no others.
func TestDOAPListsWhatIsCited(t *testing.T) {
	b, err := os.ReadFile("../../doap.xml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := xmltext.Parse(b, xmltext.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	const (
		doap    = "http://usefulinc.com/ns/doap#"
		rdf     = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
		support = "https://linkmauve.fr/ns/xmpp-doap#"
	)
	number := regexp.MustCompile(`^https://xmpp\.org/extensions/xep-(\d{4})\.html$`)
	var claimed []string
	for n := range doc.Root().Child(doap, "Project").Children() {
		xep := n.Child(support, "SupportedXep")
		if !n.Is(doap, "implements") || !xep.Ok() {
			continue
		}
		at, _ := xep.Child(support, "xep").Attr(rdf, "resource")
		m := number.FindSubmatch(at)
		if m == nil {
			t.Errorf("doap.xml: %q is not the address of an extension", at)
			continue
		}
		if len(xep.Child(support, "version").Text()) == 0 || len(xep.Child(support, "status").Text()) == 0 {
			t.Errorf("doap.xml: XEP-%s has no version or no status", m[1])
		}
		claimed = append(claimed, string(m[1]))
	}

	var files []string
	for _, folder := range []string{".", ".."} {
		l, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, l...)
	}
	cite := regexp.MustCompile(`XEP-(\d{4})`)
	cited := map[string]bool{}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range cite.FindAllSubmatch(src, -1) {
			cited[string(m[1])] = true
		}
	}
	if want := slices.Sorted(maps.Keys(cited)); !slices.Equal(claimed, want) {
		t.Errorf("doap.xml lists, in order,\n%v, cited are\n%v", claimed, want)
	}
}
