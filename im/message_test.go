package im

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"sync"
	"testing"
)

func TestNeutralFormIsMadeOnce(t *testing.T) {
	made := 0
	m := &Message{
		ID: 1, From: alice, FromName: "Alice", FromSlot: "home", Slot: "work", Only: true, Time: noon, Kind: Words, Report: true,
		Native: Native{Door: "msnp", Body: []byte("native"), Framed: []byte("framed")},
		Neutralise: func() Neutral {
			made++
			return Neutral{Text: NewText("Wherefore?"), Subject: NewText("art"), Thread: "t1", Format: Format{Bold: true}}
		},
	}
	copies := []*Message{m.For(bobby, 2), m.For(romeo, 3), m.For(bobby, 4).For(romeo, 5)}
	if made != 0 {
		t.Fatalf("made before anybody asked")
	}
	var wg sync.WaitGroup
	for _, c := range append(copies, m) {
		for range 4 {
			wg.Go(func() {
				if n := c.Neutral(); n.Text.Reveal() != "Wherefore?" || n.Thread != "t1" || !n.Format.Bold {
					t.Errorf("read %v", n)
				}
			})
		}
	}
	wg.Wait()
	if made != 1 {
		t.Errorf("made %d times", made)
	}
	for i, want := range []struct {
		to Address
		id MessageID
	}{{bobby, 2}, {romeo, 3}, {romeo, 5}} {
		c := copies[i]
		if c.To != want.to || c.ID != want.id || c.From != alice || c.FromName != "Alice" || c.FromSlot != "home" || c.Slot != "work" || !c.Only || !c.Time.Equal(noon) ||
			c.Kind != Words || !c.Report || c.Native.Door != "msnp" || string(c.Native.Body) != "native" || string(c.Native.Framed) != "framed" {
			t.Errorf("copy %d is %v to %v", i, c.ID, c.To)
		}
		if c.Size() != m.Size() {
			t.Errorf("copy %d has %d bytes, the message %d", i, c.Size(), m.Size())
		}
	}
	if want := len("native") + len("Wherefore?") + len("art") + len("t1") + 100; m.Size() != want {
		t.Errorf("%d bytes, not %d", m.Size(), want)
	}
}

func TestMessageWithoutWords(t *testing.T) {
	m := &Message{From: alice, Kind: Request, Native: Native{Door: "xmpp", Body: []byte("<iq/>")}}
	if n := m.Neutral(); n != (Neutral{}) {
		t.Errorf("read %v", n)
	}
	if n := m.For(bobby, 1).Neutral(); n != (Neutral{}) {
		t.Errorf("a copy reads %v", n)
	}
	if m.Size() != 105 {
		t.Errorf("%d bytes", m.Size())
	}
}

// Each kind is told apart from all others, and has words of its own.
func TestKindsOfRefusalDiffer(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		name := spec.Names[0].Name
		text := spec.Values[0].(*ast.CallExpr).Args[0].(*ast.BasicLit).Value
		if !strings.HasPrefix(name, "Err") || words[text] != "" || strings.Trim(text, `"`) == "" {
			t.Errorf("%s says %s, as does %q", name, text, words[text])
		}
		words[text] = name
		return true
	})
	if len(words) < 20 {
		t.Errorf("%d kinds", len(words))
	}
	if errors.Is(ErrAbsent, ErrOwnBlock) || errors.Is(ErrHeld, ErrAlready) {
		t.Errorf("two kinds are one")
	}
}

func TestWhatAMessageIsToRules(t *testing.T) {
	for want, l := range map[Traffic][]*Message{
		Messages: {{}, {Kind: Signal}, {Kind: Request, Traffic: Messages}},
		Queries:  {{Kind: Request}, {Kind: Signal, Traffic: Queries}},
	} {
		for _, m := range l {
			if got := m.Means(); got != want || m.For(m.To, 1).Means() != want {
				t.Errorf("%d %d is %d", m.Kind, m.Traffic, got)
			}
		}
	}
}
