package ssp

import (
	"slices"
	"testing"

	"parley/ssp/wire"
	"parley/xmltext"
)

// TestServices: a tree is read as it is written, and an agreement is what both have. SSP 7; ssp-syntax 5.5.
func TestServices(t *testing.T) {
	for _, s := range []Services{nil, {"IMFeature"}, {"CommonFeature", "CommonFeature/VerifyUser", "IMFeature", "IMFeature/PushMsg"}, AllServices()} {
		m := wire.Message{Session: "1", Units: []wire.Unit{{ID: "1", Response: true, Primitive: wire.New("ServiceAgreement").
			Add(wire.Status(wire.Successful, ""), s.Element())}}}
		out, err := m.Append(nil)
		if f := m.Units[0].Check(wire.WV10); err != nil || f != nil {
			t.Fatal(err, f)
		}
		back, err := wire.Decode(out, xmltext.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := ReadServices(back.Units[0].Primitive.Child("Services")); !slices.Equal(got, s) {
			t.Errorf("%v\nis read as\n%v", s, got)
		}
	}
	if got := ReadServices(Services{"IMFeature/PushMsg"}.Element()); !slices.Equal(got, Services{"IMFeature", "IMFeature/PushMsg"}) {
		t.Errorf("a node without its feature is %v", got)
	}
	a, b := Services{"IMFeature", "IMFeature/PushMsg", "GroupFeature"}, Services{"CommonFeature", "GroupFeature", "IMFeature"}
	if got := a.Agree(b); !slices.Equal(got, Services{"IMFeature", "GroupFeature"}) {
		t.Errorf("%v", got)
	}
	if ReadServices(nil) != nil {
		t.Error("services of nothing")
	}
}

// TestAllows: what is not agreed on is not allowed; with everything agreed on, all is; sessions need nothing.
// ssp-syntax 5.5.
func TestAllows(t *testing.T) {
	some := Services{"PresenceFeature", "IMFeature", "IMFeature/GetMsg"}
	for name, want := range map[string]bool{"Subscribe": true, "SendMessage": true, "GetMessage": true, "PushMessage": false,
		"GetWatcherList": false, "JoinGroup": false, "KeepAlive": true, "Logout": true, "GetAvailableService": false} {
		i := slices.IndexFunc(wire.Transactions(), func(x *wire.Transaction) bool { return x.Name == name })
		if i < 0 || some.Allows(wire.Transactions()[i]) != want {
			t.Errorf("%s allowed: %v", name, !want)
		}
	}
	for _, x := range wire.Transactions() {
		if !AllServices().Allows(x) {
			t.Errorf("%s is never allowed", x.Name)
		}
	}
}

// ssp-syntax 2.5.
func TestProperties(t *testing.T) {
	l := []Property{{"Topic", "Openings"}, {"Name", ""}}
	if got := ReadProperties(AddProperties(wire.New("GroupProperties"), l)); !slices.Equal(got, l) {
		t.Errorf("%v", got)
	}
	if ReadProperties(nil) != nil {
		t.Error("properties of nothing")
	}
}
