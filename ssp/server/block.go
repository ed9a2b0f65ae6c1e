package server

import (
	"encoding/json"
	"slices"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// Whom a peer's user blocks and grants are rules in the exchange, as far as the lists are in use; what is on them is kept
// beside, in use or not. SSP 12.2.13; ssp-syntax 3.7.

// blockRows are those of block and grant lists, SSP 12.
var blockRows = []row{
	{"BlockUserRequest", (*Server).blockUser},
	{"GetBlockedRequest", (*Server).getBlocked},
}

// gate is the two lists.
type gate struct {
	Block entities `json:"block"`
	Grant entities `json:"grant"`
}

type entities struct {
	Users []string `json:"users,omitempty"` // addresses, the first to be put there first
	Used  bool     `json:"used,omitempty"`
}

// gateKey is where they are kept.
const gateKey = "gate"

// maxGate bounds each of the lists.
const maxGate = 500

func readGate(body []byte) (g gate, err error) {
	if len(body) > 0 {
		err = json.Unmarshal(body, &g)
	}
	return g, err
}

// change does what a BlockList or GrantList says. v is told of each user.
func (l *entities) change(s *Server, e *wire.Element, v *verdicts) {
	l.Used = e.Attr("inUse") == wire.Yes
	for id := range e.Child("RemoveUsers").Children("UserID") {
		who, err := ssp.ParseUser(id.Attr("userID"))
		if err != nil {
			err = wire.BadParameter
		}
		l.Users = slices.DeleteFunc(l.Users, func(u string) bool { return err == nil && u == who.String() })
		v.add(err, userID(id.Attr("userID")))
	}
	for id := range e.Child("AddUsers").Children("UserID") {
		who, err := ssp.ParseUser(id.Attr("userID"))
		switch {
		case err != nil:
			err = wire.BadParameter
		case slices.Contains(l.Users, who.String()):
		case len(l.Users) >= maxGate:
			err = im.ErrListFull
		default:
			if err = s.known(who); err == nil {
				l.Users = append(l.Users, who.String())
			}
		}
		v.add(err, userID(id.Attr("userID")))
	}
}

// rules are what the lists come to: who is blocked hears and is heard no more; while the grant list is used, nobody else
// than who is on it may write.
func (g *gate) rules() (l []im.Rule) {
	if g.Block.Used {
		for _, w := range g.Block.Users {
			l = append(l, im.Rule{By: im.ByAddress, Value: w, What: im.Everything})
		}
	}
	if g.Grant.Used {
		for _, w := range g.Grant.Users {
			l = append(l, im.Rule{By: im.ByAddress, Value: w, What: im.Messages, Allow: true})
		}
		l = append(l, im.Rule{By: im.Everybody, What: im.Messages})
	}
	return l
}

// blockUser changes the lists of a user of the peer's whose message service we are: SSP 12.2.13, 12.3.10.
func (s *Server) blockUser(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	var v *verdicts
	err = s.x.Guard(s.ctx, exchange.By{Who: u.who}, door, gateKey, func(old []byte) ([]byte, []im.Rule, error) {
		g, err := readGate(old)
		if err != nil {
			return nil, nil, err
		}
		v = newVerdicts()
		g.Block.change(s, r.Primitive.Child("BlockList"), v)
		g.Grant.change(s, r.Primitive.Child("GrantList"), v)
		next, err := json.Marshal(g)
		return next, g.rules(), err
	})
	if err != nil {
		return err
	}
	r.Answer(v.element())
	return nil
}

// getBlocked tells what is on them: SSP 12.2.14, 12.2.15, 12.3.11.
func (s *Server) getBlocked(p *peer, r *session.Request) error {
	u, err := s.requestor(p, r)
	if err != nil {
		return err
	}
	body, err := s.x.PeerNote(s.ctx, u.who, door, gateKey)
	if err != nil {
		return err
	}
	g, err := readGate(body)
	if err != nil {
		return err
	}
	r.Answer(wire.New("GetBlockedResponse").Add(wire.Status(wire.Successful, ""), g.Block.element("BlockList"), g.Grant.element("GrantList")))
	return nil
}

func (l *entities) element(name string) *wire.Element {
	e := wire.New(name, "inUse", wire.YesNo(l.Used))
	for _, w := range l.Users {
		e.Add(userID(ssp.FormatUser(im.TrustedAddress(w))))
	}
	return e
}
