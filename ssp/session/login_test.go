package session

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/ssp/wire"
)

// TestTenSteps: a login from either end, told step by step. SSP 6.1.1, 6.3.1.
func TestTenSteps(t *testing.T) {
	for _, first := range []string{alpha, beta} {
		t.Run(first, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newNetwork()
				d := map[string]*domain{alpha: newDomain(t, w, alpha, nil), beta: newDomain(t, w, beta, nil)}
				other := alpha
				if first == alpha {
					other = beta
				}
				seen := map[int]bool{}
				err := d[first].Login(t.Context(), other, func(n int, what string, err error) {
					if err != nil || what == "" || seen[n] {
						t.Errorf("step %d %q: %v", n, what, err)
					}
					seen[n] = true
				})
				synctest.Wait()
				if err != nil || len(seen) != 10 {
					t.Fatal(err, seen)
				}
				for _, name := range []string{first, other} {
					if ups, downs := d[name].counts(); ups != 1 || downs != 0 {
						t.Errorf("%s: %d up, %d down", name, ups, downs)
					}
				}
				a, b := d[alpha].Node.Link(beta), d[beta].Node.Link(alpha)
				if a.own != b.theirs || a.theirs != b.own || !strings.HasSuffix(a.own, "@"+alpha) {
					t.Errorf("sessions %s %s, %s %s", a.own, a.theirs, b.own, b.theirs)
				}
				if e, err := a.Request(t.Context(), message(alpha, beta, "hello")); err != nil || e.Name != "SendMessageResponse" {
					t.Errorf("%v %v", e, err)
				}
			})
		})
	}
}

// TestBothAtOnce: the lower domain goes on as the initiator, and there is one pair of sessions. ssp-syntax 5.1.
func TestBothAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNetwork()
		a, b := newDomain(t, w, alpha, nil), newDomain(t, w, beta, nil)
		a.Keep(beta)
		b.Keep(alpha)
		synctest.Wait()
		if ups, _ := a.counts(); ups != 1 {
			t.Errorf("a: %d up", ups)
		}
		if ups, _ := b.counts(); ups != 1 {
			t.Errorf("b: %d up", ups)
		}
		if _, err := b.Node.Link(alpha).Request(t.Context(), notice(beta)); err != nil {
			t.Error(err)
		}
	})
}

// TestKeepBackOff: who is down is tried again after pauses that grow; who comes back is found. SSP 6.1.4; ssp-syntax 1.5.
func TestKeepBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNetwork()
		a := newDomain(t, w, alpha, nil)
		a.Keep(beta)
		time.Sleep(30 * time.Minute)
		tries := len(w.dialed())
		if tries < 5 || tries > 14 {
			t.Errorf("%d tries in half an hour", tries)
		}
		b := newDomain(t, w, beta, nil)
		time.Sleep(11 * time.Minute)
		if a.Node.Link(beta) == nil {
			t.Fatal("not found when it came back")
		}
		b.host.Close() // killed
		time.Sleep(2 * time.Second)
		if a.Node.Link(beta) != nil {
			t.Error("nobody saw that it was killed")
		}
		if _, downs := a.counts(); downs != 1 {
			t.Errorf("%d down", downs)
		}
		b.host = w.listen(beta + ":80")
		b.host.serve(b.Node)
		time.Sleep(10 * time.Second)
		if ups, _ := a.counts(); ups != 2 || a.Node.Link(beta) == nil {
			t.Errorf("%d up", ups)
		}
		a.Forget(beta)
		time.Sleep(time.Minute)
		if a.Node.Link(beta) != nil || b.Node.Link(alpha) != nil {
			t.Error("a session is left behind Forget")
		}
	})
}

// TestUnregistered: who is not known gets no answer at all, and is not called. SSP 6.1.1; ssp-syntax 9.
func TestUnregistered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNetwork()
		a := newDomain(t, w, alpha, nil)
		b := newDomain(t, w, beta, func(d *domain, c *Config) { delete(d.peers, alpha) })
		var step int
		err := a.Login(t.Context(), beta, func(n int, what string, err error) {
			if err != nil {
				step = n
			}
		})
		if err == nil || step != 1 && step != 2 {
			t.Errorf("step %d: %v", step, err)
		}
		for _, addr := range w.dialed() {
			if addr != beta+":80" {
				t.Errorf("%s was called", addr)
			}
		}
		if err := b.Login(t.Context(), "nobody.example", nil); err != ErrUnknown {
			t.Error(err)
		}
	})
}

