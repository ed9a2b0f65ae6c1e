package passport

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"parley/credential"
	"parley/im"
	"parley/limit"
	"parley/metrics"
)

// Config is what a Server is told.
type Config struct {
	Tickets   *Tickets
	Checker   Checker
	Strangers *limit.Strangers
	Metrics   *metrics.Door
	Log       *slog.Logger

	// Host is where clients log in, HOST or HOST:PORT; empty: the host by which each client asks.
	Host string
	// PublicURL is a page of the service's own, which clients show; empty: none.
	PublicURL string
	// Life is how long a ticket of the login by header is good; 0 means DefaultLife.
	Life time.Duration
	// SOAPLife is how long one of the login by SOAP is good, which the client is told and keeps it for; 0 means
	// DefaultSOAPLife.
	SOAPLife time.Duration
	// Proxies are who takes TLS off in front of us. What they pass on needs none, and is from the last address in
	// X-Forwarded-For.
	Proxies []netip.Prefix
}

// How long tickets are good if nothing else is said. One that comes by header is shown at once. MSN Messenger 7.5
// reckons with its own clock, which may be hours wrong, and asks again in a circle when a ticket seems old.
const (
	DefaultLife     = 5 * time.Minute
	DefaultSOAPLife = 24 * time.Hour
)

// Server answers whoever logs in by Passport. It is an http.Handler, safe for concurrent use. It is meant for HTTP/1.1:
// clients look for headers in a spelling that HTTP/2 does not have.
type Server struct {
	c         Config
	messenger Messenger
}

// New makes a server.
func New(c Config) *Server {
	if c.Life <= 0 {
		c.Life = DefaultLife
	}
	if c.SOAPLife <= 0 {
		c.SOAPLife = DefaultSOAPLife
	}
	return &Server{c, Messenger{c.PublicURL}}
}

// The paths that have a meaning; any other is where somebody logs in. They are compared in lower case.
const (
	nexusPath  = "/rdr/pprdr.asp"
	loginPath  = "/login2.srf"
	rstPath    = "/rst.srf"
	notRSTPath = "/notrst.srf"
)

// ServeHTTP answers one request. Without TLS nobody is asked for a password: dialects 3.4.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	h := w.Header()
	h["Cache-Control"] = []string{"no-cache"}
	path := strings.ToLower(r.URL.Path)
	remote, secure := s.origin(r)
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		h["Allow"] = []string{"GET, HEAD, POST"}
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	switch {
	case path == nexusPath:
		s.nexus(w, r)
	case path == messengerPath:
		s.messenger.ServeHTTP(w, r)
	case path == rstPath && r.Method == http.MethodPost:
		s.rst(w, r, remote, secure)
	case path == notRSTPath && r.Method == http.MethodPost:
		s.notRST(w, r, remote, secure)
	case isLogin(r.Header.Get("Authorization")):
		s.login(w, r, remote, secure)
	default:
		// COMPAT MSN 5.0-7.0: some builds ask the login host for anything, to see whether it is there.
		h["Content-Type"] = []string{"text/html"}
		w.WriteHeader(http.StatusOK)
	}
}

// origin is who sent a request, and whether nobody could read it on its way.
func (s *Server) origin(r *http.Request) (remote netip.Addr, secure bool) {
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		remote = peer.Addr().Unmap()
	}
	for _, p := range s.c.Proxies {
		if !p.Contains(remote) {
			continue
		}
		if l := r.Header.Values("X-Forwarded-For"); len(l) > 0 {
			last := l[len(l)-1]
			if a, err := netip.ParseAddr(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])); err == nil {
				remote = a.Unmap()
			}
		}
		return remote, true
	}
	return remote, r.TLS != nil
}

// nexus tells where to log in: dialects 3.3. Its one header is written as clients look for it, letter by letter
// (dialects 14.1).
func (s *Server) nexus(w http.ResponseWriter, r *http.Request) {
	host := s.c.Host
	if host == "" {
		host = r.Host
	}
	if !plainHost(host) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	// COMPAT MSN 5.0-7.0: without https:// before the host, as live; which builds would take one is not known.
	w.Header()["PassportURLs"] = []string{"DARealm=Passport.Net,DALogin=" + host + loginPath + ",ConfigVersion=15"}
	w.Header()["Content-Type"] = []string{"text/html"}
	w.WriteHeader(http.StatusOK)
}

// plainHost reports whether a host, with or without a port, can stand among the fields of a header.
func plainHost(s string) bool {
	return s != "" && len(s) <= 300 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune(".-_:[]", r)
	})
}

// login takes a name and a password from the header Authorization: dialects 3.3.
func (s *Server) login(w http.ResponseWriter, r *http.Request, remote netip.Addr, secure bool) {
	c, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil || !secure {
		s.c.Metrics.Login(metrics.LoginWrong)
		s.c.Log.Info("login failed", "remote", remote.String(), "tls", secure, "err", err)
		s.refuse(w)
		return
	}
	who, ok := s.judge(w, r.Context(), c, remote)
	switch {
	case !ok:
	case who.IsZero():
		s.refuse(w)
	default:
		h := w.Header()
		// The client wants exactly this status and this type: dialects 3.3.
		h["Content-Type"] = []string{"text/html"}
		h["Authentication-Info"] = []string{scheme + " da-status=success,tname=MSPAuth,tname=MSPProf,tname=MSPSec,from-PP='" +
			s.c.Tickets.Issue(who, s.c.Life) + "',ru=http://messenger.msn.com"}
		w.WriteHeader(http.StatusOK)
	}
}

