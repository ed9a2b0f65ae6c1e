package server

import (
	"slices"
	"strings"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// Contact lists of a peer's users are contact groups in the exchange, called as the lists' addresses are. SSP 10.

// listRows are those of contact lists, SSP 10.
var listRows = []row{
	{"CreateContactListRequest", (*Server).createList},
	{"DeleteContactListRequest", (*Server).deleteLists},
	{"GetContactListRequest", (*Server).getLists},
	{"GetListMemberRequest", (*Server).getMembers},
	{"AddListMemberRequest", (*Server).addMembers},
	{"RemoveListMemberRequest", (*Server).removeMembers},
	{"GetListPropsRequest", (*Server).getListProps},
	{"SetListPropsRequest", (*Server).setListProps},
}

// listName reads the address of a contact list of the user's, in their domain or in ours, where it is kept; nobody else's
// are known to them. SSP 10.1; ssp-syntax 4.1.
func (u *user) listName(v string) (name string, here bool, err error) {
	a, err := ssp.ParseResource(v)
	switch {
	case err != nil:
		return "", false, wire.BadParameter
	case a.Owner == u.who:
		return a.Resource, false, nil
	case a.Owner.Local() == u.who.Local() && u.p.s.x.Ours(a.Owner.Domain()):
		return a.Resource, true, nil
	}
	return "", false, wire.NoContactList
}

// list finds a contact list of the user's. 700.
func (u *user) list(v string) (im.Group, error) {
	name, _, err := u.listName(v)
	if err != nil {
		return im.Group{}, err
	}
	for _, g := range u.c.Snapshot().Groups {
		if g.Name == name {
			return g, nil
		}
	}
	return im.Group{}, wire.NoContactList
}

// listID is the address of a contact list of the user's, as it was made.
func (u *user) listID(k *kept, name string, d wire.Dialect) string {
	a := ssp.Address{Owner: u.who, Resource: name}
	if k.Lists[name].Here {
		if owner, err := im.ParseAddress(u.who.Local() + "@" + u.p.s.x.Domain()); err == nil {
			a.Owner = owner
		}
	}
	return a.Format(d)
}

// members are who is on a contact list, by address.
func (u *user) members(g im.GroupID) (l []*im.Entry) {
	for _, e := range u.c.Snapshot().Entries {
		if slices.Contains(e.Side.Groups, g) {
			l = append(l, e)
		}
	}
	return l
}

// nickList is a contact list as it is told: SSP 10.2.8; ssp-syntax 2.5.
func (u *user) nickList(g im.GroupID) *wire.Element {
	l := wire.New("NickList")
	for _, e := range u.members(g) {
		n := wire.New("NickName")
		if e.Side.Alias != "" {
			n.Add(wire.New("Name").With(e.Side.Alias))
		}
		l.Add(n.Add(userID(ssp.FormatUser(e.Who))))
	}
	return l
}

// readNicks reads who is to come on a contact list, or to leave it, and notes those who cannot be read.
func readNicks(e *wire.Element, v *verdicts) (l []exchange.Listing) {
	if e == nil {
		return nil
	}
	for _, k := range e.Kids {
		id, alias := k.Attr("userID"), (*string)(nil)
		if k.Name == "NickName" {
			id = k.Child("UserID").Attr("userID")
			if n := k.Child("Name"); n != nil {
				alias = &n.Text
			}
		}
		who, err := ssp.ParseUser(id)
		if err != nil {
			v.add(wire.BadParameter, userID(id))
			continue
		}
		l = append(l, exchange.Listing{Who: who, Alias: alias})
	}
	return l
}

// enlist puts people on a contact list, and lets those in whom its attributes are given to: SSP 10.1.
func (u *user) enlist(g im.Group, l []exchange.Listing, v *verdicts) error {
	s := u.p.s
	errs, err := s.x.Enlist(s.ctx, exchange.By{Who: u.who}, g.ID, l)
	if err != nil {
		return err
	}
	k, err := u.keeps(s.ctx)
	if err != nil {
		return err
	}
	for i, n := range l {
		if _, given := k.ToLists[g.Name]; given && errs[i] == nil {
			errs[i] = s.x.Answer(s.ctx, exchange.By{Who: u.who}, n.Who)
		}
		v.add(errs[i], userID(ssp.FormatUser(n.Who)))
	}
	return nil
}

// propsChange is what ContactListProperties says is to be.
type propsChange struct {
	name     *string
	standard *bool // Default
}

// readListProps reads them: 752 for one that there is none of, or that cannot be so. SSP 10.1, 14.6.6; ssp-syntax 3.5.
func readListProps(e *wire.Element) (c propsChange, err error) {
	for _, p := range ssp.ReadProperties(e) {
		switch strings.ToLower(strings.ReplaceAll(p.Name, "-", "")) {
		case "displayname":
			if len(p.Value) > maxProperty {
				return c, wire.BadListProperty
			}
			c.name = &p.Value
		case "default":
			yes := false
			switch strings.ToLower(p.Value) {
			case "t", "true", "yes", "1":
				yes = true
			case "f", "false", "no", "0":
			default:
				return c, wire.BadListProperty
			}
			c.standard = &yes
		default:
			return c, wire.BadListProperty
		}
	}
	return c, nil
}

// maxProperty bounds a property that is kept, in bytes.
const maxProperty = 1023

// apply changes the properties of a contact list. There is one default list at most.
func (c propsChange) apply(k *kept, name string) {
	if c.name != nil {
		p := k.Lists[name]
		p.Name = *c.name
		put(&k.Lists, name, p)
	}
	switch {
	case c.standard == nil:
	case *c.standard:
		k.Default = name
	case k.Default == name:
		k.Default = ""
	}
}

// createList makes a contact list, with properties and people: SSP 10.2.1, 10.3.1. The first is the default one.
func (s *Server) createList(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	name, here, err := u.listName(r.Primitive.Attr("contactListID"))
	if err == wire.NoContactList {
		err = wire.Forbidden // another's
	}
	if err != nil {
		return err
	}
	props, err := readListProps(r.Primitive.Child("ContactListProperties"))
	if err != nil {
		return err
	}
	first := len(u.c.Snapshot().Groups) == 0
	if err := s.x.CreateGroup(s.ctx, exchange.By{Who: u.who}, name, 0); err != nil {
		return err
	}
	if err := u.keep(s.ctx, func(k *kept) error {
		put(&k.Lists, name, listProps{Here: here})
		delete(k.ToLists, name)
		if props.apply(k, name); first {
			k.Default = name
		}
		return nil
	}); err != nil {
		return err
	}
	g, err := u.list(r.Primitive.Attr("contactListID"))
	if err != nil {
		return err
	}
	v := newVerdicts()
	v.add(nil, nil) // the list itself
	if err := u.enlist(g, readNicks(r.Primitive.Child("NickList"), v), v); err != nil {
		return err
	}
	r.Answer(v.element())
	return nil
}

// deleteLists deletes contact lists: SSP 10.2.2, 10.3.2. Who was subscribed to through one stays so.
func (s *Server) deleteLists(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	v := newVerdicts()
	for e := range r.Primitive.Children("ContactList") {
		v.add(u.deleteList(e.Attr("contactListID")), listElement(e.Attr("contactListID")))
	}
	r.Answer(v.element())
	return nil
}

func listElement(id string) *wire.Element { return wire.New("ContactList", "contactListID", id) }

func (u *user) deleteList(id string) error {
	s := u.p.s
	g, err := u.list(id)
	if err != nil {
		return err
	}
	var who []im.Address
	for _, e := range u.members(g.ID) {
		who = append(who, e.Who)
	}
	if _, err := s.x.Delist(s.ctx, exchange.By{Who: u.who}, g.ID, who); err != nil {
		return err
	}
	if err := s.x.DeleteGroup(s.ctx, exchange.By{Who: u.who}, g.ID); err != nil {
		return err
	}
	left := u.c.Snapshot().Groups
	return u.keep(s.ctx, func(k *kept) error {
		delete(k.Lists, g.Name)
		delete(k.ToLists, g.Name)
		if k.Default == g.Name {
			if k.Default = ""; len(left) > 0 {
				k.Default = left[0].Name
			}
		}
		return nil
	})
}

// getLists tells which contact lists there are: SSP 10.2.3, 10.2.4, 10.3.3.
func (s *Server) getLists(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	k, err := u.keeps(s.ctx)
	if err != nil {
		return err
	}
	d := r.Link.Peer().Dialect
	answer := wire.New("GetContactListResponse").Add(wire.Status(wire.Successful, ""))
	for _, g := range u.c.Snapshot().Groups {
		answer.Add(listElement(u.listID(k, g.Name, d)))
	}
	if k.Default != "" {
		answer.Add(wire.New("DefaultContactList", "contactListID", u.listID(k, k.Default, d)))
	}
	r.Answer(answer)
	return nil
}

// getMembers tells who is on a contact list: SSP 10.2.5, 10.2.8, 10.3.4.
func (s *Server) getMembers(p *peer, r *session.Request) error {
	return s.membersAfter(p, r, func(*user, im.Group, *verdicts) error { return nil })
}

// addMembers puts users on a contact list: SSP 10.2.6, 10.3.5.
func (s *Server) addMembers(p *peer, r *session.Request) error {
	return s.membersAfter(p, r, func(u *user, g im.Group, v *verdicts) error {
		return u.enlist(g, readNicks(r.Primitive.Child("NickList"), v), v)
	})
}

// removeMembers takes users off a contact list: SSP 10.2.7, 10.3.6.
func (s *Server) removeMembers(p *peer, r *session.Request) error {
	return s.membersAfter(p, r, func(u *user, g im.Group, v *verdicts) error {
		var who []im.Address
		for _, n := range readNicks(r.Primitive.Child("NickList"), v) {
			who = append(who, n.Who)
		}
		errs, err := s.x.Delist(s.ctx, exchange.By{Who: u.who}, g.ID, who)
		for i, e := range errs {
			if e != nil {
				e = wire.UnknownUser
			}
			v.add(e, userID(ssp.FormatUser(who[i])))
		}
		return err
	})
}

// membersAfter does something with a contact list, and tells who is on it then: SSP 10.2.8.
func (s *Server) membersAfter(p *peer, r *session.Request, act func(*user, im.Group, *verdicts) error) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	g, err := u.list(r.Primitive.Attr("contactListID"))
	if err != nil {
		return err
	}
	v := newVerdicts()
	if err := act(u, g, v); err != nil {
		return err
	}
	r.Answer(wire.New("ContactListMemberResponse").Add(v.element(), u.nickList(g.ID)))
	return nil
}

