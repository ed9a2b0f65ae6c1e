package server

import (
	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// getJoined tells who is in a group, by screen name, and who that is when it is to be known: SSP 13.1.7, 13.1.8, 13.2.6,
// 13.3.9. A domain may ask for itself.
func (s *Server) getJoined(p *peer, r *session.Request) error {
	id, _, err := readGroup(r.Primitive.Attr("groupID"))
	if err != nil {
		return err
	}
	by := viewer(p)
	if r.Meta.Client {
		u, err := s.requestor(p, r)
		if err != nil {
			return err
		}
		by.Who = u.who
	}
	s.work.Go(func() { // ends when the group is read
		v, err := s.x.RoomInfo(s.ctx, by, id)
		if err != nil {
			s.refuse(p, r, hidden(err))
			return
		}
		l := wire.New("UserMapping")
		for _, o := range v.Users {
			m := wire.New("Mapping").Add(wire.New("SName").With(o.Nick))
			if !o.Who.IsZero() {
				m.Add(userID(ssp.FormatUser(o.Who)))
			}
			l.Add(m)
		}
		r.Answer(wire.New("GetJoinedMemberResponse").Add(wire.Status(wire.Successful, ""),
			wire.New("JoinedUsers").Add(wire.New("UserMapList").Add(l))))
	})
	return nil
}

// lists are people by their lists in a group.
var memberLists = []struct {
	element string
	gives   im.Affiliation
	has     func(im.Affiliation) bool
}{
	{"Admins", im.Administrator, func(a im.Affiliation) bool { return a >= im.Administrator }},
	{"Moderators", im.Moderator, func(a im.Affiliation) bool { return a == im.Moderator }},
	{"OrdinaryUsers", im.RoomMember, func(a im.Affiliation) bool { return a == im.RoomMember }},
}

// people are addresses in an element; nil when there are none.
func people(element string, l []im.RoomPerson, fits func(im.Affiliation) bool) *wire.Element {
	var e *wire.Element
	for _, p := range l {
		if fits(p.Affiliation) {
			if e == nil {
				e = wire.New(element)
			}
			e.Add(userID(ssp.FormatUser(p.Who)))
		}
	}
	return e
}

// readPeople reads them: 402 for what is no user's address.
func readPeople(e *wire.Element) (l []im.Address, err error) {
	for k := range e.Children("UserID") {
		who, err := ssp.ParseUser(k.Attr("userID"))
		if err != nil {
			return nil, wire.BadParameter
		}
		l = append(l, who)
	}
	return l, nil
}

// members tells who belongs to a group: SSP 13.1.9, 13.1.10, 13.2.7, 13.3.5.
func (a *groupAct) members() error {
	l, err := a.s.x.RoomMembers(a.s.ctx, a.by, a.id)
	if err != nil {
		return err
	}
	answer := wire.New("GetGroupMemberResponse").Add(wire.Status(wire.Successful, ""))
	for _, m := range memberLists {
		answer.Add(people(m.element, l, m.has))
	}
	a.r.Answer(answer)
	return nil
}

// addMembers makes people ordinary members: SSP 13.1.11, 13.2.8, 13.3.5; ssp-syntax 9.
func (a *groupAct) addMembers() error {
	l, err := readPeople(a.e)
	if err != nil {
		return err
	}
	a.u.p.hold()
	defer a.u.p.release()
	return a.done(a.s.x.AddRoomMembers(a.s.ctx, a.by, a.id, l))
}

// removeMembers has people be members no more: SSP 13.1.12, 13.2.9, 13.3.5. Who is none is unknown there.
func (a *groupAct) removeMembers() error {
	l, err := readPeople(a.e)
	if err != nil {
		return err
	}
	a.u.p.hold()
	defer a.u.p.release()
	return a.done(as(a.s.x.RemoveRoomMembers(a.s.ctx, a.by, a.id, l), im.ErrNotMember, wire.UnknownUser))
}

// access gives members other privileges: SSP 13.1.13, 13.2.10, 13.3.5. Nobody can be given two.
func (a *groupAct) access() error {
	var grants []exchange.RoomGrant
	given := map[im.Address]bool{}
	for _, m := range memberLists {
		l, err := readPeople(a.e.Child(m.element))
		if err != nil {
			return err
		}
		for _, who := range l {
			if given[who] {
				return wire.BadParameter
			}
			given[who] = true
			grants = append(grants, exchange.RoomGrant{Who: who, Affiliation: m.gives})
		}
	}
	a.u.p.hold()
	defer a.u.p.release()
	return a.done(as(a.s.x.SetRoomAccess(a.s.ctx, a.by, a.id, grants), im.ErrNotMember, wire.UnknownUser))
}

// rejectList changes who cannot join, and tells it: SSP 13.1.17, 13.1.18, 13.2.13, 13.3.7. Who is in the group leaves.
func (a *groupAct) rejectList() error {
	add, err := readPeople(a.e.Child("AddUsers"))
	if err != nil {
		return err
	}
	remove, err := readPeople(a.e.Child("RemoveUsers"))
	if err != nil {
		return err
	}
	a.u.p.hold()
	defer a.u.p.release()
	var l []im.RoomPerson
	if len(add)+len(remove) > 0 {
		l, err = a.s.x.RejectFromRoom(a.s.ctx, a.by, a.id, add, remove, "You are rejected from the group.")
	} else {
		l, err = a.s.x.RoomRejects(a.s.ctx, a.by, a.id)
	}
	if err != nil {
		return err
	}
	a.r.Answer(wire.New("RejectListResponse").Add(wire.Status(wire.Successful, ""),
		people("RejectList", l, func(im.Affiliation) bool { return true })))
	return nil
}
