// Package exchange is the live service: who is here, who sees whom, who talks with whom.
// The doors turn wires into calls on it, and what it hands them into their wires.
//
// It knows nothing of any protocol. Its words are those of package im: what an account keeps is
// changed by acts (Watch, Admit, Block) that run im's rules inside one transaction of the store;
// what was committed is published, in commit order, to the sessions that it concerns.
//
// # Locks
//
// In this order, and never two of the same kind at once:
//
//	hall.mu          who is in a room, and the order of what is said there
//	Conversation.mu  who is in a conversation, and the order of what is said there
//	account.mu       an account's sessions and presence, and the order of what they are handed
//	shard.mu         which accounts are in memory
//	halls.mu         which rooms are in memory, and who is where
//	registry.mu      which conversations and places exist
//
// Under any of them a delivery is only queued. Sockets are written, and the store is asked,
// with no lock held: whoever queues collects what is owed in a Batch and flushes it afterwards.
package exchange
