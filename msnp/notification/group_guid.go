package notification

import (
	"context"
	"errors"
	"slices"

	"parley/exchange"
	"parley/im"
	"parley/msnp"
	"parley/msnp/wire"
)

// Acts on groups that have GUIDs: dialects 6. COMPAT MSN 6.1 to 7.5: the sources differ on what the answers have besides;
// they are as the server wrote them that real clients are known to work with, and a 0 behind a request is passed by.

// adgGUID makes a group: dialects 6.
func (c *conn) adgGUID(ctx context.Context, r request) error {
	a := r.args()
	name := a.groupName()
	if a.err != nil {
		return a.err
	}
	err := c.s.Exchange.CreateGroup(ctx, c.by(r, 0), name, msnp.MaxGroups)
	if errors.Is(err, im.ErrListFull) {
		return msnp.ErrTooManyGroups
	}
	return err
}

// regGUID renames a group: dialects 6.
func (c *conn) regGUID(ctx context.Context, r request) error {
	a := r.args()
	s := c.client.Snapshot()
	g, ok := msnp.ParseGUID(a.next())
	id, there := groupNamed(g, s)
	if !ok || !there {
		return msnp.ErrInvalidGroup
	}
	name := a.groupName()
	if a.err != nil {
		return a.err
	}
	err := c.s.Exchange.RenameGroup(ctx, c.by(r, 0), id, name)
	if errors.Is(err, im.ErrSameMode) {
		c.Reply("REG", r.trID, "1", msnp.Fit(name, msnp.MaxGroup), string(g), "0")
		return nil
	}
	return err
}

// rmgGUID takes a group away; who was in it stays a contact. dialects 6. COMPAT MSN 7.0: it may name the group by a name
// that is encoded twice.
func (c *conn) rmgGUID(ctx context.Context, r request) error {
	s := c.client.Snapshot()
	arg := r.Arg(1)
	if g, ok := msnp.ParseGUID(arg); ok {
		id, there := groupNamed(g, s)
		if !there {
			return msnp.ErrInvalidGroup
		}
		return c.s.Exchange.DeleteGroup(ctx, c.by(r, 0), id)
	}
	name := string(arg)
	for range 2 {
		decoded, err := msnp.DecodeName([]byte(name))
		if err != nil {
			break
		}
		name = decoded
		if i := slices.IndexFunc(s.Groups, func(g im.Group) bool { return g.Name == name }); i >= 0 {
			return c.s.Exchange.DeleteGroup(ctx, c.by(r, 0), s.Groups[i].ID)
		}
	}
	return msnp.ErrInvalidGroup
}

// appendGroupsGUID appends what became of the groups: dialects 6.
func appendGroupsGUID(b []byte, ch *exchange.Change, own *act, was []im.Group) []byte {
	line := func(verb string, args ...string) {
		trID := int64(0)
		if own != nil && own.verb == verb {
			trID = own.trID
		}
		b = wire.AppendCommand(b, verb, trID, args...)
	}
	guid := func(g im.Group) string { return string(msnp.GroupGUID(ch.Of, g.ID)) }
	for _, g := range was {
		if !slices.ContainsFunc(ch.Groups, func(o im.Group) bool { return o.ID == g.ID }) {
			line("RMG", "1", guid(g))
		}
	}
	for _, g := range ch.Groups {
		i := slices.IndexFunc(was, func(o im.Group) bool { return o.ID == g.ID })
		switch {
		case i < 0:
			line("ADG", msnp.Fit(g.Name, msnp.MaxGroup), guid(g), "0")
		case was[i].Name != g.Name:
			line("REG", "1", msnp.Fit(g.Name, msnp.MaxGroup), guid(g), "0")
		}
	}
	return b
}
