package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/credential"
	"parley/msnp"
	"parley/msnp/client"
	xmpp "parley/xmpp/client"
)

// realm is a domain of its own: a service in a process, which is joined to others.
type realm struct {
	*daemon
	t *testing.T
}

// newRealm starts a domain with accounts, whose password is actorPassword.
func newRealm(t *testing.T, domain string, people ...string) *realm {
	t.Helper()
	r := &realm{t: t}
	host := ownHost()
	r.daemon = newDaemon(t, filepath.Join(t.TempDir(), "data"), domain)
	for _, scheme := range []string{"msnp", "xmpp", "ssp", "http"} {
		r.listen = append(r.listen, scheme+"://"+host+":0")
	}
	r.set = []string{"xmpp.plain=loopback", "msnp.ring=2s", "offline.ring_again=1s", "msnp.renames=1000000", "ssp.back_off_max=1s",
		"ssp.requests_per_second=0", "shutdown.grace=500ms"}
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

// mood is how somebody is, as all protocols can show it.
type mood string

const (
	present  mood = "present"
	occupied mood = "occupied"
	absent   mood = "absent"
	gone     mood = "gone"
)

// figure is somebody who uses a domain, over whichever protocol.
type figure interface {
	address() string
	arrives(t *testing.T)                     // logs in
	leaves()                                  // logs out
	is(t *testing.T, m mood)                  // shows oneself
	asks(t *testing.T, who string)            // to see somebody
	isAsked(t *testing.T, who string)         // waits for that
	admits(t *testing.T, who string)          // lets somebody see
	isAdmitted(t *testing.T, who string)      // waits for that
	sees(t *testing.T, who string, m mood)    // waits until somebody is so
	tells(t *testing.T, who, text string)     // says something, that is accepted
	hears(t *testing.T, who, text string)     // waits for that
	blocks(t *testing.T, who string, on bool) // somebody, or no more
	drops(t *testing.T, who string)           // somebody off the list
	view(who string) view                     // what its client knows
}

// view is what a client knows of somebody.
type view struct {
	wants, granted bool // oneself to see them, and that is let; on MSN nobody knows
	lets           bool // them see oneself, and they wish to
	seen           mood
}

// msnFigure is somebody on MSN Messenger.
type msnFigure struct {
	r    *realm
	name string
	guest
	talks map[string]*client.Conversation
}

func (f *msnFigure) address() string { return f.name + "@" + f.r.domain }

func (f *msnFigure) arrives(t *testing.T) {
	t.Helper()
	ctx, cancel := awhile()
	defer cancel()
	f.guest, f.talks = guest{box: &client.Inbox{}}, map[string]*client.Conversation{}
	var err error
	if f.Client, err = client.Connect(ctx, client.Config{Address: f.r.at["msnp"], Handle: f.address(),
		Password: credential.NewSecret(actorPassword), Event: f.box.Put, Answer: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	if _, _, err := f.Sync(ctx, 0); err != nil {
		t.Fatal(err)
	}
	f.is(t, present)
}

func (f *msnFigure) leaves() { f.Close() }

var msnMoods = map[mood]msnp.State{present: msnp.Online, occupied: msnp.Busy, absent: msnp.Away, gone: msnp.Offline}

func (f *msnFigure) is(t *testing.T, m mood) {
	t.Helper()
	ctx, cancel := awhile()
	defer cancel()
	s := msnMoods[m]
	if m == gone {
		s = msnp.Hidden
	}
	if err := f.SetState(ctx, s); err != nil {
		t.Fatalf("%s is %v: %v", f.address(), s, err)
	}
}

func (f *msnFigure) asks(t *testing.T, who string) {
	t.Helper()
	f.changes(t, msnp.ForwardList, who, false)
}
func (f *msnFigure) isAsked(t *testing.T, who string) {
	t.Helper()
	if _, ok := f.Listed(msnp.ReverseList, who); !ok {
		f.listed(t, msnp.ReverseList, who, false)
	}
}
func (f *msnFigure) admits(t *testing.T, who string) {
	t.Helper()
	if _, ok := f.Listed(msnp.AllowList, who); !ok {
		f.changes(t, msnp.AllowList, who, false)
	}
}
func (f *msnFigure) isAdmitted(*testing.T, string) {} // MSNP has no word for it
func (f *msnFigure) sees(t *testing.T, who string, m mood) {
	t.Helper()
	f.guest.sees(t, who, msnMoods[m])
}

func (f *msnFigure) tells(t *testing.T, who, text string) {
	t.Helper()
	ctx, cancel := awhile()
	defer cancel()
	for range 5 {
		talk := f.talks[who]
		if talk == nil || !slices.Contains(talk.Members(), who) {
			talk = f.calls(t, who)
			f.talks[who] = talk
		}
		err := talk.Say(ctx, text)
		if err == nil {
			return
		}
		if !isLost(err) && err != client.ErrNotDelivered {
			t.Fatalf("%s says %q to %s: %v", f.address(), text, who, err)
		}
		talk.Leave() // the other one has closed it
		delete(f.talks, who)
	}
	t.Fatalf("%s cannot say %q to %s", f.address(), text, who)
}

func (f *msnFigure) hears(t *testing.T, who, text string) { t.Helper(); f.reads(t, who, text) }
func (f *msnFigure) blocks(t *testing.T, who string, on bool) {
	t.Helper()
	if on {
		if _, ok := f.Listed(msnp.AllowList, who); ok {
			f.changes(t, msnp.AllowList, who, true)
		}
		f.changes(t, msnp.BlockList, who, false)
		return
	}
	f.changes(t, msnp.BlockList, who, true)
	f.changes(t, msnp.AllowList, who, false)
}
func (f *msnFigure) view(who string) (v view) {
	l := f.Lists()
	v.wants, v.granted = l.Has(msnp.ForwardList, who), l.Has(msnp.ForwardList, who)
	v.lets = l.Has(msnp.ReverseList, who) && !l.Has(msnp.BlockList, who) && (l.Privacy == msnp.AllowList || l.Has(msnp.AllowList, who))
	for m, s := range msnMoods {
		if s == f.Seen(who).State {
			v.seen = m
		}
	}
	return v
}
func (f *msnFigure) drops(t *testing.T, who string) {
	t.Helper()
	f.changes(t, msnp.ForwardList, who, true)
}

// xmppFigure is somebody on XMPP.
type xmppFigure struct {
	r    *realm
	name string
	visitor
}

func (f *xmppFigure) address() string { return f.name + "@" + f.r.domain }

func (f *xmppFigure) arrives(t *testing.T) {
	t.Helper()
	ctx, cancel := awhile()
	defer cancel()
	f.visitor = visitor{box: &xmpp.Inbox{}}
	var err error
	if f.Client, err = xmpp.Dial(ctx, xmpp.Config{Address: f.r.at["xmpp"], Domain: f.r.domain, User: f.name, Resource: "home", Receipts: true,
		Password: credential.NewSecret(actorPassword), Security: xmpp.Plain, Event: f.box.Put}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	if _, err := f.Roster(ctx); err != nil {
		t.Fatal(err)
	}
	f.is(t, present)
}

func (f *xmppFigure) leaves() { f.Close() }

// acknowledged waits until all that was said is acknowledged.
func (f *xmppFigure) acknowledged(t *testing.T) {
	t.Helper()
	ctx, cancel := awhile()
	defer cancel()
	if err := f.Ping(ctx, ""); err != nil {
		t.Fatal(err)
	}
}

func (f *xmppFigure) is(t *testing.T, m mood) {
	t.Helper()
	var err error
	switch m {
	case gone:
		err = f.SetUnavailable("")
	default:
		err = f.SetPresence(xmpp.Shown{Show: xmppMoods[m]})
	}
	if err != nil {
		t.Fatal(err)
	}
	f.acknowledged(t)
}

var (
	xmppMoods = map[mood]string{present: "", occupied: "dnd", absent: "away"}
	// farMoods are the same as other domains tell them: whoever is not available may be so for long. ssp-syntax 10.3
	farMoods = map[mood]string{present: "", occupied: "dnd", absent: "xa"}
)

func (f *xmppFigure) asks(t *testing.T, who string) {
	t.Helper()
	if err := f.Subscribe(who, ""); err != nil {
		t.Fatal(err)
	}
	f.acknowledged(t)
}

// notices waits for an event.
func notices[E xmpp.Event](t *testing.T, f *xmppFigure, what string, match func(E) bool) E {
	t.Helper()
	ctx, cancel := awhile()
	defer cancel()
	e, err := xmpp.Await(ctx, f.box, match)
	if err != nil {
		for other, _ := f.box.TryNext(); other != nil; other, _ = f.box.TryNext() {
			t.Logf("%s saw %T%+v", f.address(), other, other)
		}
		t.Fatalf("%s does not see that %s", f.address(), what)
	}
	return e
}

func (f *xmppFigure) isTold(t *testing.T, who, typ string) {
	t.Helper()
	notices(t, f, who+" "+typ, func(p xmpp.Presence) bool { return p.Type == typ && xmpp.Bare(p.From) == who })
}

func (f *xmppFigure) isAsked(t *testing.T, who string) { t.Helper(); f.isTold(t, who, "subscribe") }
func (f *xmppFigure) admits(t *testing.T, who string) {
	t.Helper()
	if err := f.Approve(who); err != nil {
		t.Fatal(err)
	}
	f.acknowledged(t)
}
func (f *xmppFigure) isAdmitted(t *testing.T, who string) { t.Helper(); f.isTold(t, who, "subscribed") }

func (f *xmppFigure) sees(t *testing.T, who string, m mood) {
	t.Helper()
	notices(t, f, fmt.Sprintf("%s is %s", who, m), func(p xmpp.Presence) bool {
		if xmpp.Bare(p.From) != who {
			return false
		}
		if m == gone {
			return p.Type == "unavailable"
		}
		return p.Type == "" && p.Show == farMoods[m]
	})
}

func (f *xmppFigure) tells(t *testing.T, who, text string) {
	t.Helper()
	if _, err := f.Say(who, text); err != nil {
		t.Fatal(err)
	}
	f.acknowledged(t)
}

func (f *xmppFigure) hears(t *testing.T, who, text string) {
	t.Helper()
	notices(t, f, who+" says "+text, func(m xmpp.Message) bool { return m.Body == text && xmpp.Bare(m.From) == who })
}

func (f *xmppFigure) blocks(t *testing.T, who string, on bool) {
	t.Helper()
	ctx, cancel := awhile()
	defer cancel()
	do := f.Block
	if !on {
		do = f.Unblock
	}
	if err := do(ctx, who); err != nil {
		t.Fatal(err)
	}
}

func (f *xmppFigure) drops(t *testing.T, who string) {
	t.Helper()
	ctx, cancel := awhile()
	defer cancel()
	if err := f.RemoveItem(ctx, who); err != nil {
		t.Fatal(err)
	}
}

func (f *xmppFigure) view(who string) (v view) {
	it := f.Items()[who]
	v.granted = it.Subscription == "to" || it.Subscription == "both"
	v.wants, v.lets = v.granted || it.Asked, it.Subscription == "from" || it.Subscription == "both"
	v.seen = gone
	for _, p := range f.Sessions(who) {
		for m, show := range farMoods {
			if p.Type == "" && p.Show == show {
				v.seen = m
			}
		}
	}
	return v
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

// figure is somebody with an account at a domain, on msn or xmpp.
func (r *realm) figure(protocol, name string) figure {
	if protocol == "msn" {
		return &msnFigure{r: r, name: name}
	}
	return &xmppFigure{r: r, name: name}
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
