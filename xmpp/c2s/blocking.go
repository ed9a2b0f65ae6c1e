package c2s

import "parley/exchange"

func (c *conn) blockingChange(d *exchange.Change) (owes bool) { return false }
