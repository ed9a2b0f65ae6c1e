package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/credential"
	"parley/im"
	"parley/listen"
	"parley/metrics"
	"parley/ssp/wire"
)

// fakeDoor is a door to other domains that plays what it is told.
type fakeDoor struct {
	steps  []stepInfo
	err    error
	domain string
	as     im.Address
	asked  *wire.Element
	answer *wire.Element
}

func (f *fakeDoor) Test(_ context.Context, domain string, step func(n int, what string, err error)) error {
	f.domain = domain
	for _, s := range f.steps {
		var err error
		if s.Failed != "" {
			err = errors.New(s.Failed)
		}
		step(s.N, s.What, err)
	}
	return f.err
}

func (f *fakeDoor) Request(_ context.Context, domain string, as im.Address, e *wire.Element) (*wire.Element, error) {
	f.domain, f.as, f.asked = domain, as, e
	return f.answer, f.err
}

func (*fakeDoor) Renew(context.Context) error { return nil }

// served is a house with a door, whose office answers at the control socket of its folder.
func served(t *testing.T, door sspDoor) (dir string, o *office) {
	t.Helper()
	cfg := config.Default()
	cfg.Data = t.TempDir()
	h, err := openHouse(t.Context(), cfg, metrics.Discard(), newLog(t.Output(), cfg.Log))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	o = &office{house: h, running: true, ssp: door}
	control, err := listenControl(cfg.Data)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: controlHandler(o)}
	go srv.Serve(control) // ends with srv
	t.Cleanup(func() { srv.Close() })
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(h.exchange.CreateAccount(t.Context(), im.Account{Address: im.MustAddress("alice@parley.test")}))
	sealed, err := h.vault.SealShared("b.example", credential.NewSecret("secret"))
	must(err)
	must(h.exchange.PutDomain(t.Context(), im.Domain{Name: "b.example", Secret: sealed}))
	must(h.exchange.PutDomain(t.Context(), im.Domain{Name: "far.example", Route: "b.example"}))
	return cfg.Data, o
}

// commandLine runs a command line in this process.
func commandLine(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var b strings.Builder
	code = run(t.Context(), &env{strings.NewReader(""), &b, &b}, args)
	return code, b.String()
}

// The test of a login says how each step went, and where it stopped. SSP 6; ssp-syntax 5.1.
func TestDomainTest(t *testing.T) {
	f := &fakeDoor{steps: []stepInfo{{N: 1, What: "our token sent"}, {N: 3, What: "its token came"}}}
	dir, o := served(t, f)
	code, out := commandLine(t, "domain", "test", "B.example", "--data", dir)
	want := "ok    step 1   our token sent\nok    step 3   its token came\nok    the two domains are logged in to each other\n"
	if code != exitOK || out != want || f.domain != "b.example" {
		t.Errorf("%d %s\n%s", code, f.domain, out)
	}
	f.steps = append(f.steps, stepInfo{N: 6, What: "its digest", Failed: "608 \x1b[2Jwrong password"})
	f.err = errors.New("it stops at step 6")
	code, out = commandLine(t, "domain", "test", "b.example", "--data", dir)
	if code != exitFailed || !strings.HasSuffix(out, "FAIL  step 6   its digest: 608 [2Jwrong password\nFAIL  it stops at step 6\n") {
		t.Errorf("%d\n%q", code, out)
	}
	if code, out = commandLine(t, "domain", "test", "far.example", "--data", dir); code != exitFailed || !strings.Contains(out, "far.example is reached through b.example: parley domain test b.example") {
		t.Errorf("%d %s", code, out)
	}
	o.ssp = nil
	if code, out = commandLine(t, "domain", "test", "b.example", "--data", dir); code != exitFailed || !strings.Contains(out, "no listener for other domains") {
		t.Errorf("%d %s", code, out)
	}
}

