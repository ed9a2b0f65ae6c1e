package store

import (
	"cmp"
	"slices"

	"parley/im"
)

// PutRequest keeps what asker sent with its wish: one of each asker, the last. The wish is
// kept first (PutPair), which also takes the request away when the watch is not asked any
// more; im.ErrNotOnList when nothing is kept of the two.
func (t *Tx) PutRequest(asker, asked im.Address, r im.Wish) error {
	from, err := t.find(asker)
	if err != nil {
		return err
	}
	to, err := t.find(asked)
	if err != nil {
		return err
	}
	if from == nil || to == nil || to.asking == 0 {
		return im.ErrNotOnList
	}
	_, err = t.do(putRequest, to.id, from.id, nanos(r.Time), clean(r.Text.Reveal()), clean(r.Native.Door), bytes(r.Native.Body))
	return err
}

// Requests lists what came along with the wishes to see somebody that have no answer, the
// oldest first. Not every one of Asking sent something.
func (t *Tx) Requests(asked im.Address) ([]im.Wish, error) {
	p, err := t.find(asked)
	if err != nil || p == nil || p.asking == 0 {
		return nil, err
	}
	if err := t.flush(); err != nil {
		return nil, err
	}
	var list []im.Wish
	var from, words, door string
	var body []byte
	var made int64
	err = t.each(requestsOf, args{p.id}, func() error {
		list = append(list, im.Wish{From: im.TrustedAddress(from), Text: im.NewText(words), Native: im.Native{Door: door, Body: body}, Time: moment(made)})
		return nil
	}, &from, &made, &words, &door, &body)
	slices.SortStableFunc(list, func(a, b im.Wish) int { return cmp.Or(a.Time.Compare(b.Time), a.From.Compare(b.From)) })
	return list, err
}
