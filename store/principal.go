package store

import (
	"parley/im"
)

// principal is a row of somebody about whom something is kept. A Tx reads it once, and
// writes it back once at its end (flush), however often it changed.
type principal struct {
	id       int64
	address  im.Address
	ours     bool
	name     string
	settings im.Settings
	serial   int64
	held     int64

	sides, contacts, allowed, denied, watchers, asking int64
	lists, groups, lastGroup                           int64
	waiting, waitingBytes                              int64

	row          *im.Account // as its own row has it; nil: not known
	fresh, dirty bool        // has no row yet; its row is not this any more
}

// scan gives the places of principalColumns, and what must be done after they are filled.
func (p *principal) scan() (dest []any, filled func()) {
	var address string
	var small int64
	return []any{&p.id, &address, &p.name, &small, &p.serial, &p.held, &p.sides, &p.contacts, &p.allowed,
			&p.denied, &p.watchers, &p.asking, &p.lists, &p.groups, &p.lastGroup, &p.waiting, &p.waitingBytes},
		func() {
			p.address = im.TrustedAddress(address)
			p.ours = small&1 != 0
			p.settings = im.Settings{Presence: im.Default(small >> 1 & 3), Messages: im.Default(small >> 3 & 3)}
		}
}

// keep remembers a principal for the rest of the Tx.
func (t *Tx) keep(a im.Address, p *principal) *principal {
	if t.known == nil {
		t.known = make(map[im.Address]*principal, 2)
	}
	t.known[a] = p
	if p != nil {
		t.touched = append(t.touched, p)
	}
	return p
}

// find gives somebody's row, nil when nothing is kept about them.
func (t *Tx) find(a im.Address) (*principal, error) {
	if p, ok := t.known[a]; ok {
		return p, t.failed
	}
	var p principal
	dest, filled := p.scan()
	found, err := t.one(principalByAddress, false, args{a.String()}, dest)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return t.keep(a, nil), nil
	}
	filled()
	return t.keep(a, &p), nil
}

// byID is find by the number in another row.
func (t *Tx) byID(id int64) (*principal, error) {
	for _, p := range t.touched {
		if p.id == id {
			return p, t.failed
		}
	}
	var p principal
	dest, filled := p.scan()
	found, err := t.one(principalByID, false, args{id}, dest)
	if err != nil || !found {
		return nil, err
	}
	filled()
	return t.keep(p.address, &p), nil
}

// need is find that makes the row.
func (t *Tx) need(a im.Address) (*principal, error) {
	p, err := t.find(a)
	if err != nil || p != nil {
		return p, err
	}
	switch {
	case a.IsZero():
		return nil, im.ErrBadAddress
	case !t.writes:
		return nil, errReadOnly
	}
	return t.keep(a, &principal{id: t.s.lastID.Add(1), address: a, fresh: true}), nil
}

// account is find for those who must have an account here: im.ErrUnknownUser.
func (t *Tx) account(a im.Address) (*principal, error) {
	p, err := t.find(a)
	if err == nil && (p == nil || !p.ours) {
		err = im.ErrUnknownUser
	}
	return p, err
}

// idle reports that no row is needed: nothing refers to it, and nothing is to be remembered.
func (p *principal) idle() bool {
	return !p.ours && p.serial == 0 && p.held == 0 && p.sides == 0 && p.lists == 0 && p.groups == 0 && p.waiting == 0
}

// flush writes the principals that changed: at the end, and before their rows are read
// otherwise than by find.
func (t *Tx) flush() error {
	for _, p := range t.touched {
		if !p.dirty {
			continue
		}
		p.dirty = false
		if p.idle() {
			if !p.fresh {
				if _, err := t.do(deletePrincipal, p.id); err != nil {
					return err
				}
			}
			p.fresh = true
			continue
		}
		row := args{p.id, p.name, bit(p.ours), int64(p.settings.Presence), int64(p.settings.Messages), p.serial, p.held,
			p.sides, p.contacts, p.allowed, p.denied, p.watchers, p.asking, p.lists, p.groups, p.lastGroup, p.waiting,
			p.waitingBytes}
		query := updatePrincipal
		if p.fresh {
			query, row, p.fresh = insertPrincipal, append(row, p.address.String()), false
		}
		_, err := t.do(query, row...)
		if err != nil {
			return err
		}
	}
	return nil
}

// Principals lists at most n of those of a domain who have no account here and about whom something is kept, or whom
// messages wait for; last is where the next page begins (after), and 0 begins the first.
func (t *Tx) Principals(domain string, after int64, n int) (list []im.Address, last int64, err error) {
	if err := t.flush(); err != nil {
		return nil, after, err
	}
	last = after
	var a string
	err = t.each(peersAfter, args{after, domain, "%@" + domain, n}, func() error {
		list = append(list, im.TrustedAddress(a))
		return nil
	}, &last, &a)
	return list, last, err
}
