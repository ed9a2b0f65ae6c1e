package main

import (
	"fmt"
	"strings"
	"testing"

	"parley/msnp"
	"parley/msnp/client"
	msnplays "parley/msnp/plays"
)

// TestOtherClients has clients of other people do what their users do, over TLS with a certificate that they check, with each
// other and with somebody on MSNP: RFC 6121, RFC 7590, XEP-0030, XEP-0054, XEP-0085, XEP-0115, XEP-0160, XEP-0184, XEP-0191,
// XEP-0368. Everybody is in one scene alone, so that the scenes can be played side by side.
func TestOtherClients(t *testing.T) {
	people := map[string]string{}
	for _, name := range []string{"Anna", "Ben", "Cleo", "Dora", "Egon", "Fay", "Gus", "Hana", "Iris", "Jack", "Kate", "Leo", "Mona", "Nora", "Otto"} {
		people[strings.ToLower(name)] = name
	}
	s := newTargetAt(t, makeTemplate(t, msnplays.Domain, msnplays.Password, people), []string{"msnp", "xmpp", "xmpps"})
	t.Run("scenes", func(t *testing.T) {
		for name, scene := range map[string]func(*testing.T, *stage){
			"slixmpp and slixmpp":      slixmppAndSlixmpp,
			"slixmpp and MSN":          slixmppAndMSN,
			"profanity and slixmpp":    profanityAndSlixmpp,
			"profanity and MSN":        profanityAndMSN,
			"go-sendxmpp and everyone": sendxmppAndEveryone,
			"three of them":            threeOfThem,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				scene(t, s)
			})
		}
	})
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func at(name string) string { return name + "@" + msnplays.Domain }

// expect waits for what the client on MSNP is told.
func expect[E client.Event](t *testing.T, g guest, what string, match func(E) bool) E {
	t.Helper()
	ctx, cancel := patient()
	defer cancel()
	e, err := client.Await(ctx, g.box, match)
	if err != nil {
		for other, _ := g.box.TryNext(); other != nil; other, _ = g.box.TryNext() {
			t.Logf("%s on MSNP saw %T%+v", g.Handle(), other, other)
		}
		t.Fatalf("%s on MSNP does not see that %s", g.Handle(), what)
	}
	return e
}

// sees waits until somebody is in a state.
func (p guest) sees(t *testing.T, who string, state msnp.State) {
	t.Helper()
	expect(t, p, fmt.Sprintf("%s is %v", who, state), func(e client.Presence) bool { return e.Handle == who && e.State == state })
}

// reads waits for words.
func (p guest) reads(t *testing.T, from, text string) client.Message {
	t.Helper()
	return expect(t, p, from+" says "+text, func(m client.Message) bool {
		c, err := m.Content()
		return err == nil && m.Handle == from && c.Kind == msnp.TextContent && c.Text == text
	})
}

// seesTyping waits for a typing notice.
func (p guest) seesTyping(t *testing.T, who string) {
	t.Helper()
	expect(t, p, who+" types", func(m client.Message) bool {
		c, err := m.Content()
		return err == nil && m.Handle == who && c.Kind == msnp.TypingContent
	})
}

// listed waits until somebody comes to a list, or goes from it.
func (p guest) listed(t *testing.T, list msnp.List, who string, removed bool) {
	t.Helper()
	expect(t, p, "its lists change", func(e client.ListChanged) bool {
		return e.List == list && e.Handle == who && e.Removed == removed
	})
}

// changes puts somebody on a list, or takes them off.
func (p guest) changes(t *testing.T, list msnp.List, who string, removed bool) {
	t.Helper()
	ctx, cancel := patient()
	defer cancel()
	var err error
	if removed {
		_, err = p.Remove(ctx, list, who)
	} else {
		_, err = p.Add(ctx, list, who, who)
	}
	if err != nil {
		t.Fatalf("%s, list %v, %s: %v", p.Handle(), list, who, err)
	}
}

// tells says something in a conversation.
func tells(t *testing.T, in *client.Conversation, text string) {
	t.Helper()
	ctx, cancel := patient()
	defer cancel()
	if err := in.Say(ctx, text); err != nil {
		t.Fatal(err)
	}
}

// calls opens a conversation with somebody.
func (p guest) calls(t *testing.T, who string) *client.Conversation {
	t.Helper()
	ctx, cancel := patient()
	defer cancel()
	talk, err := p.Talk(ctx)
	if err == nil {
		err = talk.Invite(ctx, who)
	}
	if err == nil {
		err = talk.Await(ctx, who)
	}
	if err != nil {
		t.Fatalf("%s calls %s: %v", p.Handle(), who, err)
	}
	return talk
}

