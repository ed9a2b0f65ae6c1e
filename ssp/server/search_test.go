package server

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/im"
	"parley/ssp"
	"parley/ssp/wire"
)

func find(limit int, pairs ...string) *wire.Element {
	e := wire.New("SearchRequest")
	if limit > 0 {
		e.Set("searchLimit", strconv.Itoa(limit))
	}
	for i := 0; i < len(pairs); i += 2 {
		e.Add(wire.New("SearchPairList").Add(wire.New("SearchElement").With(pairs[i]), wire.New("SearchString").With(pairs[i+1])))
	}
	return e
}

func more(id string, index int) *wire.Element {
	return wire.New("SearchRequest", "searchID", id, "searchIndex", strconv.Itoa(index))
}

// results are what a SearchResponse found.
func results(e *wire.Element) string {
	var l []string
	if r := e.Child("SearchResult"); r != nil {
		for _, k := range r.Kids {
			l = append(l, strings.TrimSuffix(strings.TrimPrefix(k.Attr("userID")+k.Attr("groupID"), "wv:"), "@b.example"))
		}
	}
	return strings.Join(l, " ")
}

// directory puts people into the directory of b.
func (p *pair) directory(first, last string, users ...string) {
	p.t.Helper()
	for _, u := range users {
		who := im.MustAddress(u + "@b.example")
		if _, err := p.b.x.Snapshot(p.t.Context(), who); err != nil {
			p.b.must(p.b.x.CreateAccount(p.t.Context(), im.Account{Address: who}))
		}
		p.b.must(p.b.x.SetProfile(p.t.Context(), who, func(f *im.Profile) { *f = im.Profile{Listed: true, First: first, Last: last} }))
	}
}

// TestSearch: in steps, over the directory. SSP 9.2.1, 9.2.2, 9.2.3, 9.3.1, 9.3.2, 9.4.1, 9.4.2
func TestSearch(t *testing.T) {
	p := newPair(t)
	p.directory("Bob", "Smith", "bob")
	p.directory("Ann", "Smithson", "ann1", "ann2", "ann3")
	p.directory("Zoë", "Blacksmith", "+4912345")
	answer := p.exchanged("GeneralSearch", p.alice, find(2, "USER_FIRST_NAME", "AN", "USER_LAST_NAME", "smith"))
	if got := results(answer); got != "ann1 ann2" || answer.Attr("searchFindings") != "3" || answer.Attr("searchIndex") != "2" {
		t.Error(document(t, answer))
	}
	id := answer.Attr("searchID")
	e := more(id, 2)
	answer = p.must(p.alice, e)
	if got := results(answer); got != "ann3" || answer.Attr("searchIndex") != "3" || answer.Has("searchID") {
		t.Error(document(t, answer))
	}
	if got := results(p.must(p.alice, more(id, 1))); got != "ann2 ann3" { // somewhere else
		t.Error(got)
	}
	if got := results(p.must(p.alice, more(id, 3))); got != "" {
		t.Error(got)
	}
	p.refused(p.alice, more(id, 4), wire.BadSearchIndex)
	p.refused(p.eve, more(id, 0), wire.BadSearch)
	p.refused(p.alice, more("other", 0), wire.BadSearch)
	for _, c := range []struct {
		want  string
		pairs []string
	}{
		{"bob ann1 ann2 ann3 %2B4912345", []string{"USER_LAST_NAME", "smith"}},
		{"ann2", []string{"USER_ID", "ANN2@b"}},
		{"ann2", []string{"USER_EMAIL_ADDRESS", "nn2@b.ex"}},
		{"%2B4912345", []string{"USER_MOBILE_NUMBER", "+4912345"}},
		{"", []string{"USER_MOBILE_NUMBER", "+491234"}},
		{"%2B4912345", []string{"user_first_name", "ZOË"}},
		{"", []string{"USER_ALIAS", "x"}},
		{"", []string{"USER_ID", "dave"}}, // is not in the directory
		{"", []string{"GROUP_NAME", "forum"}},
	} {
		if got := results(p.must(p.alice, find(0, c.pairs...))); strings.ReplaceAll(got, "wv:", "") != strings.ReplaceAll(c.want, "%2B", "+") {
			t.Errorf("%v finds %q, want %q", c.pairs, got, c.want)
		}
	}
	p.refused(p.alice, more(id, 0), wire.BadSearch) // a new search ends the one before
	for _, bad := range [][]string{{"USER_SHOE", "44"}, {"USER_ID", "a", "USER_ID", "b"}, {"USER_ID", "a", "GROUP_ID", "b"}, {"USER_ID", " "}} {
		p.refused(p.alice, find(0, bad...), wire.BadParameter)
	}
	p.refused(p.alice, find(mostAtOnce+1, "USER_ID", "a"), wire.SearchLimit)

	id = p.must(nobody, find(1, "USER_LAST_NAME", "smith")).Attr("searchID")
	p.refused(p.alice, wire.New("StopSearchRequest", "searchID", id), wire.BadSearch)
	p.exchanged("StopSearch", nobody, wire.New("StopSearchRequest", "searchID", id))
	p.refused(nobody, more(id, 0), wire.BadSearch)
	p.refused(nobody, wire.New("StopSearchRequest", "searchID", id), wire.BadSearch)
}

