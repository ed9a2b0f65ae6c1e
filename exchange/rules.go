package exchange

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"parley/im"
	"parley/store"
)

// list is a list of rules by its name, nil when there is none; "" is none.
func (s *Snapshot) list(name string) *im.RuleList {
	if name == "" {
		return nil
	}
	for i := range s.Lists {
		if s.Lists[i].Name == name {
			return &s.Lists[i]
		}
	}
	return nil
}

// subject is what a rule is asked about somebody the account keeps e about.
func (s *Snapshot) subject(who im.Address, slot string, what im.Traffic, e *im.Entry) im.Subject {
	q := im.Subject{Who: who, Slot: slot, What: what}
	if e != nil {
		q.Contact, q.Groups = e.Side.Contact, e.Side.Groups
		q.IWatch, q.WatchesMe = e.Side.Watch == im.WatchGranted, e.Watched == im.WatchGranted
	}
	return q
}

// Judge reports what the list called active lets through, or the default one when active is "" or
// none so called is there: XEP-0016 2.1. What the account keeps about q.Who is filled in. Its own
// sessions are never denied to each other.
func (s *Snapshot) Judge(active string, q im.Subject) bool {
	rules := s.rules
	if l := s.list(active); l != nil {
		rules = l.Rules
	}
	if len(rules) == 0 || q.Who == s.Address {
		return true
	}
	return im.Allows(rules, s.subject(q.Who, q.Slot, q.What, s.Entry(q.Who)))
}

// Denies reports whether the list in force (see Judge) denies somebody everything, so that nothing is to be
// sent to them either: XEP-0016 2.13, XEP-0191 3.3. slot is the session it would go to, "" when it names none.
func (s *Snapshot) Denies(active string, to im.Address, slot string) bool {
	rules := s.rules
	e := s.Entry(to)
	if l := s.list(active); l != nil {
		rules = l.Rules
	} else if !s.wide {
		return e != nil && e.Side.Denied
	}
	return to != s.Address && !im.AllowsTo(rules, s.subject(to, slot, im.Everything, e))
}

// hearsOf reports whether the default list of an account lets it hear at all of somebody whom it keeps e about, as
// when they ask to see it: XEP-0016 2.13.
func hearsOf(tx *store.Tx, of im.Address, e *im.Entry) (bool, error) {
	lists, err := tx.RuleLists(of)
	return im.AllowsTo(judging(lists), (&Snapshot{}).subject(e.Who, "", im.Everything, e)), err
}

// Blocked lists whom the default list blocks: its first rules, as far as they deny somebody
// everything. The latest block comes first.
func (s *Snapshot) Blocked() []im.Whom {
	var l []im.Whom
	for _, r := range im.Head(s.rules) {
		if w, _ := r.Block(); !slices.Contains(l, w) {
			l = append(l, w)
		}
	}
	return l
}

// uses is the name of the list that the session chose.
func (c *Client) uses() string {
	if p := c.rules.Load(); p != nil {
		return *p
	}
	return ""
}

// ActiveRules names the list that judges this session alone; "" when the default one does. Safe for anybody.
func (c *Client) ActiveRules() string {
	name := c.uses()
	if c.Snapshot().list(name) == nil {
		return ""
	}
	return name
}

// UseRules has a list judge this session alone, until it ends; "" has the default one judge it
// again: XEP-0016 2.4. Who sees and hears what follows. ErrNotOnList.
func (c *Client) UseRules(name string) error {
	a := c.account
	a.mu.Lock()
	snap := a.snap.Load()
	if name != "" && snap.list(name) == nil {
		a.mu.Unlock()
		return im.ErrNotOnList
	}
	before, after := judge{snap, c, c.uses()}, judge{snap: snap}
	if name == "" {
		c.rules.Store(nil)
	} else {
		c.rules.Store(&name)
	}
	if !c.gone {
		a.resightAll(&c.batch, before, after, nil)
		a.undirectDenied(&c.batch)
	}
	heard := a.hearings(before, after, nil, true)
	offer := a.waiting && c.taking()
	a.mu.Unlock()
	for _, h := range heard {
		if h.c == c {
			c.x.rehear(&c.batch, h)
		}
	}
	if offer { // it may take what others do not
		c.x.offerSoon(a)
	}
	return nil
}

