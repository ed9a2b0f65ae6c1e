package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// daemon is a data folder with a service of it, that runs in a process of its own or not.
type daemon struct {
	data   string
	domain string
	listen []string          // URLs; once it has run, with the ports that it had then
	set    []string          // KEY=VALUE
	p      *process          // the one that runs; nil: none
	at     map[string]string // the addresses of the listeners, by scheme
	said   strings.Builder   // the logs of those that have ended
}

// newDaemon makes a service that does not run yet. It is ended with the test.
func newDaemon(t testing.TB, data, domain string, listen ...string) *daemon {
	d := &daemon{data: data, domain: domain, listen: listen}
	t.Cleanup(func() {
		if d.p != nil {
			d.p.kill()
		}
	})
	return d
}

var hosts atomic.Int32

// ownHost is a loopback address that nobody else connects from: a port there is free again
// when who had it was killed.
func ownHost() string {
	if runtime.GOOS != "linux" {
		return "127.0.0.1"
	}
	n := hosts.Add(1)
	return fmt.Sprintf("127.%d.%d.%d", 64+os.Getpid()%128, n/200, 1+n%200)
}

// parley is the program under test with its arguments.
func parley(args ...string) (*exec.Cmd, error) {
	path, err := exec.LookPath("parley") // TestMain has put it there
	if err != nil {
		return nil, err
	}
	return exec.Command(path, args...), nil
}

// command runs a command of the program on the data folder.
func (d *daemon) command(input string, args ...string) error {
	cmd, err := parley(append(args, "--data", d.data)...)
	if err != nil {
		return err
	}
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("parley %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// start starts the service, at the same addresses as before.
func (d *daemon) start() error {
	args := []string{"serve", "--data", d.data, "--domain", d.domain}
	for _, l := range d.listen {
		args = append(args, "--listen", l)
	}
	for _, kv := range d.set {
		args = append(args, "--set", kv)
	}
	cmd, err := parley(args...)
	if err != nil {
		return err
	}
	if d.p, err = startProcess(cmd); err != nil {
		d.p = nil
		return err
	}
	d.at = d.p.addresses()
	for i, l := range d.listen {
		u, err := url.Parse(l)
		if err != nil {
			return err
		}
		u.Host = d.at[u.Scheme]
		d.listen[i] = u.String()
	}
	return nil
}

// stop ends the service in order, and reports what its log complains about.
func (d *daemon) stop() error {
	if d.p == nil {
		return nil
	}
	p := d.p
	d.p = nil
	err := p.stop()
	d.said.WriteString(p.log.String())
	if err != nil {
		return fmt.Errorf("%w\n%s", err, tail(p.log.String()))
	}
	return p.complaint()
}

// kill ends the service at once, and reports what its log complained about.
func (d *daemon) kill() error {
	p := d.p
	d.p = nil
	p.kill()
	d.said.WriteString(p.log.String())
	return p.complaint()
}

var complaints = regexp.MustCompile(`(?m)^.*(level=ERROR|panic|DATA RACE|fatal error).*$`)

// complaint is an error when the log has lines that say that something is wrong with the service itself.
func (p *process) complaint() error {
	text := p.log.String()
	at := complaints.FindStringIndex(text)
	if at == nil {
		return nil
	}
	return fmt.Errorf("the service complains:\n%s", text[at[0]:min(len(text), at[0]+4000)])
}

// tail is the end of a log.
func tail(log string) string { return log[max(0, len(log)-4000):] }

// metric is the value of a line of /metrics, as parley_logins_total{door="msnp",outcome="ok"}.
func (d *daemon) metric(name string) (float64, error) {
	resp, err := http.Get("http://" + d.at["http"] + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(b) {
		if v, ok := bytes.CutPrefix(line, []byte(name+" ")); ok {
			return strconv.ParseFloat(strings.TrimSpace(string(v)), 64)
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}

// resident is the memory that the process holds, in bytes.
func (d *daemon) resident() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("no VmRSS")
}

// copyFolder copies the files of a data folder.
func copyFolder(from, to string) error { return os.CopyFS(to, os.DirFS(from)) }

// wire is a connection on which a test says what it wants.
type wireConn struct {
	net.Conn
	r *bufio.Reader
}

// dialFrom connects from an address of this machine; "": any.
func dialFrom(from, to string) (*wireConn, error) {
	d := net.Dialer{Timeout: 10 * time.Second}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	c, err := d.Dial("tcp", to)
	if err != nil {
		return nil, err
	}
	return &wireConn{c, bufio.NewReaderSize(c, 512)}, nil
}

// say writes as it is.
func (c *wireConn) say(text string) error {
	c.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_, err := io.WriteString(c.Conn, text)
	return err
}

// hear reads one line, without its end.
func (c *wireConn) hear() (string, error) {
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	s, err := c.r.ReadString('\n')
	return strings.TrimRight(s, "\r\n"), err
}

// rest reads until the server closes.
func (c *wireConn) rest() (string, error) {
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	b, err := io.ReadAll(c.r)
	return string(b), err
}

// makeTemplate makes a data folder with accounts, to be copied.
func makeTemplate(t testing.TB, domain, password string, people map[string]string) string {
	t.Helper()
	d := &daemon{data: filepath.Join(t.TempDir(), "template"), domain: domain}
	for name, shown := range people {
		if err := d.command(password+"\n", "account", "add", name+"@"+domain, "--name", shown, "--password-stdin"); err != nil {
			t.Fatal(err)
		}
	}
	return d.data
}
