// Package xmpp is the vocabulary of XMPP's door: addresses, conditions of errors, and what is said of presence,
// messages, contacts and rules, in both directions between stanzas and the words of package im. RFC 6120, RFC 6121
// and the extensions it names. It owns no state.
package xmpp

// Door is this door's name in im.Native.
const Door = "xmpp"
