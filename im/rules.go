package im

import (
	"slices"
	"strings"
)

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

// Whole reports whether the rule denies one address everything: what blocking a person writes.
func (r Rule) Whole() bool { return r.By == ByAddress && r.What == Everything && !r.Allow }

// Block reports whether the rule denies somebody everything, and whom: the only rules that
// blocking writes, and the only ones it shows.
func (r Rule) Block() (Whom, bool) {
	if r.What != Everything || r.Allow {
		return Whom{}, false
	}
	switch r.By {
	case ByAddress, ByDomain:
		return Whom{Address: TrustedAddress(r.Value)}, true
	case BySession:
		bare, slot, _ := strings.Cut(r.Value, "/")
		return Whom{TrustedAddress(bare), slot}, true
	}
	return Whom{}, false
}

// Whom is somebody to block: a person, a domain with all its people, or one session of
// either (XEP-0191 2).
type Whom struct {
	Address Address
	Slot    string // "" is all sessions
}

// String is the address, with "/" and the slot when it is one session.
func (w Whom) String() string {
	if w.Slot == "" {
		return w.Address.String()
	}
	return w.Address.String() + "/" + w.Slot
}

// Rule is the denial of everything that blocks them.
func (w Whom) Rule() Rule {
	r := Rule{By: ByAddress, Value: w.String(), What: Everything}
	switch {
	case w.Slot != "":
		r.By = BySession
	case w.Address.IsDomain():
		r.By = ByDomain
	}
	return r
}

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

// AllowsTo reports whether an ordered list lets anything be sent to somebody: only rules about everything speak of
// that, and the first that matches decides; none allows. XEP-0016 2.13
func AllowsTo(rules []Rule, s Subject) bool {
	for _, r := range rules {
		if r.What == Everything && r.matches(s) {
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

// Head gives the blocks that an ordered list begins with. No rule before them can say otherwise,
// so they are all that a protocol needs to know that can say no more than whom it blocks.
func Head(rules []Rule) []Rule {
	for i, r := range rules {
		if _, block := r.Block(); !block {
			return rules[:i]
		}
	}
	return rules
}

// Denied reports whether a list begins with a whole denial of one address (Head), and the name kept with it.
func Denied(rules []Rule, who Address) (name string, denied bool) {
	for _, r := range Head(rules) {
		if r.Whole() && r.Value == who.String() {
			return r.Name, true
		}
	}
	return "", false
}

// Denials are the names kept with those whom the default list begins to deny everything, by address.
func Denials(lists []RuleList) map[string]string {
	denied := map[string]string{}
	for _, l := range lists {
		if !l.Default {
			continue
		}
		for _, r := range Head(l.Rules) {
			if _, there := denied[r.Value]; !there && r.Whole() {
				denied[r.Value] = r.Name
			}
		}
	}
	return denied
}

// DenyAll puts blocks at the head of a list, in their order, for those whom it does not block
// there yet; came says whom. The list is not changed.
func DenyAll(rules []Rule, who []Whom) (denied []Rule, came []Whom) {
	there := map[Whom]bool{}
	for _, r := range Head(rules) {
		w, _ := r.Block()
		there[w] = true
	}
	for _, w := range who {
		if !there[w] {
			there[w] = true
			came = append(came, w)
		}
	}
	order := int64(0)
	if len(rules) > 0 {
		order = rules[0].Order
	}
	for i, w := range came {
		r := w.Rule()
		r.Order = order - int64(len(came)-i)
		denied = append(denied, r)
	}
	return append(denied, rules...), came
}

// UndenyAll takes the blocks of people away, of all whom the list begins to block when who is nil;
// went says whose. The list is not changed.
func UndenyAll(rules []Rule, who []Whom) (kept []Rule, went []Whom) {
	off := map[Whom]bool{}
	for _, w := range who {
		off[w] = true
	}
	for _, r := range Head(rules) {
		if w, _ := r.Block(); who == nil || off[w] {
			if off[w] = true; !slices.Contains(went, w) {
				went = append(went, w)
			}
		}
	}
	for _, r := range rules {
		if w, block := r.Block(); !block || !off[w] {
			kept = append(kept, r)
		}
	}
	return kept, went
}
