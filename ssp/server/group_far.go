package server

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// Users of ours are in groups of other domains by a conversation: for each of them that domain is a chamber. They come
// there when they are invited, or when the operator asks for it on their behalf. SSP 13.2.3

// guests are users of ours in groups of other domains.
type guests struct {
	mu sync.Mutex // guards m
	m  map[guestKey]*guest
}

type guestKey struct {
	room im.RoomID
	who  im.Address
}

// guest is one of ours in a group of another domain, or called there. It implements exchange.Entrance.
type guest struct {
	s   *Server
	id  im.RoomID
	at  ssp.Address
	who im.Address

	mu    sync.Mutex // guards what follows; the conversation's locks are taken under it
	stage stage
	nick  string
	annex *exchange.Annex         // nil until it is open
	early []func(*exchange.Annex) // what came before
	there []string                // screen names of the others
	moved map[string]struct{}     // who came or went while it is asked who is there; nil: it is not
	told  func(error)             // of who invited, once; nil: nobody did
	until *time.Timer             // of the invitation
}

// stage says how far a guest has come.
type stage uint8

const (
	called  stage = iota // they have not come yet
	joining              // they come
	inside
	lost // there is no session with the domain
	left
)

// mostEarly bounds what is told of a group before its conversation is there.
const mostEarly = 1000

// groupLink is the link to where a group is.
func (s *Server) groupLink(at ssp.Address) *session.Link {
	if by := s.provider(at.Owner.Domain(), Groups); !s.x.Ours(by) {
		return s.linkTo(by)
	}
	return nil
}

// guest is somebody of ours in a group; nil when they are not.
func (s *Server) guest(id im.RoomID, who im.Address) *guest {
	s.guests.mu.Lock()
	defer s.guests.mu.Unlock()
	return s.guests.m[guestKey{id, who}]
}

// newGuest notes that one of ours is about to be in a group: nil when they are already.
func (s *Server) newGuest(id im.RoomID, at ssp.Address, who im.Address, first stage) *guest {
	s.guests.mu.Lock()
	defer s.guests.mu.Unlock()
	k := guestKey{id, who}
	if s.guests.m[k] != nil {
		return nil
	}
	if s.guests.m == nil {
		s.guests.m = map[guestKey]*guest{}
	}
	g := &guest{s: s, id: id, at: at, who: who, stage: first}
	s.guests.m[k] = g
	return g
}

func (g *guest) forget() {
	g.s.guests.mu.Lock()
	defer g.s.guests.mu.Unlock()
	if k := (guestKey{g.id, g.who}); g.s.guests.m[k] == g {
		delete(g.s.guests.m, k)
	}
}

// guestsIn are those in a group, of some users or, when none are named, all.
func (s *Server) guestsIn(id im.RoomID, of []im.Address) (l []*guest) {
	s.guests.mu.Lock()
	defer s.guests.mu.Unlock()
	for k, g := range s.guests.m {
		if k.room == id && (len(of) == 0 || slices.Contains(of, k.who)) {
			l = append(l, g)
		}
	}
	return l
}

func (s *Server) everyGuest() (l []*guest) {
	s.guests.mu.Lock()
	defer s.guests.mu.Unlock()
	for _, g := range s.guests.m {
		l = append(l, g)
	}
	return l
}

// open opens the conversation, with what they find there.
func (g *guest) open(c *exchange.Client, in entry) error {
	a, err := g.s.x.OpenAnnex(g.s.ctx, c, g, g.id, groupName(g.at.String()), in.others)
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.annex = a
	g.there = slices.Clone(in.others)
	a.Welcome(in.welcome, "")
	for _, f := range g.early {
		f(a)
	}
	g.early = nil
	over := g.stage == left
	g.mu.Unlock()
	if over {
		a.End()
	}
	a.Flush()
	return nil
}

// happens has the conversation told of something; false when they are not in the group.
func (g *guest) happens(f func(*exchange.Annex)) bool {
	g.mu.Lock()
	a := g.annex
	switch {
	case g.stage != inside && g.stage != joining:
		g.mu.Unlock()
		return false
	case a == nil || g.stage == joining:
		if len(g.early) < mostEarly {
			g.early = append(g.early, f)
		}
		g.mu.Unlock()
		return true
	}
	f(a)
	g.mu.Unlock()
	a.Flush()
	return true
}

