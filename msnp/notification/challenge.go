package notification

import (
	"context"
	"strings"

	"parley/msnp"
)

// chl challenges the client, which asked for it: dialects 9.1. COMPAT MSN 3.6 to 6.2: the server does not challenge by
// itself, since no client misses it; and the transaction ID is 0, as where it does: no source shows this case.
func (c *conn) chl(_ context.Context, r request) error {
	c.rare().challenge = msnp.NewChallenge()
	c.Reply("CHL", 0, c.seldom.challenge)
	return nil
}

// qry takes the answer to a challenge: dialects 9.1. A wrong one ends the connection. COMPAT third-party clients: what
// answers no challenge is accepted, and so is a product whose key is not known here.
func (c *conn) qry(_ context.Context, r request) error {
	return c.answered(r, msnp.ChallengeResponse)
}

// qryLong is qry with the longer way to the answer: dialects 9.1.
func (c *conn) qryLong(_ context.Context, r request) error {
	return c.answered(r, msnp.LongChallengeResponse)
}

func (c *conn) answered(r request, response func(challenge, product string) (string, bool)) error {
	if c.seldom != nil && c.seldom.challenge != "" {
		want, known := response(c.seldom.challenge, string(r.Arg(1)))
		if c.seldom.challenge = ""; len(r.Payload) != 32 || known && !strings.EqualFold(want, string(r.Payload)) {
			c.Refuse(r.Command, msnp.ErrChallengeFailed)
			c.Hangup("")
			return nil
		}
	}
	c.Reply("QRY", r.trID)
	return nil
}

// ims switches messages off for the session, and on again: it is not rung, and to who calls it is not there.
// dialects 9.5
func (c *conn) ims(_ context.Context, r request) error {
	mode := string(r.Arg(1))
	if mode != "ON" && mode != "OFF" {
		return msnp.ErrInvalidParameter
	}
	c.client.SetDeaf(mode == "OFF")
	c.Reply("IMS", r.trID, "0", mode)
	return nil
}
