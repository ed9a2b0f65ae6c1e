package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	msnplays "parley/msnp/plays"
	"parley/xmpp/client"
	xmppplays "parley/xmpp/plays"
	"parley/xmpp/wire"
)

// An answer to a query acknowledges the words before it, also when their receiver takes nothing: they are stored while they
// wait in its queue, and a kill loses none of them. What comes twice comes with the same id. RFC 6120 10.1; XEP-0359 3
func TestAcknowledgedWhileStalled(t *testing.T) {
	s := newXMPPTarget(t, makeTemplate(t, msnplays.Domain, msnplays.Password, crowd()), "limits.queue=64MiB", "limits.bytes_per_second=0")
	deaf := deafLine(t, s)
	defer deaf.Close()
	ctx, cancel := patient()
	defer cancel()
	alice := s.visitor(t, "alice", "home")
	const n = 90
	padding := strings.Repeat("x", 60<<10)
	for i := range n {
		if _, err := alice.Say("carol@"+msnplays.Domain, fmt.Sprintf("word %d. %s", i, padding)); err != nil {
			t.Fatal(err)
		}
		if i%30 == 29 {
			if err := alice.Ping(ctx, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.kill(); err != nil {
		t.Error(err)
	}
	deaf.SetReadDeadline(time.Now().Add(20 * time.Second))
	got, _ := io.ReadAll(deaf) // up to where the killed service cut it
	heard := map[string]string{}
	for _, m := range regexp.MustCompile(`(?s)<body>(word \d+)\.[^<]*</body><stanza-id [^>]*?id='([^']+)'[^>]*/></message>`).FindAllSubmatch(got, -1) {
		heard[string(m[1])] = string(m[2])
	}
	before := len(heard)
	if before == n {
		t.Fatal("carol's client was not deaf: all was written to it")
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	carol := s.visitor(t, "carol", "home")
	stanzaID := regexp.MustCompile(`<stanza-id [^>]*?id='([^']+)'`)
	twice := 0
	for len(heard) < n {
		m, err := client.Await(ctx, carol.box, func(m client.Message) bool { return strings.HasPrefix(m.Body, "word ") })
		if err != nil {
			t.Fatalf("%d of %d acknowledged words are lost: %v", n-len(heard), n, err)
		}
		word, _, _ := strings.Cut(m.Body, ".")
		id := stanzaID.FindStringSubmatch(m.XML)
		if id == nil {
			t.Fatalf("%s has no id", word)
		}
		if old, again := heard[word]; again {
			if twice++; old != id[1] {
				t.Errorf("%s came as %s, and again as %s", word, old, id[1])
			}
		}
		heard[word] = id[1]
	}
	t.Logf("%d came before the kill, %d after it, %d twice", before, n-before, twice)
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// deafLine is a connection of carol's that is logged in and seen by others, and has little room for what nobody reads.
func deafLine(t *testing.T, s *stage) net.Conn {
	t.Helper()
	c, err := s.Dial("xmpp")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).SetReadBuffer(16 << 10); err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(c)
	for _, step := range []struct {
		say  string
		hear []string
	}{
		{header, []string{"header", "features"}},
		{"<auth xmlns='" + wire.NSSASL + "' mechanism='PLAIN'>" + plainData("", "carol", msnplays.Password) + "</auth>", []string{"success"}},
		{header, []string{"header", "features"}},
		{"<iq type='set' id='b'><bind xmlns='" + wire.NSBind + "'/></iq>", []string{"iq:result"}},
		{"<presence/>", []string{"presence"}},
	} {
		if _, err := io.WriteString(c, step.say); err != nil {
			t.Fatal(err)
		}
		for _, want := range step.hear {
			if thing, err := xmppplays.Codec.Read(r); err != nil || heard(thing) != want {
				t.Fatalf("carol hears %s, and not %s: %v", heard(thing), want, err)
			}
		}
	}
	return c
}
