package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"testing"
	"time"

	"parley/credential"
	msnplays "parley/msnp/plays"
	"parley/xmltext"
	"parley/xmpp/client"
	xmppplays "parley/xmpp/plays"
	"parley/xmpp/wire"
)

// crowd are those who have an account where XMPP is treated badly.
func crowd() map[string]string {
	people := maps.Clone(msnplays.People)
	people["erin"], people["frank"] = "Erin", "Frank"
	return people
}

// newXMPPTarget is a newTarget that listens for XMPP as well, and lets passwords go without TLS.
func newXMPPTarget(t *testing.T, template string, set ...string) *stage {
	t.Helper()
	return newTargetAt(t, template, []string{"msnp", "http", "xmpp", "xmpps"}, append([]string{"xmpp.plain=loopback"}, set...)...)
}

// visitor is somebody who behaves, on XMPP.
type visitor struct {
	*client.Client
	box *client.Inbox
}

// visitor logs in, reads the roster and is available.
func (s *stage) visitor(t *testing.T, name, resource string) visitor {
	t.Helper()
	ctx, cancel := patient()
	defer cancel()
	v := visitor{box: &client.Inbox{}}
	var err error
	v.Client, err = client.Dial(ctx, client.Config{Address: s.at["xmpp"], Domain: msnplays.Domain, User: name, Resource: resource,
		Password: credential.NewSecret(msnplays.Password), Security: client.Plain, Event: v.box.Put})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	if _, err := v.Roster(ctx); err != nil {
		t.Fatal(err)
	}
	if err := v.SetPresence(client.Shown{}); err != nil {
		t.Fatal(err)
	}
	if err := v.Ping(ctx, ""); err != nil {
		t.Fatal(err)
	}
	return v
}

// startXMPPFlow has two people talk on XMPP, message by message.
func startXMPPFlow(t *testing.T, from, to visitor) *flow {
	t.Helper()
	return keepTalking(t, func(ctx context.Context, text string) error {
		if _, err := from.Say(to.JID(), text); err != nil {
			return err
		}
		_, err := client.Await(ctx, to.box, func(m client.Message) bool { return m.Body == text })
		return err
	})
}

// heard is what a server says, thing by thing, in a few words: "iq:error:bad-request".
func heard(thing string) string {
	if strings.HasPrefix(thing, "</") {
		return "end"
	}
	if strings.HasPrefix(thing, "<stream:stream") {
		return "header"
	}
	doc := "<stream:stream xmlns='" + wire.NSClient + "' xmlns:stream='" + wire.NSStream + "'>" + thing + "</stream:stream>"
	d, err := xmltext.Parse([]byte(doc), xmltext.Limits{Bytes: 1 << 24, Nodes: 1 << 20})
	if err != nil {
		return fmt.Sprintf("(%q: %v)", thing, err)
	}
	n := d.Root().FirstChild()
	words := []string{string(n.Local())}
	if n.Is(wire.NSStream, "error") || string(n.Local()) == "failure" {
		return words[0] + ":" + string(n.FirstChild().Local())
	}
	if typ, ok := n.Attr("", "type"); ok {
		words = append(words, string(typ))
	}
	if e := n.Child(wire.NSClient, "error"); e.Ok() {
		words = append(words, string(e.FirstChild().Local()))
	}
	return strings.Join(words, ":")
}

// The states in which a client of TestBadXMPP begins. What brings it there is answered and read.
const (
	silent  = ""       // connected
	begun   = "stream" // the stream is open, without TLS
	secured = "tls"    // the stream is open, under TLS
	proved  = "proved" // logged in, without a resource
	within  = "in"     // with a resource
	around  = "online" // and seen by others
)

// newXMPPLine is a connection in a state.
func newXMPPLine(s *stage, state string) (net.Conn, error) {
	dial := xmppplays.Door(s, false).Dial
	switch state {
	case secured:
		return dial("carol", "tls stream")
	case proved:
		c, err := dial("carol", "stream")
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(c, "<auth xmlns='"+wire.NSSASL+"' mechanism='PLAIN'>"+plainData("", "carol", msnplays.Password)+"</auth>"); err != nil {
			return nil, err
		}
		r := bufio.NewReader(c)
		if _, err := xmppplays.Codec.Read(r); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(c, header); err != nil {
			return nil, err
		}
		for range 2 {
			if _, err := xmppplays.Codec.Read(r); err != nil {
				return nil, err
			}
		}
		return c, nil
	}
	return dial("carol", state)
}

