package server

import (
	"sync"

	"parley/exchange"
	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// owed is a report that the sender of a message at a peer wants, of one receiver.
type owed struct {
	info     ssp.Info      // as the message came
	answered chan struct{} // closed when its answer is on its way: a report never overtakes that
}

// reports are those that are owed to a peer, the newest mostSent.
type reports struct {
	mu  sync.Mutex // guards what follows
	m   map[im.MessageID]owed
	ids []im.MessageID // the oldest first
}

func (r *reports) put(id im.MessageID, o owed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		r.m = map[im.MessageID]owed{}
	}
	r.m[id] = o
	if r.ids = append(r.ids, id); len(r.ids) > mostSent {
		delete(r.m, r.ids[0])
		r.ids = r.ids[1:]
	}
}

// take gives one, once.
func (r *reports) take(id im.MessageID) (owed, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, ok := r.m[id]
	delete(r.m, id)
	return o, ok
}

// report tells the peer that a message of one of its users came, or that it is lost although it was taken: SSP 12.2.12,
// 12.3.9.
func (p *peer) report(l *session.Link, u *user, d *exchange.Report) {
	o, ok := p.reports.take(d.Of.ID)
	if !ok {
		return
	}
	info := o.info
	info.To, info.From = []ssp.Party{{User: d.Of.To}}, ssp.Party{User: u.who}
	tell := func() {
		l.Go(p.s.ctx, wire.New("DeliveryStatusReport").Add(p.s.meta(nobody), wire.New("DeliveryResult").Add(wire.Status(ssp.CodeOf(d.Why), "")),
			info.Element(l.Peer().Dialect)), func(*wire.Element, error) {})
	}
	select {
	case <-o.answered:
		tell()
		return
	default:
	}
	p.s.work.Go(func() { // ends with the answer, or with the door
		select {
		case <-o.answered:
			tell()
		case <-p.s.ctx.Done():
		}
	})
}
