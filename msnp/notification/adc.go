package notification

import (
	"bytes"
	"context"
	"errors"

	"parley/exchange"
	"parley/im"
	"parley/msnp"
	"parley/msnp/wire"
)

// From MSNP10 on contacts and groups have GUIDs, lists have no versions, and what is said of somebody has a letter before
// it: dialects 4.6.

// person is what ADC says of somebody.
type person struct {
	who   im.Address
	name  string
	known bool // by GUID
	group msnp.GUID
}

// anyList reads one of the lists, also those that the server keeps.
func (a *args) anyList() msnp.List {
	if string(a.Arg(a.i)) == msnp.PendingList.String() {
		a.i++
		return msnp.PendingList
	}
	return a.list(true)
}

// guid reads a GUID.
func (a *args) guid() msnp.GUID {
	g, ok := msnp.ParseGUID(a.next())
	if !ok && a.err == nil {
		a.err = msnp.ErrListsFailed
	}
	return g
}

// person reads what ADC says: N=handle, F=name, C=guid, and the GUID of a group. dialects 4.6
func (a *args) person(s *exchange.Snapshot) (p person) {
	named := false
	for ; a.i < a.Len() && a.err == nil; a.i++ {
		switch arg := a.Arg(a.i); {
		case bytes.HasPrefix(arg, []byte("N=")):
			h := arg[2:]
			who, err := im.ParseAddressBytes(h)
			if p.who, named = who, true; err != nil || who.IsDomain() || !msnp.ValidHandle(string(h)) {
				a.err = msnp.ErrInvalidParameter
			}
			if bytes.HasPrefix(h, []byte("tel:")) {
				a.err = msnp.ErrInvalidUsername // there are no telephones here
			}
		case bytes.HasPrefix(arg, []byte("F=")):
			name, err := msnp.DecodeName(arg[2:])
			if p.name = name; err != nil {
				a.err = msnp.ErrInvalidFriendlyName
			}
		case bytes.HasPrefix(arg, []byte("C=")):
			g, ok := msnp.ParseGUID(arg[2:])
			if !ok {
				a.err = msnp.ErrListsFailed
				return p
			}
			e := contactOf(g, s)
			if e == nil {
				a.err = msnp.ErrInvalidUsername
				return p
			}
			p.who, p.known, named = e.Who, true, true
		default:
			g, ok := msnp.ParseGUID(arg)
			if p.group = g; !ok {
				a.err = msnp.ErrInvalidGroup
			}
		}
	}
	if !named && a.err == nil {
		a.err = msnp.ErrInvalidParameter
	}
	return p
}

// contactOf finds the contact that a GUID names, nil for none.
func contactOf(g msnp.GUID, s *exchange.Snapshot) *im.Entry {
	for _, e := range s.Entries {
		if isOn(msnp.ForwardList, e) && msnp.ContactGUID(e.Who) == g {
			return e
		}
	}
	return nil
}

// groupNamed finds the group that a GUID names.
func groupNamed(g msnp.GUID, s *exchange.Snapshot) (im.GroupID, bool) {
	for _, o := range s.Groups {
		if msnp.GroupGUID(s.Address, o.ID) == g {
			return o.ID, true
		}
	}
	return 0, false
}

// unknown gives the number that these dialects have for somebody who does not exist: dialects 4.6.
func unknown(err error) error {
	if errors.Is(err, im.ErrUnknownUser) {
		return msnp.ErrInvalidUsername
	}
	return err
}

// adc puts a user on a list, or a contact into a group: dialects 4.6. That a user was seen on the Pending List is said
// by adding them to the Reverse List. COMPAT MSN 6.1 to 7.5: which is answered, and not kept; who was let in or blocked,
// as clients do before, is not pending any more.
func (c *conn) adc(ctx context.Context, r request) error {
	s := c.client.Snapshot()
	a := r.args()
	list := a.anyList()
	p := a.person(s)
	switch {
	case a.err != nil:
		return a.err
	case list == msnp.PendingList:
		return msnp.ErrInvalidParameter
	case list == msnp.ReverseList:
		if !isOn(msnp.ReverseList, entryOf(s, p.who)) {
			return im.ErrNotOnList
		}
		c.Reply("ADC", r.trID, list.String(), "N="+p.who.String())
		return nil
	case list != msnp.ForwardList:
		return unknown(c.addTo(ctx, r, list, p.who, p.name))
	}
	d := &details{guid: p.known, group: noGroup}
	if p.group == "" {
		if err := c.learn(ctx, p.who, d); err != nil {
			return err
		}
		return unknown(c.s.Exchange.Watch(ctx, c.byWith(r, list, d), p.who, p.name))
	}
	id, ok := groupNamed(p.group, s)
	if !ok {
		return msnp.ErrInvalidGroup
	}
	if d.in = id; !p.known {
		if err := c.learn(ctx, p.who, d); err != nil {
			return err
		}
	}
	return unknown(c.s.Exchange.WatchIn(ctx, c.byWith(r, list, d), p.who, p.name, id))
}

