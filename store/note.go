package store

import "parley/im"

// Note is a document that a door keeps for an account; nil when it keeps none under the key.
func (t *Tx) Note(owner im.Address, door, key string) (body []byte, err error) {
	p, err := t.find(owner)
	if err != nil || p == nil || !p.ours {
		return nil, err
	}
	found, err := t.get(noteOf, args{p.id, clean(door), clean(key)}, &body)
	if err != nil || !found {
		return nil, err
	}
	return bytes(body), nil
}

// NotesAround are the documents under a key of an account, by its ID, and of those with whom it has anything to do.
func (t *Tx) NotesAround(id int64, door, key string) (all map[im.Address][]byte, err error) {
	var address string
	var body []byte
	err = t.each(notesAround, args{id, clean(door), clean(key)}, func() error {
		who, err := im.ParseAddress(address)
		if err != nil {
			return err
		}
		if all == nil {
			all = map[im.Address][]byte{}
		}
		all[who] = bytes(body)
		return nil
	}, &address, &body)
	return all, err
}

// PutNote keeps a document in the place of the one under that key; nil takes it away.
// im.ErrUnknownUser when the owner has no account.
func (t *Tx) PutNote(owner im.Address, door, key string, body []byte) error {
	p, err := t.account(owner)
	if err != nil {
		return err
	}
	if err := t.flush(); err != nil { // an account made just now has its row
		return err
	}
	if body == nil {
		_, err = t.do(deleteNote, p.id, clean(door), clean(key))
	} else {
		_, err = t.do(putNote, p.id, clean(door), clean(key), body)
	}
	return err
}

// CountNotes counts the documents of all doors.
func (t *Tx) CountNotes(owner im.Address) (n int, err error) {
	p, err := t.find(owner)
	if err != nil || p == nil || !p.ours {
		return 0, err
	}
	_, err = t.get(countNotes, args{p.id}, &n)
	return n, err
}
