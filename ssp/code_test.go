package ssp

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
	"parley/ssp/wire"
)

// refusals are all kinds that the core knows, under their names there.
var refusals = map[string]struct {
	err  error
	code wire.Code
}{
	"ErrBadAddress":        {im.ErrBadAddress, 402},
	"ErrBadName":           {im.ErrBadName, 402},
	"ErrUnknownUser":       {im.ErrUnknownUser, 531},
	"ErrHeld":              {im.ErrHeld, 531},
	"ErrDisabled":          {im.ErrDisabled, 403},
	"ErrListFull":          {im.ErrListFull, 507},
	"ErrAlready":           {im.ErrAlready, 402},
	"ErrNotOnList":         {im.ErrNotOnList, 404},
	"ErrOpposite":          {im.ErrOpposite, 402},
	"ErrSameMode":          {im.ErrSameMode, 402},
	"ErrAbsent":            {im.ErrAbsent, 533},
	"ErrOwnBlock":          {im.ErrOwnBlock, 403},
	"ErrNotVisible":        {im.ErrNotVisible, 403},
	"ErrFull":              {im.ErrFull, 817},
	"ErrTooMany":           {im.ErrTooMany, 815},
	"ErrTooActive":         {im.ErrTooActive, 503},
	"ErrNoPlace":           {im.ErrNoPlace, 503},
	"ErrGone":              {im.ErrGone, 800},
	"ErrNotInvited":        {im.ErrNotInvited, 816},
	"ErrNothingFits":       {im.ErrNothingFits, 415},
	"ErrUnknownGroup":      {im.ErrUnknownGroup, 700},
	"ErrGroupExists":       {im.ErrGroupExists, 701},
	"ErrClosing":           {im.ErrClosing, 503},
	"ErrNoRoom":            {im.ErrNoRoom, 800},
	"ErrRoomExists":        {im.ErrRoomExists, 801},
	"ErrRoomOpen":          {im.ErrRoomOpen, 802},
	"ErrRoomClosed":        {im.ErrRoomClosed, 803},
	"ErrRoomPublic":        {im.ErrRoomPublic, 804},
	"ErrRoomPrivate":       {im.ErrRoomPrivate, 805},
	"ErrBadRoomProps":      {im.ErrBadRoomProps, 806},
	"ErrJoined":            {im.ErrJoined, 807},
	"ErrNotJoined":         {im.ErrNotJoined, 808},
	"ErrRejected":          {im.ErrRejected, 809},
	"ErrNotMember":         {im.ErrNotMember, 810},
	"ErrNickInUse":         {im.ErrNickInUse, 811},
	"ErrNoPrivate":         {im.ErrNoPrivate, 812},
	"ErrNoPrivateToThem":   {im.ErrNoPrivateToThem, 813},
	"ErrTooManyRooms":      {im.ErrTooManyRooms, 814},
	"ErrRoomsFull":         {im.ErrRoomsFull, 815},
	"ErrNoPrivilege":       {im.ErrNoPrivilege, 816},
	"ErrRoomFull":          {im.ErrRoomFull, 817},
	"ErrNoHistory":         {im.ErrNoHistory, 821},
	"ErrWrongRoomPassword": {im.ErrWrongRoomPassword, 816},
	"ErrTooManyJoined":     {im.ErrTooManyJoined, 503},
	"ErrLastOwner":         {im.ErrLastOwner, 816},
}

// TestEveryKindHasACode: the core's kinds are read where they are declared. SSP 14.
func TestEveryKindHasACode(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../im/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		v, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, name := range v.Names {
			if !strings.HasPrefix(name.Name, "Err") {
				continue
			}
			n++
			r, ok := refusals[name.Name]
			if !ok {
				t.Errorf("im.%s is not known here", name.Name)
				continue
			}
			if c := CodeOf(fmt.Errorf("write to tom: %w", r.err)); c != r.code || !c.Known() {
				t.Errorf("im.%s is %d, should be %d", name.Name, c, r.code)
			}
		}
		return true
	})
	if n != len(refusals) || n != len(codes) {
		t.Errorf("the core declares %d kinds, the table has %d, this test %d", n, len(codes), len(refusals))
	}
}

// SSP 14.2.1, 14.4.1.
func TestOtherErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		want wire.Code
	}{
		{nil, 200}, {context.Canceled, 500}, {errors.New("a password in here"), 500}, {wire.NotAgreed, 506},
		{fmt.Errorf("ask: %w", wire.Code(299)), 299}, {fmt.Errorf("read: %w", &wire.Fault{Code: wire.UnknownTransaction}), 536},
	} {
		if got := CodeOf(c.err); got != c.want {
			t.Errorf("%v is %d", c.err, got)
		}
	}
}

// TestAnswers: what peers answer, in the words of the core. ssp-syntax 7, 9.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		code wire.Code
		want error
	}{
		{wire.Continue, nil}, {wire.Successful, nil}, {wire.Accepted, nil}, {299, nil},
		{wire.UnknownUser, im.ErrUnknownUser}, {wire.BadDomain, im.ErrUnknownUser}, {wire.Blocked, im.ErrAbsent}, {wire.NotLoggedIn, im.ErrAbsent},
		{wire.BadMediaType, im.ErrNothingFits}, {wire.NoGroup, im.ErrNoRoom}, {wire.NotJoined, im.ErrNotJoined}, {wire.TooManyJoined, im.ErrRoomFull}, {wire.Internal, wire.Internal}, {499, wire.Code(499)},
	} {
		err := ErrorOf(c.code)
		if c.want == nil && err != nil || c.want != nil && (!errors.Is(err, c.want) || CodeOf(err) != c.code || !strings.Contains(err.Error(), c.code.String())) {
			t.Errorf("%d is %v", c.code, err)
		}
	}
}
