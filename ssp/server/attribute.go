package server

import (
	"errors"
	"slices"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// Attribute lists say which presence attributes a peer's user, whose presence service we are, gives to whom: to a user, to
// the members of a contact list, to all others. What somebody gets is the meet of that and of what they asked for. Who is
// given some is let in without being asked. SSP 10.1.

// attributeRows are those of attribute lists, SSP 10.
var attributeRows = []row{
	{"CreateAttrListRequest", (*Server).createAttributes},
	{"DeleteAttrListRequest", (*Server).deleteAttributes},
	{"GetAttrListRequest", (*Server).getAttributes},
}

// attributeTargets are whom an attribute list is for: users, and contact lists by name. What is not known is noted.
func (u *user) attributeTargets(e *wire.Element, v *verdicts) (users []im.Address, lists []im.Group) {
	for id := range e.Children("UserID") {
		who, err := ssp.ParseUser(id.Attr("userID"))
		if err != nil {
			err = wire.BadParameter
		} else {
			err = u.p.s.known(who)
		}
		if err == nil {
			users = append(users, who)
		}
		v.add(err, userID(id.Attr("userID")))
	}
	for id := range e.Children("ContactList") {
		g, err := u.list(id.Attr("contactListID"))
		if err == nil {
			lists = append(lists, g)
		}
		v.add(err, listElement(id.Attr("contactListID")))
	}
	return users, lists
}

// createAttributes gives attributes: SSP 10.2.12, 10.3.9. An older list for the same is replaced; an empty one is all.
func (s *Server) createAttributes(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	given, err := ssp.Wanted(r.Primitive.Child("AttributeList"))
	if err != nil {
		return err
	}
	if given == nil {
		given = ssp.Attributes()
	}
	v := newVerdicts()
	users, lists := u.attributeTargets(r.Primitive, v)
	others := r.Primitive.Attr("defaultList") == wire.Yes
	if others {
		v.add(nil, nil)
	}
	if err := u.keep(s.ctx, func(k *kept) error {
		for _, who := range users {
			put(&k.ToUsers, who.String(), given)
		}
		for _, g := range lists {
			put(&k.ToLists, g.Name, given)
		}
		if others {
			k.ToOthers = given
		}
		return nil
	}); err != nil {
		return err
	}
	for _, g := range lists {
		for _, e := range u.members(g.ID) {
			users = append(users, e.Who)
		}
	}
	for _, who := range users {
		if err := s.x.Answer(s.ctx, exchange.By{Who: u.who}, who); err != nil {
			return err
		}
	}
	r.Answer(v.element())
	u.tellWatchers()
	return nil
}

// deleteAttributes gives them no longer: SSP 10.2.13, 10.3.10. Who watches goes on; who was only let in beforehand is not
// any more. ssp-syntax 9.
func (s *Server) deleteAttributes(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	v := newVerdicts()
	users, lists := u.attributeTargets(r.Primitive, v)
	others := r.Primitive.Attr("defaultList") == wire.Yes
	if others {
		v.add(nil, nil)
	}
	if err := u.keep(s.ctx, func(k *kept) error {
		for _, who := range users {
			delete(k.ToUsers, who.String())
		}
		for _, g := range lists {
			delete(k.ToLists, g.Name)
		}
		if others {
			k.ToOthers = nil
		}
		return nil
	}); err != nil {
		return err
	}
	for _, g := range lists {
		for _, e := range u.members(g.ID) {
			users = append(users, e.Who)
		}
	}
	k, err := u.keeps(s.ctx)
	if err != nil {
		return err
	}
	for _, who := range users {
		e := u.c.Snapshot().Entry(who)
		if e == nil || e.Watched != im.WatchNone || u.letsIn(k, e) {
			continue
		}
		if err := s.x.Disallow(s.ctx, exchange.By{Who: u.who}, who); err != nil && !errors.Is(err, im.ErrNotOnList) {
			return err
		}
	}
	r.Answer(v.element())
	u.tellWatchers()
	return nil
}

// letsIn reports whether attributes are given to somebody by name or by a contact list.
func (u *user) letsIn(k *kept, e *im.Entry) bool {
	if _, ok := k.ToUsers[e.Who.String()]; ok {
		return true
	}
	return slices.ContainsFunc(u.c.Snapshot().Groups, func(g im.Group) bool {
		_, ok := k.ToLists[g.Name]
		return ok && slices.Contains(e.Side.Groups, g.ID)
	})
}

// getAttributes tells which are given: SSP 10.2.14, 10.2.15, 10.3.11. To whom, if the request names some; else to all.
func (s *Server) getAttributes(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	k, err := u.keeps(s.ctx)
	if err != nil {
		return err
	}
	v, d := newVerdicts(), r.Link.Peer().Dialect
	users, lists := u.attributeTargets(r.Primitive, v)
	if !r.Primitive.Has("UserID") && !r.Primitive.Has("ContactList") {
		for _, who := range names(k.ToUsers) {
			users = append(users, im.TrustedAddress(who))
		}
		lists = u.c.Snapshot().Groups
	}
	var l []*wire.Element
	associated := func(given []string, ok bool, to *wire.Element) {
		if ok {
			l = append(l, wire.New("Presence").Add(to, ssp.AttributeList(given)))
		}
	}
	for _, who := range users {
		given, ok := k.ToUsers[who.String()]
		associated(given, ok, userID(ssp.FormatUser(who)))
	}
	for _, g := range lists {
		given, ok := k.ToLists[g.Name]
		associated(given, ok, listElement(u.listID(k, g.Name, d)))
	}
	if r.Primitive.Attr("defaultList") == wire.Yes && k.ToOthers != nil {
		l = append(l, wire.New("DefaultAttributeList").Add(ssp.AttributeList(k.ToOthers)))
	}
	r.Answer(wire.New("GetAttrListResponse").Add(v.element()).Add(l...))
	return nil
}

// nothing is an attribute that there is none of: a list of it alone asks for nothing.
const nothing = "-"

// given are the attributes that somebody gives to another; nil: all. Of ours everybody whom they let see them gets what
// there is.
func (s *Server) given(of, to im.Address) []string {
	p := s.peer(of.Domain())
	if p == nil {
		return nil
	}
	p.mu.Lock()
	u := p.users[of]
	p.mu.Unlock()
	if u == nil {
		return nil
	}
	k, err := u.keeps(s.ctx)
	if err != nil { // rather too little
		return []string{nothing}
	}
	if l, ok := k.ToUsers[to.String()]; ok {
		return l
	}
	if len(k.ToLists) > 0 {
		if e := u.c.Snapshot().Entry(to); e != nil {
			var l []string
			for _, g := range u.c.Snapshot().Groups {
				if slices.Contains(e.Side.Groups, g.ID) {
					l = append(l, k.ToLists[g.Name]...)
				}
			}
			if l != nil {
				return l
			}
		}
	}
	return k.ToOthers
}

// gets is what the user gets of somebody: what was asked for, as far as it is given. nil: all.
func (u *user) gets(of im.Address) []string { return meet(u.wanted(of), u.p.s.given(of, u.who)) }

// meet is what is in both; nil is all.
func meet(asked, given []string) []string {
	var l []string
	switch {
	case given == nil:
		return asked
	case asked == nil:
		asked = ssp.Attributes()
	}
	for _, a := range asked {
		if slices.Contains(given, a) {
			l = append(l, a)
		}
	}
	if l == nil {
		return []string{nothing}
	}
	return l
}

// attributes are those of somebody, as the exchange shows them to the one who gets them: of a peer's user all that the peer
// told of them, not only what the exchange understands. SSP 11.1; ssp-syntax 2.7.
func (s *Server) attributes(of im.Address, is im.Presence, name string, gets []string, d wire.Dialect) *wire.Element {
	sub := ssp.Presence(is, name, gets, d)
	p := s.peer(of.Domain())
	if p == nil || !is.State.Visible() {
		return sub
	}
	p.mu.Lock()
	u := p.users[of]
	p.mu.Unlock()
	if u == nil {
		return sub
	}
	u.mu.Lock()
	k := u.known
	u.mu.Unlock()
	if k == nil || k.sub == nil {
		return sub
	}
	all := wire.New("PresenceSubList")
	for _, a := range k.sub.Kids {
		if gets == nil || slices.Contains(gets, a.Name) {
			all.Add(a)
		}
	}
	return all
}

// authorizeTo asks a user of the peer's, whose presence service we are, whether a user of this or another peer's may see
// them: SSP 11.2.2, 11.3.2. Where they have another, their home domain is asked as for one of ours.
func (p *peer) authorizeTo(l *session.Link, w, who im.Address) {
	p.mu.Lock()
	u := p.users[who]
	p.mu.Unlock()
	here := w.Domain() == p.domain // it would not ask us otherwise
	if u != nil {
		if k, err := u.keeps(p.s.ctx); err == nil && k.Profile["Services.Presence.PSE"] != "" {
			pse, err := ssp.ParseService(k.Profile["Services.Presence.PSE"])
			here = err == nil && p.s.x.Ours(pse)
		}
	}
	here = here || p.s.serves(p.domain, Presence)
	mine, _ := l.Agreed()
	switch {
	case here && slices.Contains(mine, "PresenceFeature/Authorization"):
		e := wire.New("AuthorizationRequest").Add(p.s.meta(nobody), wire.New("Authorizing").Add(userID(ssp.FormatUser(who)),
			wire.New("Subscribing").Add(userID(ssp.FormatUser(w)))))
		l.GoOrdered(p.s.ctx, w.String()+" "+who.String(), e, func(*wire.Element, error) {})
	case w.Domain() != p.domain:
		p.subscribeTo(l, w, who)
	}
}

// tellWatchers tells those behind this door who see the user how they are, after what they are given changed.
func (u *user) tellWatchers() {
	for _, e := range u.c.Snapshot().Entries {
		if !e.Seen || e.Watched != im.WatchGranted {
			continue
		}
		q := u.p.s.peer(e.Who.Domain())
		if q == nil {
			continue
		}
		q.mu.Lock()
		w := q.users[e.Who]
		q.mu.Unlock()
		if w == nil {
			continue
		}
		u.p.s.later(func() error { // a goroutine that ends when it is told
			u.p.s.tellAgain(w, u.who)
			return nil
		})
	}
}
