package c2s

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"parley/config"
	"parley/exchange"
	"parley/im"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// A conversation of three or more is a temporary room to XMPP clients, of that part of XEP-0045 that says how to enter, be
// there and leave. Who is in the conversation is an occupant, whatever their protocol, and whether or not a session of
// theirs has entered: words reach them in any case. Nobody else may enter.
//
// Deviates from XEP-0045 10: a conversation that no client made has no owner, as it belongs to all who are in it.

// rooms are the conversations that clients know as rooms.
type rooms struct {
	domains map[string]bool // of conversations

	mu      sync.Mutex // guards what follows, and each room; taken under the locks of conversations
	version uint64     // counts who comes and goes
	byID    map[int64]*room
	named   map[im.Address]*room // those that a client made
}

// room is a conversation as clients know it.
type room struct {
	id        int64
	name      im.Address // that the client gave who made it; zero: named by its id
	owner     im.Address // who made it, whether or not they are in; zero: no client did
	locked    bool       // its owner has not said yet that it is to be as it is: XEP-0045 10.1.1
	by        im.Address // who called somebody in last
	occupants map[im.Address]*occupant
	views     map[*conn]*view
	asked     map[im.Address]*invitation // on their way
}

// occupant is somebody in the conversation.
type occupant struct {
	who   im.Address
	nick  string
	full  string // the session of theirs that entered last; "": none has
	inner []byte // what their client says of its presence
	lang  string // the language that it says it in
}

// view is a session that knows the room.
type view struct {
	in      bool   // it has entered
	nick    string // while it is in
	invited bool   // it was told how to enter
}

func (r *rooms) init(c config.Config) {
	r.domains = map[string]bool{}
	for _, d := range c.AllDomains() {
		r.domains[c.ConferenceDomain(d)] = true
	}
	r.byID, r.named = map[int64]*room{}, map[im.Address]*room{}
}

// numbered begins the names of conversations that no client named.
const numbered = "talk-"

// number reads the conversation's id out of such a name; 0: it is none that a conversation has. None is named so by
// clients.
func number(local string) (id int64, reserved bool) {
	s, reserved := strings.CutPrefix(local, numbered)
	if !reserved {
		return 0, false
	}
	id, err := strconv.ParseInt(s, 36, 64)
	if err != nil || strconv.FormatInt(id, 36) != s {
		return 0, true
	}
	return id, true
}

// isRoom reports whether somebody is at a domain of conversations: a room, an occupant, or the domain itself.
func (s *Server) isRoom(to xmpp.JID) bool { return !to.IsZero() && s.rooms.domains[to.Bare.Domain()] }

// toRoom serves what is sent to such an address.
func (c *conn) toRoom(ctx context.Context, st *wire.Stanza, to xmpp.JID) error {
	switch st.Kind {
	case wire.Presence:
		return c.presentAt(st, to)
	case wire.Message:
		return c.sayAt(st, to)
	}
	return c.askAt(ctx, st, to)
}

// conversation is the id of the conversation that a room stands for; 0: there is none of this address that c could know.
// Whether c is in it is for the exchange to say.
func (s *Server) conversation(at im.Address) int64 {
	if id, reserved := number(at.Local()); reserved {
		return id
	}
	s.rooms.mu.Lock()
	defer s.rooms.mu.Unlock()
	if r := s.rooms.named[at]; r != nil {
		return r.id
	}
	return 0
}

// roomAt gives the room that the session has entered at an address, with the lock held that guards it; or nil, without.
func (c *conn) roomAt(at im.Address) (*room, *view) {
	id := c.s.conversation(at)
	c.s.rooms.mu.Lock()
	if r := c.s.rooms.byID[id]; r != nil {
		if v := r.views[c]; v != nil && v.in {
			return r, v
		}
	}
	c.s.rooms.mu.Unlock()
	return nil, nil
}

// ensure gives the room of a conversation. The caller holds r.mu.
func (r *rooms) ensure(id int64) *room {
	m := r.byID[id]
	if m == nil {
		m = &room{id: id, occupants: map[im.Address]*occupant{}, views: map[*conn]*view{}}
		r.byID[id] = m
	}
	return m
}

// release forgets a room that no session knows any more. The caller holds r.mu.
func (r *rooms) release(m *room) {
	if len(m.views) > 0 || r.byID[m.id] != m {
		return
	}
	delete(r.byID, m.id)
	if r.named[m.name] == m {
		delete(r.named, m.name)
	}
}

// view is the session's view of a room; nil when the session is over. The caller holds the lock.
func (c *conn) view(m *room) *view {
	v := m.views[c]
	if v == nil && !c.roomless {
		v = &view{}
		m.views[c] = v
		if c.rooms == nil {
			c.rooms = map[*room]struct{}{}
		}
		c.rooms[m] = struct{}{}
	}
	return v
}

