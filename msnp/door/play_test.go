package door_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/bus"
	"parley/config"
	"parley/credential"
	"parley/exchange"
	"parley/im"
	"parley/listen"
	"parley/metrics"
	"parley/msnp/door"
	"parley/msnp/passport"
	"parley/msnp/plays"
	"parley/store"
	"parley/transcript"
)

// house is a whole service in this process, reached over pipes.
type house struct {
	cfg   config.Config
	path  string
	log   *slog.Logger
	vault *credential.Vault

	ctx      context.Context
	cancel   context.CancelFunc
	store    *store.Store
	exchange *exchange.Exchange
	door     *door.Door
	tickets  *passport.Tickets
	handlers map[string]func(context.Context, net.Conn)
	conns    sync.WaitGroup
	made     bool
	roles    []string // of the listeners
}

func newHouse(t testing.TB) *house {
	h := &house{cfg: config.Default(), path: filepath.Join(t.TempDir(), "parley.db"), roles: []string{"any", "ds"},
		log: slog.New(slog.DiscardHandler), vault: credential.NewVault(make([]byte, 32))}
	h.cfg.Domain = plays.Domain
	t.Cleanup(func() {
		if err := h.Stop(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// keys are made once for all plays: making them is slow on purpose.
var keys = sync.OnceValue(func() map[string][]byte {
	m := map[string][]byte{}
	for name := range plays.People {
		m[name] = makeKeys(name+"@"+plays.Domain, plays.Password)
	}
	return m
})

func makeKeys(address, password string) []byte {
	k, err := credential.NewVault(make([]byte, 32)).Set(address, credential.NewSecret(password), true)
	if err != nil {
		panic(err)
	}
	return k.Marshal()
}

func (h *house) start() error {
	var err error
	h.ctx, h.cancel = context.WithCancel(context.Background())
	if h.store, err = store.Open(h.ctx, store.Options{Path: h.path, Log: h.log}); err != nil {
		return err
	}
	l := h.cfg.Limits
	m := metrics.Discard()
	h.exchange, err = exchange.New(exchange.Config{
		Domains: []string{h.cfg.Domain}, Contacts: l.Contacts, Watchers: l.Watchers, Requests: l.Requests,
		Conversation: l.Conversation, Conversations: l.Conversations, Waiting: l.Waiting, WaitingBytes: int64(l.WaitingBytes),
		WaitingAge: l.WaitingAge.Std(), NotStored: !h.cfg.Offline.Store, Ring: h.cfg.MSNP.Ring.Std(),
		RingAgain: h.cfg.Offline.RingAgain.Std(), Idle: h.cfg.MSNP.Idle.Std(), Hold: h.cfg.Removal.Hold.Std(),
		AccountsCached: l.AccountsCached, Metrics: m, Log: h.log,
	}, h.store, bus.NewLocal())
	if err != nil {
		return err
	}
	if !h.made {
		h.made = true
		for name, shown := range plays.People {
			a := im.Account{Address: im.MustAddress(name + "@" + plays.Domain), Name: shown, Keys: keys()[name]}
			if err := h.exchange.CreateAccount(h.ctx, a); err != nil {
				return err
			}
		}
	}
	if h.tickets, err = passport.NewTickets(h.vault.DeriveKey("msnp passport")); err != nil {
		return err
	}
	if h.door, err = door.New(door.Config{Config: h.cfg, Exchange: h.exchange, Vault: h.vault, Tickets: h.tickets, Metrics: m, Log: h.log}); err != nil {
		return err
	}
	h.handlers = map[string]func(context.Context, net.Conn){}
	for role, scheme := range map[string]string{"any": "msnp", "ds": "msnp-dispatch", "ns": "msnp-notification", "sb": "msnp-switchboard"} {
		if !slices.Contains(h.roles, role) {
			continue
		}
		u := listen.URL{Scheme: scheme, Host: "127.0.0.1", Port: 1863}
		if h.handlers[role], err = h.door.Handler(u, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1863}); err != nil {
			return err
		}
	}
	return nil
}

func (h *house) Configure(key, value string) error {
	if key == "roles" {
		if value == "apart" {
			value = "ds,ns,sb"
		}
		h.roles = strings.Split(value, ",")
		return nil
	}
	return h.cfg.Set(key, value)
}

func (h *house) Dial(role string) (net.Conn, error) {
	if h.store == nil {
		if err := h.start(); err != nil {
			return nil, err
		}
	}
	if role == "" || role == "any" {
		role = "any"
		if !slices.Contains(h.roles, role) {
			role = "ns"
		}
	}
	f := h.handlers[role]
	if f == nil {
		return nil, fmt.Errorf("no listener of role %q", role)
	}
	client, server := net.Pipe()
	ctx := h.ctx
	h.conns.Go(func() { f(ctx, server) }) // ends with its connection, which Stop ends
	return client, nil
}

func (h *house) Account(verb, address string, more []string) error {
	if h.store == nil {
		if err := h.start(); err != nil {
			return err
		}
	}
	who, err := im.ParseAddress(address)
	if err != nil {
		return err
	}
	switch verb {
	case "add":
		a := im.Account{Address: who, Keys: makeKeys(who.String(), more[0])}
		if len(more) > 1 {
			a.Name = strings.Join(more[1:], " ")
		}
		return h.exchange.CreateAccount(h.ctx, a)
	case "remove":
		return h.exchange.RemoveAccount(h.ctx, who)
	case "disable", "enable":
		return h.exchange.SetDisabled(h.ctx, who, verb == "disable")
	}
	return fmt.Errorf("no verb %q", verb)
}

func (h *house) Ticket(address string) (string, error) {
	if h.store == nil {
		if err := h.start(); err != nil {
			return "", err
		}
	}
	who, err := im.ParseAddress(address)
	return h.tickets.Issue(who, time.Minute), err
}

func (h *house) Profile(address string, fields []string) error {
	if h.store == nil {
		if err := h.start(); err != nil {
			return err
		}
	}
	return h.exchange.SetProfile(h.ctx, im.MustAddress(address), func(p *im.Profile) {
		p.Listed = true
		for _, f := range fields {
			k, v, _ := strings.Cut(f, "=")
			switch k {
			case "first":
				p.First = v
			case "last":
				p.Last = v
			case "city":
				p.City = v
			case "state":
				p.State = v
			case "country":
				p.Country = v
			case "listed":
				p.Listed = v == "yes"
			}
		}
	})
}

func (h *house) Stop() error {
	if h.store == nil {
		return nil
	}
	h.exchange.EndAll(exchange.Shutdown)
	synctest.Wait()
	h.door.Close()
	h.conns.Wait()
	h.exchange.Close()
	err := h.store.Close()
	h.cancel()
	h.store = nil
	return err
}

// TestPlays plays every transcript in a bubble, where hours pass in no time.
func TestPlays(t *testing.T) {
	keys()
	scripts, err := transcript.Load(os.DirFS("../../testdata/plays"), "msnp/*.play")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(s.Pos.File), ".play")+"/"+s.Title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				transcript.Play(t, s, plays.Dial(h), plays.Options(h, true))
			})
		})
	}
}
