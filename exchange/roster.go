package exchange

import (
	"cmp"
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"parley/im"
	"parley/store"
)

// maxName bounds aliases and the names of groups and rule lists, in bytes: as long as a part of an
// address may be (RFC 7622 3.1).
const maxName = 1023

// asIs is what follows an act that is its pair alone.
func asIs(_ *store.Tx, _, _ im.Pair, cs []*Change) ([]*Change, error) { return cs, nil }

// Ask lists other and asks to see them, with what w says: RFC 6121 3.1.2. An address of our domain
// that nobody has is asked as one who never answers. Asking again replaces what was said, and
// reaches them once more; nothing when they are seen already, and for oneself. ErrUnknownUser for
// a domain that is not ours, ErrListFull.
func (x *Exchange) Ask(ctx context.Context, by By, other im.Address, w im.Wish) error {
	if !x.Serves(other.Domain()) {
		return im.ErrUnknownUser // no peer serves it
	}
	if by.Who == other {
		return nil
	}
	w = x.bounded(by.Who, w)
	judge := x.mayAct(by, func(tx *store.Tx, p im.Pair) (im.Pair, error) {
		_, _, going, err := tx.Removal(other)
		if err != nil {
			return p, err
		}
		after, err := p.Ask()
		if err == im.ErrAlready {
			return p, nil
		}
		if going { // nobody grants anything there any more
			after.Mine.Watch = im.WatchAsked
		}
		return after, x.roomToAsk(tx, by.Who, other, p, after)
	})
	return x.perform(ctx, by, other, "ask", judge, func(tx *store.Tx, _, after im.Pair, cs []*Change) ([]*Change, error) {
		if after.Mine.Watch != im.WatchAsked {
			return cs, nil
		}
		if err := tx.PutRequest(by.Who, other, w); err != nil {
			return cs, err
		}
		switch _, err := x.account(tx, other); {
		case err == im.ErrUnknownUser:
			return cs, nil
		case err != nil:
			return cs, err
		}
		i := slices.IndexFunc(cs, func(c *Change) bool { return c.Of == other })
		if i < 0 { // they were asked before: RFC 6121 3.1.3
			me, err := x.account(tx, by.Who)
			if err != nil && err != im.ErrUnknownUser {
				return cs, err
			}
			e := after.Turned().EntryOf(by.Who, me.Name, err == nil)
			cs = append(cs, &Change{Of: other, Who: by.Who, By: by, Before: e, After: e})
			i = len(cs) - 1
		}
		hears, err := hearsOf(tx, other, &cs[i].After)
		if cs[i].Request = &w; !hears { // XEP-0191 3.3
			cs[i].Request = nil
		}
		return cs, err
	})
}

// bounded is a wish as it is kept: its words cut, its native form left out when it is too long.
func (x *Exchange) bounded(from im.Address, w im.Wish) im.Wish {
	w.From, w.Native.Framed = from, nil
	if w.Time.IsZero() {
		w.Time = time.Now()
	}
	if s, n := w.Text.Reveal(), x.cfg.RequestText; len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		w.Text = im.NewText(s[:n])
	}
	if len(w.Native.Body) > x.cfg.RequestText {
		w.Native = im.Native{}
	}
	return w
}

// roomToAsk checks the limits of both lists that somebody comes on who begins to watch.
func (x *Exchange) roomToAsk(tx *store.Tx, who, other im.Address, before, after im.Pair) error {
	if err := x.roomToList(tx, who, before); err != nil || before.Mine.Watch != im.WatchNone {
		return err
	}
	return x.room(tx, other, func(n store.Counts) string {
		if after.Mine.Watch == im.WatchAsked && n.Requests >= x.cfg.Requests {
			return "requests"
		}
		return within(n.Watchers, x.cfg.Watchers, "watchers")
	})
}

// roomToList checks that somebody may have one more contact, unless the other is one.
func (x *Exchange) roomToList(tx *store.Tx, who im.Address, before im.Pair) error {
	if before.Mine.Contact {
		return nil
	}
	return x.room(tx, who, func(n store.Counts) string { return within(n.Contacts, x.cfg.Contacts, "contacts") })
}

