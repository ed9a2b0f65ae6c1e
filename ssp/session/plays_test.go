package session

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/ssp"
	"parley/ssp/wire"
	"parley/transcript"
)

// other is the domain that a play is of: what the node posts to it is heard, what it says is posted.
type other struct {
	conn  net.Conn // the play's end is the other one
	mu    sync.Mutex
	queue [][]byte
	more  chan struct{}
	sick  string // how it answers HTTP: "" well
}

// ServeHTTP takes what the node posts.
func (o *other) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	o.mu.Lock()
	sick := o.sick
	o.sick = strings.TrimPrefix(sick, "once ")
	if o.sick != sick {
		sick = o.sick
		o.sick = ""
	}
	o.mu.Unlock()
	switch {
	case sick == "":
		o.say(body)
	case sick == "silent":
		hangUp(w)
	case sick == "slow":
		o.say(body)
		time.Sleep(time.Second)
	case sick == "mute": // takes it, and says nothing
		<-r.Context().Done()
	case strings.HasPrefix(sick, "body "): // its answer stands in the acknowledgement
		o.say(body)
		w.Header().Set("Content-Type", MediaType)
		io.WriteString(w, strings.TrimPrefix(sick, "body "))
	default:
		var status int
		fmt.Sscan(sick, &status)
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(status)
		o.say(fmt.Appendf(nil, "<refused status='%d'/>", status))
	}
}

// say has the play hear something.
func (o *other) say(b []byte) {
	o.mu.Lock()
	o.queue = append(o.queue, b)
	o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
}

// write tells the play what there is, until the connection ends.
func (o *other) write(ctx context.Context) {
	for {
		select {
		case <-o.more:
		case <-ctx.Done():
			return
		}
		o.mu.Lock()
		q := o.queue
		o.queue = nil
		o.mu.Unlock()
		for _, b := range q {
			if _, err := o.conn.Write(append(b, '\n')); err != nil {
				return
			}
		}
	}
}

// read posts what the play says; what HTTP has to say about it is heard when it is no acknowledgement.
func (o *other) read(client *http.Client, url string) {
	r := bufio.NewReader(o.conn)
	for {
		doc, err := transcript.XML{}.Read(r)
		if err != nil {
			return
		}
		body := []byte(doc)
		media := MediaType + "; charset=UTF-8"
		if text, ok := strings.CutPrefix(doc, "<raw>"); ok { // not XML, or not ours
			body = []byte(strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(strings.TrimSuffix(text, "</raw>")))
		}
		if doc == "<text/>" {
			media = "text/xml"
		}
		if doc == "<huge/>" {
			body = bytes.Repeat([]byte("x"), 10<<20)
		}
		resp, err := client.Post(url, media, bytes.NewReader(body))
		if err != nil {
			o.say([]byte("<closed/>"))
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			o.say(fmt.Appendf(nil, "<http status='%d'/>", resp.StatusCode))
		}
	}
}

// house is where a play of sessions is played: we are b.example.
type house struct {
	t       *testing.T
	w       *network
	d       *domain
	ctx     context.Context
	others  map[string]*other
	hosts   []*host
	results chan error
	hash    ssp.Hash
	mu      sync.Mutex
	own     string // the session that we manage for a.example
}

// skip brings the sessions with a.example up without a login. Theirs is 77aa@a.example.
func (h *house) skip() {
	p, info := h.d.Node.peer(alpha)
	p.mu.Lock()
	lg := p.newLogin(info, false, nil, nil)
	l := lg.l
	l.theirs, l.granted, l.life = "77aa@"+alpha, time.Hour, h.d.c.Timers.Life
	h.d.Node.bind(l.theirs, l)
	p.link = l
	l.raise()
	lg.end()
	p.mu.Unlock()
	h.own = l.own
	l.sender.move([]target{{addr: alpha + ":80", host: alpha, path: "/"}})
	l.open()
}

