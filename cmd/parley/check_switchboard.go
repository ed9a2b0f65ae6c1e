package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
)

// refusesTickets looks whether a switchboard answers: it refuses a ticket that nobody gave.
// draft 8.2
func refusesTickets(ctx context.Context, addr string) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("it does not answer: %w", err)
	}
	defer c.Close()
	if d, ok := ctx.Deadline(); ok {
		c.SetDeadline(d)
	}
	if _, err := c.Write([]byte("USR 1 nobody@invalid 0\r\n")); err != nil {
		return fmt.Errorf("it takes no command: %w", err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" {
		return fmt.Errorf("it answers nothing: %w", err)
	}
	if line != "911 1" {
		return fmt.Errorf("it answers %q to a ticket that nobody gave, not 911: is that another program?", line)
	}
	return nil
}