// Reoffer has what waits for the account offered, after the session changed rules that may let more of it through and its
// client has its answer. Sessions that are told of changes only need not.
func (c *Client) Reoffer() {
	if c.account.mayWait() && c.account.reachable() {
		c.x.offerSoon(c.account)
	}
}

// ruling is an act on the account's rule lists. judge does it, and gives the name of the list whose
// rules are others now, "" if none's are; im.ErrSameMode, in its place, ends it without a word.
func (x *Exchange) ruling(ctx context.Context, by By, op string,
	judge func(tx *store.Tx, lists []im.RuleList) (name string, err error)) error {
	if by.Client != nil {
		by.Client.Flush()
	}
	var cs []*Change
	err := x.store.Update(ctx, op, func(tx *store.Tx) error {
		acct, err := x.owner(tx, by.Who)
		if err != nil {
			return err
		}
		if acct.Disabled {
			return im.ErrDisabled
		}
		before, err := tx.RuleLists(by.Who)
		if err != nil {
			return err
		}
		name, err := judge(tx, before)
		if err != nil {
			return err
		}
		after, err := tx.RuleLists(by.Who)
		if err != nil {
			return err
		}
		if acct.Serial, err = x.nextSerial(tx, by.Who); err != nil {
			return err
		}
		acct.Keys = nil
		is := acct
		c := &Change{Of: by.Who, Serial: acct.Serial, Account: &is, Was: &acct, By: by, Rules: name}
		c.lists = append([]im.RuleList{}, after...)
		c.Blocked, c.Unblocked = blocks(after, before), blocks(before, after)
		cs, err = x.denied(tx, by, im.Denials(before), im.Denials(after))
		cs = append([]*Change{c}, cs...)
		return err
	}, func() { x.publish(cs) })
	if err == im.ErrSameMode {
		return nil
	}
	return err
}

// blocks are those whom the default one of some lists blocks, and that of others does not.
func blocks(of, without []im.RuleList) (l []im.Whom) {
	there := map[im.Whom]bool{}
	for _, w := range (&Snapshot{rules: judging(without)}).Blocked() {
		there[w] = true
	}
	for _, w := range (&Snapshot{rules: judging(of)}).Blocked() {
		if !there[w] {
			l = append(l, w)
		}
	}
	return l
}

// judging are the rules of the default list.
func judging(lists []im.RuleList) []im.Rule {
	for _, l := range lists {
		if l.Default {
			return l.Rules
		}
	}
	return nil
}

// denied gives the changes of those whom new rules deny everything, or no more: by address, with
// the names kept. Their rows are written.
func (x *Exchange) denied(tx *store.Tx, by By, before, after map[string]string) (cs []*Change, err error) {
	var who []string
	for w, name := range before {
		if is, still := after[w]; !still || is != name {
			who = append(who, w)
		}
	}
	for w := range after {
		if _, there := before[w]; !there {
			who = append(who, w)
		}
	}
	slices.Sort(who)
	for _, w := range who {
		other := im.TrustedAddress(w)
		if other == by.Who {
			continue
		}
		is, err := tx.Pair(by.Who, other)
		if err != nil {
			return nil, err
		}
		was := is
		was.Mine.DeniedName, was.Mine.Denied = before[w], false
		if _, there := before[w]; there {
			was.Mine.Denied = true
		}
		mine, err := x.changeOf(tx, by, by.Who, other, was, is)
		if err != nil {
			return nil, err
		}
		theirs, err := x.changeOf(tx, by, other, by.Who, was.Turned(), is.Turned())
		if err != nil {
			return nil, err
		}
		cs = append(append(cs, mine...), theirs...)
	}
	return cs, nil
}

