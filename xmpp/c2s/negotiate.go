package c2s

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"parley/credential"
	"parley/exchange"
	"parley/im"
	"parley/metrics"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/sasl"
	"parley/xmpp/wire"
)

// header answers a stream's header with our own and what may be negotiated next: RFC 6120 4.2, 4.3.2, 4.3.3, 4.3.4, 4.7.
// A header that is wrong gets an answer all the same, from one of our domains: RFC 6120 4.9.1.2, 4.9.1.3.
func (c *conn) header(n xmltext.Node) {
	h, wrong := c.ReadHeader(n)
	domain := c.domain
	to, err := xmpp.ParseJID(h.To)
	switch ours := err == nil && to.Bare.IsDomain() && to.Resource == "" && c.s.Exchange.Ours(to.Bare.Domain()); {
	case ours && (domain == "" || domain == to.Bare.Domain()):
		domain = to.Bare.Domain()
	case wrong == nil: // RFC 6120 4.9.3.6
		wrong = &xmpp.StreamError{Condition: xmpp.StreamHostUnknown}
	}
	if domain == "" {
		domain = c.s.Exchange.Domain()
	}
	c.Lang = h.Lang
	c.claimed = im.Address{}
	if from, err := xmpp.ParseJID(h.From); err == nil && c.TLS() != nil {
		c.claimed = from.Bare
	}
	c.OpenHeader(domain, h)
	if wrong == nil && c.crowded { // RFC 6120 4.9.3.17
		wrong = &xmpp.StreamError{Condition: xmpp.StreamResourceConstraint}
	}
	if wrong != nil {
		c.Fail(wrong)
		return
	}
	c.domain = domain
	if c.state == fresh {
		c.state = asked
	} else {
		c.state = ready
	}
	c.Queue(c.appendFeatures(nil))
}

// open reports whether words and passwords may go over the connection as it is: RFC 6120 5.2, 13.4, 13.6; RFC 7590 3.1.
func (c *conn) open() bool { return c.TLS() != nil || c.role.plain }

// appendFeatures appends what may be negotiated next: TLS, then SASL, then a resource. RFC 6120 4.3.2, 5.3.4, 6.3.1, 7.2,
// 7.3.1, 7.4, 13.3, 13.8.1. While TLS is required nothing else is offered: RFC 6120 5.3.1, 6.3.4.
func (c *conn) appendFeatures(dst []byte) []byte {
	b := xmltext.Build(dst)
	b.Start("stream:features")
	if c.state == ready {
		b.Start("bind").Attr("xmlns", wire.NSBind).End()
		b.Start("session").Attr("xmlns", wire.NSSession).Start("optional").End().End() // RFC 3921 3; RFC 6121 1.4
		b.Start("ver").Attr("xmlns", wire.NSRosterVer).End()                           // RFC 6121 2.6.1
		b.Start("sub").Attr("xmlns", wire.NSPreApprove).End()                          // RFC 6121 3.4.1
		b.Raw(c.s.appendCaps(nil))
		return b.Bytes()
	}
	if c.TLS() == nil && c.s.TLS != nil {
		b.Start("starttls").Attr("xmlns", wire.NSTLS) // RFC 6120 5.4.1
		if !c.open() {
			b.Start("required").End()
		}
		b.End()
	}
	if !c.open() {
		return b.Bytes()
	}
	b.Start("mechanisms").Attr("xmlns", wire.NSSASL) // RFC 6120 6.4.1
	for _, m := range sasl.Offer(sasl.Config{PLAIN: true, Binding: c.binding()}) {
		b.Start("mechanism").Text(m).End()
	}
	b.End()
	if types := c.binding().Types(); len(types) > 0 { // XEP-0440 2
		b.Start("sasl-channel-binding").Attr("xmlns", wire.NSSASLCB)
		for _, t := range types {
			b.Start("channel-binding").Attr("type", t).End()
		}
		b.End()
	}
	if c.s.Config.Config.XMPP.Registration { // XEP-0077 8
		b.Start("register").Attr("xmlns", wire.NSRegistering).End()
	}
	return b.Bytes()
}

