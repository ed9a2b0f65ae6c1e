package server

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// Invitations only inform: users of ours read them as messages. One to share presence is a wish to see them besides, so
// that there is an answer to carry back. SSP 9.3.3

// inviteRows are those of invitations, SSP 9.
var inviteRows = []row{
	{"InviteRequest", (*Server).invite},
	{"InviteUserRequest", (*Server).inviteUser},
	{"InviteResponse", (*Server).inviteAnswered},
	{"InviteUserResponse", (*Server).inviteUserAnswered},
	{"CancelInviteRequest", (*Server).cancelInvite},
	{"CancelInviteUserRequest", (*Server).cancelInviteUser},
}

const (
	presenceInvite  = "PR"
	inviteLasts     = 24 * time.Hour // when the request does not say how long
	inviteLastsMost = 7 * 24 * time.Hour
	mostInvitations = 1000 // of one peer
)

// invitation is one that may be answered or cancelled yet.
type invitation struct {
	id, typ  string
	inviting ssp.Party
	who      im.Address // who invites
	relayed  bool       // it came from the service of the invited, not from the home domain of who invites
	made     time.Time
	until    time.Time

	// guarded by invitations.mu
	invited map[im.Address]bool // false: has answered, or was told that it is cancelled
}

// invitations are those that came from a peer.
type invitations struct {
	mu sync.Mutex // guards what follows
	m  map[inviteKey]*invitation
}

type inviteKey struct {
	id  string
	who im.Address
}

func (l *invitations) put(v *invitation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.m == nil {
		l.m = map[inviteKey]*invitation{}
	}
	maps.DeleteFunc(l.m, func(_ inviteKey, o *invitation) bool { return v.made.After(o.until) })
	if len(l.m) >= mostInvitations {
		o := slices.MinFunc(slices.Collect(maps.Values(l.m)), func(a, b *invitation) int { return a.made.Compare(b.made) })
		delete(l.m, inviteKey{o.id, o.who})
	}
	l.m[inviteKey{v.id, v.who}] = v
}

// get finds one that is still good: 423.
func (l *invitations) get(id string, who im.Address) (*invitation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := l.m[inviteKey{id, who}]
	if v == nil || time.Now().After(v.until) {
		return nil, wire.BadInvitation
	}
	return v, nil
}

// settle takes it that somebody answered, or needs not any more; false when they did before, or are not invited.
func (l *invitations) settle(v *invitation, who im.Address) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	open := v.invited[who]
	if open {
		v.invited[who] = false
	}
	return open
}

// open are those of one person that somebody invited to share presence has not answered.
func (l *invitations) open(by, who im.Address) (vs []*invitation) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range l.m {
		if v.who == by && v.typ == presenceInvite && v.invited[who] && now.Before(v.until) {
			vs = append(vs, v)
		}
	}
	return vs
}

// readInvitation reads what both requests have.
func readInvitation(e *wire.Element) *invitation {
	now := time.Now()
	v := &invitation{id: e.Attr("inviteID"), typ: e.Attr("inviteType"), made: now, invited: map[im.Address]bool{}}
	lasts := time.Duration(wire.Int(e.Attr("validity"))) * time.Second
	if lasts == 0 {
		lasts = inviteLasts
	}
	v.until = now.Add(min(lasts, inviteLastsMost))
	return v
}

// one is the only party in a role. The user, if it is one, is who.
func one(e *wire.Element) (p ssp.Party, err error) {
	l, err := ssp.ReadParties(e)
	switch {
	case err != nil:
		return p, wire.BadParameter
	case len(l) != 1:
		return p, wire.BadParameter
	}
	return l[0], nil
}

// self is the party in a role that must be the user who asks, by address or by a screen name: 403.
func (u *user) self(e *wire.Element) (ssp.Party, error) {
	p, err := one(e)
	if err == nil && p.User != u.who && (!p.User.IsZero() || p.Name == "") {
		err = wire.Forbidden
	}
	return p, err
}

