package c2s

import (
	"context"
	"slices"

	"parley/xmpp/wire"
)

// queryRows are the queries that the service answers. What service discovery says is computed from them: XEP-0030 3, XEP-0012
// 6, XEP-0016 3, XEP-0054 4, XEP-0077 10, XEP-0092 4, XEP-0191 3.1, XEP-0199 5, XEP-0202 4.
var queryRows = []queryRow{
	{unbound | own, "set", name{wire.NSBind, "bind"}, (*conn).bind, "-"},
	{unbound | own | server, "set", name{wire.NSSession, "session"}, (*conn).establish, "-"},

	{own, "get", name{wire.NSRoster, "query"}, (*conn).rosterGet, "-"},
	{own, "set", name{wire.NSRoster, "query"}, (*conn).rosterSet, "-"},

	{own | server, "get", name{wire.NSPrivacy, "query"}, (*conn).privacyGet, ""},
	{own | server, "set", name{wire.NSPrivacy, "query"}, (*conn).privacySet, ""},
	{own | server, "get", name{wire.NSBlocking, "blocklist"}, (*conn).blocklist, ""},
	{own | server, "set", name{wire.NSBlocking, "block"}, (*conn).block, ""},
	{own | server, "set", name{wire.NSBlocking, "unblock"}, (*conn).unblock, ""},

	{server | own | account, "get", name{wire.NSPing, "ping"}, (*conn).ping, ""},

	{server | own | account, "get", name{wire.NSDiscoInfo, "query"}, (*conn).discoInfo, ""},
	{server | own | account, "get", name{wire.NSDiscoItems, "query"}, (*conn).discoItems, ""},

	{own | account | unseen, "get", name{wire.NSVCard, "vCard"}, (*conn).vcardGet, ""},
	{own, "set", name{wire.NSVCard, "vCard"}, (*conn).vcardSet, ""},
	{server | account, "set", name{wire.NSVCard, "vCard"}, (*conn).vcardForbidden, "-"},

	{server, "get", name{wire.NSVersion, "query"}, (*conn).version, ""},
	{server, "get", name{wire.NSTime, "time"}, (*conn).clock, ""},
	{server, "get", name{wire.NSLast, "query"}, (*conn).lastServer, ""},
	{own | account, "get", name{wire.NSLast, "query"}, (*conn).lastAccount, ""},

	{own, "get", name{wire.NSPrivate, "query"}, (*conn).privateGet, ""},
	{own, "set", name{wire.NSPrivate, "query"}, (*conn).privateSet, ""},
	{account, "get", name{wire.NSPrivate, "query"}, (*conn).privateForbidden, "-"},
	{account, "set", name{wire.NSPrivate, "query"}, (*conn).privateForbidden, "-"},

	{server, "get", name{wire.NSSearch, "query"}, (*conn).searchGet, ""},
	{server, "set", name{wire.NSSearch, "query"}, (*conn).searchSet, ""},

	{stranger, "get", name{wire.NSRegister, "query"}, oldStyle((*conn).registerAsk), "-"},
	{stranger, "set", name{wire.NSRegister, "query"}, oldStyle((*conn).register), "-"},
	{server | own, "get", name{wire.NSRegister, "query"}, oldStyle((*conn).registered), ""},
	{server | own, "set", name{wire.NSRegister, "query"}, oldStyle((*conn).reregister), ""},
}

// addFeature notes what a row means to service discovery, once.
func (s *Server) addFeature(of target, r *queryRow) {
	f := r.feature
	if f == "" {
		f = r.name.space
	}
	if f == "-" || f == wire.NSSearch && !s.Config.Config.XMPP.Search {
		return
	}
	if slices.Contains(s.features[of], f) {
		return
	}
	s.features[of] = append(s.features[of], f)
}

// ping answers for the service, and for accounts that show themselves: XEP-0199 3, 4.2.
func (c *conn) ping(_ context.Context, r *request) error {
	c.result(r, nil)
	return nil
}