// header begins a stream as it should be.
const header = "<stream:stream to='" + msnplays.Domain + "' version='1.0' xmlns='" + wire.NSClient + "' xmlns:stream='" + wire.NSStream + "'>"

// plainData is what PLAIN says, RFC 4616 2.
func plainData(authzid, user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(authzid + "\x00" + user + "\x00" + password))
}

// auth begins SASL with an initial response.
func auth(mechanism, data string) string {
	return "<auth xmlns='" + wire.NSSASL + "' mechanism='" + mechanism + "'>" + base64.StdEncoding.EncodeToString([]byte(data)) + "</auth>"
}

// response goes on with it.
func response(data string) string {
	return "<response xmlns='" + wire.NSSASL + "'>" + base64.StdEncoding.EncodeToString([]byte(data)) + "</response>"
}

// badXMPP is something that no client should say, and what is answered.
type badXMPP struct {
	name, state, say string
	hear             string // words of heard; "end" last: the service closes the stream
}

// billion is a document that would grow to gigabytes, if entities were known.
const billion = "<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>" + header

// streamErrors are what ends a stream.
var streamErrors = []badXMPP{
	// What is no XML, RFC 6120 4.9.3.13, 11.3.
	{"noise", silent, "\x01\x02\x03\r\n", "header error:not-well-formed end"},
	{"HTTP", silent, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "header error:not-well-formed end"},
	{"MSNP", silent, "VER 1 MSNP2 CVR0\r\n", "header error:not-well-formed end"},
	{"crossed tags", within, "<message><body></message></body>", "error:not-well-formed end"},
	{"two attributes of one name", within, "<message to='a@b' to='c@d'/>", "error:not-well-formed end"},
	{"a prefix that is not declared", within, "<message><x:y/></message>", "error:not-well-formed end"},
	{"text between stanzas", within, "hello<presence/>", "error:bad-format end"}, // RFC 6120 4.9.3.1
	{"text before the login", begun, "hello", "error:bad-format end"},
	{"a character that XML does not have", within, "<message><body>&#0;</body></message>", "error:not-well-formed end"},
	{"an end of something else", within, "</stream>", "error:not-well-formed end"},
	{"a mark of the byte order", silent, "\ufeff" + header, "header error:not-well-formed end"},
	{"a header of XML 2", silent, "<?xml version='2.0'?>" + header, "header error:not-well-formed end"},

	// XML that is not for streams, RFC 6120 4.9.3.18, 11.1.
	{"billion laughs", silent, billion, "header error:restricted-xml end"},
	{"a document type", silent, "<!DOCTYPE stream SYSTEM 'file:///etc/passwd'>" + header, "header error:restricted-xml end"},
	{"an entity in a message", within, "<message to='erin@example.com'><body>&lol;</body></message>", "error:restricted-xml end"},
	{"a comment", within, "<message><!-- hello --></message>", "error:restricted-xml end"},
	{"a comment between stanzas", within, "<!-- hello --><presence/>", "error:restricted-xml end"},
	{"a processing instruction", within, "<?php echo 1 ?>", "error:restricted-xml end"},
	{"a processing instruction in a message", within, "<message><body><?x?></body></message>", "error:restricted-xml end"},

	// Bytes that are no UTF-8, RFC 6120 4.9.3.22, 11.6.
	{"UTF-16", silent, "\xff\xfe<\x00?\x00x\x00m\x00l\x00", "header error:unsupported-encoding end"},
	{"Latin-1 by name", silent, "<?xml version='1.0' encoding='ISO-8859-1'?>" + header, "header error:unsupported-encoding end"},
	{"half a character", within, "<message to='erin@example.com'><body>caf\xc3</body></message>", "error:unsupported-encoding end"},
	{"a character in too many bytes", within, "<message><body>\xc0\xaf</body></message>", "error:unsupported-encoding end"},
	{"half of a surrogate pair", within, "<message><body>\xed\xa0\x80</body></message>", "error:unsupported-encoding end"},

	// Headers, RFC 6120 4.7, 4.8, 4.9.3.
	{"no header", silent, "<message xmlns='jabber:client' to='erin@example.com'><body>x</body></message>", "header error:bad-format end"},
	{"another namespace of streams", silent, "<stream:stream to='example.com' version='1.0' xmlns='jabber:client' xmlns:stream='http://example.com/streams'>", "header error:invalid-namespace end"},
	{"a server's namespace", silent, "<stream:stream to='example.com' version='1.0' xmlns='jabber:server' xmlns:stream='" + wire.NSStream + "'>", "header error:invalid-namespace end"},
	{"no version", silent, "<stream:stream to='example.com' xmlns='jabber:client' xmlns:stream='" + wire.NSStream + "'>", "header error:unsupported-version end"},
	{"another host", silent, "<stream:stream to='example.net' version='1.0' xmlns='jabber:client' xmlns:stream='" + wire.NSStream + "'>", "header error:host-unknown end"},
	{"no host", silent, "<stream:stream version='1.0' xmlns='jabber:client' xmlns:stream='" + wire.NSStream + "'>", "header error:host-unknown end"},
	{"a host that is no name", silent, "<stream:stream to='\u2028@@/' version='1.0' xmlns='jabber:client' xmlns:stream='" + wire.NSStream + "'>", "header error:host-unknown end"},
	{"a second header", begun, "<?xml version='1.0'?>" + header, "error:restricted-xml end"},
	{"a second header after the login", within, "<?xml version='1.0'?>" + header, "error:restricted-xml end"},
	{"a stream in a stream", begun, header + "</stream:stream>", "error:not-authorized end"},
	{"a stream in a stream after the login", within, header + "</stream:stream>", "error:unsupported-stanza-type end"},
	{"another host under TLS", secured, "</stream:stream>", "end"},

	// What comes too early or too late, RFC 6120 4.9.3.12, 4.9.3.24.
	{"a message before the login", begun, "<message to='erin@example.com'><body>x</body></message>", "error:not-authorized end"},
	{"presence before the login", begun, "<presence/>", "error:not-authorized end"},
	{"a query before the login", begun, "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>", "error:not-authorized end"},
	{"a resource before the login", begun, "<iq type='set' id='1'><bind xmlns='" + wire.NSBind + "'/></iq>", "error:not-authorized end"},
	{"something unknown before the login", begun, "<x xmlns='example:x'/>", "error:not-authorized end"},
	{"a message before there is a resource", proved, "<message to='erin@example.com'><body>x</body></message>", "error:not-authorized end"},
	{"presence before there is a resource", proved, "<presence/>", "error:not-authorized end"},
	{"a query before there is a resource", proved, "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>", "error:not-authorized end"},
	{"a login before there is a resource", proved, auth("PLAIN", "\x00bob\x00secret"), "error:not-authorized end"},
	{"a login after the login", within, auth("PLAIN", "\x00bob\x00secret"), "error:unsupported-stanza-type end"},
	{"TLS after the login", within, "<starttls xmlns='" + wire.NSTLS + "'/>", "error:unsupported-stanza-type end"},
	{"something unknown", within, "<x xmlns='example:x'/>", "error:unsupported-stanza-type end"},
	{"a message of another namespace", within, "<message xmlns='example:x' to='erin@example.com'><body>x</body></message>", "error:unsupported-stanza-type end"},
	{"a message of servers", within, "<message xmlns='jabber:server' to='erin@example.com'><body>x</body></message>", "error:invalid-namespace end"},
	{"a message with a prefix", within, "<c:message xmlns:c='jabber:client' to='erin@example.com'><body>x</body></c:message>", "error:bad-namespace-prefix end"},
	{"words with a prefix", within, "<message xmlns:c='jabber:client' to='erin@example.com'><c:body>x</c:body></message>", "error:bad-namespace-prefix end"},
	{"a prefix that looks like the name", within, "<message:message xmlns:message='jabber:client' to='erin@example.com'/>", "error:bad-namespace-prefix end"},

	// Plain text behind the beginning of TLS is not carried over into it: RFC 6120 5.4.3.3; likewise behind SASL, 6.4.6.
	{"plain text behind starttls", begun, "<starttls xmlns='" + wire.NSTLS + "'/>" + auth("PLAIN", "\x00carol\x00secret"), "error:policy-violation end"},
	{"a header behind starttls", begun, "<starttls xmlns='" + wire.NSTLS + "'/>" + header, "error:policy-violation end"},
	{"TLS within TLS", secured, "<starttls xmlns='" + wire.NSTLS + "'/>", "failure: end"},
	{"a header behind the login", begun, auth("PLAIN", "\x00carol\x00secret") + header, "error:policy-violation end"},

	// Addresses that belong to others, RFC 6120 4.9.3.9.
	{"a message from somebody else", within, "<message from='erin@example.com' to='frank@example.com'><body>x</body></message>", "error:invalid-from end"},
	{"presence from somebody else", within, "<presence from='erin@example.com/home'/>", "error:invalid-from end"},
	{"a query from another resource", within, "<iq from='carol@example.com/other' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "error:invalid-from end"},
	{"a message from the service", within, "<message from='example.com' to='erin@example.com'><body>x</body></message>", "error:invalid-from end"},
	{"a message from no address", within, "<message from='@@@' to='erin@example.com'><body>x</body></message>", "error:invalid-from end"},

	// Too much of something, RFC 6120 4.9.3.14.
	{"a huge stanza", within, "<message to='erin@example.com'><body>" + strings.Repeat("x", 300<<10) + "</body></message>", "error:policy-violation end"},
	{"a megabyte before the login", begun, "<x>" + strings.Repeat("y", 1<<20), "error:policy-violation end"},
	{"a megabyte of a name", within, "<" + strings.Repeat("n", 1<<20), "error:policy-violation end"},
	{"a megabyte of a header", silent, "<stream:stream to='" + strings.Repeat("x", 1<<20), "header error:policy-violation end"},
	{"a megabyte of blanks in a tag", within, "<message" + strings.Repeat(" ", 1<<20) + "/>", "error:policy-violation end"},
	{"a megabyte of a resource", proved, "<iq type='set' id='1'><bind xmlns='" + wire.NSBind + "'><resource>" + strings.Repeat("r", 1<<20) + "</resource></bind></iq>", "error:policy-violation end"},
	{"elements in elements", within, "<message>" + strings.Repeat("<x>", 1000), "error:policy-violation end"},
	{"many elements", within, "<message>" + strings.Repeat("<x/>", 20000) + "</message>", "error:policy-violation end"},
	{"many attributes", within, "<message" + manyAttributes(1000, " a%d='x'") + "/>", "error:policy-violation end"},
	{"many namespaces", within, "<message" + manyAttributes(1000, " xmlns:a%d='x'") + "/>", "error:policy-violation end"},
	{"a long name", within, "<message><" + strings.Repeat("n", 5000) + "/></message>", "error:policy-violation end"},
	{"a long reference", within, "<message><body>&#" + strings.Repeat("0", 5000) + "65;</body></message>", "error:policy-violation end"},
}

func manyAttributes(n int, form string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, form, i)
	}
	return b.String()
}

