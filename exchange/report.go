package exchange

import (
	"context"

	"parley/im"
)

// Report tells the Direct sessions of a sender that words of theirs, of which they wanted to know (im.Message.Report),
// have come to a session behind another door, which cannot tell it itself; or any session of a sender that words are lost.
type Report struct {
	Of   *im.Message // as it was sent, to one receiver
	Slot string      // the session that has it; "" when it has no name
	Why  error       // not nil: they are lost, although they were accepted
}

func (*Report) delivery() {}

// report sends one on its way, if the sender may know that the receiver is there: receipts tell of presence.
func (x *Exchange) report(m *Message) {
	if !m.Report || m.via == m.Native.Door || m.to == nil {
		return
	}
	f := x.inMemory(m.From)
	snap := m.to.snap.Load()
	if f == nil || snap == nil {
		return
	}
	if e := snap.Entry(m.From); e == nil || !snap.shows(e) {
		return
	}
	d := &Report{Of: m.Message}
	for _, c := range m.to.takers(Rings) {
		d.Slot = c.login.Slot
	}
	x.spawn(func(context.Context) { // ends when it is handed
		var b Batch
		f.mu.Lock()
		for _, c := range f.directs() {
			if c.login.Door == m.Native.Door && c.interested.Load() {
				b.Hand(c.session, d)
			}
		}
		f.mu.Unlock()
		b.Flush()
	})
}