// slixmppAndSlixmpp is a friendship from its begin to its end: RFC 6121 2.3, 2.5, 3.1, 4.4, 5, 8.5.2.2.
func slixmppAndSlixmpp(t *testing.T, s *stage) {
	anna, ben := s.slix(t, "anna", upgraded), s.slix(t, "ben", direct)

	t.Log("what the service can do")
	info := anna.do(t, "info", msnplays.Domain)
	for _, f := range []string{"urn:xmpp:blocking", "vcard-temp", "urn:xmpp:ping", "msgoffline"} {
		if !strings.Contains(info.String(), `"`+f+`"`) {
			t.Errorf("the service does not say that it has %s: %s", f, info)
		}
	}
	anna.do(t, "ping", msnplays.Domain)
	if v := anna.do(t, "version", msnplays.Domain); v["name"] != "Parley" {
		t.Errorf("version: %s", v)
	}

	t.Log("they find each other")
	anna.do(t, "item", ben.address, "Benny", "Friends")
	anna.hears(t, pushed(ben.address, "none", "Benny", "Friends"))
	anna.do(t, "subscription", "subscribe", ben.address)
	ben.hears(t, told{"is": "presence", "type": "subscribe", "from": anna.address})
	ben.do(t, "subscription", "subscribed", anna.address)
	anna.hears(t, pushed(ben.address, "to", "Benny", "Friends"))
	anna.hears(t, told{"is": "presence", "type": "available", "from": ben.address, "resource": ben.resource})
	ben.do(t, "subscription", "subscribe", anna.address)
	anna.hears(t, told{"is": "presence", "type": "subscribe", "from": ben.address})
	anna.do(t, "subscription", "subscribed", ben.address)
	ben.hears(t, pushed(anna.address, "both", ""))
	ben.hears(t, told{"is": "presence", "type": "available", "from": anna.address, "resource": anna.resource})
	anna.hears(t, pushed(ben.address, "both", "Benny", "Friends"))
	anna.do(t, "item", ben.address, "Ben the Great", "Family", "Work")
	anna.hears(t, pushed(ben.address, "both", "Ben the Great", "Family", "Work"))
	want := told{"items": map[string]any{ben.address: []any{"both", "Ben the Great", "Family,Work"}}}
	if r := anna.do(t, "roster"); !r.has(want) {
		t.Errorf("roster: %s, want %s", r, want)
	}
	ben.do(t, "presence", "dnd", "writing")
	anna.hears(t, told{"is": "presence", "type": "dnd", "from": ben.address, "status": "writing"})

	t.Log("they talk")
	anna.do(t, "state", ben.full(), "composing")
	ben.hears(t, told{"is": "message", "from": anna.address, "state": "composing", "body": ""})
	const text = "<Grüße> & \"Küsse\" 🌍\n\ttwice"
	sent := anna.do(t, "say", ben.address, text)
	ben.hears(t, told{"is": "message", "type": "chat", "from": anna.address, "resource": anna.resource, "body": text, "state": "active", "id": sent["message"]})
	anna.hears(t, told{"is": "message", "from": ben.address, "received": sent["message"]})
	sent = ben.do(t, "say", anna.full(), "thanks")
	anna.hears(t, told{"is": "message", "from": ben.address, "body": "thanks", "id": sent["message"]})

	t.Log("who they are, and what they have")
	anna.do(t, "card", "Anna of the Hill", "likes plays")
	if card := ben.do(t, "read_card", anna.address); card["name"] != "Anna of the Hill" || card["note"] != "likes plays" {
		t.Errorf("vCard: %s", card)
	}
	for _, verb := range []string{"known", "info"} {
		if has := ben.do(t, verb, anna.full()); !strings.Contains(has.String(), `"http://jabber.org/protocol/chatstates"`) {
			t.Errorf("%s of the other's client: %s", verb, has)
		}
	}
	ben.do(t, "ping", anna.full())

	t.Log("one blocks the other")
	ben.do(t, "block", anna.address)
	anna.hears(t, told{"is": "presence", "type": "unavailable", "from": ben.address})
	if l := ben.do(t, "blocked"); !l.has(told{"items": []any{anna.address}}) {
		t.Errorf("blocked: %s", l)
	}
	anna.do(t, "say", ben.address, "do you hear me?") // as if nobody were there
	ben.do(t, "say", anna.address, "I do not")
	ben.hears(t, told{"is": "message", "type": "error", "from": anna.address, "condition": "not-acceptable"})
	ben.do(t, "unblock", anna.address)
	anna.hears(t, told{"is": "presence", "type": "dnd", "from": ben.address})
	anna.do(t, "say", ben.address, "and now?")
	if m := ben.hears(t, told{"is": "message", "from": anna.address, "state": "active"}); m["body"] != "and now?" {
		t.Errorf("after a block: %s", m)
	}

	t.Log("one is away")
	ben.leaves(t)
	anna.hears(t, told{"is": "presence", "type": "unavailable", "from": ben.address})
	anna.do(t, "say", ben.address, "one for later")
	anna.do(t, "say", ben.address, "two for later")
	ben = s.slix(t, "ben", upgraded)
	for _, text := range []string{"one for later", "two for later"} {
		if m := ben.hears(t, told{"is": "message", "from": anna.address}); m["body"] != text || m["delayed"] != true {
			t.Errorf("what waited: %s, want %q", m, text)
		}
	}

	t.Log("it ends")
	anna.do(t, "remove", ben.address)
	anna.hears(t, told{"is": "item", "jid": ben.address, "subscription": "remove"})
	ben.hears(t, pushed(anna.address, "none", ""))
	if r := anna.do(t, "roster"); !r.has(told{"items": map[string]any{}}) {
		t.Errorf("roster: %s", r)
	}
}

