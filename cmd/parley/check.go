package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"parley/config"
	"parley/credential"
	"parley/listen"
	"parley/store"
)

func setupCheck(fs *flag.FlagSet) runner {
	var s settings
	s.serviceFlags(fs)
	version := fs.String("client", "", "play the `VERSION` of MSN Messenger, such as 4.6, 6.2 or 7.5.0324, and say what a real one needs")
	return func(ctx context.Context, e *env, _ []string) error {
		c := &checker{out: e.out}
		if *version == "" {
			c.all(ctx, &s)
		} else if err := c.client(ctx, &s, *version); err != nil {
			return err
		}
		if c.bad {
			return saidError{}
		}
		return nil
	}
}

// checker prints a line for each thing it looks at.
type checker struct {
	out       io.Writer
	bad       bool
	certified bool // the certificate was looked at
}

func (c *checker) ok(what, format string, args ...any) {
	fmt.Fprintf(c.out, "ok    %-14s %s\n", what, fmt.Sprintf(format, args...))
}

// report prints why something is not as it should be, or that it is.
func (c *checker) report(what string, err error, format string, args ...any) {
	if err == nil {
		c.ok(what, format, args...)
		return
	}
	c.bad = true
	for text := range strings.Lines(err.Error()) {
		fmt.Fprintf(c.out, "FAIL  %-14s %s\n", what, strings.TrimSuffix(text, "\n"))
	}
}

// all looks at everything, also after something failed, as far as that makes sense.
func (c *checker) all(ctx context.Context, s *settings) {
	cfg, file, err := s.load()
	if file == "" {
		file = "none: the defaults hold"
	}
	c.report("configuration", err, "%s", file)
	if err != nil {
		return
	}
	c.folder(cfg.Data)
	running, err := dialControl(ctx, cfg.Data)
	if running == nil {
		c.report("service", err, "it does not run")
		c.store(ctx, cfg)
		c.fileCertificate(cfg)
		for _, text := range cfg.Listen {
			c.free(ctx, text)
		}
		c.records(cfg.AllDomains(), cfg.Listen)
		return
	}
	defer running.Close()
	status, err := running.do(ctx, request{Act: "status"})
	c.report("service", err, "it runs, for %s", strings.Join(status.Domains, ", "))
	if err != nil {
		return
	}
	sound, err := running.do(ctx, request{Act: "check"})
	c.report("database", err, "sound, %d accounts", sound.Count)
	cfg.Domain, cfg.Domains = status.Domains[0], status.Domains[1:]
	for _, text := range status.Listening {
		c.answers(ctx, running, cfg, text)
	}
	c.records(status.Domains, status.Listening)
}

// folder looks at the data folder and at what secrets lie in it.
func (c *checker) folder(dir string) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.ok("data folder", "%s is not there yet: parley serve makes it", dir)
		return
	case err == nil && !info.IsDir():
		err = fmt.Errorf("%s is no folder: name another with --data DIR", dir)
	case err == nil:
		err = exposed(dir, "700")
	}
	c.report("data folder", err, "%s", dir)
	if err != nil && (info == nil || !info.IsDir()) {
		return
	}
	for _, name := range []string{keyFile, storeFile, demoFile, selfCertificateKey, passportCertificateKey} {
		path := filepath.Join(dir, name)
		switch _, err := os.Stat(path); {
		case errors.Is(err, fs.ErrNotExist) && name == keyFile:
			if _, err := os.Stat(filepath.Join(dir, storeFile)); err == nil {
				c.report(name, fmt.Errorf("it is missing, and the passwords in the database do not open without it: bring it back from a backup"), "")
			}
		case errors.Is(err, fs.ErrNotExist):
		default:
			c.report(name, exposed(path, "600"), "nobody else can read it")
		}
	}
}

// exposed says that others can read a file or folder, and what to do.
func exposed(path, mode string) error {
	if runtime.GOOS == "windows" { // where files have no such modes
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("others can read it (mode %04o): chmod %s %s", info.Mode().Perm(), mode, path)
	}
	return nil
}

