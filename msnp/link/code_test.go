package link

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"parley/im"
	"parley/msnp"
	"parley/store"
)

// kinds are all refusals that the core knows, under their names there.
var kinds = map[string]struct {
	err  error
	code msnp.Code
}{
	"ErrBadAddress":        {im.ErrBadAddress, 201},
	"ErrBadName":           {im.ErrBadName, 209},
	"ErrUnknownUser":       {im.ErrUnknownUser, 205},
	"ErrHeld":              {im.ErrHeld, 205},
	"ErrDisabled":          {im.ErrDisabled, 911},
	"ErrListFull":          {im.ErrListFull, 210},
	"ErrAlready":           {im.ErrAlready, 215},
	"ErrNotOnList":         {im.ErrNotOnList, 216},
	"ErrOpposite":          {im.ErrOpposite, 219},
	"ErrSameMode":          {im.ErrSameMode, 218},
	"ErrAbsent":            {im.ErrAbsent, 217},
	"ErrOwnBlock":          {im.ErrOwnBlock, 216},
	"ErrNotVisible":        {im.ErrNotVisible, 913},
	"ErrFull":              {im.ErrFull, 712},
	"ErrTooMany":           {im.ErrTooMany, 714},
	"ErrTooActive":         {im.ErrTooActive, 713},
	"ErrNoPlace":           {im.ErrNoPlace, 280},
	"ErrGone":              {im.ErrGone, 280},
	"ErrNotInvited":        {im.ErrNotInvited, 911},
	"ErrNothingFits":       {im.ErrNothingFits, 217},
	"ErrUnknownGroup":      {im.ErrUnknownGroup, 224},
	"ErrGroupExists":       {im.ErrGroupExists, 228},
	"ErrClosing":           {im.ErrClosing, 604},
	"ErrNoRoom":            {im.ErrNoRoom, 280},
	"ErrRoomExists":        {im.ErrRoomExists, 215},
	"ErrRoomOpen":          {im.ErrRoomOpen, 420},
	"ErrRoomClosed":        {im.ErrRoomClosed, 911},
	"ErrRoomPublic":        {im.ErrRoomPublic, 420},
	"ErrRoomPrivate":       {im.ErrRoomPrivate, 420},
	"ErrBadRoomProps":      {im.ErrBadRoomProps, 201},
	"ErrJoined":            {im.ErrJoined, 215},
	"ErrNotJoined":         {im.ErrNotJoined, 280},
	"ErrRejected":          {im.ErrRejected, 911},
	"ErrNotMember":         {im.ErrNotMember, 911},
	"ErrNickInUse":         {im.ErrNickInUse, 215},
	"ErrNoPrivate":         {im.ErrNoPrivate, 420},
	"ErrNoPrivateToThem":   {im.ErrNoPrivateToThem, 420},
	"ErrTooManyRooms":      {im.ErrTooManyRooms, 714},
	"ErrRoomsFull":         {im.ErrRoomsFull, 714},
	"ErrNoPrivilege":       {im.ErrNoPrivilege, 420},
	"ErrRoomFull":          {im.ErrRoomFull, 712},
	"ErrNoHistory":         {im.ErrNoHistory, 420},
	"ErrWrongRoomPassword": {im.ErrWrongRoomPassword, 911},
	"ErrTooManyJoined":     {im.ErrTooManyJoined, 714},
	"ErrLastOwner":         {im.ErrLastOwner, 420},
}

// declared reads the names of the core's kinds where they are declared.
func declared(t *testing.T) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../../im/errors.go", nil, 0)
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

func TestEveryKindHasACode(t *testing.T) {
	names := declared(t)
	if len(names) != len(kinds) {
		t.Errorf("the core declares %d kinds of refusal, this test knows %d", len(names), len(kinds))
	}
	for _, name := range names {
		k, ok := kinds[name]
		if !ok {
			t.Errorf("im.%s is not known here", name)
			continue
		}
		wrapped := fmt.Errorf("do something to bob@example.com: %w", k.err)
		for _, err := range []error{k.err, wrapped} {
			if code := CodeOf(err); code != k.code {
				t.Errorf("im.%s (%v) is %v, should be %v", name, err, code, k.code)
			}
		}
		if CodeOf(k.err) == msnp.ErrInternal {
			t.Errorf("im.%s is an internal error to clients", name)
		}
	}
}

// TestBlockedLooksAbsent: nobody can tell who is away from who does not want to hear from them, or
// takes nothing of the kind. DESIGN's rule; dialects 7.2, 10.
func TestBlockedLooksAbsent(t *testing.T) {
	absent := CodeOf(im.ErrAbsent)
	for name, err := range map[string]error{
		"blocked":       fmt.Errorf("call bob@example.com: %w", im.ErrAbsent), // one value in the core
		"cannot be had": im.ErrNothingFits,
	} {
		if code := CodeOf(err); code != absent {
			t.Errorf("%s is %v, absent is %v", name, code, absent)
		}
	}
	if a, b := CodeOf(im.ErrUnknownUser), CodeOf(im.ErrHeld); a != b {
		t.Errorf("an address that is held is %v, one that nobody has is %v", b, a)
	}
	if a, b := CodeOf(im.ErrDisabled), msnp.ErrAuthenticationFailed; a != b {
		t.Errorf("a disabled account is %v, a wrong password is %v", a, b)
	}
}

func TestCodesOfOtherErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		code msnp.Code
	}{
		{msnp.ErrInvalidParameter, 201},
		{fmt.Errorf("read a name: %w", msnp.ErrInvalidFriendlyName), 209},
		{&store.Error{Op: "INSERT", Err: errors.New("disk full")}, 501},
		{fmt.Errorf("watch: %w", &store.Error{Op: "SELECT", Err: im.ErrAlready}), 215}, // what is known goes first
		{store.ErrClosed, 604},
		{errors.New("anything else"), 500},
		{context.DeadlineExceeded, 500},
	} {
		if code := CodeOf(c.err); code != c.code {
			t.Errorf("%v is %v, should be %v", c.err, code, c.code)
		}
	}
}
