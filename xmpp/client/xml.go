package client

import (
	"parley/xmltext"
)

// The namespaces that this client knows.
const (
	nsClient     = "jabber:client"
	nsStream     = "http://etherx.jabber.org/streams"
	nsTLS        = "urn:ietf:params:xml:ns:xmpp-tls"
	nsSASL       = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBind       = "urn:ietf:params:xml:ns:xmpp-bind"
	nsSession    = "urn:ietf:params:xml:ns:xmpp-session"
	nsStanzas    = "urn:ietf:params:xml:ns:xmpp-stanzas"
	nsStreams    = "urn:ietf:params:xml:ns:xmpp-streams"
	nsRoster     = "jabber:iq:roster"
	nsPing       = "urn:xmpp:ping"
	nsDisco      = "http://jabber.org/protocol/disco#info"
	nsDelay      = "urn:xmpp:delay"
	nsReceipts   = "urn:xmpp:receipts"
	nsChatStates = "http://jabber.org/protocol/chatstates"
	nsBlocking   = "urn:xmpp:blocking"
	nsMUC        = "http://jabber.org/protocol/muc"
	nsMUCUser    = "http://jabber.org/protocol/muc#user"
	nsConference = "jabber:x:conference"
)

// place is what is declared in every client's stream: what is copied out of one stands by itself in there.
var place = xmltext.Declare(xmltext.Binding{Space: nsClient}, xmltext.Binding{Prefix: "stream", Space: nsStream})

// copied is an element as text that can stand in any client's stream.
func copied(n xmltext.Node) string {
	if !n.Ok() {
		return ""
	}
	return string(xmltext.AppendElement(nil, n, place))
}

// node reads what copied wrote.
func node(xml string) xmltext.Node {
	if xml == "" {
		return xmltext.Node{}
	}
	d, err := xmltext.Parse([]byte("<stream:stream xmlns='"+nsClient+"' xmlns:stream='"+nsStream+"'>"+xml+"</stream:stream>"), xmltext.Limits{Bytes: longest, Depth: deepest, Nodes: most})
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
