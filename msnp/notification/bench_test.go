package notification

import (
	"testing"

	"parley/exchange"
	"parley/im"
)

// BenchmarkNotice: a change of state told to fifty receivers of one dialect.
func BenchmarkNotice(b *testing.B) {
	all := voices()
	who := im.MustAddress("alice@example.com")
	for _, d := range []int{2, 12} {
		b.Run(map[int]string{2: "MSNP2", 12: "MSNP12"}[d], func(b *testing.B) {
			b.ReportAllocs()
			v := &all[d]
			for b.Loop() {
				p := &exchange.Presence{Who: who, Name: "Alice", Merged: im.Presence{State: im.Away}, Was: im.Presence{State: im.Available}, Changed: true}
				for range 50 {
					if !v.notice.same(&p.Was, &p.Merged) {
						item(v.notice, p)
					}
				}
			}
		})
	}
}
