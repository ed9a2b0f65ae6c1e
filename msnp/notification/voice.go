package notification

import (
	"strconv"

	"parley/exchange"
	"parley/im"
	"parley/msnp"
	"parley/msnp/wire"
)

// voice is how one dialect says what not all of them say alike. What is nil it has no word for: it is not said.
type voice struct {
	refer    func(c *conn, trID int64, to string)
	welcome  func(c *conn, trID int64)
	sync     func(b []byte, k *known) []byte
	entry    func(b []byte, list msnp.List, e *im.Entry, groups []im.Group) []byte
	settings func(b []byte, ch *exchange.Change, own *act) []byte
	lists    func(v *voice, b []byte, ch *exchange.Change, own *act, groups []im.Group) []byte
	groups   func(b []byte, serial int64, own *act, was, is []im.Group) []byte
	property func(b []byte, serial int64, who im.Address, name, value string) []byte
	initial  func(trID int64, p *exchange.Presence) []byte
	notice   *notice
}

// notice is a form of the lines that tell of a change of presence. Dialects that share it share the bytes.
type notice struct {
	write func(p *exchange.Presence) []byte
}

// shape is a form of what the server says, and the dialects that have it. As with rows, what changed between dialects
// has one for each form.
type shape struct {
	says         string
	since, until int
	set          func(*voice)
}

// shapes are what the server says in forms that differ: dialects 0.1, 4, 5.3, 6, 9.4.
var shapes = []shape{
	{"XFR NS", 2, 2, func(v *voice) { v.refer = refer }},
	{"XFR NS", 3, 6, func(v *voice) { v.refer = referZero }},
	{"XFR NS", 7, 12, func(v *voice) { v.refer = referCurrent }},

	{"USR OK", 2, 5, func(v *voice) { v.welcome = welcome }},
	{"USR OK", 6, 7, func(v *voice) { v.welcome = welcomeVerified }},

	{"SYN", 2, 4, func(v *voice) { v.sync = sync }},
	{"SYN", 5, 6, func(v *voice) { v.sync = syncProperties }},
	{"SYN", 7, 7, func(v *voice) { v.sync = syncGroups }},

	{"LST", 2, 6, func(v *voice) { v.entry = entryEnd }},
	{"LST", 7, 8, func(v *voice) { v.entry = entryEndGroups }},

	{"GTC, BLP, REA", 2, 9, func(v *voice) { v.settings = appendSettings }},

	{"ADD, REM", 2, 6, func(v *voice) { v.lists = appendLists }},
	{"ADD, REM", 7, 9, func(v *voice) { v.lists = appendListsGroups }},

	{"ADG, REG, RMG", 7, 9, func(v *voice) { v.groups = appendGroups }},

	{"BPR", 5, 9, func(v *voice) { v.property = appendBPR }},

	{"ILN", 2, 7, func(v *voice) { v.initial = initial }},
	{"NLN, FLN", 2, 7, func(v *voice) { v.notice = &notices }},
}

// voices are those of all dialects. It panics when a dialect has two forms for the same.
func voices() (all [maxDialect + 1]voice) {
	seen := map[string]int{}
	for _, s := range shapes {
		for d := s.since; d <= s.until; d++ {
			if seen[s.says]&(1<<d) != 0 {
				panic("notification: two forms of " + s.says + " in " + msnp.DialectName(d))
			}
			seen[s.says] |= 1 << d
			s.set(&all[d])
		}
	}
	return all
}

// say is how the client's dialect says things.
func (c *conn) say() *voice { return &c.s.voices[c.Dialect()] }

// refer sends the client to a notification server: draft 7.4, dialects 9.4.
func refer(c *conn, trID int64, to string) { c.Reply("XFR", trID, "NS", c.Reach(to)) }

func referZero(c *conn, trID int64, to string) { c.Reply("XFR", trID, "NS", c.Reach(to), "0") }

// referCurrent names the server that refers, too: dialects 9.4, 13.4.
func referCurrent(c *conn, trID int64, to string) {
	c.Reply("XFR", trID, "NS", c.Reach(to), "0", c.Reach(c.role.Address))
}

// welcome ends the login: draft 7.3.
func welcome(c *conn, trID int64) {
	c.Reply("USR", trID, "OK", c.who.String(), msnp.FitName(c.client.Snapshot().DisplayName()))
}

// welcomeVerified says besides that the address is verified: one that is not is shown with a warning. dialects 3.1
func welcomeVerified(c *conn, trID int64) {
	c.Reply("USR", trID, "OK", c.who.String(), msnp.FitName(c.client.Snapshot().DisplayName()), "1")
}

// notices are the lines that MSNP2 to MSNP7 share: draft 7.9, dialects 5.3.
var notices = notice{write: func(p *exchange.Presence) []byte {
	b := make([]byte, 0, 96)
	if !p.Merged.State.Visible() {
		return wire.AppendCommand(b, "FLN", wire.NoTrID, p.Who.String())
	}
	return wire.AppendCommand(b, "NLN", wire.NoTrID, string(wordOf(p.Merged.State)), p.Who.String(), msnp.FitName(p.Name))
}}

// initial is the state of somebody as it is found: draft 7.9, dialects 5.3.
func initial(trID int64, p *exchange.Presence) []byte {
	return wire.AppendCommand(make([]byte, 0, 96), "ILN", trID, string(wordOf(p.Merged.State)), p.Who.String(), msnp.FitName(p.Name))
}

// appendBPR tells what somebody tells of themselves: dialects 4.7.
func appendBPR(b []byte, serial int64, who im.Address, name, value string) []byte {
	return wire.AppendCommand(b, "BPR", wire.NoTrID, strconv.FormatInt(serial, 10), who.String(), name, msnp.Fit(value, msnp.MaxProperty))
}
