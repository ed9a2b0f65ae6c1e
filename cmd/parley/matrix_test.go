package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	msnplays "parley/msnp/plays"
	"parley/transcript"
)

// across is all that somebody on MSNP and somebody on XMPP do with each other.
func across(dialect int) string {
	var s strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&s, format+"\n", args...) }
	a, b := &msnplays.Actor{Name: "alice", Dialect: dialect, Able: "0"}, &msnplays.Actor{Name: "bob"}
	const set = "bob S: <iq type='set' id='${*}' to='bob@example.com/home'><query xmlns='jabber:iq:roster' ver='${*}'><item jid='alice@example.com' subscription='%s'/></query></iq>"
	say("# MSNP%d and XMPP. Spec: dialects 12.1; RFC 6121 3.1, 4.7, 5.2", dialect)
	say("@config msnp.dialects=MSNP2,MSNP3,MSNP4,MSNP5,MSNP6,MSNP7,MSNP8,MSNP9,MSNP10,MSNP11,MSNP12")
	say("@open alice msnp NLN%d\n@open bob xmpp online", dialect)
	say("%sbob S: <presence type='subscribe' from='alice@example.com' to='bob@example.com'/>", a.Add(b))
	say("bob C: <presence type='subscribed' to='alice@example.com'/>\n"+set, "from")
	say("%s", a.Hears("NLN", "NLN", b, "Bob"))
	say("bob C: <presence type='subscribe' to='alice@example.com'/>\nbob S: <presence type='subscribed' from='alice@example.com' to='bob@example.com'/>\n"+set, "both")
	say("bob S: <presence from='alice@example.com/MSN'/>\n%s", a.Added(b))
	for i, st := range [][2]string{{"BSY", "<show>dnd</show>"}, {"IDL", "<show>away</show>"}, {"BRB", "<show>away</show><status>Be right back</status>"},
		{"AWY", "<show>away</show>"}, {"PHN", "<show>dnd</show><status>On the phone</status>"}, {"LUN", "<show>away</show><status>Out to lunch</status>"}} {
		say("%sbob S: <presence from='alice@example.com/MSN'>%s</presence>", a.Change(i+2, st[0]), st[1])
	}
	say("%sbob S: <presence type='unavailable' from='alice@example.com/MSN'/>", a.Change(8, "HDN"))
	say("%sbob S: <presence from='alice@example.com/MSN'/>", a.Change(9, "NLN"))
	if dialect >= 11 {
		say("alice C: UUX 10 ${len}\n  <Data><PSM>a &lt; b</PSM><CurrentMedia></CurrentMedia></Data>\nalice S: UUX 10 0")
		say("bob S: <presence from='alice@example.com/MSN'><status>a &lt; b</status></presence>")
	}
	for _, st := range [][3]string{{"away", "AWY", "at lunch"}, {"away", "AWY", "still at lunch"}, {"dnd", "BSY", ""}} {
		shown, status, was := "", "", b.Message
		if b.Message = st[2]; st[2] != "" {
			status = "<status>" + st[2] + "</status>"
		}
		shown = "<show>" + st[0] + "</show>" + status
		say("bob C: <presence>%s</presence>\nbob S: <presence from='bob@example.com/home'>%[1]s</presence>", shown)
		if was == "" || st[2] == "" || dialect >= 11 { // else the words alone are news, which there are none for
			say("%s", a.Hears("NLN", st[1], b, "Bob"))
		}
	}
	say("alice C: XFR 30 SB\nalice S: XFR 30 SB ${board} CKI ${cookie}")
	say("alice.sb C: USR 1 alice@example.com ${cookie}\nalice.sb S: USR 1 OK alice@example.com Alice")
	say("alice.sb C: CAL 2 bob@example.com\nalice.sb S: CAL 2 RINGING ${session}\nalice.sb S: JOI bob@example.com Bob%s", a.Since(map[int]string{12: " 0"}))
	say("alice.sb C: MSG 3 A ${len}\n  MIME-Version: 1.0\n  Content-Type: text/plain; charset=UTF-8\n  .\n  hello")
	say("bob S: <message type='chat' from='alice@example.com/MSN' to='bob@example.com/home' id='${id}'><body>hello</body><active xmlns='http://jabber.org/protocol/chatstates'/><stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.com' id='${id}'/></message>")
	say("alice.sb S: ACK 3")
	say("bob C: <message to='alice@example.com' type='chat' id='m1'><body>hello yourself</body></message>")
	say("alice.sb S: MSG bob@example.com Bob ${len}\n  MIME-Version: 1.0\n  Content-Type: text/plain; charset=UTF-8\n  .\n  hello yourself")
	say("alice.sb C: MSG 4 N ${len}\n  MIME-Version: 1.0\n  Content-Type: text/x-mms-emoticon\n  .\n  :)")
	say("@silence\nalice.sb C: OUT")
	say("%sbob S: <presence type='unavailable' from='alice@example.com/MSN'/>", a.Blocks(40, b))
	say("%sbob S: <presence from='alice@example.com/MSN'>%s</presence>", a.Unblocks(42, b), map[bool]string{true: "<status>a &lt; b</status>"}[dialect >= 11])
	return strings.ReplaceAll(strings.ReplaceAll(s.String(), "\n\n", "\n"), "/MSN'></presence>", "/MSN'/>")
}

// TestEveryDialectAndXMPP: whichever dialect somebody on MSNP has, they and somebody on XMPP add and see each other, talk
// and block: dialects 12.1.
func TestEveryDialectAndXMPP(t *testing.T) {
	template := makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People)
	for dialect := 2; dialect <= 12; dialect++ {
		t.Run(fmt.Sprintf("MSNP%d", dialect), func(t *testing.T) {
			t.Parallel()
			scripts, err := transcript.Parse("matrix", across(dialect))
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t, template, "any", "xmpp", "xmpps")
				dial, o := bothDoors(p, true)
				transcript.Play(t, scripts[0], dial, o)
			})
		})
	}
}
