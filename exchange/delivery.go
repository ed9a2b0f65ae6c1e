package exchange

import (
	"context"
	"sync/atomic"
	"time"

	"parley/im"
)

// Delivery is something handed to a session or a seat: *Message, *Presence, *Change, *Ring,
// *Joined or *Left.
type Delivery interface{ delivery() }

// Session is a client of an account, as the exchange sees it. A door implements it.
type Session interface {
	// Hand queues a delivery in order and reports whether the caller now owes a Flush. It
	// returns at once and never calls back into the exchange, but for Done and Return of a *Message
	// that cannot be queued.
	Hand(d Delivery) (owes bool)
	// Flush writes what is queued, as far as that is possible at once. Not called under a lock.
	Flush()
	// End ends the session with its protocol's own word. It returns at once.
	End(why EndReason)
}

// EndReason says why the service ends a session.
type EndReason uint8

const (
	Replaced EndReason = iota + 1 // the account logged in again in the same slot
	Shutdown                      // the service goes down
	Removed                       // the account was removed or disabled
)

func (r EndReason) String() string {
	return [...]string{"", "replaced", "shutdown", "removed"}[r]
}

// Batch collects the sessions that were handed something, to be flushed with no lock held.
// It belongs to one goroutine.
type Batch struct{ owed []Session }

// Hand hands d to s.
func (b *Batch) Hand(s Session, d Delivery) {
	if s.Hand(d) {
		b.owed = append(b.owed, s)
	}
}

// Flush writes out what was handed since the last Flush.
func (b *Batch) Flush() {
	for i := 0; i < len(b.owed); i++ { // what is flushed may hand on, into the same batch
		b.owed[i].Flush()
		b.owed[i] = nil
	}
	if cap(b.owed) > 4 {
		b.owed = nil // an idle session keeps nothing of its last broadcast
	} else {
		b.owed = b.owed[:0]
	}
}

// Presence is a notice of somebody's presence. It may be shared by many receivers.
type Presence struct {
	Who     im.Address
	Name    string      // display name
	Merged  im.Presence // of all sessions, as others see it
	Was     im.Presence // what Merged was before; zero where it is not known
	Changed bool        // Merged is news: all that a protocol with one presence per person tells
	Slot    string      // the session that it is about; "" when there is none
	Session im.Presence // that session's, as others see it
	Initial bool        // the state as found, not a change
	Direct  bool        // sent to this receiver alone, whoever sees them otherwise; only Slot and Session say something
	One     bool        // Direct, and to the session that it is handed to, not to all of the receiver's
	Tag     any         // of the act that led to an initial notice, for the session that acted

	key     any
	slotKey any
	forms   [4]form
}

type form struct {
	kind any
	b    []byte
}

func (*Presence) delivery() {}

// Key is the same for all notices of one person (and session, if it is about one that
// is not the whole): a newer one replaces an older one that still waits.
func (p *Presence) Key() any {
	if p.key == nil {
		p.key = p.Who
	}
	return p.key
}

// presenceKey names a session of a person.
type presenceKey struct {
	who    im.Address
	slot   string
	direct bool
}

// SlotKey is the same for all notices about one session of one person, for a protocol that tells of each: a
// newer one replaces an older one that still waits. What was sent to one alone has a key of its own.
func (p *Presence) SlotKey() any {
	if p.slotKey == nil {
		p.slotKey = presenceKey{p.Who, p.Slot, p.Direct}
	}
	return p.slotKey
}

// Form is the notice in a receiver's form, made once for all receivers of the same kind. Notices
// are handed by one goroutine at a time.
func (p *Presence) Form(kind any, make func(*Presence) []byte) []byte {
	for i := range p.forms {
		f := &p.forms[i]
		if f.b == nil {
			f.kind, f.b = kind, make(p)
		}
		if f.kind == kind {
			return f.b
		}
	}
	return make(p)
}

// Ring tells a client that somebody wants to talk.
type Ring struct {
	Conversation int64
	Place        string // the place's id
	Address      string // where clients reach it
	From         im.Address
	FromName     string
	Expires      time.Time
}

func (*Ring) delivery() {}

// Joined tells a seat that somebody is in the conversation now. Direct sessions are told, too, of a
// conversation of three or more: first of everybody who is there, and last of their own person.
type Joined struct {
	Conversation int64
	Who          im.Address
	Name         string
	Seat         Session    // that they came with, or the latest; nil: they have none
	By           im.Address // who called them; zero when nobody did
}

// Left tells a seat that somebody is no longer in the conversation; Direct sessions, with
// their own person, that they are not, or that it is over.
type Left struct {
	Conversation int64
	Who          im.Address
	Idle         bool // the conversation ends because nothing was said for long
}

