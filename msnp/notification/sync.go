package notification

import (
	"context"
	"strconv"

	"parley/exchange"
	"parley/im"
	"parley/msnp"
	"parley/msnp/wire"
)

// known is what a client's copy of its properties is made of.
type known struct {
	*exchange.Snapshot
	trID  int64
	guids []msnp.GUID                      // of the groups, where the dialect has them
	told  map[im.Address]map[string]string // what the account and its contacts tell of themselves, as far as they may be asked
}

// syn brings a client's copy of its properties up to date: draft 7.5. The lists are queued
// while nothing newer can come between.
func (c *conn) syn(_ context.Context, r request) error {
	c.Room()
	c.client.WithSnapshot(func(s *exchange.Snapshot) { c.sync(&known{Snapshot: s, trID: r.trID}, r.has(s.Serial)) })
	return nil
}

// synProperties is syn where telephone numbers belong to it, which are not in memory: dialects 4.2.
func (c *conn) synProperties(ctx context.Context, r request) error { return c.synRead(ctx, r, r.has) }

// synStamps is synProperties where the client shows two times, that of its lists and that of its settings: dialects 4.2.
// Here they are one.
func (c *conn) synStamps(ctx context.Context, r request) error {
	return c.synRead(ctx, r, func(serial int64) bool {
		stamp := msnp.Stamp(serial)
		return string(r.Arg(1)) == stamp && string(r.Arg(2)) == stamp
	})
}

// synRead reads what is not in memory, and answers; has reports whether the client has what there is at a serial. What
// is read has to be as old as the rest.
func (c *conn) synRead(ctx context.Context, r request, has func(serial int64) bool) error {
	c.Room()
	for tries := 3; ; tries-- {
		s := c.client.Snapshot()
		var told map[im.Address]map[string]string
		if !has(s.Serial) {
			c.Flush()
			var err error
			if told, err = c.s.Exchange.PropertiesFor(ctx, s); err != nil {
				return err
			}
		}
		done := false
		c.client.WithSnapshot(func(is *exchange.Snapshot) {
			if done = is.Serial == s.Serial || tries == 0; done {
				c.sync(&known{Snapshot: is, trID: r.trID, told: told}, has(is.Serial))
			}
		})
		if done {
			if c.self != nil {
				c.self.synced = true
			}
			return nil
		}
	}
}

// has reports whether the number that a SYN says is the serial; an absurd one is not ours: the whole set follows.
func (r request) has(serial int64) bool {
	n, err := strconv.ParseInt(string(r.Arg(1)), 10, 64)
	return err == nil && n == serial
}

// sync answers a SYN: nothing more than the version follows when it is the client's own.
func (c *conn) sync(k *known, same bool) {
	size := 64
	if !same {
		size = 256 + 160*len(k.Entries)
	}
	v := c.say()
	b := make([]byte, 0, size)
	if same {
		b = v.same(b, k)
	} else {
		b = v.sync(b, v, k)
	}
	c.Queue(b)
}

// appendHead appends the answer to SYN: draft 7.5.
func appendHead(b []byte, k *known) []byte {
	return wire.AppendCommand(b, "SYN", k.trID, strconv.FormatInt(k.Serial, 10))
}

// sync appends the answer to SYN, and what follows it: GTC, BLP and the four lists. draft 7.5, 7.6.
func sync(b []byte, _ *voice, k *known) []byte {
	return k.appendLists(k.appendModes(appendHead(b, k)), entryEnd, nil)
}

// syncProperties has what the account tells of itself, and each contact, besides: dialects 4.2, 4.7.
func syncProperties(b []byte, v *voice, k *known) []byte {
	return k.appendLists(k.appendProperties(k.appendModes(appendHead(b, k)), v.tells), entryEnd, (*known).appendTold)
}

