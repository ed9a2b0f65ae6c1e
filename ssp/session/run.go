package session

import "time"

// Run is a number of requests that are handed on one right behind the other by one goroutine, and soon done. Config.Rest
// is called behind the last one of them, by the same goroutine; their answers wait until then, so that they go out together.
type Run struct {
	Left any // what the handlers have left to be done for all of them at once; kept from run to run
	n    int
}

// longest is how many requests there are in a run at most.
const longest = 64

// runs says whether a request stands in a run: it comes in great numbers, and is soon done.
func (w *work) runs() bool {
	switch name(&w.unit) {
	case "SendMessageRequest", "NewMessage", "DeliveryStatusReport":
		return w.do == nil
	}
	return false
}

// kick has somebody work through the inbox, if nobody does.
func (l *Link) kick() {
	l.mu.Lock()
	ok := !l.running && l.opened && l.head < len(l.inbox)
	if ok {
		l.running = true
	}
	l.mu.Unlock()
	if ok {
		l.work(64)
	}
}

// work serves the requests that wait, one after another; more than so many in another goroutine.
func (l *Link) work(most int) {
	for range most {
		l.mu.Lock()
		if l.run.n > 0 && (l.run.n >= longest || l.head == len(l.inbox) || !l.inbox[l.head].runs()) {
			l.mu.Unlock()
			l.rest()
			l.mu.Lock()
		}
		if l.head == len(l.inbox) {
			l.inbox, l.head = l.inbox[:0], 0
			if cap(l.inbox) > 64 {
				l.inbox = nil
			}
			l.running = false
			l.mu.Unlock()
			return
		}
		w, now := l.inbox[l.head], time.Now()
		if w.do == nil && l.n.c.Limits.Rate > 0 && !free(&w.unit) {
			if !l.refill(now) {
				wait := time.Duration((1 - l.tokens) / float64(l.n.c.Limits.Rate) * float64(time.Second))
				l.mu.Unlock()
				l.rest()
				time.AfterFunc(wait+time.Microsecond, func() { l.n.run(func() { l.work(64) }) })
				return
			}
			l.tokens--
		}
		l.inbox[l.head] = work{}
		l.head++
		l.mu.Unlock()
		switch {
		case w.do != nil:
			w.do()
			continue
		case w.runs():
			if l.run.n++; l.run.n == 1 {
				l.sender.gather(true)
			}
		}
		l.serve(&w, now)
	}
	l.rest()
	if !l.n.spawn(func() { l.work(1 << 30) }) { // ends with the inbox
		l.work(1 << 30)
	}
}

// rest ends a run of requests.
func (l *Link) rest() {
	if l.run.n == 0 {
		return
	}
	l.run.n = 0
	l.n.c.Rest(&l.run)
	l.sender.gather(false)
}
