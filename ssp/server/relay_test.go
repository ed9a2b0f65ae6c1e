package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/wire"
	"parley/xmltext"
)

// world is some domains that hear what each is asked for.
type world struct {
	t  *testing.T
	d  map[string]*domain
	at map[string]string // their URLs

	mu  sync.Mutex // guards got
	got []string
}

// newWorld makes domains, "a" is a.example, each with an account user@.
func newWorld(t *testing.T, domains ...string) *world {
	w := &world{t: t, d: map[string]*domain{}, at: map[string]string{}}
	for _, n := range domains {
		d := newDomain(t, n+".example", "alice", "bob", "carol")
		w.d[n] = d
		tap := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if m, err := wire.Decode(body, xmltext.Limits{}); err == nil && !m.Setup {
				w.note(n, m)
			}
			d.s.ServeHTTP(rw, r)
		}))
		t.Cleanup(tap.Close)
		t.Cleanup(func() { // before the tap goes
			d.s.node.Close(t.Context())
			tap.CloseClientConnections()
		})
		w.at[n] = tap.URL
	}
	return w
}

// dull are those that are not of interest.
var dull = []string{"GetServiceRequest", "ServiceNegotiation", "KeepAliveRequest", "LogoutRequest", "Disconnect"}

// note remembers a request: who posted it, to whom, and for which user.
func (w *world) note(to string, m *wire.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, u := range m.Units {
		if u.Response || u.Primitive == nil || slices.Contains(dull, u.Primitive.Name) {
			continue
		}
		meta, _ := u.Meta()
		from := strings.TrimSuffix(strings.TrimPrefix(meta.Service, "wv:@"), ".example")
		who := strings.TrimSuffix(strings.TrimPrefix(meta.User, "wv:"), ".example")
		id := ""
		if u.Primitive.Name == "SendMessageRequest" && u.Primitive.Child("MessageInfo").Attr("messageID") == "" {
			id = " unnamed"
		}
		w.got = append(w.got, strings.TrimSpace(from+">"+to+" "+u.Primitive.Name+id+" "+who))
	}
}

// heard are the requests since it was asked last, of some primitives.
func (w *world) heard(primitives ...string) (l []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, g := range w.got {
		if slices.Contains(primitives, strings.Fields(g)[1]) {
			l = append(l, g)
		}
	}
	w.got = nil
	return l
}

// comes waits until a request has come.
func (w *world) comes(what string) {
	w.t.Helper()
	until(w.t, what, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return slices.Contains(w.got, what)
	})
}

func (w *world) join(a, b string) {
	w.t.Helper()
	x, y := w.d[a], w.d[b]
	acquaint(x, y, w.at[a], w.at[b])
	x.s.node.Keep(y.name)
	until(w.t, "a session", func() bool { return x.joined(y) && y.joined(x) })
}

// route has a domain reached over another one.
func (w *world) route(at, to, via string) {
	w.d[at].known.route(to+".example", via+".example")
	w.d[at].s.Update()
	if d, relay := w.d[at], w.d[at].s.peer(via+".example"); relay != nil && relay.link.Load() != nil {
		until(w.t, "a way", func() bool { return d.reaches(to + ".example") })
	}
}

// elements says at a domain who provides what: "a messages b".
func (w *world) elements(at string, says ...string) {
	var l []Element
	for _, s := range says {
		f := strings.Fields(s)
		v, ok := ParseService(f[1])
		if !ok {
			w.t.Fatal(s)
		}
		l = append(l, Element{f[0] + ".example", v, f[2] + ".example"})
	}
	w.d[at].s.SetElements(l)
}

