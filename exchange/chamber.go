package exchange

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"parley/im"
)

// Somebody whose client knows no rooms that last is in one by a conversation: the others are participants under their
// screen names, words flow both ways, and to leave the conversation is to leave the room.

// Chamber is a room as one person acts in it who is there by a conversation: a room of ours, or one at another domain,
// for which a door acts. What happens in it comes by the Annex.
type Chamber interface {
	// Say says something to all in the room, on their behalf; m.From is they, and there is no native form. It returns
	// when the room has it, with what its sender is to be told.
	Say(ctx context.Context, m *im.Message) error
	// Leave has them leave the room: they left the conversation. It is called with no lock held, not after End, and returns
	// at once.
	Leave()
}

// Annex is the conversation by which one person is in a chamber. Its methods, but Flush, only queue: they may be called
// under locks of whoever calls. What is said of a screen name that is not there is passed over.
type Annex struct {
	c       *Conversation
	chamber Chamber
	room    im.RoomID
	user    *participant

	// Guarded by c.mu:
	batch Batch
	there map[string]*participant // by folded screen name
	door  Entrance                // who is told when the person comes; nil: nobody, or they have come
	name  string                  // the room's
	topic string
	begun bool // who it is for was let in, or rung
	ended bool // the chamber said so, or was told
}

// EnterRoom has a session's person be in a room that lasts by a conversation, as Begin and a call would: one that is
// Direct is told who is in it, and acts by Say and Quit; another is rung. Nobody says anything there to them alone. The
// errors are those of JoinRoom, im.ErrTooMany, im.ErrNoPlace.
func (x *Exchange) EnterRoom(ctx context.Context, c *Client, j RoomJoin) (conversation int64, err error) {
	a, err := x.newAnnex(ctx, c, j.Room, &roomChamber{x, c, j.Room})
	if err != nil {
		return 0, err
	}
	greet := j.Greet
	j.Notices, j.Echo, j.alone = true, false, true
	j.Greet = func(v RoomView) {
		if greet != nil {
			greet(v)
		}
		var users []string
		for _, u := range v.Users {
			if u.Nick != v.Nick {
				users = append(users, u.Nick)
			}
		}
		a.begin(c, v.Room.Props.Name, users)
		a.welcome(v.Room.Props)
	}
	if _, err := x.JoinRoom(ctx, c, j, annexed{a}); err != nil {
		a.End()
		a.Flush()
		return 0, err
	}
	a.Flush()
	a.c.mu.Lock()
	begun := a.begun
	a.c.mu.Unlock()
	if !begun { // the conversation was over before
		a.chamber.Leave()
		return 0, im.ErrGone
	}
	return a.c.ID, nil
}

// OpenAnnex has a session's person be in a chamber by a conversation: see EnterRoom. name is the room's, "": the one of its
// id; users are the screen names of the others in it. Calls of the chamber's may come before it returns. im.ErrTooMany,
// im.ErrNoPlace, im.ErrClosing.
func (x *Exchange) OpenAnnex(ctx context.Context, c *Client, ch Chamber, room im.RoomID, name string, users []string) (*Annex, error) {
	a, err := x.newAnnex(ctx, c, room, ch)
	if err != nil {
		return nil, err
	}
	a.begin(c, name, users)
	c.account.mu.Lock()
	gone := c.gone
	c.account.mu.Unlock()
	if gone { // who ended it may not have seen the conversation
		a.End()
	}
	a.Flush()
	if gone {
		return nil, im.ErrGone
	}
	return a, nil
}

// newAnnex makes the conversation; nobody is in it until begin.
func (x *Exchange) newAnnex(ctx context.Context, c *Client, room im.RoomID, ch Chamber) (*Annex, error) {
	if x.Crowded(c.account.who) {
		return nil, im.ErrTooMany
	}
	place, err := x.PickPlace()
	if err != nil {
		if c.login.Abilities&Direct == 0 {
			return nil, err
		}
		place = nil
	}
	conv, err := x.newConversation(place)
	if err != nil {
		return nil, err
	}
	a := &Annex{c: conv, chamber: ch, room: room, there: map[string]*participant{}}
	if a.user, err = conv.participant(ctx, c.account.who); err != nil {
		conv.end(0)
		return nil, err
	}
	conv.mu.Lock()
	a.door, _ = ch.(Entrance)
	conv.annex = a
	over := conv.over
	conv.mu.Unlock()
	if over {
		return nil, im.ErrClosing
	}
	return a, nil
}

