package session

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/metrics"
	"parley/ssp/wire"
)

// setup takes a step of theirs. A status of 0 closes the connection without an answer: that says nothing of which
// domains are known. What is to be done after the acknowledgement is in after. ssp-syntax 1.3, 5.1.
func (n *Node) setup(m *wire.Message) (status int, after func()) {
	u := &m.Units[0]
	if u.Primitive == nil {
		return 0, nil
	}
	if f := u.Check(m.Dialect); f != nil {
		n.c.Log.Warn("login step not understood", "verb", u.Primitive.Name, "err", f)
		return 400, nil
	}
	switch u.Primitive.Name {
	case "SendSecretToken":
		return n.tokenCame(u)
	case "LoginRequest":
		return n.requestCame(u)
	case "LoginResponse":
		return n.responseCame(u)
	}
	return 0, nil
}

// maxAnswering is how many logins of one peer may be under way at once: whoever claims to be the peer begins one.
const maxAnswering = 4

// tokenCame takes step 1 or 3, and answers with 3 or 5. SSP 6.1.1, 6.2.1; ssp-syntax 5.1.
func (n *Node) tokenCame(u *wire.Unit) (status int, after func()) {
	domain, err := n.speaker(u.Primitive.Attr("serviceID"))
	if err != nil {
		return 0, nil
	}
	p, info := n.peer(domain)
	token, _ := u.Primitive.Child("SecretToken").Bytes()
	if p == nil || len(token) == 0 {
		n.c.Log.Warn("token of a domain that is not registered", "peer", domain)
		return 0, nil
	}
	n.mu.RLock()
	closing := n.closing
	n.mu.RUnlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if closing || p.banned() {
		return 0, nil
	}
	mine := p.calling()
	for _, lg := range p.logins {
		if lg.otherID == u.ID && string(lg.other) == string(token) {
			return 200, nil // the same once more
		}
	}
	if u.Response && mine == nil || mine != nil && mine.token == string(token) || !p.spend(string(token)) {
		n.c.Log.Warn("token that nobody waits for, or that was used", "peer", domain)
		return 0, nil
	}
	if v := u.Primitive.Attr("protocolVersion"); v != "1.0" && v != "1.1" && v != "1.2" && v != "1.3" {
		lg := mine
		if !u.Response {
			lg = p.newLogin(info, false, nil, nil)
		}
		lg.otherID = u.ID
		return 200, lg.refuse(4, wire.BadVersion)
	}
	if mine != nil {
		mine.other, mine.otherID = token, u.ID
		mine.step(2, 3)
		mine.step(3, 4)
		mine.step(4, 5)
		mine.stage = proving
		if !u.Response && n.c.Domain > info.service() { // both called: the lower name goes on
			mine.first = false
			mine.stage = backed
			// It has our token, or had it in a login that failed since: then it waits for another one, and we wait for nothing.
			mine.timer.Reset(max(0, min(2*n.c.Timers.Latency, time.Until(mine.limit))))
			return 200, nil
		}
		return 200, func() { mine.post(mine.request(), func() { mine.tell(5, 6) }) }
	}
	answering := 0
	for _, lg := range slices.Clone(p.logins) {
		if lg.stage == backed {
			if answering++; answering >= maxAnswering {
				return 0, nil
			}
		}
	}
	opened := p.arrived()
	lg := p.newLogin(info, false, nil, p.meshTarget())
	lg.other, lg.otherID = token, u.ID
	lg.stage = backed
	lg.step(1, 3)
	return 200, func() {
		opened()
		lg.post(lg.sendToken(), func() { lg.tell(3, 5) })
	}
}

// arrived ends a login whose last step of ours is not acknowledged yet, when a redirect follows it: the peer would not
// begin that without the step. The lock is held; what is left to do without it is given back. SSP 6.1.1.
func (p *peer) arrived() func() {
	for _, lg := range p.logins {
		if lg.proved && lg.answered && !lg.acknowledged && !lg.first && len(lg.hosts) > 0 && len(p.n.c.Hosts) > 0 {
			lg.acknowledged = true
			return lg.finish()
		}
	}
	return func() {}
}

// find finds the login that an ID is of; both IDs of a login are taken for it, ssp-syntax 5.1. domain is "" when the
// step does not say whose it is. The peer's lock is held when it is found.
func (n *Node) find(id, domain string) *login {
	var peers []*peer
	if domain == "" {
		peers = n.allPeers()
	} else if p := n.known(domain); p != nil {
		peers = []*peer{p}
	}
	for _, p := range peers {
		p.mu.Lock()
		for _, lg := range p.logins {
			if lg.refused == 0 && (lg.id == id || lg.otherID == id) {
				return lg
			}
		}
		p.mu.Unlock()
	}
	return nil
}

