package notification

import (
	"context"
	"strconv"
	"time"

	"parley/exchange"
	"parley/im"
	"parley/msnp"
	"parley/msnp/wire"
)

// now is the time of day that clients are told.
var now = time.Now

// act is the tag of what a command of this connection does to the lists: what it leads to
// comes back through Hand, in order with everything else, and there gets the command's echo.
type act struct {
	conn *conn
	trID int64
	verb string
	list msnp.List // of ADD and REM
}

func (c *conn) by(r request, list msnp.List) exchange.By {
	c.Flush() // what is queued here does not wait for the commit
	return exchange.By{Who: c.who, Client: c.client, Tag: &act{c, r.trID, r.Verb, list}}
}

// syn brings a client's copy of its properties up to date: draft 7.5. The lists are queued
// while nothing newer can come between.
func (c *conn) syn(_ context.Context, r request) error {
	have, err := strconv.ParseInt(string(r.Arg(1)), 10, 64)
	if err != nil {
		have = -1 // absurd, so not ours: the whole set follows
	}
	c.Room()
	c.client.WithSnapshot(func(s *exchange.Snapshot) { c.Queue(appendSYN(r.trID, have, s)) })
	return nil
}

// appendSYN appends the answer to SYN: GTC, BLP and the four lists, or nothing more than the
// serial number when it is the client's own. draft 7.5, 7.6.
func appendSYN(trID, have int64, s *exchange.Snapshot) []byte {
	size := 64
	if have != s.Serial {
		size = 256 + 160*len(s.Entries)
	}
	b := make([]byte, 0, size)
	serial := strconv.FormatInt(s.Serial, 10)
	b = wire.AppendCommand(b, "SYN", trID, serial)
	if have == s.Serial {
		return b
	}
	b = wire.AppendCommand(b, "GTC", trID, serial, promptWord(s.Prompt))
	b = wire.AppendCommand(b, "BLP", trID, serial, privacyWord(s.Settings))
	var on [4][]*im.Entry
	for _, e := range s.Entries {
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
		b = appendEntries(b, trID, list, s.Serial, on[i])
	}
	return b
}

// appendList appends one list: draft 7.6. Who cannot be written is left out.
func appendList(b []byte, trID int64, list msnp.List, s *exchange.Snapshot) []byte {
	var l []*im.Entry
	for _, e := range s.Entries {
		if isOn(list, e) && sayable(e.Who) {
			l = append(l, e)
		}
	}
	return appendEntries(b, trID, list, s.Serial, l)
}

// appendEntries appends the entries of a list, one a line: draft 7.6.
func appendEntries(b []byte, trID int64, list msnp.List, serial int64, l []*im.Entry) []byte {
	head := strconv.AppendInt([]byte("LST "), trID, 10)
	head = append(append(append(head, ' '), list.String()...), ' ')
	head = append(strconv.AppendInt(head, serial, 10), ' ')
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
		b = append(b, wire.CRLF...)
	}
	return b
}

// isOn reports whether somebody is on a list: draft 5.7.
func isOn(list msnp.List, e *im.Entry) bool {
	switch list {
	case msnp.ForwardList:
		return e.Side.Listed()
	case msnp.AllowList:
		return e.Side.Allowed()
	case msnp.BlockList:
		return e.Side.Denied
	case msnp.ReverseList:
		return e.Watching()
	}
	return false
}

// listName is the name that a list shows for somebody: the stored one, and on the Reverse List their own.
func listName(list msnp.List, e *im.Entry) string {
	name := ""
	switch list {
	case msnp.ForwardList:
		name = e.Side.LastName
	case msnp.AllowList:
		name = e.Side.AccessName
	case msnp.BlockList:
		name = e.Side.DeniedName
	case msnp.ReverseList:
		name = e.Name
	}
	if name == "" {
		return e.Who.String()
	}
	return name
}

