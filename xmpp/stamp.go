package xmpp

import (
	"bytes"
	"time"

	"parley/xmltext"
	"parley/xmpp/wire"
)

// TimeLayout is how a time is written, always in UTC: XEP-0082 3.2.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// InsertDelay appends a complete stanza with a delay element at its end: from, an address or "", kept it since at.
// XEP-0203 2.
func InsertDelay(dst, stanza []byte, from string, at time.Time) []byte {
	dst, name := appendOpened(dst, stanza)
	return appendEnd(appendDelay(dst, from, at), name)
}

// InsertStanzaID appends a complete stanza with the id that by, an address, gave it. XEP-0359 2.1.
func InsertStanzaID(dst, stanza []byte, by, id string) []byte {
	dst, name := appendOpened(dst, stanza)
	b := xmltext.Build(dst)
	b.Start("stanza-id").Attr("xmlns", wire.NSStanzaID).Attr("by", by).Attr("id", id).End()
	return appendEnd(b.Bytes(), name)
}

func appendDelay(dst []byte, from string, at time.Time) []byte {
	b := xmltext.Build(dst)
	b.Start("delay").Attr("xmlns", wire.NSDelay)
	if from != "" {
		b.Attr("from", from)
	}
	b.Attr("stamp", at.UTC().Format(TimeLayout))
	return b.Bytes()
}

// appendOpened appends a complete element but for its end tag, and gives its name.
func appendOpened(dst, element []byte) (opened, name []byte) {
	if bytes.HasSuffix(element, []byte("/>")) {
		name = element[1:]
		if i := bytes.IndexAny(name, " \t\r\n/>"); i >= 0 {
			name = name[:i]
		}
		dst = append(dst, bytes.TrimRight(element[:len(element)-len("/>")], " \t\r\n")...)
		return append(dst, '>'), name
	}
	i := bytes.LastIndex(element, []byte("</"))
	if i < 0 {
		return append(dst, element...), nil // no element: nothing can be put into it
	}
	name = bytes.TrimRight(element[i+len("</"):len(element)-1], " \t\r\n")
	return append(dst, element[:i]...), name
}

func appendEnd(dst, name []byte) []byte {
	dst = append(dst, "</"...)
	dst = append(dst, name...)
	return append(dst, '>')
}

// StripStanzaIDs is wire.AppendStanza without the stanza ids that claim to be of one for whom ours says yes, and without
// delays that a domain of ours is to have noted: only that one itself gives them. An address that is none is nobody's, and
// stays. XEP-0359 3, XEP-0203 5.
func StripStanzaIDs(dst []byte, n xmltext.Node, ours func(by JID) bool, set ...xmltext.Attr) []byte {
	forged := func(c xmltext.Node) bool {
		attr := "by"
		delay := c.Is(wire.NSDelay, "delay")
		if delay {
			attr = "from"
		} else if !c.Is(wire.NSStanzaID, "stanza-id") {
			return false
		}
		by, _ := c.Attr("", attr)
		j, err := ParseJIDBytes(by)
		return err == nil && ours(j) && (!delay || j.Bare.IsDomain())
	}
	clean := true
	for c := range n.Children() {
		clean = clean && !forged(c)
	}
	if clean {
		return wire.AppendStanza(dst, n, set...)
	}
	dst = wire.AppendStart(dst, n, set...)
	for c := range n.Content() {
		switch {
		case c.IsText():
			dst = xmltext.AppendElement(dst, c, nil)
		case !forged(c):
			dst = append(dst, c.Bytes()...)
		}
	}
	return xmltext.AppendEnd(dst, n)
}
