package im

import "time"

// Entry is what an account shows of one other principal: its own side, the other's watch of
// it, and what its clients need to know of the other.
type Entry struct {
	Who     Address
	Side    Side
	Watched Watch  // the other's watch of the account
	Name    string // the other's own display name, as far as it is known here; "" is none
	Ours    bool   // the other is an account served here
	Sees    bool   // the account sees the other (Pair.ISee)
	Seen    bool   // the other sees the account
}

// Watching reports whether the other is on the account's Reverse List.
func (e Entry) Watching() bool { return e.Watched != WatchNone }

// IsZero reports whether nothing is left to show.
func (e Entry) IsZero() bool { return e.Side.IsZero() && e.Watched == WatchNone }

// EntryOf is a pair's entry for the one whose point of view it is.
func (p Pair) EntryOf(who Address, name string, ours bool) Entry {
	return Entry{who, p.Mine, p.Theirs.Watch, name, ours, p.ISee(), p.Turned().ISee()}
}

// Mirror makes an entry one about its own account: who lists oneself sees oneself.
func (e *Entry) Mirror() {
	e.Watched = e.Side.Watch
	e.Sees = e.Watched != WatchNone
	e.Seen = e.Sees
}

// Account is a principal served here.
type Account struct {
	ID       int64
	Address  Address
	Name     string // own display name; "" is none: the address stands for it
	Disabled bool
	Keys     []byte // credential.Keys, marshalled
	Serial   int64  // counts every change that any protocol can show; never goes back
	Settings Settings
	Prompt   bool // ask the user about new watchers (stored for the client, not judged)
	Created  time.Time
	LastSeen time.Time // end of the last session; zero: never logged in
	Profile  Profile
}

// DisplayName is what others see: the account's name, or its address.
func (a Account) DisplayName() string {
	if a.Name == "" {
		return a.Address.String()
	}
	return a.Name
}

// Profile is what the user directory may show of an account.
type Profile struct {
	Listed                            bool // in the directory: opt-in
	First, Last, City, State, Country string
}

// Name gives the name to keep for somebody: none when it only repeats the address.
func Name(name string, who Address) string {
	if name == who.String() {
		return ""
	}
	return name
}
