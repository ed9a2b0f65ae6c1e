package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/config"
	"parley/exchange"
	"parley/listen"
	"parley/metrics"
	"parley/msnp/door"
	"parley/ssp/session"
)

func setupServe(fs *flag.FlagSet) runner {
	var s settings
	s.serviceFlags(fs)
	return func(ctx context.Context, e *env, _ []string) error {
		cfg, file, err := s.load()
		if err != nil {
			return err
		}
		return serve(ctx, e, cfg, file, nil)
	}
}

// service is a service that runs.
type service struct {
	*house
	log          *slog.Logger
	metrics      *metrics.Metrics
	msnp         *door.Door
	doors        []doorway
	ssp          sspDoor              // the door to other domains, as its commands need it; nil: no listener for them
	far          *sspDoorway          // the same
	passport     *passportDoor        // where clients log in to MSNP over HTTP; nil: no listener for it
	reach        session.Config       // of this, how other domains are found and dialed; zero: as the system does
	certificates *listen.Certificates // nil: no TLS
	open         []*listener
	notReady     atomic.Pointer[string] // why; nil when it is ready
}

// listener is an open port with who answers there.
type listener struct {
	url    listen.URL // as it was given; bound says the port when that was 0
	net    net.Listener
	handle func(context.Context, net.Conn) // nil: HTTP
	web    http.Handler                    // then who answers; nil: health and metrics
	server *http.Server                    // or with what; nil: one for machines nearby
}

// bound is the URL with the port it really has.
func (l *listener) bound() string {
	u := l.url
	if a, ok := l.net.Addr().(*net.TCPAddr); ok {
		u.Port = a.Port
	}
	u.Advertise = ""
	return u.String()
}

// serve runs the service until ctx is done. hello is called when all is open, before the
// log says so; it may be nil.
func serve(ctx context.Context, e *env, cfg config.Config, file string, hello func(*service) error) (err error) {
	s := &service{log: newLog(e.err, cfg.Log), metrics: metrics.New()}
	slog.SetDefault(s.log) // for what has no other way to say something, such as the accept loop
	s.say("starting")
	v, _, _ := versions()
	s.log.Info("parley starts", "version", v, "domain", strings.Join(cfg.AllDomains(), ","), "data", cfg.Data, "config", file)

	if s.house, err = openHouse(ctx, cfg, s.metrics, s.log.With("part", "store")); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.house.Close()) }()
	if exposed := s.vault.Exposed(); exposed != nil {
		s.log.Warn("secrets lie open", "err", exposed)
	}
	lounge, err := listen.NewLounge()
	if err != nil {
		s.log.Warn("every idle session keeps a goroutine", "err", err)
	} else if lounge != nil {
		defer lounge.Close()
	}
	if err := s.openDoors(lounge); err != nil {
		s.closeAll()
		return err
	}
	if err := s.listenAll(ctx); err != nil {
		s.closeAll()
		return err
	}
	return s.run(ctx, hello)
}

// say keeps why the service is not ready.
func (s *service) say(why string) { s.notReady.Store(&why) }

func (s *service) ready() error {
	if why := s.notReady.Load(); why != nil {
		return errors.New(*why)
	}
	return nil
}

// listenAll opens every listener and finds who answers there, before anybody is let in: the
// doors must know all their roles.
func (s *service) listenAll(ctx context.Context) error {
	for _, text := range s.cfg.Listen {
		u, err := listen.ParseURL(text)
		if err != nil {
			return err
		}
		l := &listener{url: u}
		if l.net, err = listen.Listen(ctx, u); err != nil {
			return err
		}
		s.open = append(s.open, l)
		switch u.Scheme {
		case "http":
			continue
		case "ssp", "ssps":
			var t *tls.Config
			if l.web, t = s.far.web(u, s.certificates); t != nil {
				l.net = tls.NewListener(l.net, t)
			}
			continue
		case "passport", "msnp-http":
			var t *tls.Config
			if l.server, t = s.passport.web(u); t != nil {
				l.net = tls.NewListener(l.net, t)
			}
			continue
		}
		d, err := s.doorOf(u)
		if err != nil {
			return err
		}
		if l.handle, err = d.Handler(u, l.net.Addr()); err != nil {
			return err
		}
	}
	return nil
}

// closeAll closes the listeners and the doors.
func (s *service) closeAll() {
	for _, l := range s.open {
		l.net.Close()
	}
	s.closeDoors()
}

func (s *service) closeDoors() {
	if s.far != nil {
		s.far.Close()
	}
	if s.passport != nil {
		s.passport.Close()
	}
	for _, d := range s.doors {
		d.Close()
	}
}

// office is who answers at the control socket.
func (s *service) office() *office {
	o := &office{house: s.house, running: true, ssp: s.ssp}
	for _, l := range s.open {
		o.listening = append(o.listening, l.bound())
	}
	return o
}

