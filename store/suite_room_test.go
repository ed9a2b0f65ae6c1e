package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/im"
)

var (
	domain = im.MustAddress("example.com")
	tea    = im.RoomID{Home: domain, Name: "tea"}
)

func testRooms(t *testing.T, s *Store) {
	full := im.Room{ID: tea, Owner: alice, Created: epoch, Props: im.RoomProps{Name: "Tea", Topic: "100% cake_", Searchable: true,
		Closed: true, Password: "sesame", MaxUsers: 3, History: 4, Persists: true, Welcome: im.RoomWelcome{Type: "text/html", Text: "<p>"}}}
	passing := im.Room{ID: im.RoomID{Home: alice, Name: "tea"}, Owner: alice, Created: epoch.Add(time.Hour)}
	public := im.Room{ID: im.RoomID{Home: domain, Name: "forum"}, Created: epoch, Props: im.RoomProps{Public: true, Searchable: true, Persists: true}}
	s.update(t, func(tx *Tx) error {
		for _, r := range []im.Room{full, passing, public} {
			if _, err := tx.Room(r.ID); err != im.ErrNoRoom {
				t.Errorf("before it is made: %v", err)
			}
			if err := tx.CreateRoom(r); err != nil {
				return err
			}
			if err := tx.CreateRoom(r); err != im.ErrRoomExists {
				t.Errorf("twice: %v", err)
			}
			got, err := tx.Room(r.ID)
			equal(t, "a room", got, r)
			if err != nil {
				return err
			}
		}
		return tx.PutRoomPerson(passing.ID, im.RoomPerson{Who: bob, Affiliation: im.Outcast})
	})
	found := func(q RoomQuery) (names []string) {
		s.view(t, func(tx *Tx) error {
			names = nil
			for last := int64(0); ; {
				var l []im.Room
				var err error
				if l, last, err = tx.FindRooms(q, last, 1); err != nil || len(l) == 0 {
					return err
				}
				names = append(names, l[0].ID.Name)
			}
		})
		return names
	}
	equal(t, "all", found(RoomQuery{}), []string{"tea", "forum"})
	equal(t, "by name", found(RoomQuery{Name: "EA"}), []string{"tea"})
	equal(t, "by the name it is known by", found(RoomQuery{Name: "for"}), []string{"forum"})
	equal(t, "by topic", found(RoomQuery{Topic: "0% CAKE_"}), []string{"tea"})
	equal(t, "no pattern", found(RoomQuery{Topic: "1_0%"}), []string{})
	equal(t, "by id", found(RoomQuery{ID: "OR"}), []string{"forum"})
	equal(t, "by owner", found(RoomQuery{Owner: alice, Home: domain}), []string{"tea"})
	equal(t, "at another home", found(RoomQuery{Home: alice}), []string{})
	s.view(t, func(tx *Tx) error {
		n, err := tx.CountRooms(alice)
		equal(t, "rooms of alice", n, 2)
		return err
	})
	full.Props.Topic, full.Props.Searchable, full.Owner = "biscuits", false, bob
	s.update(t, func(tx *Tx) error {
		if err := tx.PutRoom(full); err != nil {
			return err
		}
		if err := tx.PutRoom(im.Room{ID: im.RoomID{Home: bob, Name: "none"}}); err != im.ErrNoRoom {
			t.Errorf("no such room: %v", err)
		}
		got, err := tx.Room(tea)
		equal(t, "changed", got, full)
		if err != nil {
			return err
		}
		n, err := tx.DeletePassingRooms()
		equal(t, "passing rooms", n, 1)
		return err
	})
	equal(t, "searchable", found(RoomQuery{}), []string{"forum"})
	s.update(t, func(tx *Tx) error {
		if _, err := tx.Room(passing.ID); err != im.ErrNoRoom {
			t.Errorf("it has passed: %v", err)
		}
		if err := tx.DeleteRoom(tea); err != nil {
			return err
		}
		if err := tx.DeleteRoom(tea); err != im.ErrNoRoom {
			t.Errorf("deleted twice: %v", err)
		}
		return nil
	})
}