// inviteText is an invitation in words.
func inviteText(e *wire.Element) string {
	var b strings.Builder
	switch e.Attr("inviteType") {
	case "IM":
		b.WriteString("Invitation to exchange messages.")
	case presenceInvite:
		b.WriteString("Invitation to share presence.")
	case "GR":
		b.WriteString("Invitation to the group " + groupName(e.Child("GroupID").Attr("groupID")) + ".")
	default:
		b.WriteString("Invitation to shared content")
		for c := range e.Child("ContentIDList").Children("ContentID") {
			b.WriteString(" " + c.Attr("url"))
		}
		b.WriteString(".")
	}
	return noted(b.String(), e.Child("InviteNote"))
}

// groupName is a group's address for people.
func groupName(v string) string {
	a, err := ssp.ParseResource(v)
	switch {
	case err != nil:
		return v
	case a.Private():
		return a.Owner.Local() + "/" + a.Resource + "@" + a.Owner.Domain()
	}
	return a.Resource + "@" + a.Owner.Domain()
}

func noted(s string, note *wire.Element) string {
	if t := note.String(); t != "" {
		s += "\n" + t
	}
	return s
}

// invite takes an invitation of a user of the peer's: SSP 9.2.4, 9.3.3.1, 9.3.3.2. Users of ours are told; whose service we
// are, their home domain is asked.
func (s *Server) invite(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	e := r.Primitive
	if mine, _ := r.Link.Agreed(); !slices.Contains(mine, "CommonFeature/Invite"+e.Attr("inviteType")) {
		return wire.NotAgreed
	}
	v := readInvitation(e)
	if v.inviting, err = u.self(e.Child("Inviting")); err != nil {
		return err
	}
	v.who = u.who
	to, err := ssp.ReadParties(e.Child("Invited"))
	if err != nil || len(to) == 0 {
		return wire.BadParameter
	}
	l := s.addressees(u.expand(to))
	for _, a := range l {
		if a.err == nil {
			v.invited[a.User] = true
		}
	}
	p.invitations.put(v)
	s.relay(l, e, "InviteUserRequest", "Invited")
	s.tell(r, u.who, l, inviteText(e), func(told []im.Address) {
		if v.typ == presenceInvite {
			s.wish(p, v, e.Child("InviteNote").String(), told)
		}
	})
	return nil
}

// addressee is somebody who is invited, or told that an invitation is cancelled; err: why they are not.
type addressee struct {
	ssp.Party
	link *session.Link // to the home domain of one whose service we are; nil for ours
	err  error
}

// addressees judges whom a request names.
func (s *Server) addressees(to []ssp.Party) []addressee {
	l := make([]addressee, len(to))
	for i, p := range to {
		a := addressee{Party: p}
		switch {
		case p.List.Resource != "":
			a.err = wire.NoContactList
		case p.User.IsZero():
			a.err = wire.NoGroup
		case s.x.Ours(p.User.Domain()):
			a.err = s.known(p.User)
		default:
			a.link, a.err = s.home(p.User.Domain(), "CommonFeature/ComplementaryInvite")
		}
		l[i] = a
	}
	return l
}

// home is the way to the home domain of somebody whose service we are: 516 when that is not agreed on, 503 when there is no
// session.
func (s *Server) home(domain, service string) (*session.Link, error) {
	p := s.peer(domain)
	if p == nil {
		return nil, wire.BadDomain
	}
	l := p.link.Load()
	if l == nil {
		return nil, wire.Unavailable
	}
	if mine, _ := l.Agreed(); !slices.Contains(mine, service) {
		return nil, wire.BadDomain
	}
	return l, nil
}

