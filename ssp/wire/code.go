package wire

import "strconv"

// Code is a status code, SSP 14.
type Code uint16

// The status codes, SSP 14.1 to 14.7.
const (
	Continue              Code = 100 // SSP 14.1.1
	Queued                Code = 101 // SSP 14.1.2
	Started               Code = 102 // SSP 14.1.3
	ServerQueued          Code = 104 // SSP 14.1.4
	Successful            Code = 200 // SSP 14.2.1
	PartlySuccessful      Code = 201 // SSP 14.2.2
	Accepted              Code = 202 // SSP 14.2.3
	BadRequest            Code = 400 // SSP 14.3.1
	Unauthorized          Code = 401 // SSP 14.3.2
	BadParameter          Code = 402 // SSP 14.3.3
	Forbidden             Code = 403 // SSP 14.3.4
	NotFound              Code = 404 // SSP 14.3.5
	NotSupported          Code = 405 // SSP 14.3.6
	Undeliverable         Code = 410 // SSP 14.3.7
	BadMediaType          Code = 415 // SSP 14.3.8
	BadTransaction        Code = 420 // SSP 14.3.9
	BadClient             Code = 422 // SSP 14.3.10
	BadInvitation         Code = 423 // SSP 14.3.11
	BadSearch             Code = 424 // SSP 14.3.12
	BadSearchIndex        Code = 425 // SSP 14.3.13
	BadMessage            Code = 426 // SSP 14.3.14
	NoMembership          Code = 431 // SSP 14.3.15
	Internal              Code = 500 // SSP 14.4.1
	NotImplemented        Code = 501 // SSP 14.4.2
	Unavailable           Code = 503 // SSP 14.4.3
	TimedOut              Code = 504 // SSP 14.4.4
	BadVersion            Code = 505 // SSP 14.4.5
	NotAgreed             Code = 506 // SSP 14.4.6
	QueueFull             Code = 507 // SSP 14.4.7
	BadDomain             Code = 516 // SSP 14.4.8
	NoPresenceAnswer      Code = 521 // SSP 14.4.9
	NoGroupAnswer         Code = 522 // SSP 14.4.10
	UnknownUser           Code = 531 // SSP 14.4.11
	Blocked               Code = 532 // SSP 14.4.12
	NotLoggedIn           Code = 533 // SSP 14.4.13
	RecipientUnauthorized Code = 534 // SSP 14.4.14
	SearchTimedOut        Code = 535 // SSP 14.4.15
	UnknownTransaction    Code = 536 // SSP 14.4.16
	Expired               Code = 600 // SSP 14.5.1
	ForcedLogout          Code = 601 // SSP 14.5.2
	NoUserSession         Code = 604 // SSP 14.5.3
	BadService            Code = 606 // SSP 14.5.4
	RedirectRefused       Code = 607 // SSP 14.5.5
	BadPassword           Code = 608 // SSP 14.5.6
	ConnectionExpired     Code = 609 // SSP 14.5.7
	SearchLimit           Code = 610 // SSP 14.5.8
	BadSession            Code = 620 // SSP 14.5.9
	NoContactList         Code = 700 // SSP 14.6.1
	ContactListExists     Code = 701 // SSP 14.6.2
	BadUserProperties     Code = 702 // SSP 14.6.3
	BadAttributes         Code = 750 // SSP 14.6.4
	BadPresenceValue      Code = 751 // SSP 14.6.5
	BadListProperty       Code = 752 // SSP 14.6.6
	NoGroup               Code = 800 // SSP 14.7.1
	GroupExists           Code = 801 // SSP 14.7.2
	GroupOpen             Code = 802 // SSP 14.7.3
	GroupClosed           Code = 803 // SSP 14.7.4
	GroupPublic           Code = 804 // SSP 14.7.5
	GroupPrivate          Code = 805 // SSP 14.7.6
	BadGroupProperties    Code = 806 // SSP 14.7.7
	Joined                Code = 807 // SSP 14.7.8
	NotJoined             Code = 808 // SSP 14.7.9
	Rejected              Code = 809 // SSP 14.7.10
	NotMember             Code = 810 // SSP 14.7.11
	NameInUse             Code = 811 // SSP 14.7.12
	NoPrivateInGroup      Code = 812 // SSP 14.7.13
	NoPrivateForUser      Code = 813 // SSP 14.7.14
	TooManyGroups         Code = 814 // SSP 14.7.15
	GroupsFull            Code = 815 // SSP 14.7.16
	NoPrivilege           Code = 816 // SSP 14.7.17
	TooManyJoined         Code = 817 // SSP 14.7.18
	NoHistory             Code = 821 // SSP 14.7.19
)

