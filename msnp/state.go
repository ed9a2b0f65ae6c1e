package msnp

// State is a client state as the wire names it: draft 7.7, dialects 5.1.
type State string

const (
	Online      State = "NLN"
	Offline     State = "FLN"
	Hidden      State = "HDN"
	Busy        State = "BSY"
	Idle        State = "IDL"
	BeRightBack State = "BRB"
	Away        State = "AWY"
	OnThePhone  State = "PHN"
	OutToLunch  State = "LUN"
)

// ParseState reads a state. Case counts.
func ParseState(b []byte) (State, bool) {
	for _, s := range [...]State{Online, Offline, Hidden, Busy, Idle, BeRightBack, Away, OnThePhone, OutToLunch} {
		if string(b) == string(s) {
			return s, true
		}
	}
	return "", false
}
