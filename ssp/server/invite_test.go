package server

import (
	"slices"
	"strings"
	"testing"

	"parley/exchange"
	"parley/im"
	"parley/ssp/wire"
)

func user2(who string) *wire.Element { return wire.New("User", "userID", "wv:"+who) }

func invitation1(id, typ, note string, to ...string) *wire.Element {
	e := wire.New("InviteRequest", "inviteID", id, "inviteType", typ).Add(wire.New("Inviting").Add(user2("alice@a.example")))
	l := wire.New("Invited")
	for _, w := range to {
		l.Add(user2(w))
	}
	if typ == "GR" {
		e.Add(wire.New("GroupID", "groupID", "wv:%2Fforum@a.example"))
	}
	if typ == "SC" {
		e.Add(wire.New("ContentIDList").Add(wire.New("ContentID", "url", "http://a.example/pic/7")))
	}
	return e.Add(l, wire.New("InviteNote").With(note))
}

func cancel(id string, to ...string) *wire.Element {
	l := wire.New("Canceled")
	for _, w := range to {
		l.Add(user2(w))
	}
	return wire.New("CancelInviteRequest", "inviteID", id).Add(wire.New("Canceling").Add(user2("alice@a.example")), l, wire.New("CancelNote").With("outdated"))
}

// TestInvitations: of each type, to ours, who read them; cancelled. SSP 9.2.4, 9.2.8, 9.3.3.1, 9.3.4.1, 9.4.3, 9.4.4
func TestInvitations(t *testing.T) {
	p := newPair(t)
	bob, dave := p.b.login("bob"), p.b.login("dave")
	p.exchanged("InviteRequest", p.alice, invitation1("i9@a.example", "GR", "join us", "bob@b.example"))
	said(t, bob, "alice@a.example: Invitation to the group forum@a.example.\njoin us")
	p.must(p.alice, invitation1("i10@a.example", "SC", "look", "bob@b.example"))
	said(t, bob, "Invitation to shared content http://a.example/pic/7.\nlook")
	p.must(p.alice, newList(friends, "dave@b.example"))
	e := invitation1("i11@a.example", "IM", "", "bob@b.example")
	e.Child("Invited").Add(listElement(friends))
	p.must(p.alice, e)
	if m := said(t, bob, "Invitation to exchange messages."); m.From != p.alice {
		t.Errorf("from %s", m.From)
	}
	said(t, dave, "Invitation to exchange messages.")
	p.exchanged("CancelInviteRequest", p.alice, cancel("i11@a.example", "bob@b.example"))
	said(t, bob, "The invitation is taken back.\noutdated")
	p.refused(p.alice, cancel("i12@a.example", "bob@b.example"), wire.BadInvitation)
	p.refused(p.alice, cancel("i10@a.example", "dave@b.example"), wire.BadInvitation)
	p.refused(p.alice, invitation1("i", "IM", "", "nobody@b.example"), wire.UnknownUser)
	p.refused(p.alice, invitation1("i", "IM", "", "x@elsewhere.example"), wire.BadDomain)
	p.refused(p.eve, invitation1("i", "IM", "", "bob@b.example"), wire.Forbidden)
	p.refused(p.eve, cancel("i10@a.example", "bob@b.example"), wire.Forbidden)
	p.refused(p.alice, invitation1("i", "XX", "", "bob@b.example"), wire.BadParameter)
	bad := invitation1("i", "IM", "")
	bad.Child("Invited").Add(listElement("wv:alice%2Fnone@a.example"))
	p.refused(p.alice, bad, wire.NoContactList)
	bad = invitation1("i", "IM", "")
	bad.Child("Invited").Add(wire.New("GroupID", "groupID", "wv:%2Fforum@b.example"))
	p.refused(p.alice, bad, wire.NoGroup)
	partly := p.refused(p.alice, invitation1("i", "IM", "", "bob@b.example", "nobody@b.example"), wire.PartlySuccessful)
	if d := partly.Child("DetailedResult"); d.Attr("code") != "531" || d.Child("UserID").Attr("userID") != "wv:nobody@b.example" {
		t.Error(document(t, partly))
	}
	l := p.b.s.peer("a.example").link.Load()
	mine, theirs := l.Agreed()
	l.SetAgreed(slices.DeleteFunc(slices.Clone(mine), func(s string) bool { return s == "CommonFeature/InviteIM" }), theirs)
	p.refused(p.alice, invitation1("i", "IM", "", "bob@b.example"), wire.NotAgreed)
}

