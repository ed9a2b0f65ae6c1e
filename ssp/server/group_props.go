package server

import (
	"slices"
	"strconv"
	"strings"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/wire"
	"parley/store"
)

// Properties of groups have the names of the client protocol that goes with SSP, as the semantics document leaves them
// open: SSP 13.1.1, 13.1.15, 13.1.16.

// groupProperty is a property of groups, by its name on the wire. set says false of a value that it cannot have.
type groupProperty struct {
	name string
	get  func(p im.RoomProps) string
	set  func(p *im.RoomProps, v string) bool
}

var groupProperties = []groupProperty{
	{"Name", func(p im.RoomProps) string { return p.Name }, func(p *im.RoomProps, v string) bool { p.Name = v; return true }},
	{"AccessType", func(p im.RoomProps) string { return either(p.Closed, "Restricted", "Open") },
		func(p *im.RoomProps, v string) bool { return choose(&p.Closed, v, "restricted closed", "open") }},
	{"Type", func(p im.RoomProps) string { return either(p.Public, "Public", "Private") },
		func(p *im.RoomProps, v string) bool { return choose(&p.Public, v, "public", "private") }},
	{"PrivateMessaging", func(p im.RoomProps) string { return truth(!p.NoPrivate) },
		func(p *im.RoomProps, v string) bool { return choose(&p.NoPrivate, v, untrue, wellTrue) }},
	{"Searchable", func(p im.RoomProps) string { return truth(p.Searchable) },
		func(p *im.RoomProps, v string) bool { return choose(&p.Searchable, v, wellTrue, untrue) }},
	{"Topic", func(p im.RoomProps) string { return p.Topic }, func(p *im.RoomProps, v string) bool { p.Topic = v; return true }},
	{"MaxActiveUsers", func(p im.RoomProps) string { return strconv.Itoa(p.MaxUsers) },
		func(p *im.RoomProps, v string) bool { return number(&p.MaxUsers, v) }},
	{"AutoDelete", func(p im.RoomProps) string { return truth(!p.Persists) },
		func(p *im.RoomProps, v string) bool { return choose(&p.Persists, v, untrue, wellTrue) }},
	{"History", func(p im.RoomProps) string { return strconv.Itoa(p.History) },
		func(p *im.RoomProps, v string) bool { return number(&p.History, v) }},
}

// Truth values, as they are read: ssp-syntax 2.5.
const (
	wellTrue = "t true yes 1"
	untrue   = "f false no 0"
)

func truth(b bool) string { return either(b, "T", "F") }

func either(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

// choose sets a flag by one of the words for yes and for no.
func choose(b *bool, v, yes, no string) bool {
	v = strings.ToLower(strings.TrimSpace(v))
	switch {
	case slices.Contains(strings.Fields(yes), v):
		*b = true
	case slices.Contains(strings.Fields(no), v):
		*b = false
	default:
		return false
	}
	return true
}

func number(n *int, v string) bool {
	i, err := strconv.Atoi(strings.TrimSpace(v))
	if err != nil || i < 0 {
		return false
	}
	*n = i
	return true
}

// plain is a property's name as it is compared.
func plain(name string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimSpace(name), "-", ""))
}

// readGroupProps reads GroupProperties, as the change that they say: 806 for one that there is none of, or that cannot be
// so. How many are in a group nobody sets.
func readGroupProps(e *wire.Element) (func(*im.RoomProps) error, error) {
	all := ssp.ReadProperties(e)
	change := func(p *im.RoomProps) error {
		for _, v := range all {
			known := false
			for _, g := range groupProperties {
				if plain(g.name) == plain(v.Name) {
					if known = g.set(p, v.Value); !known {
						return wire.BadGroupProperties
					}
				}
			}
			if !known {
				return wire.BadGroupProperties
			}
		}
		if n := e.Child("WelcomeNote"); n != nil {
			w, err := readWelcome(n)
			if err != nil {
				return err
			}
			p.Welcome = w
		}
		return nil
	}
	var try im.RoomProps
	return change, change(&try)
}

// readWelcome reads a welcome note, text as it is read by people: SSP 13.1.4.
func readWelcome(e *wire.Element) (im.RoomWelcome, error) {
	content := e.Child("ContentData")
	b, ok := content.Bytes()
	typ := content.Attr("contentType")
	if !ok || typ != "" && !strings.HasPrefix(strings.ToLower(typ), "text/") {
		return im.RoomWelcome{}, wire.BadGroupProperties
	}
	typ, _, _ = strings.Cut(typ, ";")
	return im.RoomWelcome{Type: strings.TrimSpace(typ), Text: string(b)}, nil
}

