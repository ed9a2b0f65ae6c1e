// Package passport is where MSN Messenger 5.0 and newer prove who they are before they say so on the wire: the Passport
// 1.4 login over HTTPS of MSNP8 to MSNP11, the SOAP service that MSN Messenger 7.5 asks for the same, and the document
// that tells a client what there is besides. dialects 3.2-3.5.
//
// Who gives the right password gets a ticket; the notification server takes it with USR TWN S and asks Tickets whose it
// is. The two share a key and nothing else, and need not run in one process.
//
// A Server keeps no state: what it needs to know of failures is counted in limit.Strangers, with those of all other doors.
package passport
