package client

import (
	"parley/msnp"
)

// Event is something that the service sent unasked. It is one of the types below.
type Event interface{ event() }

// Presence: somebody on the Forward List is in a state, draft 7.9. It is Offline when they went.
type Presence struct {
	Handle  string
	Name    string // "" with Offline
	State   msnp.State
	Initial bool // how it was when this client came (ILN), not a change
}

// ListChanged: a list was changed by somebody else, or elsewhere: draft 7.8. A change of one's own is no event.
type ListChanged struct {
	List    msnp.List
	Handle  string
	Name    string // "" when removed
	Removed bool
	Serial  int64
}

// SettingChanged: GTC, BLP or the own name was changed elsewhere, or CHG by the service: draft 7.6, 7.7.
type SettingChanged struct {
	Verb   string // GTC, BLP, REA or CHG
	Value  string // A or N; AL or BL; the name; the state
	Serial int64  // 0 with CHG
}

// Ring: somebody invites to a conversation, draft 8.4. With Config.Answer it is answered already.
type Ring struct {
	Session string
	Address string // of the switchboard
	Cookie  string
	Handle  string // who invites
	Name    string
}

// Answered: a ring was answered by Config.Answer, and this is the conversation.
type Answered struct {
	Conversation *Conversation
	Ring         Ring
}

// RingFailed: a ring could not be answered by Config.Answer.
type RingFailed struct {
	Ring Ring
	Err  error
}

// Joined: somebody came into a conversation, draft 8.5.
type Joined struct {
	Conversation *Conversation
	Handle, Name string
}

// Left: somebody left a conversation, draft 8.5.
type Left struct {
	Conversation *Conversation
	Handle       string
	Idle         bool // the service closes it since nobody said anything for long
}

// Message: somebody said something in a conversation, draft 8.8.
type Message struct {
	Conversation *Conversation
	Handle, Name string
	Payload      []byte
}

// Content reads the payload.
func (m Message) Content() (msnp.Content, error) { return msnp.ParseContent(m.Payload) }

// Undelivered: a message sent with N did not reach everybody, draft 8.7.
type Undelivered struct {
	Conversation *Conversation
	TrID         uint32 // what Send gave for it
}

// SystemMessage: the service itself says something: the profile after the login, a shutdown to come. Draft 8.8,
// dialects 3.6, 3.7.
type SystemMessage struct {
	Handle  string
	Payload []byte
}

// Referred: the service asks to log in elsewhere, draft 7.4. The connection is not used any more.
type Referred struct{ Address string }

// Ended: a connection is over. It is the last event of it.
type Ended struct {
	Conversation *Conversation // nil: the one to the notification server
	Err          error         // an *EndError; nil when this side closed it
}

func (Presence) event()       {}
func (ListChanged) event()    {}
func (SettingChanged) event() {}
func (Ring) event()           {}
func (Answered) event()       {}
func (RingFailed) event()     {}
func (Joined) event()         {}
func (Left) event()           {}
func (Message) event()        {}
func (Undelivered) event()    {}
func (SystemMessage) event()  {}
func (Referred) event()       {}
func (Ended) event()          {}
