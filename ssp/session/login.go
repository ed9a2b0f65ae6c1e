package session

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"parley/metrics"
	"parley/ssp"
	"parley/ssp/wire"
)

// stage is how far a login has come, ssp-syntax 5.1.
type stage uint8

const (
	called  stage = iota // our token is sent, theirs is not here: TOKEN_SENT
	backed               // theirs came first, and ours was sent back: TOKEN_BACK
	proving              // both are there, digests go to and fro: LOGIN
	ended                // done, or failed
)

// login is one way through the ten steps. Its peer's lock guards it.
type login struct {
	n    *Node
	p    *peer
	info *Peer
	l    *Link // what it will be
	bind *Link // the session that a further connection pair is for, SSP 6.1.1

	ours         bool // it was begun here
	first        bool // we are the initiator
	stage        stage
	token, id    string // ours
	other        []byte // their token
	otherID      string
	wish         int // the life that they want for their session here, seconds; 0: none told
	hosts        []string
	proved       bool // they sent the right digest
	answered     bool // their LoginResponse came
	acknowledged bool // ours was taken

	refused wire.Code // 0: not

	at    int // the step that is awaited, SSP 6.1.1
	timer *time.Timer
	limit time.Time
	told  chan told
	done  chan struct{} // closed at the end, behind err
	err   error
}

// told is what happened at a step.
type told struct {
	n    int
	what string
}

// LoginError says at which of the ten steps a login ended, and why.
type LoginError struct {
	Step int // 1 to 10, SSP 6.1.1
	Err  error
}

func (e *LoginError) Error() string {
	return fmt.Sprintf("login step %d, %s: %v", e.Step, steps[e.Step], e.Err)
}

func (e *LoginError) Unwrap() error { return e.Err }

// steps are the ten, as the initiator sees them. SSP 6.1.1.
var steps = [...]string{
	"", "send our token", "be known there", "get a call back with its token", "know who calls back",
	"send our digest", "get its digest", "have our digest accepted", "get its session",
	"verify its digest", "send our session",
}

// setupID makes the ID of a login's transaction: a number, as the public implementation wants, that nobody guesses.
// ssp-syntax 5.2.
func setupID() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1e15))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return strconv.FormatInt(n.Int64()+1e15, 10)
}

// sessionID makes the ID of a session that we manage: 20 hexadecimal digits at our domain. ssp-syntax 5.2.
func (n *Node) sessionID() string {
	var b [10]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:]) + "@" + n.c.Domain
}

// newLogin makes a login; the peer's lock is held.
func (p *peer) newLogin(info *Peer, first bool, bind *Link, to *target) *login {
	n := p.n
	lg := &login{n: n, p: p, info: info, ours: first, first: first, bind: bind, token: ssp.NewToken(), id: setupID(), at: 1,
		limit: time.Now().Add(n.c.Timers.Login), told: make(chan told, len(steps)), done: make(chan struct{})}
	lg.l = n.newLink(p, info, func() ([]target, error) {
		if to != nil {
			return []target{*to}, nil
		}
		ctx, cancel := context.WithTimeout(n.ctx, n.c.Timers.Connect)
		defer cancel()
		return n.targets(ctx, info)
	})
	lg.l.sender.broken = func(err error) {
		if err != nil {
			lg.fail(0, err)
		}
	}
	n.c.Metrics.Enter(stateLogin)
	p.logins = append(p.logins, lg)
	lg.timer = time.AfterFunc(min(n.c.Timers.Step, n.c.Timers.Login), func() {
		n.run(func() { lg.fail(0, errors.New("no word in time")) })
	})
	return lg
}