// getListProps tells the properties of a contact list: SSP 10.2.9, 10.2.11, 10.3.7.
func (s *Server) getListProps(p *peer, r *session.Request) error {
	return s.propsAfter(p, r, func(*user, im.Group) error { return nil })
}

// setListProps changes them: SSP 10.2.10, 10.2.11, 10.3.8.
func (s *Server) setListProps(p *peer, r *session.Request) error {
	return s.propsAfter(p, r, func(u *user, g im.Group) error {
		props, err := readListProps(r.Primitive.Child("ContactListProperties"))
		if err != nil {
			return err
		}
		return u.keep(s.ctx, func(k *kept) error {
			props.apply(k, g.Name)
			return nil
		})
	})
}

// propsAfter does something with a contact list, and tells its properties then: SSP 10.2.11.
func (s *Server) propsAfter(p *peer, r *session.Request, act func(*user, im.Group) error) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	g, err := u.list(r.Primitive.Attr("contactListID"))
	if err == nil {
		err = act(u, g)
	}
	if err != nil {
		return err
	}
	k, err := u.keeps(s.ctx)
	if err != nil {
		return err
	}
	standard := "F"
	if k.Default == g.Name {
		standard = "T"
	}
	r.Answer(wire.New("ContactListPropsResponse").Add(wire.Status(wire.Successful, ""), ssp.AddProperties(wire.New("ContactListProperties"),
		[]ssp.Property{{Name: "DisplayName", Value: k.Lists[g.Name].Name}, {Name: "Default", Value: standard}})))
	return nil
}