// loginErrors are logins that are refused, and what comes after them.
var loginErrors = []badXMPP{
	{"an unknown mechanism", begun, auth("DIGEST-MD5", ""), "failure:invalid-mechanism"},                                                                               // RFC 6120 6.5.7
	{"a mechanism in small letters", begun, auth("plain", "\x00carol\x00secret"), "failure:invalid-mechanism"},                                                         // RFC 6120 6.5.7
	{"no mechanism", begun, "<auth xmlns='" + wire.NSSASL + "'/>", "failure:invalid-mechanism"},                                                                        // RFC 6120 6.5.7
	{"a mechanism for TLS without it", begun, auth("SCRAM-SHA-1-PLUS", "p=tls-exporter,,n=carol,r=x"), "failure:invalid-mechanism"},                                    // RFC 6120 6.5.7
	{"no base64", begun, "<auth xmlns='" + wire.NSSASL + "' mechanism='PLAIN'>***</auth>", "failure:incorrect-encoding"},                                               // RFC 6120 6.5.5
	{"base64 with blanks", begun, "<auth xmlns='" + wire.NSSASL + "' mechanism='PLAIN'>AGE\nAGI=</auth>", "failure:incorrect-encoding"},                                // RFC 6120 6.5.5, 13.9.1
	{"base64 without its end", begun, "<auth xmlns='" + wire.NSSASL + "' mechanism='PLAIN'>AGEAYg</auth>", "failure:incorrect-encoding"},                               // RFC 6120 6.5.5
	{"nothing where PLAIN has something", begun, "<auth xmlns='" + wire.NSSASL + "' mechanism='PLAIN'>=</auth>", "failure:malformed-request"},                          // RFC 6120 6.4.2, 6.5.8
	{"nothing where SCRAM has something", begun, "<auth xmlns='" + wire.NSSASL + "' mechanism='SCRAM-SHA-1'>=</auth>", "failure:malformed-request"},                    // RFC 6120 6.4.2, 6.5.8
	{"a response to nothing", begun, response("x"), "failure:malformed-request"},                                                                                       // RFC 6120 6.5.8
	{"giving up", begun, "<abort xmlns='" + wire.NSSASL + "'/>", "failure:aborted"},                                                                                    // RFC 6120 6.4.4
	{"PLAIN without a NUL", begun, auth("PLAIN", "carol secret"), "failure:malformed-request"},                                                                         // RFC 4616 2
	{"PLAIN with a wrong password", begun, auth("PLAIN", "\x00carol\x00wrong"), "failure:not-authorized"},                                                              // RFC 6120 6.5.10
	{"PLAIN with nobody's name", begun, auth("PLAIN", "\x00nobody\x00secret"), "failure:not-authorized"},                                                               // RFC 6120 6.5.10
	{"PLAIN in somebody else's name", begun, auth("PLAIN", "erin@example.com\x00carol\x00secret"), "failure:invalid-authzid"},                                          // RFC 6120 6.3.8, 6.5.6
	{"PLAIN for another domain", begun, auth("PLAIN", "\x00carol@example.net\x00secret"), "failure:not-authorized"},                                                    // RFC 6120 6.5.10
	{"PLAIN of no encoding", begun, auth("PLAIN", "\x00car\xffol\x00secret"), "failure:malformed-request"},                                                             // RFC 4616 2
	{"SCRAM that must be understood", begun, auth("SCRAM-SHA-1", "n,,m=x,n=carol,r=abc"), "failure:malformed-request"},                                                 // RFC 5802 5.1
	{"SCRAM without a nonce", begun, auth("SCRAM-SHA-1", "n,,n=carol"), "failure:malformed-request"},                                                                   // RFC 5802 7
	{"SCRAM with a name that cannot be read", begun, auth("SCRAM-SHA-1", "n,,n=ca=rol,r=abc"), "failure:malformed-request"},                                            // RFC 5802 5.1
	{"SCRAM with a binding of nothing", begun, auth("SCRAM-SHA-1", "p=,,n=carol,r=abc"), "failure:malformed-request"},                                                  // RFC 5802 7
	{"SCRAM with TLS's binding and no PLUS", secured, auth("SCRAM-SHA-1", "p=tls-exporter,,n=carol,r=abc"), "failure:malformed-request"},                               // RFC 5802 6
	{"SCRAM from a list that was cut", secured, auth("SCRAM-SHA-1", "y,,n=carol,r=abc"), "failure:not-authorized"},                                                     // RFC 5802 6
	{"PLUS without a binding", secured, auth("SCRAM-SHA-1-PLUS", "n,,n=carol,r=abc"), "failure:malformed-request"},                                                     // RFC 5802 6
	{"PLUS with an unknown binding", secured, auth("SCRAM-SHA-1-PLUS", "p=tls-unique,,n=carol,r=abc"), "failure:not-authorized"},                                       // RFC 5802 6
	{"SCRAM with a proof of nothing", begun, auth("SCRAM-SHA-1", "n,,n=carol,r=abc") + response("c=biws,r=abc,p="), "challenge failure:malformed-request"},             // RFC 5802 7
	{"SCRAM with the nonce repeated only", begun, auth("SCRAM-SHA-1", "n,,n=carol,r=abc") + response("c=biws,r=abc,p="+zeros(20)), "challenge failure:not-authorized"}, // RFC 5802 5.1
	{"SCRAM with a response to no challenge", begun, auth("SCRAM-SHA-256", "n,,n=nobody,r=abc") + response("hello"), "challenge failure:malformed-request"},            // RFC 5802 7
	{"five wrong ones", begun, strings.Repeat(auth("PLAIN", "\x00carol\x00wrong"), 5),
		strings.Repeat("failure:not-authorized ", 5) + "error:policy-violation end"}, // RFC 6120 6.4.5
}