// comes says that somebody else is in the group. The caller holds g.mu, as for goes.
func (g *guest) comes(a *exchange.Annex, nick string) {
	g.move(nick)
	if nick != g.nick && !slices.Contains(g.there, nick) {
		g.there = append(g.there, nick)
		a.Joined(nick)
	}
}

// goes says that they are not.
func (g *guest) goes(a *exchange.Annex, nick string) {
	g.move(nick)
	if i := slices.Index(g.there, nick); i >= 0 {
		g.there = slices.Delete(g.there, i, i+1)
		a.Left(nick)
	}
}

func (g *guest) move(nick string) {
	if g.moved != nil {
		g.moved[nick] = struct{}{}
	}
}

// Enter implements exchange.Entrance.
func (g *guest) Enter() {
	g.s.work.Go(g.enter) // ends when they are in, or are refused
}

// enter has who was called join the group.
func (g *guest) enter() {
	g.mu.Lock()
	if g.stage != called {
		g.mu.Unlock()
		return
	}
	g.stage = joining
	if g.until != nil {
		g.until.Stop()
	}
	g.mu.Unlock()
	in, err := g.join(g.s.ctx, "")
	if err == nil {
		g.settle(in)
	} else {
		g.turnedAway(err)
	}
	g.answer(err)
}

// turnedAway ends the conversation of who was not let in, and tells them why.
func (g *guest) turnedAway(err error) {
	why := "The group cannot be reached."
	if code, ok := errors.AsType[wire.Code](err); ok && code.Words() != "" {
		why = "You cannot be in the group: " + code.Words() + "."
	}
	g.mu.Lock()
	a := g.annex
	g.mu.Unlock()
	if a != nil {
		a.Welcome(why, "")
		a.Flush()
	}
	g.end()
}

// answer tells who invited what became of it.
func (g *guest) answer(err error) {
	g.mu.Lock()
	told := g.told
	g.told = nil
	g.mu.Unlock()
	if told != nil {
		told(err)
	}
}

// entry is what one finds who joins a group.
type entry struct {
	others  []string
	welcome string // of text/plain
}

// settle takes it that they are in the group.
func (g *guest) settle(in entry) {
	g.mu.Lock()
	if g.stage == left || g.annex == nil {
		g.mu.Unlock()
		return
	}
	a := g.annex
	g.stage = inside
	for _, n := range in.others {
		g.comes(a, n)
	}
	a.Welcome(in.welcome, "")
	for _, f := range g.early {
		f(a)
	}
	g.early = nil
	g.mu.Unlock()
	a.Flush()
}

// joinTries is how many screen names are tried.
const joinTries = 5

// join asks to be in the group, under a screen name, "": theirs or one like it, and to be told of who comes and goes: SSP
// 13.2.3, 13.2.14. It gives who else is there.
func (g *guest) join(ctx context.Context, nick string) (in entry, err error) {
	s := g.s
	l := s.groupLink(g.at)
	if l == nil {
		return in, session.ErrDown
	}
	d := l.Peer().Dialect
	want, again := nick, false
	if want == "" {
		want = s.nickOf(g.who)
	}
	nick = want
	for n := 2; ; n++ {
		e := wire.New("JoinGroupRequest", "groupID", g.at.Format(d), "joinedListRequest", wire.Yes).Add(s.meta(g.who),
			wire.New("ScreenName", "groupID", g.at.Format(d)).With(nick))
		answer, err := l.Request(ctx, e)
		switch {
		case err == nil:
			return g.joined(l, nick, answer), nil
		case errors.Is(err, wire.NameInUse) && n <= joinTries:
			nick = want + " " + strconv.Itoa(n)
		case errors.Is(err, wire.Joined) && !again: // the domain has not heard that they were gone
			again = true
			if _, err := l.Request(ctx, wire.New("LeaveGroupRequest", "groupID", g.at.Format(d)).Add(s.meta(g.who))); err != nil {
				return in, err
			}
		default:
			return in, err
		}
	}
}

