// Command bench measures Parley beside the null relay with msnpload, and beside the null server with xmppload, and
// prints the tables of docs/performance.md: medians of several rounds, and how Parley compares with what the kernel and the Go
// runtime alone cost.
//
//	go -C tools/load run ./bench -parley "$PWD/parley"
//	go -C tools/load run ./bench -parley "$PWD/parley" -quick -only chat
//
// Every measurement starts a fresh server on loopback; both take turns at going first.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const (
	domain   = "parley.test"
	password = "secret"

	nullRelay  = "null relay"
	nullServer = "null server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("bench", flag.ExitOnError)
	parley := fs.String("parley", "", "the parley binary to measure (without it: the null servers alone)")
	rounds := fs.Int("rounds", 3, "how often everything is measured; the table shows medians")
	quick := fs.Bool("quick", false, "small numbers: shows that everything works, proves nothing")
	only := fs.String("only", "", "measure only what has this in its name")
	dir := fs.String("dir", "", "work folder for binaries, data and the raw results, kept (default: a temporary one, removed)")
	port := fs.Int("port", 18630, "the servers listen here and on the ports that follow, twelve at most")
	limit := fs.Uint64("files", 20000, "limit of open files of each process; a server may size itself by it")
	timeout := fs.Duration("timeout", 5*time.Minute, "for one run of the load generator")
	fs.Parse(args)
	if fs.NArg() > 0 || *rounds < 1 {
		fs.Usage()
		return errors.New("bench takes flags only, and -rounds from 1 up")
	}
	work := *dir
	if work == "" {
		var err error
		if work, err = os.MkdirTemp("", "parley-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(work)
	}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	b := &bench{dir: work, plan: full, timeout: *timeout}
	if *quick {
		b.plan = small
	}
	for _, name := range []string{"msnpload", "nullrelay", "xmppload", "nullserver"} {
		if err := build(ctx, name, b.path(name)); err != nil {
			return err
		}
	}
	at := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", *port+i) }
	relay := &server{name: nullRelay, addr: at(0), passport: at(6)}
	relay.args = []string{b.path("nullrelay"), "-engine", "net", "-listen", relay.addr, "-passport", relay.passport}
	null := &server{name: nullServer, addr: at(2), xmpp: at(2), tls: at(3)}
	null.args = []string{b.path("nullserver"), "-domain", domain, "-addr", null.xmpp, "-tls-addr", null.tls}
	b.servers, b.xmpp = []*server{relay}, []*server{null}
	if *parley != "" {
		path, err := filepath.Abs(*parley)
		if err != nil {
			return err
		}
		data := b.path(fmt.Sprintf("data-%d", b.plan.accounts()))
		s := &server{name: "Parley", addr: at(1), passport: at(7), ready: "ready"}
		s.args = []string{path, "serve", "--data", data, "--domain", domain, "--listen", "msnp://" + s.addr,
			"--listen", "passport://" + s.passport, "--set", "msnp.ticket_life=24h"}
		b.servers = append(b.servers, s)
		x := &server{name: "Parley", addr: at(4), xmpp: at(4), tls: at(5), ready: "ready"}
		x.args = []string{path, "serve", "--data", data, "--domain", domain, "--listen", "xmpp://" + x.xmpp,
			"--listen", "xmpps://" + x.tls, "--set", "xmpp.plain=loopback"}
		b.xmpp = append(b.xmpp, x)
		if err := b.accounts(ctx, path, data); err != nil {
			return err
		}
	}
	files, err := limitFiles(*limit)
	if err != nil {
		return err
	}
	raw, err := os.Create(filepath.Join(work, "results.jsonl"))
	if err != nil {
		return err
	}
	defer raw.Close()
	var rows []*row
	all := b.plan.measures()
	for _, m := range all {
		if !selected(all, m, *only) || m.across && *parley == "" {
			continue
		}
		if need := uint64(m.sockets) + 200; files < need {
			fmt.Fprintf(os.Stderr, "bench: %s left out: %d open files allowed, %d needed (ulimit -n)\n", m.name, files, need)
			continue
		}
		rows = append(rows, &row{measure: m, values: map[string][]float64{}, generator: map[string][]float64{}})
	}
	if len(rows) == 0 {
		return fmt.Errorf("nothing to measure has %q in its name", *only)
	}
	if *parley != "" && slices.ContainsFunc(rows, func(r *row) bool { return r.ticket }) {
		if err := b.tickets(ctx, b.servers[1]); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(rows, func(r *row) bool { return r.across }) {
		if b.across, err = b.joined(ctx, *parley, at); err != nil {
			return err
		}
	}
	for round := range *rounds {
		for _, r := range rows {
			servers := b.servers
			switch {
			case r.of != "":
				continue
			case r.across:
				servers = b.across
			case r.xmpp:
				servers = b.xmpp
			}
			for i := range servers {
				s := servers[(i+round)%len(servers)] // turns at going first
				if r.parleyOnly && s.name != "Parley" {
					continue
				}
				res, err := b.measure(ctx, s, r.measure)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", r.name, s.name, err)
				}
				fmt.Fprintf(os.Stderr, "round %d  %-24s %-10s %s = %g\n", round+1, r.name, s.name, r.key, res[r.key])
				r.add(s.name, res)
				for _, o := range rows {
					if o.of == r.name {
						o.add(s.name, res)
					}
				}
				line, err := json.Marshal(res)
				if err != nil {
					return err
				}
				fmt.Fprintf(raw, "%s\n", line)
			}
		}
	}
	return table(os.Stdout, rows, *rounds, *quick)
}

// build makes one of the programs beside this one.
func build(ctx context.Context, name, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, "parley/tools/load/"+name)
	if msg, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s (run bench with `go -C tools/load run ./bench`): %w\n%s", name, err, msg)
	}
	return nil
}

// limitFiles sets the limit of open files, hard too, or else a Go child would lift it again.
// It returns what is allowed.
func limitFiles(n uint64) (uint64, error) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, err
	}
	n = min(n, l.Max)
	return n, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: n, Max: n})
}
