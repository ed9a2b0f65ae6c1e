package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/msnp/client"
)

// TestKill has many people log in, change their lists, come and go and chat, in random order, while the service is
// killed with SIGKILL and started again. Nothing that was acknowledged may be lost:
//
//   - every change of a list or a setting is there after a restart; one that was asked for and not
//     acknowledged when the kill fell may be there or not;
//   - serial numbers never go back, and equal ones mean equal lists;
//   - whoever is on a Forward List has its owner on the Reverse List, and the other way round;
//   - every message acknowledged reaches its receiver at last. One that was under way at a kill may come
//     twice; these are counted.
//
// A third of them is on XMPP, where an answer to a query acknowledges all that was said before it: rosters, who sees whom,
// requests and messages. They and the others write to each other. What comes twice there comes with the same id (XEP-0359 3).
//
// PARLEY_CLIENTS (30) and PARLEY_KILLS (2) say how many; PARLEY_SEED repeats a run, as far as
// processes can be repeated.
func TestKill(t *testing.T) {
	f := &fleet{t: t, clients: max(6, fromEnv(t, "PARLEY_CLIENTS", 30)), log: newLedger(t)}
	kills := fromEnv(t, "PARLEY_KILLS", 2)
	seed := uint64(fromEnv(t, "PARLEY_SEED", int(time.Now().UnixNano()%1e9)))
	t.Logf("PARLEY_SEED=%d PARLEY_CLIENTS=%d PARLEY_KILLS=%d", seed, f.clients, kills)
	rng := rand.New(rand.NewPCG(seed, 0))

	host := ownHost()
	f.service = newDaemon(t, filepath.Join(t.TempDir(), "data"), "parley.test", "msnp://"+host+":0", "xmpp://"+host+":0")
	f.service.set = []string{"msnp.ring=2s", "offline.ring_again=1s", "msnp.renames=1000000", "xmpp.plain=loopback"}
	f.hire(seed)

	for kill := range kills {
		f.epoch(kill)
		if err := f.service.start(); err != nil {
			t.Fatal(err)
		}
		most := len(f.members) * (8 + rng.IntN(60))
		if rng.IntN(4) == 0 && kill > 0 {
			most = 1 + rng.IntN(len(f.members)) // while they log in
		}
		killed := f.killAfter(most)
		if f.all(member.arrive) {
			f.agree()
			f.all(member.live)
		}
		if t.Failed() {
			f.reach() // no need to go on
		}
		if err := <-killed; err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.FailNow()
		}
		f.all(member.leave)
	}

	f.epoch(kills)
	if err := f.service.start(); err != nil {
		t.Fatal(err)
	}
	if !f.all(member.arrive) {
		t.FailNow()
	}
	f.agree()
	f.all(member.settle)
	f.all(member.leave)
	f.all(member.collect)
	if late := f.log.await(90 * time.Second); late != "" {
		t.Errorf("acknowledged and never received:\n%s", late)
	}
	f.all(member.leave)
	if err := f.service.stop(); err != nil {
		t.Error(err)
	}
	t.Logf("%d acts; %d changes acknowledged, %d in doubt at a kill; %s", f.acts.Load(), f.changes.Load(), f.doubts.Load(), f.log.summary())
}

func fromEnv(t *testing.T, name string, otherwise int) int {
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 2 && name != "PARLEY_SEED" {
		t.Fatalf("%s=%q: a number is wanted", name, s)
	}
	return n
}

// fleet is everybody, and the service that they use.
type fleet struct {
	t       *testing.T
	clients int
	service *daemon
	members []member
	actors  []*actor
	xactors []*xactor
	xmpp    map[string]*xactor // by address
	ending  sync.Mutex         // guards the ends of all of them
	log     *ledger

	now     int         // which life of the service this is
	dying   atomic.Bool // it is killed, or about to be: connections may end
	acts    atomic.Int64
	changes atomic.Int64
	doubts  atomic.Int64

	goal    atomic.Int64  // of acts in this life
	count   atomic.Int64  // acts in this life
	reached chan struct{} // closed by reach
	reach   func()        // count got there
}

// member is an actor on either protocol.
type member interface {
	party
	arrive() error  // logs in, and holds what the service says against the book; nobody changes anything meanwhile
	live() error    // does things until the connection is lost
	leave() error   // closes what is left
	settle() error  // lets everybody write
	collect() error // logs in, to get all that waits
}

