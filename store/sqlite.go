package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite"

	"parley/im"
)

// Here stands all that is SQLite's own: how it is opened, how a transaction begins, what
// its tables are called for, and how it is copied.

const (
	beginRead  = `BEGIN`
	beginWrite = `BEGIN IMMEDIATE`
	commit     = `COMMIT`
	rollback   = `ROLLBACK`
	savepoint  = `SAVEPOINT own`
	release    = `RELEASE own`
	rollbackTo = `ROLLBACK TO own`
)

// applicationID marks a file as a store: "Prly".
const applicationID = 0x50726c79

//go:embed migrations/*.sql
var migrations embed.FS

// Everything is committed to the disk before it is acknowledged: a log written ahead, and
// a sync with every commit.
var pragmas = []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "temp_store(MEMORY)",
	"journal_size_limit(67108864)", "wal_autocheckpoint(2000)"}

func dsn(path string, pragmas ...string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	abs = filepath.ToSlash(abs)
	if !strings.HasPrefix(abs, "/") { // a volume's letter
		abs = "/" + abs
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: abs, RawQuery: url.Values{"_pragma": pragmas}.Encode()}
	return u.String(), nil
}

func openWriter(ctx context.Context, path string) (*sql.DB, error) {
	// The engine gives its log the rights of the file.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	f.Close()
	plain, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(ours(ctx, plain, true), plain.Close()); err != nil {
		return nil, err
	}
	name, err := dsn(path, append([]string{"cache_size(-4000)"}, pragmas...)...)
	if err != nil {
		return nil, err
	}
	return sql.Open("sqlite", name)
}

func openReader(path string) (*sql.DB, error) {
	name, err := dsn(path, append([]string{"query_only(1)", "cache_size(-1000)"}, pragmas...)...)
	if err != nil {
		return nil, err
	}
	return sql.Open("sqlite", name)
}

// openPlain opens a file as it is: other ways to open would turn one that is not ours,
// or a backup, into a store that runs.
func openPlain(path string) (*sql.DB, error) {
	name, err := dsn(path, "busy_timeout(10000)")
	if err != nil {
		return nil, err
	}
	return sql.Open("sqlite", name)
}