// starttls goes over to TLS, and then the stream begins anew: RFC 6120 5.3.2, 5.4.2.1, 5.4.2.3, 5.4.3.3. Its answer ends with the last byte of <proceed/>, and the next
// is TLS's: RFC 6120 5.3.3. What came with it in plain text is refused.
func (c *conn) starttls(n xmltext.Node) {
	if c.TLS() != nil || c.s.TLS == nil {
		c.Queue([]byte("<failure xmlns='" + wire.NSTLS + "'/>")) // RFC 6120 5.4.2.2
		c.Fail(nil)
		return
	}
	if !c.Restart() {
		c.Fail(&xmpp.StreamError{Condition: xmpp.StreamPolicyViolation, Text: "wait for <proceed/> before TLS begins"})
		return
	}
	c.Queue([]byte("<proceed xmlns='" + wire.NSTLS + "'/>"))
	c.Flush()
	if c.secure() {
		c.state, c.domain = fresh, ""
	}
}

// secure shakes hands as RFC 6120 5.4.3.1 has it, with the one certificate, which names all domains. False: it did not
// come to that, and the connection is over, without a word: RFC 6120 5.4.3.2.
//
// Deviates from RFC 6120 5.4.3.1: no client is asked for a certificate, for nobody logs in with one.
func (c *conn) secure() bool {
	c.leaf = c.s.Leaf()
	err := c.StartTLS(c.s.TLS, c.s.shared.LoginTime)
	if err != nil {
		c.s.shared.Log.Info("no TLS", "remote", c.RemoteAddr(), "err", err)
		c.Close()
	}
	return err == nil
}

// login makes what a client logs in with on the connection as it is. RFC 6120 6.2, 13.5
func (c *conn) login() *sasl.Server {
	cfg := sasl.Config{NeedTLS: !c.open(), PLAIN: c.open(), Binding: c.binding(), Vault: c.s.Vault, Lookup: c.keys}
	cfg.Account = func(user string) string {
		if who, err := c.account(user); err == nil {
			return who.String()
		}
		return ""
	}
	return sasl.NewServer(cfg, c.domain)
}

func (c *conn) binding() sasl.Binding {
	cs := c.TLS()
	if cs == nil {
		return sasl.Binding{}
	}
	return sasl.Bind(cs, c.leaf)
}

// keys finds the keys that a login is checked with. An account that may not log in now looks like one that is not there:
// RFC 6120 6.5.2, 13.11.
func (c *conn) keys(ctx context.Context, user string) (credential.Keys, error) {
	who, err := c.account(user)
	if err != nil {
		return credential.Keys{}, err
	}
	acct, err := c.s.Exchange.Identify(ctx, who)
	switch {
	case errors.Is(err, im.ErrUnknownUser), errors.Is(err, im.ErrDisabled):
		return credential.Keys{}, err
	case err != nil:
		return credential.Keys{}, fmt.Errorf("%w: %w", sasl.ErrTemporary, err)
	}
	return credential.UnmarshalKeys(acct.Keys)
}

// account is the address of somebody who logs in, by its local part or whole, on the domain that the stream is for: there
// are no realms. RFC 6120 6.3.7, 6.3.9
func (c *conn) account(user string) (im.Address, error) {
	if !strings.Contains(user, "@") {
		user += "@" + c.domain
	}
	who, err := im.ParseAddress(user)
	if err == nil && who.Domain() != c.domain {
		err = im.ErrUnknownUser
	}
	return who, err
}

// authenticate begins SASL, with an initial response or without: RFC 6120 6.3.10, 6.4.2.
func (c *conn) authenticate(n xmltext.Node) {
	if c.auth == nil {
		c.auth = c.login()
	}
	mechanism, _ := n.Attr("", "mechanism")
	data, given, fail := sasl.Decode(n.Text())
	if fail != "" {
		c.proceed(sasl.Result{Fail: fail})
		return
	}
	c.proceed(c.auth.Start(c.ctx, string(mechanism), data, given))
}

