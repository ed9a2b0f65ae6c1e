package store

import "parley/im"

// Meta is what was last put under a key; nil when nothing was.
func (t *Tx) Meta(key string) (value []byte, err error) {
	_, err = t.get(metaOf, args{key}, &value)
	return value, err
}

// PutMeta keeps a value of the service itself under a key of its own.
func (t *Tx) PutMeta(key string, value []byte) error {
	_, err := t.do(putMeta, key, bytes(value))
	return err
}

// Removal is how far the removal of an account has come; what the numbers mean is the
// exchange's affair.
type Removal struct {
	Who   im.Address
	Step  int
	After int64
}

// Removal reports how far the removal of an account has come, and whether there is one.
func (t *Tx) Removal(a im.Address) (step int, after int64, ok bool, err error) {
	p, err := t.find(a)
	if err != nil || p == nil {
		return 0, 0, false, err
	}
	ok, err = t.get(removalOf, args{p.id}, &step, &after)
	return step, after, ok, err
}

// PutRemoval keeps how far the removal of an account has come: im.ErrUnknownUser. DeleteAccount ends it.
func (t *Tx) PutRemoval(a im.Address, step int, after int64) error {
	p, err := t.account(a)
	if err != nil {
		return err
	}
	_, err = t.do(putRemoval, p.id, int64(step), after)
	return err
}

// DeleteRemoval ends a removal; nothing when there is none.
func (t *Tx) DeleteRemoval(a im.Address) error {
	p, err := t.find(a)
	if err != nil || p == nil {
		return err
	}
	_, err = t.do(deleteRemoval, p.id)
	return err
}

// Removals lists the removals under way: after a start they go on.
func (t *Tx) Removals() ([]Removal, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	var list []Removal
	var who string
	var r Removal
	err := t.each(removals, nil, func() error {
		r.Who = im.TrustedAddress(who)
		list = append(list, r)
		return nil
	}, &who, &r.Step, &r.After)
	return list, err
}
