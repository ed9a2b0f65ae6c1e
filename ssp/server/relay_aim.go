package server

import (
	"slices"
	"strings"

	"parley/ssp/wire"
)

// spots say where in a primitive stands who or what it is about: elements of these names, right in it or in its element
// called parent. Primitives with none are about the user who asks, or are the session's own. SSP 9 to 13
var spots = map[string]struct {
	parent string
	names  []string
}{
	"GetUserProfileRequest":         {"", []string{"UserID"}},
	"VerifyUseridRequest":           {"", []string{"VerUserID"}},
	"SubscribeRequest":              {"", []string{"UserID", "ContactList"}},
	"UnsubscribeRequest":            {"", []string{"UserID", "ContactList"}},
	"GetPresenceRequest":            {"", []string{"UserID", "VerUserID", "ContactList"}},
	"AuthorizationRequest":          {"", []string{"Authorizing"}},
	"PresenceNotification":          {"", []string{"User"}},
	"SendMessageRequest":            {"MessageInfo", []string{"Recipient"}},
	"NewMessage":                    {"", []string{"User"}},
	"MessageNotification":           {"", []string{"User"}},
	"DeliveryStatusReport":          {"MessageInfo", []string{"Sender"}},
	"LeaveGroupIndication":          {"", []string{"User"}},
	"GroupChangeNotice":             {"", []string{"User"}},
	"CreateGroupRequest":            {},
	"DeleteGroupRequest":            {},
	"JoinGroupRequest":              {},
	"LeaveGroupRequest":             {},
	"GetJoinedMemberRequest":        {},
	"GetGroupMemberRequest":         {},
	"AddGroupMemberRequest":         {},
	"RemoveGroupMemberRequest":      {},
	"MemberAccessRequest":           {},
	"GetGroupPropsRequest":          {},
	"SetGroupPropsRequest":          {},
	"RejectListRequest":             {},
	"SubscribeGroupChangeRequest":   {},
	"UnsubscribeGroupChangeRequest": {},
	"GetGroupSubStatusRequest":      {},
	"GetMessageListRequest":         {},
	"SetMessageDeliveryMethod":      {},
}

// spot is one of those that a primitive is about.
type spot struct {
	address string
	e       *wire.Element // nil when it is the primitive's own groupID
}

// service is the service that whoever is named has to do with, in a primitive of one: groups, when it is a group. SSP 12.2.1
func (a spot) service(of Service) Service {
	if a.e == nil && a.address != "" || a.e != nil && a.e.Name == "Recipient" && (a.e.Child("GroupID") != nil || a.e.Child("ScreenName") != nil) {
		return Groups
	}
	return of
}

// aimsOf are whom or what a primitive is about.
func aimsOf(e *wire.Element) (l []spot) {
	at, ok := spots[e.Name]
	if !ok {
		return nil
	}
	if at.names == nil {
		return []spot{{address: e.Attr("groupID")}}
	}
	if at.parent != "" {
		e = e.Child(at.parent)
	}
	if e == nil {
		return nil
	}
	for _, k := range e.Kids {
		if slices.Contains(at.names, k.Name) {
			l = append(l, spot{addressIn(k), k})
		}
	}
	return l
}

// addressKeys are the attributes that are addresses: ssp-syntax 2.5.
var addressKeys = []string{"userID", "groupID", "contactListID"}

// addressIn is the first address in an element.
func addressIn(e *wire.Element) string {
	for _, k := range addressKeys {
		if v := e.Attr(k); v != "" {
			return v
		}
	}
	if u := e.Child("UserID"); u != nil {
		return u.Attr("userID")
	}
	for _, k := range e.Kids {
		if v := addressIn(k); v != "" {
			return v
		}
	}
	return ""
}

// part is a primitive about some of those alone whom it is about. What both have in common is shared.
func (l spotSet) part(e *wire.Element) *wire.Element {
	at := spots[e.Name]
	keep := func(e *wire.Element) *wire.Element {
		c := *e
		c.Kids = slices.DeleteFunc(slices.Clone(e.Kids), func(k *wire.Element) bool {
			return slices.Contains(at.names, k.Name) && !slices.ContainsFunc(l, func(s spot) bool { return s.e == k })
		})
		return &c
	}
	switch {
	case at.names == nil:
		return e
	case at.parent == "":
		return keep(e)
	}
	c := *e
	c.Kids = slices.Clone(e.Kids)
	for i, k := range c.Kids {
		if k.Name == at.parent {
			c.Kids[i] = keep(k)
		}
	}
	return &c
}

// spotSet is some of those that a primitive is about.
type spotSet []spot

// named are they as a DetailedResult names them: SSP 14.2.2; ssp-syntax 2.4.
func (l spotSet) named() (named []*wire.Element) {
	for _, s := range l {
		switch {
		case s.e == nil:
			named = append(named, wire.New("GroupID", "groupID", s.address))
		case s.e.Name == "ContactList":
			named = append(named, listElement(s.address))
		case s.e.Name == "Recipient" && s.e.Child("ContactList") != nil:
			named = append(named, listElement(s.address))
		case s.e.Name == "Recipient" && (s.e.Child("GroupID") != nil || s.e.Child("ScreenName") != nil):
			named = append(named, wire.New("GroupID", "groupID", s.address))
		default:
			named = append(named, userID(s.address))
		}
	}
	return named
}

// global is an element in which addresses of local scope, which name no domain, are those of a domain: SSP 2.2, rule 2. One
// that has none is given back as it is.
func global(e *wire.Element, domain string) *wire.Element {
	var c *wire.Element
	edit := func() *wire.Element {
		if c == nil {
			v := *e
			v.Attrs, v.Kids = slices.Clone(e.Attrs), slices.Clone(e.Kids)
			c = &v
		}
		return c
	}
	for i, a := range e.Attrs {
		if slices.Contains(addressKeys, a.Name) && a.Value != "" && !strings.Contains(a.Value, "@") {
			edit().Attrs[i].Value = a.Value + "@" + domain
		}
	}
	for i, k := range e.Kids {
		if g := global(k, domain); g != k {
			edit().Kids[i] = g
		}
	}
	if c != nil {
		return c
	}
	return e
}
