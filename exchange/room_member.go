package exchange

import (
	"context"
	"slices"

	"parley/im"
	"parley/store"
)

// How people stand to rooms: the lists of members and of those rejected.

// RoomMembers lists who has an affiliation of member or more, by address: im.ErrNoPrivilege, im.ErrNoRoom. SSP 13.2.7
func (x *Exchange) RoomMembers(ctx context.Context, by By, id im.RoomID) ([]im.RoomPerson, error) {
	return x.listRoom(ctx, by, id, func(a im.Affiliation) bool { return a >= im.RoomMember })
}

// RoomRejects lists who is rejected: im.ErrNoPrivilege, im.ErrNoRoom. SSP 13.2.13
func (x *Exchange) RoomRejects(ctx context.Context, by By, id im.RoomID) ([]im.RoomPerson, error) {
	return x.listRoom(ctx, by, id, func(a im.Affiliation) bool { return a == im.Outcast })
}

func (x *Exchange) listRoom(ctx context.Context, by By, id im.RoomID, which func(im.Affiliation) bool) (l []im.RoomPerson, err error) {
	err = x.store.View(ctx, "list room", func(tx *store.Tx) error {
		r, err := x.judged(tx, by, id)
		if err == nil {
			err = im.MayListMembers(r.me.Affiliation)
		}
		if err == nil {
			l, err = tx.RoomPeople(id)
		}
		return err
	})
	return slices.DeleteFunc(l, func(p im.RoomPerson) bool { return !which(p.Affiliation) }), err
}

// RoomGrant gives somebody an affiliation.
type RoomGrant struct {
	Who         im.Address
	Affiliation im.Affiliation
}

// AffiliateRoom gives people affiliations, all or none of them. Those in the room who may not stay leave, with a reason in
// by.Who's words. im.ErrNoPrivilege, im.ErrUnknownUser, im.ErrLastOwner, im.ErrListFull. SSP 13.2.10
func (x *Exchange) AffiliateRoom(ctx context.Context, by By, id im.RoomID, grants []RoomGrant, reason string) error {
	return x.affiliate(ctx, by, id, reason, grants, func(im.RoomPerson, int) (bool, error) { return true, nil })
}

// affiliate is AffiliateRoom where fits says, of somebody as they are, whether the grant of some number is for them.
func (x *Exchange) affiliate(ctx context.Context, by By, id im.RoomID, reason string, grants []RoomGrant,
	fits func(im.RoomPerson, int) (bool, error)) error {
	return x.actOn(ctx, by, id, "affiliate", func(tx *store.Tx, r judged) (*roomChange, error) {
		c := &roomChange{reason: reason}
		people, err := tx.RoomPeople(id)
		if err != nil {
			return nil, err
		}
		now, owners := map[im.Address]im.RoomPerson{}, 0
		for _, p := range people {
			now[p.Who] = p
			if p.Affiliation == im.RoomOwner {
				owners++
			}
		}
		had := owners > 0
		self := len(grants) > 0 && !slices.ContainsFunc(grants, func(g RoomGrant) bool { return g.Who != by.Who })
		if r.me.Affiliation < im.Moderator && !self { // who may not read the lists learns nothing of them
			return nil, im.ErrNoPrivilege
		}
		for i, g := range grants {
			p, there := now[g.Who]
			p.Who = g.Who
			if !there {
				if err := x.known(tx, g.Who); err != nil {
					return nil, err
				}
			}
			if fit, err := fits(p, i); err != nil {
				return nil, err
			} else if !fit || p.Affiliation == g.Affiliation {
				continue
			}
			if err := im.MayAffiliate(r.me.Affiliation, p.Affiliation, g.Affiliation, g.Who == by.Who); err != nil {
				return nil, err
			}
			if !there && len(now) >= x.cfg.RoomMembers {
				x.cfg.Metrics.LimitHit("room_members")
				return nil, im.ErrListFull
			}
			if p.Affiliation == im.RoomOwner {
				owners--
			}
			if g.Affiliation == im.RoomOwner {
				owners++
			}
			if p.Affiliation = g.Affiliation; g.Affiliation < im.RoomMember {
				p.Nick, p.Own = "", im.OwnProps{} // those of members are kept
			}
			now[p.Who] = p
			c.people = append(c.people, p)
		}
		if had && owners == 0 {
			return nil, im.ErrLastOwner
		}
		return c, nil
	})
}

// AddRoomMembers makes people ordinary members who are less, and are not rejected: im.ErrRejected, and those of
// AffiliateRoom. Nobody is no error. SSP 13.2.8
func (x *Exchange) AddRoomMembers(ctx context.Context, by By, id im.RoomID, who []im.Address) error {
	return x.affiliate(ctx, by, id, "", each(who, im.RoomMember), func(p im.RoomPerson, _ int) (bool, error) {
		if p.Affiliation == im.Outcast {
			return false, im.ErrRejected
		}
		return p.Affiliation < im.RoomMember, nil
	})
}

// RemoveRoomMembers takes people off the lists of members: im.ErrNotMember, and those of AffiliateRoom. SSP 13.2.9
func (x *Exchange) RemoveRoomMembers(ctx context.Context, by By, id im.RoomID, who []im.Address) error {
	return x.affiliate(ctx, by, id, "", each(who, im.NoAffiliation), mustBeMember)
}

// SetRoomAccess gives members other privileges: im.ErrNotMember for who is none, and those of AffiliateRoom. SSP 13.2.10
func (x *Exchange) SetRoomAccess(ctx context.Context, by By, id im.RoomID, grants []RoomGrant) error {
	return x.affiliate(ctx, by, id, "", grants, mustBeMember)
}

func mustBeMember(p im.RoomPerson, _ int) (bool, error) {
	if p.Affiliation < im.RoomMember {
		return false, im.ErrNotMember
	}
	return true, nil
}

func each(who []im.Address, a im.Affiliation) []RoomGrant {
	l := make([]RoomGrant, len(who))
	for i, w := range who {
		l[i] = RoomGrant{w, a}
	}
	return l
}

// RejectFromRoom puts people on the reject list and takes others off: those in the room leave. Who was a member is none
// afterwards; who is not on the list cannot be taken off, which is no error. It gives the list as it is then. Those of
// AffiliateRoom. SSP 13.2.13
func (x *Exchange) RejectFromRoom(ctx context.Context, by By, id im.RoomID, add, remove []im.Address, reason string) ([]im.RoomPerson, error) {
	grants := append(each(remove, im.NoAffiliation), each(add, im.Outcast)...)
	err := x.affiliate(ctx, by, id, reason, grants, func(p im.RoomPerson, i int) (bool, error) {
		return i >= len(remove) || p.Affiliation == im.Outcast, nil
	})
	if err != nil {
		return nil, err
	}
	return x.RoomRejects(ctx, by, id)
}
