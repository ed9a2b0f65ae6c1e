package xmpp

import (
	"parley/im"
	"parley/xmltext"
)

// Subscription is what a roster item says of two watches: none, to, from or both, whether the owner's request waits
// for an answer, and whether the other was let in for good, asked or not. RFC 6121 2.1.2.1, 2.1.2.2, 2.1.2.5.
func Subscription(e im.Entry) (sub string, ask, approved bool) {
	to, from := e.Side.Watch == im.WatchGranted, e.Watched == im.WatchGranted
	switch {
	case to && from:
		sub = "both"
	case to:
		sub = "to"
	case from:
		sub = "from"
	default:
		sub = "none"
	}
	return sub, e.Side.Watch == im.WatchAsked, e.Side.Access == im.AccessLasting
}

// AppendItem writes the roster item of an entry, with the names that groups gives; a group without a name is left
// out. One that is no item any more (im.Side.Item) is written as removed. RFC 6121 2.1.2, 2.1.6.
func AppendItem(dst []byte, e im.Entry, groups func(im.GroupID) string) []byte {
	b := xmltext.Build(dst)
	b.Start("item").Attr("jid", e.Who.String())
	if !e.Side.Item() {
		b.Attr("subscription", "remove")
		return b.Bytes()
	}
	if e.Side.Alias != "" {
		b.Attr("name", e.Side.Alias)
	}
	sub, ask, approved := Subscription(e)
	b.Attr("subscription", sub)
	if ask {
		b.Attr("ask", "subscribe")
	}
	if approved {
		b.Attr("approved", "true")
	}
	for _, id := range e.Side.Groups {
		if name := groups(id); name != "" {
			b.Start("group").Text(name).End()
		}
	}
	return b.Bytes()
}
