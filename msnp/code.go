package msnp

import "strconv"

// Code is an error number of the protocol, and an error: a handler that returns one is answered with it. The draft's
// list is draft 7.11; what later dialects added, and when a server sends which, is dialects 10.
type Code int

const (
	ErrSyntax              Code = 200 // what cannot be read, and unknown commands
	ErrInvalidParameter    Code = 201
	ErrInvalidUser         Code = 205 // ADD of somebody who does not exist
	ErrFQDNMissing         Code = 206 // a handle without its domain
	ErrAlreadyLogin        Code = 207 // a second USR
	ErrInvalidUsername     Code = 208 // CAL of what is no handle
	ErrInvalidFriendlyName Code = 209
	ErrListFull            Code = 210
	ErrAlreadyThere        Code = 215
	ErrNotOnList           Code = 216
	ErrNotOnline           Code = 217 // CAL of somebody absent, or who wants no message from the caller
	ErrAlreadyInMode       Code = 218
	ErrOppositeList        Code = 219
	ErrNoPages             Code = 220
	ErrTooManyGroups       Code = 223
	ErrInvalidGroup        Code = 224
	ErrNotInGroup          Code = 225
	ErrGroupNotEmpty       Code = 227
	ErrGroupExists         Code = 228
	ErrGroupNameTooLong    Code = 229
	ErrGroupZero           Code = 230
	ErrSwitchboardFailed   Code = 280
	ErrReferralFailed      Code = 281
	ErrInvalidMessage      Code = 282 // MSG D that cannot be read

	ErrFieldsMissing  Code = 300
	ErrTooManyMatches Code = 301 // FND
	ErrNotLoggedIn    Code = 302 // any command before the login

	ErrListsReadOnly Code = 400
	ErrListsBusy     Code = 402
	ErrListsFailed   Code = 403
	ErrNotPermitted  Code = 420

	ErrInternal        Code = 500
	ErrDatabase        Code = 501
	ErrDisabled        Code = 502 // the command is switched off
	ErrFailed          Code = 503
	ErrFileOperation   Code = 510
	ErrBanned          Code = 511
	ErrMemory          Code = 520
	ErrChallengeFailed Code = 540 // QRY

	ErrBusy            Code = 600
	ErrUnavailable     Code = 601
	ErrPeerDown        Code = 602
	ErrDatabaseConnect Code = 603
	ErrGoingDown       Code = 604

	ErrCreateConnection Code = 707
	ErrBadLocale        Code = 710 // CVR
	ErrBlockingWrite    Code = 711
	ErrSessionOverload  Code = 712
	ErrTooActive        Code = 713
	ErrTooManySessions  Code = 714
	ErrNotExpected      Code = 715 // right command, wrong time
	ErrBadFriendFile    Code = 717
	ErrBadClientVersion Code = 731 // CVR

	ErrTooRapid Code = 800 // names and states change too fast

	ErrLoginBusy            Code = 910
	ErrAuthenticationFailed Code = 911
	ErrOffline              Code = 913 // XFR SB of somebody hidden or offline
	ErrNoNewUsers           Code = 920
	ErrLoginBusyRetry       Code = 921
	ErrNoParentalConsent    Code = 923
	ErrNotVerified          Code = 924
	ErrSuspended            Code = 927
	ErrBadTicket            Code = 928
	ErrWrongServer          Code = 931
)

// meanings says every code in words; the draft's names for them first.
var meanings = map[Code]string{
	ErrSyntax:               "syntax error",
	ErrInvalidParameter:     "invalid parameter",
	ErrInvalidUser:          "invalid user",
	ErrFQDNMissing:          "domain name missing",
	ErrAlreadyLogin:         "already logged in",
	ErrInvalidUsername:      "invalid user name",
	ErrInvalidFriendlyName:  "invalid friendly name",
	ErrListFull:             "list full",
	ErrAlreadyThere:         "already there",
	ErrNotOnList:            "not on list",
	ErrNotOnline:            "not online",
	ErrAlreadyInMode:        "already in the mode",
	ErrOppositeList:         "already in the opposite list",
	ErrNoPages:              "takes no pages",
	ErrTooManyGroups:        "too many groups",
	ErrInvalidGroup:         "invalid group",
	ErrNotInGroup:           "not in the group",
	ErrGroupNotEmpty:        "group not empty",
	ErrGroupExists:          "group name exists",
	ErrGroupNameTooLong:     "group name too long",
	ErrGroupZero:            "group zero cannot be removed",
	ErrSwitchboardFailed:    "switchboard failed",
	ErrReferralFailed:       "referral failed",
	ErrInvalidMessage:       "invalid message",
	ErrFieldsMissing:        "required fields missing",
	ErrTooManyMatches:       "too many matches",
	ErrNotLoggedIn:          "not logged in",
	ErrListsReadOnly:        "lists cannot be changed now",
	ErrListsBusy:            "lists too busy",
	ErrListsFailed:          "lists cannot be reached",
	ErrNotPermitted:         "not permitted",
	ErrInternal:             "internal server error",
	ErrDatabase:             "database server error",
	ErrDisabled:             "command disabled",
	ErrFailed:               "failed",
	ErrFileOperation:        "file operation failed",
	ErrBanned:               "account banned",
	ErrMemory:               "memory allocation failed",
	ErrChallengeFailed:      "wrong answer to the challenge",
	ErrBusy:                 "server busy",
	ErrUnavailable:          "server unavailable",
	ErrPeerDown:             "peer notification server down",
	ErrDatabaseConnect:      "database not connected",
	ErrGoingDown:            "server going down",
	ErrCreateConnection:     "connection could not be made",
	ErrBadLocale:            "bad locale",
	ErrBlockingWrite:        "blocking write",
	ErrSessionOverload:      "session overload",
	ErrTooActive:            "user too active",
	ErrTooManySessions:      "too many sessions",
	ErrNotExpected:          "not expected",
	ErrBadFriendFile:        "bad friend file",
	ErrBadClientVersion:     "bad client version",
	ErrTooRapid:             "changing too rapidly",
	ErrLoginBusy:            "too busy for logins",
	ErrAuthenticationFailed: "authentication failed",
	ErrOffline:              "not allowed when offline",
	ErrNoNewUsers:           "not accepting new users",
	ErrLoginBusyRetry:       "too busy for logins, try later",
	ErrNoParentalConsent:    "parental consent missing",
	ErrNotVerified:          "account not verified",
	ErrSuspended:            "account suspended",
	ErrBadTicket:            "bad ticket",
	ErrWrongServer:          "account not on this server",
}

// String is the number as the wire writes it.
func (c Code) String() string { return strconv.Itoa(int(c)) }

// Meaning is the code in a few words, "" for one that is not known here.
func (c Code) Meaning() string { return meanings[c] }

// Error is the number and its meaning.
func (c Code) Error() string {
	if m := c.Meaning(); m != "" {
		return "msnp " + c.String() + ": " + m
	}
	return "msnp " + c.String()
}
