package ssp

import (
	"errors"

	"parley/im"
	"parley/ssp/wire"
)

// codes are what the core's errors are called on this wire, SSP 14; ssp-syntax 7. Who is absent and who does not want
// to hear from the sender are one code, so that nobody learns which it is.
var codes = []struct {
	err  error
	code wire.Code
}{
	{im.ErrBadAddress, wire.BadParameter},
	{im.ErrBadName, wire.BadParameter},
	{im.ErrUnknownUser, wire.UnknownUser},
	{im.ErrHeld, wire.UnknownUser},
	{im.ErrDisabled, wire.Forbidden},
	{im.ErrListFull, wire.QueueFull},
	{im.ErrAlready, wire.BadParameter},
	{im.ErrNotOnList, wire.NotFound},
	{im.ErrOpposite, wire.BadParameter},
	{im.ErrSameMode, wire.BadParameter},
	{im.ErrAbsent, wire.NotLoggedIn},
	{im.ErrOwnBlock, wire.Forbidden},
	{im.ErrNotVisible, wire.Forbidden},
	{im.ErrFull, wire.TooManyJoined},
	{im.ErrTooMany, wire.GroupsFull},
	{im.ErrTooActive, wire.Unavailable},
	{im.ErrNoPlace, wire.Unavailable},
	{im.ErrGone, wire.NoGroup},
	{im.ErrNotInvited, wire.NoPrivilege},
	{im.ErrNothingFits, wire.BadMediaType},
	{im.ErrUnknownGroup, wire.NoContactList}, // groups of contacts are contact lists here
	{im.ErrGroupExists, wire.ContactListExists},
	{im.ErrClosing, wire.Unavailable},
	{im.ErrNoRoom, wire.NoGroup},
	{im.ErrRoomExists, wire.GroupExists},
	{im.ErrRoomOpen, wire.GroupOpen},
	{im.ErrRoomClosed, wire.GroupClosed},
	{im.ErrRoomPublic, wire.GroupPublic},
	{im.ErrRoomPrivate, wire.GroupPrivate},
	{im.ErrBadRoomProps, wire.BadGroupProperties},
	{im.ErrJoined, wire.Joined},
	{im.ErrNotJoined, wire.NotJoined},
	{im.ErrRejected, wire.Rejected},
	{im.ErrNotMember, wire.NotMember},
	{im.ErrNickInUse, wire.NameInUse},
	{im.ErrNoPrivate, wire.NoPrivateInGroup},
	{im.ErrNoPrivateToThem, wire.NoPrivateForUser},
	{im.ErrTooManyRooms, wire.TooManyGroups},
	{im.ErrRoomsFull, wire.GroupsFull},
	{im.ErrNoPrivilege, wire.NoPrivilege},
	{im.ErrRoomFull, wire.TooManyJoined},
	{im.ErrNoHistory, wire.NoHistory},
	{im.ErrWrongRoomPassword, wire.NoPrivilege}, // SSP knows no passwords of groups
	{im.ErrTooManyJoined, wire.Unavailable},
	{im.ErrLastOwner, wire.NoPrivilege},
}

// CodeOf is what a peer is told of err: a [wire.Code] or the code of a [*wire.Fault] in it as it is, the core's kinds
// by their table, anything else as 500; 200 for nil. SSP 14; ssp-syntax 7.
func CodeOf(err error) wire.Code {
	if err == nil {
		return wire.Successful
	}
	if c, ok := errors.AsType[wire.Code](err); ok {
		return c
	}
	if f, ok := errors.AsType[*wire.Fault](err); ok {
		return f.Code
	}
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return wire.Internal
}

// ErrorOf is what the core understands of a peer's refusal; nil for a success, and for a code that does not end the
// transaction. Codes without a word there, and unknown ones, are wrapped in none of the core's kinds. ssp-syntax 7.
func ErrorOf(c wire.Code) error {
	if c.Class() == 1 || c.Class() == 2 {
		return nil
	}
	if kind, ok := kinds[c]; ok {
		return &Refused{c, kind}
	}
	return &Refused{c, nil}
}

// Refused is a peer's answer that is no success.
type Refused struct {
	Code wire.Code
	kind error
}

func (r *Refused) Error() string { return "the other domain answers " + r.Code.Error() }

// Unwrap gives the core's kind, and the code.
func (r *Refused) Unwrap() []error {
	if r.kind == nil {
		return []error{r.Code}
	}
	return []error{r.kind, r.Code}
}

// kinds are the core's words for what peers answer. A blocked sender is told what one is told of somebody absent.
// ssp-syntax 7, 9.
var kinds = map[wire.Code]error{
	wire.Undeliverable:         im.ErrAbsent,
	wire.BadMediaType:          im.ErrNothingFits,
	wire.NoMembership:          im.ErrNotInvited,
	wire.Unavailable:           im.ErrTooActive,
	wire.QueueFull:             im.ErrAbsent,
	wire.BadDomain:             im.ErrUnknownUser,
	wire.UnknownUser:           im.ErrUnknownUser,
	wire.Blocked:               im.ErrAbsent,
	wire.NotLoggedIn:           im.ErrAbsent,
	wire.RecipientUnauthorized: im.ErrAbsent,
	wire.NoUserSession:         im.ErrAbsent,
	wire.NoContactList:         im.ErrUnknownGroup,
	wire.ContactListExists:     im.ErrGroupExists,
	wire.NoGroup:               im.ErrNoRoom,
	wire.GroupExists:           im.ErrRoomExists,
	wire.GroupOpen:             im.ErrRoomOpen,
	wire.GroupClosed:           im.ErrRoomClosed,
	wire.GroupPublic:           im.ErrRoomPublic,
	wire.GroupPrivate:          im.ErrRoomPrivate,
	wire.BadGroupProperties:    im.ErrBadRoomProps,
	wire.Joined:                im.ErrJoined,
	wire.NotJoined:             im.ErrNotJoined,
	wire.Rejected:              im.ErrRejected,
	wire.NotMember:             im.ErrNotMember,
	wire.NameInUse:             im.ErrNickInUse,
	wire.NoPrivateInGroup:      im.ErrNoPrivate,
	wire.NoPrivateForUser:      im.ErrNoPrivateToThem,
	wire.TooManyGroups:         im.ErrTooManyRooms,
	wire.GroupsFull:            im.ErrRoomsFull,
	wire.NoPrivilege:           im.ErrNoPrivilege,
	wire.TooManyJoined:         im.ErrRoomFull,
	wire.NoHistory:             im.ErrNoHistory,
}
