package server

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/wire"
)

const tea = "wv:alice%2Ftea@a.example" // alice's own, which b.example keeps

func onGroup(primitive, id string) *wire.Element { return wire.New(primitive, "groupID", id) }

func joins(id, nick string) *wire.Element {
	e := wire.New("JoinGroupRequest", "groupID", id, "joinedListRequest", "Yes")
	if nick != "" {
		e.Add(wire.New("ScreenName", "groupID", id).With(nick))
	}
	return e
}

func creates(id string, l ...ssp.Property) *wire.Element {
	return onGroup("CreateGroupRequest", id).Add(ssp.AddProperties(wire.New("GroupProperties"), l))
}

func userIDs(element string, who ...string) *wire.Element {
	e := wire.New(element)
	for _, w := range who {
		e.Add(user1(w))
	}
	return e
}

// listed are the users and names in an element, in its order.
func listed(e *wire.Element) string {
	var l []string
	if e != nil {
		for _, k := range e.Kids {
			switch k.Name {
			case "Mapping":
				l = append(l, k.Child("SName").String()+"="+strings.TrimPrefix(k.Child("UserID").Attr("userID"), "wv:"))
			case "Name":
				l = append(l, k.String())
			default:
				l = append(l, strings.TrimPrefix(k.Attr("userID"), "wv:"))
			}
		}
	}
	return strings.Join(l, ", ")
}

