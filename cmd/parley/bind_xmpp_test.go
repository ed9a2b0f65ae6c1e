package main

import (
	"context"
	"crypto/tls"
	"testing"
	"time"

	"parley/credential"
	"parley/xmpp/client"
)

// TestAnswerToBindComesFirst: what others write to a resource does not come before its client knows that it has it, RFC
// 6120 7.6.1, 10.1.
func TestAnswerToBindComesFirst(t *testing.T) {
	server := runService(t, "xmpp://127.0.0.1:0")[0]
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	login := func(name string) *client.Client {
		c, err := client.Dial(ctx, client.Config{Address: server, User: name + "@parley.test", Resource: "home",
			Password: credential.NewSecret(name + "-secret"), TLS: &tls.Config{InsecureSkipVerify: true}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	alice := login("alice")
	defer alice.Close()
	quiet := make(chan struct{})
	ended := make(chan error, 1)
	go func() { // ends with quiet
		for {
			select {
			case <-quiet:
				ended <- nil
				return
			default:
			}
			// a headline: who is not there at that moment gets none of them
			if err := alice.Send("<message to='bob@parley.test/home' type='headline'><body>now</body></message>"); err != nil {
				ended <- err
				return
			}
			if err := alice.Ping(ctx, ""); err != nil {
				ended <- err
				return
			}
		}
	}()
	for range 40 {
		login("bob").Cut()
	}
	close(quiet)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
