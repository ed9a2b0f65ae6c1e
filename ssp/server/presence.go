package server

import (
	"errors"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

const (
	door = ssp.Door
	// slot is the session of a peer's user that others see: SSP knows one presence for each person.
	slot = "SSP"
)

// nobody asks when the domain itself does.
var nobody im.Address

// presenceRows are those of SSP 11.
var presenceRows = []row{
	{"SubscribeRequest", (*Server).subscribe},
	{"UnsubscribeRequest", (*Server).unsubscribe},
	{"PresenceNotification", (*Server).notified},
	{"GetPresenceRequest", (*Server).getPresence},
	{"UpdatePresenceRequest", (*Server).updatePresence},
	{"GetWatcherListRequest", (*Server).getWatcherList},
	{"AuthorizationRequest", (*Server).authorize},
	{"AuthorizationResponse", (*Server).authorized},
	{"CancelAuthRequest", (*Server).cancelAuth},
}

// known is what a peer told of one of its users.
type known struct {
	sub  *wire.Element // PresenceSubList, merged of all that came
	name string
}

// show has everybody who may see the user see them so.
func (u *user) show(is im.Presence, name string, k *known) {
	u.mu.Lock()
	u.known = k
	u.mu.Unlock()
	u.c.SetPresence(is, nil)
	if name != "" {
		u.c.Rename(name)
	}
	u.c.Flush()
}

// requestor is the user of the peer's who asks: SSP 5.1.
func (s *Server) requestor(p *peer, r *session.Request) (*user, error) {
	who, err := ssp.ParseUser(r.Meta.User)
	if !r.Meta.Client || err != nil || who.Domain() != p.domain {
		return nil, wire.UnknownTransaction
	}
	return p.user(s.ctx, who)
}

// ours reads a user of ours.
func (s *Server) ours(v string) (im.Address, error) {
	who, err := ssp.ParseUser(v)
	switch {
	case err != nil:
		return who, wire.BadParameter
	case !s.x.Ours(who.Domain()):
		return who, wire.BadDomain
	}
	return who, nil
}

// verdicts gathers what became of a request with each of those it names: SSP 14.2.1, 14.2.2.
type verdicts struct {
	status *wire.Element
	n      int
	first  error
}

func newVerdicts() *verdicts { return &verdicts{status: wire.Status(wire.Successful, "")} }

// add notes how it went with one, by the element that names them in a DetailedResult.
func (v *verdicts) add(err error, named *wire.Element) {
	v.n++
	if err == nil {
		return
	}
	if v.first == nil {
		v.first = err
	}
	v.status.Detail(ssp.CodeOf(err), named)
}

// element is the Status: 200, 201 for some, or the one code for all when none succeeded.
func (v *verdicts) element() *wire.Element {
	bad := 0
	for range v.status.Children("DetailedResult") {
		bad++
	}
	switch {
	case bad == 0:
	case bad < v.n:
		v.status.Set("code", wire.PartlySuccessful.String())
	default:
		v.status.Set("code", ssp.CodeOf(v.first).String())
	}
	return v.status
}

func userID(who string) *wire.Element { return wire.New("UserID", "userID", who) }

// subscribe has a user of the peer's ask to see ours; those who let them are told of at once, after the answer. SSP 11.2.1,
// 11.3.1; ssp-syntax 9. Whether somebody is unknown here is not told: they are asked as one who never answers.
func (s *Server) subscribe(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	wants, err := ssp.Wanted(r.Primitive.Child("AttributeList"))
	if err != nil {
		return err
	}
	p.hold()
	defer p.release()
	v := newVerdicts()
	var again []im.Address
	for _, a := range u.aims(r.Primitive) {
		if a.err == nil {
			u.mu.Lock()
			if u.wants == nil {
				u.wants = map[im.Address][]string{}
			}
			u.wants[a.who] = wants
			delete(u.left, a.who)
			u.mu.Unlock()
			seen := u.c.Snapshot().Entry(a.who)
			a.err = s.x.Ask(s.ctx, exchange.By{Who: u.who}, a.who, im.Wish{})
			if seen != nil && seen.Sees {
				again = append(again, a.who)
			}
		}
		v.add(a.err, a.named)
	}
	r.Answer(v.element())
	for _, who := range again {
		s.tellAgain(u, who)
	}
	return nil
}

// tellAgain tells a user of the peer's how somebody is whom they see: offline, too.
func (s *Server) tellAgain(u *user, who im.Address) {
	if err := u.c.Look(s.ctx, who); err != nil && s.ctx.Err() == nil {
		s.log.Warn("a domain is not told how somebody is", "domain", u.p.domain, "err", err)
	}
}

// unsubscribe ends that: SSP 11.2.4, 11.3.3.
func (s *Server) unsubscribe(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	p.hold()
	defer p.release()
	v := newVerdicts()
	for _, a := range u.aims(r.Primitive) {
		if a.err == nil {
			u.mu.Lock()
			delete(u.wants, a.who)
			if u.left == nil {
				u.left = map[im.Address]struct{}{}
			}
			u.left[a.who] = struct{}{}
			u.mu.Unlock()
			a.err = s.x.Unwatch(s.ctx, exchange.By{Who: u.who}, a.who)
		}
		v.add(a.err, a.named)
	}
	r.Answer(v.element())
	return nil
}

// notified hears how users of the peer's are, whom ours watch: SSP 11.2.5, 11.3.4. That somebody of ours is told is the
// answer to their wish; another one may be told something else. Who does not watch is named, and the peer is asked to stop.
func (s *Server) notified(p *peer, r *session.Request) error {
	v := newVerdicts()
	for value := range r.Primitive.Children("PresenceValue") {
		who, err := ssp.ParseUser(value.Attr("userID"))
		if err != nil || !s.speaks(p, who.Domain(), Presence) {
			v.add(wire.UnknownTransaction, userID(value.Attr("userID")))
			continue
		}
		if s.x.Ours(who.Domain()) { // from their presence service, which has it from us
			v.add(nil, nil)
			continue
		}
		q := s.peer(who.Domain())
		if q == nil {
			v.add(wire.BadDomain, userID(value.Attr("userID")))
			continue
		}
		u, err := q.user(s.ctx, who)
		if err == nil {
			err = ssp.CheckAttributes(value.Child("PresenceSubList"))
		}
		if err != nil {
			v.add(err, userID(value.Attr("userID")))
			continue
		}
		var by, wished []im.Address
		for e := range r.Primitive.Children("User") {
			w, watch, err := s.watcher(r.Link, u, e.Attr("userID"))
			if err == nil {
				by = append(by, w)
			}
			if watch == im.WatchAsked {
				wished = append(wished, w)
			}
			v.add(err, userID(e.Attr("userID")))
		}
		q.inTurn(func() { u.told(value, by) })
		for _, w := range wished {
			if err := u.p.granted(r.Link, u.who, w); err != nil {
				v.add(err, userID(ssp.FormatUser(w)))
			}
		}
	}
	r.Answer(v.element())
	return nil
}

// watcher reads one of ours, or of those whose presence service we are, who watches a user of the peer's, or wishes to.
func (s *Server) watcher(l *session.Link, u *user, id string) (im.Address, im.Watch, error) {
	w, err := s.ours(id)
	if err != nil && !s.serves(w.Domain(), Presence) {
		return w, im.WatchNone, err
	}
	e := u.c.Snapshot().Entry(w)
	if e == nil || e.Watched == im.WatchNone {
		u.p.unsubscribeFrom(l, w, u.who)
		if e := u.c.Snapshot().Entry(w); e != nil && e.Watched != im.WatchNone { // they asked just now, and that may have gone out before
			u.p.subscribeTo(l, w, u.who)
		}
		return w, im.WatchNone, wire.UnknownUser
	}
	return w, e.Watched, nil
}

// merged is what is known of the user with what a peer tells now: only what changed. SSP 11.2.5, 11.2.10
func (u *user) merged(value *wire.Element) *known {
	sub := value.Child("PresenceSubList")
	u.mu.Lock()
	k := u.known
	u.mu.Unlock()
	next := &known{sub: sub}
	if k != nil {
		next.name = k.name
		next.sub = ssp.MergeAttributes(k.sub, sub)
	}
	if alias := ssp.AliasOf(next.sub); alias != "" {
		next.name = alias
	}
	return next
}

// told takes how the user is as some of ours are told. They are offline when nobody is told otherwise.
func (u *user) told(value *wire.Element, by []im.Address) {
	next := u.merged(value)
	is := ssp.ReadPresence(next.sub)
	u.mu.Lock()
	was := u.known != nil && ssp.ReadPresence(u.known.sub).State.Visible()
	u.mu.Unlock()
	switch {
	case !is.State.Visible():
		if u.c.HideFrom(by...) == 0 {
			u.show(is, next.name, next)
		}
	case was: // who was told before is told what changed, and the others how it is
		u.show(is, next.name, next)
		u.c.ShowTo(by...)
	default:
		u.c.ShowTo(by...)
		u.show(is, next.name, next)
	}
}

// update takes how the user is, for all who may see them: SSP 11.2.10.
func (u *user) update(value *wire.Element) error {
	if err := ssp.CheckAttributes(value.Child("PresenceSubList")); err != nil {
		return err
	}
	next := u.merged(value)
	u.show(ssp.ReadPresence(next.sub), next.name, next)
	return nil
}

// getPresence tells how ours are, as far as the one who asks may see it: SSP 11.2.8, 11.3.6. Who has not been let in is
// told 401.
func (s *Server) getPresence(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	wants, err := ssp.Wanted(r.Primitive.Child("AttributeList"))
	if err != nil {
		return err
	}
	v := newVerdicts()
	var values []*wire.Element
	for _, a := range u.aims(r.Primitive) {
		if a.err == nil {
			var name string
			var is im.Presence
			if name, is, a.err = u.c.Fetch(s.ctx, a.who); a.err == nil {
				gets := meet(wants, s.given(a.who, u.who))
				values = append(values, ssp.PresenceValue(a.who, s.attributes(a.who, is, name, gets, r.Link.Peer().Dialect)))
			}
		}
		if errors.Is(a.err, im.ErrNotInvited) {
			a.err = wire.Unauthorized
		}
		v.add(a.err, a.named)
	}
	r.Answer(wire.New("GetPresenceResponse").Add(v.element()).Add(values...))
	return nil
}

// updatePresence has a user of the peer's be so, for whom we are the presence service: SSP 11.2.10, 11.3.7.
func (s *Server) updatePresence(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	p.hold()
	defer p.release()
	for value := range r.Primitive.Children("PresenceValue") {
		if who, err := ssp.ParseUser(value.Attr("userID")); err != nil || who != u.who {
			return wire.Forbidden
		}
		if err := u.update(value); err != nil {
			return err
		}
	}
	r.Answer(wire.Status(wire.Successful, ""))
	return nil
}

// getWatcherList tells a user of the peer's who watches them here: SSP 11.2.6, 11.3.5.
func (s *Server) getWatcherList(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	answer := wire.New("GetWatcherListResponse").Add(wire.Status(wire.Successful, ""))
	for _, e := range u.c.Snapshot().Entries {
		if e.Watched != im.WatchNone {
			answer.Add(userID(ssp.FormatUser(e.Who)))
		}
	}
	r.Answer(answer)
	return nil
}

// authorize asks users of ours whether others may see them, whose presence service the peer is: SSP 11.2.2, 11.3.2. The
// answer comes when they give it.
func (s *Server) authorize(p *peer, r *session.Request) error {
	v := newVerdicts()
	var granted []func() // who has said yes before
	for a := range r.Primitive.Children("Authorizing") {
		who, err := s.ours(a.Child("UserID").Attr("userID"))
		for sub := range a.Children("Subscribing") {
			from, e := ssp.ParseUser(sub.Child("UserID").Attr("userID"))
			switch {
			case err != nil:
				e = err
			case e != nil:
				e = wire.BadParameter
			case s.watches(from, who) == im.WatchGranted:
				granted = append(granted, func() { s.answerTo(r.Link, who, from, true) })
			case s.asked(from, who): // by one of ours, who asked by way of the peer, too
			default:
				e = s.x.Ask(s.ctx, exchange.By{Who: from}, who, im.Wish{})
			}
			v.add(e, userID(sub.Child("UserID").Attr("userID")))
		}
	}
	r.Answer(v.element())
	for _, f := range granted {
		f()
	}
	return nil
}

// asked reports whether one of ours has asked another.
func (s *Server) asked(from, who im.Address) bool {
	return s.x.Ours(from.Domain()) && s.watches(from, who) != im.WatchNone
}

// watches is how far somebody's wish to see one of ours has come.
func (s *Server) watches(from, who im.Address) im.Watch {
	snap, err := s.x.Snapshot(s.ctx, who)
	if err != nil {
		return im.WatchNone
	}
	if e := snap.Entry(from); e != nil {
		return e.Watched
	}
	return im.WatchNone
}

// authorized hears what a user of the peer's says to those who asked to see them, whose presence service we are: SSP
// 11.2.3, 11.3.2.
func (s *Server) authorized(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	p.hold()
	defer p.release()
	v := newVerdicts()
	for a := range r.Primitive.Children("Authorizing") {
		if who, err := ssp.ParseUser(a.Child("UserID").Attr("userID")); err != nil || who != u.who {
			return wire.Forbidden
		}
		for sub := range a.Children("Subscribing") {
			from, err := ssp.ParseUser(sub.Child("UserID").Attr("userID"))
			switch {
			case err != nil:
				err = wire.BadParameter
			case sub.Attr("acceptance") == wire.Yes:
				err = s.x.Answer(s.ctx, exchange.By{Who: u.who}, from)
			default:
				err = s.x.Refuse(s.ctx, exchange.By{Who: u.who}, from)
			}
			v.add(err, userID(sub.Child("UserID").Attr("userID")))
		}
	}
	r.Answer(v.element())
	return nil
}

// cancelAuth takes back that others may see a user of the peer's: SSP 11.2.11, 11.3.8.
func (s *Server) cancelAuth(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	p.hold()
	defer p.release()
	v := newVerdicts()
	for e := range r.Primitive.Children("UserID") {
		from, err := ssp.ParseUser(e.Attr("userID"))
		if err != nil {
			err = wire.BadParameter
		} else {
			err = s.x.Refuse(s.ctx, exchange.By{Who: u.who}, from)
		}
		v.add(err, userID(e.Attr("userID")))
	}
	r.Answer(v.element())
	return nil
}

// later does something that may wait, in a goroutine that ends with it.
func (s *Server) later(f func() error) {
	s.work.Go(func() {
		if err := f(); err != nil && s.ctx.Err() == nil {
			s.log.Warn("what another domain answered is not kept", "err", err)
		}
	})
}
