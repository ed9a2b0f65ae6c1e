package exchange

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/im"
)

// asked is a session that gathers the requests that it is told of.
type asked struct {
	believer
	requests []*Change
}

func (s *asked) Hand(d Delivery) bool {
	if c, ok := d.(*Change); ok && c.Request != nil {
		s.mu.Lock()
		s.requests = append(s.requests, c)
		s.mu.Unlock()
	}
	return s.believer.Hand(d)
}

func (s *asked) take() (l []*Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, s.requests = s.requests, nil
	return l
}

// strangers are alice, logged in, and bob, who has an account.
func strangers(t *testing.T, cfg ...func(*Config)) (w *world, alice *asked, by, bob By) {
	w = newWorld(t, 100)
	for _, f := range cfg {
		f(&w.x.cfg)
	}
	w.populate(t, "alice", "bob")
	alice = &asked{believer: believer{who: w.people[0], slot: "home"}}
	alice.forget()
	var err error
	alice.client, err = w.x.Attach(t.Context(), alice.who, Login{Slot: "home"}, alice)
	must(t, err)
	t.Cleanup(alice.client.Detach)
	alice.read()
	return w, alice, By{Who: alice.who, Client: alice.client}, By{Who: w.people[1]}
}

// RFC 6121 3.1.3: a request is kept until it is answered, and delivered again when it is made again.
func TestRequestIsKeptAndRepeated(t *testing.T) {
	w, alice, by, bob := strangers(t)
	ctx, x := t.Context(), w.x
	first := im.Wish{Text: im.NewText("It is me"), Native: im.Native{Door: "xmpp", Body: []byte("<status/>")}, Time: time.Unix(1e9, 0)}
	must(t, x.Ask(ctx, bob, alice.who, first))
	l := alice.take()
	if len(l) != 1 || l[0].Serial == 0 || l[0].Request.From != bob.Who || l[0].Request.Text.Reveal() != "It is me" {
		t.Fatalf("told %+v", l)
	}
	serial := alice.client.Snapshot().Serial
	must(t, x.Ask(ctx, bob, alice.who, im.Wish{Text: im.NewText("Me again")}))
	if l = alice.take(); len(l) != 1 || l[0].Serial != 0 || l[0].Request.Text.Reveal() != "Me again" || alice.client.Snapshot().Serial != serial {
		t.Fatalf("told again %+v", l)
	}
	kept, err := x.Requests(ctx, alice.who)
	if must(t, err); len(kept) != 1 || kept[0].From != bob.Who || kept[0].Text.Reveal() != "Me again" || kept[0].Native.Body != nil {
		t.Errorf("kept %+v", kept)
	}
	must(t, x.Answer(ctx, by, bob.Who))
	if kept, err = x.Requests(ctx, alice.who); err != nil || len(kept) != 0 {
		t.Errorf("answered, and kept %+v, %v", kept, err)
	}
	must(t, x.Ask(ctx, bob, alice.who, first))
	if l = alice.take(); len(l) != 0 {
		t.Errorf("who sees asks: %+v", l)
	}
	if e := alice.client.Snapshot().Entry(bob.Who); e.Watched != im.WatchGranted || e.Side.Access != im.AccessAnswered {
		t.Errorf("answered: %+v", e)
	}
}

// RFC 6121 3.1.2, 8.5.1: whether somebody has an account is not to be found out by asking.
func TestNobodyIsAskedLikeSomebody(t *testing.T) {
	w, alice, by, bob := strangers(t)
	nobody := im.MustAddress("nobody@example.com")
	want(t, w.x.Ask(t.Context(), by, im.MustAddress("a@elsewhere.example"), im.Wish{}), im.ErrUnknownUser)
	must(t, w.x.Ask(t.Context(), by, alice.who, im.Wish{}))
	for _, who := range []im.Address{nobody, bob.Who} {
		must(t, w.x.Ask(t.Context(), by, who, im.Wish{Text: im.NewText("Who are you?")}))
		must(t, w.x.Ask(t.Context(), by, who, im.Wish{Text: im.NewText("Well?")}))
	}
	n, b := *alice.client.Snapshot().Entry(nobody), *alice.client.Snapshot().Entry(bob.Who)
	if !n.Side.Equal(b.Side) || n.Side.Watch != im.WatchAsked || n.Watched != b.Watched || alice.client.Snapshot().Entry(alice.who) != nil {
		t.Errorf("%+v is not %+v", n, b)
	}
	must(t, w.x.CreateAccount(t.Context(), im.Account{Address: nobody}))
	l, err := w.x.Requests(t.Context(), nobody)
	if must(t, err); len(l) != 1 || l[0].Text.Reveal() != "Well?" {
		t.Errorf("who comes finds %+v", l)
	}
}

