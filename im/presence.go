package im

import (
	"bytes"
	"time"
)

// State is a presence state: one superset of what the protocols can say.
type State uint8

const (
	Offline State = iota
	Hidden        // online, and offline to everybody else
	Available
	FreeToChat
	Idle
	Away
	BeRightBack
	OutToLunch
	Busy
	OnThePhone
	ExtendedAway
)

var stateNames = [...]string{"offline", "hidden", "available", "free-to-chat", "idle", "away",
	"be-right-back", "out-to-lunch", "busy", "on-the-phone", "extended-away"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// Visible reports whether others may see somebody in this state.
func (s State) Visible() bool { return s > Hidden }

// availability ranks states for the merge: the higher, the more available. What one protocol
// knows and another does not ranks beside its nearest relative.
var availability = [...]uint8{Offline: 0, Hidden: 0, ExtendedAway: 1, OutToLunch: 2, Away: 3, BeRightBack: 4,
	Idle: 5, Busy: 6, OnThePhone: 7, Available: 8, FreeToChat: 9}

// Presence is the presence information of one session (RFC 2778 2.2). The zero value is offline.
type Presence struct {
	State    State
	Priority int8      // of sessions of one account; negative: takes no messages
	Status   string    // status text; "" is none
	Since    time.Time // when the session came to be so
	Native   Native    // the same in its own protocol's bytes, for receivers behind the same door
}

// Same reports whether others would notice no difference.
func (p Presence) Same(o Presence) bool {
	return p.State == o.State && p.Priority == o.Priority && p.Status == o.Status && p.Native.Same(o.Native)
}

// Seen is the presence as others may see it: hidden looks like offline, in every part.
func (p Presence) Seen() Presence {
	if !p.State.Visible() {
		return Presence{}
	}
	return p
}

// Merge makes one presence of several sessions', for protocols that know one presence per
// person: of those not hidden, and with priority 0 or more if there are any, the most
// available, then the highest priority, then the latest; their order does not matter. Offline
// when none is to be seen. Native bytes are one session's, and are left out, but for those that are Whole.
func Merge(sessions []Presence) Presence {
	var best Presence
	var whole Native
	for _, p := range sessions {
		if !p.State.Visible() {
			continue
		}
		if !best.State.Visible() || better(p, best) {
			best = p
		}
		if p.Native.Whole && (whole.Door < p.Native.Door || whole.Door == p.Native.Door && bytes.Compare(whole.Body, p.Native.Body) < 0) {
			whole = p.Native // any choice, but always the same
		}
	}
	best.Native = whole
	return best
}

func better(p, q Presence) bool {
	if (p.Priority >= 0) != (q.Priority >= 0) {
		return p.Priority >= 0
	}
	if a, b := availability[p.State], availability[q.State]; a != b {
		return a > b
	}
	if p.Priority != q.Priority {
		return p.Priority > q.Priority
	}
	if c := p.Since.Compare(q.Since); c != 0 {
		return c > 0
	}
	return p.Status > q.Status // any choice, but always the same
}
