package store

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"parley/im"
)

// childPath tells a copy of this program which store to write to until it is killed, and
// childFrom at which number to begin.
const (
	childPath = "PARLEY_TEST_STORE"
	childFrom = "PARLEY_TEST_FROM"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		from, _ := strconv.ParseInt(os.Getenv(childFrom), 10, 64)
		fmt.Fprintln(os.Stderr, writeUntilKilled(path, from))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled puts messages in twos, from eight callers, and says each number that was
// acknowledged.
func writeUntilKilled(path string, from int64) error {
	s, err := Open(ctx, Options{Path: path})
	if err != nil {
		return err
	}
	failed := make(chan error)
	var next atomic.Int64
	next.Store(from)
	for range 8 {
		go func() {
			for {
				n := next.Add(1)
				err := s.Update(ctx, "put", func(tx *Tx) error { return putTwins(tx, n) }, nil)
				if err != nil {
					failed <- err
					return
				}
				if _, err := os.Stdout.WriteString(strconv.FormatInt(n, 10) + "\n"); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	return <-failed
}

func putTwins(tx *Tx, n int64) error {
	for _, to := range []im.Address{alice, bob} {
		m := &im.Message{ID: twin(n, to), From: romeo, To: to, Time: time.Unix(n, 0), Native: im.Native{Body: make([]byte, n%9000)}}
		if err := tx.PutMessage(m, time.Time{}); err != nil {
			return err
		}
	}
	_, err := tx.NextSerial(alice)
	return err
}

func twin(n int64, to im.Address) im.MessageID {
	if to == alice {
		return im.MessageID(2 * n)
	}
	return im.MessageID(2*n + 1)
}

// What was acknowledged is there after a kill, and nothing is there by halves.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := openTest(t, Options{Path: path})
	s.accounts(t, alice, bob)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	acknowledged := make(map[int64]bool)
	for round := range 4 {
		writeAndKill(t, path, int64(round)*1e6, 150+100*round, acknowledged)
		checkTwins(t, path, acknowledged)
	}
}

func writeAndKill(t *testing.T, path string, from int64, kill int, acknowledged map[int64]bool) {
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childPath+"="+path, childFrom+"="+strconv.FormatInt(from, 10))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	said := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		n, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			t.Fatalf("the child said %q", lines.Text())
		}
		acknowledged[n] = true
		if said++; said == kill {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	child.Wait() // "killed"
	if said < kill {
		t.Fatalf("the child ended after %d", said)
	}
}

func checkTwins(t *testing.T, path string, acknowledged map[int64]bool) {
	s, err := Open(ctx, Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Check(ctx); err != nil {
		t.Error(err)
	}
	s.view(t, func(tx *Tx) error {
		mine, err := tx.Waiting(alice, 0, 1e6)
		if err != nil {
			return err
		}
		theirs, err := tx.Waiting(bob, 0, 1e6)
		if err != nil {
			return err
		}
		if len(mine) != len(theirs) {
			t.Errorf("halves: %d and %d", len(mine), len(theirs))
		}
		there := make(map[int64]bool)
		size := int64(0)
		for _, m := range mine {
			there[int64(m.ID)/2] = true
			size += int64(m.Size())
		}
		for _, m := range theirs {
			if !there[int64(m.ID)/2] {
				t.Errorf("half of %d", m.ID/2)
			}
		}
		for n := range acknowledged {
			if !there[n] {
				t.Errorf("%d was acknowledged, and is lost", n)
			}
		}
		n, bytes, err := tx.CountWaiting(alice)
		if n != len(mine) || bytes != size {
			t.Errorf("%d messages of %d bytes are counted as %d of %d", len(mine), size, n, bytes)
		}
		return err
	})
}
