package main

import (
	"context"
	"fmt"
	"strings"

	"parley/xmltext"
	"parley/xmpp/client"
	"parley/xmpp/wire"
)

func (m *xmppMessenger) step(ctx context.Context, c *chat) <-chan struct{} {
	e, ready := m.inbox.TryNext()
	if e == nil {
		return ready
	}
	switch e := e.(type) {
	case client.Presence:
		m.presence(c, e)
	case client.Message:
		m.message(ctx, c, e)
	case client.RosterChanged:
		if e.Removed {
			c.say("%s was taken off your list elsewhere", printable(e.Item.JID))
		} else {
			c.say("%s was added to your list elsewhere", person(e.Item.JID, e.Item.Name))
		}
	case client.BlockingChanged:
		does := map[bool]string{true: "blocked", false: "unblocked"}[e.Blocked]
		c.say("%s was %s elsewhere", printable(strings.Join(e.JIDs, ", ")), does)
	case client.Ended:
		c.end(e.Err)
	}
	return nil
}

// presence shows who is here, and what becomes of subscriptions: RFC 6121 3, 4.
func (m *xmppMessenger) presence(c *chat, e client.Presence) {
	who := client.Bare(e.From)
	if r := m.room(who); r != nil {
		r.presence(c, e)
		return
	}
	it := m.client.Items()[who]
	switch e.Type {
	case "", "unavailable":
		if who == m.who.String() {
			return
		}
		now, before := m.contact(who), m.shown[who]
		if now.state == before.state && now.status == before.status || now.state == "offline" && before.state == "" {
			return
		}
		m.shown[who] = now
		c.saw(now)
	case "subscribe":
		c.happened("added", who)
		if it.Subscription == "from" || it.Subscription == "both" {
			return
		}
		m.ask(who, true)
		c.asks(who, it.Name)
		if e.Status != "" {
			c.say("%s says with it: %s", printable(who), printable(e.Status))
		}
	case "subscribed":
		c.say("%s lets you see when they are here", person(who, it.Name))
	case "unsubscribe":
		m.ask(who, false)
		c.say("%s took you off their list", printable(who))
		c.happened("removed", who)
	case "unsubscribed":
		c.say("%s does not let you see when they are here", person(who, it.Name))
	}
}

// presence shows who comes and goes: XEP-0045 7.2, 7.14.
func (r *xmppRoom) presence(c *chat, e client.Presence) {
	nick, who := client.Resource(e.From), r.occupant(e)
	switch {
	case who == r.m.who.String() && e.Occupant.Has(110):
		if e.Type == "" {
			r.in = true
			return
		}
		if e.Occupant.Has(303) { // under another name: XEP-0045 7.6
			r.call(e.Occupant.Nick)
			return
		}
		c.over(r)
		r.m.mu.Lock()
		delete(r.m.in, r.jid)
		r.m.mu.Unlock()
	case e.Type == "":
		if _, ok := r.here[nick]; !ok && r.in {
			c.joined(r, who, "")
		}
		r.here[nick] = who
	case e.Type == "unavailable" && e.Occupant.Has(303):
		r.here[e.Occupant.Nick] = r.here[nick]
		delete(r.here, nick)
	case e.Type == "unavailable":
		if who, ok := r.here[nick]; ok {
			delete(r.here, nick)
			c.left(r, who, false)
		}
	}
}

// message shows what somebody said: RFC 6121 5, XEP-0045 7.4, 7.5.
func (m *xmppMessenger) message(ctx context.Context, c *chat, e client.Message) {
	who := client.Bare(e.From)
	var conv venue
	if r := m.room(who); r != nil {
		if e.Type == "groupchat" && client.Resource(e.From) == r.called() {
			return // one's own
		}
		conv, who = r, r.occupant(m.client.Seen(e.From))
	} else if r := m.room(e.Thread); r != nil && e.Body != "" { // said there before this session was in
		conv = r
	}
	if r, ok := conv.(*xmppRoom); ok && e.Body != "" && c.talkOf(r) == nil {
		r.early = append(r.early, e)
		return
	}
	switch {
	case e.Type == "error":
		c.fail(fmt.Errorf("not delivered to %s: %w", printable(who), m.explain(e.Error, who)))
	case e.Receipt != "":
		c.say("delivered to %s", printable(who))
		c.happened("delivered", who)
	case m.invited(ctx, c, e):
	case e.Body != "":
		if conv == nil {
			conv = m.pair(who)
		}
		if c.talkOf(conv) == nil {
			c.met(conv, []string{who})
		}
		c.heard(conv, who, e.Body)
	case e.State == "composing":
		c.types(who)
	}
}

// invited enters a room that somebody invites to: XEP-0045 7.8.2; XEP-0249 2.
func (m *xmppMessenger) invited(ctx context.Context, c *chat, e client.Message) bool {
	room, by := "", client.Bare(e.From)
	for n := range e.Node().Children() {
		switch {
		case n.Is(wire.NSMUCUser, "x"):
			if inv := n.Child(wire.NSMUCUser, "invite"); inv.Ok() {
				room, by = client.Bare(e.From), client.Bare(xmppAttr(inv, "from"))
			}
		case n.Is(wire.NSConference, "x") && room == "":
			room = xmppAttr(n, "jid")
		}
	}
	if room == "" {
		return false
	}
	if m.room(room) != nil {
		return true
	}
	var conv venue
	err := c.during(ctx, func(ctx context.Context) (err error) {
		conv, err = m.enter(ctx, room)
		return err
	})
	if err != nil {
		c.say("%s wanted to talk, which failed: %v", printable(by), m.explain(err, room))
		return true
	}
	c.answered(conv, by, m.client.Items()[by].Name)
	if r, ok := conv.(*xmppRoom); ok {
		early := r.early
		r.early = nil
		for _, e := range early {
			m.message(ctx, c, e)
		}
	}
	return true
}

func xmppAttr(n xmltext.Node, name string) string {
	v, _ := n.Attr("", name)
	return string(v)
}
