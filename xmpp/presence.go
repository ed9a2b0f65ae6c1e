package xmpp

import (
	"bytes"
	"slices"
	"strconv"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp/wire"
)

// shows is what a show element says, RFC 6121 4.7.2.1. Who has none is just available.
var shows = []struct {
	show  string
	state im.State
}{
	{"away", im.Away},
	{"chat", im.FreeToChat},
	{"dnd", im.Busy},
	{"xa", im.ExtendedAway},
}

// showOf is the show of a state, and the words that say the rest of it: XMPP knows fewer states than others do.
// RFC 6121 4.7.2.1; draft 7.7.
func showOf(s im.State) (show, words string) {
	switch s {
	case im.FreeToChat:
		return "chat", ""
	case im.Idle, im.Away:
		return "away", ""
	case im.BeRightBack:
		return "away", "Be right back"
	case im.OutToLunch:
		return "away", "Out to lunch"
	case im.Busy:
		return "dnd", ""
	case im.OnThePhone:
		return "dnd", "On the phone"
	case im.ExtendedAway:
		return "xa", ""
	}
	return "", ""
}

// ReadPresence reads a presence of no type, or of type unavailable: an Offline one, RFC 6121 4.7.1. Only show makes
// the state, so a status "Be right back" beside the show away is still Away. The status text is the one in the
// stanza's own language, or the first. Native is all that stood inside. A show that RFC 6121 4.7.2.1 does not have, a
// priority that is no number from -128 to 127, and two of either are bad-request; an empty one counts as none, as
// some clients send it. Its id goes on with it, RFC 6121 4.3.2.1, unless it is longer than any that is needed.
func ReadPresence(n xmltext.Node) (im.Presence, *Error) { return ReadPresenceIn("", n) }

// ReadPresenceIn is ReadPresence on a stream whose language is lang. A status without a language gets that of its
// stanza, or else of its stream, for it leaves both behind. RFC 6120 8.1.5
func ReadPresenceIn(lang string, n xmltext.Node) (im.Presence, *Error) {
	p := im.Presence{State: im.Available}
	if typ, ok := n.Attr("", "type"); ok && len(typ) > 0 {
		p.State = im.Offline
	}
	var show, priority bool
	for c := range n.Children() {
		switch {
		case c.Is(wire.NSClient, "show"):
			if show {
				return im.Presence{}, Refuse(BadRequest, "There is more than one show element.")
			}
			show = true
			if !readShow(&p, c) {
				return im.Presence{}, Refuse(BadRequest, "The show element must say away, chat, dnd or xa.")
			}
		case c.Is(wire.NSClient, "priority"):
			if priority {
				return im.Presence{}, Refuse(BadRequest, "There is more than one priority element.")
			}
			priority = true
			if !readPriority(&p, c) {
				return im.Presence{}, Refuse(BadRequest, "The priority must be a number from -128 to 127.")
			}
		}
	}
	if p.State == im.Offline {
		p.Priority = 0
	}
	p.Status = string(inOwnLanguage(n, "status").Text())
	id, _ := n.Attr("", "id")
	if len(id) > longestID {
		id = nil
	}
	inner := content(lang, n)
	if len(id) > 0 {
		inner = slices.Concat(id, []byte{afterID}, inner)
	}
	if len(inner) > 0 {
		p.Native = im.Native{Door: Door, Body: inner}
	}
	return p, nil
}

// afterID ends the id that the native form of a presence may begin with: a byte that stands in no XML.
const afterID = 0

// longestID is how long an id is kept with a presence, in bytes.
const longestID = 256

// content is all that stands in a presence, with the language of each status.
func content(lang string, n xmltext.Node) []byte {
	if own, ok := n.Attr(xmltext.XML, "lang"); ok {
		lang = string(own)
	}
	if lang == "" || !n.Child(wire.NSClient, "status").Ok() {
		return wire.AppendContent(nil, n)
	}
	var b []byte
	for c := range n.Content() {
		if c.IsText() && c.Blank() {
			continue
		}
		if _, has := c.Attr(xmltext.XML, "lang"); !has && c.Is(wire.NSClient, "status") {
			b = wire.AppendStanza(b, c, xmltext.Attr{Name: "xml:lang", Value: lang})
		} else {
			b = wire.AppendStanza(b, c)
		}
	}
	return b
}

func readShow(p *im.Presence, n xmltext.Node) bool {
	t := string(trim(n.Text()))
	if t == "" {
		return true
	}
	for _, s := range shows {
		if s.show == t {
			if p.State != im.Offline {
				p.State = s.state
			}
			return true
		}
	}
	return false
}

func readPriority(p *im.Presence, n xmltext.Node) bool {
	t := trim(n.Text())
	if len(t) == 0 {
		return true
	}
	v, err := strconv.ParseInt(string(t), 10, 8)
	p.Priority = int8(v)
	return err == nil
}

// AppendPresence writes a presence: what its sender's client wrote, or else show, status and priority. An empty typ
// becomes unavailable for who cannot be seen; empty addresses are left out. A state that XMPP lacks is told by the
// nearest show, and in words where there is no status text. RFC 6121 4.7. The id of what its sender's client wrote
// stays: RFC 6121 4.3.2.1.
func AppendPresence(dst []byte, from, to, typ string, p im.Presence) []byte {
	if typ == "" && !p.State.Visible() {
		typ = "unavailable"
	}
	var id, inner []byte
	if p.Native.Door == Door {
		var ok bool
		if id, inner, ok = bytes.Cut(p.Native.Body, []byte{afterID}); !ok {
			id, inner = nil, p.Native.Body
		}
	}
	b := wire.Open(dst, "presence", from, to, string(id), typ)
	if p.Native.Door == Door {
		b.Raw(inner)
		return b.Bytes()
	}
	var show, words string
	if typ == "" {
		show, words = showOf(p.State)
	}
	if show != "" {
		b.Start("show").Text(show).End()
	}
	if p.Status != "" {
		words = p.Status
	}
	if words != "" {
		b.Start("status").Text(words).End()
	}
	if p.Priority != 0 && typ == "" {
		b.Start("priority").Text(strconv.Itoa(int(p.Priority))).End()
	}
	return b.Bytes()
}

// ReadRequest is what a presence of type subscribe says besides its type: its words, and all that stood in it, which
// the one who is asked gets as it is, now or at a later login. RFC 6121 3.1.2, 3.1.3.
func ReadRequest(n xmltext.Node) (im.Text, im.Native) { return ReadRequestIn("", n) }

// ReadRequestIn is ReadRequest on a stream whose language is lang, as ReadPresenceIn.
func ReadRequestIn(lang string, n xmltext.Node) (im.Text, im.Native) {
	words := im.NewText(string(inOwnLanguage(n, "status").Text()))
	inner := content(lang, n)
	if len(inner) == 0 {
		return words, im.Native{}
	}
	return words, im.Native{Door: Door, Body: inner}
}

// AppendRequest writes a presence of type subscribe: what its sender's client wrote, or else the words. It has no id:
// it may be offered more than once. RFC 6121 3.1.3.
func AppendRequest(dst []byte, from, to string, words im.Text, native im.Native) []byte {
	return AppendPresence(dst, from, to, "subscribe", im.Presence{Status: words.Reveal(), Native: native})
}
