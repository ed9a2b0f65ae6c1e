package server

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// Groups are rooms of the exchange's, by their addresses: those of our domains and of our users, and those that users of
// peers have here. A peer's user is in one by the session that stands for them. SSP 13

// groupRows are those of SSP 13.
var groupRows = []row{
	{"CreateGroupRequest", ofGroup((*groupAct).create)},
	{"DeleteGroupRequest", ofGroup((*groupAct).remove)},
	{"JoinGroupRequest", ofGroup((*groupAct).join)},
	{"LeaveGroupRequest", ofGroup((*groupAct).leave)},
	{"GetJoinedMemberRequest", (*Server).getJoined},
	{"GetGroupMemberRequest", ofGroup((*groupAct).members)},
	{"AddGroupMemberRequest", ofGroup((*groupAct).addMembers)},
	{"RemoveGroupMemberRequest", ofGroup((*groupAct).removeMembers)},
	{"MemberAccessRequest", ofGroup((*groupAct).access)},
	{"GetGroupPropsRequest", ofGroup((*groupAct).getProps)},
	{"SetGroupPropsRequest", ofGroup((*groupAct).setProps)},
	{"RejectListRequest", ofGroup((*groupAct).rejectList)},
	{"SubscribeGroupChangeRequest", ofGroup((*groupAct).subscribe)},
	{"UnsubscribeGroupChangeRequest", ofGroup((*groupAct).unsubscribe)},
	{"GetGroupSubStatusRequest", ofGroup((*groupAct).subStatus)},
	{"LeaveGroupIndication", (*Server).toldToLeave},
	{"GroupChangeNotice", (*Server).groupChanged},
}

// groupService is what the door does about rooms besides: SSP 9.3.1, 12.3.6, 12.3.7.
type groupService struct{ s *Server }

// groupAct is what a user of a peer's asks about a group.
type groupAct struct {
	s  *Server
	u  *user
	r  *session.Request
	e  *wire.Element
	id im.RoomID
	at ssp.Address
	by exchange.By
}

// lane is what one user asks of groups, in order: it may take as long as the store does.
type lane struct {
	mu   sync.Mutex // guards what follows
	l    []func()
	busy bool
}

// mostInLane bounds what of one user waits.
const mostInLane = 1000

// do has something done behind what was asked before: 507 when too much waits.
func (n *lane) do(s *Server, f func()) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.l) >= mostInLane {
		s.cfg.Hit("peer_queue")
		return wire.QueueFull
	}
	n.l = append(n.l, f)
	if !n.busy {
		n.busy = true
		s.work.Go(n.run) // ends when all is done
	}
	return nil
}

func (n *lane) run() {
	for {
		n.mu.Lock()
		l := n.l
		n.l = nil
		if len(l) == 0 {
			n.busy = false
			n.mu.Unlock()
			return
		}
		n.mu.Unlock()
		for _, f := range l {
			f()
		}
	}
}

// readGroup reads the address of a group: 402.
func readGroup(v string) (im.RoomID, ssp.Address, error) {
	at, err := ssp.ParseResource(v)
	if err != nil {
		return im.RoomID{}, at, wire.BadParameter
	}
	id, err := im.NewRoomID(at.Owner, at.Resource)
	if err != nil {
		err = wire.BadParameter
	}
	return id, at, err
}

// groupAddress is the address of a room.
func groupAddress(id im.RoomID) ssp.Address { return ssp.Address{Owner: id.Home, Resource: id.Name} }

// ofGroup serves a request of a user's about a group, in their lane.
func ofGroup(serve func(a *groupAct) error) func(*Server, *peer, *session.Request) error {
	return func(s *Server, p *peer, r *session.Request) error {
		u, err := s.requestor(p, r)
		if err != nil {
			return err
		}
		a := &groupAct{s: s, u: u, r: r, e: r.Primitive, by: exchange.By{Who: u.who}}
		if a.id, a.at, err = readGroup(a.e.Attr("groupID")); err != nil {
			return err
		}
		return u.lane.do(s, func() {
			if err := serve(a); err != nil {
				s.refuse(p, r, err)
			}
		})
	}
}

// done does something, and answers before anybody of the peer's hears what it leads to: ssp-syntax 9.
func (a *groupAct) done(err error) error {
	if err == nil {
		a.r.Answer(wire.Status(wire.Successful, ""))
	}
	return err
}

// as gives an error the code that it has in some transactions.
func as(err error, kind error, code wire.Code) error {
	if errors.Is(err, kind) {
		return code
	}
	return err
}

