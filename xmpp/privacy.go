package xmpp

import (
	"cmp"
	"slices"
	"strconv"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp/wire"
)

// kinds are the elements that say which stanzas a rule is about; none of them says all. XEP-0016 2.1; RFC 3921 10.1.
var kinds = []struct {
	name string
	what im.Traffic
}{
	{"message", im.Messages},
	{"iq", im.Queries},
	{"presence-in", im.PresenceIn},
	{"presence-out", im.PresenceOut},
}

// ReadList reads a privacy list; a list without items is what removes one. group resolves a name in the owner's
// roster. The rules come in their order. An action, order, type or value that is not allowed, and an order twice, are
// bad-request, an address that is none jid-malformed, a group that the roster does not have item-not-found.
// XEP-0016 2.1, 2.6; RFC 3921 10.1, 10.2.
func ReadList(n xmltext.Node, group func(name string) (im.GroupID, bool)) (im.RuleList, *Error) {
	name, ok := n.Attr("", "name")
	if !ok {
		return im.RuleList{}, Refuse(BadRequest, "The list has no name.")
	}
	l := im.RuleList{Name: string(name)}
	for c := range n.Children() {
		if !c.Is(wire.NSPrivacy, "item") {
			return im.RuleList{}, Refuse(BadRequest, "A list has items, and nothing else.")
		}
		r, err := readRule(c, group)
		if err != nil {
			return im.RuleList{}, err
		}
		l.Rules = append(l.Rules, r)
	}
	slices.SortStableFunc(l.Rules, func(a, b im.Rule) int { return cmp.Compare(a.Order, b.Order) })
	for i := 1; i < len(l.Rules); i++ {
		if l.Rules[i].Order == l.Rules[i-1].Order {
			return im.RuleList{}, Refuse(BadRequest, "Two items have the same order.")
		}
	}
	return l, nil
}

func readRule(n xmltext.Node, group func(string) (im.GroupID, bool)) (im.Rule, *Error) {
	var r im.Rule
	switch action, _ := n.Attr("", "action"); string(trim(action)) {
	case "allow":
		r.Allow = true
	case "deny":
	default:
		return r, Refuse(BadRequest, "The action of an item must be allow or deny.")
	}
	text, _ := n.Attr("", "order")
	order, err := strconv.ParseUint(string(trim(text)), 10, 32)
	if err != nil {
		return r, Refuse(BadRequest, "The order of an item must be a number from 0 to 4294967295.")
	}
	r.Order = int64(order)
	for c := range n.Children() {
		i := slices.IndexFunc(kinds, func(k struct {
			name string
			what im.Traffic
		}) bool {
			return c.Is(wire.NSPrivacy, k.name)
		})
		if i < 0 || r.What&kinds[i].what != 0 {
			return r, Refuse(BadRequest, "In an item may stand message, iq, presence-in and presence-out, each once.")
		}
		r.What |= kinds[i].what
	}
	if r.What == 0 {
		r.What = im.Everything
	}
	return r, readWhom(&r, n, group)
}

// readWhom reads type and value. An item without a type is about everybody, XEP-0016 2.1.
func readWhom(r *im.Rule, n xmltext.Node, group func(string) (im.GroupID, bool)) *Error {
	typ, typed := n.Attr("", "type")
	text, valued := n.Attr("", "value")
	if typed != valued {
		return Refuse(BadRequest, "An item has a type and a value, or neither.")
	}
	if !typed {
		return nil
	}
	value := string(text)
	switch string(trim(typ)) {
	case "jid":
		j, err := ParseJID(value)
		if err != nil {
			return Refuse(JIDMalformed, "The value of an item is not an address.")
		}
		r.By, r.Value = ByOf(j)
	case "group":
		id, ok := group(value)
		if !ok {
			return Refuse(ItemNotFound, "The roster has no group of this name.")
		}
		r.By, r.Group = im.ByGroup, id
	case "subscription":
		if value != "none" && value != "to" && value != "from" && value != "both" {
			return Refuse(BadRequest, "A subscription is none, to, from or both.")
		}
		r.By, r.Value = im.ByWatch, value
	default:
		return Refuse(BadRequest, "The type of an item must be jid, group or subscription.")
	}
	return nil
}

// ByOf is how a rule names those whom a JID in a list matches: one session, one address with all its sessions, or
// everybody at a domain. XEP-0016 2.1, XEP-0191 6.
func ByOf(j JID) (by im.By, value string) {
	r := im.Whom{Address: j.Bare, Slot: j.Resource}.Rule()
	return r.By, r.Value
}

// AppendList writes a list. Rules of a group that groups has no name for matter no more and are left out; orders
// below 0, which denials put at the head have, are moved up, all others with them. Names that are kept with denials
// are not shown. XEP-0016 2.1, 2.3.
func AppendList(dst []byte, l im.RuleList, groups func(im.GroupID) string) []byte {
	var up int64
	for _, r := range l.Rules {
		up = max(up, -r.Order)
	}
	b := xmltext.Build(dst)
	b.Start("list").Attr("name", l.Name)
	for _, r := range l.Rules {
		typ, value := "", r.Value
		switch r.By {
		case im.ByAddress, im.BySession, im.ByDomain:
			typ = "jid"
		case im.ByWatch:
			typ = "subscription"
		case im.ByGroup:
			typ, value = "group", groups(r.Group)
			if value == "" {
				continue
			}
		}
		b.Start("item")
		if typ != "" {
			b.Attr("type", typ).Attr("value", value)
		}
		action := "deny"
		if r.Allow {
			action = "allow"
		}
		b.Attr("action", action).Attr("order", strconv.FormatInt(r.Order+up, 10))
		for _, k := range kinds {
			if r.What != im.Everything && r.What&k.what != 0 {
				b.Start(k.name).End()
			}
		}
		b.End()
	}
	return b.Bytes()
}

// ListName is the name attribute of an active, default or list element, and whether it has one: without, a list is
// declined. XEP-0016 2.4, 2.5.
func ListName(n xmltext.Node) (name string, ok bool) {
	v, ok := n.Attr("", "name")
	return string(v), ok
}

// ReadItems reads the addresses in a block or unblock element, each once and as they stand in it; none is an error
// only to who blocks. An item without an address is bad-request, an address that is none jid-malformed.
// XEP-0191 3.3, 3.4, 3.5.
func ReadItems(n xmltext.Node) ([]im.Whom, *Error) {
	var l []im.Whom
	seen := map[im.Whom]bool{}
	for c := range n.Children() {
		if !c.Is(wire.NSBlocking, "item") {
			return nil, Refuse(BadRequest, "Only items stand in here.")
		}
		v, ok := c.Attr("", "jid")
		if !ok {
			return nil, Refuse(BadRequest, "An item has a jid.")
		}
		j, err := ParseJIDBytes(v)
		if err != nil {
			return nil, Refuse(JIDMalformed, "The jid of an item is not an address.")
		}
		if w := (im.Whom{Address: j.Bare, Slot: j.Resource}); !seen[w] {
			seen[w] = true
			l = append(l, w)
		}
	}
	return l, nil
}
