package exchange

import (
	"context"
	"slices"
	"strings"
	"testing"

	"parley/im"
)

// told gathers all changes that a session is handed.
type told struct {
	believer
	changes []*Change
}

func (s *told) Hand(d Delivery) bool {
	if c, ok := d.(*Change); ok {
		s.mu.Lock()
		s.changes = append(s.changes, c)
		s.mu.Unlock()
	}
	return s.believer.Hand(d)
}

func (s *told) take() (l []*Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, s.changes = s.changes, nil
	return l
}

func (s *told) group(t *testing.T, name string) im.Group {
	t.Helper()
	l := s.client.Snapshot().Groups
	i := slices.IndexFunc(l, func(g im.Group) bool { return g.Name == name })
	if i < 0 {
		t.Fatalf("there is no group %q: %+v", name, l)
	}
	return l[i]
}

// grouping is a world with sessions of alice and bob that gather what they are told.
func grouping(t *testing.T, cfg ...func(*Config)) (w *world, alice, bob *told) {
	w = newWorld(t, 100)
	for _, f := range cfg {
		f(&w.x.cfg)
	}
	w.populate(t, "alice", "bob", "carol")
	for i, s := range []**told{&alice, &bob} {
		c := &told{believer: believer{who: w.people[i], slot: "home"}}
		c.forget()
		var err error
		c.client, err = w.x.Attach(t.Context(), c.who, Login{Slot: "home"}, c)
		must(t, err)
		t.Cleanup(c.client.Detach)
		c.read()
		*s = c
	}
	t.Cleanup(func() {
		for _, c := range []*told{alice, bob} {
			for _, lie := range c.lies {
				t.Error(lie)
			}
		}
	})
	return w, alice, bob
}

// groupAct does something to the account's groups, or tells something of it.
func (s *seat) groupAct(ctx context.Context, by By, other im.Address, name string, pick func(string, int) int) error {
	var id im.GroupID
	if snap, err := s.x.Snapshot(ctx, s.who); err != nil {
		return err
	} else if n := len(snap.Groups); n > 0 {
		id = snap.Groups[pick("group", n)].ID
	}
	group := []string{"Friends", "Work", "Family"}[pick("group name", 3)]
	switch pick("group act", 8) {
	case 0, 1:
		return s.x.CreateGroup(ctx, by, group, 0)
	case 2:
		return s.x.RenameGroup(ctx, by, id, group)
	case 3:
		return s.x.DeleteGroup(ctx, by, id)
	case 4, 5:
		return s.x.WatchIn(ctx, by, other, name, id)
	case 6:
		return s.x.LeaveGroup(ctx, by, other, id)
	}
	return s.x.SetProperty(ctx, by, "PHH", name, true)
}

// dialects 6: groups are made, renamed and removed; places are given again, numbers are not.
func TestGroupsByThemselves(t *testing.T) {
	w, alice, bob := grouping(t)
	ctx, x, by := t.Context(), w.x, By{Who: alice.who, Client: alice.client, Tag: "tag"}
	must(t, x.CreateGroup(ctx, by, "Friends", 29))
	l := alice.take()
	if len(l) != 1 || l[0].By.Tag != "tag" || l[0].Account == nil || len(l[0].Groups) != 1 || !l[0].Groups[0].Lasts {
		t.Fatalf("told %+v", l)
	}
	must(t, x.CreateGroup(ctx, by, "Work", 2))
	want(t, x.CreateGroup(ctx, by, "Friends", 2), im.ErrGroupExists)
	want(t, x.CreateGroup(ctx, by, "More", 2), im.ErrListFull)
	want(t, x.CreateGroup(ctx, by, "", 0), im.ErrBadName)
	want(t, x.CreateGroup(ctx, By{Who: im.MustAddress("nobody@example.com")}, "x", 0), im.ErrUnknownUser)
	friends, work := alice.group(t, "Friends"), alice.group(t, "Work")
	want(t, x.RenameGroup(ctx, by, work.ID, "Friends"), im.ErrGroupExists)
	want(t, x.RenameGroup(ctx, by, work.ID, "Work"), im.ErrSameMode)
	want(t, x.RenameGroup(ctx, by, 99, "Else"), im.ErrUnknownGroup)
	want(t, x.RenameGroup(ctx, by, work.ID, strings.Repeat("x", maxName+1)), im.ErrBadName)
	want(t, x.DeleteGroup(ctx, by, 99), im.ErrUnknownGroup)
	must(t, x.DeleteGroup(ctx, by, friends.ID))
	must(t, x.CreateGroup(ctx, by, "Family", 2))
	if g := alice.group(t, "Family"); g.Place != friends.Place || g.ID == friends.ID {
		t.Errorf("%+v is in the place of %+v", g, friends)
	}
	if l := bob.take(); len(l) != 0 {
		t.Errorf("others are told %+v", l)
	}
	w.x.cfg.Groups = 2
	want(t, x.CreateGroup(ctx, by, "More", 0), im.ErrListFull)
	s, err := w.x.Snapshot(ctx, alice.who)
	if must(t, err); len(s.Groups) != 2 || s.Serial != alice.client.Snapshot().Serial {
		t.Errorf("kept %+v", s.Groups)
	}
}

