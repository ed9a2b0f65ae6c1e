package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/msnp"
	"parley/msnp/client"
	xmpp "parley/xmpp/client"
)

// TestKillDomains has people of two domains, on both protocols, see each other, part, come, go and talk across, in random
// order, while the roads between the two are cut, hold or lose what comes, and one domain or the other is killed with
// SIGKILL and started again. At last, when nothing is bad any more:
//
//   - everybody sees the people of the other domain as they are, and both sides' lists fit: RFC 6121 3.1, A.1; draft 5.7;
//   - every message acknowledged has reached its receiver, once. One that was under way at a kill may come twice; these are
//     counted.
//
// PARLEY_DOMAIN_KILLS (2) says how many; PARLEY_SEED repeats a run, as far as processes can be repeated.
func TestKillDomains(t *testing.T) {
	t.Parallel()
	const each = 3 // on each protocol at each domain
	kills := fromEnv(t, "PARLEY_DOMAIN_KILLS", 2)
	seed := uint64(fromEnv(t, "PARLEY_SEED", int(time.Now().UnixNano()%1e9)))
	t.Logf("PARLEY_SEED=%d PARLEY_DOMAIN_KILLS=%d", seed, kills)
	n := &nation{t: t, log: newLedger(t), over: make(chan struct{}), said: map[string]int{}, heard: map[string]bool{}, rng: rand.New(rand.NewPCG(seed, 0))}
	var names []string
	for i := range each {
		names = append(names, fmt.Sprintf("m%d", i), fmt.Sprintf("x%d", i))
	}
	n.realms = [2]*realm{newRealm(t, "verona.example", names...), newRealm(t, "mantua.example", names...)}
	there, back := roads(t, n.realms[0], n.realms[1])
	for i := range n.realms {
		n.alive[i] = make(chan struct{})
		close(n.alive[i])
	}
	for side, r := range n.realms {
		where := &realm{t: t, daemon: &daemon{domain: r.domain, at: r.at}} // of its own: the other one is started again
		for i, name := range names {
			s := &soul{n: n, side: side, rng: rand.New(rand.NewPCG(seed, uint64(1+side*100+i))), asked: map[string]bool{}, refers: map[string]string{}}
			if name[0] == 'm' {
				s.msn = &msnFigure{r: where, name: name, told: s.msnEvent}
				s.figure = s.msn
			} else {
				s.xmpp = &xmppFigure{r: where, name: name, told: s.xmppEvent}
				s.figure = s.xmpp
			}
			n.souls = append(n.souls, s)
		}
	}
	var lives sync.WaitGroup
	for _, s := range n.souls {
		lives.Go(s.live) // ends when the time is over
	}
	for range kills {
		n.happen(20 + n.rng.IntN(60))
		n.misfortune(there, back)
		n.happen(20 + n.rng.IntN(60))
		n.die(n.rng.IntN(2))
	}
	n.happen(50)
	close(n.over)
	lives.Wait()
	if t.Failed() {
		return
	}
	is := map[figure]mood{}
	for _, s := range n.souls {
		if err := s.settle(); err != nil {
			t.Fatalf("%s: %v", s.address(), err)
		}
		is[s.figure] = s.mood
	}
	agree(t, "when all is well again", is)
	if late := n.log.await(60 * time.Second); late != "" {
		t.Errorf("acknowledged and never received:\n%s", late)
	}
	for _, s := range n.souls {
		s.leaves()
	}
	ends(t, n.realms[0], n.realms[1])
	t.Logf("%d acts, %d messages, %d of them came twice, after a kill", n.acts.Load(), len(n.said), n.twice)
}

// nation is two domains and all who live there.
type nation struct {
	t      *testing.T
	realms [2]*realm
	souls  []*soul
	log    *ledger
	rng    *rand.Rand // of what happens to all
	life   int
	acts   atomic.Int64
	over   chan struct{} // closed when nobody is to begin anything

	mu    sync.Mutex       // guards what follows
	alive [2]chan struct{} // closed while the domain runs
	kills [2]int           // of each, begun
	said  map[string]int   // the kills before each message
	heard map[string]bool
	twice int
}

// deaths is how often a domain was killed.
func (n *nation) deaths(side int) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.kills[side]
}

// happen waits until so many acts more were done.
func (n *nation) happen(acts int) {
	n.t.Helper()
	goal := n.acts.Load() + int64(acts)
	comesTrue(n.t, "nothing happens", func() string {
		if done := n.acts.Load(); done < goal && !n.t.Failed() {
			return fmt.Sprintf("%d of %d acts", done, goal)
		}
		return ""
	})
}

// misfortune makes the roads bad for some acts.
func (n *nation) misfortune(there, back *road) {
	n.t.Helper()
	on := [][]*road{{there}, {back}, {there, back}}[n.rng.IntN(3)]
	m := []mode{broken, holding, slow, deaf}[n.rng.IntN(4)]
	for _, r := range on {
		r.be(m)
	}
	n.happen(10 + n.rng.IntN(40))
	for _, r := range on {
		r.be(passing)
	}
}

