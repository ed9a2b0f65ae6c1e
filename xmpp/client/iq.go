package client

import (
	"context"
	"fmt"

	"parley/xmltext"
	"parley/xmpp/wire"
)

// Answer is what an IQ of type result brought.
type Answer struct {
	From string
	XML  string // the payload; "" when there is none
}

// Node is the payload; the zero Node when there is none.
func (a Answer) Node() xmltext.Node { return node(a.XML) }

// IQ asks, with a type of get or set, and waits for the answer: RFC 6120 8.2.3. to may be "": the account itself, or
// the service. The error is a *StanzaError where the other side refuses.
func (c *Client) IQ(ctx context.Context, typ, to, payload string) (Answer, error) {
	var a Answer
	err := c.iq(ctx, typ, to, payload, func(iq xmltext.Node) {
		a = Answer{From: attr(iq, "from"), XML: copied(iq.FirstChild())}
	})
	if err != nil {
		return Answer{}, err
	}
	return a, nil
}

// iq is IQ; take gets the answer on the reader's goroutine.
func (c *Client) iq(ctx context.Context, typ, to, payload string, take func(xmltext.Node)) error {
	id := c.NewID()
	xml := "<iq" + given("type", typ) + given("id", id) + given("to", to) + ">" + payload + "</iq>"
	if err := c.conn.ask(ctx, id, to, xml, take); err != nil {
		return fmt.Errorf("%s: %w", typ, err)
	}
	return nil
}

// Reply answers a request; payload may be "".
func (c *Client) Reply(r Request, payload string) error {
	return c.Send("<iq type='result'" + given("id", r.ID) + given("to", r.From) + ">" + payload + "</iq>")
}

// Refuse answers a request with an error: RFC 6120 8.3.
func (c *Client) Refuse(r Request, typ, condition string) error {
	return c.Send("<iq type='error'" + given("id", r.ID) + given("to", r.From) + "><error" + given("type", typ) + "><" +
		condition + " xmlns='" + wire.NSStanzas + "'/></error></iq>")
}

// Ping asks for a sign of life: the service, or somebody's session. XEP-0199 4.
func (c *Client) Ping(ctx context.Context, to string) error {
	_, err := c.IQ(ctx, "get", to, "<ping xmlns='"+wire.NSPing+"'/>")
	return err
}
