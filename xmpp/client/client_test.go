package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/credential"
	"parley/xmpp/client"
)

// connect is a client at a service that goes on with script after the login.
func connect(t *testing.T, b *client.Inbox, script func(*fake), change ...func(*client.Config)) *client.Client {
	t.Helper()
	cfg := service(t, b, func(f *fake) {
		f.login()
		script(f)
	})
	for _, ch := range change {
		ch(&cfg)
	}
	c, err := client.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b client.Inbox
		c := connect(t, &b, (*fake).bye)
		if c.JID() != "alice@example.com/home" || c.Bare() != "alice@example.com" || c.Resource() != "home" || c.Mechanism() != "PLAIN" {
			t.Errorf("%s by %s", c.JID(), c.Mechanism())
		}
		if _, ok := c.TLS(); ok || !strings.Contains(c.Features(), "bind") {
			t.Error("TLS out of nowhere", c.Features())
		}
		c.Close()
		if e, err := client.Await(t.Context(), &b, func(client.Ended) bool { return true }); err != nil || e.Err != nil || c.Err() != nil {
			t.Error(e, err, c.Err())
		}
		if err := c.Ping(t.Context(), ""); !errors.Is(err, client.ErrClosed) {
			t.Error(err)
		}
		c.Close()
	})
}

