package xmpp

import (
	"parley/xmltext"
	"parley/xmpp/wire"
)

// StreamCondition is why a stream ends, RFC 6120 4.9.3.
type StreamCondition string

// The conditions, RFC 6120 4.9.3.1 to 4.9.3.25.
const (
	StreamBadFormat              StreamCondition = "bad-format"
	StreamBadNamespacePrefix     StreamCondition = "bad-namespace-prefix"
	StreamConflict               StreamCondition = "conflict"
	StreamConnectionTimeout      StreamCondition = "connection-timeout"
	StreamHostGone               StreamCondition = "host-gone"
	StreamHostUnknown            StreamCondition = "host-unknown"
	StreamImproperAddressing     StreamCondition = "improper-addressing"
	StreamInternalServerError    StreamCondition = "internal-server-error"
	StreamInvalidFrom            StreamCondition = "invalid-from"
	StreamInvalidNamespace       StreamCondition = "invalid-namespace"
	StreamInvalidXML             StreamCondition = "invalid-xml"
	StreamNotAuthorized          StreamCondition = "not-authorized"
	StreamNotWellFormed          StreamCondition = "not-well-formed"
	StreamPolicyViolation        StreamCondition = "policy-violation"
	StreamRemoteConnectionFailed StreamCondition = "remote-connection-failed"
	StreamReset                  StreamCondition = "reset"
	StreamResourceConstraint     StreamCondition = "resource-constraint"
	StreamRestrictedXML          StreamCondition = "restricted-xml"
	StreamSeeOtherHost           StreamCondition = "see-other-host"
	StreamSystemShutdown         StreamCondition = "system-shutdown"
	StreamUndefinedCondition     StreamCondition = "undefined-condition"
	StreamUnsupportedEncoding    StreamCondition = "unsupported-encoding"
	StreamUnsupportedFeature     StreamCondition = "unsupported-feature"
	StreamUnsupportedStanzaType  StreamCondition = "unsupported-stanza-type"
	StreamUnsupportedVersion     StreamCondition = "unsupported-version"
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
