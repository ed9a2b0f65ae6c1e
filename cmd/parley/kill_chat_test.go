package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/msnp"
	"parley/msnp/client"
)

// dialogue is a conversation that an actor has opened.
type dialogue struct {
	*client.Conversation
	called []party
}

// mostTalks is how many conversations one actor holds open.
const mostTalks = 2

// chat opens a conversation, says something in one, or leaves it.
func (a *actor) chat(ctx context.Context) error {
	n := a.rng.IntN(10)
	if len(a.talks) == 0 || n == 0 && len(a.talks) < mostTalks {
		return a.beginTalk(ctx)
	}
	i := a.rng.IntN(len(a.talks))
	if n == 1 {
		a.talks[i].Leave()
		a.talks = slices.Delete(a.talks, i, i+1)
		return nil
	}
	err := a.say(ctx, a.talks[i])
	if errors.Is(err, client.ErrNotDelivered) { // nobody is there any more
		a.talks[i].Leave()
		a.talks = slices.Delete(a.talks, i, i+1)
		return nil
	}
	return err
}

// refused reports whether an error is the service's answer: somebody is away, or does not want it.
func refused(err error) bool {
	var code msnp.Code
	return errors.As(err, &code) && !isLost(err)
}

func (a *actor) beginTalk(ctx context.Context) error {
	c, err := a.c.Talk(ctx)
	if err != nil {
		if refused(err) { // hidden, say
			return nil
		}
		return err
	}
	t := &dialogue{Conversation: c}
	invited := make([]party, 1+a.rng.IntN(5)/3)
	for i := range invited {
		invited[i] = a.other()
	}
	if n := len(a.f.xactors); a.rng.IntN(3) == 0 {
		invited = []party{a.f.xactors[(a.i+a.rng.IntN(min(n, 6)))%n]}
	}
	for _, who := range invited {
		if slices.Contains(t.called, who) {
			continue
		}
		switch err := c.Invite(ctx, who.address()); {
		case err == nil:
			t.called = append(t.called, who)
		case !refused(err):
			return err
		}
	}
	if len(t.called) == 0 {
		c.Leave()
		return nil
	}
	a.talks = append(a.talks, t)
	if a.rng.IntN(2) == 0 {
		ctx, cancel := briefly(ctx)
		defer cancel()
		if err := c.Await(ctx, t.called[0].address()); err != nil && isLost(err) {
			return err
		}
	}
	return nil
}

// say says something and keeps what the service says of it.
func (a *actor) say(ctx context.Context, t *dialogue) error {
	a.said++
	text := fmt.Sprintf("words %d of c%d", a.said, a.i)
	here := t.Members()
	versions := map[party]int{}
	for _, who := range t.called {
		if ok, v := who.takes(a.handle); ok {
			versions[who] = v
		}
	}
	a.f.log.saying(text, a, t.called)
	err := t.Say(ctx, text)
	switch {
	case errors.Is(err, client.ErrNotDelivered):
		if len(t.called) == 1 {
			a.f.log.refused(text)
		}
		return err
	case err != nil:
		return err // in doubt
	}
	there := t.Members()
	var must []party
	for _, who := range t.called {
		v, sure := versions[who]
		if ok, now := who.takes(a.handle); !sure || !ok || v != now {
			continue // turned away, perhaps, and that must look like this
		}
		if len(t.called) == 1 || slices.Contains(here, who.address()) && slices.Contains(there, who.address()) {
			must = append(must, who)
		}
	}
	a.f.log.acknowledged(text, must)
	return nil
}

// party is somebody who says and hears.
type party interface {
	address() string
	// takes reports whether they certainly let somebody write, and how often that was changed.
	takes(from string) (ok bool, version int)
}

// ledger has every message that was said, and who got it when.
type ledger struct {
	t *testing.T

	mu       sync.Mutex // guards what follows
	now      int
	kills    map[int]time.Time // when a life ended
	all      map[string]*utterance
	late     map[string]struct{} // acknowledged, and not received by everybody
	complete chan struct{}       // closed when late is empty; nil: nobody waits
	acks     int
	doubles  int
	same     int // of these with the id of the first time, as XMPP tells it
	stored   int // received later than in the life in which they were said
}

