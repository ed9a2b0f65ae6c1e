package wire

import (
	"sync"
	"testing"
)

// TestFreeze: what stands in many primitives is written as in each of them, in either dialect, by many at once.
func TestFreeze(t *testing.T) {
	for _, g := range goldens(t) {
		m := decode(t, g.doc)
		for _, k := range m.Units[0].Primitive.Kids {
			k.Freeze()
			for _, k := range k.Kids {
				k.Freeze()
			}
		}
		other := *m
		other.Dialect = OMA13 - m.Dialect
		fresh := *decode(t, g.doc)
		fresh.Dialect = other.Dialect
		want, err := fresh.Append(nil)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 3 {
					if b, err := m.Append(nil); err != nil || string(b) != g.doc {
						t.Errorf("%s %s: %v\n%s\n%s", m.Dialect, g.name, err, b, g.doc)
					}
					if b, otherErr := other.Append(nil); string(b) != string(want) || (otherErr == nil) != (err == nil) {
						t.Errorf("%s as %s: %v\n%s\n%s", g.name, other.Dialect, err, b, want)
					}
				}
			})
		}
		wg.Wait()
	}
}
