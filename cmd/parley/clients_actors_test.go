package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	msnplays "parley/msnp/plays"
)

// needed are the programs of others that the tests run, with the packages that have them.
var needed = map[string]string{"python3": "python3-slixmpp", "go-sendxmpp": "go-sendxmpp", "profanity": "profanity", "tmux": "tmux"}

// othersProgram is where somebody else's program is. The one of the distribution comes first: another Python lacks the
// distribution's libraries.
func othersProgram(t *testing.T, name string) string {
	t.Helper()
	if path, err := exec.LookPath("/usr/bin/" + name); err == nil {
		return path
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not on this machine: install the package %s, or run make setup", name, needed[name])
	}
	return path
}

// heap keeps what somebody has heard until it is waited for, in order.
type heap[T any] struct {
	mu      sync.Mutex // guards what follows
	things  []T
	changed chan struct{} // closed when something comes; nil: nobody waits
}

func (h *heap[T]) put(x T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.things = append(h.things, x)
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// wait takes the oldest thing that fits, and waits for one if there is none.
func (h *heap[T]) wait(ctx context.Context, fits func(T) bool) (T, error) {
	for {
		h.mu.Lock()
		for i, x := range h.things {
			if fits(x) {
				h.things = append(h.things[:i:i], h.things[i+1:]...)
				h.mu.Unlock()
				return x, nil
			}
		}
		if h.changed == nil {
			h.changed = make(chan struct{})
		}
		changed := h.changed
		h.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		}
	}
}

// String is what nobody waited for.
func (h *heap[T]) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b strings.Builder
	for _, x := range h.things {
		fmt.Fprintln(&b, x)
	}
	return b.String()
}

// The two ways to TLS.
const (
	upgraded = "starttls"
	direct   = "direct"
)

// door is the address of the listener for a way to TLS.
func (s *stage) door(security string) string {
	if security == direct {
		return s.at["xmpps"]
	}
	return s.at["xmpp"]
}

// authority is the file of the certificate that the service made for itself.
func (s *stage) authority() string { return filepath.Join(s.data, "tls.crt") }

// told is something that a client made of slixmpp says, as testdata/clients/slix.py describes.
type told map[string]any

func (x told) String() string {
	b, err := json.Marshal(map[string]any(x))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// has reports whether all of want is in there.
func (x told) has(want told) bool {
	for k, v := range want {
		if !reflect.DeepEqual(x[k], v) {
			return false
		}
	}
	return true
}

// slix is a client made of slixmpp.
type slix struct {
	address  string
	resource string
	orders   io.Writer
	given    int // orders
	ears     heap[told]
	stderr   processLog
}

// slix logs in and shows itself.
func (s *stage) slix(t *testing.T, name, security string) *slix {
	t.Helper()
	x := &slix{address: name + "@" + msnplays.Domain}
	x.stderr.ready = make(chan struct{})
	cmd := exec.Command(othersProgram(t, "python3"), filepath.Join("testdata", "clients", "slix.py"),
		x.address+"/"+name, s.door(security), security, s.authority())
	cmd.Env = append(os.Environ(), "PARLEY_PASSWORD="+msnplays.Password, "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stderr = &x.stderr
	orders, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	x.orders = orders
	var reads sync.WaitGroup
	reads.Go(func() { // ends with the process
		for r := bufio.NewReader(out); ; {
			line, err := r.ReadBytes('\n')
			var what told
			if err == nil {
				err = json.Unmarshal(line, &what)
			}
			if err != nil {
				x.ears.put(told{"is": "end", "why": err.Error()})
				return
			}
			x.ears.put(what)
		}
	})
	t.Cleanup(func() {
		orders.Close()
		end := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() })
		defer end.Stop()
		reads.Wait()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s heard also:\n%s%s", x.address, &x.ears, &x.stderr)
		}
	})
	ready := x.hears(t, told{"is": "session"})
	if ready["tls"] != "TLSv1.3" {
		t.Errorf("%s has %v", x.address, ready["tls"])
	}
	x.resource, _ = ready["resource"].(string)
	x.do(t, "roster")
	x.do(t, "presence")
	return x
}

// full is the address of the session.
func (x *slix) full() string { return x.address + "/" + x.resource }

// try gives an order and waits for the answer, which has "error" when it was refused.
func (x *slix) try(t *testing.T, verb string, args ...string) told {
	t.Helper()
	x.given++
	id := float64(x.given)
	line, err := json.Marshal(told{"id": id, "do": verb, "args": args})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.orders.Write(append(line, '\n')); err != nil {
		t.Fatalf("%s: %v\n%s", x.address, err, &x.stderr)
	}
	return x.hears(t, told{"is": "answer", "id": id})
}

// do is try, and fails if it is refused.
func (x *slix) do(t *testing.T, verb string, args ...string) told {
	t.Helper()
	answer := x.try(t, verb, args...)
	if answer["error"] != nil {
		t.Fatalf("%s: %s %q: %v", x.address, verb, args, answer["error"])
	}
	return answer
}

// hears waits for what has all of want.
func (x *slix) hears(t *testing.T, want told) told {
	t.Helper()
	ctx, cancel := patient()
	defer cancel()
	over := false
	what, err := x.ears.wait(ctx, func(what told) bool {
		over = what["is"] == "end" && want["is"] != "end"
		return over || what.has(want)
	})
	if over {
		t.Fatalf("%s ended (%v) and did not hear %s; if it lacks slixmpp, install the package %s or run make setup\n%s",
			x.address, what["why"], want, needed["python3"], &x.stderr)
	}
	if err != nil {
		t.Fatalf("%s does not hear %s", x.address, want)
	}
	return what
}

