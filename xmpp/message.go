package xmpp

import (
	"slices"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp/wire"
)

// Classify says what a message is to the core: Words are kept for who is not there, a Signal goes where somebody
// listens, or nowhere. Words are messages of type chat or normal with a body; a body is nothing to keep with the hint
// no-store, and with store one without a body is: XEP-0334 4.2, 4.4. A no-permanent-store speaks of archives only
// (XEP-0334 4.1), and what an error brings back hints at nothing (XEP-0334 5). Everything else is a Signal: headlines, errors, what is said in rooms, chat states, receipts.
// A type that RFC 6121 5.2.2 does not have is normal. RFC 6121 5.2.2, 8.5.2; XEP-0085 5.8.
func Classify(s *wire.Stanza) im.Kind {
	switch s.Type {
	case "error", "groupchat", "headline":
		return im.Signal
	}
	var body, store, noStore bool
	for c := range s.Node.Children() {
		switch {
		case c.Is(wire.NSClient, "body"):
			body = body || len(c.Text()) > 0
		case c.Is(wire.NSHints, "store"):
			store = true
		case c.Is(wire.NSHints, "no-store"):
			noStore = true
		}
	}
	if (body || store) && !noStore {
		return im.Words
	}
	return im.Signal
}

// Neutral is what every door can read of a message: body and subject in the stanza's own language, or the first, the
// thread, and whether the sender is writing. RFC 6121 5.2.3, 5.2.4, 5.2.5; XEP-0085 2.
func Neutral(n xmltext.Node) im.Neutral {
	m := im.Neutral{
		Text:    im.NewText(string(inOwnLanguage(n, "body").Text())),
		Subject: im.NewText(string(inOwnLanguage(n, "subject").Text())),
		Thread:  string(n.Child(wire.NSClient, "thread").Text()),
	}
	m.Typing = m.Text.IsZero() && IsTyping(n)
	return m
}

// Body is where the words of a message stand in what is right inside of it, as they were written there
// (xmltext.AppendWritten): when they are all that Neutral has to tell, in one language. Else ok is false. RFC 6121 5.2.3
func Body(n xmltext.Node) (from, to int, ok bool) {
	for c := range n.Children() {
		switch {
		case c.Is(wire.NSClient, "body") && !ok:
			if from, to, ok = c.Within(n); !ok || from == to {
				return 0, 0, false
			}
		case c.Is(wire.NSClient, "body"), c.Is(wire.NSClient, "subject"), c.Is(wire.NSClient, "thread"):
			return 0, 0, false
		}
	}
	return from, to, ok
}

// ChatState is the chat state that a message tells: active, composing, paused, inactive or gone; "" is none.
// XEP-0085 2.
func ChatState(n xmltext.Node) string {
	for c := range n.Children() {
		if string(c.Space()) != wire.NSChatStates {
			continue
		}
		switch string(c.Local()) {
		case "active":
			return "active"
		case "composing":
			return "composing"
		case "paused":
			return "paused"
		case "inactive":
			return "inactive"
		case "gone":
			return "gone"
		}
	}
	return ""
}

// IsTyping reports that a message tells that its sender is writing, XEP-0085 2.
func IsTyping(n xmltext.Node) bool { return ChatState(n) == "composing" }

// WantsReceipt reports that the sender of a message asks to be told of its arrival, which takes an id: XEP-0184 7.
func WantsReceipt(n xmltext.Node) bool {
	id, _ := n.Attr("", "id")
	return len(id) > 0 && n.Child(wire.NSReceipts, "request").Ok()
}

// NoCopies reports that a message is for one session alone, XEP-0334 4.3.
func NoCopies(n xmltext.Node) bool { return n.Child(wire.NSHints, "no-copy").Ok() }

// AppendNeutral writes a chat message from the neutral form of one that came in at another door; with delay, it tells
// when it was sent. A message that only says that its sender is writing becomes that chat state, one with words says
// that the sender takes part (XEP-0085 5.1). The id is also the one that by, an address, gave it (XEP-0359 2.1). Empty
// addresses and an empty id are left out, and what an empty by would say. RFC 6121 5.2, XEP-0203 2.
func AppendNeutral(dst []byte, from, to, id, by string, m *im.Message, delay bool) []byte {
	n := m.Neutral()
	b := wire.Open(slices.Grow(dst, neutralRoom+len(from)+len(to)+n.Text.Len()+len(by)), "message", from, to, id, "chat")
	if !n.Subject.IsZero() {
		b.Start("subject").Text(n.Subject.Reveal()).End()
	}
	if !n.Text.IsZero() {
		b.Start("body").Text(n.Text.Reveal()).End()
	}
	if n.Thread != "" {
		b.Start("thread").Text(n.Thread).End()
	}
	switch {
	case n.Typing:
		b.Start("composing").Attr("xmlns", wire.NSChatStates).End()
	case !n.Text.IsZero():
		b.Raw(takesPart)
	}
	if delay {
		b.Raw(appendDelay(nil, m.To.Domain(), m.Time))
	}
	if by != "" {
		b.Start("stanza-id").Attr("xmlns", wire.NSStanzaID).Attr("by", by).Attr("id", id).End()
	}
	return b.Bytes()
}

// takesPart says so of the sender; it is not changed.
var takesPart = []byte("<active xmlns='" + wire.NSChatStates + "'/>")

// neutralRoom is what AppendNeutral writes around addresses and words, in bytes, when there is no more to be said.
const neutralRoom = 216
