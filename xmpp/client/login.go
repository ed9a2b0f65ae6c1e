package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"parley/xmltext"
	"parley/xmpp/sasl"
	"parley/xmpp/wire"
)

// login makes the stream ready for stanzas.
func (c *Client) login(ctx context.Context) (err error) {
	step := "connect"
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.Timeout, fmt.Errorf("%w (%v)", ErrTimeout, c.cfg.Timeout))
	defer cancel()
	var raw net.Conn
	defer func() {
		if err == nil {
			return
		}
		if raw != nil {
			raw.Close()
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		err = &StepError{step, c.cfg.Address, err}
	}()
	if raw, err = c.cfg.Dial(ctx, c.cfg.Address); err != nil {
		return err
	}
	broke := context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !broke() && err == nil {
			err = context.Cause(ctx)
		}
	}()
	nc := raw
	if c.cfg.Security == DirectTLS {
		step = "TLS"
		t := c.cfg.TLS.Clone()
		t.NextProtos = []string{"xmpp-client"} // XEP-0368 3
		if nc, err = secure(ctx, raw, t); err != nil {
			return err
		}
	}
	n := newConn(nc, c.cfg.Timeout)
	c.conn = n
	step = "stream"
	features, err := n.open(c.cfg.Domain)
	if err != nil {
		return err
	}
	if c.cfg.Security == StartTLS {
		step = "TLS"
		if n, err = c.starttls(ctx, raw, features); err != nil {
			return err
		}
		c.conn = n
		if features, err = n.open(c.cfg.Domain); err != nil {
			return err
		}
	}
	step = "SASL"
	if err = c.authenticate(n, features); err != nil {
		return err
	}
	n.scan.Reset()
	if features, err = n.open(c.cfg.Domain); err != nil {
		return err
	}
	n.features = copied(features)
	step = "bind"
	return c.bind(n, features)
}

