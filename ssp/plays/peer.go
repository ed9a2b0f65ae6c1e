package plays

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/xmltext"
)

// peer is another domain: an HTTP server that the service posts to, and a client that posts to the service.
type peer struct {
	service Service
	name    string // its domain
	url     string
	web     *http.Server
	client  *http.Client
	work    sync.WaitGroup

	session, token string // of its last login: the service's
	logins         int

	mu     sync.Mutex // guards what follows
	queue  [][]byte   // what was heard, and nobody has read
	more   chan struct{}
	theirs net.Conn   // the player's end of the play's connection; nil until there is one
	taken  bool       // what is heard is for the player itself, not for the play
	conns  []net.Conn // to the service
	status net.Conn   // where the play hears HTTP's answers; nil: among the rest
	how    string     // HTTP's answer; "": 200
	once   bool
	answer []byte // what the next answer holds
}

// open takes HTTP.
func (q *peer) open() error {
	l, url, err := q.service.Listen(q.name)
	if err != nil {
		return err
	}
	q.url, q.taken = url, true
	q.web = &http.Server{Handler: q, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	q.work.Go(func() { q.web.Serve(l) }) // ends with Close
	q.client = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxConnsPerHost: 1,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return q.dial() }},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return nil
}

// dial opens a connection to the service, which ends with the peer at the latest.
func (q *peer) dial() (net.Conn, error) {
	c, err := q.service.Dial("ssp")
	if err == nil {
		q.mu.Lock()
		q.conns = append(q.conns, c)
		q.mu.Unlock()
	}
	return c, err
}

// Close ends all that the peer does.
func (q *peer) Close() error {
	q.mu.Lock()
	all := append(q.conns, q.theirs, q.status)
	q.mu.Unlock()
	for _, c := range all {
		if c != nil {
			c.Close()
		}
	}
	q.web.Close()
	q.client.CloseIdleConnections()
	q.work.Wait()
	return nil
}

// play is the connection by which a play speaks and hears.
func (q *peer) play() net.Conn {
	ours, theirs := net.Pipe()
	q.mu.Lock()
	q.theirs = theirs
	q.mu.Unlock()
	gone := make(chan struct{})                // closed when the play has closed its end
	q.work.Go(func() { q.tell(theirs, gone) }) // ends with the connection
	q.work.Go(func() {                         // ends with the connection
		defer close(gone)
		q.speak(theirs)
	})
	q.capture(false)
	return &own{Conn: ours, peer: q}
}

// own is a play's end of its connection: closing it ends the peer.
type own struct {
	net.Conn
	peer *peer
	once sync.Once
}

func (o *own) Close() (err error) {
	o.once.Do(func() {
		err = o.Conn.Close()
		o.peer.Close()
	})
	return err
}

// capture has the player itself hear what comes, or the play.
func (q *peer) capture(on bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken = on
	q.changed()
}

// changed wakes all who wait for something to hear. The caller holds q.mu.
func (q *peer) changed() {
	close(q.more)
	q.more = make(chan struct{})
}

// ServeHTTP takes what the service posts: ssp-syntax 1.1.
func (q *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if t := r.Header.Get("Content-Type"); !strings.HasPrefix(t, mediaType) {
		b = fmt.Appendf(nil, "<http type='%s'/>", t)
	}
	q.mu.Lock()
	how, answer := q.how, q.answer
	if q.once {
		q.how, q.once = "", false
	}
	q.answer = nil
	q.mu.Unlock()
	for _, b := range apart(b) {
		q.heard(b)
	}
	switch how {
	case "":
		if answer != nil {
			w.Header().Set("Content-Type", mediaType)
			w.Write(answer)
		}
	case "close":
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			c.Close()
		}
	case "mute":
		<-r.Context().Done()
	default:
		n, _ := strconv.Atoi(how)
		if n == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "3")
		}
		w.WriteHeader(n)
	}
}