func (*Joined) delivery() {}
func (*Left) delivery()   {}

// Message is a message on its way to one session or seat. Whoever takes it settles it once.
type Message struct {
	*im.Message
	ID      im.MessageID // of this receiver's; the same for each session of theirs, and when it is offered again
	In      *Talk        // what it was said in, for a Direct session that was told of it; nil: to the receiver
	x       *Exchange
	to      *account   // nil: its principal is not an account here
	who     im.Address // the receiver
	out     *outcome   // the sender's; nil: settled already, or nobody asks
	via     string     // the door that has it, for the metrics
	kept    bool       // in the store, and claimed
	copies  *copies    // when several sessions were handed the same message
	safe    *security  // of what its sender may secure; the copies share it
	settled atomic.Bool
}

func (*Message) delivery() {}

// Kept reports whether the message has waited in the store: it is older than it comes.
func (m *Message) Kept() bool { return m.kept }

// storable reports whether the message may wait in the store.
func (m *Message) storable() bool {
	return m.Kind == im.Words && !m.Only && m.to != nil && !m.x.cfg.NotStored
}

// twin is the same message for another session of its receiver.
func (m *Message) twin() *Message {
	return &Message{Message: m.Message, ID: m.ID, In: m.In, x: m.x, to: m.to, who: m.who, out: m.out, kept: m.kept, copies: m.copies, safe: m.safe}
}

// spread hands a message to a receiver's seats and sessions, and leaves it with a ring under way;
// what it goes to must not change meanwhile. False: there is none.
func (m *Message) spread(b *Batch, c *Conversation, seats []*Seat, direct []*Client, r *ring) bool {
	n := len(seats) + len(direct)
	if r != nil {
		n++
	}
	if n == 0 {
		return false
	}
	if n > 1 {
		m.copies = &copies{}
		m.copies.left.Store(int32(n))
	}
	next := m
	take := func(door string) *Message {
		d := next
		if n--; n > 0 {
			next = m.twin()
		}
		d.via = door
		return d
	}
	for _, s := range seats {
		if d := take(c.Place.Door); s.filling > 0 {
			s.queue = append(s.queue, d)
		} else {
			b.Hand(s.session, d)
		}
	}
	for _, o := range direct {
		b.Hand(o.session, take(o.login.Door))
	}
	if r != nil {
		r.waiting = append(r.waiting, take(c.Place.Door))
	}
	return true
}

// Done says that the message was delivered.
func (m *Message) Done() {
	if m.settled.CompareAndSwap(false, true) {
		m.x.delivered(m)
	}
}

// Return says that it was not: it is stored for later, or its sender is told. It may be called
// from Hand: what it leads to happens in a goroutine of the exchange, for one receiver in order.
func (m *Message) Return(why error) {
	if !m.settled.CompareAndSwap(false, true) {
		return
	}
	if m.to == nil || !m.x.offers(m.to, func(a *account) { a.backs = append(a.backs, back{m: m, why: why}) }) {
		m.x.spawn(func(context.Context) { m.x.returned(m, why) }) // ends when it is stored
	}
}

// back is a message that came back.
type back struct {
	m      *Message
	why    error
	refuse bool
}

// copies counts the sessions that one message was handed to: done with the first Done,
// returned when all returned it.
type copies struct {
	left atomic.Int32
	done atomic.Bool
}

// outcome gathers what became of a message with its receivers, for the sender.
type outcome struct {
	left atomic.Int32
	bad  atomic.Pointer[error]
	done func(error) // called once; nil when everybody accepted it
}

// newOutcome expects one verdict until more are added.
func newOutcome(done func(error)) *outcome {
	if done == nil {
		return nil
	}
	return new(outcome).expect(done)
}

// expect has a new outcome expect one verdict; nil when nobody asks.
func (o *outcome) expect(done func(error)) *outcome {
	if done == nil {
		return nil
	}
	o.done = done
	o.left.Store(1)
	return o
}

// single is a message to one receiver, with what it needs on its way: one piece of memory.
type single struct {
	Message
	verdict outcome
	secure  security
}

func (o *outcome) more() {
	if o != nil {
		o.left.Add(1)
	}
}

func (o *outcome) verdict(err error) {
	if o == nil {
		return
	}
	if err != nil {
		bad := err // of its own, so that a verdict without an error allocates nothing
		o.bad.CompareAndSwap(nil, &bad)
	}
	if o.left.Add(-1) == 0 {
		if bad := o.bad.Load(); bad != nil {
			err = *bad
		} else {
			err = nil
		}
		o.done(err)
	}
}
