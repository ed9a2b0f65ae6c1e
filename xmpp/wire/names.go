package wire

// Namespaces.
const (
	NSClient  = "jabber:client"                       // RFC 6120 4.8.2
	NSServer  = "jabber:server"                       // RFC 6120 4.8.2
	NSStream  = "http://etherx.jabber.org/streams"    // RFC 6120 4.8.1
	NSTLS     = "urn:ietf:params:xml:ns:xmpp-tls"     // RFC 6120 5
	NSSASL    = "urn:ietf:params:xml:ns:xmpp-sasl"    // RFC 6120 6
	NSBind    = "urn:ietf:params:xml:ns:xmpp-bind"    // RFC 6120 7
	NSStreams = "urn:ietf:params:xml:ns:xmpp-streams" // conditions of stream errors, RFC 6120 4.9.2
	NSStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas" // conditions of stanza errors, RFC 6120 8.3.2
	NSSession = "urn:ietf:params:xml:ns:xmpp-session" // RFC 3921 3
	NSSASLCB  = "urn:xmpp:sasl-cb:0"                  // which channel bindings there are, XEP-0440 4

	NSRoster     = "jabber:iq:roster"               // RFC 6121 2
	NSRosterVer  = "urn:xmpp:features:rosterver"    // RFC 6121 2.6.1
	NSPreApprove = "urn:xmpp:features:pre-approval" // RFC 6121 3.4
	NSPrivacy    = "jabber:iq:privacy"              // XEP-0016
	NSBlocking   = "urn:xmpp:blocking"              // XEP-0191
	NSBlocked    = "urn:xmpp:blocking:errors"       // XEP-0191 3.3

	NSDiscoInfo  = "http://jabber.org/protocol/disco#info"  // XEP-0030 3
	NSDiscoItems = "http://jabber.org/protocol/disco#items" // XEP-0030 4
	NSCaps       = "http://jabber.org/protocol/caps"        // XEP-0115
	NSData       = "jabber:x:data"                          // XEP-0004
	NSContact    = "http://jabber.org/network/serverinfo"   // a form's FORM_TYPE, XEP-0157

	NSVCard       = "vcard-temp"                             // XEP-0054
	NSVCardUpdate = "vcard-temp:x:update"                    // XEP-0153
	NSVersion     = "jabber:iq:version"                      // XEP-0092
	NSTime        = "urn:xmpp:time"                          // XEP-0202
	NSLast        = "jabber:iq:last"                         // XEP-0012
	NSPrivate     = "jabber:iq:private"                      // XEP-0049
	NSSearch      = "jabber:iq:search"                       // XEP-0055
	NSRegister    = "jabber:iq:register"                     // XEP-0077
	NSRegistering = "http://jabber.org/features/iq-register" // the stream feature, XEP-0077
	NSPing        = "urn:xmpp:ping"                          // XEP-0199

	NSDelay      = "urn:xmpp:delay"                        // XEP-0203
	NSDelayOld   = "jabber:x:delay"                        // what XEP-0203 replaced
	NSStanzaID   = "urn:xmpp:sid:0"                        // XEP-0359
	NSHints      = "urn:xmpp:hints"                        // XEP-0334
	NSChatStates = "http://jabber.org/protocol/chatstates" // XEP-0085
	NSReceipts   = "urn:xmpp:receipts"                     // XEP-0184
	NSMarkers    = "urn:xmpp:chat-markers:0"               // XEP-0333
	NSNick       = "http://jabber.org/protocol/nick"       // a display name in presence and messages
	NSOffline    = "msgoffline"                            // the feature of keeping messages, XEP-0160

	NSMUC        = "http://jabber.org/protocol/muc"          // XEP-0045 7.2
	NSMUCUser    = "http://jabber.org/protocol/muc#user"     // XEP-0045 7
	NSMUCAdmin   = "http://jabber.org/protocol/muc#admin"    // XEP-0045 9
	NSMUCOwner   = "http://jabber.org/protocol/muc#owner"    // XEP-0045 10
	NSMUCInfo    = "http://jabber.org/protocol/muc#roominfo" // a form's FORM_TYPE, XEP-0045 6.4
	NSConference = "jabber:x:conference"                     // XEP-0249
)
