package client

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"parley/xmltext"
	"parley/xmpp/wire"
)

// Room is one that this session is in.
type Room struct {
	JID   string
	Nick  string // the one that the room gave
	Codes []int  // what it said of itself at the door: XEP-0045 12
	c     *Client
}

// join is somebody who waits at the door.
type join struct {
	nick string
	done chan error // gets one; it has room for it
	self Presence   // set before done
}

// Entry is what may be wished for when entering a room.
type Entry struct {
	Password string
	History  int // so many of the messages said before, at most; below 0: as many as the room likes
}

// Join enters a room and waits until the room says that this session is in: XEP-0045 7.2. Who is there, and what was
// said before, comes as events. The error is a *StanzaError where the room refuses.
func (c *Client) Join(ctx context.Context, room, nick string, e Entry) (*Room, error) {
	j := &join{nick: nick, done: make(chan error, 1)}
	c.mu.Lock()
	if c.joins[room] != nil {
		c.mu.Unlock()
		return nil, fmt.Errorf("join %s: this session is about to enter it already", room)
	}
	c.joins[room] = j
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.joins, room)
		c.mu.Unlock()
	}()
	x := "<x xmlns='" + wire.NSMUC + "'>" + element("password", e.Password)
	if e.History >= 0 {
		x += "<history" + given("maxstanzas", strconv.Itoa(e.History)) + "/>"
	}
	err := c.Send("<presence" + given("to", room+"/"+nick) + given("id", c.NewID()) + ">" + x + "</x></presence>")
	if err == nil {
		select {
		case <-c.Done():
			err = ErrClosed
		default:
			err = c.enter(ctx, j)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("join %s: %w", room, err)
	}
	return &Room{JID: room, Nick: Resource(j.self.From), Codes: j.self.Occupant.Codes, c: c}, nil
}

// enter waits for the room, or for the end of the stream.
func (c *Client) enter(ctx context.Context, j *join) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { // ends with ctx, which cancel ends
		select {
		case <-c.Done():
			cancel(ErrClosed)
		case <-ctx.Done():
		}
	}()
	return await(ctx, c.cfg.Timeout, j.done)
}

// joined tells who waits at a room's door.
func (c *Client) joined(p Presence) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := Bare(p.From)
	j := c.joins[room]
	if j == nil {
		return
	}
	switch {
	case p.Type == "error":
		j.done <- p.Error
	case p.Type == "" && p.Occupant != nil && (p.Occupant.Has(110) || Resource(p.From) == j.nick):
		j.self = p
		j.done <- nil
	default:
		return
	}
	delete(c.joins, room)
}

// Say says something to all in the room: XEP-0045 7.4. It comes back as everybody's words do.
func (r *Room) Say(body string) (id string, err error) {
	return r.c.Tell(Words{To: r.JID, Type: "groupchat", Body: body})
}

// Whisper says something to one in the room: XEP-0045 7.5.
func (r *Room) Whisper(nick, body string) (id string, err error) {
	return r.c.Tell(Words{To: r.JID + "/" + nick, Body: body, Extra: "<x xmlns='" + wire.NSMUCUser + "'/>"})
}

// Rename asks for another nick: XEP-0045 7.6. The room tells everybody, this session too.
func (r *Room) Rename(nick string) error { return r.c.Direct(r.JID+"/"+nick, "", Shown{}) }

// Invite has the room invite somebody: XEP-0045 7.8.2.
func (r *Room) Invite(jid, reason string) error {
	return r.c.Send("<message" + given("to", r.JID) + "><x xmlns='" + wire.NSMUCUser + "'><invite" + given("to", jid) + ">" +
		element("reason", reason) + "</invite></x></message>")
}

// Leave leaves the room: XEP-0045 7.14.
func (r *Room) Leave() error { return r.c.Direct(r.JID+"/"+r.Nick, "unavailable", Shown{}) }

// occupant reads what a room says of somebody: XEP-0045 7.2.2.
func occupant(n xmltext.Node) *Occupant {
	x := n.Child(wire.NSMUCUser, "x")
	if !x.Ok() {
		return nil
	}
	it := x.Child(wire.NSMUCUser, "item")
	o := &Occupant{JID: attr(it, "jid"), Nick: attr(it, "nick"), Affiliation: attr(it, "affiliation"), Role: attr(it, "role")}
	for s := range x.Children() {
		if code, err := strconv.Atoi(strings.TrimSpace(attr(s, "code"))); err == nil && s.Is(wire.NSMUCUser, "status") {
			o.Codes = append(o.Codes, code)
		}
	}
	return o
}
