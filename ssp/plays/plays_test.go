package plays

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"parley/ssp/wire"
	"parley/transcript"
)

// fake is a service that does as it is told.
type fake struct {
	mu    sync.Mutex
	url   string // of the last host that listens
	got   []string
	verbs []string
	lack  string // what Ask refuses with
	serve func(w http.ResponseWriter, body string)
	front net.Listener
}

func newFake(t *testing.T, serve func(w http.ResponseWriter, body string)) *fake {
	f := &fake{serve: serve}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.front = l
	s := &http.Server{ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		f.mu.Lock()
		f.got = append(f.got, r.Method+" "+r.Header.Get("Content-Type")+" "+string(b))
		f.mu.Unlock()
		f.serve(w, string(b))
	})}
	var work sync.WaitGroup
	work.Go(func() { s.Serve(l) }) // ends with s
	t.Cleanup(func() { s.Close(); work.Wait() })
	return f
}

func (f *fake) Dial(string) (net.Conn, error) { return net.Dial("tcp", f.front.Addr().String()) }

func (f *fake) Listen(string) (net.Listener, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		f.url = "http://" + l.Addr().String() + "/"
	}
	return l, f.url, err
}

func (f *fake) Dialed() []string { return []string{"mantua.example"} }

func (f *fake) Domain(verb, domain, secret string, fields map[string][]string) error {
	f.verbs = append(f.verbs, verb+" "+domain+" "+secret+" "+strings.Join(fields["offer"], "+"))
	return nil
}

func (f *fake) Ask(_, as string, e *wire.Element) (*wire.Element, string, error) {
	if f.lack != "" {
		return nil, f.lack, nil
	}
	return wire.Status(wire.Successful, as+" & "+e.Name), "", nil
}

func (f *fake) Test(string) ([]Step, string, error) {
	return []Step{{N: 1}, {N: 2, Failed: "<no>"}}, "it stops", nil
}

// plays plays a script against it.
func (f *fake) plays(t *testing.T, script string) error {
	t.Helper()
	l, err := transcript.Parse("x", "# A play. Spec: SSP 6\n"+script)
	if err != nil {
		t.Fatal(err)
	}
	d := Door(f, false)
	return transcript.Run(l[0], d.Dial, d.Options)
}

// What a domain says is posted whole, and HTTP is heard where it says something. ssp-syntax 1.1, 1.2, 1.3
func TestADomainPostsAndHears(t *testing.T) {
	f := newFake(t, nil)
	f.serve = func(w http.ResponseWriter, body string) {
		switch {
		case strings.Contains(body, "no XML"):
			w.WriteHeader(http.StatusBadRequest)
		case strings.Contains(body, "bye"):
			panic(http.ErrAbortHandler)
		case strings.Contains(body, "DanceRequest"):
			doc := "<WV-SSP-Message xmlns='" + wire.WV10.Space() + "'><Session sessionID='1'><Transaction mode='Response' transactionID='1'><Status code='405'/></Transaction>" +
				"<Transaction mode='Request' transactionID='9'><LogoutRequest/></Transaction></Session></WV-SSP-Message>"
			go http.Post(f.url, mediaType, strings.NewReader(doc)) // ends with the answer
		}
	}
	if err := f.plays(t, `@open mantua offer=IMFeature,GroupFeature
mantua C: <http type='text/plain' method='PUT'>this is &lt;no XML</http>
mantua S: <http status='400'/>
@open mantua.http
mantua C: <http>bye</http>
mantua.http S: <http closed='yes'/>
mantua C: <WV-SSP-Message><Session sessionID='1'><Transaction mode='Request' transactionID='1'>
  <DanceRequest/></Transaction></Session></WV-SSP-Message>
mantua S: <WV-SSP-Message><Session sessionID='1'><Transaction mode='Response' transactionID='1'><Status code='405'/></Transaction></Session></WV-SSP-Message>
mantua S: <WV-SSP-Message><Session sessionID='1'><Transaction mode='Request' transactionID='${t}'><LogoutRequest/></Transaction></Session></WV-SSP-Message>
@domain password mantua sesame
@dialed mantua.example
`); err != nil {
		t.Fatal(err)
	}
	want := []string{"PUT text/plain this is <no XML", "POST application/vnd.wv.ssp+xml; charset=UTF-8 bye",
		"POST application/vnd.wv.ssp+xml; charset=UTF-8 <?xml version='1.0'?><WV-SSP-Message xmlns='" + wire.WV10.Space() + "'><Session sessionID='1'>" +
			"<Transaction mode='Request' transactionID='1'>\n<DanceRequest/></Transaction></Session></WV-SSP-Message>"}
	for i, w := range want {
		if i >= len(f.got) || f.got[i] != w {
			t.Errorf("%d: %q", i, f.got)
			break
		}
	}
	if got := strings.Join(f.verbs, "; "); got != "add mantua.example verona IMFeature+GroupFeature; password mantua.example sesame " {
		t.Error(got)
	}
}

// At a desk a primitive is asked for, and the answer heard.
func TestDesk(t *testing.T) {
	f := newFake(t, func(http.ResponseWriter, string) {})
	if err := f.plays(t, `@open alice desk mantua alice
alice C: <GetWatcherListRequest/>
alice S: <Status code='200'><StatusDescription>alice@example.com &amp; GetWatcherListRequest</StatusDescription></Status>
alice C: <test/>
alice S: <test><step n='1'/><step n='2'>&lt;no&gt;</step><refused>it stops</refused></test>
alice C: <DanceRequest/>
alice S: <refused>there is no primitive DanceRequest</refused>
`); err != nil {
		t.Fatal(err)
	}
	f.lack = "no session"
	if err := f.plays(t, "@open desk desk mantua\ndesk C: <GetServiceRequest/>\ndesk S: <refused>no session</refused>\n"); err != nil {
		t.Fatal(err)
	}
}

// What a play gets wrong is a failure of it.
func TestWrongPlays(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, _ string) { w.WriteHeader(http.StatusBadRequest) })
	for script, want := range map[string]string{
		"@open mantua flying":                           `there is no "flying"`,
		"@open mantua in":                               "SendSecretToken is answered by HTTP with 400",
		"@open desk desk":                               "a desk is one for a domain",
		"@open mantua.http":                             `"mantua" is no domain of this play`,
		"@login padua":                                  "is no domain of this play",
		"@http mantua 99":                               `"mantua" is no domain`,
		"@open mantua\n@http mantua once 99":            `"99" is no answer of HTTP`,
		"@domain add":                                   "@domain wants a verb and a name",
		"@dialed padua.example":                         "mantua.example was called",
		"@open m\nm C: <a x='${session padua}'/>":       `"padua" is no domain of this play`,
		"@open m\nm C: <http>x</http>\nm S: <a/>":       "it is <http>",
		"@open m\nm C: <http/>\n@silence m":             "hears something",
		"@open m\nm C: <a>${users many}</a>\nm S: <a/>": "invalid syntax",
	} {
		err := f.plays(t, script+"\n")
		if failure, ok := errors.AsType[*transcript.Failure](err); !ok || !strings.Contains(failure.Why, want) {
			t.Errorf("%q: %v, want %s", script, err, want)
		}
	}
}