// store looks at the database and its key while no service has it open.
func (c *checker) store(ctx context.Context, cfg config.Config) {
	path := filepath.Join(cfg.Data, storeFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		c.ok("database", "there is none yet")
		return
	}
	n, err := soundStore(ctx, path, filepath.Join(cfg.Data, keyFile))
	c.report("database", err, "sound, %d accounts, and the key file is its own", n)
}

// soundStore checks a store and its key, and counts the accounts.
func soundStore(ctx context.Context, path, key string) (n int, err error) {
	st, err := store.Open(ctx, store.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := st.Check(ctx); err != nil {
		return 0, err
	}
	if _, err := openVault(ctx, st, key); err != nil {
		return 0, err
	}
	err = st.View(ctx, "count", func(tx *store.Tx) error {
		n, err = tx.CountAccounts()
		return err
	})
	return n, err
}

// free looks whether a listener can be opened.
func (c *checker) free(ctx context.Context, text string) {
	u, err := listen.ParseURL(text)
	if err != nil {
		c.report("listener", err, "")
		return
	}
	l, err := listen.Listen(ctx, u)
	if err == nil {
		err = l.Close()
	}
	c.report(u.Scheme, err, "%s is free", u.Addr())
}

// patience is how long a listener of this machine may take to answer.
const patience = 10 * time.Second

// answers looks whether a listener of the running service does what it is for.
func (c *checker) answers(ctx context.Context, d desk, cfg config.Config, text string) {
	u, err := listen.ParseURL(text)
	if err != nil {
		c.report("listener", err, "")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	u.Host = near(u.Host)
	switch u.Scheme {
	case "http":
		c.report(u.Scheme, healthy(ctx, u.Addr()), "%s answers: ready", u.Addr())
	case "msnp-switchboard":
		c.report(u.Scheme, refusesTickets(ctx, u.Addr()), "%s answers", u.Addr())
	case "xmpp", "xmpps":
		var shown []*x509.Certificate
		err := plays(ctx, d, func(ctx context.Context, who ...player) (err error) {
			shown, err = playXMPP(ctx, u.Addr(), cfg.Domain, u.Scheme == "xmpps", who...)
			return err
		})
		c.report(u.Scheme, err, "%s: two people log in over TLS, see each other and talk", u.Addr())
		if err == nil && !c.certified {
			c.certified = true
			c.certificate(shown, cfg, time.Now())
		}
	case "passport":
		c.report(u.Scheme, namesLogin(ctx, u.Addr()), "%s answers, as MSN Messenger from 5.0 on expects it", u.Addr())
	case "msnp-http":
		c.report(u.Scheme, tunnels(ctx, u.Addr()), "%s answers, as MSN Messenger behind a proxy expects it", u.Addr())
	case "ssp", "ssps":
		c.report(u.Scheme, takesPosts(ctx, u), "%s answers, as other domains expect it", u.Addr())
	default:
		err := plays(ctx, d, func(ctx context.Context, who ...player) error { return playMSNP(ctx, u.Addr(), cfg.Domain, who...) })
		c.report(u.Scheme, err, "%s: two people log in, see each other and talk", u.Addr())
	}
}

// plays has two accounts, which exist only for that, talk through a listener.
func plays(ctx context.Context, d desk, play func(context.Context, ...player) error) (err error) {
	a, err := d.do(ctx, request{Act: "play"})
	if err != nil {
		return err
	}
	defer func() {
		_, e := d.do(context.WithoutCancel(ctx), request{Act: "played"})
		err = errors.Join(err, e)
	}()
	var who []player
	for _, p := range a.Players {
		who = append(who, player{p.Address, credential.NewSecret(p.Password)})
	}
	return play(ctx, who...)
}

// near is where this machine reaches a listener on all its addresses.
func near(host string) string {
	switch a, err := netip.ParseAddr(host); {
	case host == "":
		return "localhost"
	case err != nil || !a.IsUnspecified():
		return host
	case a.Is4():
		return "127.0.0.1"
	}
	return "::1"
}

func healthy(ctx context.Context, addr string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("it does not answer: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(strings.TrimSpace(string(b)))
	}
	return err
}