// secure is TLS over a connection.
func secure(ctx context.Context, raw net.Conn, cfg *tls.Config) (net.Conn, error) {
	t := tls.Client(raw, cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return t, nil
}

// open begins a stream and reads the features: RFC 6120 4.2, 4.3.
func (c *conn) open(domain string) (xmltext.Node, error) {
	c.stream.Consume(c.used)
	c.used = 0
	for p := c.stream.Pending(); len(p) > 0 && strings.IndexByte(" \t\r\n", p[0]) >= 0; p = c.stream.Pending() {
		c.stream.Consume(1) // nothing may stand before the declaration
	}
	if err := c.write([]byte("<?xml version='1.0'?><stream:stream" + given("to", domain) +
		" version='1.0' xml:lang='en' xmlns='" + wire.NSClient + "' xmlns:stream='" + wire.NSStream + "'>")); err != nil {
		return xmltext.Node{}, err
	}
	e, err := c.next()
	if err != nil {
		return xmltext.Node{}, err
	}
	if e != xmltext.Header || !c.doc.Root().Is(wire.NSStream, "stream") {
		return xmltext.Node{}, errors.New("the other side does not speak XMPP")
	}
	n, err := c.element()
	if err != nil {
		return xmltext.Node{}, err
	}
	if !n.Is(wire.NSStream, "features") {
		return xmltext.Node{}, fmt.Errorf("no stream features, but %s", n.Local())
	}
	return n, nil
}

// starttls goes on with TLS: RFC 6120 5.4.
func (c *Client) starttls(ctx context.Context, raw net.Conn, features xmltext.Node) (*conn, error) {
	n := c.conn
	if !features.Child(wire.NSTLS, "starttls").Ok() {
		return nil, errors.New("the service offers no TLS")
	}
	if err := n.write([]byte("<starttls xmlns='" + wire.NSTLS + "'/>")); err != nil {
		return nil, err
	}
	e, err := n.element()
	if err != nil {
		return nil, err
	}
	if !e.Is(wire.NSTLS, "proceed") {
		return nil, fmt.Errorf("the service refuses TLS: %s", e.Local())
	}
	if len(n.stream.Pending()) != n.used {
		return nil, errors.New("the service said more than that TLS may begin") // injected: RFC 6120 5.4.3.3
	}
	t, err := secure(ctx, raw, c.cfg.TLS)
	if err != nil {
		return nil, err
	}
	return newConn(t, c.cfg.Timeout), nil
}

// authenticate proves who logs in: RFC 6120 6.4.
func (c *Client) authenticate(n *conn, features xmltext.Node) error {
	var offered, bindings []string
	for m := range features.Child(wire.NSSASL, "mechanisms").Children() {
		if m.Is(wire.NSSASL, "mechanism") {
			offered = append(offered, strings.TrimSpace(string(m.Text())))
		}
	}
	for b := range features.Child(wire.NSSASLCB, "sasl-channel-binding").Children() { // XEP-0440 2
		bindings = append(bindings, attr(b, "type"))
	}
	p, err := c.proof(n, offered, bindings)
	if err != nil {
		return err
	}
	first, err := p.Initial()
	if err != nil {
		return err
	}
	if err := n.write([]byte("<auth xmlns='" + wire.NSSASL + "' mechanism='" + n.mechanism + "'>" + encoded(first) + "</auth>")); err != nil {
		return err
	}
	var data, last []byte // last: what is verified, which some services send as a challenge
	for {
		e, err := n.element()
		if err != nil {
			return err
		}
		if e.Is(wire.NSSASL, "failure") {
			f := &SASLError{}
			f.Condition, f.Text, _ = condition(e, wire.NSSASL)
			return f
		}
		if data, err = decoded(string(e.Text())); err != nil {
			return err
		}
		switch {
		case e.Is(wire.NSSASL, "success"):
			if len(data) == 0 {
				data = last
			}
			return p.Verify(data)
		case !e.Is(wire.NSSASL, "challenge"):
			return fmt.Errorf("%s instead of a challenge", e.Local())
		}
		answer := []byte(nil)
		if bytes.HasPrefix(data, []byte("v=")) {
			last = data
		} else if answer, err = p.Respond(data); err != nil {
			n.write([]byte("<abort xmlns='" + wire.NSSASL + "'/>"))
			return err
		}
		if err := n.write([]byte("<response xmlns='" + wire.NSSASL + "'>" + encoded(answer) + "</response>")); err != nil {
			return err
		}
	}
}

// proof takes the mechanism, the strongest in common: RFC 6120 6.3.3.
func (c *Client) proof(n *conn, offered, bindings []string) (*sasl.Client, error) {
	var b sasl.Binding
	if t, ok := n.stream.Conn().(*tls.Conn); ok {
		state := t.ConnectionState()
		b = sasl.Bind(&state, state.PeerCertificates[0]).Only(bindings)
	}
	if len(offered) == 0 {
		return nil, errors.New("the service offers no way to log in here: it may want TLS first")
	}
	n.mechanism = c.cfg.Mechanism
	if n.mechanism == "" {
		var err error
		if n.mechanism, err = sasl.Choose(offered, b, true); err != nil {
			return nil, err
		}
	} else if !slices.Contains(offered, n.mechanism) {
		return nil, fmt.Errorf("the service does not offer %s, but %s", n.mechanism, strings.Join(offered, ", "))
	}
	return sasl.NewClient(c.cfg.User, c.cfg.Password, n.mechanism, b, sasl.OffersPlus(offered)), nil
}

// encoded is SASL data in XML; "=" where it is empty, RFC 6120 6.4.2.
func encoded(b []byte) string {
	if len(b) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(b)
}

func decoded(s string) ([]byte, error) {
	if s = strings.TrimSpace(s); s == "" || s == "=" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("the service's SASL data is no base64: %w", err)
	}
	return b, nil
}

// bind gets a resource, RFC 6120 7.7, and a session where a service of RFC 3921 3 wants one.
func (c *Client) bind(n *conn, features xmltext.Node) error {
	if !features.Child(wire.NSBind, "bind").Ok() {
		return errors.New("the service offers no resource")
	}
	s := features.Child(wire.NSSession, "session")
	session := s.Ok() && !s.Child(wire.NSSession, "optional").Ok()
	iq, err := c.early(n, "<bind xmlns='"+wire.NSBind+"'>"+element("resource", c.cfg.Resource)+"</bind>")
	if err != nil {
		return err
	}
	c.jid = strings.TrimSpace(string(iq.Child(wire.NSBind, "bind").Child(wire.NSBind, "jid").Text()))
	if c.jid == "" {
		return errors.New("the service gave no resource")
	}
	if session {
		_, err = c.early(n, "<session xmlns='"+wire.NSSession+"'/>")
	}
	return err
}

// early is an IQ set before there is a reader.
func (c *Client) early(n *conn, payload string) (xmltext.Node, error) {
	id := c.NewID()
	if err := n.write([]byte("<iq type='set' id='" + id + "'>" + payload + "</iq>")); err != nil {
		return xmltext.Node{}, err
	}
	iq, err := n.element()
	switch {
	case err != nil:
		return xmltext.Node{}, err
	case !iq.Is(wire.NSClient, "iq") || attr(iq, "id") != id:
		return xmltext.Node{}, fmt.Errorf("%s instead of an answer", iq.Local())
	case attr(iq, "type") == "error":
		return xmltext.Node{}, stanzaError(iq)
	}
	return iq, nil
}
