package switchboard

import (
	"context"
	"errors"
	"strconv"

	"parley/exchange"
	"parley/im"
	"parley/listen"
	"parley/msnp"
	"parley/msnp/wire"
)

// msg says something to everybody else: draft 8.7. The payload is not looked into but to tell
// words from the rest, and goes to other MSN clients as it is: draft 8.8.
func (c *conn) msg(ctx context.Context, r request) error {
	done, ok := c.verdict(r)
	if !ok {
		return msnp.ErrInvalidParameter
	}
	return c.tell(ctx, r, done)
}

// msgData is msg where D is a type, too: client-to-client data, which is answered as A is. What is no such data, or has
// lengths that do not agree, goes to nobody. dialects 7.3, 8.4
func (c *conn) msgData(ctx context.Context, r request) error {
	if string(r.Arg(1)) != "D" {
		return c.msg(ctx, r)
	}
	content, err := msnp.ParseContent(r.Payload)
	if err == nil && content.Kind == msnp.P2PContent {
		_, err = msnp.ParsePacket(content.Body)
	}
	if err != nil {
		return msnp.ErrInvalidMessage
	}
	return c.tell(ctx, r, c.both(r.trID))
}

// both tells the client what became of its message, whatever it was.
func (c *conn) both(trID int64) func(error) {
	return func(err error) { // may come from anybody
		if err != nil {
			c.answer("NAK", trID)
		} else {
			c.answer("ACK", trID)
		}
	}
}

// verdict is what is to be done when it is known what became of a message; ok is false for a type that there is not.
func (c *conn) verdict(r request) (done func(error), ok bool) {
	switch trID := r.trID; string(r.Arg(1)) { // dialects 7.3
	case "U":
		return nil, true
	case "N":
		return func(err error) { // may come from anybody
			if err != nil {
				c.answer("NAK", trID)
			}
		}, true
	case "A":
		return c.both(trID), true
	}
	return nil, false
}

// tell hands a message to everybody else; done may be nil.
func (c *conn) tell(ctx context.Context, r request, done func(error)) error {
	if name := c.seat.Name(); c.head == nil || c.name != name {
		c.name = name
		c.head = []byte("MSG " + c.who.String() + " " + msnp.FitName(name) + " ")
	}
	framed := make([]byte, 0, len(c.head)+8+len(r.Payload))
	framed = append(framed, c.head...)
	framed = strconv.AppendInt(framed, int64(len(r.Payload)), 10)
	framed = append(framed, wire.CRLF...)
	body := len(framed)
	framed = append(framed, r.Payload...)
	m := &im.Message{From: c.who, FromSlot: msnp.Slot, FromName: c.name, Time: r.at,
		Native: im.Native{Door: "msnp", Body: framed[body:], Framed: framed}}
	m.Kind = kindOf(m.Native.Body)
	m.Neutralise = func() im.Neutral { return neutral(m.Native.Body) }
	if m.Kind == im.Request {
		done = c.declined(m.Native.Body, done)
	}
	c.seat.Say(ctx, m, done)
	return nil
}

// declined is done for an invitation to a file or the like: where the one other participant has no client of this
// protocol, it is turned down in their name, in words that the client understands. dialects 8.3
func (c *conn) declined(payload []byte, done func(error)) func(error) {
	content, err := msnp.ParseContent(payload)
	switch {
	case err == nil && beside(content.Type) && done != nil:
		return func(err error) {
			if errors.Is(err, im.ErrNothingFits) {
				err = nil // nobody misses it
			}
			done(err)
		}
	case err != nil || content.Kind != msnp.InviteContent || content.Invitation.Command != "INVITE":
		return done
	}
	others := c.seat.Others()
	if len(others) != 1 || !msnp.ValidHandle(others[0].Who.String()) {
		return done
	}
	return func(err error) {
		no := errors.Is(err, im.ErrNothingFits)
		if no {
			err = nil // it was answered
		}
		if done != nil {
			done(err)
		}
		if !no {
			return
		}
		b := msnp.CancelPayload(content.Invitation.Cookie, "REJECT_NOT_INSTALLED")
		if c.Queue(wire.AppendMessage(nil, others[0].Who.String(), msnp.FitName(others[0].Name), b)) {
			c.Flush()
		}
	}
}

