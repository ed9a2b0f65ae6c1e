package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"parley/msnp"
	"parley/msnp/wire"
)

// Conversation is a session on a switchboard, draft 8.
type Conversation struct {
	client *Client
	conn   *conn

	mu      sync.Mutex // guards what follows
	session string
	members map[string]string
	news    chan struct{} // closed when members changes; nil when nobody waits
	in      bool          // got as far as to talk: its end is news
	linger  *time.Timer   // ends a Leave that the service does not follow
}

// Why somebody is not in a conversation, or a message did not arrive.
var (
	ErrNotDelivered = errors.New("not delivered")
	ErrNobody       = errors.New("nobody else is in the conversation")
)

// Talk begins a conversation without anybody: XFR SB and USR, draft 8.1, 8.2.
func (c *Client) Talk(ctx context.Context) (*Conversation, error) {
	r, err := c.ns.do(ctx, request{verb: "XFR", args: []string{"SB"}})
	if err != nil {
		return nil, err
	}
	if r.Arg(0) != "SB" || r.Arg(2) != "CKI" || r.Arg(3) == "" {
		return nil, fmt.Errorf("XFR: a referral that leads nowhere: %q", r.Args)
	}
	t, err := c.seat(ctx, r.Arg(1))
	if err != nil {
		return nil, err
	}
	err = t.conn.ask(ctx, request{verb: "USR", args: []string{c.Handle(), r.Arg(3)}}, func(cmd *wire.Command) (bool, error) {
		if cmd.Verb != "USR" || string(cmd.Arg(1)) != "OK" {
			return false, fmt.Errorf("answered by %s %s", cmd.Verb, cmd.Arg(1))
		}
		t.entered()
		return false, nil
	})
	if err != nil {
		t.conn.cut()
		return nil, err
	}
	return t, nil
}

// Join answers a ring: draft 8.4.
func (c *Client) Join(ctx context.Context, r Ring) (*Conversation, error) {
	t, err := c.seat(ctx, r.Address)
	if err != nil {
		return nil, err
	}
	if err := t.conn.ask(ctx, t.answer(r), t.roster); err != nil {
		t.conn.cut()
		return nil, err
	}
	return t, nil
}

// rung tells of a ring, and answers it where that is wanted, on the goroutine that then reads the conversation.
func (c *Client) rung(r Ring) {
	c.emit(r)
	if !c.cfg.Answer {
		return
	}
	c.spawn(func() {
		ctx, cancel := context.WithTimeout(c.life, c.cfg.Timeout)
		defer cancel()
		n, err := c.dial(ctx, r.Address)
		if err != nil {
			c.emit(RingFailed{r, err})
			return
		}
		t := c.enter(n)
		late := time.AfterFunc(c.cfg.Timeout, n.cut)
		defer late.Stop()
		q := t.answer(r)
		q.w = &wait{take: t.roster, end: func(err error) {
			late.Stop()
			if err != nil {
				n.cut()
				c.emit(RingFailed{r, fmt.Errorf("ANS: %w", err)})
				return
			}
			c.emit(Answered{t, r})
		}}
		if _, err := n.begin(q); err != nil {
			n.cut()
			c.emit(RingFailed{r, fmt.Errorf("ANS: %w", err)})
		}
		t.read()
	})
}

// seat connects to a switchboard and starts to read.
func (c *Client) seat(ctx context.Context, address string) (*Conversation, error) {
	n, err := c.dial(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("the switchboard at %s: %w", address, err)
	}
	t := c.enter(n)
	if !c.spawn(t.read) {
		n.cut()
		return nil, ErrClosed
	}
	return t, nil
}

// enter remembers a conversation, for Close.
func (c *Client) enter(n *conn) *Conversation {
	t := &Conversation{client: c, conn: n, members: map[string]string{}}
	c.mu.Lock()
	c.talks[t] = struct{}{}
	if c.closing {
		n.cut()
	}
	c.mu.Unlock()
	return t
}

func (t *Conversation) read() {
	t.conn.read(t.serve)
	t.mu.Lock()
	clear(t.members)
	t.changed()
	in := t.in
	if t.linger != nil {
		t.linger.Stop()
	}
	t.mu.Unlock()
	c := t.client
	c.mu.Lock()
	delete(c.talks, t)
	c.mu.Unlock()
	if in {
		c.emit(Ended{Conversation: t, Err: t.conn.ending()})
	}
}

func (t *Conversation) entered() {
	t.mu.Lock()
	t.in = true
	t.mu.Unlock()
}

// answer is the request that joins: draft 8.4.
func (t *Conversation) answer(r Ring) request {
	t.mu.Lock()
	t.session = r.Session
	t.mu.Unlock()
	return request{verb: "ANS", args: []string{t.client.Handle(), r.Cookie, r.Session}}
}

