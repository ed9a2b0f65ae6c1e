package exchange_test

import (
	"errors"
	"strings"
	"testing"

	"parley/exchange"
	"parley/im"
)

// SSP 6; ssp-syntax 1.6.
func TestDomainsAreRegistered(t *testing.T) {
	s := serve(t, exchange.Config{})
	ctx, changes := t.Context(), 0
	stop, err := s.OnDomains(func() { changes++ }) // by the publisher, before the act returns
	s.must(err)
	if _, err := s.LookupDomain(ctx, "b.example"); !errors.Is(err, im.ErrNotOnList) {
		t.Errorf("a domain that nobody registered: %v", err)
	}
	s.must(s.PutDomain(ctx, im.Domain{Name: "B.example", Secret: []byte{1}, Proof: []byte{2}}))
	first, err := s.LookupDomain(ctx, "b.example")
	s.must(err)
	if first.Service != "wv:@b.example" || first.Added.IsZero() || len(first.Secret) != 1 {
		t.Errorf("%+v", first)
	}
	// A change keeps the passwords, and when it was registered; new passwords take the place of both.
	s.must(s.PutDomain(ctx, im.Domain{Name: "b.example", Keep: true}))
	is, err := s.LookupDomain(ctx, "b.example")
	s.must(err)
	if !is.Keep || !is.Added.Equal(first.Added) || string(is.Secret) != "\x01" || string(is.Proof) != "\x02" {
		t.Errorf("%+v", is)
	}
	s.must(s.PutDomain(ctx, im.Domain{Name: "b.example", Secret: []byte{3}}))
	if is, err = s.LookupDomain(ctx, "b.example"); err != nil || string(is.Secret) != "\x03" || len(is.Proof) != 0 {
		t.Errorf("%+v, %v", is, err)
	}
	if changes != 3 {
		t.Errorf("%d changes told, want 3", changes)
	}
	for say, d := range map[string]im.Domain{
		"one of our own domains": {Name: "example.com", Secret: []byte{1}},
		"has no password yet":    {Name: "c.example"},
		"not an address":         {Name: "a b", Secret: []byte{1}},
		"is no URL of a domain":  {Name: "c.example", URL: "x", Secret: []byte{1}},
		"the Service-ID of b":    {Name: "c.example", Service: "wv:@b.example", Secret: []byte{1}},
		"our own Service-ID":     {Name: "c.example", Service: "wv:@example.com", Secret: []byte{1}},
	} {
		if err := s.PutDomain(ctx, d); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%+v: %v, want %s", d, err, say)
		}
	}
	s.must(s.DeleteDomain(ctx, "b.example"))
	if err := s.DeleteDomain(ctx, "b.example"); !errors.Is(err, im.ErrNotOnList) {
		t.Errorf("deleted twice: %v", err)
	}
	if changes != 4 {
		t.Errorf("%d changes told, want 4: refused ones are none", changes)
	}
	stop()
	s.must(s.PutDomain(ctx, im.Domain{Name: "b.example", Secret: []byte{1}}))
	if changes != 4 {
		t.Error("a change was told to one who stopped")
	}
}

// Routes lead through one relay, so they never make a ring. ssp-syntax 6.
func TestRoutesLeadThroughARelay(t *testing.T) {
	s := serve(t, exchange.Config{})
	ctx := t.Context()
	far := im.Domain{Name: "far.example", Route: "near.example"}
	if err := s.PutDomain(ctx, far); !errors.Is(err, im.ErrOpposite) || !strings.Contains(err.Error(), "near.example is not registered") {
		t.Errorf("a relay that is not there: %v", err)
	}
	s.must(s.PutDomain(ctx, im.Domain{Name: "near.example", Secret: []byte{1}}))
	s.must(s.PutDomain(ctx, far))
	for say, d := range map[string]im.Domain{
		"far.example is no relay":                    {Name: "other.example", Route: "far.example"},
		"near.example is the relay for far.example":  {Name: "near.example", Route: "third.example"},
		"far.example has no password yet":            {Name: "far.example"},
		"the relay gone.example is not registered":   {Name: "far.example", Route: "gone.example"},
		"the route leads to the domain itself: name": {Name: "far.example", Route: "far.example"},
	} {
		s.must(s.PutDomain(ctx, im.Domain{Name: "third.example", Secret: []byte{1}}))
		if err := s.PutDomain(ctx, d); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%+v: %v, want %s", d, err, say)
		}
	}
	if err := s.DeleteDomain(ctx, "near.example"); !errors.Is(err, im.ErrOpposite) || !strings.Contains(err.Error(), "far.example") {
		t.Errorf("a relay that is in use: %v", err)
	}
	// One that was behind a relay is reached itself, and back again.
	s.must(s.PutDomain(ctx, im.Domain{Name: "far.example", Secret: []byte{1}}))
	s.must(s.DeleteDomain(ctx, "near.example"))
	s.must(s.PutDomain(ctx, im.Domain{Name: "far.example", Route: "third.example"}))
	l, err := s.Domains(ctx)
	s.must(err)
	if len(l) != 2 || l[0].Name != "far.example" || l[0].Route != "third.example" || len(l[0].Secret) != 0 || l[1].Name != "third.example" {
		t.Errorf("%+v", l)
	}
}
