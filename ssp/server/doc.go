// Package server is the door to other domains over Wireless Village's Server to Server Protocol 1.0: what their users and
// ours do to each other, in both roles of every transaction. Sessions and transactions are those of package session; who
// sees whom and what becomes of words is for the exchange, in which one session stands for each user of a peer. The
// semantics document is cited as SSP, what is known of the syntax as ssp-syntax.
package server
