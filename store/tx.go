package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"parley/im"
)

var (
	errOver     = errors.New("the transaction is over")
	errReadOnly = errors.New("nothing can be changed in a View")
	errNotAlone = errors.New("a second statement needs a snapshot")
)

// conn is one connection with its prepared statements; one goroutine has it at a time.
type conn struct {
	c        *sql.Conn
	prepared map[string]*sql.Stmt
}

func grab(db *sql.DB) (*conn, error) {
	c, err := db.Conn(context.Background())
	if err != nil {
		return nil, err
	}
	return &conn{c, make(map[string]*sql.Stmt)}, nil
}

func (c *conn) close() {
	for _, s := range c.prepared {
		s.Close()
	}
	c.c.Close()
}

func (c *conn) stmt(query string) (*sql.Stmt, error) {
	if s := c.prepared[query]; s != nil {
		return s, nil
	}
	s, err := c.c.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", verb(query), err)
	}
	c.prepared[query] = s
	return s, nil
}

func (c *conn) exec(query string) error {
	s, err := c.stmt(query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.Background())
	return err
}

// verb is the begin of a statement, for errors.
func verb(query string) string {
	words := strings.Fields(query)
	return strings.Join(words[:min(len(words), 6)], " ")
}

// Tx is one View or one Update's fn. It is of no use after that, nor to two goroutines.
//
// Texts are kept as an engine can keep them: bytes that are not UTF-8 are replaced, and
// NUL is left out.
type Tx struct {
	s      *Store
	c      *conn
	writes bool
	begun  bool // a View's snapshot stands
	alone  bool // the next statement needs no snapshot, being the only one
	spent  bool // it was that
	saved  bool // something was changed since the savepoint
	over   bool
	failed error // the first statement that failed

	known   map[im.Address]*principal // nil: nobody
	touched []*principal              // the known ones in order
}

// end gives the snapshot up. Statements take no context of the caller's: they are short, and
// one that is interrupted would spoil the group it is in.
func (t *Tx) end() {
	t.over = true
	if t.begun {
		t.c.exec(commit)
	}
}

// result is what fn's error becomes.
func (t *Tx) result(err error) error {
	if err == nil {
		return t.failed
	}
	return err
}

// ready gives the statement for a query, and begins what must be begun before.
func (t *Tx) ready(query string, change bool) (*sql.Stmt, error) {
	switch {
	case t.failed != nil:
		return nil, t.failed
	case t.over:
		return nil, errOver
	case change && !t.writes:
		return nil, errReadOnly
	case change && !t.saved:
		if err := t.c.exec(savepoint); err != nil {
			return nil, t.fail(savepoint, err)
		}
		t.saved = true
	case t.alone:
		t.alone, t.spent = false, true
	case t.spent:
		t.failed = errNotAlone
		return nil, t.failed
	case !t.writes && !t.begun:
		if err := t.c.exec(beginRead); err != nil {
			return nil, t.fail(beginRead, err)
		}
		t.begun = true
	}
	s, err := t.c.stmt(query)
	if err != nil {
		return nil, t.fail(query, err)
	}
	return s, nil
}

func (t *Tx) fail(query string, err error) error {
	t.failed = &Error{verb(query), err}
	return t.failed
}

// Error is the database's failure, as opposed to a refusal of what was asked.
type Error struct {
	Op  string // what was being done: the statement's first words
	Err error
}

func (e *Error) Error() string { return e.Op + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

type args = []any

// get reads at most one row into dest.
func (t *Tx) get(query string, a args, dest ...any) (found bool, err error) {
	return t.one(query, false, a, dest)
}

// one is get for statements that may change something, too.
func (t *Tx) one(query string, change bool, a args, dest []any) (found bool, err error) {
	rows, err := t.rows(query, change, a)
	if err != nil {
		return false, err
	}
	if found = rows.Next(); found {
		err = rows.Scan(dest...)
	}
	return found, t.finish(query, rows, err)
}

// each reads all rows into dest, and calls row after each.
func (t *Tx) each(query string, a args, row func() error, dest ...any) error {
	return t.all(query, false, a, row, dest)
}

func (t *Tx) all(query string, change bool, a args, row func() error, dest []any) error {
	rows, err := t.rows(query, change, a)
	if err != nil {
		return err
	}
	for err == nil && rows.Next() {
		if err = rows.Scan(dest...); err == nil {
			err = row()
		}
	}
	return t.finish(query, rows, err)
}

func (t *Tx) rows(query string, change bool, a args) (*sql.Rows, error) {
	s, err := t.ready(query, change)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(context.Background(), a...)
	if err != nil {
		return nil, t.fail(query, err)
	}
	return rows, nil
}

func (t *Tx) finish(query string, rows *sql.Rows, err error) error {
	if closed := rows.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = rows.Err()
	}
	if err != nil {
		return t.fail(query, err)
	}
	return nil
}

// do changes something, and says how many rows.
func (t *Tx) do(query string, a ...any) (int64, error) {
	s, err := t.ready(query, true)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(context.Background(), a...)
	if err != nil {
		return 0, t.fail(query, err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		return 0, t.fail(query, err)
	}
	return n, nil
}

// clean is a text as every engine takes it.
func clean(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	return s
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// nanos and moment are two ways of a time: zero is 0.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// bytes is never nil, which would be NULL.
func bytes(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
