// Package client is a small client of the MSN Messenger Protocol (draft-movva-msn-messenger-protocol-00 and what its
// clients send beyond it): it logs in, follows referrals, keeps a copy of the account's lists and of who is where,
// and talks in switchboard sessions. The service's own tools are made of it: the terminal client, the self-play of
// parley check, and tests with hundreds of clients; therefore a connection costs one goroutine, and no buffer while
// nothing comes.
//
// What the service sends unasked comes as an Event, one after another; an Inbox keeps them for whoever wants to wait
// for one. A Client and a Conversation are safe for concurrent use. A Client owns the goroutines of all its
// connections, and Close ends them.
package client
