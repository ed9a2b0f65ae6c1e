package xmpp

import (
	"parley/xmltext"
	"parley/xmpp/wire"
)

// StreamCondition is why a stream ends, RFC 6120 4.9.3.
type StreamCondition string

// The conditions. Those that the service gives have their section.
const (
	StreamBadFormat              StreamCondition = "bad-format"           // RFC 6120 4.9.3.1
	StreamBadNamespacePrefix     StreamCondition = "bad-namespace-prefix" // RFC 6120 4.9.3.2
	StreamConflict               StreamCondition = "conflict"             // RFC 6120 4.9.3.3
	StreamConnectionTimeout      StreamCondition = "connection-timeout"   // RFC 6120 4.9.3.4
	StreamHostGone               StreamCondition = "host-gone"
	StreamHostUnknown            StreamCondition = "host-unknown" // RFC 6120 4.9.3.6
	StreamImproperAddressing     StreamCondition = "improper-addressing"
	StreamInternalServerError    StreamCondition = "internal-server-error" // RFC 6120 4.9.3.8
	StreamInvalidFrom            StreamCondition = "invalid-from"          // RFC 6120 4.9.3.9
	StreamInvalidNamespace       StreamCondition = "invalid-namespace"     // RFC 6120 4.9.3.10
	StreamInvalidXML             StreamCondition = "invalid-xml"
	StreamNotAuthorized          StreamCondition = "not-authorized"   // RFC 6120 4.9.3.12
	StreamNotWellFormed          StreamCondition = "not-well-formed"  // RFC 6120 4.9.3.13
	StreamPolicyViolation        StreamCondition = "policy-violation" // RFC 6120 4.9.3.14
	StreamRemoteConnectionFailed StreamCondition = "remote-connection-failed"
	StreamReset                  StreamCondition = "reset"
	StreamResourceConstraint     StreamCondition = "resource-constraint" // RFC 6120 4.9.3.17
	StreamRestrictedXML          StreamCondition = "restricted-xml"      // RFC 6120 4.9.3.18
	StreamSeeOtherHost           StreamCondition = "see-other-host"
	StreamSystemShutdown         StreamCondition = "system-shutdown" // RFC 6120 4.9.3.20
	StreamUndefinedCondition     StreamCondition = "undefined-condition"
	StreamUnsupportedEncoding    StreamCondition = "unsupported-encoding" // RFC 6120 4.9.3.22
	StreamUnsupportedFeature     StreamCondition = "unsupported-feature"
	StreamUnsupportedStanzaType  StreamCondition = "unsupported-stanza-type" // RFC 6120 4.9.3.24
	StreamUnsupportedVersion     StreamCondition = "unsupported-version"     // RFC 6120 4.9.3.25
)

// StreamError ends a stream, RFC 6120 4.9.
type StreamError struct {
	Condition StreamCondition
	Text      string // in English; "" is none
}

// Error is for logs.
func (e *StreamError) Error() string {
	if e.Text == "" {
		return "xmpp: stream: " + string(e.Condition)
	}
	return "xmpp: stream: " + string(e.Condition) + ": " + e.Text
}

// Append writes the stream:error element, RFC 6120 4.9.2.
func (e *StreamError) Append(dst []byte) []byte {
	b := xmltext.Build(dst)
	b.Start("stream:error")
	b.Start(string(e.Condition)).Attr("xmlns", wire.NSStreams).End()
	if e.Text != "" {
		b.Start("text").Attr("xmlns", wire.NSStreams).Attr("xml:lang", "en").Text(e.Text).End()
	}
	return b.Bytes()
}

// StreamErrorOf is what a client is told whose XML was refused: RFC 6120 4.9.3.13, 4.9.3.14, 4.9.3.18, 4.9.3.22. The
// text tells what was found and nothing of what the client wrote.
func StreamErrorOf(e *xmltext.Error) *StreamError {
	c := StreamNotWellFormed
	switch e.Kind {
	case xmltext.Restricted:
		c = StreamRestrictedXML
	case xmltext.BadEncoding:
		c = StreamUnsupportedEncoding
	case xmltext.TooLarge:
		c = StreamPolicyViolation
	}
	return &StreamError{c, e.What}
}
