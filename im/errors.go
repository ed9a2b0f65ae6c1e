package im

import "errors"

// The kinds of refusal the core knows. Each door has one table from these to its
// own codes; whatever is not one of them is an internal error there.
var (
	ErrBadAddress   = errors.New("not an address")
	ErrBadName      = errors.New("not an acceptable name")
	ErrUnknownUser  = errors.New("no such user")            // nobody of this address, or no way to its domain
	ErrHeld         = errors.New("address is still held")   // its account was removed not long ago
	ErrDisabled     = errors.New("account is disabled")     //
	ErrListFull     = errors.New("list is full")            // a limit on what one account may keep
	ErrAlready      = errors.New("already there")           //
	ErrNotOnList    = errors.New("not on the list")         //
	ErrOpposite     = errors.New("on the opposite list")    // allowed and blocked exclude each other
	ErrSameMode     = errors.New("already so")              // a setting changed to what it is
	ErrAbsent       = errors.New("not here")                // absent and blocked are one error: blocked looks like absent
	ErrOwnBlock     = errors.New("blocked by yourself")     // the sender's own rules forbid it: told
	ErrNotVisible   = errors.New("not visible to others")   // needs a presence that others may see
	ErrFull         = errors.New("conversation is full")    //
	ErrTooMany      = errors.New("too many conversations")  //
	ErrTooActive    = errors.New("too active")              //
	ErrNoPlace      = errors.New("no place to talk")        // nothing serves conversations
	ErrGone         = errors.New("conversation is over")    //
	ErrNotInvited   = errors.New("not invited")             //
	ErrNothingFits  = errors.New("receiver cannot take it") // a message without words for somebody behind another door
	ErrUnknownGroup = errors.New("no such group")           //
	ErrGroupExists  = errors.New("group exists")            //
	ErrClosing      = errors.New("service is going down")   //

	// What rooms refuse besides. SSP 14.7 has a code for each but the last three.
	ErrNoRoom            = errors.New("no such room")                           // SSP 14.7.1
	ErrRoomExists        = errors.New("room exists")                            // SSP 14.7.2
	ErrRoomOpen          = errors.New("room is open to everybody")              // SSP 14.7.3
	ErrRoomClosed        = errors.New("room is closed")                         // SSP 14.7.4
	ErrRoomPublic        = errors.New("room is public")                         // SSP 14.7.5
	ErrRoomPrivate       = errors.New("room is private")                        // SSP 14.7.6
	ErrBadRoomProps      = errors.New("not acceptable properties of a room")    // SSP 14.7.7
	ErrJoined            = errors.New("already in the room")                    // SSP 14.7.8
	ErrNotJoined         = errors.New("not in the room")                        // SSP 14.7.9
	ErrRejected          = errors.New("rejected from the room")                 // SSP 14.7.10
	ErrNotMember         = errors.New("not a member of the room")               // SSP 14.7.11
	ErrNickInUse         = errors.New("screen name is in use")                  // SSP 14.7.12
	ErrNoPrivate         = errors.New("no private messages in this room")       // SSP 14.7.13
	ErrNoPrivateToThem   = errors.New("takes no private messages in this room") // SSP 14.7.14
	ErrTooManyRooms      = errors.New("too many rooms of one owner")            // SSP 14.7.15
	ErrRoomsFull         = errors.New("too many rooms here")                    // SSP 14.7.16
	ErrNoPrivilege       = errors.New("not privileged in the room")             // SSP 14.7.17
	ErrRoomFull          = errors.New("room is full")                           // SSP 14.7.18
	ErrNoHistory         = errors.New("room keeps no history")                  // SSP 14.7.19
	ErrWrongRoomPassword = errors.New("password of the room is missing, or is wrong")
	ErrTooManyJoined     = errors.New("in too many rooms at once")
	ErrLastOwner         = errors.New("room would have no owner: name another before")
)
