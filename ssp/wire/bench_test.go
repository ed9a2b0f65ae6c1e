package wire

import (
	"testing"

	"parley/xmltext"
)

// the message that is sent most.
func sent(b *testing.B) []byte {
	for _, g := range goldens(b) {
		if g.name == "SendMessageRequest" && g.dialect == WV10 {
			return []byte(g.doc)
		}
	}
	b.Fatal("no SendMessageRequest")
	return nil
}

func BenchmarkDecode(b *testing.B) {
	doc := sent(b)
	b.ReportAllocs()
	for b.Loop() {
		m, err := Decode(doc, xmltext.Limits{})
		if err != nil || m.Units[0].Check(WV10) != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	m, err := Decode(sent(b), xmltext.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var out []byte
	for b.Loop() {
		if out, err = m.Append(out[:0]); err != nil {
			b.Fatal(err)
		}
	}
}
