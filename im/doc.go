// Package im says what is true of instant messaging and presence, whichever
// protocol asks: addresses, contacts and watches, access and rules, presence,
// messages. The words are those of RFC 2778.
//
// Everything here is pure: no I/O, no clock of its own (now is an argument), no
// goroutine, and no protocol's word. A change of what people keep about each other
// is a function from a Pair to a Pair; what anybody sees or may do is derived from
// the same facts. The exchange runs these functions inside the store's transactions.
package im
