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
	able     bool // clients say what they can do
	same     func(b []byte, k *known) []byte
	sync     func(b []byte, v *voice, k *known) []byte
	entry    func(b []byte, list msnp.List, e *im.Entry, groups []im.Group) []byte
	contact  func(b []byte, k *known, e *im.Entry, sum msnp.List) []byte
	settings func(b []byte, ch *exchange.Change, own *act) []byte
	lists    func(v *voice, b []byte, ch *exchange.Change, own *act, groups []im.Group) []byte
	add      func(b []byte, trID int64, list msnp.List, serial int64, e *im.Entry, group string) []byte
	groups   func(b []byte, ch *exchange.Change, own *act, was []im.Group) []byte
	tells    []property
	property func(b []byte, serial int64, who im.Address, name, value string) []byte
	learned  func(b []byte, serial int64, who im.Address, told map[string]string) []byte
	initial  func(trID int64, p *exchange.Presence) []byte
	notice   *notice
	greet    func(c *conn)
}

// notice is a form of the lines that tell of a change of presence. Dialects that share it share the bytes.
type notice struct {
	write func(p *exchange.Presence) []byte
	same  func(was, is *im.Presence) bool // nothing of what it says is another
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
	{"USR OK", 8, 9, func(v *voice) { v.welcome = welcomeFree }},
	{"USR OK", 10, 10, func(v *voice) { v.welcome = welcomeShort }},
	{"USR OK", 11, 12, func(v *voice) { v.welcome = welcomeCredits }},

	{"capability", 8, 12, func(v *voice) { v.able = true }},

	{"SYN, nothing new", 2, 9, func(v *voice) { v.same = appendHead }},
	{"SYN, nothing new", 10, 12, func(v *voice) { v.same = appendHeadGUID }},
	{"SYN", 2, 4, func(v *voice) { v.sync = sync }},
	{"SYN", 5, 6, func(v *voice) { v.sync = syncProperties }},
	{"SYN", 7, 7, func(v *voice) { v.sync = syncGroups }},
	{"SYN", 8, 9, func(v *voice) { v.sync = syncCompact }},
	{"SYN", 10, 12, func(v *voice) { v.sync = syncGUID }},

	{"LST", 2, 6, func(v *voice) { v.entry = entryEnd }},
	{"LST", 7, 8, func(v *voice) { v.entry = entryEndGroups }},
	{"LST in SYN", 8, 9, func(v *voice) { v.contact = contact }},
	{"LST in SYN", 10, 11, func(v *voice) { v.contact = contactGUID }},
	{"LST in SYN", 12, 12, func(v *voice) { v.contact = contactNet }},

	{"GTC, BLP, REA", 2, 9, func(v *voice) { v.settings = appendSettings }},
	{"GTC, BLP, REA", 10, 12, func(v *voice) { v.settings = appendSettingsBare }},

	{"ADD, REM", 2, 6, func(v *voice) { v.lists, v.add = appendLists, appendADD }},
	{"ADD, REM", 7, 9, func(v *voice) { v.lists, v.add = appendListsGroups, appendADD }},
	{"ADD, REM", 10, 12, func(v *voice) { v.lists, v.add = appendListsGUID, appendADC }},

	{"ADG, REG, RMG", 7, 9, func(v *voice) { v.groups = appendGroups }},
	{"ADG, REG, RMG", 10, 12, func(v *voice) { v.groups = appendGroupsGUID }},

	{"PRP", 5, 8, func(v *voice) { v.tells = properties[:telephones] }},
	{"PRP", 9, 10, func(v *voice) { v.tells = properties[:withWatch] }},
	{"PRP", 11, 12, func(v *voice) { v.tells = properties[:withSpace] }},
	{"BPR", 5, 9, func(v *voice) { v.property, v.learned = appendBPR, appendTold }},
	{"BPR", 10, 12, func(v *voice) { v.property, v.learned = appendBPRBare, appendToldSet }},

	{"ILN", 2, 7, func(v *voice) { v.initial = initial }},
	{"ILN", 8, 8, func(v *voice) { v.initial = initialAble }},
	{"ILN", 9, 10, func(v *voice) { v.initial = initialObject }},
	{"ILN", 11, 12, func(v *voice) { v.initial = initialPersonal }},
	{"NLN, FLN", 2, 7, func(v *voice) { v.notice = &notices }},
	{"NLN, FLN", 8, 8, func(v *voice) { v.notice = &noticesAble }},
	{"NLN, FLN", 9, 10, func(v *voice) { v.notice = &noticesObject }},
	{"NLN, FLN", 11, 12, func(v *voice) { v.notice = &noticesPersonal }},

	{"mail", 11, 12, func(v *voice) { v.greet = greetMail }},
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

// referZero has a zero behind the address: dialects 9.4.
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

// welcomeFree says besides that the account is not restricted: dialects 3.2.
func welcomeFree(c *conn, trID int64) {
	c.Reply("USR", trID, "OK", c.who.String(), msnp.FitName(c.client.Snapshot().DisplayName()), "1", "0")
}

// welcomeShort leaves the name to SYN: dialects 3.2.
func welcomeShort(c *conn, trID int64) { c.Reply("USR", trID, "OK", c.who.String(), "1", "0") }

// welcomeCredits is followed by what there is to pay mobile messages with: nothing. dialects 9.5, 13.7
func welcomeCredits(c *conn, trID int64) {
	welcomeShort(c, trID)
	c.Reply("SBS", 0, "null")
}

// notices are the lines that MSNP2 to MSNP7 share: draft 7.9, dialects 5.3.
var notices = notice{same: sameWord, write: func(p *exchange.Presence) []byte {
	b := make([]byte, 0, 96)
	if !p.Merged.State.Visible() {
		return wire.AppendCommand(b, "FLN", wire.NoTrID, p.Who.String())
	}
	return wire.AppendCommand(b, "NLN", wire.NoTrID, string(wordOf(p.Merged.State)), p.Who.String(), msnp.FitName(p.Name))
}}

func sameWord(was, is *im.Presence) bool { return wordOf(was.State) == wordOf(is.State) }

// initial is the state of somebody as it is found: draft 7.9, dialects 5.3.
func initial(trID int64, p *exchange.Presence) []byte {
	return wire.AppendCommand(make([]byte, 0, 96), "ILN", trID, string(wordOf(p.Merged.State)), p.Who.String(), msnp.FitName(p.Name))
}

// appendBPR tells what somebody tells of themselves: dialects 4.7.
func appendBPR(b []byte, serial int64, who im.Address, name, value string) []byte {
	return wire.AppendCommand(b, "BPR", wire.NoTrID, strconv.FormatInt(serial, 10), who.String(), name, msnp.Fit(value, msnp.MaxProperty))
}
