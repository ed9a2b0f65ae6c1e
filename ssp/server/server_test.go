package server

import (
	"context"
	"maps"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/bus"
	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/store"
)

// domain is a service of its own, with a door to others.
type domain struct {
	t     testing.TB
	name  string
	x     *exchange.Exchange
	s     *Server
	http  *httptest.Server
	known registered
}

// registered is a Register for tests.
type registered struct {
	mu     sync.Mutex
	m      map[string]*session.Peer
	routes map[string]string
}

func (r *registered) Routes() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.routes)
}

func (r *registered) route(domain, via string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.routes == nil {
		r.routes = map[string]string{}
	}
	r.routes[domain] = via
}

func (r *registered) Names() (l []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := range r.m {
		l = append(l, n)
	}
	slices.Sort(l)
	return l
}

func (r *registered) Peer(name string) (*session.Peer, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.m[name]
	return p, ok
}

func (r *registered) put(p *session.Peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		r.m = map[string]*session.Peer{}
	}
	r.m[p.Domain] = p
}

// newDomain makes a service with accounts.
func newDomain(t testing.TB, name string, users ...string) *domain {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "parley.db")})
	if err != nil {
		t.Fatal(err)
	}
	x, err := exchange.New(exchange.Config{Domains: []string{name}, RingAgain: 100 * time.Millisecond}, st, bus.NewLocal())
	if err != nil {
		t.Fatal(err)
	}
	d := &domain{t: t, name: name, x: x}
	for _, u := range users {
		if err := x.CreateAccount(t.Context(), im.Account{Address: im.MustAddress(u + "@" + name)}); err != nil {
			t.Fatal(err)
		}
	}
	if d.s, err = New(Config{Exchange: x, Register: &d.known, Limits: session.Limits{Rate: -1}, Timers: session.Timers{Retry: 50 * time.Millisecond}}); err != nil {
		t.Fatal(err)
	}
	d.http = httptest.NewServer(d.s)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		d.s.Close(ctx)
		d.http.CloseClientConnections()
		d.http.Close()
		x.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// join registers two domains with each other, and waits until they have a session.
func join(t testing.TB, a, b *domain) {
	t.Helper()
	acquaint(a, b, a.http.URL, b.http.URL)
	a.s.node.Keep(b.name)
	until(t, "a session", func() bool { return a.joined(b) && b.joined(a) })
}

// joined reports whether there is a session with another domain, and all has been told again.
func (d *domain) joined(to *domain) bool { return d.reaches(to.name) }

// reaches is joined for a domain by its name, which may be behind a relay.
func (d *domain) reaches(name string) bool {
	p := d.s.peer(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link.Load() != nil && p.fresh == nil
}

// acquaint registers two domains with each other, at these addresses.
func acquaint(a, b *domain, atA, atB string) {
	digest := func(token []byte) []byte { return ssp.Digest(ssp.MD5, token, []byte("verona")) }
	a.known.put(&session.Peer{Domain: b.name, URL: atB, Digest: digest, Plain: true, Offers: ssp.AllServices(), Wants: ssp.AllServices()})
	b.known.put(&session.Peer{Domain: a.name, URL: atA, Digest: digest, Plain: true, Offers: ssp.AllServices(), Wants: ssp.AllServices()})
	a.s.Update()
	b.s.Update()
}

// until waits for something that comes soon.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 8000 {
		if ok() {
			return
		}
		<-tick.C
	}
	t.Fatalf("%s: not in 40 seconds", what)
}

// resident is a client of an account here.
type resident struct {
	d   *domain
	who im.Address
	c   *exchange.Client

	quiet bool // what comes is not kept

	mu  sync.Mutex
	got []exchange.Delivery
}

func (r *resident) Hand(d exchange.Delivery) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.quiet {
		r.got = append(r.got, d)
	}
	if m, ok := d.(*exchange.Message); ok {
		go m.Done() // as a socket that was written to
	}
	return false
}
func (*resident) Flush()                 {}
func (*resident) End(exchange.EndReason) {}