// die kills a domain and starts it again.
func (n *nation) die(side int) {
	n.t.Helper()
	n.mu.Lock()
	n.alive[side] = make(chan struct{})
	n.kills[side]++
	n.mu.Unlock()
	n.log.killed()
	if err := n.realms[side].kill(); err != nil {
		n.t.Error(err)
	}
	n.life++
	n.log.epoch(n.life)
	if err := n.realms[side].start(); err != nil {
		n.t.Fatal(err)
	}
	n.mu.Lock()
	close(n.alive[side])
	n.mu.Unlock()
}

// soul is somebody who does this and that. What is not guarded belongs to the goroutine that acts.
type soul struct {
	figure
	n    *nation
	side int
	msn  *msnFigure // or
	xmpp *xmppFigure
	rng  *rand.Rand
	here bool // logged in
	born int  // deaths of the domain before the login
	mood mood
	deaf bool // on XMPP, who was unavailable is not told how others were meanwhile: RFC 6121 4.5.2
	said int
	open []string // said on XMPP and not acknowledged yet, to whom they were for
	to   []party

	mu     sync.Mutex        // guards what follows
	asked  map[string]bool   // who has asked to see
	refers map[string]string // what was said, by the id of its stanza
}

// takes implements party: anybody may write.
func (s *soul) takes(string) (ok bool, version int) { return true, 0 }

func (s *soul) msnEvent(e client.Event) {
	m, ok := e.(client.Message)
	if !ok {
		return
	}
	if c, err := m.Content(); err == nil && c.Kind == msnp.TextContent {
		s.hear(m.Handle, c.Text)
	}
}

func (s *soul) xmppEvent(e xmpp.Event) {
	switch e := e.(type) {
	case xmpp.Message:
		if e.Type == "error" {
			s.mu.Lock()
			text := s.refers[e.ID]
			s.mu.Unlock()
			if text != "" {
				s.n.log.refused(text)
			}
		} else if e.Body != "" {
			s.hear(xmpp.Bare(e.From), e.Body)
		}
	case xmpp.Presence:
		if e.Type == "subscribe" {
			s.mu.Lock()
			s.asked[xmpp.Bare(e.From)] = true
			s.mu.Unlock()
		}
	}
}

// hear notes what was said to the soul. What comes twice was said before a kill of either domain: it was under way then.
func (s *soul) hear(from, text string) {
	s.n.mu.Lock()
	said, again := s.n.said[text], s.n.heard[text]
	now := s.n.kills[0] + s.n.kills[1]
	s.n.heard[text] = true
	if again {
		s.n.twice++
	}
	s.n.mu.Unlock()
	switch {
	case !again:
		s.n.log.received(s, from, text, "")
	case said == now:
		s.n.t.Errorf("%s got %q twice, and nothing was killed since it was said", s.address(), text)
	}
}

// live does things until the time is over, and comes back when the connection is lost.
func (s *soul) live() {
	for {
		select {
		case <-s.n.over:
			return
		default:
		}
		if err := s.act(); err != nil && !s.lost(err) {
			s.n.t.Errorf("%s: %v", s.address(), err)
			return
		}
		s.n.acts.Add(1)
	}
}

// lost reports whether an error is the end of a domain that was killed: then one is not logged in any more.
func (s *soul) lost(err error) bool {
	if !isLost(err) && !lostXMPP(err) || s.n.deaths(s.side) == s.born {
		return false
	}
	if s.here {
		s.leaves()
	}
	s.here, s.open, s.to = false, nil, nil
	return true
}

// act does something.
func (s *soul) act() error {
	ctx, cancel := awhile()
	defer cancel()
	if !s.here {
		return s.comeBack(ctx)
	}
	who := s.n.souls[(1-s.side)*len(s.n.souls)/2+s.rng.IntN(len(s.n.souls)/2)]
	switch k := s.rng.IntN(100); {
	case k < 25:
		return s.be(ctx, []mood{present, present, occupied, absent, gone}[s.rng.IntN(5)])
	case k < 40:
		return s.ask(ctx, who.address())
	case k < 55:
		return s.answer(ctx)
	case k < 60:
		return s.drop(ctx, who.address())
	case k < 62:
		if err := s.confirm(ctx); err != nil {
			return err
		}
		s.leaves()
		s.here = false
		return nil
	}
	return s.talk(ctx, who)
}

// comeBack logs in, when the domain is there.
func (s *soul) comeBack(ctx context.Context) error {
	s.n.mu.Lock()
	alive := s.n.alive[s.side]
	s.n.mu.Unlock()
	select {
	case <-alive:
	case <-ctx.Done():
		return errors.New("the domain does not come back")
	}
	s.mu.Lock()
	clear(s.asked)
	s.mu.Unlock()
	s.born = s.n.deaths(s.side)
	var err error
	if s.msn != nil {
		if err = s.msn.enter(ctx); s.msn.Client == nil {
			return err
		}
	} else if err = s.xmpp.enter(ctx); s.xmpp.Client == nil {
		return err
	}
	s.here, s.deaf, s.mood = true, false, present
	return err
}

