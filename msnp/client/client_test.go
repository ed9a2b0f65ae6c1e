package client_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/msnp"
	"parley/msnp/client"
)

func TestLoginFollowsReferrals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.at("ds:1863", func(p *peer) {
			p.expect("VER 1 MSNP2")
			p.say("VER 1 MSNP2")
			p.expect("INF 2")
			p.say("INF 2 MD5")
			p.expect("USR 3 MD5 I alice@example.com")
			p.say("XFR 3 NS ns")
		})
		var profile msnp.Content
		f.at("ns:1863", func(p *peer) {
			p.login()
			p.say(message("Hotmail", "Hotmail", "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsprofile; charset=UTF-8\r\n\r\n") + "\r\n")
			p.expect("PNG")
			p.say("QNG")
			p.over()
		})
		var b client.Inbox
		cfg := f.config(&b)
		cfg.Address = "ds"
		c, err := client.Connect(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if c.Name() != "Alice A" || c.Server() != "ns:1863" || c.Dialect() != 2 || c.State() != msnp.Offline {
			t.Errorf("%q at %q in dialect %d, %s", c.Name(), c.Server(), c.Dialect(), c.State())
		}
		m, err := client.Await(t.Context(), &b, func(m client.SystemMessage) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		if profile, err = msnp.ParseContent(m.Payload); err != nil || profile.Type != "text/x-msmsgsprofile" {
			t.Errorf("profile %q: %v", m.Payload, err)
		}
		if err := c.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		c.Close()
		if e, err := client.Await(t.Context(), &b, func(e client.Ended) bool { return true }); err != nil || e.Err != nil || c.Err() != nil {
			t.Errorf("ended with %v, %v", e.Err, c.Err())
		}
	})
}

func TestLoginSaysAtWhichStepItFailed(t *testing.T) {
	upTo := func(n int, last string) func(*peer) {
		return func(p *peer) {
			steps := [][2]string{{"VER 1 MSNP2", "VER 1 MSNP2"}, {"INF 2", "INF 2 MD5"},
				{"USR 3 MD5 I alice@example.com", "USR 3 MD5 S " + challenge}, {"USR 4 MD5 S 2976b981ef84ce29f35136d7465e731b", ""}}
			for i := range n {
				p.expect(steps[i][0])
				if i == n-1 {
					p.say(last)
				} else {
					p.say(steps[i][1])
				}
			}
			p.r.ReadByte()
		}
	}
	for _, c := range []struct {
		step   string
		script func(*peer)
		want   error
	}{
		{"connect", nil, nil},
		{"VER", upTo(1, "VER 1 0"), client.ErrDialect},
		{"VER", func(p *peer) { p.expect("VER 1 MSNP2") }, nil},
		{"VER", func(p *peer) { p.expect("VER 1 MSNP2"); p.r.ReadByte() }, client.ErrTimeout},
		{"INF", upTo(2, "INF 2 TWN"), nil},
		{"USR I", upTo(3, "206 3"), msnp.ErrFQDNMissing},
		{"USR S", upTo(4, "911 4"), msnp.ErrAuthenticationFailed},
		{"USR S", upTo(4, "OUT SSD"), nil},
		{"VER", func(p *peer) { p.expect("VER 1 MSNP2"); p.say("604") }, msnp.ErrGoingDown},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t)
			if c.script != nil {
				f.at("ns:1863", c.script)
			}
			var b client.Inbox
			_, err := client.Connect(t.Context(), f.config(&b))
			var step *client.StepError
			if !errors.As(err, &step) || step.Step != c.step || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%s: %v", c.step, err)
			}
			if e, _ := b.TryNext(); e != nil {
				t.Errorf("%s: event %#v of a login that failed", c.step, e)
			}
		})
	}
}

func TestReferralsInACircleEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		for range 5 {
			f.at("ns:1863", func(p *peer) {
				p.expect("VER 1 MSNP2")
				p.say("VER 1 MSNP2")
				p.expect("INF 2")
				p.say("INF 2 MD5")
				p.expect("USR 3 MD5 I alice@example.com")
				p.say("XFR 3 NS ns:1863")
			})
		}
		if _, err := client.Connect(t.Context(), f.config(nil)); err == nil || !strings.Contains(err.Error(), "referred 5 times") {
			t.Error(err)
		}
	})
}

