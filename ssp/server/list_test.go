package server

import (
	"slices"
	"strings"
	"testing"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/wire"
)

const (
	friends = "wv:alice%2Ffriends@a.example"
	work    = "wv:alice%2Fwork@b.example"
)

func nick(name, who string) *wire.Element {
	n := wire.New("NickName")
	if name != "" {
		n.Add(wire.New("Name").With(name))
	}
	return n.Add(user1(who))
}

func newList(id string, who ...string) *wire.Element {
	e := wire.New("CreateContactListRequest", "contactListID", id)
	if len(who) > 0 {
		l := wire.New("NickList")
		for _, w := range who {
			l.Add(nick("", w))
		}
		e.Add(l)
	}
	return e
}

// on is who is on a contact list, with their nicknames.
func on(e *wire.Element) string {
	var l []string
	for n := range e.Child("NickList").Children("NickName") {
		l = append(l, strings.TrimPrefix(n.Child("UserID").Attr("userID"), "wv:")+" "+n.Child("Name").String())
	}
	return strings.Join(l, ", ")
}

// TestContactLists: lists of a peer's user, their members of both domains, properties. SSP 10.1, 10.2.1, 10.2.2, 10.2.3,
// 10.2.4, 10.2.5, 10.2.6, 10.2.7, 10.2.8, 10.2.9, 10.2.10, 10.2.11, 10.3.1, 10.3.2, 10.3.3, 10.3.4, 10.3.5, 10.3.6, 10.3.7,
// 10.3.8, 10.4.1
func TestContactLists(t *testing.T) {
	p := newPair(t)
	p.exchanged("CreateContactList", p.alice, wire.New("CreateContactListRequest", "contactListID", friends).Add(
		ssp.AddProperties(wire.New("ContactListProperties"), []ssp.Property{{Name: "DisplayName", Value: "Friends"}, {Name: "Default", Value: "T"}}),
		wire.New("NickList").Add(nick("Bobby", "bob@b.example"), user1("eve@a.example"))))
	p.refused(p.alice, newList(friends), wire.ContactListExists)
	partly := p.refused(p.alice, newList(work, "dave@b.example", "nobody@b.example"), wire.PartlySuccessful)
	if d := partly.Child("DetailedResult"); d.Attr("code") != "531" || d.Child("UserID").Attr("userID") != "wv:nobody@b.example" {
		t.Error(document(t, partly))
	}
	p.exchanged("GetContactList", p.alice, wire.New("GetContactListRequest"))
	p.exchanged("GetListMember", p.alice, wire.New("GetListMemberRequest", "contactListID", friends))
	p.exchanged("AddListMember", p.alice, wire.New("AddListMemberRequest", "contactListID", friends).Add(
		wire.New("NickList").Add(nick("D", "dave@b.example"), nick("", "bob@b.example"))))
	if got := on(p.must(p.alice, wire.New("GetListMemberRequest", "contactListID", work))); got != "dave@b.example D" {
		t.Errorf("at work is %s", got) // one person has one name
	}
	p.exchanged("RemoveListMember", p.alice, wire.New("RemoveListMemberRequest", "contactListID", friends).Add(wire.New("NickList").Add(user1("eve@a.example"))))
	p.refused(p.alice, wire.New("RemoveListMemberRequest", "contactListID", friends).Add(wire.New("NickList").Add(user1("eve@a.example"))), wire.UnknownUser)
	p.exchanged("GetListProperties", p.alice, wire.New("GetListPropsRequest", "contactListID", friends))
	p.exchanged("SetListProperties", p.alice, wire.New("SetListPropsRequest", "contactListID", work).Add(ssp.AddProperties(wire.New("ContactListProperties"),
		[]ssp.Property{{Name: "Display-Name", Value: "Work"}, {Name: "Default", Value: "Yes"}})))
	if l := ssp.ReadProperties(p.must(p.alice, wire.New("GetListPropsRequest", "contactListID", friends)).Child("ContactListProperties")); l[1].Value != "F" {
		t.Errorf("there are two default lists: %v", l) // SSP 10.1
	}
	for _, bad := range []ssp.Property{{Name: "Colour", Value: "green"}, {Name: "Default", Value: "perhaps"}, {Name: "DisplayName", Value: strings.Repeat("x", 2000)}} {
		p.refused(p.alice, wire.New("SetListPropsRequest", "contactListID", work).Add(ssp.AddProperties(wire.New("ContactListProperties"), []ssp.Property{bad})),
			wire.BadListProperty)
	}
	// nobody knows of others' lists
	for _, id := range []string{"wv:alice%2Fnone@a.example", "wv:eve%2Ffriends@a.example", "wv:%2Ffriends@a.example"} {
		p.refused(p.alice, wire.New("GetListMemberRequest", "contactListID", id), wire.NoContactList)
	}
	p.refused(p.eve, wire.New("GetListPropsRequest", "contactListID", friends), wire.NoContactList)
	p.refused(p.alice, newList("wv:eve%2Fmine@a.example"), wire.Forbidden)
	p.refused(p.alice, newList("wv:alice@a.example"), wire.BadParameter)
	p.refused(nobody, newList(friends), wire.UnknownTransaction)

	p.exchanged("DeleteContactList", p.alice, wire.New("DeleteContactListRequest").Add(listElement(work)))
	p.refused(p.alice, wire.New("DeleteContactListRequest").Add(listElement(work)), wire.NoContactList)
	answer := p.must(p.alice, wire.New("GetContactListRequest"))
	if answer.Child("DefaultContactList").Attr("contactListID") != friends || answer.Child("ContactList").Attr("contactListID") != friends {
		t.Error(document(t, answer))
	}
	if got := on(p.must(p.alice, wire.New("GetListMemberRequest", "contactListID", friends))); got != "bob@b.example Bobby, dave@b.example D" {
		t.Errorf("friends are %s", got)
	}
}

