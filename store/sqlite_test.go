package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/im"
)

func TestFilesAreTheOwners(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, Options{Path: filepath.Join(dir, "store.db")})
	s.accounts(t, alice)
	backup := filepath.Join(dir, "backup.db")
	if err := s.Backup(ctx, backup); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		return // rights are said otherwise there
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 5 { // the store, its log, the log's index, the lock, the backup
		t.Errorf("files: %v", files)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestStrangePaths(t *testing.T) {
	for _, name := range []string{"a b?c#d%20e&f.db", "Жук.db"} {
		path := filepath.Join(t.TempDir(), name)
		s := openTest(t, Options{Path: path})
		s.accounts(t, alice)
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path + "-wal"); err != nil {
			t.Error(err)
		}
	}
}

func TestInUse(t *testing.T) {
	s := openTest(t, Options{})
	_, err := Open(ctx, Options{Path: s.o.Path})
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("opened twice: %v", err)
	}
	if err := Restore(ctx, s.o.Path, s.o.Path); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("restored while open: %v", err)
	}
}

func TestNotAStore(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database at all\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, "foreign")
	db, err := sql.Open("sqlite", foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE mail (id INTEGER)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, foreign} {
		if _, err := Open(ctx, Options{Path: path}); err == nil {
			t.Errorf("opened %s", path)
		}
		if err := Restore(ctx, path, filepath.Join(dir, "store.db")); err == nil {
			t.Errorf("restored %s", path)
		}
		if err := BackupOf(ctx, path, filepath.Join(dir, "backup.db")); err == nil {
			t.Errorf("backed up %s", path)
		}
	}
	if _, err := Open(ctx, Options{Path: filepath.Join(dir, "no", "such", "folder")}); err == nil {
		t.Error("opened a store in no folder")
	}
}

func TestNewerStore(t *testing.T) {
	s := openTest(t, Options{})
	if _, err := s.writeDB.Stats(), s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", s.o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, Options{Path: s.o.Path}); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("opened: %v", err)
	}
}

