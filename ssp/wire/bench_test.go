package wire

import (
	"fmt"
	"strings"
	"testing"

	"parley/xmltext"
)

// example is the document of a primitive.
func example(b *testing.B, name string) []byte {
	for _, g := range goldens(b) {
		if g.name == name && g.dialect == WV10 {
			return []byte(g.doc)
		}
	}
	b.Fatal("no " + name)
	return nil
}

// the message that is sent most.
func sent(b *testing.B) []byte { return example(b, "SendMessageRequest") }

// twenty is a document of twenty transactions like the one of a primitive, as two domains with much to say write them.
func twenty(b *testing.B, name string) []byte {
	doc := string(example(b, name))
	at, end := strings.Index(doc, "<Transaction "), strings.Index(doc, "</Session>")
	var s strings.Builder
	s.WriteString(doc[:at])
	for i := range 20 {
		s.WriteString(strings.NewReplacer("transactionID='306", fmt.Sprintf("transactionID='%d", 306+i), "m7@", fmt.Sprintf("m%d@", 7+i)).Replace(doc[at:end]))
	}
	return []byte(s.String() + doc[end:])
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

// BenchmarkTwenty: documents of twenty requests and of twenty answers are read; and all that is in them is judged.
func BenchmarkTwenty(b *testing.B) {
	for _, name := range []string{"SendMessageRequest", "SendMessageResponse"} {
		doc := twenty(b, name)
		b.Run("Decode/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if m, err := Decode(doc, xmltext.Limits{}); err != nil || len(m.Units) != 20 {
					b.Fatal(err)
				}
			}
		})
		b.Run("Check/"+name, func(b *testing.B) {
			m, err := Decode(doc, xmltext.Limits{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				for i := range m.Units {
					if f := m.Units[i].Check(WV10); f != nil {
						b.Fatal(f)
					}
				}
			}
		})
		b.Run("Parse/"+name, func(b *testing.B) { // what of Decode is XML
			var d xmltext.Doc
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Parse(doc, xmltext.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
