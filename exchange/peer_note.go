package exchange

import (
	"context"

	"parley/im"
	"parley/store"
)

// noteKey is where a document about a user of a peer's is kept: they have no account whose notes it could be among.
func noteKey(who im.Address, door, key string) string {
	return "peer note " + door + " " + key + " " + who.String()
}

// PeerNote is a document that a door keeps about a user of a peer's; nil when there is none.
func (x *Exchange) PeerNote(ctx context.Context, who im.Address, door, key string) (body []byte, err error) {
	err = x.store.Glance(ctx, "peer note", func(tx *store.Tx) error {
		body, err = peerNote(tx, who, door, key)
		return err
	})
	return body, err
}

func peerNote(tx *store.Tx, who im.Address, door, key string) ([]byte, error) {
	body, err := tx.Meta(noteKey(who, door, key))
	if err != nil || len(body) == 0 {
		return nil, err
	}
	return append([]byte(nil), body...), nil
}

// EditPeerNote replaces the document with what edit makes of it, nil when there is none; its error ends all, and nothing
// is changed then. ErrListFull when it is too long (Config.Note), ErrUnknownUser for who is no peer's.
func (x *Exchange) EditPeerNote(ctx context.Context, who im.Address, door, key string, edit func(old []byte) ([]byte, error)) error {
	return x.store.Update(ctx, "edit peer note", func(tx *store.Tx) error {
		_, err := x.editPeerNote(tx, who, door, key, edit)
		return err
	}, nil)
}

func (x *Exchange) editPeerNote(tx *store.Tx, who im.Address, door, key string, edit func([]byte) ([]byte, error)) ([]byte, error) {
	if x.peer(who.Domain()) == nil {
		return nil, im.ErrUnknownUser
	}
	old, err := peerNote(tx, who, door, key)
	if err != nil {
		return nil, err
	}
	next, err := edit(old)
	if err != nil {
		return nil, err
	}
	if len(next) > x.cfg.Note {
		x.cfg.Metrics.LimitHit("note")
		return nil, im.ErrListFull
	}
	if len(next) == 0 {
		next = []byte{}
	}
	return next, tx.PutMeta(noteKey(who, door, key), next)
}