func (h *house) dial(name, where string) (net.Conn, error) {
	if h.d == nil {
		h.d = newDomain(h.t, h.w, beta, func(d *domain, c *Config) {
			c.Handle = h.handle
			for _, n := range []string{alpha, "c.example"} {
				p := peerOf(beta, n)
				p.Connections = 1 // so that there is one order
				p.Digest = func(token []byte) []byte { return ssp.Digest(h.hash, token, secret(n)) }
				p.Proof = func(token []byte) []byte { return ssp.Digest(h.hash, token, secret(beta)) }
				d.peers[n] = p
			}
			for word := range strings.FieldsSeq(where) {
				key, value, _ := strings.Cut(word, "=")
				switch key {
				case "rate":
					fmt.Sscan(value, &c.Limits.Rate)
				case "repeats":
					fmt.Sscan(value, &c.Limits.Repeats)
				case "hash":
					h.hash, _ = ssp.ParseHash(value)
				case "hosts":
					c.Hosts = strings.Split(value, ",")
				case "life":
					c.Timers.Life, _ = time.ParseDuration(value)
				case "offers":
					d.peers[alpha].Offers = ssp.Services(strings.Split(value, ","))
				case "together":
					fmt.Sscan(value, &d.peers[alpha].Together)
				}
			}
		})
	}
	ours, theirs := net.Pipe()
	o := &other{conn: theirs, more: make(chan struct{}, 1)}
	h.others[name] = o
	if _, ok := h.d.peers[name]; ok || strings.HasPrefix(name, "host") {
		at := h.w.listen(name + ":80")
		at.serve(o)
		h.hosts = append(h.hosts, at)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: h.w.dial}}
	h.t.Cleanup(func() { theirs.Close(); client.CloseIdleConnections() })
	go o.write(h.ctx)                         // ends with the play
	go o.read(client, "http://"+beta+":80/x") // ends with the connection
	if name == alpha && slices.Contains(strings.Fields(where), "up") {
		h.skip()
	}
	return ours, nil
}

// handle is what our side does with requests.
func (h *house) handle(ctx context.Context, r *Request) {
	h.d.mu.Lock()
	h.d.got = append(h.d.got, r)
	h.d.mu.Unlock()
	switch r.Primitive.Name {
	case "SubscribeRequest": // takes its time
		r.Answer(wire.Status(wire.Started, ""))
	case "UnsubscribeRequest":
		r.Answer(wire.Status(wire.Successful, ""))
		r.Answer(wire.Status(wire.Internal, "")) // too late
	case "GetMessageRequest":
		r.Answer(wire.New("NewMessage").Add(wire.Status(wire.Successful, ""), wire.New("User", "userID", "wv:alice@"+alpha),
			wire.New("MessageInfo", "messageID", r.Primitive.Attr("messageID"), "contentType", "text/plain", "contentSize", "5").Add(
				wire.New("Recipient").Add(wire.New("User", "userID", "wv:alice@"+alpha)),
				wire.New("Sender").Add(wire.New("User", "userID", "wv:bob@"+beta))),
			wire.New("ContentData").With("hello")))
		go func() { // ends with the third step, or without it
			e, err := r.Then(ctx)
			switch {
			case err != nil:
				r.Answer(wire.Status(wire.BadMessage, ""))
			case e.Attr("messageID") != r.Primitive.Attr("messageID"):
				r.Answer(wire.Status(wire.BadMessage, ""))
			default:
				r.Answer(wire.Status(wire.Successful, ""))
			}
		}()
	default:
		answerAll(r)
	}
}

