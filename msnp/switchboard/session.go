package switchboard

import (
	"context"
	"errors"
	"strconv"
	"time"

	"parley/im"
	"parley/msnp"
)

// now is the time of day by which tickets expire.
var now = time.Now

// usr begins a conversation, with the cookie that XFR gave: draft 8.2, dialects 7.1.
func (c *conn) usr(ctx context.Context, r request) error {
	if _, err := c.admit(r, msnp.Open, 0); err != nil {
		return c.turnAway(r, err)
	}
	seat, err := c.s.Exchange.Open(ctx, c.s.place, c.who, c)
	if err != nil {
		return c.turnAway(r, err)
	}
	c.seat, c.state = seat, seated
	c.LoggedIn()
	c.Reply("USR", r.trID, "OK", c.who.String(), msnp.FitName(seat.Name()))
	return nil
}

// ans takes the seat that RNG offered: who is there comes first, then what waited. draft 8.4
func (c *conn) ans(ctx context.Context, r request) error {
	id, err := strconv.ParseInt(string(r.Arg(3)), 10, 64)
	if err != nil {
		return c.turnAway(r, im.ErrNotInvited)
	}
	t, err := c.admit(r, msnp.Answer, id)
	if err != nil {
		return c.turnAway(r, err)
	}
	seat, there, err := c.s.Exchange.Join(c.s.place, t.Conversation, c.who, c)
	if err != nil {
		return c.turnAway(r, err)
	}
	c.seat, c.state = seat, seated
	c.LoggedIn()
	total := 0
	for _, m := range there {
		if msnp.ValidHandle(m.Who.String()) {
			total++
		}
	}
	i := 0
	for _, m := range there {
		if msnp.ValidHandle(m.Who.String()) {
			i++
			c.Queue(c.say().there(r.trID, i, total, &m))
		}
	}
	c.Reply("ANS", r.trID, "OK")
	seat.Ready()
	return nil
}

// admit checks the ticket that a connection presents: signed by us, for this switchboard and this
// handle and conversation, of this kind, not expired, not used before. draft 8.2, 8.4
func (c *conn) admit(r request, kind msnp.TicketKind, conversation int64) (msnp.Ticket, error) {
	who, err := im.ParseAddressBytes(r.Arg(1))
	if err != nil {
		return msnp.Ticket{}, msnp.ErrAuthenticationFailed
	}
	t, err := c.s.Signer.Verify(string(r.Arg(2)), now())
	switch {
	case err != nil:
		return t, err
	case t.Kind != kind, t.Conversation != conversation, t.Switchboard != c.s.ID, t.Handle != who.String(),
		!c.s.used.Use(t, now()): // the last: a mistake does not use the ticket up
		return t, msnp.ErrAuthenticationFailed
	}
	c.who = who
	c.abilities = t.Abilities
	c.SetDialect(t.Dialect)
	return t, nil
}

// turnAway answers a connection that may not sit down, and closes it.
func (c *conn) turnAway(r request, err error) error {
	c.Refuse(r.Command, err)
	c.Hangup("")
	return nil
}

// callPause is how long calls are refused after too many that failed.
const callPause = 10 * time.Second

// cal invites somebody: draft 8.3, dialects 7.2.
func (c *conn) cal(ctx context.Context, r request) error {
	h := r.Arg(1)
	who, err := im.ParseAddressBytes(h)
	if err != nil || who.IsDomain() || !msnp.ValidHandle(string(h)) {
		return msnp.ErrInvalidUsername
	}
	if c.s.FailedCalls > 0 && c.calls >= c.s.FailedCalls {
		if now().Before(c.again) {
			c.Hit("failed_calls")
			return msnp.ErrTooActive
		}
		c.calls = 0
	}
	c.Flush()
	err = c.seat.Call(ctx, who, func() {
		c.Reply("CAL", r.trID, "RINGING", strconv.FormatInt(c.seat.Conversation(), 10))
	})
	if errors.Is(err, im.ErrAbsent) {
		c.calls++
		c.again = now().Add(callPause)
	} else {
		c.calls = 0
	}
	return err
}

// out leaves the conversation: draft 8.6.
func (c *conn) out(context.Context, request) error {
	if c.seat != nil {
		c.seat.Leave() // not only when the client has closed, too
	}
	c.Hangup("")
	return nil
}

// png is answered as on the notification server: dialects 7.4.
func (c *conn) png(context.Context, request) error {
	c.Queue([]byte("QNG\r\n"))
	return nil
}