// requestCame takes step 5 or 6, verifies the digest (7 or 9), and answers with 6 and 8, or 10. SSP 6.1.1, 6.2.2.
func (n *Node) requestCame(u *wire.Unit) (status int, after func()) {
	e := u.Primitive
	domain, err := n.speaker(e.Attr("serviceID"))
	if err != nil {
		return 0, nil
	}
	lg := n.find(u.ID, domain)
	if lg == nil {
		n.c.Log.Warn("login that did not begin here", "peer", domain)
		return 0, nil
	}
	p := lg.p
	defer p.mu.Unlock()
	switch {
	case lg.proved:
		return 200, nil // once more
	case lg.first && lg.stage == called: // our call came to it while it waited to be called back in a login that has failed here
		return 0, func() { lg.fail(0, errors.New("the peer took our call for an answer")) }
	case lg.first && lg.stage != proving || !lg.first && lg.stage != backed:
		return 0, nil
	}
	digest, _ := e.Child("PasswordDigest").Bytes()
	if subtle.ConstantTimeCompare(digest, lg.info.Digest([]byte(lg.token))) != 1 {
		p.wrong = append(p.wrong, time.Now())
		n.c.Log.Warn("wrong digest", "peer", domain)
		n.c.Hit("login_failures")
		at := 7
		if lg.first {
			at = 9
		}
		return 0, lg.refuse(at, wire.BadPassword)
	}
	if id := e.Attr("sessionID"); !lg.first && id != "" {
		if p.link == nil || p.link.own != id {
			return 200, lg.refuse(7, wire.RedirectRefused)
		}
		lg.bind = p.link
	}
	lg.proved = true
	lg.wish = wire.Int(e.Attr("timeToLive"))
	request, response := lg.request(), lg.response()
	sent := func() { lg.sent() }
	if lg.first {
		lg.step(6, 7)
		lg.step(9, 10)
		return 200, func() { lg.post(response, sent) }
	}
	lg.stage = proving
	lg.step(5, 6)
	lg.step(7, 8)
	return 200, func() {
		lg.post(request, nil)
		lg.post(response, sent)
	}
}

// sent: they took our session.
func (lg *login) sent() {
	lg.p.mu.Lock()
	lg.acknowledged = true
	if lg.first {
		lg.step(10, 8)
	} else {
		lg.step(8, 10)
	}
	then := lg.finish()
	lg.p.mu.Unlock()
	then()
}

// responseCame takes step 8 or 10. SSP 6.1.1, 6.2.3.
func (n *Node) responseCame(u *wire.Unit) (status int, after func()) {
	e := u.Primitive
	_, domain, _ := strings.Cut(e.Attr("sessionID"), "@")
	var lg *login
	if n.known(domain) != nil { // the IDs of two peers may be the same
		lg = n.find(u.ID, domain)
	}
	if lg == nil {
		lg = n.find(u.ID, "")
	}
	if lg == nil {
		return 0, nil
	}
	p := lg.p
	defer p.mu.Unlock()
	if code := wire.StatusOf(e); code.Class() != 2 {
		return 200, func() { lg.fail(0, code) }
	}
	if !lg.proved { // whoever it is: the digest comes first
		return 0, nil
	}
	if lg.answered {
		return 200, nil
	}
	id := e.Attr("sessionID")
	if lg.bind != nil {
		if id != lg.bind.theirs {
			return 200, func() { lg.fail(0, wire.BadSession) }
		}
	} else {
		lg.l.theirs = id
		lg.l.granted = time.Duration(wire.Int(e.Attr("timeToLive"))) * time.Second
	}
	for h := range e.Child("ListOfHosts").Children("Host") {
		if len(lg.hosts) < maxHosts {
			lg.hosts = append(lg.hosts, h.String())
		}
	}
	lg.answered = true
	if lg.first {
		lg.step(7, 8)
		lg.step(8, 9)
	} else {
		lg.step(10, 10)
	}
	return 200, lg.finish()
}

// finish makes the sessions of a login that has come through all steps. The lock is held; what is left to do without
// it is given back.
func (lg *login) finish() func() {
	if lg.stage == ended || !lg.proved || !lg.answered || !lg.acknowledged {
		return func() {}
	}
	n, p, l := lg.n, lg.p, lg.l
	if lg.bind != nil {
		if p.link != lg.bind {
			return func() { lg.fail(0, wire.RedirectRefused) }
		}
		lg.end()
		return func() {
			lg.bind.joined(l.sender.hosts())
			l.release(ErrDown)
		}
	}
	if !n.bind(l.theirs, l) {
		return func() { lg.fail(0, errors.New("its session has the ID of another one")) }
	}
	p.pause = 0
	p.keep = p.keep || lg.info.Keep
	old := p.link
	p.link = l
	l.raise()
	if len(lg.hosts) > 0 && len(n.c.Hosts) > 0 {
		l.plan(lg.first, lg.hosts)
	}
	if p.retry != nil {
		p.retry.Stop()
		p.retry = nil
	}
	lg.end()
	return func() {
		n.c.Metrics.Login(metrics.LoginOK)
		n.c.Log.Info("sessions are up", "peer", p.domain, "session", l.own)
		if old == nil {
			l.open()
		} else {
			old.end(errReplaced, false, l.open)
		}
	}
}

// end ends a login that came through. The lock is held.
func (lg *login) end() {
	lg.stage = ended
	lg.timer.Stop()
	lg.p.drop(lg)
	close(lg.done)
	lg.n.c.Metrics.Leave(stateLogin)
}

var errReplaced = fmt.Errorf("%w: the peer logged in anew", ErrDown)
