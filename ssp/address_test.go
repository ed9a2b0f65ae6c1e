package ssp

import (
	"errors"
	"strings"
	"testing"

	"parley/im"
	"parley/ssp/wire"
)

// TestAddresses: each kind, in each spelling, is read as one and written as its dialect wants. SSP 3; ssp-syntax 4.1,
// 4.2, 9.
func TestAddresses(t *testing.T) {
	for _, c := range []struct{ in, owner, resource, wv10, oma13 string }{
		{"wv:ines@north.example", "ines@north.example", "", "wv:ines@north.example", ""},
		{"  WV:Ines@North.Example ", "ines@north.example", "", "wv:ines@north.example", ""},
		{"ines@north.example", "ines@north.example", "", "wv:ines@north.example", ""},
		{"wv:+351912345678@north.example", "+351912345678@north.example", "", "wv:+351912345678@north.example", ""},
		{"wv:0912345678@north.example", "0912345678@north.example", "", "wv:0912345678@north.example", ""},
		{"wv:jos%C3%A9@north.example", "josé@north.example", "", "wv:jos%C3%A9@north.example", ""},
		{"wv:jos%E9@north.example", "josé@north.example", "", "wv:jos%C3%A9@north.example", ""},
		{"wv:José@bücher.example", "josé@bücher.example", "", "wv:jos%C3%A9@xn--bcher-kva.example", ""},
		{"wv:ines%2FClub@north.example", "ines@north.example", "club", "wv:ines%2Fclub@north.example", "wv:ines/club@north.example"},
		{"wv:ines/club@north.example", "ines@north.example", "club", "wv:ines%2Fclub@north.example", "wv:ines/club@north.example"},
		{"wv:ines%2fclub@north.example", "ines@north.example", "club", "wv:ines%2Fclub@north.example", "wv:ines/club@north.example"},
		{"/Chess_players@north.example", "north.example", "chess_players", "wv:%2Fchess_players@north.example", "wv:/chess_players@north.example"},
		{"wv:%2Fa%20b%2Fc%40d@north.example", "north.example", "a b/c@d", "wv:%2Fa%20b%2Fc%40d@north.example", "wv:/a%20b%2Fc%40d@north.example"},
		{"wv:/a+b@north.example", "north.example", "a+b", "wv:%2Fa%2Bb@north.example", "wv:/a%2Bb@north.example"},
		{"wv:@north.example", "north.example", "", "wv:@north.example", ""},
		{"wv:north.example", "north.example", "", "wv:@north.example", ""},
		{"@North.example.", "north.example", "", "wv:@north.example", ""},
		{"north.example", "north.example", "", "wv:@north.example", ""},
		{"wv:@[2001:DB8::1]", "[2001:db8::1]", "", "wv:@[2001:db8::1]", ""},
	} {
		a, err := ParseAddress(c.in)
		if err != nil || a.Owner.String() != c.owner || a.Resource != c.resource {
			t.Errorf("%s is %q %q, %v", c.in, a.Owner, a.Resource, err)
			continue
		}
		if c.oma13 == "" {
			c.oma13 = c.wv10
		}
		if a.String() != c.wv10 || a.Format(wire.OMA13) != c.oma13 {
			t.Errorf("%s is written %s, %s", c.in, a, a.Format(wire.OMA13))
		}
		if a.Private() != (c.resource != "" && strings.HasPrefix(c.owner, "ines")) {
			t.Errorf("%s private: %v", c.in, a.Private())
		}
	}
	for _, s := range []string{"", "wv:", "wv:@", "wv:ines@", "wv:a b@north.example", "wv:ines%2@north.example", "wv:ines%zz@north.example",
		"wv:ines/@north.example", "wv:ines/%20@north.example", "wv:ines/%00@north.example", "a@b@north.example", "wv:ines/%2@north.example",
		"mailto:ines@north.example", "wv:ines@north example", "wv:ines%40home@north.example", "wv:%252F@north.example/"} {
		if a, err := ParseAddress(s); !errors.Is(err, im.ErrBadAddress) {
			t.Errorf("%q is %v, %v", s, a, err)
		}
	}
}

// TestKindsOfAddress: where a user stands, no group may, and so on. ssp-syntax 4.1.
func TestKindsOfAddress(t *testing.T) {
	const user, group, service = "wv:ines@north.example", "wv:%2Fchess@north.example", "wv:@north.example"
	for _, s := range []string{user, group, service, "", "wv:a%@b"} {
		u, err := ParseUser(s)
		if (err == nil) != (s == user) || s == user && u != im.MustAddress("ines@north.example") || err != nil && !errors.Is(err, im.ErrBadAddress) {
			t.Errorf("user %q: %v %v", s, u, err)
		}
		g, err := ParseResource(s)
		if (err == nil) != (s == group) || s == group && g.Resource != "chess" || err != nil && !errors.Is(err, im.ErrBadAddress) {
			t.Errorf("group %q: %v %v", s, g, err)
		}
		d, err := ParseService(s)
		if (err == nil) != (s == service) || s == service && d != "north.example" || err != nil && !errors.Is(err, im.ErrBadAddress) {
			t.Errorf("service %q: %v %v", s, d, err)
		}
	}
	if s := FormatService("bücher.example"); s != "wv:@xn--bcher-kva.example" {
		t.Error(s)
	}
	for s, want := range map[string]bool{"+351912345678@n": true, "091@n": true, "ines@n": false, "+@n": false, "n": false, "1a@n": false} {
		if IsNumber(im.MustAddress(s)) != want {
			t.Errorf("%s is a number: %v", s, !want)
		}
	}
}

// ssp-syntax 4.1.
func TestMessageIDs(t *testing.T) {
	s := FormatMessageID(42, "bücher.example")
	if id, ok := ParseMessageID(s, "bücher.example"); s != "42@xn--bcher-kva.example" || id != 42 || !ok {
		t.Errorf("%s is %d %v", s, id, ok)
	}
	for _, s := range []string{"", "42", "42@south.example", "042@north.example", "-1@north.example", "x@north.example", "42@North.example"} {
		if id, ok := ParseMessageID(s, "north.example"); ok {
			t.Errorf("%s is %d", s, id)
		}
	}
}

// FuzzAddress: what is read is written and read again as the same, in both dialects.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"wv:ines@north.example", "wv:ines%2Fclub@north.example", "/x%C3%A9@bücher.example", "wv:+1@n", "@[::1]", "wv:jos%E9/%E9@n", "İ/İ@n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil {
			if !errors.Is(err, im.ErrBadAddress) {
				t.Fatal(err)
			}
			return
		}
		for _, d := range []wire.Dialect{wire.WV10, wire.OMA13} {
			b, err := ParseAddress(a.Format(d))
			if err != nil || b != a {
				t.Fatalf("%q is %+v, written %s, which is %+v, %v", s, a, a.Format(d), b, err)
			}
		}
	})
}
