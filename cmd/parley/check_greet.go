package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"

	"parley/listen"
)

// greets looks whether an MSNP server answers: a version at a listener that logs people in,
// and a refused ticket at one that serves conversations only. draft 7.1, 8.2
func greets(ctx context.Context, u listen.URL) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", u.Addr())
	if err != nil {
		return fmt.Errorf("it does not answer: %w", err)
	}
	defer c.Close()
	if d, ok := ctx.Deadline(); ok {
		c.SetDeadline(d)
	}
	say, want := "VER 0 MSNP2\r\n", "VER 0 MSNP2"
	if u.Scheme == "msnp-switchboard" {
		say, want = "USR 1 nobody@invalid 0\r\n", "911 1"
	}
	if _, err := c.Write([]byte(say)); err != nil {
		return fmt.Errorf("it does not take a command: %w", err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if line = strings.TrimSpace(line); err != nil && line == "" {
		return fmt.Errorf("it does not answer a command: %w", err)
	}
	if line != want {
		return fmt.Errorf("it answers %q to %q: is that another program?", line, strings.TrimSpace(say))
	}
	return nil
}
