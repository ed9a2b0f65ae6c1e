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
)
