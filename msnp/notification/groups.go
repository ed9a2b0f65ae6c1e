package notification

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"parley/exchange"
	"parley/im"
	"parley/msnp"
	"parley/msnp/wire"
)

// Groups have the numbers 1 to 29 here, from their places among the account's groups; those further behind have none,
// and whoever is in none with a number is in group zero, which is always there: dialects 6.

// zeroName is the property under which the name of group zero is kept.
const zeroName = "msnp group zero"

// zeroDefault is its name where the client gave none. COMPAT MSN 4.5 to 7.0: the sources have "Other Contacts" or "~",
// upon which the client would make groups of its own; with the former real clients are known to work.
const zeroDefault = "Other Contacts"

// noGroup stands for the number of a group where a client named none.
const noGroup = -1

// number is a group's number, 0 for one that has none.
func number(g im.Group) int {
	if g.Place < 0 || g.Place >= msnp.MaxGroups-1 {
		return 0
	}
	return int(g.Place) + 1
}

// groupOf is the group with a number from 1 on.
func groupOf(n int, groups []im.Group) (im.GroupID, bool) {
	for _, g := range groups {
		if n != 0 && number(g) == n {
			return g.ID, true
		}
	}
	return 0, false
}

// numbers are the groups that a contact is in, ascending. It is empty for one whose groups are all gone.
func numbers(e *im.Entry, groups []im.Group) []int {
	if len(e.Side.Groups) == 0 {
		return []int{0}
	}
	var l []int
	for _, g := range groups {
		if slices.Contains(e.Side.Groups, g.ID) {
			l = append(l, number(g))
		}
	}
	slices.Sort(l)
	if l = slices.Compact(l); len(l) > 1 && l[0] == 0 {
		l = l[1:]
	}
	return l
}

// in reports whether somebody is in a group.
func in(e *im.Entry, id im.GroupID) bool { return slices.Contains(e.Side.Groups, id) }

// inZero reports whether a contact is in group zero.
func inZero(e *im.Entry, groups []im.Group) bool { return slices.Equal(numbers(e, groups), []int{0}) }

// grouping is what a session with groups remembers.
type grouping struct {
	list []im.Group // as the client was told; changed while nothing else is handed to the session

	// zero are those whom the client has in group zero besides another group, where they are not any more. It is the
	// connection's goroutine's. COMPAT MSN 4.5 to 6.0: who moves somebody from group zero adds first and removes then.
	zero map[im.Address]bool
}

// numbered are the groups that have numbers, group zero first.
func (k *known) numbered() []im.Group {
	zero := k.told[k.Address][zeroName]
	if zero == "" {
		zero = zeroDefault
	}
	l := []im.Group{{Name: zero, Place: -1}}
	for _, g := range k.Groups {
		if number(g) > 0 {
			l = append(l, g)
		}
	}
	return l
}

// appendGroups appends the LSG lines of SYN: dialects 4.2, 6.
func (k *known) appendGroups(b []byte) []byte {
	l := k.numbered()
	serial, total := strconv.FormatInt(k.Serial, 10), strconv.Itoa(len(l))
	for i, g := range l {
		b = wire.AppendCommand(b, "LSG", k.trID, serial, strconv.Itoa(i+1), total, strconv.Itoa(number(g)), msnp.Fit(g.Name, msnp.MaxGroup), "0")
	}
	return b
}

// lsg sends the groups: dialects 4.3.
func (c *conn) lsg(ctx context.Context, r request) error {
	c.Room()
	c.Flush()
	told, err := c.s.Exchange.Properties(ctx, c.who)
	if err != nil {
		return err
	}
	c.client.WithSnapshot(func(s *exchange.Snapshot) {
		c.Queue((&known{Snapshot: s, trID: r.trID, told: told}).appendGroups(nil))
	})
	return nil
}

// group reads the number of a group, from 0 to 29.
func (a *args) group() int {
	n, err := strconv.ParseUint(string(a.next()), 10, 8)
	if (err != nil || n >= msnp.MaxGroups) && a.err == nil {
		a.err = msnp.ErrInvalidGroup
	}
	return int(n)
}

// groupName reads a group's name: dialects 1.5, 6.
func (a *args) groupName() string {
	raw := a.next()
	name, err := msnp.DecodeName(raw)
	switch {
	case a.err != nil:
	case len(raw) > msnp.MaxGroup || len(msnp.EncodeName(name)) > msnp.MaxGroup:
		a.err = msnp.ErrGroupNameTooLong
	case err != nil:
		a.err = err
	}
	return name
}

// adg makes a group: dialects 6.
func (c *conn) adg(ctx context.Context, r request) error {
	a := r.args()
	name := a.groupName()
	if a.err != nil {
		return a.err
	}
	err := c.s.Exchange.CreateGroup(ctx, c.by(r, 0), name, msnp.MaxGroups-1)
	if errors.Is(err, im.ErrListFull) {
		return msnp.ErrTooManyGroups
	}
	return err
}

