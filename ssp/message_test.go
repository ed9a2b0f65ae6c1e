package ssp

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"parley/im"
	"parley/ssp/wire"
	"parley/xmltext"
)

var (
	ines  = im.MustAddress("ines@north.example")
	tom   = im.MustAddress("tom@south.example")
	chess = Address{Owner: im.MustAddress("south.example"), Resource: "chess"}
	club  = Address{Owner: ines, Resource: "club"}
)

// TestInfo: what MessageInfo says is read as it is written, in both dialects. SSP 12.2.1; ssp-syntax 2.5.
func TestInfo(t *testing.T) {
	at := time.Date(2004, 2, 29, 20, 15, 0, 0, time.UTC)
	for _, i := range []Info{
		{ID: "7@north.example", Type: TextType, Size: 3, Validity: time.Hour, To: []Party{{User: tom}}, From: Party{User: ines, Device: "http://north.example/phone#1"}, Time: at},
		{URI: "http://north.example/m/8", Type: "image/png", Size: 4096, To: []Party{{Group: chess}, {Group: chess, Name: "Tom B."}, {List: club}}, From: Party{User: ines}},
		{ID: "9@south.example", Type: TextType, To: []Party{{Group: chess}}, From: Party{Group: chess, Name: "Tom B."}, Time: at},
	} {
		for _, d := range []wire.Dialect{wire.WV10, wire.OMA13} {
			content, _ := Content(im.NewText("Hi!"))
			m := wire.Message{Dialect: d, Session: "1", Units: []wire.Unit{{ID: "1", Primitive: wire.New("SendMessageRequest", "deliveryReport", wire.Yes).
				Add(wire.Meta{Service: FormatService("north.example"), User: FormatUser(ines)}.Element(), i.Element(d), content)}}}
			if f := m.Units[0].Check(d); f != nil {
				t.Fatal(f)
			}
			out, err := m.Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			back, err := wire.Decode(out, xmltext.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			p := back.Units[0].Primitive
			got, err := ReadInfo(p.Child("MessageInfo"))
			if err != nil || !reflect.DeepEqual(got, i) {
				t.Errorf("%v: %s\nis read as %+v, was %+v", err, out, got, i)
			}
			if n, err := Neutral(got, p.Child("ContentData")); err != nil || n.Text.Reveal() != "Hi!" {
				t.Errorf("%v: %s", err, out)
			}
		}
	}
}

// ssp-syntax 2.5; SSP 14.3.3.
func TestBadInfo(t *testing.T) {
	user := func(s string) *wire.Element { return wire.New("User", "userID", s) }
	for name, e := range map[string]*wire.Element{
		"a receiver who is none":   wire.New("MessageInfo").Add(wire.New("Recipient").Add(user("wv:@x")), wire.New("Sender").Add(user("a@b"))),
		"nobody receives":          wire.New("MessageInfo").Add(wire.New("Recipient"), wire.New("Sender").Add(user("a@b"))),
		"two in one place":         wire.New("MessageInfo").Add(wire.New("Recipient").Add(user("a@b"), user("c@b")), wire.New("Sender").Add(user("a@b"))),
		"nobody sends":             wire.New("MessageInfo").Add(wire.New("Recipient").Add(user("a@b")), wire.New("Sender")),
		"a sender who is none":     wire.New("MessageInfo").Add(wire.New("Sender").Add(user("a b@c"))),
		"a group that is a user":   wire.New("MessageInfo").Add(wire.New("Recipient").Add(wire.New("GroupID", "groupID", "a@b")), wire.New("Sender").Add(user("a@b"))),
		"a list that is a service": wire.New("MessageInfo").Add(wire.New("Recipient").Add(wire.New("ContactList", "contactListID", "@b")), wire.New("Sender").Add(user("a@b"))),
	} {
		if i, err := ReadInfo(e); CodeOf(err) != wire.BadParameter {
			t.Errorf("%s: %+v, %v", name, i, err)
		}
	}
	if l, err := ReadParties(nil); l != nil || err != nil || (Party{}).Element(wire.WV10) != nil {
		t.Errorf("of nobody: %v %v", l, err)
	}
}

// TestNeutral: what is text, and what is none. SSP 14.3.8; ssp-syntax 2.5.
func TestNeutral(t *testing.T) {
	content := func(typ, encoding, text string) *wire.Element {
		return wire.New("ContentData", "contentType", typ, "encoding", encoding).With(text)
	}
	for _, c := range []struct {
		info string
		e    *wire.Element
		want string // "": 415
	}{
		{"", content("text/plain", "", "  Hello \n"), "Hello"},
		{"", content("Text/Plain; charset=\"UTF-8\"", "base64", "SGVs\n bG8="), "Hello"},
		{"", content("text/plain;charset=ISO-8859-1", "BASE64", "6Q=="), "é"},
		{"text/plain", content("", "base64", "YQ0KYg=="), "a\nb"},
		{"", content("", "", "bare"), "bare"},
		{"", content("", "base64", "SGVsbG8"), "Hello"},
		{"image/png", content("", "base64", "SGVsbG8="), ""},
		{"text/plain", content("text/html", "", "<b>"), ""},
		{"", content("text/plain; charset=klingon", "", "x"), ""},
		{"", content("text/plain", "base64", "6Q=="), ""},
		{"", content("text/plain", "base64", "%"), ""},
		{"", content("text/plain", "", ""), ""},
		{"", content("text/plain; =", "", "x"), ""},
		{"text/plain", nil, ""},
	} {
		n, err := Neutral(Info{Type: c.info}, c.e)
		if n.Text.Reveal() != c.want || (c.want == "") != errors.Is(err, wire.BadMediaType) || c.want != "" && err != nil {
			t.Errorf("%+v is %q, %v", c.e, n.Text.Reveal(), err)
		}
	}
	if e, size := Content(im.NewText("Olá")); size != 4 || e.Text != "T2zDoQ==" {
		t.Errorf("%s of %d bytes", e.Text, size)
	}
}
