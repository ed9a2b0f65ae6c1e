package store

import (
	"time"

	"parley/im"
)

// Request is what somebody sent along with the wish to see another, until it is answered.
type Request struct {
	From   im.Address // set by Requests
	Text   im.Text
	Native im.Native // without Framed
	Time   time.Time
}

// PutRequest keeps what asker sent with its wish: one of each asker, the last. The wish is
// kept first (PutPair), which also takes the request away when the watch is not asked any
// more; im.ErrNotOnList when nothing is kept of the two.
func (t *Tx) PutRequest(asker, asked im.Address, r Request) error {
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

// Requests lists what came along with the wishes to see somebody that have no answer. Not
// every one of Asking sent something.
func (t *Tx) Requests(asked im.Address) ([]Request, error) {
	p, err := t.find(asked)
	if err != nil || p == nil || p.asking == 0 {
		return nil, err
	}
	if err := t.flush(); err != nil {
		return nil, err
	}
	var list []Request
	var from, words, door string
	var body []byte
	var made int64
	err = t.each(requestsOf, args{p.id}, func() error {
		list = append(list, Request{im.TrustedAddress(from), im.NewText(words), im.Native{Door: door, Body: body}, moment(made)})
		return nil
	}, &from, &made, &words, &door, &body)
	return list, err
}
