package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Words to users of another domain are measured beside words within one: the same pairs, sent by the same generator, with
// the CPU of both servers. The two domains are joined by one pair of sessions.

const (
	near = "near.test"
	far  = "far.test"

	oneDomain = "one domain"
)

// acrossMeasures are those between domains.
func (p plan) acrossMeasures() []measure {
	s := strconv.Itoa
	var l []measure
	for _, fast := range []bool{false, true} {
		c, window := p.xmpp.chats[1], 1
		if fast {
			c, window = p.across, 16
		}
		m := measure{
			name: "XMPP to another domain " + s(c.pairs), xmpp: true, across: true, unit: "CPU s per 1,000 messages", key: "cpu_s_per_1000_delivered",
			before: [][]string{{"-mode", "chat", "-n", s(c.pairs), "-count", "20", "-mech", "PLAIN"}}, // everybody is in memory, as in a service that runs
			args:   []string{"-mode", "chat", "-n", s(c.pairs), "-count", s(c.messages), "-window", s(window), "-mech", "PLAIN"},
			bar:    "at most 3 times", limit: 3, ratio: true, sockets: 2 * c.pairs,
		}
		if fast {
			m.name += " window 16"
		}
		sender := m
		sender.of, sender.name, sender.key, sender.limit, sender.bar = m.name, m.name+", sender's server", "near_cpu_s_per_1000_delivered", 0, "-"
		l = append(l, m, sender)
	}
	return l
}

// joined makes two domains, with as many accounts as are needed: gives the first alone, and both together. at names their
// addresses.
func (b *bench) joined(ctx context.Context, parley string, at func(i int) string) ([]*server, error) {
	path, err := filepath.Abs(parley)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, m := range b.plan.acrossMeasures() {
		n = max(n, m.sockets)
	}
	domain := func(name, other string, xmpp, ssp, otherSSP int) (*server, error) {
		data := b.path(fmt.Sprintf("data-%s-%d", name, n))
		if _, err := os.Stat(data + ".joined"); err != nil {
			if err := os.MkdirAll(data, 0o700); err != nil {
				return nil, err
			}
			csv, err := b.load(ctx, "msnpload", []string{"-users", "i:" + strconv.Itoa(n), "-domain", name, "-pass", password, "prepare"})
			if err != nil {
				return nil, err
			}
			for _, c := range []struct {
				in   []byte
				args []string
			}{
				{csv, []string{"account", "import", "--data", data, "-"}},
				{[]byte("between the two\n"), []string{"domain", "add", other, "--data", data, "--url", "http://" + at(otherSSP) + "/", "--tls", "off", "--password-stdin"}},
			} {
				cmd := exec.CommandContext(ctx, path, c.args...)
				cmd.Stdin = bytes.NewReader(c.in)
				if out, err := cmd.CombinedOutput(); err != nil {
					return nil, fmt.Errorf("parley %s: %w\n%s", strings.Join(c.args[:2], " "), err, out)
				}
			}
			if err := os.WriteFile(data+".joined", nil, 0o644); err != nil {
				return nil, err
			}
		}
		return &server{name: "Parley", addr: at(xmpp), xmpp: at(xmpp), ready: "ready",
			args: []string{path, "serve", "--data", data, "--domain", name, "--listen", "xmpp://" + at(xmpp), "--listen", "ssp://" + at(ssp),
				"--set", "xmpp.plain=loopback", "--set", "ssp.requests_per_second=0"}}, nil
	}
	s, err := domain(near, far, 8, 10, 11)
	if err != nil {
		return nil, err
	}
	one := *s
	one.name, one.args = oneDomain, slices.DeleteFunc(slices.Clone(s.args), func(a string) bool { return strings.HasPrefix(a, "ssp://") })
	i := slices.Index(one.args, "xmpp://"+s.xmpp)
	one.args = slices.Delete(one.args, i+1, i+2) // the other --listen
	s.ready = "sessions are up"
	s.far, err = domain(far, near, 9, 11, 10)
	return []*server{&one, s}, err
}

// across are the flags with which the generator finds the two domains, or the one.
func (s *server) across(pids []int) []string {
	flags := []string{"-addr", s.xmpp, "-domain", near, "-prefix", "i", "-password", password, "-pid", strconv.Itoa(pids[len(pids)-1])}
	if s.far != nil {
		flags = append(flags, "-peer-addr", s.far.xmpp, "-peer-domain", far, "-peer-pid", strconv.Itoa(pids[0]))
	}
	return flags
}
