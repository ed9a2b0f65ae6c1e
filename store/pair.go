package store

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/im"
)

// sideRow takes sideColumns.
type sideRow struct {
	small, ends                                 int64
	alias, last, groups, accessName, deniedName string
}

func (r *sideRow) dest() []any {
	return []any{&r.small, &r.alias, &r.last, &r.groups, &r.accessName, &r.ends, &r.deniedName}
}

func (r *sideRow) side() im.Side {
	return im.Side{
		Contact:    r.small&1 != 0,
		Watch:      im.Watch(r.small >> 1 & 3),
		Access:     im.Access(r.small >> 3 & 3),
		Write:      r.small>>5&1 != 0,
		Denied:     r.small>>6&1 != 0,
		Alias:      r.alias,
		LastName:   r.last,
		Groups:     groupIDs(r.groups),
		AccessName: r.accessName,
		AccessEnds: moment(r.ends),
		DeniedName: r.deniedName,
	}
}

func groupIDs(s string) (ids []im.GroupID) {
	if s == "" {
		return nil
	}
	for word := range strings.SplitSeq(s, " ") {
		n, _ := strconv.ParseInt(word, 10, 64) // written by groupText
		ids = append(ids, im.GroupID(n))
	}
	return ids
}

func groupText(ids []im.GroupID) string {
	if len(ids) == 0 {
		return ""
	}
	ids = slices.Sorted(slices.Values(ids))
	var b []byte
	for i, id := range slices.Compact(ids) {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(id), 10)
	}
	return string(b)
}

// Pair is what is stored of two principals; zero where nothing is. Those who have no
// account here have zero settings.
func (t *Tx) Pair(me, other im.Address) (im.Pair, error) {
	var pair im.Pair
	mine, err := t.find(me)
	if err != nil {
		return pair, err
	}
	theirs, err := t.find(other)
	if err != nil {
		return pair, err
	}
	if mine != nil {
		pair.MySettings = mine.settings
	}
	if theirs != nil {
		pair.TheirSettings = theirs.settings
	}
	if mine == nil || theirs == nil || mine.sides == 0 || theirs.sides == 0 {
		return pair, nil
	}
	var a, b sideRow
	found, err := t.one(pairOf, false, args{mine.id, theirs.id}, append(a.dest(), b.dest()...))
	if err != nil || !found {
		return pair, err
	}
	pair.Mine, pair.Theirs = a.side(), b.side()
	return pair, nil
}

// PutPair keeps a pair. before is what Pair gave in this Tx, with nothing put since that
// touches it. Only what differs is written: both sides' rows (gone when both are zero),
// the principals that are needed, the counts, the whole denial at the head of the default rule list
// (made and named "blocked" when there is none; gone when it is empty), and the request
// of a watch that is not asked any more. The settings are PutAccount's.
func (t *Tx) PutPair(me, other im.Address, before, after im.Pair) error {
	if me == other { // one row, seen from both ends
		before.Theirs, after.Theirs = before.Mine, after.Mine
	}
	if before.Mine.Equal(after.Mine) && before.Theirs.Equal(after.Theirs) {
		return nil
	}
	if err := t.putSides(me, other, before, after); err != nil {
		return err
	}
	if err := t.putDenial(me, other, before.Mine, after.Mine); err != nil || me == other {
		return err
	}
	return t.putDenial(other, me, before.Theirs, after.Theirs)
}

// putSides is PutPair without the rule lists.
func (t *Tx) putSides(me, other im.Address, before, after im.Pair) error {
	mine, err := t.need(me)
	if err != nil {
		return err
	}
	theirs, err := t.need(other)
	if err != nil {
		return err
	}
	was := !before.Mine.IsZero() || !before.Theirs.IsZero()
	is := !after.Mine.IsZero() || !after.Theirs.IsZero()
	if is && me == other {
		err = t.putSide(mine, theirs, was, before, after)
	} else if is {
		err = errors.Join(
			t.putSide(mine, theirs, was, before, after),
			t.putSide(theirs, mine, was, before.Turned(), after.Turned()))
	} else {
		_, err = t.do(deleteSide, mine.id, theirs.id)
		if err == nil {
			_, err = t.do(deleteSide, theirs.id, mine.id)
		}
	}
	if err != nil {
		return err
	}
	mine.count(before, -bit(was))
	mine.count(after, bit(is))
	if me == other {
		return nil // nobody asks oneself
	}
	theirs.count(before.Turned(), -bit(was))
	theirs.count(after.Turned(), bit(is))
	return errors.Join(
		t.endRequest(mine, theirs, before.Mine, after.Mine),
		t.endRequest(theirs, mine, before.Theirs, after.Theirs))
}

// count adds a pair to the counts of its owner, or takes it off.
func (p *principal) count(pair im.Pair, sign int64) {
	if sign == 0 {
		return
	}
	p.dirty = true
	p.sides += sign
	p.contacts += sign * bit(pair.Mine.Contact)
	p.allowed += sign * bit(pair.Mine.Allowed())
	p.denied += sign * bit(pair.Mine.Denied)
	p.watchers += sign * bit(pair.Theirs.Watch != im.WatchNone)
	p.asking += sign * bit(pair.Theirs.Watch == im.WatchAsked)
}