type utterance struct {
	text   string
	from   party
	life   int
	may    []party
	must   []party
	not    bool // the sender was told so
	gotten []receipt
}

type receipt struct {
	who  party
	life int
	at   time.Time
	id   string // "": the protocol tells none
}

func newLedger(t *testing.T) *ledger {
	return &ledger{t: t, kills: map[int]time.Time{}, all: map[string]*utterance{}, late: map[string]struct{}{}}
}

func (l *ledger) epoch(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = n
}

func (l *ledger) killed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kills[l.now] = time.Now()
}

func (l *ledger) saying(text string, from party, may []party) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[text] = &utterance{text: text, from: from, life: l.now, may: slices.Clone(may)}
}

func (l *ledger) refused(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.all[text]
	w.not = true
	if len(w.gotten) > 0 {
		l.t.Errorf("%q was received, and then refused", text)
	}
}

func (l *ledger) acknowledged(text string, must []party) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acks++
	w := l.all[text]
	w.must = must
	l.look(w)
}

// look sees whether everybody has a message. The caller holds l.mu.
func (l *ledger) look(w *utterance) {
	for _, who := range w.must {
		if !slices.ContainsFunc(w.gotten, func(r receipt) bool { return r.who == who }) {
			l.late[w.text] = struct{}{}
			return
		}
	}
	delete(l.late, w.text)
	if len(l.late) == 0 && l.complete != nil {
		close(l.complete)
		l.complete = nil
	}
}

// underway is how long before a kill a message can have come whose removal from the store was not
// committed.
const underway = 3 * time.Second

func (l *ledger) received(who party, from, text, id string) {
	if !strings.HasPrefix(text, "words ") {
		l.t.Errorf("%s got something that nobody said: %q", who.address(), text)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.all[text]
	switch {
	case w == nil, w.from.address() != from, !slices.Contains(w.may, who):
		l.t.Errorf("%s got %q of %s, which was not for them", who.address(), text, from)
		return
	case w.not:
		l.t.Errorf("%s got %q, which was refused", who.address(), text)
	}
	for _, r := range w.gotten {
		if r.who != who {
			continue
		}
		l.doubles++
		if id != r.id {
			l.t.Errorf("%s got %q twice, as %s and %s", who.address(), text, r.id, id)
		} else if id != "" {
			l.same++
		}
		if r.life == l.now {
			l.t.Errorf("%s got %q twice", who.address(), text)
		} else if before := l.kills[r.life].Sub(r.at); before > underway {
			l.t.Errorf("%s got %q again, %v after a kill that came %v after the first time", who.address(), text, time.Since(l.kills[r.life]), before)
		}
	}
	if l.now != w.life {
		l.stored++
	}
	w.gotten = append(w.gotten, receipt{who, l.now, time.Now(), id})
	l.look(w)
}

// await waits until nothing acknowledged is missing, and says what still is.
func (l *ledger) await(most time.Duration) string {
	l.mu.Lock()
	if len(l.late) == 0 {
		l.mu.Unlock()
		return ""
	}
	l.complete = make(chan struct{})
	complete := l.complete
	l.mu.Unlock()
	late := time.NewTimer(most)
	defer late.Stop()
	select {
	case <-complete:
		return ""
	case <-late.C:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for text := range l.late {
		w := l.all[text]
		for _, who := range w.must {
			if !slices.ContainsFunc(w.gotten, func(r receipt) bool { return r.who == who }) {
				fmt.Fprintf(&b, "%q, said in life %d to %d, for %s\n", text, w.life, len(w.may), who.address())
			}
		}
	}
	return b.String()
}

func (l *ledger) summary() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%d messages said, %d acknowledged, %d came in a later life of the service, %d came twice, of which %d with the id that XMPP tells", len(l.all), l.acks, l.stored, l.doubles, l.same)
}
