package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/credential"
	"parley/msnp"
	"parley/msnp/client"
)

const actorPassword = "a secret"

// book is what the service has acknowledged to a client, and its reverse list as last seen.
type book struct {
	client.Lists
	name string
}

func newBook(handle string) book {
	return book{client.Lists{Prompt: true, Privacy: msnp.AllowList, Forward: map[string]string{}, Allow: map[string]string{},
		Block: map[string]string{}, Reverse: map[string]string{}}, handle}
}

func (b book) clone() book {
	b.Forward, b.Allow, b.Block, b.Reverse = maps.Clone(b.Forward), maps.Clone(b.Allow), maps.Clone(b.Block), maps.Clone(b.Reverse)
	return b
}

// differs says how another book differs in what its owner alone changes; "": it does not.
func (b book) differs(o book) string {
	b.Serial, o.Serial, b.Reverse, o.Reverse = 0, 0, nil, nil
	return cmp.Diff(b, o, cmp.AllowUnexported(book{}))
}

// actor is somebody who does this and that. What is not guarded belongs to the goroutine that acts.
type actor struct {
	f      *fleet
	i      int
	handle string
	rng    *rand.Rand
	talks  []*dialogue
	said   int
	acked  int64       // the last serial number that came with an acknowledgement
	doubt  func(*book) // the change that was asked for when the service was killed; nil: none
	rings  sync.WaitGroup
	joined sync.Map     // *client.Conversation: those to which the actor was called
	synced bool         // the client has asked for its lists
	last   client.Lists // as a client knew them last

	mu      sync.Mutex // guards what follows
	c       *client.Client
	answers bool // every ring; else most
	book    book
	pending map[string]bool // whose permission to write is being changed; "": everybody's
	touched map[string]int  // so often it was changed
}

// connect logs in.
func (a *actor) connect() (*client.Client, error) {
	ctx, cancel := a.f.patience()
	defer cancel()
	a.synced = false
	var c *client.Client
	ready := make(chan struct{}) // closed when c is set
	rng := rand.New(rand.NewPCG(a.rng.Uint64(), 0))
	c, err := client.Connect(ctx, client.Config{Address: a.f.service.at["msnp"], Handle: a.handle, Password: credential.NewSecret(actorPassword),
		Event: func(e client.Event) {
			switch e := e.(type) {
			case client.Message:
				a.heard(e)
			case client.Ring:
				a.mu.Lock()
				answer := a.answers || rng.IntN(5) > 0
				a.mu.Unlock()
				if answer {
					a.rings.Go(func() { // ends with the answer
						<-ready
						a.join(c, e)
					})
				}
			case client.Left:
				if _, ok := a.joined.Load(e.Conversation); ok && len(e.Conversation.Members()) == 0 {
					e.Conversation.Leave()
				}
			case client.Ended:
				a.joined.Delete(e.Conversation)
			}
		}})
	close(ready)
	return c, err
}

// join answers a ring.
func (a *actor) join(c *client.Client, r client.Ring) {
	ctx, cancel := a.f.patience()
	defer cancel()
	t, err := c.Join(ctx, r)
	var code msnp.Code
	if err != nil && !isLost(err) && !errors.As(err, &code) { // the ring may be over
		a.f.t.Errorf("%s answers a ring: %v", a.handle, err)
	}
	if err == nil {
		a.joined.Store(t, true)
		if len(t.Members()) == 0 { // left before
			t.Leave()
		}
	}
}

// arrive logs in, and holds what the service says against the book.
func (a *actor) arrive() error {
	c, err := a.connect()
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.c = c
	a.mu.Unlock()
	a.f.act()
	return a.compare(true)
}

// compare asks for the lists. With fresh nothing was changed since the client came.
func (a *actor) compare(fresh bool) error {
	ctx, cancel := a.f.patience()
	defer cancel()
	was := a.book.clone()
	serial, _, err := a.c.Sync(ctx, was.Serial)
	if err != nil {
		return err
	}
	if serial < was.Serial {
		return fmt.Errorf("the serial number went back from %d to %d", was.Serial, serial)
	}
	if _, _, err := a.c.Sync(ctx, 0); err != nil {
		return err
	}
	a.synced = true
	is := book{a.c.Lists(), a.c.Name()}
	diff := was.differs(is)
	if diff != "" && a.doubt != nil {
		maybe := was.clone()
		a.doubt(&maybe)
		if maybe.differs(is) == "" {
			diff = ""
		}
	}
	if diff != "" {
		return fmt.Errorf("the lists are not as they were acknowledged (serial %d, now %d):\n%s", was.Serial, serial, diff)
	}
	if fresh && is.Serial == a.last.Serial {
		// Only who is there: the names on it are the others' own.
		if d := cmp.Diff(slices.Sorted(maps.Keys(a.last.Reverse)), slices.Sorted(maps.Keys(is.Reverse))); d != "" {
			return fmt.Errorf("serial number %d as before, and another Reverse List:\n%s", serial, d)
		}
	}
	a.doubt = nil
	a.last = is.Lists
	a.mu.Lock()
	a.book = is
	a.pending, a.touched = map[string]bool{}, map[string]int{}
	a.mu.Unlock()
	a.acked = max(a.acked, is.Serial)
	return nil
}

