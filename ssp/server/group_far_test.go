package server

import (
	"errors"
	"testing"

	"parley/exchange"
	"parley/im"
	"parley/ssp/wire"
)

const forum = "wv:%2Fforum@b.example"

var forumID = im.TrustedRoomID("b.example", "forum")

// forumOf makes a group at b, with bob in it.
func forumOf(p *pair) (bob *resident, seat *exchange.RoomSeat) {
	p.t.Helper()
	p.b.must(p.b.x.CreateRoom(p.t.Context(), exchange.By{}, forumID, im.RoomProps{Name: "Forum", Persists: true, Welcome: im.RoomWelcome{Text: "Be kind"}}))
	bob = p.b.login("bob")
	return bob, bob.enters(forumID, "Bob")
}

func (r *resident) enters(id im.RoomID, nick string) *exchange.RoomSeat {
	r.d.t.Helper()
	seat, err := r.d.x.JoinRoom(r.d.t.Context(), r.c, exchange.RoomJoin{Room: id, Nick: nick, Notices: true}, nil)
	r.d.must(err)
	return seat
}

// comesInto waits until a resident is told that they are in a conversation, and gives it.
func comesInto(t *testing.T, r *resident) int64 {
	t.Helper()
	return hears(t, r, "that they are in a conversation", func(d *exchange.Joined) bool { return d.Who == r.who }).Conversation
}

func (r *resident) says(conversation int64, text string) error {
	done := make(chan error, 1)
	if _, err := r.c.Say(r.d.t.Context(), conversation, words(r.who, im.Address{}, text), func(err error) { done <- err }); err != nil {
		return err
	}
	r.c.Flush()
	return <-done
}

func roomWords(text string) func(*exchange.RoomWords) bool {
	return func(w *exchange.RoomWords) bool { return w.Message.Neutral().Text.Reveal() == text }
}

func words1(text string) *im.Message { return words(im.Address{}, im.Address{}, text) }

// TestGuestOfAGroup: one of ours is in a group of another domain by a conversation. SSP 13.2.3, 13.2.4, 13.2.5, 13.2.14,
// 13.2.17, 12.2.1, 12.2.4, 12.3.1, 12.3.3
func TestGuestOfAGroup(t *testing.T) {
	p := newPair(t)
	ctx := t.Context()
	bob, seat := forumOf(p)
	alice := p.a.login("alice")
	p.must(alice.who, joins(forum, "Al"))
	hears(t, bob, "that alice joins", func(d *exchange.RoomJoined) bool { return d.User.Nick == "Al" })
	there := hears(t, alice, "that bob is there", func(d *exchange.Joined) bool { return d.Name == "Bob" })
	talk := comesInto(t, alice)
	if there.Conversation != talk || there.Who.String() != "bob@forum.room.b.example" {
		t.Errorf("%+v", there)
	}
	p.b.must(seat.Say(ctx, words1("welcome")))
	if m := said(t, alice, "welcome"); m.In == nil || m.In.ID != talk || m.From != there.Who {
		t.Errorf("%s says it in %+v", m.From, m.In)
	}
	if err := alice.says(talk, "thank you"); err != nil {
		t.Error(err)
	}
	hears(t, bob, "alice", roomWords("thank you"))
	if ok, err := alice.c.Whisper(ctx, talk, there.Who, words(alice.who, there.Who, "hush")); !ok || err != nil {
		t.Error(ok, err)
	}
	if w := hears(t, bob, "alice", roomWords("hush")); w.To != "Bob" {
		t.Errorf("said to %q", w.To)
	}
	p.b.must(seat.Whisper("Al", words1("psst")))
	said(t, alice, "[to you alone] psst")
	p.b.must(seat.Rename("Robert"))
	hears(t, alice, "that bob is not there", func(d *exchange.Left) bool { return d.Who == there.Who })
	hears(t, alice, "that robert is", func(d *exchange.Joined) bool { return d.Name == "Robert" })
	dave := p.b.login("dave")
	dave.enters(forumID, "Dave")
	hears(t, alice, "that dave is there", func(d *exchange.Joined) bool { return d.Name == "Dave" })

	said(t, alice, "Be kind")
	p.b.must(p.b.x.SetRoomProps(ctx, exchange.By{}, forumID, func(r *im.RoomProps) error { r.Topic = "Balconies"; return nil }))
	said(t, alice, "Topic: Balconies")
	// refused words are told
	p.b.must(p.b.x.SetRoomProps(ctx, exchange.By{}, forumID, func(r *im.RoomProps) error { r.Moderated = true; return nil }))
	if err := alice.says(talk, "may I?"); !errors.Is(err, im.ErrNoPrivilege) {
		t.Error(err)
	}
	p.b.must(p.b.x.SetRoomProps(ctx, exchange.By{}, forumID, func(r *im.RoomProps) error { r.Moderated = false; return nil }))

	// made to leave
	p.b.must(p.b.x.ExpelFromRoom(ctx, exchange.By{}, forumID, "Al", "too loud"))
	hears(t, alice, "that it is over", func(d *exchange.Left) bool { return d.Who == alice.who })
	if p.a.s.guest(forumID, alice.who) != nil {
		t.Error("alice is known as a guest")
	}
	// in again, and gone by herself
	p.must(alice.who, joins(forum, ""))
	talk = comesInto(t, alice)
	hears(t, bob, "that alice is there", func(d *exchange.RoomJoined) bool { return d.User.Nick == "alice" })
	alice.c.Quit(ctx, talk)
	hears(t, bob, "that alice left", func(d *exchange.RoomLeft) bool { return d.User.Nick == "alice" })
	// by request
	p.must(alice.who, joins(forum, ""))
	comesInto(t, alice)
	p.must(alice.who, onGroup("LeaveGroupRequest", forum))
	hears(t, alice, "that it is over", func(d *exchange.Left) bool { return d.Who == alice.who })
	// with her session
	p.must(alice.who, joins(forum, "Last"))
	comesInto(t, alice)
	alice.c.Detach()
	hears(t, bob, "that alice is gone", func(d *exchange.RoomLeft) bool { return d.User.Nick == "Last" })
}

