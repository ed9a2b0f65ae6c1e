package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"parley/im"
)

func message(id im.MessageID, from, to im.Address) *im.Message {
	return &im.Message{ID: id, From: from, To: to, FromName: "Bob", Time: epoch, Report: true,
		Native: im.Native{Door: "msnp", Body: []byte("MIME-Version: 1.0\r\n\r\nhi\x00\xff"), Framed: []byte("not kept")},
		Neutralise: func() im.Neutral {
			return im.Neutral{Text: im.NewText("hi"), Subject: im.NewText("news"), Thread: "t1",
				Format: im.Format{Font: "MS Sans Serif", Bold: true, Color: "ff0000"}}
		}}
}

func ids(list []*im.Message) (ids []im.MessageID) {
	for _, m := range list {
		ids = append(ids, m.ID)
	}
	return ids
}

func testMessages(t *testing.T, s *Store) {
	s.accounts(t, alice)
	size := int64(message(1, bob, alice).Size())
	put := func(m *im.Message) { s.update(t, func(tx *Tx) error { return tx.PutMessage(m, time.Time{}) }) }
	for _, id := range []im.MessageID{30, 10, 20, 10} { // 10 once
		put(message(id, bob, alice))
	}
	put(message(15, romeo, alice))
	put(&im.Message{ID: 40, From: romeo, To: carol, Kind: im.Request}) // carol has no account: kept all the same
	s.view(t, func(tx *Tx) error {
		all, err := tx.Waiting(alice, 0, 100)
		equal(t, "waiting", ids(all), []im.MessageID{10, 15, 20, 30})
		m, want := all[0], message(10, bob, alice)
		equal(t, "neutral form", m.Neutral(), want.Neutral())
		if m.From != bob || m.To != alice || m.FromName != "Bob" || !m.Time.Equal(epoch) || !m.Report || m.Kind != im.Words ||
			m.Native.Door != "msnp" || string(m.Native.Body) != string(want.Native.Body) || m.Native.Framed != nil {
			t.Errorf("read %+v", m.Native)
		}
		if m.Size() != want.Size() {
			t.Errorf("size %d, was %d", m.Size(), want.Size())
		}
		page, err2 := tx.Waiting(alice, 10, 2)
		equal(t, "second page", ids(page), []im.MessageID{15, 20})
		from, err3 := tx.WaitingFrom(alice, bob, 2)
		equal(t, "from bob", ids(from), []im.MessageID{10, 20})
		senders, err4 := tx.WaitingSenders(alice)
		equal(t, "senders", senders, []im.Address{bob, romeo})
		n, bytes, err5 := tx.CountWaiting(alice)
		if n != 4 || bytes != 4*size {
			t.Errorf("counted %d of %d bytes", n, bytes)
		}
		other, err6 := tx.Waiting(carol, 0, 10)
		if len(other) != 1 || other[0].Kind != im.Request || other[0].Report || !other[0].Neutral().Text.IsZero() {
			t.Errorf("carol's: %v", other)
		}
		nobody, err7 := tx.Waiting(bob, 0, 10)
		if len(nobody) != 0 {
			t.Errorf("bob's: %v", nobody)
		}
		return errors.Join(err, err2, err3, err4, err5, err6, err7)
	})
	s.update(t, func(tx *Tx) error { return errors.Join(tx.MarkNotified(20), tx.MarkNotified(99)) })
	s.update(t, func(tx *Tx) error {
		yes, err := tx.Notified(20)
		no, err2 := tx.Notified(10)
		if !yes || no {
			t.Errorf("notified: %v, %v", yes, no)
		}
		return errors.Join(err, err2, tx.DeleteMessage(20), tx.DeleteMessage(20), tx.DeleteMessage(40))
	})
	s.view(t, func(tx *Tx) error {
		n, bytes, err := tx.CountWaiting(alice)
		if n != 3 || bytes != 3*size {
			t.Errorf("counted %d of %d bytes", n, bytes)
		}
		p, err2 := tx.find(carol)
		if p != nil {
			t.Errorf("carol is still kept: %+v", p)
		}
		return errors.Join(err, err2)
	})
	for _, want := range []bool{true, false, false} {
		s.update(t, func(tx *Tx) error {
			left, err := tx.DeleteMessagesTo(alice, 2)
			if left != want {
				t.Errorf("left: %v, want %v", left, want)
			}
			return err
		})
	}
	s.view(t, func(tx *Tx) error {
		n, bytes, err := tx.CountWaiting(alice)
		if n != 0 || bytes != 0 {
			t.Errorf("counted %d of %d bytes", n, bytes)
		}
		return err
	})
}