// TestSearchOnline: who is there is told as far as the one who asks may see it. SSP 9.2.1
func TestSearchOnline(t *testing.T) {
	p := newPair(t)
	p.directory("Bob", "Smith", "bob", "dave")
	bob := p.b.login("bob")
	online := func(as im.Address, yes string) string {
		return results(p.must(as, find(0, "USER_FIRST_NAME", "bob").Set("searchOnlineStatus", yes)))
	}
	if got := online(p.alice, "Yes"); got != "" {
		t.Errorf("alice sees %s, who has not let her", got)
	}
	p.b.must(p.b.x.Answer(t.Context(), bob.by(), p.alice))
	if yes, no, other := online(p.alice, "Yes"), online(p.alice, "No"), online(nobody, "Yes"); yes != "bob" || no != "dave" || other != "" {
		t.Errorf("online %q, offline %q, for the domain %q", yes, no, other)
	}
}

// TestSearchesAge: what is left alone ends. SSP 9.4.1
func TestSearchesAge(t *testing.T) {
	var l searches
	now := time.Now()
	who := im.MustAddress("alice@a.example")
	l.put(&finding{id: "1", asks: who, used: now})
	for _, c := range []struct {
		after time.Duration
		want  error
	}{{searchLasts, nil}, {2*searchLasts + time.Second, wire.SearchTimedOut}, {searchLasts + searchForgets + time.Second, wire.BadSearch}} {
		if _, err := l.get("1", who, now.Add(c.after)); err != c.want {
			t.Errorf("after %s: %v", c.after, err)
		}
	}
	for i := range mostSearches + 1 {
		l.put(&finding{id: strconv.Itoa(i), asks: im.MustAddress("u" + strconv.Itoa(i) + "@a.example"), used: now.Add(time.Duration(i))})
	}
	if len(l.m) != mostSearches {
		t.Errorf("%d searches", len(l.m))
	}
	for range mostUnderWay {
		if !l.begin() {
			t.Error("too few at once")
		}
	}
	if l.begin() {
		t.Error("too many at once")
	}
	l.end()
	if l.clear(); !l.begin() || len(l.m) != 0 {
		t.Error("not cleared")
	}
}

// groups are rooms of a test.
type groups struct {
	pairs  map[string]string
	method string
}

func (g *groups) find(_ context.Context, _ im.Address, pairs map[string]string) ([]ssp.Address, error) {
	g.pairs = pairs
	a, err := ssp.ParseResource("wv:%2Fforum@b.example")
	return []ssp.Address{a}, err
}

func (g *groups) history(_ context.Context, _ im.Address, _ ssp.Address, _ int, d wire.Dialect) ([]*wire.Element, error) {
	return []*wire.Element{ssp.Info{ID: "7@b.example", From: ssp.Party{User: im.MustAddress("bob@b.example")}, To: []ssp.Party{{User: im.MustAddress("bob@b.example")}}}.Element(d)}, nil
}

func (g *groups) deliver(_ context.Context, _ im.Address, _ ssp.Address, method string, _ int) error {
	g.method = method
	return nil
}

// TestGroupsAsked: searches, message lists and delivery of groups are for whoever has them. SSP 9.2.1, 12.2.9, 12.3.6, 12.3.7
func TestGroupsAsked(t *testing.T) {
	p := newPair(t)
	list := wire.New("GetMessageListRequest", "groupID", "wv:%2Fforum@b.example")
	method := wire.New("SetMessageDeliveryMethod", "groupID", "wv:%2Fforum@b.example", "deliveryMethod", "Push")
	p.refused(p.alice, list, wire.NoGroup)
	p.refused(p.alice, method, wire.NoGroup)
	g := &groups{}
	p.b.s.rooms = g
	if got := results(p.must(p.alice, find(0, "GROUP_NAME", "Forum"))); got != "%2Fforum" || g.pairs["GROUP_NAME"] != "forum" {
		t.Errorf("%s, %v", got, g.pairs)
	}
	if answer := p.must(p.alice, list); answer.Child("MessageInfo").Attr("messageID") != "7@b.example" {
		t.Error(document(t, answer))
	}
	if p.must(p.alice, method); g.method != methodPush {
		t.Error(g.method)
	}
}
