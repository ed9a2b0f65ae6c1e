package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
	xmpp "parley/xmpp/client"
)

// stranger is a domain that behaves as a test wants.
type stranger struct {
	*session.Node
	domain string
	at     *httptest.Server
	came   atomic.Int64 // requests
}

// newStranger joins one with a domain. It answers as answer does; what it posts goes through post, which may do so more
// than once.
func newStranger(t *testing.T, domain string, to *realm, answer func(*session.Request), post func(deliver func() *http.Response) *http.Response) *stranger {
	t.Helper()
	s := &stranger{domain: domain}
	digest := func(token []byte) []byte { return ssp.Digest(ssp.MD5, token, []byte("the password of both")) }
	way := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		resp := post(func() *http.Response {
			req, err := http.NewRequest(http.MethodPost, "http://"+to.at["ssp"]+"/", bytes.NewReader(body))
			if err != nil {
				return nil
			}
			req.Header = r.Header.Clone()
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return nil
			}
			resp.Body.Close()
			return resp
		})
		if resp == nil {
			panic(http.ErrAbortHandler) // as it was closed
		}
		w.WriteHeader(resp.StatusCode)
	}))
	t.Cleanup(way.Close)
	s.Node = session.New(session.Config{Domain: domain, Limits: session.Limits{Rate: -1},
		Lookup: func(name string) (*session.Peer, bool) {
			return &session.Peer{Domain: to.domain, URL: way.URL, Digest: digest, Plain: true, Offers: ssp.AllServices(), Wants: ssp.AllServices()}, name == to.domain
		},
		Handle: func(_ context.Context, r *session.Request) {
			s.came.Add(1)
			answer(r)
		}})
	s.at = httptest.NewServer(s.Node)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.Close(ctx)
		s.at.CloseClientConnections()
		s.at.Close()
	})
	to.knows(domain, s.at.Listener.Addr().String())
	comesTrue(t, "a session with "+domain, func() string {
		if s.Link(to.domain) == nil {
			return "none"
		}
		return ""
	})
	return s
}

// words is a message of somebody at the stranger's.
func (s *stranger) words(from, to, id, text string) *wire.Element {
	content, size := ssp.Content(im.NewText(text))
	who := im.MustAddress(from + "@" + s.domain)
	info := ssp.Info{ID: id + "@" + s.domain, Type: ssp.TextType, Size: size, To: []ssp.Party{{User: im.MustAddress(to)}}, From: ssp.Party{User: who}, Time: time.Now()}
	meta := wire.Meta{Service: ssp.FormatService(s.domain), Client: true, User: ssp.FormatUser(who)}
	return wire.New("SendMessageRequest", "deliveryReport", "No").Add(meta.Element(), info.Element(wire.WV10), content)
}

// kind says yes to everything.
func kind(r *session.Request) {
	switch r.Primitive.Name {
	case "GetServiceRequest":
		r.Answer(wire.Status(wire.NotSupported, ""))
	case "SendMessageRequest":
		r.Answer(wire.New("SendMessageResponse", "messageID", r.Primitive.Child("MessageInfo").Attr("messageID")).Add(wire.Status(wire.Successful, "")))
	default:
		r.Answer(wire.Status(wire.Successful, ""))
	}
}

