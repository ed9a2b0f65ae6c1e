package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"parley/credential"
	"parley/xmpp/client"
	"parley/xmpp/wire"
)

// xactor is somebody who does this and that on XMPP. What is not guarded belongs to the goroutine that acts.
type xactor struct {
	f      *fleet
	i      int
	jid    string
	rng    *rand.Rand
	c      *client.Client
	said   int
	unsure map[string]bool // whose item was being changed when the service was killed
	open   []spoken        // not acknowledged yet
	book   map[string]xitem
	ends   map[string]tally // against whom: what takes a subscription away; guarded by the fleet's ending

	mu     sync.Mutex        // guards what follows
	asked  map[string]bool   // who has asked to see, in this session
	refers map[string]string // what was said, by the id of its stanza
}

// xitem is somebody on a roster as the service acknowledged it.
type xitem struct {
	name        string
	groups      []string
	sees, shows promise // oneself them, and them oneself
}

// promise is something acknowledged that others can take back. It is only held against the service while nobody has tried.
type promise struct {
	given  bool // false: nobody but oneself changes that
	theirs tally
}

// tally counts what somebody has begun, and what of it is acknowledged.
type tally struct{ begun, done int }

// spoken is a message whose fate is not known yet.
type spoken struct {
	text    string
	to      party
	sure    bool
	version int
}

func (x *xactor) address() string { return x.jid }

// takes reports that anybody may write: XMPP's default.
func (x *xactor) takes(string) (ok bool, version int) { return true, 0 }

// connect logs in.
func (x *xactor) connect() error {
	ctx, cancel := x.f.patience()
	defer cancel()
	x.mu.Lock()
	x.asked = map[string]bool{}
	x.mu.Unlock()
	c, err := client.Dial(ctx, client.Config{Address: x.f.service.at["xmpp"], Domain: "parley.test", User: x.jid, Resource: "kill",
		Password: credential.NewSecret(actorPassword), Security: client.Plain, Event: x.event})
	if err != nil {
		return err
	}
	x.c = c
	return nil
}

// event gets what the service sends unasked, on the reader's goroutine.
func (x *xactor) event(e client.Event) {
	switch e := e.(type) {
	case client.Message:
		switch {
		case e.Type == "error":
			x.mu.Lock()
			text := x.refers[e.ID]
			x.mu.Unlock()
			if text != "" {
				x.f.log.refused(text)
			}
		case e.Body != "":
			id, _ := e.Node().Child(wire.NSStanzaID, "stanza-id").Attr("", "id")
			if len(id) == 0 {
				x.f.t.Errorf("%s got a message without an id (XEP-0359 3): %s", x.jid, e.XML)
			}
			x.f.log.received(x, client.Bare(e.From), e.Body, string(id))
		}
	case client.Presence:
		if e.Type == "subscribe" {
			x.mu.Lock()
			x.asked[client.Bare(e.From)] = true
			x.mu.Unlock()
		}
	}
}

// arrive logs in, holds the roster against the book, and is available.
func (x *xactor) arrive() error {
	if err := x.connect(); err != nil {
		return err
	}
	x.f.act()
	if err := x.compare(true); err != nil {
		return err
	}
	return x.show(client.Shown{})
}

func (x *xactor) show(s client.Shown) error {
	if err := x.c.SetPresence(s); err != nil {
		return err
	}
	return x.confirm()
}

// confirm waits until the service has answered: all that was said before is acknowledged then. RFC 6120 10.1
func (x *xactor) confirm() error {
	ctx, cancel := x.f.patience()
	defer cancel()
	if err := x.c.Ping(ctx, ""); err != nil {
		return err
	}
	for _, w := range x.open {
		var must []party
		if ok, version := w.to.takes(x.jid); w.sure && ok && version == w.version {
			must = append(must, w.to)
		}
		x.f.log.acknowledged(w.text, must)
	}
	x.open = nil
	return nil
}

