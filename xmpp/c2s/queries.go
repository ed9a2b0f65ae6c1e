package c2s

import (
	"context"

	"parley/xmpp/wire"
)

// queryRows are the queries that the service answers. What service discovery says is computed from them: XEP-0030 3.
var queryRows = []queryRow{
	{unbound | own, "set", name{wire.NSBind, "bind"}, (*conn).bind, "-"},
	{unbound | own | server, "set", name{wire.NSSession, "session"}, (*conn).establish, "-"},

	{own, "get", name{wire.NSRoster, "query"}, (*conn).rosterGet, "-"},
	{own, "set", name{wire.NSRoster, "query"}, (*conn).rosterSet, "-"},

	{server | own | account, "get", name{wire.NSPing, "ping"}, (*conn).ping, ""},
}

// addFeature notes what a row means to service discovery, once.
func (s *Server) addFeature(of target, r *queryRow) {
	f := r.feature
	switch f {
	case "-":
		return
	case "":
		f = r.name.space
	}
	for _, o := range s.features[of] {
		if o == f {
			return
		}
	}
	s.features[of] = append(s.features[of], f)
}

// ping answers for the service, and for accounts: XEP-0199 4.2, 4.3.
func (c *conn) ping(_ context.Context, r *request) error {
	c.result(r, nil)
	return nil
}
