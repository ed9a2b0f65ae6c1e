package c2s

import (
	"context"
	"slices"

	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// node names this software to those who remember what it can. What goes with it says how its version is made: XEP-0115 4, 9.1.
const node = "urn:x-parley"

// serverIdentity and accountIdentity are what the service and its accounts are: XEP-0030 3.1.
var (
	serverIdentity  = []xmpp.Identity{{Category: "server", Type: "im", Name: "Parley"}}
	accountIdentity = []xmpp.Identity{{Category: "account", Type: "registered"}}
)

// disco is what the service says of itself, made once.
type disco struct {
	server  []byte // what stands in the answer of disco#info
	account []byte
	own     []byte
	caps    []byte // what stands in the stream features
	node    string // caps's node and version, as they are asked for
}

// describe makes what the service says of itself, from the tables: XEP-0030 3.1, XEP-0128 2.
func (s *Server) describe() *disco {
	also := func(f string, targets ...target) {
		for _, of := range targets {
			if !slices.Contains(s.features[of], f) {
				s.features[of] = append(s.features[of], f)
			}
		}
	}
	also(wire.NSVCard, server)                  // accounts have one: XEP-0054 4
	also(wire.NSCaps, server)                   // XEP-0115 7
	also(wire.NSStanzaID, server, own, account) // XEP-0359 5
	if s.Config.Config.Offline.Store {
		also(wire.NSOffline, server) // XEP-0160 4
	}
	for _, l := range s.features {
		slices.Sort(l)
	}
	var forms []xmpp.Form
	if l := s.Config.Config.XMPP.Contact; len(l) > 0 { // XEP-0157 3
		forms = []xmpp.Form{{Type: wire.NSContact, Fields: []xmpp.Field{{Var: "admin-addresses", Values: l}}}}
	}
	ver := xmpp.Ver(serverIdentity, s.features[server], forms)
	d := &disco{
		server:  xmpp.AppendInfo(nil, serverIdentity, s.features[server], forms),
		account: xmpp.AppendInfo(nil, accountIdentity, s.features[account], nil),
		own:     xmpp.AppendInfo(nil, accountIdentity, s.features[own], nil),
		node:    node + "#" + ver,
	}
	b := xmltext.Build(nil)
	b.Start("c").Attr("xmlns", wire.NSCaps).Attr("hash", "sha-1").Attr("node", node).Attr("ver", ver)
	d.caps = b.Bytes()
	return d
}

// appendCaps appends what the service can, in short: XEP-0115 6.3.
func (s *Server) appendCaps(dst []byte) []byte { return append(dst, s.disco.caps...) }

// discoInfo says what the service or an account is and can: XEP-0030 3.1, 3.2. The service's capabilities are a node (XEP-0115
// 6.2); there is no other.
func (c *conn) discoInfo(ctx context.Context, r *request) error {
	of, err := c.described(r)
	if err != nil {
		return err
	}
	asked, given := r.payload.Attr("", "node")
	info := c.s.disco.server
	switch {
	case given && (of != server || string(asked) != c.s.disco.node): // XEP-0030 7
		return xmpp.Refuse(xmpp.ItemNotFound, "")
	case of == own:
		info = c.s.disco.own
	case of == account:
		info = c.s.disco.account
	}
	b := xmltext.Build(make([]byte, 0, 128+len(info)))
	b.Start("query").Attr("xmlns", wire.NSDiscoInfo)
	if given {
		b.Attr("node", string(asked))
	}
	c.result(r, b.Raw(info).Bytes())
	return nil
}

// discoItems says what belongs to the service, which is the domain of its conversations, and to one's own account, which
// are its available sessions; others learn of those by presence. There are never many. XEP-0030 4.1, 4.2, 4.4, 6.2, 8
func (c *conn) discoItems(_ context.Context, r *request) error {
	of, err := c.described(r)
	if err != nil {
		return err
	}
	b := xmltext.Build(nil)
	b.Start("query").Attr("xmlns", wire.NSDiscoItems)
	if asked, given := r.payload.Attr("", "node"); given { // XEP-0030 4.2: a node with nothing in it
		if of != server || string(asked) != c.s.disco.node {
			return xmpp.Refuse(xmpp.ItemNotFound, "")
		}
		c.result(r, b.Attr("node", string(asked)).Bytes())
		return nil
	}
	switch of {
	case server:
		b.Start("item").Attr("jid", c.s.Config.Config.ConferenceDomain(r.to.Bare.Domain())).Attr("name", "Conversations").End()
	case own:
		for _, s := range c.s.Exchange.Sessions(c.jid.Bare) {
			if visible(s) {
				b.Start("item").Attr("jid", xmpp.JID{Bare: c.jid.Bare, Resource: s.Slot}.String()).End()
			}
		}
	}
	c.result(r, b.Bytes())
	return nil
}

// described says what a question of service discovery is about. Of somebody else's account only those learn something who
// see its presence: XEP-0030 8. What it is, its owner is told like all others: XEP-0030 6.3.
func (c *conn) described(r *request) (target, error) {
	switch {
	case r.to.IsZero() || r.to.Bare == c.jid.Bare:
		return own, nil
	case r.to.Bare.IsDomain():
		return server, nil
	case !c.sees(r.to.Bare):
		return 0, xmpp.Refuse(xmpp.ServiceUnavailable, "")
	}
	return account, nil
}
