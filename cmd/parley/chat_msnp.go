package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"parley/credential"
	"parley/msnp"
	"parley/msnp/client"
)

// msnpMessenger is a messenger over MSNP.
type msnpMessenger struct {
	client *client.Client
	inbox  client.Inbox
}

// msnpTalk is a conversation there.
type msnpTalk struct{ *client.Conversation }

func (t msnpTalk) members() []string { return t.Members() }
func (t msnpTalk) leave()            { t.Leave() }

func (t msnpTalk) invite(ctx context.Context, who string) error {
	err := t.Invite(ctx, who)
	if errors.Is(err, msnp.ErrAlreadyThere) {
		return errThere
	}
	return err
}

func (t msnpTalk) say(ctx context.Context, piece []byte) error {
	err := t.Deliver(ctx, piece)
	if errors.Is(err, client.ErrNotDelivered) {
		return errNotDelivered
	}
	return err
}

// loginMSNP logs in.
func loginMSNP(ctx context.Context, who, server string, password credential.Secret) (messenger, error) {
	m := &msnpMessenger{}
	var err error
	m.client, err = client.Connect(ctx, client.Config{
		Address: server, Handle: who, Password: password, Answer: true, Event: m.inbox.Put, Timeout: chatTimeout,
	})
	var step *client.StepError
	switch {
	case err == nil:
		return m, nil
	case errors.Is(err, context.Canceled):
		return nil, err
	case errors.Is(err, msnp.ErrAuthenticationFailed):
		return nil, notLetIn(who)
	case errors.As(err, &step) && step.Step == "connect" && step.Address == server:
		return nil, nobodyAt(server, step.Err)
	case errors.As(err, &step) && step.Step == "connect":
		return nil, fmt.Errorf("%s sends us to %s, where nobody answers: %w: its operator may need ?advertise=HOST:PORT on that listener", server, step.Address, step.Err)
	}
	return nil, fmt.Errorf("log in: %w", err)
}

func (m *msnpMessenger) close() { m.client.Close() }

func (m *msnpMessenger) arrive(ctx context.Context) error {
	if _, _, err := m.client.Sync(ctx, 0); err != nil {
		return fmt.Errorf("get the contact list: %w", err)
	}
	if err := m.client.SetState(ctx, msnp.Online); err != nil {
		return fmt.Errorf("go online: %w", err)
	}
	if err := m.client.Ping(ctx); err != nil { // behind its answer everybody's state is known
		return fmt.Errorf("see who is there: %w", err)
	}
	return nil
}

func (m *msnpMessenger) self() (address, name, server string) {
	return m.client.Handle(), m.client.Name(), m.client.Server()
}

func msnpWord(s msnp.State) string {
	for _, w := range stateWords {
		if w.msnp == s {
			return w.word
		}
	}
	return "online" // all other states are, draft 7.7
}

func (m *msnpMessenger) contacts() []buddy {
	l := m.client.Lists()
	people := map[string]bool{}
	for _, some := range []map[string]string{l.Forward, l.Block, l.Unanswered()} {
		for who := range some {
			people[who] = true
		}
	}
	var all []buddy
	for _, who := range slices.Sorted(maps.Keys(people)) {
		all = append(all, m.contact(who))
	}
	return all
}

func (m *msnpMessenger) contact(who string) buddy {
	l := m.client.Lists()
	p := m.client.Seen(who)
	c := buddy{who: who, name: p.Name, state: msnpWord(p.State), listed: l.Has(msnp.ForwardList, who), blocked: l.Has(msnp.BlockList, who)}
	if c.name == "" {
		c.name = l.Forward[who]
	}
	if name, asks := l.Unanswered()[who]; asks {
		c.asks = true
		if c.name == "" {
			c.name = name
		}
	}
	return c
}