// entryOf is what is kept of somebody, never nil.
func entryOf(s *exchange.Snapshot, who im.Address) *im.Entry {
	if e := s.Entry(who); e != nil {
		return e
	}
	return &im.Entry{Who: who}
}

// remGUID takes a user off a list, or a contact, by GUID, out of a group: dialects 4.6.
func (c *conn) remGUID(ctx context.Context, r request) error {
	s := c.client.Snapshot()
	a := r.args()
	switch list := a.anyList(); {
	case a.err != nil:
		return a.err
	case list == msnp.ForwardList:
		return c.remContact(ctx, r, a, s)
	case list == msnp.ReverseList:
		return msnp.ErrInvalidParameter
	default:
		who := a.handle()
		switch {
		case a.err != nil:
			return a.err
		case list != msnp.PendingList:
			return c.remFrom(ctx, r, list, who)
		case !isOn(msnp.ReverseList, entryOf(s, who)):
			return im.ErrNotOnList
		}
		c.Reply("REM", r.trID, list.String(), who.String())
		return nil
	}
}

func (c *conn) remContact(ctx context.Context, r request, a *args, s *exchange.Snapshot) error {
	g := a.guid()
	if a.err != nil {
		return a.err
	}
	e := contactOf(g, s)
	if e == nil {
		return im.ErrNotOnList
	}
	if r.Len() == a.i {
		return c.s.Exchange.Forget(ctx, c.byWith(r, msnp.ForwardList, &details{group: noGroup}), e.Who)
	}
	group, ok := msnp.ParseGUID(a.next())
	id, there := groupNamed(group, s)
	if !ok || !there {
		return msnp.ErrInvalidGroup
	}
	err := c.s.Exchange.LeaveGroup(ctx, c.byWith(r, msnp.ForwardList, &details{group: noGroup, in: id}), e.Who, id)
	if errors.Is(err, im.ErrSameMode) {
		return msnp.ErrNotInGroup
	}
	return err
}

// sbp changes what is kept of a contact: the name alone is; what else a client says of one it hears again. dialects 4.6
func (c *conn) sbp(ctx context.Context, r request) error {
	a := r.args()
	g, property := a.guid(), string(a.next())
	if a.err != nil {
		return a.err
	}
	e := contactOf(g, c.client.Snapshot())
	switch {
	case e == nil:
		return msnp.ErrInvalidUsername
	case len(property) != 3:
		return msnp.ErrNotExpected // dialects 1.5
	case property != "MFN":
		if len(r.Arg(3)) > msnp.MaxProperty {
			return msnp.ErrInvalidParameter
		}
		c.Reply("SBP", r.trID, string(g), property, string(r.Arg(3)))
		return nil
	}
	name := a.name()
	if a.err != nil {
		return a.err
	}
	err := c.s.Exchange.NameContact(ctx, c.by(r, 0), e.Who, name)
	if errors.Is(err, im.ErrSameMode) {
		c.Reply("SBP", r.trID, string(g), property, msnp.FitName(name))
		return nil
	}
	return err
}

// appendADC appends an ADC of somebody who came on a list: dialects 4.6.
func appendADC(b []byte, trID int64, list msnp.List, _ int64, e *im.Entry, group string) []byte {
	who := "N=" + e.Who.String()
	switch list {
	case msnp.ForwardList:
		return wire.AppendCommand(b, "ADC", trID, list.String(), who, "F="+msnp.FitName(listName(list, e)), "C="+string(msnp.ContactGUID(e.Who)), group)
	case msnp.ReverseList:
		return wire.AppendCommand(b, "ADC", trID, list.String(), who, "F="+msnp.FitName(listName(list, e)))
	}
	return wire.AppendCommand(b, "ADC", trID, list.String(), who)
}

