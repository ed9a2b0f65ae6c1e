package exchange

import (
	"context"

	"parley/im"
	"parley/store"
)

// PutNote keeps a document of a door's for an account, in the place of the one under that key; nil
// deletes it. ErrListFull when it is too long (Config.Note) or one too many (Config.Notes),
// ErrBadName for a key longer than 1,023 bytes, ErrUnknownUser.
func (x *Exchange) PutNote(ctx context.Context, who im.Address, door, key string, body []byte) error {
	if len(key) > maxName {
		return im.ErrBadName
	}
	if len(body) > x.cfg.Note {
		x.cfg.Metrics.LimitHit("note")
		return im.ErrListFull
	}
	return x.store.Update(ctx, "put note", func(tx *store.Tx) error {
		if body != nil {
			old, err := tx.Note(who, door, key)
			if err != nil {
				return err
			}
			n, err := tx.CountNotes(who)
			if err != nil {
				return err
			}
			if old == nil && n >= x.cfg.Notes {
				x.cfg.Metrics.LimitHit("notes")
				return im.ErrListFull
			}
		}
		return tx.PutNote(who, door, key, body)
	}, nil)
}

// Note is a document that a door keeps for an account; nil when there is none.
func (x *Exchange) Note(ctx context.Context, who im.Address, door, key string) (body []byte, err error) {
	err = x.store.View(ctx, "note", func(tx *store.Tx) error {
		body, err = tx.Note(who, door, key)
		return err
	})
	return body, err
}
