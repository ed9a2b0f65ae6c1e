package door_test

import (
	"bufio"
	"net"
	"testing"
	"testing/synctest"
)

// TestTunnel: what comes in another way than through a listener reaches the server that it names: dialects 9.6.
func TestTunnel(t *testing.T) {
	keys()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.roles = []string{"ns", "sb"}
		if err := h.start(); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			board      bool
			host       string
			say, heard string
		}{
			{false, "messenger.hotmail.com", "VER 1 MSNP2\r\n", "VER 1 MSNP2\r\n"},
			{true, "127.0.0.1:1863", "CAL 1 bob@example.com\r\n", "302 1\r\n"},
			{true, "chat.example.com:1863", "CAL 2 bob@example.com\r\n", "302 2\r\n"},
			{true, "127.0.0.1", "CAL 3 bob@example.com\r\n", "302 3\r\n"},
		} {
			client, server := net.Pipe()
			h.conns.Go(func() { h.door.Tunnel(h.ctx, server, c.board, c.host) }) // ends with its connection
			if _, err := client.Write([]byte(c.say)); err != nil {
				t.Fatal(err)
			}
			if got, err := bufio.NewReader(client).ReadString('\n'); err != nil || got != c.heard {
				t.Errorf("%s: %q, %v", c.host, got, err)
			}
			client.Close()
		}
	})
}