// compare asks for the roster. With fresh nobody has changed anything since the service came.
func (x *xactor) compare(fresh bool) error {
	ctx, cancel := x.f.patience()
	defer cancel()
	l, err := x.c.Roster(ctx)
	if err != nil {
		return err
	}
	there := map[string]client.Item{}
	for _, it := range l {
		there[it.JID] = it
	}
	for who, b := range x.book {
		it, ok := there[who]
		switch {
		case x.unsure[who]:
		case !ok:
			return fmt.Errorf("%s is not on the roster any more", who)
		case it.Name != b.name || !slices.Equal(slices.Sorted(slices.Values(it.Groups)), b.groups):
			return fmt.Errorf("%s is on the roster as %+v, and was acknowledged as %+v", who, it, b)
		case fresh && !x.f.holds(b.sees, who, x.jid, sees(it)):
			return fmt.Errorf("seeing %s is %+v on the roster, and was acknowledged as %+v", who, it, b)
		case fresh && !x.f.holds(b.shows, who, x.jid, shows(it)):
			return fmt.Errorf("being seen by %s is %+v on the roster, and was acknowledged as %+v", who, it, b)
		}
	}
	for who := range there {
		if _, ok := x.book[who]; !ok && !x.unsure[who] {
			return fmt.Errorf("%s is on the roster, and never was, or was removed", who)
		}
	}
	if fresh { // what was in doubt is so now
		x.book = map[string]xitem{}
		for who, it := range there {
			b := xitem{name: it.Name, groups: slices.Sorted(slices.Values(it.Groups))}
			theirs := tally{x.f.against(x.jid, who).begun, x.f.against(x.jid, who).begun}
			if sees(it) {
				b.sees = promise{true, theirs}
			}
			if shows(it) {
				b.shows = promise{true, theirs}
			}
			x.book[who] = b
		}
		x.f.ending.Lock()
		for who, t := range x.ends {
			x.ends[who] = tally{t.begun, t.begun}
		}
		x.f.ending.Unlock()
		x.unsure = map[string]bool{}
	}
	return nil
}

// sees reports that somebody is seen, or was asked and has not answered; shows that they see, or will. RFC 6121 A.1
func sees(it client.Item) bool {
	return it.Asked || it.Subscription == "to" || it.Subscription == "both"
}
func shows(it client.Item) bool {
	return it.Approved || it.Subscription == "from" || it.Subscription == "both"
}

// holds compares a promise with what the roster says, unless somebody may have changed it since.
func (f *fleet) holds(p promise, who, of string, now bool) bool {
	if p.given && (p.theirs.begun != p.theirs.done || f.against(of, who).begun != p.theirs.begun) {
		return true
	}
	return now == p.given
}

// against is what who has done to end a subscription with of.
func (f *fleet) against(of, who string) tally {
	f.ending.Lock()
	defer f.ending.Unlock()
	return f.xmpp[who].ends[of]
}

// leave ends the connection, if it is there.
func (x *xactor) leave() error {
	if x.c != nil {
		x.c.Close()
		x.c = nil
	}
	x.open = nil // nobody knows of these
	return nil
}

// live does things at random until the connection is lost.
func (x *xactor) live() error {
	for {
		if err := x.something(); err != nil {
			return err
		}
		x.f.act()
	}
}

// other is another one on XMPP nearby.
func (x *xactor) other() *xactor {
	n := len(x.f.xactors)
	return x.f.xactors[(x.i+1+x.rng.IntN(min(n-1, 6)))%n]
}

func (x *xactor) something() error {
	ctx, cancel := x.f.patience()
	defer cancel()
	switch n := x.rng.IntN(100); {
	case n < 15:
		return x.setItem(ctx)
	case n < 19:
		return x.remove(ctx)
	case n < 40:
		return x.subscription()
	case n < 48:
		return x.show([]client.Shown{{}, {}, {Show: "away"}, {Show: "dnd", Status: "busy"}, {Priority: -1}, {Priority: 5}}[x.rng.IntN(6)])
	case n < 51:
		if err := x.c.SetUnavailable(""); err != nil {
			return err
		}
		return x.confirm()
	case n < 54:
		return x.compare(false)
	case n < 58:
		return x.again()
	}
	return x.talk()
}

// again leaves and comes back.
func (x *xactor) again() error {
	if err := x.confirm(); err != nil {
		return err
	}
	x.leave()
	return x.collect()
}

// collect logs in and takes what waits.
func (x *xactor) collect() error {
	if err := x.connect(); err != nil {
		return err
	}
	if err := x.compare(false); err != nil {
		return err
	}
	return x.show(client.Shown{})
}

// settle has nothing to do: everybody may write.
func (x *xactor) settle() error { return nil }

// change asks for something about another, and keeps it in the book when it is acknowledged. ends: it takes a
// subscription away.
func (x *xactor) change(who *xactor, ends bool, ask func() error, apply func(map[string]xitem)) error {
	count := func(add func(*tally)) {
		x.f.ending.Lock()
		defer x.f.ending.Unlock()
		a := x.ends[who.jid]
		add(&a)
		x.ends[who.jid] = a
	}
	if ends {
		count(func(a *tally) { a.begun++ })
	}
	if err := ask(); err != nil {
		x.f.doubts.Add(1)
		x.unsure[who.jid] = true
		return err
	}
	x.f.changes.Add(1)
	if ends {
		count(func(a *tally) { a.done++ })
	}
	apply(x.book)
	return nil
}

