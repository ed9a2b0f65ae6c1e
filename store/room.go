package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"parley/im"
)

// room is a row of one, and its number.
type room struct {
	id int64
	im.Room
}

func (t *Tx) rooms(query string, a ...any) ([]room, error) {
	var list []room
	var id, created int64
	var home, name, owner, props string
	err := t.each(query, a, func() error {
		r := room{id, im.Room{ID: im.TrustedRoomID(home, name), Created: moment(created)}}
		if owner != "" {
			r.Owner = im.TrustedAddress(owner)
		}
		if err := json.Unmarshal([]byte(props), &r.Props); err != nil {
			return fmt.Errorf("properties of the room %s: %w", r.ID, err)
		}
		list = append(list, r)
		return nil
	}, &id, &home, &name, &owner, &created, &props)
	return list, err
}

// findRoom gives a room's row: im.ErrNoRoom.
func (t *Tx) findRoom(id im.RoomID) (room, error) {
	l, err := t.rooms(roomByName, id.Home.String(), id.Name)
	if err == nil && len(l) == 0 {
		err = im.ErrNoRoom
	}
	if err != nil {
		return room{}, err
	}
	return l[0], nil
}

// Room gives a room: im.ErrNoRoom.
func (t *Tx) Room(id im.RoomID) (im.Room, error) {
	r, err := t.findRoom(id)
	return r.Room, err
}

// CreateRoom makes a room: im.ErrRoomExists.
func (t *Tx) CreateRoom(r im.Room) error {
	if _, err := t.findRoom(r.ID); err != im.ErrNoRoom {
		if err == nil {
			err = im.ErrRoomExists
		}
		return err
	}
	var last int64
	if _, err := t.get(lastRoom, nil, &last); err != nil {
		return err
	}
	props, err := json.Marshal(cleanProps(r.Props))
	if err != nil {
		return err
	}
	_, err = t.do(insertRoom, last+1, r.ID.Home.String(), r.ID.Name, r.Owner.String(), nanos(r.Created), bit(r.Props.Persists),
		bit(r.Props.Searchable), searched(labelOf(r)), searched(r.Props.Topic), string(props))
	return err
}

// PutRoom keeps the owner and the properties of a room: im.ErrNoRoom.
func (t *Tx) PutRoom(r im.Room) error {
	old, err := t.findRoom(r.ID)
	if err != nil {
		return err
	}
	props, err := json.Marshal(cleanProps(r.Props))
	if err != nil {
		return err
	}
	_, err = t.do(updateRoom, old.id, bit(r.Props.Persists), bit(r.Props.Searchable), searched(labelOf(r)),
		searched(r.Props.Topic), string(props), r.Owner.String())
	return err
}

// labelOf is what the room is called.
func labelOf(r im.Room) string {
	if r.Props.Name == "" {
		return r.ID.Name
	}
	return r.Props.Name
}

// cleanProps are properties with texts as every engine takes them.
func cleanProps(p im.RoomProps) im.RoomProps {
	for _, s := range []*string{&p.Name, &p.Topic, &p.Password, &p.Welcome.Type, &p.Welcome.Text} {
		*s = clean(*s)
	}
	return p
}

// searched is a text as it is searched.
func searched(s string) string { return strings.ToLower(clean(s)) }

// DeleteRoom takes a room away with all that it kept: im.ErrNoRoom.
func (t *Tx) DeleteRoom(id im.RoomID) error {
	r, err := t.findRoom(id)
	if err != nil {
		return err
	}
	return t.dropRoom(r.id)
}

func (t *Tx) dropRoom(id int64) error {
	for _, q := range []string{deleteRoomSaid, deleteRoomPeople, deleteRoom} {
		if _, err := t.do(q, id); err != nil {
			return err
		}
	}
	return nil
}

