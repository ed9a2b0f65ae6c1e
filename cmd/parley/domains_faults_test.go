package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	xmpp "parley/xmpp/client"
)

// comesTrue waits until nothing is wrong any more.
func comesTrue(t *testing.T, what string, wrong func() string) {
	t.Helper()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		w := wrong()
		if w == "" {
			return
		}
		select {
		case <-look.C:
		case <-late.C:
			t.Fatalf("%s:\n%s", what, w)
		}
	}
}

// agree waits until the people of two domains see each other as they are, and their lists fit.
func agree(t *testing.T, when string, is map[figure]mood) {
	t.Helper()
	comesTrue(t, when, func() string { return disagreement(is) })
}

// disagreement says what two people of different domains know that does not fit.
func disagreement(is map[figure]mood) string {
	var b strings.Builder
	for x, m := range is {
		for y := range is {
			if domainOf(x) == domainOf(y) || is[y] == gone {
				continue
			}
			theirs := y.view(x.address()) // y watches x
			if m == gone {
				if theirs.seen != gone {
					fmt.Fprintf(&b, "%s is gone, and %s sees them %s\n", x.address(), y.address(), theirs.seen)
				}
				continue
			}
			switch mine := x.view(y.address()); {
			case mine.lets && !theirs.wants:
				fmt.Fprintf(&b, "%s lets %s see them, who does not wish to\n", x.address(), y.address())
			case mine.lets && !theirs.granted:
				fmt.Fprintf(&b, "%s lets %s see them, who does not know\n", x.address(), y.address())
			case mine.lets && theirs.seen != m:
				fmt.Fprintf(&b, "%s is %s, and %s sees them %s\n", x.address(), m, y.address(), theirs.seen)
			case !mine.lets && theirs.seen != gone:
				fmt.Fprintf(&b, "%s does not let %s see them, who sees them %s\n", x.address(), y.address(), theirs.seen)
			case !mine.lets && onXMPP(y) && theirs.granted:
				fmt.Fprintf(&b, "%s does not let %s see them, who believes it\n", x.address(), y.address())
			}
		}
	}
	return b.String()
}

func domainOf(f figure) string {
	_, d, _ := strings.Cut(f.address(), "@")
	return d
}

func onXMPP(f figure) bool {
	_, ok := f.(*xmppFigure)
	return ok
}

// sessions waits until a domain has so many sessions with others.
func (r *realm) sessions(t *testing.T, n float64) {
	t.Helper()
	comesTrue(t, r.domain, func() string {
		v, err := r.metric(`parley_sessions{door="ssp",state="up"}`)
		if err != nil || v != n {
			return fmt.Sprintf("%v sessions with other domains, %v instead of %v", v, err, n)
		}
		return ""
	})
}

// restarts kills the domain and starts it again.
func (r *realm) restarts(t *testing.T) {
	t.Helper()
	if err := r.kill(); err != nil {
		t.Error(err)
	}
	if err := r.start(); err != nil {
		t.Fatal(err)
	}
}

// TestDomainFaults: domains that are killed, and roads between them that are cut: RFC 6121 3.1, 4.2; SSP 6.1.3, 6.1.4.
func TestDomainFaults(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(*testing.T){
		"killed before the login":             killedBefore,
		"killed between the steps":            killedBetween,
		"killed while nothing happens":        killedIdle,
		"killed with messages under way":      killedTalking,
		"killed with subscriptions under way": killedAsking,
		"cut":                                 roadsCut,
		"cut while people talk":               roadsCutTalking,
		"cut while people ask":                roadsCutAsking,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t)
		})
	}
}

// killedBefore: what is said and asked while there never was a session is done when there is one.
func killedBefore(t *testing.T) {
	verona, mantua := newRealm(t, "verona.example", "romeo", "tybalt"), newRealm(t, "mantua.example", "juliet", "nurse")
	join(verona, mantua)
	if err := mantua.kill(); err != nil {
		t.Error(err)
	}
	verona.restarts(t)
	romeo, tybalt := verona.figure("xmpp", "romeo"), verona.figure("msn", "tybalt")
	romeo.arrives(t)
	tybalt.arrives(t)
	for i := range 3 {
		romeo.tells(t, "juliet@mantua.example", fmt.Sprintf("line %d", i))
	}
	romeo.asks(t, "juliet@mantua.example")
	tybalt.asks(t, "nurse@mantua.example")
	if err := mantua.start(); err != nil {
		t.Fatal(err)
	}
	juliet, nurse := mantua.figure("xmpp", "juliet"), mantua.figure("msn", "nurse")
	juliet.arrives(t)
	nurse.arrives(t)
	for i := range 3 {
		juliet.hears(t, romeo.address(), fmt.Sprintf("line %d", i))
	}
	juliet.isAsked(t, romeo.address())
	juliet.admits(t, romeo.address())
	nurse.isAsked(t, tybalt.address())
	romeo.sees(t, juliet.address(), present)
	tybalt.sees(t, nurse.address(), present)
	ends(t, verona, mantua)
}

