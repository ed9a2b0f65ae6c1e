package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parley/config"
	"parley/listen"
	"parley/msnp/clients"
	"parley/msnp/passport"
)

// clientTime is how long the play of one version may take.
const clientTime = 45 * time.Second

// client plays a version of MSN Messenger against the service that runs, and says what a real one needs besides.
func (c *checker) client(ctx context.Context, s *settings, version string) error {
	found, build, err := clients.Find(version)
	if err != nil {
		return usagef("--client: %v", err)
	}
	cfg, file, err := s.load()
	if file == "" {
		file = "none: the defaults hold"
	}
	c.report("configuration", err, "%s", file)
	if err != nil {
		return nil
	}
	running, err := dialControl(ctx, cfg.Data)
	if err == nil && running == nil {
		err = errors.New("it does not run, and there is nothing to play with: start it with parley serve, and ask again")
	}
	if err != nil {
		c.report("service", err, "")
		return nil
	}
	defer running.Close()
	status, err := running.do(ctx, request{Act: "status"})
	c.report("service", err, "it runs, for %s", strings.Join(status.Domains, ", "))
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, clientTime)
	defer cancel()
	c.ok("client", "%s, build %s: %s; %s", found.Name, build, strings.Join(found.Offers(), " "), found.Login)
	c.playVersion(ctx, running, cfg, found, build, status.Listening)
	return nil
}

// doors are the listeners that clients of MSNP come to.
type doors struct {
	messenger, passport, tunnel *listen.URL // nil: none
}

func findDoors(listening []string) (d doors) {
	for _, scheme := range []string{"msnp-notification", "msnp", "msnp-dispatch", "passport", "msnp-http"} {
		for _, text := range listening {
			u, err := listen.ParseURL(text)
			if err != nil || u.Scheme != scheme {
				continue
			}
			switch scheme {
			case "passport":
				d.passport = &u
			case "msnp-http":
				d.tunnel = &u
			default:
				d.messenger = &u // the last: where clients begin
			}
			break
		}
	}
	return d
}

// reached is where this machine reaches a listener.
func reached(u *listen.URL) string {
	if u == nil {
		return ""
	}
	near := listen.URL{Host: near(u.Host), Port: u.Port}
	return near.Addr()
}

// playVersion looks at the listeners that the version needs, plays it through them, and tells what else is to be done.
func (c *checker) playVersion(ctx context.Context, d desk, cfg config.Config, found *clients.Client, build string, listening []string) {
	l := findDoors(listening)
	if l.messenger == nil {
		c.report("listener", errors.New("there is none for MSNP: --listen msnp://:1863"), "")
		return
	}
	if found.Login != clients.MD5 && l.passport == nil {
		c.report("listener", fmt.Errorf("%s logs in by HTTPS, and there is no listener for that: --listen passport://:443", found.Name), "")
		return
	}
	o := &oldClient{Client: found, build: build, server: reached(l.messenger), passport: reached(l.passport)}
	if !c.playMoves(ctx, d, o, int(cfg.Limits.Payload)) {
		return
	}
	own := ""
	if found.Login != clients.MD5 {
		own = c.oldCertificate(o, cfg)
	}
	if l.tunnel != nil && found.Gateway {
		c.report("http", tunnels(ctx, reached(l.tunnel)), "%s: it goes through, too", reached(l.tunnel))
		if found.Page {
			c.report("page", showsPage(ctx, reached(l.tunnel)), "%s: MsgrConfig is answered", reached(l.tunnel))
		}
	}
	c.needs(found, l, own)
}

// playMoves plays the moves until one fails.
func (c *checker) playMoves(ctx context.Context, d desk, o *oldClient, payload int) bool {
	err := c.playTwo(ctx, d, o, payload)
	if errors.Is(err, errLeftOver) { // the accounts are gone now, and made anew
		err = c.playTwo(ctx, d, o, payload)
	}
	if err != nil && !errors.Is(err, errReported) {
		c.report("play", err, "")
	}
	return err == nil
}

