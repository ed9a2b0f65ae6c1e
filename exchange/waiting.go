package exchange

import (
	"context"
	"slices"
	"time"

	"parley/im"
	"parley/metrics"
	"parley/store"
)

// Messages that cannot be handed over wait in the store. One that is being offered to a session
// is claimed, so that nothing else offers it too; it is removed when Done, and free again
// when returned.

// claim takes stored messages for an offer; those claimed already are left out, and those that something older of the same
// sender's is to come before, which came back and is not stored yet: they are offered with it. Called where offers are made.
func (a *account) claim(l []*im.Message) []*im.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.claimed == nil {
		a.claimed = map[im.MessageID]struct{}{}
	}
	return slices.DeleteFunc(l, func(m *im.Message) bool {
		if _, taken := a.claimed[m.ID]; taken {
			return true
		}
		if slices.ContainsFunc(a.backs, func(b back) bool {
			return b.m.From == m.From && b.m.ID < m.ID && (b.m.kept || b.m.storable())
		}) {
			a.more, a.fresh = true, true
			return true
		}
		a.claimed[m.ID] = struct{}{}
		a.pins.Add(1) // who reads the account again would not know of the claim
		return false
	})
}

// hold claims a message that is going to be stored.
func (a *account) hold(id im.MessageID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.claimed == nil {
		a.claimed = map[im.MessageID]struct{}{}
	}
	a.claimed[id] = struct{}{}
	a.pins.Add(1)
}

// unclaim ends a claim: the message is gone, or it waits again.
func (a *account) unclaim(id im.MessageID, waits bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if waits {
		a.waiting, a.fresh = true, true
	}
	if !waits && a.offered { // who reads the store now may find it there
		a.removed = append(a.removed, id)
		return
	}
	a.unclaimed(id)
}

// unclaimed takes claims away. The caller holds a.mu.
func (a *account) unclaimed(ids ...im.MessageID) {
	for _, id := range ids {
		if _, taken := a.claimed[id]; taken {
			delete(a.claimed, id)
			a.release()
		}
	}
	if len(a.claimed) == 0 {
		a.claimed = nil
	}
}

// count counts what became of a message.
func (x *Exchange) count(m *im.Message, via string, o metrics.Outcome) {
	from := m.Native.Door
	if from == "" {
		from = metrics.None
	}
	x.cfg.Metrics.Message(from, via, o)
}

// delivered ends a message's way: it is with its receiver.
func (x *Exchange) delivered(m *Message) {
	if m.copies != nil {
		first := !m.copies.done.Swap(true) // before it is counted: who counts the last one looks here
		m.copies.left.Add(-1)
		if !first {
			return
		}
	}
	x.count(m.Message, m.via, metrics.Delivered)
	if m.safe.settle() || m.kept {
		x.unstore(m.to, m)
	}
	m.verdict(nil)
	x.report(m)
}

// returned takes a message back that could not be delivered: words are stored.
func (x *Exchange) returned(m *Message, why error) {
	if m.copies != nil && (m.copies.left.Add(-1) > 0 || m.copies.done.Load()) {
		return
	}
	secured := m.safe.back()
	switch {
	case secured && m.Only: // for that session or back
		x.unstore(m.to, m)
		x.count(m.Message, m.via, metrics.Returned)
		m.verdict(why)
	case m.kept || secured:
		m.to.unclaim(m.ID, true)
		m.verdict(nil)
		x.offerLater(m.to)
	case m.storable():
		err := x.keep(context.Background(), m.to, m.For(m.who, m.ID))
		m.verdict(err)
		if err == nil && m.to.reachable() {
			x.offerSoon(m.to)
		}
	case m.Kind == im.Signal:
		m.verdict(nil) // it went nowhere
	default:
		x.count(m.Message, m.via, metrics.Returned)
		m.verdict(why)
	}
}

// mayKeep asks whether more may wait for an account. ErrListFull.
func (x *Exchange) mayKeep(tx *store.Tx, who im.Address, m *im.Message) error {
	n, size, err := tx.CountWaiting(who)
	switch {
	case err != nil:
		return err
	case n >= x.cfg.Waiting:
		return fullError("waiting")
	case size+int64(m.Size()) > x.cfg.WaitingBytes:
		return fullError("waiting_bytes")
	}
	return nil
}

// fullError is an im.ErrListFull that names the limit.
type fullError string

func (e fullError) Error() string   { return im.ErrListFull.Error() + ": limits." + string(e) }
func (e fullError) Is(t error) bool { return t == im.ErrListFull }

// age is how long messages for somebody are stored.
func (x *Exchange) age(who im.Address) time.Duration {
	if x.domains[who.Domain()] {
		return x.cfg.WaitingAge
	}
	return x.cfg.PeerAge
}

// keep stores a message for its receiver. ErrListFull when too much waits already.
func (x *Exchange) keep(ctx context.Context, a *account, m *im.Message) error {
	return x.keeping(ctx, a, m)()
}

// keeping begins to store a message: what is stored after it comes after it, although nobody has waited for it yet. wait
// is what keep returns, and is to be called once.
func (x *Exchange) keeping(ctx context.Context, a *account, m *im.Message) (wait func() error) {
	stored := x.store.Start(ctx, "keep", func(tx *store.Tx) error {
		if err := x.mayKeep(tx, a.who, m); err != nil {
			return err
		}
		if _, err := x.account(tx, a.who); err != nil {
			return err
		}
		return tx.PutMessage(m, m.Time.Add(x.age(a.who)))
	}, func() {
		a.mu.Lock()
		a.waiting, a.fresh = true, true
		a.mu.Unlock()
	})
	return func() error {
		err := stored()
		if err != nil {
			if full, ok := err.(fullError); ok {
				x.cfg.Metrics.LimitHit(string(full))
			}
			x.count(m, metrics.None, metrics.Returned)
			return err
		}
		x.count(m, metrics.None, metrics.Stored)
		return nil
	}
}