// putSide writes the owner's row, when it says something else than before.
func (t *Tx) putSide(owner, other *principal, was bool, before, after im.Pair) error {
	s, o := after.Mine, after.Theirs
	same := was && before.Mine.Equal(s) &&
		before.Theirs.Watch == o.Watch && before.Theirs.Access == o.Access && before.Theirs.Denied == o.Denied
	if same {
		return nil
	}
	_, err := t.do(putSide, owner.id, other.id, bit(s.Contact), int64(s.Watch), int64(s.Access), bit(s.Write),
		bit(s.Denied), int64(o.Watch), int64(o.Access), bit(o.Denied), clean(s.Alias), clean(s.LastName),
		groupText(s.Groups), clean(s.AccessName), nanos(s.AccessEnds), clean(s.DeniedName))
	return err
}

func (t *Tx) endRequest(asker, asked *principal, before, after im.Side) error {
	if before.Watch != im.WatchAsked || after.Watch == im.WatchAsked {
		return nil
	}
	_, err := t.do(deleteRequest, asked.id, asker.id)
	return err
}

// Counts are how many of each kind an account keeps or meets.
type Counts struct {
	Contacts int // listed (im.Side.Contact)
	Allowed  int // im.Side.Allowed
	Denied   int // im.Side.Denied
	Watchers int // who watch it, asked or granted
	Requests int // of these, who have no answer
}

// CountSides reads them from one row; all are 0 for those nothing is kept about.
func (t *Tx) CountSides(me im.Address) (Counts, error) {
	p, err := t.find(me)
	if err != nil || p == nil {
		return Counts{}, err
	}
	return Counts{int(p.contacts), int(p.allowed), int(p.denied), int(p.watchers), int(p.asking)}, nil
}

// Asking lists those who asked to see somebody, and have no answer.
func (t *Tx) Asking(me im.Address) ([]im.Address, error) {
	p, err := t.find(me)
	if err != nil || p == nil || p.asking == 0 {
		return nil, err
	}
	if err := t.flush(); err != nil {
		return nil, err
	}
	list := make([]im.Address, 0, p.asking)
	var a string
	err = t.each(askingOf, args{p.id}, func() error {
		list = append(list, im.TrustedAddress(a))
		return nil
	}, &a)
	return list, err
}

// Others lists at most n of those with whom anything is kept, on either side; last is where
// the next page begins (after), and 0 begins the first.
func (t *Tx) Others(me im.Address, after int64, n int) (list []im.Address, last int64, err error) {
	p, err := t.find(me)
	if err != nil || p == nil || p.sides == 0 {
		return nil, after, err
	}
	if err := t.flush(); err != nil {
		return nil, after, err
	}
	last = after
	var a string
	err = t.each(othersAfter, args{p.id, after, n}, func() error {
		list = append(list, im.TrustedAddress(a))
		return nil
	}, &last, &a)
	return list, last, err
}

// AccessDue lists at most n pairs, owner first, in which the owner's answer has come to its
// end (im.Pair.Expired), the oldest first; next is when the first end after now comes, zero
// when none does.
func (t *Tx) AccessDue(now time.Time, n int) (pairs [][2]im.Address, next time.Time, err error) {
	if err := t.flush(); err != nil {
		return nil, next, err
	}
	var a, b string
	err = t.each(accessDue, args{now.UnixNano(), n}, func() error {
		pairs = append(pairs, [2]im.Address{im.TrustedAddress(a), im.TrustedAddress(b)})
		return nil
	}, &a, &b)
	if err != nil {
		return nil, next, err
	}
	var ends int64
	_, err = t.get(accessNext, args{now.UnixNano()}, &ends)
	return pairs, moment(ends), err
}

// Entries is everything an account shows of others, in the order in which the store first
// heard of them.
func (t *Tx) Entries(me im.Address) ([]im.Entry, error) {
	p, err := t.find(me)
	if err != nil || p == nil || p.sides == 0 {
		return nil, err
	}
	if err := t.flush(); err != nil {
		return nil, err
	}
	list := make([]im.Entry, 0, p.sides)
	var r sideRow
	var who, name string
	pair := im.Pair{MySettings: p.settings}
	err = t.each(entriesOf, args{p.id}, func() error {
		pair.Mine = r.side()
		pair.Theirs.Watch = im.Watch(r.small >> 7 & 3)
		pair.Theirs.Access = im.Access(r.small >> 9 & 3)
		pair.Theirs.Denied = r.small>>11&1 != 0
		pair.TheirSettings.Presence = im.Default(r.small >> 13 & 3)
		pair.TheirSettings.Messages = im.Default(r.small >> 15 & 3)
		if e := pair.EntryOf(im.TrustedAddress(who), name, r.small>>12&1 != 0); !e.IsZero() {
			list = append(list, e)
		}
		return nil
	}, append(r.dest(), &who, &name)...)
	return list, err
}
