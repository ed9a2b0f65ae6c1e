package c2s

import (
	"context"
	"time"

	"parley/xmltext"
	"parley/xmpp/wire"
)

// clock tells the time, and the time zone of the service: XEP-0202 2.
func (c *conn) clock(_ context.Context, r *request) error {
	now := time.Now()
	b := xmltext.Build(nil)
	b.Start("time").Attr("xmlns", wire.NSTime)
	b.Start("tzo").Text(now.Format("-07:00")).End().Start("utc").Text(now.UTC().Format("2006-01-02T15:04:05Z")).End()
	c.result(r, b.Bytes())
	return nil
}