// TestLoginUnderTLS: within the stream and from the beginning, with a login that is bound to it. RFC 6120 5, 6;
// XEP-0368 3.
func TestLoginUnderTLS(t *testing.T) {
	vault := credential.NewVault(make([]byte, 32))
	keys, err := vault.Set("alice@example.com", credential.NewSecret("secret"), false)
	if err != nil {
		t.Fatal(err)
	}
	cert, pool := certificate()
	for _, security := range []client.Security{client.StartTLS, client.DirectTLS} {
		for mechanism, want := range map[string]string{"": "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1": "SCRAM-SHA-1"} {
			synctest.Test(t, func(t *testing.T) {
				cfg := service(t, nil, func(f *fake) {
					if security == client.StartTLS {
						f.open(starttls)
						f.exchange(starttls, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
					}
					f.secure(cert)
					f.scram(keys, vault, cert)
					f.bye()
				})
				cfg.Security, cfg.TLS, cfg.Mechanism = security, &tls.Config{RootCAs: pool}, mechanism
				c, err := client.Dial(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				if s, ok := c.TLS(); !ok || s.ServerName != "example.com" || c.Mechanism() != want {
					t.Error(c.Mechanism(), ok)
				}
				c.Close()
			})
		}
	}
}

func TestLoginSaysAtWhichStepItFailed(t *testing.T) {
	cert, _ := certificate()
	vault := credential.NewVault(make([]byte, 32))
	keys, err := vault.Set("alice@example.com", credential.NewSecret("another"), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		step, why string
		script    func(*fake)
		change    func(*client.Config)
	}{
		{"connect", "who logs in", nil, func(c *client.Config) { c.User = "" }},
		{"connect", "no route", nil, func(c *client.Config) { c.Dial = noRoute }},
		{"stream", "no answer in time", func(f *fake) { f.hear(hello); f.r.ReadByte() }, nil},
		{"stream", "does not speak XMPP", func(f *fake) { f.hear(hello); f.say("<html>") }, nil},
		{"stream", "closed the connection", func(f *fake) { f.exchange(hello, answer+"</stream:stream>") }, nil},
		{"stream", "host-unknown: not here", func(f *fake) {
			f.exchange(hello, answer+"<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>not here</text></stream:error></stream:stream>")
		}, nil},
		{"TLS", "offers no TLS", func(f *fake) { f.open(plain) }, func(c *client.Config) { c.Security = client.StartTLS }},
		{"TLS", "refuses TLS", func(f *fake) {
			f.open(starttls)
			f.exchange(starttls, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		}, func(c *client.Config) { c.Security = client.StartTLS }},
		{"TLS", "said more", func(f *fake) {
			f.open(starttls)
			f.exchange(starttls, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><stream:features/>")
		}, func(c *client.Config) { c.Security = client.StartTLS }},
		{"TLS", "unknown authority", func(f *fake) { f.secure(cert) }, func(c *client.Config) { c.Security = client.DirectTLS }},
		{"SASL", "no way to log in", func(f *fake) { f.open("") }, nil},
		{"SASL", "does not offer SCRAM-SHA-1, but PLAIN", func(f *fake) { f.open(plain) }, func(c *client.Config) { c.Mechanism = "SCRAM-SHA-1" }},
		{"SASL", "password is wrong", func(f *fake) {
			f.open(plain)
			f.exchange(authPlain, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>")
		}, nil},
		{"SASL", "password is wrong", func(f *fake) { f.scram(keys, vault, cert) }, func(c *client.Config) { c.Mechanism = "" }},
		{"bind", "no resource", func(f *fake) {
			f.open(plain)
			f.exchange(authPlain, success)
			f.open("")
		}, nil},
		{"bind", "resource-constraint", func(f *fake) {
			f.open(plain)
			f.exchange(authPlain, success)
			f.open(bindOffer)
			f.exchange(bindAsk, "<iq type='error' id='${id}'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
		}, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			var b client.Inbox
			cfg := service(t, &b, c.script)
			if c.change != nil {
				c.change(&cfg)
			}
			_, err := client.Dial(t.Context(), cfg)
			var step *client.StepError
			if !errors.As(err, &step) || step.Step != c.step || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%s, %s: %v", c.step, c.why, err)
			}
			if e, _ := b.TryNext(); e != nil {
				t.Errorf("%s: event %#v of a login that failed", c.step, e)
			}
		})
	}
}

func TestRoster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b client.Inbox
		c := connect(t, &b, func(f *fake) {
			f.exchange("<iq type='get' id='${id}'><query xmlns='jabber:iq:roster'/></iq>",
				"<iq type='result' id='${id}' to='alice@example.com/home'><query xmlns='jabber:iq:roster'><item jid='bob@example.com' name='B &amp; b' subscription='both'><group>Friends</group></item>"+
					"<item jid='carol@example.com' ask='subscribe' approved='true'/></query></iq>",
				"<iq type='set' id='${id}'><query xmlns='jabber:iq:roster'><item jid='dave@example.com' name='D &lt;'><group>x</group></item></query></iq>",
				"<iq type='set' id='p1'><query xmlns='jabber:iq:roster'><item jid='dave@example.com' name='D &lt;' subscription='none'><group>x</group></item></query></iq><iq type='result' id='${id}'/>",
				"<iq type='result' id='p1'/>",
				"<iq type='set' id='p2' from='mallory@example.com/x'><query xmlns='jabber:iq:roster'><item jid='eve@example.com'/></query></iq>",
				"<iq type='error' id='p2' to='mallory@example.com/x'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
				"<iq type='set' id='p3' from='alice@example.com'><query xmlns='jabber:iq:roster'><item jid='bob@example.com' subscription='remove'/></query></iq>",
				"<iq type='result' id='p3' to='alice@example.com'/>", "",
				"<iq type='set' id='${id}'><query xmlns='jabber:iq:roster'><item jid='eve@example.com' subscription='remove'/></query></iq>",
				"<iq type='error' id='${id}'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>who?</text></error></iq>")
			f.bye()
		})
		defer c.Close()
		l, err := c.Roster(t.Context())
		want := []client.Item{{JID: "bob@example.com", Name: "B & b", Subscription: "both", Groups: []string{"Friends"}},
			{JID: "carol@example.com", Subscription: "none", Asked: true, Approved: true}}
		if d := cmp.Diff(want, l); d != "" || err != nil {
			t.Error(d, err)
		}
		dave := client.Item{JID: "dave@example.com", Name: "D <", Subscription: "none", Groups: []string{"x"}}
		if err := c.SetItem(t.Context(), dave); err != nil {
			t.Error(err)
		}
		for _, want := range []client.RosterChanged{{Item: dave}, {Item: client.Item{JID: "bob@example.com", Subscription: "remove"}, Removed: true}} {
			e, err := b.Next(t.Context())
			if d := cmp.Diff(client.Event(want), e); d != "" || err != nil {
				t.Error(d, err)
			}
		}
		if d := cmp.Diff(map[string]client.Item{"carol@example.com": want[1], "dave@example.com": dave}, c.Items()); d != "" {
			t.Error(d)
		}
		err = c.RemoveItem(t.Context(), "eve@example.com")
		if !errors.Is(err, &client.StanzaError{Condition: "item-not-found"}) || !strings.Contains(err.Error(), "who?") {
			t.Error(err)
		}
	})
}

func TestTalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b client.Inbox
		c := connect(t, &b, func(f *fake) {
			f.hear("<presence><show>away</show><status>a &lt; b</status><priority>-1</priority></presence>")
			f.hear("<presence type='subscribe' to='bob@example.com' id='${id}'><status>hi</status></presence>")
			f.exchange("<message to='bob@example.com' type='chat' id='${id}'><body>1 &lt; 2</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/></message>",
				"<message from='bob@example.com/x' to='alice@example.com/home' type='chat' id='b1'><received xmlns='urn:xmpp:receipts' id='${id}'/></message>"+
					"<message from='bob@example.com/x' to='alice@example.com' id='b2' xml:lang='de'><subject>s</subject><body>two\n</body><thread>t</thread>"+
					"<composing xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/><delay xmlns='urn:xmpp:delay' stamp='2024-01-02T03:04:05Z'/></message>"+
					"<message from='carol@example.com' type='error' id='b3'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><x xmlns='u'/></error></message>"+
					"<presence from='bob@example.com/x'><show>dnd</show><priority> 7 </priority></presence>",
				"<message to='bob@example.com/x' type='normal' id='${id}'><received xmlns='urn:xmpp:receipts' id='b2'/></message>", "",
				"<message to='bob@example.com' type='chat' id='${id}'><paused xmlns='http://jabber.org/protocol/chatstates'/></message>",
				"<iq type='get' id='q1' from='example.com'><ping xmlns='urn:xmpp:ping'/></iq>",
				"<iq type='result' id='q1' to='example.com'/>",
				"<iq type='get' id='q2' from='bob@example.com/x'><query xmlns='jabber:iq:version'/></iq>",
				"<iq type='result' id='q2' to='bob@example.com/x'><query xmlns='jabber:iq:version'><name>n</name></query></iq>",
				"<x xmlns='u'/><presence from='bob@example.com/x' type='unavailable'/>")
			f.bye()
		}, func(c *client.Config) { c.Receipts, c.Requests = true, true })
		defer c.Close()
		no := func(_ string, err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
		}
		no("", c.SetPresence(client.Shown{Show: "away", Status: "a < b", Priority: -1}))
		no("", c.Subscribe("bob@example.com", "hi"))
		id, err := c.Tell(client.Words{To: "bob@example.com", Body: "1 < 2", State: "active", Receipt: true})
		no(id, err)
		var got []client.Event
		for range 4 {
			e, err := b.Next(t.Context())
			no("", err)
			switch x := e.(type) {
			case client.Message:
				if !x.Node().Is("jabber:client", "message") {
					t.Errorf("%q", x.XML)
				}
				x.XML = ""
				e = x
			case client.Presence:
				x.XML = ""
				e = x
			}
			got = append(got, e)
		}
		want := []client.Event{
			client.Message{From: "bob@example.com/x", To: "alice@example.com/home", ID: "b1", Type: "chat", Receipt: id},
			client.Message{From: "bob@example.com/x", To: "alice@example.com", ID: "b2", Type: "normal", Lang: "de", Body: "two\n", Subject: "s", Thread: "t",
				State: "composing", WantsReceipt: true, Delay: time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)},
			client.Message{From: "carol@example.com", ID: "b3", Type: "error", Error: &client.StanzaError{Type: "cancel", Condition: "service-unavailable", App: "<x xmlns='u'/>"}},
			client.Presence{From: "bob@example.com/x", Show: "dnd", Priority: 7},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if c.Seen("bob@example.com/x").Show != "dnd" || len(c.Sessions("bob@example.com")) != 1 {
			t.Error(c.Seen("bob@example.com/x"))
		}
		no("", c.Typing("bob@example.com", "paused"))
		r, err := client.Await(t.Context(), &b, func(client.Request) bool { return true })
		no("", err)
		if !r.Node().Is("jabber:iq:version", "query") {
			t.Error(r)
		}
		no("", c.Reply(r, "<query xmlns='jabber:iq:version'><name>n</name></query>"))
		if o, err := client.Await(t.Context(), &b, func(client.Other) bool { return true }); err != nil || o.XML != "<x xmlns='u'/>" {
			t.Error(o, err)
		}
		synctest.Wait()
		if c.Seen("bob@example.com/x").Type != "unavailable" {
			t.Error("bob has left")
		}
	})
}

