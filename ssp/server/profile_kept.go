package server

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"parley/im"
)

// kept is what is kept of a user of a peer's whose services we are, besides their lists and whom they hear: it lasts. One
// that others can see is not changed any more.
type kept struct {
	Profile map[string]string    `json:"profile,omitempty"` // SSP 8.1
	Default string               `json:"default,omitempty"` // name of the default contact list, SSP 10.1
	Lists   map[string]listProps `json:"lists,omitempty"`   // by name
	Method  string               `json:"method,omitempty"`  // how messages are delivered, SSP 12.2.8; "" is not set
	Longest int                  `json:"longest,omitempty"` // content that is pushed, in bytes; 0: any

	// Presence attributes that are given: to a user, to the members of a contact list, to all others. SSP 10.3.9
	ToUsers  map[string][]string `json:"to_users,omitempty"`
	ToLists  map[string][]string `json:"to_lists,omitempty"`
	ToOthers []string            `json:"to_others,omitempty"`
}

// listProps are the properties of a contact list, but for Default: SSP 10.1.
type listProps struct {
	Name string `json:"name,omitempty"` // DisplayName
	Here bool   `json:"here,omitempty"` // its address is of our domain, not of the user's
}

// keptKey is where it is kept.
const keptKey = "services"

// keeps is what is kept of the user.
func (u *user) keeps(ctx context.Context) (*kept, error) {
	if k := u.kept.Load(); k != nil {
		return k, nil
	}
	body, err := u.p.s.x.PeerNote(ctx, u.who, door, keptKey)
	k := &kept{}
	if err == nil && len(body) > 0 {
		err = json.Unmarshal(body, k)
	}
	if err != nil {
		return nil, err
	}
	if !u.kept.CompareAndSwap(nil, k) { // somebody was quicker, and may know more
		return u.kept.Load(), nil
	}
	return k, nil
}

// keep changes it. Requests of a peer come one after another, and nobody else changes what is kept of its users.
func (u *user) keep(ctx context.Context, edit func(*kept) error) error {
	var next *kept
	if err := u.p.s.x.EditPeerNote(ctx, u.who, door, keptKey, func(old []byte) ([]byte, error) {
		next = &kept{}
		if len(old) > 0 {
			if err := json.Unmarshal(old, next); err != nil {
				return nil, err
			}
		}
		if err := edit(next); err != nil {
			return nil, err
		}
		return json.Marshal(next)
	}); err != nil {
		return err
	}
	u.kept.Store(next)
	return nil
}

// put keeps a value in a map that may not be there.
func put[K comparable, V any](m *map[K]V, k K, v V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[k] = v
}

// names are a map's keys, in order.
func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// known reports why somebody cannot be named in what is kept: im.ErrUnknownUser for an address of ours that nobody has.
func (s *Server) known(who im.Address) error {
	if !s.x.Ours(who.Domain()) {
		return nil
	}
	_, err := s.x.Snapshot(s.ctx, who)
	return err
}
