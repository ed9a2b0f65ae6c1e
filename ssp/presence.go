package ssp

import (
	"slices"
	"strings"

	"parley/im"
	"parley/ssp/wire"
)

// attributes are the presence attributes, what each holds, and the values of those that have a choice. SSP 11.1;
// ssp-syntax 2.7.
var attributes = []struct {
	name   string
	parts  []string // "PresenceValue" alone where there is one value
	values []string // nil: any
}{
	{"OnlineStatus", []string{"PresenceValue", "ClientID"}, []string{"T", "F"}},
	{"Registration", []string{"PresenceValue"}, []string{"T", "F"}},
	{"UserAvailability", []string{"PresenceValue"}, []string{available, notAvailable, discreet}},
	{"StatusText", []string{"PresenceValue"}, nil},
	{"Alias", []string{"PresenceValue"}, nil},
	{"PreferredLanguage", []string{"PresenceValue"}, nil},
	{"FreeTextLocation", []string{"PresenceValue"}, nil},
	{"PLMN", []string{"PresenceValue"}, nil},
	{"StatusMood", []string{"PresenceValue"}, []string{"HAPPY", "SAD", "ANGRY", "JEALOUS", "ASHAMED", "INVINCIBLE",
		"IN_LOVE", "SLEEPY", "BORED", "EXCITED", "ANXIOUS"}},
	{"ClientInfo", []string{"ClientType", "DevManufacturer", "ClientProducer", "Model", "ClientVersion", "Language"}, nil},
	{"CommCap", []string{"CommC"}, nil},
	{"TimeZone", []string{"Zone"}, nil},
	{"GeoLocation", []string{"Longitude", "Latitude", "Altitude", "Accuracy"}, nil},
	{"Address", []string{"Country", "City", "Street", "Crossing1", "Crossing2", "Building", "NamedArea"}, nil},
	{"PreferredContacts", []string{"AddrPref"}, nil},
	{"StatusContent", []string{"DirectContent", "ReferredContent", "ContentType"}, nil},
	{"ContactInfo", []string{"ContainedvCard", "ReferredvCard"}, nil},
}

const (
	available    = "AVAILABLE"
	notAvailable = "NOT_AVAILABLE"
	discreet     = "DISCREET"
)

// Attributes are the names of all presence attributes, ssp-syntax 2.7.
func Attributes() []string {
	l := make([]string, len(attributes))
	for i := range attributes {
		l[i] = attributes[i].name
	}
	return l
}

