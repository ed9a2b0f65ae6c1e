package c2s

import (
	"context"

	"parley/metrics"
	"parley/xmltext"
	"parley/xmpp/wire"
)

// version tells the name and version of the service, not what it runs on: XEP-0092 2, 5.
func (c *conn) version(_ context.Context, r *request) error {
	v, _, _ := metrics.Version()
	b := xmltext.Build(nil)
	b.Start("query").Attr("xmlns", wire.NSVersion)
	b.Start("name").Text("Parley").End().Start("version").Text(v).End()
	c.result(r, b.Bytes())
	return nil
}
