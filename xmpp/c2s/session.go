package c2s

import (
	"sync"
	"sync/atomic"

	"parley/exchange"
	"parley/im"
	"parley/listen"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// session is what a client has told of what it wants to hear.
type session struct {
	roster   atomic.Bool // it asked for the roster, and is told of changes: RFC 6121 2.1.6
	blocking atomic.Bool // it asked for the block list: XEP-0191 3.3
	privacy  atomic.Bool // it asked for privacy lists: RFC 3921 10.3
	present  atomic.Bool // it has sent presence

	farewell atomic.Pointer[[]byte] // the answer to who removes their account, said when it has ended the session
}

// ahead holds what is handed to a session before its client was told that it has one: RFC 6120 7.6.1, 10.1.
type ahead struct {
	told atomic.Bool

	mu   sync.Mutex // guards what follows, and telling
	held []exchange.Delivery
}

// tell queues the answer that ends binding, and then what has come since.
func (c *conn) tell(answer func()) {
	c.ahead.mu.Lock()
	defer c.ahead.mu.Unlock()
	answer()
	for _, d := range c.ahead.held {
		c.take(d) // flushed with the answer
	}
	c.ahead.held = nil
	c.ahead.told.Store(true)
}

// Hand implements exchange.Session.
func (c *conn) Hand(d exchange.Delivery) (owes bool) {
	if !c.ahead.told.Load() {
		c.ahead.mu.Lock()
		defer c.ahead.mu.Unlock()
		if !c.ahead.told.Load() {
			c.ahead.held = append(c.ahead.held, d)
			return false
		}
	}
	return c.take(d)
}

// take queues a delivery.
func (c *conn) take(d exchange.Delivery) (owes bool) {
	switch d := d.(type) {
	case *exchange.Message:
		return c.deliver(d)
	case *exchange.Presence:
		return c.notice(d)
	case *exchange.Change:
		return c.change(d)
	case *exchange.Joined:
		return c.roomJoined(d)
	case *exchange.Left:
		return c.roomLeft(d)
	case *exchange.Report:
		return c.receipt(d)
	}
	return false
}

// End implements exchange.Session: RFC 6120 4.9.3.3, 4.9.3.12, 4.9.3.20; XEP-0045 11.2.
func (c *conn) End(why exchange.EndReason) {
	if b := c.session.farewell.Load(); b != nil && why == exchange.Removed {
		c.Queue(*b)
	}
	switch why {
	case exchange.Replaced:
		c.Fail(&xmpp.StreamError{Condition: xmpp.StreamConflict, Text: "the same resource was bound elsewhere"})
	case exchange.Shutdown:
		c.roomsClose()
		c.Fail(&xmpp.StreamError{Condition: xmpp.StreamSystemShutdown})
	default:
		c.Fail(&xmpp.StreamError{Condition: xmpp.StreamNotAuthorized})
	}
}

// form is the kind of presence stanzas that all clients share: they carry no "to", so that each is made once.
type form struct{}

// notice queues a presence notice. A newer one of the same session takes its place while it waits. RFC 6121 4.2.2, 4.2.3,
// 4.4.2, 4.4.3, 4.5.2, 4.5.3
func (c *conn) notice(p *exchange.Presence) (owes bool) {
	if p.Slot == "" { // another display name, which presence does not tell
		return false
	}
	if p.Direct {
		to := c.full
		if !p.One { // as it was given: RFC 6121 8.5.2.1.2
			to = c.jid.Bare.String()
		}
		b := xmpp.AppendPresence(nil, xmpp.JID{Bare: p.Who, Resource: p.Slot}.String(), to, "", p.Session)
		return c.Queue(b)
	}
	return c.QueueItem(listen.Item{B: p.Form(form{}, appendNotice), Key: p.SlotKey()})
}

func appendNotice(p *exchange.Presence) []byte {
	return xmpp.AppendPresence(make([]byte, 0, 160), xmpp.JID{Bare: p.Who, Resource: p.Slot}.String(), "", "", p.Session)
}

// change tells the client what was changed in its lists, by itself or by others. What others decided comes before the
// roster push that it leads to: RFC 6121 3.1.6, 3.2.3, 3.3.3.
func (c *conn) change(d *exchange.Change) (owes bool) {
	owes = c.subscriptionChange(d)
	owes = c.rosterChange(d) || owes
	owes = c.blockingChange(d) || owes
	return c.privacyChange(d) || owes
}

// subscriptionChange tells what others decided or want: RFC 6121 3.1.3, 3.1.6, 3.2.3, 3.3.3, A.3.1, A.3.2, A.3.3, A.3.4.
func (c *conn) subscriptionChange(d *exchange.Change) (owes bool) {
	if d.Who.IsZero() || !c.session.present.Load() && !c.session.roster.Load() || c.denies(xmpp.JID{Bare: d.Who}) {
		return false
	}
	from := d.Who.String()
	tell := func(typ string) {
		b := wire.Open(make([]byte, 0, 96), "presence", from, d.Of.String(), "", typ)
		owes = c.Queue(b.Bytes()) || owes
	}
	before, after := d.Before, d.After
	if d.Request != nil && d.By.Who == d.Who && before.Watched != im.WatchAsked { // who asks again is heard at the next login: RFC 6121 A.3.1
		if c.session.present.Load() { // RFC 6121 3.1.3: to available resources; others get it when they become so
			owes = c.Queue(xmpp.AppendRequest(nil, from, d.Of.String(), d.Request.Text, d.Request.Native)) || owes
		}
	}
	was, is := before.Side.Watch, after.Side.Watch
	if was != im.WatchGranted && is == im.WatchGranted { // also who was let in beforehand, when it asks: RFC 6121 3.1.3
		tell("subscribed")
	}
	if d.By.Who != d.Who {
		return owes
	}
	if was != im.WatchNone && is == im.WatchNone {
		tell("unsubscribed")
	}
	if before.Watched != im.WatchNone && after.Watched == im.WatchNone {
		tell("unsubscribe")
	}
	return owes
}