// create makes a group: SSP 13.1.1, 13.2.1, 13.3.1.
func (a *groupAct) create() error {
	change, err := readGroupProps(a.e.Child("GroupProperties"))
	if err != nil {
		return err
	}
	p := im.RoomProps{Persists: true}
	if err := change(&p); err != nil {
		return err
	}
	return a.done(as(a.s.x.CreateRoom(a.s.ctx, a.by, a.id, p), im.ErrRoomPrivate, wire.BadGroupProperties))
}

// remove deletes a group; then those in it are told: SSP 13.1.2, 13.2.2, 13.3.2; ssp-syntax 9.
func (a *groupAct) remove() error {
	a.u.p.hold()
	defer a.u.p.release()
	return a.done(a.s.x.DeleteRoom(a.s.ctx, a.by, a.id, "The group is deleted."))
}

// join has the user be in a group: SSP 13.1.3, 13.1.4, 13.2.3, 13.3.3.
func (a *groupAct) join() error {
	j := exchange.RoomJoin{Room: a.id, Notices: a.e.Attr("subscribeNotif") == wire.Yes}
	if n := a.e.Child("ScreenName"); n != nil {
		if id, _, err := readGroup(n.Attr("groupID")); err != nil || id != a.id {
			return wire.BadParameter
		}
		j.Nick = n.String()
	}
	if e := a.e.Child("OwnProperties"); e != nil {
		change, err := readOwnProps(e)
		if err != nil {
			return err
		}
		j.Own = &im.OwnProps{}
		change(j.Own)
	}
	j.Greet = func(v exchange.RoomView) {
		a.u.enters(a.id, a.r.Link.Domain())
		answer := wire.New("JoinGroupResponse").Add(wire.Status(wire.Successful, ""))
		if a.e.Attr("joinedListRequest") == wire.Yes {
			l := wire.New("JoinedList")
			for _, o := range v.Users {
				l.Add(wire.New("Name").With(o.Nick))
			}
			answer.Add(l)
		}
		a.r.Answer(answer.Add(welcomeNote(v.Room.Props.Welcome)))
	}
	_, err := a.s.x.JoinRoom(a.s.ctx, a.u.c, j, nil)
	return err
}

// leave has them leave it: SSP 13.1.5, 13.1.6, 13.2.4, 13.3.4; ssp-syntax 9.
func (a *groupAct) leave() error {
	a.u.p.hold()
	defer a.u.p.release()
	seat, err := a.s.x.RoomSeat(a.u.c, a.id)
	if err == nil {
		err = seat.Leave()
	}
	if err != nil {
		return err
	}
	a.u.leaves(a.id)
	a.r.Answer(wire.New("LeaveGroupIndication", "groupID", a.e.Attr("groupID")).Add(wire.Status(wire.Successful, ""), wire.New("ReasonText")))
	return nil
}

// seat is the user's place in the group: 800, 808.
func (a *groupAct) seat() (*exchange.RoomSeat, error) { return a.s.seat(a.u, a.id) }

func (s *Server) seat(u *user, id im.RoomID) (*exchange.RoomSeat, error) {
	seat, err := s.x.RoomSeat(u.c, id)
	if err != nil {
		if _, e := s.x.RoomInfo(s.ctx, exchange.By{Who: u.who}, id); errors.Is(e, im.ErrNoRoom) {
			return nil, e
		}
	}
	return seat, err
}

// place is what the door keeps of a user's being in a group.
type place struct {
	via     string // the domain over which they joined
	method  string // how its messages are delivered
	longest int
}

// enters notes over which domain a user has joined: what happens in the group goes back over that.
func (u *user) enters(id im.RoomID, via string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.in == nil {
		u.in = map[im.RoomID]place{}
	}
	u.in[id] = place{via: via}
}

// leaves forgets that, unless they are in it again.
func (u *user) leaves(id im.RoomID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, err := u.p.s.x.RoomSeat(u.c, id); err != nil {
		delete(u.in, id)
	}
}

// over is the link over which a user is told of a group; nil when there is none.
func (u *user) over(id im.RoomID) (*session.Link, place) {
	u.mu.Lock()
	in, ok := u.in[id]
	u.mu.Unlock()
	if !ok {
		return nil, in
	}
	if p := u.p.s.peer(in.via); p != nil {
		if l := p.link.Load(); l != nil {
			return l, in
		}
	}
	return u.p.s.node.Link(in.via), in // they came by it, while services are still being agreed on
}

