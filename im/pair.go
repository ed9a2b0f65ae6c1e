package im

import (
	"slices"
	"time"
)

// Watch is how far one principal's wish to see another has come: the subscription of
// RFC 2778 2.3. RFC 6121 appendix A's nine states are the product of two of them.
type Watch uint8

const (
	WatchNone Watch = iota
	WatchAsked
	WatchGranted
)

// Access is a principal's answer to somebody's wish to see it.
type Access uint8

const (
	AccessUnset    Access = iota // no answer: the default decides
	AccessRefused                // out of the default, until the answer changes
	AccessAnswered               // yes, for as long as the watch lasts
	AccessLasting                // yes, now and later: an Allow List entry, a pre-approval
)

// admits reports whether the answer was yes.
func (a Access) admits() bool { return a == AccessAnswered || a == AccessLasting }

// Linger is how long an answer outlives a watch that ended by removal, so that clients
// which rename by removing and adding again ask nobody twice.
const Linger = time.Minute

// GroupID names a contact group of one owner; made by the store, never 0.
type GroupID int64

// Side is what one principal keeps about another, with its watch of that other.
type Side struct {
	Contact    bool      // listed
	Alias      string    // name given by the owner
	LastName   string    // name the other was last known by; "" is none
	Groups     []GroupID // sorted
	Watch      Watch     // the owner's wish to see the other
	Access     Access    // the owner's answer to the other's wish
	AccessName string    // last-known name kept with the answer
	AccessEnds time.Time // when an answer whose watch was removed ends; zero: it does not
	Write      bool      // the other may write, whatever the default says
	Denied     bool      // the owner's default rules begin with a denial of everything of the other's
	DeniedName string    // last-known name kept with the denial
}

// Equal reports whether nothing differs.
func (s Side) Equal(o Side) bool {
	return s.Contact == o.Contact && s.Alias == o.Alias && s.LastName == o.LastName &&
		s.Watch == o.Watch && s.Access == o.Access && s.AccessName == o.AccessName &&
		s.AccessEnds.Equal(o.AccessEnds) && s.Write == o.Write && s.Denied == o.Denied &&
		s.DeniedName == o.DeniedName && slices.Equal(s.Groups, o.Groups)
}

// IsZero reports whether nothing is kept, so that no row needs to stand.
func (s Side) IsZero() bool { return s.Equal(Side{}) }

// Listed reports whether the other is on the owner's Forward List: a contact with a watch.
func (s Side) Listed() bool { return s.Contact && s.Watch != WatchNone }

// Allowed reports whether the other is on the owner's Allow List.
func (s Side) Allowed() bool { return s.Access.admits() && !s.Denied }

// Item reports whether a roster item stands for the other: a contact, or somebody let in.
func (s Side) Item() bool { return s.Contact || s.Access.admits() }

// Default is what a principal does with people it has said nothing about.
type Default uint8

const (
	DefaultUnset Default = iota // presence: ask; messages: allow
	DefaultAsk                  // presence: ask first
	DefaultAllow                //
	DefaultDeny                 // messages: deny
)

// Settings are a principal's two defaults.
type Settings struct {
	Presence Default // DefaultUnset, DefaultAsk or DefaultAllow
	Messages Default // DefaultUnset, DefaultAllow or DefaultDeny
}

// Pair is all that is stored of two principals, from the point of view of one of them.
// The methods are the acts of that one; each returns the pair as it is afterwards.
type Pair struct {
	Mine, Theirs              Side
	MySettings, TheirSettings Settings
}

// Turned is the same pair from the other's point of view.
func (p Pair) Turned() Pair {
	return Pair{p.Theirs, p.Mine, p.TheirSettings, p.MySettings}
}

// letsIn reports whether a principal with these settings and this answer lets the other see it.
func letsIn(owner Side, s Settings) bool {
	return owner.Access.admits() || owner.Access == AccessUnset && s.Presence == DefaultAllow
}

// ISee reports whether I see them: I watch, they do not deny it, and their answer or default lets me in.
func (p Pair) ISee() bool {
	return Shows(p.Theirs, p.Mine.Watch, p.TheirSettings)
}

// Shows reports whether the owner of a side shows its presence to the other, who watches it so far.
func Shows(owner Side, watched Watch, s Settings) bool {
	return watched != WatchNone && !owner.Denied && letsIn(owner, s)
}

// IMayWrite reports whether their rules, default and answers let my messages through.
func (p Pair) IMayWrite() bool {
	return MayWrite(p.Theirs, p.TheirSettings)
}

// MayWrite reports whether the owner of a side takes messages from the other: no denial, and
// a default, a grant or an answer that lets them in.
func MayWrite(owner Side, s Settings) bool {
	return !owner.Denied && (s.Messages != DefaultDeny || owner.Write || owner.Access.admits())
}

// settled grants what was asked and is let in already.
func (p Pair) settled() Pair {
	if p.Mine.Watch == WatchAsked && letsIn(p.Theirs, p.TheirSettings) {
		p.Mine.Watch = WatchGranted
	}
	if p.Theirs.Watch == WatchAsked && letsIn(p.Mine, p.MySettings) {
		p.Theirs.Watch = WatchGranted
	}
	if p.Mine.Watch != WatchNone {
		p.Theirs.AccessEnds = time.Time{}
	}
	if p.Theirs.Watch != WatchNone {
		p.Mine.AccessEnds = time.Time{}
	}
	return p
}

