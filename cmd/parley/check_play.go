package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"parley/credential"
	"parley/msnp"
	"parley/msnp/client"
)

// player is an account that the self-play may use; its lists are changed.
type player struct {
	address  string
	password credential.Secret
}

// playMSNP plays a login at the server at addr, HOST:PORT, with an account that does not exist: a challenge must
// come, and then 911 (draft 7.1-7.4, dialects 3.1). With two players it goes on to a whole chat between them: lists,
// presence, a conversation. Each error says which step failed, and what to do.
func playMSNP(ctx context.Context, addr, domain string, players ...player) error {
	if err := playStranger(ctx, addr, domain); err != nil {
		return err
	}
	if len(players) != 2 {
		return nil
	}
	return playChat(ctx, addr, players[0], players[1])
}

// playStranger is turned away, as it should be.
func playStranger(ctx context.Context, addr, domain string) error {
	handle := "check-" + strings.ToLower(rand.Text()) + "@" + domain
	c, err := client.Connect(ctx, client.Config{Address: addr, Handle: handle, Password: credential.NewSecret(rand.Text())})
	if err == nil {
		c.Close()
		return errors.New("login: an account that does not exist was let in: is that another program?")
	}
	var step *client.StepError
	if !errors.As(err, &step) {
		return fmt.Errorf("login: %w", err)
	}
	if step.Step == "USR S" && errors.Is(err, msnp.ErrAuthenticationFailed) {
		return nil
	}
	return fmt.Errorf("login, %w: %s", err, advice(step, addr))
}

// advice says what to do when a step of a login fails.
func advice(step *client.StepError, addr string) string {
	switch {
	case step.Step == "connect" && step.Address == addr:
		return "nobody listens there; see whether the service runs, and the key listen"
	case step.Step == "connect":
		return "the dispatch server sends clients there; see advertise=HOST:PORT of the notification listener"
	case step.Step == "XFR":
		return "the dispatch server knows no notification server; the key listen needs an msnp-notification:// too"
	case errors.Is(step.Err, client.ErrDialect):
		return "see the key msnp.dialects; MSNP2 is missing there"
	case errors.Is(step.Err, msnp.ErrAuthenticationFailed):
		return "see the service's log for too many failed logins from this machine, and the key credential.keep_password"
	case errors.Is(step.Err, client.ErrTimeout), errors.Is(step.Err, context.DeadlineExceeded):
		return "the service is too busy, or another program listens there"
	}
	return "see the service's log, or whether another program listens there"
}

