package server

import (
	"maps"
	"slices"
	"sync"
	"time"

	"parley/im"
	"parley/ssp"
	"parley/ssp/wire"
)

const (
	presenceInvite  = "PR"
	inviteLasts     = 24 * time.Hour // when the request does not say how long
	inviteLastsMost = 7 * 24 * time.Hour
	mostInvitations = 1000 // of one peer
)

// invitation is one that may be answered or cancelled yet.
type invitation struct {
	id, typ  string
	inviting ssp.Party
	who      im.Address // who invites
	relayed  bool       // it came from the service of the invited, not from the home domain of who invites
	made     time.Time
	until    time.Time

	// guarded by invitations.mu
	invited map[im.Address]bool   // false: has answered, or was told that it is cancelled
	calls   map[im.Address]func() // take back a call into a group
}

// invitations are those that came from a peer.
type invitations struct {
	mu sync.Mutex // guards what follows
	m  map[inviteKey]*invitation
}

type inviteKey struct {
	id  string
	who im.Address
}

func (l *invitations) put(v *invitation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.m == nil {
		l.m = map[inviteKey]*invitation{}
	}
	maps.DeleteFunc(l.m, func(_ inviteKey, o *invitation) bool { return v.made.After(o.until) })
	if len(l.m) >= mostInvitations {
		o := slices.MinFunc(slices.Collect(maps.Values(l.m)), func(a, b *invitation) int { return a.made.Compare(b.made) })
		delete(l.m, inviteKey{o.id, o.who})
	}
	l.m[inviteKey{v.id, v.who}] = v
}

// get finds one that is still good: 423.
func (l *invitations) get(id string, who im.Address) (*invitation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := l.m[inviteKey{id, who}]
	if v == nil || time.Now().After(v.until) {
		return nil, wire.BadInvitation
	}
	return v, nil
}

// settle takes it that somebody answered, or needs not any more; false when they did before, or are not invited.
func (l *invitations) settle(v *invitation, who im.Address) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	open := v.invited[who]
	if open {
		v.invited[who] = false
	}
	return open
}

// open are those of one person that somebody invited to share presence has not answered.
func (l *invitations) open(by, who im.Address) (vs []*invitation) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range l.m {
		if v.who == by && v.typ == presenceInvite && v.invited[who] && now.Before(v.until) {
			vs = append(vs, v)
		}
	}
	return vs
}

// readInvitation reads what both requests have.
func readInvitation(e *wire.Element) *invitation {
	now := time.Now()
	v := &invitation{id: e.Attr("inviteID"), typ: e.Attr("inviteType"), made: now, invited: map[im.Address]bool{}}
	lasts := time.Duration(wire.Int(e.Attr("validity"))) * time.Second
	if lasts == 0 {
		lasts = inviteLasts
	}
	v.until = now.Add(min(lasts, inviteLastsMost))
	return v
}

// was reports whether somebody was invited.
func (l *invitations) was(v *invitation, who im.Address) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := v.invited[who]
	return ok
}