// forget ends the session's view of a room. The caller holds the lock.
func (c *conn) forget(m *room) {
	delete(m.views, c)
	delete(c.rooms, m)
	c.s.rooms.release(m)
}

// at is the room's address for a session: the conversation's domain is that of its own.
func (m *room) at(c *conn) string {
	if !m.name.IsZero() {
		return m.name.String()
	}
	return numbered + strconv.FormatInt(m.id, 36) + "@" + c.s.Config.Config.ConferenceDomain(c.jid.Bare.Domain())
}

// byNick finds an occupant. The caller holds the lock.
func (m *room) byNick(nick string) *occupant {
	for _, o := range m.occupants {
		if o.nick == nick {
			return o
		}
	}
	return nil
}

// seen reports whether a nick has something in it to be seen: XEP-0045 17.1.
func seen(nick string) bool { return strings.TrimSpace(nick) != "" }

// add enters an occupant under the first nick that is free: the display name, or the address. The caller holds the lock.
func (m *room) add(who im.Address, name string) *occupant {
	o := &occupant{who: who}
	free := func(nick string) bool {
		nick, err := xmpp.ParseResource(nick)
		if err != nil || !seen(nick) || m.byNick(nick) != nil {
			return false
		}
		o.nick = nick
		return true
	}
	for n := 2; !free(name) && !free(who.String()); n++ {
		name = who.String() + " " + strconv.Itoa(n)
	}
	m.occupants[who] = o
	return o
}

// entered reports whether a session of somebody has entered, other than c. The caller holds the lock.
func (m *room) entered(who im.Address, but *conn) bool {
	for c, v := range m.views {
		if v.in && c != but && c.jid.Bare == who {
			return true
		}
	}
	return false
}

// insiders are the sessions that have entered. The caller holds the lock.
func (m *room) insiders(yield func(*conn, *view) bool) {
	for c, v := range m.views {
		if v.in && !yield(c, v) {
			return
		}
	}
}

// flush writes what was queued for other sessions. Not to be called under a lock.
func flush(l []*conn) {
	for _, c := range l {
		c.Flush()
	}
}

// roomJoined tells of somebody who is in a conversation now, and how to enter it when it is the session's own person.
// The first session that hears of an occupant tells all that have entered. XEP-0045 7.2.2
func (c *conn) roomJoined(d *exchange.Joined) (owes bool) {
	s := c.s
	s.rooms.mu.Lock()
	defer s.rooms.mu.Unlock()
	s.rooms.version++
	m := s.rooms.ensure(d.Conversation)
	v := c.view(m)
	if v == nil {
		s.rooms.release(m)
		return false
	}
	if m.occupants[d.Who] == nil {
		o := m.add(d.Who, d.Name)
		for other := range m.insiders {
			other.Queue(m.appendPresence(nil, other, o, presence{}))
		}
	}
	if d.Who != c.jid.Bare {
		if !d.By.IsZero() && d.By != c.jid.Bare {
			m.by = d.By
		}
		return true
	}
	if !d.By.IsZero() {
		m.by = d.By
	}
	c.invite(m, v)
	return true
}

// roomLeft tells of somebody who is no longer in a conversation (XEP-0045 7.14), or that it is over for the session's own
// person: then the room is gone (10.9).
func (c *conn) roomLeft(d *exchange.Left) (owes bool) {
	s := c.s
	s.rooms.mu.Lock()
	defer s.rooms.mu.Unlock()
	s.rooms.version++
	m := s.rooms.byID[d.Conversation]
	if m == nil {
		return false
	}
	if d.Who != c.jid.Bare {
		if o := m.occupants[d.Who]; o != nil {
			delete(m.occupants, d.Who)
			for other := range m.insiders {
				if other.jid.Bare != d.Who {
					other.Queue(m.appendPresence(nil, other, o, presence{gone: true}))
				}
			}
		}
		return true
	}
	if v := m.views[c]; v != nil {
		if v.in {
			why := "The conversation is over."
			if d.Idle {
				why = "Nothing was said for a long time."
			}
			o := &occupant{who: c.jid.Bare, nick: v.nick}
			c.Queue(m.appendPresence(nil, c, o, presence{gone: true, over: true, destroyed: why, codes: []int{110}}))
		}
		c.forget(m)
	}
	return true
}

// roomsClose tells a client that its rooms go down with the service: XEP-0045 11.2.
func (c *conn) roomsClose() {
	c.s.rooms.mu.Lock()
	defer c.s.rooms.mu.Unlock()
	for m := range c.rooms {
		if v := m.views[c]; v.in {
			o := &occupant{who: c.jid.Bare, nick: v.nick}
			c.Queue(m.appendPresence(nil, c, o, presence{gone: true, over: true, codes: []int{110, 332}}))
		}
	}
}
