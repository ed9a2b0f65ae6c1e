// Package msnp holds the words that all parts of the MSN Messenger Protocol share (draft-movva-msn-messenger-protocol-00
// and its successors up to MSNP12): dialects, states, lists, error numbers, names, the tickets that let somebody into a
// switchboard, and the MIME content of messages. It keeps no state but the set of used tickets.
package msnp

// Slot is the one place for a session that MSNP allows an account: a second login ends the first, draft 7.10. Where
// protocols name sessions, this is the name of it.
const Slot = "MSN"
