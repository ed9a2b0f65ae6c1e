package msnp_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/msnp"
)

func signer(t testing.TB, key string) *msnp.Signer {
	t.Helper()
	s, err := msnp.NewSigner([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	now    = time.Date(1999, 7, 22, 12, 0, 0, 0, time.UTC)
	ticket = msnp.Ticket{
		Kind: msnp.Answer, Switchboard: "127.0.0.1:1863", Conversation: 1<<62 + 11752013, Handle: "alice@example.com",
		Dialect: 12, Expires: now.Add(2 * time.Minute), Nonce: 7,
	}
)

func TestTicket(t *testing.T) {
	s := signer(t, "0123456789abcdef")
	token := s.Sign(ticket)
	if len(token) > 130 || strings.ContainsAny(token, " \t\r\n%") {
		t.Errorf("%d bytes: %q", len(token), token)
	}
	got, err := s.Verify(token, now)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Expires.Equal(ticket.Expires) {
		t.Error(got.Expires)
	}
	got.Expires = ticket.Expires
	if got != ticket {
		t.Errorf("%+v, want %+v", got, ticket)
	}
	for _, odd := range []msnp.Ticket{
		{Expires: ticket.Expires, Nonce: 1},
		{Kind: msnp.Open, Switchboard: strings.Repeat("x", 255), Conversation: -1, Handle: strings.Repeat("y", 129), Expires: ticket.Expires, Nonce: 1},
	} {
		got, err := s.Verify(s.Sign(odd), now)
		if got.Expires = odd.Expires; err != nil || got != odd {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestTicketsDiffer(t *testing.T) {
	s, other := signer(t, "0123456789abcdef"), ticket
	other.Nonce = 0
	if a, b := s.Sign(other), s.Sign(other); a == b {
		t.Error("two tickets are one")
	}
	got, err := s.Verify(s.Sign(other), now)
	if err != nil || got.Nonce == 0 {
		t.Error(got, err)
	}
}

func TestTicketExpires(t *testing.T) {
	s := signer(t, "0123456789abcdef")
	token := s.Sign(ticket)
	if _, err := s.Verify(token, ticket.Expires.Add(-time.Millisecond)); err != nil {
		t.Error(err)
	}
	_, err := s.Verify(token, ticket.Expires)
	if !errors.Is(err, msnp.ErrTicketExpired) || !errors.Is(err, msnp.ErrAuthenticationFailed) {
		t.Error(err)
	}
}

func TestForgedTickets(t *testing.T) {
	s := signer(t, "0123456789abcdef")
	token := s.Sign(ticket)
	for _, bad := range []string{"", "x", "17262740.1050826919.32308", token[1:], token[:len(token)-1], token + "A", token + "\n", token + "=",
		strings.Repeat("A", 22), strings.Repeat("A", 400), strings.Repeat("A", 1<<20), signer(t, "another key of 24 bytes!").Sign(ticket)} {
		if _, err := s.Verify(bad, now); !errors.Is(err, msnp.ErrTicketForged) || !errors.Is(err, msnp.ErrAuthenticationFailed) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
	for i := range token {
		b := []byte(token)
		if b[i]++; b[i] == token[i] {
			continue
		}
		if _, err := s.Verify(string(b), now); err == nil {
			t.Fatalf("%q is taken for %q", b, token)
		}
	}
	if _, err := msnp.NewSigner(bytes.Repeat([]byte{1}, 15)); err == nil {
		t.Error("a key of 15 bytes is taken")
	}
}

func TestUsedOnce(t *testing.T) {
	var u msnp.Used
	if !u.Use(ticket, now) || u.Use(ticket, now) || u.Use(ticket, ticket.Expires.Add(-time.Millisecond)) {
		t.Error("a ticket is good once")
	}
	if u.Use(ticket, ticket.Expires) {
		t.Error("an expired ticket is good")
	}
	other := ticket
	other.Nonce++
	other.Expires = ticket.Expires.Add(time.Minute)
	if !u.Use(other, ticket.Expires) || u.Len() != 1 {
		t.Errorf("%d remembered", u.Len())
	}
}

func TestUsedIsBounded(t *testing.T) {
	u, tk := msnp.Used{Max: 100}, ticket
	for i := range 250 {
		tk.Nonce, tk.Expires = uint64(i+1), now.Add(time.Duration(100-i%100)*time.Second)
		if got := u.Use(tk, now); got != (i < 100) {
			t.Fatalf("%d: %v", i, got)
		}
	}
	if u.Len() != 100 {
		t.Errorf("%d remembered", u.Len())
	}
	tk.Nonce, tk.Expires = 1000, now.Add(time.Hour)
	if !u.Use(tk, now.Add(50*time.Second)) || u.Len() != 51 {
		t.Errorf("%d remembered", u.Len())
	}
}

func TestUsedTogether(t *testing.T) {
	var u msnp.Used
	var wg sync.WaitGroup
	var mu sync.Mutex
	good := 0
	for range 8 {
		wg.Go(func() {
			for i := range 500 {
				tk := ticket
				tk.Nonce = uint64(i)
				if u.Use(tk, now) {
					mu.Lock()
					good++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if good != 500 || u.Len() != 500 {
		t.Errorf("%d uses of 500 tickets, %d remembered", good, u.Len())
	}
}

func FuzzTicket(f *testing.F) {
	s := signer(f, "0123456789abcdef")
	f.Add(s.Sign(ticket))
	f.Add("17262740.1050826919.32308")
	f.Fuzz(func(t *testing.T, token string) {
		if got, err := s.Verify(token, now); err == nil && got.Handle != ticket.Handle {
			t.Errorf("%q is taken for %+v", token, got)
		}
	})
}

func BenchmarkTicket(b *testing.B) {
	s := signer(b, "0123456789abcdef")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Verify(s.Sign(ticket), now); err != nil {
			b.Fatal(err)
		}
	}
}
