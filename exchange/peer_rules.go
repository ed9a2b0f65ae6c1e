package exchange

import (
	"context"
	"slices"

	"parley/im"
	"parley/store"
)

// Guard changes whom a user of a peer's hears, and who hears of them: edit is given the document that this is kept in,
// nil when there is none, and makes the new one and the rules that follow from it, all others' places taken. Both are
// kept at once, or neither. Its error ends all; the errors are those of EditPeerNote besides, and ErrBadName for a rule
// that could match nobody.
func (x *Exchange) Guard(ctx context.Context, by By, door, key string,
	edit func(old []byte) (next []byte, rules []im.Rule, err error)) error {
	if x.domains[by.Who.Domain()] {
		return im.ErrUnknownUser
	}
	return x.ruling(ctx, by, "guard", func(tx *store.Tx, lists []im.RuleList) (string, error) {
		var rules []im.Rule
		if _, err := x.editPeerNote(tx, by.Who, door, key, func(old []byte) (next []byte, err error) {
			next, rules, err = edit(old)
			return next, err
		}); err != nil {
			return "", err
		}
		rules = slices.Clone(rules)
		for i := range rules {
			rules[i].Order = int64(i)
			if !settleRule(&rules[i]) {
				return "", im.ErrBadName
			}
		}
		l := im.RuleList{Name: store.BlockedList, Default: true}
		if i := slices.IndexFunc(lists, func(l im.RuleList) bool { return l.Default }); i >= 0 {
			l.Name = lists[i].Name
			if len(rules) == 0 {
				return l.Name, tx.DeleteRuleList(by.Who, l.Name)
			}
		}
		if len(rules) == 0 {
			return "", nil
		}
		l.Rules = rules
		return l.Name, tx.PutRuleList(by.Who, l)
	})
}
