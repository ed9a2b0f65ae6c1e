package server

import (
	"slices"
	"sync"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// The contact lists of our users may be another domain's: it is told what is on them, so that what names a list there means
// who is on it. Ours are kept here too, for their clients. SSP 2.1, 10

// librarian knows whose lists are to be told.
type librarian struct {
	mu       sync.Mutex // guards what follows
	waiting  []im.Address
	draining bool
}

// usualList is the list of contacts who are in no group.
const usualList = "contacts"

// relists reports whether the contact lists of one of ours are others after a change.
func relists(c *exchange.Change) bool {
	b, a := c.Before.Side, c.After.Side
	return c.Groups != nil || !c.Who.IsZero() && (b.Contact != a.Contact || b.Alias != a.Alias || !slices.Equal(b.Groups, a.Groups))
}

// relist has the contact list service of ours be told who is on the lists of one of ours. It may be called with locks held.
func (s *Server) relist(who im.Address) {
	t := &s.librarian
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(t.waiting, who) {
		t.waiting = append(t.waiting, who)
	}
	if !t.draining && s.ctx.Err() == nil {
		t.draining = true
		s.work.Go(s.tellLists) // ends when all is told, or with s.ctx
	}
}

func (s *Server) tellLists() {
	t := &s.librarian
	for {
		t.mu.Lock()
		if len(t.waiting) == 0 {
			t.waiting, t.draining = nil, false
			t.mu.Unlock()
			return
		}
		who := t.waiting[0]
		t.waiting = t.waiting[1:]
		t.mu.Unlock()
		l := s.element(Contacts)
		if l == nil {
			continue // all is told when there is a session
		}
		if err := s.tellListsOf(l, who); err != nil && s.ctx.Err() == nil {
			s.log.Warn("contact list service of ours does not take somebody's lists", "domain", l.Domain(), "err", err)
		}
	}
}

// tellListsOf makes the lists of one of ours be there as they are here: SSP 10.3.1, 10.3.2, 10.3.3.
func (s *Server) tellListsOf(l *session.Link, who im.Address) error {
	snap, err := s.x.Snapshot(s.ctx, who)
	if err != nil {
		return err
	}
	d := l.Peer().Dialect
	there, err := l.Request(s.ctx, wire.New("GetContactListRequest").Add(s.meta(who)))
	if err != nil {
		return err
	}
	old := wire.New("DeleteContactListRequest").Add(s.meta(who))
	for e := range there.Children("ContactList") {
		old.Add(listElement(e.Attr("contactListID")))
	}
	if len(old.Kids) > 1 {
		if _, err := l.Request(s.ctx, old); err != nil {
			return err
		}
	}
	names := map[im.GroupID]string{}
	for _, g := range snap.Groups {
		names[g.ID] = g.Name
	}
	var order []string
	on := map[string]*wire.Element{}
	put := func(name string, e *im.Entry) {
		if on[name] == nil {
			on[name] = wire.New("NickList")
			order = append(order, name)
		}
		n := wire.New("NickName")
		if e.Side.Alias != "" {
			n.Add(wire.New("Name").With(e.Side.Alias))
		}
		on[name].Add(n.Add(userID(ssp.FormatUser(e.Who))))
	}
	for _, e := range snap.Entries {
		if !e.Side.Contact || e.Who == who {
			continue
		}
		if len(e.Side.Groups) == 0 {
			put(usualList, e)
		}
		for _, g := range e.Side.Groups {
			put(names[g], e)
		}
	}
	for _, name := range order {
		a := ssp.Address{Owner: who, Resource: name}
		e := wire.New("CreateContactListRequest", "contactListID", a.Format(d)).Add(s.meta(who), on[name])
		if _, err := l.Request(s.ctx, e); err != nil {
			return err
		}
	}
	return nil
}