// syncGroups has the contact groups besides: dialects 4.2, 4.3.
func syncGroups(b []byte, v *voice, k *known) []byte {
	b = k.appendGroups(k.appendProperties(k.appendModes(appendHead(b, k)), v.tells))
	return k.appendLists(b, entryEndGroups, (*known).appendTold)
}

// appendModes appends GTC and BLP: draft 7.6.
func (k *known) appendModes(b []byte) []byte {
	serial := strconv.FormatInt(k.Serial, 10)
	b = wire.AppendCommand(b, "GTC", k.trID, serial, promptWord(k.Prompt))
	return wire.AppendCommand(b, "BLP", k.trID, serial, privacyWord(k.Settings))
}

// appendLists appends the four lists; after is what follows a line of the Forward List. Who cannot be written is
// left out.
func (k *known) appendLists(b []byte, end func([]byte, msnp.List, *im.Entry, []im.Group) []byte, after func(*known, []byte, *im.Entry) []byte) []byte {
	var on [4][]*im.Entry
	for _, e := range k.Entries {
		if !sayable(e.Who) {
			continue
		}
		for i, list := range msnp.Lists() {
			if isOn(list, e) {
				on[i] = append(on[i], e)
			}
		}
	}
	for i, list := range msnp.Lists() {
		if list != msnp.ForwardList {
			after = nil
		}
		b = k.appendEntries(b, list, on[i], end, after)
	}
	return b
}

// appendList appends one list: draft 7.6. Who cannot be written is left out.
func (k *known) appendList(b []byte, list msnp.List, end func([]byte, msnp.List, *im.Entry, []im.Group) []byte) []byte {
	var l []*im.Entry
	for _, e := range k.Entries {
		if isOn(list, e) && sayable(e.Who) {
			l = append(l, e)
		}
	}
	return k.appendEntries(b, list, l, end, nil)
}

// appendEntries appends the entries of a list, one a line: draft 7.6.
func (k *known) appendEntries(b []byte, list msnp.List, l []*im.Entry, end func([]byte, msnp.List, *im.Entry, []im.Group) []byte,
	after func(*known, []byte, *im.Entry) []byte) []byte {
	head := strconv.AppendInt([]byte("LST "), k.trID, 10)
	head = append(append(append(head, ' '), list.String()...), ' ')
	head = append(strconv.AppendInt(head, k.Serial, 10), ' ')
	if len(l) == 0 {
		return append(append(b, head...), "0 0\r\n"...)
	}
	tail := append(strconv.AppendInt([]byte(" "), int64(len(l)), 10), ' ')
	for i, e := range l {
		b = append(b, head...)
		b = strconv.AppendInt(b, int64(i+1), 10)
		b = append(b, tail...)
		b = append(b, e.Who.String()...)
		b = append(b, ' ')
		b = append(b, msnp.FitName(listName(list, e))...)
		b = end(b, list, e, k.Groups)
		if after != nil {
			b = after(k, b, e)
		}
	}
	return b
}

// entryEnd ends a line of LST: draft 7.6.
func entryEnd(b []byte, _ msnp.List, _ *im.Entry, _ []im.Group) []byte {
	return append(b, wire.CRLF...)
}

// entryEndGroups names the groups of a contact, on the Forward List alone: dialects 4.3.
func entryEndGroups(b []byte, list msnp.List, e *im.Entry, groups []im.Group) []byte {
	if list == msnp.ForwardList {
		sep := byte(' ')
		for _, n := range numbers(e, groups) {
			b = strconv.AppendInt(append(b, sep), int64(n), 10)
			sep = ','
		}
	}
	return append(b, wire.CRLF...)
}

// lst sends one list: draft 7.6, dialects 4.3.
func (c *conn) lst(_ context.Context, r request) error {
	a := r.args()
	list := a.list(true)
	if a.err != nil {
		return a.err
	}
	c.Room()
	c.client.WithSnapshot(func(s *exchange.Snapshot) {
		c.Queue((&known{Snapshot: s, trID: r.trID}).appendList(nil, list, c.say().entry))
	})
	return nil
}