func zeros(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }

const (
	ping   = "<ping xmlns='urn:xmpp:ping'/>"
	roster = "<query xmlns='jabber:iq:roster'><item jid='evil@example.com'/></query>"
)

// stanzaErrors are stanzas that come back; the stream goes on.
var stanzaErrors = []badXMPP{
	// Queries, RFC 6120 8.2.3.
	{"a query without an id", within, "<iq type='get'>" + ping + "</iq>", "iq:error:bad-request"},
	{"a query without a type", within, "<iq id='1'>" + ping + "</iq>", "iq:error:bad-request"},
	{"a query of an unknown type", within, "<iq type='put' id='1'>" + ping + "</iq>", "iq:error:bad-request"},
	{"a query about nothing", within, "<iq type='get' id='1'/>", "iq:error:bad-request"},
	{"a query about two things", within, "<iq type='get' id='1'>" + ping + ping + "</iq>", "iq:error:bad-request"},
	{"a query of an unknown namespace", within, "<iq type='get' id='1'><x xmlns='example:x'/></iq>", "iq:error:service-unavailable"},
	{"a query of the wrong type", within, "<iq type='set' id='1'>" + ping + "</iq>", "iq:error:service-unavailable"},
	{"a result that nobody asked for", within, "<iq type='result' id='1'/><iq type='result' to='example.com' id='2'/><iq type='result' to='erin@example.com' id='3'/>", ""},
	{"a result to somebody who is not there", within, "<iq type='result' to='erin@example.com/nowhere' id='3'/><iq type='error' to='dave@example.com/x' id='4'/>", ""},
	{"a result that somebody did not ask for", within, "<iq type='result' to='erin@example.com/flow' id='1'>" + roster + "</iq>", ""},

	// Rosters of others, RFC 6121 2.1.6, 2.3.
	{"a roster push to somebody", within, "<iq type='set' id='1' to='erin@example.com/flow'>" + roster + "</iq>", "iq:error:service-unavailable"},
	{"a roster set for somebody", within, "<iq type='set' id='1' to='erin@example.com'>" + roster + "</iq>", "iq:error:service-unavailable"},
	{"a roster set for the service", within, "<iq type='set' id='1' to='example.com'>" + roster + "</iq>", "iq:error:service-unavailable"},
	{"a roster set of two", within, "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='a@example.com'/><item jid='b@example.com'/></query></iq>", "iq:error:bad-request"},
	{"a roster set of nobody", within, "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='@'/></query></iq>", "iq:error:jid-malformed"},

	// Resources, RFC 6120 7.6, 7.7.
	{"a second resource", within, "<iq type='set' id='1'><bind xmlns='" + wire.NSBind + "'/></iq>", "iq:error:not-allowed"},
	{"a resource that is none", proved, "<iq type='set' id='1'><bind xmlns='" + wire.NSBind + "'><resource>a\u0007b</resource></bind></iq>", "error:not-well-formed end"},
	{"a resource that is too long", proved, "<iq type='set' id='1'><bind xmlns='" + wire.NSBind + "'><resource>" + strings.Repeat("r", 1024) + "</resource></bind></iq>", "iq:error:bad-request"},

	// Addresses, RFC 6120 8.3.3.8, 8.3.3.16.
	{"a message to no address", within, "<message to='@example.com'><body>x</body></message>", "message:error:jid-malformed"},
	{"a message to two at signs", within, "<message to='a@@b'><body>x</body></message>", "message:error:jid-malformed"},
	{"a message to an empty resource", within, "<message to='erin@example.com/'><body>x</body></message>", "message:error:jid-malformed"},
	{"a message to a long resource", within, "<message to='erin@example.com/" + strings.Repeat("r", 2000) + "'><body>x</body></message>", "message:error:jid-malformed"},
	{"presence to no address", within, "<presence to='a b@example.com'/>", "presence:error:jid-malformed"},
	{"a query to no address", within, "<iq type='get' id='1' to='\u0130@'>" + ping + "</iq>", "iq:error:jid-malformed"},
	{"a message to another domain", within, "<message to='somebody@example.net'><body>x</body></message>", "message:error:remote-server-not-found"},
	{"a query to another domain", within, "<iq type='get' id='1' to='example.net'>" + ping + "</iq>", "iq:error:remote-server-not-found"},
	{"presence to another domain", within, "<presence to='somebody@example.net'/>", "presence:error:remote-server-not-found"},
	{"a request to another domain", within, "<presence type='subscribe' to='somebody@example.net'/>", "presence:error:remote-server-not-found"},

	// Messages and presence, RFC 6121 4.7.1, 5.2.2, 8.5.
	{"a message to the service", within, "<message to='example.com'><body>x</body></message>", "message:error:service-unavailable"},
	{"a room's message to a person", within, "<message type='groupchat' to='erin@example.com'><body>x</body></message>", "message:error:service-unavailable"},
	{"errors are not answered", within, "<message type='error' to='nobody@example.com'/><message type='error' to='@@'/><presence type='error' to='x@example.net'/><iq type='error' id='1' to='@@'/>", ""},
	{"presence of an unknown type", within, "<presence type='here'/>", "presence:error:bad-request"},
	{"presence with an unknown show", within, "<presence><show>sleepy</show></presence>", "presence:error:bad-request"},
	{"a priority beyond", within, "<presence><priority>1000</priority></presence>", "presence:error:bad-request"},
}

