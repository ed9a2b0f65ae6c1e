package exchange_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/exchange"
	"parley/im"
)

func members(t *exchange.Talk) (l []string) {
	if t == nil {
		return nil
	}
	for _, m := range t.Members {
		l = append(l, m.Who.Local())
	}
	slices.Sort(l)
	return l
}

// came is who joined (and who called them) and left, as one was told.
func came(c *client) (l []string) {
	for _, j := range take[*exchange.Joined](c) {
		s := j.Who.Local()
		if !j.By.IsZero() {
			s += " by " + j.By.Local()
		}
		l = append(l, s)
	}
	for _, e := range take[*exchange.Left](c) {
		s := "-" + e.Who.Local()
		if e.Idle {
			s += " idle"
		}
		l = append(l, s)
	}
	return l
}

func expectCame(t testing.TB, what string, c *client, want ...string) {
	t.Helper()
	if l := came(c); !slices.Equal(l, want) {
		t.Errorf("%s: told %q, want %q", what, l, want)
	}
}

// three is alice at a seat with romeo, who has none, and then bob at his.
type three struct {
	a, b, r, silent *client
	alice, bob      *exchange.Seat
	romeo           *exchange.Client
	id              int64
}

func (s *service) three() *three {
	s.t.Helper()
	w := &three{a: &client{prompt: true}, b: &client{prompt: true}, r: &client{prompt: true}, silent: &client{prompt: true}}
	n := &client{}
	s.login(bob, exchange.Rings, "MSN", n)
	w.romeo = s.attach(romeo, "orchard", w.r)
	present(w.romeo, im.Presence{State: im.Available})
	s.attach(romeo, "silent", w.silent)
	w.alice = s.open(alice, w.a)
	w.id = w.alice.Conversation()
	if err := w.alice.Call(s.t.Context(), romeo, nil); err != nil {
		s.t.Fatal(err)
	}
	s.say(w.alice, message(alice, im.Address{}, im.Words, "two of us")).is(s.t, nil)
	if m := only[*exchange.Message](s.t, w.r); m.In != nil {
		s.t.Errorf("said in %+v", m.In)
	}
	if l := w.romeo.Talks(); len(l) > 0 {
		s.t.Errorf("in %v", l)
	}
	expectCame(s.t, "plain talk", w.r)
	expectCame(s.t, "at the seat", w.a, "romeo by alice")
	if err := w.alice.Call(s.t.Context(), bob, nil); err != nil {
		s.t.Fatal(err)
	}
	expectCame(s.t, "while it rings", w.r)
	w.bob = s.join(only[*exchange.Ring](s.t, n), bob, w.b)
	return w
}

// TestThreeAreATalk: who has no seat is told of a conversation as soon as it is one of three, and acts in it.
func TestThreeAreATalk(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		w := s.three()
		for _, c := range []*client{w.r, w.silent} {
			expectCame(t, "who is there", c, "alice", "bob by alice", "romeo by alice")
		}
		expectCame(t, "at the seat", w.a, "bob by alice")
		talk, ok := w.romeo.Talk(w.id)
		if l := w.romeo.Talks(); !ok || len(l) != 1 || l[0].ID != w.id || talk.ID != w.id || !slices.Equal(members(talk), []string{"alice", "bob"}) {
			t.Errorf("in %v, %v", l, talk)
		}
		for _, kind := range []im.Kind{im.Words, im.Signal} {
			s.say(w.bob, message(bob, im.Address{}, kind, "hello")).is(t, nil)
			m := only[*exchange.Message](t, w.r)
			if m.In == nil || m.In.ID != w.id || !slices.Equal(members(m.In), []string{"alice", "bob"}) {
				t.Errorf("said in %+v", m.In)
			}
			if m := only[*exchange.Message](t, w.a); m.In != nil {
				t.Error("a seat needs no telling")
			}
			if l := take[*exchange.Message](w.silent); len(l) > 0 {
				t.Error("handed to one without presence")
			}
		}
		v := &verdict{}
		m := message(romeo, im.Address{}, im.Words, "I am here")
		m.ID, m.FromSlot = s.MessageID(), "orchard"
		id := m.ID
		if _, err := w.romeo.Say(t.Context(), w.id, m, v.done); err != nil {
			t.Fatal(err)
		}
		w.romeo.Flush()
		v.is(t, nil)
		for _, c := range []*client{w.a, w.b} {
			if m := only[*exchange.Message](t, c); words(m) != "I am here" || m.Message.ID != id || m.FromSlot != "orchard" {
				t.Errorf("%+v", m)
			}
		}
		if l := take[*exchange.Message](w.r); len(l) > 0 {
			t.Error("one's own words came back")
		}

		c := &client{prompt: true}
		s.login(carol, exchange.Direct, "home", c)
		if err := w.romeo.Invite(t.Context(), w.id, carol); err != nil {
			t.Fatal(err)
		}
		expectCame(t, "who was there", w.r, "carol by romeo")
		expectCame(t, "at the seat", w.a, "carol by romeo")
		expectCame(t, "who came", c, "alice", "romeo by alice", "bob by alice", "carol by romeo")
		for _, x := range []struct {
			who  im.Address
			want error
		}{{carol, im.ErrAlready}, {romeo, im.ErrAlready}, {im.MustAddress("nobody@example.com"), im.ErrAbsent}} {
			if err := w.romeo.Invite(t.Context(), w.id, x.who); err != x.want {
				t.Errorf("%s: %v", x.who, err)
			}
		}

		s.send(message(alice, romeo, im.Words, "for you alone")).is(t, nil)
		if m := only[*exchange.Message](t, w.r); m.In != nil {
			t.Error("it was said to him")
		}
		w.bob.Leave()
		w.alice.Leave()
		expectCame(t, "who is left", w.r, "-bob", "-alice")
		v = &verdict{}
		if _, err := w.romeo.Say(t.Context(), w.id, message(romeo, im.Address{}, im.Words, "only us"), v.done); err != nil {
			t.Fatal(err)
		}
		w.romeo.Flush()
		v.is(t, nil)
		if m := only[*exchange.Message](t, c); m.In == nil || !slices.Equal(members(m.In), []string{"romeo"}) {
			t.Errorf("said in %+v", m.In)
		}
		s.send(message(carol, romeo, im.Words, "for you alone")).is(t, nil)
		if m := only[*exchange.Message](t, w.r); m.In != nil {
			t.Error("it was said to him")
		}
	})
}

