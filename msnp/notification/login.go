package notification

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"parley/credential"
	"parley/exchange"
	"parley/im"
	"parley/metrics"
	"parley/msnp"
	"parley/msnp/wire"
)

// ver agrees on a dialect: draft 7.1, dialects 2.2.
func (c *conn) ver(_ context.Context, r request) error {
	reply, dialect := msnp.Negotiate(r.AppendArgs(nil)[1:], c.s.Dialects)
	c.Reply("VER", r.trID, reply...)
	switch dialect {
	case msnp.NoDialect:
		c.Hangup("")
	case msnp.VersionOnly:
		c.state = cvr0
	default:
		c.SetDialect(dialect)
		c.state = spoken
	}
	return nil
}

// inf names the security package: draft 7.2.
func (c *conn) inf(_ context.Context, r request) error {
	c.Reply("INF", r.trID, "MD5")
	return nil
}

// cvr answers a client's question whether it is too old: it never is. dialects 2.4.
func (c *conn) cvr(_ context.Context, r request) error {
	if r.Len() < 7 {
		c.Refuse(r.Command, msnp.ErrBadClientVersion)
		c.Hangup("")
		return nil
	}
	lcid, version := string(r.Arg(1)), string(r.Arg(6))
	if _, err := strconv.ParseUint(lcid, 0, 16); err != nil || len(lcid) != 6 || lcid[:2] != "0x" {
		return msnp.ErrBadLocale
	}
	page := pageURL(c.s.PublicURL, "/")
	c.Reply(r.Verb, r.trID, version, version, version, page, page)
	return nil
}

// cvq is cvr for a client that shares no dialect with us, and ends there: dialects 2.4.
func (c *conn) cvq(ctx context.Context, r request) error {
	err := c.cvr(ctx, r)
	c.Refuse(r.Command, err)
	c.Hangup("")
	return nil
}

// way is how clients prove who they are.
type way struct {
	name      string                                                          // on the wire
	challenge func(*conn) string                                              // makes what the client has to answer, and keeps of it what it needs
	check     func(c *conn, ctx context.Context, answer []byte) (bool, error) // reports whether the answer is right
	once      bool                                                            // after a wrong answer the connection is closed
}

var (
	byMD5    = way{"MD5", (*conn).challengeMD5, (*conn).checkMD5, false}
	byTicket = way{"TWN", (*conn).policy, (*conn).checkTicket, true}
)

// usr authenticates with MD5 in two steps: draft 7.3, 7.4, dialects 3.1.
func (c *conn) usr(ctx context.Context, r request) error { return c.login(ctx, r, &byMD5) }

// usrTicket authenticates with a ticket that was got elsewhere: dialects 3.2.
func (c *conn) usrTicket(ctx context.Context, r request) error { return c.login(ctx, r, &byTicket) }

func (c *conn) login(ctx context.Context, r request, by *way) error {
	if c.state == online {
		return msnp.ErrAlreadyLogin
	}
	if string(r.Arg(1)) != by.name {
		c.s.Link.Metrics.Login(metrics.LoginWrong)
		c.Refuse(r.Command, msnp.ErrAuthenticationFailed)
		c.Hangup("")
		return nil
	}
	switch string(r.Arg(2)) {
	case "I":
		return c.usrInitiate(r, by)
	case "S":
		return c.usrRespond(ctx, r, by)
	}
	return msnp.ErrInvalidParameter
}

// usrInitiate takes the handle, and challenges it with something new each time: draft 7.3. A
// dispatch server refers instead: draft 7.4.
func (c *conn) usrInitiate(r request, by *way) error {
	h := r.Arg(3)
	if local, domain, ok := strings.Cut(string(h), "@"); ok && local != "" && domain == "" {
		return msnp.ErrFQDNMissing
	}
	if c.role.Busy {
		c.s.Link.Metrics.Login(metrics.LoginLimited)
		c.Refuse(r.Command, msnp.ErrBusy)
		c.Hangup("")
		return nil
	}
	who, err := im.ParseAddressBytes(h)
	if err != nil || who.IsDomain() || !msnp.ValidHandle(string(h)) {
		who = im.Address{} // nobody: looks like any other failure
	}
	if c.role.Refer != nil {
		if to := c.role.Refer(who); to != "" {
			c.say().refer(c, r.trID, to)
		} else {
			c.Refuse(r.Command, msnp.ErrReferralFailed)
		}
		c.Hangup("")
		return nil
	}
	c.who, c.state = who, named
	c.Reply("USR", r.trID, by.name, "S", by.challenge(c))
	return nil
}