// playChat plays two people who add each other, see each other and talk.
func playChat(ctx context.Context, addr string, a, b player) (err error) {
	var fromA, fromB client.Inbox
	alice, err := playLogin(ctx, addr, a, &fromA)
	if err != nil {
		return err
	}
	defer alice.Close()
	bob, err := playLogin(ctx, addr, b, &fromB)
	if err != nil {
		return err
	}
	defer bob.Close()

	var talk, answered *client.Conversation
	const words, back = "self-play: does this arrive?", "self-play: it does"
	for _, s := range []struct {
		what, todo string
		do         func() error
	}{
		{"ADD to the allow list", "see the service's log, and the key limits.contacts", func() error {
			return playList(alice.Add(ctx, msnp.AllowList, bob.Handle(), ""))
		}},
		{"ADD to the allow list", "see the service's log, and the key limits.contacts", func() error {
			return playList(bob.Add(ctx, msnp.AllowList, alice.Handle(), ""))
		}},
		{"REM of what an earlier play left", "see the service's log", func() error {
			if _, ok := alice.Listed(msnp.ForwardList, bob.Handle()); !ok {
				return nil
			}
			_, err := alice.Remove(ctx, msnp.ForwardList, bob.Handle())
			return err
		}},
		{"ADD to the contact list", "see the service's log, and the key limits.contacts", func() error {
			return playList(alice.Add(ctx, msnp.ForwardList, bob.Handle(), ""))
		}},
		{"the other side's ADD", "a change did not reach a session: see the service's log", func() error {
			_, err := client.Await(ctx, &fromB, func(e client.ListChanged) bool {
				return e.List == msnp.ReverseList && e.Handle == alice.Handle() && !e.Removed
			})
			return err
		}},
		{"presence at the ADD", "presence did not reach a session: see the service's log", func() error {
			_, err := client.Await(ctx, &fromA, func(e client.Presence) bool {
				return e.Handle == bob.Handle() && e.State == msnp.Online
			})
			return err
		}},
		{"presence", "presence did not reach a session: see the service's log", func() error {
			if err := bob.SetState(ctx, msnp.Busy); err != nil {
				return err
			}
			_, err := client.Await(ctx, &fromA, func(e client.Presence) bool { return e.Handle == bob.Handle() && e.State == msnp.Busy })
			return err
		}},
		{"a conversation", "no switchboard can be reached: see the key listen, and advertise=HOST:PORT of the listener that serves conversations", func() error {
			talk, err = alice.Talk(ctx)
			return err
		}},
		{"an invitation", "see the service's log", func() error { return talk.Invite(ctx, bob.Handle()) }},
		{"the answer to it", "the one who is invited cannot reach the switchboard: see advertise=HOST:PORT of the listener", func() error {
			e, err := fromB.Wait(ctx, func(e client.Event) bool {
				switch e.(type) {
				case client.Answered, client.RingFailed:
					return true
				}
				return false
			})
			switch e := e.(type) {
			case client.RingFailed:
				return e.Err
			case client.Answered:
				answered = e.Conversation
				return talk.Await(ctx, bob.Handle())
			}
			return err
		}},
		{"a message", "a message was not delivered: see the service's log", func() error {
			return playWords(ctx, talk, words, &fromB, answered)
		}},
		{"a message back", "a message was not delivered: see the service's log", func() error {
			return playWords(ctx, answered, back, &fromA, talk)
		}},
		{"the end of the conversation", "the end was not told: see the service's log", func() error {
			talk.Leave()
			_, err := client.Await(ctx, &fromB, func(e client.Left) bool { return e.Handle == alice.Handle() })
			return err
		}},
	} {
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w: %s", s.what, err, s.todo)
		}
	}
	return nil
}

// playLogin logs a player in, and appears.
func playLogin(ctx context.Context, addr string, p player, b *client.Inbox) (*client.Client, error) {
	c, err := client.Connect(ctx, client.Config{Address: addr, Handle: p.address, Password: p.password, Answer: true, Event: b.Put})
	if err != nil {
		var step *client.StepError
		if errors.As(err, &step) {
			return nil, fmt.Errorf("login of %s, %w: %s", p.address, err, advice(step, addr))
		}
		return nil, err
	}
	if _, _, err = c.Sync(ctx, 0); err != nil {
		err = fmt.Errorf("lists of %s: %w: see the service's log", p.address, err)
	} else if err = c.SetState(ctx, msnp.Online); err != nil {
		err = fmt.Errorf("state of %s: %w: see the service's log", p.address, err)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// playList takes the result of a change: somebody who is there already is no failure.
func playList(_ int64, err error) error {
	if errors.Is(err, msnp.ErrAlreadyThere) {
		return nil
	}
	return err
}

// playWords says something and sees it arrive.
func playWords(ctx context.Context, from *client.Conversation, words string, b *client.Inbox, to *client.Conversation) error {
	if err := from.Say(ctx, words); err != nil {
		return err
	}
	m, err := client.Await(ctx, b, func(e client.Message) bool { return e.Conversation == to })
	if err != nil {
		return err
	}
	if content, err := m.Content(); err != nil || content.Text != words {
		return fmt.Errorf("it arrived as %q", m.Payload)
	}
	return nil
}
