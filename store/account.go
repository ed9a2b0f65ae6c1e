package store

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"parley/im"
)

// accountRow gives the places of principalColumns and accountColumns, and what to do
// after they are filled.
func accountRow() (p *principal, a *im.Account, dest []any, filled func()) {
	p, a = new(principal), new(im.Account)
	dest, principalFilled := p.scan()
	var small, created, seen int64
	f := &a.Profile
	dest = append(dest, &small, &a.Keys, &created, &seen, &f.First, &f.Last, &f.City, &f.State, &f.Country)
	return p, a, dest, func() {
		principalFilled()
		a.ID, a.Address, a.Name, a.Serial, a.Settings = p.id, p.address, p.name, p.serial, p.settings
		a.Disabled, a.Prompt, f.Listed = small&1 != 0, small&2 != 0, small&4 != 0
		a.Created, a.LastSeen = moment(created), moment(seen)
	}
}

// Account reads an account: im.ErrUnknownUser. What it reads on the way makes the reading
// of the account's empty lists free for the rest of the Tx.
func (t *Tx) Account(a im.Address) (im.Account, error) {
	if err := t.flush(); err != nil {
		return im.Account{}, err
	}
	p, account, dest, filled := accountRow()
	found, err := t.one(accountByAddress, false, args{a.String()}, dest)
	switch {
	case err != nil:
		return im.Account{}, err
	case !found:
		return im.Account{}, im.ErrUnknownUser
	}
	filled()
	if k := t.known[a]; k != nil {
		p = k
	} else {
		t.keep(a, p)
	}
	p.row = account
	return *account, nil
}

// CreateAccount makes an account, and a principal when nothing was kept of the address:
// im.ErrAlready, and im.ErrHeld while the address of a removed one is held. Its serial
// lies above any the address had before.
func (t *Tx) CreateAccount(a im.Address, now time.Time) (im.Account, error) {
	p, err := t.find(a)
	switch {
	case err != nil:
		return im.Account{}, err
	case p != nil && p.ours:
		return im.Account{}, im.ErrAlready
	case p != nil && p.held > now.UnixNano():
		return im.Account{}, im.ErrHeld
	}
	if p, err = t.need(a); err != nil {
		return im.Account{}, err
	}
	if _, err := t.do(insertAccount, p.id, []byte{}, nanos(now)); err != nil {
		return im.Account{}, err
	}
	p.ours, p.held, p.dirty = true, 0, true
	p.name, p.settings = "", im.Settings{}
	p.serial = max(t.s.o.NewSerial(), p.serial+1, 1)
	return im.Account{ID: p.id, Address: a, Keys: []byte{}, Serial: p.serial, Created: moment(nanos(now))}, nil
}

// PutAccount keeps all of an account but its Serial and ID: im.ErrUnknownUser.
func (t *Tx) PutAccount(a im.Account) error {
	p, err := t.account(a.Address)
	if err != nil {
		return err
	}
	if p.row == nil || !sameRow(p.row, &a) {
		f := a.Profile
		_, err = t.do(updateAccount, p.id, bit(a.Disabled), bytes(a.Keys), bit(a.Prompt), nanos(a.Created),
			nanos(a.LastSeen), bit(f.Listed), clean(f.First), clean(f.Last), clean(f.City), clean(f.State),
			clean(f.Country), fold(f.First), fold(f.Last), fold(f.City), fold(f.State), fold(f.Country))
		if err != nil {
			return err
		}
		p.row = &a
	}
	if name := clean(a.Name); p.name != name || p.settings != a.Settings {
		p.name, p.settings, p.dirty = name, a.Settings, true
	}
	return nil
}

// PutLastSeen keeps when an account's last session ended, and nothing else of it; nothing for one that does not exist.
// An Account that was read before in the same Tx does not show it.
func (t *Tx) PutLastSeen(who im.Address, at time.Time) error {
	_, err := t.do(putLastSeen, who.String(), nanos(at))
	return err
}