// TestGuestsFollowTheSession: who is in a group sees nobody there while there is no session with its domain, and is in it
// again after. SSP 13.2.3
func TestGuestsFollowTheSession(t *testing.T) {
	p := newPair(t)
	bob, seat := forumOf(p)
	alice := p.a.login("alice")
	p.must(alice.who, joins(forum, "Al"))
	talk := comesInto(t, alice)
	cut(p)
	hears(t, alice, "that bob is not there", func(d *exchange.Left) bool { return d.Who.Local() == "bob" })
	hears(t, bob, "that alice is gone", func(d *exchange.RoomLeft) bool { return d.User.Nick == "Al" })
	p.a.s.node.Keep("b.example")
	hears(t, bob, "that alice is back", func(d *exchange.RoomJoined) bool { return d.User.Nick == "Al" })
	until(t, "alice is in", func() bool { return alice.says(talk, "here I am") == nil })
	hears(t, bob, "alice", roomWords("here I am"))
	p.b.must(seat.Say(t.Context(), words1("so you are")))
	said(t, alice, "so you are")
	// the group is gone meanwhile
	cut(p)
	hears(t, bob, "that alice is gone", func(d *exchange.RoomLeft) bool { return d.User.Nick == "Al" })
	p.b.must(p.b.x.DeleteRoom(t.Context(), exchange.By{}, forumID, ""))
	p.a.s.node.Keep("b.example")
	hears(t, alice, "that it is over", func(d *exchange.Left) bool { return d.Who == alice.who })
}

// TestGuestsOfADomainThatGoes: who is in a group of a domain that is registered no more is not.
func TestGuestsOfADomainThatGoes(t *testing.T) {
	p := newPair(t)
	forumOf(p)
	alice := p.a.login("alice")
	p.must(alice.who, joins(forum, "Al"))
	comesInto(t, alice)
	p.a.known.mu.Lock()
	delete(p.a.known.m, "b.example")
	p.a.known.mu.Unlock()
	p.a.s.Update()
	hears(t, alice, "that it is over", func(d *exchange.Left) bool { return d.Who == alice.who })
}

// cut ends the session of both.
func cut(p *pair) {
	p.t.Helper()
	p.a.s.node.Forget("b.example")
	until(p.t, "no session", func() bool {
		return p.a.s.peer("b.example").link.Load() == nil && p.b.s.peer("a.example").link.Load() == nil
	})
}

func invites(id, group, from, to string) *wire.Element {
	return wire.New("InviteRequest", "inviteID", id, "inviteType", "GR").Add(
		wire.New("Inviting").Add(wire.New("User", "userID", "wv:"+from)), wire.New("Invited").Add(wire.New("User", "userID", "wv:"+to)),
		wire.New("GroupID", "groupID", group), wire.New("InviteNote").With("Come in"))
}

