package im

import (
	"crypto/subtle"
	"fmt"
	"mime"
	"unicode/utf8"
)

// Who may do what in a room. Each rule is asked with how somebody stands to it; the service itself is asked nothing.

// RoomBounds are the greatest values that the service lets properties have.
type RoomBounds struct {
	Users   int // in one room at a time
	History int // messages
}

// How long texts of a room may be, in bytes.
const (
	maxRoomLabel   = 255
	maxRoomTopic   = 1023
	maxRoomWelcome = 8 << 10
)

// Check says whether a room can have the properties: ErrBadRoomProps. SSP 14.7.7
func (p RoomProps) Check(b RoomBounds) error {
	bad := func(format string, a ...any) error {
		return fmt.Errorf("%w: %s", ErrBadRoomProps, fmt.Sprintf(format, a...))
	}
	for _, t := range []struct {
		what, text string
		most       int
	}{{"name", p.Name, maxRoomLabel}, {"topic", p.Topic, maxRoomTopic}, {"password", p.Password, maxRoomLabel}, {"welcome's type", p.Welcome.Type, maxRoomLabel},
		{"welcome", p.Welcome.Text, maxRoomWelcome}} {
		if len(t.text) > t.most || !utf8.ValidString(t.text) {
			return bad("the %s is longer than %d bytes, or no UTF-8", t.what, t.most)
		}
	}
	if p.Welcome.Type != "" {
		if t, params, err := mime.ParseMediaType(p.Welcome.Type); err != nil || len(params) > 0 || t == "" {
			return bad("%q is no media type", p.Welcome.Type)
		}
	}
	if p.MaxUsers < 0 || p.MaxUsers > b.Users {
		return bad("%d users: up to %d are possible, and 0 means as many", p.MaxUsers, b.Users)
	}
	if p.History < 0 || p.History > b.History {
		return bad("a history of %d messages: up to %d are possible", p.History, b.History)
	}
	return nil
}

// Places is how many people may be in the room at a time.
func (p RoomProps) Places(b RoomBounds) int {
	if p.MaxUsers == 0 {
		return b.Users
	}
	return min(p.MaxUsers, b.Users)
}

// For is what somebody of an affiliation may read of the properties: the password is for those who can set it.
func (p RoomProps) For(a Affiliation) RoomProps {
	if a < Administrator {
		p.Password = ""
	}
	return p
}

// MayMakeRoom says whether somebody may make a room: at a domain that is ours, or of their own. A public one only the
// service makes. ErrNoPrivilege, ErrRoomPrivate. SSP 13.2.1
func MayMakeRoom(who Address, id RoomID, p RoomProps, ours bool) error {
	switch {
	case id.Home != who && (id.Personal() || !ours):
		return ErrNoPrivilege
	case p.Public:
		return ErrRoomPrivate
	}
	return nil
}

// MayDelete says whether somebody may delete the room: ErrRoomPublic, ErrNoPrivilege. SSP 13.2.2, 13.3.2
func (p RoomProps) MayDelete(a Affiliation) error {
	switch {
	case p.Public:
		return ErrRoomPublic
	case a < RoomOwner:
		return ErrNoPrivilege
	}
	return nil
}

// MayJoin says whether somebody may enter, with so many in it already. Owners and administrators need no password, and
// find a place in a full room. ErrRejected, ErrNotMember, ErrWrongRoomPassword, ErrRoomFull. SSP 13.2.3, 13.3.3
func (p RoomProps) MayJoin(a Affiliation, password string, users int, b RoomBounds) error {
	switch {
	case a == Outcast:
		return ErrRejected
	case p.Closed && a < RoomMember:
		return ErrNotMember
	case a >= Administrator:
		if users >= b.Users {
			return ErrRoomFull
		}
		return nil
	case subtle.ConstantTimeCompare([]byte(password), []byte(p.Password)) == 0 && p.Password != "":
		return ErrWrongRoomPassword
	case users >= p.Places(b):
		return ErrRoomFull
	}
	return nil
}