// TestBadDomains: a domain that answers nothing, says all twice, comes late, or floods, and one that posts what is no SSP:
// those who talk with people of a third one notice nothing. SSP 5.5, 5.6; ssp-syntax 9.
func TestBadDomains(t *testing.T) {
	t.Parallel()
	verona, mantua := newRealmSet(t, "verona.example", []string{"ssp.requests_per_second=100"}, "romeo", "tybalt"), newRealm(t, "mantua.example", "juliet")
	join(verona, mantua)
	romeo, tybalt := verona.figure("xmpp", "romeo").(*xmppFigure), verona.figure("xmpp", "tybalt").(*xmppFigure)
	juliet := mantua.figure("xmpp", "juliet").(*xmppFigure)
	for _, f := range []*xmppFigure{romeo, tybalt, juliet} {
		f.arrives(t)
	}
	f := keepTalking(t, func(ctx context.Context, text string) error {
		if _, err := romeo.Say(juliet.address(), text); err != nil {
			return err
		}
		_, err := xmpp.Await(ctx, juliet.box, func(m xmpp.Message) bool { return m.Body == text })
		return err
	})
	once := func(deliver func() *http.Response) *http.Response { return deliver() }

	t.Log("one that answers nothing")
	mute := newStranger(t, "mute.example", verona, func(r *session.Request) {
		if r.Primitive.Name == "GetServiceRequest" { // else it would not be asked for anything
			r.Answer(wire.Status(wire.NotSupported, ""))
		}
	}, once)
	for i := range 20 {
		tybalt.tells(t, fmt.Sprintf("p%d@mute.example", i), "is anybody there?")
		tybalt.asks(t, fmt.Sprintf("p%d@mute.example", i))
	}
	comesTrue(t, "it is asked", func() string {
		if n := mute.came.Load(); n < 20 {
			return fmt.Sprintf("%d requests", n)
		}
		return ""
	})
	f.goesOn(t, "with a domain that answers nothing")

	t.Log("one that says all twice, and the second time late")
	echo := newStranger(t, "echo.example", verona, kind, func(deliver func() *http.Response) *http.Response {
		resp := deliver()
		<-time.After(time.Millisecond)
		deliver()
		return resp
	})
	for i := range 20 {
		text := fmt.Sprintf("said twice %d", i)
		if _, err := echo.Link(verona.domain).Request(t.Context(), echo.words("echo", tybalt.address(), fmt.Sprint(i), text)); err != nil {
			t.Fatal(err)
		}
		tybalt.hears(t, "echo@echo.example", text)
	}
	for range 20 {
		tybalt.tells(t, "echo@echo.example", "and answered twice")
	}
	f.goesOn(t, "with a domain that says all twice")
	for e, _ := tybalt.box.TryNext(); e != nil; e, _ = tybalt.box.TryNext() {
		if m, ok := e.(xmpp.Message); ok && m.Body != "" {
			t.Errorf("it came twice: %s", m.XML)
		}
	}

	t.Log("one that floods")
	flood := newStranger(t, "flood.example", verona, kind, once)
	var answered, refused atomic.Int64
	for i := range 3000 {
		flood.Link(verona.domain).Go(t.Context(), flood.words("flood", tybalt.address(), fmt.Sprint(i), "more"), func(_ *wire.Element, err error) {
			if err == nil {
				answered.Add(1)
			} else {
				refused.Add(1)
			}
		})
		if i%1000 == 999 {
			f.goesOn(t, "with a domain that floods")
		}
	}
	comesTrue(t, "a flood is bounded", func() string {
		if refused.Load() < 100 {
			return fmt.Sprintf("%d answered, %d refused", answered.Load(), refused.Load())
		}
		return ""
	})

	t.Log("what is no SSP")
	at := "http://" + verona.at["ssp"] + "/"
	for _, bad := range []struct {
		name, typ, body string
		statuses        []int // 0: closed without an answer
	}{
		{"another media type", "text/plain", "hello", []int{http.StatusUnsupportedMediaType}},
		{"no XML", session.MediaType, "hello", []int{http.StatusBadRequest}},
		{"a DTD", session.MediaType, `<!DOCTYPE x [<!ENTITY a "b">]><WV-SSP-Message/>`, []int{http.StatusBadRequest}},
		{"10 MB", session.MediaType, strings.Repeat("x", 10<<20), []int{http.StatusRequestEntityTooLarge, 0}},
		{"no session", session.MediaType, `<WV-SSP-Message xmlns="http://www.wireless-village.org/SSP1.0"><Session sessionID="1@mantua.example"><Transaction mode="Request" transactionID="1"><LogoutRequest/></Transaction></Session></WV-SSP-Message>`, []int{0, http.StatusBadRequest}},
	} {
		resp, err := http.Post(at, bad.typ, strings.NewReader(bad.body))
		status := 0
		if err == nil {
			status = resp.StatusCode
			resp.Body.Close()
		}
		fits := false
		for _, s := range bad.statuses {
			fits = fits || s == status
		}
		if !fits {
			t.Errorf("%s: %d, %v", bad.name, status, err)
		}
		f.goesOn(t, "after "+bad.name)
	}
	verona.sessions(t, 4)
	f.stop()
	ends(t, verona, mantua)
}
