package exchange

import (
	"context"
	"slices"

	"parley/im"
	"parley/store"
)

// CreateGroup makes a contact group that stays when it is empty, at the first free place. places is how many groups the
// client can tell apart: its place is below that; 0: any. ErrBadName as for SetItem, ErrGroupExists, ErrListFull.
func (x *Exchange) CreateGroup(ctx context.Context, by By, name string, places int) error {
	if !fitName(name) {
		return im.ErrBadName
	}
	return x.regroup(ctx, by, "create group", func(tx *store.Tx) ([]*Change, error) {
		all, err := tx.Groups(by.Who)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(g im.Group) bool { return g.Name == name }) {
			return nil, im.ErrGroupExists // also where there is no room for another
		}
		if len(all) >= x.cfg.Groups {
			x.cfg.Metrics.LimitHit("groups")
			return nil, im.ErrListFull
		}
		g, err := tx.CreateGroup(by.Who, name, true)
		if err == nil && places > 0 && g.Place >= int64(places) {
			err = im.ErrListFull
		}
		return nil, err
	})
}

// RenameGroup renames a contact group. ErrBadName, ErrUnknownGroup, ErrGroupExists when another one has the name,
// ErrSameMode when it has it already.
func (x *Exchange) RenameGroup(ctx context.Context, by By, id im.GroupID, name string) error {
	if !fitName(name) {
		return im.ErrBadName
	}
	return x.regroup(ctx, by, "rename group", func(tx *store.Tx) ([]*Change, error) {
		all, err := tx.Groups(by.Who)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(g im.Group) bool { return g.ID == id && g.Name == name }) {
			return nil, im.ErrSameMode
		}
		if err := tx.RenameGroup(by.Who, id, name); err != nil {
			return nil, err
		}
		return x.members(tx, by, id) // where groups have no existence of their own, each member shows the new name
	})
}

// members gives a change of each member of a group in which nothing changed yet.
func (x *Exchange) members(tx *store.Tx, by By, id im.GroupID) ([]*Change, error) {
	who, err := tx.Members(by.Who, id)
	if err != nil {
		return nil, err
	}
	cs := make([]*Change, 0, len(who))
	for _, m := range who {
		e, err := x.entry(tx, by.Who, m)
		if err != nil {
			return nil, err
		}
		c := &Change{Of: by.Who, Who: m, By: by, Before: e, After: e}
		if c.Serial, err = x.nextSerial(tx, by.Who); err != nil {
			return nil, err
		}
		cs = append(cs, c)
	}
	return cs, nil
}

// entry is what somebody keeps about somebody, as it is committed or about to be.
func (x *Exchange) entry(tx *store.Tx, of, who im.Address) (im.Entry, error) {
	p, err := tx.Pair(of, who)
	if err != nil {
		return im.Entry{}, err
	}
	acct, err := x.account(tx, who)
	if err != nil && err != im.ErrUnknownUser {
		return im.Entry{}, err
	}
	e := p.EntryOf(who, acct.Name, err == nil)
	if of == who {
		e.Mirror()
	}
	return e, nil
}

// DeleteGroup takes a contact group away. Its members stay contacts. ErrUnknownGroup.
func (x *Exchange) DeleteGroup(ctx context.Context, by By, id im.GroupID) error {
	return x.regroup(ctx, by, "delete group", func(tx *store.Tx) ([]*Change, error) {
		cs, err := x.members(tx, by, id)
		if err != nil {
			return nil, err
		}
		if err := tx.DeleteGroup(by.Who, id); err != nil {
			return nil, err
		}
		for _, c := range cs {
			if c.After, err = x.entry(tx, by.Who, c.Who); err != nil {
				return nil, err
			}
		}
		return cs, nil
	})
}

// regroup runs an act on an account's groups: change gives the changes of those it concerns.
func (x *Exchange) regroup(ctx context.Context, by By, op string, change func(tx *store.Tx) ([]*Change, error)) error {
	if by.Client != nil {
		by.Client.Flush() // nobody waits for our commit
	}
	var cs []*Change
	return x.store.Update(ctx, op, func(tx *store.Tx) error {
		was, err := x.owner(tx, by.Who)
		switch {
		case err != nil:
			return err
		case was.Disabled:
			return im.ErrDisabled
		}
		is := was
		if is.Serial, err = x.nextSerial(tx, by.Who); err != nil { // before those of what it leads to
			return err
		}
		more, err := change(tx)
		if err != nil {
			return err
		}
		all, err := tx.Groups(by.Who)
		if err != nil {
			return err
		}
		was.Keys, is.Keys = nil, nil
		cs = append([]*Change{{Of: by.Who, Serial: is.Serial, Account: &is, Was: &was, By: by}}, more...)
		groups := append([]im.Group{}, all...)
		for _, c := range cs {
			c.Groups = groups
		}
		return nil
	}, func() { x.publish(cs) })
}

// WatchIn is Watch for somebody who is to be in a group, too; one who is watched already comes into it besides. The
// errors are those of Watch, ErrAlready for one who is in the group, and ErrUnknownGroup.
func (x *Exchange) WatchIn(ctx context.Context, by By, other im.Address, name string, group im.GroupID) error {
	return x.relate(ctx, by, other, "watch in", func(tx *store.Tx, p im.Pair) (im.Pair, error) {
		all, err := tx.Groups(by.Who)
		switch {
		case err != nil:
			return p, err
		case !slices.ContainsFunc(all, func(g im.Group) bool { return g.ID == group }):
			return p, im.ErrUnknownGroup
		}
		after := p
		if !p.Mine.Listed() {
			if after, err = x.watched(tx, by.Who, other, p, name); err != nil {
				return p, err
			}
		}
		i, in := slices.BinarySearch(p.Mine.Groups, group)
		if in {
			if p.Mine.Listed() {
				return p, im.ErrAlready
			}
			return after, nil
		}
		after.Mine.Groups = slices.Insert(slices.Clone(p.Mine.Groups), i, group)
		return after, nil
	})
}

// watched is a pair after one asked to see the other, who is known by a name.
func (x *Exchange) watched(tx *store.Tx, who, other im.Address, p im.Pair, name string) (im.Pair, error) {
	if err := x.known(tx, other); err != nil {
		return p, err
	}
	after, err := p.Ask()
	if err != nil {
		return p, err
	}
	after.Mine.LastName = im.Name(name, other)
	if who == other {
		after.Mine.Watch = im.WatchGranted // nobody asks oneself
	}
	return after, x.roomToAsk(tx, who, other, p, after)
}

// LeaveGroup takes somebody who is watched out of a group; the group stays. ErrNotOnList for one who is not watched,
// ErrUnknownGroup, ErrSameMode for one who is not in the group.
func (x *Exchange) LeaveGroup(ctx context.Context, by By, other im.Address, group im.GroupID) error {
	return x.relate(ctx, by, other, "leave group", func(tx *store.Tx, p im.Pair) (im.Pair, error) {
		all, err := tx.Groups(by.Who)
		switch {
		case err != nil:
			return p, err
		case !p.Mine.Listed():
			return p, im.ErrNotOnList
		case !slices.ContainsFunc(all, func(g im.Group) bool { return g.ID == group }):
			return p, im.ErrUnknownGroup
		case !slices.Contains(p.Mine.Groups, group):
			return p, im.ErrSameMode
		}
		p.Mine.Groups = slices.DeleteFunc(slices.Clone(p.Mine.Groups), func(g im.GroupID) bool { return g == group })
		return p, nil
	})
}
