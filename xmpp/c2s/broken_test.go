package c2s

import (
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"parley/listen"
	"parley/metrics"
	"parley/xmpp/stream"
	"parley/xmpp/wire"
)

// TestFaultOfOurs: a fault ends one stream, with a word, and nothing else. RFC 6120 4.9.1.1, 4.9.3.8.
func TestFaultOfOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		s := &Server{shared: &stream.Shared{Shared: listen.Shared{Limits: listen.Limits{Queue: 1 << 20}, Log: slog.New(slog.DiscardHandler)}}}
		s.counters = metrics.New().Door("xmpp", states, s.tables())
		over := false
		c := &conn{s: s, ctx: t.Context(), state: fresh}
		c.Stream = stream.New(server, s.shared, func() {}, func() { over = true })
		ended := make(chan struct{})
		go func() { // ends with the connection
			defer close(ended)
			c.Wake() // there is no exchange: whoever asks it falls
		}()
		go io.WriteString(client, "<stream:stream to='example.com' version='1.0' xmlns='"+wire.NSClient+"' xmlns:stream='"+wire.NSStream+"'>") // ends when it is read
		heard, err := io.ReadAll(client)
		if err != nil {
			t.Fatal(err)
		}
		<-ended
		if got := string(heard); !strings.Contains(got, "<stream:stream ") ||
			!strings.HasSuffix(got, "<stream:error><internal-server-error xmlns='"+wire.NSStreams+"'/></stream:error></stream:stream>") {
			t.Error(got)
		}
		if !over {
			t.Error("the connection is not over")
		}
	})
}