func TestBlocking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b client.Inbox
		c := connect(t, &b, func(f *fake) {
			f.exchange("<iq type='get' id='${id}'><blocklist xmlns='urn:xmpp:blocking'/></iq>",
				"<iq type='result' id='${id}'><blocklist xmlns='urn:xmpp:blocking'><item jid='eve@example.com'/></blocklist></iq>",
				"<iq type='set' id='${id}'><block xmlns='urn:xmpp:blocking'><item jid='a@b'/><item jid='c'/></block></iq>",
				"<iq type='set' id='p'><block xmlns='urn:xmpp:blocking'><item jid='a@b'/><item jid='c'/></block></iq><iq type='result' id='${id}'/>",
				"<iq type='result' id='p'/>", "",
				"<iq type='set' id='${id}'><unblock xmlns='urn:xmpp:blocking'/></iq>", "<iq type='result' id='${id}'/><iq type='set' id='p'><unblock xmlns='urn:xmpp:blocking'/></iq>",
				"<iq type='result' id='p'/>", "")
			f.bye()
		})
		defer c.Close()
		if l, err := c.Blocked(t.Context()); err != nil || len(l) != 1 || l[0] != "eve@example.com" {
			t.Error(l, err)
		}
		if err := c.Block(t.Context(), "a@b", "c"); err != nil {
			t.Error(err)
		}
		if err := c.Unblock(t.Context()); err != nil {
			t.Error(err)
		}
		for _, want := range []client.Event{client.BlockingChanged{JIDs: []string{"a@b", "c"}, Blocked: true}, client.BlockingChanged{}} {
			if e, err := b.Next(t.Context()); err != nil || !cmp.Equal(want, e) {
				t.Error(e, err)
			}
		}
	})
}