func TestRequestsAreBounded(t *testing.T) {
	w, alice, by, bob := strangers(t, func(c *Config) { c.RequestText, c.Requests, c.Contacts = 5, 1, 2 })
	ctx, x := t.Context(), w.x
	must(t, x.Ask(ctx, bob, alice.who, im.Wish{Text: im.NewText("fünfé"), Native: im.Native{Door: "xmpp", Body: []byte("<more/>")}}))
	if l := alice.take(); l[0].Request.Text.Reveal() != "fünf" || l[0].Request.Native.Door != "" {
		t.Errorf("said %q in %+v", l[0].Request.Text.Reveal(), l[0].Request)
	}
	carol := im.MustAddress("carol@example.com")
	must(t, x.CreateAccount(ctx, im.Account{Address: carol}))
	want(t, x.Ask(ctx, By{Who: carol}, alice.who, im.Wish{}), im.ErrListFull)
	must(t, x.Refuse(ctx, by, bob.Who))
	must(t, x.Ask(ctx, By{Who: carol}, alice.who, im.Wish{}))
	for _, who := range []string{"x@example.com", "y@elsewhere.example"} {
		must(t, x.SetItem(ctx, by, im.MustAddress(who), "", nil))
	}
	want(t, x.SetItem(ctx, by, bob.Who, "", nil), im.ErrListFull)
	want(t, x.Ask(ctx, by, bob.Who, im.Wish{}), im.ErrListFull)
	must(t, x.Answer(ctx, by, bob.Who))
	must(t, x.Answer(ctx, by, im.MustAddress("x@example.com")))
	want(t, x.Answer(ctx, by, im.MustAddress("y@elsewhere.example")), im.ErrListFull)
}

// RFC 6121 3.2.2, 3.3.3, 3.4.2: what is refused, taken back, and given in advance.
func TestAnswersWithoutAsking(t *testing.T) {
	w, alice, by, bob := strangers(t)
	ctx, x := t.Context(), w.x
	serial := alice.client.Snapshot().Serial
	must(t, x.Refuse(ctx, by, bob.Who))
	must(t, x.Unwatch(ctx, by, bob.Who))
	if alice.client.Snapshot().Serial != serial || alice.client.Snapshot().Entry(bob.Who) != nil {
		t.Error("what is not there is refused, and leaves something")
	}
	must(t, x.Answer(ctx, by, bob.Who))
	must(t, x.Ask(ctx, bob, alice.who, im.Wish{}))
	if e := alice.client.Snapshot().Entry(bob.Who); e.Watched != im.WatchGranted || len(alice.take()) != 0 {
		t.Errorf("approved before, and %+v", e)
	}
	must(t, x.Unwatch(ctx, bob, alice.who))
	if e := alice.client.Snapshot().Entry(bob.Who); e.Watched != im.WatchNone || e.Side.Access != im.AccessLasting {
		t.Errorf("an approval went with the watch: %+v", e)
	}
	must(t, x.Refuse(ctx, by, bob.Who))
	must(t, x.Block(ctx, by, bob.Who, "", false))
	must(t, x.Ask(ctx, bob, alice.who, im.Wish{}))
	l, err := x.Requests(ctx, alice.who)
	if must(t, err); len(l) != 0 || len(alice.take()) != 0 {
		t.Errorf("who is blocked asks: %+v", l)
	}
	must(t, x.Unblock(ctx, by, bob.Who))
	if l, err = x.Requests(ctx, alice.who); err != nil || len(l) != 1 {
		t.Errorf("unblocked, and asks no more: %v, %v", l, err)
	}
}

