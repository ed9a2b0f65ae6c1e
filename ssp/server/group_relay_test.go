package server

import (
	"errors"
	"testing"

	"parley/exchange"
	"parley/im"
	"parley/ssp/wire"
)

// TestGroupOverARelay: one is in a group at a domain to which another leads. SSP 2.1, 2.3, 13.2.3, 13.2.17
func TestGroupOverARelay(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.join("a", "b")
	w.join("b", "c")
	w.route("a", "c", "b")
	w.route("c", "a", "b")
	inGroup(w, "a", "c", im.TrustedRoomID("c.example", "forum"))
	if got := w.heard("JoinGroupRequest"); len(got) != 2 || got[0] != "a>b JoinGroupRequest alice@a" || got[1] != "b>c JoinGroupRequest alice@a" {
		t.Error(got)
	}
}

// TestGroupsElsewhere: groups of a domain are at another: who joins one goes there over the home domain, and what happens
// in it comes back that way. SSP 2.2, 2.4, 13.2.1, 13.2.3, 13.2.17
func TestGroupsElsewhere(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.elements("b", "a groups b")
	w.elements("a", "a groups b")
	w.join("a", "b")
	w.join("a", "c")
	alice := im.MustAddress("alice@a.example")
	if _, err := w.d["a"].s.Request(t.Context(), "b.example", alice, creates(tea)); err != nil {
		t.Fatal(err)
	}
	carol := w.d["c"].login("carol")
	if _, err := w.d["c"].s.Request(t.Context(), "a.example", carol.who, joins(tea, "Carol")); err != nil {
		t.Fatal(err)
	}
	talk := comesInto(t, carol)
	resident := w.d["a"].login("alice")
	if _, err := w.d["a"].s.Request(t.Context(), "b.example", alice, joins(tea, "Al")); err != nil {
		t.Fatal(err)
	}
	mine := comesInto(t, resident)
	hears(t, carol, "that alice is there", func(d *exchange.Joined) bool { return d.Name == "Al" })
	if err := carol.says(talk, "sugar?"); err != nil {
		t.Error(err)
	}
	said(t, resident, "sugar?")
	if err := resident.says(mine, "please"); err != nil {
		t.Error(err)
	}
	said(t, carol, "please")
	if _, err := w.d["c"].s.Request(t.Context(), "a.example", carol.who, wire.New("GetMessageListRequest", "groupID", tea)); !errors.Is(err, wire.NoHistory) {
		t.Error(err)
	}
	carol.c.Quit(t.Context(), talk)
	hears(t, resident, "that carol left", func(d *exchange.Left) bool { return d.Who.Local() == "carol" })
}

// inGroup has alice of one domain be in a group of another, with bob of that.
func inGroup(w *world, from, at string, id im.RoomID) {
	t := w.t
	t.Helper()
	w.d[at].must(w.d[at].x.CreateRoom(t.Context(), exchange.By{}, id, im.RoomProps{Persists: true}))
	bob, alice := w.d[at].login("bob"), w.d[from].login("alice")
	seat := bob.enters(id, "Bob")
	if _, err := w.d[from].s.Request(t.Context(), w.d[at].name, alice.who, joins(groupAddress(id).String(), "Al")); err != nil {
		t.Fatal(err)
	}
	talk := comesInto(t, alice)
	if err := alice.says(talk, "hello"); err != nil {
		t.Error(err)
	}
	hears(t, bob, "alice", roomWords("hello"))
	w.d[at].must(seat.Say(t.Context(), words1("welcome")))
	said(t, alice, "welcome")
	w.d[at].must(seat.Rename("Robert"))
	hears(t, alice, "that robert is there", func(d *exchange.Joined) bool { return d.Name == "Robert" })
	w.d[at].must(w.d[at].x.ExpelFromRoom(t.Context(), exchange.By{}, id, "Al", ""))
	hears(t, alice, "that it is over", func(d *exchange.Left) bool { return d.Who == alice.who })
}
