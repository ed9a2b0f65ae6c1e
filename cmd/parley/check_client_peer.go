package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/msnp"
	"parley/msnp/wire"
)

// peer is one connection of a client of another time, which says its lines and reads what comes. It belongs to the
// goroutine that plays.
type peer struct {
	conn    net.Conn
	r       *bufio.Reader
	dialect int
	trID    int
	early   []said // what came and was not waited for yet
}

// said is what a server said once.
type said struct {
	verb    string
	args    []string
	payload string
}

var errGone = errors.New("the server closed the connection")

// String is the line, for errors; what a payload has is nobody's business.
func (s said) String() string { return strings.Join(append([]string{s.verb}, s.args...), " ") }

func (s said) arg(i int) string {
	if i < 0 || i >= len(s.args) {
		return ""
	}
	return s.args[i]
}

// Bounds of what a peer reads. An answer of a server on the same machine takes no time unless something is wrong.
const (
	peerPatience = 5 * time.Second
	peerPayload  = 1 << 16
	peerBacklog  = 10_000
)

// peerLine is the longest line that a peer reads, in bytes.
const peerLine = 1 << 14

func dialPeer(ctx context.Context, addr string) (*peer, error) {
	ctx, cancel := context.WithTimeout(ctx, peerPatience)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("nobody answers at %s: %w", addr, err)
	}
	return &peer{conn: c, r: bufio.NewReaderSize(c, peerLine)}, nil
}

func (p *peer) Close() { p.conn.Close() }

// say writes a line with the next transaction ID, which it returns.
func (p *peer) say(verb string, args ...string) (trID string, err error) {
	p.trID++
	trID = strconv.Itoa(p.trID)
	return trID, p.write(strings.Join(append([]string{verb, trID}, args...), " ") + wire.CRLF)
}

// send is say for a verb with a payload.
func (p *peer) send(payload, verb string, args ...string) (trID string, err error) {
	p.trID++
	trID = strconv.Itoa(p.trID)
	line := append([]string{verb, trID}, args...)
	return trID, p.write(strings.Join(append(line, strconv.Itoa(len(payload))), " ") + wire.CRLF + payload)
}

func (p *peer) write(s string) error {
	p.conn.SetWriteDeadline(time.Now().Add(peerPatience))
	if _, err := io.WriteString(p.conn, s); err != nil {
		verb, _, _ := strings.Cut(s, " ")
		return fmt.Errorf("%s cannot be sent: %w", strings.TrimSpace(verb), err)
	}
	return nil
}

// ask says a line and gives the answer to it, which has its verb and its transaction ID.
func (p *peer) ask(ctx context.Context, verb string, args ...string) (said, error) {
	trID, err := p.say(verb, args...)
	if err != nil {
		return said{}, err
	}
	return p.answer(ctx, verb, trID)
}

// answer waits for the answer to a line: an error in its place is one.
func (p *peer) answer(ctx context.Context, verb, trID string) (said, error) {
	s, err := p.await(ctx, "an answer to "+verb, func(s said) bool { return s.arg(0) == trID && (s.verb == verb || code(s.verb) != 0) })
	if n := code(s.verb); n != 0 {
		return s, fmt.Errorf("%s is answered with %w", verb, msnp.Code(n))
	}
	return s, err
}

// code is the number of an error, 0 for a verb.
func code(verb string) int {
	n, err := strconv.Atoi(verb)
	if err != nil {
		return 0
	}
	return n
}

// await gives the first thing said that fits, and keeps what came before it for others to wait for.
func (p *peer) await(ctx context.Context, what string, fits func(said) bool) (said, error) {
	if i := slices.IndexFunc(p.early, fits); i >= 0 {
		s := p.early[i]
		p.early = slices.Delete(p.early, i, i+1)
		return s, nil
	}
	until := time.Now().Add(peerPatience)
	if d, ok := ctx.Deadline(); ok && d.Before(until) {
		until = d
	}
	p.conn.SetReadDeadline(until)
	for len(p.early) < peerBacklog {
		s, err := p.next()
		var timeout net.Error
		switch {
		case errors.As(err, &timeout) && timeout.Timeout():
			return said{}, fmt.Errorf("%s: it did not come", what)
		case err != nil:
			return said{}, fmt.Errorf("%s: %w", what, errGone)
		case fits(s):
			return s, nil
		}
		p.early = append(p.early, s)
	}
	return said{}, fmt.Errorf("%s: the server says too much else", what)
}

// verb waits for a verb, with these words at its beginning.
func (p *peer) verb(ctx context.Context, verb string, begins ...string) (said, error) {
	return p.await(ctx, strings.Join(append([]string{verb}, begins...), " "), func(s said) bool {
		return s.verb == verb && len(s.args) >= len(begins) && slices.Equal(s.args[:len(begins)], begins)
	})
}

// ended waits until the server closes the connection.
func (p *peer) ended(ctx context.Context) error {
	_, err := p.await(ctx, "the end", func(said) bool { return false })
	if errors.Is(err, errGone) {
		return nil
	}
	return fmt.Errorf("the server does not close the connection: %w", err)
}

// all gives what has come and was not waited for, up to the answer to a PNG: dialects 9.2.
func (p *peer) all(ctx context.Context) (l []said, err error) {
	if err := p.write("PNG" + wire.CRLF); err != nil {
		return nil, err
	}
	if _, err := p.verb(ctx, "QNG"); err != nil {
		return nil, err
	}
	l, p.early = p.early, nil
	return l, nil
}

// next reads one thing.
func (p *peer) next() (said, error) {
	line, err := p.r.ReadSlice('\n')
	if err != nil {
		return said{}, err
	}
	f := strings.Fields(string(line))
	if len(f) == 0 {
		return said{}, errors.New("the server sends an empty line")
	}
	s := said{verb: f[0], args: f[1:]}
	if !wire.HasPayload(s.verb, wire.Server, p.dialect) {
		return s, nil
	}
	n, err := strconv.Atoi(f[len(f)-1])
	if err != nil || n < 0 || n > peerPayload {
		return said{}, fmt.Errorf("%s: its payload has no length that can be read", s)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(p.r, b)
	s.payload = string(b)
	return s, err
}
