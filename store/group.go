package store

import (
	"slices"

	"parley/im"
)

// Group is a contact group of one owner.
type Group struct {
	ID    im.GroupID
	Name  string
	Place int64 // where it stands among the owner's groups, ascending
}

// Groups lists an owner's groups by place.
func (t *Tx) Groups(owner im.Address) ([]Group, error) {
	p, err := t.find(owner)
	if err != nil || p == nil || p.groups == 0 {
		return nil, err
	}
	list := make([]Group, 0, p.groups)
	var g Group
	err = t.each(groupsOf, args{p.id}, func() error {
		list = append(list, g)
		return nil
	}, &g.ID, &g.Name, &g.Place)
	return list, err
}

// CreateGroup makes a group at the end: im.ErrGroupExists when the owner has one so named.
// An owner's numbers begin at 1 and are not given again while the owner keeps anything.
func (t *Tx) CreateGroup(owner im.Address, name string) (Group, error) {
	name = clean(name)
	list, err := t.Groups(owner)
	if err != nil {
		return Group{}, err
	}
	g := Group{Name: name}
	for _, other := range list {
		if other.Name == name {
			return Group{}, im.ErrGroupExists
		}
		g.Place = other.Place + 1
	}
	p, err := t.need(owner)
	if err != nil {
		return Group{}, err
	}
	g.ID = im.GroupID(p.lastGroup + 1)
	if _, err := t.do(insertGroup, p.id, int64(g.ID), g.Name, g.Place); err != nil {
		return Group{}, err
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
	if !slices.ContainsFunc(list, func(g Group) bool { return g.ID == id }) {
		return im.ErrUnknownGroup
	}
	if slices.ContainsFunc(list, func(g Group) bool { return g.ID != id && g.Name == name }) {
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
	var members []im.Address
	if err := t.flush(); err != nil {
		return err
	}
	var a, in string
	err = t.each(grouped, args{p.id}, func() error {
		if slices.Contains(groupIDs(in), id) {
			members = append(members, im.TrustedAddress(a))
		}
		return nil
	}, &a, &in)
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
