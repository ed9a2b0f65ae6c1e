// Package gateway lets MSN Messenger in where only HTTP comes through: clients from 4.6 on put what they have to say into
// the bodies of requests, and take what the server says from the answers. dialects 9.6.
//
// To the servers behind it a session is a connection like any other, from the address that the client has. The Gateway
// owns the sessions; each has a goroutine that takes from the server, until the connection ends, and one that the server
// runs in.
package gateway