// response goes on with SASL: RFC 6120 6.4.3.
func (c *conn) response(n xmltext.Node) {
	if c.auth == nil {
		c.auth = c.login()
	}
	data, _, fail := sasl.Decode(n.Text())
	if fail != "" {
		c.proceed(sasl.Result{Fail: fail})
		return
	}
	c.proceed(c.auth.Step(c.ctx, data))
}

// abort gives an authentication up: RFC 6120 6.4.4, 6.5.1.
func (c *conn) abort(xmltext.Node) {
	if c.auth == nil {
		c.auth = c.login()
	}
	c.proceed(c.auth.Abort())
}

// proceed says what a step of SASL led to: RFC 6120 6.4.
func (c *conn) proceed(r sasl.Result) {
	switch {
	case r.Fail != "":
		c.failed(r)
	case !r.Success:
		c.say("challenge", r.Challenge)
	default:
		c.succeeded(r)
	}
}

// say queues a SASL element with data. RFC 6120 6.3.5, 6.3.10, 6.4.3, 6.4.6
func (c *conn) say(name string, data []byte) {
	b := append(make([]byte, 0, 64+2*len(data)), '<')
	b = append(append(b, name...), " xmlns='"+wire.NSSASL+"'>"...)
	b = sasl.AppendData(b, data)
	c.Queue(append(append(append(b, "</"...), name...), '>'))
}

// failed tells that SASL failed: RFC 6120 6.4.5. Failures look alike, whoever exists.
func (c *conn) failed(r sasl.Result) {
	c.s.shared.Log.Info("login failed", "remote", c.RemoteAddr(), "failure", string(r.Fail), "cause", r.Cause)
	if r.Fail == sasl.TemporaryFailure {
		c.s.counters.Login(metrics.LoginFailed)
	} else {
		c.s.counters.Login(metrics.LoginWrong)
	}
	if r.Tried != "" {
		if who, err := c.account(r.Tried); err == nil {
			c.s.Strangers.Failures.Fail(who.String(), c.Remote)
		}
	}
	c.Queue([]byte("<failure xmlns='" + wire.NSSASL + "'><" + string(r.Fail) + "/></failure>"))
	if r.Tried == "" {
		c.odd++ // no guess: a client looks for a mechanism that it can do here
	} else {
		c.tries++
	}
	if most := c.s.Config.Config.XMPP.LoginTries; c.tries >= most || c.odd >= 4*most {
		c.Hit("login_tries")
		c.Fail(&xmpp.StreamError{Condition: xmpp.StreamPolicyViolation, Text: "too many failed logins"})
	}
}

// succeeded ends SASL: the stream begins anew. RFC 6120 6.3.2, 6.4.6. The right password is no use to an account or a network
// that has failed too often.
func (c *conn) succeeded(r sasl.Result) {
	who, err := c.account(r.User)
	if err != nil {
		c.failed(sasl.Result{Fail: sasl.NotAuthorized, Cause: "no account"})
		return
	}
	account := who.String()
	if !c.s.Strangers.Failures.Allowed(account, c.Remote) || !c.s.Strangers.Failures.Succeed(account, c.Remote) {
		c.s.counters.Login(metrics.LoginLimited)
		c.failed(sasl.Result{Fail: sasl.NotAuthorized, Cause: "too many failures"})
		return
	}
	if !c.claimed.IsZero() && c.claimed != who { // RFC 6120 6.4.6
		c.Fail(&xmpp.StreamError{Condition: xmpp.StreamInvalidFrom, Text: "the stream said that it was from somebody else"})
		return
	}
	c.auth = nil
	c.jid = xmpp.JID{Bare: who}
	if !c.Restart() {
		c.Fail(&xmpp.StreamError{Condition: xmpp.StreamPolicyViolation, Text: "wait for <success/> before the new stream begins"})
		return
	}
	c.say("success", r.Additional)
	c.state = proven
}

