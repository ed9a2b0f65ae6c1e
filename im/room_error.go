package im

import "errors"

// The kinds of refusal that rooms know beside those of errors.go. Each has its own code in SSP 14.7.
var (
	ErrNoRoom            = errors.New("no such room")                                  // SSP 14.7.1
	ErrRoomExists        = errors.New("room exists")                                   // SSP 14.7.2
	ErrRoomOpen          = errors.New("room is open to everybody")                     // SSP 14.7.3
	ErrRoomClosed        = errors.New("room is closed")                                // SSP 14.7.4
	ErrRoomPublic        = errors.New("room is public")                                // SSP 14.7.5
	ErrRoomPrivate       = errors.New("room is private")                               // SSP 14.7.6
	ErrBadRoomProps      = errors.New("not acceptable properties of a room")           // SSP 14.7.7
	ErrJoined            = errors.New("already in the room")                           // SSP 14.7.8
	ErrNotJoined         = errors.New("not in the room")                               // SSP 14.7.9
	ErrRejected          = errors.New("rejected from the room")                        // SSP 14.7.10
	ErrNotMember         = errors.New("not a member of the room")                      // SSP 14.7.11
	ErrNickInUse         = errors.New("screen name is in use")                         // SSP 14.7.12
	ErrNoPrivate         = errors.New("no private messages in this room")              // SSP 14.7.13
	ErrNoPrivateToThem   = errors.New("takes no private messages in this room")        // SSP 14.7.14
	ErrTooManyRooms      = errors.New("too many rooms of one owner")                   // SSP 14.7.15
	ErrRoomsFull         = errors.New("too many rooms here")                           // SSP 14.7.16
	ErrNoPrivilege       = errors.New("not privileged in the room")                    // SSP 14.7.17
	ErrRoomFull          = errors.New("room is full")                                  // SSP 14.7.18
	ErrNoHistory         = errors.New("room keeps no history")                         // SSP 14.7.19
	ErrWrongRoomPassword = errors.New("password of the room is missing, or is wrong")  //
	ErrTooManyJoined     = errors.New("in too many rooms at once")                     //
	ErrLastOwner         = errors.New("room would have no owner: name another before") //
)
