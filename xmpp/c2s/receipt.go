package c2s

import (
	"parley/exchange"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// receipt tells the client that a message came to somebody whose protocol has no receipts, in their name: XEP-0184 5, XEP-0184
// 7. It is made for those alone who see them: XEP-0184 8. It asks for none itself: XEP-0184 5.4. Or it tells that a message is lost, although it
// was accepted: RFC 6120 8.3. All sessions of the sender hear of it; which of them wrote it is not kept.
func (c *conn) receipt(d *exchange.Report) (owes bool) {
	limits := c.s.shared.XML
	limits.Bytes *= 2 // with what was added to it
	var doc xmltext.Doc
	n, err := wire.Parse(&doc, d.Of.Native.Body, limits)
	if err != nil {
		return false
	}
	if d.Why != nil {
		var st wire.Stanza
		wire.Read(&st, n)
		return c.Queue(wire.AppendErrorReply(nil, &st, d.Of.To.String(), xmpp.ErrorOf(d.Why).Append(nil), false))
	}
	id, _ := n.Attr("", "id")
	from := xmpp.JID{Bare: d.Of.To, Resource: d.Slot}
	b := wire.Open(make([]byte, 0, 160), "message", from.String(), c.full, stanzaID(d.Of.ID)+"r", "chat")
	b.Start("received").Attr("xmlns", wire.NSReceipts).Attr("id", string(id)).End()
	return c.Queue(b.Bytes())
}
