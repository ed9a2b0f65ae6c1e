package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"parley/credential"
	"parley/im"
	"parley/ssp"
	"parley/ssp/wire"
)

// domainFlags are what can be said of a domain on the command line, by the names that fields have in a request.
var domainFlags = []struct{ name, text string }{
	{"url", "it takes requests at `URL`, such as https://im.example.com:8421/ (default: found by DNS, _imps-server._tcp.DOMAIN)"},
	{"service", "its Service-ID is `ID` (default: wv:@DOMAIN)"},
	{"digest", "the two prove their passwords by digests of `NAME`, md5 or sha (default: md5)"},
	{"dialect", "it speaks `NAME`, wv10 or oma13 (default: wv10); oma13 proves no password, and needs TLS"},
	{"tls", "its certificate is checked as `HOW`: verify as everywhere, pin:HEX only the one of this SHA-256, off no TLS (default: verify; off for http on this machine)"},
	{"route", "it is reached through the domain `RELAY`, which is added already; then nothing else is said of the connection"},
	{"connections", "at most `N` connections to it at once (default: the key ssp.connections)"},
}

// domainLists are those that may stand several times.
var domainLists = []struct{ name, text string }{
	{"offer", "it may ask us for `SERVICE`: a feature with all its nodes as IMFeature, one node as IMFeature/PushMsg, all or none (default: all)"},
	{"want", "we may ask it for `SERVICE`, as with --offer (default: all)"},
}

// domainFields declares the flags, and gives what was said by them.
func domainFields(fs *flag.FlagSet) func() map[string][]string {
	texts, lists := map[string]*string{}, map[string]*list{}
	for _, f := range domainFlags {
		texts[f.name] = fs.String(f.name, "", f.text)
	}
	for _, f := range domainLists {
		lists[f.name] = new(list)
		fs.Var(lists[f.name], f.name, f.text)
	}
	noKeep := fs.Bool("no-keep", false, "log in to it only when there is something to say, instead of keeping a session up")
	return func() map[string][]string {
		said := map[string][]string{}
		fs.Visit(func(f *flag.Flag) {
			switch {
			case texts[f.Name] != nil:
				said[f.Name] = []string{*texts[f.Name]}
			case lists[f.Name] != nil:
				said[f.Name] = *lists[f.Name]
			}
		})
		if *noKeep {
			said["keep"] = []string{"no"}
		}
		return said
	}
}

// sayOf changes what is registered of a domain: the route first, with which all else of the connection goes.
func sayOf(d *im.Domain, said map[string][]string) error {
	text := func(name string) string { return strings.Join(said[name], "") }
	if v := said["route"]; v != nil {
		if d.Route = text("route"); d.Route != "" {
			d.URL, d.Digest, d.Dialect, d.TLS, d.Connections, d.Secret, d.Proof = "", "", "", "", 0, nil, nil
		}
	}
	for name, to := range map[string]*string{"url": &d.URL, "service": &d.Service, "digest": &d.Digest, "dialect": &d.Dialect, "tls": &d.TLS} {
		if said[name] != nil {
			*to = text(name)
		}
	}
	for name, to := range map[string]*[]string{"offer": &d.Offers, "want": &d.Wants} {
		if said[name] != nil {
			l, err := readServices(said[name])
			if err != nil {
				return fmt.Errorf("--%s %w", name, err)
			}
			*to = l
		}
	}
	if said["keep"] != nil {
		d.Keep = text("keep") == "yes"
	}
	if said["connections"] != nil {
		n, err := strconv.Atoi(text("connections"))
		if err != nil {
			return fmt.Errorf("--connections %s: write a number, 1 to %d", text("connections"), im.MaxDomainConnections)
		}
		d.Connections = n
	}
	return nil
}