// DeletePassingRooms takes away all rooms that do not persist, and says how many.
func (t *Tx) DeletePassingRooms() (n int, err error) {
	var ids []int64
	var id int64
	if err := t.each(passingRooms, nil, func() error { ids = append(ids, id); return nil }, &id); err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := t.dropRoom(id); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// ForgetInRooms takes away the rooms that count on somebody's account, and all that other rooms keep about them: their
// account goes. It says which rooms are gone, and which others kept something.
func (t *Tx) ForgetInRooms(who im.Address) (gone, others []im.RoomID, err error) {
	l, err := t.rooms(roomsOwned, who.String())
	if err != nil {
		return nil, nil, err
	}
	for _, r := range l {
		if err := t.dropRoom(r.id); err != nil {
			return nil, nil, err
		}
		gone = append(gone, r.ID)
	}
	if others, _, err = t.RoomsWith(who); err != nil || len(others) == 0 {
		return gone, nil, err
	}
	_, err = t.do(forgetPerson, who.String())
	return gone, others, err
}

// CountRooms counts the rooms on somebody's account.
func (t *Tx) CountRooms(owner im.Address) (n int, err error) {
	_, err = t.get(countRooms, args{owner.String()}, &n)
	return n, err
}

// RoomQuery says what rooms are looked for; what is zero is not asked.
type RoomQuery struct {
	ID          string     // a part of the RoomID's name, in any letters; those of Name and Topic likewise
	Name, Topic string     //
	Home, Owner im.Address //
}

// FindRooms lists at most n of the searchable rooms that a query fits; last is where the next page begins (after), and 0
// begins the first.
func (t *Tx) FindRooms(q RoomQuery, after int64, n int) (list []im.Room, last int64, err error) {
	l, err := t.rooms(findRooms, after, part(q.Name), part(q.Topic), q.Home.String(), q.Owner.String(), part(q.ID), n)
	last = after
	for _, r := range l {
		list, last = append(list, r.Room), r.id
	}
	return list, last, err
}

var literally = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// part is the pattern of texts that hold s.
func part(s string) string {
	if s == "" {
		return ""
	}
	return "%" + literally.Replace(searched(s)) + "%"
}

// RoomPeople lists all about whom a room keeps something, those rejected as well, by address: im.ErrNoRoom.
func (t *Tx) RoomPeople(id im.RoomID) ([]im.RoomPerson, error) {
	r, err := t.findRoom(id)
	if err != nil {
		return nil, err
	}
	l, err := t.people(roomPeople, r.id)
	slices.SortFunc(l, func(a, b im.RoomPerson) int { return a.Who.Compare(b.Who) })
	return l, err
}

// RoomPerson gives what a room keeps about somebody, which may be nothing: im.ErrNoRoom.
func (t *Tx) RoomPerson(id im.RoomID, who im.Address) (im.RoomPerson, error) {
	r, err := t.findRoom(id)
	if err != nil {
		return im.RoomPerson{}, err
	}
	l, err := t.people(roomPerson, r.id, who.String())
	if err != nil || len(l) == 0 {
		return im.RoomPerson{Who: who}, err
	}
	return l[0], nil
}

func (t *Tx) people(query string, a ...any) (list []im.RoomPerson, err error) {
	var who, nick string
	var affiliation, own int64
	err = t.each(query, a, func() error {
		list = append(list, im.RoomPerson{Who: im.TrustedAddress(who), Affiliation: im.Affiliation(affiliation), Nick: nick, Own: ownProps(own)})
		return nil
	}, &who, &affiliation, &nick, &own)
	return list, err
}

func ownProps(n int64) im.OwnProps {
	return im.OwnProps{NoPrivate: n&1 != 0, ShowID: n&2 != 0, AutoJoin: n&4 != 0}
}

// PutRoomPerson keeps something about somebody for a room, or takes away what it kept when there is nothing left:
// im.ErrNoRoom.
func (t *Tx) PutRoomPerson(id im.RoomID, p im.RoomPerson) error {
	r, err := t.findRoom(id)
	if err != nil {
		return err
	}
	if p.IsZero() {
		_, err = t.do(deleteRoomPerson, r.id, p.Who.String())
		return err
	}
	own := bit(p.Own.NoPrivate) + 2*bit(p.Own.ShowID) + 4*bit(p.Own.AutoJoin)
	_, err = t.do(putRoomPerson, r.id, p.Who.String(), int64(p.Affiliation), clean(p.Nick), own)
	return err
}

// CountRoomPeople counts about how many people a room keeps something: im.ErrNoRoom.
func (t *Tx) CountRoomPeople(id im.RoomID) (n int, err error) {
	r, err := t.findRoom(id)
	if err == nil {
		_, err = t.get(countRoomPeople, args{r.id}, &n)
	}
	return n, err
}

// RoomsWith lists the rooms that keep something about somebody, and what, in the order in which they were made.
func (t *Tx) RoomsWith(who im.Address) (ids []im.RoomID, kept []im.RoomPerson, err error) {
	var home, name, nick string
	var affiliation, own int64
	err = t.each(roomsWith, args{who.String()}, func() error {
		ids = append(ids, im.TrustedRoomID(home, name))
		kept = append(kept, im.RoomPerson{Who: who, Affiliation: im.Affiliation(affiliation), Nick: nick, Own: ownProps(own)})
		return nil
	}, &home, &name, &affiliation, &nick, &own)
	return ids, kept, err
}

// AddSaid remembers what was said in a room, and forgets the oldest when there are more than keep: im.ErrNoRoom.
func (t *Tx) AddSaid(id im.RoomID, s im.Said, keep int) error {
	r, err := t.findRoom(id)
	if err != nil {
		return err
	}
	format := ""
	if s.Neutral.Format != (im.Format{}) {
		b, err := json.Marshal(s.Neutral.Format)
		if err != nil {
			return fmt.Errorf("format of message %d: %w", s.ID, err)
		}
		format = string(b)
	}
	if _, err := t.do(insertSaid, r.id, int64(s.ID), s.From.String(), clean(s.Nick), nanos(s.Time), clean(s.Native.Door),
		clean(s.Neutral.Thread), clean(format), clean(s.Neutral.Subject.Reveal()), clean(s.Neutral.Text.Reveal()),
		bytes(s.Native.Body)); err != nil {
		return err
	}
	return t.trimSaid(r.id, keep)
}

func (t *Tx) trimSaid(room int64, keep int) error {
	_, err := t.do(trimSaid, room, keep)
	return err
}

// TrimSaid forgets all but the latest keep of what was said in a room: im.ErrNoRoom.
func (t *Tx) TrimSaid(id im.RoomID, keep int) error {
	r, err := t.findRoom(id)
	if err != nil {
		return err
	}
	return t.trimSaid(r.id, keep)
}

// Said lists at most n of the latest that was said in a room, the oldest first: im.ErrNoRoom.
func (t *Tx) Said(id im.RoomID, n int) (list []im.Said, err error) {
	r, err := t.findRoom(id)
	if err != nil {
		return nil, err
	}
	var mid, sent int64
	var sender, nick, door, thread, format, subject, words string
	var body []byte
	err = t.each(lastSaid, args{r.id, n}, func() error {
		s := im.Said{ID: im.MessageID(mid), From: im.TrustedAddress(sender), Nick: nick, Time: moment(sent),
			Native:  im.Native{Door: door, Body: body},
			Neutral: im.Neutral{Text: im.NewText(words), Subject: im.NewText(subject), Thread: thread}}
		if format != "" {
			if err := json.Unmarshal([]byte(format), &s.Neutral.Format); err != nil {
				return fmt.Errorf("format of message %d: %w", mid, err)
			}
		}
		list = append(list, s)
		return nil
	}, &mid, &sender, &nick, &sent, &door, &thread, &format, &subject, &words, &body)
	slices.Reverse(list)
	return list, err
}
