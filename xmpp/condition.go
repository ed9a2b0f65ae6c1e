package xmpp

import (
	"errors"
	"strconv"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp/wire"
)

// Condition is what went wrong with a stanza, RFC 6120 8.3.3.
type Condition string

// The conditions. Those that the service gives have their section; the others are said by others.
const (
	BadRequest            Condition = "bad-request"             // RFC 6120 8.3.3.1
	Conflict              Condition = "conflict"                // RFC 6120 8.3.3.2
	FeatureNotImplemented Condition = "feature-not-implemented" // RFC 6120 8.3.3.3
	Forbidden             Condition = "forbidden"               // RFC 6120 8.3.3.4
	Gone                  Condition = "gone"                    // RFC 6120 8.3.3.5
	InternalServerError   Condition = "internal-server-error"   // RFC 6120 8.3.3.6
	ItemNotFound          Condition = "item-not-found"          // RFC 6120 8.3.3.7
	JIDMalformed          Condition = "jid-malformed"           // RFC 6120 8.3.3.8
	NotAcceptable         Condition = "not-acceptable"          // RFC 6120 8.3.3.9
	NotAllowed            Condition = "not-allowed"             // RFC 6120 8.3.3.10
	NotAuthorized         Condition = "not-authorized"          // RFC 6120 8.3.3.11
	PolicyViolation       Condition = "policy-violation"        // RFC 6120 8.3.3.12
	RecipientUnavailable  Condition = "recipient-unavailable"   // RFC 6120 8.3.3.13
	Redirect              Condition = "redirect"
	RegistrationRequired  Condition = "registration-required"   // RFC 6120 8.3.3.15
	RemoteServerNotFound  Condition = "remote-server-not-found" // RFC 6120 8.3.3.16
	RemoteServerTimeout   Condition = "remote-server-timeout"
	ResourceConstraint    Condition = "resource-constraint" // RFC 6120 8.3.3.18
	ServiceUnavailable    Condition = "service-unavailable" // RFC 6120 8.3.3.19
	SubscriptionRequired  Condition = "subscription-required"
	UndefinedCondition    Condition = "undefined-condition"
	UnexpectedRequest     Condition = "unexpected-request" // RFC 6120 8.3.3.22
)

// What the sender can do about an error, RFC 6120 8.3.2.
const (
	TypeAuth     = "auth"
	TypeCancel   = "cancel"
	TypeContinue = "continue"
	TypeModify   = "modify"
	TypeWait     = "wait"
)

// Type is the error type that goes with a condition unless something else is known, RFC 6120 8.3.3.
func (c Condition) Type() string {
	switch c {
	case BadRequest, JIDMalformed, NotAcceptable, PolicyViolation, Redirect, UnexpectedRequest:
		return TypeModify
	case Forbidden, NotAuthorized, RegistrationRequired, SubscriptionRequired:
		return TypeAuth
	case RecipientUnavailable, RemoteServerTimeout, ResourceConstraint:
		return TypeWait
	}
	return TypeCancel
}

// Error is a stanza error, RFC 6120 8.3.2. It is not changed once it is made.
type Error struct {
	Type      string // "" is the condition's own
	Condition Condition
	Text      string // in English; "" is none
	App       string // an element of the application's, as XML: RFC 6120 8.3.4
	Code      int    // what it was called before conditions, 100 to 599; 0 is not said: XEP-0077 9
}

// Refuse makes the error of a condition, with its own type; no text if text is "".
func Refuse(c Condition, text string) *Error {
	return &Error{Type: c.Type(), Condition: c, Text: text}
}

// Error is for logs.
func (e *Error) Error() string {
	if e.Text == "" {
		return "xmpp: " + string(e.Condition)
	}
	return "xmpp: " + string(e.Condition) + ": " + e.Text
}

// Append writes the error element, RFC 6120 8.3.2.
func (e *Error) Append(dst []byte) []byte {
	typ := e.Type
	if typ == "" {
		typ = e.Condition.Type()
	}
	b := xmltext.Build(dst)
	b.Start("error").Attr("type", typ)
	if e.Code != 0 {
		b.Attr("code", strconv.Itoa(e.Code))
	}
	b.Start(string(e.Condition)).Attr("xmlns", wire.NSStanzas).End()
	if e.Text != "" {
		b.Start("text").Attr("xmlns", wire.NSStanzas).Attr("xml:lang", "en").Text(e.Text).End()
	}
	b.Raw([]byte(e.App))
	return b.Bytes()
}

// blocked marks an error as made by the sender's own block, XEP-0191 3.3.
const blocked = "<blocked xmlns='" + wire.NSBlocked + "'/>"

