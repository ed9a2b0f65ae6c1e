package main

import (
	"net"
	"os"
	"strings"
)

// notify tells systemd how far the service is, if it was started by a unit of Type=notify:
// "READY=1", "STOPPING=1". Who does not listen misses nothing. sd_notify(3)
func notify(state string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	if abstract, ok := strings.CutPrefix(name, "@"); ok {
		name = "\x00" + abstract
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	c.Write([]byte(state)) // likewise
}