// PutRules makes a list, or replaces it; whether it is the default one stays as it is: XEP-0016 2.6,
// 2.7. ErrBadName for a name that is empty, not UTF-8 or longer than 1,023 bytes, orders that are
// not all different, or a rule that could match nobody; ErrUnknownGroup; ErrListFull.
func (x *Exchange) PutRules(ctx context.Context, by By, l im.RuleList) error {
	if !fitName(l.Name) {
		return im.ErrBadName
	}
	l.Rules = slices.Clone(l.Rules)
	slices.SortStableFunc(l.Rules, func(a, b im.Rule) int { return cmp.Compare(a.Order, b.Order) })
	for i := range l.Rules {
		if i > 0 && l.Rules[i].Order == l.Rules[i-1].Order || !settleRule(&l.Rules[i]) {
			return im.ErrBadName
		}
	}
	return x.ruling(ctx, by, "put rules", func(tx *store.Tx, lists []im.RuleList) (string, error) {
		groups, err := tx.Groups(by.Who)
		if err != nil {
			return "", err
		}
		for _, r := range l.Rules {
			if r.By == im.ByGroup && !slices.ContainsFunc(groups, func(g im.Group) bool { return g.ID == r.Group }) {
				return "", im.ErrUnknownGroup
			}
		}
		l.Default = false
		var names map[string]string // kept with the denials that were there
		n, there := len(l.Rules), false
		for _, o := range lists {
			if o.Name == l.Name {
				l.Default, there = o.Default, true
				names = im.Denials([]im.RuleList{{Default: true, Rules: o.Rules}})
			} else {
				n += len(o.Rules)
			}
		}
		for i, r := range l.Rules {
			if r.Name == "" && r.Whole() {
				l.Rules[i].Name = names[r.Value]
			}
		}
		n -= len(im.Head(judging(lists))) // blocks have a limit of their own
		if err := x.roomForRules(n, len(lists), there); err != nil {
			return "", err
		}
		return l.Name, tx.PutRuleList(by.Who, l)
	})
}

// roomForRules checks the limits of n rules in as many lists, and one more that is not there.
func (x *Exchange) roomForRules(n, lists int, there bool) error {
	switch {
	case n > x.cfg.Rules:
		x.cfg.Metrics.LimitHit("rules")
	case !there && lists >= x.cfg.RuleLists:
		x.cfg.Metrics.LimitHit("rule_lists")
	default:
		return nil
	}
	return im.ErrListFull
}

// settleRule brings a rule to the one form in which it is kept, and reports whether it can match anybody.
func settleRule(r *im.Rule) bool {
	if r.What == 0 || r.What&^im.Everything != 0 {
		return false
	}
	switch r.By {
	case im.Everybody:
		return r.Value == ""
	case im.ByAddress, im.ByDomain:
		a, err := im.ParseAddress(r.Value)
		if err != nil {
			return false
		}
		r.Value, r.By = a.String(), im.ByAddress
		if a.IsDomain() {
			r.By = im.ByDomain
		}
	case im.BySession:
		bare, slot, found := strings.Cut(r.Value, "/")
		a, err := im.ParseAddress(bare)
		if err != nil || !found || !fitName(slot) {
			return false
		}
		r.Value = a.String() + "/" + slot
	case im.ByGroup:
		return r.Group != 0
	case im.ByWatch:
		return slices.Contains([]string{"none", "to", "from", "both"}, r.Value)
	default:
		return false
	}
	return true
}

// others reports whether another session of the account is judged by a list: by name, or by the
// default one ("").
func (x *Exchange) others(by By, name string) bool {
	a := x.inMemory(by.Who)
	if a == nil {
		return false
	}
	return slices.ContainsFunc(a.online(), func(o *Client) bool { return o != by.Client && o.ActiveRules() == name })
}

// DeleteRules deletes a list: XEP-0016 2.8. ErrNotOnList; ErrOpposite when it judges another session of
// the account.
func (x *Exchange) DeleteRules(ctx context.Context, by By, name string) error {
	return x.ruling(ctx, by, "delete rules", func(tx *store.Tx, lists []im.RuleList) (string, error) {
		i := slices.IndexFunc(lists, func(l im.RuleList) bool { return l.Name == name })
		if i < 0 {
			return "", im.ErrNotOnList
		}
		if x.others(by, name) || lists[i].Default && x.others(by, "") {
			return "", im.ErrOpposite
		}
		return name, tx.DeleteRuleList(by.Who, name)
	})
}

