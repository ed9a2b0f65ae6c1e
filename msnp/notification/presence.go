package notification

import (
	"context"

	"parley/exchange"
	"parley/im"
	"parley/msnp"
)

// states says what the client's states are in the core, and back: draft 7.7. What the core
// knows and this wire does not is shown as its nearest relative.
var states = []struct {
	word  msnp.State
	state im.State
}{
	{msnp.Online, im.Available},
	{msnp.Online, im.FreeToChat},
	{msnp.Busy, im.Busy},
	{msnp.Idle, im.Idle},
	{msnp.BeRightBack, im.BeRightBack},
	{msnp.Away, im.Away},
	{msnp.Away, im.ExtendedAway},
	{msnp.OnThePhone, im.OnThePhone},
	{msnp.OutToLunch, im.OutToLunch},
	{msnp.Hidden, im.Hidden},
	{msnp.Offline, im.Offline},
}

func stateOf(w msnp.State) im.State {
	for _, s := range states {
		if s.word == w {
			return s.state
		}
	}
	return im.Offline
}

// words are the states of the core as the wire has them, asked for with each line to each receiver.
var words = func() (w [im.ExtendedAway + 1]msnp.State) {
	for i := range w {
		w[i] = msnp.Offline
	}
	for _, s := range states {
		w[s.state] = s.word
	}
	return w
}()

func wordOf(st im.State) msnp.State {
	if int(st) < len(words) {
		return words[st]
	}
	return msnp.Offline
}

// chg changes the client's state; the first one is followed by the states of those it
// watches: draft 7.7, 7.9.
func (c *conn) chg(_ context.Context, r request) error {
	word, ok := msnp.ParseState(r.Arg(1))
	if !ok {
		return msnp.ErrInvalidParameter
	}
	c.Reply("CHG", r.trID, string(word))
	c.s.Link.Metrics.Move(c.shown, string(word))
	c.shown = string(word)
	c.client.SetPresence(im.Presence{State: stateOf(word)}, &act{conn: c, trID: r.trID})
	return nil
}

// presence queues what somebody's presence is: ILN as found, NLN or FLN when it changes. draft 7.9
func (c *conn) presence(p *exchange.Presence) (owes bool) {
	if !p.Changed || !sayable(p.Who) {
		return false
	}
	if !p.Merged.State.Visible() {
		if e := c.client.Snapshot().Entry(p.Who); e == nil || !e.Side.Listed() {
			return false // REM has said it
		}
	}
	v := c.say()
	if a, ok := p.Tag.(*act); ok && a.conn == c && p.Initial {
		return c.Queue(v.initial(a.trID, p))
	}
	if p.Was.State.Visible() && v.notice.same(&p.Was, &p.Merged) {
		return false // news for who is told more
	}
	return c.QueueItem(item(v.notice, p))
}