// ours refuses files of other programs; an empty one becomes ours when that is wanted.
func ours(ctx context.Context, db *sql.DB, adopt bool) error {
	var id, tables int64
	if err := db.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master`).Scan(&tables); err != nil {
		return err
	}
	switch {
	case id == applicationID:
		return nil
	case tables > 0 || id != 0 || !adopt:
		return errors.New("this file is not a store of parley's: give the path of another one, or of none")
	}
	_, err := db.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, applicationID))
	return err
}

// migrate brings the tables to what this version needs; forward only.
func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, schema{dir})
	if err != nil {
		return err
	}
	has, err := p.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	sources := p.ListSources()
	if know := sources[len(sources)-1].Version; has > know {
		return fmt.Errorf("written by a newer version of parley (its tables are of version %d, this one knows %d): use that version, or a backup made before it", has, know)
	}
	_, err = p.Up(ctx)
	return err
}

// schema is the migrations as SQLite reads them best: a key that is the row's own number,
// and tables that lie in the order of their keys.
type schema struct{ fs.FS }

var forSQLite = strings.NewReplacer("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY", "/* clustered */", "WITHOUT ROWID")

func (s schema) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	defer f.Close()
	text, err := fs.ReadFile(s.FS, name)
	if err != nil {
		return nil, err
	}
	return &schemaFile{f, strings.NewReader(forSQLite.Replace(string(text)))}, nil
}

// schemaFile is only read and closed; goose asks no size.
type schemaFile struct {
	fs.File
	text *strings.Reader
}

func (f *schemaFile) Read(b []byte) (int, error) { return f.text.Read(b) }
func (f *schemaFile) Close() error               { return nil }

// Check reads all of the store, and reports the first thing that is wrong with the file, or
// with what is kept in two places and must be the same. It takes its time in a large store,
// which goes on meanwhile.
func (s *Store) Check(ctx context.Context) error {
	if s.closed.Load() {
		return ErrClosed
	}
	if err := sound(ctx, s.readDB, quick); err != nil {
		return err
	}
	return s.View(ctx, "check", func(t *Tx) error {
		for _, look := range []struct {
			what, query string
			args        args
		}{
			{"counts that are wrong", wrongCounts, nil},
			{"sides that disagree", wrongMirrors, args{int64(im.ByAddress), int64(im.Everything), int64(im.BySession), int64(im.ByDomain)}},
			{"rows of nobody", wrongOwners, nil},
			{"rows of no room", wrongRooms, nil},
		} {
			var n int64
			switch _, err := t.get(look.query, look.args, &n); {
			case err != nil:
				return err
			case n > 0:
				return fmt.Errorf("the store has %s: %d; please report this, and restore a backup made before", look.what, n)
			}
		}
		return ctx.Err()
	})
}

// How well the engine looks: without the indexes, and with them.
const (
	quick    = `PRAGMA quick_check(1)`
	thorough = `PRAGMA integrity_check(1)`
)

func sound(ctx context.Context, db *sql.DB, check string) error {
	var said string
	if err := db.QueryRowContext(ctx, check).Scan(&said); err != nil {
		return fmt.Errorf("check the store: %w", err)
	}
	if said != "ok" {
		return fmt.Errorf("the store is damaged: %s; restore a backup", said)
	}
	return nil
}

// Backup writes a copy of the store as it is now to path, which must not exist; the store
// goes on meanwhile. The copy is for its owner alone, and whole: what stands there after a
// kill is not called path.
func (s *Store) Backup(ctx context.Context, path string) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return BackupOf(ctx, s.o.Path, path)
}

// BackupOf is Backup for a store that perhaps another process has open.
func BackupOf(ctx context.Context, from, path string) (err error) {
	if err := vacant(path); err != nil {
		return err
	}
	part, err := partial(path)
	if err != nil {
		return err
	}
	defer os.Remove(part)
	if err := copyTo(ctx, from, part, quick); err != nil {
		return fmt.Errorf("back up %s: %w", from, err)
	}
	return moveIn(part, path)
}

// copyTo checks a store and copies it as it is at one moment, to an empty file.
func copyTo(ctx context.Context, from, part, check string) (err error) {
	if _, err := os.Stat(from); err != nil {
		return err // else it would be made
	}
	db, err := openPlain(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := ours(ctx, db, false); err != nil {
		return err
	}
	if err := sound(ctx, db, check); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, part)
	return err
}

// Restore puts a backup in the place of the store at path, while no process has it open.
// The backup is checked first, brought to this version's tables, and all serials in it are
// raised by 1<<20: no client has a list of a later number in its cache that would be taken
// for one of now. What stood at path before stands beside it, with ".before" and the time
// of its replacement (UTC) at its end.
func Restore(ctx context.Context, from, path string) (err error) {
	unlock, err := lock(path)
	if err != nil {
		return err
	}
	defer unlock()
	part, err := partial(path)
	if err != nil {
		return err
	}
	defer func() {
		for _, end := range []string{"", "-wal", "-shm"} {
			os.Remove(part + end)
		}
	}()
	if err := prepare(ctx, from, part); err != nil {
		return fmt.Errorf("restore %s: %w", from, err)
	}
	before := path + ".before" + time.Now().UTC().Format("20060102T150405.000")
	if err := setAside(path, before); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := onDisk(part); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return onDisk(filepath.Dir(path))
}

// setAside gives what stands at path a second name, and takes its log away, which would
// else be read into the next file there. The file itself stays until it is replaced: where
// none stands after a kill, a start would make an empty one.
func setAside(path, before string) error {
	for _, end := range []string{"-wal", "-shm"} {
		if err := os.Rename(path+end, before+end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	err := os.Link(path, before)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil: // a file system without second names
		return os.Rename(path, before)
	}
	return nil
}

// prepare makes a store at part of the backup at from.
func prepare(ctx context.Context, from, part string) (err error) {
	if err := copyTo(ctx, from, part, thorough); err != nil {
		return err
	}
	db, err := openWriter(ctx, part)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := migrate(ctx, db); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, raiseSerials, 1<<20); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}

func vacant(path string) error {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return fmt.Errorf("%s exists already and is not written over: name another file, or move it away", path)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return nil
}

// partial makes an empty file beside path, for its owner alone.
func partial(path string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".part*")
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// moveIn gives a whole file its name, once all of it is on the disk.
func moveIn(part, path string) error {
	if err := onDisk(part); err != nil {
		return err
	}
	if err := vacant(path); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return onDisk(filepath.Dir(path))
}

func onDisk(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
