package xmpp

import (
	"reflect"
	"slices"
	"testing"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp/wire"
)

var groupNames = map[im.GroupID]string{1: "Enemies", 2: "A & B"}

func groupOf(name string) (im.GroupID, bool) {
	for id, n := range groupNames {
		if n == name {
			return id, true
		}
	}
	return 0, false
}

func nameOf(id im.GroupID) string { return groupNames[id] }

const privacy = "<list xmlns='jabber:iq:privacy' name='x'>"

// XEP-0016 2.1, 2.9, 2.10, 2.11, 2.12, 2.13; RFC 3921 10.1.
func TestReadList(t *testing.T) {
	for _, c := range []struct {
		item string
		want im.Rule
	}{
		{"<item type='jid' value='Tybalt@Example.com' action='deny' order='1'/>",
			im.Rule{Order: 1, By: im.ByAddress, Value: "tybalt@example.com", What: im.Everything}},
		{"<item type='jid' value='tybalt@example.com/Home' action='allow' order='0'><message/></item>",
			im.Rule{By: im.BySession, Value: "tybalt@example.com/Home", What: im.Messages, Allow: true}},
		{"<item type='jid' value='example.com' action='deny' order='4294967295'><iq/><presence-in/></item>",
			im.Rule{Order: 1<<32 - 1, By: im.ByDomain, Value: "example.com", What: im.Queries | im.PresenceIn}},
		{"<item type='jid' value='example.com/x' action='deny' order='3'><presence-out/></item>",
			im.Rule{Order: 3, By: im.BySession, Value: "example.com/x", What: im.PresenceOut}},
		{"<item type='group' value='Enemies' action='deny' order='3'/>",
			im.Rule{Order: 3, By: im.ByGroup, Group: 1, What: im.Everything}},
		{"<item type='subscription' value='none' action='deny' order='3'><presence-out/><presence-in/><iq/><message/></item>",
			im.Rule{Order: 3, By: im.ByWatch, Value: "none", What: im.Everything}},
		{"<item action='allow' order='3'/>", im.Rule{Order: 3, What: im.Everything, Allow: true}},
	} {
		l, err := ReadList(element(t, privacy+c.item+"</list>"), groupOf)
		if err != nil || l.Name != "x" || l.Default || len(l.Rules) != 1 || l.Rules[0] != c.want {
			t.Errorf("%s: %+v, %v", c.item, l, err)
		}
	}
	for _, c := range []struct {
		item string
		want Condition
	}{
		{"<item order='1'/>", BadRequest},
		{"<item action='maybe' order='1'/>", BadRequest},
		{"<item action='deny'/>", BadRequest},
		{"<item action='deny' order='-1'/>", BadRequest},
		{"<item action='deny' order='4294967296'/>", BadRequest},
		{"<item action='deny' order='x'/>", BadRequest},
		{"<item action='deny' order='1'/><item action='allow' order='1'/>", BadRequest},
		{"<item action='deny' order='1'/><item action='allow' order='2'/><item action='deny' order='01'/>", BadRequest},
		{"<item action='deny' order='1' type='jid'/>", BadRequest},
		{"<item action='deny' order='1' value='a@b'/>", BadRequest},
		{"<item action='deny' order='1' type='name' value='a@b'/>", BadRequest},
		{"<item action='deny' order='1' type='jid' value='a@'/>", JIDMalformed},
		{"<item action='deny' order='1' type='group' value='Nobody'/>", ItemNotFound},
		{"<item action='deny' order='1' type='subscription' value='remove'/>", BadRequest},
		{"<item action='deny' order='1'><message/><message/></item>", BadRequest},
		{"<item action='deny' order='1'><presence/></item>", BadRequest},
		{"<item xmlns='urn:x' action='deny' order='1'/>", BadRequest},
	} {
		l, err := ReadList(element(t, privacy+c.item+"</list>"), groupOf)
		if err == nil || err.Condition != c.want || err.Type != c.want.Type() || l.Rules != nil {
			t.Errorf("%s: %+v, %v", c.item, l, err)
		}
	}
	if _, err := ReadList(element(t, "<list xmlns='jabber:iq:privacy'/>"), groupOf); err == nil || err.Condition != BadRequest {
		t.Error("a list without a name", err)
	}
	if l, err := ReadList(element(t, privacy+"</list>"), groupOf); err != nil || len(l.Rules) != 0 {
		t.Error("an empty list", l, err)
	}
}

