package main

import (
	"errors"
	"fmt"
	"testing"

	"parley/msnp"
	"parley/msnp/client"
	xmpp "parley/xmpp/client"
)

// cast is who plays a scene at a domain.
type cast struct {
	msn  *msnFigure
	xmpp *xmppFigure
}

func (r *realm) cast(t *testing.T, scene string) cast {
	t.Helper()
	c := cast{&msnFigure{r: r, name: scene + "-msn"}, &xmppFigure{r: r, name: scene + "-xmpp"}}
	c.msn.arrives(t)
	c.xmpp.arrives(t)
	return c
}

// befriend has two people see each other.
func befriend(t *testing.T, a, b figure) {
	t.Helper()
	for range 2 {
		a.asks(t, b.address())
		b.isAsked(t, a.address())
		b.admits(t, a.address())
		a.isAdmitted(t, b.address())
		a.sees(t, b.address(), present)
		a, b = b, a
	}
}

// farStates: the states of each protocol as the protocols of another domain show them. draft 7.7, 7.9; RFC 6121 4.7.2.1;
// SSP 11.1.
func farStates(t *testing.T, verona, mantua *realm) {
	who, by := verona.cast(t, "states"), mantua.cast(t, "states")
	for _, w := range []figure{who.msn, who.xmpp} {
		befriend(t, w, by.msn)
		befriend(t, w, by.xmpp)
	}
	seen := func(from string, m msnp.State, show, status string) {
		t.Helper()
		by.msn.guest.sees(t, from, m)
		notices(t, by.xmpp, fmt.Sprintf("%s is %s (%s)", from, show, status), func(p xmpp.Presence) bool {
			typ := ""
			if show == "unavailable" {
				typ, show = show, ""
			}
			ok := xmpp.Bare(p.From) == from && p.Type == typ && p.Show == show && p.Status == status
			if typ != "" {
				show = typ
			}
			return ok
		})
	}
	for _, s := range []struct {
		state, msn   msnp.State
		show, status string
	}{
		{msnp.Busy, msnp.Busy, "dnd", ""},
		{msnp.Idle, msnp.Away, "xa", ""},
		{msnp.BeRightBack, msnp.Busy, "dnd", "Be right back"},
		{msnp.Away, msnp.Away, "xa", ""},
		{msnp.OnThePhone, msnp.Busy, "dnd", "On the phone"},
		{msnp.OutToLunch, msnp.Away, "xa", "Out to lunch"},
		{msnp.Hidden, msnp.Offline, "unavailable", ""},
		{msnp.Online, msnp.Online, "", ""},
	} {
		ctx, cancel := awhile()
		if err := who.msn.SetState(ctx, s.state); err != nil {
			t.Fatal(err)
		}
		cancel()
		seen(who.msn.address(), s.msn, s.show, s.status)
	}
	for _, s := range []struct {
		is   xmpp.Shown
		msn  msnp.State
		show string
	}{
		{xmpp.Shown{Show: "away", Status: "in the garden"}, msnp.Away, "xa"},
		{xmpp.Shown{Show: "dnd", Status: "at arms"}, msnp.Busy, "dnd"},
		{xmpp.Shown{Show: "xa", Status: "in Padua"}, msnp.Away, "xa"},
		{xmpp.Shown{Show: "chat", Status: "under the balcony"}, msnp.Online, ""},
	} {
		if err := who.xmpp.SetPresence(s.is); err != nil {
			t.Fatal(err)
		}
		seen(who.xmpp.address(), s.msn, s.show, s.is.Status)
	}
	who.xmpp.is(t, gone)
	seen(who.xmpp.address(), msnp.Offline, "unavailable", "")
}

