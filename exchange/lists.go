package exchange

import (
	"context"
	"time"

	"parley/im"
	"parley/store"
)

// Watch lists other and asks to see them; name is what they are known by. The errors are
// im.ErrUnknownUser, ErrListFull, ErrAlready.
func (x *Exchange) Watch(ctx context.Context, by By, other im.Address, name string) error {
	return x.relate(ctx, by, other, "watch", func(tx *store.Tx, p im.Pair) (im.Pair, error) {
		return x.watched(tx, by.Who, other, p, name)
	})
}

// Forget stops watching other and takes them off the list. ErrNotOnList.
func (x *Exchange) Forget(ctx context.Context, by By, other im.Address) error {
	now := time.Now()
	err := x.relate(ctx, by, other, "forget", func(_ *store.Tx, p im.Pair) (im.Pair, error) {
		p, err := p.Forget(now)
		if !x.domains[other.Domain()] { // its answer is the peer's to keep, and ends there at once
			p = p.Turned().Expired(now.Add(im.Linger)).Turned()
		}
		return p, err
	})
	if err == nil {
		x.clock.wake(now.Add(im.Linger))
	}
	return err
}

// Admit lets other see the account, now and later. ErrUnknownUser, ErrListFull, ErrAlready, ErrOpposite.
func (x *Exchange) Admit(ctx context.Context, by By, other im.Address, name string) error {
	return x.relate(ctx, by, other, "admit", func(tx *store.Tx, p im.Pair) (im.Pair, error) {
		if err := x.known(tx, other); err != nil {
			return p, err
		}
		after, err := p.Admit()
		if err != nil {
			return p, err
		}
		after.Mine.AccessName = im.Name(name, other)
		return after, x.room(tx, by.Who, func(n store.Counts) string { return within(n.Allowed, x.cfg.Contacts, "contacts") })
	})
}

// Disallow takes other off the Allow List. ErrNotOnList.
func (x *Exchange) Disallow(ctx context.Context, by By, other im.Address) error {
	return x.relate(ctx, by, other, "disallow", func(_ *store.Tx, p im.Pair) (im.Pair, error) {
		return p.Disallow()
	})
}

// Block denies other everything. With exclusive, somebody allowed cannot be blocked:
// ErrOpposite. Further errors: ErrUnknownUser, ErrListFull, ErrAlready; ErrBadAddress for oneself.
func (x *Exchange) Block(ctx context.Context, by By, other im.Address, name string, exclusive bool) error {
	if by.Who == other {
		return im.ErrBadAddress
	}
	return x.relate(ctx, by, other, "block", func(tx *store.Tx, p im.Pair) (im.Pair, error) {
		if err := x.known(tx, other); err != nil {
			return p, err
		}
		if exclusive && p.Mine.Allowed() {
			return p, im.ErrOpposite
		}
		after, err := p.Block()
		if err != nil {
			return p, err
		}
		after.Mine.DeniedName = im.Name(name, other)
		return after, x.room(tx, by.Who, func(n store.Counts) string { return within(n.Denied, x.cfg.Contacts, "contacts") })
	})
}

// Unblock takes the denial away. ErrNotOnList.
func (x *Exchange) Unblock(ctx context.Context, by By, other im.Address) error {
	return x.relate(ctx, by, other, "unblock", func(_ *store.Tx, p im.Pair) (im.Pair, error) {
		return p.Unblock()
	})
}

// NameContact keeps the name that somebody on any of the account's lists is known by. ErrNotOnList;
// ErrSameMode when that is the name already.
func (x *Exchange) NameContact(ctx context.Context, by By, other im.Address, name string) error {
	return x.relate(ctx, by, other, "name", func(_ *store.Tx, p im.Pair) (im.Pair, error) {
		if !p.Mine.Listed() && !p.Mine.Allowed() && !p.Mine.Denied {
			return p, im.ErrNotOnList
		}
		name, was := im.Name(name, other), p.Mine
		if p.Mine.Contact {
			p.Mine.LastName = name
		}
		if p.Mine.Allowed() {
			p.Mine.AccessName = name
		}
		if p.Mine.Denied {
			p.Mine.DeniedName = name
		}
		if p.Mine.Equal(was) {
			return p, im.ErrSameMode
		}
		return p, nil
	})
}

// known reports whether somebody can be listed: an account of ours, or an address at a domain
// that there is a way to.
func (x *Exchange) known(tx *store.Tx, who im.Address) error {
	if !x.domains[who.Domain()] {
		_, err := x.account(tx, who)
		return err
	}
	_, _, going, err := tx.Removal(who)
	if err == nil && going {
		err = im.ErrUnknownUser
	}
	if err == nil {
		_, err = tx.Account(who)
	}
	return err
}