// begin lets the person in, or rings them, with so many others in the room.
func (a *Annex) begin(session *Client, name string, users []string) {
	c, p := a.c, a.user
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	a.begun = true
	if a.name = name; name == "" {
		a.name = a.room.Name
	}
	for _, nick := range users {
		a.enter(nick)
	}
	if session.login.Abilities&Direct == 0 {
		c.ring(&a.batch, p, &participant{who: a.address(""), label: a.name}, []*Client{session})
		return
	}
	p.virtual, p.known = true, true
	for _, o := range c.parts {
		if o != p {
			p.tell(&a.batch, c.joined(o))
		}
	}
	p.tell(&a.batch, c.joined(p))
}

// Conversation is the conversation's id.
func (a *Annex) Conversation() int64 { return a.c.ID }

// live takes the conversation's lock, if it is not over.
func (a *Annex) live() bool {
	a.c.mu.Lock()
	if a.c.over {
		a.c.mu.Unlock()
		return false
	}
	return true
}

// enter makes somebody in the room a participant. The caller holds c.mu.
func (a *Annex) enter(nick string) *participant {
	key := im.FoldNick(nick)
	if a.there[key] != nil {
		return nil
	}
	p := &participant{who: a.address(nick), label: nick, virtual: true}
	a.there[key] = p
	a.c.parts = append(slices.Clip(a.c.parts), p)
	return p
}

// exit takes them out. The caller holds c.mu.
func (a *Annex) exit(nick string) {
	key := im.FoldNick(nick)
	p := a.there[key]
	if p == nil {
		return
	}
	delete(a.there, key)
	a.c.tell(&a.batch, &Left{Conversation: a.c.ID, Who: p.who}, p)
	p.virtual = false
	a.c.drop(p)
}

// Joined says that somebody is in the room now.
func (a *Annex) Joined(nick string) {
	if !a.live() {
		return
	}
	defer a.c.mu.Unlock()
	if p := a.enter(nick); p != nil {
		a.c.tell(&a.batch, a.c.joined(p), p)
	}
}

// Left says that they are not any more.
func (a *Annex) Left(nick string) {
	if !a.live() {
		return
	}
	defer a.c.mu.Unlock()
	a.exit(nick)
}

// Renamed says that they have another screen name: to the person it is as if one left and another came.
func (a *Annex) Renamed(was, nick string) {
	if !a.live() {
		return
	}
	defer a.c.mu.Unlock()
	if a.there[im.FoldNick(was)] == nil {
		return
	}
	a.exit(was)
	if p := a.enter(nick); p != nil {
		a.c.tell(&a.batch, a.c.joined(p), p)
	}
}

// Said says what one of the others said, or, with no screen name, what the room itself tells. It is nowhere stored: when
// the person takes nothing, they miss it.
func (a *Annex) Said(nick string, m *im.Message) {
	if !a.live() {
		return
	}
	c, p := a.c, a.user
	defer c.mu.Unlock()
	from := a.there[im.FoldNick(nick)]
	if nick == "" {
		from, nick = &participant{who: a.address("")}, a.name
	}
	if from == nil || m.Kind == im.Request || m.Kind == im.Words && m.Neutral().Text.IsZero() {
		return
	}
	c.stir(time.Now())
	n := &im.Message{ID: m.ID, From: from.who, FromName: nick, Time: m.Time, Kind: m.Kind, Only: true, Neutralise: m.Neutral}
	if n.ID == 0 {
		n.ID = c.x.messageIDs(1)
	}
	d := &Message{Message: n, ID: n.ID, x: c.x, to: p.account, who: p.who}
	if p.known {
		d.In = c.talkOf(p)
	}
	ring := p.ring
	if m.Kind == im.Signal {
		ring = nil
	}
	d.spread(&a.batch, c, p.seats, p.direct(), ring)
}

// Welcome shows what the room shows to who comes in, and what it is about. "" is nothing.
func (a *Annex) Welcome(note, topic string) {
	if note != "" {
		a.Said("", notice(note))
	}
	a.Topic(topic)
}

// Topic says what the room is about now. What is known is not said again.
func (a *Annex) Topic(topic string) {
	if !a.live() {
		return
	}
	was := a.topic
	a.topic = topic
	a.c.mu.Unlock()
	if topic != was && topic != "" {
		a.Said("", notice("Topic: "+topic))
	}
}