// dialects 4.5, 6: contacts are in several groups, and stay contacts when these go.
func TestMembersOfGroups(t *testing.T) {
	w, alice, bob := grouping(t)
	ctx, x, by := t.Context(), w.x, By{Who: alice.who, Client: alice.client}
	must(t, x.CreateGroup(ctx, by, "Friends", 0))
	must(t, x.CreateGroup(ctx, by, "Work", 0))
	friends, work := alice.group(t, "Friends").ID, alice.group(t, "Work").ID
	want(t, x.WatchIn(ctx, by, bob.who, "Bob", 99), im.ErrUnknownGroup)
	want(t, x.WatchIn(ctx, by, im.MustAddress("nobody@example.com"), "", work), im.ErrUnknownUser)
	must(t, x.WatchIn(ctx, by, bob.who, "Bobby", work))
	want(t, x.WatchIn(ctx, by, bob.who, "Bobby", work), im.ErrAlready)
	must(t, x.WatchIn(ctx, by, bob.who, "ignored", friends))
	in := func(groups ...im.GroupID) {
		t.Helper()
		e := alice.client.Snapshot().Entry(bob.who)
		if e == nil || !e.Side.Listed() || e.Side.LastName != "Bobby" || !slices.Equal(e.Side.Groups, groups) {
			t.Fatalf("bob is %+v, not in %v", e, groups)
		}
	}
	in(friends, work)
	if l := bob.take(); len(l) != 1 || l[0].After.Watched == im.WatchNone {
		t.Errorf("bob is told %+v", l)
	}
	alice.take()
	must(t, x.RenameGroup(ctx, by, work, "Office"))
	if l := alice.take(); len(l) != 2 || l[1].Who != bob.who || l[1].Groups == nil || l[1].Serial <= l[0].Serial {
		t.Errorf("told of a new name %+v", l)
	}
	must(t, x.LeaveGroup(ctx, by, bob.who, friends))
	in(work)
	want(t, x.LeaveGroup(ctx, by, bob.who, friends), im.ErrSameMode)
	want(t, x.LeaveGroup(ctx, by, bob.who, 99), im.ErrUnknownGroup)
	want(t, x.LeaveGroup(ctx, by, w.people[2], work), im.ErrNotOnList)
	alice.take()
	must(t, x.DeleteGroup(ctx, by, work))
	in()
	if l := alice.take(); len(l) != 2 || !slices.Equal(l[1].Before.Side.Groups, []im.GroupID{work}) || len(l[1].After.Side.Groups) > 0 {
		t.Errorf("told of the end %+v", l)
	}
	must(t, x.SetItem(ctx, by, bob.who, "", []string{"Friends", "New"}))
	in(friends, alice.group(t, "New").ID)
	must(t, x.SetItem(ctx, by, bob.who, "", nil))
	if alice.group(t, "Friends").ID != friends || len(alice.client.Snapshot().Groups) != 1 {
		t.Errorf("what was made by itself stays, what was not goes: %+v", alice.client.Snapshot().Groups)
	}
	must(t, x.Forget(ctx, by, bob.who))
	must(t, x.WatchIn(ctx, by, alice.who, "Me", friends))
	if e := alice.client.Snapshot().Entry(alice.who); !e.Sees || !slices.Equal(e.Side.Groups, []im.GroupID{friends}) {
		t.Errorf("oneself: %+v", e)
	}
}

