package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	msnplays "parley/msnp/plays"
	"parley/transcript"
)

// subscription is one of the nine states of RFC 6121 A.1, from the point of view of its owner.
type subscription string

const (
	subNone      subscription = "None"
	subNoneOut   subscription = "None + Pending Out"
	subNoneIn    subscription = "None + Pending In"
	subNoneOutIn subscription = "None + Pending Out+In"
	subTo        subscription = "To"
	subToIn      subscription = "To + Pending In"
	subFrom      subscription = "From"
	subFromOut   subscription = "From + Pending Out"
	subBoth      subscription = "Both"
)

// half is how far one person's wish to see another has come.
type half uint8

const (
	unasked half = iota
	pending
	granted
)

// halves are the nine states as two wishes: the owner's, and the other's.
var halves = map[subscription][2]half{
	subNone:      {unasked, unasked},
	subNoneOut:   {pending, unasked},
	subNoneIn:    {unasked, pending},
	subNoneOutIn: {pending, pending},
	subTo:        {granted, unasked},
	subToIn:      {granted, pending},
	subFrom:      {unasked, granted},
	subFromOut:   {pending, granted},
	subBoth:      {granted, granted},
}

// mirror is the state as the other has it.
func (s subscription) mirror() subscription {
	for m, h := range halves {
		if h == [2]half{halves[s][1], halves[s][0]} {
			return m
		}
	}
	panic(s)
}

// transition is a line of the tables: whether the stanza goes on, and what state there is then; "": the same.
type transition struct {
	goes bool
	then subscription
}

// outbound are the tables 2 to 5, RFC 6121 A.2. What is not there does not go on and changes nothing.
var outbound = map[string]map[subscription]transition{
	"subscribe": {
		subNone: {true, subNoneOut}, subNoneOut: {true, ""}, subNoneIn: {true, subNoneOutIn}, subNoneOutIn: {true, ""},
		subTo: {true, ""}, subToIn: {true, ""}, subFrom: {true, subFromOut}, subFromOut: {true, ""}, subBoth: {true, ""},
	},
	"unsubscribe": {
		subNone: {true, ""}, subNoneOut: {true, subNone}, subNoneIn: {true, ""}, subNoneOutIn: {true, subNoneIn},
		subTo: {true, subNone}, subToIn: {true, subNoneIn}, subFrom: {true, ""}, subFromOut: {true, subFrom}, subBoth: {true, subFrom},
	},
	"subscribed":   {subNoneIn: {true, subFrom}, subNoneOutIn: {true, subFromOut}, subToIn: {true, subBoth}},
	"unsubscribed": {subNoneIn: {true, subNone}, subNoneOutIn: {true, subNoneOut}, subToIn: {true, subTo}, subFrom: {true, subNone}, subFromOut: {true, subNoneOut}, subBoth: {true, subTo}},
}

// inbound are the tables 6 to 9, RFC 6121 A.3.
var inbound = map[string]map[subscription]transition{
	"subscribe":    {subNone: {true, subNoneIn}, subNoneOut: {true, subNoneOutIn}, subTo: {true, subToIn}},
	"unsubscribe":  {subNoneIn: {true, subNone}, subNoneOutIn: {true, subNoneOut}, subToIn: {true, subTo}, subFrom: {true, subNone}, subFromOut: {true, subNoneOut}, subBoth: {true, subTo}},
	"subscribed":   {subNoneOut: {true, subTo}, subNoneOutIn: {true, subToIn}, subFromOut: {true, subBoth}},
	"unsubscribed": {subNoneOut: {true, subNone}, subNoneOutIn: {true, subNoneIn}, subTo: {true, subNone}, subToIn: {true, subNoneIn}, subFromOut: {true, subFrom}, subBoth: {true, subFrom}},
}

func look(table map[subscription]transition, s subscription) transition {
	t := table[s]
	if t.then == "" {
		t.then = s
	}
	return t
}

// contact is what one of two people has of the other, as the tables have it.
type contact struct {
	me, other string
	state     subscription
	listed    bool // there is a roster item
	approved  bool // in advance: RFC 6121 3.4
}