func (x *xactor) setItem(ctx context.Context) error {
	who := x.other()
	it := client.Item{JID: who.jid, Name: fmt.Sprintf("Name %d", x.rng.IntN(1000))}
	for _, g := range []string{"Family", "Friends", "Work"} {
		if x.rng.IntN(3) == 0 {
			it.Groups = append(it.Groups, g)
		}
	}
	return x.change(who, false, func() error { return x.c.SetItem(ctx, it) }, func(m map[string]xitem) {
		b := m[who.jid]
		b.name, b.groups = it.Name, it.Groups
		m[who.jid] = b
	})
}

func (x *xactor) remove(ctx context.Context) error {
	who := x.other()
	_, listed := x.book[who.jid]
	return x.change(who, true, func() error {
		err := x.c.RemoveItem(ctx, who.jid)
		if !listed && errors.Is(err, &client.StanzaError{Condition: "item-not-found"}) {
			err = nil
		}
		return err
	}, func(m map[string]xitem) { delete(m, who.jid) })
}

// subscription asks somebody, answers, refuses or asks no more: RFC 6121 3. An answer to a ping acknowledges it.
func (x *xactor) subscription() error {
	who := x.other()
	x.mu.Lock()
	if l := slices.Sorted(maps.Keys(x.asked)); len(l) > 0 && x.rng.IntN(2) == 0 {
		who = x.f.xmpp[l[x.rng.IntN(len(l))]]
		delete(x.asked, who.jid)
	}
	x.mu.Unlock()
	theirs := x.f.against(x.jid, who.jid)
	say, set, ends := x.c.Unsubscribe, func(b *xitem) { b.sees = promise{} }, true
	switch n := x.rng.IntN(10); {
	case n < 4:
		say, set, ends = func(jid string) error { return x.c.Subscribe(jid, "it is me") }, func(b *xitem) { b.sees = promise{true, theirs} }, false
	case n < 8:
		say, set, ends = x.c.Approve, func(b *xitem) { b.shows = promise{true, theirs} }, false
	case n < 9:
		say, set = x.c.Deny, func(b *xitem) { b.shows = promise{} }
	}
	return x.change(who, ends, func() error {
		if err := say(who.jid); err != nil {
			return err
		}
		return x.confirm()
	}, func(m map[string]xitem) {
		b, ok := m[who.jid]
		if set(&b); ok || !ends { // what ends lists nobody
			m[who.jid] = b
		}
	})
}

// talk says something to one or several, on either protocol, and has it acknowledged.
func (x *xactor) talk() error {
	for range 1 + x.rng.IntN(4) {
		var to party = x.other()
		if n := len(x.f.actors); x.rng.IntN(2) == 0 {
			to = x.f.actors[(x.i+x.rng.IntN(min(n, 6)))%n]
		}
		x.said++
		w := spoken{text: fmt.Sprintf("words %d of x%d", x.said, x.i), to: to}
		w.sure, w.version = to.takes(x.jid)
		x.f.log.saying(w.text, x, []party{to})
		id := x.c.NewID()
		x.mu.Lock()
		x.refers[id] = w.text
		x.mu.Unlock()
		address := to.address()
		if x.rng.IntN(4) == 0 {
			address += "/kill"
		}
		if _, err := x.c.Tell(client.Words{To: address, ID: id, Body: w.text}); err != nil {
			return err
		}
		x.open = append(x.open, w)
	}
	return x.confirm()
}

// agreeXMPP holds the rosters against each other: whoever sees somebody is seen by them, and who has asked was heard.
// RFC 6121 3.1.3, A.1
func (f *fleet) agreeXMPP() {
	for _, x := range f.xactors {
		for who, it := range x.c.Items() {
			back := f.xmpp[who].c.Items()[x.jid]
			if to := it.Subscription == "to" || it.Subscription == "both"; to != (back.Subscription == "from" || back.Subscription == "both") {
				f.t.Errorf("%s has %s as %q, and is there as %q", x.jid, who, it.Subscription, back.Subscription)
			}
			f.xmpp[who].mu.Lock()
			asked := f.xmpp[who].asked[x.jid]
			f.xmpp[who].mu.Unlock()
			if it.Asked && !asked {
				f.t.Errorf("%s has asked to see %s, who was not told at the login", x.jid, who)
			}
		}
	}
}

// lostXMPP reports whether an error is the end of a stream of XMPP, or says that there was none to be had.
func lostXMPP(err error) bool {
	var end *client.EndError
	var step *client.StepError
	var refusal *client.SASLError
	var stanza *client.StanzaError
	return errors.As(err, &end) || errors.Is(err, client.ErrClosed) ||
		errors.As(err, &step) && !errors.As(err, &refusal) && !errors.As(err, &stanza)
}
