package c2s

import "parley/exchange"

func (c *conn) privacyChange(d *exchange.Change) (owes bool) { return false }