// TestInvitedToAGroup: who is called into a group joins it when they come, or declines. SSP 9.2.4, 9.2.5, 9.2.8, 9.3.3.1,
// 9.3.4.1, 13.2.3
func TestInvitedToAGroup(t *testing.T) {
	p := newPair(t)
	ctx := t.Context()
	bob, seat := forumOf(p)
	alice := p.a.login("alice")
	ask := func(e *wire.Element) {
		t.Helper()
		if _, err := p.b.s.Request(ctx, "a.example", bob.who, e); err != nil {
			t.Fatal(err)
		}
	}
	ask(invites("1@b.example", forum, "bob@b.example", "alice@a.example"))
	talk := comesInto(t, alice)
	said(t, alice, "bob@b.example: Invitation to the group forum@b.example.\nCome in")
	if err := alice.says(talk, "too early"); !errors.Is(err, im.ErrNotJoined) {
		t.Error(err)
	}
	if v, err := seat.View(); err != nil || len(v.Users) != 1 {
		t.Errorf("%+v, %v", v, err)
	}
	p.a.must(alice.c.Attend(talk, true))
	hears(t, bob, "that alice is there", func(d *exchange.RoomJoined) bool { return d.User.Nick == "alice" })
	hears(t, alice, "that bob is there", func(d *exchange.Joined) bool { return d.Name == "Bob" })
	said(t, bob, "The invitation is accepted.")
	said(t, alice, "Be kind")
	p.b.must(seat.Say(ctx, words1("hello")))
	said(t, alice, "hello")
	ask(invites("2@b.example", forum, "bob@b.example", "alice@a.example")) // she is there
	said(t, alice, "Invitation to the group forum@b.example.\nCome in")
	alice.c.Quit(ctx, talk)
	hears(t, bob, "that alice left", func(d *exchange.RoomLeft) bool { return true })

	ask(invites("3@b.example", forum, "bob@b.example", "alice@a.example"))
	alice.c.Quit(ctx, comesInto(t, alice))
	said(t, bob, "The invitation is declined.")
	ask(invites("4@b.example", forum, "bob@b.example", "alice@a.example"))
	comesInto(t, alice)
	ask(wire.New("CancelInviteRequest", "inviteID", "4@b.example").Add(wire.New("Canceling").Add(wire.New("User", "userID", "wv:bob@b.example")),
		wire.New("Canceled").Add(wire.New("User", "userID", "wv:alice@a.example"))))
	hears(t, alice, "that it is over", func(d *exchange.Left) bool { return d.Who == alice.who })
	ask(invites("5@b.example", "wv:%2Fnone@b.example", "bob@b.example", "alice@a.example"))
	p.a.must(alice.c.Attend(comesInto(t, alice), true))
	said(t, bob, "The invitation is declined.")
	said(t, alice, "You cannot be in the group: Group does not exist.")
	hears(t, alice, "that it is over", func(d *exchange.Left) bool { return d.Who == alice.who })

	// to a group of her own domain
	home := im.TrustedRoomID("a.example", "home")
	p.a.must(p.a.x.CreateRoom(ctx, exchange.By{}, home, im.RoomProps{Persists: true, ShowAddresses: true}))
	if _, err := p.b.s.Request(ctx, "a.example", bob.who, joins("wv:%2Fhome@a.example", "Bob")); err != nil {
		t.Fatal(err)
	}
	atHome := comesInto(t, bob)
	until(t, "bob is told of changes", func() bool { // he asks for them after he is in
		c, err := p.a.x.Stand(ctx, bob.who)
		p.a.must(err)
		seat, err := p.a.x.RoomSeat(c, home)
		if err != nil {
			return false
		}
		on, err := seat.Notices()
		return err == nil && on
	})
	ask(invites("6@b.example", "wv:%2Fhome@a.example", "bob@b.example", "alice@a.example"))
	talk = comesInto(t, alice)
	p.a.must(alice.c.Attend(talk, true))
	hears(t, bob, "that alice is there", func(d *exchange.Joined) bool { return d.Name == "alice" })
	if err := bob.says(atHome, "nice"); err != nil {
		t.Error(err)
	}
	said(t, alice, "nice")
	until(t, "alice says it", func() bool { return alice.says(talk, "is it not?") == nil })
	said(t, bob, "is it not?")
}

