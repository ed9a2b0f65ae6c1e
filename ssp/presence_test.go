package ssp

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"parley/im"
	"parley/ssp/wire"
	"parley/xmltext"
)

// shown is a PresenceSubList as it is written, without what is around it.
func shown(t *testing.T, sub *wire.Element, d wire.Dialect) string {
	t.Helper()
	m := wire.Message{Dialect: d, Session: "1", Units: []wire.Unit{{ID: "1", Response: true, Primitive: wire.New("GetPresenceResponse").
		Add(wire.Status(wire.Successful, ""), PresenceValue(im.MustAddress("tom@south.example"), sub))}}}
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
	if err := CheckAttributes(back.Units[0].Primitive.Path("PresenceValue", "PresenceSubList")); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	_, s, _ := strings.Cut(string(out), "<PresenceSubList xmlns='"+d.PresenceSpace()+"'")
	s, _, _ = strings.Cut(s, "</PresenceValue></GetPresenceResponse>")
	return strings.TrimPrefix(strings.TrimSuffix(s, "</PresenceSubList>"), ">")
}

func attribute(name, qualifier, value string) *wire.Element {
	return wire.New(name).Add(wire.New("Qualifier").With(qualifier), wire.New("PresenceValue").With(value))
}

// TestPresence: every state in both dialects, and what comes back. SSP 11.1; ssp-syntax 10.3, 10.4.
func TestPresence(t *testing.T) {
	const on, off = "<OnlineStatus><Qualifier>T</Qualifier><PresenceValue>T</PresenceValue></OnlineStatus>",
		"<OnlineStatus><Qualifier>T</Qualifier><PresenceValue>F</PresenceValue></OnlineStatus>"
	for _, c := range []struct {
		state         im.State
		value, words  string
		back, oma13As im.State
	}{
		{im.Offline, "", "", im.Offline, im.Offline},
		{im.Hidden, "", "", im.Offline, im.Offline},
		{im.Available, "AVAILABLE", "", im.Available, im.Available},
		{im.FreeToChat, "AVAILABLE", "", im.Available, im.Available},
		{im.Busy, "DISCREET", "", im.Busy, im.Busy},
		{im.OnThePhone, "DISCREET", "On the phone", im.Busy, im.Busy},
		{im.BeRightBack, "DISCREET", "Be right back", im.Busy, im.Busy},
		{im.Idle, "NOT_AVAILABLE", "", im.ExtendedAway, im.Busy},
		{im.Away, "NOT_AVAILABLE", "", im.ExtendedAway, im.Busy},
		{im.OutToLunch, "NOT_AVAILABLE", "Out to lunch", im.ExtendedAway, im.Busy},
		{im.ExtendedAway, "NOT_AVAILABLE", "", im.ExtendedAway, im.Busy},
	} {
		want := off
		if c.value != "" {
			want = on + "<UserAvailability><Qualifier>T</Qualifier><PresenceValue>" + c.value + "</PresenceValue></UserAvailability>"
			if c.words != "" {
				want += "<StatusText><Qualifier>T</Qualifier><PresenceValue>" + c.words + "</PresenceValue></StatusText>"
			} else {
				want += "<StatusText><Qualifier>F</Qualifier></StatusText>"
			}
		}
		wanted := []string{"OnlineStatus", "UserAvailability", "StatusText"}
		sub := Presence(im.Presence{State: c.state}, "Tom", wanted, wire.WV10)
		if got := shown(t, sub, wire.WV10); got != want {
			t.Errorf("%s is\n%s, want\n%s", c.state, got, want)
		}
		if p := ReadPresence(sub); p.State != c.back || p.Status != c.words {
			t.Errorf("%s comes back as %+v", c.state, p)
		}
		if p := ReadPresence(Presence(im.Presence{State: c.state}, "", nil, wire.OMA13)); p.State != c.oma13As {
			t.Errorf("%s comes back in oma13 as %s", c.state, p.State)
		}
	}
	all := shown(t, Presence(im.Presence{State: im.Away, Status: "a < b"}, "Tom", nil, wire.OMA13), wire.OMA13)
	if want := on + "<UserAvailability><Qualifier>T</Qualifier><PresenceValue>DISCREET</PresenceValue></UserAvailability>" +
		"<StatusText><Qualifier>T</Qualifier><PresenceValue>a &lt; b</PresenceValue></StatusText>" +
		"<Alias><Qualifier>T</Qualifier><PresenceValue>Tom</PresenceValue></Alias>" +
		"<CommCap><Qualifier>T</Qualifier><CommC><Cap>IM</Cap><Status>OPEN</Status></CommC></CommCap>"; all != want {
		t.Errorf("all is\n%s", all)
	}
	// Who hides, or is blocked, and who is not there: the same bytes, whatever their status. SSP 12.2.13
	if a, b := shown(t, Presence(im.Presence{State: im.Hidden, Status: "psst"}, "Tom", nil, wire.WV10), wire.WV10),
		shown(t, Presence(im.Presence{}, "", nil, wire.WV10), wire.WV10); a != b || a != off {
		t.Errorf("hidden is %s, offline %s", a, b)
	}
	if s := shown(t, Presence(im.Presence{State: im.Busy}, "Tom", []string{"GeoLocation"}, wire.WV10), wire.WV10); s != "/>" {
		t.Errorf("of what is not known there is %s", s)
	}
}

