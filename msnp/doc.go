// Package msnp holds the words that all parts of the MSN Messenger Protocol share (draft-movva-msn-messenger-protocol-00
// and its successors up to MSNP12): dialects, states, lists, error numbers, names, the tickets that let somebody into a
// switchboard, and the MIME content of messages. It keeps no state but the set of used tickets.
package msnp