// readServices reads names of the service tree; nil is all there are. ssp-syntax 5.5.
func readServices(words []string) ([]string, error) {
	l := []string{}
	for _, word := range words {
		feature, node, deep := strings.Cut(word, "/")
		nodes := wire.Nodes(feature)
		switch {
		case word == "all":
			return nil, nil
		case word == "none":
		case !slices.Contains(wire.Features(), feature):
			return nil, fmt.Errorf("%s: there is no such service: there is %s, all, none", word, strings.Join(wire.Features(), ", "))
		case deep && !slices.Contains(nodes, node):
			return nil, fmt.Errorf("%s: %s has no such node: there is %s", word, feature, strings.Join(nodes, ", "))
		case deep:
			l = append(l, feature, word)
		default:
			l = append(l, feature)
			for _, n := range nodes {
				l = append(l, feature+"/"+n)
			}
		}
	}
	return l, nil
}

// onDomain runs an act of the domain commands.
func onDomain(ctx context.Context, e *env, s *settings, r request) (a answer, err error) {
	d, err := openDesk(ctx, e, s)
	if err != nil {
		return a, err
	}
	a, err = d.do(ctx, r)
	if closed := d.Close(); err == nil {
		err = closed
	}
	return a, err
}

func setupDomainAdd(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	fields := domainFields(fs)
	stdin, two := domainPasswordFlags(fs)
	return func(ctx context.Context, e *env, args []string) error {
		r := request{Act: "domain-add", Domain: args[0], Fields: fields()}
		d := im.Domain{Name: args[0]}
		err := sayOf(&d, r.Fields)
		if err == nil {
			d, err = d.Normal()
		}
		if err != nil {
			return usageError{err.Error()}
		}
		if d.Route == "" {
			if r.Password, r.Proof, err = readPasswords(ctx, e, d.Name, *stdin, *two); err != nil {
				return err
			}
		}
		_, err = onDomain(ctx, e, &s, r)
		return done(e, err, "%s is added; parley domain test %s tries the login", d.Name, d.Name)
	}
}

func setupDomainSet(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	fields := domainFields(fs)
	keep := fs.Bool("keep", false, "keep a session up")
	return func(ctx context.Context, e *env, args []string) error {
		said := fields()
		if *keep {
			if said["keep"] != nil {
				return usagef("--keep and --no-keep: which of them?")
			}
			said["keep"] = []string{"yes"}
		}
		if len(said) == 0 {
			return usagef("say what is to change: see parley help domain set")
		}
		if err := sayOf(&im.Domain{}, said); err != nil {
			return usageError{err.Error()}
		}
		_, err := onDomain(ctx, e, &s, request{Act: "domain-set", Domain: args[0], Fields: said})
		return done(e, err, "%s is changed", args[0])
	}
}

func setupDomainPassword(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	stdin, two := domainPasswordFlags(fs)
	return func(ctx context.Context, e *env, args []string) (err error) {
		r := request{Act: "domain-password", Domain: args[0]}
		if r.Password, r.Proof, err = readPasswords(ctx, e, args[0], *stdin, *two); err != nil {
			return err
		}
		_, err = onDomain(ctx, e, &s, r)
		return done(e, err, "%s has a new password", args[0])
	}
}

func setupDomainRemove(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	return func(ctx context.Context, e *env, args []string) error {
		_, err := onDomain(ctx, e, &s, request{Act: "domain-remove", Domain: args[0]})
		return done(e, err, "%s is removed", args[0])
	}
}

func setupDomainList(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	asJSON := jsonFlag(fs)
	return func(ctx context.Context, e *env, _ []string) error {
		a, err := onDomain(ctx, e, &s, request{Act: "domain-list"})
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(e.out, append([]domainInfo{}, a.Register...))
		}
		for _, d := range a.Register {
			fmt.Fprintf(e.out, "%-40s %s\n", d.Name, d.way())
		}
		return nil
	}
}

func setupDomainShow(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	asJSON := jsonFlag(fs)
	return func(ctx context.Context, e *env, args []string) error {
		a, err := onDomain(ctx, e, &s, request{Act: "domain-show", Domain: args[0]})
		switch {
		case err != nil:
			return err
		case len(a.Register) == 0:
			return fmt.Errorf("the service told nothing of %s: is it of another version?", args[0])
		case *asJSON:
			return printJSON(e.out, a.Register[0])
		}
		a.Register[0].write(e.out)
		fmt.Fprintf(e.out, "%-12s %s\n", "tell them", a.Note)
		return nil
	}
}