// MaySee says whether somebody may know the room's properties, and who is in it: who is in it themselves, who could be,
// and, when it is searchable, everybody who is not rejected. ErrRejected, ErrRoomClosed. SSP 13.2.6, 13.2.11
func (p RoomProps) MaySee(a Affiliation, joined bool) error {
	switch {
	case joined:
		return nil
	case a == Outcast:
		return ErrRejected
	case p.Closed && !p.Searchable && a < RoomMember:
		return ErrRoomClosed
	}
	return nil
}

// MaySpeak says whether somebody who is in the room may say something to all: ErrNoPrivilege.
func (p RoomProps) MaySpeak(a Affiliation) error {
	if p.Moderated && a < RoomMember {
		return ErrNoPrivilege
	}
	return nil
}

// MayWhisper says whether somebody who is in the room may say something to one alone: ErrNoPrivate, ErrNoPrivateToThem.
// SSP 14.7.13, 14.7.14
func (p RoomProps) MayWhisper(to OwnProps) error {
	switch {
	case p.NoPrivate:
		return ErrNoPrivate
	case to.NoPrivate:
		return ErrNoPrivateToThem
	}
	return nil
}

// Shows reports whether somebody in the room sees who is behind the screen name of another.
func (p RoomProps) Shows(viewer Affiliation, of OwnProps) bool {
	return p.ShowAddresses || of.ShowID || viewer >= Moderator
}

// MayChange says whether somebody may change the properties to others: moderators the topic and the welcome, in some
// rooms who is in it the topic, administrators all, but that nobody makes a room public, or no longer public.
// ErrNoPrivilege, ErrRoomPublic, ErrRoomPrivate. SSP 13.2.12
func (p RoomProps) MayChange(a Affiliation, joined bool, to RoomProps) error {
	switch {
	case p == to:
		return nil
	case p.Public != to.Public:
		if p.Public {
			return ErrRoomPublic
		}
		return ErrRoomPrivate
	case a >= Administrator:
		return nil
	}
	rest := to
	if a >= Moderator {
		rest.Topic, rest.Welcome = p.Topic, p.Welcome
	} else if p.TopicOpen && joined && a > Outcast {
		rest.Topic = p.Topic
	}
	if p != rest {
		return ErrNoPrivilege
	}
	return nil
}

// MayListMembers says whether somebody may read the lists of members and of those who are rejected: ErrNoPrivilege.
// SSP 13.2.7, 13.2.13
func MayListMembers(a Affiliation) error {
	if a < Moderator {
		return ErrNoPrivilege
	}
	return nil
}

// MayAffiliate says whether somebody of affiliation by may give somebody who has was another affiliation: moderators
// make and unmake members and outcasts, administrators moderators, too, owners all. Nobody acts on their equals but
// owners, and on themselves only to be less. self says that they do. ErrNoPrivilege. SSP 13.2.8, 13.2.9, 13.2.10, 13.2.13
func MayAffiliate(by, was, to Affiliation, self bool) error {
	switch {
	case was == to, by == RoomOwner, self && to < was && to >= NoAffiliation:
		return nil
	case by < Moderator, was >= by, to >= by:
		return ErrNoPrivilege
	}
	return nil
}

// MayExpel says whether somebody of affiliation by may have another leave the room: ErrNoPrivilege. SSP 13.2.5
func MayExpel(by, other Affiliation) error {
	if by < Moderator || other >= by && by != RoomOwner {
		return ErrNoPrivilege
	}
	return nil
}

// MayStay says whether somebody who is in the room may stay there with a new affiliation, or new properties of it:
// ErrRejected, ErrNotMember. SSP 13.2.5
func (p RoomProps) MayStay(a Affiliation) error {
	switch {
	case a == Outcast:
		return ErrRejected
	case p.Closed && a < RoomMember:
		return ErrNotMember
	}
	return nil
}