// relay has the home domains tell their users what a request says: one request for each domain. SSP 9.3.3.2, 9.3.4.2
func (s *Server) relay(l []addressee, e *wire.Element, primitive, role string) {
	byLink := map[*session.Link]*wire.Element{}
	var order []*session.Link
	for _, a := range l {
		if a.err != nil || a.link == nil {
			continue
		}
		out := byLink[a.link]
		if out == nil {
			out = s.handedOn(e, primitive, role)
			byLink[a.link], order = out, append(order, a.link)
		}
		out.Child(role).Add(a.Element(a.link.Peer().Dialect))
	}
	for _, to := range order {
		to.Go(s.ctx, byLink[to], func(*wire.Element, error) {})
	}
}

// handedOn is a request of a user's as the service tells it to a home domain: as far as that primitive has the same parts,
// and with nobody yet in the role.
func (s *Server) handedOn(e *wire.Element, primitive, role string) *wire.Element {
	out := wire.New(primitive).Add(s.meta(nobody), wire.New(role))
	table, _ := wire.Lookup(primitive)
	for _, f := range table.Fields {
		switch {
		case f.Attr:
			out.Set(f.Name, e.Attr(f.Name))
		case f.Name != "MetaInfo" && f.Name != role:
			for k := range e.Children(f.Name) {
				out.Add(k)
			}
		}
	}
	return out
}

// tell sends words to those of ours; then the request is answered, and then is called with those who have them.
func (s *Server) tell(r *session.Request, from im.Address, l []addressee, text string, then func(told []im.Address)) {
	var left atomic.Int32
	left.Store(1)
	done := func() {
		if left.Add(-1) > 0 {
			return
		}
		v := newVerdicts()
		var told []im.Address
		for _, a := range l {
			if v.add(a.err, detail(a.Party)); a.err == nil && a.link == nil {
				told = append(told, a.User)
			}
		}
		r.Answer(v.element())
		then(told)
	}
	var b exchange.Batch
	for i := range l {
		if l[i].err != nil || l[i].link != nil {
			continue
		}
		left.Add(1)
		s.x.Send(s.ctx, &b, words(from, l[i].User, text), func(err error) {
			l[i].err = err
			done()
		})
	}
	b.Flush()
	done()
}

// detail names a party in a DetailedResult, ssp-syntax 2.4.
func detail(p ssp.Party) *wire.Element {
	if !p.User.IsZero() {
		return userID(ssp.FormatUser(p.User))
	}
	return p.Element(wire.WV10)
}

// words is a message of the door's own making.
func words(from, to im.Address, text string) *im.Message {
	t := im.NewText(text)
	return &im.Message{From: from, FromSlot: slot, To: to, Time: time.Now(), Kind: im.Words, Neutralise: func() im.Neutral { return im.Neutral{Text: t} },
		Native: im.Native{Door: door, Body: []byte(ssp.TextType + "\n" + text)}}
}

// wish has who invites to share presence ask to see those who were told of it. Who sees them already has the answer.
func (s *Server) wish(p *peer, v *invitation, note string, told []im.Address) {
	s.later(func() error { // a goroutine that ends when they are asked
		for _, who := range told {
			if err := s.x.Ask(s.ctx, exchange.By{Who: v.who}, who, im.Wish{Text: im.NewText(note)}); err != nil {
				return err
			}
			u, err := p.user(s.ctx, v.who)
			if v.relayed || err != nil {
				continue
			}
			if e := u.c.Snapshot().Entry(who); e != nil && e.Side.Watch == im.WatchGranted {
				p.accept(v, who, true)
			}
		}
		return nil
	})
}

// answered carries back what one of ours says to a user of the peer's who invited them to share presence.
func (p *peer) answered(u *user, c *exchange.Change) {
	if c.Before.Side.Watch != im.WatchAsked || c.After.Side.Watch == im.WatchAsked || c.By.Who == u.who {
		return
	}
	for _, q := range p.s.everyPeer() { // the service of the invited may be another
		for _, v := range q.invitations.open(u.who, c.Who) {
			q.accept(v, c.Who, c.After.Side.Watch == im.WatchGranted)
		}
	}
}

