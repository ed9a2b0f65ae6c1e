package client_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"parley/credential"
	"parley/msnp/client"
)

// fake is a service made of scripts: one for each connection, by its address, in the order in which they come.
type fake struct {
	t *testing.T

	mu      sync.Mutex // guards scripts
	scripts map[string][]func(*peer)
	all     sync.WaitGroup
}

func newFake(t *testing.T) *fake {
	f := &fake{t: t, scripts: map[string][]func(*peer){}}
	t.Cleanup(func() {
		f.all.Wait()
		for a, l := range f.scripts {
			if len(l) > 0 {
				t.Errorf("%s: %d scripts were not played", a, len(l))
			}
		}
	})
	return f
}

func (f *fake) at(address string, script func(*peer)) {
	f.scripts[address] = append(f.scripts[address], script)
}

func (f *fake) dial(_ context.Context, address string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.scripts[address]
	if len(l) == 0 {
		return nil, fmt.Errorf("nobody listens at %s", address)
	}
	f.scripts[address] = l[1:]
	c, s := net.Pipe()
	f.all.Go(func() {
		defer s.Close()
		l[0](&peer{t: f.t, c: s, r: bufio.NewReader(s)})
	})
	return c, nil
}

// peer is the service's end of one connection.
type peer struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

// expect reads a line; one that ends in a length has its payload after a bar.
func (p *peer) expect(want string) {
	p.t.Helper()
	line, err := p.r.ReadString('\n')
	if err != nil {
		p.t.Errorf("wanted %q: %v", want, err)
		return
	}
	line = strings.TrimSuffix(line, "\r\n")
	if strings.HasPrefix(line, "MSG ") {
		n, _ := strconv.Atoi(line[strings.LastIndexByte(line, ' ')+1:])
		b := make([]byte, n)
		io.ReadFull(p.r, b)
		line += "|" + string(b)
	}
	if line != want {
		p.t.Errorf("the client said %q, not %q", line, want)
	}
}

func (p *peer) say(lines ...string) {
	for _, l := range lines {
		io.WriteString(p.c, l+"\r\n")
	}
}

// message is a MSG to the client.
func message(who, name, payload string) string {
	return strings.TrimSuffix(fmt.Sprintf("MSG %s %s %d\r\n%s", who, name, len(payload), payload), "\r\n")
}

// over waits for OUT and the end.
func (p *peer) over() {
	p.t.Helper()
	p.expect("OUT")
	if _, err := p.r.ReadByte(); err == nil {
		p.t.Error("more after OUT")
	}
}

const challenge = "1234567890.123456789"

// login plays VER, INF and USR.
func (p *peer) login() {
	p.t.Helper()
	p.expect("VER 1 MSNP2")
	p.say("VER 1 MSNP2")
	p.expect("INF 2")
	p.say("INF 2 MD5")
	p.expect("USR 3 MD5 I alice@example.com")
	p.say("USR 3 MD5 S " + challenge)
	p.expect("USR 4 MD5 S 2976b981ef84ce29f35136d7465e731b")
	p.say("USR 4 OK alice@example.com Alice%20A")
}

func (f *fake) config(b *client.Inbox) client.Config {
	c := client.Config{Address: "ns:1863", Handle: "alice@example.com", Password: credential.NewSecret("secret"), Dial: f.dial}
	if b != nil {
		c.Event = b.Put
	}
	return c
}
