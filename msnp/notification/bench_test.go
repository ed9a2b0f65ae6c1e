package notification

import (
	"fmt"
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

// BenchmarkSync: the lists of an account with a thousand contacts, all in a group.
func BenchmarkSync(b *testing.B) {
	all := voices()
	s := &exchange.Snapshot{Account: im.Account{Address: im.MustAddress("alice@example.com"), Serial: 12345}, Groups: []im.Group{{ID: 7, Name: "Friends"}}}
	for i := range 1000 {
		s.Entries = append(s.Entries, &im.Entry{
			Who:     im.MustAddress(fmt.Sprintf("i%d@parley.test", i)),
			Side:    im.Side{Contact: true, LastName: "A Friend", Watch: im.WatchGranted, Access: im.AccessLasting, Groups: []im.GroupID{7}},
			Watched: im.WatchGranted, Ours: true, Sees: true, Seen: true,
		})
	}
	for _, d := range []int{2, 7, 8, 12} {
		b.Run(fmt.Sprint("MSNP", d), func(b *testing.B) {
			b.ReportAllocs()
			v := &all[d]
			for b.Loop() {
				k := &known{Snapshot: s, trID: 1}
				v.sync(make([]byte, 0, 256+160*len(k.Entries)), v, k)
			}
		})
	}
}
