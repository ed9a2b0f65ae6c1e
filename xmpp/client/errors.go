package client

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"parley/xmltext"
	"parley/xmpp/wire"
)

// Why there is no answer.
var (
	ErrClosed  = errors.New("the connection is closed")
	ErrTimeout = errors.New("no answer in time")
)

var errNobody = errors.New("who logs in is missing: user and domain are needed")

// StepError says at which step a login failed: connect, stream, TLS, SASL or bind.
type StepError struct {
	Step    string
	Address string // of the server
	Err     error
}

// Error names the step and the server.
func (e *StepError) Error() string { return fmt.Sprintf("%s at %s: %v", e.Step, e.Address, e.Err) }

// Unwrap is what lies behind.
func (e *StepError) Unwrap() error { return e.Err }

// SASLError is a login that the service refuses: RFC 6120 6.5.
type SASLError struct{ Condition, Text string }

// Error is the condition and the service's own words.
func (e *SASLError) Error() string {
	if e.Condition == "not-authorized" {
		return "the address or the password is wrong (not-authorized)"
	}
	return "the service refuses the login: " + words(e.Condition, e.Text)
}

// StanzaError is a stanza that came back: RFC 6120 8.3.
type StanzaError struct {
	Type      string // auth, cancel, continue, modify, wait
	Condition string // RFC 6120 8.3.3
	Text      string
	App       string // the application's own condition, as XML, RFC 6120 8.3.4
}

// Error is the condition and the service's own words.
func (e *StanzaError) Error() string { return words(e.Condition, e.Text) }

// Is compares conditions: errors.Is(err, &StanzaError{Condition: "item-not-found"}).
func (e *StanzaError) Is(target error) bool {
	t, ok := target.(*StanzaError)
	return ok && t.Condition == e.Condition && (t.Type == "" || t.Type == e.Type)
}

func words(condition, text string) string {
	if text == "" {
		return condition
	}
	return condition + ": " + text
}

// EndError says how a stream ended that its client did not close.
type EndError struct {
	Condition string // of the stream error, RFC 6120 4.9.3; "" when there was none
	Text      string
	Err       error // of the network; nil when the service closed it in order
}

// Error is the reason in words.
func (e *EndError) Error() string {
	switch {
	case e.Condition == "conflict":
		return "the same resource has logged in elsewhere (conflict)"
	case e.Condition == "system-shutdown":
		return "the service is shutting down"
	case e.Condition != "":
		return "the service ended the stream: " + words(e.Condition, e.Text)
	case e.Err == nil || errors.Is(e.Err, io.EOF):
		return "the service closed the connection"
	}
	return "the connection broke: " + e.Err.Error()
}

// Unwrap is what lies behind.
func (e *EndError) Unwrap() error { return e.Err }

// condition reads what is common to all errors: a condition of the namespace space, and a text.
func condition(n xmltext.Node, space string) (name, text, app string) {
	for k := range n.Children() {
		switch {
		case k.Is(space, "text"):
			text = string(k.Text())
		case string(k.Space()) == space:
			if name == "" {
				name = string(k.Local())
			}
		case app == "":
			app = copied(k)
		}
	}
	return name, text, app
}

// stanzaError reads the error of a stanza of type error.
func stanzaError(stanza xmltext.Node) *StanzaError {
	n := stanza.Child(wire.NSClient, "error")
	e := &StanzaError{Type: attr(n, "type")}
	e.Condition, e.Text, e.App = condition(n, wire.NSStanzas)
	if e.Condition == "" {
		e.Condition = "undefined-condition"
	}
	return e
}

// quoted makes XML of a text.
func quoted(s string) string { return string(xmltext.AppendText(nil, s)) }

// given makes an attribute, with a blank before it; none of an empty value.
func given(name, value string) string {
	if value == "" {
		return ""
	}
	return string(xmltext.AppendAttr(nil, name, value))
}

// element makes an element of a text; none of an empty one.
func element(name, text string) string {
	if text == "" {
		return ""
	}
	return "<" + name + ">" + quoted(text) + "</" + name + ">"
}

func attr(n xmltext.Node, name string) string {
	v, _ := n.Attr("", name)
	return strings.Clone(string(v))
}