// put puts somebody on a list, unless they are there.
func (m *msnpMessenger) put(ctx context.Context, l msnp.List, who string) error {
	if _, ok := m.client.Listed(l, who); ok {
		return nil
	}
	_, err := m.client.Add(ctx, l, who, m.client.Seen(who).Name)
	if errors.Is(err, msnp.ErrAlreadyThere) {
		return nil
	}
	return err
}

// take takes somebody off a list, if they are on it.
func (m *msnpMessenger) take(ctx context.Context, l msnp.List, who string) error {
	if _, ok := m.client.Listed(l, who); !ok {
		return nil
	}
	_, err := m.client.Remove(ctx, l, who)
	if errors.Is(err, msnp.ErrNotOnList) {
		return nil
	}
	return err
}

func (m *msnpMessenger) add(ctx context.Context, who string) error {
	if err := m.put(ctx, msnp.AllowList, who); err != nil {
		return err
	}
	return m.put(ctx, msnp.ForwardList, who)
}

func (m *msnpMessenger) remove(ctx context.Context, who string) error {
	return m.take(ctx, msnp.ForwardList, who)
}

func (m *msnpMessenger) block(ctx context.Context, who string) error {
	if err := m.take(ctx, msnp.AllowList, who); err != nil {
		return err
	}
	return m.put(ctx, msnp.BlockList, who)
}

func (m *msnpMessenger) unblock(ctx context.Context, who string) error {
	if err := m.take(ctx, msnp.BlockList, who); err != nil {
		return err
	}
	return m.put(ctx, msnp.AllowList, who)
}

func (m *msnpMessenger) setState(ctx context.Context, word string) error {
	for _, w := range stateWords {
		if w.word == word {
			return m.client.SetState(ctx, w.msnp)
		}
	}
	return nil
}

func (m *msnpMessenger) rename(ctx context.Context, name string) error {
	if len(msnp.EncodeName(name)) > msnp.MaxName {
		return errors.New("this name is too long")
	}
	_, err := m.client.Rename(ctx, m.client.Handle(), name)
	return err
}

func (m *msnpMessenger) talk(ctx context.Context, _ []string) (venue, error) {
	t, err := m.client.Talk(ctx)
	if err != nil {
		return nil, err
	}
	return msnpTalk{t}, nil
}

func (m *msnpMessenger) wide(_ context.Context, in venue) (venue, error) {
	return in, nil
}

// maxPayload is the largest message that every service takes: dialects 1.3.
const maxPayload = 1664

func (m *msnpMessenger) pieces(text string) [][]byte {
	return msnp.TextPayloads(text, msnp.Format{}, maxPayload)
}

// sent is said when the service has confirmed it: draft 8.7.
func (m *msnpMessenger) sent() string { return "delivered" }

// explain says what an error of the service means for whom it is about.
func (m *msnpMessenger) explain(err error, who string) error {
	var code msnp.Code
	if !errors.As(err, &code) {
		return err
	}
	text := ""
	switch code {
	case msnp.ErrInvalidParameter, msnp.ErrInvalidUsername:
		text = "the service does not take this"
	case msnp.ErrInvalidUser:
		text = "nobody has the address " + who
	case msnp.ErrInvalidFriendlyName:
		text = "the service does not take this name"
	case msnp.ErrListFull:
		text = "the list is full"
	case msnp.ErrAlreadyThere:
		text = who + " is there already"
	case msnp.ErrNotOnList:
		text = who + " is not there"
	case msnp.ErrNotOnline:
		text = who + " is not online, or takes no messages from you"
	case msnp.ErrOffline:
		text = "you are hidden or offline yourself: /state online first"
	case msnp.ErrTooActive, msnp.ErrTooRapid:
		text = "that was too often: wait a little"
	case msnp.ErrSessionOverload:
		text = "the conversation is full"
	case msnp.ErrTooManySessions:
		text = "too many conversations: /leave some"
	default:
		return err
	}
	return fmt.Errorf("%s (%d)", text, int(code))
}
