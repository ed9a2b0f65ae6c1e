package limit

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestQuotaIsEachNetworks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hits []string
		q := NewQuota("things", 2, time.Hour, func(l string) { hits = append(hits, l) })
		here, neighbour, elsewhere := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("192.0.2.1")
		take := func(a netip.Addr, want bool) {
			t.Helper()
			if got := q.Take(a); got != want {
				t.Fatalf("Take(%v) = %v, want %v", a, got, want)
			}
		}
		take(here, true)
		time.Sleep(30 * time.Minute)
		take(neighbour, true)
		take(here, false)
		take(elsewhere, true)
		q.GiveBack(here)
		take(neighbour, true)
		take(neighbour, false)
		time.Sleep(30 * time.Minute) // an hour after the first
		take(here, true)
		q.GiveBack(here)
		q.GiveBack(here) // nothing is left to give back
		take(here, true)
		take(here, true)
		take(here, false)
		if want := []string{"things", "things", "things"}; !slices.Equal(hits, want) {
			t.Errorf("hits %q, want %q", hits, want)
		}
		if unlimited := NewQuota("things", 0, time.Hour, nil); !unlimited.Take(here) {
			t.Error("0 limits")
		}
	})
}
