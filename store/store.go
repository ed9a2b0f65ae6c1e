// Package store keeps what lasts: accounts, what principals keep about each other,
// groups, rules, waiting messages. One SQL text serves SQLite and, later, another
// engine; what differs between them stands in sqlite.go.
//
// Reading is done in a View, on a snapshot; many run at once. Changing is done in an
// Update: one writer runs all that wait, one after the other, and commits them together,
// so that "committed before acknowledged" costs one sync of the disk for many. What was
// committed is published in the order of the commits.
//
// The store owns two goroutines, the writer and the publisher; Close ends both.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"
)

// ErrClosed is what a store that was closed says.
var ErrClosed = errors.New("the store is closed")

// Options say where the store is and who wants to know of its work.
type Options struct {
	// Path is the SQLite file; made when it is missing, for its owner alone.
	Path string
	// Observe is told how long each View and Update took, its wait included. May be nil.
	Observe func(op string, took time.Duration)
	// Grouped is told how many changes were committed together. May be nil.
	Grouped func(n int)
	// NewSerial gives the first serial of a new account, at least 1. Clients cache lists by
	// serial, also those of an earlier service of the same name, so it should start anywhere:
	// by default a random number of 25 to 31 bits. draft 7.5
	NewSerial func() int64
	// Log is told of changes that failed and that nobody waits for. Default slog.Default().
	Log *slog.Logger
}

// Store is open until Close. All methods may be called by many at once.
type Store struct {
	o      Options
	unlock func()

	writeDB, readDB *sql.DB
	writer          *conn      // the writer's alone
	readers         chan *conn // idle ones; nil stands for one not yet opened
	lastID          atomic.Int64

	changes *queue[*job]  // waits for the writer
	done    *queue[*job]  // committed, waits for the publisher
	ended   chan struct{} // closed when the publisher has ended, which the writer's end brings about
	closed  atomic.Bool
}

// Open opens the store, makes it when there is none, and brings its tables to what this
// version needs. It fails when another process has it open, when it was written by a
// newer version, or is not a store. In a synctest bubble, it is opened and closed there.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.NewSerial == nil {
		o.NewSerial = randomSerial
	}
	unlock, err := lock(o.Path)
	if err != nil {
		return nil, err
	}
	s := &Store{o: o, unlock: unlock, changes: newQueue[*job](), done: newQueue[*job](), ended: make(chan struct{})}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store %s: %w", o.Path, err), s.release())
	}
	go s.write()   // ended by Close, through s.changes
	go s.publish() // ended by the writer, through s.done
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if s.writeDB, err = openWriter(ctx, s.o.Path); err != nil {
		return err
	}
	if err := migrate(ctx, s.writeDB); err != nil {
		return err
	}
	s.writeDB.SetMaxOpenConns(1)
	if s.writer, err = grab(s.writeDB); err != nil {
		return err
	}
	if s.readDB, err = openReader(s.o.Path); err != nil {
		return err
	}
	s.readers = make(chan *conn, max(4, 2*runtime.GOMAXPROCS(0)))
	for range cap(s.readers) {
		s.readers <- nil
	}
	first := Tx{s: s, c: s.writer}
	defer first.end()
	var last int64
	if _, err := first.get(greatestPrincipal, nil, &last); err != nil {
		return err
	}
	s.lastID.Store(last)
	return nil
}

// Close runs what waits, publishes it, and closes the file. Calls that come later get
// ErrClosed; a View under way is waited for.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		<-s.ended
		return nil
	}
	s.changes.close()
	<-s.ended
	for range cap(s.readers) {
		if c := <-s.readers; c != nil {
			c.close()
		}
	}
	return s.release()
}

func (s *Store) release() error {
	if s.writer != nil {
		s.writer.close()
	}
	var errs []error
	for _, db := range []*sql.DB{s.readDB, s.writeDB} { // the last one to close folds the log into the file
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	s.unlock()
	return errors.Join(errs...)
}

// View runs fn on a snapshot that holds all that was committed when it began, and in
// which nothing can be changed. Many run at once; op names the metric. fn must not keep
// the Tx, and must not wait for an Update. The error is fn's own, ctx's while it waited
// for its turn, ErrClosed, or the engine's.
func (s *Store) View(ctx context.Context, op string, fn func(*Tx) error) error {
	return s.read(ctx, op, fn, false)
}

// Glance is a View for what one statement mostly answers, which needs no snapshot. When fn does need another
// statement, it is called again from its begin, so it sets what it gives back afresh.
func (s *Store) Glance(ctx context.Context, op string, fn func(*Tx) error) error {
	return s.read(ctx, op, fn, true)
}

func (s *Store) read(ctx context.Context, op string, fn func(*Tx) error, glance bool) error {
	if s.o.Observe != nil {
		defer func(begin time.Time) { s.o.Observe(op, time.Since(begin)) }(time.Now())
	}
	c, err := s.reader(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	defer func() { s.readers <- c }()
	if glance {
		t := Tx{s: s, c: c, alone: true}
		err := t.result(fn(&t))
		if t.end(); t.failed != errNotAlone {
			return err
		}
	}
	t := Tx{s: s, c: c}
	defer t.end()
	return t.result(fn(&t))
}

// reader takes an idle reading connection, or opens one.
func (s *Store) reader(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.closed.Load() {
		return nil, ErrClosed
	}
	var c *conn
	select {
	case c = <-s.readers:
	default:
		select {
		case c = <-s.readers:
		case <-s.ended:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if c != nil {
		return c, nil
	}
	c, err := grab(s.readDB)
	if err != nil {
		s.readers <- nil
		return nil, err
	}
	return c, nil
}

// randomSerial leaves room for the raises of Restore before 32 bits with a sign are full.
func randomSerial() int64 {
	var b [4]byte
	rand.Read(b[:])
	return 1<<24 + int64(binary.LittleEndian.Uint32(b[:])%(1<<30))
}
