package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/credential"
	"parley/im"
	"parley/store"
)

// players are the two accounts that parley check plays a conversation with. They exist only
// while one plays: their names are fixed, so that a check that was killed leaves no more
// than the next one takes over.
type players struct {
	mu    sync.Mutex // guards until
	until time.Time  // somebody plays until then, at most
}

// playTime is how long a check may have the players, before another takes them over.
const playTime = time.Minute

// playerNames are the local parts of their addresses.
var playerNames = []string{"parley-check-1", "parley-check-2"}

func (o *office) player(name string) (im.Address, error) {
	return im.ParseAddress(name + "@" + o.cfg.Domain)
}

// play makes the players, with passwords of this one play.
func (o *office) play(ctx context.Context, _ request) (a answer, err error) {
	o.players.mu.Lock()
	busy := time.Now().Before(o.players.until)
	if !busy {
		o.players.until = time.Now().Add(playTime)
	}
	o.players.mu.Unlock()
	if busy {
		return a, errors.New("another check plays just now: try again in a minute")
	}
	for _, name := range playerNames {
		who, err := o.player(name)
		if err != nil {
			return a, err
		}
		p := importRow{who.String(), rand.Text()}
		k, err := o.vault.Set(p.Address, credential.NewSecret(p.Password), o.cfg.Credential.KeepPassword)
		if err != nil {
			return a, err
		}
		err = o.exchange.CreateAccount(ctx, im.Account{Address: who, Keys: k.Marshal()})
		if errors.Is(err, im.ErrAlready) {
			err = o.exchange.SetKeys(ctx, who, k.Marshal())
		}
		if err != nil {
			return a, fmt.Errorf("make the account %s: %w", who, err)
		}
		a.Players = append(a.Players, p)
	}
	return a, nil
}

// played removes the players; their addresses are free again at once.
func (o *office) played(ctx context.Context, _ request) (answer, error) {
	var all error
	for _, name := range playerNames {
		who, err := o.player(name)
		if err == nil {
			err = o.exchange.RemoveAccount(ctx, who)
		}
		if err == nil {
			err = o.store.Update(ctx, "unhold", func(tx *store.Tx) error { return tx.HoldAddress(who, 0, time.Now()) }, nil)
		}
		if !errors.Is(err, im.ErrUnknownUser) {
			all = errors.Join(all, err)
		}
	}
	o.players.mu.Lock()
	o.players.until = time.Time{}
	o.players.mu.Unlock()
	return answer{}, all
}

// check looks at the store that the service has open.
func (o *office) check(ctx context.Context, _ request) (answer, error) {
	if err := o.store.Check(ctx); err != nil {
		return answer{}, err
	}
	var a answer
	err := o.store.View(ctx, "count", func(tx *store.Tx) (err error) {
		a.Count, err = tx.CountAccounts()
		return err
	})
	return a, err
}