// quit takes the user out of all groups that they are in over a domain: there is no session with it any more.
func (u *user) quit(via string) {
	var l []im.RoomID
	u.mu.Lock()
	for id, in := range u.in {
		if in.via == via {
			l = append(l, id)
			delete(u.in, id)
		}
	}
	u.mu.Unlock()
	for _, id := range l {
		if seat, err := u.p.s.x.RoomSeat(u.c, id); err == nil {
			seat.Leave() // or they have left
		}
	}
}

// find implements rooms: SSP 9.2.1, 9.3.1.
func (g groupService) find(ctx context.Context, _ im.Address, pairs map[string]string) (l []ssp.Address, err error) {
	s := g.s
	fits := func(id im.RoomID) bool {
		a := groupAddress(id)
		return strings.Contains(folded(a.Format(wire.WV10)), pairs["GROUP_ID"]) || strings.Contains(folded(a.Format(wire.OMA13)), pairs["GROUP_ID"])
	}
	var joined map[im.RoomID]bool
	if part := pairs["GROUP_USER_ID_JOINED"]; part != "" {
		joined = map[im.RoomID]bool{}
		for _, id := range s.x.RoomsJoinedBy(strings.TrimPrefix(part, "wv:"), mostFindings) {
			joined[id] = true
		}
	}
	for after := int64(0); len(l) < mostFindings; {
		found, next, err := s.x.Rooms(ctx, roomQuery(pairs), after, 500)
		if err != nil || len(found) == 0 {
			return l, err
		}
		for _, r := range found {
			if fits(r.ID) && (joined == nil || joined[r.ID]) && len(l) < mostFindings {
				l = append(l, groupAddress(r.ID))
			}
		}
		after = next
	}
	return l, nil
}

// history implements rooms: SSP 12.3.7.
func (g groupService) history(ctx context.Context, asks im.Address, group ssp.Address, n int, d wire.Dialect) (l []*wire.Element, err error) {
	seat, u, err := g.seat(ctx, asks, group)
	if err != nil {
		return nil, err
	}
	said, err := seat.History(ctx, n)
	for _, w := range said {
		m := &im.Message{ID: w.ID, Time: w.Time, Native: w.Native, Neutralise: func() im.Neutral { return w.Neutral }}
		if _, typ, size, ok := contentOf(m); ok {
			l = append(l, ssp.Info{ID: ssp.FormatMessageID(w.ID, u.p.s.x.Domain()), Type: typ, Size: size, To: []ssp.Party{{Group: group}},
				From: ssp.Party{Group: group, Name: w.Nick}, Time: w.Time}.Element(d))
		}
	}
	return l, err
}

// deliver implements rooms: SSP 12.3.6.
func (g groupService) deliver(ctx context.Context, asks im.Address, group ssp.Address, method string, longest int) error {
	seat, u, err := g.seat(ctx, asks, group)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if in, ok := u.in[seat.Room()]; ok {
		in.method, in.longest = method, longest
		u.in[seat.Room()] = in
	}
	return nil
}

// seat is somebody's place in a group.
func (g groupService) seat(ctx context.Context, who im.Address, group ssp.Address) (*exchange.RoomSeat, *user, error) {
	p := g.s.peer(who.Domain())
	id, err := im.NewRoomID(group.Owner, group.Resource)
	if err != nil || p == nil {
		return nil, nil, wire.BadParameter
	}
	u, err := p.user(ctx, who)
	if err != nil {
		return nil, nil, err
	}
	seat, err := g.s.seat(u, id)
	return seat, u, err
}

// screenNames are names as they are told, in order: SSP 13.1.4, 13.1.23.
func screenNames(element string, l ...string) *wire.Element {
	e := wire.New(element)
	for _, n := range l {
		e.Add(wire.New("Name").With(n))
	}
	return e
}

// readNames reads them.
func readNames(e *wire.Element) (l []string) {
	for n := range e.Children("Name") {
		if n := n.String(); n != "" && !slices.Contains(l, n) {
			l = append(l, n)
		}
	}
	return l
}

// readMapped reads the screen names of a Joined-User-List: SSP 13.1.8; ssp-syntax 2.5.
func readMapped(e *wire.Element) (l []string) {
	for m := range e.Path("UserMapList", "UserMapping").Children("Mapping") {
		if n := m.Child("SName").String(); n != "" && !slices.Contains(l, n) {
			l = append(l, n)
		}
	}
	return l
}