// dialects 4.7: what somebody tells of themselves reaches those who see them, also later.
func TestProperties(t *testing.T) {
	w, alice, bob := grouping(t)
	ctx, x, by := t.Context(), w.x, By{Who: alice.who, Client: alice.client, Tag: "tag"}
	carol := w.people[2]
	must(t, x.SetDefaults(ctx, By{Who: alice.who}, true))
	must(t, x.Watch(ctx, By{Who: bob.who}, alice.who, ""))
	must(t, x.Watch(ctx, By{Who: carol}, alice.who, ""))
	must(t, x.Block(ctx, By{Who: alice.who}, carol, "", true))
	carols, err := x.Snapshot(ctx, carol)
	must(t, err)
	alice.take()
	bob.take()
	must(t, x.SetProperty(ctx, by, "PHH", "555 1234", true))
	if l := alice.take(); len(l) != 1 || l[0].Account == nil || l[0].Serial == 0 || l[0].By.Tag != "tag" {
		t.Errorf("told %+v", l)
	}
	l := bob.take()
	if len(l) != 1 || l[0].Property == nil || *l[0].Property != (Property{"PHH", "555 1234"}) || l[0].Serial == 0 || l[0].Who != alice.who {
		t.Fatalf("told %+v", l)
	}
	must(t, x.SetProperty(ctx, by, "PHH", "555 1234", true))
	must(t, x.SetProperty(ctx, by, "group zero", "Rest", false))
	if l := bob.take(); len(l) != 0 {
		t.Errorf("told of nothing new %+v", l)
	}
	if l := alice.take(); len(l) != 2 {
		t.Errorf("whoever says it waits for an echo: %+v", l)
	}
	all, err := x.Properties(ctx, alice.who, bob.who, im.MustAddress("nobody@example.com"))
	if must(t, err); len(all) != 1 || len(all[alice.who]) != 2 || all[alice.who]["PHH"] != "555 1234" {
		t.Errorf("kept %v", all)
	}
	for who, sees := range map[im.Address]int{alice.who: 1, bob.who: 1, carol: 0} { // itself, who sees it, who is blocked
		s, err := x.Snapshot(ctx, who)
		must(t, err)
		all, err := x.PropertiesFor(ctx, s)
		if must(t, err); len(all) != sees || sees == 1 && all[alice.who]["group zero"] != "Rest" {
			t.Errorf("%s knows %v", who, all)
		}
	}
	if s, err := x.Snapshot(ctx, carol); err != nil || s.Serial != carols.Serial {
		t.Errorf("who is blocked is told, %v", err)
	}
	must(t, x.SetProperty(ctx, by, "PHH", "", true))
	must(t, x.SetProperty(ctx, by, "group zero", "", false))
	if l := bob.take(); len(l) != 1 || l[0].Property.Value != "" {
		t.Errorf("told of the end %+v", l)
	}
	if all, err := x.Properties(ctx, alice.who); err != nil || len(all) != 0 {
		t.Errorf("kept %v, %v", all, err)
	}
	want(t, x.SetProperty(ctx, by, "", "x", false), im.ErrBadName)
	want(t, x.SetProperty(ctx, by, "x", strings.Repeat("x", maxProperty+1), false), im.ErrBadName)
	for i := range maxProperties {
		must(t, x.SetProperty(ctx, by, strings.Repeat("x", i+1), "x", false))
	}
	want(t, x.SetProperty(ctx, by, "y", "x", false), im.ErrListFull)
}
