package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"parley/credential"
	"parley/xmpp/client"
)

// loopbackHost says whether only this machine reaches a listener's host.
func loopbackHost(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// playXMPP plays a login at the server at addr, HOST:PORT, with an account that does not exist, which is refused
// (RFC 6120 6.5.10). With two players it goes on to a whole chat between them: roster, presence, words and receipts.
// It gives the certificates that were shown, whoever vouches for them: that it is the service proves itself by SCRAM.
// Each error says which step failed, and what to do.
func playXMPP(ctx context.Context, addr, domain string, direct bool, players ...player) (shown []*x509.Certificate, err error) {
	cfg := client.Config{Address: addr, Domain: domain, TLS: &tls.Config{InsecureSkipVerify: true}, Receipts: true}
	if direct {
		cfg.Security = client.DirectTLS
	}
	nobody := cfg
	nobody.User, nobody.Password = "check-"+strings.ToLower(rand.Text()), credential.NewSecret(rand.Text())
	c, err := client.Dial(ctx, nobody)
	if err == nil {
		c.Close()
		return nil, errors.New("login: an account that does not exist was let in: is that another program?")
	}
	if !refusedLogin(err) {
		return nil, fmt.Errorf("login, %w: %s", err, adviceXMPP(err))
	}
	if len(players) != 2 {
		return nil, nil
	}
	var fromA, fromB client.Inbox
	alice, err := playLoginXMPP(ctx, cfg, players[0], &fromA)
	if err != nil {
		return nil, err
	}
	defer alice.Close()
	bob, err := playLoginXMPP(ctx, cfg, players[1], &fromB)
	if err != nil {
		return nil, err
	}
	defer bob.Close()
	if state, ok := alice.TLS(); ok {
		shown = state.PeerCertificates
	}
	return shown, playChatXMPP(ctx, alice, bob, &fromA, &fromB)
}

func refusedLogin(err error) bool {
	var refused *client.SASLError
	return errors.As(err, &refused) && refused.Condition == "not-authorized"
}

// adviceXMPP says what to do when a step of a login fails.
func adviceXMPP(err error) string {
	var step *client.StepError
	var ended *client.EndError
	var network net.Error
	switch {
	case refusedLogin(err):
		return "see the service's log for too many failed logins from this machine"
	case errors.As(err, &step) && step.Step == "connect":
		return "nobody listens there; see whether the service runs, and the key listen"
	case errors.As(err, &ended) && ended.Condition == "host-unknown":
		return "the service there is of another domain; see the keys domain and domains"
	case errors.As(err, &step) && step.Step == "TLS":
		return "see the key tls and the service's log"
	case errors.Is(err, client.ErrTimeout), errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "the service is too busy, or another program listens there"
	}
	return "see the service's log, or whether another program listens there"
}

// playLoginXMPP logs a player in, and appears.
func playLoginXMPP(ctx context.Context, cfg client.Config, p player, b *client.Inbox) (*client.Client, error) {
	cfg.User, cfg.Password, cfg.Event = p.address, p.password, b.Put
	c, err := client.Dial(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("login of %s, %w: %s", p.address, err, adviceXMPP(err))
	}
	if !strings.HasPrefix(c.Mechanism(), "SCRAM-") {
		err = fmt.Errorf("login of %s: it went by %s, not by SCRAM: is that another program?", p.address, c.Mechanism())
	} else if _, err = c.Roster(ctx); err != nil {
		err = fmt.Errorf("roster of %s: %w: see the service's log", p.address, err)
	} else if err = c.SetPresence(client.Shown{}); err != nil {
		err = fmt.Errorf("presence of %s: %w: see the service's log", p.address, err)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// playChatXMPP plays two people who add each other, see each other and talk: RFC 6121 2, 3, 4, 5; XEP-0184 7.
func playChatXMPP(ctx context.Context, alice, bob *client.Client, fromA, fromB *client.Inbox) error {
	const words, back = "self-play: does this <arrive>?", "self-play: it does"
	log, presence, message := "see the service's log", "presence did not reach a session: see the service's log", "a message was not delivered: see the service's log"
	sees := func(b *client.Inbox, from *client.Client, typ, show string) error {
		_, err := client.Await(ctx, b, func(e client.Presence) bool {
			return client.Bare(e.From) == from.Bare() && e.Type == typ && e.Show == show
		})
		return err
	}
	hears := func(b *client.Inbox, from *client.Client, body string) error {
		m, err := client.Await(ctx, b, func(e client.Message) bool { return e.From == from.JID() && e.Body != "" })
		if err == nil && m.Body != body {
			return fmt.Errorf("it arrived as %q", m.Body)
		}
		return err
	}
	var id string
	for _, s := range []struct {
		what, todo string
		do         func() error
	}{
		{"a roster without what an earlier play left", log, func() error {
			if _, ok := alice.Items()[bob.Bare()]; !ok {
				return nil
			}
			return alice.RemoveItem(ctx, bob.Bare())
		}},
		{"an item of the roster", "see the service's log, and the key limits.contacts", func() error {
			return alice.SetItem(ctx, client.Item{JID: bob.Bare(), Name: "Bob", Groups: []string{"check"}})
		}},
		{"a request to see somebody", presence, func() error {
			if err := alice.Subscribe(bob.Bare(), ""); err != nil {
				return err
			}
			return sees(fromB, alice, "subscribe", "")
		}},
		{"its approval", presence, func() error {
			if err := bob.Approve(alice.Bare()); err != nil {
				return err
			}
			return errors.Join(sees(fromA, bob, "subscribed", ""), sees(fromA, bob, "", ""))
		}},
		{"presence", presence, func() error {
			if err := bob.SetPresence(client.Shown{Show: "dnd"}); err != nil {
				return err
			}
			return sees(fromA, bob, "", "dnd")
		}},
		{"a message", message, func() (err error) {
			if id, err = alice.Tell(client.Words{To: bob.Bare(), Body: words, Receipt: true}); err != nil {
				return err
			}
			return hears(fromB, alice, words)
		}},
		{"its receipt", message, func() error {
			_, err := client.Await(ctx, fromA, func(e client.Message) bool { return e.Receipt == id })
			return err
		}},
		{"a message back", message, func() error {
			if _, err := bob.Say(alice.JID(), back); err != nil {
				return err
			}
			return hears(fromA, bob, back)
		}},
		{"an item taken off the roster", log, func() error {
			if err := alice.RemoveItem(ctx, bob.Bare()); err != nil {
				return err
			}
			return sees(fromB, alice, "unsubscribe", "")
		}},
	} {
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w: %s", s.what, err, s.todo)
		}
	}
	return nil
}