// TestContactListTargets: what is asked for the members of a list is asked for each. SSP 11.2.1, 11.2.4, 11.2.8, 12.2.1
func TestContactListTargets(t *testing.T) {
	p := newPair(t, "PresenceNotification")
	bob, dave := p.b.login("bob"), p.b.login("dave")
	p.must(p.alice, newList(friends, "bob@b.example", "dave@b.example"))
	p.must(p.alice, wire.New("SubscribeRequest").Add(user1("bob@b.example"), listElement(friends)))
	for _, r := range []*resident{bob, dave} {
		hears(t, r, "that alice asks", func(c *exchange.Change) bool { return c.Request != nil && c.Who == p.alice })
		p.b.must(p.b.x.Answer(t.Context(), r.by(), p.alice))
	}
	seen := map[string]bool{}
	for len(seen) < 2 {
		seen[p.comes("PresenceNotification").Child("PresenceValue").Attr("userID")] = true
	}
	answer := p.must(p.alice, wire.New("GetPresenceRequest").Add(listElement(friends)))
	n := 0
	for v := range answer.Children("PresenceValue") {
		if ssp.ReadPresence(v.Child("PresenceSubList")).State == im.Available {
			n++
		}
	}
	if n != 2 {
		t.Error(document(t, answer))
	}
	list, err := ssp.ParseResource(friends)
	p.b.must(err)
	content, size := ssp.Content(im.NewText("to all of you"))
	send := func(to ...ssp.Party) *wire.Element {
		return wire.New("SendMessageRequest", "deliveryReport", "No").Add(ssp.Info{Type: ssp.TextType, Size: size, From: ssp.Party{User: p.alice},
			To: to}.Element(wire.WV10), content)
	}
	sent := p.must(p.alice, send(ssp.Party{List: list}, ssp.Party{User: bob.who}))
	if !strings.HasSuffix(sent.Attr("messageID"), "@b.example") {
		t.Error("the message has no name: ", document(t, sent)) // SSP 12.2.2
	}
	said(t, bob, "to all of you")
	said(t, dave, "to all of you")
	p.must(p.alice, wire.New("UnsubscribeRequest").Add(listElement(friends)))
	for _, r := range []*resident{bob, dave} {
		until(t, "alice watches no more", func() bool { return r.c.Snapshot().Entry(p.alice).Watched == im.WatchNone })
	}
	for _, e := range []*wire.Element{wire.New("SubscribeRequest"), wire.New("UnsubscribeRequest"), wire.New("GetPresenceRequest")} {
		p.refused(p.alice, e.Add(listElement(work)), wire.NoContactList)
	}
	list.Resource = "none"
	p.refused(p.alice, send(ssp.Party{List: list}), wire.NoContactList)
}