// TestQuit: who goes is told on all sessions, the others are told, and nothing more is heard.
func TestQuit(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		w := s.three()
		came(w.r)
		came(w.silent)
		came(w.a)
		w.romeo.Quit(t.Context(), w.id)
		for _, c := range []*client{w.r, w.silent, w.a, w.b} {
			expectCame(t, "of him", c, "-romeo")
		}
		s.say(w.alice, message(alice, im.Address{}, im.Words, "gone?")).is(t, nil)
		if l := take[*exchange.Message](w.r); len(l) > 0 {
			t.Error("he heard it")
		}
		s.stored(romeo, 0)
		w.romeo.Quit(t.Context(), w.id)
		if _, err := w.romeo.Say(t.Context(), w.id, message(romeo, im.Address{}, im.Words, "?"), nil); err != im.ErrGone {
			t.Errorf("say: %v", err)
		}
		if err := w.romeo.Invite(t.Context(), w.id, carol); err != im.ErrGone {
			t.Errorf("invite: %v", err)
		}
		if _, ok := w.romeo.Talk(w.id); ok {
			t.Error("still in it")
		}
		if err := w.alice.Call(t.Context(), romeo, nil); err != nil {
			t.Fatal(err)
		}
		expectCame(t, "called again", w.r, "alice", "bob by alice", "romeo by alice")
		w.alice.Leave()
		w.bob.Leave()
	})
}

// TestLastSessionLeaves: a person without a seat goes with their last session that needs none; what is
// said to them afterwards waits for them.
func TestLastSessionLeaves(t *testing.T) {
	for _, plain := range []bool{true, false} {
		t.Run(fmt.Sprint("plain ", plain), func(t *testing.T) {
			bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
				w := s.three()
				if plain {
					w.bob.Leave()
				}
				came(w.a)
				w.romeo.Detach()
				expectCame(t, "one is left", w.a)
				s.say(w.alice, message(alice, im.Address{}, im.Words, "for later")).is(t, nil)
				s.stored(romeo, 1)
				again := s.attach(romeo, "silent", &client{}) // takes the other's slot
				expectCame(t, "replaced", w.a)
				again.Detach()
				expectCame(t, "none is left", w.a, "-romeo")
				if err := w.alice.Call(t.Context(), romeo, nil); err != im.ErrAbsent {
					t.Errorf("call: %v", err)
				}
				back := &client{prompt: true}
				present(s.attach(romeo, "orchard", back), im.Presence{State: im.Available})
				if m := only[*exchange.Message](t, back); words(m) != "for later" || m.In != nil || !m.Kept() {
					t.Errorf("%+v", m)
				}
				s.stored(romeo, 0)
				w.alice.Leave()
				w.bob.Leave()
			})
		})
	}
}

