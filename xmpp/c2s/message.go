package c2s

import (
	"strconv"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/listen"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// message sends a message on its way: RFC 6121 5, 8. The stanza is built here, once, as every receiver's stream takes it.
func (c *conn) message(n xmltext.Node) {
	st := &c.stanza
	wire.Read(st, n)
	if !c.honest(st) {
		return
	}
	if err := c.send(st); err != nil {
		c.refuse(st, err)
	}
}

// send finds where a message goes by its type and address: RFC 6121 5.1, 5.2.1, 5.2.2, 8.3, 8.4, 8.5.4; RFC 6120 10.3.1;
// XEP-0160 3. Without an address it is to one's own account: RFC 6120 8.1.1.1, RFC 6121 8.1, 8.2.
func (c *conn) send(st *wire.Stanza) error {
	to, err := c.address(st)
	if err != nil {
		return err
	}
	switch {
	case to.IsZero():
		to = xmpp.JID{Bare: c.jid.Bare}
	case c.s.isRoom(to):
		return c.toRoom(c.ctx, st, to)
	case !c.s.Exchange.Serves(to.Bare.Domain()):
		return xmpp.Refuse(xmpp.RemoteServerNotFound, "")
	case to.Bare.IsDomain(): // nobody reads what is sent to the service
		return xmpp.Refuse(xmpp.ServiceUnavailable, "")
	}
	if st.Type == "" || st.Type == "normal" {
		if err := c.inviteDirectly(st, to); err != nil {
			return err
		}
	}
	now := time.Now()
	m := &im.Message{ID: c.s.Exchange.MessageID(), From: c.jid.Bare, FromSlot: c.jid.Resource, FromName: c.client.Snapshot().DisplayName(),
		To: to.Bare, Slot: to.Resource, Time: now, Kind: xmpp.Classify(st)}
	switch st.Type {
	case "chat": // to the others when that session is gone: RFC 6121 8.5.3.2.1
	case "error":
		if to.Resource == "" { // RFC 6121 8.5.2.1.1, 8.5.2.2.1
			return nil
		}
		m.Kind, m.Only = im.Signal, true
	case "headline":
		m.Kind, m.Only = im.Signal, to.Resource != ""
	case "groupchat": // nobody's own address is a room: RFC 6121 8.5.2.1.1, 8.5.3.1
		if to.Resource == "" {
			return xmpp.Refuse(xmpp.ServiceUnavailable, "")
		}
		m.Kind, m.Traffic, m.Only = im.Request, im.Messages, true
	default: // to that session or back: RFC 6121 8.5.3.2.1; mobile's is whoever is there
		m.Only = to.Resource != "" && to.Resource != mobile
	}
	m.Report = m.Kind == im.Words && xmpp.WantsReceipt(st.Node)
	b, inner := c.appendMessage(st, m)
	m.Native = im.Native{Door: xmpp.Door, Body: b}
	if from, to, ok := xmpp.Body(st.Node); ok && inner > 0 {
		m.Neutralise = wordsOf(b[inner+from : inner+to])
	} else {
		m.Neutralise = c.neutraliser(b)
	}
	if st.Type == "error" { // nobody is told what became of it
		c.s.Exchange.Send(c.ctx, &c.out, m, nil)
		return nil
	}
	c.post(m, c.answerLater(st))
	return nil
}

// post sends a message of the client's; what it says next that is answered waits until this one is safe.
func (c *conn) post(m *im.Message, done func(error)) {
	way := c.words.begin()
	handed := c.s.Exchange.Send(c.ctx, &c.out, m, func(err error) {
		done(err)
		c.words.end(way)
	})
	if handed != nil {
		way.handed = []*exchange.Message{handed}
	}
}

// answerLater tells the client, in time, if a message could not be delivered.
func (c *conn) answerLater(st *wire.Stanza) func(error) {
	head := *st
	head.Node = xmltext.Node{}
	return func(err error) {
		if err != nil {
			c.refuseLater(&head, err)
		}
	}
}

// appendMessage builds the stanza as it goes to all who get it: from a full address (RFC 6120 8.1.2.1), in the language
// of its stream if it names none (8.1.5, 8.2.1; RFC 6121 5.3), with the id under which it is kept (XEP-0359 3) and
// without those, and delays, that others claim to have given it here (XEP-0203 5). inner is where what the client put inside
// begins, if it stands there as it came, else 0.
func (c *conn) appendMessage(st *wire.Stanza, m *im.Message) (b []byte, inner int) {
	set := [2]xmltext.Attr{{Name: "from", Value: c.full}}
	l := set[:1]
	if st.Lang == "" && c.Lang != "" {
		l = append(l, xmltext.Attr{Name: "xml:lang", Value: c.Lang})
	}
	by := m.To.String()
	b = make([]byte, 0, len(st.Node.Bytes())+len(c.full)+len(by)+112)
	for n := range st.Node.Children() {
		if n.Is(wire.NSStanzaID, "stanza-id") || n.Is(wire.NSDelay, "delay") {
			ours := func(by xmpp.JID) bool { return c.s.Exchange.Ours(by.Bare.Domain()) }
			b = xmpp.StripStanzaIDs(b, st.Node, ours, l...)
			if m.Kind != im.Words {
				return b, 0
			}
			return xmpp.InsertStanzaID(nil, b, by, stanzaID(m.ID)), 0
		}
	}
	if m.Kind != im.Words {
		return wire.AppendStanza(b, st.Node, l...), 0
	}
	b = wire.AppendStart(b, st.Node, l...)
	inner = len(b)
	b = append(b, st.Node.Inner()...)
	b = append(b, "<stanza-id xmlns='"+wire.NSStanzaID+"' id='"...)
	b = strconv.AppendInt(b, int64(m.ID), 36)
	b = append(b, '\'')
	b = xmltext.AppendAttr(b, "by", by)
	return xmltext.AppendEnd(append(b, "/>"...), st.Node), inner
}

// stanzaID is a message's id as XMPP says it: the same whenever the message is offered again.
func stanzaID(id im.MessageID) string { return strconv.FormatInt(int64(id), 36) }

// wordsOf makes the form that all can read of words as they were written, when somebody asks for it.
func wordsOf(written []byte) func() im.Neutral {
	return func() im.Neutral {
		var room [512]byte
		return im.Neutral{Text: im.NewText(string(xmltext.AppendWritten(room[:0], written)))}
	}
}

// neutraliser makes the form that all can read out of a stanza, when somebody asks for it.
func (c *conn) neutraliser(stanza []byte) func() im.Neutral {
	limits := c.s.shared.XML
	limits.Bytes, limits.Nodes, limits.Attrs = 2*limits.Bytes, limits.Nodes+8, limits.Attrs+4 // with what was added to it here
	return func() im.Neutral {
		var d xmltext.Doc
		n, err := wire.Parse(&d, stanza, limits)
		if err != nil {
			return im.Neutral{}
		}
		return xmpp.Neutral(n)
	}
}

// deliver queues a message for the client: from behind the same door as it was written, else in the form that all can read.
// One that waited says since when: XEP-0160 2, XEP-0203.
func (c *conn) deliver(m *exchange.Message) (owes bool) {
	if m.In != nil {
		return c.deliverRoom(m)
	}
	b := m.Native.Body
	switch {
	case m.Native.Door != xmpp.Door:
		n := m.Neutral()
		if n.Text.IsZero() && !n.Typing {
			return c.GiveBack(m, im.ErrNothingFits)
		}
		from, by := xmpp.JID{Bare: m.From, Resource: m.FromSlot}, ""
		if m.Kind == im.Words {
			by = c.jid.Bare.String()
		}
		b = xmpp.AppendNeutral(nil, from.String(), c.full, stanzaID(m.ID), by, m.Message, m.Kept())
	case m.Kept():
		b = xmpp.InsertDelay(nil, b, c.domain, m.Time)
	}
	return c.QueueItem(listen.Item{B: b, Settle: m})
}
