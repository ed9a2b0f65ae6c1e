package exchange

import (
	"cmp"
	"context"
	"time"

	"parley/im"
	"parley/store"
)

// CreateAccount makes an account. ErrBadAddress when its domain is not ours; ErrAlready, ErrHeld.
func (x *Exchange) CreateAccount(ctx context.Context, a im.Account) error {
	if a.Address.IsDomain() || !x.domains[a.Address.Domain()] {
		return im.ErrBadAddress
	}
	if a.Created.IsZero() {
		a.Created = time.Now()
	}
	a.Prompt = true // draft 7.6: the default is A; what other protocols do always
	known := false
	return x.store.Update(ctx, "create", func(tx *store.Tx) error {
		if _, err := tx.CreateAccount(a.Address, time.Now()); err != nil {
			return err
		}
		others, _, err := tx.Others(a.Address, 0, 1)
		if known = len(others) > 0; err != nil {
			return err
		}
		return tx.PutAccount(a)
	}, func() {
		if known { // to those who kept an entry of one who had the address before
			x.editAll(a.Address, func(e *im.Entry) { e.Name, e.Ours = a.Name, true })
		}
	})
}

// SetKeys changes an account's secrets (credential.Keys, marshalled). Sessions go on.
func (x *Exchange) SetKeys(ctx context.Context, who im.Address, keys []byte) error {
	return x.change(ctx, who, "keys", func(a *im.Account) error { a.Keys = keys; return nil })
}

// SetProfile changes what the user directory may show of an account.
func (x *Exchange) SetProfile(ctx context.Context, who im.Address, edit func(*im.Profile)) error {
	return x.change(ctx, who, "profile", func(a *im.Account) error { edit(&a.Profile); return nil })
}

// SetDisabled keeps an account from logging in, and ends its sessions; or lets it again. ErrSameMode.
func (x *Exchange) SetDisabled(ctx context.Context, who im.Address, disabled bool) error {
	err := x.change(ctx, who, "disable", func(a *im.Account) error {
		if a.Disabled == disabled {
			return im.ErrSameMode
		}
		a.Disabled = disabled
		return nil
	})
	if err == nil && disabled {
		x.endSessions(who)
	}
	return err
}

// change changes what no protocol shows of an account.
func (x *Exchange) change(ctx context.Context, who im.Address, op string, edit func(*im.Account) error) error {
	var c *Change
	return x.store.Update(ctx, op, func(tx *store.Tx) error {
		was, err := tx.Account(who)
		if err != nil {
			return err
		}
		if _, _, going, err := tx.Removal(who); err != nil || going {
			return cmp.Or(err, im.ErrUnknownUser) // enabled again, it could act while it is removed
		}
		is := was
		if err := edit(&is); err != nil {
			return err
		}
		if err := tx.PutAccount(is); err != nil {
			return err
		}
		was.Keys, is.Keys = nil, nil
		c = &Change{Of: who, Account: &is, Was: &was, By: By{Who: who}}
		return nil
	}, func() { x.publish([]*Change{c}) })
}

// endSessions ends an account's sessions. Others see at once that they are gone.
func (x *Exchange) endSessions(who im.Address) {
	if a := x.inMemory(who); a != nil {
		a.endSessions()
	}
}

func (a *account) endSessions() {
	var b Batch
	l := a.online()
	for _, c := range l {
		c.withdraw(&b)
	}
	endAll(l)
	b.Flush()
}

func endAll(l []*Client) {
	for _, c := range l {
		c.session.End(Removed)
	}
}

// Accounts lists accounts, n at a time, from the one after an address ("": from the first).
func (x *Exchange) Accounts(ctx context.Context, after string, n int) (l []im.Account, err error) {
	err = x.store.View(ctx, "accounts", func(tx *store.Tx) error {
		l, err = tx.Accounts(after, n)
		return err
	})
	return l, err
}

// Find looks people up in the user directory: those listed whose profile has what q gives.
func (x *Exchange) Find(ctx context.Context, q im.Profile, n int) (l []im.Account, err error) {
	err = x.store.View(ctx, "find", func(tx *store.Tx) error {
		l, err = tx.FindProfiles(q, n)
		return err
	})
	return l, err
}