// welcome is Welcome for a room of ours.
func (a *Annex) welcome(p im.RoomProps) {
	note := p.Welcome.Text
	if t := p.Welcome.Type; t != "" && t != "text/plain" {
		note = "" // which conversations do not show
	}
	a.Welcome(note, p.Topic)
}

// notice is something that a room itself tells.
func notice(s string) *im.Message {
	text := im.NewText(s)
	return &im.Message{Time: time.Now(), Kind: im.Words, Neutralise: func() im.Neutral { return im.Neutral{Text: text} }}
}

// End says that the person is in the room no more: with Flush, the conversation is over.
func (a *Annex) End() {
	a.c.mu.Lock()
	a.ended = true
	a.c.mu.Unlock()
}

// Flush writes what was queued. Not called under a lock.
func (a *Annex) Flush() {
	a.c.mu.Lock()
	b := a.batch
	a.batch = Batch{}
	ended := a.ended && !a.c.over
	a.c.mu.Unlock()
	if ended {
		a.c.finish(&b, 0, false)
	}
	b.Flush()
}

// leave has the chamber know that the conversation is over.
func (a *Annex) leave() {
	a.c.mu.Lock()
	tell := !a.ended
	a.ended = true
	a.c.mu.Unlock()
	if tell {
		a.chamber.Leave()
	}
}

// say says something that the person said to all in the room.
func (a *Annex) say(ctx context.Context, b *Batch, m *im.Message, done func(error)) {
	b.Flush() // it may be stored
	a.c.stir(time.Now())
	err := im.ErrNothingFits
	if m.Kind != im.Request {
		n := m.For(im.Address{}, m.ID)
		n.Native, n.FromSlot = im.Native{}, m.FromSlot // which names its sender
		err = a.chamber.Say(ctx, n)
	}
	if done != nil {
		done(err)
	}
}

// address makes an address for somebody in the room, which nobody has: their screen name, as far as an address can say it,
// at a domain that is named after the room; of the room itself with "". The caller holds c.mu.
func (a *Annex) address(nick string) im.Address {
	room, domain := label(a.room.Name), "room."+a.room.Home.Domain()
	if a.room.Personal() {
		room = label(a.room.Home.Local() + "-" + a.room.Name)
	}
	local := label(room)
	if nick != "" {
		local, domain = label(nick), room+"."+domain
	}
	for n := 1; ; n++ {
		name := local
		if n > 1 {
			name += "-" + strconv.Itoa(n)
		}
		who, err := im.ParseAddress(name + "@" + domain)
		if err != nil { // the domain is too long, or cannot be one
			who = im.TrustedAddress(name + "@room.invalid")
		}
		if a.c.find(who) == nil {
			return who
		}
	}
}

// label is a text as part of a domain, and of an address: letters, digits and hyphens of ASCII, as old clients know
// no others.
func label(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(unicode.ToLower(r))
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 40 {
			break
		}
	}
	if l := strings.Trim(b.String(), "-"); l != "" {
		return l
	}
	return "guest"
}

// roomChamber is a room of ours as a chamber.
type roomChamber struct {
	x  *Exchange
	c  *Client
	id im.RoomID
}

func (r *roomChamber) Say(ctx context.Context, m *im.Message) error {
	s, err := r.x.RoomSeat(r.c, r.id)
	if err != nil {
		return im.ErrGone
	}
	return s.Say(ctx, m)
}

func (r *roomChamber) Leave() {
	if s, err := r.x.RoomSeat(r.c, r.id); err == nil {
		s.Leave()
	}
}

// annexed is what a room of ours hands to an annex.
type annexed struct{ a *Annex }

func (s annexed) Hand(d Delivery) (owes bool) {
	switch d := d.(type) {
	case *RoomWords:
		if !d.Mine {
			s.a.Said(d.By.Nick, d.Message)
		}
	case *RoomJoined:
		s.a.Joined(d.User.Nick)
	case *RoomLeft:
		s.a.Left(d.User.Nick)
	case *RoomRenamed:
		s.a.Renamed(d.Was, d.User.Nick)
	case *RoomChanged:
		if d.Props != nil {
			s.a.Topic(d.Props.Topic)
		}
	case *RoomEnded:
		s.a.End()
	default:
		return false
	}
	return true
}

func (s annexed) Flush() { s.a.Flush() }

func (s annexed) End(EndReason) { s.a.End() }