// words are what each code means, for StatusDescription. SSP 14.1 to 14.7; ssp-syntax 7.
var words = map[Code]string{
	Continue:              "Continue",
	Queued:                "Queued",
	Started:               "Started",
	ServerQueued:          "Server queued",
	Successful:            "Successful",
	PartlySuccessful:      "Partially successful",
	Accepted:              "Accepted",
	BadRequest:            "Bad request",
	Unauthorized:          "Unauthorized",
	BadParameter:          "Bad parameter",
	Forbidden:             "Forbidden",
	NotFound:              "Not found",
	NotSupported:          "Service not supported",
	Undeliverable:         "Unable to deliver",
	BadMediaType:          "Unsupported media type",
	BadTransaction:        "Invalid Transaction-ID",
	BadClient:             "User-ID and Client-ID do not match",
	BadInvitation:         "Invalid Invitation-ID",
	BadSearch:             "Invalid Search-ID",
	BadSearchIndex:        "Invalid Search-Index",
	BadMessage:            "Invalid Message-ID",
	NoMembership:          "Unauthorized group membership",
	Internal:              "Internal server error",
	NotImplemented:        "Not implemented",
	Unavailable:           "Service unavailable",
	TimedOut:              "Invalid timeout",
	BadVersion:            "Version not supported",
	NotAgreed:             "Service not agreed",
	QueueFull:             "Message queue full",
	BadDomain:             "Domain not supported",
	NoPresenceAnswer:      "Unresponded presence request",
	NoGroupAnswer:         "Unresponded group request",
	UnknownUser:           "Unknown user",
	Blocked:               "Recipient blocked the sender",
	NotLoggedIn:           "Recipient not logged in",
	RecipientUnauthorized: "Recipient unauthorized",
	SearchTimedOut:        "Search timed out",
	UnknownTransaction:    "Unknown transaction",
	Expired:               "Session expired",
	ForcedLogout:          "Forced logout",
	NoUserSession:         "Not logged in",
	BadService:            "Invalid Service-ID",
	RedirectRefused:       "Redirection refused",
	BadPassword:           "Invalid password",
	ConnectionExpired:     "Connection expired",
	SearchLimit:           "Search limit exceeded",
	BadSession:            "Invalid server session",
	NoContactList:         "Contact list does not exist",
	ContactListExists:     "Contact list already exists",
	BadUserProperties:     "Invalid user properties",
	BadAttributes:         "Invalid presence attributes",
	BadPresenceValue:      "Invalid presence value",
	BadListProperty:       "Invalid contact list property",
	NoGroup:               "Group does not exist",
	GroupExists:           "Group already exists",
	GroupOpen:             "Group is open",
	GroupClosed:           "Group is closed",
	GroupPublic:           "Group is public",
	GroupPrivate:          "Group is private",
	BadGroupProperties:    "Invalid group properties",
	Joined:                "Already joined",
	NotJoined:             "Not joined",
	Rejected:              "Rejected",
	NotMember:             "Not a group member",
	NameInUse:             "Screen name in use",
	NoPrivateInGroup:      "Private messaging disabled for group",
	NoPrivateForUser:      "Private messaging disabled for user",
	TooManyGroups:         "Too many groups for the user",
	GroupsFull:            "Too many groups on the server",
	NoPrivilege:           "Insufficient group privileges",
	TooManyJoined:         "Too many joined users",
	NoHistory:             "History not supported",
}

// ParseCode reads a code: three digits, the first from 1 to 9. Not every one that is read is known.
func ParseCode(s string) (Code, bool) {
	if len(s) != 3 || s[0] < '1' || s[0] > '9' || s[1] < '0' || s[1] > '9' || s[2] < '0' || s[2] > '9' {
		return 0, false
	}
	return Code(s[0]-'0')*100 + Code(s[1]-'0')*10 + Code(s[2]-'0'), true
}

// String is the number.
func (c Code) String() string {
	switch c {
	case Successful: // nearly always
		return "200"
	}
	return strconv.Itoa(int(c))
}

// Error makes a code an error that a handler can return. SSP 14.
func (c Code) Error() string {
	if w := c.Words(); w != "" {
		return "SSP " + c.String() + ": " + w
	}
	return "SSP " + c.String()
}

// Known reports that the code is one of SSP 14.
func (c Code) Known() bool { return words[c] != "" }

// Words say what the code means, in English; "" for one that is not known.
func (c Code) Words() string { return words[c] }

// Class is the hundreds of a code: 1 goes on, 2 is a success, 4 to 8 are failures; it is what a receiver goes by when
// it does not know the code. ssp-syntax 7.
func (c Code) Class() int { return int(c) / 100 }

// Final reports that the transaction is over: every code but those of class 1. SSP 14.1.
func (c Code) Final() bool { return c.Class() != 1 }

// Status makes the element that says how a request went. SSP 5; ssp-syntax 2.4.
func Status(c Code, description string) *Element {
	s := New("Status", "code", c.String())
	if description != "" {
		s.Add(New("StatusDescription").With(description))
	}
	return s
}

// Detail adds to a Status that this part of the request went otherwise: the elements name the users, groups, lists or
// messages. SSP 14.2.2; ssp-syntax 2.4.
func (e *Element) Detail(c Code, parts ...*Element) *Element {
	return e.Add(New("DetailedResult", "code", c.String()).
		Add(New("StatusDescription").With(c.Words())).Add(parts...))
}

// StatusOf is the code in a Status, or in the Status of another primitive; 0 when there is none. ssp-syntax 2.4.
func StatusOf(e *Element) Code {
	if e != nil && e.Name != "Status" {
		e = e.Child("Status")
	}
	c, _ := ParseCode(e.Attr("code"))
	return c
}