// connect is a client at a server that goes on with script after the login.
func connect(t *testing.T, f *fake, b *client.Inbox, script func(*peer)) *client.Client {
	t.Helper()
	f.at("ns:1863", func(p *peer) {
		p.login()
		script(p)
	})
	cfg := f.config(b)
	cfg.Answer = true
	c, err := client.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestListsFollowEveryChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		var b client.Inbox
		c := connect(t, f, &b, func(p *peer) {
			p.expect("SYN 5 0")
			p.say("SYN 5 7", "GTC 5 7 A", "BLP 5 7 AL", "LST 5 FL 7 1 2 bob@example.com Bob%20B",
				"LST 5 FL 7 2 2 carol@example.com carol@example.com", "LST 5 AL 7 1 1 bob@example.com Bob%20B", "LST 5 BL 7 0 0",
				"LST 5 RL 7 1 2 bob@example.com Bob%20B", "LST 5 RL 7 2 2 dave@example.com Dave", "ADD 0 RL 8 eve@example.com Eve")
			p.expect("CHG 6 NLN")
			p.say("CHG 6 NLN", "ILN 6 BSY bob@example.com Bob%20B", "NLN AWY carol@example.com Carol")
			p.expect("ADD 7 FL dave@example.com Dave%20D")
			p.say("ADD 7 FL 9 dave@example.com Dave%20D", "ILN 7 NLN dave@example.com Dave")
			p.expect("ADD 8 BL bob@example.com bob@example.com")
			p.say("219 8")
			p.expect("REM 9 FL bob@example.com")
			p.say("REM 9 FL 10 bob@example.com", "FLN carol@example.com", "REM 0 RL 11 bob@example.com")
			p.expect("BLP 10 BL")
			p.say("BLP 10 12 BL")
			p.expect("GTC 11 N")
			p.say("GTC 11 13 N", "GTC 0 14 A")
			p.expect("REA 12 alice@example.com Al")
			p.say("REA 12 15 alice@example.com Al")
			p.expect("SYN 13 15")
			p.say("SYN 13 15")
			p.expect("LST 14 RL")
			p.say("LST 14 RL 15 1 1 dave@example.com Dave")
			p.say("CHG 0 HDN")
			p.over()
		})
		defer c.Close()
		ctx := t.Context()
		no := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		serial, changed, err := c.Sync(ctx, 0)
		if err != nil || serial != 7 || !changed {
			t.Fatalf("SYN gave %d, %v, %v", serial, changed, err)
		}
		no("CHG", c.SetState(ctx, msnp.Online))
		if n, err := c.Add(ctx, msnp.ForwardList, "dave@example.com", "Dave D"); n != 9 || err != nil {
			t.Errorf("ADD gave %d, %v", n, err)
		}
		if _, err := c.Add(ctx, msnp.BlockList, "bob@example.com", ""); !errors.Is(err, msnp.ErrOppositeList) {
			t.Errorf("ADD BL gave %v", err)
		}
		if p := c.Seen("bob@example.com"); p.State != msnp.Busy || p.Name != "Bob B" {
			t.Errorf("bob is %v", p)
		}
		if n, err := c.Remove(ctx, msnp.ForwardList, "bob@example.com"); n != 10 || err != nil {
			t.Errorf("REM gave %d, %v", n, err)
		}
		if n, err := c.SetPrivacy(ctx, msnp.BlockList); n != 12 || err != nil {
			t.Errorf("BLP gave %d, %v", n, err)
		}
		if n, err := c.SetPrompt(ctx, false); n != 13 || err != nil {
			t.Errorf("GTC gave %d, %v", n, err)
		}
		if n, err := c.Rename(ctx, c.Handle(), "Al"); n != 15 || err != nil || c.Name() != "Al" {
			t.Errorf("REA gave %d, %v, and the name is %q", n, err, c.Name())
		}
		if n, changed, err := c.Sync(ctx, 15); n != 15 || changed || err != nil {
			t.Errorf("SYN again gave %d, %v, %v", n, changed, err)
		}
		if n, l, err := c.List(ctx, msnp.ReverseList); n != 15 || len(l) != 1 || l["dave@example.com"] != "Dave" || err != nil {
			t.Errorf("LST gave %d, %v, %v", n, l, err)
		}
		synctest.Wait()
		got := c.Lists()
		want := client.Lists{Serial: 15, Prompt: true, Privacy: msnp.BlockList,
			Forward: map[string]string{"carol@example.com": "carol@example.com", "dave@example.com": "Dave D"},
			Allow:   map[string]string{"bob@example.com": "Bob B"},
			Block:   map[string]string{},
			Reverse: map[string]string{"dave@example.com": "Dave", "eve@example.com": "Eve"}}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(map[string]string{"dave@example.com": "Dave", "eve@example.com": "Eve"}, got.Unanswered()); d != "" {
			t.Error(d)
		}
		if c.State() != msnp.Hidden || c.Seen("carol@example.com").State != msnp.Offline || c.Seen("dave@example.com").State != msnp.Online {
			t.Errorf("state %s, carol %v, dave %v", c.State(), c.Seen("carol@example.com"), c.Seen("dave@example.com"))
		}
		var l []client.Event
		for e, _ := b.TryNext(); e != nil; e, _ = b.TryNext() {
			l = append(l, e)
		}
		if d := cmp.Diff([]client.Event{
			client.ListChanged{List: msnp.ReverseList, Handle: "eve@example.com", Name: "Eve", Serial: 8},
			client.Presence{Handle: "bob@example.com", Name: "Bob B", State: msnp.Busy, Initial: true},
			client.Presence{Handle: "carol@example.com", Name: "Carol", State: msnp.Away},
			client.Presence{Handle: "dave@example.com", Name: "Dave", State: msnp.Online, Initial: true},
			client.Presence{Handle: "carol@example.com", State: msnp.Offline},
			client.ListChanged{List: msnp.ReverseList, Handle: "bob@example.com", Removed: true, Serial: 11},
			client.SettingChanged{Verb: "GTC", Value: "A", Serial: 14},
			client.SettingChanged{Verb: "CHG", Value: "HDN"},
		}, l); d != "" {
			t.Error(d)
		}
	})
}

