package exchange

import (
	"context"
	"time"

	"parley/im"
)

// Whisperer is a Chamber in which something can be said to one alone.
type Whisperer interface {
	Chamber
	// Whisper is Say to one, by screen name: im.ErrAbsent when nobody goes by it. SSP 12.3.1
	Whisper(ctx context.Context, nick string, m *im.Message) error
}

// Whisper says something to one alone who is in a room that the session's person is in by a conversation, by the address
// that they have there. False: it is no such conversation, or they are not in it. It returns when the room has it;
// im.ErrNoPrivate where nobody speaks to one alone.
func (c *Client) Whisper(ctx context.Context, conversation int64, to im.Address, m *im.Message) (bool, error) {
	t, _ := c.talk(conversation)
	if t == nil {
		return false, nil
	}
	a, nick := t.annex, ""
	if a != nil {
		for _, p := range a.there {
			if p.who == to {
				nick = p.label
			}
		}
	}
	t.mu.Unlock()
	if nick == "" {
		return false, nil
	}
	c.Flush() // it may take a while
	t.stir(time.Now())
	w, ok := a.chamber.(Whisperer)
	switch {
	case !ok:
		return true, im.ErrNoPrivate
	case m.Kind == im.Request:
		return true, im.ErrNothingFits
	}
	n := m.For(im.Address{}, m.ID)
	n.Native, n.FromSlot = im.Native{}, m.FromSlot // which names its sender
	return true, w.Whisper(ctx, nick, n)
}

// Whisper implements Whisperer.
func (r *roomChamber) Whisper(_ context.Context, nick string, m *im.Message) error {
	s, err := r.x.RoomSeat(r.c, r.id)
	if err != nil {
		return im.ErrGone
	}
	return s.Whisper(nick, m)
}