func prop(e *wire.Element, name string) string {
	for _, p := range ssp.ReadProperties(e) {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// TestGroups: made, joined, left, deleted. SSP 13.1.1, 13.1.2, 13.1.3, 13.1.4, 13.1.5, 13.1.6, 13.1.7, 13.1.8, 13.2.1, 13.2.2,
// 13.2.3, 13.2.4, 13.2.5, 13.2.6, 13.3.1, 13.3.2, 13.3.3, 13.3.4, 13.3.9
func TestGroups(t *testing.T) {
	p := newPair(t, "LeaveGroupIndication", "GroupChangeNotice")
	p.exchanged("CreateGroup", p.alice, onGroup("CreateGroupRequest", tea).Add(ssp.AddProperties(wire.New("GroupProperties"),
		[]ssp.Property{{Name: "Name", Value: "Tea time"}, {Name: "AccessType", Value: "Open"}, {Name: "Searchable", Value: "T"}}).Add(
		wire.New("WelcomeNote").Add(wire.New("ContentData", "contentType", "text/plain").WithBytes([]byte("One lump or two?"))))))
	p.refused(p.alice, creates(tea), wire.GroupExists)
	for _, bad := range []ssp.Property{{Name: "Colour", Value: "green"}, {Name: "AccessType", Value: "perhaps"}, {Name: "Type", Value: "Public"},
		{Name: "MaxActiveUsers", Value: "-1"}, {Name: "Topic", Value: strings.Repeat("x", 2000)}} {
		p.refused(p.alice, creates("wv:alice%2Fother@a.example", bad), wire.BadGroupProperties)
	}
	p.refused(p.alice, creates("wv:eve%2Fmine@a.example"), wire.NoPrivilege)
	p.refused(p.alice, creates("wv:alice@a.example"), wire.BadParameter)
	p.refused(nobody, creates("wv:alice%2Fother@a.example"), wire.UnknownTransaction)

	p.exchanged("JoinGroup", p.alice, joins(tea, "Al"))
	p.refused(p.alice, joins(tea, "Al"), wire.Joined)
	p.refused(p.eve, joins(tea, "AL"), wire.NameInUse)
	p.refused(p.eve, joins("wv:alice%2Fnone@a.example", ""), wire.NoGroup)
	p.refused(p.eve, wire.New("JoinGroupRequest", "groupID", tea, "joinedListRequest", "No").Add(
		wire.New("ScreenName", "groupID", "wv:%2Fother@a.example").With("Eve")), wire.BadParameter)
	answer := p.must(p.eve, wire.New("JoinGroupRequest", "groupID", tea, "joinedListRequest", "No"))
	if answer.Child("JoinedList") != nil || answer.Child("WelcomeNote") == nil {
		t.Error(document(t, answer))
	}
	p.exchanged("GetJoinedMember", p.alice, onGroup("GetJoinedMemberRequest", tea))
	if got := listed(p.must(nobody, onGroup("GetJoinedMemberRequest", tea)).Child("JoinedUsers").Child("UserMapList").Child("UserMapping")); got != "Al=, guest=" {
		t.Errorf("in the group are %s", got)
	}
	p.refused(nobody, onGroup("GetJoinedMemberRequest", "wv:alice%2Fnone@a.example"), wire.NoGroup)
	p.exchanged("LeaveGroup", p.eve, onGroup("LeaveGroupRequest", tea))
	p.refused(p.eve, onGroup("LeaveGroupRequest", tea), wire.NotJoined)

	p.must(p.eve, joins(tea, "Eve"))
	p.refused(p.eve, onGroup("DeleteGroupRequest", tea), wire.NoPrivilege)
	p.exchanged("DeleteGroup", p.alice, onGroup("DeleteGroupRequest", tea))
	p.refused(p.alice, onGroup("DeleteGroupRequest", tea), wire.NoGroup)
	out := map[string]bool{}
	for range 2 {
		e := p.comes("LeaveGroupIndication")
		out[e.Child("User").Attr("userID")] = e.Child("ReasonText").String() == "The group is deleted." && e.Attr("groupID") == tea
	}
	if !out["wv:alice@a.example"] || !out["wv:eve@a.example"] {
		t.Error(out)
	}
	p.refused(p.eve, onGroup("LeaveGroupRequest", tea), wire.NotJoined)
	n := 0
	for ; wire.StatusOf(p.asks(p.alice, creates("wv:alice%2Fn"+strconv.Itoa(n)+"@a.example"))) == wire.Successful && n < 1000; n++ {
	}
	p.refused(p.alice, creates("wv:alice%2Fmore@a.example"), wire.TooManyGroups)
	// one of the service's
	open := im.TrustedRoomID("b.example", "open")
	p.b.must(p.b.x.CreateRoom(t.Context(), exchange.By{}, open, im.RoomProps{Public: true, Persists: true, MaxUsers: 1}))
	p.must(p.alice, joins("wv:%2Fopen@b.example", ""))
	p.refused(p.eve, joins("wv:%2Fopen@b.example", ""), wire.TooManyJoined)
	p.refused(p.alice, onGroup("DeleteGroupRequest", "wv:%2Fopen@b.example"), wire.GroupPublic)
	p.must(p.eve, creates("wv:%2Fclub@b.example", ssp.Property{Name: "AutoDelete", Value: "T"}))
}

// TestGroupMembers: who belongs to a group, and who may not. SSP 13.1.9, 13.1.10, 13.1.11, 13.1.12, 13.1.13, 13.1.17,
// 13.1.18, 13.2.7, 13.2.8, 13.2.9, 13.2.10, 13.2.13, 13.3.5, 13.3.7
func TestGroupMembers(t *testing.T) {
	p := newPair(t, "LeaveGroupIndication", "GroupChangeNotice")
	p.must(p.alice, creates(tea, ssp.Property{Name: "AccessType", Value: "Restricted"}))
	p.refused(p.eve, joins(tea, ""), wire.NotMember)
	p.exchanged("AddGroupMember", p.alice, onGroup("AddGroupMemberRequest", tea).Add(user1("eve@a.example"), user1("bob@b.example"), user1("dave@b.example")))
	p.must(p.alice, onGroup("AddGroupMemberRequest", tea))
	p.refused(p.alice, onGroup("AddGroupMemberRequest", tea).Add(user1("nobody@b.example")), wire.UnknownUser)
	p.must(p.eve, joins(tea, "Eve"))
	p.refused(p.eve, onGroup("GetGroupMemberRequest", tea), wire.NoPrivilege)
	p.refused(p.eve, onGroup("AddGroupMemberRequest", tea).Add(user1("bob@b.example")), wire.NoPrivilege)
	p.refused(p.eve, onGroup("RejectListRequest", tea), wire.NoPrivilege)
	p.exchanged("MemberAccess", p.alice, onGroup("MemberAccessRequest", tea).Add(userIDs("Admins", "bob@b.example"), userIDs("Moderators", "eve@a.example"),
		userIDs("OrdinaryUsers", "dave@b.example")))
	p.refused(p.alice, onGroup("MemberAccessRequest", tea).Add(userIDs("Admins", "bob@b.example"), userIDs("Moderators", "bob@b.example")), wire.BadParameter)
	p.refused(p.eve, onGroup("MemberAccessRequest", tea).Add(userIDs("Admins", "eve@a.example")), wire.NoPrivilege)
	p.exchanged("GetGroupMember", p.eve, onGroup("GetGroupMemberRequest", tea))
	p.exchanged("RemoveGroupMember", p.alice, onGroup("RemoveGroupMemberRequest", tea).Add(user1("dave@b.example")))
	p.refused(p.alice, onGroup("RemoveGroupMemberRequest", tea).Add(user1("dave@b.example")), wire.UnknownUser)
	p.refused(p.alice, onGroup("RemoveGroupMemberRequest", tea).Add(user1("alice@a.example")), wire.NoPrivilege)
	p.exchanged("RejectList", p.alice, onGroup("RejectListRequest", tea).Add(userIDs("AddUsers", "eve@a.example"), userIDs("RemoveUsers", "dave@b.example")))
	e := p.comes("LeaveGroupIndication")
	if e.Child("User").Attr("userID") != "wv:eve@a.example" || e.Child("MetaInfo").Attr("clientOriginated") != "No" {
		t.Error(document(t, e))
	}
	p.refused(p.eve, joins(tea, ""), wire.Rejected)
	p.refused(p.eve, onGroup("GetGroupPropsRequest", tea), wire.NoPrivilege)
	p.refused(p.alice, onGroup("AddGroupMemberRequest", tea).Add(user1("eve@a.example")), wire.Rejected)
	if got := listed(p.must(p.alice, onGroup("RejectListRequest", tea)).Child("RejectList")); got != "eve@a.example" {
		t.Errorf("rejected are %s", got)
	}
	p.must(p.alice, onGroup("RejectListRequest", tea).Add(userIDs("RemoveUsers", "eve@a.example")))
	if e := p.must(p.alice, onGroup("RejectListRequest", tea)); e.Child("RejectList") != nil {
		t.Error(document(t, e))
	}
	p.refused(p.alice, onGroup("RejectListRequest", "wv:alice%2Fnone@a.example"), wire.NoGroup)
	p.refused(p.alice, onGroup("GetGroupMemberRequest", "wv:alice%2Fnone@a.example"), wire.NoGroup)
}

// TestGroupProps: properties of a group and of who is in it; who is told what. SSP 13.1.14, 13.1.15, 13.1.16, 13.1.19,
// 13.1.20, 13.1.21, 13.1.22, 13.1.23, 13.2.11, 13.2.12, 13.2.14, 13.2.15, 13.2.16, 13.2.17, 13.3.6, 13.3.8
func TestGroupProps(t *testing.T) {
	p := newPair(t, "GroupChangeNotice", "LeaveGroupIndication")
	p.must(p.alice, creates(tea, ssp.Property{Name: "Name", Value: "Tea"}))
	p.refused(p.eve, onGroup("SubscribeGroupChangeRequest", tea), wire.NotJoined)
	p.refused(p.eve, onGroup("SubscribeGroupChangeRequest", "wv:alice%2Fnone@a.example"), wire.NoGroup)
	p.refused(p.eve, onGroup("GetGroupSubStatusRequest", tea), wire.NotJoined)
	p.must(p.alice, joins(tea, "Al"))
	p.exchanged("SubscribeGroupChange", p.alice, onGroup("SubscribeGroupChangeRequest", tea))
	p.exchanged("GetGroupSubStatus", p.alice, onGroup("GetGroupSubStatusRequest", tea))
	p.must(p.eve, joins(tea, "Eve"))
	golden(t, "GroupChangeNotice", p.comes("GroupChangeNotice"))
	if e := p.must(p.eve, onGroup("GetGroupSubStatusRequest", tea)); e.Attr("subscribed") != "No" {
		t.Error(document(t, e))
	}
	set := func(group, own []ssp.Property) *wire.Element {
		e := onGroup("SetGroupPropsRequest", tea)
		if group != nil {
			e.Add(ssp.AddProperties(wire.New("GroupProperties"), group))
		}
		if own != nil {
			e.Add(ssp.AddProperties(wire.New("OwnProperties"), own))
		}
		return e
	}
	p.exchanged("SetGroupProps", p.alice, set([]ssp.Property{{Name: "Topic", Value: "Assam"}, {Name: "MaxActiveUsers", Value: "9"}},
		[]ssp.Property{{Name: "ShowID", Value: "T"}}))
	for _, want := range []string{"Topic", "ShowID"} {
		e := p.comes("GroupChangeNotice")
		if prop(e.Child("GroupProperties"), "Topic") == "Assam" == (prop(e.Child("OwnProperties"), "ShowID") == "T") {
			t.Errorf("%s: %s", want, document(t, e))
		}
	}
	p.exchanged("GetGroupProps", p.eve, onGroup("GetGroupPropsRequest", tea))
	for _, bad := range []*wire.Element{set([]ssp.Property{{Name: "ActiveUsers", Value: "3"}}, nil), set(nil, []ssp.Property{{Name: "PrivilegeLevel", Value: "Admin"}}),
		set(nil, []ssp.Property{{Name: "ShowID", Value: "maybe"}}), set([]ssp.Property{{Name: "History", Value: "many"}}, nil)} {
		p.refused(p.alice, bad, wire.BadGroupProperties)
	}
	p.refused(p.alice, set([]ssp.Property{{Name: "Type", Value: "Public"}}, nil), wire.GroupPrivate)
	p.refused(p.eve, set([]ssp.Property{{Name: "Topic", Value: "Eve's"}}, nil), wire.NoPrivilege)
	p.refused(p.eve, onGroup("GetGroupPropsRequest", "wv:alice%2Fnone@a.example"), wire.NoGroup)
	p.must(p.eve, onGroup("LeaveGroupRequest", tea))
	if e := p.comes("GroupChangeNotice"); listed(e.Child("Left")) != "Eve" {
		t.Error(document(t, e))
	}
	p.exchanged("UnsubscribeGroupChange", p.alice, onGroup("UnsubscribeGroupChangeRequest", tea))
	p.must(p.eve, joins(tea, "Eve"))
	p.must(p.alice, onGroup("LeaveGroupRequest", tea))
	select {
	case e := <-p.came["GroupChangeNotice"]:
		t.Error(document(t, e))
	default:
	}
}

// sends is a message of somebody's to groups, or to those in them.
func sends(id string, from im.Address, text string, to ...ssp.Party) *wire.Element {
	content, size := ssp.Content(im.NewText(text))
	return wire.New("SendMessageRequest", "deliveryReport", "No").Add(ssp.Info{ID: id, Type: ssp.TextType, Size: size, From: ssp.Party{User: from},
		To: to}.Element(wire.WV10), content)
}

func groupParty(t *testing.T, id, name string) ssp.Party {
	t.Helper()
	a, err := ssp.ParseResource(id)
	if err != nil {
		t.Fatal(err)
	}
	return ssp.Party{Group: a, Name: name}
}

func text(e *wire.Element) string {
	b, _ := e.Child("ContentData").Bytes()
	return string(b)
}

// TestGroupWords: words to all in a group, and to one; its history; how they are delivered; searches. SSP 9.2.1, 12.2.1,
// 12.2.4, 12.2.6, 12.2.7, 12.2.8, 12.2.9, 12.3.1, 12.3.3, 12.3.4, 12.3.5, 12.3.6, 12.3.7, 12.4.1, 12.4.3
func TestGroupWords(t *testing.T) {
	p := newPair(t, "NewMessage", "MessageNotification")
	p.must(p.alice, creates(tea, ssp.Property{Name: "Name", Value: "Tea time"}, ssp.Property{Name: "Searchable", Value: "T"}, ssp.Property{Name: "History", Value: "10"}))
	all := groupParty(t, tea, "")
	p.refused(p.alice, sends("1@a.example", p.alice, "anybody?", all), wire.NotJoined)
	p.refused(p.alice, sends("2@a.example", p.alice, "anybody?", groupParty(t, "wv:alice%2Fnone@a.example", "")), wire.NoGroup)
	p.refused(p.alice, wire.New("GetMessageListRequest", "groupID", tea), wire.NotJoined)
	p.must(p.alice, joins(tea, "Al"))
	p.must(p.eve, joins(tea, "Eve"))
	for _, id := range []string{"3@a.example", "3@a.example"} { // the second comes again
		if e := p.must(p.alice, sends(id, p.alice, "tea is ready", all)); e.Attr("messageID") != id {
			t.Error(document(t, e))
		}
	}
	e := p.comes("NewMessage")
	golden(t, "NewMessage_group", e)
	if e.Child("User").Attr("userID") != "wv:eve@a.example" || text(e) != "tea is ready" {
		t.Error(document(t, e))
	}
	p.must(p.eve, sends("4@a.example", p.eve, "psst", groupParty(t, tea, "al")))
	e = p.comes("NewMessage")
	to, err := ssp.ReadParties(e.Child("MessageInfo").Child("Recipient"))
	if err != nil || to[0].Name != "Al" || text(e) != "psst" || e.Child("User").Attr("userID") != "wv:alice@a.example" {
		t.Error(document(t, e))
	}
	p.refused(p.eve, sends("5@a.example", p.eve, "psst", groupParty(t, tea, "nobody")), wire.UnknownUser)
	p.must(p.alice, onGroup("SetGroupPropsRequest", tea).Add(ssp.AddProperties(wire.New("OwnProperties"), []ssp.Property{{Name: "PrivateMessaging", Value: "F"}})))
	p.refused(p.eve, sends("6@a.example", p.eve, "psst", groupParty(t, tea, "Al")), wire.NoPrivateForUser)
	p.must(p.alice, onGroup("SetGroupPropsRequest", tea).Add(ssp.AddProperties(wire.New("GroupProperties"), []ssp.Property{{Name: "PrivateMessaging", Value: "F"}})))
	p.refused(p.eve, sends("7@a.example", p.eve, "psst", groupParty(t, tea, "Al")), wire.NoPrivateInGroup)

	list := p.exchanged("GetMessageList_group", p.eve, wire.New("GetMessageListRequest", "groupID", tea))
	got := p.fetches(p.eve, list.Child("MessageInfo").Attr("messageID"))
	if text(got) != "tea is ready" {
		t.Error(document(t, got))
	}
	p.must(p.eve, wire.New("SetMessageDeliveryMethod", "groupID", tea, "deliveryMethod", "Notify/Get"))
	p.must(p.alice, sends("8@a.example", p.alice, "milk?", all))
	told := p.comes("MessageNotification")
	if got := p.fetches(p.eve, told.Child("MessageInfo").Attr("messageID")); text(got) != "milk?" {
		t.Error(document(t, got))
	}
	p.must(p.alice, onGroup("SetGroupPropsRequest", tea).Add(ssp.AddProperties(wire.New("GroupProperties"), []ssp.Property{{Name: "History", Value: "0"}})))
	p.refused(p.eve, wire.New("GetMessageListRequest", "groupID", tea), wire.NoHistory)

	for pairs, want := range map[string]string{"GROUP_NAME time": "alice%2Ftea@a.example", "GROUP_ID alice/tea": "alice%2Ftea@a.example", "GROUP_USER_ID_JOINED alice@a": "",
		"GROUP_TOPIC coffee": ""} {
		element, s, _ := strings.Cut(pairs, " ")
		if got := results(p.must(p.eve, find(0, element, s))); got != want {
			t.Errorf("%s finds %q", pairs, got)
		}
	}
	p.must(p.alice, onGroup("SetGroupPropsRequest", tea).Add(ssp.AddProperties(wire.New("OwnProperties"), []ssp.Property{{Name: "ShowID", Value: "T"}})))
	if got := results(p.must(p.eve, find(0, "GROUP_USER_ID_JOINED", "alice@a"))); got != "alice%2Ftea@a.example" {
		t.Errorf("alice is found in %q", got)
	}
}

// fetches has a get a message: SSP 12.3.5.
func (p *pair) fetches(as im.Address, id string) (got *wire.Element) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	l := p.a.s.peer("b.example").link.Load()
	_, err := l.RequestThen(ctx, wire.New("GetMessageRequest", "messageID", id).Add(p.a.s.meta(as)), func(e *wire.Element) *wire.Element {
		got = e
		return wire.New("MessageDelivered", "messageID", id).Add(p.a.s.meta(as))
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return got
}

// TestGroupsEndWithTheSession: users of a domain that there is no session with are in no group. SSP 13.2.5
func TestGroupsEndWithTheSession(t *testing.T) {
	p := newPair(t)
	p.must(p.alice, creates(tea))
	p.must(p.alice, joins(tea, "Al"))
	id := im.TrustedRoomID("alice@a.example", "tea")
	users := func() int {
		v, err := p.b.x.RoomInfo(t.Context(), exchange.By{}, id)
		if err != nil {
			t.Fatal(err)
		}
		return len(v.Users)
	}
	if users() != 1 {
		t.Fatal("alice is not in")
	}
	p.b.s.peer("a.example").end(p.b.s.peer("a.example").link.Load(), errors.New("cut"))
	if users() != 0 {
		t.Error("alice is still in")
	}
}

// TestGroupsNotAgreedOn: what is not in the agreement is not done. SSP 7.3.3, 14.4.6
func TestGroupsNotAgreedOn(t *testing.T) {
	p := newPair(t)
	p.must(p.alice, creates(tea))
	p.must(p.alice, joins(tea, "Al"))
	l := p.b.s.peer("a.example").link.Load()
	mine, theirs := l.Agreed()
	l.SetAgreed(slices.DeleteFunc(slices.Clone(mine), func(n string) bool {
		return slices.Contains([]string{"IMFeature/SendMsgGroupID", "IMFeature/GroupHistory", "CommonFeature/SearchGroup", "GroupFeature/MemberMgmt"}, n)
	}), theirs)
	p.refused(p.alice, sends("1@a.example", p.alice, "anybody?", groupParty(t, tea, "")), wire.NotAgreed)
	p.refused(p.alice, wire.New("GetMessageListRequest", "groupID", tea), wire.NotAgreed)
	p.refused(p.alice, find(0, "GROUP_NAME", "tea"), wire.NotAgreed)
	p.refused(p.alice, onGroup("GetGroupMemberRequest", tea), wire.NotAgreed)
	p.must(p.alice, onGroup("LeaveGroupRequest", tea))
}

// TestForwardedToAGroup: a message in the box goes on to a group. SSP 12.2.3, 12.3.2, 12.4.9
func TestForwardedToAGroup(t *testing.T) {
	p := newPair(t, "only MessageNotification") // else a would fetch it for her
	p.must(p.alice, wire.New("SetMessageDeliveryMethod", "deliveryMethod", "Notify/Get"))
	p.must(p.alice, creates(tea))
	bob := p.b.login("bob")
	id := im.TrustedRoomID("alice@a.example", "tea")
	bob.enters(id, "Bob")
	if err := <-bob.say(p.alice, "for all to read"); err != nil {
		t.Fatal(err)
	}
	forward := func(to ssp.Party) *wire.Element {
		return wire.New("ForwardMessageRequest", "messageID", p.comes("MessageNotification").Child("MessageInfo").Attr("messageID")).Add(
			wire.New("Recipient").Add(to.Element(wire.WV10)))
	}
	e := forward(groupParty(t, tea, ""))
	p.refused(p.alice, e, wire.NotJoined)
	p.must(p.alice, joins(tea, "Al"))
	e.Kids = e.Kids[1:] // the Meta-Information is made anew
	p.must(p.alice, e)
	if w := hears(t, bob, "alice", roomWords("for all to read")); w.By.Nick != "Al" {
		t.Errorf("%s says it", w.By.Nick)
	}
}