// slixmppAndMSN is the same between two protocols: RFC 6121 3.1, 3.2, 4.4, 8.5; draft 7.7, 7.8, 8.3, 8.4, 8.7.
func slixmppAndMSN(t *testing.T, s *stage) {
	cleo, dora := s.slix(t, "cleo", direct), s.guest(t, "dora", true)
	ctx, cancel := patient()
	defer cancel()

	t.Log("they find each other")
	if _, err := dora.SetPrivacy(ctx, msnp.BlockList); err != nil { // who is new is asked about
		t.Fatal(err)
	}
	cleo.do(t, "item", dora.Handle(), "Dora", "MSN")
	cleo.do(t, "subscription", "subscribe", dora.Handle())
	dora.listed(t, msnp.ReverseList, cleo.address, false)
	dora.changes(t, msnp.AllowList, cleo.address, false)
	cleo.hears(t, pushed(dora.Handle(), "to", "Dora", "MSN"))
	cleo.hears(t, told{"is": "presence", "type": "available", "from": dora.Handle(), "resource": msnp.Slot})
	dora.changes(t, msnp.ForwardList, cleo.address, false)
	cleo.hears(t, told{"is": "presence", "type": "subscribe", "from": dora.Handle()})
	cleo.do(t, "subscription", "subscribed", dora.Handle())
	dora.sees(t, cleo.address, msnp.Online)
	cleo.do(t, "item", dora.Handle(), "Dora from MSN")
	cleo.hears(t, pushed(dora.Handle(), "both", "Dora from MSN"))
	cleo.do(t, "presence", "dnd", "busy")
	dora.sees(t, cleo.address, msnp.Busy)
	if err := dora.SetState(ctx, msnp.Away); err != nil {
		t.Fatal(err)
	}
	cleo.hears(t, told{"is": "presence", "type": "away", "from": dora.Handle()})

	t.Log("they talk")
	sent := cleo.do(t, "say", dora.Handle(), "Grüße & 🌍")
	talk := dora.reads(t, cleo.address, "Grüße & 🌍").Conversation
	cleo.hears(t, told{"is": "message", "from": dora.Handle(), "received": sent["message"]})
	if err := talk.Typing(); err != nil {
		t.Fatal(err)
	}
	cleo.hears(t, told{"is": "message", "from": dora.Handle(), "state": "composing"})
	tells(t, talk, "tea at five?")
	cleo.hears(t, told{"is": "message", "type": "chat", "from": dora.Handle(), "resource": msnp.Slot, "body": "tea at five?", "state": "active"})
	cleo.do(t, "state", dora.Handle()+"/"+msnp.Slot, "composing")
	dora.seesTyping(t, cleo.address)

	t.Log("each blocks the other")
	dora.changes(t, msnp.AllowList, cleo.address, true)
	dora.changes(t, msnp.BlockList, cleo.address, false)
	cleo.hears(t, told{"is": "presence", "type": "unavailable", "from": dora.Handle()})
	dora.changes(t, msnp.BlockList, cleo.address, true)
	dora.changes(t, msnp.AllowList, cleo.address, false)
	cleo.hears(t, told{"is": "presence", "type": "away", "from": dora.Handle()})
	cleo.do(t, "block", dora.Handle())
	dora.sees(t, cleo.address, msnp.Offline)
	cleo.do(t, "unblock", dora.Handle())
	dora.sees(t, cleo.address, msnp.Busy)

	t.Log("one is away")
	dora.Close()
	cleo.hears(t, told{"is": "presence", "type": "unavailable", "from": dora.Handle()})
	cleo.do(t, "say", dora.Handle(), "one for later")
	cleo.do(t, "say", dora.Handle(), "two for later")
	dora = s.guest(t, "dora", true)
	dora.reads(t, cleo.address, "one for later")
	talk = dora.reads(t, cleo.address, "two for later").Conversation
	cleo.leaves(t)
	dora.sees(t, cleo.address, msnp.Offline)
	if err := talk.Say(ctx, "one for you"); err == nil {
		t.Error("somebody who is away is taken to be there")
	}
	cleo = s.slix(t, "cleo", upgraded)
	dora.sees(t, cleo.address, msnp.Online)

	t.Log("it ends")
	cleo.do(t, "remove", dora.Handle())
	dora.listed(t, msnp.ForwardList, cleo.address, true)
	dora.listed(t, msnp.ReverseList, cleo.address, true)
}

