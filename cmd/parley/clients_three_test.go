package main

import (
	"regexp"
	"testing"

	"parley/msnp/client"
)

// threeOfThem: what somebody on MSNP begins with one and goes on with another is a room to the clients of today, who are
// invited into it: XEP-0045 7.2, 7.4, 7.8.2, 7.14; draft 8.3, 8.5, 8.6.
func threeOfThem(t *testing.T, s *stage) {
	mona, nora := s.guest(t, "mona", true), s.slix(t, "nora", direct)
	otto := s.console(t, "otto", upgraded)
	ctx, cancel := patient()
	defer cancel()

	t.Log("they come together")
	talk := mona.calls(t, nora.address)
	tells(t, talk, "just us two")
	nora.hears(t, told{"is": "message", "type": "chat", "from": mona.Handle(), "body": "just us two"})
	if err := talk.Invite(ctx, otto.address); err != nil {
		t.Fatal(err)
	}
	if err := talk.Await(ctx, otto.address); err != nil {
		t.Fatal(err)
	}
	room, _ := nora.hears(t, told{"is": "invitation", "from": mona.Handle()})["room"].(string)
	otto.shows(t, `(?s)Chat room invite received:.*mona@example\.com.*`+regexp.QuoteMeta(room))
	if in := nora.do(t, "enter", room, "Nora"); !in.has(told{"occupants": []any{"Mona", "Nora", "Otto"}}) {
		t.Errorf("who is in the room: %s", in)
	}
	otto.types(t, "/join "+room+" nick Otto")
	otto.shows(t, `You have joined the room as Otto`, `Participants *\n.* Mona *\n.* Nora *\n.* Otto *\n`)

	t.Log("they talk")
	tells(t, talk, "all here?")
	nora.hears(t, told{"is": "message", "type": "groupchat", "from": room, "resource": "Mona", "body": "all here?"})
	otto.shows(t, `Mona: all here\?`)
	otto.types(t, "Grüße an alle")
	nora.hears(t, told{"is": "message", "type": "groupchat", "from": room, "resource": "Otto", "body": "Grüße an alle"})
	mona.reads(t, otto.address, "Grüße an alle")
	nora.do(t, "say_all", room, "I must go")
	mona.reads(t, nora.address, "I must go")
	otto.shows(t, `Nora: I must go`)

	t.Log("they part")
	nora.do(t, "leave_room", room, "Nora")
	expect(t, mona, "Nora leaves", func(e client.Left) bool { return e.Handle == nora.address })
	otto.shows(t, `Participants *\n.* Mona *\n.* Otto *\n`)
}
