package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// MSNP12, the last dialect, is measured beside MSNP2: the same work by clients who log in with tickets and show a picture.

// twnMeasures are those of MSNP12; l are those of MSNP2, with which they are compared.
func (p plan) twnMeasures(l []measure) []measure {
	s := strconv.Itoa
	var out []measure
	for _, m := range l {
		m.like, m.name = m.name, "MSNP12 "+m.name
		m.args = append([]string{"-dialect", "MSNP12"}, m.args...)
		m.ticket = true
		out = append(out, m)
	}
	return append(out, measure{
		name: "MSNP12 Passport login", unit: "CPU ms per login over HTTPS", key: "cpu_ms_per_login",
		args: append([]string{"passport", "-n", s(p.passports)}, "-skip", s(p.restFirst())), bar: "-", passport: true, sockets: 200,
	})
}

// ticketsFile is where those who log in with one have their tickets.
const ticketsFile = "tickets.csv"

// tickets has Parley issue tickets for all accounts. Whoever measures has them before anything begins, so that HTTPS is
// not in the figures, and not in the memory of the server that they are shown to.
func (b *bench) tickets(ctx context.Context, s *server) error {
	p, err := s.start(ctx)
	if err != nil {
		return err
	}
	out, err := b.load(ctx, "msnpload", b.users("-ns", s.addr, "-passport", s.passport, "-pid", strconv.Itoa(p.cmd.Process.Pid), "tickets"))
	if e := p.stop(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "bench: %d tickets\n", strings.Count(string(out), "\n"))
	return os.WriteFile(b.path(ticketsFile), out, 0o600)
}

// twn are the flags of msnpload that a measure needs besides.
func (b *bench) twn(s *server, m measure) []string {
	switch {
	case m.passport:
		return []string{"-passport", s.passport}
	case m.ticket && s.name != nullRelay: // which believes all
		return []string{"-tickets", b.path(ticketsFile)}
	}
	return nil
}

// selected reports whether one of the measures that only names is m, or is compared with it.
func selected(l []measure, m measure, only string) bool {
	for _, o := range l {
		if strings.Contains(o.name, only) && (o.name == m.name || o.like == m.name) {
			return true
		}
	}
	return false
}

// likes prints how rows compare on Parley with those that they are like.
func likes(w io.Writer, rows []*row) {
	var b strings.Builder
	for _, r := range rows {
		for _, o := range rows {
			if was := median(o.values["Parley"]); r.like == o.name && was > 0 {
				fmt.Fprintf(&b, "| %s | %s | %s | %s | %.2f |\n", o.name, o.unit, number(was), number(median(r.values["Parley"])), median(r.values["Parley"])/was)
			}
		}
	}
	if b.Len() > 0 {
		fmt.Fprintf(w, "\n| on Parley | unit | MSNP2 | MSNP12 | MSNP12 / MSNP2 |\n|---|---|---|---|---|\n%s", &b)
	}
}