// run lets people in, and sees them off when ctx is done: not ready any more, no new
// connections, every session told, time to write, and then what is left is closed.
func (s *service) run(ctx context.Context, hello func(*service) error) error {
	control, err := listenControl(s.cfg.Data)
	if err != nil {
		s.closeAll()
		return err
	}
	failed := make(chan error, len(s.open)+1) // never closed; each goroutine below sends once at most
	accepting, stopAccepting := context.WithCancel(context.Background())
	defer stopAccepting()
	background, stopBackground := context.WithCancel(context.Background())

	var handlers, others sync.WaitGroup
	others.Go(func() { tidyMemory(background) }) // ends with background
	if s.certificates != nil {
		others.Go(func() { s.certificates.Watch(background, s.log) }) // ends with background
	}
	if s.passport != nil {
		others.Go(func() { s.passport.certificates.Watch(background, s.log) }) // ends with background
	}
	others.Go(func() { // ends with background
		serveHTTP(background, control, newHTTP(controlHandler(s.office())), failed)
	})
	for _, l := range s.open {
		if l.handle == nil {
			srv := l.server
			switch {
			case srv != nil:
			case l.web != nil:
				srv = newHTTP(l.web)
			default:
				srv = newHTTP(s.httpHandler())
			}
			others.Go(func() { serveHTTP(background, l.net, srv, failed) }) // ends with background
			continue
		}
		handlers.Go(func() { // ends with accepting, and when its connections have
			// No function of ours in between: an idle session's stack is 4 KiB or 8 for want of
			// a hundred bytes.
			if err := listen.Serve(accepting, l.net, l.handle); err != nil {
				failed <- err
			}
		})
	}
	if s.far != nil {
		s.far.Begin()
	}
	for _, l := range s.open {
		s.log.Info("listening", "url", l.bound())
		if l.handle != nil && !isXMPP(l.url.Scheme) && !loopback(l.net.Addr()) {
			s.log.Warn("MSNP has no encryption: who sees the network reads along; passwords do not travel, words do", "url", l.bound())
		}
	}
	if s.cfg.XMPP.Plain != "" && slices.ContainsFunc(s.cfg.Listen, isXMPP) {
		s.log.Warn("XMPP clients on this machine may log in without TLS: passwords and words can be read along", "key", "xmpp.plain")
	}
	if err := s.msnp.Ready(); err != nil {
		s.log.Warn("the listeners are not enough", "err", err)
	}
	if hello != nil {
		err = hello(s)
	}
	if err == nil {
		s.notReady.Store(nil)
		s.log.Info("ready")
		notify("READY=1")
		select {
		case <-ctx.Done():
		case err = <-failed:
			s.log.Error("a listener broke", "err", err)
		}
	}

	s.say("shutting down")
	notify("STOPPING=1")
	s.log.Info("shutting down", "grace", s.cfg.Shutdown.Grace.String())
	begin := time.Now()
	s.exchange.EndAll(exchange.Shutdown) // before commands under way are cut short: this is the last they hear
	stopAccepting()
	gone := make(chan struct{}) // closed when every connection is
	go func() {                 // ends with the handlers, which the door's Close ends
		handlers.Wait()
		for _, d := range s.doors {
			d.Wait()
		}
		close(gone)
	}()
	grace := time.NewTimer(s.cfg.Shutdown.Grace.Std())
	defer grace.Stop()
	select {
	case <-gone:
	case <-grace.C:
		s.log.Warn("some connections did not end by themselves")
	}
	s.closeDoors()
	<-gone
	stopBackground()
	others.Wait()
	s.log.Info("stopped", "dur", time.Since(begin).Round(time.Millisecond).String())
	return err
}

// httpHandler serves health, and metrics if they are wanted.
func (s *service) httpHandler() http.Handler {
	if !s.cfg.Metrics.Enabled {
		return metrics.Discard().Handler(s.ready)
	}
	return s.metrics.Handler(s.ready)
}

// newHTTP makes a server of listeners for machines nearby. Whoever asks gets little time.
func newHTTP(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
}

// serveHTTP serves until ctx is done.
func serveHTTP(ctx context.Context, l net.Listener, srv *http.Server, failed chan<- error) {
	ended := make(chan struct{}) // closed when the server's connections are
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if srv.Shutdown(last) != nil {
			srv.Close()
		}
	})
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		failed <- fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	if stop() {
		return
	}
	<-ended
}

func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

// clientAddress is where clients of a protocol connect: HOST:PORT of the first listener for them, or empty.
func (s *service) clientAddress(protocol string) string {
	for _, l := range s.open {
		if l.url.Scheme == protocol {
			return strings.TrimPrefix(l.bound(), l.url.Scheme+"://")
		}
	}
	return ""
}