// TestWrongPassword: the one who is not believed hears 608, and is not heard after five tries. SSP 6.4.1; ssp-syntax 5.1.
func TestWrongPassword(t *testing.T) {
	for _, which := range []string{"responder", "initiator"} {
		t.Run(which, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newNetwork()
				wrong := func(d *domain, c *Config) {
					for _, p := range d.peers {
						p.Proof = func([]byte) []byte { return []byte("0123456789abcdef") }
					}
				}
				var a, b *domain
				if which == "initiator" {
					a, b = newDomain(t, w, alpha, wrong), newDomain(t, w, beta, nil)
				} else {
					a, b = newDomain(t, w, alpha, nil), newDomain(t, w, beta, wrong)
				}
				for i := range 5 {
					err := a.Login(t.Context(), beta, nil)
					if err == nil {
						t.Fatal("logged in without the password")
					}
					if which == "initiator" && !strings.Contains(err.Error(), "608") && !strings.Contains(err.Error(), "closed") {
						t.Errorf("%d: %v", i, err)
					}
					time.Sleep(20 * time.Second)
				}
				if ups, _ := b.counts(); ups != 0 {
					t.Error("sessions are up")
				}
				if which == "initiator" {
					before := len(w.dialed())
					if err := a.Login(t.Context(), beta, nil); err == nil {
						t.Error("logged in")
					}
					if n := len(w.dialed()) - before; n != 1 {
						t.Errorf("%d connections: the one who was wrong too often is called back", n)
					}
				}
			})
		})
	}
}

// TestRestart: a peer that has forgotten its session logs in anew, and the old pair ends when the new one is there.
// ssp-syntax 5.1.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a, b := pair(t, nil)
		old := a.Node.Link(beta)
		b.host.Close()
		b2 := newDomain(t, w, beta, nil)
		if err := b2.Login(t.Context(), alpha, nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if l := a.Node.Link(beta); l == nil || l == old {
			t.Error("the old sessions are there still")
		}
		if ups, downs := a.counts(); ups != 2 || downs != 1 {
			t.Errorf("%d up, %d down", ups, downs)
		}
		if _, err := old.Request(t.Context(), notice(alpha)); err == nil {
			t.Error("the old sessions take requests")
		}
	})
}

// TestRedirect: both list hosts, and the sessions go over to a mesh of connection pairs. SSP 6.1.1; ssp-syntax 5.4.
func TestRedirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNetwork()
		hosts := func(d *domain, c *Config) { c.Hosts = []string{"host1." + c.Domain, "host2." + c.Domain} }
		a, b := newDomain(t, w, alpha, hosts), newDomain(t, w, beta, hosts)
		for _, d := range []*domain{a, b} {
			for i := 1; i <= 2; i++ {
				h := w.listen(fmt.Sprintf("host%d.%s:80", i, d.c.Domain))
				h.serve(d.Node)
				defer h.Close()
			}
		}
		if err := a.Login(t.Context(), beta, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		for _, d := range []*domain{a, b} {
			l := d.Node.Link(map[string]string{alpha: beta, beta: alpha}[d.c.Domain])
			if l == nil {
				t.Fatal("sessions are down")
			}
			if n := len(l.sender.hosts()); n != 2 {
				t.Errorf("%s: %d hosts: %v", d.c.Domain, n, l.sender.hosts())
			}
			if ups, downs := d.counts(); ups != 1 || downs != 0 {
				t.Errorf("%s: %d up, %d down", d.c.Domain, ups, downs)
			}
		}
		called := map[string]int{}
		for _, addr := range w.dialed() {
			called[addr]++
		}
		for _, h := range []string{"host1.a.example:80", "host2.a.example:80", "host1.b.example:80", "host2.b.example:80"} {
			if called[h] < 2 {
				t.Errorf("%s was called %d times", h, called[h])
			}
		}
		w.hosts["host1."+beta+":80"].Close() // one of two that there are
		time.Sleep(15 * time.Minute)
		if hosts := a.Node.Link(beta).sender.hosts(); len(hosts) != 1 || hosts[0].host != "host2."+beta+":80" {
			t.Errorf("hosts %v", hosts)
		}
		w.hosts[alpha+":80"].Close() // the master pair is not needed any more
		w.hosts[beta+":80"].Close()
		for range 4 {
			if _, err := a.Node.Link(beta).Request(t.Context(), message(alpha, beta, "hello")); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestNoRedirect: only one lists hosts, and the master pair stays. SSP 6.1.1.
func TestNoRedirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNetwork()
		a := newDomain(t, w, alpha, nil)
		b := newDomain(t, w, beta, func(d *domain, c *Config) { c.Hosts = []string{"host1." + beta} })
		if err := a.Login(t.Context(), beta, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		for _, addr := range w.dialed() {
			if strings.HasPrefix(addr, "host") {
				t.Errorf("%s was called", addr)
			}
		}
		if _, err := b.Node.Link(alpha).Request(t.Context(), notice(beta)); err != nil {
			t.Error(err)
		}
	})
}

// TestTokenOnce: a token that was used begins no login. SSP 6.1.1.
func TestTokenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNetwork()
		b := newDomain(t, w, beta, nil)
		u := wire.Unit{ID: "1", Primitive: wire.New("SendSecretToken", "serviceID", "wv:@"+alpha, "protocol", "WV-SSP",
			"protocolVersion", "1.0").Add(wire.New("SecretToken").With("0123456789"))}
		m := &wire.Message{Setup: true, Units: []wire.Unit{u}}
		if status, _ := b.setup(m); status != 200 {
			t.Fatal(status)
		}
		time.Sleep(time.Minute)
		m.Units[0].ID = "2"
		if status, _ := b.setup(m); status != 0 {
			t.Error("taken once more")
		}
	})
}