func (s *Server) everyPeer() (l []*peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.peers {
		l = append(l, p)
	}
	return l
}

// accept tells the peer from which an invitation came that somebody accepts it, or does not: SSP 9.2.5, 9.2.7.
func (p *peer) accept(v *invitation, who im.Address, yes bool) {
	l := p.link.Load()
	if l == nil || !p.invitations.settle(v, who) {
		return
	}
	l.Go(p.s.ctx, v.response(wire.YesNo(yes), []ssp.Party{{User: who}}, "", l.Peer().Dialect), func(*wire.Element, error) {})
}

func (v *invitation) response(acceptance string, responding []ssp.Party, note string, d wire.Dialect) *wire.Element {
	name := "InviteResponse"
	if v.relayed {
		name = "InviteUserResponse"
	}
	e := wire.New(name, "inviteID", v.id, "acceptance", acceptance).Add(wire.Status(wire.Successful, ""), wire.New("Inviting").Add(v.inviting.Element(d)))
	for _, p := range responding {
		e.Add(wire.New("Responding").Add(p.Element(d)))
	}
	if note != "" {
		e.Add(wire.New("ResponseNote").With(note))
	}
	return e
}

// inviteUser tells users of ours, whose service the peer is, that they are invited: SSP 9.2.6, 9.3.3.2.
func (s *Server) inviteUser(p *peer, r *session.Request) error {
	e := r.Primitive
	v := readInvitation(e)
	v.relayed = true
	var err error
	if v.inviting, err = one(e.Child("Inviting")); err != nil {
		return err
	}
	v.who = v.inviting.User
	if v.who.IsZero() {
		return wire.NotSupported // by a screen name, whose group only its domain knows
	}
	to, err := ssp.ReadParties(e.Child("Invited"))
	if err != nil || len(to) == 0 {
		return wire.BadParameter
	}
	l := s.oursAlone(to)
	for _, a := range l {
		if a.err == nil {
			v.invited[a.User] = true
		}
	}
	p.invitations.put(v)
	s.tell(r, v.who, l, inviteText(e), func(told []im.Address) {
		if v.typ == presenceInvite && s.peer(v.who.Domain()) != nil {
			s.wish(p, v, e.Child("InviteNote").String(), told)
		}
	})
	return nil
}

// oursAlone are addressees of whom only users of ours are good.
func (s *Server) oursAlone(to []ssp.Party) []addressee {
	l := s.addressees(to)
	for i := range l {
		if l[i].link != nil {
			l[i].link, l[i].err = nil, wire.BadDomain
		}
	}
	return l
}

// inviteAnswered tells one of ours what became of an invitation of theirs: SSP 9.2.5, 9.3.3.1.
func (s *Server) inviteAnswered(p *peer, r *session.Request) error {
	e := r.Primitive
	to, err := one(e.Child("Inviting"))
	if err != nil {
		return err
	}
	if to.User.IsZero() || !s.x.Ours(to.User.Domain()) {
		return wire.UnknownUser
	}
	by, err := s.responding(p, r)
	if err != nil {
		return err
	}
	text := "The invitation is declined."
	if e.Attr("acceptance") == wire.Yes {
		text = "The invitation is accepted."
	}
	s.tell(r, by[0].User, s.oursAlone([]ssp.Party{to}), noted(text, e.Child("ResponseNote")), func([]im.Address) {})
	return nil
}

// responding are who answers: users of the peer's, or of whatever domain when the peer relays invitations to our users'
// service.
func (s *Server) responding(p *peer, r *session.Request) (by []ssp.Party, err error) {
	for e := range r.Primitive.Children("Responding") {
		l, err := ssp.ReadParties(e)
		if err != nil {
			return nil, wire.BadParameter
		}
		by = append(by, l...)
	}
	_, theirs := r.Link.Agreed()
	for _, b := range by {
		if b.User.IsZero() || b.User.Domain() != p.domain && !slices.Contains(theirs, "CommonFeature/ComplementaryInvite") {
			return nil, wire.UnknownUser
		}
	}
	if len(by) == 0 {
		return nil, wire.BadParameter
	}
	return by, nil
}