// TestWordsLeftBehindAreFound: who goes while the other's client rings is found by who answers.
func TestWordsLeftBehindAreFound(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		n, b := &client{}, &client{prompt: true}
		s.login(bob, exchange.Rings, "MSN", n)
		c := s.login(romeo, exchange.Direct, "orchard", &client{})
		s.send(message(romeo, bob, im.Words, "good bye")).is(t, nil)
		ring := only[*exchange.Ring](t, n)
		c.Detach()
		seat, there, err := s.Join(s.place, ring.Conversation, bob, b)
		if err != nil || len(there) != 1 || there[0].Who != romeo {
			t.Fatalf("%v, %v", there, err)
		}
		seat.Ready()
		if m := only[*exchange.Message](t, b); words(m) != "good bye" {
			t.Errorf("%q", words(m))
		}
		s.stored(bob, 0)
		s.say(seat, message(bob, im.Address{}, im.Words, "and you")).is(t, nil)
		s.stored(romeo, 1)
		seat.Leave()
	})
}

// TestBegin: a conversation of people without seats, and one with.
func TestBegin(t *testing.T) {
	bubble(t, exchange.Config{Conversations: 2}, func(t *testing.T, s *service) {
		r, c, n, b := &client{prompt: true}, &client{prompt: true}, &client{}, &client{prompt: true}
		his := s.login(romeo, exchange.Direct, "orchard", r)
		hers := s.login(carol, exchange.Direct, "home", c)
		s.login(bob, exchange.Rings, "MSN", n)
		id, err := his.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if talk, ok := his.Talk(id); !ok || len(talk.Members) != 0 {
			t.Errorf("%v", talk)
		}
		if err := his.Invite(t.Context(), id, carol); err != nil {
			t.Fatal(err)
		}
		expectCame(t, "who was called", c, "romeo", "carol by romeo")
		expectCame(t, "who called", r, "carol by romeo")
		if _, err := hers.Say(t.Context(), id, message(carol, im.Address{}, im.Words, "here"), nil); err != nil {
			t.Fatal(err)
		}
		hers.Flush()
		if m := only[*exchange.Message](t, r); m.In == nil || m.In.ID != id {
			t.Errorf("said in %v", m.In)
		}
		if err := hers.Invite(t.Context(), id, bob); err != nil {
			t.Fatal(err)
		}
		ring := only[*exchange.Ring](t, n)
		if ring.From != carol {
			t.Errorf("rung by %s", ring.From)
		}
		seat := s.join(ring, bob, b)
		expectCame(t, "who was there", r, "bob by carol")
		expectCame(t, "who called", c, "bob by carol")
		seat.Leave()
		expectCame(t, "who was there", c, "-bob")
		came(r)
		his.Quit(t.Context(), id)
		expectCame(t, "of him", c, "-romeo")
		if _, ok := hers.Talk(id); !ok {
			t.Error("she is out, too")
		}
		for i := range 3 {
			_, err := hers.Begin(t.Context())
			if want := map[bool]error{true: nil, false: im.ErrTooMany}[i < 1]; err != want {
				t.Errorf("number %d: %v", i+2, err)
			}
		}
		hers.Detach()
		if l := hers.Talks(); len(l) > 0 {
			t.Errorf("still in %v", l)
		}
		if _, err := hers.Begin(t.Context()); err != im.ErrGone {
			t.Errorf("of a session that has ended: %v", err)
		}
	})
}

// TestIdleTalkEnds: those without a seat are told as those with one.
func TestIdleTalkEnds(t *testing.T) {
	bubble(t, exchange.Config{Idle: time.Minute}, func(t *testing.T, s *service) {
		w := s.three()
		came(w.r)
		pass(2 * time.Minute)
		expectCame(t, "at the end", w.r, "-alice idle", "-bob idle", "-romeo idle")
		if l := w.romeo.Talks(); len(l) > 0 {
			t.Errorf("in %v", l)
		}
		w.alice.Leave()
		w.bob.Leave()
	})
}

// TestTalkAtNoPlace: where nothing serves seats, people without them talk all the same.
func TestTalkAtNoPlace(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		s.removePlace()
		c := &client{prompt: true}
		his := s.login(romeo, exchange.Direct, "orchard", &client{})
		s.login(carol, exchange.Direct, "home", c)
		s.login(bob, exchange.Rings, "MSN", &client{})
		id, err := his.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := his.Invite(t.Context(), id, bob); err != im.ErrAbsent {
			t.Errorf("who needs a seat: %v", err)
		}
		if err := his.Invite(t.Context(), id, carol); err != nil {
			t.Fatal(err)
		}
		v := &verdict{}
		if _, err := his.Say(t.Context(), id, message(romeo, im.Address{}, im.Words, "here"), v.done); err != nil {
			t.Fatal(err)
		}
		his.Flush()
		v.is(t, nil)
		only[*exchange.Message](t, c)
	})
}