// appendListsGUID is appendLists with GUIDs: dialects 4.6.
func appendListsGUID(v *voice, b []byte, ch *exchange.Change, own *act, groups []im.Group) []byte {
	if own != nil && own.verb == "SBP" {
		b = wire.AppendCommand(b, "SBP", own.trID, string(msnp.ContactGUID(ch.Who)), "MFN", msnp.FitName(listName(msnp.ForwardList, &ch.After)))
	}
	if own != nil && own.list != 0 && own.list != msnp.ForwardList { // the echo comes first
		b = appendMembershipGUID(b, own.trID, own.list, ch)
	}
	b = appendForwardGUID(v, b, ch, own, groups)
	for _, list := range msnp.Lists() {
		if list != msnp.ForwardList && (own == nil || list != own.list) {
			b = appendMembershipGUID(b, 0, list, ch)
		}
	}
	return b
}

// appendMembershipGUID appends the ADC or REM of a list that somebody came on or went off.
func appendMembershipGUID(b []byte, trID int64, list msnp.List, ch *exchange.Change) []byte {
	switch was, is := isOn(list, &ch.Before), isOn(list, &ch.After); {
	case is && !was:
		return appendADC(b, trID, list, 0, &ch.After, "")
	case was && !is && list == msnp.ForwardList:
		return wire.AppendCommand(b, "REM", trID, list.String(), string(msnp.ContactGUID(ch.Who)))
	case was && !is:
		return wire.AppendCommand(b, "REM", trID, list.String(), ch.Who.String())
	}
	return b
}

// appendForwardGUID appends what became of somebody on the Forward List, and in groups.
func appendForwardGUID(v *voice, b []byte, ch *exchange.Change, own *act, groups []im.Group) []byte {
	if own != nil && (own.list != msnp.ForwardList || own.more == nil) {
		own = nil
	}
	fl, guid := msnp.ForwardList.String(), string(msnp.ContactGUID(ch.Who))
	did := im.GroupID(0) // what the echo says of a group
	trID := int64(0)
	if own != nil {
		trID, did = own.trID, own.more.in
	}
	name := ""
	if did != 0 {
		name = string(msnp.GroupGUID(ch.Of, did))
	}
	switch was, is := isOn(msnp.ForwardList, &ch.Before), isOn(msnp.ForwardList, &ch.After); {
	case !is:
		return appendMembershipGUID(b, trID, msnp.ForwardList, ch)
	case own != nil && own.verb == "REM":
		b = wire.AppendCommand(b, "REM", trID, fl, guid, name)
	case own != nil && own.more.guid:
		b = wire.AppendCommand(b, "ADC", trID, fl, "C="+guid, name)
	case own != nil || !was:
		b = appendADC(b, trID, msnp.ForwardList, 0, &ch.After, name)
		if own != nil {
			b = appendLearned(v, b, ch, own)
		}
	}
	for _, g := range groups { // those that are gone took their members with them
		was, is := in(&ch.Before, g.ID), in(&ch.After, g.ID)
		switch {
		case g.ID == did, was == is:
		case is:
			b = wire.AppendCommand(b, "ADC", 0, fl, "C="+guid, string(msnp.GroupGUID(ch.Of, g.ID)))
		default:
			b = wire.AppendCommand(b, "REM", 0, fl, guid, string(msnp.GroupGUID(ch.Of, g.ID)))
		}
	}
	return b
}

// appendSettingsBare is appendSettings without versions; the account's own name is among what it tells. dialects 4.4, 4.7
func appendSettingsBare(b []byte, ch *exchange.Change, own *act) []byte {
	if own != nil && own.more != nil && own.more.args != nil {
		b = wire.AppendCommand(b, own.verb, own.trID, own.more.args...)
		own = nil
	}
	line := func(verb string, changed bool, args ...string) {
		switch {
		case own != nil && own.verb == verb:
			b = wire.AppendCommand(b, verb, own.trID, args...)
		case changed:
			b = wire.AppendCommand(b, verb, 0, args...)
		}
	}
	is := ch.Account
	line("GTC", ch.Was.Prompt != is.Prompt, promptWord(is.Prompt))
	line("BLP", privacyWord(ch.Was.Settings) != privacyWord(is.Settings), privacyWord(is.Settings))
	line("PRP", ch.Was.Name != is.Name, "MFN", msnp.FitName(is.DisplayName()))
	return b
}

// appendBPRBare is appendBPR without a version: dialects 4.7.
func appendBPRBare(b []byte, _ int64, who im.Address, name, value string) []byte {
	return wire.AppendCommand(b, "BPR", wire.NoTrID, who.String(), name, msnp.Fit(value, msnp.MaxProperty))
}
