package notification

import (
	"context"
	"strconv"

	"parley/im"
	"parley/msnp"
	"parley/msnp/wire"
)

// property is something that an account can tell of itself, as the wire names it.
type property struct {
	name, unset string // unset stands for none
	set         bool   // by the client
	shown       bool   // to those who see it
}

// properties are what there is to tell, in the order in which dialects came to it: dialects 4.7.
var properties = []property{
	{"PHH", "", true, true},
	{"PHW", "", true, true},
	{"PHM", "", true, true},
	{"MOB", "N", true, true},
	{"MBE", "N", false, false}, // nobody has a mobile device here
	{"WWE", "", true, true},
	{"HSB", "", true, true},
}

// How many of these there are since MSNP5, MSNP9 and MSNP11.
const (
	telephones = 5
	withWatch  = 6
	withSpace  = 7
)

// appendProperties appends what the account tells of itself, also what is unset: dialects 4.2, 4.7.
func (k *known) appendProperties(b []byte, tells []property) []byte {
	serial := strconv.FormatInt(k.Serial, 10)
	for _, p := range tells {
		value := k.told[k.Address][p.name]
		if value == "" {
			value = p.unset
		}
		b = wire.AppendCommand(b, "PRP", k.trID, serial, p.name, msnp.Fit(value, msnp.MaxProperty))
	}
	return b
}

// appendTold appends what a contact tells of itself; of one who does not show themselves, nothing is set. dialects 4.7
func (k *known) appendTold(b []byte, e *im.Entry) []byte {
	return appendTold(b, k.Serial, e.Who, k.told[e.Who])
}

// appendTold appends the telephones of a contact, also what is unset.
func appendTold(b []byte, serial int64, who im.Address, told map[string]string) []byte {
	for _, p := range properties[:telephones] {
		if !p.shown {
			continue
		}
		value := told[p.name]
		if value == "" {
			value = p.unset
		}
		b = appendBPR(b, serial, who, p.name, value)
	}
	return b
}

// appendToldSet appends what a contact tells, and nothing of what is unset.
func appendToldSet(b []byte, _ int64, who im.Address, told map[string]string) []byte {
	for _, p := range properties {
		if value := told[p.name]; value != "" && p.shown {
			b = appendBPRBare(b, 0, who, p.name, value)
		}
	}
	return b
}

// prpName is prp where the account's own name is one of these: dialects 4.7.
func (c *conn) prpName(ctx context.Context, r request) error {
	if string(r.Arg(1)) != "MFN" {
		return c.prp(ctx, r)
	}
	name, err := msnp.DecodeName(r.Arg(2))
	switch {
	case err != nil, name == "", len(r.Arg(2)) > msnp.MaxName:
		return msnp.ErrInvalidFriendlyName
	case !c.may(&c.renames, c.s.Renames):
		return msnp.ErrTooRapid
	}
	return c.s.Exchange.SetName(ctx, c.by(r, 0), name)
}

// prp keeps what the account tells of itself: dialects 4.7.
func (c *conn) prp(ctx context.Context, r request) error {
	a := r.args()
	name, raw := string(a.next()), r.Arg(2)
	value := a.name()
	known := false
	for _, p := range c.say().tells {
		known = known || p.set && p.name == name
	}
	encoded := msnp.EncodeName(value)
	switch {
	case !known:
		return msnp.ErrNotExpected // dialects 1.5
	case a.err == nil && max(len(raw), len(encoded)) > msnp.MaxProperty:
		return msnp.ErrInvalidFriendlyName
	case a.err != nil:
		return a.err
	case name == "MOB" && value != "" && value != "Y" && value != "N":
		return msnp.ErrInvalidParameter
	case !c.may(&c.rare().told, tellings*c.s.Renames):
		return msnp.ErrTooRapid
	}
	by := c.byWith(r, 0, &details{args: []string{name, encoded}})
	if name == "MOB" && value == "N" {
		value = "" // as it is for who never said anything
	}
	return c.s.Exchange.SetProperty(ctx, by, name, value, true)
}

// tellings is how many times more often than its name a client may change what else it tells: it says four things at once.
const tellings = 4
