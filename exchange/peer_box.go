package exchange

import (
	"context"

	"parley/im"
	"parley/metrics"
	"parley/store"
)

// What waits for somebody can be looked at, and taken, one by one: by who fetches messages instead of being given them.

// Box lists at most n of the messages that wait for somebody, the oldest first.
func (x *Exchange) Box(ctx context.Context, who im.Address, n int) (l []*im.Message, err error) {
	err = x.store.View(ctx, "box", func(tx *store.Tx) error {
		l, err = tx.Waiting(who, 0, n)
		return err
	})
	return l, err
}

// Boxed is one of them. ErrNotOnList.
func (x *Exchange) Boxed(ctx context.Context, who im.Address, id im.MessageID) (m *im.Message, err error) {
	err = x.store.View(ctx, "boxed", func(tx *store.Tx) error {
		m, err = boxed(tx, who, id)
		return err
	})
	return m, err
}

func boxed(tx *store.Tx, who im.Address, id im.MessageID) (*im.Message, error) {
	l, err := tx.Waiting(who, id-1, 1)
	if err != nil {
		return nil, err
	}
	if id <= 0 || len(l) == 0 || l[0].ID != id {
		return nil, im.ErrNotOnList
	}
	return l[0], nil
}

// Unbox removes one of them: it came, in a session called slot, or it is not wanted, when why says so. A sender who wants
// to know is told, the latter when they were told that it was accepted, too. ErrNotOnList.
func (x *Exchange) Unbox(ctx context.Context, who im.Address, id im.MessageID, slot string, why error) error {
	var m *im.Message
	if err := x.store.Update(ctx, "unbox", func(tx *store.Tx) (err error) {
		if m, err = boxed(tx, who, id); err != nil {
			return err
		}
		return tx.DeleteMessage(id)
	}, nil); err != nil {
		return err
	}
	outcome := metrics.Delivered
	if why != nil {
		outcome = metrics.Refused
	}
	x.count(m, metrics.None, outcome)
	if m.Report {
		x.Reported(m, slot, why)
	}
	return nil
}
