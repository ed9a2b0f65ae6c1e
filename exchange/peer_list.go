package exchange

import (
	"context"
	"slices"

	"parley/im"
	"parley/store"
)

// owner is account for who acts on lists of their own. What a user of a peer's is called is kept nowhere: it is as memory
// has it.
func (x *Exchange) owner(tx *store.Tx, who im.Address) (im.Account, error) {
	acct, err := x.account(tx, who)
	if err == nil && !x.domains[who.Domain()] {
		if a := x.inMemory(who); a != nil {
			if snap := a.snap.Load(); snap != nil {
				acct.Name, acct.Serial = snap.Name, snap.Serial
			}
		}
	}
	return acct, err
}

// Listing is somebody who comes into a contact group, and how its owner calls them; nil: as before.
type Listing struct {
	Who   im.Address
	Alias *string
}

// Enlist lists people as contacts, in a group, at once; nobody is asked anything, and who is there already stays. errs
// says why somebody is left out, in their order: im.ErrUnknownUser for an address of ours that nobody has,
// ErrBadAddress for oneself, ErrBadName as for SetItem, ErrListFull. ErrUnknownGroup, and the errors of the store.
func (x *Exchange) Enlist(ctx context.Context, by By, group im.GroupID, l []Listing) (errs []error, err error) {
	who := make([]im.Address, len(l))
	for i := range l {
		who[i] = l[i].Who
	}
	return x.relist(ctx, by, "enlist", group, who, func(tx *store.Tx, i int, p im.Pair) (im.Pair, error) {
		alias := l[i].Alias
		if by.Who == who[i] {
			return p, im.ErrBadAddress
		}
		if alias != nil && *alias != "" && !fitName(*alias) {
			return p, im.ErrBadName
		}
		if x.domains[who[i].Domain()] {
			if err := x.known(tx, who[i]); err != nil {
				return p, err
			}
		}
		if err := x.roomToList(tx, by.Who, p); err != nil {
			return p, err
		}
		p = p.List()
		if alias != nil {
			p.Mine.Alias = *alias
		}
		if at, in := slices.BinarySearch(p.Mine.Groups, group); !in {
			p.Mine.Groups = slices.Insert(slices.Clone(p.Mine.Groups), at, group)
		}
		return p, nil
	})
}

// Delist takes people out of a group, at once. Who is in no group then, and is not watched, is no contact any more.
// errs is as with Enlist: im.ErrNotOnList for who is not in the group.
func (x *Exchange) Delist(ctx context.Context, by By, group im.GroupID, who []im.Address) (errs []error, err error) {
	return x.relist(ctx, by, "delist", group, who, func(_ *store.Tx, _ int, p im.Pair) (im.Pair, error) {
		if !slices.Contains(p.Mine.Groups, group) {
			return p, im.ErrNotOnList
		}
		p.Mine.Groups = slices.DeleteFunc(slices.Clone(p.Mine.Groups), func(g im.GroupID) bool { return g == group })
		if len(p.Mine.Groups) == 0 && p.Mine.Watch == im.WatchNone {
			p.Mine.Contact, p.Mine.Alias, p.Mine.LastName = false, "", ""
		}
		return p, nil
	})
}

// relist changes what somebody keeps about many, in one transaction. It must change nothing that those can see.
func (x *Exchange) relist(ctx context.Context, by By, op string, group im.GroupID, who []im.Address,
	judge func(tx *store.Tx, i int, p im.Pair) (im.Pair, error)) (errs []error, err error) {
	if by.Client != nil {
		by.Client.Flush() // nobody waits for our commit
	}
	var cs []*Change
	err = x.store.Update(ctx, op, func(tx *store.Tx) error {
		cs, errs = nil, make([]error, len(who))
		acct, err := x.owner(tx, by.Who)
		switch {
		case err != nil:
			return err
		case acct.Disabled:
			return im.ErrDisabled
		}
		all, err := tx.Groups(by.Who)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(all, func(g im.Group) bool { return g.ID == group }) {
			return im.ErrUnknownGroup
		}
		for i, other := range who {
			before, err := tx.Pair(by.Who, other)
			if err != nil {
				return err
			}
			after, err := judge(tx, i, before)
			if err != nil {
				errs[i] = err
				continue
			}
			if after.Mine.Equal(before.Mine) {
				continue
			}
			more, err := x.putPair(tx, by, by.Who, other, before, after)
			if err != nil {
				return err
			}
			cs = append(cs, more...)
		}
		return nil
	}, func() { x.publish(cs) })
	return errs, err
}