func testRoomPeople(t *testing.T, s *Store) {
	people := []im.RoomPerson{
		{Who: alice, Affiliation: im.RoomOwner, Nick: "Al", Own: im.OwnProps{AutoJoin: true}},
		{Who: bob, Affiliation: im.Outcast},
		{Who: romeo, Own: im.OwnProps{NoPrivate: true, ShowID: true}},
	}
	s.update(t, func(tx *Tx) error {
		if _, err := tx.RoomPeople(tea); err != im.ErrNoRoom {
			t.Errorf("people of no room: %v", err)
		}
		if err := tx.PutRoomPerson(tea, people[0]); err != im.ErrNoRoom {
			t.Errorf("somebody in no room: %v", err)
		}
		for _, id := range []im.RoomID{tea, {Home: romeo, Name: "orchard"}} {
			if err := tx.CreateRoom(im.Room{ID: id, Owner: alice}); err != nil {
				return err
			}
		}
		for _, p := range people {
			if err := tx.PutRoomPerson(tea, im.RoomPerson{Who: p.Who, Affiliation: im.RoomMember}); err != nil {
				return err
			}
			if err := tx.PutRoomPerson(tea, p); err != nil {
				return err
			}
			got, err := tx.RoomPerson(tea, p.Who)
			equal(t, "somebody", got, p)
			if err != nil {
				return err
			}
		}
		return tx.PutRoomPerson(im.RoomID{Home: romeo, Name: "orchard"}, im.RoomPerson{Who: bob, Nick: "B"})
	})
	s.view(t, func(tx *Tx) error {
		l, err := tx.RoomPeople(tea)
		equal(t, "people", l, people)
		if err != nil {
			return err
		}
		n, err := tx.CountRoomPeople(tea)
		equal(t, "so many", n, 3)
		if err != nil {
			return err
		}
		got, err := tx.RoomPerson(tea, carol)
		equal(t, "a stranger", got, im.RoomPerson{Who: carol})
		if err != nil {
			return err
		}
		ids, kept, err := tx.RoomsWith(bob)
		equal(t, "rooms with bob", ids, []im.RoomID{tea, {Home: romeo, Name: "orchard"}})
		equal(t, "what they keep", kept, []im.RoomPerson{people[1], {Who: bob, Nick: "B"}})
		return err
	})
	s.update(t, func(tx *Tx) error {
		if err := tx.PutRoomPerson(tea, im.RoomPerson{Who: bob}); err != nil {
			return err
		}
		gone, others, err := tx.ForgetInRooms(romeo)
		equal(t, "rooms that are gone", gone, []im.RoomID{{Home: romeo, Name: "orchard"}})
		equal(t, "rooms that knew romeo", others, []im.RoomID{tea})
		return err
	})
	s.view(t, func(tx *Tx) error {
		l, err := tx.RoomPeople(tea)
		equal(t, "who is left", l, people[:1])
		if err != nil {
			return err
		}
		if _, err := tx.Room(im.RoomID{Home: romeo, Name: "orchard"}); !errors.Is(err, im.ErrNoRoom) {
			t.Errorf("romeo's own: %v", err)
		}
		return nil
	})
}

func testRoomHistory(t *testing.T, s *Store) {
	said := func(n int) im.Said {
		return im.Said{ID: im.MessageID(n), From: romeo, Nick: "Ro", Time: epoch.Add(time.Duration(n) * time.Second),
			Native: im.Native{Door: "ssp", Body: []byte{0, 1, byte(n)}},
			Neutral: im.Neutral{Text: im.NewText(fmt.Sprint("words ", n)), Subject: im.NewText("s"), Thread: "t",
				Format: im.Format{Bold: n%2 == 0}}}
	}
	read := func(n int) (l []im.Said) {
		s.view(t, func(tx *Tx) (err error) {
			l, err = tx.Said(tea, n)
			return err
		})
		return l
	}
	s.update(t, func(tx *Tx) error {
		if err := tx.AddSaid(tea, said(1), 9); err != im.ErrNoRoom {
			t.Errorf("said in no room: %v", err)
		}
		if err := tx.CreateRoom(im.Room{ID: tea, Props: im.RoomProps{Persists: true}}); err != nil {
			return err
		}
		for n := 1; n <= 6; n++ {
			if err := tx.AddSaid(tea, said(n), 4); err != nil {
				return err
			}
		}
		return tx.AddSaid(tea, said(6), 4) // again: once is enough
	})
	equal(t, "the latest four", read(100), []im.Said{said(3), said(4), said(5), said(6)})
	equal(t, "the latest two", read(2), []im.Said{said(5), said(6)})
	s.update(t, func(tx *Tx) error { return tx.TrimSaid(tea, 1) })
	equal(t, "one", read(100), []im.Said{said(6)})
	s.update(t, func(tx *Tx) error {
		odd := said(7)
		odd.Nick, odd.Neutral.Text = "a\x00b", im.NewText("c\xffd")
		return tx.AddSaid(tea, odd, 1)
	})
	if l := read(1); len(l) != 1 || l[0].Nick != "ab" || !strings.Contains(l[0].Neutral.Text.Reveal(), "\uFFFD") {
		t.Errorf("%+v", l)
	}
	s.update(t, func(tx *Tx) error { return tx.DeleteRoom(tea) })
	s.view(t, func(tx *Tx) error {
		_, err := tx.Said(tea, 1)
		if err != im.ErrNoRoom {
			t.Errorf("what was said in a room that is gone: %v", err)
		}
		return nil
	})
}
