package c2s

import (
	"context"
	"strings"

	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// privateGet gives back what a client has put under the name of an element, or the element as it was asked for, empty:
// XEP-0049 2.1, 2.2, 2.3, 3.
func (c *conn) privateGet(ctx context.Context, r *request) error {
	n := r.payload.FirstChild()
	if !n.Ok() || n.Next().Ok() { // XEP-0049 2.3
		return xmpp.Refuse(xmpp.BadRequest, "ask for exactly one element")
	}
	key, err := privateKey(n)
	if err != nil {
		return err
	}
	body, err := c.s.Exchange.Note(ctx, c.jid.Bare, xmpp.Door, key)
	if err != nil {
		return err
	}
	if body == nil {
		body = wire.AppendStanza(nil, n)
	}
	b := xmltext.Build(make([]byte, 0, 64+len(body)))
	b.Start("query").Attr("xmlns", wire.NSPrivate).Raw(body)
	c.result(r, b.Bytes())
	return nil
}

// privateSet keeps one element, or several, each in the place of the one of its name: XEP-0049 2.3. An empty one is
// forgotten.
func (c *conn) privateSet(ctx context.Context, r *request) error {
	if !r.payload.FirstChild().Ok() { // XEP-0049 2.3
		return xmpp.Refuse(xmpp.NotAcceptable, "there is nothing to keep")
	}
	for n := range r.payload.Children() { // all of it is acceptable, or nothing is kept
		if _, err := privateKey(n); err != nil {
			return err
		}
		if err := c.fits(n); err != nil {
			return err
		}
	}
	for n := range r.payload.Children() {
		key, err := privateKey(n)
		if err != nil {
			return err
		}
		body := wire.AppendStanza(nil, n)
		if empty(n) {
			body = nil
		}
		if err := c.s.Exchange.PutNote(ctx, c.jid.Bare, xmpp.Door, key, body); err != nil {
			return err
		}
	}
	c.result(r, nil)
	return nil
}

// privateForbidden keeps others' hands off: XEP-0049 2.3, 3, 4. To who does not see the account it is like one that nobody has.
func (c *conn) privateForbidden(context.Context, *request) error {
	return xmpp.Refuse(xmpp.Forbidden, "")
}

// reservedSpaces are namespaces that are kept elsewhere, or nowhere: XEP-0049 2.3.
var reservedSpaces = []string{"jabber:", "http://jabber.org/", wire.NSVCard}

// privateKey is the key that an element is kept under: its name. XEP-0049 2.1, 3
func privateKey(n xmltext.Node) (string, error) {
	space, local := n.Name()
	if len(space) == 0 { // it has no name of its own
		return "", xmpp.Refuse(xmpp.NotAcceptable, "the element needs a namespace of its own")
	}
	for _, p := range reservedSpaces {
		if strings.HasPrefix(string(space), p) {
			return "", xmpp.Refuse(xmpp.NotAcceptable, "this namespace is reserved")
		}
	}
	key := "private " + string(local) + " " + string(space)
	if len(key) > maxNoteKey {
		return "", xmpp.Refuse(xmpp.NotAcceptable, "the name of the element is too long")
	}
	return key, nil
}

// maxNoteKey is the greatest length of a note's key, in bytes.
const maxNoteKey = 1023

// empty reports that an element says nothing but its name.
func empty(n xmltext.Node) bool {
	for range n.Attrs() {
		return false
	}
	for range n.Children() {
		return false
	}
	return n.Blank()
}

// fits refuses a document that is longer than one may be: waiting would not help.
func (c *conn) fits(n xmltext.Node) error {
	if int64(len(wire.AppendStanza(nil, n))) > int64(c.s.Config.Config.Limits.Note) {
		c.Hit("note")
		return xmpp.Refuse(xmpp.NotAcceptable, "this is too long to be kept")
	}
	return nil
}