func testExpiry(t *testing.T, s *Store) {
	s.accounts(t, alice)
	s.update(t, func(tx *Tx) error {
		for i, expires := range []time.Time{epoch.Add(3), epoch.Add(1), {}, epoch.Add(2)} {
			if err := tx.PutMessage(message(im.MessageID(i+1), bob, alice), expires); err != nil {
				return err
			}
		}
		return nil
	})
	for _, test := range []struct {
		now  time.Time
		took int
		left []im.MessageID
	}{
		{epoch, 0, []im.MessageID{1, 2, 3, 4}},
		{epoch.Add(2), 1, []im.MessageID{1, 3, 4}},
		{epoch.Add(2), 1, []im.MessageID{1, 3}},
		{epoch.Add(2), 0, []im.MessageID{1, 3}},
		{epoch.Add(time.Hour), 1, []im.MessageID{3}},
		{epoch.Add(time.Hour), 0, []im.MessageID{3}},
	} {
		s.update(t, func(tx *Tx) error {
			took, err := tx.DeleteExpired(test.now, 1)
			if took != test.took {
				t.Errorf("took %d at %v, want %d", took, test.now, test.took)
			}
			left, err2 := tx.Waiting(alice, 0, 10)
			equal(t, "left", ids(left), test.left)
			n, _, err3 := tx.CountWaiting(alice)
			if n != len(test.left) {
				t.Errorf("counted %d", n)
			}
			return errors.Join(err, err2, err3)
		})
	}
}

func testMeta(t *testing.T, s *Store) {
	s.update(t, func(tx *Tx) error {
		none, err := tx.Meta("node")
		if none != nil {
			t.Errorf("a value nobody put: %v", none)
		}
		return errors.Join(err, tx.PutMeta("node", []byte("one")), tx.PutMeta("empty", nil), tx.PutMeta("node", []byte{2, 0}))
	})
	s.view(t, func(tx *Tx) error {
		got, err := tx.Meta("node")
		if !slices.Equal(got, []byte{2, 0}) {
			t.Errorf("got %v", got)
		}
		return err
	})
}

func testTexts(t *testing.T, s *Store) {
	s.update(t, func(tx *Tx) error {
		a, err := tx.CreateAccount(alice, epoch)
		a.Name = "a\x00b\xffc"
		return errors.Join(err, tx.PutAccount(a))
	})
	s.view(t, func(tx *Tx) error {
		a, err := tx.Account(alice)
		equal(t, "the name", a.Name, "ab\uFFFDc")
		return err
	})
}

func testView(t *testing.T, s *Store) {
	s.accounts(t, alice)
	var kept *Tx
	s.view(t, func(tx *Tx) error {
		kept = tx
		before, err := tx.CountAccounts()
		if err != nil {
			return err
		}
		s.accounts(t, bob) // another's change while the View looks
		after, err := tx.CountAccounts()
		if before != 1 || after != 1 {
			t.Errorf("counted %d, then %d", before, after)
		}
		return err
	})
	if _, err := kept.Account(alice); !errors.Is(err, errOver) {
		t.Errorf("after its end: %v", err)
	}
	err := s.View(ctx, "test", func(tx *Tx) error { return tx.PutMeta("a", nil) })
	if !errors.Is(err, errReadOnly) {
		t.Errorf("a change in a View: %v", err)
	}
	want := errors.New("mine")
	if err := s.View(ctx, "test", func(*Tx) error { return want }); err != want {
		t.Errorf("fn's error came back as %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic came out of the View")
			}
		}()
		s.View(ctx, "test", func(tx *Tx) error { tx.CountAccounts(); panic("mine") })
	}()
	for range 3 * cap(s.readers) { // no connection was lost
		s.view(t, func(tx *Tx) error { _, err := tx.Account(bob); return err })
	}
}

func testSticky(t *testing.T, s *Store) {
	err := s.Update(ctx, "test", func(tx *Tx) error {
		if _, err := tx.CreateAccount(alice, epoch); err != nil {
			return err
		}
		tx.do(`INSERT INTO nowhere VALUES (1)`)
		if _, err := tx.Account(alice); err == nil {
			t.Error("read on after a failed statement")
		}
		return nil
	}, nil)
	if err == nil {
		t.Error("a statement failed, and the change did not")
	}
	s.view(t, func(tx *Tx) error {
		if n, _ := tx.CountAccounts(); n != 0 {
			t.Error("half a change stands")
		}
		return nil
	})
}

func testCheck(t *testing.T, s *Store) {
	s.accounts(t, alice, bob)
	s.act(t, alice, bob, im.Pair.Ask)
	s.act(t, alice, bob, im.Pair.Block)
	for _, harm := range []struct{ do, undo string }{
		{`UPDATE principal SET contacts = contacts + 1 WHERE contacts > 0`, `UPDATE principal SET contacts = contacts - 1 WHERE contacts > 0`},
		{`UPDATE side SET their_watch = 2 WHERE their_watch = 1`, `UPDATE side SET their_watch = 1 WHERE their_watch = 2`},
		{`UPDATE rule SET what = 1`, `UPDATE rule SET what = 15`},
		{`INSERT INTO contact_group VALUES (99, 1, 'x', 0, 1)`, `DELETE FROM contact_group`},
		{`INSERT INTO note VALUES (99, 'x', 'y', x'')`, `DELETE FROM note`},
	} {
		s.update(t, func(tx *Tx) error { _, err := tx.do(harm.do); return err })
		if err := s.Check(ctx); err == nil {
			t.Errorf("not found: %s", harm.do)
		}
		s.update(t, func(tx *Tx) error { _, err := tx.do(harm.undo); return err })
	}
}
