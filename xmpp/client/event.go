package client

import (
	"slices"
	"time"

	"parley/xmltext"
)

// Event is something that the service sent unasked. It is one of the types below.
type Event interface{ event() }

// Message is a message stanza, RFC 6121 5.
type Message struct {
	From, To, ID  string
	Type          string // "normal" when the stanza has none, RFC 6121 5.2.2
	Lang          string // xml:lang of the stanza
	Body, Subject string
	Thread        string
	State         string       // chat state: active, composing, paused, inactive, gone; XEP-0085 2
	WantsReceipt  bool         // the sender asks for one, XEP-0184 7
	Receipt       string       // the id of one's own message that has arrived, XEP-0184 7
	Delay         time.Time    // when it was said, if it had to wait: XEP-0203 2
	Error         *StanzaError // of type error only
	XML           string       // the whole stanza, as it can stand in any client's stream
}

// Presence is a presence stanza: of somebody's availability, or about subscriptions: RFC 6121 3, 4.
type Presence struct {
	From, To, ID string
	Type         string // "" when available
	Show         string // away, chat, dnd, xa; "" otherwise, RFC 6121 4.7.2.1
	Status       string
	Priority     int // -128 to 127, RFC 6121 4.7.2.3
	Delay        time.Time
	Occupant     *Occupant // from a room only
	Error        *StanzaError
	XML          string // the whole stanza
}

// Occupant is what a room says of somebody in it: XEP-0045 7.2.2.
type Occupant struct {
	JID               string // who it is, when the room tells
	Nick              string // the new one, when somebody changes it
	Affiliation, Role string
	Codes             []int // status codes, XEP-0045 12
}

// Has says whether the room gave this status code.
func (o *Occupant) Has(code int) bool {
	if o == nil {
		return false
	}
	return slices.Contains(o.Codes, code)
}

// RosterChanged: an item of the roster was set or removed, by whomever: a roster push, RFC 6121 2.1.6.
type RosterChanged struct {
	Item    Item
	Removed bool
}

// BlockingChanged: addresses were blocked or unblocked from any session of the account, XEP-0191 3.3, 3.4. No JIDs:
// all were unblocked.
type BlockingChanged struct {
	JIDs    []string
	Blocked bool
}

// Request: somebody asks something with an IQ of type get or set. It is to be answered with Reply or Refuse. Comes
// with Config.Requests only; roster pushes, blocking pushes and pings are answered by the client in any case.
type Request struct {
	From, ID, Type string
	XML            string // what is asked, without the iq around it
}

// Node is what is asked.
func (r Request) Node() xmltext.Node { return node(r.XML) }

// Other is an element that is no stanza.
type Other struct{ XML string }

// Ended: the stream is over. It is the last event.
type Ended struct{ Err error } // an *EndError; nil when this side closed it

// Node is the whole stanza.
func (m Message) Node() xmltext.Node { return node(m.XML) }

// Node is the whole stanza.
func (p Presence) Node() xmltext.Node { return node(p.XML) }

func (Message) event()         {}
func (Presence) event()        {}
func (RosterChanged) event()   {}
func (BlockingChanged) event() {}
func (Request) event()         {}
func (Other) event()           {}
func (Ended) event()           {}
