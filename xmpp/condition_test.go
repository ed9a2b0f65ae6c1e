package xmpp

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"parley/im"
	"parley/store"
	"parley/xmltext"
	"parley/xmpp/wire"
)

// kindsOfRefusal are all that the core knows, under their names there.
var kindsOfRefusal = map[string]struct {
	err       error
	condition Condition
	typ       string
}{
	"ErrBadAddress":        {im.ErrBadAddress, "jid-malformed", "modify"},
	"ErrBadName":           {im.ErrBadName, "not-acceptable", "modify"},
	"ErrUnknownUser":       {im.ErrUnknownUser, "service-unavailable", "cancel"},
	"ErrHeld":              {im.ErrHeld, "service-unavailable", "cancel"},
	"ErrDisabled":          {im.ErrDisabled, "forbidden", "auth"},
	"ErrListFull":          {im.ErrListFull, "resource-constraint", "wait"},
	"ErrAlready":           {im.ErrAlready, "conflict", "cancel"},
	"ErrNotOnList":         {im.ErrNotOnList, "item-not-found", "cancel"},
	"ErrOpposite":          {im.ErrOpposite, "conflict", "cancel"},
	"ErrSameMode":          {im.ErrSameMode, "conflict", "cancel"},
	"ErrAbsent":            {im.ErrAbsent, "service-unavailable", "cancel"},
	"ErrOwnBlock":          {im.ErrOwnBlock, "not-acceptable", "cancel"},
	"ErrNotVisible":        {im.ErrNotVisible, "not-allowed", "cancel"},
	"ErrFull":              {im.ErrFull, "service-unavailable", "wait"},
	"ErrTooMany":           {im.ErrTooMany, "resource-constraint", "wait"},
	"ErrTooActive":         {im.ErrTooActive, "policy-violation", "wait"},
	"ErrNoPlace":           {im.ErrNoPlace, "recipient-unavailable", "wait"},
	"ErrGone":              {im.ErrGone, "gone", "cancel"},
	"ErrNotInvited":        {im.ErrNotInvited, "registration-required", "auth"},
	"ErrNothingFits":       {im.ErrNothingFits, "service-unavailable", "cancel"},
	"ErrUnknownGroup":      {im.ErrUnknownGroup, "item-not-found", "cancel"},
	"ErrGroupExists":       {im.ErrGroupExists, "conflict", "cancel"},
	"ErrClosing":           {im.ErrClosing, "internal-server-error", "wait"},
	"ErrNoRoom":            {im.ErrNoRoom, "item-not-found", "cancel"},
	"ErrRoomExists":        {im.ErrRoomExists, "conflict", "cancel"},
	"ErrRoomOpen":          {im.ErrRoomOpen, "not-allowed", "cancel"},
	"ErrRoomClosed":        {im.ErrRoomClosed, "registration-required", "auth"},
	"ErrRoomPublic":        {im.ErrRoomPublic, "not-allowed", "cancel"},
	"ErrRoomPrivate":       {im.ErrRoomPrivate, "not-allowed", "cancel"},
	"ErrBadRoomProps":      {im.ErrBadRoomProps, "not-acceptable", "modify"},
	"ErrJoined":            {im.ErrJoined, "conflict", "cancel"},
	"ErrNotJoined":         {im.ErrNotJoined, "not-acceptable", "modify"},
	"ErrRejected":          {im.ErrRejected, "forbidden", "auth"},
	"ErrNotMember":         {im.ErrNotMember, "registration-required", "auth"},
	"ErrNickInUse":         {im.ErrNickInUse, "conflict", "cancel"},
	"ErrNoPrivate":         {im.ErrNoPrivate, "not-allowed", "cancel"},
	"ErrNoPrivateToThem":   {im.ErrNoPrivateToThem, "not-allowed", "cancel"},
	"ErrTooManyRooms":      {im.ErrTooManyRooms, "resource-constraint", "wait"},
	"ErrRoomsFull":         {im.ErrRoomsFull, "resource-constraint", "wait"},
	"ErrNoPrivilege":       {im.ErrNoPrivilege, "forbidden", "auth"},
	"ErrRoomFull":          {im.ErrRoomFull, "service-unavailable", "wait"},
	"ErrNoHistory":         {im.ErrNoHistory, "feature-not-implemented", "cancel"},
	"ErrWrongRoomPassword": {im.ErrWrongRoomPassword, "not-authorized", "auth"},
	"ErrTooManyJoined":     {im.ErrTooManyJoined, "resource-constraint", "wait"},
	"ErrLastOwner":         {im.ErrLastOwner, "conflict", "cancel"},
}

// declared reads the names of the core's kinds where they are declared.
func declared(t *testing.T) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../im/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var l []string
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			for _, name := range v.Names {
				if strings.HasPrefix(name.Name, "Err") {
					l = append(l, name.Name)
				}
			}
		}
		return true
	})
	return l
}

// RFC 6120 8.3.3.
func TestEveryKindHasACondition(t *testing.T) {
	names := declared(t)
	if len(names) != len(kindsOfRefusal) {
		t.Errorf("the core declares %d kinds of refusal, this test knows %d", len(names), len(kindsOfRefusal))
	}
	for _, name := range names {
		k, ok := kindsOfRefusal[name]
		if !ok {
			t.Errorf("im.%s is not known here", name)
			continue
		}
		for _, err := range []error{k.err, fmt.Errorf("write to bob@example.com: %w", k.err)} {
			if e := ErrorOf(err); e.Condition != k.condition || e.Type != k.typ {
				t.Errorf("im.%s is %s of type %s, should be %s of type %s", name, e.Condition, e.Type, k.condition, k.typ)
			}
		}
	}
}