// login has somebody online who takes messages as they are, and asks before others see them.
func (d *domain) login(name string) *resident {
	d.t.Helper()
	r := &resident{d: d, who: im.MustAddress(name + "@" + d.name)}
	c, err := d.x.Attach(d.t.Context(), r.who, exchange.Login{Door: "xmpp", Slot: "home", Abilities: exchange.Direct, Presence: im.DefaultAsk}, r)
	if err != nil {
		d.t.Fatal(err)
	}
	r.c = c
	r.be(im.Presence{State: im.Available})
	return r
}

func (r *resident) be(p im.Presence) {
	r.c.SetPresence(p, nil)
	r.c.Flush()
}

func (r *resident) by() exchange.By { return exchange.By{Who: r.who} }

// hears waits for something of a kind that fits, and takes it and all of its kind before it out.
func hears[D exchange.Delivery](t *testing.T, r *resident, what string, fits func(D) bool) (found D) {
	t.Helper()
	until(t, r.who.String()+" hears "+what, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for i, d := range r.got {
			if v, ok := d.(D); ok && fits(v) {
				found = v
				r.got = slices.Delete(r.got, i, i+1)
				return true
			}
		}
		return false
	})
	return found
}

func (r *resident) say(to im.Address, text string) chan error {
	done := make(chan error, 1)
	var b exchange.Batch
	r.d.x.Send(r.d.t.Context(), &b, &im.Message{From: r.who, FromSlot: "home", To: to, Time: time.Now(), Kind: im.Words, Report: true,
		Native: im.Native{Door: "xmpp", Body: []byte(text)}, Neutralise: func() im.Neutral { return im.Neutral{Text: im.NewText(text)} }},
		func(err error) { done <- err })
	b.Flush()
	return done
}

func (d *domain) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// TestLoginBeforeEntry: who logs in as soon as the register has it, but before this is taken up, gets a session later, and
// services are agreed on then: SSP 6.1.1, 7.3.
func TestLoginBeforeEntry(t *testing.T) {
	a, b := newDomain(t, "a.example", "alice"), newDomain(t, "b.example", "bob")
	digest := func(token []byte) []byte { return ssp.Digest(ssp.MD5, token, []byte("verona")) }
	b.known.put(&session.Peer{Domain: a.name, URL: a.http.URL, Digest: digest, Plain: true, Offers: ssp.AllServices(), Wants: ssp.AllServices()})
	a.known.put(&session.Peer{Domain: b.name, URL: b.http.URL, Digest: digest, Plain: true, Offers: ssp.AllServices(), Wants: ssp.AllServices()})
	a.s.Update()
	if err := a.s.Test(t.Context(), b.name, nil); err == nil {
		t.Fatal("a session before there is an entry for the domain")
	}
	a.s.node.Keep(b.name)
	b.s.Update()
	until(t, "a session", func() bool { return a.joined(b) && b.joined(a) })
	// an entry that changes its way takes the session there is
	b.known.route(a.name, "c.example")
	b.s.Update()
	b.known.route(a.name, "")
	b.s.Update()
	until(t, "a session anew", func() bool { return a.joined(b) && b.joined(a) })
}