// joined reads who is there, and asks to be told of who comes and goes.
func (g *guest) joined(l *session.Link, nick string, answer *wire.Element) (in entry) {
	g.mu.Lock()
	g.nick = nick
	over := g.stage == left
	g.mu.Unlock()
	if over { // they have gone meanwhile
		g.depart()
		return in
	}
	l.GoOrdered(g.s.ctx, g.order(), wire.New("SubscribeGroupChangeRequest", "groupID", g.at.Format(l.Peer().Dialect)).Add(g.s.meta(g.who)),
		func(_ *wire.Element, err error) {
			if err == nil {
				g.recount(l)
			} // without it, others show when they speak
		})
	in.others = slices.DeleteFunc(readNames(answer.Child("JoinedList")), func(n string) bool { return im.FoldNick(n) == im.FoldNick(nick) })
	if w, err := readWelcome(answer.Child("WelcomeNote")); err == nil && (w.Type == "" || w.Type == ssp.TextType) && utf8.ValidString(w.Text) {
		in.welcome = w.Text
	}
	return in
}

// recount asks who is there, now that we are told of changes: nobody told us of those since we joined. SSP 13.2.6
func (g *guest) recount(l *session.Link) {
	g.mu.Lock()
	g.moved = map[string]struct{}{}
	g.mu.Unlock()
	l.GoOrdered(g.s.ctx, g.order(), wire.New("GetJoinedMemberRequest", "groupID", g.at.Format(l.Peer().Dialect)).Add(g.s.meta(g.who)),
		func(answer *wire.Element, err error) {
			g.happens(func(a *exchange.Annex) {
				moved := g.moved
				g.moved = nil
				if err == nil {
					g.counted(a, readMapped(answer.Child("JoinedUsers")), moved)
				}
			})
		})
}

// counted takes a list of those who are there, but for what is newer than it. One without ourselves may leave out others, too.
func (g *guest) counted(a *exchange.Annex, names []string, moved map[string]struct{}) {
	for _, n := range names {
		if _, ok := moved[n]; !ok {
			g.comes(a, n)
		}
	}
	if !slices.Contains(names, g.nick) {
		return
	}
	for _, n := range slices.Clone(g.there) {
		if _, ok := moved[n]; !ok && !slices.Contains(names, n) {
			g.goes(a, n)
		}
	}
}

// nickOf is the screen name that one of ours wants.
func (s *Server) nickOf(who im.Address) string {
	if snap, err := s.x.Snapshot(s.ctx, who); err == nil {
		if n, err := im.Nick(snap.Name); err == nil {
			return n
		}
	}
	return who.Local()
}

func (g *guest) order() string { return g.who.String() + " " + g.id.String() }

// sayLasts bounds how long one of ours waits until a group has what they said.
const sayLasts = 20 * time.Second

// Say implements exchange.Chamber: SSP 12.2.1, 12.3.1.
func (g *guest) Say(ctx context.Context, m *im.Message) error { return g.say(ctx, "", m) }

// Whisper implements exchange.Whisperer: SSP 12.2.1, 12.3.1.
func (g *guest) Whisper(ctx context.Context, nick string, m *im.Message) error {
	err := g.say(ctx, nick, m)
	if errors.Is(err, wire.UnknownUser) {
		err = im.ErrAbsent
	}
	return err
}

func (g *guest) say(ctx context.Context, nick string, m *im.Message) error {
	s := g.s
	l := s.groupLink(g.at)
	g.mu.Lock()
	in := g.stage == inside
	g.mu.Unlock()
	switch {
	case m.Kind != im.Words:
		return nil // typing has no form there
	case !in:
		return im.ErrNotJoined
	case l == nil:
		return im.ErrAbsent
	}
	content, typ, size, ok := contentOf(m)
	if !ok {
		return im.ErrNothingFits
	}
	if m.ID == 0 {
		m.ID = s.x.MessageID()
	}
	info := ssp.Info{ID: ssp.FormatMessageID(m.ID, s.x.Domain()), Type: typ, Size: size, Validity: validity, To: []ssp.Party{{Group: g.at, Name: nick}},
		From: ssp.Party{User: g.who}, Time: m.Time}
	ctx, cancel := context.WithTimeout(ctx, sayLasts)
	defer cancel()
	answer, err := l.Request(ctx, wire.New("SendMessageRequest", "deliveryReport", wire.No).Add(s.meta(g.who), info.Element(l.Peer().Dialect), content))
	if code := partOf(answer, err); err == nil && code.Class() != 2 {
		return ssp.ErrorOf(code)
	}
	return err
}