// room checks a limit of what is kept of somebody; fits names the one that is met, "" for none.
func (x *Exchange) room(tx *store.Tx, of im.Address, fits func(store.Counts) string) error {
	n, err := tx.CountSides(of)
	if err != nil {
		return err
	}
	if limit := fits(n); limit != "" {
		x.cfg.Metrics.LimitHit(limit)
		return im.ErrListFull
	}
	return nil
}

// within names a limit when n has reached it.
func within(n, limit int, name string) string {
	if n >= limit {
		return name
	}
	return ""
}

// setting changes something of the account itself. change returns im.ErrSameMode when there
// is nothing to do; what it appends to more is published with it.
func (x *Exchange) setting(ctx context.Context, by By, op string,
	change func(tx *store.Tx, acct *im.Account) (more []*Change, err error)) error {
	if by.Client != nil {
		by.Client.Flush()
	}
	// What others have in memory of the account is found through its own lists.
	a, err := x.acquire(ctx, by.Who)
	if err != nil {
		return err
	}
	defer a.release()
	var cs []*Change
	return x.store.Update(ctx, op, func(tx *store.Tx) error {
		was, err := tx.Account(by.Who)
		if err != nil {
			return err
		}
		is := was
		if is.Serial, err = tx.NextSerial(by.Who); err != nil { // before those of what it leads to
			return err
		}
		more, err := change(tx, &is)
		if err != nil {
			return err
		}
		if err := tx.PutAccount(is); err != nil {
			return err
		}
		c := &Change{Of: by.Who, Serial: is.Serial, Account: &is, Was: &was, By: by}
		if is.Name != was.Name {
			if c.Others, err = everyOther(tx, by.Who); err != nil {
				return err
			}
		}
		was.Keys, is.Keys = nil, nil
		cs = append([]*Change{c}, more...)
		return nil
	}, func() { x.publish(cs) })
}

// everyOther gives all who keep anything about somebody.
func everyOther(tx *store.Tx, who im.Address) (all []im.Address, err error) {
	var last int64
	for {
		var page []im.Address
		if page, last, err = tx.Others(who, last, 1000); err != nil || len(page) == 0 {
			return all, err
		}
		all = append(all, page...)
	}
}

// SetDefaults lets people in neither list see the account and write to it, or not. ErrSameMode
// when both defaults are so already.
func (x *Exchange) SetDefaults(ctx context.Context, by By, allow bool) error {
	s := im.Settings{Presence: im.DefaultAsk, Messages: im.DefaultDeny}
	if allow {
		s = im.Settings{Presence: im.DefaultAllow, Messages: im.DefaultAllow}
	}
	return x.setDefaults(ctx, by, s)
}

// setDefaults changes those of the two defaults that are given. A presence default of allow
// grants what was asked and not refused.
func (x *Exchange) setDefaults(ctx context.Context, by By, to im.Settings) error {
	return x.setting(ctx, by, "defaults", func(tx *store.Tx, acct *im.Account) (more []*Change, err error) {
		was := acct.Settings
		if to.Presence != im.DefaultUnset {
			acct.Settings.Presence = to.Presence
		}
		if to.Messages != im.DefaultUnset {
			acct.Settings.Messages = to.Messages
		}
		if acct.Settings == was || was.Messages == im.DefaultUnset && to.Messages == im.DefaultAllow && acct.Settings.Presence == was.Presence {
			return nil, im.ErrSameMode
		}
		if acct.Settings.Presence != im.DefaultAllow || was.Presence == im.DefaultAllow {
			return nil, nil
		}
		asking, err := tx.Asking(by.Who)
		if err != nil {
			return nil, err
		}
		for _, w := range asking {
			before, err := tx.Pair(by.Who, w)
			if err != nil {
				return nil, err
			}
			after := before.Opened()
			if after.Theirs.Watch == before.Theirs.Watch {
				continue
			}
			cs, err := x.putPair(tx, by, by.Who, w, before, after)
			if err != nil {
				return nil, err
			}
			more = append(more, cs...)
		}
		return more, nil
	})
}

// SetPrompt keeps whether the client asks its user about new watchers. ErrSameMode.
func (x *Exchange) SetPrompt(ctx context.Context, by By, prompt bool) error {
	return x.setting(ctx, by, "prompt", func(_ *store.Tx, acct *im.Account) ([]*Change, error) {
		if acct.Prompt == prompt {
			return nil, im.ErrSameMode
		}
		acct.Prompt = prompt
		return nil, nil
	})
}

// SetName gives the account's own display name, which those who see it are told. The same
// name again is a change too: the client that says it waits for a new serial.
func (x *Exchange) SetName(ctx context.Context, by By, name string) error {
	return x.setting(ctx, by, "rename", func(_ *store.Tx, acct *im.Account) ([]*Change, error) {
		acct.Name = im.Name(name, by.Who)
		return nil, nil
	})
}
