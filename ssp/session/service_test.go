package session

import (
	"testing"
	"testing/synctest"
)

// TestServiceID: a domain whose Service-ID has another domain in it logs in from either end, or from both, and is heard;
// under its own name it is not known. SSP 3.3, 6.1.1.
func TestServiceID(t *testing.T) {
	const users = "users.example" // of beta
	for _, from := range []string{alpha, users, "both"} {
		t.Run(from, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newNetwork()
				a := newDomain(t, w, alpha, func(d *domain, c *Config) {
					p := *d.peers[beta]
					p.Domain, p.Service = users, beta
					d.peers = map[string]*Peer{users: &p}
					c.Speaks = func(service string) string {
						if service == beta {
							return users
						}
						return ""
					}
				})
				b := newDomain(t, w, beta, nil)
				if from != users {
					a.Keep(users)
				}
				if from != alpha {
					b.Keep(alpha)
				}
				synctest.Wait()
				if ups, _ := a.counts(); ups != 1 || a.Node.Link(users) == nil || a.Node.Link(beta) != nil {
					t.Fatal(ups)
				}
				if _, err := a.Node.Link(users).Request(t.Context(), message(alpha, users, "hello")); err != nil {
					t.Error(err)
				}
				if _, err := b.Node.Link(alpha).Request(t.Context(), notice(beta)); err != nil {
					t.Error(err)
				}
				if _, err := b.Node.Link(alpha).Request(t.Context(), notice(users)); err == nil {
					t.Error("it is heard as one that is none")
				}
			})
		})
	}
}
