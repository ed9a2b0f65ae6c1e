package exchange

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"parley/bus"
	"parley/im"
	"parley/metrics"
	"parley/store"
)

// Config is what the exchange is told. The zero value of a limit means its default.
type Config struct {
	Domains []string // ours; at least one

	Contacts       int           // contacts, allowed and blocked people an account may keep, each
	Watchers       int           // people who may watch one account
	Requests       int           // unanswered requests to one account
	RequestText    int           // bytes of the words, and of the native form, that go with a request
	Groups         int           // contact groups of one account
	RuleLists      int           // rule lists of one account
	Rules          int           // rules in all of them
	Notes          int           // documents that doors keep for one account
	Note           int           // bytes of one of them
	Conversation   int           // participants of one conversation
	Conversations  int           // conversations one account may be in
	Directed       int           // people one session may have sent its presence to who do not see it otherwise
	Rooms          int           // rooms that last, of one account
	RoomsJoined    int           // those that one account may be in
	RoomMembers    int           // people that one of them keeps something about
	RoomUsers      int           // people in one of them at a time
	RoomHistory    int           // messages that one of them may remember
	Waiting        int           // messages stored for one account
	WaitingBytes   int64         // bytes stored for one account
	WaitingAge     time.Duration // how long a message is stored
	PeerAge        time.Duration // how long one for a user of a peer's is
	NotStored      bool          // messages are never stored
	Ring           time.Duration // how long a ring may be answered
	RingAgain      time.Duration // after a ring that nobody answered
	Idle           time.Duration // a conversation in which nothing is said ends
	Hold           time.Duration // a removed account's address is not given again
	AccountsCached int           // accounts without a session kept in memory
	Metrics        *metrics.Metrics
	Log            *slog.Logger
}

func (c *Config) fill() {
	for _, d := range []struct {
		v *int
		n int
	}{{&c.Contacts, 5000}, {&c.Watchers, 5000}, {&c.Requests, 1000}, {&c.RequestText, 2048}, {&c.Groups, 100},
		{&c.RuleLists, 20}, {&c.Rules, 1000}, {&c.Notes, 100}, {&c.Note, 64 << 10}, {&c.Conversation, 50},
		{&c.Conversations, 200}, {&c.Directed, 1000}, {&c.Waiting, 1000}, {&c.Rooms, 100},
		{&c.RoomsJoined, 100}, {&c.RoomMembers, 2000}, {&c.RoomUsers, 500}, {&c.RoomHistory, 500}, {&c.AccountsCached, 20000}} {
		if *d.v == 0 {
			*d.v = d.n
		}
	}
	for _, d := range []struct {
		v *time.Duration
		n time.Duration
	}{{&c.WaitingAge, 90 * 24 * time.Hour}, {&c.PeerAge, 24 * time.Hour}, {&c.Ring, 90 * time.Second}, {&c.RingAgain, 10 * time.Minute},
		{&c.Idle, 30 * time.Minute}, {&c.Hold, 30 * 24 * time.Hour}} {
		if *d.v == 0 {
			*d.v = d.n
		}
	}
	if c.WaitingBytes == 0 {
		c.WaitingBytes = 4 << 20
	}
	if c.Metrics == nil {
		c.Metrics = metrics.Discard()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// Exchange is the live service of one node.
type Exchange struct {
	cfg       Config
	log       *slog.Logger
	store     *store.Store
	bus       bus.Bus
	domains   map[string]bool
	shards    [64]shard
	inMind    atomic.Int64 // accounts in memory
	peers     atomic.Pointer[map[string]Peer]
	elsewhere atomic.Pointer[Elsewhere]
	reg       registry
	halls     halls

	lastMessage      atomic.Int64 // im.MessageID given last
	lastConversation atomic.Int64
	lastPeerSerial   atomic.Int64

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	closed  atomic.Bool
	ending  atomic.Bool // nobody logs in any more
	unbus   func()
	clock   clock
	flusher flusher
	seen    seen
	spawns  sync.Mutex // guards what follows
	running int        // goroutines spawned
	ended   *sync.Cond // running is 0
	late    bool       // nothing is spawned any more
}

// New makes an exchange over a store and a bus. Close ends it.
func New(cfg Config, st *store.Store, b bus.Bus) (*Exchange, error) {
	cfg.fill()
	x := &Exchange{cfg: cfg, log: cfg.Log, store: st, bus: b, domains: map[string]bool{}}
	for _, d := range cfg.Domains {
		x.domains[d] = true
	}
	for i := range x.shards {
		x.shards[i].m = map[im.Address]*account{}
	}
	x.ended = sync.NewCond(&x.spawns)
	x.reg.init()
	// Numbers that are neither small nor guessable from what a client counts itself (dialects 14.1).
	x.lastConversation.Store(1<<30 + rand.Int64N(1<<30))
	x.ctx, x.cancel = context.WithCancel(context.Background())
	x.clock.ring = make(chan struct{}, 1)
	var err error
	if x.unbus, err = b.Subscribe("changes", func(_ context.Context, v any) { x.apply(v.([]*Change)) }); err != nil {
		return nil, err
	}
	if err = x.openRooms(x.ctx); err == nil {
		err = x.resumeRemovals(x.ctx)
	}
	if err != nil {
		x.unbus()
		return nil, err
	}
	x.spawn(x.keepTime) // ends with x.ctx
	return x, nil
}

// Close ends whatever the exchange does on its own, and waits for it. The doors have closed
// before; what they returned is stored by then.
func (x *Exchange) Close() {
	x.ending.Store(true)
	x.closed.Store(true)
	x.reg.endAll()
	x.cancel()
	x.spawns.Lock()
	for x.running > 0 {
		x.ended.Wait()
	}
	x.late = true
	x.spawns.Unlock()
	x.unbus()
}

// EndAll tells every session that the service goes down; from then on nobody logs in.
func (x *Exchange) EndAll(why EndReason) {
	x.ending.Store(true)
	for i := range x.shards {
		for _, a := range x.shards[i].all() {
			a.mu.Lock() // a login that is under way is there by now, or finds that it is too late
			l := a.online()
			a.mu.Unlock()
			for _, c := range l {
				c.session.End(why)
			}
		}
	}
}

// spawn runs f in a goroutine that Close waits for; f ends when its context does. After Close
// nothing is run.
func (x *Exchange) spawn(f func(context.Context)) {
	x.spawns.Lock()
	defer x.spawns.Unlock()
	if x.late {
		return
	}
	x.running++
	go func() { // ended by Close, through x.ctx
		defer func() {
			x.spawns.Lock()
			defer x.spawns.Unlock()
			if x.running--; x.running == 0 {
				x.ended.Broadcast()
			}
		}()
		f(x.ctx)
	}()
}

// Ours reports whether a domain is served here.
func (x *Exchange) Ours(domain string) bool { return x.domains[domain] }

// Domain is the first of the domains served here.
func (x *Exchange) Domain() string { return x.cfg.Domains[0] }

// messageIDs makes the next n ids, and gives the first: ids ascend with time, also over restarts.
func (x *Exchange) messageIDs(n int) im.MessageID {
	for {
		last := x.lastMessage.Load()
		next := max(last+1, time.Now().UnixMicro()<<8)
		if x.lastMessage.CompareAndSwap(last, next+int64(n)-1) {
			return im.MessageID(next)
		}
	}
}