// call begins a login of ours: step 1. With several under way, there is the one that is given back.
func (n *Node) call(domain string, bind *Link, to *target) (*login, error) {
	p, info := n.peer(domain)
	if p == nil {
		return nil, ErrUnknown
	}
	n.mu.RLock()
	closing := n.closing
	n.mu.RUnlock()
	if closing {
		return nil, ErrClosed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if bind == nil {
		for _, lg := range p.logins {
			if lg.bind == nil {
				return lg, nil // two at once would take each other's tokens
			}
		}
	}
	lg := p.newLogin(info, true, bind, to)
	lg.post(lg.sendToken(), func() { lg.tell(1, 2) }) // under the lock: nothing of it is sent before
	return lg, nil
}

// calling is our own login that waits for a call back. The lock is held.
func (p *peer) calling() *login {
	for _, lg := range p.logins {
		if lg.first && lg.stage == called {
			return lg
		}
	}
	return nil
}

// tell says that a step was done, and which one is awaited. It takes the lock.
func (lg *login) tell(done, next int) {
	lg.p.mu.Lock()
	defer lg.p.mu.Unlock()
	lg.step(done, next)
}

// step is the same with the lock held.
func (lg *login) step(done, next int) {
	if lg.stage == ended {
		return
	}
	lg.at = max(lg.at, next)
	select {
	case lg.told <- told{done, steps[done]}:
	default:
	}
	lg.timer.Reset(max(0, min(lg.n.c.Timers.Step, time.Until(lg.limit))))
}

// unit is one of our steps: the initiator's are requests, the responder's responses. ssp-syntax 5.1.
func (lg *login) unit(id string, e *wire.Element) wire.Unit {
	return wire.Unit{Response: !lg.first, ID: id, Primitive: e}
}

func (lg *login) sendToken() wire.Unit {
	return lg.unit(lg.id, wire.New("SendSecretToken", "serviceID", ssp.FormatService(lg.n.c.Domain), "protocol", "WV-SSP",
		"protocolVersion", lg.info.Dialect.Version()).Add(wire.New("SecretToken").With(lg.token)))
}

// theirID is the transaction that their token opened; oma13 has one for all steps but one. ssp-syntax 5.1.
func (lg *login) theirID() string {
	if lg.info.Dialect == wire.OMA13 && lg.first {
		return lg.id
	}
	return lg.otherID
}

// request proves who we are: step 5 or 6.
func (lg *login) request() wire.Unit {
	prove := lg.info.Proof
	if prove == nil {
		prove = lg.info.Digest
	}
	e := wire.New("LoginRequest", "serviceID", ssp.FormatService(lg.n.c.Domain),
		"timeToLive", strconv.Itoa(int(lg.n.c.Timers.Life/time.Second)))
	if lg.bind != nil {
		e.Set("sessionID", lg.bind.theirs)
	}
	return lg.unit(lg.theirID(), e.Add(wire.New("PasswordDigest").WithBytes(prove(lg.other))))
}

// response opens our session to them: step 8 or 10.
func (lg *login) response() wire.Unit {
	l := lg.l
	if lg.bind != nil {
		l = lg.bind
	}
	life := int(lg.n.c.Timers.Life / time.Second)
	if lg.wish > 0 {
		life = min(life, lg.wish)
	}
	if lg.bind == nil {
		l.life = time.Duration(life) * time.Second
	}
	e := wire.New("LoginResponse", "sessionID", l.own, "timeToLive", strconv.Itoa(life)).
		Add(wire.Status(wire.Successful, ""))
	if lg.bind == nil && len(lg.n.c.Hosts) > 0 {
		h := wire.New("ListOfHosts")
		for _, name := range lg.n.c.Hosts {
			h.Add(wire.New("Host").With(name))
		}
		e.Add(h)
	}
	return lg.unit(lg.responseID(), e)
}

// responseID: step 8 answers the token of ours that they got, step 10 ends what we began; in oma13 all is the
// initiator's. ssp-syntax 5.1, SSP 6.3.1.
func (lg *login) responseID() string {
	if !lg.first && lg.info.Dialect == wire.OMA13 {
		return lg.otherID
	}
	return lg.id
}

// post sends a step; those of a login go one after another. No lock is held, unless it is the first one.
func (lg *login) post(u wire.Unit, then func()) {
	m := wire.Message{Dialect: lg.info.Dialect, Setup: true, Units: []wire.Unit{u}}
	doc, err := m.Append(nil)
	if err != nil {
		lg.fail(0, err)
		return
	}
	lg.l.sender.send(&post{doc: doc, id: u.ID, done: func(err error) {
		if err != nil {
			lg.fail(0, err)
		} else if then != nil {
			then()
		}
	}})
}

// fail ends a login that did not come through; step 0 is the one awaited. No lock is held.
func (lg *login) fail(step int, err error) {
	p := lg.p
	p.mu.Lock()
	if lg.stage == ended {
		p.mu.Unlock()
		return
	}
	lg.stage = ended
	if step == 0 {
		step = lg.at
	}
	if lg.refused != 0 {
		err = lg.refused
	}
	lg.err = &LoginError{step, err}
	lg.timer.Stop()
	p.drop(lg)
	p.mu.Unlock()
	close(lg.done)
	lg.n.c.Metrics.Leave(stateLogin)
	if errors.Is(err, wire.BadPassword) {
		lg.n.c.Metrics.Login(metrics.LoginWrong)
	} else {
		lg.n.c.Metrics.Login(metrics.LoginFailed)
	}
	lg.n.c.Log.Warn("login failed", "peer", p.domain, "step", step, "err", err)
	lg.l.release(err)
	p.again(false)
}

// refuse fails a login after a LoginResponse that says why: ssp-syntax 5.1, 9. The lock is held; what is given back is
// called without it.
func (lg *login) refuse(step int, c wire.Code) func() {
	lg.refused, lg.at = c, step
	u := lg.unit(lg.responseID(), wire.New("LoginResponse").Add(wire.Status(c, c.Words())))
	return func() { lg.post(u, func() { lg.fail(step, c) }) }
}

// Login makes a new pair of sessions with a domain, in place of one that there may be, and tells of each of the ten
// steps when it is done. A login of the peer's that is under way is waited for, and will do. The error is a
// *LoginError, ErrUnknown, ErrClosed, or that of ctx. SSP 6.1.1.
func (n *Node) Login(ctx context.Context, domain string, step func(n int, what string, err error)) error {
	if step == nil {
		step = func(int, string, error) {}
	}
	for {
		lg, err := n.call(domain, nil, nil)
		if err != nil {
			return err
		}
		lg.watch(ctx, step)
		var failed *LoginError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case !lg.ours && lg.err != nil:
			continue // whoever it was did not come through
		case errors.As(lg.err, &failed):
			step(failed.Step, steps[failed.Step], failed.Err)
		}
		return lg.err
	}
}

// watch tells of the steps until the login is over, or ctx ends, and a login of ours with it.
func (lg *login) watch(ctx context.Context, step func(n int, what string, err error)) {
	for over := false; !over; {
		select {
		case t := <-lg.told:
			step(t.n, t.what, nil)
		case <-lg.done:
			over = true
		case <-ctx.Done():
			if lg.ours {
				lg.fail(0, ctx.Err())
			}
			over = true
		}
	}
	for {
		select {
		case t := <-lg.told:
			step(t.n, t.what, nil)
		default:
			return
		}
	}
}
