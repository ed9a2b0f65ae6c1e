package im

import (
	"bytes"
	"sync"
	"time"
)

// MessageID names a message; made by the exchange, unique for good. A message that is
// offered again has the same one.
type MessageID int64

// Format is how a text wants to look. The zero value is no wish.
type Format struct {
	Font        string `json:"font,omitempty"`
	Bold        bool   `json:"bold,omitempty"`
	Italic      bool   `json:"italic,omitempty"`
	Underline   bool   `json:"underline,omitempty"`
	Strike      bool   `json:"strike,omitempty"`
	Color       string `json:"color,omitempty"` // RRGGBB
	RightToLeft bool   `json:"rtl,omitempty"`
}

// Neutral is the form of a message that every door can read.
type Neutral struct {
	Text    Text
	Subject Text
	Thread  string
	Format  Format
	Typing  bool // no words yet: the sender is writing some
}

// Native is a message in the bytes of the protocol it came in, for a receiver behind the same door.
type Native struct {
	Door string // "msnp", "xmpp", "ssp"; "" is none
	Body []byte // not changed by anybody
	// Framed is Body with the frame that a receiver's connection writes around it, so that
	// the same bytes go to every receiver. May be nil; never stored.
	Framed []byte
	// Whole says, of a presence, that it tells something of the person, whichever session others talk to: it stays when
	// presences are merged.
	Whole bool
}

// Same reports whether the bytes are the same, for the same door.
func (n Native) Same(o Native) bool { return n.Door == o.Door && bytes.Equal(n.Body, o.Body) }

// Kind says how a message is to be handled when nobody listens.
type Kind uint8

const (
	Words   Kind = iota // somebody's words: stored when they cannot be handed over
	Signal              // typing, receipts, headlines: where somebody listens, or nowhere
	Request             // invitations and the like, without words: to a session or seat of the same door, or back
)

// Message is an instant message. It is not changed once it was handed to the exchange.
type Message struct {
	ID       MessageID // when it is set before the message is sent, it is kept
	From, To Address   // To is zero in a conversation, where it goes to everybody
	FromName string    // the sender's display name when it was sent; "" is none
	FromSlot string    // the sender's session, where others can name it; "" is none; not stored
	Slot     string    // the session of To that it is meant for; "": any
	Only     bool      // to that session or back: nobody else takes it
	Time     time.Time
	Kind     Kind
	Traffic  Traffic // what rules about it speak of; 0: queries when it is a Request, else messages; not stored
	Report   bool    // the sender wants to know
	Native   Native

	// Neutralise makes the neutral form; nil when there is none. Called at most once.
	Neutralise func() Neutral
	once       sync.Once
	neutral    *Neutral
}

// Neutral is the message's neutral form, made at the first call.
func (m *Message) Neutral() Neutral {
	m.once.Do(func() {
		m.neutral = &Neutral{}
		if m.Neutralise != nil {
			*m.neutral = m.Neutralise()
		}
	})
	return *m.neutral
}

// Means is the kind of traffic that the message is to rules.
func (m *Message) Means() Traffic {
	switch {
	case m.Traffic != 0:
		return m.Traffic
	case m.Kind == Request:
		return Queries
	}
	return Messages
}

// For is the same message to one receiver, with an id of its own.
func (m *Message) For(to Address, id MessageID) *Message {
	return &Message{ID: id, From: m.From, To: to, FromName: m.FromName, FromSlot: m.FromSlot, Slot: m.Slot, Only: m.Only,
		Time: m.Time, Kind: m.Kind, Traffic: m.Traffic, Report: m.Report, Native: m.Native, Neutralise: m.Neutral}
}

// Size is what storing the message counts against its receiver's limit, in bytes.
func (m *Message) Size() int {
	n := m.Neutral()
	return len(m.Native.Body) + n.Text.Len() + n.Subject.Len() + len(n.Thread) + 100
}