// farWaiting: what is said to somebody who is away waits for them at their domain, in order. XEP-0160 3; SSP 12.3.1.
func farWaiting(t *testing.T, verona, mantua *realm) {
	from, to := verona.cast(t, "waiting"), mantua.cast(t, "waiting")
	for _, b := range []figure{to.msn, to.xmpp} {
		befriend(t, from.msn, b)
		befriend(t, from.xmpp, b)
		b.leaves()
		from.xmpp.sees(t, b.address(), gone)
		from.msn.sees(t, b.address(), gone)
		for i := range 3 {
			from.xmpp.tells(t, b.address(), fmt.Sprintf("line %d that waits", i))
		}
		from.msn.tells(t, b.address(), "words that wait")
		b.arrives(t)
		for i := range 3 {
			b.hears(t, from.xmpp.address(), fmt.Sprintf("line %d that waits", i))
		}
		b.hears(t, from.msn.address(), "words that wait")
	}
}

// farNobody: who writes to an address that nobody has is told; who asks to see it waits for ever. RFC 6121 8.5.1; draft 8.3.
func farNobody(t *testing.T, verona, mantua *realm) {
	who := verona.cast(t, "nobody")
	for _, c := range []struct{ domain, condition string }{
		{mantua.domain, "service-unavailable"},
		{"nowhere.example", "remote-server-not-found"},
	} {
		nobody := "nobody@" + c.domain
		id, err := who.xmpp.Say(nobody, "is anybody there?")
		if err != nil {
			t.Fatal(err)
		}
		m := notices(t, who.xmpp, "the message comes back", func(m xmpp.Message) bool { return m.Type == "error" && m.ID == id })
		if xmpp.Bare(m.From) != nobody || m.Error.Condition != c.condition {
			t.Errorf("a message to %s comes back from %s: %v", nobody, m.From, m.Error)
		}
	}
	nobody := "nobody@" + mantua.domain
	who.xmpp.asks(t, nobody)
	who.msn.asks(t, nobody)
	ctx, cancel := awhile()
	defer cancel()
	talk, err := who.msn.Talk(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := talk.Invite(ctx, nobody); err != nil {
		t.Fatal(err)
	}
	if err := talk.Say(ctx, "is anybody there?"); !errors.Is(err, client.ErrNotDelivered) {
		t.Errorf("words to nobody: %v", err)
	}
}

// farCarried: what has no form between domains gets each protocol's own refusal, and disturbs nothing else.
func farCarried(t *testing.T, verona, mantua *realm) {
	from, to := verona.cast(t, "carried"), mantua.cast(t, "carried")
	for _, b := range []figure{to.msn, to.xmpp} {
		befriend(t, from.msn, b)
		befriend(t, from.xmpp, b)
	}
	ctx, cancel := awhile()
	defer cancel()

	t.Log("queries")
	_, err := from.xmpp.IQ(ctx, "get", to.xmpp.address()+"/SSP", "<query xmlns='jabber:iq:version'/>")
	if !errors.Is(err, &xmpp.StanzaError{Condition: "service-unavailable"}) {
		t.Errorf("a query to a session of another domain: %v", err)
	}
	_, err = from.xmpp.IQ(ctx, "get", to.xmpp.address(), "<vCard xmlns='vcard-temp'/>")
	if !errors.Is(err, &xmpp.StanzaError{Condition: "service-unavailable"}) {
		t.Errorf("a query about somebody of another domain: %v", err)
	}

	t.Log("typing")
	from.xmpp.tells(t, to.msn.address(), "one")
	if err := from.xmpp.Typing(to.xmpp.address(), "composing"); err != nil {
		t.Fatal(err)
	}
	from.xmpp.tells(t, to.xmpp.address(), "two")
	to.xmpp.hears(t, from.xmpp.address(), "two")
	talk := from.msn.calls(t, to.xmpp.address())
	if err := talk.Typing(); err != nil {
		t.Fatal(err)
	}
	if err := talk.Say(ctx, "three"); err != nil {
		t.Fatal(err)
	}
	to.xmpp.hears(t, from.msn.address(), "three")
	for e, _ := to.xmpp.box.TryNext(); e != nil; e, _ = to.xmpp.box.TryNext() {
		if m, ok := e.(xmpp.Message); ok {
			t.Errorf("something came that has no form between domains: %s", m.XML)
		}
	}

	t.Log("files")
	err = talk.Deliver(ctx, []byte("MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\n"+
		"Application-Name: File Transfer\r\nApplication-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}\r\nInvitation-Command: INVITE\r\n"+
		"Invitation-Cookie: 33267\r\nApplication-File: a.txt\r\nApplication-FileSize: 12\r\n\r\n"))
	if err != nil {
		t.Errorf("a file offered to another domain: %v", err)
	}
	expect(t, from.msn.guest, "the file is turned down", func(m client.Message) bool {
		c, err := m.Content()
		return err == nil && m.Handle == to.xmpp.address() && c.Kind == msnp.InviteContent && c.Invitation.Command == "CANCEL"
	})
	if err := talk.Say(ctx, "four"); err != nil {
		t.Fatal(err)
	}
	to.xmpp.hears(t, from.msn.address(), "four")
}

// farReceipts: who wants to know that words came is told. XEP-0184 7; SSP 12.3.9.
func farReceipts(t *testing.T, verona, mantua *realm) {
	from, to := verona.cast(t, "receipts"), mantua.cast(t, "receipts")
	for _, b := range []figure{to.msn, to.xmpp} {
		befriend(t, from.xmpp, b)
		id, err := from.xmpp.Tell(xmpp.Words{To: b.address(), Body: "did it come?", Receipt: true})
		if err != nil {
			t.Fatal(err)
		}
		b.hears(t, from.xmpp.address(), "did it come?")
		notices(t, from.xmpp, "it came to "+b.address(), func(m xmpp.Message) bool { return m.Receipt == id && xmpp.Bare(m.From) == b.address() })
	}
}

// farBlocked: what somebody says who is blocked is taken as if the other were away, and never comes; open conversations
// included. XEP-0191 3.3.
func farBlocked(t *testing.T, verona, mantua *realm) {
	from, to := verona.cast(t, "blocked"), mantua.cast(t, "blocked")
	for _, b := range []figure{to.msn, to.xmpp} {
		befriend(t, from.xmpp, b)
		befriend(t, from.msn, b)
		talk := from.msn.calls(t, b.address())
		b.blocks(t, from.xmpp.address(), true)
		b.blocks(t, from.msn.address(), true)
		from.xmpp.sees(t, b.address(), gone)
		from.msn.sees(t, b.address(), gone)
		from.xmpp.tells(t, b.address(), "never heard")
		ctx, cancel := awhile()
		if err := talk.Say(ctx, "never heard"); err != nil {
			t.Errorf("what somebody says who is blocked: %v", err)
		}
		cancel()
		b.blocks(t, from.xmpp.address(), false)
		b.blocks(t, from.msn.address(), false)
		from.xmpp.sees(t, b.address(), present)
		from.msn.sees(t, b.address(), present)
		from.xmpp.tells(t, b.address(), "heard again")
		b.hears(t, from.xmpp.address(), "heard again")
		from.msn.tells(t, b.address(), "heard again")
		b.hears(t, from.msn.address(), "heard again")
	}
	for e, _ := to.xmpp.box.TryNext(); e != nil; e, _ = to.xmpp.box.TryNext() {
		if m, ok := e.(xmpp.Message); ok {
			t.Errorf("something came although it was blocked: %s", m.XML)
		}
	}
	for e, _ := to.msn.box.TryNext(); e != nil; e, _ = to.msn.box.TryNext() {
		if m, ok := e.(client.Message); ok {
			t.Errorf("something came although it was blocked: %s", m.Payload)
		}
	}
}

// farNames: how somebody is called at their own domain is how MSNP shows them at another. draft 5.5, 7.9.
func farNames(t *testing.T, verona, mantua *realm) {
	who, by := verona.cast(t, "names"), mantua.cast(t, "names")
	befriend(t, who.msn, by.msn)
	befriend(t, who.msn, by.xmpp)
	ctx, cancel := awhile()
	defer cancel()
	if _, err := who.msn.Rename(ctx, who.msn.address(), "Romeo of the house of Montague"); err != nil {
		t.Fatal(err)
	}
	expect(t, by.msn.guest, "the new name", func(p client.Presence) bool {
		return p.Handle == who.msn.address() && p.Name == "Romeo of the house of Montague"
	})
	who.msn.tells(t, by.msn.address(), "it is me")
	m := by.msn.reads(t, who.msn.address(), "it is me")
	if m.Name != "Romeo of the house of Montague" {
		t.Errorf("words of %q", m.Name)
	}
}

// farRemoved: who takes somebody off the roster sees them no more, and is seen no more; who takes back what they gave is
// seen no more. RFC 6121 2.5, 3.2, 3.3; draft 7.8.
func farRemoved(t *testing.T, verona, mantua *realm) {
	a, b := verona.cast(t, "removed"), mantua.cast(t, "removed")
	befriend(t, a.xmpp, b.xmpp)
	befriend(t, a.xmpp, b.msn)
	befriend(t, a.msn, b.xmpp)

	a.xmpp.drops(t, b.xmpp.address())
	b.xmpp.isTold(t, a.xmpp.address(), "unsubscribe")
	b.xmpp.sees(t, a.xmpp.address(), gone)
	notices(t, b.xmpp, "the roster says none", func(e xmpp.RosterChanged) bool {
		return e.Item.JID == a.xmpp.address() && e.Item.Subscription == "none"
	})

	a.xmpp.drops(t, b.msn.address())
	b.msn.sees(t, a.xmpp.address(), gone)
	b.msn.listed(t, msnp.ReverseList, a.xmpp.address(), true)

	a.msn.drops(t, b.xmpp.address())
	b.xmpp.isTold(t, a.msn.address(), "unsubscribe")
	notices(t, b.xmpp, "the roster says to", func(e xmpp.RosterChanged) bool {
		return e.Item.JID == a.msn.address() && e.Item.Subscription == "to"
	})
	if err := b.xmpp.Unsubscribe(a.msn.address()); err != nil {
		t.Fatal(err)
	}
	a.msn.listed(t, msnp.ReverseList, b.xmpp.address(), true)
}

// farPicked: whom somebody blocks at another domain sees them gone, and nobody else does, whatever happens then. XEP-0191
// 3.3; SSP 11.3.4, 12.2.13.
func farPicked(t *testing.T, verona, mantua *realm) {
	by, who := verona.cast(t, "picked"), mantua.cast(t, "picked")
	for _, b := range []figure{who.msn, who.xmpp} {
		befriend(t, by.xmpp, b)
		befriend(t, by.msn, b)
		b.blocks(t, by.msn.address(), true)
		by.msn.sees(t, b.address(), gone)
		b.is(t, occupied)
		by.xmpp.sees(t, b.address(), occupied)
		b.leaves()
		by.xmpp.sees(t, b.address(), gone)
		b.arrives(t)
		by.xmpp.sees(t, b.address(), present)
		by.msn.leaves()
		by.msn.arrives(t)
		b.is(t, absent)
		by.xmpp.sees(t, b.address(), absent)
		if s := by.msn.Seen(b.address()).State; s != msnp.Offline {
			t.Errorf("%s blocks %s, who sees them %s", b.address(), by.msn.address(), s)
		}
		b.blocks(t, by.msn.address(), false)
		by.msn.sees(t, b.address(), absent)
		for e, _ := by.xmpp.box.TryNext(); e != nil; e, _ = by.xmpp.box.TryNext() {
			if p, ok := e.(xmpp.Presence); ok && p.Type == "unavailable" {
				t.Errorf("whom %s does not block is told %s", b.address(), p.XML)
			}
		}
	}
}