// Any request of the schema is built, sent on behalf of somebody, and its answer printed. ssp-syntax 2.5, 3.7.
func TestDomainRequest(t *testing.T) {
	f := &fakeDoor{answer: wire.New("SendMessageResponse", "messageID", "7").Add(wire.New("Status", "code", "200").Add(
		wire.New("StatusDescription").With("fine \x1b[2J & <good>")))}
	dir, _ := served(t, f)
	words := []string{"domain", "request", "b.example", "SendMessageRequest", "deliveryReport=No", "MessageInfo.contentType=text/plain",
		"MessageInfo.contentSize=2", "MessageInfo.Recipient.User.userID=wv:bob@b.example", "MessageInfo.Recipient.User.userID=wv:carol@b.example",
		"MessageInfo.Sender.User.userID=wv:alice@parley.test", "MessageInfo.DateTime=20021119T063000Z", "ContentData=a=b", "--data", dir}
	code, out := commandLine(t, append(words, "--as", "alice@parley.test")...)
	want := `<SendMessageResponse messageID="7">
  <Status code="200">
    <StatusDescription>fine [2J &amp; &lt;good&gt;</StatusDescription>
  </Status>
</SendMessageResponse>
`
	if code != exitOK || out != want {
		t.Errorf("%d\n%s", code, out)
	}
	n := 0
	for range f.asked.Child("MessageInfo").Children("Recipient") {
		n++
	}
	if f.domain != "b.example" || f.as.String() != "alice@parley.test" || n != 2 || f.asked.Child("ContentData").String() != "a=b" {
		t.Errorf("asked %s for %s: %+v", f.domain, f.as, f.asked)
	}
	if f.asked.Child("MetaInfo") != nil {
		t.Error("the meta-information is the door's to make")
	}

	// Without a user the domain asks; the user may be the domain's own for what has no meta-information.
	if code, out = commandLine(t, words...); code != exitOK || !f.as.IsZero() {
		t.Errorf("%d as %s\n%s", code, f.as, out)
	}
	if code, out = commandLine(t, "domain", "request", "b.example", "KeepAliveRequest", "timeToLive=60", "--data", dir); code != exitOK {
		t.Errorf("%d\n%s", code, out)
	}

	// A refusal is printed, and said.
	f.answer, f.err = wire.New("Status", "code", "531"), fmt.Errorf("531: unknown user")
	code, out = commandLine(t, append(words, "--as", "alice@parley.test")...)
	if code != exitFailed || out != "<Status code=\"531\"/>\nparley: b.example refused it: 531: unknown user\n" {
		t.Errorf("%d\n%s", code, out)
	}
	f.answer, f.err = nil, errors.New("no session with this domain")
	if code, out = commandLine(t, words...); code != exitFailed || out != "parley: no session with this domain\n" {
		t.Errorf("%d\n%s", code, out)
	}
	if code, out = commandLine(t, append(words, "--as", "eve@parley.test")...); code != exitFailed || !strings.Contains(out, "there is no account eve@parley.test") {
		t.Errorf("%d\n%s", code, out)
	}
}

// Every transaction that a requestor begins can be asked for. SSP 5.
func TestRequestable(t *testing.T) {
	names := requestable()
	if len(names) < 40 {
		t.Errorf("only %d requests: %v", len(names), names)
	}
	for _, tr := range wire.Transactions() {
		if tr.Steps[0].By == wire.Requestor && !begins(tr.Steps[0].Primitive) {
			t.Errorf("%s cannot be begun", tr.Name)
		}
	}
}

// A listener for other domains refuses what is no message, and says so as others expect it. ssp-syntax 1.3.
func TestTakesPosts(t *testing.T) {
	code := http.StatusBadRequest
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/vnd.wv.ssp+xml" {
			t.Errorf("%s %s", r.Method, r.Header)
		}
		w.WriteHeader(code)
	})
	for scheme, start := range map[string]func(http.Handler) *httptest.Server{"ssp": httptest.NewServer, "ssps": httptest.NewTLSServer} {
		srv := start(h)
		a := srv.Listener.Addr().(*net.TCPAddr)
		u := listen.URL{Scheme: scheme, Host: "127.0.0.1", Port: a.Port}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		code = http.StatusBadRequest
		if err := takesPosts(ctx, u); err != nil {
			t.Errorf("%s: %v", scheme, err)
		}
		code = http.StatusNotFound
		if err := takesPosts(ctx, u); err == nil || !strings.Contains(err.Error(), "another program") {
			t.Errorf("%s: %v", scheme, err)
		}
		srv.Close()
		if err := takesPosts(ctx, u); err == nil || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("%s: %v", scheme, err)
		}
		cancel()
	}
}
