// Package wire is the codec of Wireless Village's Server to Server Protocol 1.0: documents to primitives and back. What
// there is, and what each primitive must and may hold, is written in tables, one file a chapter of the semantics
// document, in the words of ssp-syntax 3; reading, writing and judging follow them. It owns no state.
package wire