// sayable reports whether an address can be written as a user handle: draft 5.4.
func sayable(who im.Address) bool { return msnp.ValidHandle(who.String()) }

func promptWord(prompt bool) string {
	if prompt {
		return "A"
	}
	return "N"
}

func privacyWord(s im.Settings) string {
	if s.Messages == im.DefaultDeny {
		return "BL"
	}
	return "AL"
}

// lst sends one list: draft 7.6.
func (c *conn) lst(_ context.Context, r request) error {
	a := r.args()
	list := a.list(true)
	if a.err != nil {
		return a.err
	}
	c.Room()
	c.client.WithSnapshot(func(s *exchange.Snapshot) { c.Queue(appendList(nil, r.trID, list, s)) })
	return nil
}

// gtc keeps how the client reacts to new watchers: draft 7.6.
func (c *conn) gtc(ctx context.Context, r request) error {
	switch string(r.Arg(1)) {
	case "A":
		return c.s.Exchange.SetPrompt(ctx, c.by(r, 0), true)
	case "N":
		return c.s.Exchange.SetPrompt(ctx, c.by(r, 0), false)
	}
	return msnp.ErrInvalidParameter
}

// blp says what becomes of people on neither list: draft 7.6.
func (c *conn) blp(ctx context.Context, r request) error {
	switch string(r.Arg(1)) {
	case "AL":
		return c.s.Exchange.SetDefaults(ctx, c.by(r, 0), true)
	case "BL":
		return c.s.Exchange.SetDefaults(ctx, c.by(r, 0), false)
	}
	return msnp.ErrInvalidParameter
}

// add puts a user on one of the caller's lists: draft 7.8. The echo comes with the change.
func (c *conn) add(ctx context.Context, r request) error {
	a := r.args()
	list, who, name := a.list(false), a.handle(), a.name()
	if a.err != nil {
		return a.err
	}
	by := c.by(r, list)
	switch list { // three different acts in the core
	case msnp.ForwardList:
		return c.s.Exchange.Watch(ctx, by, who, name)
	case msnp.AllowList:
		err := c.s.Exchange.Admit(ctx, by, who, name)
		if err == im.ErrAlready && c.restored[who] {
			delete(c.restored, who) // the entry that REM BL brought back: an unblock in two steps is no error
			c.echoAdd(r, list, who)
			return nil
		}
		return err
	default:
		return c.s.Exchange.Block(ctx, by, who, name, true)
	}
}

// echoAdd answers an ADD of what is there.
func (c *conn) echoAdd(r request, list msnp.List, who im.Address) {
	s := c.client.Snapshot()
	if e := s.Entry(who); e != nil {
		c.Queue(appendADD(nil, r.trID, list, s.Serial, e))
	}
}

// rem takes a user off one of the caller's lists: draft 7.8.
func (c *conn) rem(ctx context.Context, r request) error {
	a := r.args()
	list, who := a.list(false), a.handle()
	if a.err != nil {
		return a.err
	}
	by := c.by(r, list)
	switch list {
	case msnp.ForwardList:
		return c.s.Exchange.Forget(ctx, by, who)
	case msnp.AllowList:
		delete(c.restored, who)
		return c.s.Exchange.Disallow(ctx, by, who)
	default:
		err := c.s.Exchange.Unblock(ctx, by, who)
		if e := c.client.Snapshot().Entry(who); err == nil && e != nil && e.Side.Allowed() {
			if c.restored == nil {
				c.restored = map[im.Address]bool{}
			}
			c.restored[who] = true
		}
		return err
	}
}