func TestRulesComeInTheirOrder(t *testing.T) {
	l, err := ReadList(element(t, privacy+"<item action='deny' order='30'/><item action='allow' order='4'/><item action='deny' order='7'/></list>"), groupOf)
	if err != nil {
		t.Fatal(err)
	}
	var orders []int64
	for _, r := range l.Rules {
		orders = append(orders, r.Order)
	}
	if !slices.Equal(orders, []int64{4, 7, 30}) {
		t.Error(orders)
	}
}

// XEP-0016 2.3; what blocking puts at the head is shown too, XEP-0191 5.
func TestAppendList(t *testing.T) {
	rules := im.Deny([]im.Rule{
		{Order: 0, By: im.ByGroup, Group: 2, What: im.Messages | im.PresenceIn, Allow: true},
		{Order: 1, By: im.ByGroup, Group: 3, What: im.Everything},
		{Order: 7, By: im.Everybody, What: im.Everything},
	}, im.MustAddress("bob@example.com"), "Bob")
	want := "<list name='my &apos;list'><item type='jid' value='bob@example.com' action='deny' order='0'/>" +
		"<item type='group' value='A &amp; B' action='allow' order='1'><message/><presence-in/></item>" +
		"<item action='deny' order='8'/></list>"
	if got := string(AppendList(nil, im.RuleList{Name: "my 'list", Rules: rules}, nameOf)); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
	if got := string(AppendList(nil, im.RuleList{Name: "x"}, nameOf)); got != "<list name='x'/>" {
		t.Error(got)
	}
}

// XEP-0016 2.4.
func TestListName(t *testing.T) {
	if name, ok := ListName(element(t, "<active xmlns='jabber:iq:privacy' name='x'/>")); name != "x" || !ok {
		t.Error(name, ok)
	}
	if name, ok := ListName(element(t, "<active xmlns='jabber:iq:privacy'/>")); name != "" || ok {
		t.Error(name, ok)
	}
}

// XEP-0191 3.3, 3.4, 3.5.
func TestReadItems(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []im.Whom
		err  Condition
	}{
		{"<item jid='A@x'/><item jid='x'/><item jid='a@x'/><item jid='a@x/R'/>", []im.Whom{{Address: im.MustAddress("a@x")}, {Address: im.MustAddress("x")}, {Address: im.MustAddress("a@x"), Slot: "R"}}, ""},
		{"", nil, ""},
		{"<item/>", nil, BadRequest},
		{"<item jid='a@'/>", nil, JIDMalformed},
		{"<x/>", nil, BadRequest},
	} {
		l, err := ReadItems(element(t, "<block xmlns='urn:xmpp:blocking'>"+c.in+"</block>"))
		if !slices.Equal(l, c.want) || (err != nil) != (c.err != "") || err != nil && err.Condition != c.err {
			t.Errorf("%s: %v, %v", c.in, l, err)
		}
	}
}

// FuzzList: a list that was taken is written so that it reads as the same.
func FuzzList(f *testing.F) {
	for _, x := range []string{
		privacy + "<item type='jid' value='a@x/r' action='deny' order='1'><iq/></item><item action='allow' order='2'/></list>",
		privacy + "<item type='group' value='A &amp; B' action='deny' order='9'/><item type='subscription' value='both' action='deny' order='3'/></list>",
		"<p:list xmlns:p='jabber:iq:privacy' name=''><p:item action='deny' order=' 7 '/></p:list>",
	} {
		f.Add([]byte(x))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d := new(xmltext.Doc)
		n, err := wire.Parse(d, in, xmltext.Limits{})
		if err != nil {
			return
		}
		l, refused := ReadList(n, groupOf)
		if refused != nil {
			return
		}
		out := slices.Concat([]byte("<query xmlns='jabber:iq:privacy'>"), AppendList(nil, l, nameOf), []byte("</query>"))
		e := new(xmltext.Doc)
		m, err := wire.Parse(e, out, xmltext.Limits{Bytes: 1 << 22})
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		again, refused := ReadList(m.FirstChild(), groupOf)
		if refused != nil || !reflect.DeepEqual(l, again) {
			t.Fatalf("%q: %+v, was %+v; %v", out, again, l, refused)
		}
	})
}
