package session

import "slices"

// maxHosts bounds a redirect list.
const maxHosts = 4

// mesh is a redirect under way: for each host of ours and each of the peer's a connection pair is to be made, by the
// ten steps, in the order in which both lists have them. It is the initiator of the sessions that makes them all; the
// responder can tell by their number which of its hosts to call back. SSP 6.1.1; ssp-syntax 5.4.
type mesh struct {
	first  bool     // we make them
	theirs []target // the peer's hosts
	ours   int      // how many hosts we have
	began  int      // pairs that the peer began
	made   []target // hosts of the peer's that pairs go to
}

// plan prepares the redirect that both lists make. Its peer's lock is held.
func (l *Link) plan(first bool, hosts []string) {
	m := &mesh{first: first, ours: min(len(l.n.c.Hosts), maxHosts)}
	at := l.sender.hosts()
	if len(at) == 0 {
		return
	}
	for _, h := range hosts {
		if t := at[0].elsewhere(h); l.info.permits(t) == nil && !slices.Contains(m.theirs, t) {
			m.theirs = append(m.theirs, t)
		}
	}
	if len(m.theirs) > 0 {
		l.mu.Lock()
		l.mesh = m
		l.mu.Unlock()
	}
}

// connectMesh makes the connection pairs. Those that cannot be made are left out; without any, the master pair stays.
func (l *Link) connectMesh() {
	for range l.mesh.ours {
		for _, t := range l.mesh.theirs {
			lg, err := l.n.call(l.p.domain, l, &t)
			if err != nil {
				continue
			}
			select {
			case <-lg.done:
			case <-l.n.ctx.Done():
				return
			}
			if lg.err != nil {
				l.n.c.Log.Warn("redirect refused", "peer", l.p.domain, "host", t.host, "err", lg.err)
			}
		}
	}
	l.redirect()
}

// meshTarget is the host to call back when the peer begins a login: of a redirect, the one whose turn it is. The
// peer's lock is held.
func (p *peer) meshTarget() *target {
	if p.link == nil {
		return nil
	}
	l := p.link
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.mesh
	if m == nil || m.first || m.began >= m.ours*len(m.theirs) {
		return nil
	}
	// the initiator goes through its own hosts, and for each through ours
	t := m.theirs[m.began/m.ours]
	m.began++
	return &t
}

// joined: a connection pair was made. The side that did not begin goes over to it at once, for it does not know which
// one is the last.
func (l *Link) joined(to []target) {
	l.mu.Lock()
	m := l.mesh
	if m == nil {
		l.mu.Unlock()
		return
	}
	for _, t := range to {
		if !slices.Contains(m.made, t) {
			m.made = append(m.made, t)
		}
	}
	first := m.first
	l.mu.Unlock()
	if !first {
		l.redirect()
	}
}

// redirect leaves the master pair for those that were made.
func (l *Link) redirect() {
	l.mu.Lock()
	defer l.mu.Unlock() // so that the last one that was made is the last word
	if made := slices.Clone(l.mesh.made); len(made) > 0 {
		l.n.c.Log.Info("redirected", "peer", l.p.domain, "hosts", len(made))
		l.sender.move(made)
	}
}
