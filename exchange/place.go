package exchange

import (
	"slices"
	"sync"

	"parley/im"
)

// Place is where conversations live: something that clients connect to and take seats at.
type Place struct {
	ID      string     // unique over all nodes; a ticket names it
	Door    string     // whose seats they are
	Address string     // where clients reach it
	Load    func() int // its connections
}

// registry knows the places and conversations of this node.
type registry struct {
	mu     sync.RWMutex // guards all
	places []*Place
	talks  map[int64]*Conversation
	of     map[im.Address][]*Conversation // whom each concerns, seats or not
}

func (r *registry) init() {
	r.talks = map[int64]*Conversation{}
	r.of = map[im.Address][]*Conversation{}
}

// AddPlace offers a place for conversations, until remove.
func (x *Exchange) AddPlace(p *Place) (remove func()) {
	r := &x.reg
	r.mu.Lock()
	defer r.mu.Unlock()
	r.places = append(slices.Clone(r.places), p)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.places = slices.DeleteFunc(slices.Clone(r.places), func(o *Place) bool { return o == p })
	}
}

// PickPlace gives the place with the least load. ErrNoPlace.
func (x *Exchange) PickPlace() (*Place, error) {
	x.reg.mu.RLock()
	places := x.reg.places
	x.reg.mu.RUnlock()
	if len(places) == 0 {
		return nil, im.ErrNoPlace
	}
	best, least := places[0], places[0].Load()
	for _, p := range places[1:] {
		if l := p.Load(); l < least {
			best, least = p, l
		}
	}
	return best, nil
}

// Crowded reports whether somebody is in as many conversations as they may be.
func (x *Exchange) Crowded(who im.Address) bool {
	if len(x.reg.with(who)) < x.cfg.Conversations {
		return false
	}
	x.cfg.Metrics.LimitHit("conversations")
	return true
}

func (r *registry) add(c *Conversation) {
	r.mu.Lock()
	r.talks[c.ID] = c
	r.mu.Unlock()
}

func (r *registry) drop(c *Conversation) {
	r.mu.Lock()
	delete(r.talks, c.ID)
	r.mu.Unlock()
}

func (r *registry) enter(who im.Address, c *Conversation) {
	r.mu.Lock()
	r.of[who] = append(slices.Clip(r.of[who]), c)
	r.mu.Unlock()
}

func (r *registry) leave(who im.Address, c *Conversation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := slices.DeleteFunc(slices.Clone(r.of[who]), func(o *Conversation) bool { return o == c })
	if len(l) == 0 {
		delete(r.of, who)
	} else {
		r.of[who] = l
	}
}

func (r *registry) with(who im.Address) []*Conversation {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.of[who]
}

// endAll ends every conversation: the service goes down.
func (r *registry) endAll() {
	r.mu.RLock()
	var l []*Conversation
	for _, c := range r.talks {
		l = append(l, c)
	}
	r.mu.RUnlock()
	for _, c := range l {
		c.end(Shutdown)
	}
}