// reg renames a group: dialects 6.
func (c *conn) reg(ctx context.Context, r request) error {
	a := r.args()
	n, name := a.group(), a.groupName()
	if a.err != nil {
		return a.err
	}
	says := []string{strconv.Itoa(n), msnp.EncodeName(name), "0"}
	if n == 0 {
		return c.s.Exchange.SetProperty(ctx, c.byWith(r, 0, &details{args: says}), zeroName, name, false)
	}
	s := c.client.Snapshot()
	id, ok := groupOf(n, s.Groups)
	if !ok {
		return msnp.ErrInvalidGroup
	}
	err := c.s.Exchange.RenameGroup(ctx, c.by(r, 0), id, name)
	if errors.Is(err, im.ErrSameMode) {
		c.Reply("REG", r.trID, append([]string{strconv.FormatInt(s.Serial, 10)}, says...)...)
		return nil
	}
	return err
}

// rmg takes a group away; who was in it alone is in group zero then. dialects 6. COMPAT MSN 4.5 to 6.0: the sources
// differ on whether these are contacts no more; they stay, and since the client may have dropped them they are added
// to group zero with the transaction ID 0.
func (c *conn) rmg(ctx context.Context, r request) error {
	a := r.args()
	n := a.group()
	if a.err != nil {
		return a.err
	}
	if n == 0 {
		return msnp.ErrGroupZero
	}
	id, ok := groupOf(n, c.client.Snapshot().Groups)
	if !ok {
		return msnp.ErrInvalidGroup
	}
	return c.s.Exchange.DeleteGroup(ctx, c.by(r, 0), id)
}

// addGroup is add for dialects with groups: somebody who is on the Forward List comes into another group besides.
// dialects 4.5, 6. COMPAT MSN 4.5 to 6.0: where the client names no group, the echo names none either.
func (c *conn) addGroup(ctx context.Context, r request) error {
	a := r.args()
	list, who, name := a.list(false), a.handle(), a.name()
	d := &details{group: noGroup}
	if list == msnp.ForwardList && r.Len() > a.i {
		d.group = a.group()
	}
	switch {
	case a.err != nil:
		return a.err
	case list != msnp.ForwardList:
		return c.addTo(ctx, r, list, who, name)
	}
	s := c.client.Snapshot()
	e := s.Entry(who)
	listed := e != nil && e.Side.Listed()
	if d.group > 0 {
		id, ok := groupOf(d.group, s.Groups)
		if !ok {
			return msnp.ErrInvalidGroup
		}
		if err := c.learn(ctx, who, d); err != nil {
			return err
		}
		err := c.s.Exchange.WatchIn(ctx, c.byWith(r, list, d), who, name, id)
		if err == nil && listed && inZero(e, s.Groups) {
			c.keepZero(who, true)
		}
		return err
	}
	if listed && d.group == 0 && !inZero(e, s.Groups) && !c.groups.zero[who] {
		c.keepZero(who, true) // until they leave the others
		c.echoAdd(r, list, who, "0")
		return nil
	}
	if err := c.learn(ctx, who, d); err != nil {
		return err
	}
	return c.s.Exchange.Watch(ctx, c.byWith(r, list, d), who, name)
}

// learn reads what somebody tells of themselves who is about to be a contact.
func (c *conn) learn(ctx context.Context, who im.Address, d *details) error {
	c.Flush()
	told, err := c.s.Exchange.Properties(ctx, who)
	d.told = told[who]
	return err
}

func (c *conn) keepZero(who im.Address, in bool) {
	if !in {
		delete(c.groups.zero, who)
		return
	}
	if c.groups.zero == nil {
		c.groups.zero = map[im.Address]bool{}
	}
	c.groups.zero[who] = true
}

// remGroup is rem for dialects with groups: with a group, a contact leaves that one alone. dialects 4.5, 6. COMPAT MSN
// 4.5 to 6.0: what becomes of one who leaves the only group is nowhere said; they come back into group zero, which the
// client is told, since here nobody is in no group.
func (c *conn) remGroup(ctx context.Context, r request) error {
	a := r.args()
	list, who := a.list(false), a.handle()
	d := &details{group: noGroup}
	if list == msnp.ForwardList && r.Len() > a.i {
		d.group = a.group()
	}
	if a.err != nil {
		return a.err
	}
	if d.group == noGroup {
		if list == msnp.ForwardList {
			c.keepZero(who, false)
		}
		return c.rem(ctx, r)
	}
	s := c.client.Snapshot()
	e := s.Entry(who)
	if e == nil || !e.Side.Listed() {
		return im.ErrNotOnList
	}
	zero := c.groups.zero[who]
	if d.group == 0 {
		if !zero && !inZero(e, s.Groups) {
			return msnp.ErrNotInGroup
		}
		c.keepZero(who, false)
		c.Reply("REM", r.trID, list.String(), strconv.FormatInt(s.Serial, 10), who.String(), "0")
		if inZero(e, s.Groups) { // nobody is in no group
			c.Queue(appendADD(nil, 0, list, s.Serial, e, "0"))
		}
		return nil
	}
	id, ok := groupOf(d.group, s.Groups)
	if !ok {
		return msnp.ErrInvalidGroup
	}
	d.zero = zero
	err := c.s.Exchange.LeaveGroup(ctx, c.byWith(r, list, d), who, id)
	switch e := c.client.Snapshot().Entry(who); {
	case errors.Is(err, im.ErrSameMode):
		return msnp.ErrNotInGroup
	case err == nil && e != nil && len(e.Side.Groups) == 0:
		c.keepZero(who, false)
	}
	return err
}

