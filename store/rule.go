package store

import (
	"cmp"
	"fmt"
	"slices"

	"parley/im"
)

// BlockedList names the default list that blocking makes.
const BlockedList = "blocked"

// RuleLists lists an owner's rule lists with their rules, by name.
func (t *Tx) RuleLists(owner im.Address) ([]im.RuleList, error) {
	p, err := t.find(owner)
	if err != nil || p == nil || p.lists == 0 {
		return nil, err
	}
	lists, at, err := t.listNames(p)
	if err != nil {
		return nil, err
	}
	var r im.Rule
	var list string
	err = t.each(rulesOf, args{p.id}, func() error {
		i, ok := at[list]
		if !ok {
			return fmt.Errorf("a rule of a list %q that is not there", list)
		}
		lists[i].Rules = append(lists[i].Rules, r)
		return nil
	}, &list, &r.Order, &r.By, &r.Value, &r.Group, &r.What, &r.Allow, &r.Name)
	return lists, err
}

// listNames lists an owner's lists without their rules, and where each stands.
func (t *Tx) listNames(p *principal) (lists []im.RuleList, at map[string]int, err error) {
	var l im.RuleList
	err = t.each(listsOf, args{p.id}, func() error {
		lists = append(lists, l)
		return nil
	}, &l.Name, &l.Default)
	slices.SortFunc(lists, func(a, b im.RuleList) int { return cmp.Compare(a.Name, b.Name) })
	at = make(map[string]int, len(lists))
	for i := range lists {
		at[lists[i].Name] = i
	}
	return lists, at, err
}

// PutRuleList keeps a list in the place of the one so named; when it is the default one,
// no other is. The whole denials of the default list show in the sides at once
// (im.Side.Denied). Orders must differ.
func (t *Tx) PutRuleList(owner im.Address, l im.RuleList) error {
	p, err := t.need(owner)
	if err != nil {
		return err
	}
	lists, err := t.RuleLists(owner)
	if err != nil {
		return err
	}
	l.Name = clean(l.Name)
	l.Rules = slices.Clone(l.Rules)
	slices.SortStableFunc(l.Rules, func(a, b im.Rule) int { return cmp.Compare(a.Order, b.Order) })
	before := im.Denials(lists)
	if i := slices.IndexFunc(lists, func(o im.RuleList) bool { return o.Name == l.Name }); i >= 0 {
		lists = slices.Delete(lists, i, i+1)
		if _, err := t.do(deleteRules, p.id, l.Name); err != nil {
			return err
		}
	} else {
		p.lists, p.dirty = p.lists+1, true
	}
	if _, err := t.do(putList, p.id, l.Name, bit(l.Default)); err != nil {
		return err
	}
	if l.Default {
		if _, err := t.do(clearDefault, p.id, l.Name); err != nil {
			return err
		}
		for i := range lists {
			lists[i].Default = false
		}
	}
	for _, r := range l.Rules {
		if err := t.insertRule(p, l.Name, r); err != nil {
			return err
		}
	}
	return t.showDenials(owner, before, im.Denials(append(lists, l)))
}

func (t *Tx) insertRule(p *principal, list string, r im.Rule) error {
	_, err := t.do(insertRule, p.id, list, r.Order, int64(r.By), clean(r.Value), int64(r.Group), int64(r.What),
		bit(r.Allow), clean(r.Name))
	return err
}

// DeleteRuleList takes a list away; whom it denied as the default one, it denies no more.
// im.ErrNotOnList when there is none so named.
func (t *Tx) DeleteRuleList(owner im.Address, name string) error {
	lists, err := t.RuleLists(owner)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(lists, func(l im.RuleList) bool { return l.Name == name })
	if i < 0 {
		return im.ErrNotOnList
	}
	p, err := t.find(owner)
	if err != nil {
		return err
	}
	before := im.Denials(lists)
	if _, err := t.do(deleteRules, p.id, name); err != nil {
		return err
	}
	if _, err := t.do(deleteList, p.id, name); err != nil {
		return err
	}
	p.lists, p.dirty = p.lists-1, true
	return t.showDenials(owner, before, im.Denials(slices.Delete(lists, i, i+1)))
}

// showDenials brings the sides to what the default list says.
func (t *Tx) showDenials(owner im.Address, before, after map[string]string) error {
	show := func(who string, denied bool, name string) error {
		other, err := im.ParseAddress(who)
		if err != nil || other.String() != who || other == owner {
			return nil // a rule that matches nobody
		}
		pair, err := t.Pair(owner, other)
		if err != nil {
			return err
		}
		shown := pair
		shown.Mine.Denied, shown.Mine.DeniedName = denied, name
		return t.putSides(owner, other, pair, shown)
	}
	for who := range before {
		if _, still := after[who]; !still {
			if err := show(who, false, ""); err != nil {
				return err
			}
		}
	}
	for who, name := range after {
		if was, there := before[who]; !there || was != name {
			if err := show(who, true, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// putDenial brings the default list to what a side says of its denial.
func (t *Tx) putDenial(owner, other im.Address, before, after im.Side) error {
	if before.Denied == after.Denied && before.DeniedName == after.DeniedName || !before.Denied && !after.Denied {
		return nil
	}
	p, err := t.find(owner)
	if err != nil {
		return err
	}
	lists, at, err := t.listNames(p)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(lists, func(l im.RuleList) bool { return l.Default })
	if i < 0 {
		if !after.Denied {
			return nil
		}
		name := BlockedList
		for n := 2; ; n++ {
			if _, there := at[name]; !there {
				break
			}
			name = fmt.Sprintf("%s %d", BlockedList, n)
		}
		if _, err := t.do(putList, p.id, name, 1); err != nil {
			return err
		}
		p.lists, p.dirty = p.lists+1, true
		lists, i = append(lists, im.RuleList{Name: name}), len(lists)
	}
	list := lists[i].Name
	whole := args{p.id, list, int64(im.ByAddress), other.String(), int64(im.Everything)}
	switch {
	case !before.Denied:
		var first int64
		if _, err := t.get(firstPlace, args{p.id, list}, &first); err != nil {
			return err
		}
		return t.insertRule(p, list, im.Rule{Order: first - 1, By: im.ByAddress, Value: other.String(),
			What: im.Everything, Name: after.DeniedName})
	case after.Denied:
		_, err := t.do(renameRule, append(whole, clean(after.DeniedName))...)
		return err
	}
	if _, err := t.do(undeny, whole...); err != nil {
		return err
	}
	var left int64
	if _, err := t.get(countRules, args{p.id, list}, &left); err != nil || left > 0 {
		return err
	}
	p.lists, p.dirty = p.lists-1, true
	_, err = t.do(deleteList, p.id, list)
	return err
}