// endAccess ends the owner's yes. The roster item that stood for it stays as a plain contact.
func endAccess(owner Side, to Access) Side {
	if owner.Access.admits() {
		owner.Contact = true
	}
	owner.Access, owner.AccessEnds, owner.AccessName = to, time.Time{}, ""
	return owner
}

// List puts them on my list without asking to see them.
func (p Pair) List() Pair {
	p.Mine.Contact = true
	return p
}

// Ask lists them and asks to see them. ErrAlready when a watch stands.
func (p Pair) Ask() (Pair, error) {
	if p.Mine.Listed() {
		return p, ErrAlready
	}
	p.Mine.Contact = true
	if p.Mine.Watch == WatchNone {
		p.Mine.Watch = WatchAsked
	}
	return p.settled(), nil
}

// Answer says yes to their wish. Without a wish it is an answer given in advance, and lasts.
// A watch that was granted already is left as it is, but an unset answer that hides me becomes one.
func (p Pair) Answer() Pair {
	switch p.Theirs.Watch {
	case WatchAsked:
		p.Mine.Access = max(p.Mine.Access, AccessAnswered)
	case WatchNone:
		p.Mine.Access, p.Mine.AccessEnds = AccessLasting, time.Time{}
	case WatchGranted:
		if !letsIn(p.Mine, p.MySettings) {
			p.Mine.Access = AccessAnswered
		}
	}
	return p.settled()
}

// Admit lets them see me now and later. ErrAlready when they are on my Allow List,
// ErrOpposite when they are blocked.
func (p Pair) Admit() (Pair, error) {
	switch {
	case p.Mine.Denied:
		return p, ErrOpposite
	case p.Mine.Allowed():
		return p, ErrAlready
	}
	p.Mine.Access, p.Mine.AccessEnds = AccessLasting, time.Time{}
	return p.settled(), nil
}

// Refuse says no, or takes a yes back: their watch ends, and the default no longer lets them in.
func (p Pair) Refuse() Pair {
	p.Mine = endAccess(p.Mine, AccessRefused)
	p.Theirs.Watch = WatchNone
	return p
}

// Disallow takes them off my Allow List. Their watch stays: the default decides what they see.
// ErrNotOnList when they are not on it.
func (p Pair) Disallow() (Pair, error) {
	if !p.Mine.Allowed() {
		return p, ErrNotOnList
	}
	p.Mine.Access, p.Mine.AccessEnds, p.Mine.AccessName = AccessUnset, time.Time{}, ""
	return p, nil
}

// Unwatch stops watching them and keeps the contact.
func (p Pair) Unwatch() Pair {
	if p.Mine.Watch == WatchNone {
		return p
	}
	p.Mine.Watch = WatchNone
	if p.Theirs.Access == AccessAnswered {
		p.Theirs = endAccess(p.Theirs, AccessUnset)
	}
	return p
}

// Forget stops watching them and takes them off my list; my answer to them stays, theirs to me
// lasts for Linger. ErrNotOnList when they are not on my Forward List.
func (p Pair) Forget(now time.Time) (Pair, error) {
	if !p.Mine.Listed() {
		return p, ErrNotOnList
	}
	p = p.unlisted()
	if p.Theirs.Access == AccessAnswered {
		p.Theirs.AccessEnds = now.Add(Linger)
	}
	return p, nil
}

func (p Pair) unlisted() Pair {
	p.Mine.Contact, p.Mine.Watch = false, WatchNone
	p.Mine.Alias, p.Mine.LastName, p.Mine.Groups = "", "", nil
	return p
}

// Expired ends an answer whose time has come (see Forget).
func (p Pair) Expired(now time.Time) Pair {
	if e := p.Mine.AccessEnds; !e.IsZero() && !now.Before(e) {
		p.Mine = endAccess(p.Mine, AccessUnset)
	}
	return p
}

// Remove takes their roster item away, and with it both directions: I stop watching, and
// somebody who watched me is refused. ErrNotOnList when there is no item.
func (p Pair) Remove() (Pair, error) {
	if !p.Mine.Item() {
		return p, ErrNotOnList
	}
	p = p.Unwatch().unlisted()
	switch {
	case p.Theirs.Watch != WatchNone:
		p.Mine.Access, p.Theirs.Watch = AccessRefused, WatchNone
	case p.Mine.Access.admits():
		p.Mine.Access = AccessUnset
	}
	p.Mine.AccessEnds, p.Mine.AccessName = time.Time{}, ""
	return p, nil
}

// Block denies them everything. Nobody's watch changes: others can see it only as absence.
// ErrAlready when they are blocked.
func (p Pair) Block() (Pair, error) {
	if p.Mine.Denied {
		return p, ErrAlready
	}
	p.Mine.Denied = true
	return p, nil
}

// Unblock takes the denial away; what stood behind it is there again. ErrNotOnList when there is none.
func (p Pair) Unblock() (Pair, error) {
	if !p.Mine.Denied {
		return p, ErrNotOnList
	}
	p.Mine.Denied, p.Mine.DeniedName = false, ""
	return p, nil
}

// Opened is the pair after my presence default became allow: what they asked and I have not refused is granted.
func (p Pair) Opened() Pair {
	p.MySettings.Presence = DefaultAllow
	return p.settled()
}

// Severed is the pair after they were removed: every watch between us and what I gave them ends;
// my contact and my block stay.
func (p Pair) Severed() Pair {
	p.Mine = endAccess(p.Mine, AccessUnset)
	p.Mine.Watch, p.Mine.Write = WatchNone, false
	p.Theirs = Side{}
	return p
}