// DefaultRules has a list judge all sessions that use no other, and what comes while there is none; ""
// has none do so: XEP-0016 2.5. ErrNotOnList; ErrOpposite when the default list judges another
// session of the account.
func (x *Exchange) DefaultRules(ctx context.Context, by By, name string) error {
	return x.ruling(ctx, by, "default rules", func(tx *store.Tx, lists []im.RuleList) (string, error) {
		was := slices.IndexFunc(lists, func(l im.RuleList) bool { return l.Default })
		is := slices.IndexFunc(lists, func(l im.RuleList) bool { return l.Name == name })
		switch {
		case name != "" && is < 0:
			return "", im.ErrNotOnList
		case was == is || name == "" && was < 0:
			return "", im.ErrSameMode
		case was >= 0 && x.others(by, ""):
			return "", im.ErrOpposite
		}
		l, judges := im.RuleList{}, name != ""
		if judges {
			l = lists[is]
		} else {
			l = lists[was]
		}
		l.Default = judges
		return "", tx.PutRuleList(by.Who, l)
	})
}

// Deny blocks people, domains and single sessions, at the head of the default list: XEP-0191 3.3. All at
// once, or none; who is blocked stays so. Nobody need be known. ErrBadAddress for oneself, ErrListFull.
func (x *Exchange) Deny(ctx context.Context, by By, who []im.Whom) error {
	for _, w := range who {
		if w.Address.IsZero() || w.Address == by.Who {
			return im.ErrBadAddress
		}
	}
	return x.ruling(ctx, by, "deny", func(tx *store.Tx, lists []im.RuleList) (string, error) {
		i := slices.IndexFunc(lists, func(l im.RuleList) bool { return l.Default })
		l := im.RuleList{Name: freeName(lists), Default: true}
		if i >= 0 {
			l = lists[i]
		}
		var came []im.Whom
		if l.Rules, came = im.DenyAll(l.Rules, who); len(came) == 0 {
			return "", im.ErrSameMode
		}
		if len(im.Head(l.Rules)) > x.cfg.Contacts { // as for Block, which counts no rules either
			x.cfg.Metrics.LimitHit("contacts")
			return "", im.ErrListFull
		}
		return l.Name, tx.PutRuleList(by.Who, l)
	})
}

// freeName names the default list that a block makes.
func freeName(lists []im.RuleList) string {
	name := store.BlockedList
	for n := 2; slices.ContainsFunc(lists, func(l im.RuleList) bool { return l.Name == name }); n++ {
		name = fmt.Sprintf("%s %d", store.BlockedList, n)
	}
	return name
}

// Undeny takes blocks away, all at once; who is not blocked stays so: XEP-0191 3.4.
func (x *Exchange) Undeny(ctx context.Context, by By, who []im.Whom) error {
	if len(who) == 0 {
		return nil
	}
	_, err := x.undeny(ctx, by, who)
	return err
}

// UnblockAll takes all blocks away, and gives whose they were: XEP-0191 3.5.
func (x *Exchange) UnblockAll(ctx context.Context, by By) ([]im.Whom, error) {
	return x.undeny(ctx, by, nil)
}

func (x *Exchange) undeny(ctx context.Context, by By, who []im.Whom) (went []im.Whom, err error) {
	err = x.ruling(ctx, by, "undeny", func(tx *store.Tx, lists []im.RuleList) (string, error) {
		went = nil
		i := slices.IndexFunc(lists, func(l im.RuleList) bool { return l.Default })
		if i < 0 {
			return "", im.ErrSameMode
		}
		l := lists[i]
		if l.Rules, went = im.UndenyAll(l.Rules, who); len(went) == 0 {
			return "", im.ErrSameMode
		}
		if len(l.Rules) == 0 {
			return l.Name, tx.DeleteRuleList(by.Who, l.Name)
		}
		return l.Name, tx.PutRuleList(by.Who, l)
	})
	return went, err
}