// refuse says that name or password is wrong: dialects 3.3.
//
// COMPAT MSN 5.0-7.0: live servers told more, where to get help for one; with the status alone clients say what is wrong
// and ask again.
func (s *Server) refuse(w http.ResponseWriter) {
	w.Header()["WWW-Authenticate"] = []string{scheme + " da-status=failed"}
	w.Header()["Content-Type"] = []string{"text/html"}
	w.WriteHeader(http.StatusUnauthorized)
}

// judge authenticates and logs. Not ok: the fault is ours, and was told. The zero Address: the login is wrong, which the
// caller tells.
func (s *Server) judge(w http.ResponseWriter, ctx context.Context, c credentials, remote netip.Addr) (who im.Address, ok bool) {
	who, err := s.authenticate(ctx, c, remote)
	switch {
	case errors.Is(err, ErrWrong):
		s.c.Log.Info("login failed", "remote", remote.String())
		return im.Address{}, true
	case err != nil:
		s.c.Log.Error("login failed", "remote", remote.String(), "err", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		return im.Address{}, false
	}
	s.c.Log.Info("ticket issued", "who", who.String(), "remote", remote.String())
	return who, true
}

// rst is the login of MSN Messenger 7.5: dialects 3.4. What goes wrong is told in the body; the status is 200, as the
// client reads on.
func (s *Server) rst(w http.ResponseWriter, r *http.Request, remote netip.Addr, secure bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(tooLarge(err))
		return
	}
	req, err := parseSOAP(body)
	if err != nil || !secure {
		s.c.Log.Info("request for tickets refused", "remote", remote.String(), "tls", secure, "err", err)
		write(w, invalid())
		return
	}
	who, ok := s.judge(w, r.Context(), req.credentials, remote)
	now := s.c.Tickets.now()
	switch {
	case !ok:
	case who.IsZero():
		write(w, denied(now))
	default:
		write(w, granted(req, who, s.c.Tickets.Issue(who, s.c.SOAPLife), now, s.c.SOAPLife))
	}
}

// notRST is the login of an msidcrl.dll that was patched to do without SOAP: dialects 3.4.
//
// COMPAT MSN 7.5: what it makes of a failure is not known; it gets no token.
func (s *Server) notRST(w http.ResponseWriter, r *http.Request, remote netip.Addr, secure bool) {
	c := credentials{r.Header.Get("X-User"), credential.NewSecret(r.Header.Get("X-Password"))}
	who, ok := im.Address{}, true
	if secure && c.handle != "" {
		who, ok = s.judge(w, r.Context(), c, remote)
	}
	switch {
	case !ok:
	case who.IsZero():
		w.WriteHeader(http.StatusUnauthorized)
	default:
		token := strings.TrimPrefix(s.c.Tickets.Issue(who, s.c.SOAPLife), authPart)
		token, _, _ = strings.Cut(token, profilePart)
		w.Header()["X-Token"] = []string{token}
		w.WriteHeader(http.StatusOK)
	}
}

// tooLarge is the status for a body that could not be read.
func tooLarge(err error) int {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

func write(w http.ResponseWriter, xml []byte) {
	w.Header()["Content-Type"] = []string{"text/xml; charset=utf-8"}
	w.Write(xml)
}

// Times that a client has. Each connection carries one or two requests.
const (
	headerTime  = 10 * time.Second
	requestTime = 20 * time.Second
	idleTime    = 15 * time.Second
)

// HTTP makes a server for connections that have TLS already, or come from a proxy that took it off: HTTP/1.1 alone,
// little time for each request, and no more connections than Strangers lets in, whose Gate they count at until they end.
// The caller serves and shuts it down.
func (s *Server) HTTP() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler: s, Protocols: protocols, ConnState: s.gate(),
		ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: requestTime, IdleTimeout: idleTime, MaxHeaderBytes: 2 * maxHeader,
		ErrorLog: slog.NewLogLogger(s.c.Log.Handler(), slog.LevelDebug),
	}
}

// gate counts connections while they are open, and closes those that are too many.
func (s *Server) gate() func(net.Conn, http.ConnState) {
	var mu sync.Mutex // guards inside
	inside := map[net.Conn]func(){}
	return func(c net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			leave, err := s.enter(c)
			if err != nil {
				c.Close()
				return
			}
			mu.Lock()
			inside[c] = leave
			mu.Unlock()
		case http.StateClosed, http.StateHijacked:
			mu.Lock()
			leave := inside[c]
			delete(inside, c)
			mu.Unlock()
			if leave != nil {
				leave()
			}
		}
	}
}

// enter lets a connection in.
func (s *Server) enter(c net.Conn) (leave func(), err error) {
	var remote netip.Addr
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		remote = a.AddrPort().Addr().Unmap()
	}
	if err := s.c.Strangers.Count.Enter(); err != nil {
		return nil, err
	}
	out, err := s.c.Strangers.Gate.Enter(remote)
	if err != nil {
		s.c.Strangers.Count.Leave()
		return nil, err
	}
	return func() { out(); s.c.Strangers.Count.Leave() }, nil
}
