package client_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"parley/msnp"
	"parley/msnp/client"
)

const hello = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nhello"

func TestTalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		var b client.Inbox
		c := connect(t, f, &b, func(p *peer) {
			p.expect("XFR 5 SB")
			p.say("XFR 5 SB sb:1864 CKI c0okie")
			p.over()
		})
		f.at("sb:1864", func(p *peer) {
			p.expect("USR 1 alice@example.com c0okie")
			p.say("USR 1 OK alice@example.com Alice%20A")
			p.expect("CAL 2 bob@example.com")
			p.say("CAL 2 RINGING 77", "JOI alice@example.com Alice%20A", "JOI bob@example.com Bob%20B")
			p.expect("CAL 3 carol@example.com")
			p.say("217 3")
			p.expect("MSG 4 A 67|" + hello)
			p.say("ACK 4", message("bob@example.com", "Bob%20B", hello))
			p.expect("MSG 5 A 67|" + hello)
			p.say("NAK 5")
			p.expect("MSG 6 N 67|" + hello)
			p.say("NAK 6")
			typing := string(msnp.TypingPayload("alice@example.com"))
			p.expect("MSG 7 U 90|" + typing)
			p.say("BYE bob@example.com 1")
			p.over()
		})
		ctx := t.Context()
		talk, err := c.Talk(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := talk.Invite(ctx, "bob@example.com"); err != nil || talk.Session() != "77" {
			t.Fatal(err, talk.Session())
		}
		if err := talk.Await(ctx, "bob@example.com"); err != nil || !slices.Equal(talk.Members(), []string{"bob@example.com"}) {
			t.Fatal(err, talk.Members())
		}
		if err := talk.Invite(ctx, "carol@example.com"); !errors.Is(err, msnp.ErrNotOnline) {
			t.Errorf("CAL gave %v", err)
		}
		if err := talk.Say(ctx, "hello"); err != nil {
			t.Error(err)
		}
		m, err := client.Await(ctx, &b, func(client.Message) bool { return true })
		if err != nil || m.Handle != "bob@example.com" || m.Name != "Bob B" || m.Conversation != talk {
			t.Errorf("%v, %v", m, err)
		}
		if content, err := m.Content(); err != nil || content.Text != "hello" {
			t.Errorf("%q, %v", content.Text, err)
		}
		if err := talk.Say(ctx, "hello"); !errors.Is(err, client.ErrNotDelivered) {
			t.Errorf("after a NAK: %v", err)
		}
		id, err := talk.Send("N", []byte(hello))
		if err != nil {
			t.Fatal(err)
		}
		if e, err := client.Await(ctx, &b, func(client.Undelivered) bool { return true }); err != nil || e.TrID != id {
			t.Errorf("%v, %v", e, err)
		}
		if err := talk.Typing(); err != nil {
			t.Error(err)
		}
		if e, err := client.Await(ctx, &b, func(client.Left) bool { return true }); err != nil || !e.Idle || len(talk.Members()) != 0 {
			t.Errorf("%v, %v, left are %v", e, err, talk.Members())
		}
		talk.Leave()
		if e, err := client.Await(ctx, &b, func(client.Ended) bool { return true }); err != nil || e.Conversation != talk || e.Err != nil {
			t.Errorf("%v, %v", e, err)
		}
		if err := talk.Say(ctx, "hello"); !errors.Is(err, client.ErrClosed) {
			t.Errorf("after Leave: %v", err)
		}
		if err := talk.Await(ctx, ""); !errors.Is(err, client.ErrNobody) {
			t.Errorf("after Leave: %v", err)
		}
		c.Close()
	})
}

func TestRingsAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		var b client.Inbox
		f.at("sb:1864", func(p *peer) {
			p.expect("ANS 1 alice@example.com c1 77")
			p.say("IRO 1 1 2 bob@example.com Bob", "IRO 1 2 2 carol@example.com Carol", "ANS 1 OK",
				message("bob@example.com", "Bob", hello))
			p.over()
		})
		f.at("sb:1865", func(p *peer) {
			p.expect("ANS 1 alice@example.com c2 78")
			p.say("911 1")
		})
		c := connect(t, f, &b, func(p *peer) {
			p.say("RNG 77 sb:1864 CKI c1 bob@example.com Bob", "RNG 78 sb:1865 CKI c2 bob@example.com Bob",
				"RNG 79 sb:9999 CKI c3 bob@example.com Bob")
			p.over()
		})
		ctx := t.Context()
		a, err := client.Await(ctx, &b, func(client.Answered) bool { return true })
		if err != nil || a.Ring.Session != "77" || !slices.Equal(a.Conversation.Members(), []string{"bob@example.com", "carol@example.com"}) {
			t.Fatal(a, err)
		}
		if m, err := client.Await(ctx, &b, func(client.Message) bool { return true }); err != nil || m.Conversation != a.Conversation {
			t.Error(m, err)
		}
		for range 2 {
			e, err := client.Await(ctx, &b, func(client.RingFailed) bool { return true })
			switch {
			case err != nil:
				t.Error(err)
			case e.Ring.Session == "78" && !errors.Is(e.Err, msnp.ErrAuthenticationFailed),
				e.Ring.Session == "79" && !strings.Contains(e.Err.Error(), "nobody listens"):
				t.Error(e.Err)
			}
		}
		c.Close() // ends the conversation as well
		n := 0
		for e, _ := b.TryNext(); e != nil; e, _ = b.TryNext() {
			if _, ok := e.(client.Ended); ok {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%d connections ended, not the session and one conversation", n)
		}
	})
}

// TestARingIsJoinedByHand: without Config.Answer the user decides.
func TestARingIsJoinedByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		var b client.Inbox
		f.at("sb:1864", func(p *peer) {
			p.expect("ANS 1 alice@example.com c1 77")
			p.say("ANS 1 OK")
			p.over()
		})
		f.at("ns:1863", func(p *peer) {
			p.login()
			p.say("RNG 77 sb:1864 CKI c1 bob@example.com Bob%20B")
			p.over()
		})
		c, err := client.Connect(t.Context(), f.config(&b))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		r, err := client.Await(t.Context(), &b, func(client.Ring) bool { return true })
		if err != nil || r.Name != "Bob B" {
			t.Fatal(r, err)
		}
		talk, err := c.Join(t.Context(), r)
		if err != nil || len(talk.Members()) != 0 {
			t.Fatal(err)
		}
		if _, err := c.Join(t.Context(), client.Ring{Address: "nowhere"}); err == nil {
			t.Error("joined a conversation nowhere")
		}
	})
}
