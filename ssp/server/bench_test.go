package server

import (
	"strconv"
	"testing"
	"time"

	"parley/exchange"
	"parley/im"
)

// BenchmarkMessages: words between two services in one process, many under way; the users are a hundred.
func BenchmarkMessages(b *testing.B) {
	names := make([]string, 50)
	for i := range names {
		names[i] = "u" + strconv.Itoa(i)
	}
	verona, mantua := newDomain(b, "verona.example", names...), newDomain(b, "mantua.example", names...)
	join(b, verona, mantua)
	for _, d := range []*domain{verona, mantua} {
		p, _ := d.known.Peer(map[*domain]string{verona: mantua.name, mantua: verona.name}[d])
		p.Together = 64
	}
	from := make([]*resident, len(names))
	for i, n := range names {
		from[i] = verona.login(n)
		from[i].quiet = true
		mantua.login(n).quiet = true
	}
	under := make(chan struct{}, 200)
	done := make(chan error, 200)
	b.ReportAllocs()
	b.ResetTimer()
	go func() { // ends with the last message
		for i := range b.N {
			under <- struct{}{}
			r := from[i%len(from)]
			var batch exchange.Batch
			verona.x.Send(b.Context(), &batch, &im.Message{From: r.who, FromSlot: "home", To: im.MustAddress(names[i%len(names)] + "@mantua.example"),
				Time: time.Now(), Kind: im.Words, Native: im.Native{Door: "xmpp", Body: []byte("x")},
				Neutralise: func() im.Neutral { return im.Neutral{Text: im.NewText("hello, how are you? fine, thanks, and you?")} }},
				func(err error) { <-under; done <- err })
			batch.Flush()
		}
	}()
	for range b.N {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}
