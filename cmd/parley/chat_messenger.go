package main

import (
	"context"
	"errors"
)

// messenger is somebody who is logged in over one protocol, as the chat needs them. What takes a context waits for the
// service, and may be called from any goroutine; the rest belongs to the chat's.
type messenger interface {
	// arrive gets the lists and appears. Behind it everybody's state is known, or in step's events.
	arrive(ctx context.Context) error
	self() (address, name, server string)
	// step has the chat show the oldest event. When there is none, it gives what is closed when one comes.
	step(ctx context.Context, c *chat) (ready <-chan struct{})

	contacts() []buddy // all that are worth a line, sorted
	contact(who string) buddy
	add(ctx context.Context, who string) error // to the list, and let them see the user
	remove(ctx context.Context, who string) error
	block(ctx context.Context, who string) error
	unblock(ctx context.Context, who string) error

	setState(ctx context.Context, word string) error // one of stateWords
	rename(ctx context.Context, name string) error

	// talk begins a conversation with people, who are not in it before they are invited.
	talk(ctx context.Context, with []string) (venue, error)
	// wide gives a conversation for more than two, to go on in: the one given, or a new one.
	wide(ctx context.Context, in venue) (venue, error)
	pieces(text string) [][]byte // of words, as much at a time as can be said
	sent() string                // what is true of words that were said: sent, or delivered

	explain(err error, who string) error // an error in words for the user; nil is nil
	close()
}

// venue is a conversation that the user is in, as its protocol has it.
type venue interface {
	members() []string // the others
	invite(ctx context.Context, who string) error
	say(ctx context.Context, piece []byte) error
	leave()
}

// buddy is what is known of somebody.
type buddy struct {
	who, name string
	state     string // a word of stateWords
	status    string // their own words about it
	listed    bool
	blocked   bool
	asks      bool // put the user on their list, and waits for an answer
}

// What conversations answer, whatever the protocol calls it.
var (
	errThere        = errors.New("there already")
	errNotDelivered = errors.New("not delivered")
)
