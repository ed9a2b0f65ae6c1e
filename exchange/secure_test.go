package exchange_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/store"
)

// What a sender secures while its receiver takes nothing is stored once, is not offered a second time, and goes when it is
// delivered; when it comes back it waits, or, if it was for that session alone, its sender is told. What is settled already is left alone.
func TestSecure(t *testing.T) {
	for _, c := range []struct {
		what   string
		only   bool // for that session or back
		early  bool // settled before it is secured
		back   bool // it comes back
		again  bool // it is offered again
		result error
	}{
		{what: "delivered"},
		{what: "delivered before", early: true},
		{what: "came back", back: true, again: true},
		{what: "came back before", early: true, back: true, again: true},
		{what: "came back to be told", only: true, back: true, result: im.ErrGone},
		{what: "for one, delivered", only: true},
	} {
		t.Run(c.what, func(t *testing.T) {
			bubble(t, exchange.Config{Waiting: 1, RingAgain: time.Minute}, func(t *testing.T, s *service) {
				a, b := &client{prompt: true}, &client{}
				s.login(alice, exchange.Direct, "home", a)
				s.login(bob, exchange.Direct, "desk", b)
				m := message(alice, bob, im.Words, "are you there?")
				if c.only {
					m.Slot, m.Only = "desk", true
				}
				var batch exchange.Batch
				v := &verdict{}
				handed := s.Send(t.Context(), &batch, m, v.done)
				if handed == nil {
					t.Fatal("nothing was handed")
				}
				d := only[*exchange.Message](t, b)
				settle := func() {
					if c.back {
						d.Return(im.ErrGone)
					} else {
						d.Done()
					}
				}
				if c.early {
					b.prompt = c.back
					settle()
					s.stored(bob, 0)
					s.Secure(t.Context(), []*exchange.Message{handed})
					s.stored(bob, 0)
				} else {
					v.is(t)
					if safe := s.Secure(t.Context(), []*exchange.Message{handed}); len(safe) != 1 {
						t.Fatal("it is not safe")
					}
					s.stored(bob, 1)
					if len(s.Secure(t.Context(), []*exchange.Message{handed})) != 1 {
						t.Error("it is not safe any more")
					}
					s.stored(bob, 1)
					b.prompt = true
					s.send(message(bob, bob, im.Words, "others come")).is(t, nil)
					if l := take[*exchange.Message](b); len(l) != 1 {
						t.Errorf("%d came meanwhile, want one", len(l))
					}
					settle()
				}
				v.is(t, c.result)
				pass(2 * time.Minute)
				if l := take[*exchange.Message](b); len(l) != 0 != c.again {
					t.Errorf("it was offered again %d times", len(l))
				}
				s.stored(bob, 0)
			})
		})
	}
}

// What is delivered while it is being stored is not kept.
func TestDeliveredWhileStored(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		b := &client{}
		s.login(alice, exchange.Direct, "home", &client{prompt: true})
		s.login(bob, exchange.Direct, "desk", b)
		var batch exchange.Batch
		v := &verdict{}
		handed := s.Send(t.Context(), &batch, message(alice, bob, im.Words, "are you there?"), v.done)
		d := only[*exchange.Message](t, b)
		busy, free := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { // ends with free
			s.must(s.store.Update(t.Context(), "busy", func(*store.Tx) error {
				close(busy)
				<-free
				return nil
			}, nil))
		})
		<-busy
		wg.Go(func() { s.Secure(t.Context(), []*exchange.Message{handed}) }) // ends when it is stored
		synctest.Wait()
		d.Done()
		v.is(t, nil)
		close(free)
		wg.Wait()
		s.stored(bob, 0)
	})
}

// Words said to several outlive a crash, each for whom they stall with.
func TestSecureInTalk(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		boxes := map[im.Address]*client{bob: {prompt: true}, carol: {}}
		host := s.login(alice, exchange.Direct, "home", &client{prompt: true})
		for who, box := range boxes {
			s.login(who, exchange.Direct, "desk", box)
		}
		id, err := host.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for who := range boxes {
			if err := host.Invite(t.Context(), id, who); err != nil {
				t.Fatal(err)
			}
		}
		v := &verdict{}
		handed, err := host.Say(t.Context(), id, message(alice, im.Address{}, im.Words, "all there?"), v.done)
		host.Flush()
		if err != nil || len(handed) != 2 {
			t.Fatalf("%d were handed (%v)", len(handed), err)
		}
		only[*exchange.Message](t, boxes[bob])
		late := only[*exchange.Message](t, boxes[carol])
		s.Secure(t.Context(), handed)
		s.stored(bob, 0)
		s.stored(carol, 1)
		v.is(t)
		late.Done()
		v.is(t, nil)
		s.stored(carol, 0)
	})
}

// A crash between its storing and its delivery leaves it in the store, for any session of its receiver.
func TestSecuredOutlivesAll(t *testing.T) {
	bubble(t, exchange.Config{}, func(t *testing.T, s *service) {
		s.login(alice, exchange.Direct, "home", &client{prompt: true})
		s.login(bob, exchange.Direct, "desk", &client{})
		m := message(alice, bob, im.Words, "remember me")
		m.Slot, m.Only = "desk", true
		var batch exchange.Batch
		s.Secure(t.Context(), []*exchange.Message{s.Send(t.Context(), &batch, m, func(error) {})})
		if err := s.store.View(context.Background(), "test", func(tx *store.Tx) error {
			l, err := tx.WaitingFrom(bob, alice, 2)
			if len(l) != 1 || l[0].Neutral().Text.Reveal() != "remember me" || l[0].Only {
				t.Errorf("%d wait", len(l))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}