// hire makes the accounts.
func (f *fleet) hire(seed uint64) {
	var csv strings.Builder
	f.xmpp = map[string]*xactor{}
	for i := range f.clients / 3 {
		x := &xactor{f: f, i: i, jid: fmt.Sprintf("x%d@parley.test", i), rng: rand.New(rand.NewPCG(seed, uint64(i)+1<<32)),
			unsure: map[string]bool{}, book: map[string]xitem{}, ends: map[string]tally{}, refers: map[string]string{}}
		f.xactors, f.members, f.xmpp[x.jid] = append(f.xactors, x), append(f.members, x), x
		fmt.Fprintf(&csv, "%s,%s\n", x.jid, actorPassword)
	}
	f.clients -= len(f.xactors)
	for i := range f.clients {
		a := &actor{f: f, i: i, handle: fmt.Sprintf("c%d@parley.test", i), rng: rand.New(rand.NewPCG(seed, uint64(i)+1))}
		a.book = newBook(a.handle)
		f.actors, f.members = append(f.actors, a), append(f.members, a)
		fmt.Fprintf(&csv, "%s,%s\n", a.handle, actorPassword)
	}
	if err := f.service.command(csv.String(), "account", "import", "-"); err != nil {
		f.t.Fatal(err)
	}
}

// epoch begins a life of the service.
func (f *fleet) epoch(n int) {
	f.now = n
	f.log.epoch(n)
	f.dying.Store(false)
	f.count.Store(0)
	f.goal.Store(0)
	f.reached = make(chan struct{})
	f.reach = sync.OnceFunc(func() { close(f.reached) })
}

// killAfter kills the service when so many acts were done in this life.
func (f *fleet) killAfter(acts int) <-chan error {
	f.goal.Store(int64(acts))
	killed := make(chan error, 1)
	go func() { // ends with the service
		late := time.NewTimer(2 * time.Minute)
		defer late.Stop()
		var err error
		select {
		case <-f.reached:
		case <-late.C:
			err = fmt.Errorf("only %d of %d acts in two minutes", f.count.Load(), acts)
		}
		f.dying.Store(true)
		f.log.killed()
		killed <- errors.Join(err, f.service.kill())
	}()
	return killed
}

// act counts something done.
func (f *fleet) act() {
	f.acts.Add(1)
	if n := f.count.Add(1); n == f.goal.Load() {
		f.reach()
	}
}

// all has every actor do something, and reports whether nobody lost their connection.
func (f *fleet) all(do func(member) error) bool {
	var wg sync.WaitGroup
	var lost atomic.Bool
	for _, a := range f.members {
		wg.Go(func() {
			switch err := do(a); {
			case err == nil:
			case isLost(err) && f.dying.Load():
				lost.Store(true)
			default:
				f.t.Errorf("%s: %v", a.address(), err)
				lost.Store(true)
			}
		})
	}
	wg.Wait()
	return !lost.Load()
}

// isLost reports whether a connection ended, or there was none to be had.
func isLost(err error) bool {
	var end *client.EndError
	var op *net.OpError
	return errors.As(err, &end) || errors.As(err, &op) || errors.Is(err, client.ErrClosed) || errors.Is(err, client.ErrNobody) || lostXMPP(err)
}

// agree holds everybody's lists against each other: draft 5.7.
func (f *fleet) agree() {
	f.agreeXMPP()
	by := map[string]*actor{}
	for _, a := range f.actors {
		by[a.handle] = a
	}
	for _, a := range f.actors {
		for who := range a.book.Forward {
			if _, ok := by[who].book.Reverse[a.handle]; !ok {
				f.t.Errorf("%s has %s on the Forward List, and is not on the Reverse List there", a.handle, who)
			}
		}
		for who, name := range a.book.Reverse {
			if _, ok := by[who].book.Forward[a.handle]; !ok {
				f.t.Errorf("%s has %s on the Reverse List, and is not on the Forward List there", a.handle, who)
			}
			if name != by[who].book.name {
				f.t.Errorf("%s sees %s on the Reverse List as %q, and not as %q", a.handle, who, name, by[who].book.name)
			}
		}
	}
}

// patience is the time for one thing that takes none unless it is broken.
func (f *fleet) patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(f.t.Context(), 60*time.Second)
}
