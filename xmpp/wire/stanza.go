// Package wire reads the head of stanzas and writes stanzas, RFC 6120 8: bytes as they stand in a stream, and nothing of
// what they mean. It owns no state.
//
// A stanza that was read points into the read buffer; the strings of a [Stanza] are its own and may be kept.
package wire

import (
	"bytes"

	"parley/xmltext"
)

// Kind is what a stanza is, RFC 6120 8.2.
type Kind uint8

const (
	Other Kind = iota // no stanza of jabber:client
	Message
	Presence
	IQ
)

// String is the name of the element, "other" for one that is no stanza.
func (k Kind) String() string {
	return [...]string{"other", "message", "presence", "iq"}[k]
}

// Stanza is a stanza and its common attributes, RFC 6120 8.1. What it lacks is "".
type Stanza struct {
	Kind           Kind
	Node           xmltext.Node
	Type, ID       string
	To, From       string // as written, not looked at
	Lang           string // its own xml:lang; what the stream declares is for the caller to add
	HasTo, HasFrom bool   // to='' is there, and empty
}

// Read reads the head of n into s. The Kind is Other unless n is a message, presence or iq in jabber:client; the
// attributes are read all the same. What s held before serves again where it is equal, so that a stream whose stanzas
// go to the same people costs no memory for it but for their ids.
func Read(s *Stanza, n xmltext.Node) {
	s.Node, s.Kind = n, KindOf(n)
	var typ, id, to, from, lang []byte
	s.HasTo, s.HasFrom = false, false
	for a := range n.Attrs() {
		switch len(a.Space) {
		case 0:
			switch string(a.Local) {
			case "type":
				typ = a.Value
			case "id":
				id = a.Value
			case "to":
				to, s.HasTo = a.Value, true
			case "from":
				from, s.HasFrom = a.Value, true
			}
		case len(xmltext.XML):
			if string(a.Local) == "lang" && string(a.Space) == xmltext.XML {
				lang = a.Value
			}
		}
	}
	s.Type = known(s.Type, typ)
	keep(&s.ID, id)
	keep(&s.To, to)
	keep(&s.From, from)
	keep(&s.Lang, lang)
}

// KindOf is the kind of an element.
func KindOf(n xmltext.Node) Kind {
	var k Kind
	switch string(n.Local()) {
	case "message":
		k = Message
	case "presence":
		k = Presence
	case "iq":
		k = IQ
	default:
		return Other
	}
	if string(n.Space()) != NSClient {
		return Other
	}
	return k
}

// Prefixed reports whether n is an element of jabber:client with a prefix, or has one right inside, which nobody may
// send: receivers that look at names as they stand would miss it. RFC 6120 4.8.5.
func Prefixed(n xmltext.Node) bool {
	if prefixed(n) {
		return true
	}
	for c := range n.Children() {
		if prefixed(c) && string(c.Space()) == NSClient {
			return true
		}
	}
	return false
}

// prefixed says it of one element, of any namespace.
func prefixed(n xmltext.Node) bool {
	written, local := n.Bytes()[1:], n.Local()
	return !bytes.HasPrefix(written, local) || len(written) > len(local) && written[len(local)] == ':'
}

func keep(s *string, b []byte) {
	if *s != string(b) {
		*s = string(b)
	}
}

// known is the string of a type, without memory for those that RFC 6120 8.2.3 and RFC 6121 4.7.1, 5.2.2 name.
func known(old string, b []byte) string {
	switch string(b) {
	case "":
		return ""
	case "get":
		return "get"
	case "set":
		return "set"
	case "result":
		return "result"
	case "error":
		return "error"
	case "chat":
		return "chat"
	case "normal":
		return "normal"
	case "groupchat":
		return "groupchat"
	case "headline":
		return "headline"
	case "unavailable":
		return "unavailable"
	case "probe":
		return "probe"
	case "subscribe":
		return "subscribe"
	case "subscribed":
		return "subscribed"
	case "unsubscribe":
		return "unsubscribe"
	case "unsubscribed":
		return "unsubscribed"
	case old:
		return old
	}
	return string(b)
}