// roster takes the answer to it: who is there, then OK.
func (t *Conversation) roster(cmd *wire.Command) (more bool, err error) {
	switch {
	case cmd.Verb == "IRO" && cmd.Len() >= 5:
		t.mu.Lock()
		t.members[string(cmd.Arg(3))] = name(cmd.Arg(4))
		t.mu.Unlock()
		return true, nil
	case cmd.Verb == "ANS" && string(cmd.Arg(1)) == "OK":
		t.entered()
		return false, nil
	}
	return false, fmt.Errorf("answered by %s", cmd.Verb)
}

// serve takes what the switchboard sends unasked.
func (t *Conversation) serve(cmd *wire.Command) bool {
	switch cmd.Verb {
	case "MSG":
		t.client.emit(Message{t, string(cmd.Arg(0)), name(cmd.Arg(1)), append([]byte(nil), cmd.Payload...)})
	case "JOI":
		e := Joined{t, string(cmd.Arg(0)), name(cmd.Arg(1))}
		if e.Handle == t.client.Handle() {
			return true // draft 8.5 has the one who joins told as well
		}
		t.mu.Lock()
		t.members[e.Handle] = e.Name
		t.changed()
		t.mu.Unlock()
		t.client.emit(e)
	case "BYE":
		e := Left{t, string(cmd.Arg(0)), string(cmd.Arg(1)) == "1"}
		t.mu.Lock()
		delete(t.members, e.Handle)
		t.changed()
		t.mu.Unlock()
		t.client.emit(e)
	case "NAK":
		if t.conn.refuse(cmd, ErrNotDelivered) {
			return true
		}
		id, _ := cmd.TrID()
		t.client.emit(Undelivered{t, id})
	default:
		return false
	}
	return true
}

// refuse ends the request that a command answers with an error.
func (c *conn) refuse(cmd *wire.Command, err error) bool {
	id, ok := cmd.TrID()
	if !ok {
		return false
	}
	c.mu.Lock()
	w := c.waits[id]
	delete(c.waits, id)
	c.mu.Unlock()
	if w != nil {
		w.end(err)
	}
	return w != nil
}

// changed wakes who waits for members. The caller holds t.mu.
func (t *Conversation) changed() {
	if t.news != nil {
		close(t.news)
		t.news = nil
	}
}

// Session is the number of the session as the service names it; "" before somebody was invited.
func (t *Conversation) Session() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.session
}

// Members are the handles of all others who are in, sorted.
func (t *Conversation) Members() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(maps.Keys(t.members))
}

// Invite rings somebody: CAL, draft 8.3. They are in when Joined comes. The error of the service is a msnp.Code: 217
// for who is not there, 215 for who is in or rung already.
func (t *Conversation) Invite(ctx context.Context, handle string) error {
	r, err := t.conn.do(ctx, request{verb: "CAL", args: []string{handle}})
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.session = r.Arg(1)
	t.mu.Unlock()
	return nil
}

// Await waits until somebody is in; any one when handle is empty.
func (t *Conversation) Await(ctx context.Context, handle string) error {
	for {
		t.mu.Lock()
		_, in := t.members[handle]
		if in || handle == "" && len(t.members) > 0 {
			t.mu.Unlock()
			return nil
		}
		if t.news == nil {
			t.news = make(chan struct{})
		}
		news := t.news
		t.mu.Unlock()
		select {
		case <-news:
		case <-t.conn.over:
			return ErrNobody
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Say sends a text and waits until the service has it delivered or stored: MSG A, draft 8.7. ErrNotDelivered when it
// has not, for one of the others at least.
func (t *Conversation) Say(ctx context.Context, text string) error {
	return t.Deliver(ctx, msnp.TextPayload(text, msnp.Format{}))
}

// Deliver is Say for any payload.
func (t *Conversation) Deliver(ctx context.Context, payload []byte) error {
	_, err := t.conn.do(ctx, request{verb: "MSG", args: []string{"A"}, payload: payload, body: true}, "ACK")
	return err
}

// Send sends a payload and waits for nothing; mode is U or N: draft 8.7. With N, Undelivered comes with the
// transaction ID if it did not arrive.
func (t *Conversation) Send(mode string, payload []byte) (trID uint32, err error) {
	return t.conn.begin(request{verb: "MSG", args: []string{mode}, payload: payload, body: true})
}

// Typing tells the others that one types: dialects 8.2.
func (t *Conversation) Typing() error {
	_, err := t.Send("U", msnp.TypingPayload(t.client.Handle()))
	return err
}

// Do sends any command to the switchboard and gives the first line of its answer.
func (t *Conversation) Do(ctx context.Context, verb string, args ...string) (Reply, error) {
	return t.conn.any(ctx, verb, args)
}

// Leave ends the conversation for this client: draft 8.6. Ended comes when the connection is over.
func (t *Conversation) Leave() {
	t.mu.Lock()
	if t.linger == nil {
		t.linger = time.AfterFunc(t.client.cfg.Linger, t.conn.cut)
	}
	t.mu.Unlock()
	t.conn.leave()
}

// Done is closed when the connection is over.
func (t *Conversation) Done() <-chan struct{} { return t.conn.over }
