// Package ssp is the vocabulary of the door to other domains over Wireless Village's Server to Server Protocol:
// addresses, codes, digests, and what is said of presence and messages, in both directions between primitives and
// the words of package im. The semantics document is cited as SSP, what is known of its syntax as ssp-syntax. It owns
// no state.
package ssp

// Door is this door's name in im.Native.
const Door = "ssp"
