// msnpload drives an MSNP server with many clients (dialects MSNP2 to MSNP7 with the MD5 login, MSNP8 to MSNP12 with
// tickets) and prints one JSON line per run with rates, latencies and the server's CPU and memory from /proc.
//
//	msnpload -users u:10000 -domain parley.test -pass secret prepare | parley account import -
//	msnpload -ns 127.0.0.1:1863 -users u:10000 -domain parley.test -pass secret -pid 123 chat -pairs 50 -messages 2000
//
// Modes: login, idle, chat, fanout, roster, befriend (fills lists with ADD for fanout/roster),
// passport (logins over HTTPS, each for a ticket), tickets (prints the accounts as CSV, address and ticket),
// prepare (no server needed: prints the accounts as CSV, address and password).
package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

var modes = map[string]func(*config) (result, error){
	"login": runLogin, "idle": runIdle, "chat": runChat, "fanout": runFanout, "roster": runRoster, "befriend": runBefriend,
	"passport": runPassport,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "msnpload:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	fs := flag.NewFlagSet("msnpload", flag.ExitOnError)
	c := &config{}
	var users, domain, pass, file, tickets, pids, src, label string
	var skip, nsrc int
	fs.StringVar(&c.ns, "ns", "127.0.0.1:1863", "notification or dispatch server")
	fs.StringVar(&c.sb, "sb", "", "switchboard address to use instead of the one referred to")
	fs.StringVar(&c.terms.dialects, "dialect", "MSNP2", "dialect(s) offered in VER")
	fs.StringVar(&c.passport, "passport", "", "address where to log in over HTTPS; tickets come from there before anything is measured")
	fs.StringVar(&tickets, "tickets", "", "file of tickets to log in with instead, as the mode tickets prints them (MSNP8 and later; neither: a made-up one)")
	fs.StringVar(&users, "users", "u:10000", "accounts PREFIX:COUNT, handles PREFIX0@DOMAIN, PREFIX1@DOMAIN, ...")
	fs.StringVar(&domain, "domain", "example.com", "domain of -users")
	fs.StringVar(&pass, "pass", "secret", "password of -users")
	fs.StringVar(&file, "users-file", "", "file of accounts instead of -users: lines \"address,password\" as prepare prints them, or \"address password\"")
	fs.IntVar(&skip, "skip", 0, "leave out the first accounts")
	fs.StringVar(&pids, "pid", "", "server process id(s), comma separated; descendants count too")
	fs.StringVar(&src, "src", "", "first source address, e.g. 127.0.1.1")
	fs.IntVar(&nsrc, "nsrc", 1, "how many consecutive source addresses")
	fs.StringVar(&label, "label", "", "text copied into the result")
	fs.IntVar(&c.conc, "c", 32, "concurrent logins or set-ups")
	fs.IntVar(&c.n, "n", 1000, "login, passport: logins; idle: sessions")
	fs.DurationVar(&c.hold, "hold", 20*time.Second, "idle: how long (memory at the end, CPU over the second half)")
	fs.IntVar(&c.pairs, "pairs", 10, "chat: conversations")
	fs.IntVar(&c.messages, "messages", 1000, "chat: messages per direction and conversation")
	fs.IntVar(&c.size, "size", 100, "chat: text bytes per message, after its MIME header")
	fs.IntVar(&c.window, "window", 1, "chat: undelivered messages per direction; fanout: flips in flight")
	fs.BoolVar(&c.both, "both", false, "chat: both sides send")
	fs.IntVar(&c.watchers, "watchers", 100, "fanout, befriend: contacts of the first account")
	fs.IntVar(&c.flip, "flips", 100, "fanout: presence changes")
	fs.IntVar(&c.syns, "syns", 50, "roster: SYN commands")
	fs.DurationVar(&c.timeout, "timeout", 60*time.Second, "for any single step")
	// flags may stand on either side of the mode
	fs.Parse(args)
	mode := fs.Arg(0)
	if fs.NArg() > 1 {
		fs.Parse(fs.Args()[1:])
	}
	f, ok := modes[mode]
	if !ok && mode != "prepare" && mode != "tickets" {
		return fmt.Errorf("no mode %q; one of login idle chat fanout roster befriend passport tickets prepare", mode)
	}
	if c.window < 1 || c.conc < 1 {
		return fmt.Errorf("-window and -c must be at least 1")
	}
	var err error
	if c.users, err = accounts(users, domain, pass, file); err != nil {
		return err
	}
	c.users = c.users[min(skip, len(c.users)):]
	if mode == "prepare" {
		return writeAccounts(os.Stdout, c.users)
	}
	for _, p := range strings.FieldsFunc(pids, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(p)
		if err != nil {
			return err
		}
		c.pids = append(c.pids, n)
	}
	c.d = &dialer{count: nsrc, timeout: c.timeout}
	if src != "" {
		if c.d.base, err = netip.ParseAddr(src); err != nil {
			return err
		}
	}
	if len(c.pids) > 0 {
		if err := owns(c.pids, c.ns); err != nil {
			return err
		}
		if c.passport != "" {
			if err := owns(c.pids, c.passport); err != nil {
				return err
			}
		}
	}
	if mode == "tickets" {
		return c.printTickets(os.Stdout)
	}
	if mode != "passport" {
		if err := c.prepareTickets(tickets); err != nil {
			return err
		}
	}
	r, err := f(c)
	if r != nil {
		r["mode"], r["ns"], r["dialect"] = mode, c.ns, c.terms.dialects
		if label != "" {
			r["label"] = label
		}
		b, jerr := json.Marshal(r)
		if jerr != nil {
			return jerr
		}
		fmt.Println(string(b))
	}
	return err
}

// accounts lists the accounts of a run: those in file, or else those that spec (PREFIX:COUNT) stands for.
func accounts(spec, domain, pass, file string) ([]account, error) {
	var l []account
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return readAccounts(f)
	}
	prefix, count, ok := strings.Cut(spec, ":")
	n, err := strconv.Atoi(count)
	if !ok || err != nil {
		return nil, fmt.Errorf("-users wants PREFIX:COUNT, got %q", spec)
	}
	for i := range n {
		l = append(l, account{fmt.Sprintf("%s%d@%s", prefix, i, domain), pass})
	}
	return l, nil
}

// readAccounts reads one account a line: CSV as writeAccounts makes it, or address and password apart by
// blanks. Empty lines and those that begin with # are left out.
func readAccounts(r io.Reader) ([]account, error) {
	var l []account
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Fields(line)
		if strings.Contains(f[0], ",") {
			var err error
			if f, err = csv.NewReader(strings.NewReader(line)).Read(); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
		if len(f) != 2 {
			return nil, fmt.Errorf("line %d: want an address and a password, got %d fields", n, len(f))
		}
		l = append(l, account{f[0], f[1]})
	}
	return l, sc.Err()
}

// writeAccounts prints what `parley account import` reads.
func writeAccounts(w io.Writer, l []account) error {
	out := csv.NewWriter(w)
	for _, a := range l {
		if err := out.Write([]string{a.handle, a.pass}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
