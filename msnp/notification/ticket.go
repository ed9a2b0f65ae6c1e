package notification

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strconv"

	"parley/im"
	"parley/metrics"
)

// policy is what a client tells the Passport server that it gets its ticket from, word for word: dialects 3.2. None of
// it is asked for there; it has the form of live ones, in one word.
func (c *conn) policy() string {
	var b [16]byte
	rand.Read(b[:])
	return "lc=1033,id=507,tw=40,fs=1,ru=http%3A%2F%2Fmessenger%2Emsn%2Ecom,ct=" + strconv.FormatInt(now().Unix(), 10) +
		",kpp=1,kv=5,ver=2.1.0173.1,tpf=" + hex.EncodeToString(b[:])
}

// checkTicket reports whether a ticket is good, and that of who was named; all failures look alike. dialects 3.2. An
// error is our own trouble.
func (c *conn) checkTicket(ctx context.Context, ticket []byte) (bool, error) {
	account := c.who.String()
	allowed := c.s.Failures.Allowed(account, c.Remote)
	wrong := c.s.Tickets.Belongs(string(ticket), c.who)
	_, err := c.s.Exchange.Identify(ctx, c.who)
	switch {
	case errors.Is(err, im.ErrUnknownUser), errors.Is(err, im.ErrDisabled): // since it was issued
		wrong = err
	case err != nil:
		return false, err
	}
	switch {
	case !allowed:
		c.s.Link.Metrics.Login(metrics.LoginLimited)
		return false, nil
	case wrong != nil:
		c.s.Failures.Fail(account, c.Remote)
		c.s.Link.Metrics.Login(metrics.LoginWrong)
		return false, nil
	}
	return c.s.Failures.Succeed(account, c.Remote), nil
}