// Answer says yes to other's wish to see the account, or says it in advance when they have not
// asked: RFC 6121 3.1.5, 3.4.2. Nothing when they see it already, and for oneself. ErrListFull.
func (x *Exchange) Answer(ctx context.Context, by By, other im.Address) error {
	if by.Who == other {
		return nil
	}
	return x.relate(ctx, by, other, "answer", func(tx *store.Tx, p im.Pair) (im.Pair, error) {
		after := p.Answer()
		if p.Mine.Access >= im.AccessAnswered || after.Mine.Access < im.AccessAnswered {
			return after, nil
		}
		return after, x.room(tx, by.Who, func(n store.Counts) string { return within(n.Allowed, x.cfg.Contacts, "contacts") })
	})
}

// Refuse says no to other's wish, or takes a yes back, given in advance or not: RFC 6121 3.2.2.
// Nothing when there is neither, and for oneself.
func (x *Exchange) Refuse(ctx context.Context, by By, other im.Address) error {
	if by.Who == other {
		return nil
	}
	return x.relate(ctx, by, other, "refuse", func(_ *store.Tx, p im.Pair) (im.Pair, error) {
		if p.Theirs.Watch == im.WatchNone && p.Mine.Access < im.AccessAnswered {
			return p, nil
		}
		return p.Refuse(), nil
	})
}

// Unwatch stops watching other, or asking, and keeps the contact: RFC 6121 3.3.2. Nothing when the
// account does not watch them, and for oneself.
func (x *Exchange) Unwatch(ctx context.Context, by By, other im.Address) error {
	if by.Who == other {
		return nil
	}
	return x.relate(ctx, by, other, "unwatch", func(_ *store.Tx, p im.Pair) (im.Pair, error) {
		return p.Unwatch(), nil
	})
}

// SetItem lists other under an alias ("": none) and in groups, by name, which are made when they are
// not there; a group that was made so goes with its last member: RFC 6121 2.3, 2.4. Nobody is asked
// anything. ErrBadName for a name that is empty, not UTF-8 or longer than 1,023 bytes; ErrListFull;
// ErrBadAddress for oneself.
func (x *Exchange) SetItem(ctx context.Context, by By, other im.Address, alias string, groups []string) error {
	if by.Who == other {
		return im.ErrBadAddress
	}
	if alias != "" && !fitName(alias) || slices.ContainsFunc(groups, func(g string) bool { return !fitName(g) }) {
		return im.ErrBadName
	}
	made := false
	judge := x.mayAct(by, func(tx *store.Tx, p im.Pair) (after im.Pair, err error) {
		if err := x.roomToList(tx, by.Who, p); err != nil {
			return p, err
		}
		after = p.List()
		after.Mine.Alias = alias
		after.Mine.Groups, made, err = x.groupsNamed(tx, by.Who, groups)
		return after, err
	})
	return x.perform(ctx, by, other, "item", judge, func(tx *store.Tx, before, after im.Pair, cs []*Change) ([]*Change, error) {
		left := slices.DeleteFunc(slices.Clone(before.Mine.Groups), func(g im.GroupID) bool { return slices.Contains(after.Mine.Groups, g) })
		return x.regrouped(tx, by.Who, left, made, cs)
	})
}

func fitName(s string) bool {
	return s != "" && len(s) <= maxName && utf8.ValidString(s) && !slices.Contains([]byte(s), 0)
}