// killedBetween: one of the two is killed at each step of the login.
func killedBetween(t *testing.T) {
	verona, mantua := newRealm(t, "verona.example", "romeo"), newRealm(t, "mantua.example", "juliet")
	there, back := roads(t, verona, mantua)
	romeo := verona.figure("xmpp", "romeo")
	romeo.arrives(t)
	verona.sessions(t, 1)
	for _, on := range []*road{there, back} {
		for step := range 3 {
			there.be(broken)
			back.be(broken)
			verona.sessions(t, 0)
			mantua.sessions(t, 0)
			there.be(passing)
			back.be(passing)
			reached := on.watch(step + 1)
			select {
			case <-reached:
			case <-time.After(30 * time.Second):
				t.Fatal("no login")
			}
			if err := mantua.kill(); err != nil {
				t.Error(err)
			}
			on.be(passing)
			text := fmt.Sprintf("killed at document %d", step+1)
			if on == back {
				text += " of the other"
			}
			romeo.tells(t, "juliet@mantua.example", text)
			if err := mantua.start(); err != nil {
				t.Fatal(err)
			}
			juliet := mantua.figure("xmpp", "juliet")
			juliet.arrives(t)
			juliet.hears(t, romeo.address(), text)
			juliet.leaves()
		}
	}
	ends(t, verona, mantua)
}

// four are two people at each of two domains, who all see those of the other one.
func four(t *testing.T, verona, mantua *realm) (all map[figure]mood, as, bs []figure) {
	t.Helper()
	as = []figure{verona.figure("xmpp", "romeo"), verona.figure("msn", "tybalt")}
	bs = []figure{mantua.figure("xmpp", "juliet"), mantua.figure("msn", "nurse")}
	all = map[figure]mood{}
	for _, f := range append(as[:2:2], bs...) {
		f.arrives(t)
		all[f] = present
	}
	for _, a := range as {
		for _, b := range bs {
			befriend(t, a, b)
		}
	}
	agree(t, "at the begin", all)
	return all, as, bs
}

func quartet(t *testing.T) (verona, mantua *realm) {
	return newRealm(t, "verona.example", "romeo", "tybalt"), newRealm(t, "mantua.example", "juliet", "nurse")
}

// killedIdle: a domain that is killed is gone for the others, and back with all who come back to it.
func killedIdle(t *testing.T) {
	verona, mantua := quartet(t)
	join(verona, mantua)
	all, as, bs := four(t, verona, mantua)
	for range 2 {
		if err := mantua.kill(); err != nil {
			t.Error(err)
		}
		for _, b := range bs {
			all[b] = gone
		}
		agree(t, "while the other domain is dead", all)
		as[0].is(t, occupied)
		all[as[0]] = occupied
		if err := mantua.start(); err != nil {
			t.Fatal(err)
		}
		for _, b := range bs {
			b.arrives(t)
			all[b] = present
		}
		agree(t, "when it is back", all)
		for _, a := range as {
			for _, b := range bs {
				a.tells(t, b.address(), "are you back?")
				b.hears(t, a.address(), "are you back?")
				b.tells(t, a.address(), "I am")
				a.hears(t, b.address(), "I am")
			}
		}
		verona, mantua, as, bs = mantua, verona, bs, as
	}
	ends(t, verona, mantua)
}

// stream has one say many things to another, acknowledged one by one; each text once.
func stream(t *testing.T, from, to *xmppFigure, prefix string, n int, said func(i int)) {
	t.Helper()
	for i := range n {
		if _, err := from.Say(to.address(), fmt.Sprintf("%s %d", prefix, i)); err != nil {
			t.Fatal(err)
		}
		if i%10 == 9 || i == n-1 {
			from.acknowledged(t)
		}
		said(i)
	}
}

