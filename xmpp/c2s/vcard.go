package c2s

import (
	"context"
	"unicode/utf8"

	"parley/exchange"
	"parley/im"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// vcardKey is the key that an account's vCard is kept under.
const vcardKey = "vcard"

// vcardGet gives one's own vCard, or somebody else's. XEP-0054 3.1, 3.3
//
// What was put there is for anybody who may ask the account at all. One who has put nothing is described by the
// profile and the display name: to everybody if the directory shows them, otherwise to who sees them, so that addresses
// cannot be tried out. XEP-0054 8, 9
func (c *conn) vcardGet(ctx context.Context, r *request) error {
	who := r.to.Bare
	if r.to.IsZero() {
		who = c.jid.Bare
	}
	s, err := c.other(ctx, who)
	if err != nil {
		return err
	}
	body, err := c.s.Exchange.Note(ctx, who, xmpp.Door, vcardKey)
	if err != nil {
		return err
	}
	if body == nil {
		if who != c.jid.Bare && !s.Profile.Listed && !c.sees(who) {
			return xmpp.Refuse(xmpp.ServiceUnavailable, "")
		}
		body = xmpp.AppendVCard(nil, s.Name, s.Profile)
	}
	c.result(r, body)
	return nil
}

// vcardSet keeps one's vCard as it is, and puts its names and its place into the profile; whether the directory shows
// the profile is not the vCard's to say. An account without a display name takes the one in it. XEP-0054 3.2
//
// The hash of its photo comes with the presence of the client that put it: XEP-0153 4.2. Presence is passed on as it
// was sent, nothing is put into it.
func (c *conn) vcardSet(ctx context.Context, r *request) error {
	if err := c.fits(r.payload); err != nil {
		return err
	}
	body := wire.AppendStanza(nil, r.payload)
	if empty(r.payload) {
		body = nil
	}
	if err := c.s.Exchange.PutNote(ctx, c.jid.Bare, xmpp.Door, vcardKey, body); err != nil {
		return err
	}
	p := xmpp.ProfileOf(r.payload)
	for _, f := range []*string{&p.First, &p.Last, &p.City, &p.State, &p.Country} {
		*f = clip(*f, maxProfile)
	}
	err := c.s.Exchange.SetProfile(ctx, c.jid.Bare, func(is *im.Profile) {
		p.Listed = is.Listed
		*is = p
	})
	if err != nil {
		return err
	}
	if name := clip(xmpp.NameOf(r.payload), maxProfile); name != "" && c.client.Snapshot().Name == "" {
		if err := c.s.Exchange.SetName(ctx, exchange.By{Who: c.jid.Bare, Client: c.client}, name); err != nil {
			return err
		}
	}
	c.result(r, nil)
	return nil
}

// vcardForbidden keeps others' hands off: XEP-0054 3.2.
func (c *conn) vcardForbidden(context.Context, *request) error {
	return xmpp.Refuse(xmpp.Forbidden, "")
}

// maxProfile is the greatest length of a value of a profile, in bytes.
const maxProfile = 200

// clip cuts a text to so many bytes, between characters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
