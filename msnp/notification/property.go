package notification

import (
	"context"
	"strconv"

	"parley/im"
	"parley/msnp"
	"parley/msnp/wire"
)

// properties are what an account can tell of itself, as the wire names it; unset is what stands for none. dialects 4.7
var properties = []struct {
	name, unset string
	set         bool // by the client
	shown       bool // to those who see it
}{
	{"PHH", "", true, true},
	{"PHW", "", true, true},
	{"PHM", "", true, true},
	{"MOB", "N", true, true},
	{"MBE", "N", false, false}, // nobody has a mobile device here
}

// appendProperties appends what the account tells of itself, also what is unset: dialects 4.2, 4.7.
func (k *known) appendProperties(b []byte) []byte {
	serial := strconv.FormatInt(k.Serial, 10)
	for _, p := range properties {
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
	return appendTold(b, appendBPR, k.Serial, e.Who, k.told[e.Who])
}

func appendTold(b []byte, bpr func([]byte, int64, im.Address, string, string) []byte, serial int64, who im.Address, told map[string]string) []byte {
	for _, p := range properties {
		if !p.shown {
			continue
		}
		value := told[p.name]
		if value == "" {
			value = p.unset
		}
		b = bpr(b, serial, who, p.name, value)
	}
	return b
}

// prp keeps what the account tells of itself: dialects 4.7.
func (c *conn) prp(ctx context.Context, r request) error {
	a := r.args()
	name, raw := string(a.next()), r.Arg(2)
	value := a.name()
	known := false
	for _, p := range properties {
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
