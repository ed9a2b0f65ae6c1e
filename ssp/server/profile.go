package server

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// profileRows are those of SSP 8.
var profileRows = []row{
	{"GetUserProfileRequest", (*Server).getProfile},
	{"UpdateUserProfileRequest", (*Server).updateProfile},
}

// elements of a user profile, and their values; nil is any. SSP 8.1.
var (
	onOff    = []string{"ON", "OFF"}
	yesNo    = []string{"YES", "NO"}
	elements = map[string][]string{
		"User.Account.Status": onOff, "User.Privacy.Location": onOff, "User.Privacy.Interaction": onOff,
		"Services.Common": yesNo, "Services.Common.PSE": nil, "Services.Common.Status": onOff,
		"Services.IM": yesNo, "Services.IM.PSE": nil, "Services.IM.Status": onOff,
		"Services.Presence": yesNo, "Services.Presence.PSE": nil, "Services.Presence.Status": onOff,
		"Services.Group": yesNo, "Services.Group.PSE": nil, "Services.Group.Status": onOff,
		"Services.Content": yesNo, "Services.Content.PSE": nil, "Services.Content.Status": onOff,
		"Terminal.Delivery": {"PUSH", "NOTIFY"}, "Terminal.Content.type": nil, "Terminal.Content.encoding": nil,
		"Terminal.Content.length": nil, "Terminal.Content.protocol": nil,
	}
)

// maxElements bounds what is kept of one user.
const maxElements = 64

// mostProfiles bounds an answer: ssp-syntax 9.
const mostProfiles = 1000

// checkElement judges an element of a profile: 702. A provider's own begin with x. SSP 8.1, 14.6.3.
func checkElement(e ssp.Property) error {
	values, known := elements[e.Name]
	switch {
	case known && e.Value == "": // is taken away
		return nil
	case !known && !strings.HasPrefix(strings.ToLower(e.Name), "x."), len(e.Name) > 255, len(e.Value) > maxProperty,
		values != nil && !slices.Contains(values, e.Value):
		return wire.BadUserProperties
	case strings.HasSuffix(e.Name, ".PSE"):
		if _, err := ssp.ParseService(e.Value); err != nil {
			return wire.BadUserProperties
		}
	case e.Name == "Terminal.Content.length":
		if n, err := strconv.Atoi(e.Value); err != nil || n < 0 {
			return wire.BadUserProperties
		}
	}
	return nil
}

// getProfile tells what may be known of users, or of all: SSP 8.2.1, 8.2.2, 8.3.1. Of ours everybody may know how they are
// reached, and what they show in the directory; all that is kept of the peer's own, the peer may know, and each user of
// theirself. All are those of them, and who is in our directory.
func (s *Server) getProfile(p *peer, r *session.Request) error {
	asks, err := s.asks(p, r)
	if err != nil {
		return err
	}
	v := newVerdicts()
	var l []*wire.Element
	for e := range r.Primitive.Children("UserID") {
		profile, err := s.profile(p, asks, e.Attr("userID"))
		if err == nil {
			l = append(l, profile)
		}
		v.add(err, userID(e.Attr("userID")))
	}
	if !r.Primitive.Has("UserID") {
		if l, err = s.profiles(p, asks); err != nil {
			return err
		}
	}
	r.Answer(wire.New("UserProfile").Add(v.element()).Add(l...))
	return nil
}

// asks is the user who asks, the zero Address when the peer itself does. SSP 5.1.
func (s *Server) asks(p *peer, r *session.Request) (im.Address, error) {
	if !r.Meta.Client {
		return nobody, nil
	}
	u, err := s.requestor(p, r)
	if err != nil {
		return nobody, err
	}
	return u.who, nil
}

func (s *Server) profile(p *peer, asks im.Address, id string) (*wire.Element, error) {
	who, err := ssp.ParseUser(id)
	switch {
	case err != nil:
		return nil, wire.BadParameter
	case s.x.Ours(who.Domain()):
		snap, err := s.x.Snapshot(s.ctx, who)
		if err != nil {
			return nil, err
		}
		return s.ownProfile(snap.Account), nil
	case who.Domain() != p.domain:
		return nil, wire.UnknownUser
	case asks != nobody && asks != who:
		return nil, wire.Forbidden
	}
	u, err := p.user(s.ctx, who)
	if err != nil {
		return nil, err
	}
	k, err := u.keeps(s.ctx)
	if err != nil {
		return nil, err
	}
	return theirProfile(who, k), nil
}

// elementNames are the services as a profile names them; what is common to all has no service element elsewhere. SSP 8.1
var elementNames = map[string]Service{"IM": Messages, "Presence": Presence, "Group": Groups}