func (h *house) options() transcript.Options {
	digest := func(conn, token string) (string, error) { // by which the domain proves itself
		return base64.StdEncoding.EncodeToString(ssp.Digest(h.hash, []byte(token), secret(conn))), nil
	}
	session := func(conn, _ string) (string, error) { // ours with the domain
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.own == "" {
			return "", errors.New("there were no sessions")
		}
		return h.own, nil
	}
	wait := func(want string, err error) error {
		got := "nothing yet"
		synctest.Wait()
		select {
		case err := <-h.results:
			var code wire.Code
			switch {
			case err == nil:
				got = "well"
			case errors.As(err, &code) && !errors.Is(err, ErrDown):
				got = code.String()
			case errors.Is(err, ErrDown):
				got = "down"
			default:
				got = err.Error()
			}
		default:
		}
		if got != want {
			return fmt.Errorf("the result is %s, should be %s", got, want)
		}
		return nil
	}
	return transcript.Options{
		Codec: transcript.XML{}, Bubble: true,
		Funcs: map[string]func(string, string) (string, error){"digest": digest, "session": session},
		Directives: map[string]func([]string) error{
			"login": func(args []string) error {
				go func() { // ends with the login
					h.results <- h.d.Login(h.ctx, args[0], nil)
				}()
				return nil
			},
			"keep":   func(args []string) error { h.d.Keep(args[0]); return nil },
			"forget": func(args []string) error { h.d.Forget(args[0]); return nil },
			"stop":   func(args []string) error { go h.d.Close(h.ctx); return nil },
			"ask": func(args []string) error {
				synctest.Wait()
				l := h.d.Node.Link(alpha)
				if l == nil {
					return errors.New("there is no session")
				}
				done := func(_ *wire.Element, err error) { h.results <- err }
				switch args[0] {
				case "notice":
					l.Go(h.ctx, notice(beta), done)
				case "message":
					l.Go(h.ctx, message(beta, alpha, "hello"), done)
				case "ordered":
					for i := range 3 {
						l.GoOrdered(h.ctx, "bob alice", message(beta, alpha, fmt.Sprint("word ", i+1)), nil)
					}
				case "invitation":
					l.Go(h.ctx, wire.New("InviteRequest", "inviteID", "i1@"+beta, "inviteType", "IM").Add(
						wire.Meta{Service: "wv:@" + beta, User: "wv:bob@" + beta}.Element(),
						wire.New("Inviting").Add(wire.New("User", "userID", "wv:bob@"+beta)),
						wire.New("Invited").Add(wire.New("User", "userID", "wv:alice@"+alpha))), done)
				case "indication":
					l.Go(h.ctx, wire.New("ServiceList").Add(wire.Meta{Service: "wv:@" + beta}.Element(), ssp.Services{"IMFeature"}.Element()), done)
				case "get":
					go func() { // ends with the transaction
						_, err := l.RequestThen(h.ctx, wire.New("GetMessageRequest", "messageID", "m7@"+alpha).Add(wire.Meta{Service: "wv:@" + beta, User: "wv:bob@" + beta}.Element()),
							func(e *wire.Element) *wire.Element {
								return wire.New("MessageDelivered", "messageID", e.Child("MessageInfo").Attr("messageID")).Add(
									wire.Meta{Service: "wv:@" + beta, User: "wv:bob@" + beta}.Element())
							})
						h.results <- err
					}()
				default:
					return fmt.Errorf("%s cannot be asked", args[0])
				}
				return nil
			},
			"result": func(args []string) error { return wait(args[0], nil) },
			"up": func(args []string) error {
				synctest.Wait()
				if h.d.Node.Link(args[0]) == nil {
					return errors.New("sessions are down")
				}
				return nil
			},
			"down": func(args []string) error {
				synctest.Wait()
				if h.d.Node.Link(args[0]) != nil {
					return errors.New("sessions are up")
				}
				return nil
			},
			"sick": func(args []string) error {
				o := h.others[args[0]]
				o.mu.Lock()
				defer o.mu.Unlock()
				o.sick = strings.Join(args[1:], " ")
				return nil
			},
			"handled": func(args []string) error {
				synctest.Wait()
				if n := fmt.Sprint(len(h.d.requests())); n != args[0] {
					return fmt.Errorf("%s requests were handled, not %s", n, args[0])
				}
				return nil
			},
			"kill": func(args []string) error { h.hosts[0].Close(); return nil },
			"called": func(args []string) error {
				for _, addr := range h.w.dialed() {
					if addr != beta+":80" && !strings.HasPrefix(addr, args[0]+":") {
						return fmt.Errorf("%s was called", addr)
					}
				}
				return nil
			},
		},
	}
}

// TestPlays plays the golden transcripts of sessions: HTTP bodies in both directions.
func TestPlays(t *testing.T) {
	scripts, err := transcript.Load(os.DirFS("../../testdata/plays/ssp"), "session_*.play")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scripts {
		t.Run(s.Title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				h := &house{t: t, w: newNetwork(), ctx: ctx, others: map[string]*other{}, results: make(chan error, 16)}
				defer func() {
					cancel()
					if h.d != nil {
						h.d.stop()
					}
					for _, at := range h.hosts {
						at.Close()
					}
					time.Sleep(time.Second) // net/http lingers on what it closed
				}()
				transcript.Play(t, s, h.dial, h.options())
			})
		})
	}
}