// leave closes what is left of a client. What it knew last is kept.
func (a *actor) leave() error {
	a.mu.Lock()
	c := a.c
	a.c = nil
	a.mu.Unlock()
	a.talks = nil
	if c == nil {
		return nil
	}
	c.Close()
	a.rings.Wait()
	if a.synced {
		a.last = c.Lists()
		a.mu.Lock()
		a.book.Serial = max(a.book.Serial, a.last.Serial)
		a.mu.Unlock()
	}
	return nil
}

// live does things at random until the connection is lost.
func (a *actor) live() error {
	if err := a.show(msnp.Online); err != nil {
		return err
	}
	for {
		if err := a.something(); err != nil {
			return err
		}
		a.f.act()
	}
}

// other is somebody nearby, so that people have to do with each other.
func (a *actor) other() *actor {
	n := a.f.clients
	return a.f.actors[(a.i+1+a.rng.IntN(min(n-1, 12)))%n]
}

func (a *actor) something() error {
	ctx, cancel := a.f.patience()
	defer cancel()
	switch n := a.rng.IntN(100); {
	case n < 40:
		return a.changeLists(ctx)
	case n < 50:
		return a.changeSelf(ctx)
	case n < 60:
		return a.c.SetState(ctx, []msnp.State{msnp.Online, msnp.Online, msnp.Busy, msnp.Away, msnp.Hidden}[a.rng.IntN(5)])
	case n < 64:
		return a.compare(false)
	case n < 67:
		return a.again()
	}
	return a.chat(ctx)
}

// again logs in once more, after leaving or beside a session, which ends then.
func (a *actor) again() error {
	if a.rng.IntN(2) == 0 {
		if err := a.leave(); err != nil {
			return err
		}
		return a.appear()
	}
	a.mu.Lock()
	old := a.c
	a.mu.Unlock()
	err := a.appear()
	a.talks = nil
	old.Close()
	return err
}

// appear is arrive with being visible.
func (a *actor) appear() error {
	if err := a.comeBack(); err != nil {
		return err
	}
	return a.show(msnp.Online)
}

func (a *actor) show(s msnp.State) error {
	ctx, cancel := a.f.patience()
	defer cancel()
	return a.c.SetState(ctx, s)
}

// comeBack is arrive while others act.
func (a *actor) comeBack() error {
	c, err := a.connect()
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.c = c
	a.mu.Unlock()
	return a.compare(false)
}

// change is something that a client asks for.
type change struct {
	what  string
	code  msnp.Code // the answer that is due; 0: it is done
	ask   func(context.Context) (int64, error)
	apply func(*book)
	whose string // whose permission to write it changes
	all   bool   // everybody's
}

func (a *actor) changeLists(ctx context.Context) error {
	who := a.other().handle
	list := []msnp.List{msnp.ForwardList, msnp.ForwardList, msnp.AllowList, msnp.BlockList}[a.rng.IntN(4)]
	name := fmt.Sprintf("Name %d", a.rng.IntN(1000))
	ch := change{what: fmt.Sprintf("ADD %s %s", list, who)}
	opposite := map[msnp.List]msnp.List{msnp.AllowList: msnp.BlockList, msnp.BlockList: msnp.AllowList}[list]
	there, against := a.book.Has(list, who), opposite != 0 && a.book.Has(opposite, who)
	if list != msnp.ForwardList {
		ch.whose = who
	}
	n := a.rng.IntN(10)
	switch {
	case n == 0:
		ch.what = "REA " + who
		ch.ask = func(ctx context.Context) (int64, error) { return a.c.Rename(ctx, who, name) }
		ch.apply = func(b *book) {
			for _, l := range []msnp.List{msnp.ForwardList, msnp.AllowList, msnp.BlockList} {
				if b.Has(l, who) {
					b.Of(l)[who] = name
				}
			}
		}
		if !a.book.Has(msnp.ForwardList, who) && !a.book.Has(msnp.AllowList, who) && !a.book.Has(msnp.BlockList, who) {
			ch.code = msnp.ErrNotOnList
		}
	case there && n > 1 || n == 2:
		ch.what = fmt.Sprintf("REM %s %s", list, who)
		ch.ask = func(ctx context.Context) (int64, error) { return a.c.Remove(ctx, list, who) }
		ch.apply = func(b *book) { delete(b.Of(list), who) }
		if !there {
			ch.code = msnp.ErrNotOnList
		}
	default:
		ch.ask = func(ctx context.Context) (int64, error) { return a.c.Add(ctx, list, who, name) }
		ch.apply = func(b *book) { b.Of(list)[who] = name }
		if against {
			ch.code = msnp.ErrOppositeList
		} else if there {
			ch.code = msnp.ErrAlreadyThere
		}
	}
	return a.do(ctx, ch)
}