func (w *world) is(what string, got []string, want ...string) {
	w.t.Helper()
	if !slices.Equal(got, want) {
		w.t.Errorf("%s went\n\t%s\nand not\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// says has one say something that the other hears.
func (w *world) says(from, to *resident, text string) {
	w.t.Helper()
	if err := <-from.say(to.who, text); err != nil {
		w.t.Fatalf("%s to %s: %v", from.who, to.who, err)
	}
	hears(w.t, to, text, func(m *exchange.Message) bool { return m.From == from.who && m.Neutral().Text.Reveal() == text })
}

var talk = []string{"SendMessageRequest", "NewMessage"}

// caseTwo is two users of a, whose services are b's, over i: SSP 2.4.2.
func caseTwo(t *testing.T, services ...string) *world {
	w := newWorld(t, "a", "i", "b")
	var says []string
	for _, v := range services {
		says = append(says, "a "+v+" b")
	}
	for n := range w.d {
		w.elements(n, says...)
	}
	w.route("a", "b", "i")
	w.route("b", "a", "i")
	w.join("a", "i")
	w.join("i", "b")
	until(t, "ways", func() bool {
		return w.d["a"].joined(w.d["b"]) && w.d["b"].joined(w.d["a"])
	})
	return w
}

// TestMessagesCaseTwo: SSP 2.4.2.
func TestMessagesCaseTwo(t *testing.T) {
	w := caseTwo(t, "messages")
	alice, bob := w.d["a"].login("alice"), w.d["a"].login("bob")
	w.says(alice, bob, "next door")
	w.is("words", w.heard(talk...), "a>i SendMessageRequest unnamed alice@a", "i>b SendMessageRequest unnamed alice@a", "b>i NewMessage", "i>a NewMessage")
	// with a user of the intermediate domain, and of the service's
	ivan := w.d["i"].login("bob")
	w.says(ivan, alice, "hello from between")
	w.is("words", w.heard(talk...), "i>b SendMessageRequest bob@i", "b>i NewMessage", "i>a NewMessage")
	w.says(alice, ivan, "hello between")
	w.is("words", w.heard(talk...), "a>i SendMessageRequest unnamed alice@a", "i>b SendMessageRequest unnamed alice@a", "b>i SendMessageRequest alice@a")
	w.says(alice, w.d["b"].login("carol"), "hello at home")
	w.is("words", w.heard(talk...), "a>i SendMessageRequest unnamed alice@a", "i>b SendMessageRequest unnamed alice@a")
	// what waits there
	bob.c.Detach()
	if err := <-alice.say(bob.who, "for later"); err != nil {
		t.Fatal(err)
	}
	bob = w.d["a"].login("bob")
	hears(t, bob, "for later", func(m *exchange.Message) bool { return m.Neutral().Text.Reveal() == "for later" })
	if err := <-alice.say(im.MustAddress("nobody@a.example"), "?"); err == nil {
		t.Error("nobody took it, and no error")
	}
}

// TestMessagesWaitForElement: words wait for the message service of ours, and their sender hears what it refuses.
func TestMessagesWaitForElement(t *testing.T) {
	w := newWorld(t, "a", "b")
	w.elements("a", "a messages b")
	w.elements("b", "a messages b")
	nowhere := "http://127.0.0.1:1/"
	acquaint(w.d["a"], w.d["b"], nowhere, nowhere)
	alice, bob := w.d["a"].login("alice"), w.d["a"].login("bob")
	for _, text := range []string{"one", "two"} {
		if err := <-alice.say(bob.who, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-alice.say(im.MustAddress("nobody@a.example"), "lost"); err != nil {
		t.Fatal(err)
	}
	w.join("a", "b")
	for _, text := range []string{"one", "two"} {
		m := hears(t, bob, text, func(*exchange.Message) bool { return true })
		if got := m.Neutral().Text.Reveal(); got != text {
			t.Errorf("%q", got)
		}
	}
	r := hears(t, alice, "that it is lost", func(r *exchange.Report) bool { return r.Why != nil })
	if r.Of.To != im.MustAddress("nobody@a.example") {
		t.Errorf("%s", r.Of.To)
	}
}

// caseThree is a, and c whose services are b's: SSP 2.4.3.
func caseThree(t *testing.T, services ...string) *world {
	w := newWorld(t, "a", "b", "c")
	var says []string
	for _, v := range services {
		says = append(says, "c "+v+" b")
	}
	w.elements("b", says...)
	w.elements("c", says...)
	w.join("a", "c")
	w.join("c", "b")
	return w
}

// TestMessagesCaseThree: SSP 2.4.3.
func TestMessagesCaseThree(t *testing.T) {
	w := caseThree(t, "messages")
	alice, carol := w.d["a"].login("alice"), w.d["c"].login("carol")
	w.says(alice, carol, "hello")
	w.is("words", w.heard(talk...), "a>c SendMessageRequest alice@a", "c>b SendMessageRequest alice@a", "b>c NewMessage")
	w.says(carol, alice, "hello yourself")
	w.is("words", w.heard(talk...), "c>b SendMessageRequest unnamed carol@c", "b>c SendMessageRequest carol@c", "c>a SendMessageRequest carol@c")
	if err := <-alice.say(im.MustAddress("nobody@c.example"), "?"); !errors.Is(err, im.ErrUnknownUser) && !errors.Is(err, im.ErrAbsent) {
		t.Error(err)
	}
}

// caseFour is a, whose services are b's, and c, whose services are d's: SSP 2.4.
func caseFour(t *testing.T, services ...string) *world {
	w := newWorld(t, "a", "b", "c", "d")
	for _, v := range services {
		for _, n := range []string{"a", "b"} {
			w.elements(n, "a "+v+" b")
		}
		for _, n := range []string{"c", "d"} {
			w.elements(n, "c "+v+" d")
		}
	}
	w.join("a", "b")
	w.join("a", "c")
	w.join("c", "d")
	return w
}

// TestMessagesCaseFour: SSP 2.4; ssp-syntax 6.
func TestMessagesCaseFour(t *testing.T) {
	w := caseFour(t, "messages")
	alice, carol := w.d["a"].login("alice"), w.d["c"].login("carol")
	w.says(alice, carol, "hello")
	w.is("words", w.heard(talk...), "a>b SendMessageRequest unnamed alice@a", "b>a SendMessageRequest alice@a", "a>c SendMessageRequest alice@a",
		"c>d SendMessageRequest alice@a", "d>c NewMessage")
	w.says(carol, alice, "and back")
	w.is("words", w.heard(talk...), "c>d SendMessageRequest unnamed carol@c", "d>c SendMessageRequest carol@c", "c>a SendMessageRequest carol@c",
		"a>b SendMessageRequest carol@c", "b>a NewMessage")
	// the block list of the receiver's service is asked
	blocked(t, w.d["c"], "d.example", carol.who, alice.who)
	if err := <-alice.say(carol.who, "unwanted"); err != nil {
		t.Log(err)
	}
	if l := w.heard("NewMessage"); len(l) > 0 {
		t.Errorf("%v", l)
	}
}

// blocked has the message service of one of ours block somebody.
func blocked(t *testing.T, d *domain, element string, who, whom im.Address) {
	t.Helper()
	e := wire.New("BlockUserRequest").Add(wire.New("BlockList", "inUse", "Yes").Add(wire.New("AddUsers").Add(userID(ssp.FormatUser(whom)))),
		wire.New("GrantList", "inUse", "No"))
	if a, err := d.s.Request(t.Context(), element, who, e); err != nil {
		t.Fatal(a, err)
	}
}

// special is a and c, which share the services of b: SSP 2.4.
func special(t *testing.T, services ...string) *world {
	w := newWorld(t, "a", "b", "c")
	var says []string
	for _, v := range services {
		says = append(says, "a "+v+" b", "c "+v+" b")
	}
	for n := range w.d {
		w.elements(n, says...)
	}
	w.route("a", "c", "b")
	w.route("c", "a", "b")
	w.join("a", "b")
	w.join("c", "b")
	return w
}

// TestMessagesSpecialCase: SSP 2.4; ssp-syntax 6.
func TestMessagesSpecialCase(t *testing.T) {
	w := special(t, "messages")
	alice, carol := w.d["a"].login("alice"), w.d["c"].login("carol")
	w.says(alice, carol, "hello")
	w.is("words", w.heard(talk...), "a>b SendMessageRequest unnamed alice@a", "b>c NewMessage")
	w.says(carol, alice, "hello")
	w.is("words", w.heard(talk...), "c>b SendMessageRequest unnamed carol@c", "b>a NewMessage")
}

// TestRoute: two domains with no session that reach each other over a third, which provides nothing: ssp-syntax 6.
func TestRoute(t *testing.T) {
	w := newWorld(t, "a", "i", "b")
	w.route("a", "b", "i")
	w.route("b", "a", "i")
	w.join("a", "i")
	w.join("i", "b")
	alice, bob := w.d["a"].login("alice"), w.d["b"].login("bob")
	lets(w, alice, bob)
	w.says(alice, bob, "hello")
	w.is("words", w.heard(talk...), "a>i SendMessageRequest alice@a", "i>b SendMessageRequest alice@a")
	hears(t, alice, "that it came", func(r *exchange.Report) bool { return r.Of.To == bob.who && r.Why == nil })
	sees(w, alice, w.d["b"].login("carol"))
	// the way goes away, and comes back
	w.d["a"].known.route("b.example", "")
	w.d["a"].known.mu.Lock()
	delete(w.d["a"].known.routes, "b.example")
	w.d["a"].known.mu.Unlock()
	w.d["a"].s.Update()
	if err := <-alice.say(bob.who, "lost"); err == nil {
		t.Error("there is no way, and no error")
	}
	w.route("a", "b", "i")
	w.says(alice, bob, "again")
}

// lets has one ask to see the other, and be let in.
func lets(w *world, who, whom *resident) {
	t := w.t
	t.Helper()
	who.d.must(who.d.x.Ask(t.Context(), who.by(), whom.who, im.Wish{}))
	hears(t, whom, who.who.String()+" asks", func(c *exchange.Change) bool { return c.Request != nil && c.Who == who.who })
	whom.d.must(whom.d.x.Answer(t.Context(), whom.by(), who.who))
	hears(t, who, "that they are let in", func(c *exchange.Change) bool { return c.Who == whom.who && c.After.Side.Watch == im.WatchGranted })
	hears(t, who, "that the other is there", func(n *exchange.Presence) bool { return n.Who == whom.who && n.Merged.State == im.Available })
}

// sees has one see the other as they come to be.
func sees(w *world, who, whom *resident) {
	t := w.t
	t.Helper()
	lets(w, who, whom)
	whom.be(im.Presence{State: im.Busy, Status: "at work"})
	hears(t, who, "that the other is busy", func(n *exchange.Presence) bool {
		return n.Who == whom.who && n.Merged.State == im.Busy && n.Merged.Status == "at work"
	})
	whom.c.Detach()
	hears(t, who, "that the other is gone", func(n *exchange.Presence) bool { return n.Who == whom.who && n.Merged.State == im.Offline })
}

var watching = []string{"SubscribeRequest", "AuthorizationRequest", "AuthorizationResponse", "UnsubscribeRequest", "CancelAuthRequest"}

// TestPresenceCaseTwo: SSP 2.4.2, 11.3.2.
func TestPresenceCaseTwo(t *testing.T) {
	w := caseTwo(t, "presence")
	alice, bob := w.d["a"].login("alice"), w.d["a"].login("bob")
	alice.d.must(alice.d.x.Ask(t.Context(), alice.by(), bob.who, im.Wish{}))
	w.comes("i>a AuthorizationRequest")
	bob.d.must(bob.d.x.Answer(t.Context(), bob.by(), alice.who))
	w.comes("i>b AuthorizationResponse bob@a")
	w.is("a wish", w.heard(watching...), "a>i SubscribeRequest alice@a", "i>b SubscribeRequest alice@a", "b>i AuthorizationRequest", "i>a AuthorizationRequest",
		"a>i AuthorizationResponse bob@a", "i>b AuthorizationResponse bob@a")
	ivan, carol := w.d["i"].login("bob"), w.d["a"].login("carol")
	sees(w, ivan, carol)
	sees(w, alice, ivan)
}

// TestPresenceCaseThree: SSP 2.4.3, 11.3.2.
func TestPresenceCaseThree(t *testing.T) {
	w := caseThree(t, "presence")
	alice, bob, carol := w.d["a"].login("alice"), w.d["a"].login("bob"), w.d["c"].login("carol")
	sees(w, alice, carol)
	w.is("a wish", w.heard(watching...), "a>c SubscribeRequest alice@a", "c>b SubscribeRequest alice@a", "b>c AuthorizationRequest", "c>b AuthorizationResponse carol@c")
	sees(w, w.d["c"].login("carol"), bob)
	if l := w.heard(watching...); len(l) != 3 || l[0] != "c>b SubscribeRequest carol@c" || l[1] != "b>c SubscribeRequest carol@c" || l[2] != "c>a SubscribeRequest carol@c" {
		t.Errorf("%v", l)
	}
}

// TestPresenceCaseFour: SSP 2.4, 11.3.2.
func TestPresenceCaseFour(t *testing.T) {
	w := caseFour(t, "presence")
	alice, carol := w.d["a"].login("alice"), w.d["c"].login("carol")
	sees(w, alice, carol)
	w.is("a wish", w.heard(watching...), "a>b SubscribeRequest alice@a", "b>a SubscribeRequest alice@a", "a>c SubscribeRequest alice@a",
		"c>d SubscribeRequest alice@a", "d>c AuthorizationRequest", "c>d AuthorizationResponse carol@c")
	sees(w, w.d["c"].login("bob"), alice)
}

// TestPresenceSpecialCase: SSP 2.4, 11.3.2.
func TestPresenceSpecialCase(t *testing.T) {
	w := special(t, "presence", "messages")
	alice, carol := w.d["a"].login("alice"), w.d["c"].login("carol")
	sees(w, alice, carol)
	w.is("a wish", w.heard(watching...), "a>b SubscribeRequest alice@a", "b>c AuthorizationRequest", "c>b AuthorizationResponse carol@c")
	bob := w.d["c"].login("bob")
	lets(w, alice, bob)
	w.says(alice, bob, "report") // who sees him may know that he has it
	hears(t, alice, "that it came", func(r *exchange.Report) bool { return r.Of.To == bob.who && r.Why == nil })
	sees(w, bob, alice)
}

// TestElementReturns: what happened while there was no session with the presence service is told when there is one. SSP 6.1.4
func TestElementReturns(t *testing.T) {
	w := special(t, "presence", "messages")
	alice, carol := w.d["a"].login("alice"), w.d["c"].login("carol")
	lets(w, alice, carol)
	a, b := w.d["a"], w.d["b"]
	a.s.node.Forget("b.example")
	hears(t, alice, "that nobody knows how carol is", func(n *exchange.Presence) bool { return n.Who == carol.who && n.Merged.State == im.Offline })
	until(t, "the other side knows", func() bool { return b.s.peer("a.example").link.Load() == nil })
	carol.be(im.Presence{State: im.Busy})
	bob := w.d["a"].login("bob")
	if err := <-bob.say(carol.who, "meanwhile"); err != nil {
		t.Fatal(err)
	}
	w.d["c"].must(w.d["c"].x.Ask(t.Context(), carol.by(), bob.who, im.Wish{}))
	a.s.node.Keep("b.example")
	hears(t, carol, "what was said", func(m *exchange.Message) bool { return m.Neutral().Text.Reveal() == "meanwhile" })
	hears(t, alice, "how carol is", func(n *exchange.Presence) bool { return n.Who == carol.who && n.Merged.State == im.Busy })
	hears(t, bob, "that carol asks", func(c *exchange.Change) bool { return c.Request != nil && c.Who == carol.who })
	a.must(a.x.Answer(t.Context(), bob.by(), carol.who))
	hears(t, carol, "how bob is", func(n *exchange.Presence) bool { return n.Who == bob.who && n.Merged.State == im.Available })
}

// TestListsElsewhere: the contact lists of ours are kept by another domain, as they are here, and name people there. SSP 10.3.1,
// 10.3.2, 10.3.3, 11.3.1
func TestListsElsewhere(t *testing.T) {
	w := newWorld(t, "a", "b")
	for n := range w.d {
		w.elements(n, "a contacts b")
	}
	w.join("a", "b")
	a, b := w.d["a"], w.d["b"]
	alice, bob := a.login("alice"), im.MustAddress("bob@b.example")
	is := func(want string) {
		t.Helper()
		until(t, want, func() bool {
			snap, err := b.x.Snapshot(t.Context(), alice.who)
			if err != nil {
				t.Fatal(err)
			}
			var l []string
			for _, g := range snap.Groups {
				for _, e := range snap.Entries {
					if slices.Contains(e.Side.Groups, g.ID) {
						l = append(l, g.Name+" "+e.Who.String()+" "+e.Side.Alias)
					}
				}
			}
			slices.Sort(l)
			return strings.Join(l, ", ") == want
		})
	}
	a.must(a.x.SetItem(t.Context(), alice.by(), bob, "Bobby", []string{"friends"}))
	is("friends bob@b.example Bobby")
	a.must(a.x.SetItem(t.Context(), alice.by(), im.MustAddress("carol@a.example"), "", nil))
	is("contacts carol@a.example , friends bob@b.example Bobby")
	a.must(a.x.SetItem(t.Context(), alice.by(), bob, "", []string{"work"}))
	is("contacts carol@a.example , work bob@b.example ")
	a.must(a.x.RemoveItem(t.Context(), alice.by(), bob))
	is("contacts carol@a.example ")
}
