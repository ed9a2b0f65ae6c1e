package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// realm is a domain of its own: a service in a process, which is joined to others.
type realm struct {
	*daemon
	t *testing.T
}

// newRealm starts a domain with accounts, whose password is actorPassword.
func newRealm(t *testing.T, domain string, people ...string) *realm {
	t.Helper()
	return newRealmSet(t, domain, nil, people...)
}

// newRealmSet is newRealm with KEY=VALUE.
func newRealmSet(t *testing.T, domain string, set []string, people ...string) *realm {
	t.Helper()
	r := &realm{t: t}
	host := ownHost()
	r.daemon = newDaemon(t, filepath.Join(t.TempDir(), "data"), domain)
	for _, scheme := range []string{"msnp", "xmpp", "ssp", "http"} {
		r.listen = append(r.listen, scheme+"://"+host+":0")
	}
	r.set = []string{"xmpp.plain=loopback", "msnp.ring=2s", "offline.ring_again=1s", "msnp.renames=1000000", "ssp.back_off_max=1s",
		"ssp.requests_per_second=0", "shutdown.grace=500ms"}
	r.set = append(r.set, set...)
	var csv strings.Builder
	for _, p := range people {
		fmt.Fprintf(&csv, "%s@%s,%s\n", p, domain, actorPassword)
	}
	if len(people) > 0 {
		if err := r.command(csv.String(), "account", "import", "-"); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if r.p != nil {
			r.kill()
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", domain, tail(r.said.String()))
		}
	})
	if err := r.start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// knows registers another domain, which takes requests at an address: its own, or that of something in between.
func (r *realm) knows(domain, at string, flags ...string) {
	r.t.Helper()
	args := append([]string{"domain", "add", domain, "--url", "http://" + at + "/", "--password-stdin"}, flags...)
	if err := r.command("the password of both\n", args...); err != nil {
		r.t.Fatal(err)
	}
}

// join has two domains know each other.
func join(a, b *realm) {
	a.t.Helper()
	a.knows(b.domain, b.at["ssp"])
	b.knows(a.domain, a.at["ssp"])
}

// ends stops domains in order.
func ends(t *testing.T, all ...*realm) {
	t.Helper()
	for _, r := range all {
		if err := r.stop(); err != nil {
			t.Errorf("%s: %v", r.domain, err)
		}
	}
}

// awhile is the time for one thing to happen at another domain, that takes none unless it is broken.
func awhile() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 30*time.Second)
}

// TestTwoDomains: what people of two domains do to each other, on every pair of protocols: RFC 6121 2.5, 3.1, 4.4, 5; draft
// 7.8, 7.9, 8.3, 8.7; XEP-0191 3.3; SSP 11.3.1, 11.3.3, 11.3.4, 12.3.1.
func TestTwoDomains(t *testing.T) {
	t.Parallel()
	kinds := []string{"msn", "xmpp"}
	var people []string
	for _, a := range kinds {
		for _, b := range kinds {
			people = append(people, a+"-with-"+b, a+"-from-"+b)
		}
	}
	scenes := map[string]func(*testing.T, *realm, *realm){
		"states": farStates, "waiting": farWaiting, "nobody": farNobody, "carried": farCarried, "receipts": farReceipts, "blocked": farBlocked,
		"names": farNames, "removed": farRemoved, "picked": farPicked,
	}
	for name := range scenes {
		people = append(people, name+"-msn", name+"-xmpp")
	}
	verona, mantua := newRealm(t, "verona.example", people...), newRealm(t, "mantua.example", people...)
	join(verona, mantua)
	t.Run("all", func(t *testing.T) {
		for _, a := range kinds {
			for _, b := range kinds {
				t.Run(a+" and "+b, func(t *testing.T) {
					t.Parallel()
					acquaintance(t, verona.figure(a, a+"-with-"+b), mantua.figure(b, b+"-from-"+a))
				})
			}
		}
		for name, scene := range scenes {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				scene(t, verona, mantua)
			})
		}
	})
	ends(t, verona, mantua)
}

// acquaintance is one of two people of two domains, from its begin to its end.
func acquaintance(t *testing.T, a, b figure) {
	a.arrives(t)
	b.arrives(t)

	t.Log("they find each other")
	for range 2 {
		a.asks(t, b.address())
		b.isAsked(t, a.address())
		b.admits(t, a.address())
		a.isAdmitted(t, b.address())
		a.sees(t, b.address(), present)
		for _, m := range []mood{occupied, absent, present} {
			b.is(t, m)
			a.sees(t, b.address(), m)
		}
		a, b = b, a
	}

	t.Log("they talk")
	for i := range 3 {
		for range 2 {
			text := fmt.Sprintf("line %d — ∀ <&> of %s", i, a.address())
			a.tells(t, b.address(), text)
			b.hears(t, a.address(), text)
			a, b = b, a
		}
	}

	t.Log("one is away")
	for range 2 {
		b.leaves()
		a.sees(t, b.address(), gone)
		b.arrives(t)
		a.sees(t, b.address(), present)
		b.sees(t, a.address(), present)
		a, b = b, a
	}

	t.Log("one blocks the other")
	for range 2 {
		b.blocks(t, a.address(), true)
		a.sees(t, b.address(), gone)
		b.blocks(t, a.address(), false)
		a.sees(t, b.address(), present)
		a, b = b, a
	}

	t.Log("they part")
	a.drops(t, b.address())
	b.is(t, absent)
	b.tells(t, a.address(), "farewell")
	a.hears(t, b.address(), "farewell")
}