// item is the roster item, "" for none: RFC 6121 2.1.2, A.1.
func (c contact) item() string {
	h := halves[c.state]
	if !c.listed && h[0] == unasked && h[1] != granted && !c.approved {
		return ""
	}
	sub := map[[2]bool]string{{false, false}: "none", {true, false}: "to", {false, true}: "from", {true, true}: "both"}[[2]bool{h[0] == granted, h[1] == granted}]
	s := "<item jid='" + c.other + "@example.com' subscription='" + sub + "'"
	if h[0] == pending {
		s += " ask='subscribe'"
	}
	if c.approved {
		s += " approved='true'"
	}
	return s + "/>"
}

// drama writes a play about alice and bob.
type drama struct {
	strings.Builder
	asked int
}

func (d *drama) line(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

// act has somebody send a presence, and waits until it is done.
func (d *drama) act(conn, typ, to string) {
	d.asked++
	d.line("%s C: <presence type='%s' to='%s@example.com'/>", conn, typ, to)
	d.line("%s C: <iq type='get' id='p%d'><ping xmlns='urn:xmpp:ping'/></iq>", conn, d.asked)
	d.line("%s S: <iq type='result' id='p%d'/>", conn, d.asked)
}

func (d *drama) leave(conn string) {
	d.line("%s C: </stream:stream>", conn)
	d.line("%s S: </stream:stream>", conn)
	d.line("@closed %s", conn)
}

func (d *drama) push(c, was contact) {
	if c.item() != "" && c.item() != was.item() {
		d.line("%s S: <iq type='set' id='${*}' to='%s@example.com/home'><query xmlns='jabber:iq:roster' ver='${*}'>%s</query></iq>", c.me, c.me, c.item())
	}
}

func (d *drama) hears(c contact, typ string) {
	d.line("%s S: <presence type='%s' from='%s@example.com' to='%s@example.com'/>", c.me, typ, c.other, c.me)
}

// sees has the other's presence come or go.
func (d *drama) sees(c contact, was half) {
	switch is := halves[c.state][0]; {
	case was != granted && is == granted:
		d.line("%s S: <presence from='%s@example.com/home'/>", c.me, c.other)
	case was == granted && is != granted:
		d.line("%s S: <presence type='unavailable' from='%s@example.com/home'/>", c.me, c.other)
	}
}

// stage brings both to where the act begins; known: they had each other on their rosters before there was any subscription.
func (d *drama) stage(a, b contact, known bool) {
	d.line("@config xmpp.plain=loopback")
	d.line("@open alice.before in")
	d.line("@open bob.before in")
	if known {
		for _, c := range []contact{a, b} {
			d.line("%s.before C: <iq type='set' id='l'><query xmlns='jabber:iq:roster'><item jid='%s@example.com'/></query></iq>", c.me, c.other)
			d.line("%s.before S: <iq type='result' id='l'/>", c.me)
		}
	}
	for _, c := range []contact{a, b} {
		if h := halves[c.state][0]; h != unasked {
			d.act(c.me+".before", "subscribe", c.other)
			if h == granted {
				d.act(c.other+".before", "subscribed", c.me)
			}
		}
	}
	d.leave("alice.before")
	d.leave("bob.before")
	d.line("@open alice online")
	d.line("@open bob online")
	if halves[a.state][0] == granted {
		d.line("alice S: <presence from='bob@example.com/home'/>")
	}
}

// check looks whether both have what they should, also what they do not see of it: a request is offered at the next login.
func (d *drama) check(a, b contact) {
	d.line("@silence")
	for _, c := range []contact{a, b} {
		d.line("%s C: <iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>", c.me)
		d.line("%s S: <iq type='result' id='r'><query xmlns='jabber:iq:roster' ver='${*}'>%s</query></iq>", c.me, c.item())
	}
	d.line("@close alice")
	d.line("@close bob")
	d.line("@silence") // until the service has seen both go
	for _, c := range []contact{a, b} {
		later := c.me + ".later"
		d.line("@open %s roster", later)
		d.line("%s C: <presence/>", later)
		d.line("%s S: <presence from='%s@example.com/later'/>", later, c.me)
		if halves[c.state][1] == pending {
			d.line("%s S: <presence type='subscribe' from='%s@example.com' to='%s@example.com'/>", later, c.other, c.me)
		}
		d.leave(later)
	}
}

// play plays it against a service of its own.
func (d *drama) play(t *testing.T, template, title string) {
	t.Run(title, func(t *testing.T) {
		t.Parallel()
		scripts, err := transcript.Parse("states", "# "+title+". Spec: RFC 6121 A\n"+d.String())
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

// TestSubscriptionStates walks every line of RFC 6121 A.2 and A.3 over the wire: alice does each of the four things in each of the
// nine states, as somebody who was on bob's roster before or was not, and bob, who is in the mirrored state, gets what she does as an inbound stanza. What both
// hear, the rosters pushed and read, and what is offered at the next login are all that there is to hear.
func TestSubscriptionStates(t *testing.T) {
	template := makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People)
	for state := range halves {
		for _, typ := range []string{"subscribe", "unsubscribe", "subscribed", "unsubscribed"} {
			for _, known := range []bool{false, true} {
				h, title := halves[state], typ+" in "+string(state)
				if known {
					title += ", known before"
				}
				a := contact{me: "alice", other: "bob", state: state, listed: known || h[0] != unasked || h[1] == granted}
				b := contact{me: "bob", other: "alice", state: state.mirror(), listed: known || h[1] != unasked || h[0] == granted}
				var d drama
				d.stage(a, b, known)
				d.perform(t, &a, &b, typ)
				d.check(a, b)
				d.play(t, template, title)
			}
		}
	}
}

// perform has a do something, and says what is heard of it.
func (d *drama) perform(t *testing.T, a, b *contact, typ string) {
	wasA, wasB := *a, *b
	out := look(outbound[typ], a.state)
	d.line("%s C: <presence type='%s' to='%s@example.com' id='x1'/>", a.me, typ, a.other)
	a.state = out.then
	a.listed = a.listed || halves[a.state][0] != unasked || halves[a.state][1] == granted
	switch h := halves[wasA.state][1]; {
	case typ == "subscribed" && h == unasked: // RFC 6121 3.4.2
		a.approved, a.listed = true, true
	case typ == "unsubscribed":
		a.approved = false
	}
	if !out.goes {
		d.push(*a, wasA)
		return
	}
	in := look(inbound[typ], b.state)
	if in.then != out.then.mirror() {
		t.Fatalf("the tables do not agree: %s in %s", typ, wasA.state)
	}
	b.state = in.then
	// Who loses sight of somebody hears that first: RFC 6121 3.2.2.
	if typ == "unsubscribed" {
		d.sees(*b, halves[wasB.state][0])
	}
	if in.goes {
		d.hears(*b, typ)
	}
	d.push(*b, wasB)
	if typ == "subscribed" {
		d.sees(*b, halves[wasB.state][0])
	}
	d.push(*a, wasA)
	d.sees(*a, halves[wasA.state][0])
}

// TestPreApproval: who says yes in advance is not asked when the other asks, and may take it back; RFC 6121 3.4.2.
func TestPreApproval(t *testing.T) {
	template := makeTemplate(t, msnplays.Domain, msnplays.Password, msnplays.People)
	for _, state := range []subscription{subNone, subNoneOut, subTo} {
		for _, back := range []bool{false, true} {
			listed := halves[state][0] != unasked
			a := contact{me: "alice", other: "bob", state: state, listed: listed}
			b := contact{me: "bob", other: "alice", state: state.mirror(), listed: halves[state][0] == granted}
			var d drama
			d.stage(a, b, false)
			d.perform(t, &a, &b, "subscribed")
			title := "asked afterwards in "
			if back {
				title = "taken back in "
				d.perform(t, &a, &b, "unsubscribed")
				d.perform(t, &b, &a, "subscribe")
			} else {
				d.line("bob C: <presence type='subscribe' to='alice@example.com'/>")
				wasA, wasB := a, b
				next := map[subscription]subscription{subNone: subFrom, subNoneOut: subFromOut, subTo: subBoth}
				a.state = next[a.state]
				b.state, b.listed = a.state.mirror(), true
				d.hears(b, "subscribed")
				d.push(b, wasB)
				d.sees(b, halves[wasB.state][0])
				d.push(a, wasA)
			}
			d.check(a, b)
			d.play(t, template, title+string(state))
		}
	}
}