// TestRungIntoAGroup: who takes a seat is rung into a group, and joins it with that. SSP 9.3.3.1, 13.2.3
func TestRungIntoAGroup(t *testing.T) {
	p := newPair(t)
	bob, seat := forumOf(p)
	place := &exchange.Place{ID: "here", Address: "127.0.0.1:1863", Load: func() int { return 0 }}
	p.a.x.AddPlace(place)
	alice := &resident{d: p.a, who: im.MustAddress("alice@a.example")}
	c, err := p.a.x.Attach(t.Context(), alice.who, exchange.Login{Door: "msnp", Slot: "MSN", Abilities: exchange.Rings, Presence: im.DefaultAllow}, alice)
	p.a.must(err)
	alice.c = c
	alice.be(im.Presence{State: im.Available})
	if _, err := p.b.s.Request(t.Context(), "a.example", bob.who, invites("1@b.example", forum, "bob@b.example", "alice@a.example")); err != nil {
		t.Fatal(err)
	}
	ring := hears(t, alice, "a ring", func(r *exchange.Ring) bool { return r.FromName == "forum@b.example" })
	seated := &resident{d: p.a, who: alice.who}
	s, there, err := p.a.x.Join(place, ring.Conversation, alice.who, seated)
	p.a.must(err)
	if len(there) != 0 {
		t.Errorf("%+v", there)
	}
	s.Ready()
	hears(t, seated, "that bob is there", func(d *exchange.Joined) bool { return d.Name == "Bob" })
	p.b.must(seat.Say(t.Context(), words1("hello")))
	said(t, seated, "bob@b.example: Invitation to the group forum@b.example.\nCome in")
	said(t, seated, "hello")
	done := make(chan error, 1)
	s.Say(t.Context(), words(alice.who, im.Address{}, "hi"), func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Error(err)
	}
	hears(t, bob, "alice", roomWords("hi"))
	s.Leave()
	hears(t, bob, "that alice left", func(d *exchange.RoomLeft) bool { return d.User.Nick == "alice" })
}

// TestToldOfAGroup: what a domain tells of groups that nobody of ours is in, or that are not its own. SSP 13.2.5, 13.2.17,
// 12.3.3
func TestToldOfAGroup(t *testing.T) {
	p := newPair(t)
	alice := p.a.login("alice")
	_, seat := forumOf(p)
	l := p.b.s.peer("a.example").link.Load()
	tell := func(e *wire.Element, want wire.Code) {
		t.Helper()
		answer, err := l.Request(t.Context(), e)
		if c := wire.StatusOf(answer); c != want {
			t.Errorf("%s is answered with %s, %v; want %s", e.Name, c, err, want)
		}
	}
	notice := func(id, who string) *wire.Element {
		return onGroup("GroupChangeNotice", id).Add(p.b.s.meta(nobody), wire.New("User", "userID", "wv:"+who), screenNames("Joined", "Dave"))
	}
	tell(notice(forum, "alice@a.example"), wire.NotJoined)
	tell(notice("wv:%2Fhome@a.example", "alice@a.example"), wire.UnknownTransaction)
	tell(notice(forum, "nobody@a.example"), wire.NotJoined)
	p.must(alice.who, joins(forum, "Al"))
	comesInto(t, alice)
	tell(notice(forum, "alice@a.example"), wire.Successful)
	hears(t, alice, "that dave is there", func(d *exchange.Joined) bool { return d.Name == "Dave" })
	e := sends("9@b.example", nobody, "of a ghost", groupParty(t, forum, ""))
	e.Child("MessageInfo").Kids[1] = wire.New("Sender").Add(wire.New("GroupID", "groupID", forum), wire.New("SenderDisplay").Add(
		wire.New("ScreenName", "groupID", forum).With("Ghost")))
	e.Child("MessageInfo").Kids[0] = wire.New("Recipient").Add(wire.New("User", "userID", "wv:alice@a.example"))
	tell(e.Add(p.b.s.meta(nobody)), wire.Successful)
	said(t, alice, "of a ghost")
	// all of ours, as none is named
	l.Go(t.Context(), onGroup("LeaveGroupIndication", forum).Add(p.b.s.meta(nobody), wire.New("ReasonText")), func(*wire.Element, error) {})
	hears(t, alice, "that it is over", func(d *exchange.Left) bool { return d.Who == alice.who })
	// the domain believes that she is there, and hears that she is not
	p.b.must(seat.Say(t.Context(), words1("anybody?")))
	until(t, "alice is out", func() bool {
		v, err := seat.View()
		return err == nil && len(v.Users) == 1
	})
}
