package notification

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"

	"parley/exchange"
	"parley/im"
	"parley/msnp"
	"parley/msnp/wire"
)

// self is what a client from MSNP8 on says of itself. It is the connection's goroutine's.
type self struct {
	state  im.State
	said   bool   // it has changed its state
	synced bool   // it has asked for its lists
	text   string // of its personal message: dialects 5.6
	native []byte // what presence carries, which holds it for as long: one copy of a picture is enough
}

// door is whose bytes a presence of ours carries.
const door = "msnp"

// presence is the presence that others are told of. Its native bytes are the end of the lines about the client, with its
// abilities and its picture (dialects 5.3), and, in a line of its own, what its user listens to.
func (s *self) presence() im.Presence {
	return im.Presence{State: s.state, Status: s.text, Native: im.Native{Door: door, Body: s.native, Whole: true}}
}

// line and media are the two lines of the native bytes.
func (s *self) line() []byte {
	line, _, _ := bytes.Cut(s.native, mediaLine)
	return line
}

func (s *self) media() []byte {
	_, media, _ := bytes.Cut(s.native, mediaLine)
	return media
}

var mediaLine = []byte{'\n'}

// carry makes the native bytes anew: those that there were are others' by now.
func (s *self) carry(line, media []byte) {
	if len(media) == 0 {
		s.native = bytes.Clone(line)
		return
	}
	s.native = slices.Concat(line, mediaLine, media)
}

// about is the reverse of presence. COMPAT MSN 5.0 to 7.5: who has no client that says so can do nothing, so that nobody
// asks them for a picture.
func about(p *im.Presence) (abilities, object, media string) {
	if p.Native.Door != door || !p.Native.Whole {
		return "0", "", ""
	}
	line, media, _ := strings.Cut(string(p.Native.Body), "\n")
	abilities, object, _ = strings.Cut(line, " ")
	return abilities, object, media
}

// chgAble is chg with what the client can do: dialects 5.2, 5.4.
func (c *conn) chgAble(_ context.Context, r request) error { return c.changes(r, "") }

// chgObject has its picture, too, which is kept and handed on as it was written: dialects 5.2, 5.5. COMPAT MSN 6.0 to
// 7.5: 0 stands for none, as later clients write it.
func (c *conn) chgObject(_ context.Context, r request) error {
	object := r.Arg(3)
	if len(object) == 0 || string(object) == "0" {
		return c.changes(r, "")
	}
	o, err := msnp.ParseObject(object)
	switch {
	case err != nil:
		return msnp.ErrInvalidParameter
	case o == msnp.Object{}:
		return c.changes(r, "")
	}
	return c.changes(r, string(object))
}

// changes changes the client's state; the echo has all that it said. dialects 5.2
func (c *conn) changes(r request, object string) error {
	word, ok := msnp.ParseState(r.Arg(1))
	var abilities uint64
	var err error
	if r.Len() > 2 {
		abilities, err = strconv.ParseUint(string(r.Arg(2)), 10, 32)
	}
	if !ok || word == msnp.Offline || err != nil { // dialects 10: 201
		return msnp.ErrInvalidParameter
	}
	c.Reply("CHG", r.trID, string(word), string(r.Arg(2)), string(r.Arg(3)))
	c.s.Link.Metrics.Move(c.shown, string(word))
	c.shown = string(word)
	c.abilities.Store(uint32(abilities))
	first := !c.self.said
	c.self.said, c.self.state = true, stateOf(word)
	line := strconv.AppendUint(nil, abilities, 10)
	if object != "" {
		line = append(append(line, ' '), object...)
	}
	c.self.carry(line, c.self.media())
	c.client.SetPresence(c.self.presence(), &act{conn: c, trID: r.trID})
	if greet := c.say().greet; first && greet != nil {
		greet(c)
	}
	return nil
}

// uux changes what others read beside the name: dialects 5.6.
func (c *conn) uux(_ context.Context, r request) error {
	p, err := msnp.ParsePersonal(r.Payload)
	if err != nil {
		return msnp.ErrInvalidParameter
	}
	c.self.text = p.Text
	c.self.carry(c.self.line(), []byte(p.Media))
	c.Reply("UUX", r.trID, "0")
	if c.self.said {
		c.client.SetPresence(c.self.presence(), &act{conn: c, trID: r.trID})
	}
	return nil
}