// aim is somebody whom a request names, alone or by a contact list, and the element that names them; err: why nobody
// is meant.
type aim struct {
	who   im.Address
	named *wire.Element
	err   error
}

// aims are those that the UserID and ContactList in a request name, each once: SSP 11.2.1, 11.2.4, 11.2.8. References to
// the user's own lists are resolved here, for nobody else knows them: SSP 2.2.
func (u *user) aims(e *wire.Element) (l []aim) {
	seen := map[im.Address]bool{}
	for id := range e.Children("UserID") {
		who, err := u.reach(id.Attr("userID"))
		if err == nil && seen[who] {
			continue
		}
		seen[who] = true
		l = append(l, aim{who, userID(id.Attr("userID")), err})
	}
	for id := range e.Children("ContactList") {
		g, err := u.list(id.Attr("contactListID"))
		if err != nil {
			l = append(l, aim{err: err, named: listElement(id.Attr("contactListID"))})
			continue
		}
		for _, m := range u.members(g.ID) {
			if seen[m.Who] {
				continue
			}
			seen[m.Who] = true
			who, err := u.reach(ssp.FormatUser(m.Who))
			l = append(l, aim{who, userID(ssp.FormatUser(m.Who)), err})
		}
	}
	return l
}

// reach reads a user of ours, or of a domain that there is a way to for the user.
func (u *user) reach(v string) (im.Address, error) {
	who, err := ssp.ParseUser(v)
	if err != nil {
		return who, wire.BadParameter
	}
	return who, u.reaches(who.Domain(), Presence)
}

// expand puts the members of the user's own contact lists in the lists' places, each once; a list that is not there stays.
// SSP 10.1, 12.2.1.
func (u *user) expand(to []ssp.Party) (l []ssp.Party) {
	seen := map[im.Address]bool{}
	add := func(p ssp.Party) {
		if p.User.IsZero() || !seen[p.User] {
			seen[p.User] = true
			l = append(l, p)
		}
	}
	for _, p := range to {
		if p.List.Resource == "" {
			add(p)
			continue
		}
		g, err := u.list(p.List.Format(wire.WV10))
		if err != nil {
			add(p)
			continue
		}
		for _, m := range u.members(g.ID) {
			add(ssp.Party{User: m.Who})
		}
	}
	return l
}
