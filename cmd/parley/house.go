package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"parley/bus"
	"parley/config"
	"parley/credential"
	"parley/exchange"
	"parley/metrics"
	"parley/store"
)

// house is an open data folder with the exchange over it. It is one process's alone: the
// store is locked.
type house struct {
	cfg      config.Config
	store    *store.Store
	vault    *credential.Vault
	exchange *exchange.Exchange
}

// vaultKey is where the store keeps which key file it belongs to.
const vaultKey = "vault"

// openHouse opens the data folder, and makes what is missing of it.
func openHouse(ctx context.Context, cfg config.Config, m *metrics.Metrics, log *slog.Logger) (h *house, err error) {
	if err := makeFolder(cfg.Data); err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, store.Options{
		Path: filepath.Join(cfg.Data, storeFile), Log: log,
		Observe: storeTimers(m), Grouped: m.StoreGroup,
	})
	if err != nil {
		return nil, err
	}
	h = &house{cfg: cfg, store: st}
	if h.vault, err = openVault(ctx, st, filepath.Join(cfg.Data, keyFile)); err == nil {
		h.exchange, err = exchange.New(exchangeConfig(cfg, m, log), st, bus.NewLocal())
	}
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return h, nil
}

// Close ends the exchange and closes the store, which writes what waits.
func (h *house) Close() error {
	h.exchange.Close()
	return h.store.Close()
}

// makeFolder makes the data folder for its owner alone, as keys and passwords lie in it.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w: make it yourself, or name another with --data", err)
	}
	return nil
}

// openVault opens the key file, and makes one for a new store. A store made under another
// key is refused here, in one clear line, instead of failing every login.
func openVault(ctx context.Context, st *store.Store, path string) (*credential.Vault, error) {
	var id string
	err := st.View(ctx, "vault", func(tx *store.Tx) error {
		b, err := tx.Meta(vaultKey)
		id = string(b)
		return err
	})
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); id != "" && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the key file %s is missing, and the passwords in the database do not open without it: bring it back from a backup", path)
	}
	v, err := credential.Open(path)
	if err != nil {
		return nil, err
	}
	switch id {
	case v.ID():
		return v, nil
	case "":
		return v, st.Update(ctx, "vault", func(tx *store.Tx) error { return tx.PutMeta(vaultKey, []byte(v.ID())) }, nil)
	}
	return nil, fmt.Errorf("the key file %s is not the one of this database (key %s, wanted %s): bring back the right one from a backup", path, v.ID(), id)
}

// storeTimers observes the operations of the store. Their names come from its callers'
// code, so there are few.
func storeTimers(m *metrics.Metrics) func(string, time.Duration) {
	var timers sync.Map // string: metrics.Timer
	return func(op string, took time.Duration) {
		t, ok := timers.Load(op)
		if !ok {
			t, _ = timers.LoadOrStore(op, m.StoreOp(op))
		}
		t.(metrics.Timer).Observe(took)
	}
}

func exchangeConfig(cfg config.Config, m *metrics.Metrics, log *slog.Logger) exchange.Config {
	// The exchange takes zero for "the default"; here it means zero.
	l := cfg.Limits
	bound := func(n int) int {
		if n == 0 {
			return -1
		}
		return n
	}
	return exchange.Config{
		Domains: cfg.AllDomains(), Contacts: l.Contacts, Watchers: l.Watchers, Requests: l.Requests,
		RequestText: max(int(l.RequestText), 1), Groups: bound(l.Groups), RuleLists: bound(l.RuleLists), Rules: bound(l.Rules),
		Notes: bound(l.Notes), Note: bound(int(l.Note)), Directed: bound(l.Directed),
		Conversation: l.Conversation, Conversations: l.Conversations,
		Rooms: l.Rooms, RoomsJoined: l.RoomsJoined, RoomMembers: l.RoomMembers, RoomUsers: l.RoomUsers, RoomHistory: bound(l.RoomHistory),
		Waiting: l.Waiting, WaitingBytes: int64(l.WaitingBytes), WaitingAge: l.WaitingAge.Std(), PeerAge: cfg.Offline.PeerAge.Std(),
		NotStored: !cfg.Offline.Store || l.Waiting == 0 || l.WaitingBytes == 0,
		Ring:      cfg.MSNP.Ring.Std(), RingAgain: cfg.Offline.RingAgain.Std(), Idle: cfg.MSNP.Idle.Std(),
		Hold: max(cfg.Removal.Hold.Std(), 1), AccountsCached: max(l.AccountsCached, 1), Metrics: m, Log: log,
	}
}

// inUse reports whether the store could not be opened because another process has it.
func inUse(err error) bool { return err != nil && strings.Contains(err.Error(), "is in use") }