// greetMail says that there is no mail. COMPAT MSN 7.0, 7.5: the source that ran with them says so after the first change
// of state, also where there are no mailboxes. dialects 3.7
func greetMail(c *conn) {
	c.Queue(wire.AppendPayload(nil, "MSG", wire.NoTrID, msnp.NoMailPayload(), msnp.SystemSender, msnp.SystemSender))
}

// shields is what clients may not do any more, of which there is nothing: dialects 9.5.
const shields = `<?xml version="1.0" encoding="utf-8" ?><config><shield><cli maj="7" min="0" minbld="0" maxbld="9999" deny=" " /></shield><block></block></config>`

// gcf gives a client its settings, once it has its lists: dialects 2.6, 9.5.
func (c *conn) gcf(_ context.Context, r request) error {
	switch {
	case !c.self.synced:
		return msnp.ErrNotExpected
	case !strings.EqualFold(string(r.Arg(1)), "Shields.xml"):
		return msnp.ErrInvalidParameter
	}
	c.Queue(wire.AppendPayload(nil, "GCF", r.trID, []byte(shields), "Shields.xml"))
	return nil
}

// The forms of what is told of somebody's presence, each with what it has besides: dialects 5.3, 5.6.
var (
	// noticesAble are notices with what the client can do.
	noticesAble = notice{
		write: func(p *exchange.Presence) []byte { return appendNLN(p, withAbilities) },
		same: func(was, is *im.Presence) bool {
			a, _, _ := about(was)
			b, _, _ := about(is)
			return a == b && sameWord(was, is)
		},
	}
	// noticesObject are noticesAble with the picture, where there is one.
	noticesObject = notice{
		write: func(p *exchange.Presence) []byte { return appendNLN(p, withObject) },
		same: func(was, is *im.Presence) bool {
			a, picture, _ := about(was)
			b, other, _ := about(is)
			return a == b && picture == other && sameWord(was, is)
		},
	}
	// noticesPersonal are noticesObject, each followed by the personal message in a UBX.
	noticesPersonal = notice{
		write: func(p *exchange.Presence) []byte { return appendUBX(appendNLN(p, withObject), p) },
		same: func(was, is *im.Presence) bool {
			return was.Native.Same(is.Native) && was.Status == is.Status && sameWord(was, is)
		},
	}
)

// initialAble is initial with what the client can do: dialects 5.3.
func initialAble(trID int64, p *exchange.Presence) []byte { return appendILN(trID, p, withAbilities) }

// initialObject has the picture, too, where there is one: dialects 5.3.
func initialObject(trID int64, p *exchange.Presence) []byte { return appendILN(trID, p, withObject) }

// initialPersonal is followed by the personal message in a UBX: dialects 5.6.
func initialPersonal(trID int64, p *exchange.Presence) []byte {
	return appendUBX(appendILN(trID, p, withObject), p)
}

// withAbilities and withObject are what lines about somebody end with.
func withAbilities(p *im.Presence) (abilities, object string) {
	abilities, _, _ = about(p)
	return abilities, ""
}

func withObject(p *im.Presence) (abilities, object string) {
	abilities, object, _ = about(p)
	return abilities, object
}

func appendNLN(p *exchange.Presence, with func(*im.Presence) (string, string)) []byte {
	b := make([]byte, 0, 160)
	if !p.Merged.State.Visible() {
		return wire.AppendCommand(b, "FLN", wire.NoTrID, p.Who.String())
	}
	abilities, object := with(&p.Merged)
	return wire.AppendCommand(b, "NLN", wire.NoTrID, string(wordOf(p.Merged.State)), p.Who.String(), msnp.FitName(p.Name), abilities, object)
}

func appendILN(trID int64, p *exchange.Presence, with func(*im.Presence) (string, string)) []byte {
	abilities, object := with(&p.Merged)
	return wire.AppendCommand(make([]byte, 0, 160), "ILN", trID, string(wordOf(p.Merged.State)), p.Who.String(), msnp.FitName(p.Name), abilities, object)
}

// appendUBX appends the personal message of somebody who is there, or what another protocol has in its place: dialects
// 5.6. COMPAT MSN 7.0, 7.5: an empty one is written out, as whether they take one of length 0 is not known; and it follows
// each line, so that a newer line takes the place of both.
func appendUBX(b []byte, p *exchange.Presence) []byte {
	if !p.Merged.State.Visible() {
		return b
	}
	_, _, media := about(&p.Merged)
	text := msnp.AppendPersonal(make([]byte, 0, 128), msnp.Personal{Text: p.Merged.Status, Media: media})
	return wire.AppendPayload(b, "UBX", wire.NoTrID, text, p.Who.String())
}