// TestBlockedLooksAbsent: the same bytes for who is away, who does not want to hear from the sender, who is nobody
// and who cannot take the message. RFC 6121 8.5.1, XEP-0016 2.14, XEP-0191 3.3.
func TestBlockedLooksAbsent(t *testing.T) {
	absent := string(ErrorOf(im.ErrAbsent).Append(nil))
	for _, err := range []error{fmt.Errorf("write to bob@example.com: %w", im.ErrAbsent), im.ErrUnknownUser, im.ErrHeld, im.ErrNothingFits} {
		if got := string(ErrorOf(err).Append(nil)); got != absent {
			t.Errorf("%v is %s, absent is %s", err, got, absent)
		}
	}
}

func TestOtherErrors(t *testing.T) {
	own := &Error{Condition: Forbidden, Text: "mine"}
	for _, c := range []struct {
		err  error
		want string
	}{
		{own, "<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
			"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>mine</text></error>"},
		{fmt.Errorf("read: %w", own), "<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
			"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>mine</text></error>"},
		{im.ErrOwnBlock, "<error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
			"<blocked xmlns='urn:xmpp:blocking:errors'/></error>"},
		{store.ErrClosed, "<error type='cancel'><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"},
		{&store.Error{Op: "INSERT", Err: errors.New("disk full")}, string(internal.Append(nil))},
		{&store.Error{Op: "SELECT", Err: im.ErrAlready}, string(Refuse(Conflict, "").Append(nil))},
		{context.Canceled, string(internal.Append(nil))},
		{context.DeadlineExceeded, string(internal.Append(nil))},
		{errors.New("a password in here"), string(internal.Append(nil))},
	} {
		if got := string(ErrorOf(c.err).Append(nil)); got != c.want {
			t.Errorf("%v is %s, want %s", c.err, got, c.want)
		}
	}
	if ErrorOf(nil) != nil {
		t.Error("no error is one")
	}
	if s := own.Error(); s != "xmpp: forbidden: mine" {
		t.Error(s)
	}
}

// sections are the names of the sections of RFC 6120 below one.
func sections(t *testing.T, below string) []string {
	t.Helper()
	b, err := os.ReadFile("../testdata/sections/rfc6120.txt")
	if err != nil {
		t.Fatal(err)
	}
	var l []string
	for line := range strings.Lines(string(b)) {
		if number, name, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok && strings.HasPrefix(number, below+".") {
			l = append(l, name)
		}
	}
	return l
}

// constants are the values of this package's constants of one type.
func constants(t *testing.T, file, typ string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var l []string
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == typ {
				for _, x := range v.Values {
					l = append(l, strings.Trim(x.(*ast.BasicLit).Value, `"`))
				}
			}
		}
		return true
	})
	return l
}

// TestAllConditions: none of RFC 6120 8.3.3 and 4.9.3 is missing, and none is made up; each is well-formed.
func TestAllConditions(t *testing.T) {
	for _, c := range []struct{ below, file, typ string }{
		{"8.3.3", "condition.go", "Condition"},
		{"4.9.3", "fatal.go", "StreamCondition"},
	} {
		want, got := sections(t, c.below), constants(t, c.file, c.typ)
		if len(want) < 20 || strings.Join(want, " ") != strings.Join(got, " ") {
			t.Errorf("%s:\n%v\nRFC 6120 %s:\n%v", c.typ, got, c.below, want)
		}
	}
	for _, c := range constants(t, "condition.go", "Condition") {
		d, err := xmltext.Parse(Refuse(Condition(c), "a < b").Append(nil), xmltext.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		n := d.Root()
		if !n.Child(wire.NSStanzas, c).Ok() || string(n.Child(wire.NSStanzas, "text").Text()) != "a < b" {
			t.Errorf("%s is written %s", c, n.Bytes())
		}
	}
}

// RFC 6120 4.9.2, 4.9.3.
func TestStreamErrors(t *testing.T) {
	for _, c := range []struct {
		err  *StreamError
		want string
	}{
		{&StreamError{Condition: StreamConflict}, "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"},
		{&StreamError{StreamHostUnknown, "a<b"}, "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" +
			"<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>a&lt;b</text></stream:error>"},
	} {
		if got := string(c.err.Append(nil)); got != c.want {
			t.Errorf("%v is written %s", c.err, got)
		}
	}
	for _, c := range []struct {
		in   string
		want StreamCondition
	}{
		{"<a></b>", StreamNotWellFormed},
		{"<x:a/>", StreamNotWellFormed},
		{"<!DOCTYPE a><a/>", StreamRestrictedXML},
		{"<a>&x;</a>", StreamRestrictedXML},
		{"<a>\xff</a>", StreamUnsupportedEncoding},
		{"<a>" + strings.Repeat("<b>", 100) + strings.Repeat("</b>", 100) + "</a>", StreamPolicyViolation},
	} {
		_, err := xmltext.Parse([]byte(c.in), xmltext.Limits{})
		x, ok := errors.AsType[*xmltext.Error](err)
		if !ok {
			t.Fatal(c.in, err)
		}
		e := StreamErrorOf(x)
		if e.Condition != c.want || e.Text == "" || !strings.Contains(e.Error(), string(c.want)) {
			t.Errorf("%s is %v, want %s", c.in, e, c.want)
		}
	}
}