// TestPairOfForeigners: two users of the peer's, whose presence service we are: one asks, the other's home domain is asked
// for the answer, and tells how they are. SSP 11.2.2, 11.2.3, 11.3.1, 11.3.2, 11.3.4, 11.3.7
func TestPairOfForeigners(t *testing.T) {
	p := newPair(t, "AuthorizationRequest", "PresenceNotification")
	p.must(p.alice, wire.New("SubscribeRequest").Add(user1("eve@a.example")))
	asked := p.comes("AuthorizationRequest")
	golden(t, "AuthorizationRequest", asked)
	be := func(status string) *wire.Element {
		sub := wire.New("PresenceSubList").Add(attribute("OnlineStatus", "T"), attribute("UserAvailability", "AVAILABLE"), attribute("StatusMood", status))
		return wire.New("UpdatePresenceRequest").Add(wire.New("PresenceValue", "userID", "wv:eve@a.example").Add(sub))
	}
	p.must(p.eve, be("HAPPY"))
	p.must(p.eve, wire.New("AuthorizationResponse").Add(wire.New("Authorizing").Add(user1("eve@a.example"),
		wire.New("Subscribing", "acceptance", "Yes").Add(user1("alice@a.example")))))
	n := p.comes("PresenceNotification")
	if n.Child("User").Attr("userID") != "wv:alice@a.example" || n.Path("PresenceValue", "PresenceSubList", "StatusMood", "PresenceValue").String() != "HAPPY" {
		t.Error(document(t, n)) // what the exchange does not understand comes through
	}
	p.must(p.eve, be("SAD"))
	answer := p.must(p.alice, wire.New("GetPresenceRequest").Add(user1("eve@a.example"), wire.New("AttributeList").Add(wire.New("PresenceSubList").Add(wire.New("StatusMood")))))
	sub := answer.Path("PresenceValue", "PresenceSubList")
	if len(sub.Kids) != 1 || sub.Path("StatusMood", "PresenceValue").String() != "SAD" {
		t.Error(document(t, answer))
	}
	p.refused(p.eve, wire.New("GetPresenceRequest").Add(user1("alice@a.example")), wire.Unauthorized)
}

func attribute(name, value string) *wire.Element {
	return wire.New(name).Add(wire.New("Qualifier").With("T"), wire.New("PresenceValue").With(value))
}

// TestAttributeLists: what somebody is told is what they asked for as far as it is given to them, by name, by a contact
// list, or by default; who is given some is let in. SSP 10.1, 10.2.12, 10.2.13, 10.2.14, 10.2.15, 10.3.9, 10.3.10, 10.3.11,
// 10.4.2
func TestAttributeLists(t *testing.T) {
	p := newPair(t, "PresenceNotification", "AuthorizationRequest")
	p.must(p.eve, newList("wv:eve%2Fclub@a.example", "alice@a.example"))
	p.must(p.eve, wire.New("UpdatePresenceRequest").Add(wire.New("PresenceValue", "userID", "wv:eve@a.example").Add(wire.New("PresenceSubList").Add(
		attribute("OnlineStatus", "T"), attribute("StatusText", "here"), attribute("FreeTextLocation", "in the garden")))))
	give := func(names []string, standard string, to ...*wire.Element) *wire.Element {
		return wire.New("CreateAttrListRequest", "defaultList", standard).Add(ssp.AttributeList(names)).Add(to...)
	}
	p.exchanged("CreateAttributeList", p.eve, give([]string{"OnlineStatus", "StatusText"}, "No", listElement("wv:eve%2Fclub@a.example")))
	p.must(p.eve, give([]string{"OnlineStatus"}, "Yes"))
	p.refused(p.eve, give([]string{"ShoeSize"}, "Yes"), wire.BadAttributes)
	p.refused(p.eve, give([]string{"Alias"}, "No", user1("nobody@b.example")), wire.UnknownUser)
	p.refused(p.eve, give([]string{"Alias"}, "No", listElement(friends)), wire.NoContactList)
	p.refused(p.eve, give([]string{"Alias"}, "No"), wire.BadParameter)

	told := func(e *wire.Element) (l []string) {
		for _, k := range e.Path("PresenceValue", "PresenceSubList").Kids {
			l = append(l, k.Name)
		}
		slices.Sort(l)
		return l
	}
	get := func(names ...string) []string {
		return told(p.must(p.alice, wire.New("GetPresenceRequest").Add(user1("eve@a.example"), ssp.AttributeList(names))))
	}
	p.must(p.alice, wire.New("SubscribeRequest").Add(user1("eve@a.example")))
	if l := told(p.comes("PresenceNotification")); !slices.Equal(l, []string{"OnlineStatus", "StatusText"}) {
		t.Errorf("told %v", l)
	}
	if len(p.came["AuthorizationRequest"]) > 0 {
		t.Error("who is given attributes has to be asked for")
	}
	if l := get("StatusText", "FreeTextLocation"); !slices.Equal(l, []string{"StatusText"}) {
		t.Errorf("told %v", l)
	}
	p.must(p.eve, give([]string{"FreeTextLocation"}, "No", user1("alice@a.example")))
	if l := told(p.comes("PresenceNotification")); !slices.Equal(l, []string{"FreeTextLocation"}) {
		t.Errorf("told %v", l) // at once
	}
	if l := get("StatusText"); l != nil {
		t.Errorf("told %v", l)
	}
	p.exchanged("GetAttrList", p.eve, wire.New("GetAttrListRequest", "defaultList", "Yes"))
	one := p.must(p.eve, wire.New("GetAttrListRequest", "defaultList", "No").Add(user1("alice@a.example")))
	if one.Has("DefaultAttributeList") || one.Path("Presence", "AttributeList", "PresenceSubList", "FreeTextLocation") == nil {
		t.Error(document(t, one))
	}
	p.refused(p.eve, wire.New("GetAttrListRequest", "defaultList", "No").Add(listElement(friends)), wire.NoContactList)

	p.exchanged("DeleteAttrList", p.eve, wire.New("DeleteAttrListRequest", "defaultList", "No").Add(listElement("wv:eve%2Fclub@a.example"), user1("alice@a.example")))
	p.b.s.peer("a.example").users[p.eve].kept.Store(nil) // what is left lasts
	if l := get(); !slices.Equal(l, []string{"OnlineStatus"}) {
		t.Errorf("told %v", l)
	}
	p.must(p.eve, wire.New("DeleteAttrListRequest", "defaultList", "Yes"))
	if l := get(); !slices.Equal(l, []string{"FreeTextLocation", "OnlineStatus", "StatusText"}) {
		t.Errorf("told %v", l)
	}
}

