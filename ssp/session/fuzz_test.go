package session

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"parley/ssp"
	"parley/ssp/wire"
)

// FuzzBody: whatever is posted in a session and outside of one, there is a status for it, and all that is owned ends.
func FuzzBody(f *testing.F) {
	golden := os.DirFS("../../testdata/ssp/wv10")
	names, err := fs.Glob(golden, "*.xml")
	if err != nil || len(names) < 10 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		b, err := fs.ReadFile(golden, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("<WV-SSP-Message><Session sessionID='SESSION'><Transaction mode='Request' transactionID='1'><Disconnect/></Transaction></Session></WV-SSP-Message>"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		p := peerOf(beta, alpha)
		n := New(Config{Domain: beta, Dial: newNetwork().dial,
			Lookup: func(domain string) (*Peer, bool) { return p, domain == alpha },
			Handle: func(_ context.Context, r *Request) {
				if r.Transaction == nil || r.Primitive == nil || r.Meta.Service != "" && !isPeer(r.Meta.Service) {
					t.Errorf("handled %+v", r)
				}
				r.Answer(wire.Status(wire.Successful, ""))
			}})
		state, info := n.peer(alpha)
		state.mu.Lock()
		lg := state.newLogin(info, false, nil, nil)
		l := lg.l
		l.theirs = "77aa@" + alpha
		n.bind(l.theirs, l)
		state.link = l
		l.raise()
		lg.end()
		state.mu.Unlock()
		l.open()
		for _, in := range [][]byte{doc, inSession(doc, l.own), inSession(doc, l.theirs)} {
			status, after := n.judge(in, "")
			switch status {
			case 0, 200, 400, 503:
			default:
				t.Errorf("status %d", status)
			}
			if after != nil {
				after()
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		n.Close(ctx)
		if ctx.Err() != nil {
			t.Error("something of it runs on")
		}
	})
}

func isPeer(service string) bool {
	d, err := ssp.ParseService(service)
	return err == nil && d == alpha
}

// inSession puts a session's ID into a document.
func inSession(doc []byte, id string) []byte {
	s := string(doc)
	for _, golden := range []string{"c0ffee@south.example", "SESSION"} {
		s = strings.ReplaceAll(s, golden, id)
	}
	return []byte(strings.NewReplacer("north.example", alpha, "south.example", beta).Replace(s))
}