// reserved are resources that stand for sessions of other protocols: no client may bind them.
var reserved = []string{mobile}

// mobile is the resource under which XMPP sees the one session that MSNP allows an account.
const mobile = "MSN"

// bindTries is how often a client may ask for a resource in vain.
const bindTries = 8

// bind gives the session its resource. Who asks too often in vain is sent away, RFC 6120 7.7.3; one resource is all that
// a stream has, and with it the stream goes on as it is: RFC 6120 7.3.2, 7.6.2.2.
//
// Deviates from RFC 6120 7.7.3: how often is not the operator's to set.
func (c *conn) bind(ctx context.Context, r *request) error {
	if c.client != nil {
		return xmpp.Refuse(xmpp.NotAllowed, "")
	}
	err := c.bindResource(ctx, r)
	if err == nil {
		return nil
	}
	if c.binds++; c.binds < bindTries {
		return err
	}
	c.refuse(&r.Stanza, err)
	c.Fail(&xmpp.StreamError{Condition: xmpp.StreamPolicyViolation, Text: "too many attempts at a resource"})
	return nil
}

// bindResource takes the resource that is asked for, if it may be had, or makes one, and the session's address with it:
// RFC 6120 4.3.6, 7.1, 7.5, 7.6.1, 7.6.2.2, 7.7.1. An older session of the same resource ends: RFC 6120 7.7.2.2.
func (c *conn) bindResource(ctx context.Context, r *request) error {
	resource := string(r.payload.Child(wire.NSBind, "resource").Text())
	if resource != "" {
		var err error
		if resource, err = xmpp.ParseResource(resource); err != nil {
			return xmpp.Refuse(xmpp.BadRequest, "the resource is none") // RFC 6120 7.7.2.1
		}
	}
	for _, n := range reserved {
		if resource == n {
			resource = ""
		}
	}
	if resource == "" {
		var id [8]byte
		rand.Read(id[:])
		resource = hex.EncodeToString(id[:])
	}
	others := slices.DeleteFunc(c.s.Exchange.Sessions(c.jid.Bare), func(o exchange.SessionInfo) bool { return o.Slot == resource })
	if len(others) >= c.s.Config.Config.Limits.Sessions {
		c.Hit("sessions")
		return &xmpp.Error{Condition: xmpp.ResourceConstraint} // RFC 6120 7.6.2.1
	}
	c.jid.Resource = resource
	c.full = c.jid.String()
	c.shown = "none"
	client, err := c.s.Exchange.Attach(ctx, c.jid.Bare, exchange.Login{Door: "xmpp", Slot: resource, Abilities: exchange.Direct,
		Remote: c.RemoteAddr(), Presence: im.DefaultAsk, Own: true, Inbound: true}, c)
	if err != nil {
		c.jid.Resource, c.full = "", ""
		c.s.counters.Login(metrics.LoginFailed)
		if errors.Is(err, im.ErrDisabled) || errors.Is(err, im.ErrUnknownUser) { // since the login: RFC 6120 7.6.2.2
			return xmpp.Refuse(xmpp.NotAllowed, "")
		}
		return err
	}
	c.client, c.state = client, bound
	c.LoggedIn()
	c.SetSleeper(c)
	c.s.mu.Lock()
	c.s.sessions[c] = struct{}{}
	c.s.mu.Unlock()
	c.s.counters.Login(metrics.LoginOK)
	c.s.counters.Enter(c.shown)
	c.s.shared.Log.Info("logged in", "who", c.full, "remote", c.RemoteAddr(), "tls", c.TLS() != nil)
	b := xmltext.Build(nil)
	b.Start("bind").Attr("xmlns", wire.NSBind).Start("jid").Text(c.full)
	c.tell(func() { c.result(r, b.Bytes()) })
	return nil
}

// establish answers the session request of RFC 3921 3, which means nothing any more.
func (c *conn) establish(_ context.Context, r *request) error {
	c.result(r, nil)
	return nil
}
