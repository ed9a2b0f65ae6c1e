package passport

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/im"
	"parley/msnp"
)

const testKey = "0123456789abcdef"

func tickets(t testing.TB, key string) *Tickets {
	t.Helper()
	k, err := NewTickets([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func address(t testing.TB, s string) im.Address {
	t.Helper()
	a, err := im.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A ticket is good until it expires, as often as it is shown: dialects 3.2.
func TestTicketLivesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, alice := tickets(t, testKey), address(t, "alice@example.com")
		ticket := k.Issue(alice, time.Minute)
		if !strings.HasPrefix(ticket, "t=") || !strings.Contains(ticket, "&p=") || len(ticket) > 200 {
			t.Errorf("%q is no compact token", ticket)
		}
		for range 3 {
			if who, err := k.Check(ticket); err != nil || who != alice {
				t.Errorf("%v, %v", who, err)
			}
		}
		time.Sleep(time.Minute - time.Millisecond)
		if err := k.Belongs(ticket, alice); err != nil {
			t.Errorf("a millisecond before its end: %v", err)
		}
		time.Sleep(time.Millisecond)
		if who, err := k.Check(ticket); !errors.Is(err, ErrTicket) || !who.IsZero() {
			t.Errorf("at its end: %v, %v", who, err)
		}
	})
}

// The longest handle there is gets a ticket that fits the wire, with nothing in it that a header or a line could stumble
// over: dialects 3.2, 3.3.
func TestTicketOfALongHandle(t *testing.T) {
	k := tickets(t, testKey)
	who := address(t, strings.Repeat("a", msnp.MaxHandle-len("@example.com"))+"@example.com")
	ticket := k.Issue(who, time.Minute)
	if len(ticket) >= 400 || strings.ContainsAny(ticket, " ,'\"\r\n<>%") {
		t.Errorf("%d bytes: %q", len(ticket), ticket)
	}
	if got, err := k.Check(ticket); err != nil || got != who {
		t.Errorf("%v, %v", got, err)
	}
	if k.Issue(who, time.Minute) == ticket {
		t.Error("two tickets are one")
	}
}

// A client may leave out what was put around the token; nothing of the token itself may change: dialects 3.2, 3.4.
func TestTicketForms(t *testing.T) {
	k, alice := tickets(t, testKey), address(t, "alice@example.com")
	ticket := k.Issue(alice, time.Minute)
	auth := strings.TrimSuffix(strings.TrimPrefix(ticket, "t="), "&p=1")
	for _, good := range []string{auth, "t=" + auth, auth + "&p=", "t=" + auth + "&p=other"} {
		if err := k.Belongs(good, alice); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

// What is wrong with a ticket cannot be told from the error: dialects 3.2.
func TestBadTicketsLookAlike(t *testing.T) {
	k, alice, bob := tickets(t, testKey), address(t, "alice@example.com"), address(t, "bob@example.com")
	good := k.Issue(alice, time.Minute)
	signer, err := msnp.NewSigner([]byte(testKey))
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{
		"nothing":         "",
		"empty token":     "t=&p=",
		"text":            "t=4m1wWfEu&p=4QXNnX9r",
		"expired":         k.Issue(alice, 0),
		"of yesterday":    k.Issue(alice, -24*time.Hour),
		"another's":       k.Issue(bob, time.Minute),
		"another service": tickets(t, "another key, as long").Issue(alice, time.Minute),
		"for a session":   "t=" + signer.Sign(msnp.Ticket{Kind: msnp.Open, Handle: alice.String(), Expires: time.Now().Add(time.Minute)}),
		"not an address":  "t=" + signer.Sign(msnp.Ticket{Kind: login, Handle: "@", Expires: time.Now().Add(time.Minute)}),
		"too long":        good + strings.Repeat("x", maxTicket),
		"line end inside": strings.Replace(good, "&p", "\r\n&p", 1),
	}
	for i := 2; i < len(good)-len("&p=1"); i++ {
		if c := []byte(good); c[i] != 'A' {
			c[i] = 'A'
			bad["changed at "+string(rune('0'+i%10))+good[:i]] = string(c)
		}
	}
	for name, ticket := range bad {
		if err := k.Belongs(ticket, alice); err != ErrTicket {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !errors.Is(ErrTicket, msnp.ErrAuthenticationFailed) {
		t.Error("USR would not be answered with 911")
	}
}

func TestNewTicketsWantsAKey(t *testing.T) {
	if _, err := NewTickets([]byte("short")); err == nil {
		t.Error("a key of 5 bytes is taken")
	}
}
