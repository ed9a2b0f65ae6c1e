package exchange

import (
	"parley/im"
)

// What sessions are handed about the rooms that they are in. A room's words are shown under screen names; whose they are
// is said to those alone who may know.

// RoomUser is somebody in a room, as one who is in it, or may see it, knows them.
type RoomUser struct {
	Nick        string
	Who         im.Address // zero: the viewer does not learn it
	Affiliation im.Affiliation
}

// RoomWords is something said in a room: to all, or to one alone.
type RoomWords struct {
	Room im.RoomID
	By   RoomUser
	To   string // the screen name of who it is for; "": all
	Mine bool   // the receiver's own, said here (RoomJoin.Echo) or in another session of theirs
	// Message has no From, unless By.Who says it too, and the ID under which the room remembers it.
	Message *im.Message
}

// RoomJoined tells that somebody is in a room now. SSP 13.2.17
type RoomJoined struct {
	Room im.RoomID
	User RoomUser
}

// RoomLeft tells that somebody is no longer in a room. SSP 13.2.17
type RoomLeft struct {
	Room   im.RoomID
	User   RoomUser
	Why    error  // as RoomEnded.Why; nil: they wanted it
	Reason string // in the words of who had them leave; "" is none
}

// RoomRenamed tells that somebody in a room goes by another screen name now.
type RoomRenamed struct {
	Room im.RoomID
	Was  string
	User RoomUser
}

// RoomChanged tells what is different in a room: its properties, the receiver's own, or how somebody stands to it. What
// is nil is as it was. SSP 13.2.17
type RoomChanged struct {
	Room  im.RoomID
	Props *im.RoomProps
	Own   *im.OwnProps
	User  *RoomUser
}

// RoomEnded tells a session that it is in a room no more, and did not want that: im.ErrNoRoom (it is gone),
// im.ErrRejected, im.ErrNotMember (it is closed now), im.ErrNoPrivilege (somebody had them leave), im.ErrGone (the
// session that it was there for has ended). SSP 13.2.5
type RoomEnded struct {
	Room   im.RoomID
	Why    error
	Reason string // in the words of who did it; "" is none
}

func (*RoomWords) delivery()   {}
func (*RoomJoined) delivery()  {}
func (*RoomLeft) delivery()    {}
func (*RoomRenamed) delivery() {}
func (*RoomChanged) delivery() {}
func (*RoomEnded) delivery()   {}

// RoomView is a room as somebody may see it.
type RoomView struct {
	Room   im.Room       // with the properties that they may read
	Mine   im.RoomPerson // how they stand to it; their own properties as they are now
	Nick   string        // theirs, when they are in it
	Joined bool
	Users  []RoomUser // who is in it, by screen name, they themselves as well
}
