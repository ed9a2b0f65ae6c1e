package c2s

import (
	"testing"

	"parley/im"
)

// TestNumber: what names conversations that no client named, and what clients therefore cannot call theirs. XEP-0045 7.2.11
func TestNumber(t *testing.T) {
	for _, c := range []struct {
		local    string
		id       int64
		reserved bool
	}{
		{"talk-1", 1, true},
		{"talk-ljv1pm", 1303150954, true},
		{"talk-01", 0, true}, // another name of talk-1
		{"talk-+1", 0, true},
		{"talk-", 0, true},
		{"talk-zzzzzzzzzzzzzzzzzzzz", 0, true},
		{"talk", 0, false},
		{"tea", 0, false},
		{"", 0, false},
	} {
		if id, reserved := number(c.local); id != c.id || reserved != c.reserved {
			t.Errorf("%q is %d, %v; want %d, %v", c.local, id, reserved, c.id, c.reserved)
		}
	}
}

// TestNicks: everybody has a nick of their own that can be seen, whatever their display names and what others took.
// XEP-0045 7.2.8, 17.1
func TestNicks(t *testing.T) {
	m := &room{occupants: map[im.Address]*occupant{}}
	for _, c := range []struct{ who, name, nick string }{
		{"a@example.com", "Sam", "Sam"},
		{"b@example.com", "Sam", "b@example.com"},
		{"c@example.com", "d@example.com", "d@example.com"},
		{"d@example.com", "Sam", "d@example.com 2"},
		{"e@example.com", "", "e@example.com"},
		{"f@example.com", "\x00", "f@example.com"},
		{"g@example.com", " \u00a0 ", "g@example.com"},
	} {
		if o := m.add(im.MustAddress(c.who), c.name); o.nick != c.nick {
			t.Errorf("%s, called %q, is %q, want %q", c.who, c.name, o.nick, c.nick)
		}
	}
}