// refusals says what the core's errors are called on this wire, RFC 6120 8.3.3. Who is absent, who does not want to
// hear from the sender, who cannot take the message and who does not exist are one error, so that nobody learns which
// it is: RFC 6121 8.5.1, XEP-0016 2.14.
var refusals = []struct {
	err  error
	wire *Error
}{
	{im.ErrBadAddress, Refuse(JIDMalformed, "")},
	{im.ErrBadName, Refuse(NotAcceptable, "This name is not acceptable.")},
	{im.ErrUnknownUser, Refuse(ServiceUnavailable, "")},
	{im.ErrHeld, Refuse(ServiceUnavailable, "")},
	{im.ErrAbsent, Refuse(ServiceUnavailable, "")},
	{im.ErrNothingFits, Refuse(ServiceUnavailable, "")},
	{im.ErrDisabled, Refuse(Forbidden, "")},
	{im.ErrListFull, Refuse(ResourceConstraint, "There is no room for more.")},
	{im.ErrAlready, Refuse(Conflict, "")},
	{im.ErrNotOnList, Refuse(ItemNotFound, "")},
	{im.ErrOpposite, Refuse(Conflict, "")},
	{im.ErrSameMode, Refuse(Conflict, "")},
	{im.ErrOwnBlock, &Error{Type: TypeCancel, Condition: NotAcceptable, App: blocked}},
	{im.ErrNotVisible, Refuse(NotAllowed, "Send presence that others can see first.")},
	{im.ErrFull, &Error{Type: TypeWait, Condition: ServiceUnavailable, Text: "The conversation is full."}},
	{im.ErrTooMany, Refuse(ResourceConstraint, "There are too many conversations at once.")},
	{im.ErrTooActive, &Error{Type: TypeWait, Condition: PolicyViolation, Text: "Too much in too short a time; try again later."}},
	{im.ErrNoPlace, Refuse(RecipientUnavailable, "Conversations are not possible at the moment; try again later.")},
	{im.ErrGone, Refuse(Gone, "The conversation is over.")},
	{im.ErrNotInvited, Refuse(RegistrationRequired, "Only who is invited may enter.")},
	{im.ErrUnknownGroup, Refuse(ItemNotFound, "")},
	{im.ErrGroupExists, Refuse(Conflict, "")},
	{im.ErrClosing, &Error{Type: TypeWait, Condition: InternalServerError, Text: "The service is going down; try again later."}},
	{im.ErrNoRoom, Refuse(ItemNotFound, "There is no such room.")},
	{im.ErrRoomExists, Refuse(Conflict, "There is such a room already.")},
	{im.ErrRoomOpen, Refuse(NotAllowed, "The room is open to everybody.")},
	{im.ErrRoomClosed, Refuse(RegistrationRequired, "The room is for members.")},
	{im.ErrRoomPublic, Refuse(NotAllowed, "The room is public.")},
	{im.ErrRoomPrivate, Refuse(NotAllowed, "The room is private.")},
	{im.ErrBadRoomProps, Refuse(NotAcceptable, "The room cannot be so.")},
	{im.ErrJoined, Refuse(Conflict, "You are in the room.")},
	{im.ErrNotJoined, Refuse(NotAcceptable, "You are not in the room.")},
	{im.ErrRejected, Refuse(Forbidden, "You may not enter the room.")},
	{im.ErrNotMember, Refuse(RegistrationRequired, "The room is for members.")},
	{im.ErrNickInUse, Refuse(Conflict, "Somebody in the room has this nick.")},
	{im.ErrNoPrivate, Refuse(NotAllowed, "Nobody speaks to one alone in this room.")},
	{im.ErrNoPrivateToThem, Refuse(NotAllowed, "They take no words meant for them alone.")},
	{im.ErrTooManyRooms, Refuse(ResourceConstraint, "There are too many rooms of yours.")},
	{im.ErrRoomsFull, Refuse(ResourceConstraint, "There are too many rooms.")},
	{im.ErrNoPrivilege, Refuse(Forbidden, "The room does not let you do that.")},
	{im.ErrRoomFull, &Error{Type: TypeWait, Condition: ServiceUnavailable, Text: "The room is full."}},
	{im.ErrNoHistory, Refuse(FeatureNotImplemented, "The room keeps no history.")},
	{im.ErrWrongRoomPassword, Refuse(NotAuthorized, "The password is missing, or is wrong.")},
	{im.ErrTooManyJoined, Refuse(ResourceConstraint, "You are in too many rooms at once.")},
	{im.ErrLastOwner, Refuse(Conflict, "The room would have no owner.")},
}

// internal says nothing of what happened: that is for the log.
var internal = Refuse(InternalServerError, "")

// ErrorOf is what a client is told of err: an [*Error] in it as it is, the core's kinds by their table, anything else
// as internal-server-error. nil for nil. The result is not to be changed.
func ErrorOf(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	for i := range refusals {
		if errors.Is(err, refusals[i].err) {
			return refusals[i].wire
		}
	}
	return internal
}
