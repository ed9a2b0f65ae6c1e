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
	more *details  // of what only later dialects do
}

// details are what an act of a later dialect has besides.
type details struct {
	group int               // of ADD and REM: as the client named it; noGroup: it did not
	zero  bool              // of REM: to the client they are in group zero, too
	told  map[string]string // of ADD: what the contact tells of itself
	args  []string          // of PRP and REG: what the echo says behind the serial
	guid  bool              // of ADC: the client named a contact that it has
	in    im.GroupID        // of ADC and REM with GUIDs: the group that was named; 0: none
}

func (c *conn) by(r request, list msnp.List) exchange.By { return c.byWith(r, list, nil) }

func (c *conn) byWith(r request, list msnp.List, d *details) exchange.By {
	c.Flush() // what is queued here does not wait for the commit
	return exchange.By{Who: c.who, Client: c.client, Tag: &act{c, r.trID, r.Verb, list, d}}
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
	return c.addTo(ctx, r, list, who, name)
}

// addProperties is add where what a contact tells of itself follows the echo: dialects 4.5.
func (c *conn) addProperties(ctx context.Context, r request) error {
	a := r.args()
	list, who, name := a.list(false), a.handle(), a.name()
	if a.err != nil {
		return a.err
	}
	if list != msnp.ForwardList {
		return c.addTo(ctx, r, list, who, name)
	}
	d := &details{group: noGroup}
	if err := c.learn(ctx, who, d); err != nil {
		return err
	}
	return c.s.Exchange.Watch(ctx, c.byWith(r, list, d), who, name)
}

func (c *conn) addTo(ctx context.Context, r request, list msnp.List, who im.Address, name string) error {
	by := c.by(r, list)
	switch list { // three different acts in the core
	case msnp.ForwardList:
		return c.s.Exchange.Watch(ctx, by, who, name)
	case msnp.AllowList:
		err := c.s.Exchange.Admit(ctx, by, who, name)
		if err == im.ErrAlready && c.restored[who] {
			delete(c.restored, who) // the entry that REM BL brought back: an unblock in two steps is no error
			c.echoAdd(r, list, who, "")
			return nil
		}
		return err
	default:
		return c.s.Exchange.Block(ctx, by, who, name, true)
	}
}

// echoAdd answers an ADD of what is there.
func (c *conn) echoAdd(r request, list msnp.List, who im.Address, group string) {
	s := c.client.Snapshot()
	if e := s.Entry(who); e != nil {
		c.Queue(c.say().add(nil, r.trID, list, s.Serial, e, group))
	}
}

// rem takes a user off one of the caller's lists: draft 7.8.
func (c *conn) rem(ctx context.Context, r request) error {
	a := r.args()
	list, who := a.list(false), a.handle()
	if a.err != nil {
		return a.err
	}
	return c.remFrom(ctx, r, list, who)
}

func (c *conn) remFrom(ctx context.Context, r request, list msnp.List, who im.Address) error {
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
	if !c.may(&c.renames, c.s.Renames) {
		return msnp.ErrTooRapid
	}
	return c.s.Exchange.SetName(ctx, c.by(r, 0), name)
}

// may reports whether there were not too many of these within a minute, and counts this one. No limit is 0.
func (c *conn) may(last *[]time.Time, most int) bool {
	t := now()
	if most <= 0 {
		return true
	}
	if len(*last) >= most {
		if t.Sub((*last)[0]) < time.Minute {
			c.Hit("renames")
			return false
		}
		*last = (*last)[1:]
	}
	*last = append(*last, t)
	return true
}

// change renders a committed change: the echo of this connection's own act, and with
// TrID 0 everything else that it did to the lists. draft 7.6, 7.8, dialects 4.4, 4.7.
func (c *conn) change(ch *exchange.Change) []byte {
	own, _ := ch.By.Tag.(*act)
	if own != nil && own.conn != c {
		own = nil
	}
	v := c.say()
	var b []byte
	var groups []im.Group
	if c.groups != nil {
		if ch.Groups != nil {
			b = v.groups(b, ch, own, c.groups.list)
			c.groups.list = ch.Groups
		}
		groups = c.groups.list
	}
	switch {
	case ch.Account != nil:
		return v.settings(b, ch, own)
	case !sayable(ch.Who):
		return b
	case ch.Property != nil:
		return c.told(b, ch)
	case own != nil && own.verb == "REA":
		return wire.AppendCommand(b, "REA", own.trID, strconv.FormatInt(ch.Serial, 10), ch.Who.String(), msnp.FitName(anyName(&ch.After)))
	}
	return v.lists(v, b, ch, own, groups)
}

// told appends what a contact tells of itself now: dialects 4.7.
func (c *conn) told(b []byte, ch *exchange.Change) []byte {
	v := c.say()
	for _, p := range v.tells {
		if p.shown && p.name == ch.Property.Name && v.property != nil && isOn(msnp.ForwardList, &ch.After) {
			value := ch.Property.Value
			if value == "" {
				value = p.unset
			}
			b = v.property(b, ch.Serial, ch.Who, p.name, value)
		}
	}
	return b
}

// appendLists appends what became of somebody on the lists: draft 7.8.
func appendLists(v *voice, b []byte, ch *exchange.Change, own *act, _ []im.Group) []byte {
	if own != nil && own.list != 0 { // the echo comes first
		b = appendMembership(b, own.trID, own.list, ch.Serial, &ch.Before, &ch.After)
		b = appendLearned(v, b, ch, own)
	}
	for _, list := range msnp.Lists() {
		if own == nil || list != own.list {
			b = appendMembership(b, 0, list, ch.Serial, &ch.Before, &ch.After)
		}
	}
	return b
}

// appendLearned appends what a new contact tells of itself: dialects 4.5.
func appendLearned(v *voice, b []byte, ch *exchange.Change, own *act) []byte {
	if own.more == nil || v.learned == nil || !ch.After.Sees || isOn(msnp.ForwardList, &ch.Before) {
		return b
	}
	return v.learned(b, ch.Serial, ch.Who, own.more.told)
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
		return appendADD(b, trID, list, serial, after, "")
	case was && !is:
		return wire.AppendCommand(b, "REM", trID, list.String(), strconv.FormatInt(serial, 10), after.Who.String())
	}
	return b
}

// appendADD appends an ADD, with the number of a group unless that is "".
func appendADD(b []byte, trID int64, list msnp.List, serial int64, e *im.Entry, group string) []byte {
	return wire.AppendCommand(b, "ADD", trID, list.String(), strconv.FormatInt(serial, 10), e.Who.String(), msnp.FitName(listName(list, e)), group)
}

// appendSettings appends what changed of the account itself: draft 7.6, dialects 4.4, 4.7.
func appendSettings(b []byte, ch *exchange.Change, own *act) []byte {
	serial := strconv.FormatInt(ch.Serial, 10)
	if own != nil && own.more != nil && own.more.args != nil {
		b = wire.AppendCommand(b, own.verb, own.trID, append([]string{serial}, own.more.args...)...)
	}
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
