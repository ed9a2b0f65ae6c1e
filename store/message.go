package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"parley/im"
)

// PutMessage keeps a message for m.To until it is deleted, or has expired (zero: never).
// One that is there already, by its ID, is left as it is. Its neutral form is made when it
// was not yet.
func (t *Tx) PutMessage(m *im.Message, expires time.Time) error {
	p, err := t.need(m.To)
	if err != nil {
		return err
	}
	n := m.Neutral()
	format := ""
	if n.Format != (im.Format{}) {
		b, err := json.Marshal(n.Format)
		if err != nil {
			return fmt.Errorf("format of message %d: %w", m.ID, err)
		}
		format = string(b)
	}
	size := int64(m.Size())
	put, err := t.do(putMessage, int64(m.ID), p.id, m.From.String(), clean(m.FromName), nanos(m.Time), nanos(expires),
		size, int64(m.Kind), bit(m.Report), clean(m.Native.Door), clean(n.Thread), clean(format),
		clean(n.Subject.Reveal()), clean(n.Text.Reveal()), bytes(m.Native.Body))
	if err != nil || put == 0 {
		return err
	}
	p.waiting, p.waitingBytes, p.dirty = p.waiting+1, p.waitingBytes+size, true
	return nil
}

// Waiting lists at most n of the messages that wait for somebody and come after one, by ID,
// which ascends with time.
func (t *Tx) Waiting(to im.Address, after im.MessageID, n int) ([]*im.Message, error) {
	return t.messages(to, func(id int64) ([]*im.Message, error) {
		return t.readMessages(to, waitingAfter, id, int64(after), n)
	})
}

// WaitingFrom lists at most n of those of one sender, the first ones.
func (t *Tx) WaitingFrom(to, from im.Address, n int) ([]*im.Message, error) {
	return t.messages(to, func(id int64) ([]*im.Message, error) {
		return t.readMessages(to, waitingFrom, id, from.String(), n)
	})
}

func (t *Tx) messages(to im.Address, read func(id int64) ([]*im.Message, error)) ([]*im.Message, error) {
	p, err := t.find(to)
	if err != nil || p == nil || p.waiting == 0 {
		return nil, err
	}
	return read(p.id)
}

func (t *Tx) readMessages(to im.Address, query string, a ...any) ([]*im.Message, error) {
	return t.scanMessages(func() im.Address { return to }, query, a)
}

// Expired lists at most n messages whose time is over and whose receivers have no account here, those longest over first.
func (t *Tx) Expired(now time.Time, n int) ([]*im.Message, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	var to string
	return t.scanMessages(func() im.Address { return im.TrustedAddress(to) }, expiredFar, args{now.UnixNano(), n}, &to)
}

func (t *Tx) scanMessages(to func() im.Address, query string, a args, more ...any) ([]*im.Message, error) {
	var list []*im.Message
	var id, sent, small int64
	var from, name, door, thread, format, subject, words string
	var body []byte
	err := t.each(query, a, func() error {
		n := im.Neutral{Text: im.NewText(words), Subject: im.NewText(subject), Thread: thread}
		if format != "" {
			if err := json.Unmarshal([]byte(format), &n.Format); err != nil {
				return fmt.Errorf("format of message %d: %w", id, err)
			}
		}
		list = append(list, &im.Message{
			ID: im.MessageID(id), From: im.TrustedAddress(from), To: to(), FromName: name, Time: moment(sent),
			Kind: im.Kind(small & 255), Report: small>>8 != 0, Native: im.Native{Door: door, Body: body},
			Neutralise: func() im.Neutral { return n },
		})
		return nil
	}, append([]any{&id, &from, &name, &sent, &small, &door, &thread, &format, &subject, &words, &body}, more...)...)
	return list, err
}

// WaitingSenders lists whose messages wait for somebody, the one who waits longest first.
func (t *Tx) WaitingSenders(to im.Address) ([]im.Address, error) {
	p, err := t.find(to)
	if err != nil || p == nil || p.waiting == 0 {
		return nil, err
	}
	var list []im.Address
	seen := make(map[im.Address]bool)
	var from string
	err = t.each(waitingSenders, args{p.id}, func() error {
		if a := im.TrustedAddress(from); !seen[a] {
			seen[a] = true
			list = append(list, a)
		}
		return nil
	}, &from)
	return list, err
}

// CountWaiting says how many messages wait for somebody, and their sizes together
// (im.Message.Size), from one row.
func (t *Tx) CountWaiting(to im.Address) (n int, size int64, err error) {
	p, err := t.find(to)
	if err != nil || p == nil {
		return 0, 0, err
	}
	return int(p.waiting), p.waitingBytes, nil
}

// MarkNotified notes that somebody was told of a message that waits for them; nothing when
// it does not wait any more.
func (t *Tx) MarkNotified(id im.MessageID) error {
	_, err := t.do(markNotified, int64(id))
	return err
}

// Notified reports whether MarkNotified was called for a message that still waits.
func (t *Tx) Notified(id im.MessageID) (bool, error) {
	var yes bool
	_, err := t.get(notified, args{int64(id)}, &yes)
	return yes, err
}

// DeleteMessage takes a message away; nothing when it is not there.
func (t *Tx) DeleteMessage(id im.MessageID) error {
	_, err := t.deleteMessages(deleteMessage, int64(id))
	return err
}

// DeleteMessagesTo takes away at most n of somebody's messages, the first ones, and says
// whether there are more.
func (t *Tx) DeleteMessagesTo(to im.Address, n int) (left bool, err error) {
	p, err := t.find(to)
	if err != nil || p == nil || p.waiting == 0 {
		return false, err
	}
	if _, err = t.deleteMessages(deleteMessageTo, p.id, n); err != nil {
		return false, err
	}
	return p.waiting > 0, nil
}

// DeleteExpired takes away at most n messages whose time is over, those longest over first,
// and says how many it took.
func (t *Tx) DeleteExpired(now time.Time, n int) (int, error) {
	return t.deleteMessages(deleteExpired, now.UnixNano(), n)
}

func (t *Tx) deleteMessages(query string, a ...any) (int, error) {
	type gone struct{ to, size int64 }
	var all []gone
	var g gone
	err := t.all(query, true, a, func() error {
		all = append(all, g)
		return nil
	}, []any{&g.to, &g.size})
	if err != nil {
		return 0, err
	}
	for part := range slices.Values(all) {
		p, err := t.byID(part.to)
		if err != nil {
			return 0, err
		}
		if p == nil {
			return 0, fmt.Errorf("a message was for principal %d, who is not there", part.to)
		}
		p.waiting, p.waitingBytes, p.dirty = p.waiting-1, p.waitingBytes-part.size, true
	}
	return len(all), nil
}
