package ssp

import (
	"mime"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"parley/im"
	"parley/ssp/wire"
)

// Party is somebody in a role: who is asked, invited, who sends or receives. One of the four is set: a user, a group,
// a name in a group, or a contact list. ssp-syntax 2.5.
type Party struct {
	User   im.Address
	Device string  // which client of the user's; "" is any
	Group  Address // also with Name
	Name   string  // the screen name in Group; "" is the group itself
	List   Address
}

// ReadParties reads what stands in a Recipient, Sender, Inviting, Invited, Responding, Canceling or Canceled; a Sender
// in a group is named in SenderDisplay. The error wraps im.ErrBadAddress. SSP 12.2.1; ssp-syntax 2.5.
func ReadParties(role *wire.Element) ([]Party, error) {
	if role == nil {
		return nil, nil
	}
	var l []Party
	for _, k := range role.Kids {
		p, ok, err := readOne(role, k)
		switch {
		case err != nil:
			return nil, err
		case ok:
			l = append(l, p)
		}
	}
	return l, nil
}

// readParty reads a role in which there is one; wire.BadParameter for more or none.
func readParty(role *wire.Element) (one Party, err error) {
	if role == nil {
		return Party{}, wire.BadParameter
	}
	n := 0
	for _, k := range role.Kids {
		p, ok, err := readOne(role, k)
		switch {
		case err != nil:
			return Party{}, err
		case ok:
			one = p
			n++
		}
	}
	if n != 1 {
		return Party{}, wire.BadParameter
	}
	return one, nil
}

// readOne reads a party by the element that names it in a role; false for other elements.
func readOne(role, k *wire.Element) (p Party, ok bool, err error) {
	switch k.Name {
	case "User", "UserID":
		p.User, err = ParseUser(k.Attr("userID"))
		if c := k.Child("ClientID"); c != nil {
			if p.Device = c.Attr("url"); p.Device == "" {
				p.Device = c.Text
			}
		}
	case "GroupID":
		p.Group, err = ParseResource(k.Attr("groupID"))
		if s := role.Path("SenderDisplay", "ScreenName"); err == nil && s != nil {
			p.Name = s.Text
		}
	case "ScreenName":
		p.Group, err = ParseResource(k.Attr("groupID"))
		p.Name = k.Text
	case "ContactList":
		p.List, err = ParseResource(k.Attr("contactListID"))
	default:
		return p, false, nil
	}
	return p, true, err
}

// Element is the party as it stands in a role; nil for the zero Party.
func (p Party) Element(d wire.Dialect) *wire.Element {
	switch {
	case !p.User.IsZero():
		u := wire.New("User", "userID", FormatUser(p.User))
		if p.Device != "" {
			u.Add(wire.New("ClientID", "url", p.Device))
		}
		return u
	case p.Group.Resource != "" && p.Name != "":
		return wire.New("ScreenName", "groupID", p.Group.Format(d)).With(p.Name)
	case p.Group.Resource != "":
		return wire.New("GroupID", "groupID", p.Group.Format(d))
	case p.List.Resource != "":
		return wire.New("ContactList", "contactListID", p.List.Format(d))
	}
	return nil
}

// Info is what MessageInfo says of a message. SSP 12.2.1; ssp-syntax 2.5.
type Info struct {
	ID, URI  string
	Type     string // media type of the content
	Size     int    // of the content in bytes
	Validity time.Duration
	To       []Party
	From     Party
	Time     time.Time // zero when it is not told
}

// ReadInfo reads MessageInfo. The error wraps im.ErrBadAddress, or is a wire.Code.
func ReadInfo(e *wire.Element) (Info, error) {
	i := Info{ID: e.Attr("messageID"), URI: e.Attr("messageURI"), Type: e.Attr("contentType"), Size: wire.Int(e.Attr("contentSize")),
		Validity: time.Duration(wire.Int(e.Attr("validity"))) * time.Second}
	n := 0
	for range e.Children("Recipient") {
		n++
	}
	i.To = make([]Party, 0, n)
	for r := range e.Children("Recipient") {
		p, err := readParty(r)
		if err != nil {
			return Info{}, err
		}
		i.To = append(i.To, p)
	}
	var err error
	if i.From, err = readParty(e.Child("Sender")); err != nil {
		return Info{}, err
	}
	i.Time, _ = wire.ParseTime(e.Child("DateTime").String())
	return i, nil
}

// Element writes MessageInfo.
func (i Info) Element(d wire.Dialect) *wire.Element {
	e := wire.New("MessageInfo", "messageID", i.ID, "messageURI", i.URI, "contentType", i.Type, "contentSize", strconv.Itoa(i.Size))
	if i.Validity > 0 {
		e.Set("validity", strconv.FormatInt(int64(max(i.Validity/time.Second, 1)), 10))
	}
	for _, p := range i.To {
		e.Add(wire.New("Recipient").Add(p.Element(d)))
	}
	sender := wire.New("Sender")
	if group := i.From; group.Group.Resource != "" && group.Name != "" {
		group.Name = ""
		sender.Add(group.Element(d), wire.New("SenderDisplay").Add(i.From.Element(d)))
	} else {
		sender.Add(i.From.Element(d))
	}
	e.Add(sender)
	if !i.Time.IsZero() {
		e.Add(wire.New("DateTime", "format", "iso8601").With(wire.FormatTime(i.Time)))
	}
	return e
}

// TextType is the media type of words.
const TextType = "text/plain"

// Content writes words as ContentData, and gives their size in bytes for Info. ssp-syntax 2.5.
func Content(words im.Text) (e *wire.Element, size int) {
	var room [256]byte
	b := append(room[:0], words.Reveal()...)
	return wire.New("ContentData", "contentType", TextType).WithBytes(b), len(b)
}

// TypeOf is the media type of a message's content, as written; "" when it is not told.
func TypeOf(info Info, content *wire.Element) string {
	if typ := content.Attr("contentType"); typ != "" {
		return typ
	}
	return info.Type
}

// Neutral is what every door can read of a message: its words. The error is wire.BadMediaType, as for Words, and also for
// content that is elsewhere: fetching it is the client's affair. SSP 12.2.1, 14.3.8; ssp-syntax 2.5.
func Neutral(info Info, content *wire.Element) (im.Neutral, error) {
	b, ok := content.Bytes()
	if !ok {
		return im.Neutral{}, wire.BadMediaType
	}
	return Words(TypeOf(info, content), b)
}

// Words are those of a content of type text/plain, in UTF-8 or ISO 8859-1; a type of "" is that one. 415 for any other
// content, and for one without words. SSP 12.2.1, 14.3.8; ssp-syntax 2.5.
func Words(typ string, b []byte) (im.Neutral, error) {
	charset := ""
	if typ != "" && typ != TextType {
		media, params, err := mime.ParseMediaType(typ)
		if err != nil || media != TextType {
			return im.Neutral{}, wire.BadMediaType
		}
		charset = params["charset"]
	}
	switch strings.ToLower(charset) {
	case "", "utf-8", "us-ascii":
	case "iso-8859-1":
		var err error
		if b, err = charmap.ISO8859_1.NewDecoder().Bytes(b); err != nil {
			return im.Neutral{}, wire.BadMediaType
		}
	default:
		return im.Neutral{}, wire.BadMediaType
	}
	text := strings.ReplaceAll(string(b), "\r\n", "\n")
	if text == "" || !utf8.ValidString(text) {
		return im.Neutral{}, wire.BadMediaType
	}
	return im.Neutral{Text: im.NewText(text)}, nil
}