// TestTheServiceGoes: whoever waits learns why.
func TestTheServiceGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		var b client.Inbox
		c := connect(t, f, &b, func(p *peer) {
			p.expect("PNG")
			p.say("OUT OTH")
		})
		err := c.Ping(t.Context())
		var end *client.EndError
		if !errors.As(err, &end) || end.Reason != "OTH" || !strings.Contains(err.Error(), "elsewhere") {
			t.Errorf("PNG gave %v", err)
		}
		<-c.Done()
		if err := c.SetState(t.Context(), msnp.Away); !errors.As(err, &end) {
			t.Errorf("CHG afterwards gave %v", err)
		}
		if e, err := client.Await(t.Context(), &b, func(client.Ended) bool { return true }); err != nil || !errors.As(e.Err, &end) {
			t.Errorf("event %v, %v", e, err)
		}
		c.Close()
	})
}

// TestNobodyAnswers: a request ends with its context or its time, and a late answer hurts nobody.
func TestNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		late := make(chan struct{})
		c := connect(t, f, nil, func(p *peer) {
			p.expect("CHG 5 NLN")
			p.expect("CHG 6 AWY")
			<-late
			p.say("CHG 5 NLN", "CHG 6 AWY")
			p.expect("CHG 7 BSY")
			p.say("CHG 7 BSY")
			p.r.ReadString('\n') // OUT; and then nothing, so that Close has to end it
			time.Sleep(time.Hour)
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.SetState(ctx, msnp.Online); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if err := c.SetState(t.Context(), msnp.Away); !errors.Is(err, client.ErrTimeout) {
			t.Error(err)
		}
		close(late)
		if err := c.SetState(t.Context(), msnp.Busy); err != nil || c.State() != msnp.Busy {
			t.Error(err, c.State())
		}
		start := time.Now()
		c.Close()
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("Close took %v", d)
		}
	})
}

// TestOneGoroutineForEachConnection: hundreds of clients fit into a test.
func TestOneGoroutineForEachConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		const n = 50
		before := runtime.NumGoroutine()
		for range n {
			c := connect(t, f, nil, func(p *peer) { p.over() })
			defer c.Close()
		}
		synctest.Wait()
		if more := runtime.NumGoroutine() - before; more > 2*n+n/5 { // half are those of the fake service, and the runtime starts some of its own
			t.Errorf("%d clients need %d goroutines", n, more-n)
		}
	})
}

func TestInboxFindsWhatIsWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b client.Inbox
		for _, h := range []string{"a", "b", "c"} {
			b.Put(client.Presence{Handle: h})
		}
		is := func(h string) func(client.Presence) bool {
			return func(p client.Presence) bool { return p.Handle == h }
		}
		if p, err := client.Await(t.Context(), &b, is("b")); err != nil || p.Handle != "b" {
			t.Errorf("%v, %v", p, err)
		}
		go b.Put(client.Presence{Handle: "d"}) // ends at once
		if p, err := client.Await(t.Context(), &b, is("d")); err != nil || p.Handle != "d" {
			t.Errorf("%v, %v", p, err)
		}
		for _, h := range []string{"a", "c"} {
			if e, err := b.Next(t.Context()); err != nil || e != (client.Presence{Handle: h}) {
				t.Errorf("%v, %v", e, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if e, err := b.Next(ctx); err == nil {
			t.Errorf("%v out of nothing", e)
		}
	})
}