// Leave implements exchange.Chamber: SSP 13.2.4.
func (g *guest) Leave() {
	g.mu.Lock()
	was := g.stage
	g.stage = left
	if g.until != nil {
		g.until.Stop()
	}
	g.mu.Unlock()
	if was == inside {
		g.depart()
	}
	g.forget()
	g.answer(im.ErrAbsent)
}

func (g *guest) depart() {
	if l := g.s.groupLink(g.at); l != nil {
		l.GoOrdered(g.s.ctx, g.order(), wire.New("LeaveGroupRequest", "groupID", g.at.Format(l.Peer().Dialect)).Add(g.s.meta(g.who)), func(*wire.Element, error) {})
	}
}

// end ends the conversation: they are not in the group any more.
func (g *guest) end() {
	g.mu.Lock()
	a := g.annex
	g.stage = left
	if g.until != nil {
		g.until.Stop()
	}
	g.mu.Unlock()
	g.forget()
	if a != nil {
		a.End()
		a.Flush()
	}
}

// lose takes it that there is no session with the domain: nobody is seen in the group. What was not begun ends.
func (g *guest) lose() {
	g.mu.Lock()
	a := g.annex
	if g.stage != inside || a == nil {
		g.mu.Unlock()
		return
	}
	g.stage = lost
	for _, n := range slices.Clone(g.there) {
		g.goes(a, n)
	}
	g.mu.Unlock()
	a.Flush()
}

// rejoin has who was lost join again.
func (g *guest) rejoin() {
	g.mu.Lock()
	nick, was := g.nick, g.stage
	if was == lost {
		g.stage = joining
	}
	g.mu.Unlock()
	if was != lost {
		return
	}
	in, err := g.join(g.s.ctx, nick)
	code, _ := errors.AsType[wire.Code](err)
	switch {
	case err == nil:
		in.welcome = "" // they have read it
		g.settle(in)
	case code == 0, code == wire.TimedOut, code == wire.Unavailable:
		g.mu.Lock()
		if g.stage == joining {
			g.stage = lost // until the next session
		}
		g.mu.Unlock()
	default:
		g.turnedAway(err)
	}
}

// loseGuests follows the end of sessions. Where there is no way any more, nobody waits for the next one.
func (s *Server) loseGuests() {
	for _, g := range s.everyGuest() {
		switch {
		case s.groupLink(g.at) != nil:
		case s.hop(s.provider(g.at.Owner.Domain(), Groups)) == nil:
			g.end()
			g.answer(im.ErrAbsent)
		default:
			g.lose()
		}
	}
}

// rejoinGuests follows their beginning.
func (s *Server) rejoinGuests() {
	for _, g := range s.everyGuest() {
		if s.groupLink(g.at) != nil {
			s.work.Go(g.rejoin) // ends when they are in, or are refused
		}
	}
}

// requestFor sends what is asked for on behalf of one of ours. Who joins a group is in it by a conversation from then on, if a
// session of theirs can be; who leaves it is not. SSP 13.2.3, 13.2.4
func (s *Server) requestFor(ctx context.Context, l *session.Link, who im.Address, e *wire.Element) (*wire.Element, error) {
	id, at, err := readGroup(e.Attr("groupID"))
	if err != nil || who.IsZero() || e.Name != "JoinGroupRequest" && e.Name != "LeaveGroupRequest" {
		return l.Request(ctx, e)
	}
	if e.Name == "LeaveGroupRequest" {
		answer, err := l.Request(ctx, e)
		if g := s.guest(id, who); g != nil && err == nil {
			g.end()
		}
		return answer, err
	}
	c := s.x.Talker(who)
	if c == nil {
		return l.Request(ctx, e)
	}
	g := s.newGuest(id, at, who, joining)
	if g == nil {
		return l.Request(ctx, e)
	}
	nick := e.Child("ScreenName").String()
	if nick == "" {
		nick = s.nickOf(who)
		e.Add(wire.New("ScreenName", "groupID", e.Attr("groupID")).With(nick))
	}
	answer, err := l.Request(ctx, e)
	if err != nil {
		g.end()
		return answer, err
	}
	in := g.joined(l, nick, answer)
	g.mu.Lock()
	if g.stage == joining {
		g.stage = inside
	}
	g.mu.Unlock()
	if err := g.open(c, in); err != nil {
		g.depart()
		g.end()
	}
	return answer, nil
}