// TestMergeAttributes: an update holds what changed. SSP 11.2.5; ssp-syntax 2.7.
func TestMergeAttributes(t *testing.T) {
	first := wire.New("PresenceSubList").Add(attribute("StatusText", "T", "here"), attribute("OnlineStatus", "T", "T"))
	now := MergeAttributes(nil, first)
	if p := ReadPresence(now); p.State != im.Available || p.Status != "here" {
		t.Errorf("%+v", p)
	}
	now = MergeAttributes(now, wire.New("PresenceSubList").Add(attribute("UserAvailability", "T", "DISCREET"), attribute("StatusText", "F", "old")))
	if p := ReadPresence(now); p.State != im.Busy || p.Status != "" {
		t.Errorf("%+v", p)
	}
	now = MergeAttributes(now, wire.New("PresenceSubList").Add(attribute("OnlineStatus", "F", "T")))
	if p := ReadPresence(now); !p.Same(im.Presence{}) {
		t.Errorf("%+v", p)
	}
	now = MergeAttributes(first, Presence(im.Presence{State: im.Busy}, "", nil, wire.WV10))
	if p := ReadPresence(now); p.State != im.Busy || p.Status != "" {
		t.Errorf("a status that was taken away stays: %+v", p)
	}
	if len(first.Kids) != 2 || first.Kids[0].Child("PresenceValue").Text != "here" {
		t.Error("merging changed what was merged")
	}
	if p := ReadPresence(nil); !p.Same(im.Presence{}) {
		t.Errorf("of nothing known: %+v", p)
	}
}

// SSP 14.6.4, 14.6.5; ssp-syntax 2.7, 11.
func TestAttributes(t *testing.T) {
	for _, name := range Attributes() {
		got, err := Wanted(AttributeList([]string{name}))
		if err != nil || !slices.Equal(got, []string{name}) {
			t.Errorf("%s is read as %v, %v", name, got, err)
		}
	}
	old := wire.New("AttributeList").Add(wire.New("Attribute").With("onlinestatus"), wire.New("Attribute").With("Alias"), wire.New("Attribute").With("Alias"))
	if got, err := Wanted(old); err != nil || !slices.Equal(got, []string{"OnlineStatus", "Alias"}) {
		t.Errorf("%v %v", got, err)
	}
	if got, err := Wanted(nil); err != nil || got != nil || AttributeList(nil) != nil {
		t.Errorf("%v %v", got, err)
	}
	for _, l := range []*wire.Element{AttributeList([]string{"Aura"}), wire.New("AttributeList").Add(wire.New("Attribute").With("Aura"))} {
		if _, err := Wanted(l); !errors.Is(err, wire.BadAttributes) {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		e    *wire.Element
		want error
	}{
		{attribute("StatusMood", "T", "IN_LOVE"), nil},
		{attribute("StatusText", "T", "anything"), nil},
		{attribute("StatusMood", "F", "NONE"), nil},
		{attribute("StatusMood", "T", "NONE"), wire.BadPresenceValue},
		{attribute("OnlineStatus", "T", "yes"), wire.BadPresenceValue},
		{attribute("UserAvailability", "X", "DISCREET"), wire.BadPresenceValue},
		{attribute("Aura", "T", "blue"), wire.BadAttributes},
	} {
		if err := CheckAttributes(wire.New("PresenceSubList").Add(c.e)); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.e.Name, err, c.want)
		}
	}
	if err := CheckAttributes(nil); err != nil {
		t.Error(err)
	}
}
