package session

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"parley/ssp/wire"
	"parley/xmltext"
)

var bodies = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// ServeHTTP takes what peers post, on any path: the acknowledgement is all they get for it, what there is to say goes
// out as a post of ours. ssp-syntax 1.1, 1.2, 1.3.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	switch {
	case r.Method != http.MethodPost:
		h.Set("Allow", http.MethodPost)
		http.Error(w, "domains post their SSP messages here", http.StatusMethodNotAllowed)
		return
	case !isOurs(r.Header.Get("Content-Type")):
		http.Error(w, "the media type of SSP messages is "+MediaType, http.StatusUnsupportedMediaType)
		return
	case r.ContentLength > int64(n.c.Limits.Body):
		n.tooLong(w)
		return
	case !n.enter():
		h.Set("Retry-After", "10")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer n.wg.Done()
	buf := bodies.Get().(*[]byte)
	defer bodies.Put(buf)
	doc, err := readBody(slices.Grow((*buf)[:0], int(min(max(r.ContentLength, 0), 1<<16))+1), r.Body, n.c.Limits.Body)
	if cap(doc) <= 1<<17 {
		*buf = doc
	}
	switch {
	case err != nil:
		return // the peer went away
	case len(doc) > n.c.Limits.Body:
		n.tooLong(w)
		return
	}
	status, after := n.judge(doc, r.RemoteAddr)
	if status == 0 {
		hangUp(w)
	} else {
		if status == http.StatusServiceUnavailable {
			h.Set("Retry-After", "1")
		}
		h["Content-Length"] = noLength
		w.WriteHeader(status)
		if f, ok := w.(http.Flusher); ok && after != nil {
			f.Flush() // the acknowledgement goes first, ssp-syntax 1.3
		}
	}
	if after != nil {
		after()
	}
}

var noLength = []string{"0"}

func (n *Node) tooLong(w http.ResponseWriter) {
	n.c.Hit("payload")
	w.Header().Set("Connection", "close")
	http.Error(w, "too long", http.StatusRequestEntityTooLarge)
}

// readBody reads a body up to one byte more than it may have.
func readBody(b []byte, r io.Reader, most int) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		k, err := r.Read(b[len(b):min(cap(b), most+1)])
		b = b[:len(b)+k]
		switch {
		case err == io.EOF || len(b) > most:
			return b, nil
		case err != nil:
			return b, err
		}
	}
}

// hangUp closes the connection without an answer. ssp-syntax 1.3.
func hangUp(w http.ResponseWriter) {
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		c.Close()
		return
	}
	w.Header().Set("Connection", "close") // HTTP/2, where a connection cannot be had
	w.WriteHeader(http.StatusForbidden)
}

// judge reads a document, and says with which status it is acknowledged, and what is to be done behind that; 0 closes the
// connection without an answer.
// ssp-syntax 1.3.
func (n *Node) judge(doc []byte, remote string) (status int, after func()) {
	m, err := wire.Decode(doc, xmltext.Limits{Bytes: n.c.Limits.Body})
	if err != nil {
		n.c.Log.Warn("not understood", "remote", remote, "err", err)
		return http.StatusBadRequest, nil
	}
	if m.Setup {
		status, step := n.setup(m)
		return status, step
	}
	l := n.session(m.Session)
	if l == nil {
		l = n.early(m.Session)
	}
	switch {
	case l == nil:
		n.c.Log.Warn("unknown session", "remote", remote)
		return 0, nil
	case !l.receive(m):
		n.c.Hit("queue")
		return http.StatusServiceUnavailable, nil
	}
	return http.StatusOK, l.take(m)
}

// early finds the link of a session that is not known yet: in oma13 it is the sender's own, whose ID may come after
// its first request. ssp-syntax 5.1, 5.2.
func (n *Node) early(session string) *Link {
	_, domain, _ := strings.Cut(session, "@")
	p := n.known(domain)
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, lg := range p.logins {
		if lg.info.Dialect == wire.OMA13 && lg.proved && !lg.answered && lg.bind == nil {
			return lg.l
		}
	}
	return nil
}

// heard takes a document in an answer, which some write: as if it had been posted. ssp-syntax 1.3.
func (n *Node) heard(doc []byte) {
	if _, after := n.judge(doc, ""); after != nil {
		after()
	}
}
