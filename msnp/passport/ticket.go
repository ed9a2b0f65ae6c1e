package passport

import (
	"fmt"
	"strings"
	"time"

	"parley/im"
	"parley/msnp"
)

// ErrTicket says that a ticket is not good: forged, expired, unreadable, of somebody else or for something else. Which
// of them is told to nobody. It wraps msnp.ErrAuthenticationFailed, with which USR is answered: dialects 3.2.
var ErrTicket = fmt.Errorf("the ticket is not good: %w", msnp.ErrAuthenticationFailed)

// login is the kind of these tickets, so that one for a switchboard is none, even under the same key.
const login msnp.TicketKind = 3

// The two parts of a compact token: dialects 3.2.
const (
	authPart    = "t="
	profilePart = "&p="
)

// maxTicket bounds what Check looks at, in bytes: a client sends back what it was given, about 200 at most.
const maxTicket = 1600

// Tickets issues tickets for logins and tells its own from others. It is safe for concurrent use. A ticket may be shown
// any number of times until it expires: a client whose connection broke shows it again (dialects 3.2).
type Tickets struct {
	signer *msnp.Signer
	now    func() time.Time
}

// NewTickets takes a secret key of at least 16 bytes, made for this and nothing else: tickets outlive the process when
// it is the same at the next start.
func NewTickets(key []byte) (*Tickets, error) {
	s, err := msnp.NewSigner(key)
	if err != nil {
		return nil, err
	}
	return &Tickets{s, time.Now}, nil
}

// Issue makes a ticket with which who can log in for so long, to the millisecond; one that lives no time is expired. It
// has the form of a compact token, t=AUTH&p=PROFILE, of letters, digits, - and _ and less than 400 bytes for any handle
// that MSNP allows: dialects 3.2.
func (t *Tickets) Issue(who im.Address, life time.Duration) string {
	auth := t.signer.Sign(msnp.Ticket{Kind: login, Handle: who.String(), Expires: t.now().Add(life)})
	// COMPAT MSN 5.0-7.5: what p holds is read by nobody here. Live tickets always had something in it, so it is not empty.
	return authPart + auth + profilePart + "1"
}

// Check gives the account that a ticket was issued for; that it still exists, and is the one named in the step before,
// is the caller's to see. The error is ErrTicket. dialects 3.2.
func (t *Tickets) Check(ticket string) (im.Address, error) {
	if len(ticket) > maxTicket {
		return im.Address{}, ErrTicket
	}
	// COMPAT MSN 7.5: a patched msidcrl.dll sends the bare token that it got as X-Token.
	auth, _, _ := strings.Cut(strings.TrimPrefix(ticket, authPart), profilePart)
	v, err := t.signer.Verify(auth, t.now())
	if err != nil || v.Kind != login {
		return im.Address{}, ErrTicket
	}
	who, err := im.ParseAddress(v.Handle)
	if err != nil {
		return im.Address{}, ErrTicket
	}
	return who, nil
}

// Belongs is Check for a login as who: nil when the ticket is good, and that account's. The error is ErrTicket, also for
// a good ticket of another account. dialects 3.2.
func (t *Tickets) Belongs(ticket string, who im.Address) error {
	owner, err := t.Check(ticket)
	if err == nil && owner != who {
		err = ErrTicket
	}
	return err
}