// hearsAll waits for all of a stream, and gives how often one of it came again, and how often out of order.
func hearsAll(t *testing.T, f *xmppFigure, boxes []*xmpp.Inbox, from, prefix string, n int) (again, astray int) {
	t.Helper()
	seen := make([]bool, n)
	left, last := n, -1
	f.acknowledged(t)
	for _, box := range boxes {
		for left > 0 || box != f.box {
			e, _ := box.TryNext()
			if e == nil {
				if box != f.box {
					break // a session that is over
				}
				ctx, cancel := awhile()
				var err error
				e, err = box.Next(ctx)
				cancel()
				if err != nil {
					t.Fatalf("%s misses %d of %d that %s said: %v", f.address(), left, n, from, missing(seen))
				}
			}
			m, ok := e.(xmpp.Message)
			var i int
			if !ok || m.Type == "error" || xmpp.Bare(m.From) != from {
				continue
			}
			if k, err := fmt.Sscanf(m.Body, prefix+" %d", &i); k != 1 || err != nil {
				continue
			}
			if seen[i] {
				again++
				continue
			}
			if i < last {
				astray++
			}
			seen[i] = true
			last = max(last, i)
			left--
		}
	}
	return again, astray
}

func missing(seen []bool) (l []int) {
	for i, ok := range seen {
		if !ok {
			l = append(l, i)
		}
	}
	return l
}

// killedTalking: nothing that was acknowledged is lost, whichever of the two is killed, and nothing comes out of order. What
// was under way may come twice.
func killedTalking(t *testing.T) {
	const n = 300
	verona, mantua := newRealm(t, "verona.example", "romeo"), newRealm(t, "mantua.example", "juliet")
	join(verona, mantua)
	romeo, juliet := verona.figure("xmpp", "romeo").(*xmppFigure), mantua.figure("xmpp", "juliet").(*xmppFigure)
	romeo.arrives(t)
	juliet.arrives(t)
	boxes := []*xmpp.Inbox{juliet.box}
	stream(t, romeo, juliet, "to the dying", n, func(i int) {
		if i == n/2 {
			mantua.restarts(t)
			juliet.arrives(t)
			boxes = append(boxes, juliet.box)
		}
	})
	again, astray := hearsAll(t, juliet, boxes, romeo.address(), "to the dying", n)
	t.Logf("the receiver's domain killed: %d came twice", again)
	if astray > 0 {
		t.Errorf("%d came out of order", astray)
	}
	stream(t, romeo, juliet, "of the dying", n/2, func(int) {})
	verona.restarts(t) // all of it is acknowledged
	romeo.arrives(t)
	again, astray = hearsAll(t, juliet, []*xmpp.Inbox{juliet.box}, romeo.address(), "of the dying", n/2)
	t.Logf("the sender's domain killed: %d came twice", again)
	if astray > 0 {
		t.Errorf("%d came out of order", astray)
	}
	ends(t, verona, mantua)
}

// killedAsking: who asked, was asked, said yes or no, or went, while a domain was killed: both sides agree at last.
func killedAsking(t *testing.T) {
	const n = 12
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("p%d", i))
	}
	verona, mantua := newRealm(t, "verona.example", names...), newRealm(t, "mantua.example", names...)
	join(verona, mantua)
	all := map[figure]mood{}
	as, bs := make([]figure, n), make([]figure, n)
	for i, name := range names {
		as[i], bs[i] = verona.figure([]string{"xmpp", "msn"}[i%2], name), mantua.figure([]string{"xmpp", "msn"}[i/2%2], name)
		for _, f := range []figure{as[i], bs[i]} {
			f.arrives(t)
			all[f] = present
		}
	}
	for i := range n {
		as[i].asks(t, bs[i].address())
		bs[i].asks(t, as[i].address())
		if i == n/2 {
			mantua.restarts(t)
			for _, b := range bs {
				b.arrives(t)
			}
		}
	}
	for i := range n {
		as[i].isAsked(t, bs[i].address())
		bs[i].isAsked(t, as[i].address())
		as[i].admits(t, bs[i].address())
		if i == n/2 {
			verona.restarts(t)
			for _, a := range as {
				a.arrives(t)
			}
		}
		bs[i].admits(t, as[i].address())
	}
	comesTrue(t, "all are asked and let", func() string {
		for i := range n {
			if v := as[i].view(bs[i].address()); !v.granted || !v.lets {
				return fmt.Sprintf("%s of %s: %+v", as[i].address(), bs[i].address(), v)
			}
		}
		return disagreement(all)
	})
	for i := range n {
		switch i % 3 {
		case 0:
			as[i].drops(t, bs[i].address())
		case 1:
			bs[i].drops(t, as[i].address())
		}
		if i == n/2 {
			mantua.restarts(t)
			for _, b := range bs {
				b.arrives(t)
			}
		}
	}
	agree(t, "when some have parted", all)
	ends(t, verona, mantua)
}
