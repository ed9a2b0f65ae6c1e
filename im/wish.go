package im

import "time"

// Wish is what somebody sends along when they ask to see another, kept until it is answered.
type Wish struct {
	From   Address
	Text   Text
	Native Native // without Framed
	Time   time.Time
}

// Group is a contact group of one owner.
type Group struct {
	ID    GroupID
	Name  string
	Place int64 // where it stands among the owner's groups, ascending
	Lasts bool  // it was made for itself, and stays when it is empty; else its first member made it
}