// way says how a domain is reached.
func (d domainInfo) way() string {
	switch {
	case d.Route != "":
		return "through " + d.Route
	case d.URL != "":
		return d.URL
	}
	return "found by DNS"
}

func (d domainInfo) write(w io.Writer) {
	line := func(what, format string, args ...any) {
		fmt.Fprintf(w, "%-12s %s\n", what, fmt.Sprintf(format, args...))
	}
	line("domain", "%s", d.Name)
	line("service", "%s", d.Service)
	line("reached", "%s", d.way())
	if d.Route == "" {
		line("dialect", "%s", d.Dialect)
		line("digest", "%s", d.Digest)
		line("tls", "%s", d.TLS)
		if d.TwoPasswords {
			line("passwords", "two: one proves it to us, one us to it")
		}
		if d.Keep {
			line("session", "kept up")
		} else {
			line("session", "when there is something to say")
		}
		if d.Connections > 0 {
			line("connections", "%d", d.Connections)
		}
	}
	line("offers", "%s", servicesLine(d.Offers))
	line("wants", "%s", servicesLine(d.Wants))
	line("added", "%s", moment(d.Added))
}

func servicesLine(l []string) string {
	if len(l) == 0 {
		return "none"
	}
	return strings.Join(l, ", ")
}

// ourSide says what the operator of the other domain has to register of us.
func (o *office) ourSide(d im.Domain) string {
	where := "found by DNS: parley check says which record (or set the key ssp.public)"
	if o.cfg.SSP.Public != "" {
		where = "at " + o.cfg.SSP.Public
	}
	if d.Route != "" {
		where = "reached through their relay"
	}
	return fmt.Sprintf("domain %s, Service-ID %s, %s", o.cfg.Domain, ssp.FormatService(o.cfg.Domain), where)
}

func domainPasswordFlags(fs *flag.FlagSet) (stdin, two *bool) {
	stdin = fs.Bool("password-stdin", false, "take the password from the standard input: its first line, and with --two-passwords its second")
	two = fs.Bool("two-passwords", false, "the two domains have a password each: by the first it proves itself to us, by the second we do to it")
	return stdin, two
}

// readPasswords asks for the password shared with a domain, and for a second one if each has its own. SSP 6.
func readPasswords(ctx context.Context, e *env, name string, stdin, two bool) (secret, proof string, err error) {
	switch {
	case !two:
		secret, err = readPassword(ctx, e, name, stdin)
		return secret, "", err
	case !stdin:
		if secret, err = readPassword(ctx, e, name, false); err == nil {
			proof, err = readPassword(ctx, e, "us at "+name, false)
		}
		return secret, proof, err
	}
	lines := bufio.NewScanner(io.LimitReader(e.in, 64<<10))
	for _, to := range []*string{&secret, &proof} {
		if !lines.Scan() {
			return "", "", usagef("two passwords are wanted, in two lines of the standard input")
		}
		*to = strings.TrimSuffix(lines.Text(), "\r")
		if err := credential.Check(credential.NewSecret(*to)); err != nil {
			return "", "", err
		}
	}
	return secret, proof, nil
}

func setupDomainTest(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	return func(ctx context.Context, e *env, args []string) error {
		a, err := onDomain(ctx, e, &s, request{Act: "domain-test", Domain: args[0]})
		if err != nil {
			return err
		}
		for _, step := range a.Steps {
			if step.Failed == "" {
				fmt.Fprintf(e.out, "ok    step %-2d  %s\n", step.N, printable(step.What))
			} else {
				fmt.Fprintf(e.out, "FAIL  step %-2d  %s: %s\n", step.N, printable(step.What), printable(step.Failed))
			}
		}
		if a.Refusal != "" {
			fmt.Fprintf(e.out, "FAIL  %s\n", printable(a.Refusal))
			return saidError{}
		}
		return done(e, nil, "ok    the two domains are logged in to each other")
	}
}

func setupSSPSchema(*flag.FlagSet) runner {
	return func(_ context.Context, e *env, _ []string) error { return wire.WriteSchema(e.out) }
}