// beside reports whether contents of a type go with words, and mean nothing without: the pictures that stand for some of
// them, what the client is called. dialects 8.5
func beside(media string) bool {
	switch media {
	case "text/x-mms-emoticon", "text/x-mms-animemoticon", "text/x-clientcaps":
		return true
	}
	return false
}

// answer tells the client what became of its message.
func (c *conn) answer(verb string, trID int64) {
	if c.Queue(wire.AppendCommand(make([]byte, 0, 16), verb, trID)) {
		c.Flush()
	}
}

// kindOf says how a payload is handled when nobody is there to take it: dialects 8.
func kindOf(payload []byte) im.Kind {
	if msnp.HasWords(payload) {
		return im.Words
	}
	if content, err := msnp.ParseContent(payload); err == nil && content.Kind == msnp.TypingContent {
		return im.Signal
	}
	return im.Request
}

// neutral is the form of a payload that every door can read.
func neutral(payload []byte) im.Neutral {
	content, err := msnp.ParseContent(payload)
	switch {
	case err != nil:
		return im.Neutral{}
	case content.Kind == msnp.TypingContent:
		return im.Neutral{Typing: true}
	case content.Kind != msnp.TextContent:
		return im.Neutral{}
	}
	return im.Neutral{Text: im.NewText(content.Text), Format: im.Format(content.Format)}
}

// Hand implements exchange.Session, for a seat.
func (c *conn) Hand(d exchange.Delivery) (owes bool) {
	switch d := d.(type) {
	case *exchange.Message:
		return c.message(d)
	case *exchange.Joined: // draft 8.5
		if h := d.Who.String(); msnp.ValidHandle(h) {
			return c.Queue(c.say().joins(d))
		}
	case *exchange.Left: // draft 8.5, dialects 7.1
		if h := d.Who.String(); msnp.ValidHandle(h) {
			if d.Idle {
				return c.Queue(wire.AppendCommand(nil, "BYE", wire.NoTrID, h, "1"))
			}
			return c.Queue(wire.AppendCommand(nil, "BYE", wire.NoTrID, h))
		}
	}
	return false
}

// message queues what somebody said: draft 8.8. From behind another door, its neutral form.
func (c *conn) message(m *exchange.Message) (owes bool) {
	if b := m.Native.Framed; b != nil && m.Native.Door == "msnp" {
		return c.QueueItem(listen.Item{B: b, Settle: m})
	}
	h := m.From.String()
	if !msnp.ValidHandle(h) {
		return c.GiveBack(m, im.ErrNothingFits)
	}
	name := m.FromName
	if name == "" {
		name = h
	}
	name = msnp.FitName(name)
	if m.Native.Door == "msnp" {
		return c.QueueItem(listen.Item{B: wire.AppendMessage(nil, h, name, m.Native.Body), Settle: m})
	}
	n := m.Neutral()
	switch {
	case n.Typing:
		return c.QueueItem(listen.Item{B: wire.AppendMessage(nil, h, name, msnp.TypingPayload(h)), Settle: m})
	case n.Text.IsZero():
		return c.GiveBack(m, im.ErrNothingFits)
	}
	var b []byte
	text := n.Text.Reveal()
	if !n.Subject.IsZero() {
		text = n.Subject.Reveal() + "\n" + text // there is no other place for it
	}
	for _, p := range msnp.TextPayloads(text, msnp.Format(n.Format), c.s.Link.Payload) {
		b = wire.AppendMessage(b, h, name, p)
	}
	return c.QueueItem(listen.Item{B: b, Settle: m})
}

// End implements exchange.Session: the connection closes, there is no word for it. draft 8.6
func (c *conn) End(exchange.EndReason) { c.Hangup("") }
