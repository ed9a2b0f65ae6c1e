package main

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	"parley/xmltext"
	"parley/xmpp/client"
	"parley/xmpp/wire"
)

// xmppPair is a conversation with one other: RFC 6121 5. It is always there.
type xmppPair struct {
	m   *xmppMessenger
	who string
}

func (p *xmppPair) members() []string { return []string{p.who} }
func (p *xmppPair) leave()            {}

func (p *xmppPair) invite(context.Context, string) error { return errThere }

func (p *xmppPair) say(ctx context.Context, piece []byte) error {
	return p.m.tell(ctx, client.Words{To: p.who, Body: string(piece), State: "active", Receipt: true})
}

// xmppRoom is a conversation of three or more: XEP-0045.
type xmppRoom struct {
	m    *xmppMessenger
	jid  string
	nick string // guarded by m.mu

	// Of the chat's goroutine.
	here  map[string]string // who is in, by nick, as was told
	in    bool              // this session is
	early []client.Message  // what was said before the chat knew of it
}

func (r *xmppRoom) members() []string {
	var l []string
	for _, p := range r.m.client.Sessions(r.jid) {
		if who := r.occupant(p); who != r.m.who.String() && !slices.Contains(l, who) {
			l = append(l, who)
		}
	}
	slices.Sort(l)
	return l
}

// occupant is who somebody in the room is; their address in the room when it does not tell.
func (r *xmppRoom) occupant(p client.Presence) string {
	switch {
	case p.Occupant != nil && p.Occupant.JID != "":
		return client.Bare(p.Occupant.JID)
	case p.Occupant.Has(110): // XEP-0045 7.2.2
		return r.m.who.String()
	}
	return p.From
}

// invite has the room invite somebody: XEP-0045 7.8.2.
func (r *xmppRoom) invite(ctx context.Context, who string) error {
	return r.m.tell(ctx, client.Words{To: r.jid, Type: "normal",
		Extra: "<x xmlns='" + wire.NSMUCUser + "'><invite" + string(xmltext.AppendAttr(nil, "to", who)) + "/></x>"})
}

// say says something to all in the room: XEP-0045 7.4.
func (r *xmppRoom) say(ctx context.Context, piece []byte) error {
	return r.m.tell(ctx, client.Words{To: r.jid, Type: "groupchat", Body: string(piece)})
}

// leave is XEP-0045 7.14.
func (r *xmppRoom) leave() {
	r.m.client.Direct(r.jid+"/"+r.called(), "unavailable", client.Shown{}) // when the stream is over, so is this
	r.m.mu.Lock()
	delete(r.m.in, r.jid)
	r.m.mu.Unlock()
}

// called is what this session is called in the room.
func (r *xmppRoom) called() string {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	return r.nick
}

func (r *xmppRoom) call(nick string) {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.nick = nick
}

// pair is the conversation with somebody.
func (m *xmppMessenger) pair(who string) *xmppPair {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.pairs[who]
	if p == nil {
		p = &xmppPair{m, who}
		m.pairs[who] = p
	}
	return p
}

// room is a conversation that this session is in, or about to be; nil when it is not.
func (m *xmppMessenger) room(jid string) *xmppRoom {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.in[jid]
}

// talk begins a conversation: with one it needs nothing, with more of them it is a room.
func (m *xmppMessenger) talk(ctx context.Context, with []string) (venue, error) {
	if len(with) == 1 {
		return m.pair(with[0]), nil
	}
	jid, err := m.newRoom(ctx)
	if err != nil {
		return nil, err
	}
	return m.enter(ctx, jid)
}

func (m *xmppMessenger) wide(ctx context.Context, in venue) (venue, error) {
	if _, ok := in.(*xmppRoom); ok {
		return in, nil
	}
	return m.talk(ctx, nil)
}

// maxNicks is how many names are tried in a room.
const maxNicks = 5

// enter enters a room, which is made if it is not there, under a name that nobody else has: XEP-0045 7.2, 7.2.8, 10.1.
func (m *xmppMessenger) enter(ctx context.Context, jid string) (venue, error) {
	r := &xmppRoom{m: m, jid: jid, here: map[string]string{}}
	m.mu.Lock()
	old := m.in[jid]
	if old == nil {
		m.in[jid] = r
	}
	m.mu.Unlock()
	if old != nil {
		return old, nil
	}
	nick := m.who.Local()
	var room *client.Room
	var err error
	for range maxNicks {
		r.call(nick)
		room, err = m.client.Join(ctx, jid, nick, client.Entry{})
		if !errors.Is(err, &client.StanzaError{Condition: "conflict"}) {
			break
		}
		nick = m.who.Local() + "-" + strings.ToLower(rand.Text()[:4])
	}
	if err != nil {
		m.mu.Lock()
		delete(m.in, jid)
		m.mu.Unlock()
		return nil, err
	}
	r.call(room.Nick)
	return r, nil
}

func (m *xmppMessenger) pieces(text string) [][]byte { return [][]byte{[]byte(text)} }

// sent is said when the service has taken it. Receipts come behind that, XEP-0184.
func (m *xmppMessenger) sent() string {
	m.mu.Lock()
	held := m.held
	m.held = nil
	m.mu.Unlock()
	for _, e := range held {
		m.inbox.Put(e)
	}
	return "sent"
}

// tell sends words and waits until the service has looked at them: what it refuses at once has come back before its
// answer to what was asked behind them, as it processes stanzas in order. RFC 6120 10.1.
func (m *xmppMessenger) tell(ctx context.Context, w client.Words) error {
	w.ID = m.client.NewID()
	words := &xmppWords{}
	m.mu.Lock()
	m.waits[w.ID] = words
	m.mu.Unlock()
	_, err := m.client.Tell(w)
	if err == nil {
		err = m.client.Ping(ctx, "")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.waits, w.ID)
	if words.err != nil {
		return words.err
	}
	return err
}

// errNoRooms says that there is no room to be had.
var errNoRooms = errors.New("the service has no conversations of three or more")

// newRoom is an address for a room that is not there yet, at the service that the server names: XEP-0045 6.1.
func (m *xmppMessenger) newRoom(ctx context.Context) (string, error) {
	items, err := m.client.IQ(ctx, "get", m.who.Domain(), "<query xmlns='"+wire.NSDiscoItems+"'/>")
	if err != nil {
		return "", err
	}
	for it := range items.Node().Children() {
		jid, _ := it.Attr("", "jid")
		info, err := m.client.IQ(ctx, "get", string(jid), "<query xmlns='"+wire.NSDiscoInfo+"'/>")
		if err != nil {
			continue // another one may do
		}
		for n := range info.Node().Children() {
			if v, _ := n.Attr("", "var"); n.Is(wire.NSDiscoInfo, "feature") && string(v) == wire.NSMUC {
				return strings.ToLower(rand.Text()) + "@" + string(jid), nil
			}
		}
	}
	return "", errNoRooms
}
