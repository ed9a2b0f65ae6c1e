package wire

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// facts are the tables in the form of testdata/ssp/schema.txt.
func facts() string {
	var b strings.Builder
	part := func(s *Structure) {
		for i := range s.Fields {
			f := &s.Fields[i]
			name := f.Name
			if f.Attr {
				name = "@" + name
			}
			fmt.Fprintf(&b, "\t%s %c %c\n", name, f.Card, f.Need)
		}
	}
	for _, s := range all.order {
		fmt.Fprintf(&b, "%s %s %s\n", s.Name, s.Section, s.By)
		part(s)
	}
	for _, s := range all.parts {
		if s.Name == "Encoded" { // a text with an attribute, not a structure of the document's
			continue
		}
		fmt.Fprintln(&b, s.Name)
		part(s)
	}
	for _, t := range all.trans {
		fmt.Fprintf(&b, "transaction %s %s", t.Name, t.Section)
		for _, s := range t.Steps {
			fmt.Fprintf(&b, " %s:%s", s.By, s.Primitive)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestTables: primitives, structures and transactions, their names, order, cardinalities and who sends them, are those
// that were collected from the documents. ssp-syntax 3.1, 3.2, 3.3, 3.4, 3.5, 3.6, 3.7, 3.8, 3.9, 3.10.
func TestTables(t *testing.T) {
	file, err := os.ReadFile("../../testdata/ssp/schema.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := strings.Cut(string(file), "\n")
	a, b := strings.Split(facts(), "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			t.Fatalf("line %d: the tables say\n%s\nthe list\n%s", i+1, strings.Join(a[i:min(i+3, len(a))], "\n"), strings.Join(b[i:min(i+3, len(b))], "\n"))
		}
	}
	if len(all.order) != 90 || len(all.trans) != 63 {
		t.Errorf("%d primitives in %d transactions", len(all.order), len(all.trans))
	}
}

// TestTransactions: every primitive stands in one, each step is sent by who may, and what must be agreed on is in the
// service tree. ssp-syntax 3.10, 5.5.
func TestTransactions(t *testing.T) {
	used := map[string]bool{}
	for _, x := range Transactions() {
		for _, s := range x.Steps {
			p, ok := Lookup(s.Primitive)
			if !ok {
				t.Fatalf("%s has a step %s", x.Name, s.Primitive)
			}
			by := s.By
			switch by {
			case Second:
				by = Requestor
			case ProviderToSecond:
				by = Provider
			}
			if p.By != Either && p.By != by {
				t.Errorf("%s: %s from %s", x.Name, s.Primitive, s.By)
			}
			used[s.Primitive] = true
		}
		if x.Needs != "" {
			feature, node, deep := strings.Cut(x.Needs, "/")
			if !slices.Contains(Features(), feature) || deep && !slices.Contains(Nodes(feature), node) {
				t.Errorf("%s needs %s", x.Name, x.Needs)
			}
		}
	}
	for _, p := range Primitives() {
		if !used[p.Name] {
			t.Errorf("%s is in no transaction", p.Name)
		}
	}
	for p, want := range map[string]int{"InviteRequest": 2, "LeaveGroupIndication": 1, "SendMessageRequest": 1, "SendMessageResponse": 0, "Status": 0} {
		if l := Starting(p); len(l) != want {
			t.Errorf("%d transactions start with %s", len(l), p)
		}
	}
	if Nodes("Everything") != nil {
		t.Error("a feature that is none has nodes")
	}
}

// TestConditions: what is conditional says when; what is mandatory for the semantics document and not here is what
// peers leave out, and no more.
func TestConditions(t *testing.T) {
	lenient := []string{"LoginResponse/sessionID", "InviteRequest/ScreenName", "InviteResponse/ScreenName",
		"InviteUserRequest/ScreenName", "InviteUserResponse/ScreenName", "CancelInviteRequest/ScreenName",
		"CancelInviteUserRequest/ScreenName", "ForwardMessageRequest/messageID", "ForwardMessageRequest/messageURI",
		"MessageInfo/contentType", "MessageInfo/contentSize", "MessageInfo/DateTime"}
	for _, s := range slices.Concat(all.order, all.parts) {
		for i := range s.Fields {
			f := &s.Fields[i]
			at := s.Name + "/" + f.Name
			if f.Need == C && f.When == nil && f.Twin == "" {
				t.Errorf("%s is conditional, and has no condition", at)
			}
			if f.Need == M && f.Card == maybe != slices.Contains(lenient, at) {
				t.Errorf("%s is mandatory, and may be left out", at)
			}
			if (f.Card == one || f.Card == some) && f.Need == O {
				t.Errorf("%s is optional, and must be there", at)
			}
			if f.Twin != "" && (s.field([]byte(f.Twin), false) < 0 || f.Attr) {
				t.Errorf("%s stands for %s, which is not there", at, f.Twin)
			}
		}
	}
}

// TestWriteSchema: all that the tables hold is printed.
func TestWriteSchema(t *testing.T) {
	var b bytes.Buffer
	if err := WriteSchema(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nSubscribeRequest, SSP 11.2.1, from R\n    MetaInfo                   MetaInfo                 1 M Meta-Information\n" +
			"    UserID                     UserID                   * C User-ID-List (if no other target)\n",
		"\nGetJoinedMemberRequest, SSP 13.1.7, from R, in oma13 GetJoinedUsersRequest\n    @groupID ",
		"    VerUserID                  VerUserID                * C (in oma13 for UserID)\n",
		"    DeliveryTime               dt                       ? - (oma13)\n",
		"\nDateTime, holds dt\n    @format ",
		"\nPresenceSubList, holds any elements\n",
		"\nfeature GroupFeature: GroupMgmt GetMember MemberMgmt RejectList\n",
		"\ntransaction GetMessage, SSP 12.3.5, complementary, needs IMFeature/GetMsg: R:GetMessageRequest P:NewMessage R:MessageDelivered P:Status\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("not in the schema: %q", want)
		}
	}
	for _, s := range all.order {
		if !strings.Contains("\n"+b.String(), "\n"+s.Name+", SSP "+s.Section) {
			t.Errorf("%s is not in the schema", s.Name)
		}
	}
}
