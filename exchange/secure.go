package exchange

import (
	"context"
	"sync"

	"parley/store"
)

// A sender may want to know that its words outlive a crash before they are delivered: their receiver takes
// nothing, and nobody waits for a slow reader. They are stored then, while they stay where they are.

// security is how far that is with one receiver's message.
type security struct {
	mu     sync.Mutex
	state  securing
	stored chan struct{} // closed when state is no longer storing
}

type securing uint8

const (
	insecure securing = iota
	storing
	secured // in the store, and claimed
	settled
	over // and known what became of it
)

// Secure has messages outlive a crash that were handed over and that nobody has settled yet, and gives those back of which
// nothing more is to be waited for: they are stored, although they still wait in the queues of their receivers, or it is
// known what became of them. The others soon are, but when the store failed. limits.waiting does not count here: what the queue of a session holds is bounded.
func (x *Exchange) Secure(ctx context.Context, sent []*Message) (safe []*Message) {
	waits := make([]func() bool, len(sent))
	for i, m := range sent {
		waits[i] = x.secure(ctx, m)
	}
	for i, wait := range waits {
		if wait() {
			safe = append(safe, sent[i])
		}
	}
	return safe
}

// secure begins to store a message; wait reports whether it is.
func (x *Exchange) secure(ctx context.Context, m *Message) (wait func() bool) {
	if m.safe == nil || m.kept || m.to == nil || x.cfg.NotStored {
		return func() bool { return true } // as safe as it gets
	}
	s, a, id := m.safe, m.to, m.ID
	s.mu.Lock()
	defer s.mu.Unlock()
	if was := s.state; was != insecure {
		return func() bool { return was == secured || was == over }
	}
	s.state, s.stored = storing, make(chan struct{})
	a.hold(id)
	row := m.For(m.who, id)
	stored := x.store.Start(ctx, "secure", func(tx *store.Tx) error {
		if _, err := x.account(tx, a.who); err != nil {
			return err
		}
		return tx.PutMessage(row, row.Time.Add(x.age(a.who)))
	}, nil)
	return func() bool {
		err := stored()
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case s.state >= settled: // meanwhile
			x.unstore(a, m)
		case err != nil:
			s.state = insecure
			a.unclaim(id, false)
		default:
			s.state = secured
		}
		close(s.stored)
		return s.state == secured || s.state == over
	}
}

// unstore removes a message from the store that is not to be offered any more.
func (x *Exchange) unstore(a *account, m *Message) {
	x.store.Later("delivered", func(tx *store.Tx) error { return tx.DeleteMessage(m.ID) }, func() { a.unclaim(m.ID, false) })
}

// settle says that the message is delivered. True: it is in the store, and has to be removed there.
func (s *security) settle() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.state
	s.state = settled
	return was == secured
}

// verdict tells what became of the message.
func (m *Message) verdict(err error) {
	m.out.verdict(err)
	if s := m.safe; s != nil {
		s.mu.Lock()
		s.state = over
		s.mu.Unlock()
	}
}

// back says that the message came back, once it is known what became of it in the store. True: there it is.
func (s *security) back() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	for s.state == storing {
		stored := s.stored
		s.mu.Unlock()
		<-stored
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	was := s.state
	s.state = settled
	return was == secured
}