// profanityAndSlixmpp: a client in a terminal, RFC 6121 2.3, 2.5, 3.1, 4.4, 5.
func profanityAndSlixmpp(t *testing.T, s *stage) {
	fay := s.slix(t, "fay", direct)
	egon := s.console(t, "egon", upgraded)

	t.Log("they find each other")
	egon.types(t, `/roster add `+fay.address+` "Fair Fay"`)
	egon.shows(t, `Roster item added: fay@example.com \(Fair Fay\)`)
	egon.types(t, `/roster nick `+fay.address+` Fay`)
	egon.types(t, `/roster group add club Fay`)
	egon.shows(t, `Fay added to group club`)
	egon.types(t, `/sub request `+fay.address)
	fay.hears(t, told{"is": "presence", "type": "subscribe", "from": egon.address})
	fay.do(t, "subscription", "subscribed", egon.address)
	fay.do(t, "subscription", "subscribe", egon.address)
	egon.shows(t, `Received authorization request from `+fay.address)
	egon.types(t, `/sub allow `+fay.address)
	fay.hears(t, pushed(egon.address, "both", ""))
	fay.hears(t, told{"is": "presence", "type": "available", "from": egon.address, "resource": "egon"})

	t.Log("they talk")
	fay.do(t, "state", at("egon")+"/egon", "composing")
	sent := fay.do(t, "say", egon.address, "Grüße aus Python")
	egon.types(t, `/msg `+fay.address+` Grüße aus C`)
	egon.shows(t, `Fay.*: Grüße aus Python`, `me: Grüße aus C`)
	fay.hears(t, told{"is": "message", "from": egon.address, "received": sent["message"]})
	fay.hears(t, told{"is": "message", "type": "chat", "from": egon.address, "resource": "egon", "body": "Grüße aus C"})
	fay.do(t, "state", at("egon")+"/egon", "composing")
	egon.shows(t, `\(typing\.\.\.\)`)
	egon.types(t, "and one more")
	egon.presses(t, "I write")
	fay.hears(t, told{"is": "message", "from": egon.address, "body": "and one more"})
	fay.hears(t, told{"is": "message", "from": egon.address, "state": "composing"})
	egon.types(t, " no more")
	fay.hears(t, told{"is": "message", "from": egon.address, "body": "I write no more"})
	fay.do(t, "presence", "away", "tea")
	egon.shows(t, `Fay.*\[away\]`)
	egon.types(t, `/status set xa "gone fishing"`)
	fay.hears(t, told{"is": "presence", "type": "xa", "from": egon.address, "status": "gone fishing"})
	egon.types(t, "/status set online")
	fay.hears(t, told{"is": "presence", "type": "available", "from": egon.address})

	t.Log("what the service can do")
	egon.types(t, "/win 1")
	egon.types(t, "/disco info "+msnplays.Domain)
	egon.shows(t, `Parley im server`, `urn:xmpp:blocking`)
	egon.types(t, "/ping")
	egon.shows(t, `Ping response from server`)

	t.Log("one blocks the other, and leaves")
	egon.types(t, "/blocked add "+fay.address)
	egon.shows(t, `successfully blocked`)
	fay.hears(t, told{"is": "presence", "type": "unavailable", "from": egon.address})
	egon.types(t, "/blocked remove "+fay.address)
	fay.hears(t, told{"is": "presence", "type": "available", "from": egon.address})
	egon.types(t, "/disconnect")
	fay.hears(t, told{"is": "presence", "type": "unavailable", "from": egon.address})
	fay.do(t, "say", egon.address, "for later")
	egon.types(t, "/connect egon")
	egon.shows(t, `(?s)logged in successfully.*logged in successfully`)
	egon.types(t, "/msg "+fay.address)
	egon.shows(t, `Fay.*: for later`)

	t.Log("it ends")
	egon.types(t, "/roster remove "+fay.address)
	fay.hears(t, pushed(egon.address, "none", ""))
}