func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b client.Inbox
		c := connect(t, &b, func(f *fake) {
			f.exchange("<presence to='r@c.example.com/Al' id='${id}'><x xmlns='http://jabber.org/protocol/muc'><password>p</password><history maxstanzas='0'/></x></presence>",
				"<presence from='r@c.example.com/bob'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner' role='moderator' jid='bob@example.com/x'/></x></presence>"+
					"<presence from='r@c.example.com/Al1'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/><status code='110'/><status code='210'/></x></presence>",
				"<message to='r@c.example.com' type='groupchat' id='${id}'><body>hi</body></message>", "",
				"<message to='r@c.example.com'><x xmlns='http://jabber.org/protocol/muc#user'><invite to='dave@example.com'><reason>why</reason></invite></x></message>", "",
				"<presence to='r@c.example.com/Al1' type='unavailable'/>", "",
				"<presence to='q@c.example.com/Al' id='${id}'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
				"<presence from='q@c.example.com/Al' type='error'><error type='auth'><registration-required xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
				"<presence to='z@c.example.com/Al' id='${id}'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
				"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
		})
		defer c.Close()
		r, err := c.Join(t.Context(), "r@c.example.com", "Al", client.Entry{Password: "p"})
		if err != nil {
			t.Fatal(err)
		}
		if r.Nick != "Al1" || !cmp.Equal(r.Codes, []int{110, 210}) {
			t.Error(r)
		}
		p, err := client.Await(t.Context(), &b, func(client.Presence) bool { return true })
		if want := (&client.Occupant{JID: "bob@example.com/x", Affiliation: "owner", Role: "moderator"}); err != nil || !cmp.Equal(want, p.Occupant) {
			t.Error(p.Occupant, err)
		}
		if _, err := r.Say("hi"); err != nil {
			t.Error(err)
		}
		if err := errors.Join(r.Invite("dave@example.com", "why"), r.Leave()); err != nil {
			t.Error(err)
		}
		if _, err := c.Join(t.Context(), "q@c.example.com", "Al", client.Entry{History: -1}); !errors.Is(err, &client.StanzaError{Condition: "registration-required", Type: "auth"}) {
			t.Error(err)
		}
		if _, err := c.Join(t.Context(), "z@c.example.com", "Al", client.Entry{History: -1}); !errors.Is(err, client.ErrClosed) {
			t.Error(err)
		}
		var end *client.EndError
		if !errors.As(c.Err(), &end) || end.Condition != "conflict" {
			t.Error(c.Err())
		}
		if e, err := client.Await(t.Context(), &b, func(client.Ended) bool { return true }); err != nil || !errors.As(e.Err, &end) {
			t.Error(e, err)
		}
	})
}

// TestNobodyAnswers: a request ends with its context or its time, and an answer that comes late, or from somebody
// else, hurts nobody.
func TestNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := make(chan struct{})
		c := connect(t, nil, func(f *fake) {
			f.hear("<iq type='get' id='${a}' to='example.com'>...</iq>")
			f.hear("<iq type='get' id='${b}' to='example.com'>...</iq>")
			<-late
			f.say("<iq type='result' id='${a}' from='example.com'/><iq type='result' id='${b}' from='example.com'/>")
			f.exchange("<iq type='get' id='${c}' to='bob@example.com/x'>...</iq>",
				"<iq type='error' id='${c}' from='mallory@example.com/x'/><iq type='result' id='${c}' from='bob@example.com/x'/>")
			f.hear("</stream:stream>") // and then nothing, so that Close has to end it
			f.r.ReadByte()
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Ping(ctx, "example.com"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if err := c.Ping(t.Context(), "example.com"); !errors.Is(err, client.ErrTimeout) {
			t.Error(err)
		}
		close(late)
		if err := c.Ping(t.Context(), "bob@example.com/x"); err != nil {
			t.Error(err)
		}
		start := time.Now()
		c.Close()
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("Close took %v", d)
		}
	})
}
