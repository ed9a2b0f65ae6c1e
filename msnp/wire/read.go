package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
)

// Why a connection cannot be read on. The line that was read up to there is in the command, so that it can still be
// answered; then the connection has to be closed, since nobody can tell where the next command begins.
var (
	// ErrLineTooLong: a line is longer than the limit (dialects 1.1).
	ErrLineTooLong = errors.New("wire: the line is too long")
	// ErrPayload: what ought to be the length of a payload is no number (dialects 1.3).
	ErrPayload = errors.New("wire: the payload's length is missing or no number")
	// ErrPayloadTooLong: a payload is larger than the limit. It is an ErrPayload, too.
	ErrPayloadTooLong = fmt.Errorf("%w: larger than the limit", ErrPayload)
)

// What Framing holds to where it says 0. Sizes are in bytes.
const (
	DefaultLine          = 8192  // dialects 1.1
	DefaultPayload       = 1664  // of a client, dialects 1.5
	DefaultServerPayload = 65535 // of a server, whom one trusts more
)

// Framing says how somebody's bytes are cut into commands. The zero Framing is for a client whose dialect is not
// known.
type Framing struct {
	From    Side // who sends
	Dialect int  // of the connection, 2 to 12; 0 where none was named
	Line    int  // the longest line in bytes, its end included, up to 65535; 0: DefaultLine
	Payload int  // the largest payload in bytes; 0: DefaultPayload, of a server DefaultServerPayload
}

func (f *Framing) line() int {
	if f.Line <= 0 {
		return DefaultLine
	}
	return min(f.Line, math.MaxUint16)
}

func (f *Framing) payload() int {
	switch {
	case f.Payload > 0:
		return f.Payload
	case f.From == Server:
		return DefaultServerPayload
	}
	return DefaultPayload
}

// Parse reads the first command of buf into c. n bytes of buf are done with; more says how many bytes are missing at
// least:
//
//   - more is 0 and err is nil: c is a command, n bytes long.
//   - more is above 0: there is no whole command yet, and c says nothing. n counts empty lines, which are no
//     commands, and is 0 when there are none. When a payload is awaited, more is exact.
//   - err is ErrLineTooLong, ErrPayload or ErrPayloadTooLong: the bytes cannot be cut any further. c holds the line,
//     or nothing when that is too long, and n counts up to its end.
//
// Words are separated by any blanks; a line ends in LF, with a CR before it or not (draft 5.2, dialects 1.1).
func Parse(c *Command, buf []byte, f Framing) (n, more int, err error) {
	for {
		rest := buf[n:]
		limit := f.line()
		lf := bytes.IndexByte(rest[:min(limit, len(rest))], '\n')
		if lf < 0 {
			if len(rest) >= limit {
				*c = Command{} // not the one before: its answer would name another's transaction ID
				return n, 0, ErrLineTooLong
			}
			return n, 1, nil
		}
		size := lf + 1
		if !c.set(rest[:lf], f.From) {
			n += size
			continue
		}
		if !HasPayload(c.Verb, f.From, f.Dialect) {
			return n + size, 0, nil
		}
		l, ok := number(c.Arg(c.n-1), math.MaxInt32)
		switch {
		case c.n == 0 || !ok && !digits(c.Arg(c.n-1)):
			return n + size, 0, ErrPayload
		case !ok || int(l) > f.limit(c.Verb):
			return n + size, 0, ErrPayloadTooLong
		case len(rest) < size+int(l):
			return n, size + int(l) - len(rest), nil
		}
		c.Payload = rest[size : size+int(l) : size+int(l)]
		return n + size + int(l), 0, nil
	}
}

// digits tells a number that is too large from what is no number.
func digits(b []byte) bool {
	for _, d := range b {
		if !digit(d) {
			return false
		}
	}
	return len(b) > 0
}

// Reader reads commands one after another, for clients. It belongs to one goroutine.
type Reader struct {
	// Framing may be changed between two reads: the dialect, once it is agreed.
	Framing Framing

	r    io.Reader
	buf  []byte
	from int
	err  error
}

// NewReader reads what f.From sends over r.
func NewReader(r io.Reader, f Framing) *Reader { return &Reader{Framing: f, r: r} }

// Read waits for the next command. It is good until the next Read. The error is that of Parse, with the command's
// line, or that of the connection: io.EOF between two commands, io.ErrUnexpectedEOF within one.
func (r *Reader) Read() (Command, error) {
	var c Command
	for {
		n, more, err := Parse(&c, r.buf[r.from:], r.Framing)
		r.from += n
		if err != nil || more == 0 {
			return c, err
		}
		if r.err != nil {
			if r.err == io.EOF && r.from < len(r.buf) {
				return Command{}, io.ErrUnexpectedEOF
			}
			return Command{}, r.err
		}
		r.fill(more)
	}
}

// fill reads once, with room for at least so many bytes.
func (r *Reader) fill(more int) {
	have := copy(r.buf, r.buf[r.from:])
	r.buf, r.from = r.buf[:have], 0
	if cap(r.buf)-have < max(more, 512) {
		r.buf = append(make([]byte, 0, 2*have+max(more, 2048)), r.buf...)
	}
	for range 100 { // a reader that gives nothing so often is broken
		n, err := r.r.Read(r.buf[have:cap(r.buf)])
		r.buf, r.err = r.buf[:have+n], err
		if n > 0 || err != nil {
			return
		}
	}
	r.err = io.ErrNoProgress
}
