package client

import (
	"parley/xmltext"
	"parley/xmpp/wire"
)

// copied is an element as text that can stand in any client's stream.
func copied(n xmltext.Node) string {
	if !n.Ok() {
		return ""
	}
	return string(xmltext.AppendElement(nil, n, wire.Place))
}

// node reads what copied wrote.
func node(xml string) xmltext.Node {
	if xml == "" {
		return xmltext.Node{}
	}
	d, err := xmltext.Parse([]byte("<stream:stream xmlns='"+wire.NSClient+"' xmlns:stream='"+wire.NSStream+"'>"+xml+"</stream:stream>"), xmltext.Limits{Bytes: longest, Depth: deepest, Nodes: most})
	if err != nil {
		return xmltext.Node{}
	}
	return d.Root().FirstChild()
}

// What a service may send at most in one stanza: a roster of thousands fits in.
const (
	longest = 32 << 20
	deepest = 128
	most    = 1 << 20
)
