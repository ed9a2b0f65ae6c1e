package c2s

import (
	"context"
	"errors"

	"parley/credential"
	"parley/im"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// handler serves a query.
type handler = func(*conn, context.Context, *request) error

// oldStyle has errors carry the codes that there were before conditions, too, which clients of registration know: XEP-0077 9.
func oldStyle(serve handler) handler {
	return func(c *conn, ctx context.Context, r *request) error { return coded(serve(c, ctx, r)) }
}

// codes are those of the conditions that registration can meet: XEP-0077 9.
var codes = map[xmpp.Condition]int{
	xmpp.BadRequest: 400, xmpp.NotAuthorized: 401, xmpp.Forbidden: 403, xmpp.ItemNotFound: 404, xmpp.NotAllowed: 405,
	xmpp.NotAcceptable: 406, xmpp.Conflict: 409, xmpp.UnexpectedRequest: 400, xmpp.InternalServerError: 500,
	xmpp.ResourceConstraint: 500, xmpp.ServiceUnavailable: 503,
}

func coded(err error) error {
	if err == nil {
		return nil
	}
	e := *xmpp.ErrorOf(err)
	e.Code = codes[e.Condition]
	return errors.Join(&e, err) // the log shows what it was
}

// registerAsk says what a stranger must give for an account: XEP-0077 3.1, 3.1.1.
func (c *conn) registerAsk(_ context.Context, r *request) error {
	if err := c.mayRegister(r); err != nil {
		return err
	}
	b := xmltext.Build(nil)
	b.Start("query").Attr("xmlns", wire.NSRegister)
	b.Start("instructions").Text("Choose a username and a password.").End().Start("username").End().Start("password").End()
	c.result(r, b.Bytes())
	return nil
}

// mayRegister refuses strangers where they cannot have accounts, and where others could read along: XEP-0077 3.1.1, 11.
func (c *conn) mayRegister(r *request) error {
	switch {
	case !c.s.Config.Config.XMPP.Registration, !r.to.IsZero() && (r.to.IsFull() || r.to.Bare.String() != c.domain):
		return xmpp.Refuse(xmpp.ServiceUnavailable, "")
	case !c.open():
		return xmpp.Refuse(xmpp.NotAuthorized, "begin with TLS")
	}
	return nil
}

// register makes an account for a stranger, who can then log in on the same stream: XEP-0077 3.1.1. Each network gets so
// many an hour; and whoever tries out which addresses are taken is soon sent away.
func (c *conn) register(ctx context.Context, r *request) error {
	if err := c.mayRegister(r); err != nil {
		return err
	}
	if r.payload.Child(wire.NSRegister, "remove").Ok() { // XEP-0077 3.2
		return xmpp.Refuse(xmpp.UnexpectedRequest, "log in first")
	}
	username, password := given(r)
	if username == "" || password == "" {
		return xmpp.Refuse(xmpp.NotAcceptable, "a username and a password are needed")
	}
	who, err := im.ParseAddress(username + "@" + c.domain)
	if err != nil || who.IsDomain() {
		return xmpp.Refuse(xmpp.NotAcceptable, "this username cannot be had: take letters and digits")
	}
	if err := credential.Check(credential.NewSecret(password)); err != nil {
		return xmpp.Refuse(xmpp.NotAcceptable, err.Error())
	}
	c.Flush()
	if !c.s.registrations.Take(c.Remote) {
		return xmpp.Refuse(xmpp.ResourceConstraint, "too many accounts were made from this network; try again in an hour")
	}
	keys, err := c.s.Vault.Set(who.String(), credential.NewSecret(password), c.s.Config.Config.Credential.KeepPassword)
	if err == nil {
		err = c.s.Exchange.CreateAccount(ctx, im.Account{Address: who, Keys: keys.Marshal()})
	}
	if err != nil {
		c.s.registrations.GiveBack(c.Remote)
	}
	switch {
	case errors.Is(err, im.ErrAlready), errors.Is(err, im.ErrHeld):
		if c.tries++; c.tries >= c.s.Config.Config.XMPP.LoginTries {
			c.Hit("login_tries")
			c.refuse(&r.Stanza, coded(&xmpp.Error{Condition: xmpp.Conflict}))
			c.Fail(&xmpp.StreamError{Condition: xmpp.StreamPolicyViolation, Text: "too many usernames that are taken"})
			return nil
		}
		return &xmpp.Error{Condition: xmpp.Conflict, Text: "this username is taken"}
	case errors.Is(err, im.ErrBadAddress):
		return xmpp.Refuse(xmpp.NotAcceptable, "this username cannot be had")
	case err != nil:
		return err
	}
	c.s.shared.Log.Info("registered", "who", who.String(), "remote", c.RemoteAddr())
	c.result(r, nil)
	return nil
}

// given is the username and the password in a query.
func given(r *request) (username, password string) {
	return string(r.payload.Child(wire.NSRegister, "username").Text()), string(r.payload.Child(wire.NSRegister, "password").Text())
}

// registered tells somebody that they have an account: XEP-0077 3.1. The password is not told.
func (c *conn) registered(_ context.Context, r *request) error {
	b := xmltext.Build(nil)
	b.Start("query").Attr("xmlns", wire.NSRegister)
	b.Start("registered").End().Start("username").Text(c.jid.Bare.Local()).End().Start("password").End()
	c.result(r, b.Bytes())
	return nil
}

// reregister changes the password of one's account, or removes it: XEP-0077 3.2, 3.3. Other sessions go on with the old
// password until they end.
func (c *conn) reregister(ctx context.Context, r *request) error {
	if remove := r.payload.Child(wire.NSRegister, "remove"); remove.Ok() {
		if r.payload.FirstChild() != remove || remove.Next().Ok() { // XEP-0077 3.2
			return xmpp.Refuse(xmpp.BadRequest, "<remove/> stands alone")
		}
		return c.unregister(ctx, r)
	}
	username, password := given(r)
	if username == "" || password == "" { // XEP-0077 3.3: the password stays
		return xmpp.Refuse(xmpp.BadRequest, "a username and a password are needed")
	}
	if who, err := im.ParseAddress(username + "@" + c.domain); err != nil || who != c.jid.Bare {
		return xmpp.Refuse(xmpp.NotAllowed, "the username stays as it is")
	}
	keys, err := c.s.Vault.Set(c.jid.Bare.String(), credential.NewSecret(password), c.s.Config.Config.Credential.KeepPassword)
	if err != nil {
		return xmpp.Refuse(xmpp.NotAcceptable, err.Error())
	}
	c.Flush()
	if err := c.s.Exchange.SetKeys(ctx, c.jid.Bare, keys.Marshal()); err != nil {
		return err
	}
	c.s.shared.Log.Info("password changed", "who", c.full, "remote", c.RemoteAddr())
	c.result(r, nil)
	return nil
}

// unregister removes the account. The answer is the last that its session hears, as the removal ends it: XEP-0077 3.2.
func (c *conn) unregister(ctx context.Context, r *request) error {
	answer := wire.AppendReply(nil, &r.Stanza, "result", c.answerer(&r.Stanza), nil)
	c.session.farewell.Store(&answer)
	c.Flush()
	if err := c.s.Exchange.RemoveAccount(ctx, c.jid.Bare); err != nil {
		c.session.farewell.Store(nil)
		return err
	}
	c.s.shared.Log.Info("account removed by its owner", "who", c.full, "remote", c.RemoteAddr())
	return nil
}
