package server

import (
	"slices"
	"strings"

	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// Service is one that a domain's users may have from another domain, which is its service element then. SSP 2.1, 8.1
type Service uint8

// The services.
const (
	Contacts Service = iota + 1
	Presence
	Messages
	Groups
)

var serviceNames = [...]string{Contacts: "contacts", Presence: "presence", Messages: "messages", Groups: "groups"}

func (v Service) String() string { return serviceNames[v] }

// ParseService reads the name of a service; false when there is none of it.
func ParseService(s string) (Service, bool) {
	i := slices.Index(serviceNames[1:], s)
	return Service(i + 1), i >= 0
}

// Element says that users of a domain, which may be ours, have a service from another one, which may be ours too. What is
// not said is their own domain's. SSP 2.2, 2.3
type Element struct {
	Of      string // in normal form, as all of them
	Service Service
	By      string
}

// elementKey names what an Element says.
type elementKey struct {
	of string
	v  Service
}

// serviceOf is the service that a primitive is of, by its chapter; 0 for those of none. SSP 10, 11, 12, 13
func serviceOf(primitive string) Service { return servicesOf[primitive] }

var servicesOf = func() map[string]Service {
	m := map[string]Service{}
	for _, t := range wire.Primitives() {
		chapter, _, _ := strings.Cut(t.Section, ".")
		if v := map[string]Service{"10": Contacts, "11": Presence, "12": Messages, "13": Groups}[chapter]; v != 0 {
			m[t.Name] = v
		}
	}
	return m
}()

// SetElements says who has a service from another domain, as far as it concerns us, instead of what was said before.
func (s *Server) SetElements(l []Element) {
	m := map[elementKey]string{}
	for _, e := range l {
		if s.x.Ours(e.Of) {
			e.Of = s.x.Domain()
		}
		m[elementKey{e.Of, e.Service}] = e.By
	}
	s.elements.Store(&m)
	s.beHome()
}

// provider is the domain that users of a domain have a service from.
func (s *Server) provider(domain string, v Service) string {
	if s.x.Ours(domain) {
		domain = s.x.Domain()
	}
	if by, ok := (*s.elements.Load())[elementKey{domain, v}]; ok {
		return by
	}
	return domain
}

// serves reports whether users of a domain have a service from us.
func (s *Server) serves(domain string, v Service) bool { return s.x.Ours(s.provider(domain, v)) }

// profileKeys are where a user's profile says it: SSP 8.1.
var profileKeys = map[Service]string{Presence: "Services.Presence.PSE", Messages: "Services.IM.PSE", Groups: "Services.Group.PSE"}

// has reports whether a peer's user has a service from us: as the operator says of their domain, or as they say in the
// profile that we keep of them.
func (u *user) has(v Service) bool {
	if u.p.s.serves(u.who.Domain(), v) {
		return true
	}
	k, err := u.keeps(u.p.s.ctx)
	if err != nil || k.Profile[profileKeys[v]] == "" {
		return false
	}
	by, err := ssp.ParseService(k.Profile[profileKeys[v]])
	return err == nil && u.p.s.x.Ours(by)
}

// mostHops bounds a way by routes.
const mostHops = 8

// hop is the peer with which there is a session that leads to a domain: itself, or a relay. nil when there is no way.
// ssp-syntax 6
func (s *Server) hop(domain string) *peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range mostHops {
		p := s.peers[domain]
		if p == nil || p.learned {
			return nil
		}
		if p.via == "" {
			return p
		}
		domain = p.via
	}
	return nil
}

// behind are the peers to which a peer is the way.
func (s *Server) behind(p *peer) (l []*peer) {
	for _, q := range s.everyPeer() {
		if q != p && q.via != "" && s.hop(q.domain) == p {
			l = append(l, q)
		}
	}
	return l
}

// way is the link over which a peer is told of somebody's doings: of ours over their service element, or over the peer's; of
// users of a domain that is served by us back over that domain, when there is no entry for the peer itself. SSP 2.2
func (p *peer) way(of im.Address, v Service) *session.Link {
	s, domain := p.s, of.Domain()
	if s.x.Ours(domain) {
		if by := s.provider(domain, v); !s.x.Ours(by) {
			return s.linkTo(by)
		}
	}
	if by := s.provider(p.domain, v); by != p.domain && !s.x.Ours(by) {
		return s.linkTo(by)
	}
	if p.learned {
		return s.linkTo(domain)
	}
	return p.link.Load()
}

