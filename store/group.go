package store

import (
	"slices"

	"parley/im"
)

// Groups lists an owner's groups by place.
func (t *Tx) Groups(owner im.Address) ([]im.Group, error) {
	p, err := t.find(owner)
	if err != nil || p == nil || p.groups == 0 {
		return nil, err
	}
	list := make([]im.Group, 0, p.groups)
	var g im.Group
	var lasts int64
	err = t.each(groupsOf, args{p.id}, func() error {
		g.Lasts = lasts != 0
		list = append(list, g)
		return nil
	}, &g.ID, &g.Name, &g.Place, &lasts)
	return list, err
}

// CreateGroup makes a group at the first place that is free, from 0 on, so that places stay small:
// im.ErrGroupExists when the owner has one so named. An owner's numbers begin at 1 and are not given
// again while the owner keeps anything. lasts: see im.Group.
func (t *Tx) CreateGroup(owner im.Address, name string, lasts bool) (im.Group, error) {
	name = clean(name)
	list, err := t.Groups(owner)
	if err != nil {
		return im.Group{}, err
	}
	g := im.Group{Name: name, Lasts: lasts}
	for _, other := range list {
		if other.Name == name {
			return im.Group{}, im.ErrGroupExists
		}
		if other.Place == g.Place { // they come in this order
			g.Place++
		}
	}
	p, err := t.need(owner)
	if err != nil {
		return im.Group{}, err
	}
	g.ID = im.GroupID(p.lastGroup + 1)
	if _, err := t.do(insertGroup, p.id, int64(g.ID), g.Name, g.Place, bit(lasts)); err != nil {
		return im.Group{}, err
	}
	p.lastGroup, p.groups, p.dirty = int64(g.ID), p.groups+1, true
	return g, nil
}

// RenameGroup renames a group: im.ErrUnknownGroup, im.ErrGroupExists when another of the
// owner's has the name.
func (t *Tx) RenameGroup(owner im.Address, id im.GroupID, name string) error {
	name = clean(name)
	list, err := t.Groups(owner)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(g im.Group) bool { return g.ID == id }) {
		return im.ErrUnknownGroup
	}
	if slices.ContainsFunc(list, func(g im.Group) bool { return g.ID != id && g.Name == name }) {
		return im.ErrGroupExists
	}
	p, err := t.find(owner)
	if err != nil {
		return err
	}
	_, err = t.do(renameGroup, p.id, int64(id), name)
	return err
}

// DeleteGroup takes a group away, and its members out of it: im.ErrUnknownGroup. A side
// that has nothing else to say goes too. Rules that name the group stay, and match nobody.
func (t *Tx) DeleteGroup(owner im.Address, id im.GroupID) error {
	p, err := t.find(owner)
	if err != nil {
		return err
	}
	if p == nil || p.groups == 0 {
		return im.ErrUnknownGroup
	}
	switch n, err := t.do(deleteGroup, p.id, int64(id)); {
	case err != nil:
		return err
	case n == 0:
		return im.ErrUnknownGroup
	}
	p.groups, p.dirty = p.groups-1, true
	members, err := t.Members(owner, id)
	if err != nil {
		return err
	}
	for _, who := range members {
		before, err := t.Pair(owner, who)
		if err != nil {
			return err
		}
		after := before
		after.Mine.Groups = slices.DeleteFunc(slices.Clone(before.Mine.Groups), func(g im.GroupID) bool { return g == id })
		if err := t.PutPair(owner, who, before, after); err != nil {
			return err
		}
	}
	return nil
}

// Members lists who is in a group.
func (t *Tx) Members(owner im.Address, id im.GroupID) (members []im.Address, err error) {
	p, err := t.find(owner)
	if err != nil || p == nil || p.sides == 0 {
		return nil, err
	}
	if err := t.flush(); err != nil {
		return nil, err
	}
	var a, in string
	err = t.each(grouped, args{p.id}, func() error {
		if slices.Contains(groupIDs(in), id) {
			members = append(members, im.TrustedAddress(a))
		}
		return nil
	}, &a, &in)
	return members, err
}