// playTwo plays with two accounts that exist only for that.
func (c *checker) playTwo(ctx context.Context, d desk, o *oldClient, payload int) error {
	return plays(ctx, d, func(ctx context.Context, who ...player) error {
		if len(who) != 2 {
			return errors.New("the service gives nobody to play with")
		}
		s := &scene{oldClient: o, payload: payload, alice: &puppet{player: who[0]}, bob: &puppet{player: who[1]}}
		defer s.close()
		for _, m := range s.moves() {
			told, err := m.do(ctx)
			if errors.Is(err, errLeftOver) {
				return err
			}
			if err != nil {
				c.report(m.name, fmt.Errorf("%w: %s", err, m.todo), "")
				return errReported
			}
			c.ok(m.name, "%s", told)
		}
		return nil
	})
}

var (
	errReported = errors.New("it was said already")
	errLeftOver = errors.New("a check that was killed left something on the lists of the players: try again")
)

// oldCertificate looks whether a client of that time can take what the passport listener shows, and gives the file that it
// has to be given first, if nobody that Windows knows vouches for it. dialects 3.5
func (c *checker) oldCertificate(o *oldClient, cfg config.Config) string {
	if len(o.shown) == 0 {
		return ""
	}
	leaf := o.shown[0]
	err := passport.Suits(leaf)
	for _, h := range o.Hosts() {
		if h.Listener == "passport" && !slices.Contains(o.hosts, h.Name) {
			o.hosts = append(o.hosts, h.Name)
		}
	}
	for _, host := range o.hosts {
		if leaf.VerifyHostname(host) != nil {
			err = errors.Join(err, fmt.Errorf("it does not name %s, where the client looks: see the key msnp.passport_tls", host))
		}
	}
	if now := time.Now(); now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		err = errors.Join(err, fmt.Errorf("it is good from %s to %s only", leaf.NotBefore.Format(time.DateOnly), leaf.NotAfter.Format(time.DateOnly)))
	}
	c.report("certificate", err, "%s, %s: it names %s, and is good until %s", leaf.PublicKeyAlgorithm, leaf.SignatureAlgorithm,
		strings.Join(o.hosts, " and "), leaf.NotAfter.Format(time.DateOnly))
	from, err := cfg.MSNP.ParsePassportTLS()
	switch {
	case err == nil && from.Self:
		return filepath.Join(cfg.Data, passportCertificate)
	case leaf.CheckSignatureFrom(leaf) == nil || len(o.shown) == 1:
		return "the certificate of msnp.passport_tls, or the one that signed it,"
	}
	return "the authority that signed the certificate, unless Windows of that time has it,"
}

// needs says what a real client needs that nothing here can look at.
func (c *checker) needs(found *clients.Client, l doors, certificate string) {
	p := clients.Place{Host: l.messenger.Host, Messenger: l.messenger.Port, Certificate: certificate}
	if l.passport != nil {
		p.Passport = l.passport.Port
	}
	if l.tunnel != nil {
		p.HTTP = l.tunnel.Port
	}
	if near(p.Host) != p.Host || p.Host == "" {
		p.Host = "the address of this machine"
	} else if loopbackHost(p.Host) {
		c.need("address", "The listener is on %s, where only clients on this machine come: --listen msnp://:1863 is for all.", p.Host)
	}
	for _, step := range found.Steps(p) {
		c.need(step.Kind, "%s", step.Text)
	}
}

func (c *checker) need(what, format string, args ...any) {
	fmt.Fprintf(c.out, "need  %-14s %s\n", what, fmt.Sprintf(format, args...))
}

// showsPage looks whether clients from 6.0 find what there is besides the conversation: dialects 3.5.
func showsPage(ctx context.Context, addr string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/Config/MsgrConfig.asmx", nil)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("it does not answer: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil && !strings.Contains(string(b), "<MsgrConfig>") {
		err = errors.New("it answers with something else: does another program listen there?")
	}
	return err
}
