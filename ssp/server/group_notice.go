package server

import (
	"errors"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// What happens in a group is told to the peers whose users are in it. SSP 13.2.5, 13.2.17

// subscribe has the user told of who comes and goes, and of what changes: SSP 13.1.19, 13.2.14, 13.3.8.
func (a *groupAct) subscribe() error { return a.notices(true) }

// unsubscribe ends that: SSP 13.1.20, 13.2.15, 13.3.8.
func (a *groupAct) unsubscribe() error { return a.notices(false) }

func (a *groupAct) notices(on bool) error {
	seat, err := a.seat()
	if err == nil {
		err = seat.SetNotices(on)
	}
	return a.done(err)
}

// subStatus tells whether the user is told: SSP 13.1.21, 13.1.22, 13.2.16, 13.3.8.
func (a *groupAct) subStatus() error {
	seat, err := a.seat()
	if err != nil {
		return err
	}
	on, err := seat.Notices()
	if err != nil {
		return err
	}
	a.r.Answer(wire.New("GetGroupSubStatusResponse", "groupID", a.e.Attr("groupID"), "subscribed", wire.YesNo(on)).Add(wire.Status(wire.Successful, "")))
	return nil
}

// roomOf is the room that a delivery is about; zero for others.
func roomOf(d exchange.Delivery) (id im.RoomID) {
	switch d := d.(type) {
	case *exchange.RoomWords:
		id = d.Room
	case *exchange.RoomJoined:
		id = d.Room
	case *exchange.RoomLeft:
		id = d.Room
	case *exchange.RoomRenamed:
		id = d.Room
	case *exchange.RoomChanged:
		id = d.Room
	case *exchange.RoomEnded:
		id = d.Room
	}
	return id
}

// tellRoom tells of what happens in a room: the same to all users to whom it is handed one after the other, in one
// document for each way. It gives how many deliveries that are.
func (p *peer) tellRoom(l []thing) int {
	n := 1
	for n < len(l) && l[n].d == l[0].d {
		n++
	}
	id := roomOf(l[0].d)
	if id.IsZero() {
		return n
	}
	var ways []*session.Link
	to := map[*session.Link][]*user{}
	for _, t := range l[:n] {
		link, in := t.u.over(id)
		if _, over := t.d.(*exchange.RoomEnded); over {
			t.u.leaves(id)
		}
		if w, ok := t.d.(*exchange.RoomWords); ok && link != nil && p.keeps(link, t.u, in, w) {
			continue
		}
		if link == nil {
			continue
		}
		if to[link] == nil {
			ways = append(ways, link)
		}
		to[link] = append(to[link], t.u)
	}
	for _, link := range ways {
		p.tellOf(link, id, l[0].d, to[link])
	}
	return n
}

// tellOf tells some users over one way.
func (p *peer) tellOf(l *session.Link, id im.RoomID, d exchange.Delivery, to []*user) {
	dialect := l.Peer().Dialect
	notice := func(kids ...*wire.Element) {
		e := wire.New("GroupChangeNotice", "groupID", groupAddress(id).Format(dialect)).Add(p.s.meta(nobody))
		for _, u := range to {
			e.Add(userElement(u.who))
		}
		p.sendOf(l, id, e.Add(kids...), to)
	}
	switch d := d.(type) {
	case *exchange.RoomWords:
		p.words(l, id, d, to)
	case *exchange.RoomJoined:
		notice(screenNames("Joined", d.User.Nick))
	case *exchange.RoomLeft:
		notice(screenNames("Left", d.User.Nick))
	case *exchange.RoomRenamed:
		notice(screenNames("Joined", d.User.Nick), screenNames("Left", d.Was))
	case *exchange.RoomChanged:
		p.changed(id, d, to, notice)
	case *exchange.RoomEnded:
		e := wire.New("LeaveGroupIndication", "groupID", groupAddress(id).Format(dialect)).Add(p.s.meta(nobody), wire.New("ReasonText").With(whyLeft(d)))
		for _, u := range to {
			e.Add(userElement(u.who))
		}
		p.sendOf(l, id, e, nil)
	}
}

// changed tells what is different in a group, or for one who is in it: SSP 13.1.23.
func (p *peer) changed(id im.RoomID, d *exchange.RoomChanged, to []*user, notice func(...*wire.Element)) {
	switch {
	case d.Props != nil:
		notice(groupProps(*d.Props, -1))
	case d.Own != nil, d.User != nil:
		all := to
		for _, u := range all {
			if d.User != nil && d.User.Who != u.who {
				continue // how others stand to the group is not told
			}
			seat, err := p.s.x.RoomSeat(u.c, id)
			if err != nil {
				continue
			}
			v, err := seat.View()
			if err != nil {
				continue
			}
			p.noticeOne(id, u, ownProps(v.Mine.Own, v.Mine.Affiliation))
		}
	}
}

// noticeOne tells one user of what is theirs.
func (p *peer) noticeOne(id im.RoomID, u *user, own *wire.Element) {
	if l, _ := u.over(id); l != nil {
		p.sendOf(l, id, wire.New("GroupChangeNotice", "groupID", groupAddress(id).Format(l.Peer().Dialect)).Add(p.s.meta(nobody), userElement(u.who), own), []*user{u})
	}
}

func userElement(who im.Address) *wire.Element {
	return wire.New("User", "userID", ssp.FormatUser(who))
}

// whyLeft is why somebody is in a group no more: SSP 13.1.6.
func whyLeft(d *exchange.RoomEnded) string {
	switch {
	case d.Reason != "":
		return d.Reason
	case errors.Is(d.Why, im.ErrNoRoom):
		return "The group is deleted."
	case errors.Is(d.Why, im.ErrRejected):
		return "You are rejected from the group."
	case errors.Is(d.Why, im.ErrNotMember):
		return "The group is for its members."
	}
	return "You were made to leave the group."
}

// sendOf sends what is told of a group, in order. Users of whom it is answered that they are not in the group leave it.
func (p *peer) sendOf(l *session.Link, id im.RoomID, e *wire.Element, to []*user) {
	l.GoOrdered(p.s.ctx, "group "+id.String(), e, func(answer *wire.Element, _ error) {
		for _, u := range to {
			if answer != nil && notThere(answer, u.who) {
				if seat, err := p.s.x.RoomSeat(u.c, id); err == nil {
					p.s.later(func() error { // it may wait for a lock
						seat.Leave() // or they have left
						u.leaves(id)
						return nil
					})
				}
			}
		}
	})
}

// notThere reports whether an answer says of somebody that they are not in the group.
func notThere(answer *wire.Element, who im.Address) bool {
	status := answer
	if s := answer.Child("Status"); s != nil {
		status = s
	}
	if wire.StatusOf(answer) == wire.NotJoined {
		return true
	}
	for d := range status.Children("DetailedResult") {
		if d.Attr("code") != wire.NotJoined.String() {
			continue
		}
		for u := range d.Children("UserID") {
			if w, err := ssp.ParseUser(u.Attr("userID")); err == nil && w == who {
				return true
			}
		}
	}
	return false
}