// sameRow reports that two accounts have the same in their own row; the rest is in the principal's.
func sameRow(a, b *im.Account) bool {
	return a.Disabled == b.Disabled && a.Prompt == b.Prompt && a.Created.Equal(b.Created) && a.LastSeen.Equal(b.LastSeen) &&
		a.Profile == b.Profile && slices.Equal(a.Keys, b.Keys)
}

// Accounts lists at most n accounts that come after another ("" is the first), in the order
// in which the store first heard of them: im.ErrUnknownUser when it knows nobody so called.
func (t *Tx) Accounts(after string, n int) ([]im.Account, error) {
	var id int64
	if after != "" {
		a, err := im.ParseAddress(after)
		if err != nil {
			return nil, err
		}
		p, err := t.find(a)
		if err != nil {
			return nil, err
		}
		if p == nil {
			return nil, im.ErrUnknownUser
		}
		id = p.id
	}
	return t.accounts(accountsAfter, id, n)
}

func (t *Tx) accounts(query string, a ...any) ([]im.Account, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	var list []im.Account
	_, account, dest, filled := accountRow()
	err := t.each(query, a, func() error {
		filled()
		list = append(list, *account)
		account.Keys = nil
		return nil
	}, dest...)
	return list, err
}

// CountAccounts counts them by reading a row of each.
func (t *Tx) CountAccounts() (n int, err error) {
	_, err = t.get(countAccounts, nil, &n)
	return n, err
}

// NextSerial counts an account's serial up and gives it; 0 for those who have no account here.
func (t *Tx) NextSerial(a im.Address) (int64, error) {
	p, err := t.find(a)
	if err != nil || p == nil || !p.ours {
		return 0, err
	}
	if !t.writes {
		return 0, errReadOnly
	}
	p.serial++
	p.dirty = true
	return p.serial, nil
}

// HoldAddress keeps an address from being given until then, and the serials of a later
// account of it above serial.
func (t *Tx) HoldAddress(a im.Address, serial int64, until time.Time) error {
	p, err := t.need(a)
	if err != nil {
		return err
	}
	p.serial, p.held, p.dirty = max(p.serial, serial), nanos(until), true
	return nil
}

// DeleteAccount takes an account away, with its groups, its rule lists, its notes, what waits for it
// and the row of its removal: the last step of a removal. What it and others keep about each
// other stays; ending that comes before (Others, im.Pair.Severed). im.ErrUnknownUser.
func (t *Tx) DeleteAccount(a im.Address) error {
	p, err := t.account(a)
	if err != nil {
		return err
	}
	lists, err := t.RuleLists(a)
	if err != nil {
		return err
	}
	for _, l := range lists {
		if err := t.DeleteRuleList(a, l.Name); err != nil {
			return err
		}
	}
	groups, err := t.Groups(a)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := t.DeleteGroup(a, g.ID); err != nil {
			return err
		}
	}
	if _, err := t.do(deleteNotes, p.id); err != nil {
		return err
	}
	for left := true; left; {
		if left, err = t.DeleteMessagesTo(a, 1000); err != nil {
			return err
		}
	}
	if err := t.DeleteRemoval(a); err != nil {
		return err
	}
	if _, err := t.do(deleteAccount, p.id); err != nil {
		return err
	}
	p.ours, p.name, p.settings, p.row, p.dirty = false, "", im.Settings{}, nil, true
	return nil
}

// FindProfiles lists at most n accounts in the directory of which every field that q fills
// is the same or begins so, whatever the case; those that are the same come first. A q that
// fills none finds nobody; Listed is not looked at.
func (t *Tx) FindProfiles(q im.Profile, n int) ([]im.Account, error) {
	first, last, city, state, country := fold(q.First), fold(q.Last), fold(q.City), fold(q.State), fold(q.Country)
	if first+last+city+state+country == "" {
		return nil, nil
	}
	return t.accounts(findProfiles, first, last, city, state, country, n)
}

// fold is a text as it is searched.
func fold(s string) string {
	if s == "" {
		return ""
	}
	return cases.Fold().String(norm.NFKC.String(strings.TrimSpace(clean(s))))
}
