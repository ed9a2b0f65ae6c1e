package client

import (
	"strconv"
	"strings"
	"time"

	"parley/xmltext"
	"parley/xmpp/wire"
)

// serve takes what comes unasked. It runs on the reader's goroutine.
func (c *Client) serve(n xmltext.Node) {
	switch {
	case n.Is(wire.NSClient, "message"):
		m := readMessage(n)
		if m.WantsReceipt && c.cfg.Receipts && m.ID != "" && m.From != "" {
			c.Confirm(m)
		}
		c.emit(m)
	case n.Is(wire.NSClient, "presence"):
		p := readPresence(n)
		c.note(p)
		c.joined(p)
		c.emit(p)
	case n.Is(wire.NSClient, "iq"):
		c.asked(n)
	default:
		c.emit(Other{copied(n)})
	}
}

// asked answers an IQ of type get or set: RFC 6120 8.2.3.
func (c *Client) asked(n xmltext.Node) {
	what := n.FirstChild()
	r := Request{From: attr(n, "from"), ID: attr(n, "id"), Type: attr(n, "type"), XML: copied(what)}
	switch {
	case r.Type == "set" && what.Is(wire.NSRoster, "query"):
		c.push(r, what)
	case r.Type == "set" && c.ownAccount(r.From) && (what.Is(wire.NSBlocking, "block") || what.Is(wire.NSBlocking, "unblock")):
		c.Reply(r, "")
		c.emit(BlockingChanged{addresses(what), what.Is(wire.NSBlocking, "block")})
	case r.Type == "get" && what.Is(wire.NSPing, "ping"):
		c.Reply(r, "")
	case c.cfg.Requests:
		c.emit(r)
	default:
		c.Refuse(r, "cancel", "service-unavailable")
	}
}

func readMessage(n xmltext.Node) Message {
	m := Message{From: attr(n, "from"), To: attr(n, "to"), ID: attr(n, "id"), Type: attr(n, "type"), State: stateOf(n), Delay: delay(n), XML: copied(n),
		Body: text(n, "body"), Subject: text(n, "subject"), Thread: text(n, "thread"),
		WantsReceipt: n.Child(wire.NSReceipts, "request").Ok(), Receipt: attr(n.Child(wire.NSReceipts, "received"), "id")}
	if m.Type == "" {
		m.Type = "normal"
	}
	if l, ok := n.Attr(xmltext.XML, "lang"); ok {
		m.Lang = string(l)
	}
	if m.Type == "error" {
		m.Error = stanzaError(n)
	}
	return m
}

func readPresence(n xmltext.Node) Presence {
	p := Presence{From: attr(n, "from"), To: attr(n, "to"), ID: attr(n, "id"), Type: attr(n, "type"), Show: strings.TrimSpace(text(n, "show")),
		Status: text(n, "status"), Delay: delay(n), Occupant: occupant(n), XML: copied(n)}
	p.Priority, _ = strconv.Atoi(strings.TrimSpace(text(n, "priority")))
	if p.Type == "error" {
		p.Error = stanzaError(n)
	}
	return p
}

// text is that of a child of the stanza's own namespace.
func text(n xmltext.Node, name string) string { return string(n.Child(wire.NSClient, name).Text()) }

// delay is when a stanza was sent that had to wait: XEP-0203 2; the zero time without one.
func delay(n xmltext.Node) time.Time {
	t, err := time.Parse(time.RFC3339, attr(n.Child(wire.NSDelay, "delay"), "stamp"))
	if err != nil {
		return time.Time{}
	}
	return t
}
