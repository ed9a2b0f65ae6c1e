// Package client is an XMPP client without a screen: it logs in (RFC 6120), keeps a roster and shows presence, talks
// (RFC 6121), blocks (XEP-0191) and enters rooms (XEP-0045). It is made for parley chat, for tests and for tools; it
// knows nothing of the service it talks to but what the service says.
//
// One Client is one stream. A goroutine reads it and owns all that comes; what the service sends unasked is handed
// to Config.Event, most simply an [Inbox]. All methods may be called from any goroutine, but not from Config.Event
// when they wait for an answer.
package client
