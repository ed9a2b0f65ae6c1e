package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// maxGroup is how many changes are committed together at most, so that the first of them
// does not wait for too many others.
const maxGroup = 256

// job is a change on its way through the writer and the publisher.
type job struct {
	ctx       context.Context
	op        string
	fn        func(*Tx) error
	published func()
	begin     time.Time
	err       error // fn's, or the commit's; the writer's until settled
	panicked  any
	state     atomic.Int32
	settled   chan struct{} // closed by the writer or the publisher; nil when nobody waits
}

// What may have become of a waiting job: one of the two, once.
const (
	waits   int32 = iota
	taken         // the writer has it
	dropped       // its caller has gone
)

// Update runs fn in the writer, together with whatever else waits, and returns nil when
// its changes are on the disk and published.
//
//   - fn sees what was changed before it. Its error takes back its own changes alone, and
//     is returned as it is. A statement that failed is an error of fn, whatever fn returns.
//   - fn may be called more than once (after a failed commit it was part of, and an engine
//     with several writers repeats what collided), so it sets what it gives back afresh each
//     time, and does nothing that cannot be repeated. It must not wait: not for another
//     Update or View, a lock held across one, or a socket.
//   - published, which may be nil, is called after the commit, in the order of the commits,
//     by the one publisher. It must not wait either; others' publications come after it, but
//     no commit does.
//   - ctx that ends while fn waits for its turn drops the change before it began. Once it
//     has begun, Update waits for its end and says how it ended.
//
// fn and published that panic do so in Update's caller; fn's changes are taken back.
func (s *Store) Update(ctx context.Context, op string, fn func(*Tx) error, published func()) error {
	return s.Start(ctx, op, fn, published)()
}

// Start is an Update in two parts, for who has something to do meanwhile: what is started first is committed first.
// wait, to be called once, does the rest of Update.
func (s *Store) Start(ctx context.Context, op string, fn func(*Tx) error, published func()) (wait func() error) {
	j := &job{ctx: ctx, op: op, fn: fn, published: published, begin: time.Now(), settled: make(chan struct{})}
	err := ctx.Err()
	if err == nil && !s.changes.put(j) {
		err = ErrClosed
	}
	if err != nil {
		return func() error { return fmt.Errorf("%s: %w", op, err) }
	}
	return func() error { return s.wait(j) }
}

// wait waits for what becomes of a change.
func (s *Store) wait(j *job) error {
	select {
	case <-j.settled:
	case <-j.ctx.Done():
		if j.state.CompareAndSwap(waits, dropped) {
			s.observe(j)
			return fmt.Errorf("%s: %w", j.op, j.ctx.Err())
		}
		<-j.settled
	}
	s.observe(j)
	if j.panicked != nil {
		panic(j.panicked)
	}
	return j.err
}

// Later is an Update that nobody waits for, in the same order as the others: for what a
// kill may undo, such as the removal of delivered messages. When it fails, the log says so.
// published, which may be nil, is called as Update's.
func (s *Store) Later(op string, fn func(*Tx) error, published func()) {
	j := &job{ctx: context.Background(), op: op, fn: fn, published: published, begin: time.Now()}
	if !s.changes.put(j) {
		s.o.Log.Error("change lost", "op", op, "err", ErrClosed)
	}
}

func (s *Store) observe(j *job) {
	if s.o.Observe != nil {
		s.o.Observe(j.op, time.Since(j.begin))
	}
}

// write is the writer: it commits what waits, in groups.
func (s *Store) write() {
	for {
		waiting := s.changes.take(maxGroup)
		if len(waiting) == 0 {
			s.done.close()
			return
		}
		group := waiting[:0]
		for _, j := range waiting {
			if j.state.CompareAndSwap(waits, taken) {
				group = append(group, j)
			}
		}
		s.commitEach(group)
	}
}

// errExit is what a group gets in which fn ended the writer's goroutine.
var errExit = errors.New("a change of the same group ended the writer's goroutine (runtime.Goexit, as t.Fatal does)")

// commitEach commits a group, or, when that fails, each of its jobs alone: one of them may
// be at fault, or the disk, and it shows which.
func (s *Store) commitEach(group []*job) {
	ended := false
	defer func() {
		if ended {
			return
		}
		for _, j := range group {
			j.err = errExit
		}
		s.settle(group)
		go s.write() // in the place of this one
	}()
	if err := s.commit(group); err != nil {
		for i, j := range group {
			if err := s.commit(group[i : i+1]); err != nil && j.err == nil {
				j.err = err
			}
		}
	}
	ended = true
	s.settle(group)
}

// commit runs a group in one transaction. After an error, which is the engine's and not a
// job's, nothing of the group has happened.
func (s *Store) commit(group []*job) error {
	if len(group) == 0 {
		return nil
	}
	if err := s.writer.exec(beginWrite); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	committed := false
	defer func() {
		if !committed {
			s.writer.exec(rollback) // nothing to roll back when the engine did it
		}
	}()
	changed := 0
	for _, j := range group {
		wrote, err := s.run(j)
		if err != nil {
			return err
		}
		if wrote {
			changed++
		}
	}
	if err := s.writer.exec(commit); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	if s.o.Grouped != nil && changed > 0 {
		s.o.Grouped(changed)
	}
	return nil
}

// run calls a job's fn and keeps its error in the job. The error it returns spoils the
// whole group.
func (s *Store) run(j *job) (wrote bool, err error) {
	t := Tx{s: s, c: s.writer, writes: true}
	defer t.end()
	j.err, j.panicked = nil, nil
	func() {
		defer func() {
			if j.panicked = recover(); j.panicked != nil {
				j.err = fmt.Errorf("%s: panic: %v", j.op, j.panicked)
			}
		}()
		j.err = j.fn(&t)
	}()
	if j.err == nil && t.failed == nil {
		j.err = t.flush()
	}
	j.err = t.result(j.err)
	switch {
	case !t.saved:
		return false, nil
	case j.err != nil:
		if err := s.writer.exec(rollbackTo); err != nil {
			return false, fmt.Errorf("take back %s: %w (after %w)", j.op, err, j.err)
		}
	}
	return j.err == nil, s.writer.exec(release)
}

// settle tells the callers, those who want it published through the publisher.
func (s *Store) settle(group []*job) {
	publish := group[:0:0]
	for _, j := range group {
		if j.settled == nil {
			if j.err != nil {
				s.o.Log.Error("change failed that nobody waits for", "op", j.op, "err", j.err)
			}
			s.observe(j)
		}
		switch {
		case j.err == nil && j.published != nil:
			publish = append(publish, j)
		case j.settled != nil:
			close(j.settled)
		}
	}
	if len(publish) > 0 {
		s.done.put(publish...)
	}
}

// publish is the publisher.
func (s *Store) publish() {
	defer close(s.ended)
	for {
		group := s.done.take(maxGroup)
		if len(group) == 0 {
			return
		}
		for _, j := range group {
			func() {
				if j.settled != nil {
					defer close(j.settled)
				}
				defer func() {
					if j.panicked = recover(); j.panicked != nil && j.settled == nil {
						s.o.Log.Error("a change that nobody waits for was not published", "op", j.op, "panic", j.panicked)
					}
				}()
				j.published()
			}()
		}
	}
}