// ownProfile is what others may know of one of ours.
func (s *Server) ownProfile(a im.Account) *wire.Element {
	on := "ON"
	if a.Disabled {
		on = "OFF"
	}
	l := []ssp.Property{{Name: "User.Account.Status", Value: on}}
	for _, f := range []string{"Common", "IM", "Presence", "Group"} {
		l = append(l, ssp.Property{Name: "Services." + f, Value: "YES"}, ssp.Property{Name: "Services." + f + ".PSE", Value: s.provider(s.x.Domain(), elementNames[f])},
			ssp.Property{Name: "Services." + f + ".Status", Value: on})
	}
	l = append(l, ssp.Property{Name: "Services.Content", Value: "NO"}, ssp.Property{Name: "Terminal.Delivery", Value: "PUSH"},
		ssp.Property{Name: "Terminal.Content.type", Value: ssp.TextType})
	if d := a.Profile; d.Listed {
		for _, e := range []ssp.Property{{Name: "x.Alias", Value: a.Name}, {Name: "x.FirstName", Value: d.First}, {Name: "x.LastName", Value: d.Last},
			{Name: "x.City", Value: d.City}, {Name: "x.State", Value: d.State}, {Name: "x.Country", Value: d.Country}} {
			if e.Value != "" {
				l = append(l, e)
			}
		}
	}
	return ssp.AddProperties(wire.New("Profile", "userID", ssp.FormatUser(a.Address)), l)
}

// theirProfile is what is kept of a peer's user.
func theirProfile(who im.Address, k *kept) *wire.Element {
	var l []ssp.Property
	for _, n := range names(k.Profile) {
		l = append(l, ssp.Property{Name: n, Value: k.Profile[n]})
	}
	return ssp.AddProperties(wire.New("Profile", "userID", ssp.FormatUser(who)), l)
}

func (s *Server) profiles(p *peer, asks im.Address) (l []*wire.Element, err error) {
	theirs := []string{asks.String()}
	if asks == nobody {
		if theirs, err = p.profiled(); err != nil {
			return nil, err
		}
	}
	for _, a := range theirs {
		who := im.TrustedAddress(a)
		u, err := p.user(s.ctx, who)
		if err != nil {
			return nil, err
		}
		k, err := u.keeps(s.ctx)
		if err != nil {
			return nil, err
		}
		if len(k.Profile) > 0 {
			l = append(l, theirProfile(who, k))
		}
	}
	ours, err := s.x.Listed(s.ctx, mostProfiles-len(l), func(im.Account) bool { return true })
	for _, a := range ours {
		l = append(l, s.ownProfile(a))
	}
	return l, err
}

// updateProfile keeps the profiles of the peer's users, element by element: SSP 8.2.3, 8.3.2. A client changes its own
// user's alone.
func (s *Server) updateProfile(p *peer, r *session.Request) error {
	asks, err := s.asks(p, r)
	if err != nil {
		return err
	}
	v := newVerdicts()
	for e := range r.Primitive.Children("Profile") {
		v.add(s.update(p, asks, e), userID(e.Attr("userID")))
	}
	r.Answer(v.element())
	return nil
}

func (s *Server) update(p *peer, asks im.Address, e *wire.Element) error {
	who, err := ssp.ParseUser(e.Attr("userID"))
	switch {
	case err != nil:
		return wire.BadParameter
	case who.Domain() != p.domain:
		return wire.UnknownUser
	case asks != nobody && asks != who:
		return wire.Forbidden
	}
	l := ssp.ReadProperties(e)
	for _, f := range l {
		if err := checkElement(f); err != nil {
			return err
		}
	}
	u, err := p.user(s.ctx, who)
	if err != nil {
		return err
	}
	if err := u.keep(s.ctx, func(k *kept) error {
		for _, f := range l {
			if put(&k.Profile, f.Name, f.Value); f.Value == "" {
				delete(k.Profile, f.Name)
			}
			switch f.Name {
			case "Terminal.Delivery":
				k.Method = map[string]string{"PUSH": methodPush, "NOTIFY": methodNotify}[f.Value]
			case "Terminal.Content.length":
				k.Longest = wire.Int(f.Value)
			}
		}
		if len(k.Profile) > maxElements {
			return im.ErrListFull
		}
		return nil
	}); err != nil {
		return err
	}
	u.offer()
	return p.profile(who)
}

// profilesKey is where it is kept whose profiles are: with the domain.
const profilesKey = "profiles"

// profiled are the peer's users whose profiles are kept.
func (p *peer) profiled() (l []string, err error) {
	domain, err := im.ParseAddress(p.domain)
	if err != nil {
		return nil, err
	}
	body, err := p.s.x.PeerNote(p.s.ctx, domain, door, profilesKey)
	if err == nil && len(body) > 0 {
		err = json.Unmarshal(body, &l)
	}
	return l, err
}

// profile notes that one of them is. Of the first ones it is told when all are asked for.
func (p *peer) profile(who im.Address) error {
	l, err := p.profiled()
	if err != nil || len(l) >= mostProfiles || slices.Contains(l, who.String()) {
		return err
	}
	domain, err := im.ParseAddress(p.domain)
	if err != nil {
		return err
	}
	return p.s.x.EditPeerNote(p.s.ctx, domain, door, profilesKey, func([]byte) ([]byte, error) { return json.Marshal(append(l, who.String())) })
}