// groupsNamed gives the numbers of groups, and makes those that are not there.
func (x *Exchange) groupsNamed(tx *store.Tx, owner im.Address, names []string) (ids []im.GroupID, made bool, err error) {
	all, err := tx.Groups(owner)
	if err != nil {
		return nil, false, err
	}
	for _, name := range names {
		i := slices.IndexFunc(all, func(g im.Group) bool { return g.Name == name })
		if i < 0 {
			if len(all) >= x.cfg.Groups {
				x.cfg.Metrics.LimitHit("groups")
				return nil, false, im.ErrListFull
			}
			g, err := tx.CreateGroup(owner, name, false)
			if err != nil {
				return nil, false, err
			}
			all, i, made = append(all, g), len(all), true
		}
		ids = append(ids, all[i].ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids), made, nil
}

// regrouped takes away groups that somebody left and that nobody else keeps, and has the owner's
// change say what groups there are now, if that is news.
func (x *Exchange) regrouped(tx *store.Tx, owner im.Address, left []im.GroupID, made bool, cs []*Change) ([]*Change, error) {
	if len(left) > 0 {
		went, err := x.dropEmpty(tx, owner, left)
		if err != nil {
			return cs, err
		}
		made = made || went
	}
	if !made {
		return cs, nil
	}
	all, err := tx.Groups(owner)
	for _, c := range cs {
		if c.Of == owner {
			c.Groups = append([]im.Group{}, all...)
		}
	}
	return cs, err
}

// dropEmpty takes those of some groups away that are empty, do not last, and are named by no rule.
func (x *Exchange) dropEmpty(tx *store.Tx, owner im.Address, ids []im.GroupID) (went bool, err error) {
	all, err := tx.Groups(owner)
	if err != nil {
		return false, err
	}
	lists, err := tx.RuleLists(owner)
	if err != nil {
		return false, err
	}
	for _, g := range all {
		if g.Lasts || !slices.Contains(ids, g.ID) || slices.ContainsFunc(lists, func(l im.RuleList) bool {
			return slices.ContainsFunc(l.Rules, func(r im.Rule) bool { return r.By == im.ByGroup && r.Group == g.ID })
		}) {
			continue
		}
		if members, err := tx.Members(owner, g.ID); err != nil || len(members) > 0 {
			if err != nil {
				return went, err
			}
			continue
		}
		if err := tx.DeleteGroup(owner, g.ID); err != nil {
			return went, err
		}
		went = true
	}
	return went, nil
}

// RemoveItem takes other off the roster, and ends both watches: RFC 6121 2.5. ErrNotOnList.
func (x *Exchange) RemoveItem(ctx context.Context, by By, other im.Address) error {
	judge := x.mayAct(by, func(_ *store.Tx, p im.Pair) (im.Pair, error) {
		if by.Who != other {
			return p.Remove()
		}
		if !p.Mine.Item() {
			return p, im.ErrNotOnList
		}
		p.Mine = im.Side{Denied: p.Mine.Denied, DeniedName: p.Mine.DeniedName}
		return p, nil
	})
	return x.perform(ctx, by, other, "remove item", judge, func(tx *store.Tx, before, _ im.Pair, cs []*Change) ([]*Change, error) {
		return x.regrouped(tx, by.Who, before.Mine.Groups, false, cs)
	})
}

// Requests lists who asks to see somebody and has no answer, with what they said, the oldest first.
// Who is blocked is not among them.
func (x *Exchange) Requests(ctx context.Context, who im.Address) ([]im.Wish, error) {
	var l []im.Wish
	err := x.store.View(ctx, "requests", func(tx *store.Tx) error {
		said, err := tx.Requests(who)
		if err != nil {
			return err
		}
		asking, err := tx.Asking(who)
		if err != nil {
			return err
		}
		lists, err := tx.RuleLists(who)
		if err != nil {
			return err
		}
		l = make([]im.Wish, 0, len(asking))
		for _, a := range asking {
			p, err := tx.Pair(who, a)
			if err != nil {
				return err
			}
			e := p.EntryOf(a, "", false)
			if !im.AllowsTo(judging(lists), (&Snapshot{}).subject(a, "", im.Everything, &e)) {
				continue
			}
			w := im.Wish{From: a} // who came by a protocol that says nothing with it
			if i := slices.IndexFunc(said, func(w im.Wish) bool { return w.From == a }); i >= 0 {
				w = said[i]
			}
			l = append(l, w)
		}
		return nil
	})
	slices.SortStableFunc(l, func(a, b im.Wish) int { return cmp.Or(a.Time.Compare(b.Time), a.From.Compare(b.From)) })
	return l, err
}
