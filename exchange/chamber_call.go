package exchange

import (
	"context"
	"sync"

	"parley/im"
)

// Somebody can be called into a room that lasts: they are in the conversation that stands for it, and enter the room when
// they come there.

// Entrance is a Chamber that its person is called into, and has not entered yet.
type Entrance interface {
	Chamber
	// Enter is called once, when the person comes: they take the seat for which they were rung, or attend the conversation.
	// It is called with locks held: it returns at once, and calls nothing of the exchange.
	Enter()
}

// come has the chamber know that the person comes. The caller holds c.mu, and a may be nil.
func (a *Annex) come() {
	if a == nil || a.door == nil {
		return
	}
	a.door.Enter()
	a.door = nil
}

// Talker gives the session by which somebody is in conversations, of those that take words now: one that takes them as
// they are, before one that is rung; nil when there is none.
func (x *Exchange) Talker(who im.Address) *Client {
	a := x.inMemory(who)
	if a == nil {
		return nil
	}
	for _, can := range []Ability{Direct, Rings} {
		for _, c := range a.takers(can) {
			return c
		}
	}
	return nil
}

// CallIntoRoom calls a session's person into a room that lasts, by a conversation, as EnterRoom has them be in it: they
// enter when they come. done is told once what became of it: nil when they are in; im.ErrAbsent when they do not come, or
// leave before; those of JoinRoom. withdraw takes the call back, if they have not come. name is the room's, as in
// OpenAnnex, whose errors are those of this; words are shown to them first, "": none.
func (x *Exchange) CallIntoRoom(ctx context.Context, c *Client, j RoomJoin, name, words string, done func(error)) (withdraw func(), err error) {
	j.Notices, j.Echo, j.alone = true, false, true
	e := &calledChamber{roomChamber: roomChamber{x, c, j.Room}, join: j, done: done, ready: make(chan struct{})}
	defer close(e.ready)
	if e.annex, err = x.OpenAnnex(ctx, c, e, j.Room, name, nil); err != nil {
		return nil, err
	}
	e.annex.Welcome(words, "")
	e.annex.Flush()
	return e.withdraw, nil
}

// calledChamber is a room of ours as a chamber that its person is called into.
type calledChamber struct {
	roomChamber
	join  RoomJoin
	done  func(error)
	once  sync.Once
	ready chan struct{} // closed when annex is set
	annex *Annex
}

// Enter implements Entrance.
func (e *calledChamber) Enter() {
	e.x.spawn(func(ctx context.Context) { // ends when they are in
		<-e.ready
		if e.annex != nil {
			e.settle(e.enter(ctx))
		}
	})
}

func (e *calledChamber) enter(ctx context.Context) error {
	a, j := e.annex, e.join
	j.Greet = func(v RoomView) {
		for _, u := range v.Users {
			if u.Nick != v.Nick {
				a.Joined(u.Nick)
			}
		}
		a.welcome(v.Room.Props)
	}
	_, err := e.x.JoinRoom(ctx, e.c, j, annexed{a})
	if err != nil {
		a.End()
	}
	a.Flush()
	a.c.mu.Lock()
	over := a.c.over
	a.c.mu.Unlock()
	if err == nil && over { // they left meanwhile
		e.roomChamber.Leave()
		err = im.ErrAbsent
	}
	return err
}

// Leave implements Chamber.
func (e *calledChamber) Leave() {
	e.roomChamber.Leave()
	e.settle(im.ErrAbsent)
}

func (e *calledChamber) settle(err error) { e.once.Do(func() { e.done(err) }) }

// withdraw takes the call back.
func (e *calledChamber) withdraw() {
	a := e.annex
	a.c.mu.Lock()
	waits := a.door != nil
	a.door = nil
	a.ended = a.ended || waits
	a.c.mu.Unlock()
	if waits {
		a.Flush()
		e.settle(im.ErrAbsent)
	}
}