func TestBackupWhileItRuns(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, Options{Path: filepath.Join(dir, "store.db")})
	s.accounts(t, alice, bob)
	running, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := int64(1); running.Err() == nil; n++ {
			if err := s.Update(ctx, "put", func(tx *Tx) error { return putTwins(tx, n) }, nil); err != nil {
				t.Error(err)
			}
		}
	})
	paths := []string{filepath.Join(dir, "one"), filepath.Join(dir, "two"), filepath.Join(dir, "three")}
	err := errors.Join(s.Backup(ctx, paths[0]), BackupOf(ctx, s.o.Path, paths[1]), s.Backup(ctx, paths[2]))
	stop()
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		checkTwins(t, path, nil)
		if err := s.Backup(ctx, path); err == nil || !strings.Contains(err.Error(), "exists already") {
			t.Errorf("written over: %v", err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*part*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRestoreRaisesSerials(t *testing.T) {
	dir := t.TempDir()
	path, saved := filepath.Join(dir, "store.db"), filepath.Join(dir, "saved.db")
	s := openTest(t, Options{Path: path})
	s.accounts(t, alice)
	s.act(t, alice, romeo, im.Pair.Ask) // romeo has no serial
	var last int64
	read := func(s *Store) (serial int64, contacts int) {
		s.view(t, func(tx *Tx) error {
			a, err := tx.Account(alice)
			c, err2 := tx.CountSides(alice)
			r, err3 := tx.find(romeo)
			if r == nil || r.serial != 0 {
				t.Errorf("romeo: %+v", r)
			}
			serial, contacts = a.Serial, c.Contacts
			return errors.Join(err, err2, err3)
		})
		return serial, contacts
	}
	then, _ := read(s)
	if err := s.Backup(ctx, saved); err != nil {
		t.Fatal(err)
	}
	s.act(t, alice, bob, im.Pair.Ask) // lost by the restore
	for range 10 {
		s.update(t, func(tx *Tx) (err error) { last, err = tx.NextSerial(alice); return err })
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Restore(ctx, saved, path); err != nil {
		t.Fatal(err)
	}
	again := openTest(t, Options{Path: path})
	serial, contacts := read(again)
	if serial != then+1<<20 || serial <= last || contacts != 1 {
		t.Errorf("serial %d (it was %d when saved, %d at last), %d contacts", serial, then, last, contacts)
	}
	before, err := filepath.Glob(path + ".before*")
	if err != nil || len(before) != 1 {
		t.Fatalf("kept: %v, %v", before, err)
	}
	old := openTest(t, Options{Path: before[0]})
	if serial, contacts := read(old); serial != last || contacts != 2 {
		t.Errorf("what stood there: serial %d, %d contacts", serial, contacts)
	}
	fresh := filepath.Join(dir, "fresh.db")
	if err := Restore(ctx, saved, fresh); err != nil {
		t.Fatal(err)
	}
	if err := Restore(ctx, filepath.Join(dir, "nothing"), fresh); err == nil {
		t.Error("restored nothing")
	}
	if serial, _ := read(openTest(t, Options{Path: fresh})); serial != then+1<<20 {
		t.Errorf("serial %d in a new place", serial)
	}
}

func TestRestoreRefusesDamage(t *testing.T) {
	dir := t.TempDir()
	path, saved := filepath.Join(dir, "store.db"), filepath.Join(dir, "saved.db")
	s := openTest(t, Options{Path: path})
	s.accounts(t, alice, bob)
	for n := range int64(200) {
		s.update(t, func(tx *Tx) error { return putTwins(tx, n) })
	}
	if err := s.Check(ctx); err != nil {
		t.Error(err)
	}
	if err := errors.Join(s.Backup(ctx, saved), s.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	for page := 10; page < len(data)/4096; page += 3 {
		for i := range 64 {
			data[page*4096+i] ^= 0x5a
		}
	}
	if err := os.WriteFile(saved, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Restore(ctx, saved, path); err == nil {
		t.Error("restored a damaged backup")
	}
	again := openTest(t, Options{Path: path})
	again.view(t, func(tx *Tx) error { _, err := tx.Account(alice); return err })
}

// Numbers of principals are not given again while the process lives, and start above all
// that are there.
func TestNumbersAreNotGivenAgain(t *testing.T) {
	s := openTest(t, Options{})
	s.accounts(t, alice, bob)
	list := func(p im.Pair) (im.Pair, error) { return p.List(), nil }
	number := func() (id int64) {
		s.act(t, alice, romeo, list)
		s.view(t, func(tx *Tx) error { p, err := tx.find(romeo); id = p.id; return err })
		s.act(t, alice, romeo, func(im.Pair) (im.Pair, error) { return im.Pair{}, nil })
		return id
	}
	if a, b := number(), number(); a == b {
		t.Errorf("number %d twice", a)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, Options{Path: s.o.Path})
	s.accounts(t, carol)
	s.view(t, func(tx *Tx) error {
		seen := map[int64]bool{}
		for _, who := range []im.Address{alice, bob, carol} {
			a, err := tx.Account(who)
			if err != nil || seen[a.ID] {
				t.Errorf("%s: %d, %v", who, a.ID, err)
			}
			seen[a.ID] = true
		}
		return nil
	})
}

func TestDefaultSerial(t *testing.T) {
	for range 1000 {
		if n := randomSerial(); n < 1<<24 || n >= 1<<31 {
			t.Fatalf("serial %d", n)
		}
	}
}

func TestFailedCommitTellsAll(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *Store) {
		s.accounts(t, alice)
		if err := s.writer.exec(`PRAGMA query_only = 1`); err != nil { // as a disk that takes nothing more
			t.Fatal(err)
		}
		off := s.hold(t)
		done, published := make(chan error, 3), false
		for i := range cap(done) {
			go func() { done <- s.Update(ctx, "test", put(i), func() { published = true }) }()
		}
		synctest.Wait()
		off()
		for range cap(done) {
			if err := <-done; err == nil {
				t.Error("acknowledged")
			}
		}
		if err := s.writer.exec(`PRAGMA query_only = 0`); err != nil {
			t.Fatal(err)
		}
		if got := s.values(t, 3); len(got) > 0 || published {
			t.Errorf("stand %v, published %v", got, published)
		}
		s.update(t, put(1)) // and it goes on
	})
}

func TestGoexitEndsNoWriter(t *testing.T) {
	bubble(t, Options{Log: nil}, func(t *testing.T, s *Store) {
		off := s.hold(t)
		errs := make([]error, 2)
		go func() {
			errs[0] = s.Update(ctx, "test", func(tx *Tx) error { put(0)(tx); runtime.Goexit(); return nil }, nil)
		}()
		go func() { errs[1] = s.Update(ctx, "test", put(1), nil) }()
		synctest.Wait()
		off()
		if !errors.Is(errs[0], errExit) || !errors.Is(errs[1], errExit) {
			t.Errorf("%v", errs)
		}
		s.update(t, put(2))
		if got := s.values(t, 3); len(got) != 1 || got[0] != 2 {
			t.Errorf("stand %v, want [2]", got)
		}
	})
}

func TestObserveIsTold(t *testing.T) {
	var took time.Duration
	s := openTest(t, Options{Observe: func(op string, d time.Duration) {
		if op == "look" {
			took = d
		}
	}})
	if err := s.View(ctx, "look", func(tx *Tx) error { _, err := tx.CountAccounts(); return err }); err != nil || took <= 0 {
		t.Errorf("%v, %v", took, err)
	}
}

// TestGlance: what needs one statement is read at once; what needs more is read again, in one snapshot.
func TestGlance(t *testing.T) {
	s := openTest(t, Options{})
	s.accounts(t, alice, bob)
	calls := 0
	err := s.Glance(ctx, "test", func(tx *Tx) error {
		calls++
		a, err := tx.Account(alice)
		if a.Address != alice {
			t.Errorf("read %v", a)
		}
		return err
	})
	if err != nil || calls != 1 {
		t.Errorf("one statement: %d calls, %v", calls, err)
	}
	calls = 0
	err = s.Glance(ctx, "test", func(tx *Tx) error {
		calls++
		was, err := tx.Account(alice)
		if err != nil {
			return err
		}
		if calls == 2 {
			s.update(t, func(tx *Tx) error {
				is := was
				is.Name = "Alice"
				return tx.PutAccount(is)
			})
		}
		if _, err = tx.Account(bob); err != nil {
			return err
		}
		is, err := tx.Account(alice)
		if is.Name != was.Name {
			t.Error("the snapshot moved")
		}
		return err
	})
	if err != nil || calls != 2 {
		t.Errorf("several statements: %d calls, %v", calls, err)
	}
	if err := s.Glance(ctx, "test", func(tx *Tx) error { _, err := tx.Account(carol); return err }); err != im.ErrUnknownUser {
		t.Errorf("nobody: %v", err)
	}
	if err := s.Glance(ctx, "test", func(tx *Tx) error { return tx.PutAccount(im.Account{Address: alice}) }); !errors.Is(err, errReadOnly) {
		t.Errorf("a change: %v", err)
	}
}