// Waiting is how many messages are stored for somebody, and their size in bytes.
func (x *Exchange) Waiting(ctx context.Context, who im.Address) (n int, size int64, err error) {
	err = x.store.View(ctx, "count", func(tx *store.Tx) error {
		n, size, err = tx.CountWaiting(who)
		return err
	})
	return n, size, err
}

// severing is the step of a removal in which the watches from and to the account end, page by page.
// Each page is committed before the next begins, so that a removal goes on where it stopped.
const severing = 1

// RemoveAccount removes an account: its sessions end, watches from and to it end (others keep their
// contact and block entries), what others gave it is taken back, its stored messages go, and its
// address is held for a time. ErrUnknownUser. It may take a while for an account with long lists; a
// removal that was interrupted goes on at the next start.
func (x *Exchange) RemoveAccount(ctx context.Context, who im.Address) error {
	var ended []*Client
	err := x.store.Update(ctx, "remove", func(tx *store.Tx) error {
		a, err := tx.Account(who)
		if err != nil {
			return err
		}
		a.Disabled = true
		if err := tx.PutAccount(a); err != nil {
			return err
		}
		return tx.PutRemoval(who, severing, 0)
	}, func() { ended = x.forget(who) })
	if err != nil {
		return err
	}
	endAll(ended) // not by the publisher, which must not wait for sockets
	// Whoever asked may have lost their own session by now, and with it ctx.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(x.ctx, cancel)()
	return x.finishRemoval(ctx, who, 0)
}

// forget ends an account's place in memory, and takes its sessions out of it: those are to be told. Called by the publisher.
func (x *Exchange) forget(who im.Address) (ended []*Client) {
	s := x.shard(who)
	s.mu.Lock()
	a := s.m[who]
	if a != nil {
		delete(s.m, who)
		x.inMind.Add(-1)
	}
	s.mu.Unlock()
	if a == nil {
		return nil
	}
	a.mu.Lock()
	a.over = true
	a.mu.Unlock()
	var b Batch
	ended = a.online()
	for _, c := range ended {
		c.withdraw(&b)
	}
	x.flusher.take(x, &b)
	return ended
}

func (x *Exchange) resumeRemovals(ctx context.Context) error {
	var l []store.Removal
	err := x.store.View(ctx, "removals", func(tx *store.Tx) (err error) {
		l, err = tx.Removals()
		return err
	})
	for _, r := range l {
		if err == nil {
			err = x.finishRemoval(ctx, r.Who, r.After)
		}
	}
	return err
}

func (x *Exchange) finishRemoval(ctx context.Context, who im.Address, after int64) error {
	for more := true; more; {
		var cs []*Change
		var last int64
		var ended []*Client
		var gone, knew []im.RoomID
		err := x.store.Update(ctx, "sever", func(tx *store.Tx) (err error) {
			cs, more = nil, true
			if _, _, going, err := tx.Removal(who); err != nil || !going {
				return cmp.Or(err, im.ErrUnknownUser) // another removal was faster
			}
			var others []im.Address
			if others, last, err = tx.Others(who, after, 100); err != nil {
				return err
			}
			for _, o := range others {
				before, err := tx.Pair(o, who)
				if err != nil {
					return err
				}
				c, err := x.putPair(tx, By{Who: who}, o, who, before, before.Severed())
				if err != nil {
					return err
				}
				cs = append(cs, c...)
			}
			if more = len(others) > 0; more {
				return tx.PutRemoval(who, severing, last)
			}
			a, err := tx.Account(who)
			if err != nil {
				return err
			}
			if gone, knew, err = tx.ForgetInRooms(who); err != nil {
				return err
			}
			if err := tx.DeleteAccount(who); err != nil {
				return err
			}
			return tx.HoldAddress(who, a.Serial, time.Now().Add(x.cfg.Hold))
		}, func() {
			x.publish(cs)
			if !more {
				x.forgetInRooms(who, gone, knew)
				ended = x.forget(who)
				// Who has asked since their page was severed saw them by a default that is no more.
				x.editAll(who, func(e *im.Entry) { e.Name, e.Ours, e.Sees = "", false, false })
			}
		})
		if err != nil {
			return err
		}
		endAll(ended)
		after = last
	}
	return nil
}