// profanityAndMSN: a client in a terminal and one of long ago, RFC 6121 3.1, 4.4, 8.5; draft 7.8, 8.3, 8.4.
func profanityAndMSN(t *testing.T, s *stage) {
	hana := s.guest(t, "hana", true)
	gus := s.console(t, "gus", direct)
	ctx, cancel := patient()
	defer cancel()

	t.Log("they find each other")
	hana.changes(t, msnp.ForwardList, gus.address, false)
	gus.shows(t, `Received authorization request from `+hana.Handle())
	gus.types(t, "/sub allow "+hana.Handle())
	hana.sees(t, gus.address, msnp.Online)
	gus.types(t, `/roster add `+hana.Handle()+` Hana`)
	gus.types(t, `/sub request `+hana.Handle())
	hana.listed(t, msnp.ReverseList, gus.address, false)
	gus.shows(t, `Online \(\d\)\s*\n.*  Hana\b`)
	if err := hana.SetState(ctx, msnp.Busy); err != nil {
		t.Fatal(err)
	}
	gus.shows(t, `Do not disturb \(\d\)\s*\n.*  Hana\b`)

	t.Log("they talk")
	gus.types(t, `/msg `+hana.Handle()+` Grüße aus C`)
	talk := hana.reads(t, gus.address, "Grüße aus C").Conversation
	if err := talk.Typing(); err != nil {
		t.Fatal(err)
	}
	gus.shows(t, `\(typing\.\.\.\)`)
	tells(t, talk, "Grüße von MSN")
	gus.shows(t, `Hana/MSN: Grüße von MSN`)
	gus.presses(t, "I wr")
	hana.seesTyping(t, gus.address)
	gus.types(t, "ite")
	hana.reads(t, gus.address, "I write")

	t.Log("one blocks the other, and leaves")
	gus.types(t, "/blocked add "+hana.Handle())
	hana.sees(t, gus.address, msnp.Offline)
	gus.types(t, "/blocked remove "+hana.Handle())
	hana.sees(t, gus.address, msnp.Online)
	hana.Close()
	gus.shows(t, `Hana.*\[offline\]`)
	gus.types(t, "for later")
	hana = s.guest(t, "hana", true)
	hana.reads(t, gus.address, "for later")

	t.Log("it ends")
	gus.types(t, "/roster remove "+hana.Handle())
	hana.listed(t, msnp.ForwardList, gus.address, true)
}

// sendxmppAndEveryone: scripts that send and read messages, RFC 6121 5, 8.5.2; draft 8.3, 8.4.
func sendxmppAndEveryone(t *testing.T, s *stage) {
	jack, kate := s.slix(t, "jack", upgraded), s.guest(t, "kate", true)

	t.Log("a script sends")
	s.sends(t, "iris", upgraded, "Grüße & 🌍\nin two lines", jack.address)
	jack.hears(t, told{"is": "message", "type": "chat", "from": at("iris"), "body": "Grüße & 🌍\nin two lines"})
	s.sends(t, "iris", direct, "to both", jack.address, kate.Handle())
	jack.hears(t, told{"is": "message", "from": at("iris"), "body": "to both"})
	kate.reads(t, at("iris"), "to both")
	s.sends(t, "iris", upgraded, "to who is away", at("leo"))
	leo := s.console(t, "leo", upgraded)
	leo.types(t, "/msg "+at("iris"))
	leo.shows(t, `iris@example\.com.*: to who is away`)
	s.sends(t, "iris", direct, "to who is here", leo.address)
	leo.shows(t, `iris@example\.com.*: to who is here`)

	t.Log("a script listens")
	written := s.listens(t, "iris", direct)
	line := func(who, text string) {
		t.Helper()
		ctx, cancel := patient()
		defer cancel()
		if _, err := written.wait(ctx, func(l string) bool { return strings.HasSuffix(l, who+": "+text) }); err != nil {
			t.Fatalf("go-sendxmpp does not write what %s says", who)
		}
	}
	jack.do(t, "say", at("iris"), "from Python")
	line(jack.address, "from Python")
	tells(t, kate.calls(t, at("iris")), "from MSN, mit Grüßen")
	line(kate.Handle(), "from MSN, mit Grüßen")
	leo.types(t, "/msg "+at("iris")+" from a terminal")
	line(leo.address, "from a terminal")
}
