package main

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"parley/credential"
	"parley/msnp"
	"parley/msnp/client"
	xmpp "parley/xmpp/client"
)

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
	told  func(client.Event) // instead of the box
}

func (f *msnFigure) address() string { return f.name + "@" + f.r.domain }

func (f *msnFigure) arrives(t *testing.T) {
	t.Helper()
	ctx, cancel := awhile()
	defer cancel()
	if err := f.enter(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
}

func (f *msnFigure) enter(ctx context.Context) (err error) {
	f.guest, f.talks = guest{box: &client.Inbox{}}, map[string]*client.Conversation{}
	event := f.box.Put
	if f.told != nil {
		event = f.told
	}
	if f.Client, err = client.Connect(ctx, client.Config{Address: f.r.at["msnp"], Handle: f.address(),
		Password: credential.NewSecret(actorPassword), Event: event, Answer: true}); err != nil {
		return err
	}
	if _, _, err = f.Sync(ctx, 0); err != nil {
		return err
	}
	return f.show(ctx, present)
}

func (f *msnFigure) leaves() { f.Close() }

var msnMoods = map[mood]msnp.State{present: msnp.Online, occupied: msnp.Busy, absent: msnp.Away, gone: msnp.Offline}

func (f *msnFigure) is(t *testing.T, m mood) {
	t.Helper()
	ctx, cancel := awhile()
	defer cancel()
	if err := f.show(ctx, m); err != nil {
		t.Fatalf("%s is %s: %v", f.address(), m, err)
	}
}

func (f *msnFigure) show(ctx context.Context, m mood) error {
	s := msnMoods[m]
	if m == gone {
		s = msnp.Hidden
	}
	return f.SetState(ctx, s)
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
	told func(xmpp.Event) // instead of the box
}

func (f *xmppFigure) address() string { return f.name + "@" + f.r.domain }

func (f *xmppFigure) arrives(t *testing.T) {
	t.Helper()
	ctx, cancel := awhile()
	defer cancel()
	if err := f.enter(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
}

func (f *xmppFigure) enter(ctx context.Context) (err error) {
	f.visitor = visitor{box: &xmpp.Inbox{}}
	event := f.box.Put
	if f.told != nil {
		event = f.told
	}
	if f.Client, err = xmpp.Dial(ctx, xmpp.Config{Address: f.r.at["xmpp"], Domain: f.r.domain, User: f.name, Resource: "home", Receipts: true,
		Password: credential.NewSecret(actorPassword), Security: xmpp.Plain, Event: event}); err != nil {
		return err
	}
	if _, err = f.Roster(ctx); err != nil {
		return err
	}
	return f.show(ctx, present)
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
	ctx, cancel := awhile()
	defer cancel()
	if err := f.show(ctx, m); err != nil {
		t.Fatal(err)
	}
}

func (f *xmppFigure) show(ctx context.Context, m mood) error {
	var err error
	if m == gone {
		err = f.SetUnavailable("")
	} else {
		err = f.SetPresence(xmpp.Shown{Show: xmppMoods[m]})
	}
	if err != nil {
		return err
	}
	return f.Ping(ctx, "")
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

// figure is somebody with an account at a domain, on msn or xmpp.
func (r *realm) figure(protocol, name string) figure {
	if protocol == "msn" {
		return &msnFigure{r: r, name: name}
	}
	return &xmppFigure{r: r, name: name}
}