// Wanted is what an AttributeList asks for, in its order; nil is everything, for one that is empty or not there. An
// attribute that is none of ssp-syntax 2.7 is 750. SSP 14.6.4; ssp-syntax 2.5, 11.
func Wanted(list *wire.Element) ([]string, error) {
	var l []string
	add := func(name string) error {
		i := slices.IndexFunc(Attributes(), func(a string) bool { return strings.EqualFold(a, name) })
		if i < 0 {
			return wire.BadAttributes
		}
		if name = attributes[i].name; !slices.Contains(l, name) {
			l = append(l, name)
		}
		return nil
	}
	if sub := list.Child("PresenceSubList"); sub != nil {
		for _, k := range sub.Kids {
			if err := add(k.Name); err != nil {
				return nil, err
			}
		}
	}
	for k := range list.Children("Attribute") {
		if err := add(k.Text); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// AttributeList asks for attributes; for none by name, it is nil: everything. SSP 11.2.1; ssp-syntax 2.5.
func AttributeList(names []string) *wire.Element {
	if len(names) == 0 {
		return nil
	}
	sub := wire.New("PresenceSubList")
	for _, n := range names {
		sub.Add(wire.New(n))
	}
	return wire.New("AttributeList").Add(sub)
}

// CheckAttributes judges the values in a PresenceSubList: 750 for an attribute that there is none of, 751 for a value
// that it cannot have. SSP 14.6.4, 14.6.5; ssp-syntax 2.7.
func CheckAttributes(sub *wire.Element) error {
	if sub == nil {
		return nil
	}
	for _, k := range sub.Kids {
		i := slices.IndexFunc(Attributes(), func(a string) bool { return a == k.Name })
		if i < 0 {
			return wire.BadAttributes
		}
		if q := k.Child("Qualifier"); q != nil && q.Text != "T" && q.Text != "F" {
			return wire.BadPresenceValue
		}
		if v, ok := valueOf(sub, k.Name); ok && attributes[i].values != nil && !slices.Contains(attributes[i].values, v) {
			return wire.BadPresenceValue
		}
	}
	return nil
}

// valueOf is the one value of an attribute; false when it is not there, or not to be used: Qualifier F.
// ssp-syntax 2.7.
func valueOf(sub *wire.Element, name string) (string, bool) {
	k := sub.Child(name)
	if k == nil || k.Child("Qualifier").String() == "F" {
		return "", false
	}
	v := k.Child("PresenceValue")
	return v.String(), v != nil
}

// MergeAttributes is what is known of somebody after an update, which holds only what changed: each attribute in it
// replaces the older one, or comes in addition. The arguments are PresenceSubLists, and stay as they are; old may be
// nil. SSP 11.2.5, 11.2.10.
func MergeAttributes(old, update *wire.Element) *wire.Element {
	sub := wire.New("PresenceSubList")
	for _, a := range attributes {
		k := update.Child(a.name)
		if k == nil {
			k = old.Child(a.name)
		}
		sub.Add(k)
	}
	return sub
}

// ReadPresence is what a PresenceSubList with all that is known says: online when OnlineStatus is T, the state by
// UserAvailability, the status by StatusText. SSP 11.1; ssp-syntax 10.3.
func ReadPresence(sub *wire.Element) im.Presence {
	if v, ok := valueOf(sub, "OnlineStatus"); !ok || v != "T" {
		return im.Presence{}
	}
	p := im.Presence{State: im.Available}
	switch v, _ := valueOf(sub, "UserAvailability"); v {
	case discreet:
		p.State = im.Busy
	case notAvailable:
		p.State = im.ExtendedAway
	}
	p.Status, _ = valueOf(sub, "StatusText")
	return p
}

// AliasOf is the name that somebody gives themselves; "" when it is not known. ssp-syntax 2.7.
func AliasOf(sub *wire.Element) string {
	v, _ := valueOf(sub, "Alias")
	return v
}

// availabilityOf is the availability of a state, and the words that say the rest of it. Who is away is not available;
// in OMA13 discreet, for there the public implementation takes who is not available for offline. ssp-syntax 10.3, 10.4.
func availabilityOf(s im.State, d wire.Dialect) (value, words string) {
	away := notAvailable
	if d == wire.OMA13 {
		away = discreet
	}
	switch s {
	case im.Idle, im.Away, im.ExtendedAway:
		return away, ""
	case im.OutToLunch:
		return away, "Out to lunch"
	case im.BeRightBack:
		return discreet, "Be right back"
	case im.Busy:
		return discreet, ""
	case im.OnThePhone:
		return discreet, "On the phone"
	}
	return available, ""
}

// Presence writes the attributes wanted of somebody as a PresenceSubList: all that the core knows if wanted is empty.
// Of who cannot be seen it is OnlineStatus alone, the same for somebody absent and for somebody who does not want to
// be seen by the one who asks. SSP 11.1, 12.2.13; ssp-syntax 2.7, 10.3.
func Presence(p im.Presence, name string, wanted []string, d wire.Dialect) *wire.Element {
	sub := wire.New("PresenceSubList")
	add := func(attribute, value string) {
		if value != "" && (len(wanted) == 0 || slices.Contains(wanted, attribute)) {
			sub.Add(wire.New(attribute).Add(wire.New("Qualifier").With("T"), wire.New("PresenceValue").With(value)))
		}
	}
	// What is not there any more is told, too: who gets it keeps what it does not hold. SSP 11.2.5
	clear := func(attribute, value string) {
		add(attribute, value)
		if value == "" && (len(wanted) == 0 || slices.Contains(wanted, attribute)) {
			sub.Add(wire.New(attribute).Add(wire.New("Qualifier").With("F")))
		}
	}
	if !p.State.Visible() {
		add("OnlineStatus", "F")
		return sub
	}
	value, words := availabilityOf(p.State, d)
	if p.Status != "" {
		words = p.Status
	}
	add("OnlineStatus", "T")
	add("UserAvailability", value)
	clear("StatusText", words)
	clear("Alias", name)
	if len(wanted) == 0 || slices.Contains(wanted, "CommCap") {
		sub.Add(wire.New("CommCap").Add(wire.New("Qualifier").With("T"),
			wire.New("CommC").Add(wire.New("Cap").With("IM"), wire.New("Status").With("OPEN"))))
	}
	return sub
}

// PresenceValue says whose attributes they are, SSP 11.2.5; ssp-syntax 2.5.
func PresenceValue(who im.Address, sub *wire.Element) *wire.Element {
	return wire.New("PresenceValue", "userID", FormatUser(who)).Add(sub)
}
