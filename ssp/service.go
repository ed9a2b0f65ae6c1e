package ssp

import (
	"slices"
	"strings"

	"parley/ssp/wire"
)

// Services is what a domain offers or two agreed on: features, as "IMFeature", and nodes of them, as
// "IMFeature/PushMsg", in the order of the service tree. SSP 7; ssp-syntax 5.5.
type Services []string

// AllServices is the whole tree.
func AllServices() Services {
	var l Services
	for _, f := range wire.Features() {
		l = append(l, f)
		for _, n := range wire.Nodes(f) {
			l = append(l, f+"/"+n)
		}
	}
	return l
}

// ReadServices reads a service tree; what is not in ours is passed over. ssp-syntax 5.5.
func ReadServices(e *wire.Element) Services {
	var l Services
	for _, s := range AllServices() {
		if feature, node, deep := strings.Cut(s, "/"); e.Child(feature) != nil && (!deep || e.Path(feature, node) != nil) {
			l = append(l, s)
		}
	}
	return l
}

// Element writes the tree. A node brings its feature with it.
func (s Services) Element() *wire.Element {
	e := wire.New("Services")
	for _, a := range AllServices() {
		if !slices.Contains(s, a) {
			continue
		}
		feature, node, deep := strings.Cut(a, "/")
		f := e.Child(feature)
		if f == nil {
			f = wire.New(feature)
			e.Add(f)
		}
		if deep {
			f.Add(wire.New(node))
		}
	}
	return e
}

// Agree is what both have, SSP 7; ssp-syntax 5.5.
func (s Services) Agree(o Services) Services {
	var l Services
	for _, a := range s {
		if slices.Contains(o, a) {
			l = append(l, a)
		}
	}
	return l
}

// Allows reports that a transaction may be asked for: what it needs is agreed on, or it needs nothing. Invitations
// need the node of their type besides, which the transaction does not tell. ssp-syntax 5.5.
func (s Services) Allows(t *wire.Transaction) bool {
	return t.Needs == "" || slices.Contains(s, t.Needs)
}

// Property is a name and a value of a group, a member, a contact list, or a user's profile. ssp-syntax 2.5.
type Property struct{ Name, Value string }

// ReadProperties reads what stands in GroupProperties, OwnProperties, ContactListProperties or Profile.
func ReadProperties(e *wire.Element) []Property {
	var l []Property
	for p := range e.Children("Property") {
		l = append(l, Property{p.Child("Name").String(), p.Child("Value").String()})
	}
	return l
}

// AddProperties puts properties into one of these elements, and gives it back.
func AddProperties(e *wire.Element, l []Property) *wire.Element {
	for _, p := range l {
		e.Add(wire.New("Property").Add(wire.New("Name").With(p.Name), wire.New("Value").With(p.Value)))
	}
	return e
}