// TestBadXMPP: whoever says what cannot be read on XMPP, or does not belong there, gets the error that RFC 6120 and 6121
// have for it; and nobody else notices.
func TestBadXMPP(t *testing.T) {
	s := newXMPPTarget(t, makeTemplate(t, msnplays.Domain, msnplays.Password, crowd()),
		"limits.login_failures=1000", "limits.login_failures_per_network=1000")
	erin := s.visitor(t, "erin", "flow")
	f := startXMPPFlow(t, s.visitor(t, "frank", "flow"), erin)
	for _, group := range [][]badXMPP{streamErrors, loginErrors, stanzaErrors} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				nc, err := newXMPPLine(s, c.state)
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				if got := sayBadly(nc, c); got != c.hear {
					t.Errorf("heard %q, want %q", got, c.hear)
				}
			})
			f.goesOn(t, c.name)
		}
	}
	if l := erin.Items(); len(l) > 0 {
		t.Errorf("somebody else wrote the roster: %v", l)
	}
	s.atMost(t, "after all of it", 150)
	f.stop()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// sayBadly says it, and gives what was heard. Where the stream goes on it is ended in order, when as much came as was
// wanted; that is not told.
func sayBadly(nc net.Conn, c badXMPP) string {
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	wanted := len(strings.Fields(c.hear))
	ends := strings.HasSuffix(c.hear, "end")
	if _, err := io.WriteString(nc, c.say); err != nil && !ends {
		return err.Error()
	}
	var words []string
	for r := bufio.NewReader(nc); ; {
		if len(words) == wanted && !ends {
			ends = true
			io.WriteString(nc, "</stream:stream>")
		}
		thing, err := xmppplays.Codec.Read(r)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				words = append(words, err.Error())
			}
			break
		}
		words = append(words, heard(thing))
	}
	if n := len(words); n == wanted+1 && words[n-1] == "end" {
		words = words[:n-1]
	}
	return strings.Join(words, " ")
}