// welcomeNote is what is shown to who comes in; nil when there is nothing.
func welcomeNote(w im.RoomWelcome) *wire.Element {
	if w.Text == "" {
		return nil
	}
	typ := w.Type
	if typ == "" {
		typ = ssp.TextType
	}
	return wire.New("WelcomeNote").Add(wire.New("ContentData", "contentType", typ).WithBytes([]byte(w.Text)))
}

// groupProps are properties as they are told: SSP 13.1.15.
func groupProps(p im.RoomProps, active int) *wire.Element {
	var l []ssp.Property
	for _, g := range groupProperties {
		if v := g.get(p); v != "" {
			l = append(l, ssp.Property{Name: g.name, Value: v})
		}
	}
	if active >= 0 {
		l = append(l, ssp.Property{Name: "ActiveUsers", Value: strconv.Itoa(active)})
	}
	return ssp.AddProperties(wire.New("GroupProperties"), l).Add(welcomeNote(p.Welcome))
}

// ownProps are a user's own properties in a group: SSP 13.1.15.
func ownProps(own im.OwnProps, a im.Affiliation) *wire.Element {
	level := "User"
	switch {
	case a >= im.Administrator:
		level = "Admin"
	case a == im.Moderator:
		level = "Mod"
	}
	return ssp.AddProperties(wire.New("OwnProperties"), []ssp.Property{
		{Name: "PrivateMessaging", Value: truth(!own.NoPrivate)}, {Name: "ShowID", Value: truth(own.ShowID)}, {Name: "AutoJoin", Value: truth(own.AutoJoin)},
		{Name: "IsMember", Value: truth(a >= im.RoomMember)}, {Name: "PrivilegeLevel", Value: level}})
}

// readOwnProps reads them as a change: 806. What others decide is not the user's to set.
func readOwnProps(e *wire.Element) (func(*im.OwnProps), error) {
	all := ssp.ReadProperties(e)
	ok := true
	change := func(own *im.OwnProps) {
		for _, v := range all {
			switch plain(v.Name) {
			case "privatemessaging":
				ok = choose(&own.NoPrivate, v.Value, untrue, wellTrue) && ok
			case "showid":
				ok = choose(&own.ShowID, v.Value, wellTrue, untrue) && ok
			case "autojoin":
				ok = choose(&own.AutoJoin, v.Value, wellTrue, untrue) && ok
			default:
				ok = false
			}
		}
	}
	change(&im.OwnProps{})
	if !ok {
		return nil, wire.BadGroupProperties
	}
	return change, nil
}

// hidden is what is told of a group that somebody may know nothing of: SSP 13.3.6.
func hidden(err error) error {
	return as(as(err, im.ErrRoomClosed, wire.NoPrivilege), im.ErrRejected, wire.NoPrivilege)
}

// getProps tells the properties of a group, and the user's own: SSP 13.1.14, 13.1.15, 13.2.11, 13.3.6.
func (a *groupAct) getProps() error {
	v, err := a.s.x.RoomInfo(a.s.ctx, a.by, a.id)
	if err != nil {
		return hidden(err)
	}
	a.r.Answer(wire.New("GetGroupPropsResponse").Add(wire.Status(wire.Successful, ""), groupProps(v.Room.Props, len(v.Users)),
		ownProps(v.Mine.Own, v.Mine.Affiliation)))
	return nil
}

// setProps changes them: SSP 13.1.16, 13.2.12, 13.3.6.
func (a *groupAct) setProps() error {
	change, err := readGroupProps(a.e.Child("GroupProperties"))
	if err != nil {
		return err
	}
	own, err := readOwnProps(a.e.Child("OwnProperties"))
	if err != nil {
		return err
	}
	a.u.p.hold()
	defer a.u.p.release()
	v, err := a.s.x.RoomInfo(a.s.ctx, a.by, a.id)
	if err != nil {
		return hidden(err)
	}
	if a.e.Child("GroupProperties") != nil {
		if err := a.s.x.SetRoomProps(a.s.ctx, a.by, a.id, change); err != nil {
			return err
		}
	}
	if a.e.Child("OwnProperties") != nil {
		own(&v.Mine.Own)
		if err := a.s.x.SetRoomOwn(a.s.ctx, a.by, a.id, v.Mine.Own); err != nil {
			return err
		}
	}
	return a.done(nil)
}

// roomQuery is a search for groups as the store makes it; by their address it does not.
func roomQuery(pairs map[string]string) store.RoomQuery {
	return store.RoomQuery{Name: pairs["GROUP_NAME"], Topic: pairs["GROUP_TOPIC"]}
}

var _ rooms = groupService{}

// viewer is how a domain that asks for itself sees a group: as anybody does.
func viewer(p *peer) exchange.By { return exchange.By{Who: im.TrustedAddress(p.domain)} }
