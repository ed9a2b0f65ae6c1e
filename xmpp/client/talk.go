package client

import (
	"strconv"

	"parley/xmltext"
	"parley/xmpp/wire"
)

// Words is something to be said. All but To may be empty.
type Words struct {
	To, Type, Lang string // Type: chat when empty, RFC 6121 5.2.2
	ID             string // made when empty
	Body, Subject  string
	Thread         string
	State          string // chat state to go with it, XEP-0085
	Receipt        bool   // ask for a confirmation, XEP-0184
	Extra          string // XML to stand inside
}

// Tell says something, and gives the id it was sent with. That it was sent is all that is known then.
func (c *Client) Tell(w Words) (id string, err error) {
	if w.Type == "" {
		w.Type = "chat"
	}
	if w.ID == "" {
		w.ID = c.NewID()
	}
	x := "<message" + given("to", w.To) + given("type", w.Type) + given("id", w.ID) + given("xml:lang", w.Lang) + ">" +
		element("subject", w.Subject) + element("body", w.Body) + element("thread", w.Thread)
	if w.State != "" {
		x += "<" + w.State + " xmlns='" + wire.NSChatStates + "'/>"
	}
	if w.Receipt {
		x += "<request xmlns='" + wire.NSReceipts + "'/>"
	}
	return w.ID, c.Send(x + w.Extra + "</message>")
}

// Say is Tell for plain words in a chat: RFC 6121 5.
func (c *Client) Say(to, body string) (id string, err error) {
	return c.Tell(Words{To: to, Body: body})
}

// Typing tells a chat state without words: active, composing, paused, inactive or gone. XEP-0085 5.1.
func (c *Client) Typing(to, state string) error {
	_, err := c.Tell(Words{To: to, State: state})
	return err
}

// Confirm tells that a message has arrived: XEP-0184 7.
func (c *Client) Confirm(m Message) error {
	_, err := c.Tell(Words{To: m.From, Type: m.Type, Extra: "<received xmlns='" + wire.NSReceipts + "'" + given("id", m.ID) + "/>"})
	return err
}

// Shown is how the session shows itself.
type Shown struct {
	Show     string // "", away, chat, dnd, xa
	Status   string
	Priority int    // -128 to 127; below 0 it takes no messages to the account
	Extra    string // XML to stand inside
}

func (s Shown) inner() string {
	x := element("show", s.Show) + element("status", s.Status)
	if s.Priority != 0 {
		x += element("priority", strconv.Itoa(s.Priority))
	}
	return x + s.Extra
}

// SetPresence shows the session to all who may see it; the first one makes it available: RFC 6121 4.2, 4.4.
func (c *Client) SetPresence(s Shown) error { return c.Send("<presence>" + s.inner() + "</presence>") }

// SetUnavailable hides it from all, and leaves it logged in: RFC 6121 4.5.
func (c *Client) SetUnavailable(status string) error {
	return c.Send("<presence type='unavailable'>" + element("status", status) + "</presence>")
}

// Direct shows the session to one address, whoever else sees it: RFC 6121 4.6. typ is "" or unavailable.
func (c *Client) Direct(to, typ string, s Shown) error {
	return c.Send("<presence" + given("to", to) + given("type", typ) + ">" + s.inner() + "</presence>")
}

// Seen is what was last heard of a session, by its full address; of type unavailable when nothing is known.
func (c *Client) Seen(jid string) Presence {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.seen[jid]; ok {
		return p
	}
	return Presence{From: jid, Type: "unavailable"}
}

// Sessions are the available ones of an address, and of a room the occupants.
func (c *Client) Sessions(bare string) []Presence {
	c.mu.Lock()
	defer c.mu.Unlock()
	var l []Presence
	for jid, p := range c.seen {
		if Bare(jid) == bare {
			l = append(l, p)
		}
	}
	return l
}

// note keeps what is seen of others.
func (c *Client) note(p Presence) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch p.Type {
	case "":
		c.seen[p.From] = p
	case "unavailable":
		delete(c.seen, p.From)
	}
}

// stateOf is the chat state in a message, XEP-0085 5.6.
func stateOf(n xmltext.Node) string {
	for k := range n.Children() {
		if string(k.Space()) == wire.NSChatStates {
			return string(k.Local())
		}
	}
	return ""
}