// pushed is a roster push.
func pushed(jid, subscription, name string, groups ...any) told {
	if groups == nil {
		groups = []any{}
	}
	return told{"is": "item", "jid": jid, "subscription": subscription, "name": name, "groups": groups}
}

// leaves logs out.
func (x *slix) leaves(t *testing.T) {
	t.Helper()
	x.do(t, "leave")
	x.hears(t, told{"is": "gone"})
}

// console is profanity in a terminal of its own, one of tmux.
type console struct {
	address string
	tmux    string // the program
	socket  string // of the server of this terminal alone
}

// console starts profanity, which logs in.
func (s *stage) console(t *testing.T, name, security string) *console {
	t.Helper()
	dir, err := os.MkdirTemp("", "parley") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	x := &console{address: name + "@" + msnplays.Domain, tmux: othersProgram(t, "tmux"), socket: filepath.Join(dir, "tmux")}
	policy := map[string]string{upgraded: "force", direct: "legacy"}[security]
	host, port, _ := strings.Cut(s.door(security), ":")
	account := fmt.Sprintf("[%s]\nenabled=true\njid=%s\nserver=%s\nport=%s\npassword=%s\ntls.policy=%s\nresource=%s\n",
		name, x.address, host, port, msnplays.Password, policy, name)
	settings := "[ui]\nsplash=false\n[notifications]\nmessage=false\nroom=false\ntyping.enabled=false\ninvite=false\nsub=false\n" +
		"[chatstates]\nenabled=true\nouttype=true\n[connection]\nreconnect=0\n"
	for file, text := range map[string]string{"data/profanity/accounts": account, "config/profanity/profrc": settings} {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(x.tmux, "-S", x.socket, "-f", os.DevNull, "new-session", "-d", "-x", "150", "-y", "60",
		othersProgram(t, "profanity"), "-a", name)
	cmd.Env = []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + filepath.Join(dir, "config"), "XDG_DATA_HOME=" + filepath.Join(dir, "data"),
		"SSL_CERT_FILE=" + s.authority(), "LANG=C.UTF-8", "TERM=xterm", "PATH=" + os.Getenv("PATH")}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("tmux: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the terminal of %s:\n%s", x.address, x.screen(t))
		}
		x.run(t, "kill-server")
	})
	x.shows(t, regexp.QuoteMeta(x.address+"/"+name)+" logged in successfully")
	return x
}

// run has tmux do something.
func (x *console) run(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(x.tmux, append([]string{"-S", x.socket}, args...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("tmux %q: %v: %s", args, err, &stderr)
	}
	return stdout.String()
}

// types types a line; one that begins with a slash is a command.
func (x *console) types(t *testing.T, line string) {
	t.Helper()
	x.presses(t, line)
	x.run(t, "send-keys", "Enter")
}

// presses types a line without ending it.
func (x *console) presses(t *testing.T, text string) {
	t.Helper()
	x.run(t, "send-keys", "-l", text)
}

// screen is what the terminal shows, without the ends of lines that are empty.
func (x *console) screen(t *testing.T) string {
	t.Helper()
	return x.run(t, "capture-pane", "-p")
}

// shows waits until the terminal has all of the patterns on one screen, in any order.
func (x *console) shows(t *testing.T, patterns ...string) {
	t.Helper()
	ctx, cancel := patient()
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		screen, missing := x.screen(t), ""
		for _, p := range patterns {
			if !regexp.MustCompile(p).MatchString(screen) {
				missing = p
			}
		}
		if missing == "" {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("the terminal of %s does not show %q", x.address, missing)
		}
	}
}

// sendxmpp is a command of go-sendxmpp, of somebody who talks to others.
func (s *stage) sendxmpp(t *testing.T, name, security string, args ...string) *exec.Cmd {
	t.Helper()
	args = append([]string{"--username", name + "@" + msnplays.Domain, "--password", msnplays.Password, "--jserver", s.door(security)}, args...)
	if security == direct {
		args = append([]string{"--tls"}, args...)
	}
	cmd := exec.Command(othersProgram(t, "go-sendxmpp"), args...)
	cmd.Env = []string{"HOME=" + t.TempDir(), "SSL_CERT_FILE=" + s.authority(), "PATH=" + os.Getenv("PATH")}
	return cmd
}

// sends has go-sendxmpp send a message, and waits until it has.
func (s *stage) sends(t *testing.T, name, security, text string, to ...string) {
	t.Helper()
	cmd := s.sendxmpp(t, name, security, to...)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go-sendxmpp of %s: %v\n%s", name, err, out)
	}
}

// listens has go-sendxmpp write down what somebody is told, line by line.
func (s *stage) listens(t *testing.T, name, security string) *heap[string] {
	t.Helper()
	cmd := s.sendxmpp(t, name, security, "--listen")
	h := &heap[string]{}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reads sync.WaitGroup
	reads.Go(func() { // ends with the process
		for lines := bufio.NewScanner(out); lines.Scan(); {
			h.put(lines.Text())
		}
	})
	t.Cleanup(func() {
		cmd.Process.Kill()
		reads.Wait()
		cmd.Wait()
		if t.Failed() {
			t.Logf("go-sendxmpp of %s wrote also:\n%s", name, h)
		}
	})
	return h
}