// be shows oneself.
func (s *soul) be(ctx context.Context, m mood) error {
	s.mood, s.deaf = m, s.deaf || m == gone
	if s.msn != nil {
		return s.msn.show(ctx, m)
	}
	if err := s.xmpp.show(ctx, m); err != nil {
		return err
	}
	return s.confirm(ctx)
}

// refusedMSN is an error of MSNP that says no, which is an answer, too.
func refusedMSN(err error) error {
	if refused(err) {
		return nil
	}
	return err
}

func (s *soul) ask(ctx context.Context, who string) error {
	if s.msn != nil {
		_, err := s.msn.Add(ctx, msnp.ForwardList, who, who)
		return refusedMSN(err)
	}
	if err := s.xmpp.Subscribe(who, ""); err != nil {
		return err
	}
	return s.confirm(ctx)
}

// answer says yes to all who have asked, or now and then no. On MSN everybody is let without a word.
func (s *soul) answer(ctx context.Context) error {
	if s.msn != nil {
		return nil
	}
	s.mu.Lock()
	var l []string
	for who := range s.asked {
		l = append(l, who)
	}
	clear(s.asked)
	s.mu.Unlock()
	slices.Sort(l)
	for _, who := range l {
		say := s.xmpp.Approve
		if s.rng.IntN(6) == 0 {
			say = s.xmpp.Deny
		}
		if err := say(who); err != nil {
			return err
		}
	}
	return s.confirm(ctx)
}

// drop takes somebody off the list, or stops watching them, or being watched.
func (s *soul) drop(ctx context.Context, who string) (err error) {
	if s.msn != nil {
		_, err = s.msn.Remove(ctx, msnp.ForwardList, who)
		return refusedMSN(err)
	}
	switch s.rng.IntN(3) {
	case 0:
		if err = s.xmpp.RemoveItem(ctx, who); errors.Is(err, &xmpp.StanzaError{Condition: "item-not-found"}) {
			err = nil
		}
		return err
	case 1:
		err = s.xmpp.Unsubscribe(who)
	default:
		err = s.xmpp.Deny(who)
	}
	if err != nil {
		return err
	}
	return s.confirm(ctx)
}

// confirm waits until what was said on XMPP is acknowledged.
func (s *soul) confirm(ctx context.Context) error {
	if s.xmpp == nil {
		return nil
	}
	if err := s.xmpp.Ping(ctx, ""); err != nil {
		return err
	}
	for i, text := range s.open {
		s.n.log.acknowledged(text, s.to[i:i+1])
	}
	s.open, s.to = nil, nil
	return nil
}

// talk says something, or several things.
func (s *soul) talk(ctx context.Context, to *soul) error {
	if s.msn != nil {
		return s.talkMSN(ctx, to)
	}
	for range 1 + s.rng.IntN(4) {
		text := s.words(to)
		id := s.xmpp.NewID()
		s.mu.Lock()
		s.refers[id] = text
		s.mu.Unlock()
		if _, err := s.xmpp.Tell(xmpp.Words{To: to.address(), ID: id, Body: text}); err != nil {
			return err
		}
		s.open, s.to = append(s.open, text), append(s.to, to)
	}
	return s.confirm(ctx)
}

func (s *soul) words(to *soul) string {
	s.said++
	text := fmt.Sprintf("words %d of %s", s.said, s.address())
	s.n.mu.Lock()
	s.n.said[text] = s.n.kills[0] + s.n.kills[1]
	s.n.mu.Unlock()
	s.n.log.saying(text, s, []party{to})
	return text
}

func (s *soul) talkMSN(ctx context.Context, to *soul) error {
	if s.mood == gone {
		return s.be(ctx, present)
	}
	talk, err := s.msn.Talk(ctx)
	if err != nil {
		return refusedMSN(err)
	}
	defer talk.Leave()
	if err := talk.Invite(ctx, to.address()); err != nil {
		return refusedMSN(err) // there is no way to their domain
	}
	if err := talk.Await(ctx, to.address()); err != nil {
		return err
	}
	for range 1 + s.rng.IntN(3) {
		text := s.words(to)
		switch err := talk.Say(ctx, text); {
		case errors.Is(err, client.ErrNotDelivered):
			s.n.log.refused(text)
		case err != nil:
			return err
		default:
			s.n.log.acknowledged(text, []party{to})
		}
	}
	return nil
}

// settle logs in if need be, and takes what waits.
func (s *soul) settle() error {
	ctx, cancel := awhile()
	defer cancel()
	if s.here {
		if err := s.confirm(ctx); err != nil && !s.lost(err) {
			return err
		}
	}
	if s.here && s.deaf {
		s.leaves()
		s.here = false
	}
	if !s.here {
		if err := s.comeBack(ctx); err != nil {
			return err
		}
	}
	return s.be(ctx, []mood{present, occupied, absent}[s.rng.IntN(3)])
}
