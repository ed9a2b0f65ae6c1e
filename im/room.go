package im

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// RoomID names a room that lasts: a name at a home, which is a domain, or a person whose own room it is. The zero
// RoomID is none; two are the same exactly when == says so.
type RoomID struct {
	Home Address
	Name string // folded
}

// maxRoomName is the greatest length of a room's name, in bytes of the normalised form.
const maxRoomName = 255

// NewRoomID names a room: name is compared without regard to case or width, has 1 to 255 bytes, and no control
// characters. ErrBadAddress, ErrBadName.
func NewRoomID(home Address, name string) (RoomID, error) {
	if home.IsZero() {
		return RoomID{}, fmt.Errorf("%w: a room needs a home, which is a domain or a person", ErrBadAddress)
	}
	folded, err := fold(name)
	if err != nil || len(folded) > maxRoomName || strings.ContainsAny(folded, "/@") {
		return RoomID{}, fmt.Errorf("%w: a room's name has 1 to %d bytes, and neither / nor @", ErrBadName, maxRoomName)
	}
	return RoomID{home, folded}, nil
}

// TrustedRoomID is the RoomID whose normalised parts these are, such as the store's own; nothing is checked.
func TrustedRoomID(home, name string) RoomID { return RoomID{TrustedAddress(home), name} }

// String is the home and the name, with "/" between: "example.com/tea".
func (id RoomID) String() string { return id.Home.String() + "/" + id.Name }

// IsZero reports that this is no room's.
func (id RoomID) IsZero() bool { return id == RoomID{} }

// Personal reports that the room is a person's own, not a domain's.
func (id RoomID) Personal() bool { return !id.Home.IsDomain() }

// Room is what is true of a room that lasts, whoever is in it.
type Room struct {
	ID      RoomID
	Owner   Address // who made it, and on whose account it counts; zero: the service
	Props   RoomProps
	Created time.Time
}

// RoomProps are the properties of a room. The zero value is an open room without a name that goes with the last who
// is in it. SSP 13.1.1, 13.1.16
type RoomProps struct {
	Name          string      `json:"name,omitempty"` // as people read it; "": the one of its RoomID
	Topic         string      `json:"topic,omitempty"`
	Closed        bool        `json:"closed,omitempty"`     // for members only
	Public        bool        `json:"public,omitempty"`     // the service's: no user can delete it, or make one so
	Searchable    bool        `json:"searchable,omitempty"` // found by those who are not in it
	Moderated     bool        `json:"moderated,omitempty"`  // only members speak
	TopicOpen     bool        `json:"topic_open,omitempty"` // whoever is in it may change the topic
	ShowAddresses bool        `json:"addresses,omitempty"`  // all who are in it see who is behind a screen name
	NoPrivate     bool        `json:"no_private,omitempty"` // nobody speaks to one alone
	Password      string      `json:"password,omitempty"`   // "" is none
	MaxUsers      int         `json:"max_users,omitempty"`  // who may be in it at a time; 0: as many as the service lets
	Welcome       RoomWelcome `json:"welcome,omitzero"`
	History       int         `json:"history,omitempty"` // messages that it remembers; 0: it keeps none
	Persists      bool        `json:"persists,omitempty"`
}

// String keeps the password out of logs.
func (p RoomProps) String() string { return fmt.Sprintf("[properties of %q]", p.Name) }

// RoomWelcome is what is shown to who comes in.
type RoomWelcome struct {
	Type string `json:"type,omitempty"` // media type, without parameters; "" is text/plain
	Text string `json:"text,omitempty"`
}

// Affiliation is how somebody stands to a room, whether or not they are in it. The higher, the more they may.
type Affiliation int8

const (
	Outcast       Affiliation = iota - 1 // on the reject list
	NoAffiliation                        // anybody
	RoomMember                           // may enter when it is closed
	Moderator                            // keeps order among those below
	Administrator                        // looks after properties and members
	RoomOwner                            // may delete it
)

func (a Affiliation) String() string {
	if a < Outcast || a > RoomOwner {
		return "unknown"
	}
	return [...]string{"outcast", "none", "member", "moderator", "administrator", "owner"}[a+1]
}

// RoomPerson is what a room keeps about somebody.
type RoomPerson struct {
	Who         Address
	Affiliation Affiliation
	Nick        string // the screen name that is theirs here; "": none is
	Own         OwnProps
}

// IsZero reports that there is nothing to keep.
func (p RoomPerson) IsZero() bool {
	return p.Affiliation == NoAffiliation && p.Nick == "" && p.Own == OwnProps{}
}

// OwnProps are somebody's own properties in a room. SSP 13.1.15, 13.1.16
type OwnProps struct {
	NoPrivate bool // takes no words meant for them alone
	ShowID    bool // others see who is behind the screen name
	AutoJoin  bool // their clients enter by themselves
}

// Said is something said in a room, as the room remembers it.
type Said struct {
	ID      MessageID
	From    Address
	Nick    string
	Time    time.Time
	Native  Native // without Framed
	Neutral Neutral
}

// maxNick is the greatest length of a screen name, in bytes.
const maxNick = 255

// Nick is a screen name as it is shown: without blanks around it, and single ones inside; 1 to 255 bytes, no control
// characters. ErrBadName.
func Nick(s string) (string, error) {
	s, err := tidy(s)
	if err != nil || len(s) > maxNick {
		return "", fmt.Errorf("%w: a screen name has 1 to %d bytes of text in UTF-8, and no control characters", ErrBadName, maxNick)
	}
	return s, nil
}

// FoldNick is what is compared of a screen name: two that look the same but for case and width are one.
func FoldNick(nick string) string {
	s, err := fold(nick)
	if err != nil {
		return strings.ToLower(nick)
	}
	return s
}

func tidy(s string) (string, error) {
	if s == "" || len(s) > 4*maxNick || !utf8.ValidString(s) {
		return "", ErrBadName
	}
	return settle(s, precis.Nickname.String)
}

func fold(s string) (string, error) {
	if s == "" || len(s) > 4*maxNick || !utf8.ValidString(s) {
		return "", ErrBadName
	}
	return settle(s, precis.Nickname.CompareKey)
}

// FreeNick is a screen name near the wanted one that is not taken, which is asked about folded ones. What cannot be
// one becomes "guest".
func FreeNick(want string, taken func(folded string) bool) string {
	nick, err := Nick(want)
	if err != nil {
		nick = "guest"
	}
	if !taken(FoldNick(nick)) {
		return nick
	}
	for len(nick) > maxNick-12 { // room for a number
		_, n := utf8.DecodeLastRuneInString(nick)
		nick = nick[:len(nick)-n]
	}
	nick = strings.TrimSpace(nick)
	for n := 2; ; n++ {
		if next := fmt.Sprintf("%s %d", nick, n); !taken(FoldNick(next)) {
			return next
		}
	}
}
