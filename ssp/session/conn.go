package session

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/ssp/wire"
)

// MediaType is what documents are to HTTP. ssp-syntax 1.2.
const MediaType = "application/vnd.wv.ssp+xml"

// conn is a connection of ours to a peer, with HTTP/1.1 on it. Whoever took it from its sender owns it.
type conn struct {
	net.Conn
	r      *bufio.Reader
	to     target
	used   bool // something was answered on it
	ended  bool // not to be used again
	parked time.Time
	watch  chan bool // while it is parked and read from: tells whether it is still good
}

func newConn(c net.Conn, t target) *conn {
	return &conn{Conn: c, r: bufio.NewReaderSize(c, 512), to: t}
}

// httpError is an answer of HTTP that is no acknowledgement. ssp-syntax 1.3.
type httpError struct {
	status int
	after  time.Duration // Retry-After
}

func (e *httpError) Error() string { return "HTTP status " + strconv.Itoa(e.status) }

// errSilent: the peer closed the connection without an answer, which is how it says that it does not know the session.
// ssp-syntax 1.3.
var errSilent = errors.New("connection closed without an answer")

// post sends a document, made of one post or of several of one session, and reads the acknowledgement; what stands in that is given back if it is a document.
// fresh says that nothing of an answer came on a connection that was used before: it may be tried on another.
func (c *conn) post(batch []*post, d wire.Dialect, until time.Time) (body []byte, fresh bool, err error) {
	session, foot := batch[0].session, ""
	var room [256]byte
	head := room[:0]
	if session != "" {
		head, foot = d.AppendHead(head, session), wire.Foot
	}
	size := len(head) + len(foot)
	for _, p := range batch {
		size += len(p.doc)
	}
	buf := posts.Get().(*[]byte)
	b := slices.Grow((*buf)[:0], size+512)
	b = append(b, "POST "...)
	b = append(b, c.to.path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, c.to.host...)
	b = append(b, "\r\nUser-Agent: Parley\r\nContent-Type: "+MediaType+"; charset=UTF-8\r\nx-wv-transactionid: "...)
	b = appendHeader(b, batch[0].id)
	if session != "" {
		b = append(b, "\r\nx-wv-sessionid: "...)
		b = appendHeader(b, session)
	}
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(size), 10)
	b = append(b, "\r\n\r\n"...)
	b = append(b, head...)
	for _, p := range batch {
		b = append(b, p.doc...)
	}
	b = append(b, foot...)
	c.SetDeadline(until)
	_, err = c.Write(b)
	if cap(b) <= 1<<17 {
		*buf = b
	}
	posts.Put(buf)
	if err == nil {
		_, err = c.r.Peek(1)
	}
	if err != nil {
		if timeout(err) {
			return nil, false, err
		}
		return nil, c.used, errSilent
	}
	c.used = true
	body, err = c.answer()
	return body, false, err
}

// posts are what is sent, with HTTP's head.
var posts = sync.Pool{New: func() any { return new([]byte) }}

// appendHeader writes a value of a header; a peer's ID may have anything in it.
func appendHeader(b []byte, v string) []byte {
	for i := range len(v) {
		if v[i] > ' ' && v[i] < 0x7f {
			b = append(b, v[i])
		}
	}
	return b
}

func timeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// maxHeader bounds what an answer may have before its body, in lines.
const maxHeader = 100

// errBody is of an answer whose rest is not worth reading: the connection ends.
var errBody = errors.New("HTTP answer too long")

// answer reads one answer; an error that is not *httpError ends the connection. The body is nil unless it is one of
// ours. ssp-syntax 1.3: any 2xx acknowledges.
func (c *conn) answer() ([]byte, error) {
	for {
		line, err := c.line()
		if err != nil {
			return nil, err
		}
		version, rest, ok := strings.Cut(line, " ")
		status, err := strconv.Atoi(rest[:min(3, len(rest))])
		if !ok || err != nil || !strings.HasPrefix(version, "HTTP/1.") {
			return nil, fmt.Errorf("not an answer of HTTP/1.1: %.40q", line)
		}
		h := httpHeader{length: -1, close: version == "HTTP/1.0"}
		for i := 0; ; i++ {
			line, err := c.line()
			if err != nil {
				return nil, err
			}
			if line == "" {
				break
			}
			if i > maxHeader {
				return nil, errBody
			}
			h.read(line)
		}
		if status >= 100 && status < 200 && status != 101 {
			continue
		}
		body, err := c.body(status, &h)
		if err != nil {
			return nil, err
		}
		if status < 200 || status > 299 {
			err = &httpError{status, h.after}
			body = nil
		} else if !h.ours {
			body = nil
		}
		if h.close {
			c.ended = true
		}
		return body, err
	}
}

// line reads a line without its end; it is good for as long as a string is.
func (c *conn) line() (string, error) {
	b, err := c.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull { // a long header: what matters to us is short
		head := string(b[:40])
		for err == bufio.ErrBufferFull {
			_, err = c.r.ReadSlice('\n')
		}
		return head, err
	}
	if err != nil {
		return "", err
	}
	return string(bytes.TrimRight(b, "\r\n")), nil
}

type httpHeader struct {
	length  int64 // -1: not told
	chunked bool
	close   bool
	ours    bool
	after   time.Duration
}

func (h *httpHeader) read(line string) {
	name, v, _ := strings.Cut(line, ":")
	v = strings.TrimSpace(v)
	switch len(name) {
	case len("connection"):
		if strings.EqualFold(name, "connection") && strings.EqualFold(v, "close") {
			h.close = true
		}
	case len("retry-after"):
		if n, err := strconv.Atoi(v); err == nil && n >= 0 && strings.EqualFold(name, "retry-after") {
			h.after = time.Duration(min(n, 3600)) * time.Second
		}
	case len("content-type"):
		if strings.EqualFold(name, "content-type") {
			h.ours = isOurs(v)
		}
	case len("content-length"):
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && n >= 0 && strings.EqualFold(name, "content-length") {
			h.length = n
		}
	case len("transfer-encoding"):
		if strings.EqualFold(name, "transfer-encoding") && strings.EqualFold(v, "chunked") {
			h.chunked = true
		}
	}
}

// isOurs judges a Content-Type: ours in any letters, with any parameters. ssp-syntax 1.2.
func isOurs(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(media), MediaType)
}

// maxAnswer bounds the body of an answer, in bytes.
const maxAnswer = 1 << 20

func (c *conn) body(status int, h *httpHeader) ([]byte, error) {
	var r io.Reader = c.r
	switch {
	case status == 204 || status == 304 || !h.chunked && h.length == 0:
		return nil, nil
	case h.chunked:
		r = httputil.NewChunkedReader(c.r)
	case h.length > maxAnswer:
		return nil, errBody
	case h.length > 0:
		r = io.LimitReader(c.r, h.length)
	default:
		h.close = true
	}
	b, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxAnswer:
		return nil, errBody
	case int64(len(b)) < h.length:
		return nil, io.ErrUnexpectedEOF
	}
	if h.chunked { // the empty line behind the last chunk
		for {
			if line, err := c.line(); err != nil || line == "" {
				return b, err
			}
		}
	}
	return b, nil
}
