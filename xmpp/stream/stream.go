// Package stream is an XML stream over a connection (RFC 6120 4): headers, what is right below the root one
// element after the other, and the errors that end it. It knows nothing of what is said in it.
package stream

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"parley/listen"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// Shared is what all streams of a door share.
type Shared struct {
	listen.Shared
	XML xmltext.Limits // of each element
}

// Stream is one XML stream after another over one connection. Its methods belong to the goroutine that reads it,
// but for Fail and what Link says.
type Stream struct {
	listen.Link
	// From is the domain that the header names, To who opened it, Lang the language that it gave; set by Opened.
	From, Lang string

	s      *Shared
	scan   xmltext.Scanner
	doc    *xmltext.Doc // of the pool; held while an element is looked at, or a part of one waits
	used   int          // bytes of the last event, still pending
	opened bool         // our header was sent
	inside bool         // theirs came
}

var docs = sync.Pool{New: func() any { return new(xmltext.Doc) }}

// New makes a stream of a connection; leave and over are listen.Link's.
func New(c net.Conn, s *Shared, leave, over func()) *Stream {
	t := &Stream{s: s, scan: xmltext.Scanner{Limits: s.XML}}
	t.Open(c, &s.Shared, leave, over)
	return t
}

// Next gives what comes next; the node is good until Next is called again. An error ends the connection, but
// for listen.ErrParked; what the stream has to say about it has been queued.
func (t *Stream) Next(ctx context.Context) (xmltext.Event, xmltext.Node, error) {
	t.forget()
	for {
		if t.Ending() {
			t.release()
			return xmltext.More, xmltext.Node{}, t.Drain()
		}
		if t.doc == nil {
			t.doc = docs.Get().(*xmltext.Doc)
		}
		n, e, err := t.scan.Next(t.doc, t.Pending())
		if err != nil {
			t.malformed(err)
			continue
		}
		if e != xmltext.More {
			t.used = n
			t.Counted()
			if e == xmltext.Header {
				t.inside = true
			}
			return e, t.doc.Root(), nil
		}
		t.Consume(n)
		if len(t.Pending()) == 0 {
			t.release()
		}
		if err := t.Await(ctx); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) && !t.Ending() { // of the login: RFC 6120 4.6.3
				t.Fail(&xmpp.StreamError{Condition: xmpp.StreamPolicyViolation, Text: "the login took too long"})
				continue
			}
			return xmltext.More, xmltext.Node{}, err
		}
	}
}

// forget drops the last event's bytes.
func (t *Stream) forget() {
	t.Consume(t.used)
	t.used = 0
}

func (t *Stream) release() {
	if t.doc != nil {
		t.doc.Reset()
		docs.Put(t.doc)
		t.doc = nil
	}
}

// malformed ends the stream for what cannot be read: RFC 6120 4.9.3, 11. Blanks may stand anywhere, and mean nothing
// (RFC 6120 11.7); other text between stanzas is bad-format, RFC 6120 4.9.3.1, for it breaks no rule of XML.
func (t *Stream) malformed(err error) {
	var x *xmltext.Error
	errors.As(err, &x)
	t.s.Log.Warn("unreadable", "remote", t.RemoteAddr(), "err", err)
	if x.Kind == xmltext.TooLarge {
		t.Hit(limitOf(x))
	}
	wrong := xmpp.StreamErrorOf(x)
	if t.inside && x.Outside() {
		wrong.Condition = xmpp.StreamBadFormat
	}
	t.Fail(wrong)
	t.Consume(len(t.Pending()))
}

// limitOf is the key below [limits] that a stanza went beyond.
func limitOf(x *xmltext.Error) string {
	switch x.Limit() {
	case "Depth":
		return "stanza_depth"
	case "Attrs":
		return "stanza_attributes"
	case "Nodes":
		return "stanza_nodes"
	}
	return "stanza"
}

