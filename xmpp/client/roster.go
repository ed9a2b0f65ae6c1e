package client

import (
	"context"
	"errors"
	"maps"
	"strings"

	"parley/xmltext"
	"parley/xmpp/wire"
)

// Item is one of the roster: RFC 6121 2.1.2.
type Item struct {
	JID          string
	Name         string
	Subscription string // none, to, from, both
	Asked        bool   // a request of one's own is unanswered: ask='subscribe'
	Approved     bool   // a request of theirs will be granted unasked
	Groups       []string
}

// item reads an item.
func item(n xmltext.Node) Item {
	it := Item{JID: attr(n, "jid"), Name: attr(n, "name"), Subscription: attr(n, "subscription"),
		Asked: attr(n, "ask") == "subscribe", Approved: attr(n, "approved") == "true" || attr(n, "approved") == "1"}
	if it.Subscription == "" {
		it.Subscription = "none"
	}
	for g := range n.Children() {
		if g.Is(wire.NSRoster, "group") {
			it.Groups = append(it.Groups, string(g.Text()))
		}
	}
	return it
}

// Roster asks for the roster, RFC 6121 2.1.3. From then on every change of it comes as an event, and Items follows
// it.
func (c *Client) Roster(ctx context.Context) ([]Item, error) {
	var l []Item
	err := c.iq(ctx, "get", "", "<query xmlns='"+wire.NSRoster+"'/>", func(iq xmltext.Node) {
		m := map[string]Item{}
		for n := range iq.Child(wire.NSRoster, "query").Children() {
			it := item(n)
			l = append(l, it)
			m[it.JID] = it
		}
		c.mu.Lock()
		c.roster = m
		c.mu.Unlock()
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Items is the roster as it is now, by address.
func (c *Client) Items() map[string]Item {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.roster)
}

// SetItem adds an item or gives it another name and other groups: RFC 6121 2.3, 2.4. What it says of subscriptions
// does not count.
func (c *Client) SetItem(ctx context.Context, it Item) error {
	var groups strings.Builder
	for _, g := range it.Groups {
		groups.WriteString(element("group", g))
	}
	_, err := c.IQ(ctx, "set", "", "<query xmlns='"+wire.NSRoster+"'><item"+given("jid", it.JID)+given("name", it.Name)+">"+groups.String()+"</item></query>")
	return err
}

// RemoveItem takes somebody off the roster, and ends all subscriptions: RFC 6121 2.5.
func (c *Client) RemoveItem(ctx context.Context, jid string) error {
	_, err := c.IQ(ctx, "set", "", "<query xmlns='"+wire.NSRoster+"'><item"+given("jid", jid)+" subscription='remove'/></query>")
	return err
}

// push takes a roster push over: RFC 6121 2.1.6. One that does not come from the account itself is nobody's to send.
func (c *Client) push(r Request, query xmltext.Node) {
	if !c.ownAccount(r.From) {
		c.Refuse(r, "cancel", "service-unavailable")
		return
	}
	n := query.Child(wire.NSRoster, "item")
	it := item(n)
	removed := it.Subscription == "remove"
	c.mu.Lock()
	if removed {
		delete(c.roster, it.JID)
	} else {
		c.roster[it.JID] = it
	}
	c.mu.Unlock()
	c.Reply(r, "")
	c.emit(RosterChanged{it, removed})
}

// ownAccount says whether a stanza from there is the account's own.
func (c *Client) ownAccount(from string) bool {
	return from == "" || strings.EqualFold(from, c.Bare())
}

// Subscribe asks to see somebody's presence: RFC 6121 3.1. text may say why.
func (c *Client) Subscribe(jid, text string) error { return c.about("subscribe", jid, text) }

// Approve lets somebody see the own presence, asked or not yet: RFC 6121 3.1.5, 3.4.
func (c *Client) Approve(jid string) error { return c.about("subscribed", jid, "") }

// Deny refuses that, or takes it back: RFC 6121 3.2.
func (c *Client) Deny(jid string) error { return c.about("unsubscribed", jid, "") }

// Unsubscribe asks to see somebody's presence no more: RFC 6121 3.3.
func (c *Client) Unsubscribe(jid string) error { return c.about("unsubscribe", jid, "") }

func (c *Client) about(typ, jid, text string) error {
	if jid == "" {
		return errors.New("whose presence is missing")
	}
	return c.Send("<presence" + given("type", typ) + given("to", jid) + given("id", c.NewID()) + ">" + element("status", text) + "</presence>")
}

// Blocked asks whom the account blocks: XEP-0191 3.2. From then on changes come as events.
func (c *Client) Blocked(ctx context.Context) ([]string, error) {
	var l []string
	err := c.iq(ctx, "get", "", "<blocklist xmlns='"+wire.NSBlocking+"'/>", func(iq xmltext.Node) {
		l = addresses(iq.Child(wire.NSBlocking, "blocklist"))
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Block blocks addresses: XEP-0191 3.3.
func (c *Client) Block(ctx context.Context, jids ...string) error {
	_, err := c.IQ(ctx, "set", "", "<block xmlns='"+wire.NSBlocking+"'>"+listed(jids)+"</block>")
	return err
}

// Unblock takes that back, for all when no address is given: XEP-0191 3.4, 3.5.
func (c *Client) Unblock(ctx context.Context, jids ...string) error {
	_, err := c.IQ(ctx, "set", "", "<unblock xmlns='"+wire.NSBlocking+"'>"+listed(jids)+"</unblock>")
	return err
}

func listed(jids []string) string {
	var b strings.Builder
	for _, j := range jids {
		b.WriteString("<item" + given("jid", j) + "/>")
	}
	return b.String()
}

// addresses reads the items of a blocklist.
func addresses(n xmltext.Node) []string {
	var l []string
	for it := range n.Children() {
		l = append(l, attr(it, "jid"))
	}
	return l
}