// apart makes a document of each of the transactions in one: how many go together is a matter of time. ssp-syntax 1.7.
func apart(doc []byte) [][]byte {
	d, err := xmltext.Parse(doc, xmltext.Limits{Bytes: 1 << 25})
	if err != nil {
		return [][]byte{doc}
	}
	space := string(d.Root().Space())
	session := d.Root().FirstChild()
	id, ok := session.Attr("", "sessionID")
	if !ok {
		return [][]byte{doc}
	}
	var l [][]byte
	for t := range session.Children() {
		b := xmltext.Build(nil)
		b.Start("WV-SSP-Message").Attr("xmlns", space).Start("Session").Attr("sessionID", string(id)).Raw(t.Bytes())
		l = append(l, b.Bytes())
	}
	return l
}

// heard keeps something for who reads it.
func (q *peer) heard(b []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, b)
	q.changed()
}

// first takes the first of what was heard, if it is for who asks: the player itself, or the play. Else more is closed when
// there may be something.
func (q *peer) first(player bool) (b []byte, more <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taken != player || len(q.queue) == 0 {
		return nil, q.more
	}
	b = q.queue[0]
	q.queue = q.queue[1:]
	return b, nil
}

// unheard puts back what was heard first.
func (q *peer) unheard(l [][]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(l, q.queue...)
	q.changed()
}

// tell has the play hear what comes, unless the player wants it itself.
func (q *peer) tell(c net.Conn, gone <-chan struct{}) {
	for {
		b, more := q.first(false)
		if b != nil {
			if _, err := c.Write(append(b[:len(b):len(b)], '\n')); err != nil {
				return
			}
			continue
		}
		select {
		case <-gone:
			return
		case <-more:
		}
	}
}

// patience is how long the player waits for what its own login needs.
const patience = 20 * time.Second

var errNothing = errors.New("the service says nothing more")

// next is the next thing that comes, while the player hears it itself.
func (q *peer) next() ([]byte, error) {
	t := time.NewTimer(patience)
	defer t.Stop()
	for {
		b, more := q.first(true)
		if b != nil {
			return b, nil
		}
		select {
		case <-more:
		case <-t.C:
			return nil, errNothing
		}
	}
}

// speak posts what the play says.
func (q *peer) speak(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		doc, err := Codec.Read(r)
		if err != nil {
			return
		}
		method, typ, body := http.MethodPost, mediaType+"; charset=UTF-8", []byte("<?xml version='1.0'?>"+doc)
		if strings.HasPrefix(doc, "<http") {
			n, err := xmltext.Parse([]byte(doc), xmltext.Limits{Bytes: 1 << 25})
			if err != nil {
				return
			}
			if v, ok := n.Root().Attr("", "type"); ok {
				typ = string(v)
			}
			if v, ok := n.Root().Attr("", "method"); ok {
				method = string(v)
			}
			body = n.Root().Text()
		}
		q.answered(q.post(method, typ, body))
	}
}

// post posts a body; status is 0 when the connection was closed without an answer.
func (q *peer) post(method, typ string, body []byte) (status int, answer []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+Domain+"/", bytes.NewReader(body))
	if err != nil {
		return 0, nil
	}
	r.GetBody = nil // what was closed without an answer is not said again
	r.Header.Set("Content-Type", typ)
	resp, err := q.client.Do(r)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, answer
}

// answered has the play hear HTTP's answer where it says something. An acknowledgement is empty: ssp-syntax 1.3.
func (q *peer) answered(status int, answer []byte) {
	var b []byte
	switch {
	case status == 0:
		b = []byte("<http closed='yes'/>")
	case status == http.StatusOK && len(answer) > 0:
		b = fmt.Appendf(nil, "<http body='%d bytes'/>", len(answer))
	case status != http.StatusOK:
		b = fmt.Appendf(nil, "<http status='%d'/>", status)
	default:
		return
	}
	q.mu.Lock()
	c := q.status
	q.mu.Unlock()
	if c == nil {
		q.heard(b)
		return
	}
	c.Write(append(b, '\n')) // the play may have closed it
}

// aside is the connection by which a play hears HTTP's answers.
func (q *peer) aside() net.Conn {
	ours, theirs := net.Pipe()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.status = theirs
	return ours
}
