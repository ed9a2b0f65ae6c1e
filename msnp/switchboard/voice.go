package switchboard

import (
	"strconv"

	"parley/exchange"
	"parley/msnp"
	"parley/msnp/wire"
)

// voice is how one dialect says what not all of them say alike.
type voice struct {
	there func(trID int64, i, total int, m *exchange.Member) []byte
	joins func(d *exchange.Joined) []byte
}

// shape is a form of what the server says, and the dialects that have it.
type shape struct {
	says         string
	since, until int
	set          func(*voice)
}

// shapes are what the server says in forms that differ: dialects 7.1.
var shapes = []shape{
	{"IRO", 2, 11, func(v *voice) { v.there = there }},
	{"IRO", 12, 12, func(v *voice) { v.there = thereAble }},
	{"JOI", 2, 11, func(v *voice) { v.joins = joins }},
	{"JOI", 12, 12, func(v *voice) { v.joins = joinsAble }},
}

// voices are those of all dialects.
var voices = func() (all [maxDialect + 1]voice) {
	seen := map[string]int{}
	for _, s := range shapes {
		for d := s.since; d <= s.until; d++ {
			if seen[s.says]&(1<<d) != 0 {
				panic("switchboard: two forms of " + s.says + " in " + msnp.DialectName(d))
			}
			seen[s.says] |= 1 << d
			s.set(&all[d])
		}
	}
	return all
}()

// say is how the client's dialect says things.
func (c *conn) say() *voice { return &voices[c.Dialect()] }

// there tells one who takes a seat of another who is there: draft 8.4.
func there(trID int64, i, total int, m *exchange.Member) []byte {
	return wire.AppendCommand(nil, "IRO", trID, strconv.Itoa(i), strconv.Itoa(total), m.Who.String(), msnp.FitName(m.Name))
}

// thereAble has what the other's client can do, too: dialects 7.1.
func thereAble(trID int64, i, total int, m *exchange.Member) []byte {
	return wire.AppendCommand(nil, "IRO", trID, strconv.Itoa(i), strconv.Itoa(total), m.Who.String(), msnp.FitName(m.Name), abilities(m.Seat))
}

// joins tells of somebody who comes: draft 8.5.
func joins(d *exchange.Joined) []byte {
	return wire.AppendCommand(nil, "JOI", wire.NoTrID, d.Who.String(), msnp.FitName(d.Name))
}

// joinsAble has what their client can do, too: dialects 7.1.
func joinsAble(d *exchange.Joined) []byte {
	return wire.AppendCommand(nil, "JOI", wire.NoTrID, d.Who.String(), msnp.FitName(d.Name), abilities(d.Seat))
}

// abilities is what a participant's client can do, as a number: dialects 5.4. COMPAT MSN 7.5: who has none of the clients
// that say it can do nothing, so that nobody asks them for a picture.
func abilities(seat exchange.Session) string {
	if c, ok := seat.(*conn); ok {
		return strconv.FormatUint(uint64(c.abilities), 10)
	}
	return "0"
}