// appendGroups appends what became of the groups: dialects 6. COMPAT MSN 4.5 to 6.0: what came from another session of
// the account has the transaction ID 0, as draft 7.8 has it for lists; no source shows it.
func appendGroups(b []byte, ch *exchange.Change, own *act, was []im.Group) []byte {
	is, serial := ch.Groups, ch.Serial
	line := func(verb string, args ...string) {
		trID := int64(0)
		if own != nil && own.verb == verb {
			trID = own.trID
		}
		b = wire.AppendCommand(b, verb, trID, append([]string{strconv.FormatInt(serial, 10)}, args...)...)
	}
	for _, g := range was {
		if n := number(g); n > 0 && !slices.ContainsFunc(is, func(o im.Group) bool { return o.ID == g.ID }) {
			line("RMG", strconv.Itoa(n))
		}
	}
	for _, g := range is {
		n := strconv.Itoa(number(g))
		i := slices.IndexFunc(was, func(o im.Group) bool { return o.ID == g.ID })
		switch {
		case n == "0":
		case i < 0:
			line("ADG", msnp.Fit(g.Name, msnp.MaxGroup), n, "0")
		case was[i].Name != g.Name:
			line("REG", n, msnp.Fit(g.Name, msnp.MaxGroup), "0")
		}
	}
	return b
}

// appendListsGroups is appendLists for dialects with groups: coming into a group is an ADD, leaving it a REM.
// dialects 4.5, 6
func appendListsGroups(v *voice, b []byte, ch *exchange.Change, own *act, groups []im.Group) []byte {
	if own != nil && own.list != 0 && own.list != msnp.ForwardList { // the echo comes first
		b = appendMembership(b, own.trID, own.list, ch.Serial, &ch.Before, &ch.After)
	}
	b = appendForward(v, b, ch, own, groups)
	for _, list := range msnp.Lists() {
		if list != msnp.ForwardList && (own == nil || list != own.list) {
			b = appendMembership(b, 0, list, ch.Serial, &ch.Before, &ch.After)
		}
	}
	return b
}

// appendForward appends what became of somebody on the Forward List.
func appendForward(v *voice, b []byte, ch *exchange.Change, own *act, groups []im.Group) []byte {
	if own != nil && own.list != msnp.ForwardList {
		own = nil
	}
	var was, is []int
	if isOn(msnp.ForwardList, &ch.Before) {
		was = numbers(&ch.Before, groups)
	}
	if isOn(msnp.ForwardList, &ch.After) {
		is = numbers(&ch.After, groups)
	} else {
		trID := int64(0)
		if own != nil {
			trID = own.trID
		}
		return appendMembership(b, trID, msnp.ForwardList, ch.Serial, &ch.Before, &ch.After)
	}
	add := func(trID int64, group string) {
		b = appendADD(b, trID, msnp.ForwardList, ch.Serial, &ch.After, group)
	}
	rem := func(trID int64, group int) {
		b = wire.AppendCommand(b, "REM", trID, msnp.ForwardList.String(), strconv.FormatInt(ch.Serial, 10), ch.Who.String(), strconv.Itoa(group))
	}
	added, removed := noGroup, noGroup // by the client itself
	switch {
	case own == nil || own.more == nil:
	case own.verb == "ADD":
		if added = max(own.more.group, 0); own.more.group == noGroup {
			add(own.trID, "")
		} else {
			add(own.trID, strconv.Itoa(added))
		}
		b = appendLearned(v, b, ch, own)
		if added != 0 && slices.Equal(was, []int{0}) {
			was = nil // to the client they are in both
		} else if !slices.Contains(is, added) {
			was = append(was, added)
		}
	case own.verb == "REM":
		removed = own.more.group
		rem(own.trID, removed)
		if own.more.zero {
			added = 0
		}
	}
	for _, g := range is {
		if g != added && !slices.Contains(was, g) {
			add(0, strconv.Itoa(g))
		}
	}
	for _, g := range was {
		if g != removed && !slices.Contains(is, g) {
			rem(0, g)
		}
	}
	return b
}