// TestPresenceAcross: who asks, is let in, sees, is refused: SSP 11.3.1, 11.3.3, 11.3.4.
func TestPresenceAcross(t *testing.T) {
	verona, mantua := newDomain(t, "verona.example", "romeo"), newDomain(t, "mantua.example", "juliet")
	join(t, verona, mantua)
	romeo, juliet := verona.login("romeo"), mantua.login("juliet")
	ctx := t.Context()
	verona.must(verona.x.Ask(ctx, romeo.by(), juliet.who, im.Wish{}))
	hears(t, juliet, "that romeo asks", func(c *exchange.Change) bool { return c.Request != nil && c.Who == romeo.who })
	mantua.must(mantua.x.Answer(ctx, juliet.by(), romeo.who))
	hears(t, romeo, "that he is let in", func(c *exchange.Change) bool { return c.After.Side.Watch == im.WatchGranted })
	hears(t, romeo, "that juliet is there", func(n *exchange.Presence) bool { return n.Who == juliet.who && n.Merged.State == im.Available })
	juliet.be(im.Presence{State: im.Busy, Status: "at the balcony"})
	hears(t, romeo, "that juliet is busy", func(n *exchange.Presence) bool {
		return n.Merged.State == im.Busy && n.Merged.Status == "at the balcony"
	})
	// the other way
	mantua.must(mantua.x.Ask(ctx, juliet.by(), romeo.who, im.Wish{}))
	hears(t, romeo, "that juliet asks", func(c *exchange.Change) bool { return c.Request != nil })
	verona.must(verona.x.Answer(ctx, romeo.by(), juliet.who))
	hears(t, juliet, "that romeo is there", func(n *exchange.Presence) bool { return n.Who == romeo.who && n.Merged.State == im.Available })
	romeo.c.Detach()
	hears(t, juliet, "that romeo is gone", func(n *exchange.Presence) bool { return n.Who == romeo.who && n.Merged.State == im.Offline })
	romeo = verona.login("romeo")
	hears(t, juliet, "that romeo is back", func(n *exchange.Presence) bool { return n.Who == romeo.who && n.Merged.State == im.Available })
	hears(t, romeo, "how juliet is", func(n *exchange.Presence) bool { return n.Who == juliet.who && n.Merged.State == im.Busy })
	// and its end
	mantua.must(mantua.x.Refuse(ctx, juliet.by(), romeo.who))
	hears(t, romeo, "that juliet is not there for him", func(n *exchange.Presence) bool { return n.Who == juliet.who && n.Merged.State == im.Offline })
	mantua.must(mantua.x.Unwatch(ctx, juliet.by(), romeo.who))
	until(t, "juliet watches no more", func() bool {
		e := romeo.c.Snapshot().Entry(juliet.who)
		return e == nil || e.Watched == im.WatchNone
	})
}

// TestMessagesAcross: words, their verdict, reports; what the other domain refuses: SSP 12.3.1, 12.3.9.
func TestMessagesAcross(t *testing.T) {
	verona, mantua := newDomain(t, "verona.example", "romeo"), newDomain(t, "mantua.example", "juliet")
	join(t, verona, mantua)
	romeo, juliet := verona.login("romeo"), mantua.login("juliet")
	for i := range 20 {
		text := "line " + string(rune('a'+i)) + " — ∀ <&>\nnext"
		if err := <-romeo.say(juliet.who, text); err != nil {
			t.Fatal(err)
		}
		hears(t, juliet, text, func(m *exchange.Message) bool { return m.From == romeo.who && m.Neutral().Text.Reveal() == text })
	}
	if err := <-romeo.say(im.MustAddress("nobody@mantua.example"), "hello?"); err == nil {
		t.Error("nobody took it, and no error")
	}
	mantua.must(mantua.x.Block(t.Context(), juliet.by(), romeo.who, "", false))
	// blocked looks like absent: it would have been stored
	if err := <-romeo.say(juliet.who, "blocked"); err != nil {
		t.Error(err)
	}
	mantua.must(mantua.x.Unblock(t.Context(), juliet.by(), romeo.who))
	juliet.c.Detach()
	if err := <-romeo.say(juliet.who, "when you are back"); err != nil {
		t.Error(err)
	}
	juliet = mantua.login("juliet")
	hears(t, juliet, "what waited", func(m *exchange.Message) bool { return m.Neutral().Text.Reveal() == "when you are back" })
}

// TestMessagesWait: words to a domain that is not there wait here, in order: DESIGN's "stored until delivered".
func TestMessagesWait(t *testing.T) {
	verona, mantua := newDomain(t, "verona.example", "romeo"), newDomain(t, "mantua.example", "juliet")
	acquaint(verona, mantua, verona.http.URL, mantua.http.URL)
	romeo, juliet := verona.login("romeo"), mantua.login("juliet")
	for _, text := range []string{"one", "two", "three"} {
		if err := <-romeo.say(juliet.who, text); err != nil {
			t.Fatal(err)
		}
	}
	verona.s.node.Keep(mantua.name)
	var got []string
	for range 3 {
		m := hears(t, juliet, "what waited", func(*exchange.Message) bool { return true })
		got = append(got, m.Neutral().Text.Reveal())
	}
	if !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Errorf("they came as %q", got)
	}
}