// rea changes the caller's own name, or the stored name of somebody else: dialects 4.7.
func (c *conn) rea(ctx context.Context, r request) error {
	a := r.args()
	who, name := a.handle(), a.name()
	if a.err == nil && (len(r.Arg(2)) > msnp.MaxName || name == "") {
		a.err = msnp.ErrInvalidFriendlyName
	}
	if a.err != nil {
		return a.err
	}
	if who != c.who {
		err := c.s.Exchange.NameContact(ctx, c.by(r, 0), who, name)
		if err == im.ErrSameMode {
			serial := c.client.Snapshot().Serial
			c.Reply("REA", r.trID, strconv.FormatInt(serial, 10), who.String(), msnp.FitName(name))
			return nil
		}
		return err
	}
	if !c.mayRename(now()) {
		return msnp.ErrTooRapid
	}
	return c.s.Exchange.SetName(ctx, c.by(r, 0), name)
}

// mayRename reports whether there were not too many new names within a minute, and counts this one.
func (c *conn) mayRename(t time.Time) bool {
	if c.s.Renames <= 0 {
		return true
	}
	if len(c.renames) >= c.s.Renames {
		if t.Sub(c.renames[0]) < time.Minute {
			c.Hit("renames")
			return false
		}
		c.renames = c.renames[1:]
	}
	c.renames = append(c.renames, t)
	return true
}

// change renders a committed change: the echo of this connection's own act, and with
// TrID 0 everything else that it did to the lists. draft 7.6, 7.8, dialects 4.4, 4.7.
func (c *conn) change(ch *exchange.Change) []byte {
	own, _ := ch.By.Tag.(*act)
	if own != nil && own.conn != c {
		own = nil
	}
	var b []byte
	if ch.Account != nil {
		return appendSettings(b, ch, own)
	}
	if !sayable(ch.Who) {
		return nil
	}
	before, after := &ch.Before, &ch.After
	if own != nil && own.verb == "REA" {
		return wire.AppendCommand(b, "REA", own.trID, strconv.FormatInt(ch.Serial, 10), ch.Who.String(), msnp.FitName(anyName(after)))
	}
	if own != nil && own.list != 0 { // the echo comes first
		b = appendMembership(b, own.trID, own.list, ch.Serial, before, after)
	}
	for _, list := range msnp.Lists() {
		if own == nil || list != own.list {
			b = appendMembership(b, 0, list, ch.Serial, before, after)
		}
	}
	return b
}

// anyName is the name that somebody is stored under, on whichever list.
func anyName(e *im.Entry) string {
	for _, l := range msnp.Lists() {
		if l != msnp.ReverseList && isOn(l, e) {
			return listName(l, e)
		}
	}
	return e.Who.String()
}

// appendMembership appends the ADD or REM of a list that somebody came on or went off.
func appendMembership(b []byte, trID int64, list msnp.List, serial int64, before, after *im.Entry) []byte {
	switch was, is := isOn(list, before), isOn(list, after); {
	case is && !was:
		return appendADD(b, trID, list, serial, after)
	case was && !is:
		return wire.AppendCommand(b, "REM", trID, list.String(), strconv.FormatInt(serial, 10), after.Who.String())
	}
	return b
}

func appendADD(b []byte, trID int64, list msnp.List, serial int64, e *im.Entry) []byte {
	return wire.AppendCommand(b, "ADD", trID, list.String(), strconv.FormatInt(serial, 10), e.Who.String(), msnp.FitName(listName(list, e)))
}

// appendSettings appends what changed of the account itself.
func appendSettings(b []byte, ch *exchange.Change, own *act) []byte {
	serial := strconv.FormatInt(ch.Serial, 10)
	line := func(verb string, changed bool, args ...string) {
		switch {
		case own != nil && own.verb == verb:
			b = wire.AppendCommand(b, verb, own.trID, args...)
		case changed:
			b = wire.AppendCommand(b, verb, 0, args...)
		}
	}
	is := ch.Account
	line("GTC", ch.Was.Prompt != is.Prompt, serial, promptWord(is.Prompt))
	line("BLP", privacyWord(ch.Was.Settings) != privacyWord(is.Settings), serial, privacyWord(is.Settings))
	line("REA", ch.Was.Name != is.Name, serial, ch.Of.String(), msnp.FitName(is.DisplayName()))
	return b
}
