package im

import "slices"

// What a rule is about: kinds of traffic, as bits.
type Traffic uint8

const (
	Messages    Traffic = 1 << iota // messages to me
	Queries                         // requests for information to me
	PresenceIn                      // others' presence to me
	PresenceOut                     // my presence to others
	Everything  = Messages | Queries | PresenceIn | PresenceOut
)

// By is how a rule names people.
type By uint8

const (
	Everybody By = iota
	ByAddress    // one address, with all its sessions
	BySession    // one full address; Value is address "/" slot
	ByDomain     //
	ByGroup      // members of one of my contact groups; Group
	ByWatch      // how we watch each other; Value is "none", "to", "from" or "both"
)

// Rule is one entry of an ordered list: what XEP-0016 can say, without its words.
type Rule struct {
	Order int64 // ascending; unique in its list
	By    By
	Value string
	Group GroupID
	What  Traffic
	Allow bool
	Name  string // last-known name of the one denied; "" is none
}

// Whole reports whether the rule denies one address everything: the only rules that
// blocking writes, and the only ones it shows.
func (r Rule) Whole() bool { return r.By == ByAddress && r.What == Everything && !r.Allow }

// RuleList is a named, ordered list of rules.
type RuleList struct {
	Name    string
	Default bool // judges what no session judges by a list of its own
	Rules   []Rule
}

// Subject is whom and what a rule is asked about.
type Subject struct {
	Who       Address
	Slot      string // "" when it is not about a session
	What      Traffic
	Contact   bool
	Groups    []GroupID
	IWatch    bool // granted
	WatchesMe bool // granted
}

// Allows reports what an ordered list says: the first rule that matches decides; none allows.
func Allows(rules []Rule, s Subject) bool {
	for _, r := range rules {
		if r.What&s.What != 0 && r.matches(s) {
			return r.Allow
		}
	}
	return true
}

func (r Rule) matches(s Subject) bool {
	switch r.By {
	case Everybody:
		return true
	case ByAddress:
		return r.Value == s.Who.String()
	case BySession:
		return s.Slot != "" && r.Value == s.Who.String()+"/"+s.Slot
	case ByDomain:
		return r.Value == s.Who.Domain()
	case ByGroup:
		return slices.Contains(s.Groups, r.Group)
	case ByWatch:
		return r.Value == watchWord(s.IWatch, s.WatchesMe)
	}
	return false
}

func watchWord(mine, theirs bool) string {
	switch {
	case mine && theirs:
		return "both"
	case mine:
		return "to"
	case theirs:
		return "from"
	}
	return "none"
}

// Deny puts a denial of everything of one address at the head of a list. The list is not changed.
func Deny(rules []Rule, who Address, name string) []Rule {
	order := int64(0)
	if len(rules) > 0 {
		order = rules[0].Order - 1
	}
	return append([]Rule{{Order: order, By: ByAddress, Value: who.String(), What: Everything, Name: name}}, rules...)
}

// Undeny takes the whole denials of one address away. The list is not changed.
func Undeny(rules []Rule, who Address) []Rule {
	var kept []Rule
	for _, r := range rules {
		if !r.Whole() || r.Value != who.String() {
			kept = append(kept, r)
		}
	}
	return kept
}

// Denied reports whether a list holds a whole denial of one address, and the name kept with it.
func Denied(rules []Rule, who Address) (name string, denied bool) {
	for _, r := range rules {
		if r.Whole() && r.Value == who.String() {
			return r.Name, true
		}
	}
	return "", false
}
