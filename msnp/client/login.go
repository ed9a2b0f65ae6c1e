package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"parley/msnp"
	"parley/msnp/wire"
)

// StepError says at which step a login failed: connect, VER, INF, USR I, USR S or XFR.
type StepError struct {
	Step    string
	Address string // of the server
	Err     error
}

// Error names the step and the server.
func (e *StepError) Error() string {
	return fmt.Sprintf("%s at %s: %v", e.Step, e.Address, e.Err)
}

// Unwrap is what lies behind: a msnp.Code where the service refused.
func (e *StepError) Unwrap() error { return e.Err }

// ErrDialect: client and service have no dialect in common.
var ErrDialect = errors.New("no dialect in common")

// maxReferrals end a chase from server to server.
const maxReferrals = 5

// Connect logs in: VER, INF and USR, at as many servers as the first one refers to (draft 7.1-7.4). Then the account
// is known but shows nobody anything: Sync and SetState follow. The context bounds the login alone. The error is a
// *StepError; a wrong password or an account that does not exist is msnp.ErrAuthenticationFailed in it.
func Connect(ctx context.Context, cfg Config) (*Client, error) {
	c := prepare(ctx, cfg)
	address := cfg.Address
	for range maxReferrals {
		next, err := c.login(ctx, address)
		if err != nil {
			c.Close()
			return nil, err
		}
		if next == "" {
			return c, nil
		}
		address = next
	}
	c.Close()
	return nil, &StepError{"XFR", address, fmt.Errorf("referred %d times: the servers refer to each other", maxReferrals)}
}

// login logs in at one server. next is where it refers to, "" when the client is in.
func (c *Client) login(ctx context.Context, address string) (next string, err error) {
	n, err := c.dial(ctx, address)
	if err != nil {
		return "", &StepError{"connect", address, err}
	}
	c.mu.Lock()
	c.ns = n
	c.mu.Unlock()
	in := false // of the reader: logged in, so its end is news
	if !c.spawn(func() {
		n.read(func(cmd *wire.Command) bool { return c.serve(n, cmd) })
		if in {
			c.emit(Ended{Err: n.ending()})
		}
	}) {
		n.cut()
		return "", &StepError{"connect", address, ErrClosed}
	}
	step := "VER"
	defer func() {
		if err != nil {
			err = &StepError{step, address, err}
		}
		if err != nil || next != "" {
			n.cut()
		}
	}()
	if err = c.version(ctx, n); err != nil {
		return "", err
	}
	step = "INF"
	r, err := n.do(ctx, request{verb: "INF"})
	if err != nil {
		return "", err
	}
	if !slices.Contains(strings.Split(r.Arg(0), ","), "MD5") {
		return "", fmt.Errorf("the service offers %q, this client knows MD5", r.Arg(0))
	}
	step = "USR I"
	if r, err = n.do(ctx, request{verb: "USR", args: []string{"MD5", "I", c.cfg.Handle}}, "USR", "XFR"); err != nil {
		return "", err
	}
	switch {
	case r.Verb == "XFR":
		step = "XFR"
		if r.Arg(0) != "NS" || r.Arg(1) == "" {
			return "", fmt.Errorf("a referral that leads nowhere: %q", r.Args)
		}
		return r.Arg(1), nil
	case r.Arg(0) != "MD5" || r.Arg(1) != "S" || r.Arg(2) == "":
		return "", fmt.Errorf("no challenge: %q", r.Args)
	}
	step = "USR S"
	return "", n.ask(ctx, request{verb: "USR", args: []string{"MD5", "S", c.cfg.Password.MD5Response(r.Arg(2))}},
		func(cmd *wire.Command) (bool, error) {
			if cmd.Verb != "USR" || string(cmd.Arg(1)) != "OK" {
				return false, fmt.Errorf("answered by %s %s", cmd.Verb, cmd.Arg(1))
			}
			in = true
			c.mu.Lock()
			c.handle, c.name = string(cmd.Arg(2)), name(cmd.Arg(3))
			c.mu.Unlock()
			return false, nil
		})
}

// version agrees on a dialect: draft 7.1.
func (c *Client) version(ctx context.Context, n *conn) error {
	var offer []string
	for _, d := range c.cfg.Dialects {
		if d < 2 || d > 7 {
			return fmt.Errorf("this client does not speak %s", msnp.DialectName(d))
		}
		offer = append(offer, msnp.DialectName(d))
	}
	return n.ask(ctx, request{verb: "VER", args: offer}, func(cmd *wire.Command) (bool, error) {
		d, ok := msnp.ParseDialect(cmd.Arg(1))
		if cmd.Verb != "VER" || !ok || !slices.Contains(c.cfg.Dialects, d) {
			return false, fmt.Errorf("%w: offered %v, answered by %s %s", ErrDialect, offer, cmd.Verb, cmd.Arg(1))
		}
		n.framing.Dialect = d
		c.mu.Lock()
		c.dialect = d
		c.mu.Unlock()
		return false, nil
	})
}

// name reads a name off the wire; what cannot be decoded is shown as it is.
func name(b []byte) string {
	s, err := msnp.DecodeName(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return s
}