func (a *actor) changeSelf(ctx context.Context) error {
	switch a.rng.IntN(6) {
	case 0:
		prompt := a.rng.IntN(2) == 0
		ch := change{what: "GTC", ask: func(ctx context.Context) (int64, error) { return a.c.SetPrompt(ctx, prompt) },
			apply: func(b *book) { b.Prompt = prompt }}
		if prompt == a.book.Prompt {
			ch.code = msnp.ErrAlreadyInMode
		}
		return a.do(ctx, ch)
	case 1, 2:
		mode := []msnp.List{msnp.AllowList, msnp.AllowList, msnp.BlockList}[a.rng.IntN(3)]
		return a.do(ctx, a.privacy(mode))
	}
	name := fmt.Sprintf("%d of %d", a.rng.IntN(1000), a.i)
	return a.do(ctx, change{what: "REA", ask: func(ctx context.Context) (int64, error) { return a.c.Rename(ctx, a.handle, name) },
		apply: func(b *book) { b.name = name }})
}

func (a *actor) privacy(mode msnp.List) change {
	ch := change{what: "BLP", all: true, ask: func(ctx context.Context) (int64, error) { return a.c.SetPrivacy(ctx, mode) },
		apply: func(b *book) { b.Privacy = mode }}
	if mode == a.book.Privacy {
		ch.code = msnp.ErrAlreadyInMode
	}
	return ch
}

// do asks for a change, and keeps in the book what was acknowledged.
func (a *actor) do(ctx context.Context, ch change) error {
	if ch.whose != "" || ch.all {
		a.mu.Lock()
		a.pending[ch.whose] = true
		a.mu.Unlock()
	}
	serial, err := ch.ask(ctx)
	var code msnp.Code
	switch {
	case err == nil && ch.code != 0:
		return fmt.Errorf("%s is done, and %d was due", ch.what, ch.code)
	case errors.As(err, &code) && code == ch.code:
	case errors.As(err, &code) && !isLost(err):
		return fmt.Errorf("%s: %v was not due (but %d)", ch.what, err, ch.code)
	case err != nil:
		if ch.code == 0 {
			a.f.doubts.Add(1)
			a.doubt = ch.apply
		}
		return err
	case serial < a.acked, serial == a.acked && a.changes(ch):
		return fmt.Errorf("%s: serial number %d after %d", ch.what, serial, a.acked)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		a.f.changes.Add(1)
		a.acked = serial
		ch.apply(&a.book)
		a.book.Serial = max(a.book.Serial, serial)
	}
	if ch.whose != "" || ch.all {
		delete(a.pending, ch.whose)
		a.touched[ch.whose]++
	}
	return nil
}

// changes reports whether something is another than before: the same name again may keep its serial number.
func (a *actor) changes(ch change) bool {
	b := a.book.clone()
	ch.apply(&b)
	return a.book.differs(b) != ""
}

func (a *actor) address() string { return a.handle }

// heard notes what was said to the actor.
func (a *actor) heard(m client.Message) {
	c, err := m.Content()
	if err != nil {
		a.f.t.Errorf("%s got %q: %v", a.handle, m.Payload, err)
		return
	}
	a.f.log.received(a, m.Handle, c.Text, "")
}

// takes reports whether the actor certainly lets somebody write, and how often that was changed.
func (a *actor) takes(from string) (ok bool, version int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ok = !a.pending[""] && !a.pending[from] && !a.book.Has(msnp.BlockList, from) &&
		(a.book.Privacy == msnp.AllowList || a.book.Has(msnp.AllowList, from))
	return ok, a.touched[""] + a.touched[from]
}

// settle lets everybody write again, so that what was stored can be delivered.
func (a *actor) settle() error {
	ctx, cancel := a.f.patience()
	defer cancel()
	if a.book.Privacy == msnp.BlockList {
		if err := a.do(ctx, a.privacy(msnp.AllowList)); err != nil {
			return err
		}
	}
	for who := range maps.Clone(a.book.Block) {
		if err := a.do(ctx, change{what: "REM BL " + who, whose: who,
			ask:   func(ctx context.Context) (int64, error) { return a.c.Remove(ctx, msnp.BlockList, who) },
			apply: func(b *book) { delete(b.Block, who) }}); err != nil {
			return err
		}
	}
	return nil
}

// collect logs in and answers every ring.
func (a *actor) collect() error {
	a.mu.Lock()
	a.answers = true
	a.mu.Unlock()
	return a.appear()
}

// wait waits for a short time, or until done.
func briefly(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 300*time.Millisecond)
}