// linkTo is the link that leads to a domain; nil when there is none.
func (s *Server) linkTo(domain string) *session.Link {
	if h := s.hop(domain); h != nil {
		return h.link.Load()
	}
	return nil
}

// up reports whether words for the peer's users can go out.
func (p *peer) up() bool { return p.learned || p.link.Load() != nil }

// mostLearned bounds the domains that we know of by requests alone.
const mostLearned = 1000

// learn has a domain be a peer that there is no entry for: its users are known by what users do whom we serve, and what is
// for it goes back over their home domain. SSP 2.2: rule 3.
func (s *Server) learn(domain string) (*peer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.peers[domain]; p != nil {
		return p, nil
	}
	if s.learned >= mostLearned {
		s.cfg.Hit("domains")
		return nil, wire.BadDomain
	}
	p := s.newPeer(domain)
	p.learned = true
	remove, err := s.x.AddPeer(domain, p)
	if err != nil {
		return nil, wire.BadDomain
	}
	p.remove = remove
	s.peers[domain] = p
	s.learned++
	return p, nil
}

// reaches makes sure that there is a way to a domain for a user whom we serve: 516 when there is none.
func (u *user) reaches(domain string, v Service) error {
	s := u.p.s
	if s.x.Serves(domain) {
		return nil
	}
	if !u.has(v) && !u.p.learned {
		return wire.BadDomain
	}
	_, err := s.learn(domain)
	return err
}

// speaks reports whether a peer may tell of users of a domain: its own, one behind it, one whose service it is, and anybody
// if it is the service of ours. SSP 2.2; ssp-syntax 2.3
func (s *Server) speaks(p *peer, domain string, v Service) bool {
	if p.domain == domain {
		return true
	}
	if own := s.provider(s.x.Domain(), v); !s.x.Ours(own) && s.hop(own) == p {
		return true
	}
	by := s.provider(domain, v)
	return !s.x.Ours(domain) && (s.hop(domain) == p || !s.x.Ours(by) && s.hop(by) == p)
}

// origin judges on whose behalf a peer asks, and gives the peer whose user that is; nil for a user of ours, of whom the
// domain may speak that is their service. 536 for anybody else. SSP 5.1, 5.6; ssp-syntax 2.3
func (s *Server) origin(p *peer, r *session.Request) (*peer, im.Address, error) {
	if !r.Meta.Client {
		return p, nobody, nil
	}
	who, err := ssp.ParseUser(r.Meta.User)
	if err != nil {
		return nil, who, wire.UnknownTransaction
	}
	domain, v := who.Domain(), serviceOf(r.Primitive.Name)
	switch by := s.provider(domain, v); {
	case domain == p.domain:
		return p, who, nil
	case s.x.Ours(domain):
		if s.x.Ours(by) || s.hop(by) != p {
			return nil, who, wire.UnknownTransaction
		}
		return nil, who, nil
	case s.hop(domain) == p, by != domain && !s.x.Ours(by) && s.hop(by) == p, s.forClients(p, v, r):
	default:
		return nil, who, wire.UnknownTransaction
	}
	if q := s.peer(domain); q != nil {
		return q, who, nil
	}
	q, err := s.learn(domain)
	return q, who, err
}

// forClients reports whether a request is about users of the peer's alone, or of domains behind it, who have the service
// elsewhere: their home domain hands it on to that. SSP 2.2: rule 1; ssp-syntax 6
func (s *Server) forClients(p *peer, v Service, r *session.Request) bool {
	l := aimsOf(r.Primitive)
	for _, a := range l {
		to, err := ssp.ParseAddress(a.address)
		if err != nil {
			return false
		}
		d := to.Owner.Domain()
		if d != p.domain && s.hop(d) != p || s.provider(d, a.service(v)) == d {
			return false
		}
	}
	return len(l) > 0
}
