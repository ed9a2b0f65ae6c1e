package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parley/ssp/wire"
)

// rowFor is a transaction in a role.
func rowFor(t *testing.T, s *sspTable, name, role string) sspRow {
	t.Helper()
	l := s.rows()
	i := slices.IndexFunc(l, func(r sspRow) bool { return r.t.Name == name && r.role.name == role })
	if i < 0 {
		t.Fatal(name)
	}
	return l[i]
}

func who(l []use) string {
	var s []string
	for _, u := range l {
		s = append(s, u.who)
	}
	return strings.Join(s, ", ")
}

// A play shows a transaction in the role in which we are, with its answer; who serves and makes primitives is read in the
// code. SSP 5
func TestTransactionsAreShown(t *testing.T) {
	root := tree(t, map[string]string{
		"ssp/server/presence.go": `package server

var rows = []row{
	{"SubscribeRequest", (*Server).subscribe},
	{"JoinGroupRequest", ofGroup((*groupAct).join)},
}

func (p *peer) ask() {
	p.send(wire.New("SubscribeRequest").Add(wire.New("UserID")))
}
`,
		"ssp/session/request.go": "package session\n\nfunc (l *Link) take(s string) {\n\tswitch s {\n\tcase \"LogoutRequest\":\n\t}\n}\n",
		"testdata/plays/ssp/a.play": `# They ask. Spec: draft 7.8
a C: <WV-SSP-Message><Session sessionID='1'><Transaction mode='Request' transactionID='7'>
  <SubscribeRequest/></Transaction></Session></WV-SSP-Message>
a S: <WV-SSP-Message><Session sessionID='1'><Transaction mode='Response' transactionID='7'><Status code='200'/></Transaction></Session></WV-SSP-Message>

# We ask, and are not answered. Spec: draft 7.8
a S: <WV-SSP-Message><Session sessionID='2'><Transaction mode='Request' transactionID='${t1}'><SubscribeRequest/></Transaction></Session></WV-SSP-Message>
a C: <WV-SSP-Message><Session sessionID='2'><Transaction mode='Response' transactionID='${t2}'><Status code='200'/></Transaction></Session></WV-SSP-Message>
`,
	})
	s, err := readSSP(root)
	if err != nil {
		t.Fatal(err)
	}
	r := rowFor(t, s, "Subscribe", "provider")
	if who(r.code) != "server.Server.subscribe" || who(r.plays) != "They ask" || len(r.lacks) > 0 {
		t.Errorf("%+v", r)
	}
	if r = rowFor(t, s, "Subscribe", "requestor"); who(r.code) != "server.peer.ask" || len(r.plays) > 0 || len(r.lacks) != 1 {
		t.Errorf("%+v", r)
	}
	if r = rowFor(t, s, "JoinGroup", "provider"); who(r.code) != "server.groupAct.join" {
		t.Errorf("%+v", r)
	}
	if r = rowFor(t, s, "GetWatcherList", "requestor"); who(r.code) != "server.Server.Request" {
		t.Errorf("%+v", r)
	}
	if r = rowFor(t, s, "Logout", "provider"); who(r.code) != "session.Link.take" {
		t.Errorf("%+v", r)
	}
	l := s.empty()
	for _, want := range []string{"SSP: Subscribe as requestor: no play shows SubscribeRequest with the answer", "SSP: JoinGroupResponse: no play says it"} {
		if !slices.Contains(l, want) {
			t.Errorf("%q is not among %q", want, l)
		}
	}
	if slices.ContainsFunc(l, func(s string) bool { return strings.HasPrefix(s, "SSP: Subscribe as provider") }) {
		t.Error(l)
	}
}

// What may be empty is excused, and excused no longer than it is empty.
func TestExcuses(t *testing.T) {
	root := tree(t, map[string]string{
		"ssp/server/x.go":           "package server\n\nvar rows = []row{{\"SubscribeRequest\", (*Server).subscribe}}\n",
		"testdata/plays/ssp/a.play": "# A. Spec: draft 7.8\na C: <x/>\n",
	})
	s, err := readSSP(root)
	if err != nil {
		t.Fatal(err)
	}
	old := lacking
	defer func() { lacking = old }()
	lacking = map[string]string{"SubscribeRequest": "soon", "Nothing as provider": "never was"}
	l := s.empty()
	if slices.Contains(l, "SSP: SubscribeRequest: no play says it") || !slices.Contains(l, "SSP: Nothing as provider: it is there, and needs no excuse any more") {
		t.Error(l)
	}
}

var figures = regexp.MustCompile(`Figures? ((?:\d+(?:, )?)+)`)

// Each message-flow figure of the semantics document is played: 10 to 73 but for 14, which is the service tree.
func TestEveryFigureIsPlayed(t *testing.T) {
	s, err := readSSP(top)
	if err != nil {
		t.Fatal(err)
	}
	played := map[int]bool{}
	for _, p := range s.plays {
		if m := figures.FindStringSubmatch(p.who); m != nil {
			for n := range strings.SplitSeq(m[1], ", ") {
				i, err := strconv.Atoi(n)
				if err != nil {
					t.Error(err)
				}
				played[i] = true
			}
		}
	}
	for n := 10; n <= 73; n++ {
		if n != 14 && !played[n] {
			t.Errorf("no play is named after figure %d", n)
		}
	}
	if l := s.empty(); len(l) > 0 {
		t.Errorf("%d rows are empty: %q", len(l), l)
	}
	if n := len(wire.Transactions()); n < 61 {
		t.Errorf("%d transactions", n)
	}
}