func (c *conn) challengeMD5() string {
	c.challenge = credential.NewChallenge()
	return c.challenge
}

// usrRespond checks the answer to the challenge. All failures look alike, and take the same
// work: draft 7.3, dialects 3.1.
func (c *conn) usrRespond(ctx context.Context, r request, by *way) error {
	if c.state != named {
		return msnp.ErrNotExpected
	}
	ok, err := by.check(c, ctx, r.Arg(3))
	if err != nil {
		c.s.Link.Metrics.Login(metrics.LoginFailed)
		return err
	}
	c.challenge, c.state = "", spoken
	if !ok {
		c.s.Link.Log.Info("login failed", "remote", c.RemoteAddr())
		c.Refuse(r.Command, msnp.ErrAuthenticationFailed)
		if c.tries++; c.tries >= c.s.LoginTries {
			c.Hit("login_tries")
			c.Hangup("")
		} else if by.once {
			c.Hangup("")
		}
		return nil
	}
	c.client, err = c.s.Exchange.Attach(ctx, c.who, exchange.Login{Door: "msnp", Slot: msnp.Slot,
		Abilities: exchange.Rings, Remote: c.RemoteAddr(), Presence: im.DefaultAllow}, c)
	if err != nil {
		c.s.Link.Metrics.Login(metrics.LoginFailed)
		return err
	}
	c.LoggedIn()
	c.SetSleeper(c)
	c.state, c.shown = online, "none"
	c.s.Link.Metrics.Login(metrics.LoginOK)
	c.s.Link.Metrics.Enter(c.shown)
	c.s.Link.Log.Info("logged in", "who", c.who.String(), "remote", c.RemoteAddr(), "dialect", c.Dialect())
	c.begin(r.trID)
	return nil
}

// begin is what a client is told that has logged in: draft 7.3, dialects 3.6.
func (c *conn) begin(trID int64) {
	if c.say().groups != nil {
		c.client.WithSnapshot(func(s *exchange.Snapshot) { c.groups = &grouping{list: s.Groups} })
	}
	if c.say().able {
		c.self = &self{}
	}
	c.say().welcome(c, trID)
	from, _ := netip.ParseAddrPort(c.RemoteAddr())
	profile := msnp.ProfilePayload(c.Dialect(), msnp.Profile{Login: now(), Member: c.client.Snapshot().ID, Handle: c.who.String(),
		Auth: rand.Text(), Client: from})
	c.Queue(wire.AppendPayload(nil, "MSG", wire.NoTrID, profile, msnp.SystemSender, msnp.SystemSender))
}

// checkMD5 reports whether the response is the account's. An error is our own trouble.
func (c *conn) checkMD5(ctx context.Context, response []byte) (bool, error) {
	account := c.who.String()
	allowed := c.s.Failures.Allowed(account, c.Remote)
	acct, err := c.s.Exchange.Identify(ctx, c.who)
	switch {
	case errors.Is(err, im.ErrUnknownUser), errors.Is(err, im.ErrDisabled):
		acct.Keys = nil
	case err != nil:
		return false, err
	}
	keys, err := credential.UnmarshalKeys(acct.Keys)
	if err != nil {
		return false, err
	}
	ok := c.s.Vault.CheckMD5(account, keys, c.challenge, response)
	switch {
	case !allowed:
		c.s.Link.Metrics.Login(metrics.LoginLimited)
		return false, nil
	case !ok:
		c.s.Failures.Fail(account, c.Remote)
		c.s.Link.Metrics.Login(metrics.LoginWrong)
		return false, nil
	}
	return c.s.Failures.Succeed(account, c.Remote), nil
}

// out says goodbye: draft 7.10.
func (c *conn) out(context.Context, request) error {
	c.leave() // before the client sees its connection end
	c.Hangup("OUT\r\n")
	return nil
}

// png keeps the connection alive: dialects 9.2.
func (c *conn) png(context.Context, request) error {
	c.Queue([]byte("QNG\r\n"))
	return nil
}

// pngAgain says besides after how many seconds to ask again: dialects 9.2. COMPAT MSN 6.0 to 7.5: one that does not ask is
// not disconnected for it, since no source is sure that all of them obey.
func (c *conn) pngAgain(context.Context, request) error {
	c.Queue([]byte("QNG 60\r\n"))
	return nil
}
