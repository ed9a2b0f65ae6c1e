package main

import (
	"bufio"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	msnplays "parley/msnp/plays"
	xmppplays "parley/xmpp/plays"
	"parley/xmpp/wire"
)

// TestXMPPCrowds: thousands who connect on XMPP and say nothing, or half a header, or begin TLS and go no further; who come and
// go, who say a letter now and then, and one who never reads. Two people talk all the while, and two more on MSNP.
func TestXMPPCrowds(t *testing.T) {
	s := newXMPPTarget(t, makeTemplate(t, msnplays.Domain, msnplays.Password, crowd()))
	f := startXMPPFlow(t, s.visitor(t, "frank", "flow"), s.visitor(t, "erin", "flow"))
	m := startFlow(t, s.guest(t, "alice", true), s.guest(t, "bob", true))
	goOn := func(when string) {
		t.Helper()
		f.goesOn(t, when)
		m.goesOn(t, when)
	}
	goOn("before")

	n := 10000
	if raceDetector {
		n = 2000
	}
	half := s.gather(t, "xmpp", n, func(i int, c *wireConn) error {
		switch i / 10 % 3 { // the tenths come from one address each
		case 1:
			return c.say(header[:len(header)/2])
		case 2:
			return proceed(c)
		}
		return nil
	})
	goOn("beside those who do not log in")
	s.atMost(t, "with those who do not log in", 500)
	if n, err := s.metric(`parley_limit_hits_total{limit="half_open"}`); err != nil || n != 0 {
		t.Errorf("%v refused: %v", n, err)
	}
	if n, err := s.metric(`parley_sessions{door="xmpp",state="available"}`); err != nil || n != 2 {
		t.Errorf("%v people available, and not 2: %v", n, err)
	}

	slow, err := s.Dial("xmpp")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	go trickle(slow, header, 20*time.Millisecond) // ends with what it says, or slow
	for _, c := range half {
		c.Close()
	}
	goOn("when they have gone")

	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 250 {
				c, err := dialFrom(fmt.Sprintf("127.0.2.%d", i+1), s.at["xmpp"])
				if err != nil {
					t.Errorf("a connection of many: %v", err)
					return
				}
				c.say(header + auth("PLAIN", "\x00nobody\x00wrong"))
				c.Close()
			}
		})
	}
	goOn("while others come and go")
	wg.Wait()
	goOn("after others came and went")

	slow.SetReadDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(slow)
	for _, want := range []string{"header", "features"} {
		if thing, err := xmppplays.Codec.Read(r); err != nil || heard(thing) != want {
			t.Errorf("who says a letter now and then hears %q, %v", thing, err)
		}
	}
	s.deafXMPP(t, goOn)
	s.atMost(t, "at last", 500)
	f.stop()
	m.stop()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	t.Logf("%d messages meanwhile, the slowest in %v", f.said.Load(), time.Duration(f.slowest.Load()).Round(time.Millisecond))
}

// proceed opens a stream and begins TLS, as far as the service's word for it.
func proceed(c *wireConn) error {
	if err := c.say(header + "<starttls xmlns='" + wire.NSTLS + "'/>"); err != nil {
		return err
	}
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		thing, err := xmppplays.Codec.Read(c.r)
		if err != nil {
			return err
		}
		if strings.HasPrefix(thing, "<proceed") {
			return nil
		}
	}
}

// deafXMPP has somebody there who does not read what they are sent: they lose their connection, and who writes to them has
// no harm from it.
func (s *stage) deafXMPP(t *testing.T, goOn func(string)) {
	t.Helper()
	ctx, cancel := patient()
	defer cancel()
	carol := s.visitor(t, "carol", "home")
	w := mass(100 << 10) // not words: nobody stores it
	w.To = deafClient(t, s, "dave", "deaf")
	for range 400 {
		if _, err := carol.Tell(w); err != nil {
			t.Fatal(err)
		}
		if err := carol.Ping(ctx, ""); err != nil { // the service takes its time
			t.Fatal(err)
		}
		// The metric is there once it has counted.
		if n, err := s.metric(`parley_queue_overflows_total{door="xmpp",kind="queue"}`); err == nil && n == 1 {
			goOn("beside somebody who does not read")
			if err := carol.Ping(ctx, ""); err != nil {
				t.Errorf("carol: %v", err)
			}
			return
		}
	}
	t.Error("who does not read is still there")
}