// RFC 6121 2.3, 2.4, 2.5: items with their names and groups.
func TestItems(t *testing.T) {
	w, alice, by, bob := strangers(t, func(c *Config) { c.Groups = 2 })
	ctx, x := t.Context(), w.x
	names := func() (l []string) {
		for _, g := range alice.client.Snapshot().Groups {
			l = append(l, g.Name)
		}
		return l
	}
	set := func(alias string, groups ...string) error { return x.SetItem(ctx, by, bob.Who, alias, groups) }
	long := strings.Repeat("x", maxName+1)
	for _, err := range []error{set(long), set("", long), set("", ""), set("\xff"), set("a\x00b")} {
		want(t, err, im.ErrBadName)
	}
	want(t, x.SetItem(ctx, by, alice.who, "Me", nil), im.ErrBadAddress)
	must(t, set("Bobby", "Friends", "Work", "Friends"))
	e := alice.client.Snapshot().Entry(bob.Who)
	if e.Side.Alias != "Bobby" || len(e.Side.Groups) != 2 || e.Side.Watch != im.WatchNone || !slices.Equal(names(), []string{"Friends", "Work"}) {
		t.Errorf("set %+v in %v", e, names())
	}
	want(t, set("", "Family"), im.ErrListFull)
	must(t, x.SetItem(ctx, by, im.MustAddress("nobody@elsewhere.example"), "", []string{"Friends"}))
	must(t, set("", "Work"))
	must(t, set(""))
	if e = alice.client.Snapshot().Entry(bob.Who); e.Side.Alias != "" || len(e.Side.Groups) != 0 || !slices.Equal(names(), []string{"Friends"}) {
		t.Errorf("set %+v in %v", e, names())
	}
	// A group that a rule names stays: the list is to be shown as it was written.
	id := alice.client.Snapshot().Groups[0].ID
	must(t, x.PutRules(ctx, by, im.RuleList{Name: "friends", Rules: []im.Rule{{By: im.ByGroup, Group: id, What: im.Queries}}}))
	must(t, x.RemoveItem(ctx, by, im.MustAddress("nobody@elsewhere.example")))
	if !slices.Equal(names(), []string{"Friends"}) {
		t.Errorf("groups are %v", names())
	}
	must(t, set("", "Friends"))
	must(t, x.DeleteRules(ctx, by, "friends"))
	must(t, x.RemoveItem(ctx, by, bob.Who))
	want(t, x.RemoveItem(ctx, by, bob.Who), im.ErrNotOnList)
	want(t, x.RemoveItem(ctx, by, alice.who), im.ErrNotOnList)
	if alice.client.Snapshot().Entry(bob.Who) != nil || len(names()) != 0 {
		t.Errorf("left are %+v, %v", alice.client.Snapshot().Entry(bob.Who), names())
	}
	must(t, x.Watch(ctx, by, alice.who, ""))
	must(t, x.RemoveItem(ctx, by, alice.who))
	if alice.client.Snapshot().Entry(alice.who) != nil {
		t.Error("oneself stays")
	}
	alice.mu.Lock()
	defer alice.mu.Unlock()
	if len(alice.lies) > 0 || len(alice.groups) != 0 {
		t.Errorf("told %v, groups %v", alice.lies, alice.groups)
	}
}

// XEP-0049 2: what clients keep with their account, within limits.
func TestNotes(t *testing.T) {
	w, _, by, bob := strangers(t, func(c *Config) { c.Note, c.Notes = 10, 2 })
	ctx, x := t.Context(), w.x
	put := func(key string, body []byte) error { return x.PutNote(ctx, by.Who, "xmpp", key, body) }
	must(t, put("a", []byte("one")))
	must(t, put("a", []byte("two")))
	must(t, put("b", []byte{}))
	want(t, put("c", []byte("x")), im.ErrListFull)
	want(t, put("a", make([]byte, 11)), im.ErrListFull)
	want(t, put(strings.Repeat("k", maxName+1), nil), im.ErrBadName)
	want(t, x.PutNote(ctx, im.MustAddress("nobody@example.com"), "xmpp", "a", []byte("x")), im.ErrUnknownUser)
	for _, n := range []struct {
		who       im.Address
		door, key string
		body      []byte
	}{{by.Who, "xmpp", "a", []byte("two")}, {by.Who, "xmpp", "b", []byte{}}, {by.Who, "ssp", "a", nil}, {bob.Who, "xmpp", "a", nil}} {
		body, err := x.Note(ctx, n.who, n.door, n.key)
		if must(t, err); !bytes.Equal(body, n.body) || (body == nil) != (n.body == nil) {
			t.Errorf("%v keeps %q in %s of %s", n.who, body, n.key, n.door)
		}
	}
	must(t, put("a", nil))
	must(t, put("a", nil))
	must(t, put("c", []byte("x")))
	must(t, x.RemoveAccount(ctx, by.Who))
	must(t, w.x.store.Check(ctx))
	w.x.cfg.Hold = 0
	must(t, x.CreateAccount(ctx, im.Account{Address: by.Who}))
	if body, err := x.Note(ctx, by.Who, "xmpp", "c"); err != nil || body != nil {
		t.Errorf("the next one finds %q, %v", body, err)
	}
}
