package main

import (
	"fmt"
	"strings"
	"testing"
)

// constellation is some domains and who provides what to whom: SSP 2.4.
type constellation struct {
	domains  []string    // "a" is a.example
	elements []string    // "a b": b provides messages and presence to a's users
	alone    bool        // nobody else knows that; else all do
	routes   [][3]string // at one, to another, by way of a third
	joined   [][2]string
	people   [2]string // the domains of those who meet
}

var constellations = map[string]constellation{
	"a relay between two": {domains: []string{"a", "i", "b"}, routes: [][3]string{{"a", "b", "i"}, {"b", "a", "i"}},
		joined: [][2]string{{"a", "i"}, {"i", "b"}}, people: [2]string{"a", "b"}},
	"case 2": {domains: []string{"a", "i", "b"}, elements: []string{"a b"}, routes: [][3]string{{"a", "b", "i"}, {"b", "a", "i"}},
		joined: [][2]string{{"a", "i"}, {"i", "b"}}, people: [2]string{"a", "b"}},
	"case 2, with those between": {domains: []string{"a", "i", "b"}, elements: []string{"a b"}, routes: [][3]string{{"a", "b", "i"}, {"b", "a", "i"}},
		joined: [][2]string{{"a", "i"}, {"i", "b"}}, people: [2]string{"a", "i"}},
	"case 3": {domains: []string{"a", "b", "c"}, elements: []string{"c b"}, alone: true,
		joined: [][2]string{{"a", "c"}, {"c", "b"}}, people: [2]string{"a", "c"}},
	"case 4": {domains: []string{"a", "b", "c", "d"}, elements: []string{"a b", "c d"}, alone: true,
		joined: [][2]string{{"a", "b"}, {"a", "c"}, {"c", "d"}}, people: [2]string{"a", "c"}},
	"special case": {domains: []string{"a", "b", "c"}, elements: []string{"a b", "c b"}, routes: [][3]string{{"a", "c", "b"}, {"c", "a", "b"}},
		joined: [][2]string{{"a", "b"}, {"c", "b"}}, people: [2]string{"a", "c"}},
	"those served, with those who serve": {domains: []string{"a", "b"}, elements: []string{"a b"},
		joined: [][2]string{{"a", "b"}}, people: [2]string{"a", "b"}},
}

// TestServiceElements: three and four domains, of which some provide services to others' users or only lie between: people
// on both protocols find each other, see each other and talk as everywhere. SSP 2.2, 2.4.2, 2.4.3.
func TestServiceElements(t *testing.T) {
	t.Parallel()
	for name, c := range constellations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := c.raise(t)
			a, b := all[c.people[0]], all[c.people[1]]
			for i, pair := range [][2]string{{"xmpp", "xmpp"}, {"msn", "xmpp"}, {"xmpp", "msn"}, {"msn", "msn"}} {
				x, y := a.figure(pair[0], fmt.Sprintf("near%d", i)), b.figure(pair[1], fmt.Sprintf("far%d", i))
				x.arrives(t)
				y.arrives(t)
				befriend(t, x, y)
				for range 2 {
					for _, m := range []mood{occupied, absent, present} {
						x.is(t, m)
						y.sees(t, x.address(), m)
					}
					for i := range 2 {
						text := fmt.Sprintf("line %d of %s", i, x.address())
						x.tells(t, y.address(), text)
						y.hears(t, x.address(), text)
					}
					x, y = y, x
				}
				y.leaves()
				x.sees(t, y.address(), gone)
				x.leaves()
			}
			for _, r := range all {
				ends(t, r)
			}
		})
	}
}

// raise starts the domains, and waits until all who were joined have sessions.
func (c constellation) raise(t *testing.T) map[string]*realm {
	t.Helper()
	all := map[string]*realm{}
	for _, d := range c.domains {
		var says []string
		for _, e := range c.elements {
			f := strings.Fields(e)
			if c.alone && d != f[0] && d != f[1] {
				continue
			}
			for _, service := range []string{"messages", "presence"} {
				says = append(says, f[0]+".example "+service+" "+f[1]+".example")
			}
		}
		var set []string
		if says != nil {
			set = []string{"ssp.elements=" + strings.Join(says, ",")}
		}
		all[d] = newRealmSet(t, d+".example", set, "near0", "near1", "near2", "near3", "far0", "far1", "far2", "far3")
	}
	sessions := map[string]float64{}
	for _, j := range c.joined {
		join(all[j[0]], all[j[1]])
		sessions[j[0]]++
		sessions[j[1]]++
	}
	for _, r := range c.routes {
		if err := all[r[0]].command("", "domain", "add", r[1]+".example", "--route", r[2]+".example"); err != nil {
			t.Fatal(err)
		}
	}
	for d, n := range sessions {
		all[d].sessions(t, n)
	}
	return all
}
