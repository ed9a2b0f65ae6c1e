package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"parley/credential"
	"parley/msnp/client"
	xmpp "parley/xmpp/client"
)

// TestScript plays the scripts: the program as people run it.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Values[worldKey{}] = &world{services: map[string]*process{}, people: map[string]interface{ Done() <-chan struct{} }{}}
			e.Setenv("TZ", "UTC")
			e.Setenv("GORACE", underRace)
			e.Setenv("REPO", repository())
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fails": scriptFails, "start": scriptStart, "halt": scriptStop, "kill9": scriptKill,
			"login": scriptLogin, "offline": scriptOffline, "get": scriptGet, "mode": scriptMode, "fill": scriptFill,
			"occupy": scriptOccupy, "password": scriptPassword,
		},
	})
}

func repository() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	return strings.TrimSuffix(dir, "/cmd/parley")
}

// world is what a script has running.
type world struct {
	services map[string]*process
	people   map[string]interface{ Done() <-chan struct{} }
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// patient is a context for one thing that takes no time unless it is broken.
func patient() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 20*time.Second)
}

// fails CODE ARG...: parley ends with that code.
func scriptFails(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("parley", args[1:]...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || strconv.Itoa(exit.ExitCode()) != args[0] {
		ts.Fatalf("parley ended with %v, not exit code %s", err, args[0])
	}
}

// start NAME ARG...: parley runs in the background as NAME, and is ready. $NAME_msnp and
// $NAME_http are the addresses of its listeners.
func scriptStart(ts *testscript.TestScript, _ bool, args []string) {
	name := args[0]
	path, err := exec.LookPath("parley")
	ts.Check(err)
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "TZ=UTC")
	p, err := startProcess(cmd)
	ts.Check(err)
	w := worldOf(ts)
	w.services[name] = p
	ts.Defer(p.kill)
	for scheme, at := range p.addresses() {
		ts.Setenv(name+"_"+strings.ReplaceAll(scheme, "-", "_"), at)
	}
}

// halt NAME: the service ends in order (stop is testscript's own: it ends the script). Its log is the file NAME.log, what it printed NAME.out.
func scriptStop(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	p := w.services[args[0]]
	if err := p.stop(); err != nil {
		ts.Fatalf("%s: %v\n%s", args[0], err, &p.log)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".log"), []byte(p.log.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), p.out.Bytes(), 0o600))
}

// kill9 NAME: the service ends without a chance to do anything.
func scriptKill(ts *testscript.TestScript, _ bool, args []string) {
	worldOf(ts).services[args[0]].kill()
}

// login SERVER ADDRESS PASSWORD: somebody logs in over MSNP, or XMPP if the server is xmpp://HOST:PORT, and stays. With
// ! the login is refused.
func scriptLogin(ts *testscript.TestScript, neg bool, args []string) {
	ctx, cancel := patient()
	defer cancel()
	if server, ok := strings.CutPrefix(args[0], "xmpp://"); ok {
		c, err := xmpp.Dial(ctx, xmpp.Config{Address: server, User: args[1], Password: credential.NewSecret(args[2]), Resource: "script",
			TLS: &tls.Config{InsecureSkipVerify: true}})
		if neg != (err != nil) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		if err == nil {
			ts.Defer(c.Close)
			ts.Check(c.SetPresence(xmpp.Shown{}))
			ts.Check(c.Ping(ctx, ""))
			worldOf(ts).people[args[1]] = c
		}
		return
	}
	c, err := client.Connect(ctx, client.Config{Address: args[0], Handle: args[1], Password: credential.NewSecret(args[2])})
	if neg {
		if err == nil {
			c.Close()
			ts.Fatalf("%s was let in", args[1])
		}
		ts.Logf("%v", err)
		return
	}
	ts.Check(err)
	ts.Check(c.SetState(ctx, "NLN"))
	worldOf(ts).people[args[1]] = c
	ts.Defer(c.Close)
}

// offline ADDRESS: the service ends or has ended the session of somebody.
func scriptOffline(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := patient()
	defer cancel()
	select {
	case <-worldOf(ts).people[args[0]].Done():
	case <-ctx.Done():
		ts.Fatalf("the session of %s goes on", args[0])
	}
}

// get URL [CODE]: what a web address says.
func scriptGet(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := patient()
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], nil)
	ts.Check(err)
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	_, err = io.Copy(ts.Stdout(), resp.Body)
	ts.Check(err)
	if want := append(args, "200")[1]; strconv.Itoa(resp.StatusCode) != want {
		ts.Fatalf("%s: %s, not %s", args[0], resp.Status, want)
	}
}

// mode FILE MODE: the rights of a file.
func scriptMode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Lstat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s, not %s", args[0], got, args[1])
	}
}

// fill FILE N: a CSV of so many accounts.
func scriptFill(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "user%d@parley.test,secret %d\n", i, i)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// occupy NAME: something listens on $NAME.
func scriptOccupy(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

// password FILE ADDRESS NAME: $NAME is the password in a file of demo accounts.
func scriptPassword(ts *testscript.TestScript, _ bool, args []string) {
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == args[1] {
			ts.Setenv(args[2], f[1])
			return
		}
	}
	ts.Fatalf("%s has no password of %s", args[0], args[1])
}