// inviteUserAnswered hands on what users of the peer's, whose service we are, say to an invitation: SSP 9.2.7, 9.3.3.2.
func (s *Server) inviteUserAnswered(p *peer, r *session.Request) error {
	e := r.Primitive
	to, err := one(e.Child("Inviting"))
	if err != nil {
		return err
	}
	q := s.peer(to.User.Domain())
	if q == nil {
		return wire.BadInvitation
	}
	v, err := q.invitations.get(e.Attr("inviteID"), to.User)
	if err != nil {
		return err
	}
	var by []ssp.Party
	out := newVerdicts()
	for k := range e.Children("Responding") {
		l, err := ssp.ReadParties(k)
		if err != nil {
			return wire.BadParameter
		}
		for _, b := range l {
			var err error
			if b.User.Domain() != p.domain || !q.invitations.settle(v, b.User) {
				err = wire.BadInvitation
			} else {
				by = append(by, b)
			}
			out.add(err, detail(b))
		}
	}
	r.Answer(out.element())
	if l := q.link.Load(); l != nil && len(by) > 0 {
		l.Go(s.ctx, v.response(e.Attr("acceptance"), by, e.Child("ResponseNote").String(), l.Peer().Dialect), func(*wire.Element, error) {})
	}
	return nil
}

// cancelInvite takes an invitation back: SSP 9.2.8, 9.3.4.1, 9.3.4.2. A wish that came of it ends.
func (s *Server) cancelInvite(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	e := r.Primitive
	if _, err := u.self(e.Child("Canceling")); err != nil {
		return err
	}
	v, err := p.invitations.get(e.Attr("inviteID"), u.who)
	if err != nil {
		return err
	}
	to, err := ssp.ReadParties(e.Child("Canceled"))
	if err != nil || len(to) == 0 {
		return wire.BadParameter
	}
	s.takeBack(p, r, v, s.addressees(u.expand(to)))
	return nil
}

// cancelInviteUser tells users of ours, whose service the peer is, that an invitation is taken back: SSP 9.2.9, 9.3.4.2.
func (s *Server) cancelInviteUser(p *peer, r *session.Request) error {
	e := r.Primitive
	by, err := one(e.Child("Canceling"))
	if err != nil {
		return err
	}
	v, err := p.invitations.get(e.Attr("inviteID"), by.User)
	if err != nil {
		return err
	}
	to, err := ssp.ReadParties(e.Child("Canceled"))
	if err != nil || len(to) == 0 {
		return wire.BadParameter
	}
	s.takeBack(p, r, v, s.oursAlone(to))
	return nil
}

// takeBack takes an invitation back from some of those who were invited.
func (s *Server) takeBack(p *peer, r *session.Request, v *invitation, l []addressee) {
	for i := range l {
		if l[i].err == nil && !p.invitations.was(v, l[i].User) {
			l[i].err = wire.BadInvitation
		}
		if l[i].link != nil && l[i].err == nil {
			p.invitations.settle(v, l[i].User)
		}
	}
	s.relay(l, r.Primitive, "CancelInviteUserRequest", "Canceled")
	s.tell(r, v.who, l, noted("The invitation is taken back.", r.Primitive.Child("CancelNote")), func(told []im.Address) {
		s.later(func() error { // a goroutine that ends with the last wish
			for _, who := range told {
				if p.invitations.settle(v, who) && v.typ == presenceInvite && s.peer(v.who.Domain()) != nil {
					if err := s.x.Unwatch(s.ctx, exchange.By{Who: v.who}, who); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
}

// was reports whether somebody was invited.
func (l *invitations) was(v *invitation, who im.Address) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := v.invited[who]
	return ok
}