// Restart makes ready for a new stream, after TLS or SASL was negotiated: RFC 6120 5.4.3.3, 6.4.6. What the client sent
// before it saw our answer is dropped if it is blank; otherwise the old stream stays, to be ended with an error.
func (t *Stream) Restart() (clean bool) {
	t.forget()
	t.release()
	b := t.Pending()
	n := 0
	for n < len(b) && (b[n] == ' ' || b[n] == '\n' || b[n] == '\r' || b[n] == '\t') {
		n++
	}
	if n < len(b) {
		return false
	}
	t.Consume(n)
	t.scan.Reset()
	t.opened, t.inside = false, false
	return true
}

// Header is what a stream's header says: RFC 6120 4.7.
type Header struct {
	To, From, Lang, Version string
}

// ReadHeader checks a client's stream header and takes it apart: RFC 6120 4.7, 4.8, 4.9.3. Any prefix of the streams'
// namespace will do, and a standalone declaration before it means nothing: RFC 6120 4.8.5, 11.5.
//
// Deviates from RFC 6120 4.8.5: a header that declares more than it needs is let be. What a stanza uses of it is
// declared in the stanza where it goes on.
func (t *Stream) ReadHeader(n xmltext.Node) (Header, *xmpp.StreamError) {
	var h Header
	attr := func(space, name string) string { v, _ := n.Attr(space, name); return string(v) }
	h.To, h.From, h.Version, h.Lang = attr("", "to"), attr("", "from"), attr("", "version"), attr(xmltext.XML, "lang")
	space, ok := t.scan.Context().Space("")
	switch {
	case string(n.Local()) != "stream":
		return h, &xmpp.StreamError{Condition: xmpp.StreamBadFormat}
	case string(n.Space()) != wire.NSStream:
		return h, &xmpp.StreamError{Condition: xmpp.StreamInvalidNamespace}
	case !ok || space != wire.NSClient:
		return h, &xmpp.StreamError{Condition: xmpp.StreamInvalidNamespace}
	case major(h.Version) < 1:
		return h, &xmpp.StreamError{Condition: xmpp.StreamUnsupportedVersion}
	}
	return h, nil
}

// version is the one that is spoken here, and the highest that an answer names.
const version = "1.0"

// major is the first number of a version; 0 for one that is none. Zeros before it mean nothing: RFC 6120 4.7.5.
func major(version string) int {
	s, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// OpenHeader sends our header, which answers h: RFC 6120 4.7, 4.8.2, 11.5, 11.8. from is the domain that the client came
// for, RFC 6120 4.7.1. To whom it is is what the client's from says, as a bare address, RFC 6120 4.7.2. The language is
// ours, whatever the client's: RFC 6120 4.7.4. The version is theirs if it is the lower one, and none if they have none:
// RFC 6120 4.7.5.
func (t *Stream) OpenHeader(from string, h Header) {
	if t.opened {
		return
	}
	t.opened, t.From = true, from
	var id [12]byte
	rand.Read(id[:]) // unpredictable: RFC 6120 4.7.3
	b := make([]byte, 0, 256)
	b = append(b, "<?xml version='1.0'?><stream:stream xmlns='"+wire.NSClient+"' xmlns:stream='"+wire.NSStream+"' xml:lang='en'"...)
	switch {
	case h.Version == "":
	case major(h.Version) < 1:
		b = xmltext.AppendAttr(b, "version", h.Version)
	default:
		b = xmltext.AppendAttr(b, "version", version)
	}
	b = xmltext.AppendAttr(b, "id", hex.EncodeToString(id[:]))
	b = xmltext.AppendAttr(b, "from", from)
	if to, err := xmpp.ParseJID(h.From); err == nil {
		b = xmltext.AppendAttr(b, "to", to.Bare.String())
	}
	t.Queue(append(b, '>'))
}

// Fail ends the stream with an error: RFC 6120 4.9.1.1, 4.9.2. nil closes it without one: 4.4. For anybody once the header was sent.
func (t *Stream) Fail(e *xmpp.StreamError) {
	if !t.opened && !t.Ending() {
		t.OpenHeader(t.From, Header{Version: version}) // an error cannot stand without a header: RFC 6120 4.9.1.2
	}
	var b []byte
	if e != nil {
		b = e.Append(b)
	}
	t.Hangup(string(append(b, "</stream:stream>"...)))
}

// Release gives everything back; called once when its reader ends.
func (t *Stream) Release() {
	t.release()
	t.Link.Release()
}