// TestInvitationToPresence: it is a wish, and the answer to that goes back. SSP 9.2.5, 9.3.3.1
func TestInvitationToPresence(t *testing.T) {
	p := newPair(t, "InviteResponse", "PresenceNotification")
	alice, bob, dave := p.a.login("alice"), p.b.login("bob"), p.b.login("dave")
	ctx := t.Context()
	invited := func(r *resident, id string) {
		t.Helper()
		p.must(p.alice, invitation1(id, "PR", "share?", r.who.String()))
		said(t, r, "Invitation to share presence.\nshare?")
		hears(t, r, "that alice asks", func(c *exchange.Change) bool { return c.Request != nil && c.Request.Text.Reveal() == "share?" })
	}
	invited(bob, "i1@a.example")
	p.b.must(p.b.x.Answer(ctx, bob.by(), p.alice))
	golden(t, "InviteResponse", p.comes("InviteResponse"))
	said(t, alice, "The invitation is accepted.")
	invited(dave, "i2@a.example")
	p.b.must(p.b.x.Refuse(ctx, dave.by(), p.alice))
	if e := p.comes("InviteResponse"); e.Attr("acceptance") != "No" || e.Attr("inviteID") != "i2@a.example" || e.Path("Responding", "User").Attr("userID") != "wv:dave@b.example" {
		t.Error(document(t, e))
	}
	if m := said(t, alice, "The invitation is declined."); m.From != dave.who {
		t.Errorf("from %s", m.From)
	}
	// who is seen already has answered
	p.must(p.alice, invitation1("i3@a.example", "PR", "", "bob@b.example"))
	if e := p.comes("InviteResponse"); e.Attr("acceptance") != "Yes" || e.Attr("inviteID") != "i3@a.example" {
		t.Error(document(t, e))
	}
	// one that is cancelled is asked no more
	p.must(p.alice, invitation1("i4@a.example", "PR", "again?", "dave@b.example"))
	hears(t, dave, "that alice asks", func(c *exchange.Change) bool { return c.Request != nil })
	p.must(p.alice, cancel("i4@a.example", "dave@b.example"))
	until(t, "alice asks no more", func() bool {
		e := dave.c.Snapshot().Entry(p.alice)
		return e == nil || e.Watched == im.WatchNone
	})
	// to whom it does not concern
	stray := wire.New("InviteResponse", "inviteID", "i", "acceptance", "Yes").Add(wire.Status(wire.Successful, ""),
		wire.New("Inviting").Add(user2("nobody@b.example")), wire.New("Responding").Add(user2("alice@a.example")))
	p.refused(p.alice, stray, wire.UnknownUser)
	stray.Child("Inviting").Kids[0] = user2("bob@b.example")
	l := p.b.s.peer("a.example").link.Load()
	mine, theirs := l.Agreed()
	l.SetAgreed(mine, slices.DeleteFunc(slices.Clone(theirs), func(s string) bool { return s == "CommonFeature/ComplementaryInvite" }))
	stray.Child("Responding").Kids[0] = user2("dave@b.example")
	p.refused(p.alice, stray, wire.UnknownUser)
}

// TestInvitationComplementary: users of a peer's, whose service we are, are told by their home domain, whose answer goes back
// to the home domain of who invites. SSP 9.2.6, 9.2.7, 9.2.9, 9.3.3.2, 9.3.4.2
func TestInvitationComplementary(t *testing.T) {
	p := newPair(t, "InviteUserRequest", "InviteResponse", "CancelInviteUserRequest")
	alice, eve := p.a.login("alice"), p.a.login("eve")
	p.must(p.alice, newList(friends, "eve@a.example"))
	e := invitation1("i1@a.example", "IM", "come")
	e.Child("Invited").Add(listElement(friends))
	p.must(p.alice, e)
	asked := p.comes("InviteUserRequest")
	golden(t, "InviteUserRequest", asked)
	said(t, eve, "Invitation to exchange messages.\ncome")
	answer := wire.New("InviteUserResponse", "inviteID", "i1@a.example", "acceptance", "No").Add(wire.Status(wire.Successful, ""),
		wire.New("Inviting").Add(user2("alice@a.example")), wire.New("Responding").Add(user2("eve@a.example")), wire.New("ResponseNote").With("busy"))
	golden(t, "InviteUserResponse", answer, p.must(nobody, answer))
	back := p.comes("InviteResponse")
	if back.Attr("acceptance") != "No" || back.Child("ResponseNote").String() != "busy" || back.Path("Responding", "User").Attr("userID") != "wv:eve@a.example" {
		t.Error(document(t, back))
	}
	said(t, alice, "The invitation is declined.\nbusy")
	p.refused(nobody, answer, wire.BadInvitation) // twice
	answer.Set("inviteID", "i2@a.example")
	p.refused(nobody, answer, wire.BadInvitation)

	p.must(p.alice, cancel("i1@a.example", "eve@a.example"))
	golden(t, "CancelInviteUserRequest", p.comes("CancelInviteUserRequest"))
	said(t, eve, "The invitation is taken back.\noutdated")
	stray := wire.New("CancelInviteUserRequest", "inviteID", "i7@a.example").Add(wire.New("Canceling").Add(user2("alice@a.example")), wire.New("Canceled").Add(user2("bob@b.example")))
	p.refused(nobody, stray, wire.BadInvitation)
}

// TestInvitationsBounded: those that are over make room. SSP 9.2.4
func TestInvitationsBounded(t *testing.T) {
	var l invitations
	for i := range mostInvitations + 1 {
		v := readInvitation(wire.New("InviteRequest", "inviteID", strings.Repeat("i", i+1), "validity", "60"))
		v.who = im.MustAddress("alice@a.example")
		l.put(v)
	}
	if len(l.m) != mostInvitations {
		t.Errorf("%d", len(l.m))
	}
	over := readInvitation(wire.New("InviteRequest", "inviteID", "over", "validity", "0"))
	over.until = over.made
	l.put(over)
	if _, err := l.get("over", im.Address{}); err != wire.BadInvitation {
		t.Error(err)
	}
}