// TestAttributesInAdvance: who is let in by a list alone is not any more when nothing is given. SSP 10.1, 10.3.10
func TestAttributesInAdvance(t *testing.T) {
	p := newPair(t, "AuthorizationRequest")
	e := wire.New("CreateAttrListRequest", "defaultList", "No").Add(wire.New("AttributeList"), user1("alice@a.example"))
	p.must(p.eve, e)
	p.must(p.eve, wire.New("DeleteAttrListRequest", "defaultList", "No").Add(user1("alice@a.example")))
	p.must(p.alice, wire.New("SubscribeRequest").Add(user1("eve@a.example")))
	p.comes("AuthorizationRequest")
}

// TestBlockAndGrant: whom the lists keep from writing, in use or not. SSP 12.2.13, 12.2.14, 12.2.15, 12.3.10, 12.3.11, 12.4.10
func TestBlockAndGrant(t *testing.T) {
	p := newPair(t, "SendMessageRequest")
	bob, dave := p.b.login("bob"), p.b.login("dave")
	users := func(who ...string) *wire.Element {
		e := wire.New("AddUsers")
		for _, w := range who {
			e.Add(user1(w))
		}
		return e
	}
	lists := func(block, grant *wire.Element) *wire.Element { return wire.New("BlockUserRequest").Add(block, grant) }
	p.exchanged("BlockUser", p.alice, lists(wire.New("BlockList", "inUse", "Yes").Add(users("bob@b.example")), wire.New("GrantList", "inUse", "No").Add(users("dave@b.example"))))
	p.exchanged("GetBlockedList", p.alice, wire.New("GetBlockedRequest"))
	reach := func(r *resident, text string, want bool) {
		t.Helper()
		<-r.say(p.alice, text)
		if !want {
			return
		}
		for {
			e := p.comes("SendMessageRequest")
			b, _ := e.Child("ContentData").Bytes()
			if string(b) == text {
				return
			}
			t.Errorf("%q came", b)
		}
	}
	reach(bob, "blocked", false)
	reach(dave, "one", true)
	// not in use: kept, and nobody is blocked
	p.must(p.alice, lists(wire.New("BlockList", "inUse", "No"), wire.New("GrantList", "inUse", "No")))
	bob.say(p.alice, "unblocked")
	p.comes("SendMessageRequest")
	// who is not granted, while that list is
	p.must(p.alice, lists(wire.New("BlockList", "inUse", "No"), wire.New("GrantList", "inUse", "Yes")))
	reach(bob, "not granted", false)
	reach(dave, "granted", true)
	answer := p.must(p.alice, wire.New("GetBlockedRequest"))
	if b := answer.Child("BlockList"); b.Attr("inUse") != "No" || b.Child("UserID").Attr("userID") != "wv:bob@b.example" {
		t.Error(document(t, answer))
	}
	partly := p.refused(p.alice, lists(wire.New("BlockList", "inUse", "Yes").Add(users("nobody@b.example", "dave@b.example")), wire.New("GrantList", "inUse", "No").
		Add(wire.New("RemoveUsers").Add(user1("dave@b.example")))), wire.PartlySuccessful)
	if partly.Child("DetailedResult").Attr("code") != "531" {
		t.Error(document(t, partly))
	}
	answer = p.must(p.alice, wire.New("GetBlockedRequest"))
	if answer.Child("GrantList").Has("UserID") {
		t.Error(document(t, answer))
	}
}
