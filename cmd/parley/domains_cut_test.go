package main

import (
	"sync"
	"testing"

	xmpp "parley/xmpp/client"
)

// roadsCut: while there is no way to the other domain, its people are gone; all that changed meanwhile is known afterwards,
// whichever way was cut, and how.
func roadsCut(t *testing.T) {
	verona, mantua := quartet(t)
	there, back := roads(t, verona, mantua)
	all, as, bs := four(t, verona, mantua)
	bad := func(m mode, roads ...*road) {
		for _, r := range roads {
			r.be(m)
		}
	}
	moods := []mood{occupied, absent, present}
	for i, c := range []struct {
		name  string
		mode  mode
		roads []*road
		gone  bool
	}{
		{"both cut", broken, []*road{there, back}, true},
		{"one cut", broken, []*road{there}, false},
		{"the other cut", broken, []*road{back}, false},
		{"both hold what comes", holding, []*road{there, back}, false},
		{"one holds what comes", holding, []*road{there}, false},
		{"both slow", slow, []*road{there, back}, false},
		{"no answers", deaf, []*road{there}, false},
		{"no answers the other way", deaf, []*road{back}, false},
	} {
		bad(c.mode, c.roads...)
		if c.gone {
			away := map[figure]mood{as[0]: present, bs[0]: gone, bs[1]: gone}
			agree(t, c.name, away)
		}
		for j, f := range []figure{as[0], bs[0], as[1], bs[1]} {
			all[f] = moods[(i+j)%3]
			f.is(t, all[f])
		}
		text := "said with " + c.name
		for _, p := range [][2]figure{{as[0], bs[0]}, {as[0], bs[1]}, {bs[0], as[0]}, {bs[0], as[1]}} {
			p[0].tells(t, p[1].address(), text) // on MSN nobody can be called whose domain is gone
		}
		bad(passing, c.roads...)
		for _, p := range [][2]figure{{as[0], bs[0]}, {as[0], bs[1]}, {bs[0], as[0]}, {bs[0], as[1]}} {
			p[1].hears(t, p[0].address(), text)
		}
		agree(t, "after "+c.name, all)
	}
	ends(t, verona, mantua)
}

// roadsCutAsking: who asked, parted or said yes or no while there was no way to tell it: both sides agree when there is one.
func roadsCutAsking(t *testing.T) {
	verona, mantua := quartet(t)
	there, back := roads(t, verona, mantua)
	all, as, bs := four(t, verona, mantua)
	times := 0
	unheard := func(what string, act func()) {
		t.Helper()
		t.Log(what)
		there.be(broken)
		back.be(broken)
		times++
		if times%3 == 1 { // else it is noticed by what is done
			verona.sessions(t, 0)
			mantua.sessions(t, 0)
		}
		act()
		there.be(passing)
		back.be(passing)
		agree(t, what, all)
	}
	for _, a := range as {
		for _, b := range bs {
			what := a.address() + " and " + b.address() + ": "
			unheard(what+"one drops the other", func() { a.drops(t, b.address()) })
			if v := b.view(a.address()); onXMPP(a) && onXMPP(b) && (v.granted || v.lets) {
				t.Errorf("%s was dropped while there was no way to tell: %+v", b.address(), v)
			}
			unheard(what+"and finds them again", func() { a.asks(t, b.address()) })
			b.isAsked(t, a.address())
			b.admits(t, a.address())
			agree(t, what+"is let", all)
			if onXMPP(a) { // who took all back
				b.asks(t, a.address())
				a.isAsked(t, b.address())
				unheard(what+"lets them again", func() { a.admits(t, b.address()) })
				agree(t, what+"is let again", all)
			}
			if v := a.view(b.address()); !v.granted || !v.lets {
				t.Errorf("%s of %s at last: %+v", a.address(), b.address(), v)
			}
		}
	}
	ends(t, verona, mantua)
}

// roadsCutTalking: what is said while the road is bad comes, all of it, once and in order.
func roadsCutTalking(t *testing.T) {
	const n = 200
	verona, mantua := newRealm(t, "verona.example", "romeo", "tybalt"), newRealm(t, "mantua.example", "juliet", "nurse")
	there, back := roads(t, verona, mantua)
	var pairs [2][2]*xmppFigure
	for i, names := range [][2]string{{"romeo", "juliet"}, {"tybalt", "nurse"}} {
		pairs[i] = [2]*xmppFigure{verona.figure("xmpp", names[0]).(*xmppFigure), mantua.figure("xmpp", names[1]).(*xmppFigure)}
		pairs[i][0].arrives(t)
		pairs[i][1].arrives(t)
	}
	for _, c := range []struct {
		name  string
		mode  mode
		roads []*road
	}{
		{"cut", broken, []*road{there, back}},
		{"cut there", broken, []*road{there}},
		{"cut back", broken, []*road{back}},
		{"held", holding, []*road{there, back}},
		{"held there", holding, []*road{there}},
		{"deaf there", deaf, []*road{there}},
		{"deaf back", deaf, []*road{back}},
	} {
		var talk sync.WaitGroup
		said := make(chan struct{}, 4*n)
		for _, p := range pairs {
			for _, way := range [][2]*xmppFigure{p, {p[1], p[0]}} {
				talk.Go(func() { // ends when all is said
					stream(t, way[0], way[1], c.name, n, func(int) { said <- struct{}{} })
				})
			}
		}
		for i := range 4 * n {
			<-said
			if i%n == n/4 {
				for _, r := range c.roads {
					r.be(c.mode)
				}
			}
			if i%n == n/2 {
				for _, r := range c.roads {
					r.be(passing)
				}
			}
		}
		talk.Wait()
		for _, p := range pairs {
			for _, way := range [][2]*xmppFigure{p, {p[1], p[0]}} {
				again, astray := hearsAll(t, way[1], []*xmpp.Inbox{way[1].box}, way[0].address(), c.name, n)
				if again > 0 || astray > 0 {
					t.Errorf("%s: %d came twice, %d out of order to %s", c.name, again, astray, way[1].address())
				}
			}
		}
	}
	ends(t, verona, mantua)
}
