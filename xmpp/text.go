package xmpp

import (
	"bytes"
	"strings"

	"parley/xmltext"
	"parley/xmpp/wire"
)

// inOwnLanguage is the child of that name in the stanza's own language, RFC 6120 8.1.5: one without a language, or
// with the stanza's; else the first one.
func inOwnLanguage(n xmltext.Node, name string) xmltext.Node {
	var first xmltext.Node
	for c := range n.Children() {
		if !c.Is(wire.NSClient, name) {
			continue
		}
		lang, ok := c.Attr(xmltext.XML, "lang")
		if !ok {
			return c
		}
		if own, _ := n.Attr(xmltext.XML, "lang"); len(own) > 0 && strings.EqualFold(string(own), string(lang)) {
			return c
		}
		if !first.Ok() {
			first = c
		}
	}
	return first
}

// trim takes the blanks of XML away.
func trim(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }
